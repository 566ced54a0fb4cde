package ingest

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseStruct reads what Athena and CloudTrail Lake write of a struct, a map or
// an array, {type=IAMUser, sessioncontext={attributes={…}}}, as JSON with
// CloudTrail's names, or nil when text is none. Values stand there without
// quotes, so one with ", " or "=" in it is split by the names that a struct is
// known to have, and where these are not known by what looks like one.
func parseStruct(text string, s *shape) []byte {
	p := structText{text: text}
	value, ok := p.value(s, nil)
	if !ok || p.i != len(text) {
		return nil
	}
	return value
}

// structText is a text that is being read.
type structText struct {
	text  string
	i     int
	depth int
}

// structDepth is deeper than any struct of CloudTrail's: userIdentity has four
// levels. More is no struct but a value with many braces.
const structDepth = 16

// enclosing are the structs around a value, the innermost first.
type enclosing struct {
	shape *shape
	seen  map[string]bool
	list  bool // an array is around the struct
	outer *enclosing
}

// value reads an array or a struct, nil for one in which nothing stands.
func (p *structText) value(s *shape, around *enclosing) ([]byte, bool) {
	if p.depth++; p.depth > structDepth {
		return nil, false
	}
	defer func() { p.depth-- }()
	switch {
	case p.at("[") && s.kind == asList:
		return p.list(s, around)
	case p.at("[") && s.kind == asAny:
		return p.anyList()
	case p.at("{") && s.members != nil:
		return p.object(s, around, false)
	case p.at("{"):
		return p.anyMap()
	}
	return nil, false
}

func (p *structText) at(prefix string) bool { return strings.HasPrefix(p.text[p.i:], prefix) }

func (p *structText) skip(prefix string) bool {
	if !p.at(prefix) {
		return false
	}
	p.i += len(prefix)
	return true
}

// list reads an array of structs.
func (p *structText) list(s *shape, around *enclosing) ([]byte, bool) {
	p.i++
	list := []byte{'['}
	for !p.skip("]") {
		if len(list) > 1 && !p.skip(", ") || !p.at("{") {
			return nil, false
		}
		element, ok := p.object(s, around, true)
		if !ok {
			return nil, false
		}
		if element != nil {
			list = append(list, element...)
		} else {
			list = append(list, "{}"...)
		}
		list = append(list, ',')
	}
	return closed(list, ']'), true
}

// object reads a struct whose members are known.
func (p *structText) object(s *shape, around *enclosing, inList bool) ([]byte, bool) {
	p.i++
	here := &enclosing{shape: s, seen: map[string]bool{}, list: inList, outer: around}
	object := []byte{'{'}
	for first := true; !p.skip("}"); first = false {
		if !first && !p.skip(", ") {
			return nil, false
		}
		equals := strings.IndexByte(p.text[p.i:], '=')
		if equals < 1 {
			return nil, false
		}
		name := p.text[p.i : p.i+equals]
		if strings.ContainsAny(name, "{}[], ") {
			return nil, false
		}
		p.i += equals + 1
		m := s.member(name)
		if m == nil {
			m = &shape{name: name}
		}
		here.seen[fold(m.name)] = true
		value, ok := p.member(m, here)
		if !ok {
			return nil, false
		}
		if value != nil {
			object = append(append(append(appendText(object, m.name), ':'), value...), ',')
		}
	}
	if len(object) == 1 {
		return nil, true
	}
	return closed(object, '}'), true
}

// member reads the value of a member, nil for null.
func (p *structText) member(m *shape, here *enclosing) ([]byte, bool) {
	if p.at("{") && (m.kind == asObject || m.kind == asAny) || p.at("[") && m.kind == asList {
		start := p.i
		if value, ok := p.value(m, here); ok && here.ends(p.text[p.i:]) {
			return value, true
		}
		p.i = start
	}
	for end := p.i; end <= len(p.text); end++ {
		if here.ends(p.text[end:]) {
			value := p.text[p.i:end]
			p.i = end
			return m.leaf(value), true
		}
	}
	return nil, false
}

// leaf is the JSON of a value without structure.
func (s *shape) leaf(value string) []byte {
	if s.kind == asObject || s.kind == asList {
		return nil // null, or what nobody can take apart
	}
	return s.fromText(value)
}

