package remediate

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"
)

// Effect is what a plan does to a call of somebody who is not the intruder.
type Effect string

// The effects on others: the call fails for as long as the action stands, or
// once, until its session is renewed.
const (
	Stops     Effect = "stops"
	MustRenew Effect = "must_renew"
)

// Impact is which calls of others the plan's denials would have blocked.
type Impact struct {
	Since     time.Time     `json:"since"` // 30 days before Until
	Until     time.Time     `json:"until"`
	Stops     int64         `json:"stops"` // by automatic actions
	MustRenew int64         `json:"must_renew"`
	IfDone    int64         `json:"if_done"` // either, by actions that wait for a person
	Groups    []ImpactGroup `json:"groups"`  // by how many calls
}

// ImpactGroup is calls of one caller that are not the intruder's. Events counts
// those of the 30 days as if the action had stood all along; EventsAfter those
// since Proof.At that it would have blocked from then on.
type ImpactGroup struct {
	PrincipalARN string      `json:"principal_arn"`
	AccessKeyID  string      `json:"access_key_id"` // a long-term key; "" for sessions
	Effect       Effect      `json:"effect"`
	Action       string      `json:"action"`
	Mode         Mode        `json:"mode"`
	Reason       Reason      `json:"reason"`
	Events       int64       `json:"events"`
	EventsAfter  int64       `json:"events_after"`
	First        time.Time   `json:"first"`
	Last         time.Time   `json:"last"`
	Calls        []CallCount `json:"calls"`
	SourceIPs    []string    `json:"source_ips"` // the first 10

	counts map[string]int64
	ips    map[string]bool
}

const maxProofIPs = 10

