// Package reports shows what is known of an incident: as a document (HTML,
// Markdown, JSON), as the artifacts that other tools read (JSON, CSV), and as
// tables and summaries on a terminal. It concludes nothing but what the logs
// cannot show; everything else comes from the case and the packages that fill it.
package reports

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/remediate"
	"trailscan/rules"
)

// Incident is everything that a report shows. Its JSON is `trailscan report
// --format json`.
type Incident struct {
	Totals      Totals             `json:"totals"`
	Coverage    Coverage           `json:"coverage"`
	Accounts    []Scope            `json:"accounts"`     // by account
	Regions     []Scope            `json:"regions"`      // by region
	Sources     []Source           `json:"sources"`      // by uri
	Rejects     []Reject           `json:"rejects"`      // by number, most first
	Integrity   Integrity          `json:"integrity"`    // what verify said of the sources
	Gaps        []Gap              `json:"gaps"`         // by severity, worst first
	Lineage     *lineage.Lineage   `json:"lineage"`      // null when no key was traced
	Activity    Activity           `json:"activity"`     // of the lineage, over time
	Timeline    Narrative          `json:"timeline"`     // what the intruder did
	Findings    []rules.Finding    `json:"findings"`     // by first_seen, then id
	Assessment  []rules.Assessment `json:"assessment"`   // by rule
	Plan        *remediate.Plan    `json:"plan"`         // set by the caller; null when none was made
	CaseHistory []CaseEntry        `json:"case_history"` // by time
}

// Totals are the sums over all sources.
type Totals struct {
	Sources    int       `json:"sources"`
	Damaged    int       `json:"damaged"`    // sources read in part
	Unreadable int       `json:"unreadable"` // sources of which nothing could be read
	Foreign    int       `json:"foreign"`    // files among them that are no CloudTrail logs
	Bytes      int64     `json:"bytes"`
	Events     int64     `json:"events"`
	Rejected   int64     `json:"rejected"`
	Duplicates int64     `json:"duplicates"`
	Conflicts  int64     `json:"conflicts"`
	FirstEvent time.Time `json:"first_event"`
	LastEvent  time.Time `json:"last_event"`
}

