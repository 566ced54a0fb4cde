package trino_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trailscan/query/trino"
	"trailscan/rules"
)

func rewritten(text string) string { return trino.Rewrite(text, trino.Options{}).SQL }

func TestDuckDBsDialectStaysAsItIs(t *testing.T) {
	for _, sql := range []string{
		``,
		`  -- nothing`,
		`SELECT list_transform([1, 2], lambda x: x + 1), list_filter([1], lambda x: x > 0)`,
		`SELECT filter([1, 2], lambda x: x > 1), reduce([1, 2], lambda a, x: a + x, 0)`,
		`SELECT extra -> '$.a', extra ->> 'b', request_parameters::JSON ->> '$.c' FROM events WHERE extra -> 'a' IS NOT NULL`,
		`SELECT filter(j -> 'list', lambda x: x > 1) FROM t`,
		`SELECT [x + 1 FOR x IN [1, 2] IF x > 1], {'a': 1}.a, MAP {'a': 1}['a']`,
		`SELECT * EXCLUDE (extra) REPLACE (upper(event_name) AS event_name) FROM events`,
		`FROM events SELECT event_name`,
		`WITH cloudtrail_logs AS (SELECT 1 AS a) FROM cloudtrail_logs`,
		`SELECT regexp_replace(a, 'b', '<\1>', 'g'), regexp_replace(a, '(b)', '<\1>'), regexp_extract(a, '(b)', ['x']) FROM t`,
		`SELECT json_extract(j, ['$.a', '$.b']), json_extract(j, 0), json_extract_scalar(j, '$.a[0].b') FROM t`,
		`SELECT date_diff('day', a, b), date_trunc('day', a), date_add(a, INTERVAL 1 DAY) FROM t`,
		`SELECT CAST(a AS VARCHAR), CAST(a AS MAP(VARCHAR, VARCHAR)), TRY_CAST(a AS INTEGER[]), a::VARCHAR(3) FROM t`,
		`SELECT extract(hour FROM a), extract('dow' FROM a), trim(BOTH ' ' FROM b), substring(b FROM 2 FOR 3), a IS DISTINCT FROM b FROM t`,
		`SELECT count(*) FILTER (WHERE a > 1), max(a, 2), split('a,b', ','), contains([1], 1) FROM t`,
		`SELECT 'transform(a, x -> x) FROM $EDS_ID', $$ FROM "default".cloudtrail_logs $$, "filter(a, x -> x)" /* FROM <EDS ID> /* nested */ */ FROM t -- reduce(a, 0, (s, x) -> s, s -> s)`,
		`SELECT * FROM t, unnest(a) AS u(x), unnest([1]) WITH ORDINALITY AS v(y, n)`,
		`SELECT a FROM t WHERE b = $name AND c = ? AND d = $1`,
		`SELECT values FROM t; VALUES (1), (2); SELECT * FROM (VALUES (1, 'a')) AS v(n, s)`,
		`SELECT a - b, a-b, a<b, a <b> c FROM t WHERE a <b`,
		`CREATE TEMP MACRO transform(a) AS a + 1; PREPARE q AS SELECT 1; PIVOT t ON a USING count(*)`,
		`SELECT eventname, useridentity.arn FROM cloudtrail_logs JOIN events ON event_id = eventid`,
		`SELECT e'it\'s', x'00', 'it''s', 1e-3, .5, 1_000 FROM t`,
	} {
		if got := rewritten(sql); got != sql {
			t.Errorf("%s\nbecame %s", sql, got)
		}
	}
}

// What rules show prints is Trino's dialect as well: but for the names of functions
// that give NULL instead of an empty text or an error, which the rules take for the same, it
// stays as it is.
func TestSQLOfRulesStaysAsItIs(t *testing.T) {
	for _, r := range rules.Pack() {
		if sql := r.SQL(); strings.ReplaceAll(rewritten(sql), "trino_", "") != sql {
			t.Errorf("%s became\n%s", r.ID, rewritten(sql))
		}
	}
}

