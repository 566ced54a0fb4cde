package remediate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
)

func emptyCase(t testing.TB) *query.Case {
	t.Helper()
	c, err := query.Open(t.Context(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test", Threads: 1})
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

type planTruth struct {
	Keys []string `json:"keys"`
	Plan struct {
		Expected []struct {
			Phase      string         `json:"phase"`
			Service    string         `json:"service"`
			Operation  string         `json:"operation"`
			Region     string         `json:"region"`
			Parameters map[string]any `json:"parameters"`
			Contains   []string       `json:"contains"`
			Why        string         `json:"why"`
		} `json:"expected"`
		Never []string `json:"never"`
	} `json:"plan"`
}

// TestLeakedKeyAgainstItsTruth makes the plan of the incident that the project
// ships and compares it with what a perfect planner writes, both ways.
func TestLeakedKeyAgainstItsTruth(t *testing.T) {
	folder := filepath.Join("..", "testdata", "leaked-key")
	text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want planTruth
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	c := emptyCase(t)
	if _, err := ingest.Load(t.Context(), c, []string{filepath.Join(folder, "AWSLogs")}, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := lineage.Trace(t.Context(), c, want.Keys, lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("TRAILSCAN_DUMP_PLAN"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := p.Write(f); err != nil {
			t.Fatal(err)
		}
	}

	for _, w := range want.Plan.Expected {
		found := false
		for _, a := range p.Actions {
			if !strings.Contains("|"+w.Phase+"|", "|"+string(a.Phase)+"|") || w.Service != "" && a.Service != "" && a.Service != w.Service ||
				w.Operation != "" && a.Operation != w.Operation || w.Region != "" && a.Region != w.Region {
				continue
			}
			match := true
			for k, v := range w.Parameters {
				match = match && a.Parameters[k] == v
			}
			whole, err := compactJSON(a)
			if err != nil {
				t.Fatal(err)
			}
			parameters, err := compactJSON(a.Parameters)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range w.Contains {
				quoted := strings.Trim(jmesString(s), "`\"")
				match = match && (strings.Contains(whole, s) || strings.Contains(parameters, quoted))
			}
			found = found || match
		}
		if !found {
			t.Errorf("the plan lacks %s %s:%s %v %v: %s", w.Phase, w.Service, w.Operation, w.Parameters, w.Contains, w.Why)
		}
	}
	for _, a := range p.Actions {
		whole, err := compactJSON(map[string]any{"p": a.Parameters, "t": a.Title, "e": a.ForEach, "r": a.Rollback, "x": a.Expect, "v": a.Verify})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want.Plan.Never {
			if strings.Contains(whole, `"`+name+`"`) || strings.Contains(a.Title, " "+name+" ") || strings.HasSuffix(a.Title, " "+name) {
				t.Errorf("%s names %s, which is not the intruder's: %s", a.ID, name, a.Title)
			}
		}
		if len(a.Evidence) == 0 {
			t.Errorf("%s has no evidence", a.ID)
		}
	}
}
