package remediate

import (
	"slices"
	"time"

	"trailscan/lineage"
)

// disable switches a long-term credential off, whatever its kind. Temporary ones
// end by the deny on their holder.
func (p *planner) disable(c *lineage.Credential) {
	switch c.Kind {
	case lineage.LongTerm:
		p.disableKey(c)
	case lineage.ServiceSpecific:
		p.disableOther(c, "ServiceSpecificCredential", "ServiceSpecificCredentialId", "service-specific credential")
	case lineage.SSHKey:
		p.disableOther(c, "SSHPublicKey", "SSHPublicKeyId", "SSH key")
	case lineage.Certificate:
		p.disableOther(c, "SigningCertificate", "CertificateId", "signing certificate")
	case lineage.Unknown, "":
		p.unknownKind(c)
	}
}

// disableOther sets a credential of a user that is no access key inactive. No
// change to access keys ends it.
func (p *planner) disableOther(c *lineage.Credential, noun, param, what string) {
	s, ok := subjectOf(c.PrincipalARN)
	s, arn := p.names.now(s, c.PrincipalARN, p.history)
	if !ok || s.kind != "user" || c.EndedAt != nil && !c.LiveAtEnd || p.deleted(&holder{subject: s}) {
		return
	}
	h := p.holding(s, arn, c)
	if why := p.protection(h); why != "" {
		p.byHand(h, Contain, "Disable the "+what+" "+c.ID+" of "+s.name, why+".")
		return
	}
	with := func(status string) map[string]any {
		return map[string]any{"UserName": s.name, param: c.ID, "Status": status}
	}
	a := p.iamAction(Contain, Auto, h, "Update"+noun, with("Inactive"))
	a.Title = "Disable the " + what + " " + c.ID + " of " + s.name
	a.Reason = "The lineage has it (" + c.Via + "). It outlives every access key; disabled, not deleted, so that it can come back."
	a.Risk = "Who else uses it is not told by the log, whose records name no such credential: whoever does is locked out until it is enabled again. " + p.riskOf(h, "its user")
	a.Verify = verifyOf("iam", a.Operation, a.Parameters)
	a.Rollback = []Call{{Service: "iam", Operation: "Update" + noun, Parameters: with("Active")}}
	p.addAs(a, s.name+" "+c.ID)
}

// unknownKind names a credential of which the log does not show what it is and
// whom it acts as.
func (p *planner) unknownKind(c *lineage.Credential) {
	if p.holderOf[c.ID] != nil {
		return // the deny on its holder ends it
	}
	p.noHolder(c, "The log shows neither what kind of credential it is nor whom it acts as")
}

// holding is a user as the holder of one credential, with the events of it.
func (p *planner) holding(s subject, arn string, c *lineage.Credential) *holder {
	h := &holder{subject: s, arn: arn, id: p.evidence.userIDs[s]}
	h.note(c.IssuedEventID)
	for _, id := range p.evidence.attempts[c.ID] {
		h.note(id)
	}
	return h
}

// disableKey sets a long-term key inactive; it is never deleted here, so that
// it can come back and AWS can be asked when it was used last.
func (p *planner) disableKey(c *lineage.Credential) {
	s, ok := subjectOf(c.PrincipalARN)
	s, arn := p.names.now(s, c.PrincipalARN, p.history)
	if !ok || s.kind != "user" || p.keyIsOff(s, c.ID) || p.deleted(&holder{subject: s}) {
		return
	}
	h := p.holding(s, arn, c)
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
	a.Risk = p.evidence.byKey[c.ID].risk("this key", stopsUse) + " Tokens that it issued live on; the deny on the user ends them."
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
			if e.accountID == s.account && !e.time.Before(at) && (e.requestNames()[key] || e.responseNames()[key]) {
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
		return e.accountID == s.account && e.requestNames()[key]
	})
}

// wasSoAlready says that the lineage only gave an access key the status that it
// had: nothing changed, and the key is its owner's. Keys that the lineage did
// bring back stand in it.
func (p *planner) wasSoAlready(c *change) bool {
	key, _ := dig(c.last().request, []string{"accessKeyId"}).(string)
	status := dig(c.last().request, []string{"status"})
	if c.undo.call != "iam:UpdateAccessKey" || status == "Active" && p.inLineage(key) {
		return false
	}
	var was any
	if p.evidence.byKey[key].calls > 0 {
		was = "Active"
	}
	for _, e := range p.history["iam:UpdateAccessKey"] {
		if e.time.Before(c.first().time) && e.accountID == c.first().accountID && e.requestNames()[key] {
			was = dig(e.request, []string{"status"})
		}
	}
	return was == status
}

func (p *planner) inLineage(id string) bool {
	return slices.ContainsFunc(p.lineage.Credentials, func(c lineage.Credential) bool { return c.ID == id })
}
