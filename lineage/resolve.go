package lineage

import (
	"context"
	"time"
)

// resolve finds the unique id and the full ARN of the user, role or group that
// a call names. Names are reused: of several the one that existed at the time
// of the call is taken, by its creation in the log, else by its use nearest to
// the call.
func (c *closure) resolve(ctx context.Context, kind, name string, made *call) (identity, error) {
	who := identity{arn: made.iamARN(kind, name), account: made.account}
	key := who.arn + made.time.String()
	if known, ok := c.resolved[key]; ok {
		return known, nil
	}
	create := map[string]string{"user": "CreateUser", "role": "CreateRole", "group": "CreateGroup"}[kind]
	created, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_source = 'iam.amazonaws.com' AND c.event_name = ? AND c.account_id = ?
		AND c.event_time <= ? AND coalesce(json_extract_scalar(c.request_parameters, '$.' || ? || 'Name'), '') = ?`,
		create, made.account, made.time, kind, name)
	if err != nil {
		return who, err
	}
	if len(created) > 0 {
		latest := created[len(created)-1]
		who.id = member(latest.response, kind, kind+"Id")
		if a := member(latest.response, kind, "arn"); a != "" {
			who.arn = a
		}
		c.resolved[key] = who
		return who, nil
	}
	best := time.Duration(-1)
	distance := func(first, last time.Time) time.Duration {
		switch {
		case made.time.Before(first):
			return first.Sub(made.time)
		case made.time.After(last):
			return made.time.Sub(last)
		}
		return 0
	}
	id, arnColumn := "principal_id", "identity_arn"
	if kind == "role" {
		id, arnColumn = "issuer_id", "issuer_arn"
	}
	err = c.t.each(ctx, `SELECT `+id+`, `+arnColumn+`, min(first_used), max(last_used) FROM trace_keys
		WHERE starts_with(`+arnColumn+`, ?) AND (`+arnColumn+` = ? OR ends_with(`+arnColumn+`, ?)) AND `+id+` IS NOT NULL
		GROUP BY 1, 2 ORDER BY 3, 1, 2`,
		[]any{made.iamARN(kind, ""), who.arn, "/" + name}, func(scan func(...any) error) error {
			var i, a string
			var first, last time.Time
			if err := scan(&i, &a, &first, &last); err != nil {
				return err
			}
			if d := distance(first, last); best < 0 || d < best {
				best, who.id, who.arn = d, i, a
			}
			return nil
		})
	if err == nil {
		c.resolved[key] = who
	}
	return who, err
}

// lifeEnd is when the user or role of a name that existed at a moment was
// deleted, zero when it was not.
func (c *closure) lifeEnd(ctx context.Context, kind, name, account string, from time.Time) (time.Time, error) {
	var end time.Time
	deletion := map[string]string{"user": "DeleteUser", "role": "DeleteRole"}[kind]
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.event_source = 'iam.amazonaws.com' AND c.event_name = ? AND c.account_id = ?
		AND c.event_time >= ? AND coalesce(json_extract_scalar(c.request_parameters, '$.' || ? || 'Name'), '') = ?`,
		deletion, account, from, kind, name)
	if err == nil && len(calls) > 0 {
		end = calls[0].time
	}
	return end, err
}
