package lineage

import (
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A deny of everything ends the use of a credential for as long as it stands:
// sessions go on to exist, but whatever they call is refused. So it counts as an
// end that a later call may take back. Policies that deny a list of actions, such
// as AWSCompromisedKeyQuarantineV3, leave sts:AssumeRole and most reads open and
// count as none. Policies of AWS Organizations are in another account's log and
// bind no principal by name: they are not followed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html

// denial is a statement that denies everything, to all or to some sessions.
type denial struct {
	before     time.Time // sessions issued before it; zero for all
	userIDs    []string  // patterns of aws:userid; none for all
	identities []string  // patterns of aws:SourceIdentity; none for all
	ageless    bool      // what has no time of issue too
}

// denialsIn are the statements of a policy that deny everything. One with a
// condition that is not understood here is left out.
func denialsIn(document string) []denial {
	if strings.HasPrefix(document, "%7B") || strings.HasPrefix(document, "%7b") {
		if plain, err := url.QueryUnescape(document); err == nil {
			document = plain
		}
	}
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(document), &policy) != nil {
		return nil
	}
	type statement struct {
		Effect           string
		Action, Resource json.RawMessage
		Condition        map[string]map[string]json.RawMessage
	}
	all := func(raw json.RawMessage) bool {
		for _, s := range oneOrMany[string](raw) {
			if s == "*" || s == "*:*" {
				return true
			}
		}
		return false
	}
	var denials []denial
	for _, s := range oneOrMany[statement](policy.Statement) {
		if s.Effect != "Deny" || !all(s.Action) || !all(s.Resource) {
			continue
		}
		if d, ok := conditional(s.Condition); ok {
			denials = append(denials, d)
		}
	}
	return denials
}

// conditional is what the conditions of a deny leave denied.
func conditional(conditions map[string]map[string]json.RawMessage) (d denial, ok bool) {
	for operator, keys := range conditions {
		for key, raw := range keys {
			values := oneOrMany[string](raw)
			if len(values) == 0 {
				return d, false
			}
			operator, ifExists := strings.CutSuffix(strings.ToLower(operator), "ifexists")
			switch operator + " " + strings.ToLower(key) {
			case "datelessthan aws:tokenissuetime", "datelessthanequals aws:tokenissuetime":
				d.ageless = ifExists
				for _, v := range values {
					d.before = later(d.before, policyDate(v))
				}
				if d.before.IsZero() {
					return d, false
				}
			case "stringequals aws:userid", "stringlike aws:userid":
				d.userIDs = append(d.userIDs, values...)
			case "stringequals aws:sourceidentity", "stringlike aws:sourceidentity":
				d.identities = append(d.identities, values...)
			default:
				return d, false
			}
		}
	}
	return d, true
}

// policyDate reads a date of a policy, zero where it is none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func policyDate(text string) time.Time {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 1e8 && seconds < 1e11 {
		return time.Unix(seconds, 0).UTC()
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// binds reports whether a deny refuses what a credential calls. A long-term key
// has no time of issue that a policy could speak of, and sources disagree
// whether a federation token has: neither is ended by a deny of older sessions,
// unless by one that asks for the time only if there is one.
func (d denial) binds(cred *Credential) bool {
	if !d.before.IsZero() {
		switch cred.Kind {
		case LongTerm, ServiceSpecific, SSHKey, Certificate, Password:
			if !d.ageless {
				return false
			}
		default:
			if cred.Kind == FederationToken && !d.ageless || cred.IssuedAt == nil || !cred.IssuedAt.Before(d.before) {
				return false
			}
		}
	}
	return like(d.userIDs, cred.PrincipalID) && like(d.identities, cred.SourceIdentity)
}

// like reports whether a text matches one of the patterns, if there are any.
func like(patterns []string, text string) bool {
	for _, p := range patterns {
		// The text of logs has no business in a pattern, but a policy's has: only
		// * and ? mean something in it.
		p = strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(p)
		if ok, err := path.Match(p, text); err == nil && ok {
			return true
		}
	}
	return len(patterns) == 0
}

func (d denial) why(policy string, h holder) string {
	what := policy + " denies everything to " + h.String()
	if !d.before.IsZero() {
		what = policy + " denies everything to sessions of " + h.String() + " issued before " + d.before.UTC().Format(time.RFC3339)
	}
	if len(d.userIDs)+len(d.identities) > 0 {
		what = policy + " denies everything to this session of " + h.String()
	}
	return what
}

// hung is a policy that stands on a user, role or group.
type hung struct {
	name    string
	denials []denial // of an inline policy
	managed string   // ARN of a managed one
	by      *call
}

// managedPolicy is a policy with versions, one of which holds.
type managedPolicy struct {
	versions map[string][]denial
	holds    string
	by       *call
}

