package remediate

import (
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// operationForm finds the calls in the list's grammar: iam.DeleteUser(…).
var operationForm = regexp.MustCompile(`\b([a-z0-9]+)\.([A-Z][A-Za-z0-9]+)\(`)

// TestEveryKnownEventHasItsInverse compares the tables with a list of hostile
// events and what reverses each: every event stands in a table, and every call
// of its inverse is one that the table makes.
func TestEveryKnownEventHasItsInverse(t *testing.T) {
	corpus := cmp.Or(os.Getenv("TRAILSCAN_CORPUS"), filepath.Join("..", "..", "shared", "corpus"))
	file, err := os.Open(filepath.Join(corpus, "..", "undo.csv"))
	if err != nil {
		t.Skipf("no list of events: %v", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	source, name, calls := column("eventSource"), column("eventName"), column("undo_calls")
	if min(source, name, calls) < 0 {
		t.Fatalf("the list has other columns: %v", rows[0])
	}
	used := map[string]bool{}
	for _, row := range rows[1:] {
		call := shortSource(row[source]) + ":" + shortName(row[name])
		made := callsOf(call)
		if made == nil {
			t.Errorf("%s stands in no table", call)
			continue
		}
		if made["handled"] {
			continue
		}
		for _, m := range operationForm.FindAllStringSubmatch(row[calls], -1) {
			op := m[1] + ":" + m[2]
			switch _, excepted := otherWay[call+" "+op]; {
			case made[op] && excepted:
				t.Errorf("%s makes %s: it is no exception any more", call, op)
			case !made[op] && !excepted:
				t.Errorf("%s does not make %s", call, op)
			}
			used[call+" "+op] = true
		}
	}
	for k := range otherWay {
		if !used[k] {
			t.Errorf("the list has no %s: drop the exception", k)
		}
	}
}

// callsOf are the calls by which a table reverses an event; nil when there is
// none, not even one that names what a person has to do.
func callsOf(call string) map[string]bool {
	made := map[string]bool{}
	if x := exposureTable[call]; x != nil {
		if x.step != nil {
			made[x.step.call] = true
		}
		return made
	}
	u := undoTable[call]
	if u == nil {
		return nil
	}
	made["handled"] = u.handled
	for _, s := range slices.Concat(u.steps, u.blind) {
		made[s.call] = true
	}
	return made
}

// otherWay are the calls of the list that the tables deliberately do not make,
// and why.
var otherWay = map[string]string{
	"datapipeline:PutPipelineDefinition datapipeline:DeletePipeline":    "CreatePipeline undoes itself; a pipeline that was there before is not deleted",
	"iam:CreateUser iam:PutUserPolicy":                                  "contain denies everything to users of the lineage",
	"iam:CreateUser iam:UpdateAccessKey":                                "contain disables the keys of the lineage",
	"iam:CreateUser iam:DeleteVirtualMFADevice":                         "the creation of the device has its own entry: whose device it is, the user's list does not say",
	"iam:EnableMFADevice iam:DeleteVirtualMFADevice":                    "the creation of the device has its own entry: one that was there before is not deleted",
	"iam:CreateAccessKey iam:UpdateAccessKey":                           "contain disables the keys of the lineage",
	"iam:UpdateLoginProfile iam:PutUserPolicy":                          "contain denies everything to users of the lineage",
	"iam:CreateRole iam:PutRolePolicy":                                  "contain denies everything to roles of the lineage",
	"iam:CreateRole iam:UpdateAssumeRolePolicy":                         "contain denies everything to roles of the lineage, whoever assumes them",
	"iam:AcquireRole iam:PutRolePolicy":                                 "contain denies everything to roles of the lineage",
	"iam:UpdateAssumeRolePolicy iam:PutRolePolicy":                      "revoke ends the sessions of the roles of which the lineage had one",
	"iam:UpdateAccountPasswordPolicy iam:DeleteAccountPasswordPolicy":   "without a policy in the log, to delete it may leave the account with less than it had",
	"account:PutAlternateContact account:PutAlternateContact":           "CloudTrail does not record names, addresses and numbers",
	"account:PutContactInformation account:PutContactInformation":       "CloudTrail does not record names, addresses and numbers",
	"ec2:RunInstances ec2:CreateSnapshot":                               "CreateSnapshots takes all volumes of an instance at one moment",
	"ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate":          "a new version is the default only after ModifyLaunchTemplate, which has its own entry",
	"ssm:PutParameter ssm:PutParameter":                                 "the old value is a secret, and would stand in the journal",
	"lambda:UpdateFunctionCode lambda:UpdateAlias":                      "which version an alias should name is not in the log",
	"s3:DeleteObject s3:DeleteObject":                                   "DeleteObjects takes the marks of the objects that the log names off",
	"s3:DeleteObjects s3:DeleteObject":                                  "which objects were deleted is not in the log, and others may have been deleted on purpose",
	"s3:PutObject s3:CopyObject":                                        "which version of an object is the good one is not in the log",
	"cloudformation:CreateStackSet cloudformation:DeleteStackInstances": "CreateStackInstances, which says in which accounts and regions, has its own entry",
	"cognito-idp:UpdateUserPool cognitoidentityprovider:UpdateUserPool": "what an update leaves out falls to its default, and the log does not have all of it",
	"cloudfront:UpdateDistribution cloudfront:UpdateDistribution":       "the whole configuration must be sent, and the log spells it otherwise than the API",
	"acm-pca:IssueCertificate acmpca:RevokeCertificate":                 "the serial number stands in the certificate alone",
	"sns:RemovePermission sns:SetTopicAttributes":                       "AddPermission gives the one permission again and leaves the rest of the policy",
}
