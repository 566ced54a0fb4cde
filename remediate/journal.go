package remediate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Events of a journal.
const (
	eventBefore         = "before"
	eventAfter          = "after"
	eventRollbackBefore = "rollback_before"
	eventRollbackAfter  = "rollback_after"
)

// entry is one line of a journal.
type entry struct {
	Time       time.Time      `json:"time"`
	Seq        int            `json:"seq"`
	Event      string         `json:"event"`
	Action     string         `json:"action"`
	AccountID  string         `json:"account_id"`
	Region     string         `json:"region"`
	Service    string         `json:"service"`
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"` // as sent; a password reads ${password}
	State      []observation  `json:"state"`      // the live state that the call replaces
	Result     any            `json:"result"`
	Error      *string        `json:"error"`
	Rollback   []Call         `json:"rollback"` // null: irreversible

	// Of is the seq of the before line that after answers and rollback undoes.
	Of int `json:"of,omitempty"`
	// Plan is the digest of the plan that a before line carries out.
	Plan string `json:"plan,omitempty"`
	// Lineage stands in the first line of a run, so that a rollback can refuse
	// the intruder's credentials without the plan.
	Lineage *PlanLineage `json:"lineage,omitempty"`
}

func (e entry) call() Call {
	return Call{Service: e.Service, Operation: e.Operation, Parameters: e.Parameters}
}

func (e entry) target() Target { return Target{AccountID: e.AccountID, Region: e.Region} }

// observation is what a read showed.
type observation struct {
	Call
	Result any  `json:"result"`
	Absent bool `json:"absent,omitempty"` // the thing itself is not there
}

// JournalPath is where the journal of a plan file lies: X.journal.ndjson beside
// X.json.
func JournalPath(plan string) string {
	return strings.TrimSuffix(plan, filepath.Ext(plan)) + ".journal.ndjson"
}

// journal is an open journal, locked against other runs.
type journal struct {
	path    string
	file    *os.File
	unlock  func() error
	entries []entry
	now     func() time.Time
}

// ErrJournalBusy says that another apply or rollback works with the journal.
var ErrJournalBusy = errors.New("another apply or rollback is working with this journal")

// openJournal opens a journal, or creates it, and takes off a last line that a
// crash cut short: what it announced never began.
func openJournal(path string, create bool, now func() time.Time) (*journal, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	unlock, err := lockFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	j := &journal{path: path, file: f, unlock: unlock, now: now}
	if err := j.recover(); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return j, nil
}

// readJournal reads a journal for a dry run, which leaves it as it is; one that is
// not there yet is empty.
func readJournal(path string, now func() time.Time) (*journal, error) {
	j := &journal{path: path, now: now}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if j.entries, _, err = readEntries(f); err != nil {
		err = fmt.Errorf("journal %s: %w", path, err)
	}
	return j, errors.Join(err, f.Close())
}

func (j *journal) recover() error {
	entries, good, err := readEntries(j.file)
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	j.entries = entries
	size, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	if size == good {
		// The name of a new file must outlive a crash, too.
		return syncDir(filepath.Dir(j.path))
	}
	if err := j.file.Truncate(good); err != nil {
		return fmt.Errorf("journal %s: take off the cut last line: %w", j.path, err)
	}
	if _, err := j.file.Seek(good, io.SeekStart); err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	return nil
}

// ReadJournal reads a journal without locking it and gives, newest first, the
// calls that took effect and were not taken back: those that a rollback undoes,
// and those that are irreversible. A call whose end the journal does not show
// is among them.
func ReadJournal(r io.Reader) (undo, stays []JournalCall, err error) {
	entries, _, err := readEntries(r)
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal: %w", err)
	}
	for _, d := range slices.Backward(deeds(entries)) {
		switch {
		case d.failed() || d.undone() || isRead(d.before.Operation) || d.idle():
		case d.rollback() == nil && d.after != nil:
			stays = append(stays, d.public())
		default:
			undo = append(undo, d.public())
		}
	}
	return undo, stays, nil
}

// JournalCall is a call of a journal.
type JournalCall struct {
	Call
	Time      time.Time
	Action    string
	AccountID string
	Region    string
}

// readEntries reads lines up to good, the end of the last whole one.
func readEntries(r io.Reader) (entries []entry, good int64, err error) {
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if err == io.EOF {
			// The line end is the last byte of a write: without it the line is
			// cut, and what it announced never began.
			return entries, good, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil || e.Event == "" {
			return nil, 0, fmt.Errorf("line %d is no line of a journal: the file was changed or is damaged; restore it before going on", n)
		}
		if e.Seq != n {
			return nil, 0, fmt.Errorf("line %d has the number %d: lines are missing or were moved; restore the file before going on", n, e.Seq)
		}
		entries = append(entries, e)
		good += int64(len(line))
	}
}

// write appends a line and waits until it is on disk.
func (j *journal) write(e entry) (entry, error) {
	e.Time = j.now().UTC()
	e.Seq = 1
	if n := len(j.entries); n > 0 {
		e.Seq = j.entries[n-1].Seq + 1
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return e, fmt.Errorf("journal %s: %w", j.path, err)
	}
	if j.file == nil { // a dry run
		j.entries = append(j.entries, e)
		return e, nil
	}
	if _, err := j.file.Write(b.Bytes()); err != nil {
		return e, fmt.Errorf("journal %s: %w", j.path, err)
	}
	if err := j.file.Sync(); err != nil {
		return e, fmt.Errorf("journal %s: %w", j.path, err)
	}
	j.entries = append(j.entries, e)
	return e, nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return errors.Join(j.unlock(), j.file.Close())
}

// deed is a call with all that the journal says of it.
type deed struct {
	before entry
	after  *entry
	back   []entry // rollback lines in order
}

// deeds are the calls of a journal in order.
func deeds(entries []entry) []*deed {
	var list []*deed
	bySeq := map[int]*deed{}
	for _, e := range entries {
		if e.Event == eventBefore {
			d := &deed{before: e}
			bySeq[e.Seq] = d
			list = append(list, d)
			continue
		}
		d := bySeq[e.Of]
		switch {
		case d == nil:
		case e.Event == eventAfter:
			d.after = &e
		default:
			d.back = append(d.back, e)
		}
	}
	return list
}

func (d *deed) open() bool   { return d.after == nil }
func (d *deed) failed() bool { return d.after != nil && d.after.Error != nil }

func (d *deed) rollback() []Call {
	if d.after != nil {
		return d.after.Rollback
	}
	return d.before.Rollback
}

// taken is how many calls of the rollback took effect.
func (d *deed) taken() int {
	n := 0
	for _, e := range d.back {
		if e.Event == eventRollbackAfter && e.Error == nil {
			n++
		}
	}
	return n
}

func (d *deed) undone() bool {
	return len(d.back) > 0 && d.taken() >= len(d.rollback())
}

// idle says that the call changed nothing, so that nothing is to be undone.
func (d *deed) idle() bool { return d.rollback() != nil && len(d.rollback()) == 0 }

// stands says that the call took effect and was not taken back.
func (d *deed) stands() bool { return !d.open() && !d.failed() && !d.undone() }

func (d *deed) public() JournalCall {
	b := d.before
	return JournalCall{Call: b.call(), Time: b.Time, Action: b.Action, AccountID: b.AccountID, Region: b.Region}
}
