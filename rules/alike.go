package rules

import (
	"fmt"
	"time"
)

// alike tells rules that find the same events from each other by what they say
// of them alone, so that only the first of several runs: collections of rules
// hold copies and translations of each other's.
type alike struct {
	pack   []Rule
	places [][]int        // in pack, by place among the first
	of     map[string]int // place among the first, by id
}

// firstOfAlike are the rules that run, in the order of the pack.
func firstOfAlike(pack []Rule) (first []Rule, a alike) {
	a = alike{pack: pack, of: map[string]int{}}
	known := map[string]int{}
	for i, r := range pack {
		key := r.finds()
		place, again := known[key]
		if !again {
			place = len(first)
			known[key] = place
			first = append(first, r)
			a.places = append(a.places, nil)
			a.of[r.ID] = place
		}
		a.places[place] = append(a.places[place], i)
	}
	return first, a
}

// finds is all of a rule that decides what it finds and when it can.
func (r Rule) finds() string {
	r.ID, r.Title, r.Severity, r.Tactic, r.Techniques, r.Explain, r.FalsePositives, r.Reference = "", "", 0, "", nil, "", "", ""
	shapes := fmt.Sprintf("%#v %#v %#v %#v", deref(r.Threshold), deref(r.Sequence), deref(r.FirstSeen), deref(r.Spike))
	r.Threshold, r.Sequence, r.FirstSeen, r.Spike = nil, nil, nil, nil
	return fmt.Sprintf("%#v %s", r, shapes)
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// assessments are those of all rules, of those of the first of each.
func (a alike) assessments(of []Assessment) []Assessment {
	all := make([]Assessment, len(a.pack))
	for place, assessment := range of {
		for _, i := range a.places[place] {
			assessment.Rule = a.pack[i].ID
			all[i] = assessment
		}
	}
	return all
}

// observe tells of every rule, and shares the time of those alike evenly.
func (a alike) observe(tell func(Timing)) func(Timing) {
	if tell == nil {
		return nil
	}
	return func(t Timing) {
		if t.Rule == "" {
			tell(t)
			return
		}
		places := a.places[a.of[t.Rule]]
		t.Took /= time.Duration(len(places))
		if t.Together > 0 {
			t.Together += len(places) - 1
		}
		for _, i := range places {
			t.Rule = a.pack[i].ID
			tell(t)
		}
	}
}
