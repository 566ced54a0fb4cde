package rules

import (
	"slices"
	"strings"
	"testing"
)

func TestTacticIsOneOfTheTechnique(t *testing.T) {
	for _, r := range Pack() {
		for i, id := range r.Techniques {
			for _, v := range []AttackVersion{AttackV18, AttackV19} {
				id, tactic := v.Techniques([]string{id})[0], v.Tactic(r.Tactic, r.Techniques)
				tactics := v.TechniqueTactics(id)
				if tactics == nil {
					t.Errorf("%s: technique %s is not in attack_v19.csv", r.ID, id)
				}
				if i == 0 && !slices.Contains(tactics, tactic) {
					t.Errorf("%s: ATT&CK v%d lists %s under %v, not under %s", r.ID, v, id, tactics, tactic)
				}
			}
		}
	}
}

func TestAttackTable(t *testing.T) {
	if !slices.IsSorted(attackIDs) || len(attackIDs) != len(attackTechniques) {
		t.Error("attack_v19.csv is not sorted, or names a technique twice")
	}
	for id, row := range attackTechniques {
		if parent, _, _ := strings.Cut(id, "."); attackTechniques[parent].name == "" {
			t.Errorf("%s has no row for %s", id, parent)
		}
		for v, tactics := range map[AttackVersion][]string{AttackV18: row.tactics, AttackV19: row.tactics19} {
			if len(tactics) == 0 {
				t.Errorf("%s has no tactic in v%d", id, v)
			}
			for _, tactic := range tactics {
				if _, known := v.TacticOf(tactic); !known {
					t.Errorf("%s: v%d has no tactic %q", id, v, tactic)
				}
			}
		}
		if back := OldTechnique(row.id19); attackTechniques[back].id19 != row.id19 {
			t.Errorf("%s becomes %s, and that %s again", id, row.id19, back)
		}
	}
}

func TestAttackVersions(t *testing.T) {
	for _, c := range []struct {
		tactic     string
		techniques []string
		tactic19   string
		ids19      []string
	}{
		{"defense-evasion", []string{"T1562.008"}, "defense-impairment", []string{"T1685.002"}},
		{"defense-evasion", []string{"T1562.001", "T1562.006"}, "defense-impairment", []string{"T1685"}},
		{"defense-evasion", []string{"T1562.007", "T1578.005"}, "defense-impairment", []string{"T1686.001", "T1578.005"}},
		{"defense-evasion", []string{"T1535"}, "stealth", []string{"T1535"}},
		{"defense-evasion", []string{"T1530", "T1666"}, "defense-impairment", []string{"T1530", "T1666"}},
		{"defense-evasion", []string{"T1610"}, "execution", []string{"T1610"}},
		{"defense-evasion", []string{"T9999"}, "stealth", []string{"T9999"}},
		{"defense-evasion", nil, "stealth", []string{}},
		{"persistence", []string{"T1078.004"}, "persistence", []string{"T1078.004"}},
	} {
		f := Finding{Tactic: c.tactic, Techniques: c.techniques}
		if got := AttackV19.Finding(f); got.Tactic != c.tactic19 || !slices.Equal(got.Techniques, c.ids19) {
			t.Errorf("%s %v in v19 is %s %v, want %s %v", c.tactic, c.techniques, got.Tactic, got.Techniques, c.tactic19, c.ids19)
		}
		if got := AttackV18.Finding(f); got.Tactic != c.tactic || !slices.Equal(got.Techniques, append([]string{}, c.techniques...)) {
			t.Errorf("%s %v in v18 is %s %v", c.tactic, c.techniques, got.Tactic, got.Techniques)
		}
	}
	for id, want := range map[string]string{"T1685": "T1562.001", "T1685.002": "T1562.008", "T1686": "T1562.004", "T1686.001": "T1562.007",
		"T1685.006": "T1070.002", "T1098.001": "T1098.001", "T1562.001": "T1562.001", "T9999": "T9999"} {
		if got := OldTechnique(id); got != want {
			t.Errorf("v18 calls %s %s, want %s", id, got, want)
		}
	}
	if got := len(AttackV19.Tactics()); got != 15 {
		t.Errorf("v19 has %d tactics, want 15", got)
	}
}
