package ingest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Duplicates are found after a group's records are stored and before its
// transaction ends. Records of the same event_id, event_time, event_source,
// event_name and account are one event. Of copies with the same text the one of
// the lowest source_id and record_index stays; of those that differ, one is
// chosen by its content (a whole record before one that was made of a row of
// columns), so that it does not matter which was read first, be it
// in an earlier run (only copies of it that were dropped then stay counted as
// such). Records that share the id and nothing else all stay and
// count as conflicts, all but the first. Only ids that seen takes for repeated
// are looked at.

// differsReason is why a copy is in rejects.
const differsReason = "copy of an event that differs from it in other members: the event of source %d, record %d is kept"

// findRepeats makes, of the ids in ingest_ids, the list of records of the group
// (from source $first on) that repeat an id: as the copy of an event, or in
// conflict.
const findRepeats = `
CREATE OR REPLACE TEMP TABLE ingest_repeats AS
	WITH same AS (
		SELECT source_id, record_index, event_uuid, event_id_text, event_time, event_source, event_name,
			coalesce(recipient_account_id, identity_account_id) AS account_id
		FROM (SELECT * FROM records SEMI JOIN ingest_ids USING (event_uuid)) JOIN identities USING (identity_id) JOIN contexts USING (context_id)
	), ranked AS (
		SELECT source_id, record_index,
			first_value(source_id) OVER event AS first_source,
			first_value(record_index) OVER event AS first_index,
			row_number() OVER event AS copy_number,
			row_number() OVER (PARTITION BY event_uuid, event_id_text ORDER BY source_id, record_index) AS id_number
		FROM same
		WINDOW event AS (
			PARTITION BY event_uuid, event_id_text, event_time, event_source, event_name, account_id
			ORDER BY source_id, record_index)
	)
	SELECT source_id, record_index, first_source, first_index, copy_number > 1 AS is_copy
	FROM ranked
	WHERE source_id >= %[1]d AND id_number > 1`

