package remediate

import "strings"

// undoIAMAccount are identity providers and settings of the account.
var undoIAMAccount = []undo{
	{
		call: "iam:CreateSAMLProvider", object: []string{"rs.sAMLProviderArn"}, creates: "identity provider",
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteSAMLProvider", in: args{"SAMLProviderArn": "rs.sAMLProviderArn"},
			title: "Delete the SAML provider {rs.sAMLProviderArn}",
			risk:  "Whoever signs in through it no longer can. Sessions that came through it live on: revoke the roles whose trust names it.",
		}},
	},
	{
		call: "iam:UpdateSAMLProvider", object: []string{"rq.sAMLProviderArn"}, also: []string{"DeleteSAMLProvider"},
		prior: samlBefore,
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:UpdateSAMLProvider", in: args{"SAMLProviderArn": "rq.sAMLProviderArn", "SAMLMetadataDocument": "prior"},
			back:  []reverse{{"iam:UpdateSAMLProvider", args{"SAMLProviderArn": "rq.sAMLProviderArn", "SAMLMetadataDocument": "rq.sAMLMetadataDocument"}}},
			title: "Put the metadata of the SAML provider {rq.sAMLProviderArn} back to what it was before the intruder",
			risk:  "Until then the intruder's identity provider may sign in as anyone; sessions that came through it live on. If your provider has changed its certificate since the log shows its metadata, take the new one.",
		}},
		todo: "The metadata of the SAML provider {rq.sAMLProviderArn} was replaced, so another identity provider may sign in as anyone: put the metadata of yours back.",
	},
	{
		call: "iam:DeleteSAMLProvider", object: []string{"rq.sAMLProviderArn"}, also: []string{"CreateSAMLProvider"},
		prior: samlBefore,
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:CreateSAMLProvider", in: args{"Name": "name(rq.sAMLProviderArn)", "SAMLMetadataDocument": "prior"},
			back:  []reverse{{"iam:DeleteSAMLProvider", args{"SAMLProviderArn": "rq.sAMLProviderArn"}}},
			title: "Make the SAML provider {rq.sAMLProviderArn} again",
			risk:  "Lets those sign in whom your identity provider vouches for, as before: the same name gives the same ARN.",
		}},
		todo: "The SAML provider {rq.sAMLProviderArn} was deleted: make it again under the same name with the metadata of your identity provider.",
	},
	{
		call: "iam:CreateOpenIDConnectProvider", object: []string{"rs.openIDConnectProviderArn"}, creates: "identity provider",
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteOpenIDConnectProvider", in: args{"OpenIDConnectProviderArn": "rs.openIDConnectProviderArn"},
			title: "Delete the OpenID Connect provider {rs.openIDConnectProviderArn}",
			risk:  "Whoever signs in through it no longer can. Sessions that came through it live on: revoke the roles whose trust names it.",
		}},
	},
	{
		call: "iam:AddClientIDToOpenIDConnectProvider", idempotent: true, also: []string{"RemoveClientIDFromOpenIDConnectProvider"}, object: []string{"rq.openIDConnectProviderArn", "rq.clientID"},
		steps: []step{{
			phase: Evict, mode: Auto, call: "iam:RemoveClientIDFromOpenIDConnectProvider",
			in:    args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ClientID": "rq.clientID"},
			back:  []reverse{{"iam:AddClientIDToOpenIDConnectProvider", args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ClientID": "rq.clientID"}}},
			title: "Take the client {rq.clientID} off the OpenID Connect provider {rq.openIDConnectProviderArn}",
			risk:  "What signs in as that client no longer can.",
		}},
	},
	{
		call: "iam:RemoveClientIDFromOpenIDConnectProvider", object: []string{"rq.openIDConnectProviderArn", "rq.clientID"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:AddClientIDToOpenIDConnectProvider",
			in:    args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ClientID": "rq.clientID"},
			back:  []reverse{{"iam:RemoveClientIDFromOpenIDConnectProvider", args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ClientID": "rq.clientID"}}},
			title: "Let the client {rq.clientID} sign in through {rq.openIDConnectProviderArn} again",
			risk:  "Only when you know the client.",
		}},
	},
	{
		call: "iam:UpdateOpenIDConnectProviderThumbprint", object: []string{"rq.openIDConnectProviderArn"}, within: map[string]int{"DeleteOpenIDConnectProvider": 0},
		prior: []prior{
			{"UpdateOpenIDConnectProviderThumbprint", []string{"rq.openIDConnectProviderArn"}, "rq.thumbprintList"},
			{"CreateOpenIDConnectProvider", []string{"rs.openIDConnectProviderArn"}, "rq.thumbprintList"},
		},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:UpdateOpenIDConnectProviderThumbprint",
			in:    args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ThumbprintList": "prior"},
			back:  []reverse{{"iam:UpdateOpenIDConnectProviderThumbprint", args{"OpenIDConnectProviderArn": "rq.openIDConnectProviderArn", "ThumbprintList": "rq.thumbprintList"}}},
			title: "Put the thumbprints of {rq.openIDConnectProviderArn} back",
			risk:  "A provider whose certificate has changed since needs its new thumbprint.",
		}},
		todo: "The thumbprints of {rq.openIDConnectProviderArn} were replaced and the old ones are not in the log: put those of your provider back.",
	},
	{call: "iam:DeleteOpenIDConnectProvider", object: []string{"rq.openIDConnectProviderArn"}, also: []string{"CreateOpenIDConnectProvider"},
		todo: "The OpenID Connect provider {rq.openIDConnectProviderArn} was deleted: make it again with the same URL, which gives the same ARN."},
	{
		call: "iam:UploadServerCertificate", object: []string{"rs.serverCertificateMetadata.serverCertificateName|rq.serverCertificateName"}, creates: "server certificate",
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:DeleteServerCertificate", in: args{"ServerCertificateName": "rs.serverCertificateMetadata.serverCertificateName|rq.serverCertificateName"},
			title: "Delete the server certificate {rs.serverCertificateMetadata.serverCertificateName|rq.serverCertificateName}",
			risk:  "Final: its private key cannot be read back. A load balancer that uses it stops serving.",
		}},
	},
	{
		call: "iam:CreateAccountAlias", object: []string{"rq.accountAlias"},
		prior: []prior{{"CreateAccountAlias", nil, "rq.accountAlias"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:CreateAccountAlias", in: args{"AccountAlias": "prior"},
			back:  []reverse{{"iam:CreateAccountAlias", args{"AccountAlias": "rq.accountAlias"}}},
			title: "Give the account its alias {prior} again",
			risk:  "The sign-in address changes.",
		}},
		blind: []step{{
			phase: Recover, mode: Review, call: "iam:DeleteAccountAlias", in: args{"AccountAlias": "rq.accountAlias"},
			back:  []reverse{{"iam:CreateAccountAlias", args{"AccountAlias": "rq.accountAlias"}}},
			title: "Remove the account alias {rq.accountAlias}",
			risk:  "The sign-in address changes. If there was another alias before, set that instead: an account has one.",
		}},
	},
	{
		call: "iam:DeleteAccountAlias", object: []string{"rq.accountAlias"},
		steps: []step{{
			phase: Recover, mode: Review, call: "iam:CreateAccountAlias", in: args{"AccountAlias": "rq.accountAlias"},
			back:  []reverse{{"iam:DeleteAccountAlias", args{"AccountAlias": "rq.accountAlias"}}},
			title: "Give the account its alias {rq.accountAlias} again",
			risk:  "Fails when someone else has taken the name.",
		}},
	},
	{
		call: "iam:UpdateAccountPasswordPolicy", object: []string{"ev.account"}, also: []string{"DeleteAccountPasswordPolicy"},
		prior: []prior{{"UpdateAccountPasswordPolicy", nil, "rq"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:UpdateAccountPasswordPolicy", in: passwordPolicy("prior"),
			back:  []reverse{{"iam:UpdateAccountPasswordPolicy", passwordPolicy("rq")}},
			title: "Put the password policy of the account back, with {prior.minimumPasswordLength} characters at least",
			risk:  "Users whose passwords have become too old must change them.",
		}},
		todo: "The password policy of the account was changed, to {rq.minimumPasswordLength} characters at least: put the old one back with every field, for those left out fall to their defaults.",
	},
	{
		call: "iam:DeleteAccountPasswordPolicy", object: []string{"ev.account"}, also: []string{"UpdateAccountPasswordPolicy"},
		prior: []prior{{"UpdateAccountPasswordPolicy", nil, "rq"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:UpdateAccountPasswordPolicy", in: passwordPolicy("prior"),
			back:  []reverse{{"iam:DeleteAccountPasswordPolicy", args{}}},
			title: "Give the account its password policy again, with {prior.minimumPasswordLength} characters at least",
			risk:  "Users whose passwords have become too old must change them.",
		}},
		todo: "The password policy of the account was deleted: set it again, with every field.",
	},
	{
		call: "iam:SetSecurityTokenServicePreferences", object: []string{"ev.account"},
		prior: []prior{{"SetSecurityTokenServicePreferences", nil, "rq.globalEndpointTokenVersion"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "iam:SetSecurityTokenServicePreferences", in: args{"GlobalEndpointTokenVersion": "prior"},
			back:  []reverse{{"iam:SetSecurityTokenServicePreferences", args{"GlobalEndpointTokenVersion": "rq.globalEndpointTokenVersion"}}},
			title: "Set the version of global STS tokens back to {prior}",
			risk:  "Tokens of version 1 do not work in opt-in regions.",
		}},
		todo: "The version of global STS tokens was set to {rq.globalEndpointTokenVersion}: v2Token works in opt-in regions too. Put it back to what it was.",
	},
	toggle("iam:EnableOrganizationsRootSessions", "iam:DisableOrganizationsRootSessions", Review, args{}, "Stop sessions as root of member accounts"),
	toggle("iam:DisableOrganizationsRootSessions", "iam:EnableOrganizationsRootSessions", Review, args{}, "Allow sessions as root of member accounts again"),
	toggle("iam:DisableOrganizationsRootCredentialsManagement", "iam:EnableOrganizationsRootCredentialsManagement", Review, args{}, "Manage the root credentials of member accounts centrally again"),
	toggle("iam:EnableOutboundWebIdentityFederation", "iam:DisableOutboundWebIdentityFederation", Review, args{}, "Stop principals of the account from making tokens for outside services"),
	{
		call: "iam:CreateDelegationRequest", object: []string{"rs.delegationRequestId"}, also: []string{"RejectDelegationRequest"},
		steps: []step{{
			phase: Evict, mode: Review, call: "iam:RejectDelegationRequest", in: args{"DelegationRequestId": "rs.delegationRequestId"},
			title: "Reject the temporary delegation {rs.delegationRequestId} that the intruder asked for",
			risk:  "Final, and only while it is pending. If it was accepted, contain the role or session that it made.",
		}},
		todo: "The intruder asked for a temporary delegation: reject it with RejectDelegationRequest while it is pending.",
	},
	{call: "iam:AcceptDelegationRequest", object: []string{"rq.delegationRequestId"},
		todo: "The intruder accepted the temporary delegation {rq.delegationRequestId}: find the role or session it made and contain it."},
}

