package ingest

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Nothing of an archive is ever written under the name that an entry has, so
// there is no name that could do harm: entries are read in place, and what needs
// random access goes to a temporary file without a name.

// maxDepth is how deep parts may lie in parts: gzip in a zip in a tar.gz is four.
const maxDepth = 8

// zstdWindow is the largest window that is taken, as with the zstd tool itself
// unless --long or --ultra is given. Each reader of files holds as much.
const zstdWindow = 128 << 20

// destination takes the records of a source and is told which entry of it they are of.
type destination interface {
	sink
	// entry says that what follows is of the entry, "" of the source itself.
	entry(name string)
}

// unpacker finds what a source is made of by what its bytes look like: text, or
// something compressed, or an archive, in each other, and has the splitter find
// the records in the texts. It can be used for one source after another.
type unpacker struct {
	splitter *splitter
	floor    int64 // of what is a bomb
	levels   []*level

	// Of the source at hand.
	source *reader
	size   int64 // 0 when it is not known
	out    int64 // decompressed of it so far
	to     destination
	path   string // of the entry
	text   textReader
	bombs  int
	bomb   bool // the whole of it is one
}

// level is what is needed to read a part at some depth, kept for the next one.
type level struct {
	part io.Reader
	in   int64 // read of the part
	head []byte
	left []byte // of head, to be read before the part
	buf  *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// start begins with another part and returns its first bytes.
func (l *level) start(part io.Reader) (head []byte) {
	l.part, l.in = part, 0
	n, _ := io.ReadFull(part, l.head) // an error comes again with the next read
	l.left = l.head[:n]
	return l.left
}

func (l *level) Read(p []byte) (n int, err error) {
	if len(l.left) > 0 {
		n = copy(p, l.left)
		l.left = l.left[n:]
	} else {
		n, err = l.part.Read(p)
	}
	l.in += int64(n)
	return n, err
}

// part is a source, or something in it.
type part struct {
	r     io.Reader
	at    io.ReaderAt // the same bytes, or nil
	size  int64       // of at
	depth int
}

func newUnpacker() *unpacker { return &unpacker{splitter: newSplitter(), floor: bombFloor} }

// unpack finds the records of a source, of which at gives the size bytes too, or
// is nil. It returns the form of the source. The error is that of the destination.
func (u *unpacker) unpack(source *reader, at io.ReaderAt, size int64, to destination) (format string, err error) {
	u.source, u.size, u.out, u.to, u.path, u.bombs, u.bomb = source, size, 0, to, "", 0, false
	return u.part(part{r: source, at: at, size: size}, to)
}

// damaged says whether what is rejected just now is so because the text or the
// archive could not be read on.
func (u *unpacker) damaged() bool { return u.text.err != nil }

// fail rejects what cannot be read on.
func (u *unpacker) fail(err error, to sink) {
	u.text.err = err
	to.reject(err.Error(), nil)
}

func (u *unpacker) enter(path string) {
	if u.path != path {
		u.path = path
		u.to.entry(path)
	}
}

// part finds the records of a part.
func (u *unpacker) part(p part, to sink) (format string, err error) {
	if len(u.levels) <= p.depth {
		u.levels = append(u.levels, &level{head: make([]byte, tarBlock), buf: bufio.NewReaderSize(nil, readSize)})
	}
	l := u.levels[p.depth]
	head := l.start(p.r)
	kind := kindOf(head)
	l.buf.Reset(l)
	u.text = textReader{r: l.buf}
	if kind != "" && p.depth == maxDepth {
		u.fail(fmt.Errorf("%s in archives nested %d deep: unpack them first", kind, maxDepth), to)
		return "", nil
	}
	switch kind {
	case "gzip", "zstd", "bzip2":
		r, err := l.decompress(kind)
		m := &meter{u: u, kind: kind, r: r, in: func() int64 { return l.in }, decompresses: true}
		if err != nil {
			u.fail(m.describe(err), to)
			return "", nil
		}
		return u.part(part{r: m, depth: p.depth + 1}, to)
	case "tar":
		return u.tar(l, p.depth, to)
	case "zip":
		return u.spooled(p, l, to, u.zip)
	case "Parquet":
		return u.spooled(p, l, to, func(at io.ReaderAt, size int64, _ int, to sink) (string, error) { return splitParquet(at, size, to) })
	}
	if p.depth > 0 {
		u.text.r = l // what decompresses gives as much as is asked for
	}
	if order := utf16Order(head); order != nil {
		u.text.r = &utf16Reader{r: l.buf, order: order}
	}
	return u.splitter.split(&u.text, to)
}

// kindOf says what needs unpacking, or "".
func kindOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(head) > 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // a skippable frame
		return "zstd"
	case len(head) > 9 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9' &&
		(bytes.Equal(head[4:10], []byte("1AY&SY")) || bytes.Equal(head[4:10], []byte{0x17, 0x72, 0x45, 0x38, 0x50, 0x90})):
		return "bzip2"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return "zip"
	case bytes.HasPrefix(head, []byte("PAR1")):
		return "Parquet"
	case isTar(head):
		return "tar"
	}
	return ""
}

