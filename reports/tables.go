package reports

import (
	"database/sql"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/lineage"
	"trailscan/remediate"
	"trailscan/rules"
)

// WriteFindings writes findings as table (times in zone, the worst first), json,
// ndjson or csv.
func WriteFindings(w io.Writer, format string, findings []rules.Finding, zone *time.Location) error {
	if format == "table" {
		findings = sortFindings(findings)
	}
	list := func(values []string) string { return strings.Join(values, " ") }
	return encodeAll(w, format, sheet[rules.Finding]{
		csv: []column[rules.Finding]{
			{"id", 0, func(f rules.Finding) string { return f.ID }},
			{"rule", 0, func(f rules.Finding) string { return f.Rule }},
			{"title", 0, func(f rules.Finding) string { return f.Title }},
			{"severity", 0, func(f rules.Finding) string { return f.Severity.String() }},
			{"tactic", 0, func(f rules.Finding) string { return f.Tactic }},
			{"techniques", 0, func(f rules.Finding) string { return list(f.Techniques) }},
			{"outcome", 0, func(f rules.Finding) string { return string(f.Outcome) }},
			{"first_seen", 0, func(f rules.Finding) string { return stamp(f.FirstSeen) }},
			{"last_seen", 0, func(f rules.Finding) string { return stamp(f.LastSeen) }},
			{"count", 0, func(f rules.Finding) string { return fmt.Sprint(f.Count) }},
			{"account_id", 0, func(f rules.Finding) string { return f.AccountID }},
			{"regions", 0, func(f rules.Finding) string { return list(f.Regions) }},
			{"principal_id", 0, func(f rules.Finding) string { return f.PrincipalID }},
			{"principal_arn", 0, func(f rules.Finding) string { return f.PrincipalARN }},
			{"access_key_ids", 0, func(f rules.Finding) string { return list(f.AccessKeyIDs) }},
			{"source_ips", 0, func(f rules.Finding) string { return list(f.SourceIPs) }},
			{"user_agents", 0, func(f rules.Finding) string { return strings.Join(f.UserAgents, "\n") }},
			{"resources", 0, func(f rules.Finding) string { return strings.Join(f.Resources, "\n") }},
			{"event_ids", 0, func(f rules.Finding) string { return list(f.EventIDs) }},
			{"in_lineage", 0, func(f rules.Finding) string { return fmt.Sprint(f.InLineage) }},
			{"summary", 0, func(f rules.Finding) string { return f.Summary }},
		},
		table: []column[rules.Finding]{
			{"severity", 0, func(f rules.Finding) string { return f.Severity.String() }},
			{"rule", 0, func(f rules.Finding) string { return f.Rule }},
			{"title", 0, func(f rules.Finding) string { return f.Title }},
			{"outcome", 0, func(f rules.Finding) string { return string(f.Outcome) }},
			{"first seen", 0, func(f rules.Finding) string { return clock(f.FirstSeen, zone) }},
			{"events", 0, func(f rules.Finding) string { return number(f.Count) }},
			{"lineage", 0, func(f rules.Finding) string { return yes(f.InLineage) }},
			{"principal", 44, func(f rules.Finding) string { return shortARN(f.PrincipalARN) }},
			{"resources", 60, func(f rules.Finding) string { return some(f.Resources, 2) }},
		},
	}, findings)
}

// WriteRules writes a pack of rules as table, json, ndjson or csv.
func WriteRules(w io.Writer, format string, pack []rules.Rule) error {
	type rule struct {
		ID         string         `json:"id"`
		Title      string         `json:"title"`
		Severity   rules.Severity `json:"severity"`
		Tactic     string         `json:"tactic"`
		Techniques []string       `json:"techniques"`
		Explain    string         `json:"explain"`
	}
	columns := []column[rule]{
		{"id", 0, func(r rule) string { return r.ID }},
		{"severity", 0, func(r rule) string { return r.Severity.String() }},
		{"tactic", 0, func(r rule) string { return r.Tactic }},
		{"techniques", 0, func(r rule) string { return strings.Join(r.Techniques, " ") }},
		{"title", 0, func(r rule) string { return r.Title }},
	}
	shown := make([]rule, len(pack))
	for i, r := range pack {
		shown[i] = rule{r.ID, r.Title, r.Severity, r.Tactic, r.Techniques, r.Explain}
	}
	explain := column[rule]{"explain", 0, func(r rule) string { return r.Explain }}
	return encodeAll(w, format, sheet[rule]{csv: append(columns[:len(columns):len(columns)], explain), table: columns}, shown)
}

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

