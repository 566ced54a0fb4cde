package remediate

import (
	"encoding/json"
	"slices"
	"strings"

	"trailscan/lineage"
)

// permissionSet is a permission set of IAM Identity Center, as far as the log
// shows it.
type permissionSet struct {
	*event         // that made it
	arn, instance  string
	inline         string // the text of its inline policy
	inlineKnown    bool
	inlineEvidence string
}

// permissionSetOf is the name of the permission set that a role of Identity
// Center stands for.
func permissionSetOf(role string) (string, bool) {
	set, ok := strings.CutPrefix(role, "AWSReservedSSO")
	if !ok {
		return "", false
	}
	set = strings.TrimPrefix(set, "_")
	if i := strings.LastIndex(set, "_"); i > 0 {
		set = set[:i]
	}
	return set, true
}

// permissionSetNamed finds a permission set by its name, which only the call
// that made it holds, and what its inline policy was last. Two of one name are
// of two instances, of which the log does not tell the role's.
func (p *planner) permissionSetNamed(name string) *permissionSet {
	var found *permissionSet
	for _, e := range p.evidence.center {
		text := func(v any, path ...string) string { s, _ := dig(v, path).(string); return s }
		arn := text(e.request, "permissionSetArn")
		switch {
		case e.name == "CreatePermissionSet" && text(e.request, "name") == name:
			set := &permissionSet{event: e, arn: text(e.response, "permissionSet", "permissionSetArn"), instance: text(e.request, "instanceArn"), inlineKnown: true}
			if set.arn == "" || set.instance == "" || found != nil && found.instance != set.instance {
				return nil
			}
			found = set
		case found == nil || arn != found.arn:
		case e.name == "DeletePermissionSet":
			found = nil
		case e.name == "PutInlinePolicyToPermissionSet":
			found.inline, found.inlineEvidence = text(e.request, "inlinePolicy"), e.id
			found.inlineKnown = found.inline != "" && plain(found.inline) == nil
		case e.name == "DeleteInlinePolicyFromPermissionSet":
			found.inline, found.inlineKnown = "", true
		}
	}
	return found
}

// revokePermissionSet ends the sessions of a role of Identity Center, which
// nobody can edit: a deny in the inline policy of its permission set, brought to
// the account anew. Where the log tells the Identity Center user, it binds that
// user alone, for good; else all sessions issued before it.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/prereqs-revoking-user-permissions.html
func (p *planner) revokePermissionSet(h *holder, name string) {
	users := p.centerUsersOf(h)
	set := p.permissionSetNamed(name)
	deny := centerDeny(users)
	if set == nil || !p.evidence.accounts[set.accountID] {
		p.byHand(h, Revoke, "End the sessions of the role "+h.name, p.protection(&holder{subject: h.subject, arn: h.arn})+
			" (ssoadmin PutInlinePolicyToPermissionSet, which replaces the policy that is there, then ProvisionPermissionSet; which instance and set, the log does not show). The statement, with the present time in place of TIME where it stands: "+
			strings.ReplaceAll(asciiJSON(deny), Now, stopTime)+". "+h.sessions())
		return
	}
	document, ok := withStatement(set.inline, deny)
	in := map[string]any{"InstanceArn": set.instance, "PermissionSetArn": set.arn}
	with := func(more map[string]any) map[string]any {
		for k, v := range in {
			more[k] = v
		}
		return more
	}
	at := func(a *Action) *Action {
		a.Phase, a.AccountID, a.Region, a.Service, a.Evidence = Revoke, set.accountID, set.region, "ssoadmin", append(slices.Clone(h.evidence), set.id)
		return a
	}
	provision := Call{Service: "ssoadmin", Operation: "ProvisionPermissionSet",
		Parameters: with(map[string]any{"TargetType": "AWS_ACCOUNT", "TargetId": h.account})}
	read := Read{Call{Service: "ssoadmin", Operation: "GetInlinePolicyForPermissionSet", Parameters: with(map[string]any{})}, "InlinePolicy"}

	put := at(&Action{Mode: Auto, Operation: "PutInlinePolicyToPermissionSet", Parameters: with(map[string]any{"InlinePolicy": document})})
	put.Title = "Deny everything to the sessions of the permission set " + name
	put.Reason = "The lineage held sessions of the role " + h.name + " of account " + h.account + ", which only Identity Center can change. " + h.sessions()
	put.Risk = "Sessions of everyone else who has the set, in all of its accounts, end when it is provisioned there, and must be renewed. " + p.riskOf(h, "this role")
	if len(users) > 0 {
		put.Title = "Deny everything to the Identity Center user " + someOf(users) + " in the permission set " + name
		put.Risk = "The deny binds that user alone, whoever signs in as it, until it is taken out again; others who have the set go on."
	}
	put.Verify = []Check{{Read: read, Equals: document}}
	if set.inlineKnown && ok {
		put.Expect = []Check{{Read: read, Absent: true}}
		put.Rollback = []Call{{Service: "ssoadmin", Operation: "DeleteInlinePolicyFromPermissionSet", Parameters: with(map[string]any{})}, provision}
		if set.inline != "" {
			put.Expect = []Check{{Read: read, Equals: set.inline}}
			put.Rollback[0] = Call{Service: "ssoadmin", Operation: "PutInlinePolicyToPermissionSet", Parameters: with(map[string]any{"InlinePolicy": set.inline})}
		}
	} else {
		put.Mode = Review
		put.Risk += " It replaces the inline policy that is there, which the log does not show in full: keep that (GetInlinePolicyForPermissionSet) and add the statement to it by hand instead."
	}
	put = p.addAs(put, name)

	bring := at(&Action{Mode: put.Mode, Operation: provision.Operation, Parameters: provision.Parameters, DependsOn: []string{put.ID}, Rollback: []Call{provision}})
	bring.Title = "Bring the permission set " + name + " to account " + h.account
	bring.Reason = "Until then the role " + h.name + " stays as it was, and its sessions go on."
	bring.Risk = "Other changes to the set that were not provisioned yet reach the account too. It takes seconds to minutes."
	bring.Verify = []Check{{Read: Read{Call{Service: "ssoadmin", Operation: "ListAccountsForProvisionedPermissionSet",
		Parameters: with(map[string]any{"ProvisioningStatus": "LATEST_PERMISSION_SET_PROVISIONED"})}, "AccountIds[?@==" + jmesString(h.account) + "] | [0]"}, Equals: h.account}}
	p.addAs(bring, name+" "+h.account)
	p.unassign(h, set, users, with)
}

