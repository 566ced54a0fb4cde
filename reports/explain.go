package reports

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"trailscan/lineage"
)

// How many subjects and ways an explanation shows without LineageOptions.Full.
const (
	explainSubjects = 10
	explainWays     = 5
)

// WriteExplanation tells how an id came into a lineage, as numbered steps for a
// terminal.
func WriteExplanation(w io.Writer, x *lineage.Explanation, l *lineage.Lineage, o LineageOptions) error {
	subjects, ways := explainSubjects, explainWays
	if o.Full {
		subjects, ways = math.MaxInt, math.MaxInt
	}
	d := &drawing{zone: o.Zone, columns: max(cmp.Or(o.Columns, 100), 60)}
	if n := len(x.Subjects); n > 1 {
		d.write("", "  ", []string{fmt.Sprintf("%s stands for %s", Terminal(clip(x.ID, 240)), plural(int64(n), "credential or principal", "credentials and principals"))}, "")
		d.b.WriteString("\n")
	}
	for i := range x.Subjects {
		if i == subjects {
			fmt.Fprintf(&d.b, "%s not shown: --full shows all\n", plural(int64(len(x.Subjects)-i), "more is", "more are"))
			break
		}
		if i > 0 {
			d.b.WriteString("\n")
		}
		d.subject(&x.Subjects[i], l, ways)
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

func (d *drawing) subject(s *lineage.Subject, l *lineage.Lineage, ways int) {
	var n *node
	if s.Credential != nil {
		n = credentialNode(*s.Credential, l.AsOf)
		head := []string{Terminal(clip(n.Label, 240)), Terminal(n.Kind), d.state(n), "(" + Terminal(orNone(n.Certainty)) + ")"}
		d.write("", "  ", head, "  ")
		ended := n.Live
		n.Live = false // what ends it stands at the end
		d.write("  ", "  ", d.facts(n), " · ")
		n.Live = ended
	} else {
		d.write("", "  ", []string{Terminal(clip(s.ID, 240))}, "")
	}
	for _, p := range s.Principals {
		text := Terminal(words(p.Kind) + " " + words(string(p.How)))
		if s.Credential != nil {
			text = "acts as " + Terminal(clip(shortARN(p.ARN), 120)) + ", which is in the lineage: " + Terminal(words(string(p.How)))
		}
		d.write("  ", "    ", []string{text + " " + clock(p.Time, d.zone), "(" + string(p.Certainty) + ")", Terminal(clip(p.Why, 240))}, " · ")
	}
	if len(s.Ways) == 0 {
		d.write("  ", "  ", []string{"a root: the trace was asked for it; compromised since " + orNone(clock(l.CompromisedSince, d.zone)),
			"(" + Terminal(orNone(l.CompromisedSinceWhy)) + ")"}, " ")
	}
	for i := range s.Ways {
		if i == ways {
			fmt.Fprintf(&d.b, "\n  %s not shown: --full shows all\n", plural(int64(len(s.Ways)-i), "more way is", "more ways are"))
			break
		}
		if len(s.Ways) > 1 {
			fmt.Fprintf(&d.b, "\n  Way %d of %s (%s)\n", i+1, number(int64(len(s.Ways))), Terminal(string(s.Ways[i].Certainty)))
		} else {
			d.b.WriteString("\n")
		}
		for _, step := range s.Ways[i].Steps {
			d.step(step)
		}
	}
	if n == nil {
		return
	}
	switch {
	case !n.EndedAt.IsZero():
		d.write("\n  ", "    ", []string{"It ended " + clock(n.EndedAt, d.zone) + " by " + Terminal(n.EndedVia) + ": " + Terminal(clip(n.EndedWhy, 240)),
			"event " + Terminal(s.Credential.EndedEventID)}, " · ")
	case n.Live:
		d.write("\n  ", "    ", []string{"To end it: " + Terminal(clip(n.EndedBy, 400))}, "")
	case !n.Expires.IsZero() && !n.Expires.After(l.AsOf):
		d.write("\n  ", "    ", []string{"It expired " + clock(n.Expires, d.zone)}, "")
	}
}

// step writes one event of a way.
func (d *drawing) step(s lineage.Step) {
	d.write(fmt.Sprintf("  %2d. ", s.Number), "      ", []string{clock(s.Time, d.zone) + "  " + Terminal(orNone(s.Via)),
		Terminal(clip(shortARN(s.From), 120)) + " → " + Terminal(clip(shortARN(s.To), 120)), "(" + Terminal(string(s.Certainty)) + ")"}, "  ")
	fact := func(name, value string) {
		if value != "" {
			d.write(fmt.Sprintf("      %-6s ", name), "             ", []string{Terminal(clip(value, 400))}, "")
		}
	}
	by := shortARN(s.PrincipalARN)
	if s.AccessKeyID != "" {
		by = strings.TrimSpace(by + " with " + s.AccessKeyID)
	}
	where := s.SourceIP
	if s.AccountID+s.Region != "" {
		where = strings.TrimSpace(where + " in " + strings.Trim(s.AccountID+" "+s.Region, " "))
	}
	fact("event", s.EventID)
	fact("by", by)
	fact("from", where)
	fact("agent", s.UserAgent)
	fact("why", s.Why)
}
