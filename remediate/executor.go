package remediate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Executor carries out plans and takes them back. It decides nothing that the
// plan does not state; before each call it reads what is there, and writes that
// into the journal, so that a run can be cut anywhere and go on or be undone.
type Executor struct {
	Caller  Caller
	Journal string    // path of the journal that Apply appends to
	Secrets io.Writer // where new passwords and keys are shown, once
	// Progress, if set, hears of each action as it ends.
	Progress func(Outcome)
	// Sleep waits between looks at a change that is not visible yet; nil waits
	// in real time.
	Sleep func(context.Context, time.Duration) error
}

// Status is how an action ended.
type Status string

// Done took effect now, AlreadyDone before. NotExecuted is for a person or for
// other credentials, Drift met another state than the plan's and was left alone,
// Blocked waited for an action that did not end well.
const (
	Done        Status = "done"
	AlreadyDone Status = "already_done"
	Failed      Status = "failed"
	Blocked     Status = "blocked"
	NotExecuted Status = "not_executed"
	Drift       Status = "drift"
)

// Outcome is how one action, or in a rollback one call, ended.
type Outcome struct {
	Action  string // id
	Status  Status
	Message string // may hold text from AWS: escape it
}

// Report is how a run ended.
type Report struct {
	Caller   Identity
	Outcomes []Outcome
}

// Failed says that something that should have been done was not: the exit
// status is 1. What trailscan cannot do, and what waits for that, is no failure.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Status == Failed || o.Status == Drift })
}

// run is one apply or rollback at work.
type run struct {
	*Executor
	journal *journal
	report  *Report
	plan    *Plan // nil in a rollback
	digest  string
	marked  bool // the lineage stands in the journal
	status  map[string]Status
	waiting []waiting
}

// waiting is an action that was called and is not seen to have taken effect.
type waiting struct {
	action  *Action
	outcome Outcome
	proofs  []proof
}

// Apply carries out the automatic actions of a plan or, with only, exactly the
// named ones. What an earlier run did is not done again. An error means that the
// run was refused or could not go on; how the actions ended is in the report.
func (e *Executor) Apply(ctx context.Context, p *Plan, only []string) (report *Report, err error) {
	digest, err := p.ComputeDigest()
	if err != nil {
		return nil, err
	}
	if digest != p.Digest {
		return nil, ErrDigest
	}
	actions, err := p.Select(only)
	if err != nil {
		return nil, err
	}
	who, err := e.Identify(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		if (a.Phase == Contain || a.Phase == Revoke || a.Phase == Evict) && who.targets(a.AccountID, a.call()) {
			return nil, fmt.Errorf("%w: action %s is aimed at the caller itself, %s; use other credentials", ErrRefused, a.ID, who.ARN)
		}
	}
	j, err := openJournal(e.Journal, true, time.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	x := &run{Executor: e, journal: j, report: &Report{Caller: who}, plan: p, digest: digest, status: map[string]Status{}}
	if err := x.needs(ctx, actions); err != nil {
		return nil, err
	}
	return x.report, x.all(ctx, actions)
}

// all runs actions in order. The calls of contain and revoke leave one after the
// other and are verified together, because an intruder who watches can undo the
// first while the second waits; nothing later starts before they hold.
func (x *run) all(ctx context.Context, actions []Action) error {
	for i := range actions {
		a := &actions[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		burst := a.Phase == Contain || a.Phase == Revoke
		depends := slices.ContainsFunc(x.waiting, func(w waiting) bool { return slices.Contains(a.DependsOn, w.action.ID) })
		if !burst || depends {
			x.finish(ctx)
		}
		o, proofs, err := x.perform(ctx, a)
		if err != nil {
			return err
		}
		o.Action = a.ID
		if o.Status != Done || len(proofs) == 0 {
			x.ended(o)
			continue
		}
		x.waiting = append(x.waiting, waiting{a, o, proofs})
	}
	x.finish(ctx)
	return ctx.Err()
}

// finish waits until what was called is seen to have taken effect.
func (x *run) finish(ctx context.Context) {
	for _, w := range x.waiting {
		o := w.outcome
		for _, p := range w.proofs {
			if why := x.prove(ctx, p); why != "" {
				o.Status, o.Message = Failed, joined(o.Message, why)
			}
		}
		x.ended(o)
	}
	x.waiting = nil
}

func (x *run) ended(o Outcome) {
	x.status[o.Action] = o.Status
	x.report.Outcomes = append(x.report.Outcomes, o)
	if x.Progress != nil {
		x.Progress(o)
	}
}

// needs checks that what the actions depend on is among them or done.
func (x *run) needs(ctx context.Context, actions []Action) error {
	chosen := map[string]bool{}
	for _, a := range actions {
		chosen[a.ID] = true
	}
	for _, a := range actions {
		for _, d := range a.DependsOn {
			if chosen[d] || x.status[d] != "" {
				continue
			}
			done, err := x.isDone(ctx, d)
			if err != nil {
				return fmt.Errorf("action %s depends on %s: %w", a.ID, d, err)
			}
			if !done {
				return fmt.Errorf("%w: %s depends on %s, which is neither done nor named", ErrSelection, a.ID, d)
			}
			x.status[d] = AlreadyDone
		}
	}
	return nil
}

// isDone says whether an action that is not to be run has taken effect and
// still holds: as AWS says, or the journal where AWS cannot show it.
func (x *run) isDone(ctx context.Context, id string) (bool, error) {
	i := slices.IndexFunc(x.plan.Actions, func(a Action) bool { return a.ID == id })
	if i < 0 {
		return false, nil
	}
	a := &x.plan.Actions[i]
	switch {
	case a.Mode == Manual || a.AccountID != x.report.Caller.AccountID:
		return slices.ContainsFunc(x.deedsOf(a), (*deed).stands), nil
	case a.ForEach != nil:
		v, err := x.reader(a.target()).value(ctx, *a.ForEach)
		return v == nil && err == nil, err
	}
	t := &task{run: x, action: a, reader: x.reader(a.target())}
	done, _, err := t.isThere(ctx, a.call())
	if done || err != nil {
		return done, err
	}
	o, err := t.expected(ctx, a.call())
	return o.Status == AlreadyDone, err
}

// blocked names what an action waits for in vain.
func (x *run) blocked(a *Action) string {
	var names []string
	for _, d := range a.DependsOn {
		if s := x.status[d]; s != Done && s != AlreadyDone {
			names = append(names, fmt.Sprintf("%s (%s)", d, cmp.Or(string(s), "not run")))
		}
	}
	if len(names) == 0 {
		return ""
	}
	const most = 3
	if n := len(names) - most; n > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", n))
	}
	return "waits for " + strings.Join(names, ", ")
}

// deedsOf are the calls that the journal holds of an action of this plan.
func (x *run) deedsOf(a *Action) []*deed {
	var out []*deed
	for _, d := range deeds(x.journal.entries) {
		if d.before.Action == a.ID && d.before.Plan == x.digest {
			out = append(out, d)
		}
	}
	return out
}

func (x *run) sleep(ctx context.Context, d time.Duration) error {
	if x.Sleep != nil {
		return x.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (a *Action) call() Call {
	return Call{Service: a.Service, Operation: a.Operation, Parameters: a.Parameters}
}

func (a *Action) target() Target { return Target{AccountID: a.AccountID, Region: a.Region} }

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
