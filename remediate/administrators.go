package remediate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"trailscan/query"
)

// keepAdministrator refuses actions after which nobody would be left in an
// account who may do everything: as the live account shows or, where it cannot
// be read, the log. What the intruder made or granted does not count, and the
// root user only when it is the caller.
func (x *run) keepAdministrator(ctx context.Context, actions []Action) error {
	for _, account := range accountsOf(actions) {
		place := x.places[account]
		if place.caller == nil || place.who.IsRoot() || !slices.ContainsFunc(actions, func(a Action) bool { return a.AccountID == account && a.mayUnseat() }) {
			continue
		}
		now, err := x.livePrincipals(ctx, account)
		source := "the account"
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			now, source = x.plan.loggedPrincipals(account), fmt.Sprintf("the log (the account could not be read: %v)", err)
		}
		if last := x.plan.unseats(account, now, actions); last != "" {
			return fmt.Errorf("%w: action %s is aimed at the last with administrator rights in account %s, as %s shows: make an administrator first that the intruder does not hold, or leave the action out with --skip",
				ErrRefused, last, account, source)
		}
	}
	return nil
}

// unseats names the action that takes its rights from an administrator when the
// plan leaves nobody else; "" is none.
func (p *Plan) unseats(account string, now principals, actions []Action) string {
	rightful := now.clone()
	for _, a := range p.Actions {
		if a.AccountID == account && a.Mode != Manual && a.Phase != Restore && p.takesBack(&a) {
			rightful.called(account, a.call())
		}
	}
	after := rightful.clone()
	for _, a := range p.Actions {
		if a.AccountID == account && a.Mode != Manual && a.Phase != Restore {
			after.called(account, a.call())
		}
	}
	if len(after.administrators()) > 0 {
		return ""
	}
	for _, a := range actions {
		if a.AccountID != account || a.Phase == Restore {
			continue
		}
		before := len(rightful.administrators())
		if rightful.called(account, a.call()); len(rightful.administrators()) < before {
			return a.ID
		}
	}
	return ""
}

// takesBack says that an action takes back what the intruder granted or made.
func (p *Plan) takesBack(a *Action) bool {
	document, _ := a.Parameters["PolicyDocument"].(string)
	switch a.Operation {
	case "DetachUserPolicy", "DetachRolePolicy", "DeleteUserPolicy", "DeleteRolePolicy", "RemoveUserFromGroup":
		return true
	case "PutUserPolicy", "PutRolePolicy", "UpdateAssumeRolePolicy":
		return a.Phase == Recover && !strings.Contains(document, `"Deny"`)
	case "DeleteUser", "DeleteRole":
		kind, name := "user", a.Parameters["UserName"]
		if a.Operation == "DeleteRole" {
			kind, name = "role", a.Parameters["RoleName"]
		}
		return slices.ContainsFunc(p.Lineage.ARNs, func(arn string) bool {
			s, ok := subjectOf(arn)
			return ok && s.account == a.AccountID && s.kind == kind && s.name == name
		})
	}
	return false
}

// mayUnseat says that an action may take all rights from someone.
func (a *Action) mayUnseat() bool {
	return a.Service == "iam" && a.Phase != Restore && (a.call().takesAway() ||
		slices.Contains([]string{"PutUserPolicy", "PutRolePolicy", "DeleteUserPolicy", "DeleteRolePolicy", "DetachUserPolicy", "DetachRolePolicy", "RemoveUserFromGroup", "UpdateAssumeRolePolicy"}, a.Operation))
}

// livePrincipals are the users and roles of an account:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html.
func (x *run) livePrincipals(ctx context.Context, account string) (principals, error) {
	at := Target{AccountID: account, Region: globalRegion(partitionOf(x.places[account].who.ARN, ""))}
	answer, err := x.read(ctx, at, Call{Service: "iam", Operation: "GetAccountAuthorizationDetails",
		Parameters: map[string]any{"Filter": []any{"User", "Role", "Group", "LocalManagedPolicy"}}})
	if err != nil {
		return nil, err
	}
	return livePrincipals(account, answer.Result)
}

