package ingest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Buckets hold years of logs of many accounts, a thousand keys a call. Where the
// layout of a trail says that a filter leaves out what lies below a folder, it is
// not listed; where all below passes, it is listed in one go.

const (
	// listCalls are the calls to list that are under way at a time.
	listCalls = 16
	// searchCalls are those that look for AWSLogs below a prefix, and
	// searchFolders the folders beside each other that are looked into, those right
	// below the prefix apart. What goes beyond has another layout and is listed in
	// one go.
	searchCalls   = 256
	searchFolders = 16
)

// bucketListing lists a bucket, or a part of it.
type bucketListing struct {
	bucket  *bucket
	filter  *Filter
	digests bool   // list them too
	root    string // the prefix that was named
	slots   chan struct{}
	search  atomic.Int64
	cancel  context.CancelCauseFunc
	tasks   sync.WaitGroup

	mu      sync.Mutex
	objects []*source
	others  map[string][]string // folders of other services
}

// list gives the objects below a prefix that the filter leaves, by key. Like the
// aws command it takes a prefix for a folder or the key of an object; if there is
// neither, for the beginning of keys.
func (b *bucket) list(ctx context.Context, prefix string, f *Filter, digests bool) (objects []*source, skipped []Problem, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l := &bucketListing{bucket: b, filter: f, digests: digests, root: prefix, slots: make(chan struct{}, listCalls), cancel: cancel, others: map[string][]string{}}
	if err := l.start(ctx, prefix); err != nil {
		cancel(err)
	}
	l.tasks.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(l.objects, func(a, b *source) int { return strings.Compare(a.key, b.key) })
	return l.objects, l.skipped(), nil
}

// start looks what the prefix is.
func (l *bucketListing) start(ctx context.Context, prefix string) error {
	if p := parseLogPath(prefix); p.kind == digestFileKind && !l.digests {
		return fmt.Errorf("%s holds digests and no events: name the folder CloudTrail beside it", pathText(l.bucket.uri(prefix)))
	}
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		l.walk(ctx, prefix)
		return nil
	}
	folders, objects, _, err := l.children(ctx, prefix, false)
	if err != nil {
		return err
	}
	isKey := func(o types.Object) bool { return aws.ToString(o.Key) == prefix }
	if folder := prefix + "/"; slices.ContainsFunc(objects, isKey) || slices.Contains(folders, folder) {
		objects = slices.DeleteFunc(objects, func(o types.Object) bool { return !isKey(o) })
		folders = slices.DeleteFunc(folders, func(f string) bool { return f != folder })
	}
	l.add(objects)
	for _, f := range folders {
		l.walk(ctx, f)
	}
	return nil
}

// walk lists what lies below a folder, in the background.
func (l *bucketListing) walk(ctx context.Context, folder string) {
	p := parseLogPath(folder)
	if l.filter.excludes(&p) {
		return
	}
	if !l.wanted(&p) {
		l.skip(folder, &p)
		return
	}
	l.tasks.Go(func() {
		if err := l.enter(ctx, folder, &p); err != nil {
			l.cancel(err)
		}
	})
}

// enter lists a folder in one go or folder by folder.
func (l *bucketListing) enter(ctx context.Context, folder string, p *logPath) error {
	outside := p.level == levelOutside
	switch {
	case p.astray, p.level >= levelKind && l.filter.settled(p), outside && l.search.Add(1) > searchCalls:
		return l.all(ctx, folder)
	}
	folders, objects, more, err := l.children(ctx, folder, outside)
	if err != nil {
		return err
	}
	isLogs := func(f string) bool { return f == folder+"AWSLogs/" }
	if more || outside && folder != l.root && len(folders) > searchFolders && !slices.ContainsFunc(folders, isLogs) {
		return l.all(ctx, folder)
	}
	l.add(objects)
	for _, f := range folders {
		l.walk(ctx, f)
	}
	return nil
}

// wanted says that events may lie at p, or digests where those are wanted.
func (l *bucketListing) wanted(p *logPath) bool {
	return p.isCloudTrail() && (l.digests || p.kind != digestFileKind)
}

