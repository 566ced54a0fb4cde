package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A look is a read that shows whether a call took effect, where the state that
// the call leads to can be told but not put back from what it shows: for the
// check after a call, and no rollback.
type look struct {
	read string // "ListFilters", or "organizations:ListParents" of another service
	// with are the parameters of the read: "DetectorId" as the call has it,
	// "ChildId=AccountId" by another name, "TaskArns=[TaskArn]" in a list,
	// "Scope='SELF'" a literal, "Filters=vpc-id:VpcIds" a filter. One that the call
	// does not have is left out.
	with string
	path string // with {Parameter} for the literal of a parameter of the call, {Parameter[]} of one that may be missing
	is   any    // what stands there; nil is nothing
}

// as is what a look finds where a call put parameters of its own, in those of
// their members that the call names: AWS adds others.
type as []string

// ends is the look at what a call ends or removes.
func ends(read, with, path string) look { return look{read, with, path, nil} }

// brings is the look at what a call brings.
func brings(read, with, path string) look { return look{read, with, "(" + path + ") != `null`", true} }

// verifyLook is the check of a call that looks knows.
func verifyLook(c Call) []Check {
	name := c.Service + ":" + c.Operation
	var list []look
	if kind, ok := c.Parameters["OperationType"].(string); ok {
		name += " " + kind
	}
	for _, p := range slices.Sorted(maps.Keys(c.Parameters)) {
		if _, known := looks[name+" "+p]; known {
			name += " " + p
			break
		}
	}
	switch l, known := looks[name]; {
	case name == "sns:SetTopicAttributes":
		attribute, _ := c.Parameters["AttributeName"].(string)
		list = []look{{"GetTopicAttributes", "TopicArn", "Attributes." + jmesName(attribute), as{"AttributeValue"}}}
	case known:
		list = []look{l}
	case name == "ram:AssociateResourceShare" || name == "ram:DisassociateResourceShare":
		list = shareLooks(c)
	case strings.HasPrefix(name, "ec2:AuthorizeSecurityGroup") || strings.HasPrefix(name, "ec2:RevokeSecurityGroup"):
		list = ruleLooks(c)
	}
	var checks []Check
	for _, l := range list {
		if check, ok := l.check(c); ok {
			checks = append(checks, check)
		}
	}
	return checks
}

func (l look) check(c Call) (Check, bool) {
	service, operation, other := strings.Cut(l.read, ":")
	if !other {
		service, operation = c.Service, l.read
	}
	in := map[string]any{}
	for _, w := range strings.Fields(l.with) {
		name, from, renamed := strings.Cut(w, "=")
		if !renamed {
			from = name
		}
		if filter, param, filtered := strings.Cut(from, ":"); filtered && c.Parameters[param] != nil {
			in[name] = []any{map[string]any{"Name": filter, "Values": c.Parameters[param]}}
			continue
		}
		member, listed := strings.CutPrefix(from, "[")
		member = strings.TrimSuffix(member, "]")
		v := c.Parameters[member]
		if text, literal := strings.CutPrefix(member, "'"); literal {
			v = strings.TrimSuffix(text, "'")
		}
		switch {
		case v == nil:
		case listed:
			in[name] = []any{v}
		default:
			in[name] = v
		}
	}
	// Without what it is about, the read would be about something else.
	if mentions(c.Parameters, Item) || l.with != "" && len(in) == 0 {
		return Check{}, false
	}
	lists, given := 0, 0
	for _, place := range parameterPlace.FindAllString(l.path, -1) {
		name, list := strings.CutSuffix(strings.Trim(place, "{}"), "[]")
		switch {
		case list && c.Parameters[name] != nil:
			lists, given = lists+1, given+1
		case list:
			lists++
		case c.Parameters[name] == nil:
			return Check{}, false
		}
	}
	if lists > 0 && given == 0 {
		return Check{}, false
	}
	check := Check{Read: Read{Call{service, operation, in}, fillPath(l.path, c.Parameters)}, Equals: l.is, Absent: l.is == nil}
	if params, given := l.is.(as); given {
		return check.of(params.from(c))
	}
	return check, true
}

// from is the value that a call puts: that of the one parameter, or those of
// several, by their names or, as "Answered=Given", by another.
func (p as) from(c Call) any {
	if len(p) == 1 {
		return plainJSON(c.Parameters[p[0]])
	}
	out := map[string]any{}
	for _, p := range p {
		name, from, renamed := strings.Cut(p, "=")
		if !renamed {
			from = name
		}
		if v := c.Parameters[from]; v != nil {
			out[name] = plainJSON(v)
		}
	}
	return out
}

// of lets the check find v, as far as v says.
func (c Check) of(v any) (Check, bool) {
	m, object := v.(map[string]any)
	switch {
	case isEmpty(v) || object && len(m) == 0 || c.Path == "" && !object:
		return c, false
	case object && len(m) == 1:
		for name, e := range m {
			if isEmpty(e) { // a list of nothing
				c.Path, c.Equals, c.Absent = joinPath(c.Path, jmesName(name)+" | [0]"), nil, true
				return c, true
			}
		}
	}
	c.Path, c.Equals = projected(c.Path, v), v
	return c, true
}

