package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"

	"trailscan/internal/benchcase"
	"trailscan/internal/casetest"
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
	path := benchcase.Generated(b, scenario.Volume{Events: events, Files: events / 1500, Leaked: events / 2000, Seed: 1})
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
		casetest.ResetPeakMemory()
		b.StartTimer()
		_, err = rules.Scan(b.Context(), c, pack, rules.Options{})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		peak = max(peak, casetest.PeakMemory())
		if err := c.DB.QueryRow(`SELECT count(*) FROM findings`).Scan(&found); err != nil {
			b.Fatal(err)
		}
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
