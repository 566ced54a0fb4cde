package rules

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/lineage"
	"trailscan/query"
)

// step is a call of a made-up incident on one day: by a credential, in an account.
type step struct {
	at, by, call          string // "10:00:00", "key", "iam:CreateUser"
	request, response     string // JSON
	denied                string // the message of a denial
	account, region, from string
}

// Who calls: the leaked key, the owner of its account, and sessions that
// "take NAME" gives out.
const (
	leakedKey = "AKIAIOSFODNN7LEAKED1"
	guardKey  = "AKIAIOSFODNN7GUARD01"
)

// sessionKey is the id of the session key that a step issues.
func sessionKey(name string) string {
	return "ASIAIOSFODNN7" + fmt.Sprintf("%07s", strings.ToUpper(name))
}

// take is a step that takes a role's session of that name.
func take(at, by, name string) step {
	return step{at: at, by: by, call: "sts:AssumeRole", request: `{"roleArn":"arn:aws:iam::111122223333:role/Ops","roleSessionName":"` + name + `","durationSeconds":43200}`,
		response: `{"credentials":{"accessKeyId":"` + sessionKey(name) + `","expiration":"Mar 2, 2026, 11:00:00 PM"},"assumedRoleUser":{"assumedRoleId":"AROAIOSFODNN7EXAMPLE:` +
			name + `","arn":"arn:aws:sts::111122223333:assumed-role/Ops/` + name + `"}}`}
}

func (s step) record(i int, taken map[string]string) map[string]any {
	service, name, _ := strings.Cut(s.call, ":")
	user := func(name, key string) map[string]any {
		return map[string]any{"type": "IAMUser", "principalId": "AIDA" + strings.ToUpper(name), "arn": "arn:aws:iam::111122223333:user/" + name,
			"accountId": "111122223333", "userName": name, "accessKeyId": key}
	}
	identity, from := user("alice", leakedKey), "203.0.113.50"
	switch s.by {
	case "key":
	case "guard":
		identity, from = user("guard", guardKey), "192.0.2.5"
	default:
		identity = map[string]any{"type": "AssumedRole", "principalId": "AROAIOSFODNN7EXAMPLE:" + s.by,
			"arn": "arn:aws:sts::111122223333:assumed-role/Ops/" + s.by, "accountId": "111122223333", "accessKeyId": sessionKey(s.by),
			"sessionContext": map[string]any{"attributes": map[string]any{"creationDate": "2026-03-02T" + cmp.Or(taken[s.by], s.at) + "Z"},
				"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAIOSFODNN7EXAMPLE", "arn": "arn:aws:iam::111122223333:role/Ops",
					"accountId": "111122223333", "userName": "Ops"}}}
	}
	r := map[string]any{"eventVersion": "1.11", "eventID": fmt.Sprintf("event-%d", i), "eventTime": "2026-03-02T" + s.at + "Z", "eventSource": service + ".amazonaws.com",
		"eventName": name, "awsRegion": cmp.Or(s.region, "us-east-1"), "sourceIPAddress": cmp.Or(s.from, from), "userAgent": "aws-cli/2.15.30", "userIdentity": identity,
		"requestParameters": json.RawMessage(cmp.Or(s.request, "null")), "responseElements": json.RawMessage(cmp.Or(s.response, "null")),
		"eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management", "recipientAccountId": cmp.Or(s.account, "111122223333")}
	if s.denied != "" {
		r["errorCode"], r["errorMessage"] = "AccessDenied", s.denied
	}
	return r
}

// incident makes the steps all that the case holds, and traces the key.
func incident(t *testing.T, c *query.Case, steps []step) {
	t.Helper()
	taken := map[string]string{}
	var records []map[string]any
	for i, s := range steps {
		if s.call == "sts:AssumeRole" && s.denied == "" {
			var asked struct{ RoleSessionName string }
			if err := json.Unmarshal([]byte(s.request), &asked); err != nil {
				t.Fatal(err)
			}
			taken[asked.RoleSessionName] = s.at
		}
		records = append(records, s.record(i+1, taken))
	}
	data, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	loadOnly(t, c, file)
	if _, err := lineage.Trace(context.Background(), c, []string{leakedKey}, lineage.Options{}); err != nil {
		t.Fatal(err)
	}
}

