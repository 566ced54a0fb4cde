package trino

import (
	"regexp"
	"slices"
	"strings"
)

// storeID is the id of an event data store, or its ARN. AWS's documentation
// writes EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE.
var storeID = regexp.MustCompile(`(?i)^(arn:aws[a-z-]*:cloudtrail:[a-z0-9-]*:\d*:eventdatastore/)?([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z-]*EXAMPLE[0-9a-z]*-[0-9a-z-]+|[0-9a-z]+-[0-9a-z-]*EXAMPLE)$`)

// storeName is what published queries call an event data store whose id the
// reader is to fill in, and EDS1 and edsA of CloudTrail's user guide.
var storeName = regexp.MustCompile(`(?i)^(your[_-]?|my[_-]?|the[_-]?)?(eds|event_?data_?store)(_?(id|name|arn|\d+|[a-z]))?$`)

// trailName is the name of the table in Athena's documentation; that with
// partition projection has an ending.
var trailName = regexp.MustCompile(`(?i)^(cloudtrail_logs|cloudtrail_logs_pp)$`)

// soundsLikeTrail are names as consoles, partitioners and workshops give Athena's
// table: cloudtrail_111122223333, cloudtrail_logs_my_bucket. Those of Security
// Lake hold other columns.
var soundsLikeTrail = regexp.MustCompile(`(?i)cloud[_-]?trail`)

// guess is the view that the name of a table sounds like, unless the case has a
// relation of the name.
func (r *rewriter) guess(name string) (string, bool) {
	lower := strings.ToLower(name)
	if !soundsLikeTrail.MatchString(name) || strings.Contains(lower, "security_lake") {
		return "", false
	}
	if slices.ContainsFunc(r.relations, func(have string) bool { return strings.EqualFold(have, name) }) {
		return "", false
	}
	if !slices.Contains(r.guessed, lower) {
		r.guessed = append(r.guessed, lower)
	}
	return placeholderView(name), true
}

// unfilled are names in quotes that stand for what the reader fills in:
// "<TABLE>", "${table}".
var unfilled = regexp.MustCompile(`^(<.*>|\$?\{.*\}|\[.*\])$`)

// table translates the name of a table at token k into that of a view.
func (r *rewriter) table(k, j int, names map[string]string) (fragment, int, bool) {
	if out, next, ok := r.unnest(k, j, names); ok {
		r.changed = true
		return out, next, true
	}
	view, called, next, ok := r.view(k, j)
	if !ok {
		return nil, 0, false
	}
	out := fragment{{view, r.at(k).pos}}
	alias, given := r.alias(next, j)
	if !given {
		alias = called
	}
	r.logs, r.lake = r.logs || view == CloudTrailLogs, r.lake || view == EventDataStore
	if view == CloudTrailLogs {
		name := alias
		if name == "" {
			name = view
		}
		r.note(k, name)
	}
	if source := r.source(view, k, next, j, alias); source != view {
		out = fragment{{source, r.at(k).pos}}
		if alias == "" {
			alias = view
		}
	}
	if !given && alias != "" && !strings.EqualFold(alias, out.String()) {
		out = out.write(" AS " + quoteName(alias))
	}
	if same := r.src[r.at(k).pos:r.at(next-1).end]; same != out.String() {
		r.changed = true
	}
	return out, next, true
}

// alias is what the query calls the table before token k, if it gives a name.
func (r *rewriter) alias(k, j int) (string, bool) {
	as := r.at(k).is("AS")
	if as {
		k++
	}
	name, ok := r.at(k).name()
	return name, ok && k < j && (as || r.at(k).kind == quoted || !reserved(name))
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// view is the view that tokens from k on name, what they call it, and the token
// behind them.
func (r *rewriter) view(k, j int) (view, called string, next int, ok bool) {
	if words, next, ok := r.angled(k, j); ok {
		return placeholderView(words), "", next, true
	}
	t := r.at(k)
	if t.kind == placeholder {
		return placeholderView(t.text), "", k + 1, true
	}
	if next := r.hyphened(k, j); next > k+1 {
		called = r.src[t.pos:r.at(next-1).end]
		if view, ok := r.tables[tableKey(called)]; ok {
			return view, called, next, true
		}
		return EventDataStore, called, next, true
	}
	path, next := r.path(k, j)
	if len(path) == 0 || r.at(next).is("(") {
		return "", "", 0, false
	}
	called = path[len(path)-1]
	if view, ok := r.tables[tableKey(strings.Join(path, "."))]; ok {
		return view, called, next, true
	}
	if view, ok := r.tables[tableKey(called)]; ok {
		return view, called, next, true
	}
	switch {
	case len(path) == 1 && r.defined[strings.ToLower(called)]:
		return "", "", 0, false
	case trailName.MatchString(called):
		return CloudTrailLogs, called, next, true
	case storeID.MatchString(called), len(path) == 1 && storeName.MatchString(called):
		return EventDataStore, called, next, true
	case r.at(next-1).kind == quoted && unfilled.MatchString(called):
		return placeholderView(called), "", next, true
	}
	if view, ok := r.guess(called); ok {
		return view, called, next, true
	}
	return "", "", 0, false
}

// path is a name with its catalog and schema.
func (r *rewriter) path(k, j int) ([]string, int) {
	var list []string
	for k < j {
		name, ok := r.at(k).name()
		if !ok {
			return nil, k
		}
		list = append(list, name)
		if !r.at(k+1).is(".") || k+2 >= j {
			return list, k + 1
		}
		k += 2
	}
	return nil, k
}

// hyphened is the token behind a name with hyphens and without quotes, as
// CloudTrail Lake takes an id: the pieces follow each other without a gap.
func (r *rewriter) hyphened(k, j int) int {
	hyphen, n := false, k
	for n < j && (n == k || r.at(n).pos == r.at(n-1).end) {
		t := r.at(n)
		if t.is("-") {
			hyphen = true
		} else if t.kind != word && t.kind != number {
			break
		}
		n++
	}
	if !hyphen {
		return k
	}
	return n
}

// angled is what stands between < and > in the place of a table's name.
func (r *rewriter) angled(k, j int) (words string, next int, ok bool) {
	if !r.at(k).is("<") {
		return "", 0, false
	}
	for n := k + 1; n < min(j, k+20); n++ {
		if r.at(n).is(">") {
			return r.src[r.at(k).end:r.at(n).pos], n + 1, true
		}
	}
	return "", 0, false
}

// placeholderView is the view that a placeholder means, by its words.
func placeholderView(words string) string {
	words = strings.ToLower(words)
	for _, s := range []string{"eds", "event", "store", "lake"} {
		if strings.Contains(words, s) {
			return EventDataStore
		}
	}
	return CloudTrailLogs
}

// tableKey makes names equal that differ in case and quotes only.
func tableKey(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, `"`, ""))
}

// reserved says whether a word behind a table is no alias of it.
func reserved(word string) bool {
	return slices.Contains(notAliases, strings.ToUpper(word))
}

var notAliases = append([]string{
	"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "POSITIONAL", "ASOF", "SEMI", "ANTI", "ON", "USING",
	"SELECT", "TABLESAMPLE", "PIVOT", "UNPIVOT", "WITH", "FOR", "SET",
}, clauses...)
