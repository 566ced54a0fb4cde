package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// docs/queries.md has the list of saved investigations as the command prints it.
func TestDocsListTheInvestigations(t *testing.T) {
	text, err := os.ReadFile("../../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "<!-- trailscan query --list --format md -->\n")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"query", "--list", "--format", "md"}, strings.NewReader(""), &stdout, &stderr); status != exitDone || !found {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	if table != stdout.String() {
		t.Errorf("docs/queries.md is out of date: put this under its last comment:\n%s", stdout.String())
	}
}
