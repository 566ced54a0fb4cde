package lineage

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// origin is what is known of where a call came from.
type origin struct {
	addr    netip.Addr // invalid for what is no address
	network string     // "" for what is no address
	as      autonomousSystem
	aws     awsRange
}

// parseAddress reads a source address. ok is false for a service's host name.
// Logs whose addresses were made unrecognizable have zeros before the numbers,
// which are decimal all the same.
func parseAddress(source string) (addr netip.Addr, ok bool) {
	addr, err := netip.ParseAddr(source)
	if err != nil && len(source) <= len("255.255.255.255") {
		addr, err = netip.ParseAddr(leadingZeros.ReplaceAllString(source, "$1"))
	}
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}

var leadingZeros = regexp.MustCompile(`\b0+([0-9])`)

// place is the network that a call came from. Many VPCs use the same private
// addresses: what came by an endpoint is told apart by that.
func place(source, endpoint string) string {
	n := network(source)
	if n != "" && endpoint != "" {
		return n + " via " + endpoint
	}
	return n
}

// origin looks an address up, once.
func (t *tracer) origin(source, endpoint string) (*origin, error) {
	k := [2]string{source, endpoint}
	if o := t.origins[k]; o != nil {
		return o, nil
	}
	o, err := t.o.lookUp(source)
	if err != nil {
		return nil, err
	}
	o.network = place(source, endpoint)
	if t.origins == nil {
		t.origins = map[[2]string]*origin{}
	}
	t.origins[k] = o
	return o, nil
}

func (o *Options) lookUp(source string) (*origin, error) {
	at := &origin{network: network(source)}
	addr, ok := parseAddress(source)
	if !ok {
		return at, nil
	}
	at.addr = addr
	at.aws, _ = o.AWSRanges.lookup(addr)
	var err error
	at.as, err = o.ASNs.lookup(addr)
	return at, err
}

// landmark is the autonomous system as a sign of who is there: "" where anybody
// can rent an address.
func (o *origin) landmark() string {
	if o.as.number == 0 || o.aws.service != "" || o.as.rentable() {
		return ""
	}
	return o.as.String()
}

// facts are what files that were given say of an address, for a reader.
func (o *origin) facts() []string {
	var facts []string
	if o.aws.service != "" {
		facts = append(facts, "address belongs to AWS: "+o.aws.String())
	}
	if o.as.number != 0 {
		facts = append(facts, "address is in "+o.as.String())
	}
	return facts
}

// side is what --trusted and --hostile say of an address, by the longest prefix
// that holds it, and that prefix.
func (o *Options) side(addr netip.Addr) (Actor, netip.Prefix) {
	var best netip.Prefix
	var actor Actor
	for _, list := range []struct {
		actor    Actor
		prefixes []netip.Prefix
	}{{Intruder, o.Hostile}, {Owner, o.Trusted}} {
		for _, p := range list.prefixes {
			if p.Contains(addr) && (actor == "" || p.Bits() > best.Bits()) {
				best, actor = p, list.actor
			}
		}
	}
	return actor, best
}

func (o *Options) sideOf(source string) Actor {
	addr, ok := parseAddress(source)
	if !ok {
		return ""
	}
	actor, _ := o.side(addr)
	return actor
}

// ParsePrefixes reads CIDRs and single addresses.
func ParsePrefixes(texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		text = strings.TrimSpace(text)
		p, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a CIDR such as 192.0.2.0/24", text)
		}
		if !slices.Contains(prefixes, p) {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%s has a zone", text)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%s is wider than all IPv4 addresses", text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), err
}

// addressBatch is how many addresses are looked up at a time.
const addressBatch = 50_000

// storeAddresses fills the tables that SQL and rules read: addresses, when a
// file that knows of them was given, and the addresses of the case that are
// hostile.
func (t *tracer) storeAddresses(ctx context.Context) error {
	known := t.o.ASNs != nil || t.o.AWSRanges != nil
	if !known && len(t.o.Hostile) == 0 {
		return t.exec(ctx, `DELETE FROM lists WHERE name = 'hostile'`)
	}
	err := t.exec(ctx, `DELETE FROM lists WHERE name = 'hostile'`,
		`CREATE OR REPLACE TEMP TABLE trace_addresses AS
			SELECT address, row_number() OVER (ORDER BY address) AS n FROM (SELECT DISTINCT source_ip_address AS address FROM events WHERE source_ip_address <> '')`)
	if err == nil && known {
		err = t.exec(ctx, `DELETE FROM addresses`)
	}
	if err != nil {
		return err
	}
	hostile := map[string]bool{} // as given too, so that the rules run though no address of the case is one
	for _, p := range t.o.Hostile {
		hostile[prefixText(p)] = true
	}
	for from := 0; ; from += addressBatch {
		var batch []string
		err := t.each(ctx, `SELECT address FROM temp.trace_addresses WHERE n > ? AND n <= ? ORDER BY n`, []any{from, from + addressBatch}, func(scan func(...any) error) error {
			var address string
			err := scan(&address)
			batch = append(batch, address)
			return err
		})
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, address := range batch {
			if t.o.sideOf(address) == Intruder {
				hostile[address] = true
			}
		}
		if known {
			if err := t.storeBatch(batch); err != nil {
				return err
			}
		}
	}
	values := sorted(hostile)
	return appendRows(t.conn, "", "lists", len(values), func(i int) []driver.Value { return []driver.Value{"hostile", values[i]} })
}

// prefixText is a prefix as a user writes it: a single address without its length.
func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func (t *tracer) storeBatch(addresses []string) error {
	rows := make([][]driver.Value, len(addresses))
	for i, address := range addresses {
		at, err := t.o.lookUp(address)
		if err != nil {
			return err
		}
		text := func(s string) driver.Value {
			if s == "" {
				return nil
			}
			return s
		}
		var asn driver.Value
		if at.as.number != 0 {
			asn = int64(at.as.number)
		}
		rows[i] = []driver.Value{address, text(at.network), asn, text(at.as.organisation), text(at.aws.service), text(at.aws.region)}
	}
	return appendRows(t.conn, "", "addresses", len(rows), func(i int) []driver.Value { return rows[i] })
}

func (t *tracer) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := t.conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
