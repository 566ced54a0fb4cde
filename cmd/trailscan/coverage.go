package main

import (
	"io"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
)

func (a *app) coverageCommand() *cobra.Command {
	formats := []string{"table", "json", "ndjson", "csv", "md"}
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Which accounts, regions, hours and event classes the case holds, and what is missing",
		Long: `Say what the logs of the case can show: for each account and region the first and
the last event, the hours that are silent where it is otherwise busy, the event
classes that are there at all, the fields that CloudTrail cut, and what else is
missing. It needs no digests; what trailscan verify found is told where it has run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			format, zone, err := a.show(formats...)
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				incident, err := reports.LoadCoverage(ctx, c)
				if err != nil {
					return err
				}
				if incident.Totals.Events == 0 {
					a.say("trailscan: %s holds no events: load logs with `trailscan ingest`", c.Path)
				}
				return a.writeOutput(func(w io.Writer) error {
					return reports.WriteCoverage(w, format, incident, zone)
				})
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), formats...)
	return cmd
}
