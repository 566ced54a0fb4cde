//go:build linux || darwin

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// terminal is a program that runs at a terminal, and what it has shown.
type terminal struct {
	t     *testing.T
	tty   *os.File
	cmd   *exec.Cmd
	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // of shown, by await
}

func startTerminal(t *testing.T, env []string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's binary is trailscan when it is called so.
	link := filepath.Join(t.TempDir(), "trailscan")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: exec.Command(link, args...)}
	x.cmd.Env = append(append(os.Environ(), "TERM=xterm"), env...)
	if x.tty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := x.tty.Read(buf)
			x.mu.Lock()
			x.shown.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		x.tty.Close()
	})
	return x
}

func (x *terminal) write(text string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, text); err != nil {
		x.t.Fatal(err)
	}
}

// await waits until a text is shown, after the last that was awaited.
func (x *terminal) await(text string) {
	x.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		x.mu.Lock()
		i := strings.Index(x.shown.String()[x.seen:], text)
		if i >= 0 {
			x.seen += i + len(text)
		}
		x.mu.Unlock()
		if i >= 0 {
			return
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.t.Fatalf("%q is not shown; what is, after what was awaited:\n%q", text, x.shown.String()[x.seen:])
}

// TestQueryShell types at the prompt as a person does.
func TestQueryShell(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "case.duckdb")
	c, err := query.Open(t.Context(), path, query.Options{Mode: query.Create})
	if err != nil {
		t.Fatal(err)
	}
	casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, source_id, record_index)
		SELECT 'e' || i, TIMESTAMP '2026-09-14', 's3.amazonaws.com', 'GetObject', 1, i FROM range(200) r(i)`)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	x := startTerminal(t, []string{"XDG_STATE_HOME=" + dir, "PAGER=head -n 1; echo paged", "HOME=" + dir}, "query", "--case", path)
	x.await("Ctrl-D ends")
	x.await("trailscan> ")

	x.write("SELECT count(*) AS n\r")
	x.await("...> ")
	x.write("FROM events WHERE event_na\t = 'GetO\t';\r") // completed twice
	x.await("200")
	x.await("trailscan> ")

	// Somebody else writes while the prompt waits.
	if c, err = query.Open(t.Context(), path, query.Options{Mode: query.ReadWrite}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	x.write("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b;\r")
	time.Sleep(time.Second)
	x.write("\x03")
	x.await("interrupted")
	x.await("trailscan> ")
	x.write("SELECT 'half a stat\x03")
	x.await("trailscan> ")
	x.write("SELECT event_id FROM events ORDER BY record_index;\r")
	x.await("event_id")
	x.await("paged")
	x.write("DELETE FROM records;\r")
	x.await("add --write")
	x.write("\x1b[A\r") // the last one again
	x.await("add --write")
	x.write("SELECT 1 FORM x;\r")
	x.await("^")
	x.await("trailscan> ")
	x.write("\x04")
	if err := x.cmd.Wait(); err != nil {
		t.Error(err)
	}
	history, err := os.ReadFile(filepath.Join(dir, "trailscan", "history"))
	if err != nil || !strings.Contains(string(history), "SELECT count(*) AS n FROM events WHERE event_name = 'GetObject';\n") {
		t.Errorf("the history is %q: %v", history, err)
	}
}

// TestQueryShellEndsWithSIGTERM gives the terminal back.
func TestQueryShellEndsWithSIGTERM(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "case.duckdb")
	c, err := query.Open(t.Context(), path, query.Options{Mode: query.Create})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	x := startTerminal(t, []string{"XDG_STATE_HOME=" + dir, "HOME=" + dir}, "query", "--case", path)
	x.await("trailscan> ")
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.await("interrupted")
	if err := x.cmd.Wait(); err == nil {
		t.Error("the status is 0")
	}
}
