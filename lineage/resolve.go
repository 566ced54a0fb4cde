package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// directory is the users, roles and groups that the logs name. It is read once,
// for a lineage may name any number of them.
type directory struct {
	made map[principalName][]birth     // in order of time
	gone map[principalName][]time.Time // in order of time
	used map[principalName][]usedAs    // by first use
}

// principalName is a name as calls give it. The partition stands in those of
// directory.used alone: they come from ARNs.
type principalName struct{ partition, account, kind, name string }

// birth is the creation of a user, role or group that the log shows.
type birth struct {
	at      time.Time
	id, arn string
}

// usedAs is who acted under a name, and from when to when.
type usedAs struct {
	id, arn     string
	first, last time.Time
}

// distance is how far from a moment the use of a principal was.
func (u *usedAs) distance(at time.Time) time.Duration {
	switch {
	case at.Before(u.first):
		return u.first.Sub(at)
	case at.After(u.last):
		return at.Sub(u.last)
	}
	return 0
}

// named is the directory of the case.
func (t *tracer) named(ctx context.Context) (*directory, error) {
	if t.names != nil {
		return t.names, nil
	}
	d := &directory{map[principalName][]birth{}, map[principalName][]time.Time{}, map[principalName][]usedAs{}}
	err := t.each(ctx, `SELECT event_name, account_id, kind, coalesce(json_extract_scalar(request_parameters, '$.' || kind || 'Name'), ''), event_time,
		    CASE WHEN begins THEN coalesce(json_extract_scalar(response, '$.' || kind || '.' || kind || 'Id'), '') ELSE '' END,
		    CASE WHEN begins THEN coalesce(json_extract_scalar(response, '$.' || kind || '.arn'), '') ELSE '' END
		FROM (SELECT *, starts_with(event_name, 'Create') AS begins, lower(event_name[7:]) AS kind FROM trace_calls
		    WHERE event_source = 'iam.amazonaws.com' AND event_name IN ('CreateUser', 'CreateRole', 'CreateGroup', 'DeleteUser', 'DeleteRole'))
		WHERE account_id IS NOT NULL
		ORDER BY event_time, event_id, source_id, record_index`, nil, func(scan func(...any) error) error {
		var call string
		var k principalName
		var b birth
		if err := scan(&call, &k.account, &k.kind, &k.name, &b.at, &b.id, &b.arn); err != nil {
			return err
		}
		if strings.HasPrefix(call, "Delete") {
			d.gone[k] = append(d.gone[k], b.at)
		} else {
			d.made[k] = append(d.made[k], b)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who was created: %w", err)
	}
	err = t.each(ctx, `SELECT id, arn, min(first_used), max(last_used) FROM (
		    SELECT principal_id AS id, identity_arn AS arn, first_used, last_used FROM trace_keys WHERE identity_arn LIKE 'arn:%:iam::%:user/%'
		    UNION ALL
		    SELECT issuer_id, issuer_arn, first_used, last_used FROM trace_keys WHERE issuer_arn LIKE 'arn:%:iam::%:role/%')
		WHERE id IS NOT NULL GROUP BY 1, 2 ORDER BY 3, 1, 2`, nil, func(scan func(...any) error) error {
		var u usedAs
		if err := scan(&u.id, &u.arn, &u.first, &u.last); err != nil {
			return err
		}
		if a, ok := parseARN(u.arn); ok {
			k := principalName{a.partition, a.account, a.kind, a.name}
			d.used[k] = append(d.used[k], u)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who acted: %w", err)
	}
	t.names = d
	return d, nil
}

// resolve finds the unique id and the full ARN of the user, role or group that
// a call names. Names are reused: of several the one that existed at the time
// of the call is taken, by its creation in the log, else by its use nearest to
// the call.
func (c *closure) resolve(ctx context.Context, kind, name string, made *call) (identity, error) {
	who := identity{arn: made.iamARN(kind, name), account: made.account}
	d, err := c.t.named(ctx)
	if err != nil {
		return who, err
	}
	births := d.made[principalName{"", made.account, kind, name}]
	before, _ := slices.BinarySearchFunc(births, made.time, func(b birth, at time.Time) int {
		if b.at.After(at) {
			return 1
		}
		return -1
	})
	if before > 0 {
		b := births[before-1]
		who.id = b.id
		if b.arn != "" {
			who.arn = b.arn
		}
		return who, nil
	}
	a, _ := parseARN(who.arn)
	best := time.Duration(-1)
	for _, u := range d.used[principalName{a.partition, made.account, kind, name}] {
		if away := u.distance(made.time); best < 0 || away < best {
			best, who.id, who.arn = away, u.id, u.arn
		}
	}
	return who, nil
}

// lifeEnd is when the user or role of a name that existed at a moment was
// deleted, zero when it was not.
func (c *closure) lifeEnd(ctx context.Context, kind, name, account string, from time.Time) (time.Time, error) {
	d, err := c.t.named(ctx)
	if err != nil {
		return time.Time{}, err
	}
	ends := d.gone[principalName{"", account, kind, name}]
	if i, _ := slices.BinarySearchFunc(ends, from, time.Time.Compare); i < len(ends) {
		return ends[i], nil
	}
	return time.Time{}, nil
}
