package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"trailscan/query/trino"
)

// Statement is one statement of a text.
type Statement struct {
	Text   string
	Line   int      // of the text on which it begins, from 1
	Params []string // names after a $, in the order of their first use
	Marks  int      // question marks, whose values are called 1, 2, …
	tokens []token

	trino *trino.Statement // what runs in its place, if anything
	names trino.Options    // with which it was translated
}

// Translated is the statement as DuckDB runs it when it was written for Athena or
// CloudTrail Lake; what it is shown as stays. Names of tables such as $EDS_ID are
// no parameters.
func (s Statement) Translated(o trino.Options) Statement {
	s.trino, s.names = trino.Rewrite(s.Text, o), o
	s.Params, s.Marks = nil, 0
	list, rest, _ := Statements(s.trino.SQL)
	if rest != nil {
		list = append(list, *rest)
	}
	for _, st := range list {
		s.Params = append(s.Params, st.Params...)
		s.Marks += st.Marks
	}
	return s
}

// runs is the SQL that DuckDB runs for the statement.
func (s Statement) runs() string {
	if s.trino == nil {
		return s.Text
	}
	return s.trino.SQL
}

// token is a word or a mark of SQL: blanks, comments and the insides of strings
// are none.
type token struct {
	text string // as it stands; a quoted name without its quotes
	at   int    // byte in the statement
	kind tokenKind
}

type tokenKind int

const (
	wordToken tokenKind = iota
	nameToken           // in double quotes
	stringToken
	paramToken
	markToken
)

// Statements are those of a text, which a semicolon ends each. rest is what
// stands after the last semicolon, when that is more than blanks and comments: a
// whole statement when ended is true, the beginning of one when a quote or a
// comment is open.
func Statements(text string) (list []Statement, rest *Statement, ended bool) {
	s := splitter{text: text}
	var tokens []token
	begin := 0
	finish := func(end int) *Statement {
		if len(tokens) == 0 {
			return nil
		}
		st := statement(text, tokens[0].at, end, tokens)
		return &st
	}
	for {
		t, ok := s.next()
		if !ok {
			break
		}
		if t.kind == markToken && t.text == ";" {
			if st := finish(t.at); st != nil {
				list = append(list, *st)
			}
			tokens, begin = nil, s.at
			continue
		}
		tokens = append(tokens, t)
	}
	if s.open && len(tokens) == 0 {
		return list, &Statement{Text: text[begin:], Line: 1 + strings.Count(text[:begin], "\n")}, false
	}
	return list, finish(len(text)), !s.open
}

func statement(text string, begin, end int, tokens []token) Statement {
	st := Statement{
		Text:   strings.TrimRightFunc(text[begin:end], unicode.IsSpace),
		Line:   1 + strings.Count(text[:begin], "\n"),
		tokens: make([]token, len(tokens)),
	}
	seen := map[string]bool{}
	for i, t := range tokens {
		t.at -= begin
		st.tokens[i] = t
		if t.kind == markToken && t.text == "?" {
			st.Marks++
		}
		name := strings.ToLower(t.text)
		if t.kind == paramToken && !seen[name] {
			seen[name] = true
			st.Params = append(st.Params, t.text)
		}
	}
	return st
}

// Word is the first word of the statement in upper case, past any parenthesis.
func (s Statement) Word() string {
	for _, t := range s.tokens {
		if t.kind == markToken && t.text == "(" {
			continue
		}
		if t.kind == wordToken {
			return strings.ToUpper(t.text)
		}
		break
	}
	return ""
}

// Reads tells whether the statement is of those that change nothing.
func (s Statement) Reads() bool {
	switch s.Word() {
	case "SELECT", "FROM", "VALUES", "TABLE", "DESCRIBE", "DESC", "SHOW", "SUMMARIZE":
		return true
	case "WITH", "EXPLAIN":
		return !s.calls("insert") && !s.calls("update") && !s.calls("delete") && !s.calls("merge") && !s.calls("create")
	}
	return false
}

// Temporary tells whether the statement makes something that lasts only while
// the case is open.
func (s Statement) Temporary() bool { return s.calls("temp") || s.calls("temporary") }

