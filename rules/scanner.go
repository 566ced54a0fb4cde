package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scanner runs the rules of one scan.
type scanner struct {
	shared
	pack        []Rule
	o           Options
	assessments []Assessment // by place in the pack
	reached     [][]int      // facets, by place in the pack
}

// step does a part of the work and tells of it.
func (s *scanner) step(rule, name string, work func() (int64, error)) error {
	start := time.Now()
	rows, err := work()
	if s.o.Observe != nil && (err == nil || rule != "") {
		s.o.Observe(Timing{Rule: rule, Name: name, Took: time.Since(start), Rows: rows, Err: err})
	}
	return err
}

// survey looks at what the case holds, says which rules that is enough for, and
// makes what they share.
func (s *scanner) survey(ctx context.Context) error {
	var running []Rule
	err := s.step("", "survey the events", func() (int64, error) {
		if err := storeLists(ctx, s.conn, s.o.Lists); err != nil {
			return 0, err
		}
		lists, err := heldLists(ctx, s.conn)
		if err != nil {
			return 0, err
		}
		held, err := surveyCase(ctx, s.conn)
		if err != nil {
			return 0, err
		}
		s.total = held.events[AnyEvent]
		if s.facets, err = readFacets(ctx, s.conn); err != nil {
			return 0, err
		}
		others := slices.ContainsFunc(s.pack, func(r Rule) bool { return !r.OnFindings })
		s.assessments, s.reached = make([]Assessment, len(s.pack)), make([][]int, len(s.pack))
		for i, r := range s.pack {
			a := held.assess(r, lists)
			if r.OnFindings && !others {
				a = Assessment{r.ID, NotAssessed, "it looks at what other rules find, and none of them was run"}
			}
			s.assessments[i] = a
			// A rule whose class looks absent runs all the same: an event that it
			// matches is worth more than the survey.
			if a.Assessed == NotAssessed {
				continue
			}
			if s.reached[i] = r.reach(s.facets); len(s.reached[i]) > 0 {
				running = append(running, r)
			}
		}
		return s.total, nil
	})
	if err != nil {
		return err
	}
	return s.step("", "copy the rare calls", func() (int64, error) {
		if _, err := s.conn.ExecContext(ctx, matchesSQL); err != nil {
			return 0, fmt.Errorf("gather matches: %w", err)
		}
		return s.prepare(ctx, running)
	})
}

// run gathers what the chosen rules find. One whose SQL fails is not assessed.
func (s *scanner) run(ctx context.Context, chosen func(Rule) bool) error {
	for i, r := range s.pack {
		if !chosen(r) || s.assessments[i].Assessed == NotAssessed {
			continue
		}
		if len(s.reached[i]) == 0 {
			if s.o.Observe != nil {
				s.o.Observe(Timing{Rule: r.ID, Idle: true})
			}
			continue
		}
		err := s.step(r.ID, "", func() (int64, error) {
			n, err := s.gather(ctx, i)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				reason, _, _ := strings.Cut(err.Error(), "\n")
				s.assessments[i] = Assessment{r.ID, NotAssessed, "its SQL fails: " + reason}
			case n > 0:
				s.assessments[i] = Assessment{Rule: r.ID, Assessed: Assessed}
			}
			return n, err
		})
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return nil
}

// group makes findings of what was gathered.
func (s *scanner) group(ctx context.Context) (findings []Finding, err error) {
	err = s.step("", "group the findings", func() (int64, error) {
		findings, err = groupMatches(ctx, s.conn, s.pack)
		return int64(len(findings)), err
	})
	return findings, err
}

// share gives rules on findings what the others found. The table hides the
// case's findings, which stay until the scan is done.
func (s *scanner) share(ctx context.Context, findings []Finding) error {
	if _, err := s.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP TABLE findings AS FROM findings LIMIT 0`); err != nil {
		return fmt.Errorf("share the findings: %w", err)
	}
	return appendFindings(s.conn, "temp", findings)
}

// matchesSQL makes the table that holds the matches of a scan; rule is the
// place of the rule in the pack.
const matchesSQL = `
CREATE TEMP TABLE rule_matches (rule BIGINT, event_time TIMESTAMP, event_id VARCHAR, event_name VARCHAR, outcome VARCHAR,
    account_id VARCHAR, aws_region VARCHAR, principal_id VARCHAR, identity_arn VARCHAR, user_name VARCHAR,
    invoked_by VARCHAR, access_key_id VARCHAR, source_ip_address VARCHAR, user_agent VARCHAR, resource VARCHAR,
    source_id BIGINT, record_index BIGINT)`

// gather adds what the rule finds to the matches and returns how many.
func (s *scanner) gather(ctx context.Context, place int) (int64, error) {
	r, o := s.pack[place], s.o
	between, args := "true", []any{place}
	if !o.Since.IsZero() {
		between, args = between+" AND event_time >= ?", append(args, o.Since.UTC())
	}
	if !o.Until.IsZero() {
		between, args = between+" AND event_time < ?", append(args, o.Until.UTC())
	}
	result, err := s.conn.ExecContext(ctx, `
		INSERT INTO temp.rule_matches BY NAME
		SELECT CAST(? AS BIGINT) AS rule, event_time, event_id, event_name, outcome, account_id, aws_region, principal_id,
			identity_arn, user_name, invoked_by, access_key_id, source_ip_address, user_agent, resource, source_id, record_index
		FROM (`+r.compile(s.relations(s.reached[place]))+`) AS found
		WHERE `+between, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
