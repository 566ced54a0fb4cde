package lineage

import (
	"context"
	"strings"
)

// takenOver finds what came in through the principals found since the last
// time.
func (c *closure) takenOver(ctx context.Context) error {
	// What ran tells more of a session than that its role is new.
	if err := c.ranBy(ctx, c.waiting); err != nil {
		return err
	}
	for len(c.waiting) > 0 {
		w := c.waiting[0]
		c.waiting = c.waiting[1:]
		var err error
		switch {
		case w.kind == "identity provider":
			err = c.vouchedFor(ctx, w)
		case w.how == Created:
			if err = c.issuedTo(ctx, w); err == nil {
				err = c.usedBy(ctx, w)
			}
		case w.how == TrustChanged:
			err = c.letIn(ctx, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// descend takes a credential that came in through a principal.
func (c *closure) descend(w *takeover, made *call, why string) {
	if c.byID[made.issued] != nil {
		return
	}
	n := &node{cred: Credential{ID: made.issued, Why: why}, parent: w.by, from: made.time, own: Inferred, actor: w.actor, source: w}
	c.t.describe(n, made, nil)
	if n.cred.Kind == LongTerm && n.cred.PrincipalARN == "" || strings.HasPrefix(made.source, "iam.") {
		n.cred.PrincipalID, n.cred.PrincipalARN, n.cred.AccountID = w.who.id, w.who.arn, w.who.account
	}
	c.add(n, made.issued)
	if role, ok := parseARN(made.roleARN); ok && (w.how != Created || w.kind == "identity provider") {
		id, _, _ := strings.Cut(made.response, ":")
		c.noteAs(Inferred, made, w.by, identity{id, made.roleARN, role.account}, "role", Assumed, "a session of it came in through what the lineage changed")
	}
	if made.key == "" {
		c.markEvent(n, made)
	}
}

// issuedTo finds the credentials that anybody had for a created principal.
func (c *closure) issuedTo(ctx context.Context, w *takeover) error {
	found, err := c.found(ctx, w)
	if err != nil {
		return err
	}
	for _, made := range found.calls {
		id, _, _ := strings.Cut(made.response, ":")
		if !w.covers(made.time) || w.kind == "role" && id != "" && w.who.id != "" && id != w.who.id {
			continue
		}
		by := made.caller()
		if by == "" {
			by = made.key
		}
		c.descend(w, made, "issued by "+made.api()+" of "+by+" for the "+w.kind+" that the lineage created")
	}
	return nil
}

// vouchedFor finds the sessions that a created identity provider let in.
func (c *closure) vouchedFor(ctx context.Context, w *takeover) error {
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.issued_access_key_id IS NOT NULL
		AND c.event_name IN ('AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity') AND c.event_time >= ?
		AND (coalesce(c.federated_provider, c.identity_provider) = ? OR json_extract_scalar(c.request_parameters, '$.principalArn') = ?)`,
		w.from, w.who.arn, w.who.arn)
	for _, made := range calls {
		c.descend(w, made, "vouched for by the identity provider that the lineage created")
	}
	return err
}

// usedBy finds the credentials in use by a created principal that no event of
// the log issued.
func (c *closure) usedBy(ctx context.Context, w *takeover) error {
	found, err := c.found(ctx, w)
	if err != nil {
		return err
	}
	keys := found.keys
	groups, sessions := map[string]*node{}, map[string]*node{}
	for i := range keys {
		k := &keys[i]
		if c.byID[k.id] != nil || w.who.id == "" && !w.covers(k.first) {
			continue
		}
		if k.forwarded {
			c.forwarded(c.keyOf(w), k, groups)
			continue
		}
		session := k.principalID + " " + k.created.String()
		if n := sessions[session]; n != nil && !k.created.IsZero() {
			c.attach(n, k.id)
			continue
		}
		n := c.unexplained(k, w.by, later(k.created, w.from), w.actor, "acts for the "+w.kind+" that the lineage created")
		n.source = w
		sessions[session] = n
	}
	return nil
}

// keyOf is the long-term key of a created user, for which services act, else
// the credential that created it.
func (c *closure) keyOf(w *takeover) *node {
	for _, n := range c.nodes {
		if n.cred.Kind == LongTerm && n.cred.PrincipalID == w.who.id {
			return n
		}
	}
	return w.by
}

// letIn finds the sessions of a role that a changed trust policy let in:
// callers whom it names and who had never taken the role before.
func (c *closure) letIn(ctx context.Context, w *takeover) error {
	found, err := c.found(ctx, w)
	if err != nil {
		return err
	}
	calls := found.calls
	before := map[string]bool{}
	for _, made := range calls {
		if made.time.Before(w.from) && c.byID[made.key] == nil {
			before[made.caller()] = true
		}
	}
	for _, made := range calls {
		if !w.covers(made.time) || made.time.Before(w.from) || before[made.caller()] || !w.trusted.admits(made) {
			continue
		}
		c.descend(w, made, "taken by "+made.caller()+", whom the trust policy that the lineage set lets in and who had not taken the role before")
	}
	return nil
}
