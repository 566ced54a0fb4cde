package ingest

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"trailscan/query"
)

// seen remembers which event ids there were: a Bloom filter that fits an id into
// one word, so that of two threads that add the same id one is told. It may take
// an id for seen that was not, which costs a look into the case: one in a
// thousand with a word an id, one in twelve with twelve ids a word.
type seen struct{ words []atomic.Uint64 }

// maxSeenWords bounds the memory of seen to 64 MB.
const maxSeenWords = 8 << 20

// newSeen makes room for n ids.
func newSeen(n int64) *seen {
	words := int64(1 << 16)
	for words < n && words < maxSeenWords {
		words *= 2
	}
	return &seen{make([]atomic.Uint64, words)}
}

// add remembers an id and says whether it may have been there.
func (s *seen) add(id uuid) (before bool) {
	h := mix(id.high ^ mix(id.low))
	bits := uint64(1)<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
	return s.words[h>>32&uint64(len(s.words)-1)].Or(bits)&bits == bits
}

// mix spreads a number over all its bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// rememberFunction is the SQL function by which seen learns what the case holds.
const rememberFunction = "ingest_remember"

// recordBytes is how little of a compressed file a record takes.
const recordBytes = 128

// remember makes seen ready for a load of so many bytes into the case.
func (l *loader) remember(ctx context.Context, bytes int64) error {
	var n int64
	if err := l.conn.QueryRowContext(ctx, `SELECT count(*) FROM records`).Scan(&n); err != nil {
		return err
	}
	l.seen = newSeen(n + bytes/recordBytes)
	return l.conn.QueryRowContext(context.WithValue(ctx, seenKey{}, l.seen), `SELECT count(`+rememberFunction+`(event_uuid)) FROM records`).Scan(&n)
}

type seenKey struct{}

// registerRemember makes the function known to the database of conn.
func registerRemember(conn *sql.Conn) error {
	return duckdb.RegisterScalarUDF(conn, rememberFunction, remember{})
}

type remember struct{}

func (remember) Config() duckdb.ScalarFuncConfig {
	return duckdb.ScalarFuncConfig{
		InputTypeInfos: []duckdb.TypeInfo{columnInfos([]query.Column{{Type: "UUID"}})[0].T},
		ResultTypeInfo: columnInfos([]query.Column{{Type: "BOOLEAN"}})[0].T,
		Volatile:       true,
	}
}

func (remember) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{ChunkContextExecutor: func(ctx context.Context, state *duckdb.ChunkIteratorState) error {
		s, ok := ctx.Value(seenKey{}).(*seen)
		if !ok {
			return errors.New("only a load of logs can call " + rememberFunction)
		}
		chunk := state.GetInputChunk()
		ids := unsafe.Slice((*[2]uint64)(mapping.VectorGetData(mapping.DataChunkGetVector(rawChunk(chunk), 0))), chunk.GetSize())
		for _, id := range ids {
			s.add(uuid{high: id[1] ^ 1<<63, low: id[0]})
		}
		return nil
	}}
}

// idRows is event ids on their way into a table.
type idRows struct {
	ctx  context.Context
	ids  []uuid
	next atomic.Int64
}

// The methods of duckdb.ParallelChunkTableSource.

func (r *idRows) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(recordColumns[:1]) }
func (r *idRows) Cardinality() *duckdb.CardinalityInfo { return nil }
func (r *idRows) NewLocalState() any                   { return new(vectors) }
func (r *idRows) Init() duckdb.ParallelTableSourceInfo { return duckdb.ParallelTableSourceInfo{} }

func (r *idRows) FillChunk(state any, chunk duckdb.DataChunk) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	from := min(int(r.next.Add(batchRecords))-batchRecords, len(r.ids))
	ids := r.ids[from:min(from+batchRecords, len(r.ids))]
	v := state.(*vectors)
	if err := v.reset(chunk, 1); err != nil {
		return err
	}
	for at, id := range ids {
		v.uuid(0, at, id)
	}
	return chunk.SetSize(len(ids))
}
