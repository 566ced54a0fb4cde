//go:build unix

package query_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"trailscan/internal/benchcase"
	"trailscan/internal/scenario"
	"trailscan/query"
	"trailscan/query/trino"
)

// BenchmarkQuery measures what an analyst waits for, on two threads, over a case
// as ingest stores it: 100,000 generated events, or as many as
// TRAILSCAN_BENCH_EVENTS says, or the case that TRAILSCAN_BENCH_CASE names.
// cpu-ms is processor time, which other work on the machine disturbs less.
func BenchmarkQuery(b *testing.B) {
	path := os.Getenv("TRAILSCAN_BENCH_CASE")
	if path == "" {
		events := 100_000
		if s := os.Getenv("TRAILSCAN_BENCH_EVENTS"); s != "" {
			var err error
			if events, err = strconv.Atoi(s); err != nil {
				b.Fatal(err)
			}
		}
		path = benchcase.Generated(b, scenario.Volume{Events: events, Files: events / 1500, Leaked: events / 2000, Seed: 1})
	}
	o := query.Options{Access: query.Confined, Threads: 2}
	b.Run("open", func(b *testing.B) {
		measure(b, func() {
			c, err := query.Open(b.Context(), path, o)
			if err != nil {
				b.Fatal(err)
			}
			c.Close()
		})
	})
	c, err := query.Open(b.Context(), path, o)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	one := func(text string) string {
		got, err := ask(c, text, nil)
		if err != nil || got == "" {
			b.Fatal(got, err)
		}
		return got
	}
	params := map[string]string{
		"key":     one(`SELECT access_key_id FROM events WHERE identity_type = 'IAMUser' AND access_key_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`),
		"name":    one(`SELECT event_name FROM events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`),
		"address": one(`SELECT source_ip_address FROM events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`),
		"since":   one(`SELECT min(event_time) + (max(event_time) - min(event_time)) / 3 FROM events`),
		"until":   one(`SELECT min(event_time) + (max(event_time) - min(event_time)) / 3 + INTERVAL 2 DAY FROM events`),
	}
	// Athena's and Lake's queries have their times as text.
	text := map[string]string{
		"since": one(`SELECT strftime(min(event_time) + (max(event_time) - min(event_time)) / 3, '%Y-%m-%dT%H:%M:%SZ') FROM events`),
		"until": one(`SELECT strftime(min(event_time) + (max(event_time) - min(event_time)) / 3 + INTERVAL 2 DAY, '%Y-%m-%dT%H:%M:%SZ') FROM events`),
		"day":   one(`SELECT strftime(max(event_time) - INTERVAL 2 DAY, '%Y/%m/%d') FROM events`),
	}
	const when = ` AND event_time >= $since AND event_time < $until`
	const row = `SELECT event_time, event_name, aws_region, source_ip_address, identity_arn, error_code FROM events WHERE `
	for _, q := range []struct{ name, text string }{
		{"by key", row + `access_key_id = $key` + when + ` ORDER BY event_time`},
		{"by key, all columns", `SELECT * FROM events WHERE access_key_id = $key` + when + ` ORDER BY event_time`},
		{"by address", row + `source_ip_address = $address` + when + ` ORDER BY event_time LIMIT 1000`},
		{"by name", row + `event_name = $name` + when + ` ORDER BY event_time LIMIT 1000`},
		{"by name, counted", `SELECT count(*) FROM events WHERE event_name = $name` + when},
		{"by hour", `SELECT date_trunc('hour', event_time), count(*) FROM events GROUP BY 1 ORDER BY 1`},
		{"logs by key", `SELECT eventtime, eventname, useridentity.arn FROM cloudtrail_logs WHERE eventtime >= '` + text["since"] + `'
			AND eventtime < '` + text["until"] + `' AND useridentity.accesskeyid = $key ORDER BY eventtime`},
		{"logs by name and partitions", `SELECT eventtime, eventname, sourceipaddress FROM cloudtrail_logs WHERE "timestamp" >= '` + text["day"] + `'
			AND region = 'us-east-1' AND eventname = $name ORDER BY eventtime LIMIT 1000`},
		{"logs by hour", `SELECT date_trunc('hour', from_iso8601_timestamp(eventtime)), count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 1`},
		{"lake by key", `SELECT eventTime, eventName, userIdentity.arn FROM $EDS_ID WHERE eventTime >= '` + text["since"] + `'
			AND eventTime < '` + text["until"] + `' AND userIdentity.accessKeyId = $key ORDER BY eventTime`},
		{"lake by name", `SELECT eventTime, element_at(requestParameters, 'bucketName') FROM $EDS_ID WHERE eventTime >= '` + text["since"] + `'
			AND eventTime < '` + text["until"] + `' AND eventName = $name ORDER BY eventTime LIMIT 1000`},
		{"lake by hour", `SELECT date_trunc('hour', eventTime), count(*) FROM event_data_store GROUP BY 1 ORDER BY 1`},
	} {
		b.Run(q.name, func(b *testing.B) {
			measure(b, func() {
				_, st, _ := query.Statements(q.text)
				if _, err := run(c, st.Translated(trino.Options{}), params); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func measure(b *testing.B, f func()) {
	f() // what is read from disk is in memory then
	before := processorTime(b)
	n := 0
	for b.Loop() {
		f()
		n++
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(n), "cpu-ms/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
