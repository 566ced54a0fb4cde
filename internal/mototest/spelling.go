package mototest

import (
	"encoding/json"
	"strings"
	"time"

	"trailscan/internal/awsapi"
)

// CloudTrail has spellings of its own. The rules here are those of published
// records: most services write the API's names with a small first letter; EC2's
// old calls have {"items":[…]} and the names of its XML, its newer ones a wrapper;
// S3 has bucketName, the flags of its query, and the capital names of its XML.

// versioned are event names with the date of their API.
var versioned = map[string]string{
	"lambda:CreateFunction": "20150331", "lambda:UpdateFunctionCode": "20150331v2", "lambda:UpdateFunctionConfiguration": "20150331v2",
	"lambda:AddPermission": "20150331v2", "lambda:RemovePermission": "20150331v2", "lambda:CreateEventSourceMapping": "20150331",
	"lambda:UpdateEventSourceMapping": "20150331", "lambda:PublishLayerVersion": "20181031", "lambda:AddLayerVersionPermission": "20181031",
	"lambda:DeleteFunction": "20150331", "lambda:PutFunctionConcurrency": "20171031",
}

// renamed are event names that are not the operation's.
var renamed = map[string]string{
	"s3:PutBucketLifecycleConfiguration": "PutBucketLifecycle", "s3:PutPublicAccessBlock": "PutBucketPublicAccessBlock",
	"s3:DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock", "s3:PutBucketNotificationConfiguration": "PutBucketNotification",
	"s3control:PutPublicAccessBlock": "PutAccountPublicAccessBlock", "s3control:DeletePublicAccessBlock": "DeleteAccountPublicAccessBlock",
}

func eventName(service, operation string) string {
	call := service + ":" + operation
	if n, ok := renamed[call]; ok {
		return n
	}
	return operation + versioned[call]
}

// EventOf is the event of a call, source:name without the date of the API.
func EventOf(call string) string {
	service, operation, _ := strings.Cut(call, ":")
	source := service
	if s, ok := sources[service]; ok {
		source = s
	}
	if n, ok := renamed[call]; ok {
		operation = n
	}
	return source + ":" + operation
}

// hidden are members that AWS leaves out, or whose value it hides.
var hidden = map[string]string{
	"iam:SecretAccessKey": "", "iam:Password": "", "iam:NewPassword": "", "iam:OldPassword": "", "iam:PrivateKey": "", "iam:ServicePassword": "",
	"iam:Base32StringSeed": "", "iam:QRCodePNG": "", "sts:SecretAccessKey": "",
	"ec2:KeyMaterial": "<sensitiveDataRemoved>", "ec2:UserData": "<sensitiveDataRemoved>",
	"secretsmanager:SecretString": "", "ssm:Value": "HIDDEN_DUE_TO_SECURITY_REASONS", "lambda:ZipFile": "", "lambda:Variables": "",
	"rds:MasterUserPassword": "****",
}

// spell gives requestParameters and responseElements.
func spell(m *awsapi.Model, service, operation string, in, out Object) (request, response Object) {
	op := m.Operations[operation]
	s := speller{m, service}
	switch service {
	case "s3", "s3control":
		return s3Request(operation, in), s3Response(operation, out)
	case "ec2":
		return s.ec2(op, operation, in, out)
	}
	if op.Input != nil {
		request, _ = s.value(op.Input, in).(Object)
	}
	if op.Output != nil {
		response, _ = s.value(op.Output, out).(Object)
	}
	return request, response
}

type speller struct {
	m       *awsapi.Model
	service string
}

