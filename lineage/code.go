package lineage

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"
)

// oneRun is how long after a call that starts a run, and that tells no id of it,
// the run takes its session.
const oneRun = 10 * time.Minute

// changeCode takes over the sessions of what the lineage brought in, changed or
// entered.
func (c *closure) changeCode(ctx context.Context, made *call, by *node) error {
	compute, err := c.readWorkloads(ctx)
	if err != nil {
		return fmt.Errorf("read calls to compute: %w", err)
	}
	for _, work := range compute.byRow[made.row] {
		if !work.changes {
			continue
		}
		w := &takeover{how: CodeChanged, kind: "role", name: work.what(), from: made.time, by: by, made: made, work: work}
		c.take(w)
	}
	return nil
}

// what names what a call changed, for a reader.
func (l *workload) what() string {
	first, second := l.names, l.sessions
	if l.call.on == instance { // a command's own id tells a reader nothing
		first, second = second, first
	}
	for _, names := range [][]string{first, second, l.of} {
		if len(names) > 0 {
			return strings.Join(names, ", ")
		}
	}
	return "what the call names"
}

// claim is what sessions the lineage's change of a workload lays hold of: those
// of a name, or, where their names do not tell whose they are, those of a role.
type claim struct {
	w             *takeover
	session, role string
	until         time.Time // the sessions began before; zero for no end
	apart         bool      // the role's sessions are not another workload's too
	other         string    // why they may be
}

// ranBy finds the sessions of the roles of instances, functions and other
// workloads, from when the lineage changed what they run.
func (c *closure) ranBy(ctx context.Context, waiting []*takeover) error {
	var claims []*claim
	waiting = slices.Concat(waiting, c.undecided)
	c.undecided = nil
	for _, w := range waiting {
		if w.how != CodeChanged {
			continue
		}
		laid, err := c.claims(ctx, w)
		if err != nil {
			return err
		}
		claims = append(claims, laid...)
	}
	if len(claims) == 0 {
		return nil
	}
	err := c.t.table(ctx, "trace_claims", `claim INTEGER, account VARCHAR, session VARCHAR, role VARCHAR, "from" TIMESTAMP`, len(claims), func(i int) []driver.Value {
		l := claims[i]
		return []driver.Value{int32(i), l.w.made.account, l.session, l.role, l.w.from}
	})
	if err != nil {
		return err
	}
	if err := c.setApart(ctx, claims); err != nil {
		return fmt.Errorf("find earlier sessions: %w", err)
	}
	if err := c.noteRoles(ctx, claims); err != nil {
		return err
	}
	nodes, err := c.tookRole(ctx, claims)
	if err != nil {
		return fmt.Errorf("find sessions that services took: %w", err)
	}
	return c.actAs(ctx, claims, nodes)
}

// claims are what a change lays hold of: the sessions of the runs that the call
// itself names, of those that any later call starts, and the role's.
func (c *closure) claims(ctx context.Context, w *takeover) ([]*claim, error) {
	work := w.work
	names := slices.Clone(work.sessions)
	for _, name := range work.names {
		for _, run := range c.compute.byName[work.account+" "+name] {
			if run != work && run.call.on == work.call.on && work.covers(run) {
				names = append(names, run.sessions...)
			}
		}
	}
	slices.Sort(names)
	roles, err := c.rolesOf(ctx, w)
	if err != nil {
		return nil, err
	}
	var claims []*claim
	until := c.compute.remade(work, c.seen)
	for _, name := range slices.Compact(names) {
		if work.call.on.unique() || len(roles) == 0 {
			claims = append(claims, &claim{w: w, session: name, until: until})
			continue
		}
		for _, role := range roles {
			claims = append(claims, &claim{w: w, session: name, role: role, until: until})
		}
	}
	exact := len(work.sessions) > 0 && !work.call.on.byRole
	for _, role := range roles {
		l := &claim{w: w, role: role, apart: true, until: until}
		if exact {
			l.session = work.sessions[0] // the role is listed; the sessions are found by their names
		} else if other := c.compute.othersBy(work, role, c.seen); other != "" {
			l.apart, l.other = false, other+" runs as it too"
		}
		if len(work.names) == 0 {
			l.until = w.from.Add(oneRun)
		}
		if !slices.ContainsFunc(claims, func(k *claim) bool { return k.role == l.role && k.session == l.session }) {
			claims = append(claims, l)
		}
	}
	return claims, nil
}

// rolesOf are the ARNs of the roles that a change passes, or that the workload
// had from an earlier call.
func (c *closure) rolesOf(ctx context.Context, w *takeover) ([]string, error) {
	roles, guessed := c.compute.rolesNamed(w.work)
	if len(roles)+len(guessed) == 0 {
		for _, earlier := range c.compute.earlier(w.work) {
			if r, g := c.compute.rolesNamed(earlier); len(r)+len(g) > 0 {
				roles, guessed = r, g
			}
		}
	}
	var arns []string
	for i, role := range slices.Concat(roles, guessed) {
		if !strings.HasPrefix(role, "arn:") {
			who, err := c.resolve(ctx, "role", role, w.made)
			if err != nil {
				return nil, fmt.Errorf("find role %s: %w", role, err)
			}
			if i >= len(roles) && who.id == "" { // the log knows none of that name
				continue
			}
			role = who.arn
		}
		if a, ok := parseARN(role); ok && a.service == "iam" && a.kind == "role" && !slices.Contains(arns, role) {
			arns = append(arns, role)
		}
	}
	return arns, nil
}

