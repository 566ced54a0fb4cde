package remediate

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// principals are the unique ids of the lineage: users and sessions whole, roles
// apart, which others have sessions of.
func (k *checker) principals() (ids, roles []string) {
	for _, id := range k.plan.Lineage.PrincipalIDs {
		switch {
		case roleID(id) == id:
			roles = append(roles, id)
		case id != "":
			ids = append(ids, id)
		}
	}
	return ids, roles
}

// findActivity reads the calls of the lineage since.
func (k *checker) findActivity(ctx context.Context) error {
	ids, roles := k.principals()
	args := []any{k.found.Since}
	where := `e.access_key_id IN ` + placeholders(slices.Sorted(maps.Keys(k.held)), &args)
	where += ` OR e.principal_id IN ` + placeholders(ids, &args)
	where += ` OR split_part(e.principal_id, ':', 1) IN ` + placeholders(roles, &args) + ` AND e.source_ip_address IN ` + placeholders(k.ips, &args)
	if k.found.Traced {
		where += ` OR le.actor <> 'owner'`
	}
	rows, err := k.c.DB.QueryContext(ctx, `
		SELECT `+requestColumns+`, e.event_id, coalesce(e.error_code, ''), coalesce(e.error_message, ''), e.issued_access_key_id, le.actor
		FROM events e LEFT JOIN lineage_events le ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE e.event_time > ? AND (`+where+`)
		ORDER BY e.event_time, e.event_id`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	nodes := map[string]*Node{}
	for rows.Next() {
		var row requestRow
		var id, issued, actor sql.NullString
		var code, message string
		if err := rows.Scan(append(row.into(), &id, &code, &message, &issued, &actor)...); err != nil {
			return err
		}
		r := row.request()
		link := k.link(r, actor.String)
		if link != LinkCredential && link != LinkDescendant && ownAgent(r.userAgent) {
			continue
		}
		by, contained := k.containedBy(r)
		if !contained {
			continue
		}
		key := strings.Join([]string{r.accessKey, r.id, string(link)}, "\x00")
		n := nodes[key]
		if n == nil {
			n = &Node{AccessKeyID: r.accessKey, PrincipalID: r.id, PrincipalARN: r.arn, Link: link, First: r.time, EventIDs: []string{}, counts: map[string]int64{}, ips: map[string]bool{}}
			nodes[key] = n
		}
		if by != nil {
			n.Action, n.ContainedAt = by.action.ID, &by.at
		}
		k.note(n, r, id.String, code, message, issued.String)
	}
	for _, n := range nodes {
		n.Calls, n.SourceIPs = callCounts(n.counts), slices.Sorted(maps.Keys(n.ips))
		n.SourceIPs = n.SourceIPs[:min(len(n.SourceIPs), maxProofIPs)]
		k.found.Nodes = append(k.found.Nodes, *n)
	}
	slices.SortFunc(k.found.Nodes, func(a, b Node) int {
		return cmp.Or(a.First.Compare(b.First), strings.Compare(a.AccessKeyID, b.AccessKeyID), strings.Compare(a.PrincipalID, b.PrincipalID), strings.Compare(string(a.Link), string(b.Link)))
	})
	return rows.Err()
}

// note counts a call by its outcome.
func (k *checker) note(n *Node, r *request, id, code, message, issued string) {
	n.Last = r.time
	if r.sourceIP != "" {
		n.ips[r.sourceIP] = true
	}
	if len(n.EventIDs) < maxProofIDs {
		n.EventIDs = append(n.EventIDs, id)
	}
	var total *int64
	switch {
	case code == "" && message == "" && r.call == "sts:GetCallerIdentity":
		n.Harmless++
		total = &k.found.Harmless
	case code == "" && message == "":
		n.Succeeded++
		n.counts[r.call]++
		if n.ContainedAt != nil && r.time.Before(n.ContainedAt.Add(settling)) {
			n.Settling++
		}
		total = &k.found.Succeeded
		if issued != "" && n.Link != LinkPossible {
			k.found.Minted = append(k.found.Minted, Minting{id, r.time, r.call, r.arn, issued, true})
		}
	case refused.MatchString(code) || refused.MatchString(message):
		n.Denied++
		total = &k.found.Denied
	default:
		n.Failed++
		total = &k.found.Failed
	}
	if n.Link != LinkPossible {
		*total++
	}
}

// link says why a call counts as one of the lineage.
func (k *checker) link(r *request, actor string) Link {
	if l := k.held[r.accessKey]; l != "" {
		return l
	}
	switch {
	case k.found.Traced && actor != "" && actor != string(lineage.Owner):
		return LinkTraced
	case k.mayDoNothing(r):
		return LinkDenied
	case slices.Contains(k.ips, r.sourceIP):
		return LinkAddress
	}
	return LinkPossible
}

// mayDoNothing says that whoever is the caller is denied everything, whenever its
// credential was issued.
func (k *checker) mayDoNothing(r *request) bool {
	s, id, ok := r.holder()
	return ok && slices.ContainsFunc(k.denials, func(d *denial) bool {
		return d.stands(r.time) && d.is(s, id) && deniedForGood(d.holder, []*denial{d})
	})
}

// containedBy is the denial that should have stopped a call. contained is false
// for calls of a credential before its denial; one that none is about counts
// from the first action on.
func (k *checker) containedBy(r *request) (by *denial, contained bool) {
	contained = true
	for _, d := range k.denials {
		bare := *d
		bare.at, bare.until = time.Time{}, time.Time{}
		if got, why := bare.blocks(r); got != yes && why != ReasonAlwaysAllowed {
			continue
		}
		if d.stands(r.time) {
			return d, true
		}
		contained = false
	}
	return nil, contained
}
