package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeep(t *testing.T) {
	objects := logs(3)
	long := strings.Repeat("l", 300)
	for i, key := range []string{"../../evil.json", "/etc/passwd", "a//b", "a\\b", "n\x01l", "dir", "dir/file", "SHA256SUMS", "x/" + long, "..", "x/./y"} {
		objects[key] = event(fmt.Sprintf("k%d", i))
	}
	server, o := serveS3(t, objects)
	parent := t.TempDir()
	o.Keep = filepath.Join(parent, "kept")
	c := newCase(t)
	if _, err := Load(t.Context(), c, []string{"s3://trail"}, o); err != nil {
		t.Fatal(err)
	}
	check := func(want map[string]string) {
		t.Helper()
		contents := map[string]int{}
		files := 0
		err := filepath.WalkDir(parent, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == sumsFile {
				return err
			}
			files++
			text, err := os.ReadFile(path)
			contents[string(text)]++
			if !strings.HasPrefix(path, o.Keep+"/") {
				t.Errorf("%s lies outside", path)
			}
			return err
		})
		if err != nil || files != len(want) {
			t.Errorf("%d files, want %d, %v", files, len(want), err)
		}
		for key, content := range want {
			if contents[content] != 1 {
				t.Errorf("%q: %d copies", key, contents[content])
			}
		}
	}
	check(objects)
	for key := range logs(3) {
		if text, err := os.ReadFile(filepath.Join(o.Keep, key)); err != nil || string(text) != objects[key] {
			t.Errorf("%s: %v", key, err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(o.Keep, sumsFile))
	if err != nil || strings.Count(string(sums), "\n") != len(objects) {
		t.Errorf("%s: %v", sums, err)
	}
	// A copy that is lost is made again although the case holds the object; a
	// changed object does not take the place of the first copy.
	all := map[string]string{}
	for key, content := range objects {
		all[key] = content
	}
	for key := range logs(1) {
		if err := os.Remove(filepath.Join(o.Keep, key)); err != nil {
			t.Fatal(err)
		}
	}
	objects["a\\b"] = event("changed")
	all["a\\b, changed"] = objects["a\\b"]
	server.gets = nil
	if _, err := Load(t.Context(), c, []string{"s3://trail"}, o); err != nil || len(server.gets) != 2 {
		t.Fatalf("%v, %q", err, server.gets)
	}
	check(all)
}
