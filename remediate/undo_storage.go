package remediate

import "time"

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
		prior: []prior{{"PutBucketPublicAccessBlock", []string{"rq.bucketName"}, "s3(rq.PublicAccessBlockConfiguration)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": "prior"},
			back:  []reverse{{"s3:PutPublicAccessBlock", args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": "s3(rq.PublicAccessBlockConfiguration)"}}},
			title: "Set the block of public access to the bucket {rq.bucketName} back to {prior}", risk: "Whoever read the bucket without credentials since no longer can."}},
		blind: []step{{phase: Recover, mode: Review, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": publicBlock},
			back:  []reverse{{"s3:PutPublicAccessBlock", args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": "s3(rq.PublicAccessBlockConfiguration)"}}},
			title: "Block public access to the bucket {rq.bucketName}", risk: "The log does not show how it was. A bucket that is meant to be public is not: put its old settings back instead."}},
	},
	{
		call: "s3:DeleteBucketPublicAccessBlock", object: []string{"rq.bucketName"}, also: []string{"PutBucketPublicAccessBlock", "DeleteBucket"},
		prior: []prior{{"PutBucketPublicAccessBlock", []string{"rq.bucketName"}, "s3(rq.PublicAccessBlockConfiguration)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": "prior"},
			back:  []reverse{{"s3:DeletePublicAccessBlock", args{"Bucket": "rq.bucketName"}}},
			title: "Block public access to the bucket {rq.bucketName} again, as before", risk: "Whoever read the bucket without credentials since no longer can."}},
		blind: []step{{phase: Recover, mode: Auto, call: "s3:PutPublicAccessBlock", in: args{"Bucket": "rq.bucketName", "PublicAccessBlockConfiguration": publicBlock},
			back:  []reverse{{"s3:DeletePublicAccessBlock", args{"Bucket": "rq.bucketName"}}},
			title: "Block public access to the bucket {rq.bucketName} again", risk: "If it blocked only some kinds before, more is blocked now."}},
	},
	{
		call: "s3:PutAccountPublicAccessBlock", object: []string{"ev.account"}, also: []string{"DeleteAccountPublicAccessBlock"},
		prior: []prior{{"PutAccountPublicAccessBlock", nil, "s3(rq.PublicAccessBlockConfiguration)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3control:PutPublicAccessBlock", in: args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": "prior"},
			back:  []reverse{{"s3control:PutPublicAccessBlock", args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": "s3(rq.PublicAccessBlockConfiguration)"}}},
			title: "Set the block of public access to all buckets of the account back to {prior}", risk: "Whoever read buckets without credentials since no longer can."}},
		blind: []step{{phase: Recover, mode: Review, call: "s3control:PutPublicAccessBlock", in: args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": publicBlock},
			back:  []reverse{{"s3control:PutPublicAccessBlock", args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": "s3(rq.PublicAccessBlockConfiguration)"}}},
			title: "Block public access to all buckets of the account", risk: "The log does not show how it was. Buckets that are meant to be public are not: put the old settings back instead."}},
	},
	{
		call: "s3:DeleteAccountPublicAccessBlock", object: []string{"ev.account"}, also: []string{"PutAccountPublicAccessBlock"},
		prior: []prior{{"PutAccountPublicAccessBlock", nil, "s3(rq.PublicAccessBlockConfiguration)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "s3control:PutPublicAccessBlock", in: args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": "prior"},
			back:  []reverse{{"s3control:DeletePublicAccessBlock", args{"AccountId": "ev.account"}}},
			title: "Block public access to all buckets of the account again, as before", risk: "Whoever read buckets without credentials since no longer can."}},
		blind: []step{{phase: Recover, mode: Review, call: "s3control:PutPublicAccessBlock", in: args{"AccountId": "ev.account", "PublicAccessBlockConfiguration": publicBlock},
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
	withDeadline(nextMidnight, bucketDocument("PutBucketLifecycle", "PutBucketLifecycleConfiguration", "LifecycleConfiguration", "LifecycleConfiguration", "DeleteBucketLifecycle", "lifecycle rules",
		"S3 carries rules out at midnight UTC: until then the intruder's can be stopped from deleting objects.")),
	bucketDocumentGone("DeleteBucketLifecycle", "PutBucketLifecycle", "PutBucketLifecycleConfiguration", "LifecycleConfiguration", "LifecycleConfiguration", "DeleteBucketLifecycle", "lifecycle rules"),
	bucketDocument("PutBucketReplication", "PutBucketReplication", "ReplicationConfiguration", "ReplicationConfiguration", "DeleteBucketReplication", "replication", "What was copied to the intruder's bucket stays there, and must count as taken."),
	bucketDocumentGone("DeleteBucketReplication", "PutBucketReplication", "PutBucketReplication", "ReplicationConfiguration", "ReplicationConfiguration", "DeleteBucketReplication", "replication"),
	{
		call: "s3:CreateJob", object: []string{"rs.jobId"}, also: []string{"UpdateJobStatus"},
		steps: []step{{phase: Evict, mode: Review, call: "s3control:UpdateJobStatus", in: args{"AccountId": "ev.account", "JobId": "rs.jobId", "RequestedJobStatus": "'Cancelled'"},
			title: "Cancel the batch job {rs.jobId}, if it still runs", risk: "Final. What it has done to objects stays done: see its report."}},
		todo: "The intruder started a batch job on objects: cancel it if it still runs (s3control ListJobs, UpdateJobStatus).",
	},
	bucketDocument("PutBucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration", "", "encryption", "Objects that were written in between keep the key that they were written under: one of another account means that they are held to ransom."),
	bucketDocumentGone("DeleteBucketEncryption", "PutBucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration", "DeleteBucketEncryption", "encryption"),
	bucketDocument("PutBucketLogging", "PutBucketLogging", "BucketLoggingStatus", "BucketLoggingStatus", "", "access log", "What was not logged in between is lost."),
	bucketDocument("PutBucketNotification", "PutBucketNotificationConfiguration", "NotificationConfiguration", "NotificationConfiguration", "", "notifications", "What they call must still let the bucket in."),
	bucketDocument("PutBucketCors", "PutBucketCors", "CORSConfiguration", "CORSConfiguration", "DeleteBucketCors", "CORS rules", "Web pages of other origins that had come to use the bucket no longer can."),
	bucketDocument("PutBucketWebsite", "PutBucketWebsite", "WebsiteConfiguration", "WebsiteConfiguration", "DeleteBucketWebsite", "web site", "Pages that others had come to read from it are gone."),
	{
		call: "s3:CreateBucket", object: []string{"rq.bucketName"}, creates: "bucket", also: []string{"DeleteBucket"}, idempotent: true, chain: true,
		steps: []step{
			{phase: Evict, mode: Review, call: "s3:DeleteObjects", in: args{"Bucket": "rq.bucketName", "Delete": args{"Objects": []any{Item}}},
				each:  &each{"s3:ListObjectVersions", args{"Bucket": "rq.bucketName"}, "[Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}"},
				title: "Empty the bucket {rq.bucketName} that the intruder made of every version of its objects",
				risk:  "Final. Copy what it holds first: it is evidence, and may be data of yours. If anyone else has come to keep something there, leave it."},
			{phase: Evict, mode: Review, call: "s3:DeleteBucket", in: args{"Bucket": "rq.bucketName"}, title: "Delete the bucket {rq.bucketName}",
				// AWS refuses to delete a bucket that holds anything:
				// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html.
				expect: []want{{"s3:ListObjectVersions", args{"Bucket": "rq.bucketName"}, "(Versions || DeleteMarkers)[0].Key", ""}},
				risk:   "Final. The intruder made it; see first whether anything has come to depend on it. AWS refuses while it holds anything."},
		},
	},
	{
		call: "s3:DeleteBucket", object: []string{"rq.bucketName"}, also: []string{"CreateBucket"},
		steps: []step{
			// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html: in
			// us-east-1 there is no location to be given, elsewhere there must be.
			{phase: Recover, mode: Review, call: "s3:CreateBucket", when: [2]string{"ev.region", "us-east-1"}, in: args{"Bucket": "rq.bucketName"},
				back: []reverse{{"s3:DeleteBucket", args{"Bucket": "rq.bucketName"}}}, title: "Make the bucket {rq.bucketName} again, so that nobody else takes its name", risk: bucketAnew},
			{phase: Recover, mode: Review, call: "s3:CreateBucket", when: [2]string{"ev.region", "!us-east-1"},
				in:   args{"Bucket": "rq.bucketName", "CreateBucketConfiguration": args{"LocationConstraint": "ev.region"}},
				back: []reverse{{"s3:DeleteBucket", args{"Bucket": "rq.bucketName"}}}, title: "Make the bucket {rq.bucketName} again, so that nobody else takes its name", risk: bucketAnew},
		},
	},
	{
		call: "s3:DeleteObject", object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:DeleteObjects", in: args{"Bucket": "rq.bucketName", "Delete": args{"Objects": []any{Item}}},
			when:  [2]string{"rq.versionId|'none'", "none"},
			each:  &each{"s3:ListObjectVersions", args{"Bucket": "rq.bucketName"}, "DeleteMarkers[?IsLatest && contains({all(rq.key)}, Key)].{Key: Key, VersionId: VersionId}"},
			title: "Take the delete marks off {all(rq.key)} in the bucket {rq.bucketName}",
			risk:  "The objects are as they were before. Nothing happens where the bucket keeps no versions: then look for copies, and say whose data is lost."}},
		todo: "Versions of objects of the bucket {rq.bucketName} were deleted for good (requestParameters.key of the events): look for copies, and say whose data is lost.",
	},
	{call: "s3:DeleteObjects", object: []string{"rq.bucketName"}, todo: "Objects of the bucket {rq.bucketName} were deleted in bulk: where versions are kept, delete their delete markers."},
	{
		call: "s3:PutObject", object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		steps: []step{{phase: Recover, mode: Review, call: "s3:DeleteObjects", in: args{"Bucket": "rq.bucketName", "Delete": args{"Objects": []any{Item}}}, when: [2]string{"all(rs.x-amz-version-id)", anyValue},
			each:  &each{"s3:ListObjectVersions", args{"Bucket": "rq.bucketName"}, "Versions[?contains({all(rs.x-amz-version-id)}, VersionId)].{Key: Key, VersionId: VersionId}"},
			title: "Delete the versions that the intruder wrote of {all(rq.key)} in the bucket {rq.bucketName}",
			risk:  "Final: copy them first, they are evidence. The versions before them are the current ones again; where those were deleted too and the intruder's are encrypted, they may be all that is left."},
			{phase: Recover, mode: Manual, when: [2]string{"rs.x-amz-version-id|'none'", "none"},
				title: "Objects of the bucket {rq.bucketName} were written while it kept no versions (requestParameters.key of the events): delete them, or put copies of the old ones in their place",
				risk:  "They may be encrypted data of yours, and all that is left of it."}},
		todo: "Objects of the bucket {rq.bucketName} were written (requestParameters.key of the events): delete them, or put the old versions back. A header for a customer's key means that they are held to ransom.",
	},
	{call: "s3:CopyObject", object: []string{"rq.bucketName"}, todo: "Objects were copied into the bucket {rq.bucketName} (requestParameters of the events): see whose they are, and whom to tell."},
	remove("s3:CreateAccessPoint", "s3control:DeleteAccessPoint", "access point", []string{"rq.name"}, args{"AccountId": "ev.account", "Name": "rq.name"}, "Delete the access point {rq.name}"),
	replacedWhole(policy{call: "s3:PutAccessPointPolicy", service: "s3control", object: []string{"rq.name"}, in: args{"AccountId": "ev.account", "Name": "rq.name"},
		param: "Policy", value: "json(rq.PutAccessPointPolicyRequest.Policy|rq.policy)", remove: "DeleteAccessPointPolicy", what: "policy of the access point {rq.name}", parts: []string{"DeleteAccessPoint"}}),
	dbShare("rds:ModifyDBSnapshotAttribute", "DBSnapshotIdentifier", "rq.dBSnapshotIdentifier"),
	dbShare("rds:ModifyDBClusterSnapshotAttribute", "DBClusterSnapshotIdentifier", "rq.dBClusterSnapshotIdentifier"),
	remove("rds:CreateDBSnapshot", "rds:DeleteDBSnapshot", "database snapshot", []string{"rq.dBSnapshotIdentifier"}, args{"DBSnapshotIdentifier": "rq.dBSnapshotIdentifier"}, "Delete the database snapshot {rq.dBSnapshotIdentifier}, once it is no longer evidence"),
	remove("rds:StartExportTask", "rds:CancelExportTask", "export", []string{"rq.exportTaskIdentifier"}, args{"ExportTaskIdentifier": "rq.exportTaskIdentifier"}, "Cancel the export {rq.exportTaskIdentifier} to {rq.s3BucketName}, if it still runs"),
	remove("rds:RestoreDBInstanceFromDBSnapshot", "rds:DeleteDBInstance", "database", []string{"rq.dBInstanceIdentifier"}, args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "SkipFinalSnapshot": true}, "Delete the database {rq.dBInstanceIdentifier}, made from a snapshot"),
	{
		call: "rds:ModifyDBInstance", object: []string{"rq.dBInstanceIdentifier", "kind(rq)"}, also: []string{"DeleteDBInstance"}, overlay: true,
		prior: []prior{{"CreateDBInstance", []string{"rq.dBInstanceIdentifier"}, "rq"}, {"ModifyDBInstance", []string{"rq.dBInstanceIdentifier"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Review, call: "rds:ModifyDBInstance", in: databaseFields("prior"), back: []reverse{{"rds:ModifyDBInstance", databaseFields("rq")}},
			title: "Set the database {rq.dBInstanceIdentifier} back to {prior}", risk: "What has come to reach the database no longer does. Change its master password too, if that was changed."}},
		blind: []step{{phase: Recover, mode: Review, call: "rds:ModifyDBInstance", when: [2]string{"rq.publiclyAccessible", "true"},
			in:    args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "PubliclyAccessible": false, "ApplyImmediately": true},
			back:  []reverse{{"rds:ModifyDBInstance", args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "PubliclyAccessible": true, "ApplyImmediately": true}}},
			title: "Take the database {rq.dBInstanceIdentifier} off the internet", risk: "If it was reachable before the incident too, its users lose it. What else was changed ({kind(rq)}) must be put back by hand."}},
		todo: "The database {rq.dBInstanceIdentifier} was changed ({kind(rq)}) and the log does not show how it was: put it back, and change its master password.",
	},
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
	replacedWhole(policy{call: "dynamodb:PutResourcePolicy", service: "dynamodb", object: []string{"rq.resourceArn"}, in: args{"ResourceArn": "rq.resourceArn"},
		param: "Policy", value: "json(rq.policy)", remove: "DeleteResourcePolicy", what: "resource policy of {rq.resourceArn}", parts: []string{"DeleteTable"}}),
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
	replacedWhole(policy{call: "backup:PutBackupVaultAccessPolicy", service: "backup", object: []string{"rq.backupVaultName"}, in: args{"BackupVaultName": "rq.backupVaultName"},
		param: "Policy", value: "json(rq.policy)", remove: "DeleteBackupVaultAccessPolicy", what: "access policy of the backup vault {rq.backupVaultName}", parts: []string{"DeleteBackupVault"}}),
	{call: "elasticfilesystem:DeleteFileSystem", object: []string{"rq.fileSystemId"}, todo: "The file system {rq.fileSystemId} was deleted: restore it from a backup."},
	replacedWhole(policy{call: "elasticfilesystem:PutFileSystemPolicy", service: "efs", object: []string{"rq.fileSystemId"}, in: args{"FileSystemId": "rq.fileSystemId"},
		param: "Policy", value: "json(rq.policy)", remove: "DeleteFileSystemPolicy", what: "policy of the file system {rq.fileSystemId}", parts: []string{"DeleteFileSystem"}}),
}

var publicBlock = args{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}

// dbShare takes back the sharing of a database snapshot.
func dbShare(call, param, id string) undo {
	_, op := splitCall(call)
	shares := sharing{op, "", id, []party{{"Users", "rq.valuesToAdd", "rq.valuesToRemove"}}}
	with := func(values string) func(string) args {
		return func(list string) args { return args{param: id, "AttributeName": "rq.attributeName", values: list} }
	}
	return undo{
		call: call, object: []string{id, "rq.attributeName"}, was: shares.before,
		steps: shareSteps(call, "the snapshot {"+id+"}", "Users", with("ValuesToAdd"), with("ValuesToRemove")),
		todo:  "The sharing of the snapshot {" + id + "} was changed: put it back.",
	}
}

// bucketDocument is a setting of a bucket that one call replaces whole; remove is
// the operation that ends it, "" where none does.
func bucketDocument(event, put, document, param, remove, what, risk string) undo {
	value := "s3(rq." + document + ")"
	back := []reverse{{"s3:" + put, args{"Bucket": "rq.bucketName", param: value}}}
	u := undo{
		call: "s3:" + event, object: []string{"rq.bucketName"}, also: []string{"DeleteBucket"},
		prior: []prior{{event, []string{"rq.bucketName"}, value}},
		steps: []step{{
			phase: Recover, mode: Review, call: "s3:" + put, in: args{"Bucket": "rq.bucketName", param: "prior"}, back: back,
			title: "Put the " + what + " of the bucket {rq.bucketName} back to what the log shows before the intruder", risk: risk,
		}},
		todo: "The " + what + " of the bucket {rq.bucketName} was replaced and the log does not show what was there: put the old back. The intruder's: {rq." + document + "}",
	}
	if remove != "" {
		u.also = append(u.also, remove)
		u.blind = []step{{
			phase: Recover, mode: Review, call: "s3:" + remove, in: args{"Bucket": "rq.bucketName"}, back: back,
			title: "Delete the " + what + " that the intruder gave the bucket {rq.bucketName}",
			risk:  risk + " The log shows nothing before: if there was, look it up and put that back instead.",
		}}
	}
	return u
}

// bucketDocumentGone is such a setting that was deleted.
func bucketDocumentGone(event, set, put, document, param, remove, what string) undo {
	return undo{
		call: "s3:" + event, object: []string{"rq.bucketName"}, also: []string{set, "DeleteBucket"},
		prior: []prior{{set, []string{"rq.bucketName"}, "s3(rq." + document + ")"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "s3:" + put, in: args{"Bucket": "rq.bucketName", param: "prior"}, back: []reverse{{"s3:" + remove, args{"Bucket": "rq.bucketName"}}},
			title: "Give the bucket {rq.bucketName} its " + what + " again", risk: "It does what it did before: read it first, for it may be old.",
		}},
		todo: "The " + what + " of the bucket {rq.bucketName} was deleted and is not in the log: put it back.",
	}
}

// withDeadline says when undoing comes too late.
func withDeadline(at func(*event) (time.Time, bool), u undo) undo {
	u.deadline = at
	return u
}

const bucketAnew = "What it held is lost unless it was copied; its policy, versioning and other settings must be set again. AWS refuses while someone else has the name."

// databaseFields are what lets others reach a database, and what keeps it.
func databaseFields(from string) args {
	return args{"DBInstanceIdentifier": "rq.dBInstanceIdentifier", "ApplyImmediately": true, "PubliclyAccessible": from + ".publiclyAccessible?", "VpcSecurityGroupIds": from + ".vpcSecurityGroupIds?",
		"DeletionProtection": from + ".deletionProtection?", "BackupRetentionPeriod": from + ".backupRetentionPeriod?", "EnableIAMDatabaseAuthentication": from + ".enableIAMDatabaseAuthentication?",
		"MultiAZ": from + ".multiAZ?", "DBInstanceClass": from + ".dBInstanceClass?", "DBParameterGroupName": from + ".dBParameterGroupName?"}
}
