package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"trailscan/ingest"
	"trailscan/lineage"
	"trailscan/query"
	"trailscan/rules"
)

// listFlags give the lists that some rules compare with.
type listFlags struct {
	regions, accounts, hostile, mmdb []string
}

func (l *listFlags) add(f *pflag.FlagSet) {
	f.StringSliceVar(&l.regions, "allowed-regions", nil, "`REGION` that may be used, a list with commas, or a file with one a line; activity elsewhere is a finding")
	f.StringSliceVar(&l.accounts, "trusted-accounts", nil, "account `ID` of the organization or a partner, a list with commas, or a file with one a line; calls of others are findings")
}

// addKnown adds what is known of addresses, for which commands that trace have
// flags already.
func (l *listFlags) addKnown(f *pflag.FlagSet) {
	f.StringArrayVar(&l.mmdb, "mmdb", nil, "country database `FILE` in MaxMind's format (GeoLite2 Country or City, DB-IP, IPinfo); rules about new countries need it")
	f.StringSliceVar(&l.hostile, "hostile", nil, "`CIDR` or address that is hostile, a list with commas, or a file with one a line")
}

// options are the lists that are given, by the names under which the case keeps
// them; those of --hostile need the case.
func (l *listFlags) options() (map[string][]string, error) {
	lists := map[string][]string{}
	for _, list := range []struct {
		name   string
		values []string
	}{{rules.AllowedRegionsList, l.regions}, {rules.TrustedAccountsList, l.accounts}, {rules.HostileList, l.hostile}} {
		if list.values == nil {
			continue
		}
		values, err := listValues(rules.ListFlag(list.name), list.name, list.values)
		if err != nil {
			return nil, err
		}
		lists[list.name] = values
	}
	return lists, nil
}

// completeLists looks the addresses of the case up: in the hostile networks, and
// in the database of countries if there is one.
func completeLists(ctx context.Context, c *query.Case, lists map[string][]string, countries *lineage.Countries) (err error) {
	if countries != nil {
		if lists[rules.CountriesList], err = rules.CountryValues(ctx, c, countries.Code); err != nil {
			return err
		}
	}
	values, given := lists[rules.HostileList]
	if !given {
		return nil
	}
	networks, err := lineage.ParsePrefixes(values)
	if err != nil {
		return err
	}
	lists[rules.HostileList], err = rules.HostileValues(ctx, c, networks)
	return err
}

// listValues reads what a flag gives: values, or files with one a line, in which
// # begins a comment.
func listValues(flag, name string, given []string) ([]string, error) {
	check, known := listChecks[name]
	if !known {
		return nil, usagef("%s: no rule reads a list %q: %s", flag, name, didYouMean(name, listNames()))
	}
	var values []string
	for _, text := range given {
		value, err := check(strings.TrimSpace(text))
		if err == nil {
			values = append(values, value)
			continue
		}
		lines, ferr := readList(text)
		if errors.Is(ferr, fs.ErrNotExist) {
			return nil, usagef("%s: %w, and there is no file of that name", flag, err)
		}
		if ferr != nil {
			return nil, fmt.Errorf("%s: %w", flag, ferr)
		}
		if len(lines) == 0 {
			return nil, usagef("%s: %s names nothing: write one value a line", flag, text)
		}
		for _, l := range lines {
			value, err := check(l.text)
			if err != nil {
				return nil, usagef("%s: %s:%d: %w", flag, text, l.number, err)
			}
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return nil, usagef("%s names nothing", flag)
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

// networks reads a flag that gives networks; none when it is not given.
func networks(flag string, given []string) ([]netip.Prefix, error) {
	if given == nil {
		return nil, nil
	}
	values, err := listValues(flag, rules.HostileList, given)
	if err != nil {
		return nil, err
	}
	return lineage.ParsePrefixes(values)
}

type listLine struct {
	number int
	text   string
}

func readList(path string) ([]listLine, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []listLine
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(scanner.Text(), "\ufeff"), "#")
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' }) {
			lines = append(lines, listLine{n, word})
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return lines, nil
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// listChecks read one value of each list.
var listChecks = map[string]func(string) (string, error){
	rules.AllowedRegionsList: func(text string) (string, error) {
		name := strings.ToLower(text)
		if !ingest.KnownRegion(name) {
			return "", fmt.Errorf("AWS has no region %q: %s", text, didYouMean(name, ingest.Regions()))
		}
		return name, nil
	},
	rules.TrustedAccountsList: func(text string) (string, error) {
		if !ingest.IsAccountID(text) {
			return "", fmt.Errorf("%q is not the 12 digits of an account id", text)
		}
		return text, nil
	},
	rules.CountriesList: func(text string) (string, error) {
		address, country, _ := strings.Cut(text, "=")
		if _, err := netip.ParseAddr(address); err != nil || !countryCode.MatchString(country) {
			return "", fmt.Errorf("%q is not an address and the two letters of its country, as 192.0.2.7=NL", text)
		}
		return text, nil
	},
	rules.HostileList: func(text string) (string, error) {
		_, err := lineage.ParsePrefixes([]string{text})
		return text, err
	},
}

func listNames() []string {
	names := make([]string, 0, len(listChecks))
	for name := range listChecks {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
