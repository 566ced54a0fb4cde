package rules

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// How much of a finding's events a finding names. Its count is of all.
const (
	maxEventIDs = 1000
	maxValues   = 100
)

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
// rule is about attempts only. Findings come by first event, then id;
// assessments in the order of the rules.
func Scan(ctx context.Context, c *query.Case, pack []Rule, o Options) ([]Finding, []Assessment, error) {
	for _, r := range pack {
		if err := r.validate(); err != nil {
			return nil, nil, err
		}
	}
	conn, err := c.DB.Conn(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	defer conn.Close()
	findings, assessments, err := scan(ctx, conn, pack, o)
	if err != nil {
		return nil, nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	return findings, assessments, nil
}

func scan(ctx context.Context, conn *sql.Conn, pack []Rule, o Options) (findings []Finding, assessments []Assessment, err error) {
	drop := func() error { return dropShared(context.WithoutCancel(ctx), conn) }
	defer func() { err = errors.Join(err, drop()) }()

	first, all := firstOfAlike(pack)
	o.Observe = all.observe(o.Observe)
	s := scanner{shared: shared{conn: conn, copy: usualCopying}, pack: first, o: o}
	if err := s.survey(ctx); err != nil {
		return nil, nil, err
	}
	if err := s.run(ctx, func(r Rule) bool { return !r.OnFindings }); err != nil {
		return nil, nil, err
	}
	if findings, err = s.group(ctx); err != nil {
		return nil, nil, err
	}
	findings = all.findings(findings)
	if slices.ContainsFunc(pack, func(r Rule) bool { return r.OnFindings }) {
		if err := s.share(ctx, findings); err != nil {
			return nil, nil, err
		}
		if err := s.run(ctx, func(r Rule) bool { return r.OnFindings }); err != nil {
			return nil, nil, err
		}
		more, err := s.group(ctx)
		if err != nil {
			return nil, nil, err
		}
		findings = append(findings, all.findings(more)...)
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		if d := a.FirstSeen.Compare(b.FirstSeen); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	if err := drop(); err != nil { // findings among them
		return nil, nil, err
	}
	assessments = append(all.assessments(s.assessments), o.Refused...)
	if err := s.step("store the findings", func() (int64, error) {
		return int64(len(findings)), storeAll(ctx, conn, findings, assessments)
	}); err != nil {
		return nil, nil, err
	}
	return findings, assessments, nil
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

// groupsSQL groups the matches to findings. A failed sign-in has no principal
// when the name typed is none of the account's; CloudTrail then hides what was
// typed.
const groupsSQL = `
WITH tainted AS (SELECT source_id, record_index FROM temp.scan_tainted),
marked AS (
    SELECT m.*, tainted.source_id IS NOT NULL OR m.rule IN (%s) AS in_lineage,
        coalesce(nullif(principal_id, ''), nullif(identity_arn, ''),
            nullif(nullif(user_name, ''), 'HIDDEN_DUE_TO_SECURITY_REASONS'), nullif(invoked_by, ''), '') AS who
    FROM temp.rule_matches AS m
    LEFT JOIN tainted ON tainted.source_id = m.source_id AND tainted.record_index = m.record_index
)
SELECT rule, coalesce(account_id, '') AS account, who, outcome, in_lineage,
    count(*), min(event_time), max(event_time),
    coalesce(min(nullif(identity_arn, '')), ''),
    coalesce(min(nullif(invoked_by, '')), ''),
    list_sort(array_agg(DISTINCT event_name) FILTER (WHERE event_name <> '')),
    list_sort(array_agg(DISTINCT aws_region) FILTER (WHERE aws_region <> '')),
    list_sort(array_agg(DISTINCT access_key_id) FILTER (WHERE access_key_id <> '')),
    list_sort(array_agg(DISTINCT source_ip_address) FILTER (WHERE source_ip_address <> '')),
    list_sort(array_agg(DISTINCT user_agent) FILTER (WHERE user_agent <> '')),
    list_sort(array_agg(DISTINCT resource) FILTER (WHERE resource <> '')),
    arg_min(event_id, (event_time, event_id, source_id, record_index), %d)
FROM marked
WHERE rule IN (%s)
GROUP BY rule, account, who, outcome, in_lineage`

// aboutLineage lists the places of the rules about the lineage.
func aboutLineage(pack []Rule) string {
	places := "-1"
	for i, r := range pack {
		if r.Lineage {
			places += fmt.Sprintf(", %d", i)
		}
	}
	return places
}

// groupMatches makes findings of the matches of some rules, which places lists.
func groupMatches(ctx context.Context, conn *sql.Conn, pack []Rule, places string) ([]Finding, error) {
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(groupsSQL, aboutLineage(pack), maxEventIDs, places))
	if err != nil {
		return nil, fmt.Errorf("group matches: %w", err)
	}
	defer rows.Close()
	findings := []Finding{}
	for rows.Next() {
		var f Finding
		var place int
		var invokedBy string
		var names texts
		if err := rows.Scan(&place, &f.AccountID, &f.PrincipalID, &f.Outcome, &f.InLineage,
			&f.Count, &f.FirstSeen, &f.LastSeen, &f.PrincipalARN, &invokedBy, &names,
			(*texts)(&f.Regions), (*texts)(&f.AccessKeyIDs), (*texts)(&f.SourceIPs),
			(*texts)(&f.UserAgents), (*texts)(&f.Resources), (*texts)(&f.EventIDs)); err != nil {
			return nil, fmt.Errorf("group matches: %w", err)
		}
		f.FirstSeen, f.LastSeen = f.FirstSeen.UTC(), f.LastSeen.UTC()
		f.Summary = summarize(f, names, invokedBy)
		for _, values := range []*[]string{&f.Regions, &f.AccessKeyIDs, &f.SourceIPs, &f.UserAgents, &f.Resources} {
			*values = (*values)[:min(len(*values), maxValues)]
		}
		findings = append(findings, pack[place].finding(f))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("group matches: %w", err)
	}
	return findings, nil
}

// finding is what was found as the rule says it.
func (r Rule) finding(f Finding) Finding {
	f.Rule, f.Title, f.Tactic, f.Techniques = r.ID, r.Title, r.Tactic, append([]string{}, r.Techniques...)
	f.Severity = r.severityOf(f.Outcome)
	f.ID = findingID(f)
	return f
}

// severityOf is the rule's severity, one step lower for an attempt.
func (r Rule) severityOf(o Outcome) Severity {
	aboutAttempts := len(r.Outcomes) > 0 && !slices.Contains(r.Outcomes, Success)
	if o == Success || aboutAttempts {
		return r.Severity
	}
	return r.Severity.lower()
}

// findingID hashes what makes a finding one.
func findingID(f Finding) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{
		f.Rule, f.AccountID, f.PrincipalID, string(f.Outcome), fmt.Sprint(f.InLineage)}))
	return hex.EncodeToString(sum[:8])
}

// texts scans a list of text; no list is an empty one.
type texts []string

// Scan implements sql.Scanner.
func (t *texts) Scan(v any) error {
	*t = texts{}
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("read a list: the case holds a %T", v)
	}
	for _, e := range list {
		s, ok := e.(string)
		if !ok && e != nil {
			return fmt.Errorf("read a list of text: it holds a %T", e)
		}
		*t = append(*t, s)
	}
	return nil
}