// tarBlock is the size of a tar header.
const tarBlock = 512

// isTar checks the sum of a tar header, which all variants of it have.
func isTar(head []byte) bool {
	if len(head) < tarBlock || head[0] == 0 {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 64)
	if err != nil {
		return false
	}
	sum := int64(8 * ' ')
	for i, c := range head[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum == want
}

// decompress returns what the level holds decompressed.
func (l *level) decompress(kind string) (io.Reader, error) {
	switch kind {
	case "gzip":
		if l.gzip == nil {
			l.gzip = new(gzip.Reader)
		}
		return l.gzip, l.gzip.Reset(l.buf)
	case "zstd":
		if l.zstd == nil {
			var err error
			// With one thread it needs no goroutine that would have to be ended.
			l.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
			if err != nil {
				return nil, err
			}
		}
		return l.zstd, l.zstd.Reset(l.buf)
	}
	return bzip2.NewReader(l.buf), nil
}

// archive is an archive being read, entry by entry.
type archive struct {
	u       *unpacker
	kind    string
	depth   int
	path    string // of the archive itself, if it is an entry
	to      sink
	format  string // of the logs in it
	entries int
	logs    bool      // some entry is no foreign one
	foreign rejection // of the first foreign one
}

// rejection is a part that cannot be read.
type rejection struct {
	reason string
	raw    []byte
}

func (u *unpacker) newArchive(kind string, depth int, to sink) *archive {
	return &archive{u: u, kind: kind, depth: depth, path: u.path, to: to}
}

// entryPath is the path of an entry, through all archives around it.
func (a *archive) entryPath(name string) string {
	name = clip(pathText(name), 300)
	if a.path != "" {
		return a.path + "/" + name
	}
	return name
}

// entry finds the records of an entry.
func (a *archive) entry(name string, r io.Reader) error {
	a.entries++
	a.u.enter(a.entryPath(name))
	e := &entrySink{u: a.u, to: a.to}
	format, err := a.u.part(part{r: r, depth: a.depth + 1}, e)
	if err != nil {
		return err
	}
	if e.isForeign() {
		if a.foreign.reason == "" {
			a.foreign = rejection{a.entryPath(name) + ": " + e.held[0].reason, e.held[0].raw}
		}
		return nil
	}
	a.logs = true
	if format != "" && (a.format == "" || a.format == formatDigest) {
		a.format = format
	}
	return nil
}

// fail rejects what of the archive cannot be read.
func (a *archive) fail(err error) {
	a.logs = true
	a.u.enter(a.path)
	a.u.fail(err, a.to)
}

// close returns the form of the archive, of which it says so when it is foreign.
func (a *archive) close() string {
	a.u.enter(a.path)
	a.u.text.err = nil
	switch {
	case a.logs:
	case a.entries == 0:
		a.to.reject("an empty "+a.kind+" archive", nil)
	default:
		a.to.reject(fmt.Sprintf("no CloudTrail logs in the %s archive of %d files: %s", a.kind, a.entries, a.foreign.reason), a.foreign.raw)
	}
	if a.format == "" {
		return a.kind
	}
	return a.kind + "/" + a.format
}

// tar reads the entries of a tar archive.
func (u *unpacker) tar(l *level, depth int, to sink) (format string, err error) {
	a := u.newArchive("tar", depth, to)
	described := &meter{u: u, kind: "tar"}
	r := tar.NewReader(l.buf)
	for !u.bomb {
		h, err := r.Next()
		if err == io.EOF {
			// What is behind the archive's end may still be damaged.
			if _, err := io.Copy(io.Discard, l.buf); err != nil {
				a.fail(err)
			}
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			a.fail(described.describe(err))
			break
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			continue
		}
		// A sparse entry has bytes that are not there.
		start := l.in
		if err := a.entry(h.Name, &meter{u: u, kind: "tar", r: r, in: func() int64 { return l.in - start }}); err != nil {
			return "", err
		}
	}
	return a.close(), nil
}
