package remediate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// phaseOrder is the order of execution.
var phaseOrder = []Phase{Preserve, Contain, Revoke, Evict, Recover, Restore}

// destructive begin the names of operations that end something for good, or
// take away what a person may want to look at first.
var destructive = []string{"Delete", "Terminate", "Deregister", "Release", "Purge", "Schedule", "Close", "Cancel", "Reset"}

// gentle are operations that begin like destructive ones and are not.
var gentle = []string{"CancelKeyDeletion", "CancelDomainTransferToAnotherAwsAccount"}

// Validate checks that a plan can be carried out: known phases in order and
// modes, unique ids, dependencies on earlier actions only, and automatic
// actions that have a way back, delete nothing and wait for automatic ones
// alone, none of them of phase restore.
func (p *Plan) Validate() error {
	seen := map[string]*Action{}
	last := 0
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.ID == "" {
			return fmt.Errorf("action %d of the plan has no id", i+1)
		}
		if err := a.validate(seen); err != nil {
			return fmt.Errorf("action %s of the plan: %w", a.ID, err)
		}
		phase := slices.Index(phaseOrder, a.Phase)
		if phase < last {
			return fmt.Errorf("action %s of the plan: phase %s comes after %s", a.ID, a.Phase, phaseOrder[last])
		}
		last = phase
		seen[a.ID] = a
	}
	return nil
}

func (a *Action) validate(seen map[string]*Action) error {
	if !slices.Contains(phaseOrder, a.Phase) {
		return fmt.Errorf("unknown phase %q", a.Phase)
	}
	if seen[a.ID] != nil {
		return errors.New("its id is not unique")
	}
	for _, d := range a.DependsOn {
		if seen[d] == nil {
			return fmt.Errorf("depends on %q, which is no earlier action", d)
		}
		if a.Mode == Auto && seen[d].Mode != Auto {
			return fmt.Errorf("is automatic and depends on %q, which is not", d)
		}
	}
	switch a.Mode {
	case Manual:
		return nil
	case Review, Auto:
	default:
		return fmt.Errorf("unknown mode %q", a.Mode)
	}
	if a.Service == "" || a.Operation == "" {
		return errors.New("names no service or operation and is not manual")
	}
	if a.Mode == Review {
		return nil
	}
	switch {
	case a.Phase == Restore:
		return errors.New("gives access back and must not be automatic")
	case len(a.Rollback) == 0:
		return errors.New("is automatic and has no rollback")
	case isDestructive(a.Operation):
		return fmt.Errorf("is automatic and %s ends what cannot be started again", a.Operation)
	}
	return nil
}

func isDestructive(operation string) bool {
	if slices.Contains(gentle, operation) {
		return false
	}
	return slices.ContainsFunc(destructive, func(p string) bool { return strings.HasPrefix(operation, p) })
}
