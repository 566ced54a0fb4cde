package remediate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Rollback takes back, newest first, the calls that a journal shows and that
// took effect. It needs the journal alone. What is not as the call left it
// stays, and is reported as drift; what has no way back is reported as not
// executed. Calls that were taken back already are passed over.
func (e *Executor) Rollback(ctx context.Context, journal string) (*Report, error) {
	return e.rollback(ctx, journal, false)
}

// DryRollback reads what Rollback would read and says what it would take back.
func (e *Executor) DryRollback(ctx context.Context, journal string) (*Report, error) {
	return e.rollback(ctx, journal, true)
}

func (e *Executor) rollback(ctx context.Context, path string, dry bool) (report *Report, err error) {
	var j *journal
	if dry {
		j, err = readJournal(path, time.Now)
	} else {
		j, err = openJournal(path, false, time.Now)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	x := e.newRun(nil)
	x.journal, x.dry = j, dry
	list := standing(j.entries)
	if len(list) == 0 {
		return x.report, nil
	}
	if _, err := x.mayTakeBack(ctx, j.entries, list); err != nil {
		return nil, err
	}
	for _, d := range slices.Backward(list) {
		if err := ctx.Err(); err != nil {
			return x.report, err
		}
		o, err := x.takeBack(ctx, d)
		if err != nil {
			return x.report, err
		}
		if o.Status != "" {
			o.Action = d.before.Action
			x.ended(o)
		}
	}
	return x.report, nil
}

// IdentifyRollback gives whose credentials would take back what the journal
// shows, or ErrRefused when they must not. Rollback asks again by itself.
func (e *Executor) IdentifyRollback(ctx context.Context, journal io.Reader) (Access, error) {
	entries, _, err := readEntries(journal)
	if err != nil {
		return Access{}, fmt.Errorf("read the journal: %w", err)
	}
	return e.newRun(nil).mayTakeBack(ctx, entries, standing(entries))
}

// standing are the calls that a rollback looks at.
func standing(entries []entry) []*deed {
	return slices.DeleteFunc(deeds(entries), func(d *deed) bool {
		return d.failed() || d.undone() || isRead(d.before.Operation) || !d.open() && d.idle()
	})
}

func (x *run) mayTakeBack(ctx context.Context, entries []entry, list []*deed) (Access, error) {
	accounts := map[string]bool{}
	region := ""
	for _, d := range list {
		accounts[d.before.AccountID] = true
		region = cmp.Or(region, d.before.Region)
	}
	var lineage PlanLineage
	for _, l := range entries {
		if l.Lineage != nil {
			lineage.AccessKeyIDs = append(lineage.AccessKeyIDs, l.Lineage.AccessKeyIDs...)
			lineage.PrincipalIDs = append(lineage.PrincipalIDs, l.Lineage.PrincipalIDs...)
			lineage.ARNs = append(lineage.ARNs, l.Lineage.ARNs...)
		}
	}
	return x.enter(ctx, region, lineage, slices.Sorted(maps.Keys(accounts)))
}

// takeBack undoes one call. No status means that there was nothing to undo. An
// error ends the run.
func (x *run) takeBack(ctx context.Context, d *deed) (Outcome, error) {
	name := d.before.Service + ":" + d.before.Operation
	if !x.reaches(d.before.AccountID) {
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("%s was in account %s and the credentials are of %s", name, d.before.AccountID, x.report.Caller.AccountID)}, nil
	}
	if d.open() {
		if err := x.settle(ctx, d, nil, cutOff); err != nil {
			o, _, err := x.trouble(ctx, fmt.Errorf("whether the interrupted %s took effect is not known: %w", name, err))
			return o, err
		}
		if d.failed() || d.idle() {
			return Outcome{}, nil
		}
	}
	calls := d.rollback()
	if calls == nil {
		return Outcome{Status: NotExecuted, Message: name + " is irreversible"}, nil
	}
	if last := len(d.back) - 1; d.taken() == 0 && (last < 0 || d.back[last].Event != eventRollbackBefore) {
		back, drift, err := x.asLeft(ctx, d)
		switch {
		case err != nil:
			o, _, err := x.trouble(ctx, err)
			return o, err
		case back:
			return x.noteBack(d, calls)
		case drift != "" && x.endedBy(d) != "":
			return Outcome{Status: NotExecuted, Message: fmt.Sprintf("%s deleted what %s changed", x.endedBy(d), name)}, nil
		case drift != "":
			return Outcome{Status: Drift, Message: fmt.Sprintf("not as %s left it (%s): someone changed it since, so it stays", name, drift)}, nil
		}
	}
	if x.dry {
		return Outcome{Status: WouldDo, Message: "would take back " + name}, nil
	}
	for i := d.taken(); i < len(calls); i++ {
		o, err := x.inverseAgain(ctx, d, calls[i])
		if err != nil || o.Status != Done {
			return o, err
		}
	}
	return Outcome{Status: Done, Message: name + " taken back"}, nil
}

// endedBy names the later action of this journal that deleted for good what a
// call changed.
func (x *run) endedBy(d *deed) string {
	for _, l := range deeds(x.journal.entries) {
		if l.before.Seq > d.before.Seq && l.stands() && l.rollback() == nil && l.before.AccountID == d.before.AccountID && removes(l.before.call(), d.before.call()) {
			return l.before.Action
		}
	}
	return ""
}

