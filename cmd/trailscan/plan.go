package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
	"trailscan/reports"
)

// planFlags are the flags of `trailscan plan` alone.
type planFlags struct {
	apply    bool
	file     string
	rollback string
	only     []string
	yes      bool
	profile  string
	region   string
	endpoint string
	proofFlags
}

// planFormats are the forms of a plan: for a person at a terminal, for --apply,
// for other tools, to be carried out by hand, and, the last two, one page for
// those who decide, in Markdown and in HTML.
var planFormats = []string{"table", "json", "ndjson", "csv", "md", "sh", "summary", "html"}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan [KEY…]",
		Short: "The way to shut the intruder out and clean up; --apply carries it out",
		Long: `Write the plan that shuts the intruder out of what descends from KEY and cleans up:
the API calls in order, each with its reason, its risk and its way back. Nothing is
called without --apply. KEY must have been traced (` + "`trailscan trace KEY`" + `).

--format md writes a runbook with check boxes, sh a script of aws commands, summary or
html one page for those who decide.

--apply runs the automatic actions: reversible ones that delete nothing. Actions of
mode review run only when --only names them; manual ones are yours. What apply reads
and does goes into a journal beside the plan, which --rollback takes back.

--prove replays the log against the plan, as if its denials had stood since the
compromise (or --at TIME): which of the intruder's calls they would have blocked,
which not and why, which calls of others too, and which credentials live on.
--check looks at a later export, loaded into the case: whether anything of the
lineage acted after it was contained, or a deny of ours was taken off. It exits
with 3 when something did.`,
		Example: `  trailscan plan AKIAIOSFODNN7EXAMPLE -o plan.json
  trailscan plan AKIAIOSFODNN7EXAMPLE -o plan.md
  trailscan plan --plan plan.json --prove
  trailscan plan --plan plan.json --apply
  trailscan plan --plan plan.json --check
  trailscan plan --rollback plan.journal.ndjson`,
		RunE: func(cmd *cobra.Command, keys []string) error {
			return a.plan(cmd.Context(), keys, f)
		},
	}
	flags := cmd.Flags()
	a.caseFlags(flags)
	a.outputFlags(flags, planFormats...)
	flags.BoolVar(&f.apply, "apply", false, "carry the plan out")
	flags.StringVar(&f.file, "plan", "", "a reviewed plan `FILE`, in place of a new plan for KEY")
	flags.StringVar(&f.rollback, "rollback", "", "take back what the journal `FILE` says was done")
	flags.StringArrayVar(&f.only, "only", nil, "run exactly the action `ID`, auto or review; may be repeated")
	flags.BoolVar(&f.yes, "yes", false, "do not ask for the account id to be typed")
	flags.StringVar(&f.profile, "profile", "", "AWS `PROFILE` to use")
	flags.StringVar(&f.region, "region", "", "AWS `REGION` in place of those that the plan names")
	flags.StringVar(&f.endpoint, "endpoint-url", "", "`URL` in place of AWS's endpoints")
	f.proofFlags.add(flags)
	return cmd
}

func (a *app) plan(ctx context.Context, keys []string, f planFlags) error {
	switch {
	case f.rollback != "" && (f.apply || f.file != "" || len(keys) > 0 || len(f.only) > 0):
		return usagef("--rollback goes with no KEY, --plan, --apply or --only: the journal says all")
	case f.rollback != "":
		return a.rollback(ctx, f)
	case f.file != "" && len(keys) > 0:
		return usagef("give a KEY or --plan FILE, not both")
	case f.file == "" && len(keys) == 0:
		return usagef("say which: a KEY that was traced, --plan FILE or --rollback FILE")
	case !f.apply && (len(f.only) > 0 || f.yes):
		return usagef("--only and --yes go with --apply")
	}
	if err := f.checkProof(f); err != nil {
		return err
	}
	if err := checkNames("KEY", keys); err != nil {
		return err
	}
	format, zone, err := a.show(planFormats...)
	if err != nil {
		return err
	}
	if f.prove || f.check {
		return a.proveOrCheck(ctx, keys, f, format, zone)
	}
	plan, err := a.newOrReviewedPlan(ctx, keys, f.file)
	if err != nil {
		return err
	}
	if f.apply {
		return a.apply(ctx, plan, f)
	}
	if format == "summary" || format == "html" {
		return a.writeDecision(ctx, plan, format, f.file == "", zone)
	}
	return a.writeOutput(func(w io.Writer) error {
		switch format {
		case "table":
			return reports.PlanTable(w, plan, zone)
		case "json":
			return plan.Write(w)
		case "md":
			return reports.PlanRunbook(w, plan, zone)
		case "sh":
			return reports.PlanScript(w, plan, zone)
		}
		return reports.WritePlan(w, format, plan)
	})
}

// writeDecision writes the page for those who decide, with what the case says
// where there is one.
func (a *app) writeDecision(ctx context.Context, plan *remediate.Plan, format string, hasCase bool, zone *time.Location) error {
	var incident *reports.Incident
	if hasCase {
		if err := a.withCase(ctx, query.ReadOnly, func(c *query.Case) (err error) {
			incident, err = reports.Load(ctx, c)
			return err
		}); err != nil {
			return err
		}
	}
	if strings.EqualFold(filepath.Ext(a.output), ".html") {
		format = "html"
	}
	return a.writeOutput(func(w io.Writer) error { return reports.PlanDecision(w, format, plan, incident, zone) })
}

// newOrReviewedPlan makes a plan from the case or reads one from a file.
func (a *app) newOrReviewedPlan(ctx context.Context, keys []string, file string) (plan *remediate.Plan, err error) {
	if file != "" {
		in, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("open the plan: %w", err)
		}
		defer in.Close()
		if plan, err = remediate.ReadPlan(in); err != nil {
			return nil, fmt.Errorf("plan %s: %w", file, err)
		}
		return plan, nil
	}
	err = a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
		plan, _, err = planOf(ctx, c, keys)
		return err
	})
	return plan, err
}

// planOf makes the plan for keys that were traced in a case.
func planOf(ctx context.Context, c *query.Case, keys []string) (*remediate.Plan, *lineage.Lineage, error) {
	l, err := lineage.Load(ctx, c)
	switch {
	case errors.Is(err, lineage.ErrNotTraced):
		return nil, nil, fmt.Errorf("%w: run `trailscan trace %s` first", err, strings.Join(keys, " "))
	case err != nil:
		return nil, nil, err
	}
	for _, k := range keys {
		if !slices.Contains(l.Keys, k) {
			return nil, nil, fmt.Errorf("the case holds the lineage of %s, not of %s: run `trailscan trace %s` first",
				strings.Join(l.Keys, ", "), k, strings.Join(keys, " "))
		}
	}
	plan, err := remediate.NewPlan(ctx, c, l)
	return plan, l, err
}
