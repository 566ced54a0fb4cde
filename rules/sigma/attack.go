package sigma

import (
	"regexp"
	"slices"
	"strings"
)

// tactics are those of ATT&CK v18 by their short names, and what v19 calls
// otherwise: it divided defense evasion into stealth and defense impairment.
// https://attack.mitre.org/resources/updates/
var tactics = map[string]string{
	"reconnaissance": "reconnaissance", "resource-development": "resource-development",
	"initial-access": "initial-access", "execution": "execution", "persistence": "persistence",
	"privilege-escalation": "privilege-escalation", "defense-evasion": "defense-evasion",
	"credential-access": "credential-access", "discovery": "discovery", "lateral-movement": "lateral-movement",
	"collection": "collection", "command-and-control": "command-and-control", "exfiltration": "exfiltration",
	"impact": "impact", "stealth": "defense-evasion", "defense-impairment": "defense-evasion",
}

// techniques are those of v19 about cloud logs, tools and firewalls, by what v18
// calls them.
var techniques = map[string]string{
	"T1685": "T1562.001", "T1685.002": "T1562.008", "T1686": "T1562.004", "T1686.001": "T1562.007",
}

var techniqueTag = regexp.MustCompile(`^t\d{4}(?:\.\d{3})?$`)

// attackOf reads the tactic and the techniques in a rule's tags, in ATT&CK v18.
func attackOf(tags []string) (tactic string, ids []string) {
	for _, tag := range tags {
		tag, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(tag)), "attack.")
		if !ok {
			continue
		}
		if techniqueTag.MatchString(tag) {
			id := strings.ToUpper(tag)
			if old, ok := techniques[id]; ok {
				id = old
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			continue
		}
		if name, ok := tactics[strings.ReplaceAll(tag, "_", "-")]; ok && tactic == "" {
			tactic = name
		}
	}
	return tactic, ids
}
