package rules

import (
	"fmt"
	"strings"
)

// Shape says how the rule looks at events: predicate and list each by itself,
// list against a list that a user gives; lineage at what was traced; findings at
// what other rules find.
func (r Rule) Shape() string {
	switch {
	case r.Lineage:
		return "lineage"
	case r.OnFindings:
		return "findings"
	case r.Threshold != nil:
		return "threshold"
	case r.Sequence != nil:
		return "sequence"
	case r.FirstSeen != nil:
		return "first-seen"
	case r.Spike != nil:
		return "statistical"
	case r.List != "":
		return "list"
	}
	return "predicate"
}

// Classes are the classes of events that a case must hold, every one, before the
// rule can say anything.
func (r Rule) Classes() []Class { return r.needs() }

// Script is the rule's SQL with a comment that says what it is, ready to run.
func (r Rule) Script() string {
	lines := []string{
		r.ID + ": " + r.Title,
		fmt.Sprintf("severity %s, %s, %s, %s", r.Severity, r.Tactic, strings.Join(r.Techniques, " "), r.Shape()),
		r.Explain,
	}
	if r.FalsePositives != "" {
		lines = append(lines, "false positives: "+r.FalsePositives)
	}
	if r.List != "" {
		lines = append(lines, fmt.Sprintf("finds nothing while the case has no list %s (%s)", r.List, ListFlag(r.List)))
	}
	if r.Lineage {
		lines = append(lines, "finds nothing before a key was traced (trailscan trace KEY)")
	}
	if r.Reference != "" {
		lines = append(lines, r.Reference)
	}
	var b strings.Builder
	for _, line := range lines {
		// A rule of somebody else's may say anything; one line stays a comment.
		b.WriteString("-- " + strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String() + "\n" + r.SQL() + "\n"
}

// MatchesSQL is the query for the events that the rules match, one row an event
// and rule, with the arguments that it takes.
func MatchesSQL(tested []Rule) (string, []any) {
	parts, args := make([]string, len(tested)), make([]any, len(tested))
	for i, r := range tested {
		parts[i] = "SELECT CAST(? AS VARCHAR) AS rule, event_time, event_source, event_name, outcome, aws_region, account_id,\n" +
			"    identity_arn, access_key_id, source_ip_address, replace(resource, " + separator + ", ', ') AS resource, event_id\nFROM (" + r.compile(ownRelations) + ")"
		args[i] = r.ID
	}
	return strings.Join(parts, "\nUNION ALL\n") + "\nORDER BY event_time, event_id, rule", args
}

// Lists that a user may give, by the names under which the case keeps them.
const (
	HostileList         = "hostile"          // addresses and networks
	TrustedAccountsList = "trusted_accounts" // accounts of the organization and its partners
	AllowedRegionsList  = "allowed_regions"
	CountriesList       = "countries" // of the addresses in the case, as a database knows them
)

// ListFlag is the flag that gives a list.
func ListFlag(name string) string {
	if name == CountriesList {
		return "--mmdb with a database of countries"
	}
	return "--" + strings.ReplaceAll(name, "_", "-")
}
