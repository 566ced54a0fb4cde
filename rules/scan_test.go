package rules

import (
	"trailscan/internal/casetest"

	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScanGroupsFindings(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{
		{at: 50, name: "CreateUser", who: "alice", on: "bob", ip: "198.51.100.7", intruder: true},
		{at: 60, name: "CreateAccessKey", who: "alice", on: "carol", ip: "198.51.100.7", intruder: true},
		{at: 10, name: "CreateUser", who: "alice", on: "dave", ip: "192.0.2.1"},
		{at: 20, name: "CreateUser", who: "alice", on: "erin\nx", ip: "192.0.2.1", err: "AccessDenied"},
		{at: 30, name: "CreateUser", who: "alice", on: "erin", ip: "192.0.2.1", err: "LimitExceeded"},
		{at: 40, name: "CreateUser", on: "frank"},
		{at: 70, name: "DeleteUser", who: "alice", on: "frank"},
	})
	ctx := context.Background()
	findings, assessments, err := scanAll(ctx, c, []Rule{anyCreate}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s %s %s %d %v %v", f.PrincipalID, f.Outcome, f.Severity, f.Count, f.InLineage, f.EventIDs))
	}
	want := []string{
		"alice success high 1 false [e02]",
		"alice denied medium 1 false [e03]",
		"alice failed medium 1 false [e04]",
		"arn:aws:iam::111122223333:user/ success high 1 false [e05]", // no principal id: the ARN stands in
		"alice success high 2 true [e00 e01]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	last := findings[4]
	if got, want := last.Summary, "User alice called CreateAccessKey and CreateUser on bob and carol twice from 198.51.100.7 in us-east-1."; got != want {
		t.Errorf("summary is %q, want %q", got, want)
	}
	if got, want := findings[1].Summary, "User alice was denied CreateUser on erin x once from 192.0.2.1 in us-east-1."; got != want {
		t.Errorf("summary is %q, want %q", got, want)
	}
	if !last.FirstSeen.Equal(base.Add(50*time.Second)) || !last.LastSeen.Equal(base.Add(60*time.Second)) || last.FirstSeen.Location() != time.UTC {
		t.Errorf("seen from %s to %s", last.FirstSeen, last.LastSeen)
	}
	if want := []string{"bob", "carol"}; !slices.Equal(last.Resources, want) {
		t.Errorf("resources are %v, want %v", last.Resources, want)
	}

	stored, storedAssessments, err := Load(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(stored, findings) || !reflect.DeepEqual(storedAssessments, assessments) {
		t.Errorf("the case holds\n%+v\n%+v\nwant\n%+v\n%+v", stored, storedAssessments, findings, assessments)
	}

	// A second scan replaces the first.
	again, _, err := scanAll(ctx, c, []Rule{failedLogins}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stored, storedAssessments, err = Load(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(again) != 0 || len(stored) != 0 || len(storedAssessments) != 1 {
		t.Errorf("after another scan the case holds %d findings, %d assessments", len(stored), len(storedAssessments))
	}
}

func TestEmptyListsAreNoNulls(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "CreateUser", who: "alice"}})
	findings, _, err := scanAll(context.Background(), c, []Rule{anyCreate}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(findings)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") || !strings.Contains(string(text), `"source_ips":[]`) {
		t.Errorf("JSON is %s", text)
	}
}

func TestScanBetweenTimes(t *testing.T) {
	c := openCase(t)
	day := 24 * 3600
	put(t, c, []ev{
		{at: 0, name: "CreateUser", who: "a", ip: "192.0.2.1"},
		{at: 2 * day, name: "CreateUser", who: "a", ip: "192.0.2.2"},
		{at: 3*day + 1, name: "CreateUser", who: "a", ip: "192.0.2.2"},
		{at: 4 * day, name: "CreateUser", who: "a", ip: "192.0.2.3"},
	})
	at := func(seconds int) time.Time { return base.Add(time.Duration(seconds) * time.Second) }
	for _, tc := range []struct {
		name string
		rule Rule
		o    Options
		want string
	}{
		{"all", anyCreate, Options{}, "e00 e01 e02 e03"},
		{"since is included", anyCreate, Options{Since: at(2 * day)}, "e01 e02 e03"},
		{"until is not", anyCreate, Options{Until: at(4 * day)}, "e00 e01 e02"},
		{"another zone is the same time", anyCreate, Options{Since: at(4 * day).In(time.FixedZone("", 7200))}, "e03"},
		{"history before since still counts", newAddress, Options{Since: at(3 * day)}, "e03"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			findings, _, err := scanAll(context.Background(), c, []Rule{tc.rule}, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range findings {
				got = append(got, f.EventIDs...)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("found %v, want %s", got, tc.want)
			}
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	c := openCase(t)
	casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, principal_id,
			recipient_account_id, source_ip_address, source_id, record_index)
		SELECT 'id' || (10000 - i), TIMESTAMP '2026-03-01' + to_seconds(i), 'iam.amazonaws.com', 'CreateUser', 'a',
			'111122223333', '10.0.' || (i // 200) || '.' || (i % 200), 1, i
		FROM range(3000) AS t(i)`)
	findings, _, err := scanAll(context.Background(), c, []Rule{anyCreate}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := findings[0]
	if f.Count != 3000 || len(f.EventIDs) != 1000 || f.EventIDs[0] != "id10000" || f.EventIDs[999] != "id9001" {
		t.Errorf("%d events, %d ids from %s", f.Count, len(f.EventIDs), f.EventIDs[0])
	}
	if len(f.SourceIPs) != 1000 || !slices.IsSorted(f.SourceIPs) {
		t.Errorf("%d addresses, the first %s", len(f.SourceIPs), f.SourceIPs[0])
	}
	if want := "10.0.0.0, 10.0.0.1 and 2998 others"; !strings.Contains(f.Summary, want) {
		t.Errorf("summary %q does not say %q", f.Summary, want)
	}
}

func TestScanOfRulesOnFindings(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "A", who: "a"}, {name: "B", who: "a"}, {name: "C", who: "a"}, {name: "D", who: "a"}, {name: "E", who: "a"}})
	counted := ruleByID(t, "TS-XX-001")
	pack := []Rule{counted} // its place is no matter: it runs last
	for i, name := range []string{"A", "B", "C"} {
		pack = append(pack, Rule{ID: fmt.Sprintf("TS-PE-90%d", i), Severity: Medium, Where: "event_name = " + quote(name)})
	}
	low := Rule{ID: "TS-PE-903", Severity: Low, Where: `event_name = 'D'`}
	sameBehaviour := Rule{ID: "TS-PE-902b", Severity: High, Where: `event_name = 'D'`}
	fourth := Rule{ID: "TS-PE-904", Severity: Medium, Where: `event_name = 'D'`}
	for _, tc := range []struct {
		name string
		pack []Rule
		want string
	}{
		{"too few", pack, ""},
		{"low does not count", append(pack[:4:4], low), ""},
		{"one behaviour counts once", append(pack[:4:4], sameBehaviour), ""},
		{"enough", append(pack[:4:4], fourth), "e00 e01 e02 e03"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			findings, assessments, err := scanAll(context.Background(), c, tc.pack, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range findings {
				if f.Rule == counted.ID {
					got = append(got, f.EventIDs...)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("found %v, want %s", got, tc.want)
			}
			if assessments[0].Rule != counted.ID || assessments[0].Assessed != Assessed {
				t.Errorf("assessment is %+v", assessments[0])
			}
		})
	}
	_, assessments, err := scanAll(context.Background(), c, []Rule{counted}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if assessments[0].Assessed != NotAssessed || !strings.Contains(assessments[0].Reason, "other rules") {
		t.Errorf("alone: %+v", assessments[0])
	}
}

func TestScanOfRulesWithAList(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "CreateUser", who: "a", ip: "192.0.2.1"}, {name: "CreateUser", who: "b", ip: "192.0.2.2"}})
	r := Rule{ID: "TS-XX-909", List: "hostile", Where: `source_ip_address IN (SELECT value FROM lists WHERE name = 'hostile')`}
	for _, tc := range []struct {
		name     string
		lists    map[string][]string
		findings int
		assessed string
	}{
		{"not given", nil, 0, NotAssessed},
		{"given", map[string][]string{"hostile": {"192.0.2.2", "192.0.2.3"}}, 1, Assessed},
		{"held by the case", map[string][]string{"other": {"192.0.2.1"}}, 1, Assessed},
		{"given as empty", map[string][]string{"hostile": {}}, 0, NotAssessed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			findings, assessments, err := scanAll(context.Background(), c, []Rule{r}, Options{Lists: tc.lists})
			if err != nil {
				t.Fatal(err)
			}
			if len(findings) != tc.findings || assessments[0].Assessed != tc.assessed {
				t.Errorf("%d findings, %+v", len(findings), assessments)
			}
		})
	}
}

func TestScanKeepsWhatWasRefused(t *testing.T) {
	c := openCase(t)
	refused := Assessment{Rule: "sigma:x", Assessed: NotAssessed, Reason: "x.yml:3: it has no condition"}
	_, assessments, err := scanAll(context.Background(), c, []Rule{anyCreate}, Options{Refused: []Assessment{refused}})
	if err != nil {
		t.Fatal(err)
	}
	_, stored, err := Load(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(assessments) != 2 || assessments[1] != refused || !slices.Equal(stored, assessments) {
		t.Errorf("assessments are %+v, stored %+v", assessments, stored)
	}
}

func TestScanRefuses(t *testing.T) {
	c := openCase(t)
	for _, tc := range []struct {
		name string
		rule Rule
		want string
	}{
		{"two shapes", Rule{ID: "TS-XX-1", Where: "true", Threshold: failedLogins.Threshold, FirstSeen: newAddress.FirstSeen}, "has 2 shapes"},
		{"no Where", Rule{ID: "TS-XX-1"}, "has no Where"},
		{"no window", Rule{ID: "TS-XX-1", Where: "true", Threshold: &Threshold{Count: 3}}, "window"},
		{"one step", Rule{ID: "TS-XX-1", Sequence: &Sequence{Steps: twice.Sequence.Steps[:1], Within: time.Hour}}, "1 steps"},
		{"more steps than there are", Rule{ID: "TS-XX-1", Sequence: &Sequence{Steps: twice.Sequence.Steps, Within: time.Hour, Unordered: true, Least: 3}}, "3 of its 2 steps"},
		{"limit below the count", Rule{ID: "TS-XX-1", Where: "true", Threshold: &Threshold{Count: 3, Most: 2, Window: time.Hour}}, "from 3 to 2"},
		{"no key", Rule{ID: "TS-XX-1", Where: "true", FirstSeen: &FirstSeen{Learn: time.Hour}}, "no key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := scanAll(context.Background(), c, []Rule{tc.rule}, Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want %q", err, tc.want)
			}
		})
	}
}

func TestScanGoesOnWithoutRulesThatFail(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{{name: "CreateUser", who: "alice"}, {name: "x", who: "alice"}})
	pack := []Rule{
		{ID: "TS-XX-1", Where: `eventname = 'x'`},                                               // no such column
		{ID: "TS-XX-2", Where: `CAST(principal_id AS BIGINT) = 1`},                              // fails as it runs
		{ID: "TS-XX-3", Where: `event_name = 'x'`, Resource: `CAST(principal_id AS TIMESTAMP)`}, // after others of its kind
		anyCreate,
	}
	var failed []string
	findings, assessments, err := scanAll(context.Background(), c, pack, Options{Observe: func(p Timing) {
		if p.Err != nil {
			failed = append(failed, p.Rule)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 || findings[0].Rule != anyCreate.ID {
		t.Errorf("findings are %+v", findings)
	}
	if want := []string{"TS-XX-1", "TS-XX-2", "TS-XX-3"}; !slices.Equal(failed, want) {
		t.Errorf("%v failed, want %v", failed, want)
	}
	for i, a := range assessments {
		if failing := i < 3; failing != (a.Assessed == NotAssessed) || failing == (a.Reason == "") || strings.Contains(a.Reason, "\n") {
			t.Errorf("assessment is %+v", a)
		}
	}
	_, stored, err := Load(context.Background(), c)
	if err != nil || !slices.Equal(stored, assessments) {
		t.Errorf("the case holds %+v, %v", stored, err)
	}
}

func TestScanStops(t *testing.T) {
	c := openCase(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := scanAll(ctx, c, Pack(), Options{}); err == nil {
		t.Error("scan of a cancelled context succeeds")
	}
}

func TestSeverityOfOutcome(t *testing.T) {
	for _, tc := range []struct {
		name     string
		outcomes []Outcome
		outcome  Outcome
		want     Severity
	}{
		{"success", nil, Success, High},
		{"denied", nil, Denied, Medium},
		{"failed", nil, Failed, Medium},
		{"rule about denials", []Outcome{Denied}, Denied, High},
		{"rule about attempts", []Outcome{Denied, Failed}, Failed, High},
		{"rule about both", []Outcome{Success, Denied}, Denied, Medium},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (Rule{Severity: High, Outcomes: tc.outcomes}).severityOf(tc.outcome); got != tc.want {
				t.Errorf("severity is %s, want %s", got, tc.want)
			}
		})
	}
	if got := (Rule{Severity: Info}).severityOf(Denied); got != Info {
		t.Errorf("below info is %s", got)
	}
}

func TestSeverityText(t *testing.T) {
	for s := Info; s <= Critical; s++ {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Severity
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%s becomes %s, %v", text, back, err)
		}
	}
	if _, err := ParseSeverity("severe"); err == nil || !strings.Contains(err.Error(), "critical, high") {
		t.Errorf("error is %v", err)
	}
	if s, err := ParseSeverity("HIGH"); err != nil || s != High {
		t.Errorf("HIGH is %s, %v", s, err)
	}
	if _, err := json.Marshal(Severity(9)); err == nil {
		t.Error("severity 9 has a text")
	}
}
