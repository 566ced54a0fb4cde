package remediate

import (
	"maps"
	"slices"
	"strings"
)

// renaming is an UpdateUser or UpdateGroup that gave a new name.
type renaming struct {
	*event
	kind, param string // "user", "userName"
	from, to    string
}

// names follows users and groups that were renamed, so that a plan calls them
// what they are called now: by its old name AWS would say that the intruder's
// user is gone.
type names []renaming

// followNames gives the renamings of a case in order, and rewrites what came
// before each to the new name. Evidence keeps the ids of the events.
func followNames(lists ...[]*event) names {
	var all []*event
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.SortStableFunc(all, func(a, b *event) int { return a.time.Compare(b.time) })
	var out names
	for i, e := range all {
		r := renaming{event: e, kind: "user", param: "userName"}
		switch {
		case e.source != "iam":
			continue
		case e.name == "UpdateGroup":
			r.kind, r.param = "group", "groupName"
		case e.name != "UpdateUser":
			continue
		}
		r.from, _ = dig(e.request, []string{r.param}).(string)
		r.to, _ = dig(e.request, []string{"new" + strings.ToUpper(r.param[:1]) + r.param[1:]}).(string)
		if r.from == "" || r.to == "" || r.from == r.to {
			continue
		}
		for _, earlier := range all[:i] {
			if earlier.source == "iam" && earlier.accountID == e.accountID {
				earlier.request = r.rewrite(earlier.request)
				earlier.response = r.rewrite(earlier.response)
				earlier.identity = r.rewrite(earlier.identity)
			}
		}
		for _, earlier := range out {
			if earlier.kind == r.kind && earlier.accountID == r.accountID && earlier.to == r.from {
				// Renamed twice: the way back leads to the first name.
				e.request = renaming{param: r.param, from: r.from, to: earlier.from}.rewrite(e.request)
			}
		}
		out = append(out, r)
	}
	return out
}

// rewrite puts the new name into the members that hold the old one.
func (r renaming) rewrite(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for k, e := range out {
			renames := strings.EqualFold(k, r.param) || strings.EqualFold(k, "new"+r.param)
			if renames && e == r.from {
				out[k] = r.to
				continue
			}
			out[k] = r.rewrite(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.rewrite(e)
		}
		return out
	}
	return v
}

// now is what the user of an ARN is called now, and its ARN. The old name may
// have been given again since: then it stands for that user.
func (n names) now(s subject, arn string, h history) (subject, string) {
	for _, r := range n {
		if r.kind != s.kind || r.accountID != s.account || r.from != s.name {
			continue
		}
		again := slices.ContainsFunc(h["iam:CreateUser"], func(e *event) bool {
			return e.accountID == s.account && !e.time.Before(r.time) && dig(e.request, []string{r.param}) == s.name
		})
		if !again {
			arn = strings.TrimSuffix(arn, s.name) + r.to
			s.name = r.to
		}
	}
	return s, arn
}
