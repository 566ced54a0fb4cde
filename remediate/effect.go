package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// An effect says where the state lies that an operation changes. From it follow
// what to save before a call, whether a call took effect, and what takes it
// back; none of that needs the plan, so a journal alone can be undone.
type effect struct {
	kind effectKind
	// read is the operation that shows the state; by are the parameters that
	// it takes over from the call.
	read string
	by   []string
	// in are further parameters of read: what they hold, with {Parameter} for a
	// parameter of the call.
	in map[string]any
	// value is the JMESPath of the state in the answer, with {Parameter} for the
	// literal of a parameter of the call.
	value string
	// {Parameter[]} is its list, empty without the parameter. statement narrows a
	// policy to the statement whose Sid is this parameter.
	statement string
	// find, if set, takes what of the value the call is about.
	find func(c Call, value any) any
	// param is the parameter whose value the state shows, to the one value that
	// the operation always leads to.
	param string
	to    any
	// inverse is the operation that takes back what makes and sets created or
	// brings back what takes removed; ids are its parameters. Without it the
	// plan's own rollback counts.
	inverse string
	ids     []string
	// fresh is the JMESPath, in the answer to the call, of the id that AWS gave
	// what was made. value then lists all such ids, and param is what inverse
	// calls it.
	fresh string
	// also are further reads whose answers only the call can lose.
	also []also
}

// also is a read by parameters of the call, or by a value of the first answer.
type also struct {
	read string
	in   map[string]string // parameter: {Parameter} of the call or a JMESPath
}

type effectKind int

const (
	sets  effectKind = iota // the state becomes the value of param
	makes                   // there is a state then
	takes                   // there is none then
)

