// Package sigma makes rules of Sigma rules about CloudTrail
// (https://sigmahq.io): their detections become conditions over the columns of
// events, their correlations the shapes that the rules of the pack have too.
// What it cannot express it refuses, with the line and the reason; it never
// compiles a rule to something that the rule does not say.
package sigma

import (
	"cmp"
	"errors"
	"fmt"

	"trailscan/rules"
)

// Set is what comes of files of Sigma rules.
type Set struct {
	Rules   []rules.Rule
	Refused []Refusal
	Skipped int // rules about other log sources than CloudTrail
}

// Refusal is a rule, or a file, that cannot be compiled.
type Refusal struct {
	Rule   string // as Rule.ID; "" when even that cannot be read
	Title  string
	File   string
	Line   int
	Reason string
}

// String says where the rule stands and why it is refused.
func (r Refusal) String() string {
	place := r.File
	if r.Line > 0 {
		place = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	if r.Title != "" {
		return fmt.Sprintf("%s: Sigma rule %q: %s", place, r.Title, r.Reason)
	}
	return place + ": " + r.Reason
}

// Assessment says of a refused rule that it was not assessed.
func (r Refusal) Assessment() rules.Assessment {
	return rules.Assessment{Rule: cmp.Or(r.Rule, "sigma:"+r.File), Assessed: rules.NotAssessed, Reason: r.String()}
}

// Load compiles the rules in the files, and in the folders with all below them,
// in the order of their names. Rules may refer to each other across files. The
// error is about a path that cannot be read at all.
func Load(paths []string, vars Vars) (*Set, error) {
	files, inFolder, err := findFiles(paths)
	if err != nil {
		return nil, err
	}
	set := &Set{}
	var documents []document
	for _, file := range files {
		found, err := readDocuments(file)
		if err != nil && !(inFolder[file] && isForeign(err)) {
			set.refuse(&unit{file: file}, err)
		}
		for _, d := range expandActions(found) {
			if inFolder[file] && !looksLikeRule(d) {
				continue
			}
			documents = append(documents, d)
		}
	}
	set.compile(documents, vars)
	return set, nil
}

// isForeign holds for a file that is YAML but no map, as some beside rules are.
func isForeign(err error) bool {
	var r reason
	return errors.As(err, &r) && r == "is no Sigma rule: a rule is a YAML map"
}

// looksLikeRule tells rules from other YAML in their folders.
func looksLikeRule(d document) bool {
	for _, key := range []string{"detection", "correlation", "logsource", "filter"} {
		if member(d.node, key) != nil {
			return true
		}
	}
	return false
}

// compile compiles the rules of the documents.
func (s *Set) compile(documents []document, vars Vars) {
	c := &compiler{vars: vars}
	for _, d := range documents {
		u := newUnit(d)
		if err := c.add(u); err != nil {
			s.refuse(u, err)
		}
	}
	for _, u := range c.units {
		c.compile(u)
	}
	for _, u := range c.units {
		switch {
		case u.foreign:
			s.Skipped++
		case u.err != nil:
			s.refuse(u, u.err)
		case !u.part || u.whole:
			s.Rules = append(s.Rules, u.rule)
		}
	}
}

func (s *Set) refuse(u *unit, err error) {
	line := u.line
	if l := (lined{}); errors.As(err, &l) {
		line = l.line
	}
	s.Refused = append(s.Refused, Refusal{Rule: u.rule.ID, Title: u.rule.Title, File: u.file, Line: line, Reason: err.Error()})
}

// position is a file and the line that an error is about.
func position(file string, err error) string {
	if l := (lined{}); errors.As(err, &l) && l.line > 0 {
		return fmt.Sprintf("%s:%d", file, l.line)
	}
	return file
}
