package rules

import "slices"

// persistence are the rules about ways to come back: users, keys, passwords,
// roles, devices and identity providers that an intruder makes or takes.
func persistence() []Rule {
	return slices.Concat(persistentUsers(), persistentSessions(), persistentTrust(), identityProviders(), triggers(), serviceFootholds())
}

// persistentUsers are about users and their keys and passwords.
func persistentUsers() []Rule {
	return []Rule{
		{
			// Low: new people need users; what makes one dangerous has its own rules.
			ID:             "TS-PE-001",
			Title:          "IAM user created",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'CreateUser'`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.user.arn'), ` + targetUser + `)`,
			Explain:        `A user with long-term credentials to be. Check that somebody asked for it.`,
			FalsePositives: `New hires and users of new programs.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html",
		},
		{
			ID:         "TS-PE-002",
			Title:      "Access key created for another user",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.001"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'
            AND ` + aboutAnother,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), ` + targetUser + `)`,
			Explain:        `Whoever made the key can now act as that user, whatever becomes of the key that they came with. Disable it and look at its use.`,
			FalsePositives: `An administrator who sets a user or a program up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html",
		},
		{
			// Low: rotation is this, every quarter for every key.
			ID:             "TS-PE-003",
			Title:          "Access key created",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1098.001"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), ` + targetUser + `)`,
			Explain:        `A new long-term key. It outlives the one that made it.`,
			FalsePositives: `Rotation of keys, and new programs.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html",
		},
		{
			// Medium: a rotation by script looks the same; an intruder's second key
			// does too.
			ID:             "TS-PE-004",
			Title:          "Access key made with an access key, then used",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1098.001"},
			Where:          `invoked_by IS NULL`,
			Resource:       `coalesce(issued_access_key_id, access_key_id)`,
			Explain:        `A key gave birth to another key, which works. Where the first is compromised, so is the second.`,
			FalsePositives: `Rotation by script.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html",
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
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.accessKey.accessKeyId'), account_id)`,
			Explain:        `A key without limits that no policy of the account can hold. Nothing needs one: delete it after having looked at its use.`,
			FalsePositives: `None: root needs no key.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user_manage_add-key.html",
		},
		{
			ID:             "TS-PE-006",
			Title:          "Access key deleted or switched",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1098", "T1070"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name IN ('DeleteAccessKey', 'UpdateAccessKey')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.accessKeyId'), ` + targetUser + `)`,
			Explain:        `Rotation, a responder's work, or an intruder who clears up or switches an old key on again.`,
			FalsePositives: `Rotation, and users who leave.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html",
		},
		{
			ID:             "TS-PE-007",
			Title:          "Console password created for a user",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'CreateLoginProfile'`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.loginProfile.userName'), ` + targetUser + `, identity_arn)`,
			Explain:        `A user who had no password can now open the console, and the caller knows the password. For a service's user there is no good reason.`,
			FalsePositives: `New hires.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html",
		},
		{
			ID:         "TS-PE-008",
			Title:      "Console password of another user set",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'UpdateLoginProfile'
            AND ` + aboutAnother,
			Resource:       targetUser,
			Explain:        `The caller knows that user's password now. Ask the user whether they had asked for a reset.`,
			FalsePositives: `A help desk that resets a forgotten password.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html",
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
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `People change their password in the console. With a key, it is a way from a leaked key to a console session.`,
			FalsePositives: `Users who work by command line alone.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ChangePassword.html",
		},
		{
			// Info: everybody does it, and has to.
			ID:             "TS-PE-008c",
			Title:          "Own console password changed",
			Severity:       Info,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'ChangePassword'`,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `The caller knew the old password and chose a new one, for the record: an intruder in the console locks the owner out so.`,
			FalsePositives: `Everybody whose password expires.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ChangePassword.html",
		},
		{
			// Low: every new colleague does it.
			ID:             "TS-PE-009",
			Title:          "Password set for a user, then a sign-in as that user",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source IN ('iam.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:       `coalesce(` + targetUser + `, user_name)`,
			Explain:        `The new password was used within a day. Usual for a new colleague; after a reset that nobody asked for, a take-over.`,
			FalsePositives: `A help desk, and new hires on their first day.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: passwordSet, On: `account_id || '/' || ` + targetUser},
					{Where: signedIn, On: `account_id || '/' || lower(user_name)`},
				},
				Within: day,
			},
		},
		{
			ID:             "TS-PE-009b",
			Title:          "Password set without a forced change, then a sign-in as that user",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source IN ('iam.amazonaws.com', 'signin.amazonaws.com')`,
			Resource:       `coalesce(` + targetUser + `, user_name)`,
			Explain:        `Who sets a password for somebody else makes them change it at the first sign-in. Here nobody had to: who set it may well be who signed in.`,
			FalsePositives: `A help desk that does not ask for a change.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html",
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
	}
}

// passwordSet is a call that gave a user a password.
const passwordSet = `event_source = 'iam.amazonaws.com' AND outcome = 'success'
                AND event_name IN ('CreateLoginProfile', 'UpdateLoginProfile')`

// adminGroup holds for a group whose name promises an administrator's rights.
const adminGroup = `regexp_like(coalesce(` + targetGroup + `, ''), '(?i)admin|power-?user|root|super|owner|full-?access')`
