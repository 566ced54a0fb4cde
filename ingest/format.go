package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The forms of a source, as sources.format names them; those in which a record
// is wrapped stand in unwrap.go.
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
	// pass takes a part that is sound, and no CloudTrail record.
	pass(reason string, raw []byte)
}

// splitter finds the records in the text of a source, whatever form it has. It
// holds one record at a time, or one member of the object around the records.
type splitter struct {
	in      input
	dec     *jsontext.Decoder
	object  []byte // an object being read member by member
	sink    sink
	values  int    // at the top level
	format  string // of the first record
	around  string // the form of what stands around the first value
	opening string // of the JSON around the records: what resumes it after damage
	columns []string
	// envelopes says that the elements of the array have CloudTrail's names and
	// are no records.
	envelopes bool
	stopped   error // from the sink
}

// options make the decoder take what must be kept although it is dubious JSON.
// That duplicate names and invalid UTF-8 pass is not the last word: see extra.
func decoderOptions() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
}

func newSplitter() *splitter {
	return &splitter{in: input{limit: valueLimit}, dec: newDecoder()}
}

func newDecoder() *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(nil), decoderOptions()...)
}

// split finds the records in r and returns the form of it, "" when it is not
// known. After a syntax error it goes on at what looks like the next record. The
// error is the sink's.
func (s *splitter) split(r *textReader, to sink) (format string, err error) {
	s.in.reset(r)
	s.sink, s.values, s.format, s.around, s.opening, s.columns, s.stopped = to, 0, "", "", "", nil, nil
	switch head := s.in.sniff(); {
	case head.kind == textJSON:
	case head.kind == textTimedLines:
		return s.timedLines(r)
	case r.err != nil:
		to.reject(r.err.Error(), bytes.TrimSpace(s.in.peek(1<<10)))
		return "", nil
	case head.kind == textForeign:
		to.pass(head.reason, bytes.TrimSpace(s.in.peek(1<<10)))
		return "", nil
	case head.kind == textNone:
		to.reject(head.reason, bytes.TrimSpace(s.in.peek(1<<10)))
		return "", nil
	case looksLikeCSV(s.in.peek(csvHead)):
		format, err := splitCSV(s.in.rest(), to)
		if r.err != nil {
			to.reject(r.err.Error(), nil)
		}
		return format, err
	default:
		// Text may still have records in it: a log whose beginning is lost.
		raw, more := s.in.resync(false, true)
		if !more {
			to.reject(head.reason, raw[:min(len(raw), 1<<10)])
			if r.err != nil {
				to.reject(r.err.Error(), nil)
			}
			return "", nil
		}
		to.reject(head.reason, raw)
		s.resume()
	}
	for more := true; more; {
		s.dec.Reset(&s.in, decoderOptions()...)
		s.object = s.object[:0]
		s.envelopes = false
		s.in.mark()
		err := s.topLevel()
		if s.stopped != nil {
			return s.format, s.stopped
		}
		if errors.Is(err, errTooLarge) {
			// What the decoder holds of it is not looked at again.
			raw := append(bytes.Clone(clipRaw(s.object)), clipRaw(bytes.TrimLeft(s.dec.UnreadBuffer(), " \t\r\n,"))...)
			to.reject(errTooLarge.Error(), clipRaw(raw))
			s.dec, s.object = newDecoder(), nil
			s.in.mark()
			if _, more = s.in.resync(s.opening == "", true); !more && r.err != nil {
				to.reject(r.err.Error(), nil)
			}
			s.resume()
			continue
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
		if s.opening != "" {
			s.in.learn(bytes.TrimLeft(rest, " \t\r\n,"))
		}
		s.in.unread(rest)
		raw, more = s.in.resync(s.opening == "", whole)
		to.reject(syntaxReason(err), clipRaw(append(s.object, bytes.TrimLeft(raw, " \t\r\n,")...)))
		if !more && r.err != nil {
			to.reject(r.err.Error(), nil)
		}
		s.resume()
	}
	return s.conclude(), nil
}

// conclude returns the form of what has been read.
func (s *splitter) conclude() string {
	switch {
	case s.format == "":
		return s.around
	case s.format == formatNDJSON && s.values == 1:
		return formatObject
	}
	return s.format
}

// resume has the decoder go on where resync stopped, in the array that it was
// in. A record behind a comma or a bracket stands in one, though its beginning is lost.
func (s *splitter) resume() {
	switch {
	case startsRecords(s.in.pending):
		s.opening = ""
	case s.opening == "" && (s.in.left == ',' || s.in.left == '['):
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
			s.opening = "["
			err = s.array("", formatArray)
		case '{':
			s.opening = ""
			if s.startsRecord() {
				err = s.element("", formatNDJSON)
			} else {
				err = s.wrapper()
			}
		default:
			// The end, a syntax error, or a value that is no record.
			err = s.element("", formatNDJSON)
		}
		if err != nil {
			return err
		}
		s.opening = ""
		s.values++
		s.in.mark()
	}
}

