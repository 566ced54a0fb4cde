package remediate

// undoIAMUsers are users and their credentials. A user must be empty before
// DeleteUser accepts it:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html.
var undoIAMUsers = []undo{
	{
		call: "iam:CreateUser", object: []string{"rs.user.userName|rq.userName"}, creates: "user", chain: true,
		steps: []step{
			apart(ofUser("DeleteLoginProfile", args{}, "Delete the console password of {rs.user.userName}")),
			ofUserEach("DeleteAccessKey", "AccessKeyId", "ListAccessKeys", "AccessKeyMetadata[].AccessKeyId", "Delete every access key of {rs.user.userName}"),
			ofUserEach("DeleteSigningCertificate", "CertificateId", "ListSigningCertificates", "Certificates[].CertificateId", "Delete every signing certificate of {rs.user.userName}"),
			ofUserEach("DeleteSSHPublicKey", "SSHPublicKeyId", "ListSSHPublicKeys", "SSHPublicKeys[].SSHPublicKeyId", "Delete every SSH key of {rs.user.userName}"),
			ofUserEach("DeleteServiceSpecificCredential", "ServiceSpecificCredentialId", "ListServiceSpecificCredentials", "ServiceSpecificCredentials[].ServiceSpecificCredentialId", "Delete every service-specific credential of {rs.user.userName}"),
			ofUserEach("DeactivateMFADevice", "SerialNumber", "ListMFADevices", "MFADevices[].SerialNumber", "Deactivate every MFA device of {rs.user.userName}"),
			ofUserEach("RemoveUserFromGroup", "GroupName", "ListGroupsForUser", "Groups[].GroupName", "Take {rs.user.userName} out of every group"),
			ofUserEach("DetachUserPolicy", "PolicyArn", "ListAttachedUserPolicies", "AttachedPolicies[?PolicyName!='AWSDenyAll'].PolicyArn", "Detach every policy of {rs.user.userName} but the deny"),
			ofUserEach("DeleteUserPolicy", "PolicyName", "ListUserPolicies", "PolicyNames[?@!={plan.denyName}]", "Delete every inline policy of {rs.user.userName} but the deny"),
			inOrder(ofUserEach("DetachUserPolicy", "PolicyArn", "ListAttachedUserPolicies", "AttachedPolicies[].PolicyArn", "Detach the deny of {rs.user.userName}, if it is a managed policy")),
			inOrder(ofUserEach("DeleteUserPolicy", "PolicyName", "ListUserPolicies", "PolicyNames", "Delete the deny of {rs.user.userName}, now that the user can do nothing else")),
			ofUser("DeleteUserPermissionsBoundary", args{}, "Remove the permissions boundary of {rs.user.userName}"),
			ofUser("DeleteUser", args{}, "Delete the user {rs.user.userName}"),
		},
	},
	{
		call: "iam:CreateAccessKey", object: []string{"rs.accessKey.accessKeyId"}, creates: "access key", also: []string{"DeleteAccessKey"},
		steps: []step{
			{
				phase: Evict, mode: Review, call: "iam:DeleteAccessKey",
				in:    args{"UserName": "rs.accessKey.userName|rq.userName", "AccessKeyId": "rs.accessKey.accessKeyId"},
				title: "Delete the access key {rs.accessKey.accessKeyId} that the intruder made for {rs.accessKey.userName}",
				risk:  "Final: when it was used last can no longer be asked, and the key cannot come back.",
			},
		},
		todo: "The key has no user: it is root's. Delete it as root in the console.",
	},
	{
		call: "iam:UpdateAccessKey", object: []string{"rq.accessKeyId"}, also: []string{"DeleteAccessKey"},
		// A new key is active.
		prior: []prior{{"CreateAccessKey", []string{"rs.accessKey.accessKeyId"}, "'Active'"}, {"UpdateAccessKey", []string{"rq.accessKeyId"}, "rq.status"}},
		steps: []step{
			{
				phase: Contain, mode: Auto, call: "iam:UpdateAccessKey", when: [2]string{"rq.status", "Active"},
				in:    args{"UserName": "rq.userName|ui.userName", "AccessKeyId": "rq.accessKeyId", "Status": "'Inactive'"},
				back:  []reverse{{"iam:UpdateAccessKey", args{"UserName": "rq.userName|ui.userName", "AccessKeyId": "rq.accessKeyId", "Status": "'Active'"}}},
				title: "Disable the access key {rq.accessKeyId}, which the intruder had enabled",
				risk:  "Whoever uses this key loses access until it is enabled again.",
			},
			{
				phase: Restore, mode: Review, call: "iam:UpdateAccessKey", when: [2]string{"rq.status", "Inactive"},
				in:    args{"UserName": "rq.userName|ui.userName", "AccessKeyId": "rq.accessKeyId", "Status": "'Active'"},
				back:  []reverse{{"iam:UpdateAccessKey", args{"UserName": "rq.userName|ui.userName", "AccessKeyId": "rq.accessKeyId", "Status": "'Inactive'"}}},
				title: "Enable the access key {rq.accessKeyId} again, which the intruder had disabled",
				risk:  "Only when its owner vouches for it: a key that leaked, or that a defender disabled, must stay off.",
			},
		},
	},
	{
		call: "iam:DeleteAccessKey", object: []string{"rq.accessKeyId"},
		todo: "The access key {rq.accessKeyId} cannot come back. If it was the owner's, make a new one.",
	},
	{
		call: "iam:CreateLoginProfile", object: []string{"rs.loginProfile.userName|rq.userName"}, creates: "login profile", also: []string{"DeleteLoginProfile"},
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteLoginProfile", in: args{"UserName": "rs.loginProfile.userName|rq.userName"},
			// One that its owner has made since is another.
			expect: []want{{"iam:GetLoginProfile", args{"UserName": "rs.loginProfile.userName|rq.userName"}, "LoginProfile.CreateDate", "rs.loginProfile.createDate"}},
			title:  "Delete the console password that the intruder set for {rs.loginProfile.userName|rq.userName}",
			risk:   "Does not end sessions that are open; the deny does. If the owner has made a password of their own since, it goes too.",
		}},
	},
	{
		call: "iam:UpdateLoginProfile", object: []string{"rq.userName"}, also: []string{"DeleteLoginProfile"},
		steps: []step{newPassword("rq.userName")},
	},
	{
		call: "iam:ChangePassword", object: []string{"ui.userName"}, also: []string{"DeleteLoginProfile"},
		steps: []step{newPassword("ui.userName")},
	},
	{
		call: "iam:DeleteLoginProfile", object: []string{"rq.userName"}, also: []string{"CreateLoginProfile"},
		steps: []step{{
			phase: Restore, mode: Review, call: "iam:CreateLoginProfile",
			in:    args{"UserName": "rq.userName", "Password": Password, "PasswordResetRequired": true},
			back:  []reverse{{"iam:DeleteLoginProfile", args{"UserName": "rq.userName"}}},
			title: "Give {rq.userName} a console password again",
			risk:  "Only when its owner asks for it in person.",
		}},
	},
	{
		call: "iam:CreateVirtualMFADevice", object: []string{"rs.virtualMFADevice.serialNumber"}, creates: "MFA device",
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteVirtualMFADevice", in: args{"SerialNumber": "rs.virtualMFADevice.serialNumber"},
			title: "Delete the virtual MFA device {rs.virtualMFADevice.serialNumber}",
			risk:  "Final. AWS refuses while a user has it: deactivate it there first.",
		}},
	},
	{
		call: "iam:EnableMFADevice", object: []string{"rq.userName", "rq.serialNumber"}, also: []string{"DeactivateMFADevice"},
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeactivateMFADevice", in: args{"UserName": "rq.userName", "SerialNumber": "rq.serialNumber"},
			title: "Take the MFA device {rq.serialNumber} off {rq.userName}",
			risk:  "The user has one factor less until its owner registers a device; that needs two codes of the device.",
		}},
	},
	{call: "iam:DeactivateMFADevice", object: []string{"rq.userName", "rq.serialNumber"}, also: []string{"EnableMFADevice"},
		todo: "{rq.userName} lost the MFA device {rq.serialNumber}: have its owner enrol one again, which needs two codes of the device."},
	{call: "iam:DeleteVirtualMFADevice", object: []string{"rq.serialNumber"},
		todo: "The virtual MFA device {rq.serialNumber} is gone: have its owner enrol a new one."},
	{call: "iam:ResyncMFADevice", object: []string{"rq.serialNumber"},
		todo: "The intruder resynchronised the MFA device {rq.serialNumber}, so it had two of its codes: have its owner enrol a new one."},
	credentialOfUser("iam:UploadSSHPublicKey", "SSHPublicKey", "SSHPublicKeyId", "rs.sSHPublicKey.sSHPublicKeyId", "rs.sSHPublicKey.userName|rq.userName", "SSH key"),
	credentialOfUser("iam:UploadSigningCertificate", "SigningCertificate", "CertificateId", "rs.certificate.certificateId", "rs.certificate.userName|rq.userName", "signing certificate"),
	credentialOfUser("iam:CreateServiceSpecificCredential", "ServiceSpecificCredential", "ServiceSpecificCredentialId",
		"rs.serviceSpecificCredential.serviceSpecificCredentialId", "rs.serviceSpecificCredential.userName|rq.userName", "service-specific credential"),
	{
		call: "iam:ResetServiceSpecificCredential", object: []string{"rs.serviceSpecificCredential.serviceSpecificCredentialId|rq.serviceSpecificCredentialId"},
		also: []string{"DeleteServiceSpecificCredential"},
		steps: []step{disable("ServiceSpecificCredential", "ServiceSpecificCredentialId",
			"rs.serviceSpecificCredential.serviceSpecificCredentialId|rq.serviceSpecificCredentialId", "rs.serviceSpecificCredential.userName|rq.userName|ui.userName", "service-specific credential")},
	},
	{
		call: "iam:UpdateServiceSpecificCredential", object: []string{"rq.serviceSpecificCredentialId"},
		todo: "The intruder set the service-specific credential {rq.serviceSpecificCredentialId} to {rq.status}: ask its owner what it should be.",
	},
	{
		call: "iam:UpdateUser", object: []string{"rq.newUserName|rq.userName"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:UpdateUser", in: args{"UserName": "rq.newUserName", "NewUserName": "rq.userName"},
			back:  []reverse{{"iam:UpdateUser", args{"UserName": "rq.userName", "NewUserName": "rq.newUserName"}}},
			title: "Call the user {rq.newUserName} {rq.userName} again",
			risk:  "What names the user by the new ARN loses sight of it. The old path, if that was changed too, is not in the log.",
		}},
		todo: "The intruder moved the user {rq.userName} to another path: look up the old one.",
	},
	{call: "iam:DeleteUser", object: []string{"rq.userName"}, also: []string{"CreateUser"},
		todo: "The user {rq.userName} was deleted. Make it anew from the account's snapshot or code: it gets another unique id, so what names it by ARN must be saved again."},
	tagged("User", userTags, "rq.userName", "{rq.userName}"),
	untagged("User", userTags, "rq.userName", "{rq.userName}"),
}

