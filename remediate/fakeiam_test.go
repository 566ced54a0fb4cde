package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
)

const (
	fakeAccount = "111122223333"
	operator    = "arn:aws:iam::111122223333:user/responder"
)

// fakeIAM is an account in memory: "user/alice" and what hangs below it. It
// answers as IAM does, documents URL-encoded.
type fakeIAM struct {
	things map[string]string
	who    Identity
	now    time.Time
	log    []string // writes that reached it
	keys   int
	limit  map[string]bool // operations that a quota forbids
	// hook, if set, is called before and after each call takes effect; an
	// error before it is AWS's answer, one after it hides the answer.
	hook func(c Call, after bool) error
	// stale makes this many reads after a write show the state before it.
	stale, lag int
	old        map[string]string
	// elsewhere are the accounts that roles lead to; assumed, the roles taken.
	elsewhere map[string]*fakeIAM
	assumed   []string
	chain     []string
}

// Assume takes a role of an account that the fake knows.
func (f *fakeIAM) Assume(roleARN string) Caller {
	f.assumed = append(f.assumed, roleARN)
	a, _ := parseARN(roleARN)
	other := f.elsewhere[a.account]
	if other == nil {
		other = newFake(nil)
		other.deny("GetCallerIdentity")
	}
	return other
}

func (f *fakeIAM) Chain() []string { return f.chain }

func (f *fakeIAM) Has(service string) bool { return service == "iam" }

func newFake(things map[string]string) *fakeIAM {
	return &fakeIAM{
		things: maps.Clone(things), limit: map[string]bool{},
		who: Identity{AccountID: fakeAccount, ARN: operator, UserID: "AIDAOPERATOR00000000", AccessKeyID: "AKIAOPERATOR00000000"},
		now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
	}
}

func (f *fakeIAM) AccessKeyID(context.Context) (string, error) { return f.who.AccessKeyID, nil }

func (f *fakeIAM) Supports(service, operation string) bool {
	return service == "sts" || service == "iam" && !strings.HasPrefix(operation, "Frob")
}

func apiError(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "no", Fault: smithy.FaultClient}
}

func (f *fakeIAM) Call(ctx context.Context, _ Target, c Call) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	f.now = f.now.Add(time.Second)
	date := f.now
	if f.hook != nil {
		if err := f.hook(c, false); err != nil {
			return Answer{Date: date}, err
		}
	}
	if f.limit[c.Operation] {
		return Answer{Date: date}, apiError("LimitExceeded")
	}
	saved := maps.Clone(f.things)
	if isRead(c.Operation) && f.lag > 0 {
		f.lag--
		f.things, saved = f.old, f.things
		defer func() { f.things = saved }()
	}
	result, err := f.do(c)
	if err == nil && !isRead(c.Operation) {
		f.log = append(f.log, c.Operation)
		f.old, f.lag = saved, f.stale
	}
	if f.hook != nil && err == nil {
		if err := f.hook(c, true); err != nil {
			return Answer{}, err
		}
	}
	return Answer{Result: result, Date: date}, err
}

