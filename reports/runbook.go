package reports

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"trailscan/remediate"
)

// PlanRunbook writes a plan as Markdown for people who carry it out by hand:
// check boxes, phase by phase, with times in zone.
func PlanRunbook(w io.Writer, p *remediate.Plan, zone *time.Location) error {
	r := &runbook{plan: p, zone: zone, step: map[string]int{}}
	for i, a := range p.Actions {
		r.step[a.ID] = i + 1
	}
	r.head()
	r.deadlines()
	phases := phases(p.Actions, len(p.Actions))
	r.contents(phases)
	n := 0
	for _, ph := range phases {
		r.line("\n## %s\n\n%s", title(string(ph.Name)), ph.Means)
		for i := range ph.Actions {
			n++
			r.action(n, &ph.Actions[i])
		}
	}
	if _, err := io.WriteString(w, r.out.String()); err != nil {
		return fmt.Errorf("write the runbook: %w", err)
	}
	return nil
}

type runbook struct {
	plan *remediate.Plan
	zone *time.Location
	step map[string]int // number of an action by its id
	out  strings.Builder
}

func (r *runbook) line(format string, args ...any) { fmt.Fprintf(&r.out, format+"\n", args...) }

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func (r *runbook) head() {
	p := r.plan
	r.line("# Runbook: shut the intruder out\n")
	whose := "The access key " + orNone(codes(p.Keys, 6)) + " is in other hands. What the intruder got through it"
	if !allKeys(p.Keys) {
		whose = "Credentials of " + codes(p.Keys, 6) + " are in other hands. What the intruder got through them"
	}
	r.line("%s: %s, as %s.", whose, plural(int64(len(p.Lineage.AccessKeyIDs)), "access key and token", "access keys and tokens"),
		plural(int64(len(p.Lineage.ARNs)), "identity", "identities"))
	r.line("This plan has %s in %s: %s.\n", plural(int64(len(p.Actions)), "action"), orNone(joinCodes("account", p.AccountIDs)), modesPhrase(p.Actions))
	r.line("- It knows of events through %s. If there are later ones, make it anew.", clock(p.LogThrough, r.zone))
	r.line("- Times are %s. Digest of the plan: %s", mdText(r.zone.String()), orNone(mdCode(p.Digest)))
	r.line("- Whose credentials the intruder has: %s", orNone(codes(p.Lineage.ARNs, 12)))
	r.line("\n### How to use it\n")
	r.line("1. Work with credentials that the intruder never had, of a principal that no action names. Open a console for each account first: %s.", orNone(codes(p.AccountIDs, 12)))
	r.line("2. Go from top to bottom. The denials of *contain* and *revoke* belong together, in one burst: whoever watches undoes what comes slowly. Nothing of *evict* before they are verified.")
	r.line("3. Tick an action when its check says what it must, not when the command was accepted. IAM needs up to a minute until a change binds everywhere.")
	r.line("4. Where a check *before* does not hold, somebody changed the thing after the logs end: stop, and look.")
	r.line("5. `trailscan plan --plan plan.json --apply` does the same with these checks and a journal; `--only ID` names single actions.")
	r.line("\n### Who must approve\n")
	r.line("| Mode | What it is | Approved by | Name, time |")
	r.line("| --- | --- | --- | --- |")
	r.line("| auto | can be taken back, deletes nothing; may stop who shares the key or the role, see *risk* | the incident lead, once for all | |")
	r.line("| review | deletes, ends or changes something for good, or gives access back | the incident lead and the owner of the thing, one by one | |")
	r.line("| manual | no call of this account, or a decision | whom the action names | |")
}

// joinCodes names things of a kind: "account 1", "accounts 1, 2".
func joinCodes(kind string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		kind += "s"
	}
	return kind + " " + codes(values, 12)
}

// modesPhrase counts actions by who carries them out.
func modesPhrase(actions []remediate.Action) string {
	n := map[remediate.Mode]int{}
	for _, a := range actions {
		n[a.Mode]++
	}
	var parts []string
	for _, m := range []struct {
		mode remediate.Mode
		word string
	}{{remediate.Auto, "automatic"}, {remediate.Review, "for review"}, {remediate.Manual, "by hand"}} {
		if n[m.mode] > 0 {
			parts = append(parts, number(int64(n[m.mode]))+" "+m.word)
		}
	}
	return orNone(strings.Join(parts, ", "))
}

// withDeadline are the actions that can come too late, the most urgent first.
func withDeadline(actions []remediate.Action) []remediate.Action {
	var out []remediate.Action
	for _, a := range actions {
		if a.Deadline != nil {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b remediate.Action) int { return a.Deadline.Compare(*b.Deadline) })
	return out
}

