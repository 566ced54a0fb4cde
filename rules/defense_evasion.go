package rules

import (
	"slices"
	"time"
)

// defenseEvasion are the rules about being seen: logs stopped or narrowed,
// detectors blinded, traces removed.
func defenseEvasion() []Rule {
	return slices.Concat(trails(), detectors(), accounts(), tracesRemoved(), openings(), safeguards())
}

// trails are about CloudTrail itself and where its logs lie.
func trails() []Rule {
	return []Rule{
		{
			ID:             "TS-DE-001",
			Title:          "Trail stopped",
			Severity:       High,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.008"},
			Where:          `event_source = 'cloudtrail.amazonaws.com' AND event_name = 'StopLogging'`,
			Resource:       trail,
			Explain:        `From here on this log may be blind. Start the trail again first of all; Event history still has the 90 days of management events.`,
			FalsePositives: `A trail that is replaced or given up.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html",
		},
		{
			ID:         "TS-DE-002",
			Title:      "Trail or event data store deleted or stopped",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'cloudtrail.amazonaws.com'
            AND event_name IN ('DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion', 'DeleteChannel')`,
			Resource:       trail,
			Explain:        `Logs end here; the files written so far stay in the bucket. An event data store can be restored for seven days.`,
			FalsePositives: `Trails and stores of test environments, and old ones that are cleared away.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html",
		},
		{
			ID:         "TS-DE-003",
			Title:      "Trail settings changed",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'cloudtrail.amazonaws.com'
            AND event_name IN ('UpdateTrail', 'UpdateEventDataStore', 'DeregisterOrganizationDelegatedAdmin')`,
			Resource:       trail,
			Explain:        `Another bucket, key or scope for the log. Compare it with the settings before.`,
			FalsePositives: `An administrator who moves or widens the log.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html",
		},
		{
			ID:         "TS-DE-003b",
			Title:      "Trail narrowed or its files' validation switched off",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('UpdateTrail', 'UpdateEventDataStore')
            AND (lower(json_extract_scalar(request_parameters, '$.isMultiRegionTrail')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.includeGlobalServiceEvents')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.enableLogFileValidation')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.isOrganizationTrail')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.multiRegionEnabled')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.organizationEnabled')) = 'false'
                OR lower(json_extract_scalar(request_parameters, '$.terminationProtectionEnabled')) = 'false')`,
			Resource:       trail,
			Explain:        `Regions, global services or accounts fell out of the log, or it can be altered unnoticed. What is missing is not quiet.`,
			FalsePositives: `A move to an organization's trail, or cutting the costs of doubled logs.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html",
		},
		{
			ID:             "TS-DE-004",
			Title:          "Trail created",
			Severity:       Low,
			Tactic:         "collection",
			Techniques:     []string{"T1530"},
			Where:          `event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('CreateTrail', 'CreateEventDataStore')`,
			Resource:       trail,
			Explain:        `A further copy of the log, perhaps to a bucket of somebody else's. Look where it is delivered.`,
			FalsePositives: `Setting up an account.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html",
		},
		{
			ID:         "TS-DE-005",
			Title:      "Event selectors narrowed",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'cloudtrail.amazonaws.com'
            AND (event_name = 'PutEventSelectors' AND regexp_like(request_parameters, '` + narrowSelectors + `')
                OR event_name = 'PutEventSelectors' AND regexp_like(request_parameters, '"advancedEventSelectors"\s*:\s*\[\s*\{')
                    AND (NOT regexp_like(request_parameters, '\[\s*"Management"\s*\]')
                        OR regexp_like(request_parameters, '` + narrowAdvancedSelectors + `'))
                OR event_name = 'PutInsightSelectors' AND regexp_like(request_parameters, '"insightSelectors"\s*:\s*\[\s*\]'))`,
			Resource:       trail,
			Explain:        `The trail runs but leaves management events, reads or writes out: what was done since may be nowhere. Set the selectors back to all.`,
			FalsePositives: `Cutting the costs of a second trail.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html",
		},
		{
			// Low: data events are switched on and off with these, too. The record of
			// a denied attempt may not say what was asked for.
			ID:         "TS-DE-005b",
			Title:      "Event selectors changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'cloudtrail.amazonaws.com'
            AND event_name IN ('PutEventSelectors', 'PutInsightSelectors')`,
			Resource:       trail,
			Explain:        `What the trail records changed. Data events of buckets may have been dropped.`,
			FalsePositives: `Data events that are switched on or off.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html",
		},
		{
			ID:         "TS-DE-006",
			Title:      "Objects of a log bucket set to expire within a week",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
            AND regexp_like(request_parameters, '"Expiration"\s*:\s*\{[^{}]*"Days"\s*:\s*"?[1-7]"?\s*[,}]')
            AND regexp_like(request_parameters, '"Status"\s*:\s*"Enabled"')
            AND (regexp_like(json_extract_scalar(request_parameters, '$.bucketName'), '(?i)trail|log|audit')
                OR json_extract_scalar(request_parameters, '$.bucketName') IN (
                    SELECT json_extract_scalar(t.request_parameters, '$.bucketName') FROM events t
                    WHERE t.event_source = 's3.amazonaws.com' AND t.invoked_by = 'cloudtrail.amazonaws.com')
                OR json_extract_scalar(request_parameters, '$.bucketName') IN (
                    SELECT json_extract_scalar(t.request_parameters, '$.s3BucketName') FROM events t
                    WHERE t.event_source = 'cloudtrail.amazonaws.com' AND t.event_name IN ('CreateTrail', 'UpdateTrail')))`,
			Resource:       `json_extract_scalar(request_parameters, '$.bucketName')`,
			Explain:        `S3 deletes the log for the intruder. Remove the rule today and copy the bucket.`,
			FalsePositives: `A bucket of logs that are copied elsewhere within days.`,
			Reference:      "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
		},
		{
			ID:         "TS-DE-007",
			Title:      "IAM request too large to be logged",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'iam.amazonaws.com'
            AND json_extract_scalar(request_parameters, '$.reason') = 'requestParametersTooLarge'`,
			Resource:       `event_name`,
			Explain:        `A policy padded with white space leaves the log without its text. Read the policy as it is in IAM now.`,
			FalsePositives: `A policy that truly is so long.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			// Low: log groups go with the stacks that they belong to.
			ID:         "TS-DE-014",
			Title:      "Log group or stream deleted, or its retention set",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'logs.amazonaws.com'
            AND event_name IN ('DeleteLogGroup', 'DeleteLogStream', 'PutRetentionPolicy', 'DeleteSubscriptionFilter', 'DeleteDestination')
            AND NOT ` + byService,
			Resource:       logGroup,
			Explain:        `What a program logged is gone, or will be. Of weight when the program is one that the intruder used.`,
			FalsePositives: `Stacks that are taken down, and limits to what logs cost.`,
			Reference:      "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html",
		},
		{
			ID:         "TS-DE-014b",
			Title:      "Log group of an audit or flow log deleted",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'logs.amazonaws.com' AND event_name IN ('DeleteLogGroup', 'DeleteLogStream')
            AND NOT ` + byService + `
            AND regexp_like(` + logGroup + `, '(?i)trail|audit|flow-?log|guardduty|security|vpc|waf|route53|/eks/')`,
			Resource:       logGroup,
			Explain:        `A log that would show what happened is gone and cannot be restored. See whether it had been exported.`,
			FalsePositives: `Environments that are taken down with their logs.`,
			Reference:      "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html",
		},
		{
			// Info: logs are sealed with a key of CloudWatch's own then.
			ID:         "TS-DE-014c",
			Title:      "Log group without a key of its own created",
			Severity:   Info,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1600"},
			Where: `event_source = 'logs.amazonaws.com' AND event_name = 'CreateLogGroup'
            AND json_extract_scalar(request_parameters, '$.kmsKeyId') IS NULL AND NOT ` + byService,
			Resource:       logGroup,
			Explain:        `Whoever may read log groups can read it: no policy of a key stands in between.`,
			FalsePositives: `Most log groups are made like this.`,
			Reference:      "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-DE-017",
			Title:      "VPC flow logs deleted",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where:      `event_source = 'ec2.amazonaws.com' AND event_name = 'DeleteFlowLogs' AND NOT ` + byService,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.DeleteFlowLogsRequest.FlowLogId.content'),
                json_extract_scalar(request_parameters, '$.DeleteFlowLogsRequest.FlowLogId[0].content'))`,
			Explain:        `Who talked to whom is no longer recorded. Switch flow logs on again for the VPC.`,
			FalsePositives: `Networks that are taken down.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html",
		},
		{
			ID:         "TS-DE-018",
			Title:      "Route 53 resolver query log removed",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'route53resolver.amazonaws.com'
            AND event_name IN ('DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig')
            AND NOT ` + byService,
			Resource:       `json_extract_scalar(request_parameters, '$.resolverQueryLogConfigId')`,
			Explain:        `Names that machines look up are no longer recorded: tunnels and command servers hide there.`,
			FalsePositives: `Networks that are taken down.`,
			Reference:      "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverQueryLogConfig.html",
		},
		{
			ID:         "TS-DE-020",
			Title:      "Server access log of a bucket switched off",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutBucketLogging'
            AND request_parameters LIKE '%"BucketLoggingStatus"%'
            AND request_parameters NOT LIKE '%"LoggingEnabled"%'`,
			Resource:       `json_extract_scalar(request_parameters, '$.bucketName')`,
			Explain:        `Reads of the bucket leave no trace unless the trail records its data events.`,
			FalsePositives: `A bucket whose data events the trail records instead.`,
			Reference:      "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html",
		},
	}
}

