package rules

import (
	"slices"
	"strings"
	"time"
)

// novelty is how long after its first appearance a key still counts as new, so
// that a finding shows what was done with it and not only the first call.
const novelty = 24 * time.Hour

// compileFirstSeen finds the earliest time that each key was taught ("known")
// and since when each scope is in the log at all ("history"): where nobody did
// such a thing before, the first to do it is as new as can be. An event is
// found when its scope has learned for Learn already and its key is not known
// by then, or became known, after the learning, within the day before. Events
// of the lineage teach nothing: what the intruder does first is no baseline,
// and however often they do it, it stays new until someone else does it. A
// scope without a history of its own is not judged.
func (r Rule) compileFirstSeen(from relations) string {
	f := r.FirstSeen
	scopeDefs, scope, present := named("scope", f.Scope)
	keyDefs, key, keyPresent := named("key", f.Key)
	both := slices.Concat(scope, key)
	defs := slices.Concat(scopeDefs, keyDefs)
	present = append(present, keyPresent...)
	taught, judged := "tainted.source_id IS NULL", ""
	if f.Among != "" {
		// One look at the events serves both: those that teach and those that
		// are judged are told apart by flags.
		about, among := r.condition(), group(f.Among)
		defs = append(defs,
			"CASE WHEN "+about+" THEN 1 ELSE 0 END AS judged",
			"CASE WHEN "+among+" THEN 1 ELSE 0 END AS teaches")
		r.Where, r.Outcomes = "("+about+")\nOR "+among, nil
		taught, judged = "hit.teaches = 1\n        AND "+taught, "hit.judged = 1\n    AND "
	}
	learned := "history.since + " + interval(f.Learn)
	ctes := []string{
		from.calls,
		r.hit(from, defs, present),
		from.tainted,
		lines(
			"known AS (",
			"    SELECT "+strings.Join(both, ", ")+", min(event_time) AS since",
			"    FROM hit",
			"    LEFT JOIN tainted ON tainted.source_id = hit.source_id AND tainted.record_index = hit.record_index",
			"    WHERE "+taught,
			"    GROUP BY "+strings.Join(both, ", "),
			")"),
		from.history(f.Scope, scope),
	}
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + lines(
		"SELECT "+wrap(prefixed("hit.", from.columns)),
		"FROM hit",
		join("JOIN", "history", scope),
		join("LEFT JOIN", "known", both),
		"WHERE "+judged+"hit.event_time >= "+learned,
		"    AND (known.since IS NULL",
		"        OR (known.since >= "+learned+" AND hit.event_time <= known.since + "+interval(novelty)+"))")
}

// historyCTE is since when each scope is in the log, whatever it did first.
func historyCTE(expressions, names []string) string {
	var selected, present []string
	for i, e := range expressions {
		selected = append(selected, group(e)+" AS "+names[i]+", ")
		present = append(present, "\n        AND "+group(e)+" IS NOT NULL")
	}
	ctes := lines(
		"history AS (",
		"    SELECT "+strings.Join(selected, "")+"min(event_time) AS since",
		"    FROM calls",
		"    LEFT JOIN tainted ON tainted.source_id = calls.source_id AND tainted.record_index = calls.record_index",
		"    WHERE tainted.source_id IS NULL"+strings.Join(present, ""))
	if len(expressions) > 0 {
		ctes += "\n    GROUP BY " + strings.Join(expressions, ", ")
	}
	return ctes + "\n)"
}

// join joins a relation to hit on equal columns, or to every hit when there are
// none.
func join(kind, relation string, on []string) string {
	if len(on) == 0 {
		return "CROSS JOIN " + relation
	}
	terms := make([]string, len(on))
	for i, c := range on {
		terms[i] = relation + "." + c + " = hit." + c
	}
	return kind + " " + relation + " ON " + strings.Join(terms, " AND ")
}
