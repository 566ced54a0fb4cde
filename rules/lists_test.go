package rules

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

// Accounts that are trusted are no outsiders, whichever rule asks.
func TestTrustedAccountsNarrow(t *testing.T) {
	c := openCase(t)
	loadOnly(t, c, "testdata/TS-IA-023/match.json")
	r := ruleNamed(t, "TS-IA-023")
	if found, err := Match(context.Background(), c, r); err != nil || len(found) == 0 {
		t.Fatalf("without a list it finds %v (%v)", found, err)
	}
	var accounts string
	if err := c.DB.QueryRow(`SELECT string_agg(DISTINCT identity_account_id, ' ') FROM events WHERE identity_account_id IS NOT NULL`).Scan(&accounts); err != nil {
		t.Fatal(err)
	}
	if err := StoreLists(context.Background(), c, map[string][]string{TrustedAccountsList: strings.Fields(accounts)}); err != nil {
		t.Fatal(err)
	}
	if found, err := Match(context.Background(), c, r); err != nil || len(found) > 0 {
		t.Errorf("with all accounts trusted it finds %v (%v)", found, err)
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
