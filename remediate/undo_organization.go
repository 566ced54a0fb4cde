package remediate

// undoOrganization are the organisation, the account itself, Identity Center
// and Roles Anywhere: ways in that no user or role of the account shows.
var undoOrganization = []undo{
	{call: "organizations:LeaveOrganization", object: []string{"ev.account"}, todo: "The account left its organisation, and with it every service control policy: have the management account invite it again, and accept."},
	{
		call: "organizations:RemoveAccountFromOrganization", object: []string{"rq.accountId"}, also: []string{"InviteAccountToOrganization"},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:InviteAccountToOrganization", in: args{"Target": args{"Id": "rq.accountId", "Type": "'ACCOUNT'"}},
			title: "Invite the account {rq.accountId} into the organisation again, and accept there", risk: "Until it has joined, no service control policy binds it. Move it to its organisational unit afterwards."}},
	},
	{
		call: "organizations:InviteAccountToOrganization", object: []string{"rs.handshake.id"}, also: []string{"CancelHandshake"},
		steps: []step{{phase: Evict, mode: Review, call: "organizations:CancelHandshake", in: args{"HandshakeId": "rs.handshake.id"},
			title: "Take back the invitation of {rq.target.id} into the organisation", risk: "Only while it is open."}},
	},
	{call: "organizations:AcceptHandshake", object: []string{"rq.handshakeId"}, todo: "The account joined another organisation ({rq.handshakeId}), which now rules it: leave it, or ask AWS support."},
	{call: "organizations:CreateAccount", object: []string{"rs.createAccountStatus.id"}, todo: "The intruder made a new account ({rs.createAccountStatus.id}): find its number in CreateAccountResult, see what runs in it, and close it."},
	{
		call: "organizations:AttachPolicy", object: []string{"rq.policyId", "rq.targetId"}, also: []string{"DetachPolicy"}, within: map[string]int{"DeletePolicy": 0, "RemoveAccountFromOrganization": 1},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:DetachPolicy", in: args{"PolicyId": "rq.policyId", "TargetId": "rq.targetId"},
			back:  []reverse{{"organizations:AttachPolicy", args{"PolicyId": "rq.policyId", "TargetId": "rq.targetId"}}},
			title: "Detach the policy {rq.policyId} from {rq.targetId}", risk: "AWS refuses for the last service control policy of a target."}},
	},
	{
		call: "organizations:DetachPolicy", object: []string{"rq.policyId", "rq.targetId"}, also: []string{"AttachPolicy"}, within: map[string]int{"DeletePolicy": 0, "RemoveAccountFromOrganization": 1},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:AttachPolicy", in: args{"PolicyId": "rq.policyId", "TargetId": "rq.targetId"},
			back:  []reverse{{"organizations:DetachPolicy", args{"PolicyId": "rq.policyId", "TargetId": "rq.targetId"}}},
			title: "Attach the policy {rq.policyId} to {rq.targetId} again", risk: "Limits the accounts under it, as before."}},
	},
	{
		call: "organizations:UpdatePolicy", object: []string{"rq.policyId"}, within: map[string]int{"DeletePolicy": 0},
		prior: []prior{{"UpdatePolicy", []string{"rq.policyId"}, "rq.content"}, {"CreatePolicy", []string{"rs.policy.policySummary.id"}, "rq.content"}},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:UpdatePolicy", in: args{"PolicyId": "rq.policyId", "Content": "prior"},
			back:  []reverse{{"organizations:UpdatePolicy", args{"PolicyId": "rq.policyId", "Content": "rq.content"}}},
			title: "Put the organisation's policy {rq.policyId} back to what it was before the intruder", risk: "It binds every account under its targets."}},
		todo: "The organisation's policy {rq.policyId} was changed and its old text is not in the log: put it back.",
	},
	{call: "organizations:DeletePolicy", object: []string{"rq.policyId"}, todo: "The organisation's policy {rq.policyId} was deleted: make it again and attach it."},
	{
		call: "organizations:DisablePolicyType", object: []string{"rq.rootId", "rq.policyType"}, also: []string{"EnablePolicyType"},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:EnablePolicyType", in: args{"RootId": "rq.rootId", "PolicyType": "rq.policyType"},
			back:  []reverse{{"organizations:DisablePolicyType", args{"RootId": "rq.rootId", "PolicyType": "rq.policyType"}}},
			title: "Enable {rq.policyType} in the organisation again", risk: "Every attachment was dropped: attach the policies again."}},
	},
	orgSwitch("RegisterDelegatedAdministrator", "DeregisterDelegatedAdministrator", args{"AccountId": "rq.accountId", "ServicePrincipal": "rq.servicePrincipal"}, []string{"rq.accountId", "rq.servicePrincipal"},
		"Take from {rq.accountId} the administration of {rq.servicePrincipal}"),
	orgSwitch("EnableAWSServiceAccess", "DisableAWSServiceAccess", args{"ServicePrincipal": "rq.servicePrincipal"}, []string{"rq.servicePrincipal"}, "Take from {rq.servicePrincipal} its access to the organisation"),
	orgSwitch("DisableAWSServiceAccess", "EnableAWSServiceAccess", args{"ServicePrincipal": "rq.servicePrincipal"}, []string{"rq.servicePrincipal"}, "Give {rq.servicePrincipal} access to the organisation again"),
	{
		call: "organizations:MoveAccount", object: []string{"rq.accountId"},
		steps: []step{{phase: Recover, mode: Review, call: "organizations:MoveAccount", in: args{"AccountId": "rq.accountId", "SourceParentId": "rq.destinationParentId", "DestinationParentId": "rq.sourceParentId"},
			back:  []reverse{{"organizations:MoveAccount", args{"AccountId": "rq.accountId", "SourceParentId": "rq.sourceParentId", "DestinationParentId": "rq.destinationParentId"}}},
			title: "Move the account {rq.accountId} back to {rq.sourceParentId}", risk: "Other service control policies apply there."}},
	},
	{
		call: "account:EnableRegion", object: []string{"rq.RegionName"}, also: []string{"DisableRegion"},
		steps: []step{{phase: Recover, mode: Review, call: "account:DisableRegion", in: args{"RegionName": "rq.RegionName"}, back: []reverse{{"account:EnableRegion", args{"RegionName": "rq.RegionName"}}},
			title: "Disable the region {rq.RegionName}", risk: "What is in it runs on and costs, unseen: delete it first."}},
	},
	{
		call: "account:DisableRegion", object: []string{"rq.RegionName"}, also: []string{"EnableRegion"},
		steps: []step{{phase: Recover, mode: Review, call: "account:EnableRegion", in: args{"RegionName": "rq.RegionName"}, back: []reverse{{"account:DisableRegion", args{"RegionName": "rq.RegionName"}}},
			title: "Enable the region {rq.RegionName} again", risk: "Takes minutes to hours."}},
	},
	{call: "account:PutAlternateContact", object: []string{"rq.alternateContactType"}, todo: "The {rq.alternateContactType} contact of the account was replaced, so AWS's warnings went elsewhere: put it back."},
	{call: "account:PutContactInformation", object: []string{"ev.account"}, todo: "The contact of the account was replaced: put it back."},
	{call: "account:StartPrimaryEmailUpdate", object: []string{"rq.accountId|ev.account"}, todo: "The e-mail address of root of {rq.accountId|ev.account} was to be changed: see that it was not, and secure the mailbox."},
	{
		call: "sso:CreateAccountAssignment", idempotent: true, object: []string{"rq.targetId", "rq.permissionSetArn", "rq.principalId"}, creates: "assignment", also: []string{"DeleteAccountAssignment"},
		steps: []step{{phase: Evict, mode: Review, call: "ssoadmin:DeleteAccountAssignment", in: assignment, back: []reverse{{"ssoadmin:CreateAccountAssignment", assignment}},
			title: "Take the permission set {rq.permissionSetArn} in {rq.targetId} from {rq.principalId}", risk: "Sessions that are open live on, up to the set's duration."}},
	},
	{
		call: "sso:DeleteAccountAssignment", object: []string{"rq.targetId", "rq.permissionSetArn", "rq.principalId"}, also: []string{"CreateAccountAssignment"},
		steps: []step{{phase: Recover, mode: Review, call: "ssoadmin:CreateAccountAssignment", in: assignment, back: []reverse{{"ssoadmin:DeleteAccountAssignment", assignment}},
			title: "Give {rq.principalId} the permission set {rq.permissionSetArn} in {rq.targetId} again", risk: "Only when its owner is in control again."}},
	},
	remove("sso:CreatePermissionSet", "ssoadmin:DeletePermissionSet", "permission set", []string{"rs.permissionSet.permissionSetArn"},
		args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rs.permissionSet.permissionSetArn"}, "Delete the permission set {rs.permissionSet.permissionSetArn}, once nobody has it"),
	{
		call: "sso:AttachManagedPolicyToPermissionSet", idempotent: true, object: []string{"rq.permissionSetArn", "rq.managedPolicyArn"}, also: []string{"DetachManagedPolicyFromPermissionSet"},
		steps: []step{
			{phase: Evict, mode: Review, call: "ssoadmin:DetachManagedPolicyFromPermissionSet", in: setPolicy, back: []reverse{{"ssoadmin:AttachManagedPolicyToPermissionSet", setPolicy}},
				title: "Detach {rq.managedPolicyArn} from the permission set {rq.permissionSetArn}", risk: "Whoever has the set loses what the policy allows."},
			provision,
		},
		chain: true,
	},
	{
		call: "sso:PutInlinePolicyToPermissionSet", object: []string{"rq.permissionSetArn"}, also: []string{"DeleteInlinePolicyFromPermissionSet", "DeletePermissionSet"}, chain: true,
		prior: []prior{{"PutInlinePolicyToPermissionSet", []string{"rq.permissionSetArn"}, "rq.inlinePolicy"}},
		steps: []step{
			{phase: Recover, mode: Review, call: "ssoadmin:PutInlinePolicyToPermissionSet", in: args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "InlinePolicy": "prior"},
				back:  []reverse{{"ssoadmin:PutInlinePolicyToPermissionSet", args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "InlinePolicy": "rq.inlinePolicy"}}},
				title: "Put the inline policy of the permission set {rq.permissionSetArn} back to what it was before the intruder", risk: "Whoever has the set gets what it allowed before."},
			provision,
		},
		blind: []step{
			{phase: Recover, mode: Review, call: "ssoadmin:DeleteInlinePolicyFromPermissionSet", in: args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn"},
				back:  []reverse{{"ssoadmin:PutInlinePolicyToPermissionSet", args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "InlinePolicy": "rq.inlinePolicy"}}},
				title: "Delete the inline policy that the intruder gave the permission set {rq.permissionSetArn}", risk: "A set has one inline policy, and the log shows none before: if there was one, look it up and put that back instead."},
			provision,
		},
	},
	{
		call: "sso:UpdatePermissionSet", object: []string{"rq.permissionSetArn"}, also: []string{"DeletePermissionSet"}, overlay: true, chain: true,
		prior: []prior{{"CreatePermissionSet", []string{"rs.permissionSet.permissionSetArn"}, "rq"}, {"UpdatePermissionSet", []string{"rq.permissionSetArn"}, "fields(rq)"}},
		steps: []step{
			{phase: Recover, mode: Review, call: "ssoadmin:UpdatePermissionSet",
				in:    args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "SessionDuration": "prior.sessionDuration?", "RelayState": "prior.relayState?", "Description": "prior.description?"},
				back:  []reverse{{"ssoadmin:UpdatePermissionSet", args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "SessionDuration": "rq.sessionDuration?", "RelayState": "rq.relayState?", "Description": "rq.description?"}}},
				title: "Set the permission set {rq.permissionSetArn} back to {prior}", risk: "Sessions are as long as they were before."},
			provision,
		},
		todo: "The permission set {rq.permissionSetArn} was changed and the log does not show how it was: put it back, its session duration above all.",
	},
	{
		call: "sso:DeletePermissionsBoundaryFromPermissionSet", object: []string{"rq.permissionSetArn"}, also: []string{"PutPermissionsBoundaryToPermissionSet", "DeletePermissionSet"}, chain: true,
		prior: []prior{{"PutPermissionsBoundaryToPermissionSet", []string{"rq.permissionSetArn"}, "rq.permissionsBoundary"}},
		steps: []step{
			{phase: Recover, mode: Auto, call: "ssoadmin:PutPermissionsBoundaryToPermissionSet", in: args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "PermissionsBoundary": "sdk(prior)"},
				back:  []reverse{{"ssoadmin:DeletePermissionsBoundaryFromPermissionSet", args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn"}}},
				title: "Give the permission set {rq.permissionSetArn} its permissions boundary again", risk: "Limits whoever has the set to what the boundary allows, as before."},
			provision,
		},
		todo: "The permission set {rq.permissionSetArn} lost its permissions boundary, which is not in the log: put it back and provision the set.",
	},
	{call: "sso:UpdateSsoConfiguration", object: []string{"rq.instanceArn|ev.account"}, todo: "Sign-in settings of Identity Center were changed ({rq.configurationType}): put session length and MFA back in the console."},
	remove("sso:CreateTrustedTokenIssuer", "ssoadmin:DeleteTrustedTokenIssuer", "token issuer", []string{"rs.trustedTokenIssuerArn"}, args{"TrustedTokenIssuerArn": "rs.trustedTokenIssuerArn"}, "Delete the trusted token issuer {rs.trustedTokenIssuerArn}"),
	remove("sso-directory:CreateUser", "identitystore:DeleteUser", "Identity Center user", []string{"rs.user.userId"}, args{"IdentityStoreId": "rq.identityStoreId", "UserId": "rs.user.userId"}, "Delete the Identity Center user {rs.user.userId}"),
	remove("identitystore:CreateUser", "identitystore:DeleteUser", "Identity Center user", []string{"rs.userId"}, args{"IdentityStoreId": "rq.identityStoreId", "UserId": "rs.userId"}, "Delete the Identity Center user {rs.userId}"),
	remove("sso-directory:CreateGroup", "identitystore:DeleteGroup", "Identity Center group", []string{"rs.group.groupId"}, args{"IdentityStoreId": "rq.identityStoreId", "GroupId": "rs.group.groupId"}, "Delete the Identity Center group {rs.group.groupId}"),
	remove("identitystore:CreateGroup", "identitystore:DeleteGroup", "Identity Center group", []string{"rs.groupId"}, args{"IdentityStoreId": "rq.identityStoreId", "GroupId": "rs.groupId"}, "Delete the Identity Center group {rs.groupId}"),
	remove("identitystore:CreateGroupMembership", "identitystore:DeleteGroupMembership", "membership", []string{"rs.membershipId"}, args{"IdentityStoreId": "rq.identityStoreId", "MembershipId": "rs.membershipId"}, "Take {rq.memberId.userId} out of the Identity Center group {rq.groupId}"),
	{
		call: "sso-directory:AddMemberToGroup", object: []string{"rq.groupId", "rq.member.memberId"}, also: []string{"RemoveMemberFromGroup"},
		steps: []step{{phase: Evict, mode: Review, call: "identitystore:DeleteGroupMembership", in: args{"IdentityStoreId": "rq.identityStoreId", "MembershipId": Item},
			each:  &each{"identitystore:GetGroupMembershipId", args{"IdentityStoreId": "rq.identityStoreId", "GroupId": "rq.groupId", "MemberId": args{"UserId": "rq.member.memberId"}}, "[MembershipId]"},
			back:  []reverse{{"identitystore:CreateGroupMembership", args{"IdentityStoreId": "rq.identityStoreId", "GroupId": "rq.groupId", "MemberId": args{"UserId": "rq.member.memberId"}}}},
			title: "Take {rq.member.memberId} out of the Identity Center group {rq.groupId}", risk: "If the user was in the group before, it loses what the group gives it."}},
	},
	{call: "sso-directory:UpdatePassword", object: []string{"rq.userId"}, todo: "The password of the Identity Center user {rq.userId} was changed: reset it by e-mail and end its sessions."},
	{call: "sso-directory:DeleteMfaDeviceForUser", object: []string{"rq.userId"}, todo: "The Identity Center user {rq.userId} lost an MFA device: have its owner enrol one again."},
	{call: "sso-directory:EnableExternalIdPConfigurationForDirectory", object: []string{"rq.directoryId"}, todo: "Identity Center was pointed at another identity provider, which may sign in as anyone: point it back in the console, and end all sessions."},
	anchor("CreateTrustAnchor", "TrustAnchor", "TrustAnchorId", "rs.trustAnchor.trustAnchorId"),
	anchor("CreateProfile", "Profile", "ProfileId", "rs.profile.profileId"),
	anchor("ImportCrl", "Crl", "CrlId", "rs.crl.crlId"),
	{
		call: "rolesanywhere:UpdateTrustAnchor", object: []string{"rq.trustAnchorId"}, also: []string{"DeleteTrustAnchor"}, overlay: true,
		prior: []prior{{"CreateTrustAnchor", []string{"rs.trustAnchor.trustAnchorId"}, "rq"}, {"UpdateTrustAnchor", []string{"rq.trustAnchorId"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Review, call: "rolesanywhere:UpdateTrustAnchor", in: args{"TrustAnchorId": "rq.trustAnchorId", "Name": "prior.name?", "Source": "sdk(prior.source)?"},
			back:  []reverse{{"rolesanywhere:UpdateTrustAnchor", args{"TrustAnchorId": "rq.trustAnchorId", "Name": "rq.name?", "Source": "sdk(rq.source)?"}}},
			title: "Give the trust anchor {rq.trustAnchorId} of Roles Anywhere its authority back", risk: "Certificates of the intruder's authority no longer give sessions; those that it gave live on until their roles are revoked."}},
		blind: []step{disableAnchor("TrustAnchor", "TrustAnchorId", "rq.trustAnchorId")},
	},
	{
		call: "rolesanywhere:UpdateProfile", object: []string{"rq.profileId"}, also: []string{"DeleteProfile"}, overlay: true,
		prior: []prior{{"CreateProfile", []string{"rs.profile.profileId"}, "rq"}, {"UpdateProfile", []string{"rq.profileId"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Review, call: "rolesanywhere:UpdateProfile", in: profileFields("prior"), back: []reverse{{"rolesanywhere:UpdateProfile", profileFields("rq")}},
			title: "Set the profile {rq.profileId} of Roles Anywhere back to {prior}", risk: "Certificates get the roles that they got before. Revoke the sessions of roles that the intruder added."}},
		blind: []step{disableAnchor("Profile", "ProfileId", "rq.profileId")},
	},
	{call: "rolesanywhere:CreateSession", handled: true},
	{
		call: "ram:CreateResourceShare", object: []string{"rs.resourceShare.resourceShareArn"}, creates: "share", also: []string{"DeleteResourceShare"},
		steps: []step{{phase: Evict, mode: Review, call: "ram:DeleteResourceShare", in: args{"ResourceShareArn": "rs.resourceShare.resourceShareArn"},
			title: "Stop the share {rs.resourceShare.resourceShareArn} with {rq.principals}", risk: "Final. What it shared must count as seen."}},
	},
	{
		call: "ram:AssociateResourceShare", object: []string{"rq.resourceShareArn", "rq.principals[]|rq.resourceArns[]"}, also: []string{"DisassociateResourceShare", "DeleteResourceShare"},
		steps: []step{{phase: Evict, mode: Auto, call: "ram:DisassociateResourceShare", in: shareParties, back: []reverse{{"ram:AssociateResourceShare", shareParties}},
			title: "Take {rq.principals|rq.resourceArns} out of the share {rq.resourceShareArn}", risk: "What it shared must count as seen."}},
	},
}

var (
	assignment = args{"InstanceArn": "rq.instanceArn", "TargetId": "rq.targetId", "TargetType": "rq.targetType", "PermissionSetArn": "rq.permissionSetArn",
		"PrincipalType": "rq.principalType", "PrincipalId": "rq.principalId"}
	setPolicy    = args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "ManagedPolicyArn": "rq.managedPolicyArn"}
	shareParties = args{"ResourceShareArn": "rq.resourceShareArn", "Principals": "rq.principals?", "ResourceArns": "rq.resourceArns?"}
)

func orgSwitch(name, back string, in args, object []string, title string) undo {
	return undo{
		call: "organizations:" + name, object: object, also: []string{back}, idempotent: true,
		steps: []step{{phase: Recover, mode: Review, call: "organizations:" + back, in: in, back: []reverse{{"organizations:" + name, in}},
			title: title, risk: "If it stood so before the incident, leave it."}},
	}
}

// anchor is what lets certificates take roles: disabled at once, deleted after a
// look. Sessions that it gave are revoked on their roles.
func anchor(name, noun, param, id string) undo {
	in := args{param: id}
	return undo{
		call: "rolesanywhere:" + name, object: []string{id}, creates: "Roles Anywhere " + noun, also: []string{"Delete" + noun},
		steps: []step{
			{phase: Contain, mode: Auto, call: "rolesanywhere:Disable" + noun, in: in, back: []reverse{{"rolesanywhere:Enable" + noun, in}},
				title: "Disable the Roles Anywhere " + cliName(noun) + " {" + id + "}", risk: "None for the owner: the intruder made it."},
			{phase: Evict, mode: Review, call: "rolesanywhere:Delete" + noun, in: in, title: "Delete the Roles Anywhere " + cliName(noun) + " {" + id + "}", risk: "Final."},
		},
	}
}

// provision brings a permission set to its accounts, whose roles stay as they
// were until then.
var provision = step{phase: Recover, mode: Review, call: "ssoadmin:ProvisionPermissionSet", in: args{"InstanceArn": "rq.instanceArn", "PermissionSetArn": "rq.permissionSetArn", "TargetType": "'ALL_PROVISIONED_ACCOUNTS'"},
	title: "Bring the permission set {rq.permissionSetArn} to its accounts", risk: "Until then the roles in the accounts stay as the intruder made them."}

// disableAnchor stops what the intruder changed from giving sessions, where the
// log does not show how it was.
func disableAnchor(noun, param, id string) step {
	in := args{param: id}
	return step{
		phase: Evict, mode: Review, call: "rolesanywhere:Disable" + noun, in: in, back: []reverse{{"rolesanywhere:Enable" + noun, in}},
		title: "Disable the Roles Anywhere " + cliName(noun) + " {" + id + "}, which the intruder changed, until it is put back",
		risk:  "Every workload that gets its credentials through it stops when they run out. What it was before is not in the log: look it up, put it back and enable it.",
	}
}

// profileFields are what a profile of Roles Anywhere says.
func profileFields(from string) args {
	return args{"ProfileId": "rq.profileId", "Name": from + ".name?", "RoleArns": from + ".roleArns?", "ManagedPolicyArns": from + ".managedPolicyArns?",
		"SessionPolicy": from + ".sessionPolicy?", "DurationSeconds": from + ".durationSeconds?"}
}
