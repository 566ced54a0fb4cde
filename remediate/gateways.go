package remediate

import (
	"slices"
	"strings"

	"trailscan/lineage"
)

// ownersNone is the risk of shutting what the lineage made.
const ownersNone = "None for the owner: the intruder made it."

// closeGateways closes what lets identities from outside of IAM into roles, so
// that none of them comes again once the roles are revoked.
func (p *planner) closeGateways() {
	for _, r := range p.lineage.Principals {
		e := p.byEvent[r.EventID]
		if e == nil || !p.evidence.accounts[e.accountID] {
			continue
		}
		switch r.Kind {
		case "trust_anchor":
			p.closeAnywhere(e, r, "TrustAnchor")
		case "roles_anywhere_profile":
			p.closeAnywhere(e, r, "Profile")
		case "identity_provider":
			if e.name == "CreateOpenIDConnectProvider" {
				p.closeOIDC(e, r.ARN)
			}
		case "identity_pool":
			p.closePool(r)
		case "identity_store":
			h := &holder{subject: subject{e.accountID, "identity store", lastSegment(r.ARN)}, arn: r.ARN, evidence: []string{e.id}}
			p.byHand(h, Contain, "Point Identity Center back to its own identity provider",
				"The lineage changed who signs the users of Identity Center in ("+e.source+":"+e.name+"): whoever runs that provider may come as any of them, to every account. Only the console does this (Settings, Identity source); end all sessions of the access portal after it.")
		}
	}
	// Certificates of an anchor that the intruder did not touch.
	for i := range p.lineage.Credentials {
		c := &p.lineage.Credentials[i]
		e := p.origin(c)
		if c.Via != "rolesanywhere:CreateSession" || e == nil || e.source != "rolesanywhere" || !p.evidence.accounts[e.accountID] {
			continue
		}
		for _, by := range []struct{ member, noun string }{{"trustAnchorArn", "TrustAnchor"}, {"profileArn", "Profile"}} {
			if arn, _ := dig(e.request, []string{by.member}).(string); arn != "" {
				p.closeAnywhere(e, lineage.Principal{ARN: arn, How: lineage.Assumed}, by.noun)
			}
		}
	}
}

// closeAnywhere disables a trust anchor or a profile of Roles Anywhere: then no
// certificate gets a session through it. Sessions that it gave are revoked on
// their roles.
// https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_DisableTrustAnchor.html
func (p *planner) closeAnywhere(e *event, r lineage.Principal, noun string) {
	id := lastSegment(r.ARN)
	in := map[string]any{noun + "Id": id}
	what := map[string]string{"TrustAnchor": "trust anchor", "Profile": "profile"}[noun]
	read := Read{Call{Service: "rolesanywhere", Operation: "Get" + noun, Parameters: in}, noun + ".Enabled"}
	a := &Action{
		Phase: Contain, Mode: Auto, AccountID: e.accountID, Region: e.region, Service: "rolesanywhere", Operation: "Disable" + noun, Parameters: in,
		Title: "Disable the " + what + " " + id + " of Roles Anywhere", Evidence: []string{e.id},
		Reason:   "The lineage changed whom it lets in (" + e.source + ":" + e.name + "): certificates get new sessions through it, whatever is revoked on the roles.",
		Risk:     "Every machine that gets its credentials through this " + what + " loses them when they expire, until it is enabled again with its own certificate and roles.",
		Verify:   []Check{{Read: read, Equals: false}},
		Rollback: []Call{{Service: "rolesanywhere", Operation: "Enable" + noun, Parameters: in}},
	}
	switch {
	case r.How == lineage.Created:
		a.Reason = "The lineage made it: certificates get sessions through it, whatever is revoked on the roles."
		a.Risk = ownersNone
	case r.How == lineage.Assumed:
		a.Mode = Review
		a.Reason = "The lineage took a session through it with a certificate. If the certificate alone is the intruder's, revoke that (rolesanywhere ImportCrl) in place of this."
	case e.unclear:
		a.Mode = Review
		a.Reason += " The log does not tell whether the intruder or the owner made the call."
	}
	if p.closedSince(e, id, "Disable"+noun, "Delete"+noun) {
		return
	}
	p.addAs(a, id)
}

