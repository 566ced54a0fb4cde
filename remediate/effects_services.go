package remediate

// What the writes of the services beside IAM do. Left out are those whose state
// AWS gives back in another form than it was written in, or answers for a thing
// that is gone with an error that does not say so.

// serviceEffects has them by service:Operation; a parameter that tells adding
// from removing stands behind the name.
func serviceEffects() map[string]effect {
	m := map[string]effect{}
	for _, add := range []func(map[string]effect){storageEffects, computeEffects, functionEffects, keyEffects, loggingEffects, identityEffects, otherEffects} {
		add(m)
	}
	return m
}

// switched are two operations that switch something on and off.
func switched(m map[string]effect, service, on, off string, e effect) {
	e.kind, e.to = sets, true
	m[service+":"+on] = e
	e.to = false
	m[service+":"+off] = e
}

// ended is an operation after which a read finds nothing.
func ended(read, value string, by ...string) effect {
	return effect{kind: takes, read: read, by: by, value: value}
}

// documented are the operations that put and delete a document.
func documented(m map[string]effect, service, put, remove, read, param, value string, by ...string) {
	m[service+":"+put] = effect{kind: sets, read: read, by: by, value: value, param: param, inverse: remove, ids: by}
	m[service+":"+remove] = effect{kind: takes, read: read, by: by, value: value, param: param, inverse: put, ids: by}
}

// filtered are the parameters of an EC2 read of the things that a filter names.
// Unlike a read by ids, it is no error when one of them is gone.
func filtered(name string, value any) map[string]any {
	return map[string]any{"Filters": []any{map[string]any{"Name": name, "Values": value}}}
}

func one(parameter string) []any { return []any{"{" + parameter + "}"} }

func storageEffects(m map[string]effect) {
	documented(m, "s3", "PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicy", "Policy", "Policy", "Bucket")
	documented(m, "s3", "PutPublicAccessBlock", "DeletePublicAccessBlock", "GetPublicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration", "Bucket")
	documented(m, "s3control", "PutPublicAccessBlock", "DeletePublicAccessBlock", "GetPublicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration", "AccountId")
	m["s3:PutBucketVersioning"] = effect{kind: sets, read: "GetBucketVersioning", by: []string{"Bucket"}, value: "Status && {Status: Status}", param: "VersioningConfiguration"}
	m["s3:PutBucketOwnershipControls"] = effect{kind: sets, read: "GetBucketOwnershipControls", by: []string{"Bucket"}, value: "OwnershipControls", param: "OwnershipControls",
		inverse: "DeleteBucketOwnershipControls", ids: []string{"Bucket"}}
	// The owner's grant alone makes a list private.
	m["s3:PutBucketAcl"] = ended("GetBucketAcl", "Grants[1:]", "Bucket")
	m["s3:PutObjectAcl"] = ended("GetObjectAcl", "Grants[1:]", "Bucket", "Key")
	m["s3:DeleteBucketLifecycle"] = ended("GetBucketLifecycleConfiguration", "Rules", "Bucket")
	m["s3:DeleteBucketReplication"] = ended("GetBucketReplication", "ReplicationConfiguration", "Bucket")
	m["s3:DeleteBucketWebsite"] = ended("GetBucketWebsite", "IndexDocument || RedirectAllRequestsTo", "Bucket")
	m["s3:DeleteBucket"] = ended("ListBuckets", "Buckets[?Name=={Bucket}].Name | [0]")
	m["s3control:DeleteAccessPoint"] = ended("GetAccessPoint", "Name", "AccountId", "Name")
	m["s3control:DeleteAccessPointPolicy"] = ended("GetAccessPointPolicy", "Policy", "AccountId", "Name")
	m["efs:DeleteFileSystemPolicy"] = ended("DescribeFileSystemPolicy", "Policy", "FileSystemId")
	m["backup:DeleteBackupVaultAccessPolicy"] = ended("GetBackupVaultAccessPolicy", "Policy", "BackupVaultName")
	m["dynamodb:DeleteResourcePolicy"] = ended("GetResourcePolicy", "Policy", "ResourceArn")
	m["rds:ModifyDBSnapshotAttribute"] = ended("DescribeDBSnapshotAttributes",
		"DBSnapshotAttributesResult.DBSnapshotAttributes[?AttributeName=={AttributeName}].AttributeValues[] | [?contains({ValuesToRemove[]}, @)]", "DBSnapshotIdentifier")
	m["rds:ModifyDBClusterSnapshotAttribute"] = ended("DescribeDBClusterSnapshotAttributes",
		"DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes[?AttributeName=={AttributeName}].AttributeValues[] | [?contains({ValuesToRemove[]}, @)]", "DBClusterSnapshotIdentifier")
	m["rds:DeleteDBSnapshot"] = ended("DescribeDBSnapshots", "DBSnapshots[0].DBSnapshotArn", "DBSnapshotIdentifier")
	m["rds:DeleteDBInstance"] = ended("DescribeDBInstances", "DBInstances[?DBInstanceStatus!='deleting'].DBInstanceArn | [0]", "DBInstanceIdentifier")
	shared := ended("DescribeClusterSnapshots", "Snapshots[].AccountsWithRestoreAccess[?AccountId=={AccountWithRestoreAccess}][].AccountId | [0]", "SnapshotIdentifier")
	m["redshift:RevokeSnapshotAccess"] = shared
	shared.kind = makes
	m["redshift:AuthorizeSnapshotAccess"] = shared
}

