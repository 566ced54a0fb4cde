package rules

import (
	"slices"
	"time"
)

// persistence are the rules about ways to come back: users, keys, passwords,
// roles, devices and identity providers that an intruder makes or takes.
func persistence() []Rule {
	return slices.Concat(persistentUsers(), persistentTrust(), triggers(), serviceFootholds())
}

// persistentUsers are about users and their keys and passwords.
func persistentUsers() []Rule {
	return []Rule{
		{
			// Low: new people need users; what makes one dangerous has its own rules.
			ID:         "TS-PE-001",
			Title:      "IAM user created",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1136.003"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name = 'CreateUser'`,
			Resource:   `coalesce(json_extract_scalar(response_elements, '$.user.arn'), ` + targetUser + `)`,
			Explain:    `A user with long-term credentials to be. Check that somebody asked for it.`,
		},
		{
			ID:         "TS-PE-002",
			Title:      "Access key created for another user",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'
            AND ` + aboutAnother,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), ` + targetUser + `)`,
			Explain:  `Whoever made the key can now act as that user, whatever becomes of the key that they came with. Disable it and look at its use.`,
		},
		{
			// Low: rotation is this, every quarter for every key.
			ID:         "TS-PE-003",
			Title:      "Access key created",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'`,
			Resource:   `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), ` + targetUser + `)`,
			Explain:    `A new long-term key. It outlives the one that made it.`,
		},
		{
			// Medium: a rotation by script looks the same; an intruder's second key
			// does too.
			ID:         "TS-PE-004",
			Title:      "Access key made with an access key, then used",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where:      `invoked_by IS NULL`,
			Resource:   `coalesce(issued_access_key_id, access_key_id)`,
			Explain:    `A key gave birth to another key, which works. Where the first is compromised, so is the second.`,
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'
                AND outcome = 'success' AND coalesce(session_credential_from_console, false) = false`, On: `issued_access_key_id`},
					{Where: `access_key_id LIKE 'AKIA%'`, On: `access_key_id`},
				},
				Within: 14 * day,
			},
		},
		{
			ID:         "TS-PE-005",
			Title:      "Access key created for root",
			Severity:   Critical,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'
            AND identity_type = 'Root'
            AND json_extract_scalar(request_parameters, '$.userName') IS NULL`,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), account_id)`,
			Explain:  `A key without limits that no policy of the account can hold. Nothing needs one: delete it after having looked at its use.`,
		},
		{
			ID:         "TS-PE-006",
			Title:      "Access key deleted or switched",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098", "T1070"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name IN ('DeleteAccessKey', 'UpdateAccessKey')`,
			Resource:   `coalesce(json_extract_scalar(request_parameters, '$.accessKeyId'), ` + targetUser + `)`,
			Explain:    `Rotation, a responder's work, or an intruder who clears up or switches an old key on again.`,
		},
		{
			ID:         "TS-PE-007",
			Title:      "Console password created for a user",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name = 'CreateLoginProfile'`,
			Resource:   `coalesce(json_extract_scalar(response_elements, '$.loginProfile.userName'), ` + targetUser + `, identity_arn)`,
			Explain:    `A user who had no password can now open the console, and the caller knows the password. For a service's user there is no good reason.`,
		},
		{
			ID:         "TS-PE-008",
			Title:      "Console password of another user set",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'UpdateLoginProfile'
            AND ` + aboutAnother,
			Resource: targetUser,
			Explain:  `The caller knows that user's password now. Ask the user whether they had asked for a reset.`,
		},
		{
			ID:         "TS-PE-008b",
			Title:      "Own console password changed with an access key",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com'
            AND (event_name = 'ChangePassword'
                OR event_name = 'UpdateLoginProfile' AND coalesce(` + targetUser + `, ` + caller + `) = ` + caller + `)
            AND access_key_id LIKE 'AKIA%'`,
			Resource: `coalesce(user_name, identity_arn)`,
			Explain:  `People change their password in the console. With a key, it is a way from a leaked key to a console session.`,
		},
		{
			// Low: every new colleague does it.
			ID:         "TS-PE-009",
			Title:      "Password set for a user, then a sign-in as that user",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where:      `event_source IN ('iam.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:   `coalesce(` + targetUser + `, user_name)`,
			Explain:    `The new password was used within a day. Usual for a new colleague; after a reset that nobody asked for, a take-over.`,
			Sequence: &Sequence{
				Steps: []Step{
					{Where: passwordSet, On: `account_id || '/' || ` + targetUser},
					{Where: signedIn, On: `account_id || '/' || lower(user_name)`},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-PE-009b",
			Title:      "Password set without a forced change, then a sign-in as that user",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where:      `event_source IN ('iam.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:   `coalesce(` + targetUser + `, user_name)`,
			Explain:    `Who sets a password for somebody else makes them change it at the first sign-in. Here nobody had to: who set it may well be who signed in.`,
			Sequence: &Sequence{
				Steps: []Step{
					{Where: passwordSet + `
                AND coalesce(lower(json_extract_scalar(request_parameters, '$.passwordResetRequired')), 'false') = 'false'
                AND ` + aboutAnother, On: `account_id || '/' || ` + targetUser},
					{Where: signedIn, On: `account_id || '/' || lower(user_name)`},
				},
				Within: day,
			},
		},
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
			Resource: `coalesce(` + targetUser + `, user_name)`,
			Explain:  `The console makes a user BedrockAPIKey-… for each long-term Bedrock key, and nobody watches it. Here it got other credentials or did other things.`,
		},
		{
			ID:         "TS-PE-031b",
			Title:      "Service-specific credential of a user created",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('CreateServiceSpecificCredential', 'ResetServiceSpecificCredential')`,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.serviceSpecificCredential.serviceSpecificCredentialId'), ` + targetUser + `)`,
			Explain:  `A credential for Bedrock, CodeCommit or Keyspaces that goes on working when the access key is disabled. Deactivate it by its own id.`,
		},
		{
			// Low: new colleagues get a user, a password and perhaps a key, too.
			ID:         "TS-PE-032",
			Title:      "User created, then given a key, a password or a policy",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1136.003", "T1098.001"},
			Where:      `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:   targetUser,
			Explain:    `A user who is ready for use. Confirm with whoever should have asked for it.`,
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreateUser'`, On: `account_id || '/' || ` + targetUser},
					{Where: `event_name IN ('CreateAccessKey', 'CreateLoginProfile', 'AttachUserPolicy', 'PutUserPolicy')`, On: `account_id || '/' || ` + targetUser},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-PE-032b",
			Title:      "Administrator made: user created, then given an administrator's rights",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1136.003", "T1098.003"},
			Where:      `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:   targetUser,
			Explain:    `The usual way to stay: a new user who may do everything. Disable the user and take its keys and password.`,
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
                OR coalesce(json_extract_scalar(request_parameters, '$.policyDocument'), '') LIKE '%<YOUR-BUCKET-NAME>%')
            AND read_only IS DISTINCT FROM true`,
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `A Windows tool for buckets that also makes users and keys: the hand of a known group (GUI-vil). Its policy template leaves a placeholder in.`,
		},
		{
			ID:         "TS-PE-035",
			Title:      "IAM group created or deleted",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateGroup', 'DeleteGroup')`,
			Resource:   targetGroup,
			Explain:    `Groups carry rights to their members. See what was attached and who joined.`,
		},
		{
			ID:         "TS-PE-036",
			Title:      "Session token taken by a key without MFA",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetSessionToken'
            AND json_extract_scalar(request_parameters, '$.serialNumber') IS NULL`,
			Resource: `coalesce(issued_access_key_id, user_name, identity_arn)`,
			Explain:  `The session goes on for up to 36 hours after the key is disabled. Without MFA there is hardly a use for it.`,
		},
		{
			ID:         "TS-PE-036b",
			Title:      "Session token taken by a key with MFA",
			Severity:   Info,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetSessionToken'
            AND json_extract_scalar(request_parameters, '$.serialNumber') IS NOT NULL`,
			Resource: `coalesce(issued_access_key_id, user_name, identity_arn)`,
			Explain:  `How people with MFA work on the command line. The session survives the key.`,
		},
		{
			ID:         "TS-PE-037",
			Title:      "IAM changed with a user's session",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'iam.amazonaws.com' AND read_only IS DISTINCT FROM true
            AND identity_type = 'IAMUser' AND access_key_id LIKE 'ASIA%' AND invoked_by IS NULL
            AND NOT ` + fromConsole,
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `An administrator on the command line, or a stolen session.`,
		},
		{
			ID:         "TS-PE-037b",
			Title:      "IAM changed with a user's session that has no MFA",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'iam.amazonaws.com' AND read_only IS DISTINCT FROM true
            AND identity_type = 'IAMUser' AND access_key_id LIKE 'ASIA%' AND invoked_by IS NULL
            AND session_mfa IS DISTINCT FROM true
            AND NOT ` + fromConsole,
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `IAM takes session tokens only with MFA, so this is somebody trying, or the credentials of a console sign-in used elsewhere.`,
		},
		{
			ID:         "TS-PE-038",
			Title:      "Federation token issued",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where:      `event_source = 'sts.amazonaws.com' AND event_name = 'GetFederationToken'`,
			Resource:   `coalesce(issued_principal_arn, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:    `Few programs use it; intruders do, to outlive the key. Find out whether the user belongs to a federation broker.`,
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
			Resource: `coalesce(issued_principal_arn, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:  `A session with all the user's rights that survives the key by up to 36 hours. Only a deny on the user stops it.`,
		},
		{
			ID:         "TS-PE-038c",
			Title:      "Federation token turned into a console session",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where:      `event_source IN ('sts.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:   `coalesce(issued_principal_arn, identity_arn)`,
			Explain:    `From a key to the console by way of a federation token. In the console such a session may even call IAM.`,
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

// passwordSet is a call that gave a user a password.
const passwordSet = `event_source = 'iam.amazonaws.com' AND outcome = 'success'
                AND event_name IN ('CreateLoginProfile', 'UpdateLoginProfile')`

// adminGroup holds for a group whose name promises an administrator's rights.
const adminGroup = `regexp_like(coalesce(` + targetGroup + `, ''), '(?i)admin|power-?user|root|super|owner|full-?access')`
