package trino

import (
	"slices"
	"strings"
)

// partitions are the partition columns of the table of AWS's incident response
// workshops and its Security Analytics Bootstrap, by those of cloudtrail_logs.
// https://github.com/awslabs/aws-security-analytics-bootstrap
var partitions = map[string]string{"date_partition": "timestamp", "region_partition": "region", "account_partition": "account"}

// dialect translates what starts at token k and is no call: operators that DuckDB
// has with other results, which it keeps but in queries over the views, and
// spellings that it does not read.
func (r *rewriter) dialect(k, j int, names map[string]string) (fragment, int, bool) {
	t := r.at(k)
	switch {
	case t.is("<", ">") && r.at(k+1).is("="): // as published: eventtime < ='…'
		return fragment{{t.text + "=", t.pos}}, k + 2, true
	case t.kind == quoted && t.text[0] == '`':
		name, _ := t.name()
		return fragment{{quoteName(name), t.pos}}, k + 1, true
	case t.is("TABLESAMPLE") && r.at(k+1).is("BERNOULLI", "SYSTEM") && r.at(k+2).is("(") && r.close[k+2] == k+4:
		return concat(r.copied(k, k+4), fragment{{" PERCENT)", -1}}), k + 5, true
	case t.is("CURRENT_DATE", "DATE"):
		return r.dateArithmetic(k, j)
	case !r.published:
		return nil, 0, false
	case t.is("*") && r.paths:
		return r.star(k)
	case t.is("DATE_TRUNC", "FROM_ISO8601_TIMESTAMP"):
		return r.time(k)
	case t.is("/") && !r.at(k-3).is("INTERVAL") && !slices.Contains(r.intervals, t.pos):
		// Trino divides whole numbers without a fraction, as // does.
		return fragment{{"//", t.pos}}, k + 1, true
	case r.logs && t.kind == word && partitions[strings.ToLower(t.text)] != "" && !r.at(k+1).is("("):
		return fragment{{quoteName(partitions[strings.ToLower(t.text)]), t.pos}}, k + 1, true
	case r.lake && !r.logs && r.textOfTime(k):
		out, next, ok := r.special(k, j, names)
		if !ok {
			out, next = concat(r.copied(k, k+1), r.group(k+1, names, scope{})), r.close[k+1]+1
		}
		return wrap("CAST(", out, " AS TIMESTAMP)"), next, true
	}
	return nil, 0, false
}

// dateArithmetic keeps a date a date, when whole days are added to it, where
// DuckDB makes a timestamp of it, whose text is longer.
func (r *rewriter) dateArithmetic(k, j int) (fragment, int, bool) {
	end := k + 1
	if r.at(k).is("DATE") {
		if r.at(end).kind != literal {
			return nil, 0, false
		}
		end++
	}
	first := end
	for end+3 < j && r.at(end).is("+", "-") && r.at(end+1).is("INTERVAL") && r.at(end+2).kind == literal && r.at(end+3).is("DAY", "WEEK", "MONTH", "YEAR") {
		end += 4
	}
	if end == first || r.at(k-1).is("+", "-", "*", "/", "%", ".") || r.at(end).is("+", "-", "*", "/", "%", "::") {
		return nil, 0, false
	}
	return wrap("CAST(", r.copied(k, end), " AS DATE)"), end, true
}

// textOfTime says whether token k calls a function that gives the text of a time,
// with which eventTime is compared: CloudTrail Lake takes it for a time.
func (r *rewriter) textOfTime(k int) bool {
	if !r.at(k).is("DATE_FORMAT", "FORMAT_DATETIME", "TO_ISO8601", "CONCAT", "SUBSTR", "CAST", "TRY_CAST") || !r.at(k+1).is("(") {
		return false
	}
	column := func(k int) bool { name, _ := r.at(k).name(); return strings.EqualFold(name, "eventTime") }
	if op := r.at(k - 1); mirrored[op.text] != "" || op.is("BETWEEN", "<>", "!=") {
		return column(k - 2)
	}
	if end := r.close[k+1] + 1; mirrored[r.at(end).text] != "" {
		return column(end+1) || r.at(end+2).is(".") && column(end+3)
	}
	if !r.at(k - 1).is("AND") {
		return false
	}
	for depth, i := 0, k-2; i > 0; i-- { // the second time of BETWEEN
		switch t := r.at(i); {
		case t.is(")", "]"):
			depth++
		case t.is("(", "["):
			if depth--; depth < 0 {
				return false
			}
		case depth == 0 && t.is("BETWEEN"):
			return column(i - 1)
		case depth == 0 && t.is("AND", "OR", "WHERE"):
			return false
		}
	}
	return false
}
