package remediate

import (
	"context"
	"database/sql"

	"trailscan/lineage"
)

// findVoid finds the credentials that would not exist: the call that issued them
// is blocked, or all that they descend from is.
func (v *prover) findVoid(ctx context.Context) error {
	calls, err := v.foundations(ctx)
	if err != nil {
		return err
	}
	v.void = map[string]judgment{}
	// A call is blocked, or made with a credential that would not exist.
	blocked := func(id string) (judgment, bool) {
		f, ok := calls[id]
		if !ok {
			return judgment{}, false
		}
		if j, void := v.void[f.credential]; void && stronger(j.verdict, f.verdict) {
			return j, true
		}
		return f.judgment, f.verdict != WouldNotBlock
	}
	byID := map[string]*lineage.Credential{}
	for i := range v.lineage.Credentials {
		byID[v.lineage.Credentials[i].ID] = &v.lineage.Credentials[i]
	}
	// Who came in by which changes: a credential that comes from a principal rests
	// on what let the intruder have it.
	changed := map[string][]string{}
	for _, p := range v.lineage.Principals {
		if p.How != lineage.Assumed {
			changed[p.ARN] = append(changed[p.ARN], p.EventID)
		}
	}
	from := map[string][]string{}
	for _, e := range v.lineage.Edges {
		if byID[e.From] == nil && byID[e.To] != nil {
			from[e.To] = append(from[e.To], changed[e.From]...)
		}
	}
	for again := true; again; {
		again = false
		for i := range v.lineage.Credentials {
			c := &v.lineage.Credentials[i]
			if c.Certainty == lineage.Unexplained {
				continue
			}
			best, known := v.void[c.ID]
			consider := func(j judgment) {
				if !known || stronger(j.verdict, best.verdict) {
					best, known, again = j, true, true
					v.void[c.ID] = j
				}
			}
			if j, ok := blocked(c.IssuedEventID); ok {
				consider(j)
			}
			if c.Parent != nil {
				if j, ok := v.void[*c.Parent]; ok {
					consider(j)
				}
			}
			if j, ok := weakest(from[c.ID], blocked); ok {
				consider(j)
			}
		}
	}
	return nil
}

// weakest is the weakest of the judgments on events, when all of them are blocked.
func weakest(events []string, blocked func(string) (judgment, bool)) (judgment, bool) {
	var out judgment
	for i, id := range events {
		j, ok := blocked(id)
		if !ok {
			return judgment{}, false
		}
		if i == 0 || stronger(out.verdict, j.verdict) {
			out = j
		}
	}
	return out, len(events) > 0
}

// foundation is a call that issued a credential or changed a principal, judged by
// itself, and the credential of the lineage that it was made with.
type foundation struct {
	judgment
	credential string
}

// foundations judges such calls since the moment of the proof.
func (v *prover) foundations(ctx context.Context) (map[string]foundation, error) {
	rows, err := v.c.DB.QueryContext(ctx, `
		SELECT `+requestColumns+`, e.event_id, le.credential_id
		FROM events e LEFT JOIN lineage_events le ON e.source_id = le.source_id AND e.record_index = le.record_index
		WHERE e.event_time >= ? AND e.event_id IN (
			SELECT issued_event_id FROM credentials UNION SELECT event_id FROM principals UNION SELECT event_id FROM lineage_edges)`, v.proof.At)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]foundation{}
	for rows.Next() {
		var row requestRow
		var id, credential sql.NullString
		if err := rows.Scan(append(row.into(), &id, &credential)...); err != nil {
			return nil, err
		}
		out[id.String] = foundation{v.guard.judge(row.request()), credential.String}
	}
	return out, rows.Err()
}
