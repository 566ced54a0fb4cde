package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/rules"
)

// What `rules show` prints of a rule runs when it is pasted into `query`.
func TestShownRulesRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "case.duckdb")
	trailscan := func(stdin string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if status := run(context.Background(), args, strings.NewReader(stdin), &out, &errs); status != exitDone {
			t.Errorf("%s: status %d, %s\n%s", strings.Join(args, " "), status, errs.String(), stdin)
		}
		return out.String()
	}
	trailscan(`[{"eventVersion":"1.08","eventTime":"2026-03-02T09:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","eventID":"e-1","recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","accountId":"111122223333"}}]`,
		"ingest", "-", "--case", file, "-q")
	var shown strings.Builder
	for _, r := range rules.Pack() {
		shown.WriteString(trailscan("", "rules", "show", r.ID) + ";\n")
	}
	// One query runs them all.
	answer := trailscan(shown.String(), "query", "--case", file, "--format", "ndjson")
	if !strings.Contains(answer, `"event_id":"e-1"`) {
		t.Error("no rule finds the stopped trail")
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"TS-PE-02": "TS-PE-002", "persistance": "persistence", "": "high", strings.Repeat("x", 1000): "high"} {
		if got := nearest(word, []string{"high", "persistence", "TS-PE-002"}); got != want {
			t.Errorf("nearest to %.20q is %q, want %q", word, got, want)
		}
	}
}

func TestRulesNamed(t *testing.T) {
	ids := []string{"TS-CA-001", "TS-CA-001b", "TS-CA-002a", "TS-CA-002b", "TS-CAX-001", "TS-API-iam.ListUsers", "sigma:a/b-c"}
	for text, want := range map[string]string{
		"ts-ca-001": "TS-CA-001", "TS-CA-001*": "TS-CA-001 TS-CA-001b", "TS-CA": "TS-CA-001 TS-CA-001b TS-CA-002a TS-CA-002b",
		"TS-CA-": "TS-CA-001 TS-CA-001b TS-CA-002a TS-CA-002b", "TS-CA-002": "TS-CA-002a TS-CA-002b", "*.ListUsers": "TS-API-iam.ListUsers",
		"sigma": "sigma:a/b-c", "sigma:*": "sigma:a/b-c", "TS-API-iam": "TS-API-iam.ListUsers", "TS-C": "", "TS-CA-00": "", "": "", "[": "", "TS-XX-*": "",
	} {
		got, err := rulesNamed("rule", text, ids)
		if strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%q means %v (%v), want %s", text, got, err, want)
		}
	}
}
