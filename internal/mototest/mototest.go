// Package mototest starts moto, an implementation of AWS's APIs that is not
// ours, for tests.
package mototest

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// Account is the account that moto plays.
const Account = "123456789012"

// Start starts a server (PyPI moto[server]) that ends with the test, and gives
// its URL. Without one in PATH the test is skipped.
func Start(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not in PATH: pip install 'moto[server]'")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	server := exec.Command(binary, "-H", "127.0.0.1", "-p", port)
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		if err := server.Process.Kill(); err == nil {
			<-ended
		}
	})
	url := "http://127.0.0.1:" + port
	for range 300 {
		select {
		case err := <-ended:
			ended <- err
			t.Skipf("moto_server does not run: %v\n%s", err, output.String())
		case <-time.After(100 * time.Millisecond):
		}
		if r, err := http.Get(url + "/moto-api/"); err == nil {
			if err := r.Body.Close(); err != nil {
				t.Fatal(err)
			}
			return url
		}
	}
	t.Fatal("moto_server does not answer")
	return ""
}

// Isolate has the SDK find made-up credentials, and nothing of this machine's.
func Isolate(t testing.TB) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOPERATOR00000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "made-up")
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}
