package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/lineage"
	"trailscan/query"
)

// event is a record of a test's case; what is empty is NULL.
type event map[string]any

func testCase(t *testing.T, events ...event) *query.Case {
	t.Helper()
	events = cloned(events)
	ctx := context.Background()
	c, err := query.Open(ctx, filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	columns := map[string]string{"recipient_account_id": "VARCHAR", "actor": "VARCHAR"}
	for _, column := range query.EventColumns {
		columns[column.Name] = column.Type
	}
	delete(columns, "account_id") // the view's
	for i, e := range events {
		e["source_id"], e["record_index"] = 1, i
	}
	shape, err := json.Marshal([]any{columns})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, `CREATE TEMP TABLE made AS SELECT unnest(from_json(?::JSON, ?), max_depth := 2)`, string(rows), string(shape)); err != nil {
		t.Fatal(err)
	}
	casetest.Insert(t, conn, `BY NAME SELECT * EXCLUDE actor FROM made`)
	if _, err := conn.ExecContext(ctx, `INSERT INTO lineage_events SELECT source_id, record_index, 'AKIAIOSFODNN7EXAMPLE', actor FROM made WHERE actor IS NOT NULL`); err != nil {
		t.Fatal(err)
	}
	return c
}

// cloned keeps a test from changing the events of another.
func cloned(events []event) []event {
	out := make([]event, len(events))
	for i, e := range events {
		out[i] = maps.Clone(e)
	}
	return out
}

var start = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC) // a Tuesday

// everyHour is everyday use of an account in a region: an event an hour.
func everyHour(region string, hours int) []event {
	var out []event
	for i := range hours {
		out = append(out, event{"event_id": fmt.Sprintf("%s-%d", region, i), "event_time": start.Add(time.Duration(i) * time.Hour), "aws_region": region,
			"event_source": "ec2.amazonaws.com", "event_name": "DescribeInstances", "read_only": i%2 == 0, "management_event": true,
			"event_category": "Management", "recipient_account_id": "111122223333", "identity_account_id": "111122223333"})
	}
	return out
}

// shifted are the events so many days later.
func shifted(events []event, days int) []event {
	events = cloned(events)
	for _, e := range events {
		e["event_id"] = fmt.Sprint(e["event_id"], "+", days)
		e["event_time"] = e["event_time"].(time.Time).AddDate(0, 0, days)
	}
	return events
}

