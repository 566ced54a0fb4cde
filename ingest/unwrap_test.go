package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// quoted is a text as a JSON string.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func base64ed(text string) string {
	return `"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"`
}

// wrapping is a form with two records in it, and the form it is taken for.
type wrapping struct{ name, text, format string }

// wrappings has the records a and b, the same twice where they are apart, in
// every form that keeps records whole.
func wrappings(a, b string) []wrapping {
	item := func(r string) string {
		return `{"EventId":"x","EventName":"ListUsers","ReadOnly":"true","EventTime":1772359200.0,"Resources":[],"CloudTrailEvent":` + quoted(r) + `}`
	}
	bridge := func(r string) string {
		return `{"version":"0","id":"x","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"111122223333","time":"2026-03-01T10:00:00Z","region":"us-east-1","resources":[],"detail":` + r + `}`
	}
	resourcesFirst := `{"resources":["arn:aws:iam::111122223333:user/x"],"detail":` + b + `,"detail-type":"AWS Console Sign In via CloudTrail"}`
	subscription := func(events ...string) string {
		for i, e := range events {
			events[i] = fmt.Sprintf(`{"id":"%d","timestamp":1772359200000,"message":%s}`, i, quoted(e))
		}
		return `{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[` + strings.Join(events, ",") + `]}`
	}
	control := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}`
	logEvents := func(r string) string {
		return `{"logStreamName":"s","timestamp":1772359200000,"message":` + quoted(r) + `,"ingestionTime":1772359200001,"eventId":"1"}`
	}
	splunk := func(r string) string {
		return `{"preview":false,"offset":0,"result":{"_bkt":"main~1","_raw":` + quoted(r) + `,"_time":"2026-03-01T10:00:00.000+00:00","eventName":"ListUsers","eventSource":"iam.amazonaws.com"}}`
	}
	hit := func(source string) string {
		return `{"_index":"logs-aws.cloudtrail-default","_id":"1","_score":null,"_source":` + source + `}`
	}
	ecs := func(r string) string {
		return `{"@timestamp":"2026-03-01T10:00:00.000Z","event":{"dataset":"aws.cloudtrail","original":` + quoted(r) + `,"action":"ListUsers"},"aws":{"cloudtrail":{"event_version":"1.08"}},"message":"x"}`
	}
	return []wrapping{
		{"lookup-events", `{"Events":[` + item(a) + `,` + item(b) + `]}`, formatLookupEvents},
		{"lookup-events, token first", `{"NextToken":"x","Events":[` + item(a) + `,` + item(b) + `]}`, formatLookupEvents},
		{"lookup-events, an item a line", item(a) + "\n" + item(b) + "\n", formatLookupEvents},
		{"lookup-events, pages", `[{"Events":[` + item(a) + `]},{"Events":[` + item(b) + `]}]`, formatLookupEvents},
		{"EventBridge lines", bridge(a) + "\n" + resourcesFirst, formatEventBridge},
		{"EventBridge array", `[` + bridge(a) + `,` + resourcesFirst + `]`, formatEventBridge},
		{"EventBridge in SNS in SQS", `{"Messages":[{"MessageId":"1","Body":` + quoted(`{"Type":"Notification","Message":`+quoted(bridge(a))+`}`) + `},{"Body":` + quoted(bridge(b)) + `}]}`, formatEventBridge},
		{"subscription", subscription(a, b), formatCloudWatch},
		{"subscription, array", `[` + subscription(a) + `,` + control + `,` + subscription(b) + `]`, formatCloudWatch},
		{"subscriptions of Firehose", subscription(a) + control + subscription(b), formatCloudWatch},
		{"gzipped subscriptions of Firehose", gzipped(subscription(a), subscription(b)), formatCloudWatch},
		{"subscription of Lambda", `{"awslogs":{"data":` + base64ed(gzipped(subscription(a, b))) + `}}`, formatCloudWatch},
		{"subscription of Kinesis", `{"Records":[{"kinesis":{"partitionKey":"1","data":` + base64ed(gzipped(subscription(a))) + `},"eventSource":"aws:kinesis"},` +
			`{"kinesis":{"data":` + base64ed(subscription(b)) + `}}]}`, formatCloudWatch},
		{"get-records", `{"Records":[{"SequenceNumber":"1","PartitionKey":"x","Data":` + base64ed(gzipped(subscription(a, b))) + `}],"NextShardIterator":"x"}`, formatCloudWatch},
		{"Firehose transformation", `{"invocationId":"x","records":[{"recordId":"1","data":` + base64ed(gzipped(subscription(a, b))) + `}]}`, formatCloudWatch},
		{"filter-log-events", `{"events":[` + logEvents(a) + `,` + logEvents(b) + `],"searchedLogStreams":[]}`, formatCloudWatch},
		{"get-log-events", `{"nextForwardToken":"f/1","events":[{"timestamp":1,"message":` + quoted(a) + `,"ingestionTime":2},{"timestamp":1,"message":` + quoted(b) + `,"ingestionTime":2}]}`, formatCloudWatch},
		{"Logs Insights", `{"results":[[{"field":"@timestamp","value":"2026-03-01 10:00:00.000"},{"field":"@message","value":` + quoted(a) + `},{"field":"@ptr","value":"x"}],[{"field":"@message","value":` + quoted(b) + `}]],"status":"Complete"}`, formatCloudWatch},
		{"Logs Insights of the console", `[{"@timestamp":"2026-03-01 10:00:00.000","@message":` + a + `},{"@message":` + quoted(b) + `}]`, formatCloudWatch},
		{"export to S3", "2026-03-01T10:00:00.000Z " + a + "\n2026-03-01T10:00:01.000Z " + b + "\n", formatCloudWatch},
		{"Splunk JSON lines", splunk(a) + "\n" + splunk(b), formatSplunk},
		{"Splunk results", `{"preview":false,"init_offset":0,"results":[{"_raw":` + quoted(a) + `},{"_raw":` + quoted("Mar  1 10:00:00 host trail: "+b) + `}]}`, formatSplunk},
		{"HEC", `{"time":1772359200,"host":"x","sourcetype":"aws:cloudtrail","event":` + a + `}{"time":1772359200,"sourcetype":"aws:cloudtrail","event":` + quoted(b) + `}`, formatSplunk},
		{"Elastic hits, a line each", hit(ecs(a)) + "\n" + hit(ecs(b)), formatElastic},
		{"Elastic search", `{"took":3,"timed_out":false,"hits":{"total":{"value":2},"max_score":null,"hits":[` + hit(ecs(a)) + `,` + hit(ecs(b)) + `]}}`, formatElastic},
		{"Elastic search as Kibana saves it", `{"rawResponse":{"hits":{"hits":[` + hit(ecs(a)) + `,` + hit(ecs(b)) + `],"total":2}}}`, formatElastic},
		{"Elastic fields", hit(`{}`)[:len(hit(`{}`))-1] + `,"fields":{"event.original":[` + quoted(a) + `]}}` + `{"fields":{"event.original":[` + quoted(b) + `]}}`, formatElastic},
		{"Elastic documents", ecs(a) + "\n" + `{"@timestamp":"2026-03-01T10:00:00.000Z","event.original":` + quoted(b) + `}`, formatElastic},
		{"Filebeat", `{"@timestamp":"2026-03-01T10:00:00.000Z","message":` + quoted(a) + `}` + "\n" + `{"@timestamp":"2026-03-01T10:00:00.000Z","json":` + b + `}`, formatElastic},
		{"OpenSearch", `[{"@timestamp":"x","event":{"domain":"cloudtrail"},"aws":{"cloudtrail":` + a + `}},{"aws.cloudtrail":` + b + `}]`, formatOpenSearch},
		{"Datadog", `[{"ddsource":"cloudtrail","message":` + quoted(a) + `},{"ddsource":"cloudtrail","message":` + quoted(b) + `}]`, formatDatadog},
		{"Panther", `{"p_any_ip_addresses":["192.0.2.1"],` + a[1:len(a)-1] + `,"p_log_type":"AWS.CloudTrail"}` + "\n" + b[:len(b)-1] + `,"p_row_id":"1","p_enrichment":{}}`, formatPanther},
		{"Sumo Logic", `{"fields":[],"messages":[{"map":{"_raw":` + quoted(a) + `,"_sourcecategory":"x"}},{"map":{"_raw":` + quoted(b) + `}}]}`, formatSumo},
		{"logcli", `{"labels":{"job":"x"},"line":` + quoted(a) + `,"timestamp":"x"}` + "\n" + `{"labels":{"job":"x"},"line":` + quoted(b) + `,"timestamp":"x"}`, formatLoki},
		{"Loki", `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"job":"x"},"values":[["1",` + quoted(a) + `],["2",` + quoted(b) + `]]}]}}`, formatLoki},
		{"Lake", `{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventID":"x"},{"eventJson":` + quoted(a) + `}],[{"eventID":"x"},{"eventJson":` + quoted(b) + `}]]}`, formatLake},
		{"Lake rows", `{"eventid":"x","eventjson":` + quoted(a) + `}` + "\n" + `{"eventid":"x","eventjson":` + quoted(b) + `}`, formatLake},
		{"Athena", `{"ResultSet":{"Rows":[{"Data":[{"VarCharValue":"id"},{"VarCharValue":"raw"}]},{"Data":[{"VarCharValue":"1"},{"VarCharValue":` + quoted(a) + `}]},{"Data":[{},{"VarCharValue":` + quoted(b) + `}]}]}}`, formatAthena},
		{"something else", `{"alert":{"evidence":[{"log":` + a + `}]},"raw_event":` + quoted(b) + `}`, formatWrapped},
	}
}

