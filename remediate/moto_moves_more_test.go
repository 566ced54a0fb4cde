package remediate

import "fmt"

// organisationMoves are those to the organisation and the account.
var organisationMoves = []move{
	{"organizations:AttachPolicy", "", "", func(c *choice) object {
		return with("PolicyId", c.things["SCP"][0], "TargetId", c.things["account"][1])
	}},
	{"organizations:UpdatePolicy", "", "", func(c *choice) object { return with("PolicyId", c.any("SCP"), "Content", openSCP) }},
	{"organizations:DetachPolicy", "", "", func(c *choice) object {
		return with("PolicyId", c.things["SCP"][0], "TargetId", c.things["account"][0])
	}},
	{"organizations:DeletePolicy", "", "", func(c *choice) object { return with("PolicyId", c.things["SCP"][1]) }},
	{"organizations:DisablePolicyType", "", "", func(c *choice) object { return with("RootId", c.things["root"][0], "PolicyType", "TAG_POLICY") }},
	{"organizations:EnableAWSServiceAccess", "", "", func(*choice) object { return with("ServicePrincipal", "ssm.amazonaws.com") }},
	{"organizations:RegisterDelegatedAdministrator", "", "", func(c *choice) object {
		return with("AccountId", c.things["account"][0], "ServicePrincipal", "ssm.amazonaws.com")
	}},
	{"organizations:DisableAWSServiceAccess", "", "", func(*choice) object { return with("ServicePrincipal", "config.amazonaws.com") }},
	{"organizations:MoveAccount", "", "", func(c *choice) object {
		return with("AccountId", c.things["account"][0], "SourceParentId", c.things["root"][0], "DestinationParentId", c.things["unit"][0])
	}},
	{"account:PutAlternateContact", "", "", func(*choice) object {
		return with("AlternateContactType", "SECURITY", "EmailAddress", "x@intruder.example", "Name", "x", "PhoneNumber", "+2", "Title", "x")
	}},
	{"support:CreateCase", "", "", func(*choice) object { return with("Subject", "more instances", "CommunicationBody", "please") }},
}

// watcherMoves are those to what keeps an eye on the account.
var watcherMoves = []move{
	{"configservice:PutConfigurationRecorder", "", "", func(c *choice) object {
		return with("ConfigurationRecorder", object{"Name": "default", "RoleARN": c.things["role ARN"][0], "RecordingGroup": object{"AllSupported": false, "ResourceTypes": list("AWS::EC2::Volume")}})
	}},
	{"configservice:DeleteConfigRule", "", "", func(*choice) object { return with("ConfigRuleName", "encrypted") }},
	{"configservice:DeleteDeliveryChannel", "", "", func(*choice) object { return with("DeliveryChannelName", "default") }},
	{"configservice:DeleteConfigurationRecorder", "", "", func(*choice) object { return with("ConfigurationRecorderName", "default") }},
	{"guardduty:CreateFilter", "", "", func(c *choice) object {
		return with("DetectorId", c.any("detector"), "Name", c.fresh("filter"), "Action", "ARCHIVE", "FindingCriteria", object{"Criterion": object{"severity": object{"Gte": 1}}})
	}},
	{"guardduty:UpdateFilter", "", "", func(c *choice) object {
		return with("DetectorId", c.any("detector"), "FilterName", "noise", "Action", "ARCHIVE")
	}},
	{"guardduty:DeleteDetector", "", "", func(c *choice) object { return with("DetectorId", c.any("detector")) }},
	{"inspector2:Disable", "", "", func(*choice) object { return with("AccountIds", list("123456789012"), "ResourceTypes", list("EC2")) }},
	{"macie2:DisableMacie", "", "", func(*choice) object { return with() }},
	{"securityhub:DisableSecurityHub", "", "", func(*choice) object { return with() }},
	{"cloudwatch:DeleteAlarms", "", "", func(*choice) object { return with("AlarmNames", list("errors")) }},
	{"cloudwatchlogs:PutSubscriptionFilter", "", "", func(c *choice) object {
		return with("LogGroupName", c.any("log group"), "FilterName", c.fresh("filter"), "FilterPattern", "key", "DestinationArn", resizeARN)
	}},
	{"cloudwatchlogs:PutResourcePolicy", "", "", func(c *choice) object {
		return with("PolicyName", c.draw("policy", []string{"dns", c.fresh("policy")}), "PolicyDocument", allowAll)
	}},
	{"cloudwatchlogs:DeleteSubscriptionFilter", "", "", func(c *choice) object { return with("LogGroupName", "/app", "FilterName", "ship") }},
	{"cloudwatchlogs:DeleteLogStream", "", "", func(*choice) object { return with("LogGroupName", "/app", "LogStreamName", "one") }},
	{"cloudwatchlogs:DeleteLogGroup", "", "", func(*choice) object { return with("LogGroupName", "/old") }},
	{"eventbridge:PutPermission", "", "", func(c *choice) object {
		return with("StatementId", c.fresh("statement"), "Action", "events:PutEvents", "Principal", "444455556666")
	}},
	{"eventbridge:RemoveTargets", "", "", func(*choice) object { return with("Rule", "nightly", "Ids", list("resize")) }},
	{"eventbridge:DeleteRule", "", "", func(*choice) object { return with("Name", "nightly") }},
	{"scheduler:CreateSchedule", "", "", func(c *choice) object {
		return with("Name", c.fresh("schedule"), "ScheduleExpression", "rate(5 minutes)", "FlexibleTimeWindow", object{"Mode": "OFF"}, "Target", object{"Arn": resizeARN, "RoleArn": c.things["role ARN"][0]})
	}},
}

