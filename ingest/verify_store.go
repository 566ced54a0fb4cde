package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
)

// ObjectStore is where the files to verify lie: a folder or a bucket.
type ObjectStore interface {
	// List names every object, each once.
	List(ctx context.Context, found func(Object) error) error
	// Open reads the object as it is stored, compressed or not.
	Open(ctx context.Context, o Object) (io.ReadCloser, error)
	// Metadata is the object's user metadata in S3, by lower-case names
	// without x-amz-meta-. It is nil where it was not kept.
	Metadata(ctx context.Context, o Object) (map[string]string, error)
}

// Object is a file in an ObjectStore.
type Object struct {
	URI  string // as sources.uri has it
	Key  string // its S3 key, or a path that ends like it, with slashes
	Size int64  // as stored; for progress only

	path string // of a local file, whose name may be no text
}

// MetadataSuffix is what the name of a file has after the name of the digest
// whose S3 metadata it holds. Its content is the answer of
// `aws s3api head-object` or get-object.
const MetadataSuffix = ".metadata.json"

// localFiles are files on disk.
type localFiles struct{ *listing }

// LocalFiles is the store of the files named, and of all in the folders named.
// own is the path of a case, which is left out.
func LocalFiles(sources []string, own string) (ObjectStore, error) {
	l, err := list(sources, own)
	if err != nil {
		return nil, err
	}
	return &localFiles{l}, nil
}

func (l *localFiles) List(ctx context.Context, found func(Object) error) error {
	for _, f := range l.files {
		if f.stream || strings.HasSuffix(f.path, MetadataSuffix) {
			continue
		}
		if err := found(Object{URI: f.uri, Key: filepath.ToSlash(f.uri), Size: f.size, path: f.path}); err != nil {
			return err
		}
	}
	// What could not be looked at fails again when it is opened, and is told then.
	for _, p := range l.unreadable {
		if err := found(Object{URI: p.URI, Key: filepath.ToSlash(p.URI), path: p.URI}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *localFiles) Open(_ context.Context, o Object) (io.ReadCloser, error) {
	return os.Open(o.path)
}

// metadataLimit is far above the 2 KB that S3 allows for user metadata.
const metadataLimit = 1 << 20

func (l *localFiles) Metadata(_ context.Context, o Object) (map[string]string, error) {
	path := o.path + MetadataSuffix
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read S3 metadata: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, metadataLimit))
	if err != nil {
		return nil, fmt.Errorf("read S3 metadata: %w", err)
	}
	m, err := parseMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: save it with `aws s3api head-object --bucket … --key …`", path, err)
	}
	return m, nil
}

// parseMetadata reads the answer of head-object, of which it takes Metadata, or
// the metadata alone.
func parseMetadata(text []byte) (map[string]string, error) {
	var answer struct {
		Metadata map[string]string
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Metadata == nil {
		if err := json.Unmarshal(text, &answer.Metadata); err != nil {
			answer.Metadata = nil
		}
	}
	m := make(map[string]string, len(answer.Metadata))
	for name, value := range answer.Metadata {
		m[strings.TrimPrefix(strings.ToLower(name), "x-amz-meta-")] = value
	}
	if m[metaSignature] == "" {
		return nil, errors.New("no answer of head-object for a digest: it has no signature in its Metadata")
	}
	return m, nil
}
