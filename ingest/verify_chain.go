package ingest

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// How digests vouch for each other. The signature of a digest is S3 metadata of
// its object, which copies on disk lack; the digest after it repeats it, with
// the SHA-256 of its content. So of a chain
//
//   - a digest is proven when any signature of it verifies, or when a proven
//     digest after it gives its hash,
//   - it is altered when its own metadata's signature fails, or when what a
//     digest after it says of it does not hold, unless that one is altered,
//   - the newest of a copy, whose signature nothing repeats, is valid by hashes
//     alone as long as nothing speaks against it, and is said to be unsigned,
//   - without the public key nothing is known of it.
//
// A digest that claims the place of another (two were swapped) is altered as a
// file; its content, being signed, still speaks for its logs.

// trust is what a digest's content is worth as evidence.
type trust int

const (
	untrusted trust = iota // altered
	unchecked              // its public key is not on hand, or it is at odds with the digest before it
	unsigned               // its signature is not on hand, and nothing contradicts it
	proven
)

// digestFile is a digest on hand.
type digestFile struct {
	*scanned
	named  objectKey // by its own digestS3Object
	region string

	own      checked   // the signature in its metadata
	repeated []checked // those that its successors give
	disowned bool      // a successor gives another hash, and CloudTrail's signature of that one

	trust trust
	// contentAltered says that its content was changed, so that what it says of
	// others counts only where a signature confirms it.
	contentAltered bool
	verdict        Verdict
	reasons        []string
	voucher        *digestFile // the digest that gives its signature
}

func newDigestFile(f *scanned) *digestFile {
	d := &digestFile{scanned: f, trust: unsigned, region: f.key.region}
	if f.digest != nil {
		d.named = parseKey(f.digest.Object)
		d.region = cmp.Or(d.named.region, d.region)
	}
	return d
}

// signedAt is about when the digest was signed: a backfill long after its end.
func (d *digestFile) signedAt() time.Time {
	if t, _, ok := parseTime(d.metadata[metaBackfill]); ok {
		return t
	}
	return d.digest.end
}

// Names of S3 metadata.
const (
	metaSignature = "signature"
	metaAlgorithm = "signature-algorithm"
	metaBackfill  = "backfill-generation-timestamp"
)

// checked is the outcome of checking a signature.
type checked int

const (
	noSignature checked = iota
	noKey               // no public key with that fingerprint, valid then
	fails
	holds
)

// check checks a signature, in hex, of the digest with a content of that hash.
func (v *verifier) check(d *digestFile, sum sha256Sum, signature string) checked {
	if signature == "" {
		return noSignature
	}
	bytes, err := hex.DecodeString(signature)
	if err != nil {
		return fails
	}
	if d.digest.Algorithm != "" && d.digest.Algorithm != signatureAlgorithm {
		return fails
	}
	result := noKey
	text := d.digest.signedText(sum)
	for _, k := range v.keysOf(d) {
		if k.verifies(text, bytes) {
			return holds
		}
		result = fails
	}
	return result
}

// keysOf are the public keys that the digest may have been signed with.
func (v *verifier) keysOf(d *digestFile) (keys []*PublicKey) {
	for _, k := range v.keys[d.digest.Fingerprint] {
		// When a backfill was signed only its metadata tells.
		if (d.named.backfill && d.metadata == nil) || k.validAt(d.signedAt()) {
			keys = append(keys, k)
		}
	}
	return keys
}

// judgeDigests gives every digest its verdict, the newest first.
func (v *verifier) judgeDigests() {
	slices.SortFunc(v.digests, func(a, b *digestFile) int {
		if a.digest != nil && b.digest != nil {
			return cmp.Or(b.digest.end.Compare(a.digest.end), strings.Compare(b.digest.Object, a.digest.Object), strings.Compare(a.URI, b.URI))
		}
		return cmp.Or(cmp.Compare(btoi(a.digest == nil), btoi(b.digest == nil)), strings.Compare(a.URI, b.URI))
	})
	for _, d := range v.digests {
		if d.digest == nil {
			continue
		}
		if bucket, object, ok := d.digest.follows(); ok {
			place := bucket + "/" + object
			v.after[place] = append(v.after[place], d)
		}
	}
	v.checkAll()
	for _, d := range v.digests {
		if d.digest != nil {
			v.judge(d)
		}
	}
	for _, d := range v.digests {
		v.decide(d)
	}
}

// successors are the digests that name d as the one before them.
func (v *verifier) successors(d *digestFile) []*digestFile {
	return v.after[d.digest.Bucket+"/"+d.digest.Object]
}

// checkAll checks all signatures, which is what costs in a chain, on all cores.
func (v *verifier) checkAll() {
	next := make(chan *digestFile)
	var workers sync.WaitGroup
	for range v.o.Threads {
		workers.Go(func() {
			for d := range next {
				d.own = v.check(d, d.sum, d.metadata[metaSignature])
				if a := d.metadata[metaAlgorithm]; a != "" && a != signatureAlgorithm {
					d.own = fails
				}
				for _, s := range v.successors(d) {
					signature := deref(s.digest.PreviousSignature)
					result := v.check(d, d.sum, signature)
					d.repeated = append(d.repeated, result)
					if other := s.digest.previous; result == fails && other != d.sum && other != (sha256Sum{}) {
						d.disowned = d.disowned || v.check(d, other, signature) == holds
					}
				}
			}
		})
	}
	for _, d := range v.digests {
		if d.digest != nil {
			next <- d
		}
	}
	close(next)
	workers.Wait()
}

