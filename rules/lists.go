package rules

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"trailscan/query"
)

// StoreLists makes values those of lists that rules compare with, by the lists'
// names. A list that is not given stays as it is.
func StoreLists(ctx context.Context, c *query.Case, lists map[string][]string) error {
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store lists in case %s: %w", c.Path, err)
	}
	defer conn.Close()
	if err := storeLists(ctx, conn, lists); err != nil {
		return fmt.Errorf("case %s: %w", c.Path, err)
	}
	return nil
}

// HostileValues are the values of the list of hostile addresses: the networks as
// they are given, and the addresses of the case within them, for SQL cannot
// look into networks of every size.
func HostileValues(ctx context.Context, c *query.Case, networks []netip.Prefix) ([]string, error) {
	var values []string
	for _, n := range networks {
		if n.IsSingleIP() {
			values = append(values, n.Addr().String())
		} else {
			values = append(values, n.String())
		}
	}
	err := eachAddress(ctx, c, func(text string, addr netip.Addr) error {
		if slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr.Unmap()) }) {
			values = append(values, text)
		}
		return nil
	})
	slices.Sort(values)
	return slices.Compact(values), err
}

// noCountry stands in a list of countries that has none: that the database knows
// no address of the case is an answer too.
const noCountry = "="

// CountryValues are the values of the list of countries: each address of the case
// with the country that code gives, as 192.0.2.7=NL.
func CountryValues(ctx context.Context, c *query.Case, code func(netip.Addr) (string, error)) ([]string, error) {
	values := []string{noCountry}
	err := eachAddress(ctx, c, func(text string, addr netip.Addr) error {
		country, err := code(addr)
		if country != "" {
			values = append(values, text+"="+country)
		}
		return err
	})
	slices.Sort(values)
	return values, err
}

// eachAddress calls f with every address that the case's events come from.
func eachAddress(ctx context.Context, c *query.Case, f func(string, netip.Addr) error) error {
	rows, err := c.DB.QueryContext(ctx, `SELECT DISTINCT source_ip_address FROM events WHERE source_ip_address <> ''`)
	if err != nil {
		return fmt.Errorf("read the addresses of case %s: %w", c.Path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return fmt.Errorf("read the addresses of case %s: %w", c.Path, err)
		}
		addr, err := netip.ParseAddr(text)
		if err != nil {
			continue // the name of a service
		}
		if err := f(text, addr); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the addresses of case %s: %w", c.Path, err)
	}
	return nil
}
