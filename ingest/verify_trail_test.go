package ingest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
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
	store, err := Files(t.Context(), []string{dir}, "", Options{})
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
// byHash stands in tests for valid by hashes alone.
const byHash Verdict = "by hash"

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
		got := f.Verdict
		if got == Valid && !f.Signed {
			got = byHash
		}
		if got != want {
			t.Errorf("%s is %s, want %s: %s", name, got, want, f.Reason)
		}
		if (got == byHash) != strings.HasPrefix(f.Reason, UnsignedReason) {
			t.Errorf("%s is %s for the reason %q", name, got, f.Reason)
		}
		if (got == Valid) != (f.Reason == "") && !strings.Contains(f.Reason, "under another name") {
			t.Errorf("%s is %s for the reason %q", name, f.Verdict, f.Reason)
		}
	}
	for name := range except {
		if !seen[name] {
			t.Errorf("%s, which should be %s, is not in the outcome", name, except[name])
		}
	}
}
