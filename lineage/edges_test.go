package lineage

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
)

// record is a CloudTrail record as AWS writes it: what a test does not say is
// that of a call by the leaked key from where it is misused.
type record map[string]any

type object = map[string]any

// rec makes a record of a call, "sts:AssumeRole", at a time as clock takes it.
// more holds further members, which replace those that are there.
func rec(at, call string, more record) record {
	service, name, _ := strings.Cut(call, ":")
	r := record{
		"eventVersion": "1.11", "eventTime": clock(at).Format("2006-01-02T15:04:05Z"),
		"eventSource": service + ".amazonaws.com", "eventName": name, "awsRegion": "us-east-1", "sourceIPAddress": away, "userAgent": kali,
		"userIdentity": user("alice", leaked), "requestParameters": nil, "responseElements": nil,
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account,
	}
	maps.Copy(r, more)
	return r
}

func user(name, key string) object {
	return object{"type": "IAMUser", "principalId": userID(name), "arn": "arn:aws:iam::" + account + ":user/" + name, "accountId": account, "accessKeyId": key, "userName": name}
}

// session is the identity of a role session. The account is that of the role.
func session(acct, role, name, key, created string) object {
	short := role[strings.LastIndex(role, "/")+1:]
	id := object{"type": "AssumedRole", "principalId": "AROA" + strings.ToUpper(short) + ":" + name, "arn": "arn:aws:sts::" + acct + ":assumed-role/" + short + "/" + name, "accountId": acct,
		"sessionContext": object{"sessionIssuer": object{"type": "Role", "principalId": "AROA" + strings.ToUpper(short), "arn": "arn:aws:iam::" + acct + ":role/" + role, "accountId": acct, "userName": short},
			"attributes": object{"creationDate": clock(created).Format("2006-01-02T15:04:05Z"), "mfaAuthenticated": "false"}}}
	if key != "" {
		id["accessKeyId"] = key
	}
	return id
}

// roleTaken is the answer of a call that hands out a session of a role.
func roleTaken(acct, role, name, key string) object {
	short := role[strings.LastIndex(role, "/")+1:]
	return object{"credentials": object{"accessKeyId": key, "sessionToken": "t", "expiration": "Sep 3, 2026, 11:00:00\u202fPM"},
		"assumedRoleUser": object{"assumedRoleId": "AROA" + strings.ToUpper(short) + ":" + name, "arn": "arn:aws:sts::" + acct + ":assumed-role/" + short + "/" + name}}
}

// saml is an AssumeRoleWithSAML as the role's account logs it.
func saml(at, provider, role, name, key string) record {
	return rec(at, "sts:AssumeRoleWithSAML", record{
		"userIdentity":      object{"type": "SAMLUser", "principalId": "/nQTosBbaHrvuioiTKQkrbl3/WM=:" + name, "userName": name, "identityProvider": "/nQTosBbaHrvuioiTKQkrbl3/WM="},
		"sourceIPAddress":   "203.0.113.99",
		"requestParameters": object{"sAMLAssertionID": "_4bed", "roleSessionName": name, "roleArn": "arn:aws:iam::" + member1 + ":role/" + role, "principalArn": provider, "durationSeconds": 43200},
		"responseElements":  roleTaken(member1, role, name, key), "recipientAccountId": member1,
	})
}

const (
	member1   = "444455556666"
	ssoAdmin  = "aws-reserved/sso.amazonaws.com/ap-southeast-2/AWSReservedSSO_AdministratorAccess_7243976e43c75fc5"
	ssoRead   = "aws-reserved/sso.amazonaws.com/ap-southeast-2/AWSReservedSSO_ReadOnly_0243976e43c75fc5"
	ssoIdP    = "arn:aws:iam::" + member1 + ":saml-provider/AWSSSO_9882ccf00912484e_DO_NOT_DELETE"
	evilUser  = "976710cc5d-9d976f61-3b89-4b98-88db-2ea3bbc1f3fa"
	otherUser = "976710cc5d-00000000-3b89-4b98-88db-2ea3bbc1f3fa"
)

// center is the identity that Identity Center's own records bear.
func centerIdentity(user, credential string) object {
	return object{"type": "IdentityCenterUser", "accountId": account, "credentialId": credential,
		"onBehalfOf": object{"userId": user, "identityStoreArn": "arn:aws:identitystore::" + account + ":identitystore/d-976710cc5d"}}
}

// roleRequest is a GetRoleCredentials as AWS writes it: without a request or an
// answer.
func roleRequest(at, user, credential, set string) record {
	return rec(at, "sso:GetRoleCredentials", record{"userIdentity": centerIdentity(user, credential), "eventType": "AwsServiceEvent", "sourceIPAddress": "203.0.113.77",
		"serviceEventDetails": object{"role_name": set, "account_id": member1}})
}

// behalf adds to a session's identity whom it acts on behalf of.
func behalf(of string, identity object) object {
	identity["onBehalfOf"] = object{"userId": of, "identityStoreArn": "arn:aws:identitystore::" + account + ":identitystore/d-976710cc5d"}
	return identity
}

