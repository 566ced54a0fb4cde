package trino

import (
	"regexp"
	"slices"
	"strings"
)

// jsonFunctions give JSON, so that CAST on them is CAST from JSON: a string
// without its quotes, an object by the names of its members.
// https://trino.io/docs/current/functions/json.html#cast-from-json
var jsonFunctions = map[string]bool{"json_extract": true, "json_parse": true, "json_array_get": true, "json_query": true}

// cast translates CAST(x AS type) and TRY_CAST from the word on.
func (r *rewriter) cast(k int, names map[string]string) (fragment, bool) {
	open, end := k+1, r.close[k+1]
	as := open + 1
	for as < end && !r.at(as).is("AS") {
		as = r.after(as)
	}
	if as >= end {
		return nil, false
	}
	to, changed := r.typeName(as+1, end)
	operand := [2]int{open + 1, as}
	json := r.at(open+2).is("(") && r.close[open+2]+1 == as && jsonFunctions[strings.ToLower(r.at(open+1).text)]
	column := r.column(operand)
	base := strings.ToUpper(r.at(as + 1).text)
	asText := base == "VARCHAR" && (json || column && r.jsonElements())
	if !changed && !asText {
		return nil, false
	}
	x := r.walk(operand[0], operand[1], names)
	switch {
	case asText:
		x = wrap("trino_text(", x, ")")
		if limit, ok := r.limit(as+1, end); ok {
			x = wrap("left(", x, ", "+limit+")")
		}
		return x, true
	case base == "VARCHAR" && changed:
		limit, _ := r.limit(as+1, end)
		return concat(fragment{{"left(", -1}}, r.copied(k, k+2), x, fragment{{" AS VARCHAR), " + limit + ")", -1}}), true
	case strings.Contains(strings.ToUpper(to), "STRUCT(") && (json || column):
		shape, ok := structure(to)
		if !ok {
			break
		}
		fromJSON := wrap("json_transform("+membersAs(to, wrap("to_json(", x, ")")).String()+", ", fragment{{text(shape), -1}}, ")")
		if json {
			return fromJSON, true
		}
		// A column, which is short to say twice.
		return concat(fragment{{"CASE WHEN typeof(", -1}}, x, fragment{{") = 'JSON' THEN ", -1}}, fromJSON,
			fragment{{" ELSE ", -1}}, r.copied(k, k+2), x, fragment{{" AS " + to + ") END", -1}}), true
	}
	return concat(r.copied(k, k+2), x, fragment{{" AS " + to + ")", r.at(as + 1).pos}}), true
}

// column says whether tokens are a column or a field of one: a.b.c.
func (r *rewriter) column(arg [2]int) bool {
	for i := arg[0]; i < arg[1]; i++ {
		_, isName := r.at(i).name()
		if isName != ((i-arg[0])%2 == 0) || !isName && !r.at(i).is(".") {
			return false
		}
	}
	return (arg[1]-arg[0])%2 == 1
}

// jsonElements says whether the query makes lists or maps of JSON, the elements
// of which it then casts.
func (r *rewriter) jsonElements() bool {
	for k := range r.toks {
		if r.at(k).is("ARRAY", "MAP") && r.at(k+1).is("(", "<") && (r.at(k+2).is("JSON") || r.at(k+4).is("JSON")) {
			return true
		}
	}
	return false
}

// limit is the n of VARCHAR(n).
func (r *rewriter) limit(i, j int) (string, bool) {
	if j == i+4 && r.at(i+1).is("(") && r.at(i+2).kind == number {
		return r.at(i + 2).text, true
	}
	return "", false
}

