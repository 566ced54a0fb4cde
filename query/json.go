package query

import (
	"fmt"
	"strings"
)

// MaxJSONKeys is how deep json_members and json_values look.
const MaxJSONKeys = 12

// jsonMacros give the functions that look through arrays on the way, which no
// function of one name does on both engines:
//
//	json_members(text, key, …)  what stands under the keys, as JSON
//	json_values(text, key, …)   the same as text, without JSON null
//
// An array stands for its elements, at every step. The values of an object or
// an array are its JSON text, and that text with its escaped quotes and
// backslashes undone once and twice: JSON within JSON, such as a policy, is
// found under either spelling. On Trino they are
// json_query(text, 'lax $.key…' WITH ARRAY WRAPPER).
func jsonMacros() []string {
	macros := []string{
		`CREATE OR REPLACE TEMP MACRO json_unescaped(s) AS replace(replace(s, '\"', '"'), '\\', '\')`,
		`CREATE OR REPLACE TEMP MACRO json_text_forms(s) AS CASE WHEN contains(s, '\"')
			THEN [s, json_unescaped(s), json_unescaped(json_unescaped(s))] ELSE [s] END`,
		`CREATE OR REPLACE TEMP MACRO json_step(l, path) AS list_filter(list_transform(
			flatten(list_transform(l, lambda e: CASE WHEN json_type(e) = 'ARRAY' THEN json_extract(e, '$[*]') ELSE [e] END)),
			lambda e: json_extract(e, path)), lambda e: e IS NOT NULL)`,
		`CREATE OR REPLACE TEMP MACRO json_document(j) AS
			list_filter([json_extract(try_cast(j AS JSON), '$')], lambda e: e IS NOT NULL)`,
		`CREATE OR REPLACE TEMP MACRO json_texts(l) AS flatten(list_transform(l, lambda e: CASE json_type(e)
			WHEN 'NULL' THEN CAST([] AS VARCHAR[])
			WHEN 'ARRAY' THEN list_concat(json_text_forms(CAST(e AS VARCHAR)),
				flatten(list_transform(list_filter(json_extract_string(e, '$[*]'), lambda s: s IS NOT NULL), lambda s: json_text_forms(s))))
			WHEN 'OBJECT' THEN json_text_forms(CAST(e AS VARCHAR))
			ELSE json_text_forms(json_extract_string(e, '$')) END))`,
	}
	members := []string{`(j) AS json_document(j)`}
	// The text of an object need not be taken apart, unless it spells characters
	// by number.
	values := []string{`(j) AS CASE WHEN j IS NULL THEN CAST([] AS VARCHAR[])
		WHEN starts_with(j, '{') AND NOT contains(j, '\u') THEN json_text_forms(j) ELSE json_texts(json_document(j)) END`}
	var keys []string
	path, steps := "'$'", "json_document(j)"
	for i := range MaxJSONKeys {
		key := fmt.Sprintf("k%d", i+1)
		keys = append(keys, key)
		path += ` || '."' || ` + key + ` || '"'`
		steps = `json_step(` + steps + `, '$."' || ` + key + ` || '"')`
		signature := `(j, ` + strings.Join(keys, ", ") + `)`
		// Most texts lack the key, and most of the others have a single value
		// there: both are told without taking the text apart.
		members = append(members, signature+` AS CASE WHEN contains(j, '"' || `+key+` || '"') THEN `+steps+` ELSE CAST([] AS JSON[]) END`)
		values = append(values, signature+` AS CASE WHEN j IS NULL OR NOT contains(j, '"' || `+key+` || '"') THEN CAST([] AS VARCHAR[])
			WHEN json_extract_scalar(j, `+path+`) IS NOT NULL THEN json_text_forms(json_extract_scalar(j, `+path+`))
			ELSE json_texts(`+steps+`) END`)
	}
	return append(macros,
		`CREATE OR REPLACE TEMP MACRO json_members `+strings.Join(members, ", "),
		`CREATE OR REPLACE TEMP MACRO json_values `+strings.Join(values, ", "))
}
