package remediate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

var update = flag.Bool("update", false, "write the golden files anew")

// smallIncident has one of each: a token, a role, a created user, a changed
// trust, a stopped trail, instances, a secret that was read, and an unknown API.
func smallIncident() story {
	return story{
		credentials: []lineage.Credential{leakedKey(), roleSession("Deploy"), {
			ID: "AKIABACKDOOREXAMPLE1", AccessKeyIDs: []string{"AKIABACKDOOREXAMPLE1"}, Kind: lineage.LongTerm, PrincipalARN: "arn:aws:iam::111122223333:user/backdoor",
			AccountID: account, Parent: ptr(leaked), Via: "iam:CreateAccessKey", IssuedEventID: "event-004",
		}},
		principals: []lineage.Principal{{ARN: "arn:aws:iam::111122223333:user/backdoor", PrincipalID: "AIDABACKDOOR", AccountID: account, Kind: "user", How: lineage.Created, EventID: "event-003", Time: start}},
		calls: []call{
			{at: -240 * time.Hour, api: "iam:CreateRole", rq: object{"roleName": "Deploy", "assumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":[]}`}},
			{by: leaked, at: 0, api: "sts:GetCallerIdentity", read: true},
			{by: leaked, at: 1 * time.Minute, api: "cloudtrail:StopLogging", rq: object{"name": "main"}, region: "eu-west-1"},
			{by: leaked, at: 2 * time.Minute, api: "iam:CreateUser", rq: object{"userName": "backdoor"}, rs: object{"user": object{"userName": "backdoor", "userId": "AIDABACKDOOR", "arn": "arn:aws:iam::111122223333:user/backdoor"}}},
			{by: leaked, at: 3 * time.Minute, api: "iam:CreateAccessKey", rq: object{"userName": "backdoor"}, rs: object{"accessKey": object{"userName": "backdoor", "accessKeyId": "AKIABACKDOOREXAMPLE1"}}},
			{by: leaked, at: 4 * time.Minute, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "Deploy", "policyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`}},
			{by: "ASIADeploy", at: 5 * time.Minute, api: "ec2:RunInstances", region: "ap-south-1", rs: object{"instancesSet": object{"items": []any{object{"instanceId": "i-0a"}, object{"instanceId": "i-0b"}}}}},
			{by: "ASIADeploy", at: 6 * time.Minute, api: "secretsmanager:GetSecretValue", rq: object{"secretId": "prod/db"}, read: true},
			{by: "ASIADeploy", at: 7 * time.Minute, api: "quantum:EntangleThing", rq: object{"thing": "x"}},
			{by: leaked, at: 8 * time.Minute, api: "iam:CreateUser", rq: object{"userName": "refused"}, err: "AccessDenied"},
			{at: 20 * time.Minute, api: "ec2:TerminateInstances", region: "ap-south-1", rq: object{"instancesSet": object{"items": []any{object{"instanceId": "i-0b"}}}}},
		},
	}
}

func TestSmallIncident(t *testing.T) {
	p := smallIncident().plan(t)
	p.GeneratedAt = start
	var got bytes.Buffer
	if err := p.Write(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "small-incident.plan.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the plan differs from %s; run with -update and look at the difference", golden)
	}
	if strings.Contains(got.String(), "refused") {
		t.Error("the plan undoes a call that was denied")
	}
}

