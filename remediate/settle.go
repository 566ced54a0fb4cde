package remediate

import (
	"context"
	"errors"
)

// settled is the result in an after line that no answer of AWS stands behind:
// the live state shows that the call took effect.
var settled = map[string]any{"settled": "the live state shows that the call took effect"}

// cutOff is the error of a call that a crash cut off.
const cutOff = "the call was cut off and did not take effect"

// settle writes the after line of a call that has none, as the live state says;
// d then has it. cause is the error of a call that did not take effect.
func (x *run) settle(ctx context.Context, d *deed, a *Action, cause string) error {
	took, id := false, ""
	_, err := x.poll(ctx, func() (bool, error) {
		var err error
		took, id, err = x.tookEffect(ctx, d, a)
		return took || !visible(d, a), err
	})
	if err != nil {
		return err
	}
	after := d.before.answer()
	c := d.before.call()
	if !took {
		after.Error = new(cause)
	} else {
		after.Result = settled
		if e, known := effectOf(c); known && id != "" {
			after.Rollback, _ = e.undo(c, nil, id)
		}
	}
	after, err = x.journal.write(after)
	d.after = &after
	return err
}

// visible says whether anything shows that a call took effect.
func visible(d *deed, a *Action) bool {
	_, known := effectOf(d.before.call())
	return known || a != nil && len(a.Verify) > 0 || len(d.before.State) > 0
}

// tookEffect compares the live state with what the call would lead to or, where
// that is not known, with what was there before it.
func (x *run) tookEffect(ctx context.Context, d *deed, a *Action) (took bool, id string, err error) {
	c := d.before.call()
	r := x.reader(d.before.target())
	if e, known := effectOf(c); known {
		v, err := r.state(ctx, e, c)
		if err != nil {
			return false, "", err
		}
		if e.fresh == "" {
			return e.holds(c, v, d.before.Time), "", nil
		}
		old, err := before(d.before, e)
		if err != nil {
			return false, "", err
		}
		id, ok := newcomer(old, v)
		if !ok {
			return false, "", errors.New("several things like it were made since: look which is this call's, and delete it")
		}
		return id != "", id, nil
	}
	if a != nil && a.ForEach == nil && len(a.Verify) > 0 {
		why, err := r.unmet(ctx, a.Verify, x.plan.LogThrough)
		return why == "" && err == nil, "", err
	}
	if err := r.again(ctx, d.before.State); err != nil {
		return false, "", err
	}
	return !sameState(r.seen, d.before.State), "", nil
}

// before is the state that a before line holds of what its call changes.
func before(line entry, e effect) (any, error) {
	c := line.call()
	want := e.reading(c)
	for _, o := range line.State {
		if o.Operation == want.Operation && o.Service == want.Service && sameParameters(o.Parameters, want.Parameters) && !o.Absent {
			return e.at(c, o.Result)
		}
	}
	return nil, nil
}
