package lineage

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDerivedLife(t *testing.T) {
	for _, tc := range []struct {
		name, api, identity, request string
		want                         time.Duration
	}{
		{"a role session", "sts:AssumeRole", "IAMUser", `{}`, time.Hour},
		{"as long as was asked for", "sts:AssumeRole", "IAMUser", `{"durationSeconds":7200}`, 2 * time.Hour},
		{"asked for as text", "sts:AssumeRole", "IAMUser", `{"durationSeconds":"900"}`, 15 * time.Minute},
		{"no more than a role may have", "sts:AssumeRole", "IAMUser", `{"durationSeconds":129600}`, 12 * time.Hour},
		{"no number", "sts:AssumeRole", "IAMUser", `{"durationSeconds":"9e9"}`, time.Hour},
		{"an absurd number", "sts:AssumeRole", "IAMUser", `{"durationSeconds":9223372036854775807}`, 12 * time.Hour},
		{"a chained role", "sts:AssumeRole", "AssumedRole", `{"durationSeconds":43200}`, time.Hour},
		{"a chained role, shorter", "sts:AssumeRole", "AssumedRole", `{"durationSeconds":900}`, 15 * time.Minute},
		{"by SAML", "sts:AssumeRoleWithSAML", "SAMLUser", `{"durationSeconds":43200}`, 12 * time.Hour},
		{"by OIDC", "sts:AssumeRoleWithWebIdentity", "WebIdentityUser", `{}`, time.Hour},
		{"a session token", "sts:GetSessionToken", "IAMUser", `null`, 12 * time.Hour},
		{"a session token, longest", "sts:GetSessionToken", "IAMUser", `{"durationSeconds":129600}`, 36 * time.Hour},
		{"a session token of root", "sts:GetSessionToken", "Root", `null`, time.Hour},
		{"a session token of root, asked for more", "sts:GetSessionToken", "Root", `{"durationSeconds":129600}`, time.Hour},
		{"a federation token of root", "sts:GetFederationToken", "Root", `{"name":"x"}`, time.Hour},
		{"a federation token", "sts:GetFederationToken", "IAMUser", `{"name":"x","durationSeconds":3600}`, time.Hour},
		{"root of a member account", "sts:AssumeRoot", "AssumedRole", `{"durationSeconds":3600}`, 15 * time.Minute},
		{"Roles Anywhere", "rolesanywhere:CreateSession", "", `{"durationSeconds":43200}`, 12 * time.Hour},
		{"Identity Center", "sso:GetRoleCredentials", "", `{}`, time.Hour},
		{"Cognito", "cognito-identity:GetCredentialsForIdentity", "", `{}`, time.Hour},
		{"a sign-in token", "signin:GetSigninToken", "AssumedRole", `null`, 12 * time.Hour},
		{"a sign-in token with a length", "signin:GetSigninToken", "AssumedRole", `{"SessionDuration":"3600"}`, time.Hour},
		{"a Bedrock key with an age", "iam:CreateServiceSpecificCredential", "IAMUser", `{"credentialAgeDays":30}`, 30 * 24 * time.Hour},
		{"a Bedrock key without", "iam:CreateServiceSpecificCredential", "IAMUser", `{"userName":"x"}`, 0},
		{"an access key", "iam:CreateAccessKey", "IAMUser", `{"durationSeconds":900}`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			service, name, _ := strings.Cut(tc.api, ":")
			made := &call{source: service + ".amazonaws.com", name: name, identityType: tc.identity, request: tc.request, time: *clock("2d 12:00:00"), issued: "ASIA1"}
			n := &node{cred: Credential{ID: "ASIA1"}}
			(&tracer{}).describe(n, made, nil)
			got := time.Duration(0)
			if n.cred.ExpiresAt != nil {
				got = n.cred.ExpiresAt.Sub(made.time)
			}
			if got != tc.want || n.cred.ExpiresDerived != (tc.want > 0) {
				t.Errorf("lives %s (derived %t), want %s", got, n.cred.ExpiresDerived, tc.want)
			}
		})
	}
}

