package reports

import (
	"fmt"
	"time"
)

// Measures of a chart, in the units of its SVG.
const (
	chartWidth  = 1000.0
	chartHeight = 130.0
	chartBase   = 105.0 // the axis; labels stand below
	chartTop    = 12.0
)

// chart is a histogram laid out for drawing.
type chart struct {
	Title string
	Bars  []bar
	Ticks []tick
	Peak  int64
}

// bar is a rectangle; its class says whose events it stands for.
type bar struct {
	X, Y, W, H float64
	Class      string // owner, done or refused
	Hint       string
}

// tick is a label of the axis.
type tick struct {
	X      float64
	Label  string
	Anchor string // how it stands at X: start, middle or end
}

func charts(a Activity, zone *time.Location) []chart {
	var out []chart
	if len(a.Intrusion.Steps) > 0 {
		out = append(out, newChart("During the intrusion", a.Intrusion, zone))
	}
	if len(a.Whole.Steps) > 0 && a.Whole.StepSeconds != a.Intrusion.StepSeconds {
		out = append(out, newChart("Over all of the logs", a.Whole, zone))
	}
	return out
}

func newChart(title string, h Histogram, zone *time.Location) chart {
	step := time.Duration(h.StepSeconds) * time.Second
	c := chart{Title: fmt.Sprintf("%s, events per %s", title, span(step))}
	for _, s := range h.Steps {
		c.Peak = max(c.Peak, s.Owner+s.Done+s.Refused)
	}
	n := float64(h.Until.Sub(h.From)) / float64(step)
	width := chartWidth / max(n, 1)
	at := func(t time.Time) float64 { return float64(t.Sub(h.From)) / float64(step) * width }
	for _, s := range h.Steps {
		y := chartBase
		hint := fmt.Sprintf("%s: %d by the owner, %d done, %d refused", clock(s.Time, zone), s.Owner, s.Done, s.Refused)
		for _, part := range []struct {
			class string
			n     int64
		}{{"owner", s.Owner}, {"done", s.Done}, {"refused", s.Refused}} {
			if part.n == 0 {
				continue
			}
			height := max(1.5, float64(part.n)/float64(c.Peak)*(chartBase-chartTop))
			y -= height
			c.Bars = append(c.Bars, bar{round(at(s.Time)), round(y), round(max(1, width*0.86)), round(height), part.class, hint})
		}
	}
	layout := "2 Jan"
	switch all := h.Until.Sub(h.From); {
	case all <= 36*time.Hour:
		layout = "15:04"
	case all <= 7*24*time.Hour:
		layout = "2 Jan 15:04"
	}
	last := ""
	for i := range 9 {
		t := h.From.Add(time.Duration(float64(h.Until.Sub(h.From)) * float64(i) / 8)).Truncate(step)
		label := t.In(zone).Format(layout)
		if label != last {
			anchor := "middle"
			switch i {
			case 0:
				anchor = "start"
			case 8:
				anchor = "end"
			}
			c.Ticks = append(c.Ticks, tick{round(min(at(t), chartWidth-1)), label, anchor})
			last = label
		}
	}
	return c
}

func round(f float64) float64 { return float64(int(f*10+0.5)) / 10 }
