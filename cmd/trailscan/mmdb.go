package main

import "trailscan/lineage"

// databases are what --mmdb names: of autonomous systems, of countries, or a file
// that is both.
type databases struct {
	asns      *lineage.ASNs
	countries *lineage.Countries
}

// openDatabases opens the files that --mmdb names; the caller closes them. What is
// neither kind is refused as none of the kind that the command is about.
func openDatabases(paths []string, ofCountries bool) (databases, error) {
	var d databases
	for _, path := range paths {
		asns, err := lineage.OpenASNs(path)
		countries, countryErr := lineage.OpenCountries(path)
		if err != nil && countryErr != nil {
			d.close()
			if ofCountries {
				err = countryErr
			}
			return databases{}, err
		}
		if asns != nil && d.asns != nil || countries != nil && d.countries != nil {
			databases{asns, countries}.close()
			d.close()
			return databases{}, usagef("--mmdb %s: a database of the same kind was given before it", path)
		}
		if asns != nil {
			d.asns = asns
		}
		if countries != nil {
			d.countries = countries
		}
	}
	return d, nil
}

// close releases the files, of which nothing was written.
func (d databases) close() {
	d.asns.Close()
	d.countries.Close()
}
