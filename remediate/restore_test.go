package remediate

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// restored are the actions of restore whose titles begin so.
func restored(p *Plan, title string) []Action {
	var out []Action
	for _, a := range p.Actions {
		if a.Phase == Restore && strings.HasPrefix(a.Title, title) {
			out = append(out, a)
		}
	}
	return out
}

func TestLeastPrivilegeIsWhatTheOwnerUsed(t *testing.T) {
	s := story{calls: []call{
		{at: -time.Hour, api: "s3:ListBuckets", read: true},
		{at: -time.Hour, api: "lambda:UpdateFunctionCode20150331v2"},
		{at: -time.Hour, api: "lambda:UpdateFunctionCode20150331v2"},
		{at: -time.Hour, api: "sts:GetCallerIdentity", read: true},
		{at: -time.Hour, api: "quantum:EntangleThing"},
		{at: -time.Hour, api: "ec2:RunInstances", err: "AccessDenied"},
		{by: leaked, at: time.Minute, api: "iam:CreateUser", rq: object{"userName": "x"}},
	}}
	s.owner(0, 1, 2, 3, 4, 5)
	found := restored(s.plan(t), "Cut the permissions of the user alice")
	if len(found) != 1 {
		t.Fatalf("%d actions", len(found))
	}
	a := found[0]
	for _, want := range []string{"lambda:UpdateFunctionCode (2)", `["lambda:UpdateFunctionCode","s3:ListAllMyBuckets"]`, "Not in it, for their IAM actions are called otherwise: quantum:EntangleThing."} {
		if !strings.Contains(a.Reason, want) {
			t.Errorf("%q lacks %q", a.Reason, want)
		}
	}
	if strings.Contains(a.Reason, "RunInstances") || strings.Contains(a.Reason, "CreateUser") {
		t.Errorf("a call that failed, or the intruder's, in %q", a.Reason)
	}
	if len(a.Evidence) != 4 || a.Mode != Manual {
		t.Errorf("mode %s, evidence %v", a.Mode, a.Evidence)
	}
}

// owner makes calls the owner's: by alice, and not of the lineage.
func (s *story) owner(indexes ...int) {
	for _, i := range indexes {
		s.calls[i].owner = true
	}
}

