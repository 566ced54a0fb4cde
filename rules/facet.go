package rules

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// facet is what a call is, without who made it: rules mostly are about a few of
// the many that a case holds.
type facet struct {
	source, name, category sql.NullString
	events                 int64
	kind                   int // its number
}

// facetsSQL counts the events by what tells the classes and the calls apart, so
// that the events are read once for both.
const facetsSQL = `
CREATE OR REPLACE TEMP TABLE scan_facets AS
SELECT event_source, event_name, event_category, management_event, read_only, aws_region,
    count(*) AS events, min(event_time) AS first_time, max(event_time) AS last_time
FROM events
GROUP BY ALL`

// kindsSQL numbers the facets, the rarest first.
const kindsSQL = `
CREATE OR REPLACE TEMP TABLE scan_kinds AS
SELECT event_source, event_name, event_category, sum(events)::BIGINT AS events,
    row_number() OVER (ORDER BY sum(events), event_source, event_name, event_category) - 1 AS kind
FROM temp.scan_facets
GROUP BY event_source, event_name, event_category`

// readFacets gives the facets for whose numbers a condition holds.
func readFacets(ctx context.Context, conn *sql.Conn, condition string) ([]facet, error) {
	rows, err := conn.QueryContext(ctx, `SELECT event_source, event_name, event_category, events, kind FROM temp.scan_kinds WHERE `+condition+` ORDER BY kind`)
	if err != nil {
		return nil, fmt.Errorf("survey the events: %w", err)
	}
	defer rows.Close()
	var found []facet
	for rows.Next() {
		var f facet
		if err := rows.Scan(&f.source, &f.name, &f.category, &f.events, &f.kind); err != nil {
			return nil, fmt.Errorf("survey the events: %w", err)
		}
		found = append(found, f)
	}
	return found, rows.Err()
}

// truth is what is known of a condition from an event's facet alone.
type truth int

const (
	unknown truth = iota
	isFalse
	isTrue
)

// test tells of a condition what a facet says.
type test func(*facet) truth

// always is the test of a condition of which nothing is known.
func always(*facet) truth { return unknown }

// facetTest reads a condition in SQL as far as it is about facets. What it does not
// understand may hold: it never says false of a condition that holds for some
// event of the facet.
func facetTest(condition string) test {
	if strings.Contains(condition, "--") || strings.Contains(condition, "/*") {
		return always
	}
	p := facetParser{tokens: sqlToken.FindAllString(condition, -1)}
	t := p.or()
	if p.at < len(p.tokens) {
		return always
	}
	return t
}

// sqlToken is a literal, a word, or one other character.
var sqlToken = regexp.MustCompile(`'(?:[^']|'')*'|[A-Za-z0-9_.]+|<>|[^\s]`)

type facetParser struct {
	tokens []string
	at     int
}

func (p *facetParser) is(words ...string) bool {
	for i, w := range words {
		if p.at+i >= len(p.tokens) || !strings.EqualFold(p.tokens[p.at+i], w) {
			return false
		}
	}
	return true
}

func (p *facetParser) or() test {
	t := p.and()
	for p.is("OR") {
		p.at++
		t = either(t, p.and())
	}
	return t
}

func (p *facetParser) and() test {
	t := p.not()
	for p.is("AND") {
		p.at++
		t = both(t, p.not())
	}
	return t
}

func (p *facetParser) not() test {
	if !p.is("NOT") {
		return p.predicate()
	}
	p.at++
	return negated(p.not())
}

func both(a, b test) test {
	return func(f *facet) truth {
		x, y := a(f), b(f)
		switch {
		case x == isFalse || y == isFalse:
			return isFalse
		case x == isTrue && y == isTrue:
			return isTrue
		}
		return unknown
	}
}

func either(a, b test) test { return negated(both(negated(a), negated(b))) }

func negated(t test) test {
	return func(f *facet) truth {
		switch t(f) {
		case isTrue:
			return isFalse
		case isFalse:
			return isTrue
		}
		return unknown
	}
}

// within is the rule's condition on events of some facets: without the terms
// that hold for all of them.
func (r Rule) within(all []facet, reached []int) string {
	known := innerConjuncts(r.Where)
	open := slices.DeleteFunc(slices.Clone(known), func(term string) bool {
		holds := facetTest(term)
		return !slices.ContainsFunc(reached, func(i int) bool { return holds(&all[i]) != isTrue })
	})
	switch {
	case len(open) == len(known):
		return r.condition()
	case len(open) == 0:
		r.Where = "true"
	default:
		for i, term := range open {
			open[i] = group(term)
		}
		r.Where = strings.Join(open, " AND ")
	}
	return r.condition()
}

// innerConjuncts are the operands of a condition that is one AND of several, and
// in place of those in parentheses theirs.
func innerConjuncts(condition string) []string {
	terms := conjuncts(condition)
	if len(terms) > 1 {
		var all []string
		for _, t := range terms {
			all = append(all, innerConjuncts(t)...)
		}
		return all
	}
	tokens := sqlToken.FindAllString(condition, -1)
	if n := len(tokens); len(terms) == 1 && n > 2 && tokens[0] == "(" && closes(tokens) && !strings.EqualFold(tokens[1], "SELECT") {
		condition = strings.TrimSpace(condition)
		return innerConjuncts(condition[1 : len(condition)-1])
	}
	return terms
}