func livePrincipals(account string, answer map[string]any) (principals, error) {
	var details struct {
		Users []struct {
			UserName                string
			UserPolicyList          []inlinePolicy
			AttachedManagedPolicies []attachedPolicy
			GroupList               []string
			PermissionsBoundary     *boundary
		} `json:"UserDetailList"`
		Roles []struct {
			RoleName                 string
			AssumeRolePolicyDocument string
			RolePolicyList           []inlinePolicy
			AttachedManagedPolicies  []attachedPolicy
			PermissionsBoundary      *boundary
		} `json:"RoleDetailList"`
		Groups []struct {
			GroupName               string
			GroupPolicyList         []inlinePolicy
			AttachedManagedPolicies []attachedPolicy
		} `json:"GroupDetailList"`
		Policies []struct {
			Arn               string
			PolicyVersionList []struct {
				Document         string
				IsDefaultVersion bool
			}
		}
	}
	text, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(text, &details)
	}
	if err != nil {
		return nil, fmt.Errorf("iam:GetAccountAuthorizationDetails: %w", err)
	}
	allow, deny := map[string]bool{}, map[string]bool{}
	for _, p := range details.Policies {
		for _, v := range p.PolicyVersionList {
			allow[p.Arn] = allow[p.Arn] || v.IsDefaultVersion && allowsAll(v.Document)
			deny[p.Arn] = deny[p.Arn] || v.IsDefaultVersion && deniesAll(v.Document)
		}
	}
	read := func(g *grants, inline []inlinePolicy, attached []attachedPolicy, b *boundary) {
		for _, p := range inline {
			g.denied = g.denied || deniesAll(p.PolicyDocument)
			if allowsAll(p.PolicyDocument) {
				g.all["inline "+p.PolicyName] = true
			}
		}
		for _, p := range attached {
			g.denied = g.denied || deny[p.PolicyArn] || strings.HasSuffix(p.PolicyArn, ":iam::aws:policy/AWSDenyAll")
			if allow[p.PolicyArn] || isAdminPolicy(p.PolicyArn) {
				g.all["attached "+p.PolicyArn] = true
			}
		}
		// A boundary takes rights unless it gives all of them.
		if b != nil && b.PermissionsBoundaryArn != "" {
			g.denied = g.denied || !allow[b.PermissionsBoundaryArn] && !isAdminPolicy(b.PermissionsBoundaryArn)
		}
	}
	groups := map[string]*grants{}
	for _, d := range details.Groups {
		groups[d.GroupName] = &grants{all: map[string]bool{}}
		read(groups[d.GroupName], d.GroupPolicyList, d.AttachedManagedPolicies, nil)
	}
	out := principals{}
	for _, d := range details.Users {
		g := out.at(subject{account, "user", d.UserName})
		read(g, d.UserPolicyList, d.AttachedManagedPolicies, d.PermissionsBoundary)
		for _, name := range d.GroupList {
			if of := groups[name]; of != nil {
				g.denied = g.denied || of.denied
				if len(of.all) > 0 {
					g.all["group "+name] = true
				}
			}
		}
	}
	for _, d := range details.Roles {
		g := out.at(subject{account, "role", d.RoleName})
		read(g, d.RolePolicyList, d.AttachedManagedPolicies, d.PermissionsBoundary)
		g.closed = !trustsPeople(d.AssumeRolePolicyDocument)
	}
	return out, nil
}

type (
	inlinePolicy   struct{ PolicyName, PolicyDocument string }
	attachedPolicy struct{ PolicyArn string }
	boundary       struct{ PermissionsBoundaryArn string }
)

// loggedPrincipals are the administrators that the plan knows of an account.
func (p *Plan) loggedPrincipals(account string) principals {
	out := principals{}
	for _, a := range p.Administrators {
		if a.AccountID == account {
			out.at(subject{account, a.Kind, a.Name}).all["log"] = true
		}
	}
	return out
}

