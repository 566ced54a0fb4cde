package rules_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/internal/scenario"
	"trailscan/lineage"
	"trailscan/query"
	"trailscan/rules"
)

// TestFindingsOfTheLeakedKey compares the findings of an incident with its
// truth, both ways: every behaviour of the intruder is found and marked, and
// outside the lineage nothing above low is found that the truth does not list
// as benign. What the rules about the lineage name is the intruder's alone.
func TestFindingsOfTheLeakedKey(t *testing.T) {
	const incident = "../testdata/leaked-key"
	text, err := os.ReadFile(filepath.Join(incident, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth scenario.Truth
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	c, err := query.Open(ctx, filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := ingest.Load(ctx, c, []string{filepath.Join(incident, "AWSLogs")}, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := lineage.Trace(ctx, c, truth.Keys, lineage.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Scan(ctx, c, rules.Pack(), rules.Options{}); err != nil {
		t.Fatal(err)
	}
	findings, _, err := rules.Load(ctx, c)
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range truth.Rules {
		var named []string
		var found bool
		for _, f := range findings {
			if f.InLineage && f.Rule == want.Rule && (want.Outcome == "" || string(f.Outcome) == want.Outcome) {
				found = true
				named = append(named, f.EventIDs...)
			}
		}
		if !found {
			t.Errorf("%s (%s) is not found in the lineage", want.Rule, want.Outcome)
			continue
		}
		for _, id := range want.Events {
			if !slices.Contains(named, id) {
				t.Errorf("%s (%s) does not name event %s", want.Rule, want.Outcome, id)
			}
		}
	}
	for _, f := range findings {
		if !strings.HasPrefix(f.Rule, "TS-KEY-") {
			continue
		}
		if !slices.ContainsFunc(truth.Rules, func(r scenario.TruthRule) bool { return r.Rule == f.Rule }) {
			t.Errorf("%s is no behaviour of this incident: %s", f.Rule, f.Summary)
		}
		for _, id := range f.EventIDs {
			if !slices.Contains(truth.IntruderEvents, id) {
				t.Errorf("%s names event %s, which is not the intruder's", f.Rule, id)
			}
		}
	}
	for _, f := range findings {
		if f.InLineage || f.Severity <= rules.Low {
			continue
		}
		benign := slices.ContainsFunc(truth.Benign, func(b scenario.TruthBenign) bool {
			return b.Rule == f.Rule && (b.PrincipalID == f.PrincipalID || b.PrincipalARN == f.PrincipalARN)
		})
		if !benign {
			t.Errorf("false alarm: %s %s of %s: %s", f.Severity, f.Rule, f.PrincipalARN, f.Summary)
		}
	}
}
