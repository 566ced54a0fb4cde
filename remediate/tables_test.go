package remediate

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/jmespath/go-jmespath"

	"trailscan/internal/mototest"
)

// expressions are all that an undo or exposure evaluates.
func expressions(u undo) []string {
	out := slices.Clone(u.object)
	var in func(args)
	in = func(a args) {
		for _, v := range a {
			switch v := v.(type) {
			case string:
				if v != Item && v != Password {
					out = append(out, v)
				}
			case args:
				in(v)
			case []args:
				for _, e := range v {
					in(e)
				}
			}
		}
	}
	text := func(t string) {
		for _, m := range placeholder.FindAllStringSubmatch(t, -1) {
			out = append(out, m[1])
		}
	}
	for _, p := range u.prior {
		out = append(append(out, p.object...), p.value)
	}
	for _, s := range slices.Concat(u.steps, u.blind) {
		in(s.in)
		for _, b := range s.back {
			in(b.in)
		}
		text(s.title)
		if s.when[0] != "" {
			out = append(out, s.when[0])
		}
		if s.each != nil {
			in(s.each.in)
			text(s.each.path)
		}
		for _, w := range s.expect {
			in(w.in)
			if w.equals != "" {
				out = append(out, w.equals)
			}
		}
	}
	text(u.todo)
	return out
}

func allUndos() []undo {
	return slices.Concat(undoIAMUsers, undoIAMGrants, undoIAMRoles, undoIAMAccount, undoSignIn, undoLogging, undoDetection,
		undoCompute, undoNetwork, undoServerless, undoStorage, undoSecrets, undoOrganization, undoOther)
}

func TestTablesAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, u := range allUndos() {
		if seen[u.call] {
			t.Errorf("%s stands in the tables twice", u.call)
		}
		seen[u.call] = true
		if u.handled {
			continue
		}
		if len(u.steps) == 0 && u.todo == "" {
			t.Errorf("%s says neither what to call nor what to do", u.call)
		}
		if len(u.object) == 0 {
			t.Errorf("%s does not say what it acts on", u.call)
		}
		for _, x := range expressions(u) {
			for _, alt := range splitAlternatives(strings.TrimSuffix(x, "?")) {
				if !exprForm.MatchString(alt) {
					t.Errorf("%s: expression %q is malformed", u.call, x)
				}
			}
		}
		for _, s := range slices.Concat(u.steps, u.blind) {
			_, op := splitCall(s.call)
			if s.mode == Auto && (len(s.back) == 0 || isDestructive(op)) {
				t.Errorf("%s: %s cannot be automatic", u.call, s.call)
			}
			if s.phase == Restore && s.mode == Auto {
				t.Errorf("%s: restore is never automatic", u.call)
			}
			if s.title == "" || s.risk == "" || !slices.Contains(phaseOrder, s.phase) {
				t.Errorf("%s: %s lacks title, risk or phase", u.call, s.call)
			}
		}
	}
	for _, x := range exposures {
		if seen[x.call] {
			t.Errorf("%s is undone and exposed", x.call)
		}
		for _, e := range expressions(undo{object: x.object, todo: x.todo}) {
			for _, alt := range splitAlternatives(e) {
				if !exprForm.MatchString(alt) {
					t.Errorf("%s: expression %q is malformed", x.call, e)
				}
			}
		}
	}
}

// spelled is one call that the tables make, with its top-level parameters.
type spelled struct {
	Service, Operation string
	Parameters         []string
	From               string
}

func spelledCalls() []spelled {
	var out []spelled
	add := func(from, call string, in args) {
		if call == "" {
			return // for a person
		}
		service, op := splitCall(call)
		s := spelled{Service: service, Operation: op, From: from}
		for k := range in {
			s.Parameters = append(s.Parameters, k)
		}
		sort.Strings(s.Parameters)
		out = append(out, s)
	}
	for _, x := range exposures {
		if x.step != nil {
			add(x.call, x.step.call, x.step.in)
		}
	}
	for _, u := range allUndos() {
		for _, s := range slices.Concat(u.steps, u.blind) {
			add(u.call, s.call, s.in)
			for _, b := range s.back {
				add(u.call, b.call, b.in)
			}
			if s.each != nil {
				add(u.call, s.each.call, s.each.in)
			}
			for _, w := range s.expect {
				add(u.call, w.call, w.in)
			}
		}
	}
	return out
}

// offline is a caller that nothing answers.
func offline(t *testing.T) *AWS {
	t.Helper()
	mototest.Isolate(t)
	a, err := NewAWS(context.Background(), AWSOptions{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestTablesAreCallable says that each call of the tables can be made, and takes
// the parameters that they give it.
func TestTablesAreCallable(t *testing.T) {
	a := offline(t)
	check := func(from, service, name string, parameters []string) {
		t.Helper()
		op, err := a.operation(service, name, "us-east-1")
		if err != nil {
			t.Errorf("%s: %v", from, err)
			return
		}
		for _, p := range parameters {
			if !op.has(p) {
				t.Errorf("%s: %s:%s has no parameter %s", from, service, name, p)
			}
		}
	}
	for _, s := range spelledCalls() {
		check(s.From, s.Service, s.Operation, s.Parameters)
		in := map[string]any{}
		for _, p := range s.Parameters {
			in[p] = "a"
		}
		for _, c := range verifyOf(s.Service, s.Operation, in) {
			check("verification of "+s.Operation, c.Service, c.Operation, slices.Collect(maps.Keys(c.Parameters)))
		}
	}
}

// TestPathsAreJMESPath compiles every path that a plan can hold.
func TestPathsAreJMESPath(t *testing.T) {
	compiles := func(from, path string) {
		if _, err := jmespath.Compile(path); err != nil {
			t.Errorf("%s: %q: %v", from, path, err)
		}
	}
	hostile := jmesString("a`b'c\"d\\e")
	for _, u := range allUndos() {
		for _, s := range slices.Concat(u.steps, u.blind) {
			if s.each != nil {
				compiles(u.call, placeholder.ReplaceAllString(s.each.path, strings.ReplaceAll(hostile, "$", "$$")))
			}
			for _, w := range s.expect {
				compiles(u.call, w.path)
			}
			service, operation := splitCall(s.call)
			in := map[string]any{}
			for k := range s.in {
				in[k] = "a`b'c\"d"
			}
			for _, c := range verifyOf(service, operation, in) {
				compiles(u.call, c.Path)
			}
		}
	}
	got, err := jmespath.Search("[?@=="+hostile+"] | [0]", []any{"x", "a`b'c\"d\\e"})
	if err != nil || got != "a`b'c\"d\\e" {
		t.Errorf("a hostile name is found as %v (%v)", got, err)
	}
}
