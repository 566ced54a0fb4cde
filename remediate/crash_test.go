package remediate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// killed is what the test throws in place of kill -9.
type killed struct{}

// until runs f, and says whether it was killed.
func until(f func()) (cut bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			cut = true
		}
	}()
	f()
	return false
}

// killAt kills at the nth call from now, before or after its effect, and says
// whether the call was a write that took effect.
func (b *bench) killAt(n int, after bool) (wrote *bool) {
	wrote = new(bool)
	b.hook = func(c Call, done bool) error {
		if done != after {
			return nil
		}
		if n--; n == 0 {
			*wrote = done && !isRead(c.Operation)
			panic(killed{})
		}
		return nil
	}
	return wrote
}

// tear cuts the last line of the journal, as a crash in a write does. A line
// that was on disk before something else happened cannot be torn.
func (b *bench) tear(t *rapid.T, wrote bool) {
	text, err := os.ReadFile(b.exec.Journal)
	if wrote || err != nil || !bytes.HasSuffix(text, []byte("\n")) || !rapid.Bool().Draw(t, "tear") {
		return
	}
	start := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	entries, _, err := readEntries(bytes.NewReader(text))
	if err != nil {
		t.Fatal("journal after a kill:", err)
	}
	if n := len(b.log); n > 0 && b.log[n-1] == entries[len(entries)-1].Operation && entries[len(entries)-1].Result == nil {
		return
	}
	keep := rapid.IntRange(start, len(text)-1).Draw(t, "keep")
	if err := os.Truncate(b.exec.Journal, int64(keep)); err != nil {
		t.Fatal(err)
	}
}

var cutoff = regexp.MustCompile(`2026-11-24T[0-9:]{8}Z`)

func withoutTimes(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = cutoff.ReplaceAllString(v, "now")
	}
	return out
}

// TestKilledAnywhere kills applies and rollbacks at any call and in any line,
// and lets them go on: the end is that of a run that nobody killed.
func TestKilledAnywhere(t *testing.T) {
	newKey := do("new-key", Restore, Review, iamCall("CreateAccessKey", "UserName", "alice"))
	tag := do("tag", Recover, Auto, iamCall("TagUser", "UserName", "alice", "Tags", []any{map[string]any{"Key": "seen", "Value": "1"}})).with(func(a *Action) {
		a.Expect = []Check{{Read: Read{iamCall("ListUserTags", "UserName", "alice"), "Tags[0].Key"}, Absent: true}}
		a.Rollback = []Call{iamCall("UntagUser", "UserName", "alice", "TagKeys", []any{"seen"})}
	})
	reversible := []Action{denyAlice, disableKey, revokeDeploy, closeTrust, tag, newKey}
	every := slices.Concat([]Action{denyAlice, disableKey, revokeDeploy}, evictMallory, []Action{closeTrust, tag, newKey})
	for name, actions := range map[string][]Action{"reversible": reversible, "all": every} {
		t.Run(name, func(t *testing.T) {
			p := ofMallory(t, actions...)
			var only []string
			for _, a := range actions {
				only = append(only, a.ID)
			}
			calm := newBench(t)
			calm.apply(t, p, only...)
			rapid.Check(t, func(rt *rapid.T) {
				b := newBench(t)
				limited := rapid.Bool().Draw(rt, "limit")
				expected := withoutTimes(calm.things)
				if limited {
					b.limit["PutUserPolicy"] = true
					delete(expected, "user/alice/inline/deny")
					expected["user/alice/attached/arn:aws:iam::aws:policy/AWSDenyAll"] = "yes"
				}
				b.stale = rapid.IntRange(0, 2).Draw(rt, "stale")
				b.runKilled(rt, func() (*Report, error) { return b.exec.Apply(context.Background(), p, Selection{Only: only}) })
				if got := withoutTimes(b.things); !maps.Equal(got, expected) {
					rt.Fatalf("after the apply:\n%v\nwant\n%v\n%v", got, expected, b.log)
				}
				if name != "reversible" {
					return
				}
				clear(b.limit)
				b.runKilled(rt, func() (*Report, error) { return b.exec.Rollback(context.Background(), b.exec.Journal) })
				if !maps.Equal(b.things, house) {
					rt.Fatalf("after the rollback:\n%v\nwant\n%v\n%v", b.things, house, b.log)
				}
			})
		})
	}
}

// runKilled runs, kills up to three times, and then lets it end.
func (b *bench) runKilled(t *rapid.T, run func() (*Report, error)) {
	for range rapid.IntRange(0, 3).Draw(t, "kills") {
		wrote := b.killAt(rapid.IntRange(1, 60).Draw(t, "at"), rapid.Bool().Draw(t, "after"))
		var err error
		if !until(func() { _, err = run() }) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		b.lag = 0 // by the time that someone starts it again
		b.tear(t, *wrote)
	}
	b.hook = nil
	r, err := run()
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed() {
		t.Fatal(fmt.Sprint(r.Outcomes))
	}
}

func TestCancelledRunStops(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	b.hook = func(c Call, after bool) error {
		if c.Operation == "PutUserPolicy" && after {
			cancel()
			return context.Canceled
		}
		return nil
	}
	p := seal(t, denyAlice, disableKey)
	if _, err := b.exec.Apply(ctx, p, Selection{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if n := len(b.lines(t)); n != 1 {
		t.Errorf("%d lines, want the before line alone", n)
	}
	b.hook = nil
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", Done)
	if n := len(b.lines(t)); n != 4 || !slices.Equal(b.log, []string{"PutUserPolicy", "UpdateAccessKey"}) {
		t.Errorf("%d lines, calls %v", n, b.log)
	}
}
