package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Answer is what a statement gives, row by row.
type Answer struct {
	Columns []AnswerColumn
	// Did is the word of a statement that gives no rows but does something, such
	// as INSERT; Changed is the number of rows that it changed, -1 if it has none.
	Did     string
	Changed int64
	Plan    bool // the rows are a plan, drawn over many lines (EXPLAIN)

	rows    *sql.Rows
	page    func() (*sql.Rows, error) // the next rows, nil after the last
	cleanup func() error
	values  []any
	err     error
}

// AnswerColumn is a column of an answer.
type AnswerColumn struct {
	Name string
	Type duckdb.TypeInfo // nil: unknown
	// JSON says that the values are JSON as text.
	JSON bool
}

// AnswerOf makes an answer of rows that trailscan's own SQL gives.
func AnswerOf(rows *sql.Rows) (*Answer, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	a := &Answer{rows: rows}
	for i, name := range names {
		col := AnswerColumn{Name: name}
		if kind, ok := simpleTypes[types[i].DatabaseTypeName()]; ok {
			if col.Type, err = duckdb.NewTypeInfo(kind); err != nil {
				return nil, fmt.Errorf("read the answer: %w", err)
			}
		}
		a.Columns = append(a.Columns, col)
	}
	return a, nil
}

// simpleTypes are those whose values do not tell how they are written.
var simpleTypes = map[string]duckdb.Type{
	"UUID": duckdb.TYPE_UUID, "DATE": duckdb.TYPE_DATE, "TIME": duckdb.TYPE_TIME, "TIMETZ": duckdb.TYPE_TIME_TZ,
	"BIGINT": duckdb.TYPE_BIGINT, "INTEGER": duckdb.TYPE_INTEGER, "DOUBLE": duckdb.TYPE_DOUBLE, "HUGEINT": duckdb.TYPE_HUGEINT,
}

// Next goes to the next row. The error of the last call, if any, is Err.
func (a *Answer) Next() bool {
	for a.err == nil && a.rows != nil {
		if a.rows.Next() {
			a.values = make([]any, len(a.Columns))
			into := make([]any, len(a.Columns))
			for i := range into {
				into[i] = &a.values[i]
			}
			a.err = a.rows.Scan(into...)
			return a.err == nil
		}
		a.err = errors.Join(a.rows.Err(), a.rows.Close())
		a.rows = nil
		if a.err == nil && a.page != nil {
			a.rows, a.err = a.page()
		}
	}
	return false
}

// Values are those of the row, as DuckDB's driver gives them. They stay valid.
func (a *Answer) Values() []any { return a.values }

// Err is what kept the answer from being read to its end.
func (a *Answer) Err() error {
	if a.err == nil {
		return nil
	}
	return fmt.Errorf("read the answer: %w", sqlError(a.err, Statement{}, 0))
}

// Close lets go of the answer. It may be called again.
func (a *Answer) Close() error {
	var err error
	if a.rows != nil {
		err, a.rows = a.rows.Close(), nil
	}
	if a.cleanup != nil {
		err, a.cleanup = errors.Join(err, a.cleanup()), nil
	}
	return err
}

// pageRows is how many rows of an answer are in memory at a time, besides what
// DuckDB keeps within its limit.
const pageRows = 20_480

// answerTable holds an answer while it is read. The driver would hold all of it
// in memory; a temporary table goes to disk when it is large.
const answerTable = "temp.trailscan_answer"