// storeMoves are those to what holds data, and to what carries messages.
var storeMoves = []move{
	{"s3:PutBucketOwnershipControls", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "OwnershipControls", object{"Rules": list(object{"ObjectOwnership": "ObjectWriter"})})
	}},
	{"s3:PutPublicAccessBlock", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "PublicAccessBlockConfiguration", object{"BlockPublicAcls": false, "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false})
	}},
	{"s3control:PutPublicAccessBlock", "", "", func(*choice) object {
		return with("AccountId", "123456789012", "PublicAccessBlockConfiguration", object{"BlockPublicAcls": false, "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false})
	}},
	{"s3control:DeletePublicAccessBlock", "", "", func(*choice) object { return with("AccountId", "123456789012") }},
	{"s3:PutBucketEncryption", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "ServerSideEncryptionConfiguration", object{"Rules": list(object{"ApplyServerSideEncryptionByDefault": object{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:444455556666:key/x"}})})
	}},
	{"s3:PutBucketCors", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "CORSConfiguration", object{"CORSRules": list(object{"AllowedMethods": list("GET", "PUT"), "AllowedOrigins": list("*")})})
	}},
	{"s3:PutBucketLogging", "", "", func(c *choice) object { return with("Bucket", c.any("bucket"), "BucketLoggingStatus", object{}) }},
	{"s3:PutBucketNotificationConfiguration", "", "", func(c *choice) object { return with("Bucket", c.any("bucket"), "NotificationConfiguration", object{}) }},
	{"s3:PutObject", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "Key", c.fresh("ransom"), "Body", "YQ==")
	}},
	{"s3:PutObject", "", "", func(c *choice) object { return with("Bucket", "example-data", "Key", c.any("object"), "Body", "YQ==") }},
	{"s3:PutObjectAcl", "", "", func(c *choice) object {
		return with("Bucket", "example-data", "Key", c.any("object"), "ACL", "public-read")
	}},
	{"s3:GetObject", "", "", func(c *choice) object { return with("Bucket", "example-data", "Key", "report.csv") }},
	{"s3:DeleteObject", "", "", func(c *choice) object { return with("Bucket", "example-data", "Key", "report.csv") }},
	{"s3:DeleteObjects", "", "", func(c *choice) object {
		return with("Bucket", "example-data", "Delete", object{"Objects": list(object{"Key": "notes.txt"})})
	}},
	{"s3:DeleteBucketEncryption", "", "", func(c *choice) object { return with("Bucket", c.any("bucket")) }},
	{"s3:DeleteBucketLifecycle", "", "", func(c *choice) object { return with("Bucket", c.any("bucket")) }},
	{"s3:DeleteBucketReplication", "", "", func(c *choice) object { return with("Bucket", c.any("bucket")) }},
	{"s3:DeleteBucket", "", "", func(*choice) object { return with("Bucket", "example-empty") }},

	{"kms:CreateKey", "", "", func(*choice) object { return with("Description", "x") }},
	{"kms:UpdateAlias", "", "", func(c *choice) object {
		return with("AliasName", "alias/data", "TargetKeyId", c.any("key"))
	}},
	{"kms:PutKeyPolicy", "", "", func(c *choice) object {
		return with("KeyId", c.things["key"][0], "PolicyName", "default", "Policy", keyPolicy)
	}},
	{"secretsmanager:GetSecretValue", "", "", func(c *choice) object { return with("SecretId", "api") }},
	{"secretsmanager:BatchGetSecretValue", "", "", func(*choice) object { return with("SecretIdList", list("api")) }},
	{"secretsmanager:PutSecretValue", "", "", func(c *choice) object {
		return with("SecretId", "api", "SecretString", "hostile", "ClientRequestToken", fmt.Sprintf("00000000-0000-4000-8000-%012d", c.n))
	}},
	{"secretsmanager:ReplicateSecretToRegions", "", "", func(*choice) object {
		return with("SecretId", "api", "AddReplicaRegions", list(object{"Region": "eu-west-1"}))
	}},
	{"secretsmanager:DeleteResourcePolicy", "", "", func(*choice) object { return with("SecretId", "api") }},
	{"ssm:GetParameter", "", "", func(c *choice) object { return with("Name", "/app/key", "WithDecryption", true) }},
	{"ssm:GetParameters", "", "", func(c *choice) object { return with("Names", list("/app/key"), "WithDecryption", true) }},
	{"ssm:PutParameter", "", "", func(c *choice) object { return with("Name", "/"+c.fresh("parameter"), "Value", "x", "Type", "String") }},
	{"ssm:PutParameter", "", "", func(c *choice) object {
		return with("Name", "/app/url", "Value", "x", "Type", "String", "Overwrite", true)
	}},
	{"ssm:ModifyDocumentPermission", "", "", func(*choice) object {
		return with("Name", "patch", "PermissionType", "Share", "AccountIdsToAdd", list("444455556666"))
	}},
	{"ssm:DeleteParameter", "", "", func(c *choice) object { return with("Name", "/app/key") }},

	{"sns:Publish", "", "", func(c *choice) object { return with("PhoneNumber", "+15555550100", "Message", "x") }},
	{"sns:SetTopicAttributes", "", "", func(c *choice) object {
		return with("TopicArn", c.any("topic"), "AttributeName", "DisplayName", "AttributeValue", "hostile")
	}},
	{"sns:RemovePermission", "", "", func(c *choice) object { return with("TopicArn", c.any("topic"), "Label", "own") }},
	{"sqs:SetQueueAttributes", "", "", func(c *choice) object {
		return with("QueueUrl", c.any("queue"), "Attributes", object{"VisibilityTimeout": "1"})
	}},
	{"sqs:PurgeQueue", "", "", func(c *choice) object { return with("QueueUrl", c.any("queue")) }},
	{"ses:SendEmail", "", "", func(*choice) object {
		return with("Source", "own@example.com", "Destination", object{"ToAddresses": list("x@example.com")}, "Message", object{"Subject": object{"Data": "x"}, "Body": object{"Text": object{"Data": "x"}}})
	}},
}
