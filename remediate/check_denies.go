package remediate

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// Weakening is a call that took a deny of the plan off, or made it weaker.
type Weakening struct {
	EventID     string    `json:"event_id"`
	Time        time.Time `json:"time"`
	Call        string    `json:"call"`
	Action      string    `json:"action"` // of the plan whose work it undid
	What        string    `json:"what"`   // for a reader
	By          string    `json:"by"`     // ARN
	AccessKeyID string    `json:"access_key_id"`
	SourceIP    string    `json:"source_ip"`
	InLineage   bool      `json:"in_lineage"`
}

// undoing are the calls that can undo what keeps the intruder out, and those that
// make credentials for principals that are denied.
var undoing = []string{
	"iam:DeleteUserPolicy", "iam:DeleteRolePolicy", "iam:DeleteGroupPolicy", "iam:DetachUserPolicy", "iam:DetachRolePolicy", "iam:DetachGroupPolicy",
	"iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy", "iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary",
	"iam:PutUserPermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:UpdateAccessKey", "iam:UpdateServiceSpecificCredential",
	"iam:UpdateSSHPublicKey", "iam:UpdateSigningCertificate", "iam:UpdateAssumeRolePolicy", "iam:RemoveUserFromGroup",
	"iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:CreateUser", "iam:CreateRole", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
	"iam:CreateAccessKey", "iam:CreateServiceSpecificCredential", "iam:UploadSSHPublicKey", "iam:UploadSigningCertificate",
	"iam:DeletePolicy", "iam:DeletePolicyVersion", "sso:DeleteInlinePolicyFromPermissionSet", "sso:PutInlinePolicyToPermissionSet",
	"sso:DeletePermissionSet", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "rolesanywhere:EnableTrustAnchor", "rolesanywhere:EnableProfile",
}

// findWeakened looks for the calls, by anybody but trailscan, that undid a denial
// while it stood. The intruder may send trailscan's user agent, too.
func (k *checker) findWeakened(ctx context.Context) error {
	args := []any{k.found.Since}
	var names []string
	for _, call := range undoing {
		_, name := splitCall(call)
		names = append(names, name)
	}
	for _, a := range k.done {
		for _, c := range append(slices.Clone(a.Rollback), a.call()) {
			names = appendNew(names, c.Operation)
		}
	}
	rows, err := k.c.DB.QueryContext(ctx, `
		SELECT `+requestColumns+`, e.event_id, e.issued_access_key_id
		FROM events e
		WHERE e.event_time > ? AND coalesce(e.error_code, '') = '' 
			AND regexp_replace(e.event_name, '([0-9]{8}(v[0-9]+)?|[0-9]{4}_[0-9]{2}_[0-9]{2})$', '') IN `+placeholders(names, &args)+`
		ORDER BY e.event_time, e.event_id`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row requestRow
		var id, issued sql.NullString
		if err := rows.Scan(append(row.into(), &id, &issued)...); err != nil {
			return err
		}
		r := row.request()
		ours := k.held[r.accessKey] != ""
		if ownAgent(r.userAgent) && !ours {
			continue
		}
		told := map[string]bool{} // actions
		note := func(action, what string) {
			if what != "" && !told[action] {
				told[action] = true
				k.found.Weakened = append(k.found.Weakened, Weakening{id.String, r.time, r.call, action, what, r.arn, r.accessKey, r.sourceIP, ours})
			}
		}
		for _, d := range k.denials {
			if d.stands(r.time) && slices.Contains(undoing, r.call) {
				note(d.action.ID, d.weakenedBy(r))
			}
		}
		if len(told) == 0 {
			for _, a := range k.done {
				if a.stands(r.time) {
					note(a.ID, a.undoneBy(r, slices.ContainsFunc(k.denials, func(d *denial) bool { return d.action.ID == a.ID })))
				}
			}
		}
		if !ours && k.makesCredential(r) {
			k.found.Minted = append(k.found.Minted, Minting{id.String, r.time, r.call, r.arn, issued.String, false})
		}
	}
	slices.SortStableFunc(k.found.Minted, func(a, b Minting) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.EventID, b.EventID)) })
	return rows.Err()
}

// text is a request parameter.
func (r *request) text(name string) string {
	s, _ := dig(r.params, []string{name}).(string)
	return s
}

// makesCredential says that a call makes a credential for a user that is denied.
func (k *checker) makesCredential(r *request) bool {
	switch r.call {
	case "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:CreateServiceSpecificCredential", "iam:UploadSSHPublicKey", "iam:UploadSigningCertificate":
	default:
		return false
	}
	return slices.ContainsFunc(k.denials, func(d *denial) bool {
		return d.kind == byPolicy && d.stands(r.time) && r.account == d.account && d.holder.kind == "user" && d.holder.name == r.text("userName")
	})
}

