package rules

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// shared is what the rules of one scan have in common: what kinds of calls the
// case holds, and tables of what many rules would read again and again. A rule
// finds the same with them as its own SQL finds.
type shared struct {
	conn   *sql.Conn
	copy   copying
	facets []facet
	// lineage are the facets of the lineage's events, once those are shared.
	lineage []facet
	total   int64
	stored  []bool // by facet: its calls are in temp.scan_calls
	// answers are those about callers, clients and addresses, for many rules ask the same.
	answers map[string]bool
	columns []string // of events, for a large case
	from    relations
}

// copying says how much is copied. A case of whole events is copied with the
// outcomes; of a larger one, the calls whose names rules are about, the rarest
// first, up to a part of it, but not fewer than whole or more than most.
type copying struct{ whole, part, most int64 }

var usualCopying = copying{whole: 100_000, part: 20, most: 1_000_000}

// sharedTables are dropped when the scan is over: others may use the connection.
var sharedTables = []string{"scan_facets", "scan_kinds", "scan_calls", "scan_tainted", "scan_lineage", "scan_callers", "scan_addresses", "scan_candidates", "scan_narrowed", "rule_matches",
	"scan_rules", "scan_principals", "scan_located", "scan_values", "scan_coded", "scan_groups", "scan_several", "scan_findings"}

func dropShared(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `DROP VIEW IF EXISTS temp.findings`); err != nil {
		return fmt.Errorf("drop what the rules share: %w", err)
	}
	for _, table := range sharedTables {
		if _, err := conn.ExecContext(ctx, `DROP TABLE IF EXISTS temp.`+table); err != nil {
			return fmt.Errorf("drop what the rules share: %w", err)
		}
	}
	return nil
}

// prepare makes the shared tables for the rules that are to run.
func (s *shared) prepare(ctx context.Context, running []Rule) (copied int64, err error) {
	aboutAll := slices.DeleteFunc(slices.Clone(running), func(r Rule) bool { return r.OfLineage })
	columns, err := usedColumns(ctx, s.conn, aboutAll)
	if err != nil {
		return 0, err
	}
	s.choose(running)
	where := ""
	if slices.Contains(s.stored, false) {
		var kinds []int
		for i, stored := range s.stored {
			if stored {
				kinds = append(kinds, i)
			}
		}
		where = " WHERE " + s.ofKinds(kinds)
	}
	statements := []string{
		`CREATE OR REPLACE TEMP TABLE scan_calls AS SELECT ` + strings.Join(prefixed("events.", columns), ", ") + `, ` +
			eventsOutcome + ` AS outcome, kind FROM events` + withKinds + where,
	}
	if learns := slices.DeleteFunc(slices.Clone(running), func(r Rule) bool { return r.FirstSeen == nil }); len(learns) > 0 {
		statements = append(statements, callersSQL(columns, learns))
	}
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("prepare the scan: %w", err)
		}
	}
	s.from = relations{
		calls:     "SELECT * FROM temp.scan_calls",
		ofLineage: "calls AS (\n    SELECT * FROM temp.scan_lineage\n)",
		tainted:   "tainted AS (\n    SELECT source_id, record_index FROM temp.scan_tainted\n)",
		history:   sharedHistory,
	}
	for i, f := range s.facets {
		if s.stored[i] {
			copied += f.events
		}
	}
	return copied, nil
}

const taintedSQL = `CREATE OR REPLACE TEMP TABLE scan_tainted AS SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'`

