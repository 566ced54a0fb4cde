package remediate

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// flowLogMade is the call that made a flow log.
func flowLogMade(h history, c *change, mine map[*event]bool) any {
	for _, e := range h.past(c, mine, "CreateFlowLogs") {
		if leaves(e.response)[show(c.el)] {
			return e.at("rq.CreateFlowLogsRequest")
		}
	}
	return nil
}

// groupRulesBefore are the rules of a security group that were modified, as an
// earlier answer or modification shows them; nil when one of them is missing.
func groupRulesBefore(h history, c *change, mine map[*event]bool) any {
	rules := map[string]map[string]any{}
	for _, e := range h.past(c, mine, "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules") {
		for _, r := range e.list("rs.securityGroupRuleSet.items") {
			if id, ok := dig(r, []string{"securityGroupRuleId"}).(string); ok {
				rules[id] = ruleRequest(r)
			}
		}
		for _, r := range e.list("rq.ModifySecurityGroupRulesRequest.SecurityGroupRule") {
			if id, ok := dig(r, []string{"SecurityGroupRuleId"}).(string); ok {
				rules[id] = ruleRequest(dig(r, []string{"SecurityGroupRule"}))
			}
		}
	}
	now := map[string]map[string]any{}
	for _, e := range c.events {
		for _, r := range e.list("rq.ModifySecurityGroupRulesRequest.SecurityGroupRule") {
			if id, ok := dig(r, []string{"SecurityGroupRuleId"}).(string); ok {
				now[id] = ruleRequest(dig(r, []string{"SecurityGroupRule"}))
			}
		}
	}
	var out []any
	for _, id := range slices.Sorted(maps.Keys(now)) {
		was := rules[id]
		if was == nil {
			return nil
		}
		if !same(now[id], was, time.Time{}) {
			out = append(out, map[string]any{"SecurityGroupRuleId": id, "SecurityGroupRule": was})
		}
	}
	if len(now) == 0 {
		return nil
	}
	if len(out) == 0 {
		return asBefore
	}
	return out
}

// ruleRequest is a rule of a security group as ModifySecurityGroupRules takes it.
func ruleRequest(v any) map[string]any {
	out := map[string]any{}
	for _, field := range []string{"IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId", "Description"} {
		if f := dig(v, []string{field}); !isEmpty(f) {
			out[field] = f
		}
	}
	if group := dig(v, strings.Split("referencedGroupInfo.groupId", ".")); !isEmpty(group) {
		out["ReferencedGroupId"] = group
	}
	return out
}

// profileBefore is the instance profile that an instance had.
func profileBefore(h history, c *change, mine map[*event]bool) any {
	return profileOf(h, c, mine, c.last().text("rs.ReplaceIamInstanceProfileAssociationResponse.iamInstanceProfileAssociation.instanceId"))
}

func profileOf(h history, c *change, mine map[*event]bool, instance string) any {
	var was any
	for _, e := range h.past(c, mine, "RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation") {
		if instance == "" || !leaves(e.response)[instance] && !leaves(e.request)[instance] {
			continue
		}
		p := e.at("rq.iamInstanceProfile|rq.AssociateIamInstanceProfileRequest.IamInstanceProfile|rq.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile")
		if arn := dig(p, []string{"arn"}); !isEmpty(arn) {
			was = map[string]any{"Arn": arn}
		} else if name := dig(p, []string{"name"}); !isEmpty(name) {
			was = map[string]any{"Name": name}
		}
	}
	return was
}

// profileTaken is the instance profile that an instance had before the intruder
// took it off; none where the intruder had given the instance its only one.
func profileTaken(h history, c *change, mine map[*event]bool) any {
	const association = "rs.DisassociateIamInstanceProfileResponse.iamInstanceProfileAssociation"
	instance := c.last().text(association + ".instanceId")
	if instance == "" {
		return nil
	}
	var was any
	for _, n := range []string{"RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"} {
		for _, e := range h["ec2:"+n] {
			if mine[e] && e.time.Before(c.first().time) && leaves(e.response)[instance] {
				was = asBefore
			}
		}
	}
	if before := profileOf(h, c, mine, instance); before != nil {
		return before
	}
	if was == nil {
		if arn := c.last().at(association + ".iamInstanceProfile.arn"); arn != nil {
			return map[string]any{"Arn": arn}
		}
	}
	return was
}

// groupsBefore are the security groups that an instance had.
func groupsBefore(h history, c *change, mine map[*event]bool) any {
	var was any
	for _, e := range h.past(c, mine, "RunInstances", "ModifyInstanceAttribute") {
		if e.name == "ModifyInstanceAttribute" {
			if g := e.at("rq.groupSet.items[].groupId"); g != nil && e.text("rq.instanceId") == c.objects[0] {
				was = g
			}
			continue
		}
		for _, i := range e.list("rs.instancesSet.items") {
			if dig(i, []string{"instanceId"}) == c.objects[0] {
				if g := dig(i, strings.Split("groupSet.items[].groupId", ".")); !isEmpty(g) {
					was = g
				}
			}
		}
	}
	if now := c.last().at("rq.groupSet.items[].groupId"); was != nil && now != nil && same(now, was, time.Time{}) {
		return asBefore
	}
	return was
}

// recordsBack is the change of DNS records that takes the lineage's back. What
// a record that was overwritten said before is in the log only if it was set
// there; nil when one is missing.
func recordsBack(h history, c *change, mine map[*event]bool) any {
	type record struct{ before, after, known any }
	key := func(v any) string {
		return strings.ToLower(strings.Join([]string{show(dig(v, []string{"name"})), show(dig(v, []string{"type"})), show(dig(v, []string{"setIdentifier"}))}, " "))
	}
	set := map[string]any{}
	for _, e := range h.past(c, mine, "ChangeResourceRecordSets") {
		if e.text("name(rq.hostedZoneId)") != c.objects[0] {
			continue
		}
		for _, ch := range e.list("rq.changeBatch.changes") {
			r := dig(ch, []string{"resourceRecordSet"})
			set[key(r)] = r
			if dig(ch, []string{"action"}) == "DELETE" {
				set[key(r)] = nil
			}
		}
	}
	records := map[string]*record{}
	for _, e := range c.events {
		for _, ch := range e.list("rq.changeBatch.changes") {
			r, action := dig(ch, []string{"resourceRecordSet"}), dig(ch, []string{"action"})
			k := key(r)
			if records[k] == nil {
				old, known := set[k]
				records[k] = &record{before: old, known: known}
				switch action {
				case "CREATE":
					records[k] = &record{known: true}
				case "DELETE":
					records[k] = &record{before: r, known: true}
				}
			}
			records[k].after = r
			if action == "DELETE" {
				records[k].after = nil
			}
		}
	}
	var out []any
	for _, k := range slices.Sorted(maps.Keys(records)) {
		r := records[k]
		action, what := "UPSERT", r.before
		switch {
		case r.known != true:
			return nil
		case r.before == nil && r.after == nil, r.before != nil && r.after != nil && same(r.after, r.before, time.Time{}):
			continue
		case r.before == nil:
			action, what = "DELETE", r.after
		case r.after == nil:
			action = "CREATE"
		}
		out = append(out, map[string]any{"Action": action, "ResourceRecordSet": sdkNames(what)})
	}
	if len(records) == 0 {
		return nil
	}
	if len(out) == 0 {
		return asBefore
	}
	return out
}
