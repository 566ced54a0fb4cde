package remediate

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/internal/mototest"
)

// intrude does what intruders do, one thing after the other.
func (e *estate) intrude(t fails) {
	t.Helper()
	who := e.intruder
	try := func(call string, in object, path string) string {
		t.Helper()
		out, err := e.Call(e.ctx, who, home, call, in)
		if err != nil {
			t.Fatalf("intrude: %v", err)
		}
		return text(t, out, path)
	}
	try("sts:GetCallerIdentity", nil, "")
	try("iam:ListUsers", nil, "")
	try("iam:CreateUser", object{"UserName": "support"}, "")
	key := try("iam:CreateAccessKey", object{"UserName": "support"}, "AccessKey.AccessKeyId")
	try("iam:CreateLoginProfile", object{"UserName": "support", "Password": "Hostile-1!"}, "")
	admin := try("iam:CreatePolicy", object{"PolicyName": "support-access", "PolicyDocument": allowAll}, "Policy.Arn")
	try("iam:AttachUserPolicy", object{"UserName": "support", "PolicyArn": admin}, "")
	try("iam:AddUserToGroup", object{"UserName": "support", "GroupName": "developers"}, "")
	try("iam:PutUserPermissionsBoundary", object{"UserName": "carol", "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "")
	try("iam:CreateServiceSpecificCredential", object{"UserName": "carol", "ServiceName": "bedrock.amazonaws.com"}, "")
	try("iam:CreateAccessKey", object{"UserName": "carol"}, "")
	try("iam:UpdateLoginProfile", object{"UserName": "carol", "Password": "Hostile-2!"}, "")
	try("iam:PutUserPolicy", object{"UserName": "carol", "PolicyName": "own", "PolicyDocument": allowAll}, "")
	try("iam:CreatePolicyVersion", object{"PolicyArn": e.things["policy"][0], "PolicyDocument": allowAll, "SetAsDefault": true}, "")
	try("iam:UpdateAssumeRolePolicy", object{"RoleName": "deploy", "PolicyDocument": trustEvil}, "")

	session, err := e.AssumeRole(e.ctx, e.intruder, "deploy", "s")
	if err != nil {
		t.Fatal(err)
	}
	who = session
	evil := try("iam:CreateRole", object{"RoleName": "audit", "AssumeRolePolicyDocument": trustEvil}, "Role.Arn")
	try("iam:AttachRolePolicy", object{"RoleName": "audit", "PolicyArn": admin}, "")
	try("s3:PutBucketPolicy", object{"Bucket": "example-data", "Policy": openBucket("example-data", "open", "*")}, "")
	try("s3:DeletePublicAccessBlock", object{"Bucket": "example-data"}, "")
	try("ec2:AuthorizeSecurityGroupIngress", object{"GroupId": e.things["security group"][0], "IpPermissions": ports(22, "203.0.113.0/24")}, "")
	try("ec2:ModifySnapshotAttribute", object{"SnapshotId": e.things["snapshot"][0], "Attribute": "createVolumePermission", "OperationType": "add", "UserIds": list("444455556666")}, "")

	who = mototest.User("support", userID(t, e, "support"), key, e.intruder.IP, e.intruder.Agent)
	try("cloudtrail:StopLogging", object{"Name": "main"}, "")
	try("lambda:CreateFunction", object{"FunctionName": "beacon", "Runtime": "python3.12", "Role": evil, "Handler": "a.b", "Code": object{"ZipFile": emptyZip}}, "")
	try("lambda:CreateFunctionUrlConfig", object{"FunctionName": "beacon", "AuthType": "NONE"}, "")
	try("lambda:AddPermission", object{"FunctionName": "resize", "StatementId": "evil", "Action": "lambda:InvokeFunction", "Principal": "444455556666"}, "")
	try("eventbridge:PutRule", object{"Name": "again", "ScheduleExpression": "rate(5 minutes)"}, "")
	try("eventbridge:PutTargets", object{"Rule": "again", "Targets": list(object{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:beacon"})}, "")
	try("ec2:RunInstances", object{"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "InstanceType": "p4d.24xlarge"}, "")
	try("ec2:CreateKeyPair", object{"KeyName": "miner"}, "")
	try("kms:ScheduleKeyDeletion", object{"KeyId": e.things["key"][0], "PendingWindowInDays": 7}, "")
	try("secretsmanager:GetSecretValue", object{"SecretId": "database"}, "")
	token, err := e.SessionToken(e.ctx, e.intruder)
	if err != nil {
		t.Fatal(err)
	}
	who = token
	try("s3:ListBuckets", nil, "")
	if who, err = e.FederationToken(e.ctx, e.intruder, "console"); err != nil {
		t.Fatal(err)
	}
	try("ec2:DescribeInstances", nil, "")
}

func userID(t fails, e *estate, name string) string {
	t.Helper()
	out, err := e.Do(e.ctx, home, "iam:GetUser", object{"UserName": name})
	if err != nil {
		t.Fatal(err)
	}
	return text(t, out, "User.UserId")
}

// applied carries out actions of a plan, and says what did not end well.
func applied(ctx context.Context, t fails, x *Executor, p *Plan, only ...string) {
	t.Helper()
	r, err := x.Apply(ctx, p, Selection{Only: only})
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	for _, o := range r.Outcomes {
		if o.Status != Done && o.Status != AlreadyDone {
			t.Errorf("%s: %s: %s", o.Action, o.Status, o.Message)
		}
	}
}

// alike compares two photographs.
func alike(t fails, when string, want, got map[string]string) {
	t.Helper()
	for _, d := range differences(want, got) {
		t.Errorf("%s: %s", when, d)
	}
}

// TestMotoRollback takes the automatic actions against an intrusion back, on an
// implementation that is not ours.
func TestMotoRollback(t *testing.T) {
	e, proxy := startEstate(t)
	e.intrude(t)
	intruded := photograph(t.Context(), t, e.Recorder)
	dir := t.TempDir()
	p := e.planFor(t, dir)
	x := motoExecutor(t.Context(), t, proxy.URL, filepath.Join(dir, "plan.journal.ndjson"))
	applied(t.Context(), t, x, p)
	if len(differences(intruded, photograph(t.Context(), t, e.Recorder))) < 10 {
		t.Error("the apply changed next to nothing")
	}
	r, err := x.Rollback(t.Context(), x.Journal)
	if err != nil || r.Failed() {
		t.Fatalf("rollback: %v %v", err, r)
	}
	alike(t, "after the rollback", intruded, photograph(t.Context(), t, e.Recorder))
}

// TestMotoIntrusion undoes an intrusion on an implementation that is not ours: the
// account is what it was before, but for what shuts the intruder out.
func TestMotoIntrusion(t *testing.T) {
	e, proxy := startEstate(t)
	start := photograph(t.Context(), t, e.Recorder)
	e.intrude(t)
	dir := t.TempDir()
	p := e.planFor(t, dir)
	x := motoExecutor(t.Context(), t, proxy.URL, filepath.Join(dir, "plan.journal.ndjson"))
	applied(t.Context(), t, x, p)
	applied(t.Context(), t, x, p, reviewed(p)...)
	end := photograph(t.Context(), t, e.Recorder)
	key := "access key alice " + e.alice.KeyID
	if end[key] != `["Inactive"]` || !strings.Contains(end["user alice"], "TrailscanContain") {
		t.Errorf("the key is %s, its user %s", end[key], end["user alice"])
	}
	end[key] = start[key]
	alike(t, "after the clean-up", start, afterContainment(t, end))

	// What is done is not done again.
	proxy.Writes()
	applied(t.Context(), t, x, p)
	applied(t.Context(), t, x, p, reviewed(p)...)
	for _, w := range proxy.Writes() {
		if w != "sts:GetCallerIdentity" {
			t.Errorf("the second run calls %s", w)
		}
	}

	// What went with something that was deleted for good cannot come back.
	if _, err := x.Rollback(t.Context(), x.Journal); err != nil {
		t.Fatal(err)
	}
	back := photograph(t.Context(), t, e.Recorder)
	if back[key] != `["Active"]` || strings.Contains(back["user alice"], "TrailscanContain") || back["user carol"] == start["user carol"] {
		t.Errorf("after the rollback the key is %s, its user %s, carol %s", back[key], back["user alice"], back["user carol"])
	}
}
