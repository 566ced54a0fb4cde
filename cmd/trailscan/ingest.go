package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"
	"trailscan/ingest"
	"trailscan/query"
	"trailscan/reports"
)

func (a *app) ingestCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "ingest SOURCE…",
		Short: "Load CloudTrail logs into the case",
		Long: `Load CloudTrail logs into the case. A SOURCE is a file, a folder (walked) or -
(standard input); its format is found by its content: Records arrays,
newline-delimited records, and what queries, SIEMs and archives make of them;
docs/formats.md lists the forms.
A source that the case holds already is not loaded twice.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, sources []string) error {
			ctx := cmd.Context()
			if err := checkNames("SOURCE", sources); err != nil {
				return err
			}
			return a.withCase(ctx, query.Create, func(c *query.Case) error {
				summary, err := a.load(ctx, c, sources, strict)
				if summary != nil && !a.quiet {
					err = errors.Join(err, reports.IngestSummary(a.stdout, summary))
				}
				return err
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.progressFlags(cmd.Flags())
	cmd.Flags().BoolVar(&strict, "strict", false, "fail when anything of a source cannot be read")
	return cmd
}

// maxWarnings is how many sources of a kind are named one by one.
const maxWarnings = 10

// load reads sources into the case, showing progress, and warns of damage or,
// with strict, fails because of it.
func (a *app) load(ctx context.Context, c *query.Case, sources []string, strict bool) (*ingest.Summary, error) {
	o := ingest.Options{Stdin: a.stdin, Threads: a.threads}
	if !a.quiet && !a.noProgress && isTerminal(a.stderr) {
		line := newProgressLine(a.stderr)
		o.Progress = line.show
		defer line.clear()
	}
	summary, err := ingest.Load(ctx, c, sources, o)
	if err != nil {
		return summary, err
	}
	bad := slices.Concat(summary.Damaged, summary.Unreadable)
	a.name("warning", bad)
	a.name("passed over", slices.Concat(summary.Foreign, summary.Skipped))
	if strict && len(bad) > 0 {
		return summary, errors.New("sources are damaged, and --strict was given: what could be read is in the case, the rest in its rejects table")
	}
	return summary, nil
}

// name tells of sources one by one, as far as that helps.
func (a *app) name(what string, sources []ingest.Problem) {
	for i, s := range sources {
		if i == maxWarnings {
			a.say("trailscan: %s: %d more; the table sources has them all", what, len(sources)-i)
			return
		}
		a.say("trailscan: %s: %s", what, reports.Terminal(s.URI+": "+s.Reason))
	}
}
