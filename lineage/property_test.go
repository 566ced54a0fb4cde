package lineage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// actor is a credential of a made-up history.
type actor struct {
	key     string
	user    string // name, and the number of users that had it before
	turn    int
	role    string
	account string
	created string
	tainted bool
	dead    bool
}

// world makes up a history and knows what of it descends from the leaked key's
// misuse.
type world struct {
	t      *rapid.T
	now    time.Time
	n      int
	actors []*actor
	users  map[string]*madeUser // by name
	turns  map[string]int
	events []event
	taint  map[string]bool // events
	keys   map[string]bool // credentials
	made   map[string]bool // ids of created users
}

type madeUser struct {
	turn    int
	tainted bool
}

func (w *world) at() string {
	days := int(w.now.Sub(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)).Hours()) / 24
	return fmt.Sprintf("%dd %s", days, w.now.Format(time.TimeOnly))
}

func (w *world) id(prefix string) string {
	w.n++
	return fmt.Sprintf("%s%06d", prefix, w.n)
}

// name is the user as write spells it: a user made again under the same name
// has the same name and another id.
func (a *actor) event(w *world, e event) event {
	e.at, e.id, e.key, e.role, e.created, e.account = w.at(), w.id("event-"), a.key, a.role, a.created, a.account
	e.user = a.user
	e.turn = a.turn
	if a.key == leaked {
		e.from, e.ua = home, cli
		if a.tainted {
			e.from, e.ua = away, kali
		}
	}
	if a.tainted {
		w.taint[e.id] = true
	}
	return e
}

func (w *world) add(a *actor) {
	w.actors = append(w.actors, a)
	if a.tainted {
		w.keys[a.key] = true
	}
}

// step is one call by somebody.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(w.t, "seconds")) * time.Second)
	living := slices.DeleteFunc(slices.Clone(w.actors), func(a *actor) bool { return a.dead })
	a := rapid.SampledFrom(living).Draw(w.t, "actor")
	if rapid.Bool().Draw(w.t, "latest") { // chains grow long
		a = living[len(living)-1]
	}
	switch rapid.SampledFrom([]string{"use", "assume", "assume", "cross", "token", "fail", "key", "user", "delete", "stray"}).Draw(w.t, "what") {
	case "use":
		w.events = append(w.events, a.event(w, event{}))
	case "assume":
		w.assume(a, a.account)
	case "cross":
		other := account
		if a.account == account {
			other = "444455556666"
		}
		w.assume(a, other)
	case "token":
		if a.role != "" {
			return
		}
		issued := w.id("ASIA")
		w.events = append(w.events, a.event(w, event{call: "sts:GetSessionToken", issues: issued}))
		w.add(&actor{key: issued, user: a.user, turn: a.turn, account: a.account, created: w.at(), tainted: a.tainted})
	case "fail":
		w.events = append(w.events, a.event(w, event{call: "sts:AssumeRole", fails: true, issues: w.id("ASIA")}))
	case "key":
		name := rapid.SampledFrom([]string{"bob", "carol", "dave"}).Draw(w.t, "name")
		u := w.users[name]
		if u == nil || a.account != account {
			return
		}
		issued := w.id("AKIA")
		w.events = append(w.events, a.event(w, event{call: "iam:CreateAccessKey", issues: issued, request: `{"userName":"` + name + `"}`}))
		w.add(&actor{key: issued, user: name, turn: u.turn, account: account, tainted: a.tainted || u.tainted})
	case "user":
		name := rapid.SampledFrom([]string{"bob", "carol", "dave"}).Draw(w.t, "name")
		if w.users[name] != nil || a.account != account {
			return
		}
		w.now = w.now.Add(3 * time.Second)
		w.turns[name]++
		u := &madeUser{w.turns[name], a.tainted}
		w.users[name] = u
		id := fmt.Sprintf("%s%d", userID(name), u.turn)
		w.events = append(w.events, a.event(w, event{call: "iam:CreateUser", request: `{"userName":"` + name + `"}`,
			response: `{"user":{"userId":"` + id + `","arn":"arn:aws:iam::` + account + `:user/` + name + `"}}`}))
		if a.tainted {
			w.made[id] = true
		}
	case "delete":
		name := rapid.SampledFrom([]string{"bob", "carol", "dave"}).Draw(w.t, "name")
		if w.users[name] == nil || a.account != account || a.user == name {
			return
		}
		w.now = w.now.Add(3 * time.Second)
		delete(w.users, name)
		w.events = append(w.events, a.event(w, event{call: "iam:DeleteUser", request: `{"userName":"` + name + `"}`}))
		for _, b := range w.actors {
			b.dead = b.dead || b.user == name
		}
		w.now = w.now.Add(3 * time.Second)
	case "stray": // its issue is not in the logs
		name := rapid.SampledFrom([]string{"bob", "carol", "dave"}).Draw(w.t, "name")
		u := w.users[name]
		if u == nil {
			return
		}
		b := &actor{key: w.id("ASIA"), user: name, turn: u.turn, account: account, created: w.at(), tainted: u.tainted}
		w.add(b)
		w.events = append(w.events, b.event(w, event{}))
	}
}

