package remediate

import (
	"context"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
)

// TestDryRunOnlyReads shows that a dry run tells what the next apply does, calls
// nothing that writes and leaves no journal.
func TestDryRunOnlyReads(t *testing.T) {
	b := newBench(t)
	b.things["user/alice/inline/deny"] = denyAll
	b.things["user/mallory"] = "AIDAOTHER00000000000"
	p := seal(t, denyAlice, disableKey, revokeDeploy, evictMallory[0], closeTrust)
	dry := func(s Selection) *Report {
		t.Helper()
		r, err := b.exec.DryRun(context.Background(), p, s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := dry(Selection{})
	wantStatus(t, r, "deny-alice", AlreadyDone, "disable-key", WouldDo, "revoke-deploy", WouldDo, "close-trust", WouldDo)
	if r.Failed() || !strings.Contains(r.Outcomes[1].Message, "iam:UpdateAccessKey; there is now Active") {
		t.Errorf("%v", r.Outcomes)
	}
	wantStatus(t, dry(Selection{Only: []string{"login"}}), "login", Drift)
	if _, err := os.Stat(b.exec.Journal); !errors.Is(err, os.ErrNotExist) || len(b.log) > 0 {
		t.Errorf("journal %v, calls %v", err, b.log)
	}

	// What an earlier run left open is judged and not settled.
	before := maps.Clone(b.things)
	b.hook = func(c Call, after bool) error {
		if c.Operation == "UpdateAccessKey" && after {
			panic(killed{})
		}
		return nil
	}
	if !until(func() { _, _ = b.exec.Apply(context.Background(), p, Selection{}) }) {
		t.Fatal("not killed")
	}
	b.hook = nil
	text := string(must(os.ReadFile(b.exec.Journal)))
	wantStatus(t, dry(Selection{}), "deny-alice", AlreadyDone, "disable-key", AlreadyDone, "revoke-deploy", WouldDo, "close-trust", WouldDo)
	back, err := b.exec.DryRollback(context.Background(), b.exec.Journal)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, back, "disable-key", WouldDo)
	if string(must(os.ReadFile(b.exec.Journal))) != text || len(b.log) != 1 {
		t.Errorf("the dry run changed the journal, or called %v", b.log)
	}
	wantStatus(t, b.rollback(t), "disable-key", Done)
	if !maps.Equal(b.things, before) {
		t.Errorf("after the rollback %v", b.things)
	}
}
