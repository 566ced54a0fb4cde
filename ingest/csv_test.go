package ingest

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func splitCSVText(tb testing.TB, text string) *recordingSink {
	tb.Helper()
	sink := new(recordingSink)
	if _, err := splitCSV(strings.NewReader(text), sink); err != nil {
		tb.Fatal(err)
	}
	return sink
}

func TestPublishedCSV(t *testing.T) {
	want := map[string]int{"AWS_CloudTrail_Authentication_IngestedLogs.csv": 3, "s3_bucket_deletion.csv": 12}
	for _, file := range corpusFiles(t, "*/*/*.csv") {
		text := readFile(t, file)
		if !looksLikeCSV(text[:200]) {
			t.Errorf("%s is not recognised by its first 200 bytes", file)
		}
		sink := splitCSVText(t, string(text))
		if n, ok := want[filepath.Base(file)]; ok && len(sink.records) != n || len(sink.reasons) > 0 {
			t.Errorf("%s: %d records, rejects %q", file, len(sink.records), sink.reasons)
		}
		for _, record := range sink.records {
			r := rowOf(t, record)
			if r.text[colEventID] == nil || r.text[colAWSRegion] == nil || r.identity.text[idnType] == nil {
				t.Errorf("%s: %s", file, record)
			}
			if bytes.HasPrefix(text, []byte(`"_raw"`)) && r.text[colExtra] != nil && string(r.text[colExtra]) != `{"responseElements":null}` {
				t.Errorf("%s: the raw record got %s", file, r.text[colExtra])
			}
		}
	}
}

// historyHeader is the header of Event history since the end of 2020.
const historyHeader = `User name,AWS access key,Event time,Event source,Event name,AWS region,Source IP address,User agent,Error code,Resources,Request ID,Event ID,Read-only,Event type,Recipient Account Id,Event category`

