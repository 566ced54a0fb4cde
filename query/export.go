package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Export is how the events of a case are written as a Parquet data set:
// docs/export.md.
type Export struct {
	Since, Until time.Time // zero: no bound; Until is exclusive
	Overwrite    bool      // an export that stands at the place is replaced
	KeepSecrets  bool      // session tokens and the like are written too
	Progress     func(done, total int64)

	batch int64 // events that are sorted at a time; 0: batchEvents
}

// Exported is what an export wrote.
type Exported struct {
	Events, Files int64
	Bytes         int64 // of the files
}

// ErrOccupied says that something stands where an export is to be written.
var ErrOccupied = errors.New("folder is not empty")

const (
	// batchEvents bounds the memory and the disk that sorting takes. More events
	// than that are sorted at once only when they are of the same hour.
	batchEvents = 100_000
	// fileEvents is the most that a file holds.
	fileEvents = 1_000_000
	// exportMemory is what DuckDB may keep in memory meanwhile, unless the caller
	// set a limit. Left to itself it takes 80 % of the machine.
	exportMemory = "400MB"
)

// defaultPartition is Hive's name of the partition of NULL.
const defaultPartition = "__HIVE_DEFAULT_PARTITION__"

// Write writes the events into dir, one folder an account, region and day. The
// folder appears whole or not at all: what is written so far lies beside it, in
// one named .NAME.partial-…, and goes away when the context ends. Without any
// event nothing is written.
func (x Export) Write(ctx context.Context, c *Case, dir string) (Exported, error) {
	target, err := x.target(dir)
	if err != nil {
		return Exported{}, err
	}
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return Exported{}, fmt.Errorf("export %s: %w", c.Path, err)
	}
	defer conn.Close()
	w := exporter{Export: x, conn: conn, parts: map[string]int{}}
	if w.batch == 0 {
		w.batch = batchEvents
	}
	if err := w.prepare(ctx); err != nil {
		return Exported{}, fmt.Errorf("export %s: %w", c.Path, err)
	}
	if w.total == 0 {
		return Exported{}, nil
	}
	if w.dir, err = beside(target, "partial"); err != nil {
		return Exported{}, fmt.Errorf("export to %s: %w", dir, err)
	}
	err = w.write(ctx)
	if err == nil && w.done.Events != w.total {
		err = fmt.Errorf("%d of %d events were written", w.done.Events, w.total)
	}
	if err == nil {
		err = install(w.dir, target)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // the driver says it in other words
		}
		return Exported{}, errors.Join(fmt.Errorf("export %s to %s: %w", c.Path, dir, err), os.RemoveAll(w.dir))
	}
	return w.done, nil
}

// target is where the folder is to be, once nothing stands in its way.
func (x Export) target(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("export to %s: %w", dir, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays, and what it leads to is replaced
	}
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", fmt.Errorf("export to %s: %w", dir, err)
	case len(entries) == 0:
		return path, nil
	case !x.Overwrite:
		return "", fmt.Errorf("export to %s: %w: name another, or replace an older export with --overwrite", dir, ErrOccupied)
	}
	return path, onlyExport(path)
}

// onlyExport looks whether a folder holds an export and nothing else, so that
// nothing else is ever deleted.
func onlyExport(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		depth := strings.Count(filepath.ToSlash(rel), "/")
		ok := depth < 4 && d.IsDir() == (depth < 3)
		if ok {
			ok = strings.HasPrefix(d.Name(), []string{"account_id=", "region=", "date=", "part-"}[depth])
		}
		if !ok {
			return fmt.Errorf("export to %s: %s is not of an export: %w: name another", dir, rel, ErrOccupied)
		}
		return nil
	})
}

// beside makes a private folder in that of path, with a name that says what it is.
func beside(path, what string) (string, error) {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "."+filepath.Base(path)+"."+what+"-*")
}

// install puts a finished folder in its place.
func install(finished, target string) error {
	old := ""
	if _, err := os.Stat(target); err == nil {
		if old, err = beside(target, "old"); err != nil {
			return err
		}
		if err := os.Rename(target, filepath.Join(old, "export")); err != nil {
			return errors.Join(err, os.Remove(old))
		}
	}
	if err := os.Rename(finished, target); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(filepath.Join(old, "export"), target), os.Remove(old))
		}
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(old)
}

// exporter is one run of Export.Write. It reads the events in stretches of
// time, each of which becomes a table that is sorted by partition, of which one
// partition after the other is written.
type exporter struct {
	Export
	conn  *sql.Conn
	dir   string
	total int64
	units []unit
	parts map[string]int // files so far, by folder
	done  Exported
}

// unit is a stretch of time [from, until) with so many events.
type unit struct {
	from, until time.Time
	events      int64
}

