package remediate

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// before is the state that others' events show before the change, nil where they
// show none, and whether the change left it as it was.
func (h history) before(c *change, mine map[*event]bool) (was any, same bool) {
	if c.undo.was != nil {
		was = c.undo.was(h, c, mine)
	} else if was = h.shown(c, mine); was != nil {
		was, same = c.left(was)
	}
	if redacted(was) {
		return nil, false
	}
	return was, same || was == asBefore
}

// asBefore is what an undo's own look at the past gives for a change that
// changed nothing.
var asBefore any = unchanged{}

type unchanged struct{}

// left compares what was there with what the change made of it: of an overlay,
// what is left of was is what the fields that changed were.
func (c *change) left(was any) (any, bool) {
	value := ""
	for _, p := range c.undo.prior {
		if p.name == c.last().name {
			value = p.value
		}
	}
	if value == "" {
		return was, false
	}
	if !c.undo.overlay {
		now, err := (&scope{event: c.last()}).eval(value)
		return was, err == nil && now != nil && same(now, was, time.Time{})
	}
	old, _ := was.(map[string]any)
	out := map[string]any{}
	for _, e := range c.events {
		now, _ := (&scope{event: e}).eval(value)
		fields, _ := now.(map[string]any)
		for k, v := range fields {
			o, known := old[k]
			if !known {
				return nil, false
			}
			if !same(v, o, time.Time{}) {
				out[k] = o
			}
		}
	}
	return out, len(out) == 0
}

// shown is the last state that the prior events of others show; of an overlay
// all of them, the later over the earlier.
func (h history) shown(c *change, mine map[*event]bool) any {
	type seen struct {
		*event
		value any
	}
	var states []seen
	for _, p := range c.undo.prior {
		for _, e := range h[c.first().source+":"+p.name] {
			if mine[e] || !h.earlier(c, e) {
				continue
			}
			objects, _, ok := values(e, p.object)
			if !ok || !slices.Equal(objects, c.objects[:min(len(objects), len(c.objects))]) {
				continue
			}
			if v, err := (&scope{event: e}).eval(p.value); err == nil && v != nil {
				states = append(states, seen{e, v})
			}
		}
	}
	slices.SortStableFunc(states, func(a, b seen) int { return a.time.Compare(b.time) })
	for _, n := range c.undo.also {
		if slices.ContainsFunc(c.undo.prior, func(p prior) bool { return p.name == n }) {
			continue
		}
		for _, e := range h[c.first().source+":"+n] {
			if !mine[e] && h.earlier(c, e) && c.touches(e) {
				states = slices.DeleteFunc(states, func(s seen) bool { return s.time.Before(e.time) })
			}
		}
	}
	if len(states) == 0 {
		return nil
	}
	if !c.undo.overlay {
		return states[len(states)-1].value
	}
	out := map[string]any{}
	for _, s := range states {
		if m, ok := s.value.(map[string]any); ok {
			maps.Copy(out, m)
		}
	}
	return out
}

// earlier says that an event came before the change, in its account and region.
func (h history) earlier(c *change, e *event) bool {
	first := c.first()
	return e.time.Before(first.time) && e.accountID == first.accountID && e.place() == first.place()
}

// redacted says whether CloudTrail left out a value of what it shows: to write
// the mark back in its place would destroy what it stands for.
func redacted(v any) bool {
	for text := range leaves(v) {
		if slices.Contains([]string{"HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>", "***", "****", "REDACTED"}, strings.TrimSpace(text)) {
			return true
		}
	}
	return false
}

// holderGone says that a later call ended what the change is in.
func (h history) holderGone(c *change) bool {
	last := c.last()
	for name, i := range c.undo.within {
		if c.unnamed || i >= len(c.objects) {
			continue
		}
		for _, e := range h[last.source+":"+name] {
			if e.accountID == last.accountID && e.place() == last.place() && !e.time.Before(last.time) && e.requestNames()[c.objects[i]] {
				return true
			}
		}
	}
	return false
}
