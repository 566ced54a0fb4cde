package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
	"trailscan/rules"
)

// The whole way from logs to documents, on an incident written for the project.
func TestReportOfTheLeakedKey(t *testing.T) {
	folder := filepath.Join("..", "testdata", "leaked-key")
	text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Keys           []string          `json:"keys"`
		IntruderEvents []json.RawMessage `json:"intruder_events"`
	}
	if err := json.Unmarshal(text, &truth); err != nil || len(truth.Keys) == 0 {
		t.Fatalf("truth.json names no key: %v", err)
	}
	ctx := context.Background()
	c, err := query.Open(ctx, filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := ingest.Load(ctx, c, []string{filepath.Join(folder, "AWSLogs")}, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := lineage.Trace(ctx, c, truth.Keys, lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Scan(ctx, c, rules.Pack(), rules.Options{}); err != nil {
		t.Fatal(err)
	}
	inc, err := Load(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if inc.Plan, err = remediate.NewPlan(ctx, c, l); err != nil {
		t.Fatal(err)
	}
	// Its own trail is stopped, it has no data events, and nothing else of it
	// is missing.
	gaps := map[string]bool{}
	for _, g := range inc.Gaps {
		gaps[g.ID] = true
	}
	for id, want := range map[string]bool{"logging-stopped": true, "no-data-events": true, "end-of-logs": true, "silence": false,
		"writes-only": false, "reads-only": false, "no-global-region": false, "rejected-records": false, "short-history": false, "damaged-sources": false} {
		if gaps[id] != want {
			t.Errorf("gap %s is told: %v, want %v", id, gaps[id], want)
		}
	}
	var table bytes.Buffer
	if err := TimelineCSV(ctx, &table, c, Filter{Lineage: true}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || int64(len(rows)-1) != inc.Timeline.Events {
		t.Errorf("timeline.csv has %d events, the report %d: %v", len(rows)-1, inc.Timeline.Events, err)
	}
	if n := len(truth.IntruderEvents); inc.Timeline.Events != int64(n) {
		t.Errorf("the report has %d events of the intruder, want %d", inc.Timeline.Events, n)
	}
	for name, write := range map[string]func(io.Writer) error{
		"HTML":     func(w io.Writer) error { return HTML(w, inc, time.UTC) },
		"Markdown": func(w io.Writer) error { return Markdown(w, inc, time.UTC) },
		"JSON":     func(w io.Writer) error { return JSON(w, inc) },
		"summary":  func(w io.Writer) error { return Summary(w, inc, "out", time.UTC, 100) },
	} {
		var once, twice strings.Builder
		if err := write(&once); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := write(&twice); err != nil || once.String() != twice.String() {
			t.Errorf("%s differs when it is written again: %v", name, err)
		}
		if !strings.Contains(once.String(), truth.Keys[0]) {
			t.Errorf("%s does not name the key", name)
		}
	}
}