// predicate reads up to the next AND, OR or closing parenthesis of its level.
func (p *facetParser) predicate() test {
	start := p.at
	depth, between := 0, false
	for p.at < len(p.tokens) {
		switch t := strings.ToUpper(p.tokens[p.at]); {
		case t == "(" || t == "CASE":
			depth++
		case (t == ")" || t == "END") && depth > 0:
			depth--
		case depth > 0:
		case t == ")" || t == "OR" || t == "AND" && !between:
			return predicateTest(p.tokens[start:p.at])
		case t == "AND":
			between = false
		case t == "BETWEEN":
			between = true
		}
		p.at++
	}
	return predicateTest(p.tokens[start:])
}

func predicateTest(tokens []string) test {
	p := facetParser{tokens: tokens}
	n := len(tokens)
	switch {
	case n == 1 && p.is("true"):
		return func(*facet) truth { return isTrue }
	case n == 1 && p.is("false"):
		return func(*facet) truth { return isFalse }
	case n > 2 && p.is("(") && closes(tokens) && !strings.EqualFold(tokens[1], "SELECT"):
		return inner(tokens[1 : n-1])
	// coalesce(condition, false)
	case n > 5 && p.is("coalesce", "(") && closes(tokens[1:]) && tokens[n-3] == "," && strings.EqualFold(tokens[n-2], "false"):
		return inner(tokens[2 : n-3])
	}
	if p.is("regexp_like", "(") && n == 6 && tokens[3] == "," && columnOf(tokens[2:]) != nil {
		return matching(columnOf(tokens[2:]), tokens[4])
	}
	lower := p.is("lower", "(") && n > 4 && tokens[3] == ")"
	if lower {
		p.at = 2
	}
	column := columnOf(tokens[min(p.at, n-1):])
	if column == nil {
		return always
	}
	if p.at++; lower {
		p.at++
	}
	rest := tokens[p.at:]
	switch {
	case p.is("=") && len(rest) == 2:
		return oneOf(column, lower, rest[1:])
	case p.is("<>") && len(rest) == 2:
		return negated(oneOf(column, lower, rest[1:]))
	case p.is("IN", "("):
		return oneOf(column, lower, listed(rest[1:]))
	case p.is("NOT", "IN", "("):
		return negated(oneOf(column, lower, listed(rest[2:])))
	case p.is("LIKE") && len(rest) == 2:
		return like(column, lower, rest[1])
	}
	return always
}

// inner reads a condition in parentheses, whole or not at all.
func inner(tokens []string) test {
	p := facetParser{tokens: tokens}
	t := p.or()
	if p.at < len(tokens) {
		return always
	}
	return t
}

// closes says whether the first token opens a parenthesis that the last closes.
func closes(tokens []string) bool {
	depth := 0
	for i, t := range tokens {
		switch t {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i == len(tokens)-1
			}
		}
	}
	return false
}

func columnOf(tokens []string) func(*facet) sql.NullString {
	if len(tokens) == 0 {
		return nil
	}
	switch strings.ToLower(tokens[0]) {
	case "event_source":
		return func(f *facet) sql.NullString { return f.source }
	case "event_name":
		return func(f *facet) sql.NullString { return f.name }
	case "event_category":
		return func(f *facet) sql.NullString { return f.category }
	}
	return nil
}

// listed are the literals of a list in parentheses; nil when it holds anything else.
func listed(tokens []string) []string {
	if !closes(tokens) {
		return nil
	}
	var values []string
	for i, t := range tokens[1 : len(tokens)-1] {
		switch {
		case i%2 == 0:
			values = append(values, t)
		case t != ",":
			return nil
		}
	}
	return values
}

// compared gives the value of a column to a comparison with literals. A NULL is
// unknown, and so is what one database may write in lower case and another not.
func compared(column func(*facet) sql.NullString, lower bool, holds func(string) bool) test {
	return func(f *facet) truth {
		v := column(f)
		switch {
		case !v.Valid || lower && !isASCII(v.String):
			return unknown
		case lower:
			v.String = strings.ToLower(v.String)
		}
		if holds(v.String) {
			return isTrue
		}
		return isFalse
	}
}

func oneOf(column func(*facet) sql.NullString, lower bool, literals []string) test {
	values := map[string]bool{}
	for _, l := range literals {
		v, ok := literalText(l)
		if !ok {
			return always
		}
		values[v] = true
	}
	if len(values) == 0 {
		return always
	}
	return compared(column, lower, func(s string) bool { return values[s] })
}

func like(column func(*facet) sql.NullString, lower bool, pattern string) test {
	text, ok := literalText(pattern)
	if !ok {
		return always
	}
	quoted := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(text))
	re, err := regexp.Compile("(?s)^" + quoted + "$")
	if err != nil {
		return always
	}
	return compared(column, lower, re.MatchString)
}

// matching uses the expressions that DuckDB, Trino and Go have in common.
func matching(column func(*facet) sql.NullString, pattern string) test {
	text, ok := literalText(pattern)
	if !ok {
		return always
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return always
	}
	t := compared(column, false, re.MatchString)
	return func(f *facet) truth {
		if v := column(f); !isASCII(v.String) {
			return unknown
		}
		return t(f)
	}
}

// literalText is the text of a literal of plain characters.
func literalText(token string) (string, bool) {
	if len(token) < 2 || token[0] != '\'' || !isASCII(token) {
		return "", false
	}
	return strings.ReplaceAll(token[1:len(token)-1], "''", "'"), true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
