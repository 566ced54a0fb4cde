package reports

import (
	"io"
	"strings"

	"trailscan/rules"
)

// ruleRecord is a rule as a list of rules shows it.
type ruleRecord struct {
	ID             string         `json:"id"`
	Title          string         `json:"title"`
	Severity       rules.Severity `json:"severity"`
	Tactic         string         `json:"tactic"`
	Techniques     []string       `json:"techniques"`
	Shape          string         `json:"shape"`
	Needs          []rules.Class  `json:"needs"`
	List           string         `json:"list"` // that a user must give; "" for none
	Explain        string         `json:"explain"`
	FalsePositives string         `json:"false_positives"`
	Reference      string         `json:"reference"`
}

// WriteRules writes a pack of rules as table, json, ndjson or csv.
func WriteRules(w io.Writer, format string, pack []rules.Rule) error {
	classes := func(r ruleRecord) string {
		names := make([]string, len(r.Needs))
		for i, c := range r.Needs {
			names[i] = string(c)
		}
		return strings.Join(names, " ")
	}
	columns := []column[ruleRecord]{
		{"id", 0, func(r ruleRecord) string { return r.ID }},
		{"severity", 0, func(r ruleRecord) string { return r.Severity.String() }},
		{"tactic", 0, func(r ruleRecord) string { return r.Tactic }},
		{"techniques", 0, func(r ruleRecord) string { return strings.Join(r.Techniques, " ") }},
		{"title", 0, func(r ruleRecord) string { return r.Title }},
	}
	more := []column[ruleRecord]{
		{"shape", 0, func(r ruleRecord) string { return r.Shape }},
		{"needs", 0, classes},
		{"list", 0, func(r ruleRecord) string { return r.List }},
		{"explain", 0, func(r ruleRecord) string { return r.Explain }},
		{"false_positives", 0, func(r ruleRecord) string { return r.FalsePositives }},
		{"reference", 0, func(r ruleRecord) string { return r.Reference }},
	}
	shown := make([]ruleRecord, len(pack))
	for i, r := range pack {
		shown[i] = ruleRecord{r.ID, r.Title, r.Severity, r.Tactic, append([]string{}, r.Techniques...), r.Shape(), r.Classes(),
			r.List, r.Explain, r.FalsePositives, r.Reference}
	}
	return encodeAll(w, format, sheet[ruleRecord]{csv: append(columns[:len(columns):len(columns)], more...), table: columns}, shown)
}
