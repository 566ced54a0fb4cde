package lineage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
)

const (
	leaked  = "AKIAIOSFODNN7EXAMPLE"
	home    = "192.0.2.10"
	away    = "198.51.100.23"
	cli     = "aws-cli/2.27.31 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/command#s3.ls"
	kali    = "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 exe/x86_64.kali.2024 prompt/off command/sts.get-caller-identity"
	account = "111122223333"
	browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
)

// event is a CloudTrail record as short as a test needs it; what it leaves out
// is filled in by record.
type event struct {
	at       string // "3d 12:00:00" after the first of September
	id       string
	call     string // "sts:AssumeRole"; empty is ec2:DescribeInstances
	key      string // "" is the leaked key, "-" none
	user     string // name of an IAM user; "" is alice for the leaked key
	role     string // "Role:session": acts as that role's session
	created  string // of the session
	from, ua string // home and cli where empty
	by       string // invokedBy
	fails    bool
	request  string
	response string
	issues   string
	expires  string
	extra    string // additionalEventData
	account  string
	shared   string
	identity string // identityType
	console  bool
	region   string // us-east-1 where empty
	endpoint string // vpcEndpointId
	turn     int    // of users of one name, which; 0 where the name was used once
}

func clock(text string) *time.Time {
	if text == "" {
		return nil
	}
	days, rest, _ := strings.Cut(text, "d ")
	t, err := time.Parse("15:04:05", rest)
	if err != nil {
		panic(err)
	}
	var d int
	fmt.Sscan(days, &d)
	at := time.Date(2026, 9, 1+d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return &at
}

// stamp is a moment as text: the driver cannot bind a time where it once bound
// a NULL.
func stamp(text string) any {
	if text == "" {
		return nil
	}
	return clock(text).Format(time.DateTime)
}

func or(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

func userID(name string) string { return "AIDA" + strings.ToUpper(name) }

// write puts events into a case.
func write(t testing.TB, c *query.Case, events ...event) {
	t.Helper()
	tx, err := c.DB.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	casetest.Stage(t, tx)
	stmt, err := tx.Prepare(`INSERT INTO staged BY NAME SELECT ? AS event_id, ?::TIMESTAMP AS event_time, ? AS event_source, ? AS event_name,
		? AS aws_region, ? AS vpc_endpoint_id, ? AS source_ip_address, ? AS user_agent, ? AS error_code, ? AS recipient_account_id, ? AS identity_type,
		? AS principal_id, ? AS identity_arn, ? AS identity_account_id, ? AS access_key_id, ? AS user_name, ? AS invoked_by,
		?::TIMESTAMP AS session_created, ? AS session_issuer_arn, ? AS session_issuer_principal_id, ? AS issued_access_key_id, ?::TIMESTAMP AS issued_expiration,
		? AS request_parameters, ? AS response_elements, ? AS additional_event_data, ? AS shared_event_id,
		? AS session_credential_from_console, 1 AS source_id, ? AS record_index`)
	if err != nil {
		t.Fatal(err)
	}
	var before int
	if err := tx.QueryRow(`SELECT count(*) FROM records`).Scan(&before); err != nil {
		t.Fatal(err)
	}
	null := func(s string) any {
		if s == "" || s == "-" {
			return nil
		}
		return s
	}
	for i, e := range events {
		service, name, _ := strings.Cut(or(e.call, "ec2:DescribeInstances"), ":")
		acct := or(e.account, account)
		user := or(e.user, "alice")
		kind, principal, arn, issuer, issuerID := "IAMUser", userID(user), "arn:aws:iam::"+acct+":user/"+user, "", ""
		if e.turn > 0 {
			principal += fmt.Sprint(e.turn)
		}
		if e.role != "" {
			role, session, _ := strings.Cut(e.role, ":")
			kind, principal, arn = "AssumedRole", "AROA"+strings.ToUpper(role)+":"+session, "arn:aws:sts::"+acct+":assumed-role/"+role+"/"+session
			issuer, issuerID, user = "arn:aws:iam::"+acct+":role/"+role, "AROA"+strings.ToUpper(role), ""
		}
		identityAccount := acct
		switch e.identity {
		case "AWSAccount":
			kind, principal, arn, identityAccount, user = e.identity, "AIDAOUTSIDE", "", e.user, ""
		case "AWSService":
			kind, principal, arn, identityAccount, user = e.identity, "", "", "", ""
		}
		var errorCode any
		if e.fails {
			errorCode = "AccessDenied"
		}
		id := or(e.id, fmt.Sprintf("event-%06d", before+i))
		_, err := stmt.Exec(id, *clock(e.at), service+".amazonaws.com", name, or(e.region, "us-east-1"), null(e.endpoint), or(e.from, home), or(e.ua, cli), errorCode, acct, kind,
			null(principal), null(arn), null(identityAccount), null(or(e.key, leaked)), null(user), null(e.by), stamp(e.created), null(issuer), null(issuerID),
			null(e.issues), stamp(e.expires), null(e.request), null(e.response), null(e.extra), null(e.shared), e.console, before+i)
		if err != nil {
			t.Fatal(err)
		}
	}
	casetest.Store(t, tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// assume is an AssumeRole by a key.
func assume(at, key, role, issues string) event {
	name, session, _ := strings.Cut(role, ":")
	return event{at: at, call: "sts:AssumeRole", key: key, issues: issues, from: away, ua: kali,
		request:  `{"roleArn":"arn:aws:iam::` + account + `:role/` + name + `","roleSessionName":"` + session + `"}`,
		response: `{"assumedRoleUser":{"assumedRoleId":"AROA` + strings.ToUpper(name) + `:` + session + `"}}`}
}

// usual is two days of everyday use of the leaked key, and its misuse from
// then on.
func usual(events ...event) []event {
	return append([]event{
		{at: "0d 09:00:00"}, {at: "1d 09:00:00"}, {at: "2d 08:00:00"},
		{at: "2d 12:00:00", call: "sts:GetCallerIdentity", from: away, ua: kali},
	}, events...)
}

// described is the lineage without the leaked key itself: a word a line.
func described(l *Lineage) []string {
	var lines []string
	for _, d := range l.Credentials {
		parent := "root"
		if d.Parent != nil {
			parent = *d.Parent
		}
		if d.ID != leaked {
			lines = append(lines, fmt.Sprintf("%s %s < %s %s", d.ID, d.Kind, parent, d.Certainty))
		}
	}
	for _, p := range l.Principals {
		lines = append(lines, p.ARN[strings.LastIndex(p.ARN, ":")+1:]+" "+string(p.How))
	}
	slices.Sort(lines)
	return lines
}

// A key that is one of the many ids of a console session stands for the session.
func TestTraceOfAConsoleKey(t *testing.T) {
	c := newCase(t)
	write(t, c,
		event{at: "2d 12:00:00", id: "login", call: "signin:ConsoleLogin", key: "-", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
		event{at: "2d 12:01:00", key: "ASIA1", user: "alice", created: "2d 12:00:00", from: away, ua: browser},
		event{at: "2d 12:02:00", key: "ASIA2", user: "alice", created: "2d 12:00:00", from: away, ua: browser},
		event{at: "2d 12:03:00", call: "iam:CreateAccessKey", key: "ASIA1", user: "alice", created: "2d 12:00:00", from: away, ua: browser, issues: "AKIA2", request: `{"userName":"bob"}`},
		event{at: "2d 12:04:00", key: "ASIAFWD", user: "alice", created: "2d 12:00:00", by: "s3.amazonaws.com"},
		event{at: "2d 12:05:00", key: "ASIAOTHER", user: "alice", created: "2d 11:00:00"})
	l, err := Trace(t.Context(), c, []string{"ASIA2"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"AKIA2 long_term < ASIA2 confirmed", "ASIA2 console < root confirmed", "ASIAFWD service_forwarded < ASIA2 inferred", "user/bob credential_added"}
	if got := described(l); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := credential(t, l, "ASIA2"); !slices.Equal(d.AccessKeyIDs, []string{"ASIA1", "ASIA2"}) || d.EventCount != 3 || d.IssuedEventID != "login" {
		t.Errorf("the session of sign-in %q has the ids %v and %d events", d.IssuedEventID, d.AccessKeyIDs, d.EventCount)
	}
}

// Two keys that seem to have issued each other, as forged or broken logs have
// it, are no reason to fail.
func TestTraceOfKeysInACircle(t *testing.T) {
	c := newCase(t)
	write(t, c, usual(assume("2d 12:01:00", leaked, "One:s", "ASIA1"), assume("2d 12:02:00", "ASIA1", "Two:s", leaked))...)
	l, err := Trace(t.Context(), c, []string{leaked, "ASIA1"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Credentials) != 2 || l.CompromisedSince.IsZero() {
		t.Errorf("got %v since %s", described(l), l.CompromisedSince)
	}
}

func TestTrace(t *testing.T) {
	mallory := event{at: "2d 12:10:00", call: "iam:CreateUser", from: away, ua: kali, request: `{"userName":"mallory"}`,
		response: `{"user":{"userId":"AIDAMALLORY","arn":"arn:aws:iam::111122223333:user/mallory","userName":"mallory"}}`}
	outsider := func(at, acct, issues string) event {
		e := assume(at, "-", "Backup:x", issues)
		e.identity, e.user = "AWSAccount", acct
		return e
	}
	openTrust := event{at: "2d 13:00:00", call: "iam:UpdateAssumeRolePolicy", from: away, ua: kali,
		request: `{"roleName":"Backup","policyDocument":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"AWS\":[\"arn:aws:iam::777788889999:root\",\"666677778888\",\"arn:aws:iam::888899990000:user/x\"]}}}"}`}
	for _, tc := range []struct {
		name   string
		events []event
		all    bool
		want   []string
	}{
		{name: "nothing descends from a key that only looked around", events: usual()},
		{name: "sessions to any depth", events: usual(
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"), assume("2d 12:02:00", "ASIA1", "Two:s", "ASIA2"), assume("2d 12:03:00", "ASIA2", "Three:s", "ASIA3")),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "ASIA2 role_session < ASIA1 confirmed", "ASIA3 role_session < ASIA2 confirmed",
				"role/One assumed", "role/Three assumed", "role/Two assumed"}},
		{name: "roles that assume each other end", events: usual(
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"), assume("2d 12:02:00", "ASIA1", "Two:s", "ASIA2"), assume("2d 12:03:00", "ASIA2", "One:s", "ASIA1")),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "ASIA2 role_session < ASIA1 confirmed", "role/One assumed", "role/Two assumed"}},
		{name: "a failed call issues nothing", events: usual(
			event{at: "2d 12:01:00", call: "sts:AssumeRole", from: away, ua: kali, fails: true, issues: "ASIA1", request: `{"roleArn":"arn:aws:iam::111122223333:role/One"}`})},
		{name: "what the owner's network issues is the owner's", events: usual(
			event{at: "2d 12:05:00", call: "sts:AssumeRole", issues: "ASIA1", request: `{"roleArn":"arn:aws:iam::111122223333:role/One"}`},
			event{at: "2d 12:05:30", call: "sts:AssumeRole", issues: "ASIA2", ua: browser, request: `{"roleArn":"arn:aws:iam::111122223333:role/One"}`})},
		{name: "with all use the owner's counts too", all: true, events: usual(
			event{at: "2d 12:05:00", call: "sts:AssumeRole", issues: "ASIA1", request: `{"roleArn":"arn:aws:iam::111122223333:role/One"}`}),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "role/One assumed"}},
		{name: "nothing before the misuse counts", events: usual(
			event{at: "1d 10:00:00", call: "sts:GetSessionToken", issues: "ASIA1"}, event{at: "2d 13:00:00", key: "ASIA1", from: away, ua: kali})},
		{name: "a new network with a known agent is unclear and counts", events: usual(
			event{at: "2d 14:00:00", call: "sts:GetSessionToken", from: "203.0.113.7", issues: "ASIA1"}),
			want: []string{"ASIA1 session_token < " + leaked + " confirmed"}},
		{name: "a known agent from the intruder's network is the intruder's", events: usual(
			event{at: "2d 14:00:00", call: "sts:GetFederationToken", from: "198.51.100.99", issues: "ASIA1", response: `{"federatedUser":{"federatedUserId":"111122223333:x"}}`}),
			want: []string{"ASIA1 federation_token < " + leaked + " confirmed"}},
		{name: "all credentials of a created user, whoever makes them", events: usual(mallory,
			event{at: "2d 15:00:00", call: "iam:CreateAccessKey", user: "admin", key: "AKIAADMIN", issues: "AKIA2", request: `{"userName":"mallory"}`},
			event{at: "2d 16:00:00", user: "mallory", key: "AKIA2", from: "203.0.113.9"},
			event{at: "2d 17:00:00", user: "mallory", key: "ASIA9", created: "2d 16:59:00"}),
			want: []string{"AKIA2 long_term < " + leaked + " inferred", "ASIA9 unknown < " + leaked + " unexplained", "user/mallory created"}},
		{name: "a user made again under the same name is another", events: usual(mallory,
			event{at: "2d 15:00:00", call: "iam:DeleteUser", user: "admin", key: "AKIAADMIN", request: `{"userName":"mallory"}`},
			event{at: "2d 16:00:00", call: "iam:CreateUser", user: "admin", key: "AKIAADMIN", request: `{"userName":"mallory"}`,
				response: `{"user":{"userId":"AIDAOTHER","arn":"arn:aws:iam::111122223333:user/mallory"}}`},
			event{at: "2d 16:01:00", call: "iam:CreateAccessKey", user: "admin", key: "AKIAADMIN", issues: "AKIA2", request: `{"userName":"mallory"}`}),
			want: []string{"user/mallory created"}},
		{name: "a key made for another user, not that user's own", events: usual(
			event{at: "2d 12:10:00", call: "iam:CreateAccessKey", from: away, ua: kali, issues: "AKIA2", request: `{"userName":"bob"}`},
			event{at: "1d 10:00:00", key: "AKIABOB", user: "bob"}, event{at: "2d 13:00:00", key: "AKIABOB", user: "bob"},
			event{at: "2d 14:00:00", key: "AKIA2", user: "bob", from: away, ua: kali}),
			want: []string{"AKIA2 long_term < " + leaked + " confirmed", "user/bob credential_added"}},
		{name: "a console session is one credential, however many ids it has", events: usual(mallory,
			event{at: "2d 12:11:00", id: "pass", call: "iam:CreateLoginProfile", from: away, ua: kali, request: `{"userName":"mallory"}`},
			event{at: "2d 13:00:00", id: "failed", call: "signin:ConsoleLogin", key: "-", user: "mallory", from: away, ua: browser, response: `{"ConsoleLogin":"Failure"}`},
			event{at: "2d 13:01:00", id: "login", call: "signin:ConsoleLogin", key: "-", user: "mallory", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
			event{at: "2d 13:02:00", key: "ASIA7", user: "mallory", created: "2d 13:01:00", console: true},
			event{at: "2d 13:03:00", key: "ASIA8", user: "mallory", created: "2d 13:01:01", console: true}),
			want: []string{"ASIA7 console < pass inferred", "pass password < " + leaked + " confirmed", "user/mallory created", "user/mallory password_set"}},
		{name: "a sign-in of a user who was there before, from where the user always came, is the user's own", events: usual(
			event{at: "1d 10:00:00", key: "AKIABOB", user: "bob"},
			event{at: "2d 12:11:00", id: "pass", call: "iam:UpdateLoginProfile", from: away, ua: kali, request: `{"userName":"bob"}`},
			event{at: "2d 13:00:00", id: "own", call: "signin:ConsoleLogin", key: "-", user: "bob", ua: browser, response: `{"ConsoleLogin":"Success"}`},
			event{at: "2d 14:00:00", id: "login", call: "signin:ConsoleLogin", key: "-", user: "bob", from: "203.0.113.5", ua: browser, response: `{"ConsoleLogin":"Success"}`}),
			want: []string{"login console < pass inferred", "pass password < " + leaked + " confirmed", "user/bob password_set"}},
		{name: "an outside account that a changed trust policy lets in, not one that came before", events: usual(openTrust,
			outsider("1d 12:00:00", "777788889999", "ASIAOLD"), outsider("2d 14:00:00", "777788889999", "ASIAVENDOR"),
			outsider("2d 15:00:00", "666677778888", "ASIAOUT"), outsider("2d 16:00:00", "555566667777", "ASIAOTHER"),
			outsider("2d 17:00:00", "888899990000", "ASIAUSER"),
			event{at: "2d 15:01:00", key: "ASIAOUT", role: "Backup:x", created: "2d 15:00:00"}),
			want: []string{"ASIAOUT role_session < " + leaked + " inferred", "ASIAUSER role_session < " + leaked + " inferred", "role/Backup assumed", "role/Backup trust_changed"}},
		{name: "what a service takes to act for a session or a key", events: usual(
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"),
			event{at: "2d 12:05:00", key: "ASIA1", role: "One:s", created: "2d 12:01:00", call: "cloudformation:CreateStack", from: away, ua: kali},
			event{at: "2d 12:06:00", key: "ASIAFWD", role: "One:s", created: "2d 12:01:00", by: "cloudformation.amazonaws.com", from: "cloudformation.amazonaws.com"},
			event{at: "2d 12:00:01", key: "ASIAKMS", created: "2d 12:00:00", by: "kms.amazonaws.com", from: "kms.amazonaws.com"},
			event{at: "2d 08:00:01", key: "ASIAOWN", created: "2d 08:00:00", by: "kms.amazonaws.com", from: "kms.amazonaws.com"}),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "ASIAFWD service_forwarded < ASIA1 inferred", "ASIAKMS service_forwarded < " + leaked + " inferred", "role/One assumed"}},
		{name: "a service's call for the key is whose the call to the service was", events: usual(
			event{at: "2d 13:00:00", call: "cloudformation:CreateStack"},
			event{at: "2d 13:00:30", call: "s3:ListBuckets", from: away, ua: kali},
			event{at: "2d 13:01:00", call: "iam:CreateUser", by: "cloudformation.amazonaws.com", from: "cloudformation.amazonaws.com", ua: "cloudformation.amazonaws.com",
				request: `{"userName":"owners"}`, response: `{"user":{"userId":"AIDAOWNERS","arn":"arn:aws:iam::111122223333:user/owners"}}`},
			event{at: "2d 14:00:00", call: "cloudformation:CreateStack", from: away, ua: kali},
			event{at: "2d 14:01:00", call: "iam:CreateUser", by: "cloudformation.amazonaws.com", from: "cloudformation.amazonaws.com", ua: "cloudformation.amazonaws.com",
				request: `{"userName":"mallory"}`, response: `{"user":{"userId":"AIDAMALLORY","arn":"arn:aws:iam::111122223333:user/mallory"}}`}),
			want: []string{"user/mallory created"}},
		{name: "a service takes sessions of a created role", events: usual(
			event{at: "2d 12:10:00", call: "iam:CreateRole", from: away, ua: kali, request: `{"roleName":"Worker"}`,
				response: `{"role":{"roleId":"AROAWORKER","arn":"arn:aws:iam::111122223333:role/Worker"}}`},
			event{at: "2d 13:00:00", key: "-", identity: "AWSService", by: "lambda.amazonaws.com", call: "sts:AssumeRole", issues: "ASIA5",
				request: `{"roleArn":"arn:aws:iam::111122223333:role/Worker","roleSessionName":"f"}`},
			event{at: "2d 13:01:00", key: "ASIA5", role: "Worker:f", created: "2d 13:00:00"}),
			want: []string{"ASIA5 role_session < " + leaked + " inferred", "role/Worker created"}},
		{name: "the session of an instance that runs the intruder's command", events: usual(
			event{at: "1d 10:00:00", key: "ASIA5", role: "Web:i-0aaaaaaaaaaaaaaaa", created: "1d 08:00:00"},
			event{at: "2d 12:10:00", call: "ssm:SendCommand", from: away, ua: kali, request: `{"instanceIds":["i-0aaaaaaaaaaaaaaaa"],"documentName":"AWS-RunShellScript"}`},
			event{at: "2d 12:11:00", key: "ASIA5", role: "Web:i-0aaaaaaaaaaaaaaaa", created: "1d 08:00:00"},
			event{at: "2d 12:12:00", key: "ASIA6", role: "Web:i-0bbbbbbbbbbbbbbbb", created: "1d 08:00:00"}),
			want: []string{"ASIA5 role_session < " + leaked + " inferred", "role/Web code_changed"}},
		{name: "a sign-in token and its console session are one", events: usual(
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"),
			event{at: "2d 12:02:00", call: "signin:GetSigninToken", key: "ASIA1", role: "One:s", created: "2d 12:01:00", from: away, issues: "ASIA2"},
			event{at: "2d 12:02:05", call: "signin:ConsoleLogin", key: "-", role: "One:s", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
			event{at: "2d 12:03:00", key: "ASIA3", role: "One:s", created: "2d 12:02:05", from: away, ua: browser},
			event{at: "2d 12:04:00", key: "ASIA4", role: "One:s", created: "2d 12:01:00", from: away, ua: browser}),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "ASIA2 console < ASIA1 inferred", "role/One assumed"}},
		{name: "a role that a console session switches to", events: usual(mallory,
			event{at: "2d 13:01:00", id: "login", call: "signin:ConsoleLogin", key: "-", user: "mallory", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
			event{at: "2d 13:10:00", id: "switch", call: "signin:SwitchRole", key: "-", role: "Admin:mallory", from: away, ua: browser, response: `{"SwitchRole":"Success"}`,
				extra: `{"SwitchFrom":"arn:aws:iam::111122223333:user/mallory"}`},
			event{at: "2d 13:11:00", key: "ASIA8", role: "Admin:mallory", created: "2d 13:10:00"}),
			want: []string{"ASIA8 role_session < login inferred", "login console < " + leaked + " inferred", "role/Admin assumed", "user/mallory created"}},
		{name: "an identity provider of the intruder's", events: usual(
			event{at: "2d 12:10:00", call: "iam:CreateSAMLProvider", from: away, ua: kali, request: `{"name":"evil"}`,
				response: `{"sAMLProviderArn":"arn:aws:iam::111122223333:saml-provider/evil"}`},
			event{at: "2d 13:00:00", call: "sts:AssumeRoleWithSAML", key: "-", identity: "AWSService", issues: "ASIA1",
				request: `{"principalArn":"arn:aws:iam::111122223333:saml-provider/evil","roleArn":"arn:aws:iam::111122223333:role/One","roleSessionName":"s"}`},
			event{at: "2d 14:00:00", call: "sts:AssumeRoleWithSAML", key: "-", identity: "AWSService", issues: "ASIA2",
				request: `{"principalArn":"arn:aws:iam::111122223333:saml-provider/ours","roleArn":"arn:aws:iam::111122223333:role/One","roleSessionName":"s"}`}),
			want: []string{"ASIA1 role_session < " + leaked + " inferred", "role/One assumed", "saml-provider/evil created"}},
		{name: "sessions of the key's user and of a role whose issue a trail of writes hides", events: usual(
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"),
			event{at: "2d 12:10:00", key: "ASIAHIDDEN", role: "One:s", created: "2d 12:09:00", from: away, ua: kali},
			event{at: "2d 12:11:00", key: "ASIATOKEN", user: "alice", created: "2d 12:10:00", from: away, ua: kali},
			event{at: "2d 12:12:00", key: "ASIAHOME", user: "alice", created: "2d 12:10:00"},
			event{at: "2d 12:13:00", key: "ASIAOLD", user: "alice", created: "1d 12:10:00", from: away, ua: kali},
			event{at: "2d 12:14:00", key: "ASIABOB", user: "bob", created: "2d 12:10:00", from: away, ua: kali},
			event{at: "2d 12:15:00", key: "AKIASECOND", user: "alice", from: away, ua: kali},
			event{at: "2d 13:00:00", call: "signin:ConsoleLogin", key: "-", user: "alice", from: away, ua: browser, response: `{"ConsoleLogin":"Success"}`},
			event{at: "2d 13:01:00", key: "ASIACONSOLE", user: "alice", created: "2d 13:00:00", from: away, ua: browser}),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "ASIAHIDDEN role_session < " + leaked + " unexplained",
				"ASIATOKEN unknown < " + leaked + " unexplained", "role/One assumed"}},
		{name: "a sign-in token that names the id it was asked with", events: usual(
			event{at: "2d 12:01:00", call: "sts:GetFederationToken", from: away, ua: kali, issues: "ASIA1", response: `{"federatedUser":{"federatedUserId":"AROAONE:s","arn":"arn:aws:sts::111122223333:federated-user/s"}}`},
			event{at: "2d 12:02:00", call: "signin:GetSigninToken", key: "ASIA1", role: "One:s", from: away, ua: kali, issues: "ASIA1"},
			event{at: "2d 12:03:00", key: "ASIA2", role: "One:s", created: "2d 12:02:00", from: away, ua: browser}),
			want: []string{"ASIA1 federation_token < " + leaked + " confirmed", "ASIA2 console < ASIA1 inferred"}},
		{name: "a later sign-in of a session's name that an identity provider let in", events: usual(
			event{at: "1d 08:00:00", key: "ASIA0", role: "One:s", created: "1d 08:00:00", ua: browser},
			assume("2d 12:01:00", leaked, "One:s", "ASIA1"),
			event{at: "2d 12:10:00", id: "theirs", call: "signin:ConsoleLogin", key: "-", role: "One:s", created: "2d 12:01:00", from: away, ua: browser},
			event{at: "2d 12:30:00", id: "own", call: "signin:ConsoleLogin", key: "-", role: "One:s", created: "2d 12:30:00", ua: browser},
			event{at: "2d 12:31:00", key: "ASIAOWN", role: "One:s", created: "2d 12:30:00", ua: browser}),
			want: []string{"ASIA1 role_session < " + leaked + " confirmed", "role/One assumed", "theirs console < ASIA1 inferred"}},
		{name: "an instance whose profile was swapped", events: usual(
			event{at: "2d 12:10:00", call: "ec2:ReplaceIamInstanceProfileAssociation", from: away, ua: kali,
				response: `{"ReplaceIamInstanceProfileAssociationResponse":{"iamInstanceProfileAssociation":{"instanceId":"i-0aaaaaaaaaaaaaaaa"}}}`},
			event{at: "2d 12:20:00", key: "ASIA5", role: "Admin:i-0aaaaaaaaaaaaaaaa", created: "2d 12:11:00"}),
			want: []string{"ASIA5 role_session < " + leaked + " inferred", "role/Admin code_changed"}},
		{name: "policies", events: usual(
			event{at: "2d 12:10:00", call: "iam:PutUserPolicy", from: away, ua: kali, request: `{"userName":"alice","policyName":"p"}`},
			event{at: "2d 12:11:00", call: "iam:AttachGroupPolicy", from: away, ua: kali, request: `{"groupName":"staff"}`},
			event{at: "2d 12:12:00", call: "iam:AttachRolePolicy", from: away, ua: kali, fails: true, request: `{"roleName":"One"}`}),
			want: []string{"group/staff policy_changed", "user/alice policy_changed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			write(t, c, tc.events...)
			l, err := Trace(t.Context(), c, []string{leaked}, Options{AllUse: tc.all})
			if err != nil {
				t.Fatal(err)
			}
			checkEdges(t, l)
			slices.Sort(tc.want)
			if got := described(l); !slices.Equal(got, tc.want) {
				t.Errorf("since %s (%s)\ngot  %s\nwant %s", l.CompromisedSince, l.CompromisedSinceWhy, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
			if !l.CompromisedSince.Equal(*clock("2d 12:00:00")) {
				t.Errorf("since %s: %s", l.CompromisedSince, l.CompromisedSinceWhy)
			}
		})
	}
}

// checkEdges expects that edges join what is listed.
func checkEdges(t *testing.T, l *Lineage) {
	t.Helper()
	known := map[string]bool{}
	for _, d := range l.Credentials {
		known[d.ID] = true
	}
	for _, p := range l.Principals {
		known[p.ARN] = true
	}
	for _, e := range l.Edges {
		if !known[e.From] || !known[e.To] {
			t.Errorf("an edge joins %s to %s, which are not both listed", e.From, e.To)
		}
	}
}
