package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"trailscan/rules"
)

// TimingTable writes what the parts of a scan took: the shared work in its
// order, then the rules, the slowest first; those that had no event to look at
// are one line. Rules that one query ran share its time evenly, marked ~.
func TimingTable(w io.Writer, parts []rules.Timing) error {
	var shared, ran []rules.Timing
	idle := 0
	for _, p := range parts {
		switch {
		case p.Rule == "":
			shared = append(shared, p)
		case p.Idle:
			idle++
		default:
			ran = append(ran, p)
		}
	}
	slices.SortStableFunc(ran, func(a, b rules.Timing) int { return cmp.Compare(b.Took, a.Took) })
	columns := []column[rules.Timing]{
		{"ms", 0, func(p rules.Timing) string {
			share := ""
			if p.Together > 1 {
				share = "~"
			}
			return fmt.Sprintf("%s%.1f", share, p.Took.Seconds()*1000)
		}},
		{"events", 0, func(p rules.Timing) string { return fmt.Sprint(p.Rows) }},
		{"part", 0, func(p rules.Timing) string { return cmp.Or(p.Rule, p.Name) }},
	}
	if err := encodeAll(w, "table", sheet[rules.Timing]{table: columns}, append(shared, ran...)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d rules are about calls, callers or clients that the case does not hold\n", idle)
	return err
}