// weakenedBy says what a call undid of a denial; "" for nothing.
func (d *denial) weakenedBy(r *request) string {
	if r.account != d.account {
		return ""
	}
	_, name := splitCall(r.call)
	holder := r.text("userName")
	if d.holder.kind == "role" {
		holder = r.text("roleName")
	}
	on := d.holder.name != "" && holder == d.holder.name
	about := d.holder.kind + " " + d.holder.name
	switch d.kind {
	case byKey:
		if name == "UpdateAccessKey" && r.text("accessKeyId") == d.name && r.text("status") == "Active" {
			return "the access key " + d.name + " was set to active"
		}
	case byCredential:
		for _, id := range []string{"serviceSpecificCredentialId", "sSHPublicKeyId", "certificateId"} {
			if strings.HasPrefix(name, "Update") && d.name != "" && r.text(id) == d.name && r.text("status") == "Active" {
				return "the credential " + d.name + " was set to active"
			}
		}
	case byPassword:
		if on && (name == "CreateLoginProfile" || name == "UpdateLoginProfile") {
			return "the " + about + " got a password again"
		}
	case byTrust:
		if on && name == "UpdateAssumeRolePolicy" && !same(r.text("policyDocument"), d.text, time.Time{}) {
			return "the trust policy of the " + about + " was changed"
		}
	case byAnchor:
		if strings.HasPrefix(name, "Enable") && slices.ContainsFunc(texts(members(r.params)), func(s string) bool { return lastSegment(s) == lastSegment(d.name) }) {
			return "the trust anchor or profile " + d.name + " was enabled"
		}
	case byBucket:
		if r.text("bucketName") == d.name && (name == "DeleteBucketPolicy" || name == "PutBucketPolicy" && !same(dig(r.params, []string{"bucketPolicy"}), d.text, time.Time{})) {
			return "the policy of the bucket " + d.name + " was changed or deleted"
		}
	case bySet:
		if r.text("permissionSetArn") != d.holder.name {
			return ""
		}
		switch {
		case name == "DeleteInlinePolicyFromPermissionSet", name == "DeletePermissionSet":
			return "the policy that denies was taken off the permission set " + d.holder.name
		case name == "PutInlinePolicyToPermissionSet" && !holdsStatements(r.text("inlinePolicy"), d.text):
			return "the policy of the permission set " + d.holder.name + " was replaced by one without the deny"
		}
		return ""
	case byPolicy:
		if on {
			return d.policyWeakened(r, name, about)
		}
		return d.groupWeakened(r, name)
	}
	if on && (name == "CreateUser" || name == "CreateRole") {
		return "the " + about + " was made anew, without the deny"
	}
	return ""
}

// policyWeakened is about calls on the very user or role that a policy denies.
func (d *denial) policyWeakened(r *request, name, about string) string {
	a := d.action
	ours := r.text("policyName") != "" && r.text("policyName") == param(a, "PolicyName")
	attached := r.text("policyArn") != "" && r.text("policyArn") == param(a, "PolicyArn")
	boundary := strings.HasSuffix(a.Operation, "PermissionsBoundary")
	switch {
	case strings.HasPrefix(name, "Delete") && ours:
		return "the deny " + r.text("policyName") + " was deleted from the " + about
	case strings.HasPrefix(name, "Detach") && attached:
		return "the deny " + r.text("policyArn") + " was detached from the " + about
	case strings.HasPrefix(name, "Delete") && boundary && strings.HasSuffix(name, "PermissionsBoundary"):
		return "the permissions boundary of the " + about + " was deleted"
	case strings.HasPrefix(name, "Put") && boundary && strings.HasSuffix(name, "PermissionsBoundary") && r.text("permissionsBoundary") != param(a, "PermissionsBoundary"):
		return "the permissions boundary of the " + about + " was replaced"
	case strings.HasPrefix(name, "Put") && ours && d.weakerThan(r.text("policyDocument")):
		return "the deny " + r.text("policyName") + " of the " + about + " was overwritten by a weaker policy"
	case name == "RemoveUserFromGroup" && a.Operation == "AddUserToGroup" && r.text("groupName") == param(a, "GroupName"):
		return "the " + about + " was taken out of the group " + r.text("groupName")
	case name == "CreateUser" || name == "CreateRole":
		return "the " + about + " was made anew, without the deny"
	}
	return ""
}

// groupWeakened is about calls on the group or the managed policy through which a
// policy denies.
func (d *denial) groupWeakened(r *request, name string) string {
	a := d.action
	group := r.text("groupName")
	if a.Operation == "AddUserToGroup" && group != "" && group == param(a, "GroupName") && (strings.HasPrefix(name, "Delete") || strings.HasPrefix(name, "Detach")) {
		return "a policy of the group " + group + ", which denies, was taken off"
	}
	if name == "DeletePolicy" && r.text("policyArn") != "" && r.text("policyArn") == param(a, "PolicyArn") {
		return "the policy " + r.text("policyArn") + ", which denies, was deleted"
	}
	if (name == "CreatePolicyVersion" || name == "SetDefaultPolicyVersion") && r.text("policyArn") != "" && r.text("policyArn") == param(a, "PolicyArn") {
		return "the policy " + r.text("policyArn") + ", which denies, got another version"
	}
	return ""
}

// weakerThan says that a policy leaves out somebody whom the denial's denies
// everything.
func (d *denial) weakerThan(text string) bool {
	theirs, err := parsePolicy(text, moment(d.at))
	if err != nil {
		return true
	}
	c := caller{kind: "IAMUser", arn: "arn:aws:iam::" + d.account + ":user/" + d.holder.name, account: d.account, id: d.id}
	if d.holder.kind == "role" {
		c = caller{kind: "AssumedRole", issuerARN: "arn:aws:iam::" + d.account + ":role/" + d.holder.name, account: d.account, id: d.id}
	}
	for _, issued := range []time.Time{{}, d.at.Add(-time.Hour), d.at.Add(-time.Second), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		r := request{caller: c}
		r.issued = issued
		before, some, _ := d.policy.deniesAll(&r)
		after, _, _ := theirs.deniesAll(&r)
		if before == yes && after != yes || before != yes && some && !same(text, d.text, time.Time{}) {
			return true
		}
	}
	return false
}
