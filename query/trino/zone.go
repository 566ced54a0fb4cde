package trino

// zoneAt says whether AT TIME ZONE stands at token k.
func (r *rewriter) zoneAt(k int) bool {
	return r.at(k).is("AT") && r.at(k+1).is("TIME") && r.at(k+2).is("ZONE")
}

// atTimeZone translates x AT TIME ZONE z. A TIMESTAMP without a zone is UTC, as
// in Athena, where DuckDB takes it for a time in z.
func (r *rewriter) atTimeZone(k, j int, names map[string]string) (fragment, int, bool) {
	if !r.zones || r.at(k-1).is(".", "::") {
		return nil, 0, false
	}
	end := r.primary(k, j)
	if end == k || end+3 >= j || !r.zoneAt(end) || r.primary(end+3, j) == end+3 {
		return nil, 0, false
	}
	out := r.walk(k, end, names)
	for end+3 < j && r.zoneAt(end) {
		next := r.primary(end+3, j)
		if next == end+3 {
			break
		}
		out = concat(fragment{{"at_timezone(", -1}}, out, fragment{{", ", -1}}, r.walk(end+3, next, names), fragment{{")", -1}})
		end = next
	}
	return out, end, true
}

// noOperand are the keywords that a bracket may follow without being called.
var noOperand = []string{"SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "IN", "ON", "BY", "HAVING", "CASE", "WHEN", "THEN", "ELSE", "BETWEEN", "LIKE", "AS", "EXISTS", "IS", "FROM", "VALUES", "OVER", "FILTER", "INTERVAL", "USING"}

// primary is the token behind the operand that starts at k: a literal, a column,
// a call or brackets, with what follows it: .field, [index], ::type.
func (r *rewriter) primary(k, j int) int {
	t, end := r.at(k), k
	switch {
	case t.is("("):
		end = r.close[k] + 1
	case t.is(noOperand...):
		return k
	case t.kind == word && r.at(k+1).kind == literal:
		end = k + 2
	case t.kind == symbol:
		return k
	default:
		end = k + 1
	}
	for end < j {
		next := r.at(end)
		_, name := r.at(end + 1).name()
		switch {
		case next.is(".", "::") && name:
			end += 2
		case next.is("["), next.is("(") && r.at(end-1).kind == word:
			end = r.close[end] + 1
		default:
			return min(end, j)
		}
	}
	return min(end, j)
}
