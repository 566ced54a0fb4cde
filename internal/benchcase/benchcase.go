// Package benchcase makes the large cases that benchmarks measure on, as ingest
// stores them.
package benchcase

import (
	"os"
	"path/filepath"
	"testing"

	"trailscan/ingest"
	"trailscan/internal/scenario"
	"trailscan/query"
)

// Generated is the path of a case with a volume loaded into it.
func Generated(tb testing.TB, v scenario.Volume) string {
	tb.Helper()
	dir, path := tb.TempDir(), filepath.Join(tb.TempDir(), "case.duckdb")
	if err := v.Write(dir); err != nil {
		tb.Fatal(err)
	}
	c, err := query.Open(tb.Context(), path, query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := ingest.Load(tb.Context(), c, []string{dir}, ingest.Options{}); err != nil {
		tb.Fatal(err)
	}
	if err := c.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		tb.Fatal(err)
	}
	return path
}
