package ingest

import (
	"strings"
	"testing"
	"time"
)

func date(text string) time.Time {
	for _, layout := range []string{"2006-01-02", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	panic("no date: " + text)
}

func TestLogPath(t *testing.T) {
	day, next := date("2026-09-28"), date("2026-09-29")
	minute := date("2026-09-28T14:05:00Z")
	for path, want := range map[string]logPath{
		"":                             {},
		"logs/2026/":                   {},
		"AWSLogs":                      {},
		"AWSLogs/":                     {level: levelLogs},
		"team/a/AWSLogs/o-abcdefghij/": {level: levelLogs},
		"AWSLogs/o-abcdefghij/Config/": {level: levelLogs, astray: true},
		"AWSLogs/111122223333/":        {level: levelAccount, account: "111122223333"},
		"AWSLogs/111122223333/Config/": {level: levelKind, account: "111122223333", kind: "Config"},
		"AWSLogs/11112222333/":         {level: levelLogs, astray: true},
		"AWSLogs/111122223333/WAFLogs/eu-west-1/":        {level: levelKind, account: "111122223333", kind: "WAFLogs", astray: true},
		"AWSLogs/111122223333/CloudTrail/us-gov-west-1/": {level: levelRegion, account: "111122223333", kind: "CloudTrail", region: "us-gov-west-1"},
		"AWSLogs/o-abcdefghij/111122223333/CloudTrail-Insight/eu-west-1/2026/": {level: levelYear, account: "111122223333", kind: "CloudTrail-Insight", region: "eu-west-1",
			from: date("2026-01-01"), to: date("2027-01-01")},
		"x/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/": {level: levelMonth, account: "111122223333", kind: "CloudTrail", region: "eu-west-1",
			from: date("2026-09-01"), to: date("2026-10-01")},
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/28/":                                {level: levelDay, account: "111122223333", kind: "CloudTrail", region: "eu-west-1", from: day, to: next},
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/28/x":                               {level: levelDay, account: "111122223333", kind: "CloudTrail", region: "eu-west-1", from: day, to: next},
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/9/28/x":                                {level: levelYear, astray: true, account: "111122223333", kind: "CloudTrail", region: "eu-west-1", from: date("2026-01-01"), to: date("2027-01-01")},
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/30/x":                               {level: levelMonth, astray: true, account: "111122223333", kind: "CloudTrail", region: "eu-west-1", from: date("2026-02-01"), to: date("2026-03-01")},
		"/copy/CloudTrail/eu-west-1/2026/09/28/x":                                              {level: levelDay, kind: "CloudTrail", region: "eu-west-1", from: day, to: next},
		"/copy/111122223333/CloudTrail/x":                                                      {level: levelKind, account: "111122223333", kind: "CloudTrail"},
		"/copy/CloudTrail/x":                                                                   {},
		"111122223333_CloudTrail_eu-west-1_20260928T1405Z_A.json":                              {account: "111122223333", kind: "CloudTrail", region: "eu-west-1", from: minute, to: minute.Add(time.Minute)},
		"111122223333_CloudTrail-Digest_eu-west-1_my_trail_us-east-1_20260928T140500Z.json.gz": {account: "111122223333", kind: "CloudTrail-Digest", region: "eu-west-1", from: minute, to: minute.Add(time.Minute)},
		// Folder and name differ: neither is believed.
		"AWSLogs/444455556666/CloudTrail/us-east-1/2026/09/27/111122223333_CloudTrail_eu-west-1_20260928T1405Z_A.json.gz": {level: levelDay, kind: "CloudTrail"},
	} {
		if got := parseLogPath(path); got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", path, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	f := Filter{Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1"}, Since: date("2026-09-10T12:00:00Z"), Until: date("2026-09-12")}
	const root = "AWSLogs/111122223333/CloudTrail/eu-west-1/"
	const name = "111122223333_CloudTrail_eu-west-1_"
	for path, excluded := range map[string]bool{
		"":                      false,
		"AWSLogs/":              false,
		"AWSLogs/444455556666/": true,
		"AWSLogs/111122223333/CloudTrail/us-east-1/": true,
		root:                 false,
		root + "2025/":       true,
		root + "2026/08/":    true,
		root + "2026/09/":    false,
		root + "2026/09/09/": true,
		root + "2026/09/10/": false,
		root + "2026/09/12/": false, // events of the 11th are delivered then
		root + "2026/09/13/": true,
		root + "2026/09/10/" + name + "20260910T1155Z_A.json.gz": true,
		root + "2026/09/10/" + name + "20260910T1200Z_A.json.gz": false,
		name + "20261231T0000Z_A.json.gz":                        true,
		"notes.txt":                                              false,
		root + "2026/09/09/" + name + "20260910T1200Z_A.json.gz": false, // contradicts itself
	} {
		p := parseLogPath(path)
		if got := f.excludes(&p); got != excluded {
			t.Errorf("%q: excluded %v, want %v", path, got, excluded)
		}
	}
}

// FuzzLogPath reads any key: a span of time is one, folders above do not say
// otherwise than the whole, and what a folder excludes no file in it passes.
func FuzzLogPath(f *testing.F) {
	for _, seed := range []string{
		"", "/", "AWSLogs/", "AWSLogs/o-abcdefghij/111122223333/CloudTrail/eu-west-1/2026/09/28/111122223333_CloudTrail_eu-west-1_20260928T1405Z_A.json.gz",
		"a/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/02/29/x", "CloudTrail/us-gov-west-1/0000/00/00/", "AWSLogs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/13/01/x",
		"111122223333/CloudTrail/../../etc/passwd", "\x00\xff/AWSLogs/\u202e", "AWSLogs/111122223333/CloudTrail/us-east-1/+026/1 /", strings.Repeat("a/", 600),
		"111122223333_CloudTrail_x_99999999T9999Z_", "AWSLogs/111122223333/CloudTrail/us-east-1/9999/12/31/",
	} {
		f.Add(seed)
	}
	filter := Filter{Accounts: []string{"111122223333"}, Regions: []string{"us-east-1"}, Since: date("2026-09-10"), Until: date("2026-09-12")}
	f.Fuzz(func(t *testing.T, key string) {
		p := parseLogPath(key)
		if !p.from.IsZero() && !p.from.Before(p.to) {
			t.Fatalf("%q: from %v to %v", key, p.from, p.to)
		}
		if p.account != "" && !IsAccountID(p.account) {
			t.Fatalf("%q: account %q", key, p.account)
		}
		var all Filter
		if all.excludes(&p) {
			t.Fatalf("%q: no filter excludes it", key)
		}
		if filter.excludes(&p) && filter.settled(&p) && p.level >= levelMonth && !p.astray && strings.HasSuffix(key, "/") {
			file := parseLogPath(key + "x.json.gz")
			if !filter.excludes(&file) {
				t.Fatalf("%q is excluded, a file in it is not", key)
			}
		}
		if name := copyName(key); name == "" || strings.ContainsAny(name, "\x00\\\n") || len(name) > 4*longestKey || strings.HasPrefix(name, "/") {
			t.Fatalf("%q: copy %q", key, name)
		}
	})
}
