package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trailscan/rules"
)

// Unassessed tells which rules could not look, a line a reason, that of the most
// rules first. Without it no finding would read like nothing to find.
func Unassessed(assessments []rules.Assessment) []string {
	type group struct {
		rules.Assessment
		rules int64
	}
	var groups []group
	for _, a := range assessments {
		if a.Assessed == rules.Assessed {
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.Reason == a.Reason })
		if i < 0 {
			groups = append(groups, group{a, 0})
			i = len(groups) - 1
		}
		groups[i].rules++
	}
	slices.SortStableFunc(groups, func(x, y group) int { return cmp.Compare(y.rules, x.rules) })
	lines := make([]string, len(groups))
	for i, g := range groups {
		word := strings.ReplaceAll(g.Assessed, "_", " ")
		if g.rules == 1 {
			lines[i] = fmt.Sprintf("rule %s is %s: %s", g.Rule, word, g.Reason)
		} else {
			lines[i] = fmt.Sprintf("%s rules are %s: %s", number(g.rules), word, g.Reason)
		}
	}
	return lines
}
