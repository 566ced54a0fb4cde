package rules

import (
	"strings"
	"time"
)

// openings are about networks and machines made reachable.
func openings() []Rule {
	return []Rule{
		{
			// Low: rules of security groups change with every deployment.
			ID:         "TS-DE-026",
			Title:      "Security group changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND ` + securityGroupChange,
			Resource:       securityGroup,
			Explain:        `Who may reach the machines of the group changed. See which addresses and ports were let in.`,
			FalsePositives: `Deployments and administrators change security groups all the time.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
		},
		{
			ID:         "TS-DE-026b",
			Title:      "Security group changed outside of infrastructure as code",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND ` + securityGroupChange + `
            AND ` + byCaller + ` AND NOT ` + asCode,
			Resource:       securityGroup,
			Explain:        `A change by hand, in the console or by a script, which no template knows of.`,
			FalsePositives: `Accounts that are run by hand, and repairs in a hurry.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
		},
		{
			ID:         "TS-DE-027",
			Title:      "Administration or database port opened to the whole Internet",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
            AND regexp_like(request_parameters, '` + openToWorld + `')`,
			Resource:       securityGroup,
			Explain:        `Anybody can try to log on to the machines of the group. Take the rule back, and look for log-ons since.`,
			FalsePositives: `A bastion host that is meant to be reached from anywhere.`,
			Reference:      ec2API + "AuthorizeSecurityGroupIngress.html",
		},
		{
			// The stratus attack aws.exfiltration.ec2-security-group-open-port-22-ingress
			// stands under exfiltration: what an opened machine holds can be taken.
			ID:         "TS-DE-027b",
			Title:      "Way out of the account opened through a security group",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1048"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
            AND regexp_like(request_parameters, '` + openToWorld + `')
            AND ` + byCaller + ` AND NOT ` + asCode,
			Resource:       securityGroup,
			Explain:        `Through the opened port data can be copied off the machines. See what ran and was sent since, in flow logs.`,
			FalsePositives: `A bastion host that is meant to be reached from anywhere.`,
			Reference:      ec2API + "AuthorizeSecurityGroupIngress.html",
		},
		{
			// Low: groups are allowed everything outward unless somebody says otherwise.
			ID:         "TS-DE-027c",
			Title:      "Security group lets traffic out to the whole Internet",
			Severity:   Low,
			Tactic:     "exfiltration",
			Techniques: []string{"T1048"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'AuthorizeSecurityGroupEgress'
            AND regexp_like(request_parameters, '(?i)"cidrIp(?:v[46])?"\s*:\s*"[^"]*/0"')
            AND ` + byCaller + ` AND NOT ` + asCode,
			Resource:       securityGroup,
			Explain:        `Of weight where the group was closed outward until now: data can leave the machines.`,
			FalsePositives: `The rule that every new group has.`,
			Reference:      ec2API + "AuthorizeSecurityGroupEgress.html",
		},
		{
			ID:         "TS-DE-028",
			Title:      "Many security groups changed at once",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com' AND ` + securityGroupChange + `
            AND ` + byCaller + ` AND NOT ` + asCode,
			Resource:       securityGroup,
			Explain:        `More changes by hand than this principal ever makes in an hour. See what they let in.`,
			FalsePositives: `A clean-up, or a move of many machines.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
			Spike:          &Spike{By: []string{"account_id", "principal_id"}, Per: time.Hour, Count: 20},
		},
		{
			ID:         "TS-DE-029",
			Title:      "Network ACL changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('CreateNetworkAcl', 'CreateNetworkAclEntry', 'DeleteNetworkAcl', 'DeleteNetworkAclEntry',
                'ReplaceNetworkAclEntry', 'ReplaceNetworkAclAssociation')`,
			Resource:       networkACL,
			Explain:        `What may pass in and out of subnets changed. See whether a block fell away.`,
			FalsePositives: `Network administrators and templates.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html",
		},
		{
			ID:         "TS-DE-030",
			Title:      "Network ACL opened to all traffic from anywhere",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: networkACLOpened + `
            AND json_extract_scalar(request_parameters, '$.aclProtocol') IN ('-1', 'all')
            AND lower(coalesce(json_extract_scalar(request_parameters, '$.egress'), 'false')) = 'false'`,
			Resource:       networkACL,
			Explain:        `The subnet's last fence is down; only security groups are left. Put the entry back.`,
			FalsePositives: `AWS's default ACL is as open, and templates that do without ACLs copy it.`,
			Reference:      ec2API + "CreateNetworkAclEntry.html",
		},
		{
			// Low: a public web server's subnet needs such entries.
			ID:             "TS-DE-030b",
			Title:          "Network ACL opened to some traffic from anywhere",
			Severity:       Low,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.007"},
			Where:          networkACLOpened,
			Resource:       networkACL,
			Explain:        `Ports of the subnet are reachable from the Internet as far as security groups allow.`,
			FalsePositives: `Subnets of public web servers.`,
			Reference:      ec2API + "CreateNetworkAclEntry.html",
		},
		{
			ID:         "TS-DE-031",
			Title:      "Route, gateway or network changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('CreateRoute', 'ReplaceRoute', 'DeleteRoute', 'CreateRouteTable', 'DeleteRouteTable', 'AssociateRouteTable',
                'DisassociateRouteTable', 'ReplaceRouteTableAssociation', 'CreateInternetGateway', 'DeleteInternetGateway',
                'AttachInternetGateway', 'DetachInternetGateway', 'CreateCustomerGateway', 'DeleteCustomerGateway', 'CreateVpc', 'DeleteVpc',
                'CreateDefaultVpc', 'ModifyVpcAttribute', 'AcceptVpcPeeringConnection', 'CreateVpcPeeringConnection',
                'DeleteVpcPeeringConnection', 'RejectVpcPeeringConnection', 'AttachClassicLinkVpc', 'DetachClassicLinkVpc',
                'EnableVpcClassicLink', 'DisableVpcClassicLink', 'ModifySubnetAttribute')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.routeTableId'), json_extract_scalar(request_parameters, '$.vpcId'),
                json_extract_scalar(request_parameters, '$.internetGatewayId'), json_extract_scalar(request_parameters, '$.subnetId'),
                json_extract_scalar(response_elements, '$.vpc.vpcId'), event_name)`,
			Explain:        `Traffic may take another way now: out to the Internet, to another network, or past an inspection.`,
			FalsePositives: `Networks that are built or changed by their administrators.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html",
		},
		{
			ID:         "TS-DE-033",
			Title:      "Serial console access of EC2 switched on",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where:      `event_source = 'ec2.amazonaws.com' AND event_name = 'EnableSerialConsoleAccess'`,
			Resource:   `aws_region`,
			Explain: `Whoever may push an SSH key to the serial console gets onto machines past every security group.
Switch it off and look for SendSerialConsoleSSHPublicKey.`,
			FalsePositives: `An administrator who rescues a machine that does not boot.`,
			Reference:      ec2API + "EnableSerialConsoleAccess.html",
		},
		{
			ID:         "TS-DE-034",
			Title:      "Instance metadata opened to requests without a token",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.005"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name IN ('ModifyInstanceMetadataOptions', 'ModifyInstanceMetadataDefaults')
            AND regexp_like(request_parameters, '(?i)"httpTokens"\s*:\s*"(?:optional|no-preference)"')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.ModifyInstanceMetadataOptionsRequest.InstanceId'),
                json_extract_scalar(request_parameters, '$.instanceId'), account_id)`,
			Explain:        `A web application that fetches any URL gives the role's credentials away again. Require tokens (IMDSv2).`,
			FalsePositives: `Old software that cannot ask for a token.`,
			Reference:      ec2API + "ModifyInstanceMetadataOptions.html",
		},
	}
}

