package remediate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// reader makes live reads, each once, and keeps what they showed: the state
// that goes into the journal.
type reader struct {
	run  *run
	at   Target
	seen []observation
	date time.Time // of AWS's last answer
}

func (x *run) reader(at Target) *reader { return &reader{run: x, at: at} }

// observe reads. That the thing is not there is an observation, no error.
func (r *reader) observe(ctx context.Context, c Call) (observation, error) {
	for _, o := range r.seen {
		if o.Service == c.Service && o.Operation == c.Operation && sameParameters(o.Parameters, c.Parameters) {
			return o, nil
		}
	}
	a, err := r.run.read(ctx, r.at, c)
	if !a.Date.IsZero() {
		r.date = a.Date
	}
	o := observation{Call: c}
	switch {
	case isGone(err) || isOff(c, err):
		o.Absent = true
	case err != nil:
		return o, err
	default:
		o.Result, _ = redact(plainJSON(a.Result))
	}
	r.seen = append(r.seen, o)
	return o, nil
}

func sameParameters(a, b map[string]any) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	return reflect.DeepEqual(plainJSON(a), plainJSON(b))
}

// value gives the value of a read, nil when there is none.
func (r *reader) value(ctx context.Context, read Read) (any, error) {
	o, err := r.observe(ctx, read.Call)
	if err != nil || o.Absent {
		return nil, err
	}
	v, err := search(read.Path, o.Result)
	if err != nil || isEmpty(v) {
		return nil, err
	}
	return v, nil
}

// unmet says which of the checks do not hold and what was found; "" is none.
func (r *reader) unmet(ctx context.Context, checks []Check, since time.Time) (string, error) {
	for _, c := range checks {
		v, err := r.value(ctx, c.Read)
		if err != nil {
			return "", err
		}
		if holds(c, v, since) {
			continue
		}
		want := "nothing"
		if !c.Absent {
			want = brief(c.Equals)
		}
		return fmt.Sprintf("%s:%s shows %s at %s, not %s", c.Service, c.Operation, brief(v), c.Path, want), nil
	}
	return "", nil
}

func holds(c Check, v any, since time.Time) bool {
	if c.Absent {
		return v == nil
	}
	return v != nil && same(v, c.Equals, since)
}

// brief is a value in a message.
func brief(v any) string {
	const most = 300
	if v == nil {
		return "nothing"
	}
	text := decodeDocument(show(v))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// state gives the value that a call changes.
func (r *reader) state(ctx context.Context, e effect, c Call) (any, error) {
	o, err := r.observe(ctx, e.reading(c))
	if err != nil || o.Absent {
		return nil, err
	}
	return e.at(c, o.Result)
}

// keep reads what else a call would lose.
func (r *reader) keep(ctx context.Context, e effect, c Call) error {
	o, err := r.observe(ctx, e.reading(c))
	if err != nil || o.Absent {
		return err
	}
	calls, err := e.further(c, o.Result)
	if err != nil {
		return err
	}
	for _, f := range calls {
		if _, err := r.observe(ctx, f); err != nil && !errors.Is(err, ErrUnreadable) {
			return err
		}
	}
	return nil
}

// again reads what was observed before, now.
func (r *reader) again(ctx context.Context, old []observation) error {
	for _, o := range old {
		if _, err := r.observe(ctx, o.Call); err != nil {
			return err
		}
	}
	return nil
}

// sameState compares observations without what use alone changes.
func sameState(a, b []observation) bool {
	return reflect.DeepEqual(steady(plainJSON(a)), steady(plainJSON(b)))
}

func steady(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if k != "RoleLastUsed" && k != "PasswordLastUsed" && k != "AccessKeyLastUsed" {
				out[k] = steady(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = steady(e)
		}
		return out
	}
	return v
}

// proof is how to see that a call took effect: the plan's checks or, without
// any, the call's own effect.
type proof struct {
	at     Target
	call   Call
	id     string // of what the call made, where AWS chose it
	checks []Check
	since  time.Time // of ${now} in the checks
}

// tries and firstWait allow IAM, which is eventually consistent, 15 seconds:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html.
const (
	tries     = 5
	firstWait = time.Second
)

// poll asks until the answer is true, with growing waits.
func (x *run) poll(ctx context.Context, ask func() (bool, error)) (bool, error) {
	for i, wait := 0, firstWait; ; i, wait = i+1, 2*wait {
		ok, err := ask()
		if ok || err != nil || i == tries-1 {
			return ok, err
		}
		if err := x.sleep(ctx, wait); err != nil {
			return false, err
		}
	}
}

// prove says why a call is not seen to have taken effect; "" when it is, or
// when nothing could show it.
func (x *run) prove(ctx context.Context, p proof) string {
	why := ""
	_, err := x.poll(ctx, func() (bool, error) {
		var err error
		why, err = x.look(ctx, p)
		return why == "", err
	})
	switch {
	case errors.Is(err, ErrNotExecutable), errors.Is(err, ErrUnreadable):
		return ""
	case err != nil:
		return "it was called, but cannot be verified: " + explain(err)
	case why != "":
		return "it was called, but does not hold: " + why
	}
	return ""
}

func (x *run) look(ctx context.Context, p proof) (string, error) {
	r := x.reader(p.at)
	if len(p.checks) > 0 {
		return r.unmet(ctx, p.checks, p.since)
	}
	e, known := effectOf(p.call)
	if !known || e.fresh != "" && p.id == "" {
		return "", nil
	}
	v, err := r.state(ctx, e, p.call)
	list, _ := v.([]any)
	if err != nil || e.holds(p.call, v, p.since) || p.id != "" && slices.Contains(list, any(p.id)) {
		return "", err
	}
	return fmt.Sprintf("%s:%s shows %s", p.call.Service, e.read, brief(v)), nil
}