// shareLineage makes the tables of the lineage's events for the rules about them
// alone, and learns of which kinds those are.
func (s *shared) shareLineage(ctx context.Context, pack []Rule) error {
	if _, err := s.conn.ExecContext(ctx, taintedSQL); err != nil {
		return fmt.Errorf("share the lineage: %w", err)
	}
	var reading []Rule
	for _, r := range pack {
		if r.OfLineage {
			reading = append(append(reading, r), r.Rerun...)
		}
	}
	if len(reading) == 0 {
		return nil
	}
	columns, err := usedColumns(ctx, s.conn, reading)
	if err != nil {
		return err
	}
	if _, err := s.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE scan_lineage AS SELECT `+strings.Join(prefixed("events.", columns), ", ")+`, `+
		eventsOutcome+` AS outcome, kind FROM temp.scan_tainted AS l JOIN events ON events.source_id = l.source_id AND events.record_index = l.record_index`+withKinds); err != nil {
		return fmt.Errorf("share the lineage: %w", err)
	}
	s.lineage, err = readFacets(ctx, s.conn, `kind IN (SELECT kind FROM temp.scan_lineage)`)
	return err
}

// reach are the facets of the case's events that a rule reads.
func (s *shared) reach(r Rule) []int {
	if r.OfLineage {
		return r.reach(s.lineage)
	}
	return r.reach(s.facets)
}

// eventsOutcome is the outcome over events, where another relation is joined.
var eventsOutcome = regexp.MustCompile(`\b(event_source|error_code|error_message|response_elements|service_event_details)\b`).
	ReplaceAllString(OutcomeSQL, "events.$1")

// choose says the calls of which facets are copied.
func (s *shared) choose(running []Rule) {
	s.stored = make([]bool, len(s.facets))
	if s.total <= s.copy.whole {
		for i := range s.stored {
			s.stored[i] = true
		}
		return
	}
	wanted := make([]bool, len(s.facets))
	for _, r := range running {
		reached := s.reach(r)
		if r.OfLineage || len(reached) == len(s.facets) {
			continue
		}
		for _, i := range reached {
			wanted[i] = true
		}
	}
	left := min(max(s.total/s.copy.part, s.copy.whole), s.copy.most)
	for i, f := range s.facets { // the rarest first
		if wanted[i] && f.events <= left {
			s.stored[i] = true
			left -= f.events
		}
	}
}

func (s *shared) isStored(reached []int) bool {
	return !slices.ContainsFunc(reached, func(i int) bool { return !s.stored[i] })
}

// relations are where a rule reads that finds events of some facets.
func (s *shared) relations(reached []int) relations {
	from := relations{calls: ownRelations.calls, ofLineage: s.from.ofLineage, tainted: s.from.tainted, history: s.from.history, columns: matchColumns}
	if s.isStored(reached) {
		from.calls = "calls AS (\n    " + s.from.calls + "\n    WHERE " + s.ofKinds(reached) + "\n)"
	}
	return from
}

// withKinds gives events the number of their facet.
const withKinds = `
	JOIN temp.scan_kinds AS kinds ON kinds.event_name IS NOT DISTINCT FROM events.event_name
		AND kinds.event_source IS NOT DISTINCT FROM events.event_source
		AND kinds.event_category IS NOT DISTINCT FROM events.event_category`

// ofKinds is the condition that an event is of one of some facets.
func (s *shared) ofKinds(reached []int) string {
	if len(reached) == len(s.facets) {
		return "true"
	}
	kinds := make([]string, len(reached))
	for i, kind := range reached {
		kinds[i] = fmt.Sprint(kind)
	}
	return "kind IN (" + strings.Join(append(kinds, "-1"), ", ") + ")"
}

// reach are the facets of the events that a rule reads; none when it cannot
// find anything.
func (r Rule) reach(all []facet) []int {
	reads := always
	if r.Where != "" {
		reads = facetTest(r.Where)
	}
	found := reads
	if f := r.FirstSeen; f != nil && f.Among != "" {
		reads = either(reads, facetTest(f.Among))
	}
	if s := r.Sequence; s != nil {
		steps := func(*facet) truth { return isFalse }
		present, least := 0, len(s.Steps)
		if s.Least > 0 {
			least = s.Least
		}
		for _, step := range s.Steps {
			t := facetTest(step.Where)
			steps = either(steps, t)
			if len(facetsOf(both(found, t), all)) > 0 {
				present++
			}
		}
		if present < least {
			return nil
		}
		reads = both(reads, steps)
	} else if len(facetsOf(found, all)) == 0 {
		return nil
	}
	return facetsOf(reads, all)
}

func facetsOf(t test, all []facet) []int {
	var found []int
	for i := range all {
		if t(&all[i]) != isFalse {
			found = append(found, all[i].kind)
		}
	}
	return found
}

var word = regexp.MustCompile(`[a-z_]+`)

// usedColumns are the columns of events that a rule's SQL names, and those of
// every result.
func usedColumns(ctx context.Context, conn *sql.Conn, running []Rule) ([]string, error) {
	used := map[string]bool{}
	for _, c := range matchColumns {
		used[c] = true
	}
	for _, r := range running {
		for _, text := range r.expressions() {
			for _, w := range word.FindAllString(strings.ToLower(text), -1) {
				used[w] = true
			}
		}
	}
	all, err := eventColumns(ctx, conn)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c string) bool { return !used[c] }), nil
}

func eventColumns(ctx context.Context, conn *sql.Conn) ([]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT column_name FROM duckdb_columns() WHERE table_name = 'events' AND database_name = current_database() ORDER BY column_index`)
	if err != nil {
		return nil, fmt.Errorf("prepare the scan: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("prepare the scan: %w", err)
		}
		found = append(found, name)
	}
	return found, rows.Err()
}

