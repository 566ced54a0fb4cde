package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"golang.org/x/term"

	"trailscan/query"
	"trailscan/query/shell"
	"trailscan/query/trino"
	"trailscan/reports"
)

// shell opens the prompt at which one statement after the other is asked.
func (a *app) shell(ctx context.Context, q queryFlags, names trino.Options, look reports.AnswerLook) error {
	// A case that cannot be opened is told before the prompt, not after.
	c, err := a.openCase(ctx, query.ReadOnly)
	if err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	history, err := shell.OpenHistory(shell.HistoryFile())
	if err != nil {
		a.say("trailscan: %s", reports.Terminal(err.Error()))
	}
	modes := slices.DeleteFunc(slices.Clone(reports.AnswerFormats), func(f string) bool { return f == "parquet" })
	if a.format != "" && slices.Contains(modes, a.format) {
		modes = append([]string{a.format}, slices.DeleteFunc(modes, func(f string) bool { return f == a.format })...)
	}
	read := func(ctx context.Context) (*query.Case, error) { return a.openCase(ctx, query.ReadOnly) }

	// Ctrl-C ends a statement, not the program.
	signal.Reset(os.Interrupt)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	terminal := shell.NewTerminal(ctx, history, &shell.Completer{Open: read, Modes: modes})
	defer terminal.Close()
	a.say("trailscan %s on %s. A statement ends with a semicolon; .help tells more, Ctrl-D ends.", version, reports.Terminal(a.caseFile))
	s := &shell.Shell{
		Lines: terminal, Out: a.stdout, Err: a.stderr, Modes: modes,
		Tables: names, Clean: reports.Terminal, Interrupts: interrupts, Pager: a.pager(), Height: terminalHeight,
		Open: func(ctx context.Context, st query.Statement) (*query.Case, error) {
			if !q.write || st.Reads() {
				return read(ctx)
			}
			c, err := a.openCase(ctx, query.ReadWrite)
			if err != nil {
				return nil, err
			}
			if err := c.Log(ctx, version, append(slices.Clone(a.args), "--", st.Text)); err != nil {
				c.Close()
				return nil, err
			}
			return c, nil
		},
		Write: func(w io.Writer, mode string, answer *query.Answer) error {
			look.Width = terminalWidth()
			return reports.WriteAnswer(w, mode, answer, look)
		},
	}
	err = s.Run(ctx)
	fmt.Fprintln(a.stdout)
	return err
}

// pager runs $PAGER, or less, which shows what fits on the screen at once without
// being asked.
func (a *app) pager() func(io.Reader) error {
	command := os.Getenv("PAGER")
	if command == "" {
		if _, err := exec.LookPath("less"); err != nil {
			return nil
		}
		command = "less"
	}
	if command == "cat" {
		return nil
	}
	return func(text io.Reader) error {
		cmd := exec.Command("sh", "-c", command)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = text, a.stdout, a.stderr
		cmd.Env = os.Environ()
		if os.Getenv("LESS") == "" {
			cmd.Env = append(cmd.Env, "LESS=FSX")
		}
		err := cmd.Run()
		// The shell's statuses for what it cannot run and for what is not there.
		if code := cmd.ProcessState.ExitCode(); err != nil && (cmd.ProcessState == nil || code == 126 || code == 127) {
			return fmt.Errorf("run the pager %s: %w", command, shell.ErrNoPager)
		}
		return nil // leaving it early is no error
	}
}

// atTerminal tells whether a person types and sees what happens.
func (a *app) atTerminal() bool { return isTerminal(a.stdin) && isTerminal(a.stdout) }

func terminalWidth() int {
	width, _ := terminalSize()
	return width
}

func terminalHeight() int {
	_, height := terminalSize()
	return height
}

// terminalSize is that of standard output, or what most terminals have.
func terminalSize() (width, height int) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
