package lineage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
)

// AWSRanges are the addresses that AWS calls its own, from the file that it
// publishes: https://ip-ranges.amazonaws.com/ip-ranges.json. Its form:
// https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html.
type AWSRanges struct {
	ranges map[netip.Prefix]awsRange
	bits   [129]bool // lengths of IPv6 prefixes that occur
	bits4  [33]bool
}

// awsRange is whose a range is. AMAZON is said of all of them: it is the
// service where no other is named.
type awsRange struct{ service, region string }

func (r awsRange) String() string { return r.service + " " + r.region }

// maxRangesFile is far more than AWS publishes (2 MB).
const maxRangesFile = 64 << 20

// ReadAWSRanges reads AWS's ip-ranges.json.
func ReadAWSRanges(path string) (*AWSRanges, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxRangesFile {
		err = errors.New("it is too big to be AWS's ip-ranges.json")
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	var r *AWSRanges
	if err == nil {
		r, err = parseAWSRanges(text)
	}
	if err != nil {
		return nil, fmt.Errorf("read AWS address ranges %s: %w", path, err)
	}
	return r, nil
}

var errNotRanges = errors.New("not AWS's ip-ranges.json: fetch it from https://ip-ranges.amazonaws.com/ip-ranges.json")

func parseAWSRanges(text []byte) (*AWSRanges, error) {
	type entry struct {
		IPv4    string `json:"ip_prefix"`
		IPv6    string `json:"ipv6_prefix"`
		Region  string `json:"region"`
		Service string `json:"service"`
	}
	var file struct {
		Prefixes     []entry `json:"prefixes"`
		IPv6Prefixes []entry `json:"ipv6_prefixes"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotRanges, err)
	}
	r := &AWSRanges{ranges: map[netip.Prefix]awsRange{}}
	for _, e := range append(file.Prefixes, file.IPv6Prefixes...) {
		prefix, err := netip.ParsePrefix(cmp.Or(e.IPv4, e.IPv6))
		if err != nil || e.Service == "" {
			return nil, fmt.Errorf("%w (one of its prefixes is %q of service %q)", errNotRanges, cmp.Or(e.IPv4, e.IPv6), e.Service)
		}
		r.add(prefix.Masked(), awsRange{e.Service, e.Region})
	}
	if len(r.ranges) == 0 {
		return nil, fmt.Errorf("%w (it has no prefixes)", errNotRanges)
	}
	return r, nil
}

// add keeps of the services of one prefix the one that says most: EC2 holds
// others, and AMAZON all.
func (r *AWSRanges) add(prefix netip.Prefix, of awsRange) {
	rank := func(s string) int {
		switch s {
		case "AMAZON":
			return 2
		case "EC2":
			return 1
		}
		return 0
	}
	if old, ok := r.ranges[prefix]; ok && cmp.Or(cmp.Compare(rank(old.service), rank(of.service)), cmp.Compare(old.service, of.service)) <= 0 {
		return
	}
	r.ranges[prefix] = of
	if prefix.Addr().Is4() {
		r.bits4[prefix.Bits()] = true
	} else {
		r.bits[prefix.Bits()] = true
	}
}

// lookup is the longest range of a named service that holds an address, else
// that of AMAZON.
func (r *AWSRanges) lookup(addr netip.Addr) (awsRange, bool) {
	if r == nil {
		return awsRange{}, false
	}
	lengths := r.bits[:]
	if addr.Is4() {
		lengths = r.bits4[:]
	}
	var general awsRange
	for bits := addr.BitLen(); bits >= 0; bits-- {
		if !lengths[bits] {
			continue
		}
		prefix, err := addr.Prefix(bits)
		if err != nil {
			break
		}
		of, ok := r.ranges[prefix]
		switch {
		case ok && of.service != "AMAZON":
			return of, true
		case ok && general.service == "":
			general = of
		}
	}
	return general, general.service != ""
}
