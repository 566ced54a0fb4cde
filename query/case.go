// Package query holds the case: one DuckDB file with everything that is known
// about an incident, the schema of the relations in it, and the SQL functions
// that rules and analysts use on it. It knows nothing of how events get into a
// case, nor of what is concluded from them.
package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query/trino"
)

// SchemaVersion is the version of the relations in a case file. A case of
// another version is refused: its columns may mean something else.
const SchemaVersion = 2

// lockWait is how long a writer waits for the processes that hold the case.
const lockWait = 10 * time.Second

var (
	// ErrNotCase says that a file is not a case: no DuckDB file, or one that
	// trailscan did not make.
	ErrNotCase = errors.New("not a trailscan case")
	// ErrVersion says that a case was made by an incompatible trailscan.
	ErrVersion = errors.New("case has another schema version")
	// ErrLocked says that another process holds the case.
	ErrLocked = errors.New("case is in use")
)

// Mode says how a case is opened.
type Mode int

const (
	// ReadOnly opens an existing case for queries; many processes may.
	ReadOnly Mode = iota
	// ReadWrite opens an existing case to change it; one process may.
	ReadWrite
	// Create opens a case to change it and makes it where there is none.
	Create
)

// Access says what the SQL that runs on a case may do besides reading the case.
type Access int

const (
	// Trusted is for trailscan's own SQL.
	Trusted Access = iota
	// Confined is for SQL that a person gives: it reads and writes no file but
	// the case, reaches no network and changes no setting.
	Confined
	// External is Confined's opposite for such SQL, when its author asks for it.
	External
)

// Options are the resources that a case may use. Zero values leave the choice
// to DuckDB (all cores, 80 % of memory).
type Options struct {
	Mode        Mode
	Access      Access
	Threads     int
	MemoryLimit string // DuckDB's spelling: "800MB", "2GiB"
	Version     string // of trailscan, kept in the case it creates
}

// Case is an open case. Its DB is safe for concurrent use; every connection of
// it runs in UTC and knows the functions of the dialect.
type Case struct {
	DB   *sql.DB
	Path string

	access Access
	conn   io.Closer
}

