package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trailscan/remediate"
)

// WriteProof writes what a plan would have blocked: json is the whole proof,
// ndjson and csv have a record for each group of the intruder's calls, table is
// for people, with times in zone.
func WriteProof(w io.Writer, format string, p *remediate.Proof, zone *time.Location) error {
	switch format {
	case "json":
		return JSON(w, p)
	case "table":
		return proofTable(w, p, zone)
	}
	type group = remediate.ReplayGroup
	return encodeAll(w, format, sheet[group]{csv: []column[group]{
		{"verdict", 0, func(g group) string { return string(g.Verdict) }},
		{"reason", 0, func(g group) string { return string(g.Reason) }},
		{"action", 0, func(g group) string { return g.Action }},
		{"mode", 0, func(g group) string { return string(g.Mode) }},
		{"principal_arn", 0, func(g group) string { return g.PrincipalARN }},
		{"events", 0, func(g group) string { return fmt.Sprint(g.Events) }},
		{"succeeded", 0, func(g group) string { return fmt.Sprint(g.Succeeded) }},
		{"first", 0, func(g group) string { return stamp(g.First) }},
		{"last", 0, func(g group) string { return stamp(g.Last) }},
		{"calls", 0, func(g group) string { return callList(g.Calls, len(g.Calls)) }},
		{"event_ids", 0, func(g group) string { return strings.Join(g.EventIDs, " ") }},
		{"why", 0, func(g group) string { return g.Why }},
	}}, p.Intruder.Groups)
}

