package lineage

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// center is what the log tells of an Identity Center user.
type center struct {
	calls    []*call             // in the organisation's account: sign-ins and requests for roles
	names    map[string]bool     // the names that sessions of the user bear
	sessions map[string][]keyUse // of roles that act on the user's behalf, by principal id
	learnt   map[string]bool     // names of sessions that are the user's by their time alone
	requests map[*call]*call     // for a role, by the session that it was answered with
}

func (c *closure) centerOf(ctx context.Context, w *takeover) (*center, error) {
	u := &center{names: map[string]bool{}, sessions: map[string][]keyUse{}}
	var err error
	u.calls, err = c.t.calls(ctx, `FROM trace_calls c WHERE (c.on_behalf_of_user_id = ? OR c.principal_id = ?)
		AND c.event_source IN ('sso.amazonaws.com', 'sso-oauth.amazonaws.com', 'signin.amazonaws.com')`, w.who.id, w.who.id)
	if err != nil {
		return nil, err
	}
	for _, made := range u.calls {
		u.names[made.user] = true
	}
	if w.how == Created {
		u.names[w.made.param("userName")] = true
	}
	for _, hidden := range []string{"", "HIDDEN_DUE_TO_SECURITY_REASONS"} {
		delete(u.names, hidden)
	}
	err = c.t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k WHERE k.access_key_id IN (
		    SELECT access_key_id FROM trace_identities JOIN identities USING (identity_id) WHERE on_behalf_of_user_id = ? AND access_key_id <> '')
		ORDER BY k.first_used, k.access_key_id`, []any{w.who.id}, func(scan func(...any) error) error {
		var k keyUse
		err := k.scan(scan)
		u.sessions[k.principalID] = append(u.sessions[k.principalID], k)
		return err
	})
	return u, err
}

// ties says what ties a session of a role to the user, "" where nothing does,
// and whether the session's own records name the user.
func (u *center) ties(made *call) (why string, proven bool) {
	for _, k := range u.sessions[made.response] {
		if sameMoment(made.time, k.created) {
			return "the session's records name the user as the one it acts on behalf of", true
		}
	}
	if r := u.requests[made]; r != nil {
		return r.api() + " of the user (event " + r.eventID + ") names the account and the permission set, at the same time", false
	}
	if u.names[made.param("roleSessionName")] {
		return "the session bears the user's name", false
	}
	return "", false
}

// pair finds the session that each request of the user for a role was answered
// with: one that bears the user's name, else the only one that is nearest in
// time. A name that is learnt so tells the answers to other requests apart.
func (u *center) pair(sessions []*call) {
	u.requests, u.learnt = map[*call]*call{}, map[string]bool{}
	for range 2 {
		for _, r := range u.calls {
			if made := u.answer(r, sessions); made != nil && u.requests[made] == nil {
				u.requests[made] = r
				u.learnt[made.param("roleSessionName")] = true
			}
		}
	}
}

func (u *center) answer(r *call, sessions []*call) *call {
	var best *call
	var distance time.Duration
	named, tie := false, false
	for _, made := range sessions {
		d := made.time.Sub(r.time).Abs()
		set, _ := setOf(roleName(made.roleARN))
		if d > relayed || !r.requestsRole(set, made.roleAccount()) {
			continue
		}
		name := made.param("roleSessionName")
		bears := u.names[name] || len(u.names) == 0 && u.learnt[name]
		switch {
		case best == nil, bears && !named, bears == named && d < distance:
			best, distance, named, tie = made, d, bears, false
		case bears == named && d == distance:
			tie = true
		}
	}
	if tie && !named {
		return nil
	}
	return best
}

// requestsRole reports whether a call of a user asks for a permission set in an
// account. Records name them in serviceEventDetails; some made otherwise do in
// the request.
func (c *call) requestsRole(set, account string) bool {
	if c.name != "GetRoleCredentials" && c.name != "Federate" {
		return false
	}
	first := func(names ...string) string {
		for _, name := range names {
			for _, text := range []string{c.details, c.request} {
				if v := member(text, name); v != "" {
					return v
				}
			}
		}
		return ""
	}
	return first("role_name", "roleName") == set && first("account_id", "accountId") == account
}

func roleName(arn string) string {
	a, _ := parseARN(arn)
	return a.name
}

// enteredBy finds the role sessions that a user of Identity Center took, who
// was created, had its password set or was given access by the lineage.
func (c *closure) enteredBy(ctx context.Context, w *takeover) error {
	u, err := c.centerOf(ctx, w)
	if err != nil {
		return err
	}
	portals := c.portals(w, u)
	calls, err := c.centerSessions(ctx)
	if err != nil {
		return err
	}
	u.pair(calls)
	set, err := c.assignedSet(ctx, w)
	if err != nil {
		return err
	}
	for _, made := range u.calls {
		if made.issued != "" && w.covers(made.time) && (w.how == Created || portals[made.portalID()] != nil) {
			c.enter(w, made, portals, made, made.api()+" of the user hands it out", false)
		}
	}
	account := w.made.param("targetId")
	came, own := map[string]bool{}, u.networksBefore(w.from)
	for _, made := range calls {
		why, proven := u.ties(made)
		request := u.requests[made]
		switch {
		case why == "":
			continue
		case made.time.Before(w.from):
			came[made.roleARN] = true
			continue
		case w.how == PolicyChanged && (came[made.roleARN] || account != "" && made.roleAccount() != account):
			continue
		case w.how == PolicyChanged && set != "" && !strings.HasPrefix(roleName(made.roleARN), "AWSReservedSSO_"+set+"_"):
			continue
		case w.kind == centerToken && (request == nil || request.credentialID != w.name):
			continue
		case w.how == PasswordSet && request != nil && own[network(request.address)] && !c.t.o.AllUse:
			continue
		}
		c.enter(w, made, portals, request, why, proven)
	}
	return c.unseenEntries(w, u, calls)
}

// enter takes a role session of a user of Identity Center.
func (c *closure) enter(w *takeover, made *call, portals map[string]*node, request *call, why string, proven bool) {
	if c.byID[made.issued] != nil {
		return
	}
	c.descend(w, made, why)
	n := c.byID[made.issued]
	if proven && w.how == Created || w.kind == centerToken && request != nil {
		n.own = Confirmed
	}
	if request == nil {
		return
	}
	if p := portals[request.portalID()]; p != nil {
		n.parent, n.source = p, nil
	}
	if w.who.arn != "" {
		c.edge(nil, Edge{From: w.who.arn, To: made.issued, Via: request.api(), EventID: request.eventID, Time: request.time.UTC(), Certainty: Inferred, Why: why})
	}
}

// portalID tells the sessions of the access portal apart.
func (c *call) portalID() string {
	if c.credentialID != "" {
		return c.credentialID
	}
	return c.eventID
}

// portals makes the sign-ins of a user whom the lineage holds credentials of:
// one for each credential id of Identity Center.
func (c *closure) portals(w *takeover, u *center) map[string]*node {
	found := map[string]*node{}
	if w.kind == centerToken {
		found[w.name] = w.by
	}
	own := u.networksBefore(w.from)
	for _, made := range u.calls {
		id := made.portalID()
		if w.kind != centerToken && found[id] == nil {
			owns := w.how == PasswordSet && own[network(made.address)] && !c.t.o.AllUse
			if w.how == PolicyChanged || !w.covers(made.time) || owns || made.credentialID == "" && !made.signsIn() {
				continue
			}
			found[id] = c.portal(made, w.by, w, id, w.who, "sign-in of the Identity Center user, whom the lineage "+map[How]string{Created: "created", PasswordSet: "set the password of"}[w.how])
		}
		if n := found[id]; n != nil && w.covers(made.time) {
			c.markEvent(n, made)
		}
	}
	return found
}

// signsIn reports whether a call is a sign-in to Identity Center.
func (c *call) signsIn() bool {
	return c.name == "Authenticate" || c.name == "UserAuthentication" || c.name == "CreateToken"
}

func (u *center) networksBefore(at time.Time) map[string]bool {
	own := map[string]bool{}
	for _, made := range u.calls {
		if made.time.Before(at) {
			own[network(made.address)] = true
		}
	}
	delete(own, "")
	return own
}

// centerSessions are all sessions that Identity Center took of its roles.
func (c *closure) centerSessions(ctx context.Context) ([]*call, error) {
	if c.center != nil {
		return c.center, nil
	}
	var err error
	c.center, err = c.t.calls(ctx, `FROM trace_calls c WHERE c.event_name = 'AssumeRoleWithSAML' AND c.issued_access_key_id IS NOT NULL
		AND contains(c.role_arn, '/AWSReservedSSO_')`)
	return c.center, err
}

// assignedSet is the name of the permission set that was assigned, where the log
// shows its making.
func (c *closure) assignedSet(ctx context.Context, w *takeover) (string, error) {
	arn := w.made.param("permissionSetArn")
	if arn == "" {
		return "", nil
	}
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_source = 'sso.amazonaws.com' AND c.event_name = 'CreatePermissionSet' AND contains(c.response, ?)`, arn)
	for _, made := range calls {
		return made.param("name"), err
	}
	return "", err
}

