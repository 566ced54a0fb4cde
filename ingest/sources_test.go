package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	ctx := context.Background()
	c := newCase(t)
	missing := filepath.Join(t.TempDir(), "none")
	if _, err := Load(ctx, c, []string{missing}, Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing path: %v", err)
	}
	if _, err := Load(ctx, c, []string{t.TempDir()}, Options{}); !errors.Is(err, ErrNoFiles) {
		t.Errorf("empty folder: %v", err)
	}
	s, err := Load(ctx, c, []string{"-"}, Options{Stdin: strings.NewReader(event("a"))})
	if err != nil || s.Records != 1 {
		t.Errorf("standard input: %+v, %v", s, err)
	}
	outside := write(t, map[string]string{"secret.json": event("s")})
	dir := write(t, map[string]string{
		"b/2.json": event("b2"), "b/10 ü.json": event("b10"), "a.json": event("a1"), ".hidden/x": event("h"), "notes.txt": "read me",
	})
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s = load(t, c, dir, filepath.Join(dir, "a.json"))
	if s.Records != 4 || len(s.Foreign) != 1 || len(s.Skipped) != 1 || s.Sources != 4 {
		t.Errorf("folder: %+v", s)
	}
	got := dump(t, c, `SELECT parse_filename(uri) FROM sources WHERE uri <> '-' ORDER BY source_id`)
	if want := []string{"x", "a.json", "10 ü.json", "2.json", "notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	if !slices.Equal(s.Accounts, []string{"111122223333"}) || !slices.Equal(s.Regions, []string{"us-east-1"}) || s.First.IsZero() {
		t.Errorf("span %+v", s)
	}
}

func TestNamesThatAreNoText(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a\xff.json"), []byte(event("a")), 0o600); err != nil {
		t.Skip("the file system takes only text: ", err)
	}
	c := newCase(t)
	load(t, c, dir)
	if s := load(t, c, dir); s.AlreadyLoaded != 1 {
		t.Errorf("second load: %+v", s)
	}
	if got := dump(t, c, `SELECT ends_with(uri, '/a\xff.json'), (SELECT count(*) FROM events) FROM sources`); len(got) != 1 || got[0] != "true|1" {
		t.Errorf("sources %q", got)
	}
}

// TestPipes loads through one path, as a shell's <(…) gives them, one stream
// after another.
func TestPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := exec.Command("mkfifo", path).Run(); err != nil {
		t.Skip("no pipes: ", err)
	}
	c := newCase(t)
	for _, id := range []string{"a", "b", "b"} {
		go os.WriteFile(path, []byte(event(id)), 0)
		load(t, c, path)
	}
	if got := dump(t, c, `SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM events)`); got[0] != "2|2" {
		t.Errorf("sources and events: %s", got)
	}
}

// TestTheCaseIsNoSource has the case lie in the folder that is loaded.
func TestTheCaseIsNoSource(t *testing.T) {
	dir := write(t, map[string]string{"a.json": event("a")})
	path := filepath.Join(dir, "case.duckdb")
	c := openCase(t, path, 0)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{dir, link} {
		if s := load(t, c, folder); s.Sources != 1 || len(s.Foreign)+len(s.Unreadable) != 0 {
			t.Errorf("%s: %+v", folder, s)
		}
	}
	if _, err := Load(context.Background(), c, []string{path}, Options{}); err == nil || !strings.Contains(err.Error(), "is the case itself") {
		t.Errorf("the case as a source: %v", err)
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	c := newCase(t)
	dir := write(t, map[string]string{"a.json": event("a"), "b.json": event("b")})
	locked := filepath.Join(dir, "b.json")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	s := load(t, c, dir)
	if s.Records != 1 || len(s.Unreadable) != 1 || !strings.Contains(s.Unreadable[0].Reason, "permission denied") {
		t.Errorf("%+v", s)
	}
	if err := os.Chmod(locked, 0o600); err != nil {
		t.Fatal(err)
	}
	if s = load(t, c, dir); s.Records != 1 || s.AlreadyLoaded != 1 {
		t.Errorf("second load: %+v", s)
	}
}

func TestUnreadableFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := write(t, map[string]string{"a.json": event("a"), "locked/b.json": event("b")})
	locked := filepath.Join(dir, "locked")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(locked, 0o700)
	if s := load(t, newCase(t), dir); s.Records != 1 || len(s.Unreadable) != 1 || s.Unreadable[0].URI != locked {
		t.Errorf("%+v", s)
	}
	if _, err := Load(context.Background(), newCase(t), []string{locked}, Options{}); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("the folder alone: %v", err)
	}
}
