package remediate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/query"
)

// loadOthers reads the writes of everyone else through those APIs that the
// undo tables look at for the calls of the lineage: of the busy ones only those
// that name what the lineage changed.
func (ev *evidence) loadOthers(ctx context.Context, c *query.Case) error {
	wanted := wantedOf(ev.events)
	if len(wanted) == 0 {
		return nil
	}
	for _, n := range []string{"DeleteUser", "DeleteRole", "DeleteGroup", "DeletePolicy", "DeleteInstanceProfile", "DeleteAccessKey", "UpdateAccessKey", "UpdateUser", "UpdateGroup"} {
		wanted[apiCall{"iam", n}] = &telling{}
	}
	var calls, narrow []string
	var named, patterns []any
	for i, call := range slices.SortedFunc(maps.Keys(wanted), func(a, b apiCall) int {
		return cmp.Or(strings.Compare(a.source, b.source), strings.Compare(a.name, b.name))
	}) {
		calls = append(calls, fmt.Sprintf("(?, ?, %d)", i))
		named = append(named, call.source, call.name)
		t := wanted[call]
		var all []string
		if pattern := t.names.pattern(); pattern != "" {
			all = append(all, "(regexp_matches(e.request_parameters, ?) OR regexp_matches(e.response_elements, ?))")
			patterns = append(patterns, pattern, pattern)
		}
		if !t.since.IsZero() {
			all = append(all, "e.event_time >= ?")
			patterns = append(patterns, t.since)
		}
		if len(all) > 0 {
			narrow = append(narrow, fmt.Sprintf("WHEN %d THEN %s", i, strings.Join(all, " AND ")))
		}
	}
	matters := "true"
	if len(narrow) > 0 {
		matters = "CASE w.i " + strings.Join(narrow, " ") + " ELSE true END"
	}
	var err error
	// The lineage names events of others: what issued a credential, for one.
	ev.others, err = queryEvents(ctx, c, `
		WITH named AS (SELECT issued_event_id FROM credentials UNION SELECT event_id FROM principals UNION SELECT event_id FROM lineage_edges),
			wanted(source, name, i) AS (VALUES `+strings.Join(calls, ", ")+`),
			calls AS (
				SELECT event_source, event_name, i
				FROM (SELECT DISTINCT event_source, event_name FROM events) d JOIN wanted w
					ON regexp_replace(d.event_source, '\.amazonaws\.com.*$', '') = w.source
					AND regexp_replace(d.event_name, '([0-9]{8}(v[0-9]+)?|[0-9]{4}_[0-9]{2}_[0-9]{2})$', '') = w.name)
		SELECT `+strings.NewReplacer("e.user_identity", "NULL", "e.additional_event_data", "NULL").Replace(eventColumns)+`, NULL, NULL
		FROM events e JOIN calls w ON e.event_source = w.event_source AND e.event_name = w.event_name
			LEFT JOIN (SELECT * FROM lineage_events WHERE actor <> 'owner') le
				ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE le.source_id IS NULL AND coalesce(e.error_code, '') = '' AND (`+matters+` OR e.event_id IN (FROM named))`,
		slices.Concat(named, patterns)...)
	return err
}

type apiCall struct{ source, name string }

// telling are the events of an API that may tell of what the lineage changed.
type telling struct {
	names nameSet
	since time.Time // zero: from the start
}

// nameSet are names one of which the text of an event must hold; nil for any event.
type nameSet map[string]bool

// wantedOf are the APIs whose events tell of what the lineage changed. The call
// that it made itself tells what came after, and only by some tables what was
// before.
func wantedOf(events []*event) map[apiCall]*telling {
	wanted := map[apiCall]*telling{}
	want := func(call apiCall, names nameSet, since time.Time) {
		if readWhole[call] || readWhole[apiCall{call.source, ""}] {
			names, since = nil, time.Time{}
		}
		t := wanted[call]
		if t == nil {
			wanted[call] = &telling{maps.Clone(names), since}
			return
		}
		if since.Before(t.since) {
			t.since = since
		}
		if names == nil || t.names == nil {
			t.names = nil
			return
		}
		maps.Copy(t.names, names)
	}
	for _, e := range events {
		u := undoTable[e.source+":"+e.name]
		if u == nil || u.handled {
			continue
		}
		names := u.subjects(e)
		for _, n := range append(u.related(), "Create"+strings.TrimPrefix(e.name, "Delete")) {
			want(apiCall{e.source, n}, names, time.Time{})
		}
		since := e.time
		if u.was != nil || u.idempotent {
			since = time.Time{}
		}
		want(apiCall{e.source, e.name}, names, since)
	}
	return wanted
}

// readWhole are the services and APIs whose events are looked at for other
// things besides: users that were renamed, gateways, the tasks of a session.
var readWhole = map[apiCall]bool{
	{"iam", ""}: true, {"cognito-identity", ""}: true, {"rolesanywhere", ""}: true, {"ecs", "RunTask"}: true, {"ecs", "StartTask"}: true,
}

// subjects are the names of which every event about what an event of the lineage
// changed holds one, nil where the tables do not tell. Of several objects all
// must be the same for two events to be about one thing, so that the first is
// enough; the keys of tags come first and tell nothing, what they are on does.
func (u *undo) subjects(e *event) nameSet {
	listed := func(p prior) bool { return len(p.object) == 0 || strings.Contains(p.object[0], "[]") }
	if len(u.object) == 0 || u.was == nil && slices.ContainsFunc(u.prior, listed) {
		return nil
	}
	object := u.object[0]
	if strings.HasPrefix(object, "text(") && (u.was != nil || len(u.prior) == 0) {
		object = u.object[len(u.object)-1]
	}
	if !plainObject.MatchString(object) {
		return nil
	}
	found := e.at(object)
	list, isList := found.([]any)
	if !isList {
		list = []any{found}
	} else if !u.split {
		return nil
	}
	names := nameSet{}
	for _, v := range list {
		name, ok := v.(string)
		if !ok || utf8.RuneCountInString(name) < 3 || name == e.accountID || name == e.region {
			return nil
		}
		names[name] = true
	}
	if len(names) == 0 {
		return nil
	}
	return names
}

// plainObject is an object that stands in the event as text.
var plainObject = regexp.MustCompile(`^(name\()?r[qs]\.[A-Za-z0-9.|\[\]]+\)?$`)

// maxPattern bounds the regular expression of an API: RE2 is slow on one that
// has more states than it keeps.
const maxPattern = 20_000

// pattern is the regular expression that finds one of the names in JSON, "" for
// any text.
func (n nameSet) pattern() string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		list = append(list, inJSON(name))
	}
	if pattern := strings.Join(list, "|"); len(pattern) <= maxPattern {
		return pattern
	}
	return ""
}

// inJSON is the regular expression of a text in JSON. What a writer of JSON may
// escape is taken for anything.
func inJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == ':':
			b.WriteRune(r)
		case r == '.':
			b.WriteString(`\.`)
		case r == '/':
			b.WriteString(`\\?/`)
		default:
			b.WriteString(`.{1,12}`) // two escaped surrogates at most
		}
	}
	return b.String()
}
