package rules

import (
	"slices"
	"testing"
)

// attack says under which tactics ATT&CK v18 lists the techniques of the pack.
var attack = map[string][]string{
	"T1021.004": {"lateral-movement"},
	"T1021.007": {"lateral-movement"},
	"T1005":     {"collection"},
	"T1040":     {"credential-access", "discovery"},
	"T1048":     {"exfiltration"},
	"T1074.002": {"collection"},
	"T1119":     {"collection"},
	"T1485":     {"impact"},
	"T1486":     {"impact"},
	"T1490":     {"impact"},
	"T1496":     {"impact"},
	"T1499":     {"impact"},
	"T1525":     {"persistence"},
	"T1552":     {"credential-access"},
	"T1552.007": {"credential-access"},
	"T1555":     {"credential-access"},
	"T1557":     {"collection", "credential-access"},
	"T1565.001": {"impact"},
	"T1567":     {"exfiltration"},
	"T1578.002": {"defense-evasion"},
	"T1578.005": {"defense-evasion"},
	"T1600":     {"defense-evasion"},
	"T1619":     {"discovery"},
	"T1654":     {"discovery"},
	"T1033":     {"discovery"},
	"T1059":     {"execution"},
	"T1059.009": {"execution"},
	"T1070":     {"defense-evasion"},
	"T1069":     {"discovery"},
	"T1069.003": {"discovery"},
	"T1078":     {"defense-evasion", "initial-access", "persistence", "privilege-escalation"},
	"T1078.004": {"defense-evasion", "initial-access", "persistence", "privilege-escalation"},
	"T1087.004": {"discovery"},
	"T1090.003": {"command-and-control"},
	"T1098":     {"persistence", "privilege-escalation"},
	"T1098.001": {"persistence", "privilege-escalation"},
	"T1098.003": {"persistence", "privilege-escalation"},
	"T1098.004": {"persistence", "privilege-escalation"},
	"T1098.006": {"persistence", "privilege-escalation"},
	"T1110":     {"credential-access"},
	"T1110.001": {"credential-access"},
	"T1110.003": {"credential-access"},
	"T1136.003": {"persistence"},
	"T1185":     {"collection"},
	"T1195":     {"initial-access"},
	"T1199":     {"initial-access"},
	"T1201":     {"discovery"},
	"T1222":     {"defense-evasion"},
	"T1484":     {"defense-evasion", "privilege-escalation"},
	"T1484.002": {"defense-evasion", "privilege-escalation"},
	"T1489":     {"impact"},
	"T1496.001": {"impact"},
	"T1496.004": {"impact"},
	"T1526":     {"discovery"},
	"T1528":     {"credential-access"},
	"T1530":     {"collection"},
	"T1534":     {"lateral-movement"},
	"T1538":     {"discovery"},
	"T1535":     {"defense-evasion"},
	"T1537":     {"exfiltration"},
	"T1546":     {"persistence", "privilege-escalation"},
	"T1548":     {"defense-evasion", "privilege-escalation"},
	"T1548.005": {"defense-evasion", "privilege-escalation"},
	"T1550.001": {"defense-evasion", "lateral-movement"},
	"T1552.001": {"credential-access"},
	"T1552.005": {"credential-access"},
	"T1555.006": {"credential-access"},
	"T1556":     {"credential-access", "defense-evasion", "persistence"},
	"T1556.006": {"credential-access", "defense-evasion", "persistence"},
	"T1562.001": {"defense-evasion"},
	"T1562.007": {"defense-evasion"},
	"T1562.008": {"defense-evasion"},
	"T1578":     {"defense-evasion"},
	"T1580":     {"discovery"},
	"T1583.001": {"resource-development"},
	"T1584.001": {"resource-development"},
	"T1610":     {"defense-evasion", "execution"},
	"T1621":     {"credential-access"},
	"T1648":     {"execution"},
	"T1649":     {"credential-access"},
	"T1651":     {"execution"},
	"T1666":     {"defense-evasion"},
}

func TestTacticIsOneOfTheTechnique(t *testing.T) {
	for _, r := range Pack() {
		for i, technique := range r.Techniques {
			tactics, known := attack[technique]
			if !known {
				t.Errorf("%s: technique %s is not in the table", r.ID, technique)
			}
			if i == 0 && !slices.Contains(tactics, r.Tactic) {
				t.Errorf("%s: ATT&CK lists %s under %v, not under %s", r.ID, technique, tactics, r.Tactic)
			}
		}
	}
}
