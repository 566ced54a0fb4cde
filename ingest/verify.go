package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Verdict is what verification says of a file.
type Verdict string

const (
	// Valid: the content is what CloudTrail's digests say. FileVerdict.Signed tells
	// whether a signature vouches for it, directly or through the signed digests
	// that follow, or the hashes alone, as of the newest digest of a copy on disk.
	Valid Verdict = "valid"
	// Altered: the content is not what CloudTrail delivered at that place.
	Altered Verdict = "altered"
	// Missing: a digest names the file, and it is not there.
	Missing Verdict = "missing"
	// Unlisted: a log from a time that the digests cover, and none lists it.
	Unlisted Verdict = "unlisted"
	// NotCovered: no digest on hand speaks for the file, or only one that is
	// itself altered, or whose signature cannot be checked for want of the key.
	NotCovered Verdict = "not_covered"
)

// Verdicts are all verdicts, the worst first.
var Verdicts = []Verdict{Altered, Missing, Unlisted, NotCovered, Valid}

// UnsignedReason begins the reason of a valid file that is not signed.
const UnsignedReason = "unsigned: "

// FileVerdict is what is said of one file. Its JSON is an element of files in
// `trailscan verify --format json`.
type FileVerdict struct {
	Kind       string    `json:"kind"` // digest or log
	Verdict    Verdict   `json:"verdict"`
	Signed     bool      `json:"signed"` // of a valid one: a signature vouches for it, not hashes alone
	URI        string    `json:"uri"`    // "" when missing
	Bucket     string    `json:"bucket"` // where CloudTrail delivered it; "" when no digest says
	Key        string    `json:"key"`    // its S3 key; "" when neither a digest nor its path says
	AccountID  string    `json:"account_id"`
	Region     string    `json:"region"`
	Trail      string    `json:"trail"`         // of a digest
	From       time.Time `json:"from,omitzero"` // of a digest: the span that it covers
	To         time.Time `json:"to,omitzero"`   // the same; of a log: its delivery, by its name
	Inferred   bool      `json:"inferred"`      // that it existed follows from the hourly rhythm; its name is a guess
	Backfill   bool      `json:"backfill"`
	Logs       int       `json:"logs"`           // that a digest lists
	ListedBy   string    `json:"listed_by"`      // key of the digest that lists a log, or names a digest as the one before it
	SHA256     string    `json:"content_sha256"` // of the uncompressed content
	FileSHA256 string    `json:"file_sha256"`    // of the file as it lies there
	Reason     string    `json:"reason"`
}

// GapCause says why a span has no digests.
type GapCause string

const (
	// GapMissing: digests were there and are gone.
	GapMissing GapCause = "missing_digests"
	// GapRestart: a chain begins anew, as it does when logging or validation was
	// off. Digests deleted from the end of the chain before look the same.
	GapRestart GapCause = "chain_restart"
	// GapUndigested: two digests follow each other by their signatures, yet
	// leave a span between them.
	GapUndigested GapCause = "undigested"
)

// Gap is a span of a trail without digests.
type Gap struct {
	AccountID string    `json:"account_id"`
	Region    string    `json:"region"`
	Trail     string    `json:"trail"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Cause     GapCause  `json:"cause"`
	Digests   int       `json:"digests"` // gone, by the hourly rhythm
	Reason    string    `json:"reason"`
}

// Chain is what is known of the digests of one trail in one account and region.
type Chain struct {
	Organization string    `json:"organization_id"`
	AccountID    string    `json:"account_id"`
	Region       string    `json:"region"`
	Trail        string    `json:"trail"`
	HomeRegion   string    `json:"home_region"`
	Backfill     bool      `json:"backfill"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Digests      int       `json:"digests"`
	NoLogs       int       `json:"digests_without_logs"` // hours without activity
	Starts       int       `json:"starts"`               // digests that begin a chain
	Logs         int       `json:"logs"`                 // listed
}

// Verification is the outcome. Its JSON is `trailscan verify --format json`.
type Verification struct {
	Digests  map[Verdict]int `json:"digests"` // number by verdict
	Logs     map[Verdict]int `json:"logs"`
	Unsigned int             `json:"unsigned"` // valid files for which no signature vouches
	Chains   []Chain         `json:"chains"`   // by organisation, account, region, trail
	Gaps     []Gap           `json:"gaps"`     // by time
	Files    []FileVerdict   `json:"files"`    // by key, then uri

	Foreign  int       `json:"foreign"` // files that are neither digests nor logs
	Problems []Problem `json:"-"`       // files that could not be read
	NoKeys   []string  `json:"-"`       // what public keys lack: fingerprints with their region
}

// VerifyOptions are how to verify.
type VerifyOptions struct {
	Since, Until time.Time // only digests that reach into this span, and logs delivered in it; zero is unbounded
	Threads      int       // files read at a time; zero is one a core
	Progress     func(Progress)
}

// inSpan says that from–to reaches into the span asked for.
func (o *VerifyOptions) inSpan(from, to time.Time) bool {
	return (o.Since.IsZero() || to.After(o.Since) || from.Equal(to) && to.Equal(o.Since)) && (o.Until.IsZero() || from.Before(o.Until))
}

// Bad is how many files are altered or missing.
func (v *Verification) Bad() int {
	n := 0
	for _, counts := range []map[Verdict]int{v.Digests, v.Logs} {
		n += counts[Altered] + counts[Missing]
	}
	return n
}

