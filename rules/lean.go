package rules

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// compileLean writes the query of a rule that may look at most of a large case:
// time and order are judged with little more than the rows' numbers, and what
// else the result has is read for the events found.
func (r Rule) compileLean(from relations) string {
	if r.Threshold == nil && r.Sequence == nil && r.FirstSeen == nil && r.Spike == nil {
		return cheaper(r.compile(from))
	}
	lean := from
	lean.columns = []string{"event_time", "source_id", "record_index"}
	return cheaper("WITH " + from.calls + "\nSELECT " + r.selectList(from.columns, "") + "\nFROM calls\nWHERE (source_id, record_index) IN (\n" +
		"    SELECT source_id, record_index FROM (\n" + r.compile(lean) + "\n) AS judged)")
}

var extraction = regexp.MustCompile(`json_extract_scalar\((\w+), '\$\.(\w+)[^']*'\)`)

// cheaper looks whether a member's name is anywhere in the text before parsing
// it as JSON. A name that is written with escapes has a backslash.
func cheaper(sql string) string {
	return extraction.ReplaceAllString(sql, `CASE WHEN strpos($1, '"$2"') > 0 OR strpos($1, '\') > 0 THEN $0 END`)
}

// dimension is a table that many events have one row of in common.
type dimension struct {
	table   string
	columns []string
}

// dimensions are the small tables in which a condition on their columns alone
// is cheap to decide.
var dimensions = []dimension{
	{"contexts", []string{"user_agent", "event_type", "event_category", "event_version", "api_version", "vpc_endpoint_id", "vpc_endpoint_account_id", "tls_details"}},
	{"identities", []string{"user_identity", "identity_type", "principal_id", "identity_arn", "identity_account_id", "access_key_id",
		"user_name", "invoked_by", "session_issuer_type", "session_issuer_arn", "session_issuer_principal_id",
		"session_issuer_account_id", "session_issuer_name", "session_mfa"}},
	{"temp.scan_addresses", []string{"source_ip_address"}},
}

const addressesSQL = `CREATE OR REPLACE TEMP TABLE scan_addresses AS SELECT DISTINCT source_ip_address FROM events`

// reduced is the rule without the alternatives that no call, caller, client or
// address of the case is of; false when nothing is left that it can find.
func (s *shared) reduced(ctx context.Context, r Rule, columns []string) (Rule, bool, error) {
	where, possible, err := s.reduce(ctx, r.Where, columns)
	if err != nil || !possible {
		return r, possible, err
	}
	r.Where = where
	if r.Sequence == nil {
		return r, true, nil
	}
	found, least := 0, len(r.Sequence.Steps)
	if r.Sequence.Least > 0 {
		least = r.Sequence.Least
	}
	for _, step := range r.Sequence.Steps {
		if _, possible, err := s.reduce(ctx, step.Where, columns); err != nil {
			return r, true, err
		} else if possible {
			found++
		}
	}
	return r, found >= least, nil
}

// reduce leaves out of a condition the alternatives that cannot hold. It says
// false when the whole cannot.
func (s *shared) reduce(ctx context.Context, condition string, columns []string) (string, bool, error) {
	if condition == "" {
		return "", true, nil
	}
	if len(facetsOf(facetTest(condition), s.facets)) == 0 {
		return condition, false, nil
	}
	condition = unwrapped(condition)
	if alternatives := split(condition, "OR"); len(alternatives) > 1 {
		var left []string
		for _, a := range alternatives {
			a, possible, err := s.reduce(ctx, a, columns)
			if err != nil {
				return condition, true, err
			}
			if possible {
				left = append(left, "("+a+")")
			}
		}
		return "(" + strings.Join(left, " OR ") + ")", len(left) > 0, nil
	}
	terms := conjuncts(condition)
	for _, d := range dimensions {
		if any, err := s.holds(ctx, d, terms, columns); err != nil || !any {
			return condition, any, err
		}
	}
	for i, t := range terms {
		if inner := unwrapped(t); inner != strings.TrimSpace(t) && len(terms) > 1 || len(split(inner, "OR")) > 1 {
			reduced, possible, err := s.reduce(ctx, inner, columns)
			if err != nil || !possible {
				return condition, possible, err
			}
			terms[i] = " (" + reduced + ") "
		}
	}
	if terms == nil {
		return condition, true, nil
	}
	return strings.Join(terms, "AND"), true, nil
}

