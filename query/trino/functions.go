package trino

import "strings"

// call is a call of a function in the query.
type call struct {
	*rewriter
	name  string // lower case
	k     int    // its token
	args  [][2]int
	next  int               // the token behind it
	names map[string]string // see walk
}

// arg translates an argument.
func (c *call) arg(i int) fragment { return c.walk(c.args[i][0], c.args[i][1], c.names) }

// to is the call with another name and arguments.
func (c *call) to(name string, args ...fragment) fragment {
	out := fragment{{name, c.toks[c.k].pos}, {"(", -1}}
	for i, a := range args {
		if i > 0 {
			out = out.write(", ")
		}
		out = append(out, a...)
	}
	return out.write(")")
}

// all translates the arguments.
func (c *call) all() []fragment {
	list := make([]fragment, len(c.args))
	for i := range c.args {
		list[i] = c.arg(i)
	}
	return list
}

// rewrites are the functions that DuckDB has with other results, or that take a
// lambda or are aggregates, which no macro can be. Each says whether it can tell
// the call for Trino's.
var rewrites map[string]func(*call) (fragment, bool)

func init() {
	rewrites = map[string]func(*call) (fragment, bool){
		"element_at":          renamed("trino_element_at", 2, 2),
		"json_extract":        jsonExtract,
		"json_extract_scalar": jsonExtractScalar,
		"json_array_length":   renamed("trino_json_array_length", 1, 1),
		"regexp_extract":      regexpExtract,
		"regexp_replace":      regexpReplace,
		"split":               renamed("trino_split", 3, 3),
		"split_part":          renamed("trino_split_part", 3, 3),
		"date_add":            dateAdd,
		"replace":             replace,
		"contains":            containsAddress,
		"from_unixtime":       fromUnixtime,
		"sequence":            dates,
		"to_milliseconds":     published(renamed("trino_to_milliseconds", 1, 1)),
		"strpos":              renamed("trino_strpos", 3, 3),
		"to_hex":              toHex,
		"url_encode":          renamed("trino_url_encode", 1, 1),
		"json_object":         jsonObject,
		"lag":                 nulls,
		"lead":                nulls,
		"first_value":         nulls,
		"last_value":          nulls,
		"nth_value":           nulls,
		"concat":              published(concatenation),
		"greatest":            published(renamed("trino_greatest", 2, 4)),
		"least":               published(renamed("trino_least", 2, 4)),
		"array_position":      published(renamed("trino_array_position", 2, 2)),
		"url_decode":          renamed("trino_url_decode", 1, 1),
		"format":              format,
		"if":                  ifWithoutElse,
		"json_value":          jsonValue,
		"json_query":          jsonQuery,
		"json_exists":         jsonExists,
		"date_parse":          mysql("strptime"),
		"date_format":         mysql("strftime"),
		"parse_datetime":      joda("strptime", "TIMESTAMPTZ"),
		"format_datetime":     joda("strftime", "VARCHAR"),
		"current_timestamp":   precision, "localtimestamp": precision, "current_time": precision, "localtime": precision,

		"transform":        lambdas("list_transform", 1),
		"filter":           lambdas("list_filter", 1),
		"array_sort":       arraySort,
		"any_match":        matches("trino_any"),
		"all_match":        matches("trino_all"),
		"none_match":       matches("NOT trino_any"),
		"cardinality":      cardinality,
		"reduce":           reduce,
		"zip_with":         zipWith,
		"map_filter":       mapFilter,
		"transform_values": transformValues,
		"transform_keys":   transformKeys,

		"approx_distinct":      approxDistinct,
		"approx_percentile":    approxPercentile,
		"approx_most_frequent": approxMostFrequent,
		"geometric_mean":       renamed("geomean", 1, 1),
		"every":                renamed("bool_and", 1, 1),
		"map_agg":              mapAgg("trino_map"),
		"multimap_agg":         mapAgg("trino_multimap"),
		"set_agg":              setAgg,
		"listagg":              listagg,
	}
}

// special translates what starts at token k, where it is Trino's alone.
func (r *rewriter) special(k, j int, names map[string]string) (fragment, int, bool) {
	t := r.at(k)
	switch {
	case t.is("SHOW") && r.at(k+1).is("COLUMNS") && r.at(k+2).is("FROM", "IN"):
		if out, next, ok := r.table(k+3, j, nil); ok {
			return concat(fragment{{"DESCRIBE ", t.pos}}, out), next, true
		}
		return fragment{{"DESCRIBE ", t.pos}}, k + 3, true
	case t.is("CAST", "TRY_CAST") && r.at(k+1).is("("):
		out, ok := r.cast(k, names)
		return out, r.close[k+1] + 1, ok
	case t.is("EXTRACT") && r.at(k+1).is("(") && r.at(k+3).is("FROM"):
		field, ok := extractFields[strings.ToLower(r.at(k+2).text)]
		if r.published && r.at(k+2).is("DOW") {
			field, ok = "isodow", true
		}
		if !ok {
			return nil, 0, false
		}
		end := r.close[k+1]
		return concat(r.copied(k, k+2), fragment{{field + " FROM ", r.at(k + 2).pos}}, r.walk(k+4, end, names), r.copied(end, end+1)), end + 1, true
	}
	if !r.calls(k) {
		return nil, 0, false
	}
	c := &call{rewriter: r, name: strings.ToLower(t.text), k: k, next: r.close[k+1] + 1, names: names}
	rewrite, ok := rewrites[c.name]
	if !ok {
		return nil, 0, false
	}
	c.args = r.args(k + 1)
	out, ok := rewrite(c)
	return out, c.next, ok
}

