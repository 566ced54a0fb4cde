package remediate

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/lineage"
)

// corpusPlans makes a plan for every attack of the corpus.
func corpusPlans(t *testing.T, each func(*testing.T, *Plan)) {
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
			each(t, p)
		})
	}
}

// TestPlansOfPublishedAttacks looks at a plan for every attack of the corpus: the
// titles of what is undone must name things, for real records have the paths
// that the tables look at. The AWS CLI must take its commands.
func TestPlansOfPublishedAttacks(t *testing.T) {
	var lines []cliLine
	corpusPlans(t, func(t *testing.T, p *Plan) {
		for _, a := range p.Actions {
			if strings.Contains(a.Title, "(not in the log)") || strings.Contains(a.Reason, "No call can be written") {
				t.Errorf("%s: %s: %s", a.ID, a.Title, a.Reason)
			}
			t.Log(a.Phase, a.Mode, a.Service, a.Operation, a.Title)
		}
		lines = append(lines, planLines(t, p)...)
	})
	t.Run("commands", func(t *testing.T) {
		if wrong := holdAgainstCLI(t, distinct(lines)); wrong != "" {
			t.Error(wrong)
		}
	})
}

// distinct leaves out command lines of the same operation and parameters.
func distinct(lines []cliLine) []cliLine {
	seen := map[string]bool{}
	return slices.DeleteFunc(lines, func(l cliLine) bool {
		key := fmt.Sprint(l.Argv[:2], slices.Sorted(maps.Keys(l.Want)), l.Path, l.Want == nil)
		have := seen[key]
		seen[key] = true
		return have
	})
}
