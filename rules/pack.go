package rules

import "slices"

// Pack returns the rules of trailscan, tactic by tactic in the order of an
// intrusion.
func Pack() []Rule {
	return slices.Concat(
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
	)
}