func TestNamesOfTables(t *testing.T) {
	options := trino.Options{Tables: map[string]string{
		"security.Trail": trino.CloudTrailLogs, "org-lake": trino.EventDataStore, "trails": trino.CloudTrailLogs,
	}, Relations: []string{"my_cloudtrail_copy"}}
	for from, want := range map[string]string{
		`"default"."cloudtrail_logs"`:                  `cloudtrail_logs`,
		`default.cloudtrail_logs l`:                    `cloudtrail_logs l`,
		`AwsDataCatalog.default.CloudTrail_Logs`:       `cloudtrail_logs`,
		`"AwsDataCatalog"."logs"."cloudtrail_logs_pp"`: `cloudtrail_logs AS "cloudtrail_logs_pp"`,
		`$EDS_ID`:                `event_data_store`,
		`${eds_id} AS e`:         `event_data_store AS e`,
		`{{ event_data_store }}`: `event_data_store`,
		`<EDS ID>`:               `event_data_store`,
		`<$EDS_ID> e`:            `event_data_store e`,
		`<event_data_store_id>`:  `event_data_store`,
		`<your_table_name>`:      `cloudtrail_logs`,
		`event_data_store_ID`:    `event_data_store AS "event_data_store_ID"`,
		`eds1 AS edsA LEFT JOIN EDS2 AS edsB ON true`:    `event_data_store AS edsA LEFT JOIN event_data_store AS edsB ON true`,
		`1a2b3c4d-5e6f-4a8b-9c0d-1e2f3a4b5c6d`:           `event_data_store AS "1a2b3c4d-5e6f-4a8b-9c0d-1e2f3a4b5c6d"`,
		`"1A2B3C4D-5e6f-4a8b-9c0d-1e2f3a4b5c6d" e`:       `event_data_store e`,
		`EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE e`:           `event_data_store e`,
		`security.trail`:                                 `cloudtrail_logs AS "trail"`,
		`"Security"."TRAIL" AS t`:                        `cloudtrail_logs AS t`,
		`"org-lake"`:                                     `event_data_store AS "org-lake"`,
		`org-lake`:                                       `event_data_store AS "org-lake"`,
		`any.trails, (events JOIN $EDS_ID ON true)`:      `cloudtrail_logs AS "trails", (events JOIN event_data_store ON true)`,
		`<event-data-store-ID> e`:                        `event_data_store e`,
		"`default`.`cloudtrail_logs` l":                  `cloudtrail_logs l`,
		`cloudtrail_111122223333 c`:                      `cloudtrail_logs c`,
		`flaws2.cloudtrail c`:                            `cloudtrail_logs c`,
		`"cloudtrail-table" c`:                           `cloudtrail_logs c`,
		`"ir"."irgluetablecloudtrail" c`:                 `cloudtrail_logs c`,
		`"<DB>"."<TABLE>" c`:                             `cloudtrail_logs c`,
		`"${database}"."${eds_table}" c`:                 `event_data_store c`,
		`cloudtrail_lake c`:                              `event_data_store c`,
		`my_cloudtrail_copy c`:                           `my_cloudtrail_copy c`,
		`amazon_security_lake_table_cloud_trail_2_0 c`:   `amazon_security_lake_table_cloud_trail_2_0 c`,
		`(SELECT * FROM $EDS_ID) AS x, LATERAL (FROM t)`: `(SELECT * FROM event_data_store) AS x, LATERAL (FROM t)`,
	} {
		if got := trino.Rewrite("SELECT * FROM "+from, options).SQL; got != "SELECT * FROM "+want {
			t.Errorf("FROM %s\nbecame %s\nwant   FROM %s", from, strings.TrimPrefix(got, "SELECT * "), want)
		}
	}
}

