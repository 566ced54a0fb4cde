package remediate

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestJournal(t *testing.T) {
	p := seal(t, denyAlice, disableKey)
	t.Run("busy", func(t *testing.T) {
		b := newBench(t)
		j := must(openJournal(b.exec.Journal, true, time.Now))
		if _, err := b.exec.Apply(context.Background(), p, Selection{}); !errors.Is(err, ErrJournalBusy) {
			t.Errorf("error %v", err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		b.apply(t, p)
	})
	t.Run("damaged in the middle", func(t *testing.T) {
		b := newBench(t)
		b.apply(t, p)
		text := must(os.ReadFile(b.exec.Journal))
		text[0] = 'x'
		if err := os.WriteFile(b.exec.Journal, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.exec.Apply(context.Background(), p, Selection{}); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a line is missing", func(t *testing.T) {
		b := newBench(t)
		b.apply(t, p)
		lines := strings.SplitAfter(string(must(os.ReadFile(b.exec.Journal))), "\n")
		if err := os.WriteFile(b.exec.Journal, []byte(lines[0]+lines[2]+lines[3]), 0o600); err != nil {
			t.Fatal(err)
		}
		n := len(b.log)
		for name, run := range map[string]func() error{
			"apply":    func() error { _, err := b.exec.Apply(context.Background(), p, Selection{}); return err },
			"dry run":  func() error { _, err := b.exec.DryRun(context.Background(), p, Selection{}); return err },
			"rollback": func() error { _, err := b.exec.Rollback(context.Background(), b.exec.Journal); return err },
		} {
			if err := run(); err == nil || !strings.Contains(err.Error(), "lines are missing") || len(b.log) != n {
				t.Errorf("%s: error %v", name, err)
			}
		}
	})
	t.Run("the last line is cut", func(t *testing.T) {
		b := newBench(t)
		b.apply(t, p)
		text := must(os.ReadFile(b.exec.Journal))
		if err := os.WriteFile(b.exec.Journal, text[:len(text)-40], 0o600); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", AlreadyDone)
		if n := len(b.lines(t)); n != 4 {
			t.Errorf("%d lines", n)
		}
		wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done)
	})
	t.Run("missing for a rollback", func(t *testing.T) {
		b := newBench(t)
		if _, err := b.exec.Rollback(context.Background(), b.exec.Journal); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("path", func(t *testing.T) {
		if got := JournalPath("out/plan.json"); got != "out/plan.journal.ndjson" {
			t.Error(got)
		}
	})
}
