package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestVerifyWholeChain(t *testing.T) {
	tr := newTrail(t)
	tr.hour(2)
	tr.hour(0)
	tr.hour(2)
	k := tr.signer.public()
	v := verify(t, tr.withMetadata(), k, VerifyOptions{})
	wants(t, v, nil)
	if len(v.Gaps) > 0 || len(v.Chains) != 1 || v.Chains[0].Digests != 3 || v.Chains[0].NoLogs != 1 || v.Chains[0].Starts != 1 || v.Chains[0].Logs != 4 || v.Bad() != 0 {
		t.Errorf("%+v", v)
	}
	if len(k.asked) != 1 || k.asked[0] != "us-east-1 2026-03-01T21:00:00Z 2026-03-02T03:00:00Z" {
		t.Errorf("asked for the keys of %v", k.asked)
	}
}

// A copy on disk has no metadata: the newest digest and its logs are valid by
// hashes alone, everything before is proven by the digest after it.
func TestVerifyCopyWithoutMetadata(t *testing.T) {
	tr := standardTrail(t, 3)
	v := verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{tr.digests[2]: byHash, tr.logs[4]: byHash, tr.logs[5]: byHash})
	if v.Bad() != 0 || v.Unsigned != 3 {
		t.Errorf("%d are bad, %d unsigned", v.Bad(), v.Unsigned)
	}
}

// Hashes alone vouch for the newest digest of a copy only as long as nothing
// speaks against it.
func TestVerifyDoubtsTheNewestOfACopy(t *testing.T) {
	for _, test := range []struct {
		name   string
		tamper func(tr *trail) map[string]Verdict
	}{
		{"the one before it changed", func(tr *trail) map[string]Verdict {
			// CloudTrail's signature of what it was, which the newest repeats, shows which of the two it is.
			tr.files[tr.digests[1]] = changed(t, tr.files[tr.digests[1]], "SHA-256", "sha-256")
			return map[string]Verdict{tr.digests[1]: Altered, tr.logs[2]: NotCovered, tr.logs[3]: NotCovered,
				tr.digests[2]: byHash, tr.logs[4]: byHash, tr.logs[5]: byHash}
		}},
		{"its signature of the one before it changed", func(tr *trail) map[string]Verdict {
			tr.files[tr.digests[2]] = changed(t, tr.files[tr.digests[2]], `"previousDigestSignature":"`, `"previousDigestSignature":"00`)
			return map[string]Verdict{tr.digests[1]: Altered, tr.logs[2]: NotCovered, tr.logs[3]: NotCovered,
				tr.digests[2]: NotCovered, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}},
		{"its signature of the one before it changed, which has its own", func(tr *trail) map[string]Verdict {
			tr.files[tr.digests[1]+MetadataSuffix] = tr.meta[tr.digests[1]]
			tr.files[tr.digests[2]] = changed(t, tr.files[tr.digests[2]], `"previousDigestSignature":"`, `"previousDigestSignature":"00`)
			return map[string]Verdict{tr.digests[2]: Altered, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}},
		{"a log that it lists changed", func(tr *trail) map[string]Verdict {
			tr.files[tr.logs[4]] = changed(t, tr.files[tr.logs[4]], "ListUsers", "ListUserz")
			return map[string]Verdict{tr.logs[4]: Altered, tr.digests[2]: byHash, tr.logs[5]: byHash}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := standardTrail(t, 3)
			want := test.tamper(tr)
			wants(t, verify(t, tr.files, tr.signer.public(), VerifyOptions{}), want)
		})
	}
}

func changed(t *testing.T, gz string, old, new string) string {
	t.Helper()
	r := newScanner(nil, nil)
	r.buf.Reset(strings.NewReader(gz))
	content, err := r.content()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(content); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), old) {
		t.Fatalf("no %q in %s", old, b.String())
	}
	return gzipped(strings.Replace(b.String(), old, new, 1))
}

