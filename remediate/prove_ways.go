package remediate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// WayBack is how the intruder could have credentials again after a stage.
type WayBack struct {
	Kind     string         `json:"kind"` // trust, provider, function, schedule, compute, grant, sso, anchor, principal, issuer, workload
	What     string         `json:"what"`
	Why      string         `json:"why"`
	EventID  string         `json:"event_id"` // that opened it; "" where none did
	Time     *time.Time     `json:"time"`
	ClosedBy *PendingAction `json:"closed_by"` // null: no action of the plan closes it
}

// way is a WayBack with what closes it.
type way struct {
	WayBack
	parent  *lineage.Credential                         // that opens it for as long as it lives
	closers []int                                       // indexes of actions of the plan
	closed  func(done []*denial, alive []*holding) bool // nil: only the closers tell
}

// at gives a way as it is after the action at an index, and whether it is open.
func (w way) at(p *Plan, index int, done []*denial, alive []*holding) (WayBack, bool) {
	if w.closed != nil && w.closed(done, alive) {
		return WayBack{}, false
	}
	var later []*Action
	for _, i := range w.closers {
		a := &p.Actions[i]
		if a.Mode == Auto && i <= index {
			return WayBack{}, false
		}
		later = append(later, a)
	}
	out := w.WayBack
	out.ClosedBy = pending(easiest(later))
	return out, true
}

// reentry are the calls that leave a way back, by kind, and in words.
var reentry = map[string]struct{ kind, why string }{
	"iam:UpdateAssumeRolePolicy":                {"trust", "whom its trust policy lets in takes new sessions"},
	"iam:CreateRole":                            {"trust", "whom its trust policy lets in takes new sessions"},
	"iam:CreateSAMLProvider":                    {"provider", "what the provider signs opens every role that trusts it"},
	"iam:UpdateSAMLProvider":                    {"provider", "what the provider signs opens every role that trusts it"},
	"iam:CreateOpenIDConnectProvider":           {"provider", "what the provider signs opens every role that trusts it"},
	"iam:AddClientIDToOpenIDConnectProvider":    {"provider", "what the provider signs opens every role that trusts it"},
	"iam:UpdateOpenIDConnectProviderThumbprint": {"provider", "what the provider signs opens every role that trusts it"},
	"rolesanywhere:CreateTrustAnchor":           {"anchor", "its certificates open the roles that trust Roles Anywhere"},
	"rolesanywhere:UpdateTrustAnchor":           {"anchor", "its certificates open the roles that trust Roles Anywhere"},
	"rolesanywhere:EnableTrustAnchor":           {"anchor", "its certificates open the roles that trust Roles Anywhere"},
	"rolesanywhere:CreateProfile":               {"anchor", "it names roles that certificates open"},
	"lambda:CreateFunction":                     {"function", "its code runs with its role"},
	"lambda:UpdateFunctionCode":                 {"function", "the intruder's code runs with the function's role"},
	"lambda:UpdateFunctionConfiguration":        {"function", "what was changed runs with the function's role"},
	"lambda:CreateFunctionUrlConfig":            {"function", "whoever has the URL runs the function with its role"},
	"lambda:UpdateFunctionUrlConfig":            {"function", "whoever has the URL runs the function with its role"},
	"lambda:AddPermission":                      {"function", "whom it lets in runs the function with its role"},
	"lambda:CreateEventSourceMapping":           {"function", "its events run the function with its role"},
	"events:PutRule":                            {"schedule", "it starts its targets again"},
	"events:PutTargets":                         {"schedule", "the rule starts them again"},
	"scheduler:CreateSchedule":                  {"schedule", "it starts its target again"},
	"scheduler:UpdateSchedule":                  {"schedule", "it starts its target again"},
	"ec2:RunInstances":                          {"compute", "the instance gets new credentials of its role"},
	"ec2:AssociateIamInstanceProfile":           {"compute", "the instance gets new credentials of the role"},
	"ec2:ReplaceIamInstanceProfileAssociation":  {"compute", "the instance gets new credentials of the role"},
	"ec2:ModifyInstanceAttribute":               {"compute", "what it runs at its start may be the intruder's"},
	"autoscaling:CreateAutoScalingGroup":        {"compute", "it starts instances again"},
	"ecs:RegisterTaskDefinition":                {"compute", "its tasks get new credentials of their role"},
	"ecs:CreateService":                         {"compute", "it starts its tasks again"},
	"ecs:RunTask":                               {"compute", "the task gets new credentials of its role"},
	"cloudformation:CreateStack":                {"compute", "it creates its resources with its role"},
	"codebuild:CreateProject":                   {"compute", "its builds run with its role"},
	"codebuild:UpdateProject":                   {"compute", "its builds run with its role"},
	"glue:CreateDevEndpoint":                    {"compute", "it has credentials of its role"},
	"sagemaker:CreateNotebookInstance":          {"compute", "it has credentials of its role"},
	"kms:CreateGrant":                           {"grant", "its grantee uses the key whatever policies say"},
	"kms:PutKeyPolicy":                          {"grant", "whom it names uses the key"},
	"s3:PutBucketPolicy":                        {"grant", "whom it names reaches the bucket without a credential of this account"},
	"sso:CreateAccountAssignment":               {"sso", "the user signs in to the account again"},
	"sso-directory:CreateUser":                  {"sso", "the user signs in again"},
	"identitystore:CreateUser":                  {"sso", "the user signs in again"},
}

