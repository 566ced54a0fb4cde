package ingest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

// A copy of an object appears under its key when all of it was read, and never
// takes the place of another: evidence is not overwritten. Keys are text from
// outside; os.Root keeps what they name inside the folder.

// sumsFile lists the copies with their SHA-256, for `sha256sum -c`.
const sumsFile = "SHA256SUMS"

// keeper writes copies of objects into a folder.
type keeper struct {
	dir  string
	root *os.Root
	sums *os.File

	mu   sync.Mutex
	have map[string]string // hashes that sums lists, by name
}

func newKeeper(dir string) (*keeper, error) {
	k := &keeper{dir: dir, have: map[string]string{}}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		k.root, err = os.OpenRoot(dir)
	}
	if err == nil {
		k.sums, err = k.root.OpenFile(sumsFile, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	}
	if err == nil {
		lines := bufio.NewScanner(k.sums)
		for lines.Scan() {
			if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
				k.have[name] = sum
			}
		}
		err = lines.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("--keep %s: %w", dir, errors.Join(err, k.close()))
	}
	return k, nil
}

func (k *keeper) close() error {
	var err error
	if k.sums != nil {
		err = k.sums.Close()
	}
	if k.root != nil {
		err = errors.Join(err, k.root.Close())
	}
	return err
}

// has says that there is a copy of an object of this key and size.
func (k *keeper) has(key string, size int64) bool {
	for _, name := range []string{copyName(key), hashName(key)} {
		if info, err := k.root.Lstat(name); err == nil && info.Mode().IsRegular() && info.Size() == size {
			return true
		}
	}
	return false
}

// copy gives a reader of r that keeps what it reads.
func (k *keeper) copy(r io.ReadCloser, s *source) (io.ReadCloser, error) {
	f, err := os.CreateTemp(k.dir, ".trailscan-*.part")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--keep: %w", err), r.Close())
	}
	return &copyingReader{ReadCloser: r, keeper: k, source: s, file: f, hash: sha256.New()}, nil
}

type copyingReader struct {
	io.ReadCloser
	keeper *keeper
	source *source
	file   *os.File
	hash   hash.Hash
	kept   bool
}

func (c *copyingReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.kept {
		return n, err
	}
	c.hash.Write(p[:n])
	_, werr := c.file.Write(p[:n])
	if werr == nil && err == io.EOF {
		werr = c.keeper.place(c.file, c.source.key, hex.EncodeToString(c.hash.Sum(nil)))
		c.kept = true
	}
	if werr != nil {
		c.source.broken = fmt.Errorf("keep a copy of %s in %s: %w", c.source.uri, c.keeper.dir, werr)
		return n, c.source.broken
	}
	return n, err
}

// Close drops a copy that is not whole.
func (c *copyingReader) Close() error {
	c.file.Close()
	os.Remove(c.file.Name()) // gone already where it is kept
	return c.ReadCloser.Close()
}

// place gives a finished copy its name.
func (k *keeper) place(f *os.File, key, sum string) error {
	if err := f.Close(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	name := copyName(key)
	err := k.rename(f, &name, sum)
	if err != nil {
		// Not every file system takes every name, and an object may have the name
		// of a folder.
		name = hashName(key)
		err = k.rename(f, &name, sum)
	}
	if err != nil || k.have[name] == sum {
		return err
	}
	if _, err := fmt.Fprintf(k.sums, "%s  %s\n", sum, name); err != nil {
		return err
	}
	k.have[name] = sum
	return nil
}

// rename moves a finished copy to a name or, where another object has that, to
// one beside it.
func (k *keeper) rename(f *os.File, name *string, sum string) error {
	for range 2 {
		there, err := k.hashOf(*name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if dir := path.Dir(*name); dir != "." {
				if err := k.root.MkdirAll(dir, 0o700); err != nil {
					return err
				}
			}
			return k.root.Rename(filepath.Base(f.Name()), *name)
		case err != nil:
			return err
		case there == sum:
			return nil
		}
		*name += "." + sum[:16]
	}
	return fmt.Errorf("%s is there with other content", *name)
}

func (k *keeper) hashOf(name string) (string, error) {
	f, err := k.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

const (
	longestKey    = 1024 // that S3 allows, in bytes
	longestFolder = 200  // of 255 that file systems allow
)

// copyName is the path of an object's copy: its key, with % escapes for what
// would lead elsewhere or upset whoever reads the name.
func copyName(key string) string {
	if len(key) > longestKey || key == "" {
		return hashName(key)
	}
	parts := strings.Split(key, "/")
	for i, part := range parts {
		var b strings.Builder
		for j, r := range part {
			_, width := utf8.DecodeRuneInString(part[j:])
			switch {
			case r == utf8.RuneError && width == 1, r < ' ', r == 0x7f, r == '\\':
				fmt.Fprintf(&b, "%%%02X", part[j])
			default:
				b.WriteString(part[j : j+width])
			}
		}
		safe := b.String()
		switch {
		case safe == "":
			safe = "%"
		case safe == "." || safe == "..":
			safe = strings.ReplaceAll(safe, ".", "%2E")
		case len(safe) > longestFolder:
			sum := sha256.Sum256([]byte(part))
			safe = strings.ToValidUTF8(safe[:longestFolder-17], "") + "-" + hex.EncodeToString(sum[:8])
		}
		parts[i] = safe
	}
	name := strings.Join(parts, "/")
	if name == sumsFile || !filepath.IsLocal(filepath.FromSlash(name)) {
		return hashName(key)
	}
	return name
}

// hashName is the name of a copy whose key no file can have.
func hashName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "key-" + hex.EncodeToString(sum[:])
}