func TestVerifyFindsWhatWasDone(t *testing.T) {
	const hours = 6
	for _, test := range []struct {
		name   string
		tamper func(tr *trail, files map[string]string) map[string]Verdict
		gap    time.Duration // all gaps together
		gone   int           // digests in gaps
	}{
		{"a byte of a log", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] = changed(t, files[tr.logs[4]], "ListUsers", "ListUserz")
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"a byte of a log's gzip data", func(tr *trail, files map[string]string) map[string]Verdict {
			b := []byte(files[tr.logs[4]])
			b[len(b)/2] ^= 0x10
			files[tr.logs[4]] = string(b)
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"a log cut short", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] = files[tr.logs[4]][:len(files[tr.logs[4]])-9]
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"an emptied log", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] = ""
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"bytes after the gzip member", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] += "\x00\x00"
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"a second gzip member", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] += gzipped(`{"Records":[` + event("forged") + `]}`)
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"an empty second gzip member", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]] += gzipped("")
			return map[string]Verdict{tr.logs[4]: Altered}
		}, 0, 0},
		{"bytes after a digest's gzip member", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]] += "x"
			return map[string]Verdict{tr.digests[2]: Altered}
		}, 0, 0},
		{"a log deleted", func(tr *trail, files map[string]string) map[string]Verdict {
			delete(files, tr.logs[4])
			return map[string]Verdict{tr.logs[4]: Missing}
		}, 0, 0},
		{"two logs swapped", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.logs[4]], files[tr.logs[5]] = files[tr.logs[5]], files[tr.logs[4]]
			return map[string]Verdict{tr.logs[4]: Altered, tr.logs[5]: Altered}
		}, 0, 0},
		{"a log added", func(tr *trail, files map[string]string) map[string]Verdict {
			key, content := tr.log(trailStart.Add(100*time.Minute), "FORGED0000000000")
			files[key] = gzipped(content)
			return map[string]Verdict{key: Unlisted}
		}, 0, 0},
		{"a log added under a name that says nothing", func(tr *trail, files map[string]string) map[string]Verdict {
			_, content := tr.log(trailStart.Add(100*time.Minute), "FORGED0000000000")
			files["forged.json"] = content
			return map[string]Verdict{"forged.json": Unlisted}
		}, 0, 0},
		{"logs before and after the digests, and of another region", func(tr *trail, files map[string]string) map[string]Verdict {
			out := map[string]Verdict{}
			for i, at := range []time.Time{trailStart.Add(-3 * time.Hour), trailStart.Add(hours*time.Hour + 10*time.Minute)} {
				key, content := tr.log(at, fmt.Sprintf("OUTSIDE%09d", i))
				files[key] = gzipped(content)
				out[key] = NotCovered
			}
			other := newTrail(t)
			other.region = "eu-west-1"
			key, content := other.log(trailStart.Add(10*time.Minute), "ELSEWHERE0000000")
			files[key] = gzipped(content)
			out[key] = NotCovered
			return out
		}, 0, 0},
		{"a digest changed", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]] = changed(t, files[tr.digests[2]], `"awsAccountId"`, ` "awsAccountId"`)
			return map[string]Verdict{tr.digests[2]: Altered, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, 0, 0},
		{"a log changed, and its digest to fit", func(tr *trail, files map[string]string) map[string]Verdict {
			_, content := tr.log(trailStart, "FORGED0000000000")
			old := files[tr.logs[4]]
			files[tr.logs[4]] = gzipped(content)
			files[tr.digests[2]] = changed(t, files[tr.digests[2]], contentSum(t, old), fmt.Sprintf("%x", sha256.Sum256([]byte(content))))
			return map[string]Verdict{tr.digests[2]: Altered, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, 0, 0},
		{"a digest that is no JSON any more", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]] = gzipped("hello")
			return map[string]Verdict{tr.digests[2]: Altered, tr.digests[1]: byHash, tr.logs[2]: byHash, tr.logs[3]: byHash, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, 0, 0},
		{"another signature in the newest digest's metadata", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[5]+MetadataSuffix] = tr.meta[tr.digests[4]]
			return map[string]Verdict{tr.digests[5]: Altered, tr.logs[10]: NotCovered, tr.logs[11]: NotCovered}
		}, 0, 0},
		{"another algorithm in the newest digest's metadata", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[5]+MetadataSuffix] = strings.Replace(tr.meta[tr.digests[5]], "SHA256withRSA", "MD5withRSA", 1)
			return map[string]Verdict{tr.digests[5]: Altered, tr.logs[10]: NotCovered, tr.logs[11]: NotCovered}
		}, 0, 0},
		{"another signature in an older digest's metadata, whose content the chain proves", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]+MetadataSuffix] = tr.meta[tr.digests[4]]
			return map[string]Verdict{tr.digests[2]: Altered}
		}, 0, 0},
		{"the newest digest changed", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[5]] = changed(t, files[tr.digests[5]], tr.digests[4], tr.digests[3])
			return map[string]Verdict{tr.digests[5]: Altered, tr.digests[4]: byHash, tr.logs[8]: byHash, tr.logs[9]: byHash, tr.logs[10]: NotCovered, tr.logs[11]: NotCovered}
		}, 0, 0},
		{"a digest dropped", func(tr *trail, files map[string]string) map[string]Verdict {
			delete(files, tr.digests[2])
			return map[string]Verdict{tr.digests[2]: Missing, tr.digests[1]: byHash, tr.logs[2]: byHash, tr.logs[3]: byHash, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, time.Hour, 1},
		{"two digests in a row dropped", func(tr *trail, files map[string]string) map[string]Verdict {
			out := map[string]Verdict{tr.digests[1]: Missing, tr.digests[2]: Missing, tr.digests[0]: byHash, tr.logs[0]: byHash, tr.logs[1]: byHash}
			for _, l := range tr.logs[2:6] {
				out[l] = NotCovered
			}
			delete(files, tr.digests[1])
			delete(files, tr.digests[2])
			return out
		}, 2 * time.Hour, 2},
		{"the first digest dropped, whose logs are there", func(tr *trail, files map[string]string) map[string]Verdict {
			delete(files, tr.digests[0])
			return map[string]Verdict{tr.digests[0]: Missing, tr.logs[0]: NotCovered, tr.logs[1]: NotCovered}
		}, time.Hour, 1},
		{"a copy that begins with a later day", func(tr *trail, files map[string]string) map[string]Verdict {
			delete(files, tr.digests[0])
			delete(files, tr.logs[0])
			delete(files, tr.logs[1])
			return nil
		}, 0, 0},
		{"two digests swapped", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]], files[tr.digests[3]] = files[tr.digests[3]], files[tr.digests[2]]
			return map[string]Verdict{tr.digests[2]: Altered, tr.digests[3]: Altered}
		}, 0, 0},
		{"a digest put in the place of another", func(tr *trail, files map[string]string) map[string]Verdict {
			files[tr.digests[2]] = files[tr.digests[3]]
			return map[string]Verdict{tr.digests[2]: Altered, tr.digests[1]: byHash, tr.logs[2]: byHash, tr.logs[3]: byHash, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, 0, 0},
		{"all renamed", func(tr *trail, files map[string]string) map[string]Verdict {
			n := 0
			for _, key := range slices.Sorted(maps.Keys(files)) {
				if strings.HasSuffix(key, MetadataSuffix) {
					continue
				}
				n++
				name := fmt.Sprintf("evidence/%d.bin", n)
				files[name] = files[key]
				if m, ok := files[key+MetadataSuffix]; ok {
					files[name+MetadataSuffix] = m
					delete(files, key+MetadataSuffix)
				}
				delete(files, key)
			}
			return nil
		}, 0, 0},
		{"uncompressed", func(tr *trail, files map[string]string) map[string]Verdict {
			for _, key := range slices.Concat(tr.logs, tr.digests) {
				r := newScanner(nil, nil)
				r.buf.Reset(strings.NewReader(files[key]))
				content, _ := r.content()
				var b bytes.Buffer
				b.ReadFrom(content)
				delete(files, key)
				files[strings.TrimSuffix(key, ".gz")] = b.String()
				if m, ok := files[key+MetadataSuffix]; ok {
					files[strings.TrimSuffix(key, ".gz")+MetadataSuffix] = m
					delete(files, key+MetadataSuffix)
				}
			}
			return nil
		}, 0, 0},
		{"copied from within the bucket", func(tr *trail, files map[string]string) map[string]Verdict {
			for key, text := range maps.Clone(files) {
				delete(files, key)
				files[key[strings.Index(key, "/2026/")+1:]] = text
			}
			return nil
		}, 0, 0},
		{"two copies, of which one is altered", func(tr *trail, files map[string]string) map[string]Verdict {
			for key, text := range maps.Clone(files) {
				files["copy/"+key] = text
			}
			files["copy/"+tr.logs[3]] = changed(t, files[tr.logs[3]], "ListUsers", "ListUserz")
			files["copy/"+tr.digests[3]] = changed(t, files[tr.digests[3]], `"awsAccountId"`, ` "awsAccountId"`)
			return map[string]Verdict{"copy/" + tr.logs[3]: Altered, "copy/" + tr.digests[3]: Altered}
		}, 0, 0},
		{"other files among them", func(tr *trail, files map[string]string) map[string]Verdict {
			files["notes.txt"], files["x.json"], files["y.gz"] = "hello", `{"Records":[{"s3":{}}]}`, gzipped("a")
			return nil
		}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := standardTrail(t, hours)
			want := test.tamper(tr, tr.withMetadata(tr.digests[hours-1]))
			v := verify(t, tr.files, tr.signer.public(), VerifyOptions{})
			wants(t, v, want)
			var gap time.Duration
			gone := 0
			for _, g := range v.Gaps {
				gap += g.To.Sub(g.From)
				gone += g.Digests
			}
			if gap != test.gap || gone != test.gone {
				t.Errorf("gaps of %s with %d digests, want %s with %d: %+v", gap, gone, test.gap, test.gone, v.Gaps)
			}
			bad := 0
			for name, verdict := range want {
				bad += btoi(verdict == Altered || verdict == Missing)
				if verdict == Missing && !slices.ContainsFunc(v.Files, func(f FileVerdict) bool { return f.Key == name && f.URI == "" }) {
					t.Errorf("%s is not among the missing", name)
				}
			}
			if (v.Bad() > 0) != (bad > 0 || test.gone > 0) {
				t.Errorf("%d are bad, want %d", v.Bad(), bad)
			}
		})
	}
}

func contentSum(t *testing.T, gz string) string {
	t.Helper()
	r := newScanner(nil, nil)
	r.buf.Reset(strings.NewReader(gz))
	content, err := r.content()
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	var b bytes.Buffer
	b.ReadFrom(content)
	h.Write(b.Bytes())
	return hex.EncodeToString(h.Sum(nil))
}
