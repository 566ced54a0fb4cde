package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// formatCSV is records as rows of comma-separated values.
const formatCSV = "csv"

// csvSeparators are what stands between values, the likeliest first.
const csvSeparators = ",;\t|"

// csvLead is how many lines may stand before the names of the columns.
const csvLead = 5

// csvHead is how much of a text is looked at for the names of the columns:
// Splunk's are several kilobytes.
const csvHead = 64 << 10

// csvSample is how many rows are looked at for how their dates are written.
const csvSample = 200

// looksLikeCSV says whether a text begins as a CSV file of CloudTrail records
// does. head is its beginning and need not hold the whole line of names.
func looksLikeCSV(head []byte) bool {
	_, _, ok := csvHeader(head)
	return ok
}

// csvHeader finds the separator and the number of rows before the names of the
// columns.
func csvHeader(head []byte) (separator byte, lead int, ok bool) {
	head = bytes.TrimPrefix(head[:min(len(head), csvHead)], []byte("\ufeff"))
	best := 0
	for _, sep := range []byte(csvSeparators) {
		c := newCSVReader(bytes.NewReader(head), sep)
		c.cut = true
		for n := 0; n < csvLead; {
			names, err := c.row()
			if err != nil {
				break
			}
			if names == nil {
				continue
			}
			if known := knownColumns(names, bytes.HasSuffix(c.raw, []byte("\n"))); known > best {
				separator, lead, best = sep, n, known
			}
			n++
		}
	}
	return separator, lead, best > 0
}

// knownColumns counts the columns that records have, 0 for a line that does not
// name the columns of records.
func knownColumns(names []string, whole bool) int {
	if len(names) > maxColumns {
		return 0
	}
	f := newRowForm(formatCSV, names)
	known, tell := 0, false
	for _, t := range f.targets {
		if t.role == roleNone {
			continue
		}
		known++
		tell = tell || t.role == roleWhole || len(t.path) == 1 && (t.path[0] == "eventName" || t.path[0] == "eventTime")
	}
	switch {
	case f.holdsRecords():
		return known
	case !whole && known >= 2 && tell: // the rest of the line is not there
		return known
	}
	return 0
}

// maxColumns is more than any table of records has.
const maxColumns = 10_000

// splitCSV finds the records in the rows of a CSV file. The error is the sink's
// or that of reading r.
func splitCSV(r io.Reader, to sink) (format string, err error) {
	head := make([]byte, csvHead)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	head = head[:n]
	separator, lead, ok := csvHeader(head)
	if !ok {
		first, _, _ := strings.Cut(string(bytes.TrimPrefix(head, []byte("\ufeff"))), "\n")
		to.pass(fmt.Sprintf("no CSV of CloudTrail records: no column for the name and the time of events in %q", clip(first, 200)), []byte(clip(first, 1<<10)))
		return "", nil
	}
	body := bytes.TrimPrefix(head, []byte("\ufeff"))
	c := &csvSplitter{rows: newCSVReader(io.MultiReader(bytes.NewReader(body), r), separator), sink: to}
	return formatCSV, c.split(lead)
}

// csvSplitter makes records of the rows of a file.
type csvSplitter struct {
	rows   *csvReader
	form   *rowForm
	sink   sink
	sample []csvRow // rows that wait until it is known how dates are written
	waits  int      // bytes of them
}

type csvRow struct {
	number int
	values []string
	raw    []byte
}

func (s *csvSplitter) split(lead int) error {
	for more := true; more; {
		values, err := s.rows.row()
		switch {
		case err == io.EOF:
			more = false
		case errors.Is(err, errOpenQuote):
			if err := s.flush(); err != nil {
				return err
			}
			s.sink.reject(err.Error(), clipRaw(bytes.TrimSpace(s.rows.raw)))
		case err != nil:
			return err
		case values == nil:
		case lead > 0:
			lead--
		case s.form == nil:
			s.form = newRowForm(formatCSV, values)
			s.sample = make([]csvRow, 0, csvSample)
		default:
			if err := s.take(csvRow{s.rows.rows, values, s.rows.raw}); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

// take makes a record of a row, or has it wait.
func (s *csvSplitter) take(row csvRow) error {
	if s.sample == nil {
		return s.record(row)
	}
	row.raw = bytes.Clone(row.raw)
	s.sample = append(s.sample, row)
	s.waits += len(row.raw)
	if len(s.sample) < csvSample && s.waits < rawHeld {
		return nil
	}
	return s.flush()
}

// flush makes records of the rows that wait.
func (s *csvSplitter) flush() error {
	rows := s.sample
	s.sample = nil
	if s.form == nil {
		return nil
	}
	if rows != nil {
		s.form.monthFirst = monthIsFirst(s.times(rows))
	}
	for _, row := range rows {
		if err := s.record(row); err != nil {
			return err
		}
	}
	return nil
}

// times are the times in rows, as they are written.
func (s *csvSplitter) times(rows []csvRow) []string {
	var times []string
	for i, t := range s.form.targets {
		if t.role == roleNone || t.role == roleWhole || t.shape.kind != asTime {
			continue
		}
		for _, row := range rows {
			if i < len(row.values) {
				times = append(times, row.values[i])
			}
		}
	}
	return times
}

func (s *csvSplitter) record(row csvRow) error {
	empty := true
	cells := make([]cell, len(row.values))
	for i, v := range row.values {
		cells[i].text = v
		empty = empty && strings.TrimSpace(v) == ""
	}
	if empty {
		return nil // spreadsheets save such lines
	}
	record, ok := s.form.record(cells)
	if !ok {
		tell, why := s.sink.reject, "it does not say what happened and when"
		switch {
		case s.form.isBroken(cells):
			why = "broken JSON in the column that holds the record"
		case s.form.mayHoldOthers():
			tell = s.sink.pass
		}
		tell(fmt.Sprintf("row %d of the CSV file is no CloudTrail record: %s", row.number, why), clipRaw(bytes.TrimSpace(row.raw)))
		return nil
	}
	return s.sink.record(record)
}
