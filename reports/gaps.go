package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/query"
	"trailscan/rules"
)

// Gap is something that the logs cannot show, and what that means for the
// conclusions drawn from them.
type Gap struct {
	ID       string         `json:"id"` // stable: "no-data-events"
	Severity rules.Severity `json:"severity"`
	Title    string         `json:"title"`
	Meaning  string         `json:"meaning"`
	Details  []string       `json:"details"`
}

// maxDetails bounds what a gap lists.
const maxDetails = 12

// gap adds a gap; details beyond the bound are counted.
func (inc *Incident) gap(id string, severity rules.Severity, title, meaning string, details ...string) {
	if n := len(details); n > maxDetails {
		details = append(slices.Clone(details[:maxDetails]), fmt.Sprintf("and %d more", n-maxDetails))
	}
	inc.Gaps = append(inc.Gaps, Gap{id, severity, title, meaning, details})
}

func (inc *Incident) loadGaps(ctx context.Context, c *query.Case) error {
	if inc.Totals.Events == 0 {
		inc.gap("no-events", rules.Critical, "The case holds no events",
			"Nothing in this report says anything about the incident. Load the logs of the account that the key belongs to.")
		inc.sourceGaps()
		return nil
	}
	coverage, err := loadCoverage(ctx, c)
	if err != nil {
		return err
	}
	inc.classGaps(coverage)
	inc.globalRegionGap(coverage)
	inc.unseenRegionsGap(coverage)
	inc.sourceGaps()
	inc.spanGaps()
	for _, find := range []func(context.Context, *query.Case) error{
		inc.dataEventGap, inc.loggingGap, inc.silenceGaps, inc.originGap, inc.foreignGap,
	} {
		if err := find(ctx, c); err != nil {
			return fmt.Errorf("look for gaps in the logs: %w", err)
		}
	}
	slices.SortStableFunc(inc.Gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// coverage is what the case holds of an account in a region.
type coverage struct {
	account, region       string
	events, reads, writes int64 // of these, those that say read_only
	insight, network      int64
}

func loadCoverage(ctx context.Context, c *query.Case) ([]coverage, error) {
	const text = `
SELECT coalesce(account_id, ''), coalesce(aws_region, ''), count(*),
    count(*) FILTER (read_only AND event_category IS DISTINCT FROM 'Data'),
    count(*) FILTER (NOT read_only AND event_category IS DISTINCT FROM 'Data'),
    count(*) FILTER (event_category = 'Insight'), count(*) FILTER (event_category = 'NetworkActivity')
FROM events GROUP BY ALL ORDER BY 1, 2`
	var all []coverage
	err := eachRow(ctx, c, text, nil, func(scan func(...any) error) error {
		var v coverage
		if err := scan(&v.account, &v.region, &v.events, &v.reads, &v.writes, &v.insight, &v.network); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

// perAccount sums coverage over the regions of each account, by account.
func perAccount(all []coverage) []coverage {
	var out []coverage
	for _, v := range all {
		if len(out) == 0 || out[len(out)-1].account != v.account {
			out = append(out, coverage{account: v.account})
		}
		s := &out[len(out)-1]
		s.events += v.events
		s.reads += v.reads
		s.writes += v.writes
		s.insight += v.insight
		s.network += v.network
	}
	return out
}

// classGaps tells of trails that record one half of the management events, and
// of classes that no trail recorded.
func (inc *Incident) classGaps(all []coverage) {
	var noReads, noWrites []string
	var insight, network int64
	for _, v := range perAccount(all) {
		insight += v.insight
		network += v.network
		switch {
		case v.writes > 0 && v.reads == 0:
			noReads = append(noReads, fmt.Sprintf("account %s: %d writes, no read", v.account, v.writes))
		case v.reads > 0 && v.writes == 0:
			noWrites = append(noWrites, fmt.Sprintf("account %s: %d reads, no write", v.account, v.reads))
		}
	}
	if len(noReads) > 0 {
		inc.gap("writes-only", rules.Critical, "Only writes were recorded",
			"The trail leaves out read-only management events. That hides AssumeRole, GetSessionToken and GetFederationToken, "+
				"so credentials may descend from the key that nothing here shows, and it hides enumeration, secrets read and every other read. "+
				"Get the missing events from CloudTrail's event history (90 days, `aws cloudtrail lookup-events`).", noReads...)
	}
	if len(noWrites) > 0 {
		inc.gap("reads-only", rules.Critical, "Only reads were recorded",
			"The trail leaves out write events: users, keys, roles, policies and resources that were created or changed do not show. "+
				"Get the missing events from CloudTrail's event history (90 days).", noWrites...)
	}
	var missing []string
	if insight == 0 {
		missing = append(missing, "Insights events (unusual rates of calls and errors)")
	}
	if network == 0 {
		missing = append(missing, "network activity events (calls through VPC endpoints, those denied by an endpoint policy too)")
	}
	if len(missing) > 0 {
		inc.gap("no-optional-classes", rules.Info, "Optional classes of events were not recorded",
			"They are off by default. Their absence says nothing about what happened.", missing...)
	}
}

// globalRegions are the regions that log IAM and the global endpoints of a
// partition (CloudTrail user guide, "Global service events").
var globalRegions = []struct{ prefix, region string }{
	{"us-gov-", "us-gov-west-1"},
	{"cn-", "cn-north-1"},
	{"us-iso-", "us-iso-east-1"},
	{"us-isob-", "us-isob-east-1"},
	{"", "us-east-1"},
}

func globalRegion(region string) string {
	for _, g := range globalRegions {
		if strings.HasPrefix(region, g.prefix) {
			return g.region
		}
	}
	return ""
}

func (inc *Incident) globalRegionGap(all []coverage) {
	needs, has := map[string]string{}, map[string]bool{}
	var accounts []string
	for _, v := range all {
		if v.region == "" {
			continue
		}
		if _, known := needs[v.account]; !known {
			accounts = append(accounts, v.account)
			needs[v.account] = globalRegion(v.region)
		}
		if v.region == needs[v.account] {
			has[v.account] = true
		}
	}
	var details []string
	for _, a := range accounts {
		if !has[a] {
			details = append(details, fmt.Sprintf("account %s: no event in %s", a, needs[a]))
		}
	}
	if len(details) > 0 {
		inc.gap("no-global-region", rules.Critical, "The region of global services is missing",
			"IAM, calls to the global STS endpoint, sign-ins of root and other global services are logged in one region alone (us-east-1 in the "+
				"standard partition). Without it new users, keys, roles and policies do not show, and most of the lineage cannot be known. "+
				"Export that region too.", details...)
	}
}

// defaultRegions are enabled in every account of the standard partition (AWS
// Account Management guide, "Enable or disable AWS Regions").
var defaultRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
	"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

func (inc *Incident) unseenRegionsGap(all []coverage) {
	seen := map[string]bool{}
	standard := false
	for _, v := range all {
		seen[v.region] = true
		standard = standard || globalRegion(v.region) == "us-east-1" && v.region != ""
	}
	if !standard {
		return
	}
	var unseen []string
	for _, r := range defaultRegions {
		if !seen[r] {
			unseen = append(unseen, r)
		}
	}
	if len(unseen) > 0 && len(unseen) < len(defaultRegions) {
		inc.gap("unseen-regions", rules.Low, fmt.Sprintf("%d of %d default regions have no event", len(unseen), len(defaultRegions)),
			"Either nothing happened there, or they were not exported, or the trail does not cover all regions. Intruders like regions that nobody "+
				"watches: make sure that the trail is multi-region and that all of its folders were loaded.", strings.Join(unseen, ", "))
	}
}

// sourceGaps tells of what could not be read.
func (inc *Incident) sourceGaps() {
	t := inc.Totals
	var details []string
	for _, s := range inc.Sources {
		if s.Status == "damaged" || s.Status == "unreadable" {
			details = append(details, s.Status+": "+s.URI)
		}
	}
	if len(details) > 0 {
		severity := rules.Medium
		if t.Unreadable > 0 {
			severity = rules.High
		}
		inc.gap("damaged-sources", severity, fmt.Sprintf("%s could not be read in full", plural(int64(t.Damaged+t.Unreadable), "source")),
			"What they held is missing here. Fetch them again and load them; what was read once is not loaded twice.", details...)
	}
	if t.Rejected > 0 {
		severity := rules.Low
		if t.Rejected*100 > t.Events {
			severity = rules.High
		}
		details = nil
		for _, r := range inc.Rejects {
			details = append(details, fmt.Sprintf("%d: %s", r.Count, r.Reason))
		}
		inc.gap("rejected-records", severity, fmt.Sprintf("%s rejected", plural(t.Rejected, "record was", "records were")),
			"They are kept in the case's table rejects with the reason, and no rule saw them.", details...)
	}
	if t.Conflicts > 0 {
		inc.gap("conflicting-records", rules.Medium, fmt.Sprintf("%s an id with a different event", plural(t.Conflicts, "record shares", "records share")),
			"CloudTrail's event ids are unique. Records that share one and differ in time, name or account have been edited or made up; both are kept.")
	}
}

// baseline is how much history before the compromise an inference from it needs.
const baseline = 7 * 24 * time.Hour

// spanGaps tells what the beginning and the end of the logs hide.
func (inc *Incident) spanGaps() {
	l := inc.Lineage
	if l == nil {
		return
	}
	if !l.CompromisedSince.IsZero() {
		if before := l.CompromisedSince.Sub(inc.Totals.FirstEvent); before < baseline {
			inc.gap("short-history", rules.Medium, "Little history before the compromise",
				"The start of the misuse is told by comparing with the key's earlier use. With so little of it the intruder may have come earlier, and "+
					"what is normal in this account is hardly known. Load at least a month before the first suspicion.",
				fmt.Sprintf("the logs begin %s, %s before the first misuse", stamp(inc.Totals.FirstEvent), span(before)))
		}
	}
	severity, detail := rules.Info, "the last event is of "+stamp(inc.Totals.LastEvent)
	if last := LastMisuse(l); !last.IsZero() && inc.Totals.LastEvent.Sub(last) < 24*time.Hour {
		severity = rules.High
		detail += ", and the intruder was active until then"
		if before := inc.Totals.LastEvent.Sub(last); before >= time.Minute {
			detail += fmt.Sprintf(" but for the last %s", span(before))
		}
	}
	inc.gap("end-of-logs", severity, "Nothing is known of what came after the logs end",
		"“Still alive” means alive then. CloudTrail delivers within 5 to 15 minutes; load what has been delivered since before acting on this report.", detail)
}

// LastMisuse is when a lineage was last used by another than its owner; zero
// when it never was.
func LastMisuse(l *lineage.Lineage) (last time.Time) {
	for _, c := range l.Credentials {
		for _, u := range c.Uses {
			if u.Actor != lineage.Owner && u.Last.After(last) {
				last = u.Last
			}
		}
	}
	return last
}
