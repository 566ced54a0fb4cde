package awsapi_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"trailscan/internal/awsapi"
	"trailscan/internal/shapeserver"
)

// client gives one that the shape server answers.
func client(t *testing.T) (*awsapi.Client, *shapeserver.Server) {
	t.Helper()
	server := shapeserver.Start(t)
	return awsapi.New(aws.Config{
		BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOR00000000", "made-up", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}), server
}

// TestCallOfEachProtocol sends parameters and gets an answer through each of the
// protocols, in the SDK's names.
func TestCallOfEachProtocol(t *testing.T) {
	list := func(v ...any) []any { return v }
	type m = map[string]any
	for name, c := range map[string]struct {
		service, operation string
		in, out            m
	}{
		"ec2": {"ec2", "DescribeSnapshotAttribute", m{"Attribute": "createVolumePermission", "SnapshotId": "snap-1"},
			m{"SnapshotId": "snap-1", "CreateVolumePermissions": list(m{"UserId": "1"}, m{"Group": "all"})}},
		"ec2, nested lists": {"ec2", "RevokeSecurityGroupIngress", m{"GroupId": "sg-1", "IpPermissions": list(m{"FromPort": 22.0, "ToPort": 22.0, "IpProtocol": "tcp",
			"IpRanges": list(m{"CidrIp": "0.0.0.0/0"}), "UserIdGroupPairs": list(m{"GroupId": "sg-2"})})}, m{"Return": true}},
		"query": {"rds", "ModifyDBSnapshotAttribute", m{"DBSnapshotIdentifier": "s", "AttributeName": "restore", "ValuesToRemove": list("1", "2")},
			m{"DBSnapshotAttributesResult": m{"DBSnapshotIdentifier": "s", "DBSnapshotAttributes": list(m{"AttributeName": "restore", "AttributeValues": list("3")})}}},
		"query, map": {"sns", "GetTopicAttributes", m{"TopicArn": "t"}, m{"Attributes": m{"Policy": `{"a":"<b>"}`}}},
		"json 1.1":   {"kms", "DescribeKey", m{"KeyId": "k"}, m{"KeyMetadata": m{"KeyId": "k", "Enabled": false, "KeyState": "PendingDeletion"}}},
		"json 1.0":   {"dynamodb", "GetResourcePolicy", m{"ResourceArn": "r"}, m{"Policy": "{}"}},
		"rest-json": {"lambda", "RemovePermission", m{"FunctionName": "arn:aws:lambda:us-east-1:111122223333:function:f", "StatementId": "a b", "Qualifier": "q"},
			m{}},
		"rest-json, body":  {"lambda", "PutFunctionConcurrency", m{"FunctionName": "f", "ReservedConcurrentExecutions": 0.0}, m{"ReservedConcurrentExecutions": 0.0}},
		"rest-json, names": {"guardduty", "GetDetector", m{"DetectorId": "d"}, m{"Status": "ENABLED", "ServiceRole": "r"}},
		"rest-xml":         {"route53", "ListResourceRecordSets", m{"HostedZoneId": "Z1"}, m{"IsTruncated": false, "ResourceRecordSets": list(m{"Name": "a.", "Type": "A"})}},
		"rest-xml, body": {"s3control", "PutPublicAccessBlock", m{"AccountId": "111122223333", "PublicAccessBlockConfiguration": m{"BlockPublicAcls": true}},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := client(t)
			server.Answer = func(shapeserver.Call) (map[string]any, *shapeserver.Failure) { return c.out, nil }
			got, err := client.Call(t.Context(), "us-east-1", c.service, c.operation, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Result)+len(c.out) > 0 && !reflect.DeepEqual(got.Result, c.out) {
				t.Errorf("answer %v\nwant   %v", got.Result, c.out)
			}
			if got.Date.IsZero() {
				t.Error("the answer has no date")
			}
			calls := server.Calls()
			if len(calls) != 1 || !reflect.DeepEqual(calls[0].Parameters, c.in) {
				t.Errorf("the server saw %v\nwant %v", calls, c.in)
			}
		})
	}
}

func TestErrorsHaveAWSCodes(t *testing.T) {
	for _, c := range []struct {
		service, operation string
		in                 map[string]any
	}{
		{"ec2", "DescribeInstances", nil}, {"rds", "DescribeDBInstances", nil}, {"kms", "ListAliases", nil},
		{"lambda", "GetFunction", map[string]any{"FunctionName": "f"}}, {"route53", "GetHostedZone", map[string]any{"Id": "/hostedzone/Z1"}},
	} {
		client, server := client(t)
		server.Answer = func(shapeserver.Call) (map[string]any, *shapeserver.Failure) {
			return nil, &shapeserver.Failure{Status: http.StatusNotFound, Code: "NotFoundHere"}
		}
		got, err := client.Call(t.Context(), "eu-west-1", c.service, c.operation, c.in)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "NotFoundHere" || got.Date.IsZero() {
			t.Errorf("%s: %v, date %v", c.service, err, got.Date)
		}
	}
}

// Nothing that the model does not have is sent.
func TestMalformedCallsAreNotSent(t *testing.T) {
	client, server := client(t)
	for says, c := range map[string]map[string]any{
		"/Attribute is missing":            {"SnapshotId": "s"},
		"/Snapshot is unknown":             {"Snapshot": "s"},
		"/attribute is unknown":            {"attribute": "a"},
		"/SnapshotId must be text":         {"Attribute": "productCodes", "SnapshotId": 7},
		"/DryRun must be true or false":    {"Attribute": "productCodes", "SnapshotId": "s", "DryRun": "yes"},
		"CreateVolumePermission is unknow": {"CreateVolumePermission": []any{}},
	} {
		_, err := client.Call(t.Context(), "us-east-1", "ec2", "DescribeSnapshotAttribute", c)
		if !errors.Is(err, awsapi.ErrParameters) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := client.Call(t.Context(), "us-east-1", "ec2", "RunInstances", nil); !errors.Is(err, awsapi.ErrUnknown) {
		t.Errorf("an operation that is not there: %v", err)
	}
	if calls := server.Calls(); len(calls) > 0 {
		t.Errorf("sent %v", calls)
	}
}

// Every model that is embedded loads, and each operation can be built.
func TestModels(t *testing.T) {
	for _, s := range awsapi.Services() {
		m, err := awsapi.Load(s)
		if err != nil {
			t.Fatal(err)
		}
		for name := range m.Operations {
			if !awsapi.Supports(s, name) {
				t.Errorf("%s:%s is not supported", s, name)
			}
		}
	}
}

// TestPayloadThatIsNotGiven sends no body where the body would be a parameter
// that the call leaves out: S3 takes {} for broken XML.
func TestPayloadThatIsNotGiven(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body)+r.Header.Get("Content-Type"))
	}))
	t.Cleanup(server.Close)
	client := awsapi.New(aws.Config{BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOR00000000", "made-up", "")})
	if _, err := client.Call(t.Context(), "us-east-1", "s3control", "PutPublicAccessBlock", map[string]any{"AccountId": "111122223333", "PublicAccessBlockConfiguration": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	client = client.With(fstest.MapFS{"s3.json": {Data: []byte(`{"metadata":{"protocol":"rest-xml","endpointPrefix":"s3","serviceId":"S3"},
		"operations":{"CreateBucket":{"http":{"method":"PUT","requestUri":"/{Bucket}"},"input":{"shape":"In"}}},
		"shapes":{"In":{"type":"structure","required":["Bucket"],"payload":"Config","members":{"Bucket":{"shape":"S","location":"uri","locationName":"Bucket"},"Config":{"shape":"C"}}},
			"S":{"type":"string"},"C":{"type":"structure","members":{"L":{"shape":"S"}}}}}`)}})
	if _, err := client.Call(t.Context(), "us-east-1", "s3", "CreateBucket", map[string]any{"Bucket": "b"}); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || !strings.Contains(bodies[0], "<PublicAccessBlockConfiguration") || bodies[1] != "" {
		t.Errorf("sent %q", bodies)
	}
}

// TestTokenOfACall has the length that Secrets Manager asks for:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html.
func TestTokenOfACall(t *testing.T) {
	client, server := client(t)
	if _, err := client.Call(t.Context(), "us-east-1", "secretsmanager", "RotateSecret", map[string]any{"SecretId": "s"}); err != nil {
		t.Fatal(err)
	}
	if token, _ := server.Calls()[0].Parameters["ClientRequestToken"].(string); len(token) < 32 || len(token) > 64 {
		t.Errorf("token %q", token)
	}
}
