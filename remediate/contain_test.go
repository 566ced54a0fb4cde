package remediate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

// everyKind is a lineage with one credential of each kind, and gateways.
func everyKind() story {
	user := func(id string, kind lineage.Kind, via string) lineage.Credential {
		return lineage.Credential{ID: id, AccessKeyIDs: []string{id}, Kind: kind, PrincipalID: "AIDACAROL", PrincipalARN: "arn:aws:iam::111122223333:user/carol",
			AccountID: account, Parent: ptr(leaked), Via: via, IssuedEventID: "event-001"}
	}
	session := func(name, role, session, via, event string) lineage.Credential {
		c := roleSession(role)
		c.ID, c.SessionName, c.Via, c.IssuedEventID = "ASIA"+name, session, via, event
		c.AccessKeyIDs, c.PrincipalARN = []string{c.ID}, "arn:aws:sts::111122223333:assumed-role/"+role+"/"+session
		return c
	}
	token := leakedKey()
	token.ID, token.Kind, token.Parent, token.Via, token.IssuedEventID = "ASIATOKEN", lineage.SessionToken, ptr(leaked), "sts:GetSessionToken", "event-001"
	root := lineage.Credential{ID: "ASIAROOT", Kind: lineage.SessionToken, PrincipalID: account, PrincipalARN: "arn:aws:iam::111122223333:root", AccountID: account,
		Parent: ptr(leaked), Via: "sts:AssumeRoot", IssuedEventID: "event-001", ExpiresAt: ptr(start.Add(15 * time.Minute))}
	fed := lineage.Credential{ID: "ASIAFED", Kind: lineage.FederationToken, PrincipalID: account + ":f", PrincipalARN: "arn:aws:sts::111122223333:federated-user/f", AccountID: account,
		Parent: ptr(leaked), Via: "sts:GetFederationToken", IssuedEventID: "event-001"}
	portal := lineage.Credential{ID: "portal-1", Kind: lineage.Console, PrincipalID: "user-1", PrincipalARN: "arn:aws:identitystore:::user/user-1", AccountID: account,
		Parent: ptr(leaked), Via: "sso:Authenticate", IssuedEventID: "event-001"}
	center := session("SSO", "AWSReservedSSO_Admins_0123456789abcdef", "x@example.com", "sts:AssumeRoleWithSAML", "event-001")
	center.Parent = ptr("portal-1")
	return story{
		credentials: []lineage.Credential{leakedKey(), token, root, fed, portal, center,
			user("AKIACAROL", lineage.LongTerm, "iam:CreateAccessKey"), user("ACCACAROL", lineage.ServiceSpecific, "iam:UpdateServiceSpecificCredential"),
			user("APKACAROL", lineage.SSHKey, "iam:UpdateSSHPublicKey"), user("CERTCAROL", lineage.Certificate, "iam:UpdateSigningCertificate"),
			user("event-001", lineage.Password, "iam:UpdateLoginProfile"), user("ASIACONSOLE", lineage.Console, "signin:ConsoleLogin"),
			session("BOX", "Web", "i-0aaaaaaaaaaaaaaaa", "ssm:SendCommand", "event-006"), session("FUN", "Fun", "resize", "lambda:UpdateFunctionCode", "event-007"),
			session("TASK", "Task", "0123456789abcdef0123456789abcdef", "ecs:RunTask", "event-008"), session("JOB", "Job", "GlueJobRunnerSession", "glue:UpdateJob", "event-009"),
			session("MINER", "Web", "i-0bbbbbbbbbbbbbbbb", "ec2:RunInstances", "event-017"),
			session("CERT", "Any", "machine", "rolesanywhere:CreateSession", "event-010"),
			{ID: "ASIALOST", Kind: lineage.Unknown, Parent: ptr(leaked), Via: "quantum:Mint", IssuedEventID: "event-001"},
		},
		principals: []lineage.Principal{
			{ARN: "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/ta-1", AccountID: account, Kind: "trust_anchor", How: lineage.TrustChanged, EventID: "event-011"},
			{ARN: "arn:aws:cognito-identity:eu-west-1:111122223333:identitypool/eu-west-1:pool", AccountID: account, Kind: "identity_pool", How: lineage.Created, EventID: "event-014"},
			{ARN: "arn:aws:identitystore::111122223333:identitystore/d-1", AccountID: account, Kind: "identity_store", How: lineage.TrustChanged, EventID: "event-016"},
			{ARN: "arn:aws:identitystore:::user/user-2", AccountID: account, Kind: "identity_center_user", How: lineage.PasswordSet, EventID: "event-012"},
			{ARN: "arn:aws:iam::111122223333:oidc-provider/evil.example", AccountID: account, Kind: "identity_provider", How: lineage.Created, EventID: "event-013"},
		},
		calls: []call{
			{at: -300 * time.Hour, api: "sso:CreatePermissionSet", region: "eu-west-1", rq: object{"name": "Admins", "instanceArn": "arn:aws:sso:::instance/i"}, rs: object{"permissionSet": object{"permissionSetArn": "arn:aws:sso:::permissionSet/i/ps-1"}}},
			{by: leaked, api: "sts:GetSessionToken"},
			{at: -200 * time.Hour, api: "sso:CreateAccountAssignment", region: "eu-west-1", rq: object{"instanceArn": "arn:aws:sso:::instance/i", "permissionSetArn": "arn:aws:sso:::permissionSet/i/ps-1", "targetId": account, "targetType": "AWS_ACCOUNT", "principalType": "USER", "principalId": "user-1"}},
			{at: -100 * time.Hour, api: "lambda:PutFunctionConcurrency20171031", region: "eu-west-1", rq: object{"functionName": "resize", "reservedConcurrentExecutions": 5}},
			{at: -100 * time.Hour, api: "s3:GetObject", read: true},
			{at: -90 * time.Hour, api: "s3:GetObject", read: true},
			{by: leaked, at: time.Minute, api: "ssm:SendCommand", region: "eu-west-1", rq: object{"instanceIds": []any{"i-0aaaaaaaaaaaaaaaa"}, "documentName": "AWS-RunShellScript"}, rs: object{"command": object{"commandId": "c"}}},
			{by: leaked, at: 2 * time.Minute, api: "lambda:UpdateFunctionCode20150331v2", region: "eu-west-1", rq: object{"functionName": "resize"}},
			{by: leaked, at: 3 * time.Minute, api: "ecs:RunTask", region: "eu-west-1", rq: object{"cluster": "main"}, rs: object{"tasks": []any{object{"taskArn": "arn:aws:ecs:eu-west-1:111122223333:task/main/0123456789abcdef0123456789abcdef"}}}},
			{by: leaked, at: 4 * time.Minute, api: "glue:UpdateJob", region: "eu-west-1", rq: object{"jobName": "j"}},
			{by: "ASIACERT", at: 5 * time.Minute, api: "rolesanywhere:CreateSession", region: "eu-west-1", rq: object{"trustAnchorArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/ta-2", "profileArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/p-2"}},
			{by: leaked, at: 6 * time.Minute, api: "rolesanywhere:UpdateTrustAnchor", region: "eu-west-1", rq: object{"trustAnchorId": "ta-1"}},
			{by: leaked, at: 7 * time.Minute, api: "sso-directory:UpdatePassword", region: "eu-west-1", rq: object{"userId": "user-2"}},
			{by: leaked, at: 8 * time.Minute, api: "iam:CreateOpenIDConnectProvider", rq: object{"url": "https://evil.example", "clientIDList": []any{"sts.amazonaws.com"}}, rs: object{"openIDConnectProviderArn": "arn:aws:iam::111122223333:oidc-provider/evil.example"}},
			{by: leaked, at: 9 * time.Minute, api: "cognito-identity:CreateIdentityPool", region: "eu-west-1", rs: object{"identityPoolId": "eu-west-1:pool"}},
			{by: leaked, at: 10 * time.Minute, api: "cognito-identity:SetIdentityPoolRoles", region: "eu-west-1", rq: object{"identityPoolId": "eu-west-1:pool", "roles": object{"unauthenticated": "arn:aws:iam::111122223333:role/Deploy"}}},
			{by: leaked, at: 11 * time.Minute, api: "sso-directory:EnableExternalIdPConfigurationForDirectory", region: "eu-west-1", rq: object{"directoryId": "d-1"}},
			{by: leaked, at: 12 * time.Minute, api: "ec2:RunInstances", region: "eu-west-1", rs: object{"instancesSet": object{"items": []any{object{"instanceId": "i-0bbbbbbbbbbbbbbbb"}}}}},
		},
	}
}

