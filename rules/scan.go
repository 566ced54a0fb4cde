package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"trailscan/query"
)

// Options narrow a scan. They never change what the rules learn from or count:
// an event before Since still is history.
type Options struct {
	Since time.Time // findings have events from here on; zero: all
	Until time.Time // and before here; zero: all
	// Lists are the values that rules with a List compare with, by its name. They
	// replace those that the case holds under that name.
	Lists map[string][]string
	// Refused says of rules that were asked for and cannot run why not. They
	// stand behind the others' assessments.
	Refused []Assessment
	// Observe is told of every part of the scan when it is over. It may be nil.
	Observe func(Timing)
}

// Timing is what a part of a scan took: a rule, or work for many of them.
type Timing struct {
	Rule string // its id; "" for shared work
	Name string // of the shared work
	Took time.Duration
	// Together is how many rules one query ran; Took is the share of one.
	Together int
	Idle     bool // a rule that names no call that the case holds
	// Rows are the events that a rule finds, or what the shared work gives.
	Rows int64
	// Err says why a rule cannot run; the others do.
	Err error
}

// Scan runs the rules over the case, marks what the stored lineage did, and
// replaces the findings and assessments that the case holds by the new ones. A
// denied or failed attempt is one severity step below a success, unless the
// rule is about attempts only. Assessments come in the order of the rules; the
// findings, which may be many, are read with Findings.
func Scan(ctx context.Context, c *query.Case, pack []Rule, o Options) ([]Assessment, error) {
	for _, r := range pack {
		if err := r.validate(); err != nil {
			return nil, err
		}
	}
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	defer conn.Close()
	assessments, err := scan(ctx, conn, pack, o)
	if err != nil {
		return nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	return assessments, nil
}

func scan(ctx context.Context, conn *sql.Conn, pack []Rule, o Options) (assessments []Assessment, err error) {
	defer func() { err = errors.Join(err, dropShared(context.WithoutCancel(ctx), conn)) }()

	first, all := firstOfAlike(pack)
	o.Observe = all.observe(o.Observe)
	s := scanner{shared: shared{conn: conn, copy: usualCopying}, pack: first, all: all, o: o}
	restore, err := fewThreads(ctx, conn, s.copy.whole)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, restore(context.WithoutCancel(ctx))) }()
	if err := s.survey(ctx); err != nil {
		return nil, err
	}
	if err := s.run(ctx, func(r Rule) bool { return !r.OnFindings }); err != nil {
		return nil, err
	}
	if err := s.group(ctx); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(pack, func(r Rule) bool { return r.OnFindings }) {
		if err := s.share(ctx); err != nil {
			return nil, err
		}
		if err := s.run(ctx, func(r Rule) bool { return r.OnFindings }); err != nil {
			return nil, err
		}
		if err := s.group(ctx); err != nil {
			return nil, err
		}
	}
	assessments = append(all.assessments(s.assessments), o.Refused...)
	if err := s.step("store the findings", func() (int64, error) {
		return s.findings, s.store(ctx, assessments)
	}); err != nil {
		return nil, err
	}
	return assessments, nil
}

// Match returns the ids of the events that a rule finds in the case, oldest
// first. Nothing is stored.
func Match(ctx context.Context, c *query.Case, r Rule) ([]string, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	rows, err := c.DB.QueryContext(ctx, `SELECT event_id FROM (`+r.compile(ownRelations)+`) ORDER BY event_time, event_id`)
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.ID, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.ID, err)
	}
	return ids, nil
}
