package lineage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
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
	useKey
	*origin     // its network is "" where a service made the call
	family      string
	first, last time.Time
	known       bool // its network, before the misuse
	actor       Actor
	why         string
}

// useKey tells the groups of a root apart. source and agent are as in the log;
// session is of a temporary credential, "" for a long-term key.
type useKey struct{ source, endpoint, agent, session string }

// sessionSQL is the session of an event by a temporary credential: the many ids
// of a console session are one.
const sessionSQL = `CASE WHEN e.access_key_id LIKE 'ASIA%' THEN
    coalesce(e.principal_id, '') || ' ' || coalesce(CAST(e.session_created AS VARCHAR), e.access_key_id) ELSE '' END`

// readUse reads what the roots did.
func (t *tracer) readUse(ctx context.Context) error {
	for _, r := range t.roots {
		r.groups, r.byKey, r.regions = nil, map[useKey]*useGroup{}, map[string]time.Time{}
	}
	err := t.each(ctx, `SELECT r.root, coalesce(e.source_ip_address, ''), coalesce(e.vpc_endpoint_id, ''), coalesce(e.user_agent, ''), `+sessionSQL+`,
		    coalesce(e.invoked_by, ''), min(e.event_time), max(e.event_time)
		FROM events e JOIN trace_root_ids r ON r.access_key_id = e.access_key_id
		GROUP BY ALL ORDER BY 1, 7, 2, 3, 4, 5, 6`, nil, func(scan func(...any) error) error {
		var i int
		var invokedBy string
		g := &useGroup{}
		err := scan(&i, &g.source, &g.endpoint, &g.agent, &g.session, &invokedBy, &g.first, &g.last)
		if err != nil {
			return err
		}
		if byService(g.source, invokedBy) {
			g.origin = &origin{}
		} else {
			if g.origin, err = t.origin(g.source, g.endpoint); err != nil {
				return err
			}
			g.family = family(g.agent)
			t.roots[i].byKey[g.useKey] = g
		}
		t.roots[i].groups = append(t.roots[i].groups, g)
		return nil
	})
	if err != nil {
		return err
	}
	return t.each(ctx, `SELECT r.root, e.aws_region, min(e.event_time)
		FROM events e JOIN trace_root_ids r ON r.access_key_id = e.access_key_id
		WHERE e.aws_region IS NOT NULL GROUP BY ALL ORDER BY ALL`, nil, func(scan func(...any) error) error {
		var i int
		var region string
		var first time.Time
		err := scan(&i, &region, &first)
		t.roots[i].regions[region] = first
		return err
	})
}

// seen is when networks, addresses, autonomous systems and families of agents
// first appeared in the use of a key.
type seen struct{ networks, addresses, systems, families map[string]time.Time }

func (r *root) firstSeen() seen {
	s := seen{map[string]time.Time{}, map[string]time.Time{}, map[string]time.Time{}, map[string]time.Time{}}
	note := func(m map[string]time.Time, k string, at time.Time) {
		if old, ok := m[k]; !ok || at.Before(old) {
			m[k] = at
		}
	}
	for _, g := range r.groups {
		if g.network == "" {
			continue
		}
		note(s.networks, g.network, g.first)
		note(s.addresses, g.address(), g.first)
		note(s.families, g.family, g.first)
		if as := g.landmark(); as != "" {
			note(s.systems, as, g.first)
		}
	}
	return s
}

// address is what tells one machine from the others of its network.
func (g *useGroup) address() string { return g.source + " " + g.endpoint }

// newNetwork reports whether a group is the first from its network, and from
// its autonomous system where that is known and tells anything.
func (s *seen) newNetwork(g *useGroup) bool {
	as := g.landmark()
	return g.first.Equal(s.networks[g.network]) && (as == "" || g.first.Equal(s.systems[as]))
}

// dateMisuse says from when on a root was in other hands: as given, else as its
// history lets infer; at the latest from the first use by a hostile network on.
func (t *tracer) dateMisuse(ctx context.Context, i int, r *root) error {
	if !t.o.CompromisedSince.IsZero() {
		r.since, r.why, r.vague = t.o.CompromisedSince.UTC(), "given", false
	} else if err := t.inferMisuse(ctx, i, r); err != nil {
		return err
	}
	for _, g := range r.groups { // by their first use
		if actor, by := t.o.side(g.addr); actor == Intruder {
			if g.first.Before(r.since) || r.vague {
				r.since, r.vague = g.first.UTC(), false
				r.why = fmt.Sprintf("first use from %s, which --hostile %s names", g.source, prefixText(by))
			}
			break
		}
	}
	return nil
}

