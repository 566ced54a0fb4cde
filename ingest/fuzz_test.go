package ingest

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// recordingSink keeps what a splitter finds.
type recordingSink struct {
	records [][]byte
	reasons []string // of what is rejected
	passed  []string
}

func (s *recordingSink) record(v []byte) error {
	s.records = append(s.records, bytes.Clone(v))
	return nil
}
func (s *recordingSink) reject(reason string, raw []byte) { s.reasons = append(s.reasons, reason) }
func (s *recordingSink) pass(reason string, raw []byte)   { s.passed = append(s.passed, reason) }
func (s *recordingSink) entry(string)                     {}

// unpackText finds the records in what a file holds.
func unpackText(u *unpacker, file string) (format string, sink *recordingSink) {
	sink = new(recordingSink)
	r := newReader(new(atomic.Int64))
	r.reset(context.Background(), strings.NewReader(file))
	format, _ = u.unpack(r, strings.NewReader(file), int64(len(file)), sink)
	return format, sink
}

func splitText(text string) (format string, sink *recordingSink) {
	return unpackText(newUnpacker(), text)
}

// FuzzFile has any file read: whatever is handed on is well-formed, and nothing
// that is no JSON goes by in silence.
func FuzzFile(f *testing.F) {
	a := event("a")
	for _, seed := range []string{
		a, a + "\n" + a, "[" + a + "]", `{"Records":[` + a + `]}`, `{"x":1,"Records":[` + a + `],"y":{}}`, "\ufeff" + a,
		gzipped(a), gzipped(a)[:40], gzipped(a) + "x", `{"Records":[` + a + `,{"eventVersion":x},` + a, a + "\n{\n" + a, `{"digestStartTime":"x"}`,
		`[[[`, `{"a":`, `{"Records":[{}`, "\x1f\x8b", `{"eventVersion"}{"eventVersion"}`, `nul`, `{"Records":0}`, `{"\ud800":1}`, "{\"\xff\":[1,]}", `{,}`, `]`, `{1:2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, sink := splitText(string(file))
		for _, r := range sink.records {
			if !jsontext.Value(r).IsValid(decoderOptions()...) {
				t.Errorf("not well-formed: %q", r)
			}
		}
		value := jsontext.Value(file)
		if len(bytes.TrimSpace(file)) > 0 && !value.IsValid(decoderOptions()...) && len(sink.records)+len(sink.reasons)+len(sink.passed) == 0 {
			t.Errorf("nothing is said of %q", file)
		}
	})
}

// FuzzRecord has any well-formed JSON flattened and rebuilt.
func FuzzRecord(f *testing.F) {
	for _, more := range []string{
		``, `"readOnly":"true"`, `"responseElements":null`, `"userIdentity":"root"`, `"userAgent":"\ud800"`, "\"userAgent\":\"\xff\"", `"eventID":"",` + `"eventID":1`,
		`"$base64":["e30="]`, `"a":{"b":[1.0,"\u0000"]}`, `"responseElements":{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","expiration":1e300}}`,
	} {
		f.Add([]byte(strings.Replace(event("a", more), ",}", "}", 1)))
	}
	f.Add([]byte(` { } `))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		record := bytes.Trim(text, " \t\r\n")
		if !jsontext.Value(record).IsValid(decoderOptions()...) {
			return
		}
		fl := newTestFlattener()
		r, reason := fl.flatten(record)
		if reason != "" {
			return
		}
		for c, text := range r.text {
			if !utf8.Valid(text) {
				t.Errorf("column %d of %q is no UTF-8: %q", c, record, text)
			}
		}
		values := fl.rebuildValues(r)
		for i, v := range values {
			if text, ok := v.(string); ok && !utf8.ValidString(text) {
				t.Errorf("value %d of %q is no UTF-8: %q", i, record, text)
			}
		}
		rebuilt, err := Rebuild(values)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(canonical(record), canonical(rebuilt)) {
			t.Errorf("%q becomes %q", record, rebuilt)
		}
	})
}

// rebuildValues is the row as the case gives it back for Rebuild. It takes the rows
// of dimensions that wait.
func (f *flattener) rebuildValues(r *row) []any {
	identity, context := f.identities.take().text, [contextColumnCount][]byte{}
	f.readContext(f.contexts.take().text, func(m *span, value []byte, _ bool) { context[memberColumns[m.index].column] = value })
	var values []any
	text := func(b []byte) {
		if b == nil {
			values = append(values, nil)
		} else {
			values = append(values, string(b))
		}
	}
	for _, m := range memberColumns {
		switch {
		case m.kind.inContext():
			text(context[m.column])
		case m.kind == kindIdentity:
			text(identity)
		case m.kind == kindTime && !r.time.IsZero():
			values = append(values, r.time.Truncate(time.Microsecond))
		case m.kind == kindBool && r.bools[m.column] != null:
			values = append(values, r.bools[m.column] == yes)
		default:
			text(r.text[m.column])
		}
	}
	text(r.text[colExtra])
	return values
}