// Scope is how much the case holds of an account or a region.
type Scope struct {
	Name    string    `json:"name"`
	Events  int64     `json:"events"`
	Lineage int64     `json:"lineage_events"` // of these, those of the intruder
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// Source is a file, object or stream that was loaded.
type Source struct {
	URI        string    `json:"uri"`
	Format     string    `json:"format"`
	SHA256     string    `json:"sha256"`
	Bytes      int64     `json:"bytes"`
	Records    int64     `json:"records"`
	Rejected   int64     `json:"rejected"`
	Duplicates int64     `json:"duplicates"`
	Conflicts  int64     `json:"conflicts"`
	FirstEvent time.Time `json:"first_event"`
	LastEvent  time.Time `json:"last_event"`
	Status     string    `json:"status"`    // loaded, damaged, unreadable or foreign
	Integrity  string    `json:"integrity"` // what verify said; "" before
}

// Reject is a reason for which records were not loaded.
type Reject struct {
	Reason  string `json:"reason"`
	Count   int64  `json:"count"`
	Example string `json:"example"` // uri of a source with such a record
}

// CaseEntry is a command that changed the case.
type CaseEntry struct {
	Time      time.Time `json:"time"`
	Version   string    `json:"version"`
	Arguments string    `json:"arguments"`
}

// LoadCoverage reads of an incident what the logs cover and what they cannot
// show: Totals, Coverage, Accounts, Regions, Sources, Rejects, Gaps and Lineage.
func LoadCoverage(ctx context.Context, c *query.Case) (*Incident, error) {
	inc := &Incident{}
	if err := inc.load(ctx, c, inc.loadLineage, inc.loadCoverage, inc.loadSources, inc.loadRejects, inc.loadIntegrity, inc.loadGaps); err != nil {
		return nil, err
	}
	return inc, nil
}

// Load reads everything that a report shows from the case. The plan is not in a
// case: the caller sets it.
func Load(ctx context.Context, c *query.Case) (*Incident, error) {
	inc := &Incident{}
	var err error
	if inc.Findings, inc.Assessment, err = rules.Load(ctx, c); err != nil {
		return nil, err
	}
	err = inc.load(ctx, c, inc.loadLineage, inc.loadCoverage, inc.loadSources, inc.loadRejects, inc.loadIntegrity, inc.loadHistory,
		inc.loadActivity, inc.loadNarrative, inc.loadGaps)
	if err != nil {
		return nil, err
	}
	return inc, nil
}

func (inc *Incident) load(ctx context.Context, c *query.Case, parts ...func(context.Context, *query.Case) error) error {
	for _, load := range parts {
		if err := load(ctx, c); err != nil {
			return fmt.Errorf("report on %s: %w", c.Path, err)
		}
	}
	return nil
}

// loadLineage leaves Lineage nil when no key was traced.
func (inc *Incident) loadLineage(ctx context.Context, c *query.Case) error {
	l, err := lineage.Load(ctx, c)
	if errors.Is(err, lineage.ErrNotTraced) {
		return nil
	}
	inc.Lineage = l
	return err
}

func (inc *Incident) loadSources(ctx context.Context, c *query.Case) error {
	const text = `
SELECT uri, coalesce(format, ''), coalesce(sha256, ''), coalesce(bytes, 0), coalesce(records, 0),
    coalesce(rejected, 0), coalesce(duplicates, 0), coalesce(conflicts, 0), first_event_time, last_event_time, status, coalesce(integrity, '')
FROM sources ORDER BY uri, source_id`
	return eachRow(ctx, c, text, nil, func(scan func(...any) error) error {
		var s Source
		err := scan(&s.URI, &s.Format, &s.SHA256, &s.Bytes, &s.Records, &s.Rejected, &s.Duplicates,
			&s.Conflicts, when{&s.FirstEvent}, when{&s.LastEvent}, &s.Status, &s.Integrity)
		if err != nil {
			return err
		}
		inc.Sources = append(inc.Sources, s)
		t := &inc.Totals
		if s.Status == "foreign" {
			t.Foreign++
			return nil
		}
		t.Sources++
		t.Bytes += s.Bytes
		t.Rejected += s.Rejected
		t.Duplicates += s.Duplicates
		t.Conflicts += s.Conflicts
		switch s.Status {
		case "damaged":
			t.Damaged++
		case "unreadable":
			t.Unreadable++
		}
		return nil
	})
}

func (inc *Incident) loadRejects(ctx context.Context, c *query.Case) error {
	const text = `
SELECT r.reason, count(*), coalesce(min(s.uri), '')
FROM rejects r LEFT JOIN sources s USING (source_id)
WHERE s.status IS DISTINCT FROM 'foreign' GROUP BY r.reason ORDER BY count(*) DESC, r.reason`
	return eachRow(ctx, c, text, nil, func(scan func(...any) error) error {
		var r Reject
		if err := scan(&r.Reason, &r.Count, &r.Example); err != nil {
			return err
		}
		inc.Rejects = append(inc.Rejects, r)
		return nil
	})
}

func (inc *Incident) loadHistory(ctx context.Context, c *query.Case) error {
	const text = `SELECT time, coalesce(version, ''), coalesce(arguments, '') FROM case_log ORDER BY time, arguments`
	return eachRow(ctx, c, text, nil, func(scan func(...any) error) error {
		var e CaseEntry
		if err := scan(when{&e.Time}, &e.Version, &e.Arguments); err != nil {
			return err
		}
		inc.CaseHistory = append(inc.CaseHistory, e)
		return nil
	})
}

// eachRow runs a query and gives each row's scanner to fn.
func eachRow(ctx context.Context, c *query.Case, text string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := c.DB.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// when scans a timestamp that may be NULL into a time, which then is zero.
type when struct{ t *time.Time }

func (w when) Scan(v any) error {
	var t sql.NullTime
	if err := t.Scan(v); err != nil {
		return err
	}
	*w.t = time.Time{}
	if t.Valid {
		*w.t = t.Time.UTC()
	}
	return nil
}
