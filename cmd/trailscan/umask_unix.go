//go:build unix

package main

import "syscall"

// restrictUmask keeps what this process writes (a case and its write-ahead log
// hold session tokens) from other users.
func restrictUmask() { syscall.Umask(0o077) }
