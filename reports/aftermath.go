package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trailscan/remediate"
)

// WriteAftermath writes what came after a plan was carried out: json is the whole
// of it, ndjson and csv have a record for each credential that acted, table is
// for people, with times in zone.
func WriteAftermath(w io.Writer, format string, a *remediate.Aftermath, zone *time.Location) error {
	switch format {
	case "json":
		return JSON(w, a)
	case "table":
		return aftermathTable(w, a, zone)
	}
	type node = remediate.Node
	count := func(f func(node) int64) func(node) string { return func(n node) string { return fmt.Sprint(f(n)) } }
	return encodeAll(w, format, sheet[node]{csv: []column[node]{
		{"access_key_id", 0, func(n node) string { return n.AccessKeyID }},
		{"principal_id", 0, func(n node) string { return n.PrincipalID }},
		{"principal_arn", 0, func(n node) string { return n.PrincipalARN }},
		{"link", 0, func(n node) string { return string(n.Link) }},
		{"action", 0, func(n node) string { return n.Action }},
		{"succeeded", 0, count(func(n node) int64 { return n.Succeeded })},
		{"denied", 0, count(func(n node) int64 { return n.Denied })},
		{"failed", 0, count(func(n node) int64 { return n.Failed })},
		{"harmless", 0, count(func(n node) int64 { return n.Harmless })},
		{"first", 0, func(n node) string { return stamp(n.First) }},
		{"last", 0, func(n node) string { return stamp(n.Last) }},
		{"calls", 0, func(n node) string { return callList(n.Calls, len(n.Calls)) }},
		{"source_ips", 0, func(n node) string { return strings.Join(n.SourceIPs, " ") }},
		{"event_ids", 0, func(n node) string { return strings.Join(n.EventIDs, " ") }},
	}}, a.Nodes)
}

// linkWords say why a call counts, or does not.
var linkWords = map[remediate.Link]string{
	remediate.LinkCredential: "a credential of the lineage",
	remediate.LinkDescendant: "issued by one since",
	remediate.LinkTraced:     "of the lineage, as the trace of the later log says",
	remediate.LinkDenied:     "of a principal that may do nothing",
	remediate.LinkAddress:    "of a principal of the lineage, from the intruder's address",
	remediate.LinkPossible:   "of the same user or session name by another credential: does not count, look at it",
}

func aftermathTable(w io.Writer, a *remediate.Aftermath, zone *time.Location) error {
	b := &strings.Builder{}
	verdict := "CLEAN: nothing of the lineage acted, and every deny stands as it was put on"
	if !a.Clean {
		verdict = "NOT CLEAN: look at what follows, make a new plan and apply it"
	}
	fmt.Fprintf(b, "%s.\nFrom %s (%s) to %s: %s succeeded, %s denied, %s failed, %s of sts:GetCallerIdentity\n", verdict, clock(a.Since, zone), a.SinceWhy,
		clock(a.LogThrough, zone), plural(a.Succeeded, "call"), number(a.Denied), number(a.Failed), number(a.Harmless))
	if !a.Traced {
		b.WriteString("The case was not traced since: run `trailscan trace` so that what descends in other ways is seen, too.\n")
	}
	for _, n := range a.Nodes {
		fmt.Fprintf(b, "\n  %s  %s (%s)\n", Terminal(orNone(n.AccessKeyID)), Terminal(n.PrincipalARN), linkWords[n.Link])
		by := "no action of the plan is about it"
		if n.Action != "" {
			by = "contained at " + clock(*n.ContainedAt, zone) + " by " + Terminal(n.Action)
		}
		fmt.Fprintf(b, "    %s succeeded, %s denied, %s failed, %s harmless; %s\n", number(n.Succeeded), number(n.Denied), number(n.Failed), number(n.Harmless), by)
		if n.Settling > 0 {
			fmt.Fprintf(b, "    %s within two minutes of that: a policy takes time to bind\n", plural(n.Settling, "call"))
		}
		if len(n.Calls) > 0 {
			fmt.Fprintf(b, "    %s\n", Terminal(callList(n.Calls, 6)))
		}
		fmt.Fprintf(b, "    %s to %s from %s; events %s\n", clock(n.First, zone), clock(n.Last, zone), Terminal(some(n.SourceIPs, 3)),
			Terminal(strings.Join(n.EventIDs[:min(len(n.EventIDs), idsShown)], " ")))
	}
	for i, d := range a.Weakened {
		if i == 0 {
			b.WriteString("\nDENIES THAT WERE WEAKENED\n")
		}
		who := "somebody else"
		if d.InLineage {
			who = "the lineage"
		}
		fmt.Fprintf(b, "  %s  %s, by %s %s (%s), event %s, undoes %s\n", clock(d.Time, zone), Terminal(d.What), Terminal(d.By), Terminal(d.AccessKeyID), who,
			Terminal(d.EventID), Terminal(d.Action))
	}
	for i, m := range a.Minted {
		if i == 0 {
			b.WriteString("\nCREDENTIALS MADE SINCE\n")
		}
		who := "by somebody else, for a user that is denied"
		if m.InLineage {
			who = "by the lineage"
		}
		fmt.Fprintf(b, "  %s  %s %s by %s (%s), event %s\n", clock(m.Time, zone), Terminal(m.Call), Terminal(m.AccessKeyID), Terminal(m.By), who, Terminal(m.EventID))
	}
	for i, id := range a.NotDone {
		if i == 0 {
			b.WriteString("\nAUTOMATIC ACTIONS THAT THE JOURNAL DOES NOT SHOW AS STANDING\n")
		}
		fmt.Fprintf(b, "  %s\n", Terminal(id))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
