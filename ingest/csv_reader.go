package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// csvReader reads comma-separated values and what goes by that name (RFC 4180
// with any separator, CRLF, LF or CR at the ends of lines, quotes in places
// where they do not belong). Unlike package encoding/csv it keeps the bytes of
// values as they are, and it goes on behind a quote that is never closed.
type csvReader struct {
	r         *bufio.Reader
	separator byte
	pending   []byte // to be read before r
	raw       []byte // of the row
	rows      int    // read so far
	cut       bool   // the text is only a beginning, and may end in quotes
}

// csvRowLimit is more than a row of records takes: a few copies of one are held.
// A longer one has a quote that nothing closes, or is no row at all.
const csvRowLimit = 32 << 20

var errOpenQuote = errors.New("broken CSV: a quoted value or a row does not end")

func newCSVReader(r io.Reader, separator byte) *csvReader {
	return &csvReader{r: bufio.NewReaderSize(r, readSize), separator: separator}
}

func (c *csvReader) readByte() (byte, error) {
	var b byte
	if len(c.pending) > 0 {
		b = c.pending[0]
		c.pending = c.pending[1:]
	} else {
		var err error
		if b, err = c.r.ReadByte(); err != nil {
			return 0, err
		}
	}
	c.raw = append(c.raw, b)
	return b, nil
}

// row reads the values of a row, nil for an empty line. After errOpenQuote, with
// the row's first line in raw, the next row is read from the next line.
func (c *csvReader) row() ([]string, error) {
	c.raw = c.raw[:0]
	var row []string
	var value []byte
	for start := true; ; {
		b, err := c.readByte()
		if err != nil {
			if len(c.raw) == 0 || err != io.EOF {
				return nil, err
			}
			break
		}
		if len(c.raw) > csvRowLimit || len(row) > maxColumns {
			return nil, c.resume()
		}
		switch {
		case b == '"' && start:
			if value, err = c.quoted(value); err != nil {
				return nil, err
			}
			start = false
			continue
		case b == c.separator:
			row = append(row, string(value))
			value, start = value[:0], true
			continue
		case b == '\n' || b == '\r':
			if b == '\r' {
				c.skipLF()
			}
			if row == nil && len(value) == 0 {
				return nil, nil
			}
			c.rows++
			return append(row, string(value)), nil
		}
		value, start = append(value, b), false
	}
	c.rows++
	return append(row, string(value)), nil
}

// quoted reads a value up to the quote that ends it.
func (c *csvReader) quoted(value []byte) ([]byte, error) {
	for {
		b, err := c.readByte()
		if err != nil && err != io.EOF {
			return nil, err
		}
		if err == io.EOF && c.cut {
			return value, nil
		}
		if err == io.EOF || len(c.raw) > csvRowLimit {
			return nil, c.resume()
		}
		if b != '"' {
			value = append(value, b)
			continue
		}
		if next, ok := c.peekByte(); !ok || next != '"' {
			return value, nil
		}
		value = append(value, '"')
		c.readByte()
	}
}

// resume puts back what follows the first line of a row that does not end. That
// happens once for so much text: every run of quotes in what did not end the
// value is even, and such runs open none that stays open.
func (c *csvReader) resume() error {
	line := bytes.IndexByte(c.raw, '\n') + 1
	if line == 0 {
		line = len(c.raw)
	}
	c.pending = append(bytes.Clone(c.raw[line:]), c.pending...)
	c.raw = c.raw[:line]
	return errOpenQuote
}

func (c *csvReader) peekByte() (byte, bool) {
	if len(c.pending) > 0 {
		return c.pending[0], true
	}
	b, err := c.r.Peek(1)
	if err != nil {
		return 0, false
	}
	return b[0], true
}

func (c *csvReader) skipLF() {
	if b, ok := c.peekByte(); ok && b == '\n' {
		c.readByte()
	}
}
