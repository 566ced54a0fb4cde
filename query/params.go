package query

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// args are the values of a statement's parameters: by name, or by number where
// it has question marks.
func (p prepared) args(st Statement, params map[string]string) ([]any, error) {
	values := map[string]string{}
	for name, value := range params {
		values[strings.ToLower(name)] = value
	}
	var args []any
	for _, param := range p.params {
		text, ok := values[strings.ToLower(param.name)]
		if !ok {
			given := "none is given"
			if names := slices.Sorted(maps.Keys(params)); len(names) > 0 {
				given = "given are " + strings.Join(names, ", ")
			}
			what := "$" + param.name
			if _, err := strconv.Atoi(param.name); err == nil && st.Marks > 0 {
				what = "its question mark " + param.name
			}
			return nil, fmt.Errorf("the statement on line %d needs a value for %s (%s): add --param %s=VALUE", max(1, st.Line), what, given, param.name)
		}
		value, err := param.value(text)
		if err != nil {
			return nil, err
		}
		if _, err := strconv.Atoi(param.name); err == nil {
			args = append(args, value)
		} else {
			args = append(args, sql.Named(param.name, value))
		}
	}
	return args, nil
}

// value is a parameter's text as the type that the statement has for it; text
// where it has none.
func (p param) value(text string) (any, error) {
	wrong := func(want string) error {
		return fmt.Errorf("--param %s=%s: the statement needs %s there", p.name, text, want)
	}
	switch p.kind {
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, wrong("a whole number")
		}
		return n, nil
	case duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE, duckdb.TYPE_DECIMAL:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, wrong("a number")
		}
		if p.kind == duckdb.TYPE_DECIMAL {
			return text, nil // DuckDB reads its digits exactly
		}
		f, _ := strconv.ParseFloat(text, 64)
		return f, nil
	case duckdb.TYPE_BOOLEAN:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, wrong("true or false")
		}
		return b, nil
	case duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_TZ:
		t, ok := momentOf(text)
		if !ok {
			return nil, wrong("a time (2026-09-28T14:00:00Z) or a date (2026-09-28)")
		}
		return t, nil
	}
	return text, nil
}

// momentOf reads a time as people type one; without a zone it is UTC.
func momentOf(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Age reads a length of time before now as people type one: 90m, 12h, 30d, 4w.
func Age(text string) (time.Duration, bool) {
	units := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	if text == "" {
		return 0, false
	}
	unit, ok := units[text[len(text)-1:]]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text[:len(text)-1]), 10, 16)
	return time.Duration(n) * unit, err == nil
}