// ends says whether a value can end before rest: another member of the struct
// follows, or the struct ends and what is around it goes on.
func (e *enclosing) ends(rest string) bool {
	for {
		if after, ok := strings.CutPrefix(rest, ", "); ok {
			return e.startsMember(after)
		}
		after, ok := strings.CutPrefix(rest, "}")
		if !ok {
			return false
		}
		rest = after
		if e.list {
			if strings.HasPrefix(rest, ", {") {
				return true
			}
			if rest, ok = strings.CutPrefix(rest, "]"); !ok {
				return false
			}
		}
		if e = e.outer; e == nil {
			return rest == ""
		}
	}
}

// startsMember says whether text begins with a member that the struct has and
// that was not there yet.
func (e *enclosing) startsMember(text string) bool {
	equals := strings.IndexByte(text, '=')
	if equals < 1 || equals > 64 {
		return false
	}
	m := e.shape.member(text[:equals])
	return m != nil && !e.seen[fold(m.name)] && !strings.ContainsAny(text[:equals], " -_")
}

// anyMap reads a map of which no name is known.
func (p *structText) anyMap() ([]byte, bool) {
	end := closing(p.text, p.i)
	if end < 0 {
		return nil, false
	}
	inner := p.text[p.i+1 : end]
	p.i = end + 1
	object := []byte{'{'}
	for inner != "" {
		name, rest, ok := strings.Cut(inner, "=")
		if !ok || !isMapKey(name) {
			return nil, false
		}
		stop := mapValueEnd(rest)
		object = append(appendText(object, name), ':')
		object = append(p.appendMapValue(object, name, rest[:stop]), ',')
		inner = strings.TrimPrefix(rest[stop:], ", ")
	}
	return closed(object, '}'), true
}

// anyList reads an array of which nothing is known.
func (p *structText) anyList() ([]byte, bool) {
	end := closing(p.text, p.i)
	if end < 0 {
		return nil, false
	}
	inner := p.text[p.i+1 : end]
	p.i = end + 1
	list := []byte{'['}
	if inner != "" {
		for _, element := range splitOutside(inner, ", ") {
			list = append(p.appendMapValue(list, "", element), ',')
		}
	}
	return closed(list, ']'), true
}

// appendMapValue appends a value of a map. CloudTrail Lake has what is nested in
// it as JSON text; but some parameters are JSON text by themselves.
func (p *structText) appendMapValue(dst []byte, name, value string) []byte {
	switch {
	case value == "null":
		return append(dst, "null"...)
	case value == "" || value[0] != '{' && value[0] != '[' || isDocument(name):
	case jsontext.Value(value).IsValid(decoderOptions()...):
		return append(dst, value...)
	default:
		inner := structText{text: value, depth: p.depth}
		if nested, ok := inner.value(anything, nil); ok && inner.i == len(value) {
			return append(dst, nested...)
		}
	}
	return appendText(dst, value)
}

// isDocument says whether a parameter of that name is a policy, which IAM, KMS
// and others take as text.
func isDocument(name string) bool {
	name = fold(name)
	return strings.HasSuffix(name, "document") || name == "policy" || name == "policytext"
}

// isMapKey says whether text is what a parameter can be called.
func isMapKey(text string) bool {
	if text == "" || len(text) > 128 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-_.:/$@#", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// mapValueEnd is where a value of a map ends: before what looks like another.
func mapValueEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			if end := quotedEnd(text, i); depth > 0 && end > 0 {
				i = end
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth > 0 || i+1 >= len(text) || text[i+1] != ' ' {
				continue
			}
			if name, _, ok := strings.Cut(text[i+2:min(len(text), i+2+130)], "="); ok && isMapKey(name) {
				return i
			}
		}
	}
	return len(text)
}

// quotedEnd is the position of the quote that ends the one at i, or -1.
func quotedEnd(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case '"':
			return j
		}
	}
	return -1
}

// closing is the position of the bracket that closes the one at i, or -1.
func closing(text string, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			if end := quotedEnd(text, i); end > 0 {
				i = end
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitOutside splits text at a separator, but not inside brackets or the
// quotes of JSON text.
func splitOutside(text, separator string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && depth > 0:
			if end := quotedEnd(text, i); end > 0 {
				i = end
			}
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case depth <= 0 && strings.HasPrefix(text[i:], separator):
			parts = append(parts, text[start:i])
			i += len(separator) - 1
			start = i + 1
		}
	}
	return append(parts, text[start:])
}
