package rules

// collection are the rules about data gathered before it leaves.
func collection() []Rule {
	return []Rule{
		{
			ID:         "TS-CO-001",
			Title:      "Network traffic mirrored",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1040"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND regexp_like(event_name, '^(?:Create|Modify)TrafficMirror')`,
			Needs:          ManagementWrite,
			Resource:       mirror,
			Explain:        `Every packet of a machine goes to another as well. Delete the session, see who owns the target, and count what went over the wire in plain as read.`,
			FalsePositives: `Network monitoring and intrusion detection.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/mirroring/what-is-traffic-mirroring.html",
		},
		{
			ID:             "TS-CO-001b",
			Title:          "Mirroring of network traffic taken away",
			Severity:       Low,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.001"},
			Where:          `event_source = 'ec2.amazonaws.com' AND regexp_like(event_name, '^DeleteTrafficMirror')`,
			Needs:          ManagementWrite,
			Resource:       mirror,
			Explain:        `A sensor went blind, or an intruder tidied up. See who had made it.`,
			FalsePositives: `Network monitoring that is rebuilt.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/mirroring/what-is-traffic-mirroring.html",
		},
		{
			ID:         "TS-CO-002",
			Title:      "Database snapshot exported, or copied to another region",
			Severity:   Medium,
			Tactic:     "collection",
			Techniques: []string{"T1005"},
			Where: `event_source = 'rds.amazonaws.com' AND NOT ` + byService + `
            AND (event_name = 'StartExportTask'
                OR event_name IN ('CopyDBSnapshot', 'CopyDBClusterSnapshot')
                    AND nullif(regexp_extract(coalesce(json_extract_scalar(request_parameters, '$.sourceDBSnapshotIdentifier'),
                        json_extract_scalar(request_parameters, '$.sourceDBClusterSnapshotIdentifier')), '^arn:[^:]+:rds:([^:]+):', 1), '') <> aws_region
                OR event_name IN ('CopyDBSnapshot', 'CopyDBClusterSnapshot')
                    AND nullif(json_extract_scalar(request_parameters, '$.sourceRegion'), '') <> aws_region)`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.sourceArn'), json_extract_scalar(request_parameters, '$.sourceDBSnapshotIdentifier'),
                json_extract_scalar(request_parameters, '$.sourceDBClusterSnapshotIdentifier'))`,
			Explain:        `All of a database, as files in a bucket or where nobody looks. See who may read them there.`,
			FalsePositives: `Data lakes, and backups in a second region.`,
			Reference:      rdsAPI + "StartExportTask.html",
		},
		{
			// Low: before every change of a database somebody takes one.
			ID:         "TS-CO-002b",
			Title:      "Database snapshot taken or copied by hand",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1005"},
			Where: `event_source = 'rds.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('CreateDBSnapshot', 'CreateDBClusterSnapshot', 'CopyDBSnapshot', 'CopyDBClusterSnapshot')
            AND coalesce(json_extract_scalar(response_elements, '$.snapshotType'), 'manual') NOT IN ('automated', 'awsbackup')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.dBSnapshotIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'),
                json_extract_scalar(request_parameters, '$.targetDBSnapshotIdentifier'), json_extract_scalar(request_parameters, '$.targetDBClusterSnapshotIdentifier'))`,
			Explain:        `A copy of the database that can be shared, exported or restored elsewhere. See what became of it.`,
			FalsePositives: `Backups before a change.`,
			Reference:      rdsAPI + "CreateDBSnapshot.html",
		},
		{
			ID:         "TS-CO-003",
			Title:      "Table exported to a bucket",
			Severity:   Medium,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 'dynamodb.amazonaws.com' AND event_name = 'ExportTableToPointInTime'
            AND NOT ` + byService,
			Resource:       `json_extract_scalar(request_parameters, '$.tableArn')`,
			Explain:        `The whole table lies in a bucket now, maybe somebody else's. See whose it is and who read it.`,
			FalsePositives: `Data lakes that export tables by schedule.`,
			Reference:      "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html",
		},
		{
			ID:         "TS-CO-003b",
			Title:      "Table read through by somebody who never did",
			Severity:   Medium,
			Tactic:     "collection",
			Techniques: []string{"T1530"},
			Where: `event_source = 'dynamodb.amazonaws.com' AND event_name = 'Scan' AND ` + byCaller + `
            AND NOT ` + byService,
			Needs:          OtherData,
			Resource:       `json_extract_scalar(request_parameters, '$.tableName')`,
			Explain:        `A scan hands out every row. Programs scan the same few tables for ever.`,
			FalsePositives: `A developer who looks for a fault in the data.`,
			Reference:      "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html",
			FirstSeen: &FirstSeen{Scope: []string{"account_id"}, Learn: 7 * day,
				Key: []string{`coalesce(session_issuer_principal_id, principal_id)`, `json_extract_scalar(request_parameters, '$.tableName')`}},
		},
		{
			// Low: backups do it every night.
			ID:         "TS-CO-004",
			Title:      "Machine image or volume snapshot taken, copied, stored or imported",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1074.002"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name IN ('CreateImage', 'CreateSnapshot', 'CreateSnapshots', 'CopySnapshot', 'CopyImage',
                'CreateFpgaImage', 'CopyFpgaImage', 'ImportImage', 'CreateStoreImageTask', 'CreateRestoreImageTask')
            AND NOT ` + byService,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.snapshotId'), json_extract_scalar(response_elements, '$.imageId'),
                json_extract_scalar(request_parameters, '$.volumeId'), json_extract_scalar(request_parameters, '$.instanceId'))`,
			Explain:        `A copy of disks that can be shared or mounted elsewhere. See what became of it.`,
			FalsePositives: `Backups, and pipelines that build images.`,
			Reference:      ec2API + "CreateSnapshot.html",
		},
		{
			// Low: whoever investigates reads the same.
			ID:         "TS-CO-005",
			Title:      "Trails, their events or health notices read",
			Severity:   Low,
			Tactic:     "discovery",
			Techniques: []string{"T1654"},
			Where: `(event_source = 'cloudtrail.amazonaws.com'
                    AND event_name IN ('LookupEvents', 'DescribeTrails', 'GetTrailStatus', 'GetEventSelectors', 'ListTrails', 'GetTrail',
                        'StartQuery', 'GetQueryResults', 'ListEventDataStores')
                OR event_source = 'health.amazonaws.com' AND event_name IN ('DescribeEventAggregates', 'DescribeEvents', 'DescribeEventDetails'))
            AND NOT ` + byService,
			Resource:       `event_name`,
			Explain:        `Somebody wants to know what is recorded, what was noticed, or whose keys are in use.`,
			FalsePositives: `Administrators, auditors and the console's start page.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html",
		},
	}
}

// mirror is the session, target or filter of a call about traffic mirroring.
const mirror = `coalesce(nullif(regexp_extract(request_parameters, '"NetworkInterfaceId"\s*:\s*"([^"]+)"', 1), ''),
                nullif(regexp_extract(request_parameters, '"TrafficMirror(?:Session|Target|Filter)Id"\s*:\s*"([^"]+)"', 1), ''), event_name)`
