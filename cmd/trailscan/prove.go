package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
	"trailscan/reports"
)

// proofFlags are the flags of plan that look at what it does and did.
type proofFlags struct {
	prove bool
	check bool
	at    string
}

func (f *proofFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.prove, "prove", false, "replay the log against the plan's denials; calls nothing")
	flags.StringVar(&f.at, "at", "", "with --prove, the `TIME` since when the denials stand (default: the compromise)")
	flags.BoolVar(&f.check, "check", false, "with --plan, whether the lineage acted after it was contained; exits with 3 if so")
}

// checkProof refuses flags that cannot be meant together.
func (f proofFlags) checkProof(all planFlags) error {
	switch {
	case (f.prove || f.check) && (all.apply || all.rollback != ""):
		return usagef("--prove and --check read, and go with no --apply or --rollback")
	case f.prove && f.check:
		return usagef("--prove looks at what the plan would do, --check at what was done: give one")
	case f.check && all.file == "":
		return usagef("--check needs the plan that was carried out: --plan FILE")
	case f.at != "" && !f.prove:
		return usagef("--at goes with --prove")
	}
	return nil
}

// proveOrCheck replays the log of the case against a plan, or looks at what came
// after it was carried out.
func (a *app) proveOrCheck(ctx context.Context, keys []string, f planFlags, format string, zone *time.Location) error {
	at, err := parseTime("at", f.at, time.Now())
	if err != nil {
		return err
	}
	var draft *remediate.Plan
	sealed := true
	if f.file != "" {
		if draft, sealed, err = readDraft(f.file); err != nil {
			return err
		}
		if !sealed {
			a.say("trailscan: %s was changed after it was made: it is looked at as it is, and --apply refuses it", f.file)
		}
	}
	if f.check {
		return a.checkPlan(ctx, draft, f.file, format, zone)
	}
	return a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
		var l *lineage.Lineage
		plan := draft
		if plan == nil {
			plan, l, err = planOf(ctx, c, keys)
		} else {
			l, err = lineage.Load(ctx, c)
		}
		if err != nil {
			return err
		}
		proof, err := remediate.Prove(ctx, c, l, plan, remediate.ProveOptions{At: at, Sealed: sealed})
		if err != nil {
			return err
		}
		return a.writeOutput(func(w io.Writer) error { return reports.WriteProof(w, format, proof, zone) })
	})
}

func readDraft(file string) (*remediate.Plan, bool, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, false, fmt.Errorf("open the plan: %w", err)
	}
	defer in.Close()
	plan, sealed, err := remediate.ReadDraft(in)
	if err != nil {
		return nil, false, fmt.Errorf("plan %s: %w", file, err)
	}
	return plan, sealed, nil
}

// checkPlan looks at what the log holds of the time since the plan was carried
// out, by the journal that lies beside it where there is one.
func (a *app) checkPlan(ctx context.Context, plan *remediate.Plan, file, format string, zone *time.Location) error {
	journal, err := os.Open(remediate.JournalPath(file))
	switch {
	case err == nil:
		defer journal.Close()
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("open the journal: %w", err)
	}
	var found *remediate.Aftermath
	err = a.withCase(ctx, query.ReadOnly, func(c *query.Case) error {
		var in io.Reader
		if journal != nil {
			in = journal
		}
		found, err = remediate.CheckAfter(ctx, c, plan, in)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.writeOutput(func(w io.Writer) error { return reports.WriteAftermath(w, format, found, zone) }); err != nil {
		return err
	}
	if !found.Clean {
		return errFindings
	}
	return nil
}
