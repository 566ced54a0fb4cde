package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"trailscan/lineage"
)

// maxSCP is the size of a service control policy, in characters, and maxSCPs how
// many a target may have besides FullAWSAccess:
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html.
const (
	maxSCP  = 5120
	maxSCPs = 4
)

// stopTime stands in a text for a person for the time of attaching it. AWS
// refuses the policy while it is there.
const stopTime = "TIME"

// organisation gives the administrator of an organisation what no one inside of
// the account can take away again.
func (p *planner) organisation() {
	whole, older := map[string][]string{}, map[string][]string{}
	evidence := map[string][]string{}
	for _, h := range p.holders {
		if h.kind == "root" || strings.Contains(h.arn, "/aws-service-role/") || strings.HasPrefix(h.name, "AWSServiceRoleFor") {
			continue
		}
		into := whole
		if h.kind == "role" && !h.created || h.lent() {
			into = older
		}
		into[h.account] = appendNew(into[h.account], h.principalARNs()...)
		evidence[h.account] = append(evidence[h.account], h.evidence...)
		for _, c := range h.credentials {
			// A federated session has its own ARN, which the user's does not match.
			if c.Kind == lineage.FederationToken {
				into[h.account] = appendNew(into[h.account], matchable(c.PrincipalARN)...)
			}
		}
	}
	accounts := map[string]bool{}
	for account := range evidence {
		accounts[account] = true
	}
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		texts := append(scpTexts(whole[account], false), scpTexts(older[account], true)...)
		advice := scpAdvice(texts, p.partition, account)
		for i, text := range advice {
			which := ""
			if len(advice) > 1 {
				which = fmt.Sprintf(" (%d of %d)", i+1, len(advice))
			}
			p.addAs(&Action{
				Phase: Contain, Mode: Manual, AccountID: account, Region: globalRegion(p.partition), Evidence: unique(evidence[account]),
				Title:  "If account " + account + " is in an organisation: attach a service control policy to it first" + which,
				Reason: "It binds at once and nobody inside of the account can take it away, for it denies that too; a policy in the account takes seconds to bind, in which the intruder can remove it. From the management account, on account " + account + " alone: " + text,
				Risk:   "It binds these principals whoever uses them, until it is detached. The management account itself, and service-linked roles, cannot be bound so.",
			}, "service control policy "+account+which)
		}
	}
}

// principalARNs are what aws:PrincipalArn holds in the calls of a holder: for a
// role session the role's ARN, whose path the ARN of a session lacks.
func (h *holder) principalARNs() []string {
	if a, ok := parseARN(h.arn); ok && a.service == "iam" {
		return matchable(h.arn)
	}
	base := "arn:" + partitionOf(h.arn, "") + ":iam::" + h.account + ":" + h.kind + "/"
	if len(matchable(h.name)) == 0 {
		return nil
	}
	return []string{base + h.name, base + "*/" + h.name}
}

// matchable leaves out an ARN that would match others than itself: the log is
// hostile, and names of AWS hold neither * nor ?.
func matchable(arn string) []string {
	if arn == "" || strings.ContainsAny(arn, "*?") {
		return nil
	}
	return []string{arn}
}

func appendNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// scpTexts are the service control policies that deny everything to principals,
// as many as their size needs; older limits them to sessions issued before TIME.
func scpTexts(arns []string, older bool) []string {
	text := func(list []string) string {
		condition := map[string]any{"ArnLike": map[string]any{"aws:PrincipalArn": list}}
		sid := "TrailscanContain"
		if older {
			condition["DateLessThan"] = map[string]any{"aws:TokenIssueTime": stopTime}
			sid = "TrailscanRevoke"
		}
		return asciiJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition,
		}}})
	}
	room := maxSCP - len(text([]string{}))
	if older {
		room -= len(nowForm) - len(stopTime)
	}
	var out []string
	var list []string
	used := 0
	for _, arn := range arns {
		size := len(asciiJSON(arn)) + 1
		if size > room {
			continue // longer than any ARN of AWS
		}
		if used+size > room {
			out = append(out, text(list))
			list, used = nil, 0
		}
		list, used = append(list, arn), used+size
	}
	if len(list) > 0 {
		out = append(out, text(list))
	}
	return out
}

// scpAdvice says of each text what to do with it. More than fit onto one account
// are not worth printing: then one text shuts the account to all but the
// responders.
func scpAdvice(texts []string, partition, account string) []string {
	if len(texts) > maxSCPs {
		shut := asciiJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": "TrailscanContain", "Effect": "Deny", "Action": "*", "Resource": "*",
			"Condition": map[string]any{"ArnNotLike": map[string]any{"aws:PrincipalArn": []string{"arn:" + partition + ":iam::" + account + ":role/RESPONDER"}}},
		}}})
		return []string{fmt.Sprintf("the principals would need %d policies and an account has room for %d, so shut it to everyone but you for as long as the clean-up lasts, with the role that you work with in place of RESPONDER: %s",
			len(texts), maxSCPs, shut)}
	}
	var out []string
	for _, t := range texts {
		if strings.Contains(t, `"`+stopTime+`"`) {
			t += " with the present time (UTC, like 2006-01-02T15:04:05Z) in place of TIME: it ends sessions and tokens of before; those that are taken after it, and access keys, go on."
		}
		out = append(out, t)
	}
	return out
}

func unique(ids []string) []string {
	var out []string
	for _, id := range ids {
		if !slices.Contains(out, id) && len(out) < maxEvidence {
			out = append(out, id)
		}
	}
	return out
}

// someOf names the first few of a list and counts the rest.
func someOf(names []string) string {
	const most = 5
	if n := len(names) - most; n > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}
