package reports

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"trailscan/remediate"
	"trailscan/rules"
)

// Bounds of a document. What is beyond them is said to be left out, with the
// artifact that has it.
const (
	maxMoments  = 40
	maxFindings = 400
	maxActions  = 150 // of a phase
	maxSources  = 1000
	maxFolders  = 200
	maxEvidence = 20
	maxNodes    = 1500
	maxHistory  = 100
)

// document is a report as HTML and Markdown show it: the incident arranged for
// a reader and cut to a size that a browser bears.
type document struct {
	*Incident
	Brief    brief
	Zone     *time.Location
	Strips   []strip
	Tree     []*node
	TreeCut  int // nodes left out
	Moments  []moment
	Days     []day
	Charts   []chart
	Sorted   []rules.Finding
	Phases   []phase
	Folders  []folder
	Listed   []Source
	History  []CaseEntry // shown without times, so that the same logs give the same report
	Assessed []assessed

	severity map[string]rules.Severity // of a rule's worst finding
}

// moment is a finding on the way of the intrusion.
type moment struct {
	Time      time.Time
	Title     string
	Severity  rules.Severity
	Resources []string
	Times     int // findings that are told as one
}

// day is the part of the narrative that falls on one day of the zone.
type day struct {
	Date  string
	Lines []line
}

// line is a passage, after a silence.
type line struct {
	Passage
	Silence time.Duration // before it; zero when short
	Marks   []mark
}

// Worst is the class of a line by its worst finding: "worst", "found" or "".
func (l line) Worst() string {
	switch {
	case len(l.Marks) == 0 || l.Marks[0].Severity < rules.Medium:
		return ""
	case l.Marks[0].Severity == rules.Critical:
		return "worst"
	}
	return "found"
}

// mark is a rule that found a passage.
type mark struct {
	Rule     string
	Severity rules.Severity
}

// phase is a part of the plan.
type phase struct {
	Name    remediate.Phase
	Means   string
	Actions []remediate.Action
	More    int // actions left out
}

// folder sums the sources of one account and region, or of one directory.
type folder struct {
	Name    string
	Sources int
	Bytes   int64
	Records int64
	Bad     int
	First   time.Time
	Last    time.Time
}

// assessed counts rules by what they could say, with the reasons of those that
// could not.
type assessed struct {
	State   string
	Rules   int
	Reasons []counted
}

func newDocument(inc *Incident, zone *time.Location) *document {
	d := &document{Incident: inc, Zone: zone, Brief: newBrief(inc, 6, 8), severity: map[string]rules.Severity{}}
	for _, f := range inc.Findings {
		d.severity[f.Rule] = max(d.severity[f.Rule], f.Severity)
	}
	d.Tree = lineageTree(inc.Lineage, siblingsShown)
	d.Strips = strips(&inc.Coverage, zone)
	room := maxNodes
	d.Tree = prune(d.Tree, &room, &d.TreeCut)
	d.Moments = moments(inc.Findings)
	d.Days = d.days()
	if inc.Lineage != nil {
		d.Charts = charts(inc.Activity, zone)
	}
	d.Sorted = sortFindings(inc.Findings)
	d.Sorted = d.Sorted[:min(len(d.Sorted), maxFindings)]
	if inc.Plan != nil {
		d.Phases = phases(inc.Plan.Actions, maxActions)
	}
	d.Folders = folders(inc.Sources)
	d.Listed = inc.Sources[:min(len(inc.Sources), maxSources)]
	d.History = inc.CaseHistory[max(0, len(inc.CaseHistory)-maxHistory):]
	d.Assessed = assessments(inc.Assessment)
	return d
}

// prune keeps the first nodes of a tree and counts the others.
func prune(nodes []*node, room, cut *int) []*node {
	var out []*node
	for _, n := range nodes {
		if *room--; *room < 0 {
			*cut++
		} else {
			out = append(out, n)
		}
		n.Children = prune(n.Children, room, cut)
	}
	return out
}

// moments are what of the lineage's findings tells the story: severe and done.
// The same again and again is one moment.
func moments(findings []rules.Finding) []moment {
	var out []moment
	for _, f := range sortFindings(findings) {
		if f.InLineage && f.Outcome == rules.Success && f.Severity >= rules.Medium && len(out) < maxMoments {
			out = append(out, moment{f.FirstSeen, f.Title, f.Severity, f.Resources, 1})
		}
	}
	slices.SortStableFunc(out, func(a, b moment) int { return a.Time.Compare(b.Time) })
	var told []moment
	for _, m := range out {
		if n := len(told) - 1; n >= 0 && told[n].Title == m.Title && told[n].Severity == m.Severity {
			told[n].Resources = append(slices.Clip(told[n].Resources), m.Resources...)
			told[n].Times++
			continue
		}
		told = append(told, m)
	}
	return told
}

