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
	pack        []Rule // the first of each that find the same
	all         alike
	o           Options
	assessments []Assessment // by place in the pack
	reached     [][]int      // facets, by place in the pack
	matched     []int64      // events found and not yet grouped, by place in the pack
	findings    int64        // made
}

// step does work for many rules and tells of it.
func (s *scanner) step(name string, work func() (int64, error)) error {
	start := time.Now()
	rows, err := work()
	if s.o.Observe != nil && err == nil {
		s.o.Observe(Timing{Name: name, Took: time.Since(start), Rows: rows})
	}
	return err
}

// survey looks at what the case holds, says which rules that is enough for, and
// makes what they share.
func (s *scanner) survey(ctx context.Context) error {
	var running []Rule
	err := s.step("survey the events", func() (int64, error) {
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
		if _, err := s.conn.ExecContext(ctx, kindsSQL); err != nil {
			return 0, fmt.Errorf("survey the events: %w", err)
		}
		if s.facets, err = readFacets(ctx, s.conn, "true"); err != nil {
			return 0, err
		}
		if err := s.shareLineage(ctx, s.pack); err != nil {
			return 0, err
		}
		s.pack = slices.Clone(s.pack)
		others := slices.ContainsFunc(s.pack, func(r Rule) bool { return !r.OnFindings })
		s.matched = make([]int64, len(s.pack))
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
			if r.Rerun != nil {
				r.Rerun = slices.DeleteFunc(slices.Clone(r.Rerun), func(again Rule) bool { return len(again.reach(s.lineage)) == 0 })
				if s.pack[i] = r; len(r.Rerun) == 0 {
					continue
				}
			}
			if s.reached[i] = s.reach(r); len(s.reached[i]) > 0 {
				running = append(running, r)
			}
		}
		return s.total, nil
	})
	if err != nil {
		return err
	}
	if s.total > s.copy.whole {
		if running, err = s.discard(ctx); err != nil {
			return err
		}
	}
	return s.step("copy the rare calls", func() (int64, error) {
		if _, err := s.conn.ExecContext(ctx, matchesSQL); err != nil {
			return 0, fmt.Errorf("gather matches: %w", err)
		}
		if err := s.storeRules(ctx); err != nil {
			return 0, err
		}
		return s.prepare(ctx, running)
	})
}

// discard leaves out the rules, and the alternatives of rules, that are about
// callers, clients and addresses of which a large case has none.
func (s *scanner) discard(ctx context.Context) (running []Rule, err error) {
	err = s.step("survey the callers", func() (int64, error) {
		columns, err := eventColumns(ctx, s.conn)
		if err != nil {
			return 0, err
		}
		if _, err := s.conn.ExecContext(ctx, addressesSQL); err != nil {
			return 0, fmt.Errorf("survey the callers: %w", err)
		}
		s.answers, s.columns = map[string]bool{}, columns
		for i, r := range s.pack {
			if len(s.reached[i]) == 0 {
				continue
			}
			// A rule whose condition fails here fails as it runs, and is named then.
			if left, possible, err := s.reduced(ctx, r, columns); ctx.Err() != nil {
				return 0, ctx.Err()
			} else if err == nil && !possible {
				s.reached[i] = nil
				continue
			} else if err == nil {
				s.pack[i], r = left, left
				s.reached[i] = s.reach(left)
			}
			if len(s.reached[i]) > 0 {
				running = append(running, r)
			}
		}
		return int64(len(running)), nil
	})
	return running, err
}

