package trino

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// BoundedLogs is a table macro that gives cloudtrail_logs between two times. A
// query that filters on eventtime, which is text, or on the partition columns,
// reads it, so that DuckDB need not make the text of every event to compare it.
// The filter stays where it is; the bounds only follow from it.
const BoundedLogs = "trino_cloudtrail_logs"

// window is the times that a WHERE leaves: seconds, and expressions beside.
type window struct {
	low, high   int64    // Unix time; high is exclusive
	lows, highs []string // SQL; highs are exclusive
	year        string   // = '2023'
	month, day  string
}

const (
	// The times of four-digit years, whose text sorts as they do.
	firstSecond = -62167219200
	lastSecond  = 253402300800
)

// bounds is the window of the table that ends before token next, called by these
// names, in a group of tokens that ends at j; false when nothing bounds it.
func (r *rewriter) bounds(next, j int, called ...string) (window, bool) {
	w := window{low: firstSecond, high: lastSecond}
	start, end := r.where(next, j)
	conjuncts, ok := r.conjuncts(start, end)
	if !ok {
		return w, false
	}
	for _, c := range conjuncts {
		r.narrow(&w, c, called)
	}
	w.partition()
	return w, w.bounded()
}

func (w *window) bounded() bool {
	return w.low > firstSecond || w.high < lastSecond || len(w.lows)+len(w.highs) > 0
}

// where is the condition of the SELECT that token k is in.
func (r *rewriter) where(k, j int) (start, end int) {
	for ; k < j && !r.at(k).is(clauses...); k = r.after(k) {
	}
	if k >= j || !r.at(k).is("WHERE") {
		return k, k
	}
	for end = k + 1; end < j && !r.at(end).is(clauses...); end = r.after(end) {
	}
	return k + 1, end
}

// conjuncts divides a condition at AND; false when an OR holds it together.
func (r *rewriter) conjuncts(i, j int) ([][2]int, bool) {
	var list [][2]int
	start, between := i, false
	for k := i; k < j; k = r.after(k) {
		switch t := r.at(k); {
		case t.is("OR", "CASE"):
			return nil, false
		case t.is("BETWEEN"):
			between = true
		case t.is("AND") && between:
			between = false
		case t.is("AND"):
			list = append(list, [2]int{start, k})
			start = k + 1
		}
	}
	if start < j {
		list = append(list, [2]int{start, j})
	}
	return list, true
}

// layouts are the text of the columns that are made of the time.
var layouts = map[string]string{"eventtime": "2006-01-02T15:04:05Z", "timestamp": "2006/01/02", "year": "2006", "month": "01", "day": "02"}

// mirrored are the comparisons read from the right.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// narrow takes into a window what one condition says.
func (r *rewriter) narrow(w *window, c [2]int, called []string) {
	if r.at(c[0]).is("(") && r.close[c[0]]+1 == c[1] {
		inner, ok := r.conjuncts(c[0]+1, c[1]-1)
		for _, c := range inner {
			if ok {
				r.narrow(w, c, called)
			}
		}
		return
	}
	if column, next := r.timeColumn(c[0], called); next > 0 {
		value, ok := r.at(next + 1).value()
		switch op := r.at(next); {
		case !ok:
			r.narrowText(w, column, next, c[1])
		case next+2 == c[1] && mirrored[op.text] != "":
			w.compare(column, op.text, value)
		case next+2 == c[1] && op.is("LIKE"):
			w.like(column, value)
		case next+4 == c[1] && op.is("BETWEEN") && r.at(next+2).is("AND"):
			if upper, ok := r.at(next + 3).value(); ok {
				w.compare(column, ">=", value)
				w.compare(column, "<=", upper)
			}
		}
		return
	}
	if value, ok := r.at(c[0]).value(); ok && mirrored[r.at(c[0]+1).text] != "" {
		if column, next := r.timeColumn(c[0]+2, called); next == c[1] {
			w.compare(column, mirrored[r.at(c[0]+1).text], value)
		}
		return
	}
	r.narrowInstant(w, c, called)
}

// dayFormats are the formats whose text sorts with that of a column made of the
// time, to the day at least.
var dayFormats = map[string][]string{
	"eventtime": {"%Y-%m-%d", "%Y-%m-%dT%H:%i:%sZ", "%Y-%m-%dT%TZ"},
	"timestamp": {"%Y/%m/%d"},
}