// OneLine is the statement on one line, without its comments.
func (s Statement) OneLine() string {
	var b strings.Builder
	end := 0
	for _, t := range s.tokens {
		if b.Len() > 0 && t.at > end {
			b.WriteByte(' ')
		}
		raw := s.raw(t)
		b.WriteString(raw)
		end = t.at + len(raw)
	}
	return b.String()
}

// raw is a token as it stands in the statement.
func (s Statement) raw(t token) string {
	sp := splitter{text: s.Text, at: t.at}
	sp.next()
	return s.Text[t.at:sp.at]
}

// calls tells whether the statement has a word or a name, such as that of a
// function, in whatever case and quoted or not.
func (s Statement) calls(name string) bool {
	for _, t := range s.tokens {
		if (t.kind == wordToken || t.kind == nameToken) && strings.EqualFold(t.text, name) {
			return true
		}
	}
	return false
}

// splitter finds the tokens of a text as DuckDB's parser does.
type splitter struct {
	text string
	at   int
	open bool // the text ends within a string, a name or a comment
}

func (s *splitter) next() (token, bool) {
	for s.skip() {
	}
	if s.at >= len(s.text) {
		return token{}, false
	}
	begin := s.at
	c := s.text[s.at]
	switch {
	case c == '\'':
		s.quoted('\'', false)
		return token{"", begin, stringToken}, true
	case (c == 'e' || c == 'E') && strings.HasPrefix(s.text[s.at+1:], "'"):
		s.at++
		s.quoted('\'', true)
		return token{"", begin, stringToken}, true
	case c == '"', c == '`': // the latter as Hive has it
		s.quoted(c, false)
		quote := string(c)
		name := strings.TrimSuffix(s.text[begin+1:s.at], quote)
		return token{strings.ReplaceAll(name, quote+quote, quote), begin, nameToken}, true
	case c == '$':
		return s.dollar(), true
	}
	r, size := utf8.DecodeRuneInString(s.text[s.at:])
	if !wordRune(r) {
		s.at += size
		return token{s.text[begin:s.at], begin, markToken}, true
	}
	s.word()
	return token{s.text[begin:s.at], begin, wordToken}, true
}

// skip passes blanks or a comment; block comments may stand in each other.
func (s *splitter) skip() bool {
	rest := s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, "--"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			s.at += n + 1
		} else {
			s.at = len(s.text)
		}
		return true
	case strings.HasPrefix(rest, "/*"):
		for depth := 0; s.at < len(s.text); {
			switch rest := s.text[s.at:]; {
			case strings.HasPrefix(rest, "/*"):
				depth++
				s.at += 2
			case strings.HasPrefix(rest, "*/"):
				depth--
				s.at += 2
				if depth == 0 {
					return true
				}
			default:
				s.at++
			}
		}
		s.open = true
		return true
	}
	r, size := utf8.DecodeRuneInString(rest)
	if size > 0 && unicode.IsSpace(r) {
		s.at += size
		return true
	}
	return false
}

// quoted passes a string or a name: the quote doubled stands for itself, and
// after a backslash too where escapes are.
func (s *splitter) quoted(quote byte, escapes bool) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case escapes && c == '\\':
			s.at++
		case c == quote && strings.HasPrefix(s.text[s.at+1:], string(quote)):
			s.at++
		case c == quote:
			s.at++
			return
		}
	}
	s.at = min(s.at, len(s.text))
	s.open = true
}

// dollar is a parameter ($name, $1) or a string between two $tag$.
func (s *splitter) dollar() token {
	begin := s.at
	s.at++
	s.word()
	name := s.text[begin+1 : s.at]
	if strings.HasPrefix(s.text[s.at:], "$") && (name == "" || name[0] < '0' || name[0] > '9') {
		s.at++
		tag := s.text[begin:s.at]
		if n := strings.Index(s.text[s.at:], tag); n >= 0 {
			s.at += n + len(tag)
		} else {
			s.at, s.open = len(s.text), true
		}
		return token{"", begin, stringToken}
	}
	if name == "" {
		return token{"$", begin, markToken}
	}
	return token{name, begin, paramToken}
}

func (s *splitter) word() {
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		if !wordRune(r) {
			return
		}
		s.at += size
	}
}

func wordRune(r rune) bool {
	return r == '_' || r >= 0x80 && !unicode.IsSpace(r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