func (f *fakeIAM) do(c Call) (map[string]any, error) {
	p := func(name string) string { s, _ := c.Parameters[name].(string); return s }
	if c.Operation == "GetCallerIdentity" {
		return map[string]any{"Account": f.who.AccountID, "Arn": f.who.ARN, "UserId": f.who.UserID}, nil
	}
	if c.Operation == "GetAccessKeyLastUsed" {
		return map[string]any{}, nil
	}
	if c.Operation == "GetAccountAuthorizationDetails" {
		return f.details(), nil
	}
	kind, name := "user", p("UserName")
	if p("RoleName") != "" {
		kind, name = "role", p("RoleName")
	}
	base := kind + "/" + name
	noun := strings.ToUpper(kind[:1]) + kind[1:]
	if name == "" {
		return nil, fmt.Errorf("%s names no user or role", c.Operation)
	}
	if _, ok := f.things[base]; !ok && c.Operation != "Create"+noun {
		return nil, apiError("NoSuchEntity")
	}
	under := func(what string) []string {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(f.things)) {
			if rest, ok := strings.CutPrefix(k, base+"/"+what+"/"); ok {
				out = append(out, rest)
			}
		}
		return out
	}
	list := func(key, field string, names []string) map[string]any {
		out := []any{}
		for _, n := range names {
			out = append(out, map[string]any{field: n})
		}
		return map[string]any{key: out}
	}
	need := func(key string) error {
		if _, ok := f.things[key]; !ok {
			return apiError("NoSuchEntity")
		}
		return nil
	}
	remove := func(key string) (map[string]any, error) {
		err := need(key)
		delete(f.things, key)
		return nil, err
	}
	inline, attached := base+"/inline/"+p("PolicyName"), base+"/attached/"+p("PolicyArn")
	switch strings.ReplaceAll(c.Operation, noun, "X") {
	case "CreateX":
		if _, ok := f.things[base]; ok {
			return nil, apiError("EntityAlreadyExists")
		}
		f.things[base] = "id"
	case "GetX":
		x := map[string]any{noun + "Id": f.things[base], "CreateDate": "2026-01-01T00:00:00Z"}
		if d, ok := f.things[base+"/trust"]; ok {
			x["AssumeRolePolicyDocument"] = strings.ReplaceAll(url.QueryEscape(d), "+", "%20")
		}
		if b, ok := f.things[base+"/boundary"]; ok {
			x["PermissionsBoundary"] = map[string]any{"PermissionsBoundaryArn": b}
		}
		return map[string]any{noun: x}, nil
	case "DeleteX":
		for k := range f.things {
			if strings.HasPrefix(k, base+"/") && k != base+"/trust" {
				return nil, apiError("DeleteConflict")
			}
		}
		delete(f.things, base+"/trust")
		return remove(base)
	case "PutXPolicy":
		f.things[inline] = p("PolicyDocument")
	case "GetXPolicy":
		return map[string]any{"PolicyDocument": strings.ReplaceAll(url.QueryEscape(f.things[inline]), "+", "%20")}, need(inline)
	case "DeleteXPolicy":
		return remove(inline)
	case "ListXPolicies":
		out := []any{}
		for _, n := range under("inline") {
			out = append(out, n)
		}
		return map[string]any{"PolicyNames": out}, nil
	case "AttachXPolicy":
		f.things[attached] = "yes"
	case "DetachXPolicy":
		return remove(attached)
	case "ListAttachedXPolicies":
		return list("AttachedPolicies", "PolicyArn", under("attached")), nil
	case "PutXPermissionsBoundary":
		f.things[base+"/boundary"] = p("PermissionsBoundary")
	case "DeleteXPermissionsBoundary":
		return remove(base + "/boundary")
	case "UpdateAssumeXPolicy":
		f.things[base+"/trust"] = p("PolicyDocument")
	case "ListAccessKeys":
		out := []any{}
		for _, k := range under("key") {
			out = append(out, map[string]any{"AccessKeyId": k, "Status": f.things[base+"/key/"+k], "UserName": name})
		}
		return map[string]any{"AccessKeyMetadata": out}, nil
	case "CreateAccessKey":
		f.keys++
		id := fmt.Sprintf("AKIANEW%013d", f.keys)
		f.things[base+"/key/"+id] = "Active"
		return map[string]any{"AccessKey": map[string]any{"AccessKeyId": id, "SecretAccessKey": "made-up-secret", "UserName": name}}, nil
	case "UpdateAccessKey":
		if err := need(base + "/key/" + p("AccessKeyId")); err != nil {
			return nil, err
		}
		f.things[base+"/key/"+p("AccessKeyId")] = p("Status")
	case "DeleteAccessKey":
		return remove(base + "/key/" + p("AccessKeyId"))
	case "UpdateLoginProfile":
		if len(p("Password")) != passwordLength {
			return nil, apiError("PasswordPolicyViolation")
		}
		f.things[base+"/login"] = "new"
	case "GetLoginProfile":
		return map[string]any{"LoginProfile": map[string]any{"UserName": name, "CreateDate": "2026-01-01T00:00:00Z"}}, need(base + "/login")
	case "DeleteLoginProfile":
		return remove(base + "/login")
	case "TagX":
		for _, t := range c.Parameters["Tags"].([]any) {
			f.things[base+"/tag/"+t.(map[string]any)["Key"].(string)] = "on"
		}
	case "UntagX":
		for _, t := range c.Parameters["TagKeys"].([]any) {
			delete(f.things, base+"/tag/"+t.(string))
		}
	case "ListXTags":
		return list("Tags", "Key", under("tag")), nil
	default:
		return nil, fmt.Errorf("the fake has no %s", c.Operation)
	}
	return nil, nil
}

// details is the account as GetAccountAuthorizationDetails has it.
func (f *fakeIAM) details() map[string]any {
	lists := map[string][]any{}
	for _, base := range slices.Sorted(maps.Keys(f.things)) {
		kind, name, _ := strings.Cut(base, "/")
		if strings.Contains(name, "/") {
			continue
		}
		noun := strings.ToUpper(kind[:1]) + kind[1:]
		var inline, attached, groups []any
		for k, v := range f.things {
			rest, ok := strings.CutPrefix(k, base+"/")
			what, name, _ := strings.Cut(rest, "/")
			switch {
			case !ok:
			case what == "inline":
				inline = append(inline, map[string]any{"PolicyName": name, "PolicyDocument": url.QueryEscape(v)})
			case what == "attached":
				attached = append(attached, map[string]any{"PolicyArn": name})
			case what == "group":
				groups = append(groups, name)
			}
		}
		lists[noun+"DetailList"] = append(lists[noun+"DetailList"], map[string]any{
			noun + "Name": name, noun + "PolicyList": inline, "AttachedManagedPolicies": attached, "GroupList": groups,
			"AssumeRolePolicyDocument": url.QueryEscape(f.things[base+"/trust"]),
		})
	}
	out := map[string]any{}
	for k, v := range lists {
		out[k] = v
	}
	return out
}

// iam makes a call from name, value pairs.
func iamCall(operation string, pairs ...any) Call {
	in := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		in[pairs[i].(string)] = pairs[i+1]
	}
	return Call{Service: "iam", Operation: operation, Parameters: in}
}

func do(id string, phase Phase, mode Mode, c Call) Action {
	return Action{
		ID: id, Phase: phase, Mode: mode, AccountID: fakeAccount, Region: "us-east-1", Service: c.Service, Operation: c.Operation,
		Parameters: c.Parameters, Title: id, Rollback: []Call{},
	}
}

func (a Action) with(change func(*Action)) Action {
	change(&a)
	return a
}

func seal(t testing.TB, actions ...Action) *Plan {
	t.Helper()
	p := &Plan{
		Version: PlanVersion, AccountIDs: []string{fakeAccount}, LogThrough: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Actions: actions,
		Lineage: PlanLineage{AccessKeyIDs: []string{"AKIALEAKED0000000000"}, PrincipalIDs: []string{"AIDAALICE00000000000", "AROADEPLOY0000000000:x"},
			ARNs: []string{"arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/ci/deploy"}},
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.Digest, err = p.ComputeDigest(); err != nil {
		t.Fatal(err)
	}
	return p
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func outcomes(r *Report) map[string]Status {
	out := map[string]Status{}
	for _, o := range r.Outcomes {
		out[o.Action] = o.Status
	}
	return out
}

var errLost = errors.New("connection reset")