// extractFields are the fields of EXTRACT that DuckDB calls otherwise.
// https://trino.io/docs/current/functions/datetime.html#extract
var extractFields = map[string]string{
	"day_of_week": "isodow", "day_of_month": "day", "day_of_year": "doy", "week_of_year": "week",
	"year_of_week": "isoyear", "yow": "isoyear",
}

// published is a function that DuckDB has with results of its own, which it keeps
// but in queries over the views.
func published(rewrite func(*call) (fragment, bool)) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if !c.published {
			return nil, false
		}
		return rewrite(c)
	}
}

// concatenation gives NULL for NULL, as || does.
func concatenation(c *call) (fragment, bool) {
	if len(c.args) < 2 {
		return nil, false
	}
	out := fragment{{"(", c.toks[c.k].pos}}
	for i := range c.args {
		if i > 0 {
			out = out.write(" || ")
		}
		out = concat(out, wrap("(", c.arg(i), ")"))
	}
	return out.write(")"), true
}

// replace takes a text away. The REPLACE of * is no function.
func replace(c *call) (fragment, bool) {
	if len(c.args) != 2 || c.has(c.args[0], "AS") || c.has(c.args[1], "AS") {
		return nil, false
	}
	return c.to("replace", c.arg(0), c.arg(1), fragment{{"''", -1}}), true
}

// toHex of a digest: those of DuckDB are hexadecimal already.
func toHex(c *call) (fragment, bool) {
	if len(c.args) != 1 || !c.at(c.args[0][0]).is("MD5", "SHA1", "SHA256") || c.after(c.args[0][0]+1) != c.args[0][1] {
		return nil, false
	}
	return c.to("upper", c.arg(0)), true
}

// renamed is a function by another name, for a number of arguments.
func renamed(to string, from, most int) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if len(c.args) < from || len(c.args) > most {
			return nil, false
		}
		return c.to(to, c.all()...), true
	}
}

// jsonExtract gives NULL for what is no JSON, where DuckDB fails. A list of paths
// and an index are DuckDB's.
func jsonExtract(c *call) (fragment, bool) {
	if len(c.args) != 2 || c.size(1) == 0 || c.at(c.args[1][0]).is("[") || c.at(c.args[1][0]).kind == number {
		return nil, false
	}
	return c.to("trino_json_extract", c.all()...), true
}

// jsonExtractScalar is a macro of every connection; only members in brackets,
// $["a b"], need another path.
func jsonExtractScalar(c *call) (fragment, bool) {
	if len(c.args) != 2 || c.size(1) != 1 || !strings.ContainsAny(c.at(c.args[1][0]).text, "[") {
		return nil, false
	}
	v, ok := c.at(c.args[1][0]).value()
	if !ok || !strings.Contains(v, `["`) && !strings.Contains(v, `['`) {
		return nil, false
	}
	return c.to("trino_json_extract_scalar", c.all()...), true
}

// regexpExtract gives NULL where nothing matches; DuckDB gives ”. Its forms
// with a list of names or with options are DuckDB's.
func regexpExtract(c *call) (fragment, bool) {
	switch {
	case len(c.args) == 2:
	case len(c.args) == 3 && c.toks[c.args[2][0]].kind == number:
	default:
		return nil, false
	}
	return c.to("trino_regexp_extract", c.all()...), true
}