// TestWrappers has each form give back the records that are in it, as they are,
// alone and gzipped in a zip.
func TestWrappers(t *testing.T) {
	a := event("a", `"requestParameters":{"x":"é \"quoted\" \ud83d\ude00 \\ \u0000","n":791.0}`, `"responseElements":null`)
	b := event("b", `"readOnly":"true"`, `"additionalEventData":{"list":[],"deep":[[{"eventName":"x"}]]}`)
	for _, w := range wrappings(a, b) {
		t.Run(w.name, func(t *testing.T) {
			for _, text := range []string{w.text, " \n" + w.text, zipped(file{"x", gzipped(w.text)})} {
				if strings.HasPrefix(w.text, "\x1f") && text[0] == ' ' {
					continue
				}
				format, sink := splitText(text)
				if want := w.format; format != want && format != "zip/"+want {
					t.Errorf("format %q, want %q", format, want)
				}
				if len(sink.reasons)+len(sink.passed) > 0 || len(sink.records) != 2 {
					t.Fatalf("%d records, %q, %q", len(sink.records), sink.reasons, sink.passed)
				}
				for i, want := range []string{a, b} {
					got, err := rowOf(t, sink.records[i]).rebuilt()
					if err != nil || !bytes.Equal(canonical(got), canonical([]byte(want))) {
						t.Errorf("record %d is %s, want %s: %v", i, got, want, err)
					}
				}
			}
		})
	}
}

