//go:build unix

package remediate

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile locks f until it is unlocked or the process ends, however it ends.
func lockFile(f *os.File) (unlock func() error, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrJournalBusy
	}
	return func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, err
}

// syncDir puts the names of a directory on disk.
func syncDir(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
