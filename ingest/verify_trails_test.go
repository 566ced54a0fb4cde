package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestVerifyWithTheWrongKey(t *testing.T) {
	tr := standardTrail(t, 3)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := func(change func(*PublicKey)) *fakeKeys {
		k := tr.signer.public()
		change(&k.list[0])
		return k
	}
	v := verify(t, tr.withMetadata(), public(func(k *PublicKey) { k.Key = &other.PublicKey }), VerifyOptions{})
	if v.Digests[Altered] != 3 || v.Logs[Valid] != 0 {
		t.Errorf("with a key of the same fingerprint: %v %v", v.Digests, v.Logs)
	}
	for name, change := range map[string]func(*PublicKey){
		"another fingerprint":     func(k *PublicKey) { k.Fingerprint = "ff" },
		"a key of another month":  func(k *PublicKey) { k.From, k.To = trailStart.AddDate(0, 1, 0), trailStart.AddDate(0, 2, 0) },
		"a key of a month before": func(k *PublicKey) { k.From, k.To = trailStart.AddDate(0, -2, 0), trailStart.AddDate(0, -1, 0) },
	} {
		v := verify(t, tr.files, public(change), VerifyOptions{})
		if v.Digests[NotCovered] != 3 || v.Logs[NotCovered] != 6 || len(v.NoKeys) != 1 || v.NoKeys[0] != tr.signer.fingerprint+" in us-east-1" {
			t.Errorf("%s: %v %v, no keys: %v", name, v.Digests, v.Logs, v.NoKeys)
		}
	}
	// A log that such digests do not list is not unlisted for that.
	key, content := tr.log(trailStart.Add(70*time.Minute), "OTHER00000000000")
	tr.files[key] = gzipped(content)
	v = verify(t, tr.files, public(func(k *PublicKey) { k.Fingerprint = "ff" }), VerifyOptions{})
	if v.Logs[NotCovered] != 7 {
		t.Errorf("a log that digests which cannot be checked do not list: %v", v.Logs)
	}
	delete(tr.files, key)
	// Without metadata the newest is not even tried, and nothing is made of its word.
	for k := range tr.files {
		if strings.HasSuffix(k, MetadataSuffix) {
			delete(tr.files, k)
		}
	}
	v = verify(t, tr.files, public(func(k *PublicKey) { k.Key = &other.PublicKey }), VerifyOptions{})
	if v.Digests[Altered] != 2 || v.Digests[NotCovered] != 1 || v.Logs[Valid] != 0 {
		t.Errorf("without metadata: %v", v.Digests)
	}
	store, _ := Files(t.Context(), []string{write(t, tr.files)}, "", Options{})
	if _, err := Verify(context.Background(), store, nil, VerifyOptions{}); err == nil {
		t.Error("no key source is no error")
	}
}

func TestVerifyBackfill(t *testing.T) {
	tr := standardTrail(t, 3)
	// Two weeks later a log of the second hour is found to be in no digest.
	key, content := tr.log(trailStart.Add(70*time.Minute), "LATE000000000000")
	tr.files[key] = gzipped(content)
	main := *tr
	tr.restart()
	tr.at = trailStart.Add(2 * time.Hour)
	tr.digest(trailStart.Add(time.Hour), "_backfill", []string{fmt.Sprintf(`{"s3Object":%q,"s3Bucket":"logs","hashValue":"%x","hashAlgorithm":"SHA-256"}`, key, sha256.Sum256([]byte(content)))})
	backfill := tr.last
	stamp := func(when time.Time) {
		tr.meta[backfill] = strings.Replace(tr.meta[backfill], `"signature-algorithm"`, fmt.Sprintf(`"backfill-generation-timestamp":%q,"signature-algorithm"`, stampText(when)), 1)
	}

	v := verify(t, main.withMetadata(main.digests...), tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{backfill: byHash, key: byHash})

	tr.files[backfill+MetadataSuffix] = tr.meta[backfill]
	v = verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{backfill: Altered}) // its metadata lacks the time of generation

	unstamped := tr.meta[backfill]
	stamp(trailStart.AddDate(0, 0, 14))
	tr.files[backfill+MetadataSuffix] = tr.meta[backfill]
	v = verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, nil)
	if len(v.Chains) != 2 || len(v.Gaps) != 0 || !v.Chains[1].Backfill {
		t.Errorf("%+v %+v", v.Chains, v.Gaps)
	}

	// Its key is that of the time at which it was made, not of the time that it covers.
	tr.meta[backfill] = unstamped
	stamp(trailStart.AddDate(0, 3, 0))
	tr.files[backfill+MetadataSuffix] = tr.meta[backfill]
	v = verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{backfill: NotCovered, key: NotCovered})

	// Without it the log is one that nobody lists.
	delete(tr.files, backfill)
	v = verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{key: Unlisted})

	// A backfill that another names is missed.
	tr.files[backfill] = gzipped(content)
	tr.at = trailStart.Add(3 * time.Hour)
	tr.digest(trailStart.Add(2*time.Hour), "_backfill", nil)
	tr.files[tr.last+MetadataSuffix] = strings.Replace(tr.meta[tr.last], `"signature-algorithm"`, `"backfill-generation-timestamp":"2026-03-15T00:00:00Z","signature-algorithm"`, 1)
	delete(tr.files, backfill)
	v = verify(t, tr.files, tr.signer.public(), VerifyOptions{Since: trailStart})
	wants(t, v, map[string]Verdict{key: Unlisted, backfill: Missing})
}

