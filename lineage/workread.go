package lineage

import (
	"context"
	"database/sql"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// readWorkloads reads the calls of computeCalls, once a trace and only when the
// lineage makes one.
func (c *closure) readWorkloads(ctx context.Context) (*workloads, error) {
	if c.compute != nil {
		return c.compute, nil
	}
	w := newWorkloads()
	var all []*workload
	err := c.t.eachWorkload(ctx, `SELECT rowid, event_time, coalesce(account_id, ''), coalesce(aws_region, ''), event_source, event_name,
		    coalesce(request_parameters, ''), coalesce(response, '')
		FROM trace_calls c WHERE `+computeEvents()+` AND (`+bearing()+`) ORDER BY event_time, event_id, source_id, record_index`, func(l *workload) {
		w.add(l)
		all = append(all, l)
	})
	if err != nil {
		return nil, err
	}
	// Calls that say nothing but the name of a workload, which is that of its sessions.
	err = c.t.eachWorkload(ctx, `SELECT min(rowid), min(event_time), coalesce(account_id, ''), coalesce(aws_region, ''), event_source, event_name,
		    coalesce(request_parameters, ''), ''
		FROM trace_calls c WHERE `+computeEvents()+` AND (`+naming()+`) GROUP BY account_id, aws_region, event_source, event_name, request_parameters`, w.addSessions)
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		w.share(l)
	}
	c.compute = w
	return w, ctx.Err()
}

func (t *tracer) eachWorkload(ctx context.Context, query string, take func(*workload)) error {
	return t.each(ctx, query, nil, func(scan func(...any) error) error {
		made := &call{}
		var source, name sql.NullString
		if err := scan(&made.row, &made.time, &made.account, &made.region, &source, &name, &made.request, &made.response); err != nil {
			return err
		}
		made.source, made.name = source.String, name.String
		for _, known := range computeCalls[made.api()] {
			take(known.read(made))
		}
		return nil
	})
}

// bearing is the condition on calls to compute under which they say more of a
// workload than that it was changed. Members that hold roles, profiles and runs
// are looked for by their names, whatever stands around them.
func bearing() string {
	var always, sources []string
	members := map[string][]string{}
	for _, api := range slices.Sorted(maps.Keys(computeCalls)) {
		source, name, _ := strings.Cut(api, ":")
		for _, call := range computeCalls[api] {
			if call.makes || call.ties {
				always = append(always, `event_source = '`+source+`.amazonaws.com' AND starts_with(event_name, '`+name+`')`)
			}
			for _, path := range slices.Concat(call.roles, call.profiles, call.runs) {
				if members[source] == nil {
					sources = append(sources, source)
				}
				members[source] = append(members[source], regexp.QuoteMeta(telling(path)))
			}
		}
	}
	conditions := []string{`c.issued_access_key_id IS NOT NULL`}
	conditions = append(conditions, always...)
	for _, source := range sources {
		pattern := `"(?i:` + strings.Join(slices.Compact(slices.Sorted(slices.Values(members[source]))), "|") + `)"`
		conditions = append(conditions, `event_source = '`+source+`.amazonaws.com' AND (regexp_matches(request_parameters, '`+pattern+`') OR regexp_matches(c.response, '`+pattern+`'))`)
	}
	return strings.Join(conditions, "\n OR ")
}

// telling is the longest name of a member on a path: it must stand in a document
// in which the path leads somewhere.
func telling(path string) string {
	longest := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "response."), ".") {
		if !strings.Contains(part, "=") && len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// naming is the condition on calls to compute under which the name of their
// workload is that of its sessions.
func naming() string {
	var conditions []string
	for _, api := range slices.Sorted(maps.Keys(computeCalls)) {
		source, name, _ := strings.Cut(api, ":")
		for _, call := range computeCalls[api] {
			if call.on != nil && call.on.byName {
				conditions = append(conditions, `event_source = '`+source+`.amazonaws.com' AND starts_with(event_name, '`+name+`')`)
			}
		}
	}
	return strings.Join(conditions, "\n OR ")
}
