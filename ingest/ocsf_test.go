package ingest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// corpusFiles are files of the corpus of published exports, by their folder.
func corpusFiles(tb testing.TB, pattern string) []string {
	tb.Helper()
	corpus := os.Getenv("TRAILSCAN_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "formats", pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skipf("no corpus of published exports at %s (TRAILSCAN_CORPUS names another)", corpus)
	}
	return files
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// rowOf flattens a record.
func rowOf(tb testing.TB, record []byte) *row {
	tb.Helper()
	if !jsontext.Value(record).IsValid(decoderOptions()...) {
		tb.Fatalf("not well-formed: %s", record)
	}
	f := flattener{identities: new(identities)}
	r, reason := f.flatten(record)
	if reason != "" {
		tb.Fatalf("%s: %s", reason, record)
	}
	return r
}

func TestPublishedOCSF(t *testing.T) {
	for _, file := range corpusFiles(t, "ocsf/*/*.json") {
		record, ok := fromOCSF(readFile(t, file))
		if !ok {
			t.Errorf("%s: no record", file)
			continue
		}
		r := rowOf(t, record)
		if r.text[colEventID] == nil || r.identity.text[idnARN] == nil || r.text[colRequestParameters] == nil {
			t.Errorf("%s: %s", file, record)
		}
	}
}
