package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// candidates narrow a rule to what it may find anything of. Of most rules a case
// has little or nothing, and counting costs little beside putting all events in
// order.
type candidates struct {
	query string   // for what may be found; "" for rules that do not judge groups by themselves
	by    []string // the expressions that an event has in common with a row of it
}

// mostItems is how many different calls are told apart in a stretch of time.
const mostItems = 1024

// candidates are those of a rule that reads some of the facets.
func (s *shared) candidates(r Rule, from relations, reached []int) candidates {
	switch {
	case r.Threshold != nil && r.Threshold.Sum == "" && len(r.Threshold.By) > 0:
		return s.busyWindows(r, from, reached)
	case r.Spike != nil && len(r.Spike.By) > 0:
		return s.busyGroups(r, from)
	case r.FirstSeen != nil:
		return r.newKeys(from)
	}
	return candidates{}
}

// busyWindows finds the stretches of time in which a group may reach the
// threshold. A window lies in three neighbouring stretches of half its length;
// they are counted by a number for the group and the time, in which neighbours
// follow each other. Groups that share a number by chance are told apart after.
func (s *shared) busyWindows(r Rule, from relations, reached []int) candidates {
	t := r.Threshold
	number := fmt.Sprintf("(CAST(hash(%s) >> 2 AS BIGINT) + %s)", strings.Join(t.By, ", "), bucketOf(t.Window/2))
	where := append([]string{r.condition()}, notNull(t.By)...)
	ctes, source := []string{from.calls}, "calls"
	counted, reachedBy := "count(*) AS held", "coalesce(a.held, 0) + coalesce(b.held, 0) + coalesce(c.held, 0)"
	if t.Distinct != "" {
		where = append(where, group(t.Distinct)+" IS NOT NULL")
	}
	if columns := facetColumnsOf(t.Distinct, s.columns); columns != nil && len(reached) <= mostItems {
		items, on := s.items(t.Distinct, columns, reached)
		ctes, source = append(ctes, items), "calls JOIN items ON "+on
		none := fmt.Sprintf("bitstring('0', %d)", len(reached))
		counted = fmt.Sprintf("bitstring_agg(item, 0, %d) AS held", len(reached)-1)
		reachedBy = fmt.Sprintf("bit_count(a.held | coalesce(b.held, %s) | coalesce(c.held, %[1]s))", none)
	}
	ctes = append(ctes,
		lines(
			"stretches AS MATERIALIZED (",
			"    SELECT "+number+" AS number, "+counted,
			"    FROM "+source,
			"    WHERE "+strings.Join(where, "\n        AND "),
			"    GROUP BY ALL",
			")"),
		lines(
			"busy AS (",
			"    SELECT a.number",
			"    FROM stretches AS a",
			"    LEFT JOIN stretches AS b ON b.number = a.number + 1",
			"    LEFT JOIN stretches AS c ON c.number = a.number + 2",
			fmt.Sprintf("    WHERE %s >= %d", reachedBy, t.Count),
			")"))
	return candidates{
		query: "WITH " + strings.Join(ctes, ",\n") + "\nSELECT DISTINCT number + ahead AS number FROM busy CROSS JOIN (SELECT unnest([0, 1, 2]) AS ahead)",
		by:    []string{number},
	}
}

// items numbers the values that an expression over columns of facets has.
func (s *shared) items(expression string, columns []string, reached []int) (cte, on string) {
	var selected, equal []string
	for _, c := range columns {
		selected = append(selected, c+" AS item_"+c)
		equal = append(equal, "items.item_"+c+" IS NOT DISTINCT FROM calls."+c)
	}
	return lines(
		"items AS (",
		"    SELECT "+strings.Join(selected, ", ")+", dense_rank() OVER (ORDER BY "+expression+") - 1 AS item",
		"    FROM (SELECT DISTINCT "+strings.Join(columns, ", ")+" FROM temp.scan_kinds WHERE "+s.ofKinds(reached)+")",
		"    WHERE "+group(expression)+" IS NOT NULL",
		")"), strings.Join(equal, " AND ")
}

// facetColumnsOf are the columns of an expression that is over those of facets
// alone, nil of others.
func facetColumnsOf(expression string, columns []string) []string {
	facets := dimension{columns: []string{"event_source", "event_name", "event_category"}}
	if expression == "" || !facets.decides(expression, columns) {
		return nil
	}
	words := word.FindAllString(literalOf.ReplaceAllString(expression, "''"), -1)
	return slices.DeleteFunc(facets.columns, func(c string) bool { return !slices.Contains(words, c) })
}

