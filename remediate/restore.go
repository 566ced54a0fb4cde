package remediate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

// restore gives the owners back what containment took, and closes what let the
// intruder in. It is never automatic; the denies go last.
func (p *planner) restore() {
	var owners []*holder
	for _, h := range p.holders {
		if !h.created && h.kind != "root" && p.protection(h) == "" {
			owners = append(owners, h)
		}
	}
	for _, h := range owners {
		if h.kind == "user" {
			p.newKey(h)
		}
	}
	for _, h := range owners {
		p.leastPrivilege(h)
	}
	p.harden()
	for _, h := range owners {
		p.lift(h)
	}
	p.reopen()
}

// newKey replaces the keys that leaked. It is manual: its answer is a secret,
// which must reach the owner and no journal.
func (p *planner) newKey(h *holder) {
	var keys []string
	for _, c := range h.credentials {
		if c.Kind == lineage.LongTerm && c.Parent == nil {
			keys = append(keys, c.ID)
		}
	}
	if len(keys) == 0 {
		return
	}
	name, after := p.nameAgain(h)
	a := &Action{
		Phase: Restore, Mode: Manual, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")), Service: "iam",
		Operation: "CreateAccessKey", Parameters: map[string]any{"UserName": name}, DependsOn: after, Evidence: h.evidence,
		Title:  "Give the owner of " + h.name + " a new way in",
		Reason: "The key " + strings.Join(keys, ", ") + " is spent. Better than a new key is a role that needs none (for EC2, ECS, Lambda, or OIDC and Roles Anywhere outside of AWS). A user has two keys at most. Delete the old one when nothing has missed it for a month.",
		Risk:   "The answer holds the new secret: hand it over once and keep it nowhere else. While the deny is on the user, the new key can do nothing.",
	}
	p.addAs(a, "new key "+h.name)
}

// wordForm is what names of calls look like; what is not is left out of policies.
var wordForm = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// policyLimit is how long a managed policy may be
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const policyLimit = 6144

// leastPrivilege names what the owner of a user or role called before the
// compromise, as a policy where the log says it for sure.
func (p *planner) leastPrivilege(h *holder) {
	calls := p.evidence.ordinary.calls[h.id]
	if h.kind == "role" && len(calls) == 0 {
		return // who uses a role is not told from who assumed it once
	}
	known, unsure := actions(calls)
	a := &Action{
		Phase: Restore, Mode: Manual, AccountID: h.account, Region: globalRegion(partitionOf(h.arn, "")),
		Title: fmt.Sprintf("Cut the permissions of the %s %s down to what its owner used", h.kind, h.name),
		Risk:  "Jobs that run less often than the logs reach back fail: ask the owner about monthly and yearly ones. The logs do not show iam:PassRole, conditions, and, where data events are off, calls on objects, items and functions.",
	}
	for _, c := range calls {
		if c.eventID != "" && len(a.Evidence) < maxEvidence {
			a.Evidence = append(a.Evidence, c.eventID)
		}
	}
	switch {
	case h.id == "":
		a.Reason = "No event shows its unique id, so what its owner called is not known: ask."
	case len(calls) == 0:
		a.Reason = "Before the compromise the logs show no successful call of it: it may need no permission at all."
	default:
		a.Reason = fmt.Sprintf("Before the compromise its owner made these calls with success: %s.", listCalls(calls))
		policy := allowPolicy(known)
		switch {
		case len(known) > 0 && len(policy) <= policyLimit:
			a.Reason += " As a policy, whose resources are to be narrowed: " + policy + "."
		case len(known) > 0:
			a.Reason += fmt.Sprintf(" A policy of its %d actions is longer than a managed policy may be: split it by service.", len(known))
		}
		if len(unsure) > 0 {
			a.Reason += " Not in it, for their IAM actions are called otherwise: " + strings.Join(unsure, ", ") + "."
		}
	}
	p.addAs(a, "least privilege "+h.kind+" "+h.name)
}

// listCalls names calls with their numbers, the most frequent first.
func listCalls(calls []ownerCall) string {
	const most = 60
	var out []string
	for _, c := range calls[:min(most, len(calls))] {
		out = append(out, fmt.Sprintf("%s:%s (%d)", c.source, c.name, c.calls))
	}
	if n := len(calls) - most; n > 0 {
		out = append(out, fmt.Sprintf("and %d more APIs", n))
	}
	return strings.Join(out, ", ")
}