// groupEntered finds the role sessions that the assignment of a group let its
// members have: of permission sets and accounts where they had none before.
func (c *closure) groupEntered(ctx context.Context, w *takeover) error {
	account := w.made.param("targetId")
	if w.made.name != "CreateAccountAssignment" {
		return nil
	}
	calls, err := c.centerSessions(ctx)
	if err != nil {
		return err
	}
	set, err := c.assignedSet(ctx, w)
	if err != nil {
		return err
	}
	came := map[string]bool{}
	for _, made := range calls {
		who := made.param("roleSessionName") + " " + made.roleARN
		name, _ := setOf(roleName(made.roleARN))
		switch {
		case made.roleAccount() != account || set != "" && name != set:
		case made.time.Before(w.from):
			came[who] = true
		case !came[who]:
			c.descend(w, made, "a session in the account that the lineage assigned the group to, of a user who had none of that permission set there before")
		}
	}
	return nil
}

// unseenEntries finds the sessions that act on behalf of a user and whose issue
// is not in the log.
func (c *closure) unseenEntries(w *takeover, u *center, issued []*call) error {
	if w.how != Created {
		return nil
	}
	known := map[string]*node{}
	for _, id := range slices.Sorted(maps.Keys(u.sessions)) {
		for _, k := range u.sessions[id] {
			if c.byID[k.id] != nil || k.forwarded || k.last.Before(w.from) || wasIssued(id, k.created, issued) {
				continue
			}
			session := id + " " + k.created.String()
			if n := known[session]; n != nil && !k.created.IsZero() {
				c.attach(n, k.id)
				continue
			}
			n := c.unexplained(&k, w.by, later(k.created, w.from), w.actor, "acts on behalf of the Identity Center user that the lineage created")
			n.source = w
			known[session] = n
		}
	}
	return nil
}

func wasIssued(principal string, created time.Time, issued []*call) bool {
	for _, made := range issued {
		if made.issued != "" && made.response == principal && sameMoment(made.time, created) {
			return true
		}
	}
	return false
}
