package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/reports"
	"trailscan/rules"
)

func (a *app) scanCommand() *cobra.Command {
	var from sigmaFlags
	var timing bool
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Run the detection rules over the case",
		Long: `Run the detection rules over the case, store the findings in it and print them.
Findings of a traced key's lineage are marked.

--sigma adds Sigma rules about CloudTrail. One that cannot be compiled is named
with its file, line and reason, and the others run; so is one whose SQL fails.

--timing tells what each rule and the shared work took, in milliseconds. Rules
that one query ran share its time evenly (~).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			format, zone, err := a.show("table", "json", "ndjson", "csv")
			if err != nil {
				return err
			}
			since, until, err := a.timeRange()
			if err != nil {
				return err
			}
			if err := a.checkFailOn(); err != nil {
				return err
			}
			added, refused, err := from.load(a)
			if err != nil {
				return err
			}
			return a.withCase(ctx, query.ReadWrite, func(c *query.Case) error {
				var took []rules.Timing
				findings, _, err := rules.Scan(ctx, c, append(rules.Pack(), added...), rules.Options{
					Since: since, Until: until, Refused: refused,
					Observe: func(t rules.Timing) {
						a.sayIfFailed(t)
						took = append(took, t)
					},
				})
				if err != nil {
					return err
				}
				if timing {
					if err := reports.TimingTable(a.stderr, took); err != nil {
						return err
					}
				}
				err = a.writeOutput(func(w io.Writer) error {
					return reports.WriteFindings(w, format, findings, zone)
				})
				if err != nil {
					return err
				}
				if err := a.sayIfNone(ctx, c, since, until); err != nil {
					return err
				}
				if len(findings) == 0 {
					a.say("trailscan: no rule found anything in the events of %s", c.Path)
				}
				return a.reachesFailOn(findings)
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.timeFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), "table", "json", "ndjson", "csv")
	a.failOnFlag(cmd.Flags())
	from.add(cmd.Flags())
	cmd.Flags().BoolVar(&timing, "timing", false, "tell on standard error what each rule and the work for all of them took")
	return cmd
}

// sayIfFailed tells of a rule whose SQL the database refuses.
func (a *app) sayIfFailed(t rules.Timing) {
	if t.Err != nil {
		reason, _, _ := strings.Cut(t.Err.Error(), "\n")
		a.say("trailscan: rule %s is not assessed, for its SQL fails: %s", reports.Terminal(t.Rule), reports.Terminal(reason))
	}
}
