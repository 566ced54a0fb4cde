package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// stdinURI names standard input, among the sources and in the case.
const stdinURI = "-"

// source is a file, object or stream to load.
type source struct {
	id     int64
	uri    string // what the case calls it: its path as text
	path   string
	stream bool // can be read once only: standard input, a pipe, a device, LookupEvents
	size   int64
	tally  tally
	// entries says where in an archive each entry starts.
	entries []entryStart

	remote remote            // what opens it; nil for files and standard input
	key    string            // of an S3 object
	etag   string            // the same
	class  string            // its storage class
	meta   map[string]string // its metadata, once it is open
	format string            // that of a remote stream, whatever its text looks like
	// broken is why a remote source could not be read to its end: nothing of it is
	// kept, and the load stops.
	broken error

	// replaces are sources of the case: the same path, not read through then.
	replaces []int64
}

// entryStart says from which record on what is found is of an entry, or of the
// archive itself where the name is empty.
type entryStart struct {
	index int64
	name  string
}

// entryAt is the path of the entry that a record is in, or "".
func (s *source) entryAt(index int64) string {
	after := sort.Search(len(s.entries), func(i int) bool { return s.entries[i].index > index })
	if after == 0 {
		return ""
	}
	return s.entries[after-1].name
}

func newSource(path string, info fs.FileInfo) *source {
	s := &source{uri: pathText(path), path: path, stream: !info.Mode().IsRegular()}
	if !s.stream {
		s.size = info.Size()
	}
	return s
}

// pathText is a path as text that a VARCHAR takes: file names on Unix are bytes.
// What is no UTF-8 stands as \xff does.
func pathText(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	var b strings.Builder
	for len(path) > 0 {
		r, n := utf8.DecodeRuneInString(path)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, path[0])
		} else {
			b.WriteString(path[:n])
		}
		path = path[n:]
	}
	return b.String()
}

// listing is what there is to load.
type listing struct {
	files      []*source // in order of their absolute paths
	skipped    []Problem // what lies in folders and is no file
	unreadable []Problem // folders and files that could not be looked at

	own      func(fs.FileInfo) bool // tells the case's own files
	filter   *Filter                // of local folders
	filtered bool                   // it left something out
	found    map[string]*source     // by path
	keep     *keeper                // of copies of objects; nil for none
}

// list finds the files of the sources: those named, and all in the folders,
// buckets and regions named that the filter leaves. The case's own files are left
// out. Symbolic links in folders are not followed, for they may lead out of what
// the user meant to load.
func list(ctx context.Context, sources []string, casePath string, o *Options) (*listing, error) {
	local := o.Filter
	if o.WholeFolders {
		local.Since, local.Until = time.Time{}, time.Time{}
	}
	l := &listing{own: ownFiles(casePath), filter: &local, found: map[string]*source{}}
	for _, name := range sources {
		var err error
		switch {
		case name == stdinURI:
			l.found[stdinURI] = &source{uri: stdinURI, path: stdinURI, stream: true}
		case strings.HasPrefix(name, s3Scheme):
			err = l.bucket(ctx, name, o)
		case name == LookupEvents:
			err = l.lookup(ctx, o)
		default:
			err = l.local(name)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(l.found) == 0 && len(l.unreadable) == 0 {
		return nil, l.nothing(sources, o)
	}
	for _, s := range l.found {
		l.files = append(l.files, s)
	}
	slices.SortFunc(l.files, func(a, b *source) int { return strings.Compare(a.path, b.path) })
	return l, nil
}

// nothing is the error of sources in which there is nothing to load.
func (l *listing) nothing(sources []string, o *Options) error {
	named := strings.Join(sources, ", ")
	switch {
	case l.filtered || !o.Filter.isZero():
		return fmt.Errorf("%s: %w that --account, --region, --since and --until leave", named, ErrNoFiles)
	case strings.HasPrefix(named, s3Scheme):
		return fmt.Errorf("%s: %w there: name the bucket and the prefix that holds AWSLogs", named, ErrNoFiles)
	case named == LookupEvents:
		return fmt.Errorf("%s: %w: no region has events of the last 90 days", named, ErrNoFiles)
	}
	return fmt.Errorf("%s: %w in it: name the folder that holds the exported logs", named, ErrNoFiles)
}

// local adds a file or what is in a folder.
func (l *listing) local(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("source %s does not exist: check the path: %w", name, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("source %s: %w", name, err)
	}
	root, err := filepath.Abs(name)
	if err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	if info.IsDir() {
		return l.walk(root)
	}
	if l.own(info) {
		return fmt.Errorf("source %s is the case itself: name the logs to load, or another file with --case", name)
	}
	l.found[root] = newSource(root, info)
	return nil
}

// bucket adds what lies in a bucket.
func (l *listing) bucket(ctx context.Context, name string, o *Options) error {
	bucketName, prefix, err := splitS3(name)
	if err != nil {
		return err
	}
	b, err := newBucket(ctx, bucketName, o.AWS)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if o.Keep != "" {
		if l.keep == nil {
			if l.keep, err = newKeeper(o.Keep); err != nil {
				return err
			}
		}
		b.keep = l.keep
	}
	objects, skipped, err := b.list(ctx, prefix, &o.Filter, o.digests)
	if err != nil {
		return err
	}
	for _, s := range objects {
		l.found[s.path] = s
	}
	l.skipped = append(l.skipped, skipped...)
	return nil
}

// ownFiles tells the files of a case from those of others, whatever path leads
// to them. To read one would be worse than useless: DuckDB's lock on it is gone
// once the process closes any handle of it.
func ownFiles(casePath string) func(fs.FileInfo) bool {
	var own []fs.FileInfo
	for _, path := range []string{casePath, casePath + ".wal", casePath + ".tmp"} {
		if info, err := os.Stat(path); err == nil {
			own = append(own, info)
		}
	}
	return func(info fs.FileInfo) bool {
		return slices.ContainsFunc(own, func(o fs.FileInfo) bool { return os.SameFile(o, info) })
	}
}

// walk adds the regular files under root that the filter leaves.
func (l *listing) walk(root string) error {
	// A named folder may be a link itself; WalkDir would not enter it.
	top, err := filepath.EvalSymlinks(root)
	if err != nil {
		return fmt.Errorf("source %s: %w", root, err)
	}
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		uri := root + strings.TrimPrefix(path, top)
		switch {
		case err != nil && path == top:
			return fmt.Errorf("source %s: %w", root, err)
		case err != nil:
			l.unreadable = append(l.unreadable, Problem{pathText(uri), "cannot be read: " + withoutPath(err).Error()})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			l.skipped = append(l.skipped, Problem{pathText(uri), "symbolic link, not followed: name it as a source to load it"})
			return nil
		case !d.IsDir() && !d.Type().IsRegular():
			l.skipped = append(l.skipped, Problem{pathText(uri), "no regular file"})
			return nil
		case l.excludes(uri, d.IsDir()):
			l.filtered = true
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		switch {
		case err != nil:
			l.unreadable = append(l.unreadable, Problem{pathText(uri), "cannot be read: " + withoutPath(err).Error()})
		case d.IsDir() && l.own(info):
			return fs.SkipDir
		case !d.IsDir() && !l.own(info):
			l.found[uri] = newSource(uri, info)
		}
		return nil
	})
}

// excludes says that the filter leaves nothing of a local file or folder.
func (l *listing) excludes(path string, isDir bool) bool {
	if l.filter.isZero() {
		return false
	}
	path = filepath.ToSlash(path)
	if isDir {
		path += "/"
	}
	p := parseLogPath(path)
	return l.filter.excludes(&p)
}
