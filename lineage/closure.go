package lineage

import (
	"context"
	"time"
)

// clockSkew is how much earlier than its issue a credential may seem to be
// used: CloudTrail's times are whole seconds of different machines.
const clockSkew = time.Second

// node is a credential of the lineage while it is being worked out.
type node struct {
	cred    Credential
	parent  *node
	from    time.Time // tainted from
	moments []time.Time
	own     Certainty // of the edge that leads to it
	actor   Actor     // whose hand issued it
	root    *root     // nil for what descends
	source  *takeover // the principal through which it came in, if any
	console *node     // of the sign-in token made from it
	top     *node     // the root above it; see topmost
}

// callRef is a call by its caller's key, as small as can be: there is one for
// every call of every key that passes access on.
type callRef struct {
	row    int64
	micros int64 // its time
	issued string
	actor  Actor // "" for keys that are no roots
}

// mark is an event that belongs to a credential though its record does not
// carry the credential's id: a sign-in, a call seen from another account.
type mark struct {
	sourceID, recordIndex int64
	n                     *node
}

// closure follows access from the roots to everything that descends from them.
type closure struct {
	t         *tracer
	refs      map[string][]callRef
	seen      map[int64]bool
	byID      map[string]*node
	nodes     []*node
	fresh     []*node // whose calls have not been followed yet
	unmatched []*node // whose sessions have not been matched with further ids yet
	takeovers []*takeover
	waiting   []*takeover                     // whose credentials have not been looked for yet
	users     map[string][]*takeover          // ways into users, by their unique id, else their ARN
	creations map[string]bool                 // unique ids of what the lineage created
	pending   pendingNodes                    // unmatched, by whom they act as
	ownPlaces map[string]map[string]time.Time // when principals that signed in first used each network, by unique id
	signingIn []string                        // unique ids of those whose sign-ins are being looked at
	policies  map[[2]string][]time.Time       // when the trust of roles was changed, by account and name; once it was asked for
	statuses  map[[2]string][]*call           // changes of the status of credentials, by API and id; once asked for
	closings  []*call                         // that close gateways; once asked for
	compute   *workloads                      // nil until the lineage changes one
	undecided []*takeover                     // of workloads that were not told from others' yet
	taken     map[string]*takeover
	principal map[[3]string]*principalNode
	edges     map[edgeKey]Edge
	lookedUp  map[*takeover]*foundBy
	marks     []mark
	marked    map[[2]int64]bool
	hostile   map[string]bool // networks that look like the intruder's
	misused   map[string]bool // networks of all use that is not the owner's
	actors    map[int64]Actor // of the roots' calls
	descended map[*root]bool  // roots that another root's misuse issued
	center    []*call         // sessions that Identity Center took of its roles, read when first needed
}

type edgeKey struct {
	from             *node // nil where the edge says from which principal
	to, via, eventID string
}

