package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// perform carries out one action as far as its call; the proofs say how to see
// that it took effect. An error ends the run: nothing more may be called.
func (x *run) perform(ctx context.Context, a *Action) (Outcome, []proof, error) {
	if !x.reaches(a.AccountID) {
		if slices.ContainsFunc(x.deedsOf(a), (*deed).stands) {
			return Outcome{Status: AlreadyDone, Message: "the journal shows it done, with credentials of account " + a.AccountID}, nil, nil
		}
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("it is in account %s and the credentials are of %s: run the plan again with credentials of that account, or with --assume-role-name", a.AccountID, x.report.Caller.AccountID)}, nil, nil
	}
	if !x.Caller.Supports(a.Service, a.Operation) {
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("trailscan cannot call %s:%s: run its aws command", a.Service, a.Operation)}, nil, nil
	}
	if why, unmet := x.blocked(a); why != "" {
		return Outcome{Status: Blocked, Message: why, unmet: unmet}, nil, nil
	}
	for _, d := range x.deedsOf(a) {
		if !d.open() {
			continue
		}
		if err := x.settle(ctx, d, a, cutOff); err != nil {
			return x.trouble(ctx, fmt.Errorf("whether the interrupted call took effect is not known: %w", err))
		}
	}
	items := []any{nil}
	if a.ForEach != nil {
		v, err := x.reader(a.target()).value(ctx, *a.ForEach)
		if err != nil {
			x.unknown[a.ID] = errors.Is(err, ErrUnreadable)
			return x.trouble(ctx, err)
		}
		list, ok := v.([]any)
		if v != nil && !ok {
			list = []any{v}
		}
		if items = list; len(items) == 0 {
			return Outcome{Status: AlreadyDone, Message: "there is nothing to do it to"}, nil, nil
		}
	}
	total := Outcome{Status: AlreadyDone}
	var proofs []proof
	for _, item := range items {
		t := &task{run: x, action: a, live: live{item: item}, reader: x.reader(a.target())}
		o, p, err := t.do(ctx)
		if err != nil {
			return o, nil, err
		}
		proofs = append(proofs, p...)
		if item != nil && o.Message != "" {
			o.Message = brief(item) + ": " + o.Message
		}
		total.Message = joined(total.Message, o.Message)
		if total.Status == AlreadyDone || o.Status != AlreadyDone && o.Status != Done {
			total.Status = o.Status
		}
		if o.Status != AlreadyDone && o.Status != Done {
			break
		}
	}
	return total, proofs, nil
}

// trouble is an action that could not go on; a run that is cancelled ends.
func (x *run) trouble(ctx context.Context, err error) (Outcome, []proof, error) {
	switch {
	case ctx.Err() != nil:
		return Outcome{}, nil, ctx.Err()
	case errors.Is(err, ErrNotExecutable):
		return Outcome{Status: NotExecuted, Message: err.Error()}, nil, nil
	case errors.Is(err, ErrUnreadable):
		return Outcome{Status: NotExecuted, Message: "what is there cannot be read, so it is left alone: " + err.Error()}, nil, nil
	case isDial(err) && x.offline(ctx):
		return Outcome{}, nil, fmt.Errorf("the connection to AWS is lost: run the same command again when it is back: %w", err)
	case isExpired(err):
		return Outcome{}, nil, fmt.Errorf("the credentials have expired or are no longer valid: get new ones and run the same command again: %w", err)
	}
	return Outcome{Status: Failed, Message: explain(err)}, nil, nil
}

// offline says that not even the caller's own identity can be asked for: then it
// is not the endpoint of one service in one region that is missing.
func (x *run) offline(ctx context.Context) bool {
	_, err := x.Caller.Call(ctx, Target{Region: globalRegion(partitionOf(x.report.Caller.ARN, ""))}, Call{Service: "sts", Operation: "GetCallerIdentity"})
	return isDial(err)
}

// task is an action, or its part for one item of for_each.
type task struct {
	*run
	action *Action
	live   live
	reader *reader
}

