package sigma

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"trailscan/rules"
)

// wholeLog is the window of an aggregation without a time frame: longer than
// any log.
const wholeLog = 100 * 365 * 24 * time.Hour

// shape makes a rule of the form that Sigma had before correlations: a pipe and
// an aggregation after the condition, or a time frame for several searches.
func (c *compiler) shape(u *unit, detection *yaml.Node, tree condition, aggregation string, e expr, searches []search) (bool, error) {
	frame := member(detection, "timeframe")
	var within time.Duration
	if frame != nil {
		var err error
		if within, err = span(frame.Value); err != nil {
			return false, at(frame, err)
		}
	}
	word, rest, _ := strings.Cut(aggregation, " ")
	switch {
	case aggregation == "" && frame != nil:
		return near(u, conjunction(tree), within, searches)
	case aggregation == "":
		return false, nil
	case strings.EqualFold(word, "near"):
		if frame == nil {
			return false, reasonf("near has no timeframe that says how near")
		}
		if _, single := tree.(condName); !single {
			return false, reasonf("near after a condition of several searches is not supported")
		}
		with, further, err := parseCondition(rest)
		if err != nil {
			return false, err
		}
		names := conjunction(with)
		if further != "" || names == nil {
			return false, reasonf("near with more than the names of searches linked by and is not supported")
		}
		return near(u, append(conjunction(tree), names...), within, searches)
	}
	if within == 0 {
		within = wholeLog
	}
	t, err := countOf(aggregation, within)
	u.rule.Threshold = t
	return true, err
}

// conjunction returns the names of a condition that is names linked by and; nil
// for any other.
func conjunction(tree condition) []string {
	switch tree := tree.(type) {
	case condName:
		return []string{tree.name}
	case condAnd:
		var names []string
		for _, c := range tree {
			n, ok := c.(condName)
			if !ok {
				return nil
			}
			names = append(names, n.name)
		}
		return names
	}
	return nil
}

// near makes a rule of several searches that must all have events close to each
// other. A time frame has no other meaning without an aggregation: one event
// has one time.
func near(u *unit, names []string, within time.Duration, searches []search) (bool, error) {
	if len(names) < 2 {
		return false, nil
	}
	s := &rules.Sequence{Unordered: true, Within: within}
	var steps anyOf // each of which needs its events
	for _, name := range names {
		e, err := compileCondition(condName{name}, searches)
		if err != nil {
			return false, err
		}
		s.Steps = append(s.Steps, rules.Step{Where: e.sql(), On: noGroup})
		steps = append(steps, e)
	}
	u.rule.Sequence, u.anchored = s, steps.anchored()
	return true, nil
}

// noGroup joins all events.
const noGroup = "'all'"

var countExpression = regexp.MustCompile(`(?i)^count\s*\(\s*([^()\s]*)\s*\)\s*(?:by\s+(.+?)\s*)?(>=|<=|==|=|>|<)\s*(\d+)$`)

// countOf reads count(field) by group > n.
func countOf(aggregation string, within time.Duration) (*rules.Threshold, error) {
	m := countExpression.FindStringSubmatch(aggregation)
	if m == nil {
		return nil, reasonf("aggregation %q is not supported: only count(field) by field, compared with a number", aggregation)
	}
	n, err := strconv.Atoi(m[4])
	if err != nil {
		return nil, reasonf("aggregation counts to %s", m[4])
	}
	t := &rules.Threshold{Window: within}
	var b bounds
	if err := b.add(map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq"}[m[3]], n); err != nil {
		return nil, err
	}
	if t.Count, t.Most, err = b.limits(); err != nil {
		return nil, err
	}
	t.Except = b.except
	if m[1] != "" && m[1] != "*" {
		f, err := fieldOf(m[1])
		if err != nil {
			return nil, err
		}
		t.Distinct = f.value()
	}
	for name := range strings.FieldsFuncSeq(m[2], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		f, err := fieldOf(name)
		if err != nil {
			return nil, err
		}
		t.By = append(t.By, f.value())
	}
	return t, nil
}

// bounds are what a count must lie between.
type bounds struct {
	least, most int
	bounded     bool // by most
	except      int  // 0: no number
}

const maxCount = 1 << 40

func (b *bounds) add(operator string, n int) error {
	if n < 0 || n > maxCount {
		return reasonf("a count cannot be compared with %d", n)
	}
	least, most, bounded := 0, 0, false
	switch operator {
	case "gt":
		least = n + 1
	case "gte":
		least = n
	case "lt":
		most, bounded = n-1, true
	case "lte":
		most, bounded = n, true
	case "eq":
		least, most, bounded = n, n, true
	case "neq":
		b.except = n
	default:
		return reasonf("condition has %q: it takes gt, gte, lt, lte, eq and neq", operator)
	}
	b.least = max(b.least, least)
	if bounded && (!b.bounded || most < b.most) {
		b.most, b.bounded = most, true
	}
	return nil
}

// limits are the least and the most of a count of events that are there; most
// is 0 for no limit.
func (b bounds) limits() (least, most int, err error) {
	least = max(b.least, 1)
	if b.bounded && (b.most < least || b.most == least && b.except == least) {
		return 0, 0, reasonf("the condition on the count holds for no events, or only where there are none")
	}
	return least, b.most, nil
}

var spanText = regexp.MustCompile(`^\s*(\d+)\s*(s|m|h|d|w|M|y)\s*$`)

// span reads a time span: 90s, 5m, 1h, 7d.
func span(s string) (time.Duration, error) {
	m := spanText.FindStringSubmatch(s)
	if m == nil {
		return 0, reasonf("%q is no time span such as 90s, 5m, 1h or 7d", s)
	}
	const day = 24 * time.Hour
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": day, "w": 7 * day, "M": 30 * day, "y": 365 * day}[m[2]]
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || n < 1 || n > int64(wholeLog/unit) {
		return 0, reasonf("%q is no time span between a second and a hundred years", s)
	}
	return time.Duration(n) * unit, nil
}
