package rules

import (
	"trailscan/internal/casetest"

	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNeedsAreDerived(t *testing.T) {
	for _, tc := range []struct {
		name string
		rule Rule
		want []Class
	}{
		{"names in lower case", Rule{Where: `(lower(event_source) = 's3.amazonaws.com' AND lower(event_name) IN ('getobject', 'putobject'))`}, []Class{S3Data}},
		{"reads in lower case", Rule{Where: `lower(event_name) LIKE 'list%'`}, []Class{ManagementRead}},
		{"any event", Rule{Where: `identity_type = 'Root'`}, []Class{AnyEvent}},
		{"change to IAM", Rule{Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateUser'`}, []Class{GlobalService, ManagementWrite}},
		{"IAM read", Rule{Where: `event_source = 'iam.amazonaws.com' AND event_name = 'ListUsers'`}, []Class{GlobalService, ManagementRead}},
		{"IAM without a name", Rule{Where: `event_source = 'iam.amazonaws.com' AND read_only = false`}, []Class{GlobalService, Management}},
		{"IAM and another", Rule{Where: `event_source IN ('iam.amazonaws.com', 'ec2.amazonaws.com') AND event_name IN ('AddRoleToInstanceProfile', 'AssociateIamInstanceProfile')`}, []Class{ManagementWrite}},
		{"change elsewhere", Rule{Where: `event_source = 'ec2.amazonaws.com' AND event_name IN ('RunInstances', 'StartInstances')`}, []Class{ManagementWrite}},
		{"reads", Rule{Where: `event_name IN ('ListUsers', 'GetUser')`}, []Class{ManagementRead}},
		{"what only sounds like a read", Rule{Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetFederationToken'`}, []Class{ManagementWrite}},
		{"reads by pattern", Rule{Where: `event_name LIKE 'Describe%'`}, []Class{ManagementRead}},
		{"role assumed", Rule{Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'`}, []Class{ManagementRead}},
		{"reads and writes", Rule{Where: `event_name IN ('ListUsers', 'CreateUser')`}, []Class{Management}},
		{"sign-in", Rule{Where: `event_source = 'signin.amazonaws.com' AND event_name IN ('ConsoleLogin', 'GetSigninToken')`}, []Class{SignIn}},
		{"sign-in without a name", Rule{Where: `event_source = 'signin.amazonaws.com'`}, []Class{SignIn}},
		{"objects", Rule{Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject'`}, []Class{S3Data}},
		{"object lock of a bucket", Rule{Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutObjectLockConfiguration'`}, []Class{ManagementWrite}},
		{"invocation", Rule{Where: `event_source = 'lambda.amazonaws.com' AND event_name = 'Invoke'`}, []Class{LambdaData}},
		{"network", Rule{Where: `event_category = 'NetworkActivity'`}, []Class{NetworkActivity}},
		{"stated", Rule{Where: `event_name = 'CreateUser'`, Needs: OtherData}, []Class{OtherData}},
		{"every step", Rule{Sequence: &Sequence{Steps: []Step{
			{Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateLoginProfile'`},
			{Where: `event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'`}}}}, []Class{GlobalService, ManagementWrite, SignIn}},
		{"step named by the rule", Rule{Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'`, Sequence: &Sequence{Steps: []Step{
			{Where: `outcome = 'denied'`}, {Where: `outcome = 'success'`}}}}, []Class{ManagementRead}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.rule.needs(); !slices.Equal(got, tc.want) {
				t.Errorf("needs %v, want %v", got, tc.want)
			}
		})
	}
}

func TestRulesOfTheLineageNeedATrace(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "CreateUser", who: "a", intruder: true}, {name: "CreateUser", who: "b"}})
	r := Rule{ID: "TS-KEY-901", Lineage: true, Where: `event_name = 'CreateUser'`, Needs: AnyEvent}
	findings, assessments, err := scanAll(context.Background(), c, []Rule{r}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) > 0 || assessments[0].Assessed != NotAssessed || !strings.Contains(assessments[0].Reason, "trailscan trace KEY") {
		t.Errorf("without a trace: %d findings, %+v", len(findings), assessments[0])
	}
	if _, err := c.DB.Exec(`INSERT INTO lineage (keys) VALUES (['AKIAIOSFODNN7EXAMPLE'])`); err != nil {
		t.Fatal(err)
	}
	if findings, assessments, err = scanAll(context.Background(), c, []Rule{r}, Options{}); err != nil {
		t.Fatal(err)
	}
	if assessments[0].Assessed != Assessed || len(findings) != 2 {
		t.Errorf("with one: %d findings, %+v", len(findings), assessments[0])
	}
	for _, f := range findings {
		if !f.InLineage {
			t.Errorf("%s does not count as the lineage's", f.Summary)
		}
	}
}

func TestAssessment(t *testing.T) {
	reads := Rule{ID: "TS-XX-921", Where: `event_name = 'AssumeRole'`}
	objects := Rule{ID: "TS-XX-922", Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject'`}
	signIn := Rule{ID: "TS-XX-923", Where: `event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'`}
	user := Rule{ID: "TS-XX-924", Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateUser'`}
	fresh := Rule{ID: "TS-XX-925", Where: `true`, FirstSeen: &FirstSeen{Key: []string{"event_name"}, Learn: 7 * 24 * time.Hour}}
	const columns = `(event_id, event_time, event_source, event_name, aws_region, read_only, event_category, source_id, record_index) VALUES `
	for _, tc := range []struct {
		name, rows string
		rule       Rule
		assessed   string
		reason     string
	}{
		{"empty case", ``, user, NotAssessable, "region where global services"},
		{"Insights only", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'RunInstances', 'us-east-1', NULL, 'Insight', 1, 0)`, Rule{ID: "TS-XX-926", Where: `identity_type = 'Root'`}, NotAssessable, "no events that somebody caused"},
		{"writes only", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'RunInstances', 'us-east-1', false, 'Management', 1, 0)`, reads, NotAssessable, "no read-only"},
		{"reads only", `('a', TIMESTAMP '2026-03-01', 'iam.amazonaws.com', 'ListUsers', 'us-east-1', true, 'Management', 1, 0)`, user, NotAssessable, "records reads only"},
		{"with reads", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'DescribeInstances', 'us-east-1', true, 'Management', 1, 0)`, reads, Assessed, ""},
		{"old record that says nothing of reading", `('a', TIMESTAMP '2016-03-01', 'ec2.amazonaws.com', 'DescribeInstances', 'us-east-1', NULL, NULL, 1, 0)`, reads, Assessed, ""},
		{"no data events", `('a', TIMESTAMP '2026-03-01', 's3.amazonaws.com', 'ListBuckets', 'us-east-1', true, 'Management', 1, 0)`, objects, NotAssessable, "no S3 data events"},
		{"data events", `('a', TIMESTAMP '2026-03-01', 's3.amazonaws.com', 'PutObject', 'us-east-1', false, 'Data', 1, 0)`, objects, Assessed, ""},
		{"data events of old records", `('a', TIMESTAMP '2018-03-01', 's3.amazonaws.com', 'PutObject', 'us-east-1', false, NULL, 1, 0)`, objects, Assessed, ""},
		{"no home region", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'RunInstances', 'eu-west-1', false, 'Management', 1, 0)`, user, NotAssessable, "us-east-1"},
		{"no home region for sign-ins", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'RunInstances', 'eu-west-1', false, 'Management', 1, 0)`, signIn, NotAssessable, "no sign-in events"},
		{"sign-in elsewhere", `('a', TIMESTAMP '2026-03-01', 'signin.amazonaws.com', 'ConsoleLogin', 'eu-west-1', false, 'Management', 1, 0)`, signIn, Assessed, ""},
		{"home region of another partition", `('a', TIMESTAMP '2026-03-01', 'ec2.amazonaws.com', 'RunInstances', 'cn-north-1', false, 'Management', 1, 0)`, user, Assessed, ""},
		{"too short to learn", `('a', TIMESTAMP '2026-03-01', 'x', 'y', 'us-east-1', false, 'Management', 1, 0), ('b', TIMESTAMP '2026-03-03', 'x', 'y', 'us-east-1', false, 'Management', 1, 1)`, fresh, NotAssessable, "7 days, and the case spans 2 days"},
		{"long enough to learn", `('a', TIMESTAMP '2026-03-01', 'x', 'y', 'us-east-1', false, 'Management', 1, 0), ('b', TIMESTAMP '2026-03-09', 'x', 'y', 'us-east-1', false, 'Management', 1, 1)`, fresh, Assessed, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := openCase(t)
			if tc.rows != "" {
				casetest.Insert(t, c.DB, columns+tc.rows)
			}
			got, err := Scan(context.Background(), c, []Rule{tc.rule}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Assessed != tc.assessed || !strings.Contains(got[0].Reason, tc.reason) {
				t.Errorf("assessment is %+v", got[0])
			}
		})
	}
}
