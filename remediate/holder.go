package remediate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// holder is a user, a role or root whose credentials the lineage has: what a
// deny is put on.
type holder struct {
	subject
	arn         string
	id          string // unique id, "" when no event shows it
	created     bool   // by the lineage
	passwordSet bool   // by the lineage, so that it can sign in again
	assumed     bool   // the lineage had a session of this role
	credentials []*lineage.Credential
	parents     map[string]lineage.Kind // kinds of the credentials that theirs came from
	evidence    []string
}

// findHolders gathers whose credentials the lineage has. A principal that a
// later event deleted needs no deny any more.
func (p *planner) findHolders(known []*change) {
	byID := map[string]*lineage.Credential{}
	for i := range p.lineage.Credentials {
		c := &p.lineage.Credentials[i]
		byID[c.ID] = c
		for _, id := range c.AccessKeyIDs {
			byID[id] = c
		}
	}
	found := map[subject]*holder{}
	at := func(arn string) *holder {
		s, ok := subjectOf(arn)
		if !ok {
			return nil
		}
		s, arn = p.names.now(s, arn, p.history)
		h := found[s]
		if h == nil {
			h = &holder{subject: s, arn: arn, id: p.evidence.userIDs[s], parents: map[string]lineage.Kind{}}
			found[s] = h
			p.holders = append(p.holders, h)
		}
		if strings.Contains(arn, ":iam:") {
			h.arn = arn // with its path, which the ARN of a session lacks
		}
		return h
	}
	p.holderOf = map[string]*holder{}
	for i := range p.lineage.Credentials {
		c := &p.lineage.Credentials[i]
		h := at(p.actsAs(c, byID))
		if h == nil {
			continue
		}
		h.credentials = append(h.credentials, c)
		p.holderOf[c.ID] = h
		if c.Parent != nil && byID[*c.Parent] != nil {
			h.parents[*c.Parent] = byID[*c.Parent].Kind
		}
		h.assumed = h.assumed || h.kind == "role"
		// A role session's id is that of the role and the session's name.
		if id, _, _ := strings.Cut(c.PrincipalID, ":"); strings.HasPrefix(id, "AIDA") && h.kind == "user" || strings.HasPrefix(id, "AROA") && h.kind == "role" {
			h.id = id
		}
		h.note(c.IssuedEventID)
		for _, id := range p.evidence.attempts[c.ID] {
			h.note(id)
		}
	}
	for _, r := range p.lineage.Principals {
		if r.How == lineage.TrustChanged || r.How == lineage.PolicyChanged || r.How == lineage.CodeChanged || r.Kind != "" && r.Kind != "user" && r.Kind != "role" {
			continue
		}
		h := at(r.ARN)
		if h == nil {
			continue
		}
		h.id = cmp.Or(h.id, r.PrincipalID)
		h.created = h.created || r.How == lineage.Created
		h.passwordSet = h.passwordSet || r.How == lineage.PasswordSet
		h.assumed = h.assumed || r.How == lineage.Assumed
		h.note(r.EventID)
	}
	for _, c := range known {
		kind := c.undo.creates
		if (kind != "user" && kind != "role") || len(c.objects) != 1 {
			continue
		}
		e := c.last()
		arn, _ := dig(e.response, []string{kind, "arn"}).(string)
		if arn == "" && c.unnamed {
			continue
		}
		if arn == "" {
			arn = "arn:" + p.partition + ":iam::" + e.accountID + ":" + kind + "/" + c.objects[0]
		}
		if h := at(arn); h != nil {
			h.created = true
			if id, ok := dig(e.response, []string{kind, kind + "Id"}).(string); ok {
				h.id = id
			}
			h.note(e.id)
		}
	}
	p.holders = slices.DeleteFunc(p.holders, func(h *holder) bool {
		// A second factor that was enabled for a user opens nothing by itself.
		untouched := len(h.credentials) == 0 && !h.created && !h.passwordSet && !h.assumed
		return untouched || p.deleted(h)
	})
	slices.SortStableFunc(p.holders, func(a, b *holder) int {
		return cmp.Or(p.rank(a)-p.rank(b), strings.Compare(a.account, b.account), strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
}

// lent says that the lineage only made, or brought back, long-term credentials
// for a user who was there before, and session tokens through them: they are
// disabled, and the owner goes on with what is the owner's. Whatever else it held
// of the user (the leaked key, a password, a federation token, for which sources
// disagree whether a deny by issue time binds it) needs the whole deny.
func (h *holder) lent() bool {
	if h.kind != "user" || h.created || h.passwordSet || len(h.credentials) == 0 {
		return false
	}
	for _, c := range h.credentials {
		switch c.Kind {
		case lineage.LongTerm, lineage.ServiceSpecific, lineage.SSHKey, lineage.Certificate:
			if !strings.HasPrefix(c.Via, "iam:") {
				return false
			}
		case lineage.SessionToken:
			if c.Via == "signin:CreateOAuth2Token" {
				return false // of a console session
			}
		default:
			return false
		}
	}
	return true
}

// rank puts the root of the chain first: the leaked key's owner, then who was
// there before, then who was created.
func (p *planner) rank(h *holder) int {
	switch {
	case slices.ContainsFunc(h.credentials, func(c *lineage.Credential) bool { return c.Parent == nil }):
		return 0
	case h.created:
		return 2
	}
	return 1
}

func (h *holder) note(id string) {
	if id != "" && !slices.Contains(h.evidence, id) && len(h.evidence) < maxEvidence {
		h.evidence = append(h.evidence, id)
	}
}

// deleted says that the last the log shows of a user or role is its deletion.
func (p *planner) deleted(h *holder) bool {
	deletion, creation, param := "iam:DeleteUser", "iam:CreateUser", "userName"
	if h.kind == "role" {
		deletion, creation, param = "iam:DeleteRole", "iam:CreateRole", "roleName"
	}
	last := func(call string) (t time.Time) {
		for _, e := range p.history[call] {
			if e.accountID == h.account && dig(e.request, []string{param}) == h.name {
				t = e.time
			}
		}
		return t
	}
	gone := last(deletion)
	return !gone.IsZero() && !last(creation).After(gone)
}

// issuer is the ARN of the user, role or root whose permissions a credential
// has: for a federation token that of the user who asked for it.
func issuer(c *lineage.Credential, byID map[string]*lineage.Credential) string {
	for range len(byID) + 1 {
		a, ok := parseARN(c.PrincipalARN)
		federated := ok && strings.HasPrefix(a.resource, "federated-user/")
		// What has no principal of its own acts as the one that it was made for.
		same := !ok && (c.Kind == lineage.SessionToken || c.Kind == lineage.FederationToken || c.Kind == lineage.Console || c.Kind == lineage.ServiceForwarded)
		if !federated && !same || c.Parent == nil || byID[*c.Parent] == nil {
			break
		}
		c = byID[*c.Parent]
	}
	return c.PrincipalARN
}

// actsAs is the issuer of a credential, whom a federation token's own records
// name where its issue is not in the log.
func (p *planner) actsAs(c *lineage.Credential, byID map[string]*lineage.Credential) string {
	if user := p.evidence.federatedBy[c.ID]; user != "" {
		return user
	}
	return issuer(c, byID)
}

// subjectOf is the user, role or root that an ARN names. The IAM API takes
// names without the path.
func subjectOf(arn string) (subject, bool) {
	a, ok := parseARN(arn)
	if !ok || a.account == "" {
		return subject{}, false
	}
	parts := strings.Split(a.resource, "/")
	switch {
	case a.service == "iam" && a.resource == "root":
		return subject{a.account, "root", "root"}, true
	case a.service == "iam" && parts[0] == "user" && len(parts) > 1:
		return subject{a.account, "user", parts[len(parts)-1]}, true
	case a.service == "iam" && parts[0] == "role" && len(parts) > 1:
		return subject{a.account, "role", parts[len(parts)-1]}, true
	case a.service == "sts" && parts[0] == "assumed-role" && len(parts) > 1:
		return subject{a.account, "role", parts[1]}, true
	}
	return subject{}, false
}

// protection says why a role cannot be changed by hand, and what to do instead;
// "" when it can.
func (p *planner) protection(h *holder) string {
	switch {
	case strings.Contains(h.arn, "/aws-service-role/") || strings.HasPrefix(h.name, "AWSServiceRoleFor"):
		return "It is a service-linked role, which nobody but AWS can change, and no SCP binds it: end the resources of the service that uses it"
	case strings.HasPrefix(h.name, "AWSReservedSSO"):
		set, _ := permissionSetOf(h.name)
		return "IAM Identity Center keeps this role and undoes changes: in Identity Center remove the user's assignment of the permission set " + set +
			", put a deny into the set's inline policy and provision it again, and end the user's portal sessions"
	case !p.evidence.accounts[h.account]:
		return "It is in account " + h.account + ", of which the case holds no logs: tell that account's owner, who alone can revoke its sessions"
	}
	return ""
}

// lastExpiry is when the last session that the log shows of a holder ends.
func (h *holder) lastExpiry() time.Time {
	var t time.Time
	for _, c := range h.credentials {
		if c.ExpiresAt != nil && c.ExpiresAt.After(t) {
			t = *c.ExpiresAt
		}
	}
	return t.UTC()
}

// kinds are the kinds of credentials that a deny on the holder ends.
func (h *holder) kinds() string {
	words := map[lineage.Kind]string{
		lineage.LongTerm: "access keys", lineage.SessionToken: "session tokens", lineage.FederationToken: "federation tokens",
		lineage.Console: "console sessions", lineage.RoleSession: "role sessions", lineage.Password: "the password",
		lineage.ServiceSpecific: "service-specific credentials", lineage.SSHKey: "SSH keys", lineage.Certificate: "signing certificates",
		lineage.ServiceForwarded: "calls that services make for it", lineage.Unknown: "credentials of a kind that the log does not show",
	}
	var out []string
	for _, c := range h.credentials {
		if w := words[c.Kind]; w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// renews says that the AWS CLI was signed in by a console session of the holder.
func (h *holder) renews() bool {
	return slices.ContainsFunc(h.credentials, func(c *lineage.Credential) bool { return c.Via == "signin:CreateOAuth2Token" })
}
