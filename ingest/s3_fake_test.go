package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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