func computeEffects(m map[string]effect) {
	switched(m, "ec2", "EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault", effect{read: "GetEbsEncryptionByDefault", value: "EbsEncryptionByDefault"})
	switched(m, "ec2", "EnableSerialConsoleAccess", "DisableSerialConsoleAccess", effect{read: "GetSerialConsoleAccessStatus", value: "SerialConsoleAccessEnabled"})
	m["ec2:EnableSnapshotBlockPublicAccess"] = effect{kind: sets, read: "GetSnapshotBlockPublicAccessState", value: "State", param: "State"}
	m["ec2:DisableSnapshotBlockPublicAccess"] = effect{kind: sets, read: "GetSnapshotBlockPublicAccessState", value: "State", to: "unblocked"}
	m["ec2:EnableImageBlockPublicAccess"] = effect{kind: sets, read: "GetImageBlockPublicAccessState", value: "ImageBlockPublicAccessState", param: "ImageBlockPublicAccessState"}
	m["ec2:DisableImageBlockPublicAccess"] = effect{kind: sets, read: "GetImageBlockPublicAccessState", value: "ImageBlockPublicAccessState", to: "unblocked"}
	m["ec2:ModifyInstanceMetadataOptions"] = effect{kind: sets, read: "DescribeInstances", in: filtered("instance-id", one("InstanceId")),
		value: "Reservations[].Instances[].MetadataOptions.HttpTokens | [0]", param: "HttpTokens"}

	who := "[?contains({UserIds[]}, UserId) || contains({UserGroups[]}, Group) || contains({GroupNames[]}, Group)]"
	m["ec2:ModifySnapshotAttribute remove"] = effect{kind: takes, read: "DescribeSnapshotAttribute", by: []string{"SnapshotId", "Attribute"}, value: "CreateVolumePermissions" + who}
	m["ec2:ModifyImageAttribute remove"] = effect{kind: takes, read: "DescribeImageAttribute", by: []string{"ImageId"},
		in: map[string]any{"Attribute": "launchPermission"}, value: "LaunchPermissions" + who}
	for _, way := range []string{"Ingress", "Egress"} {
		m["ec2:RevokeSecurityGroup"+way] = effect{kind: takes, read: "DescribeSecurityGroupRules", in: filtered("group-id", one("GroupId")),
			value: "SecurityGroupRules[?contains({SecurityGroupRuleIds[]}, SecurityGroupRuleId)]"}
		list := map[string]string{"Ingress": "IpPermissions", "Egress": "IpPermissionsEgress"}[way]
		rules := effect{kind: takes, read: "DescribeSecurityGroups", in: filtered("group-id", one("GroupId")), value: "SecurityGroups[0]." + list, find: rulesAmong}
		m["ec2:RevokeSecurityGroup"+way+" IpPermissions"] = rules
		rules.kind, rules.find = makes, allRulesAmong
		m["ec2:AuthorizeSecurityGroup"+way+" IpPermissions"] = rules
	}

	instances := func(value string) effect {
		return effect{kind: takes, read: "DescribeInstances", in: filtered("instance-id", "{InstanceIds}"),
			value: "Reservations[].Instances[?!contains('" + value + "', State.Name)][].InstanceId"}
	}
	m["ec2:StopInstances"] = instances("stopping stopped shutting-down terminated")
	m["ec2:StartInstances"] = instances("pending running")
	m["ec2:TerminateInstances"] = instances("shutting-down terminated")

	for operation, of := range map[string]struct{ read, filter, param, value string }{
		"DeleteSecurityGroup":        {"DescribeSecurityGroups", "group-id", "GroupId", "SecurityGroups[0].GroupId"},
		"DeleteSnapshot":             {"DescribeSnapshots", "snapshot-id", "SnapshotId", "Snapshots[0].SnapshotId"},
		"DeleteVolume":               {"DescribeVolumes", "volume-id", "VolumeId", "Volumes[?State!='deleting' && State!='deleted'].VolumeId | [0]"},
		"DeleteKeyPair":              {"DescribeKeyPairs", "key-name", "KeyName", "KeyPairs[0].KeyName"},
		"DeregisterImage":            {"DescribeImages", "image-id", "ImageId", "Images[?State!='deregistered'].ImageId | [0]"},
		"ReleaseAddress":             {"DescribeAddresses", "allocation-id", "AllocationId", "Addresses[0].AllocationId"},
		"DeleteTrafficMirrorSession": {"DescribeTrafficMirrorSessions", "traffic-mirror-session-id", "TrafficMirrorSessionId", "TrafficMirrorSessions[0].TrafficMirrorSessionId"},
		"DeleteVpcPeeringConnection": {"DescribeVpcPeeringConnections", "vpc-peering-connection-id", "VpcPeeringConnectionId",
			"VpcPeeringConnections[?!contains('deleting deleted rejected expired failed', Status.Code)].VpcPeeringConnectionId | [0]"},
		"DeleteRoute": {"DescribeRouteTables", "route-table-id", "RouteTableId", "RouteTables[].Routes[?DestinationCidrBlock=={DestinationCidrBlock}][].DestinationCidrBlock | [0]"},
		"DisassociateIamInstanceProfile": {"DescribeIamInstanceProfileAssociations", "", "AssociationId",
			"IamInstanceProfileAssociations[?AssociationId=={AssociationId} && contains('associating associated', State)].AssociationId | [0]"},
		"DetachInternetGateway": {"DescribeInternetGateways", "internet-gateway-id", "InternetGatewayId", "InternetGateways[].Attachments[?VpcId=={VpcId}][].VpcId | [0]"},
		"DetachVolume":          {"DescribeVolumes", "volume-id", "VolumeId", "Volumes[].Attachments[?InstanceId=={InstanceId} && State!='detached'][].InstanceId | [0]"},
	} {
		e := effect{kind: takes, read: of.read, value: of.value}
		if of.filter != "" {
			e.in = filtered(of.filter, one(of.param))
		}
		m["ec2:"+operation] = e
	}
	for detach, attach := range map[string]string{"DetachInternetGateway": "AttachInternetGateway", "DetachVolume": "AttachVolume"} {
		e := m["ec2:"+detach]
		e.kind = makes
		m["ec2:"+attach] = e
	}
	m["ec2:DeleteNetworkAclEntry"] = effect{kind: takes, read: "DescribeNetworkAcls", in: map[string]any{"NetworkAclIds": one("NetworkAclId")},
		value: "NetworkAcls[].Entries[?RuleNumber=={RuleNumber} && Egress=={Egress}][].RuleNumber | [0]"}
	m["ec2:DeleteLaunchTemplate"] = effect{kind: takes, read: "DescribeLaunchTemplates", in: map[string]any{"LaunchTemplateIds": one("LaunchTemplateId")}, value: "LaunchTemplates[0].LaunchTemplateId"}
	m["autoscaling:DeleteAutoScalingGroup"] = effect{kind: takes, read: "DescribeAutoScalingGroups", in: map[string]any{"AutoScalingGroupNames": one("AutoScalingGroupName")},
		value: "AutoScalingGroups[?!Status].AutoScalingGroupName | [0]"}
	service := effect{kind: sets, read: "DescribeServices", by: []string{"Cluster"}, in: map[string]any{"Services": one("Service")}, value: "Services[0].DesiredCount", param: "DesiredCount"}
	m["ecs:UpdateService"] = service
	m["ecs:DeleteService"] = effect{kind: takes, read: service.read, by: service.by, in: service.in, value: "Services[?Status=='ACTIVE'].ServiceArn | [0]"}
	m["eks:DeleteAccessEntry"] = ended("DescribeAccessEntry", "AccessEntry.AccessEntryArn", "ClusterName", "PrincipalArn")
	m["eks:DisassociateAccessPolicy"] = ended("ListAssociatedAccessPolicies", "AssociatedAccessPolicies[?PolicyArn=={PolicyArn}].PolicyArn | [0]", "ClusterName", "PrincipalArn")
	m["eks:DeletePodIdentityAssociation"] = ended("DescribePodIdentityAssociation", "Association.AssociationId", "ClusterName", "AssociationId")
}

