package lineage

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// told is the steps of each way of an explanation.
func told(x *Explanation) []string {
	var lines []string
	for _, s := range x.Subjects {
		for i, w := range s.Ways {
			for _, step := range w.Steps {
				lines = append(lines, fmt.Sprintf("%s/%d.%d %s > %s %s", shortest(s.ID), i+1, step.Number, shortest(step.From), shortest(step.To), step.Via))
			}
		}
	}
	return lines
}

func shortest(id string) string {
	if a, ok := parseARN(id); ok {
		return a.kind + "/" + a.name
	}
	if id == leaked {
		return "key"
	}
	return id
}

func TestExplain(t *testing.T) {
	const roleOne = "arn:aws:iam::111122223333:role/One"
	c := newCase(t)
	first := assume("2d 12:01:00", leaked, "One:s", "ASIA1")
	first.id = "first"
	write(t, c, usual(first,
		assume("2d 12:05:00", "ASIA1", "Two:s", "ASIA2"),
		assume("2d 12:10:00", "ASIA2", "One:s", "ASIA3"), // roles that assume each other
		assume("2d 12:15:00", "ASIA3", "Two:s", "ASIA4"),
		event{at: "2d 12:20:00", key: "ASIA4", role: "Two:s", created: "2d 12:15:00", from: away, ua: kali, call: "iam:CreateUser",
			request: `{"userName":"bob"}`, response: `{"user":{"userId":"AIDABOB","arn":"arn:aws:iam::111122223333:user/bob"}}`},
		event{at: "2d 12:21:00", call: "iam:CreateAccessKey", from: away, ua: kali, issues: "AKIA2", request: `{"userName":"bob"}`},
		event{at: "2d 12:30:00", call: "signin:ConsoleLogin", key: "-", user: "bob", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
		event{at: "2d 12:31:00", key: "ASIAC1", user: "bob", created: "2d 12:30:00", from: away, ua: browser},
		event{at: "2d 12:32:00", key: "ASIAC2", user: "bob", created: "2d 12:30:00", from: away, ua: browser},
		event{at: "2d 12:40:00", key: "AKIAADMIN", user: "admin"})...)
	l, err := Trace(t.Context(), c, []string{leaked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	chain := []string{"1 key > ASIA1 sts:AssumeRole", "2 ASIA1 > ASIA2 sts:AssumeRole", "3 ASIA2 > ASIA3 sts:AssumeRole", "4 ASIA3 > ASIA4 sts:AssumeRole"}
	as := func(id string, way int, steps ...string) []string {
		var lines []string
		for _, s := range steps {
			lines = append(lines, fmt.Sprintf("%s/%d.%s", id, way, s))
		}
		return lines
	}
	for _, tc := range []struct {
		name, id string
		want     []string
	}{
		{"a root", leaked, nil},
		{"a chain", "ASIA4", as("ASIA4", 1, chain...)},
		{"a role, each time it was taken", roleOne, slices.Concat(as("role/One", 1, "1 key > role/One sts:AssumeRole"),
			as("role/One", 2, chain[0], chain[1], "3 ASIA2 > role/One sts:AssumeRole"))},
		{"a user that was created and then given a key", "arn:aws:iam::111122223333:user/bob", slices.Concat(
			as("user/bob", 1, slices.Concat(chain, []string{"5 ASIA4 > user/bob iam:CreateUser"})...),
			as("user/bob", 2, "1 key > user/bob iam:CreateAccessKey"),
			as("AKIA2", 1, "1 key > AKIA2 iam:CreateAccessKey"),
			as("ASIAC1", 1, slices.Concat(chain, []string{"5 ASIA4 > user/bob iam:CreateUser", "6 user/bob > ASIAC1 signin:ConsoleLogin"})...))},
		{"one of the many ids of a console session", "ASIAC2", as("ASIAC1", 1, slices.Concat(chain, []string{"5 ASIA4 > user/bob iam:CreateUser", "6 user/bob > ASIAC1 signin:ConsoleLogin"})...)},
		{"a session's ARN", "arn:aws:sts::111122223333:assumed-role/One/s", slices.Concat(as("ASIA1", 1, chain[0]), as("ASIA3", 1, chain[:3]...))},
		{"a principal's id", "AROATWO:s", slices.Concat(as("ASIA2", 1, chain[:2]...), as("ASIA4", 1, chain...))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, err := Explain(t.Context(), c, l, tc.id)
			if err != nil {
				t.Fatal(err)
			}
			if got := told(x); !slices.Equal(got, tc.want) {
				t.Errorf("got\n%q, want\n%q", got, tc.want)
			}
		})
	}

	x, err := Explain(t.Context(), c, l, "ASIA1")
	if err != nil {
		t.Fatal(err)
	}
	s := x.Subjects[0].Ways[0].Steps[0]
	if s.EventID != "first" || s.SourceIP != away || s.UserAgent != kali || s.AccessKeyID != leaked || s.AccountID != account || s.Region != "us-east-1" ||
		!contains(s.PrincipalARN, "user/alice") || s.Certainty != Confirmed || s.Why == "" || !s.Time.Equal(*clock("2d 12:01:00")) {
		t.Errorf("the step is %+v", s)
	}
	if p := x.Subjects[0].Principals; len(p) != 1 || p[0].ARN != roleOne {
		t.Errorf("it acts as %v", p)
	}

	for id, why := range map[string]string{"AKIAADMIN": "the case holds events of it", "ASIANOWHERE": "in no event of the case", "": "in no event"} {
		if _, err := Explain(t.Context(), c, l, id); !errors.Is(err, ErrNotInLineage) || !contains(err.Error(), why) {
			t.Errorf("%q gives %v", id, err)
		}
	}
}
