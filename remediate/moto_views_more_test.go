package remediate

// moreViews are further ones.
var moreViews = []view{
	{"alternate contact", "account:GetAlternateContact", object{"AlternateContactType": "SECURITY"}, "[['security', AlternateContact.EmailAddress]]", nil, false},
	{"insights", "cloudtrail:GetInsightSelectors", object{"TrailName": "main"}, "[['main', InsightSelectors[].InsightType]]", nil, false},
	{"identity pool", "cognitoidentity:ListIdentityPools", object{"MaxResults": 10}, "IdentityPools[].IdentityPoolId", []detail{
		of("cognitoidentity:DescribeIdentityPool", "IdentityPoolId", "[IdentityPoolName, AllowUnauthenticatedIdentities]")}, false},
	{"user pool", "cognitoidentityprovider:ListUserPools", object{"MaxResults": 10}, "UserPools[].Id", []detail{
		parts("enabled user of pool", "cognitoidentityprovider:ListUsers", "UserPoolId", "Users[?Enabled].Username")}, false},
	{"config rule", "configservice:DescribeConfigRules", nil, "ConfigRules[].ConfigRuleName", nil, false},
	{"delivery channel", "configservice:DescribeDeliveryChannels", nil, "DeliveryChannels[].[Name, S3BucketName]", nil, false},
	{"recorder", "configservice:DescribeConfigurationRecorders", nil, "ConfigurationRecorders[].[Name, RoleARN, RecordingGroup.AllSupported]", nil, false},
	{"organisation's policy", "organizations:ListPolicies", object{"Filter": "SERVICE_CONTROL_POLICY"}, "Policies[].Id", []detail{
		of("organizations:DescribePolicy", "PolicyId", "Policy.Content"), of("organizations:ListTargetsForPolicy", "PolicyId", "Targets[].TargetId")}, false},
	{"member account", "organizations:ListAccounts", nil, "Accounts[].Id", []detail{of("organizations:ListParents", "ChildId", "Parents[].Id")}, false},
	{"service in the organisation", "organizations:ListAWSServiceAccessForOrganization", nil, "EnabledServicePrincipals[].ServicePrincipal", nil, false},
	{"delegated administrator", "organizations:ListDelegatedAdministrators", nil, "DelegatedAdministrators[].Id", nil, false},
	{"root", "organizations:ListRoots", nil, "Roots[].[Id, PolicyTypes]", nil, false},
	{"permission set", "ssoadmin:ListPermissionSets", object{"InstanceArn": ssoInstance}, "PermissionSets", []detail{
		{"ssoadmin:DescribePermissionSet", "PermissionSetArn", object{"InstanceArn": ssoInstance}, "PermissionSet.SessionDuration", ""},
		{"ssoadmin:GetInlinePolicyForPermissionSet", "PermissionSetArn", object{"InstanceArn": ssoInstance}, "InlinePolicy", ""},
		{"ssoadmin:ListManagedPoliciesInPermissionSet", "PermissionSetArn", object{"InstanceArn": ssoInstance}, "AttachedManagedPolicies[].Arn", ""},
		{"ssoadmin:ListAccountAssignments", "PermissionSetArn", object{"InstanceArn": ssoInstance, "AccountId": "123456789012"}, "AccountAssignments[].[PrincipalId]", "assignment"},
	}, false},
	{"directory user", "identitystore:ListUsers", object{"IdentityStoreId": identityStore}, "Users[].UserId", nil, false},
	{"directory group", "identitystore:ListGroups", object{"IdentityStoreId": identityStore}, "Groups[].GroupId", []detail{
		{"identitystore:ListGroupMemberships", "GroupId", object{"IdentityStoreId": identityStore}, "GroupMemberships[].MemberId.UserId", "member of directory group"}}, false},
	{"Inspector", "inspector2:BatchGetAccountStatus", object{"AccountIds": list("123456789012")}, "Accounts[].[AccountId, ResourceState.Ec2.Status]", nil, false},
	{"Macie", "macie2:GetMacieSession", nil, "[['account', Status]]", nil, false},
	{"Security Hub", "securityhub:DescribeHub", nil, "[['account', HubArn]]", nil, false},
	{"public access block", "s3control:GetPublicAccessBlock", object{"AccountId": "123456789012"}, "[['account', PublicAccessBlockConfiguration]]", nil, false},
	{"settings of bucket", "s3:ListBuckets", nil, "Buckets[].Name", []detail{
		of("s3:GetBucketEncryption", "Bucket", "ServerSideEncryptionConfiguration.Rules"), of("s3:GetBucketCors", "Bucket", "CORSRules"), of("s3:GetBucketLogging", "Bucket", "LoggingEnabled"),
		of("s3:GetBucketNotificationConfiguration", "Bucket", "LambdaFunctionConfigurations"), parts("object", "s3:ListObjectsV2", "Bucket", "Contents[].[Key, ETag]"),
	}, false},
	{"log stream", "cloudwatchlogs:DescribeLogStreams", object{"LogGroupName": "/app"}, "LogStreams[].LogStreamName", nil, false},
	{"replicas of secret", "secretsmanager:ListSecrets", nil, "SecretList[].Name", []detail{of("secretsmanager:DescribeSecret", "SecretId", "ReplicationStatus")}, false},
	{"document sharing", "ssm:ListDocuments", object{"Filters": []any{object{"Key": "Owner", "Values": []any{"Self"}}}}, "DocumentIdentifiers[].Name", []detail{
		{"ssm:DescribeDocumentPermission", "Name", object{"PermissionType": "Share"}, "AccountIds", ""}}, false},
	{"settings of topic", "sns:ListTopics", nil, "Topics[].TopicArn", []detail{of("sns:GetTopicAttributes", "TopicArn", "Attributes.DisplayName")}, false},
	{"settings of queue", "sqs:ListQueues", nil, "QueueUrls", []detail{{"sqs:GetQueueAttributes", "QueueUrl", object{"AttributeNames": []any{"VisibilityTimeout"}}, "Attributes.VisibilityTimeout", ""}}, false},
	{"thumbprints", "iam:ListOpenIDConnectProviders", nil, "OpenIDConnectProviderList[].Arn", []detail{of("iam:GetOpenIDConnectProvider", "OpenIDConnectProviderArn", "ThumbprintList")}, false},
	{"text of log policy", "cloudwatchlogs:DescribeResourcePolicies", nil, "ResourcePolicies[].[PolicyName, PolicyDocument]", nil, false},
}
