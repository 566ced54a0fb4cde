//go:build !unix

package remediate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lockFile makes a file beside f that only one process can make. A crash leaves
// it behind.
func lockFile(f *os.File) (unlock func() error, err error) {
	path := f.Name() + ".lock"
	l, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w (if none runs, delete %s)", ErrJournalBusy, path)
	}
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(l.Close(), os.Remove(path)) }, nil
}

// syncDir does nothing: such systems have no handle of a directory to sync.
func syncDir(string) error { return nil }
