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
	columns := map[string]string{}
	for _, table := range []string{"identities", "contexts"} {
		var list string
		err := db.QueryRowContext(context.Background(), `SELECT string_agg(column_name, ', ' ORDER BY ordinal_position)
			FROM information_schema.columns WHERE table_name = ? AND ordinal_position > 1`, table).Scan(&list)
		if err != nil {
			tb.Fatal(err)
		}
		columns[table] = list
	}
	id := func(table string) string { return `(hash(` + columns[table] + `) >> 1)::BIGINT` }
	for table, key := range map[string]string{"identities": "identity_id", "contexts": "context_id"} {
		exec(tb, db, `INSERT INTO `+table+` BY NAME
			SELECT DISTINCT `+id(table)+` AS `+key+`, `+columns[table]+` FROM staged
			WHERE `+id(table)+` NOT IN (SELECT `+key+` FROM `+table+`)`)
	}
	exec(tb, db, `CREATE OR REPLACE MACRO uuid_of(id) AS coalesce(try_cast(id AS UUID), md5(id)::UUID);
		CREATE OR REPLACE MACRO text_of(id) AS CASE WHEN try_cast(id AS UUID)::VARCHAR IS DISTINCT FROM id THEN id END`)
	exec(tb, db, `INSERT INTO records BY NAME
		SELECT uuid_of(event_id) AS event_uuid, text_of(event_id) AS event_id_text,
			uuid_of(request_id) AS request_uuid, text_of(request_id) AS request_id_text,
			uuid_of(shared_event_id) AS shared_event_uuid, text_of(shared_event_id) AS shared_event_id_text,
			`+id("identities")+` AS identity_id, `+id("contexts")+` AS context_id,
			* EXCLUDE (event_id, request_id, shared_event_id, `+columns["identities"]+`, `+columns["contexts"]+`) FROM staged`)
	exec(tb, db, `DROP TABLE staged`)
}

func exec(tb TB, db DB, statement string, args ...any) {
	tb.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		tb.Fatal(err)
	}
}
