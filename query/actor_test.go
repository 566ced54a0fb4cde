package query

import (
	"testing"

	"trailscan/internal/casetest"
)

// TestActorKind tells of each kind of caller by the records that CloudTrail
// writes of it, and what comes first where several fit.
func TestActorKind(t *testing.T) {
	const (
		firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
		cli     = "aws-cli/2.27.31 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/command#s3.ls"
		shell   = "aws-cli/2.9.15 Python/3.9.11 Linux/4.14.255 exec-env/CloudShell exe/x86_64.amzn.2 prompt/off command/ec2.stop-instances"
		java    = "aws-internal/3 aws-sdk-java/1.12.431 Linux/5.10 OpenJDK_64-Bit_Server_VM/25.362-b10 java/1.8.0_362"
	)
	c := openTemp(t)
	for _, tc := range []struct {
		name, columns, want string
	}{
		{"root", `'Root' AS identity_type`, "root"},
		{"root in the console", `'Root' AS identity_type, '` + firefox + `' AS user_agent, true AS session_credential_from_console`, "root"},
		{"what a service does for root", `'Root' AS identity_type, 's3.amazonaws.com' AS invoked_by`, "root"},
		{"a session of a member account's root", `'AssumedRole' AS identity_type, 'true' AS session_assumed_root`, "root"},
		{"a service", `'AWSService' AS identity_type, 'lambda.amazonaws.com' AS invoked_by, 'lambda.amazonaws.com' AS source_ip_address`, "service"},
		{"a service event without an identity", `'AwsServiceEvent' AS event_type, 'kms.amazonaws.com' AS event_source`, "service"},
		{"a service that takes a role of another account", `'AWSService' AS identity_type, '999988887777' AS recipient_account_id`, "service"},
		{"a service for a caller", `'AssumedRole' AS identity_type, 'cloudformation.amazonaws.com' AS invoked_by, '` + cli + `' AS user_agent`, "service_on_behalf"},
		{"AWS Internal without a name", `'IAMUser' AS identity_type, 'AWS Internal' AS source_ip_address, 'AWS Internal' AS user_agent`, "service_on_behalf"},
		{"a service's host name", `'IAMUser' AS identity_type, 'athena.amazonaws.com' AS source_ip_address`, "service_on_behalf"},
		{"a service for another account's caller", `'AWSAccount' AS identity_type, 'kms.amazonaws.com' AS invoked_by`, "service_on_behalf"},
		{"another account", `'AWSAccount' AS identity_type, '999988887777' AS identity_account_id, '` + cli + `' AS user_agent`, "cross_account"},
		{"nobody that S3 knows", `'AWSAccount' AS identity_type, 'ANONYMOUS_PRINCIPAL' AS identity_account_id, '[` + firefox + `]' AS user_agent`, "cross_account"},
		{"another account's role", `'AssumedRole' AS identity_type, '999988887777' AS identity_account_id, '111122223333' AS recipient_account_id`, "cross_account"},
		{"the same account", `'AssumedRole' AS identity_type, '111122223333' AS identity_account_id, '111122223333' AS recipient_account_id`, "sdk"},
		{"CLI", `'IAMUser' AS identity_type, '` + cli + `' AS user_agent`, "cli"},
		{"CLI in brackets, as S3 writes it", `'IAMUser' AS identity_type, '[aws-cli/1.16 Python/3.7]' AS user_agent`, "cli"},
		{"CLI in CloudShell", `'IAMUser' AS identity_type, '` + shell + `' AS user_agent, true AS session_credential_from_console`, "cli"},
		{"aws-shell", `'IAMUser' AS identity_type, 'aws-shell/0.2.2 Python/3.9' AS user_agent`, "cli"},
		{"SDK in CloudShell", `'IAMUser' AS identity_type, 'Boto3/1.34 exec-env/CloudShell' AS user_agent, true AS session_credential_from_console`, "sdk"},
		{"console credentials", `'AssumedRole' AS identity_type, 'rds-frontend' AS user_agent, true AS session_credential_from_console`, "console"},
		{"browser", `'AssumedRole' AS identity_type, '` + firefox + `' AS user_agent`, "console"},
		{"browser in brackets", `'AssumedRole' AS identity_type, '[` + firefox + `]' AS user_agent`, "console"},
		{"console.amazonaws.com", `'IAMUser' AS identity_type, 'console.amazonaws.com' AS user_agent`, "console"},
		{"console.ec2.amazonaws.com", `'IAMUser' AS identity_type, 'console.ec2.amazonaws.com' AS user_agent`, "console"},
		{"signin.amazonaws.com", `'IAMUser' AS identity_type, 'signin.amazonaws.com' AS user_agent`, "console"},
		{"S3Console", `'IAMUser' AS identity_type, '[S3Console/0.4, ` + java + `]' AS user_agent`, "console"},
		{"EC2 console", `'IAMUser' AS identity_type, 'EC2ConsoleFrontend, ` + java + `' AS user_agent`, "console"},
		{"Lambda console", `'IAMUser' AS identity_type, 'AWS Console Lambda, ` + java + `' AS user_agent`, "console"},
		{"AWS-Console", `'IAMUser' AS identity_type, 'AWS-Console' AS user_agent`, "console"},
		{"page loads", `'IAMUser' AS identity_type, '` + java + `' AS user_agent`, "console"},
		{"Coral", `'IAMUser' AS identity_type, 'Coral/Netty4' AS user_agent`, "console"},
		{"sign-in", `'IAMUser' AS identity_type, 'signin.amazonaws.com' AS event_source, '` + firefox + `' AS user_agent`, "console"},
		{"sign-in without an identity", `'signin.amazonaws.com' AS event_source, '` + firefox + `' AS user_agent`, "console"},
		{"sign-in token of a script", `'AssumedRole' AS identity_type, 'signin.amazonaws.com' AS event_source, 'python-requests/2.31.0' AS user_agent`, "sdk"},
		{"SDK", `'IAMUser' AS identity_type, 'Boto3/1.34.46 md/Botocore#1.34.46 os/linux' AS user_agent`, "sdk"},
		{"SDK over a VPC endpoint", `'AssumedRole' AS identity_type, 'aws-sdk-go/1.44' AS user_agent, '10.0.1.5' AS source_ip_address, 'vpce-1' AS vpc_endpoint_id`, "sdk"},
		{"no agent", `'IAMUser' AS identity_type`, "sdk"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			casetest.Insert(t, c.DB, `BY NAME SELECT ? AS event_id, TIMESTAMP '2026-09-01' AS event_time, `+tc.columns, tc.name)
			var got string
			if err := c.DB.QueryRow(`SELECT actor_kind FROM events WHERE event_id = ?`, tc.name).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
