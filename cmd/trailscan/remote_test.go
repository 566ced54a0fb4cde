package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"trailscan/internal/mototest"
)

// command runs a command line and gives its exit status and output.
func command(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(ctx, args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// motoBucket fills a bucket with the incident of testdata and gives the address
// of a server before it that counts what is asked for.
func motoBucket(t *testing.T) (endpoint string, gets *atomic.Int64) {
	t.Helper()
	backend := mototest.Start(t)
	mototest.Isolate(t)
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"), config.WithBaseEndpoint(backend))
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("trail")}); err != nil {
		t.Fatal(err)
	}
	root := os.DirFS("../../testdata/leaked-key")
	err = fs.WalkDir(root, "AWSLogs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("trail"), Key: &path, Body: bytes.NewReader(text),
			ContentEncoding: aws.String("gzip"), ContentType: aws.String("application/json")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	gets = new(atomic.Int64)
	proxy := forwardTo(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/trail/AWSLogs/") {
			gets.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, gets
}

// forwardTo passes requests on; that a client goes away is part of the tests.
func forwardTo(target *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// TestBucket loads from S3 as a user does: the case is that of the local files.
func TestBucket(t *testing.T) {
	endpoint, gets := motoBucket(t)
	incident, err := filepath.Abs("../../testdata/leaked-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	do := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := command(t.Context(), args...)
		if status != exitDone {
			t.Fatalf("%v: exit status %d: %s", args, status, stderr)
		}
		return stdout
	}
	events := func(file string) string {
		return do("query", "--case", file, "--format", "csv", "SELECT count(*) AS n, bit_xor(hash(e)) AS content FROM (SELECT * EXCLUDE (source_id, record_index) FROM events) AS e")
	}
	do("ingest", "--case", "local.duckdb", filepath.Join(incident, "AWSLogs"))
	do("ingest", "--case", "s3.duckdb", "s3://trail", "--endpoint-url", endpoint, "--keep", "kept")
	if local, remote := events("local.duckdb"), events("s3.duckdb"); local != remote {
		t.Fatalf("local %s, from S3 %s", local, remote)
	}
	if n := gets.Swap(0); n != 276 {
		t.Errorf("%d objects read, want 276", n)
	}
	do("ingest", "--case", "kept.duckdb", "kept/AWSLogs")
	if local, kept := events("local.duckdb"), events("kept.duckdb"); local != kept {
		t.Errorf("local %s, from copies %s", local, kept)
	}
	if out := do("ingest", "--case", "s3.duckdb", "s3://trail", "--endpoint-url", endpoint); gets.Load() != 0 || !strings.Contains(out, "276 in the case already") {
		t.Errorf("again: %d objects read: %s", gets.Load(), out)
	}
	// The environment names the place too, and filters choose.
	t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
	do("ingest", "--case", "day.duckdb", "s3://trail/AWSLogs", "--account", "111122223333", "--region", "us-east-1", "--since", "2026-09-29", "--until", "2026-09-30")
	want := do("query", "--case", "local.duckdb", "--format", "csv", "SELECT count(*) FROM sources WHERE uri LIKE '%/us-east-1/2026/09/29/%' OR uri LIKE '%/us-east-1/2026/09/30/%'")
	if got := do("query", "--case", "day.duckdb", "--format", "csv", "SELECT count(*) FROM sources"); strings.Fields(got)[1] != strings.Fields(want)[1] || fmt.Sprint(gets.Load()) != strings.Fields(want)[1] {
		t.Errorf("a day: %s sources in %d reads, want %s", got, gets.Load(), want)
	}
	do("investigate", "s3://trail", "--key", "AKIARTX3GSDS6CBDEGCZ", "-o", "out")
	if _, err := os.Stat("out/report.html"); err != nil {
		t.Error(err)
	}
	for want, args := range map[string][]string{
		"there is no such bucket":     {"ingest", "s3://elsewhere"},
		"--account, --region":         {"ingest", "s3://trail", "--account", "999999999999"},
		"AWS has no region":           {"ingest", "s3://trail", "--region", "us-esat-1"},
		"12 digits":                   {"ingest", "s3://trail", "--account", "1"},
		"is not before --until":       {"ingest", "s3://trail", "--since", "2026-09-02", "--until", "2026-09-01"},
		"names no bucket":             {"ingest", "s3://"},
		"write lookup-events: alone":  {"ingest", "lookup-events:us-east-1"},
		"must begin with https://":    {"ingest", "s3://trail", "--endpoint-url", "localhost:1"},
		"connection and --endpoint-u": {"ingest", "s3://trail", "--endpoint-url", "http://127.0.0.1:1"},
	} {
		status, _, stderr := command(t.Context(), append(args, "--case", "bad.duckdb")...)
		if status == exitDone || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%v: exit status %d: %s", args, status, stderr)
		}
	}
	if status, _, stderr := command(t.Context(), "verify", "s3://trail", "--region", "us-east-1", "--since", "2026-09-30"); status != exitFailed || !strings.Contains(stderr, "no digest") {
		t.Errorf("verify: exit status %d: %s", status, stderr)
	}
	interruptBucket(t, endpoint, gets)
}

// interruptBucket stops a load in the middle; the next run reads what is left.
func interruptBucket(t *testing.T, endpoint string, gets *atomic.Int64) {
	t.Helper()
	gets.Store(0)
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	proxy := forwardTo(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gets.Load() >= 100 {
			cancel()
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "case.duckdb")
	status, _, stderr := command(ctx, "ingest", "s3://trail", "--case", file, "--endpoint-url", server.URL)
	if status != exitFailed || !strings.Contains(stderr, "interrupted: stopped with ") {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	gets.Store(0)
	status, stdout, stderr := command(t.Context(), "ingest", "s3://trail", "--case", file, "--endpoint-url", endpoint)
	if status != exitDone || gets.Load() == 0 || gets.Load() > 276-80 || !strings.Contains(stdout, fmt.Sprintf("%d in the case already", 276-gets.Load())) {
		t.Fatalf("exit status %d, %d objects read: %s%s", status, gets.Load(), stdout, stderr)
	}
}

// TestLookupEvents loads the event history from a server that speaks the API's
// protocol.
func TestLookupEvents(t *testing.T) {
	mototest.Isolate(t)
	record := `{"eventVersion":"1.09","userIdentity":{"type":"Root","accountId":"111122223333"},"eventTime":"2026-09-01T10:00:00Z","eventSource":"iam.amazonaws.com",` +
		`"eventName":"ListUsers","awsRegion":"us-east-1","eventID":"00000000-0000-0000-0000-00000000000%d","recipientAccountId":"111122223333"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ NextToken string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".LookupEvents") {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		n, next := 1, `,"NextToken":"more"`
		if in.NextToken == "more" {
			n, next = 2, ""
		}
		fmt.Fprintf(w, `{"Events":[{"EventId":"x","CloudTrailEvent":%q}]%s}`, fmt.Sprintf(record, n), next)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Chdir(t.TempDir())
	for range 2 {
		status, stdout, stderr := command(t.Context(), "ingest", "lookup-events:", "--region", "us-east-1", "--since", "2026-08-30")
		if status != exitDone {
			t.Fatalf("exit status %d: %s%s", status, stdout, stderr)
		}
	}
	_, stdout, stderr := command(t.Context(), "query", "--format", "csv", "SELECT uri, format, records, (SELECT count(*) FROM events) AS events FROM sources")
	if want := "uri,format,records,events\nlookup-events:111122223333/us-east-1,lookup-events,2,2\n"; stdout != want {
		t.Fatalf("%s%s", stdout, stderr)
	}
}
