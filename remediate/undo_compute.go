package remediate

// undoCompute are instances, images, snapshots and what starts them.
var undoCompute = []undo{
	{
		call: "ec2:RunInstances", object: []string{"rs.instancesSet.items[].instanceId"}, creates: "instances", also: []string{"TerminateInstances"},
		steps: []step{
			{
				phase: Preserve, mode: Review, call: "ec2:CreateSnapshots",
				in:    args{"InstanceSpecification": args{"InstanceId": Item}, "Description": "'trailscan: evidence'"},
				each:  &each{"ec2:DescribeInstances", args{"InstanceIds": "rs.instancesSet.items[].instanceId"}, "Reservations[].Instances[].InstanceId"},
				title: "Take snapshots of the volumes of {rs.instancesSet.items[].instanceId}",
				risk:  "Costs storage. Memory is not kept: take it first if you need it.",
			},
			{
				phase: Evict, mode: Auto, call: "ec2:StopInstances", in: args{"InstanceIds": "rs.instancesSet.items[].instanceId"},
				back:  []reverse{{"ec2:StartInstances", args{"InstanceIds": "rs.instancesSet.items[].instanceId"}}},
				title: "Stop the instances {rs.instancesSet.items[].instanceId}",
				risk:  "Ends what runs on them; memory and instance stores are lost. A Spot instance refuses: terminate it.",
			},
			{
				phase: Evict, mode: Review, call: "ec2:ModifyInstanceAttribute", when: [2]string{"rq.disableApiTermination", "true"},
				in:    args{"InstanceId": Item, "DisableApiTermination": args{"Value": false}},
				each:  &each{"ec2:DescribeInstances", args{"InstanceIds": "rs.instancesSet.items[].instanceId"}, "Reservations[].Instances[].InstanceId"},
				back:  []reverse{{"ec2:ModifyInstanceAttribute", args{"InstanceId": Item, "DisableApiTermination": args{"Value": true}}}},
				title: "Take the termination protection off {rs.instancesSet.items[].instanceId}",
				risk:  "They can then be terminated.",
			},
			{
				phase: Evict, mode: Review, call: "ec2:TerminateInstances", in: args{"InstanceIds": "rs.instancesSet.items[].instanceId"},
				title: "Terminate the instances {rs.instancesSet.items[].instanceId}",
				risk:  "Final: their disks go too. Take the snapshots first. Termination protection must be taken off before.",
			},
		},
	},
	{
		call: "ec2:StartInstances", object: []string{"rq.instancesSet.items[].instanceId"}, also: []string{"StopInstances", "TerminateInstances"},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:StopInstances", in: args{"InstanceIds": "rq.instancesSet.items[].instanceId"},
			back:  []reverse{{"ec2:StartInstances", args{"InstanceIds": "rq.instancesSet.items[].instanceId"}}},
			title: "Stop the instances {rq.instancesSet.items[].instanceId} again", risk: "Ends what runs on them.",
		}},
	},
	{
		call: "ec2:StopInstances", object: []string{"rq.instancesSet.items[].instanceId"}, also: []string{"StartInstances", "TerminateInstances"},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:StartInstances", in: args{"InstanceIds": "rq.instancesSet.items[].instanceId"},
			back:  []reverse{{"ec2:StopInstances", args{"InstanceIds": "rq.instancesSet.items[].instanceId"}}},
			title: "Start the instances {rq.instancesSet.items[].instanceId} again",
			risk:  "Look at their user data first: stop, change, start is how code gets onto an instance.",
		}},
	},
	{call: "ec2:TerminateInstances", object: []string{"rq.instancesSet.items[].instanceId"}, todo: "The instances {rq.instancesSet.items[].instanceId} were terminated: bring them back from images, snapshots or code."},
	{call: "ec2:RebootInstances", object: []string{"rq.instancesSet.items[].instanceId"}, todo: "The instances {rq.instancesSet.items[].instanceId} were rebooted: see that they run as they should."},
	{
		// To cancel a request does not end its instance:
		// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelSpotInstanceRequests.html.
		call: "ec2:RequestSpotInstances", object: []string{"rs.spotInstanceRequestSet.items[].spotInstanceRequestId"}, creates: "Spot requests", also: []string{"CancelSpotInstanceRequests"}, chain: true,
		steps: []step{
			{
				phase: Evict, mode: Review, call: "ec2:CancelSpotInstanceRequests", in: args{"SpotInstanceRequestIds": "rs.spotInstanceRequestSet.items[].spotInstanceRequestId"},
				title: "Cancel the Spot requests {rs.spotInstanceRequestSet.items[].spotInstanceRequestId}", risk: "Final. The intruder made them.",
			},
			{
				phase: Evict, mode: Review, call: "ec2:TerminateInstances", in: args{"InstanceIds": []any{Item}},
				each: &each{"ec2:DescribeInstances", args{"Filters": []args{{"Name": "'spot-instance-request-id'", "Values": "rs.spotInstanceRequestSet.items[].spotInstanceRequestId"},
					{"Name": "'instance-state-name'", "Values": []any{"'pending'", "'running'", "'stopping'", "'stopped'"}}}}, "Reservations[].Instances[].InstanceId"},
				title: "Terminate the instances of the Spot requests {rs.spotInstanceRequestSet.items[].spotInstanceRequestId}",
				risk:  "Final: their disks go too. Take snapshots first, if you need the evidence.",
			},
		},
	},
	remove("ec2:RequestSpotFleet", "ec2:CancelSpotFleetRequests", "Spot fleet", []string{"rs.spotFleetRequestId|rs.RequestSpotFleetResponse.spotFleetRequestId"},
		args{"SpotFleetRequestIds": "list(rs.spotFleetRequestId|rs.RequestSpotFleetResponse.spotFleetRequestId)", "TerminateInstances": true}, "Cancel the Spot fleet {rs.spotFleetRequestId|rs.RequestSpotFleetResponse.spotFleetRequestId} and terminate its instances"),
	remove("ec2:CreateFleet", "ec2:DeleteFleets", "fleet", []string{"rs.CreateFleetResponse.fleetId"},
		args{"FleetIds": "list(rs.CreateFleetResponse.fleetId)", "TerminateInstances": true}, "Delete the fleet {rs.CreateFleetResponse.fleetId} and terminate its instances"),
	remove("ec2:CreateLaunchTemplate", "ec2:DeleteLaunchTemplate", "launch template", []string{"rs.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId"},
		args{"LaunchTemplateId": "rs.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId"}, "Delete the launch template {rs.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId}"),
	{
		call: "ec2:CreateLaunchTemplateVersion", creates: "launch template version", also: []string{"DeleteLaunchTemplateVersions", "DeleteLaunchTemplate"},
		object: []string{"rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.launchTemplateId", "rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.versionNumber"},
		steps: []step{{
			phase: Evict, mode: Review, call: "ec2:DeleteLaunchTemplateVersions",
			in:    args{"LaunchTemplateId": "rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.launchTemplateId", "Versions": "texts(rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.versionNumber)"},
			title: "Delete version {rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.versionNumber} of the launch template {rs.CreateLaunchTemplateVersionResponse.launchTemplateVersion.launchTemplateId}",
			risk:  "Final. Groups that use $Latest have started it since, and start the one before from now on; AWS refuses while it is the default.",
		}},
	},
	{
		call: "ec2:ModifyLaunchTemplate", object: []string{"rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId|rq.ModifyLaunchTemplateRequest.LaunchTemplateId"}, also: []string{"DeleteLaunchTemplate"},
		prior: []prior{
			{"CreateLaunchTemplate", []string{"rs.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId"}, "text(rs.CreateLaunchTemplateResponse.launchTemplate.defaultVersionNumber)"},
			{"ModifyLaunchTemplate", []string{"rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId"}, "text(rq.ModifyLaunchTemplateRequest.SetDefaultVersion|rq.ModifyLaunchTemplateRequest.DefaultVersion|rs.ModifyLaunchTemplateResponse.launchTemplate.defaultVersionNumber)"},
		},
		steps: []step{{
			phase: Evict, mode: Auto, call: "ec2:ModifyLaunchTemplate",
			in: args{"LaunchTemplateId": "rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId|rq.ModifyLaunchTemplateRequest.LaunchTemplateId", "DefaultVersion": "prior"},
			back: []reverse{{"ec2:ModifyLaunchTemplate", args{"LaunchTemplateId": "rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId|rq.ModifyLaunchTemplateRequest.LaunchTemplateId",
				"DefaultVersion": "text(rq.ModifyLaunchTemplateRequest.SetDefaultVersion|rq.ModifyLaunchTemplateRequest.DefaultVersion|rs.ModifyLaunchTemplateResponse.launchTemplate.defaultVersionNumber)"}}},
			title: "Make {prior} the default version of the launch template {rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId|rq.ModifyLaunchTemplateRequest.LaunchTemplateId} again",
			risk:  "New instances start as they did before.",
		}},
		todo: "The default version of the launch template {rs.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId|rq.ModifyLaunchTemplateRequest.LaunchTemplateId} was changed, and the log does not show which it was: put it back.",
	},
	{
		call: "ec2:ModifyInstanceAttribute", object: []string{"rq.instanceId", "rq.attribute|kind(rq)"}, was: groupsBefore, also: []string{"TerminateInstances"},
		prior: []prior{{"RunInstances", []string{"rs.instancesSet.items[].instanceId"}, "rs.instancesSet.items"}},
		steps: instanceAttributes(step{
			phase: Recover, mode: Auto, call: "ec2:ModifyInstanceAttribute", when: [2]string{"rq.groupSet.items", anyValue}, in: args{"InstanceId": "rq.instanceId", "Groups": "prior"},
			back:  []reverse{{"ec2:ModifyInstanceAttribute", args{"InstanceId": "rq.instanceId", "Groups": "rq.groupSet.items[].groupId"}}},
			title: "Put the instance {rq.instanceId} back into the security groups {prior}", risk: "Lets in what these groups do, and no longer what the intruder's did.",
		}),
		blind: instanceAttributes(),
		todo:  "Attributes of the instance {rq.instanceId} were changed ({rq.attribute|kind(rq)}): put them back. User data is not in the log, and runs at the next start.",
	},
	remove("ec2:AssociateIamInstanceProfile", "ec2:DisassociateIamInstanceProfile", "instance profile association", []string{"rs.AssociateIamInstanceProfileResponse.iamInstanceProfileAssociation.associationId"},
		args{"AssociationId": "rs.AssociateIamInstanceProfileResponse.iamInstanceProfileAssociation.associationId"}, "Take the instance profile off the instance {rq.AssociateIamInstanceProfileRequest.InstanceId}"),
	{
		call: "ec2:ReplaceIamInstanceProfileAssociation", object: []string{"rs.ReplaceIamInstanceProfileAssociationResponse.iamInstanceProfileAssociation.instanceId|rq.ReplaceIamInstanceProfileAssociationRequest.AssociationId"},
		was: profileBefore, also: []string{"TerminateInstances"},
		prior: []prior{{"RunInstances", []string{"rs.instancesSet.items[].instanceId"}, "rq.iamInstanceProfile"},
			{"AssociateIamInstanceProfile", []string{"rq.AssociateIamInstanceProfileRequest.InstanceId"}, "rq.AssociateIamInstanceProfileRequest.IamInstanceProfile"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:ReplaceIamInstanceProfileAssociation", in: args{"AssociationId": Item, "IamInstanceProfile": "prior"},
			// The id of an association is another after each replacement.
			each: &each{"ec2:DescribeIamInstanceProfileAssociations", args{"Filters": []args{{"Name": "'instance-id'", "Values": "list(rs.ReplaceIamInstanceProfileAssociationResponse.iamInstanceProfileAssociation.instanceId)"}}},
				"IamInstanceProfileAssociations[?State=='associated'].AssociationId"},
			title: "Give the instance {rs.ReplaceIamInstanceProfileAssociationResponse.iamInstanceProfileAssociation.instanceId} its instance profile {prior} again",
			risk:  "The instance gets the permissions that it had. Revoke the sessions of the other profile's role.",
		}},
		todo: "The instance profile of an instance was replaced (association {rq.ReplaceIamInstanceProfileAssociationRequest.AssociationId}): put the old one back and revoke the sessions of the new one's role.",
	},
	{
		call: "ec2:DisassociateIamInstanceProfile", object: []string{"rq.DisassociateIamInstanceProfileRequest.AssociationId"}, also: []string{"TerminateInstances"}, was: profileTaken,
		prior: []prior{{"RunInstances", []string{"rs.none"}, "rq.iamInstanceProfile"}, {"AssociateIamInstanceProfile", []string{"rs.none"}, "rq.none"}, {"ReplaceIamInstanceProfileAssociation", []string{"rs.none"}, "rq.none"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:AssociateIamInstanceProfile",
			in: args{"InstanceId": "rs.DisassociateIamInstanceProfileResponse.iamInstanceProfileAssociation.instanceId",
				"IamInstanceProfile": "prior"},
			title: "Give the instance {rs.DisassociateIamInstanceProfileResponse.iamInstanceProfileAssociation.instanceId} its instance profile again",
			risk:  "The instance gets the permissions that it had: look at it first. AWS refuses if it has got another profile since.",
		}},
		todo: "An instance lost its instance profile (association {rq.DisassociateIamInstanceProfileRequest.AssociationId}): associate it again.",
	},
	{
		call: "ec2:ModifyInstanceMetadataOptions", object: []string{"rq.ModifyInstanceMetadataOptionsRequest.InstanceId"},
		steps: []step{{
			phase: Recover, mode: Auto, call: "ec2:ModifyInstanceMetadataOptions", when: [2]string{"rq.ModifyInstanceMetadataOptionsRequest.HttpTokens", "optional"},
			in:    args{"InstanceId": "rq.ModifyInstanceMetadataOptionsRequest.InstanceId", "HttpTokens": "'required'"},
			back:  []reverse{{"ec2:ModifyInstanceMetadataOptions", args{"InstanceId": "rq.ModifyInstanceMetadataOptionsRequest.InstanceId", "HttpTokens": "'optional'"}}},
			title: "Let the instance {rq.ModifyInstanceMetadataOptionsRequest.InstanceId} give its credentials to IMDSv2 only",
			risk:  "Software that speaks IMDSv1 loses its credentials.",
		}},
		todo: "The metadata options of the instance {rq.ModifyInstanceMetadataOptionsRequest.InstanceId} were changed: put them back.",
	},
	{
		call: "ec2:ModifySnapshotAttribute", object: []string{"rq.snapshotId"}, also: []string{"DeleteSnapshot"}, was: snapshotShares.before,
		prior: []prior{{"ResetSnapshotAttribute", []string{"rq.snapshotId"}, "rq.none"}},
		steps: attributeShares("ec2:ModifySnapshotAttribute", "the snapshot {rq.snapshotId}", args{"SnapshotId": "rq.snapshotId", "Attribute": "'createVolumePermission'"}, "UserIds", "GroupNames"),
		todo:  "The sharing of the snapshot {rq.snapshotId} was changed: see with whom it is shared now.",
	},
	{
		call: "ec2:ModifyImageAttribute", object: []string{"rq.imageId"}, also: []string{"DeregisterImage"}, was: imageShares.before,
		prior: []prior{{"ResetImageAttribute", []string{"rq.imageId"}, "rq.none"}},
		steps: attributeShares("ec2:ModifyImageAttribute", "the image {rq.imageId}", args{"ImageId": "rq.imageId", "Attribute": "'launchPermission'"}, "UserIds", "UserGroups"),
		todo:  "The attributes of the image {rq.imageId} were changed: see with whom it is shared now.",
	},
	remove("ec2:CreateSnapshot", "ec2:DeleteSnapshot", "snapshot", []string{"rs.snapshotId"}, args{"SnapshotId": "rs.snapshotId"}, "Delete the snapshot {rs.snapshotId} of {rq.volumeId}, once it is no longer evidence"),
	remove("ec2:CopySnapshot", "ec2:DeleteSnapshot", "snapshot", []string{"rs.snapshotId"}, args{"SnapshotId": "rs.snapshotId"}, "Delete the snapshot {rs.snapshotId}, copied from {rq.sourceSnapshotId}, once it is no longer evidence"),
	remove("ec2:CreateImage", "ec2:DeregisterImage", "image", []string{"rs.imageId"}, args{"ImageId": "rs.imageId"}, "Deregister the image {rs.imageId}; its snapshots stay"),
	{
		call: "ec2:DeleteSnapshot", object: []string{"rq.snapshotId"}, also: []string{"RestoreSnapshotFromRecycleBin"},
		steps: []step{{phase: Recover, mode: Review, call: "ec2:RestoreSnapshotFromRecycleBin", in: args{"SnapshotId": "rq.snapshotId"},
			title: "Take the snapshot {rq.snapshotId} back from the Recycle Bin", risk: "Works only where a Recycle Bin rule kept it."}},
	},
	{
		call: "ec2:DeregisterImage", object: []string{"rq.imageId"}, also: []string{"RestoreImageFromRecycleBin"},
		steps: []step{{phase: Recover, mode: Review, call: "ec2:RestoreImageFromRecycleBin", in: args{"ImageId": "rq.imageId"},
			title: "Take the image {rq.imageId} back from the Recycle Bin", risk: "Works only where a Recycle Bin rule kept it."}},
	},
	{call: "ec2:DeleteVolume", object: []string{"rq.volumeId"}, todo: "The volume {rq.volumeId} was deleted: restore it from a snapshot."},
	remove("ec2:CreateVolume", "ec2:DeleteVolume", "volume", []string{"rs.volumeId"}, args{"VolumeId": "rs.volumeId"}, "Delete the volume {rs.volumeId}, made from {rq.snapshotId}, once it is no longer evidence"),
	{
		call: "ec2:AttachVolume", object: []string{"rs.volumeId|rq.volumeId", "rs.instanceId|rq.instanceId"}, also: []string{"DetachVolume"},
		steps: []step{{
			phase: Evict, mode: Review, call: "ec2:DetachVolume", in: args{"VolumeId": "rq.volumeId", "InstanceId": "rq.instanceId"},
			back:  []reverse{{"ec2:AttachVolume", args{"VolumeId": "rq.volumeId", "InstanceId": "rq.instanceId", "Device": "rq.device"}}},
			title: "Detach the volume {rq.volumeId} from the instance {rq.instanceId}", risk: "Never the root device of an instance that runs.",
		}},
	},
	remove("ec2:CreateInstanceExportTask", "ec2:CancelExportTask", "export", []string{"rs.exportTask.exportTaskId"}, args{"ExportTaskId": "rs.exportTask.exportTaskId"}, "Cancel the export {rs.exportTask.exportTaskId} of an instance, if it still runs"),
	toggle("ec2:EnableSerialConsoleAccess", "ec2:DisableSerialConsoleAccess", Auto, args{}, "Close the serial consoles of instances"),
	toggle("ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault", Auto, args{}, "Encrypt new volumes by default again"),
	{
		call: "ec2:DisableSnapshotBlockPublicAccess", object: []string{"ev.region"}, also: []string{"EnableSnapshotBlockPublicAccess"},
		steps: []step{{phase: Recover, mode: Auto, call: "ec2:EnableSnapshotBlockPublicAccess", in: args{"State": "'block-all-sharing'"},
			back:  []reverse{{"ec2:DisableSnapshotBlockPublicAccess", args{}}},
			title: "Keep snapshots from becoming public again", risk: "Snapshots that are meant to be public are not, until this is lifted."}},
	},
	{
		call: "ec2:DisableImageBlockPublicAccess", object: []string{"ev.region"}, also: []string{"EnableImageBlockPublicAccess"},
		steps: []step{{phase: Recover, mode: Auto, call: "ec2:EnableImageBlockPublicAccess", in: args{"ImageBlockPublicAccessState": "'block-new-sharing'"},
			back:  []reverse{{"ec2:DisableImageBlockPublicAccess", args{}}},
			title: "Keep images from becoming public again", risk: "None for images that are public already."}},
	},
	{call: "ec2-instance-connect:SendSSHPublicKey", object: []string{"rq.instanceId"}, todo: "The intruder put an SSH key onto the instance {rq.instanceId} for a minute: treat the instance as entered, isolate and look at it."},
	{
		call: "ec2-instance-connect:SendSerialConsoleSSHPublicKey", object: []string{"rq.instanceId"},
		steps: []step{{phase: Evict, mode: Review, call: "ec2:DisableSerialConsoleAccess", in: args{}, back: []reverse{{"ec2:EnableSerialConsoleAccess", args{}}},
			title: "Close the serial consoles of instances, through which the intruder opened {rq.instanceId}", risk: "Treat the instance as entered. Whoever needs the serial console cannot use it until it is opened again."}},
	},
	remove("ec2:CreateInstanceConnectEndpoint", "ec2:DeleteInstanceConnectEndpoint", "endpoint", []string{"rs.CreateInstanceConnectEndpointResponse.instanceConnectEndpoint.instanceConnectEndpointId"},
		args{"InstanceConnectEndpointId": "rs.CreateInstanceConnectEndpointResponse.instanceConnectEndpoint.instanceConnectEndpointId"}, "Delete the Instance Connect endpoint {rs.CreateInstanceConnectEndpointResponse.instanceConnectEndpoint.instanceConnectEndpointId}"),
	{
		call: "autoscaling:CreateAutoScalingGroup", object: []string{"rq.autoScalingGroupName"}, creates: "auto scaling group", also: []string{"DeleteAutoScalingGroup"},
		steps: []step{
			{phase: Evict, mode: Auto, call: "autoscaling:UpdateAutoScalingGroup", in: args{"AutoScalingGroupName": "rq.autoScalingGroupName", "MinSize": 0, "DesiredCapacity": 0},
				back:  []reverse{{"autoscaling:UpdateAutoScalingGroup", args{"AutoScalingGroupName": "rq.autoScalingGroupName", "MinSize": "rq.minSize", "DesiredCapacity": "rq.desiredCapacity|rq.minSize"}}},
				title: "Scale the group {rq.autoScalingGroupName} to nothing", risk: "Its instances end; they start again from the template when it is scaled up."},
			{phase: Evict, mode: Review, call: "autoscaling:DeleteAutoScalingGroup", in: args{"AutoScalingGroupName": "rq.autoScalingGroupName", "ForceDelete": true},
				title: "Delete the group {rq.autoScalingGroupName}", risk: "Final: its instances go too."},
		},
	},
	{
		call: "autoscaling:UpdateAutoScalingGroup", object: []string{"rq.autoScalingGroupName"}, also: []string{"DeleteAutoScalingGroup"}, overlay: true,
		prior: []prior{{"CreateAutoScalingGroup", []string{"rq.autoScalingGroupName"}, "rq"}, {"UpdateAutoScalingGroup", []string{"rq.autoScalingGroupName"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Review, call: "autoscaling:UpdateAutoScalingGroup", in: scalingFields("prior"), back: []reverse{{"autoscaling:UpdateAutoScalingGroup", scalingFields("rq")}},
			title: "Set the auto scaling group {rq.autoScalingGroupName} back to {prior}", risk: "Instances end or start until it has the size that it had."}},
		todo: "The auto scaling group {rq.autoScalingGroupName} was changed and the log does not show how it was: put its sizes and template back.",
	},
	remove("autoscaling:CreateLaunchConfiguration", "autoscaling:DeleteLaunchConfiguration", "launch configuration", []string{"rq.launchConfigurationName"}, args{"LaunchConfigurationName": "rq.launchConfigurationName"},
		"Delete the launch configuration {rq.launchConfigurationName}, once no group uses it"),
	{
		call: "lightsail:CreateInstances", object: []string{"rq.instanceNames[]"}, split: true, creates: "Lightsail instance", also: []string{"DeleteInstance"},
		steps: []step{{phase: Evict, mode: Review, call: "lightsail:DeleteInstance", in: args{"InstanceName": "el"},
			title: "Delete the Lightsail instance {el}", risk: "Final. Take a snapshot first (lightsail CreateInstanceSnapshot), if you need the evidence."}},
	},
	remove("ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition", "task definition", []string{"rs.taskDefinition.taskDefinitionArn"}, args{"TaskDefinition": "rs.taskDefinition.taskDefinitionArn"}, "Deregister the task definition {rs.taskDefinition.taskDefinitionArn}; tasks that run go on"),
	{
		call: "ecs:RunTask", object: []string{"rs.tasks[].taskArn"}, split: true, also: []string{"StopTask"},
		steps: []step{{phase: Evict, mode: Review, call: "ecs:StopTask", in: args{"Cluster": "rq.cluster?", "Task": "el", "Reason": "'trailscan: started by an intruder'"},
			title: "Stop the task {el}, if it still runs", risk: "A task does not start again, and its storage is lost."}},
		todo: "Stop the tasks that the intruder started in {rq.cluster}, if they still run.",
	},
	{
		call: "ecs:CreateService", object: []string{"rs.service.serviceArn"}, creates: "service", also: []string{"DeleteService"},
		steps: []step{
			{phase: Evict, mode: Auto, call: "ecs:UpdateService", in: args{"Cluster": "rq.cluster?", "Service": "rs.service.serviceArn", "DesiredCount": 0},
				back:  []reverse{{"ecs:UpdateService", args{"Cluster": "rq.cluster?", "Service": "rs.service.serviceArn", "DesiredCount": "rq.desiredCount"}}},
				title: "Scale the service {rs.service.serviceArn} to nothing", risk: "Its tasks end; others start when it is scaled up."},
			{phase: Evict, mode: Review, call: "ecs:DeleteService", in: args{"Cluster": "rq.cluster?", "Service": "rs.service.serviceArn", "Force": true},
				title: "Delete the service {rs.service.serviceArn}", risk: "Final."},
		},
	},
	sameAgain(remove("ecs:CreateCluster", "ecs:DeleteCluster", "cluster", []string{"rs.cluster.clusterArn"}, args{"Cluster": "rs.cluster.clusterArn"}, "Delete the cluster {rs.cluster.clusterArn}, once it is empty")),
	{
		call: "ecs:ExecuteCommand", object: []string{"rs.session.sessionId"}, also: []string{"TerminateSession"},
		steps: []step{{phase: Evict, mode: Review, call: "ssm:TerminateSession", in: args{"SessionId": "rs.session.sessionId"},
			title: "End the shell that the intruder had in the task {rq.task}", risk: "Final. A session that is open outlives every deny. Treat the task and its role as entered."}},
		todo: "The intruder had a shell in the task {rq.task}: end the session (ssm TerminateSession), and treat the task and its role as entered.",
	},
}

