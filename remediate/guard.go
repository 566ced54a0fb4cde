package remediate

import (
	"cmp"
	"slices"
	"strings"
)

// guard finds which of many denials can be about a call.
type guard struct {
	order    map[*denial]int
	byHolder map[subject][]*denial
	byID     map[string][]*denial  // of those whose name may have changed
	byKey    map[string][]*denial  // access keys
	assumed  map[subject][]*denial // about who takes sessions of a role
	general  []*denial
}

func newGuard(denials []*denial) *guard {
	g := &guard{order: map[*denial]int{}, byHolder: map[subject][]*denial{}, byID: map[string][]*denial{}, byKey: map[string][]*denial{}, assumed: map[subject][]*denial{}}
	for i, d := range denials {
		g.order[d] = i
		switch d.kind {
		case bySCP, byBucket, byAnchor, bySet:
			g.general = append(g.general, d)
			continue
		case byTrust:
			g.assumed[d.holder] = append(g.assumed[d.holder], d)
			continue
		case byAbsence:
			g.assumed[d.holder] = append(g.assumed[d.holder], d)
		case byKey:
			if d.name != Item {
				g.byKey[d.name] = append(g.byKey[d.name], d)
				continue
			}
		}
		g.byHolder[d.holder] = append(g.byHolder[d.holder], d)
		if d.renamed && d.id != "" {
			g.byID[d.id] = append(g.byID[d.id], d)
		}
	}
	return g
}

// about are the denials that can be about a call, in the order of the plan.
func (g *guard) about(r *request) []*denial {
	out := slices.Clone(g.general)
	if s, id, ok := r.holder(); ok {
		out = append(append(out, g.byHolder[s]...), g.byID[id]...)
	}
	if r.accessKey != "" {
		out = append(out, g.byKey[r.accessKey]...)
	}
	if strings.HasPrefix(r.call, "sts:AssumeRole") && len(g.assumed) > 0 {
		if s, ok := subjectOf(r.text("roleArn")); ok {
			out = append(out, g.assumed[s]...)
		}
	}
	slices.SortFunc(out, func(a, b *denial) int { return cmp.Compare(g.order[a], g.order[b]) })
	return slices.Compact(out)
}