// What DuckDB has with results of its own is Trino's over the views alone, and
// spellings that DuckDB does not read are read anywhere.
func TestWhatElseTrinoMeans(t *testing.T) {
	for _, q := range []struct{ sql, elsewhere, over string }{
		{`SELECT a / b AS x`, `SELECT a / b AS x`, `SELECT a // b AS x`},
		{`SELECT a * b / c, d / 2`, `SELECT a * b / c, d / 2`, `SELECT a * b // c AS "a * b / c", d // 2 AS "d / 2"`},
		{`SELECT (a) / b x, t.* REPLACE (a / b AS c)`, `SELECT (a) / b x, t.* REPLACE (a / b AS c)`, `SELECT (a) // b x, t.* REPLACE (a // b AS c)`},
		{`SELECT interval '2' day / 2 AS x`, `SELECT interval '2' day / 2 AS x`, `SELECT interval '2' day / 2 AS x`},
		{`SELECT concat(a, 'b') AS x`, `SELECT concat(a, 'b') AS x`, `SELECT ((a) || ('b')) AS x`},
		{`SELECT greatest(a, b) AS x`, `SELECT greatest(a, b) AS x`, `SELECT trino_greatest(a, b) AS x`},
		{`SELECT extract(dow FROM a) AS x`, `SELECT extract(dow FROM a) AS x`, `SELECT extract(isodow FROM a) AS x`},
		{`SELECT array_position(a, b) AS x`, `SELECT array_position(a, b) AS x`, `SELECT trino_array_position(a, b) AS x`},
		{`SELECT replace(a, 'b') AS x, * REPLACE (a AS c, d AS e)`, `SELECT replace(a, 'b', '') AS x, * REPLACE (a AS c, d AS e)`, `SELECT replace(a, 'b', '') AS x, * REPLACE (a AS c, d AS e)`},
		{`SELECT to_hex(md5(to_utf8(a))) AS x`, `SELECT upper(md5(to_utf8(a))) AS x`, `SELECT upper(md5(to_utf8(a))) AS x`},
		{`SELECT a < = 1 AS x, b > = 2 AS y`, `SELECT a <= 1 AS x, b >= 2 AS y`, `SELECT a <= 1 AS x, b >= 2 AS y`},
		{"SELECT `a b`.c", `SELECT "a b".c`, `SELECT "a b".c`},
		{`SELECT current_date - interval '1' day AS x`, `SELECT CAST(current_date - interval '1' day AS DATE) AS x`, `SELECT CAST(current_date - interval '1' day AS DATE) AS x`},
		{`SELECT 1 + date '2023-01-01' + interval '1' day`, `SELECT 1 + date '2023-01-01' + interval '1' day`, `SELECT 1 + date '2023-01-01' + interval '1' day`},
		{`SELECT CAST(split_part(a, '/', 1) AS INTEGER)`, `SELECT CAST(trino_split_part(a, '/', 1) AS INTEGER) AS "CAST(split_part(a, '/', 1) AS INTEGER)"`, `SELECT CAST(trino_split_part(a, '/', 1) AS INTEGER) AS "CAST(split_part(a, '/', 1) AS INTEGER)"`},
		{`SELECT date_partition, "date_partition" AS x`, `SELECT date_partition, "date_partition" AS x`, `SELECT "timestamp", "date_partition" AS x`},
	} {
		for from, want := range map[string]string{" FROM t": q.elsewhere, " FROM cloudtrail_logs": q.over} {
			if got := rewritten(q.sql + from); got != want+from {
				t.Errorf("%s\nbecame %s\nwant   %s", q.sql+from, got, want+from)
			}
		}
	}
	for where, want := range map[string]string{
		`eventTime >= date_format(x, '%Y')`:                                       `eventTime >= CAST(strftime(x, trino_mysql('%Y')) AS TIMESTAMP)`,
		`to_iso8601(x) < e.eventTime`:                                             `CAST(to_iso8601(x) AS TIMESTAMP) < e.eventTime`,
		`eventTime BETWEEN to_iso8601(x) AND to_iso8601(y) AND to_iso8601(z) = a`: `eventTime BETWEEN CAST(to_iso8601(x) AS TIMESTAMP) AND CAST(to_iso8601(y) AS TIMESTAMP) AND to_iso8601(z) = a`,
	} {
		if got := rewritten("SELECT 1 FROM $EDS_ID e WHERE " + where); got != "SELECT 1 FROM event_data_store e WHERE "+want {
			t.Errorf("%s\nbecame %s", where, got)
		}
	}
	if got := rewritten(`VALUES DATE '2023-01-01', NULL`); got != `VALUES (DATE '2023-01-01'), (NULL)` {
		t.Error(got)
	}
}