func functionEffects(m map[string]effect) {
	allowed := effect{kind: takes, read: "GetPolicy", by: []string{"FunctionName", "Qualifier"}, value: "Policy", statement: "StatementId"}
	m["lambda:RemovePermission"] = allowed
	allowed.kind = makes
	m["lambda:AddPermission"] = allowed
	layer := effect{kind: takes, read: "GetLayerVersionPolicy", by: []string{"LayerName", "VersionNumber"}, value: "Policy", statement: "StatementId"}
	m["lambda:RemoveLayerVersionPermission"] = layer
	layer.kind = makes
	m["lambda:AddLayerVersionPermission"] = layer
	documented(m, "lambda", "PutFunctionConcurrency", "DeleteFunctionConcurrency", "GetFunctionConcurrency", "ReservedConcurrentExecutions", "ReservedConcurrentExecutions", "FunctionName")
	m["lambda:DeleteFunctionUrlConfig"] = ended("GetFunctionUrlConfig", "FunctionUrl", "FunctionName", "Qualifier")
	m["lambda:UpdateFunctionUrlConfig"] = effect{kind: sets, read: "GetFunctionUrlConfig", by: []string{"FunctionName", "Qualifier"}, value: "AuthType", param: "AuthType"}
	m["lambda:DeleteFunction"] = ended("GetFunction", "Configuration.FunctionArn", "FunctionName")
	m["lambda:DeleteLayerVersion"] = ended("GetLayerVersion", "LayerVersionArn", "LayerName", "VersionNumber")
	m["lambda:DeleteEventSourceMapping"] = ended("GetEventSourceMapping", "[@][?State!='Deleting'].UUID | [0]", "UUID")
	m["lambda:UpdateEventSourceMapping"] = effect{kind: sets, read: "GetEventSourceMapping", by: []string{"UUID"}, value: "contains('Enabled Enabling Creating', State)", param: "Enabled"}

	rule := []string{"Name", "EventBusName"}
	m["eventbridge:EnableRule"] = effect{kind: sets, read: "DescribeRule", by: rule, value: "State", to: "ENABLED"}
	m["eventbridge:DisableRule"] = effect{kind: sets, read: "DescribeRule", by: rule, value: "State", to: "DISABLED"}
	m["eventbridge:DeleteRule"] = ended("DescribeRule", "Arn", rule...)
	m["eventbridge:RemoveTargets"] = ended("ListTargetsByRule", "Targets[?contains({Ids[]}, Id)].Id", "Rule", "EventBusName")
	bus := effect{kind: takes, read: "DescribeEventBus", in: map[string]any{"Name": "{EventBusName}"}, value: "Policy", statement: "StatementId"}
	m["eventbridge:RemovePermission"] = bus
	bus.kind = makes
	m["eventbridge:PutPermission"] = bus
	m["scheduler:DeleteSchedule"] = ended("GetSchedule", "Arn", "Name", "GroupName")
	topic := effect{kind: takes, read: "GetTopicAttributes", by: []string{"TopicArn"}, value: "Attributes.Policy", statement: "Label"}
	m["sns:RemovePermission"] = topic
	topic.kind = makes
	m["sns:AddPermission"] = topic
	m["sns:Unsubscribe"] = ended("GetSubscriptionAttributes", "Attributes.SubscriptionArn", "SubscriptionArn")
	m["sqs:RemovePermission"] = effect{kind: takes, read: "GetQueueAttributes", by: []string{"QueueUrl"}, in: map[string]any{"AttributeNames": []any{"Policy"}},
		value: "Attributes.Policy", statement: "Label"}
	m["codebuild:DeleteProject"] = effect{kind: takes, read: "BatchGetProjects", in: map[string]any{"Names": one("Name")}, value: "Projects[0].Name"}
	m["codebuild:StopBuild"] = effect{kind: takes, read: "BatchGetBuilds", in: map[string]any{"Ids": one("Id")}, value: "Builds[?BuildStatus=='IN_PROGRESS'].Id | [0]"}
	m["cloudformation:DeleteStack"] = ended("DescribeStacks", "Stacks[?StackStatus!='DELETE_COMPLETE' && StackStatus!='DELETE_IN_PROGRESS'].StackId | [0]", "StackName")
	m["apigateway:DeleteRestApi"] = ended("GetRestApi", "Id", "RestApiId")
	m["apigateway:DeleteApiKey"] = ended("GetApiKey", "Id", "ApiKey")
	m["appsync:DeleteApiKey"] = ended("ListApiKeys", "ApiKeys[?Id=={Id}].Id | [0]", "ApiId")
	m["glue:DeleteJob"] = ended("GetJob", "Job.Name", "JobName")
	m["glue:DeleteDevEndpoint"] = ended("GetDevEndpoint", "DevEndpoint.EndpointName", "EndpointName")
}

