package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// noteRoles lists the roles that the changes passed or reached.
func (c *closure) noteRoles(ctx context.Context, claims []*claim) error {
	for _, l := range claims {
		a, ok := parseARN(l.role)
		if !ok {
			continue
		}
		who, err := c.resolve(ctx, "role", a.name, l.w.made)
		if err != nil {
			return fmt.Errorf("find role %s: %w", a.name, err)
		}
		who.arn = l.role
		why := "the lineage changed what runs as it: " + l.w.name + ", by " + l.w.made.api()
		if l.session == "" && !l.apart {
			why += "; sessions of it that no call ties to that are not listed, for they may be another workload's: " + l.other
			c.undecided = append(c.undecided, l.w)
		}
		key := [3]string{who.arn, who.id, string(CodeChanged)}
		if old := c.principal[key]; old != nil && old.p.EventID == l.w.made.eventID { // decided anew
			delete(c.principal, key)
			delete(c.edges, edgeKey{l.w.by, who.arn, l.w.made.api(), l.w.made.eventID})
		}
		c.note(l.w.made, l.w.by, who, "role", CodeChanged, why)
	}
	return nil
}

// lays reports whether a claim lays hold of a session.
func (c *closure) lays(l *claim, session, service string, taken bool, began time.Time) bool {
	on := l.w.work.call.on
	switch {
	case !l.until.IsZero() && !began.Before(l.until):
		return false
	case l.session != "":
		return !taken || on.unique() || on.takes(servicePrincipal(service))
	case len(l.w.work.names) == 0 && began.Before(l.w.from.Add(-clockSkew)): // one run, which began with the call
		return false
	}
	return l.apart && on.shows(session, service, taken) &&
		!c.compute.session[l.w.made.account+" "+session] // those are known by their names
}

// found is a session that a claim may lay hold of.
type found struct {
	claim   int
	row     int64  // of the call that took it
	k       keyUse // or its use, where none is in the log
	session string
	service string
	at      time.Time
}

