package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/parquet-go/parquet-go"

	"trailscan/query"
)

func splitParquetFile(tb testing.TB, path string) *recordingSink {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	sink := new(recordingSink)
	if _, err := splitParquet(f, info.Size(), sink); err != nil {
		tb.Fatal(err)
	}
	return sink
}

// gunzip is the text of a gzip file.
func gunzip(tb testing.TB, path string) string {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader(readFile(tb, path)))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// TestSecurityLakePairs compares what Security Lake made of records with these.
func TestSecurityLakePairs(t *testing.T) {
	carried := []column{
		colEventID, colRequestID, colSharedEventID, colEventSource, colEventName, colAWSRegion, colSourceIPAddress, colErrorCode,
		colErrorMessage, colIssuedAccessKeyID, colIssuedPrincipalARN,
	}
	members, regained := 0, 0
	for _, file := range corpusFiles(t, "ocsf/*/*/*.gz") {
		sink := splitParquetFile(t, file+".parquet")
		_, original := splitText(gunzip(t, file))
		if len(sink.records) != 1 || len(original.records) != 1 {
			t.Fatalf("%s: %d records of %d, rejects %q", file, len(sink.records), len(original.records), sink.reasons)
		}
		got, want := rowOf(t, sink.records[0]), rowOf(t, original.records[0])
		for _, c := range carried {
			if !bytes.Equal(got.text[c], want.text[c]) {
				t.Errorf("%s: column %s is %q, not %q", file, c.name(), got.text[c], want.text[c])
			}
		}
		for i, column := range contextColumns[:8] { // neither the endpoint's account nor tlsDetails
			if !bytes.Equal(got.context[i], want.context[i]) {
				t.Errorf("%s: column %s is %q, not %q", file, column.Name, got.context[i], want.context[i])
			}
		}
		for i := range identityTexts {
			if i != idnJSON && !bytes.Equal(got.identity.text[i], want.identity.text[i]) {
				t.Errorf("%s: column %s is %q, not %q", file, identityColumns[i+1].Name, got.identity.text[i], want.identity.text[i])
			}
		}
		if !got.time.Equal(want.time) || got.identity.mfa != want.identity.mfa || !got.identity.created.Equal(want.identity.created) ||
			got.bools != want.bools || !got.expires.Equal(want.expires) {
			t.Errorf("%s: times or booleans differ", file)
		}
		if !strings.Contains(string(got.text[colExtra]), `"ocsf":{`) {
			t.Errorf("%s: the row is not in extra", file)
		}
		have := leavesOf(sink.records[0])
		for path, value := range leavesOf(original.records[0]) {
			members++
			if have[path] == value {
				regained++
			} else {
				t.Logf("%s: %s is %s, was %s", file, path, have[path], value)
			}
		}
	}
	t.Logf("%d of %d members regained", regained, members)
	if regained*100 < members*97 {
		t.Errorf("only %d of %d members regained", regained, members)
	}
}

// leavesOf are the texts of the values of a record that say something.
func leavesOf(record []byte) map[string]string {
	leaves := map[string]string{}
	var walk func(path string, v []byte)
	walk = func(path string, v []byte) {
		switch v[0] {
		case '{':
			for o := newObject(v); ; {
				name, v, ok := o.next()
				if !ok {
					return
				}
				walk(path+"."+plainName(name), v)
			}
		case '[':
			elements(v, func(v []byte) bool {
				walk(path+"[]", v)
				path += "'"
				return true
			})
		case 'n':
		default:
			leaves[path] = scalarText(v)
		}
	}
	walk("", record[skipSpace(record, 0):])
	return leaves
}

func TestParquetOfOtherProducts(t *testing.T) {
	for _, file := range corpusFiles(t, "ocsf/*/*.parquet") {
		sink := splitParquetFile(t, file)
		if len(sink.records) != 0 || len(sink.passed) != 1 || !strings.Contains(sink.passed[0], "not of CloudTrail") {
			t.Errorf("%s: %d records, passed %q", file, len(sink.records), sink.passed)
		}
	}
}

