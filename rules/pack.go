package rules

import "slices"

// Pack returns the rules of trailscan, tactic by tactic in the order of an
// intrusion, and then those about the lineage of a key.
func Pack() []Rule {
	pack := slices.Concat(
		initialAccess(),
		execution(),
		persistence(),
		privilegeEscalation(),
		defenseEvasion(),
		credentialAccess(),
		discovery(),
		lateralMovement(),
		collection(),
		exfiltration(),
		impact(),
		apiCalls(),
		anomalies(),
		countries(),
	)
	return append(pack, lineageRules(pack)...)
}
