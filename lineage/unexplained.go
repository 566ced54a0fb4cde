package lineage

import (
	"context"
	"database/sql/driver"
	"time"
)

// unexplained takes a credential that acts for a tainted principal and whose
// issue is not in the log.
func (c *closure) unexplained(k *keyUse, parent *node, from time.Time, actor Actor, why string) *node {
	n := &node{
		cred:   Credential{ID: k.id, Kind: k.kind(k.id), IssuedAt: timePtr(k.created), Why: why + "; no event of the logs issues it"},
		parent: parent, from: from, own: Unexplained, actor: actor,
	}
	if !k.created.IsZero() {
		n.cred.ExpiresAt, n.cred.ExpiresDerived = timePtr(k.created.Add(consoleLife)), true
		n.moments = append(n.moments, k.created)
	}
	k.fill(n)
	c.add(n, k.id)
	return n
}

// strays finds temporary credentials of the principals that the lineage acts as
// whose issue is not in the log: a trail that records writes only hides
// AssumeRole, one region hides what another issued. The owner has such sessions
// too, so only those count that began after the taint, not by a sign-in with a
// password, and whose use is from where the intruder used the keys.
func (c *closure) strays(ctx context.Context, nodes []*node) error {
	var acting []*node
	for _, n := range nodes {
		if n.cred.PrincipalID != "" && n.cred.Kind != Console && n.cred.Kind != Password {
			acting = append(acting, n)
		}
	}
	if len(acting) == 0 {
		return nil
	}
	err := c.t.table(ctx, "trace_sessions", `node INTEGER, principal_id VARCHAR, "from" TIMESTAMP`, len(acting), func(i int) []driver.Value {
		return []driver.Value{int32(i), acting[i].cred.PrincipalID, acting[i].from}
	})
	if err != nil {
		return err
	}
	var candidates []*stray
	byID := map[string]*stray{}
	err = c.t.each(ctx, `SELECT `+keyColumns+`, s.node FROM trace_keys k
		JOIN (SELECT k.access_key_id, s.node, s."from" FROM trace_keys k JOIN trace_sessions s ON s.principal_id = k.principal_id
		    UNION ALL SELECT k.access_key_id, s.node, s."from" FROM trace_keys k JOIN trace_sessions s ON s.principal_id = k.issuer_id
		    ) s USING (access_key_id)
		WHERE NOT k.forwarded AND k.session_created >= s."from" - INTERVAL 1 SECOND AND `+notIssued+`
		    AND NOT EXISTS (FROM trace_calls l WHERE l.event_name = 'ConsoleLogin' AND l.principal_id = k.principal_id
		        AND k.session_created BETWEEN l.event_time - INTERVAL 1 SECOND AND l.event_time + INTERVAL 2 SECOND)
		ORDER BY k.first_used, k.access_key_id, s."from" DESC, s.node`, nil, func(scan func(...any) error) error {
		var k keyUse
		var node int
		if err := k.scan(scan, &node); err != nil || c.byID[k.id] != nil || byID[k.id] != nil {
			return err
		}
		s := &stray{k: k, of: acting[node]}
		byID[k.id] = s
		candidates = append(candidates, s)
		return nil
	})
	if err != nil || len(candidates) == 0 {
		return err
	}
	if err := c.locate(ctx, candidates, byID); err != nil {
		return err
	}
	for _, s := range candidates {
		if s.from == "" {
			continue
		}
		parent, actor := s.of, s.of.actor
		if parent.cred.Kind != LongTerm && parent.parent != nil {
			parent = parent.parent // what took the session that is known, took this one
		}
		if s.hostile {
			actor = Intruder
		}
		c.unexplained(&s.k, parent, s.k.created, actor, "acts for a principal of the lineage, from a network ("+s.from+") that the key was misused from")
	}
	return nil
}

// stray is a credential of a principal of the lineage that nothing issued.
type stray struct {
	k       keyUse
	of      *node
	from    string // the network of the keys' misuse that it was used from, if any
	hostile bool   // it is the intruder's
}

// locate tells which strays were used from where the keys were misused.
func (c *closure) locate(ctx context.Context, candidates []*stray, byID map[string]*stray) error {
	err := c.t.table(ctx, "trace_wanted", `id VARCHAR`, len(candidates), func(i int) []driver.Value { return []driver.Value{candidates[i].k.id} })
	if err != nil {
		return err
	}
	return c.t.each(ctx, `SELECT DISTINCT access_key_id, source_ip_address, coalesce(vpc_endpoint_id, '') FROM events
		WHERE access_key_id IN (FROM trace_wanted) AND invoked_by IS NULL AND source_ip_address IS NOT NULL ORDER BY 1, 2, 3`, nil,
		func(scan func(...any) error) error {
			var id, address, endpoint string
			err := scan(&id, &address, &endpoint)
			side, n := c.t.o.sideOf(address), place(address, endpoint)
			if byID[id].from == "" && n != "" && side != Owner && (side == Intruder || c.misused[n]) {
				byID[id].from, byID[id].hostile = n, side == Intruder || c.hostile[n]
			}
			return err
		})
}
