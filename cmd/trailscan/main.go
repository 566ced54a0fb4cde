// Command trailscan answers what a leaked AWS access key could do and did, what
// descends from it, and what undoes that, from exported CloudTrail logs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"trailscan/reports"
)

// Exit statuses: what a script can rely on.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitFindings = 3 // done, and findings reach --fail-on
)

func main() {
	restrictUmask()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C does not wait for the first to be obeyed.
	context.AfterFunc(ctx, stop)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run carries out one command line and gives its exit status. Errors are
// printed here and nowhere else.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, args: args}
	root := a.rootCommand()
	root.SetArgs(commentsLast(args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)

	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.As(err, &usage):
		printError(stderr, "", err)
		return exitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		printError(stderr, "interrupted: ", err)
		return exitFailed
	default:
		printError(stderr, "", err)
		return exitFailed
	}
}

// printError prints an error, a line each of those joined. It may quote logs, the
// names of files and answers of servers.
func printError(w io.Writer, kind string, err error) {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = reports.Terminal(line)
	}
	fmt.Fprintf(w, "trailscan: %s%s\n", kind, strings.Join(lines, "\n"))
}

// errFindings says that findings reach --fail-on; they have been shown.
var errFindings = errors.New("findings reach --fail-on")

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}
