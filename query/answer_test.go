package query_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
	"trailscan/query/trino"
)

// readable is the path of a case with n events.
func readable(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "case.duckdb")
	c, err := query.Open(context.Background(), path, query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, source_id, record_index)
		SELECT 'e' || i, TIMESTAMP '2026-09-14' + INTERVAL 1 MINUTE * i, 's3.amazonaws.com', 'GetObject', 1, i FROM range(?) r(i)`, n)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func openAs(t testing.TB, path string, mode query.Mode, access query.Access) *query.Case {
	t.Helper()
	c, err := query.Open(context.Background(), path, query.Options{Mode: mode, Access: access})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask runs a statement and gives its rows as text.
func ask(c *query.Case, text string, params map[string]string) (string, error) {
	_, st, _ := query.Statements(text)
	return run(c, *st, params)
}

func run(c *query.Case, st query.Statement, params map[string]string) (string, error) {
	a, err := c.Run(context.Background(), st, params)
	if err != nil {
		return "", err
	}
	defer a.Close()
	if a.Did != "" {
		return a.Summary(), nil
	}
	var rows []string
	for a.Next() {
		var cells []string
		for _, v := range a.Values() {
			if at, ok := v.(time.Time); ok {
				v = at.UTC().Format("2006-01-02 15:04:05")
			}
			cells = append(cells, fmt.Sprint(v))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return strings.Join(rows, "\n"), a.Err()
}

func TestRun(t *testing.T) {
	c := openAs(t, readable(t, 50_000), query.ReadOnly, query.Confined)
	for _, tc := range []struct {
		sql    string
		params map[string]string
		want   string
	}{
		{`SELECT count(*), min(event_id) FROM events`, nil, "50000|e0"},
		{`SELECT count(*) FROM events WHERE event_time >= $since AND event_name = $name`, map[string]string{"since": "2026-09-15", "NAME": "GetObject"}, "48560"},
		{`SELECT count(*) FROM events WHERE event_time >= CAST($since AS TIMESTAMP)`, map[string]string{"since": "2026-09-15T00:00:00Z"}, "48560"},
		{`SELECT event_id FROM events WHERE event_name = $name ORDER BY event_time LIMIT $n`, map[string]string{"n": "2", "name": "GetObject"}, "e0\ne1"},
		{`SELECT $name`, map[string]string{"name": `'; DROP TABLE records; --`}, `'; DROP TABLE records; --`},
		{`SELECT ?, ?`, map[string]string{"1": "a", "2": "b"}, "a|b"},
		{`SELECT CAST($n AS INTEGER) + 1`, map[string]string{"n": "41"}, "42"},
		{`SELECT 1 AS a, 2 AS a`, nil, "1|2"},
		{`SELECT NULL, [], {'a': 1}`, nil, "<nil>|[]|map[a:1]"},
		{`SELECT json_parse('{"b":1,"a":2}')`, nil, `{"b":1,"a":2}`},
		{`VALUES (1), (2)`, nil, "1\n2"},
		{`CREATE TEMP TABLE mine AS SELECT 7 AS n`, nil, "CREATE: 1 row"},
		{`FROM mine`, nil, "7"},
		{`DESCRIBE mine`, nil, "n|INTEGER|YES|<nil>|<nil>|<nil>"},
		{`SELECT json_extract_scalar('{"a":"x"}', '$.a')`, nil, "x"},
	} {
		got, err := ask(c, tc.sql, tc.params)
		if err != nil || tc.want != "" && got != tc.want {
			t.Errorf("%s: %q, %v", tc.sql, got, err)
		}
	}
	// An answer that is longer than a page comes whole and in order.
	_, st, _ := query.Statements(`SELECT event_id FROM events ORDER BY event_time`)
	a, err := c.Run(context.Background(), *st, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	n := 0
	for ; a.Next(); n++ {
		if got := a.Values()[0]; got != fmt.Sprint("e", n) {
			t.Fatalf("row %d is %v", n, got)
		}
	}
	if n != 50_000 || a.Err() != nil {
		t.Errorf("%d rows: %v", n, a.Err())
	}
}

// TestRunConfined tries what SQL could do to the machine or the case.
func TestRunConfined(t *testing.T) {
	path := readable(t, 1)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []query.Mode{query.ReadOnly, query.ReadWrite} {
		c := openAs(t, path, mode, query.Confined)
		for _, sql := range []string{
			`FROM read_csv('SECRET')`, `FROM 'SECRET'`, `FROM read_text('SECRET')`, `FROM read_blob('SECRET')`, `FROM glob('DIR/*')`,
			`FROM sniff_csv('SECRET')`, `FROM read_json('SECRET')`, `FROM read_parquet('SECRET')`, `FROM parquet_metadata('SECRET')`,
			`COPY (SELECT 1) TO 'DIR/out.csv'`, `COPY rejects FROM 'SECRET'`, `EXPORT DATABASE 'DIR/out'`, `IMPORT DATABASE 'DIR'`,
			`ATTACH 'DIR/other.duckdb'`, `ATTACH 'case.duckdb' AS c`, `INSTALL httpfs`, `LOAD httpfs`, `FROM 'https://example.com/x.csv'`, `FROM 's3://b/x.parquet'`,
			`CREATE PERSISTENT SECRET s (TYPE http)`, `SET enable_external_access = true`, `SET lock_configuration = false`, `RESET enable_external_access`,
			`SET threads = 1`, `SET TimeZone = 'Europe/Berlin'`, `SET temp_directory = 'DIR'`, `SET home_directory = 'DIR'`, `PRAGMA profiling_output = 'DIR/out'`,
			`CALL enable_logging(storage = 'file', storage_path = 'DIR/out')`, `FROM "enable_logging"()`, `PRAGMA enable_profiling`, `CALL enable_profiling()`,
			`SELECT getenv('HOME')`, `UPDATE EXTENSIONS`,
		} {
			sql = strings.NewReplacer("SECRET", secret, "DIR", dir).Replace(sql)
			if got, err := ask(c, sql, nil); err == nil {
				t.Errorf("%s gives %s", sql, got)
			} else if strings.Contains(err.Error(), "exception") {
				t.Errorf("%s: %v", sql, err)
			}
		}
		if got, err := ask(c, `SELECT count(*) FROM events`, nil); got != "1" {
			t.Errorf("afterwards: %s, %v", got, err)
		}
		for _, sql := range []string{`DELETE FROM lists`, `DROP VIEW events`, `CREATE TABLE t (i INTEGER)`, `INSERT INTO lists VALUES ('a', 'b')`, `UPDATE lists SET name = 'x'`} {
			if mode == query.ReadWrite {
				break
			}
			if _, err := ask(c, sql, nil); err == nil || !strings.Contains(err.Error(), "--write") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", sql, err)
			}
		}
		c.Close()
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v are in the folder: %v", entries, err)
	}
	c := openAs(t, path, query.ReadOnly, query.External)
	if got, err := ask(c, fmt.Sprintf(`SELECT a + b FROM read_csv('%s')`, secret), nil); got != "3" || err != nil {
		t.Errorf("with external access: %s, %v", got, err)
	}
}

func TestRunErrors(t *testing.T) {
	c := openAs(t, readable(t, 10), query.ReadOnly, query.Confined)
	for _, tc := range []struct {
		name, text, want string
		params           map[string]string
	}{
		{"syntax", "\n-- why\nSELECT *\n\tFORM  events", `syntax error at or near "events"
