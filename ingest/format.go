package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The forms of a source, as sources.format names them.
const (
	formatRecords = "records" // {"Records":[…]}, as CloudTrail delivers to S3
	formatNDJSON  = "ndjson"  // one record after another
	formatArray   = "array"   // […]
	formatObject  = "object"  // a single record
	formatDigest  = "digest"  // a digest file: it lists log files and holds no record
)

// rawLimit is how much of what cannot be read is kept.
const rawLimit = 64 << 10

// sink takes what a splitter finds, in the order of the source.
type sink interface {
	// record takes a well-formed JSON value that should be a record. The value
	// is the splitter's; the sink copies it. An error stops the splitter.
	record(value []byte) error
	// reject takes a part that cannot be read.
	reject(reason string, raw []byte)
}

// splitter finds the records in the text of a source, whatever form it has. It
// holds one record at a time, or one member of the object around the records.
type splitter struct {
	in      input
	dec     *jsontext.Decoder
	object  []byte // an object being read member by member
	sink    sink
	values  int    // at the top level
	format  string // of the first value
	opening string // of the JSON around the records: what resumes it after damage
	stopped error  // from the sink
}

// options make the decoder take what must be kept although it is dubious JSON.
// That duplicate names and invalid UTF-8 pass is not the last word: see extra.
func decoderOptions() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
}

func newSplitter() *splitter {
	return &splitter{dec: jsontext.NewDecoder(bytes.NewReader(nil), decoderOptions()...)}
}

// split finds the records in r and returns the form of it, "" when it is no
// JSON. After a syntax error it goes on at what looks like the next record. The
// error is the sink's.
func (s *splitter) split(r *reader, to sink) (format string, err error) {
	s.in.reset(r)
	s.sink, s.values, s.format, s.opening, s.stopped = to, 0, "", "", nil
	if reason, text := s.in.sniff(); reason != "" {
		if r.err != nil {
			reason = r.err.Error()
		}
		if raw := bytes.TrimSpace(s.in.peek(1 << 10)); !text {
			to.reject(reason, raw)
			return "", nil
		}
		// Text may still have records in it: a log whose beginning is lost.
		raw, more := s.in.resync(false, true)
		if !more {
			to.reject(reason, raw[:min(len(raw), 1<<10)])
			return "", nil
		}
		to.reject(reason, raw)
		s.resume()
	}
	for more := true; more; {
		s.dec.Reset(&s.in, decoderOptions()...)
		s.object = s.object[:0]
		err := s.topLevel()
		if s.stopped != nil {
			return s.format, s.stopped
		}
		atEnd := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
		if err == io.EOF && r.err == nil {
			break
		}
		rest := s.dec.UnreadBuffer()
		if atEnd && r.err != nil {
			to.reject(r.err.Error(), clipRaw(append(s.object, bytes.TrimLeft(rest, " \t\r\n,")...)))
			break
		}
		var raw []byte
		whole := s.beforeValue(err, rest)
		if whole && s.opening == "[" {
			s.opening = "" // perhaps a wrong guess of resume, and the records are lines
		}
		s.in.unread(rest)
		raw, more = s.in.resync(s.opening == "", whole)
		to.reject(syntaxReason(err), clipRaw(append(s.object, bytes.TrimLeft(raw, " \t\r\n,")...)))
		if !more && r.err != nil {
			to.reject(r.err.Error(), nil)
		}
		s.resume()
	}
	if s.format == formatNDJSON && s.values == 1 {
		s.format = formatObject
	}
	return s.format, nil
}

// resume has the decoder go on where resync stopped, in the array that it was
// in. A record behind a comma stands in one, though its beginning is lost.
func (s *splitter) resume() {
	switch {
	case startsRecords(s.in.pending):
		s.opening = ""
	case s.opening == "" && s.in.left == ',':
		s.opening = "["
	}
	if s.opening != "" {
		s.in.unread([]byte(s.opening))
	}
}

// beforeValue says whether a syntax error is about what stands before the next
// value, which may be well-formed: a comma is missing.
func (s *splitter) beforeValue(err error, rest []byte) bool {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return false
	}
	value := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,"))
	return syntax.ByteOffset <= s.dec.InputOffset()+int64(value)
}