// busyGroups finds the groups that have enough events in some stretch of time.
func (s *shared) busyGroups(r Rule, from relations) candidates {
	by, bucket := r.Spike.By, bucketOf(r.Spike.Per)
	where := append([]string{r.condition()}, notNull(by)...)
	key := "hash(" + strings.Join(by, ", ") + ")"
	return candidates{
		query: "WITH " + from.calls + "\n" + lines(
			"SELECT DISTINCT number FROM (",
			"    SELECT "+key+" AS number, "+bucket+" AS stretch",
			"    FROM calls",
			"    WHERE "+strings.Join(where, "\n        AND "),
			"    GROUP BY ALL",
			fmt.Sprintf("    HAVING count(*) >= %d)", r.Spike.Count)),
		by: []string{key},
	}
}

func notNull(expressions []string) []string {
	all := make([]string, len(expressions))
	for i, e := range expressions {
		all[i] = group(e) + " IS NOT NULL"
	}
	return all
}

// newKeys finds the keys that are new to their scope at any time after it
// has learned, as compileFirstSeen judges.
func (r Rule) newKeys(from relations) candidates {
	f := r.FirstSeen
	scopeDefs, scope, present := named("scope", f.Scope)
	keyDefs, key, keyPresent := named("key", f.Key)
	about, among := r.condition(), "true"
	where := about
	if f.Among != "" {
		among = group(f.Among)
		where = "(" + about + "\n    OR " + among + ")"
	}
	learned := "history.since + " + interval(f.Learn)
	query := "WITH " + from.calls + ",\n" + from.tainted + ",\n" + from.history(f.Scope, scope) + ",\n" + lines(
		"keys AS (",
		"    SELECT "+strings.Join(slices.Concat(scopeDefs, keyDefs), ", ")+",",
		"        min(CASE WHEN tainted.source_id IS NULL AND "+among+" THEN event_time END) AS since,",
		"        max(CASE WHEN "+about+" THEN event_time END) AS latest",
		"    FROM calls",
		"    LEFT JOIN tainted ON tainted.source_id = calls.source_id AND tainted.record_index = calls.record_index",
		"    WHERE "+strings.Join(slices.Concat([]string{where}, present, keyPresent), "\n        AND "),
		"    GROUP BY ALL",
		")",
		"SELECT "+strings.Join(prefixed("hit.", slices.Concat(scope, key)), ", "),
		"FROM keys AS hit",
		join("JOIN", "history", scope),
		"WHERE hit.latest >= "+learned+" AND (hit.since IS NULL OR hit.since >= "+learned+")")
	return candidates{query, slices.Concat(f.Scope, f.Key)}
}

// bucketOf numbers the stretches of time of a length.
func bucketOf(length time.Duration) string {
	return fmt.Sprintf("epoch_us(event_time) // %d", length.Microseconds())
}

func tuple(expressions []string) string {
	if len(expressions) == 1 {
		return group(expressions[0])
	}
	return "(" + strings.Join(expressions, ", ") + ")"
}

// narrowed is the query of a rule over what it may find anything of; false when
// there is nothing.
func (s *scanner) narrowed(ctx context.Context, r Rule, from relations, reached []int) (query string, possible bool, err error) {
	found := s.candidates(r, from, reached)
	if found.query == "" {
		return r.compileLean(from), true, nil
	}
	if _, err := s.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE scan_candidates AS `+cheaper(found.query)); err != nil {
		return "", false, err
	}
	var some bool
	if err := s.conn.QueryRowContext(ctx, `SELECT EXISTS (FROM temp.scan_candidates)`).Scan(&some); err != nil || !some {
		return "", false, err
	}
	of := tuple(found.by) + " IN (FROM temp.scan_candidates)"
	if f := r.FirstSeen; f != nil {
		r.Where = group(r.Where) + "\n    AND " + of
		if f.Among != "" {
			narrower := *f
			narrower.Among = group(f.Among) + "\n    AND " + of
			r.FirstSeen = &narrower
		}
		return r.compileLean(from), true, nil
	}
	columns, err := usedColumns(ctx, s.conn, []Rule{r})
	if err != nil {
		return "", false, err
	}
	if _, err := s.conn.ExecContext(ctx, cheaper(`CREATE OR REPLACE TEMP TABLE scan_narrowed AS WITH `+from.calls+`
		SELECT `+strings.Join(columns, ", ")+`, outcome FROM calls WHERE `+r.condition()+` AND `+of)); err != nil {
		return "", false, err
	}
	from.calls = "calls AS (\n    SELECT * FROM temp.scan_narrowed\n)"
	return cheaper(r.compile(from)), true, nil
}
