package remediate

import (
	"slices"
	"strings"
)

// reopen gives back what containment took besides IAM: functions, instances,
// trust anchors and permission sets that were there before the intruder.
func (p *planner) reopen() {
	titles := map[string]string{
		"lambda:PutFunctionConcurrency":           "Let the function run again as before: ",
		"rolesanywhere:DisableTrustAnchor":        "Let certificates in through it again: ",
		"rolesanywhere:DisableProfile":            "Let certificates in through it again: ",
		"ec2:StopInstances":                       "Start it again: ",
		"ssoadmin:PutInlinePolicyToPermissionSet": "Take the deny out of the permission set again: ",
		"ssoadmin:DeleteAccountAssignment":        "Give the user the permission set again: ",
	}
	for _, phase := range []Phase{Contain, Revoke} {
		for _, shut := range p.byPhase[phase] {
			title := titles[shut.Service+":"+shut.Operation]
			name, _ := shut.Parameters["FunctionName"].(string)
			made := strings.HasPrefix(shut.Risk, ownersNone) || p.created[subject{shut.AccountID, "function", name}] != nil
			if title == "" || shut.Mode == Manual || made {
				continue
			}
			after := []string{shut.ID}
			for _, back := range shut.Rollback {
				a := &Action{
					Phase: Restore, Mode: Review, AccountID: shut.AccountID, Region: shut.Region, Service: back.Service, Operation: back.Operation, Parameters: back.Parameters,
					Title: title + shut.Title, DependsOn: slices.Clone(after), Evidence: shut.Evidence,
					Reason: "It was there before the intruder, and everything else is done.",
					Risk:   "Only once it holds its owner's code, certificate, roles or users again, and nothing of the intruder's: else the way in is open again.",
					Verify: verifyOf(back.Service, back.Operation, back.Parameters), Rollback: []Call{shut.call()},
				}
				if len(a.Verify) == 0 && back.Operation != "ProvisionPermissionSet" {
					a.Verify = shut.Expect
				}
				after = []string{p.addAs(a, shut.ID).ID}
			}
		}
	}
}
