package remediate

import (
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// nowForm is the form of ${now}, the one that policies are written in.
const nowForm = "2006-01-02T15:04:05Z"

// live are the values that stand for ${now}, ${password} and ${item}; an empty
// one leaves its name in place.
type live struct {
	now      string
	password string
	item     any
}

// fill gives v with the live values in its strings; v stays as it is. A string
// that is ${item} alone becomes the item, whatever its type.
func (l live) fill(v any) any {
	switch v := v.(type) {
	case string:
		if v == Item && l.item != nil {
			return l.item
		}
		if l.now != "" {
			v = strings.ReplaceAll(v, Now, l.now)
		}
		if l.password != "" {
			v = strings.ReplaceAll(v, Password, l.password)
		}
		if l.item != nil {
			v = strings.ReplaceAll(v, Item, show(l.item))
		}
		return v
	case map[string]any:
		return l.fillMap(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = l.fill(e)
		}
		return out
	}
	return v
}

func (l live) fillMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = l.fill(v)
	}
	return out
}

func (l live) call(c Call) Call {
	c.Parameters = l.fillMap(c.Parameters)
	return c
}

func (l live) check(c Check) Check {
	c.Call = l.call(c.Call)
	c.Equals = l.fill(c.Equals)
	return c
}

// mentions says whether a string in v holds one of the names of live values.
func mentions(v any, name string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, name)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(e any) bool { return mentions(e, name) })
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, name) })
	}
	return false
}

// same says whether what AWS shows is what is wanted. Documents are compared as
// JSON, decoded first where IAM encodes them (RFC 3986); ${now} in want stands
// for any time from since on.
func same(got, want any, since time.Time) bool {
	got, want = plainJSON(got), plainJSON(want)
	switch w := want.(type) {
	case string:
		g, ok := got.(string)
		if !ok {
			return sameParsed(got, w, since)
		}
		return g == w || sameMoment(g, w) || sameText(g, w, since) || sameDocument(g, w, since)
	case nil:
		return isEmpty(got)
	}
	if g, ok := got.(string); ok {
		return sameParsed(want, g, since)
	}
	return sameValue(got, want, since)
}

// plainJSON gives v the types that encoding/json would, so that numbers compare.
func plainJSON(v any) any {
	switch v.(type) {
	case nil, string, bool, float64:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		return v
	}
	return out
}

// sameMoment says that two texts are one time, of which the log has whole seconds.
func sameMoment(got, want string) bool {
	g, ok := parseTime(got)
	if !ok {
		return false
	}
	w, ok := parseTime(want)
	return ok && g.Truncate(time.Second).Equal(w.Truncate(time.Second))
}

func sameParsed(v any, text string, since time.Time) bool {
	parsed, ok := parseDocument(text)
	return ok && sameValue(v, parsed, since)
}

func sameDocument(got, want string, since time.Time) bool {
	g, ok := parseDocument(got)
	if !ok {
		return false
	}
	w, ok := parseDocument(want)
	return ok && sameValue(g, w, since)
}

// parseDocument reads a JSON object, URL-encoded or not.
func parseDocument(text string) (any, bool) {
	text = decodeDocument(text)
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil || m == nil {
		return nil, false
	}
	return m, true
}

// decodeDocument undoes the URL encoding of IAM's documents.
func decodeDocument(text string) string {
	if !strings.HasPrefix(text, "%7B") && !strings.HasPrefix(text, "%7b") {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// sameValue compares JSON. A policy may say "a" or ["a"]: AWS takes both for
// the same, and some services give back the other.
func sameValue(got, want any, since time.Time) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k, v := range w {
			if e, there := g[k]; !there || !sameValue(e, v, since) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok {
			g = []any{got}
		}
		return slices.EqualFunc(g, w, func(a, b any) bool { return sameValue(a, b, since) })
	case string:
		if g, ok := got.(string); ok {
			return g == w || sameText(g, w, since) || isRootOf(g, w) || isRootOf(w, g)
		}
	}
	if g, ok := got.([]any); ok && len(g) == 1 {
		return sameValue(g[0], want, since)
	}
	return reflect.DeepEqual(got, want)
}

// isRootOf says that an ARN names an account as a principal. AWS gives a policy
// back with it where the account's number was written:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html.
func isRootOf(arn, account string) bool {
	a, ok := parseARN(arn)
	return ok && len(account) == 12 && a.service == "iam" && a.account == account && a.resource == "root"
}

// sameText compares with a text that holds ${now} once.
func sameText(got, want string, since time.Time) bool {
	before, after, ok := strings.Cut(want, Now)
	if !ok || len(got) < len(before)+len(after) || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
		return false
	}
	t, err := time.Parse(time.RFC3339, got[len(before):len(got)-len(after)])
	return err == nil && !t.Before(since)
}
