package ingest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestKeepVerdicts(t *testing.T) {
	tr := standardTrail(t, 3)
	tr.files[tr.logs[0]] = changed(t, tr.files[tr.logs[0]], "ListUsers", "ListRoles")
	dir := write(t, tr.withMetadata())
	c := newCase(t)
	load(t, c, dir)
	// Deleted, changed and moved after they were loaded.
	for _, err := range []error{
		os.Remove(filepath.Join(dir, tr.logs[1])),
		os.WriteFile(filepath.Join(dir, tr.logs[2]), []byte("other"), 0o600),
		os.Rename(filepath.Join(dir, tr.logs[3]), filepath.Join(dir, "moved")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := LocalFiles([]string{dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), store, tr.signer.public(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time changes nothing.
		kept, err := KeepVerdicts(context.Background(), c, v)
		if err != nil || kept.Changed != 1 {
			t.Fatalf("%+v, error %v", kept, err)
		}
		want := map[string]string{tr.logs[0]: "altered", tr.logs[1]: "", tr.logs[2]: "", tr.logs[3]: "valid", tr.logs[4]: "valid", tr.digests[2]: "valid"}
		for name, verdict := range want {
			var got string
			err := c.DB.QueryRow(`SELECT coalesce(integrity, '') FROM sources WHERE uri = ?`, filepath.Join(dir, name)).Scan(&got)
			if err != nil || got != verdict {
				t.Errorf("%s has %q, want %q, error %v", name, got, verdict, err)
			}
		}
		var lost string
		err = c.DB.QueryRow(`SELECT string_agg(kind || ' ' || verdict, ', ' ORDER BY key) FROM integrity`).Scan(&lost)
		if err != nil || lost != "log altered, log missing, log altered" {
			t.Errorf("no source stands for %q, error %v", lost, err)
		}
	}
}
