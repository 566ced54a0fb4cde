package sigma

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/query"
	"trailscan/rules"
)

// TestPublishedRules compiles and runs the rules that SigmaHQ publishes.
func TestPublishedRules(t *testing.T) {
	dir := filepath.Join(cmp.Or(os.Getenv("TRAILSCAN_CORPUS"), "../../../shared/corpus"), "sigma")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no published rules: %v", err)
	}
	vars := Vars{"Legitimate_Countries": {"DE"}, "Legitimate_IP_Ranges": {"192.0.2.*"}}
	c := newCase(t, `{"eventName":"ConsoleLogin","sourceIPAddress":"192.0.2.7","responseElements":{"ConsoleLogin":"Success"}}`,
		`{"eventName":"ListBuckets","eventSource":"s3.amazonaws.com"}`)
	for _, folder := range []struct {
		name    string
		refused []string // reasons
	}{
		{"rules", nil},
		{"rules-placeholder", nil},
		{"unsupported", []string{"near has no timeframe"}},
	} {
		t.Run(folder.name, func(t *testing.T) {
			set, err := Load([]string{filepath.Join(dir, folder.name)}, vars)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Refused) != len(folder.refused) {
				t.Errorf("refused %v", set.Refused)
			}
			for i, r := range set.Refused {
				if i < len(folder.refused) && !strings.Contains(r.Reason, folder.refused[i]) {
					t.Errorf("refused %v", r)
				}
			}
			for _, r := range set.Rules {
				run(t, c, r)
			}
			t.Logf("%d rules run, %d are about other logs", len(set.Rules), set.Skipped)
		})
	}
}

// run checks that a rule is complete and that its SQL runs.
func run(t *testing.T, c *query.Case, r rules.Rule) {
	t.Helper()
	if r.Title == "" || r.Explain == "" || r.Tactic == "" {
		t.Errorf("%s: title %q, tactic %q, %q", r.ID, r.Title, r.Tactic, r.Explain)
	}
	for _, id := range r.Techniques {
		if rules.AttackV18.TechniqueName(id) == "" {
			t.Errorf("%s: technique %s is not in attack_v19.csv", r.ID, id)
		}
	}
	if _, err := rules.Match(context.Background(), c, r); err != nil {
		t.Errorf("%s: %v\n%s", r.ID, err, r.SQL())
	}
}
