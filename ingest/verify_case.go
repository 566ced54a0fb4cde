package ingest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// Kept is how the verdicts fit the sources of a case.
type Kept struct {
	Sources int // that have a verdict now
	Changed int // whose file is another than the one that was loaded: they get none
}

// KeepVerdicts writes the verdicts into the case: to the sources with the path
// and the content that were verified, else with that content wherever it was
// loaded from, and what no source stands for into the table integrity.
func KeepVerdicts(ctx context.Context, c *query.Case, v *Verification) (Kept, error) {
	var kept Kept
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return kept, fmt.Errorf("keep verdicts in case %s: %w", c.Path, err)
	}
	defer conn.Close()
	if kept, err = keepVerdicts(ctx, conn, v); err != nil {
		// The transaction may be gone already, with the context.
		conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return kept, fmt.Errorf("keep verdicts in case %s: %w", c.Path, err)
	}
	return kept, nil
}

func keepVerdicts(ctx context.Context, conn *sql.Conn, v *Verification) (kept Kept, err error) {
	for _, stmt := range []string{
		`CREATE OR REPLACE TEMP TABLE verdicts (uri VARCHAR, sha256 VARCHAR, verdict VARCHAR, signed BOOLEAN, reason VARCHAR)`,
		`BEGIN TRANSACTION`,
		`DELETE FROM integrity`,
	} {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return kept, err
		}
	}
	var lost [][]driver.Value
	err = appendTo(conn, "temp", "verdicts", func(add func(...driver.Value) error) error {
		for _, f := range v.Files {
			if f.URI != "" {
				if err := add(f.URI, f.FileSHA256, string(f.Verdict), f.Signed, text(f.Reason)); err != nil {
					return err
				}
			}
			if f.URI == "" || f.Verdict == Altered {
				lost = append(lost, []driver.Value{f.Kind, string(f.Verdict), f.Key, text(f.AccountID), text(f.Region), text(f.Trail), when(f.From), when(f.To), text(f.Reason)})
			}
		}
		return nil
	})
	if err != nil {
		return kept, err
	}
	for _, g := range v.Gaps {
		lost = append(lost, []driver.Value{"gap", string(g.Cause), nil, text(g.AccountID), text(g.Region), text(g.Trail), when(g.From), when(g.To), text(g.Reason)})
	}
	err = appendTo(conn, "", "integrity", func(add func(...driver.Value) error) error {
		for _, row := range lost {
			if err := add(row...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return kept, err
	}
	// One and the same content may have several verdicts, by where it lies: the
	// path decides, and without it the best of the content.
	_, err = conn.ExecContext(ctx, `
UPDATE sources SET integrity = v.verdict, integrity_reason = v.reason
FROM (
    SELECT s.source_id, arg_min(v.verdict, rank) AS verdict, arg_min(coalesce(v.reason, ''), rank) AS reason
    FROM sources s JOIN (
        SELECT *, CASE verdict WHEN 'valid' THEN if(signed, 1, 2) WHEN 'not_covered' THEN 3 WHEN 'unlisted' THEN 4 ELSE 5 END AS place FROM verdicts
    ) v ON v.sha256 = s.sha256, LATERAL (SELECT CASE WHEN v.uri = s.uri THEN 0 ELSE v.place END AS rank)
    GROUP BY s.source_id
) v WHERE v.source_id = sources.source_id`)
	if err != nil {
		return kept, err
	}
	err = conn.QueryRowContext(ctx, `
SELECT
    (SELECT count(*) FROM sources WHERE integrity IS NOT NULL),
    (SELECT count(*) FROM sources s SEMI JOIN verdicts v ON v.uri = s.uri AND v.sha256 <> s.sha256
        ANTI JOIN verdicts w ON w.sha256 = s.sha256)`).Scan(&kept.Sources, &kept.Changed)
	if err != nil {
		return kept, err
	}
	_, err = conn.ExecContext(ctx, `COMMIT`)
	return kept, err
}

// appendTo adds rows to a table by DuckDB's appender.
func appendTo(conn *sql.Conn, catalog, table string, rows func(add func(...driver.Value) error) error) error {
	return conn.Raw(func(c any) error {
		a, err := duckdb.NewAppender(c.(driver.Conn), catalog, "", table)
		if err != nil {
			return err
		}
		return errors.Join(rows(a.AppendRow), a.Close())
	})
}
