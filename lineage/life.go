package lineage

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// endings are what calls by anybody ended until a moment.
type endings struct {
	keysOff map[string]bool        // access keys and other long-term credentials, by id
	gone    map[string][]time.Time // users, roles and passwords, by kind, account and name
	revoked map[string]time.Time   // roles and users whose sessions from before are denied
}

func endingKey(kind, account, name string) string { return kind + " " + account + " " + name }

// after reports whether something ended at or after a moment.
func (e *endings) after(kind, account, name string, at time.Time) bool {
	for _, t := range e.gone[endingKey(kind, account, name)] {
		if !t.Before(at) {
			return true
		}
	}
	return false
}

func (t *tracer) endings(ctx context.Context, until time.Time) (*endings, error) {
	e := &endings{keysOff: map[string]bool{}, gone: map[string][]time.Time{}, revoked: map[string]time.Time{}}
	calls, err := t.calls(ctx, `FROM trace_calls c WHERE c.event_time <= ? AND c.event_source = 'iam.amazonaws.com' AND c.event_name IN (
		'UpdateAccessKey', 'UpdateServiceSpecificCredential', 'UpdateSSHPublicKey', 'UpdateSigningCertificate',
		'DeleteAccessKey', 'DeleteServiceSpecificCredential', 'DeleteSSHPublicKey', 'DeleteSigningCertificate',
		'DeleteUser', 'DeleteRole', 'DeleteLoginProfile', 'PutRolePolicy', 'PutUserPolicy', 'DeleteRolePolicy', 'DeleteUserPolicy')`, until)
	if err != nil {
		return nil, err
	}
	policies := map[string]string{}
	for _, c := range calls {
		gone := func(kind, name string) {
			k := endingKey(kind, c.account, name)
			e.gone[k] = append(e.gone[k], c.time)
		}
		kind := "user"
		if strings.Contains(c.name, "Role") {
			kind = "role"
		}
		who := endingKey(kind, c.account, c.param(kind+"Name"))
		switch c.name {
		case "UpdateAccessKey", "UpdateServiceSpecificCredential", "UpdateSSHPublicKey", "UpdateSigningCertificate":
			if id, _ := c.longTerm(); id != "" {
				e.keysOff[id] = strings.EqualFold(c.param("status"), "Inactive")
			}
		case "DeleteAccessKey", "DeleteServiceSpecificCredential", "DeleteSSHPublicKey", "DeleteSigningCertificate":
			if id, _ := c.longTerm(); id != "" {
				e.keysOff[id] = true
			}
		case "DeleteUser", "DeleteRole":
			gone(kind, c.param(kind+"Name"))
		case "DeleteLoginProfile":
			gone("password", c.targetUser)
		case "PutRolePolicy", "PutUserPolicy":
			if cutoff, ok := denyBefore(c.param("policyDocument")); ok {
				e.revoked[who] = later(e.revoked[who], cutoff)
				policies[who] = c.param("policyName")
			} else if policies[who] == c.param("policyName") { // overwritten
				delete(e.revoked, who)
			}
		case "DeleteRolePolicy", "DeleteUserPolicy":
			if policies[who] == c.param("policyName") {
				delete(e.revoked, who)
			}
		}
	}
	return e, nil
}

// denyBefore is the moment before which sessions are denied everything, by a
// policy such as the console's AWSRevokeOlderSessions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func denyBefore(document string) (time.Time, bool) {
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(document), &policy) != nil {
		return time.Time{}, false
	}
	type statement struct {
		Effect           string
		Action, Resource json.RawMessage
		Condition        map[string]map[string]json.RawMessage
	}
	all := func(raw json.RawMessage) bool {
		for _, s := range oneOrMany[string](raw) {
			if s == "*" {
				return true
			}
		}
		return false
	}
	for _, s := range oneOrMany[statement](policy.Statement) {
		if s.Effect != "Deny" || !all(s.Action) || !all(s.Resource) || len(s.Condition) != 1 {
			continue
		}
		for _, v := range oneOrMany[string](s.Condition["DateLessThan"]["aws:TokenIssueTime"]) {
			if cutoff, err := time.Parse(time.RFC3339, v); err == nil {
				return cutoff, true
			}
		}
	}
	return time.Time{}, false
}

