package reports

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/remediate"
)

// WritePlan writes the actions of a plan as table, json, ndjson or csv. The plan
// itself, which --apply takes, is written by its own Write.
func WritePlan(w io.Writer, format string, p *remediate.Plan) error {
	call := func(a remediate.Action) string {
		if a.Service == "" {
			return ""
		}
		return a.Service + ":" + a.Operation
	}
	columns := []column[remediate.Action]{
		{"id", 24, func(a remediate.Action) string { return a.ID }},
		{"phase", 0, func(a remediate.Action) string { return string(a.Phase) }},
		{"mode", 0, func(a remediate.Action) string { return string(a.Mode) }},
		{"undo", 0, func(a remediate.Action) string { return yes(a.Rollback != nil) }},
		{"account", 0, func(a remediate.Action) string { return a.AccountID }},
		{"call", 0, call},
		{"title", 90, func(a remediate.Action) string { return a.Title }},
	}
	more := []column[remediate.Action]{
		{"region", 0, func(a remediate.Action) string { return a.Region }},
		{"reason", 0, func(a remediate.Action) string { return a.Reason }},
		{"risk", 0, func(a remediate.Action) string { return a.Risk }},
		{"evidence", 0, func(a remediate.Action) string { return strings.Join(a.Evidence, " ") }},
		{"depends_on", 0, func(a remediate.Action) string { return strings.Join(a.DependsOn, " ") }},
		{"cli", 0, func(a remediate.Action) string { return a.CLI }},
	}
	return encodeAll(w, format, sheet[remediate.Action]{csv: append(columns[:len(columns):len(columns)], more...), table: columns}, p.Actions)
}

// PlanTable writes a plan for a person who is to review it: phase by phase, each
// action with its reason, its risk and whether it can be undone.
func PlanTable(w io.Writer, p *remediate.Plan, zone *time.Location) error {
	b := &strings.Builder{}
	n := 0
	for _, ph := range phases(p.Actions, len(p.Actions)) {
		fmt.Fprintf(b, "%s  %s\n", strings.ToUpper(string(ph.Name)), ph.Means)
		for _, a := range ph.Actions {
			n++
			undo := ""
			if a.Service != "" && a.Rollback == nil {
				undo = ", irreversible"
			}
			where := a.AccountID
			if a.Region != "" {
				where += " " + a.Region
			}
			fmt.Fprintf(b, "  %3d  %s  [%s%s]\n", n, Terminal(a.Title), a.Mode, undo)
			fmt.Fprintf(b, "       %s  account %s\n", Terminal(a.ID), Terminal(where))
			for _, part := range []struct{ name, text string }{{"why", a.Reason}, {"risk", a.Risk}, {"run", a.CLI}} {
				if part.text != "" {
					fmt.Fprintf(b, "       %s: %s\n", part.name, Terminal(part.text))
				}
			}
			if a.Deadline != nil {
				fmt.Fprintf(b, "       before: %s\n", clock(*a.Deadline, zone))
			}
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "%s. Knows of events through %s. Digest %s\n", plural(int64(n), "action"), clock(p.LogThrough, zone), Terminal(p.Digest))
	_, err := io.WriteString(w, b.String())
	return err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// pad fills text to a width in runes.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
