package query_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// story is a case in which every saved investigation finds something: user ann
// works, her key AKIAANN leaks, and what follows.
func story(t testing.TB) *query.Case {
	t.Helper()
	c := newCase(t)
	add := func(columns, rows string) {
		casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, aws_region, recipient_account_id, identity_account_id, identity_type, identity_arn,
			access_key_id, source_ip_address, user_agent, error_code, event_category, session_issuer_name, session_issuer_arn, request_parameters, response_elements, additional_event_data, issued_access_key_id, resources, source_id, record_index)
		SELECT id, CAST(time AS TIMESTAMP), source || '.amazonaws.com', name, region, '111122223333', coalesce(caller, '111122223333'), kind, arn,
			key, ip, agent, error, coalesce(category, 'Management'), role, 'arn:aws:iam::111122223333:role/' || role, request, response, additional, issued, resources, 1, row_number() OVER ()
		FROM (`+rows+`) AS t(`+columns+`)`)
	}
	const columns = `id, time, source, name, region, caller, kind, arn, key, ip, agent, error, category, role, request, response, additional, issued, resources`
	ann := `'arn:aws:iam::111122223333:user/ann', 'AKIAANN'`
	admin := `'arn:aws:sts::111122223333:assumed-role/Admin/s', 'ASIAADMIN'`
	web := `'arn:aws:sts::111122223333:assumed-role/Web/i-0123456789abcdef0', 'ASIAWEB'`
	none := func(n int) string { return strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ") }
	row := func(id, time, source, name, region, who, from, error, role, rest string) string {
		return fmt.Sprintf(`('%s', '%s', '%s', '%s', '%s', %s, %s, %s, %s, %s)`, id, time, source, name, region, who, from, error, role, rest)
	}
	office, away := `'192.0.2.1', 'aws-cli/2.27'`, `'203.0.113.9', 'Boto3/1.38 kali'`
	user := func(who string) string { return `NULL, 'IAMUser', ` + who }
	session := func(who string) string { return `NULL, 'AssumedRole', ` + who }
	rows := []string{
		row("a2", "2026-09-14 10:10:00", "ec2", "DescribeInstances", "us-east-1", user(ann), office, "NULL", "NULL, NULL", none(5)),
		row("b1", "2026-09-20 08:00:00", "sts", "GetCallerIdentity", "us-east-1", user(ann), away, "NULL", "NULL, NULL", none(5)),
		row("b2", "2026-09-20 08:01:00", "iam", "ListUsers", "us-east-1", user(ann), away, "'AccessDenied'", "NULL, NULL", none(5)),
		row("b3", "2026-09-20 09:30:00", "iam", "ListUsers", "us-east-1", user(ann), away, "NULL", "NULL, NULL", none(5)),
		row("b4", "2026-09-20 10:00:00", "sts", "AssumeRole", "us-east-1", user(ann), away, "NULL", "NULL, NULL",
			`'{"roleArn":"arn:aws:iam::111122223333:role/Admin","roleSessionName":"s"}', '{}', NULL, 'ASIAADMIN', NULL`),
		row("b5", "2026-09-20 10:05:00", "secretsmanager", "GetSecretValue", "eu-west-1", session(admin), away, "NULL", "NULL, 'Admin'", `'{"secretId":"prod/db"}', NULL, NULL, NULL, NULL`),
		row("b6", "2026-09-20 10:06:00", "ec2", "AuthorizeSecurityGroupIngress", "eu-west-1", session(admin), away, "NULL", "NULL, 'Admin'",
			`'{"groupId":"sg-1","ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}', NULL, NULL, NULL, NULL`),
		row("b7", "2026-09-20 10:07:00", "iam", "PutRolePolicy", "us-east-1", session(admin), away, "NULL", "NULL, 'Admin'", `'{"roleName":"Web","policyName":"p"}', NULL, NULL, NULL, NULL`),
		row("b8", "2026-09-20 10:08:00", "ec2", "DeleteSnapshot", "eu-west-1", session(admin), away, "NULL", "NULL, 'Admin'", `'{"snapshotId":"snap-1"}', NULL, NULL, NULL, NULL`),
		row("b9", "2026-09-21 23:00:00", "cloudtrail", "StopLogging", "us-east-1", session(admin), away, "'AccessDenied'", "NULL, 'Admin'", none(5)),
		row("c1", "2026-09-14 11:00:00", "s3", "GetObject", "us-east-1", session(web), `'10.0.0.5', 'Boto3'`, "NULL", "'Data', 'Web'", `'{"bucketName":"data","key":"a"}', NULL, '{"bytesTransferredOut":100.0,"bytesTransferredIn":0.0}', NULL, NULL`),
		row("c2", "2026-09-20 11:00:00", "s3", "GetObject", "us-east-1", session(web), away, "NULL", "'Data', 'Web'", `'{"bucketName":"data","key":"b"}', NULL, '{"bytesTransferredOut":5000.0,"bytesTransferredIn":0.0}', NULL, NULL`),
		row("d1", "2026-09-14 12:00:00", "kms", "Decrypt", "us-east-1", session(web), `'10.0.0.5', 'Boto3'`, "NULL", "NULL, 'Web'", `NULL, NULL, NULL, NULL, '[{"ARN":"arn:aws:kms:us-east-1:111122223333:key/k1"}]'`),
		row("e1", "2026-09-14 09:00:00", "signin", "ConsoleLogin", "us-east-1", `NULL, 'IAMUser', 'arn:aws:iam::111122223333:user/bob', NULL`, `'192.0.2.1', 'Mozilla/5.0'`, "NULL", "NULL, NULL", `NULL, '{"ConsoleLogin":"Success"}', '{"MFAUsed":"Yes"}', NULL, NULL`),
		row("e2", "2026-09-20 12:00:00", "signin", "ConsoleLogin", "us-east-1", `NULL, 'IAMUser', 'arn:aws:iam::111122223333:user/eve', NULL`, `'203.0.113.9', 'Mozilla/5.0'`, "NULL", "NULL, NULL", `NULL, '{"ConsoleLogin":"Success"}', '{"MFAUsed":"No"}', NULL, NULL`),
		row("f1", "2026-09-20 13:00:00", "sqs", "SendMessage", "us-east-1", `'444455556666', 'AWSAccount', NULL, NULL`, `'198.51.100.7', NULL`, "NULL", "NULL, NULL", none(5)),
	}
	for i := range 12 {
		rows = append(rows, row(fmt.Sprintf("g%02d", i), fmt.Sprintf("2026-09-14 10:%02d:00", 20+i), "ec2", "DescribeInstances", "us-east-1", user(ann), office, "NULL", "NULL, NULL", none(5)))
	}
	add(columns, "VALUES "+strings.Join(rows, ",\n"))
	return c
}

func TestInvestigations(t *testing.T) {
	made := story(t)
	path := made.Path
	if err := made.Close(); err != nil { // for the one that is read
		t.Fatal(err)
	}
	list, err := query.Investigations()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 24 {
		t.Errorf("there are %d", len(list))
	}
	tests := map[string]struct {
		params  string
		columns string
		want    string
	}{
		"key-activity":            {"key=AKIAANN since=2026-09-20 until=2026-09-20T10:00:00Z", "event_id, outcome", "b1|success\nb2|AccessDenied\nb3|success"},
		"key-summary":             {"key=AKIAANN", "event_name, calls, failed, addresses", "DescribeInstances|13|0|1\nListUsers|2|1|1\nAssumeRole|1|0|1\nGetCallerIdentity|1|0|1"},
		"key-first-last-use":      {"", "access_key_id, first_use, calls, addresses", "AKIAANN|2026-09-14 10:10:00|17|2\nASIAWEB|2026-09-14 11:00:00|3|2\nASIAADMIN|2026-09-20 10:05:00|5|1"},
		"address-activity":        {"address=198.51.100.7", "event_id", "f1"},
		"addresses-of-key":        {"key=AKIAANN", "source_ip_address, calls, failed", "192.0.2.1|13|0\n203.0.113.9|4|1"},
		"user-agent-activity":     {"agent=KALI until=2026-09-20T10:00:00Z", "event_name, calls", "ListUsers|2\nGetCallerIdentity|1"},
		"rare-user-agents":        {"percent=30", "user_agent, calls, all_calls", "Boto3/1.38 kali|4|17"},
		"errors-by-principal":     {"", "identity_arn, error_code, errors", "arn:aws:iam::111122223333:user/ann|AccessDenied|1\narn:aws:sts::111122223333:assumed-role/Admin/s|AccessDenied|1"},
		"denied-then-success":     {"", "event_name, times_denied, denied, succeeded", "ListUsers|1|2026-09-20 08:01:00|2026-09-20 09:30:00"},
		"role-assumptions":        {"role=role/Admin", "caller_key, session_name, issued_access_key_id", "AKIAANN|s|ASIAADMIN"},
		"role-session-activity":   {"role=Admin", "event_name, calls, failed", "StopLogging|1|1\nAuthorizeSecurityGroupIngress|1|0\nDeleteSnapshot|1|0\nPutRolePolicy|1|0\nGetSecretValue|1|0"},
		"instance-activity":       {"instance=i-0123456789abcdef0", "source_ip_address, event_name, calls", "10.0.0.5|GetObject|1\n10.0.0.5|Decrypt|1\n203.0.113.9|GetObject|1"},
		"secret-readers":          {"secret=db", "secret, access_key_id", "prod/db|ASIAADMIN"},
		"bucket-activity":         {"bucket=data", "source_ip_address, calls, objects", "10.0.0.5|1|1\n203.0.113.9|1|1"},
		"data-volume":             {"", "bucket, calls, bytes_out, bytes_in", "data|2|5100|0"},
		"kms-key-use":             {"key=k1", "kms_key, event_name, calls", "arn:aws:kms:us-east-1:111122223333:key/k1|Decrypt|1"},
		"console-logins":          {"", "principal, result, mfa_used", "arn:aws:iam::111122223333:user/bob|Success|Yes\narn:aws:iam::111122223333:user/eve|Success|No"},
		"logins-without-mfa":      {"", "principal, source_ip_address", "arn:aws:iam::111122223333:user/eve|203.0.113.9"},
		"new-regions":             {"after=2026-09-20", "aws_region, first_call, calls", "eu-west-1|GetSecretValue|3"},
		"new-principals":          {"after=2026-09-20", "principal, first_call, calls", "arn:aws:iam::111122223333:role/Admin|GetSecretValue|5\narn:aws:iam::111122223333:user/eve|ConsoleLogin|1"},
		"cross-account-calls":     {"", "caller_account, event_name, calls", "444455556666|SendMessage|1"},
		"hourly-histogram":        {"until=2026-09-15", "hour, events, failed, principals", "2026-09-14 09:00:00|1|0|1\n2026-09-14 10:00:00|13|0|1\n2026-09-14 11:00:00|1|0|1\n2026-09-14 12:00:00|1|0|1"},
		"top-talkers":             {"most=1 since=2026-09-20T08:00:00Z until=2026-09-20T11:00:00Z", "hour, principal, calls", "2026-09-20 08:00:00|arn:aws:iam::111122223333:user/ann|2\n2026-09-20 09:00:00|arn:aws:iam::111122223333:user/ann|1\n2026-09-20 10:00:00|arn:aws:sts::111122223333:assumed-role/Admin/s|4"},
		"deletes":                 {"", "event_name, request_parameters", `DeleteSnapshot|{"snapshotId":"snap-1"}`},
		"policy-changes":          {"", "event_name, target", "PutRolePolicy|Web"},
		"long-sessions":           {"hours=24", "access_key_id, hours, calls", "ASIAWEB|144|3\nASIAADMIN|36|5"},
		"security-group-openings": {"", "group_id, outcome", "sg-1|success"},
		"new-credentials":         {"", "event_name, issuer_key, issued_access_key_id", "AssumeRole|AKIAANN|ASIAADMIN"},
		"logging-changes":         {"", "event_name, outcome", "StopLogging|AccessDenied"},
	}
	c := openAs(t, path, query.ReadOnly, query.Confined)
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			tc, ok := tests[s.Name]
			if !ok {
				t.Fatal("has no test")
			}
			given := map[string]string{}
			for _, word := range strings.Fields(tc.params) {
				name, value, _ := strings.Cut(word, "=")
				given[name] = value
			}
			values, err := s.Values(given, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			got, err := ask(c, `SELECT `+tc.columns+` FROM (`+s.SQL+`) AS t`, values)
			if err != nil || got != tc.want {
				t.Errorf("%v: rows are\n%s\nwant\n%s", err, got, tc.want)
			}
			// Its examples are values that it takes.
			for _, p := range s.Params {
				if p.Example == "" || p.About == "" {
					t.Errorf("parameter %s has no example or no text", p.Name)
				}
				values[p.Name] = p.Example
			}
			if _, err := ask(c, s.SQL, values); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSavedValues(t *testing.T) {
	list, err := query.Investigations()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]query.Saved{}
	for _, s := range list {
		byName[s.Name] = s
	}
	now := time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)
	s := byName["key-activity"]
	got, err := s.Values(map[string]string{"KEY": "AKIA", "since": "7d"}, now)
	if err != nil || got["key"] != "AKIA" || got["since"] != "2026-09-23T12:00:00Z" || got["until"] != "2200-01-01" {
		t.Errorf("%v, %v", got, err)
	}
	for _, tc := range []struct {
		given map[string]string
		want  string
	}{
		{nil, "key-activity needs --param key=AKIAIOSFODNN7EXAMPLE (the access key id)"},
		{map[string]string{"key": "x", "ip": "y"}, "key-activity has no parameter ip: it has key, since, until"},
	} {
		if _, err := s.Values(tc.given, now); err == nil || err.Error() != tc.want {
			t.Errorf("%v: %v", tc.given, err)
		}
	}
}
