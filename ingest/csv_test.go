package ingest

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func splitCSVText(tb testing.TB, text string) *recordingSink {
	tb.Helper()
	sink := new(recordingSink)
	if _, err := splitCSV(strings.NewReader(text), sink); err != nil {
		tb.Fatal(err)
	}
	return sink
}

func TestPublishedCSV(t *testing.T) {
	want := map[string]int{"AWS_CloudTrail_Authentication_IngestedLogs.csv": 3, "s3_bucket_deletion.csv": 12}
	for _, file := range corpusFiles(t, "*/*/*.csv") {
		text := readFile(t, file)
		if !looksLikeCSV(text[:200]) {
			t.Errorf("%s is not recognised by its first 200 bytes", file)
		}
		sink := splitCSVText(t, string(text))
		if n, ok := want[filepath.Base(file)]; ok && len(sink.records) != n || len(sink.reasons) > 0 {
			t.Errorf("%s: %d records, rejects %q", file, len(sink.records), sink.reasons)
		}
		for _, record := range sink.records {
			r := rowOf(t, record)
			if r.text[colEventID] == nil || r.text[colAWSRegion] == nil || r.identity.text[idnType] == nil {
				t.Errorf("%s: %s", file, record)
			}
			if bytes.HasPrefix(text, []byte(`"_raw"`)) && r.text[colExtra] != nil && string(r.text[colExtra]) != `{"responseElements":null}` {
				t.Errorf("%s: the raw record got %s", file, r.text[colExtra])
			}
		}
	}
}
