package rules_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"trailscan/ingest"
	"trailscan/internal/scenario"
	"trailscan/query"
	"trailscan/rules"
	"trailscan/rules/sigma"
)

// sigmaRules is how many Sigma rules about CloudTrail all public catalogues have.
const sigmaRules = 745

// BenchmarkScanVolume runs the pack, and the pack with Sigma rules, over a case
// as ingest stores it: 100,000 generated events, or as many as
// TRAILSCAN_BENCH_EVENTS says. The Sigma rules are those of the corpus, copied
// under other ids up to 745. DuckDB has two threads and may use 1 GB; peak-MB is
// the peak memory of the process while it scans.
func BenchmarkScanVolume(b *testing.B) {
	events := 100_000
	if s := os.Getenv("TRAILSCAN_BENCH_EVENTS"); s != "" {
		var err error
		if events, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	path := volumeCase(b, scenario.Volume{Events: events, Files: events / 1500, Leaked: events / 2000, Seed: 1})
	b.Run("pack", func(b *testing.B) { benchmarkScan(b, path, rules.Pack()) })
	b.Run("pack and Sigma", func(b *testing.B) {
		added := manySigmaRules(b)
		benchmarkScan(b, path, append(rules.Pack(), added...))
	})
}

func benchmarkScan(b *testing.B, path string, pack []rules.Rule) {
	b.Helper()
	var peak float64
	var found int
	for b.Loop() {
		b.StopTimer()
		c, err := query.Open(b.Context(), path, query.Options{Mode: query.ReadWrite, Threads: 2, MemoryLimit: "1GB"})
		if err != nil {
			b.Fatal(err)
		}
		debug.FreeOSMemory()
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak starts anew, on Linux
		b.StartTimer()
		findings, _, err := rules.Scan(b.Context(), c, pack, rules.Options{})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		peak, found = max(peak, peakMemory()), len(findings)
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(float64(found), "findings")
	b.ReportMetric(float64(len(pack)), "rules")
}

func manySigmaRules(b *testing.B) []rules.Rule {
	b.Helper()
	corpus := os.Getenv("TRAILSCAN_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(corpus, "sigma")); err != nil {
		b.Skip("no corpus: ", err)
	}
	set, err := sigma.Load([]string{filepath.Join(corpus, "sigma")}, nil)
	if err != nil {
		b.Fatal(err)
	}
	if len(set.Rules) == 0 {
		b.Skip("the corpus holds no Sigma rules")
	}
	all := make([]rules.Rule, sigmaRules)
	for i := range all {
		all[i] = set.Rules[i%len(set.Rules)]
		all[i].ID += fmt.Sprintf("-%d", i)
	}
	return all
}

// volumeCase is the path of a case with a volume loaded into it.
func volumeCase(b *testing.B, v scenario.Volume) string {
	b.Helper()
	dir, path := b.TempDir(), filepath.Join(b.TempDir(), "case.duckdb")
	if err := v.Write(dir); err != nil {
		b.Fatal(err)
	}
	c, err := query.Open(b.Context(), path, query.Options{Mode: query.Create, Version: "test"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := ingest.Load(b.Context(), c, []string{dir}, ingest.Options{}); err != nil {
		b.Fatal(err)
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	return path
}

// peakMemory (MB) is what Linux knows of the process; elsewhere zero.
func peakMemory() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
