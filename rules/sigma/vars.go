package sigma

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Vars are the values of placeholders, by name.
type Vars map[string][]string

// ReadVars reads a YAML or JSON file with a map of names to a value or a list
// of values; it may stand under the key vars.
func ReadVars(file string) (Vars, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read Sigma placeholders: %w", err)
	}
	documents, err := parseDocuments(file, data)
	if err != nil {
		return nil, fmt.Errorf("read Sigma placeholders: %s: %w", position(file, err), err)
	}
	vars := Vars{}
	for _, d := range documents {
		node := d.node
		if inner := member(node, "vars"); inner != nil && inner.Kind == yaml.MappingNode {
			node = inner
		}
		if err := checkShape(node); err != nil {
			return nil, fmt.Errorf("read Sigma placeholders: %s: %w", position(file, err), err)
		}
		for key, value := range members(node) {
			if value = deref(value); value.Kind != yaml.ScalarNode && value.Kind != yaml.SequenceNode {
				return nil, fmt.Errorf("read Sigma placeholders: %s:%d: %s must be a value or a list of values", file, key.Line, key.Value)
			}
			list := texts(node, key.Value)
			if value.Kind == yaml.SequenceNode && len(list) != len(value.Content) {
				return nil, fmt.Errorf("read Sigma placeholders: %s:%d: %s must be a list of values", file, key.Line, key.Value)
			}
			vars[strings.Trim(key.Value, "%")] = list
		}
	}
	return vars, nil
}

// expand fills the placeholders of a value, %name%, with each of their values.
// A percent sign after a backslash is a plain one.
func (c *compiler) expand(text string) ([]string, error) {
	const plain = "\x00" // stands for an escaped percent sign
	rest := strings.ReplaceAll(text, `\%`, plain)
	found := []string{""}
	grow := func(by ...string) error {
		if len(found)*len(by) > maxVariants {
			return reasonf("placeholders make more than %d values of %q", maxVariants, text)
		}
		var longer []string
		for _, f := range found {
			for _, b := range by {
				longer = append(longer, f+b)
			}
		}
		found = longer
		return nil
	}
	for {
		before, after, opened := strings.Cut(rest, "%")
		name, remaining, closed := strings.Cut(after, "%")
		if !opened || !closed || name == "" || strings.ContainsAny(name, " \t\n"+plain) {
			if err := grow(rest); err != nil {
				return nil, err
			}
			break
		}
		values, ok := c.vars[name]
		if !ok {
			return nil, reasonf("placeholder %%%s%% has no values: give them with --sigma-vars", name)
		}
		if err := grow(before); err != nil {
			return nil, err
		}
		if err := grow(values...); err != nil {
			return nil, err
		}
		rest = remaining
	}
	for i, f := range found {
		found[i] = strings.ReplaceAll(f, plain, "%")
	}
	return found, nil
}
