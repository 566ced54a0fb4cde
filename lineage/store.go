package lineage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"trailscan/query"
)

// store replaces the lineage of the case, all of it or nothing.
func (t *tracer) store(ctx context.Context, l *Lineage) (err error) {
	if _, err := t.conn.ExecContext(ctx, `BEGIN TRANSACTION`); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rollback := t.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
			err = errors.Join(err, rollback)
		}
	}()
	for _, table := range []string{"lineage", "credentials", "principals", "lineage_edges", "lineage_events"} {
		if _, err := t.conn.ExecContext(ctx, `DELETE FROM `+table); err != nil {
			return err
		}
	}
	if err := t.storeRows(l); err != nil {
		return err
	}
	if err := t.storeAddresses(ctx); err != nil {
		return err
	}
	_, err = t.conn.ExecContext(ctx, `INSERT INTO lineage_events
		SELECT e.source_id, e.record_index, i.id, e.actor
		FROM (SELECT source_id, record_index, node, actor FROM trace_events UNION ALL FROM trace_marks) e
		JOIN trace_node_ids i ON i.node = e.node`)
	if err != nil {
		return err
	}
	_, err = t.conn.ExecContext(ctx, `COMMIT`)
	return err
}

func (t *tracer) storeRows(l *Lineage) error {
	var firstUse driver.Value
	if l.FirstMaliciousUse != nil {
		b, err := json.Marshal(l.FirstMaliciousUse)
		if err != nil {
			return err
		}
		firstUse = string(b)
	}
	err := appendRows(t.conn, "", "lineage", 1, func(int) []driver.Value {
		return []driver.Value{l.Keys, l.CompromisedSince, l.CompromisedSinceWhy, firstUse, l.AsOf}
	})
	if err != nil {
		return err
	}
	uses := make([]string, len(l.Credentials))
	for i, c := range l.Credentials {
		b, err := json.Marshal(c.Uses)
		if err != nil {
			return err
		}
		uses[i] = string(b)
	}
	err = appendRows(t.conn, "", "credentials", len(l.Credentials), func(i int) []driver.Value {
		c := &l.Credentials[i]
		return []driver.Value{c.ID, c.AccessKeyIDs, string(c.Kind), c.PrincipalID, c.PrincipalARN, c.AccountID, c.SessionName, c.SourceIdentity,
			orNull(c.Parent), c.Via, c.IssuedEventID, orNull(c.IssuedAt), orNull(c.ExpiresAt), c.ExpiresDerived, orNull(c.FirstUsed), orNull(c.LastUsed),
			c.EventCount, uses[i], string(c.Certainty), c.Why, c.LiveAtEnd, orNull(c.ValidForSeconds),
			c.SurvivesKeyDisable, c.SurvivesUserDelete, c.EndedBy, orNull(c.EndedAt), c.EndedVia, c.EndedEventID, c.EndedWhy}
	})
	if err != nil {
		return err
	}
	err = appendRows(t.conn, "", "principals", len(l.Principals), func(i int) []driver.Value {
		p := &l.Principals[i]
		return []driver.Value{p.ARN, p.PrincipalID, p.AccountID, p.Kind, string(p.How), p.EventID, p.Time, string(p.Certainty), p.Why}
	})
	if err != nil {
		return err
	}
	return appendRows(t.conn, "", "lineage_edges", len(l.Edges), func(i int) []driver.Value {
		e := &l.Edges[i]
		return []driver.Value{e.From, e.To, e.Via, e.EventID, e.Time, string(e.Certainty), e.Why}
	})
}

func orNull[T any](p *T) driver.Value {
	if p == nil {
		return nil
	}
	return *p
}

// Load reads the lineage that the case holds. The error is ErrNotTraced when it
// holds none.
func Load(ctx context.Context, c *query.Case) (*Lineage, error) {
	l := &Lineage{Credentials: []Credential{}, Principals: []Principal{}, Edges: []Edge{}}
	if err := load(ctx, c, l); err != nil {
		return nil, fmt.Errorf("load lineage: %w", err)
	}
	return l, nil
}