// denials follows which policies that deny everything stand where.
type denials struct {
	hung    map[string]map[string]*hung // by holderKey, then what stands there
	managed map[string]*managedPolicy
	groups  map[string]map[string]*call // of a user, with the call that put it there
}

func newDenials() *denials {
	return &denials{hung: map[string]map[string]*hung{}, managed: map[string]*managedPolicy{}, groups: map[string]map[string]*call{}}
}

// forget drops what stands on a deleted user or role.
func (d *denials) forget(key string) {
	delete(d.hung, key)
	delete(d.groups, key)
}

// note takes a call into account that changed policies or groups.
func (d *denials) note(made *call) {
	switch made.name {
	case "CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion":
		d.noteVersion(made)
		return
	}
	kind := policyCalls[made.name]
	if made.name == "RemoveUserFromGroup" {
		kind = "user"
	}
	if kind == "" {
		return
	}
	key := holderKey(kind, made.account, made.param(kind+"Name"))
	group, policy := made.param("groupName"), made.param("policyName")
	verb := strings.TrimSuffix(strings.TrimSuffix(made.name, "Policy"), "PermissionsBoundary")
	boundary := strings.HasSuffix(made.name, "PermissionsBoundary")
	if d.hung[key] == nil {
		d.hung[key] = map[string]*hung{}
	}
	switch {
	case made.name == "AddUserToGroup":
		if d.groups[key] == nil {
			d.groups[key] = map[string]*call{}
		}
		d.groups[key][holderKey("group", made.account, group)] = made
	case made.name == "RemoveUserFromGroup":
		delete(d.groups[key], holderKey("group", made.account, group))
	case boundary && strings.HasPrefix(verb, "Put"):
		arn := made.param("permissionsBoundary")
		d.hung[key]["boundary"] = &hung{name: "the permissions boundary " + arn, managed: arn, by: made}
	case boundary:
		delete(d.hung[key], "boundary")
	case strings.HasPrefix(verb, "Put"):
		// The same name overwrites; nothing denied is nothing noted.
		delete(d.hung[key], "inline "+policy)
		if found := denialsIn(made.param("policyDocument")); len(found) > 0 {
			d.hung[key]["inline "+policy] = &hung{name: "the policy " + policy, denials: found, by: made}
		}
	case strings.HasPrefix(verb, "Delete"):
		delete(d.hung[key], "inline "+policy)
	case strings.HasPrefix(verb, "Attach"):
		arn := made.param("policyArn")
		d.hung[key]["managed "+arn] = &hung{name: "the policy " + arn[strings.LastIndex(arn, "/")+1:], managed: arn, by: made}
	case strings.HasPrefix(verb, "Detach"):
		delete(d.hung[key], "managed "+made.param("policyArn"))
	}
}

func (d *denials) noteVersion(made *call) {
	arn, version := made.param("policyArn"), made.param("versionId")
	if made.name == "CreatePolicy" {
		arn, version = member(made.response, "policy", "arn"), "v1"
	}
	if arn == "" {
		return
	}
	m := d.managed[arn]
	if m == nil {
		m = &managedPolicy{versions: map[string][]denial{}}
		d.managed[arn] = m
	}
	holds := true
	if made.name == "CreatePolicyVersion" {
		version = member(made.response, "policyVersion", "versionId")
		holds = isTrue(made.request, "setAsDefault")
	}
	if made.name != "SetDefaultPolicyVersion" {
		m.versions[version] = denialsIn(made.param("policyDocument"))
	}
	if holds {
		m.holds, m.by = version, made
	}
}

// isTrue reads a member that is true or "true".
func isTrue(object, name string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &members) != nil {
		return false
	}
	return strings.EqualFold(strings.Trim(string(members[name]), `"`), "true")
}

// against is the deny that stood longest of those that refuse a credential of a
// holder, nil where none does.
func (d *denials) against(key string, cred *Credential, h holder) *ending {
	var first *ending
	consider := func(at *call, w *hung, denials []denial) {
		for _, deny := range denials {
			if deny.binds(cred) && (first == nil || at.time.Before(first.at)) {
				first = endingOf(at, deny.why(w.name, h))
			}
		}
	}
	look := func(key string, joined *call) {
		for _, w := range sortedValues(d.hung[key]) {
			at, found := w.by, w.denials
			switch m := d.managed[w.managed]; {
			case strings.HasSuffix(w.managed, ":iam::aws:policy/AWSDenyAll"):
				found = []denial{{}}
			case m != nil:
				found = m.versions[m.holds]
				at = latest(at, m.by)
			}
			consider(latest(at, joined), w, found)
		}
	}
	look(key, nil)
	for _, group := range slices.Sorted(maps.Keys(d.groups[key])) {
		look(group, d.groups[key][group])
	}
	return first
}

// latest is the later of two calls, of which the second may be missing.
func latest(a, b *call) *call {
	if b != nil && b.time.After(a.time) {
		return b
	}
	return a
}
