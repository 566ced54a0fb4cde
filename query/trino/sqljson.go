package trino

import (
	"slices"
	"strings"
)

// standard is a call of a function of JSON of the SQL standard: the JSON, the path
// with its mode off, and the clauses behind it.
// https://trino.io/docs/current/functions/json.html#json-value
type standard struct {
	*call
	json, path fragment
	returns    string // RETURNING
	empty, bad string // DEFAULT … ON EMPTY and ON ERROR, in SQL
	wrap       string // WITH … WRAPPER: UNCONDITIONAL or CONDITIONAL
	bare       bool   // OMIT QUOTES
	many       bool   // the path may lead to several values
}

func (c *call) standard() (standard, bool) {
	s := standard{call: c}
	if len(c.args) != 2 {
		return s, false
	}
	path := c.toks[c.args[1][0]]
	v, ok := path.value()
	mode, rest, found := strings.Cut(v, " ")
	rest = strings.TrimSpace(rest)
	if !ok || !found || mode != "lax" && mode != "strict" || strings.ContainsAny(rest, "?@()") {
		return s, false
	}
	input := c.args[0]
	if n := input[1] - 2; n > input[0] && c.at(n).is("FORMAT") && c.at(n+1).is("JSON") {
		input[1] = n
	}
	s.json, s.many = c.walk(input[0], input[1], c.names), strings.Contains(rest, "*")
	s.path = wrap("trino_path(", fragment{{text(rest), path.pos}}, ")")
	return s, s.clauses(c.args[1][0]+1, c.args[1][1])
}

// clauses reads what stands behind the path.
func (s *standard) clauses(k, j int) bool {
	for k < j {
		end := k + 1
		switch t := s.at(k); {
		case t.is("RETURNING"):
			for end < j && !s.at(end).is("DEFAULT", "NULL", "ERROR", "EMPTY", "WITH", "WITHOUT", "KEEP", "OMIT", "FORMAT") {
				end = s.after(end)
			}
			s.returns, _ = s.typeName(k+1, end)
		case t.is("FORMAT") && s.at(end).is("JSON"):
			end++
		case t.is("WITH", "WITHOUT"):
			for end < j && !s.at(end-1).is("WRAPPER") {
				end++
			}
			if t.is("WITH") {
				s.wrap = "UNCONDITIONAL"
				if s.at(k + 1).is("CONDITIONAL") {
					s.wrap = "CONDITIONAL"
				}
			}
		case t.is("KEEP", "OMIT") && s.at(end).is("QUOTES"):
			s.bare = t.is("OMIT")
			if end++; s.at(end).is("ON") && s.at(end+1).is("SCALAR") {
				end += 3
			}
		case t.is("DEFAULT", "NULL", "ERROR", "EMPTY", "TRUE", "FALSE", "UNKNOWN"):
			for end < j && !s.at(end).is("ON") {
				end = s.after(end)
			}
			s.otherwise(k, end, s.at(end+1).is("EMPTY"))
			end += 2
		default:
			return false
		}
		k = end
	}
	return true
}

// otherwise reads DEFAULT x, NULL, ERROR, EMPTY ARRAY, … before ON.
func (s *standard) otherwise(k, end int, empty bool) {
	var value string
	switch t := s.at(k); {
	case t.is("DEFAULT"):
		value = s.walk(k+1, end, s.names).String()
	case t.is("EMPTY"):
		value = "CAST('[]' AS JSON)"
		if s.at(k + 1).is("OBJECT") {
			value = "CAST('{}' AS JSON)"
		}
	case t.is("ERROR"):
		value = "error('the JSON has nothing at the path')"
	case t.is("TRUE", "FALSE"):
		value = t.text
	}
	if empty {
		s.empty = value
	} else {
		s.bad = value
	}
}

// or gives what ON EMPTY says for a path that leads nowhere, and what ON ERROR
// says for what is no JSON.
func (s *standard) or(value fragment) fragment {
	if s.empty != "" {
		value = wrap("coalesce(", value, ", "+s.empty+")")
	}
	if s.bad != "" {
		value = concat(fragment{{"CASE WHEN json_valid(", -1}}, s.json, fragment{{") THEN ", -1}}, value, fragment{{" ELSE " + s.bad + " END", -1}})
	}
	return wrap("(", value, ")")
}

func jsonValue(c *call) (fragment, bool) {
	s, ok := c.standard()
	if !ok || s.many {
		return nil, false
	}
	value := c.to("json_extract_scalar", s.json, s.path)
	if s.returns != "" && !slices.Contains([]string{"VARCHAR", "JSON"}, strings.ToUpper(s.returns)) {
		value = wrap("TRY_CAST(", value, " AS "+s.returns+")")
	}
	return s.or(value), true
}

func jsonQuery(c *call) (fragment, bool) {
	s, ok := c.standard()
	if !ok {
		return nil, false
	}
	value := c.to("json_extract", wrap("try_cast(", s.json, " AS JSON)"), s.path)
	switch {
	case s.many && s.wrap == "":
		value = wrap("list_transform([", value, "], lambda trino_l: CASE WHEN len(trino_l) = 1 THEN trino_l[1] END)[1]")
	case s.many:
		value = wrap("to_json(", value, ")")
	case s.wrap == "CONDITIONAL":
		value = wrap("list_transform([", value, "], lambda trino_j: CASE WHEN json_type(trino_j) IN ('ARRAY', 'OBJECT') THEN trino_j WHEN trino_j IS NOT NULL THEN to_json([trino_j]) END)[1]")
	case s.wrap != "":
		value = wrap("list_transform([", value, "], lambda trino_j: CASE WHEN trino_j IS NOT NULL THEN to_json([trino_j]) END)[1]")
	}
	if value = s.or(value); s.bare {
		value = wrap("trino_text(", value, ")")
	}
	return value, true
}

func jsonExists(c *call) (fragment, bool) {
	s, ok := c.standard()
	if !ok {
		return nil, false
	}
	return s.or(c.to("json_exists", s.json, s.path)), true
}

// jsonObject is JSON_OBJECT('a': 1), or KEY 'a' VALUE 1.
func jsonObject(c *call) (fragment, bool) {
	if len(c.args) == 0 {
		return nil, false
	}
	last := &c.args[len(c.args)-1]
	if end := last[1] - 3; end > last[0] && c.at(end).is("NULL") && c.at(end+1).is("ON") && c.at(end+2).is("NULL") {
		last[1] = end
	}
	var members []fragment
	for _, a := range c.args {
		key := a[0]
		if c.at(key).is("KEY") {
			key++
		}
		k := key
		for k < a[1] && !c.at(k).is(":", "VALUE") {
			k = c.after(k)
		}
		if k == key || k >= a[1]-1 {
			return nil, false
		}
		members = append(members, c.walk(key, k, c.names), c.walk(k+1, a[1], c.names))
	}
	return c.to("json_object", members...), true
}
