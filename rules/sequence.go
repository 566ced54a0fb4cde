package rules

import (
	"fmt"
	"strings"
)

// compileSequence orders the events of each joined value and carries along, at
// every event and for each step that it can be, the latest start of a chain
// that leads to it and the earliest end of one that goes on from it. An event
// is part of a sequence when the two are near enough. No chain is enumerated,
// so the cost is that of sorting the events.
//
// CloudTrail's times are whole seconds: of events of the same second, one that
// can be an earlier step goes first. An event is never two steps of a chain.
func (r Rule) compileSequence(from relations) string {
	s := r.Sequence
	if s.Unordered {
		return r.compileUnordered(from)
	}
	n := len(s.Steps)
	ctes := r.steps(from)
	_, flags := s.columns()
	ctes = append(ctes,
		lines(
			"events_of AS (",
			"    SELECT source_id, record_index, event_time, joined, min(step) AS first_step, max(step) AS last_step,",
			strings.Join(flags, ",\n"),
			"    FROM steps",
			// Most values lack one end of the chain; leave them before sorting.
			"    WHERE joined IN (SELECT joined FROM steps GROUP BY joined HAVING min(step) = 1 AND max(step) = "+fmt.Sprint(n)+")",
			"    GROUP BY source_id, record_index, event_time, joined",
			")"),
		lines(
			"chain_1 AS (",
			"    SELECT events_of.*,",
			"        row_number() OVER (PARTITION BY joined ORDER BY event_time, first_step, last_step, source_id, record_index) AS place,",
			"        CASE WHEN is_1 = 1 THEN event_time END AS start_1,",
			fmt.Sprintf("        CASE WHEN is_%d = 1 THEN event_time END AS end_%d", n, n),
			"    FROM events_of",
			")"))
	// chain_i knows the starts of step i and the ends of step n+1-i.
	for i := 2; i <= n; i++ {
		j := n + 1 - i
		ctes = append(ctes, lines(
			fmt.Sprintf("chain_%d AS (", i),
			fmt.Sprintf("    SELECT chain_%d.*,", i-1),
			fmt.Sprintf("        CASE WHEN is_%d = 1 THEN max(start_%d) OVER (PARTITION BY joined ORDER BY place", i, i-1),
			fmt.Sprintf("            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS start_%d,", i),
			fmt.Sprintf("        CASE WHEN is_%d = 1 THEN min(end_%d) OVER (PARTITION BY joined ORDER BY place", j, j+1),
			fmt.Sprintf("            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) END AS end_%d", j),
			fmt.Sprintf("    FROM chain_%d", i-1),
			")"))
	}
	near := make([]string, n)
	for i := range near {
		near[i] = fmt.Sprintf("end_%d <= start_%d + %s", i+1, i+1, interval(s.Within))
	}
	ctes = append(ctes, lines(
		"found AS (",
		"    SELECT DISTINCT source_id, record_index",
		fmt.Sprintf("    FROM chain_%d", n),
		"    WHERE "+strings.Join(near, " OR "),
		")"))
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + fromHit(from, "found")
}

// columns are the values that join the events of the steps, and the columns
// that say which steps an event is.
func (s *Sequence) columns() (ons, flags []string) {
	for i, step := range s.Steps {
		ons = append(ons, fmt.Sprintf("CASE WHEN %s THEN %s END AS on_%d", group(step.Where), group(step.On), i+1))
		flags = append(flags, fmt.Sprintf("        max(CASE WHEN step = %d THEN 1 ELSE 0 END) AS is_%d", i+1, i+1))
	}
	return ons, flags
}

// steps are the CTEs of the events that are some step, one row a step.
func (r Rule) steps(from relations) []string {
	ons, _ := r.Sequence.columns()
	var unpivoted, some []string
	for i := range r.Sequence.Steps {
		some = append(some, fmt.Sprintf("on_%d IS NOT NULL", i+1))
		unpivoted = append(unpivoted, fmt.Sprintf(
			"    SELECT source_id, record_index, event_time, on_%d AS joined, %d AS step FROM hit WHERE on_%d IS NOT NULL", i+1, i+1, i+1))
	}
	return []string{
		from.calls,
		// A condition stands once in the query: planning a long pattern costs more
		// than looking for it in a few texts.
		r.calls("called", from, ons, nil),
		lines(
			"hit AS (",
			"    SELECT * FROM called WHERE "+strings.Join(some, " OR "),
			")"),
		lines(
			"steps AS (",
			strings.Join(unpivoted, "\n    UNION ALL\n"),
			")"),
	}
}

// compileUnordered looks at every event back over the window that ends there
// for the steps in it. An event is part of a sequence when a window that it is
// in holds enough of them.
func (r Rule) compileUnordered(from relations) string {
	s := r.Sequence
	_, flags := s.columns()
	window := "OVER (PARTITION BY joined ORDER BY event_time RANGE BETWEEN " + interval(s.Within) + " PRECEDING AND CURRENT ROW)"
	var held []string
	for i := range s.Steps {
		held = append(held, fmt.Sprintf("max(is_%d) %s", i+1, window))
	}
	least := s.Least
	if least == 0 {
		least = len(s.Steps)
	}
	ctes := append(r.steps(from),
		lines(
			"events_of AS (",
			"    SELECT source_id, record_index, event_time, joined,",
			strings.Join(flags, ",\n"),
			"    FROM steps",
			"    GROUP BY source_id, record_index, event_time, joined",
			")"),
		lines(
			"counted AS (",
			"    SELECT source_id, record_index, event_time, joined,",
			"        "+strings.Join(held, "\n            + ")+" AS reached",
			"    FROM events_of",
			")"),
		lines(
			"marked AS (",
			"    SELECT source_id, record_index,",
			"        max(reached) OVER (PARTITION BY joined ORDER BY event_time RANGE BETWEEN CURRENT ROW AND "+interval(s.Within)+" FOLLOWING) AS best",
			"    FROM counted",
			")"),
		lines(
			"found AS (",
			"    SELECT DISTINCT source_id, record_index",
			"    FROM marked",
			fmt.Sprintf("    WHERE best >= %d", least),
			")"))
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + fromHit(from, "found")
}
