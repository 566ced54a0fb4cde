package lineage

import (
	"context"
	"database/sql/driver"
	"slices"
)

// forwardedOf says whose calls services forwarded under the ids that bear a root
// session's principal and creation time: owner and intruder use one session.
// As with the session's own id, what a service did is whose the last call to
// that service was, and unclear where the log shows none. Ids that were not
// used since the misuse have no actor. It reads trace_sessions.
func (c *closure) forwardedOf(ctx context.Context, nodes []*node) (map[string]Actor, error) {
	type of struct{ node, root int }
	var roots []of
	for i, n := range nodes {
		if r := slices.Index(c.t.roots, n.root); r >= 0 && n.cred.Kind != LongTerm {
			roots = append(roots, of{i, r})
		}
	}
	if len(roots) == 0 {
		return nil, nil
	}
	err := c.t.table(ctx, "trace_wanted", `node INTEGER, root INTEGER, since TIMESTAMP`, len(roots), func(i int) []driver.Value {
		return []driver.Value{int32(roots[i].node), int32(roots[i].root), nodes[roots[i].node].from}
	})
	if err != nil {
		return nil, err
	}
	actors := map[string]Actor{}
	err = c.t.each(ctx, `WITH ids AS (
		    SELECT DISTINCT k.access_key_id, w.root, w.since FROM trace_keys k `+ofSession+` JOIN trace_wanted w USING (node) WHERE k.forwarded AND `+notIssued+`
		), calls AS (
		    SELECT e.access_key_id, e.event_time, e.invoked_by, ids.root FROM events e JOIN ids USING (access_key_id) WHERE e.event_time >= ids.since
		), direct AS (
		    SELECT r.root, e.event_source, e.event_time, min(coalesce(u.actor, 'owner')) AS actor
		    FROM events e JOIN trace_root_ids r USING (access_key_id) LEFT JOIN trace_root_use u USING (source_id, record_index)
		    WHERE e.invoked_by IS NULL AND r.root IN (SELECT root FROM ids) GROUP BY ALL
		)
		SELECT c.access_key_id, min(coalesce(d.actor, 'unclear')) FROM calls c
		ASOF LEFT JOIN direct d ON c.root = d.root AND c.invoked_by = d.event_source AND c.event_time >= d.event_time
		GROUP BY 1 ORDER BY 1`, nil, func(scan func(...any) error) error { // "intruder" is the least of the three words
		var id string
		var actor Actor
		err := scan(&id, &actor)
		actors[id] = actor
		return err
	})
	return actors, err
}

// forwardedByRoot takes an id under which a service acts for a root session, as
// far as it is not the owner's and since the misuse.
func (c *closure) forwardedByRoot(n *node, k *keyUse, actor Actor, groups map[string]*node) {
	if actor == Owner && c.t.o.AllUse {
		actor = Unclear
	}
	if actor != Intruder && actor != Unclear {
		return
	}
	g := c.forwarded(n, k, actor, groups)
	g.from = later(g.from, n.from.Add(clockSkew)) // gatherEvents allows for the skew
}
