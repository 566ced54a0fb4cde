package sigma

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"trailscan/rules"
)

// correlation is what a correlation rule says, with its references found.
// https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html
type correlation struct {
	*unit
	node       *yaml.Node
	kind       string
	references []string
	units      []*unit
	groupBy    []string
	threshold  rules.Threshold // window, least and most
	counted    []string        // fields
}

func (c *compiler) correlation(u *unit, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return at(n, reasonf("correlation is no map"))
	}
	r := &correlation{unit: u, node: n, kind: strings.ToLower(text(n, "type")), references: texts(n, "rules"), groupBy: texts(n, "group-by")}
	if err := c.refer(r); err != nil || u.foreign {
		return err
	}
	timespan := member(n, "timespan")
	if timespan == nil {
		return at(n, reasonf("correlation has no timespan"))
	}
	var err error
	if r.threshold.Window, err = span(timespan.Value); err != nil {
		return at(timespan, err)
	}
	if err := r.readCondition(); err != nil {
		return err
	}
	switch r.kind {
	case "event_count", "value_count":
		return r.count()
	case "temporal", "temporal_ordered":
		return r.sequence()
	}
	return at(n, reasonf("correlation type %q is not supported: event_count, value_count, temporal and temporal_ordered are", r.kind))
}

// refer finds and compiles the rules that a correlation is about.
func (c *compiler) refer(r *correlation) error {
	list := member(r.node, "rules")
	if len(r.references) == 0 {
		return at(r.node, reasonf("correlation names no rules"))
	}
	alone := strings.EqualFold(text(r.node, "generate"), "true") || strings.EqualFold(text(r.unit.node, "generate"), "true")
	foreign := 0
	for _, reference := range r.references {
		u := c.find(r.unit, reference)
		if u == nil {
			return at(list, reasonf("it refers to %q, which is the id, name or title of no rule given", reference))
		}
		c.compile(u)
		u.part, u.whole = true, u.whole || alone
		switch {
		case u.state == underway:
			return at(list, reasonf("it refers to itself"))
		case u.foreign:
			foreign++
		case u.err != nil:
			return at(list, reasonf("it refers to %q, which cannot be compiled: %s", reference, because(u.err)))
		}
		r.units = append(r.units, u)
	}
	switch foreign {
	case 0:
		return nil
	case len(r.references):
		r.unit.foreign = true
		return nil
	}
	return at(list, reasonf("it refers to rules about other log sources than CloudTrail"))
}

// readCondition reads the limits of the count and the field that is counted.
func (r *correlation) readCondition() error {
	temporal := strings.HasPrefix(r.kind, "temporal")
	n := member(r.node, "condition")
	switch {
	case n == nil && temporal:
		return nil
	case n == nil:
		return at(r.node, reasonf("correlation has no condition"))
	case n.Kind == yaml.ScalarNode && temporal:
		return r.readNames(n)
	case n.Kind != yaml.MappingNode:
		return at(n, reasonf("condition of the correlation is no map"))
	}
	var b bounds
	limited := false
	for key, value := range members(n) {
		if key.Value == "field" {
			r.counted = texts(n, "field")
			continue
		}
		count, err := strconv.Atoi(strings.TrimSpace(deref(value).Value))
		if err != nil {
			return at(value, reasonf("condition compares with %q, not with a number", deref(value).Value))
		}
		if err := b.add(key.Value, count); err != nil {
			return at(key, err)
		}
		limited = true
	}
	if !limited {
		return at(n, reasonf("condition of the correlation compares with nothing"))
	}
	var err error
	if r.threshold.Count, r.threshold.Most, err = b.limits(); err != nil {
		return at(n, err)
	}
	r.threshold.Except = b.except
	return nil
}

// readNames reads the condition "a and b and c" over the names of the rules:
// the meaning that no condition has too.
func (r *correlation) readNames(n *yaml.Node) error {
	tree, rest, err := parseCondition(n.Value)
	if err != nil {
		return at(n, err)
	}
	names := conjunction(tree)
	for _, reference := range r.references {
		if rest != "" || len(names) != len(r.references) || !slices.Contains(names, reference) {
			return at(n, reasonf("a condition other than all rules linked by and is not supported"))
		}
	}
	return nil
}