// dedupe removes the group's copies of events and counts them and the conflicts
// in the tallies of the files. A copy whose remaining content differs goes to
// bad. The ids are those that there may have been before.
func (l *loader) dedupe(ctx context.Context, files []*source, ids []uuid, bad *rejects) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := l.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE ingest_ids (event_uuid UUID)`); err != nil {
		return err
	}
	if err := insertFrom(ctx, l.conn, "ingest_ids", &idRows{ctx: ctx, ids: ids}); err != nil {
		return err
	}
	first := files[0].id
	if _, err := l.conn.ExecContext(ctx, fmt.Sprintf(findRepeats, first)); err != nil {
		return err
	}
	copies, err := l.countRepeats(ctx, files)
	if err != nil || copies == 0 {
		return err
	}
	c := chooser{files: files, earlier: map[int64]*source{}, bad: bad}
	if err := l.chooseCopies(ctx, &c); err != nil {
		return err
	}
	if err := l.swap(ctx, &c); err != nil {
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

// chooseCopies has c choose among the copies of each event whose columns are not
// all the same, which DuckDB finds by their hash.
func (l *loader) chooseCopies(ctx context.Context, c *chooser) error {
	columns := RebuildColumns()
	all := strings.Join(columns, ", ")
	rows, err := l.conn.QueryContext(ctx, `
		WITH copies AS (
			SELECT first_source, first_index, source_id, record_index FROM ingest_repeats WHERE is_copy
		), involved AS (
			FROM copies UNION SELECT first_source, first_index, first_source, first_index FROM copies
		), hashed AS (
			SELECT source_id, record_index, sha256(CAST(json_array(`+all+`) AS VARCHAR)) AS content
			FROM whole_records SEMI JOIN involved USING (source_id, record_index)
		), differing AS (
			SELECT first_source, first_index FROM involved JOIN hashed USING (source_id, record_index)
			GROUP BY ALL HAVING min(content) <> max(content)
		)
		SELECT first_source, first_index, source_id, record_index, `+all+`
		FROM involved SEMI JOIN differing USING (first_source, first_index) JOIN whole_records USING (source_id, record_index)
		ORDER BY first_source, first_index, source_id, record_index`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var event, last [2]int64
	var copies []eventCopy
	for rows.Next() {
		var x eventCopy
		values := make([]any, len(columns))
		into := []any{&event[0], &event[1], &x.source, &x.index}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if x.record, err = Rebuild(values); err != nil {
			return err
		}
		x.content = canonicalRemainder(x.record)
		if event != last {
			c.choose(copies)
			copies, last = nil, event
		}
		copies = append(copies, x)
	}
	c.choose(copies)
	return rows.Err()
}

// eventCopy is one of several records of an event.
type eventCopy struct {
	source, index int64
	record        jsontext.Value
	content       []byte // canonical
}

// chooser chooses which copy of an event stays.
type chooser struct {
	files   []*source         // of the group
	earlier map[int64]*source // of earlier groups and runs; what changes in their tallies
	bad     *rejects
	swaps   [4][]any // source and index of what stays and of what stood for it
}

// choose counts the copies of an event, in order of their positions, of which
// the first is taken for the event so far and the others for its duplicates.
func (c *chooser) choose(copies []eventCopy) {
	if len(copies) == 0 {
		return
	}
	kept := slices.MinFunc(copies, func(a, b eventCopy) int {
		return cmp.Or(compareBool(isMadeOfRow(a.record), isMadeOfRow(b.record)),
			bytes.Compare(a.content, b.content), bytes.Compare(a.record, b.record),
			cmp.Compare(a.source, b.source), cmp.Compare(a.index, b.index))
	})
	for i, x := range copies {
		s := c.source(x.source)
		if i > 0 {
			s.tally.duplicates--
		}
		switch {
		case x.source == kept.source && x.index == kept.index:
			if i > 0 {
				for j, v := range []int64{kept.source, kept.index, copies[0].source, copies[0].index} {
					c.swaps[j] = append(c.swaps[j], v)
				}
			}
		case bytes.Equal(x.content, kept.content):
			s.tally.duplicates++
		default:
			s.tally.records--
			s.tally.differing++
			c.bad.add(rejected{source: s, index: x.index, reason: fmt.Sprintf(differsReason, kept.source, kept.index), raw: validText(x.record)})
		}
	}
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c *chooser) source(id int64) *source {
	if first := c.files[0].id; id >= first {
		return c.files[id-first]
	}
	if c.earlier[id] == nil {
		c.earlier[id] = &source{id: id}
	}
	return c.earlier[id]
}

// swap has the copies that were chosen stay instead of the first ones.
func (l *loader) swap(ctx context.Context, c *chooser) error {
	if len(c.swaps[0]) == 0 {
		return nil
	}
	_, err := l.conn.ExecContext(ctx, `
		CREATE OR REPLACE TEMP TABLE ingest_swaps AS SELECT
			unnest(CAST(? AS BIGINT[])) AS source_id, unnest(CAST(? AS BIGINT[])) AS record_index,
			unnest(CAST(? AS BIGINT[])) AS first_source, unnest(CAST(? AS BIGINT[])) AS first_index`,
		c.swaps[0], c.swaps[1], c.swaps[2], c.swaps[3])
	if err != nil {
		return err
	}
	for _, step := range []string{`
		UPDATE ingest_repeats AS r SET is_copy = false FROM ingest_swaps AS s
		WHERE r.source_id = s.source_id AND r.record_index = s.record_index`, `
		DELETE FROM records USING ingest_swaps AS s
		WHERE records.source_id = s.first_source AND records.record_index = s.first_index`,
	} {
		if _, err := l.conn.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	for id, s := range c.earlier {
		l.summary.Records += s.tally.records
		l.summary.Rejected += s.tally.rejected
		l.summary.Duplicates += s.tally.duplicates
		_, err := l.conn.ExecContext(ctx, `
			UPDATE sources SET records = records + ?, rejected = rejected + ?, duplicates = duplicates + ? WHERE source_id = ?`,
			s.tally.records, s.tally.rejected, s.tally.duplicates, id)
		if err != nil {
			return err
		}
	}
	return nil
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