// projected is the path of those members below a path that v has.
func projected(path string, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			members = append(members, jmesName(k)+": "+projected(jmesName(k), v[k]))
		}
		return joinPath(path, "{"+strings.Join(members, ", ")+"}")
	case []any:
		if !slices.ContainsFunc(v, func(e any) bool { _, object := e.(map[string]any); return object }) {
			return path
		}
		elements := make([]string, len(v))
		for i, e := range v {
			elements[i] = projected(fmt.Sprintf("%s[%d]", path, i), e)
		}
		return "[" + strings.Join(elements, ", ") + "]"
	}
	return path
}

func joinPath(path, rest string) string {
	if path == "" {
		return rest
	}
	return path + "." + rest
}

// jmesName is a member's name in a path.
func jmesName(name string) string { return jsonText(name) }

var looks = func() map[string]look {
	m := map[string]look{}
	for _, table := range []map[string]look{looksIAM, looksWatch, looksOrganization, looksCompute, looksOther, looksPut} {
		maps.Copy(m, table)
	}
	return m
}()

var looksIAM = map[string]look{
	"iam:AddClientIDToOpenIDConnectProvider":            brings("GetOpenIDConnectProvider", "OpenIDConnectProviderArn", "ClientIDList[?@=={ClientID}] | [0]"),
	"iam:RemoveClientIDFromOpenIDConnectProvider":       ends("GetOpenIDConnectProvider", "OpenIDConnectProviderArn", "ClientIDList[?@=={ClientID}] | [0]"),
	"iam:DeleteServiceLinkedRole":                       ends("GetRole", "RoleName", "Role.RoleName"),
	"iam:DeleteServerCertificate":                       ends("GetServerCertificate", "ServerCertificateName", "ServerCertificate.ServerCertificateMetadata.ServerCertificateId"),
	"iam:DeleteVirtualMFADevice":                        ends("ListVirtualMFADevices", "", "VirtualMFADevices[?SerialNumber=={SerialNumber}].SerialNumber | [0]"),
	"iam:CreateAccountAlias":                            brings("ListAccountAliases", "", "AccountAliases[?@=={AccountAlias}] | [0]"),
	"iam:DeleteAccountAlias":                            ends("ListAccountAliases", "", "AccountAliases[?@=={AccountAlias}] | [0]"),
	"iam:TagUser":                                       brings("ListUserTags", "UserName", "Tags[?contains({Tags[]}[].Key, Key)].Key | [0]"),
	"iam:UntagUser":                                     ends("ListUserTags", "UserName", "Tags[?contains({TagKeys[]}, Key)].Key | [0]"),
	"iam:TagRole":                                       brings("ListRoleTags", "RoleName", "Tags[?contains({Tags[]}[].Key, Key)].Key | [0]"),
	"iam:UntagRole":                                     ends("ListRoleTags", "RoleName", "Tags[?contains({TagKeys[]}, Key)].Key | [0]"),
	"iam:UpdateUser":                                    brings("GetUser", "UserName=NewUserName", "User.UserName"),
	"iam:UpdateGroup":                                   brings("GetGroup", "GroupName=NewGroupName", "Group.GroupName"),
	"iam:EnableOrganizationsRootCredentialsManagement":  brings("ListOrganizationsFeatures", "", "EnabledFeatures[?@=='RootCredentialsManagement'] | [0]"),
	"iam:DisableOrganizationsRootCredentialsManagement": ends("ListOrganizationsFeatures", "", "EnabledFeatures[?@=='RootCredentialsManagement'] | [0]"),
	"iam:EnableOrganizationsRootSessions":               brings("ListOrganizationsFeatures", "", "EnabledFeatures[?@=='RootSessions'] | [0]"),
	"iam:DisableOrganizationsRootSessions":              ends("ListOrganizationsFeatures", "", "EnabledFeatures[?@=='RootSessions'] | [0]"),
	"iam:DisableOutboundWebIdentityFederation":          ends("GetOutboundWebIdentityFederationInfo", "", "[JwtVendingEnabled][?@] | [0]"),
	"iam:RejectDelegationRequest":                       {"GetDelegationRequest", "DelegationRequestId", "DelegationRequest.State", "REJECTED"},
	"ssoadmin:DeleteInlinePolicyFromPermissionSet":      ends("GetInlinePolicyForPermissionSet", "InstanceArn PermissionSetArn", "InlinePolicy"),
	"ssoadmin:ProvisionPermissionSet": ends("ListAccountsForProvisionedPermissionSet", "InstanceArn PermissionSetArn ProvisioningStatus='LATEST_PERMISSION_SET_NOT_PROVISIONED'",
		"AccountIds[0]"),
}

