package remediate

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// denialKind is in what way an action of a plan keeps callers out.
type denialKind int

const (
	byPolicy     denialKind = iota // on a user or role: bound whatever it calls
	byTrust                        // a role's trust policy: who may take sessions of it
	byKey                          // an access key is off or gone: calls that it signs
	byCredential                   // another long-term credential is off or gone
	byPassword                     // a password is gone or changed: sign-ins with it
	byAbsence                      // the user or role is gone
	bySCP                          // a service control policy on an account
	byBucket                       // a bucket's policy
	byAnchor                       // a trust anchor or profile of Roles Anywhere is off
	bySet                          // a permission set's policy, on its roles in the holder's account
)

// denial is an action of a plan that keeps callers out.
type denial struct {
	action  *Action
	kind    denialKind
	account string
	holder  subject   // of byPolicy, byTrust, byPassword, byAbsence, whose key, and the permission set by its ARN
	id      string    // unique id that the action expects the holder to have
	renamed bool      // the log shows that something was given the holder's name
	name    string    // access key, credential, bucket, anchor or permission set; every one of the holder: "${item}"
	policy  *document // nil: everything
	text    string    // the policy's, with ${now}
	at      time.Time // since when it stands, and until when; zero: from the start, for good
	until   time.Time
}

// managedDenials are AWS's policies that a plan attaches.
var managedDenials = map[string]string{"AWSDenyAll": denyAll}

// denialsOf reads from the actions of a plan what keeps callers out; now stands
// for ${now}. What cannot be read as a policy keeps nobody out.
func denialsOf(actions []Action, now time.Time) []*denial {
	r := newDenialReader()
	for i := range actions {
		r.prepare(&actions[i])
	}
	var out []*denial
	for i := range actions {
		out = append(out, r.read(&actions[i], now)...)
	}
	return out
}

// denialReader reads denials of actions, some of which take their policy from
// another action.
type denialReader struct {
	own    map[string]string    // text of managed policies and permission sets, by account and name
	groups map[string][]*Action // that put policies on groups, by account and name
}

func newDenialReader() *denialReader {
	return &denialReader{map[string]string{}, map[string][]*Action{}}
}

// prepare notes what later actions refer to.
func (r *denialReader) prepare(a *Action) {
	switch {
	case a.Service == "ssoadmin" && a.Operation == "PutInlinePolicyToPermissionSet":
		r.own[a.AccountID+" "+param(a, "PermissionSetArn")] = param(a, "InlinePolicy")
	case a.Service != "iam":
	case a.Operation == "CreatePolicy" || a.Operation == "CreatePolicyVersion":
		r.own[a.AccountID+" "+lastSegment(param(a, "PolicyName")+param(a, "PolicyArn"))] = param(a, "PolicyDocument")
	case a.Operation == "PutGroupPolicy" || a.Operation == "AttachGroupPolicy":
		group := a.AccountID + " " + param(a, "GroupName")
		r.groups[group] = append(r.groups[group], a)
	}
}

// read gives what an action keeps out.
func (r *denialReader) read(a *Action, now time.Time) []*denial {
	if a.Service == "iam" && a.Operation == "AddUserToGroup" && a.Phase != Restore {
		var out []*denial
		for _, g := range r.groups[a.AccountID+" "+param(a, "GroupName")] {
			if d := parsed(denialOf(g, r.own), now); d != nil {
				d.action, d.holder, d.id = a, subject{a.AccountID, "user", param(a, "UserName")}, expectedID(a)
				out = append(out, d)
			}
		}
		return out
	}
	d := parsed(denialOf(a, r.own), now)
	if d == nil || d.holder.kind == "group" {
		return nil
	}
	return []*denial{d}
}

// parsed reads the policy of a denial, nil where it is none.
func parsed(d *denial, now time.Time) *denial {
	if d == nil || d.text == "" {
		return d
	}
	var err error
	if d.policy, err = parsePolicy(d.text, now.UTC().Format(time.RFC3339)); err != nil {
		return nil
	}
	return d
}

func param(a *Action, name string) string {
	s, _ := a.Parameters[name].(string)
	return s
}

