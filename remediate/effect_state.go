package remediate

import (
	"encoding/json"
	"regexp"
	"strings"
)

// filled gives v with the parameters that it names.
func filled(v any, parameters map[string]any) any {
	switch v := v.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, "{"); ok {
			return parameters[strings.TrimSuffix(name, "}")]
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = filled(e, parameters)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = filled(e, parameters)
		}
		return out
	}
	return v
}

// statementOf is the statement of a policy that has a Sid.
func statementOf(policy, sid any) any {
	text, _ := policy.(string)
	var document struct{ Statement []map[string]any }
	if json.Unmarshal([]byte(text), &document) != nil {
		return nil
	}
	for _, s := range document.Statement {
		if s["Sid"] == sid {
			return s
		}
	}
	return nil
}

// fillPath puts parameters as literals into the {places} of a path.
func fillPath(path string, parameters map[string]any) string {
	return parameterPlace.ReplaceAllStringFunc(path, func(place string) string {
		name, list := strings.CutSuffix(strings.Trim(place, "{}"), "[]")
		v := parameters[name]
		if v == nil && list {
			v = []any{}
		}
		return jmesValue(v)
	})
}

var parameterPlace = regexp.MustCompile(`\{[A-Z]\w*(\[\])?\}`)

// jmesValue is v as a JMESPath literal.
func jmesValue(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "`null`"
	}
	return "`" + strings.ReplaceAll(string(text), "`", `\u0060`) + "`"
}
