package remediate

import "time"

// undoNetwork are security groups, key pairs, routes and names.
var undoNetwork = []undo{
	keyPair("ec2:CreateKeyPair"),
	keyPair("ec2:ImportKeyPair"),
	{call: "ec2:DeleteKeyPair", object: []string{"rq.keyName|rq.keyPairId"}, todo: "The key pair {rq.keyName|rq.keyPairId} was deleted: import its public key again if it is needed."},
	remove("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "security group", []string{"rs.groupId"}, args{"GroupId": "rs.groupId"}, "Delete the security group {rs.groupId} ({rq.groupName}), once nothing uses it"),
	rules("Ingress", "reach"),
	rules("Egress", "be reached from"),
	closed("Ingress"),
	closed("Egress"),
	{
		call: "ec2:ModifySecurityGroupRules", object: []string{"rq.ModifySecurityGroupRulesRequest.GroupId"}, was: groupRulesBefore, also: []string{"DeleteSecurityGroup"},
		prior: []prior{
			{"AuthorizeSecurityGroupIngress", []string{"rq.groupId"}, "rs.securityGroupRuleSet.items"},
			{"AuthorizeSecurityGroupEgress", []string{"rq.groupId"}, "rs.securityGroupRuleSet.items"},
		},
		steps: []step{{phase: Recover, mode: Auto, call: "ec2:ModifySecurityGroupRules", in: args{"GroupId": "rq.ModifySecurityGroupRulesRequest.GroupId", "SecurityGroupRules": "prior"},
			back:  []reverse{{"ec2:ModifySecurityGroupRules", args{"GroupId": "rq.ModifySecurityGroupRulesRequest.GroupId", "SecurityGroupRules": "rules(rq.ModifySecurityGroupRulesRequest.SecurityGroupRule)"}}},
			title: "Set the rules {prior[].SecurityGroupRuleId} of the security group {rq.ModifySecurityGroupRulesRequest.GroupId} back to what they were", risk: "Lets in what they did before, and no longer what the intruder let in."}},
		todo: "Rules of the security group {rq.ModifySecurityGroupRulesRequest.GroupId} were changed and the log does not show how they were: put them back. The intruder's: {rq.ModifySecurityGroupRulesRequest.SecurityGroupRule}",
	},
	{
		call: "ec2:CreateNetworkAclEntry", object: []string{"rq.networkAclId", "rq.ruleNumber", "rq.egress"}, also: []string{"DeleteNetworkAclEntry", "DeleteNetworkAcl"},
		steps: []step{{phase: Evict, mode: Review, call: "ec2:DeleteNetworkAclEntry", in: args{"NetworkAclId": "rq.networkAclId", "RuleNumber": "rq.ruleNumber", "Egress": "rq.egress"},
			back:  []reverse{{"ec2:CreateNetworkAclEntry", aclEntry("rq")}},
			title: "Delete the rule {rq.ruleNumber} of the network ACL {rq.networkAclId}", risk: "What has come to pass through it no longer does."}},
	},
	{
		call: "ec2:ReplaceNetworkAclEntry", object: []string{"rq.networkAclId", "rq.ruleNumber", "rq.egress"}, also: []string{"DeleteNetworkAclEntry", "DeleteNetworkAcl"},
		prior: []prior{{"CreateNetworkAclEntry", []string{"rq.networkAclId", "rq.ruleNumber", "rq.egress"}, "rq"}, {"ReplaceNetworkAclEntry", []string{"rq.networkAclId", "rq.ruleNumber", "rq.egress"}, "rq"}},
		steps: []step{{phase: Recover, mode: Auto, call: "ec2:ReplaceNetworkAclEntry", in: aclEntry("prior"), back: []reverse{{"ec2:ReplaceNetworkAclEntry", aclEntry("rq")}},
			title: "Set the rule {rq.ruleNumber} of the network ACL {rq.networkAclId} back to what it was", risk: "Lets through what it did before, and no longer what the intruder let through."}},
		todo: "The rule {rq.ruleNumber} of the network ACL {rq.networkAclId} was replaced and the old one is not in the log: put it back.",
	},
	{
		call: "ec2:CreateRoute", object: []string{"rq.routeTableId", "rq.destinationCidrBlock|rq.destinationIpv6CidrBlock|rq.destinationPrefixListId"}, also: []string{"DeleteRoute", "DeleteRouteTable"},
		steps: []step{{phase: Evict, mode: Review, call: "ec2:DeleteRoute",
			in: args{"RouteTableId": "rq.routeTableId", "DestinationCidrBlock": "rq.destinationCidrBlock?", "DestinationIpv6CidrBlock": "rq.destinationIpv6CidrBlock?", "DestinationPrefixListId": "rq.destinationPrefixListId?"},
			back: []reverse{{"ec2:CreateRoute", args{"RouteTableId": "rq.routeTableId", "DestinationCidrBlock": "rq.destinationCidrBlock?", "DestinationIpv6CidrBlock": "rq.destinationIpv6CidrBlock?",
				"DestinationPrefixListId": "rq.destinationPrefixListId?", "GatewayId": "rq.gatewayId?", "NatGatewayId": "rq.natGatewayId?", "NetworkInterfaceId": "rq.networkInterfaceId?",
				"InstanceId": "rq.instanceId?", "VpcPeeringConnectionId": "rq.vpcPeeringConnectionId?", "TransitGatewayId": "rq.transitGatewayId?"}}},
			title: "Delete the route to {rq.destinationCidrBlock|rq.destinationIpv6CidrBlock|rq.destinationPrefixListId} in {rq.routeTableId}", risk: "What has come to use the route loses its way."}},
	},
	remove("ec2:CreateVpcPeeringConnection", "ec2:DeleteVpcPeeringConnection", "peering", []string{"rs.vpcPeeringConnection.vpcPeeringConnectionId"},
		args{"VpcPeeringConnectionId": "rs.vpcPeeringConnection.vpcPeeringConnectionId"}, "Delete the VPC peering {rs.vpcPeeringConnection.vpcPeeringConnectionId}"),
	{
		call: "ec2:AttachInternetGateway", object: []string{"rq.internetGatewayId", "rq.vpcId"}, also: []string{"DetachInternetGateway"},
		steps: []step{{phase: Evict, mode: Review, call: "ec2:DetachInternetGateway", in: args{"InternetGatewayId": "rq.internetGatewayId", "VpcId": "rq.vpcId"},
			back:  []reverse{{"ec2:AttachInternetGateway", args{"InternetGatewayId": "rq.internetGatewayId", "VpcId": "rq.vpcId"}}},
			title: "Detach the internet gateway {rq.internetGatewayId} from {rq.vpcId}", risk: "What has come to use it loses the internet."}},
	},
	remove("ec2:CreateTrafficMirrorSession", "ec2:DeleteTrafficMirrorSession", "traffic mirror", []string{"rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"},
		args{"TrafficMirrorSessionId": "rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"}, "Stop the traffic mirror {rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId}"),
	remove("ec2:CreateNatGateway", "ec2:DeleteNatGateway", "NAT gateway", []string{"rs.CreateNatGatewayResponse.natGateway.natGatewayId"}, args{"NatGatewayId": "rs.CreateNatGatewayResponse.natGateway.natGatewayId"},
		"Delete the NAT gateway {rs.CreateNatGatewayResponse.natGateway.natGatewayId}; it takes minutes, and its subnet and address are held until then"),
	remove("ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "VPC endpoint", []string{"rs.CreateVpcEndpointResponse.vpcEndpoint.vpcEndpointId"}, args{"VpcEndpointIds": "list(rs.CreateVpcEndpointResponse.vpcEndpoint.vpcEndpointId)"},
		"Delete the VPC endpoint {rs.CreateVpcEndpointResponse.vpcEndpoint.vpcEndpointId}"),
	remove("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "network interface", []string{"rs.networkInterface.networkInterfaceId"}, args{"NetworkInterfaceId": "rs.networkInterface.networkInterfaceId"},
		"Delete the network interface {rs.networkInterface.networkInterfaceId}, once nothing has it"),
	remove("ec2:AssociateAddress", "ec2:DisassociateAddress", "address association", []string{"rs.associationId"}, args{"AssociationId": "rs.associationId"},
		"Take the address {rq.allocationId|rq.publicIp} off {rq.instanceId|rq.networkInterfaceId}"),
	remove("ec2:CreateRouteTable", "ec2:DeleteRouteTable", "route table", []string{"rs.routeTable.routeTableId"}, args{"RouteTableId": "rs.routeTable.routeTableId"}, "Delete the route table {rs.routeTable.routeTableId}, once no subnet uses it"),
	remove("ec2:CreateSubnet", "ec2:DeleteSubnet", "subnet", []string{"rs.subnet.subnetId"}, args{"SubnetId": "rs.subnet.subnetId"}, "Delete the subnet {rs.subnet.subnetId}, once it is empty"),
	remove("ec2:CreateInternetGateway", "ec2:DeleteInternetGateway", "internet gateway", []string{"rs.internetGateway.internetGatewayId"}, args{"InternetGatewayId": "rs.internetGateway.internetGatewayId"},
		"Delete the internet gateway {rs.internetGateway.internetGatewayId}, once it is detached"),
	remove("ec2:CreateVpc", "ec2:DeleteVpc", "VPC", []string{"rs.vpc.vpcId"}, args{"VpcId": "rs.vpc.vpcId"}, "Delete the VPC {rs.vpc.vpcId}, once it is empty"),
	{call: "ec2:CreateDefaultVpc", object: []string{"ev.region"}, todo: "A default VPC was made: delete it with what is in it, if nobody uses it."},
	remove("ec2:AllocateAddress", "ec2:ReleaseAddress", "address", []string{"rs.allocationId"}, args{"AllocationId": "rs.allocationId"}, "Release the address {rs.publicIp}"),
	{
		call: "ec2:CreateTags", object: []string{"text(rq.tagSet.items[].key)", "rq.resourcesSet.items[].resourceId"}, split: true, was: ec2Tags.before,
		prior: []prior{{"DeleteTags", []string{"text(rq.tagSet.items[].key)"}, "rq.tagSet"}},
		steps: []step{
			{phase: Recover, mode: Auto, call: "ec2:CreateTags", when: [2]string{"prior.set", anyValue}, in: args{"Resources": "list(el)", "Tags": "prior.set"},
				back:  []reverse{{"ec2:CreateTags", args{"Resources": "list(el)", "Tags": "sdk(rq.tagSet)"}}},
				title: "Set the tags {prior.set[].Key} of {el} back to what they were", risk: "A tag can grant permissions: the old ones grant what they did."},
			{phase: Recover, mode: Review, call: "ec2:DeleteTags", when: [2]string{"prior.drop", anyValue}, in: args{"Resources": "list(el)", "Tags": "of.Key(prior.drop)"},
				back:  []reverse{{"ec2:CreateTags", args{"Resources": "list(el)", "Tags": "sdk(rq.tagSet)"}}},
				title: "Take the tags {prior.drop} off {el}", risk: "The log shows none of them before, but may not reach back: if one was there, set its old value instead."},
		},
	},
	{
		call: "route53:ChangeResourceRecordSets", object: []string{"name(rq.hostedZoneId)"}, was: recordsBack, also: []string{"DeleteHostedZone"},
		prior: []prior{{"CreateHostedZone", []string{"name(rs.hostedZone.id)"}, "rq.none"}},
		steps: []step{{phase: Recover, mode: Review, call: "route53:ChangeResourceRecordSets", in: args{"HostedZoneId": "rq.hostedZoneId", "ChangeBatch": args{"Changes": "prior"}},
			title: "Take the changes of the records {prior[].ResourceRecordSet.Name} in the hosted zone {rq.hostedZoneId} back",
			risk:  "Names lead where they did before. AWS refuses the whole batch when a record is no longer as the log says; CloudTrail warns that its records do not serve to rebuild a zone, so compare with your own copy."}},
		todo: "Records of the hosted zone {rq.hostedZoneId} were changed and the log does not show what they said before: put the old ones back. The changes: {rq.changeBatch}",
	},
	{
		// https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html:
		// refused while there are records beside the zone's own.
		call: "route53:CreateHostedZone", object: []string{"name(rs.hostedZone.id)"}, creates: "hosted zone", also: []string{"DeleteHostedZone"}, chain: true,
		steps: []step{
			{
				phase: Evict, mode: Review, call: "route53:ChangeResourceRecordSets",
				in: args{"HostedZoneId": "name(rs.hostedZone.id)", "ChangeBatch": args{"Changes": []args{{"Action": "'DELETE'", "ResourceRecordSet": Item}}}},
				each: &each{"route53:ListResourceRecordSets", args{"HostedZoneId": "name(rs.hostedZone.id)"},
					"ResourceRecordSets[?Type!='SOA' && !(Type=='NS' && Name=={rs.hostedZone.name})]"},
				title: "Delete the records of the hosted zone {rq.name}", risk: "Final. The intruder made the zone; keep its records first: they show what it was for.",
			},
			{
				phase: Evict, mode: Review, call: "route53:DeleteHostedZone", in: args{"Id": "name(rs.hostedZone.id)"},
				title: "Delete the hosted zone {rq.name}", risk: "Final. The intruder made it; see first whether anything has come to depend on it.",
			},
		},
	},
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
	revoke, authorize := "ec2:RevokeSecurityGroup"+way, "ec2:AuthorizeSecurityGroup"+way
	risk := "New connections can no longer " + effect + " what the rules let through; open ones may stay."
	return undo{
		call: authorize, object: []string{"rq.groupId"}, also: []string{"DeleteSecurityGroup"}, was: rulesOpened,
		prior: []prior{{"RevokeSecurityGroup" + way, []string{"rq.groupId"}, "rq.none"}},
		steps: []step{
			{
				phase: Evict, mode: Auto, call: revoke, when: [2]string{"prior.ids", anyValue}, in: args{"GroupId": "rq.groupId", "SecurityGroupRuleIds": "prior.ids"},
				back:  []reverse{{authorize, args{"GroupId": "rq.groupId", "IpPermissions": "prior.added"}}},
				title: "Take the rules {prior.ids} out of the security group {rq.groupId}", risk: risk,
			},
			{
				phase: Evict, mode: Auto, call: revoke, when: [2]string{"prior.permissions", anyValue}, in: args{"GroupId": "rq.groupId", "IpPermissions": "prior.permissions"},
				back:  []reverse{{authorize, args{"GroupId": "rq.groupId", "IpPermissions": "prior.permissions"}}},
				title: "Take the rules {prior.permissions} out of the security group {rq.groupId}", risk: risk,
			},
		},
		todo: "Rules were added to the security group {rq.groupId|rq.groupName} and are not in the log: take them out.",
	}
}

// closed are rules that the intruder took out of a security group.
func closed(way string) undo {
	in := args{"GroupId": "rq.groupId", "IpPermissions": "prior"}
	return undo{
		call: "ec2:RevokeSecurityGroup" + way, object: []string{"rq.groupId"}, also: []string{"DeleteSecurityGroup"}, was: rulesClosed,
		prior: []prior{{"AuthorizeSecurityGroup" + way, []string{"rq.groupId"}, "rq.none"}},
		steps: []step{{
			phase: Recover, mode: Review, call: "ec2:AuthorizeSecurityGroup" + way, in: in,
			back:  []reverse{{"ec2:RevokeSecurityGroup" + way, in}},
			title: "Put the rules that were taken out of the security group {rq.groupId} back",
			risk:  "Opens what they opened before: read them first.",
		}},
		todo: "Rules were taken out of the security group {rq.groupId}: put them back. They were: {rs.revokedSecurityGroupRuleSet|rq.securityGroupRuleIds}",
	}
}

// aclEntry is a rule of a network ACL. CloudTrail calls its protocol aclProtocol.
func aclEntry(from string) args {
	return args{
		"NetworkAclId": "rq.networkAclId", "RuleNumber": "rq.ruleNumber", "Egress": "rq.egress", "Protocol": from + ".aclProtocol|" + from + ".protocol", "RuleAction": from + ".ruleAction",
		"CidrBlock": from + ".cidrBlock?", "Ipv6CidrBlock": from + ".ipv6CidrBlock?", "PortRange": args{"From": from + ".portRange.from?", "To": from + ".portRange.to?"},
		"IcmpTypeCode": args{"Code": from + ".icmpTypeCode.code?", "Type": from + ".icmpTypeCode.type?"},
	}
}

// keyPair deletes a key pair by its name, which every server knows, once the id
// shows that it is the intruder's.
func keyPair(call string) undo {
	u := remove(call, "ec2:DeleteKeyPair", "key pair", []string{"rs.keyPairId"}, args{"KeyName": "rs.keyName|rq.keyName"}, "Delete the key pair {rs.keyName|rq.keyName}; instances that took it keep it")
	u.steps[0].expect = []want{{"ec2:DescribeKeyPairs", args{"KeyNames": "list(rs.keyName|rq.keyName)"}, "KeyPairs[0].KeyPairId", "rs.keyPairId"}}
	return u
}