// copyParquet writes the rows of a query as a Parquet file.
func copyParquet(tb testing.TB, c *query.Case, sql, options string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "rows.parquet")
	if _, err := c.DB.Exec("COPY (" + sql + ") TO '" + path + "' (FORMAT parquet" + options + ")"); err != nil {
		tb.Fatal(err)
	}
	return path
}

// TestExportedParquet reads back what the columns of events hold: every record
// is the same as before.
func TestExportedParquet(t *testing.T) {
	records := []string{
		event("a"),
		event("b", `"responseElements":null`, `"readOnly":"true"`, `"more":{"x":1.0}`),
		event("", `"userAgent":"\ud800"`, `"requestParameters":{"a":[1,2.50,"ü"]}`),
		event("e0d4c9a8-0000-4000-8000-000000000001", `"managementEvent":true`, `"sharedEventID":"E0D4C9A8-0000-4000-8000-000000000001"`),
		strings.Replace(event("c"), "T10:00:00Z", " 10:00:00.25", 1),
	}
	c := newCase(t)
	load(t, c, write(t, map[string]string{"a.json": `{"Records":[` + strings.Join(records, ",") + `]}`}))
	for _, codec := range []string{"uncompressed", "snappy", "gzip", "zstd", "lz4_raw"} {
		path := copyParquet(t, c, "SELECT "+strings.Join(RebuildColumns(), ", ")+" FROM whole_records ORDER BY record_index", ", CODEC "+codec)
		sink := splitParquetFile(t, path)
		if len(sink.records) != len(records) || len(sink.reasons) > 0 {
			t.Fatalf("%s: %d records of %d, rejects %q", codec, len(sink.records), len(records), sink.reasons)
		}
		for i, r := range sink.records {
			id := member(r, derivedIDMember)
			if id != nil {
				r = bytes.Replace(r, fmt.Appendf(nil, `,"%s":%s`, derivedIDMember, id), nil, 1)
			}
			if !bytes.Equal(canonical(r), canonical([]byte(records[i]))) || (id != nil) != (i == 2) {
				t.Errorf("%s: %s became %s", codec, records[i], sink.records[i])
			}
		}
	}
}

const sessionIdentity = `{"type":"AssumedRole","principalId":"AROAEXAMPLE:ana","arn":"arn:aws:sts::111122223333:assumed-role/R/ana","accountId":"111122223333",` +
	`"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"attributes":{"creationDate":"2026-03-01T09:00:00Z","mfaAuthenticated":"false"},` +
	`"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/R","accountId":"111122223333","userName":"R"}}}`

// sessionSQL is the same identity in the types of Athena's table.
const sessionSQL = `{'type':'AssumedRole','principalid':'AROAEXAMPLE:ana','arn':'arn:aws:sts::111122223333:assumed-role/R/ana','accountid':'111122223333',
	'invokedby':NULL::VARCHAR,'accesskeyid':'ASIAIOSFODNN7EXAMPLE','username':NULL::VARCHAR,
	'sessioncontext':{'attributes':{'mfaauthenticated':'false','creationdate':%s},
		'sessionissuer':{'type':'Role','principalid':'AROAEXAMPLE','arn':'arn:aws:iam::111122223333:role/R','accountid':'111122223333','username':'R'},
		'webidfederationdata':{'federatedprovider':NULL::VARCHAR,'attributes':NULL::MAP(VARCHAR,VARCHAR)}}}`

