package lineage

import (
	"context"
	"slices"
	"strings"
	"time"
)

// takenOver finds what came in through the principals found since the last
// time.
func (c *closure) takenOver(ctx context.Context) error {
	for {
		waiting := c.waiting
		c.waiting = nil
		// What ran tells more of a session than that its role is new.
		if err := c.ranBy(ctx, waiting); err != nil {
			return err
		}
		for _, w := range waiting {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.cameInBy(ctx, w); err != nil {
				return err
			}
		}
		if len(c.waiting) == 0 {
			return nil
		}
	}
}

// cameInBy finds what came in through a principal.
func (c *closure) cameInBy(ctx context.Context, w *takeover) error {
	switch {
	case closings[gateway(w.kind)] != nil || w.kind == string(poolIdentity):
		return c.cameThrough(ctx, w)
	case w.kind == centerUser || w.kind == centerToken:
		return c.enteredBy(ctx, w)
	case w.kind == centerGroup:
		return c.groupEntered(ctx, w)
	case w.kind == "instance profile":
		return c.profileUsed(ctx, w)
	case w.how == Created:
		if err := c.issuedTo(ctx, w); err != nil {
			return err
		}
		return c.usedBy(ctx, w)
	case w.how == TrustChanged:
		return c.letIn(ctx, w)
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
	if role, ok := parseARN(made.roleARN); ok && (w.how != Created || w.kind != "role") {
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

// usedBy finds the credentials in use by a created principal that no event of
// the log issued.
func (c *closure) usedBy(ctx context.Context, w *takeover) error {
	found, err := c.found(ctx, w)
	if err != nil {
		return err
	}
	keys := found.keys
	var key *node // for which services act
	groups, sessions := map[string]*node{}, map[string]*node{}
	for i := range keys {
		k := &keys[i]
		if c.byID[k.id] != nil || w.who.id == "" && !w.covers(k.first) {
			continue
		}
		if k.forwarded {
			if key == nil || key == w.by {
				key = c.keyOf(w)
			}
			c.forwarded(key, k, key.actor, groups)
			continue
		}
		if c.isOfSession(k) { // found in the next round
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

// isOfSession reports whether an id is one of the many of a session that is of
// the lineage, and whose further ids have not been looked for yet.
func (c *closure) isOfSession(k *keyUse) bool {
	return !k.created.IsZero() && slices.ContainsFunc(c.unmatched, func(n *node) bool {
		switch n.cred.Kind {
		case RoleSession, FederationToken, Console:
			return n.cred.PrincipalID == k.principalID && (n.source == nil || n.source.how != CodeChanged) &&
				slices.ContainsFunc(n.moments, func(m time.Time) bool { return sameMoment(m, k.created) })
		}
		return false
	})
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