// typeName is the type in tokens i to j as DuckDB spells it, and whether that
// is another spelling.
func (r *rewriter) typeName(i, j int) (string, bool) {
	if i >= j {
		return "", false
	}
	same := r.src[r.toks[i].pos:r.toks[j-1].end]
	name := strings.ToUpper(r.at(i).text)
	var inner [][2]int
	if open := r.at(i + 1); i+2 < j && open.is("(", "<") && (open.is("<") || r.close[i+1] == j-1) {
		inner = r.parameters(i+2, j-1)
	}
	switch {
	case name == "ARRAY" && len(inner) == 1:
		of, _ := r.typeName(inner[0][0], inner[0][1])
		return of + "[]", true
	case name == "MAP" && len(inner) == 2:
		key, a := r.typeName(inner[0][0], inner[0][1])
		value, b := r.typeName(inner[1][0], inner[1][1])
		return "MAP(" + key + ", " + value + ")", a || b || r.at(i+1).is("<")
	case name == "ROW" && inner != nil:
		return r.row(inner), true
	case name == "IPADDRESS" && inner == nil:
		return "VARCHAR", true
	case (name == "VARCHAR" || name == "CHAR") && len(inner) == 1:
		return "VARCHAR", name == "VARCHAR"
	case (name == "TIMESTAMP" || name == "TIME") && i+3 < j && r.at(i+1).is("(") && r.close[i+1] == i+3:
		zone := ""
		if i+4 < j {
			zone = " " + r.src[r.toks[i+4].pos:r.toks[j-1].end]
		}
		return name + zone, true
	}
	return same, false
}

// parameters divides the inside of a type at its commas, < and > being brackets.
func (r *rewriter) parameters(i, j int) [][2]int {
	var list [][2]int
	depth, start := 0, i
	for k := i; k < j; k++ {
		switch t := r.at(k); {
		case t.is("(", "<"):
			depth++
		case t.is(")", ">"):
			depth--
		case t.is(">>"):
			depth -= 2
		case t.is(",") && depth == 0:
			list = append(list, [2]int{start, k})
			start = k + 1
		}
	}
	return append(list, [2]int{start, j})
}

// row is ROW(name type, …) as a STRUCT; fields without a name get one.
func (r *rewriter) row(fields [][2]int) string {
	var list []string
	for n, f := range fields {
		name := "field" + string(rune('0'+n%10))
		if f[1]-f[0] > 1 && !r.at(f[0]+1).is("(", "<") {
			name, _ = r.at(f[0]).name()
			f[0]++
		}
		of, _ := r.typeName(f[0], f[1])
		list = append(list, quoteName(name)+" "+of)
	}
	return "STRUCT(" + strings.Join(list, ", ") + ")"
}

// structure is a type as json_transform wants it, which takes members that are
// missing for NULL as Trino does, where CAST refuses them.
func structure(of string) (string, bool) {
	toks := tokens(of)
	r := &rewriter{src: of, toks: toks}
	if !r.pair() {
		return "", false
	}
	return r.structure(0, len(toks))
}

// membersAs is JSON whose members are called as the fields of a type, which are
// found in whatever case. A name in quotes before a colon is nothing but a member.
// https://trino.io/docs/current/functions/json.html#cast-from-json
func membersAs(of string, json fragment) fragment {
	toks := tokens(of)
	for k, t := range toks {
		name, ok := t.name()
		if !ok || t.kind != quoted || strings.ContainsAny(name, `"\\`) || slices.ContainsFunc(toks[:k], func(o token) bool { return strings.EqualFold(o.text, t.text) }) {
			continue
		}
		json = wrap("regexp_replace(", json, ", "+text(`(?i)"`+regexp.QuoteMeta(name)+`":`)+", "+text(`"`+name+`":`)+", 'g')")
	}
	return wrap("CAST(", json, " AS JSON)")
}

func (r *rewriter) structure(i, j int) (string, bool) {
	switch {
	case i >= j:
		return "", false
	case r.at(j-1).is("]") && r.at(j-2).is("["):
		of, ok := r.structure(i, j-2)
		return "[" + of + "]", ok
	case r.at(i).is("STRUCT") && r.at(i+1).is("("):
		var fields []string
		for _, f := range r.args(i + 1) {
			of, ok := r.structure(f[0]+1, f[1])
			name, _ := r.at(f[0]).name()
			if !ok || strings.ContainsAny(name, `\`) {
				return "", false
			}
			fields = append(fields, `"`+strings.ReplaceAll(name, `"`, `\"`)+`":`+of)
		}
		return "{" + strings.Join(fields, ",") + "}", true
	}
	return `"` + strings.ReplaceAll(r.src[r.toks[i].pos:r.toks[j-1].end], `"`, `\"`) + `"`, true
}
