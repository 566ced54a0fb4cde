package query_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/internal/casetest"
	"trailscan/query"
)

func TestMain(m *testing.M) { casetest.FewerChecks(m) }

// exportable is a case with n events, an hour apart, in two accounts and two
// regions, each with secrets in all the ways that logs carry them.
func exportable(t testing.TB, n int) *query.Case {
	t.Helper()
	c := newCase(t)
	casetest.Insert(t, c.DB, `(event_id, event_time, event_source, event_name, aws_region, recipient_account_id, identity_account_id,
			response_elements, request_parameters, extra, session_created, source_id, record_index)
		SELECT 'event' || i, TIMESTAMP '2026-09-14' + INTERVAL 1 HOUR * (i % 1000) + INTERVAL 5 MINUTE, 'sts.amazonaws.com', 'AssumeRole', ['us-east-1', 'eu-west-1'][1 + i % 2],
			['111122223333', '444455556666'][1 + i // 2 % 2], '999988887777',
			'{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"SECRET/a\"b==","expiration":"Sep 14, 2026"}}',
			'{"password":"SECRET","nextToken":"kept","url":"https://x/?X-Amz-Security-Token=SECRET&a=kept"}',
			'{"raw":"{\"responseElements\":\"{\\\"sessionToken\\\":\\\"SECRET\\\",\\\"kept\\\":1}\"}","csv":"{\"\"SessionToken\"\":\"\"SECRET\"\",kept","$base64":["SECRET=="]}',
			TIMESTAMP '2026-09-14', 1, i
		FROM range(?) r(i)`, n)
	return c
}

