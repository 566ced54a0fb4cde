package remediate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trailscan/internal/mototest"
)

// view is how the things of a kind are seen in the account. Its path gives their
// names, or lists that begin with one and go on with what is to be compared.
type view struct {
	kind, call string
	in         object
	path       string
	details    []detail
	alone      bool // there is one at most, whatever its name
}

// detail is what else is to be compared, read by the thing's name. With as, what
// the path gives are things of their own.
type detail struct {
	call, by string
	in       object
	path, as string
}

func of(call, by, path string) detail { return detail{call: call, by: by, path: path} }

func parts(as, call, by, path string) detail { return detail{call: call, by: by, path: path, as: as} }

// views are all that the tests look at. Documents and settings are compared, not
// version numbers, ids of rules or dates.
var views = []view{
	{"user", "iam:GetAccountAuthorizationDetails", object{"Filter": []any{"User"}}, "UserDetailList[].[UserName, Path, UserPolicyList, AttachedManagedPolicies[].PolicyArn, GroupList]", []detail{
		parts("access key", "iam:ListAccessKeys", "UserName", "AccessKeyMetadata[].[AccessKeyId, Status]"),
		parts("password", "iam:GetLoginProfile", "UserName", "LoginProfile.[UserName]"),
		parts("MFA of user", "iam:ListMFADevices", "UserName", "MFADevices[].SerialNumber"),
		parts("SSH key", "iam:ListSSHPublicKeys", "UserName", "SSHPublicKeys[].[SSHPublicKeyId, Status]"),
		parts("certificate", "iam:ListSigningCertificates", "UserName", "Certificates[].[CertificateId, Status]"),
		parts("service credential", "iam:ListServiceSpecificCredentials", "UserName", "ServiceSpecificCredentials[].[ServiceSpecificCredentialId, Status]"),
		of("iam:ListUserTags", "UserName", "Tags"),
		of("iam:GetUser", "UserName", "User.PermissionsBoundary.PermissionsBoundaryArn"),
	}, false},
	{"role", "iam:GetAccountAuthorizationDetails", object{"Filter": []any{"Role"}}, "RoleDetailList[].[RoleName, AssumeRolePolicyDocument, RolePolicyList, AttachedManagedPolicies[].PolicyArn]", []detail{
		of("iam:ListRoleTags", "RoleName", "Tags"),
		of("iam:GetRole", "RoleName", "Role.[MaxSessionDuration, PermissionsBoundary.PermissionsBoundaryArn]"),
	}, false},
	{"group", "iam:GetAccountAuthorizationDetails", object{"Filter": []any{"Group"}}, "GroupDetailList[].[GroupName, GroupPolicyList, AttachedManagedPolicies[].PolicyArn]", nil, false},
	{"policy", "iam:GetAccountAuthorizationDetails", object{"Filter": []any{"LocalManagedPolicy"}}, "Policies[].[Arn, PolicyVersionList[?IsDefaultVersion].Document, length(PolicyVersionList)]", nil, false},
	{"instance profile", "iam:ListInstanceProfiles", nil, "InstanceProfiles[].[InstanceProfileName, Roles[].RoleName]", nil, false},
	{"SAML provider", "iam:ListSAMLProviders", nil, "SAMLProviderList[].Arn", []detail{of("iam:GetSAMLProvider", "SAMLProviderArn", "SAMLMetadataDocument")}, false},
	{"OIDC provider", "iam:ListOpenIDConnectProviders", nil, "OpenIDConnectProviderList[].Arn", nil, false},
	{"server certificate", "iam:ListServerCertificates", nil, "ServerCertificateMetadataList[].ServerCertificateName", nil, false},
	{"MFA device", "iam:ListVirtualMFADevices", nil, "VirtualMFADevices[].SerialNumber", nil, false},
	{"account alias", "iam:ListAccountAliases", nil, "AccountAliases", nil, false},
	{"password policy", "iam:GetAccountPasswordPolicy", nil, "[['account', PasswordPolicy]]", nil, false},
	{"bucket", "s3:ListBuckets", nil, "Buckets[].Name", []detail{
		of("s3:GetBucketPolicy", "Bucket", "Policy"), of("s3:GetBucketVersioning", "Bucket", "Status"),
		of("s3:GetPublicAccessBlock", "Bucket", "PublicAccessBlockConfiguration"), of("s3:GetBucketOwnershipControls", "Bucket", "OwnershipControls"),
		of("s3:GetBucketLifecycleConfiguration", "Bucket", "Rules"), of("s3:GetBucketWebsite", "Bucket", "IndexDocument"),
		of("s3:GetBucketAcl", "Bucket", "Grants[1:]"), of("s3:GetBucketReplication", "Bucket", "ReplicationConfiguration.Rules"),
	}, false},
	{"security group", "ec2:DescribeSecurityGroups", nil, "SecurityGroups[].[GroupId, GroupName, IpPermissions, IpPermissionsEgress]", nil, false},
	{"instance", "ec2:DescribeInstances", nil, "Reservations[].Instances[?State.Name!='terminated' && State.Name!='shutting-down'][].[InstanceId, State.Name, MetadataOptions.HttpTokens, Tags]", nil, false},
	{"key pair", "ec2:DescribeKeyPairs", nil, "KeyPairs[].KeyName", nil, false},
	{"snapshot", "ec2:DescribeSnapshots", object{"OwnerIds": []any{"self"}}, "Snapshots[?Description!='trailscan: evidence' && !starts_with(Description, 'Auto-created') && !starts_with(Description, 'Created by')].SnapshotId", []detail{
		{"ec2:DescribeSnapshotAttribute", "SnapshotId", object{"Attribute": "createVolumePermission"}, "CreateVolumePermissions", ""}}, false},
	{"image", "ec2:DescribeImages", object{"Owners": []any{"self"}}, "Images[].ImageId", []detail{{"ec2:DescribeImageAttribute", "ImageId", object{"Attribute": "launchPermission"}, "LaunchPermissions", ""}}, false},
	{"volume", "ec2:DescribeVolumes", nil, "Volumes[].[VolumeId, Attachments[].InstanceId]", nil, false},
	{"address", "ec2:DescribeAddresses", nil, "Addresses[].AllocationId", nil, false},
	{"launch template", "ec2:DescribeLaunchTemplates", nil, "LaunchTemplates[].LaunchTemplateName", nil, false},
	{"route table", "ec2:DescribeRouteTables", nil, "RouteTables[].[RouteTableId, Routes[].DestinationCidrBlock]", nil, false},
	{"network ACL", "ec2:DescribeNetworkAcls", nil, "NetworkAcls[].[NetworkAclId, Entries[].[Egress, RuleNumber, CidrBlock]]", nil, false},
	{"peering", "ec2:DescribeVpcPeeringConnections", nil, "VpcPeeringConnections[?Status.Code!='deleted'].VpcPeeringConnectionId", nil, false},
	{"gateway", "ec2:DescribeInternetGateways", nil, "InternetGateways[].[InternetGatewayId, Attachments[].VpcId]", nil, false},
	{"profile association", "ec2:DescribeIamInstanceProfileAssociations", nil, "IamInstanceProfileAssociations[?State!='disassociated'].[InstanceId, IamInstanceProfile.Arn]", nil, false},
	{"encryption of volumes", "ec2:GetEbsEncryptionByDefault", nil, "[['account', EbsEncryptionByDefault]]", nil, false},
	{"function", "lambda:ListFunctions", nil, "Functions[].[FunctionName, Role, Handler]", []detail{
		of("lambda:GetPolicy", "FunctionName", "Policy"), of("lambda:GetFunctionConcurrency", "FunctionName", "ReservedConcurrentExecutions"),
		parts("function URL", "lambda:GetFunctionUrlConfig", "FunctionName", "[[FunctionArn, AuthType]]"),
		parts("event source mapping", "lambda:ListEventSourceMappings", "FunctionName", "EventSourceMappings[].[UUID, State]"),
	}, false},
	{"layer", "lambda:ListLayers", nil, "Layers[].LayerName", nil, false},
	{"rule", "eventbridge:ListRules", nil, "Rules[].[Name, State, ScheduleExpression]", []detail{parts("target", "eventbridge:ListTargetsByRule", "Rule", "Targets[].[Id, Arn]")}, false},
	{"event bus", "eventbridge:DescribeEventBus", nil, "[[Name, Policy]]", nil, false},
	{"key", "kms:ListKeys", nil, "Keys[].KeyId", []detail{
		of("kms:DescribeKey", "KeyId", "KeyMetadata.KeyState"), of("kms:GetKeyPolicy", "KeyId", "Policy"), of("kms:GetKeyRotationStatus", "KeyId", "KeyRotationEnabled"),
		parts("grant", "kms:ListGrants", "KeyId", "Grants[].GrantId"),
	}, false},
	{"key alias", "kms:ListAliases", nil, "Aliases[?TargetKeyId].[AliasName, TargetKeyId]", nil, false},
	{"trail", "cloudtrail:DescribeTrails", nil, "trailList[].[Name, S3BucketName, IsMultiRegionTrail, IncludeGlobalServiceEvents] || TrailList[].[Name, S3BucketName, IsMultiRegionTrail, IncludeGlobalServiceEvents]", []detail{
		of("cloudtrail:GetTrailStatus", "Name", "IsLogging"), of("cloudtrail:GetEventSelectors", "TrailName", "EventSelectors[].[ReadWriteType, IncludeManagementEvents]"),
	}, false},
	{"log group", "cloudwatchlogs:DescribeLogGroups", nil, "LogGroups[].[LogGroupName, RetentionInDays]", []detail{parts("subscription filter", "cloudwatchlogs:DescribeSubscriptionFilters", "LogGroupName", "SubscriptionFilters[].FilterName")}, false},
	{"log policy", "cloudwatchlogs:DescribeResourcePolicies", nil, "ResourcePolicies[].PolicyName", nil, false},
	{"alarm", "cloudwatch:DescribeAlarms", nil, "MetricAlarms[].[AlarmName, ActionsEnabled]", nil, false},
	{"recorder", "configservice:DescribeConfigurationRecorderStatus", nil, "ConfigurationRecordersStatus[].[Name, Recording]", nil, false},
	{kind: "detector", call: "guardduty:ListDetectors", path: "DetectorIds", details: []detail{of("guardduty:GetDetector", "DetectorId", "Status")}, alone: true},
	{"secret", "secretsmanager:ListSecrets", nil, "SecretList[?!DeletedDate].Name", []detail{of("secretsmanager:GetResourcePolicy", "SecretId", "ResourcePolicy")}, false},
	{"topic", "sns:ListTopics", nil, "Topics[].TopicArn", []detail{of("sns:GetTopicAttributes", "TopicArn", "Attributes.Policy")}, false},
	{"subscription", "sns:ListSubscriptions", nil, "Subscriptions[].SubscriptionArn", nil, false},
	{"queue", "sqs:ListQueues", nil, "QueueUrls", []detail{{"sqs:GetQueueAttributes", "QueueUrl", object{"AttributeNames": []any{"Policy"}}, "Attributes.Policy", ""}}, false},
	{"table", "dynamodb:ListTables", nil, "TableNames", []detail{
		of("dynamodb:DescribeContinuousBackups", "TableName", "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus")}, false},
	{"repository", "ecr:DescribeRepositories", nil, "Repositories[].RepositoryName", nil, false},
	{"task definition", "ecs:ListTaskDefinitions", nil, "TaskDefinitionArns", nil, false},
	{"parameter", "ssm:DescribeParameters", nil, "Parameters[].Name", nil, false},
	{"document", "ssm:ListDocuments", object{"Filters": []any{object{"Key": "Owner", "Values": []any{"Self"}}}}, "DocumentIdentifiers[].Name", nil, false},
	{"database", "rds:DescribeDBInstances", nil, "DBInstances[].[DBInstanceIdentifier, AssociatedRoles[].RoleArn]", nil, false},
	{"database snapshot", "rds:DescribeDBSnapshots", nil, "DBSnapshots[?SnapshotType!='automated'].DBSnapshotIdentifier", []detail{of("rds:DescribeDBSnapshotAttributes", "DBSnapshotIdentifier", "DBSnapshotAttributesResult.DBSnapshotAttributes")}, false},
	{"hosted zone", "route53:ListHostedZones", nil, "HostedZones[].Name", nil, false},
	{"mail identity", "ses:ListIdentities", nil, "Identities", nil, false},
	{"schedule", "scheduler:ListSchedules", nil, "Schedules[].Name", nil, false},
	{"REST API", "apigateway:GetRestApis", nil, "Items[].Name", nil, false},
	{"API key", "apigateway:GetApiKeys", nil, "Items[].Name", nil, false},
	{"project", "codebuild:ListProjects", nil, "Projects", nil, false},
	{"job", "glue:ListJobs", nil, "JobNames", nil, false},
	{"stack", "cloudformation:ListStacks", nil, "StackSummaries[?StackStatus!='DELETE_COMPLETE'].StackName", nil, false},
}

