package sigma

import (
	"encoding/base64"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// modifiers are what stands after a field's name: field|one|two.
type modifiers struct {
	list  []string
	flags string // of re
}

// comparisons are the modifiers that compare numbers, as SQL.
var comparisons = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// kinds are the modifiers that say what the value is; a field has one of them.
var kinds = []string{"re", "cidr", "exists", "fieldref", "gt", "gte", "lt", "lte"}

// encodings are the modifiers that turn a text into its form in another code.
var encodings = []string{"wide", "utf16le", "utf16be", "utf16", "base64", "base64offset"}

func parseModifiers(names []string) (modifiers, error) {
	var m modifiers
	for _, name := range names {
		switch {
		case slices.Contains([]string{"i", "m", "s", "ignorecase", "multiline", "dotall"}, name):
			if !m.has("re") {
				return m, reasonf("modifier %s belongs after re", name)
			}
			m.flags += name[:1]
			if name == "dotall" {
				m.flags = strings.TrimSuffix(m.flags, "d") + "s"
			}
		case slices.Contains(kinds, name), slices.Contains(encodings, name),
			slices.Contains([]string{"contains", "startswith", "endswith", "all", "cased", "neq", "windash", "expand"}, name):
			m.list = append(m.list, name)
		default:
			return m, reasonf("modifier %q is not supported", name)
		}
	}
	var kind string
	for _, name := range m.list {
		if slices.Contains(kinds, name) {
			if kind != "" {
				return m, reasonf("modifiers %s and %s exclude each other", kind, name)
			}
			kind = name
		}
	}
	if kind != "" && kind != "re" && kind != "fieldref" {
		for _, name := range m.list {
			if name != kind && name != "all" && name != "neq" && (name != "expand" || kind == "exists") {
				return m, reasonf("modifiers %s and %s exclude each other", kind, name)
			}
		}
	}
	if kind == "re" || kind == "fieldref" {
		for _, name := range m.list {
			if slices.Contains(encodings, name) || name == "windash" {
				return m, reasonf("modifiers %s and %s exclude each other", kind, name)
			}
		}
	}
	for i, name := range m.list {
		if slices.Contains(encodings[:4], name) && !slices.ContainsFunc(m.list[i+1:], isBase64) {
			return m, reasonf("modifier %s needs base64 or base64offset after it", name)
		}
	}
	return m, nil
}

func isBase64(name string) bool { return name == "base64" || name == "base64offset" }

func (m modifiers) has(name string) bool { return slices.Contains(m.list, name) }

// patterns are what a text becomes under the modifiers, in their order: any of
// them is a match.
func (m modifiers) patterns(text string) ([]pattern, error) {
	found := []pattern{parsePattern(text)}
	for _, name := range m.list {
		var err error
		switch {
		case name == "contains":
			for i, p := range found {
				found[i] = p.prefixed().suffixed()
			}
		case name == "startswith":
			for i, p := range found {
				found[i] = p.suffixed()
			}
		case name == "endswith":
			for i, p := range found {
				found[i] = p.prefixed()
			}
		case name == "windash":
			found, err = dashed(found)
		case slices.Contains(encodings, name):
			found, err = encoded(found, name)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, p := range found {
		for _, x := range p {
			if strings.ContainsRune(x.text, 0) {
				return nil, reasonf("value has a NUL in it, which no text in a log has")
			}
			if !utf8.ValidString(x.text) {
				return nil, reasonf("value is not valid UTF-8")
			}
		}
	}
	return found, nil
}

// encoded turns texts into bytes of UTF-16 and bytes into Base64.
func encoded(patterns []pattern, encoding string) ([]pattern, error) {
	var out []pattern
	for _, p := range patterns {
		text, ok := p.plain()
		if !ok {
			return nil, reasonf("modifier %s takes no wildcards", encoding)
		}
		switch encoding {
		case "base64":
			out = append(out, pattern{{text: base64.StdEncoding.EncodeToString([]byte(text))}})
		case "base64offset":
			for offset := range 3 {
				out = append(out, pattern{{text: base64At(text, offset)}})
			}
		default:
			out = append(out, pattern{{text: utf16Bytes(text, encoding)}})
		}
	}
	return out, nil
}

// base64At is the part of the Base64 of a text that is the same whatever stands
// around it, when it begins at an offset into three bytes.
func base64At(text string, offset int) string {
	code := base64.StdEncoding.EncodeToString(append(make([]byte, offset), text...))
	start := []int{0, 2, 3}[offset]
	end := len(code) - []int{0, 3, 2}[(len(text)+offset)%3]
	return code[min(start, end):end]
}

func utf16Bytes(text, encoding string) string {
	var b strings.Builder
	units := utf16.Encode([]rune(text))
	if encoding == "utf16" {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		if encoding == "utf16be" {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

// maxVariants bounds what windash and expand make of one value.
const maxVariants = 10_000

var dashes = []rune{'-', '/', '–', '—', '―'}

// dashed gives the variants in which every dash that begins a flag is one of
// the five that Windows takes for one.
func dashed(patterns []pattern) ([]pattern, error) {
	out := patterns
	for i := range patterns {
		for j := range patterns[i] {
			runes := []rune(patterns[i][j].text)
			for k, r := range runes {
				begins := (k == 0 || !isWord(runes[k-1])) && k+1 < len(runes) && isWord(runes[k+1])
				if !begins || !slices.Contains(dashes, r) {
					continue
				}
				var more []pattern
				for _, p := range out {
					if !sameBut(p, patterns[i]) {
						continue
					}
					for _, d := range dashes {
						if d == r {
							continue
						}
						q := slices.Clone(p)
						t := []rune(q[j].text)
						t[k] = d
						q[j].text = string(t)
						more = append(more, q)
					}
				}
				if out = append(slices.Clone(out), more...); len(out) > maxVariants {
					return nil, reasonf("windash makes more than %d variants of the value", maxVariants)
				}
			}
		}
	}
	return out, nil
}

// sameBut holds for patterns that differ in their dashes at most.
func sameBut(p, q pattern) bool {
	fold := func(s string) string {
		return strings.Map(func(r rune) rune {
			if slices.Contains(dashes, r) {
				return '-'
			}
			return r
		}, s)
	}
	return slices.EqualFunc(p, q, func(a, b part) bool { return a.wild == b.wild && fold(a.text) == fold(b.text) })
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// regex checks a regular expression and gives it the flags and anchors that the
// modifiers ask for. Engines run RE2, which Go's syntax is too.
func (m modifiers) regex(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", reasonf("value has a NUL in it, which no text in a log has")
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "", reasonf("regular expression %s: %s", text, whyNotRE2(text, err))
	}
	if size, err := programSize(parsed); err != nil || size > maxProgram {
		return "", reasonf("regular expression %s: it is too large", text)
	}
	if strings.Contains(text, "(?<") || strings.Contains(text, `\p`) || strings.Contains(text, `\P`) {
		// Older RE2 lacks this spelling of named groups and newer scripts.
		text = parsed.String()
	}
	switch {
	case m.has("startswith"):
		text = "^(?:" + text + ")"
	case m.has("endswith"):
		text = "(?:" + text + ")$"
	}
	flags := ""
	for _, f := range "ims" {
		if strings.ContainsRune(m.flags, f) {
			flags += string(f)
		}
	}
	if !strings.Contains(flags, "s") {
		flags += "-s"
	}
	return "(?" + flags + ")" + text, nil
}

// maxProgram is what RE2 compiles in its 8 MB, with some room: 131,072
// instructions, each on a byte.
const maxProgram = 100_000

// programSize estimates how many instructions RE2 makes of an expression.
func programSize(re *syntax.Regexp) (int, error) {
	program, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0, err
	}
	size := 0
	for _, inst := range program.Inst {
		switch inst.Op {
		case syntax.InstRune:
			size += 4 * (1 + len(inst.Rune)/2)
		case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			size += 12
		default:
			size += 2
		}
	}
	return size, nil
}

// whyNotRE2 names what backtracking engines have and RE2 lacks.
func whyNotRE2(text string, err error) string {
	for _, construct := range []struct{ text, name string }{
		{"(?=", "lookahead"}, {"(?!", "lookahead"}, {"(?<=", "lookbehind"}, {"(?<!", "lookbehind"},
		{"(?>", "atomic groups"}, {"*+", "possessive quantifiers"}, {"++", "possessive quantifiers"}, {"?+", "possessive quantifiers"},
		{`\1`, "backreferences"}, {`\2`, "backreferences"}, {"(?P=", "backreferences"}, {`\k<`, "backreferences"},
	} {
		if strings.Contains(text, construct.text) {
			return "RE2 has no " + construct.name
		}
	}
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}

// number reads a number to compare with.
func number(text string) (string, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || n != n || n > 1e308 || n < -1e308 {
		return "", reasonf("%q is no number", text)
	}
	return "CAST(" + quoted(strconv.FormatFloat(n, 'g', -1, 64)) + " AS DOUBLE)", nil
}
