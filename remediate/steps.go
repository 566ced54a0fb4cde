package remediate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// undo writes the actions that reverse one change, or the manual one that
// names it where the log does not show enough.
func (p *planner) undo(c *change) {
	s := &scope{event: c.last(), plan: p.values, gone: c.gone, events: c.events, el: c.el}
	s.prior, _ = p.history.before(c, p.mine)
	steps := c.undo.steps
	if s.prior == nil && needsPrior(steps) {
		steps = c.undo.blind
	}
	doomed := p.inCreated(c)
	ends := p.endsBefore(c)
	reason := p.reason(c)
	var waits chain
	written := 0
	for _, st := range steps {
		if !s.applies(st) {
			continue
		}
		// What is automatic is done before the removal, which waits for a person.
		if (doomed || ends && st.mode != Auto) && (st.phase == Recover || st.phase == Restore) {
			written++
			continue
		}
		a, err := p.action(c, s, st, reason)
		if err != nil {
			p.manual(c, s, reason+" No call can be written for it: "+err.Error()+".")
			return
		}
		if c.undo.chain {
			waits.join(a, st.apart)
		}
		a = p.add(a)
		if c.undo.chain {
			waits.done(a, st.apart)
		}
		written++
	}
	if written == 0 && !doomed && !p.onCreated(c) {
		p.manual(c, s, reason)
	}
}

// applies says whether a step is for the events at hand.
func (s *scope) applies(st step) bool {
	if st.when[0] == "" {
		return true
	}
	v, err := s.eval(st.when[0])
	if err != nil || isEmpty(v) {
		return false
	}
	if other, negated := strings.CutPrefix(st.when[1], "!"); negated {
		return show(v) != other
	}
	return st.when[1] == anyValue || show(v) == st.when[1]
}

// chain is the steps of an undo so far: those apart since the last that was not,
// and that one.
type chain struct{ apart, before []*Action }

// join makes a step wait.
func (c *chain) join(a *Action, apart bool) {
	for _, b := range slices.Concat(c.before, c.apart) {
		if apart && slices.Contains(c.apart, b) {
			continue
		}
		a.DependsOn = append(a.DependsOn, b.ID)
		if b.Mode != Auto {
			a.Mode = Review
		}
	}
}

// done adds a step.
func (c *chain) done(a *Action, apart bool) {
	if apart {
		c.apart = append(c.apart, a)
		return
	}
	c.before, c.apart = []*Action{a}, nil
}

func needsPrior(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(s.in)), readsPrior)
	})
}

// readsPrior says whether a parameter is made of what stood there before.
func readsPrior(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "prior")
	case args:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), readsPrior)
	case []args:
		return slices.ContainsFunc(v, func(a args) bool { return readsPrior(a) })
	}
	return false
}

// createdUnder are what the intruder created, of the same service, that the change
// was made to.
func (p *planner) createdUnder(c *change) []*change {
	var out []*change
	for s, own := range p.created {
		if own != c && s.account == c.last().accountID && own.last().source == c.last().source && slices.Contains(c.objects, s.name) {
			out = append(out, own)
		}
	}
	return out
}

// onCreated says that the change was made to something of another service that
// the intruder created, by whose removal it ends.
func (p *planner) onCreated(c *change) bool { return len(p.createdUnder(c)) > 0 }

// endsBefore says that what the change was made to is the intruder's own, and is
// deleted before changes are taken back. A bucket may stay, for what is in it.
func (p *planner) endsBefore(c *change) bool {
	return slices.ContainsFunc(p.createdUnder(c), func(own *change) bool {
		return own.last().source != "s3" && len(own.undo.prior) == 0 && slices.ContainsFunc(own.undo.steps, func(st step) bool {
			_, operation := splitCall(st.call)
			return st.phase == Evict && isDestructive(operation)
		})
	})
}

// wholes are the things, besides those of IAM, with which all goes that was done
// to them, and what events call them.
var wholes = map[string]struct{ kind, param string }{"s3": {"bucket", "bucketName"}, "sso": {"permission set", "permissionSetArn"}}

// inCreated says that the change was made to something that the intruder
// created and that will be deleted.
func (p *planner) inCreated(c *change) bool {
	e := c.last()
	if k, ok := wholes[e.source]; ok {
		name, _ := dig(e.request, []string{k.param}).(string)
		own := p.created[subject{e.accountID, k.kind, name}]
		return own != nil && own != c
	}
	for _, k := range containers {
		kind := map[string]string{"userName": "user", "roleName": "role", "groupName": "group", "policyArn": "policy", "instanceProfileName": "instance profile"}[k.param]
		for _, name := range []any{container(e, k.param), dig(e.request, []string{"new" + k.param})} {
			name, _ := name.(string)
			if own := p.created[subject{e.accountID, kind, name}]; own != nil && own != c && e.source == "iam" {
				return true
			}
		}
	}
	return false
}

