package sigma

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// cidrPattern is a regular expression for the texts of the addresses of a
// network. Both engines have regular expressions; of functions on addresses
// they share none.
func cidrPattern(s string) (string, error) {
	network, err := netip.ParsePrefix(strings.TrimSpace(s))
	if err != nil {
		address, err := netip.ParseAddr(strings.TrimSpace(s))
		if err != nil {
			return "", reasonf("%q is no network in CIDR notation", s)
		}
		network = netip.PrefixFrom(address, address.BitLen())
	}
	network = network.Masked()
	if network.Addr().Is4() {
		return cidr4(network), nil
	}
	return cidr6(network), nil
}

const octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`

func cidr4(network netip.Prefix) string {
	address, bits := network.Addr().As4(), network.Bits()
	parts := make([]string, 4)
	for i := range parts {
		fixed := min(max(bits-8*i, 0), 8)
		switch first := int(address[i]); fixed {
		case 8:
			parts[i] = strconv.Itoa(first)
		case 0:
			parts[i] = octet
		default:
			var values []string
			for v := first; v < first+1<<(8-fixed); v++ {
				values = append(values, strconv.Itoa(v))
			}
			parts[i] = "(?:" + strings.Join(values, "|") + ")"
		}
	}
	return `^` + strings.Join(parts, `\.`) + `$`
}

// groups6 is how many 16-bit groups an IPv6 address has.
const groups6 = 8

// cidr6 takes an address in any of its spellings: :: may stand for any run of
// zero groups. Groups before it count from the left, those after it from the
// right, so each place and length of the run is an alternative of its own.
func cidr6(network netip.Prefix) string {
	address, bits := network.Addr().As16(), network.Bits()
	groups := make([]string, groups6)
	mayBeZero := make([]bool, groups6)
	for i := range groups {
		fixed := min(max(bits-16*i, 0), 16)
		first := int(address[2*i])<<8 | int(address[2*i+1])
		groups[i], mayBeZero[i] = group6(first, fixed), first == 0
	}
	alternatives := []string{strings.Join(groups, ":")}
	for from := range groups6 {
		for to := from; to < groups6 && mayBeZero[to]; to++ {
			alternatives = append(alternatives, strings.Join(groups[:from], ":")+"::"+strings.Join(groups[to+1:], ":"))
		}
	}
	return `(?i)^(?:` + strings.Join(alternatives, "|") + `)$`
}

// group6 is a pattern for the groups that begin with the first bits of one.
func group6(first, fixed int) string {
	const digit = "[0-9a-f]"
	switch {
	case fixed == 0:
		return digit + "{1,4}"
	case fixed == 16:
		return fmt.Sprintf("0{0,%d}%x", 4-len(strconv.FormatInt(int64(first), 16)), first)
	}
	// The fixed digits, one of which is fixed in part, then free ones. Leading
	// zeros may be left out.
	text := fmt.Sprintf("%04x", first)
	whole, partly := fixed/4, fixed%4
	pattern := make([]string, 4)
	for i := range pattern {
		switch {
		case i < whole:
			pattern[i] = text[i : i+1]
		case i == whole && partly > 0:
			low, _ := strconv.ParseInt(text[i:i+1], 16, 32)
			var digits strings.Builder
			for v := low; v < low+1<<(4-partly); v++ {
				fmt.Fprintf(&digits, "%x", v)
			}
			pattern[i] = "[" + digits.String() + "]"
		default:
			pattern[i] = digit
		}
	}
	alternatives := []string{strings.Join(pattern, "")}
	for i := 0; i < 3 && strings.Contains(pattern[i], "0"); i++ {
		alternatives = append(alternatives, strings.Join(pattern[i+1:], ""))
	}
	return "(?:" + strings.Join(alternatives, "|") + ")"
}
