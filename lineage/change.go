package lineage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// takeover is a principal that the lineage made, or a way that it opened into
// one. What comes in through it later descends from by.
type takeover struct {
	how     How
	seq     int // in order of finding
	who     identity
	kind    string // user, role, instance profile, a gateway or one of Identity Center's
	name    string
	from    time.Time
	until   time.Time // when the user or role was deleted; zero if it was not
	by      *node
	actor   Actor // whose hand opened it
	made    *call
	pass    *node     // the password credential, for a password set
	trusted trust     // whom the changed policy lets in
	work    *workload // for changed code
}

// covers reports whether a moment lies in the life of the way.
func (w *takeover) covers(at time.Time) bool {
	return !at.Before(w.from.Add(-clockSkew)) && (w.until.IsZero() || !at.After(w.until.Add(clockSkew)))
}

// change notes what a call of the lineage did to a principal.
func (c *closure) change(ctx context.Context, made *call) error {
	by := c.byID[made.key]
	if by == nil {
		return nil
	}
	if n := c.byID[made.issued]; made.issued != "" && n != nil && n.parent == by {
		if err := c.actsAs(ctx, n, made); err != nil {
			return err
		}
	}
	if o, ok := openings[made.api()]; ok {
		return c.open(ctx, made, by, o)
	}
	switch made.source {
	case "sso.amazonaws.com", "sso-oauth.amazonaws.com", "sso-directory.amazonaws.com", "identitystore.amazonaws.com":
		if made.issued == "" {
			c.changeCenter(made, by)
			return nil
		}
	case "signin.amazonaws.com":
		if made.name == "GetSigninToken" && (made.issued == "" || made.issued == made.key) {
			// The answer names no id of its own: the console's ids begin with it.
			by.moments = append(by.moments, made.time)
			c.unmatched = append(c.unmatched, by)
		}
		return nil
	case "iam.amazonaws.com":
		return c.changeIAM(ctx, made, by)
	}
	if len(computeCalls[made.api()]) > 0 {
		return c.changeCode(ctx, made, by)
	}
	if role, ok := parseARN(made.roleARN); ok && made.issued != "" {
		who := identity{arn: made.roleARN, account: role.account}
		who.id, _, _ = strings.Cut(made.response, ":")
		c.note(made, by, who, "role", Assumed, "the lineage took a session of it")
	} else if made.name == "AssumeRoot" && made.issued != "" {
		if a, ok := parseARN(made.issuedARN); ok {
			c.note(made, by, identity{a.account, made.issuedARN, a.account}, "root", Assumed, "the lineage took a session of it")
		}
	}
	return nil
}

// policyCalls change what a user, role or group may do.
var policyCalls = map[string]string{
	"AttachUserPolicy": "user", "PutUserPolicy": "user", "DetachUserPolicy": "user", "DeleteUserPolicy": "user",
	"PutUserPermissionsBoundary": "user", "DeleteUserPermissionsBoundary": "user", "AddUserToGroup": "user",
	"AttachRolePolicy": "role", "PutRolePolicy": "role", "DetachRolePolicy": "role", "DeleteRolePolicy": "role",
	"PutRolePermissionsBoundary": "role", "DeleteRolePermissionsBoundary": "role",
	"AttachGroupPolicy": "group", "PutGroupPolicy": "group", "DetachGroupPolicy": "group", "DeleteGroupPolicy": "group",
}