var looksWatch = map[string]look{
	"cloudtrail:RestoreEventDataStore":              ends("GetEventDataStore", "EventDataStore", "[Status][?@=='PENDING_DELETION'] | [0]"),
	"cloudtrail:StartEventDataStoreIngestion":       brings("GetEventDataStore", "EventDataStore", "[Status][?@=='ENABLED' || @=='STARTING_INGESTION'] | [0]"),
	"cloudtrail:RegisterOrganizationDelegatedAdmin": brings("organizations:ListDelegatedAdministrators", "ServicePrincipal='cloudtrail.amazonaws.com'", "DelegatedAdministrators[?Id=={MemberAccountId}].Id | [0]"),
	"cloudtrail:PutEventSelectors":                  brings("GetEventSelectors", "TrailName", "EventSelectors[?IncludeManagementEvents=={EventSelectors}[0].IncludeManagementEvents && ReadWriteType=={EventSelectors}[0].ReadWriteType].ReadWriteType | [0]"),
	"inspector2:Enable":                             ends("BatchGetAccountStatus", "AccountIds", "Accounts[?State.Status!='ENABLED' && State.Status!='ENABLING'].AccountId | [0]"),
	"guardduty:CreateDetector":                      brings("ListDetectors", "", "DetectorIds[0]"),
	"guardduty:UnarchiveFindings":                   ends("GetFindings", "DetectorId FindingIds", "Findings[?Service.Archived].Id | [0]"),
	"guardduty:StartMonitoringMembers":              ends("GetMembers", "DetectorId AccountIds", "Members[?RelationshipStatus!='Enabled'].AccountId | [0]"),
	"guardduty:InviteMembers":                       brings("GetMembers", "DetectorId AccountIds", "Members[?RelationshipStatus=='Invited' || RelationshipStatus=='Enabled'].AccountId | [0]"),
	"guardduty:DeleteFilter":                        ends("ListFilters", "DetectorId", "FilterNames[?@=={FilterName}] | [0]"),
	"guardduty:DeleteIPSet":                         ends("ListIPSets", "DetectorId", "IpSetIds[?@=={IpSetId}] | [0]"),
	"macie2:EnableMacie":                            {"GetMacieSession", "", "Status", "ENABLED"},
	"securityhub:EnableSecurityHub":                 brings("DescribeHub", "", "HubArn"),
	"securityhub:CreateMembers":                     brings("ListMembers", "", "Members[?contains({AccountDetails[]}[].AccountId, AccountId)].AccountId | [0]"),
	"shield:CreateSubscription":                     brings("DescribeSubscription", "", "Subscription.StartTime"),
	"route53resolver:CreateResolverQueryLogConfig":  brings("ListResolverQueryLogConfigs", "", "ResolverQueryLogConfigs[?Name=={Name}].Id | [0]"),
}

var looksOrganization = map[string]look{
	"organizations:AttachPolicy":                     brings("ListTargetsForPolicy", "PolicyId", "Targets[?TargetId=={TargetId}].TargetId | [0]"),
	"organizations:DetachPolicy":                     ends("ListTargetsForPolicy", "PolicyId", "Targets[?TargetId=={TargetId}].TargetId | [0]"),
	"organizations:EnablePolicyType":                 brings("ListRoots", "", "Roots[?Id=={RootId}].PolicyTypes[] | [?Type=={PolicyType} && (Status=='ENABLED' || Status=='PENDING_ENABLE')].Type | [0]"),
	"organizations:EnableAWSServiceAccess":           brings("ListAWSServiceAccessForOrganization", "", "EnabledServicePrincipals[?ServicePrincipal=={ServicePrincipal}].ServicePrincipal | [0]"),
	"organizations:DisableAWSServiceAccess":          ends("ListAWSServiceAccessForOrganization", "", "EnabledServicePrincipals[?ServicePrincipal=={ServicePrincipal}].ServicePrincipal | [0]"),
	"organizations:RegisterDelegatedAdministrator":   brings("ListDelegatedAdministrators", "ServicePrincipal", "DelegatedAdministrators[?Id=={AccountId}].Id | [0]"),
	"organizations:DeregisterDelegatedAdministrator": ends("ListDelegatedAdministrators", "ServicePrincipal", "DelegatedAdministrators[?Id=={AccountId}].Id | [0]"),
	"organizations:MoveAccount":                      brings("ListParents", "ChildId=AccountId", "Parents[?Id=={DestinationParentId}].Id | [0]"),
	"organizations:CancelHandshake":                  ends("DescribeHandshake", "HandshakeId", "[Handshake][?State=='REQUESTED' || State=='OPEN'].Id | [0]"),
	"organizations:InviteAccountToOrganization": brings("ListHandshakesForOrganization", "",
		"Handshakes[?State=='REQUESTED' || State=='OPEN' || State=='ACCEPTED'].Parties[] | [?Id=={Target}.Id].Id | [0]"),
	"cloudformation:DeleteStackSet": ends("DescribeStackSet", "StackSetName", "[StackSet][?Status!='DELETED'].StackSetName | [0]"),
}

