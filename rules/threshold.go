package rules

import (
	"fmt"
	"strings"
)

// compileThreshold counts, at every event, the events of its group in the
// window that ends there; best is the most that any window around an event
// holds, so every event of a window that is full enough is found. Windows
// include both ends.
func (r Rule) compileThreshold(from relations) string {
	t := r.Threshold
	defs, by, present := named("by", t.By)
	window := interval(t.Window)
	ctes := []string{from.calls}
	if t.Distinct == "" {
		reached, enough := "count(*)", crowded(by, fmt.Sprintf("count(*) >= %d", t.Count))
		if t.Sum != "" {
			defs = append(defs, group(t.Sum)+" AS amount")
			reached, enough = "sum(amount)", "" // some amounts may be negative
		}
		ctes = append(ctes, r.hit(from, defs, present), lines(
			"counted AS (",
			"    SELECT "+list("source_id", "record_index", "event_time", by)+",",
			"        "+reached+" "+over(by, "event_time RANGE BETWEEN "+window+" PRECEDING AND CURRENT ROW")+" AS reached",
			"    FROM hit"+enough,
			")"))
	} else {
		// Counting distinct values in a sliding window: a value counts from an
		// event until the same value comes again, or the window has moved past
		// it. Summing these changes in order gives the count at every event in
		// one pass.
		defs = append(defs, group(t.Distinct)+" AS item")
		present = append(present, group(t.Distinct)+" IS NOT NULL")
		ctes = append(ctes, r.hit(from, defs, present), lines(
			"spans AS (",
			"    SELECT "+list("source_id", "record_index", "event_time", by)+",",
			"        lead(event_time) "+over(append(by[:len(by):len(by)], "item"), "event_time")+" AS again",
			"    FROM hit"+crowded(by, fmt.Sprintf("count(DISTINCT item) >= %d", t.Count)),
			"),",
			"changes AS (",
			"    SELECT "+list("source_id", "record_index", "event_time", by)+", 1 AS turn, 1 AS change",
			"    FROM spans",
			"    UNION ALL",
			"    SELECT "+list("source_id", "record_index", "again", by)+", 0, -1",
			"    FROM spans",
			"    WHERE again <= event_time + "+window,
			"    UNION ALL",
			"    SELECT "+list("source_id", "record_index", "event_time + "+window, by)+", 2, -1",
			"    FROM spans",
			"    WHERE again IS NULL OR again > event_time + "+window,
			"),",
			"sums AS (",
			"    SELECT "+list("source_id", "record_index", "event_time", by)+", turn,",
			"        sum(change) "+over(by, "event_time, turn")+" AS reached",
			"    FROM changes",
			"),",
			"counted AS (",
			"    SELECT * FROM sums WHERE turn = 1",
			")"))
	}
	ctes = append(ctes, lines(
		"marked AS (",
		"    SELECT source_id, record_index,",
		"        max(reached) "+over(by, "event_time RANGE BETWEEN CURRENT ROW AND "+window+" FOLLOWING")+" AS best",
		"    FROM counted",
		")"))
	limits := fmt.Sprintf("marked.best >= %d", t.Count)
	if t.Most > 0 {
		limits += fmt.Sprintf(" AND marked.best <= %d", t.Most)
	}
	if t.Except > 0 {
		limits += fmt.Sprintf(" AND marked.best <> %d", t.Except)
	}
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + fromHit(from, "marked") + "\nWHERE " + limits
}

// crowded leaves out the groups that have too few in all, before any sorting.
func crowded(by []string, enough string) string {
	if len(by) == 0 {
		return ""
	}
	names := strings.Join(by, ", ")
	return lines("",
		"    WHERE ("+names+") IN (SELECT "+names+" FROM hit GROUP BY "+names+" HAVING "+enough+")")
}

func lines(s ...string) string { return strings.Join(s, "\n") }

func list(a, b, c string, more []string) string {
	return strings.Join(append([]string{a, b, c}, more...), ", ")
}