func TestHardeningIsWhatWouldHaveStoppedIt(t *testing.T) {
	elsewhere := call{by: leaked, at: time.Minute, api: "ec2:RunInstances", region: "ap-south-1", rs: object{"instancesSet": object{"items": []any{object{"instanceId": "i-0a"}}}}}
	at := func(region string) call {
		return call{at: -time.Hour, api: "ec2:DescribeInstances", region: region, read: true}
	}
	for _, test := range []struct {
		name, title, says string
		calls             []call
		not               []call // calls that must not lead to it
	}{
		{"a region that nobody uses", "Deny the regions", `"aws:RequestedRegion":["eu-west-1","us-east-1"]`, []call{at("eu-west-1"), elsewhere}, []call{at("ap-south-1"), elsewhere}},
		{"logging that was stopped", "Protect logging", `"Action":["cloudtrail:StopLogging"]`, []call{{by: leaked, api: "cloudtrail:StopLogging", rq: object{"name": "main"}}},
			[]call{{by: leaked, api: "cloudtrail:StopLogging", rq: object{"name": "main"}, err: "AccessDenied"}}},
		{"a user that was made", "Let nobody make or empower", `"Action":["iam:CreateUser"]`, []call{{by: leaked, api: "iam:CreateUser", rq: object{"userName": "x"}}}, []call{{by: leaked, api: "iam:ListUsers", read: true}}},
		{"a key that was made", "Let a few administrators", `iam:CreateAccessKey`, []call{{by: leaked, api: "iam:CreateAccessKey", rq: object{"userName": "x"}}}, []call{{by: leaked, api: "iam:ListUsers", read: true}}},
		{"a bucket that was opened", "Block public access", "1 call", []call{{by: leaked, api: "s3:PutBucketPolicy", rq: object{"bucketName": "b", "bucketPolicy": object{"Statement": []any{object{"Effect": "Allow", "Principal": "*"}}}}}},
			[]call{{by: leaked, api: "s3:PutBucketPolicy", rq: object{"bucketName": "b", "bucketPolicy": object{"Statement": []any{object{"Effect": "Deny", "Principal": "*"}}}}}}},
		{"a snapshot for everyone", "Block public sharing", "1 call", []call{{by: leaked, api: "ec2:ModifySnapshotAttribute", rq: object{"snapshotId": "snap-1", "createVolumePermission": object{"add": object{"items": []any{object{"group": "all"}}}}}}},
			[]call{{by: leaked, api: "ec2:ModifySnapshotAttribute", rq: object{"snapshotId": "snap-1", "createVolumePermission": object{"remove": object{"items": []any{object{"group": "all"}}}}}}}},
		{"a secret that was read", "Have secrets rotated", "1 call", []call{{by: leaked, api: "secretsmanager:GetSecretValue", rq: object{"secretId": "s"}, read: true}}, []call{{by: leaked, api: "secretsmanager:ListSecrets", read: true}}},
		{"credentials of an instance by version 1", "Ask for IMDSv2 on the instance i-0123456789abcdef0", "ec2RoleDelivery 1.0",
			[]call{{by: leaked, api: "s3:ListBuckets", read: true, identity: object{"arn": "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0", "sessionContext": object{"ec2RoleDelivery": "1.0"}}}},
			[]call{{by: leaked, api: "s3:ListBuckets", read: true, identity: object{"arn": "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0", "sessionContext": object{"ec2RoleDelivery": "2.0"}}}}},
		{"a password without MFA", "Ask for MFA", "aws:MultiFactorAuthPresent", []call{{by: leaked, api: "signin:ConsoleLogin", identity: object{"type": "IAMUser"}, additional: object{"MFAUsed": "No"}}},
			[]call{{by: leaked, api: "signin:ConsoleLogin", identity: object{"type": "IAMUser"}, additional: object{"MFAUsed": "Yes"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := restored(story{calls: test.calls}.plan(t), test.title)
			if len(found) != 1 || !strings.Contains(found[0].Reason, test.says) || len(found[0].Evidence) == 0 || found[0].Mode == Auto {
				t.Errorf("planned %+v, want it to say %q", found, test.says)
			}
			if found := restored(story{calls: test.not}.plan(t), test.title); len(found) > 0 {
				t.Errorf("without need: %s: %s", found[0].Title, found[0].Reason)
			}
		})
	}
}

var policyText = regexp.MustCompile(`\{"Version".*\]\}`)

// The policies in reasons are JSON, whatever the log calls things.
func TestHardeningWritesPolicies(t *testing.T) {
	s := story{calls: []call{{at: -time.Hour, api: "ec2:DescribeInstances", region: `x"],"y`, read: true}, {at: -time.Hour, api: `s3:List"Buckets`, read: true}, {at: -time.Hour, api: `ec2:DescribeVpcs`, read: true}}}
	s.owner(1, 2)
	for _, c := range []string{"cloudtrail:StopLogging", "iam:CreateUser", "iam:CreateAccessKey", "iam:DeleteRolePermissionsBoundary", "organizations:LeaveOrganization"} {
		s.calls = append(s.calls, call{by: leaked, api: c, region: "ap-south-1", rq: object{"userName": "x", "name": "x", "roleName": "r"}})
	}
	n := 0
	for _, a := range s.plan(t).Actions {
		for _, policy := range policyText.FindAllString(a.Reason, -1) {
			n++
			if !json.Valid([]byte(policy)) {
				t.Errorf("%s: no JSON: %s", a.Title, policy)
			}
		}
	}
	if n < 5 {
		t.Errorf("%d policies", n)
	}
}

// The denies are the last to go.
func TestDeniesAreLiftedLast(t *testing.T) {
	p := smallIncident().plan(t)
	lifts := 0
	for _, a := range p.Actions {
		if a.Phase != Restore {
			continue
		}
		if strings.HasPrefix(a.Title, "Take the deny") {
			lifts++
		} else if lifts > 0 {
			t.Errorf("%s comes after a deny was taken off", a.Title)
		}
	}
	if lifts == 0 {
		t.Error("no deny is taken off")
	}
}
