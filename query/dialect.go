package query

// dialectMacros give DuckDB the functions of Trino that rules and analysts
// write, with Trino's results, so that the same SQL runs on both. DuckDB has
// the others (regexp_like, cardinality, approx_distinct, max_by, array_agg, …)
// under these names already, or a rule does without them.
//
// Facts: https://trino.io/docs/current/functions/json.html, …/datetime.html,
// …/array.html, …/aggregate.html.
var dialectMacros = []string{
	// Trino gives NULL for malformed JSON, for a path that leads nowhere, for
	// JSON null and for an object or array. Here each argument stands once: what is
	// given may be long and hold such a call itself.
	`CREATE OR REPLACE TEMP MACRO json_extract_scalar(j, path) AS
		json_extract_string(json_value(try_cast(j AS JSON), path), '$')`,
	// Malformed JSON is an error on both; json_format writes no white space and no
	// escape that JSON does not need. Trino sorts the members of objects, DuckDB
	// keeps them: no rule may depend on their order.
	`CREATE OR REPLACE TEMP MACRO json_parse(s) AS json(s)`,
	`CREATE OR REPLACE TEMP MACRO json_format(j) AS CAST(json(j) AS VARCHAR)`,
	`CREATE OR REPLACE TEMP MACRO regexp_split(s, pattern) AS string_split_regex(s, pattern)`,
	`CREATE OR REPLACE TEMP MACRO regexp_like(s, pattern) AS regexp_matches(s, pattern)`,
	// DuckDB's date_diff counts boundaries crossed, Trino's whole units.
	`CREATE OR REPLACE TEMP MACRO date_diff(unit, a, b) AS datesub(unit, a, b)`,
	`CREATE OR REPLACE TEMP MACRO from_iso8601_timestamp(s) AS try_cast(s AS TIMESTAMPTZ)`,
	`CREATE OR REPLACE TEMP MACRO to_unixtime(t) AS epoch(t)`,
	`CREATE OR REPLACE TEMP MACRO from_unixtime(s) AS make_timestamp(CAST(CAST(s AS DOUBLE) * 1000000 AS BIGINT))`,
}
