package ingest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// signer signs digests as CloudTrail does, with a key of its own.
type signer struct {
	key         *rsa.PrivateKey
	fingerprint string
}

var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, "0123456789abcdef0123456789abcdef"}
}

func (s signer) keyList(from, to string) string {
	der := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&s.key.PublicKey))
	return fmt.Sprintf(`{"PublicKeyList":[{"Value":"%s","ValidityStartTime":%s,"ValidityEndTime":%s,"Fingerprint":"%s"}]}`, der, from, to, s.fingerprint)
}

// fakeKeys is a key source for tests, and remembers what it was asked.
type fakeKeys struct {
	list  []PublicKey
	asked []string
}

func (k *fakeKeys) PublicKeys(_ context.Context, region string, from, to time.Time) ([]PublicKey, error) {
	k.asked = append(k.asked, region+" "+stampText(from)+" "+stampText(to))
	return k.list, nil
}

func (s signer) public() *fakeKeys {
	return &fakeKeys{list: []PublicKey{{Fingerprint: s.fingerprint, Key: &s.key.PublicKey, From: trailStart.AddDate(0, 0, -1), To: trailStart.AddDate(0, 0, 31)}}}
}

func (s signer) sign(t testing.TB, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

var trailStart = time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)

// trail is a bucket's folder as CloudTrail fills it: a digest and two logs an
// hour.
type trail struct {
	t      testing.TB
	signer signer
	org    string // "o-…/" or ""
	region string
	name   string
	prefix string // "p/" or ""
	files  map[string]string
	meta   map[string]string // metadata by digest

	at            time.Time
	last          string // key of the newest digest, "" at a start
	lastSum       string
	lastSignature string
	digests, logs []string // keys, in order
}

func newTrail(t testing.TB) *trail {
	return &trail{t: t, signer: newSigner(t), region: "us-east-1", name: "main", files: map[string]string{}, meta: map[string]string{}, at: trailStart}
}

func (tr *trail) log(at time.Time, id string) (key, content string) {
	key = fmt.Sprintf("%sAWSLogs/%s111122223333/CloudTrail/%s/%s/111122223333_CloudTrail_%s_%s_%s.json.gz", tr.prefix, tr.org, tr.region, at.Format("2006/01/02"), tr.region, at.Format(logNameTime), id)
	record := strings.ReplaceAll(event(id), "2026-03-01T10:00:00Z", stampText(at.Add(-5*time.Minute)))
	return key, `{"Records":[` + strings.ReplaceAll(record, "us-east-1", tr.region) + `]}`
}

// hour delivers an hour's logs, so many, and their digest.
func (tr *trail) hour(logs int) {
	var entries []string
	for i := range logs {
		key, content := tr.log(tr.at.Add(time.Duration(10+20*i)*time.Minute), fmt.Sprintf("%016d", len(tr.logs)))
		tr.files[key] = gzipped(content)
		tr.logs = append(tr.logs, key)
		sum := sha256.Sum256([]byte(content))
		entries = append(entries, fmt.Sprintf(`{"s3Bucket":"logs","s3Object":%q,"hashValue":"%x","hashAlgorithm":"SHA-256","newestEventTime":"x"}`, key, sum))
	}
	from := tr.at
	tr.at = tr.at.Add(time.Hour)
	tr.digest(from, "", entries)
}