// TestEveryKindIsContained shows what is planned for each kind of credential and
// of way in, where, in which mode and with which way back.
func TestEveryKindIsContained(t *testing.T) {
	p := everyKind().plan(t)
	for _, test := range []struct {
		name, call, parameter string
		value                 any
		phase                 Phase
		mode                  Mode
		region, back          string
	}{
		{"the leaked key's user is denied", "iam:PutUserPolicy", "UserName", "alice", Contain, Auto, "us-east-1", "DeleteUserPolicy"},
		{"so is the user of whom it has a password", "iam:PutUserPolicy", "UserName", "carol", Contain, Auto, "us-east-1", "DeleteUserPolicy"},
		{"a long-term key", "iam:UpdateAccessKey", "AccessKeyId", "AKIACAROL", Contain, Auto, "us-east-1", "UpdateAccessKey"},
		{"a service-specific credential", "iam:UpdateServiceSpecificCredential", "ServiceSpecificCredentialId", "ACCACAROL", Contain, Auto, "us-east-1", "UpdateServiceSpecificCredential"},
		{"an SSH key", "iam:UpdateSSHPublicKey", "SSHPublicKeyId", "APKACAROL", Contain, Auto, "us-east-1", "UpdateSSHPublicKey"},
		{"a signing certificate", "iam:UpdateSigningCertificate", "CertificateId", "CERTCAROL", Contain, Auto, "us-east-1", "UpdateSigningCertificate"},
		{"an instance is cut off from its role", "ec2:DisassociateIamInstanceProfile", "AssociationId", Item, Contain, Review, "eu-west-1", ""},
		{"and stopped", "ec2:StopInstances", "InstanceIds", []any{"i-0aaaaaaaaaaaaaaaa"}, Contain, Review, "eu-west-1", "StartInstances"},
		{"one that the intruder started is stopped at once", "ec2:StopInstances", "InstanceIds", []any{"i-0bbbbbbbbbbbbbbbb"}, Contain, Auto, "eu-west-1", "StartInstances"},
		{"an identity pool", "cognitoidentity:SetIdentityPoolRoles", "IdentityPoolId", "eu-west-1:pool", Contain, Auto, "eu-west-1", "SetIdentityPoolRoles"},
		{"its role's sessions end", "iam:PutRolePolicy", "RoleName", "Web", Revoke, Auto, "us-east-1", "DeleteRolePolicy"},
		{"a function does not run", "lambda:PutFunctionConcurrency", "FunctionName", "resize", Contain, Auto, "eu-west-1", "PutFunctionConcurrency"},
		{"a task is stopped", "ecs:StopTask", "Cluster", "main", Contain, Review, "eu-west-1", ""},
		{"a changed trust anchor", "rolesanywhere:DisableTrustAnchor", "TrustAnchorId", "ta-1", Contain, Auto, "eu-west-1", "EnableTrustAnchor"},
		{"an anchor that gave a session", "rolesanywhere:DisableTrustAnchor", "TrustAnchorId", "ta-2", Contain, Review, "eu-west-1", "EnableTrustAnchor"},
		{"and the profile", "rolesanywhere:DisableProfile", "ProfileId", "p-2", Contain, Review, "eu-west-1", "EnableProfile"},
		{"a made identity provider", "iam:RemoveClientIDFromOpenIDConnectProvider", "ClientID", "sts.amazonaws.com", Contain, Auto, "us-east-1", "AddClientIDToOpenIDConnectProvider"},
		{"a permission set", "ssoadmin:PutInlinePolicyToPermissionSet", "PermissionSetArn", "arn:aws:sso:::permissionSet/i/ps-1", Revoke, Auto, "eu-west-1", "DeleteInlinePolicyFromPermissionSet"},
		{"comes to its account", "ssoadmin:ProvisionPermissionSet", "TargetId", account, Revoke, Auto, "eu-west-1", "ProvisionPermissionSet"},
		{"its assignment", "ssoadmin:DeleteAccountAssignment", "PrincipalId", "user-1", Revoke, Review, "eu-west-1", "CreateAccountAssignment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, a := range find(p, test.phase, test.call) {
				if fmt.Sprint(a.Parameters[test.parameter]) != fmt.Sprint(test.value) {
					continue
				}
				back := ""
				if len(a.Rollback) > 0 {
					back = a.Rollback[0].Operation
				}
				if a.Mode != test.mode || a.Region != test.region || back != test.back || len(a.Verify) == 0 {
					t.Errorf("%s is %s in %s with the way back %q and checks %v", a.ID, a.Mode, a.Region, back, a.Verify)
				}
				return
			}
			t.Errorf("the plan lacks it")
		})
	}
	manual := ""
	for _, a := range p.Actions {
		if a.Mode == Manual && (a.Phase == Contain || a.Phase == Revoke) {
			manual += a.Title + ": " + a.Reason + "\n"
		}
	}
	for _, want := range []string{"ends at 2026-11-02T09:15:00Z", "glue:UpdateJob (session GlueJobRunnerSession)", "Identity Center user user-1", "Identity Center user user-2 and end its sessions of the access portal, then reset its password",
		"whose credential ASIALOST is", "Point Identity Center back", `"arn:aws:sts::111122223333:federated-user/f"`, `"identitystore:UserId":["user-1"]`} {
		if !strings.Contains(manual, want) {
			t.Errorf("no manual action says %q:\n%s", want, manual)
		}
	}
	if set := find(p, Revoke, "ssoadmin:PutInlinePolicyToPermissionSet"); len(set) == 1 && !strings.Contains(fmt.Sprint(set[0].Parameters["InlinePolicy"]), `"identitystore:UserId":["user-1"]`) {
		t.Errorf("the deny binds others than the user: %v", set[0].Parameters["InlinePolicy"])
	}
	if f := find(p, Contain, "lambda:PutFunctionConcurrency"); len(f) == 1 && fmt.Sprint(f[0].Rollback[0].Parameters["ReservedConcurrentExecutions"]) != "5" {
		t.Errorf("the function does not get its five back: %v", f[0].Rollback)
	}
	signable(t, p)
}

