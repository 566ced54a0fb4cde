package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// coverageFacts is `trailscan coverage --format json`.
type coverageFacts struct {
	Totals    Totals    `json:"totals"`
	Coverage  Coverage  `json:"coverage"`
	Unread    []Source  `json:"unread"`  // sources that could not be read in full
	Rejects   []Reject  `json:"rejects"` // by number, most first
	Integrity Integrity `json:"integrity"`
	Gaps      []Gap     `json:"gaps"` // by severity, worst first
}

// coverageLine is a fact of the coverage on a line of its own, for ndjson and
// CSV.
type coverageLine struct {
	Kind      string    `json:"kind"` // scope, class, silence, cut, source, reject, integrity or gap
	AccountID string    `json:"account_id"`
	Region    string    `json:"region"`
	Name      string    `json:"name"` // class, field, uri, reason, key or trail, id of the gap
	From      time.Time `json:"from,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	Events    int64     `json:"events"`
	Detail    string    `json:"detail"`
}

// WriteCoverage writes what LoadCoverage reads, as table (times in zone), md,
// json, ndjson or csv.
func WriteCoverage(w io.Writer, format string, inc *Incident, zone *time.Location) error {
	switch format {
	case "json":
		return JSON(w, coverageFacts{inc.Totals, inc.Coverage, inc.unread(), inc.Rejects, inc.Integrity, inc.Gaps})
	case "md":
		m := &markdown{document: newDocument(inc, zone)}
		m.line("# What the logs cover\n\nTimes are %s.", mdText(zone.String()))
		m.coverage()
		m.gaps()
		m.integrity()
		_, err := io.WriteString(w, m.out.String())
		return err
	case "table":
		return inc.coverageTable(w, zone)
	}
	return encodeAll(w, format, sheet[coverageLine]{csv: []column[coverageLine]{
		{"kind", 0, func(l coverageLine) string { return l.Kind }},
		{"account_id", 0, func(l coverageLine) string { return l.AccountID }},
		{"region", 0, func(l coverageLine) string { return l.Region }},
		{"name", 0, func(l coverageLine) string { return l.Name }},
		{"from", 0, func(l coverageLine) string { return stamp(l.From) }},
		{"until", 0, func(l coverageLine) string { return stamp(l.Until) }},
		{"events", 0, func(l coverageLine) string { return fmt.Sprint(l.Events) }},
		{"detail", 0, func(l coverageLine) string { return l.Detail }},
	}}, inc.coverageLines())
}

// unread are the sources that could not be read in full.
func (inc *Incident) unread() []Source {
	var out []Source
	for _, s := range inc.Sources {
		if s.Status == "damaged" || s.Status == "unreadable" {
			out = append(out, s)
		}
	}
	return out
}

func (inc *Incident) coverageLines() []coverageLine {
	var out []coverageLine
	v := &inc.Coverage
	for _, s := range v.Scopes {
		out = append(out, coverageLine{"scope", s.AccountID, s.Region, "", s.First, s.Last, s.Events,
			fmt.Sprintf("events in %s; management %d (%d reads, %d writes), data %d, network activity %d, insight %d", plural(s.Hours, "hour"),
				s.Management, s.ManagementReads, s.ManagementWrites, s.Data, s.NetworkActivity, s.Insight)})
	}
	for _, c := range v.Classes {
		out = append(out, coverageLine{"class", "", "", c.Class, c.First, c.Last, c.Events, strings.TrimSpace(c.ResourceType + " " + c.EventSource)})
	}
	for _, s := range v.Silences {
		out = append(out, coverageLine{"silence", s.AccountID, s.Region, s.Where, s.From, s.Until, 0,
			fmt.Sprintf("%s that are busy on %.0f %% of the other days", plural(s.Hours, "hour"), 100*s.Busy)})
	}
	for _, c := range v.Cuts {
		out = append(out, coverageLine{"cut", c.AccountID, "", strings.TrimSpace(c.Field + " " + c.How), c.First, c.Last, c.Events,
			fmt.Sprintf("%s: %s, e.g. %s", c.EventSource, strings.Join(c.EventNames, " "), c.ExampleEvent)})
	}
	for _, s := range inc.unread() {
		out = append(out, coverageLine{"source", "", "", s.URI, s.FirstEvent, s.LastEvent, s.Records, s.Status})
	}
	for _, r := range inc.Rejects {
		out = append(out, coverageLine{"reject", "", "", r.Reason, time.Time{}, time.Time{}, r.Count, r.Example})
	}
	for _, f := range inc.Integrity.Flaws {
		out = append(out, coverageLine{"integrity", f.AccountID, f.Region, cmp.Or(f.Key, f.Trail), f.From, f.To, 0,
			strings.TrimSuffix(f.Kind+" "+words(f.Verdict)+": "+f.Reason, ": ")})
	}
	for _, g := range inc.Gaps {
		out = append(out, coverageLine{"gap", "", "", g.ID, time.Time{}, time.Time{}, 0,
			strings.Join(append([]string{g.Severity.String() + ": " + g.Title}, g.Details...), "\n")})
	}
	return out
}

// coverageShown bounds what a table for people lists of each kind.
const coverageShown = 60

// coverageTable writes for a terminal: a table of scopes, then the rest by the
// heading.
func (inc *Incident) coverageTable(w io.Writer, zone *time.Location) error {
	v, t := &inc.Coverage, inc.Totals
	if t.Events == 0 {
		_, err := fmt.Fprintf(w, "The case holds no events (%s).\n", inc.sourcesPhrase())
		return err
	}
	when := func(t time.Time) string { return clock(t, zone) }
	var out strings.Builder
	fmt.Fprintf(&out, "%s of %s in %s, %s to %s, from %s\n\n", plural(t.Events, "event"), plural(int64(len(inc.Accounts)), "account"),
		plural(int64(len(inc.Regions)), "region"), when(t.FirstEvent), when(t.LastEvent), inc.sourcesPhrase())
	count := func(n func(Covered) int64) func(Covered) string {
		return func(s Covered) string { return number(n(s)) }
	}
	err := encodeAll(&out, "table", sheet[Covered]{table: []column[Covered]{
		{"account", 24, func(s Covered) string { return orNone(s.AccountID) }},
		{"region", 24, func(s Covered) string { return orNone(s.Region) }},
		{"first", 0, func(s Covered) string { return when(s.First) }},
		{"last", 0, func(s Covered) string { return when(s.Last) }},
		{"hours", 0, count(func(s Covered) int64 { return s.Hours })},
		{"events", 0, count(func(s Covered) int64 { return s.Events })},
		{"reads", 0, count(func(s Covered) int64 { return s.ManagementReads })},
		{"writes", 0, count(func(s Covered) int64 { return s.ManagementWrites })},
		{"data", 0, count(func(s Covered) int64 { return s.Data })},
		{"network", 0, count(func(s Covered) int64 { return s.NetworkActivity })},
		{"insight", 0, count(func(s Covered) int64 { return s.Insight })},
	}}, v.Scopes)
	if err != nil {
		return err
	}
	section := func(head string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&out, "\n%s\n", head)
		for i, line := range lines {
			if i == coverageShown {
				fmt.Fprintf(&out, "  and %d more: --format csv has all\n", len(lines)-i)
				break
			}
			fmt.Fprintf(&out, "  %s\n", Terminal(line))
		}
	}
	section("CLASSES", v.classLines(when))
	var lines []string
	for _, s := range v.Silences {
		lines = append(lines, s.text(when)+fmt.Sprintf("; %s of it busy on %.0f %% of the other days", plural(s.Hours, "hour"), 100*s.Busy))
	}
	section("SILENT WHERE OTHERWISE BUSY", lines)
	lines = nil
	if inc.Integrity.Known() {
		lines = append(lines, inc.Integrity.Phrase())
	}
	for _, f := range inc.Integrity.Flaws {
		line := f.Kind + " " + words(f.Verdict)
		if of := cmp.Or(f.Key, f.Trail); of != "" {
			line += " " + of
		}
		if !f.From.IsZero() {
			line += fmt.Sprintf(", %s to %s", when(f.From), when(f.To))
		}
		lines = append(lines, strings.TrimSuffix(line+": "+f.Reason, ": "))
	}
	section("CLOUDTRAIL'S DIGESTS", lines)
	lines = nil
	for _, g := range inc.Gaps {
		lines = append(lines, fmt.Sprintf("%-8s  %s", g.Severity, g.Title))
		if g.ID == "silence" {
			continue // they stand above
		}
		for _, d := range g.Details {
			lines = append(lines, "          "+clip(d, 200))
		}
	}
	section("MISSING, OR NOT TO BE SHOWN", lines)
	_, err = io.WriteString(w, out.String())
	return err
}

// classLines say of each class that CloudTrail has whether it is present.
func (v *Coverage) classLines(when func(time.Time) string) []string {
	var out []string
	for _, class := range classes {
		present := false
		for _, c := range v.Classes {
			if c.Class != class {
				continue
			}
			present = true
			what := words(class)
			if of := strings.TrimSpace(shortSource(c.EventSource) + " " + c.ResourceType); of != "" {
				what += " of " + of
			}
			out = append(out, fmt.Sprintf("%s: %s in %s, %s to %s", what, plural(c.Events, "event"), plural(c.Accounts, "account"), when(c.First), when(c.Last)))
		}
		if !present && class != "management" {
			out = append(out, words(class)+": none")
		}
	}
	return out
}

// sourcesPhrase sums what was read.
func (inc *Incident) sourcesPhrase() string {
	t := inc.Totals
	parts := []string{plural(int64(t.Sources), "source")}
	for _, p := range []struct {
		n    int64
		what string
	}{
		{int64(t.Damaged), "damaged"}, {int64(t.Unreadable), "unreadable"}, {t.Rejected, "records rejected"},
		{t.Duplicates, "duplicates"}, {t.Conflicts, "conflicting ids"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// coveragePhrase is the coverage in a sentence or two.
func (inc *Incident) coveragePhrase() string {
	v := &inc.Coverage
	present := map[string]bool{}
	for _, c := range v.Classes {
		present[c.Class] = true
	}
	var has, lacks []string
	for _, class := range classes {
		switch {
		case present[class]:
			has = append(has, words(class))
		case class != "management":
			lacks = append(lacks, words(class))
		}
	}
	text := fmt.Sprintf("%s in %s. Events of the classes %s", plural(int64(len(inc.Accounts)), "account"), plural(int64(len(inc.Regions)), "region"),
		orNone(strings.Join(has, ", ")))
	if len(lacks) > 0 {
		text += "; none of " + strings.Join(lacks, ", ")
	}
	text += ". " + plural(int64(len(v.Silences)), "silent stretch", "silent stretches")
	cut := int64(0)
	for _, c := range v.Cuts {
		if c.Field != "addendum" {
			cut += c.Events
		}
	}
	return fmt.Sprintf("%s, %s, %s.", text, plural(cut, "field cut by CloudTrail", "fields cut by CloudTrail"), plural(inc.Totals.Rejected, "record rejected", "records rejected"))
}

// coverage writes the section of the Markdown report.
func (m *markdown) coverage() {
	v := &m.Coverage
	m.line("\n## Coverage\n")
	if m.Totals.Events == 0 {
		m.line("The case holds no events.")
		return
	}
	m.line("%s", mdText(m.coveragePhrase()))
	m.table("Account", "Region", "First", "Last", "Hours", "Events", "Reads", "Writes", "Data", "Network", "Insight")
	for _, s := range m.Strips {
		m.row(orNone(mdCode(s.AccountID)), orNone(mdCode(s.Region)), m.clock(s.First), m.clock(s.Last), number(s.Hours), number(s.Events),
			number(s.ManagementReads), number(s.ManagementWrites), number(s.Data), number(s.NetworkActivity), number(s.Insight))
	}
	if n := len(v.Scopes) - len(m.Strips); n > 0 {
		m.line("\nand %d more: `trailscan coverage` has all.", n)
	}
	m.line("")
	for _, line := range v.classLines(m.clock) {
		m.line("- %s", mdText(line))
	}
	for i, s := range v.Silences {
		if i == coverageShown {
			m.line("- and %d more silent stretches", len(v.Silences)-i)
			break
		}
		m.line("- silent: %s", mdText(s.text(m.clock)))
	}
}
