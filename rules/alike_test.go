package rules

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func TestRulesAlikeRunOnce(t *testing.T) {
	c := openCase(t)
	put(t, c, []ev{
		{at: 10, name: "CreateUser", who: "alice", on: "bob"},
		{at: 20, name: "DeleteUser", who: "alice", on: "bob", err: "AccessDenied"},
	})
	made := func(id, title, where string, severity Severity) Rule {
		return Rule{ID: id, Title: title, Severity: severity, Where: where}
	}
	counted := func(id string, count int) Rule {
		r := made(id, "Counted", "event_name LIKE '%User'", Low)
		r.Threshold = &Threshold{Count: count, Window: day}
		return r
	}
	denied := made("G", "Denied", "event_name = 'DeleteUser'", High)
	denied.Outcomes = []Outcome{Denied}
	pack := []Rule{
		made("A", "One", "event_name = 'DeleteUser'", High),
		made("B", "Other", "event_name = 'CreateUser'", High),
		made("C", "Two", "event_name = 'DeleteUser'", Low),
		counted("D", 2), counted("E", 3), counted("F", 2), denied,
	}
	together := map[string]int{}
	findings, assessments, err := scanAll(context.Background(), c, pack, Options{Observe: func(t Timing) {
		if t.Rule != "" {
			together[t.Rule] = t.Together
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	var got, assessed []string
	for _, f := range findings {
		got = append(got, fmt.Sprintln(f.Rule, f.Title, f.Severity, f.EventIDs))
		ids[f.ID] = true
	}
	slices.Sort(got)
	want := []string{"A One medium [e01]\n", "B Other high [e00]\n", "C Two info [e01]\n",
		"D Counted info [e01]\n", "D Counted low [e00]\n", "F Counted info [e01]\n", "F Counted low [e00]\n", "G Denied high [e01]\n"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if len(ids) != len(findings) {
		t.Errorf("%d findings have %d ids", len(findings), len(ids))
	}
	for _, a := range assessments {
		assessed = append(assessed, a.Rule)
	}
	if want := []string{"A", "B", "C", "D", "E", "F", "G"}; !slices.Equal(assessed, want) {
		t.Errorf("assessed %v, want %v", assessed, want)
	}
	if len(together) != len(pack) || together["D"] != 2 || together["F"] != 2 || together["E"] != 1 {
		t.Errorf("ran together %v", together)
	}
}
