package ingest

import (
	"encoding/binary"
	"errors"
	"io"
)

// The library allocates what a footer says its lists hold before it reads them,
// so one damaged byte could ask for all memory there is. checkFooter looks at
// the lengths first.

var errParquetFooter = errors.New("its footer makes no sense")

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

// thrift walks a value in Thrift's compact protocol:
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type thrift struct {
	b []byte // that follow
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
	for {
		head, ok := t.byte()
		if !ok || head == 0 {
			return ok
		}
		if head>>4 == 0 { // the number of the field follows
			if _, ok := t.varint(); !ok {
				return false
			}
		}
		if kind := head & 15; kind > 2 && !t.value(kind, depth) { // 1 and 2 are booleans
			return false
		}
	}
}

func (t *thrift) value(kind byte, depth int) bool {
	switch kind {
	case 1, 2, 3:
		return t.skip(1)
	case 4, 5, 6:
		_, ok := t.varint()
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
		return ok && t.values(2*n, depth, kinds>>4, kinds&15)
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
	return t.values(n, depth, head&15)
}

// values walks n values that take turns in being of the kinds. Each is a byte
// at least.
func (t *thrift) values(n uint64, depth int, kinds ...byte) bool {
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
