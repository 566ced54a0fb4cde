package ingest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// madeRows writes rows made from their number, 2048 a chunk.
type madeRows struct {
	count  int
	arenas *arenas
	next   atomic.Int64
}

var madeColumns = []query.Column{
	{Name: "n", Type: "BIGINT"}, {Name: "t", Type: "VARCHAR"}, {Name: "u", Type: "UUID"}, {Name: "b", Type: "BOOLEAN"}, {Name: "day", Type: "TIMESTAMP"},
}

// made is the row of a number: NULLs in a pattern that no byte or word of a mask
// repeats, and texts of all lengths around those that DuckDB lays out otherwise.
func made(n int) (text []byte, u uuid, b tristate, at time.Time) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	switch size := rng.IntN(40); {
	case size == 39 && n%1000 == 7:
		text = bytes.Repeat([]byte{'a' + byte(n%26)}, 3<<20)
	case size > 0:
		text = []byte(strings.Repeat("é", (size-1)/2) + strings.Repeat("x", (size-1)%2))
		if len(text) > 4 {
			copy(text[len(text)-4:], fmt.Sprintf("%04d", n%10000)) // may cut a character
			text = bytes.ToValidUTF8(text, []byte("?"))
		}
		if text == nil {
			text = []byte{}
		}
	}
	u = uuid{rng.Uint64(), rng.Uint64()}
	b = tristate(rng.IntN(3))
	if rng.IntN(7) > 0 {
		at = time.UnixMicro(rng.Int64N(1 << 51)).UTC()
	}
	return text, u, b, at
}

func (m *madeRows) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(madeColumns) }
func (m *madeRows) Cardinality() *duckdb.CardinalityInfo { return nil }
func (m *madeRows) NewLocalState() any                   { return &vectors{arena: m.arenas.next()} }
func (m *madeRows) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: m.arenas.threads}
}

func (m *madeRows) FillChunk(state any, chunk duckdb.DataChunk) error {
	v := state.(*vectors)
	if err := v.reset(chunk, len(madeColumns)); err != nil {
		return err
	}
	from := min(int(m.next.Add(batchRecords))-batchRecords, m.count)
	to := min(from+batchRecords, m.count)
	for n := from; n < to; n++ {
		text, u, b, at := made(n)
		put(v, 0, n-from, int64(n))
		v.text(1, n-from, text)
		v.uuid(2, n-from, u)
		v.bool(3, n-from, b)
		v.time(4, n-from, at)
	}
	return chunk.SetSize(to - from)
}

