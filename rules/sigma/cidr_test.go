package sigma

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCIDRAgreesWithNetip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := drawAddress(t, "network")
		network := netip.PrefixFrom(address, rapid.IntRange(0, address.BitLen()).Draw(t, "bits"))
		pattern, err := cidrPattern(network.String())
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(pattern)
		tried := drawAddress(t, "tried")
		if rapid.Bool().Draw(t, "near") && tried.BitLen() == address.BitLen() {
			tried = mix(network.Masked().Addr(), tried, network.Bits()-rapid.IntRange(0, 2).Draw(t, "less"))
		}
		for _, text := range []string{tried.String(), tried.StringExpanded(), strings.ToUpper(tried.String())} {
			if got, want := re.MatchString(text), network.Contains(tried); got != want {
				t.Fatalf("%s in %s: got %v, want %v by %s", text, network, got, want, pattern)
			}
		}
	})
}

// drawAddress favours groups of zero, which IPv6 abbreviates.
func drawAddress(t *rapid.T, name string) netip.Addr {
	if rapid.Bool().Draw(t, name+" is v4") {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], rapid.Uint32().Draw(t, name))
		return netip.AddrFrom4(a)
	}
	var a [16]byte
	for i := range 8 {
		group := rapid.OneOf(rapid.Just(uint16(0)), rapid.Uint16Max(20), rapid.Uint16()).Draw(t, name)
		binary.BigEndian.PutUint16(a[2*i:], group)
	}
	a[0] |= 0x20 // no IPv4-mapped address, which is written otherwise
	return netip.AddrFrom16(a)
}

// mix has the first bits of one address and the others of the other.
func mix(first, rest netip.Addr, bits int) netip.Addr {
	a, b := first.AsSlice(), rest.AsSlice()
	for i := range a {
		for bit := range 8 {
			if 8*i+bit >= bits {
				mask := byte(0x80 >> bit)
				a[i] = a[i]&^mask | b[i]&mask
			}
		}
	}
	mixed, _ := netip.AddrFromSlice(a)
	return mixed
}

func TestCIDRTakesNoOtherText(t *testing.T) {
	pattern, err := cidrPattern("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(pattern)
	for _, text := range []string{"10.0.0.256", "10.0.0", "10.0.0.1.2", "x10.0.0.1", "110.0.0.1", "10.0.0.01", "ec2.amazonaws.com", ""} {
		if re.MatchString(text) {
			t.Errorf("%q is taken for an address of 10.0.0.0/8", text)
		}
	}
}
