package remediate

import (
	"maps"
	"slices"

	"trailscan/lineage"
)

// maxSCP is the size of a service control policy, in characters:
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html.
const maxSCP = 5120

// organisation gives the administrator of an organisation what no one inside of
// the account can take away again.
func (p *planner) organisation() {
	arns := map[string][]string{}
	for _, h := range p.holders {
		if (h.kind == "user" || h.kind == "role" && h.created) && p.protection(h) == "" {
			arns[h.account] = append(arns[h.account], h.arn)
			for _, c := range h.credentials {
				if c.Kind == lineage.FederationToken && !slices.Contains(arns[h.account], c.PrincipalARN) {
					arns[h.account] = append(arns[h.account], c.PrincipalARN)
				}
			}
		}
	}
	for _, account := range slices.Sorted(maps.Keys(arns)) {
		var evidence []string
		for _, h := range p.holders {
			if h.account == account {
				evidence = append(evidence, h.evidence...)
			}
		}
		text := asciiJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": "TrailscanContain", "Effect": "Deny", "Action": "*", "Resource": "*",
			"Condition": map[string]any{"ArnLike": map[string]any{"aws:PrincipalArn": arns[account]}},
		}}})
		if len(text) > maxSCP {
			text = "(the text is longer than the 5,120 characters that AWS allows: spread the ARNs of the actions below over several)"
		}
		p.addAs(&Action{
			Phase: Contain, Mode: Manual, AccountID: account, Region: globalRegion(p.partition), Evidence: unique(evidence),
			Title:  "If account " + account + " is in an organisation: attach a service control policy to it first",
			Reason: "It binds at once and nobody inside of the account can take it away; a policy in the account takes seconds to bind, in which the intruder can remove it. From the management account: " + text,
			Risk:   "It binds these principals whoever uses them, until it is detached. The management account itself cannot be bound so.",
		}, "service control policy "+account)
	}
}

func unique(ids []string) []string {
	var out []string
	for _, id := range ids {
		if !slices.Contains(out, id) && len(out) < maxEvidence {
			out = append(out, id)
		}
	}
	return out
}
