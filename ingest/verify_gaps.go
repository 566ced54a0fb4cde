package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// trailID tells the digests apart that follow each other: those of one trail,
// for one account and region. A trail may change its bucket, so that is no part
// of it; backfills have a chain of their own.
type trailID struct {
	org, account, region, trail, home string
	backfill                          bool
}

func (d *digestFile) trail() trailID {
	k := d.named
	return trailID{k.org, cmp.Or(k.account, d.digest.AccountID), d.region, k.trail, k.home, k.backfill}
}

// digestEvery is how often CloudTrail delivers digests.
const digestEvery = time.Hour

// maxInferred bounds how many digests of one gap are named by a guess.
const maxInferred = 1000

// chains sums up the digests by trail, gives each its line in the outcome, and
// finds what is missing between them and before them.
func (v *verifier) chains() {
	trails := map[trailID][]*digestFile{}
	for _, d := range v.digests {
		switch {
		case d.digest != nil:
			trails[d.trail()] = append(trails[d.trail()], d)
			if !v.o.inSpan(d.digest.start, d.digest.end) {
				continue
			}
		case d.key.named && !v.o.inSpan(d.key.time.Add(-digestEvery), d.key.time):
			continue
		}
		v.add(d.fileVerdict())
	}
	ids := make([]trailID, 0, len(trails))
	for id := range trails {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b trailID) int {
		return cmp.Or(strings.Compare(a.org, b.org), strings.Compare(a.account, b.account), strings.Compare(a.region, b.region),
			strings.Compare(a.trail, b.trail), strings.Compare(a.home, b.home), cmp.Compare(btoi(a.backfill), btoi(b.backfill)))
	})
	here := map[string]bool{} // the places of digests
	for _, d := range v.digests {
		if d.digest != nil {
			here[d.digest.Bucket+"/"+d.digest.Object] = true
		}
		if d.digest == nil || d.misplaced() {
			// What is no digest, or another, in the place of one: that is altered, not missing.
			v.unread[d.key.base] = true
		}
	}
	for _, id := range ids {
		digests := trails[id]
		slices.SortFunc(digests, func(a, b *digestFile) int {
			return cmp.Or(a.digest.end.Compare(b.digest.end), strings.Compare(a.digest.Object, b.digest.Object), strings.Compare(a.URI, b.URI))
		})
		v.sum(id, digests)
		v.walk(id, digests, func(bucket, object string) bool {
			return here[bucket+"/"+object] || v.unread[parseBase(object)]
		})
	}
}

// sum adds a trail's line to the chains of the outcome.
func (v *verifier) sum(id trailID, digests []*digestFile) {
	c := Chain{Organization: id.org, AccountID: id.account, Region: id.region, Trail: id.trail, HomeRegion: id.home, Backfill: id.backfill}
	for _, d := range digests {
		g := d.digest
		if !v.o.inSpan(g.start, g.end) {
			continue
		}
		if c.Digests == 0 || g.start.Before(c.From) {
			c.From = g.start
		}
		if g.end.After(c.To) {
			c.To = g.end
		}
		c.Digests++
		c.Logs += len(g.LogFiles)
		c.NoLogs += btoi(len(g.LogFiles) == 0)
		if _, _, follows := g.follows(); !follows {
			c.Starts++
		}
	}
	if c.Digests > 0 {
		v.out.Chains = append(v.out.Chains, c)
	}
}

// walk goes through a trail's digests from the oldest on and finds where one is
// missing before another.
func (v *verifier) walk(id trailID, digests []*digestFile, here func(bucket, object string) bool) {
	reported := map[string]bool{}
	for i, d := range digests {
		var before *digestFile
		for j := i - 1; j >= 0 && before == nil; j-- {
			// Copies of one digest are no step of the chain.
			if digests[j].digest.Object != d.digest.Object {
				before = digests[j]
			}
		}
		bucket, object, follows := d.digest.follows()
		switch {
		case follows && reported[object]:
		case !follows:
			if before != nil && !id.backfill {
				v.gap(id, before.digest.end, d.digest.start, GapRestart, 0,
					"the chain begins anew: logging or validation was off, or the last digests of the chain before were deleted")
			}
		case here(bucket, object):
			// A backfill belongs to no hour; among the others a digest follows the one before it at once.
			if before != nil && before.digest.Object == object && !id.backfill {
				v.gap(id, before.digest.end, d.digest.start, GapUndigested, 0, "the digests on both sides follow each other, and neither covers this span")
			}
		default:
			reported[object] = true
			v.missingBefore(id, d, before)
		}
	}
}

// gap names a span without digests.
func (v *verifier) gap(id trailID, from, to time.Time, cause GapCause, digests int, reason string) {
	if !from.Before(to) || !v.o.inSpan(from, to) {
		return
	}
	v.out.Gaps = append(v.out.Gaps, Gap{id.account, id.region, id.trail, from, to, cause, digests, reason})
}

// missingBefore says what is gone before d, which names a digest that is not
// there. before is the newest digest that is older, or nil: then the copy may
// simply begin with d, unless it holds logs of the hour before, or the span
// asked for begins earlier.
func (v *verifier) missingBefore(id trailID, d, before *digestFile) {
	bucket, object, _ := d.digest.follows()
	k := parseKey(object)
	end := d.digest.start
	if k.named && k.time.Before(end) {
		end = k.time
	}
	from := end.Add(-digestEvery)
	switch {
	case before != nil:
		from = before.digest.end
	case !v.o.Since.IsZero() && v.o.Since.Before(end):
	case !id.backfill && v.logsBetween(id, from, end):
	default:
		return
	}
	if !v.o.inSpan(from, d.digest.start) {
		return
	}
	f := FileVerdict{Kind: "digest", Verdict: Missing, Bucket: bucket, Key: object, AccountID: id.account, Region: id.region, Trail: id.trail,
		To: k.time, Backfill: k.backfill, ListedBy: d.digest.Object, Reason: "the digest after it names it, and it is not there"}
	if d.trust == untrusted {
		f.Reason += "; that digest is itself altered"
	}
	v.add(f)
	if id.backfill {
		return
	}
	count := 1
	if hours := int((d.digest.start.Sub(from) + digestEvery/2) / digestEvery); hours > 1 {
		count = hours
	}
	for i := 1; i < min(count, maxInferred) && k.named; i++ {
		at := k.time.Add(-time.Duration(i) * digestEvery)
		f := FileVerdict{Kind: "digest", Verdict: Missing, Bucket: bucket, Key: k.at(object, at), AccountID: id.account, Region: id.region,
			Trail: id.trail, To: at, Inferred: true, Reason: "no digest covers this hour, and the chain goes on after it; its name is inferred from the hourly rhythm"}
		if v.o.inSpan(at.Add(-digestEvery), at) {
			v.add(f)
		}
	}
	reason := "the digest of this span is gone: the one after it names it"
	if count > 1 {
		reason = fmt.Sprintf("about %d digests of this span are gone: the one after it names the last of them", count)
	}
	v.gap(id, from, d.digest.start, GapMissing, count, reason)
}

// logsBetween says that the copy holds logs, delivered in the span, that no
// digest lists.
func (v *verifier) logsBetween(id trailID, from, to time.Time) bool {
	return slices.ContainsFunc(v.out.Files, func(f FileVerdict) bool {
		return f.Kind == "log" && f.ListedBy == "" && f.AccountID == id.account && f.Region == id.region &&
			!f.To.Before(from) && !f.To.Add(nameStep).After(to)
	})
}
