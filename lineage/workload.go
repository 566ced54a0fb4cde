package lineage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// workload is what one of computeCalls says of what runs where.
type workload struct {
	call            *computeCall
	row             int64 // in trace_calls
	seq             int   // in order of time, of those that workloads hold
	time            time.Time
	account, region string
	names           []string // of what it changes
	of              []string // of what it starts or tells of
	version         string
	sessions        []string // names of the sessions of the runs that it starts
	roles           []string // ARNs, or names
	profiles        []string // names
	changes         bool
}

// read takes from a call what it says of a workload.
func (known *computeCall) read(made *call) *workload {
	request, response := document(made.request), document(made.response)
	get := func(paths []string) []string {
		var all []string
		for _, p := range paths {
			doc := request
			if rest, ok := strings.CutPrefix(p, "response."); ok {
				doc, p = response, rest
			}
			all = append(all, values(doc, p)...)
		}
		return all
	}
	l := &workload{call: known, row: made.row, time: made.time, account: made.account, region: made.region}
	l.names, l.of = eachOf(get(known.names), resourceName), eachOf(get(known.of), resourceName)
	for _, p := range known.version {
		for _, v := range get([]string{p}) {
			l.version = versionOf(v)
		}
	}
	for _, id := range get(known.runs) {
		if target, ok := strings.CutPrefix(id, "ecs:"); ok { // a session in a container: ecs:CLUSTER_TASK_RUNTIME
			if parts := strings.Split(target, "_"); len(parts) >= 3 {
				id = parts[len(parts)-2]
			}
		}
		if known.on != nil {
			l.sessions = append(l.sessions, known.on.prefix+id[strings.LastIndexAny(id, ":/")+1:])
		}
	}
	if known.on != nil && known.on.byName {
		l.sessions = append(l.sessions, l.names...)
	}
	slices.Sort(l.sessions)
	l.sessions = slices.Compact(l.sessions)
	l.profiles = eachOf(get(known.profiles), func(p string) string { return p[strings.LastIndex(p, "/")+1:] })
	l.roles = get(known.roles)
	l.changes = !known.ties && len(known.needs) == 0
	for _, p := range known.needs {
		l.changes = l.changes || present(request, p)
	}
	return l
}

// document reads JSON, and takes off what CloudTrail wraps some of EC2's
// requests and responses in.
func document(text string) any {
	if text == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	if object, ok := v.(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(object)) {
			wrapper := strings.HasSuffix(name, "Request") || strings.HasSuffix(name, "Response")
			if inner, ok := object[name].(map[string]any); ok && wrapper && name[0] >= 'A' && name[0] <= 'Z' {
				return inner
			}
		}
	}
	return v
}

func eachOf(texts []string, f func(string) string) []string {
	var out []string
	for _, t := range texts {
		if s := f(t); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// resourceName is the name of a workload out of whatever names it: its ARN, an
// ARN's end as Lambda takes it, a name with a version.
func resourceName(text string) string {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		text = parts[5]
		if i := strings.IndexAny(text, ":/"); i >= 0 {
			text = text[i+1:]
		}
	} else if _, name, ok := strings.Cut(text, "function:"); ok {
		text = name
	}
	if i := strings.IndexAny(text, ":/"); i >= 0 {
		text = text[:i]
	}
	return text
}

// versionOf is the number, or the word, by which a call names a version.
func versionOf(text string) string {
	tail := text[strings.LastIndex(text, ":")+1:]
	if tail != "" && (strings.Trim(tail, "0123456789") == "" || tail[0] == '$') {
		return tail
	}
	return ""
}

// covers reports whether what a later call starts is what l made or changed.
func (l *workload) covers(run *workload) bool {
	if l.account != run.account || l.region != run.region || run.time.Before(l.time.Add(-clockSkew)) || !meet(l.names, slices.Concat(run.of, run.names)) {
		return false
	}
	return l.version == "" || run.version == l.version || slices.Contains(l.call.loose, run.version)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