func TestTimesBoundTheTable(t *testing.T) {
	for where, want := range map[string]string{
		`eventtime >= '2023-05-01'`:                                             `TIMESTAMP '2023-05-01 00:00:00', TIMESTAMP 'infinity'`,
		`eventtime > '2023-05-01T00:00:00Z' AND eventname = 'X'`:                `TIMESTAMP '2023-05-01 00:00:01', TIMESTAMP 'infinity'`,
		`'2023-05-01' > l.eventtime`:                                            `TIMESTAMP '-infinity', TIMESTAMP '2023-05-01 00:00:00'`,
		`eventtime <= '2023-05-01T12:00:00Z'`:                                   `TIMESTAMP '-infinity', TIMESTAMP '2023-05-01 12:00:01'`,
		`(eventtime BETWEEN '2023-05-01' AND '2023-05-02T00') AND 1`:            `TIMESTAMP '2023-05-01 00:00:00', TIMESTAMP '2023-05-02 00:00:00'`,
		`eventtime LIKE '2023-05-0%'`:                                           `TIMESTAMP '2023-05-01 00:00:00', TIMESTAMP '2023-05-10 00:00:00'`,
		`"timestamp" = '2023/05/01'`:                                            `TIMESTAMP '2023-05-01 00:00:00', TIMESTAMP '2023-05-02 00:00:00'`,
		`date_partition >= '2023/05/01'`:                                        `TIMESTAMP '2023-05-01 00:00:00', TIMESTAMP 'infinity'`,
		`region = 'x' AND year = '2023'`:                                        `TIMESTAMP '2023-01-01 00:00:00', TIMESTAMP '2024-01-01 00:00:00'`,
		`year = '2023' AND month = '02'`:                                        `TIMESTAMP '2023-02-01 00:00:00', TIMESTAMP '2023-03-01 00:00:00'`,
		`year='2024' AND month='02' AND day='29'`:                               `TIMESTAMP '2024-02-29 00:00:00', TIMESTAMP '2024-03-01 00:00:00'`,
		`year >= '2023'`:                                                        `TIMESTAMP '2023-01-01 00:00:00', TIMESTAMP 'infinity'`,
		`from_iso8601_timestamp(eventtime) < TIMESTAMP '2023-05-01'`:            `TIMESTAMP '-infinity', least(CAST(TIMESTAMP '2023-05-01' AS TIMESTAMP) + INTERVAL 1 SECOND, TIMESTAMP 'infinity')`,
		`from_iso8601_timestamp(eventtime) >= now() - interval '7' day`:         `greatest(CAST(now() - interval '7' day AS TIMESTAMP), TIMESTAMP '-infinity'), TIMESTAMP 'infinity'`,
		`eventtime > to_iso8601(now() - interval '7' day)`:                      `greatest(CAST(now() - interval '7' day AS TIMESTAMP) - INTERVAL 1 DAY, TIMESTAMP '-infinity'), TIMESTAMP 'infinity'`,
		`timestamp <= date_format(current_date, '%Y/%m/%d')`:                    `TIMESTAMP '-infinity', least(CAST(current_date AS TIMESTAMP) + INTERVAL 1 DAY, TIMESTAMP 'infinity')`,
		`timestamp <= date_format(current_date, '%d/%m/%Y')`:                    ``,
		`eventtime > to_iso8601(sometime)`:                                      ``,
		`eventtime >= '2023-05-01' OR eventname = 'X'`:                          ``,
		`NOT eventtime >= '2023-05-01'`:                                         ``,
		`o.eventtime >= '2023-05-01'`:                                           ``,
		`month = '05'`:                                                          ``,
		`eventtime >= eventname`:                                                ``,
		`eventtime || 'x' >= '2023-05-01'`:                                      ``,
		`from_iso8601_timestamp(eventtime) < from_iso8601_timestamp(useragent)`: ``,
	} {
		got := rewritten("SELECT * FROM cloudtrail_logs l WHERE " + where + " GROUP BY 1")
		got, _, _ = strings.Cut(strings.TrimPrefix(got, "SELECT * FROM "), " l WHERE ")
		if want != "" {
			want = trino.BoundedLogs + "(" + want + ")"
		} else {
			want = trino.CloudTrailLogs
		}
		if got != want {
			t.Errorf("%s\ngives %s\nwant  %s", where, got, want)
		}
	}
}

