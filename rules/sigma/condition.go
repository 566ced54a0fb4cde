package sigma

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// condition is the tree of a rule's condition over the names of its searches.
type condition interface{}

type (
	condName struct{ name string }
	condNot  struct{ of condition }
	condAnd  []condition
	condOr   []condition
	// condOf is "n of pattern"; n is 0 for "all of". them is the pattern "".
	condOf struct {
		n       int
		pattern string
	}
)

// maxDepth bounds the parentheses and negations of a condition.
const maxDepth = 100

// parseCondition reads a condition up to a pipe and returns what stands after
// that, the aggregation of old rules.
func parseCondition(text string) (c condition, aggregation string, err error) {
	text, aggregation, _ = strings.Cut(text, "|")
	p := &conditionParser{tokens: tokens(text)}
	c, err = p.or(0)
	if err == nil && p.peek() != "" {
		err = reasonf("condition has %q where it should end", p.peek())
	}
	return c, strings.TrimSpace(aggregation), err
}

// tokens splits at white space and around parentheses.
func tokens(text string) []string {
	var list []string
	start := -1
	flush := func(end int) {
		if start >= 0 {
			list = append(list, text[start:end])
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.IsSpace(r):
			flush(i)
		case r == '(' || r == ')':
			flush(i)
			list = append(list, string(r))
		case start < 0:
			start = i
		}
	}
	flush(len(text))
	return list
}

type conditionParser struct {
	tokens []string
	place  int
}

// peek is the next token, "" at the end.
func (p *conditionParser) peek() string {
	if p.place < len(p.tokens) {
		return p.tokens[p.place]
	}
	return ""
}

// take passes the next token if it is the word, in any case.
func (p *conditionParser) take(word string) bool {
	if !strings.EqualFold(p.peek(), word) {
		return false
	}
	p.place++
	return true
}

func (p *conditionParser) or(depth int) (condition, error) {
	var terms condOr
	for {
		term, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if !p.take("or") {
			break
		}
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return terms, nil
}

func (p *conditionParser) and(depth int) (condition, error) {
	var terms condAnd
	for {
		term, err := p.not(depth)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if !p.take("and") {
			break
		}
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return terms, nil
}

func (p *conditionParser) not(depth int) (condition, error) {
	if depth > maxDepth {
		return nil, reasonf("condition is nested more than %d deep", maxDepth)
	}
	switch word := p.peek(); {
	case p.take("not"):
		of, err := p.not(depth + 1)
		return condNot{of}, err
	case p.take("("):
		inner, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = reasonf("condition lacks a closing parenthesis")
		}
		return inner, err
	case word == "":
		return nil, reasonf("condition ends too early")
	case word == ")" || isOperator(word):
		return nil, reasonf("condition has %q where the name of a search should be", word)
	}
	word := p.peek()
	p.place++
	if !p.take("of") {
		return condName{word}, nil
	}
	n, err := howMany(word)
	if err != nil {
		return nil, err
	}
	pattern := p.peek()
	if pattern == "" || pattern == "(" || pattern == ")" || isOperator(pattern) {
		return nil, reasonf("condition lacks a name after %q", word+" of")
	}
	p.place++
	if strings.EqualFold(pattern, "them") {
		pattern = ""
	}
	return condOf{n, pattern}, nil
}

func isOperator(word string) bool {
	return slices.Contains([]string{"and", "or", "not", "of"}, strings.ToLower(word))
}

// howMany reads the word before "of"; all is 0.
func howMany(word string) (int, error) {
	switch strings.ToLower(word) {
	case "all":
		return 0, nil
	case "any":
		return 1, nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 {
		return 0, reasonf("condition has %q before \"of\": it must be a number, any or all", word)
	}
	return n, nil
}

// compile replaces the names of a condition by their searches.
func compileCondition(c condition, searches []search) (expr, error) {
	switch c := c.(type) {
	case condName:
		for _, s := range searches {
			if s.name == c.name {
				return s.expr, nil
			}
		}
		return nil, reasonf("condition names %q, which detection does not have", c.name)
	case condNot:
		of, err := compileCondition(c.of, searches)
		return inverse{of}, err
	case condAnd:
		terms, err := compileConditions(c, searches)
		return allOf(terms), err
	case condOr:
		terms, err := compileConditions(c, searches)
		return anyOf(terms), err
	case condOf:
		var of []expr
		for _, s := range searches {
			if c.pattern == "" && !strings.HasPrefix(s.name, "_") || c.pattern != "" && matchesName(c.pattern, s.name) {
				of = append(of, s.expr)
			}
		}
		switch {
		case len(of) == 0:
			return nil, reasonf("condition names %q, which no search of detection is called like", cmp.Or(c.pattern, "them"))
		case c.n > len(of):
			return nil, reasonf("condition asks for %d of %d searches", c.n, len(of))
		case c.n == 0 || c.n == len(of):
			return allOf(of), nil
		case c.n == 1:
			return anyOf(of), nil
		}
		return atLeast{c.n, of}, nil
	}
	return nil, reasonf("condition is empty")
}

func compileConditions(list []condition, searches []search) ([]expr, error) {
	terms := make([]expr, len(list))
	for i, c := range list {
		var err error
		if terms[i], err = compileCondition(c, searches); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// matchesName holds when the name is the pattern, in which * is any text.
func matchesName(pattern, name string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, last)
}
