package reports

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"trailscan/query"
	"trailscan/rules"
)

// A silence is a run of hours without an event where, by the rest of the logs,
// there should have been some. Each hour is compared with the same hour of
// other days (of weekdays, or of weekend days), the intruder's events apart,
// for a region that only the intruder used is not silent without them; with the share p of those that
// had events, an hour is silent by chance with 1-p. A run is told when the
// chance of all of it is below 1 in 160,000. With too few days to compare with,
// only a series that is busy nearly always is judged.
const (
	silenceSurprise = 12.0 // -ln of that chance
	minSlotDays     = 3
	silenceShown    = 10
)

// series is which hours of an account, or of a region of it, have events, and
// whether any of them was not the intruder's.
type series struct {
	account, region string // region "" is the whole account
	hours           map[int64]bool
}

// silence is a run of hours [from, until) of a series.
type silence struct {
	account, region string
	from, until     int64 // hours since 1970
	surprise        float64
}

// silenceGaps tells of hours and regions that are silent and otherwise busy.
func (inc *Incident) silenceGaps(ctx context.Context, c *query.Case) error {
	found, err := findSilences(ctx, c)
	if err != nil || len(found) == 0 {
		return err
	}
	slices.SortFunc(found, func(a, b silence) int {
		return cmp.Or(cmp.Compare(b.surprise, a.surprise), cmp.Compare(a.from, b.from),
			cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	})
	severity := rules.Medium
	var details []string
	for _, s := range found {
		where := "in all regions"
		if s.region != "" {
			where = "in " + s.region
		}
		from, until := time.Unix(s.from*3600, 0).UTC(), time.Unix(s.until*3600, 0).UTC()
		line := fmt.Sprintf("account %s, %s: nothing for %s, %s to %s", s.account, where, span(until.Sub(from)), stamp(from), stamp(until))
		if l := inc.Lineage; l != nil && !l.CompromisedSince.IsZero() && until.After(l.CompromisedSince) {
			severity = rules.High
			line += " (after the compromise)"
		}
		details = append(details, line)
	}
	if n := len(details); n > silenceShown {
		details = append(details[:silenceShown], fmt.Sprintf("and %d more", n-silenceShown))
	}
	inc.gap("silence", severity, fmt.Sprintf("%s without events where there are otherwise many", plural(int64(len(found)), "stretch", "stretches")),
		"Files of that time may not have been exported or delivered, logging may have been off, or nobody worked. Compare with the bucket and, "+
			"where log file validation is on, with the digest files.", details...)
	return nil
}

// findSilences reads which hours have events and judges every account and
// every region of it over the account's whole span.
func findSilences(ctx context.Context, c *query.Case) ([]silence, error) {
	const text = `
WITH intruder AS (
    SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'
)
SELECT coalesce(e.account_id, ''), coalesce(e.aws_region, ''), CAST(floor(epoch(e.event_time) / 3600) AS BIGINT) AS hour,
    bool_or(i.source_id IS NULL)
FROM events e LEFT JOIN intruder i ON i.source_id = e.source_id AND i.record_index = e.record_index
WHERE e.event_time IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
	var out []silence
	var whole series
	var regions []series
	flush := func() {
		if whole.hours != nil {
			out = append(out, silencesOf(whole, regions)...)
		}
		regions = nil
	}
	err := eachRow(ctx, c, text, nil, func(scan func(...any) error) error {
		var account, region string
		var hour int64
		var everyday bool
		if err := scan(&account, &region, &hour, &everyday); err != nil {
			return err
		}
		if whole.hours == nil || whole.account != account {
			flush()
			whole = series{account: account, hours: map[int64]bool{}}
		}
		if len(regions) == 0 || regions[len(regions)-1].region != region {
			regions = append(regions, series{account: account, region: region, hours: map[int64]bool{}})
		}
		whole.hours[hour] = whole.hours[hour] || everyday
		regions[len(regions)-1].hours[hour] = everyday
		return nil
	})
	flush()
	return out, err
}

// silencesOf are the silences of an account, and those of its regions that are
// not the account's.
func silencesOf(whole series, regions []series) []silence {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for h := range whole.hours {
		first, last = min(first, h), max(last, h)
	}
	out := whole.silences(first, last)
	for _, r := range regions {
		for _, s := range r.silences(first, last) {
			covered := slices.ContainsFunc(out, func(w silence) bool {
				shared := min(w.until, s.until) - max(w.from, s.from)
				return w.region == "" && 5*shared >= 4*(s.until-s.from)
			})
			if !covered {
				out = append(out, s)
			}
		}
	}
	return out
}

// silences finds the surprising runs of a series between two hours. The last
// hour may not be over when the logs end, so it is not judged.
func (s series) silences(first, last int64) []silence {
	type slot struct{ days, busy int }
	slots := map[[2]int64]*slot{}
	var all slot
	for h := first; h < last; h++ {
		k := slotOf(h)
		if slots[k] == nil {
			slots[k] = &slot{}
		}
		slots[k].days++
		all.days++
		if s.hours[h] {
			slots[k].busy++
			all.busy++
		}
	}
	surprise := func(h int64) float64 {
		v := *slots[slotOf(h)]
		if v.days < minSlotDays {
			if 10*all.busy < 9*all.days {
				return 0
			}
			v = all
		}
		// One day more than there are: no hour is certain to be busy.
		return -math.Log(1 - float64(v.busy)/float64(v.days+1))
	}
	var out []silence
	for h := first; h < last; {
		if s.seen(h) {
			h++
			continue
		}
		// A run begins and ends with an hour that is busy on other days.
		run := silence{account: s.account, region: s.region}
		for ; h < last && !s.seen(h); h++ {
			if v := surprise(h); v > 0 {
				if run.surprise == 0 {
					run.from = h
				}
				run.surprise += v
				run.until = h + 1
			}
		}
		if run.surprise >= silenceSurprise && run.until-run.from >= 2 {
			out = append(out, run)
		}
	}
	return out
}

// seen tells whether an hour has events, whoever's they are.
func (s series) seen(hour int64) bool {
	_, seen := s.hours[hour]
	return seen
}

// slotOf is the kind of day (weekday 0, weekend 1) and the hour of the day in UTC.
func slotOf(hour int64) [2]int64 {
	day := (hour/24 + 4) % 7 // 1970-01-01 was a Thursday; 0 is Sunday
	weekend := int64(0)
	if day == 0 || day == 6 {
		weekend = 1
	}
	return [2]int64{weekend, hour % 24}
}
