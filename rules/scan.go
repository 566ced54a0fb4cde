package rules

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
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
}

// How much of a finding's events a finding names. Its count is of all.
const (
	maxEventIDs = 1000
	maxValues   = 100
)

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
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	defer tx.Rollback()

	findings, assessments, err := scan(ctx, conn, pack, o)
	if err == nil {
		err = store(ctx, conn, findings, assessments)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("scan case %s: %w", c.Path, err)
	}
	return findings, assessments, nil
}

func scan(ctx context.Context, conn *sql.Conn, pack []Rule, o Options) ([]Finding, []Assessment, error) {
	if err := storeLists(ctx, conn, o.Lists); err != nil {
		return nil, nil, err
	}
	lists, err := heldLists(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	held, err := surveyCase(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	// The matches of all rules are gathered first and grouped in one go.
	if _, err := conn.ExecContext(ctx, matchesSQL); err != nil {
		return nil, nil, fmt.Errorf("gather matches: %w", err)
	}
	assessments := make([]Assessment, len(pack))
	run := func(onFindings bool) error {
		for i, r := range pack {
			if r.OnFindings != onFindings {
				continue
			}
			a := held.assess(r, lists)
			if onFindings && !slices.ContainsFunc(pack, func(r Rule) bool { return !r.OnFindings }) {
				a = Assessment{r.ID, NotAssessed, "it looks at what other rules find, and none of them was run"}
			}
			if a.Assessed != NotAssessed {
				n, err := r.gather(ctx, conn, i, o)
				if err != nil {
					return err
				}
				// A rule whose class looks absent runs all the same: an event that it
				// matches is worth more than the survey.
				if n > 0 {
					a = Assessment{Rule: r.ID, Assessed: Assessed}
				}
			}
			assessments[i] = a
		}
		return nil
	}
	if err := run(false); err != nil {
		return nil, nil, err
	}
	assessments = append(assessments, o.Refused...)
	findings, err := groupMatches(ctx, conn, pack)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(pack, func(r Rule) bool { return r.OnFindings }) {
		if err := store(ctx, conn, findings, nil); err != nil {
			return nil, nil, err
		}
		if err := run(true); err != nil {
			return nil, nil, err
		}
		if findings, err = groupMatches(ctx, conn, pack); err != nil {
			return nil, nil, err
		}
	}
	// Others may use the connection after this scan.
	if _, err := conn.ExecContext(ctx, `DROP TABLE temp.rule_matches`); err != nil {
		return nil, nil, fmt.Errorf("gather matches: %w", err)
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		if d := a.FirstSeen.Compare(b.FirstSeen); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return findings, assessments, nil
}

// Match returns the ids of the events that a rule finds in the case, oldest
// first. Nothing is stored.
func Match(ctx context.Context, c *query.Case, r Rule) ([]string, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	rows, err := c.DB.QueryContext(ctx, `SELECT event_id FROM (`+r.compile()+`) ORDER BY event_time, event_id`)
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

// matchesSQL makes the table that holds the matches of a scan; rule is the
// place of the rule in the pack.
const matchesSQL = `
CREATE TEMP TABLE rule_matches (rule BIGINT, event_time TIMESTAMP, event_id VARCHAR, event_name VARCHAR, outcome VARCHAR,
    account_id VARCHAR, aws_region VARCHAR, principal_id VARCHAR, identity_arn VARCHAR, user_name VARCHAR,
    invoked_by VARCHAR, access_key_id VARCHAR, source_ip_address VARCHAR, user_agent VARCHAR, resource VARCHAR,
    source_id BIGINT, record_index BIGINT)`

// gather adds what the rule finds to the matches and returns how many.
func (r Rule) gather(ctx context.Context, conn *sql.Conn, place int, o Options) (int64, error) {
	between, args := "true", []any{place}
	if !o.Since.IsZero() {
		between, args = between+" AND event_time >= ?", append(args, o.Since.UTC())
	}
	if !o.Until.IsZero() {
		between, args = between+" AND event_time < ?", append(args, o.Until.UTC())
	}
	result, err := conn.ExecContext(ctx, `
		INSERT INTO temp.rule_matches BY NAME
		SELECT CAST(? AS BIGINT) AS rule, event_time, event_id, event_name, outcome, account_id, aws_region, principal_id,
			identity_arn, user_name, invoked_by, access_key_id, source_ip_address, user_agent, resource, source_id, record_index
		FROM (`+r.compile()+`) AS found
		WHERE `+between, args...)
	if err != nil {
		return 0, fmt.Errorf("rule %s: %w", r.ID, err)
	}
	return result.RowsAffected()
}

// groupsSQL groups the matches to findings. A failed sign-in has no principal
// when the name typed is none of the account's; CloudTrail then hides what was
// typed.
const groupsSQL = `
WITH tainted AS (SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'),
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

// groupMatches makes findings of the matches.
func groupMatches(ctx context.Context, conn *sql.Conn, pack []Rule) ([]Finding, error) {
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(groupsSQL, aboutLineage(pack), maxEventIDs))
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
		r := pack[place]
		f.Rule, f.Title, f.Tactic, f.Techniques = r.ID, r.Title, r.Tactic, append([]string{}, r.Techniques...)
		f.FirstSeen, f.LastSeen = f.FirstSeen.UTC(), f.LastSeen.UTC()
		f.Severity = r.severityOf(f.Outcome)
		f.ID = findingID(f)
		f.Summary = summarize(f, names, invokedBy)
		for _, values := range []*[]string{&f.Regions, &f.AccessKeyIDs, &f.SourceIPs, &f.UserAgents, &f.Resources} {
			*values = (*values)[:min(len(*values), maxValues)]
		}
		findings = append(findings, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("group matches: %w", err)
	}
	return findings, nil
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
