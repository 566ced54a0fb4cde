package reports

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"trailscan/query"
)

// Bounds of the narrative: how many passages a report shows, how long a silence
// ends one, and how many of its values one names.
const (
	maxPassages    = 2000
	passagePause   = 10 * time.Minute
	passageSamples = 3
)

// Narrative is what the intruder did, for a reader: repeated calls stand
// together. timeline.csv has every event.
type Narrative struct {
	Events        int64     `json:"events"`         // of the intruder, in all
	OmittedEvents int64     `json:"omitted_events"` // those in passages left out: reads without a finding, first
	Passages      []Passage `json:"passages"`       // by first time
}

// Passage is one call, or the same call repeated by the same credential from
// the same address with the same outcome and pauses of at most ten minutes.
type Passage struct {
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
	Count        int64     `json:"count"`
	AccountID    string    `json:"account_id"`
	EventSource  string    `json:"event_source"`
	EventName    string    `json:"event_name"`
	Outcome      string    `json:"outcome"`
	PrincipalARN string    `json:"principal_arn"`
	AccessKeyID  string    `json:"access_key_id"`
	SourceIP     string    `json:"source_ip_address"`
	UserAgent    string    `json:"user_agent"`
	Regions      []string  `json:"regions"`
	Resources    []string  `json:"resources"`      // the first three
	More         int64     `json:"more_resources"` // events that named yet another
	FindingRules []string  `json:"finding_rules"`
	EventID      string    `json:"event_id"` // of the first event

	writes bool
}

// telling says that a passage is kept before others when not all can be shown.
func (p *Passage) telling() bool { return len(p.FindingRules) > 0 || p.writes }

func (inc *Incident) loadNarrative(ctx context.Context, c *query.Case) error {
	if inc.Lineage == nil {
		return nil
	}
	n := newNarrator(maxPassages)
	err := Timeline(ctx, c, Filter{Lineage: true}, func(r Row) error {
		n.tell(r)
		return nil
	})
	inc.Timeline = n.finish()
	return err
}

// narrator groups rows into passages and keeps at most limit of each of the
// telling and the others, so that its memory is bounded.
type narrator struct {
	limit   int
	events  int64
	open    map[passageKey]*Passage
	telling []*Passage
	others  []*Passage
}

// passageKey is what the events of a passage share.
type passageKey struct {
	account, source, name, outcome, principal, key, ip, rules string
}

func newNarrator(limit int) *narrator {
	return &narrator{limit: limit, open: map[passageKey]*Passage{}}
}

// tell adds a row; rows come in order of time.
func (n *narrator) tell(r Row) {
	n.events++
	key := passageKey{r.AccountID, r.EventSource, r.EventName, r.Outcome, r.PrincipalARN, r.AccessKeyID,
		r.SourceIPAddress, strings.Join(r.FindingRules, " ")}
	p := n.open[key]
	if p == nil || r.Time.Sub(p.Last) > passagePause {
		p = &Passage{First: r.Time, AccountID: r.AccountID, EventSource: r.EventSource, EventName: r.EventName,
			Outcome: r.Outcome, PrincipalARN: r.PrincipalARN, AccessKeyID: r.AccessKeyID, SourceIP: r.SourceIPAddress,
			UserAgent: r.UserAgent, FindingRules: r.FindingRules, EventID: r.EventID, writes: r.writes}
		n.open[key] = p
		n.keep(p)
	}
	p.Last = r.Time
	p.Count++
	if r.Region != "" && !slices.Contains(p.Regions, r.Region) {
		p.Regions = append(p.Regions, r.Region)
	}
	switch {
	case r.Resource == "" || slices.Contains(p.Resources, r.Resource):
	case len(p.Resources) < passageSamples:
		p.Resources = append(p.Resources, r.Resource)
	default:
		p.More++
	}
	if len(n.open) > 4*n.limit {
		n.forget(r.Time)
	}
}

// keep holds a new passage as far as the limit allows; one not held is still
// counted when its events have come.
func (n *narrator) keep(p *Passage) {
	if p.telling() {
		n.telling = append(n.telling, p)
	} else {
		n.others = append(n.others, p)
	}
	n.telling = n.trim(n.telling)
	n.others = n.trim(n.others)
}

// trim drops the last passages of a list that has grown to twice the limit:
// the beginning of an intrusion explains what follows.
func (n *narrator) trim(list []*Passage) []*Passage {
	if len(list) < 2*n.limit {
		return list
	}
	clear(list[n.limit:])
	return list[:n.limit]
}

// forget closes the passages that no row at this time can continue.
func (n *narrator) forget(now time.Time) {
	for key, p := range n.open {
		if now.Sub(p.Last) > passagePause {
			delete(n.open, key)
		}
	}
}

// finish gives the narrative: the telling passages, and as many others as fit.
func (n *narrator) finish() Narrative {
	kept := n.telling[:min(len(n.telling), n.limit)]
	room := n.limit - len(kept)
	kept = append(slices.Clone(kept), n.others[:min(len(n.others), room)]...)
	out := Narrative{Events: n.events, OmittedEvents: n.events}
	for _, p := range kept {
		out.OmittedEvents -= p.Count
		out.Passages = append(out.Passages, *p)
	}
	slices.SortStableFunc(out.Passages, func(a, b Passage) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.EventID, b.EventID))
	})
	return out
}