func keyEffects(m map[string]effect) {
	switched(m, "kms", "EnableKey", "DisableKey", effect{read: "DescribeKey", by: []string{"KeyId"}, value: "KeyMetadata.Enabled"})
	switched(m, "kms", "EnableKeyRotation", "DisableKeyRotation", effect{read: "GetKeyRotationStatus", by: []string{"KeyId"}, value: "KeyRotationEnabled"})
	switched(m, "kms", "ScheduleKeyDeletion", "CancelKeyDeletion", effect{read: "DescribeKey", by: []string{"KeyId"}, value: "KeyMetadata.KeyState && KeyMetadata.KeyState=='PendingDeletion'"})
	m["kms:PutKeyPolicy"] = effect{kind: sets, read: "GetKeyPolicy", by: []string{"KeyId", "PolicyName"}, value: "Policy", param: "Policy"}
	m["kms:DeleteAlias"] = ended("ListAliases", "Aliases[?AliasName=={AliasName}].AliasName | [0]")
	m["kms:RevokeGrant"] = ended("ListGrants", "Grants[?GrantId=={GrantId}].GrantId | [0]", "KeyId")
	documented(m, "secretsmanager", "PutResourcePolicy", "DeleteResourcePolicy", "GetResourcePolicy", "ResourcePolicy", "ResourcePolicy", "SecretId")
	switched(m, "secretsmanager", "DeleteSecret", "RestoreSecret", effect{read: "DescribeSecret", by: []string{"SecretId"}, value: "DeletedDate != `null`"})
}