// signable checks what every action of contain and revoke has for a person who
// answers for it.
func signable(t interface {
	Helper()
	Errorf(string, ...any)
}, p *Plan) {
	t.Helper()
	for _, a := range p.Actions {
		if a.Phase != Contain && a.Phase != Revoke {
			continue
		}
		switch {
		case len(a.Evidence) == 0 || a.Reason == "" || a.Risk == "":
			t.Errorf("%s lacks evidence, reason or risk: %+v", a.ID, a)
		case a.Mode != Manual && len(a.Verify) == 0:
			t.Errorf("%s cannot be verified", a.ID)
		case a.Mode == Auto && (len(a.Rollback) == 0 || isDestructive(a.Operation)):
			t.Errorf("%s is automatic", a.ID)
		}
	}
}

// TestKeyThatWasOn shows that setting a key active that was active makes it
// nobody's but its owner's.
func TestKeyThatWasOn(t *testing.T) {
	const key = "AKIAI44QH8DHBEXAMPLE" // of bob, who uses it
	set := func(status string) object {
		return object{"userName": "bob", "accessKeyId": key, "status": status}
	}
	for _, test := range []struct {
		name  string
		calls []call
		want  int
	}{
		{"it was in use", []call{{at: -time.Hour, api: "s3:ListBuckets", read: true}, {by: leaked, api: "iam:UpdateAccessKey", rq: set("Active")}}, 0},
		{"its owner had set it active", []call{{at: -time.Hour, api: "iam:UpdateAccessKey", rq: set("Active")}, {by: leaked, api: "iam:UpdateAccessKey", rq: set("Active")}}, 0},
		{"the intruder switched it off and on", []call{{at: -time.Hour, api: "s3:ListBuckets", read: true},
			{by: leaked, api: "iam:UpdateAccessKey", rq: set("Inactive")}, {by: leaked, at: time.Minute, api: "iam:UpdateAccessKey", rq: set("Active")}}, 0},
		{"its owner had set it inactive", []call{{at: -2 * time.Hour, api: "s3:ListBuckets", read: true}, {at: -time.Hour, api: "iam:UpdateAccessKey", rq: set("Inactive")},
			{by: leaked, api: "iam:UpdateAccessKey", rq: set("Active")}}, 1},
		{"nothing tells", []call{{by: leaked, api: "iam:UpdateAccessKey", rq: object{"userName": "bob", "accessKeyId": "AKIAOTHER", "status": "Active"}}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := story{calls: test.calls}.plan(t)
			var got []string
			for _, a := range find(p, Contain, "iam:UpdateAccessKey") {
				if a.Parameters["AccessKeyId"] != leaked {
					got = append(got, a.ID)
				}
			}
			if len(got) != test.want {
				t.Errorf("keys disabled: %v", got)
			}
		})
	}
}

