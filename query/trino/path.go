package trino

import "strings"

// PathLogs is TimedLogs with one more column, that Athena hides from *: the file
// that a row was read from.
// https://docs.aws.amazon.com/athena/latest/ug/select.html
const (
	PathLogs   = "trino_cloudtrail_logs_path"
	PathColumn = "$path"
)

// isPath says whether token k is "$path".
func (r *rewriter) isPath(k int) bool {
	name, ok := r.at(k).name()
	return ok && r.at(k).kind == quoted && strings.EqualFold(name, PathColumn)
}

// star translates the * of a SELECT over PathLogs, at token k, which must not
// give the columns that are hidden.
func (r *rewriter) star(k int) (fragment, int, bool) {
	if !r.at(k).is("*") || !r.logs || !r.paths || len(r.toks) > mostTimed || r.at(k+1).is("EXCLUDE", "(") {
		return nil, 0, false
	}
	before := r.at(k - 1)
	of := r.selects[r.owner(k)]
	if of == nil || of.logs == "" || !before.is("SELECT", "DISTINCT", "ALL", ",", ".") {
		return nil, 0, false
	}
	if name, _ := r.at(k - 2).name(); before.is(".") && !strings.EqualFold(name, of.logs) {
		return nil, 0, false
	}
	return fragment{{"* EXCLUDE (" + TimeColumn + ", " + quoteName(PathColumn) + ")", r.at(k).pos}}, k + 1, true
}
