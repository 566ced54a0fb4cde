package ingest

import (
	"bytes"

	"trailscan/query"
)

// contextColumns are the columns of the table contexts, in its order: the id, then
// those members of a record that are the same from call to call of a client.
var contextColumns = []query.Column{
	{Name: "context_id", Type: "BIGINT"},
	{Name: "event_version", Type: "VARCHAR"},
	{Name: "event_type", Type: "VARCHAR"},
	{Name: "event_category", Type: "VARCHAR"},
	{Name: "api_version", Type: "VARCHAR"},
	{Name: "user_agent", Type: "VARCHAR"},
	{Name: "recipient_account_id", Type: "VARCHAR"},
	{Name: "vpc_endpoint_id", Type: "VARCHAR"},
	{Name: "vpc_endpoint_account_id", Type: "VARCHAR"},
	{Name: "tls_details", Type: "VARCHAR"},
}

// Their positions, of which the id has the first.
const (
	ctxEventVersion column = iota + 1
	ctxEventType
	ctxEventCategory
	ctxAPIVersion
	ctxUserAgent
	ctxRecipientAccountID
	ctxVPCEndpointID
	ctxVPCEndpointAccountID
	ctxTLSDetails
	contextColumnCount
)

// callContext is what records need of their context when they are flattened.
type callContext struct {
	id        int64
	kept      uint64 // a bit a member of memberColumns: whether a column reproduces it
	recipient []byte // the account
}

// contextText appends a member to the text that stands for a context: its
// position in memberColumns and its raw value, which holds no byte of zero.
func contextText(text []byte, m *span) []byte {
	return append(append(append(text, byte(m.index)), m.value...), 0)
}

// context gives the context of the members in text. Most records have the same as
// one before: then they need not be read again.
func (f *flattener) context(text []byte) *callContext {
	if c, ok := f.contexts.get(text); ok {
		return c
	}
	c := &callContext{id: f.contexts.add(text)}
	f.readContext(text, func(m *span, value []byte, kept bool) {
		if kept {
			c.kept |= 1 << m.index
		}
		if memberColumns[m.index].column == ctxRecipientAccountID {
			c.recipient = bytes.Clone(value)
		}
	})
	f.contexts.know(text, c)
	return c
}

// readContext calls visit for each member in text with the value of its column, nil
// for NULL, and whether that reproduces the member.
func (f *flattener) readContext(text []byte, visit func(m *span, value []byte, kept bool)) {
	for len(text) > 0 {
		end := bytes.IndexByte(text[1:], 0) + 1
		m := span{index: int(text[0]), value: text[1:end]}
		text = text[end+1:]
		if m.value[0] == 'n' {
			visit(&m, nil, false) // null: an absent value, told apart by extra
			continue
		}
		var value []byte
		var kept bool
		unicode := isUnicode(m.value)
		if memberColumns[m.index].kind == kindContextJSON {
			value, kept = f.json(m.value, true, unicode), true
		} else {
			value, kept = f.text(&m)
		}
		visit(&m, value, kept && unicode)
	}
}

// writeContext sets a row of a chunk of the table contexts.
func (f *flattener) writeContext(v *vectors, at int, text []byte) {
	var values [contextColumnCount][]byte
	f.readContext(text, func(m *span, value []byte, _ bool) { values[memberColumns[m.index].column] = value })
	for i := ctxEventVersion; i < contextColumnCount; i++ {
		v.text(int(i), at, values[i])
	}
}
