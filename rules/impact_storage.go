package rules

import "time"

// impact are the rules about what destroys, encrypts, blackmails or costs.
func impact() []Rule {
	return append(append(storage(), recovery()...), resources()...)
}

// storage is about buckets and objects.
func storage() []Rule {
	return []Rule{
		{
			ID:         "TS-IM-001",
			Title:      "Far more objects deleted than usual",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('DeleteObject', 'DeleteObjects') AND ` + byCaller + `
            AND NOT ` + byService,
			Resource:       bucket,
			Explain:        `Somebody empties a bucket. Versions of the objects may still be there: stop the caller before these go, too.`,
			FalsePositives: `A clean-up by hand, or a job that starts to clear its files away.`,
			Reference:      s3API + "DeleteObjects.html",
			Outcomes:       []Outcome{Success},
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 50},
		},
		{
			// How many a call deletes does not stand in the log, but how long the
			// request was does: 2,500 bytes name some thirty objects. Programs delete
			// their temporary files like this.
			ID:         "TS-IM-001b",
			Title:      "Many objects deleted in one call",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'DeleteObjects' AND ` + byCaller + `
            AND regexp_like(additional_event_data, '"bytesTransferredIn"\s*:\s*(?:2[5-9][0-9]{2}|[3-9][0-9]{3}|[0-9]{5,})\b')
            AND NOT ` + byService + ` AND NOT ` + computeRole + ` AND NOT ` + fromConsole,
			Resource:       bucket,
			Explain:        `One call deletes up to a thousand objects, and the log does not say which. See the bucket's versions.`,
			FalsePositives: `A clean-up by hand, and programs that clear temporary files away.`,
			Reference:      s3API + "DeleteObjects.html",
			Outcomes:       []Outcome{Success},
		},
		{
			// Low: buckets come and go with stacks and tests.
			ID:             "TS-IM-002",
			Title:          "Bucket deleted",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          `event_source = 's3.amazonaws.com' AND event_name = 'DeleteBucket'`,
			Resource:       bucket,
			Explain:        `Only an empty bucket can be deleted, so look for what emptied it. Its name is free for anybody to take now.`,
			FalsePositives: `Stacks that are taken down.`,
			Reference:      s3API + "DeleteBucket.html",
		},
		{
			ID:             "TS-IM-002b",
			Title:          "Several buckets deleted",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          `event_source = 's3.amazonaws.com' AND event_name = 'DeleteBucket' AND NOT ` + byStack + ` AND NOT ` + asCode,
			Resource:       bucket,
			Explain:        `More buckets than this principal ever deletes in an hour.`,
			FalsePositives: `An environment that is taken down by hand.`,
			Reference:      s3API + "DeleteBucket.html",
			Spike:          &Spike{By: []string{"account_id", "principal_id"}, Per: time.Hour, Count: 4},
		},
		{
			ID:         "TS-IM-003",
			Title:      "Policy, lifecycle, replication or other settings of a bucket deleted or set anew",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('DeleteBucketPolicy', 'DeleteBucketReplication', 'DeleteBucketCors', 'DeleteBucketLifecycle', 'DeleteBucketTagging',
                'DeleteBucketWebsite', 'PutBucketEncryption', 'PutBucketWebsite', 'PutBucketLifecycle', 'PutBucketCors')`,
			Resource:       bucket,
			Explain:        `What protected the objects, or kept copies of them, is gone. See what was done with the bucket next.`,
			FalsePositives: `Deployments and administrators.`,
			Reference:      s3API + "DeleteBucketPolicy.html",
		},
		{
			ID:             "TS-IM-003b",
			Title:          "Encryption of a bucket deleted",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.001"},
			Where:          `event_source = 's3.amazonaws.com' AND event_name = 'DeleteBucketEncryption'`,
			Resource:       bucket,
			Explain:        `New objects are no longer sealed with the company's key, so whoever may read the bucket can read them.`,
			FalsePositives: `A key that is given up.`,
			Reference:      s3API + "DeleteBucketEncryption.html",
		},
		{
			ID:         "TS-IM-004",
			Title:      "Versioning of a bucket suspended",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutBucketVersioning'
            AND ` + versioningOff,
			Resource:       bucket,
			Explain:        `What is overwritten or deleted from here on cannot be had back: the step before blackmail. Switch it on again at once.`,
			FalsePositives: `Cutting costs of a bucket that needs no history.`,
			Reference:      s3API + "PutBucketVersioning.html",
		},
		{
			ID:         "TS-IM-004b",
			Title:      "Bucket's versions may be deleted without a second factor",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutBucketVersioning'
            AND regexp_like(request_parameters, '"M[fF][aA]Delete"\s*:\s*"Disabled"')`,
			Resource:       bucket,
			Explain:        `Whoever has a key can now delete old versions for good. Only the root user could switch this off.`,
			FalsePositives: `A bucket that is emptied on purpose.`,
			Reference:      s3Guide + "MultiFactorAuthenticationDelete.html",
		},
		{
			ID:         "TS-IM-005",
			Title:      "Several safeguards of one bucket taken away",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('PutBucketLogging', 'PutBucketVersioning', 'PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketObjectLockConfiguration',
                'DeleteBucketReplication', 'DeleteBucketEncryption', 'DeleteBucketPublicAccessBlock', 'DeleteBucketPolicy')
            AND ` + safeguard + ` IS NOT NULL`,
			Resource:       bucket,
			Explain:        `Somebody prepares the bucket for blackmail. Copy what is in it, and contain the caller.`,
			FalsePositives: `A bucket that is given up.`,
			Reference:      s3Guide + "security-best-practices.html",
			Threshold:      &Threshold{By: []string{"account_id", bucket}, Distinct: safeguard, Count: 2, Window: 90 * time.Minute},
		},
		{
			ID:         "TS-IM-006",
			Title:      "Objects encrypted with a key that AWS does not have",
			Severity:   Critical,
			Tactic:     "impact",
			Techniques: []string{"T1486"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('CopyObject', 'PutObject')
            AND ` + customerKey,
			Resource:       bucket,
			Explain:        `Nobody but the caller can read these objects again (SSE-C). Stop the caller, and look for older versions and backups.`,
			FalsePositives: `A program that has always kept its keys to itself begins to run.`,
			Reference:      s3Guide + "ServerSideEncryptionCustomerKeys.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 20},
		},
		{
			ID:         "TS-IM-006b",
			Title:      "Objects encrypted with a key of another account",
			Severity:   Critical,
			Tactic:     "impact",
			Techniques: []string{"T1486"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('CopyObject', 'PutObject')
            AND ` + outsideKey,
			Needs:          S3Data,
			Resource:       bucket,
			Explain:        `The other account can take its key away, and the objects with it. Copy them with a key of this account while it still answers.`,
			FalsePositives: `A company that keeps its keys in an account of their own.`,
			Reference:      s3Guide + "UsingKMSEncryption.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 10},
		},
		{
			ID:             "TS-IM-006d",
			Title:          "Bucket set to encrypt with a key of another account",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1486"},
			Where:          `event_source = 's3.amazonaws.com' AND event_name = 'PutBucketEncryption' AND ` + outsideKey,
			Resource:       bucket,
			Explain:        `Whatever is written from here on can be read only as long as the other account allows. Set a key of this account.`,
			FalsePositives: `A company that keeps its keys in an account of their own.`,
			Reference:      s3Guide + "UsingKMSEncryption.html",
		},
		{
			ID:             "TS-IM-006e",
			Title:          "Object encrypted with a key of another account",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1486"},
			Where:          `event_source = 's3.amazonaws.com' AND event_name IN ('CopyObject', 'PutObject') AND ` + outsideKey,
			Resource:       object,
			Explain:        `The object can be read only as long as the other account allows.`,
			FalsePositives: `A company that keeps its keys in an account of their own.`,
			Reference:      s3Guide + "UsingKMSEncryption.html",
		},
		{
			ID:         "TS-IM-006c",
			Title:      "Object encrypted with a key that AWS does not have",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1486"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('CopyObject', 'PutObject')
            AND ` + customerKey,
			Resource:       object,
			Explain:        `Nobody but the caller can read the object again (SSE-C).`,
			FalsePositives: `Programs that keep their keys to themselves.`,
			Reference:      s3Guide + "ServerSideEncryptionCustomerKeys.html",
		},
		{
			ID:         "TS-IM-007",
			Title:      "Ransom note left in a bucket",
			Severity:   Critical,
			Tactic:     "impact",
			Techniques: []string{"T1486"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('PutObject', 'CopyObject')
            AND regexp_like(json_extract_scalar(request_parameters, '$.key'), '` + ransomNote + `')`,
			Resource:       object,
			Explain:        `Somebody says what they did. Keep the note, pay attention to who wrote it, and look for what was deleted or encrypted before.`,
			FalsePositives: `Files about ransomware, and drills.`,
			Reference:      s3Guide + "security-best-practices.html",
		},
		{
			ID:             "TS-IM-008",
			Title:          "Objects copied to another account, then deleted",
			Severity:       Critical,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          `event_source = 's3.amazonaws.com'`,
			Needs:          S3Data,
			Resource:       bucket,
			Explain:        `Taken first, deleted afterwards: blackmail. Versions and backups are what is left; contain the caller before they go, too.`,
			FalsePositives: `A bucket that moves to another account.`,
			Reference:      s3API + "CopyObject.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: copiedOut, On: `account_id || ' ' || nullif(regexp_extract(` + copySource + `, '^/?([^/%]+)(?:/|%2F)', 1), '')`},
					{Where: `event_name IN ('DeleteObject', 'DeleteObjects', 'DeleteBucket') AND ` + byCaller, On: `account_id || ' ' || ` + bucket},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-IM-009",
			Title:      "Script of a web site replaced by somebody who never did",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1565.001"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutObject' AND identity_type IN ('IAMUser', 'AssumedRole', 'FederatedUser', 'Root')
            AND regexp_like(json_extract_scalar(request_parameters, '$.key'), '(?i)\.m?js$')
            AND NOT ` + byService,
			Resource:       object,
			Explain:        `What visitors' browsers run may have been exchanged: card numbers and sessions are taken like this. Compare it with what was built.`,
			FalsePositives: `A new pipeline, or a repair by hand.`,
			Reference:      s3Guide + "WebsiteHosting.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`coalesce(session_issuer_principal_id, principal_id)`, bucket}, Learn: 7 * day},
		},
	}
}

const (
	// safeguard names what a call takes away from a bucket.
	safeguard = `(CASE WHEN event_name = 'PutBucketLogging' AND request_parameters NOT LIKE '%"LoggingEnabled"%' THEN 'logging'
                WHEN event_name = 'PutBucketVersioning' AND ` + versioningOff + ` THEN 'versioning'
                WHEN event_name = 'PutBucketVersioning' AND regexp_like(request_parameters, '"M[fF][aA]Delete"\s*:\s*"Disabled"') THEN 'second factor'
                WHEN event_name IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
                    AND regexp_like(request_parameters, '"(?:Noncurrent)?(?:Days|NoncurrentDays)"\s*:\s*"?[1-7]"?\s*[,}]') THEN 'lifecycle'
                WHEN event_name = 'PutBucketObjectLockConfiguration' AND request_parameters NOT LIKE '%"Rule"%' THEN 'lock'
                WHEN event_name LIKE 'DeleteBucket_%' THEN event_name END)`
	// versioningOff holds for what suspends versioning; some tools write it off.
	versioningOff = `regexp_like(request_parameters, '"Status"\s*:\s*"(?:Suspended|Disabled)"')`
	// customerKey holds for a key that the caller sends along with the object.
	customerKey = `(request_parameters LIKE '%"x-amz-server-side-encryption-customer-algorithm"%'
                OR coalesce(additional_event_data, '') LIKE '%"SSE_C"%')`
	// ransomNote is a pattern for the names of files that blackmailers leave.
	ransomNote = `(?i)(?:^|[/_.\- ])(?:(?:[^/]*[^/a-z])?ransom(?:[_\- ]?note|[_\- ]?demand|ed)?(?:[_\- 0-9][^/]*)?|[^/]*how[_\- ]?to[_\- ]?(?:back[_\- ]?)?(?:decrypt|recover|restore|unlock|get[_\- ]?(?:your|my|the|files?|data|back))[^/]*|(?:[^/]*[_\- ])?to[_\- ]?decrypt|!+[_\- ]?read[_\- ]?me[^/]*|read[_\- ]?me[_\- ]?(?:for|to|now|please|important|decrypt|recover|restore|ransom)[^/]*|(?:decrypt|recover|restore|unlock)[_\- ]?(?:your|my|all|the)?[_\- ]?files?(?:[_\- ][^/]*)?|(?:decrypt|decryption|recovery)[_\- ]?(?:instructions?|note)|your[_\- ]?(?:files|data)[_\- ]?(?:are|is|have)[^/]*|[^/]*files?[_\- ]?(?:are[_\- ]?)?(?:encrypted|deleted|stolen|locked))\.(?:txt|html?|hta|md|rtf|pdf|png|jpe?g)$`
)

// outsideKey holds for a key of KMS that belongs to another account.
var outsideKey = `(strpos(request_parameters, ':kms:') > 0 AND regexp_like(` + withoutOurs(`request_parameters`) + `,
                '(?i)"(?:x-amz-server-side-encryption-aws-kms-key-id|KMSMasterKeyID)"\s*:\s*"arn:[^"]*:kms:[^":]*:[0-9]{12}:'))`