func TestParquetVariants(t *testing.T) {
	c := newCase(t)
	want := `{"eventVersion":"1.08","userIdentity":` + sessionIdentity + `,"eventTime":"2026-03-01T10:00:00Z","eventSource":"ec2.amazonaws.com",` +
		`"eventName":"RunInstances","awsRegion":"us-east-1","requestParameters":{"filter":{"a":["1"]},"policyDocument":"{\"Statement\":[]}","n":"1"},` +
		`"eventID":"e-1","readOnly":false,"resources":[{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"}],` +
		`"recipientAccountId":"111122223333","tlsDetails":{"tlsVersion":"TLSv1.3"}}`
	asText := `'{"filter":{"a":["1"]},"policyDocument":"{\"Statement\":[]}","n":"1"}'`
	for _, tc := range []struct{ name, sql string }{
		{"Athena", `SELECT '1.08' AS eventversion, ` + fmt.Sprintf(sessionSQL, `'2026-03-01T09:00:00Z'`) + ` AS useridentity, '2026-03-01T10:00:00Z' AS eventtime,
			'ec2.amazonaws.com' AS eventsource, 'RunInstances' AS eventname, 'us-east-1' AS awsregion, NULL::VARCHAR AS errorcode, ` + asText + ` AS requestparameters,
			'null' AS responseelements, 'e-1' AS eventid, 'false' AS readonly,
			[{'arn':'arn:aws:s3:::b','accountid':'111122223333','type':'AWS::S3::Bucket'}] AS resources, '111122223333' AS recipientaccountid,
			{'tlsversion':'TLSv1.3','ciphersuite':NULL::VARCHAR} AS tlsdetails, 'us-east-1' AS region, '2026/03/01' AS "timestamp"`},
		{"CloudTrail Lake", `SELECT '1.08' AS eventversion, ` + fmt.Sprintf(sessionSQL, `TIMESTAMP '2026-03-01 09:00:00'`) + ` AS useridentity,
			TIMESTAMP '2026-03-01 10:00:00' AS eventtime, 'ec2.amazonaws.com' AS eventsource, 'RunInstances' AS eventname, 'us-east-1' AS awsregion,
			MAP{'filter':'{"a":["1"]}','policyDocument':'{"Statement":[]}','n':'1'} AS requestparameters, NULL::MAP(VARCHAR,VARCHAR) AS responseelements,
			'e-1' AS eventid, false AS readonly, [{'accountid':'111122223333','type':'AWS::S3::Bucket','arn':'arn:aws:s3:::b','arnprefix':NULL::VARCHAR}] AS resources,
			'111122223333' AS recipientaccountid, {'tlsversion':'TLSv1.3'} AS tlsdetails, NULL::VARCHAR AS eventjson`},
		{"Tailpipe", `SELECT 'aws_cloudtrail_log' AS tp_table, TIMESTAMP '2026-03-01 10:00:00' AS tp_timestamp, '1.08' AS event_version,
			` + strings.NewReplacer("principalid", "principal_id", "accountid", "account_id", "accesskeyid", "access_key_id", "username", "user_name", "sessioncontext", "session_context",
			"sessionissuer", "session_issuer", "mfaauthenticated", "mfa_authenticated", "creationdate", "creation_date").Replace(fmt.Sprintf(sessionSQL, `1772355600000`)) + ` AS user_identity,
			TIMESTAMPTZ '2026-03-01 10:00:00Z' AS event_time, 'ec2.amazonaws.com' AS event_source, 'RunInstances' AS event_name, 'us-east-1' AS aws_region,
			` + asText + `::JSON AS request_parameters, 'e-1' AS event_id, false AS read_only,
			[{'arn':'arn:aws:s3:::b','account_id':'111122223333','type':'AWS::S3::Bucket'}] AS resources, '111122223333' AS recipient_account_id,
			{'tls_version':'TLSv1.3'} AS tls_details`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sink := splitParquetFile(t, copyParquet(t, c, tc.sql, ""))
			if len(sink.records) != 1 || len(sink.reasons) > 0 {
				t.Fatalf("%d records, rejects %q", len(sink.records), sink.reasons)
			}
			got := sink.records[0]
			source := member(got, formatParquet)
			if source == nil {
				t.Fatalf("the row is not kept: %s", got)
			}
			got = bytes.Replace(got, append([]byte(`,"parquet":`), source...), nil, 1)
			if !bytes.Equal(canonical(got), canonical([]byte(want))) {
				t.Errorf("is    %s\nwants %s", canonical(got), canonical([]byte(want)))
			}
			rowOf(t, sink.records[0])
		})
	}
	t.Run("CloudTrail Lake with eventjson", func(t *testing.T) {
		sink := splitParquetFile(t, copyParquet(t, c, `SELECT '`+event("a")+`' AS eventjson, 'x' AS eventjsonchecksum, 'ListUsers' AS eventname`, ""))
		if len(sink.records) != 1 || string(sink.records[0]) != event("a") {
			t.Errorf("%q, rejects %q", sink.records, sink.reasons)
		}
	})
	t.Run("CloudTrail Lake with a damaged eventjson", func(t *testing.T) {
		sink := splitParquetFile(t, copyParquet(t, c, `SELECT '`+event("a")+`"' AS eventjson UNION ALL SELECT '`+event("b")+`'`, ""))
		if len(sink.records) != 1 || len(sink.reasons) != 1 || !strings.Contains(sink.reasons[0], "broken JSON") {
			t.Errorf("%q, rejects %q, passed %q", sink.records, sink.reasons, sink.passed)
		}
	})
}

