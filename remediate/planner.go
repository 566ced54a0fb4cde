package remediate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
)

// maxEvidence bounds the event ids of one action; its reason gives the number.
const maxEvidence = 100

// planner builds one plan. The order within a phase is that of add.
type planner struct {
	lineage  *lineage.Lineage
	evidence *evidence
	names    names
	history  history
	mine     map[*event]bool

	partition string
	values    map[string]string // of expressions plan.…
	byPhase   map[Phase][]*Action
	denies    []string // ids of the automatic denies
	ids       map[string]bool
	holders   []*holder
	created   map[subject]*change // users, roles, … of the lineage that still stand
}

// NewPlan writes the plan for a lineage from the case that it was traced in. It
// reads the case and never calls AWS; the same case and lineage give the same
// plan, generated_at aside.
func NewPlan(ctx context.Context, c *query.Case, l *lineage.Lineage) (*Plan, error) {
	ev, err := loadEvidence(ctx, c, l)
	if err != nil {
		return nil, err
	}
	return newPlan(l, ev)
}

func newPlan(l *lineage.Lineage, ev *evidence) (*Plan, error) {
	keys := slices.Sorted(slices.Values(l.Keys))
	p := &planner{
		lineage: l, evidence: ev, names: followNames(ev.events, ev.others), history: newHistory(ev.events, ev.others), mine: map[*event]bool{},
		partition: "aws", byPhase: map[Phase][]*Action{}, ids: map[string]bool{}, created: map[subject]*change{},
		values: map[string]string{"denyName": "trailscan-contain-" + incidentHash(keys)},
	}
	for _, e := range ev.events {
		p.mine[e] = true
	}
	if len(l.Credentials) > 0 {
		p.partition = partitionOf(l.Credentials[0].PrincipalARN, "")
	}
	known, unknown := changes(ev.events)
	standing := p.standing(known)

	p.findHolders(known)
	p.contain()
	p.revoke()
	p.collect()
	p.undoAll(standing)
	p.closeDoors()
	p.unknown(unknown)
	p.exposures(unknown)
	p.restore()
	return p.finish(keys)
}

// standing are the changes that no later event undid, that the intruder, not
// someone before, made, and that took something from someone else.
func (p *planner) standing(known []*change) []*change {
	var out []*change
	for _, c := range known {
		if p.history.settle(c) || p.history.stood(c, p.mine) || p.history.ownMade(c, p.mine) {
			continue
		}
		out = append(out, c)
		if c.undo.creates != "" && len(c.objects) == 1 && !c.unnamed {
			p.created[subject{c.last().accountID, c.undo.creates, c.objects[0]}] = c
		}
	}
	return out
}

