package lineage

import (
	"fmt"
	"slices"
	"strings"
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
	hostile bool // in the intruder's hands
	tainted bool // hostile, and the logs show that it descends from the key
	dead    bool
	off     bool
}

// outside is the account of which there may be no log.
const outside = "444455556666"

// world makes up a history and knows what of it descends from the leaked key's
// misuse, as far as the logs show.
type world struct {
	oneLog bool // of two accounts
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
	off    map[string]bool // long-term keys that are disabled or whose user is gone
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
	}
	if a.hostile {
		e.from, e.ua = away, kali
	}
	return e
}

// log writes a call by somebody, and reports whether there is a log that has it.
func (w *world) log(e event, tainted bool) bool {
	if w.oneLog && e.account == outside {
		return false
	}
	w.events = append(w.events, e)
	if tainted {
		w.taint[e.id] = true
	}
	return true
}

// do is one call by an actor, of which a log may be lost.
func (w *world) do(a *actor, e event) (shown bool) { return w.log(a.event(w, e), a.tainted) }

// isLost says whether the record of an issue is in none of the logs.
func (w *world) isLost() bool { return rapid.IntRange(0, 9).Draw(w.t, "lost") == 0 }

func (w *world) add(a *actor) {
	w.actors = append(w.actors, a)
	if a.tainted {
		w.keys[a.key] = true
	}
}

// step is one call by somebody.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(w.t, "seconds")) * time.Second)
	living := slices.DeleteFunc(slices.Clone(w.actors), func(a *actor) bool { return a.dead || a.off })
	a := rapid.SampledFrom(living).Draw(w.t, "actor")
	if rapid.Bool().Draw(w.t, "latest") { // chains grow long
		a = living[len(living)-1]
	}
	switch rapid.SampledFrom([]string{"use", "assume", "assume", "cross", "token", "fail", "switch"}).Draw(w.t, "what") {
	case "use":
		w.do(a, event{})
	case "assume":
		w.assume(a, a.account)
	case "cross":
		w.assume(a, map[string]string{account: outside, outside: account}[a.account])
	case "token":
		w.token(a)
	case "fail":
		w.do(a, event{call: "sts:AssumeRole", fails: true, issues: w.id("ASIA")})
	case "switch":
		w.switchKey(a, living)
	}
	name := rapid.SampledFrom([]string{"bob", "carol", "dave"}).Draw(w.t, "name")
	if a.account != account {
		return
	}
	switch u := w.users[name]; rapid.SampledFrom([]string{"", "", "", "key", "user", "delete", "stray"}).Draw(w.t, "what of a user") {
	case "key":
		if u != nil {
			w.makeKey(a, name, u)
		}
	case "user":
		if u == nil {
			w.makeUser(a, name)
		}
	case "delete":
		if u != nil && a.user != name {
			w.deleteUser(a, name)
		}
	case "stray": // its issue is not in the logs
		if u != nil {
			b := &actor{key: w.id("ASIA"), user: name, turn: u.turn, account: account, created: w.at(), tainted: u.tainted}
			w.add(b)
			w.do(b, event{})
		}
	}
}

// token has a user's session made. Where the log has lost that, it is still
// known for one of a created user, and by where it is used from for one of a
// user of whom the lineage has a key.
func (w *world) token(a *actor) {
	if a.role != "" {
		return
	}
	b := &actor{key: w.id("ASIA"), user: a.user, turn: a.turn, account: a.account, created: w.at(), hostile: a.hostile, tainted: a.tainted}
	lost := w.isLost()
	if !lost {
		w.do(a, event{call: "sts:GetSessionToken", issues: b.key})
	}
	w.add(b)
	if lost {
		w.do(b, event{})
	}
}

// makeKey makes a long-term key for a user. Where the log has lost that, only
// the key of a user that the lineage created is known to be the lineage's.
func (w *world) makeKey(a *actor, name string, u *madeUser) {
	b := &actor{key: w.id("AKIA"), user: name, turn: u.turn, account: account, hostile: a.hostile, tainted: a.tainted || u.tainted}
	lost := w.isLost()
	if lost {
		b.tainted = u.tainted
	} else {
		w.do(a, event{call: "iam:CreateAccessKey", issues: b.key, request: `{"userName":"` + name + `"}`})
	}
	w.add(b)
	if lost {
		w.do(b, event{})
	}
}

func (w *world) makeUser(a *actor, name string) {
	w.now = w.now.Add(3 * time.Second)
	w.turns[name]++
	u := &madeUser{w.turns[name], a.tainted}
	w.users[name] = u
	id := fmt.Sprintf("%s%d", userID(name), u.turn)
	w.do(a, event{call: "iam:CreateUser", request: `{"userName":"` + name + `"}`,
		response: `{"user":{"userId":"` + id + `","arn":"arn:aws:iam::` + account + `:user/` + name + `"}}`})
	if a.tainted {
		w.made[id] = true
	}
}

func (w *world) deleteUser(a *actor, name string) {
	w.now = w.now.Add(3 * time.Second)
	delete(w.users, name)
	w.do(a, event{call: "iam:DeleteUser", request: `{"userName":"` + name + `"}`})
	for _, b := range w.actors {
		if b.user == name {
			b.dead, w.off[b.key] = true, true
		}
	}
	w.now = w.now.Add(3 * time.Second)
}

// switchKey disables a long-term key, or enables it again. One that the lineage
// enables is the lineage's from then on.
func (w *world) switchKey(a *actor, living []*actor) {
	var keys []*actor
	for _, b := range w.actors {
		if strings.HasPrefix(b.key, "AKIA") && b.user != "" && b.user != "admin" && !b.dead && b != a {
			keys = append(keys, b)
		}
	}
	if len(keys) == 0 || a.account != account || len(living) < 4 {
		return
	}
	b := rapid.SampledFrom(keys).Draw(w.t, "switched")
	b.off = !b.off
	w.off[b.key] = b.off
	status := map[bool]string{true: "Inactive", false: "Active"}[b.off]
	w.now = w.now.Add(time.Second)
	w.do(a, event{call: "iam:UpdateAccessKey", request: `{"userName":"` + b.user + `","accessKeyId":"` + b.key + `","status":"` + status + `"}`})
	if a.tainted && !b.off {
		b.tainted, w.keys[b.key] = true, true
	}
	w.now = w.now.Add(time.Second)
}

// assume takes a role, perhaps of the other account, whose log has the call
// too, without the key of the caller. A session whose issue by a key is in no log
// cannot be told from others of its role.
func (w *world) assume(a *actor, in string) *actor {
	name, session := fmt.Sprintf("Role%d", rapid.IntRange(0, 3).Draw(w.t, "role")), w.id("s")
	b := &actor{key: w.id("ASIA"), role: name + ":" + session, account: in, created: w.at(), hostile: a.hostile}
	e := event{call: "sts:AssumeRole", issues: b.key,
		request:  `{"roleArn":"arn:aws:iam::` + in + `:role/` + name + `","roleSessionName":"` + session + `"}`,
		response: `{"assumedRoleUser":{"assumedRoleId":"AROA` + strings.ToUpper(name) + `:` + session + `"}}`}
	if in != a.account {
		e.shared = w.id("shared-")
	}
	if mine := a.event(w, e); !w.isLost() {
		b.tainted = w.log(mine, a.tainted) && a.tainted
	}
	if in != a.account {
		e.at, e.id, e.key, e.account, e.identity, e.user = w.at(), w.id("event-"), "-", in, "AWSAccount", a.account
		w.log(e, b.tainted)
	}
	w.add(b)
	return b
}
