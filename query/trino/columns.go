package trino

// longestName is the longest expression that is the name of its column too.
const longestName = 200

// items notes the expressions that are an item of a SELECT each, without a name,
// from the first token to the end: the column is called as the user wrote it.
func (r *rewriter) items(k, j int, nameless map[int]int) {
	for r.at(k).is("DISTINCT", "ALL") {
		k++
	}
	end := k
	for end < j && !r.at(end).is("FROM") && (!r.at(end).is(clauses...) || r.at(end-1).is("WITHIN")) {
		end = r.after(end)
	}
	for _, item := range r.split(k, end, ",") {
		if r.nameless(item) {
			nameless[item[0]] = item[1]
		}
	}
}

// nameless says whether an item of a SELECT is an expression without a name: it
// ends as no name can, or in what an operator stands before.
func (r *rewriter) nameless(item [2]int) bool {
	if item[0] >= item[1] || r.has(item, "AS") {
		return false
	}
	for k := item[0]; k < item[1]; k = r.after(k) {
		if r.at(k).is("*") && (k == item[0] || r.at(k-1).is(".")) {
			return false // with what it leaves out or replaces
		}
	}
	last, before := r.at(item[1]-1), r.at(item[1]-2)
	return last.is(")", "]", "END") || last.kind == number ||
		last.kind != symbol && item[1]-item[0] > 2 && before.kind == symbol && !before.is(")", "]", "}", ".", "::")
}

// has says whether one of these stands in a range of tokens, outside brackets.
func (r *rewriter) has(of [2]int, texts ...string) bool {
	for k := of[0]; k < of[1]; k = r.after(k) {
		if r.at(k).is(texts...) {
			return true
		}
	}
	return false
}
