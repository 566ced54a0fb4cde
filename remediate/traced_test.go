package remediate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/ingest"
	"trailscan/lineage"
)

// record is a CloudTrail record of the account; more are the fields that differ.
func record(n int, at time.Duration, api string, identity object, rq, rs object) object {
	source, name := splitCall(api)
	r := object{
		"eventVersion": "1.09", "eventID": fmt.Sprintf("00000000-0000-4000-8000-%012d", n), "eventTime": start.Add(at).Format(time.RFC3339),
		"eventSource": source + ".amazonaws.com", "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15.0",
		"userIdentity": identity, "requestParameters": rq, "responseElements": rs, "readOnly": false, "managementEvent": true,
		"eventType": "AwsApiCall", "eventCategory": "Management", "recipientAccountId": account,
	}
	if by, ok := identity["invokedBy"].(string); ok {
		r["sourceIPAddress"], r["userAgent"] = by, by
	}
	return r
}

// TestPlanOfTracedIntrusion traces an intrusion from its records and plans from
// that lineage: what the planner looks for must be what the tracer writes.
func TestPlanOfTracedIntrusion(t *testing.T) {
	alice := object{"type": "IAMUser", "principalId": aliceID, "arn": aliceARN, "accountId": account, "accessKeyId": leaked, "userName": "alice"}
	service := func(name string) object { return object{"type": "AWSService", "invokedBy": name + ".amazonaws.com"} }
	issued := func(id string, at time.Duration) object {
		return object{"credentials": object{"accessKeyId": id, "sessionToken": "x", "expiration": start.Add(at + time.Hour).Format("Jan 2, 2006, 3:04:05 PM")}}
	}
	as := func(role, session, key string, at time.Duration) object {
		return object{"type": "AssumedRole", "principalId": "AROA" + strings.ToUpper(role) + ":" + session, "arn": "arn:aws:sts::111122223333:assumed-role/" + role + "/" + session,
			"accountId": account, "accessKeyId": key, "sessionContext": object{"sessionIssuer": object{"type": "Role", "principalId": "AROA" + strings.ToUpper(role),
				"arn": "arn:aws:iam::111122223333:role/" + role, "accountId": account, "userName": role},
				"attributes": object{"creationDate": start.Add(at).Format(time.RFC3339), "mfaAuthenticated": "false"}}}
	}
	federated := issued("ASIAFEDERATED0000001", 9*time.Minute)
	federated["federatedUser"] = object{"arn": "arn:aws:sts::111122223333:federated-user/f", "federatedUserId": account + ":f"}
	const instance = "i-0123456789abcdef0"
	calls := []object{
		record(1, 0, "sts:GetCallerIdentity", alice, nil, nil),
		record(2, time.Minute, "lambda:UpdateFunctionCode20150331v2", alice, object{"functionName": "resize"}, object{"functionName": "resize", "role": "arn:aws:iam::111122223333:role/fun"}),
		record(3, 2*time.Minute, "sts:AssumeRole", service("lambda"), object{"roleArn": "arn:aws:iam::111122223333:role/fun", "roleSessionName": "resize"}, issued("ASIAFUNCTION00000001", 2*time.Minute)),
		record(4, 3*time.Minute, "s3:ListBuckets", as("fun", "resize", "ASIAFUNCTION00000001", 2*time.Minute), nil, nil),
		record(5, 4*time.Minute, "ssm:SendCommand", alice, object{"instanceIds": []any{instance}, "documentName": "AWS-RunShellScript"}, object{"command": object{"commandId": "c-1"}}),
		record(6, 5*time.Minute, "sts:AssumeRole", service("ec2"), object{"roleArn": "arn:aws:iam::111122223333:role/web", "roleSessionName": instance}, issued("ASIAINSTANCE00000001", 5*time.Minute)),
		record(7, 6*time.Minute, "s3:ListBuckets", as("web", instance, "ASIAINSTANCE00000001", 5*time.Minute), nil, nil),
		record(8, 7*time.Minute, "rolesanywhere:CreateTrustAnchor", alice, object{"name": "a"}, object{"trustAnchor": object{"trustAnchorId": "ta-1", "trustAnchorArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/ta-1"}}),
		record(9, 8*time.Minute, "iam:CreateServiceSpecificCredential", alice, object{"userName": "bob", "serviceName": "bedrock.amazonaws.com"},
			object{"serviceSpecificCredential": object{"serviceSpecificCredentialId": "ACCABOB0000000000001", "userName": "bob", "status": "Active"}}),
		record(10, 9*time.Minute, "sts:GetFederationToken", alice, object{"name": "f"}, federated),
		record(11, 10*time.Minute, "identitystore:CreateUser", alice, object{"identityStoreId": "d-1"}, object{"userId": "user-9", "identityStoreId": "d-1"}),
		record(12, 11*time.Minute, "sts:AssumeRoot", alice, object{"targetPrincipal": "444455556666"}, issued("ASIAROOT000000000001", 11*time.Minute)),
	}
	text, err := json.Marshal(object{"Records": calls})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "records.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := emptyCase(t)
	if _, err := ingest.Load(t.Context(), c, []string{file}, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := lineage.Trace(t.Context(), c, []string{leaked}, lineage.Options{AllUse: true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	signable(t, p)
	var all strings.Builder
	for _, a := range p.Actions {
		fmt.Fprintln(&all, a.Phase, a.Mode, a.Region, a.Service+":"+a.Operation, a.Title)
	}
	for _, want := range []string{
		"contain auto us-east-1 iam:PutUserPolicy Deny everything to the user alice",
		"contain auto us-east-1 iam:PutUserPolicy End all sessions of the user bob",
		"contain auto us-east-1 iam:UpdateServiceSpecificCredential Disable the service-specific credential ACCABOB0000000000001 of bob",
		"lambda:PutFunctionConcurrency Keep the function resize from running",
		"contain review eu-west-1 ec2:DisassociateIamInstanceProfile Take the instance profile off the instance " + instance,
		"contain review eu-west-1 ec2:StopInstances Stop the instance " + instance,
		"contain auto eu-west-1 rolesanywhere:DisableTrustAnchor",
		"revoke auto us-east-1 iam:PutRolePolicy End all sessions of the role fun",
		"revoke auto us-east-1 iam:PutRolePolicy End all sessions of the role web",
		"contain manual us-east-1 : Disable the Identity Center user user-9",
		"contain manual us-east-1 : Root of account 444455556666",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the plan lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log("\n" + all.String())
	}
}