func load(ctx context.Context, c *query.Case, l *Lineage) error {
	var keys []any
	var firstUse sql.NullString
	err := c.DB.QueryRowContext(ctx, `SELECT keys, compromised_since, compromised_since_why, first_malicious_use, as_of FROM lineage`).
		Scan(scanAny(&keys), &l.CompromisedSince, &l.CompromisedSinceWhy, &firstUse, &l.AsOf)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: run `trailscan trace KEY` first", ErrNotTraced)
	}
	if err != nil {
		return err
	}
	if firstUse.Valid {
		if err := json.Unmarshal([]byte(firstUse.String), &l.FirstMaliciousUse); err != nil {
			return err
		}
	}
	l.Keys = texts(keys)
	utc(&l.CompromisedSince, &l.AsOf)
	err = eachRow(ctx, c.DB, `SELECT id, access_key_ids, kind, principal_id, principal_arn, account_id, session_name, source_identity, parent, via,
		issued_event_id, issued_at, expires_at, expires_derived, first_used, last_used, event_count, uses, certainty, why, live_at_end,
		valid_for_seconds, survives_key_disable, survives_user_delete, ended_by, ended_at, ended_via, ended_event_id, ended_why FROM credentials`, func(scan func(...any) error) error {
		var d Credential
		var ids []any
		var uses string
		err := scan(&d.ID, scanAny(&ids), &d.Kind, &d.PrincipalID, &d.PrincipalARN, &d.AccountID, &d.SessionName, &d.SourceIdentity, &d.Parent, &d.Via,
			&d.IssuedEventID, &d.IssuedAt, &d.ExpiresAt, &d.ExpiresDerived, &d.FirstUsed, &d.LastUsed, &d.EventCount, &uses, &d.Certainty, &d.Why,
			&d.LiveAtEnd, &d.ValidForSeconds, &d.SurvivesKeyDisable, &d.SurvivesUserDelete, &d.EndedBy, &d.EndedAt, &d.EndedVia, &d.EndedEventID, &d.EndedWhy)
		if err != nil {
			return err
		}
		for _, p := range []*time.Time{d.IssuedAt, d.ExpiresAt, d.FirstUsed, d.LastUsed, d.EndedAt} {
			if p != nil {
				utc(p)
			}
		}
		d.AccessKeyIDs = texts(ids)
		l.Credentials = append(l.Credentials, d)
		return json.Unmarshal([]byte(uses), &l.Credentials[len(l.Credentials)-1].Uses)
	})
	if err != nil {
		return err
	}
	err = eachRow(ctx, c.DB, `SELECT arn, principal_id, account_id, kind, how, event_id, time, certainty, why FROM principals`, func(scan func(...any) error) error {
		var p Principal
		err := scan(&p.ARN, &p.PrincipalID, &p.AccountID, &p.Kind, &p.How, &p.EventID, &p.Time, &p.Certainty, &p.Why)
		utc(&p.Time)
		l.Principals = append(l.Principals, p)
		return err
	})
	if err != nil {
		return err
	}
	err = eachRow(ctx, c.DB, `SELECT "from", "to", via, event_id, time, certainty, why FROM lineage_edges`, func(scan func(...any) error) error {
		var e Edge
		err := scan(&e.From, &e.To, &e.Via, &e.EventID, &e.Time, &e.Certainty, &e.Why)
		utc(&e.Time)
		l.Edges = append(l.Edges, e)
		return err
	})
	l.sort()
	return err
}

func utc(times ...*time.Time) {
	for _, t := range times {
		*t = t.UTC()
	}
}

// listScanner reads a DuckDB list.
type listScanner struct{ to *[]any }

func scanAny(to *[]any) listScanner { return listScanner{to} }

// Scan implements sql.Scanner.
func (s listScanner) Scan(v any) error {
	list, ok := v.([]any)
	if v != nil && !ok {
		return fmt.Errorf("expected a list, got %T", v)
	}
	*s.to = list
	return nil
}

func texts(list []any) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func eachRow(ctx context.Context, db *sql.DB, query string, scan func(func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
