package ingest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// file is an entry of an archive.
type file struct{ name, content string }

func zipped(files ...file) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err != nil {
			panic(err)
		}
		io.WriteString(e, f.content)
	}
	w.Close()
	return b.String()
}

func tarred(files ...file) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg}); err != nil {
			panic(err)
		}
		io.WriteString(w, f.content)
	}
	w.Close()
	return b.String()
}

func zstded(parts ...string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	var b []byte
	for _, part := range parts {
		b = w.EncodeAll([]byte(part), b)
	}
	return string(b)
}

// encryptedZip is a zip archive with the entry marked as encrypted.
func encryptedZip(encrypted file, others ...file) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range append(others, encrypted) {
		h := &zip.FileHeader{Name: f.name, Method: zip.Store, CompressedSize64: uint64(len(f.content)), UncompressedSize64: uint64(len(f.content))}
		if f == encrypted {
			h.Flags |= zipEncrypted
		}
		e, err := w.CreateRaw(h)
		if err != nil {
			panic(err)
		}
		io.WriteString(e, f.content)
	}
	w.Close()
	return b.String()
}

func TestArchives(t *testing.T) {
	a, b, d := event("a"), event("b"), event("d")
	records := `{"Records":[` + a + `,` + b + `]}`
	digest := `{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T10:00:00Z","logFiles":[]}`
	logs := []file{{"AWSLogs/1.json.gz", gzipped(records)}, {"AWSLogs/2 ü.json", d}}
	foreign := []file{{"README.txt", "exported on Monday"}, {"package.json", `{"name":"x","version":1}`}, {"digest.json.gz", gzipped(digest)},
		{"__MACOSX/._1", "\x00\x05\x16\x07\x00\x02\x00\x00"}, {"x.png", "\x89PNG\r\n\x1a\n\x00\x00"}}
	large := tarred(logs[0], file{"2.json", strings.Repeat(d+"\n", 3000)})
	for _, tc := range []struct {
		name, content, format string
		ids                   string
		reasons               []string
		status                string
	}{
		{"zip", zipped(logs...), "zip/records", "a,b,d", nil, statusLoaded},
		{"tar", tarred(logs...), "tar/records", "a,b,d", nil, statusLoaded},
		{"tar.gz", gzipped(tarred(logs...)), "tar/records", "a,b,d", nil, statusLoaded},
		{"tar.zst", zstded(tarred(logs...)), "tar/records", "a,b,d", nil, statusLoaded},
		{"zstd, two frames", zstded(records, d), formatRecords, "a,b,d", nil, statusLoaded},
		{"gzip in gzip", gzipped(gzipped(records), gzipped(d)), formatRecords, "a,b,d", nil, statusLoaded},
		{"bzip2", bzip2ed, formatObject, "bz", nil, statusLoaded},
		{"zip in tar.gz in zip", zipped(file{"x", gzipped(tarred(file{"y.zip", zipped(logs...)}))}, file{"z", zstded(event("z"))}), "zip/tar/zip/records", "a,b,d,z", nil, statusLoaded},
		{"foreign entries among logs", zipped(append(foreign, logs...)...), "zip/records", "a,b,d", nil, statusLoaded},
		{"foreign entries only", tarred(foreign[0], foreign[1]), "tar", "", []string{"no CloudTrail logs in the tar archive of 2 files: README.txt: not CloudTrail JSON"}, statusForeign},
		{"an archive of notes among logs", zipped(file{"notes.zip", zipped(foreign[0])}, logs[1]), "zip/object", "d", nil, statusLoaded},
		{"digests only", zipped(file{"1.json.gz", gzipped(digest)}), "zip/digest", "", nil, statusLoaded},
		{"empty zip", zipped(), "zip", "", []string{"an empty zip archive"}, statusUnreadable},
		{"names that lead out", zipped(file{"../../../tmp/trailscan-evil.json", a}, file{"/etc/trailscan-evil.json", b}, file{`C:\evil.json`, d}), "zip/object", "a,b,d", nil, statusLoaded},
		{"names that lead out of a tar", tarred(file{"../../trailscan-evil.json", a}, file{"/trailscan-evil.json", b}), "tar/object", "a,b", nil, statusLoaded},
		{"an encrypted entry", encryptedZip(file{"secret.json", "0123456789abcdef"}, file{"open.json", a}), "zip/object", "a", []string{"1 encrypted entries, the first secret.json"}, statusDamaged},
		{"a damaged entry", tarred(file{"x/bad.json.gz", gzipped(records)[:60]}, logs[1]), "tar/object", "d", []string{"x/bad.json.gz: truncated gzip"}, statusDamaged},
		{"a broken record in an entry", zipped(file{"bad.json", a + "\n{\"eventVersion\":}\n" + d}), "zip/ndjson", "a,d", []string{"bad.json: broken JSON"}, statusDamaged},
		{"a record that is none in an entry", zipped(logs[0], file{"bad.json", `{"eventName":"x","eventSource":"y"}`}), "zip/records", "a,b", []string{"bad.json: not a CloudTrail record: no eventTime"}, statusDamaged},
		{"truncated tar", large[:len(large)-20000], "tar/records", "a,b,d", []string{"2.json: truncated tar", "truncated tar"}, statusDamaged},
		{"truncated tar.gz", gzipped(large)[:len(gzipped(large))-200], "tar/records", "a,b,d", []string{"truncated gzip", "truncated gzip"}, statusDamaged},
		{"truncated zip", zipped(logs...)[:len(zipped(logs...))-150], "zip/records", "a,b,d", []string{"damaged zip"}, statusDamaged},
		{"zip truncated in an entry", zipped(logs...)[:len(gzipped(records))+150], "zip/records", "a,b", []string{"damaged zip", "truncated zip"}, statusDamaged},
		{"nested too deep", nested(12, a), "", "", []string{"nested 8 deep"}, statusUnreadable},
		{"truncated zstd", zstded(strings.Repeat(a+"\n", 500))[:150], "", "", []string{"truncated zstd"}, statusUnreadable},
		{"an xz file", "\xfd7zXZ\x00\x00\x04", "", "", []string{"an xz file: decompress it first"}, statusUnreadable},
		{"an image", "\x89PNG\r\n\x1a\n\x00\x00", "", "", []string{"an image"}, statusForeign},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				c := newCase(t)
				path := filepath.Join(write(t, map[string]string{"logs.bin": tc.content}), "logs.bin")
				var s *Summary
				var err error
				if stream {
					s, err = Load(context.Background(), c, []string{"-"}, Options{Stdin: strings.NewReader(tc.content)})
				} else {
					s, err = Load(context.Background(), c, []string{path}, Options{})
				}
				if (err == nil) != (tc.ids != "") || err != nil && !errors.Is(err, ErrNothingReadable) {
					t.Errorf("error %v, %+v", err, s)
				}
				if got := strings.Join(dump(t, c, `SELECT DISTINCT event_id FROM events ORDER BY 1`), ","); got != tc.ids {
					t.Errorf("events %q, want %q", got, tc.ids)
				}
				want := fmt.Sprintf("%s|%s|%d", tc.format, tc.status, len(tc.content))
				if got := dump(t, c, `SELECT coalesce(format, ''), status, bytes FROM sources`); len(got) != 1 || got[0] != want {
					t.Errorf("sources %q, want %q", got, want)
				}
				got := dump(t, c, `SELECT reason FROM rejects ORDER BY record_index`)
				if len(got) != len(tc.reasons) {
					t.Fatalf("rejects %q, want %q", got, tc.reasons)
				}
				for i := range got {
					if !strings.Contains(got[i], tc.reasons[i]) {
						t.Errorf("reason %q, want %q", got[i], tc.reasons[i])
					}
				}
				if bad := dump(t, c, `SELECT source_id, record_index FROM events GROUP BY ALL HAVING count(*) > 1`); len(bad) > 0 {
					t.Errorf("records share their place: %q", bad)
				}
			}
		})
	}
	for _, name := range []string{"/tmp/trailscan-evil.json", "/etc/trailscan-evil.json", "/trailscan-evil.json"} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was written: %v", name, err)
		}
	}
}