// digest delivers a digest that lists the entries.
func (tr *trail) digest(from time.Time, suffix string, entries []string) {
	key := fmt.Sprintf("%sAWSLogs/%s111122223333/CloudTrail-Digest/%s/%s/111122223333_CloudTrail-Digest_%s_%s_%s_%s%s.json.gz",
		tr.prefix, tr.org, tr.region, tr.at.Format("2006/01/02"), tr.region, tr.name, "us-east-1", tr.at.Format(digestNameTime), suffix)
	quote := func(s string) string {
		if tr.last == "" {
			return "null"
		}
		return `"` + s + `"`
	}
	text := fmt.Sprintf(`{"awsAccountId":"111122223333","digestStartTime":%q,"digestEndTime":%q,"digestS3Bucket":"logs","digestS3Object":%q,`+
		`"digestPublicKeyFingerprint":%q,"digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,`+
		`"previousDigestS3Bucket":%s,"previousDigestS3Object":%s,"previousDigestHashValue":%s,"previousDigestHashAlgorithm":%s,"previousDigestSignature":%s,"logFiles":[%s]}`,
		stampText(from), stampText(tr.at), key, tr.signer.fingerprint, quote("logs"), quote(tr.last), quote(tr.lastSum), quote("SHA-256"), quote(tr.lastSignature), strings.Join(entries, ","))
	previous := tr.lastSignature
	if tr.last == "" {
		previous = "null"
	}
	tr.last, tr.lastSum = key, fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	tr.lastSignature = tr.signer.sign(tr.t, stampText(tr.at)+"\nlogs/"+key+"\n"+tr.lastSum+"\n"+previous)
	tr.files[key] = gzipped(text)
	tr.meta[key] = fmt.Sprintf(`{"ContentLength":1,"Metadata":{"signature":%q,"signature-algorithm":"SHA256withRSA"}}`, tr.lastSignature)
	tr.digests = append(tr.digests, key)
}

// restart makes the next digest begin a chain.
func (tr *trail) restart() { tr.last, tr.lastSum, tr.lastSignature = "", "", "" }

// withMetadata adds the S3 metadata of the digests: of those named, or of all.
func (tr *trail) withMetadata(keys ...string) map[string]string {
	if len(keys) == 0 {
		keys = tr.digests
	}
	for _, k := range keys {
		tr.files[k+MetadataSuffix] = tr.meta[k]
	}
	return tr.files
}

func standardTrail(t testing.TB, hours int) *trail {
	tr := newTrail(t)
	for range hours {
		tr.hour(2)
	}
	return tr
}

func verify(t *testing.T, files map[string]string, k KeySource, o VerifyOptions) *Verification {
	t.Helper()
	dir := write(t, files)
	store, err := LocalFiles([]string{dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), store, k, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range v.Files {
		v.Files[i].URI = strings.TrimPrefix(filepath.ToSlash(strings.TrimPrefix(f.URI, dir)), "/")
	}
	return v
}

// wants checks the verdicts of all files: valid, unless they are among except.
// A missing file stands under its key.
func wants(t *testing.T, v *Verification, except map[string]Verdict) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range v.Files {
		name := f.URI
		if name == "" {
			name = f.Key
		}
		want, ok := except[name]
		if !ok {
			want = Valid
		}
		seen[name] = true
		if f.Verdict != want {
			t.Errorf("%s is %s, want %s: %s", name, f.Verdict, want, f.Reason)
		}
		if (f.Verdict == Valid) != (f.Reason == "") && !strings.Contains(f.Reason, "under another name") {
			t.Errorf("%s is %s for the reason %q", name, f.Verdict, f.Reason)
		}
	}
	for name := range except {
		if !seen[name] {
			t.Errorf("%s, which should be %s, is not in the outcome", name, except[name])
		}
	}
}

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

