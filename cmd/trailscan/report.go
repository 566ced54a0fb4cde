package main

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"trailscan/query"
	"trailscan/remediate"
	"trailscan/reports"
	"trailscan/rules"
)

// documentFormats are the forms of the whole report; the others are of its
// findings alone.
var documentFormats = []string{"md", "html", "json"}

func (a *app) reportCommand() *cobra.Command {
	var narrow filterFlags
	var from sigmaFlags
	formats := append(slices.Clone(documentFormats), "sarif", "ocsf", "navigator", "csv", "ndjson")
	cmd := &cobra.Command{
		Use:   "report",
		Short: "The report of a case",
		Long: `The report of a case, from what it holds: what trace and scan have stored, and the
plan that follows from it.

The formats sarif, ocsf, navigator, csv and ndjson write the findings alone, as scan
does; --rule, --exclude, --tactic and --min-severity narrow those.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			format, zone, err := a.show(formats...)
			if err != nil {
				return err
			}
			added, _, err := from.load(a)
			if err != nil {
				return err
			}
			pack := append(rules.Pack(), added...)
			wanted, err := narrow.compile(pack)
			if err != nil {
				return err
			}
			document := slices.Contains(documentFormats, format)
			if document && wanted.asked != "" {
				return usagef("%s: the whole report is not narrowed: use a --format of findings, such as sarif or csv", wanted.asked)
			}
			return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
				if document {
					return a.writeReport(ctx, c, wanted.attack, format, zone)
				}
				assessments, err := rules.Assessments(ctx, c)
				if err != nil {
					return err
				}
				if len(assessments) == 0 {
					a.say("trailscan: %s was not scanned: run `trailscan scan` first", c.Path)
				}
				_, err = a.writeFindings(ctx, c, assessments, pack, wanted, format, zone)
				return err
			})
		},
	}
	a.caseFlags(cmd.Flags())
	a.outputFlags(cmd.Flags(), formats...)
	narrow.add(cmd.Flags())
	from.add(cmd.Flags())
	return cmd
}

func (a *app) writeReport(ctx context.Context, c *query.Case, v rules.AttackVersion, format string, zone *time.Location) error {
	incident, err := reports.Load(ctx, c)
	if err != nil {
		return err
	}
	incident.Findings = v.Findings(incident.Findings)
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
}
