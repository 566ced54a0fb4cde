package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trailscan/internal/casetest"
)

// The shapes again, in the plainest Go: what the SQL must agree with.

// thresholdModel is Threshold over events of the group that by gives.
func thresholdModel(events []ev, window time.Duration, count int, by, item func(ev) string) map[int]bool {
	found := map[int]bool{}
	for _, end := range events {
		var in []int
		items := map[string]bool{}
		for i, e := range events {
			if by(e) == by(end) && e.at <= end.at && end.at-e.at <= int(window/time.Second) {
				in = append(in, i)
				key := fmt.Sprint(i)
				if item != nil {
					key = item(e)
				}
				items[key] = true
			}
		}
		if len(items) >= count {
			for _, i := range in {
				found[i] = true
			}
		}
	}
	return found
}

// sequenceModel tries every chain of distinct events.
func sequenceModel(events []ev, within time.Duration, steps []func(ev) bool) map[int]bool {
	found := map[int]bool{}
	var extend func(chain []int)
	extend = func(chain []int) {
		if len(chain) == len(steps) {
			for _, i := range chain {
				found[i] = true
			}
			return
		}
		for i, e := range events {
			if !steps[len(chain)](e) || slices.Contains(chain, i) {
				continue
			}
			if len(chain) > 0 {
				first, last := events[chain[0]], events[chain[len(chain)-1]]
				if e.on != first.on || e.at < last.at || e.at-first.at > int(within/time.Second) {
					continue
				}
			}
			extend(append(slices.Clone(chain), i))
		}
	}
	extend(nil)
	return found
}

// unorderedModel looks for the steps in every window.
func unorderedModel(events []ev, within time.Duration, least int, steps []func(ev) bool) map[int]bool {
	found := map[int]bool{}
	for _, end := range events {
		var in []int
		held := map[int]bool{}
		for i, e := range events {
			if e.on != end.on || e.at > end.at || end.at-e.at > int(within/time.Second) {
				continue
			}
			for j, step := range steps {
				if step(e) {
					held[j] = true
					in = append(in, i)
				}
			}
		}
		if len(held) >= least {
			for _, i := range in {
				found[i] = true
			}
		}
	}
	return found
}

// mostModel keeps the events whose fullest window holds at most so many.
func mostModel(events []ev, window time.Duration, count, most int, by func(ev) string) map[int]bool {
	found := thresholdModel(events, window, count, by, nil)
	for i := range thresholdModel(events, window, most+1, by, nil) {
		delete(found, i)
	}
	return found
}

// firstSeenModel is FirstSeen with the scope that who gives and the key ip.
func firstSeenModel(events []ev, learn time.Duration) map[int]bool {
	found := map[int]bool{}
	for i, e := range events {
		history, known := -1, -1
		for _, o := range events {
			if o.intruder || o.who != e.who {
				continue
			}
			if history < 0 || o.at < history {
				history = o.at
			}
			if o.name != "Idle" && o.ip == e.ip && (known < 0 || o.at < known) {
				known = o.at
			}
		}
		learned := history + int(learn/time.Second)
		if e.name != "Idle" && history >= 0 && e.at >= learned && (known < 0 || known >= learned && e.at <= known+int(novelty/time.Second)) {
			found[i] = true
		}
	}
	return found
}

func names(list ...string) func(ev) bool {
	return func(e ev) bool { return slices.Contains(list, e.name) }
}

func TestMain(m *testing.M) { casetest.FewerChecks(m) }

func TestShapesAgreeWithTheModel(t *testing.T) {
	c := openCase(t)
	for _, tc := range []struct {
		name  string
		rule  Rule
		names []string
		spans []int // what times are drawn from
		model func([]ev) map[int]bool
	}{
		{"threshold", Rule{ID: "count", Where: `event_name = 'A'`, Threshold: failedLogins.Threshold}, []string{"A"}, []int{0, 1, 29, 30, 31, 59, 60, 61, 90, 120},
			func(e []ev) map[int]bool {
				return thresholdModel(e, time.Minute, 3, func(e ev) string { return e.who }, nil)
			}},
		{"distinct", Rule{ID: "distinct", Where: `event_name = 'A'`, Threshold: sprayed.Threshold}, []string{"A"}, []int{0, 1, 29, 30, 31, 59, 60, 61, 90, 120},
			func(e []ev) map[int]bool {
				return thresholdModel(e, time.Minute, 3, func(e ev) string { return e.ip }, func(e ev) string { return e.who })
			}},
		{"threshold with a limit", twoToThree, []string{"A"}, []int{0, 1, 29, 30, 31, 59, 60, 61, 90, 120},
			func(e []ev) map[int]bool {
				return mostModel(e, time.Minute, 2, 3, func(e ev) string { return e.who })
			}},
		{"unordered, all of three that overlap", inAnyOrder(0), []string{"A", "B", "C", "D"}, []int{0, 1, 30, 60, 61, 90},
			func(e []ev) map[int]bool {
				return unorderedModel(e, time.Minute, 3, []func(ev) bool{names("A"), names("B", "C"), names("C")})
			}},
		{"unordered, two of three that overlap", inAnyOrder(2), []string{"A", "B", "C", "D"}, []int{0, 1, 30, 60, 61, 90},
			func(e []ev) map[int]bool {
				return unorderedModel(e, time.Minute, 2, []func(ev) bool{names("A"), names("B", "C"), names("C")})
			}},
		{"sequence of two that overlap", twice, []string{"A", "B", "C", "D"}, []int{0, 1, 30, 60, 61, 90},
			func(e []ev) map[int]bool {
				return sequenceModel(e, time.Minute, []func(ev) bool{names("A", "B"), names("A", "C")})
			}},
		{"sequence of three", threeSteps, []string{"A", "B", "C"}, []int{0, 1, 30, 60, 61, 90},
			func(e []ev) map[int]bool {
				return sequenceModel(e, time.Minute, []func(ev) bool{names("A"), names("B"), names("C")})
			}},
		{"first seen", newAddress, []string{"A", "Idle"}, []int{0, 1800, 3599, 3600, 3601, 7200, 90000, 90001, 95000, 200000},
			func(e []ev) map[int]bool { return firstSeenModel(e, time.Hour) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ev {
					return ev{
						at:       rapid.SampledFrom(tc.spans).Draw(t, "at"),
						name:     rapid.SampledFrom(tc.names).Draw(t, "name"),
						who:      rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "who"),
						on:       rapid.SampledFrom([]string{"x", "y"}).Draw(t, "on"),
						ip:       rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2"}).Draw(t, "ip"),
						intruder: rapid.IntRange(0, 3).Draw(t, "intruder") == 0,
					}
				}), 0, 12).Draw(t, "events")
				put(t, c, events)
				got, err := Match(context.Background(), c, tc.rule)
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(got)
				var want []string
				for i := range tc.model(events) {
					want = append(want, fmt.Sprintf("e%02d", i))
				}
				slices.Sort(want)
				if strings.Join(got, " ") != strings.Join(want, " ") {
					t.Fatalf("found %v, want %v", got, want)
				}
			})
		})
	}
}
