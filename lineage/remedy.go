package lineage

import (
	"cmp"
	"regexp"
	"strings"
)

// instanceID is how EC2 names the sessions of an instance's role.
var instanceID = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// endedBy says what ends a credential of a holder. That a deny must stand on
// the holder, not on whom it came from, is what goes wrong most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
func (n *node) endedBy(h holder) string {
	who := h.String()
	if h.kind == "role" && h.name == "" {
		who = "its role"
	}
	if top := n.topmost().cred.AccountID; h.account != "" && top != "" && h.account != top && h.kind != "root" {
		who += " in account " + h.account
	}
	switch n.cred.Kind {
	case LongTerm:
		if h.kind == "root" {
			return "delete the root user's access key; no IAM policy binds root"
		}
		return "set the access key to Inactive: SMTP passwords made from it die with it, the sessions made from it go on"
	case ServiceSpecific:
		if strings.HasPrefix(h.name, "BedrockAPIKey-") {
			return "deactivate and delete the service-specific credential and the phantom " + who + "; disabling access keys does not end it"
		}
		return "deactivate and delete the service-specific credential (and " + who + " if the intruder made it); disabling access keys does not end it"
	case SSHKey, Certificate:
		return "deactivate and delete it on " + cmp.Or(who, "the user") + "; disabling access keys does not end it"
	case Password:
		switch h.kind {
		case "Identity Center user":
			return "reset the password in Identity Center; open sessions go on until they are ended there"
		case "root":
			return "set another root password and sign out its sessions; no IAM policy binds root"
		}
		return "delete the login profile; open console sessions go on until " + cmp.Or(who, "the user") + " is denied"
	case ServiceForwarded:
		return "ends with the credential that the service acts for"
	}
	switch h.kind {
	case "root":
		return "a service control policy set from the management account, or its expiry; no IAM policy binds root"
	case "Identity Center user":
		return "remove the user's assignments, deny in the permission sets or by an SCP on identitystore:UserId, end the portal sessions; disabling the user alone does not end it"
	case "user":
		return n.userSessionEndedBy(who)
	case "role":
		return n.roleSessionEndedBy(h, who)
	}
	if n.cred.Kind == FederationToken {
		return "an unconditional deny on the IAM user that issued it; disabling or deleting the access key does not end it"
	}
	return "deny on the principal that it acts as, or its expiry"
}

func (n *node) userSessionEndedBy(who string) string {
	switch {
	case n.cred.Kind == FederationToken:
		return "an unconditional deny on " + who + ", who issued it; disabling or deleting the access key does not end it"
	case n.cred.Via == "signin:CreateOAuth2Token":
		return "deny on " + who + ", signin:CreateOAuth2Token too, which renews it for up to 12 h; disabling the access key does not end it"
	case n.cred.Kind == Console:
		return "deny on " + who + "; deleting the password (login profile) does not end the session"
	}
	return "deny on " + who + "; disabling or deleting the access key does not end it"
}

func (n *node) roleSessionEndedBy(h holder, who string) string {
	deny := "deny on " + who + " for sessions issued before now (AWSRevokeOlderSessions)"
	api := n.cred.Via
	if n.cred.Kind == Console && n.parent != nil {
		api = n.parent.cred.Via
	}
	switch {
	case strings.HasPrefix(h.name, "AWSReservedSSO_"):
		return "remove the assignment and deny in the permission set, or an SCP on identitystore:UserId; the role cannot be edited, and disabling the user alone does not end it"
	case strings.HasPrefix(h.name, "AWSServiceRoleFor"):
		return "stop the service that uses it, or its expiry: sessions of a service-linked role cannot be revoked"
	case n.source != nil && n.source.how == CodeChanged, instanceID.MatchString(n.cred.SessionName):
		return "remove the workload (" + cmp.Or(n.cred.SessionName, "instance, function or task") + "), which mints again, then " + deny
	case api == "rolesanywhere:CreateSession":
		return "disable the trust anchor and the profile, which would let in again, then " + deny
	case api == "sts:AssumeRoleWithSAML", api == "sts:AssumeRoleWithWebIdentity":
		return "close the identity provider and the trust policy, which would let in again, then " + deny + "; disabling access keys does not end it"
	case api == "cognito-identity:GetCredentialsForIdentity":
		return "take the role from the identity pool, which would mint again, then " + deny
	case n.cred.Kind == RoleSession && n.chained():
		return deny + ", at once on every role of the chain: sessions taken from each other renew each other; a deny on who assumed it does not end it"
	}
	return deny + "; a deny on who assumed it does not end it"
}

// chained reports whether a role session was taken by a session of a role.
func (n *node) chained() bool {
	return n.source == nil && n.parent != nil && n.parent.cred.Kind == RoleSession
}
