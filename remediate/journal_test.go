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
		if _, err := b.exec.Apply(context.Background(), p, nil); !errors.Is(err, ErrJournalBusy) {
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
		if _, err := b.exec.Apply(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("error %v", err)
		}
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