func gapsOf(t *testing.T, l *lineage.Lineage, events []event) map[string]Gap {
	t.Helper()
	c := testCase(t, events...)
	inc := &Incident{Lineage: l}
	for _, load := range []func(context.Context, *query.Case) error{inc.loadCoverage, inc.loadSources, inc.loadRejects, inc.loadGaps} {
		if err := load(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]Gap{}
	for i, g := range inc.Gaps {
		found[g.ID] = g
		if i > 0 && g.Severity > inc.Gaps[i-1].Severity {
			t.Errorf("%s (%s) stands after %s (%s)", g.ID, g.Severity, inc.Gaps[i-1].ID, inc.Gaps[i-1].Severity)
		}
	}
	return found
}

func without(events []event, drop func(event) bool) []event {
	return slices.DeleteFunc(slices.Clone(events), drop)
}

func TestGaps(t *testing.T) {
	month := slices.Clip(slices.Concat(everyHour("us-east-1", 24*28), everyHour("eu-west-1", 24*28)))
	at := func(e event) time.Time { return e["event_time"].(time.Time) }
	one := func(name string, when time.Time, more event) event {
		e := event{"event_id": name + when.String(), "event_time": when, "aws_region": "us-east-1", "event_source": "cloudtrail.amazonaws.com", "event_name": name,
			"recipient_account_id": "111122223333", "identity_account_id": "111122223333", "management_event": true, "event_category": "Management", "read_only": false}
		for k, v := range more {
			e[k] = v
		}
		return e
	}
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	// n events in each of so many hours, and none in one of them.
	steady := func(hours, silent, n int) (events []event) {
		for h := range hours {
			for i := range n {
				if h != silent {
					events = append(events, one("ListTrails", day(0).Add(time.Duration(h)*time.Hour+time.Duration(i)*time.Minute), nil))
				}
			}
		}
		return events
	}
	for _, test := range []struct {
		name     string
		lineage  *lineage.Lineage
		events   []event
		want     []string // gaps that must be told, "id" or "id: part of a detail"
		unwanted []string
	}{
		{"a full month", nil, month,
			[]string{"no-data-events", "unseen-regions"},
			[]string{"silence", "writes-only", "reads-only", "no-global-region", "logging-stopped", "unknown-origin", "foreign-accounts", "rejected-records"}},
		{"no event at all", nil, nil, []string{"no-events"}, []string{"no-data-events"}},
		{"without us-east-1", nil, everyHour("eu-west-1", 50), []string{"no-global-region: 111122223333"}, nil},
		{"GovCloud has its own", nil, everyHour("us-gov-west-1", 50), nil, []string{"no-global-region", "unseen-regions"}},
		{"China without Beijing", nil, everyHour("cn-northwest-1", 50), []string{"no-global-region: cn-north-1"}, nil},
		{"writes only", nil, without(month, func(e event) bool { return e["read_only"].(bool) }), []string{"writes-only"}, []string{"reads-only"}},
		{"reads only", nil, without(month, func(e event) bool { return !e["read_only"].(bool) }), []string{"reads-only"}, []string{"writes-only"}},
		{"a silent night in all regions", nil, without(month, func(e event) bool { return at(e).After(day(14)) && at(e).Before(day(14).Add(7*time.Hour)) }),
			[]string{"silence: in all regions"}, nil},
		{"a silent region", nil, without(month, func(e event) bool { return e["aws_region"] == "eu-west-1" && at(e).After(day(20)) }),
			[]string{"silence: in eu-west-1"}, nil},
		{"a region that only the intruder used is not silent without them", nil, append(slices.Clone(month), slices.Collect(func(yield func(event) bool) {
			for h := range 24 * 7 {
				if !yield(one("RunInstances", day(14).Add(time.Duration(h)*time.Hour), event{"aws_region": "ap-southeast-1", "actor": "intruder"})) {
					return
				}
			}
		})...), nil, []string{"silence"}},
		{"a night that is shorter than chance", nil, without(month, func(e event) bool { return at(e).After(day(14)) && at(e).Before(day(14).Add(2*time.Hour)) }),
			nil, []string{"silence"}},
		{"a region that came into use", nil, without(month, func(e event) bool { return e["aws_region"] == "eu-west-1" && at(e).Before(day(10)) }),
			[]string{"silence: in eu-west-1: nothing for 10 d, 2026-09-01T00:00:00Z to 2026-09-11T00:00:00Z, before the first"}, nil},
		{"most of the month is silent", nil, without(month, func(e event) bool { return e["aws_region"] == "eu-west-1" && at(e).After(day(8)) }),
			[]string{"silence: in eu-west-1: nothing for 19 d 22 h, 2026-09-09T01:00:00Z to 2026-09-28T23:00:00Z, after the last"}, nil},
		{"a job on Mondays is no silence", nil, without(month, func(e event) bool { return e["aws_region"] == "eu-west-1" && at(e).Weekday() != time.Monday }),
			nil, []string{"silence"}},
		{"a silent Monday of it", nil, without(append(slices.Clone(month), shifted(month, 28)...), func(e event) bool {
			return e["aws_region"] == "eu-west-1" && (at(e).Weekday() != time.Monday || at(e).Truncate(24*time.Hour).Equal(day(27)))
		}), []string{"silence: in eu-west-1: nothing for 1 d, 2026-09-28T00:00:00Z to 2026-09-29T00:00:00Z"}, nil},
		{"an hour of a steady day and a half", nil, steady(36, 20, 30), []string{"silence: nothing for 1 h, 2026-09-01T20:00:00Z to 2026-09-01T21:00:00Z"}, nil},
		{"an hour without events where there are few", nil, steady(36, 20, 3), nil, []string{"silence"}},
		{"two days of a month in another region say nothing", nil, append(slices.Clone(month), everyHour("sa-east-1", 40)...),
			nil, []string{"silence"}},
		{"a record of long ago", nil, append(slices.Clone(month), one("ListTrails", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), event{"recipient_account_id": "444455556666"}),
			one("ListTrails", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), event{"recipient_account_id": "444455556666"})), nil, []string{"silence"}},
		{"a region without reads", nil, without(month, func(e event) bool { return e["aws_region"] == "eu-west-1" && e["read_only"].(bool) }),
			[]string{"writes-only: in eu-west-1: 336 writes"}, nil},
		{"fields that CloudTrail cut", nil, append(slices.Clone(month), one("PutRolePolicy", day(9), event{"request_parameters": `{"omitted":true,"originalSize":123456}`}),
			one("RunInstances", day(9), event{"user_agent": strings.Repeat("x", 1024)}), one("GetUser", day(9), event{"addendum": `{"reason":"UPDATED_DATA"}`})),
			[]string{"cut-fields: requestParameters omitted in 1 event", "cut-fields: userAgent truncated", "addenda: UPDATED_DATA"}, nil},
		{"fields that say so themselves are not cut", nil, append(slices.Clone(month), one("PutRolePolicy", day(9), event{"request_parameters": `{"policy":"{\"omitted\":true}","omitted":false}`}),
			one("RunInstances", day(9), event{"user_agent": strings.Repeat("x", 1023)})), nil, []string{"cut-fields", "addenda"}},
		{"resources elsewhere", nil, append(slices.Clone(month), one("Decrypt", day(9), event{
			"resources": `[{"ARN":"arn:aws:kms:ap-south-1:111122223333:key/a"},{"ARN":"arn:aws:iam::444455556666:role/x"},{"ARN":"arn:aws:kms:eu-west-1:111122223333:key/a"},{"ARN":"arn:aws:s3:::b"}]`})),
			[]string{"named-elsewhere: region ap-south-1 of account 111122223333: resources of 1 event", "named-elsewhere: account 444455556666: resources of 1 event"}, nil},
		{"office hours are no silence", nil, without(month, func(e event) bool {
			return at(e).Hour() < 8 || at(e).Hour() > 17 || at(e).Weekday() == time.Saturday || at(e).Weekday() == time.Sunday
		}), nil, []string{"silence"}},
		{"a silent day of an office", nil, without(month, func(e event) bool {
			return at(e).Hour() < 8 || at(e).Hour() > 17 || at(e).Weekday() == time.Saturday || at(e).Weekday() == time.Sunday || at(e).Truncate(24*time.Hour).Equal(day(15))
		}), []string{"silence: 2026-09-16T08:00:00Z to 2026-09-16T18:00:00Z"}, nil},
		{"logging stopped for good", nil, append(month, one("StopLogging", day(9), event{"request_parameters": `{"name":"main"}`})),
			[]string{"logging-stopped: not started again"}, nil},
		{"logging stopped and started", nil, append(month,
			one("StopLogging", day(9), event{"request_parameters": `{"name":"main"}`}),
			one("StartLogging", day(9).Add(time.Hour), event{"request_parameters": `{"name":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main"}`})),
			[]string{"logging-stopped: 1 h later"}, nil},
		{"logging not stopped when denied", nil, append(month, one("StopLogging", day(9), event{"error_code": "AccessDenied"})), nil, []string{"logging-stopped"}},
		{"event selectors", nil, append(month, one("PutEventSelectors", day(9), nil)), []string{"logging-changed"}, []string{"logging-stopped"}},
		{"data events of S3", nil, append(month, one("GetObject", day(9), event{"event_source": "s3.amazonaws.com", "event_category": "Data", "management_event": false})),
			[]string{"some-data-events: s3"}, []string{"no-data-events", "no-s3-data-events"}},
		{"data events of an old record", nil, append(month, one("GetObject", day(9), event{"event_source": "s3.amazonaws.com", "event_category": nil, "management_event": nil})),
			[]string{"some-data-events: s3"}, nil},
		{"data events of Lambda only", nil, append(month, one("Invoke", day(9), event{"event_source": "lambda.amazonaws.com", "event_category": "Data", "management_event": false})),
			[]string{"no-s3-data-events: lambda"}, []string{"no-data-events"}},
		{"a temporary key from nowhere", nil, append(month, one("ListTrails", day(9), event{"access_key_id": "ASIAIOSFODNN7EXAMPLE"})),
			[]string{"unknown-origin: used later: 1"}, nil},
		{"a temporary key that was issued", nil, append(month, one("ListTrails", day(9), event{"access_key_id": "ASIAIOSFODNN7EXAMPLE"}),
			one("AssumeRole", day(9), event{"issued_access_key_id": "ASIAIOSFODNN7EXAMPLE"})), nil, []string{"unknown-origin"}},
		{"a console's key is never issued", nil, append(month, one("ListTrails", day(9), event{"access_key_id": "ASIAIOSFODNN7EXAMPLE", "session_credential_from_console": true})),
			nil, []string{"unknown-origin"}},
		{"a caller from elsewhere", nil, append(month, one("AssumeRole", day(9), event{"identity_account_id": "444455556666"})),
			[]string{"foreign-accounts: 444455556666"}, nil},
		{"the lineage left for elsewhere", nil, append(month, one("AssumeRole", day(9), event{"actor": "intruder",
			"issued_principal_arn": "arn:aws:sts::444455556666:assumed-role/Admin/x"})), []string{"foreign-accounts: by the lineage"}, nil},
		{"little history", &lineage.Lineage{CompromisedSince: day(2)}, month, []string{"short-history: 2 d"}, nil},
		{"enough history", &lineage.Lineage{CompromisedSince: day(20)}, month, []string{"end-of-logs"}, []string{"short-history"}},
		{"an unexplained credential", &lineage.Lineage{CompromisedSince: day(20), Credentials: []lineage.Credential{{ID: "ASIAIOSFODNN7EXAMPLE", Certainty: lineage.Unexplained}}},
			month, []string{"unexplained-credentials: ASIAIOSFODNN7EXAMPLE"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			gaps := gapsOf(t, test.lineage, test.events)
			for _, want := range test.want {
				id, detail, _ := strings.Cut(want, ": ")
				g, ok := gaps[id]
				if !ok {
					t.Errorf("%s is not told", id)
				} else if !strings.Contains(strings.Join(g.Details, "\n"), detail) {
					t.Errorf("%s has the details %q, want %q in them", id, g.Details, detail)
				}
			}
			for _, id := range test.unwanted {
				if g, ok := gaps[id]; ok {
					t.Errorf("%s is told: %q", id, g.Details)
				}
			}
		})
	}
}

