package rules

// accounts are about the account itself: its organization, its regions and its
// rule for passwords.
func accounts() []Rule {
	return []Rule{
		{
			ID:         "TS-DE-024",
			Title:      "Accounts of an organization changed",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1666"},
			Where: `event_source IN ('organizations.amazonaws.com', 'account.amazonaws.com')
            AND event_name IN ('InviteAccountToOrganization', 'AcceptHandshake', 'MoveAccount', 'CreateAccount', 'CreateOrganization', 'LeaveOrganization',
                'RemoveAccountFromOrganization', 'CloseAccount', 'CloseAccountResult', 'DeleteOrganization')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.target.id'), json_extract_scalar(request_parameters, '$.accountId'), json_extract_scalar(request_parameters, '$.handshakeId'))`,
			Explain:        `Another management account, or another unit with other policies. An intruder's organization can take an account over.`,
			FalsePositives: `Administrators of the organization.`,
			Reference:      "https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html",
		},
		{
			ID:         "TS-DE-024b",
			Title:      "Account leaves the organization or is closed",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1666"},
			Where: `event_source IN ('organizations.amazonaws.com', 'account.amazonaws.com')
            AND event_name IN ('LeaveOrganization', 'RemoveAccountFromOrganization', 'CloseAccount', 'CloseAccountResult', 'DeleteOrganization')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.accountId'), json_extract_scalar(service_event_details, '$.closeAccountStatus.accountId'), account_id)`,
			Explain:        `Outside the organization its policies, trails and guards no longer apply. The management account can stop it.`,
			FalsePositives: `Accounts that are sold or given up.`,
			Reference:      "https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html",
		},
		{
			ID:             "TS-DE-025",
			Title:          "Region enabled or disabled",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1535"},
			Where:          `event_name IN ('EnableRegion', 'DisableRegion', 'OptInRegion', 'OptOutRegion')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.RegionName'), json_extract_scalar(request_parameters, '$.regionName'), json_extract_scalar(service_event_details, '$.regionName'))`,
			Explain:        `An opt-in region is where nobody looks. Search it for instances, and see whether the trail covers it.`,
			FalsePositives: `A company that begins to work in the region.`,
			Reference:      "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html",
		},
		{
			// Calls of the global services stand in one region wherever they come from,
			// and so does the firewall of CloudFront.
			ID:             "TS-IA-026",
			Title:          "Change in a region that the account did not use",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1535"},
			Where:          regionalChange,
			Resource:       `aws_region`,
			Explain:        `Intruders like regions that nobody looks at. Search the region for instances, clusters and models that are not yours.`,
			FalsePositives: `A move to another region.`,
			Reference:      "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{"aws_region"}, Learn: 7 * day},
		},
		{
			ID:         "TS-IA-026b",
			Title:      "Change in a region that is not allowed",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1535"},
			Where: regionalChange + `
            AND aws_region NOT IN (SELECT value FROM lists WHERE name = 'allowed_regions')`,
			List:           AllowedRegionsList,
			Resource:       `aws_region`,
			Explain:        `Nobody should work in this region. Search it for instances, clusters and models that are not yours, and see why no policy denies it.`,
			FalsePositives: `A region that was allowed after the list was written.`,
			Reference:      "https://docs.aws.amazon.com/controltower/latest/userguide/region-deny.html",
		},
		{
			ID:         "TS-DE-035",
			Title:      "Password policy of the account changed or deleted",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1556"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy')`,
			Resource:       `account_id`,
			Explain:        `Weaker passwords may be allowed now. Compare the policy with yours.`,
			FalsePositives: `A new rule for passwords.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html",
		},
	}
}

// regionalChange holds for a change that somebody makes in a region of their
// choice.
const regionalChange = `read_only IS DISTINCT FROM true AND NOT regexp_like(event_name, '^(?:Get|List|Describe|Head|Lookup)')
            AND NOT ` + byService + ` AND ` + byCaller + `
            AND event_type IS DISTINCT FROM 'AwsServiceEvent'
            AND event_source NOT IN ('iam.amazonaws.com', 'sts.amazonaws.com', 'signin.amazonaws.com',
                'organizations.amazonaws.com', 'account.amazonaws.com', 'cloudfront.amazonaws.com',
                'route53.amazonaws.com', 'route53domains.amazonaws.com', 'support.amazonaws.com',
                'health.amazonaws.com', 'globalaccelerator.amazonaws.com', 'waf.amazonaws.com', 'shield.amazonaws.com',
                'networkmanager.amazonaws.com', 'budgets.amazonaws.com', 'ce.amazonaws.com', 'cur.amazonaws.com',
                'savingsplans.amazonaws.com', 'billing.amazonaws.com', 'billingconsole.amazonaws.com', 'payments.amazonaws.com',
                'tax.amazonaws.com', 'invoicing.amazonaws.com', 'trustedadvisor.amazonaws.com', 'chatbot.amazonaws.com',
                'notifications.amazonaws.com', 'ecr-public.amazonaws.com', 'uxc.amazonaws.com')
            AND NOT (event_source = 'wafv2.amazonaws.com' AND coalesce(json_extract_scalar(request_parameters, '$.scope'), '') = 'CLOUDFRONT')`