// TestWhoKeepsWorking shows how far the deny on a user goes.
func TestWhoKeepsWorking(t *testing.T) {
	of := func(kind lineage.Kind, via string) lineage.Credential {
		return lineage.Credential{ID: "X-1", Kind: kind, PrincipalID: "AIDACAROL", PrincipalARN: "arn:aws:iam::111122223333:user/carol", AccountID: account,
			Parent: ptr(leaked), Via: via, IssuedEventID: "event-000"}
	}
	for _, test := range []struct {
		name string
		c    lineage.Credential
		want string
	}{
		{"an SSH key was added", of(lineage.SSHKey, "iam:UploadSSHPublicKey"), denyOlder},
		{"an inactive key was brought back", of(lineage.LongTerm, "iam:UpdateAccessKey"), denyOlder},
		{"a Bedrock key was made", of(lineage.ServiceSpecific, "iam:CreateServiceSpecificCredential"), denyOlder},
		{"a password was set", of(lineage.Password, "iam:UpdateLoginProfile"), denyAll},
		{"somebody signed in", of(lineage.Console, "signin:ConsoleLogin"), denyAll},
		{"the CLI was signed in", of(lineage.SessionToken, "signin:CreateOAuth2Token"), denyAll},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := story{credentials: []lineage.Credential{leakedKey(), test.c}, calls: []call{{by: leaked, api: "sts:GetCallerIdentity", read: true}}}.plan(t)
			for _, a := range find(p, Contain, "iam:PutUserPolicy") {
				if a.Parameters["UserName"] == "carol" && a.Parameters["PolicyDocument"] != test.want {
					t.Errorf("carol's deny is %v", a.Parameters["PolicyDocument"])
				}
			}
			signable(t, p)
		})
	}
	t.Run("a second factor was added", func(t *testing.T) {
		p := story{calls: []call{{by: leaked, api: "iam:EnableMFADevice", rq: object{"userName": "carol", "serialNumber": "s"}}},
			principals: []lineage.Principal{{ARN: "arn:aws:iam::111122223333:user/carol", AccountID: account, Kind: "user", How: lineage.CredentialAdded, EventID: "event-000"}}}.plan(t)
		for _, a := range find(p, Contain, "iam:PutUserPolicy") {
			if a.Parameters["UserName"] == "carol" {
				t.Errorf("carol is denied: %s", a.Reason)
			}
		}
	})
}

