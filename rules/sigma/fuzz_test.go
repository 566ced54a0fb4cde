package sigma

import (
	"strings"
	"testing"
)

// FuzzCompile checks that no text makes the compiler panic, that what it makes
// keeps texts of the rule within SQL literals, and that it always makes the
// same.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		detection("s: {eventName: [A, 'b*', null]}\nk: [word, 'w?']\ncondition: (1 of s* or not all of them) and k"),
		detection("s: {a.b|contains|all: [x, \"y'\"], c|re|i: '^x.*$', d|cidr: [10.0.0.0/8, 'fe80::/10'], e|exists: true}\ncondition: s | count(a) by b > 3\ntimeframe: 5m"),
		detection("s: {a|windash|contains: ' -x /y', b|wide|base64offset|contains: z, c|expand: 'a%v%', d|fieldref: e.f, g|gte: 1e3}\ncondition: s"),
		correlated("type: temporal\nrules: [a, id-b]\ngroup-by: [x]\ntimespan: 1h\naliases: {x: {a: eventName, b: c.d}}\ngenerate: true", base("a", "A"), base("b", "B")),
		correlated("type: value_count\nrules: [a]\ntimespan: 1d\ncondition: {field: x, gt: 1, lte: 5}", base("a", "A")),
		"action: global\nlogsource: {product: aws}\n---\ntitle: x\ndetection: &x {s: {a: \"\\n'\"}, condition: s}\n---\naction: repeat\nid: y\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set := compileText(text, Vars{"v": {"1", "2*"}})
		again := compileText(text, Vars{"v": {"1", "2*"}})
		if len(set.Rules) != len(again.Rules) || len(set.Refused) != len(again.Refused) {
			t.Fatal("compiled to something else the second time")
		}
		for i, r := range set.Rules {
			sql := r.SQL()
			if sql != again.Rules[i].SQL() {
				t.Fatal("compiled to other SQL the second time")
			}
			checkLiterals(t, sql)
		}
		for _, r := range set.Refused {
			if r.Reason == "" {
				t.Fatalf("refused without a reason: %+v", r)
			}
		}
	})
}

// checkLiterals checks that what stands outside of literals is made of the
// characters of our own SQL, with balanced parentheses, and that no literal
// goes over the end of a line.
func checkLiterals(t *testing.T, sql string) {
	t.Helper()
	parts := strings.Split(sql, "'")
	if len(parts)%2 == 0 {
		t.Fatalf("a literal does not end:\n%s", sql)
	}
	depth := 0
	for i, part := range parts {
		if i%2 == 1 {
			if strings.ContainsAny(part, "\n\r\x00") {
				t.Fatalf("literal %q has a line break", part)
			}
			continue
		}
		for _, r := range part {
			switch {
			case r == '(':
				depth++
			case r == ')':
				depth--
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" \n_.,*=<>|+-[]", r):
			default:
				t.Fatalf("%q stands outside of a literal:\n%s", r, sql)
			}
		}
		if depth < 0 || strings.Contains(part, "--") {
			t.Fatalf("%q is not our SQL", part)
		}
	}
	if depth != 0 {
		t.Fatalf("parentheses are not balanced:\n%s", sql)
	}
}
