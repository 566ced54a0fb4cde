package rules

import "time"

// recovery is about keys, databases, backups and file systems: what is needed
// to have data back.
func recovery() []Rule {
	return []Rule{
		{
			ID:             "TS-IM-010",
			Title:          "Key disabled, its deletion scheduled or its material deleted",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          `event_source = 'kms.amazonaws.com' AND event_name IN ('ScheduleKeyDeletion', 'DisableKey', 'DeleteImportedKeyMaterial')`,
			Resource:       key,
			Explain:        `What is encrypted with the key cannot be read. Cancel the deletion within its waiting time, 7 to 30 days; afterwards nothing helps.`,
			FalsePositives: `Keys of stacks that are taken down.`,
			Reference:      kmsAPI + "ScheduleKeyDeletion.html",
		},
		{
			ID:         "TS-IM-011",
			Title:      "Database or its automated backups deleted without a last snapshot",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'rds.amazonaws.com' AND NOT ` + byService + `
            AND (event_name IN ('DeleteDBInstanceAutomatedBackup', 'DeleteDBClusterAutomatedBackup', 'DeleteGlobalCluster')
                OR event_name IN ('DeleteDBInstance', 'DeleteDBCluster')
                    AND (lower(json_extract_scalar(request_parameters, '$.skipFinalSnapshot')) = 'true'
                        OR lower(json_extract_scalar(request_parameters, '$.deleteAutomatedBackups')) = 'true'))`,
			Resource:       database,
			Explain:        `The data are gone but for manual snapshots and copies elsewhere. Look for those, and keep them.`,
			FalsePositives: `Test databases that are taken down.`,
			Reference:      rdsAPI + "DeleteDBInstance.html",
		},
		{
			// Low: a last snapshot is left.
			ID:             "TS-IM-011b",
			Title:          "Database deleted",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('DeleteDBInstance', 'DeleteDBCluster')`,
			Resource:       database,
			Explain:        `See whether its last snapshot is still there.`,
			FalsePositives: `Databases that are given up.`,
			Reference:      rdsAPI + "DeleteDBInstance.html",
		},
		{
			// Low: old snapshots are cleared away by schedule.
			ID:             "TS-IM-011c",
			Title:          "Database snapshot deleted",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1490"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('DeleteDBSnapshot', 'DeleteDBClusterSnapshot') AND NOT ` + byService,
			Resource:       databaseSnapshot,
			Explain:        `A copy of the database that cannot be had back.`,
			FalsePositives: `Scripts and people who clear old snapshots away.`,
			Reference:      rdsAPI + "DeleteDBSnapshot.html",
		},
		{
			ID:             "TS-IM-011d",
			Title:          "Far more database snapshots deleted than usual",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1490"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('DeleteDBSnapshot', 'DeleteDBClusterSnapshot') AND NOT ` + byService,
			Resource:       databaseSnapshot,
			Explain:        `Somebody takes the way back to the data away. Copy what is left to another account.`,
			FalsePositives: `A clean-up after a long time.`,
			Reference:      rdsAPI + "DeleteDBSnapshot.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 5},
		},
		{
			ID:         "TS-IM-011e",
			Title:      "Automated backups of a database switched off",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 'rds.amazonaws.com' AND event_name IN ('ModifyDBInstance', 'ModifyDBCluster')
            AND json_extract_scalar(request_parameters, '$.backupRetentionPeriod') = '0'`,
			Resource:       database,
			Explain:        `The backups that there are go with it. Set the period back, and take a snapshot now.`,
			FalsePositives: `Test databases.`,
			Reference:      rdsAPI + "ModifyDBInstance.html",
		},
		{
			ID:         "TS-IM-012",
			Title:      "Deletion protection of a database switched off",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'rds.amazonaws.com' AND event_name IN ('ModifyDBInstance', 'ModifyDBCluster', 'ModifyGlobalCluster')
            AND lower(json_extract_scalar(request_parameters, '$.deletionProtection')) = 'false'`,
			Resource:       database,
			Explain:        `The step before the database is deleted. Switch it on again.`,
			FalsePositives: `A database that is given up.`,
			Reference:      rdsAPI + "ModifyDBInstance.html",
		},
		{
			ID:         "TS-IM-013",
			Title:      "Backup plan, vault, lock or recovery point deleted, or backups switched off",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `(event_source = 'backup.amazonaws.com' AND NOT ` + byService + `
                    AND event_name IN ('DeleteBackupPlan', 'DeleteBackupVault', 'DeleteRecoveryPoint', 'DeleteBackupSelection',
                        'DeleteBackupVaultLockConfiguration', 'DeleteBackupVaultAccessPolicy', 'DisassociateRecoveryPoint', 'StopBackupJob',
                        'DeleteFramework', 'DeleteReportPlan', 'DeleteBackupVaultNotifications')
                OR event_source = 'ec2.amazonaws.com' AND event_name IN ('UnlockSnapshot', 'DisableSnapshotBlockPublicAccess')
                OR event_source = 'elasticfilesystem.amazonaws.com' AND event_name = 'PutBackupPolicy'
                    AND regexp_like(request_parameters, '(?i)"DISABL(?:ED|ING)"'))`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.recoveryPointArn'), json_extract_scalar(request_parameters, '$.backupVaultName'),
                json_extract_scalar(request_parameters, '$.backupPlanId'), json_extract_scalar(request_parameters, '$.snapshotId'),
                json_extract_scalar(request_parameters, '$.fileSystemId'), event_name)`,
			Explain:        `Without backups blackmail works. Stop the caller, and copy the recovery points that are left to another account.`,
			FalsePositives: `Backups that are moved or given up.`,
			Reference:      backupAPI + "DeleteRecoveryPoint.html",
		},
		{
			// Low: old snapshots are cleared away by schedule.
			ID:         "TS-IM-013b",
			Title:      "Volume snapshot deleted, or access to it taken away",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1490"},
			Where: `event_source = 'ec2.amazonaws.com' AND NOT ` + byService + `
            AND (event_name = 'DeleteSnapshot'
                OR event_name = 'ModifySnapshotAttribute' AND regexp_like(request_parameters, '"remove"\s*:\s*\{\s*"items"')
                OR event_name = 'ResetSnapshotAttribute')`,
			Resource:       `json_extract_scalar(request_parameters, '$.snapshotId')`,
			Explain:        `A copy of a disk that cannot be had back unless the recycle bin keeps it.`,
			FalsePositives: `Scripts and people who clear old snapshots away.`,
			Reference:      ec2API + "DeleteSnapshot.html",
		},
		{
			ID:             "TS-IM-013c",
			Title:          "Far more volume snapshots deleted than usual",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1490"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name = 'DeleteSnapshot' AND NOT ` + byService,
			Resource:       `json_extract_scalar(request_parameters, '$.snapshotId')`,
			Explain:        `Somebody takes the way back to the data away. See what the recycle bin keeps.`,
			FalsePositives: `A clean-up after a long time.`,
			Reference:      "https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 10},
		},
		{
			ID:         "TS-IM-014",
			Title:      "File system or its mount target deleted",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'elasticfilesystem.amazonaws.com' AND event_name IN ('DeleteFileSystem', 'DeleteMountTarget')
            AND NOT ` + byStack,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.fileSystemId'), json_extract_scalar(request_parameters, '$.mountTargetId'))`,
			Explain:        `A file system is deleted for good; without mount targets nobody reaches it, and it can be deleted.`,
			FalsePositives: `Environments that are taken down by hand.`,
			Reference:      efsAPI + "DeleteFileSystem.html",
		},
	}
}

const databaseSnapshot = `coalesce(json_extract_scalar(request_parameters, '$.dBSnapshotIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'))`
