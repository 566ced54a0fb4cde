package trino

import (
	"fmt"
	"maps"
	"regexp/syntax"
	"strings"
)

// lambda is the parameters and the body of x -> … or (x, y) -> ….
func (r *rewriter) lambda(arg [2]int) (params []string, body [2]int, ok bool) {
	i, j := arg[0], arg[1]
	if i >= j {
		return nil, body, false
	}
	arrow := r.after(i)
	if !r.at(arrow).is("->") || arrow >= j {
		return nil, body, false
	}
	if r.at(i).is("(") {
		for _, p := range r.args(i) {
			name, isName := r.at(p[0]).name()
			if !isName || p[1] != p[0]+1 {
				return nil, body, false
			}
			params = append(params, strings.ToLower(name))
		}
	} else if name, isName := r.at(i).name(); isName {
		params = []string{strings.ToLower(name)}
	}
	return params, [2]int{arrow + 1, j}, len(params) > 0 && arrow+1 < j
}

// body translates the body of a lambda, where its parameters stand for others.
func (c *call) body(body [2]int, params []string, stand ...string) fragment {
	names := map[string]string{}
	maps.Copy(names, c.names)
	for i, p := range params {
		delete(names, p)
		if i < len(stand) {
			names[p] = stand[i]
		}
	}
	return c.walk(body[0], body[1], names)
}

// function translates a lambda into DuckDB's.
func (c *call) function(i, params int) (fragment, bool) {
	list, body, ok := c.lambda(c.args[i])
	if !ok || len(list) != params {
		return nil, false
	}
	quoted := make([]string, len(list))
	for i, p := range list {
		quoted[i] = identifier(p)
	}
	return wrap("lambda "+strings.Join(quoted, ", ")+": ", c.body(body, list), ""), true
}

// identifier is a name as SQL, in quotes where it needs them.
func identifier(name string) string {
	for i := range len(name) {
		if !isLetter(name[i]) && (i == 0 || !isDigit(name[i])) {
			return quoteName(name)
		}
	}
	return name
}

// lambdas is a function of a list and a lambda.
func lambdas(to string, params int) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if len(c.args) != 2 {
			return nil, false
		}
		f, ok := c.function(1, params)
		if !ok {
			return nil, false
		}
		return c.to(to, c.arg(0), f), true
	}
}

// matches is a test of the elements of a list.
func matches(to string) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		out, ok := lambdas("list_transform", 1)(c)
		if !ok {
			return nil, false
		}
		return wrap("("+to+"(", out, "))"), true
	}
}

// reduce has a state of its own type, where DuckDB wants that of the elements:
// state and element go through it together.
func reduce(c *call) (fragment, bool) {
	if len(c.args) != 4 {
		return nil, false
	}
	step, stepBody, ok := c.lambda(c.args[2])
	final, finalBody, ok2 := c.lambda(c.args[3])
	if !ok || !ok2 || len(step) != 2 || len(final) != 1 {
		return nil, false
	}
	if c.repeated > mostRepeated {
		return nil, false
	}
	c.repeated++
	defer func() { c.repeated-- }()
	first := c.arg(1)
	if t := c.toks[c.args[1][0]]; t.kind == number && c.size(1) == 1 {
		// The type of 0 is too small for a sum.
		as := "BIGINT"
		if strings.ContainsAny(t.text, ".eE") {
			as = "DOUBLE"
		}
		first = wrap("CAST(", first, " AS "+as+")")
	}
	states := concat(fragment{{"list_reduce(list_transform(", c.toks[c.k].pos}}, c.arg(0),
		wrap(", lambda trino_x: {'s': ", first, ", 'x': trino_x})"),
		wrap(", lambda trino_a, trino_b: {'s': ", c.body(stepBody, step, "trino_a.s", "trino_b.x"), ", 'x': trino_b.x}"),
		wrap(", {'s': ", first, ", 'x': NULL}).s"))
	if finalBody[1] == finalBody[0]+1 && strings.EqualFold(c.toks[finalBody[0]].text, final[0]) {
		return states, true
	}
	return concat(fragment{{"list_transform([", -1}}, states, fragment{{"], lambda trino_s: ", -1}}, c.body(finalBody, final, "trino_s"), fragment{{")[1]", -1}}), true
}

