package rules

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Accounts that are trusted are no outsiders, whichever rule asks.
func TestTrustedAccountsNarrow(t *testing.T) {
	c := openCase(t)
	account := regexp.MustCompile(`\b[0-9]{12}\b`)
	for _, id := range []string{"TS-IA-023", "TS-EF-001", "TS-EF-004", "TS-EF-007b", "TS-EF-009", "TS-EF-011", "TS-EF-014b", "TS-PE-011", "TS-PV-015",
		"TS-EX-005b", "TS-EX-013", "TS-EX-014b", "TS-IM-006b"} {
		t.Run(id, func(t *testing.T) {
			file := filepath.Join("testdata", id, "match.json")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			loadOnly(t, c, file)
			count := func(trusted ...string) int {
				t.Helper()
				if err := StoreLists(context.Background(), c, map[string][]string{TrustedAccountsList: trusted}); err != nil {
					t.Fatal(err)
				}
				found, err := Match(context.Background(), c, ruleNamed(t, id))
				if err != nil {
					t.Fatal(err)
				}
				return len(found)
			}
			all, none, others := count(), count(account.FindAllString(string(text), -1)...), count("999900009999", "888800008888")
			if none >= all || others != all {
				t.Errorf("finds %d events, %d when every account is trusted and %d when others are", all, none, others)
			}
		})
	}
}

func TestHostileValues(t *testing.T) {
	c := openCase(t)
	loadOnly(t, c, "testdata/TS-IA-017/match.json")
	got, err := HostileValues(context.Background(), c, []netip.Prefix{
		netip.MustParsePrefix("203.0.0.0/9"), netip.MustParsePrefix("198.51.100.23/32"), netip.MustParsePrefix("2001:db8::/32")})
	if err != nil {
		t.Fatal(err)
	}
	if want := "198.51.100.23 2001:db8::/32 2001:db8::66 203.0.0.0/9 203.0.113.66"; strings.Join(got, " ") != want {
		t.Errorf("values are %v, want %s", got, want)
	}
}

func ruleNamed(t *testing.T, id string) Rule {
	t.Helper()
	for _, r := range Pack() {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("the pack has no rule %s", id)
	return Rule{}
}
