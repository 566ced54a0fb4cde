package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// The library allocates what a file says that its parts hold before it reads
// them, so one damaged byte could ask for all memory there is. The functions
// here look at the lengths first.

var (
	errParquetFooter = errors.New("its footer makes no sense")
	errParquetPage   = errors.New("a page header makes no sense")
)

// A page holds about a megabyte, and some ten thousand values. One that claims
// more than these, in bytes and values, is refused.
const (
	parquetPageLimit   = 1 << 30
	parquetValuesLimit = 1 << 25
	parquetBombRatio   = 200
	parquetBombLimit   = 64 << 20
)

// pageHeader and pageHeaderLimit are how long the header of a page is at first taken to be, and at
// most: statistics may hold the longest value of the page.
const pageHeader, pageHeaderLimit = 4 << 10, 64 << 20

// checkFooter reads the footer of a file of that size, which ends in PAR1, and
// says whether it holds what it says.
func checkFooter(r io.ReaderAt, size int64) error {
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return errParquetFooter
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-8-length); err != nil && err != io.EOF {
		return err
	}
	t := thrift{b: footer}
	if !t.fields(0) {
		return errParquetFooter
	}
	return nil
}

// checkPages walks the headers of the pages of a column in a row group.
func checkPages(r io.ReaderAt, size int64, c *format.ColumnMetaData) error {
	at := c.DataPageOffset
	if c.DictionaryPageOffset != 0 {
		at = c.DictionaryPageOffset
	}
	if at < 4 || c.TotalCompressedSize < 0 || c.TotalCompressedSize > size-at {
		return errParquetPage
	}
	for end := at + c.TotalCompressedSize; at < end; {
		header, length, err := readPageHeader(r, at, end)
		if err != nil {
			return err
		}
		at += length
		compressed, text := header.numbers[3], header.numbers[2]
		switch {
		case compressed < 0 || compressed > end-at || text < 0:
			return errParquetPage
		case header.values < 0 || header.values > parquetValuesLimit, text > parquetPageLimit,
			text > parquetBombLimit && text/parquetBombRatio > compressed:
			return fmt.Errorf("a page of %d bytes claims to hold %d bytes and %d values", compressed, text, header.values)
		}
		at += compressed
	}
	return nil
}

// readPageHeader reads the header of the page at an offset.
func readPageHeader(r io.ReaderAt, at, end int64) (header thrift, length int64, err error) {
	for window := int64(pageHeader); ; window *= 16 {
		b := make([]byte, min(window, end-at))
		if n, err := r.ReadAt(b, at); n < len(b) && err != nil {
			return thrift{}, 0, err
		}
		header = thrift{b: b}
		if header.fields(0) {
			return header, int64(len(b) - len(header.b)), nil
		}
		if window >= min(end-at, pageHeaderLimit) {
			return thrift{}, 0, errParquetPage
		}
	}
}

// thrift walks a value in Thrift's compact protocol:
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type thrift struct {
	b       []byte    // that follow
	numbers [16]int64 // of the fields of the struct itself
	values  int64     // the largest first field, a number, of the structs in it
}

const thriftDepth = 32

func (t *thrift) skip(n uint64) bool {
	if n > uint64(len(t.b)) {
		return false
	}
	t.b = t.b[n:]
	return true
}

func (t *thrift) byte() (byte, bool) {
	if len(t.b) == 0 {
		return 0, false
	}
	b := t.b[0]
	t.b = t.b[1:]
	return b, true
}

func (t *thrift) varint() (uint64, bool) {
	v, n := binary.Uvarint(t.b)
	return v, n > 0 && t.skip(uint64(n))
}

// fields walks the fields of a struct up to its end.
func (t *thrift) fields(depth int) bool {
	for id := int64(0); ; {
		head, ok := t.byte()
		if !ok || head == 0 {
			return ok
		}
		id += int64(head >> 4)
		if head>>4 == 0 { // the number of the field follows
			if id, ok = t.number(); !ok {
				return false
			}
		}
		switch kind := head & 15; {
		case kind == 1 || kind == 2: // a boolean, true or false
		case kind >= 4 && kind <= 6:
			n, ok := t.number()
			if !ok {
				return false
			}
			if depth == 0 && id >= 0 && id < int64(len(t.numbers)) {
				t.numbers[id] = n
			}
			if depth == 1 && id == 1 {
				t.values = max(t.values, n)
			}
		default:
			if !t.value(kind, depth) {
				return false
			}
		}
	}
}

// number reads a whole number.
func (t *thrift) number() (int64, bool) {
	v, n := binary.Varint(t.b)
	return v, n > 0 && t.skip(uint64(n))
}

func (t *thrift) value(kind byte, depth int) bool {
	switch kind {
	case 1, 2, 3:
		return t.skip(1)
	case 4, 5, 6:
		_, ok := t.number()
		return ok
	case 7:
		return t.skip(8)
	case 8:
		n, ok := t.varint()
		return ok && t.skip(n)
	case 9, 10:
		return t.list(depth)
	case 11:
		n, ok := t.varint()
		if !ok || n == 0 {
			return ok
		}
		kinds, ok := t.byte()
		return ok && t.series(2*n, depth, kinds>>4, kinds&15)
	case 12:
		return depth < thriftDepth && t.fields(depth+1)
	}
	return false
}

func (t *thrift) list(depth int) bool {
	head, ok := t.byte()
	if !ok {
		return false
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, ok = t.varint(); !ok {
			return false
		}
	}
	return t.series(n, depth, head&15)
}

// series walks n values that take turns in being of the kinds. Each is a byte
// at least.
func (t *thrift) series(n uint64, depth int, kinds ...byte) bool {
	if n > uint64(len(t.b)) || depth >= thriftDepth {
		return false
	}
	for i := range n {
		if !t.value(kinds[i%uint64(len(kinds))], depth+1) {
			return false
		}
	}
	return true
}
