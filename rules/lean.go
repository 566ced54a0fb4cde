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

// barren says whether no caller, client or address of the case is one that the
// rule is about, so that it cannot find anything.
func (s *shared) barren(ctx context.Context, r Rule, columns []string) (bool, error) {
	terms := innerConjuncts(r.Where)
	for _, d := range dimensions {
		var about []string
		for _, t := range terms {
			if d.decides(t, columns) {
				about = append(about, "("+t+")")
			}
		}
		if len(about) == 0 {
			continue
		}
		var any bool
		query := fmt.Sprintf(`SELECT EXISTS (FROM %s WHERE %s)`, d.table, strings.Join(about, " AND "))
		if err := s.conn.QueryRowContext(ctx, query).Scan(&any); err != nil {
			return false, err
		}
		if !any {
			return true, nil
		}
	}
	return false, nil
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

// conjuncts are the operands of a condition that is one AND of several.
func conjuncts(condition string) []string {
	if strings.Contains(condition, "--") || strings.Contains(condition, "/*") {
		return nil
	}
	var terms []string
	depth, start, between := 0, 0, false
	for _, at := range sqlToken.FindAllStringIndex(condition, -1) {
		switch strings.ToUpper(condition[at[0]:at[1]]) {
		case "(", "CASE":
			depth++
		case ")", "END":
			depth--
		case "OR":
			if depth == 0 {
				return []string{condition}
			}
		case "BETWEEN":
			between = between || depth == 0
		case "AND":
			switch {
			case depth > 0:
			case between:
				between = false
			default:
				terms = append(terms, condition[start:at[0]])
				start = at[1]
			}
		}
	}
	return append(terms, condition[start:])
}
