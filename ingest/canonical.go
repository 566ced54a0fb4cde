package ingest

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// canonical is a form of well-formed JSON that is the same for all that means
// the same: no white space, members sorted by name (those of one name in their
// order), strings in one spelling. Numbers keep their text: 1.0 is not 1. The
// form is for comparing only; where text is no Unicode it is no JSON.
func canonical(value []byte) []byte {
	value = value[skipSpace(value, 0):]
	return appendCanonical(nil, value)
}

func appendCanonical(dst, value []byte) []byte {
	switch value[0] {
	case '"':
		return appendCanonicalString(dst, value)
	case '[':
		dst = append(dst, '[')
		elements(value, func(v []byte) bool {
			dst = append(appendCanonical(dst, v), ',')
			return true
		})
		return append(dst, ']')
	case '{':
		type pair struct{ name, value []byte }
		var pairs []pair
		for o := newObject(value); ; {
			name, v, ok := o.next()
			if !ok {
				break
			}
			pairs = append(pairs, pair{appendCanonicalString(nil, name), v})
		}
		slices.SortStableFunc(pairs, func(a, b pair) int { return bytes.Compare(a.name, b.name) })
		dst = append(dst, '{')
		for _, p := range pairs {
			dst = append(append(dst, p.name...), ':')
			dst = append(appendCanonical(dst, p.value), ',')
		}
		return append(dst, '}')
	}
	end, _ := skipValue(value, 0)
	return append(dst, value[:end]...)
}

// appendCanonicalString writes each character that is not as plain as can be
// in one way, and what is no Unicode so that it is told from everything else.
func appendCanonicalString(dst, raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return append(dst, raw...)
	}
	dst = append(dst, '"')
	for b := raw[1 : len(raw)-1]; len(b) > 0; {
		if b[0] != '\\' {
			r, n := utf8.DecodeRune(b)
			if r == utf8.RuneError && n == 1 {
				dst = fmt.Appendf(dst, `\x%02x`, b[0])
			} else {
				dst = append(dst, b[:n]...)
			}
			b = b[n:]
			continue
		}
		n := 2
		if b[1] == 'u' {
			n = 6
			if r := hex4(b[2:]); r >= 0xd800 && r < 0xdc00 && len(b) >= 12 && !isUnicode(b[:6]) && isUnicode(b[:12]) {
				n = 12
			} else if r >= 0xd800 && r < 0xe000 {
				dst = fmt.Appendf(dst, `\u%04x`, r)
				b = b[6:]
				continue
			}
		}
		text := unquote(slices.Concat([]byte{'"'}, b[:n], []byte{'"'}))
		quoted := appendQuoted(nil, text)
		dst = append(dst, quoted[1:len(quoted)-1]...)
		b = b[n:]
	}
	return append(dst, '"')
}