// sameUser is that the user of the name at hand is the one that the log shows.
var sameUser = []want{{"iam:GetUser", args{"UserName": "rs.user.userName"}, "User.UserId", "rs.user.userId"}}

// ofUser is a step that takes something of a user that the intruder created.
func ofUser(op string, in args, title string) step {
	in["UserName"] = "rs.user.userName"
	return step{
		phase: Evict, mode: Review, call: "iam:" + op, in: in, title: title, expect: sameUser,
		risk: "Final. The intruder made this user, so nobody else should miss it; look at who used it before you say so.",
	}
}

func ofUserEach(op, param, list, path, title string) step {
	s := ofUser(op, args{param: Item}, title)
	s.each = &each{"iam:" + list, args{"UserName": "rs.user.userName"}, path}
	s.apart = true
	return s
}

// apart is a step that waits for none of those before it.
func apart(s step) step {
	s.apart = true
	return s
}

// inOrder is a step that waits for all before it.
func inOrder(s step) step {
	s.apart = false
	return s
}

func newPassword(user string) step {
	return step{
		phase: Evict, mode: Review, call: "iam:UpdateLoginProfile",
		in:    args{"UserName": user, "Password": Password, "PasswordResetRequired": true},
		title: "Replace the console password of {" + user + "}, which the intruder knows",
		risk:  "The old password cannot come back. Hand the new one to the owner in person.",
	}
}

