package reports

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/ingest"
	"trailscan/query"
	"trailscan/rules"
)

// The summary fits one screen: at most 24 lines of 80 to 100 columns. What
// matters on an incident call comes first and is wrapped, never cut; findings
// and actions take the lines that are left, and their numbers stand above them.
const (
	summaryLines    = 24
	summaryNarrow   = 80
	summaryWide     = 100
	summaryAlive    = 2
	summaryFindings = 4
	summaryActions  = 6
)

// Summary writes what everybody must know first, and where in dir the rest is,
// for a terminal of so many columns.
func Summary(w io.Writer, inc *Incident, dir string, zone *time.Location, columns int) error {
	b := newBrief(inc, summaryFindings, summaryActions)
	s := newScreen(columns)
	t := inc.Totals
	s.flow("Loaded", fmt.Sprintf("%s from %s (%s), %s in %s, %s to %s %s%s", plural(t.Events, "event"), plural(int64(t.Sources), "source"),
		size(t.Bytes), plural(int64(len(inc.Accounts)), "account"), plural(int64(len(inc.Regions)), "region"),
		orNone(clock(t.FirstEvent, zone)), orNone(clock(t.LastEvent, zone)), zone, damage(t)), 3)
	if b.Traced {
		s.lineage(b, zone)
	} else {
		s.flow("Key", "none was traced", 1)
	}

	end := newScreen(columns)
	end.severeGaps(inc.Gaps)
	end.flow("Report", filepath.Join(dir, "report.html"), 2)

	head := phrase(b.Severity)
	if b.Traced && head != "" {
		head += fmt.Sprintf("; %d of the lineage", b.Mine)
	}
	s.flow("Findings", orNone(head), 1)
	left := summaryLines - s.lines - end.lines
	var findings, actions []string
	for _, f := range b.Worst {
		findings = append(findings, findingLine(f, s.room))
	}
	if inc.Plan == nil {
		s.items(findings, hang, left)
	} else {
		for i, a := range b.First {
			actions = append(actions, fmt.Sprintf("%d. [%s] %s", i+1, a.Mode, shortenARNs(a.Title)))
		}
		s.items(findings, hang, max(3, left-1-summaryActions))
		s.flow("First", fmt.Sprintf("%s in the plan; nothing has been carried out", plural(int64(b.Actions), "action")), 1)
		s.items(actions, "   ", summaryLines-s.lines-end.lines)
	}
	_, err := io.WriteString(w, s.String()+end.String())
	return err
}

// hang sets what is wrapped of a finding under its title.
var hang = strings.Repeat(" ", 10)

// findingLine names a finding, and what it is about where that has room.
func findingLine(f rules.Finding, room int) string {
	line := fmt.Sprintf("%-8s  %s", f.Severity, f.Title)
	if f.Outcome != rules.Success {
		line += " (" + string(f.Outcome) + ")"
	}
	if len(f.Resources) == 0 {
		return line
	}
	about := line + ": " + some(append([]string{shortenARNs(f.Resources[0])}, f.Resources[1:]...), 1)
	if len(wrap(Terminal(about), room, 2)) > len(wrap(line, room, 2)) {
		return line
	}
	return about
}

// screen is text of labelled rows that are wrapped at a width.
type screen struct {
	strings.Builder
	room  int // columns beside the labels
	lines int
}

// labelWidth is how many columns the labels take.
const labelWidth = 11

func newScreen(columns int) *screen {
	return &screen{room: min(max(columns, summaryNarrow), summaryWide) - labelWidth}
}

// flow writes text beside a label, on most lines at most.
func (s *screen) flow(label, text string, most int) {
	for _, line := range wrap(Terminal(text), s.room, most) {
		s.WriteString(strings.TrimRight(pad(label, labelWidth)+line, " ") + "\n")
		s.lines++
		label = ""
	}
}

// items writes as many texts as go on so many lines, each on one or two, of
// which the second begins with indent.
func (s *screen) items(texts []string, indent string, lines int) {
	for _, text := range texts {
		text = Terminal(text)
		parts := wrap(text, s.room, 2)
		if len(parts) == 2 {
			parts[1] = clip(indent+parts[1], s.room)
		}
		if lines -= len(parts); lines < 0 {
			return
		}
		for _, part := range parts {
			s.flow("", part, 1)
		}
	}
}

// wrap breaks text between words into lines of at most width runes. What does
// not go on the last line is cut.
func wrap(text string, width, most int) []string {
	var lines []string
	rest := []rune(text)
	for len(rest) > width && len(lines) < most-1 {
		end := width
		for i := width; i > 0; i-- {
			if rest[i] == ' ' {
				end = i
				break
			}
		}
		lines = append(lines, string(rest[:end]))
		rest = []rune(strings.TrimLeft(string(rest[end:]), " "))
	}
	return append(lines, clip(string(rest), width))
}

var anyARN = regexp.MustCompile(`\barn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:(?:trail/)?`)

// shortenARNs leaves of the ARNs in a text what tells them apart within an account.
func shortenARNs(text string) string { return anyARN.ReplaceAllString(text, "") }

