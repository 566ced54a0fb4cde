//go:build unix

package ingest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailscan/internal/scenario"
	"trailscan/query"
)

// What TestLoadOfAnotherProcess is told by, and what crashes takes.
const (
	childCase  = "TRAILSCAN_TEST_CASE"
	childLogs  = "TRAILSCAN_TEST_LOGS"
	childLimit = "TRAILSCAN_TEST_FILE_LIMIT" // bytes that a file may have
	crashCount = "TRAILSCAN_CRASHES"
)

// TestLoadOfAnotherProcess is no test but what a process runs that another test
// kills or starves: a load in groups of 1,000 records.
func TestLoadOfAnotherProcess(t *testing.T) {
	path := os.Getenv(childCase)
	if path == "" {
		t.Skip("started by the tests that need it")
	}
	if text := os.Getenv(childLimit); text != "" {
		limit, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		signal.Ignore(syscall.SIGXFSZ) // a write fails instead
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	c, err := query.Open(ctx, path, query.Options{Mode: query.Create, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(ctx, c, []string{os.Getenv(childLogs)}, Options{Threads: 2}, 1000); err != nil {
		c.Close()
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// process is a load of logs into the case at path by a process of its own.
func process(path, logs string, env ...string) (cmd *exec.Cmd, output *bytes.Buffer) {
	cmd = exec.Command(os.Args[0], "-test.run=^TestLoadOfAnotherProcess$")
	cmd.Env = append(append(os.Environ(), childCase+"="+path, childLogs+"="+logs), env...)
	output = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	return cmd, output
}

// volume is logs in which a tenth of the files stand twice.
func volume(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := (scenario.Volume{Events: 5000, Files: 50, Seed: 2}).Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := (scenario.Volume{Events: 500, Files: 5, Seed: 2}).Write(filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// undisturbed is a case that a process has loaded the logs into.
func undisturbed(t *testing.T, logs string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "whole.duckdb")
	if cmd, output := process(path, logs); cmd.Run() != nil {
		t.Fatal(output)
	}
	return path
}

// content is all that a case must hold whatever happened on the way.
func content(t *testing.T, path string) []string {
	t.Helper()
	c, err := query.Open(context.Background(), path, query.Options{Mode: query.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	consistent(t, c)
	return slices.Concat(
		dump(t, c, `SELECT * FROM events ORDER BY source_id, record_index`),
		dump(t, c, `SELECT * EXCLUDE (ingested_at) FROM sources ORDER BY source_id`),
		dump(t, c, `SELECT * FROM rejects ORDER BY ALL`))
}

// consistent checks what holds of a case at any time.
func consistent(t *testing.T, c *query.Case) {
	t.Helper()
	got := dump(t, c, `SELECT
		(SELECT count(*) FROM records) - (SELECT count(*) FROM events),
		(SELECT count(*) FROM records) - (SELECT coalesce(sum(records - duplicates), 0) FROM sources),
		(SELECT count(*) - count(DISTINCT identity_id) FROM identities) + (SELECT count(*) - count(DISTINCT context_id) FROM contexts),
		(SELECT count(*) FROM records ANTI JOIN sources USING (source_id)),
		(SELECT count(*) - count(DISTINCT (event_id, event_time, event_source, event_name, account_id)) FROM events)`)
	if got[0] != "0|0|0|0|0" {
		t.Fatalf("the case is inconsistent: %s", got[0])
	}
}

// TestKilled kills loads at random moments, from the making of the case to the
// last checkpoint. The case must open and be consistent, and the next load must
// go on to what an undisturbed one gives.
func TestKilled(t *testing.T) {
	kills := 10
	if testing.Short() {
		kills = 3
	}
	if s := os.Getenv(crashCount); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	logs := volume(t)
	start := time.Now()
	whole := undisturbed(t, logs)
	took := time.Since(start)
	want := content(t, whole)

	for finished := 0; kills > 0 || finished == 0; {
		path := filepath.Join(t.TempDir(), "case.duckdb")
		for {
			cmd, output := process(path, logs)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var timer *time.Timer
			if kills > 0 {
				timer = time.AfterFunc(rand.N(took), func() { cmd.Process.Kill() })
			}
			err := cmd.Wait()
			if timer != nil {
				timer.Stop()
			}
			if err == nil {
				break
			}
			if !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%v\n%s", err, output)
			}
			kills--
			// A query may be the first that opens it, with what is in the log beside
			// the file; it needs a case, which may not have been made yet.
			reader, readErr := query.Open(context.Background(), path, query.Options{Mode: query.ReadOnly})
			if readErr == nil {
				consistent(t, reader)
				if err := reader.Close(); err != nil {
					t.Fatal(err)
				}
			}
			c, err := query.Open(context.Background(), path, query.Options{Mode: query.Create})
			if err != nil {
				t.Fatal(err)
			}
			consistent(t, c)
			if sources := dump(t, c, `SELECT count(*) FROM sources`); readErr != nil && sources[0] != "0" {
				t.Error("cannot be opened for reading:", readErr)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		finished++
		if !slices.Equal(content(t, path), want) {
			t.Error("the case differs from one of an undisturbed load")
		}
	}
}

// TestDiskFull loads where a file may not grow past a limit and, where one may
// mount it, into a small file system.
func TestDiskFull(t *testing.T) {
	logs := volume(t)
	whole := undisturbed(t, logs)
	want := content(t, whole)
	info, err := os.Stat(whole)
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, path string, makeRoom func() []string, env ...string) {
		cmd, output := process(path, logs, env...)
		if err := cmd.Run(); err == nil {
			t.Fatal("the load ended well")
		}
		if text := output.String(); strings.Contains(text, "panic:") || strings.Contains(text, "SIG") || !strings.Contains(text, "load into case") && !strings.Contains(text, "create case") && !strings.Contains(text, "open case") {
			t.Errorf("the load says:\n%s", text)
		}
		env = makeRoom()
		if cmd, output := process(path, logs, env...); cmd.Run() != nil {
			t.Fatalf("with room again:\n%s", output)
		}
		if !slices.Equal(content(t, path), want) {
			t.Error("the case differs from one of an undisturbed load")
		}
	}
	for _, part := range []int64{20, 3, 2} {
		t.Run(fmt.Sprintf("a part of %d", part), func(t *testing.T) {
			limit := info.Size() / part
			check(t, filepath.Join(t.TempDir(), "case.duckdb"), func() []string { return nil }, fmt.Sprintf("%s=%d", childLimit, limit))
		})
	}
	t.Run("file system", func(t *testing.T) {
		dir := t.TempDir()
		mount := func(options string) error {
			return exec.Command("mount", "-t", "tmpfs", "-o", options, "trailscan-test", dir).Run()
		}
		if err := mount(fmt.Sprintf("size=%d", info.Size()/2)); err != nil {
			t.Skip("no file system can be mounted here:", err)
		}
		defer exec.Command("umount", dir).Run()
		if cmd, output := process(filepath.Join(dir, "full.duckdb"), logs); cmd.Run() == nil || !strings.Contains(output.String(), "run the same command again") {
			t.Errorf("a load without room says: %s", output)
		}
		if err := os.Remove(filepath.Join(dir, "full.duckdb")); err != nil {
			t.Fatal(err)
		}
		check(t, filepath.Join(dir, "case.duckdb"), func() []string {
			if err := mount("remount,size=1g"); err != nil {
				t.Fatal(err)
			}
			return nil
		})
	})
}

// TestTwoProcesses has two load the same logs into one case: the second waits
// for the first and finds everything there.
func TestTwoProcesses(t *testing.T) {
	logs := volume(t)
	path := filepath.Join(t.TempDir(), "case.duckdb")
	var wait [2]func() error
	var outputs [2]*bytes.Buffer
	for i := range wait {
		cmd, output := process(path, logs)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wait[i], outputs[i] = cmd.Wait, output
	}
	done := 0
	for i := range wait {
		if err := wait[i](); err == nil {
			done++
		} else if text := outputs[i].String(); !strings.Contains(text, query.ErrLocked.Error()) || !strings.Contains(text, "PID") {
			t.Errorf("%v\n%s", err, text)
		}
	}
	if done == 0 {
		t.Fatal("none ended well")
	}
	if !slices.Equal(content(t, path), content(t, undisturbed(t, logs))) {
		t.Error("the case differs from one of a single load")
	}
}