// told are a rule's findings: the numbers of the events and the resources.
func told(t *testing.T, c *query.Case, id string) string {
	t.Helper()
	pack := []Rule{ruleNamed(t, id)}
	if pack[0].OnFindings {
		pack = Pack()
	}
	findings, _, err := scanAll(context.Background(), c, pack, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range findings {
		if f.Rule != id {
			continue
		}
		var events []string
		for _, e := range f.EventIDs {
			events = append(events, strings.TrimPrefix(e, "event-"))
		}
		if !f.InLineage || f.Count != int64(len(events)) {
			t.Errorf("in the lineage: %t; %d events, count %d", f.InLineage, len(events), f.Count)
		}
		all = append(all, strings.Join(events, ",")+" "+strings.Join(f.Resources, ","))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestLineageRules(t *testing.T) {
	c := openCase(t)
	status := func(at, to string) step {
		return step{at: at, by: "guard", call: "iam:UpdateAccessKey", request: `{"userName":"alice","accessKeyId":"` + leakedKey + `","status":"` + to + `"}`}
	}
	look := func(at, by string) step { return step{at: at, by: by, call: "s3:ListBuckets"} }
	make := func(at, call, request, response string) step {
		return step{at: at, by: "key", call: call, request: request, response: response}
	}
	const instances = `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"},{"instanceId":"i-3"}]}}`
	for _, tc := range []struct {
		name, rule, want string
		steps            []step
	}{
		{"used while the key is disabled", "TS-KEY-002", "3,5 " + sessionKey("a"), []step{
			take("09:00:00", "key", "a"), status("10:00:00", "Inactive"), look("10:10:00", "a"), status("11:00:00", "Active"), look("11:10:00", "a")}},
		{"taken when the key was active again", "TS-KEY-002", "", []step{
			look("09:00:00", "key"), status("10:00:00", "Inactive"), status("11:00:00", "Active"), take("11:10:00", "key", "a"), look("11:20:00", "a")}},
		{"set to active by one who changes nothing", "TS-KEY-002", "", []step{
			take("09:00:00", "key", "a"), status("10:00:00", "Active"), look("10:10:00", "a")}},
		{"some instances left", "TS-KEY-014", "1 i-2", []step{
			make("09:00:00", "ec2:RunInstances", `{}`, instances),
			make("09:10:00", "ec2:TerminateInstances", `{"instancesSet":{"items":[{"instanceId":"i-1"}]}}`, ""),
			{at: "09:20:00", by: "guard", call: "ec2:TerminateInstances", request: `{"instancesSet":{"items":[{"instanceId":"i-3"}]}}`}}},
		{"no instance left", "TS-KEY-014", "", []step{
			make("09:00:00", "ec2:RunInstances", `{}`, instances), make("09:10:00", "ec2:TerminateInstances", instances, "")}},
		{"not terminated, for it was denied", "TS-KEY-014", "1 i-1,i-2,i-3", []step{
			make("09:00:00", "ec2:RunInstances", `{}`, instances), {at: "09:10:00", by: "key", call: "ec2:TerminateInstances", request: instances, denied: "no"}}},
		{"instances of another region", "TS-KEY-014", "1 i-1,i-2,i-3", []step{
			make("09:00:00", "ec2:RunInstances", `{}`, instances), {at: "09:10:00", by: "key", call: "ec2:TerminateInstances", request: instances, region: "eu-west-1"}}},
		{"instances that were terminated", "TS-KEY-016", "2 i-1,i-3", []step{
			make("09:00:00", "ec2:RunInstances", `{}`, instances),
			make("09:10:00", "ec2:TerminateInstances", `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-3"}]}}`, "")}},
		{"several snapshots at once", "TS-KEY-014", "1 snap-1", []step{
			make("09:00:00", "ec2:CreateSnapshots", `{}`, `{"CreateSnapshotsResponse":{"snapshotSet":{"item":[{"snapshotId":"snap-1"},{"snapshotId":"snap-2"}]}}}`),
			make("09:10:00", "ec2:DeleteSnapshot", `{"snapshotId":"snap-2"}`, "")}},
		{"a function deleted by its ARN", "TS-KEY-014", "", []step{
			make("09:00:00", "lambda:CreateFunction20150331", `{"functionName":"f"}`, `{"functionName":"f","role":"arn:aws:iam::111122223333:role/R"}`),
			make("09:10:00", "lambda:DeleteFunction20150331", `{"functionName":"arn:aws:lambda:us-east-1:111122223333:function:f"}`, "")}},
		{"a group deleted by its name", "TS-KEY-014", "", []step{
			make("09:00:00", "ec2:CreateSecurityGroup", `{"groupName":"g"}`, `{"groupId":"sg-1"}`), make("09:10:00", "ec2:DeleteSecurityGroup", `{"groupName":"g"}`, "")}},
		{"a topic and a key deleted by ARN", "TS-KEY-014", "", []step{
			make("09:00:00", "sns:CreateTopic", `{"name":"t"}`, `{"topicArn":"arn:aws:sns:us-east-1:111122223333:t"}`),
			make("09:01:00", "sns:DeleteTopic", `{"topicArn":"arn:aws:sns:us-east-1:111122223333:t"}`, ""),
			make("09:02:00", "kms:CreateKey", `{}`, `{"keyMetadata":{"keyId":"0-1"}}`),
			make("09:03:00", "kms:ScheduleKeyDeletion", `{"keyId":"arn:aws:kms:us-east-1:111122223333:key/0-1"}`, "")}},
		{"another credential of the user deleted", "TS-KEY-014", "1 ACCA1", []step{
			make("09:00:00", "iam:CreateServiceSpecificCredential", `{"userName":"bob"}`, `{"serviceSpecificCredential":{"serviceSpecificCredentialId":"ACCA1","userName":"bob"}}`),
			make("09:01:00", "iam:DeleteServiceSpecificCredential", `{"userName":"bob","serviceSpecificCredentialId":"ACCA2"}`, "")}},
		{"what no member names", "TS-KEY-014", "1 CreateAccountAssignment", []step{
			make("09:00:00", "sso:CreateAccountAssignment", `{"targetId":"111122223333"}`, `{}`)}},
		{"another object of the bucket", "TS-KEY-012", "", []step{
			{at: "09:00:00", by: "key", call: "s3:GetObject", request: `{"bucketName":"b","key":"x/1"}`, denied: "Access Denied"},
			{at: "09:01:00", by: "key", call: "s3:GetObject", request: `{"bucketName":"b","key":"x/2"}`}}},
		{"the same object", "TS-KEY-012", "1 s3.amazonaws.com:GetObject us-east-1 b/x/1; 2 s3.amazonaws.com:GetObject us-east-1 b/x/1", []step{
			{at: "09:00:00", by: "key", call: "s3:GetObject", request: `{"bucketName":"b","key":"x/1"}`, denied: "Access Denied"},
			{at: "09:01:00", by: "key", call: "s3:GetObject", request: `{"bucketName":"b","key":"x/1"}`}}},
		{"another account's role of that name", "TS-KEY-012", "", []step{
			{at: "09:00:00", by: "key", call: "sts:AssumeRole", request: `{"roleArn":"arn:aws:iam::444455556666:role/Ops","roleSessionName":"a"}`, denied: "not authorized"},
			take("09:01:00", "key", "a")}},
		{"another account's secret of that name", "TS-KEY-006", "", []step{
			{at: "09:00:00", by: "key", call: "secretsmanager:GetSecretValue", request: `{"secretId":"db"}`, denied: "not authorized", account: "444455556666"},
			take("09:01:00", "key", "a"),
			{at: "09:02:00", by: "a", call: "secretsmanager:GetSecretValue", request: `{"secretId":"db"}`}}},
		{"denied to the key, allowed to its session", "TS-KEY-006", "3 secretsmanager.amazonaws.com:GetSecretValue", []step{
			{at: "09:00:00", by: "key", call: "secretsmanager:GetSecretValue", request: `{"secretId":"db"}`, denied: "not authorized"},
			take("09:01:00", "key", "a"),
			{at: "09:02:00", by: "a", call: "secretsmanager:GetSecretValue", request: `{"secretId":"db"}`}}},
		{"a network that only a workload of the lineage uses", "TS-KEY-018", "", []step{
			make("09:00:00", "ec2:RunInstances", `{"iamInstanceProfile":{"name":"Ops"}}`, `{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]}}`),
			{at: "09:10:00", by: "i-0123456789abcdef0", call: "s3:ListBuckets", from: "198.51.100.9"},
			{at: "09:11:00", by: "guard", call: "s3:ListBuckets", from: "198.51.100.10"}}},
		{"an instance's role", "TS-KEY-017", "1 i-0123456789abcdef0; 2 arn:aws:iam::111122223333:role/Ops", []step{
			make("09:00:00", "ec2:RunInstances", `{"iamInstanceProfile":{"name":"Ops"}}`, `{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]}}`),
			{at: "09:10:00", by: "i-0123456789abcdef0", call: "s3:ListBuckets", from: "198.51.100.9"}}},
		{"a password by whose it is", "TS-KEY-003", "1 arn:aws:iam::111122223333:user/bob", []step{
			make("09:00:00", "iam:CreateLoginProfile", `{"userName":"bob"}`, `{"loginProfile":{"userName":"bob"}}`)}},
		{"every secret of a batch", "TS-KEY-015", "1 a,b,c", []step{
			make("09:00:00", "secretsmanager:BatchGetSecretValue", `{"secretIdList":["b","a","c"]}`, "")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			incident(t, c, tc.steps)
			if got := told(t, c, tc.rule); got != tc.want {
				t.Errorf("%s finds %q, want %q", tc.rule, got, tc.want)
			}
		})
	}
}

// The list of what must be rotated is whole, however long.
func TestRotationListIsWhole(t *testing.T) {
	const secrets = 1100
	var steps []step
	for i := range secrets {
		steps = append(steps, step{at: fmt.Sprintf("09:%02d:%02d", i/60, i%60), by: "key", call: "secretsmanager:GetSecretValue", request: fmt.Sprintf(`{"secretId":"s%04d"}`, i)})
	}
	c := openCase(t)
	incident(t, c, steps)
	findings, _, err := scanAll(context.Background(), c, []Rule{ruleNamed(t, "TS-KEY-015"), ruleNamed(t, "TS-CA-001")}, Options{})
	if err != nil || len(findings) != 2 {
		t.Fatalf("%d findings, %v", len(findings), err)
	}
	for _, f := range findings {
		want := map[string]int{"TS-KEY-015": secrets, "TS-CA-001": 1000}[f.Rule]
		if len(f.Resources) != want || f.Count != secrets || len(f.EventIDs) != 1000 {
			t.Errorf("%s has %d resources, want %d; count %d, %d event ids", f.Rule, len(f.Resources), want, f.Count, len(f.EventIDs))
		}
	}
}

// An event that several rules find only over the whole lineage names them all.
func TestRerunNamesEveryRule(t *testing.T) {
	steps := []step{take("08:00:00", "key", "a"), take("08:00:01", "key", "b"), take("08:00:02", "key", "c")}
	for i := range 21 {
		steps = append(steps, step{at: fmt.Sprintf("09:00:%02d", i), by: string("abc"[i%3]), call: fmt.Sprintf("ec2:DescribeThing%d", i), denied: "not authorized to perform"})
	}
	c := openCase(t)
	incident(t, c, steps)
	want := "4,7,10,13,16,19,22 TS-DI-002,TS-DI-003; 5,8,11,14,17,20,23 TS-DI-002,TS-DI-003; 6,9,12,15,18,21,24 TS-DI-002,TS-DI-003"
	if got := told(t, c, "TS-KEY-013"); got != want {
		t.Errorf("finds %q, want %q", got, want)
	}
}
