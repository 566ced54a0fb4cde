package remediate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOnly(t *testing.T) {
	p := seal(t, append([]Action{denyAlice}, append(slices.Clone(evictMallory), do("ask", Restore, Manual, Call{}))...)...)
	for name, c := range map[string]struct {
		only []string
		err  string
	}{
		"unknown":            {[]string{"nothing"}, `no action "nothing"`},
		"manual":             {[]string{"ask"}, "for a person"},
		"dependency missing": {[]string{"user"}, "neither done nor named"},
		"all named":          {[]string{"user", "login", "keys", "detach", "inline"}, ""},
		"one":                {[]string{"keys"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r, err := b.exec.Apply(context.Background(), p, c.only)
			if c.err == "" && (err != nil || r.Failed() || len(r.Outcomes) != len(c.only)) {
				t.Errorf("%v, %v", r, err)
			}
			if c.err != "" && (!errors.Is(err, ErrSelection) || !strings.Contains(err.Error(), c.err) || len(b.log) > 0) {
				t.Errorf("error %v, calls %v", err, b.log)
			}
		})
	}
}

func TestDependencyDoneBefore(t *testing.T) {
	b := newBench(t)
	p := seal(t, append([]Action{denyAlice}, evictMallory...)...)
	b.apply(t, p, "login", "keys", "detach", "inline")
	wantStatus(t, b.apply(t, p, "user"), "user", Done)
	wantStatus(t, b.apply(t, p, "user", "keys"), "user", AlreadyDone, "keys", AlreadyDone)
	for k := range b.things {
		if strings.HasPrefix(k, "user/mallory") {
			t.Errorf("%s is still there", k)
		}
	}
	wantStatus(t, b.rollback(t), "login", NotExecuted, "keys", NotExecuted, "detach", NotExecuted, "inline", NotExecuted, "user", NotExecuted)
}

// TestDependencyMustStillHold shows that the journal's word is not enough for a
// deny that someone has taken off since.
func TestDependencyMustStillHold(t *testing.T) {
	b := newBench(t)
	keys := evictMallory[1].with(func(a *Action) { a.DependsOn = []string{"deny-alice"} })
	p := seal(t, denyAlice, keys)
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	delete(b.things, "user/alice/inline/deny")
	if _, err := b.exec.Apply(context.Background(), p, []string{"keys"}); !errors.Is(err, ErrSelection) {
		t.Errorf("error %v", err)
	}
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	wantStatus(t, b.apply(t, p, "keys"), "keys", Done)
}

func TestAutoLeavesReviewAlone(t *testing.T) {
	b := newBench(t)
	p := seal(t, append([]Action{denyAlice}, evictMallory...)...)
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	if got := Irreversible(must(p.Select([]string{"user", "deny-alice"}))); len(got) != 1 || got[0].ID != "user" {
		t.Errorf("irreversible: %v", got)
	}
}