// closeOIDC takes the audiences off a provider that the lineage made: no token
// is for it then.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html
func (p *planner) closeOIDC(e *event, arn string) {
	clients, _ := dig(e.request, []string{"clientIDList"}).([]any)
	if p.closedSince(e, arn, "DeleteOpenIDConnectProvider") {
		return
	}
	for _, v := range clients {
		client, ok := v.(string)
		if !ok || client == "" {
			continue
		}
		in := map[string]any{"OpenIDConnectProviderArn": arn, "ClientID": client}
		p.addAs(&Action{
			Phase: Contain, Mode: Auto, AccountID: e.accountID, Region: globalRegion(p.partition), Service: "iam", Operation: "RemoveClientIDFromOpenIDConnectProvider",
			Parameters: in, Title: "Take the audience " + client + " off the identity provider " + lastSegment(arn), Evidence: []string{e.id},
			Reason: "The lineage made the provider: whoever runs it signs tokens that take roles. Without an audience none is accepted; the provider is deleted when the intruder is out.",
			Risk:   "None for the owner, unless something legitimate has come to use it.",
			Verify: []Check{{Read: Read{Call{Service: "iam", Operation: "GetOpenIDConnectProvider", Parameters: map[string]any{"OpenIDConnectProviderArn": arn}},
				"ClientIDList[?@==" + jmesString(client) + "] | [0]"}, Absent: true}},
			Rollback: []Call{{Service: "iam", Operation: "AddClientIDToOpenIDConnectProvider", Parameters: in}},
		}, arn+" "+client)
	}
}

// closePool takes the roles off an identity pool whose roles the lineage set: it
// hands out no credentials then.
// https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_SetIdentityPoolRoles.html
func (p *planner) closePool(r lineage.Principal) {
	_, id, _ := strings.Cut(r.ARN, ":identitypool/") // REGION:UUID
	var set *event
	for _, e := range p.history["cognito-identity:SetIdentityPoolRoles"] {
		if p.mine[e] && dig(e.request, []string{"identityPoolId"}) == id {
			set = e
		}
	}
	if set == nil || p.closedSince(set, id, "DeleteIdentityPool") {
		return
	}
	in := map[string]any{"IdentityPoolId": id, "Roles": map[string]any{}}
	a := &Action{
		Phase: Contain, Mode: Review, AccountID: set.accountID, Region: set.region, Service: "cognitoidentity", Operation: "SetIdentityPoolRoles", Parameters: in,
		Title: "Let the identity pool " + id + " hand out no role", Evidence: []string{set.id},
		Reason: "The lineage set its roles: whoever signs in to the pool, guests too where it lets them, gets new sessions of them, whatever is revoked on the roles.",
		Risk:   "The application that uses the pool has no credentials until its own roles are set again, which the log does not show before the change.",
		Verify: []Check{{Read: Read{Call{Service: "cognitoidentity", Operation: "GetIdentityPoolRoles", Parameters: map[string]any{"IdentityPoolId": id}}, "Roles.* | [0]"}, Absent: true}},
	}
	roles, _ := dig(set.request, []string{"roles"}).(map[string]any)
	if len(roles) > 0 && plain(roles) == nil {
		a.Rollback = []Call{{Service: a.Service, Operation: a.Operation, Parameters: map[string]any{"IdentityPoolId": id, "Roles": roles}}}
		if r.How == lineage.Created && !set.unclear {
			a.Mode, a.Risk = Auto, ownersNone
		}
	}
	p.addAs(a, id)
}

// closedSince says that a later event closed a gateway already, by one of the
// calls.
func (p *planner) closedSince(e *event, id string, calls ...string) bool {
	return slices.ContainsFunc(calls, func(name string) bool {
		return slices.ContainsFunc(p.history[e.source+":"+name], func(later *event) bool {
			return later.accountID == e.accountID && !later.time.Before(e.time) && later.requestNames()[id]
		})
	})
}

// unheld names the credentials of which no deny can be planned: whom they act
// as, the log does not show.
func (p *planner) unheld() {
	for i := range p.lineage.Credentials {
		c := &p.lineage.Credentials[i]
		forwarded := c.Kind == lineage.ServiceForwarded && c.Parent != nil
		if p.holderOf[c.ID] != nil || forwarded || strings.Contains(c.PrincipalARN, ":identitystore:") || c.Kind == lineage.Unknown || c.Kind == "" {
			continue
		}
		p.noHolder(c, "The log does not show whom it acts as")
	}
}

// noHolder leaves a credential to a person.
func (p *planner) noHolder(c *lineage.Credential, why string) {
	h := &holder{subject: subject{c.AccountID, "credential", c.ID}, arn: c.PrincipalARN}
	h.note(c.IssuedEventID)
	for _, id := range p.evidence.attempts[c.ID] {
		h.note(id)
	}
	ends := ""
	if c.EndedBy != "" {
		ends = " What ends it: " + c.EndedBy + "."
	}
	p.byHand(h, Contain, "Find whose credential "+c.ID+" is, and deny that principal everything", why+", so no deny can be written for it."+ends)
}
