package remediate

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/internal/mototest"
)

// do makes a move, as the intruder or one of its sessions, and keeps what it
// made. A call that is refused stands in the log as such.
func (c *choice) do(m move) (done bool) {
	c.n++
	in := m.in(c)
	if in == nil {
		return false
	}
	out, err := c.Call(c.ctx, c.intruder, home, m.call, in)
	if err != nil {
		if errorCode(err) == "" {
			c.t.Errorf("moto broke down: %v", err)
		}
		return false
	}
	switch {
	case m.kind == "":
	case m.name == "":
		for _, k := range []string{"Name", "Bucket", "ClusterName"} {
			if v, ok := in[k].(string); ok {
				c.things[m.kind] = append(c.things[m.kind], v)
			}
		}
	default:
		c.things[m.kind] = append(c.things[m.kind], text(c.t, out, m.name))
	}
	if m.call == "iam:UpdateUser" {
		i := slices.Index(c.things["user"], "carol")
		c.things["user"][i] = in["NewUserName"].(string)
	}
	return true
}

// lawless are things that the plan leaves to a person: the intruder ended them,
// and no call brings back what they were.
func lawless(p *Plan, thing string) bool {
	words := strings.Fields(thing)
	name := words[len(words)-1]
	if words[0] == "object" {
		name = words[1] // DeleteObjects is recorded without their names
	}
	return slices.ContainsFunc(p.Actions, func(a Action) bool {
		return (a.Mode == Manual || a.Phase == Restore) && (strings.Contains(a.Title, name) || leaves(a.Parameters)[name])
	})
}

// checkIntrusion settles an account, lets it be intruded upon, plans and applies,
// and looks for what was left behind and what is missing.
func checkIntrusion(ctx context.Context, t fails, proxy *mototest.Proxy, draw func(kind string, from []string) string, dir string, intrude func(*choice)) {
	proxy.Forget()
	e := settle(ctx, t, proxy.URL)
	start := photograph(e.ctx, t, e.Recorder)
	intrude(&choice{estate: e, t: t, draw: draw})
	before := photograph(e.ctx, t, e.Recorder)
	p := e.planFor(t, dir)
	x := motoExecutor(e.ctx, t, proxy.URL, filepath.Join(dir, "plan.journal.ndjson"))
	for _, only := range [][]string{nil, reviewed(p)} {
		if only != nil && len(only) == 0 {
			continue
		}
		r, err := x.Apply(e.ctx, p, Selection{Only: only})
		if err != nil {
			t.Fatalf("apply: %v", err)
		}
		for _, o := range r.Outcomes {
			a := p.action(o.Action)
			if (o.Status == Failed || o.Status == Drift) && !(mototest.Unfelt(a.Service, a.Operation) && strings.Contains(o.Message, "does not hold")) {
				t.Errorf("%s: %s: %s", o.Action, o.Status, o.Message)
			}
		}
	}
	after := photograph(e.ctx, t, e.Recorder)
	for thing := range after {
		// KMS keeps a key for a week at least: it is disabled.
		disabled := strings.HasPrefix(thing, "key ") && strings.HasPrefix(after[thing], `["Disabled"`)
		if _, own := start[thing]; !own && !disabled && !(strings.HasPrefix(thing, "object ") && lawless(p, thing)) {
			t.Errorf("left behind: %s", thing)
		}
	}
	for thing := range start {
		_, there := after[thing]
		_, survived := before[thing]
		if !there && (survived || !lawless(p, thing)) {
			t.Errorf("missing: %s", thing)
		}
	}
}

// propertyTime bounds the property in CI; checks are few elsewhere.
const propertyTime = 60 * time.Second

// TestMotoAnyIntrusion undoes random intrusions on an implementation that is not
// ours: nothing that the intruder made is left, nothing of the owner is missing.
func TestMotoAnyIntrusion(t *testing.T) {
	url := mototest.Start(t)
	mototest.Isolate(t)
	proxy := mototest.NewProxy(t, url)
	seeded(t, 1, 8)
	ctx := t.Context()
	deadline := time.Now().Add(propertyTime)
	rapid.Check(t, func(t *rapid.T) {
		if time.Now().After(deadline) {
			return // the rest waits for the next run
		}
		mototest.Reset(t, url)
		dir, err := os.MkdirTemp("", "moto")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		picks := rapid.SliceOfN(rapid.IntRange(0, len(moves)-1), 3, 25).Draw(t, "moves")
		draw := func(kind string, from []string) string { return rapid.SampledFrom(from).Draw(t, kind) }
		checkIntrusion(ctx, t, proxy, draw, dir, func(c *choice) {
			for _, i := range picks {
				if c.do(moves[i]) {
					t.Logf("%s", moves[i].call)
				}
			}
		})
	})
}

// TestMotoEveryMove makes each move once, on the owner's things and, in CI, on the
// newest of a kind: moto has all of them, and all are undone.
func TestMotoEveryMove(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestMotoAnyIntrusion runs the same code")
	}
	for name, draw := range map[string]func(string, []string) string{
		"on what it made":   func(_ string, from []string) string { return from[len(from)-1] },
		"on what was there": func(_ string, from []string) string { return from[0] },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "on what it made" && os.Getenv("CI") == "" {
				t.Skip("the other run makes the same moves; CI is not set")
			}
			url := mototest.Start(t)
			mototest.Isolate(t)
			checkIntrusion(t.Context(), t, mototest.NewProxy(t, url), draw, t.TempDir(), func(c *choice) {
				for _, m := range moves {
					if !c.do(m) {
						t.Logf("%s is refused", m.call)
					}
				}
			})
		})
	}
}

// TestMotoEventsAreListed holds the list of what the property covers to its moves.
func TestMotoEventsAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "moto_events.txt"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		event, what, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		if undoTable[event] == nil && exposureTable[event] == nil && what == "covered" {
			t.Errorf("the undo table has no %s", event)
		}
		listed[event] = what == "covered"
	}
	made := map[string]bool{}
	for _, m := range moves {
		event := mototest.EventOf(m.call)
		if made[event] = true; !listed[event] {
			t.Errorf("%s is not listed as covered", event)
		}
	}
	for event, covered := range listed {
		if covered && !made[event] {
			t.Errorf("%s is listed as covered, and no move makes it", event)
		}
	}
}

// seeded makes rapid's choices the same each time, and its checks few.
func seeded(t *testing.T, few, many int) {
	t.Helper()
	for name, value := range map[string]string{"rapid.seed": "7", "rapid.checks": strconv.Itoa(few), "rapid.shrinktime": "20s", "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		if f == nil {
			t.Fatalf("rapid has no flag %s", name)
		}
		set := false
		flag.Visit(func(v *flag.Flag) { set = set || v.Name == name })
		if set {
			continue // by who runs the test
		}
		if name == "rapid.checks" && os.Getenv("CI") != "" && !testing.Short() {
			value = strconv.Itoa(many)
		}
		if name == "rapid.checks" && testing.Short() {
			value = "5" // of which rapid makes one
		}
		old := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Value.Set(old); err != nil {
				t.Error(err)
			}
		})
	}
}
