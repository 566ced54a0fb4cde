package ingest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// input is the text of a source with a place to put back what was read too far.
type input struct {
	r       io.Reader
	pending []byte // read before r
	buf     []byte // behind pending
	left    byte   // the last character that resync left, white space apart
}

func (in *input) reset(r io.Reader) {
	in.r, in.pending = r, nil
}

func (in *input) Read(p []byte) (int, error) {
	if len(in.pending) > 0 {
		n := copy(p, in.pending)
		in.pending = in.pending[n:]
		return n, nil
	}
	return in.r.Read(p)
}

// unread puts b, which it copies, before what comes next.
func (in *input) unread(b []byte) {
	joined := make([]byte, 0, len(b)+len(in.pending))
	in.pending = append(append(joined, b...), in.pending...)
}

// peek returns the next n bytes, or as many as there are.
func (in *input) peek(n int) []byte {
	for len(in.pending) < n {
		if cap(in.buf) < resyncSize {
			in.buf = make([]byte, resyncSize)
		}
		m, err := in.r.Read(in.buf[:cap(in.buf)])
		in.pending = append(in.pending, in.buf[:m]...)
		if err != nil {
			break
		}
	}
	return in.pending[:min(n, len(in.pending))]
}

// sniff passes a byte order mark and says why what follows is no JSON, or "", and
// whether it is text all the same.
func (in *input) sniff() (reason string, isText bool) {
	head := in.peek(512)
	if bom := []byte("\ufeff"); bytes.HasPrefix(head, bom) {
		in.pending = in.pending[len(bom):]
		head = head[len(bom):]
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return "empty file", false
	case len(text) == 0 && len(head) >= 512, len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return "", true
	case len(text) == 0:
		return "empty file: white space only", false
	case bytes.HasPrefix(text, []byte("PAR1")):
		return "a Parquet file, not CloudTrail JSON", false
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "UTF-16 text: convert it to UTF-8", false
	case !utf8.Valid(text[:min(len(text), 64)]) && bytes.IndexByte(text, 0) >= 0:
		return "a binary file, not CloudTrail JSON", false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return fmt.Sprintf("not CloudTrail JSON: it begins with %q", clip(first, 40)), true
}

// resyncSize is how much is looked at in one step for the next record.
const resyncSize = 16 << 10

// lookAhead is as far as the name of a record's first member reaches.
const lookAhead = 256

// resync leaves what cannot be read and stops before what looks like the next
// record: an object that starts with a member of records or is wrapped around
// them, or, where records follow each other, an object at the start of a line.
// That may be the very next one only if whole says so. It returns the beginning
// of what it left, and false at the end of the text.
func (in *input) resync(lines, whole bool) (raw []byte, more bool) {
	atLineStart := false
	in.left = 0
	for first := !whole; ; {
		window := in.peek(resyncSize)
		atEnd := len(window) < resyncSize
		end := len(window)
		if !atEnd {
			end -= lookAhead
		}
		for i := 0; i < end; i++ {
			c := window[i]
			if c == '{' {
				if ahead := window[i:min(len(window), i+lookAhead)]; !first && (lines && atLineStart || startsRecord(ahead) || startsRecords(ahead)) {
					raw = append(raw, window[:min(i, rawLimit-len(raw))]...)
					in.pending = in.pending[i:]
					return raw, true
				}
				first = false
			} else if c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',' {
				first = false
			}
			if c > ' ' {
				in.left = c
			}
			atLineStart = c == '\n'
		}
		raw = append(raw, window[:min(end, rawLimit-len(raw))]...)
		in.pending = in.pending[end:]
		if atEnd {
			return bytes.TrimRight(raw, " \t\r\n"), false
		}
	}
}
