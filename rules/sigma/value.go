package sigma

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pattern is a Sigma string: literal text and wildcards by turns.
type pattern []part

// part is a literal text, or one of the wildcards anyText and anyChar.
type part struct {
	text string
	wild wildcard
}

type wildcard byte

const (
	literal wildcard = iota
	anyText          // *
	anyChar          // ?
)

// parsePattern reads a Sigma string. A backslash takes a wildcard or a
// backslash after it as it stands, and is itself a plain character elsewhere.
func parsePattern(s string) pattern {
	var p pattern
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p = append(p, part{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			text.WriteByte(s[i])
		case c == '*':
			flush()
			p = append(p, part{wild: anyText})
		case c == '?':
			flush()
			p = append(p, part{wild: anyChar})
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return p
}

// plain returns the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	var text strings.Builder
	for _, x := range p {
		if x.wild != literal {
			return "", false
		}
		text.WriteString(x.text)
	}
	return text.String(), true
}

func (p pattern) prefixed() pattern { return append(pattern{{wild: anyText}}, p...) }
func (p pattern) suffixed() pattern { return append(slices.Clone(p), part{wild: anyText}) }

// simple leaves out wildcards that add nothing, and joins neighbouring texts.
func (p pattern) simple() pattern {
	var out pattern
	for _, x := range p {
		last := len(out) - 1
		switch {
		case last >= 0 && x.wild == anyText && out[last].wild == anyText:
		case last >= 0 && x.wild == literal && out[last].wild == literal:
			out[last].text += x.text
		default:
			out = append(out, x)
		}
	}
	return out
}

// like is the pattern as LIKE writes it, and whether it needs an escape.
func (p pattern) like() (text string, escaped bool) {
	var b strings.Builder
	for _, x := range p {
		escaped = escaped || strings.ContainsAny(x.text, `%_\`)
	}
	for _, x := range p {
		switch x.wild {
		case anyText:
			b.WriteByte('%')
		case anyChar:
			b.WriteByte('_')
		default:
			if escaped {
				b.WriteString(strings.NewReplacer(`%`, `\%`, `_`, `\_`, `\`, `\\`).Replace(x.text))
			} else {
				b.WriteString(x.text)
			}
		}
	}
	return b.String(), escaped
}

// matches writes that a text expression matches the pattern.
func (p pattern) matches(x string, cased bool) string {
	text := sqlText
	if !cased {
		x, text = "lower("+x+")", sqlLower
	}
	p = p.simple()
	if s, ok := p.plain(); ok {
		return x + " = " + text(s)
	}
	if len(p) == 1 && p[0].wild == anyText {
		return x + " IS NOT NULL"
	}
	like, escaped := p.like()
	switch {
	case !escaped:
		return x + " LIKE " + text(like)
	case len(p) == 2 && p[0].wild == literal && p[1].wild == anyText:
		return "starts_with(" + x + ", " + text(p[0].text) + ")"
	case len(p) == 3 && p[0].wild == anyText && p[1].wild == literal && p[2].wild == anyText:
		return "strpos(" + x + ", " + text(p[1].text) + ") > 0"
	}
	return x + " LIKE " + text(like) + ` ESCAPE '\'`
}

// sqlText is a text from a rule as SQL. Control characters are written by
// number, so that no literal has a line break in it.
func sqlText(s string) string {
	var terms []string
	start := 0
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			if i > start {
				terms = append(terms, quoted(s[start:i]))
			}
			terms = append(terms, "chr("+itoa(int(s[i]))+")")
			start = i + 1
		}
	}
	if start < len(s) || len(terms) == 0 {
		terms = append(terms, quoted(s[start:]))
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return "(" + strings.Join(terms, " || ") + ")"
}

// sqlLower is a text in lower case as SQL. What is beyond ASCII the engine
// itself turns, so that both sides of a comparison are turned alike.
func sqlLower(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return "lower(" + sqlText(s) + ")"
		}
	}
	return sqlText(strings.ToLower(s))
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func itoa(n int) string { return strconv.Itoa(n) }
