package ingest

import (
	"crypto/sha256"
	"encoding/binary"
)

// uuid is the number that a UUID is.
type uuid struct{ high, low uint64 }

// parseUUID reads the one spelling that DuckDB writes: lower case, with hyphens.
func parseUUID(text []byte) (u uuid, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return uuid{}, false
	}
	digits := 0
	for i, c := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		d := hexDigit[c]
		if d < 0 {
			return uuid{}, false
		}
		if digits < 16 {
			u.high = u.high<<4 | uint64(d)
		} else {
			u.low = u.low<<4 | uint64(d)
		}
		digits++
	}
	return u, true
}

// hexDigit is the value of a lower-case hexadecimal digit, or -1.
var hexDigit = func() (digits [256]int8) {
	for i := range digits {
		digits[i] = -1
	}
	for i, c := range []byte("0123456789abcdef") {
		digits[c] = int8(i)
	}
	return digits
}()

// textUUID stands for an id that is no UUID.
func textUUID(text []byte) uuid {
	sum := sha256.Sum256(text)
	return uuid{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}
}