// TestFederationTokenOfUnknownIssue shows that its records name the user to deny.
func TestFederationTokenOfUnknownIssue(t *testing.T) {
	f := lineage.Credential{ID: "ASIAFED", Kind: lineage.FederationToken, PrincipalARN: "arn:aws:sts::111122223333:federated-user/f", AccountID: account}
	ev := &evidence{accounts: map[string]bool{account: true}, federatedBy: map[string]string{"ASIAFED": aliceARN}}
	p, err := newPlan(&lineage.Lineage{Keys: []string{"ASIAFED"}, Credentials: []lineage.Credential{f}}, ev)
	if err != nil {
		t.Fatal(err)
	}
	if got := find(p, Contain, "iam:PutUserPolicy"); len(got) != 1 || got[0].Parameters["UserName"] != "alice" || got[0].Parameters["PolicyDocument"] != denyAll {
		t.Errorf("denies: %+v", got)
	}
}

// TestFunctionOfWhichNoSessionIsSeen shows that the log's silence is no proof: a
// person decides.
func TestFunctionOfWhichNoSessionIsSeen(t *testing.T) {
	p := story{calls: []call{{by: leaked, api: "lambda:UpdateFunctionCode20150331v2", region: "eu-west-1", rq: object{"functionName": "arn:aws:lambda:eu-west-1:111122223333:function:resize"}}}}.plan(t)
	got := find(p, Contain, "lambda:PutFunctionConcurrency")
	if len(got) != 1 || got[0].Mode != Review || got[0].Parameters["FunctionName"] != "resize" || got[0].Region != "eu-west-1" || len(got[0].Rollback) != 1 {
		t.Errorf("actions: %+v", got)
	}
	if again := find(p, Restore, "lambda:DeleteFunctionConcurrency"); len(again) != 1 || again[0].Mode != Review {
		t.Errorf("the way back: %+v", again)
	}
	if code := find(p, Recover, ":"); len(code) != 1 || !strings.Contains(code[0].Title, "Deploy the own code") || code[0].Mode != Manual {
		t.Errorf("how its code comes back: %+v", code)
	}
	signable(t, p)
}
