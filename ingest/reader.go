package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync/atomic"
)

// readSize is how much is read from a source at a time.
const readSize = 128 << 10

// reader gives the bytes of a source and hashes and counts them. It can be reset
// for the next source.
type reader struct {
	ctx   context.Context
	raw   io.Reader
	hash  hash.Hash
	bytes int64
	done  *atomic.Int64 // counts the bytes of all sources
	rest  []byte        // for what nobody looks at
}

func newReader(done *atomic.Int64) *reader {
	return &reader{ctx: context.Background(), hash: sha256.New(), done: done}
}

// reset starts on another source, which is read until ctx ends.
func (r *reader) reset(ctx context.Context, raw io.Reader) {
	r.hash.Reset()
	r.ctx, r.raw, r.bytes = ctx, raw, 0
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.raw.Read(p)
	r.hash.Write(p[:n])
	r.bytes += int64(n)
	r.done.Add(int64(n))
	return n, err
}

// finish reads what is left, so that the hash is that of the whole source.
func (r *reader) finish() error {
	if r.rest == nil {
		r.rest = make([]byte, readSize)
	}
	for {
		if _, err := r.Read(r.rest); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *reader) sha256() string { return hex.EncodeToString(r.hash.Sum(nil)) }

// textReader gives the text of a source or of a part of it. Where it ends early it says
// why in err and reports io.EOF, so that what was there is still parsed.
type textReader struct {
	r   io.Reader
	err error
}

func (t *textReader) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, io.EOF
	}
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		t.err = err
		err = nil
		if n == 0 {
			err = io.EOF
		}
	}
	return n, err
}

// hashFile is the SHA-256 of a file's bytes.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, readSize)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
