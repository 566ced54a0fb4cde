package sigma

import "strings"

// expr is a condition on an event. Its SQL is true or not: an expression that
// is NULL does not hold, and a negation of it does.
type expr interface {
	sql() string
	// anchored says that the expression holds only for events of some names or
	// sources that it states, so that one knows which events it needs.
	anchored() bool
}

// atom is SQL that holds no negation of a NULL.
type atom struct {
	text  string
	named bool // states event names or sources
}

func (a atom) sql() string    { return a.text }
func (a atom) anchored() bool { return a.named }

const (
	always = "true"
	never  = "false"
)

type allOf []expr

func (e allOf) sql() string { return join(e, " AND ", always) }

func (e allOf) anchored() bool {
	for _, x := range e {
		if x.anchored() {
			return true
		}
	}
	return false
}

type anyOf []expr

func (e anyOf) sql() string { return join(e, " OR ", never) }

func (e anyOf) anchored() bool {
	for _, x := range e {
		if !x.anchored() {
			return false
		}
	}
	return true
}

// inverse holds where its operand does not, be that false or NULL.
type inverse struct{ of expr }

func (e inverse) sql() string  { return "NOT coalesce(" + e.of.sql() + ", false)" }
func (inverse) anchored() bool { return false }

// atLeast holds when so many of its operands do.
type atLeast struct {
	n  int
	of []expr
}

func (e atLeast) sql() string {
	terms := make([]string, len(e.of))
	for i, x := range e.of {
		terms[i] = "CASE WHEN " + x.sql() + " THEN 1 ELSE 0 END"
	}
	return "(" + strings.Join(terms, " + ") + " >= " + itoa(e.n) + ")"
}

func (e atLeast) anchored() bool { return anyOf(e.of).anchored() }

// join writes operands in parentheses where there are several.
func join(operands []expr, operator, none string) string {
	switch len(operands) {
	case 0:
		return none
	case 1:
		return operands[0].sql()
	}
	terms := make([]string, len(operands))
	for i, x := range operands {
		terms[i] = x.sql()
	}
	return "(" + strings.Join(terms, operator) + ")"
}
