package rules

import "time"

// objectsTaken are about objects and answers carried away.
func objectsTaken() []Rule {
	return []Rule{
		{
			ID:         "TS-EF-010",
			Title:      "Far more objects read than usual",
			Severity:   High,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject' AND ` + byCaller + `
            AND NOT ` + byService,
			Resource:       bucket,
			Explain:        `Somebody empties a bucket. What they read counts as known; the data events name every object.`,
			FalsePositives: `A first backup, or a job that goes over old data again.`,
			Reference:      s3Guide + "cloudtrail-logging-s3-info.html",
			Outcomes:       []Outcome{Success},
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 100},
		},
		{
			ID:         "TS-EF-010b",
			Title:      "Object of a gigabyte or more downloaded",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject' AND ` + byCaller + `
            AND regexp_like(additional_event_data, '"bytesTransferredOut"\s*:\s*[0-9.]{10,}|"bytesTransferredOut"\s*:\s*[0-9.]+E\+?(?:9|[1-9][0-9])')
            AND NOT ` + byService,
			Resource:       object,
			Explain:        `A large file left the bucket: a dump or an archive. See where it went.`,
			FalsePositives: `Restoring a backup, and media.`,
			Reference:      s3Guide + "cloudtrail-logging-understanding-s3-entries.html",
		},
		{
			ID:             "TS-EF-011",
			Title:          "Object copied to a bucket of another account",
			Severity:       High,
			Tactic:         "exfiltration",
			Techniques:     []string{"T1537"},
			Where:          copiedOut,
			Resource:       object,
			Explain:        `The other account owns the copy. Find out whose account it is.`,
			FalsePositives: `Files handed to partners or to the company's other accounts.`,
			Reference:      s3API + "CopyObject.html",
		},
		{
			ID:         "TS-EF-012",
			Title:      "Bucket used anonymously that never was",
			Severity:   Medium,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('GetObject', 'ListObjects', 'ListObjectsV2', 'PutObject', 'DeleteObject', 'HeadObject')
            AND ` + anonymous,
			Resource:       bucket,
			Explain:        `Strangers got at the bucket without credentials: it was opened, by its policy or an ACL. See when, and what they read.`,
			FalsePositives: `A new public web site.`,
			Reference:      s3Guide + "cloudtrail-logging-s3-info.html",
			Outcomes:       []Outcome{Success},
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{bucket}, Learn: 7 * day},
		},
		{
			// Low: what visitors of a public web site do.
			ID:         "TS-EF-012b",
			Title:      "Bucket used anonymously",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('GetObject', 'ListObjects', 'ListObjectsV2', 'PutObject', 'DeleteObject', 'HeadObject', 'GetObjectAcl', 'GetBucketAcl', 'ListObjectVersions')
            AND ` + anonymous,
			Needs:          S3Data,
			Resource:       bucket,
			Explain:        `Strangers used the bucket without credentials. See whether it is meant for the public, and what they read.`,
			FalsePositives: `Public web sites and downloads.`,
			Reference:      s3Guide + "cloudtrail-logging-s3-info.html",
		},
		{
			ID:         "TS-EF-013",
			Title:      "Transfer of data set up with DataSync",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'datasync.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('CreateTask', 'CreateLocationObjectStorage', 'CreateLocationAzureBlob', 'CreateLocationS3')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.destinationLocationArn'), json_extract_scalar(request_parameters, '$.s3BucketArn'),
                json_extract_scalar(request_parameters, '$.serverHostname'), json_extract_scalar(request_parameters, '$.containerUrl'))`,
			Explain:        `AWS itself carries buckets or file systems to the destination, fast and unseen. See whose the destination is and stop the task.`,
			FalsePositives: `Moves of data that are planned.`,
			Reference:      "https://docs.aws.amazon.com/datasync/latest/userguide/API_CreateTask.html",
		},
		{
			// Low: tasks run by schedule once they are set up.
			ID:             "TS-EF-013c",
			Title:          "Transfer of data with DataSync started",
			Severity:       Low,
			Tactic:         "exfiltration",
			Techniques:     []string{"T1537"},
			Where:          `event_source = 'datasync.amazonaws.com' AND event_name = 'StartTaskExecution' AND NOT ` + byService,
			Resource:       `json_extract_scalar(request_parameters, '$.taskArn')`,
			Explain:        `Of weight when the task is new, or its destination somebody else's.`,
			FalsePositives: `Moves of data that are planned.`,
			Reference:      "https://docs.aws.amazon.com/datasync/latest/userguide/API_StartTaskExecution.html",
		},
		{
			// Low: batches are what computing is for.
			ID:         "TS-EF-013b",
			Title:      "Batch job over objects, or of AWS Batch, started",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1119"},
			Where: `(event_source = 's3.amazonaws.com' AND event_name IN ('JobCreated', 'CreateJob')
                OR event_source = 'batch.amazonaws.com' AND event_name = 'SubmitJob')`,
			Needs: ManagementWrite,
			Resource: `coalesce(json_extract_scalar(service_event_details, '$.jobArn'), json_extract_scalar(response_elements, '$.jobArn'),
                json_extract_scalar(request_parameters, '$.jobName'), event_name)`,
			Explain:        `A job copies or changes any number of objects, one line in this log for all. See what it does and to which bucket.`,
			FalsePositives: `Jobs that run by schedule.`,
			Reference:      s3Guide + "batch-ops-create-job.html",
		},
		{
			ID:         "TS-EF-015",
			Title:      "Models asked far more often than usual",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1496"},
			Where: `event_source = 'bedrock.amazonaws.com' AND ` + modelInvoked + ` AND ` + byCaller + `
            AND NOT ` + byService,
			Resource:       model,
			Explain:        `Somebody uses, or sells, models at this account's cost, thousands of dollars a day. Contain the key and see what was asked in the invocation log.`,
			FalsePositives: `A new application, or one that is tested under load.`,
			Reference:      bedrockAPI + "runtime_InvokeModel.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 50},
		},
		{
			ID:             "TS-EF-015b",
			Title:          "Model enabled and asked within the hour",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1496"},
			Where:          `event_source = 'bedrock.amazonaws.com' AND ` + byCaller,
			Resource:       model,
			Explain:        `Whoever steals a key for its models enables those that the account never used. See what was asked since, and whether this key's owner knows of it.`,
			FalsePositives: `A team that tries a model for the first time.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name IN ('PutFoundationModelEntitlement', 'CreateFoundationModelAgreement', 'PutUseCaseForModelAccess')`, On: "principal_id"},
					{Where: modelInvoked, On: "principal_id"},
				},
				Within: time.Hour,
			},
		},
		{
			ID:             "TS-EF-015c",
			Title:          "Models tried one after the other in vain",
			Severity:       Medium,
			Tactic:         "discovery",
			Techniques:     []string{"T1580"},
			Where:          `event_source = 'bedrock.amazonaws.com' AND ` + modelInvoked + ` AND ` + byCaller,
			Resource:       model,
			Explain:        `Somebody looks for a model that this key may use, often with a request that cannot succeed. See which one answered.`,
			FalsePositives: `A developer without access to the models.`,
			Reference:      bedrockAPI + "runtime_InvokeModel.html",
			Outcomes:       []Outcome{Denied, Failed},
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `aws_region || ' ' || ` + model, Count: 4, Window: burst},
		},
	}
}

