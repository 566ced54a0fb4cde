package lineage

import (
	"fmt"
	"net/netip"
	"regexp"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Countries is a database of the countries that addresses are in, in MaxMind's
// format: GeoLite2 Country and City, DB-IP's and IPinfo's.
type Countries struct {
	db   *maxminddb.Reader
	path string
}

// countryRecord has the names of the fields in MaxMind's and DB-IP's databases,
// whose country is a record, and in IPinfo's, whose country is its code or, beside
// country_code, its name.
// https://dev.maxmind.com/geoip/docs/databases/city-and-country,
// https://ipinfo.io/developers/ipinfo-lite-database
type countryRecord struct {
	Country any    `maxminddb:"country"`
	Code    string `maxminddb:"country_code"`
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

func (r countryRecord) code() string {
	code := r.Code
	switch c := r.Country.(type) {
	case map[string]any:
		code, _ = c["iso_code"].(string)
	case string:
		if code == "" {
			code = c
		}
	}
	if !countryCode.MatchString(code) {
		return ""
	}
	return code
}

// OpenCountries opens a database of countries and sees that it is one.
func OpenCountries(path string) (*Countries, error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read country database %s: %w: give a MaxMind DB file such as GeoLite2-Country.mmdb", path, err)
	}
	c := &Countries{db, path}
	tried := 0
	for result := range db.Networks() {
		var r countryRecord
		if err = result.Decode(&r); err != nil {
			break
		}
		if r.code() != "" {
			return c, nil
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
		return nil, fmt.Errorf("read country database %s: %w", path, err)
	}
	return nil, fmt.Errorf("read country database %s: its type is %q, and it holds no countries: give a country database such as GeoLite2-Country.mmdb", path, kind)
}

// Close releases the file.
func (c *Countries) Close() error {
	if c == nil {
		return nil
	}
	return c.db.Close()
}

// Code is the country of an address, by its two letters; "" where the database
// has none.
func (c *Countries) Code(addr netip.Addr) (string, error) {
	addr = addr.Unmap().WithZone("")
	if addr.IsPrivate() || addr.Is6() && c.db.Metadata.IPVersion == 4 {
		return "", nil
	}
	result := c.db.Lookup(addr)
	if result.Err() == nil && !result.Found() {
		return "", nil
	}
	var r countryRecord
	if err := result.Decode(&r); err != nil {
		return "", fmt.Errorf("look %s up in country database %s: %w", addr, c.path, err)
	}
	return r.code(), nil
}