func loggingEffects(m map[string]effect) {
	switched(m, "cloudtrail", "StartLogging", "StopLogging", effect{read: "GetTrailStatus", by: []string{"Name"}, value: "IsLogging"})
	m["cloudtrail:DeleteTrail"] = ended("GetTrail", "Trail.TrailARN", "Name")
	switched(m, "configservice", "StartConfigurationRecorder", "StopConfigurationRecorder",
		effect{read: "DescribeConfigurationRecorderStatus", in: map[string]any{"ConfigurationRecorderNames": one("ConfigurationRecorderName")}, value: "ConfigurationRecordersStatus[0].Recording"})
	m["guardduty:UpdateDetector"] = effect{kind: sets, read: "GetDetector", by: []string{"DetectorId"}, value: "Status=='ENABLED'", param: "Enable"}
	m["cloudwatch:EnableAlarmActions"] = ended("DescribeAlarms", "[MetricAlarms, CompositeAlarms][][?ActionsEnabled==`false`].AlarmName | []", "AlarmNames")
	m["cloudwatch:DisableAlarmActions"] = ended("DescribeAlarms", "[MetricAlarms, CompositeAlarms][][?ActionsEnabled].AlarmName | []", "AlarmNames")

	group := effect{kind: sets, read: "DescribeLogGroups", in: map[string]any{"LogGroupNamePrefix": "{LogGroupName}"},
		value: "LogGroups[?LogGroupName=={LogGroupName}].RetentionInDays | [0]", param: "RetentionInDays", inverse: "DeleteRetentionPolicy", ids: []string{"LogGroupName"}}
	m["cloudwatchlogs:PutRetentionPolicy"] = group
	group.kind, group.inverse = takes, "PutRetentionPolicy"
	m["cloudwatchlogs:DeleteRetentionPolicy"] = group
	group.param, group.inverse, group.value = "", "", "LogGroups[?LogGroupName=={LogGroupName}].Arn | [0]"
	m["cloudwatchlogs:DeleteLogGroup"] = group
	group.kind = makes
	m["cloudwatchlogs:CreateLogGroup"] = group
	m["cloudwatchlogs:DeleteSubscriptionFilter"] = ended("DescribeSubscriptionFilters", "SubscriptionFilters[?FilterName=={FilterName}].FilterName | [0]", "LogGroupName")
	policy := effect{kind: sets, read: "DescribeResourcePolicies", value: "ResourcePolicies[?PolicyName=={PolicyName}].PolicyDocument | [0]", param: "PolicyDocument",
		inverse: "DeleteResourcePolicy", ids: []string{"PolicyName"}}
	m["cloudwatchlogs:PutResourcePolicy"] = policy
	policy.kind, policy.inverse = takes, "PutResourcePolicy"
	m["cloudwatchlogs:DeleteResourcePolicy"] = policy
}

