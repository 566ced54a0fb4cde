package remediate

import (
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
	denies    map[string][]string // ids of the automatic denies, by account
	denyOf    map[subject]string  // id of the first automatic deny on a holder
	gates     map[string]string   // id of the deny that waits for all others of its account
	ids       map[string]bool
	calls     map[string]*Action // by what they call where
	holders   []*holder
	created   map[subject]*change // users, roles, … of the lineage that still stand
	stands    []*change           // what is to be undone
	byEvent   map[string]*event
	holderOf  map[string]*holder // by the id of a credential
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
	p := newPlanner(l, ev)
	known, unknown := changes(ev.events)
	p.stands = p.standing(known)

	p.findHolders(known)
	p.contain()
	p.revoke()
	p.collect()
	p.undoAll(p.stands)
	p.closeDoors()
	p.unknown(unknown)
	p.exposures(unknown)
	p.restore()
	p.urgentFirst()
	return p.finish()
}

func newPlanner(l *lineage.Lineage, ev *evidence) *planner {
	keys := slices.Sorted(slices.Values(l.Keys))
	p := &planner{
		lineage: l, evidence: ev, names: followNames(ev.events, ev.others), history: newHistory(ev.events, ev.others), mine: map[*event]bool{},
		partition: "aws", byPhase: map[Phase][]*Action{}, ids: map[string]bool{}, created: map[subject]*change{},
		denies: map[string][]string{}, denyOf: map[subject]string{}, gates: map[string]string{}, calls: map[string]*Action{}, byEvent: map[string]*event{},
		values: map[string]string{"denyName": "trailscan-contain-" + incidentHash(keys)},
	}
	for _, e := range ev.events {
		p.mine[e] = true
	}
	for _, e := range slices.Concat(ev.others, ev.events) {
		p.byEvent[e.id] = e
	}
	if len(l.Credentials) > 0 {
		p.partition = partitionOf(l.Credentials[0].PrincipalARN, "")
	}
	return p
}

// standing are the changes that no later event undid, that the intruder, not
// someone before, made, and that took something from someone else.
func (p *planner) standing(known []*change) []*change {
	var out []*change
	launched, stopped := map[string]bool{}, map[string]time.Time{}
	for _, c := range known {
		if c.undo.call == "ec2:RunInstances" {
			for _, id := range c.elements {
				launched[id] = true
			}
		}
		if c.undo.call == "ec2:StopInstances" {
			for _, id := range c.elements {
				stopped[id] = c.first().time
			}
		}
	}
	for _, c := range known {
		// What the intruder stopped of its own is not started again.
		if c.undo.call == "ec2:StopInstances" && !slices.ContainsFunc(c.elements, func(id string) bool { return !launched[id] }) {
			continue
		}
		// Nor is what it stopped and started again stopped once more: it ran before.
		if c.undo.call == "ec2:StartInstances" && !slices.ContainsFunc(c.elements, func(id string) bool {
			at, ok := stopped[id]
			return !ok || at.After(c.first().time)
		}) {
			continue
		}
		if _, unchanged := p.history.before(c, p.mine); unchanged {
			continue
		}
		if p.history.settle(c) || p.history.stood(c, p.mine) || p.history.ownMade(c, p.mine) || p.wasSoAlready(c) {
			continue
		}
		out = append(out, c)
		if c.undo.creates != "" && len(c.objects) == 1 && !c.unnamed {
			p.created[subject{c.last().accountID, c.undo.creates, c.objects[0]}] = c
		}
	}
	return out
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
func (p *planner) finish() (*Plan, error) {
	keys := slices.Sorted(slices.Values(p.lineage.Keys))
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
	plan.Administrators = p.evidence.administrators
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