// assume takes a role, perhaps of the other account, whose log has the call
// too.
func (w *world) assume(a *actor, other string) {
	role := fmt.Sprintf("Role%d:%s", rapid.IntRange(0, 3).Draw(w.t, "role"), w.id("s"))
	issued := w.id("ASIA")
	name, session, _ := strings.Cut(role, ":")
	e := event{call: "sts:AssumeRole", issues: issued,
		request:  `{"roleArn":"arn:aws:iam::` + other + `:role/` + name + `","roleSessionName":"` + session + `"}`,
		response: `{"assumedRoleUser":{"assumedRoleId":"AROA` + strings.ToUpper(role) + `"}}`}
	if other != a.account {
		e.shared = w.id("shared-")
	}
	mine := a.event(w, e)
	w.events = append(w.events, mine)
	if other != a.account {
		theirs := e
		theirs.at, theirs.id, theirs.key, theirs.account, theirs.identity, theirs.user = mine.at, w.id("event-"), "-", other, "AWSAccount", a.account
		w.events = append(w.events, theirs)
		w.taint[theirs.id] = a.tainted
	}
	w.add(&actor{key: issued, role: role, account: other, created: w.at(), tainted: a.tainted})
}

// TestClosureOfRandomHistories compares the lineage of made-up histories with
// what their maker knows: every credential and event that descends, and none
// else.
func TestClosureOfRandomHistories(t *testing.T) {
	c := newCase(t)
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := c.DB.Exec(`DELETE FROM records`); err != nil {
			rt.Fatal(err)
		}
		w := &world{t: rt, now: *clock("0d 09:00:00"), users: map[string]*madeUser{}, turns: map[string]int{},
			taint: map[string]bool{}, keys: map[string]bool{leaked: true}, made: map[string]bool{}}
		owner := &actor{key: leaked, account: account}
		w.add(owner)
		admin := &actor{key: "AKIAADMIN", user: "admin", account: account}
		w.add(admin)
		for range rapid.IntRange(0, 10).Draw(rt, "everyday steps") {
			w.step()
		}
		// Enough history of the owner's, whatever was drawn.
		w.events = append(w.events, owner.event(w, event{}))
		w.now = *clock("1d 12:00:00")
		w.events = append(w.events, owner.event(w, event{}))
		w.now = *clock("2d 12:00:00")
		intruder := &actor{key: leaked, account: account, tainted: true}
		w.add(intruder)
		w.events = append(w.events, intruder.event(w, event{call: "sts:GetCallerIdentity"}))
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			w.step()
		}
		write(t, c, w.events...)

		l, err := Trace(t.Context(), c, []string{leaked}, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		keys := map[string]bool{}
		for _, d := range l.Credentials {
			for _, id := range d.AccessKeyIDs {
				keys[id] = true
			}
			if d.ID != leaked && timeOf(d.IssuedAt).Before(l.CompromisedSince) {
				rt.Errorf("%s was issued at %s, before the misuse", d.ID, d.IssuedAt)
			}
		}
		if !maps.Equal(keys, w.keys) {
			rt.Errorf("credentials: got %v, want %v", sorted(keys), sorted(w.keys))
		}
		maps.DeleteFunc(w.taint, func(_ string, v bool) bool { return !v })
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
	})
}
