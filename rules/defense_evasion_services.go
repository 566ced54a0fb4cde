package rules

// detectors are about the services that would raise an alarm.
func detectors() []Rule {
	return []Rule{
		{
			ID:         "TS-DE-008",
			Title:      "GuardDuty detector deleted, disabled or weakened",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'guardduty.amazonaws.com'
            AND (event_name = 'DeleteDetector'
                OR event_name IN ('UpdateDetector', 'UpdateOrganizationConfiguration', 'UpdateMemberDetectors')
                    AND regexp_like(request_parameters, '(?i)"(?:auto)?enable"\s*:\s*"?false|"status"\s*:\s*"DISABLED"'))`,
			Resource:       detector,
			Explain:        `GuardDuty in this region sees nothing or less. A deleted detector takes its findings along: look for an export.`,
			FalsePositives: `A region or a feature that is given up to save costs.`,
			Reference:      "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DeleteDetector.html",
		},
		{
			ID:             "TS-DE-008b",
			Title:          "GuardDuty detector settings changed",
			Severity:       Low,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.001"},
			Where:          `event_source = 'guardduty.amazonaws.com' AND event_name = 'UpdateDetector'`,
			Resource:       detector,
			Explain:        `Features or the pace of exports changed. A slower pace hides findings for hours.`,
			FalsePositives: `Administrators who tune GuardDuty.`,
			Reference:      "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_UpdateDetector.html",
		},
		{
			ID:         "TS-DE-009",
			Title:      "GuardDuty lists, filters or exports changed, or findings archived",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'guardduty.amazonaws.com'
            AND (event_name IN ('CreateIPSet', 'UpdateIPSet', 'CreateTrustedEntitySet', 'UpdateTrustedEntitySet',
                    'UpdateThreatIntelSet', 'DeleteThreatIntelSet', 'DeleteIPSet', 'CreateThreatIntelSet',
                    'DeletePublishingDestination', 'UpdatePublishingDestination')
                OR event_name IN ('CreateFilter', 'UpdateFilter')
                    AND (request_parameters IS NULL OR regexp_like(request_parameters, '"action"\s*:\s*"ARCHIVE"'))
                OR event_name = 'ArchiveFindings' AND NOT ` + fromConsole + ` AND NOT ` + computeRole + `)`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.location'), json_extract_scalar(request_parameters, '$.name'), ` + detector + `)`,
			Explain:        `Addresses on the trusted list raise no findings; an archiving filter hides them. Look for the intruder's own address there.`,
			FalsePositives: `Administrators who tune GuardDuty.`,
			Reference:      "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_upload-lists.html",
		},
		{
			// Low: analysts archive findings when they have dealt with them.
			ID:         "TS-DE-009b",
			Title:      "GuardDuty findings archived in the console or by a program",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'guardduty.amazonaws.com'
            AND event_name IN ('ArchiveFindings', 'UpdateFindingsFeedback')`,
			Resource:       detector,
			Explain:        `Findings left the list. See which, and whether the one who archived them deals with findings.`,
			FalsePositives: `Analysts who work through findings.`,
			Reference:      "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html",
		},
		{
			ID:         "TS-DE-010",
			Title:      "Account taken out of central monitoring",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source IN ('guardduty.amazonaws.com', 'securityhub.amazonaws.com', 'macie2.amazonaws.com', 'inspector2.amazonaws.com', 'detective.amazonaws.com')
            AND event_name IN ('DisassociateMembers', 'DisassociateMember', 'DeleteMembers', 'DeleteMember', 'StopMonitoringMembers',
                'DisassociateFromAdministratorAccount', 'DisassociateFromMasterAccount', 'DeleteInvitations',
                'DisassociateMembership', 'DisableOrganizationAdminAccount', 'DisableDelegatedAdminAccount')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.accountIds[0]'), json_extract_scalar(request_parameters, '$.AccountIds[0]'),
                json_extract_scalar(request_parameters, '$.accountId'), json_extract_scalar(request_parameters, '$.adminAccountId'), account_id)`,
			Explain:        `The security team no longer sees this account's findings. Associate it again.`,
			FalsePositives: `Accounts that are closed or change hands.`,
			Reference:      "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_organizations.html",
		},
		{
			ID:         "TS-DE-011",
			Title:      "Security Hub, Macie, Inspector, Detective or Access Analyzer switched off or its findings hidden",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `(event_source = 'securityhub.amazonaws.com'
                    AND event_name IN ('DisableSecurityHub', 'DisableSecurityHubV2', 'BatchDisableStandards', 'DeleteInsight',
                        'DisableImportFindingsForProduct', 'DeleteFindingAggregator')
                OR event_source = 'securityhub.amazonaws.com' AND event_name IN ('BatchUpdateFindings', 'UpdateFindings')
                    AND regexp_like(coalesce(request_parameters, ''), '"(?:SUPPRESSED|RESOLVED|ARCHIVED)"')
                    AND NOT ` + byService + ` AND NOT ` + fromConsole + ` AND NOT ` + computeRole + `
                OR event_source IN ('macie2.amazonaws.com', 'macie.amazonaws.com')
                    AND (event_name IN ('DisableMacie', 'CreateFindingsFilter', 'DeleteFindingsFilter')
                        OR event_name IN ('ArchiveFindings', 'UpdateFindingsFilter', 'UpdateMemberSession', 'UpdateClassificationJob')
                        OR event_name = 'UpdateMacieSession' AND coalesce(request_parameters, '') NOT LIKE '%"ENABLED"%')
                OR event_source = 'inspector2.amazonaws.com' AND event_name IN ('Disable', 'CreateFilter')
                OR event_source = 'detective.amazonaws.com' AND event_name = 'DeleteGraph'
                OR event_source = 'access-analyzer.amazonaws.com' AND event_name IN ('DeleteAnalyzer', 'CreateArchiveRule'))`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.analyzerName'), json_extract_scalar(request_parameters, '$.name'), event_name)`,
			Explain:        `A service that would have raised findings is off or hides them. Switch it on again.`,
			FalsePositives: `Services that are given up to save costs.`,
			Reference:      "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DisableSecurityHub.html",
		},
		{
			// Low: working through findings is what Security Hub is for.
			ID:         "TS-DE-011b",
			Title:      "Security Hub findings or insights changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'securityhub.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('BatchUpdateFindings', 'BatchUpdateFindingsV2', 'UpdateFindings', 'UpdateInsight',
                'CreateAutomationRule', 'BatchUpdateAutomationRules')`,
			Resource:       `event_name`,
			Explain:        `Findings were resolved or suppressed. See which, and by whom.`,
			FalsePositives: `Analysts who work through findings.`,
			Reference:      "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html",
		},
		{
			ID:         "TS-DE-012",
			Title:      "AWS Config recorder, rule or channel stopped or deleted",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'config.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel',
                'DeleteConfigRule', 'DeleteOrganizationConfigRule', 'DeleteConfigurationAggregator',
                'DeleteConformancePack', 'DeleteOrganizationConformancePack', 'DeleteRemediationConfiguration',
                'DeleteRetentionConfiguration', 'DeleteServiceLinkedConfigurationRecorder')`,
			Resource:       configItem,
			Explain:        `How resources looked and changed is no longer recorded or judged. Start the recorder again.`,
			FalsePositives: `Recording that is moved to another tool or account.`,
			Reference:      "https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html",
		},
		{
			ID:         "TS-DE-012b",
			Title:      "AWS Config recorder or channel set",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'config.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('PutDeliveryChannel', 'PutConfigurationRecorder', 'PutRetentionConfiguration')`,
			Resource:       configItem,
			Explain:        `What is recorded, how long, or where it goes changed. Resource types may have been left out.`,
			FalsePositives: `Setting up an account.`,
			Reference:      "https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigurationRecorder.html",
		},
		{
			// High where the catalogue says medium: several services within the hour
			// are no slip.
			ID:             "TS-DE-013",
			Title:          "Several security services put out of action",
			Severity:       High,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.001"},
			Where:          securityServices + ` AND NOT ` + byService,
			Resource:       `event_source || ' ' || event_name`,
			Explain:        `Somebody clears the field. What follows, or what went before, is what they do not want to be seen.`,
			FalsePositives: `Taking down a whole environment.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `event_source || ' ' || event_name`, Count: 3, Window: clearing},
		},
		{
			ID:         "TS-DE-015",
			Title:      "CloudWatch alarms deleted, silenced or overridden",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'monitoring.amazonaws.com' AND NOT ` + byService + ` AND NOT ` + byStack + `
            AND event_name IN ('DeleteAlarms', 'DisableAlarmActions', 'SetAlarmState')
            AND NOT regexp_like(coalesce(request_parameters, ''), '"TargetTracking-|"awseb-|"AutoScaling-')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.alarmNames[0]'), json_extract_scalar(request_parameters, '$.alarmName'))`,
			Explain:        `An alarm that would have called somebody does not. Billing and sign-in alarms matter most.`,
			FalsePositives: `Deployments and maintenance.`,
			Reference:      "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html",
		},
		{
			ID:         "TS-DE-016",
			Title:      "EventBridge rule disabled, deleted or emptied",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'events.amazonaws.com' AND NOT ` + byService + ` AND NOT ` + byStack + `
            AND event_name IN ('DisableRule', 'DeleteRule', 'RemoveTargets', 'DeleteArchive', 'DeleteEventBus')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.rule'))`,
			Explain:        `Rules forward findings and sign-ins to those who watch. See what this one forwarded.`,
			FalsePositives: `Deployments and jobs that are paused.`,
			Reference:      "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html",
		},
		{
			ID:         "TS-DE-019",
			Title:      "WAF removed from what it protects, or its log switched off",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source IN ('wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com') AND NOT ` + byService + `
            AND event_name IN ('DeleteWebACL', 'DeleteRule', 'DeleteRuleGroup', 'DisassociateWebACL', 'DeleteLoggingConfiguration',
                'DeleteIPSet', 'DeleteRegexPatternSet', 'DeleteFirewallManagerRuleGroups')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.resourceArn'), json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.webACLId'))`,
			Explain:        `A site lost its filter or the filter its log. Associate the web ACL again.`,
			FalsePositives: `Web sites that are rebuilt.`,
			Reference:      "https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html",
		},
		{
			// Low: lists of addresses change with every block.
			ID:         "TS-DE-019b",
			Title:      "WAF rules or lists of addresses changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source IN ('wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com') AND NOT ` + byService + `
            AND event_name IN ('CreateIPSet', 'UpdateIPSet', 'UpdateWebACL', 'CreateRule', 'UpdateRule', 'CreateRuleGroup', 'UpdateRuleGroup',
                'UpdateRegexPatternSet', 'PutLoggingConfiguration')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.iPSetId'), json_extract_scalar(request_parameters, '$.webACLId'), event_name)`,
			Explain:        `An address may be let through now, or a rule count where it blocked. Look for the intruder's own address in the lists.`,
			FalsePositives: `Whoever runs the web sites, and programs that block addresses.`,
			Reference:      "https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html",
		},
	}
}

