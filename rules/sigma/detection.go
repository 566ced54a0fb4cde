package sigma

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// search is one of the named searches of a detection.
type search struct {
	name string
	expr expr
}

// searches compiles the searches of a detection, in their order.
func (c *compiler) searches(detection *yaml.Node) ([]search, error) {
	var list []search
	for key, value := range members(detection) {
		switch key.Value {
		case "condition", "timeframe":
			continue
		}
		e, err := c.selection(value)
		if err != nil {
			return nil, fmt.Errorf("search %s: %w", key.Value, at(value, err))
		}
		list = append(list, search{key.Value, e})
	}
	return list, nil
}

// selection compiles what a search looks for: all fields of a map, any member
// of a list, or keywords.
func (c *compiler) selection(n *yaml.Node) (expr, error) {
	switch n = deref(n); n.Kind {
	case yaml.MappingNode:
		var terms allOf
		for key, value := range members(n) {
			e, err := c.item(key, value)
			if err != nil {
				return nil, at(key, err)
			}
			terms = append(terms, e)
		}
		if len(terms) == 0 {
			return nil, reasonf("it is empty")
		}
		return terms, nil
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return nil, reasonf("it is empty")
		}
		var terms anyOf
		var words []*yaml.Node
		for _, member := range n.Content {
			if member = deref(member); member.Kind == yaml.ScalarNode {
				words = append(words, member)
				continue
			}
			e, err := c.selection(member)
			if err != nil {
				return nil, at(member, err)
			}
			terms = append(terms, e)
		}
		if len(words) > 0 {
			e, err := c.match(keyword, modifiers{}, words)
			if err != nil {
				return nil, err
			}
			terms = append(terms, e)
		}
		return terms, nil
	}
	return c.match(keyword, modifiers{}, []*yaml.Node{n})
}

// item compiles a field with its modifiers and values.
func (c *compiler) item(key, value *yaml.Node) (expr, error) {
	name, rest, modified := strings.Cut(key.Value, "|")
	var m modifiers
	if modified {
		var err error
		if m, err = parseModifiers(strings.Split(rest, "|")); err != nil {
			return nil, err
		}
	}
	f := keyword
	if name != "" {
		var err error
		if f, err = fieldOf(name); err != nil {
			return nil, err
		}
	}
	values := []*yaml.Node{deref(value)}
	if values[0].Kind == yaml.SequenceNode {
		values = values[0].Content
	}
	if len(values) == 0 {
		return nil, reasonf("field %s has no values", key.Value)
	}
	e, err := c.match(f, m, values)
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", key.Value, err)
	}
	if m.has("neq") {
		return inverse{e}, nil
	}
	return e, nil
}

// test is a condition on a text; plain texts are gathered, to be looked up in
// one list.
type test struct {
	equals string // SQL of a text to be equal to; "" for another test
	holds  func(x string) string
	alone  expr // a condition that is not on a value of the field
}

// match compiles that the field has one of the values, or all.
func (c *compiler) match(f field, m modifiers, values []*yaml.Node) (expr, error) {
	var all allOf
	var any []test
	for _, value := range values {
		value = deref(value)
		tests, err := c.tests(f, m, value)
		if err != nil {
			return nil, at(value, err)
		}
		if m.has("all") {
			all = append(all, f.passes(tests, m.has("cased")))
		}
		any = append(any, tests...)
	}
	if m.has("all") {
		return all, nil
	}
	return f.passes(any, m.has("cased")), nil
}

