package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trailscan/query"
)

// version is what `trailscan --version` prints, a case records and AWS sees in
// the user agent.
const version = "0.1.0"

// app is one command line: its streams and the flags that commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string

	caseFile         string
	threads          int
	memoryLimit      string
	quiet            bool
	noProgress       bool
	since, until     string
	compromisedSince string
	format, output   string
	timezone         string
	failOn           string
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "trailscan",
		Short:         "What a leaked AWS access key did, what descends from it, and what shuts it out",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(
		a.investigateCommand(),
		a.ingestCommand(),
		a.traceCommand(),
		a.scanCommand(),
		a.timelineCommand(),
		a.planCommand(),
		a.reportCommand(),
		a.coverageCommand(),
		a.exportCommand(),
		a.verifyCommand(),
		a.queryCommand(),
		a.rulesCommand(),
	)
	for _, cmd := range root.Commands() {
		wrapArgErrors(cmd)
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("unknown command %q: see `trailscan --help`", args[0])
		}
		return nil
	}
	return root
}

// wrapArgErrors makes wrong arguments of a command and its subcommands a usage
// error.
func wrapArgErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w: see `%s --help`", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgErrors(sub)
	}
}

func (a *app) caseFlags(f *pflag.FlagSet) {
	path := os.Getenv("TRAILSCAN_CASE")
	if path == "" {
		path = "case.duckdb"
	}
	f.StringVar(&a.caseFile, "case", path, "case `FILE` (environment: TRAILSCAN_CASE)")
	a.resourceFlags(f)
}

func (a *app) resourceFlags(f *pflag.FlagSet) {
	f.IntVar(&a.threads, "threads", 0, "`N` threads to use (default: all cores)")
	f.StringVar(&a.memoryLimit, "memory-limit", "", "memory that the database may use: a `SIZE` such as 800MB")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print nothing but errors and asked-for data")
}

func (a *app) progressFlags(f *pflag.FlagSet) {
	f.BoolVar(&a.noProgress, "no-progress", false, "no progress on the terminal")
}

func (a *app) timeFlags(f *pflag.FlagSet) {
	f.StringVar(&a.since, "since", "", "only events from this `TIME` on: RFC 3339, a date, or an age such as 30d")
	f.StringVar(&a.until, "until", "", "only events before this `TIME`")
}

func (a *app) compromisedFlag(f *pflag.FlagSet) {
	f.StringVar(&a.compromisedSince, "compromised-since", "", "`TIME` when the key fell into other hands (default: inferred)")
}

func (a *app) outputFlags(f *pflag.FlagSet, formats ...string) {
	f.StringVar(&a.format, "format", "", "`FORMAT`: "+strings.Join(formats, "|")+" (default: by the ending of -o, else "+formats[0]+")")
	f.StringVarP(&a.output, "output", "o", "", "`FILE` to write to (default: standard output)")
	a.timezoneFlag(f)
}

func (a *app) timezoneFlag(f *pflag.FlagSet) {
	f.StringVar(&a.timezone, "timezone", "UTC", "`ZONE` of the times shown to people, e.g. Europe/Berlin")
}

func (a *app) failOnFlag(f *pflag.FlagSet) {
	f.StringVar(&a.failOn, "fail-on", "", "exit with 3 when a finding reaches this `SEVERITY`: critical|high|medium|low|info")
}

// maxThreads is more than any machine gains from; far more cannot be started.
const maxThreads = 1024

// openCase opens the case for a command; the caller closes it.
func (a *app) openCase(ctx context.Context, mode query.Mode) (*query.Case, error) {
	if a.caseFile == "" {
		return nil, usagef("--case is empty: name a case file")
	}
	if a.threads < 0 || a.threads > maxThreads {
		return nil, usagef("--threads %d: must be from 1 to %d", a.threads, maxThreads)
	}
	if err := checkMemoryLimit(a.memoryLimit); err != nil {
		return nil, err
	}
	return query.Open(ctx, a.caseFile, query.Options{
		Mode: mode, Threads: a.threads, MemoryLimit: a.memoryLimit, Version: version,
	})
}

// withCase runs f with the case open and closes it, keeping the first error.
// A command that changes the case is recorded in it.
func (a *app) withCase(ctx context.Context, mode query.Mode, f func(*query.Case) error) (err error) {
	c, err := a.openCase(ctx, mode)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := c.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close case %s: %w", a.caseFile, cerr)
		}
	}()
	if mode != query.ReadOnly {
		if err := c.Log(ctx, version, a.args); err != nil {
			return err
		}
	}
	return f(c)
}

// allFormats are those that the ending of --output names in some command.
var allFormats = []string{"json", "ndjson", "csv", "md", "html", "sh", "dot", "mermaid", "sarif", "ocsf", "navigator"}

// endings are those of files whose format has another name.
var endings = map[string]string{"gv": "dot", "mmd": "mermaid"}

// outputFormat is the format asked for: --format, else the ending of --output,
// else the first of those that the command has.
func (a *app) outputFormat(formats ...string) (string, error) {
	if a.format != "" {
		name := strings.ToLower(a.format)
		if !slices.Contains(formats, name) {
			return "", usagef("--format %s: must be one of %s: %s", a.format, strings.Join(formats, ", "), didYouMean(name, formats))
		}
		return name, nil
	}
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(a.output), "."))
	if name := endings[ext]; name != "" {
		ext = name
	}
	switch {
	case slices.Contains(formats, ext):
		return ext, nil
	case slices.Contains(allFormats, ext):
		return "", usagef("-o %s: this command does not write %s: use an ending or a --format of %s", a.output, ext, strings.Join(formats, ", "))
	}
	return formats[0], nil
}

// writeOutput gives write the place where --output points. A file appears
// whole or not at all.
func (a *app) writeOutput(write func(io.Writer) error) error {
	if a.output == "" || a.output == "-" {
		w := bufio.NewWriter(a.stdout)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}
	return writeFile(a.output, write)
}

// say prints a line for the person at the terminal, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

func (a *app) location() (*time.Location, error) {
	zone, err := time.LoadLocation(a.timezone)
	if err != nil {
		return nil, usagef("--timezone %s: unknown zone: use a name such as Europe/Berlin", a.timezone)
	}
	return zone, nil
}

// show is how a command's output is to look: its format and the zone of the
// times in it.
func (a *app) show(formats ...string) (string, *time.Location, error) {
	format, err := a.outputFormat(formats...)
	if err != nil {
		return "", nil, err
	}
	zone, err := a.location()
	return format, zone, err
}

// reachesFailOn gives errFindings when the worst finding is as severe as
// --fail-on.
func (a *app) reachesFailOn(shown shown) error {
	if a.failOn == "" {
		return nil
	}
	limit, err := parseSeverity("fail-on", a.failOn)
	if err != nil {
		return err
	}
	if shown.written > 0 && shown.worst >= limit {
		return errFindings
	}
	return nil
}

// checkFailOn refuses a --fail-on that cannot be meant before work begins.
func (a *app) checkFailOn(flags *pflag.FlagSet) error {
	if err := refuseEmpty(flags, "fail-on"); err != nil || a.failOn == "" {
		return err
	}
	_, err := parseSeverity("fail-on", a.failOn)
	return err
}
