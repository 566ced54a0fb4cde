package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trailscan/query"
)

// rebuilt is every record of the case as Rebuild gives it, by its position.
func rebuilt(tb testing.TB, c *query.Case) map[[2]int64][]byte {
	tb.Helper()
	columns := RebuildColumns()
	rows, err := c.DB.Query(`SELECT source_id, record_index, ` + strings.Join(columns, ", ") + ` FROM whole_records`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	out := map[[2]int64][]byte{}
	for rows.Next() {
		var at [2]int64
		values := make([]any, len(columns))
		into := []any{&at[0], &at[1]}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		if out[at], err = Rebuild(values); err != nil {
			tb.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}

// sameJSON compares by encoding/json, which shares no code with the package.
func sameJSON(tb testing.TB, a, b []byte) bool {
	tb.Helper()
	decode := func(b []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			tb.Fatalf("%v: %s", err, b)
		}
		return v
	}
	return reflect.DeepEqual(decode(a), decode(b))
}

// gunzipped reads a file, gzipped or not.
func gunzipped(tb testing.TB, r io.Reader) io.Reader {
	tb.Helper()
	buf := bufio.NewReader(r)
	if magic, _ := buf.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buf
	}
	z, err := gzip.NewReader(buf)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

// corpusRecords is every object in the corpus that is a record, however it is
// wrapped, each once.
func corpusRecords(t *testing.T) [][]byte {
	root := os.Getenv("TRAILSCAN_CORPUS")
	if root == "" {
		root = "../../shared/corpus"
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("no corpus: ", err)
	}
	var records [][]byte
	seen := map[string]bool{}
	var search func(raw json.RawMessage)
	search = func(raw json.RawMessage) {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		var text string
		switch {
		case json.Unmarshal(raw, &object) == nil:
			if object["p_log_type"] != nil {
				// Panther's own members are no part of the record.
				maps.DeleteFunc(object, func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, "p_") })
				raw, _ = json.Marshal(object)
			}
			if object["eventTime"] != nil && (object["eventName"] != nil && object["eventSource"] != nil || object["insightDetails"] != nil) {
				if !seen[string(raw)] {
					seen[string(raw)] = true
					records = append(records, raw)
				}
				return
			}
			for _, v := range object {
				search(v)
			}
		case json.Unmarshal(raw, &list) == nil:
			for _, v := range list {
				search(v)
			}
		case json.Unmarshal(raw, &text) == nil && strings.HasPrefix(text, "{"):
			search(json.RawMessage(text))
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for d := json.NewDecoder(gunzipped(t, f)); ; {
			var raw json.RawMessage
			if d.Decode(&raw) != nil {
				return nil
			}
			search(raw)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestRebuildCorpus(t *testing.T) {
	records := corpusRecords(t)
	files := map[string]string{}
	for i, r := range records {
		files[fmt.Sprintf("%05d.json", i)] = string(r)
	}
	c := newCase(t)
	s := load(t, c, write(t, files))
	got := rebuilt(t, c)
	rejected := map[string]string{}
	for _, r := range dump(t, c, `SELECT source_id, reason FROM rejects`) {
		id, reason, _ := strings.Cut(r, "|")
		rejected[id] = reason
	}
	equal, copies := 0, 0
	for i, original := range records {
		record, stored := got[[2]int64{int64(i) + 1, 0}]
		reason, isRejected := rejected[fmt.Sprint(i+1)]
		switch {
		case stored && !sameJSON(t, original, record):
			t.Errorf("record %d differs:\n%s\n%s", i, original, record)
		case stored:
			equal++
		case isRejected && !strings.HasPrefix(reason, "copy of an event") && !strings.Contains(reason, "eventTime is no time"):
			t.Errorf("record %d is rejected: %s\n%s", i, reason, original)
		default:
			copies++
		}
	}
	if equal < 800 || int64(copies) != s.Duplicates+s.Rejected {
		t.Errorf("%d records are equal and %d are copies: %+v", equal, copies, s)
	}
	t.Logf("%d records rebuilt, %d copies", equal, copies)
}

// hostileRecord draws the JSON of a record with anything odd that JSON can hold.
func hostileRecord(t *rapid.T) string {
	str := rapid.OneOf(
		rapid.SampledFrom([]string{`""`, `"x"`, `"\ud800"`, `"a\udc80b"`, `"\ud83d\ude00"`, `"\ud83d\udc80\udc80"`, "\"\xff\xfe\"", "\"\xed\xa0\x80\"", `"\u0000"`,
			`"true"`, `"False"`, `"$base64"`, `"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`, `"\"\\\/\b\f\n\r\t"`, "\"\u2028é\U0001F600\u202f\""}),
		rapid.Map(rapid.String(), func(s string) string { return string(appendQuoted(nil, []byte(s))) }),
	)
	number := rapid.SampledFrom([]string{`0`, `-0`, `1.0`, `1e999`, `123456789012345678901234567890.10`, `1E+2`})
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		scalar := rapid.OneOf(str, number, rapid.SampledFrom([]string{`null`, `true`, `false`, ` null`, `{}`, `[]`, `[ ]`, "{ }"}))
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(v []string) string { return "[" + strings.Join(v, " ,") + "]" }),
			rapid.Custom(func(t *rapid.T) string {
				var members []string
				for range rapid.IntRange(0, 3).Draw(t, "members") {
					members = append(members, str.Draw(t, "name")+" : "+value(depth-1).Draw(t, "value"))
				}
				return "{" + strings.Join(members, ",\n") + "}"
			}))
	}
	known := make([]string, len(memberColumns))
	for i, m := range memberColumns {
		known[i] = `"` + m.name + `"`
	}
	members := []string{
		`"eventTime":` + rapid.SampledFrom([]string{`"2026-03-01T10:00:00Z"`, `"2026-03-01 10:00:00"`, `"2026-03-01T10:00:00.123Z"`,
			`"2026-03-01T12:00:00+02:00"`, `"2026-03-01T10:00:00\u005a"`, `1772359200`, `"2026-03-01T10:00:00.123456789Z"`}).Draw(t, "time"),
		`"eventSource":"iam.amazonaws.com"`, `"eventName":"x"`,
	}
	name := rapid.OneOf(rapid.SampledFrom(known), str, rapid.SampledFrom([]string{`"$base64"`, `"event\u0049D"`, `"unknown"`}))
	for range rapid.IntRange(0, 12).Draw(t, "members") {
		members = append(members, name.Draw(t, "name")+": "+value(2).Draw(t, "value"))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func TestRebuildAnyRecord(t *testing.T) {
	c := newCase(t)
	rapid.Check(t, func(rt *rapid.T) {
		originals := rapid.SliceOfN(rapid.Custom(hostileRecord), 1, 40).Draw(rt, "records")
		if _, err := c.DB.Exec(`DELETE FROM records; DELETE FROM rejects; DELETE FROM sources`); err != nil {
			rt.Fatal(err)
		}
		path := filepath.Join(write(t, map[string]string{"log": strings.Join(originals, "\n")}), "log")
		load(t, c, path)
		got := rebuilt(t, c)
		for i, original := range originals {
			record, ok := got[[2]int64{1, int64(i)}]
			if !ok {
				// It repeats another or repeats its id.
				if len(dump(t, c, fmt.Sprintf(`SELECT 1 FROM rejects WHERE record_index = %d AND reason NOT LIKE 'copy of%%'`, i))) > 0 {
					rt.Fatalf("rejected: %q", original)
				}
				continue
			}
			if !bytes.Equal(canonical([]byte(original)), canonical(record)) {
				rt.Fatalf("differs:\n%q\n%q\n%q\n%q", original, record, canonical([]byte(original)), canonical(record))
			}
		}
		// What is stored is text and JSON for every reader.
		if bad := dump(t, c, `SELECT user_identity, request_parameters, extra FROM events WHERE
			NOT (json_valid(coalesce(user_identity, '0')) AND json_valid(coalesce(request_parameters, '0')) AND json_valid(coalesce(extra, '0')))`); len(bad) > 0 {
			rt.Fatalf("not JSON: %q", bad)
		}
	})
}

func TestColumnsAreThoseOfTheCase(t *testing.T) {
	c := newCase(t)
	columns := func(table string) (list []query.Column) {
		for _, line := range dump(t, c, `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '`+table+`' ORDER BY ordinal_position`) {
			name, kind, _ := strings.Cut(line, "|")
			list = append(list, query.Column{Name: name, Type: kind})
		}
		return list
	}
	if got := columns("records"); !slices.Equal(got, recordColumns) {
		t.Errorf("records are written as\n%v, the case has\n%v", recordColumns, got)
	}
	if got := columns("identities"); !slices.Equal(got, identityColumns) {
		t.Errorf("identities are written as\n%v, the case has\n%v", identityColumns, got)
	}
	if got := columns("contexts"); !slices.Equal(got, contextColumns) {
		t.Errorf("contexts are written as\n%v, the case has\n%v", contextColumns, got)
	}
	whole := columns("whole_records")
	for c := range columnCount {
		if c != colContext && !slices.ContainsFunc(whole, func(w query.Column) bool { return w.Name == c.name() }) {
			t.Errorf("whole_records has no column %s", c.name())
		}
	}
}