func identityEffects(m map[string]effect) {
	for _, of := range []struct{ noun, id string }{{"TrustAnchor", "TrustAnchorId"}, {"Profile", "ProfileId"}, {"Crl", "CrlId"}} {
		switched(m, "rolesanywhere", "Enable"+of.noun, "Disable"+of.noun, effect{read: "Get" + of.noun, by: []string{of.id}, value: of.noun + ".Enabled"})
		m["rolesanywhere:Delete"+of.noun] = ended("Get"+of.noun, of.noun+"."+of.id, of.id)
	}
	m["identitystore:DeleteUser"] = ended("DescribeUser", "UserId", "IdentityStoreId", "UserId")
	m["identitystore:DeleteGroup"] = ended("DescribeGroup", "GroupId", "IdentityStoreId", "GroupId")
	m["identitystore:DeleteGroupMembership"] = ended("DescribeGroupMembership", "MembershipId", "IdentityStoreId", "MembershipId")
	set := []string{"InstanceArn", "PermissionSetArn"}
	policy := ended("ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies[?Arn=={ManagedPolicyArn}].Arn | [0]", set...)
	m["ssoadmin:DetachManagedPolicyFromPermissionSet"] = policy
	policy.kind = makes
	m["ssoadmin:AttachManagedPolicyToPermissionSet"] = policy
	assigned := effect{kind: takes, read: "ListAccountAssignments", by: set, in: map[string]any{"AccountId": "{TargetId}"}, value: "AccountAssignments[?PrincipalId=={PrincipalId}].PrincipalId | [0]"}
	m["ssoadmin:DeleteAccountAssignment"] = assigned
	assigned.kind = makes
	m["ssoadmin:CreateAccountAssignment"] = assigned
	m["ssoadmin:DeletePermissionSet"] = ended("DescribePermissionSet", "PermissionSet.PermissionSetArn", set...)
	m["ssoadmin:DeleteTrustedTokenIssuer"] = ended("DescribeTrustedTokenIssuer", "TrustedTokenIssuerArn", "TrustedTokenIssuerArn")
	switched(m, "cognitoidentityprovider", "AdminEnableUser", "AdminDisableUser", effect{read: "AdminGetUser", by: []string{"UserPoolId", "Username"}, value: "Enabled"})
}