// effects has what IAM's writes and those of effects_services.go do. The undo of
// others is the plan's own; their state is what the plan reads to check.
var effects = func() map[string]effect {
	m := serviceEffects()
	maps.Copy(m, map[string]effect{
		"iam:UpdateAssumeRolePolicy": {kind: sets, read: "GetRole", by: []string{"RoleName"}, value: "Role.AssumeRolePolicyDocument", param: "PolicyDocument"},
		"iam:UpdateRole":             {kind: sets, read: "GetRole", by: []string{"RoleName"}, value: "Role.MaxSessionDuration", param: "MaxSessionDuration"},
		"iam:UpdateAccessKey": {kind: sets, read: "ListAccessKeys", by: []string{"UserName"},
			value: "AccessKeyMetadata[?AccessKeyId=={AccessKeyId}].Status | [0]", param: "Status"},
		"iam:UpdateSSHPublicKey": {kind: sets, read: "ListSSHPublicKeys", by: []string{"UserName"},
			value: "SSHPublicKeys[?SSHPublicKeyId=={SSHPublicKeyId}].Status | [0]", param: "Status"},
		"iam:UpdateSigningCertificate": {kind: sets, read: "ListSigningCertificates", by: []string{"UserName"},
			value: "Certificates[?CertificateId=={CertificateId}].Status | [0]", param: "Status"},
		"iam:UpdateServiceSpecificCredential": {kind: sets, read: "ListServiceSpecificCredentials", by: []string{"UserName"},
			value: "ServiceSpecificCredentials[?ServiceSpecificCredentialId=={ServiceSpecificCredentialId}].Status | [0]", param: "Status"},
		"iam:SetDefaultPolicyVersion": {kind: sets, read: "GetPolicy", by: []string{"PolicyArn"}, value: "Policy.DefaultVersionId", param: "VersionId"},
		"iam:UpdateSAMLProvider":      {kind: sets, read: "GetSAMLProvider", by: []string{"SAMLProviderArn"}, value: "SAMLMetadataDocument", param: "SAMLMetadataDocument"},
		"iam:UpdateOpenIDConnectProviderThumbprint": {kind: sets, read: "GetOpenIDConnectProvider", by: []string{"OpenIDConnectProviderArn"},
			value: "ThumbprintList", param: "ThumbprintList"},

		"iam:CreateAccessKey": {kind: makes, read: "ListAccessKeys", by: []string{"UserName"}, value: "AccessKeyMetadata[].AccessKeyId",
			fresh: "AccessKey.AccessKeyId", param: "AccessKeyId", inverse: "DeleteAccessKey", ids: []string{"UserName"}},
		"iam:CreatePolicyVersion": {kind: makes, read: "ListPolicyVersions", by: []string{"PolicyArn"}, value: "Versions[].VersionId",
			fresh: "PolicyVersion.VersionId", param: "VersionId", inverse: "DeletePolicyVersion", ids: []string{"PolicyArn"}},
		"iam:CreateServiceSpecificCredential": {kind: makes, read: "ListServiceSpecificCredentials", by: []string{"UserName"},
			value: "ServiceSpecificCredentials[].ServiceSpecificCredentialId", fresh: "ServiceSpecificCredential.ServiceSpecificCredentialId",
			param: "ServiceSpecificCredentialId", inverse: "DeleteServiceSpecificCredential", ids: []string{"UserName"}},
		"iam:CreateUser":            creates("User", "UserName"),
		"iam:CreateRole":            creates("Role", "RoleName"),
		"iam:CreateGroup":           creates("Group", "GroupName"),
		"iam:CreateInstanceProfile": creates("InstanceProfile", "InstanceProfileName"),
		"iam:CreateLoginProfile":    creates("LoginProfile", "UserName"),
		"iam:AddUserToGroup":        inGroup(makes, "RemoveUserFromGroup"),
		"iam:AddRoleToInstanceProfile": {kind: makes, read: "GetInstanceProfile", by: []string{"InstanceProfileName"},
			value: "InstanceProfile.Roles[?RoleName=={RoleName}].RoleName | [0]", inverse: "RemoveRoleFromInstanceProfile", ids: []string{"InstanceProfileName", "RoleName"}},

		"iam:RemoveUserFromGroup": inGroup(takes, "AddUserToGroup"),
		"iam:RemoveRoleFromInstanceProfile": {kind: takes, read: "GetInstanceProfile", by: []string{"InstanceProfileName"},
			value: "InstanceProfile.Roles[?RoleName=={RoleName}].RoleName | [0]", inverse: "AddRoleToInstanceProfile", ids: []string{"InstanceProfileName", "RoleName"}},
		"iam:DeleteUser":            deletes("User", "UserName"),
		"iam:DeleteRole":            deletes("Role", "RoleName"),
		"iam:DeleteGroup":           deletes("Group", "GroupName"),
		"iam:DeleteInstanceProfile": deletes("InstanceProfile", "InstanceProfileName"),
		"iam:DeleteLoginProfile":    deletes("LoginProfile", "UserName"),
		"iam:DeletePolicy": {kind: takes, read: "GetPolicy", by: []string{"PolicyArn"}, value: "Policy.PolicyId",
			also: []also{{"GetPolicyVersion", map[string]string{"PolicyArn": "{PolicyArn}", "VersionId": "Policy.DefaultVersionId"}}}},
		"iam:DeletePolicyVersion": {kind: takes, read: "GetPolicyVersion", by: []string{"PolicyArn", "VersionId"}, value: "PolicyVersion.VersionId"},
		"iam:DeleteAccessKey": {kind: takes, read: "ListAccessKeys", by: []string{"UserName"},
			value: "AccessKeyMetadata[?AccessKeyId=={AccessKeyId}].AccessKeyId | [0]",
			also:  []also{{"GetAccessKeyLastUsed", map[string]string{"AccessKeyId": "{AccessKeyId}"}}}},
		"iam:DeleteSSHPublicKey": {kind: takes, read: "ListSSHPublicKeys", by: []string{"UserName"},
			value: "SSHPublicKeys[?SSHPublicKeyId=={SSHPublicKeyId}].SSHPublicKeyId | [0]"},
		"iam:DeleteSigningCertificate": {kind: takes, read: "ListSigningCertificates", by: []string{"UserName"},
			value: "Certificates[?CertificateId=={CertificateId}].CertificateId | [0]"},
		"iam:DeleteServiceSpecificCredential": {kind: takes, read: "ListServiceSpecificCredentials", by: []string{"UserName"},
			value: "ServiceSpecificCredentials[?ServiceSpecificCredentialId=={ServiceSpecificCredentialId}].ServiceSpecificCredentialId | [0]"},
		"iam:DeactivateMFADevice": {kind: takes, read: "ListMFADevices", by: []string{"UserName"},
			value: "MFADevices[?SerialNumber=={SerialNumber}].SerialNumber | [0]"},
		"iam:DeleteSAMLProvider":          {kind: takes, read: "GetSAMLProvider", by: []string{"SAMLProviderArn"}, value: "SAMLMetadataDocument"},
		"iam:DeleteOpenIDConnectProvider": {kind: takes, read: "GetOpenIDConnectProvider", by: []string{"OpenIDConnectProviderArn"}, value: "Url"},
	})
	for _, kind := range []string{"User", "Role", "Group"} {
		name := kind + "Name"
		ids := []string{name, "PolicyName"}
		m["iam:Put"+kind+"Policy"] = effect{kind: sets, read: "Get" + kind + "Policy", by: ids, value: "PolicyDocument", param: "PolicyDocument",
			inverse: "Delete" + kind + "Policy", ids: ids}
		m["iam:Delete"+kind+"Policy"] = effect{kind: takes, read: "Get" + kind + "Policy", by: ids, value: "PolicyDocument", param: "PolicyDocument",
			inverse: "Put" + kind + "Policy", ids: ids}
		attached := effect{kind: makes, read: "ListAttached" + kind + "Policies", by: []string{name},
			value: "AttachedPolicies[?PolicyArn=={PolicyArn}].PolicyArn | [0]", inverse: "Detach" + kind + "Policy", ids: []string{name, "PolicyArn"}}
		m["iam:Attach"+kind+"Policy"] = attached
		attached.kind, attached.inverse = takes, "Attach"+kind+"Policy"
		m["iam:Detach"+kind+"Policy"] = attached
		if kind == "Group" {
			continue
		}
		boundary := effect{kind: sets, read: "Get" + kind, by: []string{name}, value: kind + ".PermissionsBoundary.PermissionsBoundaryArn",
			param: "PermissionsBoundary", inverse: "Delete" + kind + "PermissionsBoundary", ids: []string{name}}
		m["iam:Put"+kind+"PermissionsBoundary"] = boundary
		boundary.kind, boundary.inverse = takes, "Put"+kind+"PermissionsBoundary"
		m["iam:Delete"+kind+"PermissionsBoundary"] = boundary
	}
	return m
}()

