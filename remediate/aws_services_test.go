package remediate

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailscan/internal/mototest"
	"trailscan/internal/shapeserver"
)

// Every service has its own names for the place where a cut answer goes on.
func TestAnswersInPagesAreWhole(t *testing.T) {
	for _, c := range []struct {
		call, list, token, parameter string
		in                           object
	}{
		{"kms:ListAliases", "Aliases", "NextMarker", "Marker", nil},
		{"ec2:DescribeSnapshots", "Snapshots", "NextToken", "NextToken", nil},
		{"rds:DescribeDBInstances", "DBInstances", "Marker", "Marker", nil},
		{"apigateway:GetRestApis", "Items", "Position", "Position", nil},
		{"guardduty:ListDetectors", "DetectorIds", "NextToken", "NextToken", nil},
		{"route53:ListResourceRecordSets", "ResourceRecordSets", "NextRecordName", "StartRecordName", object{"HostedZoneId": "Z1"}},
	} {
		a, server := shapes(t)
		server.Answer = func(got shapeserver.Call) (map[string]any, *shapeserver.Failure) {
			item := any(object{})
			if c.list == "DetectorIds" {
				item = "d"
			}
			answer := object{c.list: []any{item}}
			switch got.Parameters[c.parameter] {
			case nil:
				answer[c.token] = "second"
			case "second":
				answer[c.token] = "third"
			}
			return answer, nil
		}
		service, operation := splitCall(c.call)
		answer, err := a.Call(t.Context(), there, Call{service, operation, c.in})
		if err != nil {
			t.Errorf("%s: %v", c.call, err)
			continue
		}
		if n := len(answer.Result[c.list].([]any)); n != 3 {
			t.Errorf("%s: %d elements, want those of 3 pages", c.call, n)
		}
	}
}

// EC2 checks a write before it is made; one that it would refuse is not sent.
func TestEC2RehearsesWrites(t *testing.T) {
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, string(body))
		w.WriteHeader(http.StatusForbidden)
		if _, err := io.WriteString(w, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	mototest.Isolate(t)
	a, err := NewAWS(t.Context(), AWSOptions{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Call(t.Context(), there, sdkCall("ec2:DeleteSnapshot", "SnapshotId", "snap-1"))
	if !isDenied(err) || len(sent) != 1 || !strings.Contains(sent[0], "DryRun=true") {
		t.Errorf("sent %q: %v", sent, err)
	}
}

// S3 says where a bucket is to one who asks in another region.
func TestBucketsAreAskedInTheirRegion(t *testing.T) {
	var regions []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		region := strings.Split(r.Header.Get("Authorization"), "/")[2]
		regions = append(regions, region)
		if region != "eu-west-1" {
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		if _, err := io.WriteString(w, "{}"); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	mototest.Isolate(t)
	a, err := NewAWS(t.Context(), AWSOptions{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Call(t.Context(), there, sdkCall("s3:GetBucketPolicy", "Bucket", "b"))
	if err != nil || answer.Result["Policy"] != "{}" || !slices.Equal(regions, []string{"us-east-1", "eu-west-1"}) {
		t.Errorf("asked in %v: %v, %v", regions, answer.Result, err)
	}
}

// TestApplyOfCallsThatMotoLacks carries out, repeats and takes back what moto
// does not have, against the server that checks each request.
func TestApplyOfCallsThatMotoLacks(t *testing.T) {
	a, server := shapes(t)
	boundary, status, anchor := "arn:aws:iam::aws:policy/Own", "Active", true
	server.Answer = func(c shapeserver.Call) (map[string]any, *shapeserver.Failure) {
		in := c.Parameters
		switch c.Operation {
		case "GetCallerIdentity":
			return object{"Account": fakeAccount, "Arn": operator, "UserId": "AIDAOPERATOR00000000"}, nil
		case "GetUser":
			user := object{"UserName": in["UserName"], "UserId": "AIDAALICE00000000000", "Arn": "arn:aws:iam::111122223333:user/alice", "Path": "/", "CreateDate": "2026-01-01T00:00:00Z"}
			if boundary != "" {
				user["PermissionsBoundary"] = object{"PermissionsBoundaryArn": boundary, "PermissionsBoundaryType": "PermissionsBoundaryPolicy"}
			}
			return object{"User": user}, nil
		case "PutUserPermissionsBoundary":
			boundary = in["PermissionsBoundary"].(string)
		case "DeleteUserPermissionsBoundary":
			boundary = ""
		case "ListServiceSpecificCredentials":
			return object{"ServiceSpecificCredentials": []any{object{"ServiceSpecificCredentialId": "ACCA1", "Status": status, "UserName": "alice",
				"ServiceName": "bedrock.amazonaws.com", "CreateDate": "2026-01-01T00:00:00Z"}}}, nil
		case "UpdateServiceSpecificCredential":
			status = in["Status"].(string)
		case "GetTrustAnchor":
			return object{"TrustAnchor": object{"TrustAnchorId": in["TrustAnchorId"], "Enabled": anchor}}, nil
		case "DisableTrustAnchor", "EnableTrustAnchor":
			anchor = c.Operation == "EnableTrustAnchor"
			return object{"TrustAnchor": object{"Enabled": anchor}}, nil
		}
		return nil, nil
	}
	const deny = "arn:aws:iam::aws:policy/AWSDenyAll"
	p := seal(t,
		do("boundary", Contain, Auto, sdkCall("iam:PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", deny)).with(
			back(sdkCall("iam:DeleteUserPermissionsBoundary", "UserName", "alice"))),
		do("bedrock-key", Contain, Auto, sdkCall("iam:UpdateServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", "ACCA1", "Status", "Inactive")).with(
			back(sdkCall("iam:UpdateServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", "ACCA1", "Status", "Active"))),
		do("anchor", Contain, Auto, sdkCall("rolesanywhere:DisableTrustAnchor", "TrustAnchorId", "11111111-2222-3333-4444-555555555555")).with(
			back(sdkCall("rolesanywhere:EnableTrustAnchor", "TrustAnchorId", "11111111-2222-3333-4444-555555555555"))),
	)
	e := &Executor{Caller: a, Journal: filepath.Join(t.TempDir(), "j.ndjson")}
	for _, want := range []Status{Done, AlreadyDone} {
		r, err := e.Apply(context.Background(), p, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, r, "boundary", want, "bedrock-key", want, "anchor", want)
		if boundary != deny || status != "Inactive" || anchor {
			t.Errorf("boundary %q, status %q, anchor %v", boundary, status, anchor)
		}
	}
	if r, err := e.Rollback(context.Background(), e.Journal); err != nil || r.Failed() {
		t.Fatalf("rollback: %v %v", r, err)
	}
	if boundary != "arn:aws:iam::aws:policy/Own" || status != "Active" || !anchor {
		t.Errorf("after the rollback boundary %q, status %q, anchor %v", boundary, status, anchor)
	}
	if _, err := a.Call(t.Context(), there, sdkCall("iam:SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111122223333:user/alice", "ActionNames", []any{"s3:ListAllMyBuckets"})); err != nil {
		t.Error(err)
	}
}
