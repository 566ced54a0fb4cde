package rules

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// apiTable is the table of single calls that are worth a line in an incident,
// and of little weight by themselves. Columns: the services that log the call,
// by their event source's first word; the names that it is logged under; ATT&CK
// tactic and technique; severity; what the call tells or does. The first
// service and the first name make the rule's id.
//
//go:embed api_calls.csv
var apiTable string

// apiCalls are the rules that the table makes.
func apiCalls() []Rule {
	rows, err := csv.NewReader(strings.NewReader(apiTable)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("api_calls.csv, which is part of the program: %v", err)) // the pack's test reads it
	}
	made := make([]Rule, 0, len(rows)-1)
	for _, row := range rows[1:] {
		services, events := strings.Fields(row[0]), strings.Fields(row[1])
		severity, err := ParseSeverity(row[4])
		if err != nil {
			panic(fmt.Sprintf("api_calls.csv, which is part of the program: %s %s: %v", row[0], row[1], err))
		}
		made = append(made, Rule{
			ID:             "TS-API-" + services[0] + "." + events[0],
			Title:          "Call " + services[0] + ":" + events[0],
			Severity:       severity,
			Tactic:         row[2],
			Techniques:     []string{row[3]},
			Where:          apiCondition(services, events),
			Resource:       apiResource,
			Explain:        row[5] + `. By itself it means little: see who called, from where and what came next.`,
			FalsePositives: `Everyday use by people, programs and tools.`,
			Reference:      apiPage(services[0], events[0]),
		})
	}
	return made
}

// lambdaVersions are what CloudTrail adds to the names of Lambda's calls.
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
var lambdaVersions = []string{"", "20141111", "20150331", "20150331v2"}

func apiCondition(services, events []string) string {
	sources := make([]string, len(services))
	for i, s := range services {
		sources[i] = quote(s + ".amazonaws.com")
	}
	var names []string
	for _, e := range events {
		versions := lambdaVersions
		if !slices.Contains(services, "lambda") {
			versions = versions[:1]
		}
		for _, v := range versions {
			names = append(names, quote(e+v))
		}
	}
	condition := `event_source IN (` + strings.Join(sources, ", ") + `) AND event_name IN (` + strings.Join(names, ", ") + `)`
	if strings.HasPrefix(events[0], "SharedSnapshot") { // which AWS tells the owner of its own accord
		return condition
	}
	return condition + "\n            AND NOT " + byService
}

// apiResource is what most calls name first.
const apiResource = `coalesce(json_extract_scalar(request_parameters, '$.bucketName'), json_extract_scalar(request_parameters, '$.functionName'),
                json_extract_scalar(request_parameters, '$.roleArn'), json_extract_scalar(request_parameters, '$.roleName'),
                json_extract_scalar(request_parameters, '$.userName'), json_extract_scalar(request_parameters, '$.secretId'),
                json_extract_scalar(request_parameters, '$.modelId'), json_extract_scalar(request_parameters, '$.keyId'),
                json_extract_scalar(request_parameters, '$.instanceId'), json_extract_scalar(request_parameters, '$.instancesSet.items[0].instanceId'),
                json_extract_scalar(request_parameters, '$.snapshotId'), json_extract_scalar(request_parameters, '$.volumeId'),
                json_extract_scalar(request_parameters, '$.logGroupName'), json_extract_scalar(request_parameters, '$.stackName'),
                json_extract_scalar(request_parameters, '$.jobName'), json_extract_scalar(request_parameters, '$.name'))`

// apiPages are where AWS describes the calls of a service; the call's name and
// ".html" follow.
var apiPages = map[string]string{
	"agreement-marketplace": "https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-agreements_",
	"aoss":                  "https://docs.aws.amazon.com/opensearch-service/latest/ServerlessAPIReference/API_",
	"appsync":               "https://docs.aws.amazon.com/appsync/latest/APIReference/API_",
	"athena":                "https://docs.aws.amazon.com/athena/latest/APIReference/API_",
	"autoscaling":           "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_",
	"bedrock":               bedrockAPI,
	"ce":                    "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_",
	"cloudformation":        "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_",
	"cognito-identity":      "https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_",
	"ec2":                   ec2API,
	"ecr":                   ecrAPI,
	"eks":                   "https://docs.aws.amazon.com/eks/latest/APIReference/API_",
	"elasticloadbalancing":  "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_",
	"events":                "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_",
	"glue":                  "https://docs.aws.amazon.com/glue/latest/webapi/API_",
	"guardduty":             "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_",
	"health":                "https://docs.aws.amazon.com/health/latest/APIReference/API_",
	"iam":                   "https://docs.aws.amazon.com/IAM/latest/APIReference/API_",
	"kms":                   kmsAPI,
	"lambda":                "https://docs.aws.amazon.com/lambda/latest/api/API_",
	"lightsail":             "https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_",
	"logs":                  "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_",
	"monitoring":            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_",
	"organizations":         "https://docs.aws.amazon.com/organizations/latest/APIReference/API_",
	"rds":                   rdsAPI,
	"resource-explorer-2":   "https://docs.aws.amazon.com/resource-explorer/latest/apireference/API_",
	"route53":               "https://docs.aws.amazon.com/Route53/latest/APIReference/API_",
	"route53domains":        "https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_",
	"s3":                    s3API,
	"sagemaker":             "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_",
	"secretsmanager":        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_",
	"servicequotas":         "https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_",
	"ses":                   "https://docs.aws.amazon.com/ses/latest/APIReference/API_",
	"sns":                   "https://docs.aws.amazon.com/sns/latest/api/API_",
	"ssm":                   "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_",
	"sts":                   "https://docs.aws.amazon.com/STS/latest/APIReference/API_",
	"support":               "https://docs.aws.amazon.com/awssupport/latest/APIReference/API_",
}

// otherPages describe what has no page of its own under its service's.
var otherPages = map[string]string{
	"SharedSnapshotCopyInitiated":   "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html",
	"SharedSnapshotVolumeCreated":   "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html",
	"AddMemberToGroup":              "https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html",
	"GetListingView":                "https://docs.aws.amazon.com/marketplace/latest/buyerguide/buyer-finding-and-subscribing-to-products.html",
	"ListVaults":                    "https://docs.aws.amazon.com/amazonglacier/latest/dev/api-vaults-get.html",
	"GetBucketLifecycle":            s3API + "GetBucketLifecycleConfiguration.html",
	"InvokeModel":                   bedrockAPI + "runtime_InvokeModel.html",
	"InvokeModelWithResponseStream": bedrockAPI + "runtime_InvokeModelWithResponseStream.html",
	"GetKnowledgeBase":              bedrockAPI + "agent_GetKnowledgeBase.html",
	"ListKnowledgeBases":            bedrockAPI + "agent_ListKnowledgeBases.html",
	"ListAgents":                    bedrockAPI + "agent_ListAgents.html",
	"GetAccount":                    "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html",
	"ListEmailIdentities":           "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_ListEmailIdentities.html",
}

func apiPage(service, event string) string {
	if page := otherPages[event]; page != "" {
		return page
	}
	return apiPages[service] + event + ".html"
}
