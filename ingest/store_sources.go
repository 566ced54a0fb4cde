package ingest

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// describe adds the rows of sources and rejects.
func (l *loader) describe(ctx context.Context, files []*source, bad *rejects) error {
	var now time.Time
	if err := l.conn.QueryRowContext(ctx, `SELECT now()::TIMESTAMP`).Scan(&now); err != nil {
		return err
	}
	list := bad.inOrder()
	files = slices.DeleteFunc(slices.Clone(files), l.isRepeatedStream)
	list = slices.DeleteFunc(list, func(x rejected) bool { return l.isRepeatedStream(x.source) })
	// What could not be read through before is described anew.
	for _, table := range []string{"sources", "rejects"} {
		if _, err := l.conn.ExecContext(ctx, `DELETE FROM `+table+` WHERE source_id IN (SELECT unnest(CAST(? AS BIGINT[])))`, replaced(files)); err != nil {
			return err
		}
	}
	err := l.appendRows("sources", len(files), func(i int) []driver.Value {
		f := files[i]
		t := &f.tally
		return []driver.Value{f.id, f.uri, text(t.format), text(t.sha256), t.bytes, t.records, t.rejected, t.duplicates,
			t.conflicts, when(t.firstTime), when(t.lastTime), text(f.etag), t.status(), now, nil, nil}
	})
	if err != nil {
		return err
	}
	return l.appendRows("rejects", len(list), func(i int) []driver.Value {
		x := list[i]
		return []driver.Value{x.source.id, x.index, validText([]byte(x.reason)), text(x.raw)}
	})
}

// isRepeatedStream says whether a stream that has been read turned out to be
// one that the case holds: all its records are copies.
func (l *loader) isRepeatedStream(f *source) bool {
	return f.stream && l.streams[[2]string{f.uri, f.tally.sha256}] != 0
}

// replaced lists the sources whose place the files take.
func replaced(files []*source) []int64 {
	ids := []int64{}
	for _, f := range files {
		ids = append(ids, f.replaces...)
	}
	return ids
}

// appendRows adds rows to a small table.
func (l *loader) appendRows(table string, n int, row func(i int) []driver.Value) error {
	return l.conn.Raw(func(c any) error {
		a, err := duckdb.NewAppenderFromConn(c.(driver.Conn), "", table)
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
}

// text and when are NULL for what is not there.
func text(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func when(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t
}