// waysBack finds how the intruder could come again: what its calls left behind
// and nobody undid, principals of its own, issuers that hand out new credentials.
func (v *prover) waysBack(ctx context.Context) ([]way, error) {
	ev, err := loadEvidence(ctx, v.c, v.lineage)
	if err != nil {
		return nil, err
	}
	known, unknown := changes(ev.events)
	var ways []way
	for _, c := range newPlanner(v.lineage, ev).standing(known) {
		ways = append(ways, v.leftBehind(c.last(), strings.Join(append(slices.Clone(c.objects), c.elements...), ", "), eventIDs(c.events))...)
	}
	for _, e := range unknown {
		ways = append(ways, v.leftBehind(e, "", []string{e.id})...)
	}
	ways = append(ways, v.issuers()...)
	slices.SortStableFunc(ways, func(a, b way) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), compareTimes(a.Time, b.Time), strings.Compare(a.What, b.What), strings.Compare(a.EventID, b.EventID))
	})
	return ways, nil
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// leftBehind is the way back that a call left, if it is of those that do.
func (v *prover) leftBehind(e *event, object string, ids []string) []way {
	r, ok := reentry[e.source+":"+e.name]
	if !ok || !e.hasRole() {
		return nil
	}
	t := e.time
	w := way{WayBack: WayBack{Kind: r.kind, What: strings.TrimSpace(e.source + ":" + e.name + " " + object), Why: r.why, EventID: e.id, Time: &t}}
	if name, ok := dig(e.request, []string{"roleName"}).(string); ok && r.kind == "trust" {
		role := subject{e.accountID, "role", name}
		w.What = "role " + name + ": its trust policy, of " + e.source + ":" + e.name
		document, ok := dig(e.request, []string{"policyDocument"}).(string)
		if !ok {
			document, _ = dig(e.request, []string{"assumeRolePolicyDocument"}).(string)
		}
		for i := range v.plan.Actions {
			a := &v.plan.Actions[i]
			if a.Service == "iam" && a.AccountID == role.account && param(a, "RoleName") == name && a.Phase != Restore &&
				(a.Operation == "DeleteRole" || a.Operation == "UpdateAssumeRolePolicy" && !same(document, param(a, "PolicyDocument"), time.Time{})) {
				w.closers = append(w.closers, i)
			}
		}
		// A role that can do nothing is no way back, whoever takes sessions of it.
		w.closed = func(done []*denial, _ []*holding) bool { return deniedForGood(role, done) }
		return []way{w}
	}
	w.closers = v.undoing(ids)
	return []way{w}
}

// undoing are the actions that undo one of some events.
func (v *prover) undoing(ids []string) []int {
	var out []int
	for i := range v.plan.Actions {
		a := &v.plan.Actions[i]
		if closes(a) && slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(a.Evidence, id) }) {
			out = append(out, i)
		}
	}
	return out
}

// hasRole says of calls that start instances or change them whether credentials
// come with that.
func (e *event) hasRole() bool {
	switch e.source + ":" + e.name {
	case "ec2:RunInstances":
		return dig(e.request, []string{"iamInstanceProfile"}) != nil || dig(e.request, []string{"launchTemplate"}) != nil
	case "ec2:ModifyInstanceAttribute":
		return dig(e.request, []string{"userData"}) != nil
	}
	return true
}

// deniedForGood says that sessions of a role that are issued from now on can do
// nothing either.
func deniedForGood(s subject, done []*denial) bool {
	r := request{caller: caller{kind: "AssumedRole", issuerARN: "arn:aws:iam::" + s.account + ":" + s.kind + "/" + s.name, account: s.account}}
	if s.kind == "user" {
		r.caller = caller{kind: "IAMUser", arn: "arn:aws:iam::" + s.account + ":user/" + s.name, account: s.account}
	}
	return slices.ContainsFunc(done, func(d *denial) bool {
		if !d.is(s, "") {
			return false
		}
		if d.kind == byAbsence {
			return true
		}
		if d.kind != byPolicy {
			return false
		}
		r.issued = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		all, _, _ := d.policy.deniesAll(&r)
		return all == yes
	})
}

