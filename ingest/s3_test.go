package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"trailscan/internal/mototest"
)

// fakeS3 is a bucket that notes what is asked of it.
type fakeS3 struct {
	objects  map[string]string
	pageSize int

	mu    sync.Mutex
	lists []string // prefixes, with a * where all below was asked for
	gets  []string // keys, with the range
	// fail may answer a get in place of the bucket.
	fail func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error)
}

func etagOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

func (f *fakeS3) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	prefix, delimiter := aws.ToString(in.Prefix), aws.ToString(in.Delimiter)
	f.mu.Lock()
	if in.ContinuationToken == nil {
		f.lists = append(f.lists, prefix+map[bool]string{true: "*"}[delimiter == ""])
	}
	f.mu.Unlock()
	var keys []string
	for key := range f.objects {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			if i := strings.Index(rest, "/"); delimiter != "" && i >= 0 {
				key = prefix + rest[:i+1]
			}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	start, _ := strconv.Atoi(aws.ToString(in.ContinuationToken))
	end := min(start+cmp.Or(f.pageSize, 1000), len(keys))
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(end < len(keys)), NextContinuationToken: aws.String(strconv.Itoa(end)), EncodingType: in.EncodingType}
	for _, key := range keys[start:end] {
		escaped := aws.String(strings.ReplaceAll(url.QueryEscape(key), "%2F", "/"))
		content, isKey := f.objects[key]
		if isKey && (delimiter == "" || !strings.Contains(strings.TrimPrefix(key, prefix), "/")) {
			out.Contents = append(out.Contents, types.Object{Key: escaped, Size: aws.Int64(int64(len(content))), ETag: aws.String(etagOf(content))})
		} else {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: escaped})
		}
	}
	return out, nil
}

func (f *fakeS3) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	f.mu.Lock()
	f.gets = append(f.gets, strings.TrimSpace(aws.ToString(in.Key)+" "+aws.ToString(in.Range)))
	nth := len(f.gets)
	f.mu.Unlock()
	if f.fail != nil {
		if out, err := f.fail(in, nth); out != nil || err != nil {
			if out != nil {
				if silent, ok := out.Body.(*silentBody); ok {
					silent.ctx = ctx
				}
			}
			return out, err
		}
	}
	content := f.objects[aws.ToString(in.Key)]
	out := &s3.GetObjectOutput{ETag: aws.String(etagOf(content))}
	if in.Range != nil {
		var from int
		fmt.Sscanf(*in.Range, "bytes=%d-", &from)
		out.ContentRange = aws.String(fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		content = content[from:]
	}
	out.ContentLength = aws.Int64(int64(len(content)))
	out.Body = io.NopCloser(strings.NewReader(content))
	return out, nil
}

func (f *fakeS3) HeadObject(_ context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return &s3.HeadObjectOutput{Metadata: map[string]string{"Signature": "of " + *in.Key}}, nil
}

func fakeBucket(f *fakeS3) *bucket {
	return &bucket{name: "trail", api: f, region: "us-east-1", inRegion: func(string) s3API { return f },
		backoff: func(int) time.Duration { return 0 }, stall: 50 * time.Millisecond}
}

