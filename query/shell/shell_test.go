package shell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// typed is a person who types these lines; one that is ^C interrupts. before is
// called ahead of each line.
type typed struct {
	lines      []string
	prompts    []string
	remembered []string
	before     func(line string)
}

func (p *typed) Line(prompt string) (string, error) {
	p.prompts = append(p.prompts, prompt)
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	if p.before != nil {
		p.before(line)
	}
	if line == "^C" {
		return "", ErrInterrupted
	}
	return line, nil
}

func (p *typed) Remember(s string) { p.remembered = append(p.remembered, s) }

func newCase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "case.duckdb")
	c, err := query.Open(context.Background(), path, query.Options{Mode: query.Create})
	if err != nil {
		t.Fatal(err)
	}
	casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, aws_region, access_key_id, source_id, record_index) VALUES
		('e1', TIMESTAMP '2026-09-14', 's3.amazonaws.com', 'GetObject', 'eu-west-1', 'AKIA1', 1, 0),
		('e2', TIMESTAMP '2026-09-15', 'iam.amazonaws.com', 'ListUsers', 'us-east-1', 'AKIA2', 1, 1)`)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// session runs a shell on what is typed and gives what it shows.
func session(t *testing.T, path string, p *typed, change func(*Shell)) string {
	t.Helper()
	var out bytes.Buffer
	s := &Shell{
		Lines: p, Out: &out, Err: &out, Modes: []string{"table", "csv"},
		Clean: func(s string) string { return s }, Height: func() int { return 24 },
		Open: func(ctx context.Context, st query.Statement) (*query.Case, error) {
			return query.Open(ctx, path, query.Options{Access: query.Confined})
		},
		Write: func(w io.Writer, mode string, a *query.Answer) error {
			for a.Next() {
				fmt.Fprintln(w, mode, a.Values())
			}
			return a.Err()
		},
	}
	if change != nil {
		change(s)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Error(err)
	}
	return out.String()
}

func TestShell(t *testing.T) {
	path := newCase(t)
	file := filepath.Join(t.TempDir(), "two.sql")
	if err := os.WriteFile(file, []byte("SELECT 'one';\nSELECT 'two'"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"over lines", []string{"SELECT event_id", "", "FROM events -- all;", "ORDER BY 1;"}, "table [e1]\ntable [e2]\n"},
		{"several on a line", []string{"SELECT 1; SELECT 2; SELECT", "3;"}, "table [1]\ntable [2]\ntable [3]\n"},
		{"given up", []string{"SELECT nonsense", "^C", "SELECT 1;"}, "table [1]\n"},
		{"no semicolon", []string{"SELECT 1"}, "the last statement has no semicolon at its end and was not run\n"},
		{"an error does not end it", []string{"SELECT nope;", "SELECT 1;"}, "Referenced column \"nope\" was not found because the FROM clause is missing\nline 1: SELECT nope\n               ^\ntable [1]\n"},
		{"a write", []string{"DELETE FROM records;"}, "the case is open read-only, and DELETE would change it: add --write\n"},
		{"mode", []string{".mode csv", "SELECT 1;", ".mode nope", ".mode parquet", ".mode"}, "csv [1]\n.mode needs one of table, csv\n.mode parquet: that is for files: `trailscan query -o FILE.parquet` writes one\ncsv (there are table, csv)\n"},
		{"schema", []string{".schema case_info"}, "table [schema_version INTEGER]\ntable [created_by VARCHAR]\n"},
		{"parameters", []string{".param id=e2", "SELECT event_name FROM events WHERE event_id = $id;", ".param", ".param id", "SELECT $id;"},
			"table [ListUsers]\n$id = e2\nthe statement on line 1 needs a value for $id (none is given): add --param id=VALUE\n"},
		{"saved", []string{".run key-summary key=AKIA1", ".run key-summary", ".run nope"}, "table [s3.amazonaws.com GetObject 1 0 2026-09-14 00:00:00 +0000 UTC 2026-09-14 00:00:00 +0000 UTC 0]\n" +
			"key-summary needs --param key=AKIAIOSFODNN7EXAMPLE (the access key id)\nno saved investigation is called nope: .saved lists them\n"},
		{"file", []string{".read " + file}, "table [one]\ntable [two]\n"},
		{"unknown", []string{".nope", ".timing maybe"}, ".nope is unknown: .help lists what there is\n.timing needs on or off\n"},
		{"quit", []string{".quit", "SELECT 1;"}, ""},
		{"temporary", []string{"CREATE TEMP TABLE t AS SELECT 1;"}, "CREATE: 1 row (lasts until the case is closed, which in the shell is now)\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := session(t, path, &typed{lines: tc.lines}, nil); got != tc.want {
				t.Errorf("shows\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
	p := &typed{lines: []string{".timing on", "SELECT 1", " -- why", ";", ".tables", ".saved", ".help"}}
	out := session(t, path, p, nil)
	for _, want := range []string{"Time: 0.", "[events view]", "[records table]", "key-activity", "Ctrl-D ends the shell"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not shown in\n%s", want, out)
		}
	}
	if !slices.Contains(p.remembered, "SELECT 1;") || p.prompts[2] != promptMore {
		t.Errorf("remembers %q after %q", p.remembered, p.prompts)
	}
}

// TestShellHoldsNoLock writes to the case between statements.
func TestShellHoldsNoLock(t *testing.T) {
	path := newCase(t)
	writes := 0
	p := &typed{lines: []string{"SELECT count(*) FROM lists;", "SELECT count(*) FROM lists;", "SELECT count(*) FROM lists;"}}
	p.before = func(string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c, err := query.Open(ctx, path, query.Options{Mode: query.ReadWrite})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.DB.Exec(`INSERT INTO lists VALUES ('a', 'b')`); err != nil {
			t.Fatal(err)
		}
		writes++
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := session(t, path, p, nil); got != "table [1]\ntable [2]\ntable [3]\n" {
		t.Errorf("after %d writes it shows\n%s", writes, got)
	}
}

func TestShellInterrupt(t *testing.T) {
	interrupts := make(chan os.Signal, 1)
	p := &typed{lines: []string{"SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b;", "SELECT 7;"}}
	p.before = func(line string) {
		if strings.Contains(line, "range") {
			time.AfterFunc(500*time.Millisecond, func() { interrupts <- os.Interrupt })
		}
	}
	got := session(t, newCase(t), p, func(s *Shell) { s.Interrupts = interrupts })
	if got != "interrupted\ntable [7]\n" {
		t.Errorf("shows\n%s", got)
	}
}

func TestShellPager(t *testing.T) {
	path := newCase(t)
	var paged []string
	p := &typed{lines: []string{"SELECT * FROM range(5);", "SELECT * FROM range(100);", "SELECT repeat('x', 1000) FROM range(100000);", "SELECT 1;"}}
	got := session(t, path, p, func(s *Shell) {
		s.Pager = func(text io.Reader) error {
			// The case is free while somebody reads what is short enough.
			if len(paged) == 0 {
				c, err := query.Open(context.Background(), path, query.Options{Mode: query.ReadWrite})
				if err != nil {
					return err
				}
				c.Close()
			}
			line := make([]byte, 9)
			_, err := io.ReadFull(text, line)
			paged = append(paged, string(line))
			return err
		}
	})
	if want := "table [0]\ntable [1]\ntable [2]\ntable [3]\ntable [4]\ntable [1]\n"; got != want {
		t.Errorf("shows\n%s", got)
	}
	if !slices.Equal(paged, []string{"table [0]", "table [xx"}) {
		t.Errorf("pages %q", paged)
	}

	// Without it, nothing is lost.
	p = &typed{lines: []string{"SELECT * FROM range(100);", "SELECT * FROM range(100);"}}
	got = session(t, path, p, func(s *Shell) {
		s.Pager = func(io.Reader) error { return ErrNoPager }
	})
	if strings.Count(got, "table [99]\n") != 2 || strings.Count(got, ErrNoPager.Error()) != 1 {
		t.Errorf("shows\n%s", got)
	}
}

func TestComplete(t *testing.T) {
	path := newCase(t)
	c := &Completer{Modes: []string{"table", "csv"}, Open: func(ctx context.Context) (*query.Case, error) {
		return query.Open(ctx, path, query.Options{Access: query.Confined})
	}}
	for _, tc := range []struct{ before, after, head, want string }{
		{"sel", "", "", "select"},
		{"SELECT event_na", " FROM", "SELECT ", "event_name"},
		{"SELECT * FROM sour", "", "SELECT * FROM ", "sources sourceIPAddress source_id source_identity source_ip_address source_ips"},
		{"SELECT eventn", "", "SELECT ", "eventname"},
		{"SELECT eventN", "", "SELECT ", "eventName"},
		{"SELECT EVENTN", "", "SELECT ", "eventName"},
		{"WHERE event_name = 'list", "'", "WHERE event_name = '", "ListUsers"},
		{"WHERE aws_region IN ('eu-west-1', 'us", "", "WHERE aws_region IN ('eu-west-1', '", "us-east-1"},
		{".ta", "", "", ".tables"},
		{".mode c", "", ".mode ", "csv"},
		{".schema rej", "", ".schema ", "rejects"},
		{".run key-s", "", ".run ", "key-summary"},
		{".timing o", "", ".timing ", "on off"},
		{"nothing_of_that_name", "", "", ""},
	} {
		head, words, tail := c.Complete(tc.before+tc.after, len([]rune(tc.before)))
		if head != tc.head || strings.Join(words, " ") != tc.want || tail != tc.after {
			t.Errorf("%s: %q %q %q", tc.before, head, words, tail)
		}
	}
}

func TestHistory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	path := HistoryFile()
	h, err := OpenHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"SELECT 1;", "SELECT 1;", " SELECT 'unseen';", "SELECT 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';", "SELECT 2;"} {
		h.Add(s)
	}
	again, err := OpenHistory(path)
	if err != nil || !slices.Equal(again.Items(), []string{"SELECT 1;", "SELECT 2;"}) {
		t.Errorf("%q, %v", again.Items(), err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if path != filepath.Join(dir, "trailscan", "history") {
		t.Errorf("lies at %s", path)
	}
}
