package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"trailscan/remediate"
	"trailscan/reports"
)

// apply carries a plan out: it shows what will be done and what has no way
// back, asks, and reports how each action ended.
func (a *app) apply(ctx context.Context, plan *remediate.Plan, f planFlags) error {
	actions, err := plan.Select(f.only)
	if err != nil {
		return usageError{err}
	}
	file := f.file
	if file == "" {
		// The plan that is carried out is kept, so that the journal beside it
		// can be read with it and the run can go on later.
		if file = a.output; file == "" {
			file = "plan-" + fileName(strings.Join(plan.Keys, "-")) + ".json"
		}
		if err := writeFile(file, plan.Write); err != nil {
			return err
		}
		a.say("trailscan: the plan is in %s", file)
	}
	e, err := a.executor(ctx, f, remediate.JournalPath(file))
	if err != nil {
		return err
	}
	who, err := e.Identify(ctx, plan)
	if err != nil {
		return err
	}

	fmt.Fprintf(a.stdout, "These actions run as %s:\n\n", reports.Terminal(who.ARN))
	for _, action := range actions {
		fmt.Fprintf(a.stdout, "  %-9s %s\n            %s\n", action.Phase, reports.Terminal(action.Title), reports.Terminal(action.CLI))
	}
	if lost := remediate.Irreversible(actions); len(lost) > 0 {
		fmt.Fprintf(a.stdout, "\nNothing takes these back:\n\n")
		for _, action := range lost {
			fmt.Fprintf(a.stdout, "  %s: %s\n", action.ID, reports.Terminal(action.Title))
		}
	}
	fmt.Fprintln(a.stdout)
	if who.IsRoot() {
		a.say("trailscan: warning: these are the root user's credentials: use an administrator's instead")
	}
	if err := a.confirm(who.AccountID, f.yes); err != nil {
		return err
	}
	report, err := e.Apply(ctx, plan, f.only)
	return a.finish(report, err, "the journal is "+e.Journal)
}

// rollback takes back what a journal says was done.
func (a *app) rollback(ctx context.Context, f planFlags) error {
	text, err := os.ReadFile(f.rollback)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	undo, stays, err := remediate.ReadJournal(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", f.rollback, err)
	}
	if len(undo) == 0 {
		a.say("trailscan: %s shows nothing that could be taken back", f.rollback)
		return nil
	}
	e, err := a.executor(ctx, f, f.rollback)
	if err != nil {
		return err
	}
	who, err := e.IdentifyRollback(ctx, bytes.NewReader(text))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "These calls are taken back as %s:\n\n", reports.Terminal(who.ARN))
	for _, call := range undo {
		fmt.Fprintf(a.stdout, "  %s  %s:%s\n", reports.Terminal(call.Action), reports.Terminal(call.Service), reports.Terminal(call.Operation))
	}
	if len(stays) > 0 {
		fmt.Fprintf(a.stdout, "\nThese have no way back:\n\n")
		for _, call := range stays {
			fmt.Fprintf(a.stdout, "  %s  %s:%s\n", reports.Terminal(call.Action), reports.Terminal(call.Service), reports.Terminal(call.Operation))
		}
	}
	fmt.Fprintln(a.stdout)
	if err := a.confirm(who.AccountID, f.yes); err != nil {
		return err
	}
	report, err := e.Rollback(ctx, f.rollback)
	return a.finish(report, err, "the journal is "+f.rollback)
}

// executor makes what calls AWS and shows how each action ends.
func (a *app) executor(ctx context.Context, f planFlags, journal string) (*remediate.Executor, error) {
	caller, err := remediate.NewAWS(ctx, remediate.AWSOptions{
		Profile: f.profile, Region: f.region, Endpoint: f.endpoint, Version: version,
	})
	if err != nil {
		return nil, err
	}
	return &remediate.Executor{
		Caller:  caller,
		Journal: journal,
		Secrets: a.stdout,
		Progress: func(o remediate.Outcome) {
			line := fmt.Sprintf("%-13s %s", strings.ReplaceAll(string(o.Status), "_", " "), o.Action)
			if o.Message != "" {
				line += ": " + o.Message
			}
			fmt.Fprintln(a.stdout, reports.Terminal(line))
		},
	}, nil
}

// confirm asks for the account id to be typed, so that nobody changes another
// account than the one they think of.
func (a *app) confirm(account string, yes bool) error {
	if yes {
		return nil
	}
	fmt.Fprintf(a.stderr, "Type the account id (%s) to go on: ", account)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(line) != account {
		return errors.New("not confirmed: nothing was called (--yes goes on without asking)")
	}
	return nil
}

// finish sums a run up and makes its failures the command's.
func (a *app) finish(report *remediate.Report, err error, where string) error {
	if report == nil {
		return err
	}
	count := map[remediate.Status]int{}
	for _, o := range report.Outcomes {
		count[o.Status]++
	}
	fmt.Fprintf(a.stdout, "\n%d done, %d done before, %d failed, %d met another state, %d blocked, %d not executed; %s\n",
		count[remediate.Done], count[remediate.AlreadyDone], count[remediate.Failed],
		count[remediate.Drift], count[remediate.Blocked], count[remediate.NotExecuted], where)
	if err == nil && report.Failed() {
		err = errors.New("not all actions could be carried out: see above, mend the cause and run the same command again")
	}
	return err
}