// callList names the most frequent calls.
func callList(calls []remediate.CallCount, most int) string {
	var parts []string
	for i, c := range calls {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %s", plural(int64(len(calls)-most), "other API")))
			break
		}
		text := c.Call
		if c.Count > 1 {
			text += " ×" + number(c.Count)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// The words of a proof's table.
var (
	verdictTitles = []struct {
		verdict remediate.Verdict
		title   string
	}{
		{remediate.WouldNotBlock, "NOT BLOCKED"},
		{remediate.WouldBlockIfDone, "BLOCKED ONLY WHEN A PERSON ACTS"},
		{remediate.WouldBlock, "BLOCKED"},
	}
	effectWords = map[remediate.Effect]string{remediate.Stops: "stops", remediate.MustRenew: "must sign in or be started anew"}
)

const idsShown = 3

func proofTable(w io.Writer, p *remediate.Proof, zone *time.Location) error {
	b := &strings.Builder{}
	in := p.Intruder
	fmt.Fprintf(b, "As if the plan's denials had stood since %s (%s).\n", clock(p.At, zone), Terminal(p.AtWhy))
	if !p.Sealed {
		b.WriteString("The plan was changed after it was made: this proves it as it is, and --apply refuses it.\n")
	}
	fmt.Fprintf(b, "\nINTRUDER  %s since then, %s succeeded: %s blocked, %s only when a person acts, %s not\n", plural(in.Events, "call"),
		number(in.Succeeded), number(in.Blocked), number(in.BlockedIfDone), number(in.NotBlocked))
	for _, v := range verdictTitles {
		shown := false
		for _, g := range in.Groups {
			if g.Verdict != v.verdict {
				continue
			}
			if !shown {
				fmt.Fprintf(b, "\n  %s\n", v.title)
				shown = true
			}
			proofGroup(b, g, zone)
		}
	}
	proofOthers(b, p, zone)
	proofSteps(b, p, zone)
	_, err := io.WriteString(w, b.String())
	return err
}

func proofGroup(b *strings.Builder, g remediate.ReplayGroup, zone *time.Location) {
	fmt.Fprintf(b, "  %7s  %s: %s\n", number(g.Events), Terminal(g.PrincipalARN), Terminal(g.Why))
	if g.Action != "" {
		fmt.Fprintf(b, "           action %s [%s]\n", Terminal(g.Action), Terminal(string(g.Mode)))
	}
	fmt.Fprintf(b, "           %s\n           %s to %s; events %s", Terminal(callList(g.Calls, 6)), clock(g.First, zone), clock(g.Last, zone),
		Terminal(strings.Join(g.EventIDs[:min(len(g.EventIDs), idsShown)], " ")))
	if g.Events > idsShown {
		b.WriteString(" …")
	}
	b.WriteString("\n")
}

func proofOthers(b *strings.Builder, p *remediate.Proof, zone *time.Location) {
	o := p.Others
	fmt.Fprintf(b, "\nOTHERS  the same actions from %s to %s: %s would stop, %s would fail until a session is renewed; %s more by what waits for a person\n",
		clock(o.Since, zone), clock(o.Until, zone), plural(o.Stops, "call"), number(o.MustRenew), number(o.IfDone))
	for _, g := range o.Groups {
		who := g.PrincipalARN
		if g.AccessKeyID != "" {
			who += " by " + g.AccessKeyID
		}
		fmt.Fprintf(b, "  %7s  %s: %s (%s [%s])\n", number(g.Events), Terminal(who), effectWords[g.Effect], Terminal(g.Action), Terminal(string(g.Mode)))
		fmt.Fprintf(b, "           %s\n           last %s, from %s; %s of them since the denials stand\n", Terminal(callList(g.Calls, 6)), clock(g.Last, zone),
			Terminal(some(g.SourceIPs, 3)), number(g.EventsAfter))
	}
}

func proofSteps(b *strings.Builder, p *remediate.Proof, zone *time.Location) {
	fmt.Fprintf(b, "\nSTEP BY STEP  credentials of the lineage that lived at %s\n", clock(p.LogThrough, zone))
	for _, s := range p.Steps {
		fmt.Fprintf(b, "  %-8s %-6s  %s\n", s.Phase, s.Mode, Terminal(s.Title))
		if len(s.Ends) > 0 {
			verb := "ends"
			if s.Mode != remediate.Auto {
				verb = "would end"
			}
			fmt.Fprintf(b, "                   %s %s\n", verb, Terminal(strings.Join(s.Ends, ", ")))
		}
		if len(s.GivesBack) > 0 {
			fmt.Fprintf(b, "                   gives back %s, unless expired by then\n", Terminal(strings.Join(s.GivesBack, ", ")))
		}
		fmt.Fprintf(b, "                   %d left, %d when the reviewed actions so far are done, too\n", s.Live, s.LiveIfDone)
	}
	last := ""
	for _, s := range p.Phases {
		fmt.Fprintf(b, "\nAFTER %s  (automatic actions alone)  %s, %s\n", strings.ToUpper(Terminal(string(s.Phase))), plural(int64(len(s.Live)), "credential lives", "credentials live"),
			plural(int64(len(s.WaysBack)), "way back", "ways back"))
		text := stageText(s, zone)
		if text == last && text != "" {
			b.WriteString("  the same as before\n")
		} else {
			b.WriteString(text)
		}
		last = text
	}
}

// stageText says what is left after a phase.
func stageText(s remediate.Stage, zone *time.Location) string {
	b := &strings.Builder{}
	for _, c := range s.Live {
		until := "until somebody ends it"
		if c.Until != nil {
			until = "until " + clock(*c.Until, zone)
		}
		limited := ""
		if c.Limited {
			limited = ", limited"
		}
		fmt.Fprintf(b, "  lives  %s (%s of %s) %s%s: %s; %s\n", Terminal(c.ID), words(string(c.Kind)), Terminal(c.PrincipalARN), until, limited, Terminal(c.Why), endsWith(c.EndsWith, "ends"))
	}
	for _, way := range s.WaysBack {
		fmt.Fprintf(b, "  back   %s: %s; %s\n", Terminal(way.What), Terminal(way.Why), endsWith(way.ClosedBy, "closed"))
	}
	return b.String()
}

// endsWith says which action of the plan ends something that is open.
func endsWith(a *remediate.PendingAction, verb string) string {
	switch {
	case a == nil:
		return "nothing in the plan ends that"
	case a.Mode == remediate.Manual:
		return verb + " when a person does " + Terminal(a.Action)
	case a.Mode == remediate.Review:
		return verb + " with --only " + Terminal(a.Action)
	}
	return verb + " with " + Terminal(a.Action) + " (" + Terminal(string(a.Phase)) + ")"
}
