package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/go-json-experiment/json/jsontext"

	"trailscan/query"
)

// record is a row of a query's answer: values as DuckDB's driver gives them, by
// column. Its JSON is an object in the order of the columns.
type record struct {
	columns []query.AnswerColumn
	values  []any
}

// MarshalJSONTo writes the record. Columns of the same name are kept apart by a
// number, as DuckDB does in a table it creates from them.
func (r record) MarshalJSONTo(e *jsontext.Encoder) error {
	b := []byte{'{'}
	for i, name := range distinctNames(r.columns) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		text, isText := r.values[i].(string)
		switch raw := jsontext.Value(text); {
		case isText && r.columns[i].JSON && raw.IsValid():
			b = append(b, text...)
		default:
			b = appendValue(b, r.values[i], r.columns[i].Type)
		}
	}
	return e.WriteValue(append(b, '}'))
}

// distinctNames are the names of columns, each once.
func distinctNames(columns []query.AnswerColumn) []string {
	names := make([]string, len(columns))
	used := map[string]int{}
	for i, c := range columns {
		name := c.Name
		used[name]++
		if n := used[name]; n > 1 {
			name = fmt.Sprintf("%s_%d", name, n-1)
			used[name]++
		}
		names[i] = name
	}
	return names
}

// appendValue adds a value as JSON. Members of structs and maps keep their order.
func appendValue(b []byte, v any, t duckdb.TypeInfo) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		return appendFloat(b, v, 64)
	case float32:
		return appendFloat(b, float64(v), 32)
	case *big.Int: // HUGEINT, which every sum of integers is
		return v.Append(b, 10)
	case duckdb.Decimal:
		return append(b, v.String()...)
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64, int, uint:
		return fmt.Append(b, v)
	case duckdb.OrderedMap:
		key, value := mapTypes(t)
		values := v.Values()
		b = append(b, '{')
		for i, k := range v.Keys() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, valueText(k, key))
			b = append(b, ':')
			b = appendValue(b, values[i], value)
		}
		return append(b, '}')
	case duckdb.Union:
		return appendValue(b, v.Value, nil)
	case []any:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, v[i], childType(t))
		}
		return append(b, ']')
	case map[string]any:
		return appendStruct(b, v, t)
	}
	return appendString(b, valueText(v, t))
}

func appendStruct(b []byte, v map[string]any, t duckdb.TypeInfo) []byte {
	if t != nil {
		if d, ok := t.Details().(*duckdb.StructDetails); ok {
			b = append(b, '{')
			for i, entry := range d.Entries {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendString(b, entry.Name())
				b = append(b, ':')
				b = appendValue(b, v[entry.Name()], entry.Info())
			}
			return append(b, '}')
		}
	}
	text, err := json.Marshal(v) // JSON within another type
	if err != nil {
		return appendString(b, fmt.Sprint(v))
	}
	return append(b, text...)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(b, fmt.Sprint(f)) // which JSON lacks
	}
	return append(b, floatText(f, bits)...)
}

func floatText(f float64, bits int) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, bits)
	}
	return strconv.FormatFloat(f, 'f', -1, bits)
}

func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD")) // so there is no error
	return b
}

func childType(t duckdb.TypeInfo) duckdb.TypeInfo {
	if t != nil {
		switch d := t.Details().(type) {
		case *duckdb.ListDetails:
			return d.Child
		case *duckdb.ArrayDetails:
			return d.Child
		}
	}
	return nil
}

func mapTypes(t duckdb.TypeInfo) (key, value duckdb.TypeInfo) {
	if t != nil {
		if d, ok := t.Details().(*duckdb.MapDetails); ok {
			return d.Key, d.Value
		}
	}
	return nil, nil
}

func kindOf(t duckdb.TypeInfo) duckdb.Type {
	if t == nil {
		return duckdb.TYPE_INVALID
	}
	return t.InternalType()
}

// valueText is a value in a table or CSV: NULL is empty, what is nested is JSON.
func valueText(v any, t duckdb.TypeInfo) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		if kindOf(t) == duckdb.TYPE_UUID && len(v) == len(duckdb.UUID{}) {
			id := duckdb.UUID(v) // the driver gives its bytes
			return id.String()
		}
		return fmt.Sprintf(`\x%x`, v)
	case duckdb.UUID:
		return v.String()
	case time.Time:
		return timeText(v, t, time.UTC)
	case duckdb.Interval:
		return intervalText(v)
	case *big.Int:
		return v.String()
	case float64:
		return floatText(v, 64)
	case float32:
		return floatText(float64(v), 32)
	case duckdb.Decimal:
		return v.String()
	case duckdb.Union:
		return valueText(v.Value, nil)
	case []any, map[string]any, duckdb.OrderedMap:
		return string(appendValue(nil, v, t))
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

// timeText is a date, a time of the day or a moment, all of which the driver
// gives as a moment.
func timeText(v time.Time, t duckdb.TypeInfo, zone *time.Location) string {
	switch kindOf(t) {
	case duckdb.TYPE_DATE:
		return v.Format(time.DateOnly)
	case duckdb.TYPE_TIME:
		return v.Format("15:04:05.999999999")
	case duckdb.TYPE_TIME_TZ:
		return v.Format("15:04:05.999999Z07:00")
	}
	return v.In(zone).Format(time.RFC3339Nano)
}

// intervalText is an interval as DuckDB writes it.
func intervalText(v duckdb.Interval) string {
	var parts []string
	unit := func(n int32, name string) {
		switch n {
		case 0:
		case 1, -1:
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, name))
		}
	}
	unit(v.Months/12, "year")
	unit(v.Months%12, "month")
	unit(v.Days, "day")
	if v.Micros != 0 || len(parts) == 0 {
		sign, us := "", v.Micros
		if us < 0 {
			sign, us = "-", -us
		}
		clock := fmt.Sprintf("%s%02d:%02d:%02d", sign, us/3_600_000_000, us/60_000_000%60, us/1_000_000%60)
		if us %= 1_000_000; us > 0 {
			clock += strings.TrimRight(fmt.Sprintf(".%06d", us), "0")
		}
		parts = append(parts, clock)
	}
	return strings.Join(parts, " ")
}