// unassign takes the permission set from the users of the lineage who had it
// before: what the lineage assigned is undone with its other changes.
func (p *planner) unassign(h *holder, set *permissionSet, users []string, with func(map[string]any) map[string]any) {
	for _, user := range users {
		var standing *event
		for _, e := range p.evidence.center {
			if dig(e.request, []string{"permissionSetArn"}) != set.arn || dig(e.request, []string{"targetId"}) != h.account || dig(e.request, []string{"principalId"}) != user {
				continue
			}
			switch e.name {
			case "CreateAccountAssignment":
				standing = e
			case "DeleteAccountAssignment":
				standing = nil
			}
		}
		if standing == nil || p.byEvent[standing.id] != nil && p.mine[p.byEvent[standing.id]] {
			continue
		}
		in := with(map[string]any{"TargetType": "AWS_ACCOUNT", "TargetId": h.account, "PrincipalType": "USER", "PrincipalId": user})
		p.add(&Action{
			Phase: Revoke, Mode: Review, AccountID: set.accountID, Region: set.region, Service: "ssoadmin", Operation: "DeleteAccountAssignment", Parameters: in,
			Title:    "Take the permission set in account " + h.account + " from the Identity Center user " + user,
			Reason:   "The intruder signs in as this user, and the access portal hands out a new session each time. Sessions that are open live on; the deny in the set ends them.",
			Risk:     "The owner of the user cannot work in the account either, until it is assigned again.",
			Evidence: append(slices.Clone(h.evidence), standing.id),
			Verify: []Check{{Read: Read{Call{Service: "ssoadmin", Operation: "ListAccountAssignments",
				Parameters: with(map[string]any{"AccountId": h.account})}, "AccountAssignments[?PrincipalId==" + jmesString(user) + "] | [0]"}, Absent: true}},
			Rollback: []Call{{Service: "ssoadmin", Operation: "CreateAccountAssignment", Parameters: in}},
		})
	}
}