func TestUndoOf(t *testing.T) {
	user := object{"userName": "carol"}
	both := func(a, b object) object {
		out := object{}
		for k, v := range a {
			out[k] = v
		}
		for k, v := range b {
			out[k] = v
		}
		return out
	}
	admin := object{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
	for _, test := range []struct {
		name   string
		calls  []call
		phase  Phase
		call   string
		mode   Mode
		number int
	}{
		{name: "an attachment is taken off", calls: []call{{by: leaked, api: "iam:AttachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy", mode: Auto, number: 1},
		{name: "an attachment that was taken off again needs nothing", calls: []call{
			{by: leaked, api: "iam:AttachUserPolicy", rq: both(user, admin)}, {at: time.Hour, api: "iam:DetachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy"},
		{name: "an attachment that was there before stays", calls: []call{
			{at: -time.Hour, api: "iam:AttachUserPolicy", rq: both(user, admin)}, {by: leaked, api: "iam:AttachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy"},
		{name: "an attachment that was gone before the intruder made it anew goes", calls: []call{
			{at: -2 * time.Hour, api: "iam:AttachUserPolicy", rq: both(user, admin)}, {at: -time.Hour, api: "iam:DetachUserPolicy", rq: both(user, admin)},
			{by: leaked, api: "iam:AttachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy", mode: Auto, number: 1},
		{name: "a call of unclear hands needs a person's word", calls: []call{{by: leaked, actor: lineage.Unclear, api: "iam:AttachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy", mode: Review, number: 1},
		{name: "a call of the owner is left alone", calls: []call{{by: leaked, actor: lineage.Owner, api: "iam:AttachUserPolicy", rq: both(user, admin)}},
			phase: Evict, call: "iam:DetachUserPolicy"},
		{name: "an inline policy that overwrote one gets its text back", calls: []call{
			{at: -time.Hour, api: "iam:PutUserPolicy", rq: both(user, object{"policyName": "p", "policyDocument": "{}"})},
			{by: leaked, api: "iam:PutUserPolicy", rq: both(user, object{"policyName": "p", "policyDocument": `{"evil":1}`})}},
			phase: Recover, call: "iam:PutUserPolicy", mode: Auto, number: 1},
		{name: "a new inline policy is deleted after a look", calls: []call{{by: leaked, api: "iam:PutUserPolicy", rq: both(user, object{"policyName": "p", "policyDocument": "{}"})}},
			phase: Evict, call: "iam:DeleteUserPolicy", mode: Review, number: 1},
		{name: "a later change by someone else needs a look", calls: []call{
			{at: -time.Hour, api: "iam:CreateRole", rq: object{"roleName": "r", "assumeRolePolicyDocument": "{}"}},
			{by: leaked, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"a":1}`}},
			{at: time.Hour, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"b":1}`}}},
			phase: Recover, call: "iam:UpdateAssumeRolePolicy", mode: Review, number: 1},
		{name: "a trust policy goes back to what the log shows", calls: []call{
			{at: -time.Hour, api: "iam:CreateRole", rq: object{"roleName": "r", "assumeRolePolicyDocument": "{}"}},
			{by: leaked, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"a":1}`}}},
			phase: Recover, call: "iam:UpdateAssumeRolePolicy", mode: Auto, number: 1},
		{name: "a trust policy that the log does not show is cut to the account", calls: []call{
			{by: leaked, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"sts:AssumeRole"}]}`}}},
			phase: Recover, call: "iam:UpdateAssumeRolePolicy", mode: Review, number: 1},
		{name: "a created user that is gone again needs nothing", calls: []call{
			{by: leaked, api: "iam:CreateUser", rq: user, rs: object{"user": both(user, object{"userId": "AIDACAROL"})}},
			{by: leaked, at: time.Minute, api: "iam:AttachUserPolicy", rq: both(user, admin)},
			{by: leaked, at: time.Hour, api: "iam:DeleteUser", rq: user}},
			phase: Evict, call: "iam:DeleteUser"},
		{name: "a key scheduled for deletion comes back", calls: []call{{by: leaked, api: "kms:ScheduleKeyDeletion", rq: object{"keyId": "1234abcd"}, rs: object{"keyId": "arn:aws:kms:us-east-1:111122223333:key/1234abcd", "deletionDate": "Nov 9, 2026, 9:00:00 AM"}}},
			phase: Recover, call: "kms:EnableKey", mode: Auto, number: 1},
		{name: "a parameter read without decryption is no exposure", calls: []call{{by: leaked, read: true, api: "ssm:GetParameter", rq: object{"name": "p", "withDecryption": false}}},
			phase: Recover, call: ":"},
		{name: "a parameter read in the clear is one", calls: []call{{by: leaked, read: true, api: "ssm:GetParameter", rq: object{"name": "p", "withDecryption": true}}},
			phase: Recover, call: ":", mode: Manual, number: 1},
		{name: "a trail given by ARN and started by name needs nothing", calls: []call{
			{by: leaked, api: "cloudtrail:StopLogging", rq: object{"name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"}},
			{at: time.Hour, api: "cloudtrail:StartLogging", rq: object{"name": "main"}}},
			phase: Preserve, call: "cloudtrail:StartLogging"},
		{name: "a Lambda event's API version does not matter", calls: []call{{by: leaked, api: "lambda:AddPermission20150331v2", rq: object{"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction", "principal": "444455556666"}}},
			phase: Evict, call: "lambda:RemovePermission", mode: Auto, number: 1},
		{name: "a name that the executor would substitute is left to a person", calls: []call{{by: leaked, api: "secretsmanager:DeleteSecret", rq: object{"secretId": "${password}"}}},
			phase: Recover, call: "secretsmanager:RestoreSecret"},
		{name: "a policy with a variable of IAM is put back as it was", calls: []call{
			{at: -time.Hour, api: "iam:CreateRole", rq: object{"roleName": "r", "assumeRolePolicyDocument": `{"Resource":"${aws:username}"}`}},
			{by: leaked, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"a":"${aws:username}"}`}}},
			phase: Recover, call: "iam:UpdateAssumeRolePolicy", mode: Auto, number: 1},
		{name: "a role of which the lineage had no session is not revoked", calls: []call{
			{by: leaked, api: "iam:UpdateAssumeRolePolicy", rq: object{"roleName": "r", "policyDocument": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"sts:AssumeRole"}]}`}}},
			phase: Recover, call: "iam:PutRolePolicy"},
		{name: "an inline policy that its owner had deleted does not come back", calls: []call{
			{at: -2 * time.Hour, api: "iam:PutUserPolicy", rq: both(user, object{"policyName": "p", "policyDocument": "{}"})},
			{at: -time.Hour, api: "iam:DeleteUserPolicy", rq: both(user, object{"policyName": "p"})},
			{by: leaked, api: "iam:PutUserPolicy", rq: both(user, object{"policyName": "p", "policyDocument": `{"evil":1}`})}},
			phase: Recover, call: "iam:PutUserPolicy"},
		{name: "what the intruder made and deleted is not made again", calls: []call{
			{by: leaked, api: "iam:CreateUser", rq: user, rs: object{"user": both(user, object{"userId": "AIDACAROL"})}},
			{by: leaked, at: time.Minute, api: "iam:CreateAccessKey", rq: user, rs: object{"accessKey": both(user, object{"accessKeyId": "AKIACAROL"})}},
			{by: leaked, at: 2 * time.Minute, api: "iam:DeleteAccessKey", rq: both(user, object{"accessKeyId": "AKIACAROL"})},
			{by: leaked, at: time.Hour, api: "iam:DeleteUser", rq: user}},
			phase: Recover, call: ":"},
		{name: "a user of someone else's that the intruder deleted is a loss", calls: []call{
			{at: -time.Hour, api: "iam:CreateUser", rq: user, rs: object{"user": both(user, object{"userId": "AIDACAROL"})}},
			{by: leaked, api: "iam:DeleteUser", rq: user}},
			phase: Recover, call: ":", mode: Manual, number: 1},
		{name: "what the intruder attached and detached is not attached again", calls: []call{
			{by: leaked, api: "iam:AttachUserPolicy", rq: both(user, admin)}, {by: leaked, at: time.Minute, api: "iam:DetachUserPolicy", rq: both(user, admin)}},
			phase: Recover, call: "iam:AttachUserPolicy"},
		{name: "what someone else attached and the intruder detached is", calls: []call{
			{at: -time.Hour, api: "iam:AttachUserPolicy", rq: both(user, admin)}, {by: leaked, at: time.Minute, api: "iam:DetachUserPolicy", rq: both(user, admin)}},
			phase: Recover, call: "iam:AttachUserPolicy", mode: Review, number: 1},
		{name: "a version that is the default is not deleted before another is", calls: []call{
			{by: leaked, api: "iam:CreatePolicyVersion", rq: object{"policyArn": "arn:aws:iam::111122223333:policy/p", "setAsDefault": true}, rs: object{"policyVersion": object{"versionId": "v4", "isDefaultVersion": true}}}},
			phase: Recover, call: "iam:DeletePolicyVersion"},
		{name: "a version that is not the default is", calls: []call{
			{by: leaked, api: "iam:CreatePolicyVersion", rq: object{"policyArn": "arn:aws:iam::111122223333:policy/p"}, rs: object{"policyVersion": object{"versionId": "v4", "isDefaultVersion": false}}}},
			phase: Recover, call: "iam:DeletePolicyVersion", mode: Review, number: 1},
		{name: "a narrowed trail is widened though its settings are not in the log", calls: []call{
			{by: leaked, api: "cloudtrail:UpdateTrail", rq: object{"name": "main", "isMultiRegionTrail": false}}},
			phase: Preserve, call: "cloudtrail:UpdateTrail", mode: Auto, number: 1},
		{name: "where a trail delivers to is a person's to put back where the log does not show it", calls: []call{
			{by: leaked, api: "cloudtrail:UpdateTrail", rq: object{"name": "main", "s3BucketName": "evil", "isMultiRegionTrail": false}}},
			phase: Preserve, call: ":", mode: Manual, number: 1},
		{name: "a deleted trail comes first, also for a person", calls: []call{{by: leaked, api: "cloudtrail:DeleteTrail", rq: object{"name": "main"}}},
			phase: Preserve, call: ":", mode: Manual, number: 1},
		{name: "a detector that is gone is not switched on", calls: []call{
			{by: leaked, api: "guardduty:UpdateDetector", rq: object{"detectorId": "d", "enable": false}},
			{by: leaked, at: time.Minute, api: "guardduty:DeleteDetector", rq: object{"detectorId": "d"}}},
			phase: Preserve, call: "guardduty:UpdateDetector"},
		{name: "two calls of an API that no table knows are one action", calls: []call{{by: leaked, api: "quantum:Entangle"}, {by: leaked, at: time.Minute, api: "quantum:Entangle"}},
			phase: Recover, call: ":", mode: Manual, number: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := story{calls: test.calls}.plan(t)
			got := find(p, test.phase, test.call)
			if len(got) != test.number {
				t.Fatalf("%d actions %s %s, want %d", len(got), test.phase, test.call, test.number)
			}
			for _, a := range got {
				if a.Mode != test.mode {
					t.Errorf("%s has mode %s, want %s", a.ID, a.Mode, test.mode)
				}
			}
		})
	}
}

// TestHostileNamesLeaveThePlanWhole shows that a name that nothing can be called
// with costs its own actions their mode, and no other's.
func TestHostileNamesLeaveThePlanWhole(t *testing.T) {
	p := story{calls: []call{
		{by: leaked, api: "iam:CreateRole", rq: object{"roleName": "${item}", "assumeRolePolicyDocument": "{}"}, rs: object{"role": object{"roleName": "${item}", "roleId": "AROAITEM", "arn": "arn:aws:iam::111122223333:role/${item}"}}},
		{by: leaked, api: "iam:CreateRole", rq: object{"roleName": "${now}", "assumeRolePolicyDocument": "{}"}},
		{by: leaked, at: time.Minute, api: "iam:AttachUserPolicy", rq: object{"userName": "carol", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}},
		{by: leaked, at: 2 * time.Minute, api: "ec2:RunInstances", region: "-x\n", rs: object{"instancesSet": object{"items": []any{object{"instanceId": "i-0a"}}}}},
	}}.plan(t)
	if got := find(p, Contain, "iam:PutRolePolicy"); len(got) != 1 || got[0].Mode != Manual {
		t.Errorf("deny of the role: %+v", got)
	}
	if got := find(p, Evict, "iam:DetachUserPolicy"); len(got) != 1 || got[0].Mode != Auto {
		t.Errorf("detachment: %+v", got)
	}
	if got := find(p, Evict, "ec2:StopInstances"); len(got) != 1 || got[0].Mode != Manual || got[0].Region != "" || got[0].CLI != "" {
		t.Errorf("stop in no region: %+v", got)
	}
}

func TestHolders(t *testing.T) {
	with := func(arn string) story {
		c := roleSession("X")
		c.PrincipalARN = arn
		return story{credentials: []lineage.Credential{leakedKey(), c}, calls: []call{{by: leaked, api: "sts:GetCallerIdentity", read: true}, {account: "444455556666", api: "iam:GetUser", read: true}}}
	}
	for _, test := range []struct{ name, arn, call, account string }{
		{"a role of ours", "arn:aws:sts::111122223333:assumed-role/Deploy/s", "iam:PutRolePolicy", account},
		{"a role of another account whose logs we have", "arn:aws:sts::444455556666:assumed-role/Deploy/s", "iam:PutRolePolicy", "444455556666"},
		{"a role of an account that we do not see", "arn:aws:sts::777788889999:assumed-role/Deploy/s", ":", "777788889999"},
		{"a role of Identity Center", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/s", ":", account},
		{"a service-linked role", "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/s", ":", account},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := find(with(test.arn).plan(t), Revoke, test.call)
			if len(got) == 0 || got[0].AccountID != test.account {
				t.Fatalf("revocations: %v", got)
			}
			if test.call == ":" && got[0].Mode != Manual {
				t.Errorf("mode %s", got[0].Mode)
			}
		})
	}
	t.Run("root", func(t *testing.T) {
		c := leakedKey()
		c.PrincipalARN, c.PrincipalID = "arn:aws:iam::111122223333:root", account
		p := story{credentials: []lineage.Credential{c}, calls: []call{{by: leaked, api: "sts:GetCallerIdentity", read: true}}}.plan(t)
		if got := find(p, Contain, ":"); len(got) != 1 || !strings.Contains(got[0].Reason, `"arn:aws:iam::111122223333:root"`) {
			t.Errorf("actions on root: %v", got)
		}
	})
	t.Run("a federation token is denied through its user, in its partition", func(t *testing.T) {
		k := leakedKey()
		k.PrincipalARN = "arn:aws-us-gov:iam::111122223333:user/alice"
		f := lineage.Credential{ID: "ASIAFED", Kind: lineage.FederationToken, PrincipalARN: "arn:aws-us-gov:sts::111122223333:federated-user/f", Parent: ptr(leaked)}
		p := story{credentials: []lineage.Credential{k, f}, calls: []call{{by: leaked, api: "sts:GetCallerIdentity", read: true}}}.plan(t)
		got := find(p, Contain, "iam:PutUserPolicy")
		if len(got) != 1 || got[0].Parameters["UserName"] != "alice" || got[0].Region != "us-gov-west-1" ||
			got[0].Fallbacks[0].Parameters["PolicyArn"] != "arn:aws-us-gov:iam::aws:policy/AWSDenyAll" {
			t.Errorf("denies: %+v", got)
		}
	})
}

// TestBaitDoesNotStopTheDeny shows that a policy of the intruder's under the
// deny's own name is no reason to leave the user alone.
func TestBaitDoesNotStopTheDeny(t *testing.T) {
	for _, a := range smallIncident().plan(t).Actions {
		if a.Phase != Contain || !strings.HasPrefix(a.Operation, "Put") {
			continue
		}
		for _, check := range a.Expect {
			if check.Operation != "GetUser" && check.Operation != "GetRole" {
				t.Errorf("%s expects %s:%s", a.ID, check.Service, check.Operation)
			}
		}
	}
}

// TestTrustIsClosedBeforeTheLastRevocation shows that the sessions of a role that
// the intruder opened to others end after it is closed.
func TestTrustIsClosedBeforeTheLastRevocation(t *testing.T) {
	p := smallIncident().plan(t)
	trust, last := find(p, Recover, "iam:UpdateAssumeRolePolicy"), find(p, Recover, "iam:PutRolePolicy")
	if len(trust) != 1 || len(last) != 1 || last[0].Mode != Auto || !slices.Equal(last[0].DependsOn, []string{trust[0].ID}) {
		t.Fatalf("trust %v, then %v", trust, last)
	}
	for _, a := range find(p, Revoke, "iam:PutRolePolicy") {
		// Of the same name it would count as done.
		if a.Parameters["PolicyName"] == last[0].Parameters["PolicyName"] {
			t.Errorf("%s has the same policy", a.ID)
		}
	}
}

func TestEvictWaitsForEveryDeny(t *testing.T) {
	p := smallIncident().plan(t)
	var denies []string
	waits := map[string][]string{} // what an action waits for, through others too
	for _, a := range p.Actions {
		for _, d := range a.DependsOn {
			waits[a.ID] = append(append(waits[a.ID], d), waits[d]...)
		}
		switch {
		case a.Mode == Auto && (a.Phase == Contain && a.Operation == "PutUserPolicy" || a.Phase == Revoke):
			denies = append(denies, a.ID)
		case a.Phase == Evict:
			for _, d := range denies {
				if !slices.Contains(waits[a.ID], d) {
					t.Errorf("%s does not wait for %s", a.ID, d)
				}
			}
		}
	}
	if len(denies) != 4 {
		t.Errorf("denies %v, want those of alice, of backdoor and two of Deploy", denies)
	}
	if first := p.Actions[0]; first.Operation != "StartLogging" || first.Region != "eu-west-1" {
		t.Errorf("the first action is %s in %s, want the trail", first.ID, first.Region)
	}
	stop := find(p, Evict, "ec2:StopInstances")
	if len(stop) != 1 || len(stop[0].Parameters["InstanceIds"].([]any)) != 1 {
		t.Errorf("stops %v, want i-0a alone, for i-0b is gone", stop)
	}
}
