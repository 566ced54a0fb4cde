package remediate

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func mustPolicy(t *testing.T, text string) *document {
	t.Helper()
	p, err := parsePolicy(text, "2026-11-02T09:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func policyOf(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

func TestPolicyDenies(t *testing.T) {
	cutoff := start // 09:00
	role := caller{kind: "AssumedRole", arn: "arn:aws:sts::111122223333:assumed-role/Deploy/ci", account: account, id: "AROADEPLOY:ci",
		issuerARN: "arn:aws:iam::111122223333:role/team/Deploy", issuerID: "AROADEPLOY", issued: cutoff.Add(-time.Minute)}
	user := caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID, accessKey: leaked}
	federated := caller{kind: "FederatedUser", arn: "arn:aws:sts::111122223333:federated-user/guest", account: account, id: account + ":guest",
		issuerARN: aliceARN, issued: cutoff.Add(-time.Minute)}
	younger := role
	younger.issued = cutoff
	at := func(c caller, call string, arns ...string) *request {
		source, name := splitCall(call)
		return &request{caller: c, call: call, actions: actionsOf(source, name), resources: arns, region: "eu-west-1", sourceIP: "198.51.100.7"}
	}
	deny := func(rest string) string { return policyOf(`{"Effect":"Deny",` + rest + `}`) }
	all := `"Action":"*","Resource":"*"`
	for _, test := range []struct {
		name   string
		policy string
		r      *request
		want   truth
		why    Reason
	}{
		{"everything", denyAll, at(user, "iam:CreateUser"), yes, ""},
		{"one statement, not a list", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, at(user, "iam:CreateUser"), yes, ""},
		{"an allow denies nothing", policyOf(`{"Effect":"Allow",` + all + `}`), at(user, "iam:CreateUser"), no, ReasonNotDenied},
		{"actions ignore case", deny(`"Action":"IAM:create*","Resource":"*"`), at(user, "iam:CreateUser"), yes, ""},
		{"a question mark is one character", deny(`"Action":"iam:?reateUser","Resource":"*"`), at(user, "iam:CreateUser"), yes, ""},
		{"another action", deny(`"Action":["s3:*","ec2:*"],"Resource":"*"`), at(user, "iam:CreateUser"), no, ReasonAction},
		{"NotAction leaves what it names", deny(`"NotAction":["iam:*"],"Resource":"*"`), at(user, "iam:CreateUser"), no, ReasonAction},
		{"NotAction takes the rest", deny(`"NotAction":["iam:*"],"Resource":"*"`), at(user, "s3:ListBuckets"), yes, ""},
		{"events are not named like actions", deny(`"Action":"s3:ListAllMyBuckets","Resource":"*"`), at(user, "s3:ListBuckets"), yes, ""},
		{"prefixes differ too", deny(`"Action":"cloudwatch:*","Resource":"*"`), at(user, "monitoring:GetMetricData"), yes, ""},
		{"one of two actions is enough", deny(`"Action":"kms:ReEncryptTo","Resource":"*"`), at(user, "kms:ReEncrypt"), yes, ""},
		{"a resource", deny(`"Action":"*","Resource":"arn:aws:s3:::logs/*"`), at(user, "s3:PutObject", "arn:aws:s3:::logs/a/b"), yes, ""},
		{"another resource", deny(`"Action":"*","Resource":"arn:aws:s3:::logs/*"`), at(user, "s3:PutObject", "arn:aws:s3:::data/a"), no, ReasonResource},
		{"NotResource", deny(`"Action":"*","NotResource":"arn:aws:s3:::logs/*"`), at(user, "s3:PutObject", "arn:aws:s3:::data/a"), yes, ""},
		{"a resource that the record does not name", deny(`"Action":"*","Resource":"arn:aws:s3:::logs/*"`), at(user, "s3:PutObject"), unknown, ReasonUndecided},

		{"a token issued before", denyOlder, at(role, "s3:ListBuckets"), yes, ""},
		{"a token issued at the cut-off", denyOlder, at(younger, "s3:ListBuckets"), no, ReasonIssuedLater},
		{"a long-term key has no issue time", denyOlder, at(user, "s3:ListBuckets"), no, ReasonNoIssueTime},
		{"a federation token is not relied on", denyOlder, at(federated, "s3:ListBuckets"), unknown, ReasonUndecided},
		{"the principal's ARN of a session is the role's", deny(all + `,"Condition":{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/team/Dep*"]}}`), at(role, "s3:ListBuckets"), yes, ""},
		{"wildcards of ARNs stay within a part", deny(all + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:*:role/team/Deploy"}}`), at(role, "s3:ListBuckets"), no, ReasonCondition},
		{"… and of a federation token its own", deny(all + `,"Condition":{"ArnLike":{"aws:PrincipalArn":["` + aliceARN + `"]}}`), at(federated, "s3:ListBuckets"), no, ReasonCondition},
		{"one session by its id", deny(all + `,"Condition":{"StringEquals":{"aws:userid":"AROADEPLOY:ci"}}`), at(role, "s3:ListBuckets"), yes, ""},
		{"StringLike", deny(all + `,"Condition":{"StringLike":{"aws:userId":"AROADEPLOY:*"}}`), at(role, "s3:ListBuckets"), yes, ""},
		{"an absent key meets no operator", deny(all + `,"Condition":{"StringEquals":{"aws:SourceIdentity":"jo"}}`), at(role, "s3:ListBuckets"), no, ReasonCondition},
		{"… but a negated one", deny(all + `,"Condition":{"StringNotEquals":{"aws:SourceIdentity":"jo"}}`), at(role, "s3:ListBuckets"), yes, ""},
		{"… and IfExists", deny(all + `,"Condition":{"StringEqualsIfExists":{"aws:SourceIdentity":"jo"}}`), at(role, "s3:ListBuckets"), yes, ""},
		{"… and Null", deny(all + `,"Condition":{"Null":{"aws:TokenIssueTime":"true"}}`), at(user, "s3:ListBuckets"), yes, ""},
		{"all conditions must be met", deny(all + `,"Condition":{"StringEquals":{"aws:userid":"AROADEPLOY:ci","aws:RequestedRegion":"us-east-1"}}`), at(role, "s3:ListBuckets"), no, ReasonCondition},
		{"a network", deny(all + `,"Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), at(user, "s3:ListBuckets"), yes, ""},
		{"a key that no record holds", deny(all + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"x"}}`), at(user, "s3:ListBuckets"), unknown, ReasonUndecided},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, why := mustPolicy(t, test.policy).denies(test.r)
			if got != test.want || why != test.why {
				t.Errorf("denies: %v %q, want %v %q", got, why, test.want, test.why)
			}
		})
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"Statement":3}`, `{"Statement":[{"Effect":"Deny","Condition":7}]}`, `{"Statement":[{"Condition":{"Bool":1}}]}`} {
		if _, err := parsePolicy(bad, ""); err == nil {
			t.Errorf("%q is read as a policy", bad)
		}
	}
}

func TestTrustAdmits(t *testing.T) {
	stranger := caller{kind: "AWSAccount", account: "666677778888", id: "AIDASTRANGER"}
	ours := caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID}
	allow := func(principal, rest string) string {
		return policyOf(`{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + rest + `}`)
	}
	for _, test := range []struct {
		name   string
		policy string
		c      caller
		want   bool
	}{
		{"nobody", trustNobody, ours, false},
		{"the account", allow(`{"AWS":"arn:aws:iam::111122223333:root"}`, ""), ours, true},
		{"the account, not others", allow(`{"AWS":"111122223333"}`, ""), stranger, false},
		{"a user of it", allow(`{"AWS":["`+aliceARN+`"]}`, ""), ours, true},
		{"everybody", allow(`"*"`, ""), stranger, true},
		{"everybody of kind AWS", allow(`{"AWS":"*"}`, ""), stranger, true},
		{"a deny wins", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"},{"Effect":"Deny","Principal":{"AWS":"666677778888"},"Action":"*"}]}`, stranger, false},
		{"a service is no user", allow(`{"Service":"ec2.amazonaws.com"}`, ""), ours, false},
		{"an external id that was not sent", allow(`{"AWS":"666677778888"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"x"}}`), stranger, false},
		{"what cannot be told lets in", allow(`{"AWS":"666677778888"}`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`), stranger, true},
	} {
		r := &request{caller: test.c, call: "sts:AssumeRole", actions: []string{"sts:AssumeRole"}}
		if got := mustPolicy(t, test.policy).admits(r); got != test.want {
			t.Errorf("%s: admits %v, want %v", test.name, got, test.want)
		}
	}
}

func TestActionsOf(t *testing.T) {
	for call, want := range map[string]string{
		"iam:CreateUser": "iam:CreateUser", "s3:ListBuckets": "s3:ListAllMyBuckets", "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
		"monitoring:PutMetricAlarm": "cloudwatch:PutMetricAlarm", "email:SendEmail": "ses:SendEmail", "apigateway:CreateRestApi": "apigateway:POST",
		"apigateway:GetRestApis": "apigateway:GET", "budgets:DescribeBudgets": "budgets:ViewBudget", "runtime.sagemaker:InvokeEndpoint": "sagemaker:InvokeEndpoint",
		"lambda:Invoke": "lambda:InvokeFunction", "signin:SwitchRole": "sts:AssumeRole", "bedrock:Converse": "bedrock:InvokeModel",
	} {
		source, name := call[:strings.LastIndex(call, ":")], call[strings.LastIndex(call, ":")+1:]
		if got := strings.Join(actionsOf(source, name), " "); got != want {
			t.Errorf("%s: %s, want %s", call, got, want)
		}
	}
}

// A pattern from a plan meets text from a log: neither may make matching slow.
func TestWildcardIsNotExponential(t *testing.T) {
	began := time.Now()
	if wildcard(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 20000)) {
		t.Error("matches")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{denyAll, denyOlder, trustNobody, `{"Statement":[{"Effect":"Deny","NotAction":"a:*","NotResource":"x","NotPrincipal":{"AWS":["1"]},"Condition":{"ForAllValues:StringNotLikeIfExists":{"aws:userid":[1,true,"*"]}}}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text, "2026-11-02T09:00:00Z")
		if err != nil {
			return
		}
		r := &request{caller: caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID}, call: "iam:CreateUser", actions: []string{"iam:CreateUser"}}
		a, _ := p.denies(r)
		b, _, _ := p.deniesAll(r)
		if b == yes && a == no && !strings.Contains(text, "rincipal") {
			t.Errorf("%s denies everything, and not iam:CreateUser", fmt.Sprintf("%.200q", text))
		}
		p.admits(r)
	})
}

func TestDenialIsOn(t *testing.T) {
	alice := subject{account, "user", "alice"}
	for _, test := range []struct {
		name string
		d    denial
		s    subject
		id   string
		want bool
	}{
		{"the name, where no id is known", denial{holder: alice}, alice, aliceID, true},
		{"name and id", denial{holder: alice, id: aliceID}, alice, aliceID, true},
		{"the name of one that was made anew", denial{holder: alice, id: aliceID}, alice, "AIDAANOTHER", false},
		{"another name, by an edited plan", denial{holder: subject{account, "user", "eve"}, id: aliceID}, alice, aliceID, false},
		{"another name, after a renaming", denial{holder: subject{account, "user", "eve"}, id: aliceID, renamed: true}, alice, aliceID, true},
		{"another account", denial{holder: subject{"444455556666", "user", "alice"}}, alice, "", false},
		{"a role of that name", denial{holder: subject{account, "role", "alice"}}, alice, "", false},
	} {
		if got := test.d.is(test.s, test.id); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
