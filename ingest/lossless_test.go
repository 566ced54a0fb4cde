package ingest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestHugeRecords loads records larger than the arenas, than batches and than
// what DuckDB's JSON reader takes (16 MB), among small ones, whichever member it
// is that is huge.
func TestHugeRecords(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{1})
	noise := func(size int) string { // does not compress away
		b := make([]byte, size/2)
		rng.Read(b)
		return hex.EncodeToString(b)
	}
	const huge = 18 << 20
	var records []string
	for i := range 40 {
		records = append(records, event(fmt.Sprint("small", i)))
	}
	records = append(records,
		event("request", `"requestParameters":{"a":["`+noise(huge)+`"]}`),
		event("agent", `"userAgent":"é`+noise(huge)+`"`),
		event("unknown", `"x":"`+noise(huge)+`"`),
		strings.Replace(event("identity"), `"ana"`, `"`+noise(huge)+`"`, 1))
	for i := range 6 { // of which a batch is full before it has 2,048 records
		records = append(records, event(fmt.Sprint("large", i), `"responseElements":"`+noise(3<<20)+`"`))
	}
	rand.New(rng).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	half := len(records) / 2
	c := newCase(t)
	s := load(t, c, write(t, map[string]string{
		"a.json.gz": gzipped(`{"Records":[` + strings.Join(records[:half], ",") + `]}`),
		"b.json":    strings.Join(records[half:], "\n"),
	}))
	if s.Records != int64(len(records)) || s.Rejected != 0 {
		t.Errorf("%+v", s)
	}
	for at, got := range rebuilt(t, c) {
		want := records[at[1]]
		if at[0] == 2 {
			want = records[int(at[1])+half]
		}
		if !bytes.Equal(canonical([]byte(want)), canonical(got)) {
			t.Errorf("record %d of source %d is not what it was: %.200q", at[1], at[0], got)
		}
	}
}

// TestManyFiles loads small files, ten folders deep, with names of all kinds.
func TestManyFiles(t *testing.T) {
	count := 3000
	if testing.Short() {
		count = 500
	}
	names := []string{"plain", "with spaces ", "Übung", "日本", "a'b\"c", "%41?#", "-dash", "{x}*", "tab\tnew\nline", "🗝"}
	files := map[string]string{}
	for i := range count {
		var path []string
		for level := range 10 {
			path = append(path, names[(i*7+level*level+i/10)%len(names)])
		}
		files[strings.Join(path, "/")+fmt.Sprintf("/%d %s.json", i, names[i%len(names)])] = event(fmt.Sprint(i))
	}
	dir := write(t, files)
	c := newCase(t)
	if s := load(t, c, dir); s.Records != int64(count) || s.Sources != count {
		t.Errorf("%+v", s)
	}
	for _, uri := range dump(t, c, `SELECT uri FROM sources`) {
		if content, ok := files[strings.TrimPrefix(uri, dir+"/")]; !ok || content == "" {
			t.Errorf("there is no file %q", uri)
		}
	}
	if s := load(t, c, dir); s.AlreadyLoaded != count || s.Records != 0 {
		t.Errorf("again: %+v", s)
	}
}

// TestTwoTrailsAndTwoSides has two trails deliver the event of a cross-account
// call: each account's side stays, each once.
func TestTwoTrailsAndTwoSides(t *testing.T) {
	const shared = `"sharedEventID":"11111111-2222-4333-8444-555555555555"`
	caller := event("11111111-0000-4000-8000-000000000001", shared)
	callee := strings.Replace(event("11111111-0000-4000-8000-000000000002", shared), `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`, 1)
	c := newCase(t)
	s := load(t, c, write(t, map[string]string{
		"trail-a/1.json": `{"Records":[` + caller + `]}`, "trail-b/1.json.gz": gzipped(`{"Records":[` + callee + `,` + caller + `]}`),
		"trail-c/1.json": callee + "\n" + caller,
	}))
	if s.Records != 5 || s.Duplicates != 3 || s.Conflicts != 0 || s.Rejected != 0 {
		t.Errorf("%+v", s)
	}
	got := dump(t, c, `SELECT account_id, event_id FROM events WHERE shared_event_id = '11111111-2222-4333-8444-555555555555' ORDER BY 1`)
	want := []string{"111122223333|11111111-0000-4000-8000-000000000001", "444455556666|11111111-0000-4000-8000-000000000002"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := dump(t, c, `SELECT sum(duplicates) FROM sources`); got[0] != "3" {
		t.Errorf("sources count %s", got)
	}
}
