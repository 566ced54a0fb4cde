package remediate

// undoStorage are buckets and databases.
var undoStorage = []undo{
	{
		call: "s3:PutBucketPolicy", object: []string{"rq.bucketName"}, also: []string{"DeleteBucketPolicy", "DeleteBucket"},
		prior: []prior{{"PutBucketPolicy", []string{"rq.bucketName"}, "json(rq.bucketPolicy)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutBucketPolicy", in: args{"Bucket": "rq.bucketName", "Policy": "prior"},
			back:  []reverse{{"s3:PutBucketPolicy", args{"Bucket": "rq.bucketName", "Policy": "json(rq.bucketPolicy)"}}},
			title: "Put the policy of the bucket {rq.bucketName} back to what it was before the intruder",
			risk:  "Whoever got in only by the changed policy no longer does. The document is the last one that the log shows before the incident."}},
		blind: []step{{phase: Recover, mode: Review, call: "s3:DeleteBucketPolicy", in: args{"Bucket": "rq.bucketName"},
			back:  []reverse{{"s3:PutBucketPolicy", args{"Bucket": "rq.bucketName", "Policy": "json(rq.bucketPolicy)"}}},
			title: "Delete the policy that the intruder gave the bucket {rq.bucketName}",
			risk:  "The log does not show what policy the bucket had: if it had one, put that back instead. A bucket of logs needs its policy to take them."}},
		todo: "The policy of the bucket {rq.bucketName} was replaced: put the old one back.",
	},
	{call: "s3:DeleteBucketPolicy", object: []string{"rq.bucketName"}, also: []string{"PutBucketPolicy", "DeleteBucket"},
		prior: []prior{{"PutBucketPolicy", []string{"rq.bucketName"}, "json(rq.bucketPolicy)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutBucketPolicy", in: args{"Bucket": "rq.bucketName", "Policy": "prior"},
			back:  []reverse{{"s3:DeleteBucketPolicy", args{"Bucket": "rq.bucketName"}}},
			title: "Give the bucket {rq.bucketName} its policy again", risk: "Allows and denies what it did before."}},
		todo: "The policy of the bucket {rq.bucketName} was deleted and is not in the log: put it back."},
	{
		call: "s3:PutBucketAcl", object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:PutBucketAcl", in: args{"Bucket": "rq.bucketName", "ACL": "'private'"},
			title: "Make the access list of the bucket {rq.bucketName} private", risk: "If it let others in before, put that list back instead. Fails, and is needless, where access lists are off."}},
	},
	{
		call: "s3:PutObjectAcl", object: []string{"rq.bucketName", "rq.key"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:PutObjectAcl", in: args{"Bucket": "rq.bucketName", "Key": "rq.key", "ACL": "'private'"},
			title: "Make the access list of {rq.key} in {rq.bucketName} private", risk: "If it let others in before, put that list back instead."}},
	},
	{
		call: "s3:PutBucketOwnershipControls", object: []string{"rq.bucketName"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:PutBucketOwnershipControls", in: args{"Bucket": "rq.bucketName", "OwnershipControls": args{"Rules": []args{{"ObjectOwnership": "'BucketOwnerEnforced'"}}}},
			title: "Switch access lists of the bucket {rq.bucketName} off", risk: "If the bucket used access lists before, put that back instead."}},
	},
	{
		call: "s3:PutBucketPublicAccessBlock", object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": publicBlock},
			title: "Block public access to the bucket {rq.bucketName}", risk: "A bucket that is meant to be public is not: put its old settings back instead."}},
	},
	{
		call: "s3:DeleteBucketPublicAccessBlock", object: []string{"rq.bucketName"}, also: []string{"PutBucketPublicAccessBlock", "DeleteBucket"},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": publicBlock},
			back:  []reverse{{"s3:DeletePublicAccessBlock", args{"Bucket": "rq.bucketName"}}},
			title: "Block public access to the bucket {rq.bucketName} again", risk: "If it blocked only some kinds before, more is blocked now."}},
	},
	{call: "s3:PutAccountPublicAccessBlock", object: []string{"ev.account"}, todo: "Public access to all buckets of the account was set to {rq.PublicAccessBlockConfiguration}: put it back."},
	{
		call: "s3:DeleteAccountPublicAccessBlock", object: []string{"ev.account"}, also: []string{"PutAccountPublicAccessBlock"},
		steps: []step{{phase: Recover, mode: Review, call: "s3control:PutPublicAccessBlock", in: args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": publicBlock},
			back:  []reverse{{"s3control:DeletePublicAccessBlock", args{"AccountId": "ev.account"}}},
			title: "Block public access to all buckets of the account again", risk: "Buckets that are meant to be public are not."}},
	},
	{
		call: "s3:PutBucketVersioning", object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutBucketVersioning", when: [2]string{"rq.VersioningConfiguration.Status", "Suspended"},
			in:    args{"Bucket": "rq.bucketName", "VersioningConfiguration": args{"Status": "'Enabled'"}},
			back:  []reverse{{"s3:PutBucketVersioning", args{"Bucket": "rq.bucketName", "VersioningConfiguration": args{"Status": "'Suspended'"}}}},
			title: "Keep old versions of objects in the bucket {rq.bucketName} again", risk: "Costs storage."}},
		todo: "Versioning of the bucket {rq.bucketName} was set to {rq.VersioningConfiguration.Status}: put it back if it was off before.",
	},
	{
		call: "s3:PutBucketLifecycle", object: []string{"rq.bucketName"}, also: []string{"DeleteBucketLifecycle", "DeleteBucket"}, deadline: nextMidnight,
		steps: []step{{phase: Recover, mode: Review, call: "s3:DeleteBucketLifecycle", in: args{"Bucket": "rq.bucketName"},
			title: "Delete the lifecycle rules of the bucket {rq.bucketName} before they delete its objects",
			risk:  "Rules that were there before, and that the new ones replaced, must be set again. S3 carries rules out at midnight UTC."}},
	},
	{call: "s3:DeleteBucketLifecycle", object: []string{"rq.bucketName"}, also: []string{"PutBucketLifecycle"}, todo: "The lifecycle rules of the bucket {rq.bucketName} were deleted: put them back."},
	{
		call: "s3:PutBucketReplication", object: []string{"rq.bucketName"}, also: []string{"DeleteBucketReplication", "DeleteBucket"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:DeleteBucketReplication", in: args{"Bucket": "rq.bucketName"},
			title: "Stop copying the bucket {rq.bucketName} to another", risk: "If it was copied before, put the old rules back instead. What was copied stays there."}},
	},
	{call: "s3:DeleteBucketReplication", object: []string{"rq.bucketName"}, also: []string{"PutBucketReplication"}, todo: "The bucket {rq.bucketName} is no longer copied: put its replication back."},
	{call: "s3:CreateJob", object: []string{"rs.jobId"}, todo: "Cancel the batch job {rs.jobId} if it still runs (s3control UpdateJobStatus)."},
	{call: "s3:PutBucketEncryption", object: []string{"rq.bucketName"}, todo: "The encryption of the bucket {rq.bucketName} was changed: put the old key back. A key of another account means that objects are held to ransom."},
	{call: "s3:DeleteBucketEncryption", object: []string{"rq.bucketName"}, also: []string{"PutBucketEncryption"}, todo: "The encryption of the bucket {rq.bucketName} fell back to the default: put its key back."},
	{call: "s3:PutBucketLogging", object: []string{"rq.bucketName"}, todo: "The access log of the bucket {rq.bucketName} was changed: put it back."},
	{call: "s3:PutBucketNotification", object: []string{"rq.bucketName"}, todo: "The notifications of the bucket {rq.bucketName} were replaced: put the old ones back."},
	{call: "s3:PutBucketCors", object: []string{"rq.bucketName"}, todo: "The CORS rules of the bucket {rq.bucketName} were replaced: put the old ones back."},
	{call: "s3:PutBucketWebsite", object: []string{"rq.bucketName"}, also: []string{"DeleteBucketWebsite"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:DeleteBucketWebsite", in: args{"Bucket": "rq.bucketName"}, title: "Stop serving the bucket {rq.bucketName} as a web site", risk: "If it was one before, put its settings back instead."}}},
	remove("s3:CreateBucket", "s3:DeleteBucket", "bucket", []string{"rq.bucketName"}, args{"Bucket": "rq.bucketName"}, "Delete the bucket {rq.bucketName}, once it is empty of every version"),
	{call: "s3:DeleteBucket", object: []string{"rq.bucketName"}, also: []string{"CreateBucket"}, todo: "The bucket {rq.bucketName} was deleted: make it again at once, so that nobody else takes its name. What it held is lost unless it was copied."},
	{call: "s3:DeleteObject", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were deleted (requestParameters.key of the events): where versions are kept, delete their delete markers."},
	{call: "s3:DeleteObjects", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were deleted in bulk: where versions are kept, delete their delete markers."},
	{call: "s3:PutObject", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were written (requestParameters.key of the events): delete them, or put the old versions back. A header for a customer's key means that they are held to ransom."},
	{call: "s3:CopyObject", object: []string{"rq.bucketName"}, todo: "Objects were copied into the bucket {rq.bucketName} (requestParameters of the events): see whose they are, and whom to tell."},
	remove("s3:CreateAccessPoint", "s3control:DeleteAccessPoint", "access point", []string{"rq.name"}, args{"AccountId": "ev.account", "Name": "rq.name"}, "Delete the access point {rq.name}"),
	remove("s3:PutAccessPointPolicy", "s3control:DeleteAccessPointPolicy", "access point policy", []string{"rq.name"}, args{"AccountId": "ev.account", "Name": "rq.name"}, "Delete the policy of the access point {rq.name}, unless it had one before"),
	dbShare("rds:ModifyDBSnapshotAttribute", "DBSnapshotIdentifier", "rq.dBSnapshotIdentifier"),
	dbShare("rds:ModifyDBClusterSnapshotAttribute", "DBClusterSnapshotIdentifier", "rq.dBClusterSnapshotIdentifier"),
	remove("rds:CreateDBSnapshot", "rds:DeleteDBSnapshot", "database snapshot", []string{"rq.dBSnapshotIdentifier"}, args{"DBSnapshotIdentifier": "rq.dBSnapshotIdentifier"}, "Delete the database snapshot {rq.dBSnapshotIdentifier}, once it is no longer evidence"),
	remove("rds:StartExportTask", "rds:CancelExportTask", "export", []string{"rq.exportTaskIdentifier"}, args{"ExportTaskIdentifier": "rq.exportTaskIdentifier"}, "Cancel the export {rq.exportTaskIdentifier} to {rq.s3BucketName}, if it still runs"),
	remove("rds:RestoreDBInstanceFromDBSnapshot", "rds:DeleteDBInstance", "database", []string{"rq.dBInstanceIdentifier"}, args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "SkipFinalSnapshot": true}, "Delete the database {rq.dBInstanceIdentifier}, made from a snapshot"),
	{call: "rds:ModifyDBInstance", object: []string{"rq.dBInstanceIdentifier"}, todo: "The database {rq.dBInstanceIdentifier} was changed (password, public access, groups): put it back, and change its master password."},
	{call: "rds:DeleteDBInstance", object: []string{"rq.dBInstanceIdentifier"}, todo: "The database {rq.dBInstanceIdentifier} was deleted: restore it from a snapshot or a retained backup."},
	{call: "rds:DeleteDBCluster", object: []string{"rq.dBClusterIdentifier"}, todo: "The database cluster {rq.dBClusterIdentifier} was deleted: restore it from a snapshot or a retained backup."},
	{call: "rds:ModifyActivityStream", object: []string{"rq.resourceArn"}, todo: "The activity stream of {rq.resourceArn} was changed: put it back."},
	{
		call: "rds:AddRoleToDBInstance", object: []string{"rq.dBInstanceIdentifier", "rq.roleArn"}, also: []string{"RemoveRoleFromDBInstance"},
		steps: []step{{phase: Evict, mode: Auto, call: "rds:RemoveRoleFromDBInstance", in: args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "RoleArn": "rq.roleArn", "FeatureName": "rq.featureName"},
			back:  []reverse{{"rds:AddRoleToDBInstance", args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "RoleArn": "rq.roleArn", "FeatureName": "rq.featureName"}}},
			title: "Take the role {rq.roleArn} off the database {rq.dBInstanceIdentifier}", risk: "The database can no longer use it."}},
	},
	{call: "dynamodb:ExportTableToPointInTime", object: []string{"rq.tableArn"}, todo: "The table {rq.tableArn} was exported to {rq.s3Bucket}: secure that bucket, see whose data it is, and whom to tell."},
	remove("dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy", "resource policy", []string{"rq.resourceArn"}, args{"ResourceArn": "rq.resourceArn"}, "Delete the resource policy of {rq.resourceArn}, unless it had one before"),
	{call: "dynamodb:DeleteTable", object: []string{"rq.tableName"}, todo: "The table {rq.tableName} was deleted: restore it from a backup, or to a point in time within 35 days."},
	{
		call: "dynamodb:UpdateContinuousBackups", object: []string{"rq.tableName"},
		steps: []step{{phase: Recover, mode: Auto, call: "dynamodb:UpdateContinuousBackups", when: [2]string{"rq.pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled", "false"},
			in:    args{"TableName": "rq.tableName", "PointInTimeRecoverySpecification": args{"PointInTimeRecoveryEnabled": true}},
			back:  []reverse{{"dynamodb:UpdateContinuousBackups", args{"TableName": "rq.tableName", "PointInTimeRecoverySpecification": args{"PointInTimeRecoveryEnabled": false}}}},
			title: "Back the table {rq.tableName} up continuously again", risk: "Costs storage. What was kept before is lost."}},
	},
	{
		call: "redshift:AuthorizeSnapshotAccess", object: []string{"rq.snapshotIdentifier", "rq.accountWithRestoreAccess"}, also: []string{"RevokeSnapshotAccess"},
		steps: []step{{phase: Recover, mode: Auto, call: "redshift:RevokeSnapshotAccess", in: args{"SnapshotIdentifier": "rq.snapshotIdentifier", "AccountWithRestoreAccess": "rq.accountWithRestoreAccess"},
			back:  []reverse{{"redshift:AuthorizeSnapshotAccess", args{"SnapshotIdentifier": "rq.snapshotIdentifier", "AccountWithRestoreAccess": "rq.accountWithRestoreAccess"}}},
			title: "Stop sharing the snapshot {rq.snapshotIdentifier} with {rq.accountWithRestoreAccess}", risk: "Copies elsewhere stay: what it holds must count as taken."}},
	},
	{call: "backup:DeleteRecoveryPoint", object: []string{"rq.recoveryPointArn"}, todo: "The recovery point {rq.recoveryPointArn} is lost: see that others are left."},
	remove("backup:PutBackupVaultAccessPolicy", "backup:DeleteBackupVaultAccessPolicy", "vault policy", []string{"rq.backupVaultName"}, args{"BackupVaultName": "rq.backupVaultName"}, "Delete the access policy of the backup vault {rq.backupVaultName}, unless it had one before"),
	{call: "elasticfilesystem:DeleteFileSystem", object: []string{"rq.fileSystemId"}, todo: "The file system {rq.fileSystemId} was deleted: restore it from a backup."},
	remove("elasticfilesystem:PutFileSystemPolicy", "efs:DeleteFileSystemPolicy", "file system policy", []string{"rq.fileSystemId"}, args{"FileSystemId": "rq.fileSystemId"}, "Delete the policy of the file system {rq.fileSystemId}, unless it had one before"),
}

var publicBlock = args{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}

// dbShare takes back the sharing of a database snapshot.
func dbShare(call, param, id string) undo {
	in := func(values string) args {
		return args{param: id, "AttributeName": "rq.attributeName", values: "rq.valuesToAdd"}
	}
	return undo{
		call: call, object: []string{id},
		steps: []step{{phase: Recover, mode: Auto, call: call, in: in("ValuesToRemove"), back: []reverse{{call, in("ValuesToAdd")}},
			title: "Stop sharing the snapshot {" + id + "} with {rq.valuesToAdd}", risk: "Copies that were made elsewhere stay there: what it holds must count as taken."}},
		todo: "The sharing of the snapshot {" + id + "} was changed: put it back.",
	}
}