// judge says what the content of a digest is worth, by its metadata and the
// digests after it.
func (v *verifier) judge(d *digestFile) {
	after := v.successors(d)
	signed := d.own == holds
	vouched, refuted, unfit := false, d.disowned, false
	var doubters, unsuited []*digestFile // those without proof that give another hash, or a signature which fails
	for i, s := range after {
		hashFits := s.digest.PreviousHash != nil && s.digest.previous == d.sum
		result := d.repeated[i]
		if result == holds {
			signed = true
			d.voucher = s
		}
		switch {
		case s.contentAltered:
			// Only the signature that it repeats could count.
		case !hashFits && s.trust == proven:
			refuted = true
		case !hashFits:
			doubters = append(doubters, s)
		case s.trust == proven:
			vouched = true
			d.voucher = cmp.Or(d.voucher, s)
		}
		if hashFits && result == fails && !s.contentAltered {
			unfit = true
			if s.trust != proven {
				unsuited = append(unsuited, s)
			}
		}
	}
	because := func(format string, args ...any) { d.reasons = append(d.reasons, fmt.Sprintf(format, args...)) }
	if d.own == fails {
		because("the signature in its S3 metadata is not that of its content")
	}
	if d.metadata[metaSignature] != "" && d.named.backfill && d.metadata[metaBackfill] == "" {
		because("it is a backfill, and its S3 metadata lacks %s", metaBackfill)
	}
	if d.metadata != nil && d.metadata[metaSignature] == "" && !signed && !vouched {
		because("its S3 object lacks the signature that CloudTrail delivers with it: something else wrote it there")
	}
	if refuted || !signed && len(doubters) > 0 {
		because("its SHA-256 is not the one that the digest after it gives")
	}
	if unfit && !signed && !vouched {
		because("the signature that the digest after it gives of it does not verify with the public key %s", d.digest.Fingerprint)
	}
	altered := len(d.reasons) > 0
	switch {
	case (signed || vouched) && !refuted:
		d.trust = proven
		for _, s := range append(doubters, unsuited...) {
			if signed {
				s.trust, s.contentAltered = untrusted, true
				s.reasons = []string{"what it says of the digest before it is disproved by the signature of that one"}
			} else {
				s.dispute()
			}
		}
	case altered:
		d.trust = untrusted
		d.contentAltered = d.own == fails || refuted || len(doubters) > 0
		if d.own != fails && !refuted {
			for _, s := range append(doubters, unsuited...) {
				s.dispute()
			}
		}
	case len(v.keysOf(d)) == 0:
		d.trust = unchecked
		v.noKeys[fmt.Sprintf("%s in %s", d.digest.Fingerprint, cmp.Or(d.region, "an unknown region"))] = true
		because("no public key with the fingerprint %s that was valid at %s is on hand", d.digest.Fingerprint, stampText(d.signedAt()))
	case len(after) > 0:
		because(UnsignedReason + "its signature is on hand only in the digest after it, which is altered")
	default:
		because(UnsignedReason + "its signature is not in this copy, for it is metadata of the S3 object, and no digest after it repeats it")
	}
	if altered {
		d.verdict = Altered
	}
}

// dispute takes its worth from a digest whose signature is not on hand and that
// is at odds with the one before it: which of the two was changed is not known.
func (d *digestFile) dispute() {
	if d.trust == unsigned {
		d.trust = unchecked
		d.reasons = []string{"it does not fit the digest before it, and its own signature is not on hand"}
	}
}

// decide turns what is known of a digest file into its verdict.
func (v *verifier) decide(d *digestFile) {
	alter := func(reason string) {
		d.verdict = Altered
		d.reasons = append([]string{reason}, d.reasons...)
	}
	switch {
	case d.digest == nil:
		d.trust = untrusted
		alter(cmp.Or(d.damaged, d.noDigest))
	case d.damaged != "":
		alter(d.damaged)
	}
	if d.misplaced() {
		alter("it stands in the place of another: by its content it is " + d.digest.Object)
	}
	switch {
	case d.verdict == Altered || d.trust == untrusted:
		d.verdict = Altered
	case d.trust == proven:
		d.verdict = Valid
		d.reasons = nil
	case d.trust == unsigned:
		d.verdict = Valid
	default:
		d.verdict = NotCovered
	}
}

// fileVerdict is the line of a digest in the outcome.
func (d *digestFile) fileVerdict() FileVerdict {
	f := FileVerdict{Kind: "digest", Verdict: d.verdict, Signed: d.verdict == Valid && d.trust == proven, URI: d.URI, Key: d.key.suffix, AccountID: d.key.account, Region: d.region,
		Trail: d.key.trail, To: d.key.time, Backfill: d.key.backfill, SHA256: d.sum.String(), FileSHA256: d.raw.String(), Reason: strings.Join(d.reasons, "; ")}
	if g := d.digest; g != nil {
		f.Bucket, f.Key, f.AccountID, f.From, f.To = g.Bucket, g.Object, cmp.Or(g.AccountID, d.named.account), g.start, g.end
		f.Trail, f.Backfill, f.Logs = d.named.trail, d.named.backfill, len(g.LogFiles)
		if d.misplaced() {
			f.Key = cmp.Or(d.key.suffix, d.key.base)
		}
	}
	if d.voucher != nil {
		f.ListedBy = d.voucher.digest.Object
	}
	return f
}

// misplaced says that the file lies where another digest belongs.
func (d *digestFile) misplaced() bool {
	return d.digest != nil && d.key.named && !d.named.holds(d.key)
}

func stampText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
