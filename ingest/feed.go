package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// feedFunction is the table function through which DuckDB pulls rows.
const feedFunction = "ingest_rows"

const (
	batchRecords = 2048    // what a DuckDB chunk holds
	batchBytes   = 4 << 20 // where records are large
	// batchesAhead is how many a thread of DuckDB has waiting: while it stores a
	// row group the readers go on.
	batchesAhead = 8
)

// rowGroupRows is what DuckDB stores as one. A thread that ends a query with less
// of them begun has them written as they are, and the checkpoint reads those of
// all threads again to make whole ones: a sixth of the time of a load. So a
// thread stores one row group a query; what is left for the last one is kept in
// memory until the checkpoint writes it.
const rowGroupRows = 122_880

// batch is records on their way from the files to DuckDB.
type batch struct {
	text    []byte
	records []batchRecord
	done    int // records that are flattened
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
	ctx        context.Context
	full       chan *batch
	empty      sync.Pool
	reject     func(rejected)
	identities *dimension
	contexts   *dimension
	seen       *seen
	arenas     *arenas
	pause      atomic.Bool // the rows of dimensions that wait are many: end this query

	mu         sync.Mutex
	closed     bool         // full is, and empty
	begun      []*batch     // not flattened to their end
	flatteners []*flattener // those not in use
	repeated   []uuid       // event ids that there may have been before
}

func newFeed(ctx context.Context, l *loader, reject func(rejected)) *feed {
	return &feed{
		ctx:        ctx,
		full:       make(chan *batch, batchesAhead*l.arenas.threads),
		empty:      sync.Pool{New: func() any { return new(batch) }},
		reject:     reject,
		identities: &l.identities,
		contexts:   &l.contexts,
		seen:       l.seen,
		arenas:     &l.arenas,
	}
}

func (f *feed) newBatch() *batch {
	b := f.empty.Get().(*batch)
	b.text, b.records, b.done = b.text[:0], b.records[:0], 0
	return b
}

// recycle takes back a batch, unless a huge record has made it one that must not
// stay in memory.
func (f *feed) recycle(b *batch) {
	if cap(b.text) <= 2*batchBytes {
		f.empty.Put(b)
	}
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

// take waits for the next batch; it is nil when there are no more.
func (f *feed) take() (*batch, error) {
	f.mu.Lock()
	if n := len(f.begun); n > 0 {
		b := f.begun[n-1]
		f.begun = f.begun[:n-1]
		f.mu.Unlock()
		return b, nil
	}
	f.mu.Unlock()
	select {
	case b, ok := <-f.full:
		if !ok {
			f.mu.Lock()
			f.closed = true
			f.mu.Unlock()
		}
		return b, nil
	case <-f.ctx.Done():
		return nil, context.Cause(f.ctx)
	}
}

// finish takes back a batch, or what is left of it.
func (f *feed) finish(b *batch) {
	if b.done == len(b.records) {
		f.recycle(b)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = append(f.begun, b)
}

// drained says that no query need read the feed again.
func (f *feed) drained() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed && len(f.begun) == 0
}

// flattener and keep hand out the flatteners, which know identities and contexts and so live
// longer than a query.
func (f *feed) flattener() *flattener {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.flatteners); n > 0 {
		last := f.flatteners[n-1]
		f.flatteners = f.flatteners[:n-1]
		return last
	}
	return newFlattener(f.identities, f.contexts, knownLimit/f.arenas.threads)
}

func (f *feed) keep(flat *flattener, repeated []uuid) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flatteners = append(f.flatteners, flat)
	f.repeated = append(f.repeated, repeated...)
}

// sourceKey is under which the rows of a query travel in its context.
type sourceKey struct{}

// registerFunctions makes the functions of a load known to the database of conn.
// The rows that a query reads are those in its context.
func registerFunctions(ctx context.Context, conn *sql.Conn) error {
	if n := duckdb.GetDataChunkCapacity(); n < batchRecords {
		return fmt.Errorf("this DuckDB is built for chunks of %d rows, trailscan writes %d", n, batchRecords)
	}
	var known bool
	err := conn.QueryRowContext(ctx, `SELECT count(*) > 0 FROM duckdb_functions() WHERE function_name = ?`, feedFunction).Scan(&known)
	if err != nil || known {
		return err
	}
	if err := registerRemember(conn); err != nil {
		return err
	}
	return duckdb.RegisterTableUDF(conn, feedFunction, duckdb.ParallelChunkTableFunction{
		BindArgumentsContext: func(ctx context.Context, _ map[string]any, _ ...any) (duckdb.ParallelChunkTableSource, error) {
			source, ok := ctx.Value(sourceKey{}).(duckdb.ParallelChunkTableSource)
			if !ok {
				return nil, errors.New("only a load of logs can read " + feedFunction)
			}
			return source, nil
		},
	})
}

