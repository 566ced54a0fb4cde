package rules

// aftermath are the rules about what the lineage leaves to clean up, and what
// the log cannot show of it.
func aftermath() []Rule {
	return []Rule{
		{
			ID:             "TS-KEY-014",
			Title:          "Things that the lineage created and that are still there",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1136.003", "T1578"},
			Where:          `event_id IN (SELECT event_id FROM ` + leftovers + ` AS leftover)`,
			Resource:       `(SELECT ` + together("made") + ` FROM ` + leftovers + ` AS leftover WHERE leftover.event_id = calls.event_id)`,
			Explain:        `No call of the log deletes them by the name that their creation tells. Go through the list: what nobody of yours asked for goes, after its evidence is kept.`,
			FalsePositives: `Things that AWS or an expiry removes without a call that names them.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html",
			Outcomes:       []Outcome{Success},
		},
		{
			// High: what was read stays known, whatever becomes of the key.
			ID:         "TS-KEY-015",
			Title:      "Secrets and data that the lineage read",
			Severity:   High,
			Tactic:     "collection",
			Techniques: []string{"T1530", "T1555.006"},
			Where: `(event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue')
                OR event_source = 'ssm.amazonaws.com' AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory')
                OR event_source = 'kms.amazonaws.com' AND event_name IN ('Decrypt', 'ReEncrypt', 'GenerateDataKey', 'GenerateDataKeyPair', 'DeriveSharedSecret')
                    AND invoked_by IS NULL
                OR event_source = 'ec2.amazonaws.com' AND (event_name IN ('GetPasswordData', 'CopySnapshot', 'CreateSnapshot', 'CreateSnapshots', 'ModifySnapshotAttribute',
                        'CreateImage', 'CopyImage', 'ModifyImageAttribute', 'CreateStoreImageTask', 'ExportImage', 'CreateInstanceExportTask', 'GetConsoleOutput', 'GetConsoleScreenshot')
                    OR event_name = 'DescribeInstanceAttribute' AND ` + param("attribute") + ` = 'userData'
                    OR event_name = 'DescribeLaunchTemplateVersions')
                OR event_source = 'ebs.amazonaws.com' AND event_name IN ('GetSnapshotBlock', 'ListSnapshotBlocks', 'ListChangedBlocks')
                OR event_source = 'rds.amazonaws.com' AND event_name IN ('CreateDBSnapshot', 'CopyDBSnapshot', 'ModifyDBSnapshotAttribute', 'CreateDBClusterSnapshot',
                    'CopyDBClusterSnapshot', 'ModifyDBClusterSnapshotAttribute', 'RestoreDBInstanceFromDBSnapshot', 'StartExportTask', 'DownloadDBLogFilePortion', 'DownloadCompleteDBLogFile')
                OR event_source = 'rds-data.amazonaws.com' AND event_name IN ('ExecuteStatement', 'BatchExecuteStatement')
                OR event_source = 's3.amazonaws.com' AND event_name IN ('GetObject', 'CopyObject', 'SelectObjectContent', 'GetObjectTorrent')
                OR event_source = 'dynamodb.amazonaws.com' AND event_name IN ('GetItem', 'BatchGetItem', 'Query', 'Scan', 'ExecuteStatement', 'ExportTableToPointInTime', 'CreateBackup')
                OR event_source = 'lambda.amazonaws.com' AND regexp_like(event_name, '^(?:GetFunction|GetFunctionConfiguration|GetLayerVersion)(?:20[0-9]{6}|$)')
                OR event_source = 'acm.amazonaws.com' AND event_name = 'ExportCertificate'
                OR event_source = 'redshift.amazonaws.com' AND event_name IN ('GetClusterCredentials', 'GetClusterCredentialsWithIAM')
                OR event_source = 'apigateway.amazonaws.com' AND event_name IN ('GetApiKey', 'GetApiKeys')
                OR event_source = 'glue.amazonaws.com' AND event_name IN ('GetConnection', 'GetConnections')
                OR event_source = 'codecommit.amazonaws.com' AND event_name IN ('GitPull', 'GetFile', 'GetBlob')
                OR event_source = 'ecr.amazonaws.com' AND event_name IN ('BatchGetImage', 'GetDownloadUrlForLayer')
                OR event_source = 'athena.amazonaws.com' AND event_name IN ('GetQueryResults', 'GetQueryResultsStream')
                OR event_source = 'logs.amazonaws.com' AND event_name IN ('GetLogEvents', 'FilterLogEvents', 'GetQueryResults', 'CreateExportTask')
                OR event_source = 'lightsail.amazonaws.com' AND event_name IN ('DownloadDefaultKeyPair', 'GetInstanceAccessDetails'))`,
			Resource: `coalesce(` + param("secretId") + `,
                ` + listText("secretIdList") + `, ` + listText("names") + `,
                CASE WHEN event_source = 's3.amazonaws.com' THEN ` + param("bucketName") + ` || '/' || ` + param("key") + ` END,
                nullif(regexp_extract(request_parameters, '"SecretARN":"([^"]+)"', 1), ''), nullif(regexp_extract(request_parameters, '"PARAMETER_ARN":"([^"]+)"', 1), ''),
                ` + param("path", "keyId", "sourceSnapshotId", "snapshotId", "volumeId", "imageId", "sourceImageId", "instanceId", "functionName", "tableName",
				"dBSnapshotIdentifier", "sourceDBSnapshotIdentifier", "dBClusterSnapshotIdentifier", "dBInstanceIdentifier", "dBClusterIdentifier", "certificateArn",
				"CreateSnapshotsRequest.InstanceSpecification.InstanceId", "repositoryName", "logGroupName", "queryExecutionId", "clusterIdentifier", "apiKey", "name") + `,
                json_extract_scalar(resources, '$[0].ARN'), ` + param("bucketName") + `)`,
			Explain:        `The list to rotate: the resources are what left, and disabling the key does not bring it back. Data events that the trail does not record are not in it.`,
			FalsePositives: `What the owner read where the use could not be told apart.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-016",
			Title:      "Traces that the lineage removed",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1070", "T1562.008"},
			Where: `(event_source = 'cloudtrail.amazonaws.com' AND event_name IN ('DeleteTrail', 'DeleteEventDataStore')
                OR event_source = 'logs.amazonaws.com' AND event_name IN ('DeleteLogGroup', 'DeleteLogStream', 'PutRetentionPolicy')
                OR event_source = 'ec2.amazonaws.com' AND event_name = 'DeleteFlowLogs'
                OR event_source = 'config.amazonaws.com' AND event_name IN ('DeleteConfigurationRecorder', 'DeleteDeliveryChannel')
                OR event_source = 'guardduty.amazonaws.com' AND event_name IN ('DeleteDetector', 'ArchiveFindings')
                OR event_source = 's3.amazonaws.com' AND event_name IN ('DeleteObject', 'DeleteObjects', 'PutBucketLifecycle') AND request_parameters LIKE '%AWSLogs/%'
                OR event_id IN (
                    SELECT deleted_by FROM ` + unmade + ` AS fate WHERE deleted_by IS NOT NULL))`,
			Resource: `coalesce((SELECT ` + together("made") + ` FROM ` + unmade + ` AS fate WHERE fate.deleted_by = calls.event_id),
                ` + param("name", "logGroupName", "detectorId", "accessKeyId", "userName", "roleName", "bucketName", "snapshotId", "groupId", "keyName", "functionName") + `, request_parameters)`,
			Explain:        `Logs that are gone, or things that the lineage made and deleted again: what they did lives on in this log alone. Keep a copy of it out of the account.`,
			FalsePositives: `Tests and deployments that take down what they set up.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
			Outcomes:       []Outcome{Success},
		},
		{
			ID:         "TS-KEY-017",
			Title:      "Role used through a workload that the lineage made or changed",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1078.004", "T1648", "T1578"},
			Where: `event_id IN (
                SELECT e.event_id FROM ` + ofCredentials + `
                JOIN credentials AS c ON c.id = l.credential_id
                WHERE ` + ofWorkload + `
                UNION ALL
                SELECT g.event_id FROM lineage_edges AS g JOIN credentials AS c ON c.id = g."to"
                WHERE ` + ofWorkload + `)`,
			Resource: `coalesce(session_issuer_arn, array_join(regexp_extract_all(CASE event_name WHEN 'RunInstances' THEN response_elements END, '"instanceId":"([^"]+)"', 1), ` + separator + `),
                ` + param("functionName", "instanceId", "name", "roleArn") + `)`,
			Explain:        `What the intruder did stands in the log under a role of an instance or function, which no key of theirs ever took. Stop the workload: it is given new credentials again and again.`,
			FalsePositives: `Deployments of the owner's that could not be told apart.`,
			Reference:      iamGuide + "id_roles_use_passrole.html",
		},
		{
			ID:         "TS-KEY-020b",
			Title:      "Credential of the lineage that no event of the log issues",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: among("", `e.event_time = c.first_used
                    AND (c.certainty = 'unexplained' OR c.parent IS NOT NULL AND coalesce(c.issued_event_id, '') = '' AND c.kind <> 'service_forwarded')`),
			Resource:       `access_key_id`,
			Explain:        `Its parent is missing: a region, an account or hours are not in the case, and more may have been issued there. Load the logs of sts and sign-in calls of all regions and trace again.`,
			FalsePositives: `The ids that services take for a console session.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/receive-cloudtrail-log-files-from-multiple-regions.html",
		},
	}
}

// ofWorkload holds for the session c of a role that a service took for a
// workload of the lineage's.
const ofWorkload = `c.kind = 'role_session' AND c.parent IS NOT NULL
                    AND NOT regexp_like(c.via, '^(?:sts|signin|sso|sso-directory|sso-oauth|identitystore|rolesanywhere|cognito-identity|iam):')`

// listText is a list of the request as text.
func listText(path string) string {
	return `nullif(array_join(regexp_extract_all(json_format(json_extract(request_parameters, '$.` + path + `')), '"((?:[^"\\]|\\.)*)"', 1), ` + separator + `), '')`
}