// TestWrappersKeepWhatIsNoUnicode has a lone surrogate, in JSON in JSON.
func TestWrappersKeepWhatIsNoUnicode(t *testing.T) {
	for _, escape := range []string{`\ud800`, `\\ud800`, "\xff"} {
		inner := strings.ReplaceAll(event("a", `"userAgent":"x`+strings.TrimPrefix(escape, `\`)+`"`), `"`, `\"`)
		_, sink := splitText(`{"Events":[{"CloudTrailEvent":"` + strings.Replace(inner, strings.TrimPrefix(escape, `\`), escape, 1) + `"}]}`)
		want := event("a", `"userAgent":"x`+strings.Replace(escape, `\\`, `\`, 1)+`"`)
		if len(sink.records) != 1 || !bytes.Equal(canonical(sink.records[0]), canonical([]byte(want))) {
			t.Errorf("%q: %q, %q", escape, sink.records, sink.reasons)
		}
	}
	for _, text := range []string{"", "a\"\\\n\x00\xff", "é\u2028", `{"a":"\ud800"}`} {
		if got := string(unquoteJSON(quoteJSON([]byte(text)))); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if r := utf16.Decode([]uint16{0xd83d, 0xde00}); string(unquoteJSON([]byte(`"\ud83d\ude00\ud800"`))) != string(r)+`\ud800` {
		t.Error("a pair of surrogates beside a lone one is not kept")
	}
}

// TestUTF16 loads what PowerShell writes to a file.
func TestUTF16(t *testing.T) {
	record := event("a", `"userAgent":"é 😀"`)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var text []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + `{"Events":[{"EventId":"1","CloudTrailEvent":` + quoted(record) + "}]}\r\n")) {
			text = order.AppendUint16(text, unit)
		}
		format, sink := splitText(string(text))
		if format != formatLookupEvents || len(sink.records) != 1 || string(sink.records[0]) != record || len(sink.reasons) > 0 {
			t.Errorf("%q: %q, rejected %q", format, sink.records, sink.reasons)
		}
		if _, sink := splitText(string(text[:len(text)-1])); len(sink.records) != 1 || len(sink.reasons) != 1 {
			t.Errorf("cut in a character: %q, rejected %q", sink.records, sink.reasons)
		}
	}
}

// TestOtherContents has wrappers around something else.
func TestOtherContents(t *testing.T) {
	a := event("a")
	for _, tc := range []struct {
		name, text       string
		records          int
		passed, rejected string
	}{
		{"another EventBridge event", `{"version":"0","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"instance-id":"i-1"}}`, 0, "EC2 Instance State-change Notification", ""},
		{"another among EventBridge events", `{"detail-type":"GuardDuty Finding","detail":{}}` + "\n" + `{"detail-type":"AWS API Call via CloudTrail","detail":` + a + `}`, 1, "GuardDuty Finding", ""},
		{"a control message", `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`, 0, "", ""},
		{"other log lines", `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":"[ERROR] x {y"},{"id":"2","message":` + quoted(a) + `}]}`, 1, "cloudwatch-logs", ""},
		{"a Splunk event without a record", `{"result":{"_raw":"GET / 200"}}`, 0, "splunk", ""},
		{"a broken string", `{"Events":[{"CloudTrailEvent":"{\"eventVersion\":"},{"CloudTrailEvent":` + quoted(a) + `}]}`, 1, "", "broken JSON"},
		{"a broken item", `{"Events":[{"EventId":"1","CloudTrailEvent":x},{"EventId":"2","CloudTrailEvent":` + quoted(a) + `}]}`, 1, "", "broken JSON"},
		{"a broken line", `{"result":{"_raw":` + quoted(a) + `}}` + "\n" + `{"result":{"_raw":` + "\n" + `{"result":{"_raw":` + quoted(a) + `}}`, 2, "", "broken JSON"},
		{"a text cut off in an item", `{"Events":[{"EventId":"2","CloudTrailEvent":` + quoted(a) + `},{"EventId":"1","CloudTr`, 1, "", "the text ends"},
		{"an aggregate of Lake", `{"QueryResultRows":[[{"eventName":"PutObject"},{"apiCount":"3"}]]}`, 0, "no CloudTrail record in this row", ""},
		{"permission check of an export", "2026-03-01T10:00:00.000Z aws-logs-write-test\n", 0, "cloudwatch-logs", ""},
		{"another OCSF product", `{"class_uid":6003,"metadata":{"product":{"name":"EKS"}},"time":1}`, 0, `"EKS"`, ""},
		{"base64 that is damaged", `{"awslogs":{"data":"H4sIAAAA"}}`, 0, "", "not a CloudTrail record"},
		{"digests in an array", `[{"digestStartTime":"x","logFiles":[]}]`, 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, sink := splitText(tc.text)
			passed, rejected := strings.Join(sink.passed, "\n"), strings.Join(sink.reasons, "\n")
			if len(sink.records) != tc.records || !strings.Contains(passed, tc.passed) || !strings.Contains(rejected, tc.rejected) ||
				(passed == "") != (tc.passed == "") || (rejected == "") != (tc.rejected == "") {
				t.Errorf("%d records, passed %q, rejected %q", len(sink.records), passed, rejected)
			}
		})
	}
}

// TestOtherLogsAreNoDamage loads what is passed over.
func TestOtherLogsAreNoDamage(t *testing.T) {
	c := newCase(t)
	s := load(t, c, write(t, map[string]string{"a": `{"detail-type":"GuardDuty Finding","detail":{}}` + "\n" + `{"detail-type":"AWS API Call via CloudTrail","detail":` + event("a") + `}`}))
	if s.Records != 1 || s.Rejected != 0 || len(s.Damaged)+len(s.Foreign) != 0 {
		t.Errorf("%+v", s)
	}
	if got := dump(t, c, `SELECT format, status, rejected, (SELECT reason FROM rejects) FROM sources`); !strings.HasPrefix(got[0], "eventbridge|loaded|1|an EventBridge event") {
		t.Errorf("%q", got)
	}
}

// TestLossyWrappers loads what exporters changed.
func TestLossyWrappers(t *testing.T) {
	c := newCase(t)
	wazuh := `{"timestamp":"x","rule":{"id":"80202"},"data":{"integration":"aws","aws":{"source":"cloudtrail","log_info":{"log_file":"x"},"aws_account_id":"1","source_ip_address":"192.0.2.1",` +
		`"eventVersion":"1.08","eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","eventID":"w","requestParameters":{"string":"none"}}}}`
	logstash := `{"@timestamp":"2026-03-01T10:00:00.123Z","@version":"1","eventVersion":"1.08","eventSource":"iam.amazonaws.com","eventName":"ListUsers","eventID":"l"}`
	sentinel := `{"TimeGenerated":"2026-03-01T10:00:00Z","AwsEventId":"s","EventName":"ListUsers","EventSource":"iam.amazonaws.com","Type":"AWSCloudTrail","RequestParameters":"{\"a\":1}"}`
	load(t, c, write(t, map[string]string{"1": wazuh, "2": logstash, "3": sentinel}))
	got := dump(t, c, `SELECT event_id, event_time, event_name, format, coalesce(request_parameters, ''), json_keys(extra) FROM events JOIN sources USING (source_id) ORDER BY source_id`)
	want := []string{`w|2026-03-01 10:00:00 +0000 UTC|ListUsers|wazuh|"none"|[wazuh]`, `l|2026-03-01 10:00:00 +0000 UTC|ListUsers|logstash||[@timestamp @version]`,
		`s|2026-03-01 10:00:00 +0000 UTC|ListUsers|sentinel|{"a":1}|[sentinel]`}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("%q, want %q", got, want[i])
		}
	}
}

// FuzzWrapper has records in anything: nothing is handed on that is no JSON, and
// nothing that is JSON goes by in silence.
func FuzzWrapper(f *testing.F) {
	for _, w := range wrappings(event("a"), event("b")) {
		f.Add([]byte(w.text))
	}
	f.Add([]byte(`{"Rows":[{"Data":[{}]},{"Data":[{"VarCharValue":1},{"VarCharValue":2}]}]}`))
	f.Add([]byte(`{"QueryResultRows":[[],{},[1],[{"a":{}}],null]}`))
	f.Add([]byte(`{"hits":{"hits":{"hits":[{"_source":"x"}]}},"fields":{"event.original":[1]}}`))
	f.Add([]byte(`{"data":{"data":{"data":{"Records":[{"kinesis":{"data":"H4s="}}]}}}}`))
	f.Add([]byte(`{"class_uid":1,"metadata":{"product":{"name":"CloudTrail"}},"unmapped":[["a"]]}`))
	f.Add([]byte(`{"integration":"aws","aws":{"source":"cloudtrail"},"data":"\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		u := newUnpacker()
		u.floor, u.splitter.in.limit = 1<<20, 1<<20
		_, sink := unpackText(u, string(text))
		for _, r := range sink.records {
			if !jsontext.Value(r).IsValid(decoderOptions()...) {
				t.Errorf("not well-formed: %q", r)
			}
			fl := newTestFlattener()
			if row, reason := fl.flatten(r); reason == "" {
				if _, err := Rebuild(fl.rebuildValues(row)); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
