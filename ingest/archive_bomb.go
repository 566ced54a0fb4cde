package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// What decompresses to more than bombRatio times its size is a bomb once it is
// past bombFloor. Logs do not get there: two random ids, which no compression
// shortens, are 32 bytes of each record of some 1,200, and a record of more than
// 6,400 bytes that says nothing new but its ids is no CloudTrail. Short of the
// floor anything goes, since it can neither fill memory, for one record is held
// at a time, nor a disk.
const (
	bombRatio = 200
	bombFloor = 1 << 30
	maxBombs  = 3 // in an archive, of which more is not read then
)

// partError is why a part could not be read on, in a user's words.
type partError struct {
	reason string
	err    error
}

func (e *partError) Error() string { return e.reason }
func (e *partError) Unwrap() error { return e.err }

// meter gives the bytes of something compressed or of an entry, stops at a bomb
// and puts errors in a user's words.
type meter struct {
	u            *unpacker
	kind         string
	r            io.Reader
	in           func() int64 // how many bytes it has taken so far
	out          int64
	decompresses bool
	err          error
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(p)
	m.out += int64(n)
	if m.decompresses {
		m.u.out += int64(n)
	}
	switch {
	case m.out > m.u.floor && m.out/bombRatio > m.in(), m.u.out > m.u.floor && m.u.out/bombRatio > max(m.u.size, m.u.source.bytes):
		m.u.bombs++
		own := m.out > m.u.out/2
		if own {
			m.u.out -= m.out // what is beside it in an archive may be sound
		}
		m.u.bomb = !own || m.u.bombs == maxBombs
		m.err = &partError{reason: fmt.Sprintf("a %s bomb, not read on: it decompresses to more than %d MB and %d times its size",
			m.kind, m.u.floor>>20, bombRatio)}
		return n, m.err
	case err != nil && err != io.EOF:
		m.err = m.describe(err)
		return n, m.err
	}
	m.err = err
	return n, err
}

func (m *meter) describe(err error) error {
	var known *partError
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &partError{"truncated " + m.kind + ": the file ends in the middle: copy it again from where it came", err}
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &partError{fmt.Sprintf("zstd with a window of more than %d MB (--long): decompress it first", zstdWindow>>20), err}
	}
	return &partError{"damaged " + m.kind + ": " + err.Error(), err}
}
