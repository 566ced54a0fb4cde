package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"trailscan/remediate"
	"trailscan/rules"
)

// decisionItems bounds each list of the page: it is one page.
const decisionItems = 4

// decision is one page for those who decide and do not read logs. All of its
// texts are plain and are escaped where they are written.
type decision struct {
	Title    string
	Lead     string
	Facts    [][2]string
	Sections []decisionSection
	Foot     string
}

type decisionSection struct {
	Heading string
	Text    string
	Items   []string
	More    string
}

//go:embed decision.html.tmpl
var decisionText string

var decisionPage = template.Must(template.New("decision").Parse(decisionText))

// PlanDecision writes one page for management about a plan, as md or html. The
// incident may be nil: a reviewed plan comes without a case.
func PlanDecision(w io.Writer, format string, p *remediate.Plan, inc *Incident, zone *time.Location) error {
	d := newDecision(p, inc, zone)
	var b bytes.Buffer
	if format == "html" {
		if err := decisionPage.Execute(&b, d); err != nil {
			return fmt.Errorf("write the page for management: %w", err)
		}
	} else {
		d.markdown(&b)
	}
	if _, err := io.WriteString(w, visible(b.String(), "\n\t")); err != nil {
		return fmt.Errorf("write the page for management: %w", err)
	}
	return nil
}

func (d *decision) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "# %s\n\n%s\n\n", mdText(d.Title), mdText(d.Lead))
	for _, f := range d.Facts {
		fmt.Fprintf(b, "- **%s:** %s\n", mdText(f[0]), mdText(f[1]))
	}
	for _, s := range d.Sections {
		fmt.Fprintf(b, "\n## %s\n\n", mdText(s.Heading))
		if s.Text != "" {
			fmt.Fprintf(b, "%s\n", mdText(s.Text))
		}
		if len(s.Items) > 0 {
			b.WriteString("\n")
		}
		for _, i := range s.Items {
			fmt.Fprintf(b, "- %s\n", mdText(i))
		}
		if s.More != "" {
			fmt.Fprintf(b, "- %s\n", mdText(s.More))
		}
	}
	fmt.Fprintf(b, "\n%s\n", mdText(d.Foot))
}

func newDecision(p *remediate.Plan, inc *Incident, zone *time.Location) *decision {
	d := &decision{Title: "A leaked AWS access key: what happened, what we do, what you decide"}
	var b brief
	if inc != nil && inc.Lineage != nil {
		b = newBrief(inc, 0, 0)
	}
	d.happened(p, b, zone)
	d.add("What the intruder could reach", reached(p, b))
	d.add("What is done at once", atOnce(p))
	d.list(p, zone, "Decisions that we need from you", "Each of these deletes, ends or changes something for good, so it runs only when someone has said yes.", "Nothing waits for a decision.",
		func(a *remediate.Action) bool {
			return a.Mode == remediate.Review && a.Phase != remediate.Restore && a.Phase != remediate.Preserve && !a.Lost()
		})
	d.list(p, zone, "What cannot be undone", "The intruder has read or copied this and keeps it, whatever we do. It must be replaced, or its owners told.", "The logs show nothing that was read and must be replaced. They do not show every read.",
		(*remediate.Action).Lost)
	d.breaks(p)
	d.list(p, zone, "Deadlines", "After these times it is too late.", "Nothing runs out that the logs show. What matters is how soon the denials are in place.",
		func(a *remediate.Action) bool { return a.Deadline != nil })
	d.unknown(inc)
	d.add("Who decides", "The incident lead starts what is done at once. The owner of each system says yes or no to what deletes or ends something there. Management decides what outage is acceptable, whom to tell of what was read, and when the owners get their access back. "+
		"The administrator of the organisation puts the rules in place that bind whole accounts.")
	d.Foot = fmt.Sprintf("From a plan of %s: %s. It knows of events through %s (%s). Each step with its reason, risk and way back is in the runbook.",
		plural(int64(len(p.Actions)), "action"), modesPhrase(p.Actions), clock(p.LogThrough, zone), zone)
	return d
}

func (d *decision) add(heading, text string) {
	d.Sections = append(d.Sections, decisionSection{Heading: heading, Text: text})
}

func (d *decision) happened(p *remediate.Plan, b brief, zone *time.Location) {
	keys := some(p.Keys, 3)
	switch byKey := allKeys(p.Keys); {
	case byKey && len(p.Keys) == 1:
		d.Lead = "The access key " + keys + " is in the hands of someone else."
	case byKey:
		d.Lead = "The access keys " + keys + " are in the hands of someone else."
	default:
		d.Lead = "Credentials of " + shortenARNs(keys) + " are in the hands of someone else."
	}
	if len(b.Owners) > 0 && allKeys(p.Keys) {
		d.Lead += " It belongs to " + shortenARNs(some(b.Owners, 2)) + "."
	}
	if !b.Misused.IsZero() {
		d.Lead += fmt.Sprintf(" The first misuse that the logs show was %s, the last %s; %s.", clock(b.Misused, zone), clock(b.LastSeen, zone), plural(b.Events, "call is", "calls are")+" the intruder's")
	}
	d.Facts = append(d.Facts, [2]string{"Accounts concerned", orNone(some(p.AccountIDs, 4))})
	if b.Traced {
		state := "off at the end of the logs"
		if b.KeyAlive {
			state = "still works"
		}
		what := "The leaked key"
		if !allKeys(p.Keys) {
			what = "The leaked credentials"
		}
		d.Facts = append(d.Facts, [2]string{what, state},
			[2]string{"Further ways in that still work", fmt.Sprintf("%d of %d", len(b.Alive), b.Descend)})
	}
	d.Facts = append(d.Facts, [2]string{"Steps planned", modesPhrase(p.Actions)})
}

