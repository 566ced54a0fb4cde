package scenario

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Routine is what somebody, or something, does again and again: bursts of
// calls from a menu, through the credential named As or through a session that
// each burst takes first.
type Routine struct {
	Name string `json:"name"`
	As   string `json:"as"`   // a credential or a caller, as callerOf explains
	From string `json:"from"` // an origin; not needed for services
	Menu string `json:"menu"`

	On      string    `json:"on,omitempty"`      // weekdays (if empty), daily, weekends
	Between [2]string `json:"between,omitempty"` // 09:00, 17:30; UTC
	Bursts  [2]int    `json:"bursts,omitempty"`  // a day, from … to
	Every   string    `json:"every,omitempty"`   // instead of bursts: at 00:07, 00:07+every, …
	Calls   [2]int    `json:"calls"`             // a burst, from … to
	Pace    int       `json:"pace,omitempty"`    // longest pause between calls in seconds, 40 if 0
	Since   string    `json:"since,omitempty"`   // first day
	Until   string    `json:"until,omitempty"`   // first day without

	Regions []string `json:"regions,omitempty"` // one is chosen for a burst
	Hops    []Hop    `json:"hops,omitempty"`    // sessions taken first, each through the one before
	// Benign is as of a step, by the call.
	Benign map[string]map[string]string `json:"benign,omitempty"`
}

// Hop is a call that hands out the credential of the rest of a burst.
type Hop struct {
	Call    string            `json:"call,omitempty"` // sts:AssumeRole, if empty
	Role    string            `json:"role,omitempty"`
	Session string            `json:"session,omitempty"`
	From    string            `json:"from,omitempty"` // where the session is used, if not where it was got
	Lasts   string            `json:"lasts,omitempty"`
	MFA     bool              `json:"mfa,omitempty"`
	IMDS    string            `json:"imds,omitempty"`
	Benign  map[string]string `json:"benign,omitempty"`
}

// run adds a routine's events of all days.
func (w *world) run(r Routine) error {
	menu, err := w.s.Menus[r.Menu].flat()
	if err != nil {
		return fmt.Errorf("routine %q: menu %q: %w", r.Name, r.Menu, err)
	}
	since, until := w.s.start, w.s.end
	if r.Since != "" {
		if since, err = time.Parse(time.DateOnly, r.Since); err != nil {
			return fmt.Errorf("routine %q: %w", r.Name, err)
		}
	}
	if r.Until != "" {
		if until, err = time.Parse(time.DateOnly, r.Until); err != nil {
			return fmt.Errorf("routine %q: %w", r.Name, err)
		}
	}
	for day := since; day.Before(until); day = day.AddDate(0, 0, 1) {
		d := newDice(w.s.Seed, "routine", r.Name, stamp(day))
		starts, err := r.starts(day, d)
		if err != nil {
			return fmt.Errorf("routine %q: %w", r.Name, err)
		}
		for _, at := range starts {
			if err := w.burst(r, menu, at, d); err != nil {
				return fmt.Errorf("routine %q, %s: %w", r.Name, stamp(at), err)
			}
		}
	}
	return nil
}

// starts are the times of the bursts of a day.
func (r Routine) starts(day time.Time, d dice) ([]time.Time, error) {
	weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	switch r.On {
	case "", "weekdays":
		if weekend {
			return nil, nil
		}
	case "weekends":
		if !weekend {
			return nil, nil
		}
	case "daily":
	default:
		return nil, fmt.Errorf("on %q is none of weekdays, weekends, daily", r.On)
	}
	if r.Every != "" {
		every, err := time.ParseDuration(r.Every)
		if err != nil {
			return nil, err
		}
		if every < time.Minute {
			return nil, errors.New("every must be at least a minute")
		}
		var out []time.Time
		minute := time.Duration(d.IntN(240)) * time.Second
		for at := minute; at < 24*time.Hour-every/2; at += every {
			out = append(out, day.Add(at))
		}
		return out, nil
	}
	lo, hi, err := window(r.Between)
	if err != nil {
		return nil, err
	}
	if most := int((hi - lo) / time.Minute); r.Bursts[0] < 0 || max(r.Bursts[0], r.Bursts[1]) > most {
		return nil, fmt.Errorf("bursts %v: from 0 to %d fit between %s and %s", r.Bursts, most, r.Between[0], r.Between[1])
	}
	out := make([]time.Time, d.between(r.Bursts[0], r.Bursts[1]))
	for i := range out { // spread over the window, one in each part of it
		part := (hi - lo) / time.Duration(len(out))
		out[i] = day.Add(lo + time.Duration(i)*part + time.Duration(d.Int64N(int64(part/2)))).Truncate(time.Second)
	}
	return out, nil
}

func window(between [2]string) (lo, hi time.Duration, err error) {
	var at [2]time.Time
	for i, s := range between {
		if at[i], err = time.Parse("15:04", s); err != nil {
			return 0, 0, err
		}
	}
	midnight := at[0].Truncate(24 * time.Hour)
	lo, hi = at[0].Sub(midnight), at[1].Sub(midnight)
	if hi <= lo {
		return 0, 0, fmt.Errorf("between %s and %s is no time", between[0], between[1])
	}
	return lo, hi, nil
}

// burst makes the calls of one burst, after those that take its session.
func (w *world) burst(r Routine, menu []string, at time.Time, d dice) error {
	act := Act{Name: r.Name, Hand: Everyday}
	region := ""
	if len(r.Regions) > 0 {
		region = d.pick(r.Regions)
	}
	as, from := r.As, r.From
	var until time.Time
	for i, hop := range r.Hops {
		st := Step{By: as, From: from, Region: region, Call: hop.Call, Role: hop.Role, Session: w.sessionName(hop.Session, at, d),
			MFA: hop.MFA, Lasts: hop.Lasts, IMDS: hop.IMDS, Benign: hop.Benign}
		if st.Call == "" {
			st.Call = "sts:AssumeRole"
		}
		st.Issues = "routine " + r.Name + " " + stamp(at)
		if _, err := w.do(act, st, at, nil, d); err != nil {
			return err
		}
		as = st.Issues
		until = w.creds[as].expires
		if hop.From != "" {
			from = hop.From
		}
		at = at.Add(time.Duration(d.between(1, 4+4*i)) * time.Second)
	}
	pace := r.Pace
	if pace == 0 {
		pace = 40
	}
	for range d.between(r.Calls[0], r.Calls[1]) {
		call := d.pick(menu)
		st := Step{By: as, From: from, Region: region, Benign: r.Benign[call]}
		if denied, ok := strings.CutSuffix(call, "!"); ok {
			call, st.Denied = denied, "*"
		}
		st.Call = call
		if !until.IsZero() && at.After(until) || !at.Before(w.s.end) {
			break
		}
		if _, err := w.do(act, st, at, nil, d); err != nil {
			return err
		}
		at = at.Add(time.Duration(d.between(1, pace)) * time.Second)
	}
	return nil
}

// sessionName fills the parts of a session name that differ each time.
func (w *world) sessionName(name string, at time.Time, d dice) string {
	if head, ok := strings.CutSuffix(name, "*"); ok {
		return fmt.Sprintf("%s%d", head, at.Unix()*1000+int64(d.IntN(1000)))
	}
	return name
}

// flat repeats each call of a menu by its weight.
func (m Menu) flat() ([]string, error) {
	var out []string
	for _, call := range sortedKeys(m) {
		for range m[call] {
			out = append(out, call)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("is empty or missing")
	}
	return out, nil
}
