package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// rawMember is the name in extra of a list of members that are no Unicode text
// (lone surrogates, bytes that are no UTF-8), each as the base64 of its JSON
// `"name":value`. So extra and every other column stay text and JSON that any
// engine reads; the columns themselves show such text with U+FFFD in it.
const rawMember = "$base64"

// tristate is a BOOLEAN that may be NULL, which it is at first.
type tristate int8

const (
	null tristate = iota
	no
	yes
)

// row is a record as the records table holds it.
type row struct {
	text    [columnCount][]byte // nil is NULL
	bools   [columnCount]tristate
	time    time.Time
	expires time.Time // zero is NULL

	identity *identity
	context  *callContext
}

// flattener turns records into rows. It is not safe for concurrent use; the row
// that it returns is good until the next.
type flattener struct {
	row     row
	arena   []byte // text that had to be changed on its way into the row
	derived []byte // event id that an export gave the record, see derivedIDMember
	members []span

	identities  known[*identity]
	contexts    known[*callContext]
	contextText []byte // of the record
}

func newFlattener(identities, contexts *dimension, limit int) *flattener {
	return &flattener{
		identities: known[*identity]{dimension: identities, limit: limit},
		contexts:   known[*callContext]{dimension: contexts, limit: limit},
	}
}

// span is a member of a record.
type span struct {
	name, value []byte // raw
	index       int    // in memberColumns, or -1
	spaced      bool
	kept        bool // a column reproduces it
}

// flatten reads a record, well-formed JSON, into the columns. Of what is no
// CloudTrail record it says why.
func (f *flattener) flatten(record []byte) (*row, string) {
	f.row = row{}
	if f.arena = f.arena[:0]; cap(f.arena) > batchBytes {
		f.arena = nil // a huge record must not stay in memory
	}
	f.members, f.derived = f.members[:0], nil
	if record[0] != '{' {
		return nil, "not a CloudTrail record: no JSON object"
	}
	if f.split(record) {
		f.shed()
	}
	unicode := isUnicode(record)
	if reason := f.columns(unicode); reason != "" {
		return nil, reason
	}
	r := &f.row
	if len(r.text[colEventID]) == 0 {
		if r.text[colEventID] = f.derived; f.derived == nil {
			r.text[colEventID] = f.contentID(record)
		}
	}
	if r.identity == nil {
		r.identity = f.identity(nil, false, true)
	}
	f.issued()
	f.extra(unicode)
	return r, ""
}

// split lists the members of the record. odd says that there is one as those have
// that exporters add.
func (f *flattener) split(record []byte) (odd bool) {
	for o := newObject(record); ; {
		name, value, ok := o.next()
		if !ok {
			return odd
		}
		index := -1
		if bytes.IndexByte(name, '\\') < 0 {
			if i, ok := memberIndex[string(name[1:len(name)-1])]; ok {
				index = i
			}
		} else if i, ok := memberIndex[plainName(name)]; ok {
			index = i
		}
		odd = odd || index < 0 && (name[1] == '@' || bytes.HasPrefix(name, pantherName))
		f.members = append(f.members, span{name: name, value: value, index: index, spaced: o.spaced})
	}
}

// columns fills the columns that a record is rebuilt from and marks the members
// that they reproduce. A name that occurs twice is kept in extra as often as it
// occurs; its column has the first value, as DuckDB's and Trino's JSON functions do.
func (f *flattener) columns(unicode bool) (reason string) {
	var seen [len(memberColumns)]int
	f.contextText = f.contextText[:0]
	for i := range f.members {
		m := &f.members[i]
		if m.index < 0 {
			continue
		}
		if before := seen[m.index]; before > 0 {
			f.members[before-1].kept = false
			continue
		}
		seen[m.index] = i + 1
		c := memberColumns[m.index]
		if c.kind.inContext() {
			f.contextText = contextText(f.contextText, m)
			m.kept = true // unless its context says otherwise
			continue
		}
		if m.value[0] == 'n' {
			continue // null: an absent value, told apart by extra
		}
		switch c.kind {
		case kindText:
			m.kept = f.textColumn(c.column, m)
		case kindJSON:
			m.kept = true
			f.row.text[c.column] = f.json(m.value, m.spaced, unicode)
		case kindIdentity:
			m.kept = true
			f.row.identity = f.identity(m.value, m.spaced, unicode)
		case kindBool:
			f.row.bools[c.column], m.kept = boolean(m.value)
		case kindTime:
			t, exact, ok := parseTime(string(f.scalar(m.value)))
			if !ok {
				return "not a CloudTrail record: eventTime is no time: " + clip(string(m.value), 80)
			}
			f.row.time, m.kept = t, exact && m.value[0] == '"' && len(m.value) == eventTimeLen+2
		}
		if !unicode && !isUnicode(m.value) {
			m.kept = false
		}
	}
	f.row.context = f.context(f.contextText)
	for i := range f.members {
		if m := &f.members[i]; m.index >= 0 && memberColumns[m.index].kind.inContext() {
			m.kept = m.kept && f.row.context.kept>>m.index&1 == 1
		}
	}
	return f.missing()
}

