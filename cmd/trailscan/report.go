package main

import (
	"io"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/remediate"
	"trailscan/reports"
)

func (a *app) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "The report of a case",
		Long: `The report of a case, from what it holds: what trace and scan have stored, and the
plan that follows from it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			format, zone, err := a.show("md", "html", "json")
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				incident, err := reports.Load(ctx, c)
				if err != nil {
					return err
				}
				if incident.Lineage != nil {
					if incident.Plan, err = remediate.NewPlan(ctx, c, incident.Lineage); err != nil {
						return err
					}
				}
				return a.writeOutput(func(w io.Writer) error {
					switch format {
					case "html":
						return reports.HTML(w, incident, zone)
					case "json":
						return reports.JSON(w, incident)
					}
					return reports.Markdown(w, incident, zone)
				})
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), "md", "html", "json")
	return cmd
}