func (c *closure) changeIAM(ctx context.Context, made *call, by *node) error {
	switch made.name {
	case "CreateUser", "CreateRole", "CreateServiceLinkedRole":
		kind := "role"
		if made.name == "CreateUser" {
			kind = "user"
		}
		return c.created(ctx, made, by, kind)
	case "CreateGroup", "CreateInstanceProfile":
		kind, field := "group", "group"
		if made.name == "CreateInstanceProfile" {
			kind, field = "instance-profile", "instanceProfile"
		}
		who := identity{member(made.response, field, field+"Id"), member(made.response, field, "arn"), made.account}
		if who.arn == "" {
			who.arn = made.iamARN(kind, made.param(field+"Name"))
		}
		c.note(made, by, who, strings.ReplaceAll(kind, "-", "_"), Created, "made by the lineage")
		if kind == "instance-profile" {
			c.take(&takeover{how: Created, who: who, kind: "instance profile", name: made.param("instanceProfileName"), from: made.time, by: by, made: made})
		}
		return nil
	case "AddRoleToInstanceProfile":
		name := made.param("instanceProfileName")
		who := identity{arn: made.iamARN("instance-profile", name), account: made.account}
		c.note(made, by, who, "instance_profile", PolicyChanged, "the lineage put the role "+made.param("roleName")+" into it")
		c.take(&takeover{how: PolicyChanged, who: who, kind: "instance profile", name: name, from: made.time, by: by, made: made})
		return nil
	case "AddUserToGroup":
		group, err := c.resolve(ctx, "group", made.param("groupName"), made)
		if err != nil {
			return fmt.Errorf("find group %s: %w", made.param("groupName"), err)
		}
		c.note(made, by, group, "group", PolicyChanged, "the lineage put the user "+made.param("userName")+" into it")
	case "EnableMFADevice", "DeactivateMFADevice":
		return c.factorChanged(ctx, made, by)
	case "UpdateAccessKey", "UpdateServiceSpecificCredential", "UpdateSSHPublicKey", "UpdateSigningCertificate":
		return c.reactivated(ctx, made, by)
	case "CreateAccessKey", "CreateServiceSpecificCredential", "ResetServiceSpecificCredential", "UploadSSHPublicKey", "UploadSigningCertificate":
		if n := c.byID[made.issued]; n != nil {
			kind := "user"
			if strings.HasSuffix(n.cred.PrincipalARN, ":root") {
				kind = "root"
			}
			c.note(made, by, identity{n.cred.PrincipalID, n.cred.PrincipalARN, n.cred.AccountID}, kind, CredentialAdded, "the lineage made a credential for it")
		}
		return nil
	case "CreateLoginProfile", "UpdateLoginProfile", "ChangePassword":
		return c.passwordSet(ctx, made, by)
	case "UpdateAssumeRolePolicy":
		return c.trustChanged(ctx, made, by)
	case "CreatePolicyVersion", "SetDefaultPolicyVersion":
		policy := made.param("policyArn")
		if a, ok := parseARN(policy); ok {
			c.note(made, by, identity{arn: policy, account: a.account}, "policy", PolicyChanged, "the lineage changed which version of it holds")
		}
		return nil
	}
	kind, ok := policyCalls[made.name]
	if !ok {
		return nil
	}
	name := made.param(kind + "Name")
	if name == "" {
		return nil
	}
	who, err := c.resolve(ctx, kind, name, made)
	if err != nil {
		return fmt.Errorf("find %s %s: %w", kind, name, err)
	}
	c.note(made, by, who, kind, PolicyChanged, "the lineage changed what it may do: "+made.api())
	return nil
}

// created takes a new user or role over: all its later credentials are the
// lineage's.
func (c *closure) created(ctx context.Context, made *call, by *node, kind string) error {
	name := made.param(kind + "Name")
	if name == "" { // a service-linked role's name is in the answer alone
		name = member(made.response, kind, kind+"Name")
	}
	who := identity{member(made.response, kind, kind+"Id"), member(made.response, kind, "arn"), made.account}
	if who.arn == "" {
		who.arn = made.iamARN(kind, name)
	}
	why := "made by the lineage"
	if out := parseTrust(made.param("assumeRolePolicyDocument")).outside(made.account); len(out) > 0 {
		why += "; its trust policy lets in from outside: " + strings.Join(out, ", ")
	}
	c.note(made, by, who, kind, Created, why)
	until, err := c.lifeEnd(ctx, kind, name, made.account, made.time)
	if err != nil {
		return fmt.Errorf("find end of %s: %w", who.arn, err)
	}
	c.take(&takeover{how: Created, who: who, kind: kind, name: name, from: made.time, until: until, by: by, made: made})
	return nil
}

