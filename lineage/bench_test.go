package lineage

import (
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"trailscan/internal/benchcase"
	"trailscan/internal/casetest"
	"trailscan/internal/scenario"
	"trailscan/query"
)

// BenchmarkTrace traces a key through a case as ingest stores it: 200,000
// generated events, or as many as TRAILSCAN_BENCH_EVENTS says, of which one in
// two hundred hands out a credential that descends from the key, in chains
// twenty long, and many more hand out others. DuckDB has two threads and may
// use 600 MB; peak-MB is the peak memory of the process while it traces.
func BenchmarkTrace(b *testing.B) {
	events := 200_000
	if s := os.Getenv("TRAILSCAN_BENCH_EVENTS"); s != "" {
		var err error
		if events, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	path := benchcase.Generated(b, scenario.Volume{Events: events, Files: events / 1500, Leaked: events / 200, Seed: 1})
	var peak float64
	for b.Loop() {
		b.StopTimer()
		c, err := query.Open(b.Context(), path, query.Options{Mode: query.ReadWrite, Threads: 2, MemoryLimit: "600MB"})
		if err != nil {
			b.Fatal(err)
		}
		debug.FreeOSMemory()
		casetest.ResetPeakMemory()
		b.StartTimer()
		l, err := Trace(b.Context(), c, []string{scenario.VolumeKey}, Options{})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		peak = max(peak, casetest.PeakMemory())
		if len(l.Credentials) != events/200+1 {
			b.Fatalf("%d credentials in the lineage, want %d", len(l.Credentials), events/200+1)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(peak, "peak-MB")
}

// benchmarkTrace traces the leaked key and expects a number of credentials
// that descend from it.
func benchmarkTrace(b *testing.B, c *query.Case, descend int) {
	b.Helper()
	for b.Loop() {
		l, err := Trace(b.Context(), c, []string{leaked}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(l.Credentials) != descend+1 {
			b.Fatalf("%d credentials in the lineage, want %d", len(l.Credentials), descend+1)
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
	benchmarkTrace(b, c, hops)
}

// madeUsers puts users into a case that were created one after the other, each
// with a key, by the leaked key or, in a chain, each by the key of the one
// before; among calls of others that pass access on.
func madeUsers(b *testing.B, c *query.Case, users int, chain bool) {
	b.Helper()
	write(b, c, usual()...)
	casetest.Insert(b, c.DB, `BY NAME
		WITH call AS (SELECT i, j, CASE WHEN i = 0 OR NOT $5 THEN 0 ELSE i END AS maker FROM range($1) r(i), range(2) s(j))
		SELECT 'made-' || i || '-' || j AS event_id, TIMESTAMP '2026-09-03 12:01:00' + to_seconds(2 * i + j) AS event_time, 1 AS source_id, 1000 + 2 * i + j AS record_index,
		    '111122223333' AS recipient_account_id, 'iam.amazonaws.com' AS event_source, ['CreateUser', 'CreateAccessKey'][j + 1] AS event_name, 'us-east-1' AS aws_region,
		    $2 AS source_ip_address, $3 AS user_agent, CASE WHEN maker = 0 THEN $4 ELSE 'AKIA' || (maker - 1) END AS access_key_id,
		    CASE WHEN maker = 0 THEN 'AIDAALICE' ELSE 'AIDA' || (maker - 1) END AS principal_id, 'IAMUser' AS identity_type,
		    'arn:aws:iam::111122223333:user/' || CASE WHEN maker = 0 THEN 'alice' ELSE 'u' || (maker - 1) END AS identity_arn,
		    CASE WHEN j = 1 THEN 'AKIA' || i END AS issued_access_key_id, '{"userName":"u' || i || '"}' AS request_parameters,
		    CASE WHEN j = 0 THEN '{"user":{"userId":"AIDA' || i || '","arn":"arn:aws:iam::111122223333:user/u' || i || '"}}' END AS response_elements
		FROM call`, users, away, kali, leaked, chain)
	casetest.Insert(b, c.DB, `BY NAME
		SELECT 'other-' || i AS event_id, TIMESTAMP '2026-09-03 00:00:00' + to_seconds(i) AS event_time, 1 AS source_id, 1000000 + i AS record_index,
		    '111122223333' AS recipient_account_id, 'sts.amazonaws.com' AS event_source, 'AssumeRole' AS event_name, 'us-east-1' AS aws_region,
		    'AKIAOTHER' || (i % 50) AS access_key_id, 'AIDAOTHER' || (i % 50) AS principal_id, 'IAMUser' AS identity_type, 'ASIAOTHER' || i AS issued_access_key_id,
		    '{"roleArn":"arn:aws:iam::111122223333:role/R","roleSessionName":"s' || i || '"}' AS request_parameters
		FROM range(50_000) r(i)`)
}

// BenchmarkTraceWide traces a key whose misuse created 3,000 users.
func BenchmarkTraceWide(b *testing.B) {
	const users = 3000
	c := newCase(b)
	madeUsers(b, c, users, false)
	benchmarkTrace(b, c, users)
}

// BenchmarkTraceDeep traces a key whose misuse created a user with a key, which
// created the next, 100 times.
func BenchmarkTraceDeep(b *testing.B) {
	const users = 100
	c := newCase(b)
	madeUsers(b, c, users, true)
	benchmarkTrace(b, c, users)
}

// BenchmarkTraceDeployments traces a key whose misuse changed the code of a
// function 5,000 times, among 50,000 changes by others, each of which names the
// role of its function.
func BenchmarkTraceDeployments(b *testing.B) {
	c := newCase(b)
	write(b, c, usual()...)
	casetest.Insert(b, c.DB, `BY NAME
		SELECT 'deployed-' || i AS event_id, TIMESTAMP '2026-09-03 12:01:00' + to_seconds(i) AS event_time, 1 AS source_id, 1000 + i AS record_index,
		    '111122223333' AS recipient_account_id, 'lambda.amazonaws.com' AS event_source, 'UpdateFunctionCode20150331v2' AS event_name, 'us-east-1' AS aws_region,
		    $1 AS source_ip_address, $2 AS user_agent, CASE WHEN i % 11 = 0 THEN $3 ELSE 'AKIAOTHER' || (i % 50) END AS access_key_id,
		    CASE WHEN i % 11 = 0 THEN 'AIDAALICE' ELSE 'AIDAOTHER' || (i % 50) END AS principal_id, 'IAMUser' AS identity_type,
		    '{"functionName":"f' || (i % 4) || '"}' AS request_parameters,
		    '{"functionName":"f' || (i % 4) || '","role":"arn:aws:iam::111122223333:role/r' || (i % 2) || '","revisionId":"' || i || '"}' AS response_elements
		FROM range(55_000) r(i)`, away, kali, leaked)
	benchmarkTrace(b, c, 0)
}
