package main

import (
	"testing"
	"time"

	"trailscan/ingest"
)

func TestProgressLine(t *testing.T) {
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	half := ingest.Progress{FilesDone: 300, FilesTotal: 400, BytesDone: 60e6, BytesTotal: 100e6, Records: 250_000}
	for _, tc := range []struct {
		name  string
		p     ingest.Progress
		width int
		want  string
	}{
		{"all", half, 120, "[============        ] 300/400 files  60/100 MB  250000 events  25000 events/s  20s left"},
		{"a shorter bar", half, 80, "[======     ] 300/400 files  60/100 MB  250000 events  25000 events/s  20s left"},
		{"to the last column but one", half, 66, "300/400 files  60/100 MB  250000 events  25000 events/s  20s left"},
		{"a column less", half, 58, "300/400 files  60/100 MB  250000 events  20s left"},
		{"narrow", half, 40, "300/400 files  60/100 MB  20s left"},
		{"narrower", half, 24, "300/400 files  20s left"},
		{"hardly anything", half, 10, ""},
		{"nothing yet", ingest.Progress{FilesTotal: 3, BytesTotal: 9e6}, 80, "[                    ] 0/3 files  0/9 MB  0 events"},
		{"a stream", ingest.Progress{FilesTotal: 1, BytesDone: 5e6, Records: 1000}, 80, "0/1 files  1000 events  100 events/s"},
		{"all read", ingest.Progress{FilesDone: 2, FilesTotal: 2, BytesDone: 9e6, BytesTotal: 9e6, Records: 10}, 80, "[====================] 2/2 files  9/9 MB  10 events  1 events/s  storing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &progressLine{start: start}
			// 40 MB were passed over before the first record, at no cost.
			l.text(ingest.Progress{BytesDone: 40e6, Records: 1}, start, 80)
			if got := l.text(tc.p, start.Add(10*time.Second), tc.width); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}
