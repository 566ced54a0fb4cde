package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pantherRules says which rules answer which rule of panther-analysis: an event
// that counts there is found by one of them.
var pantherRules = map[string][]string{
	"AWS.EC2.LaunchUnusualEC2Instances":                     {"TS-EX-020b", "TS-EX-022"},
	"AWS.EC2.MultiInstanceConnect":                          {"TS-LM-001b", "TS-LM-001c"},
	"AWS.EC2.StopInstances":                                 {"TS-EX-009b", "TS-IM-015"},
	"AWS.EC2.Vulnerable.XZ.Image.Launched":                  {"TS-EX-020"},
	"AWS.Lambda.UpdateFunctionCode":                         {"TS-EX-011"},
	"AWS.Lambda.UpdateFunctionConfiguration":                {"TS-EX-012"},
	"AWS.Modify.Cloud.Compute.Infrastructure":               {"TS-EX-020d", "TS-IM-015"},
	"AWS.Potential.Backdoor.Lambda":                         {"TS-PE-019b"},
	"AWS.RDS.IAMRoleAdded":                                  {"TS-PE-028"},
	"AWS.RDS.SecurityGroupIngressAuthorized":                {"TS-PE-039"},
	"AWS.SSM.DistributedCommand":                            {"TS-EX-003", "TS-EX-003b"},
	"AWS.SSM.MultipleSessions":                              {"TS-EX-004b"},
	"AWS.CloudTrail.EnableRegion":                           {"TS-DE-025"},
	"AWS.CloudTrail.IAMAnythingChanged":                     {"TS-PV-014"},
	"AWS.CloudTrail.IAMCompromisedKeyQuarantine":            {"TS-CA-012"},
	"AWS.CloudTrail.LoginProfileCreatedOrModified":          {"TS-PE-008"},
	"AWS.CloudTrail.Password.Policy.Discovery":              {"TS-DI-007"},
	"AWS.CloudTrail.RootPasswordChanged":                    {"TS-IA-005"},
	"AWS.CloudTrail.ShortLifecycle":                         {"TS-DE-006"},
	"AWS.CloudTrail.Stopped":                                {"TS-DE-001", "TS-DE-002"},
	"AWS.CloudTrail.VPCE.AccessDenied":                      {"TS-IA-024"},
	"AWS.CloudTrail.VPCE.ExternalPrincipal":                 {"TS-IA-023"},
	"AWS.CloudTrail.VPCE.SensitiveAPICalls":                 {"TS-DE-001", "TS-DE-002", "TS-DE-003", "TS-DE-005b"},
	"AWS.UnusedRegion":                                      {"TS-IA-026b"},
	"Standard.BruteForceByUser":                             {"TS-IA-007"},
	"AWS.CloudTrail.VPCE.S3ExternalIP":                      {"TS-IA-024b"},
	"AWS.ConfigService.Created":                             {"TS-DE-012b"},
	"AWS.ConfigService.DisabledDeleted":                     {"TS-DE-012"},
	"AWS.Console.LoginWithoutMFA":                           {"TS-IA-001"},
	"AWS.Console.Sign-In":                                   {"TS-IA-016"},
	"AWS.IAM.AccessKeyCompromised":                          {"TS-CA-012"},
	"AWS.IAM.AttachAdminUserPolicy":                         {"TS-PV-001"},
	"AWS.IAM.Backdoor.User.Keys":                            {"TS-PE-002"},
	"AWS.IAM.BackdoorRole":                                  {"TS-PE-011"},
	"AWS.IAM.CreateRole":                                    {"TS-PE-010"},
	"AWS.IAM.Group.Read.Only.Events":                        {"TS-DI-004"},
	"AWS.IAM.PolicyModified":                                {"TS-PV-002", "TS-PV-003", "TS-PV-006", "TS-DE-036"},
	"AWS.IPSet.Modified":                                    {"TS-DE-009"},
	"AWS.RDS.SnapshotShared":                                {"TS-EF-004"},
	"AWS.SecretsManager.BatchRetrieveSecrets":               {"TS-CA-002b"},
	"AWS.SecretsManager.BatchRetrieveSecretsCatchAll":       {"TS-CA-002b"},
	"AWS.SecretsManager.RetrieveSecrets":                    {"TS-CA-002"},
	"AWS.SSM.DecryptSSMParams":                              {"TS-CA-003"},
	"AWS.Root.Activity":                                     {"TS-IA-004"},
	"AWS.S3.DisableBucketLogging":                           {"TS-DE-020"},
	"AWS.Software.Discovery":                                {"TS-DI-002"},
	"Retrieve.SSO.access.token":                             {"TS-IA-016"},
	"Role.Assumed.by.AWS.Service":                           {"TS-PV-010c"},
	"Role.Assumed.by.User":                                  {"TS-PV-010"},
	"Standard.NewAWSAccountCreated":                         {"TS-IA-025"},
	"AWS.Bedrock.DeleteModelInvocationLoggingConfiguration": {"TS-DE-023"},
	"AWS.CloudTrail.NetworkACLPermissiveEntry":              {"TS-DE-030", "TS-DE-030b"},
	"AWS.CloudTrail.ResourceMadePublic":                     {"TS-DE-040c", "TS-EF-007", "TS-EF-014"},
	"AWS.CloudTrail.SES.CheckIdentityVerifications":         {"TS-DI-008"},
	"AWS.CloudTrail.SES.CheckSESSendingEnabled":             {"TS-DI-008"},
	"AWS.CloudTrail.SES.ListIdentities":                     {"TS-DI-008"},
	"AWS.EC2.EBS.Encryption.Disabled":                       {"TS-DE-032"},
	"AWS.EC2.ManualSecurityGroupChange":                     {"TS-DE-026b"},
	"AWS.EC2.ManyPasswordReadAttempts":                      {"TS-CA-004"},
	"AWS.EC2.NetworkACLModified":                            {"TS-DE-029"},
	"AWS.EC2.RouteTableModified":                            {"TS-DE-031"},
	"AWS.EC2.Traffic.Mirroring":                             {"TS-CO-001", "TS-CO-001b"},
	"AWS.EC2.VPCModified":                                   {"TS-DE-031"},
	"AWS.KMS.CustomerManagedKeyLoss":                        {"TS-IM-010"},
	"AWS.RDS.ActivityStreamStopped":                         {"TS-DE-022"},
	"AWS.RDS.AutomatedBackupDeleted":                        {"TS-IM-011"},
	"AWS.RDS.InstanceMadePublic":                            {"TS-EF-006"},
	"AWS.RDS.LogFileDownloaded":                             {"TS-DE-022b"},
	"AWS.RDS.ManualSnapshotCreated":                         {"TS-CO-002b"},
	"AWS.RDS.PublicRestore":                                 {"TS-EF-006"},
	"AWS.RDS.SnapshotDeleted":                               {"TS-IM-011c"},
	"AWS.RDS.SnapshotEnumeration":                           {"TS-DI-012"},
	"AWS.RDS.SnapshotExport":                                {"TS-CO-002"},
	"AWS.S3.BucketDeleted":                                  {"TS-IM-002"},
	"AWS.S3.BucketPolicyModified":                           {"TS-EF-007d"},
	"AWS.S3.CopyObjectWithClientSideEncryption":             {"TS-IM-006"},
	"AWS.S3.DeleteBucketEncryption":                         {"TS-IM-003b"},
	"AWS.S3.DeleteObject":                                   {"TS-IM-001"},
	"AWS.S3.DeletePublicAccessBlock":                        {"TS-EF-008"},
	"AWS.S3.DisableMfaDelete":                               {"TS-IM-004b"},
	"AWS.S3.RansomwareNoteUpload":                           {"TS-IM-007"},
}

