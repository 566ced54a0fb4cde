package remediate

import "maps"

// rulesAmong are the rules that a call names by their content and that stand in
// a security group, nil when none does.
func rulesAmong(c Call, group any) any {
	have := singleRules(group)
	var found []any
	for _, r := range singleRules(plainJSON(c.Parameters["IpPermissions"])) {
		for _, h := range have {
			if sameParameters(r, h) {
				found = append(found, r)
				break
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// allRulesAmong is nil unless all of them stand there.
func allRulesAmong(c Call, group any) any {
	found, _ := rulesAmong(c, group).([]any)
	if len(found) < len(singleRules(plainJSON(c.Parameters["IpPermissions"]))) {
		return nil
	}
	return found
}

// ruleLists are the members of a permission that list whom it lets in, and what
// names one in each.
var ruleLists = map[string]string{"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId", "UserIdGroupPairs": "GroupId"}

// singleRules takes permissions apart into rules of one range each, without what
// does not tell them apart, such as descriptions.
func singleRules(permissions any) []map[string]any {
	var out []map[string]any
	list, _ := permissions.([]any)
	for _, p := range list {
		p, _ := p.(map[string]any)
		rule := map[string]any{"IpProtocol": p["IpProtocol"]}
		if p["IpProtocol"] != "-1" {
			rule["FromPort"], rule["ToPort"] = p["FromPort"], p["ToPort"]
		}
		for member, name := range ruleLists {
			ranges, _ := p[member].([]any)
			for _, r := range ranges {
				r, _ := r.(map[string]any)
				one := maps.Clone(rule)
				one[name] = r[name]
				out = append(out, one)
			}
		}
	}
	return out
}
