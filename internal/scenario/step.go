package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Step is one call, or several with For.
type Step struct {
	At     string          `json:"at"`               // 2006-01-02T15:04:05Z, or after the previous event: +90s
	By     string          `json:"by,omitempty"`     // a credential, or a caller as callerOf explains
	From   string          `json:"from,omitempty"`   // an origin
	Call   string          `json:"call"`             // service:Operation, the service as in its host name
	With   json.RawMessage `json:"with,omitempty"`   // request parameters
	Gets   json.RawMessage `json:"gets,omitempty"`   // response elements
	Extra  json.RawMessage `json:"extra,omitempty"`  // additional event data
	Region string          `json:"region,omitempty"` // the scenario's, if empty
	Via    string          `json:"via,omitempty"`    // the AWS service that calls for the caller

	Name   string              `json:"name,omitempty"`   // for ${event.NAME}
	New    map[string]string   `json:"new,omitempty"`    // name → prefix of an id to make
	For    map[string][]string `json:"for,omitempty"`    // one variable: the step for each of its values
	Every  string              `json:"every,omitempty"`  // time between those, 2s if empty
	Error  *Failure            `json:"error,omitempty"`  // the call fails with it
	Denied string              `json:"denied,omitempty"` // it is denied on this resource

	Issues  string `json:"issues,omitempty"`  // name for the credential that it hands out
	Grants  string `json:"grants,omitempty"`  // its kind, where the catalogue does not say
	Role    string `json:"role,omitempty"`    // the role of a role session
	Session string `json:"session,omitempty"` // its name
	Lasts   string `json:"lasts,omitempty"`   // its life, if no durationSeconds is in the request
	MFA     bool   `json:"mfa,omitempty"`     // it was got with a second factor
	Source  string `json:"source_identity,omitempty"`
	IMDS    string `json:"imds,omitempty"` // version of the metadata service that delivers it

	// Rules are the behaviours that a tool must see in this event, Benign those
	// that it may rightly see in everyday use, with the reason why it is none.
	Rules  []string          `json:"rules,omitempty"`
	Benign map[string]string `json:"benign,omitempty"`
	Note   string            `json:"note,omitempty"`
}

// Failure is an error that AWS answers with.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// Event is one record of the log, with what the scenario knows about it.
type Event struct {
	ID     string
	Time   time.Time
	Region string
	Act    string // act or routine that it belongs to
	Hand   Hand
	JSON   []byte

	by           *credential
	keyID        string // the access key id that the record shows
	call         string
	outcome      string
	principalID  string
	principalARN string
	rules        []string
	benign       map[string]string
}

// play runs the steps of an act.
func (w *world) play(act Act) error {
	if act.Hand != Everyday && act.Hand != Intruder {
		return fmt.Errorf("act %q: hand %q is neither %s nor %s", act.Name, act.Hand, Everyday, Intruder)
	}
	var clock time.Time
	for i, st := range act.Steps {
		if st.By == "" {
			st.By = act.By
		}
		if st.From == "" {
			st.From = act.From
		}
		if st.Region == "" {
			st.Region = act.Where
		}
		if len(act.Benign) > 0 {
			benign := maps.Clone(act.Benign)
			maps.Copy(benign, st.Benign)
			st.Benign = benign
		}
		at, err := stepTime(st.At, clock)
		if err != nil {
			return fmt.Errorf("act %q, step %d (%s): %w", act.Name, i+1, st.Call, err)
		}
		d := newDice(w.s.Seed, "act", act.Name, st.Call, stamp(at))
		clock, err = w.each(act, st, at, d)
		if err != nil {
			return fmt.Errorf("act %q, step %d (%s): %w", act.Name, i+1, st.Call, err)
		}
	}
	return nil
}

// each does a step for every value of its variable.
func (w *world) each(act Act, st Step, at time.Time, d dice) (time.Time, error) {
	if len(st.For) == 0 {
		_, err := w.do(act, st, at, nil, d)
		return at, err
	}
	if len(st.For) > 1 {
		return at, errors.New("for takes one variable")
	}
	pause := 2 * time.Second
	if st.Every != "" {
		var err error
		if pause, err = time.ParseDuration(st.Every); err != nil {
			return at, err
		}
	}
	last := at
	for name, values := range st.For {
		for i, v := range values {
			last = at.Add(time.Duration(i) * pause)
			if _, err := w.do(act, st, last, map[string]string{name: v}, d); err != nil {
				return at, err
			}
		}
	}
	return last, nil
}

func stepTime(at string, clock time.Time) (time.Time, error) {
	if after, ok := strings.CutPrefix(at, "+"); ok {
		if clock.IsZero() {
			return clock, errors.New("the first step of an act needs a date")
		}
		d, err := time.ParseDuration(after)
		return clock.Add(d), err
	}
	return time.Parse(timeLayout, at)
}

// do makes the event of a step and changes the world as the call would.
func (w *world) do(act Act, st Step, at time.Time, vars map[string]string, d dice) (*Event, error) {
	service, operation, ok := strings.Cut(st.Call, ":")
	if !ok {
		return nil, fmt.Errorf("call %q is not service:Operation", st.Call)
	}
	by, err := w.callerOf(st.By)
	if err != nil {
		return nil, err
	}
	sc := &scope{w: w, d: d, at: at, caller: by, vars: vars}
	if sc.region, err = sc.text(st.Region); err != nil {
		return nil, err
	}
	if sc.region == "" {
		sc.region = w.s.Region
	}
	if globalServices[service] {
		sc.region = "us-east-1"
	}
	for _, name := range sortedKeys(st.New) {
		w.bound[name] = d.id(st.New[name], w.account)
	}
	if by.temporary() && at.After(by.expires) {
		return nil, fmt.Errorf("credential %s is used at %s, after its end at %s", by.name, stamp(at), stamp(by.expires))
	}
	if at.Before(by.issuedAt) {
		return nil, fmt.Errorf("credential %s is used at %s, before its issue at %s", by.name, stamp(at), stamp(by.issuedAt))
	}

	sc.role, sc.session, sc.mfa = st.Role, st.Session, st.MFA
	call, ok := w.calls[st.Call+"@"+by.identity.Type]
	if !ok {
		call = w.calls[st.Call]
	}
	b := builder{w: w, sc: sc, st: st, call: call, service: service, operation: operation}
	rec, err := b.build()
	if err != nil {
		return nil, err
	}
	data, err := compact(rec)
	if err != nil {
		return nil, err
	}
	e := &Event{
		ID: rec.EventID, Time: at, Region: rec.AWSRegion, Act: act.Name, Hand: act.Hand, JSON: data,
		by: by, keyID: rec.UserIdentity.AccessKeyID, call: st.Call, outcome: b.outcome(), principalID: rec.UserIdentity.PrincipalID,
		principalARN: rec.UserIdentity.ARN, rules: st.Rules, benign: st.Benign,
	}
	w.events = append(w.events, e)
	if st.Name != "" {
		w.named[st.Name] = e
	}
	if sc.issued != nil {
		sc.issued.event, sc.issued.hand = e.ID, act.Hand
		w.bind(sc.issued)
	}
	return e, nil
}
