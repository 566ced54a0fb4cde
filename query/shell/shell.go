// Package shell is the prompt at which a person asks a case one statement after
// the other. It opens the case for each and closes it again, so that an idle
// shell keeps nobody from it. What it shows and how the case is opened are its
// caller's.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"trailscan/query"
	"trailscan/query/trino"
)

// Lines is where the lines come from that a person types.
type Lines interface {
	// Line reads one. It gives io.EOF at the end and ErrInterrupted at Ctrl-C.
	Line(prompt string) (string, error)
	// Remember keeps a statement for later recall.
	Remember(statement string)
}

// ErrInterrupted says that a line was given up with Ctrl-C.
var ErrInterrupted = errors.New("interrupted")

// Shell is what the prompt works with.
type Shell struct {
	Lines Lines
	Out   io.Writer
	Err   io.Writer

	// Open opens the case, for a statement that changes it or for one that reads.
	Open func(ctx context.Context, st query.Statement) (*query.Case, error)
	// Write shows an answer in a mode, one of Modes.
	Write func(w io.Writer, mode string, a *query.Answer) error
	Modes []string
	// Tables are the names that statements have for the events.
	Tables trino.Options
	// Clean makes text safe for the terminal.
	Clean func(string) string
	// Interrupts tells of Ctrl-C while a statement runs.
	Interrupts <-chan os.Signal
	// Pager shows text that is longer than the terminal; nil: there is none.
	Pager func(text io.Reader) error
	// Height is how many lines the terminal has.
	Height func() int

	mode   string
	timing bool
	params map[string]string
}

const (
	prompt     = "trailscan> "
	promptMore = "      ...> "
)

// Run asks for statements until the end of the input or .quit.
func (s *Shell) Run(ctx context.Context) error {
	s.mode = s.Modes[0]
	s.params = map[string]string{}
	var pending strings.Builder
	for {
		ask := prompt
		if pending.Len() > 0 {
			ask = promptMore
		}
		line, err := s.Lines.Line(ask)
		switch {
		case errors.Is(err, ErrInterrupted):
			pending.Reset()
			continue
		case errors.Is(err, io.EOF):
			if strings.TrimSpace(pending.String()) != "" {
				s.complain(errors.New("the last statement has no semicolon at its end and was not run"))
			}
			return nil
		case err != nil:
			return err
		}
		if pending.Len() == 0 && strings.HasPrefix(strings.TrimSpace(line), ".") {
			s.Lines.Remember(strings.TrimSpace(line))
			if s.command(ctx, strings.TrimSpace(line)) {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		pending.WriteString(line + "\n")
		done, rest, _ := query.Statements(pending.String())
		if rest != nil {
			if len(done) == 0 {
				continue
			}
			// What follows a semicolon on its line waits for its own.
			pending.Reset()
			pending.WriteString(rest.Text + "\n")
		} else {
			pending.Reset()
		}
		if err := s.runAll(ctx, done, s.params); err != nil {
			return err
		}
	}
}

// runAll runs statements until one fails; only the end of the shell's own
// context is an error.
func (s *Shell) runAll(ctx context.Context, list []query.Statement, params map[string]string) error {
	for _, st := range list {
		s.Lines.Remember(st.OneLine() + ";")
	}
	for _, st := range list {
		if err := s.run(ctx, st, params); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.complain(err)
			break
		}
	}
	return nil
}

// run runs a statement and shows its answer; Ctrl-C ends it and nothing else.
func (s *Shell) run(ctx context.Context, st query.Statement, params map[string]string) error {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	s.forgetInterrupts()
	go func() {
		select {
		case <-s.Interrupts:
			cancel()
		case <-ended:
		}
	}()
	began := time.Now()
	out := s.newScreen()
	did, err := s.answer(running, st, params, out)
	took := time.Since(began)
	// The case is closed by now, however long somebody reads the pager.
	if closed := out.close(); err == nil {
		err = closed
	}
	if errors.Is(err, errPagerLeft) {
		err = nil
	}
	if err != nil && running.Err() != nil && ctx.Err() == nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	if did != "" {
		fmt.Fprintln(s.Err, did)
	}
	if s.timing {
		fmt.Fprintf(s.Err, "Time: %.3f s\n", took.Seconds())
	}
	return nil
}

func (s *Shell) answer(ctx context.Context, st query.Statement, params map[string]string, w io.Writer) (did string, err error) {
	c, err := s.Open(ctx, st)
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := c.Close(); err == nil {
			err = cerr
		}
	}()
	a, err := c.Run(ctx, st.Translated(s.Tables), params)
	if err != nil {
		return "", err
	}
	defer a.Close()
	if a.Did != "" {
		did = a.Summary()
		if strings.EqualFold(a.Did, "SET") || strings.EqualFold(a.Did, "CREATE") && st.Temporary() {
			did += " (lasts until the case is closed, which in the shell is now)"
		}
		return did, nil
	}
	return "", s.Write(w, s.mode, a)
}

// forgetInterrupts drops a Ctrl-C that came when nothing ran.
func (s *Shell) forgetInterrupts() {
	select {
	case <-s.Interrupts:
	default:
	}
}

func (s *Shell) complain(err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(s.Err, s.Clean(strings.TrimRight(line, "\n")))
	}
}
