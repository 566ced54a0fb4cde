package casetest

import (
	"flag"
	"os"
	"testing"
)

// FewerChecks runs a package's tests with fewer checks of each property than
// rapid's hundred, unless CI is set or -rapid.checks says how many: the everyday
// loop stays short, and chance is tried over and over anyway.
func FewerChecks(m *testing.M) {
	if os.Getenv("CI") == "" {
		if f := flag.Lookup("rapid.checks"); f != nil {
			_ = f.Value.Set("30") // a number
		}
	}
	os.Exit(m.Run())
}
