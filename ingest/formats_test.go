package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// corpusFormats is the folder of published exports.
func corpusFormats(t *testing.T) string {
	root := os.Getenv("TRAILSCAN_CORPUS")
	if root == "" {
		root = "../../shared/corpus"
	}
	root = filepath.Join(root, "formats")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no corpus: ", err)
	}
	return root
}

// wrappedRecords is every record in a file of JSON, however it is wrapped, found
// with nothing but encoding/json. lookup-events' records stand in it twice if
// their items look like one.
func wrappedRecords(t *testing.T, path string) (records []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var search func(v any)
	search = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["eventVersion"] != nil || v["eventName"] != nil && v["eventSource"] != nil {
				if v["eventTime"] == nil && v["@timestamp"] != nil {
					v["eventTime"] = v["@timestamp"].(string)[:19] + "Z"
				}
				if v["p_log_type"] != nil {
					maps.DeleteFunc(v, func(name string, _ any) bool { return strings.HasPrefix(name, "p_") })
				}
				records = append(records, v)
				return
			}
			for _, inner := range v {
				search(inner)
			}
		case []any:
			for _, inner := range v {
				search(inner)
			}
		case string:
			d := json.NewDecoder(strings.NewReader(v))
			d.UseNumber()
			var inner any
			if strings.HasPrefix(v, "{") && d.Decode(&inner) == nil {
				search(inner)
			}
		}
	}
	for d := json.NewDecoder(gunzipped(t, f)); ; {
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			if err != io.EOF {
				t.Logf("%s: %v", path, err)
			}
			return records
		}
		search(v)
	}
}

// wholeForms are the folders of the corpus whose forms keep records whole.
var wholeForms = map[string]bool{
	"bare-array": true, "bare-object": true, "cloudwatch-logs": true, "data-events": true, "datadog": true, "eventbridge": true, "insights": true,
	"logstash-ndjson": true, "lookup-events": true, "network-activity": true, "opensearch": true, "s3-records": true,
}

// TestPublishedFormats loads every file of the corpus: as many events as its
// index says, each equal to the record in the file, a reason where there is none.
func TestPublishedFormats(t *testing.T) {
	root := corpusFormats(t)
	index, err := os.ReadFile(filepath.Join(root, "SOURCES.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(index)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		name, form := row[0], row[4]
		want, err := strconv.ParseInt(row[5], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(root, name)
			c := newCase(t)
			s, err := Load(context.Background(), c, []string{path}, Options{})
			if err != nil && want > 0 && form != "oddities" {
				t.Fatal(err)
			}
			format := strings.Join(dump(t, c, `SELECT format, status FROM sources`), ",")
			reasons := dump(t, c, `SELECT reason FROM rejects`)
			t.Logf("%s: %d records, %q", format, s.Records, reasons)
			if form == "oddities" || form == "digest" {
				want = 0
			}
			if s.Records != want {
				t.Errorf("%d records, want %d", s.Records, want)
			}
			if want == 0 && form != "digest" && len(reasons) == 0 {
				t.Error("no events, and nothing says why")
			}
			if want > 0 && s.Rejected+int64(len(s.Damaged)) > 0 {
				t.Errorf("rejected: %q", reasons)
			}
			if !wholeForms[form] && !strings.HasSuffix(name, ".ndjson") {
				return
			}
			originals := map[string]int{}
			for _, r := range wrappedRecords(t, path) {
				originals[jsonText(t, r)]++
			}
			for _, r := range rebuilt(t, c) {
				var v any
				d := json.NewDecoder(bytes.NewReader(r))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
				if text := jsonText(t, v); originals[text] == 0 {
					t.Errorf("not in the file: %s", text)
				} else {
					originals[text]--
				}
			}
			for text, n := range originals {
				if n > 0 && s.Duplicates == 0 {
					t.Errorf("not in the case: %s", text)
				}
			}
		})
	}
}

// jsonText is a value as JSON with its members sorted.
func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPantherRecords loads the events of Panther's tests as Panther exports them.
func TestPantherRecords(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(corpusFormats(t)), "panther", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no samples of Panther")
	}
	lines := map[string]string{}
	want := map[string]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct{ Event json.RawMessage }
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for i, test := range file.Tests {
			var event map[string]any
			d := json.NewDecoder(bytes.NewReader(test.Event))
			d.UseNumber()
			if d.Decode(&event) != nil || event["p_log_type"] == nil || event["eventTime"] == nil || event["eventName"] == nil {
				continue
			}
			lines[fmt.Sprintf("%s-%d", filepath.Base(path), i)] = string(test.Event)
			maps.DeleteFunc(event, func(name string, _ any) bool { return strings.HasPrefix(name, "p_") })
			want[jsonText(t, event)] = true
		}
	}
	c := newCase(t)
	s := load(t, c, write(t, lines))
	if len(lines) < 50 || s.Records+s.Rejected < int64(len(lines)) {
		t.Errorf("%d files: %+v", len(lines), s)
	}
	for _, r := range rebuilt(t, c) {
		var v any
		d := json.NewDecoder(bytes.NewReader(r))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if !want[jsonText(t, v)] {
			t.Errorf("not as it was: %s", r)
		}
	}
	if got := dump(t, c, `SELECT DISTINCT format FROM sources WHERE records > 0`); len(got) != 1 || got[0] != formatPanther {
		t.Errorf("formats %q", got)
	}
}
