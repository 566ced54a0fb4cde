package ingest

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// PublicKey is a key with which CloudTrail signs the digests of one region.
type PublicKey struct {
	Fingerprint string
	Key         *rsa.PublicKey
	From, To    time.Time // its validity; zero when not told
}

// KeySource gives the public keys of a region that were valid in a span.
type KeySource interface {
	PublicKeys(ctx context.Context, region string, from, to time.Time) ([]PublicKey, error)
}

// keySlack is how far from a digest's end the validity of its key may end: it
// is signed after its end, and keys change in between. The AWS CLI looks two
// hours to both sides too (aws/aws-cli#10072).
const keySlack = 2 * time.Hour

// validAt says that the key may have signed a digest made at t.
func (k *PublicKey) validAt(t time.Time) bool {
	return (k.From.IsZero() || !t.Before(k.From.Add(-keySlack))) && (k.To.IsZero() || !t.After(k.To.Add(keySlack)))
}

// verifies says that signature is the key's over text.
func (k *PublicKey) verifies(text, signature []byte) bool {
	sum := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(k.Key, crypto.SHA256, sum[:], signature) == nil
}

// savedKeys are public keys read from files; a file does not say of which
// region its keys are, and fingerprints tell them apart.
type savedKeys []PublicKey

func (s savedKeys) PublicKeys(context.Context, string, time.Time, time.Time) ([]PublicKey, error) {
	return s, nil
}

// ReadPublicKeys reads files that hold the output of
// `aws cloudtrail list-public-keys`, one answer or several after each other.
func ReadPublicKeys(paths ...string) (KeySource, error) {
	var keys savedKeys
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read public keys: %w", err)
		}
		found, err := parsePublicKeys(text)
		if err != nil {
			return nil, fmt.Errorf("public keys %s: %w: save the output of `aws cloudtrail list-public-keys --region … --start-time … --end-time …`", path, err)
		}
		keys = append(keys, found...)
	}
	return keys, nil
}

func parsePublicKeys(text []byte) (savedKeys, error) {
	// The user guide spells publicKeyList, the commands PublicKeyList.
	type answer struct {
		PublicKeyList []struct {
			Value             string
			Fingerprint       string
			ValidityStartTime jsontext.Value
			ValidityEndTime   jsontext.Value
		}
	}
	var keys savedKeys
	d := jsontext.NewDecoder(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff")))
	for {
		var a answer
		err := json.UnmarshalDecode(d, &a, json.MatchCaseInsensitiveNames(true))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not the JSON of a key list: %w", err)
		}
		for i, k := range a.PublicKeyList {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(k.Value), ""))
			if err != nil {
				return nil, fmt.Errorf("PublicKeyList[%d].Value is no base64: %w", i, err)
			}
			if k.Fingerprint == "" {
				return nil, fmt.Errorf("PublicKeyList[%d] has no Fingerprint", i)
			}
			key, err := parseKeyDER(der)
			if err != nil {
				return nil, fmt.Errorf("PublicKeyList[%d].Value: %w", i, err)
			}
			p := PublicKey{Fingerprint: k.Fingerprint, Key: key}
			for _, v := range []struct {
				name string
				text jsontext.Value
				into *time.Time
			}{{"ValidityStartTime", k.ValidityStartTime, &p.From}, {"ValidityEndTime", k.ValidityEndTime, &p.To}} {
				if len(v.text) == 0 || v.text.Kind() == 'n' {
					continue
				}
				// Version 1 of the AWS CLI writes seconds, version 2 ISO 8601.
				t, _, ok := parseTime(strings.Trim(string(v.text), `"`))
				if !ok {
					return nil, fmt.Errorf("PublicKeyList[%d].%s is no time: %s", i, v.name, clip(string(v.text), 60))
				}
				*v.into = t
			}
			keys = append(keys, p)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}

// parseKeyDER reads a key as CloudTrail gives it (PKCS #1), or in the form with
// the algorithm before it (SubjectPublicKeyInfo), which the user guide shows too.
func parseKeyDER(der []byte) (*rsa.PublicKey, error) {
	key, err := x509.ParsePKCS1PublicKey(der)
	if err == nil {
		return key, nil
	}
	if any, pkixErr := x509.ParsePKIXPublicKey(der); pkixErr == nil {
		if key, ok := any.(*rsa.PublicKey); ok {
			return key, nil
		}
	}
	return nil, fmt.Errorf("no RSA public key in DER: %w", err)
}

// firstDigests is when CloudTrail began to write digests.
var firstDigests = time.Date(2015, 10, 1, 0, 0, 0, 0, time.UTC)

// listedKeys asks CloudTrail for its public keys.
type listedKeys struct{ config aws.Config }

// ListPublicKeys is the live source of public keys: CloudTrail's ListPublicKeys,
// in the region asked for.
func ListPublicKeys(c aws.Config) KeySource { return listedKeys{c} }

func (l listedKeys) PublicKeys(ctx context.Context, region string, from, to time.Time) ([]PublicKey, error) {
	client := cloudtrail.NewFromConfig(l.config, func(o *cloudtrail.Options) { o.Region = cmp.Or(region, o.Region) })
	// The times stand in files that may have been changed: a wild one must not
	// keep the keys of the others away.
	if now := time.Now(); to.After(now) {
		to = now
	}
	if from.Before(firstDigests) {
		from = firstDigests
	}
	if !from.Before(to) {
		from = to.Add(-keySlack)
	}
	pages := cloudtrail.NewListPublicKeysPaginator(client, &cloudtrail.ListPublicKeysInput{StartTime: &from, EndTime: &to})
	var keys []PublicKey
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("cloudtrail:ListPublicKeys in %s: %w: name saved keys with --public-keys FILE to verify without AWS", region, err)
		}
		for _, k := range page.PublicKeyList {
			key, err := parseKeyDER(k.Value)
			if err != nil {
				return nil, fmt.Errorf("cloudtrail:ListPublicKeys in %s: key %s: %w", region, aws.ToString(k.Fingerprint), err)
			}
			keys = append(keys, PublicKey{aws.ToString(k.Fingerprint), key, aws.ToTime(k.ValidityStartTime), aws.ToTime(k.ValidityEndTime)})
		}
	}
	return keys, nil
}
