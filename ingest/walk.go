package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdinURI names standard input, among the sources and in the case.
const stdinURI = "-"

// source is a file or stream to load.
type source struct {
	id    int64
	uri   string
	size  int64 // zero for streams
	tally tally
	// replaces are sources of the case: the same path, not read through then.
	replaces []int64
}

// list finds the files of the sources: those named, and all in the folders
// named, in order of their absolute paths. The case's own files are left out.
// Symbolic links in folders are not followed, for they may lead out of what the
// user meant to load.
func list(sources []string, casePath string) (files []*source, skipped []Problem, err error) {
	own, err := filepath.Abs(casePath)
	if err != nil {
		return nil, nil, fmt.Errorf("list sources: %w", err)
	}
	found := map[string]*source{}
	for _, name := range sources {
		if name == stdinURI {
			found[stdinURI] = &source{uri: stdinURI}
			continue
		}
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil, fmt.Errorf("source %s does not exist: check the path: %w", name, fs.ErrNotExist)
		case err != nil:
			return nil, nil, fmt.Errorf("source %s: %w", name, err)
		}
		root, err := filepath.Abs(name)
		if err != nil {
			return nil, nil, fmt.Errorf("source %s: %w", name, err)
		}
		if !info.IsDir() {
			found[root] = &source{uri: root, size: regularSize(info)}
			continue
		}
		passed, err := walk(root, own, found)
		if err != nil {
			return nil, nil, err
		}
		skipped = append(skipped, passed...)
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("%s: %w in it: name the folder that holds the exported logs", strings.Join(sources, ", "), ErrNoFiles)
	}
	for _, s := range found {
		files = append(files, s)
	}
	slices.SortFunc(files, func(a, b *source) int { return strings.Compare(a.uri, b.uri) })
	return files, skipped, nil
}

// walk adds the regular files under root to found.
func walk(root, own string, found map[string]*source) (skipped []Problem, err error) {
	// A named folder may be a link itself; WalkDir would not enter it.
	top, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", root, err)
	}
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		uri := root + strings.TrimPrefix(path, top)
		switch {
		case err != nil && path == top:
			return fmt.Errorf("source %s: %w", root, err)
		case err != nil:
			skipped = append(skipped, Problem{uri, err.Error()})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			skipped = append(skipped, Problem{uri, "symbolic link, not followed: name it as a source to load it"})
			return nil
		case !d.Type().IsRegular():
			skipped = append(skipped, Problem{uri, "no regular file"})
			return nil
		case uri == own || uri == own+".wal":
			return nil
		}
		info, err := d.Info()
		if err != nil {
			skipped = append(skipped, Problem{uri, err.Error()})
			return nil
		}
		found[uri] = &source{uri: uri, size: regularSize(info)}
		return nil
	})
	return skipped, err
}

func regularSize(info fs.FileInfo) int64 {
	if info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}
