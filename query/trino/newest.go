package trino

import (
	"slices"
	"strconv"
	"strings"
)

// LakeBetween is a table macro that gives event_data_store between two times.
const LakeBetween = "trino_event_data_store_between"

// mostNewest is how many events are worth finding first by their time alone.
const mostNewest = 10_000

// newest narrows a window to the events that ORDER BY eventtime LIMIT n gives of
// the whole table that ends before token next: their time is found first, so that
// the other columns of every event need not be made to sort them.
func (r *rewriter) newest(w *window, k, next, j int, called ...string) {
	owner := r.owner(k)
	if len(r.toks) > mostTimed || owner < 0 || !r.at(k-1).is("FROM") || r.at(owner-1).is("UNION", "ALL", "EXCEPT", "INTERSECT", "DISTINCT") || !r.eachRow(owner+1, k) {
		return
	}
	if r.at(next).is("AS") {
		next++
	}
	if _, named := r.at(next).name(); named && !r.at(next).is(clauses...) {
		next++
	}
	of := " FROM (SELECT event_time AS t FROM records"
	if r.at(next).is("WHERE") {
		start, end := r.where(next, j)
		if !r.published || r.plain || !r.cheap(start, end, called) || !r.at(k-2).is("*") {
			return
		}
		of = " FROM (SELECT " + r.filtered(k, next, j, called) + " WHERE " + r.walk(start, end, nil).String()
		next = end
	}
	if !r.at(next).is("ORDER") || !r.at(next+1).is("BY") {
		return
	}
	column, end := r.timeColumn(next+2, called)
	if column != "eventtime" {
		return
	}
	descending := r.at(end).is("DESC")
	if descending || r.at(end).is("ASC") {
		end++
	}
	for end < j && !r.at(end).is("LIMIT", "FETCH", "OFFSET", ")", ";") {
		if r.at(end).is("NULLS") && r.at(end+1).is("FIRST") {
			return
		}
		end = r.after(end)
	}
	n, ok := r.rowsWanted(end, j)
	if !ok || n > mostNewest {
		return
	}
	if descending {
		w.lows = append(w.lows, "(SELECT date_trunc('second', min(t))"+of+" ORDER BY t DESC LIMIT "+strconv.Itoa(n)+"))")
	} else {
		w.highs = append(w.highs, "(SELECT date_trunc('second', max(t)) + INTERVAL 1 SECOND"+of+" ORDER BY t LIMIT "+strconv.Itoa(n)+"))")
	}
}

// filtered is the time, and the table that has it, for the WHERE behind token
// next of the table at token k.
func (r *rewriter) filtered(k, next, j int, called []string) string {
	name, view := called[0], called[1]
	if name == "" {
		name = view
	}
	who := r.identities(next, j, called...)
	if who == "" {
		who = "true"
	}
	if view != CloudTrailLogs {
		return "eventTime AS t FROM " + LakeOf + "(" + who + ") AS " + quoteName(name)
	}
	w, _ := r.bounds(next, j, called...)
	low, high := w.limits()
	return TimeColumn + " AS t FROM " + TimedLogs + "(event_time >= " + low + " AND event_time < " + high + ", " + who + ") AS " + quoteName(name)
}

// quickColumns are those that cost little to filter twice.
var quickColumns = []string{
	"eventname", "eventsource", "eventtime", "awsregion", "sourceipaddress", "errorcode", "useragent", "readonly", "eventtype", "eventcategory",
	"recipientaccountid", "account", "region", "year", "month", "day", "timestamp", "useridentity",
}

// cheap says whether a condition compares quick columns with values and nothing
// else.
func (r *rewriter) cheap(i, j int, called []string) bool {
	for k := i; k < j; k++ {
		t := r.at(k)
		name, isName := t.name()
		switch {
		case t.is("AND", "OR", "NOT", "IN"), t.is("BETWEEN", "LIKE", "IS", "NULL") && !r.at(k+1).is("("):
		case t.is("?"):
			return false
		case isName && r.at(k+1).is("("):
			return false
		case isName && r.at(k-1).is("."):
		case isName && !slices.ContainsFunc(append(called, quickColumns...), func(c string) bool { return strings.EqualFold(c, name) }):
			return false
		}
	}
	return true
}

// eachRow says whether the items of a SELECT, tokens i to j, give a row for each
// of the table, and eventtime is what the table calls so.
func (r *rewriter) eachRow(i, j int) bool {
	for k := i; k < j; k++ {
		if r.at(k).is("DISTINCT", "OVER", "SELECT") || r.calledTime(k) {
			return false
		}
	}
	return true
}

// calledTime says whether token k is a name eventtime that the query gives to
// something itself.
func (r *rewriter) calledTime(k int) bool {
	name, ok := r.at(k).name()
	before := r.at(k - 1)
	return ok && strings.EqualFold(name, "eventtime") && (before.is("AS", ")", "]", "END") || before.kind != symbol && !before.is(beforeColumn...))
}

// rowsWanted is the sum of LIMIT, or FETCH FIRST, and OFFSET, from token k on.
func (r *rewriter) rowsWanted(k, j int) (int, bool) {
	sum, limited := 0, false
	for k < j && !r.at(k).is(";") {
		t := r.at(k)
		if t.is("FETCH") {
			k++
		}
		n, err := strconv.Atoi(r.at(k + 1).text)
		if err != nil || !t.is("LIMIT", "OFFSET", "FETCH") || n > mostNewest {
			return 0, false
		}
		sum, limited = sum+n, limited || !t.is("OFFSET")
		for k += 2; r.at(k).is("ROW", "ROWS", "ONLY"); k++ {
		}
	}
	return sum, limited
}
