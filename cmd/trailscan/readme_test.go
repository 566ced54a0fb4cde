package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README shows what its first command really prints.
func TestReadmeShowsTheRealSummary(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "\n```\nLoaded ")
	shown, _, found := strings.Cut(shown, "```\n")
	if !found {
		t.Fatal("the README has no block that begins with Loaded")
	}
	_, command, _ := strings.Cut(string(readme), "./trailscan investigate ")
	command, _, _ = strings.Cut(command, "\n")
	args := strings.Fields("investigate " + command)
	args[1] = filepath.Join(root, args[1])

	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); status != exitDone {
		t.Fatalf("%s: exit status %d: %s", strings.Join(args, " "), status, stderr.String())
	}
	// The incident's truth.json lies among its logs and is none.
	if said := strings.TrimSpace(stderr.String()); strings.Count(said, "\n") > 0 || !strings.Contains(said, "truth.json") {
		t.Errorf("the command says %s", said)
	}
	if got, want := stdout.String(), "Loaded "+shown; got != want {
		t.Errorf("the README's excerpt is out of date; the command prints\n%s", got)
	}
}