// undoAll writes the steps for each change: the newest first, so that what
// depends on something goes before it, and what others are in (users, roles,
// groups, policies) at the end.
func (p *planner) undoAll(standing []*change) {
	ordered := slices.Clone(standing)
	slices.SortStableFunc(ordered, func(a, b *change) int {
		if ra, rb := containerRank(a), containerRank(b); ra != rb {
			return ra - rb
		}
		return b.last().time.Compare(a.last().time)
	})
	for _, c := range ordered {
		p.undo(c)
	}
	// Logs come first: they must see the rest. None of them waits for a review.
	slices.SortStableFunc(p.byPhase[Preserve], func(a, b *Action) int {
		return cmp.Compare(boolRank(a.Mode != Auto), boolRank(b.Mode != Auto))
	})
	// What runs out comes first in its phase, the most urgent at the top.
	for _, list := range p.byPhase {
		slices.SortStableFunc(list, func(a, b *Action) int {
			switch {
			case a.Deadline != nil && b.Deadline != nil:
				return a.Deadline.Compare(*b.Deadline)
			case a.Deadline != nil && len(a.DependsOn) == 0:
				return -1
			case b.Deadline != nil && len(b.DependsOn) == 0:
				return 1
			}
			return 0
		})
	}
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func containerRank(c *change) int {
	return 1 + slices.Index([]string{"user", "role", "instance profile", "group", "policy", "identity provider"}, c.undo.creates)
}

// undo writes the actions that reverse one change, or the manual one that
// names it where the log does not show enough.
func (p *planner) undo(c *change) {
	s := &scope{event: c.last(), plan: p.values, gone: c.gone, prior: p.history.before(c, p.mine)}
	steps := c.undo.steps
	if s.prior == nil && needsPrior(steps) {
		steps = c.undo.blind
	}
	doomed := p.inCreated(c)
	reason := p.reason(c)
	var waits chain
	written := 0
	for _, st := range steps {
		if st.when[0] != "" {
			if v, err := s.eval(st.when[0]); err != nil || isEmpty(v) || st.when[1] != anyValue && show(v) != st.when[1] {
				continue
			}
		}
		if doomed && (st.phase == Recover || st.phase == Restore) {
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
		return slices.ContainsFunc(slices.Collect(maps.Values(s.in)), func(v any) bool {
			text, ok := v.(string)
			return ok && strings.Contains(text, "prior")
		})
	})
}

// onCreated says that the change was made to something of another service that
// the intruder created, by whose removal it ends.
func (p *planner) onCreated(c *change) bool {
	for s, own := range p.created {
		if own != c && s.account == c.last().accountID && own.last().source == c.last().source && slices.Contains(c.objects, s.name) {
			return true
		}
	}
	return false
}

// inCreated says that the change was made to something that the intruder
// created and that will be deleted.
func (p *planner) inCreated(c *change) bool {
	e := c.last()
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
	if st.each == nil {
		a.Verify = verifyOf(service, operation, a.Parameters)
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
		a.DependsOn = slices.Clone(p.denies)
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

func eventIDs(events []*event) []string {
	var ids []string
	for _, e := range events {
		if len(ids) < maxEvidence && !slices.Contains(ids, e.id) {
			ids = append(ids, e.id)
		}
	}
	return ids
}

func allUnclear(events []*event) bool {
	return !slices.ContainsFunc(events, func(e *event) bool { return !e.unclear })
}

// finish puts the phases together and seals the plan.
func (p *planner) finish(keys []string) (*Plan, error) {
	plan := &Plan{
		Version: PlanVersion, Keys: keys, GeneratedAt: time.Now().UTC().Truncate(time.Second), LogThrough: p.lineage.AsOf.UTC(),
	}
	accounts := map[string]bool{}
	modes := map[string]Mode{}
	for _, phase := range phaseOrder {
		for _, a := range p.byPhase[phase] {
			// What an action waits for may have lost its mode since.
			if a.Mode == Auto && slices.ContainsFunc(a.DependsOn, func(id string) bool { return modes[id] != Auto }) {
				a.Mode = Review
			}
			modes[a.ID] = a.Mode
			plan.Actions = append(plan.Actions, *a)
			if a.AccountID != "" {
				accounts[a.AccountID] = true
			}
		}
	}
	plan.AccountIDs = slices.Sorted(maps.Keys(accounts))
	plan.Lineage = planLineage(p.lineage)
	plan = plan.filled()
	if err := plan.Validate(); err != nil {
		return nil, fmt.Errorf("the plan that was made is not valid: %w", err)
	}
	var err error
	plan.Digest, err = plan.ComputeDigest()
	return plan, err
}

// planLineage lists what the intruder holds: whoever applies the plan must be
// none of it. Principals that were only changed are not the intruder's; a role
// that was assumed counts, for the plan cuts off all of its sessions.
func planLineage(l *lineage.Lineage) PlanLineage {
	keys, ids, arns := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range l.Credentials {
		for _, id := range append([]string{c.ID}, c.AccessKeyIDs...) {
			if strings.HasPrefix(id, "AKIA") || strings.HasPrefix(id, "ASIA") || slices.Contains(c.AccessKeyIDs, id) {
				keys[id] = true
			}
		}
		ids[c.PrincipalID] = true
		arns[c.PrincipalARN] = true
	}
	for _, r := range l.Principals {
		if r.How == lineage.Created || r.How == lineage.Assumed {
			ids[r.PrincipalID] = true
			arns[r.ARN] = true
		}
	}
	for _, k := range l.Keys {
		keys[k] = true
	}
	for _, set := range []map[string]bool{keys, ids, arns} {
		delete(set, "")
	}
	return PlanLineage{slices.Sorted(maps.Keys(keys)), slices.Sorted(maps.Keys(ids)), slices.Sorted(maps.Keys(arns))}
}