// Run runs one statement of a person on a case that is not opened as Trusted.
// The parameters are bound: text that the statement's types turn into numbers or
// times. A parameter that the statement does not have is left out.
func (c *Case) Run(ctx context.Context, st Statement, params map[string]string) (*Answer, error) {
	if c.access == Confined {
		if err := refused(st); err != nil {
			return nil, err
		}
	}
	st, err := c.ownNames(ctx, st)
	if err != nil {
		return nil, err
	}
	st, p, err := c.prepared(ctx, st)
	if err != nil {
		return nil, err
	}
	args, err := p.args(st, params)
	if err != nil {
		return nil, err
	}
	if p.kind == duckdb.STATEMENT_TYPE_SELECT && slices.Contains([]string{"SELECT", "WITH", "FROM", "VALUES", "TABLE"}, st.Word()) {
		a, err := c.spool(ctx, st, p, args)
		if !errors.Is(err, errUnspoolable) {
			return a, err
		}
	}
	rows, err := c.DB.QueryContext(ctx, st.runs(), args...)
	if err != nil {
		return nil, c.runError(ctx, err, st, 0)
	}
	a := &Answer{Columns: p.columns, rows: rows, Plan: p.kind == duckdb.STATEMENT_TYPE_EXPLAIN}
	if names, err := rows.Columns(); err == nil && len(names) != len(a.Columns) {
		a, err = AnswerOf(rows) // EXECUTE and the like have none before they run
		if err != nil {
			return nil, err
		}
	}
	if p.kind == duckdb.STATEMENT_TYPE_SELECT || a.Plan {
		return a, nil
	}
	return a, a.settle(st)
}

// ownNames leaves a name to the case that was taken for Athena's table because it
// sounds like it, when the case has a relation of that name.
func (c *Case) ownNames(ctx context.Context, st Statement) (Statement, error) {
	if st.trino == nil || len(st.trino.Guessed) == 0 {
		return st, nil
	}
	rows, err := c.DB.QueryContext(ctx, `SELECT lower(table_name) FROM duckdb_tables() UNION SELECT lower(view_name) FROM duckdb_views()`)
	if err != nil {
		return st, fmt.Errorf("list relations: %w", err)
	}
	defer rows.Close()
	names := st.names
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return st, fmt.Errorf("list relations: %w", err)
		}
		if slices.Contains(st.trino.Guessed, name) {
			names.Relations = append(names.Relations, name)
		}
	}
	if err := rows.Err(); err != nil {
		return st, fmt.Errorf("list relations: %w", err)
	}
	if len(names.Relations) == 0 {
		return st, nil
	}
	return st.Translated(names), nil
}

// prepared is a statement as it runs, and what DuckDB knows of it. Which / divides
// a length of time, only DuckDB can tell.
func (c *Case) prepared(ctx context.Context, st Statement) (Statement, prepared, error) {
	for {
		p, err := c.prepare(ctx, st.runs())
		if err == nil || st.trino == nil {
			return st, p, c.prepareError(ctx, err, st)
		}
		names := st.names
		if at, ok := st.trino.DividesInterval(said(err)); !ok || slices.Contains(names.Intervals, at) {
			if names.Plain {
				return st, p, c.prepareError(ctx, err, st)
			}
			names.Plain = true // so that what is wrong is shown in its place
		} else {
			names.Intervals = append(slices.Clone(names.Intervals), at)
		}
		st = st.Translated(names)
	}
}

// settle reads the answer of a statement that only says how much it did.
func (a *Answer) settle(st Statement) error {
	if len(a.Columns) > 1 || len(a.Columns) == 1 && a.Columns[0].Name != "Count" && a.Columns[0].Name != "Success" {
		return nil
	}
	a.Did, a.Changed = st.Word(), -1
	for a.Next() {
		if n, ok := a.values[0].(int64); ok {
			a.Changed = n
		}
	}
	return errors.Join(a.Err(), a.Close())
}

// prepared is what DuckDB knows of a statement before it runs.
type prepared struct {
	kind    duckdb.StmtType
	columns []AnswerColumn
	params  []param
}

type param struct {
	name string
	kind duckdb.Type
}

// prepareError is what went wrong with a statement that was not run.
func (c *Case) prepareError(ctx context.Context, err error, st Statement) error {
	if err == nil {
		return nil
	}
	return c.runError(ctx, err, st, 0)
}

// prepare has DuckDB look at a text and drops it again.
func (c *Case) prepare(ctx context.Context, text string) (prepared, error) {
	var p prepared
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return p, err
	}
	err = conn.Raw(func(dc any) error {
		s, err := dc.(driver.ConnPrepareContext).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer s.Close()
		return p.read(s.(*duckdb.Stmt))
	})
	conn.Close() // what went wrong is looked up on the case's one connection
	return p, err
}