func (t *tracer) newClosure(ctx context.Context) (*closure, error) {
	c := &closure{
		t: t, refs: map[string][]callRef{}, seen: map[int64]bool{}, byID: map[string]*node{},
		taken: map[string]*takeover{}, principal: map[[3]string]*principalNode{}, edges: map[edgeKey]Edge{}, lookedUp: map[*takeover]*foundBy{},
		users: map[string][]*takeover{}, creations: map[string]bool{}, ownPlaces: map[string]map[string]time.Time{},
		marked: map[[2]int64]bool{}, hostile: t.networksOf(Intruder), misused: t.networksOf(Intruder, Unclear),
		actors: map[int64]Actor{}, descended: map[*root]bool{},
	}
	err := t.each(ctx, `SELECT c.rowid, c.access_key_id, epoch_us(c.event_time), coalesce(c.issued_access_key_id, ''), coalesce(u.actor, '')
		FROM trace_calls c
		LEFT JOIN trace_root_use u ON u.source_id = c.source_id AND u.record_index = c.record_index
		WHERE c.access_key_id IS NOT NULL AND (u.actor IS NOT NULL OR c.access_key_id NOT IN (SELECT access_key_id FROM trace_root_ids))
		ORDER BY c.event_time, c.event_id, c.source_id, c.record_index`, nil, func(scan func(...any) error) error {
		var key string
		var ref callRef
		if err := scan(&ref.row, &key, &ref.micros, &ref.issued, &ref.actor); err != nil {
			return err
		}
		if ref.actor != Owner || t.o.AllUse {
			c.refs[key] = append(c.refs[key], ref)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, c.plant(ctx)
}

// run follows access until nothing new is found: first exactly, from key to
// key, then through the principals, sign-ins and services that were found.
func (c *closure) run(ctx context.Context) error {
	for len(c.fresh) > 0 {
		calls, err := c.t.callsOf(ctx, c.follow())
		if err != nil {
			return err
		}
		for _, made := range calls {
			c.describe(made)
		}
		for _, made := range calls {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.change(ctx, made); err != nil {
				return err
			}
		}
		for _, derive := range []func(context.Context) error{c.signIns, c.sessions, c.takenOver} {
			if err := derive(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow takes the calls of all fresh credentials and of those that these
// calls issue, to any depth. It needs no query: its cost is that of the
// lineage alone.
func (c *closure) follow() []int64 {
	var rows []int64
	for len(c.fresh) > 0 {
		n := c.fresh[0]
		c.fresh = c.fresh[1:]
		from := n.from.Add(-clockSkew).UnixMicro()
		for _, id := range n.cred.AccessKeyIDs {
			for _, ref := range c.refs[id] {
				if c.seen[ref.row] || ref.micros < from {
					continue
				}
				c.seen[ref.row] = true
				rows = append(rows, ref.row)
				if ref.actor != "" {
					c.actors[ref.row] = ref.actor
				}
				if known := c.byID[ref.issued]; known != nil && known.root != nil && known.root != n.root {
					c.descended[known.root] = true
				}
				if ref.issued == "" || c.byID[ref.issued] != nil {
					continue
				}
				c.add(&node{cred: Credential{ID: ref.issued}, parent: n, from: time.UnixMicro(ref.micros).UTC(), own: Confirmed, actor: c.actorOf(ref.row, n)}, ref.issued)
			}
		}
	}
	return rows
}

// actorOf is whose hand made a call by a credential of the lineage.
func (c *closure) actorOf(row int64, by *node) Actor {
	switch actor := c.actors[row]; actor {
	case "":
		return by.actor
	case Owner: // followed because of Options.AllUse
		return Unclear
	default:
		return actor
	}
}

// add takes a credential into the lineage under access key ids.
func (c *closure) add(n *node, ids ...string) {
	c.nodes = append(c.nodes, n)
	c.attach(n, ids...)
	c.unmatched = append(c.unmatched, n)
}

// attach gives a credential of the lineage further access key ids.
func (c *closure) attach(n *node, ids ...string) {
	for _, id := range ids {
		if c.byID[id] == nil {
			c.byID[id] = n
			n.cred.AccessKeyIDs = append(n.cred.AccessKeyIDs, id)
		}
	}
	c.fresh = append(c.fresh, n)
}

// edge joins a credential to what it made, changed or used. Its id is filled in
// at the end: a console session's changes when the first of its ids is found.
func (c *closure) edge(from *node, e Edge) {
	k := edgeKey{from, e.To, e.Via, e.EventID}
	if _, ok := c.edges[k]; !ok {
		c.edges[k] = e
	}
}

// markEvent notes that an event belongs to a credential.
func (c *closure) markEvent(n *node, made *call) {
	k := [2]int64{made.sourceID, made.recordIndex}
	if !c.marked[k] {
		c.marked[k] = true
		c.marks = append(c.marks, mark{made.sourceID, made.recordIndex, n})
	}
}

func weaker(a, b Certainty) Certainty {
	rank := map[Certainty]int{Confirmed: 0, Inferred: 1, Unexplained: 2}
	if rank[a] >= rank[b] {
		return a
	}
	return b
}
