package remediate

// computeMoves are those on services of compute, data and networks.
var computeMoves = []move{
	{"ec2:ImportKeyPair", "", "", func(c *choice) object { return with("KeyName", c.fresh("pair"), "PublicKeyMaterial", pairText) }},
	{"ec2:DeleteKeyPair", "", "", func(*choice) object { return with("KeyName", "ops") }},
	{"ec2:GetPasswordData", "", "", func(c *choice) object { return with("InstanceId", c.any("instance")) }},
	{"ec2instanceconnect:SendSSHPublicKey", "", "", func(c *choice) object {
		return with("InstanceId", c.any("instance"), "InstanceOSUser", "root", "SSHPublicKey", sshKey, "AvailabilityZone", "us-east-1a")
	}},
	{"ec2:StartInstances", "", "", func(c *choice) object { return with("InstanceIds", list(c.any("instance"))) }},
	{"ec2:AttachVolume", "", "", func(c *choice) object {
		return with("VolumeId", c.any("volume"), "InstanceId", c.any("instance"), "Device", "/dev/sdh")
	}},
	{"ec2:CreateVolume", "spare volume", "VolumeId", func(*choice) object { return with("AvailabilityZone", "us-east-1a", "Size", 8) }},
	{"ec2:DeleteVolume", "", "", func(c *choice) object { return with("VolumeId", c.any("spare volume")) }},
	{"ec2:ModifyInstanceAttribute", "", "", func(c *choice) object {
		return with("InstanceId", c.any("instance"), "SourceDestCheck", object{"Value": false})
	}},
	{"ec2:ModifyInstanceAttribute", "", "", func(c *choice) object {
		return with("InstanceId", c.things["instance"][0], "Groups", list(c.any("security group")))
	}},
	{"ec2:ModifyInstanceMetadataOptions", "", "", func(c *choice) object { return with("InstanceId", c.any("instance"), "HttpTokens", "optional") }},
	{"ec2:AssociateIamInstanceProfile", "", "", func(c *choice) object {
		return with("InstanceId", c.any("instance"), "IamInstanceProfile", object{"Name": c.any("instance profile")})
	}},
	{"ec2:ReplaceIamInstanceProfileAssociation", "profile association", "IamInstanceProfileAssociation.AssociationId", func(c *choice) object {
		return with("AssociationId", c.things["profile association"][len(c.things["profile association"])-1], "IamInstanceProfile", object{"Name": c.any("instance profile")})
	}},
	{"ec2:DisassociateIamInstanceProfile", "", "", func(c *choice) object { return with("AssociationId", c.any("profile association")) }},
	{"ec2:RevokeSecurityGroupEgress", "", "", func(c *choice) object {
		return with("GroupId", c.any("security group"), "IpPermissions", list(object{"IpProtocol": "-1", "IpRanges": list(object{"CidrIp": "0.0.0.0/0"})}))
	}},
	{"ec2:ReplaceNetworkAclEntry", "", "", func(c *choice) object {
		return with("NetworkAclId", c.any("network ACL"), "RuleNumber", 40, "Protocol", "-1", "RuleAction", "allow", "Egress", false, "CidrBlock", "0.0.0.0/0")
	}},
	{"ec2:CreateVpcPeeringConnection", "", "", func(c *choice) object { return with("VpcId", c.any("vpc"), "PeerVpcId", c.any("peer VPC")) }},
	{"ec2:DeleteFlowLogs", "", "", func(c *choice) object { return with("FlowLogIds", list(c.any("flow log"))) }},
	{"ec2:RequestSpotFleet", "", "", func(c *choice) object {
		return with("SpotFleetRequestConfig", object{"IamFleetRole": c.any("role ARN"), "TargetCapacity": 1, "SpotPrice": "9", "AllocationStrategy": "lowestPrice",
			"LaunchSpecifications": list(object{"ImageId": "ami-12c6146b", "InstanceType": "m5.large", "SpotPrice": "9", "WeightedCapacity": 1})})
	}},
	{"ec2:CreateFleet", "", "", func(c *choice) object {
		return with("Type", "maintain", "LaunchTemplateConfigs", list(object{"LaunchTemplateSpecification": object{"LaunchTemplateId": c.things["launch template"][0], "Version": "1"}}),
			"TargetCapacitySpecification", object{"TotalTargetCapacity": 1, "OnDemandTargetCapacity": 1, "SpotTargetCapacity": 0, "DefaultTargetCapacityType": "on-demand"})
	}},
	{"autoscaling:CreateAutoScalingGroup", "scaling group", "", func(c *choice) object {
		return with("AutoScalingGroupName", c.fresh("scale"), "MinSize", 1, "MaxSize", 9, "DesiredCapacity", 1, "AvailabilityZones", list("us-east-1a"),
			"LaunchTemplate", object{"LaunchTemplateId": c.things["launch template"][0], "Version": "1"})
	}},
	{"autoscaling:UpdateAutoScalingGroup", "", "", func(c *choice) object {
		return with("AutoScalingGroupName", c.any("scaling group"), "MaxSize", 50, "DesiredCapacity", 3)
	}},
	{"ec2:TerminateInstances", "", "", func(c *choice) object {
		if len(c.things["instance"]) < 2 {
			return nil // the owner's
		}
		return with("InstanceIds", list(c.things["instance"][1]))
	}},

	{"lambda:RemovePermission", "", "", func(*choice) object { return with("FunctionName", "resize", "StatementId", "s3") }},
	{"lambda:AddLayerVersionPermission", "", "", func(c *choice) object {
		return with("LayerName", "shared", "VersionNumber", 1, "StatementId", c.fresh("share"), "Action", "lambda:GetLayerVersion", "Principal", "444455556666")
	}},
	{"lambda:CreateEventSourceMapping", "event source mapping", "UUID", func(c *choice) object {
		return with("FunctionName", c.any("function"), "EventSourceArn", "arn:aws:sqs:us-east-1:123456789012:jobs", "BatchSize", 1)
	}},
	{"lambda:UpdateEventSourceMapping", "", "", func(c *choice) object { return with("UUID", c.any("event source mapping"), "BatchSize", 10) }},
	{"lambda:UpdateFunctionCode", "", "", func(c *choice) object { return with("FunctionName", c.any("function"), "ZipFile", emptyZip) }},
	{"lambda:UpdateFunctionConfiguration", "", "", func(c *choice) object { return with("FunctionName", c.any("function"), "Timeout", 900) }},
	{"lambda:UpdateFunctionUrlConfig", "", "", func(*choice) object { return with("FunctionName", "hook", "AuthType", "NONE") }},
	{"lambda:DeleteFunction", "", "", func(c *choice) object { return with("FunctionName", c.any("spare function")) }},

	{"dynamodb:PutResourcePolicy", "", "", func(c *choice) object {
		return with("ResourceArn", c.any("table ARN"), "Policy", tablePolicy("arn:aws:iam::444455556666:root"))
	}},
	{"dynamodb:PutResourcePolicy", "", "", func(c *choice) object {
		return with("ResourceArn", "arn:aws:dynamodb:us-east-1:123456789012:table/"+c.any("spare table"), "Policy", tablePolicy("arn:aws:iam::444455556666:root"))
	}},
	{"dynamodb:DeleteTable", "", "", func(c *choice) object { return with("TableName", c.any("spare table")) }},
	{"rds:RestoreDBInstanceFromDBSnapshot", "database", "DBInstance.DBInstanceIdentifier", func(c *choice) object {
		return with("DBInstanceIdentifier", c.fresh("database"), "DBSnapshotIdentifier", c.any("database snapshot"))
	}},
	{"rds:ModifyDBInstance", "", "", func(c *choice) object {
		return with("DBInstanceIdentifier", c.any("database"), "PubliclyAccessible", true, "ApplyImmediately", true)
	}},
	{"rds:ModifyDBInstance", "", "", func(c *choice) object {
		return with("DBInstanceIdentifier", c.any("spare database"), "MasterUserPassword", "Hostile-1!", "PubliclyAccessible", true)
	}},
	{"rds:StartExportTask", "", "", func(c *choice) object {
		return with("ExportTaskIdentifier", c.fresh("export"), "SourceArn", "arn:aws:rds:us-east-1:123456789012:snapshot:"+c.any("database snapshot"), "S3BucketName", c.any("bucket"),
			"IamRoleArn", c.any("role ARN"), "KmsKeyId", c.things["key"][0])
	}},
	{"rds:ModifyDBClusterSnapshotAttribute", "", "", func(c *choice) object {
		return with("DBClusterSnapshotIdentifier", c.any("cluster snapshot"), "AttributeName", "restore", "ValuesToAdd", list("444455556666"))
	}},
	{"rds:DeleteDBInstance", "", "", func(c *choice) object {
		return with("DBInstanceIdentifier", c.any("spare database"), "SkipFinalSnapshot", true)
	}},
	{"rds:DeleteDBCluster", "", "", func(c *choice) object {
		return with("DBClusterIdentifier", c.any("database cluster"), "SkipFinalSnapshot", true)
	}},
	{"efs:PutFileSystemPolicy", "", "", func(c *choice) object {
		return with("FileSystemId", c.any("file system"), "Policy", filePolicy("x", "*"))
	}},
	{"efs:DeleteFileSystem", "", "", func(c *choice) object { return with("FileSystemId", c.any("spare file system")) }},

	{"ecr:SetRepositoryPolicy", "", "", func(c *choice) object {
		return with("RepositoryName", c.any("repository"), "PolicyText", shareRepository)
	}},
	{"ecr:PutImage", "", "", func(c *choice) object {
		return with("RepositoryName", c.any("repository"), "ImageTag", c.fresh("tag"), "ImageManifest", `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":`+c.fresh("")[3:]+`,"digest":"sha256:`+c.fresh("config")+`"},"layers":[]}`)
	}},
	{"ecr:PutRegistryPolicy", "", "", func(*choice) object {
		return with("PolicyText", `{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"ecr:ReplicateImage","Resource":"arn:aws:ecr:us-east-1:123456789012:repository/*"}]}`)
	}},
	{"ecr:PutReplicationConfiguration", "", "", func(*choice) object {
		return with("ReplicationConfiguration", object{"Rules": list(object{"Destinations": list(object{"Region": "eu-west-1", "RegistryId": "444455556666"})})})
	}},
	{"ecs:CreateCluster", "cluster", "", func(c *choice) object { return with("ClusterName", c.fresh("cluster")) }},
	{"ecs:CreateService", "", "", func(c *choice) object {
		return with("Cluster", c.any("cluster"), "ServiceName", c.fresh("service"), "TaskDefinition", c.any("task definition"), "DesiredCount", 2)
	}},
	{"eks:UpdateClusterConfig", "", "", func(*choice) object {
		return with("Name", "main", "ResourcesVpcConfig", object{"EndpointPublicAccess": true, "PublicAccessCidrs": list("0.0.0.0/0")})
	}},
	{"emr:RunJobFlow", "", "", func(c *choice) object {
		group := c.things["security group"][0]
		return with("Name", c.fresh("emr"), "ReleaseLabel", "emr-7.0.0", "JobFlowRole", "web", "ServiceRole", "worker", "Instances", object{"MasterInstanceType": "m5.xlarge", "SlaveInstanceType": "m5.xlarge",
			"InstanceCount": 2, "KeepJobFlowAliveWhenNoSteps": true, "EmrManagedMasterSecurityGroup": group, "EmrManagedSlaveSecurityGroup": group})
	}},
	{"glue:CreateDevEndpoint", "", "", func(c *choice) object {
		return with("EndpointName", c.fresh("glue"), "RoleArn", c.any("role ARN"), "PublicKey", sshKey)
	}},
	{"glue:PutResourcePolicy", "", "", func(*choice) object {
		return with("PolicyInJson", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"glue:*","Resource":"arn:aws:glue:us-east-1:123456789012:*"}]}`)
	}},
	{"sagemaker:CreateNotebookInstance", "", "", func(c *choice) object {
		return with("NotebookInstanceName", c.fresh("notebook"), "InstanceType", "ml.t3.medium", "RoleArn", c.any("role ARN"))
	}},
	{"sagemaker:CreateTrainingJob", "", "", func(c *choice) object {
		return with("TrainingJobName", c.fresh("training"), "RoleArn", c.any("role ARN"), "AlgorithmSpecification", object{"TrainingImage": "miner", "TrainingInputMode": "File"},
			"OutputDataConfig", object{"S3OutputPath": "s3://x/y"}, "ResourceConfig", object{"InstanceType": "ml.p4d.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}, "StoppingCondition", object{"MaxRuntimeInSeconds": 3600})
	}},

	{"route53:ChangeResourceRecordSets", "", "", func(c *choice) object {
		return with("HostedZoneId", c.any("hosted zone"), "ChangeBatch", object{"Changes": list(address("UPSERT", "www.example.org", "203.0.113.66"))})
	}},
	{"route53:CreateHostedZone", "own zone", "HostedZone.Id", func(c *choice) object {
		return with("Name", "stolen.example", "CallerReference", c.fresh("zone"))
	}},
	{"route53:ChangeResourceRecordSets", "", "", func(c *choice) object {
		if c.any("own zone") == "" {
			return nil
		}
		return with("HostedZoneId", lastSegment(c.any("own zone")), "ChangeBatch", object{"Changes": list(address("CREATE", c.fresh("name")+".stolen.example", "203.0.113.66"))})
	}},
	{"route53:AssociateVPCWithHostedZone", "", "", func(c *choice) object {
		return with("HostedZoneId", c.any("private zone"), "VPC", object{"VPCId": c.any("peer VPC"), "VPCRegion": home})
	}},

	{"cloudformation:UpdateStack", "", "", func(c *choice) object {
		return with("StackName", "base", "TemplateBody", stackTopic+c.fresh("name")+stackEnd)
	}},
	{"cloudformation:CreateStackSet", "", "", func(c *choice) object {
		return with("StackSetName", c.fresh("stackset"), "TemplateBody", stackTopic+"x"+stackEnd)
	}},
	{"cloudfront:UpdateDistribution", "", "", func(c *choice) object {
		return with("Id", c.any("distribution"), "IfMatch", "x", "DistributionConfig", distribution("evil.s3.amazonaws.com"))
	}},
	{"datapipeline:CreatePipeline", "pipeline", "PipelineId", func(c *choice) object { return with("Name", c.fresh("pipeline"), "UniqueId", c.fresh("pipeline")) }},
	{"datapipeline:PutPipelineDefinition", "", "", func(c *choice) object {
		return with("PipelineId", c.any("pipeline"), "PipelineObjects", list(object{"Id": "Default", "Name": "Default", "Fields": list(object{"Key": "role", "StringValue": "worker"})}))
	}},
	{"datasync:CreateTask", "", "", func(c *choice) object {
		return with("SourceLocationArn", c.any("location"), "DestinationLocationArn", c.any("location"), "Name", c.fresh("copy"))
	}},
	{"bedrock:PutModelInvocationLoggingConfiguration", "", "", func(*choice) object {
		return with("LoggingConfig", object{"S3Config": object{"BucketName": "example-data"}, "TextDataDeliveryEnabled": false})
	}},
	{"bedrock:DeleteModelInvocationLoggingConfiguration", "", "", func(*choice) object { return with() }},
	{"transfer:CreateServer", "file server", "ServerId", func(*choice) object { return with("Protocols", list("SFTP")) }},
	{"transfer:CreateUser", "", "", func(c *choice) object {
		return with("ServerId", c.any("file server"), "UserName", c.fresh("user"), "Role", c.any("role ARN"))
	}},
	{"ram:CreateResourceShare", "", "", func(c *choice) object { return with("Name", c.fresh("share"), "Principals", list("444455556666")) }},
	{"wafv2:UpdateIPSet", "", "", func(c *choice) object {
		id, token := c.firewall("wafv2:ListIPSets", "IPSets", "blocked")
		return with("Name", "blocked", "Scope", "REGIONAL", "Id", id, "LockToken", token, "Addresses", list("198.51.100.1/32"))
	}},
	{"wafv2:DeleteWebACL", "", "", func(c *choice) object {
		id, token := c.firewall("wafv2:ListWebACLs", "WebACLs", "spare")
		return with("Name", "spare", "Scope", "REGIONAL", "Id", id, "LockToken", token)
	}},
}

// earlyMoves are those that other moves make impossible.
var earlyMoves = []move{
	{"ec2:ModifySecurityGroupRules", "", "", func(c *choice) object {
		group := c.things["security group"][0]
		out, err := c.Do(c.ctx, home, "ec2:DescribeSecurityGroupRules", object{"Filters": list(object{"Name": "group-id", "Values": list(group)})})
		if err != nil {
			c.t.Fatal(err)
		}
		rule, err := search("SecurityGroupRules[?!IsEgress && FromPort==`443`].SecurityGroupRuleId | [0]", out)
		if err != nil || rule == nil {
			return nil // it was taken out
		}
		return with("GroupId", group, "SecurityGroupRules", list(object{"SecurityGroupRuleId": rule, "SecurityGroupRule": object{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "CidrIpv4": "0.0.0.0/0"}}))
	}},
	{"dynamodb:ExportTableToPointInTime", "", "", func(c *choice) object {
		return with("TableArn", c.any("table ARN"), "S3Bucket", c.things["bucket"][0], "S3Prefix", "x")
	}},
}

// firewall gives the id of a thing of WAF, and the token that its changes take.
func (c *choice) firewall(call, what, name string) (id, token string) {
	out, err := c.Do(c.ctx, home, call, object{"Scope": "REGIONAL"})
	if err != nil {
		c.t.Fatal(err)
	}
	found, err := search(what+"[?Name=='"+name+"'].[Id, LockToken] | [0]", out)
	if err != nil {
		c.t.Fatal(err)
	}
	if pair, ok := found.([]any); ok {
		return show(pair[0]), show(pair[1])
	}
	return "", ""
}

const pairText = "c3NoLXJzYSBBQUFBQjNOemFDMXljMkVBQUFBREFRQUJBQUFCQVFDM1dzMHF5NWRib2VPVWYwOHE0QXV0bXczV2tCd3ltWHEyTVl3Lzl0bk10ZHBvVVpiOVI1eDdTVlIxWDk4ZXZaUUlEU2lQZDVWMXNYc0F0d2FSUjR5aTNJQ0NSKzQ5dDNsSThvNjdJVExiTFhvNVlLUVRtWERKZDcyUHZhVkp2dWxlQ2h2UWtxWi8yQjlLb1lESkZseHE4RUNWdi91T01xWCswYmFsVktkTHF4SDFyMUlZamhFcDNJSGRhUURHQjdtRGRTNmw4L0t0K1dWdUZRTUNSRXV1bEdjMncyYlp4eFpCc0dRdEJvWDVFMkJuOWN6NVBUWFg5NUJaVDRCcUpoYnBBZUV6aC9rWkhvVXV6bmllWnNLOTdCQzNvMFN3Zit3YWhhMExudzllQTUyK3dOK3paUHh2YXdLRE8vNHIxOWovQm1NaHJ3dlZvaHpTUjdOTkRGOEIgaW50cnVkZXIK"
