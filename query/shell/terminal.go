package shell

import (
	"context"
	"errors"
	"io"

	"github.com/peterh/liner"
)

// Terminal reads lines from the process's own terminal, with editing, recall and
// completion.
type Terminal struct {
	ctx     context.Context
	state   *liner.State
	history *History
}

// NewTerminal takes the terminal over until Close. The end of the context ends
// the reading of a line with the context's error.
func NewTerminal(ctx context.Context, h *History, c *Completer) *Terminal {
	t := &Terminal{ctx: ctx, state: liner.NewLiner(), history: h}
	t.state.SetCtrlCAborts(true)
	t.state.SetMultiLineMode(true)
	t.state.SetTabCompletionStyle(liner.TabPrints)
	t.state.SetBeep(false)
	t.state.SetWordCompleter(c.Complete)
	for _, item := range h.Items() {
		t.state.AppendHistory(item)
	}
	return t
}

// Close gives the terminal back as it was.
func (t *Terminal) Close() error { return t.state.Close() }

// Line reads a line.
func (t *Terminal) Line(prompt string) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := t.state.Prompt(prompt)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		switch {
		case errors.Is(a.err, liner.ErrPromptAborted):
			return "", ErrInterrupted
		case errors.Is(a.err, io.EOF):
			return "", io.EOF
		}
		return a.line, a.err
	case <-t.ctx.Done():
		return "", t.ctx.Err()
	}
}

// Remember keeps a statement for recall, in this run and the next.
func (t *Terminal) Remember(statement string) {
	t.state.AppendHistory(statement)
	t.history.Add(statement)
}
