package trino

import "strings"

// TimedLogs is a table macro that gives cloudtrail_logs with the time itself in
// one more column, of the events and identities that fulfil two conditions. A
// query that reads eventtime, which is text, back into a time reads it, so that
// the text of every event need not be made and read. It is for queries that name
// all their columns.
const (
	TimedLogs  = "trino_cloudtrail_logs_timed"
	TimeColumn = "trino_time"
)

// sources are the tables of a SELECT.
type sources struct {
	count int
	logs  string // what cloudtrail_logs is called, if it is among them
	timed bool   // the SELECT reads its time
}

// mostTimed keeps what costs the square of the tokens from long texts.
const mostTimed = 5000

// owner is the SELECT that token k belongs to, or -1.
func (r *rewriter) owner(k int) int {
	depth := 0
	for i := k - 1; i >= 0; i-- {
		switch t := r.at(i); {
		case t.is(")", "]", "}"):
			depth++
		case t.is("(", "[", "{"):
			depth = max(depth-1, 0)
		case depth == 0 && t.is("SELECT"):
			return i
		}
	}
	return -1
}

// note counts a table of a SELECT, at token k.
func (r *rewriter) note(k int, logs string) {
	if r.published || len(r.toks) > mostTimed {
		return
	}
	if r.selects == nil {
		r.selects = map[int]*sources{}
	}
	owner := r.owner(k)
	if r.selects[owner] == nil {
		r.selects[owner] = &sources{}
	}
	if logs != "" {
		r.selects[owner].logs = logs
	} else {
		r.selects[owner].count++
	}
}

// findInstants finds the calls from_iso8601_timestamp(eventtime) that are the
// time of the only table of their SELECT.
func (r *rewriter) findInstants() {
	r.instants = map[int]string{}
	if !r.namesColumns() {
		return
	}
	for k := range r.toks {
		column, next := r.instant(k)
		if next == 0 {
			continue
		}
		owner := r.owner(k)
		of := r.selects[owner]
		if of == nil || of.count != 1 || of.logs == "" || column != "" && !strings.EqualFold(column, of.logs) || r.groupsText(owner) {
			continue
		}
		of.timed = true
		r.instants[k] = quoteName(of.logs) + "." + TimeColumn
	}
}

// timed says whether the SELECT of the table at token k reads the time of it.
func (r *rewriter) timed(k int) bool {
	if !r.published || len(r.instants) == 0 {
		return false
	}
	of := r.selects[r.owner(k)]
	return of != nil && of.timed
}

// instant is the name before eventtime in from_iso8601_timestamp(l.eventtime) at
// token k, and the token behind the call, or 0.
func (r *rewriter) instant(k int) (of string, next int) {
	if !r.at(k).is("FROM_ISO8601_TIMESTAMP") || !r.at(k+1).is("(") || r.at(k-1).is(".") {
		return "", 0
	}
	path, end := r.path(k+2, len(r.toks))
	if len(path) == 0 || len(path) > 2 || end != r.close[k+1] || !strings.EqualFold(path[len(path)-1], "eventtime") {
		return "", 0
	}
	if len(path) == 2 {
		of = path[0]
	}
	return of, end + 1
}

// namesColumns says whether a statement names all the columns that it reads, and
// calls none of its own eventtime.
func (r *rewriter) namesColumns() bool {
	if len(r.toks) > mostTimed || !r.at(0).is("SELECT", "WITH", "(", "EXPLAIN") {
		return false
	}
	for k, t := range r.toks {
		before := r.at(k - 1)
		switch {
		case t.is("NATURAL", "COLUMNS", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "TABLE"):
			return false
		case t.is("*") && (before.is("SELECT", "DISTINCT", "ALL", ",", ".") || before.is("(") && !r.at(k-2).is("COUNT")):
			return false
		case t.is("FROM") && !r.distinctFrom(k) && (k == 0 || before.is("(", ";", "UNION", "ALL")):
			return false // without SELECT
		}
		if r.calledTime(k) {
			return false
		}
	}
	return true
}

// beforeColumn are the words that may stand before a column, which is no name of
// another then.
var beforeColumn = append([]string{"ON", "IN", "IS", "FROM", "CASE", "AS"}, append(noOperand, clauses...)...)

// groupsText says whether a SELECT has groups or distinct rows and, among what it
// gives, eventtime by itself, on which alone its time would depend, or its time
// both by itself and within functions that take it in two forms.
func (r *rewriter) groupsText(owner int) bool {
	grouped, text, where := r.at(owner+1).is("DISTINCT"), false, false
	plain, within := false, false
	for k := owner + 1; k < len(r.toks) && !r.at(k).is(")", ";", "UNION", "EXCEPT", "INTERSECT"); k = r.after(k) {
		t := r.at(k)
		if t.is(clauses...) {
			where = t.is("WHERE")
		}
		grouped = grouped || t.is("GROUP")
		if where {
			continue
		}
		text = text || r.hasText(k, r.after(k))
		for i := k; i < r.after(k); i++ {
			if _, next := r.instant(i); next == 0 {
				continue
			}
			if r.at(i-1).is("(") && r.at(i-2).is(ofInstant...) || r.at(i-4).is("DATE_TRUNC") {
				within = true
			} else {
				plain = true
			}
		}
	}
	return grouped && (text || plain && within)
}

// hasText says whether eventtime stands in tokens i to j outside
// from_iso8601_timestamp(eventtime).
func (r *rewriter) hasText(i, j int) bool {
	for k := i; k < j; k++ {
		if name, ok := r.at(k).name(); ok && strings.EqualFold(name, "eventtime") {
			call := k - 2
			if r.at(k - 1).is(".") {
				call = k - 4
			}
			if _, next := r.instant(call); next == 0 {
				return true
			}
		}
	}
	return false
}

// ofInstant are functions of a time whose result is the same for one without a
// zone, which DuckDB works out many times faster.
var ofInstant = []string{
	"HOUR", "MINUTE", "SECOND", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "DATE", "DAY_OF_WEEK", "DOW", "DAY_OF_MONTH", "DAY_OF_YEAR", "DOY",
	"WEEK_OF_YEAR", "DATE_FORMAT",
}

// time translates from_iso8601_timestamp(eventtime), where that is the time of an
// event, and date_trunc of it. The text has no fraction of a second.
func (r *rewriter) time(k int) (fragment, int, bool) {
	if r.at(k).is("DATE_TRUNC") && r.at(k+1).is("(") && r.at(k+2).kind == literal && r.at(k+3).is(",") && r.instants[k+4] != "" {
		if _, next := r.instant(k + 4); next == r.close[k+1] {
			inner := concat(r.copied(k, k+4), fragment{{" date_trunc('second', " + r.instants[k+4] + "))", r.at(k + 4).pos}})
			return wrap("make_timestamptz(epoch_us(", inner, "))"), next + 1, true
		}
	}
	column := r.instants[k]
	if column == "" {
		return nil, 0, false
	}
	_, next := r.instant(k)
	out := fragment{{"date_trunc('second', " + column + ")", r.at(k).pos}}
	if r.at(k-1).is("(") && r.at(k-2).is(ofInstant...) {
		return out, next, true
	}
	return wrap("make_timestamptz(epoch_us(", out, "))"), next, true
}