var looksCompute = map[string]look{
	"ec2:DeleteFleets":                  ends("DescribeFleets", "FleetIds", "Fleets[?!starts_with(FleetState, 'deleted')].FleetId | [0]"),
	"ec2:CancelSpotFleetRequests":       ends("DescribeSpotFleetRequests", "SpotFleetRequestIds", "SpotFleetRequestConfigs[?!starts_with(SpotFleetRequestState, 'cancelled')].SpotFleetRequestId | [0]"),
	"ec2:CancelSpotInstanceRequests":    ends("DescribeSpotInstanceRequests", "SpotInstanceRequestIds", "SpotInstanceRequests[?State=='open' || State=='active'].SpotInstanceRequestId | [0]"),
	"ec2:CancelExportTask":              ends("DescribeExportTasks", "ExportTaskIds=[ExportTaskId]", "ExportTasks[?State=='active'].ExportTaskId | [0]"),
	"ec2:DeleteInstanceConnectEndpoint": ends("DescribeInstanceConnectEndpoints", "InstanceConnectEndpointIds=[InstanceConnectEndpointId]", "InstanceConnectEndpoints[?!starts_with(State, 'delete-')].InstanceConnectEndpointId | [0]"),
	"ec2:RestoreImageFromRecycleBin":    brings("DescribeImages", "ImageIds=[ImageId]", "Images[0].ImageId"),
	"ec2:RestoreSnapshotFromRecycleBin": brings("DescribeSnapshots", "SnapshotIds=[SnapshotId]", "Snapshots[0].SnapshotId"),
	"ec2:DeleteVpc":                     ends("DescribeVpcs", "VpcIds=[VpcId]", "Vpcs[0].VpcId"),
	"ec2:DeleteSubnet":                  ends("DescribeSubnets", "SubnetIds=[SubnetId]", "Subnets[0].SubnetId"),
	"ec2:DeleteRouteTable":              ends("DescribeRouteTables", "RouteTableIds=[RouteTableId]", "RouteTables[0].RouteTableId"),
	"ec2:DeleteInternetGateway":         ends("DescribeInternetGateways", "InternetGatewayIds=[InternetGatewayId]", "InternetGateways[0].InternetGatewayId"),
	"ec2:DeleteNatGateway":              ends("DescribeNatGateways", "NatGatewayIds=[NatGatewayId]", "NatGateways[?State!='deleting' && State!='deleted'].NatGatewayId | [0]"),
	"ec2:DeleteNetworkInterface":        ends("DescribeNetworkInterfaces", "NetworkInterfaceIds=[NetworkInterfaceId]", "NetworkInterfaces[0].NetworkInterfaceId"),
	"ec2:DeleteVpcEndpoints":            ends("DescribeVpcEndpoints", "VpcEndpointIds", "VpcEndpoints[?State!='deleting' && State!='deleted'].VpcEndpointId | [0]"),
	"ec2:DisassociateAddress":           ends("DescribeAddresses", "", "Addresses[?AssociationId=={AssociationId}].AssociationId | [0]"),
	"ec2:DeleteLaunchTemplateVersions":  ends("DescribeLaunchTemplateVersions", "LaunchTemplateId", "LaunchTemplateVersions[?contains({Versions[]}, to_string(VersionNumber))].VersionNumber | [0]"),
	"ec2:CreateTags":                    brings("DescribeTags", "Filters=resource-id:Resources", "Tags[?contains({Tags[]}[].Key, Key) && contains({Tags[]}[].Value, Value)].Key | [0]"),
	"ec2:DeleteTags":                    ends("DescribeTags", "Filters=resource-id:Resources", "Tags[?contains({Tags[]}[].Key, Key)].Key | [0]"),
	"ec2:CreateFlowLogs":                brings("DescribeFlowLogs", "", "FlowLogs[?contains({ResourceIds[]}, ResourceId) && (contains({LogDestination[]}, LogDestination) || contains({LogGroupName[]}, LogGroupName))].FlowLogId | [0]"),
	"ec2:AssociateIamInstanceProfile": brings("DescribeIamInstanceProfileAssociations", "",
		"IamInstanceProfileAssociations[?InstanceId=={InstanceId} && (IamInstanceProfile.Arn=={IamInstanceProfile}.Arn || ends_with(IamInstanceProfile.Arn, join('/', ['', not_null({IamInstanceProfile}.Name, '')]))) && (State=='associating' || State=='associated')].AssociationId | [0]"),
	"ec2:ModifyImageAttribute add":          brings("DescribeImageAttribute", "ImageId Attribute", "LaunchPermissions[?contains({UserIds[]}, UserId) || contains({UserGroups[]}, Group)] | [0]"),
	"ec2:ModifySnapshotAttribute add":       brings("DescribeSnapshotAttribute", "SnapshotId Attribute", "CreateVolumePermissions[?contains({UserIds[]}, UserId) || contains({GroupNames[]}, Group)] | [0]"),
	"autoscaling:DeleteLaunchConfiguration": ends("DescribeLaunchConfigurations", "LaunchConfigurationNames=[LaunchConfigurationName]", "LaunchConfigurations[0].LaunchConfigurationName"),
	"autoscaling:UpdateAutoScalingGroup": {"DescribeAutoScalingGroups", "AutoScalingGroupNames=[AutoScalingGroupName]",
		"AutoScalingGroups[?MinSize=={MinSize} && DesiredCapacity=={DesiredCapacity}].AutoScalingGroupName | [0] != `null`", true},
	"ecs:DeleteCluster":                      ends("DescribeClusters", "Clusters=[Cluster]", "Clusters[?Status!='INACTIVE'].ClusterArn | [0]"),
	"ecs:StopTask":                           ends("DescribeTasks", "Cluster Tasks=[Task]", "Tasks[?DesiredStatus!='STOPPED'].TaskArn | [0]"),
	"ecs:DeregisterTaskDefinition":           ends("DescribeTaskDefinition", "TaskDefinition", "[TaskDefinition][?Status=='ACTIVE'].TaskDefinitionArn | [0]"),
	"apprunner:DeleteService":                ends("DescribeService", "ServiceArn", "[Service][?Status!='DELETED' && Status!='OPERATION_IN_PROGRESS'].ServiceArn | [0]"),
	"lightsail:DeleteInstance":               ends("GetInstance", "InstanceName", "Instance.Name"),
	"emr:TerminateJobFlows":                  ends("ListClusters", "", "Clusters[?contains({JobFlowIds[]}, Id) && !starts_with(Status.State, 'TERMINAT')].Id | [0]"),
	"datapipeline:DeletePipeline":            ends("DescribePipelines", "PipelineIds=[PipelineId]", "PipelineDescriptionList[0].PipelineId"),
	"datapipeline:DeactivatePipeline":        ends("DescribePipelines", "PipelineIds=[PipelineId]", "PipelineDescriptionList[].Fields[] | [?Key=='@pipelineState' && (StringValue=='SCHEDULED' || StringValue=='ACTIVATING')].StringValue | [0]"),
	"sagemaker:StopTrainingJob":              ends("DescribeTrainingJob", "TrainingJobName", "[TrainingJobStatus][?@=='InProgress'] | [0]"),
	"sagemaker:StopNotebookInstance":         ends("ListNotebookInstances", "NameContains=NotebookInstanceName", "NotebookInstances[?NotebookInstanceName=={NotebookInstanceName} && (NotebookInstanceStatus=='InService' || NotebookInstanceStatus=='Pending' || NotebookInstanceStatus=='Updating')].NotebookInstanceName | [0]"),
	"sagemaker:DeleteNotebookInstance":       ends("ListNotebookInstances", "NameContains=NotebookInstanceName", "NotebookInstances[?NotebookInstanceName=={NotebookInstanceName} && NotebookInstanceStatus!='Deleting'].NotebookInstanceName | [0]"),
	"glue:UpdateDevEndpoint":                 ends("GetDevEndpoint", "EndpointName", "DevEndpoint.PublicKeys[?contains({DeletePublicKeys[]}, @)] | [0]"),
	"transfer:StopServer":                    ends("DescribeServer", "ServerId", "[Server][?State=='ONLINE' || State=='STARTING'].ServerId | [0]"),
	"datasync:DeleteTask":                    ends("ListTasks", "", "Tasks[?TaskArn=={TaskArn}].TaskArn | [0]"),
	"apigatewayv2:DeleteApi":                 ends("GetApi", "ApiId", "ApiId"),
	"s3control:UpdateJobStatus":              ends("DescribeJob", "AccountId JobId", "[Job][?!contains('Cancelled Cancelling Complete Completing Failed Failing', Status)].JobId | [0]"),
	"bedrock:DeleteFoundationModelAgreement": {"GetFoundationModelAvailability", "ModelId", "AgreementAvailability.Status", "NOT_AVAILABLE"},
}

