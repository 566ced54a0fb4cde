package rules

// identityProviders are about who vouches for others: SAML and OpenID Connect
// providers, certificate authorities and Identity Center.
func identityProviders() []Rule {
	return []Rule{
		{
			ID:         "TS-PE-015",
			Title:      "SAML provider created, updated or deleted",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1484.002"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('CreateSAMLProvider', 'UpdateSAMLProvider', 'DeleteSAMLProvider')
            AND NOT ` + byService + `
            AND coalesce(session_issuer_name, '') <> 'AWSServiceRoleForSSO'`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.sAMLProviderArn'), json_extract_scalar(request_parameters, '$.sAMLProviderArn'), json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Whoever signs the provider's assertions can be any role that trusts it. Compare the metadata's certificate with your identity provider's.`,
			FalsePositives: `A certificate of the identity provider that is renewed.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSAMLProvider.html",
		},
		{
			// Info: how everybody with single sign-on gets a role.
			ID:             "TS-PE-015b",
			Title:          "Role assumed with an assertion of a SAML provider",
			Severity:       Info,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1078.004"},
			Where:          samlAssumption,
			Resource:       assumedRole,
			Explain:        `A session on the word of an identity provider, for the record: compare the user with the provider's own log.`,
			FalsePositives: `Everybody who comes through single sign-on.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html",
		},
		{
			ID:             "TS-PE-015c",
			Title:          "Role assumed with a SAML provider that never did",
			Severity:       Medium,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1078.004"},
			Where:          samlAssumption,
			Resource:       assumedRole,
			Explain:        `A provider that is new to the account opened a session: see who created or changed it, and what the session did.`,
			FalsePositives: `A new identity provider.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`json_extract_scalar(request_parameters, '$.principalArn')`}, Learn: 7 * day},
		},
		{
			ID:         "TS-PE-016",
			Title:      "OpenID Connect provider created or changed",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1484.002"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('CreateOpenIDConnectProvider', 'UpdateOpenIDConnectProviderThumbprint',
                'AddClientIDToOpenIDConnectProvider')
            AND NOT ` + byService,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.openIDConnectProviderArn'), json_extract_scalar(request_parameters, '$.openIDConnectProviderArn'), json_extract_scalar(request_parameters, '$.url'))`,
			Explain:        `Tokens of an outside issuer can be exchanged for roles that trust it. Check the issuer's address.`,
			FalsePositives: `Pipelines and clusters that are set up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html",
		},
		{
			ID:         "TS-PE-017",
			Title:      "Roles Anywhere: profile made, or an outside certificate authority trusted",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'rolesanywhere.amazonaws.com'
            AND (event_name = 'CreateProfile'
                OR event_name IN ('CreateTrustAnchor', 'UpdateTrustAnchor') AND coalesce(request_parameters, '') NOT LIKE '%AWS_ACM_PCA%')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.trustAnchor.trustAnchorArn'), json_extract_scalar(response_elements, '$.profile.profileArn'), json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Certificates of that authority can be exchanged for the profile's roles, without a key to disable. Disable the trust anchor and the profile.`,
			FalsePositives: `Machines outside AWS that are set up.`,
			Reference:      "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/getting-started.html",
		},
		{
			ID:         "TS-PE-017b",
			Title:      "Roles Anywhere profile changed, or the account's own authority trusted",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'rolesanywhere.amazonaws.com'
            AND (event_name IN ('UpdateProfile', 'EnableProfile', 'EnableTrustAnchor')
                OR event_name IN ('CreateTrustAnchor', 'UpdateTrustAnchor') AND request_parameters LIKE '%AWS_ACM_PCA%')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.profile.profileArn'), json_extract_scalar(response_elements, '$.trustAnchor.trustAnchorArn'), json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Which roles certificates can take is set here. Disable the profile if nobody knows it.`,
			FalsePositives: `Machines outside AWS that are set up.`,
			Reference:      "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_UpdateProfile.html",
		},
		{
			// Low: new colleagues and teams are set up so; the rest has its own rules.
			ID:         "TS-PE-018",
			Title:      "Identity Center changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1556"},
			Where: `event_source IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com', 'identitystore.amazonaws.com')
            AND read_only IS DISTINCT FROM true
            AND event_type IS DISTINCT FROM 'AwsServiceEvent'
            AND regexp_like(event_name, '^(?:Create|Update|Put|Attach|Associate|Disassociate|Enable|Disable|Import|Add|Start|Complete|Delete)')
            AND event_name NOT IN ('CreateToken', 'CreateTokenWithIAM')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.user.userId'), json_extract_scalar(response_elements, '$.group.groupId'), json_extract_scalar(response_elements, '$.userId'), json_extract_scalar(response_elements, '$.groupId'), json_extract_scalar(request_parameters, '$.permissionSetArn'), event_name)`,
			Explain:        `Users, groups, rights or settings of the portal changed. The log hides names; the ids are those of the directory.`,
			FalsePositives: `New colleagues and teams.`,
			Reference:      "https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html",
		},
		{
			ID:         "TS-PE-018b",
			Title:      "Identity Center: identity source or MFA settings changed",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1556"},
			Where: `event_source IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com')
            AND event_name IN ('AssociateDirectory', 'DisassociateDirectory', 'StartSSO', 'DeleteSSO',
                'EnableExternalIdPConfigurationForDirectory', 'DisableExternalIdPConfigurationForDirectory',
                'CreateExternalIdPConfigurationForDirectory', 'UpdateExternalIdPConfigurationForDirectory',
                'DeleteExternalIdPConfigurationForDirectory', 'ImportExternalIdPCertificate', 'CreateExternalIdPCertificate', 'DeleteExternalIdPCertificate',
                'UpdateSsoConfiguration', 'UpdateMfaDeviceManagementForDirectory', 'PutMfaDeviceManagementForDirectory',
                'UpdateInstanceMfaConfiguration')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.directoryId'), json_extract_scalar(request_parameters, '$.instanceArn'), json_extract_scalar(request_parameters, '$.identityStoreId'), event_name)`,
			Explain:        `Who can sign in to every account of the organization, and with what proof, is decided here. Compare the settings with the intended ones.`,
			FalsePositives: `A move to another identity provider.`,
			Reference:      "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-change.html",
		},
		{
			ID:         "TS-PE-018c",
			Title:      "Identity Center: permission set or account assignment changed",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'sso.amazonaws.com'
            AND event_name IN ('CreateAccountAssignment', 'CreatePermissionSet', 'AttachManagedPolicyToPermissionSet',
                'AttachCustomerManagedPolicyReferenceToPermissionSet', 'PutInlinePolicyToPermissionSet',
                'DeletePermissionsBoundaryFromPermissionSet', 'CreateInstanceAccessControlAttributeConfiguration')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.permissionSetArn'), json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Rights in member accounts were given or widened. Deleting the role there does not help: the assignment makes it again.`,
			FalsePositives: `New colleagues, teams and accounts.`,
			Reference:      "https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html",
		},
		{
			ID:         "TS-PE-018d",
			Title:      "Identity Center: second factor or password of another user removed or set",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1556.006"},
			Where: `event_source = 'sso-directory.amazonaws.com'
            AND event_name IN ('DeleteMfaDeviceForUser', 'UpdateMfaDeviceForUser', 'UpdatePassword', 'StartVirtualMfaDeviceRegistration',
                'CompleteVirtualMfaDeviceRegistration', 'StartWebAuthnDeviceRegistration', 'CompleteWebAuthnDeviceRegistration')
            AND ` + directoryUser + ` IS DISTINCT FROM on_behalf_of_user_id`,
			Resource:       directoryUser,
			Explain:        `Whoever did it can sign in as that user, in every account that the user has. Ask the help desk for the user's request, and look for a sign-in of the user next.`,
			FalsePositives: `A help desk that helps after a lost telephone or password.`,
			Reference:      "https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html",
		},
	}
}

// directoryUser is the user of Identity Center's directory that a call acts on.
const directoryUser = `coalesce(json_extract_scalar(request_parameters, '$.userId'), json_extract_scalar(request_parameters, '$.user.userId'))`

const samlAssumption = `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRoleWithSAML'`
