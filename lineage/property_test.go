package lineage

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// history makes up the everyday use of a key, its misuse, and more of both.
func history(t *rapid.T) *world {
	w := &world{t: t, now: *clock("0d 09:00:00"), users: map[string]*madeUser{}, turns: map[string]int{},
		taint: map[string]bool{}, keys: map[string]bool{leaked: true}, made: map[string]bool{}, off: map[string]bool{},
		oneLog: rapid.IntRange(0, 3).Draw(t, "one log") == 0}
	owner := &actor{key: leaked, account: account}
	w.add(owner)
	w.add(&actor{key: "AKIAADMIN", user: "admin", account: account})
	for range rapid.IntRange(0, 10).Draw(t, "everyday steps") {
		w.step()
	}
	// Enough history of the owner's, whatever was drawn.
	w.do(owner, event{})
	w.now = *clock("1d 12:00:00")
	w.do(owner, event{})
	w.now = *clock("2d 12:00:00")
	intruder := &actor{key: leaked, account: account, hostile: true, tainted: true}
	w.add(intruder)
	w.do(intruder, event{call: "sts:GetCallerIdentity"})
	session := intruder
	for range rapid.IntRange(0, 20).Draw(t, "depth") {
		session = w.assume(session, rapid.SampledFrom([]string{account, outside}).Draw(t, "account"))
	}
	for range rapid.IntRange(0, 40).Draw(t, "steps") {
		w.step()
	}
	return w
}

func TestMain(m *testing.M) { casetest.FewerChecks(m) }

// TestClosureOfRandomHistories compares the lineage of made-up histories with
// what their maker knows: every credential and event that descends, and none
// else. The same events in another order, by one thread, or traced again give
// the same lineage, and events that are there twice give no other credentials.
func TestClosureOfRandomHistories(t *testing.T) {
	c := newCase(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := history(rt)
		l := traceOf(t, rt, c, w.events)
		compare(t, rt, c, w, l)

		events, shape := slices.Clone(w.events), func(l *Lineage) any { return l }
		threads := 2
		switch rapid.SampledFrom([]string{"", "", "order", "threads", "twice", "again"}).Draw(rt, "other way") {
		case "":
			return
		case "order":
			events = rapid.Permutation(events).Draw(rt, "order")
		case "threads":
			threads = 1
		case "twice":
			events, shape = append(events, events...), withoutCounts
		}
		if _, err := c.DB.Exec(fmt.Sprintf(`SET threads = %d`, threads)); err != nil {
			rt.Fatal(err)
		}
		other := traceOf(t, rt, c, events)
		if !reflect.DeepEqual(shape(l), shape(other)) {
			rt.Errorf("the lineage depends on how it was made:\n%+v\n%+v", shape(l), shape(other))
		}
	})
}

func traceOf(t *testing.T, rt *rapid.T, c *query.Case, events []event) *Lineage {
	for _, table := range []string{"records", "identities", "contexts"} {
		if _, err := c.DB.Exec(`DELETE FROM ` + table); err != nil {
			rt.Fatal(err)
		}
	}
	write(t, c, events...)
	l, err := Trace(t.Context(), c, []string{leaked}, Options{})
	if err != nil {
		rt.Fatal(err)
	}
	return l
}

func withoutCounts(l *Lineage) any {
	plain := *l
	plain.Credentials = slices.Clone(l.Credentials)
	for i := range plain.Credentials {
		plain.Credentials[i].EventCount, plain.Credentials[i].Uses = 0, nil
	}
	return &plain
}

func compare(t *testing.T, rt *rapid.T, c *query.Case, w *world, l *Lineage) {
	keys := map[string]bool{}
	for _, d := range l.Credentials {
		for _, id := range d.AccessKeyIDs {
			keys[id] = true
		}
		if d.ID != leaked && timeOf(d.IssuedAt).Before(l.CompromisedSince) && (d.IssuedAt != nil || d.Certainty != Unexplained) {
			rt.Errorf("%s was issued at %s, before the misuse", d.ID, d.IssuedAt)
		}
		if strings.HasPrefix(d.ID, "AKIA") && d.LiveAtEnd == w.off[d.ID] {
			rt.Errorf("%s is alive: %t, want %t", d.ID, d.LiveAtEnd, !w.off[d.ID])
		}
	}
	if !maps.Equal(keys, w.keys) {
		rt.Errorf("credentials: got %v, want %v", sorted(keys), sorted(w.keys))
	}
	if events := eventIDs(t, c, `actor <> 'owner'`); !maps.Equal(events, w.taint) {
		rt.Errorf("events: got %v, want %v", sorted(events), sorted(w.taint))
	}
	made := map[string]bool{}
	for _, p := range l.Principals {
		if p.How == Created {
			made[p.PrincipalID] = true
		}
	}
	if !maps.Equal(made, w.made) {
		rt.Errorf("created: got %v, want %v", sorted(made), sorted(w.made))
	}
}
