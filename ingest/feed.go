package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// feedFunction is the table function through which DuckDB pulls records.
const feedFunction = "ingest_records"

const (
	batchRecords = 2048    // what a DuckDB chunk holds
	batchBytes   = 4 << 20 // where records are large
)

// batch is records on their way from the files to DuckDB.
type batch struct {
	text    []byte
	records []batchRecord
}

type batchRecord struct {
	end    int // in text; it starts where the one before ends
	source *source
	index  int64
}

// feed hands batches from the goroutines that read files to the threads of
// DuckDB, which flatten them: so both sides use all cores, and a slow side
// holds the other up instead of filling memory.
type feed struct {
	ctx     context.Context
	full    chan *batch
	empty   sync.Pool
	columns []duckdb.ColumnInfo
	threads int
	reject  func(rejected)
}

func newFeed(ctx context.Context, threads int, columns []duckdb.ColumnInfo, reject func(rejected)) *feed {
	return &feed{
		ctx:     ctx,
		full:    make(chan *batch, threads),
		empty:   sync.Pool{New: func() any { return new(batch) }},
		columns: columns,
		threads: threads,
		reject:  reject,
	}
}

func (f *feed) newBatch() *batch {
	b := f.empty.Get().(*batch)
	b.text, b.records = b.text[:0], b.records[:0]
	return b
}

// send hands over a batch; it fails when the load is stopped.
func (f *feed) send(b *batch) error {
	select {
	case f.full <- b:
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// feedKey is under which the feed of a query travels in its context.
type feedKey struct{}

// registerFeed makes the table function known to the database of conn. The feed
// that a query reads is the one in its context.
func registerFeed(ctx context.Context, conn *sql.Conn) error {
	var known bool
	err := conn.QueryRowContext(ctx, `SELECT count(*) > 0 FROM duckdb_functions() WHERE function_name = ?`, feedFunction).Scan(&known)
	if err != nil || known {
		return err
	}
	return duckdb.RegisterTableUDF(conn, feedFunction, duckdb.ParallelChunkTableFunction{
		BindArgumentsContext: func(ctx context.Context, _ map[string]any, _ ...any) (duckdb.ParallelChunkTableSource, error) {
			f, ok := ctx.Value(feedKey{}).(*feed)
			if !ok {
				return nil, errors.New("only a load of logs can read " + feedFunction)
			}
			return f, nil
		},
	})
}

// feedColumns are the columns of the records table for DuckDB.
func feedColumns() ([]duckdb.ColumnInfo, error) {
	types := map[string]duckdb.Type{
		"VARCHAR": duckdb.TYPE_VARCHAR, "BOOLEAN": duckdb.TYPE_BOOLEAN,
		"TIMESTAMP": duckdb.TYPE_TIMESTAMP, "BIGINT": duckdb.TYPE_BIGINT,
	}
	columns := make([]duckdb.ColumnInfo, len(query.EventColumns))
	for i, c := range query.EventColumns {
		t, err := duckdb.NewTypeInfo(types[c.Type])
		if err != nil {
			return nil, fmt.Errorf("type of column %s: %w", c.Name, err)
		}
		columns[i] = duckdb.ColumnInfo{Name: c.Name, T: t}
	}
	return columns, nil
}

// The methods of duckdb.ParallelChunkTableSource.

func (f *feed) ColumnInfos() []duckdb.ColumnInfo     { return f.columns }
func (f *feed) Cardinality() *duckdb.CardinalityInfo { return nil }
func (f *feed) NewLocalState() any                   { return new(flattener) }
func (f *feed) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: f.threads}
}

// FillChunk flattens the next batch into chunk. An empty chunk ends the table,
// so a batch without a record is passed over.
func (f *feed) FillChunk(state any, chunk duckdb.DataChunk) error {
	for {
		var b *batch
		var ok bool
		select {
		case b, ok = <-f.full:
		case <-f.ctx.Done():
			return context.Cause(f.ctx)
		}
		if !ok {
			return chunk.SetSize(0)
		}
		rows, err := f.fill(state.(*flattener), chunk, b)
		if err != nil {
			return err
		}
		f.empty.Put(b)
		if rows > 0 {
			return chunk.SetSize(rows)
		}
	}
}

func (f *feed) fill(flat *flattener, chunk duckdb.DataChunk, b *batch) (rows int, err error) {
	var t tally
	start := 0
	for i, rec := range b.records {
		text := b.text[start:rec.end]
		start = rec.end
		r, reason := flat.flatten(text)
		if reason != "" {
			f.reject(rejected{source: rec.source, index: rec.index, reason: reason, raw: validText(clipRaw(text))})
		} else {
			t.add(r.time)
			if err := r.write(chunk, rows, rec); err != nil {
				return 0, fmt.Errorf("%s, record %d: %w", rec.source.uri, rec.index, err)
			}
			rows++
		}
		if i+1 == len(b.records) || b.records[i+1].source != rec.source {
			rec.source.tally.merge(&t)
			t = tally{}
		}
	}
	return rows, nil
}

// write sets a row of a chunk.
func (r *row) write(chunk duckdb.DataChunk, at int, rec batchRecord) error {
	for c := range columnCount {
		var err error
		switch c {
		case colEventTime:
			err = writeTime(chunk, c, at, r.time)
		case colSessionCreated:
			err = writeTime(chunk, c, at, r.created)
		case colIssuedExpiration:
			err = writeTime(chunk, c, at, r.expires)
		case colReadOnly, colManagementEvent, colSessionCredentialFromConsole, colSessionMFA:
			if r.bools[c] == null {
				err = duckdb.SetChunkValue[any](chunk, int(c), at, nil)
			} else {
				err = duckdb.SetChunkValue(chunk, int(c), at, r.bools[c] == yes)
			}
		case colSourceID:
			err = duckdb.SetChunkValue(chunk, int(c), at, rec.source.id)
		case colRecordIndex:
			err = duckdb.SetChunkValue(chunk, int(c), at, rec.index)
		default:
			if text := r.text[c]; text == nil {
				err = duckdb.SetChunkValue[any](chunk, int(c), at, nil)
			} else {
				err = duckdb.SetChunkValue(chunk, int(c), at, text)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func writeTime(chunk duckdb.DataChunk, c column, at int, t time.Time) error {
	if t.IsZero() {
		return duckdb.SetChunkValue[any](chunk, int(c), at, nil)
	}
	return duckdb.SetChunkValue(chunk, int(c), at, t)
}