func (p *prepared) read(s *duckdb.Stmt) error {
	var err error
	if p.kind, err = s.StatementType(); err != nil {
		return err
	}
	for n := range s.NumInput() {
		name, err := s.ParamName(n + 1)
		if err != nil {
			return err
		}
		kind, err := s.ParamType(n + 1)
		if err != nil {
			kind = duckdb.TYPE_INVALID
		}
		p.params = append(p.params, param{name, kind})
	}
	columns, err := s.ColumnCount()
	if err != nil {
		return nil // one that has none, or not yet
	}
	for i := range columns {
		name, err := s.ColumnName(i)
		if err != nil {
			return err
		}
		col := AnswerColumn{Name: name}
		if info, err := s.ColumnTypeInfo(i); err == nil {
			col.Type, col.JSON = info, info.Alias() == "JSON"
		}
		p.columns = append(p.columns, col)
	}
	return nil
}

// errUnspoolable says that a table cannot hold an answer.
var errUnspoolable = errors.New("answer has a type that no table has")

// spool runs a query into a temporary table and reads that page by page.
func (c *Case) spool(ctx context.Context, st Statement, p prepared, args []any) (*Answer, error) {
	head := `CREATE OR REPLACE TEMP TABLE trailscan_answer AS `
	if _, err := c.DB.ExecContext(ctx, head+st.runs(), args...); err != nil {
		// The query itself is sound; that it cannot be stored is no mistake of it.
		if cause := said(err); cause.Type == "Binder" || cause.Type == "Catalog" || cause.Type == "Parser" || cause.Type == "Not implemented" || strings.Contains(cause.Message, "table cannot be created") {
			return nil, errUnspoolable
		}
		return nil, c.runError(ctx, err, st, len(head))
	}
	drop := func() error {
		_, err := c.DB.ExecContext(context.WithoutCancel(ctx), `DROP TABLE IF EXISTS `+answerTable)
		return err
	}
	stored, err := c.prepare(ctx, `FROM `+answerTable)
	if err != nil {
		return nil, errors.Join(c.prepareError(ctx, err, Statement{}), drop())
	}
	columns := make([]string, len(stored.columns))
	for i, col := range stored.columns {
		columns[i] = quoteName(col.Name)
		if col.JSON { // the driver would take it apart and lose the order of members
			columns[i] = `CAST(` + columns[i] + ` AS VARCHAR)`
		}
		// A table has no two columns of one name; the answer may have.
		if i < len(p.columns) && strings.HasPrefix(col.Name, p.columns[i].Name+"_") {
			stored.columns[i].Name = p.columns[i].Name
		}
	}
	var rows, from int64
	if err := c.DB.QueryRowContext(ctx, `SELECT count(*) FROM `+answerTable).Scan(&rows); err != nil {
		return nil, errors.Join(c.runError(ctx, err, st, 0), drop())
	}
	next := `SELECT ` + strings.Join(columns, ", ") + ` FROM ` + answerTable + ` WHERE rowid >= ? AND rowid < ?`
	a := &Answer{Columns: stored.columns, cleanup: drop}
	a.page = func() (*sql.Rows, error) {
		if from > 0 && from >= rows {
			return nil, nil
		}
		page, err := c.DB.QueryContext(ctx, next, from, from+pageRows)
		from += pageRows
		return page, err
	}
	if a.rows, err = a.page(); err != nil {
		return nil, errors.Join(c.runError(ctx, err, st, 0), drop())
	}
	return a, nil
}

// quoteName is a name as SQL.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// Summary says what a statement did that gives no rows.
func (a *Answer) Summary() string {
	switch a.Changed {
	case -1:
		return a.Did + " done"
	case 1:
		return a.Did + ": 1 row"
	}
	return fmt.Sprintf("%s: %d rows", a.Did, a.Changed)
}