// expectedID is the unique id that an action expects its user or role to have.
func expectedID(a *Action) string {
	for _, c := range a.Expect {
		if id, ok := c.Equals.(string); ok && (c.Path == "User.UserId" || c.Path == "Role.RoleId") {
			return id
		}
	}
	return ""
}

// denialOf is what an action keeps out, nil for nothing. own has the texts of the
// managed policies that earlier actions made.
func denialOf(a *Action, own map[string]string) *denial {
	if a.Phase == Restore {
		return nil
	}
	d := &denial{action: a, account: a.AccountID, id: expectedID(a)}
	switch {
	case a.Service == "iam":
		return d.ofIAM(own)
	case a.Service == "organizations" && (a.Operation == "CreatePolicy" || a.Operation == "UpdatePolicy"):
		d.kind, d.text = bySCP, param(a, "Content")
		return d
	case a.Service == "ssoadmin" && a.Operation == "ProvisionPermissionSet":
		// The sessions feel the policy when the set is brought to their account.
		d.kind, d.text = bySet, own[a.AccountID+" "+param(a, "PermissionSetArn")]
		if d.holder = (subject{param(a, "TargetId"), "permission set", param(a, "PermissionSetArn")}); strings.Contains(d.text, `"Deny"`) {
			return d
		}
		return nil
	case a.Service == "s3" && a.Operation == "PutBucketPolicy":
		d.kind, d.name, d.text = byBucket, param(a, "Bucket"), param(a, "Policy")
		return d
	case a.Service == "rolesanywhere" && (a.Operation == "DisableTrustAnchor" || a.Operation == "DeleteTrustAnchor"):
		d.kind, d.name = byAnchor, param(a, "TrustAnchorId")
		return d
	case a.Service == "rolesanywhere" && (a.Operation == "DisableProfile" || a.Operation == "DeleteProfile"):
		d.kind, d.name = byAnchor, param(a, "ProfileId")
		return d
	case a.Mode == Manual && strings.Contains(strings.ToLower(a.Title+a.Reason), "service control policy"):
		if d.kind, d.text = bySCP, policyIn(a); d.text != "" {
			return d
		}
	}
	return nil
}