// pantherLists are the lists that a rule there has among its settings.
var pantherLists = map[string]map[string][]string{
	"AWS.UnusedRegion": {AllowedRegionsList: {"us-west-2"}},
}

// pantherElsewhere are the rules that no record of CloudTrail alone answers:
// their tests have none, or need mocks. Ours stand beside the reason.
var pantherElsewhere = map[string]string{
	"AWS.Backdoor.Administrative.IAM.Role.Created.Group":         correlation + "TS-PE-033",
	"AWS.CloudTrail.SES.SESEnumeration":                          correlation + "TS-DI-008",
	"AWS.EC2.StopInstance.WITH.ModifyInstanceAttributes":         correlation + "TS-EX-009",
	"AWS.Privilege.Escalation.Via.User.Compromise.Group":         correlation + "TS-PE-004",
	"AWS.S3.Disable.Security.Controls":                           correlation + "TS-IM-005",
	"AWS.S3.ObjectExfiltration.WITH.ObjectDeletion":              correlation + "TS-IM-008",
	"AWS.SSO.Access.Token.Retrieved.by.Unauthenticated.IP.Group": correlation + "TS-IA-016",
	"AWS.User.Takeover.Via.Password.Reset.Group":                 correlation + "TS-PE-009",
	"Secret.Exposed.and.not.Quarantined.Group":                   correlation + "TS-CA-012",
	"AWS.Console.Login":                                          "has no tests; TS-IA-027",
	"AWS.Potentially.Stolen.Service.Role.Scheduled":              queried + "TS-CA-006",
	"AWS Potentially Stolen Service Role":                        queried + "TS-CA-006",
	"AWS.S3.LargeDownload":                                       queried + "TS-EF-010",
	"AWS S3 Large Download":                                      queried + "TS-EF-010",
	"AWS CloudTrail 2-minute count":                              queried + "TS-DI-013",
	"AWS EC2 Discovery Commands Executed":                        queried + "TS-DI-002",
	"Anomalous AccessDenied Requests":                            queried + "TS-DI-003",
	"CloudTrail.Password.Spraying":                               queried + "TS-IA-007",
	"Query.CloudTrail.Password.Spraying":                         queried + "TS-IA-007",
	"Query.EC2.CRUD.Activity.Role":                               queried + "TS-EX-021",
	"RoleAssumes by Multiple Useragents":                         queried + "TS-IA-021",
	"Standard.GreyNoiseV3.MaliciousIP":                           enriched + "TS-IA-017, with --hostile",
	"Standard.OTX.MaliciousIndicator":                            enriched + "TS-IA-017, with --hostile",
	"Standard.ImpossibleTravel.Login":                            enriched + "TS-IA-011, with --mmdb",
	"Standard.SignInFromRogueState":                              enriched + "TS-IA-011, with --mmdb",
	"Anomalous VPC Traffic to Destination Port":                  notCloudTrail,
	"Query.VPC.DNS.Tunneling":                                    notCloudTrail,
	"VPC Flow Port Scanning":                                     notCloudTrail,
	"VPCFlow.Port.Scanning":                                      notCloudTrail,
}

