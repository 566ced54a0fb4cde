package ingest

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// RebuildColumns are the columns of the view whole_records that Rebuild needs,
// in its order.
func RebuildColumns() []string {
	names := make([]string, 0, len(memberColumns)+1)
	for _, m := range memberColumns {
		names = append(names, m.stored())
	}
	return append(names, colExtra.name())
}

// Rebuild gives back the JSON of a record from the values of RebuildColumns as
// database/sql scans them into any. It equals the original as JSON: numbers by
// their text, members in any order, text that is no Unicode too. Extra's word
// goes before a column's.
func Rebuild(values []any) (jsontext.Value, error) {
	if len(values) != len(memberColumns)+1 {
		return nil, fmt.Errorf("rebuild record: %d values for %d columns", len(values), len(memberColumns)+1)
	}
	var extra []byte
	if s, ok := values[len(values)-1].(string); ok {
		extra = []byte(s)
	}
	exact, names, err := exactMembers(extra)
	if err != nil {
		return nil, fmt.Errorf("rebuild record: %w", err)
	}
	record := []byte{'{'}
	for i, m := range memberColumns {
		if values[i] == nil || names[m.name] {
			continue
		}
		before := len(record)
		record = append(appendQuoted(record, []byte(m.name)), ':')
		ok := true
		switch v := values[i].(type) {
		case string:
			switch {
			case m.kind == kindJSON, m.kind == kindIdentity, m.kind == kindContextJSON:
				record = append(record, v...)
			case m.name == "eventID" && isContentID([]byte(v)):
				record, ok = record[:before], false
			default:
				record = appendQuoted(record, []byte(v))
			}
		case bool:
			record = fmt.Appendf(record, "%t", v)
		case time.Time:
			record = append(appendEventTime(append(record, '"'), v), '"')
		default:
			return nil, fmt.Errorf("rebuild record: column %s holds a %T", m.stored(), v)
		}
		if ok {
			record = append(record, ',')
		}
	}
	for _, pair := range exact {
		record = append(append(record, pair...), ',')
	}
	if record[len(record)-1] == ',' {
		record = record[:len(record)-1]
	}
	return append(record, '}'), nil
}

// exactMembers lists the members in extra as `"name":value`, and their names.
func exactMembers(extra []byte) (pairs [][]byte, names map[string]bool, err error) {
	if extra == nil {
		return nil, nil, nil
	}
	if !jsontext.Value(extra).IsValid(decoderOptions()...) {
		return nil, nil, fmt.Errorf("extra is no JSON: %s", clip(string(extra), 80))
	}
	names = map[string]bool{}
	for o := newObject(extra); ; {
		name, value, ok := o.next()
		if !ok {
			return pairs, names, nil
		}
		plain := plainName(name)
		if plain != rawMember {
			names[plain] = true
			pairs = append(pairs, append(append(append([]byte(nil), name...), ':'), value...))
			continue
		}
		elements(value, func(encoded []byte) bool {
			var pair []byte
			if pair, err = base64.StdEncoding.AppendDecode(nil, unquote(encoded)); err != nil {
				return false
			}
			whole := append(append([]byte{'{'}, pair...), '}')
			if !jsontext.Value(whole).IsValid(decoderOptions()...) {
				err = fmt.Errorf("a member of extra.%s is no JSON", rawMember)
				return false
			}
			inner := newObject(whole)
			name, _, _ := inner.next()
			names[plainName(name)] = true
			pairs = append(pairs, pair)
			return true
		})
		if err != nil {
			return nil, nil, err
		}
	}
}
