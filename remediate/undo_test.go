package remediate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

// planOf makes the plan for calls without a case.
func planOf(t *testing.T, calls []call) *Plan {
	t.Helper()
	ev := &evidence{accounts: map[string]bool{account: true}}
	for i, k := range calls {
		e := &event{id: fmt.Sprintf("event-%03d", i), time: start.Add(k.at), region: k.region, accountID: account, identityARN: aliceARN, credential: k.by, readOnly: k.read}
		if e.region == "" {
			e.region = "us-east-1"
		}
		e.source, e.name = splitCall(k.api)
		e.name = shortName(e.name)
		if k.rq != nil {
			e.request = plainJSON(k.rq)
		}
		if k.rs != nil {
			e.response = plainJSON(k.rs)
		}
		if k.by != "" {
			ev.events = append(ev.events, e)
		} else {
			ev.others = append(ev.others, e)
		}
	}
	l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start, AsOf: start.Add(24 * time.Hour), Credentials: []lineage.Credential{leakedKey()}}
	p, err := newPlan(l, ev)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// owner and intruder make a call an hour before the incident, in it, or later.
func owner(api string, rq, rs object) call { return call{at: -time.Hour, api: api, rq: rq, rs: rs} }
func later(api string, rq, rs object) call { return call{at: time.Hour, api: api, rq: rq, rs: rs} }
func intruder(api string, rq, rs object) call {
	return call{by: leaked, at: time.Minute, api: api, rq: rq, rs: rs}
}

func items(list ...any) object { return object{"items": list} }

func merged(maps_ ...object) object {
	out := object{}
	for _, m := range maps_ {
		maps.Copy(out, m)
	}
	return out
}