// holds says whether a row of the dimension meets all that is asked of it alone.
func (s *shared) holds(ctx context.Context, d dimension, terms, columns []string) (any bool, err error) {
	var about []string
	for _, t := range terms {
		if d.decides(t, columns) {
			about = append(about, "("+t+")")
		}
	}
	if len(about) == 0 {
		return true, nil
	}
	query := fmt.Sprintf(`SELECT EXISTS (FROM %s WHERE %s)`, d.table, strings.Join(about, " AND "))
	if any, known := s.answers[query]; known {
		return any, nil
	}
	if err = s.conn.QueryRowContext(ctx, query).Scan(&any); err == nil {
		s.answers[query] = any
	}
	return any, err
}

// decides holds for a condition on columns of the dimension alone.
func (d dimension) decides(condition string, columns []string) bool {
	if nested.MatchString(condition) {
		return false
	}
	some := false
	for _, w := range word.FindAllString(strings.ToLower(literalOf.ReplaceAllString(condition, "''")), -1) {
		if slices.Contains(d.columns, w) {
			some = true
		} else if w == "outcome" || slices.Contains(columns, w) {
			return false
		}
	}
	return some
}

var literalOf = regexp.MustCompile(`'(?:[^']|'')*'`)

// mayHoldOfNone finds what may hold of a value that is not there.
var mayHoldOfNone = regexp.MustCompile(`(?i)\b(is|coalesce|case|ifnull|if)\b`)

// byAddress lets what a condition says of the address alone be decided once an
// address: they are few beside the events.
func byAddress(condition string, columns []string) string {
	addresses := dimensions[len(dimensions)-1]
	var about, others []string
	for _, t := range conjuncts(condition) {
		if addresses.decides(t, columns) && !mayHoldOfNone.MatchString(t) {
			about = append(about, "("+t+")")
		} else {
			others = append(others, "("+t+")")
		}
	}
	if len(about) == 0 {
		return condition
	}
	return strings.Join(append(others, "source_ip_address IN (SELECT source_ip_address FROM "+addresses.table+" WHERE "+strings.Join(about, " AND ")+")"), " AND ")
}

// conjuncts are the operands of a condition that is one AND of several.
func conjuncts(condition string) []string {
	if len(split(condition, "OR")) > 1 {
		return []string{condition}
	}
	return split(condition, "AND")
}

// split divides a condition at the operators that join its outermost operands;
// AND must not stand beside OR. A condition with comments is not read.
func split(condition, operator string) []string {
	if strings.Contains(condition, "--") || strings.Contains(condition, "/*") {
		return nil
	}
	var terms []string
	depth, start, between := 0, 0, false
	for _, at := range sqlToken.FindAllStringIndex(condition, -1) {
		switch word := strings.ToUpper(condition[at[0]:at[1]]); {
		case word == "(" || word == "CASE":
			depth++
		case word == ")" || word == "END":
			depth--
		case depth > 0:
		case word == "BETWEEN":
			between = true
		case word == "AND" && between:
			between = false
		case word == operator:
			terms = append(terms, condition[start:at[0]])
			start = at[1]
		}
	}
	return append(terms, condition[start:])
}

// unwrapped is a condition without parentheses around the whole of it.
func unwrapped(condition string) string {
	for {
		condition = strings.TrimSpace(condition)
		tokens := sqlToken.FindAllStringIndex(condition, -1)
		depth := 0
		for i, at := range tokens {
			switch condition[at[0]:at[1]] {
			case "(":
				depth++
			case ")":
				depth--
			}
			if depth == 0 && (i < len(tokens)-1 || i == 0) {
				return condition
			}
		}
		if depth != 0 || len(tokens) == 0 {
			return condition
		}
		condition = condition[1 : len(condition)-1]
	}
}
