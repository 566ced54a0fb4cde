package ingest

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts what a source holds.
type tally struct {
	mu                  sync.Mutex
	records             int64 // readable records
	rejected            int64 // rows in rejects
	differing           int64 // of these, copies that differ from their event
	other               int64 // of these, parts that are sound, and no CloudTrail logs
	duplicates          int64
	conflicts           int64
	firstTime, lastTime time.Time
	firstReason         string // of a reject
	format, sha256      string
	bytes               int64
	failure             error // opening or reading it failed
	rejectedRaw         int   // bytes of text kept
	suspect             bool  // a reject may be CloudTrail's, or hides what is
}

func (t *tally) add(when time.Time) {
	t.records++
	if t.firstTime.IsZero() || when.Before(t.firstTime) {
		t.firstTime = when
	}
	if when.After(t.lastTime) {
		t.lastTime = when
	}
}

// merge adds the counts of o, which has no other reader.
func (t *tally) merge(o *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records += o.records
	if !o.firstTime.IsZero() && (t.firstTime.IsZero() || o.firstTime.Before(t.firstTime)) {
		t.firstTime = o.firstTime
	}
	if o.lastTime.After(t.lastTime) {
		t.lastTime = o.lastTime
	}
}

// status is the word for the source in sources.status.
func (t *tally) status() string {
	damage := t.failure != nil || t.rejected > t.differing+t.other
	switch {
	case t.records == 0 && t.rejected > 0 && !t.suspect && t.failure == nil:
		return statusForeign
	case t.records == 0 && t.format != formatDigest && damage:
		return statusUnreadable
	case damage:
		return statusDamaged
	}
	return statusLoaded
}

// rejected is a part of a source that could not be read.
type rejected struct {
	source *source
	index  int64
	reason string
	raw    string
	damage bool // the source could not be read on because of it
	other  bool // it is sound, and something else than a CloudTrail log
}

// suspect says that r may be, or may hide, a record of CloudTrail. What does
// not, in a source without a record, is text that lies among the logs: a note,
// an index of files.
func (r rejected) suspect() bool {
	if r.other {
		return false
	}
	if r.damage || r.raw == "" || strings.ContainsAny(r.raw, "\x00\uFFFD") || strings.HasPrefix(r.raw, "PAR1") {
		return true
	}
	for _, member := range []string{`"eventVersion"`, `"eventSource"`, `"eventName"`, `"eventTime"`, `"userIdentity"`} {
		if strings.Contains(r.raw, member) {
			return true
		}
	}
	return false
}

// rawPerSource is how much text of rejected parts is kept of one source: a
// large file that is something else entirely does not fill the case. Until the
// rejects are in order more is held, so that which ones are cut does not depend
// on the order in which threads find them.
const (
	rawPerSource = 16 << 20
	rawHeld      = 4 * rawPerSource
)

// rejects collects what could not be read in a group of sources.
type rejects struct {
	mu   sync.Mutex
	list []rejected
}

func (r *rejects) add(x rejected) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &x.source.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected++
	if x.other {
		t.other++
	}
	t.suspect = t.suspect || x.suspect()
	if t.rejectedRaw += len(x.raw); t.rejectedRaw > rawHeld {
		x.raw = ""
	}
	r.list = append(r.list, x)
}

// drop forgets the rejects of some sources.
func (r *rejects) drop(of func(*source) bool) {
	r.list = slices.DeleteFunc(r.list, func(x rejected) bool { return of(x.source) })
}

// inOrder sorts the rejects by their place, cuts the texts of sources that have
// too much of them and notes the first of each source.
func (r *rejects) inOrder() []rejected {
	slices.SortStableFunc(r.list, func(a, b rejected) int {
		return cmp.Or(cmp.Compare(a.source.id, b.source.id), cmp.Compare(a.index, b.index), strings.Compare(a.reason, b.reason))
	})
	kept := 0
	for i := range r.list {
		x := &r.list[i]
		if entry := x.source.entryAt(x.index); entry != "" {
			x.reason = entry + ": " + x.reason
		}
		if i == 0 || r.list[i-1].source != x.source {
			kept = 0
			x.source.tally.firstReason = x.reason
		}
		if kept += len(x.raw); kept > rawPerSource {
			x.raw = ""
			x.reason += " (its text is not kept: too much of this source is unreadable)"
		}
	}
	return r.list
}

// validText is b as text that a VARCHAR takes.
func validText(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
