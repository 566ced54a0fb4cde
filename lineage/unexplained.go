package lineage

import (
	"context"
	"database/sql/driver"
	"strings"
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

// fromOutside finds the sessions that credentials of the lineage took of roles
// in other accounts where only the other account's log is in the case: its
// record names the caller's account and unique id, not the key. The id of a
// session is the session's alone; that of a user is the owner's too, so that the
// call must be from where the keys were misused.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html#cloudtrail-integration_examples-sts-api
func (c *closure) fromOutside(ctx context.Context, nodes []*node) error {
	byPrincipal := map[string][]*node{}
	var ids []string
	for _, n := range nodes {
		id := n.cred.PrincipalID
		if id == "" || n.cred.Kind == Password || n.cred.Kind == ServiceForwarded {
			continue
		}
		if byPrincipal[id] == nil {
			ids = append(ids, id)
		}
		byPrincipal[id] = append(byPrincipal[id], n)
	}
	if len(ids) == 0 {
		return nil
	}
	err := c.t.table(ctx, "trace_wanted", `id VARCHAR`, len(ids), func(i int) []driver.Value { return []driver.Value{ids[i]} })
	if err != nil {
		return err
	}
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.identity_type = 'AWSAccount' AND c.access_key_id IS NULL
		AND c.issued_access_key_id IS NOT NULL AND c.principal_id IN (FROM trace_wanted)
		AND c.issued_access_key_id NOT IN (SELECT issued_access_key_id FROM trace_calls WHERE issued_access_key_id IS NOT NULL AND access_key_id IS NOT NULL)`)
	for _, made := range calls {
		if c.byID[made.issued] == nil {
			c.outsideSession(made, byPrincipal[made.principalID])
		}
	}
	return err
}

func (c *closure) outsideSession(made *call, callers []*node) {
	var by *node
	for _, n := range callers {
		started, over := made.time.Before(n.from.Add(-clockSkew)), n.cred.ExpiresAt != nil && made.time.After(*n.cred.ExpiresAt)
		if !started && !over && (by == nil || n.from.After(by.from)) {
			by = n
		}
	}
	if by == nil {
		return
	}
	why := "its caller's id is that of " + by.cred.ID + "; the caller's own record of the call is not in the logs"
	actor := by.actor
	if side := c.t.o.sideOf(made.address); side == Intruder || side == "" && c.hostile[network(made.address)] {
		actor = Intruder
	}
	if !strings.Contains(made.principalID, ":") {
		from := network(made.address)
		if !c.misused[from] {
			return
		}
		why += ", and it is from a network (" + from + ") that the key was misused from"
	}
	n := &node{cred: Credential{ID: made.issued}, parent: by, from: made.time, own: Inferred, actor: actor}
	c.t.describe(n, made, by)
	n.cred.Why = why
	c.add(n, made.issued)
	if role, ok := parseARN(made.roleARN); ok {
		id, _, _ := strings.Cut(made.response, ":")
		c.noteAs(Inferred, made, by, identity{id, made.roleARN, role.account}, "role", Assumed, "the lineage took a session of it")
	}
	c.markEvent(n, made)
}
