package rules

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// store replaces the findings and assessments of the case, all or nothing.
func (s *scanner) store(ctx context.Context, assessments []Assessment) error {
	if _, err := s.conn.ExecContext(ctx, `DROP VIEW IF EXISTS temp.findings`); err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	defer tx.Rollback()
	for _, statement := range []string{
		`DELETE FROM findings`,
		`DELETE FROM assessment`,
		`INSERT INTO findings FROM temp.scan_findings ORDER BY first_seen, id`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("store findings: %w", err)
		}
	}
	if err := appendRows(s.conn, "", "assessment", len(assessments), func(i int) []driver.Value {
		a := assessments[i]
		return []driver.Value{a.Rule, a.Assessed, a.Reason}
	}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	return nil
}

// storeLists replaces the values of the lists that are given. The others stay:
// a trace stores what it was told is hostile.
func storeLists(ctx context.Context, conn *sql.Conn, lists map[string][]string) error {
	for name, values := range lists {
		if _, err := conn.ExecContext(ctx, `DELETE FROM lists WHERE name = ?`, name); err != nil {
			return fmt.Errorf("store lists: %w", err)
		}
		err := appendRows(conn, "", "lists", len(values), func(i int) []driver.Value {
			return []driver.Value{name, values[i]}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heldLists says which lists the case has values of.
func heldLists(ctx context.Context, conn *sql.Conn) (map[string]bool, error) {
	rows, err := conn.QueryContext(ctx, `SELECT DISTINCT name FROM lists`)
	if err != nil {
		return nil, fmt.Errorf("read lists: %w", err)
	}
	defer rows.Close()
	held := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read lists: %w", err)
		}
		held[name] = true
	}
	return held, rows.Err()
}

func appendRows(conn *sql.Conn, catalog, table string, n int, row func(int) []driver.Value) error {
	err := conn.Raw(func(raw any) error {
		c, ok := raw.(driver.Conn)
		if !ok {
			return fmt.Errorf("connection is a %T", raw)
		}
		a, err := duckdb.NewAppender(c, catalog, "", table)
		if err != nil {
			return err
		}
		for i := range n {
			if err := a.AppendRow(row(i)...); err != nil {
				return errors.Join(err, a.Close())
			}
		}
		return a.Close()
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", table, err)
	}
	return nil
}

// Load returns the findings and assessments that the case holds, in the order
// of Findings and of the rules. Both are empty when it was not scanned.
func Load(ctx context.Context, c *query.Case) ([]Finding, []Assessment, error) {
	findings := []Finding{}
	for f, err := range Findings(ctx, c) {
		if err != nil {
			return nil, nil, err
		}
		findings = append(findings, f)
	}
	assessments, err := Assessments(ctx, c)
	return findings, assessments, err
}

// Findings reads the findings that the case holds, by first event, then id. It
// ends with an error if one occurs.
func Findings(ctx context.Context, c *query.Case) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		stopped := false
		err := readFindings(ctx, c, func(f Finding) bool {
			stopped = !yield(f, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(Finding{}, fmt.Errorf("load findings of case %s: %w", c.Path, err))
		}
	}
}

func readFindings(ctx context.Context, c *query.Case, wanted func(Finding) bool) error {
	rows, err := c.DB.QueryContext(ctx, `
		SELECT id, rule, title, severity, tactic, techniques, outcome, first_seen, last_seen, count, account_id,
			regions, principal_id, principal_arn, access_key_ids, source_ips, user_agents, resources, event_ids,
			in_lineage, summary
		FROM findings
		ORDER BY first_seen, id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var f Finding
		var severity string
		err := rows.Scan(&f.ID, &f.Rule, &f.Title, &severity, &f.Tactic, (*texts)(&f.Techniques), &f.Outcome,
			&f.FirstSeen, &f.LastSeen, &f.Count, &f.AccountID, (*texts)(&f.Regions), &f.PrincipalID, &f.PrincipalARN,
			(*texts)(&f.AccessKeyIDs), (*texts)(&f.SourceIPs), (*texts)(&f.UserAgents), (*texts)(&f.Resources),
			(*texts)(&f.EventIDs), &f.InLineage, &f.Summary)
		if err != nil {
			return err
		}
		if f.Severity, err = ParseSeverity(severity); err != nil {
			return fmt.Errorf("finding %s: %w", f.ID, err)
		}
		f.FirstSeen, f.LastSeen = f.FirstSeen.UTC(), f.LastSeen.UTC()
		if !wanted(f) {
			return nil
		}
	}
	return rows.Err()
}

// texts scans a list of text; no list is an empty one.
type texts []string

// Scan implements sql.Scanner.
func (t *texts) Scan(v any) error {
	*t = texts{}
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("read a list: the case holds a %T", v)
	}
	for _, e := range list {
		s, ok := e.(string)
		if !ok && e != nil {
			return fmt.Errorf("read a list of text: it holds a %T", e)
		}
		*t = append(*t, s)
	}
	return nil
}

// Assessments reads the assessments that the case holds, in the order of the
// rules; there are none when it was not scanned.
func Assessments(ctx context.Context, c *query.Case) ([]Assessment, error) {
	assessments, err := readAssessments(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("load assessment of case %s: %w", c.Path, err)
	}
	return assessments, nil
}

func readAssessments(ctx context.Context, c *query.Case) ([]Assessment, error) {
	rows, err := c.DB.QueryContext(ctx, `SELECT rule, assessed, reason FROM assessment ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	assessments := []Assessment{}
	for rows.Next() {
		var a Assessment
		if err := rows.Scan(&a.Rule, &a.Assessed, &a.Reason); err != nil {
			return nil, err
		}
		assessments = append(assessments, a)
	}
	return assessments, rows.Err()
}