func TestIdentitiesBoundTheTable(t *testing.T) {
	for where, want := range map[string]string{
		`useridentity.accesskeyid = 'AKIA'`:                                             `access_key_id = 'AKIA'`,
		`'AKIA' = l.userIdentity.accessKeyId AND eventname = 'X'`:                       `access_key_id = 'AKIA'`,
		`(useridentity.arn LIKE '%x' AND useridentity."type" <> 'Root')`:                `identity_arn LIKE '%x' AND identity_type <> 'Root'`,
		`useridentity.username NOT LIKE 'a%'`:                                           `user_name NOT LIKE 'a%'`,
		`useridentity.sessioncontext.sessionissuer.username IN ('a', 'b') AND NOT true`: `session_issuer_name IN ('a', 'b')`,
		`useridentity.accountid IS NOT NULL`:                                            `identity_account_id IS NOT NULL`,
		`regexp_like(useridentity.principalid, ':i-[0-9a-f]+$')`:                        `regexp_like(principal_id, ':i-[0-9a-f]+$')`,
		`useridentity.accesskeyid = $key`:                                               `access_key_id = $key`,
		`useridentity.sessioncontext.attributes.mfaauthenticated = 'true'`:              `CAST(session_mfa AS VARCHAR) = 'true'`,
		`useridentity.accesskeyid IS NULL`:                                              ``,
		`useridentity.accesskeyid = ?`:                                                  ``,
		`useridentity.accesskeyid = eventid`:                                            ``,
		`useridentity.accesskeyid IN ('a', eventid)`:                                    ``,
		`useridentity.accesskeyid IN (SELECT 'a')`:                                      ``,
		`useridentity.accesskeyid = 'a' OR eventname = 'X'`:                             ``,
		`NOT useridentity.accesskeyid = 'a'`:                                            ``,
		`useridentity.accesskeyid = 'a' || 'b'`:                                         ``,
		`useridentity.onbehalfof.userid = 'a'`:                                          ``,
		`o.useridentity.accesskeyid = 'a'`:                                              ``,
		`lower(useridentity.arn) = 'a'`:                                                 ``,
		`useridentity.arn LIKE 'a#%' ESCAPE '#'`:                                        ``,
	} {
		for _, of := range []struct{ name, macro string }{{trino.CloudTrailLogs, trino.LogsOf}, {trino.EventDataStore, trino.LakeOf}} {
			got := rewritten("SELECT 1 FROM " + of.name + " l WHERE " + where + " GROUP BY 1")
			got, _, _ = strings.Cut(strings.TrimPrefix(got, "SELECT 1 FROM "), " l WHERE ")
			if from := map[bool]string{true: of.name, false: of.macro + "(" + want + ")"}[want == ""]; got != from {
				t.Errorf("%s\ngives %s\nwant  %s", where, got, from)
			}
		}
	}
	const both = `SELECT 1 FROM cloudtrail_logs WHERE eventtime >= '2023' AND useridentity.accesskeyid = 'a'`
	want := `SELECT 1 FROM ` + trino.BoundedLogsOf + `(TIMESTAMP '2023-01-01 00:00:00', TIMESTAMP 'infinity', access_key_id = 'a') AS "cloudtrail_logs" WHERE eventtime >= '2023' AND useridentity.accesskeyid = 'a'`
	if got := rewritten(both); got != want {
		t.Error(got)
	}
}