// skip notes a folder that holds something else. Digests are where logs are and
// nothing to speak of.
func (l *bucketListing) skip(folder string, p *logPath) {
	if p.kind == digestFileKind {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.others[p.kind] = append(l.others[p.kind], l.bucket.uri(folder))
}

// skipped tells of each service that has logs there too.
func (l *bucketListing) skipped() []Problem {
	var problems []Problem
	for kind, folders := range l.others {
		slices.Sort(folders)
		reason := "no logs of CloudTrail but of " + kind
		if n := len(folders) - 1; n > 0 {
			reason += fmt.Sprintf(" (and %d more folders)", n)
		}
		problems = append(problems, Problem{pathText(folders[0]), reason})
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.URI, b.URI) })
	return problems
}

// children lists the folders and objects right below a prefix; with onePage it
// stops where there are more than an answer holds.
func (l *bucketListing) children(ctx context.Context, prefix string, onePage bool) (folders []string, objects []types.Object, more bool, err error) {
	err = l.pages(ctx, prefix, "/", func(page *s3.ListObjectsV2Output) bool {
		for _, p := range page.CommonPrefixes {
			folders = append(folders, aws.ToString(p.Prefix))
		}
		objects = append(objects, page.Contents...)
		more = onePage && aws.ToBool(page.IsTruncated)
		return !more
	})
	return folders, objects, more, err
}

// all lists the objects at any depth below a prefix.
func (l *bucketListing) all(ctx context.Context, prefix string) error {
	return l.pages(ctx, prefix, "", func(page *s3.ListObjectsV2Output) bool {
		l.add(page.Contents)
		return true
	})
}

// add takes objects that may hold events and that the filter leaves.
func (l *bucketListing) add(objects []types.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range objects {
		key := aws.ToString(o.Key)
		if strings.HasSuffix(key, "/") && aws.ToInt64(o.Size) == 0 {
			continue // how the console makes folders
		}
		p := parseLogPath(key)
		if l.filter.excludes(&p) || !l.wanted(&p) {
			continue
		}
		uri := pathText(l.bucket.uri(key))
		l.objects = append(l.objects, &source{
			uri: uri, path: uri, key: key, size: aws.ToInt64(o.Size), etag: trimETag(aws.ToString(o.ETag)),
			class: string(o.StorageClass), remote: l.bucket,
		})
	}
}

// pages calls ListObjectsV2 until take has had enough. Keys come escaped: XML
// cannot hold all that they may be.
func (l *bucketListing) pages(ctx context.Context, prefix, delimiter string, take func(*s3.ListObjectsV2Output) bool) error {
	in := &s3.ListObjectsV2Input{Bucket: &l.bucket.name, Prefix: &prefix, EncodingType: types.EncodingTypeUrl, RequestPayer: l.bucket.payer}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	for {
		page, err := l.page(ctx, in)
		if err != nil {
			return err
		}
		if !take(page) || !aws.ToBool(page.IsTruncated) || aws.ToString(page.NextContinuationToken) == "" {
			return nil
		}
		in.ContinuationToken = page.NextContinuationToken
	}
}

func (l *bucketListing) page(ctx context.Context, in *s3.ListObjectsV2Input) (page *s3.ListObjectsV2Output, err error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var options []func(*s3.Options)
	if in.ContinuationToken == nil && !l.bucket.answered.Load() {
		options = append(options, func(o *s3.Options) { o.RetryMaxAttempts = firstAttempts })
	}
	err = l.bucket.call(func(api s3API) (err error) {
		page, err = api.ListObjectsV2(ctx, in, options...)
		return err
	})
	if err != nil {
		return nil, l.bucket.problem(ctx, "ListObjectsV2", err)
	}
	l.bucket.answered.Store(true)
	if page.EncodingType == types.EncodingTypeUrl {
		for i, o := range page.Contents {
			page.Contents[i].Key = unescaped(o.Key)
		}
		for i, p := range page.CommonPrefixes {
			page.CommonPrefixes[i].Prefix = unescaped(p.Prefix)
		}
	}
	return page, nil
}

// unescaped is a key as it is.
func unescaped(key *string) *string {
	if plain, err := url.QueryUnescape(aws.ToString(key)); err == nil {
		return &plain
	}
	return key
}
