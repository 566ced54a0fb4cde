package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// fresh leaves out the files that the case holds with the same content. Only
// those that it knows by path are hashed for this; an object's ETag and size say
// as much without reading it.
func (l *loader) fresh(ctx context.Context, files []*source) ([]*source, error) {
	type known struct {
		id     int64
		sha256 string
		status string
		etag   string
		bytes  int64
	}
	inCase := map[string][]known{}
	rows, err := l.conn.QueryContext(ctx, `SELECT source_id, uri, coalesce(sha256, ''), status, coalesce(etag, ''), coalesce(bytes, 0) FROM sources ORDER BY source_id`)
	if err != nil {
		return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var k known
		var uri string
		if err := rows.Scan(&k.id, &uri, &k.sha256, &k.status, &k.etag, &k.bytes); err != nil {
			return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
		}
		inCase[uri] = append(inCase[uri], k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sources of case %s: %w", l.c.Path, err)
	}
	var fresh, uncopied []*source
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		old := inCase[f.uri]
		for _, k := range old {
			if k.sha256 == "" && f.format != formatLookupEvents {
				f.replaces = append(f.replaces, k.id)
			}
		}
		if f.stream {
			for _, k := range old {
				if k.sha256 != "" {
					l.streams[[2]string{f.uri, k.sha256}] = k.id
				}
			}
		}
		if len(old) == 0 || f.stream {
			fresh = append(fresh, f)
			continue
		}
		var i int
		if f.remote != nil {
			i = slices.IndexFunc(old, func(k known) bool {
				return k.sha256 != "" && k.etag == f.etag && f.etag != "" && k.bytes == f.size
			})
		} else {
			sum, err := hashFile(f.path)
			i = slices.IndexFunc(old, func(k known) bool { return err == nil && k.sha256 == sum })
		}
		if i < 0 {
			fresh = append(fresh, f)
			continue
		}
		if f.remote != nil && l.keep != nil && !l.keep.has(f.key, f.size) {
			uncopied = append(uncopied, f)
		}
		l.sources = append(l.sources, old[i].id)
		l.filesDone.Add(1)
		l.bytesDone.Add(f.size)
		switch again := (Problem{f.uri, "no CloudTrail records, as before"}); old[i].status {
		case statusUnreadable:
			l.summary.Unreadable = append(l.summary.Unreadable, again)
		case statusForeign:
			l.summary.Foreign = append(l.summary.Foreign, again)
		case statusDamaged:
			l.summary.Damaged = append(l.summary.Damaged, Problem{f.uri, "parts cannot be read, as before: see the table rejects"})
			l.summary.AlreadyLoaded++
		default:
			l.summary.AlreadyLoaded++
		}
	}
	return fresh, l.copyOnly(ctx, uncopied)
}

// copyOnly makes the copies, asked for by now, of objects that the case holds.
func (l *loader) copyOnly(ctx context.Context, objects []*source) error {
	var g groupState
	g.files = objects
	var readers sync.WaitGroup
	errs := make([]error, ObjectsInFlight)
	for i := range errs {
		readers.Go(func() {
			for s := g.next(ctx); s != nil && errs[i] == nil; s = g.next(ctx) {
				errs[i] = copyObject(ctx, s)
			}
		})
	}
	readers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

func copyObject(ctx context.Context, s *source) error {
	body, err := s.remote.open(ctx, s)
	if err != nil {
		return fmt.Errorf("copy %s: %w", s.uri, err)
	}
	_, err = io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}