// credentialOfUser is a credential besides access keys and passwords: disabled
// at once, deleted after a look.
func credentialOfUser(call, noun, idParam, id, user, what string) undo {
	return undo{
		call: call, object: []string{id}, creates: what, also: []string{"Delete" + noun},
		steps: []step{
			disable(noun, idParam, id, user, what),
			{
				phase: Evict, mode: Review, call: "iam:Delete" + noun, in: args{"UserName": user, idParam: id},
				title: "Delete the " + what + " {" + id + "} that the intruder gave {" + user + "}",
				risk:  "Final.",
			},
		},
	}
}

func disable(noun, idParam, id, user, what string) step {
	return step{
		phase: Contain, mode: Auto, call: "iam:Update" + noun, in: args{"UserName": user, idParam: id, "Status": "'Inactive'"},
		back:  []reverse{{"iam:Update" + noun, args{"UserName": user, idParam: id, "Status": "'Active'"}}},
		title: "Disable the " + what + " {" + id + "} of {" + user + "}",
		risk:  "It outlives the access key. Whoever else uses it is locked out until it is enabled again.",
	}
}

// tagged are tags that were set: those that were there before get their old
// values, the others go.
func tagged(kind string, t tagging, name, what string) undo {
	param := kind + "Name"
	return undo{
		call: "iam:Tag" + kind, object: []string{name, "rq.tags[].key"}, was: t.before,
		prior: []prior{{t.create, []string{t.made}, t.tags}, {t.tag, []string{t.subject}, t.tags}, {t.untag, []string{t.subject}, t.dropped}},
		steps: []step{
			{
				phase: Recover, mode: Auto, call: "iam:Tag" + kind, when: [2]string{"prior.set", anyValue}, in: args{param: name, "Tags": "prior.set"},
				back:  []reverse{{"iam:Tag" + kind, args{param: name, "Tags": "sdk(rq.tags)"}}},
				title: "Set the tags {prior.set[].Key} of " + what + " back to what they were",
				risk:  "A tag can grant permissions: the old ones grant what they did.",
			},
			{
				phase: Recover, mode: Review, call: "iam:Untag" + kind, when: [2]string{"prior.drop", anyValue}, in: args{param: name, "TagKeys": "prior.drop"},
				back:  []reverse{{"iam:Tag" + kind, args{param: name, "Tags": "sdk(rq.tags)"}}},
				title: "Take the tags {prior.drop} off " + what,
				risk:  "A tag can grant permissions. The log shows none of them before, but may not reach back: if one was there, set its old value instead.",
			},
		},
	}
}

// untagged are tags that were taken off.
func untagged(kind string, t tagging, name, what string) undo {
	param := kind + "Name"
	return undo{
		call: "iam:Untag" + kind, object: []string{name, "rq.tagKeys[]"}, was: t.before,
		prior: []prior{{t.create, []string{t.made}, t.tags}, {t.tag, []string{t.subject}, t.tags}, {t.untag, []string{t.subject}, t.dropped}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:Tag" + kind, in: args{param: name, "Tags": "prior.set"},
			back:  []reverse{{"iam:Untag" + kind, args{param: name, "TagKeys": "prior.set[].Key"}}},
			title: "Set the tags {prior.set[].Key} of " + what + " again",
			risk:  "A tag can grant permissions: they grant what they did.",
		}},
		todo: "Put the tags {rq.tagKeys[]} of " + what + " back; their values are not in the log.",
	}
}
