package query_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"trailscan/ingest"
	"trailscan/query"
	"trailscan/query/trino"
)

// published is a case of made-up events as published queries look for them.
func published(t *testing.T) *query.Case {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.json"), []byte(publishedEvents), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := query.Open(t.Context(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := ingest.Load(t.Context(), c, []string{dir}, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// answer runs a query as a user gives it: one line a row, its values between bars.
func answer(ctx context.Context, c *query.Case, text string, o trino.Options) (string, error) {
	s := trino.Rewrite(text, o)
	rows, err := c.DB.QueryContext(ctx, s.SQL)
	if err != nil {
		return "", fmt.Errorf("%w\nas %s", err, s.SQL)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		texts := make([]string, len(names))
		for i, v := range values {
			texts[i] = strings.TrimSuffix(fmt.Sprint(v), " +0000 UTC")
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	return strings.Join(lines, "\n"), rows.Err()
}

const publishedEvents = `{"Records": [
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEALICE0001","userName":"alice"},"eventTime":"2023-01-22T16:53:53Z","eventSource":"s3.amazonaws.com","eventName":"CreateBucket","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.76","userAgent":"aws-cli/2.9","requestParameters":{"bucketName":"acme-logs","CreateBucketConfiguration":{"LocationConstraint":"eu-west-1"}},"responseElements":null,"requestID":"R1","eventID":"00000000-0000-4000-8000-000000000001","readOnly":false,"resources":[{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::acme-logs","accountId":"111122223333"}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","clientProvidedHostHeader":"acme-logs.s3.amazonaws.com"}},
{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEADMIN00001:bob","arn":"arn:aws:sts::111122223333:assumed-role/Admin/bob","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEBOB000001","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEADMIN00001","arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":"Admin"},"webIdFederationData":{"federatedProvider":"cognito-identity.amazonaws.com","attributes":{"aud":"pool"}},"attributes":{"creationDate":"2023-01-23T09:00:00Z","mfaAuthenticated":"true"}}},"eventTime":"2023-01-23T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"us-west-2","sourceIPAddress":"198.51.100.7","userAgent":"console.ec2.amazonaws.com","requestParameters":{"groupId":"sg-0001","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"},{"cidrIp":"10.0.0.0/8"}]}}]}},"responseElements":{"_return":true},"requestID":"R2","eventID":"00000000-0000-4000-8000-000000000002","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"},
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"},"eventTime":"2023-01-24T08:15:30Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.76","userAgent":"Mozilla/5.0","requestParameters":null,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home?region=us-east-1&state=a+b%21","MobileVersion":"No","MFAUsed":"No"},"eventID":"00000000-0000-4000-8000-000000000003","readOnly":false,"eventType":"AwsConsoleSignIn","recipientAccountId":"111122223333","eventCategory":"Management"},
{"eventVersion":"1.08","userIdentity":{"type":"AWSAccount","principalId":"AIDAEXAMPLEOTHER00001","accountId":"444455556666"},"eventTime":"2023-01-25T01:02:03Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9","userAgent":"Boto3/1.26","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/Audit","roleSessionName":"audit"},"responseElements":{"assumedRoleUser":{"arn":"arn:aws:sts::111122223333:assumed-role/Audit/audit"}},"requestID":"R4","eventID":"00000000-0000-4000-8000-000000000004","readOnly":true,"resources":[{"ARN":"arn:aws:iam::111122223333:role/Audit","accountId":"111122223333","type":"AWS::IAM::Role"},{"ARN":"arn:aws:iam::444455556666:root","accountId":"444455556666","type":"AWS::IAM::Account"}],"eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"},
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEALICE0001","userName":"alice"},"eventTime":"2023-02-01T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.76","userAgent":"aws-cli/2.9","errorCode":"AccessDenied","errorMessage":"Access Denied","requestParameters":{"bucketName":"acme-logs","key":"a/b.txt"},"responseElements":null,"additionalEventData":{"bytesTransferredOut":243.0,"AuthenticationMethod":"AuthHeader"},"requestID":"R5","eventID":"00000000-0000-4000-8000-000000000005","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::acme-logs/"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"},
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEALICE00001","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEALICE0001","userName":"alice"},"eventTime":"2023-02-01T12:30:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StartQuery","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.76","userAgent":"aws-cli/2.9","requestParameters":{"queryStatement":"select * from x"},"responseElements":{"queryId":"Q-1"},"requestID":"R6","eventID":"00000000-0000-4000-8000-000000000006","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","vendorNote":{"kept":1.50}}
]}`

func TestPublishedQueries(t *testing.T) {
	c := published(t)
	for _, q := range publishedQueries {
		got, err := answer(t.Context(), c, q.sql, trino.Options{})
		if err != nil {
			t.Errorf("%s\n%s\n%v", q.after, q.sql, err)
		} else if want := strings.TrimSpace(q.rows); got != want {
			t.Errorf("%s\n%s\ngives\n%s\nwant\n%s", q.after, q.sql, got, want)
		}
	}
}

// The record that eventJson holds is the one that was loaded.
func TestEventJSONIsTheRecord(t *testing.T) {
	c := published(t)
	columns := "w." + strings.Join(ingest.RebuildColumns(), ", w.")
	rows, err := c.DB.Query(`SELECT eventJson, ` + columns + ` FROM whole_records AS w JOIN event_data_store ON eventID = event_id ORDER BY event_time`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		values := make([]any, 1+len(ingest.RebuildColumns()))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		record, err := ingest.Rebuild(values[1:])
		if err != nil {
			t.Fatal(err)
		}
		got := jsontext.Value(values[0].(string))
		for _, v := range []*jsontext.Value{&got, &record} {
			if err := v.Canonicalize(); err != nil {
				t.Fatalf("%v: %s", err, *v)
			}
		}
		if string(got) != string(record) {
			t.Errorf("eventJson is\n%s\nwant\n%s", got, record)
		}
	}
	if n == 0 {
		t.Error("no events")
	}
}

// Whatever a query compares the text of the time with, the bounds that follow
// from it leave its answer as it is.
func TestBoundsKeepTheAnswer(t *testing.T) {
	c := published(t)
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.StringMatching(`(20(22|23|24)([-/]0[1-3]([-/](0[12]|2[2-5])([ T](0[0-9]|1[0-9]):(00|15|30|53)(:[0-5][0-9]Z?)?)?)?)?|)[Z%]?`)
		condition := rapid.Custom(func(t *rapid.T) string {
			if rapid.IntRange(0, 3).Draw(t, "who") == 0 {
				return rapid.SampledFrom([]string{"useridentity.arn = 'arn:aws:iam::111122223333:user/alice'", "'ASIAEXAMPLEBOB000001' = useridentity.accesskeyid",
					"useridentity.username IN ('alice', 'x')", "useridentity.type <> 'IAMUser'", "useridentity.sessioncontext.sessionissuer.username IS NOT NULL",
					"regexp_like(useridentity.principalid, '^AIDA')", "(useridentity.arn NOT LIKE '%alice' AND useridentity.accountid LIKE '1%')",
					"useridentity.sessioncontext.attributes.mfaauthenticated = 'true'", "useridentity.invokedby IS NULL"}).Draw(t, "identity")
			}
			column := rapid.SampledFrom([]string{"eventtime", `"timestamp"`, "year", "month", "day", "from_iso8601_timestamp(eventtime)"}).Draw(t, "column")
			value := "'" + times.Draw(t, "value") + "'"
			switch {
			case strings.HasPrefix(column, "from_"):
				value = rapid.SampledFrom([]string{`TIMESTAMP '2023-01-24 08:15:30'`, `TIMESTAMP '2023-01-24 08:15:30' + INTERVAL '1' DAY`, `from_iso8601_timestamp('2023-02-01T12:00:00Z')`}).Draw(t, "instant")
			case rapid.IntRange(0, 3).Draw(t, "text") == 0:
				value = rapid.SampledFrom([]string{`to_iso8601(TIMESTAMP '2023-01-24 08:15:30')`, `to_iso8601(DATE '2023-02-01')`,
					`date_format(DATE '2023-01-24', '%Y/%m/%d')`, `date_format(TIMESTAMP '2023-02-01 12:00:00', '%Y-%m-%dT%H:%i:%sZ')`}).Draw(t, "text")
			case column == "month" || column == "day":
				value = rapid.SampledFrom([]string{"'01'", "'02'", "'24'", "'x'"}).Draw(t, "part")
			case rapid.Bool().Draw(t, "like"):
				return column + " LIKE " + value
			case rapid.Bool().Draw(t, "between"):
				return column + " BETWEEN " + value + " AND '" + times.Draw(t, "upper") + "'"
			}
			return column + " " + rapid.SampledFrom([]string{"=", "<", "<=", ">", ">=", "<>"}).Draw(t, "op") + " " + value
		})
		where := strings.Join(rapid.SliceOfN(condition, 1, 3).Draw(t, "conditions"), rapid.SampledFrom([]string{" AND ", " OR ", " AND NOT "}).Draw(t, "and"))
		text := "SELECT count(*), min(eventid) FROM cloudtrail_logs WHERE " + where
		got, err := answer(context.Background(), c, text, trino.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		var id sql.NullString
		whole := strings.Replace(trino.Rewrite("SELECT count(*), min(eventid) FROM cloudtrail_logs l WHERE NULL OR ("+where+")", trino.Options{}).SQL, "NULL OR ", "", 1)
		if err := c.DB.QueryRow(whole).Scan(&n, &id); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%d|%s", n, id.String)
		if !id.Valid {
			want = fmt.Sprintf("%d|<nil>", n)
		}
		if got != want {
			t.Fatalf("%s\nas %s\ngives %s, want %s", text, trino.Rewrite(text, trino.Options{}).SQL, got, want)
		}
	})
}

// The newest and oldest events are those that sorting all of them gives.
func TestNewestKeepsTheAnswer(t *testing.T) {
	c := published(t)
	for _, where := range []string{"", "WHERE t.eventname LIKE '%e%' OR useridentity.username = 'alice' AND awsregion <> 'x'", "WHERE eventsource IN ('s3.amazonaws.com', 'sts.amazonaws.com') AND eventtime > '2023-01-24'"} {
		for _, table := range []string{"cloudtrail_logs", "event_data_store"} {
			for _, order := range []string{"", " ASC", " DESC NULLS LAST"} {
				for _, limit := range []string{" LIMIT 1", " OFFSET 1 LIMIT 2", " LIMIT 100"} {
					q := "SELECT eventid FROM (SELECT * FROM " + table + " AS t " + where + " ORDER BY eventtime" + order + limit + ") ORDER BY 1"
					got, err := answer(t.Context(), c, q, trino.Options{})
					if err != nil || strings.Count(trino.Rewrite(q, trino.Options{}).SQL, "LIMIT") != 2 {
						t.Errorf("%s\n%v", q, err)
					}
					all := strings.Replace(q, "FROM "+table, "FROM (SELECT * FROM "+table+")", 1)
					if want, err := answer(t.Context(), c, all, trino.Options{}); err != nil || got != want {
						t.Errorf("%s\ngives\n%s\nwant\n%s\n%v", q, got, want, err)
					}
				}
			}
		}
	}
	for _, q := range []string{
		"SELECT DISTINCT eventname FROM cloudtrail_logs ORDER BY eventtime LIMIT 1",
		"SELECT count(*) OVER () FROM cloudtrail_logs ORDER BY eventtime LIMIT 1",
		"SELECT awsregion AS eventtime FROM cloudtrail_logs ORDER BY eventtime LIMIT 1",
		"SELECT eventid FROM event_data_store UNION ALL SELECT eventid FROM cloudtrail_logs ORDER BY eventtime LIMIT 1",
		"SELECT * FROM cloudtrail_logs WHERE eventname IN (SELECT 'x') ORDER BY eventtime LIMIT 1",
		"SELECT * FROM cloudtrail_logs WHERE eventname = ? ORDER BY eventtime LIMIT 1",
		"SELECT * FROM cloudtrail_logs a JOIN cloudtrail_logs b USING (eventid) ORDER BY eventtime LIMIT 1",
		"SELECT * FROM cloudtrail_logs ORDER BY eventtime NULLS FIRST LIMIT 1",
		"SELECT * FROM cloudtrail_logs ORDER BY eventtime",
	} {
		if got := trino.Rewrite(q, trino.Options{}).SQL; got != q {
			t.Errorf("%s\nis %s", q, got)
		}
	}
}

// A query that reads the time itself gives what it gives through the text.
func TestTimesAreThoseOfTheText(t *testing.T) {
	c := published(t)
	const at = "from_iso8601_timestamp(eventtime)"
	for _, q := range []string{
		"SELECT eventname, " + at + ", to_iso8601(" + at + "), hour(" + at + "), day_of_week(" + at + "), date(" + at + "), date_format(" + at + ", '%d/%b/%Y %T') FROM cloudtrail_logs ORDER BY " + at,
		"SELECT date_trunc('day', " + at + ") AS day, CAST(max(date_trunc('hour', " + at + ")) AS VARCHAR), count(*) FROM cloudtrail_logs GROUP BY date_trunc('day', " + at + ") ORDER BY 1",
		"SELECT CAST(date_trunc('month', " + at + ") AS VARCHAR), typeof(" + at + "), date_diff('hour', " + at + ", TIMESTAMP '2023-03-01 00:00:00') FROM cloudtrail_logs ORDER BY eventid",
		"SELECT eventid, lag(" + at + ") OVER (PARTITION BY useridentity.arn ORDER BY eventtime) FROM cloudtrail_logs WHERE " + at + " < from_iso8601_timestamp('2023-02-01T12:00:00Z') ORDER BY 1",
		"SELECT hour(" + at + " AT TIME ZONE 'America/New_York'), count(*) FROM cloudtrail_logs WHERE useridentity.username = 'alice' AND " + at + " BETWEEN TIMESTAMP '2023-01-22 16:53:53' AND TIMESTAMP '2023-02-01 12:00:00' GROUP BY 1 ORDER BY 1",
		"WITH k AS (SELECT useridentity.accesskeyid AS k, min(" + at + ") AS a, max(" + at + ") AS b FROM cloudtrail_logs GROUP BY 1) SELECT k, date_diff('minute', a, b) FROM k ORDER BY 1",
	} {
		got, err := answer(t.Context(), c, q, trino.Options{})
		if err != nil || !strings.Contains(trino.Rewrite(q, trino.Options{}).SQL, trino.TimedLogs) {
			t.Errorf("%s\n%v", q, err)
		}
		text := strings.Replace(q, "FROM cloudtrail_logs", "FROM (SELECT * FROM cloudtrail_logs) AS cloudtrail_logs", 1)
		if want, err := answer(t.Context(), c, text, trino.Options{}); err != nil || got != want {
			t.Errorf("%s\ngives\n%s\nwant\n%s\n%v", q, got, want, err)
		}
	}
}

func TestOlderCaseHasThePublishedViews(t *testing.T) {
	c := published(t)
	macros := []string{`DROP MACRO TABLE ` + trino.PathLogs, `DROP MACRO TABLE ` + trino.LakeBetween, `DROP MACRO TABLE ` + trino.LogsOf, `DROP MACRO TABLE ` + trino.BoundedLogsOf, `DROP MACRO TABLE ` + trino.TimedLogs, `DROP MACRO TABLE ` + trino.LakeOf}
	views := []string{`DROP VIEW cloudtrail_logs`, `DROP VIEW event_data_store`, `DROP MACRO TABLE ` + trino.BoundedLogs}
	for _, lacks := range [][]string{macros, views} {
		for _, drop := range lacks {
			if _, err := c.DB.Exec(drop); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		old, err := query.Open(t.Context(), c.Path, query.Options{Mode: query.ReadOnly})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range publishedQueries[:22] {
			if got, err := answer(t.Context(), old, q.sql, trino.Options{}); err != nil || got != strings.TrimSpace(q.rows) {
				t.Errorf("without %v: %s gives %s, %v", lacks, q.sql, got, err)
			}
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		if c, err = query.Open(t.Context(), c.Path, query.Options{Mode: query.ReadWrite}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsSayWhatTheUserWrote(t *testing.T) {
	c := published(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := query.Open(t.Context(), c.Path, query.Options{Mode: query.ReadOnly, Access: query.Confined})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for sql, want := range map[string]string{
		"SELECT element_at(requestParameters, 'a'),\n  regexp_lke(eventName, 'x') FROM $EDS_ID": "there is no function regexp_lke: the nearest that exists is regexp_like\n" +
			"line 2:   regexp_lke(eventName, 'x') FROM $EDS_ID\n          ^",
		"SELECT json_extract(eventjson, '$.a'), evntName FROM <EDS ID>": "referenced column",
		"SELECT element_att(responseElements, 'a') FROM $EDS_ID": "there is no function element_att: the nearest that exists is element_at\n" +
			"line 1: SELECT element_att(responseElements, 'a') FROM $EDS_…\n               ^",
		"SELECT transform(a, x -> y(x)) FROM $EDS_ID WHERE":                                                    "syntax error at end of input",
		"SELECT parse_datetime('x', eventName) FROM $EDS_ID":                                                   "this form of the function parse_datetime is not supported",
		"SELECT 1 FROM \"db\".\"trail\"":                                                                       "there is no table db.trail: when it is",
		"SELECT 1 FROM cat.db.trail":                                                                           "there is no catalog cat: when the table is",
		"SELECT 1 FROM trail":                                                                                  "there is no table trail: when it is Athena's or CloudTrail Lake's table of the events, say so with --table\nline 1: SELECT 1 FROM trail\n                      ^",
		"SELECT a / 2 / nope FROM (SELECT 1 AS a FROM cloudtrail_logs)":                                        "referenced column \"nope\" not found in FROM clause! Candidate bindings: \"a\"\nline 1: SELECT a / 2 / nope FROM (SELECT 1 AS a FROM cloudtrail_logs…\n                       ^",
		"SELECT `a b` FROM cloudtrail_logs":                                                                    "candidate bindings: \"account\"\nline 1: SELECT `a b` FROM cloudtrail_logs\n               ^",
		"SELECT eventname FROM cloudtrail_logs WHERE eventtime > now()":                                        "is text: from_iso8601_timestamp(eventtime) is the time\nline 1: …entname FROM cloudtrail_logs WHERE eventtime > now()\n",
		"SELECT requestparameters.bucketName FROM cloudtrail_logs":                                             "in cloudtrail_logs it is JSON text: json_extract_scalar(requestparameters, '$.bucketName')",
		"SELECT sqlite_scan FROM sqlite_scan('a', 'b')":                                                        "there is no function sqlite_scan: the nearest that exists is",
		"SELECT CAST(eventname AS INTEGER) FROM cloudtrail_logs":                                               "Could not convert string",
		"SELECT element_at(1, 2, 3) FROM cloudtrail_logs":                                                      "element_at",
		"SELECT trim(eventname) FROM cloudtrail_logs WHERE (a":                                                 "syntax error",
		"SELECT regexp_extract(1, 2, 3, 4) FROM event_data_store":                                              "regexp_extract(",
		"SELECT insightType FROM $EDS_ID":                                                                      "insightType is a column of event data stores of Insights events, which event_data_store, of CloudTrail's events, does not have",
		"SELECT e.eventName FROM $EDS_ID e JOIN $CONFIG_EDS c ON e.recipientAccountId = c.eventData.accountId": "eventData is a column of event data stores of AWS Config items",
		"SELECT json_query(eventname, 'lax $.a?(@ > 1)') FROM cloudtrail_logs":                                 "this form of the function json_query is not supported",
		"SELECT * FROM cloudtrail_logs l WHERE l.nope = 'x' ORDER BY eventtime LIMIT 2":                        "does not have a column named \"nope\"\nline 1: SELECT * FROM cloudtrail_logs l WHERE l.nope = 'x' ORDER BY eventtime LIMIT 2\n                                              ^",
		"SELECT json_size(eventname) FROM cloudtrail_logs":                                                     "json_size",
		"SELECT date_format(eventtime, '%Y') FROM cloudtrail_logs":                                             "strftime",
		"SELECT '" + strings.Repeat("é", 90) + "', nosuch() FROM events":                                       "there is no function nosuch",
	} {
		_, st, _ := query.Statements(sql)
		answer, err := c.Run(t.Context(), st.Translated(trino.Options{}), nil)
		if err == nil {
			for answer.Next() {
			}
			err = errors.Join(answer.Err(), answer.Close())
		}
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%s\nsays %v\nwant %s", sql, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "trino_") || strings.Contains(err.Error(), "LINE ")) {
			t.Errorf("%s\nsays %v", sql, err)
		}
	}
}
