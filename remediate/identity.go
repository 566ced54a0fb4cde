package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Identity is whose credentials the calls are made with.
type Identity struct {
	AccountID   string
	ARN         string
	UserID      string // AIDA… of a user, AROA…:session of a role, account:name of a federated user
	AccessKeyID string
}

// ErrRefused says that the caller must not carry out this plan.
var ErrRefused = errors.New("refused")

// identify asks AWS who the caller is. GetCallerIdentity needs no permission.
func (e *Executor) identify(ctx context.Context, region string) (Identity, error) {
	key, err := e.Caller.AccessKeyID(ctx)
	if err != nil {
		return Identity{}, err
	}
	a, err := e.Caller.Call(ctx, Target{Region: region}, Call{Service: "sts", Operation: "GetCallerIdentity"})
	if err != nil {
		hint := ""
		if errorCode(err) == "" {
			hint = " (is there a network, and is the endpoint right?)"
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

// Identify gives the caller's identity, or ErrRefused when it must not carry out
// the plan: it is in the lineage, or in none of the plan's accounts. Apply asks
// again by itself.
func (e *Executor) Identify(ctx context.Context, p *Plan) (Identity, error) {
	region := ""
	if len(p.Actions) > 0 {
		region = p.Actions[0].Region
	}
	id, err := e.identify(ctx, region)
	if err != nil {
		return id, err
	}
	return id, id.mayRun(p.Lineage, p.AccountIDs)
}

func (id Identity) mayRun(l PlanLineage, accounts []string) error {
	if why := id.tainted(l); why != "" {
		return fmt.Errorf("%w: %s; use credentials that the intruder never had, of a principal that the plan does not touch", ErrRefused, why)
	}
	if !slices.Contains(accounts, id.AccountID) {
		return fmt.Errorf("%w: the credentials (%s) are of account %s, and this is about %s; use credentials of that account",
			ErrRefused, id.ARN, id.AccountID, strings.Join(accounts, ", "))
	}
	return nil
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

// targets says that a call would shut out or empty the caller itself.
func (id Identity) targets(account string, c Call) bool {
	a, ok := parseARN(id.ARN)
	if !ok || account != id.AccountID || c.Service != "iam" {
		return false
	}
	parts := strings.Split(a.resource, "/")
	switch parts[0] {
	case "user":
		return c.Parameters["UserName"] == parts[len(parts)-1]
	case "assumed-role":
		return len(parts) > 1 && c.Parameters["RoleName"] == parts[1]
	}
	return false
}
