// Package mototest starts moto, an implementation of AWS's APIs that is not
// ours, for tests, stands before it where a test wants calls to go wrong, and
// records what an intruder does to it as CloudTrail would.
package mototest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Account is the account that moto plays.
const Account = "123456789012"

// errAbsent says that there is no moto here.
type errAbsent struct{ why string }

func (e errAbsent) Error() string { return e.why + " (pip install 'moto[server]')" }

// Start gives the URL of a server (PyPI moto[server]) that has been reset. All
// tests of a package share it, so they must not run in parallel. Without one in
// PATH the test is skipped, but in CI it fails.
func Start(t testing.TB) string {
	t.Helper()
	p, err := server()
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	Reset(t, p.url)
	return p.url
}

// Reset empties moto. What it makes from then on has the same ids each time.
func Reset(t interface {
	Helper()
	Fatal(args ...any)
}, url string) {
	t.Helper()
	for _, path := range []string{"/moto-api/reset", "/moto-api/seed?a=7"} {
		r, err := http.Post(url+path, "", nil)
		if err != nil {
			t.Fatal("reset moto:", err)
		}
		if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusOK {
			t.Fatal("reset moto:", r.Status, err)
		}
	}
}

// process is a moto that runs until its standard input is closed, which a
// collected pipe is.
type process struct {
	url   string
	stdin io.Closer
}

// server starts moto, once. The shell ends it when the test's process is gone,
// however that ends.
var server = sync.OnceValues(func() (*process, error) {
	binary, err := exec.LookPath("moto_server")
	if err != nil {
		return nil, errAbsent{"moto_server is not in PATH"}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, err
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	var output bytes.Buffer
	c := exec.Command("sh", "-c", `"$0" -H 127.0.0.1 -p "$1" & read -r gone; kill $!`, binary, port)
	c.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true") // AWSDenyAll and the like
	c.Stdout, c.Stderr = &output, &output
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, errAbsent{err.Error()}
	}
	url := "http://127.0.0.1:" + port
	for range 600 {
		if r, err := http.Get(url + "/moto-api/"); err == nil {
			return &process{url, stdin}, r.Body.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := stdin.Close(); err != nil {
		return nil, err
	}
	_ = c.Wait() // it was killed
	return nil, errAbsent{fmt.Sprintf("moto_server does not answer: %s", output.String())}
})

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
