package ingest

import (
	"cmp"
	"context"
	"io"
	"time"
)

// remote opens sources that do not lie on this machine.
type remote interface {
	open(ctx context.Context, s *source) (io.ReadCloser, error)
	// metadata is that of an S3 object, by lower-case names.
	metadata(ctx context.Context, s *source) (map[string]string, error)
}

const (
	// ObjectsInFlight are the S3 objects that are read at a time: waiting for an
	// answer takes longer than most objects take to arrive.
	ObjectsInFlight = 16
	// remoteGroup ends a group of remote sources: what a kill may have fetched again.
	remoteGroup = 5 * time.Second
)

// remoteInFlight is how many of the files to read at a time for the sake of
// those that come over the network: as each region has a rate of its own,
// all regions. It is zero when none does.
func remoteInFlight(files []*source) int {
	histories, objects := 0, 0
	for _, f := range files {
		switch {
		case f.format == formatLookupEvents:
			histories++
		case f.remote != nil:
			objects = ObjectsInFlight
		}
	}
	return histories + objects
}

func isBroken(f *source) bool { return f.broken != nil }

// dropBroken takes back what was stored of remote sources that could not be read
// to their end, and notes why the load stops.
func (l *loader) dropBroken(ctx context.Context, files []*source, bad *rejects) error {
	ids := []int64{}
	for _, f := range files {
		if f.broken != nil {
			ids = append(ids, f.id)
			l.broken = cmp.Or(l.broken, f.broken)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	bad.drop(isBroken)
	_, err := l.conn.ExecContext(ctx, `DELETE FROM records WHERE source_id IN (SELECT unnest(CAST(? AS BIGINT[])))`, ids)
	return err
}