// insertFrom runs an INSERT of the rows of source into a table.
func insertFrom(ctx context.Context, conn *sql.Conn, table string, source duckdb.ParallelChunkTableSource) error {
	_, err := conn.ExecContext(context.WithValue(ctx, sourceKey{}, source), `INSERT INTO `+table+` BY NAME SELECT * FROM `+feedFunction+`()`)
	return err
}

var duckdbTypes = map[string]duckdb.Type{
	"VARCHAR": duckdb.TYPE_VARCHAR, "BOOLEAN": duckdb.TYPE_BOOLEAN, "UUID": duckdb.TYPE_UUID,
	"TIMESTAMP": duckdb.TYPE_TIMESTAMP, "BIGINT": duckdb.TYPE_BIGINT,
}

// columnInfos are the columns of a table for DuckDB.
func columnInfos(columns []query.Column) []duckdb.ColumnInfo {
	infos := make([]duckdb.ColumnInfo, len(columns))
	for i, c := range columns {
		t, err := duckdb.NewTypeInfo(duckdbTypes[c.Type])
		if err != nil {
			panic(fmt.Sprintf("type of column %s: %v", c.Name, err)) // no input can bring this about
		}
		infos[i] = duckdb.ColumnInfo{Name: c.Name, T: t}
	}
	return infos
}

// The methods of duckdb.ParallelChunkTableSource.

func (f *feed) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(recordColumns) }
func (f *feed) Cardinality() *duckdb.CardinalityInfo { return nil }
func (f *feed) NewLocalState() any {
	return &feedWriter{vectors: vectors{arena: f.arenas.next()}}
}
func (f *feed) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: f.arenas.threads}
}

// feedWriter is what a thread of DuckDB needs to write rows.
type feedWriter struct {
	vectors vectors
	rows    int // in this query
}

// FillChunk flattens the next batch into chunk. An empty chunk ends the table,
// so a batch without a record is passed over.
func (f *feed) FillChunk(state any, chunk duckdb.DataChunk) error {
	w := state.(*feedWriter)
	for w.rows < rowGroupRows && !f.pause.Load() {
		b, err := f.take()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if err := w.vectors.reset(chunk, len(recordColumns)); err != nil {
			return err
		}
		rows := f.fill(&w.vectors, b, rowGroupRows-w.rows)
		f.finish(b)
		if w.rows += rows; rows > 0 {
			return chunk.SetSize(rows)
		}
	}
	return chunk.SetSize(0)
}

// fill flattens a batch, or as much of it as gives so many rows, and says how
// many it made.
func (f *feed) fill(v *vectors, b *batch, limit int) (rows int) {
	var t tally
	var repeated []uuid
	flat := f.flattener()
	start := 0
	if b.done > 0 {
		start = b.records[b.done-1].end
	}
	for ; b.done < len(b.records) && rows < limit; b.done++ {
		rec := b.records[b.done]
		text := b.text[start:rec.end]
		start = rec.end
		r, reason := flat.flatten(text)
		if reason != "" {
			f.reject(rejected{source: rec.source, index: rec.index, reason: reason, raw: validText(clipRaw(text))})
		} else {
			t.add(r.time)
			if id := r.write(v, rows, rec); f.seen.add(id) {
				repeated = append(repeated, id)
			}
			rows++
		}
		if next := b.done + 1; next == len(b.records) || rows == limit || b.records[next].source != rec.source {
			rec.source.tally.merge(&t)
			t = tally{}
		}
	}
	if f.identities.full() || f.contexts.full() {
		f.pause.Store(true)
	}
	f.keep(flat, repeated)
	return rows
}

// write sets a row of a chunk and returns the id of its event.
func (r *row) write(v *vectors, at int, rec batchRecord) (event uuid) {
	for c := range idColumns {
		text, textColumn := r.text[c], int(c+idColumns)
		id, ok := parseUUID(text)
		switch {
		case ok:
			v.uuid(int(c), at, id)
			v.null(textColumn, at)
		case c == colEventID:
			id = textUUID(text)
			v.uuid(int(c), at, id)
			v.text(textColumn, at, text)
		default:
			v.null(int(c), at)
			v.text(textColumn, at, text)
		}
		if c == colEventID {
			event = id
		}
	}
	for c := idColumns; c < columnCount; c++ {
		at, to := at, int(c+idColumns)
		switch c {
		case colEventTime:
			v.time(to, at, r.time)
		case colIssuedExpiration:
			v.time(to, at, r.expires)
		case colReadOnly, colManagementEvent, colSessionCredentialFromConsole:
			v.bool(to, at, r.bools[c])
		case colIdentity:
			put(v, to, at, r.identity.id)
		case colContext:
			put(v, to, at, r.context.id)
		case colSourceID:
			put(v, to, at, rec.source.id)
		case colRecordIndex:
			put(v, to, at, rec.index)
		default:
			v.text(to, at, r.text[c])
		}
	}
	return event
}
