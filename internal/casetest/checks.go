package casetest

import (
	"flag"
	"os"
	"testing"
)

// FewerChecks runs a package's tests with fewer checks of each property than
// rapid's hundred, unless -rapid.checks says how many: the everyday loop stays
// short, and chance is tried over and over anyway.
func FewerChecks(m *testing.M) {
	checks := "20"
	if os.Getenv("CI") != "" {
		checks = "50"
	}
	if f := flag.Lookup("rapid.checks"); f != nil {
		_ = f.Value.Set(checks) // a number
	}
	os.Exit(m.Run())
}
