package lineage

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func credential(t *testing.T, l *Lineage, id string) Credential {
	t.Helper()
	for _, d := range l.Credentials {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("%s is not in the lineage: %v", id, described(l))
	return Credential{}
}

func TestLife(t *testing.T) {
	session := assume("2d 12:01:00", leaked, "One:s", "ASIA1")
	withExpiry := session
	withExpiry.expires = "2d 14:00:00"
	long := session
	long.request = `{"roleArn":"arn:aws:iam::111122223333:role/One","roleSessionName":"s","durationSeconds":43200}`
	token := event{at: "2d 12:01:00", call: "sts:GetSessionToken", from: away, ua: kali, issues: "ASIA1"}
	fed := event{at: "2d 12:01:00", call: "sts:GetFederationToken", from: away, ua: kali, issues: "ASIA1", request: `{"name":"x","durationSeconds":129600}`,
		response: `{"federatedUser":{"federatedUserId":"111122223333:x"}}`}
	key := event{at: "2d 12:01:00", call: "iam:CreateAccessKey", from: away, ua: kali, issues: "AKIA2", request: `{"userName":"bob"}`}
	admin := func(at, call, request string) event {
		return event{at: at, call: call, key: "AKIAADMIN", user: "admin", request: request}
	}
	revoke := admin("2d 12:40:00", "iam:PutRolePolicy", `{"roleName":"One","policyName":"AWSRevokeOlderSessions","policyDocument":"{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"*\"],\"Resource\":[\"*\"],\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-09-03T12:40:00Z\"}}}]}"}`)
	last := event{at: "2d 12:50:00", key: "AKIAADMIN", user: "admin"}
	for _, tc := range []struct {
		name    string
		id      string
		events  []event
		asOf    string
		expires string
		derived bool
		live    bool
		ends    string // part of ended_by
	}{
		{"the leaked key", leaked, nil, "", "", false, true, "Inactive"},
		{"the leaked key, disabled", leaked, []event{admin("2d 12:40:00", "iam:UpdateAccessKey", `{"userName":"alice","accessKeyId":"`+leaked+`","status":"Inactive"}`)}, "", "", false, false, "Inactive"},
		{"disabled and enabled again", leaked, []event{admin("2d 12:40:00", "iam:UpdateAccessKey", `{"accessKeyId":"`+leaked+`","status":"Inactive"}`),
			admin("2d 12:41:00", "iam:UpdateAccessKey", `{"accessKeyId":"`+leaked+`","status":"Active"}`)}, "", "", false, true, "Inactive"},
		{"expiry as the response says", "ASIA1", []event{withExpiry}, "", "2d 14:00:00", false, true, "deny on role One for sessions issued before now"},
		{"expired", "ASIA1", []event{withExpiry}, "2d 14:00:00", "2d 14:00:00", false, false, "deny on role One"},
		{"a role session's default", "ASIA1", []event{session}, "", "2d 13:01:00", true, true, "role One"},
		{"a role session as long as was asked for", "ASIA1", []event{long}, "2d 23:00:00", "3d 00:01:00", true, true, "role One"},
		{"a session token's default", "ASIA1", []event{token}, "", "3d 00:01:00", true, true, "deny on user alice"},
		{"a federation token", "ASIA1", []event{fed}, "", "4d 00:01:00", true, true, "deny on user alice"},
		{"the key's end is not the session's", "ASIA1", []event{token, admin("2d 12:40:00", "iam:DeleteAccessKey", `{"accessKeyId":"`+leaked+`"}`)}, "", "3d 00:01:00", true, true, "does not end it"},
		{"the user's end is the token's", "ASIA1", []event{token, admin("2d 12:40:00", "iam:DeleteUser", `{"userName":"alice"}`)}, "", "3d 00:01:00", true, false, "user alice"},
		{"the role's end is the session's", "ASIA1", []event{session, admin("2d 12:40:00", "iam:DeleteRole", `{"roleName":"One"}`)}, "", "2d 13:01:00", true, false, "role One"},
		{"revoked", "ASIA1", []event{session, revoke}, "", "2d 13:01:00", true, false, "role One"},
		{"revoked, and the policy overwritten", "ASIA1", []event{session, revoke, admin("2d 12:45:00", "iam:PutRolePolicy", `{"roleName":"One","policyName":"AWSRevokeOlderSessions","policyDocument":"{\"Statement\":[]}"}`)},
			"", "2d 13:01:00", true, true, "role One"},
		{"revoked before it was issued", "ASIA1", []event{session, admin("2d 11:40:00", "iam:PutRolePolicy", `{"roleName":"One","policyName":"AWSRevokeOlderSessions","policyDocument":"{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"*\"],\"Resource\":[\"*\"],\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-09-03T11:40:00Z\"}}}]}"}`)},
			"", "2d 13:01:00", true, true, "role One"},
		{"a created key", "AKIA2", []event{key}, "", "", false, true, "Inactive"},
		{"a created key whose user was deleted", "AKIA2", []event{key, admin("2d 12:40:00", "iam:DeleteUser", `{"userName":"bob"}`)}, "", "", false, false, "Inactive"},
		{"as of before its issue", "AKIA2", []event{key}, "2d 12:00:30", "", false, false, "Inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, usual(append(tc.events, last)...)...)
			o := Options{}
			if tc.asOf != "" {
				o.AsOf = *clock(tc.asOf)
			}
			l, err := Trace(t.Context(), c, []string{leaked}, o)
			if err != nil {
				t.Fatal(err)
			}
			d := credential(t, l, tc.id)
			if !timeOf(d.ExpiresAt).Equal(timeOf(clock(tc.expires))) || d.ExpiresDerived != tc.derived || d.LiveAtEnd != tc.live || !contains(d.EndedBy, tc.ends) {
				t.Errorf("expires %v (derived %t), live %t, ended by %q", d.ExpiresAt, d.ExpiresDerived, d.LiveAtEnd, d.EndedBy)
			}
			if d.SurvivesKeyDisable != (tc.id != leaked) {
				t.Errorf("survives the key: %t", d.SurvivesKeyDisable)
			}
		})
	}
}

