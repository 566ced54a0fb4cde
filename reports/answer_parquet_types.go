package reports

import (
	"fmt"
	"math/big"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/parquet-go/parquet-go"
)

// parquetLeaf is the node of a type that is not nested, and how a value of
// DuckDB's driver becomes one of it.
func parquetLeaf(t duckdb.TypeInfo) (parquet.Node, func(any) (parquet.Value, error)) {
	moment := func(unit parquet.TimeUnit, utc bool, of func(time.Time) int64) (parquet.Node, func(any) (parquet.Value, error)) {
		return parquet.TimestampAdjusted(unit, utc), typed(func(v time.Time) parquet.Value { return parquet.Int64Value(of(v)) })
	}
	switch kindOf(t) {
	case duckdb.TYPE_BOOLEAN:
		return parquet.Leaf(parquet.BooleanType), typed(parquet.BooleanValue)
	case duckdb.TYPE_TINYINT:
		return parquet.Int(8), typed(func(v int8) parquet.Value { return parquet.Int32Value(int32(v)) })
	case duckdb.TYPE_SMALLINT:
		return parquet.Int(16), typed(func(v int16) parquet.Value { return parquet.Int32Value(int32(v)) })
	case duckdb.TYPE_INTEGER:
		return parquet.Int(32), typed(parquet.Int32Value)
	case duckdb.TYPE_BIGINT:
		return parquet.Int(64), typed(parquet.Int64Value)
	case duckdb.TYPE_UTINYINT:
		return parquet.Uint(8), typed(func(v uint8) parquet.Value { return parquet.Int32Value(int32(v)) })
	case duckdb.TYPE_USMALLINT:
		return parquet.Uint(16), typed(func(v uint16) parquet.Value { return parquet.Int32Value(int32(v)) })
	case duckdb.TYPE_UINTEGER:
		return parquet.Uint(32), typed(func(v uint32) parquet.Value { return parquet.Int32Value(int32(v)) })
	case duckdb.TYPE_UBIGINT:
		return parquet.Uint(64), typed(func(v uint64) parquet.Value { return parquet.Int64Value(int64(v)) })
	case duckdb.TYPE_FLOAT:
		return parquet.Leaf(parquet.FloatType), typed(parquet.FloatValue)
	case duckdb.TYPE_DOUBLE:
		return parquet.Leaf(parquet.DoubleType), typed(parquet.DoubleValue)
	case duckdb.TYPE_HUGEINT:
		return parquet.Decimal(0, 38, parquet.FixedLenByteArrayType(16)), typed(bigValue)
	case duckdb.TYPE_DECIMAL:
		return parquetDecimal(t)
	case duckdb.TYPE_DATE:
		return parquet.Date(), typed(func(v time.Time) parquet.Value { return parquet.Int32Value(int32(floorDiv(v.Unix(), 86400))) })
	case duckdb.TYPE_TIME:
		return parquet.TimeAdjusted(parquet.Microsecond, false), typed(func(v time.Time) parquet.Value {
			return parquet.Int64Value(int64(v.Hour()*3600+v.Minute()*60+v.Second())*1e6 + int64(v.Nanosecond()/1000))
		})
	case duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_S:
		return moment(parquet.Microsecond, false, time.Time.UnixMicro)
	case duckdb.TYPE_TIMESTAMP_TZ:
		return moment(parquet.Microsecond, true, time.Time.UnixMicro)
	case duckdb.TYPE_TIMESTAMP_MS:
		return moment(parquet.Millisecond, false, time.Time.UnixMilli)
	case duckdb.TYPE_TIMESTAMP_NS:
		return moment(parquet.Nanosecond, false, time.Time.UnixNano)
	case duckdb.TYPE_BLOB:
		return parquet.Leaf(parquet.ByteArrayType), typed(parquet.ByteArrayValue)
	case duckdb.TYPE_UUID:
		return parquet.UUID(), func(v any) (parquet.Value, error) {
			switch v := v.(type) {
			case []byte:
				return parquet.FixedLenByteArrayValue(v), nil
			case duckdb.UUID:
				return parquet.FixedLenByteArrayValue(v[:]), nil
			}
			return parquet.Value{}, fmt.Errorf("%T is no UUID", v)
		}
	}
	return parquet.String(), func(v any) (parquet.Value, error) {
		return parquet.ByteArrayValue([]byte(valueText(v, t))), nil
	}
}

// typed makes of a function for one Go type one for any.
func typed[T any](of func(T) parquet.Value) func(any) (parquet.Value, error) {
	return func(v any) (parquet.Value, error) {
		x, ok := v.(T)
		if !ok {
			return parquet.Value{}, fmt.Errorf("value is %T, want %T", v, x)
		}
		return of(x), nil
	}
}

func parquetDecimal(t duckdb.TypeInfo) (parquet.Node, func(any) (parquet.Value, error)) {
	d, ok := t.Details().(*duckdb.DecimalDetails)
	if !ok {
		return parquet.String(), func(v any) (parquet.Value, error) { return parquet.ByteArrayValue([]byte(valueText(v, t))), nil }
	}
	width, scale := int(d.Width), int(d.Scale)
	switch {
	case width <= 9:
		return parquet.Decimal(scale, width, parquet.Int32Type), typed(func(v duckdb.Decimal) parquet.Value { return parquet.Int32Value(int32(v.Value.Int64())) })
	case width <= 18:
		return parquet.Decimal(scale, width, parquet.Int64Type), typed(func(v duckdb.Decimal) parquet.Value { return parquet.Int64Value(v.Value.Int64()) })
	}
	return parquet.Decimal(scale, width, parquet.FixedLenByteArrayType(16)), typed(func(v duckdb.Decimal) parquet.Value { return bigValue(v.Value) })
}

// bigValue is an integer as 16 bytes in two's complement, the first first.
func bigValue(n *big.Int) parquet.Value {
	var b [16]byte
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	n.FillBytes(b[:])
	return parquet.FixedLenByteArrayValue(b[:])
}
