package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"trailscan/ingest"
)

// progressLine shows how far a load is, in the last line of a terminal.
type progressLine struct {
	w     io.Writer
	start time.Time
	// base is where the load was when it came to its first new record: what it
	// passed over before that says nothing about the time that is left.
	base     *ingest.Progress
	baseTime time.Time
}

func newProgressLine(w io.Writer) *progressLine {
	return &progressLine{w: w, start: time.Now()}
}

// show redraws the line.
func (l *progressLine) show(p ingest.Progress) {
	io.WriteString(l.w, "\r\x1b[K"+l.text(p, time.Now(), columns(l.w)))
}

// clear takes the line away.
func (l *progressLine) clear() { io.WriteString(l.w, "\r\x1b[K") }

// text is the line for a terminal of that width: the parts that fit, of which
// the files matter most. The last column stays free, for some terminals go to
// the next line with it.
func (l *progressLine) text(p ingest.Progress, now time.Time, width int) string {
	if l.base == nil && p.Records > 0 {
		l.base, l.baseTime = &p, now
	}
	files := fmt.Sprintf("%d/%d files", p.FilesDone, p.FilesTotal)
	var bytes, left, rate string
	if p.BytesTotal > 0 {
		bytes = fmt.Sprintf("  %d/%d MB", min(p.BytesDone, p.BytesTotal)/1e6, p.BytesTotal/1e6)
	}
	events := fmt.Sprintf("  %d events", p.Records)
	switch {
	case p.FilesDone == p.FilesTotal:
		left = "  storing"
	case l.base != nil && p.BytesDone > l.base.BytesDone && p.BytesTotal > p.BytesDone:
		perByte := float64(now.Sub(l.baseTime)) / float64(p.BytesDone-l.base.BytesDone)
		left = fmt.Sprintf("  %s left", time.Duration(perByte*float64(p.BytesTotal-p.BytesDone)).Round(time.Second))
	}
	if s := now.Sub(l.start).Seconds(); s > 0 && p.Records > 0 {
		rate = fmt.Sprintf("  %.0f events/s", float64(p.Records)/s)
	}
	parts := []*string{&files, &left, &bytes, &events, &rate} // by how much they matter
	room := width - 1
	for _, part := range parts {
		if room -= utf8.RuneCountInString(*part); room < 0 {
			*part = ""
		}
	}
	return bar(p, room-1) + strings.TrimLeft(files+bytes+events+rate+left, " ")
}

// Widths of the bar between its brackets.
const (
	minBar = 5
	maxBar = 20
)

// bar is how much of the bytes was read, as wide as there is room for; of a
// stream it is not known.
func bar(p ingest.Progress, room int) string {
	width := min(room-len("[]"), maxBar)
	if width < minBar || p.BytesTotal <= 0 {
		return ""
	}
	full := int(min(p.BytesDone, p.BytesTotal) * int64(width) / p.BytesTotal)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "] "
}

// isTerminal tells whether w is one, so that progress stays out of files.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns is the width of the terminal w, or 100 where it is none.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 100
}
