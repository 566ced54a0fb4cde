package ingest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// digest is the content of a CloudTrail digest file: the log files that were
// delivered to a bucket in a span of about an hour, and the digest before it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
type digest struct {
	AccountID   string `json:"awsAccountId"`
	StartTime   string `json:"digestStartTime"`
	EndTime     string `json:"digestEndTime"` // as it stands, for it is signed so
	Bucket      string `json:"digestS3Bucket"`
	Object      string `json:"digestS3Object"`
	Fingerprint string `json:"digestPublicKeyFingerprint"`
	Algorithm   string `json:"digestSignatureAlgorithm"`

	// The digest before it; all null in the first of a chain.
	PreviousBucket    *string `json:"previousDigestS3Bucket"`
	PreviousObject    *string `json:"previousDigestS3Object"`
	PreviousHash      *string `json:"previousDigestHashValue"`
	PreviousSignature *string `json:"previousDigestSignature"`

	LogFiles []digestEntry `json:"logFiles"`

	start, end time.Time
	previous   sha256Sum
}

// digestEntry is a log file that a digest lists.
type digestEntry struct {
	Bucket    string `json:"s3Bucket"`
	Object    string `json:"s3Object"`
	HashValue string `json:"hashValue"` // of the log's uncompressed content
	Algorithm string `json:"hashAlgorithm"`

	sum sha256Sum
}

// sha256Sum is a SHA-256. The zero value stands for none.
type sha256Sum [32]byte

func (s sha256Sum) String() string {
	if s == (sha256Sum{}) {
		return ""
	}
	return hex.EncodeToString(s[:])
}

func parseSum(text string) (s sha256Sum, err error) {
	if len(text) != hex.EncodedLen(len(s)) {
		return s, fmt.Errorf("%q is no SHA-256", clip(text, 80))
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return sha256Sum{}, fmt.Errorf("%q is no SHA-256", clip(text, 80))
	}
	return s, nil
}

const (
	hashAlgorithm      = "SHA-256"
	signatureAlgorithm = "SHA256withRSA"
)

// parseDigest reads the uncompressed content of a digest file.
func parseDigest(text []byte) (*digest, error) {
	d := new(digest)
	if err := json.Unmarshal(text, d); err != nil {
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("no digest: not JSON at byte %d", syntax.ByteOffset)
		}
		return nil, fmt.Errorf("no digest: %w", err)
	}
	for _, m := range []struct{ name, value string }{
		{"digestS3Bucket", d.Bucket}, {"digestS3Object", d.Object}, {"digestPublicKeyFingerprint", d.Fingerprint},
	} {
		if m.value == "" {
			return nil, fmt.Errorf("no digest: %s is missing", m.name)
		}
	}
	var ok [2]bool
	d.start, _, ok[0] = parseTime(d.StartTime)
	d.end, _, ok[1] = parseTime(d.EndTime)
	if !ok[0] || !ok[1] || d.end.Before(d.start) {
		return nil, fmt.Errorf("no digest: from %q to %q is no span of time", clip(d.StartTime, 40), clip(d.EndTime, 40))
	}
	if d.PreviousHash != nil {
		var err error
		if d.previous, err = parseSum(*d.PreviousHash); err != nil {
			return nil, fmt.Errorf("no digest: previousDigestHashValue: %w", err)
		}
	}
	for i := range d.LogFiles {
		f := &d.LogFiles[i]
		if f.Object == "" {
			return nil, fmt.Errorf("no digest: logFiles[%d] has no s3Object", i)
		}
		if f.Algorithm != "" && f.Algorithm != hashAlgorithm {
			return nil, fmt.Errorf("no digest: logFiles[%d] has the hashAlgorithm %q, and CloudTrail uses %s", i, clip(f.Algorithm, 40), hashAlgorithm)
		}
		var err error
		if f.sum, err = parseSum(f.HashValue); err != nil {
			return nil, fmt.Errorf("no digest: logFiles[%d].hashValue: %w", i, err)
		}
		f.HashValue = ""
	}
	return d, nil
}

// signedText is what the signature of the digest signs; sum is the SHA-256 of
// its uncompressed content.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func (d *digest) signedText(sum sha256Sum) []byte {
	previous := "null"
	if d.PreviousSignature != nil {
		previous = *d.PreviousSignature
	}
	return []byte(d.EndTime + "\n" + d.Bucket + "/" + d.Object + "\n" + sum.String() + "\n" + previous)
}

// follows says that there is a digest before this one, and names it.
func (d *digest) follows() (bucket, object string, ok bool) {
	if d.PreviousObject == nil || *d.PreviousObject == "" {
		return "", "", false
	}
	if d.PreviousBucket != nil {
		bucket = *d.PreviousBucket
	}
	return bucket, *d.PreviousObject, true
}

// contentKind tells from the head of a JSON text what it is: "digest",
// "log" (a file with Records as CloudTrail delivers it) or "".
func contentKind(head []byte) string {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	d := jsontext.NewDecoder(bytes.NewReader(head), decoderOptions()...)
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	for {
		name, err := d.ReadToken()
		if err != nil || name.Kind() != '"' {
			return ""
		}
		switch s := name.String(); {
		case strings.HasPrefix(s, "digestS3"), strings.HasPrefix(s, "previousDigest"), s == "digestStartTime", s == "digestEndTime", s == "digestPublicKeyFingerprint":
			return "digest"
		case s == "Records":
			if startsWithRecord(d) {
				return "log"
			}
			return ""
		}
		if d.SkipValue() != nil {
			return ""
		}
	}
}

// startsWithRecord says that the decoder stands before an array of CloudTrail
// records, or an empty one.
func startsWithRecord(d *jsontext.Decoder) bool {
	if t, err := d.ReadToken(); err != nil || t.Kind() != '[' {
		return false
	}
	t, err := d.ReadToken()
	if err != nil || t.Kind() == ']' {
		return err == nil
	}
	if t.Kind() != '{' {
		return false
	}
	for {
		name, err := d.ReadToken()
		if err != nil || name.Kind() != '"' {
			return false
		}
		switch name.String() {
		case "eventVersion", "eventID", "eventName", "userIdentity", "eventCategory":
			return true
		}
		if d.SkipValue() != nil {
			return false
		}
	}
}

// firstRecord is where and when the first record of a log's head was made.
func firstRecord(head []byte) (account, region string, at time.Time, ok bool) {
	d := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(head, []byte("\ufeff"))), decoderOptions()...)
	if _, err := d.ReadToken(); err != nil {
		return
	}
	for {
		name, err := d.ReadToken()
		if err != nil {
			return
		}
		if name.Kind() == '"' && name.String() == "Records" {
			break
		}
		if d.SkipValue() != nil {
			return
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return
	}
	if d.PeekKind() != '{' {
		return
	}
	var r struct {
		Time      string `json:"eventTime"`
		Region    string `json:"awsRegion"`
		Recipient string `json:"recipientAccountId"`
		Identity  struct {
			Account string `json:"accountId"`
		} `json:"userIdentity"`
	}
	if json.UnmarshalDecode(d, &r) != nil {
		return
	}
	account = r.Recipient
	if account == "" {
		account = r.Identity.Account
	}
	at, _, ok = parseTime(r.Time)
	return account, r.Region, at, ok
}
