package rules

import "time"

// discovery are the rules about looking around: who am I, what may I do, what
// is there.
func discovery() []Rule { return append(identities(), services()...) }

// identities are about who is there and what they may do.
func identities() []Rule {
	return []Rule{
		{
			ID:         "TS-DI-001",
			Title:      "Caller identity asked for by somebody who never did",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1033"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'GetCallerIdentity'
            AND ` + byCaller,
			Resource:       `identity_arn`,
			Explain:        `The first thing that anybody does with a key they found. No permission is needed, so nothing stops it.`,
			FalsePositives: `New programs and people: many tools ask first who they are.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`coalesce(session_issuer_principal_id, principal_id)`}, Learn: 7 * day},
		},
		{
			// Low: an inventory tool or a plan of infrastructure as code reads as
			// much; denials among the calls are the next rule's.
			ID:         "TS-DI-002",
			Title:      "Burst of different read calls",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1526"},
			Where: `regexp_like(event_name, '^(?:Describe|List|Get)') AND ` + byCaller + `
            AND event_category IS DISTINCT FROM 'Data'
            AND NOT ` + fromConsole,
			Needs:          ManagementRead,
			Resource:       `event_source || ' ' || event_name`,
			Explain:        `One principal reads across services within minutes. Whether it is an inventory or an intruder, the agent and the address tell.`,
			FalsePositives: `Inventories, scanners and infrastructure as code.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id", "source_ip_address"}, Distinct: `event_source || ' ' || event_name`, Count: 15, Window: 5 * time.Minute},
		},
		{
			ID:         "TS-DI-002b",
			Title:      "Account explored with the role of a machine or function",
			Severity:   Medium,
			Tactic:     "discovery",
			Techniques: []string{"T1526"},
			Where: computeRole + ` AND ` + byCaller + `
            AND (event_source = 'sts.amazonaws.com' AND event_name = 'GetCallerIdentity'
                OR event_source = 's3.amazonaws.com' AND event_name = 'ListBuckets'
                OR event_source = 'iam.amazonaws.com' AND event_name IN ('ListUsers', 'ListRoles', 'ListGroups', 'ListPolicies', 'ListAccessKeys',
                    'GetAccountSummary', 'GetAccountAuthorizationDetails', 'ListAttachedRolePolicies', 'ListRolePolicies', 'GetUser')
                OR event_source = 'ec2.amazonaws.com' AND event_name IN ('DescribeSnapshots', 'DescribeRegions', 'DescribeVpcs', 'DescribeSecurityGroups')
                OR event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('DescribeTrails', 'ListTrails', 'LookupEvents')
                OR event_source = 'guardduty.amazonaws.com' AND event_name = 'ListDetectors'
                OR event_source = 'organizations.amazonaws.com' AND event_name IN ('DescribeOrganization', 'ListAccounts')
                OR event_source = 'secretsmanager.amazonaws.com' AND event_name = 'ListSecrets'
                OR event_source = 'lambda.amazonaws.com' AND regexp_like(event_name, '^ListFunctions')
                OR event_source = 'rds.amazonaws.com' AND event_name = 'DescribeDBInstances')`,
			Needs:          ManagementRead,
			Resource:       `event_source || ' ' || event_name`,
			Explain:        `A program knows what it works with; somebody who broke into it asks who they are and what there is. Take the role's sessions for stolen and look at the machine.`,
			FalsePositives: `Inventories and scanners that run on a machine of the account.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `event_source || ' ' || event_name`, Count: 5, Window: burst},
		},
		{
			ID:             "TS-DI-003",
			Title:          "Burst of denials: permissions probed",
			Severity:       Medium,
			Tactic:         "discovery",
			Techniques:     []string{"T1580"},
			Where:          byCaller + ` AND ` + fromAddress + ` AND NOT regexp_like(coalesce(user_agent, ''), '^\[?aws-internal/')`,
			Resource:       `event_source || ' ' || event_name`,
			Explain:        `Somebody tries what they may do. The calls that were not denied in between are what they can do.`,
			FalsePositives: `A new role whose rights are too narrow.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
			Outcomes:       []Outcome{Denied},
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `event_source || ' ' || event_name`, Count: 10, Window: burst},
		},
		{
			ID:         "TS-DI-004",
			Title:      "Users, groups, roles and their rights listed",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1087.004"},
			Where: `event_source = 'iam.amazonaws.com' AND ` + byCaller + `
            AND event_name IN ('ListUsers', 'ListRoles', 'ListGroups', 'ListGroupsForUser', 'ListAccessKeys', 'ListPolicies',
                'ListAttachedUserPolicies', 'ListUserPolicies', 'ListAttachedRolePolicies', 'ListRolePolicies',
                'ListAttachedGroupPolicies', 'ListGroupPolicies', 'GetGroup', 'GetGroupPolicy', 'GetUserPolicy', 'GetRolePolicy',
                'ListEntitiesForPolicy', 'GetAccountAuthorizationDetails', 'GetAccountSummary', 'SimulatePrincipalPolicy',
                'SimulateCustomPolicy', 'GetContextKeysForPrincipalPolicy', 'ListMFADevices', 'ListVirtualMFADevices',
                'ListInstanceProfiles', 'ListSAMLProviders', 'ListOpenIDConnectProviders', 'GenerateCredentialReport',
                'GetCredentialReport', 'ListSSHPublicKeys', 'ListSigningCertificates', 'ListServiceSpecificCredentials',
                'GetLoginProfile', 'ListAccountAliases')
            AND NOT ` + fromConsole,
			Resource:       `event_name`,
			Explain:        `A map of who may do what, outside the console. What was listed tells what the caller was after.`,
			FalsePositives: `Scanners and infrastructure as code.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "event_name", Count: 4, Window: burst},
		},
		{
			ID:         "TS-DI-006",
			Title:      "Organization or contacts looked up by somebody who never did",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1087.004"},
			Where: `event_source IN ('organizations.amazonaws.com', 'account.amazonaws.com', 'billingconsole.amazonaws.com') AND ` + byCaller + `
            AND event_name IN ('DescribeOrganization', 'ListAccounts', 'DescribeAccount', 'ListRoots', 'ListPolicies',
                'ListAccountsForParent', 'ListOrganizationalUnitsForParent', 'ListDelegatedAdministrators', 'DescribePolicy',
                'GetAlternateContact', 'GetContactInformation', 'GetPrimaryEmail', 'GetAccountInformation')`,
			Resource:       `event_name`,
			Explain:        `How the organization is built, and whom AWS writes to. Of use to somebody who wants to go on to other accounts.`,
			FalsePositives: `New administrators and tools.`,
			Reference:      "https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`coalesce(session_issuer_principal_id, principal_id)`}, Learn: 7 * day},
		},
		{
			ID:         "TS-DI-007",
			Title:      "Password policy and account summary read",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1201"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('GetAccountPasswordPolicy', 'GetAccountSummary')
            AND event_type IS DISTINCT FROM 'AwsServiceEvent' AND ` + byCaller + `
            AND NOT ` + fromConsole,
			Resource:       `event_name`,
			Explain:        `What passwords must look like is of use to whoever sets or guesses one.`,
			FalsePositives: `Scanners of configurations.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountPasswordPolicy.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Count: 2, Window: burst},
		},
	}
}