// passes is the condition that one of the tests holds for a value.
func (f field) passes(tests []test, cased bool) expr {
	var terms anyOf
	var equal []string
	var others []func(string) string
	for _, t := range tests {
		switch {
		case t.alone != nil:
			terms = append(terms, t.alone)
		case t.equals != "":
			equal = append(equal, t.equals)
		default:
			others = append(others, t.holds)
		}
	}
	if len(equal)+len(others) > 0 {
		terms = append(terms, f.holds(func(x string) string {
			var any []string
			if len(equal) > 0 {
				text := x
				if !cased {
					text = "lower(" + x + ")"
				}
				if len(equal) == 1 {
					any = append(any, text+" = "+equal[0])
				} else {
					any = append(any, text+" IN ("+strings.Join(equal, ", ")+")")
				}
			}
			for _, holds := range others {
				any = append(any, holds(x))
			}
			if len(any) == 1 {
				return any[0]
			}
			return "(" + strings.Join(any, " OR ") + ")"
		}))
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return terms
}

// tests compiles one value: any of the tests is a match.
func (c *compiler) tests(f field, m modifiers, n *yaml.Node) ([]test, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, reasonf("a value is a map or a list where a text should be")
	}
	if m.has("exists") {
		return existence(f, n)
	}
	if n.Tag == "!!null" {
		for _, name := range m.list {
			if name != "all" && name != "neq" && name != "cased" {
				return nil, reasonf("modifier %s takes no null", name)
			}
		}
		if f.column == keyword.column {
			return nil, reasonf("null is no keyword")
		}
		return []test{{alone: f.empty()}}, nil
	}
	texts := []string{textOf(n)}
	if m.has("expand") {
		var err error
		if texts, err = c.expand(texts[0]); err != nil {
			return nil, err
		}
	}
	var all []test
	for _, text := range texts {
		tests, err := testsOf(f, m, text)
		if err != nil {
			return nil, err
		}
		all = append(all, tests...)
	}
	return all, nil
}

// testsOf compiles a text after its placeholders are filled.
func testsOf(f field, m modifiers, text string) ([]test, error) {
	for name, operator := range comparisons {
		if m.has(name) {
			n, err := number(text)
			return []test{{holds: func(x string) string {
				x = "try_cast(" + x + " AS DOUBLE)"
				if operator[0] == '<' {
					return x + " " + operator + " " + n
				}
				// The text NaN is a number that engines take for the greatest.
				return "(" + x + " " + operator + " " + n + " AND " + x + " < CAST('Infinity' AS DOUBLE))"
			}}}, err
		}
	}
	switch {
	case m.has("cidr"):
		re, err := cidrPattern(text)
		return []test{{holds: func(x string) string { return "regexp_like(" + x + ", " + sqlText(re) + ")" }}}, err
	case m.has("re"):
		re, err := m.regex(text)
		return []test{{holds: func(x string) string { return "regexp_like(" + x + ", " + sqlText(re) + ")" }}}, err
	case m.has("fieldref"):
		other, err := fieldOf(text)
		if err != nil {
			return nil, err
		}
		return []test{{alone: f.compares(other, m)}}, nil
	}
	patterns, err := m.patterns(text)
	if err != nil {
		return nil, err
	}
	cased := m.has("cased")
	var tests []test
	for _, p := range patterns {
		if f.column == keyword.column {
			p = p.prefixed().suffixed()
		}
		switch s, ok := p.plain(); {
		case ok && cased:
			tests = append(tests, test{equals: sqlText(s)})
		case ok:
			tests = append(tests, test{equals: sqlLower(s)})
		default:
			tests = append(tests, test{holds: func(x string) string { return p.matches(x, cased) }})
		}
	}
	return tests, nil
}

func existence(f field, n *yaml.Node) ([]test, error) {
	if f.column == keyword.column {
		return nil, reasonf("modifier exists needs a field")
	}
	switch strings.ToLower(n.Value) {
	case "true", "yes":
		return []test{{alone: f.exists()}}, nil
	case "false", "no":
		return []test{{alone: inverse{f.exists()}}}, nil
	}
	return nil, reasonf("modifier exists takes true or false, not %q", n.Value)
}

// compares is the condition that a value of the field is one of another field,
// or holds it in the place that a modifier says.
func (f field) compares(other field, m modifiers) expr {
	relation := func(x, y string) string {
		if !m.has("cased") {
			x, y = "lower("+x+")", "lower("+y+")"
		}
		switch {
		case m.has("contains"):
			return "strpos(" + x + ", " + y + ") > 0"
		case m.has("startswith"):
			return "starts_with(" + x + ", " + y + ")"
		case m.has("endswith"):
			return "(length(" + x + ") >= length(" + y + ") AND substr(" + x + ", length(" + x + ") - length(" + y + ") + 1) = " + y + ")"
		}
		return x + " = " + y
	}
	a := f.holds(func(x string) string {
		if other.text != "" {
			return relation(x, other.text)
		}
		return "cardinality(filter(" + other.values() + ", y -> " + relation(x, "y") + ")) > 0"
	})
	return atom{text: a.text}
}