// expressions are all of the rule that is SQL.
func (r Rule) expressions() []string {
	all := []string{r.Where, r.Resource}
	if t := r.Threshold; t != nil {
		all = append(append(all, t.Distinct, t.Sum), t.By...)
	}
	if s := r.Sequence; s != nil {
		for _, step := range s.Steps {
			all = append(all, step.Where, step.On)
		}
	}
	if f := r.FirstSeen; f != nil {
		all = append(slices.Concat(all, f.Scope, f.Key), f.Among)
	}
	if s := r.Spike; s != nil {
		all = append(all, s.By...)
	}
	return all
}

// callersSQL keeps the first event of every caller, told apart by all that the
// scopes of rules are made of; the history of a scope comes of it.
func callersSQL(columns []string, learning []Rule) string {
	var scopes []string
	for _, r := range learning {
		for _, e := range r.FirstSeen.Scope {
			for _, w := range word.FindAllString(strings.ToLower(e), -1) {
				if slices.Contains(columns, w) && !slices.Contains(scopes, w) {
					scopes = append(scopes, w)
				}
			}
		}
	}
	own, foreign, ofIdentities := scopeColumns(scopes)
	from := "events ANTI JOIN temp.scan_tainted AS t ON t.source_id = events.source_id AND t.record_index = events.record_index"
	if ofIdentities {
		// The callers are few beside their events: they are looked up once each.
		from = `(SELECT ` + strings.Join(append(own, ""), ", ") + `identity_id, context_id, min(event_time) AS event_time
			FROM records ANTI JOIN temp.scan_tainted AS t ON t.source_id = records.source_id AND t.record_index = records.record_index
			GROUP BY ALL) JOIN contexts USING (context_id) JOIN identities USING (identity_id)`
		scopes = slices.Concat(own, foreign)
	}
	return `CREATE OR REPLACE TEMP TABLE scan_callers AS
		SELECT ` + strings.Join(append(scopes, ""), ", ") + `min(event_time) AS event_time
		FROM ` + from + `
		GROUP BY ALL`
}

// scopeColumns tells the columns of events that are the record's own from those
// that its identity and context give it; false when one is neither.
func scopeColumns(scopes []string) (own, foreign []string, all bool) {
	for _, c := range scopes {
		given := func(d dimension) bool { return d.table != "temp.scan_addresses" && slices.Contains(d.columns, c) }
		switch {
		case slices.Contains([]string{"event_source", "event_name", "aws_region", "source_ip_address"}, c):
			own = append(own, c)
		case c == "account_id":
			foreign = append(foreign, "coalesce(recipient_account_id, identity_account_id) AS account_id")
		case slices.ContainsFunc(dimensions, given):
			foreign = append(foreign, c)
		default:
			return nil, nil, false
		}
	}
	return own, foreign, true
}

func sharedHistory(expressions, names []string) string {
	var selected, present []string
	for i, e := range expressions {
		selected = append(selected, group(e)+" AS "+names[i]+", ")
		present = append(present, group(e)+" IS NOT NULL")
	}
	text := "history AS (\n    SELECT " + strings.Join(selected, "") + "min(event_time) AS since\n    FROM temp.scan_callers"
	if len(expressions) > 0 {
		text += "\n    WHERE " + strings.Join(present, " AND ") + "\n    GROUP BY " + strings.Join(expressions, ", ")
	}
	return text + "\n)"
}