// run gathers what the chosen rules find, as many as can in one query.
func (s *scanner) run(ctx context.Context, chosen func(Rule) bool) error {
	var places []int
	for i, r := range s.pack {
		switch {
		case !chosen(r) || s.assessments[i].Assessed == NotAssessed:
		case len(s.reached[i]) > 0:
			places = append(places, i)
		case s.o.Observe != nil:
			s.o.Observe(Timing{Rule: r.ID, Idle: true})
		}
	}
	together, alone := s.batches(places)
	for _, batch := range together {
		start := time.Now()
		found, err := s.gatherBatch(ctx, batch)
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err != nil { // of one of them: alone it is told apart
			alone = append(alone, batch...)
			continue
		}
		for _, i := range batch {
			s.ran(i, Timing{Took: time.Since(start) / time.Duration(len(batch)), Rows: found[i], Together: len(batch)})
		}
	}
	for _, i := range alone {
		start := time.Now()
		n, err := s.gather(ctx, i)
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		s.ran(i, Timing{Took: time.Since(start), Rows: n, Together: 1, Err: err})
	}
	return nil
}

// ran keeps what came of a rule. One whose SQL fails is not assessed.
func (s *scanner) ran(place int, t Timing) {
	t.Rule = s.pack[place].ID
	s.matched[place] = t.Rows
	switch {
	case t.Err != nil:
		reason, _, _ := strings.Cut(t.Err.Error(), "\n")
		s.assessments[place] = Assessment{t.Rule, NotAssessed, "its SQL fails: " + reason}
	case t.Rows > 0:
		s.assessments[place] = Assessment{Rule: t.Rule, Assessed: Assessed}
	}
	if s.o.Observe != nil {
		s.o.Observe(t)
	}
}

// share gives rules on findings what the others found. The view hides the
// case's findings, which stay until the scan is done.
func (s *scanner) share(ctx context.Context) error {
	if _, err := s.conn.ExecContext(ctx, `CREATE OR REPLACE TEMP VIEW findings AS FROM temp.scan_findings`); err != nil {
		return fmt.Errorf("share the findings: %w", err)
	}
	return nil
}

// matchesSQL makes the table that holds the matches of a scan: the place of the
// rule in the pack, the row of the event, and what the rule makes of it.
const matchesSQL = `
CREATE OR REPLACE TEMP TABLE rule_matches (rule INTEGER, source_id BIGINT, record_index BIGINT, outcome VARCHAR, resource VARCHAR)`

// matchColumns are those that a rule's query must have for a scan.
var matchColumns = []string{"event_time", "outcome", "resource", "source_id", "record_index"}

// gather adds what the rule finds to the matches and returns how many.
func (s *scanner) gather(ctx context.Context, place int) (int64, error) {
	sql, possible, err := s.sql(ctx, place)
	if err != nil || !possible {
		return 0, err
	}
	between, args := s.between()
	result, err := s.conn.ExecContext(ctx, `
		INSERT INTO temp.rule_matches BY NAME
		SELECT `+fmt.Sprint(place)+` AS rule, outcome, resource, source_id, record_index
		FROM (`+sql+`) AS found
		WHERE `+between, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// sql is the query of a rule in this scan; false when the rule cannot find
// anything.
func (s *scanner) sql(ctx context.Context, place int) (query string, possible bool, err error) {
	r, reached := s.pack[place], s.reached[place]
	from := s.relations(reached)
	if r.OfLineage || s.isStored(reached) {
		return r.compile(from), true, nil
	}
	if s.columns != nil {
		r.Where = byAddress(r.Where, s.columns)
		if f := r.FirstSeen; f != nil && f.Among != "" {
			quicker := *f
			quicker.Among = byAddress(f.Among, s.columns)
			r.FirstSeen = &quicker
		}
	}
	return s.narrowed(ctx, r, from, reached)
}

// between is the condition that an event is of the time that findings are about.
func (s *scanner) between() (condition string, args []any) {
	condition = "true"
	if !s.o.Since.IsZero() {
		condition, args = condition+" AND event_time >= ?", append(args, s.o.Since.UTC())
	}
	if !s.o.Until.IsZero() {
		condition, args = condition+" AND event_time < ?", append(args, s.o.Until.UTC())
	}
	return condition, args
}