// earlier are the calls before one that made or changed its workload or started
// its run, in order of time.
func (ws *workloads) earlier(l *workload) []*workload {
	var calls []*workload
	add := func(known []*workload) {
		for _, e := range known {
			if e.row != l.row && !e.time.After(l.time) && e.region == l.region && e.call.on == l.call.on &&
				(l.version == "" || e.version == "" || l.version == e.version) {
				calls = append(calls, e)
			}
		}
	}
	for _, name := range slices.Concat(l.names, l.of) {
		add(ws.byName[l.account+" "+name])
	}
	for _, s := range l.sessions {
		add(ws.session[l.account+" "+s])
	}
	slices.SortStableFunc(calls, func(a, b *workload) int { return a.time.Compare(b.time) })
	return calls
}

// rolesNamed are the roles that a call names, itself or by instance profiles. A
// profile that no event of the log gives a role may have one of its own name, as
// the console makes them: that is guessed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
func (ws *workloads) rolesNamed(l *workload) (roles, guessed []string) {
	roles = slices.Clone(l.roles)
	for _, profile := range l.profiles {
		role := ""
		for _, tie := range ws.byName[l.account+" "+profile] {
			if tie.call.on == nil && len(tie.roles) > 0 && (role == "" || !tie.time.After(l.time)) {
				role = tie.roles[0]
			}
		}
		if role == "" {
			guessed = append(guessed, profile)
		} else {
			roles = append(roles, role)
		}
	}
	return roles, guessed
}

// gives reports whether a call gives its workload a role.
func (ws *workloads) gives(l *workload, role string) bool {
	a, _ := parseARN(role)
	roles, guessed := ws.rolesNamed(l)
	return slices.ContainsFunc(slices.Concat(roles, guessed), func(named string) bool { return named == role || named == a.name })
}

// othersBy names a workload of the same runtime that somebody else's call gave
// the same role, "" for none.
func (ws *workloads) othersBy(l *workload, role string, ours map[int64]bool) string {
	for _, other := range ws.all {
		if ours[other.row] || other.call.ties || other.call.on != l.call.on || other.account != l.account ||
			other.region == l.region && meet(slices.Concat(other.names, other.of), slices.Concat(l.names, l.of)) {
			continue
		}
		if ws.gives(other, role) {
			return other.what()
		}
	}
	return ""
}

// remade is when somebody else made a workload of the same name anew, so that
// what the lineage changed was gone; zero for never.
func (ws *workloads) remade(l *workload, ours map[int64]bool) time.Time {
	for _, name := range l.names {
		for _, other := range ws.byName[l.account+" "+name] {
			if other.call.makes && !ours[other.row] && other.time.After(l.time) && other.region == l.region && other.call.on == l.call.on {
				return other.time
			}
		}
	}
	return time.Time{}
}

// setApart finds the roles whose sessions services took for such workloads
// before the lineage's change: there is a workload whose sessions cannot be told
// from those of the changed one, unless the log shows that it is the same one.
func (c *closure) setApart(ctx context.Context, claims []*claim) error {
	return c.t.each(ctx, `SELECT DISTINCT s.claim, split_part(k.principal_id, ':', 2), CASE WHEN k.forwarded THEN coalesce(k.invoked_by, '') ELSE '' END, false
		    FROM trace_keys k JOIN trace_claims s ON s.session = '' AND s.role = k.issuer_arn
		    WHERE coalesce(k.session_created, k.first_used) < s."from" AND `+notIssued+`
		UNION ALL
		SELECT DISTINCT s.claim, coalesce(json_extract_scalar(c.request_parameters, '$.roleSessionName'), ''), coalesce(c.invoked_by, ''), true
		    FROM trace_calls c JOIN trace_claims s ON s.session = '' AND s.role = c.role_arn
		    WHERE c.identity_type = 'AWSService' AND c.event_time < s."from"`, nil, func(scan func(...any) error) error {
		var i int
		var session, service string
		var taken bool
		if err := scan(&i, &session, &service, &taken); err != nil {
			return err
		}
		l := claims[i]
		if l.apart && l.w.work.call.on.shows(session, service, taken) && len(c.compute.session[l.w.made.account+" "+session]) == 0 && !c.compute.had(l.w.work, l.role) {
			l.apart, l.other = false, "sessions of it were taken before, and the log does not show for what"
		}
		return nil
	})
}

// had reports whether an earlier call gave the workload the role.
func (ws *workloads) had(l *workload, role string) bool {
	return slices.ContainsFunc(ws.earlier(l), func(e *workload) bool { return ws.gives(e, role) })
}
