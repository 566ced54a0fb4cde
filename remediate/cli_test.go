package remediate

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestCLINames spells as botocore's xform_name does.
func TestCLINames(t *testing.T) {
	for name, want := range map[string]string{
		"PutUserPolicy": "put-user-policy", "DeleteSSHPublicKey": "delete-ssh-public-key", "DeactivateMFADevice": "deactivate-mfa-device",
		"DeleteOpenIDConnectProvider": "delete-open-id-connect-provider", "DeleteSAMLProvider": "delete-saml-provider", "SAMLProviderArn": "saml-provider-arn",
		"SSHPublicKeyId": "ssh-public-key-id", "DBSnapshotIdentifier": "db-snapshot-identifier", "S3BucketName": "s3-bucket-name", "UUID": "uuid",
		"ACL": "acl", "MACVendors": "mac-vendors", "ListWebACLs": "list-web-acls", "KeyId": "key-id", "Enable": "enable",
	} {
		if got := cliName(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, test := range []struct {
		name string
		a    Action
		want string
	}{
		{"plain words, IAM without a region", Action{Service: "iam", Operation: "DeleteUser", Region: "us-east-1", Parameters: map[string]any{"UserName": "alice"}},
			"aws iam delete-user --user-name alice"},
		{"a region", Action{Service: "ec2", Operation: "StopInstances", Region: "eu-west-1", Parameters: map[string]any{"InstanceIds": []any{"i-1", "i-2"}}},
			"aws ec2 stop-instances --instance-ids i-1 i-2 --region eu-west-1"},
		{"a shell's characters", Action{Service: "iam", Operation: "DeleteUser", Parameters: map[string]any{"UserName": `a'; rm -rf "$HOME" #`}},
			`aws iam delete-user --user-name 'a'\''; rm -rf "$HOME" #'`},
		{"an option", Action{Service: "iam", Operation: "DeleteUser", Parameters: map[string]any{"UserName": "--debug"}},
			`aws iam delete-user --cli-input-json '{"UserName":"--debug"}'`},
		{"a file that the CLI would read", Action{Service: "s3", Operation: "DeleteBucket", Region: "us-east-1", Parameters: map[string]any{"Bucket": "file:///etc/passwd"}},
			`aws s3api delete-bucket --cli-input-json '{"Bucket":"file:///etc/passwd"}' --region us-east-1`},
		{"control characters and text direction", Action{Service: "iam", Operation: "DeleteUser", Parameters: map[string]any{"UserName": "a\x1b[2J\u202eb\U0001F600"}},
			`aws iam delete-user --cli-input-json '{"UserName":"a\u001b[2J\u202eb\ud83d\ude00"}'`},
		{"the time of the call", Action{Service: "iam", Operation: "X", Parameters: map[string]any{"P": `{"a":"${now}"}`}},
			`aws iam x --p '{"a":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"}'`},
		{"booleans and objects", Action{Service: "sagemaker", Operation: "X", Parameters: map[string]any{"Force": true, "Retain": false, "In": map[string]any{"A": "b"}, "N": 3}},
			`aws sagemaker x --force --in '{"A":"b"}' --n 3 --no-retain`},
		{"no region for IAM save in another partition", Action{Service: "iam", Operation: "DeleteUser", Region: "cn-north-1", Parameters: map[string]any{"UserName": "alice"}},
			"aws iam delete-user --user-name alice --region cn-north-1"},
		{"the CLI's name for a service and its parameters", Action{Service: "cloudwatchlogs", Operation: "DeleteSubscriptionFilter", Region: "eu-west-1", Parameters: map[string]any{"LogGroupName": "-x", "FilterName": "f"}},
			`aws logs delete-subscription-filter --cli-input-json '{"filterName":"f","logGroupName":"-x"}' --region eu-west-1`},
		{"an operation that the CLI has its own command for", Action{Service: "emr", Operation: "TerminateJobFlows", Region: "eu-west-1", Parameters: map[string]any{"JobFlowIds": []any{"j-1"}}},
			"aws emr terminate-clusters --cluster-ids j-1 --region eu-west-1"},
		{"the time twice", Action{Service: "iam", Operation: "X", Parameters: map[string]any{"P": "${now}a ${now}"}},
			`aws iam x --p "$(date -u +%Y-%m-%dT%H:%M:%SZ)"'a '"$(date -u +%Y-%m-%dT%H:%M:%SZ)"`},
		{"a loop", Action{Service: "iam", Operation: "DeleteAccessKey", Parameters: map[string]any{"UserName": "a", "AccessKeyId": Item},
			ForEach: &Read{Call{Service: "iam", Operation: "ListAccessKeys", Parameters: map[string]any{"UserName": "a"}}, "AccessKeyMetadata[].AccessKeyId"}},
			`aws iam list-access-keys --user-name a --query 'AccessKeyMetadata[].AccessKeyId' --output text | tr '\t' '\n' | while IFS= read -r item; do aws iam delete-access-key --access-key-id "$item" --user-name a; done`},
		{"nothing to call", Action{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.a.Command(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestQuoting lets a shell take the words apart again: whatever a name holds,
// it is one word and no command.
func TestQuoting(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here")
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[ -~\n]{0,12}`), 1, 6).Draw(t, "words")
		script := "printf '%s\\0'"
		for _, w := range words {
			script += " " + ShellQuote(w)
		}
		out, err := exec.Command(sh, "-c", script).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
			t.Fatalf("%q became %q", words, got)
		}
	})
}
