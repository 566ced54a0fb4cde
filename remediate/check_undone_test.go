package remediate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Of each kind of action that a plan has, what takes it off again is told.
func TestCheckOfEachKind(t *testing.T) {
	admin := caller{kind: "IAMUser", arn: "arn:aws:iam::111122223333:user/admin", account: account, id: "AIDAADMIN", accessKey: "AKIAADMIN"}
	const open = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	const set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
	userDeny := asciiJSON(object{"Version": "2012-10-17", "Statement": []any{centerDeny([]string{"user-1"})}})
	scp := scpTexts([]string{aliceARN}, false)[0]
	older := scpTexts([]string{"arn:aws:iam::111122223333:role/Deploy"}, true)[0]
	do := func(id, call string, in object, back ...Call) Action {
		service, operation := splitCall(call)
		return Action{ID: id, Phase: Contain, Mode: Auto, AccountID: account, Service: service, Operation: operation, Parameters: in, Title: id, Rollback: back}
	}
	p := &Plan{Version: PlanVersion, Keys: []string{leaked}, LogThrough: start.Add(minutes(30)), Digest: "d", Actions: []Action{
		do("inline", "iam:PutUserPolicy", object{"UserName": "alice", "PolicyName": "t", "PolicyDocument": denyAll}),
		do("managed", "iam:AttachRolePolicy", object{"RoleName": "r1", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}),
		do("made", "iam:CreatePolicy", object{"PolicyName": "q", "PolicyDocument": denyAll}),
		do("own", "iam:AttachUserPolicy", object{"UserName": "u2", "PolicyArn": "arn:aws:iam::111122223333:policy/q"}),
		do("group", "iam:AttachGroupPolicy", object{"GroupName": "g", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}),
		do("member", "iam:AddUserToGroup", object{"GroupName": "g", "UserName": "u3"}),
		do("boundary", "iam:PutUserPermissionsBoundary", object{"UserName": "u4", "PermissionsBoundary": "arn:aws:iam::aws:policy/AWSDenyAll"}),
		do("trust", "iam:UpdateAssumeRolePolicy", object{"RoleName": "r2", "PolicyDocument": trustNobody}),
		do("key", "iam:UpdateAccessKey", object{"UserName": "alice", "AccessKeyId": leaked, "Status": "Inactive"}),
		do("set", "ssoadmin:PutInlinePolicyToPermissionSet", object{"InstanceArn": "arn:aws:sso:::instance/i", "PermissionSetArn": set, "InlinePolicy": userDeny}),
		do("provision", "ssoadmin:ProvisionPermissionSet", object{"InstanceArn": "arn:aws:sso:::instance/i", "PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": account}),
		do("bucket", "s3:PutBucketPolicy", object{"Bucket": "b", "Policy": `{"Version":"2012-10-17","Statement":[]}`}),
		do("kms", "kms:PutKeyPolicy", object{"KeyId": "k-1", "PolicyName": "default", "Policy": denyAll}, Call{"kms", "PutKeyPolicy", object{"KeyId": "k-1", "PolicyName": "default", "Policy": open}}),
		do("pool", "cognitoidentityprovider:AdminDisableUser", object{"UserPoolId": "pool", "Username": "eve"},
			Call{"cognitoidentityprovider", "AdminEnableUser", object{"UserPoolId": "pool", "Username": "eve"}}),
		do("trail", "cloudtrail:StartLogging", object{"Name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"}, Call{"cloudtrail", "StopLogging", object{"Name": "main"}}),
		{ID: "scp", Phase: Contain, Mode: Manual, AccountID: account, Title: "attach a service control policy", Reason: "on the account: " + scp},
		{ID: "scp-older", Phase: Contain, Mode: Manual, AccountID: account, Title: "attach a service control policy", Reason: "on the account: " + older + " with"},
	}}
	made := func(id, text string) logged {
		return logged{id: "made", at: minutes(contained - 5), api: "organizations:CreatePolicy", by: admin, rq: object{"content": text, "name": "x", "type": "SERVICE_CONTROL_POLICY"},
			rs: object{"policy": object{"policySummary": object{"id": id}}}}
	}
	now := strings.ReplaceAll(older, stopTime, "2026-11-02T10:00:00Z")
	for _, test := range []struct {
		name   string
		api    string
		rq     object
		want   string // actions
		before []logged
	}{
		{"another user's policy", "iam:DeleteUserPolicy", object{"userName": "bob", "policyName": "t"}, "", nil},
		{"inline", "iam:DeleteUserPolicy", object{"userName": "alice", "policyName": "t"}, "inline", nil},
		{"managed", "iam:DetachRolePolicy", object{"roleName": "r1", "policyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}, "managed", nil},
		{"of our own", "iam:DetachUserPolicy", object{"userName": "u2", "policyArn": "arn:aws:iam::111122223333:policy/q"}, "own", nil},
		{"of our own, another version", "iam:CreatePolicyVersion", object{"policyArn": "arn:aws:iam::111122223333:policy/q", "policyDocument": open, "setAsDefault": true}, "own", nil},
		{"of our own, deleted", "iam:DeletePolicy", object{"policyArn": "arn:aws:iam::111122223333:policy/q"}, "own", nil},
		{"of the group", "iam:DetachGroupPolicy", object{"groupName": "g", "policyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}, "member", nil},
		{"out of the group", "iam:RemoveUserFromGroup", object{"groupName": "g", "userName": "u3"}, "member", nil},
		{"boundary", "iam:DeleteUserPermissionsBoundary", object{"userName": "u4"}, "boundary", nil},
		{"trust", "iam:UpdateAssumeRolePolicy", object{"roleName": "r2", "policyDocument": open}, "trust", nil},
		{"key", "iam:UpdateAccessKey", object{"userName": "alice", "accessKeyId": leaked, "status": "Active"}, "key", nil},
		{"set's policy deleted", "sso:DeleteInlinePolicyFromPermissionSet", object{"permissionSetArn": set}, "provision", nil},
		{"set's policy replaced", "sso:PutInlinePolicyToPermissionSet", object{"permissionSetArn": set, "inlinePolicy": open}, "provision", nil},
		{"set's policy with more", "sso:PutInlinePolicyToPermissionSet", object{"permissionSetArn": set, "inlinePolicy": strings.Replace(userDeny, `"Statement":[`, `"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},`, 1)}, "", nil},
		{"set of another", "sso:DeleteInlinePolicyFromPermissionSet", object{"permissionSetArn": set + "2"}, "", nil},
		{"bucket", "s3:DeleteBucketPolicy", object{"bucketName": "b"}, "bucket", nil},
		{"key policy put back", "kms:PutKeyPolicy", object{"keyId": "arn:aws:kms:us-east-1:111122223333:key/k-1", "policyName": "default", "policy": open}, "kms", nil},
		{"key policy, a third", "kms:PutKeyPolicy", object{"keyId": "k-1", "policyName": "default", "policy": `{"Statement":[]}`}, "kms", nil},
		{"key policy, the same", "kms:PutKeyPolicy", object{"keyId": "k-1", "policyName": "default", "policy": denyAll}, "", nil},
		{"user of a pool", "cognito-idp:AdminEnableUser", object{"userPoolId": "pool", "username": "eve"}, "pool", nil},
		{"another user of a pool", "cognito-idp:AdminEnableUser", object{"userPoolId": "pool", "username": "adam"}, "", nil},
		{"trail", "cloudtrail:StopLogging", object{"name": "main"}, "trail", nil},
		{"service control policy", "organizations:DetachPolicy", object{"policyId": "p-1", "targetId": account}, "scp", []logged{made("p-1", scp)}},
		{"service control policy by time", "organizations:DeletePolicy", object{"policyId": "p-1"}, "scp-older", []logged{made("p-1", now)}},
		{"service control policy emptied", "organizations:UpdatePolicy", object{"policyId": "p-1", "content": open}, "scp", []logged{made("p-1", scp)}},
		{"service control policy with more", "organizations:UpdatePolicy", object{"policyId": "p-1", "content": strings.Replace(scp, `"Statement":[`, `"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},`, 1)}, "", []logged{made("p-1", scp)}},
		{"service control policy renamed", "organizations:UpdatePolicy", object{"policyId": "p-1", "name": "y"}, "", []logged{made("p-1", scp)}},
		{"service control policy of someone", "organizations:DetachPolicy", object{"policyId": "p-2", "targetId": account}, "", []logged{made("p-2", open)}},
		{"no service control policies", "organizations:DisablePolicyType", object{"policyType": "SERVICE_CONTROL_POLICY", "rootId": "r-1"}, "scp", []logged{made("p-1", scp)}},
		{"out of the organisation", "organizations:LeaveOrganization", nil, "scp", []logged{made("p-1", scp)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := leak(t)
			load(t, c, 200, append(test.before, logged{id: "x", at: minutes(contained + 10), api: test.api, by: admin, rq: test.rq}))
			for _, journal := range []bool{true, false} {
				var got []string
				var found *Aftermath
				var err error
				if journal {
					found, err = CheckAfter(t.Context(), c, p, journalOf(t, p))
				} else {
					found, err = CheckAfter(t.Context(), c, p, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range found.Weakened {
					got = append(got, w.Action)
				}
				if want := strings.Fields(test.want); !slices.Equal(got, want) || found.Clean != (len(want) == 0) {
					t.Errorf("journal %v: weakened %v, want %v: %s", journal, got, want, fmt.Sprint(found.Weakened))
				}
			}
		})
	}
}
