package reports

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
	"trailscan/remediate"
	"trailscan/rules"
)

// brief is what everybody on an incident call must know first. The summary on
// the terminal, the HTML and the Markdown report open with it.
type brief struct {
	Keys       []string
	Owners     []string // ARNs of the principals that the keys belong to
	Accounts   []string // where the lineage acted
	Traced     bool
	Misused    time.Time // first event of another than the owner; zero when none
	MisusedWhy string
	LastSeen   time.Time // last such event
	AsOf       time.Time
	Events     int64 // of the intruder
	Addresses  []string
	Agents     []string

	Descend    int // credentials that descend from the keys
	Alive      []lineage.Credential
	Outlive    int // of Alive, those that disabling the key does not end
	Principals []principals
	KeyAlive   bool

	Worst    []rules.Finding // the lineage's first, then by severity
	Severity []counted       // findings of each severity, worst first
	Mine     int             // findings of the lineage
	First    []remediate.Action
	Actions  int
}

// principals counts what happened to the principals of a kind.
type principals struct {
	Kind string
	How  []counted
}

// counted is a number of things of a name.
type counted struct {
	Name  string
	Count int
}

func newBrief(inc *Incident, worst, first int) brief {
	b := brief{}
	if l := inc.Lineage; l != nil {
		b.lineage(l)
		b.Events = inc.Timeline.Events
		for _, s := range inc.Accounts {
			if s.Lineage > 0 {
				b.Accounts = append(b.Accounts, s.Name)
			}
		}
	}
	b.findings(inc.Findings, worst)
	if inc.Plan != nil {
		b.Actions = len(inc.Plan.Actions)
		b.First = firstActions(inc.Plan.Actions, first)
	}
	return b
}

func (b *brief) lineage(l *lineage.Lineage) {
	b.Traced = true
	b.Keys, b.AsOf = l.Keys, l.AsOf
	seen := map[string]bool{}
	add := func(list *[]string, values []string) {
		for _, v := range values {
			if v != "" && !seen[v] {
				seen[v] = true
				*list = append(*list, v)
			}
		}
	}
	for _, c := range l.Credentials {
		if c.Parent == nil {
			add(&b.Owners, []string{c.PrincipalARN})
			b.KeyAlive = b.KeyAlive || c.LiveAtEnd
		} else {
			b.Descend++
			if c.LiveAtEnd {
				b.Alive = append(b.Alive, c)
				b.Outlive += btoi(c.SurvivesKeyDisable)
			}
		}
		for _, u := range c.Uses {
			if u.Actor == lineage.Owner {
				continue
			}
			add(&b.Addresses, slices.DeleteFunc(slices.Clone(u.SourceIPs), ofAWS))
			add(&b.Agents, u.UserAgents)
			b.Misused = earlier(b.Misused, u.First)
			if u.Last.After(b.LastSeen) {
				b.LastSeen = u.Last
			}
		}
	}
	b.MisusedWhy = l.CompromisedSinceWhy
	slices.SortStableFunc(b.Alive, func(x, y lineage.Credential) int {
		return cmp.Or(cmp.Compare(btoi(y.SurvivesKeyDisable), btoi(x.SurvivesKeyDisable)),
			deref(y.ExpiresAt).Compare(deref(x.ExpiresAt)))
	})
	type made struct{ arn, how string }
	counted := map[made]bool{}
	for _, p := range l.Principals {
		if k := (made{p.ARN, string(p.How)}); !counted[k] {
			counted[k] = true
			b.Principals = countPrincipal(b.Principals, words(p.Kind), words(string(p.How)))
		}
	}
}

func (b *brief) findings(findings []rules.Finding, worst int) {
	bySeverity := map[rules.Severity]int{}
	for _, f := range findings {
		bySeverity[f.Severity]++
		b.Mine += btoi(f.InLineage)
	}
	for s := rules.Critical; s >= rules.Info; s-- {
		if n := bySeverity[s]; n > 0 {
			b.Severity = append(b.Severity, counted{s.String(), n})
		}
	}
	// One finding a rule: many like the worst would hide the second worst.
	seen := map[string]bool{}
	for _, f := range sortFindings(findings) {
		if !seen[f.Rule] && len(b.Worst) < worst {
			seen[f.Rule] = true
			b.Worst = append(b.Worst, f)
		}
	}
}

// ofAWS tells source addresses that are services of AWS calling on behalf of a
// caller.
func ofAWS(address string) bool {
	return address == "AWS Internal" || strings.HasSuffix(address, ".amazonaws.com")
}

// sortFindings puts findings in the order in which a responder reads them: what
// the lineage did first, the worst first, what succeeded before what did not.
func sortFindings(findings []rules.Finding) []rules.Finding {
	rank := map[rules.Outcome]int{rules.Success: 0, rules.Denied: 1, rules.Failed: 2}
	out := slices.Clone(findings)
	slices.SortStableFunc(out, func(x, y rules.Finding) int {
		return cmp.Or(
			cmp.Compare(btoi(y.InLineage), btoi(x.InLineage)),
			cmp.Compare(y.Severity, x.Severity),
			cmp.Compare(rank[x.Outcome], rank[y.Outcome]),
			x.FirstSeen.Compare(y.FirstSeen),
			cmp.Compare(x.ID, y.ID))
	})
	return out
}

// firstActions are the first n of a plan in its order, with at most one of the
// phase preserve where what stops the intruder follows.
func firstActions(actions []remediate.Action, n int) []remediate.Action {
	var out, held []remediate.Action
	preserved := 0
	for _, a := range actions {
		if a.Phase == remediate.Preserve {
			if preserved++; preserved > 1 {
				held = append(held, a)
				continue
			}
		}
		if len(out) < n {
			out = append(out, a)
		}
	}
	return append(out, held[:min(len(held), n-len(out))]...)
}

func count(list []counted, name string) []counted {
	for i := range list {
		if list[i].Name == name {
			list[i].Count++
			return list
		}
	}
	return append(list, counted{name, 1})
}

func countPrincipal(list []principals, kind, how string) []principals {
	for i := range list {
		if list[i].Kind == kind {
			list[i].How = count(list[i].How, how)
			return list
		}
	}
	return append(list, principals{kind, []counted{{how, 1}}})
}

// principalsPhrase lists what happened to principals: "users: 1 created, 2
// credential added; roles: 2 assumed".
func principalsPhrase(list []principals) string {
	parts := make([]string, len(list))
	for i, p := range list {
		kind := p.Kind + "s"
		if stem, ok := strings.CutSuffix(p.Kind, "y"); ok {
			kind = stem + "ies" // policies; no kind ends in a vowel and y
		}
		parts[i] = kind + ": " + phrase(p.How)
	}
	return strings.Join(parts, "; ")
}

// phrase lists counts: "2 critical, 1 high".
func phrase(list []counted) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = number(int64(c.Count)) + " " + c.Name
	}
	return strings.Join(parts, ", ")
}
