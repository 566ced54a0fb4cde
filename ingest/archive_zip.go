package ingest

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// directoryLimit is how much of a zip archive's directory is read: that is some
// hundred thousand entries, and half a gigabyte of memory at worst.
const directoryLimit = 64 << 20

// The methods of zip that archive/zip does not know of itself, see section 4.4.5
// of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
const (
	zipBzip2 = 12
	zipZstd  = 93
)

const zipEncrypted = 1 // in an entry's flags

// spooled has read work on a part with random access, through a temporary file
// where it comes as a stream.
func (u *unpacker) spooled(p part, l *level, to sink, read func(at io.ReaderAt, size int64, depth int, to sink) (string, error)) (string, error) {
	if p.at != nil {
		return read(p.at, p.size, p.depth, to)
	}
	f, err := os.CreateTemp("", "trailscan-*") // mode 0600
	if err != nil {
		u.fail(fmt.Errorf("no temporary file to unpack it through: set TMPDIR to a folder with space: %w", err), to)
		return "", nil
	}
	defer f.Close()
	// Where a file that is open can be removed nothing is left behind, whatever
	// ends the program; elsewhere it goes at the end.
	if os.Remove(f.Name()) != nil {
		defer func() {
			f.Close()
			os.Remove(f.Name())
		}()
	}
	var broken textReader
	broken.r = l.buf
	size, err := io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{&broken}, make([]byte, readSize))
	if err != nil {
		u.fail(fmt.Errorf("unpacking it through a temporary file failed: set TMPDIR to a folder with space: %w", err), to)
		return "", nil
	}
	if broken.err != nil {
		u.fail(broken.err, to)
	}
	return read(f, size, p.depth, to)
}

// zip reads the entries of a zip archive.
func (u *unpacker) zip(at io.ReaderAt, size int64, depth int, to sink) (format string, err error) {
	a := u.newArchive("zip", depth, to)
	limited := &limitedAt{at: at, left: directoryLimit}
	z, err := zip.NewReader(limited, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		a.fail(fmt.Errorf("damaged zip: its directory cannot be read (%w): only entries that stand whole in it are loaded; copy it again from where it came", err))
		if err := a.salvage(at, size); err != nil {
			return "", err
		}
		return a.close(), nil
	}
	limited.left = -1
	z.RegisterDecompressor(zip.Deflate, flate.NewReader)
	z.RegisterDecompressor(zipBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(zipZstd, zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow)))
	encrypted, firstEncrypted := 0, ""
	for _, f := range z.File {
		if u.bomb {
			break
		}
		if !f.Mode().IsRegular() {
			continue
		}
		if f.Flags&zipEncrypted != 0 {
			if encrypted++; encrypted == 1 {
				firstEncrypted = a.entryPath(f.Name)
			}
			continue
		}
		if err := a.zipEntry(f); err != nil {
			return "", err
		}
	}
	if encrypted > 0 {
		a.fail(fmt.Errorf("%d encrypted entries, the first %s: unpack the archive with its password and load the folder", encrypted, firstEncrypted))
	}
	return a.close(), nil
}

func (a *archive) zipEntry(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		a.u.enter(a.entryPath(f.Name))
		if errors.Is(err, zip.ErrAlgorithm) {
			err = fmt.Errorf("compressed with zip method %d, which is not supported: unpack the archive and load the folder", f.Method)
		} else {
			err = fmt.Errorf("damaged zip: %w", err)
		}
		a.logs = true
		a.u.fail(err, a.to)
		return nil
	}
	defer r.Close()
	return a.entry(f.Name, &meter{u: a.u, kind: "zip", r: r, decompresses: f.Method != zip.Store,
		in: func() int64 { return int64(min(f.CompressedSize64, 1<<62)) }})
}

// limitedAt reads at most left bytes, unless that is negative.
type limitedAt struct {
	at   io.ReaderAt
	left int64
}

func (l *limitedAt) ReadAt(p []byte, offset int64) (int, error) {
	if l.left >= 0 {
		if l.left -= int64(len(p)); l.left < 0 {
			l.left = 0
			return 0, fmt.Errorf("it is larger than %d MB", directoryLimit>>20)
		}
	}
	return l.at.ReadAt(p, offset)
}

// The parts of a local file header, section 4.3.7 of the same.
const zipLocalHeader = 30

var zipLocalMagic = []byte("PK\x03\x04")

// salvage reads the entries of a zip archive whose directory is lost by the
// headers that stand before each of them.
func (a *archive) salvage(at io.ReaderAt, size int64) error {
	for pos := int64(0); !a.u.bomb; {
		var ok bool
		if pos, ok = findZipHeader(at, pos, size); !ok {
			return nil
		}
		header := make([]byte, zipLocalHeader)
		if _, err := at.ReadAt(header, pos); err != nil {
			return nil
		}
		flags, method := binary.LittleEndian.Uint16(header[6:]), binary.LittleEndian.Uint16(header[8:])
		packed := int64(binary.LittleEndian.Uint32(header[18:]))
		nameLen, extraLen := int64(binary.LittleEndian.Uint16(header[26:])), int64(binary.LittleEndian.Uint16(header[28:]))
		name := make([]byte, nameLen)
		if _, err := at.ReadAt(name, pos+zipLocalHeader); err != nil {
			return nil
		}
		start := pos + zipLocalHeader + nameLen + extraLen
		known := flags&8 == 0 && packed != 1<<32-1
		rest := max(size-start, 0)
		if known {
			rest = min(rest, packed)
		}
		section := io.NewSectionReader(at, start, rest)
		buf := bufio.NewReaderSize(section, 16<<10)
		consumed := func() int64 {
			n, _ := section.Seek(0, io.SeekCurrent)
			return n - int64(buf.Buffered())
		}
		pos = start
		var r io.Reader
		switch {
		case flags&zipEncrypted != 0, bytes.HasSuffix(name, []byte("/")):
		case method == 8:
			r = flate.NewReader(buf)
		case method == 0 && known:
			r = buf
		}
		if r != nil {
			m := &meter{u: a.u, kind: "zip", r: r, in: consumed, decompresses: true}
			if err := a.entry(string(name), m); err != nil {
				return err
			}
			if !known {
				io.Copy(io.Discard, m) // to where it ends; what is wrong with it has been said
			}
		}
		if known {
			pos += rest
		} else {
			pos += consumed()
		}
	}
	return nil
}

// findZipHeader finds the next local file header from pos on.
func findZipHeader(at io.ReaderAt, pos, size int64) (int64, bool) {
	window := make([]byte, 64<<10)
	for pos < size {
		n, _ := at.ReadAt(window[:min(int64(len(window)), size-pos)], pos)
		if i := bytes.Index(window[:n], zipLocalMagic); i >= 0 {
			return pos + int64(i), true
		}
		if n < len(window) {
			return 0, false
		}
		pos += int64(n - len(zipLocalMagic) + 1)
	}
	return 0, false
}