var looksOther = map[string]look{
	"ssm:DeleteAssociation":                       ends("DescribeAssociation", "AssociationId Name InstanceId", "AssociationDescription.AssociationId"),
	"ssm:DeleteDocument":                          ends("ListDocuments", "", "DocumentIdentifiers[?Name=={Name}].Name | [0]"),
	"ssm:CancelCommand":                           ends("ListCommands", "CommandId", "Commands[?Status=='Pending' || Status=='InProgress'].CommandId | [0]"),
	"ssm:DeleteActivation":                        ends("DescribeActivations", "", "ActivationList[?ActivationId=={ActivationId}].ActivationId | [0]"),
	"ssm:ResetServiceSetting":                     {"GetServiceSetting", "SettingId", "ServiceSetting.Status", "Default"},
	"ses:DeleteReceiptRule":                       ends("DescribeReceiptRule", "RuleSetName RuleName", "Rule.Name"),
	"sns:SetSMSAttributes":                        {"GetSMSAttributes", "", "Attributes.MonthlySpendLimit == {Attributes}.MonthlySpendLimit", true},
	"secretsmanager:RemoveRegionsFromReplication": ends("DescribeSecret", "SecretId", "ReplicationStatus[?contains({RemoveReplicaRegions[]}, Region)].Region | [0]"),
	"glue:DeleteResourcePolicy":                   ends("GetResourcePolicy", "", "PolicyInJson"),
	"ecr:BatchDeleteImage":                        ends("DescribeImages", "RepositoryName", "ImageDetails[?contains({ImageIds[]}[].ImageDigest, ImageDigest)].ImageDigest | [0]"),
	"ecr:DeleteRepositoryPolicy":                  ends("GetRepositoryPolicy", "RepositoryName", "PolicyText"),
	"ecr:DeleteRegistryPolicy":                    ends("GetRegistryPolicy", "", "PolicyText"),
	"rds:AddRoleToDBInstance":                     brings("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances[].AssociatedRoles[?RoleArn=={RoleArn}][].RoleArn | [0]"),
	"rds:RemoveRoleFromDBInstance":                ends("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances[].AssociatedRoles[?RoleArn=={RoleArn}][].RoleArn | [0]"),
	"rds:ModifyDBInstance":                        ends("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances[?PubliclyAccessible!={PubliclyAccessible} && DBInstanceStatus!='modifying'].DBInstanceIdentifier | [0]"),
	"rds:CancelExportTask":                        ends("DescribeExportTasks", "ExportTaskIdentifier", "ExportTasks[?Status=='STARTING' || Status=='IN_PROGRESS'].ExportTaskIdentifier | [0]"),
	"s3:CreateBucket":                             brings("ListBuckets", "", "Buckets[?Name=={Bucket}].Name | [0]"),
	"s3:DeleteBucketCors":                         ends("GetBucketCors", "Bucket", "CORSRules"),
	"ram:DeleteResourceShare":                     ends("GetResourceShares", "ResourceOwner='SELF'", "ResourceShares[?ResourceShareArn=={ResourceShareArn} && Status!='DELETED' && Status!='DELETING'].ResourceShareArn | [0]"),
	"savingsplans:ReturnSavingsPlan":              ends("DescribeSavingsPlans", "SavingsPlanIds=[SavingsPlanId]", "SavingsPlans[?State=='active' || State=='queued' || State=='payment-pending'].SavingsPlanId | [0]"),
}

