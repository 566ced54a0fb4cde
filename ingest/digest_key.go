package ingest

import (
	"regexp"
	"strings"
	"time"
)

// objectKey is what the S3 key of a file that CloudTrail delivered says of it:
//
//	[prefix/]AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/yyyy/mm/dd/ACCOUNT_CloudTrail_REGION_yyyymmddThhmmZ_ID.json.gz
//	[prefix/]AWSLogs/[o-…/]ACCOUNT/CloudTrail-Digest/REGION/yyyy/mm/dd/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_yyyymmddThhmmssZ[_backfill].json.gz
//
// A local path that ends in such a key, or in the end of one, says as much: a
// copy keeps the names below the folder it was made from.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
type objectKey struct {
	suffix string // from AWSLogs/ on; "" when the path does not reach up to there
	base   string // the last element without .gz: unique for logs, and for the digests of a trail
	kind   string // CloudTrail, CloudTrail-Digest, CloudTrail-Insight, …; "" when unknown

	org, account, region string
	trail, home          string    // of a digest: the trail and its home region
	time                 time.Time // a log's delivery, rounded to minutes; a digest's end
	named                bool      // the last element has the form that CloudTrail gives
	backfill             bool
}

const kindDigest = "CloudTrail-Digest"

var (
	keyFolders = regexp.MustCompile(`(?:^|/)(AWSLogs/(?:(o-[a-z0-9]{10,32})/)?(\d{12})/(CloudTrail(?:-[A-Za-z]+)*)/([a-z0-9-]+)/)`)
	logName    = regexp.MustCompile(`^(\d{12})_(CloudTrail(?:-[A-Za-z]+)*)_([a-z0-9-]+)_(\d{8}T\d{4}Z)_[A-Za-z0-9]+\.json(?:\.gz)?$`)
	digestName = regexp.MustCompile(`^(\d{12})_CloudTrail-Digest_([a-z0-9-]+)_(.+)_([a-z0-9-]+)_(\d{8}T\d{6}Z)(_backfill)?\.json(?:\.gz)?$`)
)

const (
	logNameTime    = "20060102T1504Z"
	digestNameTime = "20060102T150405Z"
)

// parseKey reads an S3 key or a path with slashes. It reads what is there: the
// folders, the name, or neither.
func parseKey(key string) objectKey {
	var k objectKey
	// The last AWSLogs counts: a prefix or the folder of the copy may have that name too.
	for at := len(key); at > 0; {
		at = strings.LastIndex(key[:at], "AWSLogs/")
		if at < 0 {
			break
		}
		if at > 0 && key[at-1] != '/' {
			continue
		}
		if m := keyFolders.FindStringSubmatchIndex(key[at:]); m != nil && m[2] == 0 {
			part := func(i int) string {
				if m[2*i] < 0 {
					return ""
				}
				return key[at+m[2*i] : at+m[2*i+1]]
			}
			k.suffix, k.org, k.account, k.kind, k.region = key[at:], part(2), part(3), part(4), part(5)
			break
		}
	}
	name := key[strings.LastIndexByte(key, '/')+1:]
	k.base = strings.TrimSuffix(name, ".gz")
	if m := digestName.FindStringSubmatch(name); m != nil {
		if t, err := time.Parse(digestNameTime, m[5]); err == nil {
			k.named, k.kind, k.time, k.backfill = true, kindDigest, t, m[6] != ""
			k.account, k.region, k.trail, k.home = m[1], m[2], m[3], m[4]
		}
	} else if m := logName.FindStringSubmatch(name); m != nil && m[2] != kindDigest {
		if t, err := time.Parse(logNameTime, m[4]); err == nil {
			k.named, k.account, k.kind, k.region, k.time = true, m[1], m[2], m[3], t
		}
	}
	return k
}

// at is the key of the digest that the same trail delivers at another time.
func (k objectKey) at(key string, t time.Time) string {
	old, now := k.time, t.UTC()
	dir, name := key[:len(key)-len(key[strings.LastIndexByte(key, '/')+1:])], key[strings.LastIndexByte(key, '/')+1:]
	if day := old.Format("2006/01/02/"); strings.HasSuffix(dir, "/"+day) {
		dir = strings.TrimSuffix(dir, day) + now.Format("2006/01/02/")
	}
	stamp := "_" + old.Format(digestNameTime)
	i := strings.LastIndex(name, stamp)
	return dir + name[:i] + "_" + now.Format(digestNameTime) + name[i+len(stamp):]
}

// holds says that the place named by path fits the object key k: both agree as
// far up as they both reach.
func (k objectKey) holds(path objectKey) bool {
	if path.suffix != "" && k.suffix != "" {
		return strings.TrimSuffix(path.suffix, ".gz") == strings.TrimSuffix(k.suffix, ".gz")
	}
	return path.base == k.base
}
