package reports

import (
	"bufio"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"trailscan/query"
)

// AnswerFormats are those in which WriteAnswer writes.
var AnswerFormats = []string{"table", "vertical", "json", "ndjson", "csv", "md", "parquet"}

// AnswerLook is how people see an answer.
type AnswerLook struct {
	Width int            // columns of the terminal; 0: no limit
	Zone  *time.Location // of times; nil: UTC
}

// WriteRows writes the answer of trailscan's own SQL.
func WriteRows(w io.Writer, format string, rows *sql.Rows) error {
	a, err := query.AnswerOf(rows)
	if err != nil {
		return err
	}
	defer a.Close()
	return WriteAnswer(w, format, a, AnswerLook{})
}

// WriteAnswer writes the answer of a query, row after row as it comes. The times
// that people see (table, vertical, md) are in the zone of the look.
func WriteAnswer(w io.Writer, format string, a *query.Answer, look AnswerLook) error {
	if look.Zone == nil {
		look.Zone = time.UTC
	}
	var e encoder[record]
	switch format {
	case "json":
		e = &jsonEncoder[record]{w: w}
	case "ndjson":
		e = ndjsonEncoder[record]{w}
	case "csv":
		e = &answerCSV{w: csv.NewWriter(w), columns: a.Columns}
	case "table":
		e = &answerTable{w: w, columns: a.Columns, look: look}
	case "vertical":
		e = &answerVertical{w: w, look: look}
	case "md":
		e = &answerMarkdown{w: w, columns: a.Columns, look: look}
	case "parquet":
		p, err := newAnswerParquet(w, a.Columns)
		if err != nil {
			return err
		}
		e = p
	default:
		return fmt.Errorf("format %q is unknown: choose one of %s", format, strings.Join(AnswerFormats, ", "))
	}
	if a.Plan && (format == "table" || format == "vertical") {
		e = planLines{w}
	}
	for a.Next() {
		if err := e.encode(record{a.Columns, a.Values()}); err != nil {
			return err
		}
	}
	if err := a.Err(); err != nil {
		return err
	}
	return e.close()
}

// planLines writes the plan of a statement as DuckDB draws it.
type planLines struct{ w io.Writer }

func (e planLines) encode(r record) error {
	_, err := fmt.Fprintf(e.w, "%s\n", Lines(strings.TrimRight(valueText(r.values[len(r.values)-1], nil), "\n")))
	return err
}

func (e planLines) close() error { return nil }

// numeric tells the columns whose values are numbers, which no spreadsheet takes
// for a formula and which stand under each other by their last digit.
func numeric(c query.AnswerColumn) bool {
	switch kindOf(c.Type) {
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT, duckdb.TYPE_HUGEINT,
		duckdb.TYPE_UTINYINT, duckdb.TYPE_USMALLINT, duckdb.TYPE_UINTEGER, duckdb.TYPE_UBIGINT, duckdb.TYPE_UHUGEINT,
		duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE, duckdb.TYPE_DECIMAL:
		return true
	}
	return false
}

// shown is a value for people: NULL is told from an empty text.
func (r record) shown(i int, zone *time.Location) string {
	switch v := r.values[i].(type) {
	case nil:
		return "NULL"
	case time.Time:
		return timeText(v, r.columns[i].Type, zone)
	default:
		return valueText(v, r.columns[i].Type)
	}
}

// answerCSV writes RFC 4180 with a header. NULL is an empty cell.
type answerCSV struct {
	w       *csv.Writer
	columns []query.AnswerColumn
	begun   bool
}

func (e *answerCSV) begin() error {
	if e.begun || len(e.columns) == 0 {
		return nil
	}
	e.begun = true
	names := make([]string, len(e.columns))
	for i, c := range e.columns {
		names[i] = csvCell(c.Name)
	}
	return e.w.Write(names)
}

func (e *answerCSV) encode(r record) error {
	if err := e.begin(); err != nil {
		return err
	}
	cells := make([]string, len(r.values))
	for i, v := range r.values {
		if cells[i] = valueText(v, r.columns[i].Type); !numeric(r.columns[i]) {
			cells[i] = csvCell(cells[i])
		}
	}
	return e.w.Write(cells)
}

func (e *answerCSV) close() error {
	if err := e.begin(); err != nil {
		return err
	}
	e.w.Flush()
	return e.w.Error()
}

// answerVertical writes a line a value, for rows that are too wide to stand
// beside each other.
type answerVertical struct {
	w    io.Writer
	look AnswerLook
	n    int
}

func (e *answerVertical) encode(r record) error {
	e.n++
	b := bufio.NewWriter(e.w)
	fmt.Fprintf(b, "-[ %d ]%s\n", e.n, strings.Repeat("-", 20))
	width := 0
	for _, c := range r.columns {
		width = max(width, displayWidth(Terminal(c.Name)))
	}
	for i, c := range r.columns {
		fmt.Fprintf(b, "%s  %s\n", padTo(Terminal(c.Name), width, false), Terminal(r.shown(i, e.look.Zone)))
	}
	return b.Flush()
}

func (e *answerVertical) close() error { return nil }

// answerMarkdown writes a table of GitHub's Markdown.
type answerMarkdown struct {
	w       io.Writer
	columns []query.AnswerColumn
	look    AnswerLook
	begun   bool
}

func (e *answerMarkdown) begin() error {
	if e.begun || len(e.columns) == 0 {
		return nil
	}
	e.begun = true
	head, rule := "|", "|"
	for _, c := range e.columns {
		head += " " + mdText(c.Name) + " |"
		if rule += " ---"; numeric(c) {
			rule += ":"
		}
		rule += " |"
	}
	_, err := io.WriteString(e.w, head+"\n"+rule+"\n")
	return err
}

func (e *answerMarkdown) encode(r record) error {
	if err := e.begin(); err != nil {
		return err
	}
	line := "|"
	for i := range r.values {
		line += " " + mdText(r.shown(i, e.look.Zone)) + " |"
	}
	_, err := io.WriteString(e.w, line+"\n")
	return err
}

func (e *answerMarkdown) close() error { return e.begin() }
