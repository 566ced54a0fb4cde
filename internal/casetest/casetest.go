// Package casetest puts made-up events into a case, for tests of what reads
// events, whatever way the case stores them.
package casetest

import (
	"context"
	"database/sql"
)

// TB is a test, a benchmark or a run of a property.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// DB is a database, a connection or a transaction.
type DB interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Insert runs `INSERT INTO staged` with the rest of the statement, which names
// columns of the view whole_records, and stores what is then in staged.
func Insert(tb TB, db DB, statement string, args ...any) {
	tb.Helper()
	Stage(tb, db)
	exec(tb, db, `INSERT INTO staged `+statement, args...)
	Store(tb, db)
}

// Stage makes the table staged, which has the columns of whole_records.
func Stage(tb TB, db DB) {
	tb.Helper()
	exec(tb, db, `CREATE TABLE staged AS FROM whole_records LIMIT 0`)
}

// Store moves the rows of staged among the events and drops the table.
func Store(tb TB, db DB) {
	tb.Helper()
	var identity string
	err := db.QueryRowContext(context.Background(), `SELECT string_agg(column_name, ', ') FROM information_schema.columns
		WHERE table_name = 'identities' AND column_name <> 'identity_id'`).Scan(&identity)
	if err != nil {
		tb.Fatal(err)
	}
	exec(tb, db, `INSERT INTO identities BY NAME
		SELECT DISTINCT (hash(`+identity+`) >> 1)::BIGINT AS identity_id, `+identity+` FROM staged
		WHERE (hash(`+identity+`) >> 1)::BIGINT NOT IN (SELECT identity_id FROM identities)`)
	exec(tb, db, `CREATE OR REPLACE MACRO uuid_of(id) AS coalesce(try_cast(id AS UUID), md5(id)::UUID);
		CREATE OR REPLACE MACRO text_of(id) AS CASE WHEN try_cast(id AS UUID)::VARCHAR IS DISTINCT FROM id THEN id END`)
	exec(tb, db, `INSERT INTO records BY NAME
		SELECT uuid_of(event_id) AS event_uuid, text_of(event_id) AS event_id_text,
			uuid_of(request_id) AS request_uuid, text_of(request_id) AS request_id_text,
			uuid_of(shared_event_id) AS shared_event_uuid, text_of(shared_event_id) AS shared_event_id_text,
			(hash(`+identity+`) >> 1)::BIGINT AS identity_id,
			* EXCLUDE (event_id, request_id, shared_event_id, `+identity+`) FROM staged`)
	exec(tb, db, `DROP TABLE staged`)
}

func exec(tb TB, db DB, statement string, args ...any) {
	tb.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		tb.Fatal(err)
	}
}
