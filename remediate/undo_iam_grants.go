package remediate

// undoIAMGrants are policies and who has them.
var undoIAMGrants = []undo{
	attach("User", "UserName", "rq.userName"),
	attach("Group", "GroupName", "rq.groupName"),
	attach("Role", "RoleName", "rq.roleName"),
	detach("User", "UserName", "rq.userName"),
	detach("Group", "GroupName", "rq.groupName"),
	detach("Role", "RoleName", "rq.roleName"),
	putInline("User", "UserName", "rq.userName"),
	putInline("Group", "GroupName", "rq.groupName"),
	putInline("Role", "RoleName", "rq.roleName"),
	deleteInline("User", "UserName", "rq.userName"),
	deleteInline("Group", "GroupName", "rq.groupName"),
	deleteInline("Role", "RoleName", "rq.roleName"),
	putBoundary("User", "UserName", "rq.userName"),
	putBoundary("Role", "RoleName", "rq.roleName"),
	deleteBoundary("User", "UserName", "rq.userName"),
	deleteBoundary("Role", "RoleName", "rq.roleName"),
	{
		call: "iam:AddUserToGroup", object: []string{"rq.groupName", "rq.userName"}, also: []string{"RemoveUserFromGroup"}, idempotent: true,
		steps: []step{{
			phase: Evict, mode: Auto, call: "iam:RemoveUserFromGroup", in: args{"GroupName": "rq.groupName", "UserName": "rq.userName"},
			back:  []reverse{{"iam:AddUserToGroup", args{"GroupName": "rq.groupName", "UserName": "rq.userName"}}},
			title: "Take {rq.userName} out of the group {rq.groupName}",
			risk:  "If the user was in the group before, it loses what the group gives it.",
		}},
	},
	{
		call: "iam:RemoveUserFromGroup", object: []string{"rq.groupName", "rq.userName"}, also: []string{"AddUserToGroup"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:AddUserToGroup", in: args{"GroupName": "rq.groupName", "UserName": "rq.userName"},
			back:  []reverse{{"iam:RemoveUserFromGroup", args{"GroupName": "rq.groupName", "UserName": "rq.userName"}}},
			title: "Put {rq.userName} back into the group {rq.groupName}",
			risk:  "Gives the user what the group allows: only when its owner is in control of it again.",
		}},
	},
	{
		call: "iam:CreateGroup", object: []string{"rs.group.groupName|rq.groupName"}, creates: "group", chain: true,
		steps: []step{
			ofGroupEach("RemoveUserFromGroup", "UserName", "GetGroup", "Users[].UserName", "Take every user out of the group {rs.group.groupName}"),
			ofGroupEach("DetachGroupPolicy", "PolicyArn", "ListAttachedGroupPolicies", "AttachedPolicies[].PolicyArn", "Detach every policy of the group {rs.group.groupName}"),
			ofGroupEach("DeleteGroupPolicy", "PolicyName", "ListGroupPolicies", "PolicyNames", "Delete every inline policy of the group {rs.group.groupName}"),
			ofGroup("DeleteGroup", args{}, "Delete the group {rs.group.groupName}"),
		},
	},
	{
		call: "iam:UpdateGroup", object: []string{"rq.newGroupName|rq.groupName"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:UpdateGroup", in: args{"GroupName": "rq.newGroupName", "NewGroupName": "rq.groupName"},
			back:  []reverse{{"iam:UpdateGroup", args{"GroupName": "rq.groupName", "NewGroupName": "rq.newGroupName"}}},
			title: "Call the group {rq.newGroupName} {rq.groupName} again",
			risk:  "What names the group by the new ARN loses sight of it.",
		}},
		todo: "The intruder moved the group {rq.groupName} to another path: look up the old one.",
	},
	{call: "iam:DeleteGroup", object: []string{"rq.groupName"}, also: []string{"CreateGroup"},
		todo: "The group {rq.groupName} was deleted: make it anew from the account's snapshot or code."},
	{
		call: "iam:CreatePolicy", object: []string{"rs.policy.arn"}, creates: "policy", chain: true, also: []string{"DeletePolicy"},
		steps: []step{
			ofPolicyEach("DetachUserPolicy", args{"UserName": Item}, "ListEntitiesForPolicy", "PolicyUsers[].UserName", "Detach the policy {rs.policy.policyName} from every user"),
			ofPolicyEach("DetachGroupPolicy", args{"GroupName": Item}, "ListEntitiesForPolicy", "PolicyGroups[].GroupName", "Detach the policy {rs.policy.policyName} from every group"),
			ofPolicyEach("DetachRolePolicy", args{"RoleName": Item}, "ListEntitiesForPolicy", "PolicyRoles[].RoleName", "Detach the policy {rs.policy.policyName} from every role"),
			ofPolicyEach("DeletePolicyVersion", args{"VersionId": Item}, "ListPolicyVersions", "Versions[?!IsDefaultVersion].VersionId", "Delete the older versions of the policy {rs.policy.policyName}"),
			ofPolicy("DeletePolicy", args{}, "Delete the policy {rs.policy.policyName}"),
		},
	},
	{
		call: "iam:CreatePolicyVersion", object: []string{"rq.policyArn", "rs.policyVersion.versionId"}, creates: "policy version", also: []string{"DeletePolicyVersion", "DeletePolicy"},
		prior: defaultVersion, was: defaultBefore, chain: true,
		steps: []step{
			setDefault([2]string{"rs.policyVersion.isDefaultVersion|rq.setAsDefault", "true"}),
			deleteVersion,
		},
		// AWS does not delete the version that is the default.
		blind: []step{onlyWhen(deleteVersion, "rs.policyVersion.isDefaultVersion|rq.setAsDefault", "false")},
		todo:  "The log does not show which version of {rq.policyArn} was the default before: choose the newest one made before the incident with SetDefaultPolicyVersion, then delete the intruder's.",
	},
	{
		call: "iam:SetDefaultPolicyVersion", object: []string{"rq.policyArn"}, also: []string{"DeletePolicy"},
		prior: defaultVersion, was: defaultBefore,
		steps: []step{setDefault([2]string{})},
		todo:  "The intruder made {rq.versionId} the default version of {rq.policyArn}. Which was it before is not in the log: look it up and set it with SetDefaultPolicyVersion.",
	},
	{call: "iam:DeletePolicyVersion", object: []string{"rq.policyArn", "rq.versionId"},
		todo: "Version {rq.versionId} of {rq.policyArn} was deleted: make it anew from the account's snapshot, AWS Config or code if it is needed."},
	{call: "iam:DeletePolicy", object: []string{"rq.policyArn"}, also: []string{"CreatePolicy"},
		todo: "The policy {rq.policyArn} was deleted: make it anew from the account's snapshot, AWS Config or code, and attach it where it was."},
}

