package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"trailscan/internal/mmdbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trailscan": main})
}

// TestScripts runs the command line as users do: one script a promise.
// $INCIDENT is testdata/leaked-key and $KEY the key that leaked there.
func TestScripts(t *testing.T) {
	incident, err := filepath.Abs("../../testdata/leaked-key")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(incident, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Keys []string `json:"keys"`
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("INCIDENT", incident)
			e.Setenv("KEY", truth.Keys[0])
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"gzip":      gzipFile,
			"countries": countriesFile, "mmdb": mmdbFile,
		},
	})
}

// exits STATUS COMMAND… runs a command and checks its exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status is %d, want %s", status, args[0])
	}
}

// gzip FILE OUT [BYTES] compresses a file and, with BYTES, cuts so many off the
// end.
func gzipFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: gzip FILE OUT [BYTES]")
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, w.Close()))
	text := out.Bytes()
	if len(args) == 3 {
		cut, err := strconv.Atoi(args[2])
		ts.Check(err)
		text = text[:len(text)-cut]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

// mmdb FILE CIDR ASN ORGANISATION makes an ASN database of one network.
func mmdbFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: mmdb FILE CIDR ASN ORGANISATION")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(mmdbtest.Write(ts.MkAbs(args[0]), "GeoLite2-ASN", map[string]mmdbtest.Record{
		args[1]: {"autonomous_system_number": n, "autonomous_system_organization": args[3]},
	}))
}

// countries FILE CIDR=CODE… makes a database of the countries of networks.
func countriesFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: countries FILE CIDR=CODE…")
	}
	networks := map[string]mmdbtest.Record{}
	for _, arg := range args[1:] {
		network, code, _ := strings.Cut(arg, "=")
		networks[network] = mmdbtest.Record{"country": mmdbtest.Record{"iso_code": code}}
	}
	ts.Check(mmdbtest.Write(ts.MkAbs(args[0]), "GeoLite2-Country", networks))
}
