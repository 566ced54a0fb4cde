package ingest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// s3Scheme begins the name of a bucket as a source.
const s3Scheme = "s3://"

// s3API is what is called of S3: reading alone.
type s3API interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// bucket reads an S3 bucket. It is safe for concurrent use.
type bucket struct {
	name     string
	payer    types.RequestPayer
	inRegion func(region string) s3API
	backoff  func(n int) time.Duration
	stall    time.Duration // without a byte of a body, after which it is asked for again
	keep     *keeper       // nil: no copies

	mu     sync.Mutex
	api    s3API
	region string
	moved  bool // to the region that S3 named

	answered atomic.Bool // a call has been
	opened   atomic.Bool // an object has been
}

// splitS3 is the bucket and the key or prefix that a source names.
func splitS3(source string) (name, prefix string, err error) {
	name, prefix, _ = strings.Cut(strings.TrimPrefix(source, s3Scheme), "/")
	// arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME is a bucket too.
	if strings.HasPrefix(name, "arn:") && strings.HasSuffix(name, ":accesspoint") {
		point, rest, _ := strings.Cut(prefix, "/")
		name, prefix = name+"/"+point, rest
	}
	if name == "" {
		return "", "", fmt.Errorf("source %s names no bucket: write s3://BUCKET/PREFIX", source)
	}
	return name, prefix, nil
}

// newBucket finds credentials for a bucket. No call is made yet.
func newBucket(ctx context.Context, name string, o AWSOptions) (*bucket, error) {
	c, err := o.config(ctx)
	if err != nil {
		return nil, err
	}
	b := &bucket{name: name, region: c.Region, backoff: backoff, stall: stallTimeout}
	if o.RequesterPays {
		b.payer = types.RequestPayerRequester
	}
	b.inRegion = func(region string) s3API {
		return s3.NewFromConfig(c, func(so *s3.Options) {
			so.Region = region
			so.UseARNRegion = true
			// Servers other than AWS's seldom have a host name a bucket.
			so.UsePathStyle = so.BaseEndpoint != nil
			so.DisableLogOutputChecksumValidationSkipped = true
		})
	}
	b.api = b.inRegion(b.region)
	return b, nil
}

// call runs f with the client of the bucket's region. S3 names the right region
// when it is asked in another.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html#access-bucket-intro
func (b *bucket) call(f func(s3API) error) error {
	b.mu.Lock()
	api, region, moved := b.api, b.region, b.moved
	b.mu.Unlock()
	err := f(api)
	if err == nil {
		return nil
	}
	status, header := answerStatus(err)
	right := header.Get("X-Amz-Bucket-Region")
	if status != 301 && status != 307 && status != 400 || right == "" || right == region && !moved {
		return err
	}
	b.mu.Lock()
	if b.region != right && !b.moved {
		b.api, b.region, b.moved = b.inRegion(right), right, true
	}
	again := b.region != region
	api = b.api
	b.mu.Unlock()
	if !again {
		return err
	}
	return f(api)
}

func (b *bucket) uri(key string) string { return s3Scheme + b.name + "/" + key }

// problem puts an error of a call about the bucket in a user's words.
func (b *bucket) problem(ctx context.Context, call string, err error) error {
	name := s3Scheme + b.name
	status, _ := answerStatus(err)
	switch code := answerCode(err); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case code == "NoSuchBucket":
		return &awsError{name + ": there is no such bucket: check its name (and --endpoint-url)", err}
	case code == "AccessDenied" || code == "AllAccessDisabled" || code == "Forbidden" || code == "" && status == 403:
		return &awsError{fmt.Sprintf("%s: access denied to %s: use a --profile that may call s3:ListBucket on the bucket and s3:GetObject on its objects (and kms:Decrypt where they are encrypted), or --no-sign-request for a public bucket", name, call), err}
	}
	return explain(ctx, name+": "+call, err)
}

// open starts reading the object of a source and notes its ETag. An error that
// is about more than this one object stands in s.broken too.
func (b *bucket) open(ctx context.Context, s *source) (io.ReadCloser, error) {
	r := &objectReader{ctx: ctx, bucket: b, source: s}
	if err := r.get(); err != nil {
		switch code := answerCode(err); {
		case code == "NoSuchKey" || code == "NotFound":
			return nil, &awsError{"the object is gone", err}
		case code == "InvalidObjectState":
			return nil, &awsError{"the object is archived (" + s.class + "): restore it first with `aws s3api restore-object`", err}
		case code == "AccessDenied" && b.opened.Load():
			return nil, b.problem(ctx, "GetObject", err)
		}
		s.broken = b.problem(ctx, "GetObject "+pathText(s.key), err)
		return nil, s.broken
	}
	b.opened.Store(true)
	if b.keep == nil {
		return r, nil
	}
	kept, err := b.keep.copy(r, s)
	if err != nil {
		s.broken = err
	}
	return kept, err
}