func creates(noun, name string) effect {
	return effect{kind: makes, read: "Get" + noun, by: []string{name}, value: noun + ".CreateDate", inverse: "Delete" + noun, ids: []string{name}}
}

// deletes has no inverse: what is made anew is another thing of the same name.
func deletes(noun, name string) effect {
	return effect{kind: takes, read: "Get" + noun, by: []string{name}, value: noun + ".CreateDate"}
}

func inGroup(kind effectKind, inverse string) effect {
	return effect{kind: kind, read: "ListGroupsForUser", by: []string{"UserName"}, value: "Groups[?GroupName=={GroupName}].GroupName | [0]",
		inverse: inverse, ids: []string{"UserName", "GroupName"}}
}

func effectOf(c Call) (effect, bool) {
	name := c.Service + ":" + c.Operation
	if s, ok := c.Parameters["OperationType"].(string); ok {
		name += " " + s
	}
	for _, p := range adders {
		if c.Parameters[p] != nil {
			name += " " + p
		}
	}
	e, ok := effects[name]
	if e.kind == sets && e.to == nil && e.param != "" && c.Parameters[e.param] == nil {
		return effect{}, false // it sets something else
	}
	return e, ok
}

// adders are parameters of operations that add or remove, as they are given.
var adders = []string{"ValuesToAdd", "AccountIdsToAdd", "AddPublicKeys", "IpPermissions"}

// reading is the call that shows the state that c changes.
func (e effect) reading(c Call) Call {
	in := pick(c.Parameters, e.by)
	for k, v := range e.in {
		in[k] = filled(v, c.Parameters)
	}
	return Call{Service: c.Service, Operation: e.read, Parameters: in}
}

// at gives the state that c changes from the answer to reading; nil is none.
func (e effect) at(c Call, answer any) (any, error) {
	v, err := search(fillPath(e.value, c.Parameters), answer)
	if err == nil && e.statement != "" {
		v = statementOf(v, c.Parameters[e.statement])
	}
	if err == nil && e.find != nil {
		v = e.find(c, v)
	}
	if err != nil || isEmpty(v) {
		return nil, err
	}
	return v, nil
}

