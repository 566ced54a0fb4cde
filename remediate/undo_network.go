package remediate

import "time"

// undoNetwork are security groups, key pairs, routes and names.
var undoNetwork = []undo{
	remove("ec2:CreateKeyPair", "ec2:DeleteKeyPair", "key pair", []string{"rs.keyPairId"}, args{"KeyPairId": "rs.keyPairId"}, "Delete the key pair {rs.keyName|rq.keyName}; instances that took it keep it"),
	remove("ec2:ImportKeyPair", "ec2:DeleteKeyPair", "key pair", []string{"rs.keyPairId"}, args{"KeyPairId": "rs.keyPairId"}, "Delete the key pair {rs.keyName|rq.keyName}; instances that took it keep it"),
	{call: "ec2:DeleteKeyPair", object: []string{"rq.keyName|rq.keyPairId"}, todo: "The key pair {rq.keyName|rq.keyPairId} was deleted: import its public key again if it is needed."},
	remove("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "security group", []string{"rs.groupId"}, args{"GroupId": "rs.groupId"}, "Delete the security group {rs.groupId} ({rq.groupName}), once nothing uses it"),
	rules("Ingress", "reach"),
	rules("Egress", "be reached from"),
	closed("Ingress"),
	closed("Egress"),
	{call: "ec2:ModifySecurityGroupRules", object: []string{"rq.ModifySecurityGroupRulesRequest.GroupId"}, todo: "Rules of the security group {rq.ModifySecurityGroupRulesRequest.GroupId} were changed: put them back."},
	remove("ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "network ACL entry", []string{"rq.networkAclId", "rq.ruleNumber"},
		args{"NetworkAclId": "rq.networkAclId", "RuleNumber": "rq.ruleNumber", "Egress": "rq.egress"}, "Delete the rule {rq.ruleNumber} of the network ACL {rq.networkAclId}"),
	{call: "ec2:ReplaceNetworkAclEntry", object: []string{"rq.networkAclId", "rq.ruleNumber"}, todo: "The rule {rq.ruleNumber} of the network ACL {rq.networkAclId} was replaced: put the old one back."},
	remove("ec2:CreateRoute", "ec2:DeleteRoute", "route", []string{"rq.routeTableId", "rq.destinationCidrBlock"},
		args{"RouteTableId": "rq.routeTableId", "DestinationCidrBlock": "rq.destinationCidrBlock"}, "Delete the route to {rq.destinationCidrBlock} in {rq.routeTableId}"),
	remove("ec2:CreateVpcPeeringConnection", "ec2:DeleteVpcPeeringConnection", "peering", []string{"rs.vpcPeeringConnection.vpcPeeringConnectionId"},
		args{"VpcPeeringConnectionId": "rs.vpcPeeringConnection.vpcPeeringConnectionId"}, "Delete the VPC peering {rs.vpcPeeringConnection.vpcPeeringConnectionId}"),
	{
		call: "ec2:AttachInternetGateway", object: []string{"rq.internetGatewayId", "rq.vpcId"}, also: []string{"DetachInternetGateway"},
		steps: []step{{phase: Recover, mode: Review, call: "ec2:DetachInternetGateway", in: args{"InternetGatewayId": "rq.internetGatewayId", "VpcId": "rq.vpcId"},
			back:  []reverse{{"ec2:AttachInternetGateway", args{"InternetGatewayId": "rq.internetGatewayId", "VpcId": "rq.vpcId"}}},
			title: "Detach the internet gateway {rq.internetGatewayId} from {rq.vpcId}", risk: "What has come to use it loses the internet."}},
	},
	remove("ec2:CreateTrafficMirrorSession", "ec2:DeleteTrafficMirrorSession", "traffic mirror", []string{"rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"},
		args{"TrafficMirrorSessionId": "rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"}, "Stop the traffic mirror {rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId}"),
	{call: "ec2:CreateDefaultVpc", object: []string{"ev.region"}, todo: "A default VPC was made: delete it with what is in it, if nobody uses it."},
	remove("ec2:AllocateAddress", "ec2:ReleaseAddress", "address", []string{"rs.allocationId"}, args{"AllocationId": "rs.allocationId"}, "Release the address {rs.publicIp}"),
	{
		call: "ec2:CreateTags", object: []string{"rq.resourcesSet.items[].resourceId"}, also: []string{"DeleteTags"},
		steps: []step{{phase: Recover, mode: Review, call: "ec2:DeleteTags", in: args{"Resources": "rq.resourcesSet.items[].resourceId", "Tags": "sdk(rq.tagSet)"},
			back:  []reverse{{"ec2:CreateTags", args{"Resources": "rq.resourcesSet.items[].resourceId", "Tags": "sdk(rq.tagSet)"}}},
			title: "Take the tags off {rq.resourcesSet.items[].resourceId}", risk: "If a tag of the same name was there before, set its old value instead."}},
	},
	{call: "route53:ChangeResourceRecordSets", object: []string{"rq.hostedZoneId"}, todo: "Records of the hosted zone {rq.hostedZoneId} were changed: put the old ones back. The changes: {rq.changeBatch}"},
	remove("route53:CreateHostedZone", "route53:DeleteHostedZone", "hosted zone", []string{"rs.hostedZone.id"}, args{"Id": "rs.hostedZone.id"}, "Delete the hosted zone {rq.name}, once only its NS and SOA records are left"),
	{
		call: "route53:AssociateVPCWithHostedZone", object: []string{"rq.hostedZoneId"}, also: []string{"DisassociateVPCFromHostedZone"},
		steps: []step{{phase: Recover, mode: Review, call: "route53:DisassociateVPCFromHostedZone", in: args{"HostedZoneId": "rq.hostedZoneId", "VPC": args{"VPCId": "rq.vPC.vPCId", "VPCRegion": "rq.vPC.vPCRegion"}},
			back:  []reverse{{"route53:AssociateVPCWithHostedZone", args{"HostedZoneId": "rq.hostedZoneId", "VPC": args{"VPCId": "rq.vPC.vPCId", "VPCRegion": "rq.vPC.vPCRegion"}}}},
			title: "Take {rq.vPC.vPCId} off the hosted zone {rq.hostedZoneId}", risk: "Names of the zone no longer resolve there."}},
	},
	{
		call: "route53domains:RegisterDomain", object: []string{"rq.domainName"},
		steps: []step{{phase: Recover, mode: Auto, call: "route53domains:DisableDomainAutoRenew", in: args{"DomainName": "rq.domainName"},
			back:  []reverse{{"route53domains:EnableDomainAutoRenew", args{"DomainName": "rq.domainName"}}},
			title: "Do not renew the domain {rq.domainName} that the intruder bought", risk: "The price is not paid back; ask support."}},
	},
	{
		call: "route53domains:TransferDomainToAnotherAwsAccount", object: []string{"rq.domainName"}, also: []string{"CancelDomainTransferToAnotherAwsAccount"},
		steps: []step{{phase: Recover, mode: Review, call: "route53domains:CancelDomainTransferToAnotherAwsAccount", in: args{"DomainName": "rq.domainName"},
			title: "Cancel the transfer of the domain {rq.domainName} to {rq.accountId}", risk: "Only while the transfer waits to be accepted."}},
		deadline: after(72 * time.Hour),
	},
	{
		call: "route53domains:DisableDomainTransferLock", object: []string{"rq.domainName"}, also: []string{"EnableDomainTransferLock"},
		steps: []step{{phase: Recover, mode: Auto, call: "route53domains:EnableDomainTransferLock", in: args{"DomainName": "rq.domainName"},
			back:  []reverse{{"route53domains:DisableDomainTransferLock", args{"DomainName": "rq.domainName"}}},
			title: "Lock the domain {rq.domainName} against transfer again", risk: "None."}},
	},
}

// rules are rules that the intruder added to a security group.
func rules(way, effect string) undo {
	ids := "rs.securityGroupRuleSet.items[].securityGroupRuleId"
	return undo{
		call: "ec2:AuthorizeSecurityGroup" + way, object: []string{"rq.groupId", ids}, also: []string{"RevokeSecurityGroup" + way, "DeleteSecurityGroup"},
		steps: []step{{
			phase: Evict, mode: Auto, call: "ec2:RevokeSecurityGroup" + way, in: args{"GroupId": "rq.groupId", "SecurityGroupRuleIds": ids},
			back:  []reverse{{"ec2:AuthorizeSecurityGroup" + way, args{"GroupId": "rq.groupId", "IpPermissions": "sdk(rq.ipPermissions)"}}},
			title: "Take the rules {" + ids + "} out of the security group {rq.groupId}",
			risk:  "New connections can no longer " + effect + " what the rules let through; open ones may stay.",
		}},
		todo: "Rules were added to the security group {rq.groupId} and their ids are not in the log: take them out. They are: {rq.ipPermissions}",
	}
}

// closed are rules that the intruder took out of a security group.
func closed(way string) undo {
	in := args{"GroupId": "rq.groupId", "IpPermissions": "sdk(rq.ipPermissions)"}
	return undo{
		call: "ec2:RevokeSecurityGroup" + way, object: []string{"rq.groupId"}, also: []string{"DeleteSecurityGroup"},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:AuthorizeSecurityGroup" + way, in: in,
			back:  []reverse{{"ec2:RevokeSecurityGroup" + way, in}},
			title: "Put the rules that were taken out of the security group {rq.groupId} back",
			risk:  "Opens what they opened before: read them first.",
		}},
		todo: "Rules were taken out of the security group {rq.groupId}: put them back. They were: {rs.revokedSecurityGroupRuleSet|rq.securityGroupRuleIds}",
	}
}
