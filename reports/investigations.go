package reports

import (
	"fmt"
	"io"
	"strings"

	"trailscan/query"
)

// WriteInvestigations writes the saved investigations as table, vertical, json,
// ndjson, csv or md.
func WriteInvestigations(w io.Writer, format string, list []query.Saved) error {
	params := func(s query.Saved) string {
		var out []string
		for _, p := range s.Params {
			if p.Default != nil {
				out = append(out, fmt.Sprintf("[%s=%s]", p.Name, *p.Default))
			} else {
				out = append(out, p.Name)
			}
		}
		return strings.Join(out, " ")
	}
	columns := []column[query.Saved]{
		{"name", 0, func(s query.Saved) string { return s.Name }},
		{"title", 0, func(s query.Saved) string { return s.Title }},
		{"params", 0, params},
	}
	switch format {
	case "md":
		return markdownInvestigations(w, list)
	case "vertical":
		return verticalInvestigations(w, list)
	case "parquet":
		return fmt.Errorf("the list is not written as parquet: choose table, vertical, json, ndjson, csv or md")
	}
	more := []column[query.Saved]{
		{"description", 0, func(s query.Saved) string { return s.Description }},
		{"sql", 0, func(s query.Saved) string { return s.SQL }},
	}
	return encodeAll(w, format, sheet[query.Saved]{csv: append(columns[:len(columns):len(columns)], more...), table: columns}, list)
}

// about says what to give for a parameter.
func about(p query.SavedParam) string {
	if p.Default != nil {
		return fmt.Sprintf("%s (%s, default %s; e.g. %s)", p.About, p.Type, *p.Default, p.Example)
	}
	return fmt.Sprintf("%s (%s; e.g. %s)", p.About, p.Type, p.Example)
}

func verticalInvestigations(w io.Writer, list []query.Saved) error {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s\n  %s\n", s.Name, s.Title, s.Description)
		for _, p := range s.Params {
			fmt.Fprintf(&b, "  --param %s=…  %s\n", p.Name, about(p))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownInvestigations is the table in docs/queries.md. Since and until, which
// most have, are told of once there.
func markdownInvestigations(w io.Writer, list []query.Saved) error {
	var b strings.Builder
	b.WriteString("| name | answers | parameters |\n| --- | --- | --- |\n")
	for _, s := range list {
		var params []string
		for _, p := range s.Params {
			if p.Name != "since" && p.Name != "until" {
				params = append(params, mdCode(p.Name)+": "+mdText(about(p)))
			}
		}
		fmt.Fprintf(&b, "| %s | **%s.** %s | %s |\n", mdCode(s.Name), mdText(s.Title), mdText(s.Description), strings.Join(params, "<br>"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
