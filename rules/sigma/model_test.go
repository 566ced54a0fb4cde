package sigma

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trailscan/rules"
)

// Sigma again, in the plainest Go over the record as JSON: what the SQL must
// agree with.

// valuesAt are the values under keys, through arrays on the way.
func valuesAt(v any, keys []string) []any {
	if list, ok := v.([]any); ok {
		var all []any
		for _, x := range list {
			if _, nested := x.([]any); !nested || len(keys) == 0 {
				all = append(all, valuesAt(x, keys)...)
			}
		}
		if len(keys) == 0 {
			all = append(slices.Clone(list), v)
		}
		return all
	}
	if len(keys) == 0 {
		return []any{v}
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	inner, ok := object[keys[0]]
	if !ok {
		return nil
	}
	return valuesAt(inner, keys[1:])
}

// textsAt are the values as text, without null.
func textsAt(record map[string]any, name string) []string {
	var texts []string
	for _, v := range valuesAt(record, strings.Split(name, ".")) {
		switch v := v.(type) {
		case nil:
		case string:
			texts = append(texts, v)
		default:
			text, _ := json.Marshal(v)
			texts = append(texts, string(text))
		}
	}
	return texts
}

// globbed matches a Sigma string character by character.
func globbed(pattern, text []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	switch c := pattern[0]; {
	case c == '\\' && len(pattern) > 1 && strings.ContainsRune(`*?\`, pattern[1]):
		return len(text) > 0 && text[0] == pattern[1] && globbed(pattern[2:], text[1:])
	case c == '*':
		return globbed(pattern[1:], text) || len(text) > 0 && globbed(pattern, text[1:])
	case c == '?':
		return len(text) > 0 && globbed(pattern[1:], text[1:])
	default:
		return len(text) > 0 && text[0] == c && globbed(pattern[1:], text[1:])
	}
}

// item is a field of a search of the model.
type item struct {
	field  string
	mods   []string
	values []any // string or nil
}

func (i item) holds(record map[string]any) bool {
	has := func(m string) bool { return slices.Contains(i.mods, m) }
	one := func(value any) bool {
		texts := textsAt(record, i.field)
		if has("exists") {
			return (len(valuesAt(record, strings.Split(i.field, "."))) > 0) == (value == "true")
		}
		if value == nil {
			return len(texts) == 0
		}
		return slices.ContainsFunc(texts, func(text string) bool { return matchesText(i.mods, value.(string), text) })
	}
	result := false
	if has("all") {
		result = !slices.ContainsFunc(i.values, func(v any) bool { return !one(v) })
	} else {
		result = slices.ContainsFunc(i.values, one)
	}
	return result != has("neq")
}

func matchesText(mods []string, value, text string) bool {
	has := func(m string) bool { return slices.Contains(mods, m) }
	if has("gt") || has("lte") {
		n, err := strconv.ParseFloat(text, 64)
		limit, _ := strconv.ParseFloat(value, 64)
		return err == nil && (n > limit) == has("gt")
	}
	if !has("cased") {
		value, text = strings.ToLower(value), strings.ToLower(text)
	}
	if has("contains") || has("startswith") {
		if value == `\` { // which must not take the wildcard as it stands
			value = `\\`
		}
		value += "*"
	}
	if has("contains") || has("endswith") {
		value = "*" + value
	}
	return globbed([]rune(value), []rune(text))
}

func (i item) yaml() string {
	var values []string
	for _, v := range i.values {
		text := "null"
		if s, ok := v.(string); ok {
			text = "'" + s + "'"
		}
		values = append(values, text)
	}
	return "        '" + strings.Join(append([]string{i.field}, i.mods...), "|") + "': [" + strings.Join(values, ", ") + "]\n"
}

var modelTexts = []string{"x", "X", "xy", "yx", "x_y", "a%b", "a*b", `a\b`, "é", "É", "5", "10", "-3", "", "Allow", "true"}

var modelPatterns = append([]string{"*", "x*", "*y", "?", "x?", "*x*", `a\*b`, `a\\b`, "a?b", "x_?", "é*", `\`, `*\?*`, "*%*", "*b:*", "1*0"}, modelTexts...)

var modelFields = []string{"eventName", "errorCode", "userIdentity.userName", "requestParameters.a", "requestParameters.a.b",
	"requestParameters.a.b.c", "custom", "custom.x", "resources.a", "requestParameters", "userAgent"}

// modelRecords are made up with objects, arrays and nulls in all places.
func modelRecords(n int) []map[string]any {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() any { return modelTexts[r.IntN(len(modelTexts))] }
	var value func(depth int) any
	value = func(depth int) any {
		switch k := r.IntN(9); {
		case k == 0:
			return nil
		case k == 1:
			return float64(r.IntN(12))
		case k == 2:
			return r.IntN(2) == 0
		case k <= 4 && depth < 3:
			list := []any{}
			for range r.IntN(3) {
				list = append(list, value(depth+1))
			}
			return list
		case k <= 7 && depth < 3:
			object := map[string]any{}
			for range r.IntN(3) {
				object[string("abcx"[r.IntN(4)])] = value(depth + 1)
			}
			return object
		}
		return text()
	}
	var records []map[string]any
	for i := range n {
		record := map[string]any{"eventID": fmt.Sprintf("e%03d", i), "eventTime": "2026-03-01T12:00:00Z",
			"eventSource": "iam.amazonaws.com", "eventName": fmt.Sprint("n", text()), "requestParameters": map[string]any{"a": value(0)}}
		if r.IntN(2) == 0 {
			record["errorCode"] = text()
		} else if r.IntN(3) == 0 {
			record["errorCode"] = nil
		}
		if r.IntN(2) == 0 {
			record["userAgent"] = text()
		}
		if r.IntN(2) == 0 {
			record["userIdentity"] = map[string]any{"type": "IAMUser", "userName": text()}
		}
		if r.IntN(2) == 0 {
			record["custom"] = value(0)
		}
		if r.IntN(2) == 0 {
			record["resources"] = []any{map[string]any{"a": value(1)}, map[string]any{"a": text()}}
		}
		records = append(records, record)
	}
	return records
}

func drawItem(t *rapid.T) item {
	i := item{field: rapid.SampledFrom(modelFields).Draw(t, "field"), mods: rapid.SampledFrom([][]string{
		{}, {}, {"contains"}, {"startswith"}, {"endswith"}, {"cased"}, {"contains", "all"}, {"contains", "cased"},
		{"all"}, {"neq"}, {"exists"}, {"gt"}, {"lte"}, {"startswith", "neq"},
	}).Draw(t, "modifiers")}
	for range rapid.IntRange(1, 3).Draw(t, "values") {
		var v any
		switch {
		case slices.Contains(i.mods, "exists"):
			v = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "value")
		case slices.Contains(i.mods, "gt"), slices.Contains(i.mods, "lte"):
			v = rapid.SampledFrom([]string{"5", "4.5", "-3", "0"}).Draw(t, "value")
		case rapid.IntRange(0, 7).Draw(t, "null") == 0 && !slices.ContainsFunc(i.mods, func(m string) bool { return strings.HasSuffix(m, "s") || m == "startswith" || m == "endswith" }):
			v = nil
		default:
			v = rapid.SampledFrom(modelPatterns).Draw(t, "value")
		}
		i.values = append(i.values, v)
	}
	return i
}

// drawCondition makes a condition over searches and what it means.
func drawCondition(t *rapid.T, depth int, searches []string) (string, func(map[string]bool) bool) {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind = min(kind, 3)
	}
	switch kind {
	case 4, 5:
		a, x := drawCondition(t, depth-1, searches)
		b, y := drawCondition(t, depth-1, searches)
		if kind == 4 {
			return "(" + a + " and " + b + ")", func(h map[string]bool) bool { return x(h) && y(h) }
		}
		return "(" + a + " or " + b + ")", func(h map[string]bool) bool { return x(h) || y(h) }
	case 6:
		a, x := drawCondition(t, depth-1, searches)
		return "not " + a, func(h map[string]bool) bool { return !x(h) }
	case 7: // by precedence
		a, b, c := searches[0], searches[1], searches[2]
		return "(not " + a + " and " + b + " or " + c + ")", func(h map[string]bool) bool { return !h[a] && h[b] || h[c] }
	case 3:
		n := rapid.IntRange(1, 3).Draw(t, "n")
		return fmt.Sprintf("%d of s*", n), func(h map[string]bool) bool {
			count := 0
			for _, s := range searches {
				if h[s] {
					count++
				}
			}
			return count >= n
		}
	}
	s := rapid.SampledFrom(searches).Draw(t, "search")
	return s, func(h map[string]bool) bool { return h[s] }
}

func TestDetectionsAgreeWithTheModel(t *testing.T) {
	records := modelRecords(150)
	data, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	c := loadCase(t, data)
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"s1", "s2", "s3"}
		searches := map[string][]item{}
		text := about + "detection:\n"
		for _, name := range names {
			text += "    " + name + ":\n"
			seen := map[string]bool{}
			for range rapid.IntRange(1, 2).Draw(t, "fields") {
				i := drawItem(t)
				if y := i.yaml(); !seen[y[:strings.Index(y, "':")]] {
					seen[y[:strings.Index(y, "':")]] = true
					searches[name] = append(searches[name], i)
					text += y
				}
			}
		}
		condition, holds := drawCondition(t, 2, names)
		text += "    condition: " + condition + "\n"
		set := compileText(text, nil)
		if len(set.Rules) != 1 {
			t.Fatalf("%s\nrefused: %v", text, set.Refused)
		}
		found, err := rules.Match(context.Background(), c, set.Rules[0])
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		for _, record := range records {
			held := map[string]bool{}
			for name, items := range searches {
				held[name] = !slices.ContainsFunc(items, func(i item) bool { return !i.holds(record) })
			}
			if got, want := slices.Contains(found, record["eventID"].(string)), holds(held); got != want {
				line, _ := json.Marshal(record)
				t.Fatalf("found %v, want %v, in %s\nby %s\n%s", got, want, line, text, set.Rules[0].Where)
			}
		}
	})
}
