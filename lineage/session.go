package lineage

import (
	"context"
	"database/sql/driver"
	"strings"
	"time"
)

// notIssued leaves out the ids whose issue the log shows: they are found, or
// not, by that.
const notIssued = `NOT k.issued`

// ofSession joins trace_keys as k to the sessions of trace_sessions.
const ofSession = `JOIN trace_sessions s ON s.principal_id = k.principal_id
	AND k.session_created BETWEEN s.created - INTERVAL 1 SECOND AND s.created + INTERVAL 2 SECOND`

// sessions finds the further access key ids of the sessions found since the
// last time: those that the console takes for each service and region, and
// those that services take to act for a caller. Both bear the principal and
// the creation time of the session that they come from.
func (c *closure) sessions(ctx context.Context) error {
	nodes := c.unmatched
	c.unmatched = nil
	type moment struct {
		node int
		at   time.Time
	}
	var moments []moment
	for i, n := range nodes {
		for _, at := range n.moments {
			if n.cred.PrincipalID != "" {
				moments = append(moments, moment{i, at})
			}
		}
	}
	if len(moments) > 0 {
		err := c.t.table(ctx, "trace_sessions", `node INTEGER, principal_id VARCHAR, created TIMESTAMP`, len(moments), func(i int) []driver.Value {
			m := moments[i]
			return []driver.Value{int32(m.node), nodes[m.node].cred.PrincipalID, m.at}
		})
		if err != nil {
			return err
		}
		actors, err := c.forwardedOf(ctx, nodes)
		if err != nil {
			return err
		}
		err = c.match(ctx, nodes, actors, `, false AS hostile FROM trace_keys k `+ofSession+`
			WHERE `+notIssued+` ORDER BY abs(epoch(k.session_created - s.created)), k.first_used, k.access_key_id, s.node`)
		if err != nil {
			return err
		}
	}
	if err := c.forwardedByKey(ctx, nodes); err != nil {
		return err
	}
	if err := c.fromOutside(ctx, nodes); err != nil {
		return err
	}
	return c.strays(ctx, nodes)
}

