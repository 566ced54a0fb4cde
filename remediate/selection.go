package remediate

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSelection says that the actions that were named cannot be run so.
var ErrSelection = errors.New("these actions cannot be run")

// Selection says which actions of a plan an apply runs: the automatic ones or,
// with Only, exactly the named ones; of the Phases alone, where there are any;
// without those of Skip.
type Selection struct {
	Phases []Phase
	Only   []string
	Skip   []string
}

// Phases are those of a plan, in order.
func Phases() []Phase { return slices.Clone(phaseOrder) }

// Select gives the actions that an apply runs, in the order of the plan. What
// they depend on is checked by Apply, which knows what is done.
func (p *Plan) Select(s Selection) ([]Action, error) {
	if err := p.check(s); err != nil {
		return nil, err
	}
	var out []Action
	for _, a := range p.Actions {
		named := slices.Contains(s.Only, a.ID)
		switch {
		case slices.Contains(s.Skip, a.ID):
			continue
		case named && a.Mode == Manual:
			return nil, fmt.Errorf("%w: %s is for a person to do: %s", ErrSelection, a.ID, a.Title)
		case len(s.Phases) > 0 && !slices.Contains(s.Phases, a.Phase):
			if named {
				return nil, fmt.Errorf("%w: %s is of phase %s, which is not among those that were chosen", ErrSelection, a.ID, a.Phase)
			}
			continue
		}
		if named || len(s.Only) == 0 && a.Mode == Auto && a.Phase != Restore {
			out = append(out, a)
		}
	}
	return out, nil
}

// action is the one of an id, nil when there is none.
func (p *Plan) action(id string) *Action {
	i := slices.IndexFunc(p.Actions, func(a Action) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Actions[i]
}

// check refuses ids and phases that the plan does not have, and contradictions.
func (p *Plan) check(s Selection) error {
	for _, phase := range s.Phases {
		if !slices.Contains(phaseOrder, phase) {
			return fmt.Errorf("%w: there is no phase %q", ErrSelection, phase)
		}
	}
	known := map[string]bool{}
	for _, a := range p.Actions {
		known[a.ID] = true
	}
	for _, id := range slices.Concat(s.Only, s.Skip) {
		if !known[id] {
			return fmt.Errorf("%w: the plan has no action %q", ErrSelection, id)
		}
	}
	for _, id := range s.Only {
		if slices.Contains(s.Skip, id) {
			return fmt.Errorf("%w: %s is to be run and to be skipped", ErrSelection, id)
		}
	}
	return nil
}

// Irreversible gives those of the actions that nothing takes back; a read needs
// no way back.
func Irreversible(actions []Action) []Action {
	var out []Action
	for _, a := range actions {
		if a.Rollback == nil && !isRead(a.Operation) {
			out = append(out, a)
		}
	}
	return out
}