// quiet is how long a pause in the narrative is worth a line of its own.
const quiet = time.Hour

func (d *document) days() []day {
	var out []day
	var last time.Time
	for _, p := range d.Timeline.Passages {
		date := p.First.In(d.Zone).Format("Monday 2 January 2006")
		if len(out) == 0 || out[len(out)-1].Date != date {
			out = append(out, day{Date: date})
		}
		l := line{Passage: p}
		if pause := p.First.Sub(last); !last.IsZero() && pause >= quiet {
			l.Silence = pause
		}
		for _, r := range p.FindingRules {
			l.Marks = append(l.Marks, mark{r, d.severity[r]})
		}
		slices.SortStableFunc(l.Marks, func(a, b mark) int { return cmp.Compare(b.Severity, a.Severity) })
		if p.Last.After(last) {
			last = p.Last
		}
		out[len(out)-1].Lines = append(out[len(out)-1].Lines, l)
	}
	return out
}

// phaseMeanings say what each phase is for, in order of execution.
var phaseMeanings = []phase{
	{Name: remediate.Preserve, Means: "Save what proves the case, and switch logging on again, before anything is changed."},
	{Name: remediate.Contain, Means: "Take the leaked key away from the intruder. It is disabled, never deleted."},
	{Name: remediate.Revoke, Means: "End the sessions that outlive the key. Run this together with contain, in one burst."},
	{Name: remediate.Evict, Means: "Undo what the intruder made or changed to come back, once every denial is verified."},
	{Name: remediate.Recover, Means: "Put back what was overwritten, and replace what was read."},
	{Name: remediate.Restore, Means: "Give the owner working access again, with least privilege."},
}

// phases arranges actions, at most so many of a phase.
func phases(actions []remediate.Action, most int) []phase {
	var out []phase
	for _, p := range phaseMeanings {
		for _, a := range actions {
			switch {
			case a.Phase != p.Name:
			case len(p.Actions) < most:
				p.Actions = append(p.Actions, a)
			default:
				p.More++
			}
		}
		if len(p.Actions) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// trailFolder is where CloudTrail puts an account's files of a region.
var trailFolder = regexp.MustCompile(`AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/CloudTrail/([a-z0-9-]+)/`)

func folders(sources []Source) []folder {
	index := map[string]int{}
	var out []folder
	for _, s := range sources {
		if s.Status == "foreign" {
			continue
		}
		name := s.URI[:strings.LastIndexByte(s.URI, '/')+1]
		if m := trailFolder.FindStringSubmatch(s.URI); m != nil {
			name = fmt.Sprintf("account %s, %s", m[1], m[2])
		}
		i, known := index[name]
		if !known {
			i = len(out)
			index[name] = i
			out = append(out, folder{Name: name})
		}
		f := &out[i]
		f.Sources++
		f.Bytes += s.Bytes
		f.Records += s.Records
		f.Bad += btoi(s.Status != "loaded")
		f.First = earlier(f.First, s.FirstEvent)
		if s.LastEvent.After(f.Last) {
			f.Last = s.LastEvent
		}
	}
	slices.SortFunc(out, func(a, b folder) int { return cmp.Compare(a.Name, b.Name) })
	return out[:min(len(out), maxFolders)]
}

// rulesAsked are how many rules ran or were to run.
func rulesAsked(all []assessed) (n int) {
	for _, a := range all {
		n += a.Rules
	}
	return n
}

// rulesBlind are how many of them could not look: what they are about may have
// happened all the same.
func rulesBlind(all []assessed) (n int) {
	for _, a := range all {
		if a.State != words("assessed") {
			n += a.Rules
		}
	}
	return n
}

func assessments(all []rules.Assessment) []assessed {
	var out []assessed
	for _, state := range []string{"assessed", "not_assessable", "not_assessed"} {
		s := assessed{State: words(state)}
		for _, a := range all {
			if a.Assessed != state {
				continue
			}
			s.Rules++
			if state != "assessed" {
				s.Reasons = count(s.Reasons, a.Reason)
			}
		}
		if s.Rules > 0 {
			out = append(out, s)
		}
	}
	return out
}
