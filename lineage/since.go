package lineage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A key has a history to compare with when it was used for a day, or twenty
// times over some hours. With less, that something is new says nothing: an
// intruder changes address and tool in one sitting too. A temporary credential
// lives for hours only, so that the calls alone count.
const (
	historySpan   = 24 * time.Hour
	historyEvents = 20
	busySpan      = 4 * time.Hour
)

// useGroup is what a root did from one address with one user agent.
type useGroup struct {
	source, agent   string // as in the log
	network, family string // network is "" where a service made the call
	first, last     time.Time
	actor           Actor
	why             string
}

// readUse reads what the roots did.
func (t *tracer) readUse(ctx context.Context) error {
	for _, r := range t.roots {
		r.groups = nil
	}
	return t.each(ctx, `SELECT r.root, coalesce(e.source_ip_address, ''), coalesce(e.user_agent, ''), coalesce(e.invoked_by, ''),
		    min(e.event_time), max(e.event_time)
		FROM events e JOIN trace_root_ids r ON r.access_key_id = e.access_key_id
		GROUP BY 1, 2, 3, 4 ORDER BY 1, 5, 2, 3, 4`, nil, func(scan func(...any) error) error {
		var i int
		var invokedBy string
		g := &useGroup{}
		if err := scan(&i, &g.source, &g.agent, &invokedBy, &g.first, &g.last); err != nil {
			return err
		}
		if !byService(g.source, invokedBy) {
			g.network, g.family = network(g.source), family(g.agent)
		}
		t.roots[i].groups = append(t.roots[i].groups, g)
		return nil
	})
}

// seen is when networks, addresses and families of agents first appeared in the
// use of a key.
type seen struct{ networks, addresses, families map[string]time.Time }

func (r *root) firstSeen() seen {
	s := seen{map[string]time.Time{}, map[string]time.Time{}, map[string]time.Time{}}
	note := func(m map[string]time.Time, k string, at time.Time) {
		if old, ok := m[k]; !ok || at.Before(old) {
			m[k] = at
		}
	}
	for _, g := range r.groups {
		if g.network != "" {
			note(s.networks, g.network, g.first)
			note(s.addresses, g.source, g.first)
			note(s.families, g.family, g.first)
		}
	}
	return s
}

// dateMisuse says from when on a root was in other hands: as given, or from the
// first use out of a network and by a family of agents that are both new to it.
// When no use is new in both, the first is taken that is from a new network, or
// from a new address of a known network by new agents; without a history to
// compare with, its first event.
func (t *tracer) dateMisuse(ctx context.Context, i int, r *root) error {
	if !t.o.CompromisedSince.IsZero() {
		r.since, r.why = t.o.CompromisedSince.UTC(), "given"
		return nil
	}
	if len(r.groups) == 0 {
		r.since, r.why = r.issued, "inferred: it was never used, so from its issue on"
		return nil
	}
	start := r.groups[0].first
	enough, err := t.historyOf(ctx, i, r, start)
	if err != nil {
		return err
	}
	seen := r.firstSeen()
	var both, weak *useGroup
	for _, g := range r.groups {
		if g.network == "" || !enough(g.first) {
			continue
		}
		newNetwork, newAgent := g.first.Equal(seen.networks[g.network]), g.first.Equal(seen.families[g.family])
		if newNetwork && newAgent {
			both = g
			break
		}
		if weak == nil && (newNetwork || newAgent && g.first.Equal(seen.addresses[g.source])) {
			weak = g
		}
	}
	switch {
	case both != nil:
		r.since = both.first
		r.why = fmt.Sprintf("inferred: first use from a network (%s) and an agent (%s) that are both unseen in its earlier history, which begins %s",
			both.network, both.family, start.Format(time.RFC3339))
	case weak != nil:
		r.since = weak.first
		what := "a network (" + weak.network + ")"
		if !weak.first.Equal(seen.networks[weak.network]) {
			what = "an address (" + weak.source + ") and an agent (" + weak.family + ") in a known network"
		}
		r.why = fmt.Sprintf("inferred: first use from %s, unseen in its earlier history, which begins %s; no use is new in both network and agent",
			what, start.Format(time.RFC3339))
	default:
		r.since = start
		r.why = "inferred: its first event, for it has no earlier history in the logs to compare with"
		if enough(r.end()) {
			r.why = "inferred: its first event, for no later use stands out by its network; name the time with --compromised-since if it is known"
		}
	}
	return nil
}

