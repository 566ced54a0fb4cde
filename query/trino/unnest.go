package trino

import "strings"

// unnest translates UNNEST of several lists, of a map, or of a list of rows
// into their fields, none of which DuckDB's does: by a subquery that takes the
// lists apart side by side. UNNEST of one list to one column is left alone.
// https://trino.io/docs/current/sql/select.html#unnest
func (r *rewriter) unnest(k, j int, names map[string]string) (fragment, int, bool) {
	if !r.at(k).is("UNNEST") || !r.at(k+1).is("(") {
		return nil, 0, false
	}
	args, next := r.args(k+1), r.close[k+1]+1
	ordinality := r.at(next).is("WITH") && r.at(next+1).is("ORDINALITY")
	if ordinality {
		next += 2
	}
	columns := r.aliases(next, j)
	if ordinality {
		columns--
	}
	if len(args) == 0 || len(args) == 1 && columns <= 1 {
		return nil, 0, false
	}
	out := fragment{{"LATERAL (SELECT ", r.at(k).pos}}
	var lengths []string
	for i, a := range args {
		list := r.walk(a[0], a[1], names)
		if i > 0 {
			out = out.write(", ")
		}
		switch {
		case len(args) == 1 && columns == 2 && r.mapLike(a), len(args) > 1 && columns > len(args) && r.mapLike(a):
			out = concat(out, wrap("unnest(map_keys(", list, ")), "), wrap("unnest(map_values(", list, "))"))
			list = wrap("map_keys(", list, ")")
		case len(args) == 1:
			out = concat(out, wrap("unnest(", list, ", max_depth := 2)"))
		default:
			out = concat(out, wrap("unnest(", list, ")"))
		}
		lengths = append(lengths, "len("+list.String()+")")
	}
	if ordinality {
		out = out.write(", unnest(range(1, 1 + greatest(" + strings.Join(lengths, ", ") + ")))")
	}
	return out.write(")"), next, true
}

// aliases is how many columns an alias `[AS] t(a, b)` has.
func (r *rewriter) aliases(k, j int) int {
	if r.at(k).is("AS") {
		k++
	}
	if name, ok := r.at(k).name(); !ok || k+1 >= j || reserved(name) || !r.at(k+1).is("(") {
		return 0
	}
	return len(r.args(k + 1))
}

// mapFunctions give maps.
var mapFunctions = []string{"MAP", "MAP_AGG", "MULTIMAP_AGG", "HISTOGRAM", "MAP_FILTER", "MAP_CONCAT", "MAP_FROM_ENTRIES", "SPLIT_TO_MAP", "TRANSFORM_VALUES", "TRANSFORM_KEYS"}

// mapColumns are the columns of an event data store that are maps.
var mapColumns = []string{"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "addendum", "edgeDeviceDetails", "insightDetails", "attributes"}

// mapLike says whether an argument is a map, as far as the query shows it: by
// its function, by CAST, as a column of an event data store, or as one that the
// query names after such an expression.
func (r *rewriter) mapLike(arg [2]int) bool {
	if r.mapCall(arg[0]) {
		return true
	}
	if !r.column(arg) {
		return false
	}
	name, _ := r.at(arg[1] - 1).name()
	for _, c := range mapColumns {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	for k := range r.toks {
		n := r.after(k + 1)
		if !r.at(k+1).is("(") || !r.mapCall(k) {
			continue
		}
		if r.at(n).is("AS") {
			n++
		}
		if as, ok := r.at(n).name(); ok && strings.EqualFold(as, name) {
			return true
		}
	}
	return false
}

// mapCall says whether the call at token k gives a map.
func (r *rewriter) mapCall(k int) bool {
	if r.at(k).is(mapFunctions...) {
		return true
	}
	if !r.at(k).is("CAST", "TRY_CAST") || !r.at(k+1).is("(") {
		return false
	}
	for i := k + 2; i < r.close[k+1]; i = r.after(i) {
		if r.at(i).is("AS") {
			return r.at(i + 1).is("MAP")
		}
	}
	return false
}
