package reports

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/remediate"
)

// everyAction is a plan with the actions of another and one of every kind.
func everyAction(p *remediate.Plan) *remediate.Plan {
	all := *scriptPlan()
	deadline := p.LogThrough.Add(48 * time.Hour)
	all.Actions[3].Deadline = &deadline
	all.Actions = slices.Concat(p.Actions, all.Actions)
	return &all
}

func runbookOf(t *testing.T, p *remediate.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := PlanRunbook(&b, p, time.UTC); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRunbookSaysAllOfAnAction(t *testing.T) {
	p := scriptPlan()
	p.Actions[1].Reason, p.Actions[1].Risk, p.Actions[1].Evidence = "The lineage has its credentials.", "The owner can do nothing.", []string{"event-1", "event-2"}
	text := runbookOf(t, p)
	for _, want := range []string{
		"- [ ] **2. Deny everything to alice**",
		"auto · account `111122223333` `us-east-1` · `contain-deny`",
		"- **Why:** The lineage has its credentials. Events: `event-1`, `event-2`.",
		"- **Risk:** The owner can do nothing.",
		"- **Look first:** must say `AIDAALICE`:",
		"aws iam get-user --user-name alice --query User.UserId\n",
		"- [ ] **Verify:** must say",
		"aws iam delete-user-policy --policy-name deny --user-name alice\n",
		"- **Take back:** irreversible",
		"- **After:** step 2\n",
		"- If AWS refuses it for a limit:",
		"- [Contain](#contain): 1 action: 1 automatic\n",
		"[ ] **Verify:** must find nothing",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the runbook lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestRunbookPutsDeadlinesFirst(t *testing.T) {
	p := scriptPlan()
	early, late := p.LogThrough, p.LogThrough.Add(time.Hour)
	p.Actions[1].Deadline, p.Actions[3].Deadline = &late, &early
	text := runbookOf(t, p)
	first, second, phase := strings.Index(text, "**Before 2026-09-28 12:00:00:** step 4"), strings.Index(text, "**Before 2026-09-28 13:00:00:** step 2"), strings.Index(text, "## Preserve")
	if first < 0 || second < first || phase < second {
		t.Errorf("deadlines at %d and %d, phases from %d:\n%s", first, second, phase, text)
	}
}

var (
	codeSpan  = regexp.MustCompile("`[^`]*`")
	ownMarkup = regexp.MustCompile(`</?code>|\[[A-Z][a-z]+\]\(#[a-z]+\)|^\s*- \[ \] `)
	entity    = regexp.MustCompile(`&(#\d+|amp|lt|gt);`)
)

// FuzzRunbook looks for text that becomes markup: a line, a link, HTML or a
// fence of its own.
func FuzzRunbook(f *testing.F) {
	for _, text := range hostileShell {
		f.Add(text)
	}
	f.Add("```\n# h\n```")
	f.Add("|a|`b`|")
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		p, plain := hostilePlan(text), hostilePlan("x")
		p.Actions, plain.Actions = p.Actions[:len(p.Actions)-1], plain.Actions[:len(plain.Actions)-1] // its phase is unknown
		got := runbookOf(t, p)
		if n, want := strings.Count(got, "\n"), strings.Count(runbookOf(t, plain), "\n"); n != want {
			t.Fatalf("%q makes %d lines of %d", text, n, want)
		}
		fence := ""
		for _, line := range strings.Split(got, "\n") {
			trimmed := strings.TrimSpace(line)
			switch {
			case fence == "" && strings.HasPrefix(trimmed, "```"):
				fence = strings.TrimSuffix(trimmed, "sh")
				continue
			case fence != "" && trimmed == fence:
				fence = ""
				continue
			case fence != "":
				if strings.HasPrefix(trimmed, fence) {
					t.Fatalf("%q closes a fence: %q", text, line)
				}
				continue
			}
			rest := entity.ReplaceAllString(ownMarkup.ReplaceAllString(codeSpan.ReplaceAllString(line, ""), ""), "")
			rest = regexp.MustCompile(`\\.`).ReplaceAllString(rest, "")
			if strings.ContainsAny(rest, "<>`[]&") {
				t.Fatalf("%q becomes markup: %q in %q", text, rest, line)
			}
		}
		if fence != "" {
			t.Fatalf("%q leaves a fence open", text)
		}
	})
}
