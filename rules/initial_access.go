package rules

import "time"

const day = 24 * time.Hour

// signInFailed and signedIn tell the two ends of a console sign-in, which has
// no error code.
const (
	consoleLogin = `event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'`
	signedIn     = consoleLogin + `
            AND json_extract_scalar(response_elements, '$.ConsoleLogin') = 'Success'`
	signInFailed = consoleLogin + `
            AND json_extract_scalar(response_elements, '$.ConsoleLogin') = 'Failure'`
)

// initialAccess are the rules about getting in: console sign-ins and the use
// of keys from where they were never used.
func initialAccess() []Rule {
	return append(signIns(), unfamiliarUse()...)
}

// signIns are about the console and the sign-in services.
func signIns() []Rule {
	return []Rule{
		{
			ID:         "TS-IA-001",
			Title:      "Console sign-in without MFA",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND identity_type IN ('IAMUser', 'Root')
            AND json_extract_scalar(additional_event_data, '$.SamlProviderArn') IS NULL
            AND lower(json_extract_scalar(additional_event_data, '$.MFAUsed')) = 'no'`,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `A password alone opened the console. Ask the user whether it was them, and whether the password was set by somebody else shortly before.`,
			FalsePositives: `Users of accounts that do not ask for MFA yet.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
		},
		{
			// Low: only an organisation that signs in through an identity provider
			// can call a password sign-in unexpected.
			ID:         "TS-IA-002",
			Title:      "Console sign-in with a password, past the identity provider",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND identity_type = 'IAMUser'
            AND json_extract_scalar(additional_event_data, '$.SamlProviderArn') IS NULL`,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `An IAM user signed in directly. Where people come through single sign-on, this is a way around its checks.`,
			FalsePositives: `Accounts without an identity provider, and users kept for emergencies.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
		},
		{
			ID:         "TS-IA-003",
			Title:      "Console sign-in as root",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND identity_type = 'Root'`,
			Resource:       `account_id`,
			Explain:        `Root can do everything and no policy of the account stops it. Confirm with the holder of the root mailbox; look at what followed in the same session.`,
			FalsePositives: `One of the few tasks that only root can do.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",
		},
		{
			ID:         "TS-IA-004",
			Title:      "Activity of root",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `identity_type = 'Root' AND invoked_by IS NULL
            AND event_type IS DISTINCT FROM 'AwsServiceEvent'
            AND event_name <> 'CreateServiceLinkedRole'
            AND NOT (event_source = 'signin.amazonaws.com' AND coalesce(response_elements, '') LIKE '%"Failure"%')`,
			Needs:          AnyEvent,
			Resource:       `event_name`,
			Explain:        `Root is for a handful of tasks, and reading is none of them. Find out where the session came from, and who remembers it.`,
			FalsePositives: `One of the few tasks that only root can do.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html",
		},
		{
			ID:         "TS-IA-005",
			Title:      "Root e-mail address, password or recovery changed",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where: `event_source = 'signin.amazonaws.com'
                AND (event_name IN ('EmailUpdated', 'PasswordUpdated') AND identity_type = 'Root'
                    OR event_name IN ('PasswordRecoveryRequested', 'PasswordRecoveryCompleted'))
            OR event_source = 'account.amazonaws.com'
                AND event_name IN ('StartPrimaryEmailUpdate', 'AcceptPrimaryEmailUpdate')`,
			Needs:          SignIn,
			Resource:       `account_id`,
			Explain:        `Whoever controls the root mailbox and password owns the account for good. Check that the mailbox and its recovery phone are still yours.`,
			FalsePositives: `The holder of the account changes address or password.`,
			Reference:      "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-root-user-email.html",
		},
		{
			ID:         "TS-IA-006",
			Title:      "Burst of failed root sign-ins",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1110"},
			Where: signInFailed + `
            AND identity_type = 'Root'`,
			Resource:       `account_id`,
			Explain:        `Somebody guesses the root password. See whether one of the attempts succeeded and whether root has MFA.`,
			FalsePositives: `A forgotten root password.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"account_id"}, Count: 5, Window: 15 * time.Minute},
		},
		{
			ID:         "TS-IA-007",
			Title:      "Burst of failed sign-ins of one user",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1110.001"},
			Where: signInFailed + `
            AND identity_type IS DISTINCT FROM 'Root'`,
			Resource:       `user_name`,
			Explain:        `A password is being guessed. Look for a success of the same user afterwards.`,
			FalsePositives: `A forgotten password, or a password manager with an old one.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"account_id", "user_name"}, Count: 10, Window: 15 * time.Minute},
		},
		{
			ID:             "TS-IA-007b",
			Title:          "Burst of failed sign-ins from one address",
			Severity:       Medium,
			Tactic:         "credential-access",
			Techniques:     []string{"T1110.001"},
			Where:          signInFailed,
			Resource:       `user_name`,
			Explain:        `One address tries passwords. Look at everything else that came from it.`,
			FalsePositives: `An office behind one address, on a bad day.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"source_ip_address"}, Count: 10, Window: 15 * time.Minute},
		},
		{
			ID:             "TS-IA-008",
			Title:          "Password spraying: many users fail from one address",
			Severity:       High,
			Tactic:         "credential-access",
			Techniques:     []string{"T1110.003"},
			Where:          signInFailed,
			Resource:       `user_name`,
			Explain:        `One address tries a few passwords against many users. Names that do not exist are hidden in the log, so the list of users is a lower bound.`,
			FalsePositives: `An office behind one address after all passwords expired.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"source_ip_address"}, Distinct: "user_name", Count: 5, Window: 30 * time.Minute},
		},
		{
			ID:             "TS-IA-009",
			Title:          "Sign-in that succeeds after repeated failures",
			Severity:       High,
			Tactic:         "credential-access",
			Techniques:     []string{"T1110"},
			Where:          consoleLogin,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `Five failures and then the right password: guessed, or a forgetful owner. Compare the address with the user's earlier ones.`,
			FalsePositives: `A forgotten password, remembered in the end.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: signInFailed, On: signInName},
					{Where: signInFailed, On: signInName},
					{Where: signInFailed, On: signInName},
					{Where: signInFailed, On: signInName},
					{Where: signInFailed, On: signInName},
					{Where: signedIn, On: signInName},
				},
				Within: 30 * time.Minute,
			},
		},
		{
			ID:         "TS-IA-010",
			Title:      "Repeated failures at the second factor",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1621"},
			Where: signInFailed + `
            AND lower(json_extract_scalar(additional_event_data, '$.MFAUsed')) = 'yes'`,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `The password is known to whoever tries; only MFA holds. Change the password, then look for a success.`,
			FalsePositives: `A device whose clock is wrong.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"account_id", "coalesce(user_name, identity_arn)"}, Count: 5, Window: 15 * time.Minute},
		},
		{
			// Low: people travel, and telephones change networks.
			ID:         "TS-IA-011",
			Title:      "Console sign-in from a network never seen for its user",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: signedIn + `
            AND ` + publicAddress,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `Nothing that this user did came from there before. Ask the user where they were.`,
			FalsePositives: `Travel, a new provider, a telephone as a modem.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			FirstSeen:      &FirstSeen{Scope: []string{"principal_id"}, Key: []string{network}, Among: publicAddress, Learn: 7 * day},
		},
		{
			ID:             "TS-IA-012",
			Title:          "Console sign-ins of one user from several addresses",
			Severity:       Medium,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004", "T1185"},
			Where:          signedIn,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `The same person signed in from two places within minutes. Ask which of them was theirs.`,
			FalsePositives: `A VPN that is switched on or off in between, and telephones.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "source_ip_address", Count: 2, Window: 15 * time.Minute},
		},
		{
			// Low: every single sign-on looks so.
			ID:         "TS-IA-013",
			Title:      "Console sign-in as a role or a federated user",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: signedIn + `
            AND identity_type IN ('AssumedRole', 'FederatedUser')`,
			Resource:       `identity_arn`,
			Explain:        `Temporary credentials opened the console. Usual for single sign-on; otherwise find who issued them.`,
			FalsePositives: `Every sign-in through an identity provider.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
		},
		{
			ID:         "TS-IA-013b",
			Title:      "Console sign-in with a federation token",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: signedIn + `
            AND identity_type = 'FederatedUser'`,
			Resource:       `identity_arn`,
			Explain:        `Credentials of GetFederationToken were turned into a console session, which outlives the key that they came from. Deny at the user who issued them.`,
			FalsePositives: `Portals of a company that hand out console links.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html",
		},
		{
			ID:         "TS-IA-014",
			Title:      "Console session from an EC2 instance's credentials",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'signin.amazonaws.com' AND event_name IN ('ConsoleLogin', 'GetSigninToken')
            AND (` + instanceSession + `
                OR json_extract_scalar(user_identity, '$.sessionContext.ec2RoleDelivery') IS NOT NULL)`,
			Resource:       `identity_arn`,
			Explain:        `Instances do not open consoles: the instance's credentials were taken. Treat the role's sessions as stolen.`,
			FalsePositives: `Tools on an instance that make console links.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html",
		},
		{
			ID:         "TS-IA-015",
			Title:      "Sign-in token made outside the console and single sign-on",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `event_source = 'signin.amazonaws.com' AND event_name = 'GetSigninToken'
            AND coalesce(user_agent, '') NOT LIKE '%Jersey/%'
            AND coalesce(session_issuer_arn, '') NOT LIKE '%/aws-reserved/sso.amazonaws.com/%'`,
			Resource:       `identity_arn`,
			Explain:        `Credentials were exchanged for a console link, as aws_consoler does. The console session lives on its own, up to 12 hours.`,
			FalsePositives: `Tools of administrators that open the console from the command line.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html",
		},
		{
			// Low: whoever works through Identity Center does it daily.
			ID:         "TS-IA-016",
			Title:      "Identity Center portal used or its access token retrieved",
			Severity:   Low,
			Tactic:     "credential-access",
			Techniques: []string{"T1528"},
			Where: `event_source IN ('sso.amazonaws.com', 'sso-oidc.amazonaws.com', 'sso-oauth.amazonaws.com')
            AND event_name IN ('CreateToken', 'CreateTokenWithIAM', 'Authenticate', 'ListApplications')`,
			Resource:       `coalesce(user_name, on_behalf_of_user_id, principal_id)`,
			Explain:        `The portal or the end of a CLI sign-in. After device-code phishing, the token goes to the phisher: compare the address with the user's own.`,
			FalsePositives: `Everybody who works through Identity Center.`,
			Reference:      "https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html",
		},
		{
			ID:             "TS-IA-016b",
			Title:          "Registered applications of the account listed",
			Severity:       Info,
			Tactic:         "discovery",
			Techniques:     []string{"T1526"},
			Where:          `event_source = 'servicecatalog-appregistry.amazonaws.com' AND event_name = 'ListApplications' AND NOT ` + byService,
			Resource:       `event_name`,
			Explain:        `What the account runs, by the names that its owners gave it. By itself it means little: see who called, and what came next.`,
			FalsePositives: `The console's start page and the owners of applications.`,
			Reference:      "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_app-registry_ListApplications.html",
		},
		{
			ID:             "TS-IA-027",
			Title:          "Console sign-in",
			Severity:       Info,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          consoleLogin,
			Resource:       `coalesce(user_name, identity_arn)`,
			Explain:        `Every attempt, for the record: who, from where, with MFA or without.`,
			FalsePositives: `Every sign-in.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
		},
	}
}

// signInName is whose sign-in it is, within an account.
const signInName = `account_id || '/' || coalesce(user_name, identity_arn, principal_id)`
