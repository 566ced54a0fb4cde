package remediate

import (
	"encoding/json"
	"strings"
)

// trustOfAccount is a trust policy without the AWS principals that it names
// outside of an account, "*" among them; nil when that changes nothing or the
// text is no policy. Services and identity providers stay: whether they were
// there before, the policy does not say.
func trustOfAccount(document, account string) any {
	var policy map[string]any
	if json.Unmarshal([]byte(document), &policy) != nil {
		return nil
	}
	statements, ok := policy["Statement"].([]any)
	if !ok {
		statements = []any{policy["Statement"]}
	}
	changed := false
	kept := []any{}
	for _, s := range statements {
		statement, ok := s.(map[string]any)
		if !ok {
			return nil
		}
		if statement["Effect"] != "Allow" {
			kept = append(kept, statement)
			continue
		}
		principal, cut := principalsOfAccount(statement["Principal"], account)
		changed = changed || cut
		if principal != nil {
			statement["Principal"] = principal
			kept = append(kept, statement)
		}
	}
	if !changed {
		return nil
	}
	if len(kept) == 0 {
		return trustNobody
	}
	policy["Statement"] = kept
	text, err := compactJSON(policy)
	if err != nil {
		return nil
	}
	return text
}

// principalsOfAccount gives what is left of a Principal element, nil for
// nothing, and whether something was cut.
func principalsOfAccount(principal any, account string) (left any, cut bool) {
	kinds, ok := principal.(map[string]any)
	if !ok {
		return nil, true // "*", or no element that AWS accepts
	}
	out := map[string]any{}
	for kind, v := range kinds {
		if kind != "AWS" {
			out[kind] = v
			continue
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		var ours []any
		for _, e := range list {
			if name, ok := e.(string); ok && inAccount(name, account) {
				ours = append(ours, e)
			}
		}
		cut = cut || len(ours) < len(list)
		if len(ours) > 0 {
			out[kind] = ours
		}
	}
	if len(out) == 0 {
		return nil, true
	}
	return out, cut
}

// inAccount says that a principal is the account or in it. Unique ids, which
// stand for principals that were deleted, say nothing of theirs and do not count.
func inAccount(name, account string) bool {
	if name == account {
		return true
	}
	a, ok := parseARN(name)
	return ok && a.account == account && !strings.Contains(a.resource, "*")
}