// policyText is a policy as IAM's requests carry it.
func policyText(statement string) string {
	text, err := json.Marshal(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestEnded(t *testing.T) {
	const (
		denyAll    = `{"Effect":"Deny","Action":"*","Resource":"*"}`
		denyAllARN = "arn:aws:iam::aws:policy/AWSDenyAll"
		mine       = "arn:aws:iam::111122223333:policy/Mine"
	)
	before := func(at string) string {
		return `{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{"AWS:TokenIssueTime":"` + clock(at).Format(time.RFC3339) + `"}}}`
	}
	admin := func(at, call, request string) event {
		return event{at: at, call: "iam:" + call, key: "AKIAADMIN", user: "admin", request: request}
	}
	token := event{at: "2d 12:01:00", call: "sts:GetSessionToken", from: away, ua: kali, issues: "ASIA1"}
	fed := event{at: "2d 12:01:00", call: "sts:GetFederationToken", from: away, ua: kali, issues: "ASIA1", request: `{"name":"x"}`,
		response: `{"federatedUser":{"federatedUserId":"111122223333:x","arn":"arn:aws:sts::111122223333:federated-user/x"}}`}
	role := assume("2d 12:01:00", leaked, "One:s", "ASIA1")
	key := event{at: "2d 12:01:00", call: "iam:CreateAccessKey", from: away, ua: kali, issues: "AKIA2", request: `{"userName":"bob"}`}
	hidden := event{at: "2d 12:01:00", call: "iam:CreateServiceSpecificCredential", from: away, ua: kali, issues: "ACCA1", request: `{"userName":"bob"}`}
	password := event{at: "2d 12:01:00", id: "pw", call: "iam:CreateLoginProfile", from: away, ua: kali, request: `{"userName":"bob"}`}
	newBob := event{at: "2d 12:01:00", call: "iam:CreateUser", from: away, ua: kali, request: `{"userName":"bob"}`, response: `{"user":{"userId":"AIDABOB2","userName":"bob"}}`}
	last := event{at: "2d 12:50:00", key: "AKIAADMIN", user: "admin"}
	for _, tc := range []struct {
		name, id string
		events   []event
		via      string // "" is alive
		at       string
		why      string
	}{
		{"inactive", leaked, []event{admin("2d 12:40:00", "UpdateAccessKey", `{"accessKeyId":"`+leaked+`","status":"Inactive"}`)}, "iam:UpdateAccessKey", "2d 12:40:00", "Inactive"},
		{"inactive and active in one second", leaked, []event{admin("2d 12:40:00", "UpdateAccessKey", `{"accessKeyId":"`+leaked+`","status":"Active"}`),
			admin("2d 12:40:00", "UpdateAccessKey", `{"accessKeyId":"`+leaked+`","status":"Inactive"}`)}, "", "", ""},
		{"deleted", "AKIA2", []event{key, admin("2d 12:40:00", "DeleteAccessKey", `{"userName":"bob","accessKeyId":"AKIA2"}`)}, "iam:DeleteAccessKey", "2d 12:40:00", "it was deleted"},
		{"the first of two ends", "AKIA2", []event{key, admin("2d 12:40:00", "DeleteAccessKey", `{"accessKeyId":"AKIA2"}`),
			admin("2d 12:41:00", "DeleteUser", `{"userName":"bob"}`)}, "iam:DeleteAccessKey", "2d 12:40:00", ""},
		{"a hidden credential, inactive", "ACCA1", []event{hidden, admin("2d 12:40:00", "UpdateServiceSpecificCredential", `{"serviceSpecificCredentialId":"ACCA1","status":"Inactive"}`)},
			"iam:UpdateServiceSpecificCredential", "2d 12:40:00", ""},
		{"a hidden credential and access keys off", "ACCA1", []event{hidden, admin("2d 12:40:00", "DeleteAccessKey", `{"accessKeyId":"AKIA2"}`)}, "", "", ""},
		{"a hidden credential, reset by others", "ACCA1", []event{hidden, admin("2d 12:40:00", "ResetServiceSpecificCredential", `{"serviceSpecificCredentialId":"ACCA1"}`)},
			"iam:ResetServiceSpecificCredential", "2d 12:40:00", "secret was replaced"},
		{"a password, deleted", "pw", []event{password, admin("2d 12:40:00", "DeleteLoginProfile", `{"userName":"bob"}`)}, "iam:DeleteLoginProfile", "2d 12:40:00", ""},
		{"a password, changed", "pw", []event{password, admin("2d 12:40:00", "UpdateLoginProfile", `{"userName":"bob"}`)}, "iam:UpdateLoginProfile", "2d 12:40:00", "changed"},
		{"user deleted", "ASIA1", []event{token, admin("2d 12:40:00", "DeleteUser", `{"userName":"alice"}`)}, "iam:DeleteUser", "2d 12:40:00", "user alice was deleted"},
		{"user deleted and another of that name", "ASIA1", []event{token, admin("2d 12:40:00", "DeleteUser", `{"userName":"alice"}`),
			admin("2d 12:41:00", "CreateUser", `{"userName":"alice"}`)}, "iam:DeleteUser", "2d 12:40:00", ""},
		{"another of that name deleted before", "AKIA2", []event{admin("2d 11:40:00", "DeleteUser", `{"userName":"bob"}`), newBob, key}, "", "", ""},
		{"and in the same second", "AKIA2", []event{admin("2d 12:01:00", "DeleteUser", `{"userName":"bob"}`), newBob, key}, "", "", ""},
		{"created, and deleted in the same second", "AKIA2", []event{key, admin("2d 12:01:00", "DeleteUser", `{"userName":"bob"}`)}, "iam:DeleteUser", "2d 12:01:00", ""},
		{"role deleted and another of that name", "ASIA1", []event{role, admin("2d 12:40:00", "DeleteRole", `{"roleName":"One"}`),
			admin("2d 12:41:00", "CreateRole", `{"roleName":"One"}`)}, "iam:DeleteRole", "2d 12:40:00", ""},
		{"a role of that name in another account", "ASIA1", []event{role, {at: "2d 12:40:00", call: "iam:DeleteRole", key: "AKIAADMIN", user: "admin", account: "444455556666", request: `{"roleName":"One"}`}}, "", "", ""},

		{"a deny of everything", "ASIA1", []event{token, admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+policyText(denyAll)+`}`)},
			"iam:PutUserPolicy", "2d 12:40:00", "the policy p denies everything to user alice"},
		{"a deny of everything binds the key", leaked, []event{admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+denyAllARN+`"}`)},
			"iam:AttachUserPolicy", "2d 12:40:00", "AWSDenyAll"},
		{"a federation token", "ASIA1", []event{fed, admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+denyAllARN+`"}`)},
			"iam:AttachUserPolicy", "2d 12:40:00", "user alice"},
		{"a federation token and older sessions", "ASIA1", []event{fed, admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+policyText(before("2d 12:40:00"))+`}`)}, "", "", ""},
		{"detached again", "ASIA1", []event{token, admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+denyAllARN+`"}`),
			admin("2d 12:41:00", "DetachUserPolicy", `{"userName":"alice","policyArn":"`+denyAllARN+`"}`)}, "", "", ""},
		{"the quarantine is none", leaked, []event{admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}`)}, "", "", ""},
		{"an allow of everything is none", leaked, []event{admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+policyText(strings.Replace(denyAll, "Deny", "Allow", 1))+`}`)}, "", "", ""},
		{"a deny on the user is none on the role", "ASIA1", []event{role, admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+denyAllARN+`"}`)}, "", "", ""},
		{"a deny on another user of that name", "AKIA2", []event{admin("2d 11:00:00", "AttachUserPolicy", `{"userName":"bob","policyArn":"`+denyAllARN+`"}`),
			admin("2d 11:40:00", "DeleteUser", `{"userName":"bob"}`), newBob, key}, "", "", ""},
		{"a condition not understood", leaked, []event{admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+
			policyText(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`)+`}`)}, "", "", ""},
		{"older sessions", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePolicy", `{"roleName":"One","policyName":"p","policyDocument":`+policyText(before("2d 12:40:00"))+`}`)},
			"iam:PutRolePolicy", "2d 12:40:00", "issued before 2026-09-03T12:40:00Z"},
		{"older sessions, as seconds since 1970", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePolicy", `{"roleName":"One","policyName":"p","policyDocument":`+
			policyText(strings.Replace(before("2d 12:40:00"), clock("2d 12:40:00").Format(time.RFC3339), strconv.FormatInt(clock("2d 12:40:00").Unix(), 10), 1))+`}`)},
			"iam:PutRolePolicy", "2d 12:40:00", "issued before 2026-09-03T12:40:00Z"},
		{"older sessions, and what has no time of issue", leaked, []event{admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+
			policyText(strings.Replace(before("2d 12:40:00"), "DateLessThan", "DateLessThanIfExists", 1))+`}`)}, "iam:PutUserPolicy", "2d 12:40:00", "user alice"},
		{"newer sessions than a deny that asks for the time if there is one", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePolicy", `{"roleName":"One","policyName":"p","policyDocument":`+
			policyText(strings.Replace(before("2d 12:00:00"), "DateLessThan", "DateLessThanIfExists", 1))+`}`)}, "", "", ""},
		{"older sessions does not bind a key", leaked, []event{admin("2d 12:40:00", "PutUserPolicy", `{"userName":"alice","policyName":"p","policyDocument":`+policyText(before("2d 12:40:00"))+`}`)}, "", "", ""},
		{"one session", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePolicy", `{"roleName":"One","policyName":"p","policyDocument":`+
			policyText(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:userid":"AROAONE:*"}}}`)+`}`)}, "iam:PutRolePolicy", "2d 12:40:00", "this session"},
		{"another session", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePolicy", `{"roleName":"One","policyName":"p","policyDocument":`+
			policyText(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:userid":"AROAONE:other"}}}`)+`}`)}, "", "", ""},
		{"a boundary", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePermissionsBoundary", `{"roleName":"One","permissionsBoundary":"`+denyAllARN+`"}`)},
			"iam:PutRolePermissionsBoundary", "2d 12:40:00", "boundary"},
		{"a boundary taken away", "ASIA1", []event{role, admin("2d 12:40:00", "PutRolePermissionsBoundary", `{"roleName":"One","permissionsBoundary":"`+denyAllARN+`"}`),
			admin("2d 12:41:00", "DeleteRolePermissionsBoundary", `{"roleName":"One"}`)}, "", "", ""},
		{"a group", leaked, []event{admin("2d 12:30:00", "AttachGroupPolicy", `{"groupName":"quarantine","policyArn":"`+denyAllARN+`"}`),
			admin("2d 12:40:00", "AddUserToGroup", `{"groupName":"quarantine","userName":"alice"}`)}, "iam:AddUserToGroup", "2d 12:40:00", "AWSDenyAll"},
		{"a group left", leaked, []event{admin("2d 12:30:00", "AttachGroupPolicy", `{"groupName":"quarantine","policyArn":"`+denyAllARN+`"}`),
			admin("2d 12:40:00", "AddUserToGroup", `{"groupName":"quarantine","userName":"alice"}`),
			admin("2d 12:41:00", "RemoveUserFromGroup", `{"groupName":"quarantine","userName":"alice"}`)}, "", "", ""},
		{"a policy of one's own", leaked, []event{
			{at: "2d 12:30:00", call: "iam:CreatePolicy", key: "AKIAADMIN", user: "admin", request: `{"policyName":"Mine","policyDocument":` + policyText(denyAll) + `}`, response: `{"policy":{"arn":"` + mine + `"}}`},
			admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+mine+`"}`)}, "iam:AttachUserPolicy", "2d 12:40:00", "the policy Mine"},
		{"a policy of one's own, changed", leaked, []event{
			{at: "2d 12:30:00", call: "iam:CreatePolicy", key: "AKIAADMIN", user: "admin", request: `{"policyName":"Mine","policyDocument":` + policyText(denyAll) + `}`, response: `{"policy":{"arn":"` + mine + `"}}`},
			admin("2d 12:40:00", "AttachUserPolicy", `{"userName":"alice","policyArn":"`+mine+`"}`),
			{at: "2d 12:41:00", call: "iam:CreatePolicyVersion", key: "AKIAADMIN", user: "admin", request: `{"policyArn":"` + mine + `","setAsDefault":true,"policyDocument":` + policyText("") + `}`, response: `{"policyVersion":{"versionId":"v2"}}`}}, "", "", ""},
		{"what a service did for a key that ended", "ASIAFWD", []event{{at: "2d 12:00:00", key: "ASIAFWD", user: "alice", by: "s3.amazonaws.com", created: "2d 12:00:00"},
			admin("2d 12:40:00", "DeleteAccessKey", `{"accessKeyId":"`+leaked+`"}`)}, "iam:DeleteAccessKey", "2d 12:40:00", "of the caller's credential: it was deleted"},
		{"not the end that came after it expired", "ASIA1", []event{{at: "2d 12:01:00", call: "sts:GetSessionToken", from: away, ua: kali, issues: "ASIA1", expires: "2d 12:20:00"},
			admin("2d 12:40:00", "DeleteUser", `{"userName":"alice"}`)}, "expired", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, usual(append(tc.events, last)...)...)
			l, err := Trace(t.Context(), c, []string{leaked}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			d := credential(t, l, tc.id)
			if d.LiveAtEnd != (tc.via == "") {
				t.Errorf("alive %t, ended by %q (%s)", d.LiveAtEnd, d.EndedVia, d.EndedWhy)
			}
			if tc.via == "expired" {
				tc.via = ""
			}
			if d.EndedVia != tc.via || !timeOf(d.EndedAt).Equal(timeOf(clock(tc.at))) || !contains(d.EndedWhy, tc.why) || (d.EndedEventID == "") != (tc.via == "") {
				t.Errorf("ended %v by %q (%s, event %s), want %s by %q (%s)", d.EndedAt, d.EndedVia, d.EndedWhy, d.EndedEventID, tc.at, tc.via, tc.why)
			}
			switch {
			case !d.LiveAtEnd && (d.ValidForSeconds == nil || *d.ValidForSeconds != 0):
				t.Errorf("it is over and valid for %v s", d.ValidForSeconds)
			case d.LiveAtEnd && (d.ValidForSeconds == nil) != (d.ExpiresAt == nil):
				t.Errorf("expires %v and is valid for %v s", d.ExpiresAt, d.ValidForSeconds)
			case d.LiveAtEnd && d.ExpiresAt != nil && time.Duration(*d.ValidForSeconds)*time.Second != d.ExpiresAt.Sub(l.AsOf):
				t.Errorf("expires %v and is valid for %d s from %v", d.ExpiresAt, *d.ValidForSeconds, l.AsOf)
			}
		})
	}
}