// fails is what the helpers need of a test or of a property's run.
type fails interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// photograph shows the account: "kind name" and what is to be compared.
func photograph(ctx context.Context, t fails, r *mototest.Recorder) map[string]string {
	t.Helper()
	out := map[string]string{}
	look := func(call string, in object, path string) any {
		answer, err := r.Do(ctx, "us-east-1", call, in)
		if isGone(err) || err != nil && (strings.Contains(errorCode(err), "NoSuch") || call == "securityhub:DescribeHub" || call == "macie2:GetMacieSession") {
			return nil // not there, or switched off
		}
		if err != nil {
			t.Fatalf("look at the account: %v", err)
		}
		v, err := search(path, answer)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return v
	}
	each := func(v any, f func(name string, rest []any)) {
		list, _ := v.([]any)
		for _, e := range list {
			switch e := e.(type) {
			case []any:
				if len(e) > 0 && e[0] != nil {
					f(fmt.Sprint(e[0]), e[1:])
				}
			case nil:
			default:
				f(fmt.Sprint(e), nil)
			}
		}
	}
	for _, v := range slices.Concat(views, computeViews, moreViews) {
		each(look(v.call, v.in, v.path), func(name string, shown []any) {
			for _, d := range v.details {
				in := maps.Clone(d.in)
				if in == nil {
					in = object{}
				}
				in[strings.TrimSuffix(d.by, "[]")] = name
				if strings.HasSuffix(d.by, "[]") {
					in[strings.TrimSuffix(d.by, "[]")] = list(name)
				}
				found := look(d.call, in, d.path)
				if d.as == "" {
					shown = append(shown, found)
					continue
				}
				each(found, func(part string, rest []any) { out[d.as+" "+name+" "+part] = plainText(t, rest) })
			}
			if v.alone {
				name = "account"
			}
			if v.kind != "" { // only its details are looked at
				out[v.kind+" "+name] = plainText(t, shown)
			}
		})
	}
	return out
}