const (
	correlation   = "correlates alerts, and its tests are of alerts; "
	queried       = "is about rows that a query of theirs returns; "
	enriched      = "reads what their enrichment adds to records; "
	notCloudTrail = "is about flow or DNS logs"
)

// TestPantherTableIsComplete holds every rule of the folder against the tables.
func TestPantherTableIsComplete(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t, "panther"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, file := range files {
		published := readPanther(t, file)
		id := published.RuleID
		there[id] = true
		reason, elsewhere := pantherElsewhere[id]
		if _, answered := pantherRules[id]; answered == elsewhere {
			t.Errorf("%s stands in both tables or in none (%s)", id, reason)
		}
		for _, test := range published.Tests {
			if elsewhere && test.Event["eventSource"] != nil && test.Mocks == nil && test.aboutCloudTrail() {
				t.Errorf("%s: test %q could be answered, though listed: %s", id, test.Name, reason)
			}
		}
	}
	for id := range pantherElsewhere {
		if !there[id] {
			t.Errorf("%s is not in the folder", id)
		}
	}
}

// pantherRule is what the folder holds of a rule.
type pantherRule struct {
	RuleID string `json:"rule_id"`
	Tests  []pantherTest
}

type pantherTest struct {
	Name     string
	Expected bool
	Event    map[string]any
	Mocks    any
}

// aboutCloudTrail holds for a test whose event is no other product's.
func (p pantherTest) aboutCloudTrail() bool {
	kind, named := p.Event["p_log_type"].(string)
	return !named || kind == "AWS.CloudTrail"
}

func readPanther(t *testing.T, file string) pantherRule {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var published pantherRule
	if err := json.Unmarshal(data, &published); err != nil {
		t.Fatal(err)
	}
	published.Tests = slices.DeleteFunc(published.Tests, func(p pantherTest) bool { return !p.aboutCloudTrail() })
	return published
}

