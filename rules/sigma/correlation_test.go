package sigma

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trailscan/query"
	"trailscan/rules"
)

// call is an event of the tests of correlations, seconds after noon.
func call(at int, name, who, ip string) string {
	return fmt.Sprintf(`{"eventTime":"2026-03-01T%02d:%02d:%02dZ","eventName":%q,"sourceIPAddress":%q,"userIdentity":{"type":"IAMUser","userName":%q},"requestParameters":{"userName":%q}}`,
		12+at/3600, at/60%60, at%60, name, ip, who, who+"-target")
}

// base makes a named rule about one API call.
func base(name, event string) string {
	return fmt.Sprintf("title: Rule %s\nid: id-%s\nname: %s\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n    s: {eventName: %s}\n    condition: s\n", name, name, name, event)
}

func correlated(text string, bases ...string) string {
	return strings.Join(append(bases, "title: Correlated\nlevel: high\ncorrelation:\n    "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")+"\n"), "---\n")
}

func TestCorrelations(t *testing.T) {
	const minute = 60
	login, key, list := base("login", "Login"), base("key", "CreateAccessKey"), base("list", "'List*'")
	burst := []string{
		call(0, "Login", "ann", "192.0.2.1"), call(10, "Login", "bob", "192.0.2.1"), call(20, "Login", "ann", "192.0.2.2"),
		call(30, "CreateAccessKey", "ann", "192.0.2.1"), call(30*minute, "Login", "ann", "192.0.2.3"), call(40*minute, "ListUsers", "ann", "192.0.2.1"),
		call(41*minute, "CreateAccessKey", "bob", "192.0.2.9"), call(41*minute+5, "ListRoles", "bob", "192.0.2.8"), call(41*minute+9, "Login", "bob", "192.0.2.7"),
	}
	c := newCase(t, burst...)
	for _, tc := range []struct{ name, text, want string }{
		{"event_count", correlated("type: event_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1m\ncondition: {gte: 2}", login), "e0 e2"},
		{"event_count by id", correlated("type: event_count\nrules: [id-login]\ngroup-by: [userIdentity.userName]\ntimespan: 1m\ncondition: {gt: 1}", login), "e0 e2"},
		{"event_count by title", correlated("type: event_count\nrules: [Rule login]\ngroup-by: [sourceIPAddress]\ntimespan: 1m\ncondition: {eq: 2}", login), "e0 e1"},
		{"event_count without groups", correlated("type: event_count\nrules: login\ntimespan: 1m\ncondition: {gte: 3}", login), "e0 e1 e2"},
		{"event_count of several rules", correlated("type: event_count\nrules: [login, key]\ngroup-by: [userIdentity.userName]\ntimespan: 1m\ncondition: {gte: 3}", login, key), "e0 e2 e3"},
		{"event_count with a limit", correlated("type: event_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1m\ncondition: {lte: 1}", login), "e1 e4 e8"},
		{"event_count between", correlated("type: event_count\nrules: [login]\ntimespan: 1m\ncondition: {gt: 1, lt: 4}", login), "e0 e1 e2"},
		{"event_count other than", correlated("type: event_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1m\ncondition: {neq: 2}", login), "e1 e4 e8"},
		{"event_count other than, within limits", correlated("type: event_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1h\ncondition: {neq: 2, lte: 3}", login), "e0 e2 e4"},
		{"value_count other than", correlated("type: value_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1h\ncondition: {field: sourceIPAddress, neq: 3}", login), "e1 e8"},
		{"value_count", correlated("type: value_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1h\ncondition: {field: sourceIPAddress, gte: 3}", login), "e0 e2 e4"},
		{"value_count of a request", correlated("type: value_count\nrules: [login]\ntimespan: 1m\ncondition: {field: requestParameters.userName, gte: 2}", login), "e0 e1 e2"},
		{"value_count with a limit", correlated("type: value_count\nrules: [login]\ngroup-by: [userIdentity.userName]\ntimespan: 1h\ncondition: {field: sourceIPAddress, lte: 2}", login), "e1 e8"},
		{"temporal", correlated("type: temporal\nrules: [login, key, list]\ngroup-by: [userIdentity.userName]\ntimespan: 5m", login, key, list), "e6 e7 e8"},
		{"temporal: at least two", correlated("type: temporal\nrules: [login, key, list]\ngroup-by: [userIdentity.userName]\ntimespan: 5m\ncondition: {gte: 2}", login, key, list), "e0 e2 e3 e6 e7 e8"},
		{"temporal: all by name", correlated("type: temporal\nrules: [login, key, list]\ngroup-by: [userIdentity.userName]\ntimespan: 5m\ncondition: login AND key and list", login, key, list), "e6 e7 e8"},
		{"temporal without groups", correlated("type: temporal\nrules: [login, list]\ntimespan: 5m", login, list), "e5 e7 e8"},
		{"temporal of two groups", correlated("type: temporal\nrules: [login, key]\ngroup-by: [userIdentity.userName, sourceIPAddress]\ntimespan: 5m", login, key), "e0 e3"},
		{"temporal_ordered", correlated("type: temporal_ordered\nrules: [login, key]\ngroup-by: [userIdentity.userName]\ntimespan: 5m", login, key), "e0 e2 e3"},
		{"temporal_ordered: wrong order", correlated("type: temporal_ordered\nrules: [list, key]\ntimespan: 30s", list, key), ""},
		{"aliases", correlated("type: temporal\nrules: [login, list]\ngroup-by: [who]\ntimespan: 15m\naliases:\n    who:\n        login: userIdentity.userName\n        list: userIdentity.userName", login, list), "e4 e5 e7 e8"},
		{"aliases of other fields", correlated("type: temporal\nrules: [key, login]\ngroup-by: [who]\ntimespan: 15m\naliases:\n    who:\n        key: requestParameters.userName\n        login: userIdentity.userName", key, login), ""},
		{"aliases in a count", correlated("type: event_count\nrules: [login, key]\ngroup-by: [who]\ntimespan: 1m\ncondition: {gte: 3}\naliases:\n    who:\n        login: userIdentity.userName\n        key: userIdentity.userName", login, key), "e0 e2 e3"},
		{"chained", correlated("type: temporal_ordered\nrules: [many, key]\ngroup-by: [userIdentity.userName]\ntimespan: 5m",
			login, key, "title: Many\nname: many\ncorrelation:\n    type: event_count\n    rules: [login]\n    group-by: [userIdentity.userName]\n    timespan: 1m\n    condition: {gte: 2}\n"), "e0 e2 e3"},

		{"old count", detection("s: {eventName: Login}\ntimeframe: 1m\ncondition: s | count() > 2"), "e0 e1 e2"},
		{"old count by", detection("s: {eventName: Login}\ntimeframe: 1m\ncondition: s | count() by userIdentity.userName >= 2"), "e0 e2"},
		{"old count of a field", detection("s: {eventName: Login}\ntimeframe: 1h\ncondition: s | count(sourceIPAddress) by userIdentity.userName > 2"), "e0 e2 e4"},
		{"old count below", detection("s: {eventName: Login}\ntimeframe: 1m\ncondition: s | count() by userIdentity.userName < 2"), "e1 e4 e8"},
		{"old count over the whole log", detection("s: {eventName: Login}\ncondition: s | count() == 5"), "e0 e1 e2 e4 e8"},
		{"old near", detection("s: {eventName: Login}\nt: {eventName: 'List*'}\ntimeframe: 1m\ncondition: s | near t"), "e7 e8"},
		{"old time frame of two searches", detection("s: {eventName: Login}\nt: {eventName: 'List*'}\ntimeframe: 1m\ncondition: s and t"), "e7 e8"},
		{"time frame without a meaning", detection("s: {eventName: Login}\nt: {userIdentity.userName: bob}\ntimeframe: 1m\ncondition: s and not t"), "e0 e2 e4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := matches(t, c, tc.text, nil); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	const counted = "type: event_count\nrules: [login]\ntimespan: 1m\ncondition: {gte: 2}"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"correlation alone", correlated(counted, base("login", "Login")), []string{"sigma:correlated"}},
		{"its rules too", correlated(counted+"\ngenerate: true", base("login", "Login")), []string{"sigma:id-login", "sigma:correlated"}},
		{"its rules too, as older ones say it", correlated(counted, base("login", "Login")) + "generate: true\n", []string{"sigma:id-login", "sigma:correlated"}},
		{"others stay", correlated(counted, base("login", "Login"), base("key", "CreateAccessKey")), []string{"sigma:id-key", "sigma:correlated"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, r := range compileText(tc.text, nil).Rules {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("rules are %v, want %v", got, tc.want)
			}
		})
	}
}

func TestActionDocuments(t *testing.T) {
	set := compileText(`action: global
title: One
level: low
logsource: {product: aws, service: cloudtrail}
detection:
    s: {eventName: A}
    condition: s
---
id: one
---
id: two
level: high
detection:
    s: {eventName: B}
---
action: repeat
id: three
detection:
    s: {eventName: C}
`, nil)
	var got []string
	for _, r := range set.Rules {
		got = append(got, fmt.Sprint(r.ID, " ", r.Severity, " ", r.Where))
	}
	want := []string{"sigma:one low lower(event_name) = 'a'", "sigma:two high lower(event_name) = 'b'", "sigma:three high lower(event_name) = 'c'"}
	if !slices.Equal(got, want) || len(set.Refused) > 0 {
		t.Errorf("rules are %q, want %q; refused: %v", got, want, set.Refused)
	}
}

// TestFindings runs a whole scan and looks at what a user gets.
func TestFindings(t *testing.T) {
	c := newCase(t, `{"eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","userIdentity":{"type":"IAMUser","userName":"ann","principalId":"AIDAANN"}}`)
	set := compileText(`title: Trail stopped
id: 0f1e2d3c-0000-4000-8000-000000000001
description: |
    Somebody stopped
    a trail.
level: critical
tags: [attack.defense_evasion, attack.t1685.002, attack.T1070, cve.2020-1]
logsource: {product: aws, service: cloudtrail}
detection:
    s: {eventSource: cloudtrail.amazonaws.com, eventName: StopLogging}
    condition: s
---
title: Broken one
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: X}, condition: nothing}
`, nil)
	var refused []rules.Assessment
	for _, r := range set.Refused {
		refused = append(refused, r.Assessment())
	}
	if _, err := rules.Scan(context.Background(), c, set.Rules, rules.Options{Refused: refused}); err != nil {
		t.Fatal(err)
	}
	findings, assessments, err := rules.Load(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 {
		t.Fatalf("findings are %+v", findings)
	}
	f := findings[0]
	if f.Rule != "sigma:0f1e2d3c-0000-4000-8000-000000000001" || f.Title != "Trail stopped" || f.Severity != rules.Critical ||
		f.Tactic != "defense-evasion" || strings.Join(f.Techniques, " ") != "T1562.008 T1070" || f.PrincipalID != "AIDAANN" {
		t.Errorf("finding is %+v", f)
	}
	if set.Rules[0].Explain != "Somebody stopped a trail." {
		t.Errorf("explains %q", set.Rules[0].Explain)
	}
	want := rules.Assessment{Rule: "sigma:broken-one", Assessed: rules.NotAssessed,
		Reason: `rule.yml:15: Sigma rule "Broken one": condition names "nothing", which detection does not have`}
	if len(assessments) != 2 || assessments[0].Assessed != rules.Assessed || assessments[1] != want {
		t.Errorf("assessments are %+v", assessments)
	}
}

func TestNeeds(t *testing.T) {
	c := newCase(t, `{"eventName":"ListUsers","readOnly":true}`)
	for _, tc := range []struct{ name, text, want string }{
		{"an event that cannot be in the case", detection("s: {eventSource: s3.amazonaws.com, eventName: GetObject}\ncondition: s"), rules.NotAssessable},
		{"names only in a filter", detection("s: {userIdentity.type: Root}\nf: {eventSource: s3.amazonaws.com, eventName: GetObject}\ncondition: s and not f"), rules.Assessed},
		{"names on one side of or", detection("s: {userIdentity.type: Root}\nf: {eventSource: s3.amazonaws.com, eventName: GetObject}\ncondition: s or f"), rules.Assessed},
		{"a step that cannot be in the case", correlated("type: temporal\nrules: [a, b]\ntimespan: 1m", base("a", "ListUsers"), base("b", "CreateUser")), rules.NotAssessable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := assess(t, c, tc.text); got.Assessed != tc.want {
				t.Errorf("assessment is %+v, want %s", got, tc.want)
			}
		})
	}
}

func assess(t *testing.T, c *query.Case, text string) rules.Assessment {
	t.Helper()
	assessments, err := rules.Scan(context.Background(), c, compileText(text, nil).Rules, rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return assessments[0]
}
