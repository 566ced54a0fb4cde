package lineage

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/mmdbtest"
)

const (
	boto    = "Boto3/1.34.46 md/Botocore#1.34.46 ua/2.0 os/linux#6.8.0-31-generic md/arch#x86_64 lang/python#3.12.3"
	windows = "aws-cli/2.15.30 Python/3.11.8 Windows/10 exe/AMD64 prompt/off command/s3.ls"
)

// usedBy writes the clusters of the leaked key's use, a line each.
func usedBy(l *Lineage) []string {
	var lines []string
	for _, d := range l.Credentials {
		if d.ID != leaked {
			continue
		}
		for _, u := range d.Uses {
			lines = append(lines, fmt.Sprintf("%s %d: %s", u.Actor, u.Count, strings.Join(u.Networks, " ")))
		}
	}
	return lines
}

func prefixes(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	p, err := ParsePrefixes(texts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// asns is a database in which the owner's networks are a telecom's, the
// intruder's are of hosters.
func asns(t testing.TB) *ASNs {
	t.Helper()
	path := filepath.Join(t.TempDir(), "asn.mmdb")
	record := func(n int, name string) mmdbtest.Record {
		return mmdbtest.Record{"autonomous_system_number": n, "autonomous_system_organization": name}
	}
	err := mmdbtest.Write(path, "GeoLite2-ASN", map[string]mmdbtest.Record{
		"192.0.2.0/24": record(64500, "Example Telecom"), "192.88.0.0/16": record(64500, "Example Telecom"),
		"198.51.100.0/24": record(64501, "Example Hosting"), "203.0.113.0/24": record(64501, "Example Hosting"),
		"2001:db8:1::/48": record(64500, "Example Telecom"), "2001:db8:2::/48": record(64502, "Other Telecom"),
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := OpenASNs(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestWhoseUse(t *testing.T) {
	// hops is a use of the key from one network after the other.
	hops := func(n int, ua string, step time.Duration) []event {
		var events []event
		for i := range n {
			at := clock("2d 12:00:00").Add(time.Duration(i+1) * step)
			events = append(events, event{at: fmt.Sprintf("%dd %s", at.Day()-1, at.Format("15:04:05")), ua: ua, from: fmt.Sprintf("198.18.%d.%d", i%200, 1+i%7)})
		}
		return events
	}
	spun := hops(100, "", time.Minute) // address and agent change from call to call
	for i := range spun {
		spun[i].ua = fmt.Sprintf("tool%d/1.0", i)
	}
	for _, tc := range []struct {
		name   string
		events []event
		o      Options
		since  string // "2d 12:00:00" where empty
		want   []string
	}{
		{name: "two intruders and the owner", events: usual(
			event{at: "2d 12:30:00", from: "203.0.113.5", ua: windows}, event{at: "2d 12:31:00"}, event{at: "2d 12:40:00", from: "203.0.113.5", ua: windows}, event{at: "2d 12:41:00", from: away, ua: kali}),
			want: []string{"intruder 2: 198.51.100.0/24", "intruder 2: 203.0.113.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "two intruders by one tool, of other versions", events: usual(
			event{at: "2d 12:30:00", from: "203.0.113.5", ua: strings.Replace(kali, "2.15.10", "2.9.0", 1)}),
			want: []string{"intruder 1: 198.51.100.0/24", "intruder 1: 203.0.113.0/24"}},
		{name: "two intruders by one tool, weeks apart", events: usual(event{at: "20d 12:30:00", from: "203.0.113.5", ua: kali}),
			want: []string{"intruder 1: 198.51.100.0/24", "intruder 1: 203.0.113.0/24"}},
		{name: "one intruder by several tools from one network", events: usual(
			event{at: "2d 12:30:00", from: "198.51.100.77", ua: boto}, event{at: "2d 12:31:00", from: "198.51.100.78", ua: cli}),
			want: []string{"intruder 3: 198.51.100.0/24"}},
		{name: "one intruder who hops between addresses", events: usual(hops(150, kali, 7*time.Minute)...),
			want: []string{"intruder 151: 198.18.0.0/24 …"}},
		{name: "the command of the AWS CLI makes no other agent", events: usual(
			event{at: "2d 12:30:00", from: "203.0.113.5", ua: strings.Replace(kali, "sts.get-caller-identity", "s3.ls", 1)}),
			want: []string{"intruder 2: 198.51.100.0/24 203.0.113.0/24"}},
		{name: "a hundred addresses and agents are too many to tell apart", events: usual(spun...), want: func() []string {
			want := []string{"intruder 1: 198.51.100.0/24"}
			for i := range 18 {
				want = append(want, fmt.Sprintf("intruder 1: 198.18.%d.0/24", i))
			}
			return append(want, "intruder 82: 198.18.18.0/24 …")
		}()},
		{name: "an owner who moves about with the known agent stays apart from the intruder", events: usual(
			event{at: "2d 13:00:00", from: "203.0.113.5"}, event{at: "2d 14:00:00", from: "203.0.114.5"}),
			want: []string{"intruder 1: 198.51.100.0/24", "unclear 2: 203.0.113.0/24 203.0.114.0/24"}},
		{name: "a gateway that both share: the very agent that the intruder has elsewhere", events: usual(
			event{at: "2d 13:00:00", from: away, ua: boto}, event{at: "2d 13:01:00", ua: boto}, event{at: "2d 13:02:00"}),
			want: []string{"intruder 2: 198.51.100.0/24", "intruder 1: 192.0.2.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "a gateway that both share: a tool of intruders", events: []event{{at: "0d 09:00:00"}, {at: "1d 09:00:00"}, {at: "2d 12:00:00", ua: kali}, {at: "2d 13:00:00"}},
			want: []string{"unclear 1: 192.0.2.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "a new tool of the owner's at the known address", events: usual(event{at: "2d 13:00:00", ua: boto}),
			want: []string{"intruder 1: 198.51.100.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "private addresses of two VPCs", events: []event{
			{at: "0d 09:00:00", from: "10.0.1.5", endpoint: "vpce-ours", ua: boto}, {at: "1d 09:00:00", from: "10.0.1.6", endpoint: "vpce-ours", ua: boto},
			{at: "2d 12:00:00", from: "10.0.1.5", endpoint: "vpce-theirs", ua: kali}, {at: "2d 12:10:00", from: "10.0.1.5", endpoint: "vpce-ours", ua: boto}},
			want: []string{"intruder 1: 10.0.1.0/24 via vpce-theirs", "owner 1: 10.0.1.0/24 via vpce-ours"}},
		{name: "IPv6", events: []event{
			{at: "0d 09:00:00", from: "2001:db8:1::5"}, {at: "1d 09:00:00", from: "2001:db8:1::6"},
			{at: "2d 12:00:00", from: "2001:db8:2::5", ua: kali}, {at: "2d 12:05:00", from: "2001:db8:2::a:b", ua: boto}, {at: "2d 12:10:00", from: "2001:db8:1:0:9::"}},
			want: []string{"intruder 2: 2001:db8:2::/64", "owner 1: 2001:db8:1::/64"}},
		{name: "IPv6 of a known system", o: Options{ASNs: asns(t)}, events: []event{
			{at: "0d 09:00:00", from: "2001:db8:1::5"}, {at: "1d 09:00:00", from: "2001:db8:1:7::6"},
			{at: "2d 12:00:00", from: "2001:db8:2::5", ua: kali}, {at: "2d 12:10:00", from: "2001:db8:1:9::1"}},
			want: []string{"intruder 1: 2001:db8:2::/64", "owner 1: 2001:db8:1:9::/64"}},
		{name: "a known agent elsewhere in the owner's system", o: Options{ASNs: asns(t)}, events: usual(event{at: "2d 13:00:00", from: "192.88.5.1"}, event{at: "2d 13:30:00", from: "192.88.6.1"}),
			want: []string{"intruder 1: 198.51.100.0/24", "owner 2: 192.88.5.0/24 192.88.6.0/24"}},
		{name: "a new agent elsewhere in the owner's system", o: Options{ASNs: asns(t)}, events: usual(event{at: "2d 13:00:00", from: "192.88.5.1", ua: boto}),
			want: []string{"intruder 1: 198.51.100.0/24", "unclear 1: 192.88.5.0/24"}},
		{name: "all from a hoster's system that the intruder used, where the owner never was", o: Options{ASNs: asns(t)}, events: usual(event{at: "9d 13:00:00", from: "203.0.113.5"}, event{at: "19d 13:00:00", from: "203.0.113.5", ua: kali}),
			want: []string{"intruder 3: 198.51.100.0/24 203.0.113.0/24"}},
		{name: "anybody can rent an address where the owner did", o: Options{ASNs: asns(t)}, events: []event{
			{at: "0d 09:00:00", from: "203.0.113.5", ua: boto}, {at: "1d 09:00:00", from: "203.0.113.5", ua: boto},
			{at: "2d 12:00:00", from: away, ua: kali}, {at: "2d 13:00:00", from: "198.51.100.9", ua: boto}},
			want: []string{"intruder 2: 198.51.100.0/24"}},
		{name: "a trusted network", o: Options{Trusted: prefixes(t, "198.51.100.0/24")}, since: "3d 12:00:00", events: usual(event{at: "3d 12:00:00", from: "203.0.113.5", ua: boto}),
			want: []string{"intruder 1: 203.0.113.0/24"}},
		{name: "a trusted network beside a given time", o: Options{Trusted: prefixes(t, "198.51.100.0/24"), CompromisedSince: *clock("2d 10:00:00")}, since: "2d 10:00:00",
			events: usual(event{at: "3d 12:00:00", from: "203.0.113.5", ua: boto}),
			want:   []string{"owner 1: 198.51.100.0/24", "intruder 1: 203.0.113.0/24"}},
		{name: "a trusted network is history where there is none", o: Options{Trusted: prefixes(t, home)}, events: []event{{at: "2d 11:59:00"}, {at: "2d 12:00:00", from: away, ua: kali}, {at: "2d 12:01:00"}},
			want: []string{"intruder 1: 198.51.100.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "all that stood out is trusted", o: Options{Trusted: prefixes(t, away)}, since: "0d 09:00:00", events: usual(event{at: "3d 12:00:00"}),
			want: []string{"unclear 4: 192.0.2.0/24", "owner 1: 198.51.100.0/24"}},
		{name: "a trusted network is history where there is none, and so are its agents", o: Options{Trusted: prefixes(t, home)}, events: []event{{at: "2d 12:00:00", from: away}, {at: "2d 12:01:00"}},
			want: []string{"unclear 1: 198.51.100.0/24", "owner 1: 192.0.2.0/24"}},
		{name: "a hostile address in the owner's network", o: Options{Hostile: prefixes(t, "192.0.2.66")}, since: "1d 09:30:00", events: usual(event{at: "1d 09:30:00", from: "192.0.2.66"}, event{at: "3d 09:00:00"}),
			want: []string{"intruder 1: 192.0.2.0/24", "owner 2: 192.0.2.0/24", "intruder 1: 198.51.100.0/24"}},
		{name: "a hostile network before a given time", o: Options{Hostile: prefixes(t, "203.0.113.0/24"), CompromisedSince: *clock("2d 12:00:00")}, since: "1d 23:00:00", events: usual(event{at: "1d 23:00:00", from: "203.0.113.9"}),
			want: []string{"intruder 1: 203.0.113.0/24", "owner 1: 192.0.2.0/24", "intruder 1: 198.51.100.0/24"}},
		{name: "a hostile network where nothing else stands out", o: Options{Hostile: prefixes(t, "192.0.2.50")}, events: []event{{at: "0d 09:00:00"}, {at: "0d 10:00:00", from: "192.0.2.50"}, {at: "2d 12:00:00", from: "192.0.2.50"}},
			since: "0d 10:00:00", want: []string{"intruder 2: 192.0.2.0/24"}},
		{name: "the longest prefix decides", o: Options{Trusted: prefixes(t, "198.51.0.0/16"), Hostile: prefixes(t, "198.51.100.0/24")}, events: usual(event{at: "2d 13:00:00", from: "198.51.7.1", ua: boto}),
			want: []string{"intruder 1: 198.51.100.0/24", "owner 1: 198.51.7.0/24"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, tc.events...)
			l, err := Trace(t.Context(), c, []string{leaked}, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			got := usedBy(l)
			ok := slices.EqualFunc(got, tc.want, func(g, w string) bool {
				start, more := strings.CutSuffix(w, " …")
				return g == w || more && strings.HasPrefix(g, start+" ")
			})
			if !ok {
				t.Errorf("since %s (%s)\ngot  %s\nwant %s", l.CompromisedSince, l.CompromisedSinceWhy, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
			if since := or(tc.since, "2d 12:00:00"); !l.CompromisedSince.Equal(*clock(since)) {
				t.Errorf("since %s, want %s: %s", l.CompromisedSince, clock(since), l.CompromisedSinceWhy)
			}
			stored, err := Load(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := fmt.Sprintf("%+v", stored.Credentials[0].Uses), fmt.Sprintf("%+v", l.Credentials[0].Uses); a != b {
				t.Errorf("stored are\n%s, traced\n%s", a, b)
			}
		})
	}
}

// One session is one person's, whatever it is used from, unless clearly two
// people used it at once.
func TestUsesOfASession(t *testing.T) {
	session := func(at, from, ua string) event {
		return event{at: at, key: "ASIA1", role: "One:s", created: "2d 12:01:00", from: from, ua: ua}
	}
	for _, tc := range []struct {
		name   string
		events []event
		want   []string
	}{
		{"one after the other", []event{session("2d 12:10:00", away, kali), session("2d 12:20:00", "203.0.113.5", boto), session("2d 12:30:00", "2001:db8::1", browser)},
			[]string{"198.51.100.0/24 2001:db8::/64 203.0.113.0/24"}},
		{"two at once", []event{session("2d 12:10:00", away, kali), session("2d 12:20:00", "203.0.113.5", boto), session("2d 12:30:00", away, kali), session("2d 12:40:00", "203.0.113.5", boto)},
			[]string{"198.51.100.0/24", "203.0.113.0/24"}},
		{"two at once by one agent", []event{session("2d 12:10:00", away, kali), session("2d 12:20:00", "203.0.113.5", kali), session("2d 12:30:00", away, kali)},
			[]string{"198.51.100.0/24 203.0.113.0/24"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, usual(append(tc.events, assume("2d 12:01:00", leaked, "One:s", "ASIA1"))...)...)
			l, err := Trace(t.Context(), c, []string{leaked}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range credential(t, l, "ASIA1").Uses {
				got = append(got, strings.Join(u.Networks, " "))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// What is known of addresses and regions stands in the reason of a cluster, and
// in the table addresses.
func TestReasonsOfUse(t *testing.T) {
	ranges, err := parseAWSRanges([]byte(`{"syncToken":"1","prefixes":[
		{"ip_prefix":"198.51.100.0/24","region":"us-east-1","service":"AMAZON","network_border_group":"us-east-1"},
		{"ip_prefix":"198.51.0.0/16","region":"us-east-1","service":"AMAZON"},
		{"ip_prefix":"198.51.100.0/24","region":"us-east-1","service":"EC2"}],
		"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32","region":"GLOBAL","service":"CLOUDFRONT"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := newCase(t)
	write(t, c, usual(event{at: "2d 12:30:00", id: "later", from: away, ua: kali, region: "ap-east-1"}, event{at: "2d 12:40:00", from: "10.0.0.1", endpoint: "vpce-1", ua: boto},
		event{at: "2d 12:50:00", from: "s3.amazonaws.com", by: "s3.amazonaws.com"})...)
	l, err := Trace(t.Context(), c, []string{leaked}, Options{ASNs: asns(t), AWSRanges: ranges, Hostile: prefixes(t, "198.51.100.0/28", "198.51.100.16/28")})
	if err != nil {
		t.Fatal(err)
	}
	u := credential(t, l, leaked).Uses[0]
	for _, want := range []string{"--hostile 198.51.100.16/28", "never used before the compromise: ap-east-1", "address belongs to AWS: EC2 us-east-1", "address is in AS64501 Example Hosting"} {
		if !strings.Contains(u.Why, want) {
			t.Errorf("%q does not say %q", u.Why, want)
		}
	}
	if !slices.Equal(u.NewRegions, []string{"ap-east-1"}) || !slices.Equal(u.AWSServices, []string{"EC2 us-east-1"}) || !slices.Equal(u.AutonomousSystems, []string{"AS64501 Example Hosting"}) {
		t.Errorf("got %+v", u)
	}
	f := l.FirstMaliciousUse
	if f == nil || !f.Time.Equal(*clock("2d 12:00:00")) || f.EventID != "event-000003" || !strings.Contains(f.Why, "--hostile") {
		t.Errorf("first malicious use is %+v", f)
	}
	rows := map[string]string{
		home:               "192.0.2.0/24 64500 Example Telecom - -",
		away:               "198.51.100.0/24 64501 Example Hosting EC2 us-east-1",
		"10.0.0.1":         "10.0.0.0/24 - - - -",
		"s3.amazonaws.com": "- - - - -",
	}
	got := map[string]string{}
	answer, err := c.DB.Query(`SELECT address, concat_ws(' ', coalesce(network, '-'), coalesce(asn::VARCHAR, '-'), coalesce(organisation, '-'), coalesce(aws_service, '-'), coalesce(aws_region, '-')) FROM addresses`)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	for answer.Next() {
		var address, text string
		if err := answer.Scan(&address, &text); err != nil {
			t.Fatal(err)
		}
		got[address] = text
	}
	if fmt.Sprint(got) != fmt.Sprint(rows) {
		t.Errorf("addresses are %v, want %v", got, rows)
	}
	var listed string
	if err := c.DB.QueryRow(`SELECT string_agg(value, ' ' ORDER BY value) FROM lists WHERE name = 'hostile'`).Scan(&listed); err != nil {
		t.Fatal(err)
	}
	if want := "198.51.100.0/28 198.51.100.16/28 " + away; listed != want {
		t.Errorf("listed as hostile are %q, want %q", listed, want)
	}
}

// What only the owner did since the compromise does not taint: neither what
// they issued nor what they created, and nothing that these did.
func TestOwnersUseDoesNotTaint(t *testing.T) {
	events := usual(
		event{at: "2d 13:00:00", id: "role", call: "iam:CreateRole", request: `{"roleName":"Own"}`, response: `{"role":{"roleId":"AROAOWN","arn":"arn:aws:iam::111122223333:role/Own"}}`},
		event{at: "2d 13:01:00", id: "user", call: "iam:CreateUser", request: `{"userName":"carol"}`, response: `{"user":{"userId":"AIDACAROL","arn":"arn:aws:iam::111122223333:user/carol"}}`},
		event{at: "2d 13:02:00", id: "key", call: "iam:CreateAccessKey", issues: "AKIACAROL", request: `{"userName":"carol"}`},
		event{at: "2d 13:03:00", id: "session", call: "sts:AssumeRole", issues: "ASIAOWN", request: `{"roleArn":"arn:aws:iam::111122223333:role/Own","roleSessionName":"s"}`, response: `{"assumedRoleUser":{"assumedRoleId":"AROAOWN:s"}}`},
		event{at: "2d 14:00:00", id: "carols", key: "AKIACAROL", user: "carol", from: "203.0.113.1", ua: boto},
		event{at: "2d 14:01:00", id: "own", key: "ASIAOWN", role: "Own:s", created: "2d 13:03:00", from: "203.0.113.1", ua: boto})
	for _, all := range []bool{false, true} {
		c := newCase(t)
		write(t, c, events...)
		l, err := Trace(t.Context(), c, []string{leaked}, Options{AllUse: all})
		if err != nil {
			t.Fatal(err)
		}
		want := []string(nil)
		if all {
			want = []string{"AKIACAROL long_term < " + leaked + " confirmed", "ASIAOWN role_session < " + leaked + " confirmed",
				"role/Own assumed", "role/Own created", "user/carol created", "user/carol credential_added"}
		}
		if got := described(l); !slices.Equal(got, want) {
			t.Errorf("all use %t: got %q, want %q", all, got, want)
		}
		tainted := eventIDs(t, c, `actor <> 'owner'`)
		for _, id := range []string{"role", "user", "key", "session", "carols", "own"} {
			if tainted[id] != all {
				t.Errorf("all use %t: event %s is tainted: %t", all, id, tainted[id])
			}
		}
	}
}

func TestParsePrefixes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"192.0.2.7", "192.0.2.7/32"}, {" 192.0.2.7/24", "192.0.2.0/24"}, {"2001:db8::1", "2001:db8::1/128"}, {"2001:db8::1/48", "2001:db8::/48"},
		{"::ffff:192.0.2.7", "192.0.2.7/32"}, {"::ffff:192.0.2.7/120", "192.0.2.0/24"},
		{"", ""}, {"192.0.2", ""}, {"192.0.2.0/33", ""}, {"192.0.2.0/-1", ""}, {"fe80::1%eth0", ""}, {"::ffff:192.0.2.7/90", ""}, {"example.com", ""},
	} {
		p, err := ParsePrefixes([]string{tc.text})
		if (err != nil) != (tc.want == "") || err == nil && p[0].String() != tc.want {
			t.Errorf("%q gives %v, %v; want %q", tc.text, p, err, tc.want)
		}
	}
}

func TestASNs(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, records := range map[string]map[string]mmdbtest.Record{
		"ipinfo.mmdb": {"192.0.2.0/24": {"asn": "AS64500", "as_name": "Example Telecom", "as_domain": "example.com"}},
		"legacy.mmdb": {"192.0.2.0/24": {"asn": "AS64500", "name": "Example Telecom", "route": "192.0.2.0/24"}},
		"dbip.mmdb":   {"192.0.2.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Telecom"}},
		"city.mmdb":   {"192.0.2.0/24": {"country": mmdbtest.Record{"iso_code": "DE"}}},
	} {
		if err := mmdbtest.Write(path(name), strings.TrimSuffix(name, ".mmdb"), records); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path("text.mmdb"), []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"ipinfo.mmdb": "", "legacy.mmdb": "", "dbip.mmdb": "",
		"city.mmdb": "holds no AS numbers", "text.mmdb": "invalid MaxMind DB file", "none.mmdb": "no such file",
	} {
		db, err := OpenASNs(path(name))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error is %v, want %q", name, err, want)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for address, want := range map[string]string{"192.0.2.9": "AS64500 Example Telecom", "203.0.113.1": "AS0", "2001:db8::1": "AS0", "10.0.0.1": "AS0"} {
			as, err := db.lookup(netip.MustParseAddr(address))
			if err != nil || as.String() != want {
				t.Errorf("%s: %s is in %s, %v; want %s", name, address, as, err, want)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAWSRanges(t *testing.T) {
	r, err := parseAWSRanges([]byte(`{"prefixes":[
		{"ip_prefix":"192.0.2.0/24","region":"eu-west-1","service":"EC2"},{"ip_prefix":"192.0.2.0/24","region":"eu-west-1","service":"AMAZON"},
		{"ip_prefix":"192.0.2.0/24","region":"eu-west-1","service":"CLOUD9"},{"ip_prefix":"192.0.2.128/25","region":"eu-west-1","service":"AMAZON"},
		{"ip_prefix":"192.0.2.64/26","region":"eu-west-1","service":"EC2"},{"ip_prefix":"198.51.100.0/24","region":"us-east-1","service":"AMAZON"}],
		"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32","region":"GLOBAL","service":"CLOUDFRONT"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"192.0.2.1": "CLOUD9 eu-west-1", "192.0.2.65": "EC2 eu-west-1", "192.0.2.129": "CLOUD9 eu-west-1",
		"198.51.100.1": "AMAZON us-east-1", "203.0.113.1": "", "2001:db8::1": "CLOUDFRONT GLOBAL", "::1": ""} {
		of, ok := r.lookup(netip.MustParseAddr(address))
		if ok != (want != "") || ok && of.String() != want {
			t.Errorf("%s is of %q, want %q", address, of, want)
		}
	}
	for _, text := range []string{"", "[]", "{}", `{"prefixes":[]}`, `{"prefixes":[{"ip_prefix":"x","service":"EC2"}]}`, `{"prefixes":[{"ip_prefix":"192.0.2.0/24"}]}`, "<html>"} {
		if _, err := parseAWSRanges([]byte(text)); err == nil || !strings.Contains(err.Error(), "not AWS's ip-ranges.json") {
			t.Errorf("%q gives %v", text, err)
		}
	}
}