func (s speller) value(ref *awsapi.Ref, v any) any {
	shape := s.m.Shapes[ref.Shape]
	switch v := v.(type) {
	case Object:
		out := Object{}
		for k, e := range v {
			if shape.Type == "map" {
				out[k] = s.value(shape.Value, e)
				continue
			}
			name, member := shape.MemberOf(k)
			if member == nil {
				continue
			}
			instead, secret := hidden[s.service+":"+awsapi.Field(name)]
			switch {
			case secret && instead == "":
			case secret:
				out[lower(name)] = instead
			default:
				out[lower(name)] = s.value(member, e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.value(shape.Member, e)
		}
		return out
	case string:
		if shape.Type == "timestamp" {
			return s.time(v)
		}
	}
	return v
}

// time is a time as the services write it.
func (s speller) time(text string) any {
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return text
	case s.service == "iam":
		return t.UTC().Format("Jan 2, 2006 3:04:05 PM")
	case s.service == "ec2":
		return t.UnixMilli()
	}
	return t.UTC().Format("Jan 2, 2006, 3:04:05 PM")
}

func lower(name string) string {
	if name == "" {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// wrapped are the calls of EC2 whose records wrap them.
var wrapped = map[string]bool{
	"CreateLaunchTemplate": true, "CreateFlowLogs": true, "DeleteFlowLogs": true, "AssociateIamInstanceProfile": true, "ModifyInstanceMetadataOptions": true,
	"DisassociateIamInstanceProfile": true, "ReplaceIamInstanceProfileAssociation": true, "ModifySecurityGroupRules": true, "CreateFleet": true, "CreateLaunchTemplateVersion": true,
}

// ec2Lists are the names of lists in requests, and of what they hold.
var ec2Lists = map[string][2]string{
	"InstanceIds": {"instancesSet", "instanceId"}, "Resources": {"resourcesSet", "resourceId"}, "Tags": {"tagSet", ""}, "SecurityGroupIds": {"groupSet", "groupId"},
	"SecurityGroupRuleIds": {"securityGroupRuleIds", "securityGroupRuleId"},
}

func (s speller) ec2(op *awsapi.Operation, operation string, in, out Object) (request, response Object) {
	if op.Output != nil {
		response, _ = s.ec2Answer(op.Output, out).(Object)
	}
	if response == nil {
		response = Object{}
	}
	response["requestId"] = "r"
	if wrapped[operation] {
		request = Object{operation + "Request": capital(in)}
		return request, Object{operation + "Response": response}
	}
	if len(response) == 1 {
		response["_return"] = true
	}
	request = Object{}
	for k, v := range in {
		if k == "InstanceId" && operation == "CreateImage" {
			request["instanceId"] = v
			continue
		}
		if n, ok := ec2Lists[k]; ok {
			request[n[0]] = items(v, n[1])
			continue
		}
		request[lower(k)] = ec2Request(v)
	}
	switch operation {
	case "RunInstances":
		request["instancesSet"] = Object{"items": []any{Object{"imageId": in["ImageId"], "minCount": in["MinCount"], "maxCount": in["MaxCount"]}}}
		delete(request, "imageId")
		delete(request, "minCount")
		delete(request, "maxCount")
	case "CreateSecurityGroup":
		request["groupDescription"] = in["Description"]
		delete(request, "description")
	case "ModifySnapshotAttribute", "ModifyImageAttribute":
		name := map[string]string{"ModifySnapshotAttribute": "createVolumePermission", "ModifyImageAttribute": "launchPermission"}[operation]
		request[name] = Object{in["OperationType"].(string): items(in["UserIds"], "userId")}
		for _, k := range []string{"userIds", "operationType", "attribute"} {
			delete(request, k)
		}
		request["attributeType"] = name
	case "ModifyInstanceAttribute":
		if groups, ok := in["Groups"]; ok {
			request["groupSet"] = items(groups, "groupId")
			delete(request, "groups")
		}
	case "CreateNetworkAclEntry", "ReplaceNetworkAclEntry":
		request["aclProtocol"] = in["Protocol"]
		delete(request, "protocol")
	}
	return request, response
}

func items(v any, name string) Object {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = ec2Request(e)
		if name != "" {
			out[i] = Object{name: e}
		}
	}
	return Object{"items": out}
}

func ec2Request(v any) any {
	switch v := v.(type) {
	case Object:
		out := Object{}
		for k, e := range v {
			if k == "UserIdGroupPairs" {
				k = "Groups"
			}
			out[lower(k)] = ec2Request(e)
		}
		return out
	case []any:
		return items(v, "")
	}
	return v
}

// capital keeps the names of a request; a list that has one element is that
// element.
func capital(v any) any {
	switch v := v.(type) {
	case Object:
		out := Object{}
		for k, e := range v {
			if list, ok := e.([]any); ok {
				k = strings.TrimSuffix(k, "s")
				var tagged []any
				for i, e := range list {
					one := Object{"content": e}
					if m, ok := capital(e).(Object); ok {
						one = m
					}
					one["tag"] = i + 1
					tagged = append(tagged, one)
				}
				if len(tagged) == 1 {
					out[k] = tagged[0]
					continue
				}
				out[k] = tagged
				continue
			}
			out[k] = capital(e)
		}
		return out
	}
	return v
}

// ec2Answer has the names of EC2's XML.
func (s speller) ec2Answer(ref *awsapi.Ref, v any) any {
	shape := s.m.Shapes[ref.Shape]
	switch v := v.(type) {
	case Object:
		out := Object{}
		for k, e := range v {
			name, member := shape.MemberOf(k)
			if member == nil {
				continue
			}
			instead, secret := hidden["ec2:"+awsapi.Field(name)]
			if member.LocationName != "" {
				name = member.LocationName
			}
			if out[lower(name)] = s.ec2Answer(member, e); secret {
				out[lower(name)] = instead
			}
		}
		if r, ok := out["return"]; ok {
			delete(out, "return")
			out["_return"] = r
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.ec2Answer(shape.Member, e)
		}
		return Object{"items": out}
	case string:
		if shape.Type == "timestamp" {
			return s.time(v)
		}
	}
	return v
}

// s3Flags are the words of the query that stand in records of S3.
var s3Flags = map[string]string{
	"PutBucketPolicy": "policy", "DeleteBucketPolicy": "policy", "PutBucketAcl": "acl", "PutObjectAcl": "acl", "PutBucketVersioning": "versioning",
	"PutBucketLifecycleConfiguration": "lifecycle", "DeleteBucketLifecycle": "lifecycle", "PutPublicAccessBlock": "publicAccessBlock",
	"DeletePublicAccessBlock": "publicAccessBlock", "PutBucketOwnershipControls": "ownershipControls", "PutBucketEncryption": "encryption",
	"DeleteBucketEncryption": "encryption", "PutBucketWebsite": "website", "PutBucketReplication": "replication",
	"DeleteBucketReplication": "replication", "PutBucketCors": "cors", "PutBucketLogging": "logging", "PutBucketNotificationConfiguration": "notification", "DeleteObjects": "delete",
}

func s3Request(operation string, in Object) Object {
	out := Object{"Host": "s3.amazonaws.com"}
	if f := s3Flags[operation]; f != "" {
		out[f] = ""
	}
	for k, v := range in {
		switch k {
		case "Bucket":
			out["bucketName"] = v
		case "Key":
			out["key"] = v
		case "ACL":
			out["x-amz-acl"] = v
		case "Policy":
			var document any
			if text, ok := v.(string); ok && json.Unmarshal([]byte(text), &document) == nil {
				out["bucketPolicy"] = document
			}
		case "Body", "Delete":
		case "AccountId":
			out["accountId"] = v
		default:
			out[k] = s3XML(v)
		}
	}
	return out
}

// s3Response is what a record of a write of an object answers: the headers of the
// version.
func s3Response(operation string, out Object) Object {
	if v, ok := out["VersionId"]; ok && (operation == "PutObject" || operation == "DeleteObject") {
		return Object{"x-amz-version-id": v}
	}
	return nil
}

// s3Words are names of the XML that the SDK calls otherwise.
var s3Words = map[string]string{
	"LambdaFunctionConfigurations": "CloudFunctionConfiguration", "LambdaFunctionArn": "CloudFunction", "TopicArn": "Topic", "QueueArn": "Queue",
}

// s3XML is a configuration as its XML has it: Rules are Rule, one or several.
func s3XML(v any) any {
	switch v := v.(type) {
	case Object:
		out := Object{}
		for k, e := range v {
			list, ok := e.([]any)
			if word, other := s3Words[k]; other {
				k = word
			}
			switch {
			case ok && len(list) == 1:
				out[strings.TrimSuffix(k, "s")] = s3XML(list[0])
			case ok:
				out[strings.TrimSuffix(k, "s")] = s3XML(e)
			default:
				out[k] = s3XML(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s3XML(e)
		}
		return out
	}
	return v
}
