package remediate

import (
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
	// RoleName, if set, is the role that is taken in each other account.
	RoleName string
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
// Blocked waited for an action that did not end well. WouldDo is for a dry run.
const (
	Done        Status = "done"
	WouldDo     Status = "would_do"
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

	// unmet says that a blocked action waits for one that nobody ran.
	unmet bool
}

// Report is how a run ended.
type Report struct {
	Caller   Identity
	Outcomes []Outcome
}

// Failed says that something that should have been done was not: the exit
// status is 1. What trailscan cannot do, and what waits for that, is no failure.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Outcomes, func(o Outcome) bool {
		return o.Status == Failed || o.Status == Drift || o.Status == Blocked && o.unmet
	})
}

// run is one apply or rollback at work.
type run struct {
	*Executor
	journal *journal
	report  *Report
	plan    *Plan // nil in a rollback
	digest  string
	marked  bool // the lineage stands in the journal
	dry     bool // nothing is called or written
	status  map[string]Status
	skipped []string
	unknown map[string]bool // actions whose for_each the server cannot list
	lacking map[string]bool // reads that the server does not have
	places  map[string]place
	waiting []waiting
}

// newRun is a run of a plan, or with nil of a rollback.
func (e *Executor) newRun(p *Plan) *run {
	return &run{Executor: e, report: &Report{}, plan: p, status: map[string]Status{}, unknown: map[string]bool{}, lacking: map[string]bool{}}
}

// waiting is an action that was called and is not seen to have taken effect.
type waiting struct {
	action  *Action
	outcome Outcome
	proofs  []proof
}

// Apply carries out the actions of a plan that are selected. What an earlier run
// did is not done again. An error means that the run was refused or could not go
// on; how the actions ended is in the report.
func (e *Executor) Apply(ctx context.Context, p *Plan, s Selection) (*Report, error) {
	return e.apply(ctx, p, s, false)
}

// DryRun reads what Apply would read and says what it would do. It writes
// nothing, not even a journal.
func (e *Executor) DryRun(ctx context.Context, p *Plan, s Selection) (*Report, error) {
	return e.apply(ctx, p, s, true)
}

func (e *Executor) apply(ctx context.Context, p *Plan, s Selection, dry bool) (report *Report, err error) {
	x := e.newRun(p)
	x.dry, x.skipped = dry, s.Skip
	if x.digest, err = p.ComputeDigest(); err != nil {
		return nil, err
	}
	if x.digest != p.Digest {
		return nil, ErrDigest
	}
	actions, err := p.Select(s)
	if err != nil {
		return nil, err
	}
	if err := e.knows(actions); err != nil {
		return nil, err
	}
	if _, err := x.enterPlan(ctx, actions); err != nil {
		return nil, err
	}
	if err := x.keepAdministrator(ctx, actions); err != nil {
		return nil, err
	}
	if dry {
		x.journal, err = readJournal(e.Journal, time.Now)
	} else {
		x.journal, err = openJournal(e.Journal, true, time.Now)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.journal.close()) }()
	if err := x.needs(ctx, actions, len(s.Only) > 0); err != nil {
		return nil, err
	}
	return x.report, x.all(ctx, actions)
}

// knows refuses actions whose operation their service does not have: such a plan
// was not made by trailscan.
func (e *Executor) knows(actions []Action) error {
	catalogue, ok := e.Caller.(interface{ Has(service string) bool })
	if !ok {
		return nil
	}
	for _, a := range actions {
		for _, c := range append([]Call{a.call()}, a.Fallbacks...) {
			if catalogue.Has(c.Service) && !e.Caller.Supports(c.Service, c.Operation) {
				return fmt.Errorf("%w: action %s calls %s:%s, and there is no such operation", ErrRefused, a.ID, c.Service, c.Operation)
			}
		}
	}
	return nil
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
			if ctx.Err() == nil {
				x.finish(ctx)
			}
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
	x.guardedSince()
	return ctx.Err()
}