func (s *screen) lineage(b brief, zone *time.Location) {
	state := "not active at the end of the logs"
	if b.KeyAlive {
		state = "STILL ACTIVE"
	}
	s.flow(verbOnly(len(b.Keys), "Key", "Keys"), fmt.Sprintf("%s of %s, %s", some(b.Keys, 2), orNone(some(shortARNs(b.Owners), 2)), state), 2)
	if b.Misused.IsZero() {
		s.flow("Misused", "no use is seen that is not its owner's", 1)
	} else {
		s.flow("Misused", fmt.Sprintf("first %s, last %s, %s from %s", clock(b.Misused, zone), clock(b.LastSeen, zone),
			plural(b.Events, "event"), orNone(some(b.Addresses, 3))), 2)
	}
	if strings.HasPrefix(b.MisusedWhy, "inferred") {
		why, _, _ := strings.Cut(b.MisusedWhy, ", which begins ")
		s.flow("", why, 3)
	}
	line := fmt.Sprintf("%s, %s alive at %s", plural(int64(b.Descend), "credential"), number(int64(len(b.Alive))), orNone(clock(b.AsOf, zone)))
	if b.Outlive > 0 {
		line += fmt.Sprintf("; %s %s the key", number(int64(b.Outlive)), verbOnly(b.Outlive, "outlives", "outlive"))
	}
	s.flow("Descend", line, 1)
	for _, c := range b.Alive[:min(len(b.Alive), summaryAlive)] {
		what, until := c.ID+" "+words(string(c.Kind))+" of ", ""
		if c.ExpiresAt != nil {
			until = ", until " + clock(*c.ExpiresAt, zone)
		}
		who := strings.TrimPrefix(shortARN(c.PrincipalARN), "assumed-role/")
		s.flow("", what+clip(who, max(s.room-utf8.RuneCountInString(what+until), 8))+until, 1)
	}
	if len(b.Principals) > 0 {
		s.flow("", principalsPhrase(b.Principals), 2)
	}
}

// severeGaps names as many severe gaps of the logs as go on two lines.
func (s *screen) severeGaps(gaps []Gap) {
	var titles []string
	for _, g := range gaps {
		if g.Severity >= rules.High {
			titles = append(titles, strings.ToLower(g.Title[:1])+g.Title[1:])
		}
	}
	if len(titles) == 0 {
		return
	}
	n := len(titles)
	text := strings.Join(titles, "; ")
	for n > 1 && len(wrap(text, s.room, n+2)) > 2 {
		n--
		text = fmt.Sprintf("%s; and %d more", strings.Join(titles[:n], "; "), len(titles)-n)
	}
	s.flow("Unseen", text, 2)
}

// damage tells of what of the sources is missing.
func damage(t Totals) string {
	var parts []string
	if n := t.Damaged + t.Unreadable; n > 0 {
		parts = append(parts, plural(int64(n), "source")+" not read in full")
	}
	if t.Rejected > 0 {
		parts = append(parts, plural(t.Rejected, "record")+" rejected")
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

func shortARNs(arns []string) []string {
	out := make([]string, len(arns))
	for i, a := range arns {
		out[i] = shortARN(a)
	}
	return out
}

// IngestSummary writes what a load brought into the case.
func IngestSummary(w io.Writer, in *ingest.Summary) error {
	s := newScreen(summaryWide)
	s.flow("Loaded", fmt.Sprintf("%s from %s (%s)", plural(in.Records-in.Duplicates, "event"), plural(int64(in.Sources), "source"), size(in.Bytes)), 1)
	if !in.First.IsZero() {
		s.flow("", stamp(in.First)+" to "+stamp(in.Last), 1)
	}
	// None where all are copies of events from other sources.
	if n := len(in.Accounts); n > 0 {
		s.flow("", fmt.Sprintf("%s: %s", plural(int64(n), "account"), some(in.Accounts, 4)), 1)
	}
	if n := len(in.Regions); n > 0 {
		s.flow("", fmt.Sprintf("%s: %s", plural(int64(n), "region"), some(in.Regions, 4)), 1)
	}
	for _, row := range []struct {
		label, text string
		n           int64
	}{
		{"Skipped", "in the case already", int64(in.AlreadyLoaded)},
		{"", "duplicates of events in the case", in.Duplicates},
		{"", "places that were not read: named above", int64(len(in.Skipped))},
		{"", "files that are no CloudTrail logs", int64(len(in.Foreign))},
		{"Rejected", "records or parts that could not be read: see the table rejects", in.Rejected},
		{"", "sources with unreadable parts", int64(len(in.Damaged))},
		{"", "sources that gave no record", int64(len(in.Unreadable))},
		{"Conflicts", "records that share their id with a different event", in.Conflicts},
	} {
		if row.n > 0 {
			s.flow(row.label, number(row.n)+" "+row.text, 1)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// Exported writes the summary of an export into dir.
func Exported(w io.Writer, x query.Exported, dir string) error {
	_, err := fmt.Fprintf(w, "Exported   %s in %s (%s) to %s\n", plural(x.Events, "event"), plural(x.Files, "file"), size(x.Bytes), Terminal(dir))
	return err
}