// defaultVersion is what shows which version of a policy was the default.
var defaultVersion = []prior{
	{"CreatePolicy", []string{"rs.policy.arn"}, "rs.policy.defaultVersionId"},
	{"CreatePolicyVersion", []string{"rq.policyArn"}, "rs.policyVersion.versionId"},
	{"SetDefaultPolicyVersion", []string{"rq.policyArn"}, "rq.versionId"},
}

func setDefault(when [2]string) step {
	return step{
		phase: Recover, mode: Auto, call: "iam:SetDefaultPolicyVersion", when: when,
		in:    args{"PolicyArn": "rq.policyArn", "VersionId": "prior"},
		back:  []reverse{{"iam:SetDefaultPolicyVersion", args{"PolicyArn": "rq.policyArn", "VersionId": "rs.policyVersion.versionId|rq.versionId"}}},
		title: "Make {prior} the default version of {rq.policyArn} again",
		risk:  "Everyone who has the policy gets the permissions of that version.",
	}
}

var deleteVersion = step{
	phase: Recover, mode: Review, call: "iam:DeletePolicyVersion",
	in:    args{"PolicyArn": "rq.policyArn", "VersionId": "rs.policyVersion.versionId"},
	title: "Delete the version {rs.policyVersion.versionId} that the intruder gave {rq.policyArn}",
	risk:  "Final; its document stays in the log. AWS refuses while it is the default version.",
}