// nested is a text in so many gzips.
func nested(n int, text string) string {
	for range n {
		text = gzipped(text)
	}
	return text
}

// bzip2ed is a record compressed with bzip2, for which Go has no writer.
var bzip2ed = func() string {
	const text = "QlpoOTFBWSZTWexsi8YAAECfgBAHeTAEJQ8QOiOfmiAAdQ0UxGgaaAAYnqA1MoZDEPSAaANHEcXPG0RcUwqAkcmgJBH2MFsCRcBXmZkFkagQwkoxOZLg3bNzZMUIoQvhQCerryQccw5IVL3ijA/1DZeA8msUHSL5PxdyRThQkOxsi8Y="
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}()

// TestNothingIsLeftBehind loads a zip through standard input, which goes through
// a temporary file.
func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	if _, err := Load(context.Background(), newCase(t), []string{"-"}, Options{Stdin: strings.NewReader(zipped(file{"a", event("a")}))}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// repeat reads the same text over and over, n bytes in all.
type repeat struct {
	text string
	n, i int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.i:])
	n = min(n, r.n)
	r.n -= n
	r.i = (r.i + n) % len(r.text)
	return n, nil
}

// bomb is so many bytes of the text in gzip.
func bomb(text string, n int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.Copy(w, &repeat{text: strings.Repeat(text, 1+4096/len(text)), n: n})
	w.Close()
	return b.String()
}

