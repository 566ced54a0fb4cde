package remediate

import (
	"encoding/json"
	"slices"
	"strings"
)

// verifyOf are the checks that an operation took effect, from its parameters:
// what was deleted or detached is absent, what was switched on answers so.
func verifyOf(service, operation string, in map[string]any) []Check {
	of := func(op, path string, equals any, names ...string) []Check {
		params := map[string]any{}
		for _, n := range names {
			if in[n] == nil {
				return nil
			}
			params[n] = in[n]
		}
		c := Check{Read: Read{Call{Service: service, Operation: op, Parameters: params}, path}, Equals: equals}
		c.Absent = equals == nil
		return []Check{c}
	}
	text := func(name string) string {
		s, _ := in[name].(string)
		return jmesString(s)
	}
	switch service + ":" + operation {
	case "iam:DeleteUser":
		return of("GetUser", "User", nil, "UserName")
	case "iam:DeleteRole":
		return of("GetRole", "Role", nil, "RoleName")
	case "iam:DeleteGroup":
		return of("GetGroup", "Group", nil, "GroupName")
	case "iam:DeletePolicy":
		return of("GetPolicy", "Policy", nil, "PolicyArn")
	case "iam:DeletePolicyVersion":
		return of("GetPolicyVersion", "PolicyVersion", nil, "PolicyArn", "VersionId")
	case "iam:DeleteInstanceProfile":
		return of("GetInstanceProfile", "InstanceProfile", nil, "InstanceProfileName")
	case "iam:DeleteLoginProfile":
		return of("GetLoginProfile", "LoginProfile", nil, "UserName")
	case "iam:DeleteUserPolicy":
		return of("GetUserPolicy", "PolicyDocument", nil, "UserName", "PolicyName")
	case "iam:DeleteGroupPolicy":
		return of("GetGroupPolicy", "PolicyDocument", nil, "GroupName", "PolicyName")
	case "iam:DeleteRolePolicy":
		return of("GetRolePolicy", "PolicyDocument", nil, "RoleName", "PolicyName")
	case "iam:PutUserPolicy":
		return of("GetUserPolicy", "PolicyDocument", in["PolicyDocument"], "UserName", "PolicyName")
	case "iam:PutGroupPolicy":
		return of("GetGroupPolicy", "PolicyDocument", in["PolicyDocument"], "GroupName", "PolicyName")
	case "iam:PutRolePolicy":
		return of("GetRolePolicy", "PolicyDocument", in["PolicyDocument"], "RoleName", "PolicyName")
	case "iam:UpdateAssumeRolePolicy":
		return of("GetRole", "Role.AssumeRolePolicyDocument", in["PolicyDocument"], "RoleName")
	case "iam:DetachUserPolicy":
		return of("ListAttachedUserPolicies", "AttachedPolicies[?PolicyArn=="+text("PolicyArn")+"] | [0]", nil, "UserName")
	case "iam:DetachGroupPolicy":
		return of("ListAttachedGroupPolicies", "AttachedPolicies[?PolicyArn=="+text("PolicyArn")+"] | [0]", nil, "GroupName")
	case "iam:DetachRolePolicy":
		return of("ListAttachedRolePolicies", "AttachedPolicies[?PolicyArn=="+text("PolicyArn")+"] | [0]", nil, "RoleName")
	case "iam:RemoveUserFromGroup":
		return of("ListGroupsForUser", "Groups[?GroupName=="+text("GroupName")+"] | [0]", nil, "UserName")
	case "iam:DeleteAccessKey":
		return of("ListAccessKeys", "AccessKeyMetadata[?AccessKeyId=="+text("AccessKeyId")+"] | [0]", nil, "UserName")
	case "iam:UpdateAccessKey":
		return of("ListAccessKeys", "AccessKeyMetadata[?AccessKeyId=="+text("AccessKeyId")+"].Status | [0]", in["Status"], "UserName")
	case "iam:UpdateSSHPublicKey":
		return of("ListSSHPublicKeys", "SSHPublicKeys[?SSHPublicKeyId=="+text("SSHPublicKeyId")+"].Status | [0]", in["Status"], "UserName")
	case "iam:UpdateSigningCertificate":
		return of("ListSigningCertificates", "Certificates[?CertificateId=="+text("CertificateId")+"].Status | [0]", in["Status"], "UserName")
	case "iam:UpdateServiceSpecificCredential":
		return of("ListServiceSpecificCredentials", "ServiceSpecificCredentials[?ServiceSpecificCredentialId=="+text("ServiceSpecificCredentialId")+"].Status | [0]", in["Status"], "UserName")
	case "iam:SetDefaultPolicyVersion":
		return of("GetPolicy", "Policy.DefaultVersionId", in["VersionId"], "PolicyArn")
	case "iam:DeleteSAMLProvider":
		return of("GetSAMLProvider", "SAMLMetadataDocument", nil, "SAMLProviderArn")
	case "iam:DeleteOpenIDConnectProvider":
		return of("GetOpenIDConnectProvider", "Url", nil, "OpenIDConnectProviderArn")
	case "cloudtrail:StartLogging":
		return of("GetTrailStatus", "IsLogging", true, "Name")
	case "guardduty:UpdateDetector":
		return of("GetDetector", "Status", "ENABLED", "DetectorId")
	case "kms:EnableKey":
		return of("DescribeKey", "KeyMetadata.KeyState", "Enabled", "KeyId")
	case "rolesanywhere:EnableTrustAnchor", "rolesanywhere:DisableTrustAnchor":
		return of("GetTrustAnchor", "TrustAnchor.Enabled", operation == "EnableTrustAnchor", "TrustAnchorId")
	case "rolesanywhere:EnableProfile", "rolesanywhere:DisableProfile":
		return of("GetProfile", "Profile.Enabled", operation == "EnableProfile", "ProfileId")
	case "rolesanywhere:DisableCrl":
		return of("GetCrl", "Crl.Enabled", false, "CrlId")
	case "cognitoidentityprovider:AdminDisableUser":
		return of("AdminGetUser", "Enabled", false, "UserPoolId", "Username")
	case "ec2:StartInstances":
		return of("DescribeInstances", "Reservations[].Instances[?State.Name!='pending' && State.Name!='running'][].InstanceId | [0]", nil, "InstanceIds")
	case "ec2:TerminateInstances":
		return of("DescribeInstances", "Reservations[].Instances[?State.Name!='shutting-down' && State.Name!='terminated'][].InstanceId | [0]", nil, "InstanceIds")
	}
	return verifyEffect(Call{service, operation, in})
}