// narrowText takes a column compared with the text of a time: to_iso8601(…) or
// date_format(…, '…'). Both texts are rounded, by less than a day.
func (r *rewriter) narrowText(w *window, column string, k, end int) {
	if !r.at(k+2).is("(") || r.close[k+2]+1 != end {
		return
	}
	args := r.args(k + 2)
	switch fn := r.at(k + 1); {
	case fn.is("TO_ISO8601") && column == "eventtime" && len(args) == 1:
	case fn.is("DATE_FORMAT") && len(args) == 2 && args[1][1] == args[1][0]+1:
		if format, ok := r.at(args[1][0]).value(); !ok || !slices.Contains(dayFormats[column], format) {
			return
		}
	default:
		return
	}
	if !r.constant(args[0][0], args[0][1]) {
		return
	}
	value := "CAST(" + r.walk(args[0][0], args[0][1], nil).String() + " AS TIMESTAMP)"
	if op := r.at(k); op.is("=", ">", ">=") {
		w.lows = append(w.lows, value+" - INTERVAL 1 DAY")
	}
	if op := r.at(k); op.is("=", "<", "<=") {
		w.highs = append(w.highs, value+" + INTERVAL 1 DAY")
	}
}

// narrowInstant takes from_iso8601_timestamp(eventtime) compared with a time.
func (r *rewriter) narrowInstant(w *window, c [2]int, called []string) {
	if !r.at(c[0]).is("FROM_ISO8601_TIMESTAMP") || !r.at(c[0]+1).is("(") {
		return
	}
	column, next := r.timeColumn(c[0]+2, called)
	if column != "eventtime" || !r.at(next).is(")") || next+2 >= c[1] {
		return
	}
	bound := func(i, j int) (string, bool) {
		if !r.constant(i, j) {
			return "", false
		}
		return "CAST(" + r.walk(i, j, nil).String() + " AS TIMESTAMP)", true
	}
	op := r.at(next + 1)
	if op.is("BETWEEN") {
		for k := next + 2; k < c[1]; k = r.after(k) {
			if low, ok := bound(next+2, k); ok && r.at(k).is("AND") {
				w.lows = append(w.lows, low)
				if high, ok := bound(k+1, c[1]); ok {
					w.highs = append(w.highs, high+" + INTERVAL 1 SECOND")
				}
			}
		}
		return
	}
	// The text has no fraction of a second, so that it may be earlier than the event.
	value, ok := bound(next+2, c[1])
	if ok && op.is("=", ">", ">=") {
		w.lows = append(w.lows, value)
	}
	if ok && op.is("=", "<", "<=") {
		w.highs = append(w.highs, value+" + INTERVAL 1 SECOND")
	}
}

// constantWords may stand in a time that no event decides.
var constantWords = []string{
	"TIMESTAMP", "DATE", "INTERVAL", "CURRENT_TIMESTAMP", "CURRENT_DATE", "NOW", "FROM_ISO8601_TIMESTAMP", "DATE_ADD", "DATE_TRUNC",
	"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR", "+", "-", "(", ")", ",",
}

func (r *rewriter) constant(i, j int) bool {
	for k := i; k < j; k++ {
		if t := r.at(k); t.kind != literal && t.kind != number && !t.is(constantWords...) {
			return false
		}
	}
	return i < j
}

// timeColumn is the column at token k, when it is made of the time and of this
// table, and the token behind it.
func (r *rewriter) timeColumn(k int, called []string) (string, int) {
	name, ok := r.at(k).name()
	if !ok {
		return "", 0
	}
	k++
	if r.at(k).is(".") {
		of := slices.ContainsFunc(called, func(c string) bool { return strings.EqualFold(c, name) })
		if name, ok = r.at(k + 1).name(); !of || !ok {
			return "", 0
		}
		k += 2
	}
	name = strings.ToLower(name)
	if other := partitions[name]; other != "" {
		name = other
	}
	if layouts[name] == "" || r.at(k).is("(", ".", "[") || r.at(k).kind == literal {
		return "", 0
	}
	return name, k
}

