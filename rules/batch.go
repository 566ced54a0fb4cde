package rules

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// batchSize is how many rules one query runs at most.
const batchSize = 64

var nested = regexp.MustCompile(`(?i)\bselect\b`)

// inBatch holds for the rules that are a condition on one event: many of them
// cost little more than one, for the events are read once and the query is
// planned once.
func (r Rule) inBatch() bool {
	return r.Threshold == nil && r.Sequence == nil && r.FirstSeen == nil && r.Spike == nil && !r.OnFindings && !r.OfLineage &&
		!nested.MatchString(r.Where+" "+r.Resource)
}

// batches are the places of the rules that run together: of those that read
// the copied calls the single calls, which say the same of the resource: others
// cost more together than apart; of those that read all calls for the sake of
// some facets every one, since reading is what costs there.
func (s *scanner) batches(places []int) (together [][]int, alone []int) {
	var copied, whole []int
	for _, i := range places {
		switch r := s.pack[i]; {
		case !r.inBatch() || len(s.reached[i]) == len(s.facets):
			alone = append(alone, i)
		case !s.isStored(s.reached[i]):
			whole = append(whole, i)
		case r.Resource == apiResource:
			copied = append(copied, i)
		default:
			alone = append(alone, i)
		}
	}
	for _, kind := range [][]int{copied, whole} {
		together = slices.AppendSeq(together, slices.Chunk(kind, batchSize))
	}
	return together, alone
}

// gatherBatch gathers what several rules find, and returns how many events by rule.
func (s *scanner) gatherBatch(ctx context.Context, places []int) (map[int]int64, error) {
	from := s.from.calls
	if !s.isStored(s.reached[places[0]]) {
		var reached []int
		for _, i := range places {
			reached = append(reached, s.reached[i]...)
		}
		slices.Sort(reached)
		from = "SELECT events.*, kind, " + eventsOutcome + " AS outcome FROM events" + withKinds + " WHERE " + s.ofKinds(slices.Compact(reached))
	}
	var hits, resources []string
	those := map[string][]string{} // that have one expression for the resource
	for _, i := range places {
		r := s.pack[i]
		// One CASE in the other: AND does not say what is looked at first.
		hits = append(hits, fmt.Sprintf("CASE WHEN %s THEN CASE WHEN %s THEN %d END END", s.ofKinds(s.reached[i]), r.within(s.facets, s.reached[i]), i))
		if r.Resource != "" {
			e := r.resource()
			if those[e] == nil {
				resources = append(resources, e)
			}
			those[e] = append(those[e], fmt.Sprint(i))
		}
	}
	for i, e := range resources {
		resources[i] = "WHEN rule IN (" + strings.Join(those[e], ", ") + ") THEN " + e
	}
	resource := "CAST(NULL AS VARCHAR)"
	if len(resources) > 0 {
		resource = "CASE " + strings.Join(resources, "\n") + " END"
	}
	between, args := s.between()
	query := `
		INSERT INTO temp.rule_matches BY NAME
		SELECT rule, outcome, source_id, record_index, ` + resource + ` AS resource
		FROM (SELECT *, unnest(hits) AS rule FROM (
			SELECT *, list_filter([` + strings.Join(hits, ",\n") + `], lambda place: place IS NOT NULL) AS hits
			FROM (` + from + `) AS calls
			WHERE ` + between + `) AS tested) AS found`
	if _, err := s.conn.ExecContext(ctx, cheaper(query), args...); err != nil {
		return nil, err
	}
	rows, err := s.conn.QueryContext(ctx, `SELECT rule, count(*) FROM temp.rule_matches GROUP BY rule`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[int]int64{}
	for rows.Next() {
		var place int
		var n int64
		if err := rows.Scan(&place, &n); err != nil {
			return nil, err
		}
		found[place] = n
	}
	return found, rows.Err()
}
