package reports

import (
	"fmt"
	"math/big"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// record is a row of a query's answer: values as DuckDB's driver gives them, by
// name of column. Its JSON is an object in the order of the columns.
type record struct {
	names  []string
	values []any
}

// MarshalJSONTo writes the record. Columns of the same name are kept apart by a
// number, as DuckDB does in a table it creates from them.
func (r record) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	used := map[string]int{}
	for i, name := range r.names {
		used[name]++
		if n := used[name]; n > 1 {
			name = fmt.Sprintf("%s_%d", name, n-1)
			used[name]++
		}
		if err := e.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(e, plainValue(r.values[i])); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// plainValue makes of a driver's value one that JSON has.
func plainValue(v any) any {
	switch v := v.(type) {
	case []byte: // BLOB
		return fmt.Sprintf(`\x%x`, v)
	case time.Time:
		return stamp(v)
	case float64:
		if v != v || v > 1.7976931348623157e308 || v < -1.7976931348623157e308 {
			return fmt.Sprint(v) // NaN and infinities, which JSON lacks
		}
		return v
	case duckdb.OrderedMap:
		out := make(map[string]any, v.Len())
		values := v.Values()
		for i, key := range v.Keys() {
			out[valueText(key)] = plainValue(values[i])
		}
		return out
	case *big.Int: // HUGEINT, which every sum of integers is
		return jsontext.Value(v.String())
	case duckdb.Decimal:
		return jsontext.Value(v.String())
	case duckdb.UUID:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = plainValue(value)
		}
		return out
	case fmt.Stringer:
		return v.String()
	}
	return v
}

// valueText is a value in a table or CSV: NULL is empty, what is nested is JSON.
func valueText(v any) string {
	switch v := plainValue(v).(type) {
	case nil:
		return ""
	case string:
		return v
	case jsontext.Value:
		return string(v)
	case []any, map[string]any:
		text, err := marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	default:
		return fmt.Sprint(v)
	}
}