// noneLeft is the check of what removes each element of a list: that the list is
// empty then. EC2 goes on listing instances that are terminated.
func noneLeft(a *Action) []Check {
	takes := slices.ContainsFunc(takers, func(p string) bool { return strings.HasPrefix(a.Operation, p) })
	if !takes || a.Service == "ec2" {
		return nil
	}
	read := *a.ForEach
	read.Path += " | [0]"
	return []Check{{Read: read, Absent: true}}
}

// optional are parameters without which a call is about the default one.
var optional = []string{"Cluster", "EventBusName", "GroupName", "PolicyName", "Qualifier"}

// verifyEffect is the check that a state which effects knows has become what the
// call makes it, or else what looks shows.
func verifyEffect(c Call) []Check {
	e, known := effectOf(c)
	if mentions(c.Parameters, Item) {
		return nil
	}
	if !known || e.find != nil || e.fresh != "" || e.kind == sets && e.to == nil && c.Parameters[e.param] == nil {
		return verifyLook(c)
	}
	for _, p := range e.by {
		if c.Parameters[p] == nil && !slices.Contains(optional, p) {
			return nil
		}
	}
	check := Check{Read: Read{e.reading(c), fillPath(e.value, c.Parameters)}}
	if e.statement != "" {
		check.Path = statementPath(check.Path, c.Parameters[e.statement])
	}
	switch {
	case e.kind == takes:
		check.Absent = true
	case e.kind == makes:
		check.Path, check.Equals = "("+check.Path+") != `null`", true
	case e.to != nil:
		check.Equals = e.to
	default:
		check.Equals = c.Parameters[e.param]
	}
	return []Check{check}
}

// statementPath finds, in the text of a policy at path, the statement of a Sid.
// JMESPath does not parse the text; AWS gives it without spaces, others with.
func statementPath(path string, sid any) string {
	member := func(space string) string { return "contains(@, " + jmesValue(`"Sid":`+space+jsonText(sid)) + ")" }
	return path + " && ([" + path + "][?" + member("") + " || " + member(" ") + "] | [0])"
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}
