package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// stdinURI names standard input, among the sources and in the case.
const stdinURI = "-"

// source is a file or stream to load.
type source struct {
	id     int64
	uri    string // what the case calls it: its path as text
	path   string
	stream bool // can be read once only: standard input, a pipe, a device
	size   int64
	tally  tally
	// entries says where in an archive each entry starts.
	entries []entryStart
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
}

// list finds the files of the sources: those named, and all in the folders
// named. The case's own files are left out. Symbolic links in folders are not
// followed, for they may lead out of what the user meant to load.
func list(sources []string, casePath string) (*listing, error) {
	own := ownFiles(casePath)
	l := new(listing)
	found := map[string]*source{}
	for _, name := range sources {
		if name == stdinURI {
			found[stdinURI] = &source{uri: stdinURI, path: stdinURI, stream: true}
			continue
		}
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("source %s does not exist: check the path: %w", name, fs.ErrNotExist)
		case err != nil:
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		root, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		if info.IsDir() {
			if err := l.walk(root, own, found); err != nil {
				return nil, err
			}
			continue
		}
		if own(info) {
			return nil, fmt.Errorf("source %s is the case itself: name the logs to load, or another file with --case", name)
		}
		found[root] = newSource(root, info)
	}
	if len(found) == 0 && len(l.unreadable) == 0 {
		return nil, fmt.Errorf("%s: %w in it: name the folder that holds the exported logs", strings.Join(sources, ", "), ErrNoFiles)
	}
	for _, s := range found {
		l.files = append(l.files, s)
	}
	slices.SortFunc(l.files, func(a, b *source) int { return strings.Compare(a.path, b.path) })
	return l, nil
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

// walk adds the regular files under root to found.
func (l *listing) walk(root string, own func(fs.FileInfo) bool, found map[string]*source) error {
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
		}
		info, err := d.Info()
		switch {
		case err != nil:
			l.unreadable = append(l.unreadable, Problem{pathText(uri), "cannot be read: " + withoutPath(err).Error()})
		case d.IsDir() && own(info):
			return fs.SkipDir
		case !d.IsDir() && !own(info):
			found[uri] = newSource(uri, info)
		}
		return nil
	})
}
