package remediate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOnly(t *testing.T) {
	p := ofMallory(t, append([]Action{denyAlice}, append(slices.Clone(evictMallory), do("ask", Restore, Manual, Call{}))...)...)
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
			r, err := b.exec.Apply(context.Background(), p, Selection{Only: c.only})
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
	if _, err := b.exec.Apply(context.Background(), p, Selection{Only: []string{"keys"}}); !errors.Is(err, ErrSelection) {
		t.Errorf("error %v", err)
	}
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	wantStatus(t, b.apply(t, p, "keys"), "keys", Done)
}

func TestAutoLeavesReviewAlone(t *testing.T) {
	b := newBench(t)
	p := seal(t, append([]Action{denyAlice}, evictMallory...)...)
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	if got := Irreversible(must(p.Select(Selection{Only: []string{"user", "deny-alice"}}))); len(got) != 1 || got[0].ID != "user" {
		t.Errorf("irreversible: %v", got)
	}
}

func TestSelect(t *testing.T) {
	p := seal(t, denyAlice, disableKey, revokeDeploy, evictMallory[0], closeTrust,
		do("ask", Restore, Manual, Call{}), do("new-key", Restore, Review, iamCall("CreateAccessKey", "UserName", "alice")))
	for name, c := range map[string]struct {
		given Selection
		want  string
		err   string
	}{
		"automatic":            {Selection{}, "deny-alice disable-key revoke-deploy close-trust", ""},
		"a phase":              {Selection{Phases: []Phase{Contain}}, "deny-alice disable-key", ""},
		"two phases":           {Selection{Phases: []Phase{Recover, Contain}}, "deny-alice disable-key close-trust", ""},
		"review stays out":     {Selection{Phases: []Phase{Evict, Restore}}, "", ""},
		"skip":                 {Selection{Skip: []string{"disable-key", "login"}}, "deny-alice revoke-deploy close-trust", ""},
		"phase and skip":       {Selection{Phases: []Phase{Contain}, Skip: []string{"deny-alice"}}, "disable-key", ""},
		"only":                 {Selection{Only: []string{"new-key", "login"}}, "login new-key", ""},
		"only of a phase":      {Selection{Only: []string{"login"}, Phases: []Phase{Evict}}, "login", ""},
		"only of another":      {Selection{Only: []string{"login"}, Phases: []Phase{Contain}}, "", "login is of phase evict"},
		"only and skip":        {Selection{Only: []string{"login"}, Skip: []string{"login"}}, "", "to be run and to be skipped"},
		"a person's":           {Selection{Only: []string{"ask"}}, "", "for a person"},
		"an unknown phase":     {Selection{Phases: []Phase{"contian"}}, "", "no phase"},
		"an unknown id":        {Selection{Skip: []string{"nothing"}}, "", `no action "nothing"`},
		"a person's, left out": {Selection{Skip: []string{"ask"}}, "deny-alice disable-key revoke-deploy close-trust", ""},
	} {
		t.Run(name, func(t *testing.T) {
			actions, err := p.Select(c.given)
			var ids []string
			for _, a := range actions {
				ids = append(ids, a.ID)
			}
			if got := strings.Join(ids, " "); got != c.want || c.err == "" && err != nil {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
			if c.err != "" && (!errors.Is(err, ErrSelection) || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestWhatWaitsForTheUnselected shows that a skipped action holds back what
// depends on it, and that a phase out of turn is a failure.
func TestWhatWaitsForTheUnselected(t *testing.T) {
	p := seal(t, denyAlice, revokeDeploy.with(func(a *Action) { a.DependsOn = []string{"deny-alice"} }))
	for name, c := range map[string]struct {
		given  Selection
		says   string
		failed bool
	}{
		"skipped": {Selection{Skip: []string{"deny-alice"}}, "deny-alice (skipped)", false},
		"phase":   {Selection{Phases: []Phase{Revoke}}, "deny-alice (not run)", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := must(b.exec.Apply(context.Background(), p, c.given))
			wantStatus(t, r, "revoke-deploy", Blocked)
			if r.Failed() != c.failed || !strings.Contains(r.Outcomes[0].Message, c.says) {
				t.Errorf("failed %v: %v", r.Failed(), r.Outcomes)
			}
			b.things["user/alice/inline/deny"] = denyAll // by hand
			wantStatus(t, must(b.exec.Apply(context.Background(), p, c.given)), "revoke-deploy", Done)
		})
	}
}
