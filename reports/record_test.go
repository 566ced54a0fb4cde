package reports

import (
	"strings"
	"testing"
)

func TestWriteRows(t *testing.T) {
	c := testCase(t)
	const text = `SELECT 1 AS n, sum(x) AS big, 1.50::DECIMAL(4,2) AS dec, NULL AS none, TIMESTAMP '2026-09-01 10:00:00' AS at,
    ['a', 'b'] AS list, {'k': 1} AS struct, MAP {'m': 2} AS map, true AS yes, '=1' || chr(27) AS hostile, 2 AS n,
    'nan'::DOUBLE AS nan, '00000000-0000-0000-0000-00000000000a'::UUID AS id,
    DATE '2026-09-01' AS day, TIME '10:00:00.5' AS clock FROM range(3) t(x)`
	for format, want := range map[string]string{
		"ndjson": `{"n":1,"big":3,"dec":1.5,"none":null,"at":"2026-09-01T10:00:00Z","list":["a","b"],"struct":{"k":1},"map":{"m":2},"yes":true,"hostile":"=1\u001b","n_1":2,"nan":"NaN","id":"00000000-0000-0000-0000-00000000000a","day":"2026-09-01","clock":"10:00:00.5"}` + "\n",
		"csv": "n,big,dec,none,at,list,struct,map,yes,hostile,n,nan,id,day,clock\n" +
			`1,3,1.5,,2026-09-01T10:00:00Z,"[""a"",""b""]","{""k"":1}","{""m"":2}",true,'=1\x1b,2,NaN,00000000-0000-0000-0000-00000000000a,2026-09-01,10:00:00.5` + "\n",
	} {
		rows, err := c.DB.Query(text)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := WriteRows(&b, format, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%s is\n%s, want\n%s", format, b.String(), want)
		}
	}
}