// holder is the user or role whose permissions a credential has.
func (n *node) holder() (kind, account, name string) {
	for p := n; p != nil; p = p.parent {
		a, ok := parseARN(p.cred.PrincipalARN)
		if !ok {
			continue
		}
		switch a.kind {
		case "assumed-role":
			_, rest, _ := strings.Cut(p.cred.PrincipalARN, ":assumed-role/")
			role, _, _ := strings.Cut(rest, "/")
			return "role", a.account, role
		case "user", "role":
			if a.service == "identitystore" {
				return centerUser, a.account, a.name
			}
			return a.kind, a.account, a.name
		case "root":
			return "root", a.account, "root"
		}
	}
	return "", "", ""
}

// judgeLife says whether a credential was still good at a moment, whether it
// outlives the key that was asked for, and what ends it.
func (n *node) judgeLife(e *endings, asOf time.Time) {
	cred := &n.cred
	kind, account, name := n.holder()
	since := later(timeOf(cred.IssuedAt), time.Time{})
	ended := cred.ExpiresAt != nil && !cred.ExpiresAt.After(asOf) || since.After(asOf)
	switch cred.Kind {
	case LongTerm, ServiceSpecific, SSHKey, Certificate:
		ended = ended || e.keysOff[cred.ID]
	case Password:
		ended = ended || e.after("password", account, name, since)
	default:
		cutoff, revoked := e.revoked[endingKey(kind, account, name)]
		ended = ended || revoked && since.Before(cutoff)
	}
	if since.IsZero() {
		since = n.from
	}
	cred.LiveAtEnd = !ended && !e.after(kind, account, name, since)
	cred.SurvivesKeyDisable = n.survives()
	cred.EndedBy = endedBy(cred.Kind, kind, name)
}

// survives reports whether a credential goes on when the key that was asked for
// is disabled: only the key itself, and what services do for it, do not.
func (n *node) survives() bool {
	if n.cred.Kind == ServiceForwarded && n.parent != nil {
		return n.parent.survives()
	}
	return n.root == nil || n.cred.Kind != LongTerm
}

// endedBy says what ends a credential of a holder. That a deny must stand on
// the holder, not on whom it came from, is what goes wrong most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
func endedBy(k Kind, holder, name string) string {
	who := strings.TrimSpace(holder + " " + name)
	switch {
	case holder == centerUser && k == Password:
		return "reset the password in Identity Center (open sessions go on until they are ended there)"
	case holder == centerUser:
		return "disable the Identity Center user and end its sessions there; the role sessions that it took go on until their expiry"
	case k == LongTerm && holder == "root":
		return "delete the root user's access key; no IAM policy binds root"
	case k == LongTerm:
		return "set the access key to Inactive (the sessions made from it go on)"
	case k == Password:
		return "delete the login profile (open console sessions go on until the user is denied)"
	case k == ServiceSpecific:
		return "deactivate and delete the service-specific credential; access keys have no part in it"
	case k == SSHKey, k == Certificate:
		return "deactivate and delete it on the user"
	case k == ServiceForwarded:
		return "ends with the credential that the service acts for"
	case holder == "root":
		return "a service control policy of the management account, or its expiry; no IAM policy binds root"
	case holder == "role" && strings.HasPrefix(name, "AWSReservedSSO_"):
		return "remove the assignment and deny in the permission set, or a service control policy; the role cannot be edited"
	case holder == "role":
		return "deny on " + who + " for sessions issued before now (AWSRevokeOlderSessions); a deny on who assumed it does not end it"
	case holder == "user" && k == Console:
		return "deny on " + who + "; deleting the password does not end the session"
	case holder == "user":
		return "deny on " + who + "; disabling or deleting the access key does not end it"
	}
	return "deny on the principal that it acts as, or its expiry"
}
