package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trailscan/internal/mototest"
)

// logs are n objects of a trail, with an event each.
func logs(n int) map[string]string {
	objects := map[string]string{}
	for i := range n {
		key := fmt.Sprintf("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_20260301T1005Z_%04d.json.gz", i)
		objects[key] = gzipped(`{"Records":[` + event(fmt.Sprintf("e%d", i)) + `]}`)
	}
	return objects
}

func TestLoadBucket(t *testing.T) {
	objects := logs(40)
	server, o := serveS3(t, objects)
	server.region = "eu-central-1" // not where the SDK looks first
	c := newCase(t)
	s, err := Load(t.Context(), c, []string{"s3://trail/AWSLogs"}, o)
	if err != nil || s.Sources != 40 || s.Records != 40 || len(server.gets) != 40 {
		t.Fatalf("%+v, %v, %d gets", s, err, len(server.gets))
	}
	for key, content := range objects {
		sum := sha256.Sum256([]byte(content))
		got := dump(t, c, `SELECT sha256, etag, bytes FROM sources WHERE uri = 's3://trail/`+key+`'`)
		if want := fmt.Sprint(hex.EncodeToString(sum[:]), " ", strings.Trim(etagOf(content), `"`), " ", len(content)); len(got) != 1 || strings.Join(strings.FieldsFunc(got[0], func(r rune) bool { return strings.ContainsRune("|,\t ", r) }), " ") != want {
			t.Fatalf("%s: %q, want %q", key, got, want)
		}
	}
	server.gets = nil
	s, err = Load(t.Context(), c, []string{"s3://trail"}, o)
	if err != nil || s.AlreadyLoaded != 40 || len(server.gets) != 0 {
		t.Fatalf("again: %+v, %v, %d gets", s, err, len(server.gets))
	}
	// A changed object is another source, as a changed file is.
	for key := range objects {
		objects[key] = gzipped(`{"Records":[` + event("changed") + `]}`)
		break
	}
	s, err = Load(t.Context(), c, []string{"s3://trail"}, o)
	if err != nil || s.AlreadyLoaded != 39 || s.Sources != 1 || len(server.gets) != 1 {
		t.Fatalf("changed: %+v, %v, %d gets", s, err, len(server.gets))
	}
	if got := dump(t, c, `SELECT count(*), count(DISTINCT uri) FROM sources`); got[0] != dump(t, c, `SELECT 41, 40`)[0] {
		t.Fatalf("sources %q", got)
	}
}

// A load that is stopped keeps the objects that were read, and goes on with the
// others alone.
func TestStopAndGoOnWithBucket(t *testing.T) {
	objects := logs(60)
	server, o := serveS3(t, objects)
	ctx, cancel := context.WithCancel(t.Context())
	server.answer = func(w http.ResponseWriter, r *http.Request, key string) bool {
		server.mu.Lock()
		n := len(server.gets)
		server.mu.Unlock()
		if n < 30 {
			return false
		}
		// In the middle of a body.
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "\x1f\x8b")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		return true
	}
	c := newCase(t)
	_, err := Load(ctx, c, []string{"s3://trail"}, o)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run the same command again") {
		t.Fatalf("error %v", err)
	}
	var kept int
	if err := c.DB.QueryRow(`SELECT count(*) FROM sources WHERE status = 'loaded'`).Scan(&kept); err != nil || kept == 0 || kept >= 60 {
		t.Fatalf("kept %d sources, %v", kept, err)
	}
	server, o = serveS3(t, objects)
	s, err := Load(t.Context(), c, []string{"s3://trail"}, o)
	if err != nil || s.AlreadyLoaded != kept || s.Sources != 60-kept || len(server.gets) != 60-kept {
		t.Fatalf("%+v, %v, %d gets, %d were kept", s, err, len(server.gets), kept)
	}
	if got := dump(t, c, `SELECT count(*), count(DISTINCT event_id) FROM events`); got[0] != dump(t, c, `SELECT 60, 60`)[0] {
		t.Fatalf("events %q", got)
	}
}

// An object that breaks off for good leaves nothing, and the load says so.
func TestNoObjectIsHalfLoaded(t *testing.T) {
	objects := logs(5)
	var records []string
	for i := range 20000 {
		records = append(records, event(fmt.Sprintf("big%d", i)))
	}
	const bad = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/big.json"
	objects[bad] = `{"Records":[` + strings.Join(records, ",") + `]}`
	server, o := serveS3(t, objects)
	gone := 0
	server.answer = func(w http.ResponseWriter, r *http.Request, key string) bool {
		if key != bad {
			return false
		}
		if gone++; gone == 1 {
			w.Header().Set("ETag", etagOf(objects[bad]))
			w.Header().Set("Content-Length", strconv.Itoa(len(objects[bad])))
			io.WriteString(w, objects[bad][:len(objects[bad])/2])
			return true
		}
		http.Error(w, "<Error><Code>PreconditionFailed</Code></Error>", http.StatusPreconditionFailed)
		return true
	}
	c := newCase(t)
	_, err := Load(t.Context(), c, []string{"s3://trail"}, o)
	if err == nil || !strings.Contains(err.Error(), "was changed while it was read") {
		t.Fatalf("error %v", err)
	}
	if got := dump(t, c, `SELECT count(*) FROM events WHERE event_id LIKE 'big%'`); got[0] != dump(t, c, `SELECT 0`)[0] {
		t.Fatalf("%q events of it", got)
	}
	// The same break, mended by the range that follows.
	gone = 0
	server.answer = func(w http.ResponseWriter, r *http.Request, key string) bool {
		if key != bad || gone > 0 {
			return false
		}
		gone++
		w.Header().Set("ETag", etagOf(objects[bad]))
		w.Header().Set("Content-Length", strconv.Itoa(len(objects[bad])))
		io.WriteString(w, objects[bad][:len(objects[bad])/2])
		return true
	}
	if _, err := Load(t.Context(), c, []string{"s3://trail"}, o); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(objects[bad]))
	got := dump(t, c, `SELECT count(*), (SELECT count(*) FROM sources WHERE sha256 = '`+hex.EncodeToString(sum[:])+`') FROM events`)
	if got[0] != dump(t, c, `SELECT 20005, 1`)[0] {
		t.Fatalf("%q", got)
	}
}