func otherEffects(m map[string]effect) {
	m["ssm:ModifyDocumentPermission"] = ended("DescribeDocumentPermission", "AccountIds[?contains({AccountIdsToRemove[]}, @)]", "Name", "PermissionType")
	m["ssm:TerminateSession"] = effect{kind: takes, read: "DescribeSessions",
		in:    map[string]any{"State": "Active", "Filters": []any{map[string]any{"Key": "SessionId", "Value": "{SessionId}"}}},
		value: "Sessions[0].SessionId"}
	switched(m, "account", "EnableRegion", "DisableRegion", effect{read: "GetRegionOptStatus", by: []string{"RegionName"}, value: "contains('ENABLED ENABLING ENABLED_BY_DEFAULT', RegionOptStatus)"})
	switched(m, "route53domains", "EnableDomainAutoRenew", "DisableDomainAutoRenew", effect{read: "GetDomainDetail", by: []string{"DomainName"}, value: "AutoRenew"})
	m["route53:DeleteHostedZone"] = ended("GetHostedZone", "HostedZone.Id", "Id")
	m["ses:UpdateAccountSendingEnabled"] = effect{kind: sets, read: "GetAccountSendingEnabled", value: "Enabled", param: "Enabled"}
	m["ses:DeleteIdentity"] = ended("ListIdentities", "Identities[?@=={Identity}] | [0]")
	m["sesv2:DeleteEmailIdentity"] = ended("GetEmailIdentity", "IdentityType", "EmailIdentity")
	m["transfer:DeleteServer"] = ended("DescribeServer", "Server.Arn", "ServerId")
	m["transfer:DeleteUser"] = ended("DescribeUser", "User.Arn", "ServerId", "UserName")
	m["bedrock:DeleteProvisionedModelThroughput"] = ended("GetProvisionedModelThroughput", "ProvisionedModelArn", "ProvisionedModelId")
	m["bedrock:StopModelInvocationJob"] = ended("GetModelInvocationJob", "[@][?contains('Submitted Validating Scheduled InProgress', Status)].JobArn | [0]", "JobIdentifier")
}
