package remediate

// what others have in services of compute, data and networks.
const (
	trustRepository = `{"Version":"2012-10-17","Statement":[{"Sid":"own","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"ecr:BatchGetImage"}]}`
	shareRepository = `{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"ecr:*"}]}`
	stackTopic      = `{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"stacked","DisplayName":"`
	stackEnd        = `"}}}}`
)

func filePolicy(sid, principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"elasticfilesystem:ClientMount"}]}`
}

func tablePolicy(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"dynamodb:GetItem","Resource":"*"}]}`
}

// distribution is what a distribution of CloudFront serves.
func distribution(domain string) object {
	return object{"CallerReference": "site", "Comment": "site", "Enabled": true,
		"Origins": object{"Quantity": 1, "Items": list(object{"Id": "site", "DomainName": domain, "S3OriginConfig": object{"OriginAccessIdentity": ""}})},
		"DefaultCacheBehavior": object{"TargetOriginId": "site", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
			"ForwardedValues": object{"QueryString": false, "Cookies": object{"Forward": "none"}}}}
}

// settleCompute builds what the account has in services of compute, data and
// networks. read makes calls that are not recorded, made those that are.
func settleCompute(e *estate, worker string, read func(call string, in object, path string) string, made func(kind, call string, in object, path string) string) {
	e.things["subnet"] = []string{read("ec2:DescribeSubnets", nil, "Subnets[?AvailabilityZone=='us-east-1a'].SubnetId | [0]"), read("ec2:DescribeSubnets", nil, "Subnets[?AvailabilityZone=='us-east-1b'].SubnetId | [0]")}
	e.things["peer VPC"] = []string{read("ec2:CreateVpc", object{"CidrBlock": "10.200.0.0/16"}, "Vpc.VpcId")}
	made("", "ec2:CreateKeyPair", object{"KeyName": "ops"}, "")
	made("launch template", "ec2:CreateLaunchTemplate", object{"LaunchTemplateName": "workers", "LaunchTemplateData": object{"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}}, "LaunchTemplate.LaunchTemplateId")
	made("profiled instance", "ec2:RunInstances", object{"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}, "Instances[0].InstanceId")
	made("profile association", "ec2:AssociateIamInstanceProfile", object{"InstanceId": e.things["profiled instance"][0], "IamInstanceProfile": object{"Name": "web"}}, "IamInstanceProfileAssociation.AssociationId")
	made("flow log", "ec2:CreateFlowLogs", object{"ResourceIds": list(e.things["vpc"][0]), "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::example-logs"}, "FlowLogIds[0]")
	made("", "ec2:CreateNetworkAclEntry", object{"NetworkAclId": e.things["network ACL"][0], "RuleNumber": 40, "Protocol": "6", "RuleAction": "deny", "Egress": false, "CidrBlock": "192.0.2.0/24", "PortRange": object{"From": 22, "To": 22}}, "")
	made("scaling group", "autoscaling:CreateAutoScalingGroup", object{"AutoScalingGroupName": "workers", "MinSize": 0, "MaxSize": 2, "DesiredCapacity": 0, "AvailabilityZones": list("us-east-1a"),
		"LaunchTemplate": object{"LaunchTemplateName": "workers", "Version": "1"}}, "")
	e.things["scaling group"] = []string{"workers"}

	made("layer", "lambda:PublishLayerVersion", object{"LayerName": "shared", "Content": object{"ZipFile": emptyZip}}, "")
	made("spare function", "lambda:CreateFunction", object{"FunctionName": "spare", "Runtime": "python3.12", "Role": worker, "Handler": "a.b", "Code": object{"ZipFile": emptyZip}}, "FunctionName")
	made("", "lambda:CreateFunction", object{"FunctionName": "hook", "Runtime": "python3.12", "Role": worker, "Handler": "a.b", "Code": object{"ZipFile": emptyZip}}, "")
	made("", "lambda:CreateFunctionUrlConfig", object{"FunctionName": "hook", "AuthType": "AWS_IAM"}, "")
	made("event source mapping", "lambda:CreateEventSourceMapping", object{"FunctionName": "resize", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:jobs", "BatchSize": 5}, "UUID")

	made("spare table", "dynamodb:CreateTable", object{"TableName": "spare", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": list(object{"AttributeName": "id", "AttributeType": "S"}), "KeySchema": list(object{"AttributeName": "id", "KeyType": "HASH"})}, "TableDescription.TableName")
	made("table ARN", "dynamodb:PutResourcePolicy", object{"ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders", "Policy": tablePolicy("arn:aws:iam::123456789012:root")}, "")
	e.things["table ARN"] = []string{"arn:aws:dynamodb:us-east-1:123456789012:table/orders"}
	made("spare database", "rds:CreateDBInstance", object{"DBInstanceIdentifier": "spare", "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "MasterUsername": "app", "MasterUserPassword": "Made-up-1", "PubliclyAccessible": false}, "DBInstance.DBInstanceIdentifier")
	made("database cluster", "rds:CreateDBCluster", object{"DBClusterIdentifier": "ledger", "Engine": "aurora-mysql", "MasterUsername": "app", "MasterUserPassword": "Made-up-1"}, "DBCluster.DBClusterIdentifier")
	made("cluster snapshot", "rds:CreateDBClusterSnapshot", object{"DBClusterSnapshotIdentifier": "ledger-weekly", "DBClusterIdentifier": "ledger"}, "DBClusterSnapshot.DBClusterSnapshotIdentifier")
	made("file system", "efs:CreateFileSystem", object{"CreationToken": "home"}, "FileSystemId")
	made("", "efs:PutFileSystemPolicy", object{"FileSystemId": e.things["file system"][0], "Policy": filePolicy("own", "arn:aws:iam::123456789012:root")}, "")
	made("spare file system", "efs:CreateFileSystem", object{"CreationToken": "spare"}, "FileSystemId")

	made("", "ecr:SetRepositoryPolicy", object{"RepositoryName": "app", "PolicyText": trustRepository}, "")
	made("cluster", "ecs:CreateCluster", object{"ClusterName": "main"}, "Cluster.ClusterName")
	made("task definition", "ecs:RegisterTaskDefinition", object{"Family": "web", "RequiresCompatibilities": list("FARGATE"), "NetworkMode": "awsvpc", "Cpu": "256", "Memory": "512",
		"ContainerDefinitions": list(object{"Name": "web", "Image": "web", "Memory": 512, "Cpu": 256})}, "TaskDefinition.TaskDefinitionArn")
	subnets := list(e.things["subnet"][0], e.things["subnet"][1])
	made("", "eks:CreateCluster", object{"Name": "main", "RoleArn": worker, "ResourcesVpcConfig": object{"SubnetIds": subnets, "EndpointPublicAccess": false, "EndpointPrivateAccess": true}}, "")

	zone := made("", "route53:CreateHostedZone", object{"Name": "example.org", "CallerReference": "own"}, "HostedZone.Id")
	e.things["hosted zone"] = []string{lastSegment(zone)}
	made("", "route53:ChangeResourceRecordSets", object{"HostedZoneId": lastSegment(zone), "ChangeBatch": object{"Changes": list(address("CREATE", "www.example.org", "192.0.2.10"))}}, "")
	private := made("", "route53:CreateHostedZone", object{"Name": "internal.example", "CallerReference": "internal", "HostedZoneConfig": object{"PrivateZone": true}, "VPC": object{"VPCId": e.things["vpc"][0], "VPCRegion": home}}, "HostedZone.Id")
	e.things["private zone"] = []string{lastSegment(private)}

	made("project", "codebuild:CreateProject", object{"Name": "site", "Source": object{"Type": "S3", "Location": "example-data/site.zip"}, "Artifacts": object{"Type": "NO_ARTIFACTS"},
		"Environment": object{"Type": "LINUX_CONTAINER", "Image": "x", "ComputeType": "BUILD_GENERAL1_SMALL"}, "ServiceRole": worker}, "Project.Name")
	made("", "cloudformation:CreateStack", object{"StackName": "base", "TemplateBody": stackTopic + "own" + stackEnd}, "")
	made("distribution", "cloudfront:CreateDistribution", object{"DistributionConfig": distribution("site.s3.amazonaws.com")}, "Distribution.Id")
	made("pipeline", "datapipeline:CreatePipeline", object{"Name": "nightly", "UniqueId": "nightly"}, "PipelineId")
	made("location", "datasync:CreateLocationS3", object{"S3BucketArn": "arn:aws:s3:::example-data", "S3Config": object{"BucketAccessRoleArn": worker}}, "LocationArn")
	made("GraphQL API", "appsync:CreateGraphqlApi", object{"Name": "orders", "AuthenticationType": "API_KEY"}, "GraphqlApi.ApiId")
	made("", "bedrock:PutModelInvocationLoggingConfiguration", object{"LoggingConfig": object{"S3Config": object{"BucketName": "example-logs"}, "TextDataDeliveryEnabled": true}}, "")
	made("file server", "transfer:CreateServer", object{"Protocols": list("SFTP")}, "ServerId")
	made("", "wafv2:CreateIPSet", object{"Name": "blocked", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": list("203.0.113.0/24")}, "")
	made("", "wafv2:CreateWebACL", object{"Name": "front", "Scope": "REGIONAL", "DefaultAction": object{"Allow": object{}}, "VisibilityConfig": visibility}, "")
	made("", "wafv2:CreateWebACL", object{"Name": "spare", "Scope": "REGIONAL", "DefaultAction": object{"Allow": object{}}, "VisibilityConfig": visibility}, "")
}

var visibility = object{"SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": "x"}

// address is a change of a record.
func address(action, name, ip string) object {
	return object{"Action": action, "ResourceRecordSet": object{"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": list(object{"Value": ip})}}
}

// computeViews are what the tests look at there.
var computeViews = []view{
	{"scaling group", "autoscaling:DescribeAutoScalingGroups", nil, "AutoScalingGroups[].[AutoScalingGroupName, MinSize, MaxSize, DesiredCapacity, LaunchTemplate.LaunchTemplateName]", nil, false},
	{"versions of launch template", "ec2:DescribeLaunchTemplates", nil, "LaunchTemplates[].[LaunchTemplateName, LatestVersionNumber]", nil, false},
	{"Spot fleet", "ec2:DescribeSpotFleetRequests", nil, "SpotFleetRequestConfigs[?SpotFleetRequestState=='active'].SpotFleetRequestId", nil, false},
	{"fleet", "ec2:DescribeFleets", nil, "Fleets[?FleetState=='active'].FleetId", nil, false},
	{"VPC", "ec2:DescribeVpcs", nil, "Vpcs[].VpcId", nil, false},
	// One that is made again has another id.
	{"flow log of", "ec2:DescribeFlowLogs", nil, "FlowLogs[].[ResourceId, LogDestination, TrafficType]", nil, false},
	{"rules of network ACL", "ec2:DescribeNetworkAcls", nil, "NetworkAcls[].[NetworkAclId, Entries[].[Egress, RuleNumber, CidrBlock, RuleAction, Protocol]]", nil, false},
	{"attributes of instance", "ec2:DescribeInstances", nil, "Reservations[].Instances[?State.Name!='terminated' && State.Name!='shutting-down'][].[InstanceId, SourceDestCheck, SecurityGroups[].GroupId]", nil, false},
	{"configuration of function", "lambda:ListFunctions", nil, "Functions[].[FunctionName, Timeout, MemorySize]", nil, false},
	{"mapping", "lambda:ListEventSourceMappings", nil, "EventSourceMappings[].[UUID, State, BatchSize]", nil, false},
	{"shares of layer", "lambda:ListLayers", nil, "Layers[].LayerName", []detail{{"lambda:GetLayerVersionPolicy", "LayerName", object{"VersionNumber": 1}, "Policy", ""}}, false},
	{"database cluster", "rds:DescribeDBClusters", nil, "DBClusters[].DBClusterIdentifier", nil, false},
	{"reach of database", "rds:DescribeDBInstances", nil, "DBInstances[].[DBInstanceIdentifier, PubliclyAccessible, BackupRetentionPeriod]", nil, false},
	{"cluster snapshot", "rds:DescribeDBClusterSnapshots", nil, "DBClusterSnapshots[?SnapshotType!='automated'].DBClusterSnapshotIdentifier", []detail{of("rds:DescribeDBClusterSnapshotAttributes", "DBClusterSnapshotIdentifier", "DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes")}, false},
	{"export", "rds:DescribeExportTasks", nil, "ExportTasks[?!contains(['canceled', 'canceling', 'complete', 'COMPLETE'], Status)].ExportTaskIdentifier", nil, false},
	{"file system", "efs:DescribeFileSystems", nil, "FileSystems[].FileSystemId", []detail{of("efs:DescribeFileSystemPolicy", "FileSystemId", "Policy")}, false},
	{"repository policy", "ecr:DescribeRepositories", nil, "Repositories[].RepositoryName", []detail{of("ecr:GetRepositoryPolicy", "RepositoryName", "PolicyText"), parts("image", "ecr:ListImages", "RepositoryName", "ImageIds[].ImageDigest")}, false},
	{"registry policy", "ecr:GetRegistryPolicy", nil, "[['account', PolicyText]]", nil, false},
	{"replication", "ecr:DescribeRegistry", nil, "[['account', ReplicationConfiguration.Rules]]", nil, false},
	// One that was deleted is listed, too.
	{"", "ecs:ListClusters", nil, "ClusterArns", []detail{
		parts("cluster", "ecs:DescribeClusters", "Clusters[]", "Clusters[?Status=='ACTIVE'].ClusterArn"),
		parts("services of cluster", "ecs:DescribeClusters", "Clusters[]", "Clusters[?Status=='ACTIVE' && ActiveServicesCount>`0`].ClusterArn")}, false},
	{"Kubernetes cluster", "eks:ListClusters", nil, "Clusters", []detail{of("eks:DescribeCluster", "Name", "Cluster.ResourcesVpcConfig.[EndpointPublicAccess, EndpointPrivateAccess]")}, false},
	{"EMR cluster", "emr:ListClusters", nil, "Clusters[?Status.State!='TERMINATED'].Id", nil, false},
	{"Glue endpoint", "glue:GetDevEndpoints", nil, "DevEndpoints[].EndpointName", nil, false},
	{"Glue policy", "glue:GetResourcePolicy", nil, "[['account', PolicyInJson]]", nil, false},
	{"records of zone", "route53:ListHostedZones", nil, "HostedZones[].Id", []detail{
		{"route53:ListResourceRecordSets", "HostedZoneId", nil, "ResourceRecordSets[?Type=='A'].[Name, ResourceRecords[].Value]", "record"}, of("route53:GetHostedZone", "Id", "VPCs[].VPCId")}, false},
	{"stack set", "cloudformation:ListStackSets", nil, "Summaries[?Status!='DELETED'].StackSetName", nil, false},
	{"distribution", "cloudfront:ListDistributions", nil, "DistributionList.Items[].Id", nil, false},
	{"pipeline", "datapipeline:ListPipelines", nil, "PipelineIdList[].Id", nil, false},
	{"copy task", "datasync:ListTasks", nil, "Tasks[].TaskArn", nil, false},
	{"GraphQL API", "appsync:ListGraphqlApis", nil, "GraphqlApis[].ApiId", nil, false},
	{"log of models", "bedrock:GetModelInvocationLoggingConfiguration", nil, "LoggingConfig && [['account', LoggingConfig.S3Config.BucketName, LoggingConfig.TextDataDeliveryEnabled]]", nil, false},
	{"file server", "transfer:ListServers", nil, "Servers[].ServerId", nil, false},
	{"share", "ram:GetResourceShares", object{"ResourceOwner": "SELF"}, "ResourceShares[?Status!='DELETED'].Name", nil, false},
	{"notebook", "sagemaker:ListNotebookInstances", nil, "NotebookInstances[].NotebookInstanceName", nil, false},
	{"web ACL", "wafv2:ListWebACLs", object{"Scope": "REGIONAL"}, "WebACLs[].Name", nil, false},
	{"IP set", "wafv2:ListIPSets", object{"Scope": "REGIONAL"}, "IPSets[].Name", nil, false},
}