func (s *splitter) setAround(format string) {
	if s.around == "" {
		s.around = format
	}
}

// element hands on the next value, which is in the container of that name.
func (s *splitter) element(container, around string) error {
	v, err := s.dec.ReadValue()
	if err != nil {
		return err
	}
	if startsRecord(v) && !s.envelopes {
		err = s.emit(v, around)
	} else {
		s.in.learn(v)
		s.envelopes = s.envelopes && newMembers(v).isEnvelope()
		err = s.unwrap(container, v, around)
	}
	s.in.mark()
	return err
}

// emit hands a record on. The form is that of what it is wrapped in.
func (s *splitter) emit(v []byte, form string) error {
	if s.format == "" {
		if own := formOfRecord(v); own != "" {
			form = own
		}
		s.format = form
	}
	if err := s.sink.record(v); err != nil {
		s.stopped = err
		return err
	}
	return nil
}

// array hands on the elements of an array, the container of that name.
func (s *splitter) array(container, around string) error {
	s.setAround(around)
	s.columns = nil
	if _, err := s.dec.ReadToken(); err != nil {
		return err
	}
	s.envelopes = true // until the first element shows that they are not
	for s.dec.PeekKind() != ']' {
		if err := s.element(container, around); err != nil {
			return err
		}
	}
	s.envelopes = false
	_, err := s.dec.ReadToken()
	return err
}

// startsRecord says whether the object that comes next begins with a member
// that only records have: then it need not be read member by member.
func (s *splitter) startsRecord() bool {
	return startsRecord(s.dec.UnreadBuffer())
}

// wrapper reads an object member by member: one around records, in which other
// members may stand before them, or a record after all.
func (s *splitter) wrapper() error {
	s.in.learn(s.dec.UnreadBuffer())
	s.object = s.object[:0]
	streamed, err := s.members("")
	if err != nil || streamed {
		return err
	}
	object := s.object
	s.object = object[:0]
	if isDigest(object) {
		s.setAround(formatDigest)
		return nil
	}
	return s.unwrap("", object, formatNDJSON)
}

// members reads an object. What it reads stands in s.object then, but for the
// elements of containers, which are handed on: streamed says so. opening is the
// JSON around the object.
func (s *splitter) members(opening string) (streamed bool, err error) {
	if _, err := s.dec.ReadToken(); err != nil {
		return false, err
	}
	s.object = append(s.object, '{')
	start, record := len(s.object), false
	for s.dec.PeekKind() != '}' {
		name, err := s.dec.ReadValue()
		if err != nil {
			return streamed, err
		}
		plain := plainName(name)
		if len(s.object) > start {
			s.object = append(s.object, ',')
		}
		s.object = append(append(s.object, name...), ':')
		around, isContainer := containers[plain]
		switch kind := s.dec.PeekKind(); {
		case isContainer && kind == '[' && !record:
			if around == "" {
				around = formatWrapped
			}
			s.opening = opening + `{"` + plain + `":[`
			s.object = s.object[:0]
			if err := s.array(plain, around); err != nil {
				return true, err
			}
			streamed = true
			continue
		case inContainers[plain] && kind == '{' && !record && len(opening) < 64:
			inner, err := s.members(opening + `{"` + plain + `":`)
			streamed = streamed || inner
			if err != nil {
				return streamed, err
			}
			continue
		}
		record = record || plain == "eventName" || plain == "eventSource" || plain == "eventVersion"
		value, err := s.dec.ReadValue()
		if err != nil {
			return streamed, err
		}
		if streamed {
			s.in.mark()
			s.object = s.object[:0]
			continue
		}
		s.object = append(s.object, value...)
	}
	if _, err := s.dec.ReadToken(); err != nil {
		return streamed, err
	}
	s.object = append(s.object, '}')
	return streamed, nil
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

// valueLimit is the largest JSON value that is taken for a record. CloudTrail's
// own are at most a megabyte; a load holds a few copies of each.
const valueLimit = 128 << 20

var errTooLarge = fmt.Errorf("a JSON value of more than %d MB: no record is that large, so it is not read", valueLimit>>20)