// looksPut are what a call writes over something else. Left out is what takes
// effect only minutes later.
var looksPut = map[string]look{
	"s3:PutBucketCors":                               {"GetBucketCors", "Bucket", "", as{"CORSConfiguration"}},
	"s3:PutBucketEncryption":                         {"GetBucketEncryption", "Bucket", "ServerSideEncryptionConfiguration", as{"ServerSideEncryptionConfiguration"}},
	"s3:PutBucketLifecycleConfiguration":             {"GetBucketLifecycleConfiguration", "Bucket", "", as{"LifecycleConfiguration"}},
	"s3:PutBucketLogging":                            {"GetBucketLogging", "Bucket", "", as{"BucketLoggingStatus"}},
	"s3:PutBucketNotificationConfiguration":          {"GetBucketNotificationConfiguration", "Bucket", "", as{"NotificationConfiguration"}},
	"s3:PutBucketReplication":                        {"GetBucketReplication", "Bucket", "ReplicationConfiguration", as{"ReplicationConfiguration"}},
	"s3:PutBucketWebsite":                            {"GetBucketWebsite", "Bucket", "", as{"WebsiteConfiguration"}},
	"s3control:PutAccessPointPolicy":                 {"GetAccessPointPolicy", "AccountId Name", "Policy", as{"Policy"}},
	"ecr:SetRepositoryPolicy":                        {"GetRepositoryPolicy", "RepositoryName", "PolicyText", as{"PolicyText"}},
	"ecr:PutRegistryPolicy":                          {"GetRegistryPolicy", "", "PolicyText", as{"PolicyText"}},
	"ecr:PutReplicationConfiguration":                {"DescribeRegistry", "", "ReplicationConfiguration", as{"ReplicationConfiguration"}},
	"efs:PutFileSystemPolicy":                        {"DescribeFileSystemPolicy", "FileSystemId", "Policy", as{"Policy"}},
	"glue:PutResourcePolicy":                         {"GetResourcePolicy", "", "PolicyInJson", as{"PolicyInJson"}},
	"glue:UpdateJob":                                 {"GetJob", "JobName", "Job", as{"JobUpdate"}},
	"organizations:UpdatePolicy":                     {"DescribePolicy", "PolicyId", "Policy.Content", as{"Content"}},
	"sqs:SetQueueAttributes":                         {"GetQueueAttributes", "QueueUrl AttributeNames=['All']", "Attributes", as{"Attributes"}},
	"ssoadmin:PutInlinePolicyToPermissionSet":        {"GetInlinePolicyForPermissionSet", "InstanceArn PermissionSetArn", "InlinePolicy", as{"InlinePolicy"}},
	"ssoadmin:PutPermissionsBoundaryToPermissionSet": {"GetPermissionsBoundaryForPermissionSet", "InstanceArn PermissionSetArn", "PermissionsBoundary", as{"PermissionsBoundary"}},
	"ssoadmin:UpdatePermissionSet":                   {"DescribePermissionSet", "InstanceArn PermissionSetArn", "PermissionSet", as{"Description", "RelayState", "SessionDuration"}},
	"wafv2:AssociateWebACL":                          {"GetWebACLForResource", "ResourceArn", "WebACL.ARN", as{"WebACLArn"}},
	"lambda:UpdateFunctionConfiguration":             {"GetFunctionConfiguration", "FunctionName", "", as{"Description", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "VpcConfig"}},
	"kms:UpdateAlias":                                brings("ListAliases", "", "Aliases[?AliasName=={AliasName} && contains({TargetKeyId}, TargetKeyId)].AliasName | [0]"),
	"guardduty:UpdateFilter":                         {"GetFilter", "DetectorId FilterName", "", as{"Action", "Description", "Rank"}},
	"guardduty:UpdateIPSet":                          {"GetIPSet", "DetectorId IpSetId", "", as{"Location", "Name"}},
	"guardduty:CreatePublishingDestination":          brings("ListPublishingDestinations", "DetectorId", "Destinations[?DestinationType=={DestinationType}].DestinationId | [0]"),
	"rolesanywhere:UpdateProfile":                    {"GetProfile", "ProfileId", "Profile", as{"DurationSeconds", "ManagedPolicyArns", "Name", "RoleArns", "SessionPolicy"}},
	"rolesanywhere:UpdateTrustAnchor":                {"GetTrustAnchor", "TrustAnchorId", "TrustAnchor", as{"Name", "Source"}},
	"route53:AssociateVPCWithHostedZone":             brings("GetHostedZone", "Id=HostedZoneId", "VPCs[?VPCId=={VPC}.VPCId].VPCId | [0]"),
	"route53:DisassociateVPCFromHostedZone":          ends("GetHostedZone", "Id=HostedZoneId", "VPCs[?VPCId=={VPC}.VPCId].VPCId | [0]"),
	"eventbridge:PutRule":                            {"DescribeRule", "Name EventBusName", "", as{"Description", "EventPattern", "RoleArn", "ScheduleExpression", "State"}},
	"eventbridge:PutTargets":                         {"ListTargetsByRule", "Rule EventBusName", "length((Targets || `[]`)[?contains({Targets[]}[].Arn, Arn)]) >= length({Targets[]})", true},
	"iam:CreateSAMLProvider":                         brings("ListSAMLProviders", "", "SAMLProviderList[?ends_with(Arn, join('/', ['', {Name}]))].Arn | [0]"),
	"iam:SetSecurityTokenServicePreferences":         {"GetAccountSummary", "", "SummaryMap.GlobalEndpointTokenVersion == `2` && 'v2Token' || 'v1Token'", as{"GlobalEndpointTokenVersion"}},
	"iam:UpdateAccountPasswordPolicy": {"GetAccountPasswordPolicy", "", "PasswordPolicy", as{"AllowUsersToChangePassword", "HardExpiry", "MaxPasswordAge", "MinimumPasswordLength",
		"PasswordReusePrevention", "RequireLowercaseCharacters", "RequireNumbers", "RequireSymbols", "RequireUppercaseCharacters"}},
	"rds:ModifyDBSnapshotAttribute ValuesToAdd": brings("DescribeDBSnapshotAttributes", "DBSnapshotIdentifier",
		"DBSnapshotAttributesResult.DBSnapshotAttributes[?AttributeName=={AttributeName}].AttributeValues[] | [?contains({ValuesToAdd[]}, @)] | [0]"),
	"rds:ModifyDBClusterSnapshotAttribute ValuesToAdd": brings("DescribeDBClusterSnapshotAttributes", "DBClusterSnapshotIdentifier",
		"DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes[?AttributeName=={AttributeName}].AttributeValues[] | [?contains({ValuesToAdd[]}, @)] | [0]"),
	"ssm:ModifyDocumentPermission AccountIdsToAdd":    brings("DescribeDocumentPermission", "Name PermissionType", "AccountIds[?contains({AccountIdsToAdd[]}, @)] | [0]"),
	"securityhub:BatchEnableStandards":                brings("GetEnabledStandards", "", "StandardsSubscriptions[?contains({StandardsSubscriptionRequests[]}[].StandardsArn, StandardsArn) && StandardsStatus!='DELETING'].StandardsArn | [0]"),
	"sagemaker:UpdateNotebookInstanceLifecycleConfig": {"DescribeNotebookInstanceLifecycleConfig", "NotebookInstanceLifecycleConfigName", "", as{"OnCreate", "OnStart"}},
	"sagemaker:DeleteNotebookInstanceLifecycleConfig": ends("ListNotebookInstanceLifecycleConfigs", "NameContains=NotebookInstanceLifecycleConfigName",
		"NotebookInstanceLifecycleConfigs[?NotebookInstanceLifecycleConfigName=={NotebookInstanceLifecycleConfigName}].NotebookInstanceLifecycleConfigName | [0]"),
	"sns:DeleteTopic":                ends("GetTopicAttributes", "TopicArn", "Attributes.TopicArn"),
	"ssm:DeleteParameter":            ends("DescribeParameters", "", "Parameters[?Name=={Name}].Name | [0]"),
	"ecr:DeleteRepository":           ends("DescribeRepositories", "RepositoryNames=[RepositoryName]", "Repositories[0].RepositoryName"),
	"cloudtrail:PutInsightSelectors": {"GetInsightSelectors", "TrailName", "InsightSelectors", as{"InsightSelectors"}},
	"cloudtrail:CreateTrail":         brings("GetTrail", "Name", "Trail.TrailARN"),
	"cloudtrail:UpdateTrail": {"GetTrail", "Name", "Trail", as{"S3BucketName", "S3KeyPrefix", "IncludeGlobalServiceEvents", "IsMultiRegionTrail",
		"LogFileValidationEnabled=EnableLogFileValidation", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}},
	"cloudtrail:UpdateEventDataStore": {"GetEventDataStore", "EventDataStore", "", as{"Name", "MultiRegionEnabled", "OrganizationEnabled", "RetentionPeriod", "TerminationProtectionEnabled", "AdvancedEventSelectors"}},
	"cloudwatch:PutMetricAlarm": {"DescribeAlarms", "AlarmNames=[AlarmName]", "MetricAlarms[0]", as{"ActionsEnabled", "AlarmActions", "ComparisonOperator", "EvaluationPeriods",
		"MetricName", "Namespace", "Period", "Statistic", "Threshold"}},
	"cloudwatchlogs:PutSubscriptionFilter":   {"DescribeSubscriptionFilters", "LogGroupName", "SubscriptionFilters[?FilterName=={FilterName}] | [0]", as{"DestinationArn", "FilterPattern"}},
	"cognitoidentity:SetIdentityPoolRoles":   {"GetIdentityPoolRoles", "IdentityPoolId", "Roles", as{"Roles"}},
	"cognitoidentity:UpdateIdentityPool":     {"DescribeIdentityPool", "IdentityPoolId", "", as{"AllowClassicFlow", "AllowUnauthenticatedIdentities", "IdentityPoolName"}},
	"configservice:PutConfigRule":            brings("DescribeConfigRules", "", "ConfigRules[?ConfigRuleName=={ConfigRule}.ConfigRuleName].ConfigRuleName | [0]"),
	"configservice:PutConfigurationRecorder": {"DescribeConfigurationRecorders", "", "ConfigurationRecorders[0]", as{"ConfigurationRecorder"}},
	"configservice:PutDeliveryChannel":       {"DescribeDeliveryChannels", "", "DeliveryChannels[0]", as{"DeliveryChannel"}},
	"dynamodb:PutResourcePolicy":             {"GetResourcePolicy", "ResourceArn", "Policy", as{"Policy"}},
	"dynamodb:UpdateContinuousBackups": {"DescribeContinuousBackups", "TableName",
		"(ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus=='ENABLED') == {PointInTimeRecoverySpecification}.PointInTimeRecoveryEnabled", true},
	"accessanalyzer:CreateAnalyzer":                     brings("ListAnalyzers", "", "Analyzers[?Name=={AnalyzerName}].Name | [0]"),
	"backup:PutBackupVaultAccessPolicy":                 {"GetBackupVaultAccessPolicy", "BackupVaultName", "Policy", as{"Policy"}},
	"bedrock:PutModelInvocationLoggingConfiguration":    {"GetModelInvocationLoggingConfiguration", "", "LoggingConfig", as{"LoggingConfig"}},
	"ec2:ModifyInstanceAttribute DisableApiTermination": {"DescribeInstanceAttribute", "InstanceId Attribute='disableApiTermination'", "DisableApiTermination", as{"DisableApiTermination"}},
	"ec2:ModifyInstanceAttribute DisableApiStop":        {"DescribeInstanceAttribute", "InstanceId Attribute='disableApiStop'", "DisableApiStop", as{"DisableApiStop"}},
	"ec2:ModifyInstanceAttribute SourceDestCheck":       {"DescribeInstanceAttribute", "InstanceId Attribute='sourceDestCheck'", "SourceDestCheck", as{"SourceDestCheck"}},
	"ec2:ModifyInstanceAttribute Groups": {"DescribeInstanceAttribute", "InstanceId Attribute='groupSet'",
		"length(Groups) == length({Groups[]}) && length(Groups[?contains({Groups[]}, GroupId)]) == length({Groups[]})", true},
	"ec2:ModifyLaunchTemplate": {"DescribeLaunchTemplates", "LaunchTemplateIds=[LaunchTemplateId]", "to_string(LaunchTemplates[0].DefaultVersionNumber)", as{"DefaultVersion"}},
	"ec2:ReplaceNetworkAclEntry": brings("DescribeNetworkAcls", "NetworkAclIds=[NetworkAclId]", "NetworkAcls[].Entries[?RuleNumber=={RuleNumber} && Egress=={Egress} && RuleAction=={RuleAction} && Protocol=={Protocol} && "+
		"(contains({CidrBlock[]}, CidrBlock) || contains({Ipv6CidrBlock[]}, Ipv6CidrBlock)) && PortRange.From=={PortRange[]}.From && PortRange.To=={PortRange[]}.To][].RuleNumber | [0]"),
}

