package rules

import "time"

// conduct are the rules about who used the key and its descendants, and how.
func conduct(others []Rule) []Rule {
	return []Rule{
		{
			ID:         "TS-KEY-009",
			Title:      "Credential that its owner and somebody else use",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: among("", `EXISTS (
                    SELECT 1 FROM lineage_events AS o WHERE o.credential_id = l.credential_id AND o.actor = 'owner')`),
			Resource:       `access_key_id`,
			Explain:        `Both hands are on one key since the compromise: disabling it stops the owner's work too. Have a new key ready. The events are those that are not the owner's.`,
			FalsePositives: `An owner on a new network with a new tool.`,
			Reference:      iamGuide + "id-credentials-access-keys-update.html",
		},
		{
			ID:             "TS-KEY-010",
			Title:          "First malicious use of the key",
			Severity:       Info,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          `event_id IN (SELECT json_extract_scalar(first_malicious_use, '$.event_id') FROM lineage)`,
			Resource:       `access_key_id`,
			Explain:        `Where the incident begins, by what the log shows. How the key leaked lies before it: look there in repositories, builds and machines.`,
			FalsePositives: `An estimate: the first use from a network and by an agent that the key's history does not have.`,
			Reference:      iamGuide + "id_credentials_access-keys.html",
		},
		{
			ID:             "TS-KEY-011",
			Title:          "Probing, and acting on it within the hour",
			Severity:       Low,
			Tactic:         "discovery",
			Techniques:     []string{"T1087.004", "T1069.003", "T1526"},
			Resource:       `event_source || ':' || event_name`,
			Explain:        `Somebody looked what the key may do and then did it, with whatever credential of the lineage. What stands between the two is what they learnt.`,
			FalsePositives: `Deployment tools ask who they are before they begin.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
			Sequence: &Sequence{
				Within: time.Hour,
				Steps: []Step{
					{Where: `event_name IN ('GetCallerIdentity', 'GetAccountAuthorizationDetails', 'GetAccountSummary', 'ListAttachedUserPolicies',
                'ListUserPolicies', 'ListGroupsForUser', 'ListAttachedRolePolicies', 'ListRolePolicies', 'SimulatePrincipalPolicy',
                'SimulateCustomPolicy', 'GetSendQuota', 'ListServiceQuotas', 'GetServiceQuota')
                OR error_code LIKE '%DryRunOperation'`, On: `'closure'`},
					{Where: `outcome = 'success' AND coalesce(read_only, false) = false AND invoked_by IS NULL
                AND event_source NOT IN ('sts.amazonaws.com', 'signin.amazonaws.com')
                AND NOT regexp_like(event_name, '^(?:Get|List|Describe|Lookup|Head|BatchGet|Search)')`, On: `'closure'`},
				},
			},
		},
		{
			ID:             "TS-KEY-012",
			Title:          "Call that was denied first and allowed later",
			Severity:       Medium,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1078.004", "T1098.003"},
			Resource:       thing,
			Explain:        `The same call on the same thing, with the same or another credential of the lineage: what happened in between gave the intruder the permission.`,
			FalsePositives: `Permissions that spread late after a change.`,
			Reference:      iamGuide + "troubleshoot_access-denied.html",
			Sequence: &Sequence{
				Within: 30 * day,
				Steps:  []Step{{Where: `outcome = 'denied'`, On: sameThing}, {Where: `outcome = 'success'`, On: sameThing}},
			},
		},
		{
			ID:             "TS-KEY-013",
			Title:          "Behaviour that the credentials of the lineage show only together",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1078.004"},
			OnFindings:     true,
			Rerun:          rerun(others),
			Explain:        `The rules that count or follow one principal, run again over the whole lineage as one: whoever changes credentials between calls stays below each one's threshold. The resources are the rules, as far as they found nothing of the lineage by themselves.`,
			FalsePositives: `Those of the rules that are named.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
		},
	}
}
