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
	for _, known := range computeCalls[made.api()] {
		work := known.read(made)
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
		if _, err := c.readWorkloads(ctx); err != nil {
			return fmt.Errorf("read calls to compute: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
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
	names := slices.Concat(work.sessions, c.compute.runsOf(work))
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
		roles, guessed = c.compute.lastRoles(w.work)
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
		if l.apart && l.w.work.call.on.shows(session, service, taken) && !c.compute.session[l.w.made.account+" "+session] && !c.compute.had(l.w.work, l.role) {
			l.apart, l.other = false, "sessions of it were taken before, and the log does not show for what"
		}
		return nil
	})
}