// feedConn is a connection to a new case that knows the functions of a load.
func feedConn(t *testing.T) *sql.Conn {
	t.Helper()
	conn, err := newCase(t).DB.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := registerFunctions(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestVectors reads back what was written past DuckDB's interface: every type,
// NULLs, texts in the arena and beyond it, over several queries with one set of
// arenas.
func TestVectors(t *testing.T) {
	ctx, conn := context.Background(), feedConn(t)
	arenas := &arenas{threads: 2}
	defer arenas.release()
	for _, count := range []int{1, 64, 2047, 2048, 2049, 30_000} {
		exec := func(statement string) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		exec(`SET preserve_insertion_order = false`)
		exec(`CREATE OR REPLACE TABLE made (n BIGINT, t VARCHAR, u UUID, b BOOLEAN, day TIMESTAMP)`)
		if err := insertFrom(ctx, conn, "made", &madeRows{count: count, arenas: arenas}); err != nil {
			t.Fatal(err)
		}
		arenas.ended()
		if len(arenas.all) > arenas.threads {
			t.Errorf("%d arenas for %d threads", len(arenas.all), arenas.threads)
		}
		rows, err := conn.QueryContext(ctx, `SELECT n, t, CAST(u AS VARCHAR), b, day FROM made ORDER BY n`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var number int
			var text, u sql.NullString
			var b sql.NullBool
			var at sql.NullTime
			if err := rows.Scan(&number, &text, &u, &b, &at); err != nil {
				t.Fatal(err)
			}
			wantText, wantU, wantB, wantAt := made(n)
			gotU, ok := parseUUID([]byte(u.String))
			if number != n || text.Valid != (wantText != nil) || text.String != string(wantText) || !ok || gotU != wantU ||
				b.Valid != (wantB != null) || b.Bool != (wantB == yes) || at.Valid != !wantAt.IsZero() || at.Valid && !at.Time.Equal(wantAt) {
				t.Fatalf("row %d of %d is %d, %.40q, %v, %v, %v; want %.40q, %x, %v, %v", n, count, number, text.String, u, b, at, wantText, wantU, wantB, wantAt)
			}
		}
		if err := rows.Err(); err != nil || n != count {
			t.Errorf("%d rows, want %d: %v", n, count, err)
		}
		rows.Close()
	}
}

// TestFewerColumns has a query ask for some columns only, which the writers do
// not provide for: it fails and no memory is written to.
func TestFewerColumns(t *testing.T) {
	ctx, conn := context.Background(), feedConn(t)
	arenas := &arenas{threads: 1}
	defer arenas.release()
	var n int
	rows := &madeRows{count: 10, arenas: arenas}
	err := conn.QueryRowContext(context.WithValue(ctx, sourceKey{}, rows), `SELECT sum(n) FROM `+feedFunction+`()`).Scan(&n)
	if err == nil || !strings.Contains(err.Error(), "a chunk of 1 columns, want 5") {
		t.Errorf("%d: %v", n, err)
	}
	if err := conn.QueryRowContext(ctx, `SELECT * FROM `+feedFunction+`()`).Scan(&n); err == nil {
		t.Error("rows without a load")
	}
}

// adjusted is Load into a new case with a loader changed for the test.
func adjusted(tb testing.TB, sources []string, change func(*loader)) (*query.Case, *loader) {
	tb.Helper()
	ctx := context.Background()
	c := openCase(tb, filepath.Join(tb.TempDir(), "case.duckdb"), 2)
	l, err := newLoader(ctx, c, Options{Threads: 2}, groupRecords)
	if err != nil {
		tb.Fatal(err)
	}
	defer l.close()
	change(l)
	found, err := list(ctx, sources, c.Path, &Options{})
	if err == nil {
		err = l.load(ctx, found.files)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return c, l
}

// TestEveryIdentityDiffers has so many identities and contexts wait that they are
// stored again and again in the middle of a group.
func TestEveryIdentityDiffers(t *testing.T) {
	const files, perFile = 12, 5000
	parts := map[string]string{}
	for f := range files {
		var b strings.Builder
		for i := range perFile {
			fmt.Fprintf(&b, `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"s","eventName":"n","eventID":"%d","userAgent":"agent %[1]d","userIdentity":{"type":"IAMUser","userName":"u%[1]d","accountId":"%012[1]d"}}`+"\n", f*perFile+i)
		}
		parts[fmt.Sprint(f)] = b.String()
	}
	dir := write(t, parts)
	c, l := adjusted(t, []string{dir}, func(l *loader) { l.identities.limit, l.contexts.limit = 100<<10, 100<<10 })
	if l.identities.pending.ends != nil || l.contexts.pending.ends != nil {
		t.Error("identities or contexts wait still")
	}
	want := fmt.Sprintf("%d|%[1]d|%[1]d|%[1]d|%[1]d|%[1]d", files*perFile)
	got := dump(t, c, `SELECT count(*), count(DISTINCT event_id), count(DISTINCT user_identity),
		count(*) FILTER (user_name = 'u' || event_id AND account_id = lpad(event_id, 12, '0') AND user_agent = 'agent ' || event_id),
		(SELECT count(DISTINCT context_id) FROM contexts), (SELECT count(DISTINCT identity_id) FROM identities) FROM events`)
	if got[0] != want {
		t.Errorf("got %s, want %s", got[0], want)
	}
}

// TestIdentitiesAreNumberedOn loads into a case in several runs, one of which is
// stopped: identities of a run must not take the numbers of another.
func TestIdentitiesAreNumberedOn(t *testing.T) {
	c := newCase(t)
	file := func(name string) string {
		return write(t, map[string]string{name: strings.Replace(event(name), `"ana"`, `"`+name+`"`, 1) + `{"eventTime":"2026-03-01T10:00:00Z","eventSource":"s","eventName":"n"}`})
	}
	load(t, c, file("first"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, c, []string{file("stopped")}, Options{}); err == nil {
		t.Fatal("not stopped")
	}
	load(t, c, file("second"))
	got := dump(t, c, `SELECT coalesce(user_name, '-') FROM events ORDER BY 1`)
	if strings.Join(got, " ") != "- first second" { // the record without an identity is one event
		t.Errorf("%q", got)
	}
	if got := dump(t, c, `SELECT (SELECT count(*) - count(DISTINCT identity_id) FROM identities), (SELECT count(*) - count(DISTINCT context_id) FROM contexts)`); got[0] != "0|0" {
		t.Errorf("identities and contexts share numbers: %s", got[0])
	}
}

// TestSeen adds ids from several threads: of those that add the same id all but
// one must be told, and few of those that are new.
func TestSeen(t *testing.T) {
	const ids, threads = 50_000, 4
	s := newSeen(ids)
	var told atomic.Int64
	done := make(chan struct{})
	for range threads {
		go func() {
			for i := range ids {
				if s.add(textUUID(fmt.Append(nil, i))) {
					told.Add(1)
				}
			}
			done <- struct{}{}
		}()
	}
	for range threads {
		<-done
	}
	for i := range ids {
		if !s.add(textUUID(fmt.Append(nil, i))) {
			t.Fatalf("id %d was forgotten", i)
		}
	}
	if n := told.Load(); n < ids*(threads-1) || n > ids*(threads-1)+ids/100 {
		t.Errorf("told %d times of %d repeated", n, ids*(threads-1))
	}
	if newSeen(1).add(textUUID([]byte("new"))) {
		t.Error("an empty filter has seen an id")
	}
}
