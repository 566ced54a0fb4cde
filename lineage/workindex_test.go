package lineage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// workloadList answers what workloads do by trying every call.
type workloadList []*workload

func (all workloadList) earlier(l *workload) []*workload {
	var calls []*workload
	for _, e := range all {
		if e.sameAs(l) && e.account == l.account && (meet(slices.Concat(e.names, e.of), slices.Concat(l.names, l.of)) || meet(e.sessions, l.sessions)) {
			calls = append(calls, e)
		}
	}
	return calls
}

func (all workloadList) others(w *workloads, l *workload, role string, ours map[int64]bool) string {
	for _, other := range all {
		if ours[other.row] || other.call.ties || other.call.on != l.call.on || other.account != l.account ||
			other.region == l.region && meet(slices.Concat(other.names, other.of), slices.Concat(l.names, l.of)) {
			continue
		}
		if w.gives(other, role) {
			return other.what()
		}
	}
	return ""
}

func (all workloadList) remade(l *workload, ours map[int64]bool) time.Time {
	for _, name := range l.names {
		for _, other := range all {
			if other.call.makes && slices.Contains(other.names, name) && !ours[other.row] && other.time.After(l.time) &&
				other.account == l.account && other.region == l.region && other.call.on == l.call.on {
				return other.time
			}
		}
	}
	return time.Time{}
}

// TestWorkloadsAreLookedUp compares the look-ups with trying every call.
func TestWorkloadsAreLookedUp(t *testing.T) {
	kinds := []*computeCall{
		{api: "lambda:CreateFunction", on: function, makes: true}, {api: "lambda:UpdateFunctionCode", on: function},
		{api: "ec2:RunInstances", on: instance}, {api: "ec2:CreateLaunchTemplate", on: instance}, {api: "iam:AddRoleToInstanceProfile", ties: true},
	}
	some := func(t *rapid.T, label string, values ...string) []string {
		return slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.SampledFrom(values), 0, 2).Draw(t, label))))
	}
	roleARN := func(name string) string { return "arn:aws:iam::111122223333:role/" + name }
	rapid.Check(t, func(t *rapid.T) {
		w, at, ours := newWorkloads(), time.Unix(0, 0).UTC(), map[int64]bool{}
		var all workloadList
		for i := range rapid.IntRange(1, 40).Draw(t, "calls") {
			at = at.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "pause")) * time.Second)
			l := &workload{call: rapid.SampledFrom(kinds).Draw(t, "kind"), row: int64(i), time: at,
				account: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "account"), region: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "region"),
				names: some(t, "names", "x", "y", "p"), version: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "version"),
				roles: some(t, "roles", "r", roleARN("r"), roleARN("s"))}
			switch l.call.on {
			case function:
				l.sessions = l.names
			case instance:
				l.of, l.sessions, l.profiles = some(t, "of", "x", "y"), some(t, "sessions", "i-1", "i-2"), some(t, "profiles", "p", "r")
			}
			w.add(l)
			all = append(all, l)
			ours[l.row] = rapid.Bool().Draw(t, "ours")
		}
		for _, l := range all {
			w.share(l)
		}
		for _, l := range all {
			if l.call.on == nil {
				continue
			}
			// Of calls in one second any may be the last.
			var last time.Time
			var want [][]string
			for _, e := range all.earlier(l) {
				if roles, guessed := w.rolesNamed(e); len(roles)+len(guessed) > 0 {
					if e.time.After(last) {
						last, want = e.time, nil
					}
					want = append(want, slices.Concat(roles, guessed))
				}
			}
			roles, guessed := w.lastRoles(l)
			if got := slices.Concat(roles, guessed); len(want) == 0 && got != nil ||
				len(want) > 0 && !slices.ContainsFunc(want, func(w []string) bool { return slices.Equal(w, got) }) {
				t.Fatalf("roles before %d are %v, want one of %v", l.row, got, want)
			}
			var runs []string
			for _, run := range all {
				if run.call.on == l.call.on && l.covers(run) {
					runs = append(runs, run.sessions...)
				}
			}
			got := slices.Concat(l.sessions, w.runsOf(l))
			if want := slices.Concat(l.sessions, runs); strings.Join(distinct(got), " ") != strings.Join(distinct(want), " ") {
				t.Fatalf("runs of %d are %v, want %v", l.row, got, want)
			}
			if got, want := w.remade(l, ours), all.remade(l, ours); !got.Equal(want) {
				t.Fatalf("%d was made anew at %v, want %v", l.row, got, want)
			}
			for _, role := range []string{roleARN("r"), roleARN("s")} {
				if got, want := w.othersBy(l, role, ours), all.others(w, l, role, ours); got != want {
					t.Fatalf("%s is run as by %q besides %d, want %q", role, got, l.row, want)
				}
				want := slices.ContainsFunc(all.earlier(l), func(e *workload) bool { return w.gives(e, role) })
				if got := w.had(l, role); got != want {
					t.Fatalf("%d had %s: %v, want %v", l.row, role, got, want)
				}
			}
		}
	})
}

func distinct(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }
