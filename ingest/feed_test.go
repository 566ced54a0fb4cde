package ingest

import (
	"fmt"
	"strings"
	"testing"
)

// TestRowGroups loads enough for several queries, of batches that do not end
// where row groups do, for some records are no events: each must be stored once,
// and nothing written twice.
func TestRowGroups(t *testing.T) {
	const files, perFile, bad = 150, 2000, 3
	parts := map[string]string{}
	for f := range files {
		var b strings.Builder
		for i := range perFile {
			if i%701 == f%701 {
				fmt.Fprintf(&b, `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"s","eventID":"%d"}`+"\n", f*perFile+i)
				continue
			}
			fmt.Fprintf(&b, `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"s","eventName":"n","eventID":"%08x-0000-4000-8000-000000000000"}`+"\n", f*perFile+i)
		}
		parts[fmt.Sprintf("%03d", f)] = b.String()
	}
	c, _ := adjusted(t, []string{write(t, parts)}, func(*loader) {})
	got := dump(t, c, `SELECT count(*), count(DISTINCT event_id), count(DISTINCT (source_id, record_index)),
		(SELECT count(*) FROM rejects), (SELECT count(*) FROM sources WHERE records = 1997 AND rejected = 3) FROM events`)
	if want := fmt.Sprintf("%d|%[1]d|%[1]d|%d|%d", files*(perFile-bad), files*bad, files); got[0] != want {
		t.Errorf("got  %s\nwant %s", got[0], want)
	}
	if got := dump(t, c, `SELECT free_blocks * 20 < total_blocks FROM pragma_database_size()`); got[0] != "true" {
		t.Error("blocks of the case were written more than once:", dump(t, c, `FROM pragma_database_size()`))
	}
}
