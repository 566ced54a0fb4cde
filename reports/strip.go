package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// maxStrips bounds the accounts and regions that a document shows the time of.
const maxStrips = 40

// strip is the time of an account in a region, drawn from left to right: how
// many events there are, and where it is silent and otherwise busy.
type strip struct {
	Covered
	Cells []cell
}

// cell is a stretch of a strip; its class is f1 (few events) to f4, or silent.
type cell struct {
	X, W  float64
	Class string
	Hint  string
}

// strips are those of the scopes with the most events, by account and region.
func strips(v *Coverage, zone *time.Location) []strip {
	scopes := slices.Clone(v.Scopes)
	slices.SortStableFunc(scopes, func(a, b Covered) int { return cmp.Compare(b.Events, a.Events) })
	scopes = scopes[:min(len(scopes), maxStrips)]
	slices.SortStableFunc(scopes, func(a, b Covered) int {
		return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Region, b.Region))
	})
	most := int64(1)
	for _, s := range scopes {
		most = max(most, slices.Max(append([]int64{0}, s.Steps...)))
	}
	var out []strip
	for _, s := range scopes {
		out = append(out, strip{s, v.cells(s, most, zone)})
	}
	return out
}

// cells merges neighbouring steps that look alike; most is the most events that
// any step has.
func (v *Coverage) cells(s Covered, most int64, zone *time.Location) []cell {
	step := time.Duration(v.StepSeconds) * time.Second
	width := chartWidth / float64(max(1, len(s.Steps)))
	level := func(n int64) int {
		if n == 0 {
			return 0
		}
		return 1 + int(3*math.Log1p(float64(n))/math.Log1p(float64(most)))
	}
	at := func(i int) time.Time { return v.From.Add(time.Duration(i) * step) }
	var out []cell
	for i := 0; i < len(s.Steps); {
		begin, sum, l := i, int64(0), level(s.Steps[i])
		for ; i < len(s.Steps) && level(s.Steps[i]) == l; i++ {
			sum += s.Steps[i]
		}
		if l > 0 {
			out = append(out, cell{round(float64(begin) * width), round(float64(i-begin) * width), fmt.Sprintf("f%d", l),
				fmt.Sprintf("%s to %s: %s", clock(at(begin), zone), clock(at(i), zone), plural(sum, "event"))})
		}
	}
	for _, q := range v.Silences {
		if q.AccountID != s.AccountID || q.Region != "" && q.Region != s.Region {
			continue
		}
		from, until := float64(q.From.Sub(v.From))/float64(step), float64(q.Until.Sub(v.From))/float64(step)
		out = append(out, cell{round(from * width), round(max(2, (until-from)*width)), "silent",
			fmt.Sprintf("nothing from %s to %s", clock(q.From, zone), clock(q.Until, zone))})
	}
	return out
}
