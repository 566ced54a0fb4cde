package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// Identity is whose credentials the calls are made with.
type Identity struct {
	AccountID   string
	ARN         string
	UserID      string // AIDA… of a user, AROA…:session of a role, account:name of a federated user
	AccessKeyID string
	// Chain is the keys and the ARNs of the roles that led to the credentials, as
	// far as that is known.
	Chain []string
}

// ErrRefused says that the caller must not carry out this plan.
var ErrRefused = errors.New("refused")

// identify asks AWS who the caller is. GetCallerIdentity needs no permission.
func identify(ctx context.Context, caller Caller, region string) (Identity, error) {
	key, err := caller.AccessKeyID(ctx)
	if err != nil {
		return Identity{}, err
	}
	a, err := caller.Call(ctx, Target{Region: region}, Call{Service: "sts", Operation: "GetCallerIdentity"})
	if err != nil {
		hint := ""
		var dial *net.OpError
		switch {
		case isDial(err) && errors.As(err, &dial):
			return Identity{}, fmt.Errorf("no connection to AWS, nothing was called: is there a network, and is the endpoint right? (%w)", dial)
		case isExpired(err):
			hint = " (the credentials have expired or are not valid: get new ones; nothing was called)"
		case errorCode(err) == "":
			hint = " (nothing was called; is the endpoint right?)"
		}
		return Identity{}, fmt.Errorf("ask AWS whose credentials these are: %w%s", err, hint)
	}
	text := func(name string) string { s, _ := a.Result[name].(string); return s }
	id := Identity{AccountID: text("Account"), ARN: text("Arn"), UserID: text("UserId"), AccessKeyID: key}
	if id.AccountID == "" || id.ARN == "" {
		return Identity{}, errors.New("ask AWS whose credentials these are: the answer names no account")
	}
	return id, nil
}

// Identify gives whose credentials the actions of a plan would run with, or
// ErrRefused when they must not. Apply asks again by itself.
func (e *Executor) Identify(ctx context.Context, p *Plan, actions []Action) (Access, error) {
	return e.newRun(p).enterPlan(ctx, actions)
}

// enterPlan enters the accounts of actions, and refuses to run those that are
// aimed at a caller.
func (x *run) enterPlan(ctx context.Context, actions []Action) (Access, error) {
	region := ""
	if len(x.plan.Actions) > 0 {
		region = x.plan.Actions[0].Region
	}
	accounts := x.plan.AccountIDs
	if x.RoleName != "" {
		accounts = accountsOf(actions)
	}
	access, err := x.enter(ctx, region, x.plan.Lineage, accounts)
	if err != nil {
		return access, err
	}
	for _, a := range actions {
		for _, who := range append([]Identity{access.Caller}, access.Roles...) {
			if who.shutOutBy(&a) {
				return access, fmt.Errorf("%w: action %s is aimed at the caller itself, %s; use other credentials, or leave it out with --skip", ErrRefused, a.ID, who.ARN)
			}
		}
	}
	return access, nil
}

func accountsOf(actions []Action) []string {
	set := map[string]bool{}
	for _, a := range actions {
		set[a.AccountID] = true
	}
	delete(set, "")
	return slices.Sorted(maps.Keys(set))
}

func (id Identity) mayRun(l PlanLineage, accounts []string) error {
	if why := id.tainted(l); why != "" {
		return refusedFor(why)
	}
	if !slices.Contains(accounts, id.AccountID) {
		return fmt.Errorf("%w: the credentials (%s) are of account %s, and this is about %s; use credentials of that account",
			ErrRefused, id.ARN, id.AccountID, strings.Join(accounts, ", "))
	}
	return nil
}

func refusedFor(why string) error {
	return fmt.Errorf("%w: %s; use credentials that the intruder never had, of a principal that the plan does not touch", ErrRefused, why)
}

// IsRoot says that the caller is the root user of its account: no deny binds it,
// and it should not be used for this.
func (id Identity) IsRoot() bool {
	a, ok := parseARN(id.ARN)
	return ok && a.resource == "root"
}