func TestTimelineFilters(t *testing.T) {
	c := testCase(t,
		event{"event_id": "b", "event_time": start, "access_key_id": "AKIAIOSFODNN7EXAMPLE", "source_ip_address": "203.0.113.66", "identity_arn": "arn:aws:iam::111122223333:user/ci", "actor": "intruder",
			"resources": `[{"ARN":"arn:aws:s3:::b"},{"ARN":"arn:aws:s3:::b/key"}]`},
		event{"event_id": "a", "event_time": start, "access_key_id": "AKIAIOSFODNN7EXAMPLE", "source_ip_address": "198.51.100.7", "actor": "owner"},
		event{"event_id": "c", "event_time": start.Add(time.Hour), "access_key_id": "ASIAIOSFODNN7EXAMPLE", "source_ip_address": "203.0.113.66", "error_code": "AccessDenied", "actor": "unclear",
			"identity_arn": "arn:aws:sts::111122223333:assumed-role/Deploy/s", "session_issuer_arn": "arn:aws:iam::111122223333:role/Deploy"},
		event{"event_id": "d", "event_time": start.Add(2 * time.Hour)},
	)
	if _, err := c.DB.Exec(`INSERT INTO findings (id, rule, event_ids) VALUES ('1', 'R2', ['c', 'b']), ('2', 'R1', ['c'])`); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		filter Filter
		want   string
	}{
		{"all, by time then id", Filter{}, "a b c d"},
		{"a key", Filter{Keys: []string{"AKIAIOSFODNN7EXAMPLE"}}, "a b"},
		{"two keys", Filter{Keys: []string{"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"}}, "a b c"},
		{"a role's sessions", Filter{Principals: []string{"arn:aws:iam::111122223333:role/Deploy"}}, "c"},
		{"an address", Filter{IPs: []string{"203.0.113.66"}}, "b c"},
		{"the lineage without its owner", Filter{Lineage: true}, "b c"},
		{"since, until", Filter{Since: start.Add(time.Hour), Until: start.Add(2 * time.Hour)}, "c"},
		{"a key and an address", Filter{Keys: []string{"AKIAIOSFODNN7EXAMPLE"}, IPs: []string{"203.0.113.66"}}, "b"},
		{"what is in no event", Filter{Keys: []string{"x' OR 1=1 --"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ids []string
			err := Timeline(context.Background(), c, test.filter, func(r Row) error {
				ids = append(ids, r.EventID)
				switch r.EventID {
				case "b":
					if r.Resource != "arn:aws:s3:::b/key" || r.Outcome != "success" {
						t.Errorf("resource %q, outcome %q", r.Resource, r.Outcome)
					}
				case "c":
					if got := strings.Join(r.FindingRules, " "); got != "R1 R2" || r.Outcome != "denied" {
						t.Errorf("rules %q, outcome %q", got, r.Outcome)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	var b strings.Builder
	if err := TimelineCSV(context.Background(), &b, c, Filter{IPs: []string{"none"}}); err != nil {
		t.Fatal(err)
	}
	if want := "time,account_id,region,event_source,event_name,outcome,principal_arn,access_key_id,source_ip_address,user_agent,resource,finding_rules,event_id\n"; b.String() != want {
		t.Errorf("header %q, want %q", b.String(), want)
	}
}

func TestNarrativeGroupsAndBounds(t *testing.T) {
	n := newNarrator(10)
	row := func(minute int, name string, writes bool, resource string) {
		n.tell(Row{Time: start.Add(time.Duration(minute) * time.Minute), EventName: name, Region: fmt.Sprint("r", minute%3), Resource: resource, writes: writes})
	}
	for i := range 30 { // interleaved: each name is one passage
		row(i, "DescribeA", false, fmt.Sprint(i))
		row(i, "DescribeB", false, "")
	}
	row(60, "DescribeA", false, "") // after a pause: another
	for i := range 100 {
		row(100+i, fmt.Sprint("Read", i), false, "")
	}
	row(300, "CreateUser", true, "x")
	got := n.finish()
	if len(got.Passages) != 10 || got.Events != 162 {
		t.Fatalf("%d passages of %d events", len(got.Passages), got.Events)
	}
	p := got.Passages[0]
	if p.EventName != "DescribeA" || p.Count != 30 || len(p.Resources) != 3 || p.More != 27 || len(p.Regions) != 3 || p.Last.Sub(p.First) != 29*time.Minute {
		t.Errorf("first passage: %+v", p)
	}
	if last := got.Passages[9]; last.EventName != "CreateUser" {
		t.Errorf("a write was left out for reads: %+v", last)
	}
	var shown int64
	for _, p := range got.Passages {
		shown += p.Count
	}
	if shown+got.OmittedEvents != got.Events {
		t.Errorf("%d shown and %d omitted are not %d", shown, got.OmittedEvents, got.Events)
	}
}

func TestActivityCountsEveryEventOfTheLineage(t *testing.T) {
	events := everyHour("us-east-1", 24*28)
	for i := range events {
		switch {
		case i > 600:
			events[i]["actor"] = "intruder"
			if i%3 == 0 {
				events[i]["error_code"] = "AccessDenied"
			}
		case i%2 == 0:
			events[i]["actor"] = "owner"
		}
	}
	c := testCase(t, events...)
	inc := &Incident{Lineage: &lineage.Lineage{}}
	if err := inc.loadCoverage(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if err := inc.loadActivity(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if got := inc.Accounts[0].Lineage; got != 71 {
		t.Errorf("%d events of the intruder, want 71", got)
	}
	sum := func(h Histogram) (owner, done, refused int64) {
		for _, s := range h.Steps {
			owner, done, refused = owner+s.Owner, done+s.Done, refused+s.Refused
		}
		return
	}
	if o, d, r := sum(inc.Activity.Whole); o != 301 || d != 48 || r != 23 {
		t.Errorf("over all of the logs %d by the owner, %d done, %d refused", o, d, r)
	}
	if o, d, r := sum(inc.Activity.Intrusion); o != 0 || d+r != 71 {
		t.Errorf("during the intrusion %d by the owner, %d of the intruder", o, d+r)
	}
	if n := len(inc.Activity.Intrusion.Steps); n > maxSteps {
		t.Errorf("%d steps", n)
	}
}
