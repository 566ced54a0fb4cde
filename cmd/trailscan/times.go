package main

import (
	"context"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/reports"
)

// parseTime reads a time as a user types one: RFC 3339, a date (its start, in
// UTC), or an age before now such as 90m, 12h, 30d or 4w.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if age, ok := query.Age(text); ok {
		return now.Add(-age).UTC().Truncate(time.Second), nil
	}
	return time.Time{}, usagef("--%s %s: must be RFC 3339 (2026-09-28T14:00:00Z), a date (2026-09-28) or an age (30d)", flag, text)
}

// timeRange reads --since and --until and refuses a range that is empty.
func (a *app) timeRange() (since, until time.Time, err error) {
	now := time.Now()
	if since, err = parseTime("since", a.since, now); err != nil {
		return
	}
	if until, err = parseTime("until", a.until, now); err != nil {
		return
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		err = usagef("--since %s is not before --until %s", a.since, a.until)
	}
	return
}

// sayIfUnused tells the user when --compromised-since leaves no use of the keys.
func (a *app) sayIfUnused(l *lineage.Lineage) {
	if a.compromisedSince != "" && reports.LastMisuse(l).IsZero() {
		a.say("trailscan: nothing was done with %s from --compromised-since %s on: is the time right?",
			reports.Terminal(strings.Join(l.Keys, ", ")), a.compromisedSince)
	}
}

// sayIfNone tells the user when --since and --until leave no event.
func (a *app) sayIfNone(ctx context.Context, c *query.Case, since, until time.Time) error {
	if since.IsZero() && until.IsZero() {
		return nil
	}
	n, err := reports.Count(ctx, c, reports.Filter{Since: since, Until: until})
	if err == nil && n == 0 {
		a.say("trailscan: no event of %s lies between --since and --until", c.Path)
	}
	return err
}