// toggle is a switch whose other position is another call with the same
// parameters.
func toggle(call, back string, mode Mode, in args, title string) undo {
	_, op := splitCall(back)
	return undo{
		call: call, object: []string{"ev.account", "ev.region"}, also: []string{op}, idempotent: true,
		steps: []step{{
			phase: Recover, mode: mode, call: back, in: in, back: []reverse{{call, in}}, title: title,
			risk: "If it stood so before the incident, put it back afterwards.",
		}},
	}
}

// undoSignIn are calls that hand out credentials: contain and revoke deal with
// what they gave.
var undoSignIn = []undo{
	{call: "sts:AssumeRole", handled: true},
	{call: "sts:AssumeRoleWithSAML", handled: true},
	{call: "sts:AssumeRoleWithWebIdentity", handled: true},
	{call: "sts:GetSessionToken", handled: true},
	{call: "sts:GetFederationToken", handled: true},
	{call: "sts:GetDelegatedAccessToken", handled: true},
	{call: "sts:AssumeRoot", object: []string{"rq.targetPrincipal"},
		todo: "The intruder became root of {rq.targetPrincipal} for up to 15 minutes, by task policy {rq.taskPolicyArn.arn}: only time ends that session. See what it left behind there, such as a root password."},
	{call: "sts:GetWebIdentityToken", object: []string{"rq.audience[]"},
		todo: "The intruder made tokens for outside services ({rq.audience[]}), good for up to an hour: tell those services."},
	{call: "signin:ConsoleLogin", handled: true},
	{call: "signin:GetSigninToken", handled: true},
	{call: "signin:SwitchRole", handled: true},
	{call: "signin:ExitRole", handled: true},
	{call: "signin:RenewRole", handled: true},
	{call: "signin:CheckMfa", handled: true},
	{call: "signin:CreateOAuth2Token", handled: true},
	{call: "signin:AuthorizeOAuth2Access", handled: true},
	{call: "signin:PasswordRecoveryRequested", object: []string{"ev.account"},
		todo: "A new root password was asked for by e-mail: secure the mailbox of root."},
	{call: "signin:PasswordRecoveryCompleted", object: []string{"ev.account"},
		todo: "The root password was replaced by e-mail: secure the mailbox of root, then set it again and end root's sessions."},
}

// samlBefore is what shows the metadata of a SAML provider.
var samlBefore = []prior{
	{"CreateSAMLProvider", []string{"rs.sAMLProviderArn"}, "rq.sAMLMetadataDocument"},
	{"UpdateSAMLProvider", []string{"rq.sAMLProviderArn"}, "rq.sAMLMetadataDocument"},
}

// passwordPolicy are all fields of a password policy, of which those that are
// left out fall to their defaults.
func passwordPolicy(from string) args {
	in := args{}
	for _, field := range []string{"minimumPasswordLength", "requireSymbols", "requireNumbers", "requireUppercaseCharacters", "requireLowercaseCharacters",
		"allowUsersToChangePassword", "maxPasswordAge", "passwordReusePrevention", "hardExpiry"} {
		in[strings.ToUpper(field[:1])+field[1:]] = from + "." + field + "?"
	}
	return in
}
