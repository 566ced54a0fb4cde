package rules

import (
	"fmt"
	"slices"
	"strings"
)

// whose are the expressions that tell one principal from another. An address is
// one: a rule that counts by it means whoever is there.
var whose = []string{"principal_id", "identity_arn", "user_name", "source_ip_address", actingPrincipal, longTermKey, caller}

// rerun gives the rules that look at one principal's events at a time the whole
// lineage as their principal. Rules about one credential in two places are left
// out, for several credentials are always in several; so are those that learn
// what is usual, for a lineage has no history.
func rerun(pack []Rule) []Rule {
	var again []Rule
	for _, r := range pack {
		if t := r.Threshold; t != nil && t.Distinct != "source_ip_address" && t.Distinct != network {
			others := slices.DeleteFunc(slices.Clone(t.By), func(e string) bool { return e == "account_id" || slices.Contains(whose, e) })
			if !slices.ContainsFunc(t.By, func(e string) bool { return slices.Contains(whose, e) }) {
				continue
			}
			wider := *t
			wider.By = others
			r.Threshold = &wider
			again = append(again, r)
		}
		if s := r.Sequence; s != nil && slices.ContainsFunc(s.Steps, func(s Step) bool { return slices.Contains(whose, s.On) }) {
			wider := *s
			wider.Steps = slices.Clone(s.Steps)
			for i, step := range s.Steps {
				if slices.Contains(whose, step.On) {
					wider.Steps[i].On = "CASE WHEN " + group(step.On) + " IS NOT NULL THEN 'lineage' END"
				}
			}
			r.Sequence = &wider
			again = append(again, r)
		}
	}
	return again
}

// compileRerun runs the rules over the events of the lineage alone, as far as
// their own findings have none of it. The resources are the rules.
func (r Rule) compileRerun(from relations) string {
	from.columns = columns
	var found []string
	for i, again := range r.Rerun {
		found = append(found, lines(
			"    SELECT "+indentRest(wrap(columns[:len(columns)-3]))+", "+quote(again.ID)+" AS resource, source_id, record_index",
			"    FROM (",
			"        WITH "+strings.ReplaceAll(strings.TrimPrefix(again.compile(from), "WITH "+from.calls+",\n"), "\n", "\n        "),
			fmt.Sprintf("    ) AS again_%d", i+1),
			"    WHERE "+quote(again.ID)+" NOT IN (SELECT rule FROM findings WHERE in_lineage)"))
	}
	others := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return c == "resource" })
	return lines(
		"WITH "+from.calls+",",
		"found AS (",
		strings.Join(found, "\n    UNION ALL\n"),
		")",
		"SELECT "+wrap(others)+", "+together("resource")+" AS resource",
		"FROM found",
		"GROUP BY "+wrap(others))
}