// detector is the GuardDuty detector of a call; configItem what an AWS Config
// call names.
const (
	detector   = `coalesce(json_extract_scalar(request_parameters, '$.detectorId'), nullif(regexp_extract(error_message, 'on resource: (arn:[^ ]+)', 1), ''))`
	configItem = `coalesce(json_extract_scalar(request_parameters, '$.configurationRecorderName'), json_extract_scalar(request_parameters, '$.configRuleName'),
                json_extract_scalar(request_parameters, '$.deliveryChannelName'), json_extract_scalar(request_parameters, '$.deliveryChannel.name'),
                json_extract_scalar(request_parameters, '$.configurationRecorder.name'))`
)

// tracesRemoved are about IAM entities that go once they have served.
func tracesRemoved() []Rule {
	return []Rule{
		{
			ID:         "TS-DE-036",
			Title:      "Policy deleted or detached",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1070"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('DeletePolicy', 'DeletePolicyVersion', 'DetachRolePolicy', 'DetachUserPolicy', 'DetachGroupPolicy',
                'DeleteUserPolicy', 'DeleteRolePolicy', 'DeleteGroupPolicy')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.policyArn'), ` + targetOfPolicy + `)`,
			Explain:        `Clearing up, or a deny that stood in the way. During containment, look whether it was yours.`,
			FalsePositives: `Rights that are tidied up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html",
		},
		{
			// Low: people leave and roles go with their stacks.
			ID:         "TS-DE-037",
			Title:      "User, role, key or password deleted",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1070"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('DeleteUser', 'DeleteRole', 'DeleteLoginProfile', 'DeleteAccessKey')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.accessKeyId'), ` + targetOfPolicy + `)`,
			Explain:        `Of weight when the one who is gone took part in the incident: their records remain under the principal id.`,
			FalsePositives: `Somebody leaves, or keys are rotated.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html",
		},
		{
			ID:             "TS-DE-037b",
			Title:          "User or key deleted within a day of its creation",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1070"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success' AND NOT ` + byService,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.accessKeyId'), issued_access_key_id, ` + targetUser + `)`,
			Explain:        `Made, used and removed: what it did in between is what matters.`,
			FalsePositives: `Tests of scripts and templates.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name IN ('CreateUser', 'CreateAccessKey')`,
						On: `CASE WHEN event_name = 'CreateUser' THEN account_id || '/' || ` + targetUser + ` ELSE issued_access_key_id END`},
					{Where: `event_name IN ('DeleteUser', 'DeleteAccessKey')`,
						On: `CASE WHEN event_name = 'DeleteUser' THEN account_id || '/' || ` + targetUser + ` ELSE json_extract_scalar(request_parameters, '$.accessKeyId') END`},
				},
				Within: day,
			},
		},
	}
}
