package rules

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// columns are what every compiled rule selects: enough to say who did what from
// where, and the row of the event.
var columns = []string{
	"event_time", "event_id", "event_source", "event_name", "outcome", "error_code",
	"account_id", "aws_region", "principal_id", "identity_arn", "identity_type", "user_name", "invoked_by",
	"access_key_id", "source_ip_address", "user_agent", "resource", "source_id", "record_index",
}

// relations are the CTEs that rules of several shapes begin with.
type relations struct {
	calls     string // what the SQL of rules is about: events and their outcome
	tainted   string // the events of the lineage
	ofLineage string // calls, of the lineage alone
	// history is since when each scope is in the log, whatever it did first.
	history func(expressions, names []string) string
	columns []string // of the result
}

// ownRelations make a query that stands alone.
var ownRelations = relations{
	calls: "calls AS (\n    SELECT events.*,\n" + indent(OutcomeSQL, "        ") + " AS outcome\n    FROM events\n)",
	ofLineage: "calls AS (\n    SELECT events.*,\n" + indent(eventsOutcome, "        ") + " AS outcome\n" +
		"    FROM (SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner') AS l\n" +
		"    JOIN events ON events.source_id = l.source_id AND events.record_index = l.record_index\n)",
	tainted: "tainted AS (\n    SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'\n)",
	history: historyCTE,
	columns: columns,
}

// SQL is the query that finds the rule's events, oldest first, in the dialect that
// DuckDB and Trino share. Without the list that it needs it finds nothing, as a
// scan does: everything lies outside an empty list.
func (r Rule) SQL() string {
	if r.List != "" {
		r.Where = group(r.Where) + "\nAND EXISTS (SELECT value FROM lists WHERE name = " + quote(r.List) + ")"
	}
	return r.compile(ownRelations) + "\nORDER BY event_time, event_id"
}

// compile writes the query. Every shape first takes the few events that it is
// about ("hit") and looks at time and order among those alone.
func (r Rule) compile(from relations) string {
	if r.OfLineage {
		from.calls = from.ofLineage
	}
	switch {
	case r.Threshold != nil:
		return r.compileThreshold(from)
	case r.Sequence != nil:
		return r.compileSequence(from)
	case r.FirstSeen != nil:
		return r.compileFirstSeen(from)
	case r.Spike != nil:
		return r.compileSpike(from)
	case r.Rerun != nil:
		return r.compileRerun(from)
	}
	return "WITH " + from.calls + "\nSELECT " + r.selectList(from.columns, "") + "\nFROM calls\nWHERE " + r.condition()
}