// forwardedByKey finds what services took to act for long-term keys: ids that
// bear the key's principal and the second of its call.
func (c *closure) forwardedByKey(ctx context.Context, nodes []*node) error {
	type key struct {
		node int
		id   string
	}
	var keys []key
	for i, n := range nodes {
		if n.cred.Kind == LongTerm && n.cred.PrincipalID != "" {
			for _, id := range n.cred.AccessKeyIDs {
				keys = append(keys, key{i, id})
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	err := c.t.table(ctx, "trace_sessions", `node INTEGER, principal_id VARCHAR, access_key_id VARCHAR, "from" TIMESTAMP`, len(keys), func(i int) []driver.Value {
		k := keys[i]
		n := nodes[k.node]
		return []driver.Value{int32(k.node), n.cred.PrincipalID, k.id, n.from}
	})
	if err != nil {
		return err
	}
	// A second in which the owner called too does not tell whose it is.
	return c.match(ctx, nodes, nil, `, s.hostile FROM trace_keys k JOIN (
		    SELECT s.node, s.principal_id, e.event_time AS at, coalesce(bool_or(u.actor = 'owner'), false) AS owners,
		        coalesce(bool_or(u.actor = 'intruder'), false) AS hostile
		    FROM events e JOIN trace_sessions s ON s.access_key_id = e.access_key_id AND e.event_time >= s."from"
		    LEFT JOIN trace_root_use u ON u.source_id = e.source_id AND u.record_index = e.record_index
		    WHERE s.principal_id IN (SELECT principal_id FROM trace_keys WHERE forwarded)
		    GROUP BY ALL) s ON s.principal_id = k.principal_id AND s.at = k.session_created AND NOT s.owners
		WHERE k.forwarded AND `+notIssued+` ORDER BY k.first_used, k.access_key_id, s.node`)
}

// match gives ids to the sessions that they belong to: rest of the query gives
// a last column hostile. actors are of the ids that act for roots.
func (c *closure) match(ctx context.Context, nodes []*node, actors map[string]Actor, rest string) error {
	type found struct {
		k       keyUse
		node    int
		hostile bool // it belongs to a call that is the intruder's
	}
	var all []found
	err := c.t.each(ctx, `SELECT `+keyColumns+`, s.node`+rest, nil, func(scan func(...any) error) error {
		var f found
		err := f.k.scan(scan, &f.node, &f.hostile)
		all = append(all, f)
		return err
	})
	if err != nil {
		return err
	}
	groups := map[string]*node{}
	for _, f := range all {
		n := nodes[f.node]
		if c.byID[f.k.id] != nil {
			continue
		}
		switch {
		case f.k.forwarded && f.hostile:
			c.forwarded(n, &f.k, Intruder, groups)
		case f.k.forwarded && n.root != nil && n.cred.Kind != LongTerm:
			c.forwardedByRoot(n, &f.k, actors[f.k.id], groups)
		case f.k.forwarded:
			c.forwarded(n, &f.k, n.actor, groups)
		case n.grows(&f.k):
			c.grow(n, &f.k)
		case n.console != nil:
			c.grow(n.console, &f.k)
		case n.source != nil && n.source.how == CodeChanged: // runs open no console; two may begin in one second
		case n.cred.Kind == RoleSession || n.cred.Kind == FederationToken: // session tokens open no console
			n.console = c.unseenSignIn(n, &f.k)
		}
	}
	return nil
}

// grows reports whether a session has more ids than the log shows the issue of: a
// console session, one that a sign-in was switched or exchanged to, and one of
// Identity Center, which hands out another id than it took the role with.
func (n *node) grows(k *keyUse) bool {
	switch {
	case n.cred.Kind == Console, n.cred.Via == "signin:SwitchRole", n.cred.Via == "signin:CreateOAuth2Token":
		return true
	case n.cred.Via == "sts:AssumeRoleWithSAML" && !k.console:
		_, center := setOf(roleName(k.issuerARN))
		return center
	}
	return false
}

// grow gives a console session one more of its ids. The first names it, where
// no sign-in token does.
func (c *closure) grow(n *node, k *keyUse) {
	if len(n.cred.AccessKeyIDs) == 0 {
		n.cred.ID = k.id
	} else {
		n.own = Inferred
	}
	if n.cred.PrincipalARN == "" || n.cred.Via == "signin:SwitchRole" {
		k.fill(n)
	}
	c.attach(n, k.id)
}

// forwarded takes an id that a service uses on behalf of a credential. It is
// no separate escape: it belongs to the credential.
func (c *closure) forwarded(n *node, k *keyUse, actor Actor, groups map[string]*node) *node {
	key := n.cred.ID + " " + k.invokedBy + " " + k.created.String() + " " + string(actor)
	if g := groups[key]; g != nil {
		c.attach(g, k.id)
		return g
	}
	service, _, _ := strings.Cut(k.invokedBy, ".")
	g := &node{
		cred: Credential{ID: k.id, Kind: ServiceForwarded, Via: service + ":forward", IssuedAt: timePtr(k.created), ExpiresAt: n.cred.ExpiresAt,
			ExpiresDerived: n.cred.ExpiresAt != nil, Why: k.invokedBy + " acts for " + n.cred.ID + ": same principal and session"},
		parent: n, from: k.created, own: Inferred, actor: actor,
	}
	k.fill(g)
	groups[key] = g
	c.add(g, k.id)
	return g
}

// unseenSignIn makes ids that bear a session's principal and creation time,
// without being issued in the log, a console session of it.
func (c *closure) unseenSignIn(n *node, k *keyUse) *node {
	g := &node{
		cred: Credential{ID: k.id, Kind: Console, Via: "signin:ConsoleLogin", IssuedAt: timePtr(k.created), ExpiresAt: timePtr(k.created.Add(consoleLife)),
			ExpiresDerived: true, Why: "bears the principal and the creation time of " + n.cred.ID + "; its own issue is not in the logs"},
		parent: n, from: n.from, own: Inferred, actor: n.actor,
	}
	k.fill(g)
	c.add(g, k.id)
	return g
}
