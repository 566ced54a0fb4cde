package ingest

import "bytes"

// entrySink holds back what is rejected of an entry until it is known that the
// entry is a log at all: a note or an image among the logs spoils nothing.
type entrySink struct {
	u      *unpacker
	to     sink
	held   []rejection
	size   int  // of the texts held
	passes bool // the entry is a log, or may be one
}

// heldSize and heldRejections are how much is held back. An entry with more in
// it is taken for a log.
const (
	heldSize       = 4 << 20
	heldRejections = 10_000
)

func (e *entrySink) isForeign() bool { return !e.passes && len(e.held) > 0 }

func (e *entrySink) record(value []byte) error {
	e.release()
	return e.to.record(value)
}

func (e *entrySink) pass(reason string, raw []byte) {
	if e.passes {
		e.to.pass(reason, raw)
		return
	}
	e.hold(reason, raw)
}

func (e *entrySink) reject(reason string, raw []byte) {
	if !e.passes && (rejected{raw: validText(raw), damage: e.u.damaged()}).suspect() {
		e.release()
	}
	if e.passes {
		e.to.reject(reason, raw)
		return
	}
	e.hold(reason, raw)
}

func (e *entrySink) hold(reason string, raw []byte) {
	if e.size += len(raw); e.size > heldSize || len(e.held) == heldRejections {
		e.release()
		e.to.reject(reason, raw)
		return
	}
	e.held = append(e.held, rejection{reason, bytes.Clone(raw)})
}

// release hands on what was held back.
func (e *entrySink) release() {
	if e.passes {
		return
	}
	e.passes = true
	for _, r := range e.held {
		e.to.reject(r.reason, r.raw)
	}
	e.held = nil
}