func TestCSVForms(t *testing.T) {
	identity := `{type=AssumedRole, principalid=AROA:i-0, arn=arn:aws:sts::111122223333:assumed-role/R/i-0, accountid=111122223333, invokedby=null, accesskeyid=ASIA, username=null, sessioncontext={attributes={mfaauthenticated=true, creationdate=2026-03-01T09:00:00Z}, sessionissuer={type=Role, principalid=AROA, arn=arn:aws:iam::111122223333:role/R, accountid=111122223333, username=R}}}`
	for _, tc := range []struct{ name, text, want string }{
		{"Athena", `"eventversion","useridentity","eventtime","eventsource","eventname","requestparameters","responseelements","readonly","resources","tlsdetails","region","timestamp"` + "\n" +
			`"1.08","` + identity + `","2026-03-01T10:00:00Z","s3.amazonaws.com","GetObject","{""bucketName"":""b"",""n"":1}",,"true","[{arn=arn:aws:s3:::b, accountid=111122223333, type=AWS::S3::Bucket}]","{tlsversion=TLSv1.3, ciphersuite=null, clientprovidedhostheader=h}","us-east-1","2026/03/01"`,
			`{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROA:i-0","arn":"arn:aws:sts::111122223333:assumed-role/R/i-0","accountId":"111122223333","accessKeyId":"ASIA","sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"2026-03-01T09:00:00Z"},"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/R","accountId":"111122223333","userName":"R"}}},` +
				`"eventTime":"2026-03-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"bucketName":"b","n":1},"readOnly":true,"resources":[{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"}],"tlsDetails":{"tlsVersion":"TLSv1.3","clientProvidedHostHeader":"h"}}`},
		{"CloudTrail Lake", "eventID,eventName,eventSource,eventTime,requestParameters,readOnly,insightDetails\n" +
			`e-1,RunInstances,ec2.amazonaws.com,2023-01-22 16:53:53.000,"{instanceType=t3.micro, tags={""a"":[1]}}",false,`,
			`{"eventID":"e-1","eventName":"RunInstances","eventSource":"ec2.amazonaws.com","eventTime":"2023-01-22T16:53:53Z","requestParameters":{"instanceType":"t3.micro","tags":{"a":[1]}},"readOnly":false}`},
		{"Insights events of CloudTrail Lake", "eventid,eventtime,eventcategory,insightsource,insightstate,insighteventsource,insighteventname,insightcontext\n" +
			`e-1,2026-03-01 10:00:00.000,Insight,x,Start,ec2.amazonaws.com,RunInstances,"{baselineaverage=0.5, attributions=null}"`,
			`{"eventID":"e-1","eventTime":"2026-03-01T10:00:00Z","eventCategory":"Insight","insightDetails":{"state":"Start","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","insightContext":{"baselineaverage":"0.5","attributions":null}}}`},
		{"Event history", historyHeader + "\n" + `ana,AKIAIOSFODNN7EXAMPLE,2026-03-01T10:00:00Z,s3.amazonaws.com,PutObject,us-east-1,192.0.2.1,aws-cli,AccessDenied,"[{""resourceType"":""AWS::S3::Bucket"",""resourceName"":""b""}]",r-1,e-1,false,AwsApiCall,111122223333,Management`,
			`{"userIdentity":{"userName":"ana","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-03-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","errorCode":"AccessDenied","resources":[{"resourceType":"AWS::S3::Bucket","resourceName":"b"}],"requestID":"r-1","eventID":"e-1","readOnly":false,"eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}`},
		{"Event history of 2020", `Event ID,Event time,User name,Event name,Resource type,Resources,AWS access key,AWS region,Error code,Source IP address` + "\n" + `e-1,"2020-05-13, 04:52:01 PM",ana,PutObject,S3 Bucket,b,AKIAIOSFODNN7EXAMPLE,us-east-1,,192.0.2.1`,
			`{"eventID":"e-1","eventTime":"2020-05-13T16:52:01Z","userIdentity":{"userName":"ana","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventName":"PutObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1"}`},
		{"Event history out of a spreadsheet", "\ufeffsep=;\r\nEvent name;;Event time;Event source;Recipient Account Id;Read-only\r\nPutObject;;13/05/2020 16:52;s3.amazonaws.com;5,28758E+11;FALSE\r\n;;;;;\r\n",
			`{"eventName":"PutObject","eventTime":"2020-05-13T16:52:00Z","eventSource":"s3.amazonaws.com","readOnly":false}`},
		{"zeros in front of an account id", "Event name\tEvent time\tEvent source\tRecipient Account Id\nPutObject\t2026-03-01T10:00:00Z\ts3.amazonaws.com\t11122223333",
			`{"eventName":"PutObject","eventTime":"2026-03-01T10:00:00Z","eventSource":"s3.amazonaws.com","recipientAccountId":"011122223333"}`},
		{"Splunk without _raw", `"_time",eventID,eventName,eventSource,eventTime,eventtype,readOnly,"requestParameters.bucketPolicy.Statement{}.Action","requestParameters.bucketPolicy.Statement{}.Sid","requestParameters.x-y","resources{}.ARN","resources{}.type",responseElements,"user_agent",userAgent,"userIdentity.sessionContext.attributes.mfaAuthenticated","user_name"` + "\n" +
			`"2026-03-01T10:00:00.000+00:00",e-1,PutBucketPolicy,s3.amazonaws.com,2026-03-01T10:00:00Z,aws_any,false,"s3:Get,x` + "\n" + `s3:Put","1` + "\n" + `2",z,"arn:aws:s3:::b","AWS::S3::Bucket",null,cim,cli,false,cim`,
			`{"eventID":"e-1","eventName":"PutBucketPolicy","eventSource":"s3.amazonaws.com","eventTime":"2026-03-01T10:00:00Z","readOnly":false,"userAgent":"cli","requestParameters":{"x-y":"z","bucketPolicy":{"Statement":[{"Action":"s3:Get,x","Sid":"1"},{"Action":"s3:Put","Sid":"2"}]}},"resources":[{"ARN":"arn:aws:s3:::b","type":"AWS::S3::Bucket"}],"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":"false"}}}}`},
		{"Microsoft Sentinel in American English", `"TimeGenerated [UTC]",AwsEventId,EventTypeName,EventName,EventSource,SessionMfaAuthenticated,"SessionCreationDate [UTC]",SessionIssuerArn,"AwsRequestId_",RequestParameters,Category,TlsVersion,UserIdentityType` + "\n" +
			`"4/3/2025, 9:45:54.000 AM",e-1,AwsApiCall,GetObject,s3.amazonaws.com,true,"4/3/2025, 8:00:00.000 AM",arn:aws:iam::111122223333:role/R,r-1,"{""a"":1}",Data,TLSv1.3,AssumedRole`,
			`{"eventTime":"2025-04-03T09:45:54Z","eventID":"e-1","eventType":"AwsApiCall","eventName":"GetObject","eventSource":"s3.amazonaws.com","userIdentity":{"type":"AssumedRole","sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"2025-04-03T08:00:00Z"},"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/R"}}},"requestID":"r-1","requestParameters":{"a":1},"eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3"}}`},
		{"Kibana", `"@timestamp","event.action","event.provider","event.id","cloud.region","aws.cloudtrail.user_identity.type","aws.cloudtrail.user_identity.arn","aws.cloudtrail.user_identity.session_context.mfa_authenticated","aws.cloudtrail.request_parameters","source.ip","user_agent.original"` + "\n" +
			`"Mar 1, 2026 @ 10:00:00.000",GetObject,s3.amazonaws.com,e-1,us-east-1,IAMUser,arn:aws:iam::111122223333:user/ana,false,"{bucketName=b, key=k}",192.0.2.1,cli`,
			`{"eventTime":"2026-03-01T10:00:00Z","eventName":"GetObject","eventSource":"s3.amazonaws.com","eventID":"e-1","awsRegion":"us-east-1","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"requestParameters":{"bucketName":"b","key":"k"},"sourceIPAddress":"192.0.2.1","userAgent":"cli"}`},
		{"trailscan", "event_id,event_time,event_source,event_name,read_only,account_id,identity_type,identity_arn,session_mfa,request_parameters\n" +
			`e-1,2026-03-01T10:00:00Z,s3.amazonaws.com,GetObject,true,111122223333,IAMUser,arn:aws:iam::111122223333:user/ana,false,"{""bucketName"":""b""}"`,
			`{"eventID":"e-1","eventTime":"2026-03-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","readOnly":true,"recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"requestParameters":{"bucketName":"b"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !looksLikeCSV([]byte(tc.text)) {
				t.Error("is not recognised")
			}
			sink := splitCSVText(t, tc.text)
			if len(sink.records) != 1 || len(sink.reasons) > 0 {
				t.Fatalf("%d records, rejects %q", len(sink.records), sink.reasons)
			}
			record := sink.records[0]
			source := member(record, formatCSV)
			if source == nil {
				t.Fatalf("the row is not kept: %s", record)
			}
			got := bytes.Replace(record, append([]byte(`,"csv":`), source...), nil, 1)
			if !bytes.Equal(canonical(got), canonical([]byte(tc.want))) {
				t.Errorf("is    %s\nwants %s", canonical(got), canonical([]byte(tc.want)))
			}
			rowOf(t, record)
		})
	}
}

// TestCSVOfWholeRecords: a column has the record itself, and nothing is added.
func TestCSVOfWholeRecords(t *testing.T) {
	a := event("a")
	inQuotes := func(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }
	for _, tc := range []struct{ name, text string }{
		{"Splunk", "\"_raw\",\"_time\",eventName\n" + inQuotes(a) + ",2026-03-01T10:00:00.000+00:00,other"},
		{"Splunk, from syslog", "_raw,_time\n" + inQuotes("Mar  1 10:00:00 host cloudtrail: "+a) + ",x"},
		{"Splunk, from EventBridge", "_raw,_time\n" + inQuotes(`{"detail-type":"AWS API Call via CloudTrail","detail":`+a+`}`) + ",x"},
		{"CloudTrail Lake", "eventJson,eventJsonChecksum\n" + inQuotes(a) + ",x"},
		{"CloudWatch Logs Insights", "@timestamp,@message\n2026-03-01 10:00:00.000," + inQuotes(a)},
		{"lookup-events", "EventId\tEventName\tCloudTrailEvent\na\tListUsers\t" + inQuotes(a)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sink := splitCSVText(t, tc.text+"\n")
			if !looksLikeCSV([]byte(tc.text)) || len(sink.records) != 1 || string(sink.records[0]) != a || len(sink.reasons)+len(sink.passed) > 0 {
				t.Errorf("%q, rejects %q, passed %q", sink.records, sink.reasons, sink.passed)
			}
		})
	}
	sink := splitCSVText(t, "_raw,_time\nsshd: session opened,x\n"+inQuotes(a)+",x")
	if len(sink.records) != 1 || len(sink.reasons) != 0 || len(sink.passed) != 1 {
		t.Errorf("another log in a search: %q, rejects %q, passed %q", sink.records, sink.reasons, sink.passed)
	}
	sink = splitCSVText(t, "eventJson\n"+inQuotes(a[:len(a)-1]+`"`)+"\n"+inQuotes(a))
	if len(sink.records) != 1 || len(sink.reasons) != 1 || !strings.Contains(sink.reasons[0], "broken JSON") {
		t.Errorf("a damaged record: %q, rejects %q, passed %q", sink.records, sink.reasons, sink.passed)
	}
}

// TestCSVRows: rows are what they are, whatever quotes and line ends they have.
func TestCSVRows(t *testing.T) {
	header := "eventTime,eventName,eventSource,eventID,userAgent\n"
	row := func(id, agent string) string {
		return "2026-03-01T10:00:00Z,ListUsers,iam.amazonaws.com," + id + "," + agent
	}
	for _, tc := range []struct {
		name, text string
		agents     []string // as the source rows have them
		rejects    []string
	}{
		{"line ends", header + row("a", "x") + "\r\n\r\n" + row("b", "y") + "\r" + row("c", "z"), []string{"x", "y", "z"}, nil},
		{"quoted", header + row("a", "\"x, \"\"y\"\"\r\nz\"") + "\n" + row("b", `"y"`), []string{"x, \"y\"\r\nz", "y"}, nil},
		{"quotes where they do not belong", header + row("a", `x "y" z`) + "\n" + row("b", `"y" z`), []string{`x "y" z`, "y z"}, nil},
		{"rows shorter and longer than the header", header + "2026-03-01T10:00:00Z,ListUsers,iam.amazonaws.com\n" + row("a", "x,more"), []string{"", "x"}, nil},
		{"a quote that does not end", header + row("a", "x") + "\n" + row("b", `"y`) + "\n" + row("c", "z") + "\n", []string{"x", "z"}, []string{"does not end"}},
		{"rows that are none", header + row("a", "x") + "\nListUsers,,,total,1\n,,,,\n" + row("b", "y"), []string{"x", "y"}, []string{"row 3 of the CSV file"}},
		{"columns of one name", strings.TrimSpace(header) + ",eventName\n" + row("a", "x,second"), []string{"x"}, nil},
		{"lines before the header", "Results of a query\nof today\n" + header + row("a", "x"), []string{"x"}, nil},
		{"times in the order of the file", header + strings.Replace(row("a", "x"), "2026-03-01T10:00:00Z", "1/2/2026 10:00", 1) + "\n" + strings.Replace(row("b", "y"), "2026-03-01T10:00:00Z", "1/31/2026 10:00", 1), []string{"x", "y"}, nil},
		{"another table", "name,size\na,1\n", nil, []string{"no CSV of CloudTrail records"}},
		{"an aggregate", "eventSource,eventName,apiCount\ns3.amazonaws.com,PutObject,96059\n", nil, []string{"no CSV of CloudTrail records"}},
		{"nothing", "", nil, []string{"no CSV of CloudTrail records"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sink := splitCSVText(t, tc.text)
			var agents []string
			for _, r := range sink.records {
				agents = append(agents, scalarText(orNull(member(member(r, formatCSV), "userAgent"))))
				rowOf(t, r)
			}
			if strings.Join(agents, "|") != strings.Join(tc.agents, "|") || len(agents) != len(tc.agents) {
				t.Errorf("user agents %q, wants %q", agents, tc.agents)
			}
			reasons := append(sink.reasons, sink.passed...)
			if len(reasons) != len(tc.rejects) {
				t.Fatalf("rejects %q, wants %q", reasons, tc.rejects)
			}
			for i, reason := range reasons {
				if !strings.Contains(reason, tc.rejects[i]) {
					t.Errorf("rejects %q, wants %q", reason, tc.rejects[i])
				}
			}
			if tc.name == "times in the order of the file" && !bytes.Contains(sink.records[0], []byte(`"eventTime":"2026-01-02T10:00:00Z"`)) {
				t.Errorf("the day stands first: %s", sink.records[0])
			}
			if tc.name == "columns of one name" && !bytes.Contains(sink.records[0], []byte(`"eventName (column 6)":"second"`)) {
				t.Errorf("a column is lost: %s", sink.records[0])
			}
		})
	}
}

// TestCSVResumesOnce: what follows a quote that does not end is read once more,
// not once for every line.
func TestCSVResumesOnce(t *testing.T) {
	sink := splitCSVText(t, "eventTime,eventName\n\"x\n"+strings.Repeat("2026-03-01T10:00:00Z,\"\"\"\"\"\"\n2026-03-01T10:00:00Z,\"\"y\n", 100))
	if len(sink.reasons) != 1 || len(sink.records) != 200 {
		t.Errorf("%d records, rejects %q", len(sink.records), sink.reasons)
	}
}

func TestAccountText(t *testing.T) {
	for text, want := range map[string]string{
		"111122223333": "111122223333", "11122223333": "011122223333", "5.28758E+11": "", "1.11122223333E+11": "111122223333", "5,28758E+11": "",
		"1.11122223333e+11": "111122223333", "anonymous": "anonymous", "1111222233334": "1111222233334", "E+11": "", "cloudtrail.amazonaws.com": "cloudtrail.amazonaws.com",
	} {
		if got := accountText(text); got != want {
			t.Errorf("%s is %q, not %q", text, got, want)
		}
	}
}

// FuzzCSV has any text read as CSV: whatever is handed on is well-formed, and
// nothing goes by in silence.
func FuzzCSV(f *testing.F) {
	row := "2026-03-01T10:00:00Z,ListUsers,iam.amazonaws.com,a\n"
	for _, seed := range []string{
		"eventTime,eventName,eventSource,eventID\n" + row, "eventTime;eventName;useridentity\r\n1/2/2026;x;{type=IAMUser, arn=x}", "_raw,_time\n\"{\"\"eventTime\"\":1}\",x",
		"eventTime,eventName,resources{}.ARN,requestParameters.a{}.b\n" + row, "eventTime,eventName\n\"" + row + row, "sep=;\nEvent name;Event time\nx;13.05.2020 16:52",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sink := new(recordingSink)
		format, err := splitCSV(bytes.NewReader(text), sink)
		if err != nil || format == "" && len(sink.passed) == 0 {
			t.Errorf("format %q, %v", format, err)
		}
		for _, r := range sink.records {
			if !jsontext.Value(r).IsValid(decoderOptions()...) {
				t.Errorf("not well-formed: %q", r)
			}
		}
	})
}