// issuers are the ways that lie in who hands out credentials: principals of the
// lineage that nobody denies, credentials that live and issued others, workloads.
func (v *prover) issuers() []way {
	var ways []way
	seen := map[subject]bool{}
	for _, p := range v.lineage.Principals {
		s, ok := subjectOf(p.ARN)
		if p.How != lineage.Created || !ok || seen[s] || s.kind != "user" {
			continue
		}
		seen[s] = true
		t := p.Time
		closers := v.about(s)
		if len(closers) == 0 {
			closers = slices.DeleteFunc(v.undoing([]string{p.EventID}), func(i int) bool { return v.plan.Actions[i].Mode != Manual })
		}
		ways = append(ways, way{
			WayBack: WayBack{Kind: "principal", What: "user " + s.name + ", whom the intruder made", Why: "nothing denies it: further credentials of it work", EventID: p.EventID, Time: &t},
			closers: closers, closed: func(done []*denial, _ []*holding) bool { return deniedForGood(s, done) },
		})
	}
	byID := map[string]*lineage.Credential{}
	for i := range v.lineage.Credentials {
		byID[v.lineage.Credentials[i].ID] = &v.lineage.Credentials[i]
	}
	issued := map[string]bool{}
	for i := range v.lineage.Credentials {
		c := &v.lineage.Credentials[i]
		holder, ok := subjectOf(issuer(c, byID))
		if !ok {
			continue
		}
		gone := func(done []*denial, _ []*holding) bool { return deniedForGood(holder, done) }
		if strings.HasPrefix(c.SessionName, "i-") || c.Parent != nil && computeVia(c.Via) {
			what := fmt.Sprintf("workload %s with the role %s", cmp.Or(c.SessionName, c.Via), holder.name)
			if !issued[what] {
				issued[what] = true
				ways = append(ways, way{WayBack: WayBack{Kind: "workload", What: what, EventID: c.IssuedEventID, Time: c.IssuedAt,
					Why: "it gets new credentials of its role, which a deny of older ones does not bind"}, closers: v.mentions(c.SessionName), closed: gone})
			}
			continue
		}
		if c.Parent == nil || byID[*c.Parent] == nil || holder.kind != "role" && c.Kind != lineage.FederationToken && c.Kind != lineage.SessionToken {
			continue
		}
		parent := byID[*c.Parent]
		what := fmt.Sprintf("%s takes a new session of the %s %s", parent.ID, holder.kind, holder.name)
		if parent.LiveAtEnd && !issued[what] {
			issued[what] = true
			ways = append(ways, way{WayBack: WayBack{Kind: "issuer", What: what, EventID: c.IssuedEventID, Time: c.IssuedAt,
				Why: "it lives and did so before (" + c.Via + ")"},
				parent: parent,
				closed: func(done []*denial, alive []*holding) bool {
					return deniedForGood(holder, done) || !slices.ContainsFunc(alive, func(h *holding) bool { return h.Credential == parent })
				}})
		}
	}
	return ways
}

// computeVia tells the ways by which a workload gets a role.
func computeVia(via string) bool {
	service, _, _ := strings.Cut(via, ":")
	switch service {
	case "", "sts", "iam", "signin", "sso", "rolesanywhere", "cognito-identity":
		return false
	}
	return true
}

// about are the actions that deny a principal everything or delete it.
func (v *prover) about(s subject) []int {
	var out []int
	for _, d := range v.denials {
		if d.kind == byAbsence && d.is(s, "") || d.kind == byPolicy && deniedForGood(s, []*denial{d}) {
			out = append(out, slices.IndexFunc(v.plan.Actions, func(a Action) bool { return a.ID == d.action.ID }))
		}
	}
	return out
}

// stopping are the calls of contain that shut what hands out credentials, and
// leave it there for evict.
var stopping = []string{
	"rolesanywhere:DisableTrustAnchor", "rolesanywhere:DisableProfile", "iam:RemoveClientIDFromOpenIDConnectProvider",
	"lambda:PutFunctionConcurrency", "ec2:StopInstances", "ec2:DisassociateIamInstanceProfile", "ecs:StopTask",
}

// closes says that an action ends a way that something which it names, or which
// its evidence made, left open.
func closes(a *Action) bool {
	switch a.Phase {
	case Contain:
		return slices.Contains(stopping, a.Service+":"+a.Operation)
	case Evict, Recover:
		return !isRead(a.Operation)
	}
	return false
}

// mentions are the actions that stop or evict something by this name.
func (v *prover) mentions(name string) []int {
	var out []int
	for i := range v.plan.Actions {
		a := &v.plan.Actions[i]
		if name != "" && closes(a) && leaves(a.Parameters)[name] {
			out = append(out, i)
		}
	}
	return out
}