func TestTimeIsReadAsItIs(t *testing.T) {
	const timed = ` FROM trino_cloudtrail_logs_timed(true, true) AS "cloudtrail_logs"`
	for sql, want := range map[string]string{
		`SELECT date_trunc('hour', from_iso8601_timestamp(eventtime)) AS h, count(*) FROM cloudtrail_logs GROUP BY 1`: `SELECT make_timestamptz(epoch_us(date_trunc('hour', date_trunc('second', "cloudtrail_logs".trino_time)))) AS h, count(*)` + timed + ` GROUP BY 1`,
		`SELECT hour(from_iso8601_timestamp(eventtime)) AS h FROM cloudtrail_logs`:                                    `SELECT hour(date_trunc('second', "cloudtrail_logs".trino_time)) AS h` + timed,
		`SELECT max(from_iso8601_timestamp(l.eventtime)) AS m FROM logs.cloudtrail_logs l WHERE eventtime > '2023' AND l.useridentity.type = 'Root'`: `SELECT max(make_timestamptz(epoch_us(date_trunc('second', "l".trino_time)))) AS m FROM trino_cloudtrail_logs_timed(` +
			`event_time >= TIMESTAMP '2023-01-01 00:00:00' AND event_time < TIMESTAMP 'infinity', identity_type = 'Root') l WHERE eventtime > '2023' AND l.useridentity.type = 'Root'`,
		// Of these there may be another eventtime, or one more column would show.
		`SELECT *, from_iso8601_timestamp(eventtime) AS t FROM cloudtrail_logs`:                                                                 ``,
		`SELECT cloudtrail_logs.* FROM cloudtrail_logs WHERE from_iso8601_timestamp(eventtime) IS NOT NULL`:                                     ``,
		`SELECT from_iso8601_timestamp(eventtime) AS eventtime FROM cloudtrail_logs`:                                                            ``,
		`SELECT min(eventtime) eventtime FROM cloudtrail_logs ORDER BY from_iso8601_timestamp(eventtime)`:                                       ``,
		`SELECT eventtime, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY from_iso8601_timestamp(eventtime)`:                                 ``,
		`SELECT DISTINCT eventtime, from_iso8601_timestamp(eventtime) AS t FROM cloudtrail_logs`:                                                ``,
		`SELECT hour(from_iso8601_timestamp(eventtime)) AS h FROM cloudtrail_logs GROUP BY from_iso8601_timestamp(eventtime)`:                   ``,
		`WITH x AS (SELECT eventtime FROM t) SELECT from_iso8601_timestamp(eventtime) AS t FROM x WHERE EXISTS (SELECT 1 FROM cloudtrail_logs)`: ``,
		`SELECT from_iso8601_timestamp(eventtime) AS t FROM cloudtrail_logs JOIN t ON true`:                                                     ``,
		`FROM cloudtrail_logs WHERE from_iso8601_timestamp(eventtime) IS NOT NULL`:                                                              ``,
	} {
		got := rewritten(sql)
		if want == "" && strings.Contains(got, "trino_time") || want != "" && got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", sql, got, want)
		}
	}
}

