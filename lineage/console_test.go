package lineage

import (
	"strings"
	"testing"
)

// The ids of the console session of a created role belong to its sign-in, not
// to the role as if nothing showed where they are from.
func TestConsoleOfCreatedRole(t *testing.T) {
	provider := "arn:aws:iam::" + account + ":saml-provider/Bk"
	taken := saml("2d 13:00:00", provider, "Bk", "eve", "ASIASAML")
	taken["requestParameters"].(object)["roleArn"] = "arn:aws:iam::" + account + ":role/Bk"
	taken["responseElements"], taken["recipientAccountId"] = roleTaken(account, "Bk", "eve", "ASIASAML"), account
	console := func(at, key string) record {
		return rec(at, "ec2:DescribeVpcs", record{"userIdentity": session(account, "Bk", "eve", key, "2d 13:00:00"), "sessionCredentialFromConsole": "true"})
	}
	l := traced(t,
		rec("2d 12:10:00", "iam:CreateSAMLProvider", record{"requestParameters": object{"name": "Bk"}, "responseElements": object{"sAMLProviderArn": provider}}),
		rec("2d 12:11:00", "iam:CreateRole", record{"requestParameters": object{"roleName": "Bk"},
			"responseElements": object{"role": object{"roleName": "Bk", "roleId": "AROABK", "arn": "arn:aws:iam::" + account + ":role/Bk"}}}),
		taken,
		rec("2d 13:00:00", "signin:ConsoleLogin", record{"userIdentity": session(account, "Bk", "eve", "", "2d 13:00:00"), "responseElements": object{"ConsoleLogin": "Success"}}),
		console("2d 13:01:00", "ASIAC1"), console("2d 13:02:00", "ASIAC2"))
	d := credential(t, l, "ASIAC1")
	if d.Kind != Console || d.Via != "signin:ConsoleLogin" || d.Certainty != Inferred || d.Parent == nil || *d.Parent != "ASIASAML" || len(d.AccessKeyIDs) != 2 {
		t.Errorf("got %+v", d)
	}
}

// A session of AssumeRoot gives the root user of a member account a password,
// by which somebody then signs in.
func TestRootPassword(t *testing.T) {
	root := func(key, created string, more object) object {
		identity := object{"type": "Root", "principalId": member1, "arn": "arn:aws:iam::" + member1 + ":root", "accountId": member1, "accessKeyId": key}
		if created != "" {
			identity["sessionContext"] = object{"attributes": object{"creationDate": clock(created).Format("2006-01-02T15:04:05Z")}}
		}
		for k, v := range more {
			identity["sessionContext"].(object)[k] = v
		}
		return identity
	}
	l := traced(t,
		rec("2d 12:10:00", "sts:AssumeRoot", record{"requestParameters": object{"targetPrincipal": member1},
			"responseElements": object{"credentials": object{"accessKeyId": "ASIAROOT", "sessionToken": "t", "expiration": "Sep 3, 2026, 12:25:00 PM"}}}),
		rec("2d 12:11:00", "iam:CreateLoginProfile", record{"userIdentity": root("ASIAROOT", "2d 12:10:00", object{"assumedRoot": "true"}), "recipientAccountId": member1, "eventID": "password"}),
		rec("2d 12:12:00", "signin:ConsoleLogin", record{"userIdentity": root("", "", nil), "recipientAccountId": member1, "responseElements": object{"ConsoleLogin": "Success"}}),
		rec("2d 12:13:00", "ec2:DescribeVpcs", record{"userIdentity": root("ASIACONSOLE", "2d 12:12:00", nil), "recipientAccountId": member1}))
	if d := credential(t, l, "password"); d.PrincipalARN != "arn:aws:iam::"+member1+":root" {
		t.Errorf("the password is that of %s", d.PrincipalARN)
	}
	if d := credential(t, l, "ASIACONSOLE"); d.Kind != Console || d.Parent == nil || *d.Parent != "password" {
		t.Errorf("got %+v", d)
	}
	for _, p := range l.Principals {
		if strings.HasSuffix(p.ARN, ":user/") || p.How == PasswordSet && p.Kind != "root" {
			t.Errorf("got %+v", p)
		}
	}
}