// traced is the lineage of the leaked key over its everyday use, its misuse and
// some records.
func traced(t *testing.T, records ...record) *Lineage {
	t.Helper()
	own := record{"sourceIPAddress": home, "userAgent": cli}
	records = append([]record{rec("0d 09:00:00", "s3:ListBuckets", own), rec("1d 09:00:00", "s3:ListBuckets", own), rec("2d 08:00:00", "s3:ListBuckets", own),
		rec("2d 12:00:00", "sts:GetCallerIdentity", nil)}, records...)
	for i, r := range records {
		if r["eventID"] == nil {
			r["eventID"] = fmt.Sprintf("event-%03d", i)
		}
	}
	text, err := json.Marshal(object{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "log.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCase(t)
	if _, err := ingest.Load(t.Context(), c, []string{file}, ingest.Options{}); err != nil && !errors.Is(err, ingest.ErrNothingReadable) {
		t.Fatal(err)
	}
	l, err := Trace(t.Context(), c, []string{leaked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEdges(t *testing.T) {
	made := func(at, call string, request, response object) record {
		return rec(at, call, record{"requestParameters": request, "responseElements": response})
	}
	by := func(identity object, r record) record { r["userIdentity"] = identity; return r }
	anchor := "arn:aws:rolesanywhere:us-east-1:" + account + ":trust-anchor/0ace5b12-24b9-427e-a483-c55884852fbf"
	anywhere := func(at, anchor, profile, cert, key string) record {
		return rec(at, "rolesanywhere:CreateSession", record{
			"userIdentity":      object{"type": "AWSService", "invokedBy": "rolesanywhere.amazonaws.com"},
			"requestParameters": object{"cert": cert, "durationSeconds": 3600, "profileArn": profile, "roleArn": "arn:aws:iam::" + account + ":role/Plant", "trustAnchorArn": anchor},
			"responseElements": object{"subjectArn": "arn:aws:rolesanywhere:us-east-1:" + account + ":subject/" + cert, "credentialSet": []any{object{
				"assumedRoleUser": object{"arn": "arn:aws:sts::" + account + ":assumed-role/Plant/" + cert, "assumedRoleId": "AROAPLANT:" + cert},
				"credentials":     object{"accessKeyId": key, "expiration": "2026-09-03T13:30:00Z"}, "roleArn": "arn:aws:iam::" + account + ":role/Plant", "sourceIdentity": "CN=" + cert}}}})
	}
	oidc := "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com"
	webIdentity := func(at, audience, subject, key string) record {
		return rec(at, "sts:AssumeRoleWithWebIdentity", record{
			"userIdentity":      object{"type": "WebIdentityUser", "principalId": oidc + ":" + audience + ":" + subject, "userName": subject, "identityProvider": oidc},
			"sourceIPAddress":   "203.0.113.88",
			"requestParameters": object{"roleArn": "arn:aws:iam::" + account + ":role/Deploy", "roleSessionName": "ci"},
			"responseElements":  roleTaken(account, "Deploy", "ci", key)})
	}
	createUser := by(user("alice", leaked), made("2d 12:10:00", "sso-directory:CreateUser",
		object{"identityStoreId": "d-976710cc5d", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}, object{"user": object{"userId": evilUser}}))
	signIn := func(at, of, credential string) record {
		id := centerIdentity(of, credential)
		id["type"], id["principalId"], id["userName"] = "Unknown", account, map[string]string{evilUser: "evil@example.com", otherUser: "ann@example.com"}[of]
		return rec(at, "signin:UserAuthentication", record{"userIdentity": id, "eventType": "AwsServiceEvent", "sourceIPAddress": "203.0.113.77",
			"serviceEventDetails": object{"UserAuthentication": "Success"}})
	}
	pool := "us-east-1:1cf667a2-49a6-454b-9e45-231990000000"
	cognito := func(at, pool, identity, key string) record {
		return rec(at, "cognito-identity:GetCredentialsForIdentity", record{"userIdentity": object{"type": "Unknown"},
			"requestParameters": object{"identityId": identity},
			"responseElements":  object{"credentials": object{"accessKeyId": key, "sessionToken": "t", "expiration": "Sep 3, 2026 1:55:08 PM"}, "identityId": identity},
			"resources":         []any{object{"accountId": account, "type": "AWS::Cognito::IdentityPool", "ARN": "arn:aws:cognito-identity:us-east-1:" + account + ":identitypool/" + pool}}})
	}
	consoleLogin := func(at, name string, more record) record {
		id := user(name, "")
		delete(id, "accessKeyId")
		r := rec(at, "signin:ConsoleLogin", record{"userIdentity": id, "responseElements": object{"ConsoleLogin": "Success"}, "userAgent": browser, "eventType": "AwsConsoleSignIn"})
		maps.Copy(r, more)
		return r
	}
	consoleUse := func(at, name, key, created string) record {
		id := user(name, key)
		id["sessionContext"] = object{"attributes": object{"creationDate": clock(created).Format("2006-01-02T15:04:05Z"), "mfaAuthenticated": "false"}}
		return rec(at, "ec2:DescribeInstances", record{"userIdentity": id, "userAgent": browser, "sessionCredentialFromConsole": "true"})
	}
	for _, tc := range []struct {
		name    string
		records []record
		want    []string
	}{
		{"a created Identity Center user, tied to sessions by time, account and permission set", []record{createUser,
			signIn("2d 13:00:00", evilUser, "cred-1"), roleRequest("2d 13:01:00", evilUser, "cred-1", "AdministratorAccess"),
			saml("2d 13:01:01", ssoIdP, ssoAdmin, "evil@example.com", "ASIA1"),
			rec("2d 13:02:00", "ec2:RunInstances", record{"userIdentity": session(member1, ssoAdmin, "evil@example.com", "ASIA2", "2d 13:01:01"), "recipientAccountId": member1}),
			saml("2d 13:01:02", ssoIdP, ssoAdmin, "ann@example.com", "ASIAANN"), saml("2d 13:01:01", ssoIdP, ssoRead, "bob@example.com", "ASIABOB")},
			[]string{"cred-1 console < " + leaked + " inferred", "ASIA1 role_session < cred-1 inferred", "user/" + evilUser + " created",
				"role/" + ssoAdmin + " assumed"}},
		{"a session that acts on behalf of a created Identity Center user is the user's", []record{createUser,
			saml("2d 13:01:01", ssoIdP, ssoAdmin, "evil@example.com", "ASIA1"), saml("2d 13:05:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIAANN"),
			rec("2d 13:02:00", "ec2:RunInstances", record{"userIdentity": behalf(evilUser, session(member1, ssoAdmin, "evil@example.com", "ASIA2", "2d 13:01:01")), "recipientAccountId": member1}),
			rec("2d 13:06:00", "ec2:RunInstances", record{"userIdentity": behalf(otherUser, session(member1, ssoAdmin, "ann@example.com", "ASIA3", "2d 13:05:01")), "recipientAccountId": member1}),
			rec("2d 14:06:00", "ec2:RunInstances", record{"userIdentity": behalf(evilUser, session(member1, ssoRead, "evil@example.com", "ASIA4", "2d 14:05:01")), "recipientAccountId": member1})},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "ASIA4 role_session < " + leaked + " unexplained", "user/" + evilUser + " created", "role/" + ssoAdmin + " assumed"}},
		{"a user whose name no record tells, by the one session of that time", []record{createUser,
			roleRequest("2d 13:01:00", evilUser, "cred-1", "AdministratorAccess"), saml("2d 13:01:01", ssoIdP, ssoAdmin, "evil@example.com", "ASIA1"),
			roleRequest("2d 14:01:00", evilUser, "cred-1", "AdministratorAccess"), saml("2d 14:01:01", ssoIdP, ssoAdmin, "evil@example.com", "ASIA2"), saml("2d 14:01:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIAANN"),
			saml("2d 15:01:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIALATE")},
			[]string{"cred-1 console < " + leaked + " inferred", "ASIA1 role_session < cred-1 inferred", "ASIA2 role_session < cred-1 inferred", "user/" + evilUser + " created", "role/" + ssoAdmin + " assumed"}},
		{"what an assigned permission set opened to a user, not what the user had before", []record{
			saml("1d 13:01:01", ssoIdP, ssoRead, "ann@example.com", "ASIAOLD"), signIn("1d 13:00:00", otherUser, "cred-0"),
			made("2d 12:10:00", "sso:CreateAccountAssignment", object{"instanceArn": "arn:aws:sso:::instance/ssoins-72233af8ea2d1f14", "targetId": member1, "targetType": "AWS_ACCOUNT",
				"permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-72233af8ea2d1f14/ps-ae5d1fa1f80b684e", "principalType": "USER", "principalId": otherUser}, nil),
			saml("2d 13:01:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIA1"), saml("2d 13:05:01", ssoIdP, ssoRead, "ann@example.com", "ASIASAME"),
			saml("2d 13:01:01", ssoIdP, ssoAdmin, "bob@example.com", "ASIABOB")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/" + ssoAdmin + " assumed", "user/" + otherUser + " policy_changed"}},
		{"a permission set of the lineage's own", []record{
			made("2d 12:10:00", "sso:CreatePermissionSet", object{"name": "ReadOnly", "instanceArn": "arn:aws:sso:::instance/ssoins-72233af8ea2d1f14"},
				object{"permissionSet": object{"name": "ReadOnly", "permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-72233af8ea2d1f14/ps-1"}}),
			made("2d 12:11:00", "sso:AttachManagedPolicyToPermissionSet", object{"permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-72233af8ea2d1f14/ps-2"}, nil),
			saml("2d 13:01:01", ssoIdP, ssoRead, "bob@example.com", "ASIA1"), saml("2d 13:01:01", ssoIdP, ssoAdmin, "bob@example.com", "ASIABOB")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/" + ssoRead + " assumed",
				"permissionSet/ssoins-72233af8ea2d1f14/ps-1 created", "permissionSet/ssoins-72233af8ea2d1f14/ps-2 policy_changed"}},
		{"users and groups of Identity Center", []record{
			made("2d 12:10:00", "sso-directory:CreateGroup", object{"identityStoreId": "d-1"}, object{"group": object{"groupId": "g-1"}}),
			made("2d 12:11:00", "identitystore:CreateGroupMembership", object{"identityStoreId": "d-1", "groupId": "g-2", "memberId": object{"userId": otherUser}}, object{"membershipId": "m"}),
			made("2d 12:12:00", "sso-directory:AddMemberToGroup", object{"identityStoreId": "d-1", "groupId": "g-3", "member": object{"memberId": "u-3"}}, nil),
			made("2d 12:13:00", "identitystore:CreateUser", object{"identityStoreId": "d-1"}, object{"userId": "u-4", "identityStoreId": "d-1"})},
			[]string{"group/g-1 created", "group/g-2 policy_changed", "group/g-3 policy_changed", "user/" + otherUser + " policy_changed", "user/u-3 policy_changed", "user/u-4 created"}},
		{"a token that an application exchanged for an Identity Center user's", []record{
			rec("2d 12:10:00", "sso-oauth:CreateTokenWithIAM", record{"additionalEventData": object{"identitystore:UserId": otherUser, "identitycenter:CredentialId": "cred-9"}}),
			roleRequest("2d 12:10:01", otherUser, "cred-9", "AdministratorAccess"), saml("2d 12:10:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIA1"),
			roleRequest("2d 13:10:01", otherUser, "cred-8", "AdministratorAccess"), saml("2d 13:10:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIAOWN")},
			[]string{"cred-9 console < " + leaked + " confirmed", "ASIA1 role_session < cred-9 confirmed", "role/" + ssoAdmin + " assumed"}},
		{"credentials that the record of Identity Center itself names", []record{createUser,
			with("responseElements", object{"roleCredentials": object{"accessKeyId": "ASIA1", "expiration": 1788447600000}}, roleRequest("2d 12:20:01", evilUser, "cred-9", "AdministratorAccess")),
			with("responseElements", object{"roleCredentials": object{"accessKeyId": "ASIAANN", "expiration": 1788447600000}}, roleRequest("2d 12:20:01", otherUser, "cred-8", "AdministratorAccess"))},
			[]string{"cred-9 console < " + leaked + " inferred", "ASIA1 role_session < cred-9 inferred", "user/" + evilUser + " created"}},
		{"an identity provider that Identity Center was given", []record{
			saml("1d 12:00:00", ssoIdP, ssoAdmin, "ann@example.com", "ASIAOLD"),
			made("2d 12:10:00", "sso-directory:EnableExternalIdPConfigurationForDirectory", object{"directoryId": "d-9067"}, nil),
			saml("2d 12:30:00", ssoIdP, ssoAdmin, "evil@example.com", "ASIA1"), saml("2d 12:31:00", ssoIdP, ssoAdmin, "ann@example.com", "ASIASAME"), opsBy("2d 12:30:00", "ours", "ASIAOURS")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/" + ssoAdmin + " assumed", "identitystore/d-9067 trust_changed"}},
		{"the password of an Identity Center user, from elsewhere", []record{
			withAddress("192.0.2.200", signIn("1d 13:00:00", otherUser, "cred-0")),
			rec("2d 12:10:00", "sso-directory:UpdatePassword", record{"eventID": "pass", "requestParameters": object{"userId": otherUser, "passwordMode": "OTP"}}),
			roleRequest("2d 13:10:01", otherUser, "cred-8", "AdministratorAccess"), saml("2d 13:10:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIA1")},
			[]string{"pass password < " + leaked + " confirmed", "cred-8 console < pass inferred", "ASIA1 role_session < cred-8 inferred", "role/" + ssoAdmin + " assumed", "user/" + otherUser + " password_set"}},
		{"the password of an Identity Center user, whose own network it was", []record{
			signIn("1d 13:00:00", otherUser, "cred-0"),
			rec("2d 12:10:00", "sso-directory:UpdatePassword", record{"eventID": "pass", "requestParameters": object{"userId": otherUser, "passwordMode": "OTP"}}),
			roleRequest("2d 13:10:01", otherUser, "cred-8", "AdministratorAccess"), saml("2d 13:10:01", ssoIdP, ssoAdmin, "ann@example.com", "ASIAOWN")},
			[]string{"pass password < " + leaked + " confirmed", "user/" + otherUser + " password_set"}},

		{"a trust anchor of the lineage's own", []record{
			made("2d 12:10:00", "rolesanywhere:CreateTrustAnchor", object{"name": "evil", "enabled": true}, object{"trustAnchor": object{"trustAnchorArn": anchor, "enabled": true}}),
			anywhere("2d 12:09:00", anchor, "p", "2a99", "ASIABEFORE"), anywhere("2d 12:30:00", anchor, "p", "2a99", "ASIA1"), anywhere("2d 12:30:00", anchor+"x", "p", "2a99", "ASIAOTHER")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Plant assumed", "trust-anchor/0ace5b12-24b9-427e-a483-c55884852fbf created"}},
		{"a trust anchor that was changed lets newcomers in, until it is disabled", []record{
			anywhere("1d 12:09:00", anchor, "p", "2a99", "ASIAOLD"),
			made("2d 12:10:00", "rolesanywhere:UpdateTrustAnchor", object{"trustAnchorId": "0ace5b12-24b9-427e-a483-c55884852fbf"}, object{"trustAnchor": object{"trustAnchorArn": anchor}}),
			withAddress("203.0.113.3", anywhere("2d 12:30:00", anchor, "p", "2a99", "ASIASAME")), withAddress("203.0.113.3", anywhere("2d 12:31:00", anchor, "p", "6666", "ASIA1")),
			by(user("admin", "AKIAADMIN"), made("2d 13:00:00", "rolesanywhere:DisableTrustAnchor", object{"trustAnchorId": "0ace5b12-24b9-427e-a483-c55884852fbf"}, nil)),
			withAddress("203.0.113.3", anywhere("2d 13:31:00", anchor, "p", "7777", "ASIALATE"))},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Plant assumed", "trust-anchor/0ace5b12-24b9-427e-a483-c55884852fbf trust_changed"}},
		{"a profile of Roles Anywhere", []record{
			made("2d 12:10:00", "rolesanywhere:CreateProfile", object{"name": "evil"}, object{"profile": object{"profileArn": anchor + "p"}}),
			anywhere("2d 12:30:00", anchor, anchor+"p", "2a99", "ASIA1"), anywhere("2d 12:30:00", anchor, anchor+"q", "2a99", "ASIAOTHER")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Plant assumed", "trust-anchor/0ace5b12-24b9-427e-a483-c55884852fbfp created"}},
		{"an audience added to an identity provider lets in who names it", []record{
			webIdentity("1d 12:00:00", "sts.amazonaws.com", "repo:ours/app", "ASIAOLD"),
			made("2d 12:10:00", "iam:AddClientIDToOpenIDConnectProvider", object{"openIDConnectProviderArn": oidc, "clientID": "evil"}, nil),
			webIdentity("2d 12:30:00", "evil", "repo:evil/app", "ASIA1"), webIdentity("2d 12:31:00", "sts.amazonaws.com", "repo:ours/new", "ASIAOURS")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Deploy assumed", "oidc-provider/token.actions.githubusercontent.com trust_changed"}},
		{"a changed thumbprint lets newcomers in", []record{
			webIdentity("1d 12:00:00", "sts.amazonaws.com", "repo:ours/app", "ASIAOLD"),
			made("2d 12:10:00", "iam:UpdateOpenIDConnectProviderThumbprint", object{"openIDConnectProviderArn": oidc, "thumbprintList": []any{"x"}}, nil),
			webIdentity("2d 12:30:00", "sts.amazonaws.com", "repo:evil/app", "ASIA1"), webIdentity("2d 12:31:00", "sts.amazonaws.com", "repo:ours/app", "ASIAOURS")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Deploy assumed", "oidc-provider/token.actions.githubusercontent.com trust_changed"}},
		{"a created provider whose sessions' issue a trail of writes hides", []record{
			made("2d 12:10:00", "iam:CreateOpenIDConnectProvider", object{"url": "https://token.actions.githubusercontent.com"}, object{"openIDConnectProviderArn": oidc}),
			rec("2d 12:30:00", "s3:GetObject", record{"userIdentity": federated(oidc, session(account, "Deploy", "ci", "ASIA1", "2d 12:29:00"))}),
			rec("2d 12:30:00", "s3:GetObject", record{"userIdentity": federated("accounts.google.com", session(account, "Deploy", "g", "ASIAGOOGLE", "2d 12:29:00"))})},
			[]string{"ASIA1 role_session < " + leaked + " unexplained", "oidc-provider/token.actions.githubusercontent.com created"}},
		{"new metadata of a SAML provider", []record{
			saml("1d 12:00:00", ssoIdP, ssoAdmin, "ann@example.com", "ASIAOLD"),
			made("2d 12:10:00", "iam:UpdateSAMLProvider", object{"sAMLProviderArn": ssoIdP, "sAMLMetadataDocument": "x"}, object{"sAMLProviderArn": ssoIdP}),
			saml("2d 12:30:00", ssoIdP, ssoAdmin, "evil@example.com", "ASIA1"), saml("2d 12:31:00", ssoIdP, ssoAdmin, "ann@example.com", "ASIASAME"),
			withAddress(away, saml("2d 12:32:00", ssoIdP, ssoAdmin, "ann@example.com", "ASIAFORGED"))},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "ASIAFORGED role_session < " + leaked + " inferred", "role/" + ssoAdmin + " assumed",
				"saml-provider/AWSSSO_9882ccf00912484e_DO_NOT_DELETE trust_changed"}},
		{"a trust policy that names a SAML provider, until it is set right again", []record{
			made("2d 12:10:00", "iam:UpdateAssumeRolePolicy", object{"roleName": "Ops", "policyDocument": `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithSAML","Principal":{"Federated":"arn:aws:iam::444455556666:saml-provider/evil"}}]}`}, nil),
			opsBy("2d 12:30:00", "evil", "ASIA1"), opsBy("2d 12:31:00", "ours", "ASIAOURS"),
			by(user("admin", "AKIAADMIN"), made("2d 13:00:00", "iam:UpdateAssumeRolePolicy", object{"roleName": "Ops", "policyDocument": `{"Statement":[]}`}, nil)),
			opsBy("2d 13:30:00", "evil", "ASIALATE")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "role/Ops assumed", "role/Ops trust_changed"}},
		{"an identity pool of the lineage's own, and the token of an identity of another", []record{
			made("2d 12:10:00", "cognito-identity:CreateIdentityPool", object{"identityPoolName": "p"}, object{"identityPoolId": pool}),
			made("2d 12:11:00", "cognito-identity:GetOpenIdTokenForDeveloperIdentity", object{"identityPoolId": "us-east-1:other"}, object{"identityId": "us-east-1:victim", "token": "t"}),
			cognito("2d 12:30:00", pool, "us-east-1:a", "ASIA1"), cognito("2d 12:31:00", "us-east-1:other", "us-east-1:victim", "ASIA2"), cognito("2d 12:32:00", "us-east-1:other", "us-east-1:b", "ASIAOTHER")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "ASIA2 role_session < " + leaked + " inferred", "1cf667a2-49a6-454b-9e45-231990000000 created"}},

		{"a key that was set to active again, not one that was active", []record{
			by(user("admin", "AKIAADMIN"), made("1d 10:00:00", "iam:UpdateAccessKey", object{"userName": "bob", "accessKeyId": "AKIABOB", "status": "Inactive"}, nil)),
			made("2d 12:10:00", "iam:UpdateAccessKey", object{"userName": "bob", "accessKeyId": "AKIABOB", "status": "Active"}, nil),
			made("2d 12:11:00", "iam:UpdateAccessKey", object{"userName": "carol", "accessKeyId": "AKIACAROL", "status": "Active"}, nil),
			made("2d 12:12:00", "iam:UpdateAccessKey", object{"userName": "dora", "accessKeyId": "AKIADORA", "status": "Inactive"}, nil),
			withAddress("203.0.113.5", rec("2d 11:00:00", "s3:ListBuckets", record{"userIdentity": user("carol", "AKIACAROL")})),
			withAddress("203.0.113.5", rec("0d 11:00:00", "s3:ListBuckets", record{"userIdentity": user("bob", "AKIABOB")})),
			rec("2d 12:20:00", "s3:ListBuckets", record{"userIdentity": user("bob", "AKIABOB")})},
			[]string{"AKIABOB long_term < " + leaked + " inferred", "user/bob credential_added"}},
		{"long-term credentials of every kind", []record{
			made("2d 12:10:00", "iam:CreateServiceSpecificCredential", object{"userName": "bob", "serviceName": "bedrock.amazonaws.com"},
				object{"serviceSpecificCredential": object{"serviceSpecificCredentialId": "ACCA1", "userName": "bob", "expirationDate": "Oct 2, 2026, 12:10:00 PM"}}),
			made("2d 12:11:00", "iam:ResetServiceSpecificCredential", object{"userName": "carol", "serviceSpecificCredentialId": "ACCA2"},
				object{"serviceSpecificCredential": object{"serviceSpecificCredentialId": "ACCA2", "userName": "carol"}}),
			made("2d 12:12:00", "iam:UploadSSHPublicKey", object{"userName": "bob"}, object{"sSHPublicKey": object{"sSHPublicKeyId": "APKA1", "userName": "bob"}}),
			made("2d 12:13:00", "iam:UploadSigningCertificate", object{"userName": "bob"}, object{"certificate": object{"certificateId": "CERT1", "userName": "bob"}}),
			made("2d 12:14:00", "iam:UpdateSSHPublicKey", object{"userName": "dora", "sSHPublicKeyId": "APKA2", "status": "Active"}, nil),
			made("2d 12:15:00", "iam:UploadServerCertificate", object{"serverCertificateName": "x"}, object{"serverCertificateMetadata": object{"serverCertificateId": "ASCA1"}}),
			by(user("admin", "AKIAADMIN"), made("2d 12:16:00", "iam:UploadSSHPublicKey", object{"userName": "bob"}, object{"sSHPublicKey": object{"sSHPublicKeyId": "APKAADMIN", "userName": "bob"}}))},
			[]string{"ACCA1 service_specific < " + leaked + " confirmed", "ACCA2 service_specific < " + leaked + " confirmed", "APKA1 ssh_key < " + leaked + " confirmed",
				"APKA2 ssh_key < " + leaked + " inferred", "CERT1 certificate < " + leaked + " confirmed", "user/bob credential_added", "user/carol credential_added", "user/dora credential_added"}},
		{"sessions of root and of the user", []record{
			made("2d 12:10:00", "sts:AssumeRoot", object{"targetPrincipal": member1, "taskPolicyArn": object{"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}},
				object{"credentials": object{"accessKeyId": "ASIAROOT", "sessionToken": "t", "expiration": "Sep 3, 2026, 12:25:00 PM"}}),
			made("2d 12:11:00", "sts:GetSessionToken", nil, object{"credentials": object{"accessKeyId": "ASIATOKEN", "sessionToken": "t", "expiration": "Sep 4, 2026 12:11:00 AM"}}),
			by(user("admin", "AKIAADMIN"), made("2d 12:12:00", "sts:GetSessionToken", nil, object{"credentials": object{"accessKeyId": "ASIAADMIN", "sessionToken": "t"}}))},
			[]string{"ASIAROOT session_token < " + leaked + " confirmed", "ASIATOKEN session_token < " + leaked + " confirmed", "root assumed"}},
		{"second factors", []record{
			made("2d 12:10:00", "iam:EnableMFADevice", object{"userName": "bob", "serialNumber": "arn:aws:iam::111122223333:mfa/x"}, nil),
			made("2d 12:11:00", "iam:DeactivateMFADevice", object{"userName": "carol", "serialNumber": "arn:aws:iam::111122223333:mfa/y"}, nil),
			made("2d 12:12:00", "iam:CreateVirtualMFADevice", object{"virtualMFADeviceName": "z"}, object{"virtualMFADevice": object{"serialNumber": "arn:aws:iam::111122223333:mfa/z"}})},
			[]string{"user/bob credential_added", "user/carol policy_changed"}},
		{"a group that was joined, a service's role, an instance profile in use", []record{
			made("2d 12:10:00", "iam:AddUserToGroup", object{"userName": "bob", "groupName": "admins"}, nil),
			made("2d 12:11:00", "iam:CreateServiceLinkedRole", object{"aWSServiceName": "x.amazonaws.com"}, object{"role": object{"roleName": "AWSServiceRoleForX", "roleId": "AROAX", "arn": "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"}}),
			made("2d 12:12:00", "iam:AddRoleToInstanceProfile", object{"instanceProfileName": "web", "roleName": "Admin"}, nil),
			by(user("admin", "AKIAADMIN"), made("1d 12:12:00", "ec2:AssociateIamInstanceProfile", object{"AssociateIamInstanceProfileRequest": object{"IamInstanceProfile": object{"Name": "web"}, "InstanceId": "i-0aaaaaaaaaaaaaaaa"}}, nil)),
			by(user("admin", "AKIAADMIN"), made("1d 12:13:00", "ec2:AssociateIamInstanceProfile", object{"AssociateIamInstanceProfileRequest": object{"IamInstanceProfile": object{"Name": "db-web"}, "InstanceId": "i-0bbbbbbbbbbbbbbbb"}}, nil)),
			rec("2d 12:30:00", "s3:ListBuckets", record{"userIdentity": session(account, "Admin", "i-0aaaaaaaaaaaaaaaa", "ASIA1", "2d 12:20:00")}),
			rec("2d 12:30:00", "s3:ListBuckets", record{"userIdentity": session(account, "Admin", "i-0bbbbbbbbbbbbbbbb", "ASIAOTHER", "2d 12:20:00")})},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "group/admins policy_changed", "instance-profile/web policy_changed", "role/Admin code_changed",
				"role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX created", "user/bob policy_changed"}},

		{"a role in another account, of which both logs are there", []record{
			rec("2d 12:10:00", "sts:AssumeRole", record{"requestParameters": object{"roleArn": "arn:aws:iam::" + member1 + ":role/Out", "roleSessionName": "s"}, "responseElements": roleTaken(member1, "Out", "s", "ASIA1"), "sharedEventID": "twin"}),
			rec("2d 12:10:00", "sts:AssumeRole", record{"eventID": "theirs", "userIdentity": object{"type": "AWSAccount", "principalId": userID("alice"), "accountId": account},
				"requestParameters": object{"roleArn": "arn:aws:iam::" + member1 + ":role/Out", "roleSessionName": "s"}, "responseElements": roleTaken(member1, "Out", "s", "ASIA1"), "sharedEventID": "twin", "recipientAccountId": member1}),
			rec("2d 12:11:00", "sts:AssumeRole", record{"userIdentity": session(member1, "Out", "s", "ASIA1", "2d 12:10:00"), "recipientAccountId": member1,
				"requestParameters": object{"roleArn": "arn:aws:iam::" + member1 + ":role/Deep", "roleSessionName": "s"}, "responseElements": roleTaken(member1, "Deep", "s", "ASIA2")})},
			[]string{"ASIA1 role_session < " + leaked + " confirmed", "ASIA2 role_session < ASIA1 confirmed", "role/Deep assumed", "role/Out assumed"}},
		{"a role in another account, of which only that log is there", []record{
			outsideCall("2d 12:10:00", userID("alice"), away, "ASIA1"), outsideCall("2d 12:11:00", userID("alice"), home, "ASIAOWN"), outsideCall("2d 12:12:00", userID("bob"), away, "ASIABOB"),
			rec("2d 12:20:00", "sts:AssumeRole", record{"requestParameters": object{"roleArn": "arn:aws:iam::" + account + ":role/One", "roleSessionName": "s"}, "responseElements": roleTaken(account, "One", "s", "ASIA2")}),
			outsideCall("2d 12:21:00", "AROAONE:s", "203.0.113.200", "ASIA3"), outsideCall("2d 12:19:00", "AROAONE:s", "203.0.113.200", "ASIAEARLY"), outsideCall("2d 12:21:00", "AROAONE:t", "203.0.113.200", "ASIAOTHER")},
			[]string{"ASIA1 role_session < " + leaked + " inferred", "ASIA2 role_session < " + leaked + " confirmed", "ASIA3 role_session < ASIA2 inferred", "role/One assumed", "role/Out assumed"}},

		{"a role that a console session switched to is one session, whatever hosts and spellings the records have", []record{
			made("2d 12:10:00", "iam:CreateUser", object{"userName": "mallory"}, object{"user": object{"userId": userID("mallory"), "arn": "arn:aws:iam::111122223333:user/mallory"}}),
			consoleLogin("2d 13:00:00", "mallory", record{"eventSource": "SignIn"}),
			consoleUse("2d 13:01:00", "mallory", "ASIA1", "2d 13:00:00"),
			rec("2d 13:10:00", "sts:AssumeRole", record{"userIdentity": consoleUse("2d 13:10:00", "mallory", "ASIA1", "2d 13:00:00")["userIdentity"], "sourceIPAddress": "AWS Internal", "userAgent": "AWS Internal",
				"requestParameters": object{"roleArn": "arn:aws:iam::" + member1 + ":role/Out", "roleSessionName": "mallory"}, "responseElements": roleTaken(member1, "Out", "mallory", "ASIA2")}),
			rec("2d 13:10:00", "signin:SwitchRole", record{"userIdentity": without("sessionContext", session(member1, "Out", "mallory", "", "2d 13:10:00")), "eventSource": "us-east-1.signin.aws.amazon.com", "userAgent": browser,
				"recipientAccountId": member1, "responseElements": object{"SwitchRole": "Success"}, "additionalEventData": object{"SwitchFrom": "arn:aws:iam::111122223333:user/mallory"}}),
			rec("2d 13:11:00", "s3:ListBuckets", record{"userIdentity": session(member1, "Out", "mallory", "ASIA3", "2d 13:10:00"), "recipientAccountId": member1, "sessionCredentialFromConsole": "true"})},
			[]string{"ASIA1 console < " + leaked + " inferred", "ASIA2 role_session < ASIA1 inferred", "role/Out assumed", "user/mallory created"}},
		{"aws login in a console session", []record{
			made("2d 12:10:00", "iam:CreateUser", object{"userName": "mallory"}, object{"user": object{"userId": userID("mallory"), "arn": "arn:aws:iam::111122223333:user/mallory"}}),
			consoleLogin("2d 13:00:00", "mallory", nil), consoleUse("2d 13:01:00", "mallory", "ASIA1", "2d 13:00:00"),
			rec("2d 13:10:00", "signin:CreateOAuth2Token", record{"eventID": "token", "userIdentity": without("accessKeyId", consoleUse("2d 13:10:00", "mallory", "", "2d 13:00:00")["userIdentity"].(object)),
				"requestParameters": object{"client_id": "arn:aws:signin:::devtools/same-device"}, "additionalEventData": object{"success": "true"}}),
			rec("2d 13:11:00", "signin:CreateOAuth2Token", record{"userIdentity": without("accessKeyId", consoleUse("2d 13:10:00", "bob", "", "2d 13:00:00")["userIdentity"].(object))}),
			rec("2d 13:12:00", "s3:ListBuckets", record{"userIdentity": consoleUse("2d 13:12:00", "mallory", "ASIA2", "2d 13:10:00")["userIdentity"]})},
			[]string{"ASIA1 console < " + leaked + " inferred", "ASIA2 session_token < ASIA1 inferred", "user/mallory created"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := traced(t, tc.records...)
			checkEdges(t, l)
			slices.Sort(tc.want)
			if got := described(l); !slices.Equal(got, tc.want) {
				why := ""
				for _, d := range l.Credentials {
					why += fmt.Sprintf("\n     %s via %s: %s", d.ID, d.Via, d.Why)
				}
				t.Errorf("got  %s\nwant %s%s", strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "), why)
			}
		})
	}
}

func withAddress(address string, r record) record { return with("sourceIPAddress", address, r) }

func with(field string, value any, r record) record {
	r[field] = value
	return r
}

func without(field string, identity object) object {
	identity = maps.Clone(identity)
	delete(identity, field)
	return identity
}

func federated(provider string, identity object) object {
	identity["sessionContext"].(object)["webIdFederationData"] = object{"federatedProvider": provider, "attributes": object{}}
	return identity
}

// opsBy is a session of the role Ops that a SAML provider vouches for.
func opsBy(at, provider, key string) record {
	r := saml(at, "arn:aws:iam::"+member1+":saml-provider/"+provider, "Ops", "s", key)
	r["requestParameters"].(object)["roleArn"] = "arn:aws:iam::" + account + ":role/Ops"
	r["responseElements"], r["recipientAccountId"] = roleTaken(account, "Ops", "s", key), account
	return r
}

// outsideCall is an AssumeRole as the role's account logs it when the caller is from
// another.
func outsideCall(at, principal, address, key string) record {
	return rec(at, "sts:AssumeRole", record{"userIdentity": object{"type": "AWSAccount", "principalId": principal, "accountId": account}, "recipientAccountId": member1, "sourceIPAddress": address,
		"eventID": "outside " + key, "requestParameters": object{"roleArn": "arn:aws:iam::" + member1 + ":role/Out", "roleSessionName": key}, "responseElements": roleTaken(member1, "Out", key, key)})
}

// What speaks for an edge besides stands in its reason, and makes none by itself.
func TestEdgesNameTheirEvidence(t *testing.T) {
	take := func(at string, identity object, role, key, source string) record {
		request := object{"roleArn": "arn:aws:iam::" + account + ":role/" + role, "roleSessionName": "s"}
		if source != "" {
			request["sourceIdentity"] = source
		}
		return rec(at, "sts:AssumeRole", record{"userIdentity": identity, "requestParameters": request, "responseElements": roleTaken(account, role, "s", key)})
	}
	one := session(account, "One", "s", "ASIA1", "2d 12:10:00")
	one["sessionContext"].(object)["sourceIdentity"] = "mallory"
	bob := withAddress(away, take("2d 12:12:00", user("bob", "AKIABOB"), "Two", "ASIABOB", "mallory"))
	l := traced(t, take("2d 12:10:00", user("alice", leaked), "One", "ASIA1", "mallory"), take("2d 12:11:00", one, "Two", "ASIA2", ""), bob,
		rec("2d 12:20:00", "iam:CreateUser", record{"requestParameters": object{"userName": "mallory"}, "responseElements": object{"user": object{"userId": "AIDAMALLORY", "arn": "arn:aws:iam::111122223333:user/mallory"}}}),
		rec("2d 12:30:00", "s3:ListBuckets", record{"userIdentity": object{"type": "IAMUser", "principalId": "AIDAMALLORY", "arn": "arn:aws:iam::111122223333:user/mallory", "accountId": account, "accessKeyId": "AKIAHIDDEN", "userName": "mallory"}}))
	for id, want := range map[string]string{"ASIA2": "both bear the source identity mallory", "AKIAHIDDEN": leaked + " was used with the same address " + away + " and user agent aws-cli/2.15.10"} {
		if d := credential(t, l, id); !strings.Contains(d.Why, want) {
			t.Errorf("%s: %q does not say %q", id, d.Why, want)
		}
		if !slices.ContainsFunc(l.Edges, func(e Edge) bool { return e.To == id && strings.Contains(e.Why, want) }) {
			t.Errorf("no edge to %s says %q", id, want)
		}
	}
	if slices.ContainsFunc(l.Credentials, func(d Credential) bool { return d.ID == "ASIABOB" }) {
		t.Error("the same address and source identity made an edge")
	}
}

func TestTrustFromOutside(t *testing.T) {
	document := `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["arn:aws:iam::777788889999:root","arn:aws:iam::111122223333:user/x"],"Service":"ec2.amazonaws.com"}},
		{"Effect":"Allow","Action":"sts:AssumeRoleWithSAML","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/p"}},
		{"Effect":"Deny","Principal":{"AWS":"666677778888"}},{"Effect":"Allow","Principal":"*"}]}`
	want := []string{"*", "777788889999", "arn:aws:iam::111122223333:saml-provider/p"}
	if got := parseTrust(document).outside(account); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
