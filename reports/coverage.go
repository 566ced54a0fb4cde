package reports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"trailscan/query"
)

// Coverage is what the logs of a case cover: which accounts, regions, hours and
// classes of events are there. Gaps are what follows from what is not.
type Coverage struct {
	Scopes   []Covered `json:"scopes"`   // by account, then region
	Classes  []Class   `json:"classes"`  // by class, then the most events first
	Silences []Silence `json:"silences"` // by time, account, region
	Cuts     []Cut     `json:"cuts"`     // by events, most first

	// Covered.Steps begin at From, each so long.
	From        time.Time `json:"from"`
	StepSeconds int64     `json:"step_seconds"`
}

// Covered is what the case holds of an account in a region.
type Covered struct {
	AccountID string    `json:"account_id"` // "" when the events do not say
	Region    string    `json:"region"`     // as well
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Hours     int64     `json:"hours"` // that have events
	Events    int64     `json:"events"`
	Lineage   int64     `json:"lineage_events"` // of these, the intruder's

	// Events by class. Management events that do not say whether they read are in
	// Management alone.
	Management       int64 `json:"management"`
	ManagementReads  int64 `json:"management_reads"`
	ManagementWrites int64 `json:"management_writes"`
	Data             int64 `json:"data"`
	NetworkActivity  int64 `json:"network_activity"`
	Insight          int64 `json:"insight"`

	Steps []int64 `json:"steps"` // events over time: see Coverage
}

// maxCoverageSteps keep a strip of them drawable.
const maxCoverageSteps = 200

// hourlySQL counts events by account, region and hour, in the classes that
// CloudTrail has: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-events.html.
// Records that are older than the classes are told by what they are.
const hourlySQL = `
WITH intruder AS (
    SELECT DISTINCT source_id, record_index FROM lineage_events WHERE actor <> 'owner'
), classed AS (
    SELECT coalesce(account_id, '') AS account, coalesce(aws_region, '') AS region, event_time, source_id, record_index, CASE
            WHEN event_category = 'Insight' OR insight_details IS NOT NULL THEN 'insight'
            WHEN event_category = 'NetworkActivity' OR event_type = 'AwsVpceEvent' THEN 'network_activity'
            WHEN ` + dataEventSQL + ` THEN 'data'
            WHEN read_only THEN 'management_read'
            WHEN NOT read_only THEN 'management_write'
        END AS class
    FROM events WHERE event_time IS NOT NULL
)
SELECT e.account, e.region, CAST(floor(epoch(e.event_time) / 3600) AS BIGINT) AS hour, coalesce(e.class, 'management'),
    count(*), count(i.source_id), min(e.event_time), max(e.event_time)
FROM classed e LEFT JOIN intruder i ON i.source_id = e.source_id AND i.record_index = e.record_index
GROUP BY ALL ORDER BY 1, 2, 3, 4`

// hourly is an hour of an account in a region: hours since 1970.
type hourly struct{ hour, events, lineage int64 }

// loadCoverage reads which hours of which accounts and regions have events, and
// sums them into Accounts, Regions and Totals.
func (inc *Incident) loadCoverage(ctx context.Context, c *query.Case) error {
	v := &inc.Coverage
	var series [][]hourly // of v.Scopes
	err := eachRow(ctx, c, hourlySQL, nil, func(scan func(...any) error) error {
		var s Covered
		var h hourly
		var class string
		if err := scan(&s.AccountID, &s.Region, &h.hour, &class, &h.events, &h.lineage, when{&s.First}, when{&s.Last}); err != nil {
			return err
		}
		s.Events, s.Lineage = h.events, h.lineage
		switch class {
		case "insight":
			s.Insight = s.Events
		case "network_activity":
			s.NetworkActivity = s.Events
		case "data":
			s.Data = s.Events
		case "management_read":
			s.Management, s.ManagementReads = s.Events, s.Events
		case "management_write":
			s.Management, s.ManagementWrites = s.Events, s.Events
		default:
			s.Management = s.Events
		}
		v.addClass(class, s)
		n := len(v.Scopes) - 1
		if n < 0 || v.Scopes[n].AccountID != s.AccountID || v.Scopes[n].Region != s.Region {
			n++
			v.Scopes = append(v.Scopes, Covered{AccountID: s.AccountID, Region: s.Region})
			series = append(series, nil)
		}
		if last := len(series[n]) - 1; last >= 0 && series[n][last].hour == h.hour {
			series[n][last].events += h.events
			series[n][last].lineage += h.lineage
		} else {
			series[n] = append(series[n], h)
			s.Hours = 1
		}
		v.Scopes[n].add(s)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what the logs cover: %w", err)
	}
	if len(v.Scopes) == 0 {
		return nil
	}
	v.step(series)
	v.silences(series)
	inc.sumScopes()
	if err := v.loadDataClasses(ctx, c); err != nil {
		return fmt.Errorf("read which classes of events there are: %w", err)
	}
	if err := v.loadCuts(ctx, c); err != nil {
		return fmt.Errorf("read which fields CloudTrail has cut: %w", err)
	}
	return nil
}

// add sums what is of the same account, or region, or both.
func (s *Covered) add(o Covered) {
	s.First = earlier(s.First, o.First)
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
	s.Hours += o.Hours
	s.Events += o.Events
	s.Lineage += o.Lineage
	s.Management += o.Management
	s.ManagementReads += o.ManagementReads
	s.ManagementWrites += o.ManagementWrites
	s.Data += o.Data
	s.NetworkActivity += o.NetworkActivity
	s.Insight += o.Insight
}

// step cuts the time of the case into steps of equal length.
func (v *Coverage) step(series [][]hourly) {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, hours := range series {
		first, last = min(first, hours[0].hour), max(last, hours[len(hours)-1].hour)
	}
	step := (last-first)/maxCoverageSteps + 1
	for _, nice := range []int64{1, 2, 3, 6, 12, 24, 48, 7 * 24} {
		if nice >= step {
			step = nice
			break
		}
	}
	first = floorDiv(first, step) * step
	if step == 7*24 {
		first -= floorMod(first+3*24, step) // a Monday: 1970-01-01 was a Thursday
	}
	v.From, v.StepSeconds = time.Unix(first*3600, 0).UTC(), step*3600
	for i, hours := range series {
		steps := make([]int64, (last-first)/step+1)
		for _, h := range hours {
			steps[(h.hour-first)/step] += h.events
		}
		v.Scopes[i].Steps = steps
	}
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }
func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

// sumScopes fills what a report tells of accounts, of regions and of all.
func (inc *Incident) sumScopes() {
	accounts, regions := map[string]Scope{}, map[string]Scope{}
	for _, s := range inc.Coverage.Scopes {
		accounts[s.AccountID] = accounts[s.AccountID].plus(s.AccountID, s)
		regions[s.Region] = regions[s.Region].plus(s.Region, s)
		t := &inc.Totals
		t.Events += s.Events
		t.FirstEvent = earlier(t.FirstEvent, s.First)
		if s.Last.After(t.LastEvent) {
			t.LastEvent = s.Last
		}
	}
	byName := func(a, b Scope) int { return cmp.Compare(a.Name, b.Name) }
	inc.Accounts = slices.SortedFunc(maps.Values(accounts), byName)
	inc.Regions = slices.SortedFunc(maps.Values(regions), byName)
}

func (s Scope) plus(name string, v Covered) Scope {
	s.Name = name
	s.Events += v.Events
	s.Lineage += v.Lineage
	s.First = earlier(s.First, v.First)
	if v.Last.After(s.Last) {
		s.Last = v.Last
	}
	return s
}
