package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// logEntry is a log file as a digest lists it.
type logEntry struct {
	digestEntry
	by   *digestFile
	seen bool // a file for it is there
}

// logEntries are what all digests list, by the base name of the log, which is
// unique. What several digests list stands once, by the one that is worth most.
type logEntries struct {
	byName map[string][]*logEntry
	bySum  map[sha256Sum][]*logEntry // made when first needed, for logs that were renamed
}

func (v *verifier) listed() *logEntries {
	l := &logEntries{byName: map[string][]*logEntry{}}
	for _, d := range v.digests {
		if d.digest == nil {
			continue
		}
		for _, e := range d.digest.LogFiles {
			n := &logEntry{digestEntry: e, by: d}
			base := parseBase(e.Object)
			same := l.byName[base]
			i := slices.IndexFunc(same, func(o *logEntry) bool { return o.Bucket == e.Bucket && o.Object == e.Object })
			if i < 0 {
				l.byName[base] = append(same, n)
			} else if d.trust > same[i].by.trust {
				same[i] = n
			}
		}
	}
	return l
}

func parseBase(key string) string {
	return strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ".gz")
}

// find gives the logEntry that a log file is to be held against by its place:
// of several with its name (two buckets), the one with its content.
func (l *logEntries) find(f *scanned) *logEntry {
	var best *logEntry
	worth := func(n *logEntry) int { return btoi(parseKey(n.Object).holds(f.key)) + 2*btoi(n.sum == f.sum) }
	for _, n := range l.byName[f.key.base] {
		if best == nil || worth(n) > worth(best) {
			best = n
		}
	}
	return best
}

// content gives the logEntry of a content, one that no file was found for if
// there is one.
func (l *logEntries) content(sum sha256Sum) *logEntry {
	if sum == (sha256Sum{}) {
		return nil
	}
	if l.bySum == nil {
		l.bySum = map[sha256Sum][]*logEntry{}
		for _, same := range l.byName {
			for _, n := range same {
				l.bySum[n.sum] = append(l.bySum[n.sum], n)
			}
		}
	}
	var best *logEntry
	for _, n := range l.bySum[sum] {
		better := best == nil || cmp.Or(cmp.Compare(btoi(best.seen), btoi(n.seen)), cmp.Compare(n.by.trust, best.by.trust), strings.Compare(best.Object, n.Object)) > 0
		if better {
			best = n
		}
	}
	return best
}

// judgeLogs gives every log file its verdict, and names those that are missing.
func (v *verifier) judgeLogs(l *logEntries) {
	cover := v.coverage()
	var others []*scanned
	for _, f := range v.logs {
		if n := l.find(f); n != nil {
			v.listedLog(f, n, l, false)
			continue
		}
		others = append(others, f)
	}
	for _, f := range others {
		if n := l.content(f.sum); n != nil {
			v.listedLog(f, n, l, true)
			continue
		}
		v.unlisted(f, cover)
	}
	for base, same := range l.byName {
		if v.unread[base] {
			continue
		}
		for _, n := range same {
			if !n.seen && v.o.inSpan(n.by.digest.start, n.by.digest.end) {
				v.missingLog(n)
			}
		}
	}
}

// listedLog judges a log file that lies where the logEntry names one or, renamed,
// has its content.
func (v *verifier) listedLog(f *scanned, n *logEntry, l *logEntries, renamed bool) {
	for _, same := range l.byName[parseBase(n.Object)] {
		same.seen = same.seen || same == n || same.sum == n.sum
	}
	out := f.fileVerdict()
	out.Bucket, out.Key, out.ListedBy = n.Bucket, n.Object, n.by.digest.Object
	if k := parseKey(n.Object); k.named {
		out.AccountID, out.Region, out.To = k.account, k.region, k.time
	}
	if !v.o.inSpan(n.by.digest.start, n.by.digest.end) && !v.o.inSpan(out.To, out.To) {
		return
	}
	out.Verdict, out.Reason = n.judge(f, l)
	out.Signed = out.Verdict == Valid && n.by.trust == proven
	if renamed && out.Verdict != Altered {
		out.Reason = strings.TrimPrefix(out.Reason+"; found by its content under another name", "; ")
	}
	v.add(out)
}

// judge says what a file is that lies where the logEntry names one, or that has
// its content.
func (n *logEntry) judge(f *scanned, l *logEntries) (Verdict, string) {
	by := ""
	if n.by.trust == untrusted {
		by = " (which is itself altered)"
	}
	switch {
	case f.damaged != "":
		return Altered, f.damaged
	case f.sum != n.sum:
		if other := l.content(f.sum); other != nil {
			return Altered, "it holds the content of " + other.Object
		}
		return Altered, "its SHA-256 is not the one that its digest gives" + by
	case n.by.trust == proven:
		return Valid, ""
	case n.by.trust == unsigned:
		return Valid, UnsignedReason + "it is what its digest lists, and the signature of that digest is not on hand"
	case n.by.trust == unchecked:
		return NotCovered, "it is what its digest lists, and that digest cannot be checked"
	}
	return NotCovered, "it is what its digest lists, and that digest is altered"
}

