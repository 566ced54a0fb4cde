package main

import (
	"io"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
)

func (a *app) timelineCommand() *cobra.Command {
	var f reports.Filter
	cmd := &cobra.Command{
		Use:   "timeline",
		Short: "The events in order, one line each",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			for _, filter := range []struct {
				flag   string
				values []string
			}{{"--key", f.Keys}, {"--principal", f.Principals}, {"--ip", f.IPs}} {
				if err := checkNames(filter.flag, filter.values); err != nil {
					return err
				}
			}
			format, zone, err := a.show("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			if f.Since, f.Until, err = a.timeRange(); err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				var n int
				err := a.writeOutput(func(w io.Writer) (err error) {
					n, err = reports.WriteTimeline(ctx, w, format, c, f, zone)
					return err
				})
				if err == nil && n == 0 {
					a.say("trailscan: no event of %s matches", c.Path)
				}
				return err
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.timeFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), "table", "json", "ndjson", "csv")
	cmd.Flags().StringArrayVar(&f.Keys, "key", nil, "only events made with the access `KEY`; may be repeated")
	cmd.Flags().StringArrayVar(&f.Principals, "principal", nil, "only events of the principal `ARN`; may be repeated")
	cmd.Flags().StringArrayVar(&f.IPs, "ip", nil, "only events from the `ADDRESS`; may be repeated")
	cmd.Flags().BoolVar(&f.Lineage, "lineage", false, "only events of the traced lineage")
	return cmd
}
