package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Access is whose credentials a run works with.
type Access struct {
	Caller Identity
	// Roles are the callers in other accounts, in the order of the accounts.
	Roles []Identity
	// Closed are the accounts whose role could not be taken: their actions fail.
	Closed map[string]error
}

// Accounts are those that the run changes.
func (a Access) Accounts(accounts []string) []string {
	var out []string
	for _, id := range append([]Identity{a.Caller}, a.Roles...) {
		if slices.Contains(accounts, id.AccountID) {
			out = append(out, id.AccountID)
		}
	}
	return out
}

// place is how an account is reached.
type place struct {
	caller Caller
	who    Identity
	err    error
}

// enter finds out whose credentials reach the accounts, those of others through
// the role of the same name in each. It refuses when one of them is in the
// lineage, and when none of the accounts is reached at all.
func (x *run) enter(ctx context.Context, region string, l PlanLineage, accounts []string) (Access, error) {
	access := Access{Closed: map[string]error{}}
	var chain []string
	if chained, ok := x.Caller.(Chained); ok {
		// Before any credentials are made from it.
		chain = chained.Chain()
		if why := (Identity{ARN: "this profile", Chain: chain}).tainted(l); why != "" {
			return access, refusedFor(why)
		}
	}
	var err error
	if access.Caller, err = identify(ctx, x.Caller, region); err != nil {
		return access, err
	}
	access.Caller.Chain = chain
	x.report.Caller = access.Caller
	x.places = map[string]place{access.Caller.AccountID: {caller: x.Caller, who: access.Caller}}
	if x.RoleName == "" {
		return access, access.Caller.mayRun(l, accounts)
	}
	if why := access.Caller.tainted(l); why != "" {
		return access, refusedFor(why)
	}
	assumer, ok := x.Caller.(Assumer)
	if !ok {
		return access, errors.New("these credentials cannot take roles")
	}
	for _, account := range accounts {
		if account == "" || account == access.Caller.AccountID {
			continue
		}
		arn := fmt.Sprintf("arn:%s:iam::%s:role/%s", partitionOf(access.Caller.ARN, region), account, x.RoleName)
		if slices.ContainsFunc(l.ARNs, func(a string) bool { return roleOf(a) != "" && roleOf(a) == roleOf(arn) }) {
			return access, refusedFor("the role " + arn + " is one that the intruder acted as")
		}
		caller := assumer.Assume(arn)
		who, err := identify(ctx, caller, region)
		if err != nil {
			if ctx.Err() != nil {
				return access, ctx.Err()
			}
			err = fmt.Errorf("the role %s could not be taken: %w", arn, err)
			access.Closed[account] = err
			x.places[account] = place{err: err}
			continue
		}
		who.Chain = append(slices.Clone(access.Caller.Chain), access.Caller.ARN, access.Caller.AccessKeyID)
		if why := who.tainted(l); why != "" {
			return access, refusedFor(why)
		}
		if who.AccountID != account {
			return access, fmt.Errorf("%w: the role %s turned out to be in account %s", ErrRefused, arn, who.AccountID)
		}
		x.places[account] = place{caller: caller, who: who}
		access.Roles = append(access.Roles, who)
	}
	if len(access.Accounts(accounts)) == 0 {
		return access, fmt.Errorf("%w: no account of the plan (%s) can be reached: %w", ErrRefused, strings.Join(accounts, ", "), firstError(access.Closed))
	}
	return access, nil
}

func firstError(m map[string]error) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		return m[k]
	}
	return errors.New("it names none")
}

// call makes a call in its account. In a dry run only reads are made.
func (x *run) call(ctx context.Context, at Target, c Call) (Answer, error) {
	if x.dry && !isRead(c.Operation) {
		return Answer{}, fmt.Errorf("%s:%s: %w in a dry run", c.Service, c.Operation, ErrNotExecutable)
	}
	p, ok := x.places[at.AccountID]
	switch {
	case !ok:
		return Answer{}, fmt.Errorf("account %s: %w with these credentials", at.AccountID, ErrNotExecutable)
	case p.err != nil:
		return Answer{}, p.err
	}
	return p.caller.Call(ctx, at, c)
}

// reaches says whether the run has credentials for an account, or had hoped to.
func (x *run) reaches(account string) bool {
	_, ok := x.places[account]
	return ok
}

// ErrUnreadable says that a server does not have a read, so that what it would
// show is not known. That is not the same as nothing.
var ErrUnreadable = errors.New("the server does not answer this read")

// readTries are how often a read is tried that a server seems to lack.
const readTries = 3

// basics are the reads that shutting someone out stands on. Every server has
// them: what looks like a lack of one is a fault, and the action fails.
var basics = []string{"iam:GetUser", "iam:GetRole", "iam:GetGroup", "iam:GetUserPolicy", "iam:GetRolePolicy", "iam:ListAccessKeys",
	"iam:ListUserPolicies", "iam:ListRolePolicies", "iam:ListAttachedUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListGroupsForUser"}

// read makes a read. A fault without a name may pass; a server that lacks an
// operation is not asked for it again.
func (x *run) read(ctx context.Context, at Target, c Call) (Answer, error) {
	name := c.Service + ":" + c.Operation
	for i, wait := 1, firstWait; ; i, wait = i+1, 2*wait {
		a, err := x.call(ctx, at, c)
		if !lacks(err) {
			return a, err
		}
		if i == readTries || x.lacking[name] {
			if slices.Contains(basics, name) {
				return a, err
			}
			x.lacking[name] = true
			return a, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		if err := x.sleep(ctx, wait); err != nil {
			return a, err
		}
	}
}
