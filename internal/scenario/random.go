package scenario

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// dice is a source of chance for one part of a log. Parts have their own, so
// that a change of one leaves the others as they are.
type dice struct{ *rand.Rand }

// newDice returns the dice of the part that the words name.
func newDice(seed uint64, words ...string) dice {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (d dice) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

// between returns a number in [lo, hi].
func (d dice) between(lo, hi int) int {
	if hi <= lo {
		return lo
	}
	return lo + d.IntN(hi-lo+1)
}

func (d dice) pick(names []string) string { return names[d.IntN(len(names))] }

func (d dice) uuid() string {
	return string(d.appendUUID(nil))
}

// appendUUID appends a random (version 4) UUID.
func (d dice) appendUUID(out []byte) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], d.Uint64())
	binary.BigEndian.PutUint64(b[8:], d.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	from := 0
	for _, to := range []int{4, 6, 8, 10, 16} {
		if from > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, b[from:to])
		from = to
	}
	return out
}

const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// id makes what AWS would hand out under a prefix: an access key id (AKIA,
// ASIA; the account number stands in its first bits, as in real ones), a
// unique id (AIDA, AROA, ANPA, …), or a hexadecimal resource id (i, snap, …).
func (d dice) id(prefix, account string) string {
	switch {
	case prefix == "uuid":
		return d.uuid()
	case prefix == "AKIA" || prefix == "ASIA":
		b := d.bytes(10)
		number, err := strconv.ParseUint(account, 10, 40)
		if err != nil {
			number = 0
		}
		head := 1<<47 | number<<7 | uint64(b[5]&0x7f)
		for i := range 6 {
			b[i] = byte(head >> (40 - 8*i))
		}
		return prefix + base32.StdEncoding.EncodeToString(b)
	case len(prefix) == 4 && prefix[0] == 'A' && prefix[1] >= 'A' && prefix[1] <= 'Z':
		b := make([]byte, 17)
		for i := range b {
			b[i] = base32Letters[d.IntN(len(base32Letters))]
		}
		return prefix + string(b)
	default:
		return prefix + "-0" + hex.EncodeToString(d.bytes(9))[:16]
	}
}

// token makes a session token. Real ones are four times as long; no tool may
// look into them.
func (d dice) token() string {
	return "IQoJb3JpZ2luX2Vj" + base64.StdEncoding.EncodeToString(d.bytes(72))
}
