package remediate

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/internal/mototest"
)

// motoAccount is moto, and the calls that set it up.
type motoAccount struct {
	*AWS
	t   *testing.T
	url string
}

func newMotoAccount(t *testing.T) motoAccount {
	t.Helper()
	url := mototest.Start(t)
	mototest.Isolate(t)
	t.Setenv("AWS_ENDPOINT_URL", url)
	a, err := NewAWS(t.Context(), AWSOptions{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return motoAccount{a, t, url}
}

// do makes a call and gives what a path finds in the answer.
func (m motoAccount) do(call, path string, pairs ...any) any {
	m.t.Helper()
	service, operation := splitCall(call)
	a, err := m.Call(m.t.Context(), there, Call{service, operation, iamCall("", pairs...).Parameters})
	if err != nil {
		m.t.Fatal(err)
	}
	if path == "" {
		return nil
	}
	v, err := search(path, a.Result)
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

// post makes a call that trailscan has no need of, and gives the answer.
func (m motoAccount) post(service, path, target, body string) any {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR00000000/20261124/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := answer.Body.Close(); err != nil {
		m.t.Error(err)
	}
	if err != nil || answer.StatusCode >= 300 {
		m.t.Fatalf("%s %s: %s %s %v", service, path, answer.Status, text, err)
	}
	return parseJSON(string(text))
}

// sdkCall is a call with its parameters in pairs.
func sdkCall(name string, pairs ...any) Call {
	service, operation := splitCall(name)
	return Call{service, operation, iamCall("", pairs...).Parameters}
}

// TestMotoServices undoes what an intruder did in services beside IAM, finds it
// done, takes it back, and undoes it again.
func TestMotoServices(t *testing.T) {
	m := newMotoAccount(t)
	const bucket, own, open = "the-logs", `{"Version":"2012-10-17","Statement":[{"Sid":"own","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::the-logs/*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Sid":"open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::the-logs/*"}]}`
	m.do("s3:CreateBucket", "", "Bucket", bucket)
	m.do("s3:PutBucketPolicy", "", "Bucket", bucket, "Policy", open)

	group := m.do("ec2:DescribeSecurityGroups", "SecurityGroups[?GroupName=='default'].GroupId | [0]")
	world := func(port float64) []any {
		return []any{map[string]any{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}}
	}
	for _, port := range []float64{22, 3389} {
		m.do("ec2:AuthorizeSecurityGroupIngress", "", "GroupId", group, "IpPermissions", world(port))
	}
	rule := m.do("ec2:DescribeSecurityGroupRules", "SecurityGroupRules[?FromPort==`3389`].SecurityGroupRuleId | [0]")
	snapshot := m.do("ec2:DescribeSnapshots", "Snapshots[0].SnapshotId")
	share := func(way string) []any {
		return []any{"SnapshotId", snapshot, "Attribute", "createVolumePermission", "OperationType", way, "UserIds", []any{"444455556666"}}
	}
	m.do("ec2:ModifySnapshotAttribute", "", share("add")...)

	key := dig(m.post("kms", "/", "TrentService.CreateKey", `{}`), []string{"KeyMetadata", "KeyId"})
	m.do("kms:ScheduleKeyDeletion", "", "KeyId", key, "PendingWindowInDays", 7)

	role := m.do("iam:CreateRole", "Role.Arn", "RoleName", "fn", "AssumeRolePolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	m.post("lambda", "/2015-03-31/functions", "", fmt.Sprintf(`{"FunctionName":"fn","Runtime":"python3.12","Role":%q,"Handler":"a.b","Code":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}`, role))
	m.do("lambda:AddPermission", "", "FunctionName", "fn", "StatementId", "rogue", "Action", "lambda:InvokeFunction", "Principal", "444455556666")
	m.post("lambda", "/2021-10-31/functions/fn/url", "", `{"AuthType":"NONE"}`)

	m.do("cloudtrail:CreateTrail", "", "Name", "trail", "S3BucketName", bucket)
	m.do("eventbridge:PutRule", "", "Name", "again", "ScheduleExpression", "rate(5 minutes)")
	m.do("eventbridge:PutTargets", "", "Rule", "again", "Targets", []any{map[string]any{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:fn"}})

	actions := []Action{
		do("logging", Preserve, Auto, sdkCall("cloudtrail:StartLogging", "Name", "trail")).with(back(sdkCall("cloudtrail:StopLogging", "Name", "trail"))),
		do("rule", Contain, Auto, sdkCall("eventbridge:DisableRule", "Name", "again")).with(back(sdkCall("eventbridge:EnableRule", "Name", "again"))),
		do("url", Contain, Auto, sdkCall("lambda:UpdateFunctionUrlConfig", "FunctionName", "fn", "AuthType", "AWS_IAM")).with(
			back(sdkCall("lambda:UpdateFunctionUrlConfig", "FunctionName", "fn", "AuthType", "NONE"))),
		do("permission", Evict, Auto, sdkCall("lambda:RemovePermission", "FunctionName", "fn", "StatementId", "rogue")).with(
			back(sdkCall("lambda:AddPermission", "FunctionName", "fn", "StatementId", "rogue", "Action", "lambda:InvokeFunction", "Principal", "444455556666"))),
		do("ssh", Recover, Auto, sdkCall("ec2:RevokeSecurityGroupIngress", "GroupId", group, "IpPermissions", world(22))).with(
			back(sdkCall("ec2:AuthorizeSecurityGroupIngress", "GroupId", group, "IpPermissions", world(22)))),
		do("rdp", Recover, Auto, sdkCall("ec2:RevokeSecurityGroupIngress", "GroupId", group, "SecurityGroupRuleIds", []any{rule})).with(
			back(sdkCall("ec2:AuthorizeSecurityGroupIngress", "GroupId", group, "IpPermissions", world(3389)))),
		do("share", Recover, Auto, sdkCall("ec2:ModifySnapshotAttribute", share("remove")...)).with(back(sdkCall("ec2:ModifySnapshotAttribute", share("add")...))),
		do("key", Recover, Auto, sdkCall("kms:CancelKeyDeletion", "KeyId", key)).with(back(sdkCall("kms:ScheduleKeyDeletion", "KeyId", key, "PendingWindowInDays", 7))),
		do("enable", Recover, Auto, sdkCall("kms:EnableKey", "KeyId", key)).with(func(a *Action) {
			a.DependsOn = []string{"key"}
			a.Rollback = []Call{sdkCall("kms:DisableKey", "KeyId", key)}
		}),
		do("policy", Recover, Auto, sdkCall("s3:PutBucketPolicy", "Bucket", bucket, "Policy", own)).with(back(sdkCall("s3:PutBucketPolicy", "Bucket", bucket, "Policy", open))),
	}
	for i := range actions {
		actions[i].AccountID = mototest.Account
	}
	state := func() string {
		t.Helper()
		return fmt.Sprintln(
			m.do("cloudtrail:GetTrailStatus", "IsLogging", "Name", "trail"),
			m.do("eventbridge:DescribeRule", "State", "Name", "again"),
			m.do("lambda:GetFunctionUrlConfig", "AuthType", "FunctionName", "fn"),
			m.do("ec2:DescribeSecurityGroupRules", "sort(SecurityGroupRules[?FromPort].to_string(FromPort))"),
			m.do("ec2:DescribeSnapshotAttribute", "CreateVolumePermissions", "SnapshotId", snapshot, "Attribute", "createVolumePermission"),
			m.do("kms:DescribeKey", "KeyMetadata.KeyState", "KeyId", key),
			m.do("s3:GetBucketPolicy", "Policy", "Bucket", bucket))
	}
	before := state()
	p := seal(t)
	p.AccountIDs, p.Actions, p.LogThrough = []string{mototest.Account}, actions, time.Now().Add(-time.Hour)
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.Digest, err = p.ComputeDigest(); err != nil {
		t.Fatal(err)
	}
	e := &Executor{Caller: m.AWS, Journal: filepath.Join(t.TempDir(), "plan.journal.ndjson"), Secrets: io.Discard}
	expect := func(status Status, but ...any) {
		t.Helper()
		r, err := e.Apply(t.Context(), p, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		var want []any
		for _, a := range actions {
			want = append(want, a.ID, status)
			if len(but) > 0 && a.ID == but[0] {
				want[len(want)-1] = but[1]
			}
		}
		wantStatus(t, r, want...)
	}
	expect(Done)
	after := state()
	if !strings.Contains(after, "true DISABLED AWS_IAM [-1] [] Enabled") || !strings.Contains(after, `"own"`) {
		t.Errorf("after the apply: %s", after)
	}
	expect(AlreadyDone)
	r, err := e.Rollback(t.Context(), e.Journal)
	if err != nil || r.Failed() {
		t.Fatalf("rollback: %v %v", err, r)
	}
	if now := state(); now != before {
		t.Errorf("after the rollback\n%s\nwant\n%s", now, before)
	}
	// A rule that is put back has another id, which only a new plan can name.
	expect(Done, "rdp", AlreadyDone)
}

// back is the way back of an action.
func back(c Call) func(*Action) { return func(a *Action) { a.Rollback = []Call{c} } }