// trail is the trail or event data store of a CloudTrail call; logGroup the log
// group of a CloudWatch Logs call. Denied calls name them in the message only.
const (
	trail = `coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.trailName'),
                json_extract_scalar(request_parameters, '$.eventDataStore'), nullif(regexp_extract(error_message, 'on resource: (arn:[^ ]+)', 1), ''))`
	logGroup = `coalesce(json_extract_scalar(request_parameters, '$.logGroupName'), json_extract_scalar(request_parameters, '$.logGroupIdentifier'),
                nullif(regexp_extract(error_message, 'on resource: (arn:[^ ]+)', 1), ''))`
)

// narrowSelectors is a pattern for event selectors that leave management events,
// reads, writes or a service out. narrowAdvancedSelectors is the same for the
// field selectors of one advanced selector, where a condition on readOnly or an
// event source that it must not equal stands beside the category Management.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
const (
	narrowSelectors = `(?i)"includeManagementEvents"\s*:\s*"?false|"readWriteType"\s*:\s*"(?:Read|Write)Only"|"excludeManagementEventSources"\s*:\s*\[\s*"`

	beside                  = `(?:[^\[\]]|\[[^\[\]]*\])*`
	management              = `\[\s*"Management"\s*\]`
	readOrWrite             = `"field"\s*:\s*"readOnly"`
	notSource               = `"field"\s*:\s*"eventSource"[^{}]*"notEquals"\s*:\s*\[\s*"|"notEquals"\s*:\s*\[\s*"[^{}]*"field"\s*:\s*"eventSource"`
	narrowAdvancedSelectors = `"fieldSelectors"\s*:\s*\[` + beside +
		`(?:` + management + beside + readOrWrite + `|` + readOrWrite + beside + management + `)|` + notSource
)