func TestUses(t *testing.T) {
	c := newCase(t)
	write(t, c, usual(
		event{at: "2d 12:30:00", from: "203.0.113.7"}, event{at: "2d 12:31:00", from: "192.0.2.99", ua: browser},
		event{at: "2d 12:32:00", from: "192.0.2.99"}, event{at: "2d 12:33:00", from: "192.0.2.50"}, event{at: "2d 12:34:00", ua: browser},
		event{at: "2d 12:40:00", from: "198.51.100.24", ua: cli},
		event{at: "1d 10:00:00", key: "ASIA5", role: "Web:i-0aaaaaaaaaaaaaaaa", created: "1d 08:00:00"},
		event{at: "2d 12:10:00", call: "ssm:SendCommand", from: away, ua: kali, request: `{"instanceIds":["i-0aaaaaaaaaaaaaaaa"]}`},
		event{at: "2d 12:11:00", key: "ASIA5", role: "Web:i-0aaaaaaaaaaaaaaaa", created: "1d 08:00:00"})...)
	l, err := Trace(t.Context(), c, []string{leaked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := credential(t, l, "ASIA5"); d.EventCount != 1 || !timeOf(d.FirstUsed).Equal(*clock("2d 12:11:00")) {
		t.Errorf("the instance's session counts %d events from %v: what was before the change is not the intruder's", d.EventCount, d.FirstUsed)
	}
	d := credential(t, l, leaked)
	type cluster struct {
		actor Actor
		ips   string
		count int64
	}
	var got []cluster
	for _, u := range d.Uses {
		got = append(got, cluster{u.Actor, strings.Join(u.SourceIPs, " "), u.Count})
		if u.Why == "" {
			t.Errorf("%v has no reason", u)
		}
	}
	want := []cluster{{Intruder, away + " 198.51.100.24", 3}, {Unclear, "203.0.113.7", 1}, {Unclear, "192.0.2.99", 2}, {Owner, home + " 192.0.2.50", 2}}
	if !slices.Equal(got, want) || d.EventCount != 8 {
		t.Errorf("got %v of %d events, want %v", got, d.EventCount, want)
	}
}

func TestKeys(t *testing.T) {
	const bobs = "AKIA2"
	c := newCase(t)
	if _, err := Load(t.Context(), c); !errors.Is(err, ErrNotTraced) {
		t.Errorf("an untraced case gives %v", err)
	}
	write(t, c, usual(
		event{at: "2d 12:01:00", call: "iam:CreateAccessKey", from: away, ua: kali, issues: bobs, request: `{"userName":"bob"}`},
		event{at: "2d 13:00:00", key: bobs, user: "bob", from: "203.0.113.5"},
		event{at: "1d 13:00:00", key: "ASIAX", role: "One:s", created: "1d 12:59:00"},
		event{at: "2d 14:00:00", key: "ASIAY", role: "One:t", created: "2d 12:59:00", from: away, ua: kali, call: "sts:AssumeRole", issues: "ASIAZ",
			request: `{"roleArn":"arn:aws:iam::111122223333:role/Two","roleSessionName":"s"}`})...)

	_, err := Trace(t.Context(), c, []string{leaked, "AKIANOWHERE"}, Options{})
	if !errors.Is(err, ErrUnknownKey) || !contains(err.Error(), "AKIANOWHERE") {
		t.Errorf("an unknown key gives %v", err)
	}
	if _, err = Trace(t.Context(), c, []string{"arn:aws:iam::111122223333:user/nobody"}, Options{}); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("an unknown ARN gives %v", err)
	}
	if _, err = Trace(t.Context(), c, nil, Options{}); err == nil {
		t.Error("no key gives no error")
	}

	both, err := Trace(t.Context(), c, []string{bobs, leaked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := credential(t, both, bobs); d.Parent == nil || *d.Parent != leaked || d.EventCount != 1 {
		t.Errorf("a key that the other's misuse made is %+v", d)
	}
	if !slices.Equal(both.Keys, []string{bobs, leaked}) || !both.CompromisedSince.Equal(*clock("2d 12:00:00")) {
		t.Errorf("keys %v since %s", both.Keys, both.CompromisedSince)
	}

	role, err := Trace(t.Context(), c, []string{"arn:aws:iam::111122223333:role/One"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ASIAY role_session < root confirmed", "ASIAZ role_session < ASIAY confirmed", "role/Two assumed"}
	if got := described(role); !slices.Equal(got, want) {
		t.Errorf("from a role: got %v, want %v (since %s, %s)", got, want, role.CompromisedSince, role.CompromisedSinceWhy)
	}

	given, err := Trace(t.Context(), c, []string{leaked}, Options{CompromisedSince: clock("2d 12:30:00").In(time.FixedZone("", 3600))})
	if err != nil {
		t.Fatal(err)
	}
	if got := described(given); len(got) != 0 || given.CompromisedSinceWhy != "given" {
		t.Errorf("with a given time: %v, %s", got, given.CompromisedSinceWhy)
	}
	stored, err := Load(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(stored, given) {
		t.Errorf("stored %+v\ntraced %+v", stored, given)
	}
}

// No temporary credential lives for ever, though the log shows no more of it
// than its use.
func TestLifeOfSessionsThatWereNotSeenIssued(t *testing.T) {
	const imds, old = "ASIAIMDS", "i-0aaaaaaaaaaaaaaaa"
	c := newCase(t)
	write(t, c,
		event{at: "2d 12:00:00", key: imds, role: "Web:" + old, created: "2d 11:00:00", from: away, ua: kali},
		event{at: "2d 12:01:00", key: imds, role: "Web:" + old, created: "2d 11:00:00", from: away, ua: kali, by: "cloudformation.amazonaws.com"},
		event{at: "2d 12:02:00", key: "ASIAUSER", user: "bob", created: "2d 11:30:00", from: away, ua: kali})
	for _, tc := range []struct {
		key, asOf, expires string
		live               bool
	}{
		{imds, "2d 12:50:00", "2d 23:00:00", true},
		{imds, "2d 23:00:00", "2d 23:00:00", false},
		{"arn:aws:iam::111122223333:role/Web", "2d 12:50:00", "2d 23:00:00", true},
		{"ASIAUSER", "2d 12:50:00", "3d 23:30:00", true},
		{"ASIAUSER", "4d 12:00:00", "3d 23:30:00", false},
	} {
		l, err := Trace(t.Context(), c, []string{tc.key}, Options{AsOf: *clock(tc.asOf)})
		if err != nil {
			t.Fatal(err)
		}
		id := tc.key
		if id[0] == 'a' {
			id = imds
		}
		d := credential(t, l, id)
		if d.LiveAtEnd != tc.live || !d.ExpiresDerived || !timeOf(d.ExpiresAt).Equal(*clock(tc.expires)) || d.ValidForSeconds == nil || (*d.ValidForSeconds > 0) != tc.live {
			t.Errorf("%s at %s: alive %t, expires %v (derived %t), for %v s", tc.key, tc.asOf, d.LiveAtEnd, d.ExpiresAt, d.ExpiresDerived, d.ValidForSeconds)
		}
	}
}

// Cognito's answer names no role: whose session it was shows in its use, and a
// deny on whoever made the pool does not end it.
func TestCognitoSessions(t *testing.T) {
	const pool = "us-east-1:aaaaaaaa-1111-2222-3333-444444444444"
	get := func(at, key string) record {
		return rec(at, "cognito-identity:GetCredentialsForIdentity", record{"userIdentity": object{"type": "Unknown"},
			"requestParameters": object{"identityId": "us-east-1:b"},
			"responseElements":  object{"credentials": object{"accessKeyId": key, "sessionToken": "t", "expiration": 1788440580.0}, "identityId": "us-east-1:b"},
			"resources":         []any{object{"accountId": account, "type": "AWS::Cognito::IdentityPool", "ARN": "arn:aws:cognito-identity:us-east-1:" + account + ":identitypool/" + pool}}})
	}
	l := traced(t, rec("2d 12:01:00", "cognito-identity:CreateIdentityPool", record{"requestParameters": object{"identityPoolName": "p"}, "responseElements": object{"identityPoolId": pool}}),
		get("2d 12:03:00", "ASIACOG1"), get("2d 12:04:00", "ASIACOG2"),
		rec("2d 12:05:00", "s3:ListBuckets", record{"userIdentity": session(account, "Pool", "CognitoIdentityCredentials", "ASIACOG1", "2d 12:03:00")}))
	for id, deny := range map[string]string{"ASIACOG1": "then deny on role Pool for sessions", "ASIACOG2": "then deny on its role for sessions"} {
		d := credential(t, l, id)
		if !contains(d.EndedBy, "take the role from the identity pool") || !contains(d.EndedBy, deny) || !d.SurvivesUserDelete {
			t.Errorf("%s survives the user %t, ended by %q", id, d.SurvivesUserDelete, d.EndedBy)
		}
	}
	if d := credential(t, l, "ASIACOG1"); d.PrincipalARN != "arn:aws:sts::111122223333:assumed-role/Pool/CognitoIdentityCredentials" || d.SessionName != "CognitoIdentityCredentials" ||
		d.ExpiresDerived || !timeOf(d.ExpiresAt).Equal(*clock("2d 13:03:00")) {
		t.Errorf("it acts as %s, session %s, until %v", d.PrincipalARN, d.SessionName, d.ExpiresAt)
	}
	if !slices.Contains(described(l), "role/Pool assumed") {
		t.Errorf("the role is not listed: %v", described(l))
	}
}

// A principal that nothing was done as yet has credentials all the same.
func TestPrincipalOfUnusedCredentials(t *testing.T) {
	c := newCase(t)
	write(t, c, usual(
		event{at: "2d 12:01:00", key: "AKIABOSS", user: "boss", call: "iam:CreateAccessKey", issues: "AKIAQUIET", request: `{"userName":"quiet"}`},
		event{at: "2d 12:02:00", key: "AKIABOSS", user: "boss", call: "sts:AssumeRole", issues: "ASIAQUIET", expires: "3d 00:00:00",
			request: `{"roleArn":"` + roleARN("Quiet") + `","roleSessionName":"s"}`})...)
	if _, err := c.DB.Exec(`UPDATE records SET issued_principal_arn = 'arn:aws:iam::111122223333:user/quiet' WHERE issued_access_key_id = 'AKIAQUIET'`); err != nil {
		t.Fatal(err)
	}
	for key, id := range map[string]string{"arn:aws:iam::111122223333:user/quiet": "AKIAQUIET", roleARN("Quiet"): "ASIAQUIET"} {
		l, err := Trace(t.Context(), c, []string{key}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d := credential(t, l, id); !d.LiveAtEnd || d.EventCount != 0 || len(l.Credentials) != 1 {
			t.Errorf("%s has %v, alive %t", key, described(l), d.LiveAtEnd)
		}
	}
}
