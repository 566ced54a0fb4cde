package remediate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// add puts an action into its phase, or its evidence to the action that does
// the same already, and gives the one that stands there.
func (p *planner) add(a *Action) *Action {
	return p.addAs(a, strings.Join(subjectWords(a.Parameters), " "))
}

func (p *planner) addAs(a *Action, about string) *Action {
	if a.Mode != Manual && !substitutesOnlyOurs(a) {
		a.Mode = Manual
		a.Reason += " A text in it contains ${now}, ${password} or ${item}, which trailscan would take for its own: do it by hand."
	}
	if a.Region != "" && !regionForm.MatchString(a.Region) {
		a.Mode, a.Region = Manual, ""
		a.Reason += " The region that the log names is none: do it by hand."
	}
	text := fmt.Sprintln(a.AccountID, a.Region, a.Service, a.Operation, about, asciiJSON(a.Parameters))
	if a.ForEach != nil {
		text += a.ForEach.Operation + a.ForEach.Path
	} else if a.Mode != Manual {
		call := strings.Join([]string{a.AccountID, a.Region, a.Service, a.Operation, asciiJSON(a.Parameters)}, "\x00")
		have := p.calls[string(a.Phase)+"\x00"+call]
		if have == nil && a.Phase == Evict {
			have = p.calls[string(Contain)+"\x00"+call] // done earlier
		}
		if have != nil {
			have.merge(a)
			return have
		}
		p.calls[string(a.Phase)+"\x00"+call] = a
	}
	verb := cliName(a.Operation)
	if a.Operation == "" {
		verb = "by-hand"
	}
	a.ID = strings.TrimSuffix(string(a.Phase)+"-"+verb+"-"+slug(about), "-")
	if p.ids[a.ID] || a.Operation == "" {
		sum := sha256.Sum256([]byte(text + a.Title))
		a.ID += "-" + hex.EncodeToString(sum[:4])
	}
	for base, n := a.ID, 2; p.ids[a.ID]; n++ {
		a.ID = fmt.Sprintf("%s-%d", base, n)
	}
	p.ids[a.ID] = true
	if a.Region != "" || a.Operation != "" && globalServices[a.Service] {
		a.CLI = a.Command()
	}
	p.byPhase[a.Phase] = append(p.byPhase[a.Phase], a)
	return a
}

// regionForm is what a region looks like: the log is hostile, and a call without
// a region goes to the caller's own.
var regionForm = regexp.MustCompile(`^[a-z]{2}[a-z-]*-\d+$`)

// substitutesOnlyOurs says that no name from the log would be taken for one of
// the executor's substitutions.
func substitutesOnlyOurs(a *Action) bool {
	for name, v := range a.Parameters {
		if name == "Password" && v == Password {
			continue
		}
		for text := range leaves(v) {
			ours := text == Item && a.ForEach != nil
			if !ours && substitutes(strings.ReplaceAll(text, issuedBeforeNow, "")) {
				return false
			}
		}
	}
	return true
}

// merge takes over what another reason for the same call adds.
func (a *Action) merge(b *Action) {
	for _, id := range b.Evidence {
		if !slices.Contains(a.Evidence, id) && len(a.Evidence) < maxEvidence {
			a.Evidence = append(a.Evidence, id)
		}
	}
	if len(a.Expect) == 0 {
		a.Expect = b.Expect
	}
	if b.Mode == Review && a.Mode == Auto && a.Phase != Contain && a.Phase != Revoke {
		// What the lineage holds is shut whatever the call that touched it looks like.
		a.Mode = Review
	}
	if !strings.Contains(a.Reason, b.Reason) {
		a.Reason += " " + b.Reason
	}
	if len(a.Verify) == 0 {
		a.Verify = b.Verify
	}
}

// subjectWords are the names in the parameters that tell one call from another.
func subjectWords(parameters map[string]any) []string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(parameters)) {
		if k == "PolicyDocument" || k == "Status" || k == "PolicyName" && len(parameters) > 2 {
			continue
		}
		switch v := parameters[k].(type) {
		case string:
			if v != Item && v != Password {
				words = append(words, lastSegment(v))
			}
		case []any:
			for _, e := range v {
				if s, ok := e.(string); ok && len(words) < 3 {
					words = append(words, s)
				}
			}
		}
	}
	return words
}

// slug spells text for an id: lower case, digits and dashes.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}