// centerDeny is the statement that shuts sessions of a permission set out.
func centerDeny(users []string) map[string]any {
	condition := map[string]any{"DateLessThan": map[string]any{"aws:TokenIssueTime": Now}}
	if len(users) > 0 {
		condition = map[string]any{"StringEquals": map[string]any{"identitystore:UserId": users}}
	}
	return map[string]any{"Sid": "TrailscanContain", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
}

// withStatement adds a statement to a policy; ok is false where the text is none
// that it can be added to.
func withStatement(policy string, statement map[string]any) (text string, ok bool) {
	whole := map[string]any{"Version": "2012-10-17", "Statement": []any{}}
	if policy != "" && json.Unmarshal([]byte(policy), &whole) != nil {
		whole = map[string]any{"Version": "2012-10-17"}
	} else {
		ok = true
	}
	list, isList := whole["Statement"].([]any)
	if !isList && whole["Statement"] != nil {
		list = []any{whole["Statement"]}
	}
	whole["Statement"] = append(slices.Clone(list), statement)
	return asciiJSON(whole), ok
}

const centerUserMark = ":identitystore:::user/"

// centerUserOf is the id of the Identity Center user whom a credential, or one
// that it came from, acts as; "" where the log does not tell.
func centerUserOf(l *lineage.Lineage, c *lineage.Credential) string {
	for range len(l.Credentials) + 1 {
		if _, id, ok := strings.Cut(c.PrincipalARN, centerUserMark); ok {
			return id
		}
		if c.Parent == nil {
			break
		}
		i := slices.IndexFunc(l.Credentials, func(o lineage.Credential) bool { return o.ID == *c.Parent })
		if i < 0 {
			break
		}
		c = &l.Credentials[i]
	}
	return ""
}

// centerUsersOf are the Identity Center users whose sessions of a role the
// lineage had, nil where it had one of which that is not known.
func (p *planner) centerUsersOf(h *holder) []string {
	var users []string
	for _, c := range h.credentials {
		user := centerUserOf(p.lineage, c)
		if user == "" || len(matchable(user)) == 0 || plain(user) != nil {
			return nil
		}
		users = appendNew(users, user)
	}
	slices.Sort(users)
	return users
}

// signOut shuts the Identity Center users of the lineage out. No API disables
// the sign-in of a user or ends the sessions of the access portal, so that is a
// person's; a service control policy binds the user in every account.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/authconcept-revoke-access.html
func (p *planner) signOut() {
	users := map[string]*holder{}
	reset := map[string]bool{}
	var ids []string
	at := func(arn, account string) *holder {
		_, id, ok := strings.Cut(arn, centerUserMark)
		if !ok {
			return nil
		}
		if users[id] == nil {
			users[id] = &holder{subject: subject{account, "Identity Center user", id}, arn: arn}
			ids = append(ids, id)
		}
		return users[id]
	}
	for i := range p.lineage.Credentials {
		c := &p.lineage.Credentials[i]
		if h := at(c.PrincipalARN, c.AccountID); h != nil {
			h.credentials = append(h.credentials, c)
			h.note(c.IssuedEventID)
			for _, id := range p.evidence.attempts[c.ID] {
				h.note(id)
			}
			reset[h.name] = reset[h.name] || c.Kind == lineage.Password
		}
	}
	for _, r := range p.lineage.Principals {
		if r.How == lineage.PolicyChanged && users[r.ARN] == nil && r.Kind != "identity_center_user" {
			continue
		}
		if h := at(r.ARN, r.AccountID); h != nil {
			h.created = h.created || r.How == lineage.Created
			reset[h.name] = reset[h.name] || r.How == lineage.PasswordSet
			h.note(r.EventID)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		h := users[id]
		if !h.created && !reset[id] && len(h.credentials) == 0 {
			continue // only its groups or assignments were changed, which is undone
		}
		title := "Disable the Identity Center user " + id + " and end its sessions of the access portal"
		why := "The portal hands its user new sessions of every role that it is assigned. Nothing but the console of Identity Center (Users, the user, Disable user access; then Active sessions, End sessions) does this; it ends no session of a role that is open, which the deny in its permission set does."
		if reset[id] && !h.created {
			title += ", then reset its password"
			why += " The intruder knows its password: send the owner a mail to set another."
		}
		if h.created {
			why += " The lineage made it; it is deleted when the intruder is out."
		}
		scp := map[string]any{"Version": "2012-10-17", "Statement": []any{centerDeny([]string{id})}}
		why += " If Identity Center is an organisation's, this service control policy, on every account where the user has a permission set, ends its sessions there at once: " + asciiJSON(scp)
		p.byHand(h, Contain, title, strings.TrimSpace(why+". "+h.sessions()))
	}
}