// finish waits until what was called is seen to have taken effect.
func (x *run) finish(ctx context.Context) {
	for _, w := range x.waiting {
		o := w.outcome
		for _, p := range w.proofs {
			why := x.prove(ctx, p)
			if why == "" {
				continue
			}
			if x.isMoot(ctx, w.action, p.call) {
				o.Message = joined(o.Message, "someone deleted what it acts on since")
				continue
			}
			o.Status, o.Message = Failed, joined(o.Message, why)
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

// needs finds out what of that which the actions depend on, and which is not
// among them, is done. For actions that were named, all of it must be.
func (x *run) needs(ctx context.Context, actions []Action, named bool) error {
	chosen := map[string]bool{}
	for _, a := range actions {
		chosen[a.ID] = true
	}
	for i := range actions {
		a := &actions[i]
		missing, err := x.missing(ctx, a, chosen, map[string]bool{}, named)
		switch {
		case err != nil:
			return err
		case named && len(missing) == 1:
			return fmt.Errorf("%w: %s depends on %s, which is neither done nor named", ErrSelection, a.ID, missing[0])
		case named && len(missing) > 1:
			return fmt.Errorf("%w: %s depends on these, which are neither done nor named: %s", ErrSelection, a.ID, strings.Join(missing, ", "))
		}
	}
	return nil
}

// missing are the actions that a depends on, and that are neither chosen nor
// done. A step of the same phase that has nothing to do yet may hide others that
// have: a user without a boundary may still have keys.
func (x *run) missing(ctx context.Context, a *Action, chosen, seen map[string]bool, named bool) ([]string, error) {
	var missing []string
	for _, d := range a.DependsOn {
		if chosen[d] || seen[d] {
			continue
		}
		seen[d] = true
		if !x.known(a, d) {
			done, err := x.isDone(ctx, d)
			switch {
			case done:
				x.status[d] = AlreadyDone
			case errors.Is(err, ErrUnreadable) && x.guards(a):
				x.unknown[d] = true
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err != nil && named:
				return nil, fmt.Errorf("action %s depends on %s: %w", a.ID, d, err)
			default:
				missing = append(missing, d)
			}
		}
		if b := x.plan.action(d); b != nil && named && b.Phase == a.Phase {
			more, err := x.missing(ctx, b, chosen, seen, named)
			if err != nil {
				return nil, err
			}
			missing = append(missing, more...)
		}
	}
	return missing, nil
}

// known says whether it was found out already how it stands with what a depends on.
func (x *run) known(a *Action, id string) bool {
	return x.status[id] != "" || x.unknown[id] && x.guards(a)
}

// guards says that an action is a deletion that AWS guards, or one of the steps
// towards it.
func (x *run) guards(a *Action) bool {
	if guarded(a) {
		return true
	}
	return a.Service == "iam" && a.Phase == Evict && slices.ContainsFunc(x.plan.Actions, func(b Action) bool {
		return b.Phase == Evict && slices.Contains(b.DependsOn, a.ID) && x.guards(&b)
	})
}

// guardedSince counts as done what could not be read, where AWS has carried the
// deletion out since that it refuses while any of it is left.
func (x *run) guardedSince() {
	var held func(id string) bool
	held = func(id string) bool {
		return slices.ContainsFunc(x.plan.Actions, func(b Action) bool {
			if b.Phase != Evict || !slices.Contains(b.DependsOn, id) {
				return false
			}
			s := x.status[b.ID]
			return guarded(&b) && (s == Done || s == AlreadyDone) || x.guards(&b) && held(b.ID)
		})
	}
	for i := range x.report.Outcomes {
		o := &x.report.Outcomes[i]
		if o.Status == NotExecuted && x.unknown[o.Action] && held(o.Action) {
			o.Status, o.Message = AlreadyDone, "the server cannot list it; AWS deleted what it hung on, which it refuses while there is any"
			x.status[o.Action] = AlreadyDone
		}
	}
}

// guarded says that AWS itself refuses the call while anything hangs on what it
// deletes: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html.
func guarded(a *Action) bool {
	return a.Service == "iam" && slices.Contains([]string{"DeleteUser", "DeleteRole", "DeleteGroup", "DeletePolicy"}, a.Operation)
}

// isDone says whether an action that is not to be run has taken effect and
// still holds: as AWS says, or the journal where AWS cannot show it.
func (x *run) isDone(ctx context.Context, id string) (bool, error) {
	a := x.plan.action(id)
	switch {
	case a == nil:
		return false, nil
	case a.Mode == Manual || !x.reaches(a.AccountID):
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

// blocked names what an action waits for in vain; unmet is that some of it was
// not even to be run.
func (x *run) blocked(a *Action) (why string, unmet bool) {
	var names []string
	for _, d := range a.DependsOn {
		s := x.status[d]
		if s == Done || s == AlreadyDone || s == WouldDo || x.unknown[d] && x.guards(a) {
			continue
		}
		if s == "" {
			s = "not run"
			if slices.Contains(x.skipped, d) {
				s = "skipped"
			} else {
				unmet = true
			}
		}
		names = append(names, fmt.Sprintf("%s (%s)", d, strings.ReplaceAll(string(s), "_", " ")))
	}
	if len(names) == 0 {
		return "", false
	}
	const most = 3
	if n := len(names) - most; n > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", n))
	}
	return "waits for " + strings.Join(names, ", "), unmet
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
