package lineage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How the events of a credential are put together as one person's. What is
// judged to be of different actors never is. Of the rest, these belong together:
//
//   - what came from one network;
//   - what came from one autonomous system by one family of agents;
//   - what one agent, versions and all, did from changing networks at intervals of
//     less than changingPause: people rotate addresses. The owner is known as such,
//     so that for them the family will do, and no interval is too long;
//   - what was done in one session (a temporary credential, a console session),
//     unless clearly by two: from other networks, by other agents, at once.
const (
	changingPause = 24 * time.Hour
	// clustersShown is how many clusters of one actor a credential may have. Who
	// changes address and agent from call to call makes any number.
	clustersShown = 20
)

// useAtom is what one credential did from one address with one agent in one
// session: the smallest thing that is one person's, as far as a log tells.
type useAtom struct {
	*origin
	first, last       time.Time
	count             int64
	source            string
	family, signature string
	session           string
	agents, regions   map[string]bool
	service           bool
	known             bool // its network, before the compromise
	why               string
}

type atomKey struct {
	node                                          int
	actor                                         Actor
	source, endpoint, signature, session, service string
}

// countUse says when, from where and how often each credential was used, and
// what of it looks like one person's use.
func (t *tracer) countUse(ctx context.Context, c *closure) error {
	type owned struct {
		node  int
		actor Actor
	}
	atoms := map[owned][]*useAtom{}
	known := map[atomKey]*useAtom{}
	err := t.each(ctx, `SELECT node, actor, coalesce(source_ip_address, ''), coalesce(vpc_endpoint_id, ''), coalesce(user_agent, ''), session,
		    coalesce(aws_region, ''), service, min(event_time), max(event_time), count(*)
		FROM trace_events GROUP BY ALL ORDER BY 9, 1, 2, 3, 4, 5, 6, 7, 8`, nil, func(scan func(...any) error) error {
		var k useKey
		var of owned
		var region, service string
		var first, last time.Time
		var count int64
		if err := scan(&of.node, &of.actor, &k.source, &k.endpoint, &k.agent, &k.session, &region, &service, &first, &last, &count); err != nil {
			return err
		}
		agent := t.agent(k.agent)
		key := atomKey{of.node, of.actor, k.source, k.endpoint, agent.signature, k.session, ""}
		if byService(k.source, service) {
			key = atomKey{node: of.node, actor: of.actor, service: cmp.Or(service, k.source)}
		}
		a := known[key]
		if a == nil {
			a = &useAtom{origin: &origin{}, first: first.UTC(), source: k.source, family: agent.family, signature: key.signature,
				session: k.session, agents: map[string]bool{}, regions: map[string]bool{}}
			if key.service != "" {
				a.service, a.source = true, key.service
			} else {
				var err error
				if a.origin, err = t.origin(k.source, k.endpoint); err != nil {
					return err
				}
				a.why, a.known = c.nodes[of.node].whyUse(of.actor, k)
			}
			known[key] = a
			atoms[of] = append(atoms[of], a)
		}
		a.add(k.agent, region, last.UTC(), count)
		return nil
	})
	if err != nil {
		return err
	}
	for i, n := range c.nodes {
		n.cred.Uses = []Use{}
		for _, actor := range []Actor{Owner, Intruder, Unclear} {
			list := atoms[owned{i, actor}]
			if n.root == nil && n.isSession() {
				for _, a := range list {
					a.session = n.cred.ID
				}
			}
			for _, members := range clusters(list, actor) {
				n.cred.take(use(members, actor, n.root))
			}
		}
		slices.SortStableFunc(n.cred.Uses, func(a, b Use) int {
			return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Actor, b.Actor), slices.Compare(a.SourceIPs, b.SourceIPs))
		})
	}
	return nil
}

// isSession reports whether a credential is one session: somebody took it, for
// some hours.
func (n *node) isSession() bool {
	switch n.cred.Kind {
	case LongTerm, ServiceSpecific, SSHKey, Certificate, Password:
		return false
	case Unknown:
		return strings.HasPrefix(n.cred.ID, "ASIA")
	}
	return true
}

func (cred *Credential) take(u Use) {
	cred.Uses = append(cred.Uses, u)
	cred.EventCount += u.Count
	if cred.FirstUsed == nil || u.First.Before(*cred.FirstUsed) {
		cred.FirstUsed = timePtr(u.First)
	}
	if cred.LastUsed == nil || u.Last.After(*cred.LastUsed) {
		cred.LastUsed = timePtr(u.Last)
	}
}

