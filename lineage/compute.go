package lineage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// computeCall is a call that passes a role to compute, brings in or changes what
// compute runs, or starts it. What it says stands at paths of the request, or of
// the response where a path begins with "response": see values.
type computeCall struct {
	api      string   // without the date that Lambda's names carry
	on       *runtime // nil for a call that only says which role a name stands for
	names    []string // of the workload that it makes or changes
	of       []string // name of the workload that it starts, enters or tells of
	version  []string // of the workload
	loose    []string // how later calls may name that version besides its number
	runs     []string // ids of the runs that it starts or enters
	roles    []string // ARNs or names
	profiles []string // ARNs or names of instance profiles
	needs    []string // one of these must be there for the call to change anything
	makes    bool     // the workload, which cannot exist before
	ties     bool     // says which runs a workload has and changes nothing
}

// index orders calls by their API. One may stand for several runtimes.
func index(calls []computeCall) map[string][]*computeCall {
	byAPI := map[string][]*computeCall{}
	for i := range calls {
		byAPI[calls[i].api] = append(byAPI[calls[i].api], &calls[i])
	}
	return byAPI
}

// computeEvents is the condition on events under which they are one of
// computeCalls. DuckDB looks one long list up by hash, several times as fast as
// it tries a condition for each service.
func computeEvents() string {
	var calls []string
	var dated string // CreateFunction20150331, UpdateFunctionCode20150331v2
	for _, api := range slices.Sorted(maps.Keys(computeCalls)) {
		source, name, _ := strings.Cut(api, ":")
		calls = append(calls, source+".amazonaws.com:"+name)
		if source == "lambda" {
			dated += ` OR event_source = 'lambda.amazonaws.com' AND event_name LIKE '` + name + `20%'`
		}
	}
	return `(event_source || ':' || event_name IN ('` + strings.Join(calls, `', '`) + `')` + dated + `)`
}

// values are the texts and numbers at a path of a JSON document. Member names
// match in any case; lists, and what XML APIs wrap them and requests in, are
// walked through; * is any member; key=NAME passes those objects only whose key
// or Key is NAME.
func values(document any, path string) []string {
	var found []string
	walk(document, strings.Split(path, "."), func(v any) {
		switch v := v.(type) {
		case string:
			if v != "" {
				found = append(found, v)
			}
		case json.Number:
			found = append(found, v.String())
		}
	})
	return found
}

// present reports whether something stands at a path.
func present(document any, path string) bool {
	yes := false
	walk(document, strings.Split(path, "."), func(v any) { yes = yes || v != nil && v != "" })
	return yes
}

// listWrappers are what CloudTrail puts around the elements of the lists of EC2's
// XML API.
var listWrappers = []string{"items", "item", "member", "content"}

func walk(v any, path []string, visit func(any)) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			walk(element, path, visit)
		}
	case map[string]any:
		walkObject(v, path, visit)
	default:
		if len(path) == 0 {
			visit(v)
		}
	}
}

func walkObject(object map[string]any, path []string, visit func(any)) {
	if len(path) > 0 {
		if name, ok := strings.CutPrefix(path[0], "key="); ok && object["items"] == nil && object["item"] == nil {
			if key, _ := folded(object, "key"); key == name {
				walk(object, path[1:], visit)
			}
			return
		}
		if path[0] == "*" {
			for _, name := range slices.Sorted(maps.Keys(object)) {
				walk(object[name], path[1:], visit)
			}
			return
		}
		if inner, ok := folded(object, path[0]); ok {
			walk(inner, path[1:], visit)
			return
		}
	}
	for _, name := range listWrappers {
		if inner, ok := object[name]; ok {
			walk(inner, path, visit)
			return
		}
	}
	if len(path) == 0 && len(object) > 0 {
		visit(object)
	}
}

// folded is a member of an object, in whatever case its name is written.
func folded(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for _, other := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(other, name) {
			return object[other], true
		}
	}
	return nil, false
}
