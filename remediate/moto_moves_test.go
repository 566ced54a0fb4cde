package remediate

import (
	"fmt"
	"slices"
)

// move is something that an intruder does: a call of the API and, where it makes
// something, its kind and where the answer names it.
type move struct {
	call, kind, name string
	in               func(*choice) object // nil: not now
}

// choice draws what a move is done to.
type choice struct {
	*estate
	t    fails
	draw func(kind string, from []string) string
	n    int // moves so far
}

// any gives a thing of a kind, the owner's or the intruder's own; "" is none.
func (c *choice) any(kind string) string {
	if len(c.things[kind]) == 0 {
		return ""
	}
	return c.draw(kind, c.things[kind])
}

// fresh is a name that nothing has.
func (c *choice) fresh(kind string) string { return fmt.Sprintf("x-%s-%d", kind, c.n) }

// with gives parameters in pairs, nil when one is missing.
func with(pairs ...any) object {
	out := object{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return nil
		}
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

const (
	fullPolicy      = "arn:aws:iam::aws:policy/AdministratorAccess"
	keyPolicy       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","arn:aws:iam::444455556666:root"]},"Action":"kms:*","Resource":"*"}]}`
	sshKey          = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 intruder"
	commandDocument = `{"schemaVersion":"2.2","description":"x","mainSteps":[{"action":"aws:runShellScript","name":"x","inputs":{"runCommand":["id"]}}]}`
	samlText        = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/"></EntityDescriptor>`
)

// moves are the random intrusion's, one or more for each event name of which
// testdata/moto_events.txt says that the property covers it.
var moves = slices.Concat(earlyMoves, commonMoves, computeMoves, identityMoves, organisationMoves, watcherMoves, storeMoves)

var commonMoves = []move{
	{"iam:CreateUser", "user", "User.UserName", func(c *choice) object { return with("UserName", c.fresh("user")) }},
	{"iam:CreateAccessKey", "", "", func(c *choice) object { return with("UserName", c.any("user")) }},
	{"iam:CreateLoginProfile", "", "", func(c *choice) object { return with("UserName", c.any("user"), "Password", "Hostile-1!") }},
	{"iam:UpdateLoginProfile", "", "", func(c *choice) object { return with("UserName", c.any("user"), "Password", "Hostile-2!") }},
	{"iam:DeleteLoginProfile", "", "", func(c *choice) object { return with("UserName", c.any("user")) }},
	{"iam:CreateVirtualMFADevice", "MFA device", "VirtualMFADevice.SerialNumber", func(c *choice) object { return with("VirtualMFADeviceName", c.fresh("mfa")) }},
	{"iam:EnableMFADevice", "", "", func(c *choice) object {
		return with("UserName", c.any("user"), "SerialNumber", c.any("MFA device"), "AuthenticationCode1", "123456", "AuthenticationCode2", "654321")
	}},
	{"iam:UploadSSHPublicKey", "", "", func(c *choice) object { return with("UserName", c.any("user"), "SSHPublicKeyBody", sshKey) }},
	{"iam:UpdateUser", "", "", func(c *choice) object { return with("UserName", "carol", "NewUserName", c.fresh("carol")) }},
	{"iam:TagUser", "", "", func(c *choice) object {
		return with("UserName", c.any("user"), "Tags", list(object{"Key": "team", "Value": "admins"}))
	}},
	{"iam:AttachUserPolicy", "", "", func(c *choice) object { return with("UserName", c.any("user"), "PolicyArn", fullPolicy) }},
	{"iam:AttachUserPolicy", "", "", func(c *choice) object { return with("UserName", c.any("user"), "PolicyArn", c.any("policy")) }},
	{"iam:PutUserPolicy", "", "", func(c *choice) object {
		return with("UserName", c.any("user"), "PolicyName", c.fresh("inline"), "PolicyDocument", allowAll)
	}},
	{"iam:DetachUserPolicy", "", "", func(c *choice) object { return with("UserName", c.any("user"), "PolicyArn", c.any("policy")) }},
	{"iam:DeleteUserPolicy", "", "", func(c *choice) object { return with("UserName", c.any("user"), "PolicyName", "own") }},
	{"iam:CreateGroup", "group", "Group.GroupName", func(c *choice) object { return with("GroupName", c.fresh("group")) }},
	{"iam:AttachGroupPolicy", "", "", func(c *choice) object { return with("GroupName", c.any("group"), "PolicyArn", fullPolicy) }},
	{"iam:PutGroupPolicy", "", "", func(c *choice) object {
		return with("GroupName", c.any("group"), "PolicyName", c.fresh("inline"), "PolicyDocument", allowAll)
	}},
	{"iam:DetachGroupPolicy", "", "", func(c *choice) object { return with("GroupName", c.any("group"), "PolicyArn", c.any("policy")) }},
	{"iam:AddUserToGroup", "", "", func(c *choice) object { return with("GroupName", c.any("group"), "UserName", c.any("user")) }},
	{"iam:RemoveUserFromGroup", "", "", func(c *choice) object { return with("GroupName", c.any("group"), "UserName", c.any("user")) }},
	{"iam:CreateRole", "role", "Role.RoleName", func(c *choice) object {
		return with("RoleName", c.fresh("role"), "AssumeRolePolicyDocument", trustEvil)
	}},
	{"iam:AttachRolePolicy", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "PolicyArn", fullPolicy) }},
	{"iam:PutRolePolicy", "", "", func(c *choice) object {
		return with("RoleName", c.any("role"), "PolicyName", c.fresh("inline"), "PolicyDocument", allowAll)
	}},
	{"iam:DetachRolePolicy", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "PolicyArn", c.any("policy")) }},
	{"iam:DeleteRolePolicy", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "PolicyName", "own") }},
	{"iam:UpdateAssumeRolePolicy", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "PolicyDocument", trustEvil) }},
	{"iam:UpdateRole", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "MaxSessionDuration", 43200) }},
	{"iam:TagRole", "", "", func(c *choice) object {
		return with("RoleName", c.any("role"), "Tags", list(object{"Key": "team", "Value": "admins"}))
	}},
	{"iam:PutRolePermissionsBoundary", "", "", func(c *choice) object { return with("RoleName", c.any("role"), "PermissionsBoundary", fullPolicy) }},
	{"iam:CreatePolicy", "policy", "Policy.Arn", func(c *choice) object { return with("PolicyName", c.fresh("policy"), "PolicyDocument", allowAll) }},
	{"iam:CreatePolicyVersion", "", "", func(c *choice) object {
		return with("PolicyArn", c.any("policy"), "PolicyDocument", allowAll, "SetAsDefault", c.draw("default", []string{"yes", "no"}) == "yes")
	}},
	{"iam:CreateInstanceProfile", "instance profile", "InstanceProfile.InstanceProfileName", func(c *choice) object { return with("InstanceProfileName", c.fresh("profile")) }},
	{"iam:AddRoleToInstanceProfile", "", "", func(c *choice) object {
		return with("InstanceProfileName", c.any("instance profile"), "RoleName", c.any("role"))
	}},
	{"iam:RemoveRoleFromInstanceProfile", "", "", func(*choice) object { return with("InstanceProfileName", "web", "RoleName", "worker") }},
	{"iam:CreateSAMLProvider", "SAML provider", "SAMLProviderArn", func(c *choice) object { return with("Name", c.fresh("saml"), "SAMLMetadataDocument", samlText) }},
	{"iam:CreateOpenIDConnectProvider", "OIDC provider", "OpenIDConnectProviderArn", func(c *choice) object {
		return with("Url", "https://"+c.fresh("oidc")+".example", "ThumbprintList", list("9e99a48a9960b14926bb7f3b02e22da2b0ab7280"), "ClientIDList", list("sts.amazonaws.com"))
	}},
	{"iam:CreateAccountAlias", "", "", func(c *choice) object { return with("AccountAlias", c.fresh("alias")) }},
	{"iam:PutUserPermissionsBoundary", "", "", func(c *choice) object { return with("UserName", c.any("user"), "PermissionsBoundary", fullPolicy) }},
	{"iam:CreateServiceSpecificCredential", "", "", func(c *choice) object { return with("UserName", c.any("user"), "ServiceName", "bedrock.amazonaws.com") }},

	{"cloudtrail:PutInsightSelectors", "", "", func(*choice) object { return with("TrailName", "main", "InsightSelectors", []any{}) }},
	{"cloudtrail:StopLogging", "", "", func(c *choice) object { return with("Name", c.any("trail")) }},
	{"cloudtrail:UpdateTrail", "", "", func(c *choice) object { return with("Name", "main", "IsMultiRegionTrail", false) }},
	{"cloudtrail:PutEventSelectors", "", "", func(*choice) object {
		return with("TrailName", "main", "EventSelectors", list(object{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": false}))
	}},
	{"cloudtrail:DeleteTrail", "", "", func(c *choice) object { return with("Name", "main") }},
	{"cloudwatchlogs:PutRetentionPolicy", "", "", func(c *choice) object { return with("LogGroupName", c.any("log group"), "RetentionInDays", 1) }},
	{"configservice:StopConfigurationRecorder", "", "", func(*choice) object { return with("ConfigurationRecorderName", "default") }},
	{"guardduty:UpdateDetector", "", "", func(c *choice) object { return with("DetectorId", c.any("detector"), "Enable", false) }},

	{"s3:PutBucketPolicy", "", "", func(c *choice) object {
		b := c.any("bucket")
		return with("Bucket", b, "Policy", openBucket(b, "open", "*"))
	}},
	{"s3:DeleteBucketPolicy", "", "", func(c *choice) object { return with("Bucket", c.any("bucket")) }},
	{"s3:PutBucketAcl", "", "", func(c *choice) object { return with("Bucket", c.any("bucket"), "ACL", "public-read") }},
	{"s3:PutBucketReplication", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "ReplicationConfiguration", object{"Role": c.things["role ARN"][0], "Rules": list(object{"ID": "x", "Status": "Enabled", "Priority": 1, "Filter": object{"Prefix": ""},
			"DeleteMarkerReplication": object{"Status": "Disabled"}, "Destination": object{"Bucket": "arn:aws:s3:::example-logs", "Account": "444455556666"}})})
	}},
	{"s3:PutBucketVersioning", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "VersioningConfiguration", object{"Status": "Suspended"})
	}},
	{"s3:DeletePublicAccessBlock", "", "", func(c *choice) object { return with("Bucket", c.any("bucket")) }},
	{"s3:PutBucketLifecycleConfiguration", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "LifecycleConfiguration", object{"Rules": list(object{"ID": "x", "Status": "Enabled", "Filter": object{"Prefix": ""}, "Expiration": object{"Days": 1}})})
	}},
	{"s3:PutBucketWebsite", "", "", func(c *choice) object {
		return with("Bucket", c.any("bucket"), "WebsiteConfiguration", object{"IndexDocument": object{"Suffix": "index.html"}})
	}},
	{"s3:CreateBucket", "bucket", "", func(c *choice) object { return with("Bucket", c.fresh("bucket")) }},

	{"ec2:RunInstances", "instance", "Instances[0].InstanceId", func(c *choice) object {
		return with("ImageId", "ami-12c6146b", "MinCount", 1, "MaxCount", 1, "InstanceType", "p4d.24xlarge")
	}},
	{"ec2:StopInstances", "", "", func(c *choice) object { return with("InstanceIds", list(c.any("instance"))) }},
	{"ec2:CreateKeyPair", "", "", func(c *choice) object { return with("KeyName", c.fresh("pair")) }},
	{"ec2:CreateSecurityGroup", "security group", "GroupId", func(c *choice) object {
		return with("GroupName", c.fresh("group"), "Description", "x", "VpcId", c.any("vpc"))
	}},
	{"ec2:AuthorizeSecurityGroupIngress", "", "", func(c *choice) object {
		return with("GroupId", c.any("security group"), "IpPermissions", ports(float64(8000+c.n), "203.0.113.0/24"))
	}},
	{"ec2:AuthorizeSecurityGroupEgress", "", "", func(c *choice) object {
		return with("GroupId", c.any("security group"), "IpPermissions", ports(float64(8000+c.n), "203.0.113.0/24"))
	}},
	{"ec2:RevokeSecurityGroupIngress", "", "", func(c *choice) object {
		return with("GroupId", c.things["security group"][0], "IpPermissions", ports(443, "0.0.0.0/0"))
	}},
	{"ec2:CreateNetworkAclEntry", "", "", func(c *choice) object {
		return with("NetworkAclId", c.any("network ACL"), "RuleNumber", 50+c.n, "Protocol", "-1", "RuleAction", "allow", "Egress", false, "CidrBlock", "203.0.113.0/24")
	}},
	{"ec2:CreateRoute", "", "", func(c *choice) object {
		return with("RouteTableId", c.any("route table"), "DestinationCidrBlock", fmt.Sprintf("10.%d.0.0/16", 10+c.n), "GatewayId", c.any("gateway"))
	}},
	{"ec2:AttachInternetGateway", "", "", func(c *choice) object { return with("InternetGatewayId", c.any("gateway"), "VpcId", c.any("vpc")) }},
	{"ec2:CreateLaunchTemplate", "launch template", "LaunchTemplate.LaunchTemplateId", func(c *choice) object {
		return with("LaunchTemplateName", c.fresh("template"), "LaunchTemplateData", object{"ImageId": "ami-12c6146b"})
	}},
	{"ec2:CreateVolume", "volume", "VolumeId", func(c *choice) object { return with("AvailabilityZone", "us-east-1a", "Size", 8) }},
	{"ec2:CreateSnapshot", "snapshot", "SnapshotId", func(c *choice) object { return with("VolumeId", c.any("volume"), "Description", "stolen") }},
	{"ec2:CopySnapshot", "snapshot", "SnapshotId", func(c *choice) object {
		return with("SourceSnapshotId", c.any("snapshot"), "SourceRegion", home, "Description", "stolen")
	}},
	{"ec2:CreateImage", "image", "ImageId", func(c *choice) object { return with("InstanceId", c.any("instance"), "Name", c.fresh("image")) }},
	{"ec2:ModifySnapshotAttribute", "", "", func(c *choice) object {
		return with("SnapshotId", c.any("snapshot"), "Attribute", "createVolumePermission", "OperationType", "add", "UserIds", list("444455556666"))
	}},
	{"ec2:ModifyImageAttribute", "", "", func(c *choice) object {
		return with("ImageId", c.any("image"), "Attribute", "launchPermission", "OperationType", "add", "UserIds", list("444455556666"))
	}},
	{"ec2:AllocateAddress", "", "", func(*choice) object { return with("Domain", "vpc") }},
	{"ec2:DisableEbsEncryptionByDefault", "", "", func(*choice) object { return with() }},
	{"ec2:CreateTags", "", "", func(c *choice) object {
		return with("Resources", list(c.any("instance")), "Tags", list(object{"Key": "team", "Value": "admins"}))
	}},

	{"lambda:CreateFunction", "function", "FunctionName", func(c *choice) object {
		return with("FunctionName", c.fresh("function"), "Runtime", "python3.12", "Role", c.any("role ARN"), "Handler", "a.b", "Code", object{"ZipFile": emptyZip})
	}},
	{"lambda:AddPermission", "", "", func(c *choice) object {
		return with("FunctionName", c.any("function"), "StatementId", c.fresh("statement"), "Action", "lambda:InvokeFunction", "Principal", "444455556666")
	}},
	{"lambda:CreateFunctionUrlConfig", "", "", func(c *choice) object { return with("FunctionName", c.any("function"), "AuthType", "NONE") }},
	{"lambda:PutFunctionConcurrency", "", "", func(c *choice) object {
		return with("FunctionName", c.any("function"), "ReservedConcurrentExecutions", 0)
	}},
	{"lambda:PublishLayerVersion", "", "", func(c *choice) object {
		return with("LayerName", c.fresh("layer"), "Content", object{"ZipFile": emptyZip})
	}},
	{"eventbridge:PutRule", "rule", "", func(c *choice) object { return with("Name", c.fresh("rule"), "ScheduleExpression", "rate(5 minutes)") }},
	{"eventbridge:PutTargets", "", "", func(c *choice) object {
		return with("Rule", c.any("rule"), "Targets", list(object{"Id": c.fresh("target"), "Arn": "arn:aws:lambda:us-east-1:123456789012:function:resize"}))
	}},
	{"eventbridge:DisableRule", "", "", func(c *choice) object { return with("Name", "nightly") }},

	{"kms:ScheduleKeyDeletion", "", "", func(c *choice) object { return with("KeyId", c.things["key"][0], "PendingWindowInDays", 7) }},
	{"kms:DisableKey", "", "", func(c *choice) object { return with("KeyId", c.things["key"][0]) }},
	{"kms:DisableKeyRotation", "", "", func(c *choice) object { return with("KeyId", c.things["key"][0]) }},
	{"kms:CreateGrant", "", "", func(c *choice) object {
		return with("KeyId", c.things["key"][0], "GranteePrincipal", "arn:aws:iam::444455556666:root", "Operations", list("Decrypt"))
	}},
	{"secretsmanager:DeleteSecret", "", "", func(c *choice) object { return with("SecretId", c.any("secret")) }},
	{"secretsmanager:PutResourcePolicy", "", "", func(c *choice) object {
		return with("SecretId", c.any("secret"), "ResourcePolicy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`)
	}},
	{"sns:Subscribe", "", "", func(c *choice) object {
		return with("TopicArn", c.any("topic"), "Protocol", "https", "Endpoint", "https://x.example/"+c.fresh("hook"))
	}},
	{"sns:AddPermission", "", "", func(c *choice) object {
		return with("TopicArn", c.any("topic"), "Label", c.fresh("label"), "AWSAccountId", list("444455556666"), "ActionName", list("Publish"))
	}},
	{"sqs:AddPermission", "", "", func(c *choice) object {
		return with("QueueUrl", c.any("queue"), "Label", c.fresh("label"), "AWSAccountIds", list("444455556666"), "Actions", list("SendMessage"))
	}},
	{"dynamodb:UpdateContinuousBackups", "", "", func(c *choice) object {
		return with("TableName", c.any("table"), "PointInTimeRecoverySpecification", object{"PointInTimeRecoveryEnabled": false})
	}},
	{"rds:CreateDBSnapshot", "database snapshot", "DBSnapshot.DBSnapshotIdentifier", func(c *choice) object {
		return with("DBSnapshotIdentifier", c.fresh("snapshot"), "DBInstanceIdentifier", c.any("database"))
	}},
	{"rds:ModifyDBSnapshotAttribute", "", "", func(c *choice) object {
		return with("DBSnapshotIdentifier", c.any("database snapshot"), "AttributeName", "restore", "ValuesToAdd", list("444455556666"))
	}},
	{"ecs:RegisterTaskDefinition", "", "", func(c *choice) object {
		return with("Family", c.fresh("task"), "ContainerDefinitions", list(object{"Name": "miner", "Image": "miner", "Memory": 64, "Cpu": 1}))
	}},
	{"route53:CreateHostedZone", "", "", func(c *choice) object {
		return with("Name", c.fresh("zone")+".example", "CallerReference", c.fresh("zone"))
	}},
	{"ses:VerifyEmailIdentity", "", "", func(c *choice) object { return with("EmailAddress", c.fresh("mail")+"@example.com") }},
	{"ses:VerifyDomainIdentity", "", "", func(c *choice) object { return with("Domain", c.fresh("mail")+".example") }},
	{"ssm:CreateDocument", "document", "DocumentDescription.Name", func(c *choice) object {
		return with("Name", c.fresh("document"), "DocumentType", "Command", "Content", commandDocument)
	}},
	{"apigateway:CreateRestApi", "", "", func(c *choice) object { return with("Name", c.fresh("api")) }},
	{"apigateway:CreateApiKey", "", "", func(c *choice) object { return with("Name", c.fresh("key")) }},
	{"codebuild:CreateProject", "", "", func(c *choice) object {
		return with("Name", c.fresh("project"), "Source", object{"Type": "S3", "Location": "example-data/site.zip"}, "Artifacts", object{"Type": "NO_ARTIFACTS"},
			"Environment", object{"Type": "LINUX_CONTAINER", "Image": "x", "ComputeType": "BUILD_GENERAL1_SMALL"}, "ServiceRole", c.any("role ARN"))
	}},
	{"glue:CreateJob", "", "", func(c *choice) object {
		return with("Name", c.fresh("job"), "Role", c.any("role ARN"), "Command", object{"Name": "glueetl", "ScriptLocation": "s3://x/y"})
	}},
	{"cloudformation:CreateStack", "", "", func(c *choice) object {
		return with("StackName", c.fresh("stack"), "TemplateBody", `{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"`+c.fresh("stacked")+`"}}}}`)
	}},
}
