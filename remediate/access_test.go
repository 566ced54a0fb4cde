package remediate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

const second = "444455556666"

// twoAccounts is a bench with a second account that a role leads to, and a plan for
// both.
func twoAccounts(t testing.TB) (*bench, *fakeIAM, *Plan) {
	b := newBench(t)
	b.exec.RoleName = "Responder"
	other := newFake(house)
	other.who = Identity{AccountID: second, ARN: "arn:aws:sts::444455556666:assumed-role/Responder/trailscan", UserID: "AROARESPONDER0000000:trailscan", AccessKeyID: "ASIARESPONDER0000000"}
	b.elsewhere = map[string]*fakeIAM{second: other}
	p := seal(t, denyAlice, disableKey, revokeDeploy.with(func(a *Action) { a.AccountID = second }))
	p.AccountIDs = append(p.AccountIDs, second)
	p.Digest = must(p.ComputeDigest())
	return b, other, p
}

func TestOtherAccountsThroughARole(t *testing.T) {
	b, other, p := twoAccounts(t)
	access, err := b.exec.Identify(context.Background(), p, p.Actions)
	if err != nil || !slices.Equal(access.Accounts(p.AccountIDs), p.AccountIDs) || access.Roles[0].ARN != other.who.ARN {
		t.Errorf("access %v, %v", access, err)
	}
	wantStatus(t, b.apply(t, p), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done)
	if want := []string{"PutRolePolicy"}; !slices.Equal(other.log, want) || b.assumed[0] != "arn:aws:iam::444455556666:role/Responder" {
		t.Errorf("calls there %v, roles %v", other.log, b.assumed)
	}
	wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done)
	if !maps.Equal(other.things, house) || !maps.Equal(b.things, house) {
		t.Errorf("after rollback %v\n%v", b.things, other.things)
	}
}

// TestOnlyAnotherAccount shows that the caller may be of an account that the plan
// is not about, with a role that leads there.
func TestOnlyAnotherAccount(t *testing.T) {
	b, _, p := twoAccounts(t)
	b.who.AccountID, b.who.ARN = "777788889999", "arn:aws:iam::777788889999:user/responder"
	b.elsewhere[fakeAccount] = newFake(house)
	b.elsewhere[fakeAccount].who.AccountID = fakeAccount
	wantStatus(t, b.apply(t, p), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done)
	if len(b.log) > 0 {
		t.Errorf("calls in the caller's own account: %v", b.log)
	}
}

func TestARoleThatCannotBeTaken(t *testing.T) {
	b, _, p := twoAccounts(t)
	b.elsewhere = nil
	r := b.apply(t, p)
	wantStatus(t, r, "deny-alice", Done, "disable-key", Done, "revoke-deploy", Failed)
	if !strings.Contains(r.Outcomes[0].Message, "role/Responder could not be taken") {
		t.Errorf("%v", r.Outcomes)
	}
}

func TestAccessRefuses(t *testing.T) {
	for name, c := range map[string]func(*bench, *fakeIAM, *Plan){
		"the role is in the lineage": func(_ *bench, _ *fakeIAM, p *Plan) {
			p.Lineage.ARNs = append(p.Lineage.ARNs, "arn:aws:iam::444455556666:role/ops/Responder")
		},
		"its id is in the lineage": func(_ *bench, _ *fakeIAM, p *Plan) {
			p.Lineage.PrincipalIDs = append(p.Lineage.PrincipalIDs, "AROARESPONDER0000000:x")
		},
		"it leads to another account": func(_ *bench, o *fakeIAM, _ *Plan) { o.who.AccountID = "777788889999" },
		"the caller is in the lineage, the role is not": func(b *bench, _ *fakeIAM, _ *Plan) {
			b.who.AccessKeyID = "AKIALEAKED0000000000"
		},
		"the profile starts from the leaked key": func(b *bench, _ *fakeIAM, _ *Plan) { b.chain = []string{"AKIALEAKED0000000000"} },
		"the profile goes through the role":      func(b *bench, _ *fakeIAM, _ *Plan) { b.chain = []string{"arn:aws:iam::111122223333:role/ci/deploy"} },
		"the profile's key is disabled by the plan": func(b *bench, _ *fakeIAM, p *Plan) {
			b.chain = []string{"AKIASOURCE0000000000"}
			p.Actions[1].Parameters = iamCall("", "UserName", "alice", "AccessKeyId", "AKIASOURCE0000000000", "Status", "Inactive").Parameters
		},
		"the plan denies the role": func(_ *bench, o *fakeIAM, _ *Plan) {
			o.who.ARN, o.who.UserID = "arn:aws:sts::444455556666:assumed-role/deploy/trailscan", "AROAOTHER00000000000:trailscan"
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, other, p := twoAccounts(t)
			if name == "the plan denies the role" {
				p.Lineage.ARNs = p.Lineage.ARNs[:1]
			}
			c(b, other, p)
			p.Digest = must(p.ComputeDigest())
			_, err := b.exec.Apply(context.Background(), p, Selection{})
			if !errors.Is(err, ErrRefused) || len(b.log)+len(other.log) > 0 {
				t.Errorf("error %v, calls %v %v", err, b.log, other.log)
			}
		})
	}
}

func TestUnknownOperationIsRefused(t *testing.T) {
	b := newBench(t)
	p := seal(t, denyAlice, do("frob", Contain, Auto, iamCall("FrobnicateUser", "UserName", "alice")).with(func(a *Action) { a.Rollback = []Call{{}} }))
	if _, err := b.exec.Apply(context.Background(), p, Selection{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "iam:FrobnicateUser") || len(b.log) > 0 {
		t.Errorf("error %v, calls %v", err, b.log)
	}
}