func (r *root) end() time.Time {
	end := r.groups[0].last
	for _, g := range r.groups {
		if g.last.After(end) {
			end = g.last
		}
	}
	return end
}

// historyOf returns whether a root was used enough before a moment.
func (t *tracer) historyOf(ctx context.Context, i int, r *root, start time.Time) (func(at time.Time) bool, error) {
	var busy sql.NullTime // when it had been used often enough
	err := t.conn.QueryRowContext(ctx, `SELECT event_time FROM events
		WHERE access_key_id IN (SELECT access_key_id FROM trace_root_ids WHERE root = ?)
		ORDER BY event_time LIMIT 1 OFFSET ?`, i, historyEvents-1).Scan(&busy)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	least := busySpan
	if strings.HasPrefix(r.key, "ASIA") {
		least = 0
	}
	return func(at time.Time) bool {
		return at.Sub(start) >= historySpan || at.Sub(start) >= least && busy.Valid && busy.Time.Before(at)
	}, nil
}

// judge says whose use each group is, against what was seen before the misuse
// began: a network seen before is the owner's; a network and a family of agents
// that are both new are the intruder's, as is all else from that network. A new
// network with a known agent is unclear, and so is a new address of a known
// network with a new agent: the intruder may be a neighbour.
func (r *root) judge() {
	seen := r.firstSeen()
	isNew := func(m map[string]time.Time, k string) bool { return !m[k].Before(r.since) }
	hostile, neighbours := map[string]bool{}, map[string]bool{}
	history := false
	for _, g := range r.groups {
		history = history || g.network != "" && g.first.Before(r.since)
	}
	for _, g := range r.groups {
		switch {
		case g.network == "":
			g.actor, g.why = Unclear, "a service made the call; whose it is follows from the last call to that service"
		case !history:
			g.actor, g.why = Unclear, "the key has no history before its compromise to compare with"
		case !isNew(seen.networks, g.network) && isNew(seen.addresses, g.source) && isNew(seen.families, g.family):
			g.actor, g.why = Unclear, "network "+g.network+" was seen before the compromise, its address "+g.source+" and agent "+g.family+" were not"
			neighbours[g.source] = true
		case !isNew(seen.networks, g.network):
			g.actor, g.why = Owner, "network "+g.network+" was seen before the compromise"
			if isNew(seen.families, g.family) {
				g.why += "; its agent " + g.family + " was not"
			}
		case isNew(seen.families, g.family):
			g.actor, g.why = Intruder, "network "+g.network+" and agent "+g.family+" were both unseen before the compromise"
			hostile[g.network] = true
		default:
			g.actor, g.why = Unclear, "network "+g.network+" was unseen before the compromise, its agent "+g.family+" was not"
		}
	}
	for _, g := range r.groups {
		switch {
		case g.actor == Unclear && g.network != "" && hostile[g.network]:
			g.actor, g.why = Intruder, "network "+g.network+" is one that the intruder used with other agents"
		case g.actor == Owner && neighbours[g.source]:
			g.actor, g.why = Unclear, "address "+g.source+" was unseen before the compromise and used agents that were, too"
		}
	}
}

// networksOf are the networks that the roots were used from since their misuse
// began by any of some actors.
func (t *tracer) networksOf(actors ...Actor) map[string]bool {
	networks := map[string]bool{}
	for _, r := range t.roots {
		for _, g := range r.groups {
			if g.network != "" && slices.Contains(actors, g.actor) && !g.last.Before(r.since) {
				networks[g.network] = true
			}
		}
	}
	return networks
}

// sinceOf is the earliest misuse of the named roots, for a reader.
func sinceOf(roots []*root) (time.Time, string) {
	first := slices.MinFunc(roots, func(a, b *root) int { return a.since.Compare(b.since) })
	if len(roots) == 1 {
		return first.since, first.why
	}
	why := make([]string, len(roots))
	for i, r := range roots {
		why[i] = r.key + ": " + r.why
	}
	return first.since, strings.Join(why, "; ")
}
