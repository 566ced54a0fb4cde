package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// The words of sources.status.
const (
	statusLoaded     = "loaded"
	statusDamaged    = "damaged"
	statusUnreadable = "unreadable"
	statusForeign    = "foreign" // no CloudTrail log at all
)

// A group ends before the next file when it holds this much: small enough to
// lose little when a load is stopped, large enough for DuckDB to write whole
// row groups straight into the file. A single file is never split, and what is
// left of the files joins the last group when it is less than a quarter of one:
// DuckDB writes a small group twice, into its log and then into the table.
const (
	groupRecords = 500_000
	groupBytes   = 1 << 30 // of JSON
)

// loader is one run of Load.
type loader struct {
	c          *query.Case
	o          Options
	conn       *sql.Conn
	identities dimension
	contexts   dimension
	arenas     arenas
	seen       *seen
	summary    Summary

	groupRecords int64
	memoryLimit  string // of the case before the load, where that changes it
	nextID       int64
	sources      []int64             // ids of all sources of this run
	streams      map[[2]string]int64 // sources that can be read once only, by URI and SHA-256
	keep         *keeper             // of copies of objects; nil for none
	broken       error               // why the load stops after this group

	filesDone, filesTotal atomic.Int64
	bytesDone, bytesTotal atomic.Int64
	records               atomic.Int64
}

// threadMemory is what DuckDB is given for each thread that stores records, of
// which half would do: their row group as it grows, and its columns as they are
// compressed. Left to itself it takes 80 % of the machine and fills a good part
// of it with what it has written already.
const threadMemory = 200_000_000

func newLoader(ctx context.Context, c *query.Case, o Options, groupRecords int64) (*loader, error) {
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("load into case %s: %w", c.Path, err)
	}
	l := &loader{c: c, o: o, conn: conn, groupRecords: groupRecords, streams: map[[2]string]int64{}}
	l.identities.table, l.identities.columns, l.identities.write = "identities", identityColumns, (*flattener).writeIdentity
	l.contexts.table, l.contexts.columns, l.contexts.write = "contexts", contextColumns, (*flattener).writeContext
	l.identities.limit, l.contexts.limit = pendingLimit, pendingLimit
	err = registerFunctions(ctx, conn)
	if err == nil {
		err = conn.QueryRowContext(ctx, `
			SELECT (SELECT coalesce(max(source_id), 0) + 1 FROM sources),
				(SELECT coalesce(max(identity_id), 0) + 1 FROM identities),
				(SELECT coalesce(max(context_id), 0) + 1 FROM contexts)`).Scan(&l.nextID, &l.identities.pending.first, &l.contexts.pending.first)
	}
	if err == nil {
		err = l.limitMemory(ctx)
	}
	if err == nil {
		// Rows say themselves where they are from. With their order kept DuckDB
		// 1.5 stores the rows of a table function on one thread, at 1.6 times the
		// time and with the other threads spinning.
		_, err = conn.ExecContext(ctx, `SET preserve_insertion_order = false`)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load into case %s: %w", c.Path, err), conn.Close())
	}
	return l, nil
}

// limitMemory gives DuckDB the memory that the load needs, and has fewer threads
// store records where the case may not use as much.
func (l *loader) limitMemory(ctx context.Context) error {
	var before string
	if err := l.conn.QueryRowContext(ctx, `SELECT current_setting('memory_limit')`).Scan(&before); err != nil {
		return err
	}
	limit, err := memoryBytes(before)
	if err != nil {
		return err
	}
	l.arenas.threads = int(max(1, min(int64(l.o.Threads), limit/threadMemory)))
	// The other queries of a load need it for two whatever there are.
	if want := max(2, int64(l.arenas.threads)) * threadMemory; want < limit {
		l.memoryLimit = before
		_, err = l.conn.ExecContext(ctx, fmt.Sprintf(`SET memory_limit = '%d bytes'`, want))
	}
	return err
}

// memoryBytes reads a size as DuckDB writes it: "18.8 GiB".
func memoryBytes(text string) (int64, error) {
	var n float64
	var unit string
	if _, err := fmt.Sscanf(text, "%f %s", &n, &unit); err != nil {
		return 0, fmt.Errorf("memory limit %q: %w", text, err)
	}
	power := slices.Index([]string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}, unit)
	if power < 0 {
		return 0, fmt.Errorf("memory limit %q: unknown unit", text)
	}
	return int64(n * math.Pow(1024, float64(power))), nil
}