// regexpReplace replaces every match, with $1 for a group. A \1 is DuckDB's.
func regexpReplace(c *call) (fragment, bool) {
	switch len(c.args) {
	case 2:
		return c.to("trino_regexp_replace", c.arg(0), c.arg(1), fragment{{"''", -1}}), true
	case 3:
		first := c.args[2][0]
		if v, ok := c.toks[first].value(); c.size(2) == 1 && ok && strings.Contains(v, `\`) && !strings.Contains(v, "$") {
			return nil, false
		}
		if params, body, ok := c.lambda(c.args[2]); ok {
			return c.replaceEach(params, body)
		}
		return c.to("trino_regexp_replace", c.all()...), true
	}
	return nil, false
}

// size is how many tokens an argument has.
func (c *call) size(i int) int { return c.args[i][1] - c.args[i][0] }

// dateAdd keeps a date a date, where it shows that it is one.
func dateAdd(c *call) (fragment, bool) {
	if len(c.args) != 3 {
		return nil, false
	}
	out := c.to("trino_date_add", c.all()...)
	unit, _ := c.at(c.args[0][0]).value()
	if c.dateLike(c.args[2]) && strings.Contains("day week month quarter year", strings.ToLower(unit)) {
		out = wrap("CAST(", out, " AS DATE)")
	}
	return out, true
}

// format is Java's, with %s; DuckDB's has {}.
func format(c *call) (fragment, bool) {
	if len(c.args) == 0 || c.size(0) != 1 {
		return nil, false
	}
	v, ok := c.toks[c.args[0][0]].value()
	if !ok || !strings.Contains(v, "%") || strings.Contains(v, "{") {
		return nil, false
	}
	return c.to("printf", c.all()...), true
}

func ifWithoutElse(c *call) (fragment, bool) {
	if len(c.args) != 2 {
		return nil, false
	}
	return c.to("if", c.arg(0), c.arg(1), fragment{{"NULL", -1}}), true
}

// precision drops the digits that are asked for of a clock.
func precision(c *call) (fragment, bool) {
	if len(c.args) != 1 || c.size(0) != 1 || c.toks[c.args[0][0]].kind != number {
		return nil, false
	}
	return fragment{{c.name, c.toks[c.k].pos}}, true
}

func approxDistinct(c *call) (fragment, bool) {
	if len(c.args) == 0 || len(c.args) > 2 {
		return nil, false
	}
	return c.to("approx_count_distinct", c.arg(0)), true
}

// suffix is what follows an aggregate: its FILTER, and its OVER.
func (c *call) suffix() fragment {
	var out fragment
	for c.at(c.next).is("FILTER", "OVER") {
		end := c.next + 2
		if c.at(c.next + 1).is("(") {
			end = c.close[c.next+1] + 1
		}
		out = append(out.write(" "), c.walk(c.next, end, c.names)...)
		c.next = end
	}
	return out
}

// mapAgg collects pairs and makes a map of them.
func mapAgg(to string) func(*call) (fragment, bool) {
	return func(c *call) (fragment, bool) {
		if len(c.args) != 2 {
			return nil, false
		}
		pair := concat(fragment{{"list(struct_pack(k := ", -1}}, c.arg(0), fragment{{", v := ", -1}}, c.arg(1), fragment{{"))", -1}})
		return c.to(to, concat(pair, c.suffix())), true
	}
}

// cardinality is that of a list on every connection; a map has another. A macro
// of both would take a column of an outer query for either.
func cardinality(c *call) (fragment, bool) {
	if len(c.args) != 1 || !c.mapLike(c.args[0]) {
		return nil, false
	}
	return c.to("len", c.to("map_keys", c.arg(0))), true
}

// approxPercentile of weighted values is exact.
func approxPercentile(c *call) (fragment, bool) {
	switch len(c.args) {
	case 2:
		return c.to("approx_quantile", c.all()...), true
	case 3:
		pairs := concat(fragment{{"list(struct_pack(v := ", -1}}, c.arg(0), fragment{{", w := ", -1}}, c.arg(1), fragment{{"))", -1}})
		to := "trino_weighted"
		if c.at(c.args[2][0]).is("ARRAY", "[") {
			to = "trino_weighted_each"
		}
		share := c.arg(2)
		return c.to(to, concat(pairs, c.suffix()), share), true
	}
	return nil, false
}

// approxMostFrequent is exact.
func approxMostFrequent(c *call) (fragment, bool) {
	if len(c.args) != 3 {
		return nil, false
	}
	most := c.arg(0)
	counts := c.to("histogram", c.arg(1))
	return c.to("trino_most_frequent", concat(counts, c.suffix()), most), true
}

func setAgg(c *call) (fragment, bool) {
	if len(c.args) != 1 {
		return nil, false
	}
	return c.to("list", wrap("DISTINCT ", c.arg(0), "")), true
}

// nulls puts IGNORE NULLS, which Trino has behind the call, into it.
func nulls(c *call) (fragment, bool) {
	how := c.next
	if len(c.args) == 0 || !c.at(how).is("IGNORE", "RESPECT") || !c.at(how+1).is("NULLS") {
		return nil, false
	}
	c.next += 2
	args := c.all()
	args[len(args)-1] = concat(args[len(args)-1], fragment{{" ", -1}}, c.copied(how, how+2))
	return c.to(c.name, args...), true
}

// listagg takes its order from WITHIN GROUP.
func listagg(c *call) (fragment, bool) {
	if len(c.args) == 0 || !c.at(c.next).is("WITHIN") || !c.at(c.next+1).is("GROUP") || !c.at(c.next+2).is("(") {
		return nil, false
	}
	last := &c.args[len(c.args)-1]
	for k := last[0]; k < last[1]; k = c.after(k) {
		if c.at(k).is("ON") && c.at(k+1).is("OVERFLOW") { // texts of any length fit
			last[1] = k
		}
	}
	args := c.all()
	if len(args) == 1 {
		args = append(args, fragment{{"''", -1}})
	}
	open := c.next + 2
	n := len(args) - 1
	args[n] = concat(args[n], fragment{{" ", -1}}, c.walk(open+1, c.close[open], c.names))
	c.next = c.close[open] + 1
	return c.to("string_agg", args...), true
}

// text is a text as SQL.
func text(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }
