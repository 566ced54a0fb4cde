package reports

import (
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"trailscan/remediate"
)

// scriptHead is the part of a script that is the same for every plan.
//
//go:embed script.sh
var scriptHead string

// PlanScript writes a plan as a POSIX shell script of aws commands. Text from the
// plan stands in single quotes and nowhere else, comments included; times are in
// zone.
func PlanScript(w io.Writer, p *remediate.Plan, zone *time.Location) error {
	s := &script{plan: p, zone: zone}
	s.head()
	for i := range p.Actions {
		s.action(i+1, &p.Actions[i])
	}
	s.line("")
	s.line("finish")
	if _, err := io.WriteString(w, s.out.String()); err != nil {
		return fmt.Errorf("write the plan's script: %w", err)
	}
	return nil
}

type script struct {
	plan *remediate.Plan
	zone *time.Location
	out  strings.Builder
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// word is text for a reader as one word of the shell.
func word(text string) string { return quoted(Terminal(text)) }

// quoted is text in single quotes, also where it would need none.
func quoted(text string) string {
	if q := remediate.ShellQuote(text); strings.HasPrefix(q, "'") || strings.Contains(q, `\'`) {
		return q
	}
	return "'" + text + "'"
}

var (
	accountForm = regexp.MustCompile(`^\d{12}$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	readForm    = regexp.MustCompile(`^(Get|List|Describe)`)
)

// runs says that the script can make the calls of an action.
func runs(a *remediate.Action) bool {
	return a.Mode != remediate.Manual && a.Service != "" && accountForm.MatchString(a.AccountID) && idForm.MatchString(a.ID) && a.LoopsInShell()
}

func (s *script) head() {
	var accounts []string
	for i := range s.plan.Actions {
		if a := &s.plan.Actions[i]; runs(a) && !slices.Contains(accounts, a.AccountID) {
			accounts = append(accounts, a.AccountID)
		}
	}
	slices.Sort(accounts)
	s.out.WriteString(strings.TrimRight(scriptHead, "\n") + "\n\n")
	s.line("plan=%s", quoted(strings.Map(hexOnly, s.plan.Digest)))
	s.line("note 'Plan for the keys' %s", word(strings.Join(s.plan.Keys, " ")))
	s.line("note 'Knows of events through' %s", word(clock(s.plan.LogThrough, s.zone)))
	s.line(`chosen=$*`)
	for i := range s.plan.Actions {
		if a := &s.plan.Actions[i]; a.Deadline != nil {
			s.line("note 'BEFORE' %s %s", word(clock(*a.Deadline, s.zone)), word(a.Title))
		}
	}
	s.line("\n# Whoever runs this must hold none of what the intruder holds.")
	s.line("in_lineage() {\n\tcase $1 in")
	for _, id := range lineageNames(s.plan.Lineage) {
		s.line("\t%s | %s[:/]*) return 0 ;;", word(id), word(id))
	}
	s.line("\tesac\n\treturn 1\n}")
	for _, account := range accounts {
		s.line("\naws_%s() {\n\taws ${PROFILE_%s:+--profile \"$PROFILE_%s\"} \"$@\"\n}", account, account, account)
	}
	s.line("")
	for _, account := range accounts {
		s.line("check_account %s aws_%s", account, account)
	}
	s.line("check_any")
}

// lineageNames are the ARNs and ids of a lineage, without the sessions and paths
// of those that stand there too.
func lineageNames(l remediate.PlanLineage) []string {
	names := slices.Clone(l.ARNs)
	for _, id := range l.PrincipalIDs {
		base, _, _ := strings.Cut(id, ":") // the session of a role
		names = append(names, base)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	slices.Sort(names)
	var out []string
	for _, n := range names {
		if !slices.ContainsFunc(out, func(o string) bool {
			return n == o || strings.HasPrefix(n, o+":") || strings.HasPrefix(n, o+"/")
		}) {
			out = append(out, n)
		}
	}
	return out
}

func hexOnly(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
		return r
	}
	return -1
}

func (s *script) action(n int, a *remediate.Action) {
	s.line("\n# %d: %s, %s", n, phaseWord(a.Phase), modeWord(a.Mode))
	if !runs(a) {
		why := a.Reason
		if a.Mode != remediate.Manual {
			why += " No script can make this call safely: use trailscan plan --apply --only, or do it by hand."
		}
		s.line("by_hand %s %s %s %s", word(a.ID), word(a.Title), word(why), word(a.CLI))
		return
	}
	words := []string{"take", a.AccountID, quoted(a.ID), modeWord(a.Mode), word(a.Title)}
	for _, d := range a.DependsOn {
		words = append(words, word(d))
	}
	s.line("if %s; then", strings.Join(words, " "))
	if a.Mentions(remediate.Now) {
		s.line("\tnow=$(date -u +%%Y-%%m-%%dT%%H:%%M:%%SZ)")
	}
	if a.Mentions(remediate.Password) {
		s.line("\tnew_password")
	}
	s.calls(a)
	s.line("fi")
}

// calls are the checks before, the call and the checks after it.
func (s *script) calls(a *remediate.Action) {
	aws := "aws_" + a.AccountID
	checks := func(function string, list []remediate.Check) []string {
		var out []string
		for _, c := range list {
			kind := "present"
			if c.Absent {
				kind = "absent"
			}
			out = append(out, strings.Join([]string{function, kind, aws, c.ScriptWords(a.Region)}, " "))
		}
		return out
	}
	if len(a.Expect) > 0 {
		s.line("\tif ! { %s; }; then", strings.Join(checks("holds", a.Expect), " && "))
		if after := checks("holds", a.Verify); len(after) > 0 {
			s.line("\t\tif %s; then\n\t\t\tdone_before\n\t\telse\n\t\t\tdrifted\n\t\tfi", strings.Join(after, " && "))
		} else {
			s.line("\t\tdrifted")
		}
		s.line("\telif %s; then", s.attempt(a, aws))
	} else {
		s.line("\tif %s; then", s.attempt(a, aws))
	}
	if after := checks("settles", a.Verify); len(after) > 0 {
		s.line("\t\tif %s; then\n\t\t\tverified\n\t\telse\n\t\t\tunverified\n\t\tfi", strings.Join(after, " && "))
	} else {
		s.line("\t\tunchecked")
	}
	for _, f := range a.Fallbacks {
		s.line("\telif limited && attempt %s %s; then\n\t\tunchecked", aws, f.ScriptWords(a.Region))
	}
	s.line("\telse\n\t\tfailed\n\tfi")
}

// attempt is the call as a condition.
func (s *script) attempt(a *remediate.Action, aws string) string {
	call := remediate.Call{Service: a.Service, Operation: a.Operation, Parameters: a.Parameters}.ScriptWords(a.Region)
	switch {
	case a.ForEach != nil:
		// The shell expands $items here once and reads it as text.
		return fmt.Sprintf("list %s %s && {\n\t\tall=yes\n\t\twhile IFS= read -r item; do\n\t\t\tnamed || continue\n\t\t\tattempt %s %s </dev/null || all=no\n\t\tdone <<ITEMS\n$items\nITEMS\n\t\t[ \"$all\" = yes ]\n\t}",
			aws, a.ForEach.ScriptWords(a.Region), aws, call)
	case readForm.MatchString(a.Operation):
		return fmt.Sprintf("keep %s %s", aws, call)
	}
	return fmt.Sprintf("attempt %s %s", aws, call)
}

// phaseWord and modeWord let nothing but the words that a plan knows into a
// comment, whatever a plan's file says.
func phaseWord(p remediate.Phase) string {
	for _, known := range phaseMeanings {
		if p == known.Name {
			return string(p)
		}
	}
	return "unknown phase"
}

func modeWord(m remediate.Mode) string {
	if m == remediate.Auto || m == remediate.Review {
		return string(m)
	}
	return string(remediate.Manual)
}