// validate says what keeps a rule from being compiled.
func (r Rule) validate() error {
	var shapes int
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if t := r.Threshold; t != nil {
		shapes++
		if t.Count < 1 {
			bad("threshold counts to %d", t.Count)
		}
		if t.Distinct != "" && t.Sum != "" {
			bad("threshold has both a distinct count and a sum")
		}
		if t.Most != 0 && t.Most < t.Count {
			bad("threshold counts from %d to %d", t.Count, t.Most)
		}
		if !wholeSeconds(t.Window) {
			bad("threshold window %s is not a number of seconds", t.Window)
		}
	}
	if s := r.Sequence; s != nil {
		shapes++
		if len(s.Steps) < 2 {
			bad("sequence has %d steps", len(s.Steps))
		}
		if s.Least < 0 || s.Least > len(s.Steps) || s.Least != 0 && !s.Unordered {
			bad("sequence asks for %d of its %d steps", s.Least, len(s.Steps))
		}
		for i, step := range s.Steps {
			if step.Where == "" || step.On == "" {
				bad("step %d of the sequence lacks Where or On", i+1)
			}
		}
		if !wholeSeconds(s.Within) {
			bad("sequence within %s is not a number of seconds", s.Within)
		}
	}
	if f := r.FirstSeen; f != nil {
		shapes++
		if len(f.Key) == 0 {
			bad("first-seen has no key")
		}
		if !wholeSeconds(f.Learn) {
			bad("first-seen learns for %s, not a number of seconds", f.Learn)
		}
	}
	if s := r.Spike; s != nil {
		shapes++
		if s.Count < 2 {
			bad("spike counts to %d", s.Count)
		}
		if spikeUnits[s.Per] == "" {
			bad("spike per %s: use a minute, an hour or a day", s.Per)
		}
	}
	if r.Rerun != nil {
		shapes++
	}
	if shapes > 1 {
		bad("has %d shapes", shapes)
	}
	if r.Where == "" && r.Sequence == nil && !r.OfLineage {
		bad("has no Where")
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("rule %s: %w", r.ID, errors.Join(problems...))
}

func wholeSeconds(d time.Duration) bool { return d > 0 && d%time.Second == 0 }

// condition is Where and the outcomes, as the operands of one AND.
func (r Rule) condition() string {
	var terms []string
	if r.Where != "" {
		terms = append(terms, group(r.Where))
	}
	if len(r.Outcomes) > 0 {
		quoted := make([]string, len(r.Outcomes))
		for i, o := range r.Outcomes {
			quoted[i] = quote(string(o))
		}
		terms = append(terms, "outcome IN ("+strings.Join(quoted, ", ")+")")
	}
	return strings.Join(terms, "\n    AND ")
}

// selectList names the columns of the result. more are further columns, each
// "expression AS name"; the events come from calls.
func (r Rule) selectList(of []string, more string) string {
	list := make([]string, 0, len(of)+1)
	for _, c := range of {
		if c == "resource" {
			c = r.resource() + " AS resource"
		}
		list = append(list, c)
	}
	if more != "" {
		list = append(list, more)
	}
	return wrap(list)
}

func (r Rule) resource() string {
	if r.Resource == "" {
		return "CAST(NULL AS VARCHAR)"
	}
	return group(r.Resource)
}

// hit is the CTE of the events that the rule is about, with more columns and
// conditions than those of every rule.
func (r Rule) hit(from relations, more, conditions []string) string {
	return r.calls("hit", from, more, conditions)
}

func (r Rule) calls(name string, from relations, more, conditions []string) string {
	where := append([]string{}, conditions...)
	if c := r.condition(); c != "" {
		where = append([]string{c}, where...)
	}
	if len(where) == 0 {
		where = []string{"true"}
	}
	return name + " AS (\n    SELECT " + indentRest(r.selectList(from.columns, strings.Join(more, ",\n    "))) +
		"\n    FROM calls\n    WHERE " + indentRest(strings.Join(where, "\n    AND ")) + "\n)"
}

// fromHit selects the hits that the relation picked, which has their rows.
func fromHit(from relations, relation string) string {
	return "SELECT " + wrap(prefixed("hit.", from.columns)) + "\nFROM hit\nJOIN " + relation +
		" ON " + relation + ".source_id = hit.source_id AND " + relation + ".record_index = hit.record_index"
}

// named gives expressions the names prefix_1, prefix_2, …: their definitions,
// the names, and the conditions that none is NULL.
func named(prefix string, expressions []string) (defs, names, present []string) {
	for i, e := range expressions {
		name := fmt.Sprintf("%s_%d", prefix, i+1)
		defs = append(defs, group(e)+" AS "+name)
		names = append(names, name)
		present = append(present, group(e)+" IS NOT NULL")
	}
	return defs, names, present
}

// over is a window clause; a rule without groups has one window over all.
func over(by []string, order string) string {
	if len(by) == 0 {
		return "OVER (ORDER BY " + order + ")"
	}
	return "OVER (PARTITION BY " + strings.Join(by, ", ") + " ORDER BY " + order + ")"
}

// interval writes a duration in the largest unit that it is a multiple of.
func interval(d time.Duration) string {
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "DAY"}, {time.Hour, "HOUR"}, {time.Minute, "MINUTE"}} {
		if d%u.length == 0 {
			return fmt.Sprintf("INTERVAL '%d' %s", d/u.length, u.name)
		}
	}
	return fmt.Sprintf("INTERVAL '%d' SECOND", d/time.Second)
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return out
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// group puts an expression in parentheses unless it is a column.
func group(expression string) string {
	e := indent(expression, "")
	for _, r := range e {
		if r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return "(" + e + ")"
		}
	}
	return e
}

// wrap joins the members of a list in lines of readable length.
func wrap(list []string) string {
	var b strings.Builder
	width := 0
	for i, item := range list {
		if i > 0 {
			b.WriteString(",")
			if width+len(item) > 88 {
				b.WriteString("\n    ")
				width = 0
			} else {
				b.WriteString(" ")
			}
		}
		b.WriteString(item)
		width += len(item) + 2
	}
	return b.String()
}

// indent gives every line of an expression the prefix in place of the white
// space that it starts with beyond its first line's, which is that of the Go
// source. Lines that start within a string literal stay as they are.
func indent(sql, prefix string) string {
	lines := strings.Split(strings.TrimSpace(sql), "\n")
	margin := -1
	quoted := strings.Count(lines[0], "'")%2 == 1
	within := make([]bool, len(lines))
	for i, line := range lines[1:] {
		within[i+1] = quoted
		if !quoted && strings.TrimSpace(line) != "" {
			if lead := len(line) - len(strings.TrimLeft(line, " \t")); margin < 0 || lead < margin {
				margin = lead
			}
		}
		quoted = quoted != (strings.Count(line, "'")%2 == 1)
	}
	for i, line := range lines {
		switch {
		case within[i]:
		case i == 0:
			lines[i] = prefix + line
		default:
			lines[i] = prefix + strings.TrimRight(line[min(margin, len(line)):], " \t")
		}
	}
	return strings.Join(lines, "\n")
}

// indentRest moves all lines but the first one level in.
func indentRest(sql string) string { return strings.ReplaceAll(sql, "\n", "\n    ") }