// others judges the calls of everyone else that a denial could be about, those of
// one session to one API together.
func (v *prover) others(ctx context.Context) error {
	im := &v.proof.Others
	im.Until = v.proof.LogThrough
	im.Since = im.Until.Add(-usageWindow)
	im.Groups = []ImpactGroup{}
	where, args := v.concerned()
	if where == "" {
		return nil
	}
	from := im.Since
	if v.proof.At.Before(from) {
		from = v.proof.At
	}
	grouped := strings.NewReplacer("e.source_ip_address", "e.ip", "e.event_time", "max(e.event_time)")
	// What a denial asks for besides the caller, the calls are told apart by.
	detail := v.asksForDetail()
	args = append([]any{detail, detail, detail, detail, detail, im.Since, im.Until, v.proof.At, from}, args...)
	rows, err := v.c.DB.QueryContext(ctx, `
		WITH e AS (
			SELECT e.* REPLACE (
				CASE WHEN ? OR e.event_name LIKE 'AssumeRole%' THEN e.request_parameters END AS request_parameters,
				CASE WHEN ? THEN e.resources END AS resources, CASE WHEN ? THEN e.aws_region END AS aws_region,
				CASE WHEN ? THEN e.user_agent END AS user_agent,
				CASE WHEN e.access_key_id LIKE 'ASIA%' THEN 'ASIA' ELSE e.access_key_id END AS access_key_id),
				CASE WHEN ? THEN e.source_ip_address END AS ip
			FROM events e LEFT JOIN (SELECT source_id, record_index FROM lineage_events WHERE actor <> 'owner') le
				ON e.source_id = le.source_id AND e.record_index = le.record_index
			WHERE le.source_id IS NULL)
		SELECT `+grouped.Replace(requestColumns)+`, min(e.event_time),
			count_if(e.event_time >= ? AND e.event_time <= ?), count_if(e.event_time >= ?),
			list_sort(list_distinct(list(e.source_ip_address)))
		FROM e WHERE e.event_time >= ? AND (`+where+`)
		GROUP BY ALL`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	type key struct {
		principal, accessKey string
		effect               Effect
		action               string
	}
	groups := map[key]*ImpactGroup{}
	for rows.Next() {
		var row requestRow
		var first sql.NullTime
		var window, after int64
		var ips []any
		if err := rows.Scan(append(row.into(), &first, &window, &after, anyList{&ips})...); err != nil {
			return err
		}
		r := row.request()
		j, effect := v.judgeOther(r)
		if j.verdict == WouldNotBlock {
			continue
		}
		if v.guard.judge(r).verdict == WouldNotBlock {
			after = 0
		}
		if window == 0 && after == 0 {
			continue
		}
		k := key{r.principal(), strings.TrimPrefix(r.accessKey, "ASIA"), effect, j.action()}
		g := groups[k]
		if g == nil {
			g = &ImpactGroup{PrincipalARN: k.principal, AccessKeyID: k.accessKey, Effect: effect, Action: k.action, Mode: j.by.action.Mode,
				Reason: j.reason, First: first.Time.UTC(), Last: r.time, counts: map[string]int64{}, ips: map[string]bool{}}
			groups[k] = g
		}
		g.add(r, first.Time.UTC(), window, after, ips)
	}
	for _, g := range groups {
		g.Calls = callCounts(g.counts)
		g.SourceIPs = slices.Sorted(maps.Keys(g.ips))
		g.SourceIPs = g.SourceIPs[:min(len(g.SourceIPs), maxProofIPs)]
		switch {
		case g.Mode != Auto:
			im.IfDone += g.Events
		case g.Effect == Stops:
			im.Stops += g.Events
		default:
			im.MustRenew += g.Events
		}
		im.Groups = append(im.Groups, *g)
	}
	slices.SortFunc(im.Groups, func(a, b ImpactGroup) int {
		return cmp.Or(strings.Compare(string(b.Effect), string(a.Effect)), cmp.Compare(b.Events, a.Events), strings.Compare(a.PrincipalARN, b.PrincipalARN),
			strings.Compare(a.AccessKeyID, b.AccessKeyID), strings.Compare(a.Action, b.Action))
	})
	return rows.Err()
}

func (g *ImpactGroup) add(r *request, first time.Time, window, after int64, ips []any) {
	g.Events += window
	g.EventsAfter += after
	if window == 0 {
		window = after
	}
	g.counts[r.call] += window
	if first.Before(g.First) {
		g.First = first
	}
	if r.time.After(g.Last) {
		g.Last = r.time
	}
	for _, ip := range ips {
		if s, ok := ip.(string); ok {
			g.ips[s] = true
		}
	}
}

// judgeOther judges a call as if the denials had stood all along: those that end
// tokens end each of them once.
func (v *prover) judgeOther(r *request) (judgment, Effect) {
	whole := *r
	if r.temporary() {
		whole.issued = v.proof.At.Add(365 * 24 * time.Hour) // younger than any cut-off
	}
	if j := v.guard.judge(&whole); j.verdict != WouldNotBlock {
		return j, Stops
	}
	if r.temporary() {
		whole.issued = time.Unix(0, 0).UTC()
	}
	return v.guard.judge(&whole), MustRenew
}

// asksForDetail says that a denial depends on more than caller and action.
func (v *prover) asksForDetail() bool {
	for _, d := range v.denials {
		if d.kind == byBucket || d.kind == byAnchor {
			return true
		}
		if d.policy == nil || d.kind == byTrust {
			continue
		}
		for _, s := range d.policy.statements {
			if !slices.Contains(s.resources, "*") {
				return true
			}
			for _, c := range s.conditions {
				switch c.key {
				case "aws:sourceip", "aws:useragent", "aws:requestedregion":
					return true
				}
			}
		}
	}
	return false
}

// concerned is an SQL condition, with its values, that holds for the calls that
// some denial could be about. However many denials there are, it looks at a call
// a few times.
func (v *prover) concerned() (string, []any) {
	holders, keys, assumed, arns, accounts, buckets := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	sets := map[string]bool{}
	anchors := false
	for _, d := range v.denials {
		holder := d.holder.account + " " + d.holder.name
		switch d.kind {
		case byKey:
			if d.name == Item {
				holders[holder] = true
			} else {
				keys[d.name] = true
			}
		case byTrust:
			assumed[d.holder.name] = true
		case byBucket:
			buckets[d.name] = true
		case byAnchor:
			anchors = true
		case bySet:
			sets[d.holder.account+" "+d.name] = d.name != ""
		case bySCP:
			limited := scpPrincipals(d.policy)
			accounts[d.account] = accounts[d.account] || limited == nil
			for _, arn := range limited {
				if s, ok := subjectOf(arn); ok && s.kind != "root" {
					holders[s.account+" "+s.name] = true
				} else {
					arns[arn] = true
				}
			}
		case byPolicy, byPassword, byAbsence:
			holders[holder] = true
			if d.kind == byAbsence && d.holder.kind == "role" {
				assumed[d.holder.name] = true
			}
		}
	}
	var parts []string
	var args []any
	in := func(expression string, set map[string]bool) {
		maps.DeleteFunc(set, func(_ string, wanted bool) bool { return !wanted })
		if len(set) > 0 {
			parts = append(parts, expression+" IN "+placeholders(slices.Sorted(maps.Keys(set)), &args))
		}
	}
	in(`e.identity_account_id || ' ' || split_part(coalesce(nullif(e.session_issuer_arn, ''), e.identity_arn), '/', -1)`, holders)
	in(`e.identity_account_id || ' ' || CASE WHEN contains(e.identity_arn, ':assumed-role/') THEN split_part(e.identity_arn, '/', 2) END`, holders)
	in(`e.identity_account_id || ' ' || regexp_extract(coalesce(nullif(e.session_issuer_arn, ''), e.identity_arn), '/AWSReservedSSO_(.+)_[^_/]*(/|$)', 1)`, sets)
	in(`e.access_key_id`, keys)
	in(`CASE WHEN e.event_name LIKE 'AssumeRole%' THEN regexp_extract(e.request_parameters, '"roleArn":"[^"]*/([^"/]+)"', 1) END`, assumed)
	in(`CASE WHEN e.event_source LIKE 's3.%' THEN regexp_extract(e.request_parameters, '"bucketName":"([^"]+)"', 1) END`, buckets)
	in(`e.identity_arn`, arns)
	in(`e.identity_account_id`, accounts)
	if anchors {
		parts = append(parts, `e.event_source LIKE 'rolesanywhere.%' AND e.event_name = 'CreateSession'`)
	}
	return strings.Join(parts, " OR "), args
}

// scpPrincipals are the ARNs that all denying statements of a policy are limited
// to; nil when one is not, or to a pattern.
func scpPrincipals(p *document) []string {
	var out []string
	for _, s := range p.statements {
		if !s.deny {
			continue
		}
		limited := false
		for _, c := range s.conditions {
			if c.key != "aws:principalarn" || c.negated || c.set != "" || c.ifExists {
				continue
			}
			if slices.ContainsFunc(c.values, func(v string) bool { return strings.ContainsAny(v, "*?") }) {
				return nil
			}
			limited = true
			out = append(out, c.values...)
		}
		if !limited {
			return nil
		}
	}
	return out
}

// anyList scans a DuckDB list.
type anyList struct{ to *[]any }

// Scan implements sql.Scanner.
func (l anyList) Scan(v any) error {
	*l.to, _ = v.([]any)
	return nil
}
