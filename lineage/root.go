package lineage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// root is a key that the trace was asked for: an access key id, or an ARN with
// the access key ids that act as it.
type root struct {
	key     string
	ids     []string
	issued  time.Time // zero where the log does not show it
	since   time.Time
	why     string               // of since
	vague   bool                 // since is the first event for want of anything better
	unused  bool                 // nothing that acts as the principal was ever used
	groups  []*useGroup          // by first use
	byKey   map[useKey]*useGroup // those that no service made
	regions map[string]time.Time // when each was first used
}

func (r *root) isARN() bool { return strings.HasPrefix(r.key, "arn:") }

// findRoot looks a key up.
func (t *tracer) findRoot(ctx context.Context, key string) (*root, error) {
	r := &root{key: key}
	if r.isARN() {
		return r, t.findPrincipal(ctx, r)
	}
	r.ids = []string{key}
	var used bool
	var issued sql.NullTime
	err := t.conn.QueryRowContext(ctx, `SELECT
		EXISTS (FROM trace_keys WHERE access_key_id = ?),
		(SELECT min(event_time) FROM trace_calls WHERE issued_access_key_id = ?)`, key, key).Scan(&used, &issued)
	if err != nil {
		return nil, err
	}
	if !used && !issued.Valid {
		return nil, fmt.Errorf("%w: no event of the case uses or issues %s: check the id, and that the logs cover the account and the time in which it was used", ErrUnknownKey, key)
	}
	r.issued = issued.Time
	switch {
	case !issued.Valid:
		err = t.sessionIDs(ctx, r)
	case !used:
		err = t.centerIDs(ctx, r)
	}
	return r, err
}

// centerIDs adds the ids that a session of Identity Center is used with: those
// differ from the one that AssumeRoleWithSAML shows.
func (t *tracer) centerIDs(ctx context.Context, r *root) error {
	return t.each(ctx, `SELECT DISTINCT k.access_key_id, k.first_used FROM trace_keys k JOIN trace_calls c ON c.response = k.principal_id
		    AND k.session_created BETWEEN c.event_time - INTERVAL 1 SECOND AND c.event_time + INTERVAL 2 SECOND
		WHERE c.issued_access_key_id = ? AND c.event_name = 'AssumeRoleWithSAML' AND NOT k.forwarded AND `+notIssued+`
		ORDER BY k.first_used, k.access_key_id`, []any{r.key}, func(scan func(...any) error) error {
		var id string
		var first time.Time
		err := scan(&id, &first)
		r.ids = append(r.ids, id)
		return err
	})
}

// sessionIDs adds the other ids of the console session that a key is one of.
func (t *tracer) sessionIDs(ctx context.Context, r *root) error {
	return t.each(ctx, `SELECT k.access_key_id FROM trace_keys k JOIN trace_keys a USING (principal_id, session_created)
		WHERE a.access_key_id = ? AND k.access_key_id <> a.access_key_id AND NOT a.forwarded AND NOT k.forwarded AND `+notIssued+`
		ORDER BY k.first_used, k.access_key_id`, []any{r.key}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		r.ids = append(r.ids, id)
		return err
	})
}

// findPrincipal finds the keys by which a principal acts. Those that another of
// them was exchanged for descend from that one and are left to the closure.
func (t *tracer) findPrincipal(ctx context.Context, r *root) error {
	err := t.each(ctx, `WITH own AS (
		    SELECT access_key_id FROM trace_keys WHERE (identity_arn = ? OR issuer_arn = ?) AND NOT forwarded)
		SELECT access_key_id FROM own
		WHERE access_key_id NOT IN (SELECT issued_access_key_id FROM trace_calls
		    WHERE issued_access_key_id IS NOT NULL AND access_key_id IN (FROM own))
		ORDER BY ALL`, []any{r.key, r.key}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		r.ids = append(r.ids, id)
		return err
	})
	if err != nil || len(r.ids) > 0 {
		return err
	}
	var known bool
	var first sql.NullTime
	err = t.conn.QueryRowContext(ctx, `SELECT count(*) > 0, min(event_time) FROM events
		WHERE identity_arn = ? OR session_issuer_arn = ? OR issued_principal_arn = ?
		    OR issued_access_key_id IS NOT NULL AND json_extract_scalar(request_parameters, '$.roleArn') = ?`, r.key, r.key, r.key, r.key).Scan(&known, &first)
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("%w: no event of the case is by %s: check the ARN (a role's is arn:aws:iam::ACCOUNT:role/NAME), and that the logs cover its account", ErrUnknownKey, r.key)
	}
	r.issued = first.Time
	return t.unusedKeys(ctx, r)
}