const (
	model = `coalesce(json_extract_scalar(request_parameters, '$.modelId'), json_extract_scalar(request_parameters, '$.modelIdentifier'), event_name)`
	// anonymous holds for a caller without credentials, by the names that S3 has
	// given it over the years.
	anonymous = `(lower(coalesce(identity_account_id, json_extract_scalar(user_identity, '$.accountId'))) IN ('anonymous', 'anonymous_principal')
                OR lower(principal_id) IN ('anonymous', 'anonymous_principal')
                OR identity_type IN ('AWSAccount', 'Unknown') AND coalesce(principal_id, '') = '' AND coalesce(identity_account_id, '') = '')`
	// copiedOut holds for an object copied to a bucket that belongs to an account
	// other than the caller's: resources name the bucket's owner. Accounts that
	// are trusted may be given.
	copiedOut = `event_source = 's3.amazonaws.com' AND event_name = 'CopyObject'
            AND nullif(regexp_extract(replace(resources, coalesce(identity_account_id, '-'), 'own'), '"accountId"\s*:\s*"([0-9]{12})"', 1), '') IS NOT NULL
            AND regexp_extract(replace(resources, coalesce(identity_account_id, '-'), 'own'), '"accountId"\s*:\s*"([0-9]{12})"', 1)
                NOT IN (SELECT value FROM lists WHERE name = 'trusted_accounts')`
	copySource = `nullif(regexp_extract(request_parameters, '"x-amz-copy-source"\s*:\s*"([^"]+)"', 1), '')`
)
