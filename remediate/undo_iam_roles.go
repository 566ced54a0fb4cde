package remediate

// undoIAMRoles are roles, instance profiles and who may assume them.
var undoIAMRoles = []undo{
	{
		call: "iam:CreateRole", object: []string{"rs.role.roleName|rq.roleName"}, creates: "role", chain: true,
		steps: roleRemoval(),
	},
	{
		call: "iam:UpdateAssumeRolePolicy", object: []string{"rq.roleName"},
		prior: []prior{
			{"CreateRole", []string{"rq.roleName"}, "rq.assumeRolePolicyDocument"},
			{"UpdateAssumeRolePolicy", []string{"rq.roleName"}, "rq.policyDocument"},
		},
		steps: []step{{
			expect: intrudersTrust,
			phase:  Recover, mode: Auto, call: "iam:UpdateAssumeRolePolicy", in: args{"RoleName": "rq.roleName", "PolicyDocument": "prior"},
			back:  []reverse{{"iam:UpdateAssumeRolePolicy", args{"RoleName": "rq.roleName", "PolicyDocument": "rq.policyDocument"}}},
			title: "Put the trust policy of the role {rq.roleName} back to what it was before the intruder",
			risk:  "Whoever was let in only by the changed policy can no longer assume the role; sessions taken through it after the log ends live on, so look for them. The document is the last one that the log shows before the incident.",
		}},
		blind: []step{{
			expect: intrudersTrust,
			phase:  Recover, mode: Review, call: "iam:UpdateAssumeRolePolicy", in: args{"RoleName": "rq.roleName", "PolicyDocument": "ours(rq.policyDocument)"},
			back:  []reverse{{"iam:UpdateAssumeRolePolicy", args{"RoleName": "rq.roleName", "PolicyDocument": "rq.policyDocument"}}},
			title: "Take everyone from outside of the account out of the trust policy that the intruder gave the role {rq.roleName}",
			risk:  "The log does not show the policy before the change: look it up in AWS Config, a snapshot or code and put that back if you can. A partner who was let in before is shut out by this; sessions taken through the changed policy after the log ends live on, so look for them.",
		}},
		todo: "The trust policy of the role {rq.roleName} before the change is not in the log: take it from AWS Config, a snapshot or code, or take out of the live one who should not be there. The intruder's document was: {rq.policyDocument}",
	},
	{
		call: "iam:UpdateRole", object: []string{"rq.roleName"}, overlay: true,
		// Without a longest session, CreateRole sets one hour:
		// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html.
		prior: []prior{{"CreateRole", []string{"rq.roleName"}, "role(rq)"}, {"UpdateRole", []string{"rq.roleName"}, "fields(rq)"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:UpdateRole", in: args{"RoleName": "rq.roleName", "MaxSessionDuration": "prior.maxSessionDuration?", "Description": "prior.description?"},
			back:  []reverse{{"iam:UpdateRole", args{"RoleName": "rq.roleName", "MaxSessionDuration": "rq.maxSessionDuration?", "Description": "rq.description?"}}},
			title: "Set the role {rq.roleName} back to {prior}",
			risk:  "Sessions of the role are as long as they were before.",
		}},
		todo: "The intruder set the longest session of the role {rq.roleName} to {rq.maxSessionDuration} s; what it was is not in the log. The default is 3600.",
	},
	{call: "iam:UpdateRoleDescription", object: []string{"rq.roleName"}, todo: "Put the description of the role {rq.roleName} back."},
	{call: "iam:DeleteRole", object: []string{"rq.roleName"}, also: []string{"CreateRole"},
		todo: "The role {rq.roleName} was deleted. Make it anew from the account's snapshot or code: it gets another unique id, so policies that name it must be saved again."},
	tagged("Role", roleTags, "rq.roleName", "the role {rq.roleName}"),
	untagged("Role", roleTags, "rq.roleName", "the role {rq.roleName}"),
	{
		call: "iam:CreateInstanceProfile", object: []string{"rs.instanceProfile.instanceProfileName|rq.instanceProfileName"}, creates: "instance profile", chain: true,
		steps: []step{
			{
				phase: Evict, mode: Review, call: "iam:RemoveRoleFromInstanceProfile",
				in:     args{"InstanceProfileName": "rq.instanceProfileName", "RoleName": Item},
				each:   &each{"iam:GetInstanceProfile", args{"InstanceProfileName": "rq.instanceProfileName"}, "InstanceProfile.Roles[].RoleName"},
				expect: sameProfile,
				title:  "Take every role out of the instance profile {rq.instanceProfileName}",
				risk:   "Instances that run with the profile lose their credentials.",
			},
			{
				phase: Evict, mode: Review, call: "iam:DeleteInstanceProfile", in: args{"InstanceProfileName": "rq.instanceProfileName"},
				expect: sameProfile,
				title:  "Delete the instance profile {rq.instanceProfileName}",
				risk:   "Final.",
			},
		},
	},
	{
		call: "iam:AddRoleToInstanceProfile", idempotent: true, object: []string{"rq.instanceProfileName", "rq.roleName"}, also: []string{"RemoveRoleFromInstanceProfile"},
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:RemoveRoleFromInstanceProfile", in: args{"InstanceProfileName": "rq.instanceProfileName", "RoleName": "rq.roleName"},
			back:  []reverse{{"iam:AddRoleToInstanceProfile", args{"InstanceProfileName": "rq.instanceProfileName", "RoleName": "rq.roleName"}}},
			title: "Take the role {rq.roleName} out of the instance profile {rq.instanceProfileName}",
			risk:  "Instances that run with the profile lose their credentials.",
		}},
	},
	{
		call: "iam:RemoveRoleFromInstanceProfile", object: []string{"rq.instanceProfileName", "rq.roleName"}, also: []string{"AddRoleToInstanceProfile"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:AddRoleToInstanceProfile", in: args{"InstanceProfileName": "rq.instanceProfileName", "RoleName": "rq.roleName"},
			back:  []reverse{{"iam:RemoveRoleFromInstanceProfile", args{"InstanceProfileName": "rq.instanceProfileName", "RoleName": "rq.roleName"}}},
			title: "Put the role {rq.roleName} back into the instance profile {rq.instanceProfileName}",
			risk:  "Instances that run with the profile get the role's permissions: look at them first.",
		}},
	},
	{call: "iam:DeleteInstanceProfile", object: []string{"rq.instanceProfileName"}, also: []string{"CreateInstanceProfile"},
		todo: "The instance profile {rq.instanceProfileName} was deleted: make it anew and associate it with its instances."},
	{
		call: "iam:CreateServiceLinkedRole", object: []string{"rs.role.roleName"}, creates: "service-linked role", also: []string{"DeleteServiceLinkedRole"},
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteServiceLinkedRole", in: args{"RoleName": "rs.role.roleName"},
			title: "Delete the service-linked role {rs.role.roleName}",
			risk:  "AWS refuses while the service has resources, and the service makes the role again when it needs it. Leave it if anything legitimate uses the service.",
		}},
	},
	{
		call: "iam:AcquireRole", object: []string{"rs.role.roleName"}, creates: "role", chain: true, also: []string{"DeleteRole"},
		steps: roleRemoval(),
		todo:  "The intruder acquired a role from the template {rq.templateArn}, whose name is not in the log: find it, deny it everything and delete it.",
	},
}

