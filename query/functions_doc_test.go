package query_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/query"
	"trailscan/query/trino"
)

var update = flag.Bool("update", false, "rewrite the results in docs/query.md")

// The examples of docs/query.md give what it says, and every function that we
// make is among them.
func TestDocumentedFunctions(t *testing.T) {
	c, err := query.Open(t.Context(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const path = "../docs/query.md"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(doc), "\n")
	from, known, section := "", []string{}, ""
	_, functions, _ := strings.Cut(string(doc), "## Functions")
	first := len(lines) - strings.Count(functions, "\n") - 1
	for i, line := range lines {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			section = heading
			from = ""
			if section == "Aggregates" {
				from = " FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, v)"
			}
			if section == "Over the views" {
				from = " FROM (SELECT count(*) FROM cloudtrail_logs)"
			}
		}
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		if i < first || len(cells) != 5 || !strings.Contains(cells[2], "`") {
			continue
		}
		cell := func(i int) string {
			return strings.Trim(strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|"), "`")
		}
		known = append(known, cell(1))
		got, err := example(t.Context(), c, cell(2)+" AS x"+from)
		if err != nil {
			t.Errorf("%s: %v", cell(2), err)
			continue
		}
		if *update {
			cells[3] = " `" + strings.ReplaceAll(got, "|", `\|`) + "` "
			lines[i] = strings.ReplaceAll(strings.Join(cells, "|"), "\x00", `\|`)
		} else if want := cell(3); got != want {
			t.Errorf("%s gives %s, want %s", cell(2), got, want)
		}
	}
	for _, name := range trino.Functions() {
		if !slices.Contains(known, name) {
			t.Errorf("%s has no example in %s", name, path)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// example is the value of a SELECT of one, as text.
func example(ctx context.Context, c *query.Case, sql string) (string, error) {
	s := trino.Rewrite("SELECT "+sql, trino.Options{})
	var text string
	err := c.DB.QueryRowContext(ctx, "SELECT coalesce(CAST(x AS VARCHAR), 'NULL') FROM ("+s.SQL+")").Scan(&text)
	if err != nil {
		return "", err
	}
	return text, nil
}
