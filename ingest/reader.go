package ingest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// readSize is how much is read from a source at a time.
const readSize = 128 << 10

// reader gives the text of a source, decompressed, and hashes the bytes that it
// takes from it. It can be reset for the next source.
type reader struct {
	hash  hash.Hash
	bytes int64
	done  *atomic.Int64 // counts the bytes of all sources
	raw   io.Reader
	buf   *bufio.Reader
	gzip  *gzip.Reader
	text  io.Reader
	// kind is what the source is compressed with, for messages.
	kind string
	// err is why the text ended early, nil at a proper end.
	err error
}

func newReader(done *atomic.Int64) *reader {
	return &reader{hash: sha256.New(), buf: bufio.NewReaderSize(nil, readSize), done: done}
}

// reset starts on another source.
func (r *reader) reset(raw io.Reader) {
	r.hash.Reset()
	r.bytes, r.err, r.kind, r.raw = 0, nil, "", raw
	r.buf.Reset(rawReader{r})
	r.text = r.buf
	magic, err := r.buf.Peek(2)
	if err != nil && err != io.EOF {
		r.err = err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return
	}
	r.kind = "gzip"
	if r.gzip == nil {
		r.gzip = new(gzip.Reader)
	}
	if err := r.gzip.Reset(r.buf); err != nil {
		r.fail(err)
		return
	}
	r.text = r.gzip
}

// Read gives the decompressed text. Where it ends early the reader says why in
// err and reports io.EOF, so that what was there is still parsed.
func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, io.EOF
	}
	n, err := r.text.Read(p)
	if err != nil && err != io.EOF {
		r.fail(err)
		err = nil
		if n == 0 {
			err = io.EOF
		}
	}
	return n, err
}

// fail keeps the reason in a user's words.
func (r *reader) fail(err error) {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		r.err = fmt.Errorf("truncated %s: the file ends in the middle: copy it again from where it came", r.kind)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		r.err = fmt.Errorf("damaged %s: %w", r.kind, err)
	case r.kind != "":
		r.err = fmt.Errorf("damaged %s: %w", r.kind, err)
	default:
		r.err = err
	}
}

// finish reads what is left, so that the hash is that of the whole source.
func (r *reader) finish() error {
	_, err := io.Copy(io.Discard, r.buf)
	return err
}

func (r *reader) sha256() string { return hex.EncodeToString(r.hash.Sum(nil)) }

// rawReader counts and hashes the bytes of a source as they are read.
type rawReader struct{ r *reader }

func (raw rawReader) Read(p []byte) (int, error) {
	n, err := raw.r.raw.Read(p)
	raw.r.hash.Write(p[:n])
	raw.r.bytes += int64(n)
	raw.r.done.Add(int64(n))
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