func TestBombs(t *testing.T) {
	const floor = 8 << 20
	spaces := bomb(" ", 4*floor)
	long := bomb("x", 4*floor)
	line := event("a") + "\n"
	many := bomb(line, 4*floor/len(line)*len(line))
	var overlapping []file
	for i := range 40 {
		overlapping = append(overlapping, file{fmt.Sprint(i), bomb(" ", floor/2)})
	}
	for _, tc := range []struct {
		name, content string
		records       int // -1: some
		reason        string
	}{
		{"white space", spaces, 0, "gzip bomb"},
		{"one long string", gzipped(`{"Records":[{"eventVersion":"`) + long, 0, "gzip bomb"},
		{"the same record over and over", many, -1, ""},
		{"in zip", zipped(file{"a.json", event("a")}, file{"bomb.gz", spaces}, file{"b.json", event("b")}), 2, "gzip bomb"},
		{"many in tar", tarred(file{"1", spaces}, file{"2", spaces}, file{"3", spaces}, file{"4", spaces}, file{"b.json", event("b")}), 0, "gzip bomb"},
		{"a row of CSV", gzipped("eventID,eventName,eventTime\n1,x,2026-03-01\n") + long, 1, "gzip bomb"},
		{"a bomb of zip", zipped(file{"bomb", strings.Repeat(" ", 4*floor)}), 0, "zip bomb"},
		{"zstd", zstded(strings.Repeat(" ", 4*floor)), 0, "zstd bomb"},
		{"a zip inside a bomb", gzipped(zipped(file{"a.json", event("a")})) + spaces, 1, "gzip bomb"},
		{"bombs below the limit, together above", tarred(overlapping...), 0, "gzip bomb"},
		{"below the limit", gzipped(event("a")) + bomb(" ", floor/2), 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUnpacker()
			u.floor = floor
			_, sink := unpackText(u, tc.content)
			if n := len(sink.records); n != tc.records && (n == 0 || tc.records >= 0) {
				t.Errorf("%d records", len(sink.records))
			}
			if got := strings.Join(sink.reasons, "\n"); !strings.Contains(got, tc.reason) || tc.reason == "" && got != "" {
				t.Errorf("reasons %q, want %q", got, tc.reason)
			}
			if u.out > 2*floor+floor*int64(len(overlapping))/2 {
				t.Errorf("%d bytes were decompressed", u.out)
			}
		})
	}
}

// TestLargeValues loads a record of many megabytes between others and refuses
// one that is larger than the limit.
func TestLargeValues(t *testing.T) {
	a, b := event("a"), event("b")
	huge := event("huge", `"requestParameters":{"x":"`+strings.Repeat("y", 1<<20)+`"}`)
	for _, tc := range []struct{ name, text string }{
		{"Records", `{"Records":[` + a + `,` + huge + `,` + b + `]}`},
		{"lines", a + "\n" + huge + "\n" + b},
		{"wrapped", `{"Events":[{"CloudTrailEvent":` + string(quoteJSON([]byte(a))) + `},{"CloudTrailEvent":` + string(quoteJSON([]byte(huge))) +
			`},{"CloudTrailEvent":` + string(quoteJSON([]byte(b))) + `}]}`},
		{"white space", a + strings.Repeat(" ", 1<<20) + b},
		{"members before the records", `{"x":"` + strings.Repeat("y", 1<<20) + `","Records":[` + a + `,` + b + `]}`},
		{"log lines", "2026-03-01T10:00:00.000Z " + a + "\n2026-03-01T10:00:00.000Z " + huge + "\n2026-03-01T10:00:00.000Z " + b},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUnpacker()
			_, sink := unpackText(u, tc.text)
			if want := strings.Count(tc.text, `eventVersion`); len(sink.records) != want || len(sink.reasons) > 0 {
				t.Errorf("%d records, want %d: %q", len(sink.records), want, sink.reasons)
			}
			u.splitter.in.limit = 256 << 10
			_, sink = unpackText(u, tc.text)
			if len(sink.records) != 2 || len(sink.reasons) == 0 || sink.reasons[0] != errTooLarge.Error() {
				t.Errorf("with a limit: %d records, %q", len(sink.records), sink.reasons)
			}
		})
	}
}

// FuzzArchive has anything unpacked: it ends, whatever it claims to be, within
// the limits.
func FuzzArchive(f *testing.F) {
	a := event("a")
	logs := []file{{"1.json.gz", gzipped(a)}, {"../2", a}, {"note", "x"}}
	whole := zipped(logs...)
	for _, seed := range []string{
		whole, whole[:len(whole)-30], tarred(logs...), tarred(logs...)[:700], gzipped(tarred(logs...)), zstded(a, a), zstded(a)[:20], bzip2ed,
		zipped(file{"x.zip", whole}), encryptedZip(file{"x", "y"}), nested(10, a), "PK\x05\x06" + strings.Repeat("\x00", 18), "PK\x03\x04", "PAR1PAR1PAR1",
		strings.Replace(whole, "PK\x01\x02", "PK\x01\x03", 1), "BZh91AY&SY", "\x50\x2a\x4d\x18\xff\xff\xff\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		u := newUnpacker()
		u.floor, u.splitter.in.limit = 1<<20, 1<<20
		format, sink := unpackText(u, string(content))
		if len(content) > 0 && format == "" && len(sink.records)+len(sink.reasons)+len(sink.passed) == 0 {
			t.Errorf("nothing is said of %q", content)
		}
		if limit := u.floor*2 + bombRatio*int64(len(content))*2; u.out > limit {
			t.Errorf("%d bytes were decompressed of %d", u.out, len(content))
		}
	})
}
