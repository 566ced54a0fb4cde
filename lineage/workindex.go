package lineage

import (
	"fmt"
	"slices"
	"time"
)

// workloads are what the case says of compute that bears on what the lineage
// changed: which calls give workloads their roles, start their runs or make them
// anew. There may be one for every deployment, and the lineage may change as many,
// so that everything is looked up by what is asked for.
type workloads struct {
	count    int                     // of those added
	givers   map[workKey][]*workload // that name roles or profiles
	runs     map[workKey][]*workload // that name sessions which the workload's own name does not tell
	makers   map[workKey][]*workload
	ties     map[string][]*workload // by account and instance profile
	launched map[string][]*workload // on instances, by account and instance profile
	session  map[string]bool        // account and name of sessions
	byRole   map[string]*shared     // by account and role, as calls name it; see index
}

// workKey is how calls name a workload, or the session of a run of it.
type workKey struct {
	on      *runtime
	account string
	name    string
	session bool
}

// shared are the calls that name one role, by the workloads that they are of.
type shared struct {
	workloads []*sharing
	of        map[string]*sharing
}

// sharing are the calls, in order of time, that give one workload a role.
type sharing struct {
	calls []*workload
	skip  int // those at the beginning are the lineage's
}

func newWorkloads() *workloads {
	return &workloads{givers: map[workKey][]*workload{}, runs: map[workKey][]*workload{}, makers: map[workKey][]*workload{},
		ties: map[string][]*workload{}, launched: map[string][]*workload{}, session: map[string]bool{}, byRole: map[string]*shared{}}
}

func (w *workloads) add(l *workload) {
	l.seq = w.count
	w.count++
	gives := len(l.roles)+len(l.profiles) > 0
	// The run of a function that one name stands for is that name.
	runs := len(l.sessions) > 0 && !(l.call.on.byName && len(l.names) == 1 && len(l.of) == 0)
	for _, name := range slices.Concat(l.names, l.of) {
		k := workKey{on: l.call.on, account: l.account, name: name}
		if gives {
			w.givers[k] = append(w.givers[k], l)
		}
		if runs {
			w.runs[k] = append(w.runs[k], l)
		}
		if l.call.makes {
			w.makers[k] = append(w.makers[k], l)
		}
		if l.call.on == nil && len(l.roles) > 0 {
			w.ties[l.account+" "+name] = append(w.ties[l.account+" "+name], l)
		}
	}
	for _, s := range l.sessions {
		if gives {
			k := workKey{on: l.call.on, account: l.account, name: s, session: true}
			w.givers[k] = append(w.givers[k], l)
		}
	}
	if l.call.on == instance {
		for _, profile := range l.profiles {
			w.launched[l.account+" "+profile] = append(w.launched[l.account+" "+profile], l)
		}
	}
	w.addSessions(l)
}

func (w *workloads) addSessions(l *workload) {
	for _, s := range l.sessions {
		w.session[l.account+" "+s] = true
	}
}

// share notes which roles a call gives its workload, once all calls are known
// that put roles into instance profiles.
func (w *workloads) share(l *workload) {
	roles, guessed := w.rolesNamed(l)
	for _, role := range eachOf(slices.Concat(roles, guessed), func(s string) string { return s }) {
		s := w.byRole[l.account+" "+role]
		if s == nil {
			s = &shared{of: map[string]*sharing{}}
			w.byRole[l.account+" "+role] = s
		}
		key := fmt.Sprintf("%p %s %q %q", l.call.on, l.region, l.names, l.of)
		group := s.of[key]
		if group == nil {
			group = &sharing{}
			s.of[key] = group
			s.workloads = append(s.workloads, group)
		}
		group.calls = append(group.calls, l)
	}
}

// sharing are the workloads of an account that calls give a role.
func (w *workloads) sharing(account, role string) []*sharing {
	var all []*sharing
	a, _ := parseARN(role)
	for _, name := range eachOf([]string{role, a.name}, func(s string) string { return s }) {
		if s := w.byRole[account+" "+name]; s != nil {
			all = append(all, s.workloads...)
		}
	}
	return all
}

// runsOf are the names of the sessions of the runs of what a call made or changed,
// but of those that bear its own name.
func (w *workloads) runsOf(l *workload) []string {
	var sessions []string
	for _, name := range l.names {
		runs := w.runs[workKey{on: l.call.on, account: l.account, name: name}]
		for _, run := range runs[until(runs, l.time.Add(-clockSkew-1)):] {
			if l.covers(run) {
				sessions = append(sessions, run.sessions...)
			}
		}
	}
	return sessions
}

// launchedWith are the calls that start or change instances with a profile.
func (w *workloads) launchedWith(account, profile string) []*workload {
	return w.launched[account+" "+profile]
}

