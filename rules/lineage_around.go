package rules

// around are the rules about what others did in the time of the compromise: the
// only ones on the lineage that look beyond its own events.
func around() []Rule {
	return []Rule{
		{
			ID:         "TS-KEY-018",
			Title:      "Other credential used from the intruder's network",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: publicAddress + `
            AND (access_key_id IS NOT NULL OR event_source = 'signin.amazonaws.com')
            AND event_time >= (SELECT min(compromised_since) FROM lineage)
            AND ` + network24 + ` IN ` + intruderNetworks + `
            AND NOT (event_source = 'signin.amazonaws.com' AND coalesce(account_id || ' ' || ` + caller + `, '') IN ` + lineageUsers + `)
            AND NOT EXISTS (
                SELECT 1 FROM lineage_events AS l WHERE l.source_id = calls.source_id AND l.record_index = calls.record_index)`,
			Resource:       `coalesce(access_key_id, user_name, identity_arn)`,
			Explain:        `Nothing ties this credential to the key but the network, which nobody in the log used before the compromise: a second one leaked, or came from something that was read. Trace it too, in the same run.`,
			FalsePositives: `Colleagues who came to the same place, such as a new office, after the compromise.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			ID:         "TS-KEY-019",
			Title:      "AWS's quarantine policy put on a user of the lineage",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.001"},
			Where: `event_source = 'iam.amazonaws.com'
            AND (event_name = 'AttachUserPolicy' AND regexp_like(` + param("policyArn") + `, ':policy/(?:.*/)?AWSCompromisedKeyQuarantine')
                OR event_name = 'PutUserPolicy' AND regexp_like(` + param("policyName") + `, 'AWSExposedCredentialPolicy|AWSCompromisedKeyQuarantine'))
            AND account_id || ' ' || ` + targetUser + ` IN ` + lineageUsers,
			Resource:       targetUser,
			Explain:        `AWS found the key in public: the leak is certain, and others than this intruder may have it. The policy leaves sts:AssumeRole and most reads open, so the key must still be disabled.`,
			FalsePositives: `None: AWS attaches it to exposed users alone, unless somebody tests.`,
			Reference:      "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-020",
			Title:      "Logging changed since the compromise",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008", "T1535"},
			Where: `(event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors',
                    'StopEventDataStoreIngestion', 'UpdateEventDataStore', 'DeleteEventDataStore', 'PutEventConfiguration')
                OR event_source = 'account.amazonaws.com' AND event_name IN ('EnableRegion', 'DisableRegion')
                OR event_source = 'ec2.amazonaws.com' AND event_name = 'DeleteFlowLogs')
            AND event_time >= (SELECT min(compromised_since) FROM lineage)`,
			Resource:       `coalesce(` + param("name", "trailName", "eventDataStore", "RegionName", "regionName") + `, nullif(regexp_extract(request_parameters, '"(fl-[0-9a-f]+)"', 1), ''), event_name)`,
			Explain:        `From here on the log may lack what the intruder did, whoever made the change: no finding after it is no proof. Look for another trail, and at what coverage says of the gap.`,
			FalsePositives: `Administrators who change a trail, or switch a region on, at that time.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-turning-off-logging.html",
			Outcomes:       []Outcome{Success},
		},
	}
}
