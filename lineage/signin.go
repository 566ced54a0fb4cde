package lineage

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"time"
)

// consoleLife is how long a console session lasts when nothing shortens it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/console_account-alias.html
const consoleLife = 12 * time.Hour

// signInTokenLife is for how long a sign-in token can be exchanged for a
// console session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
const signInTokenLife = 15 * time.Minute

// signIns finds the console sessions of what was found since the last time: of
// users that were created or whose password was set, of federated and role
// sessions, and the roles that these switch to.
func (c *closure) signIns(ctx context.Context) error {
	c.pending = pendingNodes{}
	names := map[string]bool{}
	for _, w := range c.waiting {
		if w.kind == "user" || w.kind == "root" {
			names[w.who.id], names[w.who.arn] = true, true
		}
	}
	for _, n := range c.unmatched {
		names[n.cred.PrincipalID], names[n.cred.PrincipalARN] = true, true
	}
	delete(names, "")
	logins, err := c.signInsOf(ctx, names)
	if err != nil {
		return err
	}
	c.signingIn = nil
	for _, login := range logins {
		if c.ownPlaces[login.principalID] == nil && login.principalID != "" {
			c.signingIn = append(c.signingIn, login.principalID)
		}
	}
	for _, login := range logins {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !login.succeeded() {
			continue
		}
		switch login.name {
		case "SwitchRole":
			if err := c.switchRole(ctx, login); err != nil {
				return err
			}
			continue
		case "CreateOAuth2Token":
			c.exchanged(login)
			continue
		}
		if err := c.login(ctx, login); err != nil {
			return err
		}
	}
	return nil
}

func (c *closure) signInsOf(ctx context.Context, names map[string]bool) ([]*call, error) {
	if len(names) == 0 {
		return nil, nil
	}
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	err := c.t.table(ctx, "trace_wanted", `id VARCHAR`, len(all), func(i int) []driver.Value { return []driver.Value{all[i]} })
	if err != nil {
		return nil, err
	}
	return c.t.calls(ctx, `FROM trace_calls c WHERE c.event_source = 'signin.amazonaws.com' AND (
		c.event_name IN ('ConsoleLogin', 'CreateOAuth2Token') AND (c.principal_id IN (FROM trace_wanted) OR c.identity_arn IN (FROM trace_wanted))
		OR c.event_name = 'SwitchRole' AND json_extract_scalar(c.additional_event_data, '$.SwitchFrom') IN (FROM trace_wanted))`)
}

// login takes a sign-in into the lineage when it came by something of the
// lineage.
func (c *closure) login(ctx context.Context, login *call) error {
	if c.marked[[2]int64{login.sourceID, login.recordIndex}] {
		return nil
	}
	var way *takeover
	for _, w := range c.waysInto(login) {
		if w.covers(login.time) && (way == nil || w.how == PasswordSet) {
			way = w
		}
	}
	if way != nil {
		return c.passwordLogin(ctx, login, way)
	}
	n, err := c.sessionOf(ctx, login)
	if n != nil {
		c.federatedLogin(login, n)
	}
	return err
}

// waysInto are the ways into the user that signed in, in order of finding.
func (c *closure) waysInto(login *call) []*takeover {
	var ways []*takeover
	if login.principalID != "" {
		ways = slices.Clone(c.users[login.principalID])
	}
	if login.identityARN != "" {
		for _, w := range c.users[login.identityARN] {
			if w.who.id == "" {
				ways = append(ways, w)
			}
		}
	}
	slices.SortFunc(ways, func(a, b *takeover) int { return a.seq - b.seq })
	return ways
}

// passwordLogin takes the sign-in of a user whose password the lineage set, or
// whom it created. Of a user who was there before, a sign-in from where the
// user always came from is the user's own.
func (c *closure) passwordLogin(ctx context.Context, login *call, way *takeover) error {
	why := "the user was created by the lineage"
	actor := way.actor
	if way.how == PasswordSet {
		why = "the lineage had set the user's password"
		owns, err := c.ownNetwork(ctx, login, way.from)
		if err != nil {
			return err
		}
		if owns && !c.creations[way.who.id] {
			if !c.t.o.AllUse {
				return nil
			}
			actor, why = Unclear, why+", though the sign-in is from a network of the user's own"
		}
	}
	c.console(login, way.by, way, "ConsoleLogin", actor, why)
	return nil
}

// sessionOf is the session of the lineage that a federated sign-in came from:
// the one that it names by when that began, else the latest that bears its
// principal and was valid. A session that began with the sign-in may come from
// an identity provider instead: it is the principal's own when it is from where
// that always came from.
func (c *closure) sessionOf(ctx context.Context, login *call) (*node, error) {
	var best *node
	for _, n := range c.unmatchedOf().byID[login.principalID] {
		if n.cred.Kind != RoleSession && n.cred.Kind != FederationToken && n.cred.Kind != Console {
			continue
		}
		start := timeOf(n.cred.IssuedAt)
		end := later(start, n.from).Add(consoleLife)
		if n.cred.ExpiresAt != nil {
			end = n.cred.ExpiresAt.Add(signInTokenLife)
		}
		if login.time.Before(start.Add(-clockSkew)) || login.time.After(end) {
			continue
		}
		if n.began(login.created) {
			return n, nil
		}
		if best == nil || start.After(timeOf(best.cred.IssuedAt)) {
			best = n
		}
	}
	switch {
	case best == nil || login.created.IsZero():
		return best, nil
	case !sameMoment(login.created, login.time):
		return nil, nil // of another session
	}
	owns, err := c.ownNetwork(ctx, login, best.from)
	if owns {
		best = nil
	}
	return best, err
}

