package remediate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// truth is what can be said from a log: a record does not hold all that AWS
// evaluates, so the third value is that it cannot be told.
type truth int8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// document is a policy as far as it denies, or says who may assume a role.
type document struct{ statements []statement }

// statement is one statement of a policy:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html.
type statement struct {
	deny                    bool
	actions, notActions     []string
	resources, notResources []string
	principal, notPrincipal any // nil: the element is not there
	conditions              []condition
}

// parsePolicy reads the text of a policy. now stands for the time of the call
// that puts it on.
func parsePolicy(text, now string) (*document, error) {
	var raw struct {
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, Now, now)), &raw); err != nil {
		return nil, fmt.Errorf("read a policy: %w", err)
	}
	var list []map[string]any
	if json.Unmarshal(raw.Statement, &list) != nil {
		var one map[string]any
		if err := json.Unmarshal(raw.Statement, &one); err != nil {
			return nil, fmt.Errorf("read a policy: it has no Statement")
		}
		list = []map[string]any{one}
	}
	d := &document{}
	for _, m := range list {
		s := statement{
			deny:    m["Effect"] == "Deny",
			actions: texts(m["Action"]), notActions: texts(m["NotAction"]),
			resources: texts(m["Resource"]), notResources: texts(m["NotResource"]),
			principal: m["Principal"], notPrincipal: m["NotPrincipal"],
		}
		var err error
		if s.conditions, err = parseConditions(m["Condition"]); err != nil {
			return nil, err
		}
		d.statements = append(d.statements, s)
	}
	return d, nil
}

// texts are the strings of an element that may be one or a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool, float64:
		return []string{fmt.Sprint(v)}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, texts(e)...)
		}
		return out
	}
	return nil
}

// wildcard says whether s matches a pattern with * (any characters) and ? (one).
func wildcard(pattern, s string) bool {
	// After a mismatch the last * takes one character more: linear but for the
	// product of both lengths, whatever the pattern.
	star, from, p, i := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// covers says whether a statement's Action or NotAction names an action. Case
// does not matter in them.
func (s *statement) covers(action string) bool {
	match := func(p string) bool { return p == "*" || wildcard(strings.ToLower(p), strings.ToLower(action)) }
	if len(s.notActions) > 0 {
		return !slices.ContainsFunc(s.notActions, match)
	}
	return slices.ContainsFunc(s.actions, match)
}

// on says whether a statement is about one of the resources of a call, of which
// a record names some, all or none. The policy of a bucket has no others.
func (s *statement) on(arns []string) truth {
	patterns, negated := s.resources, false
	if len(s.notResources) > 0 {
		patterns, negated = s.notResources, true
	}
	switch {
	case len(patterns) == 0:
		return truthOf(!negated) // a trust policy
	case slices.Contains(patterns, "*"):
		return truthOf(!negated)
	case len(arns) == 0:
		return unknown
	}
	for _, arn := range arns {
		for _, p := range patterns {
			if strings.Contains(p, "${") {
				return unknown // a policy variable
			}
			if wildcard(p, arn) != negated {
				return yes
			}
		}
	}
	return no
}

// denies says whether a policy denies a request, and where it does not, what of
// the statement that comes nearest does not fit.
func (d *document) denies(r *request) (truth, Reason) {
	best, why, rank := no, ReasonNotDenied, -1
	for i := range d.statements {
		s := &d.statements[i]
		if !s.deny {
			continue
		}
		got, reason, near := s.applies(r)
		if got > best || got == best && near > rank {
			best, why, rank = got, reason, near
		}
	}
	return best, why
}

// applies says whether a statement is about a request; near is how far it got.
func (s *statement) applies(r *request) (got truth, why Reason, near int) {
	if s.principal != nil || s.notPrincipal != nil {
		if got := s.names(r.caller); got != yes {
			return got, ReasonPrincipal, 0
		}
	}
	if !slices.ContainsFunc(r.actions, s.covers) {
		return no, ReasonAction, 1
	}
	got = s.on(r.resources)
	if got == no {
		return no, ReasonResource, 2
	}
	if got == unknown {
		why = ReasonUndecided
	}
	for _, c := range s.conditions {
		holds, reason := c.holds(r)
		if holds == no {
			return no, reason, 3
		}
		if holds < got {
			got, why = holds, ReasonUndecided
		}
	}
	return got, why, 4
}

// deniesAll says whether a policy denies everything to a caller, so that its
// credential is worth nothing, or something, so that it is worth less.
func (d *document) deniesAll(r *request) (all truth, some bool, why Reason) {
	why = ReasonNotDenied
	for i := range d.statements {
		s := &d.statements[i]
		if !s.deny {
			continue
		}
		holds := yes
		for _, c := range s.conditions {
			got, reason := c.holds(r)
			if got < holds {
				holds, why = got, reason
			}
		}
		whole := slices.Contains(s.actions, "*") || slices.Contains(s.actions, "*:*")
		if !whole || !slices.Contains(s.resources, "*") {
			if some = some || holds != no; all == no {
				why = ReasonAction
			}
			continue
		}
		all = max(all, holds)
	}
	return all, some, why
}

// names says whether the Principal element of a statement stands for a caller.
func (s *statement) names(c caller) truth {
	if s.notPrincipal != nil {
		switch principalNames(s.notPrincipal, c) {
		case yes:
			return no
		case no:
			return yes
		}
		return unknown
	}
	return principalNames(s.principal, c)
}

// principalNames follows
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html.
func principalNames(element any, c caller) truth {
	if element == "*" {
		return yes
	}
	kinds, _ := element.(map[string]any)
	for kind, v := range kinds {
		for _, name := range texts(v) {
			switch kind {
			case "AWS":
				a, isARN := parseARN(name)
				switch {
				case name == "*", name == c.account, isARN && a.resource == "root" && a.account == c.account,
					name == c.arn, name == c.holderARN(), name == c.id, roleID(c.id) != "" && name == roleID(c.id):
					return yes
				}
			case "Federated":
				if name == c.provider || c.provider != "" && lastSegment(name) == c.provider {
					return yes
				}
			case "Service":
				if name == c.invokedBy && c.kind == "AWSService" {
					return yes
				}
			}
		}
	}
	if c.arn == "" && c.id == "" && c.account == "" {
		return unknown
	}
	return no
}

// admits says whether a trust policy lets a request in. What cannot be told
// counts as let in, for a way that is thought shut and is not is the worse
// mistake.
func (d *document) admits(r *request) bool {
	admitted := false
	for i := range d.statements {
		s := &d.statements[i]
		got, _, _ := s.applies(r)
		if s.deny && got == yes {
			return false
		}
		admitted = admitted || !s.deny && got != no
	}
	return admitted
}
