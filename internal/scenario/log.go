package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Log is what a scenario leaves in CloudTrail: the events of all regions in
// order of time.
type Log struct {
	Events []*Event

	w *world
}

// Play makes the log of a scenario.
func (s *Scenario) Play() (*Log, error) {
	w, err := newWorld(s)
	if err != nil {
		return nil, err
	}
	for _, act := range s.Acts {
		if err := w.play(act); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	for _, r := range s.Routines {
		if err := w.run(r); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	slices.SortFunc(w.events, func(a, b *Event) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, e := range w.events {
		if e.Time.Before(s.start) || !e.Time.Before(s.end) {
			return nil, fmt.Errorf("scenario %s: %s of %q at %s is outside its days", s.Name, e.call, e.Act, stamp(e.Time))
		}
	}
	return &Log{Events: w.events, w: w}, nil
}

// Records returns the events as newline-delimited CloudTrail records.
func (l *Log) Records() []byte {
	n := 0
	for _, e := range l.Events {
		n += len(e.JSON) + 1
	}
	out := make([]byte, 0, n)
	for _, e := range l.Events {
		out = append(append(out, e.JSON...), '\n')
	}
	return out
}

// EventID returns the id of the event of a named step, "" if there is none.
func (l *Log) EventID(step string) string {
	if e, ok := l.w.named[step]; ok {
		return e.ID
	}
	return ""
}

// KeyID returns the access key id of a named credential, "" if there is none.
func (l *Log) KeyID(credential string) string {
	if c, ok := l.w.creds[credential]; ok {
		return c.keyID
	}
	return ""
}

// last is the time of the last event.
func (l *Log) last() time.Time {
	if len(l.Events) == 0 {
		return time.Time{}
	}
	return l.Events[len(l.Events)-1].Time
}
