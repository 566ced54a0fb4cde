package remediate

import (
	"slices"
	"strings"
	"testing"
)

// TestStepsAreVerified shows that what the tables make says how to see that it
// took effect, those excepted that no read shows.
func TestStepsAreVerified(t *testing.T) {
	for _, step := range allSteps() {
		service, operation := splitCall(step.call)
		if step.call == "" || isRead(operation) || slices.Contains(unseen, step.call) || step.each != nil {
			continue
		}
		in := map[string]any{}
		for k, v := range step.in {
			in[k] = "x"
			if v == "prior" && service == "s3" && k != "Policy" {
				in[k] = object{"Rules": []any{object{"ID": "x"}}}
			}
			if text, literal := v.(string); literal && strings.HasPrefix(text, "'") {
				in[k] = strings.Trim(text, "'")
			}
		}
		if operation == "UpdateDetector" {
			in["Enable"] = true
		}
		if strings.HasPrefix(operation, "AuthorizeSecurity") || strings.HasPrefix(operation, "RevokeSecurity") {
			continue // TestRulesAreLookedFor
		}
		if len(verifyOf(service, operation, in)) == 0 {
			t.Errorf("%s %v has no verify", step.call, step.in)
		}
	}
}

func allSteps() []step {
	var out []step
	for _, u := range undoTable {
		out = append(append(out, u.steps...), u.blind...)
	}
	for _, x := range exposureTable {
		if x.step != nil {
			out = append(out, *x.step)
		}
	}
	slices.SortFunc(out, func(a, b step) int { return strings.Compare(a.call, b.call) })
	return out
}

// unseen are operations whose effect no read tells from the state before it.
var unseen = []string{
	"iam:UpdateLoginProfile",      // nothing shows which password
	"lambda:UpdateFunctionCode",   // the log does not have the hash of the code
	"secretsmanager:RotateSecret", // goes on after the call
	"support:ResolveCase",         // its own answer says so
	"eks:UpdateClusterConfig",     // takes minutes, as does the next
	"cloudformation:DeleteStackInstances",
	"sqs:DeleteQueue",                         // a queue that is gone answers for a minute
	"securityhub:UpdateStandardsControl",      // listed by subscription, which the log does not name
	"ec2:ModifySecurityGroupRules",            // TestRulesAreLookedFor has the other forms
	"route53:ChangeResourceRecordSets",        // a batch
	"route53domains:EnableDomainTransferLock", // an operation of hours
	"route53domains:CancelDomainTransferToAnotherAwsAccount",
}

