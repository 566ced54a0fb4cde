package reports

import (
	"fmt"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/remediate"
	"trailscan/rules"
)

// Texts that an intruder may put into names, agents and parameters.
const (
	hostileHTML     = `<script>alert(1)</script><img src=http://example.com/x onerror=alert(1)>"'</style></svg>`
	hostileMarkdown = "*x* _y_ [click](http://example.com/) ![p](http://example.com/p.png) | `a|b` | # h\n## Heading\n| a | b |"
	hostileTerminal = "\x1b[2J\x1b]0;title\x07 \u009b31m \u202egnp.exe\u202c \u200bhidden \r\noverwritten"
	hostileFormula  = `=HYPERLINK("http://example.com/","x")`
)

// hostileIncident is an incident in which every text that a caller can choose
// is hostile, and every list that a report bounds has something in it.
func hostileIncident() (*Incident, *remediate.Plan) {
	at := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	ptr := func(s string) *time.Time { t := at(s); return &t }
	long := strings.Repeat("very-long-name-", 60)
	key, session, role := "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "ASIAI44QH8DHBEXAMPLE"
	user := "arn:aws:iam::111122223333:user/ci-deploy"
	left := int64(94260)
	l := &lineage.Lineage{
		Keys:                []string{key},
		CompromisedSince:    at("2026-09-28T14:02:11Z"),
		CompromisedSinceWhy: "inferred: first use from 203.0.113.66 with agent " + hostileHTML + hostileMarkdown,
		AsOf:                at("2026-09-28T23:59:00Z"),
		Credentials: []lineage.Credential{
			{ID: key, AccessKeyIDs: []string{key}, Kind: lineage.LongTerm, PrincipalARN: user, AccountID: "111122223333",
				FirstUsed: ptr("2026-09-01T08:00:00Z"), LastUsed: ptr("2026-09-28T17:40:00Z"), EventCount: 1200, Certainty: lineage.Confirmed,
				LiveAtEnd: true, EndedBy: "disabling the key",
				Uses: []lineage.Use{
					{Actor: lineage.Owner, SourceIPs: []string{"198.51.100.7"}, UserAgents: []string{"terraform"}, Regions: []string{"eu-central-1"},
						First: at("2026-09-01T08:00:00Z"), Last: at("2026-09-28T13:00:00Z"), Count: 1100, Why: "seen before"},
					{Actor: lineage.Intruder, SourceIPs: []string{"203.0.113.66"}, UserAgents: []string{hostileTerminal}, Regions: []string{"us-east-1"},
						First: at("2026-09-28T14:02:11Z"), Last: at("2026-09-28T17:40:00Z"), Count: 100, Why: hostileMarkdown},
				}},
			{ID: session, AccessKeyIDs: []string{session}, Kind: lineage.SessionToken, PrincipalARN: user, AccountID: "111122223333", Parent: &key,
				Via: "sts:GetSessionToken", IssuedAt: ptr("2026-09-28T14:10:00Z"), ExpiresAt: ptr("2026-09-30T02:10:00Z"), FirstUsed: ptr("2026-09-28T14:11:00Z"),
				LastUsed: ptr("2026-09-28T14:30:00Z"), EventCount: 12, Certainty: lineage.Confirmed, LiveAtEnd: true, SurvivesKeyDisable: true,
				ValidForSeconds: &left, EndedBy: "a deny on the user " + hostileMarkdown},
			{ID: role, AccessKeyIDs: []string{role}, Kind: lineage.RoleSession, AccountID: "111122223333", Parent: &session, Via: "sts:AssumeRole",
				PrincipalARN: "arn:aws:sts::111122223333:assumed-role/Deploy/" + hostileHTML, SessionName: hostileHTML,
				IssuedAt: ptr("2026-09-28T14:12:00Z"), ExpiresAt: ptr("2026-09-28T15:12:00Z"), ExpiresDerived: true, Certainty: lineage.Inferred,
				Why: hostileTerminal, EndedAt: ptr("2026-09-28T14:50:00Z"), EndedVia: "iam:PutRolePolicy", EndedEventID: "e-revoke",
				EndedWhy: "the policy " + hostileHTML + hostileTerminal + " denies everything"},
		},
		Principals: []lineage.Principal{
			{ARN: "arn:aws:iam::111122223333:user/" + hostileMarkdown, AccountID: "111122223333", Kind: "user", How: lineage.Created,
				EventID: "e-create", Time: at("2026-09-28T14:20:00Z"), Certainty: lineage.Confirmed},
			{ARN: "arn:aws:iam::111122223333:role/" + long, AccountID: "111122223333", Kind: "role", How: lineage.TrustChanged,
				EventID: "e-trust", Time: at("2026-09-28T14:25:00Z"), Certainty: lineage.Inferred, Why: hostileHTML},
		},
		Edges: []lineage.Edge{
			{From: key, To: session, Via: "sts:GetSessionToken", EventID: "e-session", Time: at("2026-09-28T14:10:00Z"), Certainty: lineage.Confirmed},
			{From: session, To: "arn:aws:iam::111122223333:user/" + hostileMarkdown, Via: "iam:CreateUser", EventID: "e-create", Time: at("2026-09-28T14:20:00Z"), Certainty: lineage.Confirmed},
		},
	}
	for i := range 12 {
		id := fmt.Sprintf("ASIAI44QH8DHBEXAM%03d", i)
		l.Credentials = append(l.Credentials, lineage.Credential{ID: id, AccessKeyIDs: []string{id}, Kind: lineage.RoleSession, Parent: &session,
			Via: "sts:AssumeRole", PrincipalARN: fmt.Sprintf("arn:aws:sts::111122223333:assumed-role/Deploy/s%d", i), AccountID: "111122223333",
			IssuedAt: ptr("2026-09-28T15:00:00Z"), Certainty: lineage.Confirmed, LiveAtEnd: i == 7})
	}
	finding := func(id, rule, title string, s rules.Severity, o rules.Outcome, mine bool, when string, resources ...string) rules.Finding {
		return rules.Finding{ID: id, Rule: rule, Title: title, Severity: s, Tactic: "persistence", Techniques: []string{"T1098.001"}, Outcome: o,
			FirstSeen: at(when), LastSeen: at(when), Count: 3, AccountID: "111122223333", Regions: []string{"us-east-1"}, PrincipalID: "AIDACKCEVSQ6C2EXAMPLE",
			PrincipalARN: user, AccessKeyIDs: []string{key}, SourceIPs: []string{"203.0.113.66"}, UserAgents: []string{hostileHTML, hostileFormula, hostileTerminal},
			Resources: resources, EventIDs: []string{"e-create"}, InLineage: mine, Summary: "3 times: " + hostileMarkdown}
	}
	inc := &Incident{
		Totals: Totals{Sources: 3, Damaged: 1, Bytes: 1234567, Events: 5402, Rejected: 2, Duplicates: 7, Conflicts: 1,
			FirstEvent: at("2026-09-01T00:00:00Z"), LastEvent: at("2026-09-28T23:59:00Z")},
		Accounts: []Scope{{"111122223333", 5402, 103, at("2026-09-01T00:00:00Z"), at("2026-09-28T23:59:00Z")}},
		Regions:  []Scope{{hostileHTML, 2, 0, at("2026-09-02T00:00:00Z"), at("2026-09-02T00:00:00Z")}, {"us-east-1", 5400, 103, at("2026-09-01T00:00:00Z"), at("2026-09-28T23:59:00Z")}},
		Coverage: Coverage{
			Scopes: []Covered{
				{AccountID: "111122223333", Region: hostileHTML, First: at("2026-09-02T00:00:00Z"), Last: at("2026-09-02T00:00:00Z"), Hours: 1, Events: 2, Management: 2, Steps: []int64{0, 2, 0, 0}},
				{AccountID: "111122223333", Region: "us-east-1", First: at("2026-09-01T00:00:00Z"), Last: at("2026-09-28T23:59:00Z"), Hours: 600, Events: 5400, Lineage: 103,
					Management: 5390, ManagementReads: 5000, ManagementWrites: 390, Data: 10, Steps: []int64{1000, 0, 2000, 2400}},
			},
			Classes: []Class{
				{Class: "management_read", Events: 5000, Accounts: 1, First: at("2026-09-01T00:00:00Z"), Last: at("2026-09-28T23:59:00Z")},
				{Class: "management_write", Events: 390, Accounts: 1, First: at("2026-09-01T00:00:00Z"), Last: at("2026-09-28T23:59:00Z")},
				{Class: "data", ResourceType: hostileMarkdown, EventSource: hostileHTML, Events: 10, Names: 1, Accounts: 1, First: at("2026-09-02T00:00:00Z"), Last: at("2026-09-02T00:00:00Z")},
			},
			Silences: []Silence{{AccountID: "111122223333", Region: hostileMarkdown, From: at("2026-09-09T00:00:00Z"), Until: at("2026-09-14T00:00:00Z"), Hours: 100, Busy: 0.97, Where: "between events"},
				{AccountID: "111122223333", From: at("2026-09-08T00:00:00Z"), Until: at("2026-09-15T00:00:00Z"), Hours: 168, Busy: 0.99, Where: "between events"}},
			Cuts: []Cut{{AccountID: "111122223333", EventSource: hostileHTML, Field: "requestParameters", How: "omitted", Events: 3, First: at("2026-09-02T00:00:00Z"), Last: at("2026-09-02T00:00:00Z"),
				EventNames: []string{hostileTerminal}, ExampleEvent: hostileFormula}},
			From: at("2026-09-01T00:00:00Z"), StepSeconds: 7 * 24 * 3600,
		},
		Sources: []Source{
			{URI: "/logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/28/a.json.gz", Format: "records+gzip", SHA256: strings.Repeat("ab", 32), Bytes: 1234000, Records: 5402, Status: "loaded", Integrity: "valid",
				FirstEvent: at("2026-09-01T00:00:00Z"), LastEvent: at("2026-09-28T23:59:00Z")},
			{URI: "/logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/28/b.json.gz", Format: "records+gzip", SHA256: strings.Repeat("cd", 32), Bytes: 500, Records: 10, Rejected: 2, Duplicates: 7, Status: "damaged"},
			{URI: "/logs/" + hostileHTML + hostileTerminal + ".json", Format: "ndjson", SHA256: strings.Repeat("ef", 32), Bytes: 67, Records: 1, Status: "loaded"},
		},
		Integrity: Integrity{Verdicts: []VerdictCount{{"valid", 1}}, Unsaid: 2, Flaws: []Flaw{
			{Kind: "log", Verdict: "missing", Key: "AWSLogs/" + hostileMarkdown + hostileHTML, AccountID: "111122223333", Region: "us-east-1", Reason: "its digest lists it, and it is not there"},
			{Kind: "gap", Verdict: "missing_digests", AccountID: "111122223333", Region: hostileHTML, From: at("2026-09-28T14:00:00Z"), To: at("2026-09-28T16:00:00Z"), Reason: hostileTerminal}}},
		Rejects:     []Reject{{Reason: "no JSON: " + hostileMarkdown, Count: 2, Example: "/logs/" + hostileHTML}},
		Gaps:        []Gap{{"no-data-events", rules.High, "No data events were recorded", "Theft of data can be neither shown nor ruled out.", nil}, {"logging-stopped", rules.Critical, "Logging was stopped", "From then on nothing was recorded.", []string{"StopLogging " + hostileHTML + hostileMarkdown}}},
		Lineage:     l,
		Assessment:  []rules.Assessment{{Rule: "TS-PE-002", Assessed: "assessed"}, {Rule: "TS-EX-001", Assessed: "not_assessable", Reason: "no data events of S3"}},
		CaseHistory: []CaseEntry{{at("2026-10-01T09:00:00Z"), "0.1.0", "ingest " + hostileHTML + " `x`"}},
		Findings: []rules.Finding{
			finding("f1", "TS-PE-001", "User created", rules.High, rules.Success, true, "2026-09-28T14:20:00Z", "arn:aws:iam::111122223333:user/"+hostileHTML),
			finding("f2", "TS-PE-002", "Access key created for another user", rules.Critical, rules.Success, true, "2026-09-28T14:21:00Z", hostileFormula, hostileMarkdown),
			finding("f3", "TS-DI-001", "Many denied calls", rules.Medium, rules.Denied, true, "2026-09-28T14:03:00Z"),
			finding("f4", "TS-IA-003", "Sign-in without MFA", rules.Low, rules.Failed, false, "2026-09-12T08:00:00Z", hostileTerminal),
		},
	}
	row := func(when, name, outcome, resource string, regions ...string) Passage {
		return Passage{First: at(when), Last: at(when).Add(90 * time.Second), Count: 40, AccountID: "111122223333", EventSource: "iam.amazonaws.com", EventName: name,
			Outcome: outcome, PrincipalARN: user, AccessKeyID: key, SourceIP: "203.0.113.66", UserAgent: hostileTerminal, Regions: regions,
			Resources: []string{resource}, More: 3, FindingRules: []string{"TS-PE-001"}, EventID: "e-" + when, writes: true}
	}
	inc.Timeline = Narrative{Events: 103, OmittedEvents: 4, Passages: []Passage{
		row("2026-09-28T14:02:11Z", "GetCallerIdentity", "success", hostileHTML, "us-east-1"),
		row("2026-09-28T14:20:00Z", "CreateUser", "denied", hostileMarkdown, "us-east-1", "eu-west-1"),
		row("2026-09-28T17:40:00Z", hostileHTML, hostileHTML, hostileTerminal, hostileHTML),
		row("2026-09-29T00:10:00Z", "DeleteTrail", "success", hostileFormula),
	}}
	inc.Activity = Activity{
		Whole:     Histogram{From: at("2026-09-01T00:00:00Z"), Until: at("2026-09-29T00:00:00Z"), StepSeconds: 6 * 3600, Steps: []ActivityBin{{at("2026-09-01T06:00:00Z"), 40, 0, 0}, {at("2026-09-28T12:00:00Z"), 8, 70, 33}}},
		Intrusion: Histogram{From: at("2026-09-28T14:00:00Z"), Until: at("2026-09-28T18:00:00Z"), StepSeconds: 300, Steps: []ActivityBin{{at("2026-09-28T14:00:00Z"), 0, 4, 30}, {at("2026-09-28T17:40:00Z"), 0, 66, 3}}},
	}
	action := func(id string, p remediate.Phase, m remediate.Mode, title string, rollback []remediate.Call) remediate.Action {
		return remediate.Action{ID: id, Phase: p, Mode: m, AccountID: "111122223333", Region: "us-east-1", Service: "iam", Operation: "UpdateAccessKey",
			Parameters: map[string]any{"UserName": hostileHTML}, Title: title, Reason: "Because " + hostileMarkdown, Risk: "May stop " + hostileHTML,
			Evidence: []string{"e-create"}, Rollback: rollback, CLI: "aws iam update-access-key --user-name '" + hostileHTML + "' --status Inactive " + hostileMarkdown}
	}
	plan := &remediate.Plan{Version: 1, Keys: []string{key}, AccountIDs: []string{"111122223333"}, GeneratedAt: at("2026-10-01T09:00:00Z"),
		LogThrough: at("2026-09-28T23:59:00Z"), Digest: strings.Repeat("0", 64), Actions: []remediate.Action{
			action("a1", remediate.Preserve, remediate.Manual, "Export the logs", nil),
			action("a2", remediate.Contain, remediate.Auto, "Disable the key "+key, []remediate.Call{{Service: "iam", Operation: "UpdateAccessKey", Parameters: map[string]any{"Status": hostileMarkdown}}}),
			action("a3", remediate.Evict, remediate.Review, "Delete the user "+hostileHTML+hostileTerminal, nil),
		}}
	inc.Plan = plan
	return inc, plan
}