// intrudersTrust is that nobody has changed the trust policy since.
var intrudersTrust = []want{{"iam:GetRole", args{"RoleName": "rq.roleName"}, "Role.AssumeRolePolicyDocument", "rq.policyDocument"}}

var sameProfile = []want{{"iam:GetInstanceProfile", args{"InstanceProfileName": "rq.instanceProfileName"}, "InstanceProfile.InstanceProfileId", "rs.instanceProfile.instanceProfileId"}}

var sameRole = []want{{"iam:GetRole", args{"RoleName": "rs.role.roleName"}, "Role.RoleId", "rs.role.roleId"}}

func ofRole(op string, in args, title string) step {
	in["RoleName"] = "rs.role.roleName"
	return step{
		phase: Evict, mode: Review, call: "iam:" + op, in: in, title: title, expect: sameRole,
		risk: "Final. The intruder made this role; see first which services and accounts use it.",
	}
}

func ofRoleEach(op, param, list, path, title string) step {
	s := ofRole(op, args{param: Item}, title)
	s.each = &each{"iam:" + list, args{"RoleName": "rs.role.roleName"}, path}
	s.apart = true
	return s
}

// roleRemoval takes a role apart, the deny last, and deletes it: a role must be
// empty before DeleteRole accepts it:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html.
func roleRemoval() []step {
	return []step{
		ofRoleEach("RemoveRoleFromInstanceProfile", "InstanceProfileName", "ListInstanceProfilesForRole", "InstanceProfiles[].InstanceProfileName", "Take the role {rs.role.roleName} out of every instance profile"),
		ofRoleEach("DetachRolePolicy", "PolicyArn", "ListAttachedRolePolicies", "AttachedPolicies[?PolicyName!='AWSDenyAll'].PolicyArn", "Detach every policy of the role {rs.role.roleName} but the deny"),
		ofRoleEach("DeleteRolePolicy", "PolicyName", "ListRolePolicies", "PolicyNames[?@!={plan.denyName}]", "Delete every inline policy of the role {rs.role.roleName} but the deny"),
		inOrder(ofRoleEach("DetachRolePolicy", "PolicyArn", "ListAttachedRolePolicies", "AttachedPolicies[].PolicyArn", "Detach the deny of the role {rs.role.roleName}, if it is a managed policy")),
		inOrder(ofRoleEach("DeleteRolePolicy", "PolicyName", "ListRolePolicies", "PolicyNames", "Delete the deny of the role {rs.role.roleName}, now that it can do nothing else")),
		ofRole("DeleteRolePermissionsBoundary", args{}, "Remove the permissions boundary of the role {rs.role.roleName}"),
		ofRole("DeleteRole", args{}, "Delete the role {rs.role.roleName}"),
	}
}
