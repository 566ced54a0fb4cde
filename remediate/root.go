package remediate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"trailscan/lineage"
)

// root can be bound by no policy of its account: its keys and its password are a
// person's to change, and its tokens end with time.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html.
func (p *planner) root(h *holder) {
	scp := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"TrailscanContain","Effect":"Deny","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:%s:iam::%s:root"]}}}]}`,
		partitionOf(h.arn, ""), h.account)
	var keys, devices []string
	for _, c := range h.credentials {
		switch c.Kind {
		case lineage.LongTerm:
			keys = append(keys, c.ID)
		case lineage.ServiceSpecific, lineage.SSHKey, lineage.Certificate:
			devices = append(devices, string(c.Kind)+" "+c.ID)
		}
	}
	do := "change its password and MFA"
	if len(keys) > 0 {
		do = "delete its access keys " + strings.Join(keys, ", ") + ", " + do
	}
	if len(devices) > 0 {
		do = "delete its credentials " + strings.Join(devices, ", ") + ", " + do
	}
	why := "No policy of the account binds root, nor the tokens that it issued: only time ends them. " + h.rootTokens() +
		" If the account is a member of an organisation, its management account can attach this service control policy, which binds root and its tokens at once: " + scp
	if !p.evidence.accounts[h.account] {
		why += ". The case holds no logs of account " + h.account + ": tell its owner."
	}
	p.byHand(h, Contain, "Root of account "+h.account+": sign in as root, "+do, why)
}

// rootTokens says until when the temporary credentials of root work.
func (h *holder) rootTokens() string {
	live := slices.DeleteFunc(slices.Clone(h.credentials), func(c *lineage.Credential) bool { return c.ExpiresAt == nil })
	if len(live) == 0 {
		return "The log shows no such token; one lasts an hour at most, a console session twelve."
	}
	text := "The last that the log shows ends at " + h.lastExpiry().Format(time.RFC3339)
	if slices.ContainsFunc(live, func(c *lineage.Credential) bool { return c.ExpiresDerived }) {
		text += " at the latest (worked out, for the answer did not say it)"
	}
	return text + "."
}