line 4:  FORM  events
               ^`, nil},
		{"end", "SELECT (1", `syntax error at end of input
line 1: SELECT (1
                 ^`, nil},
		{"column", "SELECT 'ü', nope FROM lists", `Referenced column "nope" not found in FROM clause! Candidate bindings: "name"
line 1: SELECT 'ü', nope FROM lists
                    ^`, nil},
		{"table", "SELECT 1 FROM event", `Table with name event does not exist! Did you mean "events"?
line 1: SELECT 1 FROM event
                      ^`, nil},
		{"missing parameter", "SELECT $a, $b", "the statement on line 1 needs a value for $b (given are a): add --param b=VALUE", map[string]string{"a": "x"}},
		{"no parameter", "SELECT $a", "the statement on line 1 needs a value for $a (none is given): add --param a=VALUE", nil},
		{"wrong number", "SELECT 1 LIMIT $a", "--param a=x: the statement needs a whole number there", map[string]string{"a": "x"}},
		{"wrong time", "FROM events WHERE event_time > $a", "--param a=x: the statement needs a time (2026-09-28T14:00:00Z) or a date (2026-09-28) there", map[string]string{"a": "x"}},
		{"while it runs", "SELECT CAST(event_name AS INTEGER) FROM events", "Could not convert string 'GetObject' to INT32 when casting from source column event_name\n" +
			"line 1: SELECT CAST(event_name AS INTEGER) FROM events\n" +
			"               ^", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := ask(c, tc.text, tc.params); err == nil || err.Error() != tc.want {
				t.Errorf("error is\n%v", err)
			}
		})
	}
	long := "SELECT " + strings.Repeat("1 + ", 200) + "nope" + strings.Repeat(" + 1", 200)
	_, err := ask(c, long, nil)
	var e *query.SQLError
	if !errors.As(err, &e) || len(e.Source) > 120 || !strings.HasPrefix(string([]rune(e.Source)[e.Column:]), "nope") {
		t.Errorf("in a long line: %v", err)
	}
	// A translation reports the place in the text that the user wrote.
	_, st, _ := query.Statements("SELECT 1 FROM $EDS_ID\nWHERE nope = 1")
	if _, err := c.Run(t.Context(), st.Translated(trino.Options{}), nil); !errors.As(err, &e) || e.Line != 2 || e.Column != 6 {
		t.Errorf("of a translated text: %v", err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	c := openAs(t, readable(t, 10), query.ReadOnly, query.Confined)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, st, _ := query.Statements(`SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b`)
	began := time.Now()
	if _, err := c.Run(ctx, *st, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	if got, err := ask(c, `SELECT count(*) FROM events`, nil); got != "10" {
		t.Errorf("afterwards: %s, %v", got, err)
	}
}

func TestRunChangesTheCase(t *testing.T) {
	path := readable(t, 3)
	c := openAs(t, path, query.ReadWrite, query.Confined)
	if got, err := ask(c, `DELETE FROM records WHERE record_index = 1`, nil); got != "DELETE: 1 row" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	c.Close()
	c = openAs(t, path, query.ReadOnly, query.Confined)
	if got, err := ask(c, `SELECT count(*) FROM events`, nil); got != "2" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestHoldsSecret(t *testing.T) {
	for text, want := range map[string]bool{
		`SELECT * FROM events WHERE access_key_id = 'AKIAIOSFODNN7EXAMPLE'`:            false,
		`SELECT * FROM events WHERE event_id = '00000000-0000-0000-0000-000000000000'`: false,
		`SELECT 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'`:                            true,
		`SELECT '` + strings.Repeat("FwoGZXIvYXdzE", 10) + `'`:                         true,
		`SELECT 'x' WHERE url = 'https://a?X-Amz-Signature=abcdef'`:                    true,
		`SELECT '{"password":"hunter2"}'`:                                              true,
		`SELECT count(*) FROM events WHERE event_name LIKE '%Password%'`:               false,
	} {
		if got := query.HoldsSecret(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