// plainText is a value with its documents parsed, its lists sorted, and without
// what only tells one rule or version from another.
func plainText(t fails, v any) string {
	t.Helper()
	text, err := json.Marshal(plainForm(plainJSON(v)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plainForm(v any) any {
	switch v := v.(type) {
	case string:
		if d, ok := parseDocument(v); ok {
			return plainForm(d)
		}
	case map[string]any:
		out := object{}
		for k, e := range v {
			if k != "VersionId" && k != "CreateDate" && k != "Id" || k == "Id" && len(v) == 2 {
				out[k] = plainForm(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plainForm(e)
		}
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(show(a), show(b)) })
		return out
	}
	return v
}

// differences are what two photographs do not share, sorted.
func differences(before, after map[string]string) []string {
	var out []string
	for k, v := range before {
		switch w, there := after[k]; {
		case !there:
			out = append(out, "missing: "+k)
		case v != w:
			out = append(out, fmt.Sprintf("changed: %s\n\tfrom %s\n\tto   %s", k, v, w))
		}
	}
	for k, v := range after {
		if _, there := before[k]; !there {
			out = append(out, "left: "+k+" "+v)
		}
	}
	slices.Sort(out)
	return out
}

// afterContainment is a photograph without what containment adds: denies, and
// the cut-off of sessions.
func afterContainment(t fails, photo map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var without func(v any) any
	without = func(v any) any {
		list, ok := v.([]any)
		if !ok {
			return v
		}
		kept := []any{}
		for _, e := range list {
			m, _ := e.(object)
			name, _ := m["PolicyName"].(string)
			if strings.HasPrefix(name, "trailscan-") || name == "AWSRevokeOlderSessions" || e == any("arn:aws:iam::aws:policy/AWSDenyAll") {
				continue
			}
			kept = append(kept, without(e))
		}
		return kept
	}
	for k, v := range photo {
		out[k] = v
		if strings.HasPrefix(k, "user ") || strings.HasPrefix(k, "role ") || strings.HasPrefix(k, "group ") {
			out[k] = plainText(t, without(parseAny(v)))
		}
	}
	return out
}

func parseAny(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}