// inferMisuse dates the misuse from the first use out of a network and by a
// family of agents that are both new to the key. When no use is new in both, the
// first is taken that is from a new network, or from a new address of a known
// network by new agents, or by an intruder's tool; without a history to compare
// with, its first event. What a trusted network did is the owner's.
func (t *tracer) inferMisuse(ctx context.Context, i int, r *root) error {
	r.vague = false
	if len(r.groups) == 0 {
		r.since, r.why = r.issued, "inferred: it was never used, so from its issue on"
		if r.isARN() {
			r.why = "inferred: its first event, for none of its events bears an access key id"
		}
		return nil
	}
	start := r.groups[0].first.UTC()
	enough, err := t.historyOf(ctx, i, r, start)
	if err != nil {
		return err
	}
	seen := r.firstSeen()
	var both, weak, stranger *useGroup
	trusted := false
	for _, g := range r.groups {
		if g.network == "" {
			continue
		}
		if actor, _ := t.o.side(g.addr); actor == Owner {
			trusted = true
			continue
		}
		if stranger == nil {
			stranger = g
		}
		if !enough(g.first) {
			continue
		}
		newNetwork, newAgent := seen.newNetwork(g), g.first.Equal(seen.families[g.family])
		if newNetwork && newAgent {
			both = g
			break
		}
		if weak == nil && (newNetwork || newAgent && (g.first.Equal(seen.addresses[g.address()]) || intruderTool(g.agent))) {
			weak = g
		}
	}
	switch history := start.Format(time.RFC3339); {
	case both != nil:
		r.since = both.first
		r.why = fmt.Sprintf("inferred: first use from a network (%s) and an agent (%s) that are both unseen in its earlier history, which begins %s",
			both.network, both.family, history)
		if begun := t.beginOf(r, both.session, &seen); begun != nil && begun.first.Before(both.first) && enough(begun.first) {
			r.since = begun.first
			r.why += "; its session began from a network (" + begun.network + ") that was unseen too"
		}
	case weak != nil:
		r.since = weak.first
		what := "a network (" + weak.network + ")"
		switch {
		case weak.first.Equal(seen.networks[weak.network]):
		case weak.first.Equal(seen.addresses[weak.address()]):
			what = "an address (" + weak.source + ") and an agent (" + weak.family + ") in a known network"
		default:
			what = "an agent (" + weak.family + ") that intruders use, at a known address (" + weak.source + "),"
		}
		r.why = fmt.Sprintf("inferred: first use from %s, unseen in its earlier history, which begins %s; no use is new in both network and agent",
			what, history)
	case trusted && stranger != nil && !enough(r.end()):
		r.since = stranger.first
		r.why = "inferred: first use from a network (" + stranger.network + ") that --trusted does not name; it has no earlier history in the logs to compare with"
	default:
		r.since = start
		r.why = "inferred: its first event, for it has no earlier history in the logs to compare with"
		switch {
		case trusted && stranger == nil:
			r.why = "inferred: its first event; all of its use is from networks that --trusted names"
		case enough(r.end()):
			r.vague = true
			r.why = "inferred: its first event, for no later use stands out by its network; name the time with --compromised-since if it is known"
		}
	}
	return nil
}

// beginOf is where a session of a principal's began, if from a new network: who
// goes on with another agent, in CloudShell say, is whoever began it. Of a single
// session that tells nothing, for that is the owner's before it is stolen.
func (t *tracer) beginOf(r *root, session string, seen *seen) *useGroup {
	if !r.isARN() || session == "" {
		return nil
	}
	for _, g := range r.groups { // by their first use
		if g.session == session && g.network != "" {
			if actor, _ := t.o.side(g.addr); actor != Owner && seen.newNetwork(g) {
				return g
			}
			return nil
		}
	}
	return nil
}

// intruderTools are agents that owners of a key do not take up: distributions
// made for attacks, and programs that look for leaked keys or abuse them.
var intruderTools = regexp.MustCompile(`(?i)\b(kali|parrot|blackarch|pentoo|trufflehog|pacu|cloudfox)\b`)

func intruderTool(agent string) bool { return intruderTools.MatchString(agent) }

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
	if strings.HasPrefix(r.key, "ASIA") || strings.Contains(r.key, ":assumed-role/") {
		least = 0
	}
	return func(at time.Time) bool {
		return at.Sub(start) >= historySpan || at.Sub(start) >= least && busy.Valid && busy.Time.Before(at)
	}, nil
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

// firstMaliciousUse is the first call by a key that looks like the intruder's,
// else the first that is unclear, of those since its compromise. What services
// did for it does not count: that follows a call.
func (t *tracer) firstMaliciousUse(ctx context.Context) (*FirstUse, error) {
	var first *FirstUse
	err := t.each(ctx, `WITH candidates AS (
		    SELECT * FROM trace_root_use WHERE actor <> 'owner' AND service = ''
		    AND event_time = (SELECT coalesce(min(event_time) FILTER (actor = 'intruder'), min(event_time)) FROM trace_root_use WHERE actor <> 'owner' AND service = ''))
		SELECT u.event_time, e.event_id, u.actor, u.root, coalesce(u.source_ip_address, ''), coalesce(u.vpc_endpoint_id, ''), coalesce(u.user_agent, ''), u.session
		FROM candidates u JOIN events e ON e.source_id = u.source_id AND e.record_index = u.record_index AND e.event_time = u.event_time
		ORDER BY u.actor, e.event_id, u.source_id, u.record_index LIMIT 1`, nil, func(scan func(...any) error) error {
		var f FirstUse
		var actor Actor
		var root int
		var k useKey
		if err := scan(&f.Time, &f.EventID, &actor, &root, &k.source, &k.endpoint, &k.agent, &k.session); err != nil {
			return err
		}
		f.Time = f.Time.UTC()
		if g := t.roots[root].byKey[k]; g != nil {
			f.Why = g.why
		}
		if actor != Intruder {
			f.Why += "; nothing since the compromise looks more clearly like the intruder's"
		}
		first = &f
		return nil
	})
	return first, err
}
