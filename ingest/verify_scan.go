package ingest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// scanned is a file that was read: what it is, and the hashes of it. Nothing
// of its content is kept but that of digests.
type scanned struct {
	Object
	key  objectKey
	kind string // "digest" or "log"; "" is neither

	raw     sha256Sum // of the file as it lies there
	sum     sha256Sum // of its content, uncompressed
	damaged string    // why the content cannot be what CloudTrail wrote: gzip is broken, or something follows it

	digest    *digest // nil when the content is none
	noDigest  string  // why
	metadata  map[string]string
	account   string // of a log whose name does not say it: by its first record
	region    string
	firstTime time.Time
}

// maxDigest bounds the content of a digest. An hour of a region lists some
// hundred files at about 400 bytes each.
const maxDigest = 64 << 20

// headSize is how much of a content is looked at to tell what it is.
const headSize = 64 << 10

// scanner reads files one after the other, with buffers that it keeps.
type scanner struct {
	store  ObjectStore
	raw    hash.Hash
	sum    hash.Hash
	buf    *bufio.Reader
	gzip   *gzip.Reader
	head   []byte
	copied []byte
	digest bytes.Buffer
	done   func(n int)
}

func newScanner(store ObjectStore, done func(n int)) *scanner {
	return &scanner{store: store, raw: sha256.New(), sum: sha256.New(), buf: bufio.NewReaderSize(nil, readSize),
		head: make([]byte, headSize), copied: make([]byte, readSize), done: done}
}

// contextReader ends when the context does, and keeps the error of the store
// apart from those of decompression.
type contextReader struct {
	ctx  context.Context
	r    io.Reader
	hash hash.Hash
	done func(n int)
	err  error
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		c.err = err
		return 0, err
	}
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	c.done(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// scan reads a file. The error is that of the store or of the context; what is
// wrong with the content stands in the result.
func (s *scanner) scan(ctx context.Context, o Object) (*scanned, error) {
	f := &scanned{Object: o, key: parseKey(o.Key)}
	body, err := s.store.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	s.raw.Reset()
	s.sum.Reset()
	in := &contextReader{ctx: ctx, r: body, hash: s.raw, done: s.done}
	s.buf.Reset(in)

	content, err := s.content()
	if err == nil {
		err = s.read(f, content)
	}
	if in.err != nil {
		return nil, in.err
	}
	_, isGzip := content.(*gzip.Reader)
	switch {
	case err != nil:
		f.damaged = damageText(err)
		if f.kind == "" && f.key.named {
			f.kind = kindByName(f.key)
		}
		if f.kind == "digest" {
			f.noDigest = f.damaged
		}
	case f.kind != "" && isGzip && f.damaged == "":
		// Readers of gzip take what follows a member for a further one, or pass
		// it over: neither stands in what was signed.
		if n, _ := io.CopyBuffer(io.Discard, struct{ io.Reader }{s.buf}, s.copied); n > 0 {
			f.damaged = fmt.Sprintf("%d bytes follow the end of its gzip data", n)
		}
	}
	if f.kind == "" {
		return f, nil
	}
	io.CopyBuffer(io.Discard, struct{ io.Reader }{s.buf}, s.copied)
	if in.err != nil {
		return nil, in.err
	}
	s.raw.Sum(f.raw[:0])
	if f.kind == "digest" {
		if f.metadata, err = s.store.Metadata(ctx, o); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// content is the file uncompressed: its first gzip member, or all of it.
func (s *scanner) content() (io.Reader, error) {
	magic, err := s.buf.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return s.buf, nil
	}
	if s.gzip == nil {
		s.gzip = new(gzip.Reader)
	}
	if err := s.gzip.Reset(s.buf); err != nil {
		return nil, err
	}
	s.gzip.Multistream(false)
	return s.gzip, nil
}

// read tells what the content is and hashes it; a digest it parses. Content
// that is neither is not read to its end.
func (s *scanner) read(f *scanned, content io.Reader) error {
	n, err := fill(content, s.head)
	head := s.head[:n]
	if f.key.named {
		// It is judged as what its name says, whatever its content has become.
		f.kind = kindByName(f.key)
	} else {
		f.kind = contentKind(head)
	}
	switch {
	case err == io.EOF:
		content = bytes.NewReader(nil)
	case err != nil:
		return err
	}
	s.sum.Write(head)
	switch f.kind {
	case "log":
		if !f.key.named {
			f.account, f.region, f.firstTime, _ = firstRecord(head)
		}
		if _, err := io.CopyBuffer(s.sum, struct{ io.Reader }{content}, s.copied); err != nil {
			return err
		}
		s.sum.Sum(f.sum[:0])
	case "digest":
		s.digest.Reset()
		s.digest.Write(head)
		if _, err := io.CopyBuffer(io.MultiWriter(s.sum, &s.digest), io.LimitReader(content, maxDigest), s.copied); err != nil {
			return err
		}
		if s.digest.Len() >= maxDigest {
			f.damaged = fmt.Sprintf("no digest: more than %d MB", maxDigest>>20)
			f.noDigest = f.damaged
			return nil
		}
		s.sum.Sum(f.sum[:0])
		if f.digest, err = parseDigest(s.digest.Bytes()); err != nil {
			f.noDigest = err.Error()
		}
	}
	return nil
}

// fill reads until p is full. The error is io.EOF at a proper end only.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

func kindByName(k objectKey) string {
	if k.kind == kindDigest {
		return "digest"
	}
	return "log"
}

// damageText says in a user's words why content cannot be decompressed.
func damageText(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "its gzip data ends in the middle"
	}
	return "its gzip data is damaged: " + err.Error()
}

// scanAll reads all files of the store with so many goroutines, save those that
// skip names, and hands each to found, one at a time. Files that cannot be read
// are returned as problems.
func scanAll(ctx context.Context, store ObjectStore, threads int, skip func(Object) bool, count func(files, total, bytes, totalBytes int64), found func(*scanned)) (problems []Problem, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	objects := make(chan Object, 4*threads)
	var (
		readers sync.WaitGroup
		mu      sync.Mutex
	)
	for range threads {
		readers.Go(func() {
			s := newScanner(store, func(n int) { count(0, 0, int64(n), 0) })
			for o := range objects {
				f, err := s.scan(ctx, o)
				switch {
				case ctx.Err() != nil:
					return
				case err != nil:
					mu.Lock()
					problems = append(problems, Problem{o.URI, err.Error()})
					mu.Unlock()
				default:
					mu.Lock()
					found(f)
					mu.Unlock()
				}
				count(1, 0, 0, 0)
			}
		})
	}
	err = store.List(ctx, func(o Object) error {
		if skip(o) {
			return nil
		}
		count(0, 1, 0, o.Size)
		select {
		case objects <- o:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(objects)
	readers.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	return problems, err
}
