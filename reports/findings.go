package reports

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"trailscan/rules"
)

// FindingFormats are the forms in which findings are written.
var FindingFormats = []string{"table", "json", "ndjson", "csv", "sarif", "ocsf", "navigator"}

// FindingSet is what the forms of findings tell of.
type FindingSet struct {
	Findings    iter.Seq2[rules.Finding, error]
	Assessments []rules.Assessment // of the rules that were asked for
	Rules       []rules.Rule       // what is known of the rules; it may lack some of the findings'
	Origins     Origins
	Attack      rules.AttackVersion // in which Findings and Rules speak
	Version     string              // of trailscan
}

// collect keeps of each finding what a line tells: without the lists a million of
// them take little.
func collect(findings iter.Seq2[rules.Finding, error]) ([]rules.Finding, error) {
	var all []rules.Finding
	for f, err := range findings {
		if err != nil {
			return nil, err
		}
		f.EventIDs, f.UserAgents, f.SourceIPs, f.AccessKeyIDs, f.Regions, f.Summary = nil, nil, nil, nil, nil, ""
		all = append(all, f)
	}
	return all, nil
}

// rule is what is known of a finding's rule.
func (s FindingSet) rule(f rules.Finding) rules.Rule {
	i := slices.IndexFunc(s.Rules, func(r rules.Rule) bool { return r.ID == f.Rule })
	if i < 0 {
		return rules.Rule{ID: f.Rule, Title: f.Title, Severity: f.Severity, Tactic: f.Tactic, Techniques: f.Techniques}
	}
	return s.Rules[i]
}

// WriteFindings writes findings in one of FindingFormats: as table with the
// times in zone and the worst first, otherwise in the order given. json, ndjson,
// csv and ocsf are written as the findings come.
func WriteFindings(w io.Writer, format string, s FindingSet, zone *time.Location) error {
	findings := s.Findings
	switch format {
	case "sarif":
		return writeSARIF(w, s)
	case "ocsf":
		return writeOCSF(w, s)
	case "navigator":
		return writeNavigator(w, s)
	case "table":
		all, err := collect(findings)
		if err != nil {
			return err
		}
		findings = each(sortFindings(all))
	}
	list := func(values []string) string { return strings.Join(values, " ") }
	return encodeEach(w, format, sheet[rules.Finding]{
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
