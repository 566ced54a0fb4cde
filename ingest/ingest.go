// Package ingest loads exported CloudTrail logs into a case: it lists files,
// hashes and decompresses them, finds the records in them by what the content
// looks like, flattens each to the columns of the events relation and stores
// them, once each. Nothing of a record is lost: Rebuild gives it back. What
// cannot be read is kept with the reason. The package never changes a source
// and concludes nothing from the events.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"trailscan/query"
)

var (
	// ErrNoFiles says that there was nothing to read: an empty folder.
	ErrNoFiles = errors.New("no files")
	// ErrNothingReadable says that no source held a CloudTrail record.
	ErrNothingReadable = errors.New("no CloudTrail records")
)

// Options are how to load.
type Options struct {
	Stdin    io.Reader      // what the source "-" reads
	Threads  int            // files read at a time; zero is one a core
	Progress func(Progress) // called a few times a second, never concurrently
}

// Progress is how far a load is. Totals are what is known of files; a stream
// counts as one file of no bytes.
type Progress struct {
	FilesDone, FilesTotal int64
	BytesDone, BytesTotal int64 // as they lie on disk
	Records               int64
}

// Summary is what a load did. Counts of records are over the sources that it
// loaded; times, accounts and regions also over those that were there already.
type Summary struct {
	Sources       int // loaded now, damaged ones too
	AlreadyLoaded int // in the case with the same content
	Bytes         int64
	Records       int64 // readable records found
	Duplicates    int64 // of these, copies of events in the case: not stored again
	Conflicts     int64 // records that share their id with a different event; stored
	Rejected      int64 // rows added to rejects
	First, Last   time.Time
	Accounts      []string
	Regions       []string
	Damaged       []Problem // sources with readable records and unreadable parts
	Unreadable    []Problem // sources that gave no record, and folders that could not be listed
	Foreign       []Problem // files that are no CloudTrail logs; nothing of them counts as rejected
	Skipped       []Problem // symbolic links, pipes and devices in folders
}

// Problem is a source that could not be loaded as a whole.
type Problem struct {
	URI    string
	Reason string
}

// Load brings sources (files, folders, "-") into the case. It works through
// them in order of their absolute paths in transactions of some hundred
// thousand records, so that it can be stopped at any time: the same call again
// goes on where it was. A source whose path and content the case holds already
// is passed over. The error is ErrNoFiles or ErrNothingReadable where no events
// came of any source; damage beside readable records is told in the Summary.
func Load(ctx context.Context, c *query.Case, sources []string, o Options) (*Summary, error) {
	return run(ctx, c, sources, o, groupRecords)
}

// run is Load with groups of about so many records.
func run(ctx context.Context, c *query.Case, sources []string, o Options, groupRecords int64) (s *Summary, err error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	found, err := list(sources, c.Path)
	if err != nil {
		return nil, err
	}
	l, err := newLoader(ctx, c, o, groupRecords)
	if err != nil {
		return nil, stopped(ctx, err, 0, len(found.files))
	}
	defer func() { err = errors.Join(err, l.close()) }()
	l.summary.Skipped, l.summary.Unreadable = found.skipped, found.unreadable

	stop := l.report(o.Progress)
	err = l.load(ctx, found.files)
	stop()
	if err == nil {
		err = l.conclude(ctx)
	}
	if err != nil {
		return nil, stopped(ctx, err, l.summary.Sources+l.summary.AlreadyLoaded, len(found.files))
	}
	return &l.summary, l.verdict(sources)
}

// stopped says of an error that came of the context how far the load got.
func stopped(ctx context.Context, err error, done, total int) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("stopped with %d of %d sources in the case; run the same command again to load the rest: %w",
		done, total, context.Cause(ctx))
}