// topLevel reads values until the text ends.
func (s *splitter) topLevel() error {
	for {
		var err error
		switch s.dec.PeekKind() {
		case '[':
			s.setFormat(formatArray)
			s.opening = "["
			err = s.array()
		case '{':
			s.opening = ""
			if s.startsRecord() {
				s.setFormat(formatNDJSON)
				err = s.value()
			} else {
				err = s.wrapper()
			}
		default:
			// The end, a syntax error, or a value that is no record.
			err = s.value()
		}
		if err != nil {
			return err
		}
		s.opening = ""
		s.values++
	}
}

func (s *splitter) setFormat(f string) {
	if s.format == "" {
		s.format = f
	}
}

// value hands the next value on as a record.
func (s *splitter) value() error {
	v, err := s.dec.ReadValue()
	if err != nil {
		return err
	}
	return s.emit(v)
}

func (s *splitter) emit(v []byte) error {
	if err := s.sink.record(v); err != nil {
		s.stopped = err
		return err
	}
	return nil
}

// array hands on the elements of an array.
func (s *splitter) array() error {
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	for s.dec.PeekKind() != ']' {
		if err := s.value(); err != nil {
			return err
		}
	}
	_, err := s.dec.ReadToken()
	return err
}

// startsRecord says whether the object that comes next begins with a member
// that only records have: then it need not be read member by member.
func (s *splitter) startsRecord() bool {
	return startsRecord(s.dec.UnreadBuffer())
}

// wrapper reads an object member by member: the one around Records, in which
// other members may stand before that, or a record after all.
func (s *splitter) wrapper() error {
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	s.object = append(s.object[:0], '{')
	wrapped, digest, record := false, false, false
	for s.dec.PeekKind() != '}' {
		name, err := s.dec.ReadValue()
		if err != nil {
			return err
		}
		plain := plainName(name)
		if !wrapped {
			if len(s.object) > 1 {
				s.object = append(s.object, ',')
			}
			s.object = append(append(s.object, name...), ':')
		}
		if plain == "Records" && s.dec.PeekKind() == '[' && !record {
			wrapped = true
			s.setFormat(formatRecords)
			s.object, s.opening = s.object[:0], `{"Records":[`
			if err := s.array(); err != nil {
				return err
			}
			continue
		}
		digest = digest || plain == "digestStartTime" || plain == "digestS3Object"
		record = record || plain == "eventName" || plain == "eventSource"
		value, err := s.dec.ReadValue()
		if err != nil {
			return err
		}
		if !wrapped {
			s.object = append(s.object, value...)
		}
	}
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	if wrapped {
		return nil
	}
	object := append(s.object, '}')
	s.object = object[:0]
	if digest && !record {
		s.setFormat(formatDigest)
		return nil
	}
	s.setFormat(formatNDJSON)
	return s.emit(object)
}

// startsRecord says whether b begins with an object whose first member is one
// that records have.
func startsRecord(b []byte) bool {
	_, known := memberIndex[string(firstName(b))]
	return known
}

// startsRecords says whether b begins with the object around records.
func startsRecords(b []byte) bool { return string(firstName(b)) == "Records" }

// firstName is the name of the first member of the object that b begins with, as
// it is spelt, or nil.
func firstName(b []byte) []byte {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil
	}
	i = skipSpace(b, i+1)
	if i >= len(b) || b[i] != '"' {
		return nil
	}
	end := bytes.IndexByte(b[i+1:], '"')
	if end < 0 {
		return nil
	}
	name := b[i+1 : i+1+end]
	if i = skipSpace(b, i+1+end+1); i >= len(b) || b[i] != ':' {
		return nil
	}
	return name
}

// syntaxReason is a syntax error in a user's words.
func syntaxReason(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "broken JSON: the text ends in the middle of a record"
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return "broken JSON: " + clip(strings.TrimPrefix(syntax.Err.Error(), "jsontext: "), 200)
	}
	return "broken JSON: " + clip(err.Error(), 200)
}

func clipRaw(b []byte) []byte {
	if len(b) > rawLimit {
		return b[:rawLimit]
	}
	return b
}
