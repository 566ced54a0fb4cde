package reports

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The page as a browser understands it: every section is there, and hostile text
// has become neither an element nor a script that ran.
func TestBrowserShowsTheReport(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("neither chromium nor google-chrome is installed")
	}
	inc, _ := hostileIncident()
	dir := t.TempDir()
	page := filepath.Join(dir, "report.html")
	f, err := os.Create(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := HTML(f, inc, time.UTC); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	shot := filepath.Join(dir, "shot.png")
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + filepath.Join(dir, "profile")}
	run := func(more ...string) string {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, browser, append(append(args, more...), "file://"+page)...).Output()
		if ctx.Err() != nil {
			t.Skip("the browser did not finish within a minute on this machine")
		}
		if err != nil {
			t.Fatalf("%s: %v", browser, err)
		}
		return string(out)
	}
	dom := run("--dump-dom")
	for _, id := range []string{"summary", "coverage", "gaps", "scope", "timeline", "lineage", "findings", "plan", "assessment"} {
		if !strings.Contains(dom, `id="`+id+`"`) {
			t.Errorf("the page has no section %s", id)
		}
	}
	for _, element := range []string{"<script", "<img", "<iframe", "ZgotmplZ"} {
		if strings.Contains(dom, element) {
			t.Errorf("the page has %s", element)
		}
	}
	if n := strings.Count(dom, `<rect class="bar`); n != 8 {
		t.Errorf("%d bars in the charts, want 8", n)
	}
	if n := strings.Count(dom, `<rect class="silent"`); n != 2 {
		t.Errorf("%d silences in the coverage, want the account's in its 2 regions", n)
	}
	run("--screenshot="+shot, "--window-size=1200,2000")
	if info, err := os.Stat(shot); err != nil || info.Size() < 10_000 {
		t.Errorf("no picture of the page: %v", err)
	}
}
