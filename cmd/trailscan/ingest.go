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
	var from sourceFlags
	cmd := &cobra.Command{
		Use:   "ingest SOURCE…",
		Short: "Load CloudTrail logs into the case",
		Long: `Load CloudTrail logs into the case. A SOURCE is a file, a folder (walked),
s3://BUCKET/PREFIX, lookup-events: (the event history of the account, by the
CloudTrail API) or - (standard input). The format of a file is found by its
content: Records arrays, newline-delimited records, and what queries, SIEMs and
archives make of them; docs/formats.md lists the forms. A source that the case
holds already is not loaded twice.

--account, --region, --since and --until choose files by what their paths say,
in folders and in buckets (AWSLogs/ACCOUNT/CloudTrail/REGION/yyyy/mm/dd/); what
they leave out is not even listed. A file that is chosen is loaded whole.`,
		Example: `  trailscan ingest s3://my-trail-bucket --account 111122223333 --since 30d
  trailscan ingest lookup-events: --since 2026-09-28`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, sources []string) error {
			ctx := cmd.Context()
			if err := checkSources(sources); err != nil {
				return err
			}
			o, err := from.options()
			if err != nil {
				return err
			}
			if o.Filter.Since, o.Filter.Until, err = a.timeRange(); err != nil {
				return err
			}
			return a.withCase(ctx, query.Create, func(c *query.Case) error {
				summary, err := a.load(ctx, c, sources, o, strict)
				if summary != nil && !a.quiet {
					err = errors.Join(err, reports.IngestSummary(a.stdout, summary))
				}
				return err
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.progressFlags(cmd.Flags())
	from.add(cmd.Flags())
	from.addKeep(cmd.Flags())
	cmd.Flags().StringVar(&a.since, "since", "", "only logs from this `TIME` on: RFC 3339, a date, or an age such as 30d")
	cmd.Flags().StringVar(&a.until, "until", "", "only logs of events before this `TIME`")
	cmd.Flags().BoolVar(&strict, "strict", false, "fail when anything of a source cannot be read")
	return cmd
}

// maxWarnings is how many sources of a kind are named one by one.
const maxWarnings = 10

// load reads sources into the case, showing progress, and warns of damage or,
// with strict, fails because of it.
func (a *app) load(ctx context.Context, c *query.Case, sources []string, o ingest.Options, strict bool) (*ingest.Summary, error) {
	o.Stdin, o.Threads = a.stdin, a.threads
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