// compare narrows the window to the times whose text compares so with a value.
func (w *window) compare(column, op, value string) {
	if column == "month" || column == "day" || column == "year" && op == "=" {
		if op == "=" {
			map[string]func(){"year": func() { w.year = value }, "month": func() { w.month = value }, "day": func() { w.day = value }}[column]()
		}
		return
	}
	layout := layouts[column]
	from := firstFrom(layout, func(text string) bool { return text >= value })
	after := firstFrom(layout, func(text string) bool { return text > value })
	switch op {
	case "=":
		w.low, w.high = max(w.low, from), min(w.high, after)
	case ">=":
		w.low = max(w.low, from)
	case ">":
		w.low = max(w.low, after)
	case "<":
		w.high = min(w.high, from)
	case "<=":
		w.high = min(w.high, after)
	}
}

// like narrows the window to the times whose text starts so.
func (w *window) like(column, pattern string) {
	prefix, rest, _ := strings.Cut(pattern, "%")
	if rest != "" || strings.ContainsAny(prefix, `_\`) || column == "month" || column == "day" {
		return
	}
	w.low = max(w.low, firstFrom(layouts[column], func(text string) bool { return text >= prefix }))
	w.high = min(w.high, firstFrom(layouts[column], func(text string) bool { return text > prefix && !strings.HasPrefix(text, prefix) }))
}

// partition takes the year, with the month and the day where they are given too.
func (w *window) partition() {
	for _, p := range []struct{ layout, value string }{
		{"2006/01/02", w.year + "/" + w.month + "/" + w.day}, {"2006/01", w.year + "/" + w.month}, {"2006", w.year},
	} {
		t, err := time.Parse(p.layout, p.value)
		if err != nil {
			continue
		}
		end := t.AddDate(1, 0, 0)
		switch len(p.layout) {
		case len("2006/01/02"):
			end = t.AddDate(0, 0, 1)
		case len("2006/01"):
			end = t.AddDate(0, 1, 0)
		}
		w.low, w.high = max(w.low, t.Unix()), min(w.high, end.Unix())
		return
	}
}

// firstFrom is the first second whose text fulfils what all later ones do too.
func firstFrom(layout string, holds func(string) bool) int64 {
	n := sort.Search(lastSecond-firstSecond, func(n int) bool {
		return holds(time.Unix(firstSecond+int64(n), 0).UTC().Format(layout))
	})
	return firstSecond + int64(n)
}

// source is what gives a view to the SELECT that token next is in: the view, or
// the macro that gives the part of it which the SELECT can want.
func (r *rewriter) source(view string, k, next, j int, alias string) string {
	who := r.identities(next, j, alias, view)
	if view != CloudTrailLogs {
		w := window{low: firstSecond, high: lastSecond}
		r.newest(&w, k, next, j, alias, view)
		switch {
		case w.bounded():
			return LakeBetween + "(" + w.between() + ")"
		case who != "":
			return LakeOf + "(" + who + ")"
		}
		return view
	}
	w, _ := r.bounds(next, j, alias, view)
	r.newest(&w, k, next, j, alias, view)
	bounded := w.bounded()
	if timed := r.timed(k); timed || r.paths {
		when := "true"
		if bounded {
			low, high := w.limits()
			when = "event_time >= " + low + " AND event_time < " + high
		}
		if who == "" {
			who = "true"
		}
		if r.paths {
			return PathLogs + "(" + when + ", " + who + ")"
		}
		return TimedLogs + "(" + when + ", " + who + ")"
	}
	switch {
	case bounded && who != "":
		return BoundedLogsOf + "(" + w.between() + ", " + who + ")"
	case bounded:
		return BoundedLogs + "(" + w.between() + ")"
	case who != "":
		return LogsOf + "(" + who + ")"
	}
	return view
}

// between is the window as two times.
func (w window) between() string {
	low, high := w.limits()
	return low + ", " + high
}

func (w window) limits() (low, high string) {
	stamp := func(second int64) string {
		switch second {
		case firstSecond:
			return "TIMESTAMP '-infinity'"
		case lastSecond:
			return "TIMESTAMP 'infinity'"
		}
		return "TIMESTAMP '" + time.Unix(second, 0).UTC().Format(time.DateTime) + "'"
	}
	low, high = stamp(w.low), stamp(w.high)
	if len(w.lows) > 0 {
		low = "greatest(" + strings.Join(append(w.lows, low), ", ") + ")"
	}
	if len(w.highs) > 0 {
		high = "least(" + strings.Join(append(w.highs, high), ", ") + ")"
	}
	return low, high
}
