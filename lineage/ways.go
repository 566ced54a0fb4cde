package lineage

import (
	"context"
	"database/sql/driver"
)

// foundBy is what trace_calls and trace_keys hold of a way into a principal.
type foundBy struct {
	calls []*call  // that issued credentials for it, in order of time
	keys  []keyUse // that act for it and that nothing issued, by first use
}

// found looks up what came in through a way, and through all that were not looked up yet, at
// once: the lineage may have thousands of them.
func (c *closure) found(ctx context.Context, w *takeover) (*foundBy, error) {
	if f := c.lookedUp[w]; f != nil {
		return f, nil
	}
	ways := []*takeover{w}
	for _, other := range c.takeovers {
		if other != w && (other.kind == "user" || other.kind == "role") && other.how != CodeChanged && c.lookedUp[other] == nil {
			ways = append(ways, other)
		}
	}
	err := c.t.table(ctx, "trace_ways", `way INTEGER, kind VARCHAR, account VARCHAR, name VARCHAR, path VARCHAR, id VARCHAR, arn VARCHAR, "from" TIMESTAMP`,
		len(ways), func(i int) []driver.Value {
			w := ways[i]
			return []driver.Value{int32(i), w.kind, w.made.account, w.name, w.made.iamARN("role", ""), w.who.id, w.who.arn, w.from}
		})
	if err != nil {
		return nil, err
	}
	for _, w := range ways {
		c.lookedUp[w] = &foundBy{}
	}
	if err := c.findCalls(ctx, ways); err != nil {
		return nil, err
	}
	return c.lookedUp[w], c.findKeys(ctx, ways)
}

// findCalls finds the calls that issued credentials for users since they were
// taken over, and those that took sessions of roles at any time.
func (c *closure) findCalls(ctx context.Context, ways []*takeover) error {
	var rows []int64
	of := map[int64][]int{}
	err := c.t.each(ctx, `SELECT c.rowid, s.way FROM trace_calls c JOIN trace_ways s ON s.kind = 'user' AND c.account_id = s.account AND c.target_user = s.name
		WHERE c.issued_access_key_id IS NOT NULL AND c.event_source = 'iam.amazonaws.com' AND c.event_time >= s."from"
		UNION ALL
		SELECT c.rowid, s.way FROM trace_calls c JOIN trace_ways s ON s.kind = 'role'
		    AND string_split(c.role_arn, '/')[-1] = s.name AND c.role_arn[:strpos(c.role_arn, '/')] = s.path
		WHERE c.issued_access_key_id IS NOT NULL`, nil, func(scan func(...any) error) error {
		var row int64
		var way int
		err := scan(&row, &way)
		if of[row] == nil {
			rows = append(rows, row)
		}
		of[row] = append(of[row], way)
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	calls, err := c.t.callsOf(ctx, rows)
	for _, made := range calls {
		for _, way := range of[made.row] {
			f := c.lookedUp[ways[way]]
			f.calls = append(f.calls, made)
		}
	}
	return err
}

// findKeys finds the keys in use by principals since they were taken over that
// no event of the log issued.
func (c *closure) findKeys(ctx context.Context, ways []*takeover) error {
	return c.t.each(ctx, `SELECT `+keyColumns+`, s.way FROM trace_keys k JOIN (
		    SELECT k.access_key_id, s.way, s."from" FROM trace_keys k JOIN trace_ways s ON s.id <> '' AND k.principal_id = s.id
		    UNION SELECT k.access_key_id, s.way, s."from" FROM trace_keys k JOIN trace_ways s ON s.id <> '' AND k.issuer_id = s.id
		    UNION SELECT k.access_key_id, s.way, s."from" FROM trace_keys k JOIN trace_ways s ON s.id = '' AND k.identity_arn = s.arn
		    UNION SELECT k.access_key_id, s.way, s."from" FROM trace_keys k JOIN trace_ways s ON s.id = '' AND k.issuer_arn = s.arn
		    ) s USING (access_key_id)
		WHERE k.last_used >= s."from" AND `+notIssued+` ORDER BY k.first_used, k.access_key_id`, nil, func(scan func(...any) error) error {
		var k keyUse
		var way int
		err := k.scan(scan, &way)
		f := c.lookedUp[ways[way]]
		f.keys = append(f.keys, k)
		return err
	})
}
