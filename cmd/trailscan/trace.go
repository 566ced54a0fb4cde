package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/reports"
)

func (a *app) traceCommand() *cobra.Command {
	var allUse bool
	var asOf string
	cmd := &cobra.Command{
		Use:   "trace KEY…",
		Short: "Find every credential and principal that descends from a key",
		Long: `Find every credential and principal that descends from a key, store them in the
case and print them as a tree. KEY is an access key id or a principal's ARN.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, keys []string) error {
			ctx := cmd.Context()
			if err := checkNames("KEY", keys); err != nil {
				return err
			}
			format, zone, err := a.show("table", "json")
			if err != nil {
				return err
			}
			o, err := a.traceOptions(allUse, asOf)
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadWrite, func(c *query.Case) error {
				l, err := lineage.Trace(ctx, c, keys, o)
				if err != nil {
					return err
				}
				a.sayIfUnused(l)
				return a.writeOutput(func(w io.Writer) error {
					if format == "json" {
						return reports.JSON(w, l)
					}
					return reports.LineageTree(w, l, zone)
				})
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.compromisedFlag(cmd.Flags())
	a.outputFlags(cmd.Flags(), "table", "json")
	cmd.Flags().BoolVar(&allUse, "all-use", false, "follow the owner's own use of the key too")
	cmd.Flags().StringVar(&asOf, "as-of", "", "`TIME` at which a credential counts as alive or not (default: the end of the logs)")
	return cmd
}

func (a *app) traceOptions(allUse bool, asOf string) (lineage.Options, error) {
	now := time.Now()
	since, err := parseTime("compromised-since", a.compromisedSince, now)
	if err != nil {
		return lineage.Options{}, err
	}
	end, err := parseTime("as-of", asOf, now)
	if err != nil {
		return lineage.Options{}, err
	}
	return lineage.Options{CompromisedSince: since, AllUse: allUse, AsOf: end}, nil
}
