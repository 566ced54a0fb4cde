package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// incidentForms writes the incident of testdata in other forms, the events in
// the opposite order, and gives the files.
func incidentForms(t *testing.T, incident string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var archive bytes.Buffer
	zipped := zip.NewWriter(&archive)
	var events []json.RawMessage
	root := os.DirFS(incident)
	err := fs.WalkDir(root, "AWSLogs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		entry, err := zipped.Create(path)
		if err != nil {
			return err
		}
		if _, err := entry.Write(text); err != nil {
			return err
		}
		z, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return err
		}
		if text, err = io.ReadAll(z); err != nil {
			return err
		}
		var file struct{ Records []json.RawMessage }
		if err := json.Unmarshal(text, &file); err != nil {
			return err
		}
		events = append(events, file.Records...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(events)
	var bridge bytes.Buffer
	var history struct {
		Events []map[string]string
	}
	lines := json.NewEncoder(&bridge)
	for _, e := range events {
		if err := lines.Encode(map[string]any{"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": e}); err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, map[string]string{"ReadOnly": "true", "CloudTrailEvent": string(e)})
	}
	lookup, err := json.MarshalIndent(history, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{}
	for name, text := range map[string][]byte{"zip": archive.Bytes(), "eventbridge": bridge.Bytes(), "lookup-events": lookup} {
		forms[name] = filepath.Join(dir, name)
		if err := os.WriteFile(forms[name], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return forms
}

// TestFormsTellTheSame investigates one incident in several forms: what is found
// and what is to be done does not depend on how the logs were exported.
func TestFormsTellTheSame(t *testing.T) {
	const incident = "../../testdata/leaked-key"
	dir := t.TempDir()
	investigate := func(name, source string) string {
		out := filepath.Join(dir, name)
		if status, _, stderr := command(t.Context(), "investigate", "-q", source, "--key", "AKIARTX3GSDS6CBDEGCZ", "-o", out); status != exitDone {
			t.Fatalf("%s: exit status %d: %s", name, status, stderr)
		}
		return out
	}
	read := func(folder, artifact string) []byte {
		text, err := os.ReadFile(filepath.Join(folder, artifact))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(text, []byte("\n"))
		return bytes.Join(slices.DeleteFunc(lines, func(line []byte) bool { return bytes.Contains(line, []byte(`"generated_at"`)) }), []byte("\n"))
	}
	forms := incidentForms(t, incident)
	forms["export"] = filepath.Join(dir, "parquet")
	files := investigate("files", incident+"/AWSLogs")
	if status, _, stderr := command(t.Context(), "export", "-q", "--case", filepath.Join(files, "case.duckdb"), forms["export"]); status != exitDone {
		t.Fatalf("export: %s", stderr)
	}
	for name, source := range forms {
		out := investigate(name, source)
		for _, artifact := range []string{"findings.json", "assessment.json", "lineage.json", "plan.json", "timeline.csv"} {
			if got, want := read(out, artifact), read(files, artifact); len(want) < 100 || !bytes.Equal(got, want) {
				t.Errorf("%s: %s differs from that of the files", name, artifact)
			}
		}
	}
}
