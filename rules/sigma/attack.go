package sigma

import (
	"regexp"
	"slices"
	"strings"

	"trailscan/rules"
)

var techniqueTag = regexp.MustCompile(`^t\d{4}(?:\.\d{3})?$`)

// attackOf reads the tactic and the techniques in a rule's tags, in ATT&CK v18.
func attackOf(tags []string) (tactic string, ids []string) {
	for _, tag := range tags {
		tag, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(tag)), "attack.")
		if !ok {
			continue
		}
		if techniqueTag.MatchString(tag) {
			id := rules.OldTechnique(strings.ToUpper(tag))
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			continue
		}
		if name, ok := rules.OldTactic(strings.ReplaceAll(tag, "_", "-")); ok && tactic == "" {
			tactic = name
		}
	}
	return tactic, ids
}
