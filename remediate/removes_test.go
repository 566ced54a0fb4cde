package remediate

import "testing"

// TestRemoves tells a deletion of what a call changed from one of something else
// of the same owner.
func TestRemoves(t *testing.T) {
	for _, c := range []struct {
		later, earlier Call
		want           bool
	}{
		{sdkCall("eventbridge:DeleteRule", "Name", "r"), sdkCall("eventbridge:DisableRule", "Name", "r"), true},
		{sdkCall("eventbridge:DeleteRule", "Name", "r"), sdkCall("eventbridge:DisableRule", "Name", "other"), false},
		{sdkCall("lambda:DeleteFunction", "FunctionName", "f"), sdkCall("lambda:PutFunctionConcurrency", "FunctionName", "f", "ReservedConcurrentExecutions", 0), true},
		{sdkCall("ec2:TerminateInstances", "InstanceIds", []any{"i"}), sdkCall("ec2:StopInstances", "InstanceIds", []any{"i"}), true},
		{sdkCall("iam:DeleteUser", "UserName", "u"), sdkCall("iam:PutUserPolicy", "UserName", "u", "PolicyName", "p", "PolicyDocument", "{}"), true},
		{sdkCall("iam:DeleteLoginProfile", "UserName", "u"), sdkCall("iam:UpdateAccessKey", "UserName", "u", "AccessKeyId", "a", "Status", "Inactive"), false},
		{sdkCall("iam:DeleteAccessKey", "UserName", "u", "AccessKeyId", "a"), sdkCall("iam:UpdateAccessKey", "UserName", "u", "AccessKeyId", "a", "Status", "Inactive"), true},
		{sdkCall("iam:DeleteAccessKey", "UserName", "u", "AccessKeyId", "b"), sdkCall("iam:UpdateAccessKey", "UserName", "u", "AccessKeyId", "a", "Status", "Inactive"), false},
		{sdkCall("iam:DeleteUserPolicy", "UserName", "u", "PolicyName", "x"), sdkCall("iam:PutUserPolicy", "UserName", "u", "PolicyName", "deny", "PolicyDocument", "{}"), false},
		{sdkCall("iam:GetUser", "UserName", "u"), sdkCall("iam:PutUserPolicy", "UserName", "u", "PolicyName", "p", "PolicyDocument", "{}"), false},
	} {
		if got := removes(c.later, c.earlier); got != c.want {
			t.Errorf("%v after %v: %v", c.later, c.earlier, got)
		}
	}
}
