package ingest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
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
	identities identities
	seen       *seen
	summary    Summary

	groupRecords int64
	memoryLimit  string // of the case before the load, as DuckDB writes it
	nextID       int64
	sources      []int64             // ids of all sources of this run
	streams      map[[2]string]int64 // sources that can be read once only, by URI and SHA-256

	filesDone, filesTotal atomic.Int64
	bytesDone, bytesTotal atomic.Int64
	records               atomic.Int64
}

// bufferLimit is what DuckDB may keep in memory during a load, unless the caller
// gave it less. Left to itself it takes 80 % of the machine and fills a good part
// of it with what it has written already.
const bufferLimit = "400MB"

func newLoader(ctx context.Context, c *query.Case, o Options, groupRecords int64) (*loader, error) {
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("load into case %s: %w", c.Path, err)
	}
	l := &loader{c: c, o: o, conn: conn, groupRecords: groupRecords, streams: map[[2]string]int64{}}
	err = registerFunctions(ctx, conn)
	if err == nil {
		err = conn.QueryRowContext(ctx, `
			SELECT (SELECT coalesce(max(source_id), 0) + 1 FROM sources),
				(SELECT coalesce(max(identity_id), 0) + 1 FROM identities)`).Scan(&l.nextID, &l.identities.next)
	}
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT current_setting('memory_limit')`).Scan(&l.memoryLimit)
	}
	if err == nil && strings.HasSuffix(l.memoryLimit, "GiB") {
		_, err = conn.ExecContext(ctx, `SET memory_limit = '`+bufferLimit+`'`)
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

func (l *loader) close() error {
	_, err := l.conn.ExecContext(context.Background(), `RESET preserve_insertion_order`)
	_, limitErr := l.conn.ExecContext(context.Background(), `SET memory_limit = '`+l.memoryLimit+`'`)
	return errors.Join(err, limitErr, l.conn.Close())
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
		files = files[n:]
	}
	return nil
}

// fresh leaves out the files that the case holds with the same content. Only
// those that it knows by path are hashed for this.
func (l *loader) fresh(ctx context.Context, files []*source) ([]*source, error) {
	type known struct {
		id     int64
		sha256 string
		status string
	}
	inCase := map[string][]known{}
	rows, err := l.conn.QueryContext(ctx, `SELECT source_id, uri, coalesce(sha256, ''), status FROM sources ORDER BY source_id`)
	if err != nil {
		return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var k known
		var uri string
		if err := rows.Scan(&k.id, &uri, &k.sha256, &k.status); err != nil {
			return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
		}
		inCase[uri] = append(inCase[uri], k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
	}
	var fresh []*source
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		old := inCase[f.uri]
		for _, k := range old {
			if k.sha256 == "" {
				f.replaces = append(f.replaces, k.id)
			}
		}
		if f.stream {
			for _, k := range old {
				if k.sha256 != "" {
					l.streams[[2]string{f.uri, k.sha256}] = k.id
				}
			}
		}
		if len(old) == 0 || f.stream {
			fresh = append(fresh, f)
			continue
		}
		sum, err := hashFile(f.path)
		i := slices.IndexFunc(old, func(k known) bool { return err == nil && k.sha256 == sum })
		if i < 0 {
			fresh = append(fresh, f)
			continue
		}
		l.sources = append(l.sources, old[i].id)
		l.filesDone.Add(1)
		l.bytesDone.Add(f.size)
		switch again := (Problem{f.uri, "no CloudTrail records, as before"}); old[i].status {
		case statusUnreadable:
			l.summary.Unreadable = append(l.summary.Unreadable, again)
		case statusForeign:
			l.summary.Foreign = append(l.summary.Foreign, again)
		case statusDamaged:
			l.summary.Damaged = append(l.summary.Damaged, Problem{f.uri, "parts cannot be read, as before: see the table rejects"})
			l.summary.AlreadyLoaded++
		default:
			l.summary.AlreadyLoaded++
		}
	}
	return fresh, nil
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
	n, repeated, err := l.insert(ctx, files, &bad)
	if err != nil {
		return 0, fmt.Errorf("load into case %s: %w", l.c.Path, err)
	}
	files = files[:n]
	if err := l.dedupe(ctx, files, repeated, &bad); err != nil {
		return 0, fmt.Errorf("find duplicates in case %s: %w", l.c.Path, err)
	}
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
func (l *loader) insert(ctx context.Context, files []*source, bad *rejects) (n int, repeated []uuid, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := newFeed(ctx, l.o.Threads, &l.identities, l.seen, bad.add)
	defer f.arenas.release()
	var readers sync.WaitGroup
	g := &groupState{files: files, limit: l.groupRecords}
	for range min(l.o.Threads, len(files)) {
		readers.Go(func() {
			w := &fileReader{l: l, group: g, feed: f, bad: bad, batch: f.newBatch(),
				reader: newReader(&l.bytesDone), splitter: newSplitter()}
			for s := g.next(); s != nil && ctx.Err() == nil; s = g.next() {
				if err := w.read(ctx, s); err != nil {
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

// drain stores all records of the feed, and their identities whenever many wait.
func (l *loader) drain(ctx context.Context, f *feed) error {
	for !f.drained.Load() {
		f.pause.Store(false)
		if err := insertFrom(ctx, l.conn, "records", f); err != nil {
			return err
		}
		rows := &identityRows{ctx: ctx, list: l.identities.take()}
		err := insertFrom(ctx, l.conn, "identities", rows)
		rows.arenas.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// groupState deals out the files of a group.
type groupState struct {
	mu             sync.Mutex
	files          []*source
	limit          int64 // of records
	taken          int
	size           int64 // of the files taken
	records, bytes atomic.Int64
}

// next is the next file of the group, or nil at its end.
func (g *groupState) next() *source {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken == len(g.files) {
		return nil
	}
	if g.records.Load() >= g.limit || g.bytes.Load() >= groupBytes {
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
			t.conflicts, when(t.firstTime), when(t.lastTime), nil, t.status(), now, nil, nil}
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

// open opens a source for reading.
func (l *loader) open(ctx context.Context, f *source) (io.ReadCloser, error) {
	switch {
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