// prepare counts the events by day, and by hour where a day has too many.
func (w *exporter) prepare(ctx context.Context) error {
	var limit string
	if err := w.conn.QueryRowContext(ctx, `SELECT current_setting('memory_limit')`).Scan(&limit); err != nil {
		return err
	}
	if strings.HasSuffix(limit, "GiB") {
		if _, err := w.conn.ExecContext(ctx, `SET memory_limit = '`+exportMemory+`'`); err != nil {
			return err
		}
	}
	where, args := "TRUE", []any{}
	if !w.Since.IsZero() {
		where, args = where+" AND event_time >= ?", append(args, w.Since.UTC())
	}
	if !w.Until.IsZero() {
		where, args = where+" AND event_time < ?", append(args, w.Until.UTC())
	}
	rows, err := w.conn.QueryContext(ctx,
		`SELECT time_bucket(INTERVAL 1 HOUR, event_time) AS hour, count(*) FROM events WHERE `+where+` GROUP BY 1 ORDER BY 1`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var day []unit
	endDay := func() {
		var sum int64
		for _, h := range day {
			sum += h.events
		}
		if sum <= w.batch && len(day) > 0 {
			day = []unit{{day[0].from, day[len(day)-1].until, sum}}
		}
		w.units = append(w.units, day...)
		w.total += sum
		day = nil
	}
	for rows.Next() {
		var hour unit
		if err := rows.Scan(&hour.from, &hour.events); err != nil {
			return err
		}
		hour.until = hour.from.Add(time.Hour)
		if len(day) > 0 && !day[0].from.Truncate(24*time.Hour).Equal(hour.from.Truncate(24*time.Hour)) {
			endDay()
		}
		day = append(day, hour)
	}
	endDay()
	return rows.Err()
}

// write writes batches of as many units as one may hold.
func (w *exporter) write(ctx context.Context) error {
	for i := 0; i < len(w.units); {
		b := w.units[i]
		for i++; i < len(w.units) && b.events+w.units[i].events <= w.batch; i++ {
			b.until, b.events = w.units[i].until, b.events+w.units[i].events
		}
		if b.from.Before(w.Since) {
			b.from = w.Since.UTC()
		}
		if !w.Until.IsZero() && b.until.After(w.Until) {
			b.until = w.Until.UTC()
		}
		if err := w.writeBatch(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// partition is a run of rows of the batch.
type partition struct {
	account, region, date string
	first, rows           int64
}

func (w *exporter) writeBatch(ctx context.Context, b unit) error {
	_, err := w.conn.ExecContext(ctx, w.batchSQL(), b.from, b.until)
	if err != nil {
		return err
	}
	partitions, err := w.partitions(ctx)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		for p.rows > 0 {
			n := min(p.rows, fileEvents)
			if err := w.writeFile(ctx, p, n); err != nil {
				return err
			}
			p.first, p.rows = p.first+n, p.rows-n
			w.done.Events += n
			if w.Progress != nil {
				w.Progress(w.done.Events, w.total)
			}
		}
	}
	_, err = w.conn.ExecContext(ctx, `DROP TABLE temp.export_batch`)
	return err
}

// batchSQL makes the table of a batch: what names its partition, then the
// columns of a file.
func (w *exporter) batchSQL() string {
	value := func(column string) string {
		return `CASE WHEN regexp_full_match(` + column + `, '[A-Za-z0-9_-]{1,64}') THEN ` + column + ` ELSE '` + defaultPartition + `' END`
	}
	columns := []string{
		value("coalesce(recipient_account_id, identity_account_id)") + ` AS partition_account`,
		value("aws_region") + ` AS partition_region`,
		`strftime(event_time, '%Y-%m-%d') AS partition_date`,
	}
	for _, c := range EventColumns {
		switch {
		case c.Name == "account_id":
			columns = append(columns, "recipient_account_id")
		case c.Type == "TIMESTAMP":
			columns = append(columns, c.Name+` AT TIME ZONE 'UTC' AS `+c.Name)
		case !w.KeepSecrets && slices.Contains(jsonColumns, c.Name):
			columns = append(columns, withoutSecrets(c.Name)+` AS `+c.Name)
		default:
			columns = append(columns, c.Name)
		}
	}
	return `CREATE TEMP TABLE export_batch AS
SELECT ` + strings.Join(columns, ",\n    ") + `
FROM whole_records WHERE event_time >= ? AND event_time < ?
ORDER BY 1, 2, 3, whole_records.event_time, event_id, source_id, record_index`
}

func (w *exporter) partitions(ctx context.Context) ([]partition, error) {
	rows, err := w.conn.QueryContext(ctx, `
SELECT partition_account, partition_region, partition_date, min(rowid), count(*)
FROM temp.export_batch GROUP BY 1, 2, 3 ORDER BY 4`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []partition
	for rows.Next() {
		var p partition
		if err := rows.Scan(&p.account, &p.region, &p.date, &p.first, &p.rows); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// writeFile writes the first n rows of a partition, in the order of the table:
// DuckDB keeps it (preserve_insertion_order).
func (w *exporter) writeFile(ctx context.Context, p partition, n int64) error {
	folder := filepath.Join(w.dir, "account_id="+p.account, "region="+p.region, "date="+p.date)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	path := filepath.Join(folder, fmt.Sprintf("part-%05d.parquet", w.parts[folder]))
	w.parts[folder]++
	secrets := "removed"
	if w.KeepSecrets {
		secrets = "kept"
	}
	_, err := w.conn.ExecContext(ctx, fmt.Sprintf(`
COPY (
    SELECT * EXCLUDE (partition_account, partition_region, partition_date) FROM temp.export_batch
    WHERE rowid >= %d AND rowid < %d
) TO %s (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, KV_METADATA {"trailscan.schema": 'events/1', "trailscan.secrets": '%s'})`,
		p.first, p.first+n, quote(path), secrets))
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	w.done.Files++
	w.done.Bytes += info.Size()
	return nil
}
