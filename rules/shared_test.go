package rules

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/ingest"
)

// TestSharedTablesChangeNothing runs every rule over all fixtures at once, by
// its own SQL and over the tables that a scan's rules share, and compares the
// events found: in a case small enough to be copied, in one of which the rare
// calls are, and in one of which none are.
func TestSharedTablesChangeNothing(t *testing.T) {
	files, err := filepath.Glob("testdata/TS-*/*match*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	ctx := context.Background()
	c := openCase(t)
	if _, err := ingest.Load(ctx, c, files, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	var events int64
	if err := c.DB.QueryRow(`SELECT count(*) FROM events`).Scan(&events); err != nil {
		t.Fatal(err)
	}
	// Some of every rule's events are the intruder's.
	if _, err := c.DB.Exec(`INSERT INTO lineage BY NAME SELECT ['AKIAIOSFODNN7EXAMPLE'] AS keys, TIMESTAMP '2026-09-01' AS compromised_since;
		INSERT INTO lineage_events
		SELECT source_id, record_index, 'AKIAIOSFODNN7EXAMPLE', 'intruder' FROM events WHERE hash(event_id) % 5 = 0`); err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	pack := slices.DeleteFunc(Pack(), func(r Rule) bool { return r.OnFindings })
	for _, r := range pack {
		if r.List != "" {
			lists[r.List] = []string{"198.51.100.0/24", "203.0.113.7"}
		}
	}
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := storeLists(ctx, conn, lists); err != nil {
		t.Fatal(err)
	}
	want := make([]string, len(pack))
	found := 0
	for i, r := range pack {
		ids, err := Match(ctx, c, r)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		want[i] = strings.Join(ids, " ")
		found += len(ids)
	}
	if found < len(pack)/2 {
		t.Fatalf("the rules find %d events: too few to compare", found)
	}
	for name, limits := range map[string]copying{
		"all copied":  {whole: events, part: 1, most: events},
		"rare copied": {whole: events / 4, part: 4, most: events / 4},
		"none copied": {whole: 0, part: 1, most: 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := scanner{shared: shared{conn: conn, copy: limits}, pack: pack}
			defer dropShared(ctx, conn)
			if err := s.survey(ctx); err != nil {
				t.Fatal(err)
			}
			if err := s.run(ctx, func(Rule) bool { return true }); err != nil {
				t.Fatal(err)
			}
			got := matchesByRule(t, conn, len(pack))
			for i, r := range pack {
				if got[i] != want[i] {
					t.Errorf("%s (%v): found %s, its own SQL finds %s", r.ID, s.assessments[i], got[i], want[i])
				}
			}
		})
	}
}

func matchesByRule(t *testing.T, conn *sql.Conn, rules int) []string {
	t.Helper()
	rows, err := conn.QueryContext(context.Background(), `SELECT rule, string_agg(event_id, ' ' ORDER BY event_id)
		FROM temp.rule_matches JOIN events USING (source_id, record_index) GROUP BY rule`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := make([]string, rules)
	for rows.Next() {
		var place int
		var ids string
		if err := rows.Scan(&place, &ids); err != nil {
			t.Fatal(err)
		}
		got[place] = ids
	}
	return got
}

func TestFacetsOfConditions(t *testing.T) {
	text := func(s string) sql.NullString { return sql.NullString{String: s, Valid: s != "NULL"} }
	for _, tc := range []struct {
		condition, source, name string
		want                    truth
	}{
		{`event_name = 'A'`, "s", "A", isTrue},
		{`event_name = 'A'`, "s", "B", isFalse},
		{`event_name = 'A'`, "s", "NULL", unknown},
		{`lower(event_name) = 'a' AND lower(event_source) IN ('s', 't')`, "T", "A", isTrue},
		{`lower(event_name) = 'a'`, "s", "Ä", unknown},
		{`event_name IN ('A', 'B') AND user_agent = 'x'`, "s", "B", unknown},
		{`event_name IN ('A', 'B') AND user_agent = 'x'`, "s", "C", isFalse},
		{`event_name IN (SELECT value FROM lists)`, "s", "C", unknown},
		{`event_name = 'A' OR user_agent = 'x'`, "s", "B", unknown},
		{`(event_source = 's' AND (event_name = 'A' OR event_name LIKE 'B_%'))`, "s", "Bxy", isTrue},
		{`event_name LIKE 'B_%'`, "s", "B", isFalse},
		{`event_name LIKE 'B\_%' ESCAPE '\'`, "s", "B", unknown},
		{`NOT event_name = 'A'`, "s", "A", isFalse},
		{`NOT (event_name = 'A' AND user_agent = 'x')`, "s", "A", unknown},
		{`NOT (event_name = 'A' AND user_agent = 'x')`, "s", "B", isTrue},
		{`NOT coalesce((event_name = 'A' AND user_agent = 'x'), false) AND event_source = 't'`, "s", "A", isFalse},
		{`event_name <> 'A' AND event_name NOT IN ('B', 'C')`, "s", "B", isFalse},
		{`event_name <> 'A' AND event_name NOT IN ('B', 'C')`, "s", "D", isTrue},
		{`regexp_like(event_name, '^(?:Create|Run)')`, "s", "RunInstances", isTrue},
		{`regexp_like(event_name, '^(?:Create|Run)')`, "s", "Describe", isFalse},
		{`event_name = 'A' || 'B'`, "s", "A", unknown},
		{`event_name = 'A''B'`, "s", "A'B", isTrue},
		{`x BETWEEN 1 AND 2 AND event_name = 'A'`, "s", "B", isFalse},
		{`CASE WHEN event_name = 'A' OR true THEN 1 ELSE 0 END = 1`, "s", "B", unknown},
		{`(CASE WHEN event_name = 'A' THEN 1 ELSE 0 END + 1 >= 1)`, "s", "B", unknown},
		{`(source_id, record_index) IN (SELECT 1, 2 FROM events WHERE event_name = 'A')`, "s", "B", unknown},
		{`coalesce(event_name = 'A', true)`, "s", "B", unknown},
		{`(event_name = 'A') = false`, "s", "B", unknown},
		{`(event_name = 'A') IS NOT TRUE`, "s", "B", unknown},
		{`event_name = 'A' -- AND`, "s", "B", unknown},
		{`event_name IS DISTINCT FROM 'A'`, "s", "A", unknown},
		{`event_category = 'Data'`, "s", "A", unknown},
		{`true AND false`, "s", "A", isFalse},
		{`event_name = 'A' )`, "s", "B", unknown},
	} {
		f := facet{source: text(tc.source), name: text(tc.name)}
		if got := facetTest(tc.condition)(&f); got != tc.want {
			t.Errorf("%s of %s %s is %v, want %v", tc.condition, tc.source, tc.name, got, tc.want)
		}
	}
}

func TestConditionWithinFacets(t *testing.T) {
	all := []facet{
		{source: sql.NullString{String: "s", Valid: true}, name: sql.NullString{String: "A", Valid: true}},
		{source: sql.NullString{String: "s", Valid: true}, name: sql.NullString{String: "B", Valid: true}},
		{},
	}
	for _, tc := range []struct {
		condition string
		reached   []int
		want      string
	}{
		{`(lower(event_source) = 's' AND lower(event_name) = 'a' AND user_agent = 'x')`, []int{0}, `((user_agent = 'x'))`},
		{`event_source = 's' AND event_name = 'A' AND (a OR b)`, []int{0, 1}, `((event_name = 'A') AND (a OR b))`},
		{`event_name IN ('A', 'B')`, []int{0, 1}, `true`},
		{`event_name IN ('A', 'B')`, []int{0, 2}, `(event_name IN ('A', 'B'))`},
		{`event_name = 'A' -- AND x`, []int{0}, `(event_name = 'A' -- AND x)`},
	} {
		if got := (Rule{Where: tc.condition}).within(all, tc.reached); got != tc.want {
			t.Errorf("%s is %s, want %s", tc.condition, got, tc.want)
		}
	}
	r := Rule{Where: `event_name = 'A'`, Outcomes: []Outcome{Denied}}
	if got, want := r.within(all, []int{0}), "true\n    AND outcome IN ('denied')"; got != want {
		t.Errorf("condition is %q, want %q", got, want)
	}
}

func TestConjuncts(t *testing.T) {
	for _, tc := range []struct{ condition, want string }{
		{`a = 1 AND b IN (1, 2) AND (c OR d)`, `a = 1|b IN (1, 2)|(c OR d)`},
		{`a = 1 AND b OR c`, `a = 1 AND b OR c`},
		{`a BETWEEN 1 AND 2 AND b`, `a BETWEEN 1 AND 2|b`},
		{`CASE WHEN a AND b THEN c END AND d`, `CASE WHEN a AND b THEN c END|d`},
		{`a = 'x AND y' AND b`, `a = 'x AND y'|b`},
		{`a -- b`, ``},
	} {
		var got []string
		for _, c := range conjuncts(tc.condition) {
			got = append(got, strings.TrimSpace(c))
		}
		if fmt.Sprint(strings.Join(got, "|")) != tc.want {
			t.Errorf("%s is %q, want %q", tc.condition, got, tc.want)
		}
	}
}

func TestInnerConjuncts(t *testing.T) {
	for _, tc := range []struct{ condition, want string }{
		{`a = 1 AND (c OR d)`, `a = 1|c OR d`},
		{`((a AND f(b)) AND NOT coalesce(c AND d, false))`, `a|f(b)|NOT coalesce(c AND d, false)`},
		{`(a) AND (b)`, `a|b`},
		{`(a AND b) = c`, `(a AND b) = c`},
		{`f(a AND b)`, `f(a AND b)`},
		{`a IN (b)`, `a IN (b)`},
		{`(SELECT a)`, `(SELECT a)`},
		{`()`, `()`},
		{`(a -- b)`, ``},
	} {
		var got []string
		for _, c := range innerConjuncts(tc.condition) {
			got = append(got, strings.TrimSpace(c))
		}
		if strings.Join(got, "|") != tc.want {
			t.Errorf("%s is %q, want %q", tc.condition, got, tc.want)
		}
	}
}