// instanceAttributes are the steps for attributes that have two values, and more.
func instanceAttributes(more ...step) []step {
	flip := func(attribute, param, from string, to bool, title, risk string) step {
		return step{
			phase: Recover, mode: Review, call: "ec2:ModifyInstanceAttribute", when: [2]string{"rq." + attribute + ".value", from},
			in:    args{"InstanceId": "rq.instanceId", param: args{"Value": to}},
			back:  []reverse{{"ec2:ModifyInstanceAttribute", args{"InstanceId": "rq.instanceId", param: args{"Value": !to}}}},
			title: title, risk: risk + " If it stood so before the incident, leave it.",
		}
	}
	return append([]step{
		flip("disableApiTermination", "DisableApiTermination", "true", false, "Take the termination protection off the instance {rq.instanceId}", "It can then be terminated."),
		flip("disableApiTermination", "DisableApiTermination", "false", true, "Protect the instance {rq.instanceId} against termination again", "None."),
		flip("disableApiStop", "DisableApiStop", "true", false, "Let the instance {rq.instanceId} be stopped", "It can then be stopped."),
		flip("sourceDestCheck", "SourceDestCheck", "false", true, "Let the instance {rq.instanceId} take only its own traffic again", "It no longer routes for others."),
	}, more...)
}

// scalingFields are what an auto scaling group starts, and how many.
func scalingFields(from string) args {
	return args{"AutoScalingGroupName": "rq.autoScalingGroupName", "MinSize": from + ".minSize?", "MaxSize": from + ".maxSize?", "DesiredCapacity": from + ".desiredCapacity?",
		"LaunchTemplate": "sdk(" + from + ".launchTemplate)?", "LaunchConfigurationName": from + ".launchConfigurationName?", "VPCZoneIdentifier": from + ".vPCZoneIdentifier?"}
}
