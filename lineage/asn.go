package lineage

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// ASNs is a database of the autonomous systems that addresses belong to, in
// MaxMind's format: GeoLite2 ASN, GeoIP2 ISP, DB-IP's and IPinfo's.
type ASNs struct {
	db   *maxminddb.Reader
	path string
}

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

// networksTried is how many networks of a database may lack an AS number before
// it counts as one that has none.
const networksTried = 1000

// OpenASNs opens a database of autonomous systems and sees that it is one.
func OpenASNs(path string) (*ASNs, error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read ASN database %s: %w: give a MaxMind DB file such as GeoLite2-ASN.mmdb", path, err)
	}
	tried := 0
	for result := range db.Networks() {
		var r asnRecord
		if err = result.Decode(&r); err != nil {
			break
		}
		if r.system().number > 0 {
			return &ASNs{db, path}, nil
		}
		if tried++; tried == networksTried {
			break
		}
	}
	kind := db.Metadata.DatabaseType
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read ASN database %s: %w", path, err)
	}
	return nil, fmt.Errorf("read ASN database %s: its type is %q, and it holds no AS numbers: give an ASN database such as GeoLite2-ASN.mmdb", path, kind)
}

// Close releases the file.
func (a *ASNs) Close() error {
	if a == nil {
		return nil
	}
	return a.db.Close()
}

func (a *ASNs) lookup(addr netip.Addr) (autonomousSystem, error) {
	if a == nil || addr.IsPrivate() || addr.Is6() && a.db.Metadata.IPVersion == 4 {
		return autonomousSystem{}, nil
	}
	result := a.db.Lookup(addr)
	if result.Err() == nil && !result.Found() {
		return autonomousSystem{}, nil
	}
	var r asnRecord
	if err := result.Decode(&r); err != nil {
		return autonomousSystem{}, fmt.Errorf("look %s up in ASN database %s: %w", addr, a.path, err)
	}
	return r.system(), nil
}

// rentable are organisations in whose networks anybody can rent an address for
// an hour: that the owner used one says nothing of who else does.
var rentable = regexp.MustCompile(`(?i)amazon|\baws\b|google|microsoft|azure|digital ?ocean|\bovh\b|hetzner|linode|akamai|vultr|choopa|constant company|` +
	`m247|datacamp|contabo|alibaba|aliyun|tencent|oracle|leaseweb|scaleway|online s\.?a|ionos|zenlayer|quadranet|colocrossing|psychz|` +
	`hosting|hostinger|cloud|server|data ?cent|\bvps\b|vpn|proxy|\bcolo\b|packethub|tzulo|mullvad|gcore|g-core|worldstream|tor exit`)

// rentable reports whether anybody can rent an address there.
func (a autonomousSystem) rentable() bool { return rentable.MatchString(a.organisation) }