func TestVerifyRestartedChain(t *testing.T) {
	tr := standardTrail(t, 2)
	tr.restart()
	tr.at = tr.at.Add(5 * time.Hour)
	tr.hour(1)
	tr.hour(1)
	between, content := tr.log(trailStart.Add(4*time.Hour), "BETWEEN000000000")
	tr.files[between] = gzipped(content)
	v := verify(t, tr.withMetadata(), tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{between: NotCovered})
	if len(v.Gaps) != 1 || v.Gaps[0].Cause != GapRestart || v.Gaps[0].To.Sub(v.Gaps[0].From) != 5*time.Hour || v.Gaps[0].Digests != 0 || v.Chains[0].Starts != 2 {
		t.Errorf("%+v %+v", v.Gaps, v.Chains)
	}
	if v.Bad() != 0 {
		t.Error("a restart is bad")
	}
}

func TestVerifySeveralTrails(t *testing.T) {
	files := map[string]string{}
	var all []*trail
	for i, change := range []func(*trail){
		func(*trail) {},
		func(tr *trail) { tr.region = "eu-west-1" },
		func(tr *trail) { tr.name = "other_trail" },
		func(tr *trail) { tr.org, tr.prefix = "o-abcdefghij/", "org/" },
	} {
		tr := newTrail(t)
		change(tr)
		for range 3 {
			tr.hour(0)
		}
		key, content := tr.log(tr.at.Add(10*time.Minute), fmt.Sprintf("TRAIL%011d", i))
		tr.at = tr.at.Add(time.Hour)
		tr.files[key] = gzipped(content)
		tr.digest(tr.at.Add(-time.Hour), "", []string{fmt.Sprintf(`{"s3Object":%q,"s3Bucket":"logs","hashValue":"%x"}`, key, sha256.Sum256([]byte(content)))})
		maps.Copy(files, tr.withMetadata())
		all = append(all, tr)
	}
	v := verify(t, files, all[0].signer.public(), VerifyOptions{})
	wants(t, v, nil)
	if len(v.Chains) != 4 {
		t.Errorf("%d chains: %+v", len(v.Chains), v.Chains)
	}
	// What is gone of one trail is no gap of the others.
	delete(files, all[1].digests[1])
	delete(files, all[1].digests[1]+MetadataSuffix)
	v = verify(t, files, all[0].signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{all[1].digests[1]: Missing})
	if len(v.Gaps) != 1 || v.Gaps[0].Region != "eu-west-1" {
		t.Errorf("%+v", v.Gaps)
	}
}

func TestVerifySpan(t *testing.T) {
	tr := standardTrail(t, 6)
	delete(tr.files, tr.logs[0])
	files := tr.withMetadata()
	v := verify(t, files, tr.signer.public(), VerifyOptions{Since: trailStart.Add(2 * time.Hour), Until: trailStart.Add(4 * time.Hour)})
	wants(t, v, nil)
	if v.Digests[Valid] != 2 || v.Logs[Valid] != 4 {
		t.Errorf("%v %v", v.Digests, v.Logs)
	}
	// What is asked for and not there any more is missing, though the copy begins later.
	delete(files, tr.digests[0])
	delete(files, tr.digests[0]+MetadataSuffix)
	delete(files, tr.logs[1])
	v = verify(t, files, tr.signer.public(), VerifyOptions{Since: trailStart})
	wants(t, v, map[string]Verdict{tr.digests[0]: Missing})
}

// The outcome depends neither on the number of threads nor on their timing.
func TestVerifyIsStable(t *testing.T) {
	tr := standardTrail(t, 5)
	files := tr.withMetadata()
	delete(files, tr.digests[2])
	delete(files, tr.logs[3])
	dir := write(t, files)
	var first []byte
	for i := range 6 {
		store, err := Files(t.Context(), []string{dir}, "", Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := Verify(context.Background(), store, tr.signer.public(), VerifyOptions{Threads: 1 + i})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		} else if !bytes.Equal(first, text) {
			t.Fatal("another outcome")
		}
	}
}

func TestVerifyStops(t *testing.T) {
	tr := standardTrail(t, 3)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	store, err := Files(t.Context(), []string{write(t, tr.files)}, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, store, tr.signer.public(), VerifyOptions{}); err == nil {
		t.Error("no error")
	}
}

// A file that cannot be read is neither altered nor missing: it is a problem.
func TestVerifyUnreadableFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads every file")
	}
	tr := standardTrail(t, 2)
	dir := write(t, tr.withMetadata())
	if err := os.Chmod(filepath.Join(dir, tr.logs[0]), 0); err != nil {
		t.Fatal(err)
	}
	store, _ := Files(t.Context(), []string{dir}, "", Options{})
	v, err := Verify(context.Background(), store, tr.signer.public(), VerifyOptions{})
	if err != nil || len(v.Problems) != 1 || v.Bad() != 0 {
		t.Errorf("%+v, error %v", v, err)
	}
}

func TestMetadataThatCannotBeRead(t *testing.T) {
	tr := standardTrail(t, 2)
	tr.files[tr.digests[1]+MetadataSuffix] = "hello"
	v := verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	if len(v.Problems) != 1 || !strings.Contains(v.Problems[0].Reason, "head-object") || v.Bad() != 0 {
		t.Errorf("%+v", v)
	}
}

// A month of one region's trail, a log every twenty minutes.
func BenchmarkVerify(b *testing.B) {
	tr := standardTrail(b, 24*30)
	size := 0
	for _, text := range tr.files {
		size += len(text)
	}
	store, err := Files(b.Context(), []string{write(b, tr.files)}, "", Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		v, err := Verify(context.Background(), store, tr.signer.public(), VerifyOptions{})
		if err != nil || v.Bad() > 0 {
			b.Fatalf("%d files are bad, error %v", v.Bad(), err)
		}
		b.ReportMetric(float64(len(v.Files)), "files")
	}
}
