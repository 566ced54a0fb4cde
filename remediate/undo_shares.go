package remediate

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// sharing are the calls that share a kind of thing and take it back, and where
// they name whom: by parties, such as accounts and groups.
type sharing struct {
	call, reset string
	subject     string
	parties     []party
}

// party is one way to name whom something is shared with.
type party struct{ name, add, remove string }

var (
	snapshotShares = sharing{"ModifySnapshotAttribute", "ResetSnapshotAttribute", "rq.snapshotId", []party{
		{"Users", "rq.createVolumePermission.add.items[].userId", "rq.createVolumePermission.remove.items[].userId"},
		{"Groups", "rq.createVolumePermission.add.items[].group", "rq.createVolumePermission.remove.items[].group"},
	}}
	imageShares = sharing{"ModifyImageAttribute", "ResetImageAttribute", "rq.imageId", []party{
		{"Users", "rq.launchPermission.add.items[].userId", "rq.launchPermission.remove.items[].userId"},
		{"Groups", "rq.launchPermission.add.items[].group", "rq.launchPermission.remove.items[].group"},
	}}
	documentShares = sharing{"ModifyDocumentPermission", "", "rq.name", []party{{"Users", "rq.accountIdsToAdd", "rq.accountIdsToRemove"}}}
)

// before gives of each party whom the lineage let in, who is in still (drop), and
// whom it shut out, who is out still (add).
func (s sharing) before(h history, c *change, mine map[*event]bool) any {
	out := map[string]any{}
	touched := false
	for _, p := range s.parties {
		old, now, let, shut := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, e := range h.ofSubject(c, s.subject, s.call, s.reset) {
			own := mine[e] && slices.Contains(c.events, e)
			if e.name == s.reset {
				clear(now)
				if !mine[e] && e.time.Before(c.first().time) {
					clear(old)
				}
				continue
			}
			for _, k := range textList(e.at(p.add)) {
				now[show(k)] = true
				if own {
					let[show(k)] = true
				} else if e.time.Before(c.first().time) {
					old[show(k)] = true
				}
			}
			for _, k := range textList(e.at(p.remove)) {
				delete(now, show(k))
				if own && !let[show(k)] {
					shut[show(k)] = true
				} else if e.time.Before(c.first().time) {
					delete(old, show(k))
				}
			}
		}
		var drop, add []any
		for _, k := range slices.Sorted(maps.Keys(let)) {
			if now[k] && !old[k] && !shut[k] {
				drop = append(drop, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(shut)) {
			if !now[k] {
				add = append(add, k)
			}
		}
		touched = touched || len(let) > 0 || len(shut) > 0
		out["drop"+p.name], out["add"+p.name] = drop, add
	}
	if !touched {
		return nil // another attribute
	}
	for _, v := range out {
		if !isEmpty(v) {
			return out
		}
	}
	return asBefore
}

// ofSubject are the events of some APIs on what the first object of a change
// names, in order.
func (h history) ofSubject(c *change, subject string, names ...string) []*event {
	var out []*event
	for _, n := range names {
		for _, e := range h[c.first().source+":"+n] {
			if e.accountID == c.first().accountID && e.place() == c.first().place() && e.text(subject) == c.objects[0] {
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *event) int { return a.time.Compare(b.time) })
	return out
}

// shareSteps take back whom a party let in, and let in again whom it shut out.
// add and drop are the parameters of the call for either.
func shareSteps(call, what, party string, add, drop func(list string) args) []step {
	return []step{
		{
			phase: Recover, mode: Auto, call: call, when: [2]string{"prior.drop" + party, anyValue}, in: drop("prior.drop" + party), back: []reverse{{call, add("prior.drop" + party)}},
			title: "Stop sharing " + what + " with {prior.drop" + party + "}",
			risk:  "Copies that were made elsewhere stay there: what it holds must count as taken.",
		},
		{
			phase: Recover, mode: Review, call: call, when: [2]string{"prior.add" + party, anyValue}, in: add("prior.add" + party), back: []reverse{{call, drop("prior.add" + party)}},
			title: "Share " + what + " with {prior.add" + party + "} again",
			risk:  "They can use it, as before the intruder took that away.",
		},
	}
}

// attributeShares are the steps for EC2's snapshots and images, which name users
// and groups in parameters of their own.
func attributeShares(call, what string, in args, users, groups string) []step {
	with := func(operation, param string) func(string) args {
		return func(list string) args {
			out := maps.Clone(in)
			out["OperationType"], out[param] = operation, list
			return out
		}
	}
	return slices.Concat(
		shareSteps(call, what, "Users", with("'add'", users), with("'remove'", users)),
		shareSteps(call, what, "Groups", with("'add'", groups), with("'remove'", groups)))
}

// rulesClosed are the rules that the lineage took out of a security group, which
// it had not put there itself and nobody has put back.
func rulesClosed(h history, c *change, mine map[*event]bool) any {
	way := strings.TrimPrefix(c.first().name, "RevokeSecurityGroup")
	authorized := h.ofSubject(c, "rq.groupId", "AuthorizeSecurityGroup"+way)
	var out []any
	found := false
	for _, e := range c.events {
		permissions := []any{}
		for _, r := range e.list("rs.revokedSecurityGroupRuleSet.items") {
			permissions = append(permissions, permissionOf(r))
		}
		if len(permissions) == 0 {
			permissions = e.list("sdk(rq.ipPermissions)")
		}
		for _, p := range permissions {
			found = true
			if !slices.ContainsFunc(authorized, func(a *event) bool {
				return (a.time.After(e.time) || mine[a]) && len(singleRules([]any{p})) > 0 && containsRules(a.at("sdk(rq.ipPermissions)"), p)
			}) {
				out = append(out, p)
			}
		}
	}
	if !found {
		return nil
	}
	if len(out) == 0 {
		return asBefore
	}
	return out
}

// containsRules says whether all rules of a permission are among others.
func containsRules(among, permission any) bool {
	have := singleRules(plainJSON(among))
	for _, r := range singleRules(plainJSON([]any{permission})) {
		if !slices.ContainsFunc(have, func(h map[string]any) bool { return sameParameters(r, h) }) {
			return false
		}
	}
	return true
}

// permissionOf is a rule of an answer as AuthorizeSecurityGroup… takes it.
func permissionOf(v any) map[string]any {
	out := map[string]any{"IpProtocol": dig(v, []string{"ipProtocol"})}
	for _, f := range []string{"FromPort", "ToPort"} {
		if port := dig(v, []string{f}); port != nil && out["IpProtocol"] != "-1" {
			out[f] = port
		}
	}
	for _, f := range []struct{ from, list, name string }{{"cidrIpv4", "IpRanges", "CidrIp"}, {"cidrIpv6", "Ipv6Ranges", "CidrIpv6"},
		{"prefixListId", "PrefixListIds", "PrefixListId"}, {"referencedGroupId", "UserIdGroupPairs", "GroupId"}} {
		if whom := dig(v, []string{f.from}); !isEmpty(whom) {
			member := map[string]any{f.name: whom}
			if text := dig(v, []string{"description"}); !isEmpty(text) {
				member["Description"] = text
			}
			out[f.list] = []any{member}
		}
	}
	return out
}

// targetsSet are the targets that the lineage gave a rule: put has those that
// took the place of others, drop the ids of those that are new.
func targetsSet(h history, c *change, mine map[*event]bool) any {
	old := map[string]any{}
	for _, t := range targetsOf(h, c, mine, nil) {
		old[show(dig(t, []string{"Id"}))] = t
	}
	set := map[string]any{}
	for _, e := range c.events {
		for _, t := range e.list("rq.targets") {
			set[show(dig(t, []string{"id"}))] = sdkNames(t)
		}
	}
	var put, drop []any
	for _, id := range slices.Sorted(maps.Keys(set)) {
		switch {
		case c.gone[id]:
		case old[id] == nil:
			drop = append(drop, id)
		case !same(set[id], old[id], time.Time{}):
			put = append(put, old[id])
		}
	}
	if len(put)+len(drop) == 0 {
		return asBefore
	}
	return map[string]any{"put": put, "drop": drop}
}

// rulesOpened are the rules that the lineage added to a security group and that
// stand there still: by id, or where the log has none by what they say.
func rulesOpened(h history, c *change, mine map[*event]bool) any {
	way := strings.TrimPrefix(c.first().name, "AuthorizeSecurityGroup")
	revoked := h.ofSubject(c, "rq.groupId", "RevokeSecurityGroup"+way)
	var ids, permissions, added []any
	found := false
	for _, e := range c.events {
		gone := func(id string, p any) bool {
			return slices.ContainsFunc(revoked, func(r *event) bool {
				return !r.time.Before(e.time) && (id != "" && leaves(r.request)[id] || len(singleRules([]any{p})) > 0 && containsRules(r.at("sdk(rq.ipPermissions)"), p))
			})
		}
		rules := e.list("rs.securityGroupRuleSet.items")
		for _, r := range rules {
			id, _ := dig(r, []string{"securityGroupRuleId"}).(string)
			if found = true; !gone(id, permissionOf(r)) {
				ids, added = append(ids, id), append(added, permissionOf(r))
			}
		}
		if len(rules) > 0 {
			continue
		}
		for _, p := range e.list("sdk(rq.ipPermissions)") {
			if found = true; !gone("", p) {
				permissions = append(permissions, p)
			}
		}
	}
	switch {
	case !found:
		return nil
	case len(ids)+len(permissions) == 0:
		return asBefore
	}
	return map[string]any{"ids": ids, "added": added, "permissions": permissions}
}