// loadAdministrators reads who the log shows to have all rights, not by the
// intruder's doing, and whose sessions are of the permission set of that name.
func (ev *evidence) loadAdministrators(ctx context.Context, c *query.Case) error {
	events, err := queryEvents(ctx, c, `
		SELECT `+eventColumns+`, NULL, NULL
		FROM events e
		WHERE e.event_source = 'iam.amazonaws.com' AND coalesce(e.error_code, '') = '' AND coalesce(e.error_message, '') = ''
			AND e.event_name IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy', 'DetachUserPolicy', 'DetachRolePolicy',
				'DetachGroupPolicy', 'PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'DeleteUserPolicy', 'DeleteRolePolicy',
				'DeleteGroupPolicy', 'AddUserToGroup', 'RemoveUserFromGroup', 'DeleteUser', 'DeleteRole', 'CreatePolicy')
			AND NOT EXISTS (SELECT 1 FROM lineage_events le
				WHERE le.source_id = e.source_id AND le.record_index = e.record_index AND le.actor <> 'owner')`)
	if err != nil {
		return err
	}
	found := loggedGrants(events)
	rows, err := c.DB.QueryContext(ctx, `
		SELECT DISTINCT session_issuer_account_id, session_issuer_name FROM events
		WHERE session_issuer_type = 'Role' AND session_issuer_name LIKE 'AWSReservedSSO\_AdministratorAccess\_%' ESCAPE '\'
			AND session_issuer_account_id IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account, name string
		if err := rows.Scan(&account, &name); err != nil {
			return err
		}
		found.at(subject{account, "role", name}).all["permission set"] = true
	}
	for _, s := range found.administrators() {
		ev.administrators = append(ev.administrators, Administrator{s.account, s.kind, s.name})
	}
	return rows.Err()
}

// loggedGrants follows the grants of all rights through events in order of time.
func loggedGrants(events []*event) principals {
	type of struct{ account, name string }
	found, admins := principals{}, map[of]bool{} // policies that give all rights
	groups, members := map[of]*grants{}, map[of]map[string]bool{}
	for _, e := range events {
		text := func(name string) string { s, _ := dig(e.request, []string{name}).(string); return s }
		group := of{e.accountID, text("groupName")}
		var g *grants
		switch {
		case group.name != "":
			if groups[group] == nil {
				groups[group], members[group] = &grants{all: map[string]bool{}}, map[string]bool{}
			}
			g = groups[group]
		case text("userName") != "":
			g = found.at(subject{e.accountID, "user", text("userName")})
		case text("roleName") != "":
			g = found.at(subject{e.accountID, "role", text("roleName")})
		}
		attached, inline := "attached "+text("policyArn"), "inline "+text("policyName")
		switch {
		case e.name == "CreatePolicy":
			arn, _ := dig(e.response, []string{"policy", "arn"}).(string)
			admins[of{e.accountID, arn}] = allowsAll(text("policyDocument"))
		case g == nil:
		case e.name == "AddUserToGroup":
			members[group][text("userName")] = true
		case e.name == "RemoveUserFromGroup":
			delete(members[group], text("userName"))
		case strings.HasPrefix(e.name, "Attach"):
			if isAdminPolicy(text("policyArn")) || admins[of{e.accountID, text("policyArn")}] {
				g.all[attached] = true
			}
		case strings.HasPrefix(e.name, "Detach"):
			delete(g.all, attached)
		case strings.HasPrefix(e.name, "Put"):
			delete(g.all, inline)
			if allowsAll(text("policyDocument")) {
				g.all[inline] = true
			}
		case strings.HasSuffix(e.name, "Policy"): // Delete…Policy
			delete(g.all, inline)
		default: // DeleteUser, DeleteRole
			clear(g.all)
		}
	}
	for group, g := range groups {
		if len(g.all) == 0 {
			continue
		}
		for name := range members[group] {
			found.at(subject{group.account, "user", name}).all["group "+group.name] = true
		}
	}
	return found
}