// tookRole finds the sessions that services took, by the calls that took them:
// since the change, or before it and used since.
func (c *closure) tookRole(ctx context.Context, claims []*claim) ([]*node, error) {
	var all []found
	err := c.t.each(ctx, `WITH taken AS (
		    SELECT c.rowid AS id, c.account_id, c.role_arn, c.event_time, coalesce(c.invoked_by, '') AS service, c.issued_access_key_id,
		        coalesce(json_extract_scalar(c.request_parameters, '$.roleSessionName'), '') AS session
		    FROM trace_calls c WHERE c.event_name = 'AssumeRole' AND c.identity_type = 'AWSService' AND c.issued_access_key_id IS NOT NULL)
		SELECT s.claim, t.id, t.session, t.service, t.event_time FROM (
		        SELECT s.claim, s."from", t.* FROM taken t JOIN trace_claims s ON s.session = t.session AND s.account = t.account_id
		        WHERE s.session <> '' AND (s.role = '' OR s.role = t.role_arn)
		        UNION ALL
		        SELECT s.claim, s."from", t.* FROM taken t JOIN trace_claims s ON s.role = t.role_arn WHERE s.session = '') t
		    JOIN trace_claims s USING (claim)
		    LEFT JOIN trace_keys k ON k.access_key_id = t.issued_access_key_id
		WHERE t.event_time >= s."from" - INTERVAL 1 SECOND OR k.last_used >= s."from"
		ORDER BY t.event_time, t.id, s."from", s.claim`, nil, func(scan func(...any) error) error {
		var f found
		if err := scan(&f.claim, &f.row, &f.session, &f.service, &f.at); err != nil {
			return err
		}
		if c.lays(claims[f.claim], f.session, f.service, true, f.at) {
			all = append(all, f)
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	rows, by := []int64{}, map[int64]*takeover{}
	for _, f := range all {
		if by[f.row] == nil {
			rows, by[f.row] = append(rows, f.row), claims[f.claim].w
		}
	}
	var nodes []*node
	calls, err := c.t.callsOf(ctx, rows)
	for _, made := range calls {
		w := by[made.row]
		if c.byID[made.issued] != nil {
			continue
		}
		n := c.ran(w, made.issued)
		c.t.describe(n, made, nil)
		n.cred.Via = w.made.api()
		n.cred.Why += "; " + made.invokedBy + " took it"
		n.from = later(made.time, w.from)
		c.add(n, made.issued)
		nodes = append(nodes, n)
		id, _, _ := strings.Cut(n.cred.PrincipalID, ":")
		c.noteRan(w, identity{id, made.roleARN, made.account})
		if made.key == "" && !made.time.Before(w.from) {
			c.markEvent(n, made)
		}
	}
	return nodes, err
}

// ran is a session of a workload that the lineage changed.
func (c *closure) ran(w *takeover, id string) *node {
	return &node{
		cred: Credential{ID: id, Kind: RoleSession, Via: w.made.api(),
			Why: "session of " + w.name + ", whose code the lineage brought in or changed by " + w.made.api()},
		parent: w.by, own: Inferred, actor: w.actor, source: w,
	}
}

// noteRan lists the role of a session, where the change did not name it.
func (c *closure) noteRan(w *takeover, role identity) {
	if c.principal[[3]string{role.arn, "", string(CodeChanged)}] == nil {
		c.noteAs(Inferred, w.made, w.by, role, "role", CodeChanged, "the lineage changed what runs as it: "+w.name)
	}
}

// actAs finds the sessions whose taking is not in the log, by their use since
// the change. nodes are those whose taking is.
func (c *closure) actAs(ctx context.Context, claims []*claim, nodes []*node) error {
	var direct, through []found
	for _, on := range []string{
		`s.session <> '' AND s.session = split_part(k.principal_id, ':', 2) AND s.account = coalesce(k.identity_account_id, k.account_id)
			AND (s.role = '' OR s.role = k.issuer_arn)`,
		`s.session = '' AND s.role = k.issuer_arn`,
	} {
		err := c.t.each(ctx, `SELECT `+keyColumns+`, s.claim FROM trace_keys k JOIN trace_claims s ON `+on+`
			WHERE k.identity_type = 'AssumedRole' AND k.last_used >= s."from" AND `+notIssued+`
			ORDER BY k.first_used, k.access_key_id, s."from", s.claim`, nil, func(scan func(...any) error) error {
			var f found
			if err := f.k.scan(scan, &f.claim); err != nil {
				return err
			}
			_, session, _ := strings.Cut(f.k.principalID, ":")
			began := f.k.created
			if began.IsZero() {
				began = f.k.first
			}
			switch {
			case !c.lays(claims[f.claim], session, f.k.invokedBy, false, began):
			case f.k.forwarded:
				through = append(through, f)
			default:
				direct = append(direct, f)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, f := range slices.Concat(direct, through) {
		k, w := &f.k, claims[f.claim].w
		// What a service does for a session belongs to it, and is found by it.
		// Some services make all calls of a session so.
		if c.byID[k.id] != nil || k.forwarded && slices.ContainsFunc(nodes, k.comesFrom) {
			continue
		}
		n := c.ran(w, k.id)
		n.from, n.cred.IssuedAt = later(k.created, w.from), timePtr(k.created)
		if !k.created.IsZero() {
			n.cred.ExpiresAt, n.cred.ExpiresDerived = timePtr(k.created.Add(consoleLife)), true
			n.moments = append(n.moments, k.created)
		}
		k.fill(n)
		c.add(n, k.id)
		nodes = append(nodes, n)
		c.noteRan(w, identity{k.issuerID, k.issuerARN, k.account})
	}
	return nil
}

// comesFrom reports whether an id bears the principal and the creation time of a
// session.
func (k *keyUse) comesFrom(n *node) bool {
	return n.cred.PrincipalID == k.principalID && slices.ContainsFunc(n.moments, func(at time.Time) bool {
		return k.created.Sub(at).Abs() <= 2*clockSkew
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
