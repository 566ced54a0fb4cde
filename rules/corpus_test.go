package rules

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/query"
)

// corpus is the folder of published data, which is no part of the project.
func corpus(t *testing.T, folder string) string {
	t.Helper()
	dir := os.Getenv("TRAILSCAN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus: %v", err)
	}
	return dir
}

// stratusRules says which rules find which attack of stratus-red-team, all at
// medium or above and one of them under the attack's tactic.
var stratusRules = map[string][]string{
	"aws.execution.ec2-launch-unusual-instances":                  {"TS-EX-022"},
	"aws.execution.ec2-user-data":                                 {"TS-EX-008", "TS-EX-009"},
	"aws.execution.ssm-send-command":                              {"TS-EX-001", "TS-EX-003"},
	"aws.lateral-movement.ec2-instance-connect":                   {"TS-LM-001b", "TS-LM-001c"},
	"aws.lateral-movement.ec2-serial-console-send-ssh-public-key": {"TS-LM-001", "TS-LM-001c"},
	"aws.persistence.lambda-layer-extension":                      {"TS-EX-012"},
	"aws.persistence.lambda-overwrite-code":                       {"TS-EX-011"},
	"aws.credential-access.secretsmanager-batch-retrieve-secrets": {"TS-CA-002b"},
	"aws.credential-access.secretsmanager-retrieve-secrets":       {"TS-CA-002"},
	"aws.credential-access.ssm-retrieve-securestring-parameters":  {"TS-CA-003b"},
	"aws.exfiltration.rds-share-snapshot":                         {"TS-EF-004"},
	"aws.credential-access.ec2-steal-instance-credentials":        {"TS-CA-005b", "TS-CA-005c"},
	"aws.defense-evasion.cloudtrail-delete":                       {"TS-DE-002"},
	"aws.defense-evasion.cloudtrail-event-selectors":              {"TS-DE-005"},
	"aws.defense-evasion.organizations-leave":                     {"TS-DE-024b"},
	"aws.initial-access.console-login-without-mfa":                {"TS-IA-001"},
	"aws.credential-access.ec2-get-password-data":                 {"TS-CA-004"},
	"aws.discovery.ec2-download-user-data":                        {"TS-CA-007b"},
	"aws.exfiltration.ec2-security-group-open-port-22-ingress":    {"TS-DE-027", "TS-DE-027b"},
	"aws.impact.bedrock-invoke-model":                             {"TS-EF-015b"},
	"aws.persistence.iam-backdoor-role":                           {"TS-PE-011"},
	"aws.persistence.iam-create-admin-user":                       {"TS-PE-002", "TS-PE-032b", "TS-PV-001"},
	"aws.persistence.iam-create-backdoor-role":                    {"TS-PE-011", "TS-PE-033", "TS-PV-001"},
	"aws.persistence.iam-create-user-login-profile":               {"TS-PE-007"},
	"aws.persistence.sts-federation-token":                        {"TS-PE-038", "TS-PE-038b"},
	"aws.privilege-escalation.iam-update-user-login-profile":      {"TS-PE-008"},
}

func TestFindsStratusAttacks(t *testing.T) {
	dir := corpus(t, "stratus")
	c := openCase(t)
	for _, attack := range slices.Sorted(maps.Keys(stratusRules)) {
		t.Run(attack, func(t *testing.T) {
			loadOnly(t, c, filepath.Join(dir, attack+".json"))
			var pack []Rule
			for _, id := range stratusRules[attack] {
				pack = append(pack, ruleByID(t, id))
			}
			findings, _, err := scanAll(context.Background(), c, pack, Options{})
			if err != nil {
				t.Fatal(err)
			}
			worst := map[string]Severity{}
			var tactics []string
			for _, f := range findings {
				worst[f.Rule] = max(worst[f.Rule], f.Severity)
				if f.Severity >= Medium {
					tactics = append(tactics, f.Tactic)
				}
			}
			for _, want := range stratusRules[attack] {
				if got, found := worst[want]; !found || got < Medium {
					t.Errorf("%s: found %v, as %s", want, found, got)
				}
			}
			if tactic := strings.Split(attack, ".")[1]; !slices.Contains(tactics, tactic) {
				t.Errorf("nothing at medium or above under %s", tactic)
			}
		})
	}
}

// loadRecords makes the records all that the case holds, but for those that are
// no record of CloudTrail's.
func loadRecords(t *testing.T, c *query.Case, records []map[string]any) {
	t.Helper()
	data, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "records.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	replaceEvents(t, c, file)
}

func find(t *testing.T, c *query.Case, r Rule, ids map[string]bool) {
	t.Helper()
	found, err := Match(context.Background(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range found {
		ids[id] = true
	}
}

func ruleByID(t *testing.T, id string) Rule {
	t.Helper()
	for _, r := range Pack() {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no rule %s", id)
	return Rule{}
}
