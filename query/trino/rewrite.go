// Package trino lets DuckDB answer SQL that was written for Athena and
// CloudTrail Lake, which both speak Trino's dialect: Macros are the functions
// that DuckDB lacks, and Rewrite changes in the text of a query what no macro
// can: the names of tables, lambdas, types, and functions that DuckDB has under
// the same name with other results. SQL in DuckDB's own dialect stays as it is.
//
// It works on tokens, not on a syntax tree: what it does not recognise it
// leaves to DuckDB.
package trino

import "strings"

// Options are what the user says about a query.
type Options struct {
	// Tables are names that queries have for the events, as in Athena's catalog
	// or the id of an event data store, each for one of the views CloudTrailLogs
	// and EventDataStore.
	Tables map[string]string
	// Relations are those of the case by the names that a query guessed to be
	// Athena's table (Statement.Guessed): they are themselves.
	Relations []string
	// Intervals are the places of the / that divide lengths of time.
	Intervals []int
	// Plain leaves out what says a condition again to be quicker.
	Plain bool
}

// The views over the events of a case that have the columns which AWS documents.
const (
	CloudTrailLogs = "cloudtrail_logs"
	EventDataStore = "event_data_store"
)

// Statement is a query as the user wrote it and as DuckDB runs it.
type Statement struct {
	Text string // of the user
	SQL  string // for DuckDB
	// Guessed are the names that were taken for Athena's table or an event data
	// store only because they sound like it.
	Guessed []string

	marks []mark
	logs  bool // reads cloudtrail_logs
	lake  bool // reads event_data_store
}

// Rewrite translates a query, or several.
func Rewrite(text string, o Options) *Statement {
	r := &rewriter{src: text, toks: tokens(text), tables: map[string]string{}, relations: o.Relations, intervals: o.Intervals, plain: o.Plain}
	for name, view := range o.Tables {
		r.tables[tableKey(name)] = view
	}
	s := &Statement{Text: text, SQL: text, marks: []mark{{0, 0}}}
	if !r.pair() {
		return s // DuckDB tells what is wrong
	}
	r.defined = r.definitions()
	for k := range r.toks {
		r.zones = r.zones || r.zoneAt(k)
		r.paths = r.paths || r.isPath(k)
	}
	out := r.walk(0, len(r.toks), nil)
	s.Guessed, s.logs, s.lake = r.guessed, r.logs, r.lake
	if r.logs || r.lake {
		r.findInstants()
		r.published = true
		out = r.walk(0, len(r.toks), nil)
	}
	if !r.changed {
		return s
	}
	s.SQL, s.marks = out.join()
	if n := len(r.toks); n > 0 {
		s.SQL = text[:r.toks[0].pos] + s.SQL + text[r.toks[n-1].end:]
		for i := range s.marks {
			s.marks[i].out += r.toks[0].pos
		}
		s.marks = append([]mark{{0, 0}}, s.marks...)
	}
	return s
}

type rewriter struct {
	src     string
	toks    []token
	close   []int             // of an opening bracket: the index of its partner
	tables  map[string]string // what the user calls the views
	defined map[string]bool   // what the query itself defines in WITH
	zones   bool              // AT TIME ZONE stands in it
	paths   bool              // "$path" stands in it
	changed bool

	relations []string // of the case, by names that were guessed
	intervals []int    // places of / that divide lengths of time
	plain     bool     // no condition stands twice
	guessed   []string
	logs      bool // reads cloudtrail_logs
	lake      bool // reads event_data_store
	published bool // reads either: what means something else to DuckDB means what Trino takes it for

	selects  map[int]*sources // by the token SELECT
	instants map[int]string   // calls that read eventtime into a time, and the column that has it

	repeated int // how deep the walk is in calls whose translation says an argument more than once
}

const (
	// mostNested is how deep brackets may be. DuckDB's own limit is 1000.
	mostNested = 1000
	// mostRepeated keeps nested calls from becoming a text without end.
	mostRepeated = 4
)

