package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/scenario"
	"trailscan/query"
)

// event is a whole record with the id, and with more members, each as
// `"name":value`.
func event(id string, more ...string) string {
	members := append([]string{
		`"eventVersion":"1.09"`, `"userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"ana"}`,
		`"eventTime":"2026-03-01T10:00:00Z"`, `"eventSource":"iam.amazonaws.com"`, `"eventName":"ListUsers"`,
		`"awsRegion":"us-east-1"`, `"eventID":"` + id + `"`, `"recipientAccountId":"111122223333"`,
	}, more...)
	return "{" + strings.Join(members, ",") + "}"
}

func gzipped(parts ...string) string {
	var b bytes.Buffer
	for _, part := range parts { // a gzip member each
		w := gzip.NewWriter(&b)
		w.Write([]byte(part))
		w.Close()
	}
	return b.String()
}

func newCase(tb testing.TB) *query.Case {
	tb.Helper()
	return openCase(tb, filepath.Join(tb.TempDir(), "case.duckdb"), 0)
}

func openCase(tb testing.TB, path string, threads int) *query.Case {
	tb.Helper()
	c, err := query.Open(context.Background(), path, query.Options{Mode: query.Create, Threads: threads})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// write writes files, by name, into a new folder.
func write(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func load(tb testing.TB, c *query.Case, sources ...string) *Summary {
	tb.Helper()
	s, err := Load(context.Background(), c, sources, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// dump is the rows of a query as text.
func dump(tb testing.TB, c *query.Case, sql string) []string {
	tb.Helper()
	rows, err := c.DB.Query(sql)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	var out []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		text := make([]string, len(values))
		for i, v := range values {
			text[i] = fmt.Sprint(v)
		}
		out = append(out, strings.Join(text, "|"))
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestFormats(t *testing.T) {
	a, b := event("a"), event("b")
	pretty := func(s string) string {
		return strings.NewReplacer(`{`, "{\n  ", `,"`, ",\n  \"", `":`, `": `).Replace(s)
	}
	for _, tc := range []struct {
		name, content, format string
		records               int64
	}{
		{"records", `{"Records":[` + a + `,` + b + `]}`, formatRecords, 2},
		{"records, pretty", pretty(`{"Records":[` + a + `,` + b + `]}`), formatRecords, 2},
		{"records after other members", `{"NextToken":"x","Owner":{"a":[1]},"Records":[` + a + `],"More":1}`, formatRecords, 1},
		{"records gzipped", gzipped(`{"Records":[` + a + `,` + b + `]}`), formatRecords, 2},
		{"several gzip members", gzipped(`{"Records":[`+a, `,`+b+`]}`), formatRecords, 2},
		{"no records", `{"Records":[]}`, formatRecords, 0},
		{"two wrapped arrays", `{"Records":[` + a + "]}\n" + `{"Records":[` + b + `]}`, formatRecords, 2},
		{"lines", a + "\n" + b + "\n", formatNDJSON, 2},
		{"lines with CRLF and blank ones", a + "\r\n\r\n" + b, formatNDJSON, 2},
		{"pretty objects one after another", pretty(a) + "\n" + pretty(b), formatNDJSON, 2},
		{"array", `[` + a + `,` + b + `]`, formatArray, 2},
		{"object", a, formatObject, 1},
		{"object with an unknown first member", `{"p_source":"x",` + a[1:], formatObject, 1},
		{"byte order mark", "\ufeff" + a, formatObject, 1},
		{"white space first", strings.Repeat(" \n", 900) + a, formatObject, 1},
		{"digest", `{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T10:00:00Z","logFiles":[]}`, formatDigest, 0},
		{"large record", `{"Records":[` + event("a", `"requestParameters":{"x":"`+strings.Repeat("y", 20<<20)+`"}`) + `]}`, formatRecords, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCase(t)
			dir := write(t, map[string]string{"logs.bin": tc.content})
			s, err := Load(context.Background(), c, []string{dir}, Options{})
			if tc.records == 0 {
				if !errors.Is(err, ErrNothingReadable) {
					t.Errorf("error is %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if s.Records != tc.records || s.Rejected != 0 || len(s.Unreadable) != 0 {
				t.Errorf("summary %+v", s)
			}
			sum := sha256.Sum256([]byte(tc.content))
			want := fmt.Sprintf("%s|%s|%d|%d|loaded", tc.format, hex.EncodeToString(sum[:]), len(tc.content), tc.records)
			if got := dump(t, c, `SELECT format, sha256, bytes, records, status FROM sources`); len(got) != 1 || got[0] != want {
				t.Errorf("sources %q, want %q", got, want)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	a, b, d := event("a"), event("b"), event("d")
	whole := gzipped(`{"Records":[` + a + `,` + strings.Repeat(b+",", 300) + d + `]}`)
	broken := strings.Replace(b, `"eventName":`, `"eventName"`, 1)
	for _, tc := range []struct {
		name, content string
		ids           string // of the events loaded
		reasons       []string
		status        string
	}{
		{"truncated gzip", whole[:len(whole)-60], "a,b", []string{"truncated gzip"}, statusDamaged},
		{"truncated gzip header", whole[:5], "", []string{"truncated gzip"}, statusUnreadable},
		{"damaged gzip", whole[:len(whole)-8] + "12345678", "a,b,d", []string{"damaged gzip"}, statusDamaged},
		{"bytes after gzip", whole + "tail", "a,b,d", []string{"gzip"}, statusDamaged},
		{"broken line", a + "\n" + broken + "\n" + d, "a,d", []string{"broken JSON"}, statusDamaged},
		{"two broken lines", a + "\n" + broken + "\n" + `{"eventVersion":` + "\n" + d, "a,d", []string{"broken JSON", "broken JSON"}, statusDamaged},
		{"garbage line", a + "\nHTTP/1.1 200 OK\n" + d, "a,d", []string{"broken JSON"}, statusDamaged},
		{"broken record in an array", `[` + a + `,` + broken + `,` + d + `]`, "a,d", []string{"broken JSON"}, statusDamaged},
		{"broken record in Records", `{"Records":[` + a + `,` + broken + `,` + d + `]}`, "a,d", []string{"broken JSON"}, statusDamaged},
		{"garbage first line", "HTTP/1.1 200 OK\n" + a + "\n" + d, "a,d", []string{`begins with "HTTP`}, statusDamaged},
		{"beginning lost in a line", b[40:] + "\n" + a + "\n" + d, "a,d", []string{"begins with"}, statusDamaged},
		{"beginning lost in Records", b[40:] + "," + a + "," + d + "]}", "a,d", []string{"begins with", "'}'"}, statusDamaged},
		{"a block of zeros first", strings.Repeat("\x00", 4096) + a, "a", []string{"begins with"}, statusDamaged},
		{"garbage before Records", "note\n" + `{"Records":[` + a + "," + d + "]}", "a,d", []string{"begins with"}, statusDamaged},
		{"missing comma", `{"Records":[` + a + " " + b + "," + d + "]}", "a,b,d", []string{"broken JSON"}, statusDamaged},
		{"two commas", `[` + a + ",," + b + "," + d + "]", "a,b,d", []string{"broken JSON"}, statusDamaged},
		{"lines with commas", a + ",\n" + b + ",\n" + d + ",\n", "a,b,d", []string{"broken JSON", "the text ends"}, statusDamaged},
		{"Records not closed before the next", `{"Records":[` + a + "\n" + `{"Records":[` + b + "," + d + "]}", "a,b,d", []string{"broken JSON"}, statusDamaged},
		{"text ends in a record", `{"Records":[` + a + `,` + b[:60], "a", []string{"the text ends"}, statusDamaged},
		{"not CloudTrail", `{"name":"trailscan","version":1}`, "", []string{"no eventTime, eventSource, eventName"}, statusForeign},
		{"no eventName", `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com"}`, "", []string{"no eventName"}, statusUnreadable},
		{"no time", `{"eventTime":"{{now}}","eventName":"x","eventSource":"y"}`, "", []string{"eventTime is no time"}, statusUnreadable},
		{"no object", `[1,` + a + `,"x",null]`, "a", []string{"no JSON object", "no JSON object", "no JSON object"}, statusDamaged},
		{"S3 notification", `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2026-03-01T10:00:00.000Z"}]}`, "", []string{"notification of aws:s3"}, statusUnreadable},
		{"white space", " \n", "", []string{"white space only"}, statusUnreadable},
		{"empty", "", "", []string{"empty file"}, statusUnreadable},
		{"text", "hello\nworld", "", []string{`begins with "hello"`}, statusForeign},
		{"parquet", "PAR1\x15\x04", "", []string{"Parquet"}, statusUnreadable},
		{"binary", "\x7fELF\x00\x00\xff", "", []string{"binary"}, statusUnreadable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCase(t)
			path := filepath.Join(write(t, map[string]string{"log.json": tc.content}), "log.json")
			s, err := Load(context.Background(), c, []string{path}, Options{})
			if tc.ids != "" && err != nil {
				t.Fatal(err)
			}
			if tc.ids == "" && (!errors.Is(err, ErrNothingReadable) || !strings.Contains(err.Error(), path)) {
				t.Errorf("error is %v", err)
			}
			if got := strings.Join(dump(t, c, `SELECT DISTINCT event_id FROM events ORDER BY 1`), ","); got != tc.ids {
				t.Errorf("loaded %s, want %s", got, tc.ids)
			}
			got := dump(t, c, `SELECT reason FROM rejects ORDER BY record_index`)
			if len(got) != len(tc.reasons) {
				t.Fatalf("rejects %q, want %q", got, tc.reasons)
			}
			for i := range got {
				if !strings.Contains(got[i], tc.reasons[i]) {
					t.Errorf("reason %q, want %q", got[i], tc.reasons[i])
				}
			}
			if got := dump(t, c, `SELECT status FROM sources`); got[0] != tc.status {
				t.Errorf("status %s, want %s", got, tc.status)
			}
			if again, err := Load(context.Background(), c, []string{path}, Options{}); (err == nil) != (tc.ids != "") || again.Records != 0 ||
				len(again.Damaged) != len(s.Damaged) || len(again.Unreadable) != len(s.Unreadable) || len(again.Foreign) != len(s.Foreign) {
				t.Errorf("the second load tells another story: %+v, %v", again, err)
			}
			for status, problems := range map[string][]Problem{
				statusDamaged: s.Damaged, statusUnreadable: s.Unreadable, statusForeign: s.Foreign,
			} {
				if (len(problems) == 1) != (tc.status == status) {
					t.Errorf("%s: summary %+v", status, s)
				}
			}
		})
	}
}

func TestLoadAgainAddsNothing(t *testing.T) {
	c := newCase(t)
	files := map[string]string{"1.json": `[` + event("a") + `,` + event("b") + `]`, "2.json": event("c"), "junk": "x"}
	dir := write(t, files)
	load(t, c, dir)
	const state = `SELECT source_id, record_index, event_id FROM events ORDER BY ALL`
	before, sources := dump(t, c, state), dump(t, c, `SELECT * FROM sources ORDER BY 1`)
	if s := load(t, c, dir); s.AlreadyLoaded != 2 || s.Records != 0 || s.Sources != 0 || s.First.IsZero() {
		t.Errorf("second load: %+v", s)
	}
	if !slices.Equal(before, dump(t, c, state)) || !slices.Equal(sources, dump(t, c, `SELECT * FROM sources ORDER BY 1`)) {
		t.Error("the second load changed the case")
	}
	if s := load(t, c, write(t, files)); s.Sources != 2 || s.Records != 3 || s.Duplicates != 3 || s.Rejected != 0 || len(s.Foreign) != 1 {
		t.Errorf("load from another path: %+v", s)
	}
	if !slices.Equal(before, dump(t, c, state)) {
		t.Error("copies were added")
	}
}

func TestLoadAgainReplacesUnreadable(t *testing.T) {
	const unreadable = "/proc/self/mem" // opens, and then cannot be read
	if _, err := os.Stat(unreadable); err != nil {
		t.Skip("no ", unreadable)
	}
	c := newCase(t)
	path := filepath.Join(write(t, map[string]string{"a": event("a")}), "a")
	for range 3 {
		if s := load(t, c, path, unreadable); len(s.Unreadable) != 1 {
			t.Errorf("%+v", s)
		}
	}
	if got := dump(t, c, `SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM rejects)`); got[0] != "2|1" {
		t.Errorf("sources and rejects: %s", got)
	}
}

func TestStandardInputAgain(t *testing.T) {
	c := newCase(t)
	for i, want := range []Summary{{Sources: 1, Records: 1}, {AlreadyLoaded: 1}} {
		s, err := Load(context.Background(), c, []string{"-"}, Options{Stdin: strings.NewReader(event("a"))})
		if i == 0 && err != nil || s.Sources != want.Sources || s.AlreadyLoaded != want.AlreadyLoaded || s.Records != want.Records {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if got := dump(t, c, `SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM events)`); got[0] != "1|1" {
		t.Errorf("sources and events: %s", got)
	}
}

// TestStopWhileWaiting stops loads of streams that nothing comes through.
func TestStopWhileWaiting(t *testing.T) {
	c := newCase(t)
	stdin, writer := io.Pipe()
	defer writer.Close()
	pipe := filepath.Join(t.TempDir(), "pipe")
	sources := []string{"-"}
	if err := exec.Command("mkfifo", pipe).Run(); err == nil {
		sources = append(sources, pipe)
	}
	for _, source := range sources {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err := Load(ctx, c, []string{source}, Options{Stdin: stdin})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", source, err)
		}
	}
	if got := dump(t, c, `SELECT count(*) FROM sources`); got[0] != "0" {
		t.Errorf("%s sources", got[0])
	}
}

func TestProgress(t *testing.T) {
	c := newCase(t)
	dir := write(t, map[string]string{"a": event("a"), "b": event("b") + event("c")})
	var last Progress
	if _, err := Load(context.Background(), c, []string{dir}, Options{Progress: func(p Progress) { last = p }}); err != nil {
		t.Fatal(err)
	}
	if last.FilesDone != 2 || last.FilesTotal != 2 || last.Records != 3 || last.BytesDone != last.BytesTotal || last.BytesDone == 0 {
		t.Errorf("%+v", last)
	}
}

// TestLittleMemory has more threads than there is memory for.
func TestLittleMemory(t *testing.T) {
	dir := t.TempDir()
	const events = 60_000
	if err := (scenario.Volume{Events: events, Files: 40, Seed: 4}).Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []string{"64MB", "100MB"} {
		c, err := query.Open(context.Background(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Threads: 32, MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		before := dump(t, c, `SELECT current_setting('memory_limit')`)
		s, err := Load(context.Background(), c, []string{dir}, Options{Threads: 32})
		if err != nil || s.Records != events {
			t.Errorf("with %s: %+v: %v", limit, s, err)
		}
		if after := dump(t, c, `SELECT current_setting('memory_limit')`); !slices.Equal(after, before) {
			t.Errorf("the limit was %s and is %s", before, after)
		}
	}
}

func TestMemoryBytes(t *testing.T) {
	for text, want := range map[string]int64{"1.5 GiB": 3 << 29, "61.0 MiB": 61 << 20, "512 bytes": 512, "0 bytes": 0, "x": -1, "5 XB": -1} {
		if got, err := memoryBytes(text); got != want && !(want < 0 && err != nil) {
			t.Errorf("%q is %d: %v", text, got, err)
		}
	}
}
