package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
)

// fileReader reads one file after another and gathers their records into
// batches, which may hold those of several files.
type fileReader struct {
	l        *loader
	group    *groupState
	feed     *feed
	bad      *rejects
	reader   *reader
	unpacker *unpacker
	batch    *batch
	source   *source
	index    int64 // of the next record
}

// read reads a file. What is wrong with the file is in its tally; the error is
// that of a load that was stopped.
func (w *fileReader) read(ctx context.Context, s *source) error {
	w.source, w.index = s, 0
	defer w.l.filesDone.Add(1)
	file, err := w.l.open(ctx, s)
	if s.broken != nil {
		w.group.stop()
		return nil
	}
	if err != nil {
		s.tally.failure = err
		w.bad.add(rejected{source: s, reason: "cannot be opened: " + withoutPath(err).Error()})
		return nil
	}
	defer file.Close()
	w.reader.reset(ctx, file)
	var at io.ReaderAt
	if !s.stream {
		at, _ = file.(io.ReaderAt)
	}
	format, err := w.unpacker.unpack(w.reader, at, s.size, w)
	if err != nil {
		return err
	}
	if err := w.reader.finish(); err != nil {
		s.tally.failure = err
	} else {
		s.tally.sha256 = w.reader.sha256()
	}
	if ctx.Err() != nil && s.stream && s.remote == nil {
		s.broken = context.Cause(ctx)
	}
	if s.broken != nil {
		w.group.stop()
	}
	s.tally.format, s.tally.bytes = cmp.Or(s.format, format), w.reader.bytes
	return nil
}

// withoutPath is an error of the file system without the path, which stands
// beside it.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// The methods of destination.

func (w *fileReader) record(value []byte) error {
	b := w.batch
	b.text = append(b.text, value...)
	b.records = append(b.records, batchRecord{end: len(b.text), source: w.source, index: w.index})
	w.index++
	w.l.records.Add(1)
	w.group.records.Add(1)
	w.group.bytes.Add(int64(len(value)))
	if len(b.records) < batchRecords && len(b.text) < batchBytes {
		return nil
	}
	if err := w.feed.send(b); err != nil {
		return err
	}
	w.batch = w.feed.newBatch()
	return nil
}

func (w *fileReader) reject(reason string, raw []byte) {
	w.bad.add(rejected{source: w.source, index: w.index, reason: reason, raw: validText(raw), damage: w.unpacker.damaged()})
	w.index++
}

func (w *fileReader) pass(reason string, raw []byte) {
	w.bad.add(rejected{source: w.source, index: w.index, reason: reason, raw: validText(raw), other: true})
	w.index++
}

func (w *fileReader) entry(name string) {
	w.source.entries = append(w.source.entries, entryStart{w.index, name})
}
