package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// revoke ends the sessions of the roles that the lineage had, and no others.
// Roles that it created are denied everything already; revoking them too keeps
// old sessions out when that deny is lifted.
func (p *planner) revoke() {
	var borrowed []*holder
	for _, h := range p.holders {
		if h.kind != "role" || !h.assumed {
			continue
		}
		if why := p.protection(h); why != "" {
			p.byHand(h, Revoke, "End the sessions of the role "+h.name, why+". "+h.sessions())
			continue
		}
		a := p.revocation(h, olderSessions)
		a.Reason = "The lineage held sessions of this role. " + h.sessions() +
			" They live on without the key that led to them and end only by this deny of tokens that were issued before it."
		p.denied(p.add(a))
		if !h.created {
			borrowed = append(borrowed, h)
		}
	}
	first := slices.Clone(p.denies)
	for _, h := range borrowed {
		a := p.revocation(h, strings.Replace(p.values["denyName"], "contain", "revoke", 1))
		a.Title += ", once more with a later cut-off"
		a.Reason = "A policy takes seconds to bind. A token that was minted in them is younger than the first cut-off; this second one, after every deny is verified, catches it."
		a.DependsOn = first
		p.denied(p.addAs(a, h.name+" again"))
	}
}

// closeDoors ends the sessions that were issued while a role that the lineage
// had let the intruder's own principals in: until its trust policy is put back,
// they can come again however often the role is revoked.
func (p *planner) closeDoors() {
	for _, trust := range slices.Clone(p.byPhase[Recover]) {
		if trust.Operation != "UpdateAssumeRolePolicy" || trust.Mode == Manual {
			continue
		}
		for _, h := range p.holders {
			if !h.assumed || h.account != trust.AccountID || h.kind != "role" || h.name != trust.Parameters["RoleName"] || p.protection(h) != "" {
				continue
			}
			a := p.revocation(h, strings.Replace(p.values["denyName"], "contain", "close", 1))
			a.Phase, a.Mode, a.DependsOn, a.Evidence = Recover, trust.Mode, []string{trust.ID}, trust.Evidence
			a.Title += ", now that its trust policy lets the intruder in no more"
			a.Reason = "Whom the intruder's trust policy let in could take sessions of the role until it was put back, also after it was revoked. They last up to twelve hours."
			p.addAs(a, h.name+" closed")
		}
	}
}

func (p *planner) revocation(h *holder, policyName string) *Action {
	policy := map[string]any{"RoleName": h.name, "PolicyName": policyName}
	in := maps.Clone(policy)
	in["PolicyDocument"] = denyOlder
	a := p.iamAction(Revoke, Auto, h, "PutRolePolicy", in)
	a.Title = "End all sessions of the role " + h.name + " that were issued until now"
	a.Risk = "Sessions of everyone else end too and must be renewed; EC2, ECS and Lambda fail until they get new credentials. " + p.riskOf(h, "this role")
	a.Expect = p.sameHolder(h)
	a.Verify = []Check{{Read: Read{Call{Service: "iam", Operation: "GetRolePolicy", Parameters: policy}, "PolicyDocument"}, Equals: denyOlder}}
	a.Rollback = []Call{{Service: "iam", Operation: "DeleteRolePolicy", Parameters: policy}}
	managed := managedDeny(partitionOf(h.arn, ""))
	if h.created {
		a.Fallbacks = []Call{{Service: "iam", Operation: "AttachRolePolicy", Parameters: map[string]any{"RoleName": h.name, "PolicyArn": managed}}}
	}
	return a
}

// sessions says which sessions of a role the lineage had.
func (h *holder) sessions() string {
	var names []string
	for _, c := range h.credentials {
		if c.SessionName != "" && !slices.Contains(names, c.SessionName) {
			names = append(names, c.SessionName)
		}
	}
	if len(names) == 0 {
		return ""
	}
	more := ""
	if len(names) > 5 {
		more = fmt.Sprintf(" and %d more", len(names)-5)
		names = names[:5]
	}
	text := "Its sessions: " + strings.Join(names, ", ") + more
	if t := h.lastExpiry(); !t.IsZero() {
		text += ", the last good until " + t.Format(time.RFC3339)
	}
	return text + "."
}
