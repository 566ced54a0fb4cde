package remediate

// identityMoves are further ones to users, roles, policies and those who sign in
// from elsewhere. What ends something comes after what changes it.
var identityMoves = []move{
	{"iam:UploadSigningCertificate", "", "", func(c *choice) object {
		return with("UserName", c.any("user"), "CertificateBody", certificate)
	}},
	{"iam:UploadServerCertificate", "server certificate", "ServerCertificateMetadata.ServerCertificateName", func(c *choice) object {
		return with("ServerCertificateName", c.fresh("certificate"), "CertificateBody", certificate, "PrivateKey", "made-up")
	}},
	{"iam:CreateServiceLinkedRole", "", "", func(*choice) object { return with("AWSServiceName", "lex.amazonaws.com") }},
	{"iam:UntagUser", "", "", func(c *choice) object { return with("UserName", c.carol(), "TagKeys", list("team")) }},
	{"iam:UntagRole", "", "", func(*choice) object { return with("RoleName", "bounded", "TagKeys", list("team")) }},
	{"iam:DeleteRolePermissionsBoundary", "", "", func(*choice) object { return with("RoleName", "bounded") }},
	{"iam:UpdateAccessKey", "", "", func(c *choice) object {
		return with("UserName", "frank", "AccessKeyId", c.any("access key of frank"), "Status", c.draw("status", []string{"Inactive", "Active"}))
	}},
	{"iam:UpdateGroup", "", "", func(c *choice) object { return with("GroupName", "idle", "NewGroupName", c.fresh("idle")) }},
	{"iam:DeleteGroupPolicy", "", "", func(*choice) object { return with("GroupName", "developers", "PolicyName", "own") }},
	{"iam:SetDefaultPolicyVersion", "", "", func(c *choice) object { return with("PolicyArn", c.things["own policy"][0], "VersionId", "v2") }},
	{"iam:DeletePolicyVersion", "", "", func(c *choice) object { return with("PolicyArn", c.things["own policy"][0], "VersionId", "v3") }},
	{"iam:UpdateSAMLProvider", "", "", func(c *choice) object {
		return with("SAMLProviderArn", c.any("own SAML provider"), "SAMLMetadataDocument", hostileSAML)
	}},
	{"iam:UpdateOpenIDConnectProviderThumbprint", "", "", func(c *choice) object {
		return with("OpenIDConnectProviderArn", c.any("own OIDC provider"), "ThumbprintList", list("9e99a48a9960b14926bb7f3b02e22da2b0ab7280"))
	}},
	{"iam:UpdateAccountPasswordPolicy", "", "", func(*choice) object { return with("MinimumPasswordLength", 6) }},
	{"iam:DeleteAccountPasswordPolicy", "", "", func(*choice) object { return with() }},
	{"iam:DeleteAccountAlias", "", "", func(c *choice) object { return with("AccountAlias", "example-company") }},
	{"iam:DeactivateMFADevice", "", "", func(c *choice) object {
		return with("UserName", c.carol(), "SerialNumber", c.things["own MFA device"][0])
	}},
	{"iam:DeleteVirtualMFADevice", "", "", func(c *choice) object { return with("SerialNumber", c.things["own MFA device"][1]) }},
	{"iam:DeleteAccessKey", "", "", func(c *choice) object {
		return with("UserName", "frank", "AccessKeyId", c.things["access key of frank"][1])
	}},
	{"iam:DeleteSAMLProvider", "", "", func(c *choice) object { return with("SAMLProviderArn", c.things["own SAML provider"][1]) }},
	{"iam:DeleteOpenIDConnectProvider", "", "", func(c *choice) object { return with("OpenIDConnectProviderArn", c.things["own OIDC provider"][1]) }},
	{"iam:DeleteGroup", "", "", func(*choice) object { return with("GroupName", "empty") }},
	{"iam:DeleteUser", "", "", func(c *choice) object { return with("UserName", "dave") }},
	{"iam:DeleteRole", "", "", func(*choice) object { return with("RoleName", "old") }},
	{"iam:DeletePolicy", "", "", func(c *choice) object { return with("PolicyArn", c.things["idle policy"][0]) }},

	{"sts:AssumeRole", "", "", func(c *choice) object {
		return with("RoleArn", "arn:aws:iam::123456789012:role/"+c.any("role"), "RoleSessionName", c.fresh("session"))
	}},
	{"sts:GetSessionToken", "", "", func(*choice) object { return with("DurationSeconds", 3600) }},
	{"sts:GetFederationToken", "", "", func(c *choice) object { return with("Name", "token", "Policy", allowAll) }},
	{"sts:AssumeRoleWithWebIdentity", "", "", func(c *choice) object {
		return with("RoleArn", "arn:aws:iam::123456789012:role/"+c.any("role"), "RoleSessionName", c.fresh("session"), "WebIdentityToken", "token")
	}},

	{"ssoadmin:CreatePermissionSet", "permission set", "PermissionSet.PermissionSetArn", func(c *choice) object {
		return with("InstanceArn", ssoInstance, "Name", c.fresh("set"), "SessionDuration", "PT12H")
	}},
	{"ssoadmin:AttachManagedPolicyToPermissionSet", "", "", func(c *choice) object {
		return with("InstanceArn", ssoInstance, "PermissionSetArn", c.any("permission set"), "ManagedPolicyArn", fullPolicy)
	}},
	{"ssoadmin:PutInlinePolicyToPermissionSet", "", "", func(c *choice) object {
		return with("InstanceArn", ssoInstance, "PermissionSetArn", c.any("permission set"), "InlinePolicy", allowAll)
	}},
	{"ssoadmin:UpdatePermissionSet", "", "", func(c *choice) object {
		return with("InstanceArn", ssoInstance, "PermissionSetArn", c.any("permission set"), "SessionDuration", "PT12H")
	}},
	{"ssoadmin:CreateAccountAssignment", "", "", func(c *choice) object {
		return with("InstanceArn", ssoInstance, "PermissionSetArn", c.any("permission set"), "TargetId", "123456789012", "TargetType", "AWS_ACCOUNT", "PrincipalType", "USER", "PrincipalId", c.any("directory user"))
	}},
	{"identitystore:CreateUser", "directory user", "UserId", func(c *choice) object {
		return with("IdentityStoreId", identityStore, "UserName", c.fresh("user"), "DisplayName", "x", "Name", object{"GivenName": "x", "FamilyName": "x"})
	}},
	{"identitystore:CreateGroupMembership", "", "", func(c *choice) object {
		return with("IdentityStoreId", identityStore, "GroupId", c.things["directory group"][0], "MemberId", object{"UserId": c.any("directory user")})
	}},
	{"cognitoidentity:UpdateIdentityPool", "", "", func(c *choice) object {
		return with("IdentityPoolId", c.things["identity pool"][0], "IdentityPoolName", "app", "AllowUnauthenticatedIdentities", true)
	}},
	{"cognitoidentity:GetCredentialsForIdentity", "", "", func(c *choice) object { return with("IdentityId", c.things["identity pool"][0]) }},
	{"cognitoidentityprovider:AdminCreateUser", "", "", func(c *choice) object {
		return with("UserPoolId", c.things["user pool"][0], "Username", c.fresh("user"))
	}},
	{"cognitoidentityprovider:UpdateUserPool", "", "", func(c *choice) object {
		return with("UserPoolId", c.things["user pool"][0], "MfaConfiguration", "OFF")
	}},
}

// carol is the name that she has by now.
func (c *choice) carol() string { return c.things["user"][1] }

// hostileSAML is the metadata of an identity provider that is the intruder's.
const hostileSAML = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.intruder.example/of/the/intruder/"></EntityDescriptor>`

// certificate is self-signed, of a key that is gone.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBFTCBvaADAgECAgEHMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCXguZXhhbXBs
ZTAgFw0yNjAxMDEwMDAwMDBaGA8yMTI1MTIwODAwMDAwMFowFDESMBAGA1UEAwwJ
eC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyPO+4sp0pUHDO2nS
AN096JKqjMfXzhTyNxn0stY9FAkABmwUE55eLefl5pOB0rO34C4ZRznlWawWErIt
iNiHkjAKBggqhkjOPQQDAgNHADBEAiAF1JKTcn7Xe5eviBLFisjh2a4ZNL9MUflG
RY2Ayz/vlgIgXDDYxj/Jjy40aPT00Q0GcWMyD/0wAHfwaVMJjmIQye8=
-----END CERTIFICATE-----
`
