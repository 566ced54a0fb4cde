package ingest

import "time"

// progressEvery is how often work tells how far it is.
const progressEvery = 200 * time.Millisecond

// every calls progress now and then, and once more when the returned function is
// called.
func every(progress func(Progress), now func() Progress) (stop func()) {
	if progress == nil {
		return func() {}
	}
	ended, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				progress(now())
			case <-ended:
				progress(now())
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-finished
	}
}

// report calls progress now and then until the returned function is called.
func (l *loader) report(progress func(Progress)) (stop func()) {
	return every(progress, func() Progress {
		return Progress{
			FilesDone: l.filesDone.Load(), FilesTotal: l.filesTotal.Load(),
			BytesDone: l.bytesDone.Load(), BytesTotal: l.bytesTotal.Load(),
			Records: l.records.Load(),
		}
	})
}
