package lineage

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// ASNs is a database of the autonomous systems that addresses belong to, in
// MaxMind's format: GeoLite2 ASN, GeoIP2 ISP, DB-IP's and IPinfo's.
type ASNs struct{ db *addressDatabase[asnRecord] }

// autonomousSystem is a network under one administration; number 0 is none.
type autonomousSystem struct {
	number       uint32
	organisation string
}

func (a autonomousSystem) String() string {
	if a.organisation == "" {
		return fmt.Sprintf("AS%d", a.number)
	}
	return fmt.Sprintf("AS%d %s", a.number, a.organisation)
}

// asnRecord has the names of the fields in MaxMind's and DB-IP's databases, and
// in IPinfo's, whose number is the text "AS64500".
// https://dev.maxmind.com/geoip/docs/databases/asn,
// https://ipinfo.io/developers/ip-to-asn-database
type asnRecord struct {
	Number       any    `maxminddb:"autonomous_system_number"`
	Organization string `maxminddb:"autonomous_system_organization"`
	ASN          any    `maxminddb:"asn"`
	ASName       string `maxminddb:"as_name"`
	Name         string `maxminddb:"name"`
}

func (r asnRecord) system() autonomousSystem {
	for _, v := range []any{r.Number, r.ASN} {
		text := fmt.Sprint(v)
		if len(text) > 2 && strings.EqualFold(text[:2], "as") {
			text = text[2:]
		}
		if n, err := strconv.ParseUint(text, 10, 32); err == nil && n > 0 {
			organisation := r.Organization
			for _, name := range []string{r.ASName, r.Name} {
				if organisation == "" {
					organisation = name
				}
			}
			return autonomousSystem{uint32(n), organisation}
		}
	}
	return autonomousSystem{}
}

// OpenASNs opens a database of autonomous systems and sees that it is one.
func OpenASNs(path string) (*ASNs, error) {
	db, err := openDatabase(path, databaseKind{"ASN database", "an ASN database", "AS numbers", "GeoLite2-ASN.mmdb"},
		func(r asnRecord) bool { return r.system().number > 0 })
	if err != nil {
		return nil, err
	}
	return &ASNs{db}, nil
}

// Close releases the file.
func (a *ASNs) Close() error {
	if a == nil {
		return nil
	}
	return a.db.close()
}

func (a *ASNs) lookup(addr netip.Addr) (autonomousSystem, error) {
	if a == nil {
		return autonomousSystem{}, nil
	}
	r, err := a.db.record(addr)
	return r.system(), err
}

// rentable are organisations in whose networks anybody can rent an address for
// an hour: that the owner used one says nothing of who else does.
var rentable = regexp.MustCompile(`(?i)amazon|\baws\b|google|microsoft|azure|digital ?ocean|\bovh\b|hetzner|linode|akamai|vultr|choopa|constant company|` +
	`m247|datacamp|contabo|alibaba|aliyun|tencent|oracle|leaseweb|scaleway|online s\.?a|ionos|zenlayer|quadranet|colocrossing|psychz|` +
	`hosting|hostinger|cloud|server|data ?cent|\bvps\b|vpn|proxy|\bcolo\b|packethub|tzulo|mullvad|gcore|g-core|worldstream|tor exit`)

// rentable reports whether anybody can rent an address there.
func (a autonomousSystem) rentable() bool { return rentable.MatchString(a.organisation) }
