//go:build unix

package ingest

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	_ "embed"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	kgzip "github.com/klauspost/compress/gzip"

	"trailscan/internal/casetest"
	"trailscan/internal/mototest"
	"trailscan/internal/scenario"
	"trailscan/query"
)

// readJSON is the same load in DuckDB alone: one table with the same columns
// (but for extra and the position, which read_json does not know).
//
//go:embed testdata/read_json.sql
var readJSON string

// BenchmarkLoad loads 240,000 generated events, or as many as
// TRAILSCAN_BENCH_EVENTS says, 1,500 a file, into a new case and has DuckDB's
// read_json do the same, in turns. x-read_json is the time of the first as a
// multiple of the second's, x-cpu the same of processor time, which other work
// on the machine disturbs less; x-tokenise is that of only unpacking the files
// and finding their tokens. Peak memory is that of the process during Load.
func BenchmarkLoad(b *testing.B) {
	events := 240_000
	if s := os.Getenv("TRAILSCAN_BENCH_EVENTS"); s != "" {
		var err error
		if events, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	if err := (scenario.Volume{Events: events, Files: events / 1500, Seed: 1}).Write(dir); err != nil {
		b.Fatal(err)
	}
	jsonBytes := textSize(b, dir)
	var ours, theirs, tokenise usage
	var peak, size float64
	for b.Loop() {
		b.StopTimer()
		out := b.TempDir()
		c, err := query.Open(context.Background(), filepath.Join(out, "case.duckdb"), query.Options{Mode: query.Create})
		if err != nil {
			b.Fatal(err)
		}
		casetest.ResetPeakMemory()
		b.StartTimer()
		ours.add(func() {
			s, err := Load(context.Background(), c, []string{dir}, Options{})
			if err != nil || s.Records != int64(events) {
				b.Fatalf("loaded %+v: %v", s, err)
			}
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
		})
		b.StopTimer()
		if theirs.wall == 0 { // before read_json leaves memory behind
			peak = casetest.PeakMemory()
		}
		tokenise.add(func() { tokeniseAll(b, dir) })
		theirs.add(func() { loadWithReadJSON(b, dir, filepath.Join(out, "theirs.duckdb"), events) })
		if info, err := os.Stat(c.Path); err == nil {
			size = float64(info.Size()) / 1e6
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(events*b.N)/ours.wall, "events/s")
	b.ReportMetric(jsonBytes/1e6*float64(b.N)/ours.wall, "MB/s")
	b.ReportMetric(ours.wall/theirs.wall, "x-read_json")
	b.ReportMetric(ours.cpu/theirs.cpu, "x-cpu")
	b.ReportMetric(ours.wall/tokenise.wall, "x-tokenise")
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(size, "case-MB")
}

// BenchmarkLoadBucket loads the same from a bucket that takes 30 ms to answer.
// x-local is its time as a multiple of that of the files.
func BenchmarkLoadBucket(b *testing.B) {
	const events = 240_000
	dir := b.TempDir()
	if err := (scenario.Volume{Events: events, Files: events / 1500, Seed: 1}).Write(dir); err != nil {
		b.Fatal(err)
	}
	objects := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		objects[strings.TrimPrefix(path, dir+"/")] = string(text)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	bucket := &s3Server{fakeS3: &fakeS3{objects: objects}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		bucket.ServeHTTP(w, r)
	}))
	defer server.Close()
	mototest.Isolate(b)
	var local, remote usage
	var peak float64
	load := func(u *usage, o Options, source string) {
		c, err := query.Open(context.Background(), filepath.Join(b.TempDir(), "case.duckdb"), query.Options{Mode: query.Create})
		if err != nil {
			b.Fatal(err)
		}
		u.add(func() {
			if s, err := Load(context.Background(), c, []string{source}, o); err != nil || s.Records != events {
				b.Fatalf("loaded %+v: %v", s, err)
			}
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
	for b.Loop() {
		casetest.ResetPeakMemory()
		load(&remote, Options{AWS: AWSOptions{Endpoint: server.URL}}, "s3://trail")
		peak = max(peak, casetest.PeakMemory())
		b.StopTimer()
		load(&local, Options{}, dir)
		b.StartTimer()
	}
	b.ReportMetric(float64(events*b.N)/remote.wall, "events/s")
	b.ReportMetric(remote.wall/local.wall, "x-local")
	b.ReportMetric(peak, "peak-MB")
}

func loadWithReadJSON(b *testing.B, dir, path string, events int) {
	db, err := sql.Open("duckdb", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(readJSON, filepath.Join(dir, "**", "*.json.gz")); err != nil {
		b.Fatal(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM records`).Scan(&n); err != nil || n != events {
		b.Fatalf("read_json stored %d records: %v", n, err)
	}
}

// tokeniseAll unpacks the files below dir and reads their tokens, on all cores.
func tokeniseAll(b *testing.B, dir string) {
	files := make(chan string)
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			z, dec := new(kgzip.Reader), jsontext.NewDecoder(strings.NewReader(""))
			for path := range files {
				f, err := os.Open(path)
				if err != nil {
					b.Error(err)
					continue
				}
				if err := z.Reset(bufio.NewReaderSize(f, readSize)); err != nil {
					b.Error(err)
					continue
				}
				dec.Reset(z)
				for {
					if _, err := dec.ReadToken(); err != nil {
						if err != io.EOF {
							b.Error(err)
						}
						break
					}
				}
				f.Close()
			}
		})
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files <- path
		}
		return err
	})
	close(files)
	readers.Wait()
	if err != nil {
		b.Fatal(err)
	}
}

// usage is the seconds that something took.
type usage struct{ wall, cpu float64 }

func (u *usage) add(f func()) {
	start, cpu := time.Now(), cpuSeconds()
	f()
	u.wall += time.Since(start).Seconds()
	u.cpu += cpuSeconds() - cpu
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// textSize is the size of the gzipped files below dir when unpacked.
func textSize(b *testing.B, dir string) float64 {
	var size int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, z)
		size += n
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(size)
}
