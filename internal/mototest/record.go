package mototest

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"trailscan/internal/awsapi"
)

// models are of the calls that operations.txt lists, written by
// `python3 ../awsapi/extract.py .`: what an intruder and an owner call, and what
// the tests look at.
//
//go:embed models
var models embed.FS

// Models has SERVICE.json of each service.
func Models() fs.FS {
	sub, err := fs.Sub(models, "models")
	if err != nil {
		panic(err) // the name is no path
	}
	return sub
}

// Object is a JSON object.
type Object = map[string]any

// Actor is who makes calls.
type Actor struct {
	KeyID, IP, Agent string
	Identity         Object // userIdentity without accessKeyId
}

// User is an IAM user with a long-term key.
func User(name, id, keyID, ip, agent string) *Actor {
	return &Actor{keyID, ip, agent, Object{"type": "IAMUser", "principalId": id, "arn": userARN(name), "accountId": Account, "userName": name}}
}

func userARN(name string) string { return "arn:aws:iam::" + Account + ":user/" + name }

// Recorder makes calls and records them as CloudTrail does.
type Recorder struct {
	Clock time.Time // of the next record; each takes a second

	client  *awsapi.Client
	records []Object
	keys    int
	read    map[string]*awsapi.Model
}

// NewRecorder gives a recorder of calls to a server.
func NewRecorder(url string, start time.Time) *Recorder {
	c := aws.Config{BaseEndpoint: &url, Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIARECORDER00000000", SecretAccessKey: "made-up"}, nil
	}), Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	return &Recorder{Clock: start, client: awsapi.New(c).With(Models()), read: map[string]*awsapi.Model{}}
}

// Do makes a call, service:Operation as aws-sdk-go-v2 has it, that is not
// recorded.
func (r *Recorder) Do(ctx context.Context, region, call string, in Object) (Object, error) {
	service, operation, _ := strings.Cut(call, ":")
	a, err := r.client.Call(ctx, region, service, operation, in)
	return a.Result, err
}

// Call makes a call and records it, also when it is refused.
func (r *Recorder) Call(ctx context.Context, by *Actor, region, call string, in Object) (Object, error) {
	out, err := r.Do(ctx, region, call, in)
	if err != nil && errorCode(err) == "" {
		return nil, err // it never got there, or moto broke down
	}
	service, operation, _ := strings.Cut(call, ":")
	if operation == "GetSessionToken" || operation == "GetFederationToken" {
		// moto's key is the same each time.
		if c, ok := out["Credentials"].(Object); ok {
			r.keys++
			c["AccessKeyId"] = fmt.Sprintf("ASIATOKEN%011d", r.keys)
		}
	}
	m, bad := r.model(service)
	if bad != nil {
		return nil, bad
	}
	r.records = append(r.records, r.record(m, by, region, service, operation, in, out, err))
	r.Clock = r.Clock.Add(time.Second)
	return out, err
}

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && !strings.HasPrefix(api.ErrorCode(), "Unknown") {
		return api.ErrorCode()
	}
	return ""
}

func (r *Recorder) model(service string) (*awsapi.Model, error) {
	if m := r.read[service]; m != nil {
		return m, nil
	}
	text, err := fs.ReadFile(Models(), service+".json")
	if err != nil {
		return nil, err
	}
	var m awsapi.Model
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("model of %s: %w", service, err)
	}
	r.read[service] = &m
	return &m, nil
}

// sources are the event sources of services that are not called as their package.
var sources = map[string]string{
	"eventbridge": "events", "cloudwatchlogs": "logs", "cloudwatch": "monitoring", "configservice": "config", "s3control": "s3", "ssoadmin": "sso",
	"cognitoidentity": "cognito-identity", "cognitoidentityprovider": "cognito-idp", "acmpca": "acm-pca",
	"ec2instanceconnect": "ec2-instance-connect", "efs": "elasticfilesystem", "emr": "elasticmapreduce",
}

// global services record their calls in us-east-1.
var global = map[string]bool{"iam": true, "route53": true, "organizations": true, "account": true}

