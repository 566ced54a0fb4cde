//go:build !unix

package main

// restrictUmask does nothing: files are private to their user's profile here.
func restrictUmask() {}