func onlyWhen(s step, expr, value string) step {
	s.when = [2]string{expr, value}
	return s
}

func attach(kind, param, name string) undo {
	in := args{param: name, "PolicyArn": "rq.policyArn"}
	return undo{
		call: "iam:Attach" + kind + "Policy", object: []string{name, "rq.policyArn"}, also: []string{"Detach" + kind + "Policy"}, idempotent: true,
		steps: []step{{
			phase: Evict, mode: Auto, call: "iam:Detach" + kind + "Policy", in: in,
			back:  []reverse{{"iam:Attach" + kind + "Policy", in}},
			title: "Detach {rq.policyArn} from {" + name + "}",
			risk:  "If it was attached before the incident too, which the log may not reach back to, its owner loses what it allows.",
		}},
	}
}

func detach(kind, param, name string) undo {
	in := args{param: name, "PolicyArn": "rq.policyArn"}
	return undo{
		call: "iam:Detach" + kind + "Policy", object: []string{name, "rq.policyArn"}, also: []string{"Attach" + kind + "Policy"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:Attach" + kind + "Policy", in: in,
			back:  []reverse{{"iam:Detach" + kind + "Policy", in}},
			title: "Attach {rq.policyArn} to {" + name + "} again",
			risk:  "Gives what the policy allows: only when the owner is in control again.",
		}},
	}
}

func putInline(kind, param, name string) undo {
	in := args{param: name, "PolicyName": "rq.policyName"}
	document := args{param: name, "PolicyName": "rq.policyName", "PolicyDocument": "rq.policyDocument"}
	unchanged := []want{{"iam:Get" + kind + "Policy", in, "PolicyDocument", "rq.policyDocument"}}
	return undo{
		call: "iam:Put" + kind + "Policy", object: []string{name, "rq.policyName"}, also: []string{"Delete" + kind + "Policy"},
		prior: []prior{{"Put" + kind + "Policy", []string{name, "rq.policyName"}, "rq.policyDocument"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:Put" + kind + "Policy", expect: unchanged,
			in:    args{param: name, "PolicyName": "rq.policyName", "PolicyDocument": "prior"},
			back:  []reverse{{"iam:Put" + kind + "Policy", document}},
			title: "Put the inline policy {rq.policyName} of {" + name + "} back to what it was before the intruder",
			risk:  "The document is the last one that the log shows before the incident.",
		}},
		blind: []step{{
			phase: Evict, mode: Review, call: "iam:Delete" + kind + "Policy", in: in, expect: unchanged,
			back:  []reverse{{"iam:Put" + kind + "Policy", document}},
			title: "Delete the inline policy {rq.policyName} that the intruder gave {" + name + "}",
			risk:  "Putting a policy overwrites one of the same name. The log shows none before, but may not reach back far enough.",
		}},
	}
}

func deleteInline(kind, param, name string) undo {
	return undo{
		call: "iam:Delete" + kind + "Policy", object: []string{name, "rq.policyName"}, also: []string{"Put" + kind + "Policy"},
		prior: []prior{{"Put" + kind + "Policy", []string{name, "rq.policyName"}, "rq.policyDocument"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:Put" + kind + "Policy",
			in:    args{param: name, "PolicyName": "rq.policyName", "PolicyDocument": "prior"},
			back:  []reverse{{"iam:Delete" + kind + "Policy", args{param: name, "PolicyName": "rq.policyName"}}},
			title: "Put the inline policy {rq.policyName} of {" + name + "} back",
			risk:  "Gives or denies what it said before: read it first.",
		}},
		todo: "The inline policy {rq.policyName} of {" + name + "} was deleted and its text is not in the log: take it from the account's snapshot, AWS Config or code.",
	}
}

