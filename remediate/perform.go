package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// perform carries out one action as far as its call; the proofs say how to see
// that it took effect. An error ends the run: nothing more may be called.
func (x *run) perform(ctx context.Context, a *Action) (Outcome, []proof, error) {
	if a.AccountID != x.report.Caller.AccountID {
		if slices.ContainsFunc(x.deedsOf(a), (*deed).stands) {
			return Outcome{Status: AlreadyDone, Message: "the journal shows it done, with credentials of account " + a.AccountID}, nil, nil
		}
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("it is in account %s and the credentials are of %s: run the plan again with credentials of that account", a.AccountID, x.report.Caller.AccountID)}, nil, nil
	}
	if !x.Caller.Supports(a.Service, a.Operation) {
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("trailscan cannot call %s:%s: run its aws command", a.Service, a.Operation)}, nil, nil
	}
	if why := x.blocked(a); why != "" {
		return Outcome{Status: Blocked, Message: why}, nil, nil
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
	}
	return Outcome{Status: Failed, Message: explain(err)}, nil, nil
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
		o, p, err := t.send(ctx, c, before, i > 0)
		if err != nil || o.Status != limited {
			o.Message = joined(note, o.Message)
			return o, p, err
		}
		note = joined(note, o.Message)
	}
	return Outcome{Status: Failed, Message: note}, nil, nil
}

// limited is the status of a call that a quota forbids.
const limited Status = "limited"

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

// send journals a call and makes it.
func (t *task) send(ctx context.Context, c Call, before any, fallback bool) (Outcome, []proof, error) {
	values := t.live
	if e, _ := effectOf(c); t.Secrets == nil && (e.fresh != "" || mentions(c.Parameters, Password)) {
		return t.trouble(ctx, errNoPlace)
	}
	if mentions(c.Parameters, Now) {
		now, err := t.now(ctx)
		if err != nil {
			return t.trouble(ctx, err)
		}
		values.now = now.UTC().Format(nowForm)
	}
	logged := values.call(c)
	if mentions(c.Parameters, Password) {
		var err error
		if values.password, err = makePassword(); err != nil {
			return t.trouble(ctx, err)
		}
	}
	a := t.action
	line := entry{
		Event: eventBefore, Action: a.ID, AccountID: a.AccountID, Region: a.Region, Service: c.Service, Operation: c.Operation,
		State: t.reader.seen, Rollback: t.rollback(logged, before, "", fallback), Plan: t.digest,
	}
	clean, _ := redact(logged.Parameters)
	line.Parameters, _ = clean.(map[string]any)
	if !t.marked {
		line.Lineage = &t.plan.Lineage
	}
	line, err := t.journal.write(line)
	if err != nil {
		return Outcome{}, nil, err
	}
	t.marked = true
	answer, err := t.Caller.Call(ctx, a.target(), values.call(c))
	if err != nil {
		return t.failed(ctx, line, c, before, err, fallback)
	}
	id := freshID(logged, answer.Result)
	after := line.answer()
	result, secrets := redact(plainJSON(answer.Result))
	after.Result, after.Rollback = result, t.rollback(logged, before, id, fallback)
	if _, known := effectOf(c); !known {
		// A rollback compares with this: nothing else tells it how things were
		// left. A read that shows no change yet would mislead it.
		left := t.run.reader(a.target())
		if err := left.again(ctx, t.reader.seen); err == nil && !sameState(left.seen, t.reader.seen) {
			after.State = left.seen
		}
	}
	// The secret first: if the line cannot be written, it would be lost.
	shown := t.show(a.ID, values.password, secrets)
	if _, err := t.journal.write(after); err != nil {
		return Outcome{}, nil, err
	}
	o := Outcome{Status: Done}
	switch {
	case shown != nil:
		o = Outcome{Status: Failed, Message: fmt.Sprintf("it took effect, but what it gave could not be shown: %v", shown)}
	case fallback:
		o.Message = "done by " + c.Operation + " instead"
	case id != "":
		o.Message = "made " + id
	}
	return o, []proof{t.proof(logged, id, values.now, fallback)}, nil
}

// now is AWS's time: of the read that came just before, or else asked for.
func (t *task) now(ctx context.Context) (time.Time, error) {
	if t.reader.date.IsZero() {
		a, err := t.Caller.Call(ctx, t.action.target(), Call{Service: "sts", Operation: "GetCallerIdentity"})
		if err != nil {
			return time.Time{}, err
		}
		t.reader.date = a.Date
	}
	if t.reader.date.IsZero() {
		return time.Time{}, errors.New("AWS's answers carry no date, from which sessions could be revoked")
	}
	return t.reader.date, nil
}

func (t *task) proof(c Call, id, now string, fallback bool) proof {
	p := proof{at: t.action.target(), call: c, id: id, since: t.plan.LogThrough}
	if !fallback {
		p.checks = t.checks(t.action.Verify)
	}
	if sent, err := time.Parse(nowForm, now); err == nil {
		p.since = sent
	}
	return p
}

// rollback is what takes a call back, with the live state that it replaces; nil
// is irreversible.
func (t *task) rollback(c Call, before any, id string, fallback bool) []Call {
	e, known := effectOf(c)
	if t.action.Rollback == nil && e.fresh == "" {
		return nil
	}
	if known {
		if calls, ok := e.undo(c, before, id); ok {
			return calls
		}
	}
	if fallback || e.fresh != "" {
		return nil
	}
	out := make([]Call, len(t.action.Rollback))
	for i, r := range t.action.Rollback {
		out[i] = t.live.call(r)
	}
	return out
}

// failed deals with a call that AWS did not carry out, or of which that is not
// known.
func (t *task) failed(ctx context.Context, line entry, c Call, before any, err error, fallback bool) (Outcome, []proof, error) {
	if !isRefused(err) {
		d := &deed{before: line}
		if settled := t.settle(ctx, d, t.action, err.Error()); settled != nil {
			o := Outcome{Status: Failed, Message: fmt.Sprintf("%v; whether it took effect is not known: run again to find out", err)}
			return o, nil, ctx.Err()
		}
		if !d.failed() {
			return Outcome{Status: Done, Message: "AWS answered with an error, but it took effect"}, []proof{t.proof(line.call(), "", "", fallback)}, nil
		}
		return Outcome{Status: Failed, Message: explain(err)}, nil, nil
	}
	after := line.answer()
	after.Error = new(err.Error())
	if _, err := t.journal.write(after); err != nil {
		return Outcome{}, nil, err
	}
	e, known := effectOf(c)
	switch {
	case isGone(err) && (isDestructive(c.Operation) || known && e.kind == takes):
		return Outcome{Status: AlreadyDone, Message: "it is gone"}, nil, nil
	case isThere(err) && known && e.kind == makes && e.fresh == "" && len(t.action.Verify) == 0:
		return Outcome{Status: AlreadyDone, Message: "it is there"}, nil, nil
	case isLimit(err):
		return Outcome{Status: limited, Message: explain(err)}, nil, nil
	}
	return t.trouble(ctx, err)
}

// freshID is what AWS called the thing that a call made.
func freshID(c Call, result any) string {
	e, _ := effectOf(c)
	if e.fresh == "" {
		return ""
	}
	v, err := search(e.fresh, result)
	if err != nil || v == nil {
		return ""
	}
	return show(v)
}

// answer begins the after line of a before line.
func (e entry) answer() entry {
	e.Event, e.Of, e.State, e.Plan, e.Lineage = eventAfter, e.Seq, nil, "", nil
	return e
}