// pantherDisagrees are the tests that our rules answer otherwise, and why.
var pantherDisagrees = map[string]string{
	"AWS.EC2.LaunchUnusualEC2Instances/Successful Unusual EC2":                                         byScaling,
	"AWS.EC2.LaunchUnusualEC2Instances/Successful Unusual EC2 (Dictionary)":                            byScaling,
	"AWS.EC2.Vulnerable.XZ.Image.Launched/Non-vulnerable AMI Launched":                                 "which images have the hole is a list of 2024, and AWS has withdrawn them; who starts instances for the first time is found",
	"AWS.RDS.SecurityGroupIngressAuthorized/Different RDS Event":                                       "access taken away is a changed group, too",
	"AWS.SSM.DistributedCommand/Single Command Send, No Cached IDs":                                    "how many instances had a command before, a mock says",
	"AWS.CloudTrail.LoginProfileCreatedOrModified/ChangeOwnPassword":                                   ownName,
	"AWS.Console.LoginWithoutMFA/No MFA Login - New User":                                              "how old a user is, a mock says; the log does not",
	"AWS.CloudTrail.VPCE.ExternalPrincipal/Non-VPC Event":                                              "an outside account is one, with a VPC endpoint or without",
	"AWS.IAM.Group.Read.Only.Events/Get Group":                                                         byCloudFormation,
	"AWS.IAM.Group.Read.Only.Events/Get Group Policy":                                                  byCloudFormation,
	"AWS.IAM.Group.Read.Only.Events/List Attached Group Policies":                                      byCloudFormation,
	"AWS.IAM.Group.Read.Only.Events/List Groups":                                                       byCloudFormation,
	"AWS.IAM.Group.Read.Only.Events/List Groups for User":                                              byCloudFormation,
	"AWS.SecretsManager.BatchRetrieveSecretsCatchAll/BatchGetSecretValue Catch-All with other filters": "any filter can match every secret; Panther has a rule of its own for the others",
	"AWS.Root.Activity/Root Read-Only Enumeration":                                                     "reading as root is use of root, too",
}

const (
	byScaling        = "a scaling group starts what somebody configured, and that call is a finding"
	ownName          = "a role's session that calls itself like the user is not the user: whoever assumes a role names the session"
	byCloudFormation = "CloudFormation reads while it works on a stack, which is nobody looking around"
)

func TestAgreesWithPanther(t *testing.T) {
	dir := corpus(t, "panther")
	c := openCase(t)
	for _, id := range slices.Sorted(maps.Keys(pantherRules)) {
		t.Run(id, func(t *testing.T) {
			published := readPanther(t, filepath.Join(dir, id+".json"))
			var records []map[string]any
			for i, test := range published.Tests {
				records = append(records, cloudTrail(test.Event, fmt.Sprint(i)))
			}
			loadRecords(t, c, records)
			if _, err := c.DB.Exec(`DELETE FROM lists`); err != nil {
				t.Fatal(err)
			}
			if err := StoreLists(t.Context(), c, pantherLists[id]); err != nil {
				t.Fatal(err)
			}
			counted, succeeded := map[string]bool{}, map[string]bool{}
			for _, want := range pantherRules[id] {
				r := ruleByID(t, want)
				r.Threshold, r.FirstSeen, r.Spike = nil, nil, nil // what counts, not how often
				find(t, c, r, counted)
				if r.Outcomes == nil {
					r.Outcomes = []Outcome{Success}
				}
				find(t, c, r, succeeded)
			}
			for i, test := range published.Tests {
				got := counted[fmt.Sprint(i)]
				if !test.Expected {
					// Panther leaves out calls that did not succeed; here they are
					// findings of their own, one step lower.
					got = succeeded[fmt.Sprint(i)]
				}
				reason, listed := pantherDisagrees[id+"/"+test.Name]
				switch {
				case got != test.Expected && !listed:
					t.Errorf("%s: found %v, Panther expects %v", test.Name, got, test.Expected)
				case got == test.Expected && listed:
					t.Errorf("%s: agrees, though listed: %s", test.Name, reason)
				}
			}
		})
	}
}

// cloudTrail makes a record of a test's event: some have their members in lower
// case, and some no time.
func cloudTrail(event map[string]any, id string) map[string]any {
	record := map[string]any{"eventTime": "2024-01-01T00:00:00Z"}
	for name, value := range event {
		for _, n := range []string{"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "eventType",
			"eventCategory", "awsRegion", "managementEvent", "requestParameters", "recipientAccountId"} {
			if strings.EqualFold(name, n) {
				name = n
			}
		}
		record[name] = value
	}
	record["eventID"] = id
	return record
}