// fragments are what queries are made of here, Trino's and DuckDB's.
var fragments = []string{
	"SELECT", "FROM", "WHERE", "JOIN", "ON", "AND", "OR", "AS", "CAST", "UNNEST", "transform", "reduce", "filter", "element_at", "(", ")", "[", "]", "{", "}",
	"<", ">", ",", ".", "->", "->>", "-", "AT", "TIME", "ZONE", "'", "''", `"`, "--", "/*", "*/", "\n", " ", "x", "eventtime", "cloudtrail_logs", "$EDS_ID",
	"$$", "VALUES", "1", "BETWEEN", "LIKE", "ARRAY", "MAP", "ROW", "VARCHAR", "json_extract", "IS DISTINCT FROM", "EXTRACT", "SHOW COLUMNS", "WITH ORDINALITY",
	";", "é", "\u00a0", "\xff", "=", "'2023-01-01'", "format", "map_agg", "listagg", "WITHIN GROUP", "UNION", "date_parse", "year", "*", "%", "1a2b3c4d-5e6f", "::",
}

func TestAnythingCanBeRewritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(fragments), rapid.String()), 0, 40).Draw(t, "text"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		once := rewritten(text)
		if strings.TrimSpace(text) != "" && strings.TrimSpace(once) == "" {
			t.Fatalf("%q is gone", text)
		}
	})
}

// Literals, quoted names and comments go through whatever surrounds them.
func TestLiteralsAreLeftAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inside := rapid.StringMatching(`[a-zA-Z $<>(){},.;/*-]{0,30}`).Draw(t, "inside") + rapid.SampledFrom([]string{"", "transform(a, x -> x)", "FROM $EDS_ID"}).Draw(t, "more")
		comment := strings.NewReplacer("*/", "", "/*", "").Replace(inside)
		for _, kept := range []string{"'" + inside + "'", `"` + inside + `"`, "/*" + comment + " */", "--" + inside + "\n"} {
			sql := "SELECT transform(a, x -> x || b), " + kept + " c FROM $EDS_ID"
			want := "SELECT list_transform(a, lambda x: x || b) AS \"transform(a, x -> x || b)\", " + kept + " c FROM event_data_store"
			if got := rewritten(sql); got != want {
				t.Fatalf("%s\nbecame %s\nwant   %s", sql, got, want)
			}
		}
	})
}

// However deep it is nested, a query takes no time to speak of.
func TestNestingIsCheap(t *testing.T) {
	for _, of := range [][2]string{
		{"(", ")"}, {"transform(", ", 1)"}, {"transform(", ", x -> x)"}, {"CAST(", " AS INTEGER)"}, {"CAST(", " AS ARRAY(VARCHAR))"}, {"json_extract(", ", '$.a')"},
		{"reduce(a, ", ", (s, x) -> s, s -> s)"}, {"(", " AT TIME ZONE 'UTC')"}, {"(", " AT TIME ZONE ,)"}, {"any_match(", ", x -> x)"}, {"(SELECT transform(", ", x -> x))"},
		{"CAST(json_extract(", ", '$') AS ARRAY(ROW(a VARCHAR)))"}, {"map_agg(", ", 1)"}, {"map_filter(", ", 1)"}, {"date_add('day', 1, ", ")"}, {"a + (", ")"},
	} {
		for _, depth := range []int{30, 400, 2_000} {
			rewritten("SELECT " + strings.Repeat(of[0], depth) + "x" + strings.Repeat(of[1], depth) + " FROM $EDS_ID")
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("SELECT transform(a, x -> x) FROM <EDS ID> CROSS JOIN UNNEST(a, b) WITH ORDINALITY AS t(x, y, n)")
	f.Add("SELECT CAST(json_extract(x, '$[\"a\"]') AS ARRAY(ROW(a VARCHAR(3)))) AT TIME ZONE 'UTC' FROM \"default\".cloudtrail_logs WHERE eventtime > '2023' AND (year = '1'")
	f.Fuzz(func(t *testing.T, text string) { rewritten(text) })
}
