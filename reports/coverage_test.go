package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// classed is a case with an event of each class.
func classed() []event {
	e := func(id string, more event) event {
		out := event{"event_id": id, "event_time": start.Add(90 * time.Minute), "aws_region": "us-east-1", "event_source": "s3.amazonaws.com", "event_name": "GetObject",
			"recipient_account_id": "111122223333", "identity_account_id": "111122223333"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	return []event{
		e("read", event{"event_name": "ListBuckets", "event_category": "Management", "read_only": true}),
		e("write", event{"event_name": "CreateBucket", "event_category": "Management", "read_only": false, "event_time": start.Add(5 * time.Hour)}),
		e("old", event{"event_name": "CreateBucket"}),
		e("object", event{"event_category": "Data", "management_event": false, "read_only": true,
			"resources": `[{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"}]`}),
		e("olddata", event{"event_name": "PutObject", "read_only": false}),
		e("function", event{"event_source": "lambda.amazonaws.com", "event_name": "Invoke", "event_category": "Data", "aws_region": "eu-west-1",
			"resources": `[{"accountId":"111122223333","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:eu-west-1:111122223333:function:f"}]`}),
		e("network", event{"event_source": "kms.amazonaws.com", "event_name": "Decrypt", "event_category": "NetworkActivity", "event_type": "AwsVpceEvent", "recipient_account_id": "444455556666"}),
		e("insight", event{"event_source": nil, "event_name": nil, "event_category": "Insight", "insight_details": `{"eventName":"x"}`}),
	}
}

func TestCoverageTellsClassesApart(t *testing.T) {
	inc, err := LoadCoverage(context.Background(), testCase(t, classed()...))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range inc.Coverage.Classes {
		got = append(got, strings.TrimRight(strings.Join([]string{c.Class, c.EventSource, c.ResourceType}, " "), " "))
		if c.Events != 1 || c.Accounts != 1 || c.First.IsZero() || !c.First.Equal(c.Last) {
			t.Errorf("%+v: want one event", c)
		}
	}
	want := []string{"management_read", "management_write", "management", "data s3.amazonaws.com", "data lambda.amazonaws.com AWS::Lambda::Function",
		"data s3.amazonaws.com AWS::S3::Object", "network_activity kms.amazonaws.com", "insight"}
	if !slices.Equal(got, want) {
		t.Errorf("classes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	scopes := inc.Coverage.Scopes
	if len(scopes) != 3 {
		t.Fatalf("scopes are %+v", scopes)
	}
	s := scopes[1]
	if s.AccountID != "111122223333" || s.Region != "us-east-1" || s.Events != 6 || s.Management != 3 || s.ManagementReads != 1 || s.ManagementWrites != 1 ||
		s.Data != 2 || s.Insight != 1 || s.Hours != 2 || !s.First.Equal(start.Add(90*time.Minute)) || !s.Last.Equal(start.Add(5*time.Hour)) {
		t.Errorf("the scope of us-east-1 is %+v", s)
	}
	if !slices.Equal(s.Steps, []int64{5, 0, 0, 0, 1}) || inc.Coverage.StepSeconds != 3600 || !inc.Coverage.From.Equal(start.Add(time.Hour)) {
		t.Errorf("its steps are %v of %d s from %v", s.Steps, inc.Coverage.StepSeconds, inc.Coverage.From)
	}
	if inc.Totals.Events != 8 || len(inc.Accounts) != 2 || len(inc.Regions) != 2 {
		t.Errorf("%d events, accounts %v, regions %v", inc.Totals.Events, inc.Accounts, inc.Regions)
	}
}

func TestCoverageStepsCountEveryEvent(t *testing.T) {
	for name, days := range map[string]int{"a month": 28, "a year": 365, "a century": 36_500} {
		events := everyHour("us-east-1", 50)
		for i, e := range events {
			e["event_time"] = start.AddDate(0, 0, days*i/49-7*days/10)
		}
		inc, err := LoadCoverage(context.Background(), testCase(t, events...))
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		steps := inc.Coverage.Scopes[0].Steps
		for _, n := range steps {
			sum += n
		}
		if sum != 50 || len(steps) > maxCoverageSteps+1 || steps[0] == 0 || steps[len(steps)-1] == 0 {
			t.Errorf("%s: %d events in %d steps: %v", name, sum, len(steps), steps)
		}
	}
}

func TestWriteCoverageFormats(t *testing.T) {
	silent := slices.DeleteFunc(append(classed(), everyHour("us-east-1", 24*28)...), func(e event) bool {
		at := e["event_time"].(time.Time)
		return at.After(start.AddDate(0, 0, 9)) && at.Before(start.AddDate(0, 0, 11))
	})
	inc, err := LoadCoverage(context.Background(), testCase(t, silent...))
	if err != nil {
		t.Fatal(err)
	}
	write := func(format string) []byte {
		var b bytes.Buffer
		if err := WriteCoverage(&b, format, inc, time.UTC); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	rows, err := csv.NewReader(bytes.NewReader(write("csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, row := range rows[1:] {
		kinds[row[0]]++
		if row[0] == "silence" && strings.Join(row[1:6], " ") != "111122223333  between events 2026-09-10T01:00:00Z 2026-09-12T00:00:00Z" {
			t.Errorf("the silence is %q", row)
		}
	}
	if kinds["scope"] != 3 || kinds["class"] != 8 || kinds["silence"] != 1 || kinds["gap"] == 0 {
		t.Errorf("the CSV has %v", kinds)
	}
	if n := bytes.Count(write("ndjson"), []byte("\n")); n != len(rows)-1 {
		t.Errorf("%d lines of ndjson, %d of CSV", n, len(rows)-1)
	}
	var facts coverageFacts
	if err := json.Unmarshal(write("json"), &facts); err != nil || len(facts.Coverage.Silences) != 1 || len(facts.Gaps) == 0 {
		t.Errorf("the JSON is %+v, %v", facts, err)
	}
	for _, format := range []string{"table", "md"} {
		text := string(write(format))
		for _, want := range []string{"nothing for 1 d 23 h, 2026-09-10 01:00:00 to 2026-09-12 00:00:00", "data of lambda AWS::Lambda::Function: 1 event", "network activity of kms: 1 event"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", format, want, text)
			}
		}
	}
}

func TestCoverageOfAnEmptyCase(t *testing.T) {
	inc, err := LoadCoverage(context.Background(), testCase(t))
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{"table": "The case holds no events (0 sources).", "md": "The case holds no events", "json": `"id": "no-events"`, "csv": "gap,,,no-events", "ndjson": `"name":"no-events"`} {
		var b strings.Builder
		if err := WriteCoverage(&b, format, inc, time.UTC); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is\n%s", format, b.String())
		}
	}
}