// missing says which member stops an object from being a record. Insights
// events name their source and API inside insightDetails; Event history as CSV
// named no source until the end of 2020, so an id will do in its place.
func (f *flattener) missing() string {
	if source := f.row.text[colEventSource]; bytes.HasPrefix(source, []byte("aws:")) {
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
		return "not a CloudTrail record: an event notification of " + clip(string(source), 40)
	}
	var absent []string
	if f.row.time.IsZero() {
		absent = append(absent, "eventTime")
	}
	if f.row.text[colInsightDetails] == nil {
		if len(f.row.text[colEventSource]) == 0 && len(f.row.text[colEventID]) == 0 {
			absent = append(absent, "eventSource")
		}
		if len(f.row.text[colEventName]) == 0 {
			absent = append(absent, "eventName")
		}
	}
	if len(absent) == 0 {
		return ""
	}
	return "not a CloudTrail record: no " + strings.Join(absent, ", ")
}

// textColumn fills a VARCHAR column and says whether it reproduces the value.
func (f *flattener) textColumn(c column, m *span) bool {
	text, kept := f.text(m)
	f.row.text[c] = text
	// An id that could be taken for one derived from the content, and an empty
	// one, for which a derived one stands in.
	return kept && (c != colEventID || len(text) != 0 && !isContentID(text))
}

// text is a value as a VARCHAR has it, and whether that reproduces it.
func (f *flattener) text(m *span) (text []byte, kept bool) {
	if m.value[0] == '"' {
		return f.unquote(m.value), true
	}
	if text = f.scalar(m.value); text == nil {
		text = f.json(m.value, true, isUnicode(m.value))
	}
	return text, false
}

// json returns a value as compact JSON that is Unicode.
func (f *flattener) json(value []byte, spaced, unicode bool) []byte {
	if !unicode && !isUnicode(value) {
		value = appendUnicode(nil, value)
	}
	if !spaced {
		return value
	}
	start := len(f.arena)
	f.arena = appendCompact(f.arena, value)
	return f.arena[start:len(f.arena):len(f.arena)]
}

// appendUnicode appends JSON with U+FFFD in place of what is no Unicode.
func appendUnicode(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		if b[i] != '"' {
			dst = append(dst, b[i])
			i++
			continue
		}
		end := skipString(b, i)
		if isUnicode(b[i:end]) {
			dst = append(dst, b[i:end]...)
		} else {
			dst = appendQuoted(dst, unquote(b[i:end]))
		}
		i = end
	}
	return dst
}

// unquote is the function of that name, with the arena for what it changes.
func (f *flattener) unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return raw[1 : len(raw)-1 : len(raw)-1]
	}
	start := len(f.arena)
	// The error only says that something was replaced.
	f.arena, _ = jsontext.AppendUnquote(f.arena, raw)
	return f.arena[start:len(f.arena):len(f.arena)]
}

// scalar returns the text of a string, number or boolean, and nil for anything
// else.
func (f *flattener) scalar(value []byte) []byte {
	if value == nil {
		return nil
	}
	switch value[0] {
	case '"':
		return f.unquote(value)
	case '{', '[', 'n':
		return nil
	}
	return value
}

// boolean reads true and false, as exporters spell them too. exact says that it
// is JSON's own.
func boolean(value []byte) (t tristate, exact bool) {
	switch {
	case value == nil:
		return null, false
	case value[0] == 't':
		return yes, true
	case value[0] == 'f':
		return no, true
	case value[0] != '"':
		return null, false
	}
	switch text := unquote(value); {
	case strings.EqualFold(string(text), "true"):
		return yes, false
	case strings.EqualFold(string(text), "false"):
		return no, false
	}
	return null, false
}

// extra collects the members that no column reproduces.
func (f *flattener) extra(unicode bool) {
	start := len(f.arena)
	dst := append(f.arena, '{')
	var raw []span
	for _, m := range f.members {
		if m.kept {
			continue
		}
		if f.isRaw(m, unicode) {
			raw = append(raw, m)
			continue
		}
		dst = append(appendCompact(append(append(dst, m.name...), ':'), m.value), ',')
	}
	if len(raw) > 0 {
		dst = append(dst, `"`+rawMember+`":[`...)
		for i, m := range raw {
			if i > 0 {
				dst = append(dst, ',')
			}
			pair := appendCompact(append(bytes.Clone(m.name), ':'), m.value)
			dst = append(base64.StdEncoding.AppendEncode(append(dst, '"'), pair), '"')
		}
		dst = append(dst, ']', ',')
	}
	if len(dst) == start+1 {
		return
	}
	dst[len(dst)-1] = '}'
	f.arena = dst
	f.row.text[colExtra] = dst[start:len(dst):len(dst)]
}

// isRaw says whether extra holds the member as base64. All members of one name
// are held alike, so that they keep their order.
func (f *flattener) isRaw(m span, unicode bool) bool {
	name := plainName(m.name)
	if unicode || name == rawMember {
		return name == rawMember
	}
	for _, o := range f.members {
		if (!isUnicode(o.name) || !isUnicode(o.value)) && plainName(o.name) == name {
			return true
		}
	}
	return false
}

// contentID is the id of a record that has none: the SHA-256 of its compact
// JSON in hexadecimal digits.
func (f *flattener) contentID(record []byte) []byte {
	sum := sha256.Sum256(appendCompact(nil, record))
	return hex.AppendEncode(nil, sum[:])
}

// appendQuoted appends Unicode text as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

func isContentID(id []byte) bool {
	if len(id) != hex.EncodedLen(sha256.Size) {
		return false
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// clip shortens text for a message, at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
