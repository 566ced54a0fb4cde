package query

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func openTemp(t *testing.T) *Case {
	t.Helper()
	c, err := Open(context.Background(), filepath.Join(t.TempDir(), "case.duckdb"), Options{Mode: Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestOpenCreatesPrivateFile(t *testing.T) {
	c := openTemp(t)
	info, err := os.Stat(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode is %o, want 600", got)
	}
}

func TestEventsHasTheColumnsOfTheSchema(t *testing.T) {
	c := openTemp(t)
	rows, err := c.DB.Query(`SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'events' ORDER BY ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []Column
	for rows.Next() {
		var col Column
		if err := rows.Scan(&col.Name, &col.Type); err != nil {
			t.Fatal(err)
		}
		got = append(got, col)
	}
	if want := slices.Concat(EventColumns, DerivedColumns); !slices.Equal(got, want) {
		t.Errorf("events has the columns\n%v, want\n%v", got, want)
	}
}

// TestOpenWaitsForTheMaker opens a file that another process has begun to make.
func TestOpenWaitsForTheMaker(t *testing.T) {
	dir := t.TempDir()
	made, path := filepath.Join(dir, "made"), filepath.Join(dir, "case")
	c, err := Open(t.Context(), made, Options{Mode: Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		time.Sleep(200 * time.Millisecond)
		done <- os.WriteFile(path, whole, 0o600)
	}()
	c, err = Open(t.Context(), path, Options{Mode: ReadOnly})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.duckdb")
	db, err := sql.Open("duckdb", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE t (i INTEGER)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	older := filepath.Join(dir, "older.duckdb")
	if db, err = sql.Open("duckdb", older); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE case_info (schema_version INTEGER, created_by VARCHAR); INSERT INTO case_info VALUES (0, 'trailscan 0')`); err != nil {
		t.Fatal(err)
	}
	db.Close()

	text, err := os.ReadFile(older)
	if err != nil {
		t.Fatal(err)
	}
	cut := write("cut", string(text[:len(text)/2]))

	for _, tc := range []struct {
		name, path string
		mode       Mode
		want       error
	}{
		{"missing", filepath.Join(dir, "none"), ReadOnly, nil},
		{"text file", write("text", "this is no database, and long enough to be read as a header of one"), ReadWrite, ErrNotCase},
		{"empty file", write("empty", ""), ReadOnly, ErrNotCase},
		{"case cut short", cut, ReadOnly, ErrNotCase},
		{"directory", dir, Create, ErrNotCase},
		{"another DuckDB database", foreign, ReadOnly, ErrNotCase},
		{"another version", older, ReadWrite, ErrVersion},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Open(ctx, tc.path, Options{Mode: tc.mode})
			if err == nil {
				c.Close()
				t.Fatal("opened")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error is %q, want %q", err, tc.want)
			}
			t.Log(err)
		})
	}
}

// TestOpenFinishesWhatWasNotMade opens a database that has no relations yet: its
// maker was killed, or another process is ahead in making it.
func TestOpenFinishesWhatWasNotMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "case.duckdb")
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CHECKPOINT`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if c, err := Open(context.Background(), path, Options{Mode: ReadOnly}); !errors.Is(err, ErrNotCase) {
		t.Errorf("opened for reading: %v, %v", c, err)
	}
	for range 2 {
		c, err := Open(context.Background(), path, Options{Mode: Create})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := c.DB.QueryRow(`SELECT count(*) FROM case_info`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows of case_info: %v", n, err)
		}
		c.Close()
	}
}

func TestOpenOddNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{":memory:", "a:b", "md:x", "a b ü", "a%20b"} {
		c, err := Open(context.Background(), name, Options{Mode: Create})
		if err != nil {
			t.Error(err)
			continue
		}
		c.Close()
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"a?b", "a#b", "a%zz"} {
		if c, err := Open(context.Background(), name, Options{Mode: Create}); err == nil {
			c.Close()
			t.Errorf("opened %s", name)
		}
	}
}

func TestDialect(t *testing.T) {
	c := openTemp(t)
	for _, tc := range []struct{ sql, want string }{
		{`json_extract_scalar('{"a":"x"}', '$.a')`, "x"},
		{`json_extract_scalar('{"a":1}', '$.a')`, "1"},
		{`json_extract_scalar('{"a":true}', '$.a')`, "true"},
		{`json_extract_scalar('{"a":[1]}', '$.a')`, "NULL"},
		{`json_extract_scalar('{"a":{"b":1}}', '$.a')`, "NULL"},
		{`json_extract_scalar('{"a":null}', '$.a')`, "NULL"},
		{`json_extract_scalar('{"a":{"b":["x","y"]}}', '$.a.b[1]')`, "y"},
		{`json_extract_scalar('not json', '$.a')`, "NULL"},
		{`json_extract_scalar('{"a":"{\"b\":1}"}', '$.a')`, `{"b":1}`},
		{`json_extract_scalar('{"a":"null"}', '$.a')`, "null"},
		{`json_extract_scalar('{"a":"\u00e9\n"}', '$.a')`, "é\n"},
		{`json_extract_scalar('{"a":1e400}', '$.a')`, "1e400"},
		{`json_extract_scalar(NULL, '$.a')`, "NULL"},
		{`json_format(json_parse('{ "a": ["\u002a", "\u00e9\""] }'))`, `{"a":["*","é\""]}`},
		{`try(json_parse('{'))`, "NULL"},
		{`json_format(json_extract('{"a":{"b": "\u002a"}}', '$.a'))`, `{"b":"*"}`},
		{`json_format(json_extract('{"a":1}', '$.b'))`, "NULL"},
		{`date_diff('minute', TIMESTAMP '2026-01-01 00:00:59', TIMESTAMP '2026-01-01 00:01:01')`, "0"},
		{`date_diff('hour', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-02 01:59:59')`, "25"},
		{`regexp_like('arn:aws:iam', 'aws.*iam')`, "true"},
		{`cardinality(['a','b'])`, "2"},
		{`json_values('{"a":"x"}', 'a')`, "[x]"},
		{`json_values('{"a":7}', 'a')`, "[7]"},
		{`json_values('{"a":null}', 'a')`, "[]"},
		{`json_values('{"b":"\"a\""}', 'a')`, "[]"},
		{`json_values('{"b":{"a":1}}', 'a')`, "[]"},
		{`json_values('{"a":{"b":[{"c":1},{"c":["x","y"]},{"d":2},3]}}', 'a', 'b', 'c')`, `[1, '["x","y"]', x, y]`},
		{`json_values('{"a.b":{"c-d":1}}', 'a.b', 'c-d')`, "[1]"},
		{`json_values('{"a":{"p":"{\"E\":\"A\"}"}}', 'a')[2]`, `{"p":"{"E":"A"}"}`},
		{`json_values('{"p":"{\\\"E"}')[3]`, `{"p":"{"E"}`},
		{`json_values('[{"ARN":"x"},{"ARN":"y"}]', 'ARN')`, "[x, y]"},
		{`json_values('"x"')`, "[x]"},
		{`json_values('{"a":1}')`, `['{"a":1}']`},
		{`json_values('{"a":"\u003cx"}')`, `['{"a":"<x"}']`},
		{`json_values('not json with "a"', 'a')`, "[]"},
		{`json_values(NULL, 'a')`, "[]"},
		{`json_values(NULL)`, "[]"},
		{`json_members('{"a":{"b":null}}', 'a', 'b')`, "[null]"},
		{`json_members('{"a":{"c":null}}', 'a', 'b')`, "[]"},
		{`json_members(NULL, 'a', 'b')`, "[]"},
	} {
		t.Run(tc.sql, func(t *testing.T) {
			var got string
			if err := c.DB.QueryRow(`SELECT coalesce(CAST(` + tc.sql + ` AS VARCHAR), 'NULL')`).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
