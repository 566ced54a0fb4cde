package remediate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/lineage"
)

// TestWhoElseUsesIt shows that the risk of a deny names who else used the role.
func TestWhoElseUsesIt(t *testing.T) {
	u := use{calls: 12, last: start, services: "s3", who: []string{"build-1", "build-2"}, whoCount: 40}
	const want = "Others (build-1, build-2 and 38 more) made 12 calls through this role since 30 days before the compromise, the last at 2026-11-02T09:00:00Z, to s3: that use stops."
	if got := u.risk("this role", stopsUse); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestServiceControlPolicies shows that the texts keep to AWS's size and that
// each names its principals alone.
func TestServiceControlPolicies(t *testing.T) {
	var arns []string
	for i := range 150 {
		arns = append(arns, fmt.Sprintf("arn:aws:iam::111122223333:user/backdoor-%04d", i))
	}
	texts := scpTexts(arns, true)
	if len(texts) != 2 {
		t.Errorf("%d texts", len(texts))
	}
	all := strings.Join(texts, "")
	for _, arn := range arns {
		if strings.Count(all, `"`+arn+`"`) != 1 {
			t.Errorf("%s is not there once", arn)
		}
	}
	for _, text := range texts {
		if len(strings.ReplaceAll(text, stopTime, nowForm)) > maxSCP {
			t.Errorf("a text has %d characters", len(text))
		}
	}
	if got := scpAdvice(make([]string, 5), "aws", account); len(got) != 1 || !strings.Contains(got[0], `"ArnNotLike"`) || len(got[0]) > 1000 {
		t.Errorf("advice for five policies: %s", got)
	}
	if got := matchable("arn:aws:sts::111122223333:federated-user/*"); got != nil {
		t.Errorf("a name of the log matches everybody: %v", got)
	}
	h := &holder{subject: subject{account, "role", "Deploy"}, arn: "arn:aws:sts::111122223333:assumed-role/Deploy/s"}
	if got := h.principalARNs(); !slices.Equal(got, []string{"arn:aws:iam::111122223333:role/Deploy", "arn:aws:iam::111122223333:role/*/Deploy"}) {
		t.Errorf("a role's ARNs: %v", got)
	}
}

// TestWhatComesBackGoesFirst shows the order of eviction and of deadlines.
func TestWhatComesBackGoesFirst(t *testing.T) {
	p := story{calls: []call{
		{by: leaked, api: "events:PutRule", rq: object{"name": "again"}},
		{by: leaked, at: time.Minute, api: "lambda:CreateFunctionUrlConfig", rq: object{"functionName": "f"}, rs: object{"functionUrl": "https://x"}},
		{by: leaked, at: 2 * time.Minute, api: "iam:CreateUser", rq: object{"userName": "u"}, rs: object{"user": object{"userName": "u", "userId": "AIDAU", "arn": "arn:aws:iam::111122223333:user/u"}}},
		{by: leaked, at: 3 * time.Minute, api: "lambda:CreateFunction20150331", rq: object{"functionName": "g"}},
		{by: leaked, at: 4 * time.Minute, api: "s3:PutBucketPolicy", rq: object{"bucketName": "b", "bucketPolicy": object{"a": "b"}}},
		{by: leaked, at: 5 * time.Minute, api: "kms:ScheduleKeyDeletion", rq: object{"keyId": "1234abcd"}, rs: object{"keyId": "arn:aws:kms:us-east-1:111122223333:key/1234abcd", "deletionDate": "Nov 9, 2026, 9:00:00 AM"}},
		{by: leaked, at: 6 * time.Minute, api: "s3:PutBucketLifecycle", rq: object{"bucketName": "b"}},
	}}.plan(t)
	place := map[string]int{}
	for i, a := range p.Actions {
		if _, ok := place[a.Operation]; !ok || a.Phase == Recover {
			place[string(a.Phase)+" "+a.Operation] = i
		}
		if _, ok := place[a.Operation]; !ok {
			place[a.Operation] = i
		}
	}
	for _, pair := range [][2]string{
		{"DisableRule", "DeleteFunctionUrlConfig"}, {"DeleteFunctionUrlConfig", "DeleteFunction"}, {"DeleteFunction", "DeleteUser"},
		{"DeleteBucketLifecycle", "CancelKeyDeletion"}, {"CancelKeyDeletion", "EnableKey"}, {"EnableKey", "DeleteBucketPolicy"},
	} {
		a, okA := place[pair[0]]
		b, okB := place[pair[1]]
		if !okA || !okB || a > b {
			t.Errorf("%s at %d, %s at %d", pair[0], a, pair[1], b)
		}
	}
}

// TestManyPrincipals shows that a plan grows with the number of principals, not
// with its square.
func TestManyPrincipals(t *testing.T) {
	const users = 1000
	s := story{credentials: []lineage.Credential{leakedKey()}}
	for i := range users {
		name := fmt.Sprintf("user-%04d", i)
		arn := "arn:aws:iam::111122223333:user/" + name
		at := time.Duration(i) * time.Second
		s.calls = append(s.calls,
			call{by: leaked, at: at, api: "iam:CreateUser", rq: object{"userName": name}, rs: object{"user": object{"userName": name, "userId": "AIDA" + name, "arn": arn}}},
			call{by: leaked, at: at, api: "iam:CreateAccessKey", rq: object{"userName": name}, rs: object{"accessKey": object{"userName": name, "accessKeyId": "AKIA" + name}}})
		s.principals = append(s.principals, lineage.Principal{ARN: arn, PrincipalID: "AIDA" + name, AccountID: account, Kind: "user", How: lineage.Created, EventID: fmt.Sprintf("event-%03d", 2*i), Time: start.Add(at)})
		s.credentials = append(s.credentials, lineage.Credential{ID: "AKIA" + name, AccessKeyIDs: []string{"AKIA" + name}, Kind: lineage.LongTerm, PrincipalARN: arn,
			AccountID: account, Parent: ptr(leaked), Via: "iam:CreateAccessKey", IssuedEventID: fmt.Sprintf("event-%03d", 2*i+1)})
	}
	c, l := s.open(t)
	began := time.Now()
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	waits, longest := 0, 0
	for _, a := range p.Actions {
		waits += len(a.DependsOn)
		longest = max(longest, len(a.Reason))
	}
	text, err := compactJSON(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d actions, %d dependencies, %d MB, %v", len(p.Actions), waits, len(text)>>20, took)
	if perUser := waits / users; perUser > 60 {
		t.Errorf("%d dependencies a user", perUser)
	}
	if took > 2*time.Minute || longest > 30_000 {
		t.Errorf("took %v, the longest reason has %d characters", took, longest)
	}
}

// TestEvictionWaitsForTheGate shows that what comes after the denies waits for
// all of them through one action an account.
func TestEvictionWaitsForTheGate(t *testing.T) {
	s := smallIncident()
	s.credentials = slices.DeleteFunc(s.credentials, func(c lineage.Credential) bool { return c.Kind == lineage.RoleSession })
	s.calls = slices.DeleteFunc(s.calls, func(c call) bool { return c.by == "ASIADeploy" })
	p := s.plan(t)
	gate := find(p, Revoke, "iam:PutUserPolicy")
	if len(gate) != 1 || gate[0].Parameters["UserName"] != "alice" || gate[0].Mode != Auto || len(gate[0].DependsOn) != 2 {
		t.Fatalf("gates: %+v", gate)
	}
	for _, a := range p.Actions {
		if a.Phase == Evict && a.Mode != Manual && !slices.Contains(a.DependsOn, gate[0].ID) {
			t.Errorf("%s does not wait for the gate: %v", a.ID, a.DependsOn)
		}
	}
	signable(t, p)
}

// TestAnyLineage makes plans of whatever credentials: they are valid, a person
// can answer for what they do, nothing is done to a role that nobody can change,
// and each credential that still works is dealt with.
func TestAnyLineage(t *testing.T) {
	kinds := []lineage.Kind{lineage.LongTerm, lineage.SessionToken, lineage.RoleSession, lineage.FederationToken, lineage.Console, lineage.ServiceForwarded,
		lineage.ServiceSpecific, lineage.SSHKey, lineage.Certificate, lineage.Password, lineage.Unknown}
	arns := []string{"", "no ARN", "arn:aws:iam::111122223333:user/a/path/carol", "arn:aws:iam::111122223333:root", "arn:aws:iam::777788889999:user/far",
		"arn:aws:sts::111122223333:assumed-role/Deploy/s", "arn:aws:sts::777788889999:assumed-role/Far/s", "arn:aws:sts::111122223333:federated-user/*",
		"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/x", "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/x",
		"arn:aws:identitystore:::user/u-1", "arn:aws:iam::111122223333:user/${now}"}
	vias := []string{"", "sts:AssumeRole", "iam:CreateAccessKey", "lambda:UpdateFunctionCode", "ec2:RunInstances", "rolesanywhere:CreateSession", "signin:CreateOAuth2Token", "glue:UpdateJob"}
	sessions := []string{"", "s", "i-0123456789abcdef0", "0123456789abcdef0123456789abcdef", "${item}", "f"}
	rapid.Check(t, func(t *rapid.T) {
		l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start, AsOf: start.Add(time.Hour), Credentials: []lineage.Credential{leakedKey()}}
		l.Credentials[0].IssuedEventID = "event-root"
		for i := range rapid.IntRange(1, 12).Draw(t, "credentials") {
			parent := rapid.SampledFrom(l.Credentials).Draw(t, "parent").ID
			l.Credentials = append(l.Credentials, lineage.Credential{
				ID: fmt.Sprintf("ID-%d", i), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), PrincipalARN: rapid.SampledFrom(arns).Draw(t, "arn"), AccountID: account,
				SessionName: rapid.SampledFrom(sessions).Draw(t, "session"), Parent: ptr(parent), Via: rapid.SampledFrom(vias).Draw(t, "via"), IssuedEventID: fmt.Sprintf("event-%d", i),
			})
		}
		p, err := newPlan(l, &evidence{accounts: map[string]bool{account: true}})
		if err != nil {
			t.Fatal(err)
		}
		signable(t, p)
		shown := map[string]bool{}
		for _, a := range p.Actions {
			name, _ := a.Parameters["RoleName"].(string)
			if a.Mode != Manual && (strings.HasPrefix(name, "AWSReservedSSO") || strings.HasPrefix(name, "AWSServiceRoleFor") || a.AccountID == "777788889999") {
				t.Errorf("%s acts on what it cannot change", a.ID)
			}
			if a.Phase == Contain || a.Phase == Revoke {
				for _, id := range a.Evidence {
					shown[id] = true
				}
			}
		}
		for _, c := range l.Credentials {
			if c.Kind != lineage.ServiceForwarded && !shown[c.IssuedEventID] {
				t.Errorf("nothing deals with %s %s of %q", c.Kind, c.ID, c.PrincipalARN)
			}
		}
	})
}