func (p *planner) reason(c *change) string {
	e := c.last()
	r := fmt.Sprintf("The lineage called %s:%s at %s", e.source, e.name, e.time.Format(time.RFC3339))
	if n := len(c.events); n > 1 {
		r = fmt.Sprintf("The lineage called %s:%s %d times, the last at %s", e.source, e.name, n, e.time.Format(time.RFC3339))
	}
	return r + " (credential " + e.credential + ")."
}

// action writes one step as an action.
func (p *planner) action(c *change, s *scope, st step, reason string) (*Action, error) {
	e := s.event
	service, operation := splitCall(st.call)
	a := &Action{
		Phase: st.phase, Mode: st.mode, AccountID: e.accountID, Region: p.regionOf(service, e), Service: service, Operation: operation,
		Title: s.text(st.title), Reason: reason, Risk: st.risk, Evidence: eventIDs(c.events),
	}
	var err error
	if a.Parameters, err = s.resolve(st.in); err != nil {
		return nil, err
	}
	if st.each != nil {
		if a.ForEach, err = s.read(st.each.call, st.each.in, st.each.path); err != nil {
			return nil, err
		}
	}
	for _, w := range st.expect {
		check, err := s.check(w)
		if errors.Is(err, errNoValue) {
			a.Reason += " The log does not tell it from another of its name: see that it is the same."
			if a.Mode == Auto {
				a.Mode = Review
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		a.Expect = append(a.Expect, check)
	}
	for _, r := range st.back {
		call, err := s.call(r)
		if err != nil {
			// Without what the log should show, there is no exact way back.
			a.Rollback = nil
			break
		}
		a.Rollback = append(a.Rollback, call)
	}
	a.Verify = verifyOf(service, operation, a.Parameters)
	if st.each != nil {
		a.Verify = noneLeft(a)
	}
	if c.undo.deadline != nil {
		if t, ok := c.undo.deadline(e); ok {
			a.Deadline = &t
		}
	}
	if a.Mode == Auto && (len(a.Rollback) == 0 || isDestructive(operation)) {
		a.Mode = Review
	}
	// A log that runs again does no harm whoever stopped it.
	if a.Mode == Auto && st.phase != Preserve && allUnclear(c.events) {
		a.Mode = Review
		a.Reason += " The log does not tell whether the intruder or the owner made the call."
	}
	if t := p.history.touchedSince(c, p.mine); t != nil {
		if a.Mode == Auto {
			a.Mode = Review
		}
		a.Reason += fmt.Sprintf(" Someone outside of the lineage called %s:%s on the same at %s (event %s): look before you change it.",
			t.source, t.name, t.time.Format(time.RFC3339), t.id)
	}
	if len(c.gone) > 0 {
		a.Reason += " Undone already, and left out: " + strings.Join(slices.Sorted(maps.Keys(c.gone)), ", ") + "."
	}
	if st.phase == Evict || st.phase == Recover && a.Deadline == nil {
		a.DependsOn = p.waitsFor(c)
	}
	return a, nil
}

func (p *planner) regionOf(service string, e *event) string {
	if globalServices[service] || e.region == "" {
		return globalRegion(partitionOf(e.identityARN, e.region))
	}
	return e.region
}

func (s *scope) call(r reverse) (Call, error) {
	service, operation := splitCall(r.call)
	in, err := s.resolve(r.in)
	return Call{Service: service, Operation: operation, Parameters: in}, err
}

func (s *scope) read(call string, in args, path string) (*Read, error) {
	c, err := s.call(reverse{call, in})
	if err != nil {
		return nil, err
	}
	path, err = s.path(path)
	return &Read{Call: c, Path: path}, err
}

func (s *scope) check(w want) (Check, error) {
	r, err := s.read(w.call, w.in, w.path)
	if err != nil {
		return Check{}, err
	}
	if w.equals == "" {
		return Check{Read: *r, Absent: true}, nil
	}
	v, err := s.eval(w.equals)
	if err == nil && v == nil {
		err = fmt.Errorf("%s: %w", w.equals, errNoValue)
	}
	return Check{Read: *r, Equals: v}, err
}

// manual names a change that a person must deal with.
func (p *planner) manual(c *change, s *scope, reason string) {
	e := c.last()
	todo := c.undo.todo
	if todo == "" {
		todo = "Undo " + e.source + ":" + e.name + " on {" + strings.Join(c.undo.object, "}, {") + "} by hand."
	}
	phase := Recover
	if c.undo.watch {
		phase = Preserve
	}
	a := &Action{
		Phase: phase, Mode: Manual, AccountID: e.accountID, Region: p.regionOf(e.source, e),
		Title: s.text(todo), Reason: reason, Risk: "Look at what is there now before you change it.", Evidence: eventIDs(c.events),
	}
	if c.undo.deadline != nil {
		if t, ok := c.undo.deadline(e); ok {
			a.Deadline = &t
		}
	}
	p.addAs(a, c.undo.call+" "+strings.Join(c.objects, " "))
}