func (t *task) do(ctx context.Context) (Outcome, []proof, error) {
	a := t.action
	first := t.live.call(a.call())
	done, why, err := t.isThere(ctx, first)
	if err != nil {
		return t.trouble(ctx, err)
	}
	if done {
		return Outcome{Status: AlreadyDone, Message: why}, nil, nil
	}
	if o, err := t.expected(ctx, first); err != nil {
		return t.trouble(ctx, err)
	} else if o.Status != "" {
		return o, nil, nil
	}
	note := ""
	for i, c := range append([]Call{first}, t.fallbacks()...) {
		e, known := effectOf(c)
		if i > 0 && (!known || e.fresh != "") {
			// Nothing would show that it holds, or take it back.
			continue
		}
		var before any
		if known {
			if before, err = t.reader.state(ctx, e, c); err != nil {
				return t.trouble(ctx, err)
			}
			if i > 0 && e.holds(c, before, t.plan.LogThrough) {
				return Outcome{Status: AlreadyDone, Message: joined(note, c.Operation+" is in place")}, nil, nil
			}
			if err := t.reader.keep(ctx, e, c); err != nil {
				return t.trouble(ctx, err)
			}
		}
		if t.dry {
			return t.would(c, before), nil, nil
		}
		o, p, err := t.sendAgain(ctx, c, before, i > 0)
		if err != nil || o.Status != limited {
			o.Message = joined(note, o.Message)
			return o, p, err
		}
		note = joined(note, o.Message)
	}
	return Outcome{Status: Failed, Message: note}, nil, nil
}

func (t *task) fallbacks() []Call {
	var out []Call
	for _, f := range t.action.Fallbacks {
		if t.Caller.Supports(f.Service, f.Operation) {
			out = append(out, t.live.call(f))
		}
	}
	return out
}

func (t *task) checks(list []Check) []Check {
	out := make([]Check, len(list))
	for i, c := range list {
		out[i] = t.live.check(c)
	}
	return out
}

// isThere says whether what the action wants is so already. AWS's word counts;
// the journal's only where AWS cannot show it.
func (t *task) isThere(ctx context.Context, c Call) (bool, string, error) {
	since := t.plan.LogThrough
	e, known := effectOf(c)
	shown := false
	switch {
	case len(t.action.Verify) > 0:
		shown = true
		why, err := t.reader.unmet(ctx, t.checks(t.action.Verify), since)
		// What only looks shows, and the server does not, leaves the journal's word.
		if !known && errors.Is(err, ErrUnreadable) {
			shown = false
			break
		}
		if err != nil && !errors.Is(err, ErrNotExecutable) || err == nil && why == "" {
			return err == nil, "it is so already", err
		}
	case known && e.fresh == "":
		shown = true
		v, err := t.reader.state(ctx, e, c)
		if err != nil || e.holds(c, v, since) {
			return err == nil, "it is so already", err
		}
	}
	for _, d := range slices.Backward(t.deedsOf(t.action)) {
		was := d.before.call()
		if !d.stands() || t.action.ForEach != nil && !sameParameters(was.Parameters, c.Parameters) {
			continue
		}
		if later := t.superseded(d); later != "" {
			return true, "it was done, and taken off again by " + later, nil
		}
		if was.Operation == c.Operation {
			return !shown, "the journal shows it done", nil
		}
		// It was done another way.
		if e, known := effectOf(was); known {
			v, err := t.reader.state(ctx, e, was)
			return err == nil && e.holds(was, v, since), was.Operation + " is in place", err
		}
	}
	return false, "", nil
}

// superseded names the later action of this plan that changed the same thing
// again: a deny that was lifted is not put back.
func (t *task) superseded(d *deed) string {
	for _, l := range deeds(t.journal.entries) {
		if l.before.Seq > d.before.Seq && l.stands() && l.before.Plan == t.digest && l.before.Action != d.before.Action &&
			l.before.AccountID == d.before.AccountID && (samePlace(l.before.call(), d.before.call()) || removes(l.before.call(), d.before.call())) {
			return l.before.Action
		}
	}
	return ""
}

// expected compares with what the plan knows. That the thing is gone is drift
// where something is to be put right, and as good as done where someone is to be
// shut out or something removed.
func (t *task) expected(ctx context.Context, c Call) (Outcome, error) {
	checks := t.checks(t.action.Expect)
	why, err := t.reader.unmet(ctx, checks, t.plan.LogThrough)
	if err != nil || why == "" {
		return Outcome{}, err
	}
	e, known := effectOf(c)
	removes := isDestructive(c.Operation) || known && e.kind == takes
	if removes || slices.Contains([]Phase{Contain, Revoke, Evict}, t.action.Phase) {
		for _, check := range checks {
			v, err := t.reader.value(ctx, check.Read)
			if err != nil {
				return Outcome{}, err
			}
			if !check.Absent && v == nil {
				return Outcome{Status: AlreadyDone, Message: "what it acts on is gone"}, nil
			}
		}
	}
	return Outcome{Status: Drift, Message: why + ": it changed since the log; look at it, then plan anew"}, nil
}