func newCase(t testing.TB) *query.Case {
	t.Helper()
	c, err := query.Open(context.Background(), filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// scan reads one row.
func scan(t *testing.T, c *query.Case, sql string, into ...any) {
	t.Helper()
	if err := c.DB.QueryRow(sql).Scan(into...); err != nil {
		t.Fatal(err)
	}
}

// files lists what lies below dir, with its SHA-256.
func files(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm() &^ 0o644; mode != 0 {
			t.Errorf("%s has mode %o", path, info.Mode())
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = sha256.Sum256(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameEvents compares the events of a case with those of an export of it.
func sameEvents(t interface {
	Helper()
	Fatal(...any)
}, c *query.Case, dir string) {
	t.Helper()
	var names []string
	for _, col := range query.EventColumns {
		switch {
		case col.Name == "account_id":
			names = append(names, "recipient_account_id")
		case col.Type == "TIMESTAMP":
			names = append(names, "CAST("+col.Name+" AS TIMESTAMP)")
		default:
			names = append(names, col.Name)
		}
	}
	columns := strings.Join(names, ", ")
	for _, sql := range []string{
		`SELECT count(*) FROM (SELECT %[1]s FROM whole_records EXCEPT ALL SELECT %[1]s FROM read_parquet('%[2]s/**/*.parquet'))`,
		`SELECT count(*) FROM (SELECT %[1]s FROM read_parquet('%[2]s/**/*.parquet') EXCEPT ALL SELECT %[1]s FROM whole_records)`,
	} {
		var n int
		if err := c.DB.QueryRow(fmt.Sprintf(sql, columns, dir)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			t.Fatal(n, "events differ: ", sql)
		}
	}
}

func TestExportIsTheEventsByAccountRegionAndDay(t *testing.T) {
	c := exportable(t, 100)
	dir := filepath.Join(t.TempDir(), "new", "out's")
	done, err := query.Export{KeepSecrets: true}.Write(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	sameEvents(t, c, strings.ReplaceAll(dir, "'", "''"))
	got := files(t, dir)
	if done.Events != 100 || int(done.Files) != len(got) || len(got) != 20 { // 5 days, 2 accounts, 2 regions
		t.Errorf("wrote %+v, and there are %d files", done, len(got))
	}
	if _, ok := got["account_id=111122223333/region=us-east-1/date=2026-09-14/part-00000.parquet"]; !ok {
		t.Errorf("files are %v", got)
	}
	glob := strings.ReplaceAll(dir, "'", "''") + "/**/*.parquet"
	var off int
	scan(t, c, `SELECT count(*) FROM read_parquet('`+glob+`', hive_partitioning = true, hive_types = {'account_id': VARCHAR, 'date': VARCHAR})
		WHERE account_id <> recipient_account_id OR region <> aws_region OR date <> strftime(event_time, '%Y-%m-%d')`, &off)
	if off > 0 {
		t.Errorf("%d rows lie in the wrong partition", off)
	}
	var unsorted, kinds int
	scan(t, c, `SELECT count(*) FROM (SELECT event_time < lag(event_time) OVER (PARTITION BY filename ORDER BY file_row_number) AS x
		FROM read_parquet('`+glob+`', filename = true, file_row_number = true)) WHERE x`, &unsorted)
	if unsorted > 0 {
		t.Errorf("%d rows are not in order of time", unsorted)
	}
	// What Athena reads: plain and dictionary pages, zstd, timestamps in microseconds.
	scan(t, c, `SELECT count(*) FROM parquet_metadata('`+glob+`') WHERE compression <> 'ZSTD' OR NOT regexp_full_match(encodings, '(PLAIN|PLAIN_DICTIONARY|RLE_DICTIONARY|RLE)(, (PLAIN|RLE|RLE_DICTIONARY|PLAIN_DICTIONARY))*')`, &kinds)
	if kinds > 0 {
		t.Errorf("%d columns have other encodings", kinds)
	}
	scan(t, c, `SELECT count(*) FROM parquet_schema('`+glob+`') WHERE num_children IS NULL AND (repetition_type <> 'OPTIONAL'
		OR type NOT IN ('BYTE_ARRAY', 'BOOLEAN', 'INT64') OR (type = 'BYTE_ARRAY') <> (converted_type IS NOT DISTINCT FROM 'UTF8')
		OR (converted_type IS NOT DISTINCT FROM 'TIMESTAMP_MICROS') <> (name IN ('event_time', 'session_created', 'issued_expiration')))`, &kinds)
	if kinds > 0 {
		t.Errorf("%d columns have other types", kinds)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info, err)
	}
}

func TestExportInBatchesHoldsTheSame(t *testing.T) {
	c := exportable(t, 100)
	var first map[string][32]byte
	for _, batch := range []int64{0, 7, 24, 30, 1} {
		dir := filepath.Join(t.TempDir(), "out")
		x := query.Export{KeepSecrets: true}
		x.SetBatch(batch)
		done, err := x.Write(context.Background(), c, dir)
		if err != nil {
			t.Fatal(err)
		}
		if done.Events != 100 {
			t.Errorf("batches of %d: %d events", batch, done.Events)
		}
		sameEvents(t, c, dir)
		got := files(t, dir)
		if first == nil {
			first = got
		}
		if batch == 30 && fmt.Sprint(got) != fmt.Sprint(first) {
			t.Errorf("days that fit into batches differ by the batch: %d and %d files", len(got), len(first))
		}
	}
}

func TestExportLeavesSecretsOut(t *testing.T) {
	c := exportable(t, 4)
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := (query.Export{}).Write(context.Background(), c, dir); err != nil {
		t.Fatal(err)
	}
	var response, request, extra string
	scan(t, c, `SELECT min(response_elements), min(request_parameters), min(extra) FROM read_parquet('`+dir+`/**/*.parquet')`, &response, &request, &extra)
	for got, want := range map[string]string{
		response: `{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"removed by trailscan","expiration":"Sep 14, 2026"}}`,
		request:  `{"password":"removed by trailscan","nextToken":"kept","url":"https://x/?X-Amz-Security-Token=removed by trailscan&a=kept"}`,
		extra: `{"raw":"{\"responseElements\":\"{\\\"sessionToken\\\":\\\"removed by trailscan\\\",\\\"kept\\\":1}\"}",` +
			`"csv":"{\"\"SessionToken\"\":\"\"removed by trailscan\"\",kept","$base64":[]}`,
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	var secrets string
	scan(t, c, `SELECT DISTINCT decode(value) FROM parquet_kv_metadata('`+dir+`/**/*.parquet') WHERE decode(key) = 'trailscan.secrets'`, &secrets)
	if secrets != "removed" {
		t.Errorf("the files say that secrets are %s", secrets)
	}
}

// Secrets in JSON go whatever they are, and it stays JSON with all else in it.
func TestSecretsLeaveJSONWhole(t *testing.T) {
	c := newCase(t)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`[ -~é\x{1F600}]{0,12}`)
		name := rapid.SampledFrom([]string{"sessionToken", "SecretAccessKey", "masterUserPassword", "x-amz-security-token"}).Draw(r, "name")
		before, after := text.Draw(r, "before"), text.Draw(r, "after")
		secret := "qSECRETq" + text.Draw(r, "secret") + "zSECRETz"
		depth := rapid.IntRange(0, 2).Draw(r, "depth")
		if depth > 0 {
			secret = strings.Map(func(c rune) rune {
				if c == '"' || c == '\\' {
					return '/'
				}
				return c
			}, secret)
		}
		var got, want string
		err := c.DB.QueryRow(query.WithoutSecrets(`CAST(json_object('a', ?::VARCHAR, ?::VARCHAR, x, 'z', ?::VARCHAR) AS VARCHAR)`, depth),
			before, name, after, secret).Scan(&got, &want)
		if err != nil {
			r.Fatal(err)
		}
		if got != want {
			r.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestExportOfHostileNames(t *testing.T) {
	c := newCase(t)
	casetest.Insert(t, c.DB, `(event_id, event_time, recipient_account_id, aws_region, source_id, record_index)
		SELECT 'event' || i, TIMESTAMP '2026-09-14', name, name, 1, i FROM (SELECT unnest([
			NULL, '', '.', '..', '../../evil', '/etc', 'a/b', 'a' || chr(0) || 'b', 'a=b', 'us east', 'us-east-1%2F', 'é', '*', '''; DROP TABLE records; --',
			repeat('x', 300), '-', 'us-east-1' || chr(10)]) AS name, unnest(range(17)) AS i)`)
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if _, err := (query.Export{}).Write(context.Background(), c, dir); err != nil {
		t.Fatal(err)
	}
	sameEvents(t, c, dir)
	var got []string
	for path := range files(t, parent) {
		got = append(got, path)
	}
	slices.Sort(got)
	want := []string{
		"out/account_id=-/region=-/date=2026-09-14/part-00000.parquet",
		"out/account_id=__HIVE_DEFAULT_PARTITION__/region=__HIVE_DEFAULT_PARTITION__/date=2026-09-14/part-00000.parquet",
	}
	if !slices.Equal(got, want) {
		t.Errorf("files are %q", got)
	}
}

func TestExportRange(t *testing.T) {
	c := exportable(t, 100)
	at := func(hours int) time.Time { return time.Date(2026, 9, 14, hours, 5, 0, 0, time.UTC) }
	for _, test := range []struct {
		since, until time.Time
		want         int64
	}{
		{at(0), at(100), 100}, {at(1), at(100), 99}, {at(0), at(99), 99}, {at(30), at(31), 1}, {at(30), at(30).Add(time.Second), 1},
		{at(30).Add(time.Second), at(31), 0}, {at(200), time.Time{}, 0}, {time.Time{}, at(50), 50}, {at(50), time.Time{}, 50},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		done, err := query.Export{Since: test.since, Until: test.until}.Write(context.Background(), c, dir)
		if err != nil || done.Events != test.want {
			t.Errorf("%v to %v: %d events, %v, want %d", test.since, test.until, done.Events, err, test.want)
		}
		if _, err := os.Stat(dir); (err == nil) != (test.want > 0) {
			t.Errorf("%v to %v: %v", test.since, test.until, err)
		}
	}
}

func TestExportReplacesAnExportAlone(t *testing.T) {
	c := exportable(t, 10)
	ctx := context.Background()
	write := func(dir string, overwrite bool) error {
		_, err := query.Export{Overwrite: overwrite}.Write(ctx, c, dir)
		return err
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, false); err != nil {
		t.Fatalf("into an empty folder: %v", err)
	}
	if err := write(dir, false); !errors.Is(err, query.ErrOccupied) {
		t.Fatalf("over an export: %v", err)
	}
	before := files(t, parent)
	if err := write(dir, true); err != nil {
		t.Fatalf("over an export with Overwrite: %v", err)
	}
	if after := files(t, parent); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%v became %v", before, after)
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 1 {
		t.Errorf("beside the export lies %v", entries)
	}
	for _, name := range []string{"notes.txt", "account_id=1/notes.txt", "account_id=1/region=x/date=y/part-1/deep"} {
		mine := filepath.Join(t.TempDir(), "mine")
		path := filepath.Join(mine, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("mine"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := write(mine, true); !errors.Is(err, query.ErrOccupied) {
			t.Errorf("over %s: %v", name, err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}

func TestExportThatIsStoppedLeavesNothing(t *testing.T) {
	c := exportable(t, 100)
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	x := query.Export{Progress: func(done, total int64) {
		if entries, _ := os.ReadDir(parent); len(entries) != 1 || !strings.HasPrefix(entries[0].Name(), ".out.partial-") {
			t.Errorf("while it is written there is %v", entries)
		}
		if done > total/2 {
			cancel()
		}
	}}
	if _, err := x.Write(ctx, c, filepath.Join(parent, "out")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) > 0 {
		t.Errorf("%v is left", entries)
	}
}

func TestDocumentedTableHasTheColumnsOfAFile(t *testing.T) {
	c := exportable(t, 1)
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := (query.Export{}).Write(context.Background(), c, dir); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/export.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "CREATE EXTERNAL TABLE trailscan_events (\n")
	table, _, _ = strings.Cut(table, "\n)")
	got := strings.Join(strings.Fields(table), " ")
	var want string
	scan(t, c, `SELECT string_agg(name || ' ' || CASE WHEN type = 'BOOLEAN' THEN 'boolean' WHEN converted_type = 'UTF8' THEN 'string'
			WHEN converted_type = 'TIMESTAMP_MICROS' THEN 'timestamp' WHEN type = 'INT64' THEN 'bigint' END, ', ')
		FROM parquet_schema('`+dir+`/**/*.parquet') WHERE num_children IS NULL`, &want)
	if got != want {
		t.Errorf("docs/export.md has\n%s\nand a file\n%s", got, want)
	}
}

func BenchmarkExport(b *testing.B) {
	const events = 100_000
	c := exportable(b, events)
	for name, keep := range map[string]bool{"without secrets": false, "with secrets": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := (query.Export{KeepSecrets: keep}).Write(context.Background(), c, filepath.Join(b.TempDir(), "out")); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
		})
	}
}
