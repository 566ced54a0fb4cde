package ingest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// mayHoldJSON says whether a JSON string may have an object or an array as text.
func mayHoldJSON(v []byte) bool {
	return v[0] == '"' && len(v) > 4 && bytes.IndexByte(v, '{') >= 0
}

// textLead is how much may stand before the JSON in a text: a time, or the header
// of a syslog message.
const textLead = 256

// lookText looks for records in a text that is JSON or ends in JSON. Of JSON that
// is broken it says so.
func (s *splitter) lookText(text []byte, around string, depth int) (found bool, err error) {
	text = bytes.TrimSpace(text)
	start := bytes.IndexAny(text[:min(len(text), textLead)], "{[")
	if start < 0 {
		// What CloudWatch Logs tries a subscription with.
		return bytes.HasPrefix(text, []byte("CWL CONTROL MESSAGE")), nil
	}
	if text[start] == '[' && start > 0 { // "[ERROR] …" is not JSON
		if start = bytes.IndexByte(text[:min(len(text), textLead)], '{'); start < 0 {
			return false, nil
		}
	}
	dec := newDecoder()
	dec.Reset(bytes.NewReader(text[start:]), decoderOptions()...)
	for {
		v, err := dec.ReadValue()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			if start == 0 && text[0] == '{' && firstName(text) != nil {
				s.sink.reject("broken JSON in the text that holds the record: "+syntaxReason(err), clipRaw(text))
				return true, nil
			}
			return found, nil
		}
		some, err := s.look("", v, around, depth+1)
		found = found || some
		if err != nil {
			return found, err
		}
	}
}

// timedLines reads lines of a time, a blank and a message, as CloudWatch Logs
// exports them to S3.
func (s *splitter) timedLines(r *textReader) (format string, err error) {
	s.around = formatCloudWatch
	err = s.in.lines(func(line []byte, tooLong bool) error {
		message := line[len(timedLine.Find(line[:min(len(line), 64)])):]
		switch {
		case tooLong:
			s.sink.reject(errTooLarge.Error(), clipRaw(line))
			return nil
		case len(bytes.TrimSpace(line)) == 0:
			return nil
		}
		found, err := s.lookText(message, formatCloudWatch, 0)
		if !found && err == nil {
			s.sink.pass("no CloudTrail record in this line of "+formatCloudWatch, clipRaw(bytes.TrimRight(line, "\r\n")))
		}
		return err
	})
	if err == nil && r.err != nil {
		s.sink.reject(r.err.Error(), nil)
	}
	return s.conclude(), err
}

// decoded returns what a string of base64 holds as a JSON string again, gunzipped
// if it was gzipped, or nil when it is none.
func decoded(v []byte) []byte {
	if len(v) == 0 || v[0] != '"' {
		return nil
	}
	data, err := base64.StdEncoding.AppendDecode(nil, unquote(v))
	if err != nil {
		return nil
	}
	if len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b {
		if data, err = gunzipPayload(data); err != nil {
			return nil
		}
	}
	return quoteJSON(data)
}

// gunzipPayload decompresses what must fit in a payload.
func gunzipPayload(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, payloadLimit+1))
	if err == nil && len(out) > payloadLimit {
		err = errors.New("larger than any payload")
	}
	return out, err
}

// payloadLimit is far above the megabyte that CloudWatch Logs puts in a payload.
const payloadLimit = 16 << 20

// unquoteJSON returns the text of a JSON string that holds JSON. What is no
// Unicode in it stays as it is: a lone surrogate is spelt as the escape that it
// was, which the JSON in the text has for it too.
func unquoteJSON(raw []byte) []byte {
	if isUnicode(raw) {
		return unquote(raw)
	}
	var text []byte
	for b := raw[1 : len(raw)-1]; len(b) > 0; {
		n := 1
		switch {
		case b[0] != '\\':
			if r, size := utf8.DecodeRune(b); r != utf8.RuneError {
				n = size
			}
			text = append(text, b[:n]...)
			b = b[n:]
			continue
		case b[1] != 'u':
			n = 2
		case len(b) >= 12 && !isUnicode(b[:6]) && isUnicode(b[:12]):
			n = 12
		default:
			n = 6
		}
		if isUnicode(b[:n]) {
			text = append(text, unquote(append(append([]byte{'"'}, b[:n]...), '"'))...)
		} else {
			text = append(text, b[:n]...)
		}
		b = b[n:]
	}
	return text
}

// quoteJSON makes a JSON string of a text, of which unquoteJSON makes the same
// text again.
func quoteJSON(text []byte) []byte {
	quoted := []byte{'"'}
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			quoted = append(quoted, '\\', c)
		case c < ' ':
			const hex = "0123456789abcdef"
			quoted = append(quoted, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			quoted = append(quoted, c)
		}
	}
	return append(quoted, '"')
}