// allKeys says that an incident is of access keys, not of principals.
func allKeys(keys []string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, "arn:") })
}

func reached(p *remediate.Plan, b brief) string {
	with := "the key"
	if !allKeys(p.Keys) {
		with = "them"
	}
	text := fmt.Sprintf("With "+with+" the intruder got hold of %s and acted as %s.", plural(int64(len(p.Lineage.AccessKeyIDs)), "key and token", "keys and tokens"),
		plural(int64(len(p.Lineage.ARNs)), "identity", "identities"))
	if b.Outlive > 0 {
		text += fmt.Sprintf(" %s on when the key is switched off: that alone does not end the intrusion.", plural(int64(b.Outlive), "of them lives", "of them live"))
	}
	if len(b.Principals) > 0 {
		text += " Made, changed or used on the way: " + principalsPhrase(b.Principals) + "."
	}
	return text
}

// atOnce says in plain words what runs without a further word.
func atOnce(p *remediate.Plan) string {
	n := map[remediate.Phase]int{}
	for _, a := range p.Actions {
		if a.Mode == remediate.Auto {
			n[a.Phase]++
		}
	}
	var parts []string
	for _, ph := range []struct {
		phase remediate.Phase
		words string
	}{
		{remediate.Preserve, "logging and detection are switched on again"},
		{remediate.Contain, "the stolen identities are denied everything and their keys disabled"},
		{remediate.Revoke, "sessions that are still open are ended"},
		{remediate.Evict, "ways back in are closed"},
		{remediate.Recover, "what was changed is put back"},
	} {
		if n[ph.phase] > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", ph.words, plural(int64(n[ph.phase]), "step")))
		}
	}
	if len(parts) == 0 {
		return "No step runs without someone's word."
	}
	return title(strings.Join(parts, "; ")) + ". All of this can be taken back, and deletes nothing."
}

// list is a section of the actions that count, those with a deadline first.
func (d *decision) list(p *remediate.Plan, zone *time.Location, heading, text, none string, counts func(*remediate.Action) bool) {
	s := decisionSection{Heading: heading, Text: text}
	n := 0
	take := func(a *remediate.Action) {
		if n++; n > decisionItems {
			return
		}
		item := clipWords(shortenARNs(a.Title), 150)
		if a.Deadline != nil {
			item += ": before " + clock(*a.Deadline, zone)
		}
		s.Items = append(s.Items, item)
	}
	urgent := withDeadline(p.Actions)
	for i := range urgent {
		if counts(&urgent[i]) {
			take(&urgent[i])
		}
	}
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Deadline == nil && counts(a) {
			take(a)
		}
	}
	if n == 0 {
		s.Text = none
	}
	if n > decisionItems {
		s.More = fmt.Sprintf("and %s more, in the runbook", number(int64(n-decisionItems)))
	}
	d.Sections = append(d.Sections, s)
}

// breaks is what others lose.
func (d *decision) breaks(p *remediate.Plan) {
	s := decisionSection{Heading: "What may break, and for whom", Text: "Others work with the same identities. What they do with them stops until they have a new way in."}
	n := 0
	seen := map[string]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		use := a.StopsUse()
		if use == "" || seen[a.Title+use] {
			continue
		}
		seen[a.Title+use] = true
		if n++; n <= decisionItems {
			s.Items = append(s.Items, clip(shortenARNs(a.Title), 110)+": "+clipWords(use, 220))
		}
	}
	if n == 0 {
		s.Text = "The logs show nobody else who works with these identities. Jobs that run less often than the logs reach back do not show."
	}
	if n > decisionItems {
		s.More = fmt.Sprintf("and %s more, in the runbook", number(int64(n-decisionItems)))
	}
	d.Sections = append(d.Sections, s)
}

// unknown is what the logs cannot show.
func (d *decision) unknown(inc *Incident) {
	if inc == nil {
		return
	}
	s := decisionSection{Heading: "What we do not know"}
	n := 0
	for _, g := range inc.Gaps {
		if g.Severity < rules.High {
			continue
		}
		if n++; n <= 3 {
			s.Items = append(s.Items, clipWords(g.Title+": "+g.Meaning, 150))
		}
	}
	if n > 3 {
		s.More = fmt.Sprintf("and %d more, in the report", n-3)
	}
	if n > 0 {
		d.Sections = append(d.Sections, s)
	}
}
