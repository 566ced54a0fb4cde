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
		inc.integrityGap()
		return nil
	}
	inc.classGaps()
	inc.globalRegionGap()
	inc.unseenRegionsGap()
	inc.dataEventGap()
	inc.cutGap()
	inc.silenceGap()
	inc.sourceGaps()
	inc.integrityGap()
	inc.spanGaps()
	for _, find := range []func(context.Context, *query.Case) error{
		inc.loggingGap, inc.originGap, inc.foreignGap, inc.namedGap,
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

// perAccount sums what is covered over the regions of each account.
func (v *Coverage) perAccount() []Covered {
	var out []Covered
	for _, s := range v.Scopes {
		if len(out) == 0 || out[len(out)-1].AccountID != s.AccountID {
			out = append(out, Covered{AccountID: s.AccountID})
		}
		out[len(out)-1].add(s)
	}
	return out
}

// manyWrites in a region without one read are of a trail that leaves reads out:
// consoles, SDKs and AWS itself read before they write.
const manyWrites = 100

// classGaps tells of trails that record one half of the management events, and
// of classes that no trail recorded.
func (inc *Incident) classGaps() {
	var noReads, noWrites []string
	var insight, network int64
	half := map[string]bool{}
	for _, v := range inc.Coverage.perAccount() {
		insight += v.Insight
		network += v.NetworkActivity
		switch {
		case v.ManagementWrites > 0 && v.ManagementReads == 0:
			half[v.AccountID] = true
			noReads = append(noReads, fmt.Sprintf("account %s: %d writes, no read", v.AccountID, v.ManagementWrites))
		case v.ManagementReads > 0 && v.ManagementWrites == 0:
			noWrites = append(noWrites, fmt.Sprintf("account %s: %d reads, no write", v.AccountID, v.ManagementReads))
		}
	}
	for _, v := range inc.Coverage.Scopes {
		if v.ManagementWrites >= manyWrites && v.ManagementReads == 0 && !half[v.AccountID] {
			noReads = append(noReads, fmt.Sprintf("account %s in %s: %d writes, no read", v.AccountID, orNone(v.Region), v.ManagementWrites))
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

func (inc *Incident) globalRegionGap() {
	needs, has := map[string]string{}, map[string]bool{}
	var accounts []string
	for _, v := range inc.Coverage.Scopes {
		if v.Region == "" {
			continue
		}
		if _, known := needs[v.AccountID]; !known {
			accounts = append(accounts, v.AccountID)
			needs[v.AccountID] = globalRegion(v.Region)
		}
		if v.Region == needs[v.AccountID] {
			has[v.AccountID] = true
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

func (inc *Incident) unseenRegionsGap() {
	seen := map[string]bool{}
	standard := false
	for _, v := range inc.Coverage.Scopes {
		seen[v.Region] = true
		standard = standard || globalRegion(v.Region) == "us-east-1" && v.Region != ""
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