// Every row of what really ends a credential.
func TestEndedBy(t *testing.T) {
	const sts, iam = "arn:aws:sts::111122223333:", "arn:aws:iam::111122223333:"
	asked := &root{}
	root := &node{cred: Credential{ID: leaked, Kind: LongTerm, PrincipalARN: iam + "user/alice", PrincipalID: "AIDAALICE", AccountID: account}, root: asked}
	changed := &takeover{how: CodeChanged}
	chain := &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/A/s"}, parent: root}
	vouched := &node{cred: Credential{Kind: RoleSession, Via: "sts:AssumeRoleWithSAML", PrincipalARN: sts + "assumed-role/A/s"}, parent: root}
	for _, tc := range []struct {
		name                   string
		n                      *node
		ends, not              string
		survivesKey, survivesU bool
	}{
		{"the key", root, "Inactive", "", false, false},
		{"root's key", &node{cred: Credential{Kind: LongTerm, PrincipalARN: iam + "root"}, root: asked}, "delete the root user's access key", "Inactive", false, true},
		{"a key of another user", &node{cred: Credential{Kind: LongTerm, PrincipalARN: iam + "user/bob", PrincipalID: "AIDABOB"}, parent: root}, "Inactive", "", true, true},
		{"a second key of the user", &node{cred: Credential{Kind: LongTerm, PrincipalARN: iam + "user/alice"}, parent: root}, "SMTP passwords made from it die with it", "", true, false},
		{"its session token", &node{cred: Credential{Kind: SessionToken, PrincipalARN: iam + "user/alice", PrincipalID: "AIDAALICE"}, parent: root}, "deny on user alice; disabling or deleting the access key does not end it", "", true, false},
		{"its federation token", &node{cred: Credential{Kind: FederationToken, PrincipalARN: sts + "federated-user/x"}, parent: root}, "an unconditional deny on user alice", "", true, false},
		{"a federation token of a user not known", &node{cred: Credential{Kind: FederationToken, PrincipalARN: sts + "federated-user/x"}, root: asked}, "on the IAM user that issued it", "", true, true},
		{"a role session", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/A/s"}, parent: root}, "deny on role A for sessions issued before now", "chain", true, true},
		{"a role session in another account", &node{cred: Credential{Kind: RoleSession, PrincipalARN: "arn:aws:sts::444455556666:assumed-role/A/s"}, parent: root}, "deny on role A in account 444455556666", "", true, true},
		{"a chained role session", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/B/s"}, parent: chain}, "every role of the chain", "", true, true},
		{"a console session of a user", &node{cred: Credential{Kind: Console, PrincipalARN: iam + "user/bob"}, parent: root}, "deleting the password (login profile) does not end the session", "", true, true},
		{"a console session of a role", &node{cred: Credential{Kind: Console, PrincipalARN: sts + "assumed-role/A/s"}, parent: chain}, "deny on role A", "login profile", true, true},
		{"a password", &node{cred: Credential{Kind: Password, PrincipalARN: iam + "user/bob"}, parent: root}, "delete the login profile; open console sessions go on until user bob is denied", "", true, true},
		{"an instance's role", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/Web/i-0aaaaaaaaaaaaaaaa", SessionName: "i-0aaaaaaaaaaaaaaaa"}, parent: root}, "remove the workload (i-0aaaaaaaaaaaaaaaa), which mints again", "", true, true},
		{"a function's role", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/Fn/scan", SessionName: "scan"}, parent: root, source: changed}, "remove the workload (scan), which mints again", "", true, true},
		{"Identity Center's role", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/AWSReservedSSO_Admin_0123/bob"}, parent: root}, "SCP on identitystore:UserId; the role cannot be edited", "", true, true},
		{"an Identity Center user", &node{cred: Credential{Kind: SessionToken, PrincipalARN: "arn:aws:identitystore:::user/u-1"}, parent: root}, "remove the user's assignments", "", true, true},
		{"root's session", &node{cred: Credential{Kind: SessionToken, PrincipalARN: iam + "root"}, parent: root}, "service control policy", "deny on", true, true},
		{"a Bedrock key", &node{cred: Credential{Kind: ServiceSpecific, PrincipalARN: iam + "user/BedrockAPIKey-x1"}, parent: root}, "the phantom user BedrockAPIKey-x1", "", true, true},
		{"another service-specific credential", &node{cred: Credential{Kind: ServiceSpecific, PrincipalARN: iam + "user/bob"}, parent: root}, "disabling access keys does not end it", "", true, true},
		{"an SSH key", &node{cred: Credential{Kind: SSHKey, PrincipalARN: iam + "user/alice"}, parent: root}, "deactivate and delete it on user alice", "", true, false},
		{"Roles Anywhere", &node{cred: Credential{Kind: RoleSession, Via: "rolesanywhere:CreateSession", PrincipalARN: sts + "assumed-role/A/cert"}, parent: root}, "trust anchor", "", true, true},
		{"OIDC", &node{cred: Credential{Kind: RoleSession, Via: "sts:AssumeRoleWithWebIdentity", PrincipalARN: sts + "assumed-role/A/ci"}, parent: root}, "identity provider and the trust policy", "", true, true},
		{"SAML", vouched, "identity provider and the trust policy", "", true, true},
		{"a console session by SAML", &node{cred: Credential{Kind: Console, Via: "signin:ConsoleLogin", PrincipalARN: sts + "assumed-role/A/s"}, parent: vouched}, "identity provider", "", true, true},
		{"Cognito", &node{cred: Credential{Kind: RoleSession, Via: "cognito-identity:GetCredentialsForIdentity", PrincipalARN: sts + "assumed-role/A/CognitoIdentityCredentials"}, parent: root}, "identity pool", "", true, true},
		{"aws login", &node{cred: Credential{Kind: SessionToken, Via: "signin:CreateOAuth2Token", PrincipalARN: iam + "user/alice"}, parent: root}, "signin:CreateOAuth2Token too", "", true, false},
		{"a service-linked role", &node{cred: Credential{Kind: RoleSession, PrincipalARN: sts + "assumed-role/AWSServiceRoleForX/s"}, parent: root}, "cannot be revoked", "AWSRevokeOlderSessions", true, true},
		{"what a service does for the key", &node{cred: Credential{Kind: ServiceForwarded, PrincipalARN: iam + "user/alice"}, parent: root}, "ends with the credential that the service acts for", "", false, false},
		{"nobody known", &node{cred: Credential{Kind: Unknown}, parent: nil}, "deny on the principal that it acts as", "", true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.n.judgeLife(&endings{denies: newDenials()}, *clock("2d 12:00:00"))
			d := tc.n.cred
			if !contains(d.EndedBy, tc.ends) || tc.not != "" && contains(d.EndedBy, tc.not) {
				t.Errorf("ended by %q, want …%s…, not …%s…", d.EndedBy, tc.ends, tc.not)
			}
			if d.SurvivesKeyDisable != tc.survivesKey || d.SurvivesUserDelete != tc.survivesU {
				t.Errorf("survives the key %t, the user %t", d.SurvivesKeyDisable, d.SurvivesUserDelete)
			}
		})
	}
}
