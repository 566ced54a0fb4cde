package lineage

import (
	"net/netip"
	"regexp"
)

// Countries is a database of the countries that addresses are in, in MaxMind's
// format: GeoLite2 Country and City, DB-IP's and IPinfo's.
type Countries struct {
	db *addressDatabase[countryRecord]
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
	db, err := openDatabase(path, databaseKind{"country database", "a country database", "countries", "GeoLite2-Country.mmdb"},
		func(r countryRecord) bool { return r.code() != "" })
	if err != nil {
		return nil, err
	}
	return &Countries{db}, nil
}

// Close releases the file.
func (c *Countries) Close() error {
	if c == nil {
		return nil
	}
	return c.db.close()
}

// Code is the country of an address, by its two letters; "" where the database
// has none.
func (c *Countries) Code(addr netip.Addr) (string, error) {
	r, err := c.db.record(addr.Unmap().WithZone(""))
	return r.code(), err
}
