package remediate

import (
	"testing"
	"time"

	"trailscan/lineage"
)

// A deny in a permission set binds the sessions of its role in the account that it
// is brought to: of one user, or all that are out.
func TestPermissionSetInTheProof(t *testing.T) {
	const set, role = "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Data_Admins_0a1b"
	session := func(name, key, user string) caller {
		return caller{kind: "AssumedRole", arn: "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Data_Admins_0a1b/" + name, account: account, id: "AROASSO:" + name,
			accessKey: key, issuerARN: role, issuerID: "AROASSO", issued: start.Add(minutes(1)), ssoUser: user}
	}
	portal := lineage.Credential{ID: "portal", Kind: lineage.Console, PrincipalARN: "arn:aws:identitystore:::user/user-1", AccountID: account, LiveAtEnd: true}
	theirs := lineage.Credential{ID: "ASIASSO", AccessKeyIDs: []string{"ASIASSO"}, Kind: lineage.RoleSession, PrincipalID: "AROASSO:eve", PrincipalARN: session("eve", "", "").arn,
		AccountID: account, Parent: ptr("portal"), IssuedAt: ptr(start.Add(minutes(1))), LiveAtEnd: true}
	for _, test := range []struct {
		name          string
		statement     object
		account       string
		verdict       string
		others, renew int64
		live          bool
	}{
		{"one user", centerDeny([]string{"user-1"}), account, "blocked denied", 0, 0, false},
		{"another user", centerDeny([]string{"user-2"}), account, "not_blocked condition_not_met", 1, 0, true},
		{"all sessions", centerDeny(nil), account, "blocked denied", 0, 2, false},
		{"another account", centerDeny(nil), "444455556666", "not_blocked not_denied_principal", 0, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := emptyCase(t)
			load(t, c, 1, []logged{
				{id: "m", at: -minutes(60), api: "sso:CreatePermissionSet", by: caller{kind: "IAMUser", account: account}, rq: object{"name": "Data_Admins"},
					rs: object{"permissionSet": object{"permissionSetArn": set}}},
				{id: "o1", at: minutes(4), api: "s3:ListBuckets", by: session("ann", "ASIAANN", "user-2")},
				{id: "o2", at: minutes(4), api: "s3:ListBuckets", by: session("bob", "ASIABOB", "")},
				{id: "e1", at: minutes(5), api: "s3:ListBuckets", by: session("eve", "ASIASSO", ""), credential: "ASIASSO"},
			})
			l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start.Add(minutes(2)), AsOf: start.Add(time.Hour), Credentials: []lineage.Credential{portal, theirs}}
			storeLineage(t, c, l)
			text := asciiJSON(object{"Version": "2012-10-17", "Statement": []any{test.statement}})
			in := object{"InstanceArn": "i", "PermissionSetArn": set}
			put := Action{ID: "put", Phase: Revoke, Mode: Auto, AccountID: "999900001111", Service: "ssoadmin", Operation: "PutInlinePolicyToPermissionSet",
				Parameters: object{"InstanceArn": "i", "PermissionSetArn": set, "InlinePolicy": text}}
			bring := Action{ID: "bring", Phase: Revoke, Mode: Auto, AccountID: "999900001111", Service: "ssoadmin", Operation: "ProvisionPermissionSet",
				Parameters: object{"InstanceArn": in["InstanceArn"], "PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": test.account}}
			proof, err := Prove(t.Context(), c, l, &Plan{Version: PlanVersion, Keys: []string{leaked}, LogThrough: l.AsOf, Actions: []Action{put, bring}}, ProveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := proof.verdicts()["e1"]; got != test.verdict {
				t.Errorf("e1 is %q, want %q", got, test.verdict)
			}
			if proof.Others.Stops != test.others || proof.Others.MustRenew != test.renew {
				t.Errorf("others: %d stop, %d must renew", proof.Others.Stops, proof.Others.MustRenew)
			}
			live := false
			for _, id := range liveAfter(proof, Revoke) {
				live = live || id == "ASIASSO"
			}
			if live != test.live {
				t.Errorf("the session lives: %v", live)
			}
		})
	}
}
