package ingest

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// dimension is a table of what many records share: it is stored once, and the
// records have its id. It numbers the rows of a load and holds those that are
// not stored yet.
type dimension struct {
	table   string
	columns []query.Column // the id first
	// write sets the columns of a row but the id from the text that stands for it.
	write func(f *flattener, v *vectors, at int, text []byte)

	limit   int // of text that waits
	mu      sync.Mutex
	pending dimensionList
}

// dimensionList is rows one after another: ids that follow each other, and the
// texts that stand for them.
type dimensionList struct {
	first int64
	ends  []int // in text
	text  []byte
}

// pendingLimit is how much text of a dimension waits in memory to be stored, and
// knownLimit how much of it the flatteners know. Where each record has a row of
// its own they are stored in groups of a DuckDB row group or so.
const (
	pendingLimit = 64 << 20
	knownLimit   = 16 << 20
)

// add numbers a new row.
func (d *dimension) add(text []byte) (id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &d.pending
	p.text = append(p.text, text...)
	p.ends = append(p.ends, len(p.text))
	return p.first + int64(len(p.ends)) - 1
}

// full says whether the rows pending should be stored before there are more.
func (d *dimension) full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pending.text) > d.limit
}

// take returns the rows pending.
func (d *dimension) take() dimensionList {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pending
	d.pending = dimensionList{first: p.first + int64(len(p.ends))}
	return p
}

// known is the rows of a dimension that a flattener knows, by the raw text.
type known[T any] struct {
	*dimension
	rows  map[string]T
	size  int
	limit int
}

func (k *known[T]) get(raw []byte) (T, bool) {
	row, ok := k.rows[string(raw)]
	return row, ok
}

// knownOverhead is what a known row takes beside its text.
const knownOverhead = 256

// know remembers a row, forgetting all others when they are too many.
func (k *known[T]) know(raw []byte, row T) {
	if k.size += len(raw) + knownOverhead; k.size > k.limit || k.rows == nil {
		k.rows, k.size = map[string]T{}, len(raw)+knownOverhead
	}
	k.rows[string(raw)] = row
}

// dimensionRows is rows of a dimension on their way into its table.
type dimensionRows struct {
	ctx context.Context
	*dimension
	list   dimensionList
	end    int // of those that the query stores
	arenas *arenas
	next   atomic.Int64
}

// dimensionWriter is what a thread of DuckDB needs to write them.
type dimensionWriter struct {
	vectors   vectors
	flattener flattener
}

// The methods of duckdb.ParallelChunkTableSource.

func (r *dimensionRows) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(r.columns) }
func (r *dimensionRows) Cardinality() *duckdb.CardinalityInfo { return nil }
func (r *dimensionRows) NewLocalState() any {
	return &dimensionWriter{vectors: vectors{arena: r.arenas.next()}}
}
func (r *dimensionRows) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: r.arenas.threads}
}

func (r *dimensionRows) FillChunk(state any, chunk duckdb.DataChunk) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	w := state.(*dimensionWriter)
	if err := w.vectors.reset(chunk, len(r.columns)); err != nil {
		return err
	}
	ends := r.list.ends
	from := min(int(r.next.Add(batchRecords))-batchRecords, r.end)
	to := min(from+batchRecords, r.end)
	for i := from; i < to; i++ {
		start := 0
		if i > 0 {
			start = ends[i-1]
		}
		w.flattener.arena = w.flattener.arena[:0]
		put(&w.vectors, 0, i-from, r.list.first+int64(i))
		r.write(&w.flattener, &w.vectors, i-from, r.list.text[start:ends[i]])
	}
	return chunk.SetSize(to - from)
}