func TestBucketProblems(t *testing.T) {
	for _, test := range []struct {
		code   string
		status int
		want   string
	}{
		{"NoSuchBucket", 404, "there is no such bucket"},
		{"AccessDenied", 403, "s3:ListBucket"},
		{"ExpiredToken", 400, "have expired"},
		{"InvalidAccessKeyId", 403, "does not accept the credentials"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(test.status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", test.code)
		}))
		mototest.Isolate(t)
		_, err := Load(t.Context(), newCase(t), []string{"s3://trail/AWSLogs/"}, Options{AWS: AWSOptions{Endpoint: server.URL}})
		server.Close()
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "RequestID") {
			t.Errorf("%s: %v", test.code, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	if _, err := Load(t.Context(), newCase(t), []string{"s3://trail"}, Options{}); err == nil || !strings.Contains(err.Error(), "--no-sign-request") {
		t.Errorf("no credentials: %v", err)
	}
}

// In the bucket the newest digest has its signature beside it.
func TestVerifyBucket(t *testing.T) {
	tr := standardTrail(t, 4)
	server, o := serveS3(t, tr.files)
	server.meta = map[string]string{tr.last: tr.lastSignature}
	verify := func(o Options, vo VerifyOptions) *Verification {
		t.Helper()
		store, err := Files(t.Context(), []string{"s3://trail"}, "", o)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Verify(t.Context(), store, tr.signer.public(), vo)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(o, VerifyOptions{}); v.Digests[Valid] != 4 || v.Logs[Valid] != 8 || v.Bad() != 0 || len(v.Problems) != 0 {
		t.Fatalf("digests %v, logs %v, problems %v", v.Digests, v.Logs, v.Problems)
	}
	later := o
	later.Filter.Since = trailStart.AddDate(0, 0, 40)
	if _, err := Files(t.Context(), []string{"s3://trail"}, "", later); !errors.Is(err, ErrNoFiles) {
		t.Errorf("a time without logs: %v", err)
	}
	tr.files[tr.logs[3]] = gzipped(`{"Records":[]}`)
	delete(tr.files, tr.logs[5])
	if v := verify(o, VerifyOptions{}); v.Logs[Altered] != 1 || v.Logs[Missing] != 1 || v.Logs[Valid] != 6 {
		t.Fatalf("digests %v, logs %v", v.Digests, v.Logs)
	}
	// A copy may lack the signature, the bucket that CloudTrail writes to does not.
	server.meta = nil
	if v := verify(o, VerifyOptions{}); v.Digests[Altered] != 1 || v.Digests[Valid] != 3 || v.Logs[NotCovered] != 2 {
		t.Fatalf("the newest digest without its signature: digests %v, logs %v", v.Digests, v.Logs)
	}
}

// The filters choose local files by their paths too.
func TestFilterFolder(t *testing.T) {
	dir := write(t, map[string]string{
		"AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/a.json": event("a"),
		"AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/09/b.json": event("b"),
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/c.json": event("c"),
		"AWSLogs/444455556666/CloudTrail/us-east-1/2026/03/01/d.json": event("d"),
		"elsewhere.json": event("e"),
	})
	for _, test := range []struct {
		filter Filter
		whole  bool
		want   int64
	}{
		{want: 5},
		{filter: Filter{Accounts: []string{"111122223333"}}, want: 4},
		{filter: Filter{Regions: []string{"us-east-1"}, Accounts: []string{"111122223333"}}, want: 3},
		{filter: Filter{Since: date("2026-03-05")}, want: 2},
		{filter: Filter{Until: date("2026-03-05")}, want: 4},
		{filter: Filter{Until: date("2026-03-05")}, whole: true, want: 5},
	} {
		s, err := Load(t.Context(), newCase(t), []string{dir}, Options{Filter: test.filter, WholeFolders: test.whole})
		if err != nil || s.Records != test.want {
			t.Errorf("%+v: %+v, %v", test.filter, s, err)
		}
	}
	_, err := Load(t.Context(), newCase(t), []string{filepath.Join(dir, "AWSLogs")}, Options{Filter: Filter{Accounts: []string{"999999999999"}}})
	if !errors.Is(err, ErrNoFiles) || !strings.Contains(err.Error(), "--account") {
		t.Errorf("a filter that leaves nothing: %v", err)
	}
}
