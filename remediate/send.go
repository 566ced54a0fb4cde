package remediate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// limited is the status of a call that a quota forbids, lost of one that did not
// take effect and that nothing forbids.
const (
	limited Status = "limited"
	lost    Status = "lost"
)

// sends are how often a call is made that a fault of AWS or of the network keeps
// from taking effect.
const sends = 3

// sendAgain makes a call, again where the live state shows that it was lost.
func (t *task) sendAgain(ctx context.Context, c Call, before any, fallback bool) (Outcome, []proof, error) {
	for i, wait := 1, firstWait; ; i, wait = i+1, 2*wait {
		o, p, err := t.send(ctx, c, before, fallback)
		if err != nil || o.Status != lost {
			return o, p, err
		}
		if i == sends {
			o.Status = Failed
			return o, nil, nil
		}
		if err := t.sleep(ctx, wait); err != nil {
			return Outcome{}, nil, err
		}
		t.reader.date = time.Time{} // ${now} is that of the call
	}
}

// would says what a dry run leaves undone.
func (t *task) would(c Call, before any) Outcome {
	message := "would call " + c.Service + ":" + c.Operation
	if e, known := effectOf(c); known && e.fresh == "" && e.kind == sets {
		message += "; there is now " + brief(before)
	}
	return Outcome{Status: WouldDo, Message: message}
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
	answer, err := t.run.call(ctx, a.target(), values.call(c))
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

// isMoot says that the user, role or group that a call shuts out or takes
// something from is gone.
func (x *run) isMoot(ctx context.Context, a *Action, c Call) bool {
	if c.Service != "iam" || !slices.Contains([]Phase{Contain, Revoke, Evict}, a.Phase) {
		return false
	}
	for _, noun := range []string{"User", "Role", "Group"} {
		name, ok := c.Parameters[noun+"Name"]
		if !ok {
			continue
		}
		o, err := x.reader(a.target()).observe(ctx, Call{Service: "iam", Operation: "Get" + noun, Parameters: map[string]any{noun + "Name": name}})
		if err == nil && o.Absent {
			return true
		}
	}
	return false
}

// now is AWS's time: of the read that came just before, or else asked for.
func (t *task) now(ctx context.Context) (time.Time, error) {
	if t.reader.date.IsZero() {
		a, err := t.run.call(ctx, t.action.target(), Call{Service: "sts", Operation: "GetCallerIdentity"})
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
		if !visible(d, t.action) {
			return Outcome{Status: Failed, Message: explain(err) + "; nothing shows whether it took effect"}, nil, nil
		}
		return Outcome{Status: lost, Message: explain(err)}, nil, nil
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
	case isGone(err) && t.isMoot(ctx, t.action, c):
		return Outcome{Status: AlreadyDone, Message: "someone deleted what it acts on"}, nil, nil
	case isThere(err) && known && e.kind == makes && e.fresh == "" && reflect.DeepEqual(t.checks(t.action.Verify), verifyEffect(c)):
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
