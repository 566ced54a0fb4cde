package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// column is one value of a record as text. A width bounds what a table shows of
// it; 0 shows all.
type column[T any] struct {
	name  string
	width int
	text  func(T) string
}

// sheet is how records of one type look: all of their columns for other tools
// (csv), fewer for people (table).
type sheet[T any] struct {
	csv   []column[T]
	table []column[T]
}

// encoder writes records one after another in one format. Its formats are
// json, ndjson, csv and table.
type encoder[T any] interface {
	encode(T) error
	close() error
}

// newEncoder gives the encoder of a format for records that look like s.
func newEncoder[T any](w io.Writer, format string, s sheet[T]) (encoder[T], error) {
	switch format {
	case "json":
		return &jsonEncoder[T]{w: w}, nil
	case "ndjson":
		return ndjsonEncoder[T]{w}, nil
	case "csv":
		e := csvEncoder[T]{csv.NewWriter(w), s.csv}
		return e, e.header()
	case "table":
		return &tableEncoder[T]{w: w, columns: s.table}, nil
	}
	return nil, fmt.Errorf("format %q is unknown: choose json, ndjson, csv or table", format)
}

// encodeAll writes records in a format.
func encodeAll[T any](w io.Writer, format string, s sheet[T], records []T) error {
	return encodeEach(w, format, s, each(records))
}

// each gives records one by one.
func each[T any](records []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// encodeEach writes records in a format as they come.
func encodeEach[T any](w io.Writer, format string, s sheet[T], records iter.Seq2[T, error]) error {
	e, err := newEncoder(w, format, s)
	if err != nil {
		return err
	}
	for r, err := range records {
		if err != nil {
			return err
		}
		if err := e.encode(r); err != nil {
			return err
		}
	}
	return e.close()
}

// jsonEncoder writes one array, an element a line.
type jsonEncoder[T any] struct {
	w     io.Writer
	begun bool
}

func (e *jsonEncoder[T]) encode(v T) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	before := ",\n"
	if !e.begun {
		before, e.begun = "[\n", true
	}
	_, err = fmt.Fprintf(e.w, "%s%s", before, text)
	return err
}

func (e *jsonEncoder[T]) close() error {
	end := "\n]\n"
	if !e.begun {
		end = "[]\n"
	}
	_, err := io.WriteString(e.w, end)
	return err
}

// ndjsonEncoder writes an object a line.
type ndjsonEncoder[T any] struct{ w io.Writer }

func (e ndjsonEncoder[T]) encode(v T) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	_, err = e.w.Write(append(text, '\n'))
	return err
}

func (e ndjsonEncoder[T]) close() error { return nil }

// csvEncoder writes RFC 4180 with a header.
type csvEncoder[T any] struct {
	w       *csv.Writer
	columns []column[T]
}

func (e csvEncoder[T]) header() error {
	names := make([]string, len(e.columns))
	for i, c := range e.columns {
		names[i] = c.name
	}
	return e.w.Write(names)
}

func (e csvEncoder[T]) encode(v T) error {
	cells := make([]string, len(e.columns))
	for i, c := range e.columns {
		cells[i] = csvCell(c.text(v))
	}
	return e.w.Write(cells)
}

func (e csvEncoder[T]) close() error {
	e.w.Flush()
	return e.w.Error()
}

// tableRows is how many rows a table is laid out by. Later rows stream past
// with the widths found so far.
const tableRows = 500

// tableEncoder writes aligned columns for a terminal.
type tableEncoder[T any] struct {
	w       io.Writer
	columns []column[T]
	held    [][]string
	widths  []int
	open    bool // the layout is set and the head is written
	asNamed bool // the head is written as it is, and without rows too
}

func (e *tableEncoder[T]) encode(v T) error {
	cells := make([]string, len(e.columns))
	for i, c := range e.columns {
		cells[i] = Terminal(c.text(v))
		if c.width > 0 {
			cells[i] = clipMiddle(cells[i], c.width)
		}
	}
	if e.open {
		return e.line(cells)
	}
	e.held = append(e.held, cells)
	if len(e.held) < tableRows {
		return nil
	}
	return e.layout()
}

func (e *tableEncoder[T]) close() error {
	if e.open || len(e.held) == 0 && !e.asNamed {
		return nil
	}
	return e.layout()
}

// layout sets the widths by the rows held so far and writes them.
func (e *tableEncoder[T]) layout() error {
	head := make([]string, len(e.columns))
	for i, c := range e.columns {
		if head[i] = c.name; !e.asNamed {
			head[i] = strings.ToUpper(c.name)
		}
	}
	rows := append([][]string{head}, e.held...)
	e.widths = make([]int, len(e.columns))
	for _, row := range rows {
		for i, cell := range row {
			e.widths[i] = max(e.widths[i], utf8.RuneCountInString(cell))
		}
	}
	e.open, e.held = true, nil
	for _, row := range rows {
		if err := e.line(row); err != nil {
			return err
		}
	}
	return nil
}

func (e *tableEncoder[T]) line(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(cell)
		if pad := e.widths[i] - utf8.RuneCountInString(cell) + 2; i < len(cells)-1 && pad > 0 {
			b.WriteString(strings.Repeat(" ", pad))
		}
	}
	_, err := io.WriteString(e.w, strings.TrimRight(b.String(), " ")+"\n")
	return err
}

// stamp writes a time for other tools.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// clock writes a time for people, in their zone.
func clock(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}

// hour writes the time of day for people, in their zone.
func hour(t time.Time, zone *time.Location) string { return t.In(zone).Format("15:04:05") }
