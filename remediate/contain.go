package remediate

import (
	"fmt"
)

// contain denies everything to every user whose credentials the lineage has and
// to every role that it created, then disables keys. Denies come first: a live
// session undoes what it sees.
func (p *planner) contain() {
	p.organisation()
	for _, h := range p.holders {
		switch {
		case h.kind == "root":
			p.root(h)
		case h.kind == "user" || h.created:
			p.deny(h)
		}
	}
	for _, h := range p.holders {
		if h.kind == "role" && h.created && p.protection(h) == "" {
			p.closeTrust(h)
		}
	}
	for i := range p.lineage.Credentials {
		p.disable(&p.lineage.Credentials[i])
	}
	p.closeGateways()
	p.stopWorkloads()
	p.signOut()
	p.unheld()
}

func (p *planner) iamAction(phase Phase, mode Mode, h *holder, operation string, in map[string]any) *Action {
	return &Action{
		Phase: phase, Mode: mode, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")),
		Service: "iam", Operation: operation, Parameters: in, Evidence: h.evidence,
	}
}

// nameParam is what the IAM API calls the name of a holder.
func (h *holder) nameParam() string {
	if h.kind == "role" {
		return "RoleName"
	}
	return "UserName"
}

// noun is a holder's kind in the names of operations.
func (h *holder) noun() string {
	if h.kind == "role" {
		return "Role"
	}
	return "User"
}

// deny puts the explicit deny on a user, or on a role that the lineage created.
func (p *planner) deny(h *holder) {
	if why := p.protection(h); why != "" {
		p.byHand(h, Contain, fmt.Sprintf("Deny everything to the %s %s", h.kind, h.name), why+".")
		return
	}
	p.denied(h, p.add(p.denial(h, Contain, p.values["denyName"])))
}

// denial is the explicit deny on a holder, as an inline policy of a name.
func (p *planner) denial(h *holder, phase Phase, name string) *Action {
	if h.kind == "role" && !h.created {
		return p.revocation(h, name)
	}
	document := denyAll
	if h.lent() {
		document = denyOlder
	}
	a := p.iamAction(phase, Auto, h, "Put"+h.noun()+"Policy",
		map[string]any{h.nameParam(): h.name, "PolicyName": name, "PolicyDocument": document})
	a.Title = fmt.Sprintf("Deny everything to the %s %s", h.kind, h.name)
	a.Reason = "The lineage has its credentials"
	if k := h.kinds(); k != "" {
		a.Reason += " (" + k + ")"
	}
	if h.created {
		a.Reason = "The lineage created it"
	}
	a.Reason += ". An explicit deny binds each of them within seconds, and denies taking it off again and taking roles, in other accounts too; session and federation tokens outlive the key that issued them and end only so."
	if h.renews() {
		a.Reason += " It denies signin:CreateOAuth2Token too, by which `aws login` renews its credentials for up to 12 hours."
	}
	switch {
	case h.lent():
		a.Title = fmt.Sprintf("End all sessions of the %s %s that were issued until now", h.kind, h.name)
		a.Reason = "The lineage made or brought back " + h.kinds() + " of this user and held nothing else of it. Those are disabled; this deny ends the session tokens that they may have issued. The user's own keys have no issue time, so it does not touch them."
		a.Risk = "Its console sessions and session tokens end and must be renewed. " + p.riskOf(h, "it")
	case h.created:
		a.Risk = "None for the owner, unless something legitimate has come to use it. " + p.riskOf(h, "it")
	default:
		a.Risk = "The owner can do nothing as this " + h.kind + " either. " + p.riskOf(h, "it")
	}
	policy := map[string]any{h.nameParam(): h.name, "PolicyName": name}
	// A policy that stands there by this name is the intruder's bait: overwritten.
	a.Expect = p.sameHolder(h)
	a.Verify = []Check{{Read: Read{Call{Service: "iam", Operation: "Get" + h.noun() + "Policy", Parameters: policy}, "PolicyDocument"}, Equals: document}}
	a.Rollback = []Call{{Service: "iam", Operation: "Delete" + h.noun() + "Policy", Parameters: policy}}
	if !h.lent() {
		a.Fallbacks = p.otherDenies(h)
	}
	return a
}

