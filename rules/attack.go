package rules

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// AttackVersion is a version of ATT&CK. Rules, findings and the case speak v18;
// outputs can be made to speak v19, which divided defense evasion into stealth
// and defense impairment, and gave the techniques about tools, logs and
// firewalls new ids.
// https://attack.mitre.org/resources/updates/updates-april-2026/
type AttackVersion int

// The versions that outputs know.
const (
	AttackV18 AttackVersion = 18
	AttackV19 AttackVersion = 19
)

// ParseAttackVersion reads 18 or 19, with or without a v.
func ParseAttackVersion(s string) (AttackVersion, error) {
	switch strings.TrimPrefix(strings.ToLower(s), "v") {
	case "18":
		return AttackV18, nil
	case "19":
		return AttackV19, nil
	}
	return 0, fmt.Errorf("unknown ATT&CK version %q: use 18 or 19", s)
}

// String is the version's number.
func (v AttackVersion) String() string { return strconv.Itoa(int(v)) }

// attackTable says what v18 and v19 call a technique and under which tactics
// they list it. Every technique of the pack and of the published Sigma rules
// about CloudTrail is in it.
//
//go:embed attack_v19.csv
var attackTable string

// attackTechnique is a row of the table.
type attackTechnique struct {
	name, name19       string
	tactics, tactics19 []string
	id19               string
}

var attackTechniques, attackIDs = readTechniques()

// readTechniques reads the table, and the order of its ids.
func readTechniques() (map[string]attackTechnique, []string) {
	rows, err := csv.NewReader(strings.NewReader(attackTable)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("attack_v19.csv, which is part of the program: %v", err)) // its test reads it
	}
	table := make(map[string]attackTechnique, len(rows))
	ids := make([]string, 0, len(rows))
	for _, row := range rows[1:] {
		table[row[0]] = attackTechnique{name: row[1], tactics: strings.Fields(row[2]), id19: row[3], name19: row[4], tactics19: strings.Fields(row[5])}
		ids = append(ids, row[0])
	}
	return table, ids
}

// Tactic is a tactic of ATT&CK.
type Tactic struct {
	Short string // "privilege-escalation"
	Name  string // "Privilege Escalation"
	ID    string // "TA0004"
}

// commonTactics are those of both versions, in the order of the matrix.
var commonTactics = []Tactic{
	{"reconnaissance", "Reconnaissance", "TA0043"},
	{"resource-development", "Resource Development", "TA0042"},
	{"initial-access", "Initial Access", "TA0001"},
	{"execution", "Execution", "TA0002"},
	{"persistence", "Persistence", "TA0003"},
	{"privilege-escalation", "Privilege Escalation", "TA0004"},
	{"credential-access", "Credential Access", "TA0006"},
	{"discovery", "Discovery", "TA0007"},
	{"lateral-movement", "Lateral Movement", "TA0008"},
	{"collection", "Collection", "TA0009"},
	{"command-and-control", "Command and Control", "TA0011"},
	{"exfiltration", "Exfiltration", "TA0010"},
	{"impact", "Impact", "TA0040"},
}

const (
	evasionTactic    = "defense-evasion"
	stealthTactic    = "stealth" // which kept the id of defense evasion
	impairmentTactic = "defense-impairment"
)

// Tactics are those of the version, in the order of its matrix.
func (v AttackVersion) Tactics() []Tactic {
	own := []Tactic{{evasionTactic, "Defense Evasion", "TA0005"}}
	if v == AttackV19 {
		own = []Tactic{{stealthTactic, "Stealth", "TA0005"}, {impairmentTactic, "Defense Impairment", "TA0112"}}
	}
	return slices.Insert(slices.Clone(commonTactics), 6, own...)
}

// TacticOf looks a tactic up by its short name.
func (v AttackVersion) TacticOf(short string) (Tactic, bool) {
	tactics := v.Tactics()
	i := slices.IndexFunc(tactics, func(t Tactic) bool { return t.Short == short })
	if i < 0 {
		return Tactic{}, false
	}
	return tactics[i], true
}

// TechniqueName is what the version calls a technique that it has under the id;
// "" where the table does not have it.
func (v AttackVersion) TechniqueName(id string) string {
	if v == AttackV19 {
		for _, old := range attackIDs {
			if attackTechniques[old].id19 == id {
				return attackTechniques[old].name19
			}
		}
		return ""
	}
	return attackTechniques[id].name
}

// TechniqueTactics are the tactics under which the version lists a technique of
// its own; nil where the table does not have it.
func (v AttackVersion) TechniqueTactics(id string) []string {
	if v == AttackV19 {
		for _, old := range attackIDs {
			if attackTechniques[old].id19 == id {
				return attackTechniques[old].tactics19
			}
		}
		return nil
	}
	return attackTechniques[id].tactics
}

// Lists says whether the version lists the technique under the tactic, as far as
// the table knows.
func (v AttackVersion) Lists(id, tactic string) bool {
	return slices.Contains(v.TechniqueTactics(id), tactic)
}

// Techniques gives the version's ids of techniques of v18. What the table does
// not have keeps its id.
func (v AttackVersion) Techniques(ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if t, known := attackTechniques[id]; known && v == AttackV19 {
			id = t.id19
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Tactic gives the version's tactic for one of v18 and its techniques, the first
// of which says where defense evasion went.
func (v AttackVersion) Tactic(tactic string, ids []string) string {
	if v != AttackV19 || tactic != evasionTactic {
		return tactic
	}
	for _, id := range ids {
		t, known := attackTechniques[id]
		if !known || !slices.Contains(t.tactics, evasionTactic) {
			continue
		}
		for _, name := range []string{stealthTactic, impairmentTactic} {
			if slices.Contains(t.tactics19, name) {
				return name
			}
		}
		return t.tactics19[0]
	}
	return stealthTactic
}

// Finding is the finding in the version's words.
func (v AttackVersion) Finding(f Finding) Finding {
	f.Tactic, f.Techniques = v.Tactic(f.Tactic, f.Techniques), v.Techniques(f.Techniques)
	return f
}

// Findings are the findings in the version's words.
func (v AttackVersion) Findings(findings []Finding) []Finding {
	out := make([]Finding, len(findings))
	for i, f := range findings {
		out[i] = v.Finding(f)
	}
	return out
}

// Rules are the rules in the version's words.
func (v AttackVersion) Rules(pack []Rule) []Rule {
	out := slices.Clone(pack)
	for i, r := range out {
		out[i].Tactic, out[i].Techniques = v.Tactic(r.Tactic, r.Techniques), v.Techniques(r.Techniques)
	}
	return out
}

// OldTechnique gives v18's id of a technique of v18 or v19. Where several became
// one it is that of the same name.
func OldTechnique(id string) string {
	if _, known := attackTechniques[id]; known {
		return id
	}
	found := ""
	for _, old := range attackIDs {
		t := attackTechniques[old]
		if t.id19 != id {
			continue
		}
		if t.name == t.name19 {
			return old
		}
		if found == "" {
			found = old
		}
	}
	if found == "" {
		return id
	}
	return found
}

// OldTactic gives v18's short name of a tactic of v18 or v19.
func OldTactic(short string) (string, bool) {
	if short == stealthTactic || short == impairmentTactic {
		return evasionTactic, true
	}
	_, known := AttackV18.TacticOf(short)
	return short, known
}
