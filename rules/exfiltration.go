package rules

import "slices"

// exfiltration are the rules about data handed to other accounts.
func exfiltration() []Rule {
	return slices.Concat(snapshotsShared(), bucketsOpened(), objectsTaken(), resourcesOpened())
}

// snapshotsShared are about copies of disks and databases.
func snapshotsShared() []Rule {
	return []Rule{
		{
			ID:         "TS-EF-001",
			Title:      "Volume snapshot shared with another account or everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'ModifySnapshotAttribute'
            AND regexp_like(` + withoutOurs(`request_parameters`) + `,
                '"add"\s*:\s*\{\s*"items"\s*:\s*\[[^\]]*(?:"userId"\s*:\s*"[0-9]{12}"|"group"\s*:\s*"all")')`,
			Resource:       `json_extract_scalar(request_parameters, '$.snapshotId')`,
			Explain:        `The other account can copy the volume and keep it. Take the permission back; what was on the disk, keys included, counts as read.`,
			FalsePositives: `Backups and images that are handed to the company's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html",
		},
		{
			ID:         "TS-EF-003",
			Title:      "Machine image shared with another account or everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'ModifyImageAttribute'
            AND regexp_like(` + withoutOurs(`request_parameters`) + `,
                '(?s)"launchPermission"\s*:\s*\{.*"add"\s*:\s*\{\s*"items"\s*:\s*\[[^\]]*(?:"userId"\s*:\s*"[0-9]|"group"\s*:\s*"all"|"organization(?:alUnit)?Arn")')`,
			Resource:       `json_extract_scalar(request_parameters, '$.imageId')`,
			Explain:        `Another account can start machines from the image and read its disks. Take the permission back.`,
			FalsePositives: `Images that are handed to the company's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html",
		},
		{
			ID:         "TS-EF-004",
			Title:      "Database snapshot shared with another account or everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'rds.amazonaws.com'
            AND event_name IN ('ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute')
            AND json_extract_scalar(request_parameters, '$.attributeName') = 'restore'
            AND regexp_like(` + withoutOurs(`request_parameters`) + `,
                '"valuesToAdd"\s*:\s*\[[^\]]*"(?:[0-9]{12}|all)"')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.dBSnapshotIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'))`,
			Explain:        `The other account can restore the database and read all of it. Take the permission back; its passwords count as known.`,
			FalsePositives: `Backups that are handed to the company's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html",
		},
		{
			ID:             "TS-EF-002",
			Title:          "Snapshot taken, shared and deleted within a day",
			Severity:       High,
			Tactic:         "exfiltration",
			Techniques:     []string{"T1537"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name IN ('CreateSnapshot', 'ModifySnapshotAttribute', 'DeleteSnapshot')`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.snapshotId'), json_extract_scalar(request_parameters, '$.snapshotId'))`,
			Explain:        `A volume was copied only to be given away, and the trace of it removed. The other account has its copy: the volume counts as read, keys included.`,
			FalsePositives: `Backups that are handed to an account of their own.`,
			Reference:      "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreateSnapshot'`, On: `json_extract_scalar(response_elements, '$.snapshotId')`},
					{Where: `event_name = 'ModifySnapshotAttribute' AND regexp_like(request_parameters, '"add"\s*:\s*\{\s*"items"')`, On: `json_extract_scalar(request_parameters, '$.snapshotId')`},
					{Where: `event_name = 'DeleteSnapshot'`, On: `json_extract_scalar(request_parameters, '$.snapshotId')`},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-EF-005",
			Title:      "Machine or image exported",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('CreateInstanceExportTask', 'ExportImage', 'CreateStoreImageTask')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.instanceId'), json_extract_scalar(request_parameters, '$.ExportImageRequest.ImageId'),
                json_extract_scalar(request_parameters, '$.CreateStoreImageTaskRequest.ImageId'), json_extract_scalar(request_parameters, '$.imageId'))`,
			Explain:        `The disks of the machine become a file in a bucket. See whose bucket it is, and who read it since.`,
			FalsePositives: `Moving machines out of AWS.`,
			Reference:      ec2API + "CreateInstanceExportTask.html",
		},
		{
			ID:         "TS-EF-006",
			Title:      "Database made reachable from the Internet",
			Severity:   High,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 'rds.amazonaws.com'
            AND (event_name IN ('ModifyDBInstance', 'ModifyDBCluster')
                    AND lower(json_extract_scalar(request_parameters, '$.publiclyAccessible')) = 'true'
                OR regexp_like(event_name, '^RestoreDB(?:Instance|Cluster)')
                    AND lower(coalesce(json_extract_scalar(response_elements, '$.publiclyAccessible'),
                        json_extract_scalar(request_parameters, '$.publiclyAccessible'))) = 'true')`,
			Needs:          ManagementWrite,
			Resource:       database,
			Explain:        `A database, or a copy restored from a snapshot, that anybody may try to log on to. Close it, and look for a changed master password.`,
			FalsePositives: `Test databases without data of weight.`,
			Reference:      rdsAPI + "ModifyDBInstance.html",
		},
		{
			ID:         "TS-EF-006b",
			Title:      "Database reachable from the Internet created",
			Severity:   Medium,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 'rds.amazonaws.com' AND event_name IN ('CreateDBInstance', 'CreateDBCluster', 'CreateDBInstanceReadReplica')
            AND lower(json_extract_scalar(request_parameters, '$.publiclyAccessible')) = 'true'`,
			Resource:       database,
			Explain:        `A new database, or a replica of one that holds data, with an address on the Internet.`,
			FalsePositives: `Test databases without data of weight.`,
			Reference:      rdsAPI + "CreateDBInstance.html",
		},
	}
}

// database is the database or cluster of a call to RDS.
const database = `coalesce(json_extract_scalar(request_parameters, '$.dBInstanceIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterIdentifier'),
                json_extract_scalar(request_parameters, '$.globalClusterIdentifier'), json_extract_scalar(request_parameters, '$.dbiResourceId'),
                json_extract_scalar(request_parameters, '$.dbClusterResourceId'))`
