package rules

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
)

var update = flag.Bool("update", false, "rewrite golden files")

// base is when the events of the engine's tests begin.
var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ev is an event of the engine's tests: seconds after base, a name, who and
// what. Its id is its place in the list.
type ev struct {
	at       int
	name     string
	who      string // principal
	on       string // requestParameters.name
	ip       string
	err      string // errorCode
	intruder bool   // an event of the lineage
}

// gets are so many events of a principal in each minute.
func gets(who string, perMinute ...int) []ev {
	var all []ev
	for minute, n := range perMinute {
		for i := range n {
			all = append(all, ev{at: minute*60 + i, name: "Get", who: who})
		}
	}
	return all
}

// openCase makes a case of one thread: others only wait where events are few.
func openCase(t testing.TB) *query.Case {
	t.Helper()
	c, err := query.Open(context.Background(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// put replaces the events of a case.
func put(t interface {
	Helper()
	Fatal(...any)
}, c *query.Case, events []ev) {
	t.Helper()
	var rows, tainted []string
	for i, e := range events {
		rows = append(rows, fmt.Sprintf(`('e%02d', TIMESTAMP '%s', 'iam.amazonaws.com', %s, 'us-east-1', '111122223333',
			nullif(%s, ''), %s, 'AKIAIOSFODNN7EXAMPLE', nullif(%s, ''), 'aws-cli/2.15', nullif(%s, ''), %s, 1, %d)`,
			i, base.Add(time.Duration(e.at)*time.Second).Format("2006-01-02 15:04:05"), quote(e.name),
			quote(e.who), quote("arn:aws:iam::111122223333:user/"+e.who), quote(e.ip), quote(e.err),
			quote(fmt.Sprintf(`{"name":%q}`, e.on)), i))
		if e.intruder {
			tainted = append(tainted, fmt.Sprintf(`(1, %d, 'AKIAIOSFODNN7EXAMPLE', 'intruder')`, i))
		}
	}
	if _, err := c.DB.Exec(`DELETE FROM records; DELETE FROM lineage_events`); err != nil {
		t.Fatal(err)
	}
	if len(rows) > 0 {
		casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, aws_region,
			recipient_account_id, principal_id, identity_arn, access_key_id, source_ip_address, user_agent, error_code,
			request_parameters, source_id, record_index) VALUES `+strings.Join(rows, ", "))
	}
	if len(tainted) > 0 {
		if _, err := c.DB.Exec(`INSERT INTO lineage_events VALUES ` + strings.Join(tainted, ", ")); err != nil {
			t.Fatal(err)
		}
	}
}

const onName = `json_extract_scalar(request_parameters, '$.name')`

var (
	failedLogins = Rule{ID: "TS-XX-901", Where: `event_name = 'Login'`, Outcomes: []Outcome{Denied, Failed},
		Threshold: &Threshold{By: []string{"principal_id"}, Count: 3, Window: time.Minute}}
	sprayed = Rule{ID: "TS-XX-902", Where: `event_name = 'Login'`,
		Threshold: &Threshold{By: []string{"source_ip_address"}, Distinct: "principal_id", Count: 3, Window: time.Minute}}
	heavy = Rule{ID: "TS-XX-910", Where: `event_name = 'Run'`,
		Threshold: &Threshold{By: []string{"principal_id"}, Sum: "try(CAST(" + onName + " AS DOUBLE))", Count: 10, Window: time.Minute}}
	moreThanUsual = Rule{ID: "TS-XX-911", Where: `event_name = 'Get'`,
		Spike: &Spike{By: []string{"principal_id"}, Per: time.Minute, Count: 3}}
	userThenKey = Rule{ID: "TS-XX-903", Resource: onName,
		Sequence: &Sequence{Within: time.Hour, Steps: []Step{
			{Where: `event_name = 'CreateUser'`, On: onName},
			{Where: `event_name = 'CreateAccessKey'`, On: onName},
		}}}
	threeSteps = Rule{ID: "TS-XX-904", Where: `event_source = 'iam.amazonaws.com'`, Outcomes: []Outcome{Success},
		Sequence: &Sequence{Within: time.Minute, Steps: []Step{
			{Where: `event_name = 'A'`, On: onName},
			{Where: `event_name = 'B'`, On: onName},
			{Where: `event_name = 'C'`, On: onName},
		}}}
	twice = Rule{ID: "TS-XX-905",
		Sequence: &Sequence{Within: time.Minute, Steps: []Step{
			{Where: `event_name IN ('A', 'B')`, On: onName},
			{Where: `event_name IN ('A', 'C')`, On: onName},
		}}}
	twoToThree = Rule{ID: "TS-XX-910", Where: `event_name = 'A'`,
		Threshold: &Threshold{By: []string{"principal_id"}, Count: 2, Most: 3, Window: time.Minute}}
	newAddress = Rule{ID: "TS-XX-906", Where: `event_name <> 'Idle'`,
		FirstSeen: &FirstSeen{Scope: []string{"principal_id"}, Key: []string{"source_ip_address"}, Learn: time.Hour}}
	newAnywhere = Rule{ID: "TS-XX-907", Where: `event_name = 'A'`,
		FirstSeen: &FirstSeen{Key: []string{"source_ip_address", "event_name"}, Among: `event_name IN ('A', 'B')`, Learn: time.Hour}}
	anyCreate = Rule{ID: "TS-XX-908", Where: `event_name LIKE 'Create%'`, Resource: onName, Severity: High,
		Title: "Something created", Tactic: "persistence", Techniques: []string{"T1136.003"}}
)

// inAnyOrder is a rule of three steps, of which so many must be there.
func inAnyOrder(least int) Rule {
	return Rule{ID: "TS-XX-911", Sequence: &Sequence{Within: time.Minute, Unordered: true, Least: least, Steps: []Step{
		{Where: `event_name = 'A'`, On: onName},
		{Where: `event_name IN ('B', 'C')`, On: onName},
		{Where: `event_name = 'C'`, On: onName},
	}}}
}

func TestShapes(t *testing.T) {
	const hour, aDay = 3600, 86400
	c := openCase(t)
	login := func(at int, who string) ev {
		return ev{at: at, name: "Login", who: who, ip: "192.0.2.1", err: "Failed"}
	}
	for _, tc := range []struct {
		name   string
		rule   Rule
		events []ev
		want   string
	}{
		{"predicate", anyCreate, []ev{{name: "CreateUser"}, {name: "DeleteUser"}, {name: "CreateKey", err: "AccessDenied"}}, "e00 e02"},

		{"threshold: three within the window", failedLogins, []ev{login(0, "a"), login(30, "a"), login(50, "a")}, "e00 e01 e02"},
		{"threshold: at the window's edge", failedLogins, []ev{login(0, "a"), login(30, "a"), login(60, "a")}, "e00 e01 e02"},
		{"sum: reached together", heavy, []ev{{name: "Run", who: "a", on: "4"}, {at: 60, name: "Run", who: "a", on: "6"}}, "e00 e01"},
		{"sum: reached alone", heavy, []ev{{name: "Run", who: "a", on: "10.5"}, {at: 90, name: "Run", who: "a", on: "9"}}, "e00"},
		{"sum: too far apart", heavy, []ev{{name: "Run", who: "a", on: "5"}, {at: 61, name: "Run", who: "a", on: "5"}}, ""},
		{"sum: what is no number adds nothing", heavy, []ev{{name: "Run", who: "a", on: "many"}, {at: 1, name: "Run", who: "a", on: "9"}}, ""},
		{"threshold: just past the edge", failedLogins, []ev{login(0, "a"), login(30, "a"), login(61, "a")}, ""},
		{"threshold: all in one second", failedLogins, []ev{login(7, "a"), login(7, "a"), login(7, "a")}, "e00 e01 e02"},
		{"threshold: groups apart", failedLogins, []ev{login(0, "a"), login(1, "b"), login(2, "a"), login(3, "b")}, ""},
		{"threshold: no group, no count", failedLogins, []ev{login(0, ""), login(1, ""), login(2, "")}, ""},
		{"threshold: successes do not count", failedLogins, []ev{login(0, "a"), {at: 1, name: "Login", who: "a"}, login(2, "a")}, ""},
		{"threshold: window slides", failedLogins, []ev{login(0, "a"), login(50, "a"), login(70, "a"), login(110, "a"), login(500, "a")}, "e01 e02 e03"},

		{"distinct: same value once", sprayed, []ev{login(0, "a"), login(1, "b"), login(2, "a"), login(3, "b")}, ""},
		{"distinct: three values", sprayed, []ev{login(0, "a"), login(1, "b"), login(2, "a"), login(3, "c")}, "e00 e01 e02 e03"},
		{"distinct: repeated value keeps counting", sprayed, []ev{login(0, "a"), login(50, "a"), login(100, "b"), login(110, "c")}, "e01 e02 e03"},
		{"distinct: at the edge", sprayed, []ev{login(0, "a"), login(1, "b"), login(60, "c")}, "e00 e01 e02"},
		{"distinct: past the edge", sprayed, []ev{login(0, "a"), login(1, "b"), login(61, "c")}, ""},
		{"distinct: all in one second", sprayed, []ev{login(5, "a"), login(5, "a"), login(5, "b"), login(5, "c")}, "e00 e01 e02 e03"},

		{"spike: without others the number counts", moreThanUsual, gets("a", 3), "e00 e01 e02"},
		{"spike: too few", moreThanUsual, gets("a", 2), ""},
		{"spike: above what is usual", moreThanUsual, gets("a", 1, 1, 4), "e02 e03 e04 e05"},
		{"spike: not twice what is usual", moreThanUsual, gets("a", 3, 3, 4), ""},
		{"spike: as uneven as ever", moreThanUsual, gets("a", 1, 7, 1, 8), ""},
		{"spike: groups apart", moreThanUsual, slices.Concat(gets("a", 1, 2), gets("b", 2, 1)), ""},
		{"spike: no group, no count", moreThanUsual, gets("", 3), ""},
		{"spike: minutes without events are none", moreThanUsual, gets("a", 3, 0, 0, 0, 3), ""},
		{"spike: the intruder's minutes are no baseline", moreThanUsual, append(gets("a", 1, 1, 1),
			ev{at: 180, name: "Get", who: "a", intruder: true}, ev{at: 181, name: "Get", who: "a", intruder: true},
			ev{at: 182, name: "Get", who: "a", intruder: true}, ev{at: 240, name: "Get", who: "a", intruder: true},
			ev{at: 241, name: "Get", who: "a", intruder: true}, ev{at: 242, name: "Get", who: "a", intruder: true}), "e03 e04 e05 e06 e07 e08"},

		{"sequence", userThenKey, []ev{{name: "CreateUser", on: "x"}, {at: 9, name: "CreateAccessKey", on: "x"}}, "e00 e01"},
		{"sequence: wrong order", userThenKey, []ev{{at: 9, name: "CreateUser", on: "x"}, {name: "CreateAccessKey", on: "x"}}, ""},
		{"sequence: other value", userThenKey, []ev{{name: "CreateUser", on: "x"}, {at: 9, name: "CreateAccessKey", on: "y"}}, ""},
		{"sequence: same second, recorded the other way round", userThenKey, []ev{{name: "CreateAccessKey", on: "x"}, {name: "CreateUser", on: "x"}}, "e00 e01"},
		{"sequence: at the edge", userThenKey, []ev{{name: "CreateUser", on: "x"}, {at: hour, name: "CreateAccessKey", on: "x"}}, "e00 e01"},
		{"sequence: past the edge", userThenKey, []ev{{name: "CreateUser", on: "x"}, {at: hour + 1, name: "CreateAccessKey", on: "x"}}, ""},
		{"sequence: three steps", threeSteps, []ev{{name: "A", on: "x"}, {at: 1, name: "C", on: "x"}, {at: 2, name: "B", on: "x"}, {at: 3, name: "C", on: "x"}}, "e00 e02 e03"},
		{"sequence: denied step is none", threeSteps, []ev{{name: "A", on: "x"}, {at: 2, name: "B", on: "x", err: "AccessDenied"}, {at: 3, name: "C", on: "x"}}, ""},
		{"sequence: whole chain within", threeSteps, []ev{{name: "A", on: "x"}, {at: 40, name: "B", on: "x"}, {at: 61, name: "C", on: "x"}}, ""},
		{"sequence: an event is one step", twice, []ev{{name: "A", on: "x"}}, ""},
		{"sequence: two of a kind", twice, []ev{{name: "A", on: "x"}, {name: "A", on: "x"}}, "e00 e01"},
		{"sequence: step that can be both", twice, []ev{{name: "A", on: "x"}, {name: "B", on: "x"}}, "e00 e01"},

		{"unordered: any order", inAnyOrder(0), []ev{{at: 60, name: "A", on: "x"}, {at: 30, name: "B", on: "x"}, {name: "C", on: "x"}}, "e02 e01 e00"},
		{"unordered: past the edge", inAnyOrder(0), []ev{{at: 61, name: "A", on: "x"}, {at: 30, name: "B", on: "x"}, {name: "C", on: "x"}}, ""},
		{"unordered: an event is two steps", inAnyOrder(0), []ev{{name: "A", on: "x"}, {at: 5, name: "C", on: "x"}}, "e00 e01"},
		{"unordered: fewer than all", inAnyOrder(2), []ev{{name: "B", on: "x"}, {at: 5, name: "A", on: "x"}, {at: 5, name: "A", on: "y"}}, "e00 e01"},
		{"threshold: more than the limit", twoToThree, []ev{{name: "A", who: "a"}, {at: 1, name: "A", who: "a"}, {at: 2, name: "A", who: "a"}, {at: 3, name: "A", who: "a"}}, ""},

		{"first seen: learning only teaches", newAddress, []ev{{who: "a", ip: "192.0.2.1"}, {at: hour - 1, who: "a", ip: "192.0.2.2"}, {at: 2 * hour, who: "a", ip: "192.0.2.2"}}, ""},
		{"first seen: at the end of learning", newAddress, []ev{{who: "a", ip: "192.0.2.1"}, {at: hour, who: "a", ip: "192.0.2.2"}}, "e01"},
		{"first seen: known key", newAddress, []ev{{who: "a", ip: "192.0.2.1"}, {at: 5 * hour, who: "a", ip: "192.0.2.1"}}, ""},
		{"first seen: another scope's key is new here", newAddress, []ev{{who: "b", ip: "192.0.2.2"}, {who: "a", ip: "192.0.2.1"}, {at: 2 * hour, who: "a", ip: "192.0.2.2"}}, "e02"},
		{"first seen: new for a day", newAddress, []ev{{who: "a", ip: "192.0.2.1"}, {at: hour, who: "a", ip: "192.0.2.2"}, {at: hour + aDay, who: "a", ip: "192.0.2.2"}, {at: hour + aDay + 1, who: "a", ip: "192.0.2.2"}}, "e01 e02"},
		{"first seen: the lineage teaches nothing", newAddress, []ev{{who: "a", ip: "192.0.2.1"}, {at: 10, who: "a", ip: "192.0.2.9", intruder: true}, {at: 5 * aDay, who: "a", ip: "192.0.2.9", intruder: true}}, "e02"},
		{"first seen: no history, no verdict", newAddress, []ev{{who: "a", ip: "192.0.2.9", intruder: true}, {at: 5 * aDay, who: "a", ip: "192.0.2.8", intruder: true}}, ""},
		{"first seen: what nobody ever did", newAddress, []ev{{name: "Idle", who: "a", ip: "192.0.2.1"}, {at: hour, who: "a", ip: "192.0.2.1", intruder: true}}, "e01"},
		{"first seen: without scope, what nobody ever did", newAnywhere, []ev{{name: "C"}, {at: hour, name: "A", ip: "192.0.2.1"}}, "e01"},
		{"first seen: without scope, among others", newAnywhere, []ev{{name: "B", ip: "192.0.2.1"}, {at: 2 * hour, name: "A", ip: "192.0.2.1"}, {at: 2 * hour, name: "C", ip: "192.0.2.3"}}, "e01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			put(t, c, tc.events)
			got, err := Match(context.Background(), c, tc.rule)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(got, " ") != tc.want {
				// Events of one second come by id; want lists them so.
				t.Errorf("found %q, want %q", strings.Join(got, " "), tc.want)
			}
		})
	}
}
