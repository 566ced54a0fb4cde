package trino

import (
	"maps"
	"slices"
	"strings"
)

// Macros make the functions of Trino in DuckDB, those that it lacks by their
// name and those that it has with other results as trino_…, which Rewrite puts
// in the place of their names. docs/query.md lists them with examples, which are
// tests.
//
// Facts: https://trino.io/docs/current/functions.html
var Macros = []string{
	// JSON. What is no JSON is NULL, but for json_parse.
	`trino_path(p) AS regexp_replace(p, '\[\s*["'']([^"''\]]*)["'']\s*\]', '."\1"', 'g')`,
	`trino_json_extract(j, path) AS json_extract(try_cast(j AS JSON), trino_path(path))`,
	`trino_json_extract_scalar(j, path) AS json_extract_scalar(j, trino_path(path))`,
	`trino_json_array_length(j) AS CASE WHEN json_type(try_cast(j AS JSON)) = 'ARRAY' THEN json_array_length(try_cast(j AS JSON)) END`,
	`json_array_get(j, i) AS json_extract(try_cast(j AS JSON), CASE WHEN i < 0 THEN '$[#' || i || ']' ELSE '$[' || i || ']' END)`,
	`json_array_contains(j, v) AS list_contains(json_extract_string(try_cast(j AS JSON), '$[*]'), CAST(v AS VARCHAR))`,
	`json_size(j, path) AS CASE json_type(try_cast(j AS JSON), trino_path(path))
		WHEN 'ARRAY' THEN json_array_length(try_cast(j AS JSON), trino_path(path))
		WHEN 'OBJECT' THEN len(json_keys(try_cast(j AS JSON), trino_path(path)))
		ELSE CASE WHEN json_extract(try_cast(j AS JSON), trino_path(path)) IS NOT NULL THEN 0 END END`,
	`is_json_scalar(j) AS json_type(try_cast(j AS JSON)) NOT IN ('ARRAY', 'OBJECT')`,
	`trino_text(x) AS CASE WHEN typeof(x) = 'JSON' THEN to_json(x) ->> '$' ELSE CAST(x AS VARCHAR) END`,

	// Lists and maps.
	`trino_element_at(c, k) AS c[k]`,
	`cardinality(l) AS len(l)`,
	`trino_array_position(l, e) AS CASE WHEN l IS NOT NULL AND e IS NOT NULL THEN coalesce(list_position(l, e), 0) END`,
	`trino_any(l) AS CASE WHEN l IS NOT NULL THEN coalesce(list_bool_or(l), len(list_filter(l, lambda x: x IS NULL)) > 0 AND NULL) END`,
	`trino_all(l) AS CASE WHEN l IS NOT NULL THEN CASE WHEN list_bool_and(l) IS FALSE THEN FALSE
		WHEN len(list_filter(l, lambda x: x IS NULL)) > 0 THEN NULL ELSE TRUE END END`,
	`array_max(l) AS list_max(l)`,
	`array_min(l) AS list_min(l)`,
	`array_sum(l) AS list_sum(l)`,
	`array_average(l) AS list_avg(l)`,
	`array_union(a, b) AS list_distinct(list_concat(a, b))`,
	`array_except(a, b) AS list_filter(list_distinct(a), lambda x: NOT list_contains(b, x))`,
	`array_remove(l, e) AS list_filter(l, lambda x: x IS DISTINCT FROM e)`,
	`arrays_overlap(a, b) AS list_has_any(a, b)`,
	`array_join(l, separator) AS array_to_string(l, separator),
		(l, separator, absent) AS array_to_string(list_transform(l, lambda x: coalesce(CAST(x AS VARCHAR), absent)), separator)`,
	`slice(l, first, n) AS list_slice(l, CASE WHEN first < 0 THEN len(l) + first + 1 ELSE first END, CASE WHEN first < 0 THEN len(l) + first ELSE first - 1 END + n)`,
	`sequence(a, b) AS generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END), (a, b, step) AS generate_series(a, b, step)`,
	`zip(a, b) AS list_zip(a, b), (a, b, c) AS list_zip(a, b, c)`,
	`split_to_map(s, entry, pair) AS map_from_entries(list_transform(string_split(s, entry),
		lambda e: {'key': split_part(e, pair, 1), 'value': substr(e, strpos(e, pair) + length(pair))}))`,
	`ngrams(l, n) AS list_transform(range(1, 1 + greatest(1, len(l) - n + 1)), lambda i: list_slice(l, i, i + n - 1))`,
	`combinations(l, n) AS list_transform(list_reverse_sort(list_filter(range(CASE WHEN len(l) <= 20 THEN 1 << len(l)
			ELSE error('combinations takes up to 20 elements') END), lambda m: bit_count(m) = n)),
		lambda m: list_filter(l, lambda e, i: (m >> CAST(len(l) - i AS BIGINT)) & 1 = 1))`,
	`trim_array(l, n) AS list_slice(l, 1, len(l) - n)`,
	`contains_sequence(l, s) AS list_bool_or(list_transform(range(1, 2 + len(l) - len(s)), lambda i: list_slice(l, i, i + len(s) - 1) = s)) IS TRUE`,
	`trino_map(l) AS map_from_entries(list_filter(l, lambda e, i: e.k IS NOT NULL AND list_position(list_transform(l, lambda x: x.k), e.k) = i))`,
	`trino_multimap(l) AS map_from_entries(list_transform(list_distinct(list_transform(l, lambda e: e.k)),
		lambda k: {'k': k, 'v': list_transform(list_filter(l, lambda e: e.k = k), lambda e: e.v)}))`,
	`split_to_multimap(s, entry, pair) AS trino_multimap(list_transform(string_split(s, entry),
		lambda e: {'k': split_part(e, pair, 1), 'v': substr(e, strpos(e, pair) + length(pair))}))`,

	// Aggregates that come from a list or a map. The first value with which the weights
	// reach the share is the percentile.
	`trino_weighted(l, share) AS list_transform([{'l': list_sort(list_filter(l, lambda e: e.v IS NOT NULL AND e.w > 0)),
			'least': share * list_sum(list_transform(list_filter(l, lambda e: e.v IS NOT NULL), lambda e: e.w))}],
		lambda t: list_reduce(t.l, lambda a, b: CASE WHEN a.w >= t.least THEN a ELSE {'v': b.v, 'w': a.w + b.w} END).v)[1]`,
	`trino_weighted_each(l, shares) AS list_transform(shares, lambda share: trino_weighted(l, share))`,
	`trino_most_frequent(m, n) AS map_from_entries(list_transform(list_slice(list_sort(list_transform(map_entries(m), lambda e: {'c': -CAST(e.value AS BIGINT), 'k': e.key})), 1, n),
		lambda e: {'key': e.k, 'value': -e.c}))`,

	// Addresses: their bits as text, NULL for what is none.
	`trino_bits(ip) AS CASE WHEN regexp_full_match(ip, '[0-9]{1,3}(\.[0-9]{1,3}){3}')
			THEN array_to_string(list_transform(string_split(ip, '.'), lambda x: lpad(bin(CAST(x AS BIGINT)), 8, '0')), '')
		WHEN regexp_full_match(ip, '[0-9A-Fa-f:]*:[0-9A-Fa-f:]*') THEN array_to_string(list_transform(
			string_split(replace(ip, '::', repeat(':0', greatest(0, 9 - len(string_split(replace(ip, '::', ':z:'), ':'))
				+ list_count(list_filter(string_split(replace(ip, '::', ':z:'), ':'), lambda x: x = '')))) || ':'), ':'),
			lambda x: lpad(bin(CAST('0x0' || x AS BIGINT)), 16, '0')), '') END`,
	`trino_in_network(network, ip) AS length(trino_bits(ip)) = length(trino_bits(split_part(network, '/', 1)))
		AND starts_with(trino_bits(ip), left(trino_bits(split_part(network, '/', 1)), CAST(split_part(network, '/', 2) AS INTEGER)))`,

	// Text.
	`trino_regexp_extract(s, p) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END,
		(s, p, n) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, n) END`,
	`trino_regexp_replace(s, p, r) AS regexp_replace(s, p, regexp_replace(replace(r, '\', '\\'), '\$([0-9])', '\\\1', 'g'), 'g')`,
	`regexp_count(s, p) AS len(regexp_extract_all(s, p))`,
	`regexp_position(s, p) AS CASE WHEN regexp_matches(s, p) THEN length(string_split_regex(s, p)[1]) + 1 ELSE -1 END`,
	`trino_split(s, separator, n) AS CASE WHEN len(string_split(s, separator)) <= n THEN string_split(s, separator)
		ELSE list_append(list_slice(string_split(s, separator), 1, n - 1), array_to_string(string_split(s, separator)[n:], separator)) END`,
	`trino_split_part(s, separator, n) AS string_split(s, separator)[n]`,
	`trino_url_decode(s) AS url_decode(replace(s, '+', ' '))`,
	`url_extract_protocol(u) AS trino_regexp_extract(u, '^([A-Za-z][A-Za-z0-9+.-]*):', 1)`,
	`url_extract_host(u) AS trino_regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]+)', 1)`,
	`url_extract_port(u) AS CAST(trino_regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/?#]*@)?(?:\[[^\]]*\]|[^:/?#]*):([0-9]+)', 1) AS BIGINT)`,
	`url_extract_path(u) AS trino_regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1)`,
	`url_extract_query(u) AS trino_regexp_extract(u, '^[^?#]*\?([^#]*)', 1)`,
	`url_extract_fragment(u) AS trino_regexp_extract(u, '#(.*)$', 1)`,
	`url_extract_parameter(u, name) AS trino_url_decode(list_filter(string_split(url_extract_query(u), '&'), lambda p: starts_with(p, name || '='))[1][length(name) + 2:])`,
	`trino_strpos(s, sub, n) AS CASE WHEN len(string_split(s, sub)) > n
		THEN length(array_to_string(list_slice(string_split(s, sub), 1, n), sub)) + 1 ELSE 0 END`,
	`trino_url_encode(s) AS replace(url_encode(s), '%20', '+')`,
	`normalize(s) AS nfc_normalize(s)`,
	`codepoint(s) AS unicode(s)`,
	`levenshtein_distance(a, b) AS levenshtein(a, b)`,
	`hamming_distance(a, b) AS hamming(a, b)`,
	`from_utf8(b) AS decode(b)`,
	`to_utf8(s) AS encode(s)`,

	// Times. DuckDB's zone is UTC throughout.
	// MySQL's formats: https://dev.mysql.com/doc/refman/8.4/en/date-and-time-functions.html#function_date-format
	`trino_mysql(f) AS replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
		replace(f, '%%', chr(1)), '%M', '%B'), '%i', '%M'), '%s', '%S'), '%e', '%-d'), '%c', '%-m'), '%k', '%-H'), '%l', '%-I'), '%h', '%I'),
		'%T', '%H:%M:%S'), '%r', '%I:%M:%S %p'), '%W', '%A'), '%v', '%V'), '%x', '%G'), chr(1), '%%')`,
	`from_iso8601_date(s) AS CAST(s AS DATE)`,
	`to_iso8601(t) AS CASE typeof(t) WHEN 'DATE' THEN strftime(t, '%Y-%m-%d')
		WHEN 'TIMESTAMP' THEN strftime(t, '%Y-%m-%dT%H:%M:%S.%g') ELSE strftime(t, '%Y-%m-%dT%H:%M:%S.%gZ') END`,
	`trino_to_milliseconds(i) AS CAST(epoch_ms(i) AS BIGINT)`,
	`trino_date_add(unit, n, t) AS t + n * CAST('1 ' || unit AS INTERVAL)`,
	`at_timezone(t, zone) AS timezone(zone, CAST(t AS TIMESTAMPTZ))`,
	`with_timezone(t, zone) AS timezone(zone, CAST(t AS TIMESTAMP))`,
	`current_timezone() AS 'UTC'`,
	`day_of_week(t) AS isodow(t)`,
	`dow(t) AS isodow(t)`,
	`day_of_month(t) AS day(t)`,
	`day_of_year(t) AS dayofyear(t)`,
	`doy(t) AS dayofyear(t)`,
	`week_of_year(t) AS weekofyear(t)`,
	`year_of_week(t) AS date_part('isoyear', t)`,
	`yow(t) AS date_part('isoyear', t)`,
	`last_day_of_month(t) AS last_day(t)`,

	// Numbers.
	`truncate(x) AS trunc(x)`,
	`is_nan(x) AS isnan(x)`,
	`rand() AS random()`,
	`trino_greatest(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END,
		(a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN greatest(a, b, c) END,
		(a, b, c, d) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL THEN greatest(a, b, c, d) END`,
	`trino_least(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END,
		(a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN least(a, b, c) END,
		(a, b, c, d) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL THEN least(a, b, c, d) END`,
	`bitwise_and(a, b) AS CAST(a AS BIGINT) & CAST(b AS BIGINT)`,
	`bitwise_or(a, b) AS CAST(a AS BIGINT) | CAST(b AS BIGINT)`,
	`bitwise_xor(a, b) AS xor(CAST(a AS BIGINT), CAST(b AS BIGINT))`,
}

// Statements make the macros on a connection. They are temporary, so that a
// read-only case has them.
func Statements() []string {
	list := make([]string, len(Macros))
	for i, m := range Macros {
		list[i] = "CREATE OR REPLACE TEMP MACRO " + m
	}
	return list
}

// Functions are the names of Trino's functions that are made here, sorted: the
// macros and what Rewrite translates.
func Functions() []string {
	names := slices.Collect(maps.Keys(rewrites))
	for _, m := range Macros {
		name, _, _ := strings.Cut(m, "(")
		if !strings.HasPrefix(name, "trino_") && rewrites[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
