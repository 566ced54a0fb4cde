package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// checkNames refuses a value that a flag or argument cannot mean, and takes
// away the blanks that come with copied text.
func checkNames(what string, values []string) error {
	for i, v := range values {
		if values[i] = strings.TrimSpace(v); values[i] == "" {
			return usagef("%s is empty", what)
		}
		if strings.ContainsFunc(values[i], unicode.IsControl) {
			return usagef("%s %q: holds a line break or another character that no id, name or address has", what, values[i])
		}
	}
	return nil
}

// leastMemory is what DuckDB needs to open a case and work on it.
const leastMemory = 64e6

var memorySize = regexp.MustCompile(`^(?i)([0-9]+(?:\.[0-9]+)?) ?([KMGT])(i?)B$`)

// checkMemoryLimit refuses a --memory-limit that DuckDB would not take.
func checkMemoryLimit(text string) error {
	if text == "" {
		return nil
	}
	m := memorySize.FindStringSubmatch(text)
	if m == nil {
		return usagef("--memory-limit %s: must be a size with its unit, such as 800MB or 2GB", text)
	}
	size, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return usagef("--memory-limit %s: %w", text, err)
	}
	base := 1000.0
	if m[3] != "" {
		base = 1024
	}
	for range 1 + strings.Index("KMGT", strings.ToUpper(m[2])) {
		size *= base
	}
	if size < leastMemory {
		return usagef("--memory-limit %s: must be at least 64MB", text)
	}
	return nil
}
