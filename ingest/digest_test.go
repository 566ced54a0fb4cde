package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const sampleDigest = `{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T10:00:00Z","digestEndTime":"2026-03-01T11:00:00Z",` +
	`"digestS3Bucket":"logs","digestS3Object":"AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20260301T110000Z.json.gz",` +
	`"digestPublicKeyFingerprint":"31e8b5433410dfb61a9dc45cc65b22ff","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,` +
	`"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[]}`

func TestParseDigest(t *testing.T) {
	d, err := parseDigest([]byte(sampleDigest))
	if err != nil {
		t.Fatal(err)
	}
	if d.end.Sub(d.start) != time.Hour {
		t.Errorf("from %s to %s", d.start, d.end)
	}
	sum := sha256Sum{0xab}
	want := "2026-03-01T11:00:00Z\nlogs/" + d.Object + "\nab" + strings.Repeat("00", 31) + "\nnull"
	if got := string(d.signedText(sum)); got != want {
		t.Errorf("signs %q, want %q", got, want)
	}
	for name, text := range map[string]string{
		"no digest: not JSON":                `{"digestStartTime":`,
		"digestS3Object is missing":          strings.Replace(sampleDigest, `"digestS3Object"`, `"x"`, 1),
		"is no span of time":                 strings.Replace(sampleDigest, `"digestEndTime":"2026-03-01T11`, `"digestEndTime":"2026-03-01T09`, 1),
		"logFiles[0] has no s3Object":        strings.Replace(sampleDigest, `"logFiles":[]`, `"logFiles":[{}]`, 1),
		"logFiles[0].hashValue":              strings.Replace(sampleDigest, `"logFiles":[]`, `"logFiles":[{"s3Object":"a","hashValue":"00"}]`, 1),
		"hashAlgorithm \"MD5\"":              strings.Replace(sampleDigest, `"logFiles":[]`, `"logFiles":[{"s3Object":"a","hashAlgorithm":"MD5"}]`, 1),
		"previousDigestHashValue":            strings.Replace(sampleDigest, `"previousDigestHashValue":null`, `"previousDigestHashValue":"zz"`, 1),
		"digestPublicKeyFingerprint is miss": strings.Replace(sampleDigest, "31e8b5433410dfb61a9dc45cc65b22ff", "", 1),
	} {
		if _, err := parseDigest([]byte(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

func TestParseKey(t *testing.T) {
	at := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	for key, want := range map[string]objectKey{
		"AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_my_trail-1_eu-west-1_20260301T110000Z.json.gz": {
			kind: kindDigest, account: "111122223333", region: "us-east-1", trail: "my_trail-1", home: "eu-west-1", time: at, named: true},
		"pre/fix/AWSLogs/o-abcdefghij/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20260301T110000Z_backfill.json.gz": {
			kind: kindDigest, org: "o-abcdefghij", account: "111122223333", region: "us-east-1", trail: "t", home: "us-east-1", time: at, named: true, backfill: true},
		"/home/x/AWSLogs/AWSLogs/111122223333/CloudTrail/us-gov-west-1/2026/03/01/111122223333_CloudTrail_us-gov-west-1_20260301T1100Z_9nYN7gp2eWAJHIfT.json.gz": {
			kind: "CloudTrail", account: "111122223333", region: "us-gov-west-1", time: at, named: true},
		"01/111122223333_CloudTrail-Insight_us-east-1_20260301T1100Z_9nYN7gp2eWAJHIfT.json": {
			kind: "CloudTrail-Insight", account: "111122223333", region: "us-east-1", time: at, named: true},
		"AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/digest.json.gz": {kind: kindDigest, account: "111122223333", region: "us-east-1"},
		"myAWSLogs/111122223333/CloudTrail/us-east-1/a.json":                         {},
		"some/folder/renamed.gz": {},
		"":                       {},
	} {
		got := parseKey(key)
		got.base, got.suffix = "", ""
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", key, got, want)
		}
	}
	key := "p/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_20260301T003000Z_us-east-1_20260301T003000Z.json.gz"
	want := "p/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/02/28/111122223333_CloudTrail-Digest_us-east-1_20260301T003000Z_us-east-1_20260228T233000Z.json.gz"
	k := parseKey(key)
	if got := k.at(key, k.time.Add(-time.Hour)); got != want {
		t.Errorf("an hour before is %s, want %s", got, want)
	}
}

func TestPublicKeysOfTheUserGuide(t *testing.T) {
	dir := corpus(t)
	keys, err := ReadPublicKeys(filepath.Join(dir, "formats/digest/awsdocs_aws-cloudtrail-user-guide/public-keys.block1.json"))
	if err != nil {
		t.Fatal(err)
	}
	list := keys.(savedKeys)
	if len(list) != 3 || !list[0].From.Equal(time.Unix(1436317441, 0)) || !list[2].To.Equal(time.Unix(1437181370, 0)) || list[2].Key.N.BitLen() != 2048 {
		t.Errorf("keys are %+v", list)
	}
}

// The published digests must parse, and be found by their content.
func TestPublishedDigests(t *testing.T) {
	found := 0
	err := filepath.WalkDir(filepath.Join(corpus(t), "formats/digest"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(e.Name(), "digest") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found++
		if kind := contentKind(text); kind != "digest" {
			t.Errorf("%s looks like %q", path, kind)
		}
		if _, err := parseDigest(text); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found < 2 {
		t.Errorf("%d digests found, error %v", found, err)
	}
}

func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TRAILSCAN_CORPUS")
	if dir == "" {
		dir = "../../shared/corpus"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no corpus of published events: set TRAILSCAN_CORPUS")
	}
	return dir
}

func TestParsePublicKeys(t *testing.T) {
	s := newSigner(t)
	for name, text := range map[string]string{
		"version 1": s.keyList(`1772323200.0`, `1774915200`),
		"version 2": s.keyList(`"2026-03-01T00:00:00+00:00"`, `"2026-03-31T00:00:00Z"`),
		"texts":     strings.Replace(s.keyList(`"1772323200.0"`, `"1774915200"`), "PublicKeyList", "publicKeyList", 1),
		"several":   s.keyList(`1772323200`, `1774915200`) + "\n" + `{"PublicKeyList":[]}`,
	} {
		keys, err := parsePublicKeys([]byte(text))
		if err != nil || len(keys) != 1 || !keys[0].From.Equal(time.Unix(1772323200, 0)) || !keys[0].To.Equal(time.Unix(1774915200, 0)) {
			t.Errorf("%s: %+v, error %v", name, keys, err)
		}
	}
	for text, want := range map[string]string{
		`{}`:    "it holds no key",
		`hello`: "not the JSON of a key list",
		`{"PublicKeyList":[{"Value":"!","Fingerprint":"a"}]}`:          "no base64",
		`{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"a"}]}`:       "no RSA public key",
		`{"PublicKeyList":[{"Value":"AAAA"}]}`:                         "no Fingerprint",
		strings.Replace(s.keyList("1772323200", "1"), ":1}", ":1}", 1): "is no time",
	} {
		if _, err := parsePublicKeys([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", clip(text, 60), err, want)
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add([]byte(sampleDigest))
	f.Add([]byte(strings.Replace(sampleDigest, `"logFiles":[]`, `"logFiles":[{"s3Bucket":"b","s3Object":"k","hashValue":"`+strings.Repeat("ab", 32)+`","hashAlgorithm":"SHA-256"}]`, 1)))
	f.Add([]byte(strings.Replace(sampleDigest, "null", `""`, -1)))
	f.Add([]byte("\ufeff{\"Records\":[{\"eventVersion\":\"1\"}]}"))
	f.Add([]byte(`{"digestStartTime":1e400,"logFiles":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		contentKind(text)
		firstRecord(text)
		d, err := parseDigest(text)
		if err != nil {
			if d != nil {
				t.Error("an error, and a digest")
			}
			return
		}
		if d.Bucket == "" || d.Object == "" || d.end.Before(d.start) {
			t.Errorf("accepted: %+v", d)
		}
		d.signedText(sha256Sum{})
		parseKey(d.Object)
	})
}

func FuzzObjectKey(f *testing.F) {
	for _, key := range []string{
		"AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_my_trail_us-east-1_20260301T110000Z_backfill.json.gz",
		"p/AWSLogs/o-abcdefghij/111122223333/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_20260301T1100Z_9nYN7gp2eWAJHIfT.json.gz",
		"AWSLogs/AWSLogs/", "/AWSLogs/1", "111122223333_CloudTrail_us-east-1_20261301T1100Z_x.json", "/", "\xff/AWSLogs/\x00",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		k := parseKey(key)
		if !strings.HasSuffix(key, k.suffix) || !strings.Contains(key, k.base) {
			t.Errorf("%q has the suffix %q and the base %q", key, k.suffix, k.base)
		}
		if k.named && (k.account == "" || k.region == "" || k.kind == "" || k.time.IsZero() && k.time.Year() != 1) {
			t.Errorf("%q is named and says too little: %+v", key, k)
		}
		if !k.holds(k) {
			t.Errorf("%q does not hold itself", key)
		}
		if k.kind == kindDigest && k.named {
			next := parseKey(k.at(key, k.time.Add(time.Hour)))
			if !next.named || !next.time.Equal(k.time.Add(time.Hour)) && k.time.Year() < 9999 || next.trail != k.trail {
				t.Errorf("%q, an hour later: %+v", key, next)
			}
		}
	})
}

func FuzzPublicKeys(f *testing.F) {
	f.Add([]byte(`{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"a","ValidityStartTime":1,"ValidityEndTime":null}]}`))
	f.Add([]byte(`{"publicKeyList":[]}{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parsePublicKeys(text)
		if err == nil && len(keys) == 0 {
			t.Error("no key and no error")
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"Metadata":{"signature":"ab","signature-algorithm":"SHA256withRSA"}}`))
	f.Add([]byte(`{"Metadata":null}`))
	f.Add([]byte(`{"x-amz-meta-signature":"ab"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMetadata(text)
		if (m == nil) == (err == nil) {
			t.Errorf("metadata %v, error %v", m, err)
		}
	})
}