// count makes a threshold of event_count and value_count.
func (r *correlation) count() error {
	t := r.threshold
	var where anyOf
	for _, u := range r.units {
		where = append(where, atom{text: u.rows(), named: u.anchored})
	}
	switch {
	case r.kind == "value_count" && len(r.counted) == 0:
		return at(r.node, reasonf("value_count has no field in its condition"))
	case r.kind == "event_count" && len(r.counted) > 0:
		return at(r.node, reasonf("event_count has a field in its condition: value_count counts values"))
	case len(r.counted) > 0:
		var fields []string
		for _, name := range r.counted {
			e, err := r.grouped(name)
			if err != nil {
				return err
			}
			fields = append(fields, e)
		}
		t.Distinct = together(fields)
	}
	for _, name := range r.groupBy {
		e, err := r.grouped(name)
		if err != nil {
			return err
		}
		t.By = append(t.By, e)
	}
	r.rule.Where, r.rule.Threshold, r.anchored = where.sql(), &t, where.anchored()
	return nil
}

// sequence makes a sequence of temporal and temporal_ordered.
func (r *correlation) sequence() error {
	s := &rules.Sequence{Within: r.threshold.Window, Unordered: r.kind == "temporal"}
	if len(r.units) < 2 {
		return at(r.node, reasonf("%s needs two rules or more", r.kind))
	}
	if r.threshold.Count > 0 {
		switch {
		case r.threshold.Count > len(r.units) || r.threshold.Except > 0 || r.threshold.Most > 0 && r.threshold.Most < len(r.units):
			return at(r.node, reasonf("a condition on the number of rules that is not \"at least\" so many of them is not supported"))
		case !s.Unordered && r.threshold.Count != len(r.units):
			return at(r.node, reasonf("temporal_ordered of fewer than all rules is not supported"))
		}
		s.Least = r.threshold.Count
	}
	r.anchored = true
	for i, u := range r.units {
		on := []string{}
		for _, name := range r.groupBy {
			f, err := r.fieldIn(name, i)
			if err != nil {
				return err
			}
			on = append(on, f.value())
		}
		s.Steps = append(s.Steps, rules.Step{Where: u.rows(), On: together(on)})
		r.anchored = r.anchored && u.anchored
	}
	r.rule.Sequence = s
	return nil
}

// grouped is the value of a field or an alias, whichever rule an event is of.
func (r *correlation) grouped(name string) (string, error) {
	if member(member(r.node, "aliases"), name) == nil {
		f, err := r.fieldIn(name, 0)
		return f.value(), err
	}
	cases := "CASE"
	for i, u := range r.units {
		f, err := r.fieldIn(name, i)
		if err != nil {
			return "", err
		}
		cases += " WHEN " + u.rows() + " THEN " + f.value()
	}
	return cases + " END", nil
}

// fieldIn is a field, or what an alias stands for in the events of one rule.
func (r *correlation) fieldIn(name string, place int) (field, error) {
	alias := member(member(r.node, "aliases"), name)
	if alias == nil {
		f, err := fieldOf(name)
		if err != nil {
			return f, at(r.node, err)
		}
		return f, nil
	}
	u := r.units[place]
	for _, known := range []string{r.references[place], u.name, text(u.node, "id"), u.rule.Title} {
		if stands := text(alias, known); known != "" && stands != "" {
			f, err := fieldOf(stands)
			if err != nil {
				return f, at(alias, err)
			}
			return f, nil
		}
	}
	return field{}, at(alias, reasonf("alias %s says nothing of rule %q", name, r.references[place]))
}

// together makes one value of several; it is NULL where one of them is.
func together(values []string) string {
	switch len(values) {
	case 0:
		return noGroup
	case 1:
		return values[0]
	}
	return "(" + strings.Join(values, ") || chr(31) || (") + ")"
}