// otherDenies deny everything where a holder has no room for one more inline
// policy: a managed policy, or, where as many are attached as the account
// allows, the permissions boundary, of which each has one and which no quota
// forbids. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
func (p *planner) otherDenies(h *holder) []Call {
	managed := managedDeny(partitionOf(h.arn, ""))
	return []Call{
		{Service: "iam", Operation: "Attach" + h.noun() + "Policy", Parameters: map[string]any{h.nameParam(): h.name, "PolicyArn": managed}},
		{Service: "iam", Operation: "Put" + h.noun() + "PermissionsBoundary", Parameters: map[string]any{h.nameParam(): h.name, "PermissionsBoundary": managed}},
	}
}

// denied notes a deny that eviction waits for; for a person's nothing can wait.
func (p *planner) denied(h *holder, a *Action) {
	if a.Mode != Auto {
		return
	}
	p.denies[h.account] = append(p.denies[h.account], a.ID)
	if p.denyOf[h.subject] == "" {
		p.denyOf[h.subject] = a.ID
	}
}

// riskOf says what a holder that is cut off does for others.
func (p *planner) riskOf(h *holder, what string) string {
	if h.id == "" {
		return "No event shows the unique id of " + what + ", so what others do with it is not known."
	}
	then := stopsUse
	switch {
	case h.kind == "role" && !h.created:
		then = "that use breaks off until it has new sessions"
	case h.lent():
		then = "of that, what long-term keys do goes on"
	}
	return p.evidence.byID[h.id].risk(what, then)
}

// riskOfWorkload says what the role of a workload that is stopped does for
// others, who may use it elsewhere.
func (p *planner) riskOfWorkload(h *holder) string {
	return p.evidence.byID[h.id].risk("its role", "as far as that came from here, it stops")
}

// sameHolder expects that the name still stands for what the log shows.
func (p *planner) sameHolder(h *holder) []Check {
	if h.id == "" {
		return nil
	}
	return []Check{{
		Read: Read{Call{Service: "iam", Operation: "Get" + h.noun(), Parameters: map[string]any{h.nameParam(): h.name}},
			h.noun() + "." + h.noun() + "Id"},
		Equals: h.id,
	}}
}

// closeTrust lets nobody assume a role that the lineage created.
func (p *planner) closeTrust(h *holder) {
	created := p.created[subject{h.account, "role", h.name}]
	a := p.iamAction(Contain, Auto, h, "UpdateAssumeRolePolicy", map[string]any{"RoleName": h.name, "PolicyDocument": trustNobody})
	a.Title = "Let nobody assume the role " + h.name
	a.Reason = "The lineage created it; its trust policy is a way back in."
	a.Risk = "Whoever it lets in cannot come again. Sessions that are open end by the deny. " + p.riskOf(h, "it")
	a.Expect = p.sameHolder(h)
	a.Verify = []Check{{Read: Read{Call{Service: "iam", Operation: "GetRole", Parameters: map[string]any{"RoleName": h.name}}, "Role.AssumeRolePolicyDocument"}, Equals: trustNobody}}
	if created != nil {
		if doc, ok := dig(created.last().request, []string{"assumeRolePolicyDocument"}).(string); ok && plain(doc) == nil {
			for _, e := range p.history["iam:UpdateAssumeRolePolicy"] {
				later, isText := dig(e.request, []string{"policyDocument"}).(string)
				if isText && e.accountID == h.account && dig(e.request, []string{"roleName"}) == h.name && e.time.After(created.last().time) {
					doc = later
				}
			}
			a.Rollback = []Call{{Service: "iam", Operation: "UpdateAssumeRolePolicy", Parameters: map[string]any{"RoleName": h.name, "PolicyDocument": doc}}}
		}
	}
	if len(a.Rollback) == 0 {
		a.Mode = Review
		a.Reason += " What it says now is not in the log, so there is no exact way back."
	}
	p.add(a)
}

// byHand is what only a person can do about a holder.
func (p *planner) byHand(h *holder, phase Phase, title, why string) {
	risk := "Until it is done, the intruder can come back this way."
	if h.id != "" {
		risk += " " + p.riskOf(h, "it")
	}
	p.addAs(&Action{
		Phase: phase, Mode: Manual, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")),
		Title: title, Reason: why, Risk: risk, Evidence: h.evidence,
	}, h.kind+" "+h.name)
}
