package lineage

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// ending is a call that ended something.
type ending struct {
	at                time.Time
	via, eventID, why string
}

func endingOf(c *call, why string) *ending {
	return &ending{c.time.UTC(), c.api(), c.eventID, why}
}

// endings are what calls by anybody ended until a moment and nobody took back.
type endings struct {
	off       map[string]*ending   // credentials by id
	gone      map[string][]*ending // users and roles, by holderKey
	born      map[string][]birth   // those that the log shows being created
	passwords map[string][]*ending // deleted or changed, by holderKey of the user
	denies    *denials
}

func holderKey(kind, account, name string) string { return kind + " " + account + " " + name }

// revives tells the calls that give back what others took.
func (c *call) revives() bool {
	for _, verb := range []string{"Create", "Detach", "Remove", "DeleteUserPolicy", "DeleteRolePolicy", "DeleteGroupPolicy",
		"DeleteUserPermissions", "DeleteRolePermissions"} {
		if strings.HasPrefix(c.name, verb) {
			return c.name != "CreatePolicy" && c.name != "CreatePolicyVersion"
		}
	}
	id, _ := c.longTerm()
	return id != "" && strings.EqualFold(c.param("status"), "Active")
}

// endings reads what ended until a moment. Of calls in the same second the
// order is not known: those that give back count as the later ones, for a
// credential that is thought dead and lives is the worse mistake.
func (t *tracer) endings(ctx context.Context, c *closure, until time.Time) (*endings, error) {
	e := &endings{off: map[string]*ending{}, gone: map[string][]*ending{}, born: map[string][]birth{}, passwords: map[string][]*ending{}, denies: newDenials()}
	calls, err := t.calls(ctx, `FROM trace_calls c WHERE c.event_time <= ? AND c.event_source = 'iam.amazonaws.com' AND (
		regexp_matches(c.event_name, '^(Delete|Detach|Attach|Put)') OR c.event_name IN ('CreateUser', 'CreateRole',
		'UpdateAccessKey', 'UpdateServiceSpecificCredential', 'UpdateSSHPublicKey', 'UpdateSigningCertificate', 'ResetServiceSpecificCredential',
		'UpdateLoginProfile', 'ChangePassword', 'AddUserToGroup', 'RemoveUserFromGroup',
		'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion'))`, until)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(calls, func(a, b *call) int {
		if d := a.time.Compare(b.time); d != 0 || a.revives() == b.revives() {
			return d
		}
		if a.revives() {
			return 1
		}
		return -1
	})
	for _, made := range calls {
		e.note(made, c.byID[made.key] != nil)
	}
	return e, nil
}

// note takes a call into account; ours tells that the lineage made it.
func (e *endings) note(made *call, ours bool) {
	kind := "user"
	if strings.Contains(made.name, "Role") {
		kind = "role"
	}
	id, _ := made.longTerm()
	switch made.name {
	case "UpdateAccessKey", "UpdateServiceSpecificCredential", "UpdateSSHPublicKey", "UpdateSigningCertificate":
		delete(e.off, id)
		if !strings.EqualFold(made.param("status"), "Active") {
			e.off[id] = endingOf(made, "it was set to Inactive")
		}
	case "ResetServiceSpecificCredential":
		if !ours { // its secret is another one, that the intruder does not know
			e.off[id] = endingOf(made, "its secret was replaced")
		} else {
			delete(e.off, id)
		}
	case "DeleteAccessKey", "DeleteServiceSpecificCredential", "DeleteSSHPublicKey", "DeleteSigningCertificate":
		e.off[id] = endingOf(made, "it was deleted")
	case "CreateUser", "CreateRole":
		key := holderKey(kind, made.account, made.param(kind+"Name"))
		e.born[key] = append(e.born[key], birth{at: made.time, id: member(made.response, kind, kind+"Id")})
	case "DeleteUser", "DeleteRole":
		name := made.param(kind + "Name")
		key := holderKey(kind, made.account, name)
		e.gone[key] = append(e.gone[key], endingOf(made, kind+" "+name+" was deleted"))
		e.denies.forget(key)
	case "DeleteLoginProfile", "UpdateLoginProfile", "ChangePassword":
		why := "the password was changed"
		if made.name == "DeleteLoginProfile" {
			why = "the password was deleted"
		}
		key := holderKey("user", made.account, made.targetUser)
		e.passwords[key] = append(e.passwords[key], endingOf(made, why))
	default:
		e.denies.note(made)
	}
}

// endOf is how a credential of a holder ended, nil where it did not.
func (e *endings) endOf(n *node, h holder) *ending {
	cred := &n.cred
	since := timeOf(cred.IssuedAt)
	if since.IsZero() {
		since = n.from
	}
	key := holderKey(h.kind, h.account, h.name)
	var ends []*ending
	switch cred.Kind {
	case LongTerm, ServiceSpecific, SSHKey, Certificate:
		if end := e.off[cred.ID]; end != nil {
			ends = append(ends, end)
		}
	case Password:
		for _, end := range e.passwords[key] {
			if end.at.After(since) && end.eventID != cred.ID {
				ends = append(ends, end)
				break
			}
		}
	}
	if end := e.goneAfter(key, since, h.id); end != nil {
		ends = append(ends, end)
	}
	if h.kind != "root" { // no policy of IAM binds root
		if end := e.denies.against(key, cred, h); end != nil {
			ends = append(ends, end)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	first := *slices.MinFunc(ends, func(a, b *ending) int { return a.at.Compare(b.at) })
	first.at = later(first.at, since).UTC()
	return &first
}

// goneAfter is how the user or role of a name that was there at a moment was
// deleted. A deletion in the very second in which one of that id was created was
// the end of the one before.
func (e *endings) goneAfter(key string, since time.Time, id string) *ending {
	for _, end := range e.gone[key] {
		if end.at.Before(since) {
			continue
		}
		born := slices.ContainsFunc(e.born[key], func(b birth) bool {
			return b.at.Equal(end.at) && (b.id == id || b.id == "" || id == "")
		})
		if !born || end.at.After(since) {
			return end
		}
	}
	return nil
}

// sortedValues are a map's values in the order of its keys.
func sortedValues[V any](m map[string]V) []V {
	values := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[k])
	}
	return values
}