// TestStatesAreFoundInTheLog says which call puts a change back, and with which
// parameters.
func TestStatesAreFoundInTheLog(t *testing.T) {
	queue := object{"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q"}
	bucket := object{"bucketName": "b"}
	rules := func(days float64, id string) object {
		return merged(bucket, object{"lifecycle": "", "LifecycleConfiguration": object{"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
			"Rule": object{"ID": id, "Status": "Enabled", "Filter": "", "Expiration": object{"Days": days}}}})
	}
	sgRule := func(cidr string) object {
		return object{"ModifySecurityGroupRulesRequest": object{"GroupId": "sg-1", "SecurityGroupRule": object{"tag": 1, "SecurityGroupRuleId": "sgr-1",
			"SecurityGroupRule": object{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": cidr}}}}
	}
	record := func(action, name, value string) object {
		return object{"action": action, "resourceRecordSet": object{"name": name, "type": "A", "tTL": 60, "resourceRecords": []any{object{"value": value}}}}
	}
	zone := func(changes ...any) object {
		return object{"hostedZoneId": "Z1", "changeBatch": object{"changes": changes}}
	}
	sdkRecord := func(name, value string) object {
		return object{"Name": name, "Type": "A", "TTL": 60.0, "ResourceRecords": []any{object{"Value": value}}}
	}
	tag := func(k, v string) object { return object{"key": k, "value": v} }
	function := object{"functionName": "f"}
	snapshot := func(way string, users ...string) object {
		list := object{"items": []any{}}
		for _, u := range users {
			list["items"] = append(list["items"].([]any), object{"userId": u})
		}
		return object{"snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION", "createVolumePermission": object{way: list}}
	}
	permission := func(port float64) object {
		return object{"ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": object{}, "ipRanges": items(object{"cidrIp": "0.0.0.0/0"}), "ipv6Ranges": object{}, "prefixListIds": object{}}
	}
	for _, test := range []struct {
		name  string
		calls []call
		phase Phase
		call  string
		mode  Mode
		want  object // parameters, some of them
	}{
		{"tags get their old values", []call{
			owner("iam:TagUser", object{"userName": "carol", "tags": []any{tag("team", "web"), tag("x", "1")}}, nil),
			intruder("iam:TagUser", object{"userName": "carol", "tags": []any{tag("team", "admin"), tag("x", "1")}}, nil)},
			Recover, "iam:TagUser", Auto, object{"Tags": []any{object{"Key": "team", "Value": "web"}}}},
		{"tags that are new go", []call{
			owner("iam:TagUser", object{"userName": "carol", "tags": []any{tag("team", "web")}}, nil),
			intruder("iam:TagUser", object{"userName": "carol", "tags": []any{tag("team", "web"), tag("role", "admin")}}, nil)},
			Recover, "iam:UntagUser", Review, object{"TagKeys": []any{"role"}}},
		{"tags that were taken off come back", []call{
			owner("iam:CreateRole", object{"roleName": "r", "tags": []any{tag("team", "web")}}, nil),
			intruder("iam:UntagRole", object{"roleName": "r", "tagKeys": []any{"team"}}, nil)},
			Recover, "iam:TagRole", Auto, object{"Tags": []any{object{"Key": "team", "Value": "web"}}}},
		{"the tags of one of several things", []call{
			owner("ec2:CreateTags", object{"resourcesSet": items(object{"resourceId": "i-1"}), "tagSet": items(tag("env", "dev"))}, nil),
			intruder("ec2:CreateTags", object{"resourcesSet": items(object{"resourceId": "i-1"}, object{"resourceId": "i-2"}), "tagSet": items(tag("env", "prod"))}, nil)},
			Recover, "ec2:CreateTags", Auto, object{"Resources": []any{"i-1"}, "Tags": []any{object{"Key": "env", "Value": "dev"}}}},
		{"the metadata of a provider", []call{
			owner("iam:CreateSAMLProvider", object{"name": "p", "sAMLMetadataDocument": "<old/>"}, object{"sAMLProviderArn": "arn:aws:iam::111122223333:saml-provider/p"}),
			intruder("iam:UpdateSAMLProvider", object{"sAMLProviderArn": "arn:aws:iam::111122223333:saml-provider/p", "sAMLMetadataDocument": "<new/>"}, nil)},
			Recover, "iam:UpdateSAMLProvider", Review, object{"SAMLMetadataDocument": "<old/>"}},
		{"a password policy, with every field", []call{
			owner("iam:UpdateAccountPasswordPolicy", object{"minimumPasswordLength": 14, "requireSymbols": true, "maxPasswordAge": 90}, nil),
			intruder("iam:DeleteAccountPasswordPolicy", nil, nil)},
			Recover, "iam:UpdateAccountPasswordPolicy", Auto, object{"MinimumPasswordLength": 14.0, "RequireSymbols": true, "MaxPasswordAge": 90.0}},
		{"a queue's attribute, and no other", []call{
			owner("sqs:CreateQueue", object{"attributes": object{"Policy": `{"a":1}`, "DelaySeconds": "5"}}, queue),
			intruder("sqs:SetQueueAttributes", merged(queue, object{"attributes": object{"Policy": `{"evil":1}`}}), nil)},
			Recover, "sqs:SetQueueAttributes", Auto, object{"Attributes": object{"Policy": `{"a":1}`}}},
		{"a field that the log does not show is left to a person", []call{
			owner("sqs:CreateQueue", object{"attributes": object{"DelaySeconds": "5"}}, queue),
			intruder("sqs:SetQueueAttributes", merged(queue, object{"attributes": object{"Policy": `{"evil":1}`}}), nil)},
			Recover, ":", Manual, nil},
		{"lifecycle rules, one alone as a list", []call{
			owner("s3:PutBucketLifecycle", rules(730, "keep"), nil), intruder("s3:PutBucketLifecycle", rules(1, "nuke"), nil)},
			Recover, "s3:PutBucketLifecycleConfiguration", Review, object{"LifecycleConfiguration": object{"Rules": []any{
				object{"ID": "keep", "Status": "Enabled", "Filter": object{"Prefix": ""}, "Expiration": object{"Days": 730.0}}}}}},
		{"lifecycle rules where there were none", []call{intruder("s3:PutBucketLifecycle", rules(1, "nuke"), nil)},
			Recover, "s3:DeleteBucketLifecycle", Review, object{"Bucket": "b"}},
		{"notifications by the names of the SDK", []call{
			owner("s3:PutBucketNotification", merged(bucket, object{"NotificationConfiguration": object{"CloudFunctionConfiguration": object{"Id": "n", "CloudFunction": "arn:f", "Event": "s3:ObjectCreated:*"}}}), nil),
			intruder("s3:PutBucketNotification", merged(bucket, object{"NotificationConfiguration": object{"xmlns": "x"}}), nil)},
			Recover, "s3:PutBucketNotificationConfiguration", Review, object{"NotificationConfiguration": object{"LambdaFunctionConfigurations": []any{
				object{"Id": "n", "LambdaFunctionArn": "arn:f", "Events": []any{"s3:ObjectCreated:*"}}}}}},
		{"delete marks of the objects that were named", []call{
			intruder("s3:DeleteObject", merged(bucket, object{"key": "k1"}), nil), intruder("s3:DeleteObject", merged(bucket, object{"key": "k2"}), nil)},
			Recover, "s3:DeleteObjects", Review, object{"Bucket": "b"}},
		{"a bucket in the region where it was", []call{{by: leaked, api: "s3:DeleteBucket", region: "eu-west-1", rq: bucket}},
			Recover, "s3:CreateBucket", Review, object{"CreateBucketConfiguration": object{"LocationConstraint": "eu-west-1"}}},
		{"a bucket in the region that has no name there", []call{intruder("s3:DeleteBucket", bucket, nil)},
			Recover, "s3:CreateBucket", Review, object{"Bucket": "b"}},
		{"a rule of a security group", []call{
			owner("ec2:AuthorizeSecurityGroupIngress", object{"groupId": "sg-1"}, object{"securityGroupRuleSet": items(object{"groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false,
				"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.0.0.0/8"})}),
			intruder("ec2:ModifySecurityGroupRules", sgRule("0.0.0.0/0"), nil)},
			Recover, "ec2:ModifySecurityGroupRules", Auto, object{"GroupId": "sg-1", "SecurityGroupRules": []any{object{"SecurityGroupRuleId": "sgr-1",
				"SecurityGroupRule": object{"IpProtocol": "tcp", "FromPort": 22.0, "ToPort": 22.0, "CidrIpv4": "10.0.0.0/8"}}}}},
		{"an entry of a network ACL", []call{
			owner("ec2:CreateNetworkAclEntry", object{"networkAclId": "acl-1", "ruleNumber": 10, "egress": false, "aclProtocol": "6", "ruleAction": "deny", "cidrBlock": "0.0.0.0/0", "portRange": object{"from": 22, "to": 22}, "icmpTypeCode": object{}}, nil),
			intruder("ec2:ReplaceNetworkAclEntry", object{"networkAclId": "acl-1", "ruleNumber": 10, "egress": false, "aclProtocol": "-1", "ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "portRange": object{}, "icmpTypeCode": object{}}, nil)},
			Recover, "ec2:ReplaceNetworkAclEntry", Auto, object{"Protocol": "6", "RuleAction": "deny", "PortRange": object{"From": 22.0, "To": 22.0}}},
		{"records that were added, overwritten and deleted", []call{
			owner("route53:ChangeResourceRecordSets", zone(record("CREATE", "www.", "192.0.2.1")), nil),
			intruder("route53:ChangeResourceRecordSets", zone(record("UPSERT", "www.", "198.51.100.1"), record("CREATE", "c2.", "198.51.100.2"), record("DELETE", "mail.", "192.0.2.3")), nil)},
			Recover, "route53:ChangeResourceRecordSets", Review, object{"ChangeBatch": object{"Changes": []any{
				object{"Action": "DELETE", "ResourceRecordSet": sdkRecord("c2.", "198.51.100.2")},
				object{"Action": "CREATE", "ResourceRecordSet": sdkRecord("mail.", "192.0.2.3")},
				object{"Action": "UPSERT", "ResourceRecordSet": sdkRecord("www.", "192.0.2.1")}}}}},
		{"a record that was overwritten and is not in the log is left to a person", []call{
			intruder("route53:ChangeResourceRecordSets", zone(record("UPSERT", "www.", "198.51.100.1")), nil)}, Recover, ":", Manual, nil},
		{"a rule's targets", []call{
			owner("events:PutTargets", object{"rule": "r", "targets": []any{object{"id": "1", "arn": "arn:a"}, object{"id": "2", "arn": "arn:b"}}}, nil),
			intruder("events:RemoveTargets", object{"rule": "r", "ids": []any{"1"}}, nil)},
			Recover, "eventbridge:PutTargets", Auto, object{"Targets": []any{object{"Id": "1", "Arn": "arn:a"}}}},
		{"a rule", []call{
			owner("events:PutRule", object{"name": "r", "scheduleExpression": "rate(1 hour)", "state": "ENABLED"}, nil), intruder("events:DeleteRule", object{"name": "r"}, nil)},
			Recover, "eventbridge:PutRule", Auto, object{"Name": "r", "ScheduleExpression": "rate(1 hour)"}},
		{"a flow log", []call{
			owner("ec2:CreateFlowLogs", object{"CreateFlowLogsRequest": object{"ResourceId": object{"tag": 1, "content": "vpc-1"}, "ResourceType": "VPC", "TrafficType": "ALL", "LogDestination": "arn:aws:s3:::logs", "LogDestinationType": "s3"}},
				object{"CreateFlowLogsResponse": object{"flowLogIdSet": object{"item": "fl-1"}}}),
			intruder("ec2:DeleteFlowLogs", object{"DeleteFlowLogsRequest": object{"FlowLogId": object{"tag": 1, "content": "fl-1"}}}, nil)},
			Preserve, "ec2:CreateFlowLogs", Review, object{"ResourceIds": []any{"vpc-1"}, "LogDestination": "arn:aws:s3:::logs"}},
		{"one of two alarms", []call{
			owner("monitoring:PutMetricAlarm", object{"alarmName": "a", "metricName": "m", "namespace": "n", "threshold": 1, "oKActions": []any{"arn:t"}}, nil),
			intruder("monitoring:DeleteAlarms", object{"alarmNames": []any{"a", "b"}}, nil)},
			Preserve, "cloudwatch:PutMetricAlarm", Auto, object{"AlarmName": "a", "MetricName": "m", "OKActions": []any{"arn:t"}}},
		{"a filter whose criteria are a map", []call{
			owner("guardduty:CreateFilter", object{"detectorId": "d", "name": "f", "action": "NOOP", "findingCriteria": object{"criterion": object{"service.archived": object{"eq": []any{"false"}}}}}, nil),
			intruder("guardduty:UpdateFilter", object{"detectorId": "d", "filterName": "f", "action": "ARCHIVE", "findingCriteria": object{"criterion": object{}}}, nil)},
			Preserve, "guardduty:UpdateFilter", Auto, object{"Action": "NOOP", "FindingCriteria": object{"Criterion": object{"service.archived": object{"Eq": []any{"false"}}}}}},
		{"standards of Security Hub", []call{intruder("securityhub:BatchDisableStandards", object{"StandardsSubscriptionArns": []any{
			"arn:aws:securityhub:eu-west-1:111122223333:subscription/cis-aws-foundations-benchmark/v/1.2.0", "arn:aws:securityhub:eu-west-1:111122223333:subscription/pci-dss/v/3.2.1"}}, nil)},
			Preserve, "securityhub:BatchEnableStandards", Auto, object{"StandardsSubscriptionRequests": []any{
				object{"StandardsArn": "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"}, object{"StandardsArn": "arn:aws:securityhub:eu-west-1::standards/pci-dss/v/3.2.1"}}}},
		{"a trail with its selectors", []call{
			owner("cloudtrail:CreateTrail", object{"name": "t", "s3BucketName": "logs"}, object{"name": "t", "s3BucketName": "logs", "isMultiRegionTrail": true}),
			owner("cloudtrail:PutEventSelectors", object{"trailName": "t", "advancedEventSelectors": []any{object{"name": "all", "fieldSelectors": []any{}}}}, nil),
			intruder("cloudtrail:DeleteTrail", object{"name": "t"}, nil)},
			Preserve, "cloudtrail:PutEventSelectors", Auto, object{"TrailName": "t", "AdvancedEventSelectors": []any{object{"Name": "all", "FieldSelectors": []any{}}}}},
		{"a function's configuration", []call{
			owner("lambda:CreateFunction20150331", merged(function, object{"role": "arn:aws:iam::111122223333:role/r", "handler": "h", "environment": object{}}), nil),
			intruder("lambda:UpdateFunctionConfiguration20150331v2", merged(function, object{"role": "arn:aws:iam::111122223333:role/admin", "environment": object{}}), nil)},
			Recover, "lambda:UpdateFunctionConfiguration", Review, object{"Role": "arn:aws:iam::111122223333:role/r"}},
		{"a permission of a function", []call{
			owner("lambda:AddPermission20150331v2", merged(function, object{"statementId": "s", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::b"}), nil),
			intruder("lambda:RemovePermission20150331v2", merged(function, object{"statementId": "s"}), nil)},
			Recover, "lambda:AddPermission", Auto, object{"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b"}},
		{"code that came from a bucket", []call{
			owner("lambda:UpdateFunctionCode20150331v2", merged(function, object{"s3Bucket": "code", "s3Key": "f.zip"}), nil), intruder("lambda:UpdateFunctionCode20150331v2", function, nil)},
			Recover, "lambda:UpdateFunctionCode", Review, object{"S3Bucket": "code", "S3Key": "f.zip"}},
		{"an instance profile that was replaced", []call{
			owner("ec2:RunInstances", object{"iamInstanceProfile": object{"name": "web"}}, object{"instancesSet": items(object{"instanceId": "i-1"})}),
			intruder("ec2:ReplaceIamInstanceProfileAssociation", object{"ReplaceIamInstanceProfileAssociationRequest": object{"AssociationId": "a-1", "IamInstanceProfile": object{"Name": "admin"}}},
				object{"ReplaceIamInstanceProfileAssociationResponse": object{"iamInstanceProfileAssociation": object{"instanceId": "i-1", "associationId": "a-2"}}})},
			Recover, "ec2:ReplaceIamInstanceProfileAssociation", Review, object{"AssociationId": Item, "IamInstanceProfile": object{"Name": "web"}}},
		{"the groups of an instance", []call{
			owner("ec2:RunInstances", object{}, object{"instancesSet": items(object{"instanceId": "i-1", "groupSet": items(object{"groupId": "sg-1"})})}),
			intruder("ec2:ModifyInstanceAttribute", object{"instanceId": "i-1", "groupSet": items(object{"groupId": "sg-9"})}, nil)},
			Recover, "ec2:ModifyInstanceAttribute", Auto, object{"Groups": []any{"sg-1"}}},
		{"a protection against termination", []call{intruder("ec2:ModifyInstanceAttribute", object{"instanceId": "i-1", "disableApiTermination": object{"value": true}}, nil)},
			Recover, "ec2:ModifyInstanceAttribute", Review, object{"DisableApiTermination": object{"Value": false}}},
		{"a log group with its retention", []call{
			owner("logs:PutRetentionPolicy", object{"logGroupName": "/app", "retentionInDays": 365}, nil), intruder("logs:DeleteLogGroup", object{"logGroupName": "/app"}, nil)},
			Preserve, "cloudwatchlogs:PutRetentionPolicy", Review, object{"LogGroupName": "/app", "RetentionInDays": 365.0}},
		{"user data is left to a person", []call{intruder("ec2:ModifyInstanceAttribute", object{"instanceId": "i-1", "userData": "<sensitiveDataRemoved>"}, nil)}, Recover, ":", Manual, nil},
		{"a parameter that was not there before", []call{intruder("ssm:PutParameter", object{"name": "p"}, object{"version": 1})}, Evict, "ssm:DeleteParameter", Review, object{"Name": "p"}},
		{"a parameter that was is left to a person", []call{intruder("ssm:PutParameter", object{"name": "p"}, object{"version": 3})}, Recover, ":", Manual, nil},
		{"what CloudTrail hides is not written back", []call{
			owner("secretsmanager:PutResourcePolicy", object{"secretId": "s", "resourcePolicy": "HIDDEN_DUE_TO_SECURITY_REASONS"}, nil), intruder("secretsmanager:DeleteResourcePolicy", object{"secretId": "s"}, nil)},
			Recover, ":", Manual, nil},
		{"a registry's policy", []call{owner("ecr:PutRegistryPolicy", object{"policyText": `{"a":1}`}, nil), intruder("ecr:PutRegistryPolicy", object{"policyText": `{"evil":1}`}, nil)},
			Recover, "ecr:PutRegistryPolicy", Auto, object{"PolicyText": `{"a":1}`}},
		{"tasks, one by one", []call{intruder("ecs:RunTask", object{"cluster": "c"}, object{"tasks": []any{object{"taskArn": "arn:aws:ecs:us-east-1:111122223333:task/c/1"}}})},
			Evict, "ecs:StopTask", Review, object{"Cluster": "c", "Task": "arn:aws:ecs:us-east-1:111122223333:task/c/1"}},
		{"an Identity Center user out of a group", []call{intruder("sso-directory:AddMemberToGroup", object{"identityStoreId": "d-1", "groupId": "g", "member": object{"memberId": "u"}}, nil)},
			Evict, "identitystore:DeleteGroupMembership", Review, object{"MembershipId": Item}},
		{"shares of two calls, but for whom it was shared with before", []call{
			owner("ec2:ModifySnapshotAttribute", snapshot("add", "222233334444"), nil),
			intruder("ec2:ModifySnapshotAttribute", snapshot("add", "222233334444", "444455556666"), nil), intruder("ec2:ModifySnapshotAttribute", snapshot("add", "555566667777"), nil),
			later("ec2:ModifySnapshotAttribute", snapshot("remove", "555566667777"), nil)},
			Recover, "ec2:ModifySnapshotAttribute", Review, object{"OperationType": "remove", "UserIds": []any{"444455556666"}}},
		{"rules that were added, but for one that was revoked by what it says", []call{
			intruder("ec2:AuthorizeSecurityGroupIngress", object{"groupId": "sg-1"}, object{"securityGroupRuleSet": items(
				object{"securityGroupRuleId": "sgr-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"},
				object{"securityGroupRuleId": "sgr-2", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"})}),
			later("ec2:RevokeSecurityGroupIngress", object{"groupId": "sg-1", "ipPermissions": items(permission(22))}, nil)},
			Evict, "ec2:RevokeSecurityGroupIngress", Review, object{"SecurityGroupRuleIds": []any{"sgr-2"}}},
		{"rules whose ids are not in the log", []call{intruder("ec2:AuthorizeSecurityGroupIngress", object{"groupId": "sg-1", "ipPermissions": items(permission(22))}, object{"_return": true})},
			Evict, "ec2:RevokeSecurityGroupIngress", Auto, object{"IpPermissions": []any{object{"IpProtocol": "tcp", "FromPort": 22.0, "ToPort": 22.0, "IpRanges": []any{object{"CidrIp": "0.0.0.0/0"}}}}}},
		{"a share that was taken away", []call{intruder("ec2:ModifySnapshotAttribute", snapshot("remove", "222233334444"), nil)},
			Recover, "ec2:ModifySnapshotAttribute", Review, object{"OperationType": "add", "UserIds": []any{"222233334444"}}},
		{"a database snapshot that is public", []call{intruder("rds:ModifyDBSnapshotAttribute", object{"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": []any{"all"}}, nil)},
			Recover, "rds:ModifyDBSnapshotAttribute", Auto, object{"AttributeName": "restore", "ValuesToRemove": []any{"all"}}},
		{"rules of two calls that were taken out of a group, but for one that is back", []call{
			intruder("ec2:RevokeSecurityGroupIngress", object{"groupId": "sg-1", "ipPermissions": items(permission(22))}, nil),
			intruder("ec2:RevokeSecurityGroupIngress", object{"groupId": "sg-1", "securityGroupRuleIds": []any{"sgr-2"}},
				object{"revokedSecurityGroupRuleSet": items(object{"securityGroupRuleId": "sgr-2", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"})}),
			later("ec2:AuthorizeSecurityGroupIngress", object{"groupId": "sg-1", "ipPermissions": items(permission(22))}, nil)},
			Recover, "ec2:AuthorizeSecurityGroupIngress", Review, object{"IpPermissions": []any{object{"IpProtocol": "tcp", "FromPort": 443.0, "ToPort": 443.0, "IpRanges": []any{object{"CidrIp": "10.0.0.0/8"}}}}}},
		{"a rule that was there and only changed", []call{
			owner("events:PutRule", object{"name": "r", "scheduleExpression": "rate(1 day)"}, nil), intruder("events:PutRule", object{"name": "r", "scheduleExpression": "rate(1 minute)"}, nil)},
			Recover, "eventbridge:PutRule", Auto, object{"ScheduleExpression": "rate(1 day)"}},
		{"a target that took another's place", []call{
			owner("events:PutTargets", object{"rule": "r", "targets": []any{object{"id": "1", "arn": "arn:a"}}}, nil),
			intruder("events:PutTargets", object{"rule": "r", "targets": []any{object{"id": "1", "arn": "arn:evil"}, object{"id": "2", "arn": "arn:evil"}}}, nil)},
			Evict, "eventbridge:RemoveTargets", Review, object{"Ids": []any{"2"}}},
		{"the longest session of a role", []call{
			owner("iam:CreateRole", object{"roleName": "r", "maxSessionDuration": 3600, "description": "d"}, nil), intruder("iam:UpdateRole", object{"roleName": "r", "maxSessionDuration": 43200}, nil)},
			Recover, "iam:UpdateRole", Auto, object{"MaxSessionDuration": 3600.0}},
		{"the longest session that a role got unsaid", []call{
			owner("iam:CreateRole", object{"roleName": "r"}, nil), intruder("iam:UpdateRole", object{"roleName": "r", "maxSessionDuration": 43200}, nil)},
			Recover, "iam:UpdateRole", Auto, object{"MaxSessionDuration": 3600.0}},
		{"a key pair", []call{intruder("ec2:CreateKeyPair", object{"keyName": "k"}, object{"keyName": "k", "keyPairId": "key-1"})},
			Evict, "ec2:DeleteKeyPair", Review, object{"KeyName": "k"}},
		{"a permission set's boundary", []call{
			owner("sso:PutPermissionsBoundaryToPermissionSet", object{"instanceArn": "arn:i", "permissionSetArn": "arn:p", "permissionsBoundary": object{"managedPolicyArn": "arn:aws:iam::aws:policy/A"}}, nil),
			intruder("sso:DeletePermissionsBoundaryFromPermissionSet", object{"instanceArn": "arn:i", "permissionSetArn": "arn:p"}, nil)},
			Recover, "ssoadmin:PutPermissionsBoundaryToPermissionSet", Auto, object{"PermissionsBoundary": object{"ManagedPolicyArn": "arn:aws:iam::aws:policy/A"}}},
		{"a user that was made, deleted and made again", []call{
			intruder("iam:CreateUser", object{"userName": "x"}, object{"user": object{"userName": "x", "userId": "AIDAFIRST"}}),
			{by: leaked, at: 2 * time.Minute, api: "iam:DeleteUser", rq: object{"userName": "x"}},
			{by: leaked, at: 3 * time.Minute, api: "iam:CreateUser", rq: object{"userName": "x"}, rs: object{"user": object{"userName": "x", "userId": "AIDASECOND"}}}},
			Evict, "iam:DeleteUser", Review, object{"UserName": "x"}},
		{"a boundary that the log does not show before", []call{intruder("iam:PutRolePermissionsBoundary", object{"roleName": "r", "permissionsBoundary": "arn:aws:iam::aws:policy/A"}, nil)},
			Recover, "iam:DeleteRolePermissionsBoundary", Review, object{"RoleName": "r"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := planOf(t, test.calls)
			found := find(p, test.phase, test.call)
			if len(found) != 1 {
				t.Fatalf("%d actions %s %s, want 1:\n%s", len(found), test.phase, test.call, titles(p))
			}
			a := found[0]
			if a.Mode != test.mode {
				t.Errorf("mode %s, want %s: %s", a.Mode, test.mode, a.Reason)
			}
			if strings.Contains(a.Title, "not in the log)") {
				t.Errorf("the title is %q", a.Title)
			}
			if strings.Contains(fmt.Sprint(a.Expect), "AIDAFIRST") {
				t.Errorf("expected is the first of two of a name: %v", a.Expect)
			}
			for k, v := range test.want {
				if got := plainJSON(a.Parameters[k]); !reflect.DeepEqual(got, plainJSON(v)) {
					t.Errorf("%s is %v, want %v", k, got, v)
				}
			}
		})
	}
}

func titles(p *Plan) string {
	var b strings.Builder
	for _, a := range p.Actions {
		fmt.Fprintln(&b, a.Phase, a.Mode, a.Service+":"+a.Operation, a.Title, "|", a.Reason)
	}
	return b.String()
}

// TestNothingToUndo has changes that changed nothing or were undone since.
func TestNothingToUndo(t *testing.T) {
	bucket := object{"bucketName": "b"}
	policy := func(text string) object { return merged(bucket, object{"bucketPolicy": object{"Version": text}}) }
	key := object{"userName": "carol", "accessKeyId": "AKIACAROL"}
	tags := object{"userName": "carol", "tags": []any{object{"key": "a", "value": "1"}}}
	for name, calls := range map[string][]call{
		"a policy that was there already": {owner("s3:PutBucketPolicy", policy("1"), nil), intruder("s3:PutBucketPolicy", policy("1"), nil)},
		"a policy that the intruder changed and put back": {owner("s3:PutBucketPolicy", policy("1"), nil), intruder("s3:PutBucketPolicy", policy("2"), nil),
			{by: leaked, at: 2 * time.Minute, api: "s3:PutBucketPolicy", rq: policy("1")}},
		"a key enabled that was new": {owner("iam:CreateAccessKey", object{"userName": "carol"}, object{"accessKey": object{"userName": "carol", "accessKeyId": "AKIACAROL"}}),
			intruder("iam:UpdateAccessKey", merged(key, object{"status": "Active"}), nil)},
		"a key disabled that was disabled": {owner("iam:UpdateAccessKey", merged(key, object{"status": "Inactive"}), nil), intruder("iam:UpdateAccessKey", merged(key, object{"status": "Inactive"}), nil)},
		"tags that were so":                {owner("iam:TagUser", tags, nil), intruder("iam:TagUser", tags, nil)},
		"tags that went since":             {intruder("iam:TagUser", tags, nil), later("iam:UntagUser", object{"userName": "carol", "tagKeys": []any{"a"}}, nil)},
		"serial consoles that were open":   {owner("ec2:EnableSerialConsoleAccess", nil, nil), intruder("ec2:EnableSerialConsoleAccess", nil, nil)},
		"serial consoles closed since":     {intruder("ec2:EnableSerialConsoleAccess", nil, nil), later("ec2:DisableSerialConsoleAccess", nil, nil)},
		"a session duration that was so": {owner("sso:CreatePermissionSet", object{"name": "p", "sessionDuration": "PT1H"}, object{"permissionSet": object{"permissionSetArn": "arn:p"}}),
			intruder("sso:UpdatePermissionSet", object{"instanceArn": "arn:i", "permissionSetArn": "arn:p", "sessionDuration": "PT1H"}, nil)},
		"a bucket that its owner had made": {owner("s3:CreateBucket", bucket, nil), intruder("s3:CreateBucket", bucket, nil)},
		"a share that was taken back": {intruder("rds:ModifyDBSnapshotAttribute", object{"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": []any{"all"}}, nil),
			later("rds:ModifyDBSnapshotAttribute", object{"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToRemove": []any{"all"}}, nil)},
		"a share that was there": {owner("rds:ModifyDBSnapshotAttribute", object{"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": []any{"all"}}, nil),
			intruder("rds:ModifyDBSnapshotAttribute", object{"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": []any{"all"}}, nil)},
		"a rule that the intruder had put there itself": {intruder("ec2:AuthorizeSecurityGroupIngress", object{"groupId": "sg-1", "ipPermissions": items(object{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": items(object{"cidrIp": "0.0.0.0/0"})})}, object{}),
			{by: leaked, at: 2 * time.Minute, api: "ec2:RevokeSecurityGroupIngress", rq: object{"groupId": "sg-1", "ipPermissions": items(object{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": items(object{"cidrIp": "0.0.0.0/0"})})}}},
		"an alarm that was made again": {owner("monitoring:PutMetricAlarm", object{"alarmName": "a"}, nil), intruder("monitoring:DeleteAlarms", object{"alarmNames": []any{"a"}}, nil),
			later("monitoring:PutMetricAlarm", object{"alarmName": "a"}, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planOf(t, calls)
			for _, a := range p.Actions {
				if a.Phase != Preserve && len(a.Evidence) > 0 && slices.Contains(a.Evidence, "event-001") {
					t.Errorf("planned: %s %s %s (%s)", a.Phase, a.Operation, a.Title, a.Reason)
				}
			}
		})
	}
}

// TestSameCallBeforeIsNoSameState has calls whose content matters: that the owner
// made one before does not make the intruder's the owner's.
func TestSameCallBeforeIsNoSameState(t *testing.T) {
	for _, test := range []struct {
		api  string
		rq   object
		call string
	}{
		{"iam:UpdateLoginProfile", object{"userName": "carol"}, "iam:UpdateLoginProfile"},
		{"lambda:UpdateFunctionCode20150331v2", object{"functionName": "f"}, "lambda:PutFunctionConcurrency"},
	} {
		p := planOf(t, []call{owner(test.api, test.rq, nil), intruder(test.api, test.rq, nil)})
		if len(find(p, Evict, test.call))+len(find(p, Contain, test.call)) != 1 {
			t.Errorf("%s is not undone:\n%s", test.api, titles(p))
		}
	}
}

// TestKeyInUse has a key that worked when the intruder enabled it.
func TestKeyInUse(t *testing.T) {
	enable := call{by: leaked, at: time.Minute, api: "iam:UpdateAccessKey", rq: object{"userName": "bob", "accessKeyId": "AKIAI44QH8DHBEXAMPLE", "status": "Active"}}
	use := call{at: -time.Hour, api: "s3:ListBuckets", read: true} // bob's
	for _, test := range []struct {
		name  string
		calls []call
		want  int
	}{
		{"in use", []call{use, enable}, 0},
		{"not seen", []call{enable}, 1},
	} {
		p := story{calls: test.calls}.plan(t)
		n := 0
		for _, a := range find(p, Contain, "iam:UpdateAccessKey") {
			if a.Parameters["AccessKeyId"] == "AKIAI44QH8DHBEXAMPLE" {
				n++
			}
		}
		if n != test.want {
			t.Errorf("%s: %d actions, want %d:\n%s", test.name, n, test.want, titles(p))
		}
	}
}

// TestEmptiedListsAreVerified shows that each step which removes whatever a list
// holds reads the list again, and that EC2, which goes on listing what is
// terminated, is not asked so.
func TestEmptiedListsAreVerified(t *testing.T) {
	p := planOf(t, []call{
		intruder("iam:CreateUser", object{"userName": "backdoor"}, object{"user": object{"userName": "backdoor", "userId": "AIDABACKDOOR", "arn": "arn:aws:iam::111122223333:user/backdoor"}}),
		intruder("events:PutRule", object{"name": "tick"}, object{"ruleArn": "arn:aws:events:us-east-1:111122223333:rule/tick"}),
	})
	lists := 0
	for _, a := range p.Actions {
		if a.ForEach == nil || a.Phase != Evict {
			continue
		}
		lists++
		if len(a.Verify) != 1 || !a.Verify[0].Absent || a.Verify[0].Path != a.ForEach.Path+" | [0]" || a.Verify[0].Operation != a.ForEach.Operation {
			t.Errorf("%s verifies %+v", a.ID, a.Verify)
		}
	}
	if lists < 8 {
		t.Errorf("only %d lists are emptied", lists)
	}
}

// TestBucketThatHoldsSomething shows that a bucket is looked into before it is
// deleted.
func TestBucketThatHoldsSomething(t *testing.T) {
	p := planOf(t, []call{intruder("s3:CreateBucket", object{"bucketName": "loot"}, nil)})
	got := find(p, Evict, "s3:DeleteBucket")
	if len(got) != 1 || len(got[0].Expect) != 1 {
		t.Fatalf("actions: %+v", got)
	}
	expect := got[0].Expect[0]
	for _, test := range []struct {
		answer any
		want   bool
	}{
		{object{}, true},
		{object{"Versions": []any{object{"Key": "a"}}}, false},
		{object{"DeleteMarkers": []any{object{"Key": "a"}}}, false},
	} {
		v, err := search(expect.Path, plainJSON(test.answer))
		if err != nil || holds(expect, v, start) != test.want {
			t.Errorf("%v: %v, %v", test.answer, v, err)
		}
	}
}
