package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

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
