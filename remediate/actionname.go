package remediate

import "strings"

// actionPrefixes are the prefixes of IAM actions that are not the first label of
// the event source:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
var actionPrefixes = map[string]string{
	"api.ecr":                 "ecr",
	"application-insights":    "applicationinsights",
	"bedrock-agent":           "bedrock",
	"bedrock-agent-runtime":   "bedrock",
	"bedrock-runtime":         "bedrock",
	"data.iot":                "iot",
	"elasticloadbalancingv2":  "elasticloadbalancing",
	"email":                   "ses",
	"entitlement.marketplace": "aws-marketplace",
	"iotdata":                 "iot",
	"iotsecuretunneling":      "iot",
	"kinesisanalyticsv2":      "kinesisanalytics",
	"metering.marketplace":    "aws-marketplace",
	"models.lex":              "lex",
	"monitoring":              "cloudwatch",
	"runtime.lex":             "lex",
	"runtime.sagemaker":       "sagemaker",
	"ssmincidents":            "ssm-incidents",
	"streams.dynamodb":        "dynamodb",
	"tagging":                 "tag",
	"transcribestreaming":     "transcribe",
}

// actionNames are the IAM actions of events whose names differ. A call that
// needs several is denied when one of them is. The names are facts of
// https://github.com/iann0036/iam-dataset (aws/map.json).
var actionNames = map[string][]string{
	"bedrock:Converse":                      {"bedrock:InvokeModel"},
	"bedrock:ConverseStream":                {"bedrock:InvokeModelWithResponseStream"},
	"cloudfront:CreateDistributionWithTags": {"cloudfront:CreateDistribution", "cloudfront:TagResource"},
	"dynamodb:TransactGetItems":             {"dynamodb:GetItem"},
	"kms:ReEncrypt":                         {"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"lambda:Invoke":                         {"lambda:InvokeFunction"},
	"lambda:InvokeAsync":                    {"lambda:InvokeFunction"},
	"s3:CompleteMultipartUpload":            {"s3:PutObject"},
	"s3:CopyObject":                         {"s3:GetObject", "s3:PutObject"},
	"s3:CreateMultipartUpload":              {"s3:PutObject"},
	"s3:DeleteBucketCors":                   {"s3:PutBucketCORS"},
	"s3:DeleteBucketEncryption":             {"s3:PutEncryptionConfiguration"},
	"s3:DeleteBucketLifecycle":              {"s3:PutLifecycleConfiguration"},
	"s3:DeleteBucketPublicAccessBlock":      {"s3:PutBucketPublicAccessBlock"},
	"s3:DeleteBucketReplication":            {"s3:PutReplicationConfiguration"},
	"s3:DeleteBucketTagging":                {"s3:PutBucketTagging"},
	"s3:DeleteObjects":                      {"s3:DeleteObject"},
	"s3:DeletePublicAccessBlock":            {"s3:PutBucketPublicAccessBlock"},
	"s3:GetBucketEncryption":                {"s3:GetEncryptionConfiguration"},
	"s3:GetBucketLifecycle":                 {"s3:GetLifecycleConfiguration"},
	"s3:GetBucketNotificationConfiguration": {"s3:GetBucketNotification"},
	"s3:GetBucketReplication":               {"s3:GetReplicationConfiguration"},
	"s3:GetObjectLockConfiguration":         {"s3:GetBucketObjectLockConfiguration"},
	"s3:GetPublicAccessBlock":               {"s3:GetBucketPublicAccessBlock"},
	"s3:HeadBucket":                         {"s3:ListBucket"},
	"s3:HeadObject":                         {"s3:GetObject"},
	"s3:ListBuckets":                        {"s3:ListAllMyBuckets"},
	"s3:ListMultipartUploads":               {"s3:ListBucketMultipartUploads"},
	"s3:ListObjectVersions":                 {"s3:ListBucketVersions"},
	"s3:ListObjects":                        {"s3:ListBucket"},
	"s3:ListObjectsV2":                      {"s3:ListBucket"},
	"s3:ListParts":                          {"s3:ListMultipartUploadParts"},
	"s3:PostObject":                         {"s3:PutObject"},
	"s3:PutBucketEncryption":                {"s3:PutEncryptionConfiguration"},
	"s3:PutBucketLifecycle":                 {"s3:PutLifecycleConfiguration"},
	"s3:PutBucketNotificationConfiguration": {"s3:PutBucketNotification"},
	"s3:PutBucketReplication":               {"s3:PutReplicationConfiguration"},
	"s3:PutObjectLockConfiguration":         {"s3:PutBucketObjectLockConfiguration"},
	"s3:PutPublicAccessBlock":               {"s3:PutBucketPublicAccessBlock"},
	"s3:SelectObjectContent":                {"s3:GetObject"},
	"s3:UploadPart":                         {"s3:PutObject"},
	"s3:UploadPartCopy":                     {"s3:GetObject", "s3:PutObject"},
	"signin:SwitchRole":                     {"sts:AssumeRole"},

	"dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"},
	"dynamodb:ExecuteStatement":   {"dynamodb:PartiQLSelect", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"},
}

// severalOf are calls of which actionNames lists what they may need: which, their
// parameters say, that CloudTrail does not keep whole. A deny of some of it is
// not known to bind.
var severalOf = map[string]bool{
	"dynamodb:TransactWriteItems": true, "dynamodb:ExecuteStatement": true,
	"dynamodb:BatchExecuteStatement": true, "dynamodb:ExecuteTransaction": true,
}

func init() {
	for _, name := range []string{"BatchExecuteStatement", "ExecuteTransaction"} {
		actionNames["dynamodb:"+name] = actionNames["dynamodb:ExecuteStatement"]
	}
}

// restVerbs are the actions of API Gateway, which are HTTP methods.
var restVerbs = []struct{ prefix, verb string }{
	{"Get", "GET"}, {"Export", "GET"}, {"Create", "POST"}, {"Import", "POST"}, {"TestInvoke", "POST"}, {"Update", "PATCH"},
	{"Put", "PUT"}, {"Reimport", "PUT"}, {"Tag", "PUT"}, {"Delete", "DELETE"}, {"Flush", "DELETE"}, {"Reset", "DELETE"}, {"Untag", "DELETE"},
}

// actionsOf are the IAM actions that a call needs, from its source and name in
// short form (iam, CreateFunction).
func actionsOf(source, name string) []string {
	prefix := source
	if p := actionPrefixes[source]; p != "" {
		prefix = p
	} else if i := strings.LastIndexByte(source, '.'); i >= 0 {
		prefix = source[i+1:] // runtime.x: the service's own label is the last
	}
	call := prefix + ":" + name
	if list := actionNames[call]; list != nil {
		return list
	}
	switch prefix {
	case "apigateway":
		for _, v := range restVerbs {
			if strings.HasPrefix(name, v.prefix) {
				return []string{"apigateway:" + v.verb}
			}
		}
	case "budgets":
		if readName(name) {
			return []string{"budgets:ViewBudget"}
		}
		return []string{"budgets:ModifyBudget"}
	}
	return []string{call}
}
