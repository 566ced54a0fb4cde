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

// A password that an administrator sets anew is no longer the intruder's.
func TestPasswordTakenBack(t *testing.T) {
	set := func(at string, by object) record {
		return rec(at, "iam:UpdateLoginProfile", record{"userIdentity": by, "requestParameters": object{"userName": "bob"}})
	}
	login := func(at string) record {
		return rec(at, "signin:ConsoleLogin", record{"userIdentity": user("bob", ""), "sourceIPAddress": "203.0.113.50", "userAgent": browser,
			"eventID": "login " + at, "responseElements": object{"ConsoleLogin": "Success"}})
	}
	l := traced(t, set("2d 12:10:00", user("alice", leaked)), login("2d 12:20:00"), set("2d 13:00:00", user("admin", "AKIAADMIN")), login("2d 13:10:00"))
	var logins []string
	for _, d := range l.Credentials {
		if d.Kind == Console {
			logins = append(logins, d.ID)
		}
	}
	if len(logins) != 1 || logins[0] != "login 2d 12:20:00" {
		t.Errorf("signed in with the intruder's password: %v", logins)
	}
}

// Identity Center uses a session with another id than AssumeRoleWithSAML shows:
// asked for by that one, the use is judged all the same.
func TestTraceOfAnIdentityCenterSession(t *testing.T) {
	use := func(at, from, agent, call, issues string) event {
		e := event{at: at, id: at, key: "ASIAUSE", role: "AWSReservedSSO_Admin_0123456789abcdef:ann", created: "2d 08:00:00", from: from, ua: agent, call: call, issues: issues}
		if issues != "" {
			e.request = `{"roleArn":"arn:aws:iam::111122223333:role/Prod","roleSessionName":"s"}`
		}
		return e
	}
	taken := use("2d 08:00:00", "203.0.113.9", "aws-internal/3", "sts:AssumeRoleWithSAML", "ASIAISSUE")
	taken.key, taken.role, taken.created, taken.identity = "-", "", "", "SAMLUser"
	taken.response = `{"assumedRoleUser":{"assumedRoleId":"AROAAWSRESERVEDSSO_ADMIN_0123456789ABCDEF:ann"}}`
	events := []event{taken}
	for range 25 {
		events = append(events, use("2d 08:30:00", home, cli, "", ""))
	}
	events = append(events, use("2d 09:00:00", away, kali, "sts:AssumeRole", "ASIATHEIRS"), use("2d 09:10:00", home, cli, "sts:AssumeRole", "ASIAOWNERS"))
	for i := range events {
		events[i].id = "event-" + strings.Repeat("i", i)
	}
	c := newCase(t)
	write(t, c, events...)
	for _, key := range []string{"ASIAISSUE", "ASIAUSE", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann"} {
		l, err := Trace(t.Context(), c, []string{key}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, d := range l.Credentials {
			ids = append(ids, d.ID)
		}
		if len(ids) != 2 || ids[1] != "ASIATHEIRS" || !l.CompromisedSince.Equal(*clock("2d 09:00:00")) {
			t.Errorf("%s: since %s, got %v", key, l.CompromisedSince, ids)
		}
	}
}

// Of a user who signed in and did nothing that the logs show, no key is known.
func TestTraceOfAUserWithoutKeys(t *testing.T) {
	c := newCase(t)
	write(t, c, event{at: "2d 12:00:00", call: "signin:ConsoleLogin", key: "-", user: "bob", response: `{"ConsoleLogin":"Success"}`})
	l, err := Trace(t.Context(), c, []string{"arn:aws:iam::" + account + ":user/bob"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(l.CompromisedSinceWhy, "none of its events bears an access key id") || !l.CompromisedSince.Equal(*clock("2d 12:00:00")) {
		t.Errorf("since %s: %s", l.CompromisedSince, l.CompromisedSinceWhy)
	}
}