// stallTimeout is longer than any server that works is silent for.
const stallTimeout = time.Minute

// bodyAttempts are the tries to go on with an object whose body breaks off,
// since it last brought a byte.
const bodyAttempts = 8

// objectReader reads an object. Where the body breaks off it goes on from there
// with the same version of the object. What cannot be read to its end is broken:
// nothing of it is to be kept.
type objectReader struct {
	ctx     context.Context
	bucket  *bucket
	source  *source
	body    io.ReadCloser
	cancel  context.CancelFunc // of the request for body
	size    int64              // -1: unknown
	at      int64
	etag    string
	retries int
}

// get asks for the object from r.at on.
func (r *objectReader) get(options ...func(*s3.Options)) error {
	in := &s3.GetObjectInput{Bucket: &r.bucket.name, Key: &r.source.key, RequestPayer: r.bucket.payer}
	if r.at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.at))
		if r.etag != "" {
			in.IfMatch = &r.etag
		}
	}
	ctx, cancel := context.WithCancel(r.ctx)
	var out *s3.GetObjectOutput
	err := r.bucket.call(func(api s3API) (err error) {
		out, err = api.GetObject(ctx, in, options...)
		return err
	})
	if err != nil {
		cancel()
		return err
	}
	r.body, r.cancel = out.Body, cancel
	if r.at > 0 {
		if out.ContentRange == nil {
			// The server does not know ranges and begins anew.
			_, err := io.CopyN(io.Discard, readerFunc(r.receive), r.at)
			return err
		}
		return nil
	}
	r.etag = aws.ToString(out.ETag)
	r.source.etag, r.source.meta = trimETag(r.etag), lowerNames(out.Metadata)
	r.size = -1
	if out.ContentLength != nil {
		r.size = *out.ContentLength
	}
	return nil
}

// trimETag is an ETag without the quotes of HTTP.
func trimETag(etag string) string { return strings.Trim(etag, `"`) }

// receive reads from the body, and gives up on it when nothing comes.
func (r *objectReader) receive(p []byte) (int, error) {
	defer time.AfterFunc(r.bucket.stall, r.cancel).Stop()
	return r.body.Read(p)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (r *objectReader) Read(p []byte) (int, error) {
	for {
		if r.source.broken != nil {
			return 0, r.source.broken
		}
		n, err := r.receive(p)
		r.at += int64(n)
		if n > 0 {
			r.retries = 0
		}
		switch {
		case err == nil:
			return n, nil
		case err == io.EOF && (r.size < 0 || r.at == r.size):
			return n, io.EOF
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
		if r.size >= 0 && r.at >= r.size {
			// All bytes are there, and they are not those that S3 vouches for.
			r.source.broken = fmt.Errorf("%s: read the object: %w", r.source.uri, err)
		} else {
			r.reopen(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// reopen goes on where the body broke off, or gives the object up.
func (r *objectReader) reopen(cause error) {
	for {
		r.Close() // its error is the cause, or no matter
		if r.retries++; r.retries > bodyAttempts {
			r.source.broken = explain(r.ctx, fmt.Sprintf("%s: the download breaks off after %d of %d bytes", r.source.uri, r.at, r.size), cause)
			return
		}
		if err := pause(r.ctx, r.bucket.backoff(r.retries-1)); err != nil {
			r.source.broken = err
			return
		}
		err := r.get(func(o *s3.Options) { o.RetryMaxAttempts = firstAttempts })
		switch {
		case err == nil:
			return
		case answerCode(err) == "PreconditionFailed" || answerCode(err) == "NoSuchKey":
			r.source.broken = &awsError{r.source.uri + ": the object was changed while it was read: run the same command again", err}
			return
		case r.ctx.Err() != nil:
			r.source.broken = context.Cause(r.ctx)
			return
		}
		cause = err
	}
}

func (r *objectReader) Close() error {
	if r.body == nil {
		return nil
	}
	r.cancel()
	err := r.body.Close()
	r.body = nil
	return err
}

// metadata implements remote. An object that has been opened brought it along.
func (b *bucket) metadata(ctx context.Context, s *source) (map[string]string, error) {
	if s.meta != nil {
		return s.meta, nil
	}
	var out *s3.HeadObjectOutput
	err := b.call(func(api s3API) (err error) {
		out, err = api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &s.key, RequestPayer: b.payer})
		return err
	})
	if err != nil {
		return nil, b.problem(ctx, "HeadObject "+pathText(s.key), err)
	}
	return lowerNames(out.Metadata), nil
}

func lowerNames(metadata map[string]string) map[string]string {
	m := make(map[string]string, len(metadata))
	for name, value := range metadata {
		m[strings.ToLower(name)] = value
	}
	return m
}
