package ingest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tally adds the counts of stored sources to the summary.
func (l *loader) tally(files []*source) {
	s := &l.summary
	for _, f := range files {
		t := &f.tally
		if l.isRepeatedStream(f) {
			s.AlreadyLoaded++
			l.sources = append(l.sources, l.streams[[2]string{f.uri, t.sha256}])
			continue
		}
		l.sources = append(l.sources, f.id)
		s.Bytes += t.bytes
		s.Records += t.records
		s.Duplicates += t.duplicates
		s.Conflicts += t.conflicts
		s.Rejected += t.rejected - t.other
		switch t.status() {
		case statusForeign:
			s.Foreign = append(s.Foreign, Problem{f.uri, t.problem()})
			s.Rejected -= t.rejected - t.other
		case statusUnreadable:
			s.Unreadable = append(s.Unreadable, Problem{f.uri, t.problem()})
		case statusDamaged:
			s.Sources++
			s.Damaged = append(s.Damaged, Problem{f.uri, t.problem()})
		default:
			s.Sources++
		}
	}
}

// problem is what is wrong with a source, in a line.
func (t *tally) problem() string {
	if t.failure != nil && t.firstReason == "" {
		return t.failure.Error()
	}
	if t.rejected > 1 {
		return fmt.Sprintf("%s (and %d more)", t.firstReason, t.rejected-1)
	}
	return t.firstReason
}

// conclude reads from the case what its sources of this run span.
func (l *loader) conclude(ctx context.Context) error {
	if len(l.sources) == 0 {
		return nil
	}
	var first, last any
	var accounts, regions []any
	err := l.conn.QueryRowContext(ctx, `
		WITH run AS (SELECT unnest(CAST(? AS BIGINT[])) AS source_id)
		SELECT
			(SELECT min(first_event_time) FROM sources SEMI JOIN run USING (source_id)),
			(SELECT max(last_event_time) FROM sources SEMI JOIN run USING (source_id)),
			(SELECT coalesce(list(DISTINCT account_id ORDER BY account_id), []) FROM events SEMI JOIN run USING (source_id) WHERE account_id IS NOT NULL),
			(SELECT coalesce(list(DISTINCT aws_region ORDER BY aws_region), []) FROM events SEMI JOIN run USING (source_id) WHERE aws_region IS NOT NULL)`,
		l.sources).Scan(&first, &last, &accounts, &regions)
	if err != nil {
		return fmt.Errorf("summarise case %s: %w", l.c.Path, err)
	}
	l.summary.First, _ = first.(time.Time)
	l.summary.Last, _ = last.(time.Time)
	l.summary.Accounts, l.summary.Regions = texts(accounts), texts(regions)
	return nil
}

func texts(values []any) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// verdict is the error of a load that found no events at all.
func (l *loader) verdict(sources []string) error {
	s := &l.summary
	if s.Records > 0 || !s.First.IsZero() {
		return nil
	}
	named := strings.Join(sources, ", ")
	bad := slices.Concat(s.Unreadable, s.Foreign)
	if len(bad) == 0 {
		return fmt.Errorf("%s: %w: the files hold none: %s", named, ErrNothingReadable, nameLogs)
	}
	reason := bad[0].Reason
	if path, err := filepath.Abs(named); named != bad[0].URI && (err != nil || pathText(path) != bad[0].URI) {
		reason = bad[0].URI + ": " + reason
	}
	return fmt.Errorf("%s: %w: %s: %s", named, ErrNothingReadable, reason, nameLogs)
}

const nameLogs = "name exported CloudTrail logs that you may read (docs/formats.md says in which forms)"
