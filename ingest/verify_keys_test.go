package ingest

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// CloudTrail is asked in the digests' region, for their time, page by page.
func TestListPublicKeys(t *testing.T) {
	s := newSigner(t)
	der := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&s.key.PublicKey))
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Header.Get("X-Amz-Target")+" "+string(body))
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/cloudtrail/") {
			t.Errorf("signed for %s", r.Header.Get("Authorization"))
		}
		next := `,"NextToken":"more"`
		if len(asked) > 1 {
			next = ""
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprintf(w, `{"PublicKeyList":[{"Value":"%s","Fingerprint":"%d","ValidityStartTime":1772323200,"ValidityEndTime":1.7749152E9}]%s}`, der, len(asked), next)
	}))
	defer server.Close()
	source := ListPublicKeys(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")})
	keys, err := source.PublicKeys(context.Background(), "eu-west-1", time.Unix(1772323200, 0), time.Unix(1772330400, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[1].Fingerprint != "2" || !keys[0].Key.Equal(&s.key.PublicKey) || !keys[0].To.Equal(time.Unix(1774915200, 0)) {
		t.Errorf("%+v", keys)
	}
	for _, want := range []string{"ListPublicKeys", `"StartTime":1772323200`, `"EndTime":1772330400`} {
		if !strings.Contains(asked[0], want) {
			t.Errorf("asked %s, want %s", asked[0], want)
		}
	}
	server.Close()
	down := ListPublicKeys(aws.Config{BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")})
	if _, err := down.PublicKeys(context.Background(), "eu-west-1", time.Unix(1, 0), time.Unix(2, 0)); err == nil || !strings.Contains(err.Error(), "--public-keys") {
		t.Errorf("error %v", err)
	}
}
