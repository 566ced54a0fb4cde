package rules

import "time"

// services are about what an account has and what could be made of it.
func services() []Rule {
	return []Rule{
		{
			ID:         "TS-DI-005",
			Title:      "Settings of many buckets read",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1619"},
			Where: `event_source = 's3.amazonaws.com' AND ` + bucketSettings + ` AND ` + byCaller + `
            AND NOT ` + fromConsole,
			Resource:       bucket,
			Explain:        `Somebody sees which buckets are open and what guards them. Look for reads of objects after it.`,
			FalsePositives: `Scanners of configurations and infrastructure as code.`,
			Reference:      s3API + "GetBucketAcl.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id", "source_ip_address"}, Distinct: bucket, Count: 10, Window: 5 * time.Minute},
		},
		{
			ID:             "TS-DI-005b",
			Title:          "Many buckets tried in vain",
			Severity:       Medium,
			Tactic:         "discovery",
			Techniques:     []string{"T1619"},
			Where:          `event_source = 's3.amazonaws.com' AND (` + bucketSettings + ` OR event_name IN ('ListObjects', 'ListObjectsV2', 'ListBuckets')) AND ` + byCaller,
			Needs:          ManagementRead,
			Resource:       bucket,
			Explain:        `Somebody goes from bucket to bucket until one lets them in. See which one did.`,
			FalsePositives: `A scanner that lacks the right.`,
			Reference:      s3API + "HeadBucket.html",
			Outcomes:       []Outcome{Denied, Failed},
			Threshold:      &Threshold{By: []string{"account_id", "principal_id", "source_ip_address"}, Distinct: bucket, Count: 10, Window: burst},
		},
		{
			ID:         "TS-DI-005c",
			Title:      "Buckets listed by somebody who never did",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1619"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'ListBuckets' AND ` + byCaller + `
            AND NOT ` + fromConsole,
			Resource:       `identity_arn`,
			Explain:        `Programs know their buckets by name. Whoever lists them all is looking for something.`,
			FalsePositives: `New scripts and tools.`,
			Reference:      s3API + "ListBuckets.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`coalesce(session_issuer_principal_id, principal_id)`}, Learn: 7 * day},
		},
		{
			ID:         "TS-DI-008",
			Title:      "Mail service sounded out",
			Severity:   Medium,
			Tactic:     "discovery",
			Techniques: []string{"T1526"},
			Where: `event_source = 'ses.amazonaws.com' AND ` + byCaller + ` AND ` + mailQuestion + ` IS NOT NULL
            AND NOT ` + fromConsole,
			Resource:       `event_name`,
			Explain:        `How much mail may go out, and in whose name: what a sender of spam or bait wants to know. Look for SendEmail and a raised quota.`,
			FalsePositives: `Monitoring of a mail application.`,
			Reference:      "https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: mailQuestion, Count: 2, Window: burst},
		},
		{
			ID:         "TS-DI-009",
			Title:      "Quotas of many regions asked for",
			Severity:   Medium,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where: `event_source = 'servicequotas.amazonaws.com' AND ` + byCaller + `
            AND event_name IN ('GetServiceQuota', 'ListServiceQuotas', 'GetAWSDefaultServiceQuota', 'ListAWSDefaultServiceQuotas', 'RequestServiceQuotaIncrease')`,
			Resource:       `aws_region`,
			Explain:        `Somebody wants to know where the most machines can be started. Look for machines, clusters and raised quotas in these regions.`,
			FalsePositives: `Monitoring of quotas.`,
			Reference:      "https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "aws_region", Count: 8, Window: time.Minute},
		},
		{
			ID:         "TS-DI-010",
			Title:      "Models looked up and used with a long-term key",
			Severity:   High,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where:      `event_source = 'bedrock.amazonaws.com' AND ` + byCaller,
			Resource:   `coalesce(json_extract_scalar(request_parameters, '$.modelId'), event_name)`,
			Explain: `Keys that leak are tried for models first, and sold on: others pay for what is asked. An application knows its model and
does not look for one.`,
			FalsePositives: `Developers who try models with a key of their own.`,
			Reference:      bedrockAPI + "ListFoundationModels.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name IN ('ListFoundationModels', 'GetFoundationModelAvailability', 'GetFoundationModel', 'ListInferenceProfiles',
                'GetUseCaseForModelAccess', 'ListFoundationModelAgreementOffers')`, On: longTermKey},
					{Where: modelInvoked, On: longTermKey},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-DI-010b",
			Title:      "Models tried in many regions",
			Severity:   Medium,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where: `event_source = 'bedrock.amazonaws.com' AND ` + byCaller + ` AND NOT ` + byService + `
            AND (` + modelInvoked + ` OR event_name IN ('ListFoundationModels', 'GetFoundationModelAvailability', 'GetUseCaseForModelAccess', 'GetModelInvocationLoggingConfiguration'))`,
			Needs:          ManagementRead,
			Resource:       `aws_region`,
			Explain:        `Somebody looks where this key may use models. An application has its one region, or a profile that chooses.`,
			FalsePositives: `A scanner of configurations, and tests of a new application.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "aws_region", Count: 4, Window: burst},
		},
		{
			ID:         "TS-DI-011",
			Title:      "Machine images looked up, outdated ones too",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'DescribeImages' AND ` + byCaller + `
            AND regexp_like(request_parameters, '(?i)"includeDeprecated"\s*:\s*"?true')`,
			Resource:       `event_name`,
			Explain:        `Old images have holes that are known. Look for machines started from one.`,
			FalsePositives: `Inventories, and tools that clear old images away.`,
			Reference:      ec2API + "DescribeImages.html",
		},
		{
			ID:         "TS-DI-012",
			Title:      "Database snapshots of others or public ones listed",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where: `event_source = 'rds.amazonaws.com' AND event_name IN ('DescribeDBSnapshots', 'DescribeDBClusterSnapshots')
            AND (lower(json_extract_scalar(request_parameters, '$.includePublic')) = 'true'
                OR lower(json_extract_scalar(request_parameters, '$.includeShared')) = 'true'
                OR json_extract_scalar(request_parameters, '$.snapshotType') IN ('public', 'shared'))`,
			Resource:       `event_name`,
			Explain:        `Somebody looks for databases that others left open, or that were shared with this account.`,
			FalsePositives: `The console lists them under a tab of their own.`,
			Reference:      rdsAPI + "DescribeDBSnapshots.html",
		},
		{
			ID:         "TS-DI-012b",
			Title:      "Database snapshots listed",
			Severity:   Info,
			Tactic:     "discovery",
			Techniques: []string{"T1580"},
			Where: `event_source = 'rds.amazonaws.com' AND event_name IN ('DescribeDBSnapshots', 'DescribeDBClusterSnapshots')
            AND NOT ` + byService,
			Resource:       `event_name`,
			Explain:        `A snapshot is a database that can be carried away. See whether one was shared or exported after it.`,
			FalsePositives: `Backup tools and the console.`,
			Reference:      rdsAPI + "DescribeDBSnapshots.html",
		},
		{
			// At medium a deployment's busiest minute would be one.
			ID:             "TS-DI-013",
			Title:          "Far more calls in a minute than usual",
			Severity:       Low,
			Tactic:         "discovery",
			Techniques:     []string{"T1526"},
			Where:          byCaller + ` AND event_category IS DISTINCT FROM 'Data' AND NOT ` + byService,
			Needs:          AnyEvent,
			Resource:       `event_source`,
			Explain:        `A tool is at work where a person or a steady program was before. See what it read and changed.`,
			FalsePositives: `Deployments, and inventories that run for the first time.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html",
			Spike:          &Spike{By: []string{"account_id", "principal_id"}, Per: time.Minute, Count: 60},
		},
	}
}

const (
	bucket         = `json_extract_scalar(request_parameters, '$.bucketName')`
	bucketSettings = `event_name IN ('GetBucketAcl', 'GetBucketPolicy', 'GetBucketPolicyStatus', 'GetBucketPublicAccessBlock', 'GetPublicAccessBlock',
                'GetBucketVersioning', 'GetBucketEncryption', 'GetBucketLogging', 'GetBucketLocation', 'GetBucketReplication', 'GetBucketLifecycle',
                'GetBucketWebsite', 'GetBucketCors', 'GetBucketTagging', 'GetBucketOwnershipControls', 'GetObjectLockConfiguration',
                'GetBucketNotification', 'HeadBucket')`
	// mailQuestion is what a call asks about the mail service: how much may go
	// out, or in whose name. Monitoring asks the one, infrastructure as code the
	// other.
	mailQuestion = `(CASE WHEN event_name IN ('GetSendQuota', 'GetSendStatistics', 'GetAccountSendingEnabled', 'GetAccount') THEN 'how much'
                WHEN event_name IN ('ListIdentities', 'ListEmailIdentities', 'ListVerifiedEmailAddresses', 'GetIdentityVerificationAttributes',
                    'GetIdentityDkimAttributes', 'GetEmailIdentity') THEN 'in whose name' END)`
	longTermKey  = `CASE WHEN access_key_id LIKE 'AKIA%' THEN access_key_id END`
	modelInvoked = `event_name IN ('InvokeModel', 'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream')`
)
