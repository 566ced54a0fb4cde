package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"trailscan/remediate"
	"trailscan/reports"
)

// apply carries a plan out: it shows what will be done and what has no way
// back, asks, and reports how each action ended.
func (a *app) apply(ctx context.Context, plan *remediate.Plan, f planFlags) error {
	selection, err := selectionOf(plan, f)
	if err != nil {
		return err
	}
	actions, err := plan.Select(selection)
	if err != nil {
		return usageError{err}
	}
	if len(actions) == 0 {
		a.say("trailscan: no automatic action is left to run: what needs a person's word runs by --only")
		return nil
	}
	file := f.file
	if file == "" {
		// The plan that is carried out is kept, so that the journal beside it
		// can be read with it and the run can go on later.
		if file = a.output; file == "" {
			file = "plan-" + fileName(strings.Join(plan.Keys, "-")) + ".json"
		}
		if !f.dryRun {
			if err := writeFile(file, plan.Write); err != nil {
				return err
			}
			a.say("trailscan: the plan is in %s", file)
		}
	}
	e, err := a.executor(ctx, f, remediate.JournalPath(file))
	if err != nil {
		return err
	}
	access, err := e.Identify(ctx, plan, actions)
	if err != nil {
		return err
	}
	if f.dryRun {
		a.showCallers(access, "These actions would run as %s:\n\n")
		report, err := e.DryRun(ctx, plan, selection)
		return a.finish(report, err, dryRun)
	}

	a.showCallers(access, "These actions run as %s:\n\n")
	for _, action := range actions {
		fmt.Fprintf(a.stdout, "  %-9s %s\n            %s\n", action.Phase, reports.Terminal(action.Title), reports.Terminal(action.CLI))
	}
	if lost := remediate.Irreversible(actions); len(lost) > 0 {
		fmt.Fprintf(a.stdout, "\nNothing takes these back:\n\n")
		for _, action := range lost {
			fmt.Fprintf(a.stdout, "  %s: %s\n", reports.Terminal(action.ID), reports.Terminal(action.Title))
		}
	}
	fmt.Fprintln(a.stdout)
	if err := a.confirm(access.Accounts(accountsOf(actions)), f.yes); err != nil {
		return err
	}
	report, err := e.Apply(ctx, plan, selection)
	return a.finish(report, err, "the journal is "+e.Journal)
}

// selectionOf checks the names that a user typed against those of the plan.
func selectionOf(plan *remediate.Plan, f planFlags) (remediate.Selection, error) {
	s := remediate.Selection{Only: f.only, Skip: f.skip}
	names := strings.Split(phaseNames(), "|")
	for _, phase := range f.phases {
		if !slices.Contains(names, phase) {
			return s, usagef("--phase %s: there is no such phase: %s", phase, didYouMean(phase, names))
		}
		s.Phases = append(s.Phases, remediate.Phase(phase))
	}
	var ids []string
	for _, action := range plan.Actions {
		ids = append(ids, action.ID)
	}
	for _, id := range slices.Concat(f.only, f.skip) {
		switch {
		case slices.Contains(ids, id):
		case len(ids) == 0:
			return s, usagef("the plan has no action %q: it is empty", id)
		default:
			return s, usagef("the plan has no action %q: %s", id, didYouMean(id, ids))
		}
	}
	return s, nil
}

func accountsOf(actions []remediate.Action) []string {
	var out []string
	for _, action := range actions {
		if !slices.Contains(out, action.AccountID) {
			out = append(out, action.AccountID)
		}
	}
	slices.Sort(out)
	return out
}