// tainted says why the caller belongs to the lineage. Any session of a role that
// the intruder had counts: the plan ends all of them, this one included.
func (id Identity) tainted(l PlanLineage) string {
	switch {
	case slices.Contains(l.AccessKeyIDs, id.AccessKeyID):
		return "the access key " + id.AccessKeyID + " is in the intruder's hands"
	case slices.ContainsFunc(l.PrincipalIDs, func(p string) bool { return p == id.UserID || roleID(p) != "" && roleID(p) == roleID(id.UserID) }):
		return "the caller " + id.ARN + " (" + id.UserID + ") is one that the intruder acted as"
	case slices.ContainsFunc(l.ARNs, func(arn string) bool { return arn == id.ARN || roleOf(arn) != "" && roleOf(arn) == roleOf(id.ARN) }):
		return "the caller " + id.ARN + " is one that the intruder acted as"
	}
	for _, link := range id.Chain {
		if slices.Contains(l.AccessKeyIDs, link) || slices.ContainsFunc(l.ARNs, func(arn string) bool { return arn == link || roleOf(arn) != "" && roleOf(arn) == roleOf(link) }) {
			return "the credentials of " + id.ARN + " come from " + link + ", which is in the intruder's hands"
		}
	}
	return ""
}

// roleID is the unique id of the role in a principal id.
func roleID(principal string) string {
	id, _, _ := strings.Cut(principal, ":")
	if strings.HasPrefix(id, "AROA") {
		return id
	}
	return ""
}

// roleOf is account and name of the role in the ARN of a role or of a session;
// a session's ARN lacks the path.
func roleOf(arn string) string {
	a, ok := parseARN(arn)
	if !ok {
		return ""
	}
	parts := strings.Split(a.resource, "/")
	switch {
	case parts[0] == "role" && len(parts) > 1:
		return a.account + "/" + parts[len(parts)-1]
	case parts[0] == "assumed-role" && len(parts) > 1:
		return a.account + "/" + parts[1]
	}
	return ""
}

// shutOutBy says that an action would shut out the caller, or the key that its
// credentials come from.
func (id Identity) shutOutBy(a *Action) bool {
	for _, c := range append([]Call{a.call()}, a.Fallbacks...) {
		if !id.targets(a.AccountID, c) {
			continue
		}
		// Elsewhere a plan may well repair what is the caller's.
		if a.Phase == Contain || a.Phase == Revoke || a.Phase == Evict || c.takesAway() {
			return true
		}
	}
	return false
}

// takesAway says that a call denies or ends something of a user or role.
func (c Call) takesAway() bool {
	document, _ := c.Parameters["PolicyDocument"].(string)
	return strings.Contains(document, `"Deny"`) || c.Parameters["Status"] == "Inactive" || isDenyPolicy(c) ||
		slices.Contains([]string{"DeleteUser", "DeleteRole", "DeleteAccessKey", "DeleteLoginProfile"}, c.Operation)
}

// isDenyPolicy says that a call puts AWSDenyAll on a user or role.
func isDenyPolicy(c Call) bool {
	for _, name := range []string{"PolicyArn", "PermissionsBoundary"} {
		if arn, _ := c.Parameters[name].(string); strings.HasSuffix(arn, ":iam::aws:policy/AWSDenyAll") && !strings.HasPrefix(c.Operation, "De") {
			return true
		}
	}
	return false
}

// targets says that a call is aimed at the caller, or at the key that its
// credentials come from.
func (id Identity) targets(account string, c Call) bool {
	if c.Service != "iam" || isRead(c.Operation) {
		return false
	}
	if key, _ := c.Parameters["AccessKeyId"].(string); key != "" && (key == id.AccessKeyID || slices.Contains(id.Chain, key)) {
		return true
	}
	for _, arn := range append([]string{id.ARN}, id.Chain...) {
		a, ok := parseARN(arn)
		if !ok || account != a.account {
			continue
		}
		parts := strings.Split(a.resource, "/")
		switch {
		case len(parts) < 2:
		case parts[0] == "user" && c.Parameters["UserName"] == parts[len(parts)-1],
			parts[0] == "role" && c.Parameters["RoleName"] == parts[len(parts)-1],
			parts[0] == "assumed-role" && c.Parameters["RoleName"] == parts[1]:
			return true
		}
	}
	return false
}