func (l *loader) close() error {
	l.arenas.release()
	_, err := l.conn.ExecContext(context.Background(), `RESET preserve_insertion_order`)
	if l.memoryLimit != "" {
		_, limitErr := l.conn.ExecContext(context.Background(), `SET memory_limit = '`+l.memoryLimit+`'`)
		err = errors.Join(err, limitErr)
	}
	return errors.Join(err, l.conn.Close())
}

// load stores what is not in the case yet, group by group.
func (l *loader) load(ctx context.Context, files []*source) error {
	l.filesTotal.Store(int64(len(files)))
	for _, f := range files {
		l.bytesTotal.Add(f.size)
	}
	files, err := l.fresh(ctx, files)
	if err != nil || len(files) == 0 {
		return err
	}
	var bytes int64
	for _, f := range files {
		bytes += f.size
	}
	if err := l.remember(ctx, bytes); err != nil {
		return fmt.Errorf("read the events of case %s: %w", l.c.Path, err)
	}
	// In order of their paths, so that ids never depend on what is read first.
	for _, f := range files {
		f.id = l.nextID
		l.nextID++
	}
	for len(files) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := l.group(ctx, files)
		if err != nil {
			return err
		}
		if l.broken != nil && l.summary.Sources > 0 && ctx.Err() == nil {
			return fmt.Errorf("%w; what was read before is in the case: run the same command again for the rest", l.broken)
		} else if l.broken != nil {
			return l.broken
		}
		files = files[n:]
	}
	return nil
}

// group loads the first files of the list in one transaction and says how many.
func (l *loader) group(ctx context.Context, files []*source) (n int, err error) {
	if _, err := l.conn.ExecContext(ctx, `BEGIN TRANSACTION`); err != nil {
		return 0, fmt.Errorf("load into case %s: %w", l.c.Path, err)
	}
	defer func() {
		if err != nil {
			// The transaction may be gone already, with the context.
			l.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		}
	}()
	var bad rejects
	reading := ctx
	if slices.ContainsFunc(files, func(f *source) bool { return f.remote != nil }) {
		// What was fetched is kept when the load is stopped: reading ends, and what
		// was read whole is stored.
		ctx = context.WithoutCancel(ctx)
	}
	n, repeated, err := l.insert(ctx, reading, files, &bad)
	if err != nil {
		return 0, fmt.Errorf("load into case %s: %w", l.c.Path, err)
	}
	files = files[:n]
	if err := l.dropBroken(ctx, files, &bad); err != nil {
		return 0, fmt.Errorf("load into case %s: %w", l.c.Path, err)
	}
	if n == 0 {
		_, err := l.conn.ExecContext(ctx, `ROLLBACK`)
		return 0, err
	}
	if err := l.dedupe(ctx, files, repeated, &bad); err != nil {
		return 0, fmt.Errorf("find duplicates in case %s: %w", l.c.Path, err)
	}
	files = slices.DeleteFunc(slices.Clone(files), isBroken)
	if err := l.describe(ctx, files, &bad); err != nil {
		return 0, fmt.Errorf("describe sources in case %s: %w", l.c.Path, err)
	}
	if _, err := l.conn.ExecContext(ctx, `COMMIT`); err != nil {
		return 0, fmt.Errorf("load into case %s: %w", l.c.Path, err)
	}
	l.tally(files)
	return n, nil
}

