package lineage

import (
	"context"
	"database/sql/driver"
	"time"
)

// ownNetwork reports whether a sign-in is from a network that its principal used
// before a moment, and that is not the intruder's.
func (c *closure) ownNetwork(ctx context.Context, login *call, before time.Time) (bool, error) {
	from := network(login.address)
	switch side := c.t.o.sideOf(login.address); {
	case side == Owner:
		return true, nil
	case side == Intruder || from == "" || c.hostile[from]:
		return false, nil
	}
	if c.ownPlaces[login.principalID] == nil && login.principalID != "" {
		if err := c.readOwnPlaces(ctx); err != nil {
			return false, err
		}
	}
	first, used := c.ownPlaces[login.principalID][from]
	return used && first.Before(before), nil
}

// readOwnPlaces reads from where those who sign in called before, with one scan
// for all of them.
func (c *closure) readOwnPlaces(ctx context.Context) error {
	err := c.t.table(ctx, "trace_wanted", `id VARCHAR`, len(c.signingIn), func(i int) []driver.Value { return []driver.Value{c.signingIn[i]} })
	if err != nil {
		return err
	}
	for _, id := range c.signingIn {
		c.ownPlaces[id] = map[string]time.Time{}
	}
	return c.t.each(ctx, `SELECT principal_id, source_ip_address, min(event_time) FROM events
		WHERE principal_id IN (FROM trace_wanted) AND source_ip_address IS NOT NULL AND coalesce(error_code, '') = ''
		GROUP BY ALL`, nil, func(scan func(...any) error) error {
		var id, address string
		var at time.Time
		if err := scan(&id, &address, &at); err != nil {
			return err
		}
		n := network(address)
		if first, ok := c.ownPlaces[id][n]; !ok || at.Before(first) {
			c.ownPlaces[id][n] = at
		}
		return nil
	})
}

// pendingNodes finds credentials of closure.unmatched by whom they act as.
type pendingNodes struct {
	read        int // of unmatched
	byID, byARN map[string][]*node
}

// unmatchedOf brings the index of unmatched up to date.
func (c *closure) unmatchedOf() *pendingNodes {
	p := &c.pending
	if p.read == 0 {
		p.byID, p.byARN = map[string][]*node{}, map[string][]*node{}
	}
	for ; p.read < len(c.unmatched); p.read++ {
		n := c.unmatched[p.read]
		p.byID[n.cred.PrincipalID] = append(p.byID[n.cred.PrincipalID], n)
		p.byARN[n.cred.PrincipalARN] = append(p.byARN[n.cred.PrincipalARN], n)
	}
	return p
}