// LineageTree writes a lineage as a tree for a terminal: each credential and
// principal under what it came from.
func LineageTree(w io.Writer, l *lineage.Lineage, zone *time.Location) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "compromised since %s", orNone(clock(l.CompromisedSince, zone)))
	if l.CompromisedSinceWhy != "" {
		fmt.Fprintf(b, " (%s)", Terminal(l.CompromisedSinceWhy))
	}
	if f := l.FirstMaliciousUse; f != nil {
		fmt.Fprintf(b, "\nfirst misused     %s (%s), event %s", clock(f.Time, zone), Terminal(f.Why), Terminal(f.EventID))
	}
	fmt.Fprintf(b, "\nalive or not at   %s\n\n", orNone(clock(l.AsOf, zone)))
	for _, n := range lineageTree(l) {
		writeNode(b, n, "", "", zone)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeNode writes a node after prefix, and what is below it after below.
func writeNode(b *strings.Builder, n *node, prefix, below string, zone *time.Location) {
	fmt.Fprintf(b, "%s%s  %s", prefix, Terminal(n.Label), Terminal(n.Kind))
	if n.Via != "" {
		fmt.Fprintf(b, " via %s", Terminal(n.Via))
	}
	if n.Live {
		b.WriteString("  ALIVE")
		if n.Survives {
			b.WriteString(", outlives the key")
		}
	}
	if n.Certainty != string(lineage.Confirmed) && n.Certainty != "" {
		fmt.Fprintf(b, "  (%s)", Terminal(n.Certainty))
	}
	b.WriteString("\n")
	var facts []string
	add := func(format string, t time.Time) {
		if !t.IsZero() {
			facts = append(facts, fmt.Sprintf(format, clock(t, zone)))
		}
	}
	switch {
	case n.IsPerson:
		add("%s", n.At)
	default:
		if n.Principal != "" {
			facts = append(facts, Terminal(shortARN(n.Principal)))
		}
		add("issued %s", n.At)
		add("expires %s", n.Expires)
		if n.First.IsZero() {
			facts = append(facts, "never used")
		} else {
			facts = append(facts, fmt.Sprintf("used %s to %s, %s", clock(n.First, zone), clock(n.Last, zone), plural(n.Events, "event")))
		}
	}
	stem := below + "   "
	if len(n.Children) > 0 {
		stem = below + "│  "
	}
	if len(facts) > 0 {
		fmt.Fprintf(b, "%s%s\n", stem, strings.Join(facts, " · "))
	}
	writeUses(b, n.Uses, stem, zone)
	for i, child := range n.Children {
		if i == len(n.Children)-1 {
			writeNode(b, child, below+"└─ ", below+"   ", zone)
		} else {
			writeNode(b, child, below+"├─ ", below+"│  ", zone)
		}
	}
}

// usesShown is how many clusters of a credential's use stand in a tree.
const usesShown = 8

// writeUses writes whose use a credential saw, a line a cluster. One that is all
// the intruder's by its descent needs none.
func writeUses(b *strings.Builder, uses []lineage.Use, stem string, zone *time.Location) {
	if len(uses) < 2 {
		return
	}
	for i, u := range uses {
		if i == usesShown {
			fmt.Fprintf(b, "%s· %s more in --format json\n", stem, plural(int64(len(uses)-i), "cluster"))
			return
		}
		from := u.Networks
		if len(from) == 0 || len(u.SourceIPs) <= 3 {
			from = u.SourceIPs
		}
		line := fmt.Sprintf("· %s: %s from %s to %s, %s", u.Actor, plural(u.Count, "event"), clock(u.First, zone), clock(u.Last, zone), some(from, 3))
		if len(u.AgentFamilies) > 0 {
			line += ", by " + some(u.AgentFamilies, 3)
		}
		fmt.Fprintf(b, "%s%s\n%s  %s\n", stem, Terminal(line), stem, Terminal(u.Why))
	}
}

// WriteRows writes the answer of a query as table, json, ndjson or csv.
func WriteRows(w io.Writer, format string, rows *sql.Rows) error {
	names, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var s sheet[record]
	for i, name := range names {
		text := func(r record) string { return valueText(r.values[i]) }
		s.csv = append(s.csv, column[record]{csvCell(name), 0, text})
		s.table = append(s.table, column[record]{Terminal(name), 0, text})
	}
	e, err := newEncoder(w, format, s)
	if err != nil {
		return err
	}
	if t, ok := e.(*tableEncoder[record]); ok {
		// A question is answered in its own words, also when no row is.
		t.asNamed = true
	}
	for rows.Next() {
		r := record{names, make([]any, len(names))}
		into := make([]any, len(names))
		for i := range into {
			into[i] = &r.values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		for i, t := range types {
			// The driver gives a UUID as its bytes, and a date or a time of the day as
			// a moment.
			switch v := r.values[i].(type) {
			case []byte:
				if t.DatabaseTypeName() == "UUID" && len(v) == len(duckdb.UUID{}) {
					id := duckdb.UUID(v)
					r.values[i] = id.String()
				}
			case time.Time:
				switch t.DatabaseTypeName() {
				case "DATE":
					r.values[i] = v.Format(time.DateOnly)
				case "TIME":
					r.values[i] = v.Format("15:04:05.999999")
				}
			}
		}
		if err := e.encode(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return e.close()
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