// record is the record of a call:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.
func (r *Recorder) record(m *awsapi.Model, by *Actor, region, service, operation string, in, out Object, failed error) Object {
	source := service
	if s, ok := sources[service]; ok {
		source = s
	}
	if global[service] {
		region = "us-east-1"
	}
	identity := Object{"accessKeyId": by.KeyID}
	for k, v := range by.Identity {
		identity[k] = v
	}
	n := len(r.records) + 1
	read := readOnly(operation)
	data := strings.HasSuffix(operation, "Object") || operation == "DeleteObjects" || operation == "PutObjectAcl"
	rec := Object{
		"eventVersion": "1.11", "userIdentity": identity, "eventTime": r.Clock.UTC().Format(time.RFC3339), "eventSource": source + ".amazonaws.com",
		"eventName": eventName(service, operation), "awsRegion": region, "sourceIPAddress": by.IP, "userAgent": by.Agent,
		"requestParameters": nil, "responseElements": nil,
		"requestID": fmt.Sprintf("%08x-0000-4000-8000-%012x", n, r.Clock.Unix()), "eventID": fmt.Sprintf("%08x-1111-4000-8000-%012x", n, r.Clock.Unix()),
		"readOnly": read, "eventType": "AwsApiCall", "managementEvent": !data, "recipientAccountId": Account, "eventCategory": "Management",
	}
	if data {
		rec["eventCategory"] = "Data"
	}
	request, response := spell(m, service, operation, in, out)
	if len(request) > 0 {
		rec["requestParameters"] = request
	}
	switch {
	case failed != nil:
		rec["errorCode"] = errorCode(failed)
		var api smithy.APIError
		if errors.As(failed, &api) {
			rec["errorMessage"] = api.ErrorMessage()
		}
	case (!read || service == "sts") && len(response) > 0:
		rec["responseElements"] = response
	}
	return rec
}

func readOnly(operation string) bool {
	for _, p := range []string{"Get", "List", "Describe", "Head"} {
		if strings.HasPrefix(operation, p) {
			return operation != "GetSessionToken" && operation != "GetFederationToken"
		}
	}
	return operation == "AssumeRole"
}

// Write writes the log file.
func (r *Recorder) Write(path string) error {
	text, err := json.Marshal(Object{"Records": r.records})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// session makes the actor of credentials that a call gave.
func (r *Recorder) session(by *Actor, out Object, identity Object, issuer Object) *Actor {
	c, _ := out["Credentials"].(Object)
	id, _ := c["AccessKeyId"].(string)
	identity["sessionContext"] = Object{"sessionIssuer": issuer, "webIdFederationData": Object{},
		"attributes": Object{"creationDate": r.Clock.Add(-time.Second).UTC().Format(time.RFC3339), "mfaAuthenticated": "false"}}
	return &Actor{id, by.IP, by.Agent, identity}
}

// AssumeRole takes a session of a role.
func (r *Recorder) AssumeRole(ctx context.Context, by *Actor, role, session string) (*Actor, error) {
	arn := "arn:aws:iam::" + Account + ":role/" + role
	out, err := r.Call(ctx, by, "us-east-1", "sts:AssumeRole", Object{"RoleArn": arn, "RoleSessionName": session})
	if err != nil {
		return nil, err
	}
	user, _ := out["AssumedRoleUser"].(Object)
	full, _ := user["AssumedRoleId"].(string)
	id, _, _ := strings.Cut(full, ":")
	return r.session(by, out, Object{"type": "AssumedRole", "principalId": full, "arn": user["Arn"], "accountId": Account},
		Object{"type": "Role", "principalId": id, "arn": arn, "accountId": Account, "userName": role}), nil
}

// SessionToken takes a session token of a user.
func (r *Recorder) SessionToken(ctx context.Context, by *Actor) (*Actor, error) {
	out, err := r.Call(ctx, by, "us-east-1", "sts:GetSessionToken", Object{"DurationSeconds": 3600})
	if err != nil {
		return nil, err
	}
	identity := Object{}
	for k, v := range by.Identity {
		identity[k] = v
	}
	return r.session(by, out, identity, Object{}), nil
}

// FederationToken takes a federation token of a user.
func (r *Recorder) FederationToken(ctx context.Context, by *Actor, name string) (*Actor, error) {
	out, err := r.Call(ctx, by, "us-east-1", "sts:GetFederationToken", Object{"Name": name, "DurationSeconds": 3600, "Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
	if err != nil {
		return nil, err
	}
	return r.session(by, out, Object{"type": "FederatedUser", "principalId": Account + ":" + name, "arn": "arn:aws:sts::" + Account + ":federated-user/" + name, "accountId": Account},
		Object{"type": "IAMUser", "principalId": by.Identity["principalId"], "arn": by.Identity["arn"], "accountId": Account, "userName": by.Identity["userName"]}), nil
}
