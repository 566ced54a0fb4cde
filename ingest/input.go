package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// input is the text of a source with a place to put back what was read too far.
type input struct {
	r       io.Reader
	pending []byte // read before r
	buf     []byte // behind pending
	left    byte   // the last character that resync left, white space apart
	like    []byte // the name that wrapped records begin with
	limit   int    // of a value
	budget  int    // what is left of it
}

// readAhead is how far a decoder may read at a time.
const readAhead = 256 << 10

func (in *input) reset(r io.Reader) {
	in.r, in.pending, in.like = r, nil, in.like[:0]
	in.mark()
}

// mark says that a new value begins.
func (in *input) mark() { in.budget = in.limit + readAhead }

func (in *input) Read(p []byte) (n int, err error) {
	if in.budget <= 0 {
		return 0, errTooLarge
	}
	p = p[:min(len(p), readAhead)]
	if len(in.pending) > 0 {
		n = copy(p, in.pending)
		in.pending = in.pending[n:]
	} else {
		n, err = in.r.Read(p)
	}
	in.budget -= n
	return n, err
}

// learn notes how wrapped records begin, so that resync finds the next.
func (in *input) learn(object []byte) {
	if name := firstName(object); len(name) > 0 && len(name) < lookAhead/2 {
		in.like = append(in.like[:0], name...)
	}
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

// The kinds of what sniff finds.
type textKind int

const (
	textNone       textKind = iota // no text, and perhaps a log in some coding
	textForeign                    // no log for certain
	textJSON                       // it begins as JSON does
	textTimedLines                 // a time and a message in each line
	textOther
)

// sniffed is what the beginning of a text says, with the reason why it is no
// JSON.
type sniffed struct {
	kind   textKind
	reason string
}

// magics are the beginnings of files that are no text. Those that may hold a
// log say what to do about it.
var magics = []struct{ magic, what, advice string }{
	{"\xfd7zXZ\x00", "an xz file", "decompress it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"},
	{"Rar!\x1a\x07", "a RAR archive", "unpack it first"},
	{"\x04\x22\x4d\x18", "an lz4 file", "decompress it first"},
	{"\xff\x06\x00\x00sNaPpY", "a Snappy file", "decompress it first"},
	{"Obj\x01", "an Avro file", "convert it to JSON first"},
	{"\x89PNG\r\n", "an image", "-"},
	{"\xff\xd8\xff", "an image", "-"},
	{"GIF8", "an image", "-"},
	{"%PDF-", "a PDF document", "-"},
	{"\x00\x05\x16\x07", "a file of the macOS Finder", "-"},
	{"\x00\x00\x00\x01Bud1", "a file of the macOS Finder", "-"},
	{"SQLite format 3\x00", "an SQLite database", "-"},
	{"\x7fELF", "a binary file, not CloudTrail JSON", ""},
}

// timedLine is how a line of an export of CloudWatch Logs to S3 begins.
var timedLine = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z[ \t]`)

// sniff passes a byte order mark and says what follows.
func (in *input) sniff() sniffed {
	head := in.peek(512)
	if bom := []byte("\ufeff"); bytes.HasPrefix(head, bom) {
		in.pending = in.pending[len(bom):]
		head = head[len(bom):]
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return sniffed{textNone, "empty file"}
	case len(text) == 0 && len(head) >= 500, len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return sniffed{textJSON, ""}
	case len(text) == 0:
		return sniffed{textNone, "empty file: white space only"}
	}
	for _, m := range magics {
		switch {
		case !bytes.HasPrefix(head, []byte(m.magic)):
		case m.advice == "-":
			return sniffed{textForeign, m.what + ", no CloudTrail log"}
		case m.advice == "":
			return sniffed{textNone, m.what}
		default:
			return sniffed{textNone, m.what + ": " + m.advice}
		}
	}
	switch {
	case !utf8.Valid(text[:min(len(text), 64)]) && bytes.IndexByte(text, 0) >= 0:
		return sniffed{textNone, "a binary file, not CloudTrail JSON"}
	case timedLine.Match(text):
		return sniffed{kind: textTimedLines}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return sniffed{textOther, fmt.Sprintf("not CloudTrail JSON: it begins with %q", clip(first, 40))}
}

// rest gives what is left of the text. Of how large a value in it may be it
// leaves the say to whoever reads it.
func (in *input) rest() io.Reader {
	return io.MultiReader(bytes.NewReader(in.pending), in.r)
}

// resyncSize is how much is looked at in one step for the next record.
const resyncSize = 16 << 10

// lookAhead is as far as the name of a record's first member reaches.
const lookAhead = 256

// resync leaves what cannot be read and stops before what looks like the next
// record: an object that starts with a member of records, or is wrapped around
// them, or starts as those wrapped before did, or, where records follow each
// other, an object at the start of a line. That may be the very next one only if
// whole says so. It returns the beginning of what it left, and false at the end
// of the text.
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
				if ahead := window[i:min(len(window), i+lookAhead)]; !first && (lines && atLineStart || in.startsValue(ahead)) {
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

// startsValue says whether b begins as a record does, or what it is wrapped in.
func (in *input) startsValue(b []byte) bool {
	name := firstName(b)
	if name == nil {
		return false
	}
	_, known := memberIndex[string(name)]
	return known || string(name) == "Records" || len(in.like) > 0 && bytes.Equal(name, in.like)
}

// lines calls visit for each line until the text ends, and for one that is too
// long with its beginning and tooLong. The line is good until the next.
func (in *input) lines(visit func(line []byte, tooLong bool) error) error {
	r := bufio.NewReaderSize(in, resyncSize)
	var line []byte
	tooLong := false
	for {
		in.mark()
		part, err := r.ReadSlice('\n')
		if !tooLong {
			line = append(line, part...)
			tooLong = len(line) > in.limit
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if len(line) > 0 {
			if err := visit(line, tooLong); err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the end; why it came early is the text's to say
		}
		if cap(line) > 1<<20 {
			line = nil
		}
		line, tooLong = line[:0], false
	}
}