func (r *runbook) deadlines() {
	list := withDeadline(r.plan.Actions)
	if len(list) == 0 {
		return
	}
	r.line("\n## Deadlines\n")
	for _, a := range list {
		r.line("- **Before %s:** step %d, %s (%s)", clock(*a.Deadline, r.zone), r.step[a.ID], mdText(clip(a.Title, 240)), mdText(string(a.Mode)))
	}
}

func (r *runbook) contents(list []phase) {
	r.line("\n## Contents\n")
	for _, ph := range list {
		r.line("- [%s](#%s): %s: %s", title(string(ph.Name)), ph.Name, plural(int64(len(ph.Actions)), "action"), modesPhrase(ph.Actions))
	}
	if len(list) == 0 {
		r.line("The plan has no action.")
	}
}

func (r *runbook) action(n int, a *remediate.Action) {
	r.line("\n- [ ] **%d. %s**", n, mdText(clip(a.Title, 600)))
	where := "account " + orNone(mdCode(a.AccountID))
	if a.Region != "" {
		where += " " + mdCode(a.Region)
	}
	r.line("  %s · %s · %s", mdText(string(a.Mode)), where, mdCode(a.ID))
	r.line("")
	if a.Deadline != nil {
		r.line("  - **Deadline:** %s", clock(*a.Deadline, r.zone))
	}
	if why := mdText(a.Reason); why != "" || len(a.Evidence) > 0 {
		if len(a.Evidence) > 0 {
			why += " Events: " + codes(a.Evidence, 10) + "."
		}
		r.line("  - **Why:** %s", strings.TrimSpace(why))
	}
	if a.Risk != "" {
		r.line("  - **Risk:** %s", mdText(a.Risk))
	}
	if len(a.DependsOn) > 0 {
		r.line("  - **After:** %s", r.steps(a.DependsOn))
	}
	for _, c := range a.Expect {
		r.check("**Look first:**", c, a.Region)
	}
	if a.Service != "" && a.Operation != "" {
		r.call(a)
	}
	for _, c := range a.Verify {
		r.check("[ ] **Verify:**", c, a.Region)
	}
	r.rollback(a)
}

func (r *runbook) call(a *remediate.Action) {
	if a.ForEach != nil {
		r.line("  - **Do,** for each that the first command finds:")
	} else {
		r.line("  - **Do:**")
	}
	r.block(a.Command())
	if a.Mentions(remediate.Password) {
		r.line("    Put a new password of your making into `NEW_PASSWORD` first; hand it over in person.")
	}
	for _, f := range a.Fallbacks {
		r.line("  - If AWS refuses it for a limit:")
		r.block(f.CLI(a.Region))
	}
}

// steps are the numbers of earlier actions.
func (r *runbook) steps(ids []string) string {
	var numbers []int
	var out []string
	for _, id := range ids {
		if n := r.step[id]; n > 0 {
			numbers = append(numbers, n)
		} else {
			out = append(out, mdCode(id))
		}
	}
	slices.Sort(numbers)
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += " to " + strconv.Itoa(numbers[j])
		}
		out = append(out, part)
		i = j + 1
	}
	if len(numbers) == 1 {
		return "step " + strings.Join(out, ", ")
	}
	return "steps " + strings.Join(out, ", ")
}

// check is a read and what it must say.
func (r *runbook) check(name string, c remediate.Check, region string) {
	says := "must find nothing, or AWS says that there is no such thing:"
	if !c.Absent {
		text, isText := c.Equals.(string)
		if !isText {
			encoded, err := marshal(c.Equals)
			if err != nil {
				encoded = nil
			}
			text = string(encoded)
		}
		says = "must say " + orNone(mdCode(text)) + ":"
		if strings.Contains(text, remediate.Now) {
			says = "must say " + mdCode(text) + ", with the time of the call:"
		}
	}
	r.line("  - %s %s", name, says)
	r.block(c.Read.CLI(region))
}

func (r *runbook) rollback(a *remediate.Action) {
	switch {
	case a.Service == "":
	case a.Rollback == nil:
		r.line("  - **Take back:** irreversible")
	case len(a.Rollback) == 0:
		r.line("  - **Take back:** nothing, it only reads")
	default:
		r.line("  - **Take back:**")
		for _, c := range a.Rollback {
			r.block(c.CLI(a.Region))
		}
	}
}

// block sets a command as code under an item. The fence is longer than any that
// the command holds.
func (r *runbook) block(command string) {
	fence := "```"
	for strings.Contains(command, fence) {
		fence += "`"
	}
	r.line("\n    %ssh\n    %s\n    %s", fence, Terminal(command), fence)
}
