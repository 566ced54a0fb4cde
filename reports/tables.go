package reports

import (
	"database/sql"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"

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
