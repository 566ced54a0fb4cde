package remediate

const (
	ssoInstance   = "arn:aws:sso:::instance/ssoins-7223b02f8ad8e1aa"
	identityStore = "d-9067a1b2c3"
	guardSCP      = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}]}`
	openSCP       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	ownSAML       = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/own/of/the/company/"></EntityDescriptor>`
	ownThumbprint = "990f4193972f2becf12ddeda5237f9c952f20d9e"
	ownKeyPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}`
	ownSecret     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	logPolicy     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}`
	blockedAll    = `{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}`
	resizeARN     = "arn:aws:lambda:us-east-1:123456789012:function:resize"
)

// settler makes a call of the administrator's, keeps what it made under its kind
// and gives its name.
type settler func(kind, call string, in object, path string) string

// identities are what people and machines of the house sign in with, and what
// limits them.
func (e *estate) identities(made settler) {
	e.things["boundary"] = []string{"bounded"}
	made("", "iam:CreateRole", object{"RoleName": "bounded", "AssumeRolePolicyDocument": trustOwn, "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "")
	made("", "iam:TagRole", object{"RoleName": "bounded", "Tags": list(object{"Key": "team", "Value": "web"})}, "")
	made("", "iam:TagUser", object{"UserName": "carol", "Tags": list(object{"Key": "team", "Value": "web"})}, "")
	made("", "iam:CreateUser", object{"UserName": "frank"}, "")
	for range 2 {
		made("access key of frank", "iam:CreateAccessKey", object{"UserName": "frank"}, "AccessKey.AccessKeyId")
	}
	made("own MFA device", "iam:CreateVirtualMFADevice", object{"VirtualMFADeviceName": "carol"}, "VirtualMFADevice.SerialNumber")
	made("", "iam:EnableMFADevice", object{"UserName": "carol", "SerialNumber": e.things["own MFA device"][0], "AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}, "")
	made("own MFA device", "iam:CreateVirtualMFADevice", object{"VirtualMFADeviceName": "spare"}, "VirtualMFADevice.SerialNumber")
	made("", "iam:PutGroupPolicy", object{"GroupName": "developers", "PolicyName": "own", "PolicyDocument": allowS3}, "")
	made("idle group", "iam:CreateGroup", object{"GroupName": "idle"}, "Group.GroupName")
	made("idle group", "iam:CreateGroup", object{"GroupName": "empty"}, "Group.GroupName")
	made("idle user", "iam:CreateUser", object{"UserName": "dave"}, "User.UserName")
	made("idle role", "iam:CreateRole", object{"RoleName": "old", "AssumeRolePolicyDocument": trustOwn}, "Role.RoleName")
	made("idle policy", "iam:CreatePolicy", object{"PolicyName": "Old", "PolicyDocument": allowS3}, "Policy.Arn")
	made("own policy", "iam:CreatePolicy", object{"PolicyName": "Versions", "PolicyDocument": allowS3}, "Policy.Arn")
	made("", "iam:CreatePolicyVersion", object{"PolicyArn": e.things["own policy"][0], "PolicyDocument": allowAll}, "")
	made("", "iam:CreatePolicyVersion", object{"PolicyArn": e.things["own policy"][0], "PolicyDocument": allowS3}, "")
	made("own SAML provider", "iam:CreateSAMLProvider", object{"Name": "company", "SAMLMetadataDocument": ownSAML}, "SAMLProviderArn")
	made("own SAML provider", "iam:CreateSAMLProvider", object{"Name": "partner", "SAMLMetadataDocument": ownSAML}, "SAMLProviderArn")
	for _, name := range []string{"own", "other"} {
		made("own OIDC provider", "iam:CreateOpenIDConnectProvider", object{"Url": "https://" + name + ".example.com", "ThumbprintList": list(ownThumbprint), "ClientIDList": list("sts.amazonaws.com")}, "OpenIDConnectProviderArn")
	}
	made("", "iam:CreateAccountAlias", object{"AccountAlias": "example-company"}, "")
	made("", "iam:UpdateAccountPasswordPolicy", object{"MinimumPasswordLength": 14, "RequireNumbers": true, "MaxPasswordAge": 90}, "")
	made("permission set", "ssoadmin:CreatePermissionSet", object{"InstanceArn": ssoInstance, "Name": "Developers", "SessionDuration": "PT1H"}, "PermissionSet.PermissionSetArn")
	made("", "ssoadmin:PutInlinePolicyToPermissionSet", object{"InstanceArn": ssoInstance, "PermissionSetArn": e.things["permission set"][0], "InlinePolicy": allowS3}, "")
	made("directory group", "identitystore:CreateGroup", object{"IdentityStoreId": identityStore, "DisplayName": "staff"}, "GroupId")
	made("directory user", "identitystore:CreateUser", object{"IdentityStoreId": identityStore, "UserName": "erin", "DisplayName": "Erin", "Name": object{"GivenName": "Erin", "FamilyName": "E"}}, "UserId")
	made("identity pool", "cognitoidentity:CreateIdentityPool", object{"IdentityPoolName": "app", "AllowUnauthenticatedIdentities": false}, "IdentityPoolId")
	made("user pool", "cognitoidentityprovider:CreateUserPool", object{"PoolName": "app"}, "UserPool.Id")
}

// organisation is the house's, of which its account is the management account.
func (e *estate) organisation(made settler) {
	made("", "organizations:CreateOrganization", object{"FeatureSet": "ALL"}, "")
	made("root", "organizations:ListRoots", nil, "Roots[0].Id")
	root := e.things["root"][0]
	made("unit", "organizations:CreateOrganizationalUnit", object{"ParentId": root, "Name": "workloads"}, "OrganizationalUnit.Id")
	made("account", "organizations:CreateAccount", object{"AccountName": "audit", "Email": "audit@example.com"}, "CreateAccountStatus.AccountId")
	made("account", "organizations:CreateAccount", object{"AccountName": "spare", "Email": "spare@example.com"}, "CreateAccountStatus.AccountId")
	made("", "organizations:EnablePolicyType", object{"RootId": root, "PolicyType": "TAG_POLICY"}, "")
	for _, name := range []string{"guard", "spare"} {
		made("SCP", "organizations:CreatePolicy", object{"Name": name, "Description": name, "Type": "SERVICE_CONTROL_POLICY", "Content": guardSCP}, "Policy.PolicySummary.Id")
	}
	made("", "organizations:AttachPolicy", object{"PolicyId": e.things["SCP"][0], "TargetId": e.things["account"][0]}, "")
	made("", "organizations:EnableAWSServiceAccess", object{"ServicePrincipal": "config.amazonaws.com"}, "")
	made("", "account:PutAlternateContact", object{"AlternateContactType": "SECURITY", "EmailAddress": "security@example.com", "Name": "Security", "PhoneNumber": "+1", "Title": "CISO"}, "")
}

// watchers are what keeps an eye on the house.
func (e *estate) watchers(made settler) {
	made("", "cloudtrail:PutInsightSelectors", object{"TrailName": "main", "InsightSelectors": list(object{"InsightType": "ApiCallRateInsight"})}, "")
	made("", "configservice:PutConfigRule", object{"ConfigRule": object{"ConfigRuleName": "encrypted", "Source": object{"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"}}}, "")
	made("", "guardduty:CreateFilter", object{"DetectorId": e.things["detector"][0], "Name": "noise", "Action": "NOOP", "Rank": 1, "FindingCriteria": object{"Criterion": object{"severity": object{"Eq": list("2")}}}}, "")
	made("", "inspector2:Enable", object{"AccountIds": list("123456789012"), "ResourceTypes": list("EC2", "ECR")}, "")
	made("", "macie2:EnableMacie", object{}, "")
	made("", "securityhub:EnableSecurityHub", object{"EnableDefaultStandards": true}, "")
	made("", "cloudwatchlogs:PutSubscriptionFilter", object{"LogGroupName": "/app", "FilterName": "ship", "FilterPattern": "", "DestinationArn": resizeARN}, "")
	made("", "cloudwatchlogs:CreateLogStream", object{"LogGroupName": "/app", "LogStreamName": "one"}, "")
	made("", "cloudwatchlogs:CreateLogGroup", object{"LogGroupName": "/old"}, "")
	made("", "cloudwatchlogs:PutRetentionPolicy", object{"LogGroupName": "/old", "RetentionInDays": 90}, "")
	made("", "cloudwatchlogs:PutSubscriptionFilter", object{"LogGroupName": "/old", "FilterName": "keep", "FilterPattern": "", "DestinationArn": resizeARN}, "")
	made("", "cloudwatchlogs:PutResourcePolicy", object{"PolicyName": "dns", "PolicyDocument": logPolicy}, "")
}

// stores are what holds the house's data, and how it is kept.
func (e *estate) stores(made settler) {
	made("", "s3:CreateBucket", object{"Bucket": "example-empty"}, "")
	made("", "s3:PutBucketEncryption", object{"Bucket": "example-data", "ServerSideEncryptionConfiguration": object{"Rules": list(object{"ApplyServerSideEncryptionByDefault": object{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": e.things["key"][0]}})}}, "")
	made("", "s3:PutBucketLifecycleConfiguration", object{"Bucket": "example-data", "LifecycleConfiguration": object{"Rules": list(object{"ID": "own", "Status": "Enabled", "Filter": object{"Prefix": "tmp/"}, "Expiration": object{"Days": 30}})}}, "")
	made("", "s3:PutBucketCors", object{"Bucket": "example-data", "CORSConfiguration": object{"CORSRules": list(object{"AllowedMethods": list("GET"), "AllowedOrigins": list("https://example.com")})}}, "")
	made("", "s3:PutBucketReplication", object{"Bucket": "example-data", "ReplicationConfiguration": object{"Role": e.things["role ARN"][0], "Rules": list(object{"ID": "own", "Status": "Enabled", "Priority": 1, "Filter": object{"Prefix": ""},
		"DeleteMarkerReplication": object{"Status": "Disabled"}, "Destination": object{"Bucket": "arn:aws:s3:::example-logs"}})}}, "")
	made("", "s3:PutBucketNotificationConfiguration", object{"Bucket": "example-data", "NotificationConfiguration": object{"LambdaFunctionConfigurations": list(object{"Id": "own", "LambdaFunctionArn": resizeARN, "Events": list("s3:ObjectCreated:*")})}}, "")
	made("", "s3:PutBucketOwnershipControls", object{"Bucket": "example-data", "OwnershipControls": object{"Rules": list(object{"ObjectOwnership": "BucketOwnerEnforced"})}}, "")
	made("", "s3:PutObject", object{"Bucket": "example-data", "Key": "notes.txt", "Body": "YQ=="}, "")
	e.things["object"] = []string{"report.csv", "notes.txt"}
	made("", "s3control:PutPublicAccessBlock", object{"AccountId": "123456789012", "PublicAccessBlockConfiguration": parseAny(blockedAll)}, "")
	made("", "kms:PutKeyPolicy", object{"KeyId": e.things["key"][0], "PolicyName": "default", "Policy": ownKeyPolicy}, "")
	made("own secret", "secretsmanager:CreateSecret", object{"Name": "api", "SecretString": "made-up"}, "Name")
	made("", "secretsmanager:PutResourcePolicy", object{"SecretId": "api", "ResourcePolicy": ownSecret}, "")
	made("", "sns:AddPermission", object{"TopicArn": e.things["topic"][0], "Label": "own", "AWSAccountId": list("123456789012"), "ActionName": list("Publish")}, "")
	made("", "sns:SetTopicAttributes", object{"TopicArn": e.things["topic"][0], "AttributeName": "DisplayName", "AttributeValue": "Alerts"}, "")
	made("", "sqs:SetQueueAttributes", object{"QueueUrl": e.things["queue"][0], "Attributes": object{"VisibilityTimeout": "60"}}, "")
	made("", "ssm:PutParameter", object{"Name": "/app/key", "Value": "k", "Type": "SecureString"}, "")
	e.things["parameter"] = append(e.things["parameter"], "/app/key")
	made("own document", "ssm:CreateDocument", object{"Name": "patch", "DocumentType": "Command", "Content": commandDocument}, "DocumentDescription.Name")
	made("", "ses:VerifyEmailIdentity", object{"EmailAddress": "own@example.com"}, "")
}
