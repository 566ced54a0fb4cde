package lineage

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// bigCase fills a case with n events, of which one in two hundred hands out a
// credential: everyday calls of many principals, and a leaked key whose misuse
// issues a tenth of these credentials in chains twenty long.
func bigCase(tb testing.TB, n int) (*query.Case, string) {
	tb.Helper()
	c := newCase(tb)
	_, err := c.DB.Exec(`CREATE MACRO key_of(i) AS 'ASIA' || lpad(upper(to_base(i::BIGINT, 32)), 16, 'A')`)
	if err != nil {
		tb.Fatal(err)
	}
	// The issuing event number i hands out key i; every tenth belongs to the
	// intrusion, in chains twenty long that begin at the leaked key.
	casetest.Insert(tb, c.DB, `BY NAME
		WITH e AS (SELECT i, i % 200 = 7 AS issues, i // 200 AS k, TIMESTAMP '2026-09-01 00:00:00' + to_milliseconds(i * 2592000000 // $1) AS t FROM range($1) r(i)),
		f AS (SELECT *, k >= $1 // 200 // 3 AND k % 10 = 3 AS hostile, CASE WHEN (k // 10) % 20 = 0 THEN NULL ELSE k - 10 END AS before,
		    CASE WHEN i % 3 = 0 THEN greatest(k - 1 - (hash(i) % 40)::BIGINT, 0) END AS session FROM e)
		SELECT 'e-' || i AS event_id, t AS event_time, 1 AS source_id, i AS record_index, '111122223333' AS recipient_account_id,
		    CASE WHEN issues THEN 'sts.amazonaws.com' ELSE 'ec2.amazonaws.com' END AS event_source,
		    CASE WHEN issues THEN 'AssumeRole' ELSE 'DescribeInstances' END AS event_name,
		    'us-east-1' AS aws_region, '1.11' AS event_version, 'AwsApiCall' AS event_type, 'Management' AS event_category,
		    CASE WHEN issues AND hostile THEN '198.51.100.9' ELSE '192.0.2.' || (hash(i) % 200) END AS source_ip_address,
		    CASE WHEN issues AND hostile THEN 'Boto3/1.26 Linux/5.10 Botocore/1.29' ELSE 'aws-cli/2.27.31 os/macos#24.5.0 md/command#x' || (i % 50) END AS user_agent,
		    CASE WHEN issues AND hostile THEN CASE WHEN before IS NULL THEN 'AKIAIOSFODNN7EXAMPLE' ELSE key_of(before) END
		        WHEN issues AND i % 4 = 3 THEN NULL
		        WHEN session IS NOT NULL THEN key_of(session) WHEN i % 11 = 0 THEN 'AKIAIOSFODNN7EXAMPLE' ELSE 'AKIA' || lpad((hash(i) % 300)::VARCHAR, 16, 'B') END AS access_key_id,
		    CASE WHEN session IS NOT NULL THEN 'AROAEXAMPLE:s' || session ELSE 'AIDA' || (hash(i) % 300) END AS principal_id,
		    CASE WHEN session IS NOT NULL THEN 'AssumedRole' ELSE 'IAMUser' END AS identity_type, '111122223333' AS identity_account_id,
		    'arn:aws:iam::111122223333:user/u' || (hash(i) % 300) AS identity_arn,
		    CASE WHEN session IS NOT NULL THEN t END AS session_created,
		    CASE WHEN issues THEN key_of(k) END AS issued_access_key_id,
		    CASE WHEN issues THEN '{"roleArn":"arn:aws:iam::111122223333:role/R' || (k % 50) || '","roleSessionName":"s' || k || '"}'
		        ELSE '{"maxResults":' || (i % 1000) || ',"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-' || i || '"}]}}]}}' END AS request_parameters,
		    CASE WHEN issues THEN '{"credentials":{"accessKeyId":"' || key_of(k) || '","sessionToken":"' || repeat(md5(i::VARCHAR), 20) || '","expiration":"x"},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:s' || k || '"}}' END AS response_elements
		FROM f`, n)
	return c, "AKIAIOSFODNN7EXAMPLE"
}

// BenchmarkTrace traces a key through a big case: 200,000 events, or as many as
// TRAILSCAN_BENCH_EVENTS says.
func BenchmarkTrace(b *testing.B) {
	n := 200_000
	if s := os.Getenv("TRAILSCAN_BENCH_EVENTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	c, key := bigCase(b, n)
	if _, err := c.DB.Exec(`SET memory_limit = '1GB'`); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		l, err := Trace(b.Context(), c, []string{key}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(l.Credentials)), "credentials")
		if testing.Verbose() {
			fmt.Fprintf(os.Stderr, "%d events, %d credentials in the lineage, %v; %s %s\n", n, len(l.Credentials), time.Since(start).Round(time.Millisecond), l.CompromisedSince, l.CompromisedSinceWhy)
		}
	}
}

// BenchmarkTraceJuggling traces a key whose misuse renews one role session from
// the other, 50,000 times in a row: the cost must not grow with the hops.
func BenchmarkTraceJuggling(b *testing.B) {
	const hops = 50_000
	c := newCase(b)
	write(b, c, usual()...)
	casetest.Insert(b, c.DB, `BY NAME
		SELECT 'hop-' || i AS event_id, TIMESTAMP '2026-09-03 12:01:00' + to_seconds(i) AS event_time, 1 AS source_id, 1000 + i AS record_index,
		    '111122223333' AS recipient_account_id, 'sts.amazonaws.com' AS event_source, 'AssumeRole' AS event_name, 'us-east-1' AS aws_region,
		    $2 AS source_ip_address, $3 AS user_agent, CASE WHEN i = 0 THEN $4 ELSE 'ASIA' || (i - 1) END AS access_key_id,
		    'AROAJUGGLE:s' || (i - 1) AS principal_id, 'AssumedRole' AS identity_type, 'ASIA' || i AS issued_access_key_id,
		    TIMESTAMP '2026-09-03 12:01:00' + to_seconds(i - 1) AS session_created,
		    '{"roleArn":"arn:aws:iam::111122223333:role/Juggle","roleSessionName":"s' || i || '"}' AS request_parameters,
		    '{"assumedRoleUser":{"assumedRoleId":"AROAJUGGLE:s' || i || '"}}' AS response_elements
		FROM range($1) r(i)`, hops, away, kali, leaked)
	for b.Loop() {
		l, err := Trace(b.Context(), c, []string{leaked}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(l.Credentials) != hops+1 {
			b.Fatalf("%d credentials in the lineage, want %d", len(l.Credentials), hops+1)
		}
	}
}
