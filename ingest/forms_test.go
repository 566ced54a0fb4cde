package ingest

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestFromObject(t *testing.T) {
	for _, tc := range []struct{ name, object, want string }{
		{"Microsoft Sentinel", `{"TimeGenerated":"2026-03-01T10:00:00Z","AwsEventId":"e-1","EventTypeName":"AwsApiCall","EventName":"ListUsers","EventSource":"iam.amazonaws.com",
			"UserIdentityType":"IAMUser","UserIdentityPrincipalid":"AIDA","SessionMfaAuthenticated":true,"ReadOnly":false,"RequestParameters":"{\"a\":1}","ResponseElements":"","Type":"AWSCloudTrail"}`,
			`{"eventTime":"2026-03-01T10:00:00Z","eventID":"e-1","eventType":"AwsApiCall","eventName":"ListUsers","eventSource":"iam.amazonaws.com",
			"userIdentity":{"type":"IAMUser","principalId":"AIDA","sessionContext":{"attributes":{"mfaAuthenticated":"true"}}},"readOnly":false,"requestParameters":{"a":1}}`},
		{"ECS, nested", `{"@timestamp":"2026-03-01T10:00:00.000Z","event":{"action":"ListUsers","provider":"iam.amazonaws.com","id":"e-1","dataset":"aws.cloudtrail"},
			"cloud":{"region":"us-east-1","account":{"id":"111122223333"}},"source":{"ip":"192.0.2.1","address":"example.org"},"user":{"name":"ana","id":"AIDA"},"user_agent":{"original":"aws-cli","name":"cli"},"tags":["x"],
			"aws":{"cloudtrail":{"event_version":"1.08","read_only":true,"user_identity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","access_key_id":"AKIA","session_context":{"creation_date":"2026-03-01T09:00:00.000Z"}},
			"request_parameters":"{maxItems=1, filter={a=b}}","response_elements":"{x={y=[1]}}","flattened":{"response_elements":{"x":{"y":[1]}}},"additional_eventdata":"{k=v}","recipient_account_id":"111122223333"}}}`,
			`{"eventTime":"2026-03-01T10:00:00Z","eventName":"ListUsers","eventSource":"iam.amazonaws.com","eventID":"e-1","awsRegion":"us-east-1","recipientAccountId":"111122223333",
			"sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","eventVersion":"1.08","readOnly":true,"requestParameters":{"maxItems":"1","filter":{"a":"b"}},"responseElements":{"x":{"y":[1]}},"additionalEventData":{"k":"v"},
			"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","accessKeyId":"AKIA","userName":"ana","principalId":"AIDA","sessionContext":{"attributes":{"creationDate":"2026-03-01T09:00:00Z"}}}}`},
		{"ECS, dotted", `{"@timestamp":"2026-03-01T10:00:00Z","event.action":"ListUsers","event.provider":"iam.amazonaws.com","aws.cloudtrail.user_identity.type":"Root","aws.cloudtrail.management_event":"true"}`,
			`{"eventTime":"2026-03-01T10:00:00Z","eventName":"ListUsers","eventSource":"iam.amazonaws.com","userIdentity":{"type":"Root"},"managementEvent":true}`},
		{"Athena's table as JSON", `{"eventtime":"2026-03-01T10:00:00Z","eventname":"ListUsers","eventsource":"iam.amazonaws.com","useridentity":{"type":"IAMUser","accesskeyid":"AKIA","sessioncontext":null},
			"requestparameters":"{\"a\":[1]}","responseelements":"null","readonly":"true","resources":[{"arn":"x","accountid":11122223333}],"recipientaccountid":11122223333}`,
			`{"eventTime":"2026-03-01T10:00:00Z","eventName":"ListUsers","eventSource":"iam.amazonaws.com","userIdentity":{"type":"IAMUser","accessKeyId":"AKIA"},"requestParameters":{"a":[1]},
			"readOnly":true,"resources":[{"ARN":"x","accountId":"011122223333"}],"recipientAccountId":"011122223333"}`},
		{"an aggregate", `{"eventName":"PutObject","apiCount":"3"}`, ``},
		{"nothing", `{}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			record, ok := fromObject("form", []byte(tc.object))
			if ok != (tc.want != "") {
				t.Fatalf("ok is %v: %s", ok, record)
			}
			if !ok {
				return
			}
			got := bytes.Replace(record, append([]byte(`,"form":`), tc.object...), nil, 1)
			if !bytes.Equal(canonical(got), canonical([]byte(tc.want))) {
				t.Errorf("is    %s\nwants %s", canonical(got), canonical([]byte(tc.want)))
			}
			rowOf(t, record)
		})
	}
}

// FuzzObject has any JSON taken for a row of columns and for an OCSF event.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{"eventtime":"2026-03-01T10:00:00Z","eventname":"x","useridentity":{"type":"a"},"resources":[{"arn":"x"},1]}`, `{"@timestamp":1,"event":{"action":"x","original":"{}"}}`,
		`{"class_uid":1,"metadata":{"product":{"name":"CloudTrail"}},"time":1600726972000,"api":{"operation":"x","request":{"data":"{}"}},"unmapped":{"a[].b":"x,y","requestParameters.a[].b[].c":"1","requestParameters.a[].d":"1,2"}}`,
		`{"class_uid":1,"time":1,"api":{"operation":"CreateUser","service":{"name":"iam.amazonaws.com"}},"unmapped":[["requestParameters[]","a,b"],["requestParameters.x","1"],{"key":"resources[].ARN","value":"[1,2]"}],"class_name":"Account Change","user":{"name":"u","uid":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		if !jsontext.Value(object).IsValid(decoderOptions()...) || object[skipSpace(object, 0)] != '{' {
			return
		}
		for _, convert := range []func() ([]byte, bool){
			func() ([]byte, bool) { return fromOCSF(object) },
			func() ([]byte, bool) { return fromObject("form", object) },
		} {
			if record, ok := convert(); ok && !jsontext.Value(record).IsValid(decoderOptions()...) {
				t.Errorf("%q becomes %q", object, record)
			}
		}
	})
}