// showCallers says whose credentials are at work, and which accounts are out of
// reach.
func (a *app) showCallers(access remediate.Access, format string) {
	names := []string{access.Caller.ARN}
	for _, role := range access.Roles {
		names = append(names, role.ARN)
	}
	fmt.Fprintf(a.stdout, format, reports.Terminal(strings.Join(names, ", ")))
	for _, account := range slices.Sorted(maps.Keys(access.Closed)) {
		a.say("trailscan: warning: account %s: %s", account, reports.Terminal(access.Closed[account].Error()))
	}
	if access.Caller.IsRoot() {
		a.say("trailscan: warning: these are the root user's credentials: use an administrator's instead")
	}
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
	access, err := e.IdentifyRollback(ctx, bytes.NewReader(text))
	if err != nil {
		return err
	}
	var accounts []string
	a.showCallers(access, "These calls are taken back as %s:\n\n")
	for _, call := range undo {
		fmt.Fprintf(a.stdout, "  %s  %s:%s\n", reports.Terminal(call.Action), reports.Terminal(call.Service), reports.Terminal(call.Operation))
		if !slices.Contains(accounts, call.AccountID) {
			accounts = append(accounts, call.AccountID)
		}
	}
	if len(stays) > 0 {
		fmt.Fprintf(a.stdout, "\nThese have no way back:\n\n")
		for _, call := range stays {
			fmt.Fprintf(a.stdout, "  %s  %s:%s\n", reports.Terminal(call.Action), reports.Terminal(call.Service), reports.Terminal(call.Operation))
		}
	}
	fmt.Fprintln(a.stdout)
	if f.dryRun {
		report, err := e.DryRollback(ctx, f.rollback)
		return a.finish(report, err, dryRun)
	}
	if err := a.confirm(access.Accounts(accounts), f.yes); err != nil {
		return err
	}
	report, err := e.Rollback(ctx, f.rollback)
	return a.finish(report, err, "the journal is "+f.rollback)
}

// sleep waits until a change is visible; nil waits in real time, and tests do not.
var sleep func(context.Context, time.Duration) error

// executor makes what calls AWS and shows how each action ends.
func (a *app) executor(ctx context.Context, f planFlags, journal string) (*remediate.Executor, error) {
	caller, err := remediate.NewAWS(ctx, remediate.AWSOptions{
		Profile: f.profile, Region: f.region, Endpoint: f.endpoint, Version: version,
	})
	if err != nil {
		return nil, err
	}
	return &remediate.Executor{
		Caller:   caller,
		Journal:  journal,
		RoleName: f.role,
		Secrets:  a.stdout,
		Sleep:    sleep,
		Progress: func(o remediate.Outcome) {
			line := fmt.Sprintf("%-13s %s", strings.ReplaceAll(string(o.Status), "_", " "), o.Action)
			if o.Message != "" {
				line += ": " + o.Message
			}
			fmt.Fprintln(a.stdout, reports.Terminal(line))
		},
	}, nil
}

// confirm asks for the account ids to be typed, so that nobody changes another
// account than the one they think of.
func (a *app) confirm(accounts []string, yes bool) error {
	if yes {
		return nil
	}
	in := bufio.NewReader(a.stdin)
	for _, account := range accounts {
		fmt.Fprintf(a.stderr, "Type the account id (%s) to go on: ", account)
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
		if strings.TrimSpace(line) != account {
			return errors.New("not confirmed: nothing was called (--yes goes on without asking)")
		}
	}
	return nil
}

// dryRun stands in place of the journal's path.
const dryRun = "a dry run: nothing was called or written"

// finish sums a run up and makes its failures the command's.
func (a *app) finish(report *remediate.Report, err error, where string) error {
	if report == nil {
		return err
	}
	count := map[remediate.Status]int{}
	for _, o := range report.Outcomes {
		count[o.Status]++
	}
	first := fmt.Sprintf("%d done", count[remediate.Done])
	if n := count[remediate.WouldDo]; n > 0 {
		first = fmt.Sprintf("%d would be done", n)
	}
	fmt.Fprintf(a.stdout, "\n%s, %d done before, %d failed, %d met another state, %d blocked, %d not executed; %s\n",
		first, count[remediate.AlreadyDone], count[remediate.Failed],
		count[remediate.Drift], count[remediate.Blocked], count[remediate.NotExecuted], where)
	switch {
	case err != nil || !report.Failed():
	case where == dryRun:
		err = errors.New("not all actions would be carried out: see above")
	default:
		err = errors.New("not all actions could be carried out: see above, mend the cause and run the same command again")
	}
	return err
}