// Open opens the case at path. The file is created with mode 0600, for it
// holds the session tokens that CloudTrail writes; the caller sets a umask that
// keeps the write-ahead log beside it private too. A ReadWrite or Create waits
// up to ten seconds for other processes to let go of the file.
func Open(ctx context.Context, path string, o Options) (*Case, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && o.Mode != Create:
		return nil, fmt.Errorf("case %s does not exist: load logs into it with `trailscan ingest`, or name another with --case", path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("open case: %w", err)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("open case %s: is a directory: %w", path, ErrNotCase)
	}
	c, err := connect(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if o.Mode == Create {
		err = c.create(ctx, o.Version)
	}
	if err == nil {
		err = c.check(ctx)
	}
	if err == nil && o.Access != Trusted {
		err = c.guard(ctx, o.Access)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// guard prepares the case for SQL that a person gives. What it sets cannot be
// set again once it is locked, so one connection serves for good. Facts:
// https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
func (c *Case) guard(ctx context.Context, access Access) error {
	c.DB.SetMaxOpenConns(1)
	// Only so do errors say at which character they are.
	settings := []string{`SET errors_as_json = true`}
	if access == Confined {
		settings = append(settings,
			`SET allow_persistent_secrets = false`,
			`SET enable_external_access = false`,
			`SET lock_configuration = true`)
	}
	for _, setting := range settings {
		if _, err := c.DB.ExecContext(ctx, setting); err != nil {
			return fmt.Errorf("open case %s: %s: %w", c.Path, setting, err)
		}
	}
	return nil
}

// Close releases the case and its lock.
func (c *Case) Close() error {
	return errors.Join(c.DB.Close(), c.conn.Close())
}

// Log records a command that changed the case, so that a reader can tell how
// the case came to be.
func (c *Case) Log(ctx context.Context, version string, args []string) error {
	_, err := c.DB.ExecContext(ctx,
		`INSERT INTO case_log SELECT now()::TIMESTAMP, ?, ?`, version, strings.Join(args, " "))
	if err != nil {
		return fmt.Errorf("log command in case %s: %w", c.Path, err)
	}
	return nil
}

// connect opens the DuckDB file, waiting for its lock, and tells what stands in
// the way in the words of a user.
func connect(ctx context.Context, path string, o Options) (*Case, error) {
	deadline := time.Now().Add(lockWait)
	for {
		c, err := dial(ctx, path, o)
		switch {
		case err == nil:
			return c, nil
		case isForeign(err) && inTheMaking(path): // look again
		case !isLockError(err):
			if isForeign(err) {
				return nil, fmt.Errorf("open case %s: %w, or a damaged one (%s): choose another file with --case", path, ErrNotCase, cause(err))
			}
			return nil, fmt.Errorf("open case %s: %s", path, cause(err))
		case time.Now().After(deadline):
			return nil, fmt.Errorf("open case %s: %w by %s: wait for it to end or stop it", path, ErrLocked, lockHolder(err))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func dial(ctx context.Context, path string, o Options) (*Case, error) {
	settings := url.Values{
		// No extension is ever fetched: everything needed is linked in.
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
	}
	if o.Mode == ReadOnly {
		settings.Set("access_mode", "read_only")
	}
	if o.Threads > 0 {
		settings.Set("threads", strconv.Itoa(o.Threads))
	}
	if o.MemoryLimit != "" {
		settings.Set("memory_limit", o.MemoryLimit)
	}
	// An absolute path, for some relative ones have a meaning of their own.
	dsn, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(dsn); err != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return nil, errors.New("its path has a ?, # or % in it, which the database driver takes for something else: choose another with --case")
	}
	connector, err := duckdb.NewConnector(dsn+"?"+settings.Encode(), prepareConn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close(), connector.Close())
	}
	return &Case{DB: db, Path: path, access: o.Access, conn: connector}, nil
}

// prepareConn gives a new connection the settings and functions that every
// query may count on. The functions are temporary, so that a read-only case
// made by an older trailscan has this version's.
func prepareConn(e driver.ExecerContext) error {
	for _, stmt := range slices.Concat([]string{`SET TimeZone = 'UTC'`}, dialectMacros, jsonMacros(), trino.Statements()) {
		if _, err := e.ExecContext(context.Background(), stmt, nil); err != nil {
			return fmt.Errorf("prepare connection: %w", err)
		}
	}
	return prepareViews(e)
}

// create makes the relations in a database that has none: a new one, or one
// whose maker was stopped at that.
func (c *Case) create(ctx context.Context, version string) error {
	tx, err := c.DB.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("create case %s: %w", c.Path, err)
	}
	defer tx.Rollback()
	var empty bool
	if err := tx.QueryRowContext(ctx, `SELECT count(*) = 0 FROM duckdb_tables()`).Scan(&empty); err != nil {
		return fmt.Errorf("create case %s: %w", c.Path, err)
	}
	if !empty {
		return nil
	}
	if err := os.Chmod(c.Path, 0o600); err != nil {
		return fmt.Errorf("create case: %w", err)
	}
	for _, stmt := range append([]string{schemaSQL}, published("")...) {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("create case %s: %w", c.Path, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO case_info VALUES (?, ?)`, SchemaVersion, "trailscan "+version); err != nil {
		return fmt.Errorf("create case %s: %w", c.Path, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("create case %s: %w", c.Path, err)
	}
	return nil
}

func (c *Case) check(ctx context.Context) error {
	var version int
	var createdBy string
	err := c.DB.QueryRowContext(ctx, `SELECT schema_version, created_by FROM case_info`).Scan(&version, &createdBy)
	if err != nil {
		return fmt.Errorf("open case %s: %w: it has no case_info: choose another file with --case", c.Path, ErrNotCase)
	}
	if version != SchemaVersion {
		return fmt.Errorf("open case %s: %w: it has %d, made by %s, and this trailscan needs %d: load the logs into a new case",
			c.Path, ErrVersion, version, createdBy, SchemaVersion)
	}
	return nil
}

func isLockError(err error) bool {
	return strings.Contains(err.Error(), "Could not set lock on file") ||
		strings.Contains(err.Error(), "Conflicting lock")
}

// headers is the size of what DuckDB writes first into a new file.
const headers = 3 * 4096

// inTheMaking says that another process may just be creating the file.
func inTheMaking(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() <= headers && time.Since(info.ModTime()) < time.Second
}

func isForeign(err error) bool {
	return strings.Contains(err.Error(), "not a valid DuckDB database file") ||
		strings.Contains(err.Error(), "Serialization Error") ||
		strings.Contains(err.Error(), "Could not read enough bytes") ||
		strings.Contains(err.Error(), "checksum") ||
		strings.Contains(err.Error(), "Trying to read a database file with version")
}

var lockHolderText = regexp.MustCompile(`Conflicting lock is held in (.*? \(PID \d+\))`)

// lockHolder names the process that holds the case, from DuckDB's message.
func lockHolder(err error) string {
	if m := lockHolderText.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return "another process"
}

// cause is what DuckDB says, in a line and without the driver's words around it.
func cause(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if _, said, ok := strings.Cut(line, "could not connect to database: "); ok {
		return said
	}
	return line
}
