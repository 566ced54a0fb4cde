package reports

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/query"
	"trailscan/rules"
)

// Activity is how busy the lineage was: by day or week over all of the logs, and
// finer while the intruder was there.
type Activity struct {
	Whole     Histogram `json:"whole"`
	Intrusion Histogram `json:"intrusion"`
}

// Histogram counts the events of a lineage in equal steps of time. Steps
// without an event are left out.
type Histogram struct {
	From        time.Time     `json:"from"` // start of the first step
	Until       time.Time     `json:"until"`
	StepSeconds int64         `json:"step_seconds"`
	Steps       []ActivityBin `json:"steps"` // by time
}

// ActivityBin is one step of a histogram.
type ActivityBin struct {
	Time    time.Time `json:"time"`    // its start
	Owner   int64     `json:"owner"`   // events that look like the owner's
	Done    int64     `json:"done"`    // other events that succeeded
	Refused int64     `json:"refused"` // other events that were denied or failed
}

// histogramSteps are the lengths of a step; the shortest is taken that fills a
// chart with at most maxSteps.
var histogramSteps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

const maxSteps = 120

func stepFor(span time.Duration) time.Duration {
	for _, step := range histogramSteps {
		if span/step < maxSteps {
			return step
		}
	}
	last := histogramSteps[len(histogramSteps)-1]
	return (span/maxSteps/last + 1) * last
}

func (inc *Incident) loadActivity(ctx context.Context, c *query.Case) error {
	if inc.Lineage == nil {
		return nil
	}
	var first, last sql.NullTime
	err := c.DB.QueryRowContext(ctx, `
SELECT min(e.event_time), max(e.event_time)
FROM events e JOIN lineage_events l ON l.source_id = e.source_id AND l.record_index = e.record_index
WHERE l.actor <> 'owner'`).Scan(&first, &last)
	if err != nil {
		return fmt.Errorf("time of the intrusion: %w", err)
	}
	// Use of the leaked keys before they were compromised is the owner's; the
	// lineage does not list it.
	var keys []any
	for _, cred := range inc.Lineage.Credentials {
		if cred.Parent == nil {
			for _, id := range cred.AccessKeyIDs {
				keys = append(keys, id)
			}
		}
	}
	if inc.Activity.Whole, err = histogram(ctx, c, keys, inc.Totals.FirstEvent, inc.Totals.LastEvent); err != nil {
		return err
	}
	if first.Valid {
		inc.Activity.Intrusion, err = histogram(ctx, c, keys, first.Time.UTC(), last.Time.UTC())
	}
	return err
}

// histogram counts the events of the lineage and of the leaked keys from first
// through last.
func histogram(ctx context.Context, c *query.Case, keys []any, first, last time.Time) (Histogram, error) {
	step := stepFor(last.Sub(first))
	h := Histogram{From: first.Truncate(step), Until: last.Truncate(step).Add(step), StepSeconds: int64(step / time.Second)}
	text := `
WITH marked AS (
    SELECT source_id, record_index, bool_and(actor = 'owner') AS owners FROM lineage_events GROUP BY ALL
), made AS (
    SELECT e.event_time, coalesce(m.owners, TRUE) AS owners, ` + rules.OutcomeSQL + ` = 'success' AS done
    FROM events e LEFT JOIN marked m ON m.source_id = e.source_id AND m.record_index = e.record_index
    WHERE e.event_time >= ? AND e.event_time < ? AND (m.source_id IS NOT NULL OR e.access_key_id IN (NULL` + strings.Repeat(", ?", len(keys)) + `))
)
SELECT time_bucket(to_seconds(?), event_time, ?::TIMESTAMP) AS bin, count(*) FILTER (owners),
    count(*) FILTER (NOT owners AND done), count(*) FILTER (NOT owners AND NOT done)
FROM made GROUP BY bin ORDER BY bin`
	err := eachRow(ctx, c, text, slices.Concat([]any{h.From, h.Until}, keys, []any{h.StepSeconds, h.From}), func(scan func(...any) error) error {
		var b ActivityBin
		if err := scan(when{&b.Time}, &b.Owner, &b.Done, &b.Refused); err != nil {
			return err
		}
		h.Steps = append(h.Steps, b)
		return nil
	})
	return h, err
}