// pair finds the partner of every bracket; false when one has none, or when they
// are nested too deep.
func (r *rewriter) pair() bool {
	partner := map[string]string{")": "(", "]": "[", "}": "{"}
	r.close = make([]int, len(r.toks))
	var open []int
	for i, t := range r.toks {
		if t.kind != symbol {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			open = append(open, i)
			if len(open) > mostNested {
				return false
			}
		case ")", "]", "}":
			if len(open) == 0 || r.toks[open[len(open)-1]].text != partner[t.text] {
				return false
			}
			r.close[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// definitions are the names before `AS (`: those of WITH among them.
func (r *rewriter) definitions() map[string]bool {
	names := map[string]bool{}
	for i, t := range r.toks {
		n := i + 1
		if r.at(n).is("(") {
			n = r.close[n] + 1
		}
		if name, ok := t.name(); ok && r.at(n).is("AS") {
			for n++; r.at(n).is("NOT", "MATERIALIZED"); n++ {
			}
			if r.at(n).is("(") {
				names[strings.ToLower(name)] = true
			}
		}
	}
	return names
}

// at is a token, or none beyond the ends.
func (r *rewriter) at(i int) token {
	if i < 0 || i >= len(r.toks) {
		return token{pos: len(r.src), end: len(r.src)}
	}
	return r.toks[i]
}

// gap is what stands before a token: white space and comments.
func (r *rewriter) gap(i int) piece {
	if i == 0 {
		return piece{r.src[:r.toks[0].pos], 0}
	}
	return piece{r.src[r.toks[i-1].end:r.toks[i].pos], r.toks[i-1].end}
}

// copied is the source of tokens i to j.
func (r *rewriter) copied(i, j int) fragment {
	if i >= j {
		return nil
	}
	return fragment{{r.src[r.toks[i].pos:r.toks[j-1].end], r.toks[i].pos}}
}

// scope is where in a SELECT the walk is.
type scope struct {
	selected bool // behind a SELECT
	from     bool // among its tables
	table    bool // a table comes next
	values   bool // a row of VALUES comes next
}

// clauses end the list of tables of a SELECT.
var clauses = []string{"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "QUALIFY", "UNION", "EXCEPT", "INTERSECT", ";"}

// walk translates tokens i to j, which stand at one depth of brackets. names
// are those that stand for something else in them: the parameters of a lambda.
func (r *rewriter) walk(i, j int, names map[string]string) fragment {
	return r.walkScope(i, j, names, scope{})
}

func (r *rewriter) walkScope(i, j int, names map[string]string, s scope) fragment {
	var out fragment
	nameless := map[int]int{}
	item, from := -1, 0
	for k := i; k < j; {
		if k > i {
			out = append(out, r.gap(k))
		}
		s = r.step(k, i, s)
		// Only the columns of an answer and of a table have names.
		if r.at(k).is("SELECT") && (i == 0 || r.at(i-2).is("FROM", "JOIN", ",", "LATERAL", "AS")) && !r.at(k-1).is("UNION", "ALL", "EXCEPT", "INTERSECT") {
			r.items(k+1, j, nameless)
		}
		if nameless[k] > 0 {
			item, from = k, len(out)
		}
		part, next := r.part(k, j, &s, names)
		out = append(out, part...)
		if item >= 0 && nameless[item] <= next {
			written := r.src[r.at(item).pos:r.at(next-1).end]
			if nameless[item] == next && len(written) <= longestName && out[from:].String() != written {
				out = out.write(" AS " + quoteName(strings.Join(strings.Fields(written), " ")))
			}
			item = -1
		}
		k = next
	}
	return out
}

// step is the scope at token k of the group that starts at i.
func (r *rewriter) step(k, i int, s scope) scope {
	t := r.at(k)
	field := r.at(k - 1).is(".")
	switch {
	case field:
	case t.is("SELECT"):
		return scope{selected: true}
	case t.is("FROM") && !r.distinctFrom(k) && (s.selected || k == i || r.at(k-1).is(";", "UNION", "ALL") || r.at(i).is("WITH")):
		return scope{selected: true, from: true, table: true}
	case t.is("JOIN") && s.selected:
		s.from, s.table = true, true
	case t.is(",") && s.from:
		s.table = true
	case t.is(clauses...):
		s.from, s.table = false, false
	case t.is("ON", "USING"):
		s.table = false
	case t.is("VALUES") && k == i && r.bareValue(k+1):
		s.values = true
	}
	return s
}

// bareValue says whether the value at token k is a row of VALUES without brackets.
func (r *rewriter) bareValue(k int) bool {
	t, next := r.at(k), r.at(k+1)
	return t.kind == literal || t.kind == number || t.is("NULL", "TRUE", "FALSE") ||
		t.kind == word && (next.is("(") || next.kind == literal) || t.is("ARRAY") && next.is("[")
}

// distinctFrom says whether a FROM is that of IS [NOT] DISTINCT FROM.
func (r *rewriter) distinctFrom(k int) bool {
	return r.at(k-1).is("DISTINCT") && r.at(k-2).is("IS", "NOT")
}

// part translates what starts at token k and says where the next part starts.
func (r *rewriter) part(k, j int, s *scope, names map[string]string) (fragment, int) {
	t := r.at(k)
	if s.table && !t.is("FROM", "JOIN", ",", "LATERAL", "ONLY") {
		s.table = false
		r.note(k, "")
		if out, next, ok := r.table(k, j, names); ok {
			return out, next
		}
		if t.is("(") {
			inner := scope{selected: true, from: true, table: true}
			if r.at(k+1).is("SELECT", "WITH", "VALUES", "FROM", "TABLE", "PIVOT", "UNPIVOT", "DESCRIBE", "SHOW", "(") {
				inner = scope{}
			}
			return r.group(k, names, inner), r.close[k] + 1
		}
	}
	if s.values && !t.is("VALUES", ",") {
		return r.bareRow(k, j, s, names)
	}
	if out, next, ok := r.atTimeZone(k, j, names); ok {
		r.changed = true
		return out, next
	}
	if out, next, ok := r.dialect(k, j, names); ok {
		r.changed = true
		return out, next
	}
	if out, next, ok := r.special(k, j, names); ok {
		r.changed = true
		return out, next
	}
	if t.is("(", "[", "{") {
		return r.group(k, names, scope{}), r.close[k] + 1
	}
	if name, ok := t.name(); ok && names != nil && !r.at(k-1).is(".") && !r.at(k+1).is("(") {
		if other, ok := names[strings.ToLower(name)]; ok {
			return fragment{{other, t.pos}}, k + 1
		}
	}
	return r.copied(k, k+1), k + 1
}

// group translates what stands in the brackets that open at k.
func (r *rewriter) group(k int, names map[string]string, s scope) fragment {
	end := r.close[k]
	out := r.copied(k, k+1)
	if end > k+1 {
		out = append(out, r.gap(k+1))
		out = append(out, r.walkScope(k+1, end, names, s)...)
	}
	out = append(out, r.gap(end))
	return append(out, r.copied(end, end+1)...)
}

// bareRow puts the brackets around a row of VALUES that DuckDB wants and Trino
// does not: VALUES 1, 2.
func (r *rewriter) bareRow(k, j int, s *scope, names map[string]string) (fragment, int) {
	end := k
	for end < j && !r.at(end).is(append([]string{","}, clauses...)...) {
		end = r.after(end)
	}
	s.values = end < j && r.at(end).is(",")
	if r.at(k).is("(") && r.close[k]+1 == end {
		return r.group(k, names, scope{}), end
	}
	r.changed = true
	return append(append(fragment{{"(", -1}}, r.walk(k, end, names)...), piece{")", -1}), end
}

// after is the token behind k, or behind the brackets that open there.
func (r *rewriter) after(k int) int {
	if r.at(k).is("(", "[", "{") {
		return r.close[k] + 1
	}
	return k + 1
}

// args are the arguments in the brackets that open at k, as ranges of tokens.
func (r *rewriter) args(k int) [][2]int {
	if r.close[k] == k+1 {
		return nil
	}
	return r.split(k+1, r.close[k], ",")
}

// split divides tokens i to j at a symbol.
func (r *rewriter) split(i, j int, at string) [][2]int {
	var list [][2]int
	start := i
	for k := i; k < j; k = r.after(k) {
		if r.at(k).is(at) {
			list = append(list, [2]int{start, k})
			start = k + 1
		}
	}
	return append(list, [2]int{start, j})
}

// calls says whether a token is a name that calls a function of its own: not a
// method, and nothing that a macro defines.
func (r *rewriter) calls(k int) bool {
	t := r.at(k)
	if t.kind != word || !r.at(k+1).is("(") || r.at(k-1).is(".", "MACRO", "FUNCTION", "TABLE", "INTO", "AS") {
		return false
	}
	return !r.at(k + 2).is("WHERE") // of FILTER (WHERE …)
}
