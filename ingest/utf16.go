package ingest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Order is the order of bytes in UTF-16 text with a byte order mark, which
// is what PowerShell's > makes of the output of a program, or nil.
func utf16Order(head []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return binary.LittleEndian
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return binary.BigEndian
	}
	return nil
}

// utf16Reader gives UTF-16 text as UTF-8.
type utf16Reader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	out   []byte // read and not yet given
	left  []byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	if len(u.left) == 0 {
		u.out = u.out[:0]
		for len(u.out) < 4<<10 {
			r, err := u.rune()
			if err != nil && len(u.out) == 0 {
				return 0, err
			}
			if err != nil {
				break // it comes again
			}
			u.out = utf8.AppendRune(u.out, r)
		}
		u.left = u.out
	}
	n := copy(p, u.left)
	u.left = u.left[n:]
	return n, nil
}

// rune reads a character. Half of a pair of surrogates becomes U+FFFD.
func (u *utf16Reader) rune() (rune, error) {
	unit, err := u.unit()
	if err != nil {
		return 0, err
	}
	u.r.Discard(2)
	if !utf16.IsSurrogate(unit) {
		return unit, nil
	}
	low, err := u.unit()
	if err != nil {
		return utf8.RuneError, nil
	}
	r := utf16.DecodeRune(unit, low)
	if r != utf8.RuneError {
		u.r.Discard(2)
	}
	return r, nil
}

var errHalfCharacter = errors.New("truncated UTF-16 text: it ends in the middle of a character")

// unit is the next unit of the text, or errHalfCharacter for half of one.
func (u *utf16Reader) unit() (rune, error) {
	b, err := u.r.Peek(2)
	switch {
	case len(b) == 2:
		return rune(u.order.Uint16(b)), nil
	case err == io.EOF && len(b) > 0:
		return 0, errHalfCharacter
	}
	return 0, err
}
