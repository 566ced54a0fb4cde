package reports

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"trailscan/ingest"
	"trailscan/rules"
)

// The summary fits one screen: at most 24 lines of at most 100 columns. What
// matters on an incident call comes first; what is cut says how much it was.
const (
	summaryWidth    = 100
	summaryAlive    = 3
	summaryFindings = 4
	summaryActions  = 5
)

// Summary writes what everybody must know first, and where in dir the rest is.
func Summary(w io.Writer, inc *Incident, dir string, zone *time.Location) error {
	b := newBrief(inc, summaryFindings, summaryActions)
	s := &screen{}
	t := inc.Totals
	s.row("Loaded", fmt.Sprintf("%s from %s (%s), %s in %s", plural(t.Events, "event"), plural(int64(t.Sources), "source"),
		size(t.Bytes), plural(int64(len(inc.Accounts)), "account"), plural(int64(len(inc.Regions)), "region")))
	s.row("", fmt.Sprintf("%s to %s %s%s", orNone(clock(t.FirstEvent, zone)), orNone(clock(t.LastEvent, zone)), zone, damage(t)))
	if b.Traced {
		s.lineage(b, zone)
	} else {
		s.row("Key", "none was traced")
	}
	head := phrase(b.Severity)
	if b.Traced && head != "" {
		head += fmt.Sprintf("; %d of the lineage", b.Mine)
	}
	s.row("Findings", orNone(head))
	for _, f := range b.Worst {
		outcome := ""
		if f.Outcome != rules.Success {
			outcome = " (" + string(f.Outcome) + ")"
		}
		line := fmt.Sprintf("%-8s  %s%s", f.Severity, f.Title, outcome)
		if len(f.Resources) > 0 {
			line += ": " + some(f.Resources, 1)
		}
		s.row("", line)
	}
	if inc.Plan != nil {
		s.row("First", fmt.Sprintf("%s in the plan; nothing has been carried out", plural(int64(b.Actions), "action")))
		for i, a := range b.First {
			s.row("", fmt.Sprintf("%d. [%s] %s", i+1, a.Mode, a.Title))
		}
	}
	if g := worstGaps(inc.Gaps); g != "" {
		s.row("Unseen", g)
	}
	s.row("Report", filepath.Join(dir, "report.html"))
	_, err := io.WriteString(w, s.String())
	return err
}

// screen is text of labelled rows, each cut to one line.
type screen struct{ strings.Builder }

func (s *screen) row(label, text string) {
	line := Terminal(text)
	if room := summaryWidth - 11; utf8.RuneCountInString(line) > room {
		line = clip(line, room)
	}
	s.WriteString(strings.TrimRight(pad(label, 11)+line, " ") + "\n")
}

func (s *screen) lineage(b brief, zone *time.Location) {
	state := "not active at the end of the logs"
	if b.KeyAlive {
		state = "STILL ACTIVE"
	}
	s.row(verbOnly(len(b.Keys), "Key", "Keys"), fmt.Sprintf("%s of %s, %s", some(b.Keys, 2), orNone(some(shortARNs(b.Owners), 2)), state))
	if b.Misused.IsZero() {
		s.row("Misused", "no use is seen that is not its owner's")
	} else {
		s.row("Misused", fmt.Sprintf("first %s, last %s, %s from %s", clock(b.Misused, zone), clock(b.LastSeen, zone),
			plural(b.Events, "event"), orNone(some(b.Addresses, 2))))
	}
	if b.MisusedWhy != "" {
		s.row("", b.MisusedWhy)
	}
	line := fmt.Sprintf("%s, %d alive at %s", plural(int64(b.Descend), "credential"), len(b.Alive), orNone(clock(b.AsOf, zone)))
	if b.Outlive > 0 {
		line += fmt.Sprintf("; %d outlive the key", b.Outlive)
	}
	s.row("Descend", line)
	for i, c := range b.Alive {
		if i == summaryAlive-1 && len(b.Alive) > summaryAlive {
			s.row("", fmt.Sprintf("and %d more", len(b.Alive)-i))
			break
		}
		until := ""
		if c.ExpiresAt != nil {
			until = ", until " + clock(*c.ExpiresAt, zone)
		}
		s.row("", fmt.Sprintf("%s %s of %s%s", c.ID, words(string(c.Kind)), shortARN(c.PrincipalARN), until))
	}
	if len(b.Principals) > 0 {
		s.row("", principalsPhrase(b.Principals))
	}
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

// worstGaps names the severe gaps of the logs.
func worstGaps(gaps []Gap) string {
	var titles []string
	for _, g := range gaps {
		if g.Severity >= rules.High {
			titles = append(titles, strings.ToLower(g.Title[:1])+g.Title[1:])
		}
	}
	return some(titles, 2)
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
	s := &screen{}
	s.row("Loaded", fmt.Sprintf("%s from %s (%s)", plural(in.Records-in.Duplicates, "event"), plural(int64(in.Sources), "source"), size(in.Bytes)))
	if !in.First.IsZero() {
		s.row("", stamp(in.First)+" to "+stamp(in.Last))
	}
	// None where all are copies of events from other sources.
	if n := len(in.Accounts); n > 0 {
		s.row("", fmt.Sprintf("%s: %s", plural(int64(n), "account"), some(in.Accounts, 4)))
	}
	if n := len(in.Regions); n > 0 {
		s.row("", fmt.Sprintf("%s: %s", plural(int64(n), "region"), some(in.Regions, 4)))
	}
	for _, row := range []struct {
		label, text string
		n           int64
	}{
		{"Skipped", "in the case already", int64(in.AlreadyLoaded)},
		{"", "duplicates of events in the case", in.Duplicates},
		{"", "in folders that are no files", int64(len(in.Skipped))},
		{"", "files that are no CloudTrail logs", int64(len(in.Foreign))},
		{"Rejected", "records or parts that could not be read: see the table rejects", in.Rejected},
		{"", "sources with unreadable parts", int64(len(in.Damaged))},
		{"", "sources that gave no record", int64(len(in.Unreadable))},
		{"Conflicts", "records that share their id with a different event", in.Conflicts},
	} {
		if row.n > 0 {
			s.row(row.label, number(row.n)+" "+row.text)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}
