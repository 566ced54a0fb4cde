package remediate

import (
	"fmt"
	"slices"
	"time"

	"trailscan/lineage"
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
		p.disableKey(&p.lineage.Credentials[i])
	}
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
	name, document := p.values["denyName"], denyAll
	if h.lent() {
		document = denyOlder
	}
	a := p.iamAction(Contain, Auto, h, "Put"+h.noun()+"Policy",
		map[string]any{h.nameParam(): h.name, "PolicyName": name, "PolicyDocument": document})
	a.Title = fmt.Sprintf("Deny everything to the %s %s", h.kind, h.name)
	a.Reason = "The lineage has its credentials"
	if k := h.kinds(); k != "" {
		a.Reason += " (" + k + ")"
	}
	if h.created {
		a.Reason = "The lineage created it"
	}
	a.Reason += ". An explicit deny binds each of them at once; session and federation tokens outlive the key that issued them and end only so."
	switch {
	case h.lent():
		a.Title = fmt.Sprintf("End all sessions of the %s %s that were issued until now", h.kind, h.name)
		a.Reason = "The lineage made an access key for this user and held nothing else of it. The key is disabled; this deny ends the session tokens that it may have issued. The user's own keys have no issue time, so it does not touch them."
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
		managed := managedDeny(partitionOf(h.arn, ""))
		a.Fallbacks = []Call{
			{Service: "iam", Operation: "Attach" + h.noun() + "Policy", Parameters: map[string]any{h.nameParam(): h.name, "PolicyArn": managed}},
			{Service: "iam", Operation: "Put" + h.noun() + "PermissionsBoundary", Parameters: map[string]any{h.nameParam(): h.name, "PermissionsBoundary": managed}},
		}
	}
	p.denied(p.add(a))
}

// denied notes a deny that eviction waits for; for a person's nothing can wait.
func (p *planner) denied(a *Action) {
	if a.Mode == Auto {
		p.denies = append(p.denies, a.ID)
	}
}

// riskOf says what a holder that is cut off does for others.
func (p *planner) riskOf(h *holder, what string) string {
	if h.id == "" {
		return "No event shows the unique id of " + what + ", so what others do with it is not known."
	}
	return p.evidence.byID[h.id].risk(what)
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
	a.Risk = "Whoever it lets in cannot come again. Sessions that are open end by the deny."
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

// disableKey sets a long-term key inactive; it is never deleted here, so that
// it can come back and AWS can be asked when it was used last.
func (p *planner) disableKey(c *lineage.Credential) {
	s, ok := subjectOf(c.PrincipalARN)
	s, arn := p.names.now(s, c.PrincipalARN, p.history)
	if c.Kind != lineage.LongTerm || !ok || s.kind != "user" || p.keyIsOff(s, c.ID) || p.deleted(&holder{subject: s}) {
		return
	}
	h := &holder{subject: s, arn: arn}
	h.note(c.IssuedEventID)
	for _, id := range p.evidence.attempts[c.ID] {
		h.note(id)
	}
	if why := p.protection(h); why != "" {
		p.byHand(h, Contain, "Disable the access key "+c.ID+" of "+s.name, why+".")
		return
	}
	with := func(status string) map[string]any {
		return map[string]any{"UserName": s.name, "AccessKeyId": c.ID, "Status": status}
	}
	list := Read{Call{Service: "iam", Operation: "ListAccessKeys", Parameters: map[string]any{"UserName": s.name}},
		"AccessKeyMetadata[?AccessKeyId==" + jmesString(c.ID) + "].Status | [0]"}
	a := p.iamAction(Contain, Auto, h, "UpdateAccessKey", with("Inactive"))
	a.Title = "Disable the access key " + c.ID + " of " + s.name
	a.Reason = "It is in the intruder's hands: the key of this incident."
	if c.Parent != nil {
		a.Reason = "The lineage made it (" + c.Via + ")."
	}
	a.Reason += " Disabled, not deleted: it can come back, and AWS can still be asked when it was used last."
	a.Risk = p.evidence.byKey[c.ID].risk("this key") + " Tokens that it issued live on; the deny on the user ends them."
	a.Expect = []Check{{Read: list, Equals: "Active"}}
	a.Verify = []Check{{Read: list, Equals: "Inactive"}}
	a.Rollback = []Call{{Service: "iam", Operation: "UpdateAccessKey", Parameters: with("Active")}}
	p.addAs(a, s.name+" "+c.ID)
}

// keyIsOff says that the last that the log shows of a key is that it was
// deleted or disabled.
func (p *planner) keyIsOff(s subject, key string) bool {
	var at time.Time
	off := false
	for _, call := range []string{"iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"} {
		for _, e := range p.history[call] {
			if e.accountID == s.account && !e.time.Before(at) && (leaves(e.request)[key] || leaves(e.response)[key]) {
				at = e.time
				off = call == "iam:DeleteAccessKey" || dig(e.request, []string{"status"}) == "Inactive"
			}
		}
	}
	return off
}

// keyIsGone says that the log shows the deletion of a key: AWS knows no more of
// it.
func (p *planner) keyIsGone(s subject, key string) bool {
	return slices.ContainsFunc(p.history["iam:DeleteAccessKey"], func(e *event) bool {
		return e.accountID == s.account && leaves(e.request)[key]
	})
}

// root can be bound by no policy of its account.
func (p *planner) root(h *holder) {
	scp := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"TrailscanContain","Effect":"Deny","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:%s:iam::%s:root"]}}}]}`,
		partitionOf(h.arn, ""), h.account)
	p.byHand(h, Contain, "Root of account "+h.account+": sign in as root, disable its access keys, change its password and MFA",
		"No policy of the account binds root, nor the tokens that it issued: they end with time, after an hour at most. If the account is a member of an organisation, its management account can attach this service control policy at once: "+scp)
}

// byHand is what only a person can do about a holder.
func (p *planner) byHand(h *holder, phase Phase, title, why string) {
	p.addAs(&Action{
		Phase: phase, Mode: Manual, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")),
		Title: title, Reason: why, Risk: "Until it is done, the intruder can come back this way.", Evidence: h.evidence,
	}, h.kind+" "+h.name)
}