// allowPolicy allows actions. They consist of letters and digits.
func allowPolicy(actions []string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// nameAgain is what a user is called when the renaming by the intruder is taken
// back, and what waits for that.
func (p *planner) nameAgain(h *holder) (name string, after []string) {
	for _, a := range p.byPhase[Recover] {
		old, ok := a.Parameters["NewUserName"].(string)
		if ok && a.Operation == "UpdateUser" && a.Mode != Manual && a.AccountID == h.account && h.kind == "user" && a.Parameters["UserName"] == h.name {
			return old, []string{a.ID}
		}
	}
	return h.name, nil
}

// lift takes the denies of a holder off again.
func (p *planner) lift(h *holder) {
	until := h.lastExpiry()
	name, after := p.nameAgain(h)
	for _, phase := range []Phase{Contain, Revoke, Recover} {
		for _, put := range p.byPhase[phase] {
			document := put.Parameters["PolicyDocument"]
			if put.Mode == Manual || put.AccountID != h.account || put.Operation != "Put"+h.noun()+"Policy" || put.Parameters[h.nameParam()] != h.name ||
				document != denyAll && document != denyOlder {
				continue
			}
			policy := maps.Clone(put.Parameters)
			delete(policy, "PolicyDocument")
			policy[h.nameParam()] = name
			a := p.iamAction(Restore, Review, h, "Delete"+h.noun()+"Policy", policy)
			a.Title = fmt.Sprintf("Take the deny %s off the %s %s", policy["PolicyName"], h.kind, h.name)
			a.Reason = "Everything else is done and its owner is in control again."
			a.Risk = "Tokens that are still good work again."
			switch {
			case !until.IsZero():
				a.Risk = "Tokens that are still good work again: not before " + until.Format(time.RFC3339) + ", when the last one that the log shows ends."
			case h.kind == "user":
				a.Risk = "Tokens that are still good work again: a user's last 36 hours at most."
			}
			a.DependsOn = append([]string{put.ID}, after...)
			back := maps.Clone(put.Parameters)
			back[h.nameParam()] = name
			a.Rollback = []Call{{Service: "iam", Operation: put.Operation, Parameters: back}}
			a.Verify = verifyOf("iam", a.Operation, a.Parameters)
			p.addAs(a, h.name+" "+fmt.Sprint(policy["PolicyName"]))
		}
	}
}

// collect puts what must be kept at the head of preserve, after the logs that
// are switched on again: what AWS forgets, or what the plan itself will change.
func (p *planner) collect() {
	accounts := map[string][]string{}
	for _, h := range p.holders {
		if p.evidence.accounts[h.account] {
			accounts[h.account] = append(accounts[h.account], h.evidence...)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		report := "" // the id of the action that has it made
		for _, r := range []struct{ service, operation, title string }{
			{"iam", "GenerateCredentialReport", "Have the credential report made"},
			{"iam", "GetCredentialReport", "Keep the credential report: when each password and key was used last"},
			{"iam", "GetAccountAuthorizationDetails", "Keep all users, groups, roles and policies as they are now"},
			{"cloudtrail", "DescribeTrails", "Keep the trails as they are now; look at GetTrailStatus of each"},
		} {
			a := p.keep(account, r.service, r.operation, map[string]any{}, r.title, unique(accounts[account]), account)
			if r.operation == "GetCredentialReport" {
				a.DependsOn = []string{report}
			}
			report = a.ID
		}
	}
	for _, c := range p.lineage.Credentials {
		s, ok := subjectOf(c.PrincipalARN)
		if c.Kind == lineage.LongTerm && ok && p.evidence.accounts[s.account] && !p.keyIsGone(s, c.ID) {
			h := &holder{subject: s}
			h.note(c.IssuedEventID)
			for _, id := range p.evidence.attempts[c.ID] {
				h.note(id)
			}
			p.keep(s.account, "iam", "GetAccessKeyLastUsed", map[string]any{"AccessKeyId": c.ID}, "Keep when and for what the access key "+c.ID+" was used last",
				h.evidence, c.ID)
		}
	}
}

// keep is a read whose answer is evidence: the journal holds it.
func (p *planner) keep(account, service, operation string, in map[string]any, title string, evidence []string, about string) *Action {
	return p.addAs(&Action{
		Phase: Preserve, Mode: Review, AccountID: account, Region: globalRegion(p.partition), Service: service, Operation: operation, Parameters: in,
		Title: title, Reason: "It is evidence, and what the account looked like before the plan changes it.", Risk: "None: it only reads.",
		Evidence: evidence, Rollback: []Call{},
	}, about)
}
