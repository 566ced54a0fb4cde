package rules

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"trailscan/query"
)

// scanAll is Scan with the findings that the case then holds.
func scanAll(ctx context.Context, c *query.Case, pack []Rule, o Options) ([]Finding, []Assessment, error) {
	assessments, err := Scan(ctx, c, pack, o)
	if err != nil {
		return nil, nil, err
	}
	findings, _, err := Load(ctx, c)
	return findings, assessments, err
}

// TestSummaryNamesTheCaller reads the words for a caller, whose ARN may hold
// anything.
func TestSummaryNamesTheCaller(t *testing.T) {
	long := strings.Repeat("ü", 130)
	cut := strings.Repeat("ü", 120) + "…"
	for _, tc := range []struct{ arn, want string }{
		{"arn:aws:iam::111122223333:root", "The root user of 111122223333"},
		{"arn:aws:iam::111122223333:user/ann", "User ann"},
		{"arn:aws:iam::111122223333:user/team/a:b/ann", "User ann"},
		{"arn:aws:iam::111122223333:user/" + long, "User " + cut},
		{"arn:aws:sts::111122223333:federated-user/bob/x", "Federated user bob/x"},
		{"arn:aws:sts::111122223333:assumed-role/admin/carol/x", "Role admin (session carol/x)"},
		{"arn:aws:sts::111122223333:assumed-role/admin", "Role admin (session )"},
		{"arn:aws-cn:iam::111122223333:user/dan\n\u0085", "User dan  "},
		{"arn:aws:iam::111122223333:group/ops", "arn:aws:iam::111122223333:group/ops"},
		{"arn:aws:x", "Principal P"},
		{"", "Principal P"},
	} {
		c := openCase(t)
		var got string
		row := c.DB.QueryRow(`SELECT `+summarySQL+` FROM (SELECT ? AS principal_arn, 'P' AS who, '' AS service, 'success' AS outcome, 1 AS events,
			['GetObject'] AS list_1, 1 AS held_1, 0 AS held_2, 0 AS held_4, 0 AS held_6, []::VARCHAR[] AS list_2, []::VARCHAR[] AS list_4, []::VARCHAR[] AS list_6)
			CROSS JOIN LATERAL (SELECT `+actorSQL+` AS actor)`, tc.arn)
		if err := row.Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := tc.want + " called GetObject once."; got != want {
			t.Errorf("%q makes %q, want %q", tc.arn, got, want)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q holds a control character", got)
		}
	}
}

func TestSummaryCountsWhatItLeavesOut(t *testing.T) {
	c := openCase(t)
	for n, want := range []string{1: "a", 2: "a and b", 3: "a, b and c", 4: "a, b, c and 1 other", 5: "a, b, c and 2 others", 200: "a, b, c and 197 others"} {
		if want == "" {
			continue
		}
		var got string
		row := c.DB.QueryRow(fmt.Sprintf(`SELECT %s FROM (SELECT ['a', 'b', 'c', 'd'] AS l, %d AS n)`, some("l", "n", 3), n))
		if err := row.Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%d are %q, want %q", n, got, want)
		}
	}
}

// TestFindingsKeepTheirLimits groups more events, addresses and resources than a
// finding lists, out of order.
func TestFindingsKeepTheirLimits(t *testing.T) {
	c := openCase(t)
	var events []ev
	for i := range 1200 {
		events = append(events, ev{at: (i * 7) % 1200, name: "CreateUser", who: "alice", on: fmt.Sprintf("u%04d", i), ip: fmt.Sprintf("198.51.100.%d", i%3)})
	}
	put(t, c, events)
	findings, _, err := scanAll(context.Background(), c, []Rule{anyCreate}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 {
		t.Fatalf("%d findings", len(findings))
	}
	f := findings[0]
	if f.Count != 1200 || len(f.EventIDs) != maxEventIDs || len(f.Resources) != maxValues || len(f.SourceIPs) != 3 {
		t.Errorf("counts %d, lists %d events, %d resources, %d addresses", f.Count, len(f.EventIDs), len(f.Resources), len(f.SourceIPs))
	}
	if f.Resources[99] != "u0099" || f.SourceIPs[2] != "198.51.100.2" {
		t.Errorf("lists %v, %v", f.Resources, f.SourceIPs)
	}
	times := map[string]int{}
	for i, e := range events {
		times[fmt.Sprintf("e%02d", i)] = e.at
	}
	for i, id := range f.EventIDs {
		if at, known := times[id]; !known || at != i {
			t.Fatalf("event %d is %s, of second %d", i, id, at)
		}
	}
	if want := "User alice called CreateUser on u0000, u0001 and 1198 others 1200 times from 198.51.100.0, 198.51.100.1 and 1 other in us-east-1."; f.Summary != want {
		t.Errorf("summary is %q, want %q", f.Summary, want)
	}
}
