package ingest

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// vectors writes the values of a chunk straight into DuckDB's memory, laid out
// as its C header documents. The driver's SetChunkValue crosses into C for each
// string and each NULL, some 30 times a record: as much time as reading and
// parsing the record takes.
type vectors struct {
	vector []mapping.Vector
	data   []unsafe.Pointer // of each column: an element a row
	valid  []unsafe.Pointer // of each column: a bit a row, in words of 64
	arena  []byte           // pinned: what the strings of the chunk point into
}

// arenaSize holds the strings of most chunks; the rest is copied by DuckDB.
const arenaSize = 2 * batchBytes

// arenas are the arenas of a query. DuckDB has copied what is in them before it
// asks a thread for its next chunk.
type arenas struct {
	mu       sync.Mutex
	pinner   runtime.Pinner
	released bool
}

// new is nil when the query has ended: a thread of one that was interrupted may
// come late.
func (a *arenas) new() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.released {
		return nil
	}
	arena := make([]byte, 0, arenaSize)
	a.pinner.Pin(unsafe.SliceData(arena))
	return arena
}

// release ends the life of the arenas; no query may use them.
func (a *arenas) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pinner.Unpin()
	a.released = true
}

// rawChunk is the handle of a chunk, which the driver (v2.10506) does not export.
func rawChunk(chunk *duckdb.DataChunk) mapping.DataChunk {
	handle := reflect.ValueOf(chunk).Elem().FieldByName("chunk").FieldByName("Ptr")
	return mapping.DataChunk{Ptr: handle.UnsafePointer()}
}

// reset turns to another chunk, of so many columns.
func (v *vectors) reset(chunk duckdb.DataChunk, columns int) error {
	if chunk.ColumnCount() != columns {
		return fmt.Errorf("a chunk of %d columns, want %d", chunk.ColumnCount(), columns)
	}
	raw := rawChunk(&chunk)
	v.arena = v.arena[:0]
	v.vector, v.data, v.valid = v.vector[:0], v.data[:0], v.valid[:0]
	for i := range columns {
		vector := mapping.DataChunkGetVector(raw, mapping.IdxT(i))
		v.vector = append(v.vector, vector)
		v.data = append(v.data, mapping.VectorGetData(vector))
		v.valid = append(v.valid, mapping.VectorGetValidity(vector)) // made writable by the driver
	}
	return nil
}

func (v *vectors) null(column, row int) {
	word := (*uint64)(unsafe.Add(v.valid[column], row/64*8))
	*word &^= 1 << (row % 64)
}

func put[T any](v *vectors, column, row int, value T) {
	*(*T)(unsafe.Add(v.data[column], uintptr(row)*unsafe.Sizeof(value))) = value
}

// inlineString and pointerString are the two forms of duckdb_string_t.
type (
	inlineString struct {
		length uint32
		text   [12]byte
	}
	pointerString struct {
		length uint32
		prefix [4]byte
		text   uintptr // no pointer: DuckDB's memory is none of the collector's
	}
)

// text writes valid UTF-8, nil for NULL.
func (v *vectors) text(column, row int, text []byte) {
	switch {
	case text == nil:
		v.null(column, row)
	case len(text) <= len(inlineString{}.text):
		s := inlineString{length: uint32(len(text))}
		copy(s.text[:], text)
		put(v, column, row, s)
	case len(v.arena)+len(text) <= cap(v.arena):
		start := len(v.arena)
		v.arena = append(v.arena, text...)
		put(v, column, row, pointerString{uint32(len(text)), [4]byte(text), uintptr(unsafe.Pointer(&v.arena[start]))})
	default:
		mapping.VectorAssignStringElementLen(v.vector[column], mapping.IdxT(row), text)
	}
}

func (v *vectors) bool(column, row int, value tristate) {
	if value == null {
		v.null(column, row)
		return
	}
	put(v, column, row, value == yes)
}

func (v *vectors) time(column, row int, t time.Time) {
	if t.IsZero() {
		v.null(column, row)
		return
	}
	put(v, column, row, t.UnixMicro())
}

// uuid writes a UUID as DuckDB orders them: a 128-bit number with the first bit
// turned over.
func (v *vectors) uuid(column, row int, u uuid) {
	put(v, column, row, [2]uint64{u.low, u.high ^ 1<<63})
}
