package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/remediate"
	"trailscan/rules"
)

// Markdown writes report.md: what report.html says, for a ticket or a wiki, with
// times in zone.
func Markdown(w io.Writer, inc *Incident, zone *time.Location) error {
	m := &markdown{document: newDocument(inc, zone)}
	m.head()
	m.coverage()
	m.gaps()
	m.scope()
	m.timeline()
	m.lineage()
	m.findings()
	m.plan()
	m.assessment()
	m.sources()
	if _, err := io.WriteString(w, m.out.String()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// markdown writes the sections of a document. Text from the case passes through
// mdText or mdCode, nothing else does.
type markdown struct {
	*document
	out strings.Builder
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.out, format+"\n", args...) }

// table writes a table's head; cells of its rows must be escaped.
func (m *markdown) table(head ...string) {
	m.line("")
	m.row(head...)
	m.row(strings.Split(strings.TrimSuffix(strings.Repeat("---,", len(head)), ","), ",")...)
}

func (m *markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

func (m *markdown) clock(t time.Time) string { return orNone(clock(t, m.Zone)) }

// codes lists values as code and says how many are left out.
func codes(values []string, n int) string {
	var out []string
	for _, v := range values[:min(n, len(values))] {
		out = append(out, mdCode(clip(v, 200)))
	}
	if len(values) > n {
		out = append(out, fmt.Sprintf("and %d more", len(values)-n))
	}
	return strings.Join(out, ", ")
}

func (m *markdown) head() {
	t, b := m.Totals, m.Brief
	m.line("# AWS access key incident report\n")
	m.line("From %s, %s to %s. Times are %s.\n", plural(t.Events, "CloudTrail event"), m.clock(t.FirstEvent), m.clock(t.LastEvent), mdText(m.Zone.String()))
	if t.Events > 0 {
		m.line("The logs cover %s [More](#coverage)\n", mdText(m.coveragePhrase()))
	}
	m.line("## Summary\n")
	if !b.Traced {
		m.line("- **No key was traced in this case.** `trailscan trace KEY` finds what descends from one.")
	} else {
		state := "not active at the end of the logs"
		if b.KeyAlive {
			state = "**still active**"
		}
		m.line("- **Leaked:** %s of %s, %s", codes(b.Keys, 6), orNone(codes(b.Owners, 3)), state)
		if b.Misused.IsZero() {
			m.line("- **Misuse:** none is seen that is not the owner's use")
		} else {
			m.line("- **First misused:** %s; last seen %s; %s from %s", m.clock(b.Misused), m.clock(b.LastSeen), plural(b.Events, "event"), orNone(codes(b.Addresses, 6)))
		}
		if b.MisusedWhy != "" {
			m.line("- **How that is known:** %s", mdText(clip(b.MisusedWhy, 500)))
		}
		m.line("- **Acted in accounts:** %s", orNone(codes(b.Accounts, 8)))
		m.line("- **Descend from it:** %s, of which **%d alive** at %s; %d of these outlive the key", plural(int64(b.Descend), "credential"), len(b.Alive), m.clock(b.AsOf), b.Outlive)
		for _, c := range b.Alive[:min(8, len(b.Alive))] {
			until := ""
			if c.ExpiresAt != nil {
				until = ", until " + m.clock(*c.ExpiresAt)
			}
			m.line("  - %s %s of %s%s", mdCode(c.ID), words(string(c.Kind)), mdCode(clip(c.PrincipalARN, 160)), until)
		}
		if n := len(b.Alive) - 8; n > 0 {
			m.line("  - and %s more under [Lineage](#lineage)", number(int64(n)))
		}
		if len(b.Principals) > 0 {
			m.line("- **Made, changed or used on the way:** %s", mdText(principalsPhrase(b.Principals)))
		}
	}
	m.line("- **Findings:** %s", orNone(phrase(b.Severity)))
	for _, f := range b.Worst {
		m.line("  - **%s** %s%s %s", f.Severity, mdText(clip(f.Title, 160)), outcomeNote(string(f.Outcome)), codes(f.Resources, 2))
	}
	if n := rulesBlind(m.Assessed); n > 0 {
		m.line("- **Not looked for:** what %d of the %d rules are about, which [could not be assessed](#what-the-rules-could-assess)", n, rulesAsked(m.Assessed))
	}
	if len(b.First) > 0 {
		m.line("- **First actions** (of %d):", b.Actions)
		for i, a := range b.First {
			m.line("  %d. %s (%s)", i+1, mdText(clip(a.Title, 200)), a.Mode)
		}
	}
}

func outcomeNote(outcome string) string {
	if outcome == string(rules.Success) {
		return ""
	}
	return " (" + mdText(outcome) + ")"
}

func (m *markdown) gaps() {
	m.line("\n## What the logs cannot show\n")
	if len(m.Gaps) == 0 {
		m.line("Nothing that trailscan checks for is missing.")
	}
	for _, g := range m.Gaps {
		m.line("- **%s** (%s). %s", mdText(g.Title), g.Severity, mdText(g.Meaning))
		for _, d := range g.Details {
			m.line("  - %s", mdText(clip(d, 400)))
		}
	}
}

func (m *markdown) scope() {
	t := m.Totals
	m.line("\n## Scope and evidence\n")
	m.line("%s (%s), %s; %s left out, %s, %s.", plural(int64(t.Sources), "source"), size(t.Bytes), plural(t.Events, "event"),
		plural(t.Duplicates, "duplicate"), plural(t.Conflicts, "conflicting id"), plural(t.Rejected, "rejected record"))
	if t.Foreign > 0 {
		m.line("\nLeft out: %s.", plural(int64(t.Foreign), "file that is no CloudTrail log", "files that are no CloudTrail logs"))
	}
	for _, part := range []struct {
		name   string
		scopes []Scope
	}{{"Account", m.Accounts}, {"Region", m.Regions}} {
		m.table(part.name, "Events", "Intruder", "First", "Last")
		for _, s := range part.scopes[:min(100, len(part.scopes))] {
			m.row(orNone(mdCode(s.Name)), number(s.Events), number(s.Lineage), m.clock(s.First), m.clock(s.Last))
		}
		if n := len(part.scopes) - 100; n > 0 {
			m.row(fmt.Sprintf("and %d more", n), "", "", "", "")
		}
	}
	m.table("Where from", "Sources", "Size", "Records", "Not in full", "First", "Last")
	for _, f := range m.Folders {
		m.row(mdCode(clip(f.Name, 160)), number(int64(f.Sources)), size(f.Bytes), number(f.Records), number(int64(f.Bad)), m.clock(f.First), m.clock(f.Last))
	}
	m.integrity()
	m.line("\nEvery source with its SHA-256 stands at the end, under [Sources](#sources).")
	if len(m.Rejects) > 0 {
		m.table("Rejected", "Reason", "For example in")
		for _, r := range m.Rejects[:min(100, len(m.Rejects))] {
			m.row(number(r.Count), mdText(clip(r.Reason, 300)), mdCode(clip(r.Example, 200)))
		}
	}
	if len(m.History) > 0 {
		m.table("trailscan", "Command that changed the case")
		for _, e := range m.History {
			m.row(mdText(e.Version), mdCode(clip(e.Arguments, 400)))
		}
	}
}

// sources lists what was read; it is long, so it comes last.
func (m *markdown) sources() {
	m.line("\n## Sources\n")
	if len(m.Listed) < len(m.Sources) {
		m.line("The first %d of %d; the case's table `sources` has all.", len(m.Listed), len(m.Sources))
	}
	m.table("Source", "SHA-256", "Status", "Integrity", "Bytes", "Records", "Rejected")
	for _, s := range m.Listed {
		m.row(mdCode(clip(s.URI, 300)), mdCode(s.SHA256), mdText(s.Status), orNone(mdText(words(s.Integrity))), number(s.Bytes), number(s.Records), number(s.Rejected))
	}
}

func (m *markdown) integrity() {
	i := m.Integrity
	m.line("\n### Integrity\n")
	if !i.Known() {
		m.line("The sources have not been held against CloudTrail's digests: `trailscan verify`.")
		return
	}
	m.line("Held against CloudTrail's digests: %s.", mdText(i.Phrase()))
	if len(i.Flaws) == 0 {
		return
	}
	m.table("Verdict", "Kind", "File or span", "Account", "Region", "Why")
	for _, f := range i.Shown() {
		what := mdCode(clip(f.Key, 300))
		if f.Key == "" {
			what = m.clock(f.From) + " to " + m.clock(f.To)
		}
		m.row(mdText(words(f.Verdict)), mdText(f.Kind), what, mdCode(f.AccountID), mdCode(f.Region), mdText(clip(f.Reason, 400)))
	}
	if n := len(i.Flaws) - maxFlaws; n > 0 {
		m.line("\n**%d more left out for length.** The case's table `integrity` has all.", n)
	}
}

func (m *markdown) timeline() {
	m.line("\n## Timeline of the intrusion")
	if m.Timeline.Events == 0 {
		m.line("\nThe case holds no use of a traced lineage that is not its owner's.")
		return
	}
	if len(m.Moments) > 0 {
		m.line("\n### Key moments\n")
		for _, k := range m.Moments {
			title := mdText(clip(k.Title, 160))
			if k.Times > 1 {
				title += fmt.Sprintf(" ×%d", k.Times)
			}
			m.line("- %s **%s** %s %s", m.clock(k.Time), k.Severity, title, codes(k.Resources, 6))
		}
	}
	m.line("\n### Everything the intruder did\n")
	m.line("%s; the same call repeated with pauses of at most ten minutes stands in one line.", plural(m.Timeline.Events, "event"))
	if n := m.Timeline.OmittedEvents; n > 0 {
		m.line("**%s left out for length.**", plural(n, "event"))
	}
	m.line("Every event is in timeline.csv.")
	for _, d := range m.Days {
		m.line("\n#### %s", d.Date)
		m.table("Time", "Call", "Outcome", "By", "From", "On", "Rules")
		for _, l := range d.Lines {
			at, call := hour(l.First, m.Zone), mdCode(shortSource(l.EventSource)+":"+l.EventName)
			if l.Count > 1 {
				at += " to " + hour(l.Last, m.Zone)
				call += " ×" + number(l.Count)
			}
			on := codes(l.Resources, passageSamples)
			if l.More > 0 {
				on += fmt.Sprintf(" and %s more", number(l.More))
			}
			m.row(at, call, mdText(l.Outcome), mdCode(clip(shortARN(l.PrincipalARN), 90))+" "+mdCode(l.AccessKeyID),
				mdCode(clip(l.SourceIP, 60))+" "+mdText(some(l.Regions, 3)), on, codes(l.FindingRules, 6))
		}
	}
}

func (m *markdown) lineage() {
	m.line("\n## Lineage\n")
	if m.Lineage == nil {
		m.line("No key was traced.")
		return
	}
	m.line("Every credential and principal that descends from the key, under what it came from.\n")
	for _, n := range m.Tree {
		m.node(n, "")
	}
	if m.TreeCut > 0 {
		m.line("\n**%d more left out for length.** lineage.json has all.", m.TreeCut)
	}
}

func (m *markdown) node(n *node, indent string) {
	text := mdCode(clip(n.Label, 240)) + " " + mdText(n.Kind)
	if n.Via != "" {
		text += " via " + mdText(n.Via)
	}
	if n.Live {
		text += " **alive**"
		if lasts := n.Lasts(); lasts != "" {
			text += " (" + lasts + ")"
		}
		if n.Survives {
			text += ", outlives the key"
		}
	}
	if n.Certainty != string(lineage.Confirmed) {
		text += " (" + mdText(n.Certainty) + ")"
	}
	if n.Principal != "" {
		text += ", acts as " + mdCode(clip(n.Principal, 240))
	}
	if !n.At.IsZero() {
		text += ", " + m.clock(n.At)
	}
	if !n.Expires.IsZero() {
		text += ", expires " + m.clock(n.Expires)
		if n.Derived {
			text += " (computed)"
		}
	}
	if !n.EndedAt.IsZero() {
		text += ", **ended " + m.clock(n.EndedAt) + "** by " + mdCode(n.EndedVia) + ": " + mdText(clip(n.EndedWhy, 240))
	}
	if !n.First.IsZero() {
		text += fmt.Sprintf(", used %s to %s (%s)", m.clock(n.First), m.clock(n.Last), plural(n.Events, "event"))
	}
	if n.Over != "" {
		text += ", " + n.Over
	}
	if n.Live && n.EndedBy != "" {
		text += "; what ends it: " + mdText(clip(n.EndedBy, 400))
	}
	m.line("%s- %s", indent, text)
	for _, c := range n.Children {
		m.node(c, indent+"  ")
	}
}

func (m *markdown) findings() {
	m.line("\n## Findings")
	if len(m.Sorted) == 0 {
		m.line("\nNo rule found anything.")
	}
	for _, f := range m.Sorted {
		m.line("\n### %s: %s%s\n", f.Severity, mdText(clip(f.Title, 200)), outcomeNote(string(f.Outcome)))
		if f.Summary != "" {
			m.line("%s\n", mdText(clip(f.Summary, 800)))
		}
		if f.InLineage {
			m.line("- **Of the lineage**")
		}
		m.line("- Rule %s, %s %s", mdCode(f.Rule), mdText(f.Tactic), mdText(some(f.Techniques, 6)))
		m.line("- %s in account %s, %s to %s, %s %s", orNone(mdCode(clip(f.PrincipalARN, 240))), orNone(mdCode(f.AccountID)),
			m.clock(f.FirstSeen), m.clock(f.LastSeen), plural(f.Count, "event"), mdText(some(f.Regions, 6)))
		for _, part := range []struct {
			name   string
			values []string
		}{{"Keys", f.AccessKeyIDs}, {"From", f.SourceIPs}, {"Agents", f.UserAgents}, {"Resources", f.Resources}, {"Events", f.EventIDs}} {
			if len(part.values) > 0 {
				m.line("- %s: %s", part.name, codes(part.values, 6))
			}
		}
	}
	if n := len(m.Findings) - len(m.Sorted); n > 0 {
		m.line("\n**%d more findings left out for length.** findings.json has all.", n)
	}
}

func (m *markdown) plan() {
	m.line("\n## Plan\n")
	if m.Plan == nil {
		m.line("No plan was made.")
		return
	}
	m.line("Nothing has been carried out. The runbook `plan.md` has checks and ways back of each action (`trailscan plan --plan plan.json -o plan.md`). Knows of events through %s. Digest %s.", m.clock(m.Plan.LogThrough), mdCode(m.Plan.Digest))
	for _, p := range m.Phases {
		m.line("\n### %s\n\n%s\n", p.Name, p.Means)
		for i, a := range p.Actions {
			m.action(i+1, a)
		}
		if p.More > 0 {
			m.line("\n**%s more left out for length.** plan.json has all.", number(int64(p.More)))
		}
	}
}

func (m *markdown) action(n int, a remediate.Action) {
	undo := ""
	if a.Service != "" && a.Rollback == nil {
		undo = ", **irreversible**"
	}
	m.line("%d. **%s** (%s%s), %s, account %s %s", n, mdText(clip(a.Title, 240)), a.Mode, undo, mdCode(a.ID), mdCode(a.AccountID), mdCode(a.Region))
	if a.Deadline != nil {
		m.line("   - Before %s", m.clock(*a.Deadline))
	}
	if a.Reason != "" {
		m.line("   - Why: %s", mdText(clip(a.Reason, 800)))
	}
	if a.Risk != "" {
		m.line("   - Risk: %s", mdText(clip(a.Risk, 600)))
	}
	if a.CLI != "" {
		m.line("   - Run: %s", mdCode(a.CLI))
	}
	for _, c := range a.Rollback {
		m.line("   - Rollback: %s", mdCode(clip(callText(c), 500)))
	}
	if len(a.Evidence) > 0 {
		m.line("   - Evidence: %s", codes(a.Evidence, 6))
	}
}

func (m *markdown) assessment() {
	m.line("\n## What the rules could assess\n")
	if len(m.Assessed) == 0 {
		m.line("The rules have not been run: `trailscan scan`.")
	}
	for _, a := range m.Assessed {
		m.line("- **%d rules %s**", a.Rules, a.State)
		for _, r := range a.Reasons {
			m.line("  - %d: %s", r.Count, mdText(clip(r.Name, 300)))
		}
	}
}
