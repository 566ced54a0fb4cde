package lineage

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"trailscan/internal/mmdbtest"
)

func TestCountries(t *testing.T) {
	dir := t.TempDir()
	for name, networks := range map[string]map[string]mmdbtest.Record{
		"MaxMind": {
			"198.51.100.0/24": {"country": mmdbtest.Record{"iso_code": "NL"}, "city": mmdbtest.Record{"geoname_id": 1}},
			"2001:db8::/32":   {"country": mmdbtest.Record{"iso_code": "DE"}},
			"192.0.2.0/24":    {"continent": mmdbtest.Record{"code": "EU"}},
		},
		"IPinfo, old": {"198.51.100.0/24": {"country": "NL"}, "2001:db8::/32": {"country": "DE"}},
		"IPinfo, new": {"198.51.100.0/24": {"country": "Netherlands", "country_code": "NL"}, "2001:db8::/32": {"country": "Germany", "country_code": "DE"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name+".mmdb")
			if err := mmdbtest.Write(path, name, networks); err != nil {
				t.Fatal(err)
			}
			c, err := OpenCountries(path)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for address, want := range map[string]string{
				"198.51.100.7": "NL", "::ffff:198.51.100.7": "NL", "2001:db8::1": "DE", "192.0.2.1": "", "203.0.113.1": "", "10.0.0.1": "", "fe80::1%eth0": "",
			} {
				if got, err := c.Code(netip.MustParseAddr(address)); got != want || err != nil {
					t.Errorf("%s is in %q (%v), want %q", address, got, err, want)
				}
			}
		})
	}
	path := filepath.Join(dir, "asn.mmdb")
	if err := mmdbtest.Write(path, "GeoLite2-ASN", map[string]mmdbtest.Record{"198.51.100.0/24": {"autonomous_system_number": 64500}}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCountries(path); err == nil || !strings.Contains(err.Error(), `its type is "GeoLite2-ASN", and it holds no countries`) {
		t.Errorf("an ASN database gives %v", err)
	}
}