// TestBrokenParquet: a file that cannot be read says why, and the row groups
// before and behind a damaged one are read.
func TestBrokenParquet(t *testing.T) {
	c := newCase(t)
	whole := readFile(t, copyParquet(t, c, `SELECT '2026-03-01T10:00:00Z' AS eventtime, 's3.amazonaws.com' AS eventsource, 'GetObject' AS eventname,
		'e-' || i AS eventid, md5(CAST(i AS VARCHAR)) AS useragent FROM range(10000) t(i)`, ", ROW_GROUP_SIZE 2048, CODEC zstd"))
	split := func(file []byte) *recordingSink {
		sink := new(recordingSink)
		if _, err := splitParquet(bytes.NewReader(file), int64(len(file)), sink); err != nil {
			t.Fatal(err)
		}
		return sink
	}
	if sink := split(whole); len(sink.records) != 10000 {
		t.Fatalf("%d records, rejects %q", len(sink.records), sink.reasons)
	}
	hole := bytes.Clone(whole)
	clear(hole[len(hole)/2 : len(hole)/2+200])
	other := readFile(t, copyParquet(t, c, `SELECT 1 AS a, 'x' AS b`, ""))
	for _, tc := range []struct {
		name, reason string
		file         []byte
		atLeast      int
	}{
		{"truncated", "truncated Parquet", whole[:len(whole)-100], 0},
		{"magic alone", "truncated Parquet", []byte("PAR1"), 0},
		{"encrypted", "encrypted Parquet", append(bytes.Clone(whole[:len(whole)-4]), "PARE"...), 0},
		{"a hole", "damaged Parquet", hole, 7000},
		{"no footer", "damaged Parquet", append(bytes.Repeat([]byte("PAR1"), 20), "\x10\x00\x00\x00PAR1"...), 0},
		{"another table", "its columns are a, b", other, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sink := split(tc.file)
			reasons := append(sink.reasons, sink.passed...)
			if len(reasons) == 0 || !strings.Contains(reasons[0], tc.reason) || len(sink.records) < tc.atLeast || tc.atLeast == 0 && len(sink.records) > 0 {
				t.Errorf("%d records, rejects %q", len(sink.records), sink.reasons)
			}
		})
	}
}

// FuzzParquet has damaged files read: whatever is handed on is well-formed.
func FuzzParquet(f *testing.F) {
	for _, file := range []string{"a", "b"} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[parquetSeed](&b)
		w.Write([]parquetSeed{{EventTime: "2026-03-01T10:00:00Z", EventName: file, Resources: []map[string]string{{"arn": "x"}}}})
		w.Close()
		f.Add(b.Bytes())
		f.Add(b.Bytes()[:b.Len()-20])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		sink := new(recordingSink)
		splitParquet(bytes.NewReader(file), int64(len(file)), sink)
		for _, r := range sink.records {
			if !jsontext.Value(r).IsValid(decoderOptions()...) {
				t.Errorf("not well-formed: %q", r)
			}
		}
	})
}

type parquetSeed struct {
	EventTime string              `parquet:"eventtime"`
	EventName string              `parquet:"eventname"`
	Resources []map[string]string `parquet:"resources"`
}