// unusedKeys finds what was issued for a principal that nothing was done as yet:
// it may be used at any time.
func (t *tracer) unusedKeys(ctx context.Context, r *root) error {
	r.unused = true
	return t.each(ctx, `SELECT issued_access_key_id FROM trace_calls
		WHERE issued_access_key_id IS NOT NULL AND (issued_principal_arn = ? OR role_arn = ?) GROUP BY ALL ORDER BY ALL`, []any{r.key, r.key}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		r.ids = append(r.ids, id)
		return err
	})
}

// judgeUse says of each root from when on it was misused, and of each of its
// events from then on whose it looks like: the table trace_root_use.
func (t *tracer) judgeUse(ctx context.Context) error {
	type rootID struct {
		root int
		id   string
	}
	var ids []rootID
	seen := map[string]bool{}
	for i, r := range t.roots {
		for _, id := range r.ids {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, rootID{i, id})
			}
		}
	}
	err := t.table(ctx, "trace_root_ids", `root INTEGER, access_key_id VARCHAR`, len(ids), func(i int) []driver.Value {
		return []driver.Value{int32(ids[i].root), ids[i].id}
	})
	if err != nil {
		return err
	}
	if err := t.readUse(ctx); err != nil {
		return err
	}
	type verdict struct {
		root int
		g    *useGroup
	}
	var verdicts []verdict
	for i, r := range t.roots {
		if err := t.dateMisuse(ctx, i, r); err != nil {
			return err
		}
		r.judge(&t.o)
		for _, g := range r.groups {
			if g.network != "" {
				verdicts = append(verdicts, verdict{i, g})
			}
		}
	}
	err = t.table(ctx, "trace_actors", `root INTEGER, source VARCHAR, endpoint VARCHAR, agent VARCHAR, session VARCHAR, actor VARCHAR`, len(verdicts), func(i int) []driver.Value {
		v := verdicts[i]
		return []driver.Value{int32(v.root), v.g.source, v.g.endpoint, v.g.agent, v.g.session, string(v.g.actor)}
	})
	if err != nil {
		return err
	}
	err = t.table(ctx, "trace_root_since", `root INTEGER, since TIMESTAMP`, len(t.roots), func(i int) []driver.Value {
		return []driver.Value{int32(i), t.roots[i].since}
	})
	if err != nil {
		return err
	}
	_, err = t.conn.ExecContext(ctx, rootUse)
	return err
}

// rootUse says of each event of a root since its misuse whose it looks like.
// What a service did for the key is whose the key's last call to that service
// was; a second in which both called it counts as the intruder's.
const rootUse = `CREATE OR REPLACE TEMP TABLE trace_root_use AS
WITH used AS (
    SELECT e.source_id, e.record_index, e.access_key_id, e.event_time, e.event_source, r.root, m.since,
        e.source_ip_address, e.vpc_endpoint_id, e.user_agent, e.aws_region, e.shared_event_id, ` + sessionSQL + ` AS session,
        coalesce(e.invoked_by, e.source_ip_address, '') AS service,
        CASE WHEN e.invoked_by IS NULL THEN
            CASE WHEN e.event_time < m.since AND a.actor IS NOT NULL THEN 'owner' ELSE a.actor END END AS actor
    FROM events e JOIN trace_root_ids r ON r.access_key_id = e.access_key_id
    JOIN trace_root_since m ON m.root = r.root
    LEFT JOIN trace_actors a ON a.root = r.root AND a.source = coalesce(e.source_ip_address, '') AND a.agent = coalesce(e.user_agent, '')
        AND a.endpoint = coalesce(e.vpc_endpoint_id, '') AND a.session = ` + sessionSQL + `
), direct AS (
    SELECT root, event_source, event_time,
        CASE WHEN bool_or(actor = 'intruder') THEN 'intruder' WHEN bool_or(actor = 'unclear') THEN 'unclear' ELSE 'owner' END AS actor
    FROM used WHERE actor IS NOT NULL GROUP BY ALL
)
SELECT source_id, record_index, access_key_id, root, event_time, actor,
    source_ip_address, vpc_endpoint_id, user_agent, aws_region, shared_event_id, session, '' AS service
FROM used WHERE actor IS NOT NULL AND event_time >= since
UNION ALL
SELECT u.source_id, u.record_index, u.access_key_id, u.root, u.event_time, coalesce(d.actor, 'unclear'),
    u.source_ip_address, u.vpc_endpoint_id, u.user_agent, u.aws_region, u.shared_event_id, u.session, u.service
FROM (SELECT * FROM used WHERE actor IS NULL AND event_time >= since) u
ASOF LEFT JOIN direct d ON u.root = d.root AND u.service = d.event_source AND u.event_time >= d.event_time`
