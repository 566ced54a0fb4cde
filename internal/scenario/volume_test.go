package scenario

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestVolumeRecords(t *testing.T) {
	const events = 7001
	v := Volume{Events: events, Files: 7, Principals: 30, Seed: 5}
	data, err := v.Records()
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.Records()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Error("two runs with one seed differ")
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if len(lines) != events {
		t.Fatalf("%d records, want %d", len(lines), events)
	}
	ids, issued, principals := map[string]bool{}, map[string]string{}, map[string]bool{}
	for _, line := range lines {
		if bytes.Contains(line, []byte(holeOpen)) {
			t.Fatalf("a hole is left: %s", line)
		}
		p := parse(t, &Event{JSON: line})
		if ids[p.EventID] {
			t.Fatalf("event id %s occurs twice", p.EventID)
		}
		ids[p.EventID] = true
		if c := p.Response.Credentials; c.AccessKeyID != "" {
			issued[c.AccessKeyID] = p.EventTime
			continue
		}
		principals[p.Identity.ARN] = true
		if got, want := p.Identity.SessionContext.Attributes.CreationDate, issued[p.Identity.AccessKeyID]; got != want {
			t.Fatalf("session %s was created at %q, its issue was at %q", p.Identity.AccessKeyID, got, want)
		}
	}
	if n := len(data) / events; n < 1200 || n > 1700 {
		t.Errorf("a record has %d bytes on average, want about 1,400", n)
	}
	if len(issued) < events/(2*sessionEvents) {
		t.Errorf("only %d sessions", len(issued))
	}
}

func TestVolumeWrite(t *testing.T) {
	dir := t.TempDir()
	v := Volume{Events: 3000, Files: 9, Seed: 2}
	if err := v.Write(dir); err != nil {
		t.Fatal(err)
	}
	files, events := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		zr, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		var content struct{ Records []json.RawMessage }
		if err := json.NewDecoder(zr).Decode(&content); err != nil {
			return err
		}
		events += len(content.Records)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != v.Files || events != v.Events {
		t.Errorf("%d files with %d events, want %d with %d", files, events, v.Files, v.Events)
	}
}

// Every session of a volume's leak is issued by the key or by the session before
// it, which the issuing record tells.
func TestVolumeLeak(t *testing.T) {
	const leaked = 530
	data, err := Volume{Events: 200, Files: 2, Leaked: leaked, Seed: 3}.Records()
	if err != nil {
		t.Fatal(err)
	}
	depth, deepest := map[string]int{VolumeKey: 0}, 0
	uses := map[string]int{}
	for _, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		p := parse(t, &Event{JSON: line})
		by := p.Identity.AccessKeyID
		if issued := p.Response.Credentials.AccessKeyID; issued != "" && by != "" {
			before, known := depth[by]
			if !known {
				t.Fatalf("%s is issued by %s, whose issue is not in the records before", issued, by)
			}
			depth[issued] = before + 1
			deepest = max(deepest, before+1)
		} else if _, known := depth[by]; known {
			uses[by]++
		}
	}
	if len(depth) != leaked+1 || deepest != leakedChain || len(uses) != leaked+1 {
		t.Errorf("%d credentials descend from the key, to depth %d, of which %d are used", len(depth)-1, deepest, len(uses)-1)
	}
}

func TestVolumeOfFewEvents(t *testing.T) {
	for _, n := range []int{0, 1, 2, 5} {
		data, err := Volume{Events: n}.Records()
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(data, []byte(`"eventVersion"`)); got != n {
			t.Errorf("%d records, want %d", got, n)
		}
	}
}

func BenchmarkVolume(b *testing.B) {
	const events = 200_000
	for b.Loop() {
		if err := (Volume{Events: events, Files: 130, Seed: 1}).Write(b.TempDir()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