func TestListBucket(t *testing.T) {
	objects := map[string]string{"readme.txt": "", "AWSLogs/": "", "AWSLogs/111122223333/Config/us-east-1/2026/9/1/x": "", "other/deep/er/x.json": ""}
	add := func(root, account, kind string) {
		for _, region := range []string{"us-east-1", "eu-west-1"} {
			for day := date("2026-08-30"); day.Before(date("2026-09-20")); day = day.AddDate(0, 0, 1) {
				key := root + account + "/" + kind + "/" + region + day.Format("/2006/01/02/") + account + "_" + kind + "_" + region + day.Format("_20060102T1505Z_") + "a b+ü.json.gz"
				objects[key] = "x"
			}
		}
	}
	for _, account := range []string{"111122223333", "444455556666"} {
		add("AWSLogs/", account, "CloudTrail")
		add("AWSLogs/", account, "CloudTrail-Digest")
		add("AWSLogs/o-abcdefghij/", account, "CloudTrail")
		add("AWSLogs/o-abcdefghij/", account, "CloudTrail-Insight")
	}
	const one = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/"
	filter := Filter{Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1"}, Since: date("2026-09-10"), Until: date("2026-09-11")}
	for _, test := range []struct {
		name, prefix string
		filter       Filter
		pageSize     int
		count        int
		lists        []string // nil: any
	}{
		{name: "all", count: 6*2*21 + 2, lists: []string{"", "AWSLogs/", "AWSLogs/111122223333/", "AWSLogs/111122223333/CloudTrail/*",
			"AWSLogs/444455556666/", "AWSLogs/444455556666/CloudTrail/*", "AWSLogs/o-abcdefghij/",
			"AWSLogs/o-abcdefghij/111122223333/", "AWSLogs/o-abcdefghij/111122223333/CloudTrail-Insight/*", "AWSLogs/o-abcdefghij/111122223333/CloudTrail/*",
			"AWSLogs/o-abcdefghij/444455556666/", "AWSLogs/o-abcdefghij/444455556666/CloudTrail-Insight/*", "AWSLogs/o-abcdefghij/444455556666/CloudTrail/*",
			"other/", "other/deep/", "other/deep/er/"}},
		{name: "all, page by page", pageSize: 7, count: 6*2*21 + 2},
		{name: "days of a region", prefix: "AWSLogs/111122223333", filter: filter, count: 2, lists: []string{
			"AWSLogs/111122223333", "AWSLogs/111122223333/", "AWSLogs/111122223333/CloudTrail/", "AWSLogs/111122223333/CloudTrail/eu-west-1/",
			"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/", one, one + "10/*", one + "11/*"}},
		{name: "organisation", prefix: "AWSLogs/o-abcdefghij/", filter: Filter{Accounts: []string{"444455556666"}}, count: 2 * 2 * 21, lists: []string{
			"AWSLogs/o-abcdefghij/", "AWSLogs/o-abcdefghij/444455556666/",
			"AWSLogs/o-abcdefghij/444455556666/CloudTrail-Insight/*", "AWSLogs/o-abcdefghij/444455556666/CloudTrail/*"}},
		{name: "whole months in one go", prefix: "AWSLogs/111122223333/CloudTrail/eu-west-1/", filter: Filter{Since: date("2026-08-31")}, count: 20, lists: []string{
			"AWSLogs/111122223333/CloudTrail/eu-west-1/", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/",
			"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/08/", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/08/31/*", one + "*"}},
		{name: "a day", prefix: one + "05/", filter: filter, count: 0, lists: []string{}},
		{name: "the beginning of keys", prefix: one + "1", count: 10},
		{name: "an object", prefix: "readme.txt", count: 1, lists: []string{"readme.txt"}},
		{name: "another layout", prefix: "other", count: 1, lists: []string{"other", "other/", "other/deep/", "other/deep/er/"}},
		{name: "nothing", prefix: "no/such/", count: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := &fakeS3{objects: objects, pageSize: test.pageSize}
			found, skipped, err := fakeBucket(fake).list(t.Context(), test.prefix, &test.filter, false)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != test.count {
				t.Errorf("%d objects, want %d", len(found), test.count)
			}
			for _, s := range found {
				if _, ok := objects[s.key]; !ok || strings.Contains(s.key, "Digest") {
					t.Errorf("object %q", s.key)
				}
			}
			slices.Sort(fake.lists)
			if test.lists != nil && !slices.Equal(fake.lists, test.lists) {
				t.Errorf("listed\n%s\nwant\n%s", strings.Join(fake.lists, "\n"), strings.Join(test.lists, "\n"))
			}
			if test.name == "all" && (len(skipped) != 1 || skipped[0].URI != "s3://trail/AWSLogs/111122223333/Config/") {
				t.Errorf("skipped %v", skipped)
			}
		})
	}
	fake := &fakeS3{objects: objects}
	if _, _, err := fakeBucket(fake).list(t.Context(), "AWSLogs/111122223333/CloudTrail-Digest/", &Filter{}, false); err == nil || len(fake.lists) > 0 {
		t.Errorf("digests as a source: %v", err)
	}
	found, _, err := fakeBucket(fake).list(t.Context(), "AWSLogs/111122223333/", &Filter{}, true)
	if err != nil || len(found) != 2*2*21 {
		t.Errorf("with digests %d objects, %v", len(found), err)
	}
	m, err := fakeBucket(fake).metadata(t.Context(), &source{key: "k"})
	if err != nil || m["signature"] != "of k" {
		t.Errorf("metadata %v, %v", m, err)
	}
}

// A bucket with many folders and no AWSLogs costs two calls a folder of the first level.
func TestListOtherLayout(t *testing.T) {
	fake := &fakeS3{objects: map[string]string{}}
	for i := range 3000 {
		fake.objects[fmt.Sprintf("%d/%d/x.json", i%100, i)] = "x"
	}
	found, _, err := fakeBucket(fake).list(t.Context(), "", &Filter{}, false)
	if err != nil || len(found) != 3000 || len(fake.lists) > 201 {
		t.Fatalf("%d objects in %d calls, %v", len(found), len(fake.lists), err)
	}
}

// brokenBody ends early, with an error or as if it were the end.
type brokenBody struct {
	io.Reader
	err error
}

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}
func (brokenBody) Close() error { return nil }

// silentBody brings nothing until the request is given up.
type silentBody struct{ ctx context.Context }

func (b *silentBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}
func (*silentBody) Close() error { return nil }

func TestReadObject(t *testing.T) {
	content := strings.Repeat("0123456789", 100)
	cut := func(from, to int, err error) *s3.GetObjectOutput {
		out := &s3.GetObjectOutput{ETag: aws.String(etagOf(content)), ContentLength: aws.Int64(int64(len(content) - from)),
			Body: brokenBody{strings.NewReader(content[from:to]), err}}
		if from > 0 {
			out.ContentRange = aws.String("bytes")
		}
		return out
	}
	reset := errors.New("connection reset by peer")
	for _, test := range []struct {
		name   string
		fail   func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error)
		broken string
		gets   []string
	}{
		{name: "whole", gets: []string{"k"}},
		{name: "reset, then cut, then whole", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			switch nth {
			case 1:
				return cut(0, 300, reset), nil
			case 2:
				return nil, reset
			case 3:
				if aws.ToString(in.IfMatch) != etagOf(content) {
					return nil, errors.New("no If-Match")
				}
				return cut(300, 700, io.EOF), nil
			}
			return nil, nil
		}, gets: []string{"k", "k bytes=300-", "k bytes=300-", "k bytes=700-"}},
		{name: "a server without ranges", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			if nth == 1 {
				return cut(0, 300, reset), nil
			}
			return cut(0, 1000, io.EOF), nil
		}, gets: []string{"k", "k bytes=300-"}},
		{name: "never again", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			if nth == 1 {
				return cut(0, 300, reset), nil
			}
			return nil, reset
		}, broken: "breaks off after 300 of 1000 bytes"},
		{name: "silence", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			if nth > 1 {
				return nil, nil
			}
			out := cut(0, 0, nil)
			out.Body = &silentBody{}
			return out, nil
		}, gets: []string{"k", "k"}},
		{name: "changed meanwhile", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			if nth == 1 {
				return cut(0, 300, reset), nil
			}
			return nil, &apiError{"PreconditionFailed"}
		}, broken: "was changed while it was read"},
		{name: "not what it should be", fail: func(in *s3.GetObjectInput, nth int) (*s3.GetObjectOutput, error) {
			return cut(0, 1000, errors.New("checksum did not match")), nil
		}, broken: "checksum did not match"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := &fakeS3{objects: map[string]string{"k": content}, fail: test.fail}
			s := &source{uri: "s3://trail/k", key: "k"}
			body, err := fakeBucket(fake).open(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if test.broken != "" {
				if err == nil || s.broken == nil || !strings.Contains(err.Error(), test.broken) {
					t.Fatalf("error %v, want %q", err, test.broken)
				}
				return
			}
			if err != nil || string(got) != content || s.broken != nil || s.etag != strings.Trim(etagOf(content), `"`) {
				t.Fatalf("read %d bytes, error %v, etag %s", len(got), err, s.etag)
			}
			if !slices.Equal(fake.gets, test.gets) {
				t.Errorf("asked for %q, want %q", fake.gets, test.gets)
			}
		})
	}
}

type apiError struct{ code string }

func (e *apiError) Error() string                 { return e.code }
func (e *apiError) ErrorCode() string             { return e.code }
func (e *apiError) ErrorMessage() string          { return "" }
func (e *apiError) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// s3Server is fakeS3 over HTTP, in which a region may be the wrong one.
type s3Server struct {
	*fakeS3
	region string
	meta   map[string]string // signatures by key
	// answer may take the place of the bucket for a GET of an object.
	answer func(w http.ResponseWriter, r *http.Request, key string) bool
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.region != "" && !strings.Contains(r.Header.Get("Authorization"), "/"+s.region+"/s3/") {
		w.Header().Set("X-Amz-Bucket-Region", s.region)
		w.WriteHeader(http.StatusMovedPermanently)
		io.WriteString(w, `<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>`)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/trail")
	q := r.URL.Query()
	if key = strings.TrimPrefix(key, "/"); key == "" {
		in := &s3.ListObjectsV2Input{Prefix: aws.String(q.Get("prefix")), EncodingType: types.EncodingTypeUrl}
		if d := q.Get("delimiter"); d != "" {
			in.Delimiter = &d
		}
		if c := q.Get("continuation-token"); c != "" {
			in.ContinuationToken = &c
		}
		out, _ := s.ListObjectsV2(r.Context(), in)
		type object struct {
			Key, ETag string
			Size      int64
		}
		type folder struct{ Prefix string }
		page := struct {
			XMLName               xml.Name `xml:"ListBucketResult"`
			EncodingType          string
			IsTruncated           bool
			NextContinuationToken string
			Contents              []object
			CommonPrefixes        []folder
		}{EncodingType: "url", IsTruncated: *out.IsTruncated, NextContinuationToken: *out.NextContinuationToken}
		for _, o := range out.Contents {
			page.Contents = append(page.Contents, object{*o.Key, *o.ETag, *o.Size})
		}
		for _, p := range out.CommonPrefixes {
			page.CommonPrefixes = append(page.CommonPrefixes, folder{*p.Prefix})
		}
		xml.NewEncoder(w).Encode(page)
		return
	}
	if s.answer != nil && s.answer(w, r, key) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gets = append(s.gets, key)
		return
	}
	in := &s3.GetObjectInput{Key: &key}
	if h := r.Header.Get("Range"); h != "" {
		in.Range = &h
	}
	out, _ := s.GetObject(r.Context(), in)
	w.Header().Set("ETag", *out.ETag)
	w.Header().Set("Content-Length", strconv.FormatInt(*out.ContentLength, 10))
	// What a log file is stored with: nothing on the way may undo it.
	w.Header().Set("Content-Encoding", "gzip")
	if signature := s.meta[key]; signature != "" {
		w.Header().Set("X-Amz-Meta-Signature", signature)
		w.Header().Set("X-Amz-Meta-Signature-Algorithm", "SHA256withRSA")
	}
	if out.ContentRange != nil {
		w.Header().Set("Content-Range", *out.ContentRange)
		w.WriteHeader(http.StatusPartialContent)
	}
	io.Copy(w, out.Body)
}

// serveS3 serves objects and points the SDK there.
func serveS3(t *testing.T, objects map[string]string) (*s3Server, Options) {
	t.Helper()
	s := &s3Server{fakeS3: &fakeS3{objects: objects}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	mototest.Isolate(t)
	return s, Options{AWS: AWSOptions{Endpoint: server.URL}}
}

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

func TestKeep(t *testing.T) {
	objects := logs(3)
	long := strings.Repeat("l", 300)
	for i, key := range []string{"../../evil.json", "/etc/passwd", "a//b", "a\\b", "n\x01l", "dir", "dir/file", "SHA256SUMS", "x/" + long, "..", "x/./y"} {
		objects[key] = event(fmt.Sprintf("k%d", i))
	}
	server, o := serveS3(t, objects)
	parent := t.TempDir()
	o.Keep = filepath.Join(parent, "kept")
	c := newCase(t)
	if _, err := Load(t.Context(), c, []string{"s3://trail"}, o); err != nil {
		t.Fatal(err)
	}
	check := func(want map[string]string) {
		t.Helper()
		contents := map[string]int{}
		files := 0
		err := filepath.WalkDir(parent, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == sumsFile {
				return err
			}
			files++
			text, err := os.ReadFile(path)
			contents[string(text)]++
			if !strings.HasPrefix(path, o.Keep+"/") {
				t.Errorf("%s lies outside", path)
			}
			return err
		})
		if err != nil || files != len(want) {
			t.Errorf("%d files, want %d, %v", files, len(want), err)
		}
		for key, content := range want {
			if contents[content] != 1 {
				t.Errorf("%q: %d copies", key, contents[content])
			}
		}
	}
	check(objects)
	for key := range logs(3) {
		if text, err := os.ReadFile(filepath.Join(o.Keep, key)); err != nil || string(text) != objects[key] {
			t.Errorf("%s: %v", key, err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(o.Keep, sumsFile))
	if err != nil || strings.Count(string(sums), "\n") != len(objects) {
		t.Errorf("%s: %v", sums, err)
	}
	// A copy that is lost is made again although the case holds the object; a
	// changed object does not take the place of the first copy.
	all := map[string]string{}
	for key, content := range objects {
		all[key] = content
	}
	for key := range logs(1) {
		if err := os.Remove(filepath.Join(o.Keep, key)); err != nil {
			t.Fatal(err)
		}
	}
	objects["a\\b"] = event("changed")
	all["a\\b, changed"] = objects["a\\b"]
	server.gets = nil
	if _, err := Load(t.Context(), c, []string{"s3://trail"}, o); err != nil || len(server.gets) != 2 {
		t.Fatalf("%v, %q", err, server.gets)
	}
	check(all)
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