// whyUse says why the use by an address and agent is whose it is, and whether its
// network was seen before the compromise.
func (n *node) whyUse(actor Actor, k useKey) (why string, known bool) {
	if n.root != nil {
		if g := n.root.byKey[k]; g != nil {
			return g.why, g.known
		}
		return "", false
	}
	if actor != n.actor {
		return "address " + k.source + " is named by --hostile", false
	}
	return "the credential descends from the key, so all of its use counts", false
}

func (a *useAtom) add(agent, region string, last time.Time, count int64) {
	if agent != "" {
		a.agents[agent] = true
	}
	if region != "" {
		a.regions[region] = true
	}
	if last.After(a.last) {
		a.last = last
	}
	a.count += count
}

// clusters puts atoms of one credential and actor together. They come, and stay,
// in order of their first use.
func clusters(atoms []*useAtom, actor Actor) [][]*useAtom {
	u := newUnion(len(atoms))
	by := map[string]int{}
	join := func(i int, kind, key string) {
		if first, ok := by[kind+key]; ok {
			u.join(first, i)
		} else {
			by[kind+key] = i
		}
	}
	for i, a := range atoms {
		if a.service {
			join(i, "service", "")
			continue
		}
		join(i, "network ", a.network)
		if as := a.landmark(); as != "" {
			join(i, "system ", as+"\n"+a.family)
		} else if a.as.number != 0 { // others rent there too
			join(i, "system ", a.as.String()+"\n"+a.signature)
		}
		if actor == Owner {
			join(i, "family ", a.family)
		}
		if a.session != "" {
			join(i, "session ", a.session+"\n"+a.family)
		}
	}
	u.joinChanging(atoms)
	u.joinSessions(atoms)
	return fold(u.groups(atoms))
}

// joinChanging joins what one agent did from changing networks.
func (u union) joinChanging(atoms []*useAtom) {
	type run struct {
		atom int
		last time.Time
	}
	runs := map[string]run{}
	for i, a := range atoms {
		if a.service {
			continue
		}
		// An unclear call out of a network of the owner's may be the owner's, one from
		// elsewhere the intruder's.
		key := fmt.Sprint(a.known, " ", a.signature)
		r, ok := runs[key]
		if ok && a.first.Sub(r.last) < changingPause {
			u.join(r.atom, i)
		}
		if !ok || a.last.After(r.last) {
			r.last = a.last
		}
		runs[key] = run{i, r.last}
	}
}

// joinSessions joins what was done in one session one after the other.
func (u union) joinSessions(atoms []*useAtom) {
	type span struct {
		atom        int
		first, last time.Time
	}
	sessions := map[string][]*span{}
	var order []string
	spans := map[[2]string]*span{}
	for i, a := range atoms {
		if a.service || a.session == "" {
			continue
		}
		k := [2]string{a.session, fmt.Sprint(u.find(i))}
		s := spans[k]
		if s == nil {
			s = &span{i, a.first, a.last}
			spans[k] = s
			if sessions[a.session] == nil {
				order = append(order, a.session)
			}
			sessions[a.session] = append(sessions[a.session], s)
		}
		if a.last.After(s.last) {
			s.last = a.last
		}
	}
	for _, id := range order {
		list := sessions[id]
		for i := 1; i < len(list); i++ {
			if list[i-1].last.Before(list[i].first) {
				u.join(list[i-1].atom, list[i].atom)
			}
		}
	}
}

// fold makes one of the smallest clusters where there are more than a reader
// has use for.
func fold(groups [][]*useAtom) [][]*useAtom {
	if len(groups) <= clustersShown {
		return groups
	}
	size := func(g []*useAtom) (n int64) {
		for _, a := range g {
			n += a.count
		}
		return n
	}
	slices.SortStableFunc(groups, func(a, b []*useAtom) int { return cmp.Compare(size(b), size(a)) })
	var rest []*useAtom
	for _, g := range groups[clustersShown-1:] {
		rest = append(rest, g...)
	}
	slices.SortStableFunc(rest, func(a, b *useAtom) int { return a.first.Compare(b.first) })
	return append(groups[:clustersShown-1], rest)
}

// union finds what belongs together: for each atom an earlier one, or itself.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) find(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) {
	a, b = u.find(a), u.find(b)
	u[max(a, b)] = min(a, b)
}

func (u union) groups(atoms []*useAtom) [][]*useAtom {
	var groups [][]*useAtom
	at := map[int]int{}
	for i, a := range atoms {
		first := u.find(i)
		if _, ok := at[first]; !ok {
			at[first] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[first]] = append(groups[at[first]], a)
	}
	return groups
}