// samePlace says whether two calls change the same state.
func samePlace(a, b Call) bool {
	ea, known := effectOf(a)
	eb, too := effectOf(b)
	return known && too && a.Service == b.Service && ea.read == eb.read && fillPath(ea.value, a.Parameters) == fillPath(eb.value, b.Parameters) &&
		sameParameters(ea.reading(a).Parameters, eb.reading(b).Parameters)
}

// removes says whether a call deletes the very thing that another changed: all
// that it is named by stands in the other, and one of these names is its own, so
// that DeleteLoginProfile, which names a user alone, does not remove the user.
func removes(later, earlier Call) bool {
	if !isDestructive(later.Operation) || later.Service != earlier.Service || isDestructive(earlier.Operation) && later.Operation == earlier.Operation {
		return false
	}
	noun := strings.TrimSuffix(later.Operation[len(firstWord(later.Operation)):], "s")
	own := false
	for k, v := range later.Parameters {
		name, there := earlier.Parameters[k]
		if there && sameValue(plainJSON(name), plainJSON(v), time.Time{}) {
			own = own || k == "Name" || noun != "" && strings.HasPrefix(k, noun)
			continue
		}
		if _, text := v.(string); text {
			return false
		}
	}
	return own
}

// firstWord is the verb of an operation.
func firstWord(operation string) string {
	for i, c := range operation {
		if i > 0 && c >= 'A' && c <= 'Z' {
			return operation[:i]
		}
	}
	return operation
}

func pick(m map[string]any, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if v, ok := m[n]; ok {
			out[n] = v
		}
	}
	return out
}

// holds says whether a state is the one that c leads to. It cannot tell for
// things that AWS names.
func (e effect) holds(c Call, state any, since time.Time) bool {
	switch e.kind {
	case sets:
		if e.to != nil {
			return state != nil && same(state, e.to, since)
		}
		return c.Parameters[e.param] != nil && state != nil && same(state, c.Parameters[e.param], since)
	case makes:
		return e.fresh == "" && state != nil
	default:
		return state == nil
	}
}

// newcomer gives the one id that is in the later of two lists and not in the
// earlier; ok is false when there are several.
func newcomer(before, after any) (id string, ok bool) {
	old, _ := before.([]any)
	now, _ := after.([]any)
	for _, v := range now {
		if slices.Contains(old, v) {
			continue
		}
		if id != "" {
			return "", false
		}
		id = show(v)
	}
	return id, true
}

// undo is the calls that bring back the state before c: none when it changed
// nothing. known is false when only the plan can say. id is what AWS called the
// thing that c made.
func (e effect) undo(c Call, before any, id string) (calls []Call, known bool) {
	call := func(operation string, parameters map[string]any) []Call {
		return []Call{{Service: c.Service, Operation: operation, Parameters: parameters}}
	}
	if s, ok := before.(string); ok {
		before = decodeDocument(s)
	}
	switch {
	case e.to != nil:
		if before != nil && same(before, e.to, time.Time{}) {
			return []Call{}, true
		}
		return nil, false
	case e.fresh != "":
		if id == "" {
			return nil, false
		}
		in := pick(c.Parameters, e.ids)
		in[e.param] = id
		return call(e.inverse, in), true
	case e.kind == sets && before != nil:
		in := maps.Clone(c.Parameters)
		in[e.param] = before
		return call(c.Operation, in), true
	case e.kind == makes && before != nil, e.kind == takes && before == nil:
		return []Call{}, true
	case e.inverse == "":
		return nil, false
	}
	in := pick(c.Parameters, e.ids)
	if e.kind == takes && e.param != "" {
		in[e.param] = before
	}
	return call(e.inverse, in), true
}

// further are the reads besides reading, given its answer.
func (e effect) further(c Call, answer any) ([]Call, error) {
	var calls []Call
	for _, a := range e.also {
		in := map[string]any{}
		for k, from := range a.in {
			v := c.Parameters[strings.Trim(from, "{}")]
			if !strings.HasPrefix(from, "{") {
				var err error
				if v, err = search(from, answer); err != nil {
					return nil, err
				}
			}
			if v == nil {
				return nil, fmt.Errorf("%s:%s: the live state has no %s", c.Service, a.read, from)
			}
			in[k] = v
		}
		calls = append(calls, Call{Service: c.Service, Operation: a.read, Parameters: in})
	}
	return calls, nil
}