// shareLooks look at the principals and the resources of a share apart, as AWS
// lists them:
// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareAssociations.html.
func shareLooks(c Call) []look {
	var list []look
	for kind, param := range map[string]string{"PRINCIPAL": "Principals", "RESOURCE": "ResourceArns"} {
		if c.Parameters[param] == nil {
			continue
		}
		in := "AssociationType='" + kind + "' ResourceShareArns=[ResourceShareArn]"
		path := "ResourceShareAssociations[?contains({" + param + "[]}, AssociatedEntity) && (Status=='ASSOCIATED' || Status=='ASSOCIATING')].AssociatedEntity | [0]"
		if strings.HasPrefix(c.Operation, "Associate") {
			list = append(list, brings("GetResourceShareAssociations", in, path))
			continue
		}
		list = append(list, ends("GetResourceShareAssociations", in, path))
	}
	if len(list) == 2 && strings.Contains(list[0].with, "RESOURCE'") {
		list[0], list[1] = list[1], list[0]
	}
	return list
}

// ruleLooks look for each source of each rule of a security group.
func ruleLooks(c Call) []look {
	permissions, _ := plainJSON(c.Parameters["IpPermissions"]).([]any)
	list := "IpPermissions"
	if strings.HasSuffix(c.Operation, "Egress") {
		list = "IpPermissionsEgress"
	}
	var out []look
	for _, p := range permissions {
		permission, ok := p.(map[string]any)
		if !ok || permission["IpProtocol"] == nil {
			return nil
		}
		same := "IpProtocol==" + jmesValue(permission["IpProtocol"])
		for _, port := range []string{"FromPort", "ToPort"} {
			if v := permission[port]; v != nil {
				same += " && " + port + "==" + jmesValue(v)
			}
		}
		for _, source := range []struct{ list, id string }{{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}, {"PrefixListIds", "PrefixListId"}, {"UserIdGroupPairs", "GroupId"}} {
			sources, _ := permission[source.list].([]any)
			for _, s := range sources {
				id := dig(s, []string{source.id})
				if id == nil {
					return nil
				}
				path := "SecurityGroups[0]." + list + "[?" + same + "]." + source.list + "[] | [?" + source.id + "==" + jmesValue(id) + "]." + source.id + " | [0]"
				if strings.HasPrefix(c.Operation, "Authorize") {
					out = append(out, brings("DescribeSecurityGroups", "GroupIds=[GroupId]", path))
				} else {
					out = append(out, ends("DescribeSecurityGroups", "GroupIds=[GroupId]", path))
				}
			}
		}
	}
	return out
}