// TestLooks fills a look of every kind with what AWS answers before and after.
func TestLooks(t *testing.T) {
	ssh := object{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": []any{object{"CidrIp": "0.0.0.0/0"}, object{"CidrIp": "10.0.0.0/8"}}}
	for _, test := range []struct {
		call          Call
		before, after object
		parameters    object
	}{
		{sdkCall("guardduty:DeleteFilter", "DetectorId", "d", "FilterName", "hide"), object{"FilterNames": []any{"hide"}}, object{"FilterNames": []any{}}, object{"DetectorId": "d"}},
		{sdkCall("organizations:MoveAccount", "AccountId", "1", "DestinationParentId", "ou-1"), object{"Parents": []any{object{"Id": "r"}}}, object{"Parents": []any{object{"Id": "ou-1"}}}, object{"ChildId": "1"}},
		{sdkCall("cloudtrail:UpdateTrail", "Name", "t", "EnableLogFileValidation", true, "S3BucketName", "b"), object{"Trail": object{"LogFileValidationEnabled": false, "S3BucketName": "b"}},
			object{"Trail": object{"LogFileValidationEnabled": true, "S3BucketName": "b", "Name": "t"}}, object{"Name": "t"}},
		{sdkCall("s3:PutBucketCors", "Bucket", "b", "CORSConfiguration", object{"CORSRules": []any{object{"AllowedMethods": []any{"GET"}}}}),
			object{"CORSRules": []any{object{"AllowedMethods": []any{"PUT"}}}}, object{"CORSRules": []any{object{"AllowedMethods": []any{"GET"}, "ID": "x"}}}, object{"Bucket": "b"}},
		{sdkCall("ecr:PutReplicationConfiguration", "ReplicationConfiguration", object{"Rules": []any{}}), object{"ReplicationConfiguration": object{"Rules": []any{object{"a": "b"}}}},
			object{"ReplicationConfiguration": object{"Rules": []any{}}}, object{}},
		{sdkCall("cloudwatchlogs:PutSubscriptionFilter", "LogGroupName", "g", "FilterName", "f", "DestinationArn", "d"), object{"SubscriptionFilters": []any{object{"FilterName": "f", "DestinationArn": "e"}}},
			object{"SubscriptionFilters": []any{object{"FilterName": "f", "DestinationArn": "d", "FilterPattern": ""}}}, object{"LogGroupName": "g"}},
		{sdkCall("lambda:RemovePermission", "FunctionName", "f", "StatementId", "Allow"), object{"Policy": `{"Statement":[{"Sid":"Allow","Effect":"Allow"}]}`},
			object{"Policy": `{"Statement":[{"Sid":"x","Effect":"Allow"}]}`}, object{"FunctionName": "f"}},
		{sdkCall("ec2:CreateTags", "Resources", []any{"i-1"}, "Tags", []any{object{"Key": "k", "Value": "v"}}), object{}, object{"Tags": []any{object{"Key": "k", "Value": "v"}}},
			object{"Filters": []any{object{"Name": "resource-id", "Values": []any{"i-1"}}}}},
		{sdkCall("ec2:AuthorizeSecurityGroupIngress", "GroupId", "sg-1", "IpPermissions", []any{ssh}), object{"SecurityGroups": []any{object{"IpPermissions": []any{object{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
			"IpRanges": []any{object{"CidrIp": "0.0.0.0/0"}}}}}}}, object{"SecurityGroups": []any{object{"IpPermissions": []any{ssh}}}}, object{"GroupIds": []any{"sg-1"}}},
		{sdkCall("organizations:EnablePolicyType", "RootId", "r-1", "PolicyType", "SERVICE_CONTROL_POLICY"), object{"Roots": []any{object{"Id": "r-1", "PolicyTypes": []any{}}}},
			object{"Roots": []any{object{"Id": "r-1", "PolicyTypes": []any{object{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}}}}}, object{}},
		{sdkCall("rds:ModifyDBSnapshotAttribute", "DBSnapshotIdentifier", "s", "AttributeName", "restore", "ValuesToAdd", []any{"1"}), object{},
			object{"DBSnapshotAttributesResult": object{"DBSnapshotAttributes": []any{object{"AttributeName": "restore", "AttributeValues": []any{"1"}}}}}, object{"DBSnapshotIdentifier": "s"}},
		{sdkCall("eventbridge:PutTargets", "Rule", "r", "Targets", []any{object{"Id": "1", "Arn": "a"}}), object{"Targets": []any{object{"Id": "1", "Arn": "b"}}}, object{"Targets": []any{object{"Id": "1", "Arn": "a"}}}, object{"Rule": "r"}},
		{sdkCall("iam:AttachRolePolicy", "RoleName", "r", "PolicyArn", "p"), object{"AttachedPolicies": []any{}}, object{"AttachedPolicies": []any{object{"PolicyArn": "p"}}}, object{"RoleName": "r"}},
	} {
		name := test.call.Service + ":" + test.call.Operation
		checks := verifyOf(test.call.Service, test.call.Operation, test.call.Parameters)
		if len(checks) == 0 {
			t.Errorf("%s is not looked at", name)
		}
		for _, c := range checks {
			if !sameParameters(c.Parameters, test.parameters) {
				t.Errorf("%s reads %v", name, c.Parameters)
			}
			for _, is := range []struct {
				answer object
				want   bool
			}{{test.before, false}, {test.after, true}} {
				v, err := search(c.Path, plainJSON(is.answer))
				if isEmpty(v) {
					v = nil
				}
				if err != nil || holds(c, v, start) != is.want {
					t.Errorf("%s: %s of %v is %v, %v", name, c.Path, is.answer, v, err)
				}
			}
		}
	}
}
