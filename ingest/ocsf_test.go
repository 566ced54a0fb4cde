package ingest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// corpusFiles are files of the corpus of published exports, by their folder.
func corpusFiles(tb testing.TB, pattern string) []string {
	tb.Helper()
	corpus := os.Getenv("TRAILSCAN_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "formats", pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skipf("no corpus of published exports at %s (TRAILSCAN_CORPUS names another)", corpus)
	}
	return files
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// rowOf flattens a record.
func rowOf(tb testing.TB, record []byte) testRow {
	tb.Helper()
	if !jsontext.Value(record).IsValid(decoderOptions()...) {
		tb.Fatalf("not well-formed: %s", record)
	}
	f := newTestFlattener()
	r, reason := f.flatten(record)
	if reason != "" {
		tb.Fatalf("%s: %s", reason, record)
	}
	out := testRow{row: r, identity: new(identityRow)}
	if text := f.identities.pending.text; len(text) > 0 {
		f.readIdentity(out.identity, text)
	}
	f.readContext(f.contexts.pending.text, func(m *span, value []byte, _ bool) { out.context[memberColumns[m.index].column] = value })
	out.values = f.rebuildValues(r)
	return out
}

// testRow is a row with all columns of its identity and its context.
type testRow struct {
	*row
	identity *identityRow
	context  [contextColumnCount][]byte
	values   []any
}

// rebuilt is the record again.
func (r testRow) rebuilt() ([]byte, error) { return Rebuild(r.values) }

func TestPublishedOCSF(t *testing.T) {
	for _, file := range corpusFiles(t, "ocsf/*/*.json") {
		record, ok := fromOCSF(readFile(t, file))
		if !ok {
			t.Errorf("%s: no record", file)
			continue
		}
		r := rowOf(t, record)
		if r.text[colEventID] == nil || r.identity.text[idnARN] == nil || r.text[colRequestParameters] == nil {
			t.Errorf("%s: %s", file, record)
		}
	}
}

func TestFromOCSF(t *testing.T) {
	base := func(more string) string {
		return `{"metadata":{"product":{"name":"CloudTrail","version":"1.08","feature":{"name":"Management"}},"uid":"e-1","event_code":"AwsApiCall","version":"1.1.0"},"time":1767225600123,
			"cloud":{"region":"us-east-1","account":{"uid":"111122223333"}},"class_uid":6003,"class_name":"API Activity"` + more + `}`
	}
	const head = `"eventVersion":"1.08","eventTime":"2026-01-01T00:00:00.123Z","awsRegion":"us-east-1","eventID":"e-1","eventType":"AwsApiCall","eventCategory":"Management","recipientAccountId":"111122223333"`
	api := func(operation, more string) string {
		return `,"api":{"operation":"` + operation + `","service":{"name":"iam.amazonaws.com"},"request":{"uid":"''"` + more + `}}`
	}
	called := func(operation string) string {
		return `"eventSource":"iam.amazonaws.com","eventName":"` + operation + `"`
	}
	for _, tc := range []struct{ name, object, want string }{
		{"1.1: user, session, request, resources", base(`,"actor":{"invoked_by":"ecs.amazonaws.com","session":{"created_time_dt":"2026-01-01T01:00:00.000+02:00","is_mfa":false,"issuer":"arn:aws:iam::111122223333:role/R"},
			"user":{"account":{"uid":"111122223333"},"credential_uid":"ASIA","type":"AssumedRole","uid":"arn:aws:sts::111122223333:assumed-role/R/s","uid_alt":"AROA:s"},"idp":{"name":"accounts.google.com"}},
			"api":{"operation":"X","service":{"name":"iam.amazonaws.com"},"request":{"data":"{\"a\":[1]}","uid":"r-1"},"response":{"data":{"b":2},"error":"AccessDenied","message":"no"}},
			"src_endpoint":{"domain":"ecs.amazonaws.com","uid":""},"resources":[{"uid":"arn:aws:s3:::b","owner":{"account":{"uid":"111122223333"}},"type":"AWS::S3::Bucket"}],
			"unmapped":{"readOnly":"true","userIdentity.sessionContext.sessionIssuer.userName":"R","tlsDetails":"{\"tlsVersion\":\"TLSv1.3\"}","sharedEventID":""}`),
			`{` + head + `,"eventSource":"iam.amazonaws.com","eventName":"X","userIdentity":{"type":"AssumedRole","principalId":"AROA:s","arn":"arn:aws:sts::111122223333:assumed-role/R/s","accountId":"111122223333","accessKeyId":"ASIA","invokedBy":"ecs.amazonaws.com",
			"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/R","userName":"R"},"webIdFederationData":{"federatedProvider":"accounts.google.com"},"attributes":{"creationDate":"2025-12-31T23:00:00Z","mfaAuthenticated":"false"}}},
			"requestParameters":{"a":[1]},"responseElements":{"b":2},"requestID":"r-1","errorCode":"AccessDenied","errorMessage":"no","sourceIPAddress":"ecs.amazonaws.com","readOnly":true,"tlsDetails":{"tlsVersion":"TLSv1.3"},
			"resources":[{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"}]}`},
		{"an Identity Center user", base(`,"actor":{"idp":{"uid":"arn:aws:identitystore::1:identitystore/d-9"},"user":{"type":"IdentityCenterUser","uid_alt":"u-1","credential_uid":"c-1"}}` + api("X", "")),
			`{` + head + `,` + called("X") + `,"userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:aws:identitystore::1:identitystore/d-9"},"credentialId":"c-1"}}`},
		{"lists that agree and that do not", base(api("X", "") + `,"unmapped":{"requestParameters.s[].a":"1,2","requestParameters.s[].b.c":"3,4","requestParameters.t[].a":"x,y","requestParameters.t[].b":"z",
			"requestParameters.u[]":"{\"k\":[1,2]},w","requestParameters.v[].w[].x":"1,2","requestParameters.e":""}`),
			`{` + head + `,` + called("X") + `,"requestParameters":{"s":[{"a":"1","b":{"c":"3"}},{"a":"2","b":{"c":"4"}}],"t":[{"a":"x,y","b":"z"}],"u":["{\"k\":[1,2]}","w"],"v":[{"w":[{"x":"1"},{"x":"2"}]}],"e":""}}`},
		{"key and value", base(api("X", "") + `,"unmapped":[{"key":"apiVersion","value":"2010"},{"key":"requestParameters.n","value":3}]`),
			`{` + head + `,` + called("X") + `,"apiVersion":"2010","requestParameters":{"n":3}}`},
		{"nested unmapped", base(api("X", "") + `,"unmapped":{"requestParameters":{"a":{"b":1}},"additionalEventData":null,"userIdentity":{"sessionContext":{"sourceIdentity":"ana"}},"strange":1}`),
			`{` + head + `,` + called("X") + `,"requestParameters":{"a":{"b":1}},"userIdentity":{"sessionContext":{"sourceIdentity":"ana"}}}`},
		{"another product", `{"class_uid":6003,"metadata":{"product":{"name":"Amazon EKS"}},"time":1,"api":{"operation":"create","service":{"name":"x.amazonaws.com"}}}`, ``},
		{"no OCSF", event("a"), ``},
		{"without a time", `{"class_uid":6003,"metadata":{"product":{"name":"CloudTrail"}},"api":{"operation":"X"}}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			record, ok := fromOCSF([]byte(tc.object))
			if ok != (tc.want != "") {
				t.Fatalf("ok is %v: %s", ok, record)
			}
			if !ok {
				return
			}
			got := bytes.Replace(record, append([]byte(`,"ocsf":`), tc.object...), nil, 1)
			if !bytes.Equal(canonical(got), canonical([]byte(tc.want))) {
				t.Errorf("is    %s\nwants %s", canonical(got), canonical([]byte(tc.want)))
			}
			rowOf(t, record)
		})
	}
}

// TestAbsorbed: parameters that fields of OCSF took the place of are put back
// where it is certain which they were, and not otherwise.
func TestAbsorbed(t *testing.T) {
	for _, tc := range []struct{ class, operation, more, want string }{
		{"Authentication", "AssumeRole", `"user":{"uuid":"arn:r","name":"s"}`, `"requestParameters":{"roleArn":"arn:r","roleSessionName":"s"}`},
		{"Authentication", "AssumeRole", `"user":{"uuid":"arn:r"},"unmapped":{"requestParameters":"{\"whole\":1}"}`, `"requestParameters":{"whole":1}`},
		{"Authentication", "ConsoleLogin", `"mfa":true,"status":"Failure","dst_endpoint":{"svc_name":"https://x"}`, `"additionalEventData":{"LoginTo":"https://x","MFAUsed":"Yes"},"responseElements":{"ConsoleLogin":"Failure"}`},
		{"Authentication", "ConsoleLogin", `"is_mfa":false,"status":"Other"`, `"additionalEventData":{"MFAUsed":"No"}`},
		{"Authentication", "GetFederationToken", `"user":{"name":"s"}`, ``},
		{"Account Change", "CreateRole", `"user":{"name":"R","uid":"AROA"}`, `"requestParameters":{"roleName":"R"},"responseElements":{"role":{"roleName":"R","roleId":"AROA"}}`},
		{"Account Change", "CreateRole", `"user":{"name":"R","uid":null}`, `"requestParameters":{"roleName":"R"}`},
		{"Account Change", "AddRoleToInstanceProfile", `"user":{"name":"R"}`, `"requestParameters":{"roleName":"R"}`},
		{"Account Change", "CreateAccessKey", `"user":{"name":"u"}`, `"requestParameters":{"userName":"u"}`},
		{"Account Change", "AttachUserPolicy", `"user":{"name":"u"}`, `"requestParameters":{"userName":"u"}`},
		{"Account Change", "CreateGroup", `"user":{"name":"g"}`, ``},
		{"API Activity", "CreateRole", `"user":{"name":"R"}`, ``},
	} {
		object := `{"class_uid":1,"class_name":"` + tc.class + `","metadata":{"product":{"name":"CloudTrail"}},"time":1767225600000,"api":{"operation":"` + tc.operation + `"},` + tc.more + `}`
		record, ok := fromOCSF([]byte(object))
		want := `{"eventTime":"2026-01-01T00:00:00Z","eventName":"` + tc.operation + `","ocsf":` + object
		if tc.want != "" {
			want += "," + tc.want
		}
		if !ok || !bytes.Equal(canonical(record), canonical([]byte(want+"}"))) {
			t.Errorf("%s %s: %s\nwants %s", tc.class, tc.operation, record, want)
		}
	}
}
