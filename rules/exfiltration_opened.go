package rules

import "strings"

// bucketsOpened are about buckets that others may read now.
func bucketsOpened() []Rule {
	return []Rule{
		{
			ID:         "TS-EF-007",
			Title:      "Bucket opened to everybody by a policy",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('PutBucketPolicy', 'PutAccessPointPolicy', 'PutAccessPointPolicyForObjectLambda', 'PutMultiRegionAccessPointPolicy')
            AND (` + letsAnybody(document("$.bucketPolicy")) + `
                OR ` + letsAnybody(document("$.policy")) + `)`,
			Resource:       `coalesce(` + bucket + `, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `Anybody can read, or write, without an account of ours. Take the policy back, and look for reads by strangers in data events or access logs.`,
			FalsePositives: `Buckets of public web sites and downloads.`,
			Reference:      s3Guide + "access-control-block-public-access.html",
		},
		{
			ID:         "TS-EF-007b",
			Title:      "Bucket opened to another account by a policy",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('PutBucketPolicy', 'PutAccessPointPolicy')
            AND (` + readByOutsiders(document("$.bucketPolicy")) + `
                OR ` + readByOutsiders(document("$.policy")) + `)`,
			Resource:       `coalesce(` + bucket + `, json_extract_scalar(request_parameters, '$.name'))`,
			Explain:        `The other account may read the bucket at leisure, or empty it, and no key of ours has to do with it. Find out whose account it is.`,
			FalsePositives: `Buckets that are shared with partners or with the company's other accounts.`,
			Reference:      s3Guide + "example-walkthroughs-managing-access-example2.html",
		},
		{
			ID:         "TS-EF-007c",
			Title:      "Bucket or object opened to everybody by an ACL",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('PutBucketAcl', 'PutObjectAcl', 'CreateBucket')
            AND ` + publicACL,
			Needs:          ManagementWrite,
			Resource:       `coalesce(` + object + `, ` + bucket + `)`,
			Explain:        `Anybody, or anybody with an AWS account, can read it. Set the ACL to private.`,
			FalsePositives: `Buckets of public web sites and downloads.`,
			Reference:      s3Guide + "acl-overview.html",
		},
		{
			// Medium: the delivery of logs is granted like this as well.
			ID:         "TS-EF-007e",
			Title:      "Bucket or object opened to another account by an ACL",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com' AND event_name IN ('PutBucketAcl', 'PutObjectAcl')
            AND regexp_like(replace(request_parameters, coalesce(nullif(regexp_extract(request_parameters, '"Owner"\s*:\s*\{[^{}]*"ID"\s*:\s*"([0-9a-f]{64})"', 1), ''), '-'), 'own'),
                '"Grantee"\s*:\s*\{[^{}]*"(?:ID"\s*:\s*"[0-9a-f]{64}"|EmailAddress"\s*:\s*")')`,
			Needs:          ManagementWrite,
			Resource:       `coalesce(` + object + `, ` + bucket + `)`,
			Explain:        `The list names an account by its canonical id, which is not the owner's. Find out whose it is, and disable ACLs on the bucket.`,
			FalsePositives: `Buckets that partners write to, and logs of CloudFront.`,
			Reference:      s3Guide + "acl-overview.html",
		},
		{
			// Low: buckets get their policies like this.
			ID:         "TS-EF-007d",
			Title:      "Policy or settings of a bucket changed",
			Severity:   Low,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name IN ('PutBucketPolicy', 'PutBucketAcl', 'PutBucketCors', 'PutBucketLifecycle', 'PutBucketReplication', 'DeleteBucketPolicy',
                'DeleteBucketCors', 'DeleteBucketLifecycle', 'DeleteBucketReplication')`,
			Resource:       bucket,
			Explain:        `Who may do what with the bucket, or where its objects go, changed. Compare it with the settings before.`,
			FalsePositives: `Deployments and administrators.`,
			Reference:      s3Guide + "bucket-policies.html",
		},
		{
			ID:         "TS-EF-008",
			Title:      "Block Public Access taken off a bucket or the account",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source IN ('s3.amazonaws.com', 's3-outposts.amazonaws.com')
            AND (event_name IN ('DeleteBucketPublicAccessBlock', 'DeleteAccountPublicAccessBlock', 'DeletePublicAccessBlock')
                OR event_name IN ('PutBucketPublicAccessBlock', 'PutAccountPublicAccessBlock', 'PutPublicAccessBlock')
                    AND regexp_like(request_parameters, '(?i)"(?:RestrictPublicBuckets|BlockPublicPolicy|BlockPublicAcls|IgnorePublicAcls)"\s*:\s*"?false'))`,
			Resource:       `coalesce(` + bucket + `, account_id)`,
			Explain:        `The next policy or ACL can make the bucket public. Switch the block on again and see whether one did.`,
			FalsePositives: `Buckets of public web sites.`,
			Reference:      s3Guide + "access-control-block-public-access.html",
		},
		{
			ID:         "TS-EF-009",
			Title:      "Bucket replicated to another account",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'PutBucketReplication'
            AND regexp_like(` + withoutOurs(`request_parameters`) + `, '"Account"\s*:\s*"?[0-9]{12}')`,
			Resource:       bucket,
			Explain:        `Every new object is copied away by S3 itself. Delete the replication; what was written since is in the other account.`,
			FalsePositives: `Backups in an account of their own.`,
			Reference:      s3Guide + "replication.html",
		},
		{
			ID:         "TS-EF-009b",
			Title:      "Replication of a bucket removed",
			Severity:   Low,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 's3.amazonaws.com'
            AND event_name = 'DeleteBucketReplication'`,
			Resource:       bucket,
			Explain:        `No copies are made any more: a step before blackmail. Set the replication up again and see what was deleted since.`,
			FalsePositives: `Backups that are moved or given up.`,
			Reference:      s3Guide + "replication.html",
		},
	}
}

// resourcesOpened are about what else can be opened to everybody.
func resourcesOpened() []Rule {
	return []Rule{
		{
			ID:         "TS-EF-014",
			Title:      "Topic, queue, key, secret, mail identity or search domain opened to everybody",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1567"},
			Where: policyOfResource + `
            AND ` + letsAnybody(resourcePolicy),
			Resource:       resourceOpened,
			Explain:        `Anybody may use it, from any account. Set the policy back; what it holds or hands on counts as known.`,
			FalsePositives: `Topics that are meant for the public.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
		},
		{
			ID:         "TS-EF-014d",
			Title:      "Topic, queue, secret, mail identity or search domain opened to another account",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: policyOfResource + ` AND event_source <> 'kms.amazonaws.com'
            AND ` + letsOutsiders(resourcePolicy),
			Resource:       resourceOpened,
			Explain:        `The policy names an account that is not this one. Find out whose it is; what the resource holds or hands on counts as known.`,
			FalsePositives: `Resources that partners or the company's other accounts share.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
		},
		{
			ID:         "TS-EF-014b",
			Title:      "Function's, topic's or queue's permission given to everybody or another account",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1567"},
			Where: `(event_source = 'lambda.amazonaws.com' AND regexp_like(event_name, '^AddPermission(?:2015|$)')
                    AND regexp_like(` + withoutOurs(param("principal")) + `, '^\*$|^[0-9]{12}$|:iam::[0-9]{12}:')
                    AND json_extract_scalar(request_parameters, '$.sourceArn') IS NULL AND json_extract_scalar(request_parameters, '$.principalOrgID') IS NULL
                    AND coalesce(json_extract_scalar(request_parameters, '$.functionUrlAuthType'), '') <> 'AWS_IAM'
                OR event_source IN ('sns.amazonaws.com', 'sqs.amazonaws.com') AND event_name = 'AddPermission'
                    AND regexp_like(` + withoutOurs(`request_parameters`) + `, '(?i)"aWSAccountIds?"\s*:\s*\[[^\]]*"(?:\*|[0-9]{12})"'))`,
			Needs: ManagementWrite,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.functionName'), json_extract_scalar(request_parameters, '$.topicArn'),
                json_extract_scalar(request_parameters, '$.queueUrl'))`,
			Explain:        `Somebody outside may call the function or read the messages. Remove the permission.`,
			FalsePositives: `Partners who are let in on purpose, and functions with a public URL.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html",
		},
		{
			ID:         "TS-EF-014c",
			Title:      "File transfer server or its user created",
			Severity:   Low,
			Tactic:     "exfiltration",
			Techniques: []string{"T1567"},
			Where:      `event_source = 'transfer.amazonaws.com' AND event_name IN ('CreateServer', 'CreateUser', 'UpdateServer')`,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.serverId'), json_extract_scalar(request_parameters, '$.serverId'),
                json_extract_scalar(request_parameters, '$.userName'))`,
			Explain:        `Buckets can be read by SFTP or FTP now, with no AWS credentials.`,
			FalsePositives: `Exchange of files with partners.`,
			Reference:      "https://docs.aws.amazon.com/transfer/latest/userguide/API_CreateServer.html",
		},
	}
}

// policyOfResource holds for the calls that set the policy of a resource other
// than a bucket; resourcePolicy is that policy, resourceOpened the resource.
const (
	policyOfResource = `(event_source = 'sns.amazonaws.com' AND event_name IN ('SetTopicAttributes', 'CreateTopic')
                OR event_source = 'sqs.amazonaws.com' AND event_name IN ('SetQueueAttributes', 'CreateQueue')
                OR event_source = 'kms.amazonaws.com' AND event_name IN ('PutKeyPolicy', 'CreateKey')
                OR event_source = 'secretsmanager.amazonaws.com' AND event_name = 'PutResourcePolicy'
                OR event_source = 'es.amazonaws.com' AND event_name IN ('CreateElasticsearchDomain', 'UpdateElasticsearchDomainConfig', 'CreateDomain', 'UpdateDomainConfig')
                OR event_source = 'ses.amazonaws.com' AND event_name IN ('PutIdentityPolicy', 'CreateEmailIdentityPolicy', 'UpdateEmailIdentityPolicy')
                OR event_source = 'glacier.amazonaws.com' AND event_name = 'SetVaultAccessPolicy'
                OR event_source = 'elasticfilesystem.amazonaws.com' AND event_name = 'PutFileSystemPolicy'
                OR event_source = 'backup.amazonaws.com' AND event_name = 'PutBackupVaultAccessPolicy')`
	resourceOpened = `coalesce(json_extract_scalar(request_parameters, '$.topicArn'), json_extract_scalar(request_parameters, '$.queueUrl'),
                json_extract_scalar(request_parameters, '$.keyId'), json_extract_scalar(request_parameters, '$.secretId'),
                json_extract_scalar(request_parameters, '$.domainName'), json_extract_scalar(request_parameters, '$.name'),
                json_extract_scalar(request_parameters, '$.queueName'), json_extract_scalar(request_parameters, '$.fileSystemId'),
                json_extract_scalar(request_parameters, '$.backupVaultName'), json_extract_scalar(request_parameters, '$.vaultName'),
                json_extract_scalar(request_parameters, '$.identity'), json_extract_scalar(request_parameters, '$.emailIdentity'), event_name)`
)

var resourcePolicy = document("$.policy", "$.attributes.Policy", "$.attributeValue", "$.resourcePolicy", "$.accessPolicies", "$.policy.policy")

// readByOutsider is a pattern for a statement that lets an account read or
// destroy objects, or change the bucket; AWS's own accounts that deliver logs
// only write.
var readByOutsider = func() string {
	const between = `(?:` + jsonString + `|[^"{}]|\{(?:` + jsonString + `|[^"{}]|` + flatObject + `)*\})*`
	read := `(?:"NotAction":|"Action":` + someString + `"(?:\*|s3:(?:\*|get|list|delete|restore|replicate|bypass|putbucket|put\*|put[a-z]*acl)))`
	return `(?is)\{` + between + `(?:` + strings.Join(anyOrder(between, []string{allow, anAccount, read}), "|") + `)`
}()

// readByOutsiders holds when a policy has such a statement for an account that
// is not the event's.
func readByOutsiders(policy string) string {
	return `regexp_like(` + withoutOurs(policy) + `, '` + readByOutsider + `')`
}