// insert stores the records of the first files of the list, as many as make a
// group, and returns the ids of events that may have been there before.
// Reading ends with a context of its own.
func (l *loader) insert(ctx, reading context.Context, files []*source, bad *rejects) (n int, repeated []uuid, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reading, stop := context.WithCancelCause(reading)
	defer stop(nil)
	context.AfterFunc(ctx, func() { stop(context.Cause(ctx)) })
	f := newFeed(ctx, l, bad.add)
	var readers sync.WaitGroup
	g := &groupState{files: files, limit: l.groupRecords}
	inFlight := l.o.Threads
	if n := remoteInFlight(files); n > 0 {
		inFlight = max(inFlight, n)
		g.until = time.Now().Add(remoteGroup)
	}
	for range min(inFlight, len(files)) {
		readers.Go(func() {
			w := &fileReader{l: l, group: g, feed: f, bad: bad, batch: f.newBatch(),
				reader: newReader(&l.bytesDone), unpacker: newUnpacker()}
			for s := g.next(reading); s != nil; s = g.next(reading) {
				if err := w.read(reading, s); err != nil {
					cancel(err)
					return
				}
			}
			if err := f.send(w.batch); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		readers.Wait()
		close(f.full)
	}()
	if err := l.drain(ctx, f); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(err)
		for range f.full {
			// Let the readers see that it is over.
		}
		return 0, nil, err
	}
	readers.Wait()
	return g.taken, f.repeated, context.Cause(ctx)
}

// drain stores all records of the feed in as many queries as it asks for, and after
// each the identities that wait.
func (l *loader) drain(ctx context.Context, f *feed) error {
	for !f.drained() {
		f.pause.Store(false)
		if err := l.store(ctx, "records", f); err != nil {
			return err
		}
		for _, d := range []*dimension{&l.identities, &l.contexts} {
			if err := l.storeDimension(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeDimension stores the rows that wait, less than a row group a query: so the
// transaction fills one row group after another, whatever thread brings them.
func (l *loader) storeDimension(ctx context.Context, d *dimension) error {
	list := d.take()
	const most = rowGroupRows - 1
	for start := 0; start < len(list.ends); start += most {
		rows := &dimensionRows{ctx: ctx, dimension: d, list: list, end: min(start+most, len(list.ends)), arenas: &l.arenas}
		rows.next.Store(int64(start))
		if err := l.store(ctx, d.table, rows); err != nil {
			return err
		}
	}
	return nil
}

// store inserts rows that are written into arenas.
func (l *loader) store(ctx context.Context, table string, rows duckdb.ParallelChunkTableSource) error {
	defer l.arenas.ended()
	return insertFrom(ctx, l.conn, table, rows)
}

// groupState deals out the files of a group.
type groupState struct {
	mu             sync.Mutex
	files          []*source
	limit          int64 // of records
	taken          int
	size           int64     // of the files taken
	until          time.Time // when no further file is taken; zero: never
	broken         bool      // the load stops
	records, bytes atomic.Int64
}

// next is the next file of the group, or nil at its end or when reading is to end.
func (g *groupState) next(ctx context.Context) *source {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken == len(g.files) || g.broken || ctx.Err() != nil {
		return nil
	}
	if g.taken > 0 && !g.until.IsZero() && time.Now().After(g.until) {
		return nil
	}
	if g.limit > 0 && (g.records.Load() >= g.limit || g.bytes.Load() >= groupBytes) {
		var left int64
		for _, f := range g.files[g.taken:] {
			if left += f.size; left > g.size/4 {
				return nil
			}
		}
	}
	s := g.files[g.taken]
	g.taken++
	g.size += s.size
	return s
}

// stop has no reader of the group take another file.
func (g *groupState) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken = true
}

// open opens a source for reading.
func (l *loader) open(ctx context.Context, f *source) (io.ReadCloser, error) {
	switch {
	case f.remote != nil:
		return f.remote.open(ctx, f)
	case !f.stream:
		return os.Open(f.path)
	case f.uri != stdinURI:
		return interruptible(ctx, func() (io.ReadCloser, error) { return os.Open(f.path) }), nil
	case l.o.Stdin == nil:
		return nil, errors.New("there is no standard input to read")
	}
	return interruptible(ctx, func() (io.ReadCloser, error) { return io.NopCloser(l.o.Stdin), nil }), nil
}

// interruptible reads a stream that may keep one waiting, and stops doing so with
// the context: nothing else ends a read of standard input, or the opening of a
// pipe that nobody writes to.
func interruptible(ctx context.Context, open func() (io.ReadCloser, error)) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		stream, err := open()
		if err == nil {
			_, err = io.Copy(in, stream)
			err = errors.Join(err, stream.Close())
		}
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { out.CloseWithError(context.Cause(ctx)) })
	return out
}