// A copy on disk has no metadata: the newest digest and its logs stay unproven,
// everything before is proven by the digest after it.
func TestVerifyCopyWithoutMetadata(t *testing.T) {
	tr := standardTrail(t, 3)
	v := verify(t, tr.files, tr.signer.public(), VerifyOptions{})
	wants(t, v, map[string]Verdict{tr.digests[2]: Unproven, tr.logs[4]: Unproven, tr.logs[5]: Unproven})
	if v.Bad() != 0 {
		t.Error("something is bad")
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
			return map[string]Verdict{tr.digests[2]: Altered, tr.digests[1]: Unproven, tr.logs[2]: Unproven, tr.logs[3]: Unproven, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
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
			return map[string]Verdict{tr.digests[5]: Altered, tr.digests[4]: Unproven, tr.logs[8]: Unproven, tr.logs[9]: Unproven, tr.logs[10]: NotCovered, tr.logs[11]: NotCovered}
		}, 0, 0},
		{"a digest dropped", func(tr *trail, files map[string]string) map[string]Verdict {
			delete(files, tr.digests[2])
			return map[string]Verdict{tr.digests[2]: Missing, tr.digests[1]: Unproven, tr.logs[2]: Unproven, tr.logs[3]: Unproven, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
		}, time.Hour, 1},
		{"two digests in a row dropped", func(tr *trail, files map[string]string) map[string]Verdict {
			out := map[string]Verdict{tr.digests[1]: Missing, tr.digests[2]: Missing, tr.digests[0]: Unproven, tr.logs[0]: Unproven, tr.logs[1]: Unproven}
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
			return map[string]Verdict{tr.digests[2]: Altered, tr.digests[1]: Unproven, tr.logs[2]: Unproven, tr.logs[3]: Unproven, tr.logs[4]: NotCovered, tr.logs[5]: NotCovered}
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
		if v.Digests[Unproven] != 3 || v.Logs[Unproven] != 6 || len(v.NoKeys) != 1 || v.NoKeys[0] != tr.signer.fingerprint+" in us-east-1" {
			t.Errorf("%s: %v %v, no keys: %v", name, v.Digests, v.Logs, v.NoKeys)
		}
	}
	// Without metadata the newest is not even tried.
	for k := range tr.files {
		if strings.HasSuffix(k, MetadataSuffix) {
			delete(tr.files, k)
		}
	}
	v = verify(t, tr.files, public(func(k *PublicKey) { k.Key = &other.PublicKey }), VerifyOptions{})
	if v.Digests[Altered] != 2 || v.Digests[Unproven] != 1 {
		t.Errorf("without metadata: %v", v.Digests)
	}
	store, _ := LocalFiles([]string{write(t, tr.files)}, "")
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
	wants(t, v, map[string]Verdict{backfill: Unproven, key: Unproven})

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
	wants(t, v, map[string]Verdict{backfill: Unproven, key: Unproven})

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
		store, err := LocalFiles([]string{dir}, "")
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
	store, err := LocalFiles([]string{write(t, tr.files)}, "")
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
	store, _ := LocalFiles([]string{dir}, "")
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

func TestKeepVerdicts(t *testing.T) {
	tr := standardTrail(t, 3)
	tr.files[tr.logs[0]] = changed(t, tr.files[tr.logs[0]], "ListUsers", "ListRoles")
	dir := write(t, tr.withMetadata())
	c := newCase(t)
	load(t, c, dir)
	// Deleted, changed and moved after they were loaded.
	for _, err := range []error{
		os.Remove(filepath.Join(dir, tr.logs[1])),
		os.WriteFile(filepath.Join(dir, tr.logs[2]), []byte("other"), 0o600),
		os.Rename(filepath.Join(dir, tr.logs[3]), filepath.Join(dir, "moved")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := LocalFiles([]string{dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), store, tr.signer.public(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time changes nothing.
		kept, err := KeepVerdicts(context.Background(), c, v)
		if err != nil || kept.Changed != 1 {
			t.Fatalf("%+v, error %v", kept, err)
		}
		want := map[string]string{tr.logs[0]: "altered", tr.logs[1]: "", tr.logs[2]: "", tr.logs[3]: "valid", tr.logs[4]: "valid", tr.digests[2]: "valid"}
		for name, verdict := range want {
			var got string
			err := c.DB.QueryRow(`SELECT coalesce(integrity, '') FROM sources WHERE uri = ?`, filepath.Join(dir, name)).Scan(&got)
			if err != nil || got != verdict {
				t.Errorf("%s has %q, want %q, error %v", name, got, verdict, err)
			}
		}
		var lost string
		err = c.DB.QueryRow(`SELECT string_agg(kind || ' ' || verdict, ', ' ORDER BY key) FROM integrity`).Scan(&lost)
		if err != nil || lost != "log altered, log missing, log altered" {
			t.Errorf("no source stands for %q, error %v", lost, err)
		}
	}
}

// A month of one region's trail, a log every twenty minutes.
func BenchmarkVerify(b *testing.B) {
	tr := standardTrail(b, 24*30)
	size := 0
	for _, text := range tr.files {
		size += len(text)
	}
	store, err := LocalFiles([]string{write(b, tr.files)}, "")
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