func putBoundary(kind, param, name string) undo {
	return undo{
		call: "iam:Put" + kind + "PermissionsBoundary", object: []string{name}, also: []string{"Delete" + kind + "PermissionsBoundary"},
		prior: []prior{{"Put" + kind + "PermissionsBoundary", []string{name}, "rq.permissionsBoundary"},
			{"Create" + kind, []string{name}, "rq.permissionsBoundary"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:Put" + kind + "PermissionsBoundary", in: args{param: name, "PermissionsBoundary": "prior"},
			back:  []reverse{{"iam:Put" + kind + "PermissionsBoundary", args{param: name, "PermissionsBoundary": "rq.permissionsBoundary"}}},
			title: "Put the permissions boundary of {" + name + "} back to {prior}",
			risk:  "Limits the owner to what the boundary allows, as before.",
		}},
		blind: []step{{
			phase: Recover, mode: Review, call: "iam:Delete" + kind + "PermissionsBoundary", in: args{param: name},
			back:  []reverse{{"iam:Put" + kind + "PermissionsBoundary", args{param: name, "PermissionsBoundary": "rq.permissionsBoundary"}}},
			title: "Remove the permissions boundary {rq.permissionsBoundary} that the intruder gave {" + name + "}",
			risk:  "The log shows no boundary before. Look it up in AWS Config, a snapshot or code: if there was one, put that back instead, for without it the owner may do more than before.",
		}},
	}
}

func deleteBoundary(kind, param, name string) undo {
	return undo{
		call: "iam:Delete" + kind + "PermissionsBoundary", object: []string{name}, also: []string{"Put" + kind + "PermissionsBoundary"},
		prior: []prior{{"Put" + kind + "PermissionsBoundary", []string{name}, "rq.permissionsBoundary"},
			{"Create" + kind, []string{name}, "rq.permissionsBoundary"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:Put" + kind + "PermissionsBoundary", in: args{param: name, "PermissionsBoundary": "prior"},
			back:  []reverse{{"iam:Delete" + kind + "PermissionsBoundary", args{param: name}}},
			title: "Give {" + name + "} the permissions boundary {prior} again",
			risk:  "Limits the owner to what the boundary allows, as before.",
		}},
		todo: "The permissions boundary of {" + name + "} was removed and is not in the log: look it up and put it back.",
	}
}

func ofGroup(op string, in args, title string) step {
	in["GroupName"] = "rs.group.groupName"
	return step{
		phase: Evict, mode: Review, call: "iam:" + op, in: in, title: title,
		expect: []want{{"iam:GetGroup", args{"GroupName": "rs.group.groupName"}, "Group.GroupId", "rs.group.groupId"}},
		risk:   "Its members lose what the group allows. Final.",
	}
}

func ofGroupEach(op, param, list, path, title string) step {
	s := ofGroup(op, args{param: Item}, title)
	s.each = &each{"iam:" + list, args{"GroupName": "rs.group.groupName"}, path}
	s.apart = true
	return s
}

func ofPolicy(op string, in args, title string) step {
	in["PolicyArn"] = "rs.policy.arn"
	return step{
		phase: Evict, mode: Review, call: "iam:" + op, in: in, title: title,
		expect: []want{{"iam:GetPolicy", args{"PolicyArn": "rs.policy.arn"}, "Policy.PolicyId", "rs.policy.policyId"}},
		risk:   "Whoever has the policy loses what it allows. Final; its document stays in the log.",
	}
}

func ofPolicyEach(op string, in args, list, path, title string) step {
	s := ofPolicy(op, in, title)
	s.each = &each{"iam:" + list, args{"PolicyArn": "rs.policy.arn"}, path}
	s.apart = true
	return s
}
