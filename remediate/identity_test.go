package remediate

import (
	"context"
	"errors"
	"testing"
)

func TestRefuses(t *testing.T) {
	p := seal(t, denyAlice, revokeDeploy, do("deny-responder", Contain, Review, iamCall("PutUserPolicy", "UserName", "responder", "PolicyName", "deny", "PolicyDocument", denyAll)).with(func(a *Action) { a.Phase = Revoke }))
	for name, c := range map[string]struct {
		who  func(*Identity)
		only []string
	}{
		"leaked key":         {func(i *Identity) { i.AccessKeyID = "AKIALEAKED0000000000" }, nil},
		"same user":          {func(i *Identity) { i.UserID = "AIDAALICE00000000000" }, nil},
		"same ARN":           {func(i *Identity) { i.ARN = "arn:aws:iam::111122223333:user/alice" }, nil},
		"session of role id": {func(i *Identity) { i.UserID = "AROADEPLOY0000000000:me" }, nil},
		"session of role":    {func(i *Identity) { i.ARN = "arn:aws:sts::111122223333:assumed-role/deploy/me" }, nil},
		"another account":    {func(i *Identity) { i.AccountID = "444455556666" }, nil},
		"aimed at itself":    {func(*Identity) {}, []string{"deny-responder"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c.who(&b.who)
			if _, err := b.exec.Apply(context.Background(), p, Selection{Only: c.only}); !errors.Is(err, ErrRefused) || len(b.log) > 0 {
				t.Errorf("error %v, calls %v", err, b.log)
			}
			if c.only != nil {
				return
			}
			other := newBench(t)
			other.apply(t, p)
			n := len(other.log)
			c.who(&other.who)
			if _, err := other.exec.Rollback(context.Background(), other.exec.Journal); !errors.Is(err, ErrRefused) || len(other.log) != n {
				t.Errorf("rollback: error %v, calls %v", err, other.log[n:])
			}
		})
	}
	changed := *p
	changed.Actions = changed.Actions[:1]
	if _, err := newBench(t).exec.Apply(context.Background(), &changed, Selection{}); !errors.Is(err, ErrDigest) {
		t.Errorf("a changed plan: %v", err)
	}
}

// TestAccountsOneAfterTheOther shows that what was done with the credentials of
// one account is done for those of the other.
func TestAccountsOneAfterTheOther(t *testing.T) {
	const second = "444455556666"
	elsewhere := disableKey.with(func(a *Action) { a.AccountID, a.DependsOn = second, []string{"deny-alice"} })
	p := seal(t, denyAlice, elsewhere)
	p.AccountIDs = append(p.AccountIDs, second)
	p.Digest = must(p.ComputeDigest())
	b := newBench(t)
	wantStatus(t, b.apply(t, p), "deny-alice", Done, "disable-key", NotExecuted)
	b.who.AccountID = second
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", Done)
	b.who.AccountID = fakeAccount
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", AlreadyDone)
}
