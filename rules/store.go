package rules

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// storeAll replaces the findings and assessments of a case, all or nothing.
func storeAll(ctx context.Context, conn *sql.Conn, findings []Finding, assessments []Assessment) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	defer tx.Rollback()
	if err := store(ctx, conn, findings, assessments); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store findings: %w", err)
	}
	return nil
}

// store replaces the findings and assessments of a case. It runs in the
// transaction that conn has open.
func store(ctx context.Context, conn *sql.Conn, findings []Finding, assessments []Assessment) error {
	for _, table := range []string{"findings", "assessment"} {
		if _, err := conn.ExecContext(ctx, `DELETE FROM `+table); err != nil {
			return fmt.Errorf("store %s: %w", table, err)
		}
	}
	if err := appendFindings(conn, "", findings); err != nil {
		return err
	}
	return appendRows(conn, "", "assessment", len(assessments), func(i int) []driver.Value {
		a := assessments[i]
		return []driver.Value{a.Rule, a.Assessed, a.Reason}
	})
}

// appendFindings adds findings to the table of that name in a catalog.
func appendFindings(conn *sql.Conn, catalog string, findings []Finding) error {
	return appendRows(conn, catalog, "findings", len(findings), func(i int) []driver.Value {
		f := findings[i]
		return []driver.Value{f.ID, f.Rule, f.Title, f.Severity.String(), f.Tactic, f.Techniques, string(f.Outcome),
			f.FirstSeen, f.LastSeen, f.Count, f.AccountID, f.Regions, f.PrincipalID, f.PrincipalARN, f.AccessKeyIDs,
			f.SourceIPs, f.UserAgents, f.Resources, f.EventIDs, f.InLineage, f.Summary}
	})
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
// of Scan. Both are empty when it was not scanned.
func Load(ctx context.Context, c *query.Case) ([]Finding, []Assessment, error) {
	findings, err := loadFindings(ctx, c)
	if err != nil {
		return nil, nil, fmt.Errorf("load findings of case %s: %w", c.Path, err)
	}
	assessments, err := loadAssessments(ctx, c)
	if err != nil {
		return nil, nil, fmt.Errorf("load assessment of case %s: %w", c.Path, err)
	}
	return findings, assessments, nil
}

func loadFindings(ctx context.Context, c *query.Case) ([]Finding, error) {
	rows, err := c.DB.QueryContext(ctx, `
		SELECT id, rule, title, severity, tactic, techniques, outcome, first_seen, last_seen, count, account_id,
			regions, principal_id, principal_arn, access_key_ids, source_ips, user_agents, resources, event_ids,
			in_lineage, summary
		FROM findings
		ORDER BY first_seen, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	findings := []Finding{}
	for rows.Next() {
		var f Finding
		var severity string
		err := rows.Scan(&f.ID, &f.Rule, &f.Title, &severity, &f.Tactic, (*texts)(&f.Techniques), &f.Outcome,
			&f.FirstSeen, &f.LastSeen, &f.Count, &f.AccountID, (*texts)(&f.Regions), &f.PrincipalID, &f.PrincipalARN,
			(*texts)(&f.AccessKeyIDs), (*texts)(&f.SourceIPs), (*texts)(&f.UserAgents), (*texts)(&f.Resources),
			(*texts)(&f.EventIDs), &f.InLineage, &f.Summary)
		if err != nil {
			return nil, err
		}
		if f.Severity, err = ParseSeverity(severity); err != nil {
			return nil, fmt.Errorf("finding %s: %w", f.ID, err)
		}
		f.FirstSeen, f.LastSeen = f.FirstSeen.UTC(), f.LastSeen.UTC()
		findings = append(findings, f)
	}
	return findings, rows.Err()
}

func loadAssessments(ctx context.Context, c *query.Case) ([]Assessment, error) {
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