const (
	securityGroupChange = `event_name IN ('AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress',
                'RevokeSecurityGroupEgress', 'CreateSecurityGroup', 'DeleteSecurityGroup', 'ModifySecurityGroupRules')`
	securityGroup = `coalesce(json_extract_scalar(request_parameters, '$.groupId'), json_extract_scalar(request_parameters, '$.ModifySecurityGroupRulesRequest.GroupId'),
                json_extract_scalar(response_elements, '$.groupId'), json_extract_scalar(request_parameters, '$.groupName'),
                nullif(regexp_extract(error_message, 'on resource: (arn:[^ ]+)', 1), ''))`
	networkACL = `coalesce(json_extract_scalar(request_parameters, '$.networkAclId'), json_extract_scalar(response_elements, '$.networkAcl.networkAclId'),
                json_extract_scalar(request_parameters, '$.vpcId'))`
	networkACLOpened = `event_source = 'ec2.amazonaws.com' AND event_name IN ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry')
            AND json_extract_scalar(request_parameters, '$.ruleAction') = 'allow'
            AND coalesce(json_extract_scalar(request_parameters, '$.cidrBlock'), json_extract_scalar(request_parameters, '$.ipv6CidrBlock')) IN ('0.0.0.0/0', '::/0')`
	// asCode holds for the agents of infrastructure as code.
	asCode = `regexp_like(coalesce(user_agent, ''), '(?i)terraform|opentofu|pulumi|cloudformation\.amazonaws\.com|aws-cdk')`
)

// openToWorld is a pattern for a rule of a security group, in any of the forms
// that requests have, that lets the whole Internet in to all ports, a range
// with that of SSH or of Remote Desktop, or one port of administration or of a
// database.
var openToWorld = func() string {
	const (
		between = `(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*`
		cidr    = `"cidrIp(?:v[46])?"\s*:\s*"[^"]*/0"`
		ranges  = `"ip(?:v6)?Ranges"\s*:\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\{[^{}]*` + cidr + `[^{}]*\}[^{}]*(?:\{[^{}]*\}[^{}]*)*\}`
		world   = `(?:` + cidr + `|` + ranges + `)`
	)
	port := func(member, number string) string { return `"` + member + `"\s*:\s*"?` + number + `"?\b` }
	span := func(from, to string) []string {
		return []string{world, port("fromPort", from), port("toPort", to)}
	}
	kinds := [][]string{
		{world, `"ipProtocol"\s*:\s*"?-1"?`},
		span(`(?:[0-9]|1[0-9]|2[0-2])`, `(?:2[2-9]|[3-9][0-9]|[0-9]{3,5})`),
		span(`(?:[0-9]{1,3}|[12][0-9]{3}|3[0-2][0-9]{2}|33[0-8][0-9])`, `(?:3389|339[0-9]|3[4-9][0-9]{2}|[4-9][0-9]{3}|[0-9]{5})`),
		{world, port("fromPort", `(?:23|135|445|1433|1521|2375|2376|3306|5432|5900|5985|5986|6379|9200|11211|27017)`)},
	}
	var all []string
	for _, parts := range kinds {
		all = append(all, anyOrder(between, parts)...)
	}
	return `(?i)\{` + between + `(?:` + strings.Join(all, "|") + `)`
}()

// anyOrder are the patterns for all parts, one after the other with between in
// between: JSON leaves the order of members open.
func anyOrder(between string, parts []string) []string {
	if len(parts) == 1 {
		return parts
	}
	var all []string
	for i, first := range parts {
		rest := append(append([]string{}, parts[:i]...), parts[i+1:]...)
		for _, r := range anyOrder(between, rest) {
			all = append(all, first+between+r)
		}
	}
	return all
}
