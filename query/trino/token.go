package trino

import (
	"strings"
	"unicode/utf8"
)

// kind says what a token is.
type kind int

const (
	word    kind = iota // keyword or unquoted name
	quoted              // "name", or `name` as Hive and many a web page have it
	literal             // 'text', in any of the forms of DuckDB
	number
	symbol      // operator or punctuation, one token each
	placeholder // $name, ${name}, {{name}}: stands for something that the reader fills in
)

// token is a piece of SQL between white space and comments.
type token struct {
	kind     kind
	pos, end int // in the source
	text     string
}

// is says whether the token is one of these keywords or symbols.
func (t token) is(texts ...string) bool {
	if t.kind != word && t.kind != symbol {
		return false
	}
	for _, s := range texts {
		if strings.EqualFold(t.text, s) {
			return true
		}
	}
	return false
}

// name is what the token names, and whether it is a name at all.
func (t token) name() (string, bool) {
	switch t.kind {
	case word:
		return t.text, true
	case quoted:
		q := t.text[:1]
		return strings.ReplaceAll(strings.Trim(t.text, q), q+q, q), true
	}
	return "", false
}

// value is the text that a plain literal stands for.
func (t token) value() (string, bool) {
	if t.kind != literal || len(t.text) < 2 || t.text[0] != '\'' || t.text[len(t.text)-1] != '\'' {
		return "", false
	}
	return strings.ReplaceAll(t.text[1:len(t.text)-1], `''`, `'`), true
}

// operators are the symbols of more than one byte, longest first.
var operators = []string{"->>", "<=>", "!~~*", "!~~", "~~*", "->", "=>", "::", ":=", "<=", ">=", "<>", "!=", "||", "**", "//", "<<", ">>", "~~", "!~", "==", "&&", "@>", "<@", "^@"}

// tokens splits SQL; whatever stands between two tokens is white space or a
// comment. An unfinished literal, name or comment reaches to the end.
func tokens(sql string) []token {
	var list []token
	for i := 0; i < len(sql); {
		if n := blank(sql[i:]); n > 0 {
			i += n
			continue
		}
		k, n := scan(sql[i:])
		list = append(list, token{kind: k, pos: i, end: i + n, text: sql[i : i+n]})
		i += n
	}
	return list
}

// blank is the length of the white space or comment at the start of s.
func blank(s string) int {
	switch {
	case strings.ContainsRune(" \t\r\n\f\v", rune(s[0])):
		return 1
	case strings.HasPrefix(s, "\u00a0"), strings.HasPrefix(s, "\ufeff"): // out of copied web pages
		_, n := utf8.DecodeRuneInString(s)
		return n
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		return commentEnd(s)
	}
	return 0
}

// commentEnd is the length of a block comment. Those of DuckDB nest.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(s)
}

// scan is the kind and length of the token at the start of s.
func scan(s string) (kind, int) {
	c := s[0]
	switch {
	case c == '\'':
		return literal, quoteEnd(s, 0, false)
	case c == '"', c == '`':
		return quoted, quoteEnd(s, 0, false)
	case (c == 'e' || c == 'E') && len(s) > 1 && s[1] == '\'':
		return literal, quoteEnd(s, 1, true)
	case (c == 'x' || c == 'X' || c == 'b' || c == 'B') && len(s) > 1 && s[1] == '\'':
		return literal, quoteEnd(s, 1, false)
	case c == '$':
		return dollar(s)
	case strings.HasPrefix(s, "{{"):
		if n := strings.Index(s, "}}"); n > 0 && !strings.ContainsAny(s[:n], "'\n:") {
			return placeholder, n + 2
		}
		return symbol, 1
	case isDigit(c) || c == '.' && len(s) > 1 && isDigit(s[1]):
		return number, numberEnd(s)
	case isLetter(c):
		n := 1
		for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '$') && blank(s[n:]) == 0 {
			n++
		}
		return word, n
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return symbol, len(op)
		}
	}
	return symbol, 1
}

// quoteEnd is the length of a quoted text of which the quote stands at start.
func quoteEnd(s string, start int, escapes bool) int {
	q := s[start]
	for i := start + 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			i++
		case s[i] == q:
			return i + 1
		}
	}
	return len(s)
}

// dollar scans $name, ${name}, $1 and $tag$text$tag$.
func dollar(s string) (kind, int) {
	if strings.HasPrefix(s, "${") {
		if n := strings.IndexByte(s, '}'); n > 0 && !strings.ContainsAny(s[:n], "'\n") {
			return placeholder, n + 1
		}
	}
	n := 1
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	if n < len(s) && s[n] == '$' && (n == 1 || !isDigit(s[1])) {
		tag := s[:n+1]
		if end := strings.Index(s[n+1:], tag); end >= 0 {
			return literal, n + 1 + end + len(tag)
		}
		return literal, len(s)
	}
	if n == 1 {
		return symbol, 1
	}
	return placeholder, n
}

func numberEnd(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || isLetter(s[n]) || s[n] == '.') {
		if (s[n] == 'e' || s[n] == 'E') && n+2 < len(s) && (s[n+1] == '-' || s[n+1] == '+') && isDigit(s[n+2]) && decimal(s[:n]) {
			n++
		}
		n++
	}
	return n
}

func decimal(s string) bool {
	return strings.Trim(s, "0123456789._") == ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}
