package ingest

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The functions here walk JSON that the decoder has already found well-formed,
// so they look only at what separates values: that is several times as fast as
// tokenising a second time.

// object walks the members of a JSON object.
type object struct {
	b      []byte
	i      int
	spaced bool // the last value has white space between its tokens
}

// newObject returns a walk over b, or over nothing when b is no object.
func newObject(b []byte) object {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return object{}
	}
	return object{b: b, i: i + 1}
}

// next returns the raw name (with its quotes) and the raw value of a member.
func (o *object) next() (name, value []byte, ok bool) {
	i := skipSpace(o.b, o.i)
	if i < len(o.b) && o.b[i] == ',' {
		i = skipSpace(o.b, i+1)
	}
	if i >= len(o.b) || o.b[i] != '"' {
		return nil, nil, false
	}
	end := skipString(o.b, i)
	name = o.b[i:end]
	i = skipSpace(o.b, end)
	i = skipSpace(o.b, i+1) // the colon
	end, o.spaced = skipValue(o.b, i)
	value = o.b[i:end]
	o.i = end
	return name, value, true
}

// member returns the raw value of the first member of that name, or nil.
func member(b []byte, name string) []byte {
	for o := newObject(b); ; {
		n, v, ok := o.next()
		if !ok {
			return nil
		}
		if plainName(n) == name {
			return v
		}
	}
}

// elements calls visit for each element of a JSON array until it says false.
func elements(b []byte, visit func(value []byte) bool) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return
	}
	for i++; ; {
		i = skipSpace(b, i)
		if i < len(b) && b[i] == ',' {
			i = skipSpace(b, i+1)
		}
		if i >= len(b) || b[i] == ']' {
			return
		}
		end, _ := skipValue(b, i)
		if end == i || !visit(b[i:end]) {
			return
		}
		i = end
	}
}

// plainName is a member's name without quotes and escapes.
func plainName(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	return string(unquote(raw))
}

// unquote returns the text of a JSON string. What is no Unicode in it becomes
// U+FFFD.
func unquote(raw []byte) []byte {
	// The error only says that something was replaced.
	text, _ := jsontext.AppendUnquote(nil, raw)
	return text
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the position after the string that starts at i.
func skipString(b []byte, i int) int {
	for j := i + 1; ; {
		n := bytes.IndexByte(b[j:], '"')
		if n < 0 {
			return len(b)
		}
		j += n
		escapes := 0
		for b[j-1-escapes] == '\\' {
			escapes++
		}
		j++
		if escapes%2 == 0 {
			return j
		}
	}
}

// skipValue returns the position after the value that starts at i, and whether
// white space stands between its tokens.
func skipValue(b []byte, i int) (end int, spaced bool) {
	if i >= len(b) {
		return i, false
	}
	switch b[i] {
	case '"':
		return skipString(b, i), false
	case '{', '[':
		for depth := 0; i < len(b); {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1, spaced
				}
			case ' ', '\n', '\t', '\r':
				spaced = true
			}
			i++
		}
		return i, spaced
	default:
		for i < len(b) {
			switch b[i] {
			case ',', '}', ']', ' ', '\n', '\t', '\r':
				return i, false
			}
			i++
		}
		return i, false
	}
}

// appendCompact appends b without the white space between its tokens.
func appendCompact(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			end := skipString(b, i)
			dst = append(dst, b[i:end]...)
			i = end
		case ' ', '\n', '\t', '\r':
			i++
		default:
			dst = append(dst, b[i])
			i++
		}
	}
	return dst
}

// isUnicode says whether well-formed JSON is text that every JSON reader
// accepts: valid UTF-8 and no lone surrogate.
func isUnicode(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for {
		n := bytes.IndexByte(b, '\\')
		if n < 0 || n+1 >= len(b) {
			return true
		}
		b = b[n:]
		if b[1] != 'u' {
			b = b[2:]
			continue
		}
		switch r := hex4(b[2:]); {
		case r >= 0xd800 && r < 0xdc00:
			if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
				return false
			}
			if low := hex4(b[8:]); low < 0xdc00 || low > 0xdfff {
				return false
			}
			b = b[12:]
		case r >= 0xdc00 && r <= 0xdfff:
			return false
		default:
			b = b[6:]
		}
	}
}

// hex4 is the value of four hexadecimal digits, or -1.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return -1
		}
	}
	return r
}