// began reports whether a session, the console session made of it, or the one
// that it was made of began at a moment.
func (n *node) began(at time.Time) bool {
	for _, s := range []*node{n, n.console, n.parent} {
		if s != nil && slices.ContainsFunc(s.moments, func(m time.Time) bool { return sameMoment(m, at) }) {
			return true
		}
	}
	return false
}

// sameMoment reports whether a session that began at a moment may be the one
// that a record says was created then.
func sameMoment(began, created time.Time) bool {
	d := created.Sub(began)
	return d >= -clockSkew && d <= 2*clockSkew
}

// federatedLogin joins a sign-in to the session of its sign-in token, or makes
// it a console session of its own where the log has no token.
func (c *closure) federatedLogin(login *call, n *node) {
	if n.cred.Kind != Console && n.console != nil {
		n = n.console
	}
	if n.cred.Kind == Console {
		n.moments = append(n.moments, login.time)
		c.markEvent(n, login)
		return
	}
	n.console = c.console(login, n, nil, "ConsoleLogin", n.actor, "the session of "+n.cred.ID+" signed in to the console")
}

// switchRole takes the role that a console session of the lineage switched to.
func (c *closure) switchRole(ctx context.Context, login *call) error {
	from := member(login.additional, "SwitchFrom")
	if c.marked[[2]int64{login.sourceID, login.recordIndex}] || login.identityARN == from {
		return nil
	}
	for _, n := range c.unmatchedOf().byARN[from] {
		if n.cred.Kind != Console || login.time.Before(n.from) || login.time.After(n.from.Add(consoleLife)) {
			continue
		}
		if joined, err := c.takenFor(ctx, login, n); joined || err != nil {
			return err
		}
		s := c.console(login, n, nil, "SwitchRole", n.actor, "the console session of "+from+" switched to the role")
		s.cred.Kind = RoleSession
		role, _ := parseARN(login.identityARN)
		if a, ok := parseARN(login.issuerARN); ok {
			c.note(login, n, identity{arn: login.issuerARN, account: a.account}, "role", Assumed, "the lineage switched to it")
		} else {
			s.cred.AccountID = role.account
		}
		return nil
	}
	return nil
}

// takenFor joins a switch of roles to the session that sign-in took of the role
// for it, where the log shows that: one credential with the further ids of the
// console.
func (c *closure) takenFor(ctx context.Context, login *call, from *node) (bool, error) {
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_name = 'AssumeRole' AND c.issued_access_key_id IS NOT NULL AND c.access_key_id IS NOT NULL
		AND c.response = ? AND c.event_time BETWEEN ? AND ?`, login.principalID, login.time.Add(-2*clockSkew), login.time.Add(clockSkew))
	if err != nil || len(calls) == 0 {
		return false, err
	}
	made := calls[len(calls)-1]
	n := c.byID[made.issued]
	if n == nil {
		n = &node{cred: Credential{ID: made.issued}, parent: from, from: made.time, own: Confirmed, actor: from.actor}
		c.t.describe(n, made, from)
		n.cred.Why = "taken by sign-in when the console session of " + from.cred.PrincipalARN + " switched to the role"
		c.add(n, made.issued)
		if role, ok := parseARN(made.roleARN); ok {
			id, _, _ := strings.Cut(made.response, ":")
			c.note(made, from, identity{id, made.roleARN, role.account}, "role", Assumed, "the lineage switched to it")
		}
	}
	n.moments = append(n.moments, login.time)
	n.console = n
	c.markEvent(n, login)
	return true, nil
}

// exchanged takes the credentials that the AWS CLI got for a console session of
// the lineage (aws login). The record names neither a key of the caller nor, as
// AWS writes it, the key that is handed out: both bear the session's principal.
// https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html
func (c *closure) exchanged(token *call) {
	if c.marked[[2]int64{token.sourceID, token.recordIndex}] || token.key != "" {
		return
	}
	var from *node
	for _, n := range c.unmatchedOf().byID[token.principalID] {
		if n.cred.Kind != Console || token.time.Before(n.from.Add(-clockSkew)) || token.time.After(n.from.Add(consoleLife)) {
			continue
		}
		if token.created.IsZero() || n.began(token.created) {
			from = n
		}
	}
	if from == nil || token.issued != "" && c.byID[token.issued] != nil {
		return
	}
	n := c.console(token, from, nil, "CreateOAuth2Token", from.actor, "the console session "+from.cred.ID+" signed the AWS CLI in")
	n.cred.Kind = SessionToken
	n.cred.ExpiresAt = timePtr(token.time.Add(issuers["signin:CreateOAuth2Token"].life))
	if !token.expires.IsZero() {
		n.cred.ExpiresAt, n.cred.ExpiresDerived = timePtr(token.expires), false
	}
	if token.issued != "" {
		n.cred.ID = token.issued
		c.attach(n, token.issued)
	}
}

// console makes a sign-in a credential. It has the sign-in's id until ids of
// the session are found.
func (c *closure) console(login *call, parent *node, way *takeover, name string, actor Actor, why string) *node {
	n := &node{
		cred: Credential{ID: login.eventID, Kind: Console, PrincipalID: login.principalID, PrincipalARN: login.identityARN,
			AccountID: login.account, Via: "signin:" + name, IssuedEventID: login.eventID, IssuedAt: timePtr(login.time),
			ExpiresAt: timePtr(login.time.Add(consoleLife)), ExpiresDerived: true, Why: why},
		parent: parent, from: login.time, moments: []time.Time{login.time}, own: Inferred, actor: actor, source: way,
	}
	if parent.cred.Kind == RoleSession {
		n.cred.SessionName = parent.cred.SessionName
	}
	c.nodes = append(c.nodes, n)
	c.unmatched = append(c.unmatched, n)
	c.markEvent(n, login)
	return n
}
