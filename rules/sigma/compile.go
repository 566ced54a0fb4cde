package sigma

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"trailscan/rules"
)

// compiler compiles rules that may refer to each other.
type compiler struct {
	vars  Vars
	units []*unit
	byID  map[string]*unit
}

// unit is a rule on its way.
type unit struct {
	file string
	line int
	node *yaml.Node
	name string // by which correlations refer to it
	rule rules.Rule

	state    state
	foreign  bool // about another log source
	anchored bool // says which events it is about
	part     bool // a correlation refers to it
	whole    bool // and asks for it on its own as well
	err      error
}

type state int

const (
	untouched state = iota
	underway
	done
)

func newUnit(d document) *unit {
	return &unit{file: d.file, line: d.node.Line, node: d.node}
}

// add reads what every rule has and makes it known to correlations.
func (c *compiler) add(u *unit) error {
	if err := checkShape(u.node); err != nil {
		return err
	}
	title, id := text(u.node, "title"), text(u.node, "id")
	u.name = text(u.node, "name")
	if title == "" {
		if title = u.name; title == "" {
			title = id
		}
	}
	u.rule.Title, u.rule.Explain = title, text(u.node, "description")
	switch {
	case id != "":
		u.rule.ID = "sigma:" + id
	case slug(title) != "":
		u.rule.ID = "sigma:" + slug(title)
	default:
		return reasonf("is no Sigma rule: it has neither title nor id")
	}
	if other := c.byID[u.rule.ID]; other != nil {
		return reasonf("has the id of the rule at %s:%d", other.file, other.line)
	}
	if c.byID == nil {
		c.byID = map[string]*unit{}
	}
	c.byID[u.rule.ID] = u
	c.units = append(c.units, u)
	return nil
}

// find looks a rule up as correlations name it: by id, name or title. A name is
// looked for in the correlation's own file first.
func (c *compiler) find(from *unit, reference string) *unit {
	var named, titled *unit
	for _, u := range c.units {
		switch {
		case u.rule.ID == "sigma:"+reference && text(u.node, "id") != "":
			return u
		case u.name == reference && (named == nil || named.file != from.file && u.file == from.file):
			named = u
		case u.rule.Title == reference && (titled == nil || titled.file != from.file && u.file == from.file):
			titled = u
		}
	}
	if named != nil {
		return named
	}
	return titled
}

// compile compiles a rule once, and what it refers to before it.
func (c *compiler) compile(u *unit) {
	switch u.state {
	case done:
		return
	case underway:
		u.err = reasonf("it refers to itself")
		return
	}
	u.state = underway
	err := c.unit(u)
	if u.err == nil {
		u.err = err
	}
	u.state = done
}

func (c *compiler) unit(u *unit) error {
	correlation, detection := member(u.node, "correlation"), member(u.node, "detection")
	switch {
	case correlation == nil && detection == nil && member(u.node, "filter") != nil:
		return reasonf("it is a Sigma filter, which is not supported")
	case correlation == nil && detection == nil:
		return reasonf("is no Sigma rule: it has neither detection nor correlation")
	case correlation == nil:
		source := member(u.node, "logsource")
		if source == nil {
			return reasonf("it has no logsource")
		}
		if u.foreign = !isCloudTrail(source); u.foreign {
			return nil
		}
	}
	var err error
	if u.rule.Severity, err = severityOf(text(u.node, "level")); err != nil {
		return at(member(u.node, "level"), err)
	}
	u.rule.Tactic, u.rule.Techniques = attackOf(texts(u.node, "tags"))
	if correlation != nil {
		err = c.correlation(u, correlation)
	} else {
		err = c.detection(u, detection)
	}
	if err != nil || u.foreign {
		return err
	}
	if !u.anchored {
		u.rule.Needs = rules.AnyEvent
	}
	// Correlations of correlations hold the SQL of what they refer to, maybe
	// several times.
	if size := len(u.rule.SQL()); size > maxSQL {
		return reasonf("it makes %d MB of SQL, more than a query may have", size>>20)
	}
	return nil
}

// maxSQL is far more than any rule but a made-up one needs.
const maxSQL = 8 << 20

// isCloudTrail holds for AWS's logs unless the rule names another of them.
func isCloudTrail(source *yaml.Node) bool {
	service, category := text(source, "service"), text(source, "category")
	return strings.EqualFold(text(source, "product"), "aws") &&
		(strings.EqualFold(service, "cloudtrail") || service == "" && category == "")
}

// severityOf is a rule's level; one without a level is taken for medium.
func severityOf(level string) (rules.Severity, error) {
	switch strings.ToLower(level) {
	case "":
		return rules.Medium, nil
	case "informational":
		return rules.Info, nil
	}
	s, err := rules.ParseSeverity(level)
	if err != nil {
		return 0, reasonf("level %q is none of critical, high, medium, low, informational", level)
	}
	return s, nil
}

// detection compiles the searches of a rule and its condition. Several
// conditions are alternatives.
func (c *compiler) detection(u *unit, detection *yaml.Node) error {
	if detection.Kind != yaml.MappingNode {
		return at(detection, reasonf("detection is no map"))
	}
	searches, err := c.searches(detection)
	if err != nil {
		return err
	}
	stated := member(detection, "condition")
	if stated == nil {
		return at(detection, reasonf("detection has no condition"))
	}
	alternatives := []*yaml.Node{stated}
	if stated.Kind == yaml.SequenceNode {
		alternatives = stated.Content
	}
	var any anyOf
	for _, n := range alternatives {
		if n = deref(n); n.Kind != yaml.ScalarNode {
			return at(n, reasonf("condition is no text"))
		}
		tree, aggregation, err := parseCondition(n.Value)
		if err != nil {
			return at(n, err)
		}
		e, err := compileCondition(tree, searches)
		if err != nil {
			return at(n, err)
		}
		shaped, err := c.shape(u, detection, tree, aggregation, e, searches)
		if err != nil {
			return at(n, err)
		}
		if shaped && len(alternatives) > 1 {
			return at(n, reasonf("an aggregation in one of several conditions is not supported"))
		}
		any = append(any, e)
	}
	if u.rule.Sequence == nil {
		u.rule.Where, u.anchored = any.sql(), any.anchored()
	}
	return nil
}

// rows is a condition for the events that a rule finds.
func (u *unit) rows() string {
	if u.rule.Threshold == nil && u.rule.Sequence == nil {
		return u.rule.Where
	}
	return "(source_id, record_index) IN (SELECT source_id, record_index FROM (" + u.rule.SQL() + ") AS correlated)"
}

// slug makes a title fit for an id.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}

// because is the first reason of an error, for one that follows from it.
func because(err error) string {
	if l := (lined{}); errors.As(err, &l) {
		return fmt.Sprintf("line %d: %s", l.line, err)
	}
	return err.Error()
}
