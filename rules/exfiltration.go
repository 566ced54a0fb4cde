package rules

// exfiltration are the rules about data handed to other accounts.
func exfiltration() []Rule {
	return []Rule{
		{
			ID:         "TS-EF-001",
			Title:      "Volume snapshot shared with another account or everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'ModifySnapshotAttribute'
            AND regexp_like(replace(request_parameters, coalesce(account_id, '-'), 'own'),
                '"add"\s*:\s*\{\s*"items"\s*:\s*\[[^\]]*(?:"userId"\s*:\s*"[0-9]{12}"|"group"\s*:\s*"all")')`,
			Resource: `json_extract_scalar(request_parameters, '$.snapshotId')`,
			Explain:  `The other account can copy the volume and keep it. Take the permission back; what was on the disk, keys included, counts as read.`,
		},
		{
			ID:         "TS-EF-003",
			Title:      "Machine image shared with another account or everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'ModifyImageAttribute'
            AND regexp_like(replace(request_parameters, coalesce(account_id, '-'), 'own'),
                '"add"\s*:\s*\{\s*"items"\s*:\s*\[[^\]]*(?:"userId"\s*:\s*"[0-9]{12}"|"group"\s*:\s*"all"|"organization(?:alUnit)?Arn")')`,
			Resource: `json_extract_scalar(request_parameters, '$.imageId')`,
			Explain:  `Another account can start machines from the image and read its disks. Take the permission back.`,
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
            AND regexp_like(replace(request_parameters, coalesce(account_id, '-'), 'own'),
                '"valuesToAdd"\s*:\s*\[[^\]]*"(?:[0-9]{12}|all)"')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.dBSnapshotIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'))`,
			Explain:  `The other account can restore the database and read all of it. Take the permission back; its passwords count as known.`,
		},
	}
}
