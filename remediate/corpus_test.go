package remediate

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/lineage"
)

// TestPlansOfPublishedAttacks makes a plan for every attack of the corpus: the
// titles of what is undone must name things, for real records have the paths
// that the tables look at.
func TestPlansOfPublishedAttacks(t *testing.T) {
	folder := filepath.Join(cmp.Or(os.Getenv("TRAILSCAN_CORPUS"), filepath.Join("..", "..", "shared", "corpus")), "stratus")
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus at %s", folder)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c := emptyCase(t)
			if _, err := ingest.Load(t.Context(), c, []string{file}, ingest.Options{}); err != nil {
				t.Fatal(err)
			}
			var key string
			if err := c.DB.QueryRowContext(t.Context(), `SELECT access_key_id FROM events WHERE access_key_id IS NOT NULL
				GROUP BY 1 ORDER BY count(*) FILTER (WHERE NOT read_only) DESC, count(*) DESC, 1 LIMIT 1`).Scan(&key); err != nil {
				t.Skip("no access key in the records")
			}
			l, err := lineage.Trace(t.Context(), c, []string{key}, lineage.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewPlan(t.Context(), c, l)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range p.Actions {
				if strings.Contains(a.Title, "(not in the log)") || strings.Contains(a.Reason, "No call can be written") {
					t.Errorf("%s: %s: %s", a.ID, a.Title, a.Reason)
				}
				t.Log(a.Phase, a.Mode, a.Service, a.Operation, a.Title)
			}
		})
	}
}
