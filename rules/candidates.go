package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// candidatesSQL is the query for the groups of which a rule may find anything,
// and the expressions that tell a group. Of most rules a case has few or none,
// and counting costs little beside putting all events in order. It is "" for
// rules that do not judge groups by themselves. events is how many the case holds.
func (r Rule) candidatesSQL(from relations, events int64) (query string, by []string) {
	var least int
	var bucket, distinct string
	switch {
	case r.Threshold != nil && r.Threshold.Sum == "":
		t := r.Threshold
		by, least = t.By, t.Count
		// Two neighbouring buckets as long as the window hold all of it: one of
		// them holds half.
		if t.Count > 2 {
			least, bucket = (t.Count+1)/2, bucketOf(t.Window)
		}
		if t.Distinct != "" {
			distinct = fmt.Sprintf(" AND count(DISTINCT %s) >= %d", group(t.Distinct), least)
		}
	case r.Spike != nil:
		by, least, bucket = r.Spike.By, r.Spike.Count, bucketOf(r.Spike.Per)
	case r.FirstSeen != nil:
		return r.newKeysSQL(from)
	}
	if len(by) == 0 {
		return "", nil
	}
	where := []string{r.condition()}
	for _, e := range by {
		where = append(where, group(e)+" IS NOT NULL")
	}
	ctes, grouped := []string{from.calls}, by
	if bucket != "" {
		// A number for the group and the time is quicker to count by than what it
		// is made from, and with so many numbers few have enough events by chance;
		// the groups that share one are told apart after.
		grouped = append(slices.Clone(by), bucket)
		number := fmt.Sprintf("(hash(%s) %% %d)", strings.Join(grouped, ", "), 4*events/int64(least)+1)
		ctes = append(ctes, lines(
			"busy AS (",
			"    SELECT "+number,
			"    FROM calls",
			"    WHERE "+strings.Join(where, "\n        AND "),
			"    GROUP BY "+number,
			fmt.Sprintf("    HAVING count(*) >= %d", least),
			")"))
		where = append(where, number+" IN (FROM busy)")
	}
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + lines(
		"SELECT DISTINCT "+strings.Join(by, ", "),
		"FROM calls",
		"WHERE "+strings.Join(where, "\n    AND "),
		"GROUP BY "+strings.Join(grouped, ", "),
		fmt.Sprintf("HAVING count(*) >= %d%s", least, distinct)), by
}

// newKeysSQL finds the keys that are new to their scope at any time after it
// has learned, as compileFirstSeen judges.
func (r Rule) newKeysSQL(from relations) (query string, by []string) {
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
	return "WITH " + from.calls + ",\n" + from.tainted + ",\n" + from.history(f.Scope, scope) + ",\n" + lines(
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
		"WHERE hit.latest >= "+learned+" AND (hit.since IS NULL OR hit.since >= "+learned+")"), slices.Concat(f.Scope, f.Key)
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

// narrowed is the rule for the groups of which it may find anything; false when
// there are none.
func (s *scanner) narrowed(ctx context.Context, r Rule, from relations) (Rule, bool, error) {
	query, by := r.candidatesSQL(from, s.total)
	if query == "" {
		return r, true, nil
	}
	if _, err := s.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE scan_candidates AS `+cheaper(query)); err != nil {
		return r, false, err
	}
	var some bool
	if err := s.conn.QueryRowContext(ctx, `SELECT EXISTS (FROM temp.scan_candidates)`).Scan(&some); err != nil || !some {
		return r, false, err
	}
	of := tuple(by) + " IN (FROM temp.scan_candidates)"
	r.Where = group(r.Where) + "\n    AND " + of
	if f := r.FirstSeen; f != nil && f.Among != "" {
		narrower := *f
		narrower.Among = group(f.Among) + "\n    AND " + of
		r.FirstSeen = &narrower
	}
	return r, true, nil
}