// passwordSet makes the user's password a credential of the lineage.
func (c *closure) passwordSet(ctx context.Context, made *call, by *node) error {
	name := made.targetUser
	who, kind := identity{made.principalID, made.identityARN, made.account}, "user"
	switch {
	case made.identityType == "Root" && made.param("userName") == "":
		// A session of AssumeRoot gives the root user a password.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
		kind = "root"
	case made.name != "ChangePassword":
		var err error
		if who, err = c.resolve(ctx, "user", name, made); err != nil {
			return fmt.Errorf("find user %s: %w", name, err)
		}
	}
	pass := &node{
		cred: Credential{ID: made.eventID, Kind: Password, PrincipalID: who.id, PrincipalARN: who.arn, AccountID: who.account,
			Via: made.api(), IssuedEventID: made.eventID, IssuedAt: timePtr(made.time), Why: "password set by " + made.api() + " of " + by.cred.ID},
		parent: by, from: made.time, own: Confirmed, actor: c.actorOf(made.row, by),
	}
	c.nodes = append(c.nodes, pass)
	c.note(made, by, who, kind, PasswordSet, "the lineage set its password")
	until, err := c.lifeEnd(ctx, "user", name, made.account, made.time)
	if err != nil {
		return fmt.Errorf("find end of %s: %w", who.arn, err)
	}
	// A password that an administrator sets or deletes later ends this one. What
	// the user changes may be the intruder's doing, whom a new password asks for one.
	next, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_name IN ('UpdateLoginProfile', 'DeleteLoginProfile')
		AND c.account_id = ? AND c.target_user = ? AND c.event_time > ?`, made.account, name, made.time)
	if err != nil {
		return fmt.Errorf("find end of the password of %s: %w", who.arn, err)
	}
	if len(next) > 0 && (until.IsZero() || next[0].time.Before(until)) {
		until = next[0].time
	}
	c.take(&takeover{how: PasswordSet, who: who, kind: kind, name: name, from: made.time, until: until, by: pass, made: made, pass: pass})
	return nil
}

// trustChanged takes over the role whose trust policy was rewritten, for those
// whom the new policy lets in and who never came in before.
func (c *closure) trustChanged(ctx context.Context, made *call, by *node) error {
	name := made.targetRole
	who, err := c.resolve(ctx, "role", name, made)
	if err != nil {
		return fmt.Errorf("find role %s: %w", name, err)
	}
	trusted := parseTrust(made.param("policyDocument"))
	c.note(made, by, who, "role", TrustChanged, "the lineage changed who may assume it")
	until, err := c.lifeEnd(ctx, "role", name, made.account, made.time)
	if err != nil {
		return fmt.Errorf("find end of %s: %w", who.arn, err)
	}
	next, err := c.nextPolicy(ctx, made.account, name, made.time)
	if err != nil {
		return err
	}
	if !next.IsZero() && (until.IsZero() || next.Before(until)) {
		until = next // by whomever: what the policy then says lets in
	}
	c.take(&takeover{how: TrustChanged, who: who, kind: "role", name: name, from: made.time, until: until, by: by, made: made, trusted: trusted})
	return nil
}

// nextPolicy is when the trust policy of a role was changed next after a moment,
// zero for never.
func (c *closure) nextPolicy(ctx context.Context, account, role string, at time.Time) (time.Time, error) {
	if c.policies == nil {
		policies := map[[2]string][]time.Time{}
		err := c.t.each(ctx, `SELECT account_id, target_role, event_time FROM trace_calls
			WHERE event_name = 'UpdateAssumeRolePolicy' AND account_id IS NOT NULL AND target_role IS NOT NULL ORDER BY ALL`, nil, func(scan func(...any) error) error {
			var k [2]string
			var at time.Time
			err := scan(&k[0], &k[1], &at)
			policies[k] = append(policies[k], at)
			return err
		})
		if err != nil {
			return time.Time{}, err
		}
		c.policies = policies
	}
	changes := c.policies[[2]string{account, role}]
	if i := slices.IndexFunc(changes, at.Before); i >= 0 {
		return changes[i], nil
	}
	return time.Time{}, nil
}

// take notes a way into a principal, once a change.
func (c *closure) take(w *takeover) {
	key := strings.Join([]string{string(w.how), w.made.eventID, w.kind, w.who.arn}, " ")
	if w.work != nil {
		key += fmt.Sprint(" ", w.work.row, " ", w.work.call.on.services)
	}
	if c.taken[key] != nil {
		return
	}
	c.taken[key] = w
	w.actor = c.actorOf(w.made.row, w.by)
	if w.pass != nil {
		w.actor = w.pass.actor
	}
	w.seq = len(c.takeovers)
	c.takeovers = append(c.takeovers, w)
	if w.kind == "user" || w.kind == "root" {
		key := cmp.Or(w.who.id, w.who.arn)
		c.users[key] = append(c.users[key], w)
	}
	if w.how == Created && w.who.id != "" {
		c.creations[w.who.id] = true
	}
	c.waiting = append(c.waiting, w)
}

// note lists a principal that the lineage made, changed or used, as the log
// shows: its first such event.
func (c *closure) note(made *call, by *node, who identity, kind string, how How, why string) {
	c.noteAs(Confirmed, made, by, who, kind, how, why)
}

// noteAs lists a principal with how certain it is that by is behind the call.
func (c *closure) noteAs(certainty Certainty, made *call, by *node, who identity, kind string, how How, why string) {
	if who.arn == "" {
		return
	}
	p := Principal{ARN: who.arn, PrincipalID: who.id, AccountID: who.account, Kind: kind, How: how, EventID: made.eventID,
		Time: made.time.UTC(), Certainty: certainty, Why: why}
	c.edge(by, Edge{To: who.arn, Via: made.api(), EventID: made.eventID, Time: p.Time, Certainty: certainty, Why: why})
	key := [3]string{who.arn, who.id, string(how)}
	if old := c.principal[key]; old == nil || p.Time.Before(old.p.Time) || p.Time.Equal(old.p.Time) && p.EventID < old.p.EventID {
		c.principal[key] = &principalNode{p, by}
	}
}

// principalNode is a listed principal with the credential through which it came
// into the lineage.
type principalNode struct {
	p  Principal
	by *node
}