// securityServices are the calls that take a security service out of action.
// Several at once are the work of somebody who clears the field.
const securityServices = `(event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'DeleteEventDataStore')
                OR event_source = 'guardduty.amazonaws.com' AND event_name IN ('DeleteDetector', 'UpdateDetector', 'DeleteIPSet', 'DeleteMembers',
                    'DisassociateMembers', 'StopMonitoringMembers', 'DisassociateFromMasterAccount', 'DisassociateFromAdministratorAccount', 'DeletePublishingDestination')
                OR event_source = 'securityhub.amazonaws.com' AND event_name IN ('DisableSecurityHub', 'DeleteMembers', 'DisassociateMembers', 'BatchDisableStandards')
                OR event_source = 'macie2.amazonaws.com' AND event_name IN ('DisableMacie', 'UpdateMacieSession')
                OR event_source = 'inspector2.amazonaws.com' AND event_name = 'Disable'
                OR event_source = 'access-analyzer.amazonaws.com' AND event_name = 'DeleteAnalyzer'
                OR event_source = 'config.amazonaws.com' AND event_name IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel', 'DeleteConfigRule')
                OR event_source = 'ec2.amazonaws.com' AND event_name IN ('DeleteFlowLogs', 'DisableEbsEncryptionByDefault')
                OR event_source = 's3.amazonaws.com' AND event_name = 'DeleteAccountPublicAccessBlock'
                OR event_source = 'events.amazonaws.com' AND event_name IN ('DisableRule', 'DeleteRule') AND NOT ` + byStack + `
                OR event_source = 'monitoring.amazonaws.com' AND event_name IN ('DeleteAlarms', 'DisableAlarmActions')
                OR event_source = 'logs.amazonaws.com' AND event_name IN ('DeleteLogGroup', 'DeleteLogStream')
                OR event_source IN ('wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com')
                    AND event_name IN ('DeleteWebACL', 'DeleteRuleGroup', 'DeleteRule', 'DeleteIPSet', 'DeleteLoggingConfiguration', 'DisassociateWebACL'))`

// clearing is the window in which several of those calls count as one deed.
const clearing = time.Hour