// arraySort sorts by the place of an element: how many go before it, of which
// equal ones that stand before it are some.
func arraySort(c *call) (fragment, bool) {
	if len(c.args) != 2 {
		return nil, false
	}
	params, body, ok := c.lambda(c.args[1])
	if !ok || len(params) != 2 {
		return nil, false
	}
	before := c.body(body, params, "trino_y", "trino_x")
	return concat(fragment{{"list_transform([", c.toks[c.k].pos}}, c.arg(0),
		wrap("], lambda trino_l: list_transform(list_sort(list_transform(trino_l, lambda trino_x, trino_i: {'n': len(list_filter(trino_l, lambda trino_y, trino_j: (",
			before, ") < CASE WHEN trino_j < trino_i THEN 1 ELSE 0 END)), 'x': trino_x})), lambda trino_s: trino_s.x))[1]")), true
}

// replaceEach replaces every match by what a lambda makes of its groups.
func (c *call) replaceEach(params []string, body [2]int) (fragment, bool) {
	pattern, ok := c.at(c.args[1][0]).value()
	if !ok || c.size(1) != 1 || len(params) != 1 {
		return nil, false
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, false
	}
	groups := make([]string, re.MaxCap())
	for i := range groups {
		groups[i] = fmt.Sprintf("regexp_extract_all(trino_t, %s, %d)[trino_i]", text(pattern), i+1)
	}
	made := c.body(body, params, "CAST(["+strings.Join(groups, ", ")+"] AS VARCHAR[])")
	return concat(fragment{{"list_transform([", c.toks[c.k].pos}}, c.arg(0),
		fragment{{"], lambda trino_t: array_to_string(list_transform(string_split_regex(trino_t, " + text(pattern) +
			"), lambda trino_p, trino_i: CASE WHEN trino_i <= len(regexp_extract_all(trino_t, " + text(pattern) + ")) THEN trino_p || (", -1}},
		made, fragment{{") ELSE trino_p END), ''))[1]", -1}}), true
}

func zipWith(c *call) (fragment, bool) {
	if len(c.args) != 3 {
		return nil, false
	}
	params, body, ok := c.lambda(c.args[2])
	if !ok || len(params) != 2 {
		return nil, false
	}
	return c.to("list_transform", c.to("list_zip", c.arg(0), c.arg(1)),
		wrap("lambda trino_z: ", c.body(body, params, "trino_z[1]", "trino_z[2]"), "")), true
}

// entries is a function over the entries of a map, with a lambda of key and value.
func entries(c *call, shape func(list, body fragment) fragment) (fragment, bool) {
	if len(c.args) != 2 {
		return nil, false
	}
	params, body, ok := c.lambda(c.args[1])
	if !ok || len(params) != 2 {
		return nil, false
	}
	return c.to("map_from_entries", shape(c.to("map_entries", c.arg(0)), c.body(body, params, "trino_e.key", "trino_e.value"))), true
}

func mapFilter(c *call) (fragment, bool) {
	return entries(c, func(list, body fragment) fragment {
		return c.to("list_filter", list, wrap("lambda trino_e: ", body, ""))
	})
}

func transformValues(c *call) (fragment, bool) {
	return entries(c, func(list, body fragment) fragment {
		return c.to("list_transform", list, wrap("lambda trino_e: {'key': trino_e.key, 'value': ", body, "}"))
	})
}

func transformKeys(c *call) (fragment, bool) {
	return entries(c, func(list, body fragment) fragment {
		return c.to("list_transform", list, wrap("lambda trino_e: {'key': ", body, ", 'value': trino_e.value}"))
	})
}
