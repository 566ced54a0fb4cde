package rules

import "time"

// persistentSessions are about users that are made whole, and about credentials
// of users that outlive their keys: of services, sessions, federation tokens.
func persistentSessions() []Rule {
	return []Rule{
		{
			ID:         "TS-PE-031",
			Title:      "User of a Bedrock API key given credentials or used outside Bedrock",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `(event_source = 'iam.amazonaws.com' AND ` + targetUser + ` LIKE 'bedrockapikey-%'
                AND event_name IN ('CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'AddUserToGroup',
                    'AttachUserPolicy', 'PutUserPolicy')
                AND coalesce(json_extract_scalar(request_parameters, '$.policyArn'), '') NOT LIKE '%/AmazonBedrockLimitedAccess'
            OR ` + caller + ` LIKE 'bedrockapikey-%' AND event_source NOT LIKE 'bedrock%')`,
			Resource:       `coalesce(` + targetUser + `, user_name)`,
			Explain:        `The console makes a user BedrockAPIKey-… for each long-term Bedrock key, and nobody watches it. Here it got other credentials or did other things.`,
			FalsePositives: `None known: AWS makes the user for the key alone.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
		},
		{
			ID:         "TS-PE-031b",
			Title:      "Service-specific credential of a user created",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('CreateServiceSpecificCredential', 'ResetServiceSpecificCredential')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.serviceSpecificCredential.serviceSpecificCredentialId'), ` + targetUser + `)`,
			Explain:        `A credential for Bedrock, CodeCommit or Keyspaces that goes on working when the access key is disabled. Deactivate it by its own id.`,
			FalsePositives: `Developers of CodeCommit, Keyspaces or Bedrock.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html",
		},
		{
			// Low: new colleagues get a user, a password and perhaps a key, too.
			ID:             "TS-PE-032",
			Title:          "User created, then given a key, a password or a policy",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003", "T1098.001"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:       targetUser,
			Explain:        `A user who is ready for use. Confirm with whoever should have asked for it.`,
			FalsePositives: `New hires and users of new programs.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreateUser'`, On: `account_id || '/' || ` + targetUser},
					{Where: `event_name IN ('CreateAccessKey', 'CreateLoginProfile', 'AttachUserPolicy', 'PutUserPolicy')`, On: `account_id || '/' || ` + targetUser},
				},
				Within: day,
			},
		},
		{
			ID:             "TS-PE-032b",
			Title:          "Administrator made: user created, then given an administrator's rights",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003", "T1098.003"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:       targetUser,
			Explain:        `The usual way to stay: a new user who may do everything. Disable the user and take its keys and password.`,
			FalsePositives: `A new administrator.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreateUser'`, On: `account_id || '/' || ` + targetUser},
					{Where: `(event_name = 'AttachUserPolicy' AND ` + adminPolicy + `
                OR event_name = 'PutUserPolicy' AND ` + policyGrants(anyAction+"|"+escalation) + `
                OR event_name = 'AddUserToGroup' AND ` + adminGroup + `)`, On: `account_id || '/' || ` + targetUser},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-PE-034",
			Title:      "IAM changed with S3 Browser",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004"},
			Where: `event_source = 'iam.amazonaws.com'
            AND (regexp_like(user_agent, '(?i)S3 ?Browser')
                OR coalesce(request_parameters, '') LIKE '%YOUR-BUCKET-NAME%')
            AND (event_name = 'GetLoginProfile' OR ` + changes + `)`,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `A Windows tool for buckets that also makes users and keys, and looks which have a password: the hand of a known group (GUI-vil). Its policy template leaves a placeholder in.`,
			FalsePositives: `Administrators who use the tool's IAM manager.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			ID:             "TS-PE-035",
			Title:          "IAM group created or deleted",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateGroup', 'DeleteGroup')`,
			Resource:       targetGroup,
			Explain:        `Groups carry rights to their members. See what was attached and who joined.`,
			FalsePositives: `A team that is set up or closed.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html",
		},
		{
			ID:         "TS-PE-036",
			Title:      "Session token taken by a key without MFA",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetSessionToken'
            AND json_extract_scalar(request_parameters, '$.serialNumber') IS NULL`,
			Resource:       `coalesce(issued_access_key_id, user_name, identity_arn)`,
			Explain:        `The session goes on for up to 36 hours after the key is disabled. Without MFA there is hardly a use for it.`,
			FalsePositives: `Tools that work with temporary credentials.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
		},
		{
			ID:         "TS-PE-036b",
			Title:      "Session token taken by a key with MFA",
			Severity:   Info,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetSessionToken'
            AND json_extract_scalar(request_parameters, '$.serialNumber') IS NOT NULL`,
			Resource:       `coalesce(issued_access_key_id, user_name, identity_arn)`,
			Explain:        `How people with MFA work on the command line. The session survives the key.`,
			FalsePositives: `Everybody whose policies ask for MFA.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
		},
		{
			ID:         "TS-PE-037",
			Title:      "IAM changed with a user's session",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'iam.amazonaws.com' AND ` + changes + `
            AND identity_type = 'IAMUser' AND access_key_id LIKE 'ASIA%' AND invoked_by IS NULL
            AND NOT ` + fromConsole,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `An administrator on the command line, or a stolen session.`,
			FalsePositives: `Everything that a user changes in the console.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
		},
		{
			ID:         "TS-PE-037b",
			Title:      "IAM changed with a user's session that has no MFA",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'iam.amazonaws.com' AND ` + changes + `
            AND identity_type = 'IAMUser' AND access_key_id LIKE 'ASIA%' AND invoked_by IS NULL
            AND session_mfa IS DISTINCT FROM true
            AND NOT ` + fromConsole,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `IAM takes session tokens only with MFA, so this is somebody trying, or the credentials of a console sign-in used elsewhere.`,
			FalsePositives: `Accounts that do not ask for MFA yet.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
		},
		{
			ID:             "TS-PE-038",
			Title:          "Federation token issued",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1078.004", "T1550.001"},
			Where:          `event_source = 'sts.amazonaws.com' AND event_name = 'GetFederationToken'`,
			Resource:       `coalesce(issued_principal_arn, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Few programs use it; intruders do, to outlive the key. Find out whether the user belongs to a federation broker.`,
			FalsePositives: `Portals of a company that hand out credentials.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html",
		},
		{
			ID:         "TS-PE-038b",
			Title:      "Federation token with an administrator's rights",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetFederationToken'
            AND (regexp_like(` + document("$.policy") + `, '` + grants(anyAction+"|"+escalation) + `')
                OR regexp_like(coalesce(request_parameters, ''), ':policy/(?:AdministratorAccess|IAMFullAccess|PowerUserAccess)'))`,
			Resource:       `coalesce(issued_principal_arn, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `A session with all the user's rights that survives the key by up to 36 hours. Only a deny on the user stops it.`,
			FalsePositives: `Portals of a company that leave the narrowing to the user's policies.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html",
		},
		{
			ID:             "TS-PE-038c",
			Title:          "Federation token turned into a console session",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1078.004", "T1550.001"},
			Where:          `event_source IN ('sts.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:       `coalesce(issued_principal_arn, identity_arn)`,
			Explain:        `From a key to the console by way of a federation token. In the console such a session may even call IAM.`,
			FalsePositives: `Portals of a company that hand out console links.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'GetFederationToken' AND outcome = 'success'`, On: `issued_principal_arn`},
					{Where: `event_name IN ('GetSigninToken', 'ConsoleLogin') AND identity_type = 'FederatedUser'`, On: `identity_arn`},
				},
				Within: 36 * time.Hour,
			},
		},
	}
}
