package remediate

import (
	"slices"
	"testing"
	"time"
)

// TestUndoOfWholes undoes what was done to things that the intruder ended, or
// made, in whole.
func TestUndoOfWholes(t *testing.T) {
	second := func(api string, rq object) call { return call{by: leaked, at: 2 * time.Minute, api: api, rq: rq} }
	arn := object{"policyArn": "arn:aws:iam::111122223333:policy/p"}
	bucket := object{"bucketName": "b"}
	open := object{"PublicAccessBlockConfiguration": object{"BlockPublicAcls": "false"}}
	block := object{"BlockPublicAcls": "true", "IgnorePublicAcls": "false"}
	group := object{"logGroupName": "/g"}
	filter := merged(group, object{"filterName": "f", "filterPattern": "", "destinationArn": "arn:d"})
	for name, test := range map[string]struct {
		calls      []call
		want, none string
		parameters object
	}{
		"a version that was made without becoming the default was none": {[]call{
			owner("iam:CreatePolicy", object{"policyName": "p"}, object{"policy": object{"arn": arn["policyArn"], "defaultVersionId": "v1"}}),
			{at: -time.Hour, api: "iam:CreatePolicyVersion", rq: arn, rs: object{"policyVersion": object{"versionId": "v2", "isDefaultVersion": false}}},
			intruder("iam:SetDefaultPolicyVersion", merged(arn, object{"versionId": "v3"}), nil)}, "iam:SetDefaultPolicyVersion", "", object{"VersionId": "v1"}},
		"a default version that is deleted cannot be set": {[]call{
			owner("iam:CreatePolicy", object{"policyName": "p"}, object{"policy": object{"arn": arn["policyArn"], "defaultVersionId": "v1"}}),
			intruder("iam:SetDefaultPolicyVersion", merged(arn, object{"versionId": "v3"}), nil), second("iam:DeletePolicyVersion", merged(arn, object{"versionId": "v1"}))}, "", "iam:SetDefaultPolicyVersion", nil},
		"a filter goes with its detector": {[]call{intruder("guardduty:CreateFilter", object{"detectorId": "d", "name": "f"}, nil), second("guardduty:DeleteDetector", object{"detectorId": "d"})},
			"guardduty:CreateDetector", "guardduty:DeleteFilter", nil},
		"a rule that is deleted is not switched on": {[]call{owner("events:PutRule", object{"name": "r", "scheduleExpression": "rate(1 day)"}, nil),
			intruder("events:DisableRule", object{"name": "r"}, nil), second("events:DeleteRule", object{"name": "r"})}, "eventbridge:PutRule", "eventbridge:EnableRule", nil},
		"thumbprints go with their provider": {[]call{owner("iam:CreateOpenIDConnectProvider", object{"thumbprintList": []any{"a"}}, object{"openIDConnectProviderArn": "arn:o"}),
			intruder("iam:UpdateOpenIDConnectProviderThumbprint", object{"openIDConnectProviderArn": "arn:o", "thumbprintList": []any{"b"}}, nil),
			second("iam:DeleteOpenIDConnectProvider", object{"openIDConnectProviderArn": "arn:o"})}, "", "iam:UpdateOpenIDConnectProviderThumbprint", nil},
		"a block that was opened and then deleted": {[]call{owner("s3:PutAccountPublicAccessBlock", object{"PublicAccessBlockConfiguration": block}, nil),
			intruder("s3:PutAccountPublicAccessBlock", open, nil), second("s3:DeleteAccountPublicAccessBlock", nil)}, "s3control:PutPublicAccessBlock", "", object{"PublicAccessBlockConfiguration": block}},
		"settings of a bucket that goes": {[]call{intruder("s3:CreateBucket", bucket, nil), second("s3:PutBucketOwnershipControls", bucket)}, "s3:DeleteBucket", "s3:PutBucketOwnershipControls", nil},
		"a bucket is emptied":            {[]call{intruder("s3:CreateBucket", bucket, nil)}, "s3:DeleteObjects", "", object{"Bucket": "b"}},
		"a version that was written":     {[]call{intruder("s3:PutObject", merged(bucket, object{"key": "k"}), object{"x-amz-version-id": "v"})}, "s3:DeleteObjects", "", object{"Bucket": "b"}},
		"a subscription to all of a log": {[]call{owner("logs:PutSubscriptionFilter", filter, nil), intruder("logs:DeleteSubscriptionFilter", merged(group, object{"filterName": "f"}), nil)}, "cloudwatchlogs:PutSubscriptionFilter", "", object{"FilterPattern": ""}},
		"the retention of a log group": {[]call{owner("logs:PutRetentionPolicy", merged(group, object{"retentionInDays": 90}), nil), intruder("logs:DeleteLogGroup", group, nil)},
			"cloudwatchlogs:PutRetentionPolicy", "", object{"RetentionInDays": 90.0}},
		"the subscription of a log group": {[]call{owner("logs:PutSubscriptionFilter", filter, nil), intruder("logs:DeleteLogGroup", group, nil)}, "cloudwatchlogs:PutSubscriptionFilter", "", object{"FilterName": "f"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planOf(t, test.calls)
			var found []Action
			for _, a := range p.Actions {
				if a.Phase != Restore && a.Service+":"+a.Operation == test.want {
					found = append(found, a)
				}
				if a.Phase != Restore && a.Service+":"+a.Operation == test.none {
					t.Errorf("planned: %s", a.Title)
				}
			}
			if test.want == "" {
				return
			}
			if len(found) != 1 {
				t.Fatalf("%d actions %s, want 1:\n%s", len(found), test.want, titles(p))
			}
			for k, v := range test.parameters {
				if !sameValue(plainJSON(found[0].Parameters[k]), plainJSON(v), time.Time{}) {
					t.Errorf("%s is %v, want %v", k, found[0].Parameters[k], v)
				}
			}
		})
	}
}

// TestRecorderInOrder has AWS Config's recorder, channel and start in the order
// that AWS accepts.
func TestRecorderInOrder(t *testing.T) {
	recorder := object{"configurationRecorder": object{"name": "default", "roleARN": "arn:r"}}
	p := planOf(t, []call{
		owner("config:PutConfigurationRecorder", recorder, nil), owner("config:PutDeliveryChannel", object{"deliveryChannel": object{"name": "default", "s3BucketName": "b"}}, nil),
		intruder("config:DeleteDeliveryChannel", object{"deliveryChannelName": "default"}, nil), intruder("config:DeleteConfigurationRecorder", object{"configurationRecorderName": "default"}, nil)})
	var order []string
	for _, a := range p.Actions {
		if a.Service == "configservice" {
			order = append(order, a.Operation)
			if len(order) > 1 && (len(a.DependsOn) == 0 || a.Mode != Review) {
				t.Errorf("%s waits for %v and is %s", a.ID, a.DependsOn, a.Mode)
			}
		}
	}
	if want := []string{"PutConfigurationRecorder", "PutDeliveryChannel", "StartConfigurationRecorder"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}
