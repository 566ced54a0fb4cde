package rules

// persistentTrust are about roles and who may assume them, and second factors.
func persistentTrust() []Rule {
	return []Rule{
		{
			ID:         "TS-PE-010",
			Title:      "Role created",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1136.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateRole', 'CreateServiceLinkedRole')
            AND NOT ` + byService,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.role.arn'), ` + targetRole + `, json_extract_scalar(request_parameters, '$.aWSServiceName'))`,
			Explain:        `Deployments make roles every day. Look at whom this one trusts and what was attached.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
		},
		{
			ID:         "TS-PE-010b",
			Title:      "Role or user created under the name of an attack tool",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1136.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateRole', 'CreateUser')
            AND regexp_like(coalesce(` + targetRole + `, ` + targetUser + `, ''), '(?i)(?:^|[^a-z])(?:pacu|stratus-?red-?team|cloud-?goat|iam-?vulnerable|leonidas|nimbostratus|weirdaal|backdoor)(?:[^a-z]|$)')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.role.arn'), json_extract_scalar(response_elements, '$.user.arn'), ` + targetRole + `, ` + targetUser + `)`,
			Explain:        `Tools for attacking AWS name what they make after themselves. Unless a test was announced, look at whom it trusts and what was attached.`,
			FalsePositives: `An announced test, or a training account.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
		},
		{
			ID:         "TS-PE-011",
			Title:      "Role opened to another account, a further provider or everybody",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('UpdateAssumeRolePolicy', 'CreateRole')
            AND (regexp_like(` + trustDocument + `, '` + trusts(anybody) + `')
                OR ` + letsOutsiders(trustDocument) + `
                OR event_name = 'UpdateAssumeRolePolicy' AND regexp_like(` + trustDocument + `, '` + trusts(identityProvider) + `'))`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.role.arn'), ` + targetRole + `)`,
			Explain:        `Somebody outside can assume the role, without any key of this account. Unless the account or provider named is yours, put the old trust policy back and revoke the role's sessions.`,
			FalsePositives: `Vendors, and an organization's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html",
		},
		{
			ID:         "TS-PE-011b",
			Title:      "Role created for an identity provider",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateRole'
            AND coalesce(` + targetRole + `, '') NOT LIKE 'AWSReservedSSO_%'
            AND regexp_like(` + trustDocument + `, '` + trusts(identityProvider) + `')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.role.arn'), ` + targetRole + `)`,
			Explain:        `Whoever controls the provider can become this role. Check that the provider and the subjects in the condition are yours.`,
			FalsePositives: `Single sign-on and pipelines that are set up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html",
		},
		{
			// Low: how deployments are changed; whom the policy lets in decides.
			ID:         "TS-PE-011c",
			Title:      "Trust policy of a role changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'UpdateAssumeRolePolicy'
            AND NOT ` + byService,
			Resource:       targetRole,
			Explain:        `Who may assume the role is now somebody else. The record of a denied attempt does not say whom it was for.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html",
		},
		{
			// Low: everybody does it for themselves.
			ID:             "TS-PE-012",
			Title:          "MFA device created or registered",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1556.006"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateVirtualMFADevice', 'EnableMFADevice')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.virtualMFADevice.serialNumber'), json_extract_scalar(request_parameters, '$.serialNumber'))`,
			Explain:        `A second factor. An intruder registers one to satisfy policies that ask for MFA.`,
			FalsePositives: `Everybody who sets a device up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html",
		},
		{
			ID:         "TS-PE-012b",
			Title:      "MFA device registered for another user",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1556.006"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('EnableMFADevice', 'ResyncMFADevice')
            AND ` + aboutAnother,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.serialNumber'), ` + targetUser + `)`,
			Explain:        `The caller holds that user's second factor now. With a password set as well, it is a take-over.`,
			FalsePositives: `A help desk.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html",
		},
		{
			ID:         "TS-PE-013",
			Title:      "Role assumed with an MFA device not seen before",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1556.006"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
            AND json_extract_scalar(request_parameters, '$.serialNumber') IS NOT NULL`,
			Resource:       `json_extract_scalar(request_parameters, '$.serialNumber')`,
			Explain:        `A user proved themselves with a device that is new to them. See who registered it, and when.`,
			FalsePositives: `A new telephone.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
			FirstSeen:      &FirstSeen{Scope: []string{"principal_id"}, Key: []string{`json_extract_scalar(request_parameters, '$.serialNumber')`}, Learn: 7 * day},
		},
		{
			// Medium: new telephones are set up so; of another user it is high.
			ID:             "TS-PE-014",
			Title:          "MFA device switched off or deleted",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1556.006"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name IN ('DeactivateMFADevice', 'DeleteVirtualMFADevice')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.serialNumber'), user_name)`,
			Explain:        `Somebody changed telephones, or takes the second factor away: see whether another was registered at once.`,
			FalsePositives: `A new telephone, and users who leave.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html",
		},
		{
			ID:         "TS-PE-014b",
			Title:      "MFA of another user switched off",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1556.006"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'DeactivateMFADevice'
            AND ` + aboutAnother,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.serialNumber'), ` + targetUser + `)`,
			Explain:        `The user's password is enough now. Look for a password set or a sign-in of that user next.`,
			FalsePositives: `A help desk that helps after a lost telephone.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html",
		},
		{
			ID:             "TS-PE-033",
			Title:          "Administrator role made: role created, then given an administrator's rights",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1098.003"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success' AND NOT ` + byService,
			Resource:       targetRole,
			Explain:        `A role that may do everything. Its trust policy says who can use it; deny its sessions until somebody claims it.`,
			FalsePositives: `Roles of administrators and pipelines that are set up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreateRole'`, On: `account_id || '/' || ` + targetRole},
					{Where: `(event_name = 'AttachRolePolicy' AND ` + adminPolicy + `
                OR event_name = 'PutRolePolicy' AND ` + policyGrants(anyAction+"|"+wholeIAM) + `)`, On: `account_id || '/' || ` + targetRole},
				},
				Within: day,
			},
		},
		{
			ID:             "TS-IA-025",
			Title:          "AWS account created in the organization",
			Severity:       Info,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003"},
			Where:          `event_source = 'organizations.amazonaws.com' AND event_name IN ('CreateAccountResult', 'CreateGovCloudAccountResult')`,
			Resource:       `json_extract_scalar(service_event_details, '$.createAccountStatus.accountId')`,
			Explain:        `A new account joined the organization. An intruder in the management account can make one to work from.`,
			FalsePositives: `A new team or project.`,
			Reference:      "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html",
		},
		{
			ID:             "TS-IA-025b",
			Title:          "IAM user active for the first time",
			Severity:       Info,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003"},
			Where:          `identity_type = 'IAMUser' AND principal_id IS NOT NULL AND invoked_by IS NULL`,
			Resource:       `coalesce(identity_arn, user_name)`,
			Explain:        `A user whom the log did not know before: new, or long dormant.`,
			FalsePositives: `New hires, and users who come back.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{"principal_id"}, Learn: 7 * day},
		},
		{
			// Low where the catalogue says medium: everybody who starts instances
			// makes one.
			ID:         "TS-PE-023",
			Title:      "SSH key pair created, imported or deleted",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098.004"},
			Where: `event_source IN ('ec2.amazonaws.com', 'lightsail.amazonaws.com') AND NOT ` + byService + `
            AND event_name IN ('CreateKeyPair', 'ImportKeyPair', 'DeleteKeyPair')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.keyName'), json_extract_scalar(request_parameters, '$.keyPairName'), json_extract_scalar(response_elements, '$.keyPairId'))`,
			Explain:        `Instances started with the key open to its holder. See which were.`,
			FalsePositives: `Everybody who starts instances.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html",
		},
	}
}
