package ingest

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Duplicates are found after a group's records are stored and before its
// transaction ends. Records of the same event_id, event_time, event_source,
// event_name and account are one event: the one of the lowest source_id and
// record_index stays, so records of earlier groups and runs always win. Records
// that share the id and nothing else all stay and count as conflicts, all but
// the first. Only ids that occur more than once are looked at further.

// differsReason is why a copy is in rejects.
const differsReason = "copy of an event that differs from it in other members: the event of source %d, record %d is kept"

// dedupeSteps make, of the ids that the group (from source $first on) shares
// with others, the list of records that repeat an id: as the copy of an event,
// or in conflict.
var dedupeSteps = []string{`
CREATE OR REPLACE TEMP TABLE ingest_ids AS
	SELECT event_id FROM records WHERE source_id >= %[1]d GROUP BY event_id HAVING count(*) > 1
	UNION
	SELECT event_id FROM records WHERE source_id < %[1]d
		AND event_id IN (SELECT event_id FROM records WHERE source_id >= %[1]d)`, `
CREATE OR REPLACE TEMP TABLE ingest_repeats AS
	WITH same AS (
		SELECT source_id, record_index, event_id, event_time, event_source, event_name,
			coalesce(recipient_account_id, identity_account_id) AS account_id
		FROM records SEMI JOIN ingest_ids USING (event_id)
	), ranked AS (
		SELECT source_id, record_index,
			first_value(source_id) OVER event AS first_source,
			first_value(record_index) OVER event AS first_index,
			row_number() OVER event AS copy_number,
			row_number() OVER (PARTITION BY event_id ORDER BY source_id, record_index) AS id_number
		FROM same
		WINDOW event AS (
			PARTITION BY event_id, event_time, event_source, event_name, account_id
			ORDER BY source_id, record_index)
	)
	SELECT source_id, record_index, first_source, first_index, copy_number > 1 AS is_copy
	FROM ranked
	WHERE source_id >= %[1]d AND id_number > 1`,
}

// dedupe removes the group's copies of events and counts them and the conflicts
// in the tallies of the files. A copy whose remaining content differs goes to
// bad.
func (l *loader) dedupe(ctx context.Context, files []*source, bad *rejects) error {
	first := files[0].id
	for _, step := range dedupeSteps {
		if _, err := l.conn.ExecContext(ctx, fmt.Sprintf(step, first)); err != nil {
			return err
		}
	}
	repeats, err := l.countRepeats(ctx, files)
	if err != nil || repeats == 0 {
		return err
	}
	if err := l.rejectDiffering(ctx, files, bad); err != nil {
		return err
	}
	_, err = l.conn.ExecContext(ctx, `
		DELETE FROM records USING ingest_repeats AS r
		WHERE records.source_id >= ? AND r.is_copy
			AND records.source_id = r.source_id AND records.record_index = r.record_index`, first)
	return err
}

func (l *loader) countRepeats(ctx context.Context, files []*source) (copies int64, err error) {
	rows, err := l.conn.QueryContext(ctx, `
		SELECT source_id, count(*) FILTER (WHERE is_copy), count(*) FILTER (WHERE NOT is_copy)
		FROM ingest_repeats GROUP BY source_id`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, duplicates, conflicts int64
		if err := rows.Scan(&id, &duplicates, &conflicts); err != nil {
			return 0, err
		}
		t := &files[id-files[0].id].tally
		t.duplicates, t.conflicts = duplicates, conflicts
		copies += duplicates
	}
	return copies, rows.Err()
}

// rejectDiffering compares the copies with the events that they copy: first
// their columns by hash, in DuckDB, then as JSON those where the text differs.
func (l *loader) rejectDiffering(ctx context.Context, files []*source, bad *rejects) error {
	columns := RebuildColumns()
	side := func(alias string) string { return alias + "." + strings.Join(columns, ", "+alias+".") }
	all := strings.Join(columns, ", ")
	rows, err := l.conn.QueryContext(ctx, `
		WITH copies AS (
			SELECT source_id, record_index, first_source, first_index FROM ingest_repeats WHERE is_copy
		), involved AS (
			SELECT source_id, record_index FROM copies
			UNION
			SELECT first_source, first_index FROM copies
		), hashed AS (
			SELECT source_id, record_index, sha256(CAST(json_array(`+all+`) AS VARCHAR)) AS content
			FROM records SEMI JOIN involved USING (source_id, record_index)
		), differing AS (
			SELECT copies.*
			FROM copies
			JOIN hashed AS c USING (source_id, record_index)
			JOIN hashed AS f ON f.source_id = copies.first_source AND f.record_index = copies.first_index
			WHERE c.content <> f.content
		)
		SELECT d.source_id, d.record_index, d.first_source, d.first_index, `+side("c")+`, `+side("f")+`
		FROM differing AS d
		JOIN records AS c ON c.source_id = d.source_id AND c.record_index = d.record_index
		JOIN records AS f ON f.source_id = d.first_source AND f.record_index = d.first_index`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var id, index, firstID, firstIndex int64
	values := make([]any, 2*len(columns))
	into := []any{&id, &index, &firstID, &firstIndex}
	for i := range values {
		into = append(into, &values[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		duplicate, err := Rebuild(values[:len(columns)])
		if err != nil {
			return err
		}
		event, err := Rebuild(values[len(columns):])
		if err != nil {
			return err
		}
		if bytes.Equal(canonicalRemainder(duplicate), canonicalRemainder(event)) {
			continue
		}
		s := files[id-files[0].id]
		s.tally.duplicates--
		s.tally.records--
		s.tally.differing++
		bad.add(rejected{source: s, index: index, reason: fmt.Sprintf(differsReason, firstID, firstIndex), raw: validText(duplicate)})
	}
	return rows.Err()
}

// canonicalRemainder is the canonical form of a record without the members by
// which copies are found: they are the same, if not always in the same spelling.
func canonicalRemainder(record jsontext.Value) []byte {
	rest := []byte{'{'}
	for o := newObject(record); ; {
		name, value, ok := o.next()
		if !ok {
			break
		}
		switch plainName(name) {
		case "eventID", "eventTime", "eventSource", "eventName", "recipientAccountId":
			continue
		}
		rest = append(append(append(append(rest, name...), ':'), value...), ',')
	}
	return canonical(append(rest, '}'))
}
