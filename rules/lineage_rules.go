package rules

import (
	"slices"
	"time"
)

const iamGuide = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

// lineageRules are about the stored lineage of a leaked key: what no rule over
// single events sees. Without a trace they are not assessed, and what they find
// counts as the lineage's. others are the rules that one of them runs again.
func lineageRules(others []Rule) []Rule {
	own := slices.Concat(descendants(), conduct(others), aftermath())
	for i := range own {
		own[i].OfLineage = true
	}
	all := append(own, around()...)
	for i := range all {
		all[i].Lineage, all[i].Needs = true, AnyEvent
	}
	return all
}

// descendants are the rules about which credentials come from the key.
func descendants() []Rule {
	return []Rule{
		{
			// Low: the rules below say of which ones to worry.
			ID:             "TS-KEY-001",
			Title:          "Credential minted with the leaked key or what descends from it",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1098.001", "T1550.001"},
			Where:          issuing(`c.issued_event_id <> ''`),
			Resource:       issued,
			Explain:        `Each one works on by itself: disabling the key ends few of them. End every one of them that is alive.`,
			FalsePositives: `What the owner did where the trace could not tell the owner's use from the intruder's.`,
			Reference:      iamGuide + "id_credentials_temp_request.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-002",
			Title:      "Descendant used after the credential that it comes from was ended",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: among(`JOIN `+ancestry+` AS chain ON chain.id = c.id
                JOIN `+endings+` AS p ON p.id = chain.ancestor`,
				`e.event_time > p.ended_at
                    AND (p.active_again IS NULL OR e.event_time < p.active_again OR coalesce(c.issued_at, c.first_used) < p.ended_at)`),
			Resource:       `access_key_id`,
			Explain:        `Disabling or deleting the key was not enough: somebody goes on with what it had issued before. Revoke the sessions of the role or user.`,
			FalsePositives: `A workload of the owner's that holds a session of the old key until it expires.`,
			Reference:      iamGuide + "id_credentials_temp_control-access_disable-perms.html",
		},
		{
			ID:             "TS-KEY-003",
			Title:          "Long-term credential of the intruder's that is still active",
			Severity:       High,
			Tactic:         "persistence",
			Techniques:     []string{"T1098.001", "T1136.003"},
			Where:          issuing(`c.live_at_end AND c.kind IN ('long_term', 'service_specific', 'ssh_key', 'certificate', 'password')`),
			Resource:       issued,
			Explain:        `It never expires and does not depend on the leaked key: whoever holds it can come back. Disable it first.`,
			FalsePositives: `A key that its owner made in the same hours.`,
			Reference:      iamGuide + "id_credentials_access-keys.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-004",
			Title:      "Console session that comes from the leaked key",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1550.001", "T1538"},
			Where: `event_id IN (
                SELECT c.issued_event_id FROM credentials AS c WHERE c.kind = 'console'
                UNION ALL
                SELECT e.event_id FROM ` + ofCredentials + `
                JOIN credentials AS c ON c.id = l.credential_id
                WHERE c.kind = 'console'
                    AND (e.event_source = 'signin.amazonaws.com' OR c.issued_event_id = '' AND e.event_time = c.first_used))`,
			Resource:       `identity_arn`,
			Explain:        `A key was turned into a browser session, which outlives the key and whose calls bear other key ids. Deny the principal everything until the session has expired.`,
			FalsePositives: `Tools of the owner's that open the console with temporary credentials, such as aws-vault.`,
			Reference:      iamGuide + "id_roles_providers_enable-console-custom-url.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-005",
			Title:      "Lineage that crosses the border of an account",
			Severity:   High,
			Tactic:     "lateral-movement",
			Techniques: []string{"T1550.001", "T1199"},
			Where: `EXISTS (SELECT 1 FROM credentials WHERE parent IS NULL AND account_id <> '')
            AND (account_id NOT IN (SELECT account_id FROM credentials WHERE parent IS NULL)
                OR identity_account_id <> account_id
                OR event_id IN (
                    SELECT c.issued_event_id FROM credentials AS c JOIN credentials AS p ON p.id = c.parent
                    WHERE c.account_id <> p.account_id AND c.account_id <> '' AND p.account_id <> ''))`,
			Resource: `CASE WHEN identity_account_id <> account_id THEN identity_account_id || ' > ' || account_id
                ELSE account_id || coalesce(' > ' || nullif(nullif(regexp_extract(` + param("roleArn") + `, ':([0-9]{12}):', 1), ''), account_id), '') END`,
			Explain:        `The incident is not one account's: get the logs of the other account too, and tell whoever runs it.`,
			FalsePositives: `Roles in other accounts that the owner takes every day, where the use could not be told apart.`,
			Reference:      iamGuide + "id_roles_common-scenarios_aws-accounts.html",
		},
		{
			ID:         "TS-KEY-006",
			Title:      "Privilege gained along the chain of credentials",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003", "T1548.005"},
			Where: `event_id IN (
                SELECT p.event_id FROM principals AS p
                JOIN lineage_edges AS g ON g.event_id = p.event_id AND g."to" = p.arn
                WHERE p.how = 'policy_changed'
                    AND (regexp_like(g.via, ':(?:Attach|Put|Add|SetDefault|Create)') AND g.via NOT LIKE '%PermissionsBoundary'
                        OR regexp_like(g.via, ':Delete(?:User|Role)PermissionsBoundary'))
                UNION ALL
                SELECT got.event_id FROM ` + ancestry + ` AS chain
                JOIN ` + didThings + ` AS got ON got.doer = chain.id AND got.became = 'success'
                JOIN ` + didThings + ` AS refused ON refused.doer = chain.ancestor AND refused.became = 'denied'
                    AND refused.thing = got.thing AND refused.event_time <= got.event_time)`,
			Resource:       `event_source || ':' || event_name`,
			Explain:        `What the key may do is not what the intruder could do: a descendant did what was denied to the credential that it comes from, or policies were widened. Judge the damage by the descendant's permissions.`,
			FalsePositives: `Roles that people take in order to do what their own user may not.`,
			Reference:      iamGuide + "id_roles_use.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-007",
			Title:      "Foothold that was used later, with other credentials",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098", "T1078.004"},
			Where: among(`LEFT JOIN credentials AS m ON m.id = c.parent
                JOIN principals AS p ON p.time < e.event_time
                    AND p.arn = coalesce(json_extract_scalar(e.request_parameters, '$.roleArn'), e.session_issuer_arn, e.identity_arn)`,
				`c.parent IS NOT NULL AND c.issued_at >= p.time
                    AND (p.how IN ('created', 'trust_changed') OR p.how IN ('credential_added', 'password_set') AND p.event_id IN (c.issued_event_id, m.issued_event_id))`),
			Resource:       `coalesce(` + param("roleArn") + `, session_issuer_arn, identity_arn)`,
			Explain:        `The way back in is not only prepared but used, by credentials that no longer need the key. Close it before the key.`,
			FalsePositives: `None that the lineage cannot tell: it lists what came through the intruder's change alone.`,
			Reference:      iamGuide + "id_roles_manage_modify.html",
		},
		{
			ID:         "TS-KEY-008",
			Title:      "Fan-out from the leaked key",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1098", "T1136.003"},
			Where: `event_id IN (
                SELECT issued_event_id FROM credentials WHERE parent IS NOT NULL
                UNION ALL
                SELECT event_id FROM principals WHERE how IN ('created', 'credential_added', 'password_set', 'trust_changed', 'code_changed'))`,
			Resource:       spread,
			Explain:        `Five ways to go on or more within a day: somebody makes sure that losing one does not matter. All must be closed at once.`,
			FalsePositives: `Set-up scripts that run with the key.`,
			Reference:      iamGuide + "id_credentials_temp_control-access_disable-perms.html",
			Outcomes:       []Outcome{Success},
			Threshold:      &Threshold{Distinct: spread, Count: 5, Window: 24 * time.Hour},
		},
	}
}

// spread is what a call opened: the user or role, else the sort of credential.
const spread = `coalesce((SELECT max(g."to") FROM lineage_edges AS g WHERE g.event_id = calls.event_id AND g."to" LIKE 'arn:%'), event_source || ':' || event_name)`