// deletion names the action of this journal that deleted for good what a call
// that AWS says is about nothing names; one of the thing itself comes first.
func (x *run) deletion(account string, c Call) string {
	found := ""
	for _, l := range deeds(x.journal.entries) {
		by := l.before.call()
		if !l.stands() || l.rollback() != nil || l.before.AccountID != account || by.Service != c.Service || !isDestructive(by.Operation) {
			continue
		}
		if removes(by, c) {
			return l.before.Action
		}
		same := len(by.Parameters) > 0
		for k, v := range by.Parameters {
			same = same && sameValue(plainJSON(c.Parameters[k]), plainJSON(v), time.Time{})
		}
		if same {
			found = l.before.Action
		}
	}
	return found
}

// asLeft says whether what a call changed is back as it was, or else how it
// differs from how the call left it.
func (x *run) asLeft(ctx context.Context, d *deed) (back bool, drift string, err error) {
	c := d.before.call()
	r := x.reader(d.before.target())
	e, known := effectOf(c)
	if !known {
		if err := r.again(ctx, d.before.State); err != nil {
			return false, "", err
		}
		switch {
		case sameState(r.seen, d.after.State):
			return false, "", nil
		case len(d.before.State) > 0 && sameState(r.seen, d.before.State):
			return true, "", nil
		case len(d.after.State) == 0:
			return false, "", nil
		}
		return false, "the live state differs", nil
	}
	v, err := r.state(ctx, e, c)
	if err != nil {
		return false, "", err
	}
	if e.fresh != "" {
		list, _ := v.([]any)
		id := d.rollback()[0].Parameters[e.param]
		return !slices.Contains(list, id), "", nil
	}
	old, err := before(d.before, e)
	switch {
	case err != nil:
		return false, "", err
	case e.holds(c, v, d.before.Time):
		return false, "", nil
	case old == nil && v == nil || old != nil && v != nil && same(v, old, time.Time{}):
		return true, "", nil
	}
	return false, "it is " + brief(v), nil
}

// noteBack records that a call was taken back by someone else.
func (x *run) noteBack(d *deed, calls []Call) (Outcome, error) {
	for _, c := range calls[d.taken():] {
		line := d.inverseLine(c)
		line.Event, line.Result = eventRollbackAfter, map[string]any{"settled": "the live state was back already"}
		if _, err := x.journal.write(line); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Status: AlreadyDone, Message: d.before.Service + ":" + d.before.Operation + " is taken back already"}, nil
}

func (d *deed) inverseLine(c Call) entry {
	b := d.before
	return entry{
		Event: eventRollbackBefore, Of: b.Seq, Action: b.Action, AccountID: b.AccountID, Region: b.Region,
		Service: c.Service, Operation: c.Operation, Parameters: c.Parameters,
	}
}

// inverseAgain makes one call of a rollback, again after a fault where the live
// state tells whether it took effect: inverse looks first.
func (x *run) inverseAgain(ctx context.Context, d *deed, c Call) (Outcome, error) {
	_, known := effectOf(c)
	for i, wait := 1, firstWait; ; i, wait = i+1, 2*wait {
		o, err := x.inverse(ctx, d, c)
		if err != nil || o.Status != lost {
			return o, err
		}
		if i == sends || !known {
			// The next run finds out whether it took effect.
			o.Status = Failed
			return o, nil
		}
		if err := x.sleep(ctx, wait); err != nil {
			return Outcome{}, err
		}
	}
}

// inverse makes one call of a rollback. Its status is lost when AWS did not say
// whether it took effect.
func (x *run) inverse(ctx context.Context, d *deed, c Call) (Outcome, error) {
	at := d.before.target()
	r := x.reader(at)
	line := d.inverseLine(c)
	e, known := effectOf(c)
	if known {
		v, err := r.state(ctx, e, c)
		if err != nil {
			o, _, err := x.trouble(ctx, err)
			return o, err
		}
		if e.holds(c, v, time.Time{}) {
			// An earlier run was cut off after the call.
			line.Event, line.Result = eventRollbackAfter, settled
			_, err := x.journal.write(line)
			return Outcome{Status: Done}, err
		}
	} else if err := r.again(ctx, d.before.State); err != nil {
		o, _, err := x.trouble(ctx, err)
		return o, err
	}
	values := live{}
	if mentions(c.Parameters, Password) {
		var err error
		if values.password, err = makePassword(); err != nil {
			return Outcome{}, err
		}
	}
	line.State = r.seen
	if _, err := x.journal.write(line); err != nil {
		return Outcome{}, err
	}
	answer, err := x.call(ctx, at, values.call(c))
	line.Event, line.State = eventRollbackAfter, nil
	if err != nil && !isRefused(err) {
		return Outcome{Status: lost, Message: explain(err)}, ctx.Err()
	}
	result, secrets := redact(plainJSON(answer.Result))
	switch {
	case err == nil:
		line.Result = result
	case known && isGone(err) && e.kind == takes, known && isThere(err) && e.kind == makes:
		line.Result = settled
	default:
		line.Error = new(err.Error())
	}
	var shown error
	if err == nil {
		shown = x.show(d.before.Action, values.password, secrets)
	}
	if _, err := x.journal.write(line); err != nil {
		return Outcome{}, err
	}
	switch {
	case line.Error != nil && isGone(err) && x.deletion(d.before.AccountID, c) != "":
		return Outcome{Status: NotExecuted, Message: fmt.Sprintf("%s deleted what %s:%s is about", x.deletion(d.before.AccountID, c), c.Service, c.Operation)}, nil
	case line.Error != nil:
		o, _, err := x.trouble(ctx, err)
		return o, err
	case shown != nil:
		return Outcome{Status: Failed, Message: fmt.Sprintf("taken back, but the new secret could not be shown: %v", shown)}, nil
	}
	if why := x.prove(ctx, proof{at: at, call: c}); why != "" {
		return Outcome{Status: Failed, Message: why}, nil
	}
	return Outcome{Status: Done}, nil
}
