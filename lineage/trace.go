package lineage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"trailscan/query"
)

var (
	// ErrUnknownKey says that no event of the case knows a key.
	ErrUnknownKey = errors.New("key is in no event")
	// ErrNotTraced says that the case holds no lineage yet.
	ErrNotTraced = errors.New("no key has been traced in this case")
)

// Options say how to trace.
type Options struct {
	// CompromisedSince is when the keys fell into other hands. Zero infers it
	// for each key from its history.
	CompromisedSince time.Time
	// AllUse follows what the owner did with the key too.
	AllUse bool
	// AsOf is when a credential counts as alive or not. Zero is the end of the
	// logs.
	AsOf time.Time
	// Trusted and Hostile are networks whose use is the owner's or the intruder's,
	// whatever else speaks for or against it. The longest prefix decides.
	Trusted, Hostile []netip.Prefix
	// ASNs and AWSRanges say more of addresses. Nil where no file was given.
	ASNs      *ASNs
	AWSRanges *AWSRanges
}

// Trace finds what descends from keys (access key ids or ARNs of principals)
// and stores it in the case, in place of an earlier lineage. It works on the
// whole case: no filter applies. The error is ErrUnknownKey where a key is in
// no event.
func Trace(ctx context.Context, c *query.Case, keys []string, o Options) (*Lineage, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	if len(keys) == 0 {
		return nil, errors.New("trace: no key given: name an access key id or the ARN of a principal")
	}
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer conn.Close()
	t := &tracer{conn: conn, o: o}
	defer t.drop()
	l, err := t.run(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", strings.Join(keys, ", "), err)
	}
	return l, nil
}

// tracer is one run of Trace. Its temporary tables live on its connection.
type tracer struct {
	conn    *sql.Conn
	o       Options
	roots   []*root
	origins map[[2]string]*origin // by address and VPC endpoint
	names   *directory            // once it was asked for
	agents  map[string]agentNames // by user agent
}

func (t *tracer) run(ctx context.Context, keys []string) (*Lineage, error) {
	if err := t.extract(ctx); err != nil {
		return nil, err
	}
	var end sql.NullTime
	if err := t.conn.QueryRowContext(ctx, `SELECT max(last_used) FROM trace_identities`).Scan(&end); err != nil {
		return nil, err
	}
	l := &Lineage{Keys: keys, AsOf: t.o.AsOf.UTC().Truncate(time.Microsecond)} // as the case stores it
	if t.o.AsOf.IsZero() {
		l.AsOf = end.Time.UTC()
	}
	for _, k := range keys {
		r, err := t.findRoot(ctx, k)
		if err != nil {
			return nil, err
		}
		t.roots = append(t.roots, r)
	}
	c, err := t.close(ctx)
	if err != nil {
		return nil, err
	}
	c.refs, c.seen, c.compute, c.lookedUp = nil, nil, nil, nil // as large as all that the rest needs
	l.CompromisedSince, l.CompromisedSinceWhy = sinceOf(t.roots)
	if l.FirstMaliciousUse, err = t.firstMaliciousUse(ctx); err != nil {
		return nil, err
	}
	if err := t.fill(ctx, c, l); err != nil {
		return nil, err
	}
	if err := t.store(ctx, l); err != nil {
		return nil, fmt.Errorf("store lineage: %w", err)
	}
	return l, nil
}

// close works out the closure of the roots. A key that was asked for and that
// the misuse of another one issued is no root: all of its use counts, and it
// has no history of an owner. One at a time, so that of two that issued each
// other one stays.
func (t *tracer) close(ctx context.Context) (*closure, error) {
	for {
		if err := t.judgeUse(ctx); err != nil {
			return nil, err
		}
		c, err := t.newClosure(ctx)
		if err != nil {
			return nil, err
		}
		if err := c.run(ctx); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(t.roots, func(r *root) bool { return c.descended[r] && !r.isARN() })
		if i < 0 {
			return c, nil
		}
		t.roots = slices.Delete(t.roots, i, i+1)
	}
}
