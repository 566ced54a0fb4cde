package lineage

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// addressDatabase is a database in MaxMind's format of what is known of
// addresses, in records R.
type addressDatabase[R any] struct {
	db   *maxminddb.Reader
	path string
	kind databaseKind
}

// databaseKind is how errors call a database.
type databaseKind struct {
	name    string // "ASN database"
	one     string // the name with its article
	holds   string // what makes it one
	example string
}

// networksTried is how many networks of a database may lack what it is for
// before it counts as one that has none.
const networksTried = 1000

// openDatabase opens a database and sees that it holds what its kind says.
func openDatabase[R any](path string, kind databaseKind, holds func(R) bool) (*addressDatabase[R], error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w: give a MaxMind DB file such as %s", kind.name, path, err, kind.example)
	}
	tried := 0
	for result := range db.Networks() {
		var r R
		if err = result.Decode(&r); err != nil {
			break
		}
		if holds(r) {
			return &addressDatabase[R]{db, path, kind}, nil
		}
		if tried++; tried == networksTried {
			break
		}
	}
	declared := db.Metadata.DatabaseType
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind.name, path, err)
	}
	return nil, fmt.Errorf("read %s %s: its type is %q, and it holds no %s: give %s such as %s",
		kind.name, path, declared, kind.holds, kind.one, kind.example)
}

func (d *addressDatabase[R]) close() error { return d.db.Close() }

// record is that of an address; the zero one where the database has none.
func (d *addressDatabase[R]) record(addr netip.Addr) (r R, err error) {
	if addr.IsPrivate() || addr.Is6() && d.db.Metadata.IPVersion == 4 {
		return r, nil
	}
	result := d.db.Lookup(addr)
	if result.Err() == nil && !result.Found() {
		return r, nil
	}
	if err := result.Decode(&r); err != nil {
		var none R
		return none, fmt.Errorf("look %s up in %s %s: %w", addr, d.kind.name, d.path, err)
	}
	return r, nil
}