// until is how many calls of a list there were until a moment.
func until(calls []*workload, at time.Time) int {
	n, _ := slices.BinarySearchFunc(calls, at, func(l *workload, at time.Time) int {
		if l.time.After(at) {
			return 1
		}
		return -1
	})
	return n
}

// before lists the calls of a list until a moment, the last one first.
func before(calls []*workload, at time.Time) func(yield func(*workload) bool) {
	return func(yield func(*workload) bool) {
		for i := until(calls, at) - 1; i >= 0 && yield(calls[i]); i-- {
		}
	}
}

// sameAs reports whether an earlier call made or changed the workload of a later
// one or started its run; that both name it is known.
func (l *workload) sameAs(later *workload) bool {
	return l.row != later.row && !l.time.After(later.time) && l.region == later.region && l.call.on == later.call.on &&
		(later.version == "" || l.version == "" || later.version == l.version)
}

// lastRoles are the roles that the last call before one that named any gave its
// workload.
func (w *workloads) lastRoles(l *workload) (roles, guessed []string) {
	var keys []workKey
	for _, name := range slices.Concat(l.names, l.of) {
		keys = append(keys, workKey{on: l.call.on, account: l.account, name: name})
	}
	for _, s := range l.sessions {
		keys = append(keys, workKey{on: l.call.on, account: l.account, name: s, session: true})
	}
	var last *workload
	for _, k := range keys {
		for e := range before(w.givers[k], l.time) {
			if last != nil && e.time.Before(last.time) {
				break
			}
			if e.sameAs(l) {
				last = e
				break
			}
		}
	}
	if last == nil {
		return nil, nil
	}
	return w.rolesNamed(last)
}

// rolesNamed are the roles that a call names, itself or by instance profiles. A
// profile that no event of the log gives a role may have one of its own name, as
// the console makes them: that is guessed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
func (w *workloads) rolesNamed(l *workload) (roles, guessed []string) {
	roles = slices.Clone(l.roles)
	for _, profile := range l.profiles {
		role := ""
		for tie := range before(w.ties[l.account+" "+profile], l.time) {
			role = tie.roles[0]
			break
		}
		if ties := w.ties[l.account+" "+profile]; role == "" && len(ties) > 0 {
			role = ties[0].roles[0] // the logs begin after the profile's making, or times are of two clocks
		}
		if role == "" {
			guessed = append(guessed, profile)
		} else {
			roles = append(roles, role)
		}
	}
	return roles, guessed
}

// othersBy names a workload of the same runtime that somebody else's call gave
// the same role, "" for none.
func (w *workloads) othersBy(l *workload, role string, ours map[int64]bool) string {
	var first *workload
	for _, s := range w.sharing(l.account, role) {
		if other := s.calls[0]; other.call.on != l.call.on ||
			other.region == l.region && meet(slices.Concat(other.names, other.of), slices.Concat(l.names, l.of)) {
			continue
		}
		for s.skip < len(s.calls) && (ours[s.calls[s.skip].row] || s.calls[s.skip].call.ties) {
			s.skip++ // what is the lineage's stays so
		}
		if s.skip < len(s.calls) && (first == nil || s.calls[s.skip].seq < first.seq) {
			first = s.calls[s.skip]
		}
	}
	if first == nil {
		return ""
	}
	return first.what()
}

// remade is when somebody else made a workload of the same name anew, so that
// what the lineage changed was gone; zero for never.
func (w *workloads) remade(l *workload, ours map[int64]bool) time.Time {
	for _, name := range l.names {
		makers := w.makers[workKey{on: l.call.on, account: l.account, name: name}]
		for _, other := range makers[until(makers, l.time):] {
			if !ours[other.row] && other.region == l.region {
				return other.time
			}
		}
	}
	return time.Time{}
}

// had reports whether an earlier call gave the workload the role.
func (w *workloads) had(l *workload, role string) bool {
	gave := func(e *workload) bool { return e.sameAs(l) && w.gives(e, role) }
	for _, s := range w.sharing(l.account, role) {
		if e := s.calls[0]; e.region != l.region || e.call.on != l.call.on || !meet(slices.Concat(e.names, e.of), slices.Concat(l.names, l.of)) {
			continue
		}
		for e := range before(s.calls, l.time) {
			if gave(e) {
				return true
			}
		}
	}
	for _, session := range l.sessions {
		for e := range before(w.givers[workKey{on: l.call.on, account: l.account, name: session, session: true}], l.time) {
			if gave(e) {
				return true
			}
		}
	}
	return false
}

// gives reports whether a call gives its workload a role.
func (w *workloads) gives(l *workload, role string) bool {
	a, _ := parseARN(role)
	roles, guessed := w.rolesNamed(l)
	return slices.ContainsFunc(slices.Concat(roles, guessed), func(named string) bool { return named == role || named == a.name })
}
