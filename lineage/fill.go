package lineage

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// fill turns the closure into the lineage: what each credential did, how
// certain it is, how long it lives.
func (t *tracer) fill(ctx context.Context, c *closure, l *Lineage) error {
	certainty := make(map[*node]Certainty, len(c.nodes))
	for _, n := range c.nodes { // parents stand before their children
		certainty[n] = n.own
		if n.parent != nil {
			certainty[n] = weaker(n.own, certainty[n.parent])
		}
	}
	if err := t.gatherEvents(ctx, c); err != nil {
		return fmt.Errorf("gather events: %w", err)
	}
	if err := t.countUse(ctx, c); err != nil {
		return fmt.Errorf("count use: %w", err)
	}
	if err := c.nameByUse(ctx); err != nil {
		return fmt.Errorf("name who acted: %w", err)
	}
	ends, err := t.endings(ctx, c, l.AsOf)
	if err != nil {
		return fmt.Errorf("read what ended: %w", err)
	}
	l.Credentials, l.Principals, l.Edges = []Credential{}, []Principal{}, []Edge{}
	for _, n := range c.nodes {
		n.cred.Certainty = certainty[n]
		slices.Sort(n.cred.AccessKeyIDs)
		if n.cred.AccessKeyIDs == nil {
			n.cred.AccessKeyIDs = []string{}
		}
		n.bound()
		n.judgeLife(ends, l.AsOf)
		n.support()
	}
	err = t.table(ctx, "trace_node_ids", `node INTEGER, id VARCHAR`, len(c.nodes), func(i int) []driver.Value {
		return []driver.Value{int32(i), c.nodes[i].cred.ID}
	})
	if err != nil {
		return err
	}
	for _, n := range c.nodes {
		if n.parent != nil {
			id := n.parent.cred.ID
			n.cred.Parent = &id
			c.join(n)
		}
		l.Credentials = append(l.Credentials, n.cred)
	}
	for _, p := range c.principal {
		p.p.Certainty = weaker(p.p.Certainty, certainty[p.by])
		l.Principals = append(l.Principals, p.p)
	}
	for k, e := range c.edges {
		if k.from != nil {
			e.From = k.from.cred.ID
		}
		l.Edges = append(l.Edges, e)
	}
	l.sort()
	return nil
}

// nameByUse says whom credentials act as whose issue does not name it: Cognito's
// answer holds no role. The role is then one that the lineage took.
func (c *closure) nameByUse(ctx context.Context) error {
	unnamed := map[string]*node{}
	var ids []string
	for _, n := range c.nodes {
		if n.cred.PrincipalARN != "" || n.cred.Kind != RoleSession {
			continue
		}
		for _, id := range n.cred.AccessKeyIDs {
			unnamed[id] = n
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := c.t.table(ctx, "trace_wanted", `id VARCHAR`, len(ids), func(i int) []driver.Value { return []driver.Value{ids[i]} })
	if err != nil {
		return err
	}
	return c.t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k WHERE k.access_key_id IN (FROM trace_wanted) AND k.identity_arn IS NOT NULL
		ORDER BY k.first_used, k.access_key_id`, nil, func(scan func(...any) error) error {
		var k keyUse
		if err := k.scan(scan); err != nil {
			return err
		}
		n := unnamed[k.id]
		k.fill(n)
		role, ok := parseARN(k.issuerARN)
		if !ok || n.parent == nil {
			return nil
		}
		issue := &call{eventID: n.cred.IssuedEventID, time: timeOf(n.cred.IssuedAt)}
		issue.source, issue.name, _ = strings.Cut(n.cred.Via, ":")
		c.noteAs(Inferred, issue, n.parent, identity{k.issuerID, k.issuerARN, role.account}, "role", Assumed, "the lineage had a session of it, as its use shows")
		return nil
	})
}

// join adds the edges that lead to a credential.
func (c *closure) join(n *node) {
	e := Edge{To: n.cred.ID, Via: n.cred.Via, EventID: n.cred.IssuedEventID, Time: timeOf(n.cred.IssuedAt),
		Certainty: n.own, Why: n.cred.Why}
	from := n.parent
	if w := n.source; w != nil && w.pass == nil && w.who.arn != "" {
		from, e.From = nil, w.who.arn // the credential that took the principal over has an edge to it
	}
	// No event of its own issued it: the call that it came in by is what shows it.
	if w := n.source; e.EventID == "" && w != nil && w.made != nil && w.made.api() == e.Via {
		e.EventID = w.made.eventID
	}
	if e.Time.IsZero() {
		e.Time = n.from.UTC()
	}
	c.edge(from, e)
}

// sort puts the parts of the lineage in order: by time, then id.
func (l *Lineage) sort() {
	slices.SortFunc(l.Credentials, func(a, b Credential) int {
		return cmp.Or(timeOf(a.IssuedAt).Compare(timeOf(b.IssuedAt)), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(l.Principals, func(a, b Principal) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ARN, b.ARN), cmp.Compare(a.PrincipalID, b.PrincipalID), cmp.Compare(a.How, b.How))
	})
	slices.SortFunc(l.Edges, func(a, b Edge) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Via, b.Via), cmp.Compare(a.EventID, b.EventID))
	})
}

// gatherEvents makes trace_events, the events of all credentials, with one scan
// of the case, and trace_marks, those that belong to a credential though they
// do not carry its id.
func (t *tracer) gatherEvents(ctx context.Context, c *closure) error {
	type member struct {
		id   string
		node int
	}
	var members []member
	for i, n := range c.nodes {
		for _, id := range n.cred.AccessKeyIDs {
			members = append(members, member{id, i})
		}
	}
	err := t.table(ctx, "trace_members", `access_key_id VARCHAR, node INTEGER, "from" TIMESTAMP, root BOOLEAN, actor VARCHAR`, len(members),
		func(i int) []driver.Value {
			m := members[i]
			n := c.nodes[m.node]
			return []driver.Value{m.id, int32(m.node), n.from.Add(-clockSkew), n.root != nil, string(n.actor)}
		})
	if err != nil {
		return err
	}
	indexOf := make(map[*node]int32, len(c.nodes))
	for i, n := range c.nodes {
		indexOf[n] = int32(i)
	}
	err = t.table(ctx, "trace_marks", `source_id BIGINT, record_index BIGINT, node INTEGER, actor VARCHAR`, len(c.marks), func(i int) []driver.Value {
		m := c.marks[i]
		return []driver.Value{m.sourceID, m.recordIndex, indexOf[m.n], string(m.n.actor)}
	})
	if err != nil {
		return err
	}
	_, err = t.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE trace_events AS
		SELECT e.source_id, e.record_index, m.node, m.actor, e.event_time, e.source_ip_address, e.vpc_endpoint_id, e.user_agent, e.aws_region, e.shared_event_id,
		    '' AS session, coalesce(e.invoked_by, '') AS service
		FROM events e JOIN trace_members m ON m.access_key_id = e.access_key_id
		WHERE NOT m.root AND e.event_time >= m."from"
		UNION ALL
		SELECT u.source_id, u.record_index, m.node, CASE WHEN ? AND u.actor = 'owner' THEN 'unclear' ELSE u.actor END, u.event_time,
		    u.source_ip_address, u.vpc_endpoint_id, u.user_agent, u.aws_region, u.shared_event_id, u.session, u.service
		FROM trace_root_use u JOIN trace_members m ON m.access_key_id = u.access_key_id WHERE m.root`, t.o.AllUse)
	if err != nil {
		return err
	}
	if err := t.bearerUse(ctx, c); err != nil {
		return fmt.Errorf("find what bears no access key id: %w", err)
	}
	if err := t.markHostile(ctx); err != nil {
		return err
	}
	// The other account's record of the same call has another id and no key.
	_, err = t.conn.ExecContext(ctx, `INSERT INTO trace_marks
		SELECT e.source_id, e.record_index, min(s.node), max(s.actor) FROM events e
		JOIN trace_events s ON s.shared_event_id = e.shared_event_id
		WHERE coalesce(e.access_key_id, '') = '' AND NOT EXISTS (
		    FROM trace_marks m WHERE m.source_id = e.source_id AND m.record_index = e.record_index)
		GROUP BY ALL`)
	return err
}

func sorted(set map[string]bool) []string {
	if len(set) == 0 {
		return []string{}
	}
	return slices.Sorted(maps.Keys(set))
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// timePtr is nil for no time, else the time in UTC.
func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
