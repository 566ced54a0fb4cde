// Package mmdbtest makes databases in MaxMind's format for tests: no file of
// another's data lies in the repository.
package mmdbtest

import (
	"errors"
	"net"
	"os"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Record is what a database says of a network: values are text, whole numbers or
// further records.
type Record map[string]any

// Write writes a database of networks, by CIDR, to a file.
func Write(path, kind string, networks map[string]Record) (err error) {
	// Tests use the networks that are reserved for examples.
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		return err
	}
	for cidr, r := range networks {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			return err
		}
		if err := tree.Insert(n, r.value()); err != nil {
			return err
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = tree.WriteTo(f)
	return err
}

func (r Record) value() mmdbtype.Map {
	m := mmdbtype.Map{}
	for k, v := range r {
		switch v := v.(type) {
		case string:
			m[mmdbtype.String(k)] = mmdbtype.String(v)
		case int:
			m[mmdbtype.String(k)] = mmdbtype.Uint32(v)
		case Record:
			m[mmdbtype.String(k)] = v.value()
		}
	}
	return m
}
