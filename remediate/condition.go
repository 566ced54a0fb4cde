package remediate

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one operator with one key of a Condition element.
type condition struct {
	operator string // without set prefix, IfExists and Not
	key      string // lower case
	values   []string
	negated  bool
	ifExists bool
	set      string // "", "ForAnyValue" or "ForAllValues"
}

// parseConditions reads a Condition element, in the order of operators and keys:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
func parseConditions(element any) ([]condition, error) {
	if element == nil {
		return nil, nil
	}
	operators, ok := element.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read a policy: its Condition is no object")
	}
	var out []condition
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		keys, ok := operators[name].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read a policy: the condition %s is no object", name)
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			c := condition{operator: name, key: strings.ToLower(key), values: texts(keys[key])}
			if set, rest, found := strings.Cut(c.operator, ":"); found {
				c.set, c.operator = set, rest
			}
			c.operator, c.ifExists = strings.CutSuffix(c.operator, "IfExists")
			for _, family := range []string{"String", "Arn", "Numeric"} {
				if rest, found := strings.CutPrefix(c.operator, family+"Not"); found {
					c.operator, c.negated = family+rest, true
				}
			}
			switch c.operator {
			case "DateNotEquals":
				c.operator, c.negated = "DateEquals", true
			case "NotIpAddress":
				c.operator, c.negated = "IpAddress", true
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// issueTime is the one key whose absence and value the reasons name.
const issueTime = "aws:tokenissuetime"

// holds says whether a condition is met, and why not. A key that the request
// does not have meets a negated operator and no other.
func (c condition) holds(r *request) (truth, Reason) {
	value, present := r.key(c.key)
	if present == unknown {
		return unknown, ReasonUndecided
	}
	if c.operator == "Null" {
		wanted := len(c.values) > 0 && c.values[0] == "true"
		return truthOf(wanted == (present == no)), ReasonCondition
	}
	if present == no {
		if c.ifExists || c.negated || c.set == "ForAllValues" {
			return yes, ""
		}
		if c.key == issueTime {
			return no, ReasonNoIssueTime
		}
		return no, ReasonCondition
	}
	got := no
	for _, v := range c.values {
		if strings.Contains(v, "${") {
			return unknown, ReasonUndecided
		}
		got = max(got, compare(c.operator, value, v))
	}
	if c.negated && got != unknown {
		got = yes - got
	}
	if got == no && c.key == issueTime {
		return no, ReasonIssuedLater
	}
	return got, ReasonCondition
}

// compare applies an operator to the value of a request and one of a policy.
func compare(operator, value, wanted string) truth {
	switch operator {
	case "StringEquals":
		return truthOf(value == wanted)
	case "StringEqualsIgnoreCase":
		return truthOf(strings.EqualFold(value, wanted))
	case "StringLike":
		return truthOf(wildcard(wanted, value))
	case "ArnEquals", "ArnLike":
		return truthOf(arnLike(wanted, value))
	case "Bool":
		return truthOf(strings.EqualFold(value, wanted))
	case "IpAddress":
		return inNetwork(value, wanted)
	}
	if family, ok := strings.CutPrefix(operator, "Date"); ok {
		a, aok := policyTime(value)
		b, bok := policyTime(wanted)
		if !aok || !bok {
			return unknown
		}
		return ordered(family, a.Compare(b))
	}
	if family, ok := strings.CutPrefix(operator, "Numeric"); ok {
		a, aerr := strconv.ParseFloat(value, 64)
		b, berr := strconv.ParseFloat(wanted, 64)
		if aerr != nil || berr != nil {
			return unknown
		}
		order := 0
		if a < b {
			order = -1
		} else if a > b {
			order = 1
		}
		return ordered(family, order)
	}
	return unknown
}

func ordered(operator string, order int) truth {
	switch operator {
	case "Equals":
		return truthOf(order == 0)
	case "LessThan":
		return truthOf(order < 0)
	case "LessThanEquals":
		return truthOf(order <= 0)
	case "GreaterThan":
		return truthOf(order > 0)
	case "GreaterThanEquals":
		return truthOf(order >= 0)
	}
	return unknown
}

// arnLike compares the six parts of ARNs one by one.
func arnLike(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return pattern == "*" || pattern == arn
	}
	for i := range p {
		if !wildcard(p[i], a[i]) {
			return false
		}
	}
	return true
}

// inNetwork compares addresses. Instead of one, a record may name a service.
func inNetwork(value, wanted string) truth {
	ip, err := netip.ParseAddr(value)
	if err != nil {
		return unknown
	}
	if network, err := netip.ParsePrefix(wanted); err == nil {
		return truthOf(network.Contains(ip))
	}
	one, err := netip.ParseAddr(wanted)
	if err != nil {
		return unknown
	}
	return truthOf(one == ip)
}

// policyTime reads a time of a policy: ISO 8601 to some precision, or seconds
// since 1970.
func policyTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0), true
	}
	return time.Time{}, false
}
