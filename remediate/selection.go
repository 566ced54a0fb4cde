package remediate

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSelection says that the actions that were named cannot be run so.
var ErrSelection = errors.New("these actions cannot be run")

// Select gives the actions that an apply runs, in the order of the plan: the
// automatic ones or, with only, exactly the named ones. What they depend on is
// checked by Apply, which knows what is done.
func (p *Plan) Select(only []string) ([]Action, error) {
	var out []Action
	if len(only) == 0 {
		for _, a := range p.Actions {
			if a.Mode == Auto && a.Phase != Restore {
				out = append(out, a)
			}
		}
		return out, nil
	}
	known := map[string]bool{}
	for _, a := range p.Actions {
		known[a.ID] = true
		if !slices.Contains(only, a.ID) {
			continue
		}
		if a.Mode == Manual {
			return nil, fmt.Errorf("%w: %s is for a person to do: %s", ErrSelection, a.ID, a.Title)
		}
		out = append(out, a)
	}
	for _, id := range only {
		if !known[id] {
			return nil, fmt.Errorf("%w: the plan has no action %q", ErrSelection, id)
		}
	}
	return out, nil
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
