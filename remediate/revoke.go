package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
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
		if set, ok := permissionSetOf(h.name); ok {
			p.revokePermissionSet(h, set)
			continue
		}
		if why := p.protection(h); why != "" {
			p.byHand(h, Revoke, "End the sessions of the role "+h.name, why+". "+h.sessions())
			continue
		}
		a := p.revocation(h, olderSessions)
		a.Reason = "The lineage held sessions of this role. " + h.sessions() +
			" They live on without the key that led to them and end only by this deny of tokens that were issued before it." + h.chained()
		p.denied(h, p.add(a))
		if !h.created {
			borrowed = append(borrowed, h)
		}
	}
	p.secondPass(borrowed)
	p.noRoom(borrowed)
}

// secondPass writes, for each account, the deny that waits for all others of the
// account: its gate. What comes later waits for the gate alone, so that a plan
// grows with the number of principals and not with its square. A gate is a deny
// that is wanted anyhow: a role that was borrowed is revoked again with a later
// cut-off, else the first of the holders is denied again under another name.
func (p *planner) secondPass(borrowed []*holder) {
	name := strings.Replace(p.values["denyName"], "contain", "revoke", 1)
	for _, h := range borrowed {
		a := p.revocation(h, name)
		a.Title += ", once more with a later cut-off"
		a.Reason = "A policy takes seconds to bind. A token that was minted in them is younger than the first cut-off; this second one, after every deny of the account is verified, catches it."
		p.close(h, a, h.name+" again")
	}
	for _, h := range p.holders {
		id := p.denyOf[h.subject]
		if id == "" || p.gates[h.account] != "" {
			continue
		}
		a := p.denial(h, Revoke, name)
		a.Title += ", once more under another name"
		a.Reason = "A policy takes seconds to bind, in which a session that is open can take it off again. This second deny comes after every deny of the account is verified, and all that is evicted or put back in the account waits for it."
		p.close(h, a, h.name+" again")
	}
}

// close adds a second deny: the first of an account waits for all the denies
// there, the others for it.
func (p *planner) close(h *holder, a *Action, about string) {
	gate := p.gates[h.account]
	a.DependsOn = slices.Clone(p.denies[h.account])
	if gate != "" {
		a.DependsOn = []string{gate}
	}
	a = p.addAs(a, about)
	if gate == "" && a.Mode == Auto {
		p.gates[h.account] = a.ID
	}
}

// waitsFor is what must hold before a change is undone, so that nobody makes it
// again: the denies on whose credential made it and on whom it was made to, and
// the gate, which waits for every other deny of the account.
func (p *planner) waitsFor(c *change) []string {
	e := c.last()
	var ids []string
	wait := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	actor := p.holderOf[e.credential]
	if actor != nil && actor.account == e.accountID {
		wait(p.denyOf[actor.subject])
	}
	for _, k := range containers[:2] {
		if name := container(e, k.param); name != "" && e.source == "iam" {
			wait(p.denyOf[subject{e.accountID, strings.TrimSuffix(k.param, "Name"), name}])
		}
	}
	wait(p.gates[e.accountID])
	if len(ids) == 0 && actor != nil {
		wait(p.gates[actor.account])
	}
	return ids
}

// noRoom says what to do where AWS has no room for a deny of older sessions: an
// inline policy cannot be swapped for a managed one in a single call, and AWS's
// own managed deny would lock the owner out too.
func (p *planner) noRoom(borrowed []*holder) {
	byAccount := map[string][]*holder{}
	for _, h := range p.holders {
		if slices.Contains(borrowed, h) || h.lent() && p.denyOf[h.subject] != "" {
			byAccount[h.account] = append(byAccount[h.account], h)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		var names, evidence []string
		for _, h := range byAccount[account] {
			names = append(names, "the "+h.kind+" "+h.name)
			evidence = append(evidence, h.evidence...)
		}
		p.addAs(&Action{
			Phase: Revoke, Mode: Manual, AccountID: account, Region: globalRegion(p.partition), Evidence: unique(evidence),
			Title: "Only if AWS has no room for a revocation (LimitExceeded): revoke " + someOf(names) + " by a managed policy",
			Reason: "The inline policies of a role may have 10,240 characters in all, those of a user 2,048. Make a customer managed policy of this text, with the present time in place of TIME, and attach it (iam CreatePolicy, then AttachRolePolicy or AttachUserPolicy); if as many policies are attached as the account allows, attach it in place of one that can be spared, or put it in the permissions boundary together with what the boundary allows; or use the text for the organisation at the head of the phase contain: " +
				strings.ReplaceAll(denyOlder, Now, stopTime),
			Risk: "As the revocation itself: sessions of everyone else end and must be renewed. Needless when the revocations above took effect.",
		}, "revoke without room "+account)
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
	if h.created {
		a.Fallbacks = p.otherDenies(h)
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

// chained says that sessions of a role were taken by sessions of roles, which
// can take each other anew as long as one of them lives.
func (h *holder) chained() string {
	for _, c := range h.credentials {
		if c.Kind == lineage.RoleSession && c.Via == "sts:AssumeRole" && c.Parent != nil && h.parents[*c.Parent] == lineage.RoleSession {
			return " They were taken by a session of a role: all roles of the chain are revoked at once, for sessions that take each other renew each other."
		}
	}
	return ""
}