func (v *verifier) missingLog(n *logEntry) {
	k := parseKey(n.Object)
	f := FileVerdict{Kind: "log", Verdict: Missing, Bucket: n.Bucket, Key: n.Object, AccountID: cmp.Or(k.account, n.by.digest.AccountID),
		Region: cmp.Or(k.region, n.by.region), To: k.time, ListedBy: n.by.digest.Object, SHA256: n.sum.String(), Reason: "its digest lists it, and it is not there"}
	if n.by.trust == untrusted {
		f.Reason += "; that digest is itself altered"
	}
	v.add(f)
}

// fileVerdict is what a log's own name and content say.
func (f *scanned) fileVerdict() FileVerdict {
	return FileVerdict{Kind: "log", URI: f.URI, Key: f.key.suffix, AccountID: cmp.Or(f.key.account, f.account), Region: cmp.Or(f.key.region, f.region),
		To: f.key.time, SHA256: f.sum.String(), FileSHA256: f.raw.String()}
}

// place is where a trail's logs come from. Organisations and kinds (management
// events, Insights) have folders of their own.
type place struct{ account, region string }

// period is a span that the digests of a place cover without a gap.
type period struct {
	org      string
	from, to time.Time
	kinds    map[string]bool // of the logs that the digests list; CloudTrail always
}

// coverage gives the spans of digests that are not altered and can be checked: one
// that somebody made up must not make CloudTrail's own logs unlisted.
func (v *verifier) coverage() map[place][]period {
	trails := map[trailID][]*digestFile{}
	for _, d := range v.digests {
		if d.digest != nil && d.trust >= unsigned && !d.named.backfill {
			trails[d.trail()] = append(trails[d.trail()], d)
		}
	}
	cover := map[place][]period{}
	for id, digests := range trails {
		kinds := map[string]bool{"CloudTrail": true}
		slices.SortFunc(digests, func(a, b *digestFile) int {
			return cmp.Or(a.digest.start.Compare(b.digest.start), a.digest.end.Compare(b.digest.end))
		})
		at := place{id.account, id.region}
		var periods []period
		for _, d := range digests {
			for _, e := range d.digest.LogFiles {
				if m := logName.FindStringSubmatch(e.Object[strings.LastIndexByte(e.Object, '/')+1:]); m != nil {
					kinds[m[2]] = true
				}
			}
			if n := len(periods); n > 0 && !d.digest.start.After(periods[n-1].to) {
				if d.digest.end.After(periods[n-1].to) {
					periods[n-1].to = d.digest.end
				}
				continue
			}
			periods = append(periods, period{id.org, d.digest.start, d.digest.end, kinds})
		}
		cover[at] = append(cover[at], periods...)
	}
	return cover
}

// nameStep is what the time in a log's name is rounded to, and eventDelay how
// long after an event its log is delivered at the latest, as a rule.
const (
	nameStep   = 5 * time.Minute
	eventDelay = 15 * time.Minute
)

// unlisted judges a log file that no digest lists.
func (v *verifier) unlisted(f *scanned, cover map[place][]period) {
	out := f.fileVerdict()
	from, to, how := f.key.time, f.key.time.Add(nameStep), "by its name"
	if from.IsZero() && !f.firstTime.IsZero() {
		from, to, how = f.firstTime, f.firstTime.Add(eventDelay), "by its first event"
	}
	if !from.IsZero() && !v.o.inSpan(from, to) {
		return
	}
	kind := cmp.Or(f.key.kind, "CloudTrail")
	out.Verdict = NotCovered
	var first, last time.Time
	inside := false
	for _, p := range cover[place{out.AccountID, out.Region}] {
		if f.key.suffix != "" && p.org != f.key.org || !p.kinds[kind] {
			continue
		}
		if first.IsZero() || p.from.Before(first) {
			first = p.from
		}
		if p.to.After(last) {
			last = p.to
		}
		inside = inside || !from.Before(p.from) && !to.After(p.to)
	}
	switch {
	case from.IsZero() || out.AccountID == "":
		out.Reason = "no digest lists it, and neither its name nor its content says when and where it was delivered"
	case inside:
		out.Verdict = Unlisted
		out.Reason = "the digests cover its time (" + how + "), and none lists it: another trail wrote it, or it was put there"
	case first.IsZero():
		out.Reason = fmt.Sprintf("there are no digests that can be checked for account %s in %s", out.AccountID, cmp.Or(out.Region, "its region"))
		if kind != "CloudTrail" {
			out.Reason = fmt.Sprintf("no digest for account %s in %s lists files of its kind (%s)", out.AccountID, cmp.Or(out.Region, "its region"), kind)
		}
	case from.Before(first):
		out.Reason = "it was delivered before the first digest on hand, which begins at " + stampText(first)
	case to.After(last):
		out.Reason = "it was delivered after the last digest on hand, which ends at " + stampText(last)
	default:
		out.Reason = "it was delivered in a gap between the digests"
	}
	if f.damaged != "" {
		out.Reason += "; " + f.damaged
	}
	v.add(out)
}