// verifier is one run of Verify.
type verifier struct {
	o       VerifyOptions
	keys    map[string][]*PublicKey // by fingerprint
	digests []*digestFile
	after   map[string][]*digestFile // by bucket/key of the digest that they follow
	logs    []*scanned
	noKeys  map[string]bool
	unread  map[string]bool // base names of files that are there and were not read
	out     Verification
}

// Verify holds CloudTrail's digests and logs in the store against each other,
// as the user guide's procedure for custom implementations says: the chain of
// digests, their signatures, and the hashes of what they list. keys may be nil
// when the store has no digest.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func Verify(ctx context.Context, store ObjectStore, keys KeySource, o VerifyOptions) (*Verification, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	v := &verifier{o: o, keys: map[string][]*PublicKey{}, after: map[string][]*digestFile{}, noKeys: map[string]bool{}, unread: map[string]bool{}}
	v.out.Digests, v.out.Logs = map[Verdict]int{}, map[Verdict]int{}
	if err := v.scan(ctx, store); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if err := v.loadKeys(ctx, keys); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	v.judgeDigests()
	listed := v.listed()
	v.judgeLogs(listed)
	v.chains()
	v.conclude()
	return &v.out, ctx.Err()
}

// logSlack is how far outside the span asked for logs are read: a digest that
// reaches into it lists logs from up to an hour before or after.
const logSlack = 2 * time.Hour

func (v *verifier) scan(ctx context.Context, store ObjectStore) error {
	var p struct{ files, total, bytes, totalBytes atomic.Int64 }
	now := func() Progress {
		return Progress{FilesDone: p.files.Load(), FilesTotal: p.total.Load(), BytesDone: p.bytes.Load(), BytesTotal: p.totalBytes.Load()}
	}
	stop := every(v.o.Progress, now)
	defer stop()
	skip := func(o Object) bool {
		k := parseKey(o.Key)
		outside := k.named && k.kind != kindDigest && !v.o.inSpan(k.time.Add(-logSlack), k.time.Add(logSlack))
		if outside {
			v.unread[k.base] = true
		}
		return outside
	}
	problems, err := scanAll(ctx, store, v.o.Threads, skip, func(files, total, bytes, totalBytes int64) {
		p.files.Add(files)
		p.total.Add(total)
		p.bytes.Add(bytes)
		p.totalBytes.Add(totalBytes)
	}, func(f *scanned) {
		switch {
		case f.kind == "digest":
			v.digests = append(v.digests, newDigestFile(f))
		case f.kind == "log":
			v.logs = append(v.logs, f)
		default:
			v.out.Foreign++
		}
	})
	// What is found must not depend on which thread was first.
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.URI, b.URI) })
	slices.SortFunc(v.logs, func(a, b *scanned) int { return strings.Compare(a.URI, b.URI) })
	v.out.Problems = problems
	for _, p := range problems {
		v.unread[parseBase(filepath.ToSlash(p.URI))] = true
	}
	return err
}

// loadKeys asks for the public keys of every region that has digests.
func (v *verifier) loadKeys(ctx context.Context, source KeySource) error {
	type span struct{ from, to time.Time }
	spans := map[string]span{}
	for _, d := range v.digests {
		if d.digest == nil {
			continue
		}
		at := d.signedAt()
		s, known := spans[d.region]
		if !known || at.Before(s.from) {
			s.from = at
		}
		if d.named.backfill && d.metadata == nil {
			// It was signed at any time since.
			at = time.Now()
		}
		if at.After(s.to) {
			s.to = at
		}
		spans[d.region] = s
	}
	if len(spans) == 0 {
		return nil
	}
	if source == nil {
		return errors.New("public keys are needed to check the digests: name a file with --public-keys")
	}
	var regions []string
	for r := range spans {
		regions = append(regions, r)
	}
	slices.Sort(regions)
	for _, region := range regions {
		keys, err := source.PublicKeys(ctx, region, spans[region].from.Add(-keySlack), spans[region].to.Add(keySlack))
		if err != nil {
			return err
		}
		for i := range keys {
			k := &keys[i]
			same := func(other *PublicKey) bool {
				return other.Key.Equal(k.Key) && other.From.Equal(k.From) && other.To.Equal(k.To)
			}
			if !slices.ContainsFunc(v.keys[k.Fingerprint], same) {
				v.keys[k.Fingerprint] = append(v.keys[k.Fingerprint], k)
			}
		}
	}
	return nil
}

// add counts a verdict and keeps it.
func (v *verifier) add(f FileVerdict) {
	counts := v.out.Logs
	if f.Kind == "digest" {
		counts = v.out.Digests
	}
	counts[f.Verdict]++
	if f.Verdict == Valid && !f.Signed {
		v.out.Unsigned++
	}
	v.out.Files = append(v.out.Files, f)
}

// conclude puts everything in its order.
func (v *verifier) conclude() {
	out := &v.out
	slices.SortFunc(out.Files, func(a, b FileVerdict) int {
		return cmp.Or(strings.Compare(cmp.Or(a.Key, a.URI), cmp.Or(b.Key, b.URI)), strings.Compare(a.URI, b.URI), strings.Compare(a.Bucket, b.Bucket))
	})
	slices.SortFunc(out.Gaps, func(a, b Gap) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.Region, b.Region), strings.Compare(a.Trail, b.Trail), a.To.Compare(b.To))
	})
	for k := range v.noKeys {
		out.NoKeys = append(out.NoKeys, k)
	}
	slices.Sort(out.NoKeys)
}