// policyIn is the policy that an action for a person holds: in its parameters or
// in its words.
func policyIn(a *Action) string {
	for _, name := range []string{"Content", "PolicyDocument", "Policy"} {
		if s := param(a, name); s != "" {
			return s
		}
	}
	for _, words := range []string{a.Reason, a.Title, a.Risk} {
		for at := strings.IndexByte(words, '{'); at >= 0; {
			var raw json.RawMessage
			if json.NewDecoder(strings.NewReader(words[at:])).Decode(&raw) == nil && strings.Contains(string(raw), `"Statement"`) {
				return string(raw)
			}
			next := strings.IndexByte(words[at+1:], '{')
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	return ""
}

// ofIAM reads an action of the service iam.
func (d *denial) ofIAM(own map[string]string) *denial {
	a := d.action
	for _, kind := range []string{"User", "Role", "Group"} {
		if name := param(a, kind+"Name"); name != "" && d.holder.name == "" {
			d.holder = subject{a.AccountID, strings.ToLower(kind), name}
		}
	}
	managed := func(arn string) string {
		if strings.Contains(arn, ":iam::aws:policy/") {
			return managedDenials[lastSegment(arn)]
		}
		return own[a.AccountID+" "+lastSegment(arn)]
	}
	switch a.Operation {
	case "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy":
		d.text = param(a, "PolicyDocument")
	case "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy":
		d.text = managed(param(a, "PolicyArn"))
	case "PutUserPermissionsBoundary", "PutRolePermissionsBoundary":
		d.text = managed(param(a, "PermissionsBoundary"))
	case "UpdateAssumeRolePolicy":
		d.kind, d.text = byTrust, param(a, "PolicyDocument")
	case "UpdateAccessKey":
		if param(a, "Status") == "Active" {
			return nil
		}
		d.kind, d.name = byKey, param(a, "AccessKeyId")
		return d
	case "DeleteAccessKey":
		d.kind, d.name = byKey, param(a, "AccessKeyId")
		return d
	case "DeleteLoginProfile", "UpdateLoginProfile":
		d.kind = byPassword
		return d
	case "DeleteUser", "DeleteRole":
		d.kind = byAbsence
		return d
	default:
		for _, id := range []string{"ServiceSpecificCredentialId", "SSHPublicKeyId", "CertificateId"} {
			if name := param(a, id); name != "" && (strings.HasPrefix(a.Operation, "Delete") || param(a, "Status") == "Inactive") {
				d.kind, d.name = byCredential, name
				return d
			}
		}
		return nil
	}
	if d.text == "" || d.kind == byPolicy && !strings.Contains(d.text, `"Deny"`) {
		return nil
	}
	return d
}

// blocks says whether a request fails while the denial stands, and if not, why
// it does not although the denial is about its caller (ReasonNotDenied where it
// is not).
func (d *denial) blocks(r *request) (truth, Reason) {
	switch d.kind {
	case byKey:
		if r.accessKey != "" && (r.accessKey == d.name || d.name == Item && d.holds(r) && !r.temporary()) {
			return yes, ""
		}
	case byPassword:
		if r.call == "signin:ConsoleLogin" && r.kind == "IAMUser" && d.holds(r) {
			return yes, ""
		}
	case byAbsence:
		if d.holds(r) || d.holder.kind == "role" && d.assumedBy(r) {
			return yes, ""
		}
	case byTrust:
		if d.assumedBy(r) && !d.policy.admits(r) {
			return yes, ""
		}
	case byAnchor:
		if r.call == "rolesanywhere:CreateSession" && d.name != "" && slices.ContainsFunc(texts(members(r.params)), func(s string) bool {
			return lastSegment(s) == lastSegment(d.name)
		}) {
			return yes, ""
		}
	case byBucket:
		if r.account == d.account && strings.HasPrefix(r.call, "s3:") && dig(r.params, []string{"bucketName"}) == d.name {
			return policyBlocks(d.policy, r)
		}
	case bySCP:
		if r.caller.account != d.account || r.kind == "AWSService" || r.kind == "AWSAccount" || r.unbound() {
			return no, ReasonNotDenied
		}
		if r.serviceLinked() {
			return no, ReasonServiceLinked
		}
		return policyBlocks(d.policy, r)
	case byPolicy, bySet:
		if d.holds(r) && !r.serviceLinked() && !r.unbound() {
			return policyBlocks(d.policy, r)
		}
	}
	return no, ReasonNotDenied
}

// policyBlocks applies a policy to a call that it could bind.
func policyBlocks(p *document, r *request) (truth, Reason) {
	switch {
	case r.call == "sts:GetCallerIdentity":
		return no, ReasonAlwaysAllowed
	case severalOf[r.call]:
		blocked, why := p.denies(r)
		for _, a := range r.actions {
			one := *r
			one.actions = []string{a}
			if got, _ := p.denies(&one); got != blocked {
				return unknown, ReasonUndecided
			}
		}
		return blocked, why
	}
	return p.denies(r)
}

// unbound says that a call is none that policies decide: signing in, and what a
// service records by itself.
func (r *request) unbound() bool {
	if r.event == "AwsServiceEvent" {
		return true
	}
	return strings.HasPrefix(r.call, "signin:") && r.call != "signin:SwitchRole" && !strings.Contains(r.call, "OAuth2")
}

// holds says that a denial is on the caller of a request.
func (d *denial) holds(r *request) bool {
	s, id, ok := r.holder()
	if d.kind == bySet {
		set, reserved := permissionSetOf(s.name)
		return ok && reserved && s.kind == "role" && s.account == d.holder.account && set == d.name && d.name != ""
	}
	return ok && d.is(s, id)
}

// assumedBy says that a request takes a session of the denial's role.
func (d *denial) assumedBy(r *request) bool {
	if !strings.HasPrefix(r.call, "sts:AssumeRole") || d.holder.kind != "role" || r.call == "sts:AssumeRoot" {
		return false
	}
	arn, _ := dig(r.params, []string{"roleArn"}).(string)
	s, ok := subjectOf(arn)
	return ok && s == d.holder
}

// members are the values in an object.
func members(v any) any {
	m, _ := v.(map[string]any)
	var out []any
	for _, e := range m {
		out = append(out, e)
	}
	return out
}
