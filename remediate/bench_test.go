package remediate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// house is the account before an apply.
var house = map[string]string{
	"user/alice":                            "AIDAALICE00000000000",
	"user/alice/key/AKIALEAKED0000000000":   "Active",
	"user/alice/inline/own":                 `{"Version":"2012-10-17","Statement":[]}`,
	"user/mallory":                          "AIDAMALLORY000000000",
	"user/mallory/key/AKIAMALLORY000000000": "Active",
	"user/mallory/attached/arn:aws:iam::aws:policy/AdministratorAccess": "yes",
	"user/mallory/inline/more":                  `{"Version":"2012-10-17","Statement":[]}`,
	"user/mallory/login":                        "set",
	"role/deploy":                               "AROADEPLOY0000000000",
	"role/deploy/trust":                         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`,
	"role/deploy/inline/AWSRevokeOlderSessions": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2025-01-01T00:00:00Z"}}}]}`,
}

var (
	denyAlice = do("deny-alice", Contain, Auto, iamCall("PutUserPolicy", "UserName", "alice", "PolicyName", "deny", "PolicyDocument", denyAll)).with(func(a *Action) {
		get := iamCall("GetUserPolicy", "UserName", "alice", "PolicyName", "deny")
		a.Expect = []Check{
			{Read: Read{iamCall("GetUser", "UserName", "alice"), "User.UserId"}, Equals: "AIDAALICE00000000000"},
			{Read: Read{get, "PolicyDocument"}, Absent: true},
		}
		a.Verify = []Check{{Read: Read{get, "PolicyDocument"}, Equals: denyAll}}
		a.Rollback = []Call{iamCall("DeleteUserPolicy", "UserName", "alice", "PolicyName", "deny")}
		a.Fallbacks = []Call{
			iamCall("AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/AWSDenyAll"),
			iamCall("PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", "arn:aws:iam::aws:policy/AWSDenyAll"),
		}
	})
	disableKey = do("disable-key", Contain, Auto, iamCall("UpdateAccessKey", "UserName", "alice", "AccessKeyId", "AKIALEAKED0000000000", "Status", "Inactive")).with(func(a *Action) {
		status := Read{iamCall("ListAccessKeys", "UserName", "alice"), "AccessKeyMetadata[?AccessKeyId==`\"AKIALEAKED0000000000\"`].Status | [0]"}
		a.Expect = []Check{{Read: status, Equals: "Active"}}
		a.Verify = []Check{{Read: status, Equals: "Inactive"}}
		a.Rollback = []Call{iamCall("UpdateAccessKey", "UserName", "alice", "AccessKeyId", "AKIALEAKED0000000000", "Status", "Active")}
	})
	revokeDeploy = do("revoke-deploy", Revoke, Auto, iamCall("PutRolePolicy", "RoleName", "deploy", "PolicyName", olderSessions, "PolicyDocument", denyOlder)).with(func(a *Action) {
		a.Verify = []Check{{Read: Read{iamCall("GetRolePolicy", "RoleName", "deploy", "PolicyName", olderSessions), "PolicyDocument"}, Equals: denyOlder}}
		a.Rollback = []Call{iamCall("DeleteRolePolicy", "RoleName", "deploy", "PolicyName", olderSessions)}
	})
	closeTrust = do("close-trust", Recover, Auto, iamCall("UpdateAssumeRolePolicy", "RoleName", "deploy", "PolicyDocument", trustNobody)).with(func(a *Action) {
		a.DependsOn = []string{"revoke-deploy"}
		a.Rollback = []Call{iamCall("UpdateAssumeRolePolicy", "RoleName", "deploy", "PolicyDocument", house["role/deploy/trust"])}
	})
	evictMallory = []Action{
		final("login", iamCall("DeleteLoginProfile", "UserName", "mallory")),
		final("keys", iamCall("DeleteAccessKey", "UserName", "mallory", "AccessKeyId", Item)).with(overMallory("ListAccessKeys", "AccessKeyMetadata[].AccessKeyId")),
		final("detach", iamCall("DetachUserPolicy", "UserName", "mallory", "PolicyArn", Item)).with(overMallory("ListAttachedUserPolicies", "AttachedPolicies[].PolicyArn")),
		final("inline", iamCall("DeleteUserPolicy", "UserName", "mallory", "PolicyName", Item)).with(overMallory("ListUserPolicies", "PolicyNames")),
		final("user", iamCall("DeleteUser", "UserName", "mallory")).with(func(a *Action) { a.DependsOn = []string{"login", "keys", "detach", "inline"} }),
	}
)

func final(id string, c Call) Action {
	return do(id, Evict, Review, c).with(func(a *Action) {
		a.Rollback = nil
		a.Expect = []Check{{Read: Read{iamCall("GetUser", "UserName", "mallory"), "User.UserId"}, Equals: "AIDAMALLORY000000000"}}
	})
}

func overMallory(list, path string) func(*Action) {
	return func(a *Action) { a.ForEach = &Read{iamCall(list, "UserName", "mallory"), path} }
}

// ofMallory seals a plan in whose lineage mallory is, whom the intruder made.
func ofMallory(t testing.TB, actions ...Action) *Plan {
	t.Helper()
	p := seal(t, actions...)
	p.Lineage.ARNs = append(p.Lineage.ARNs, "arn:aws:iam::111122223333:user/mallory")
	p.Digest = must(p.ComputeDigest())
	return p
}

type bench struct {
	*fakeIAM
	exec    *Executor
	secrets bytes.Buffer
}

func newBench(t testing.TB) *bench {
	b := &bench{fakeIAM: newFake(house)}
	b.exec = &Executor{Caller: b.fakeIAM, Journal: filepath.Join(t.TempDir(), "plan.journal.ndjson"), Secrets: &b.secrets, Sleep: noWait}
	return b
}

func (b *bench) apply(t testing.TB, p *Plan, only ...string) *Report {
	t.Helper()
	r, err := b.exec.Apply(context.Background(), p, Selection{Only: only})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bench) rollback(t testing.TB) *Report {
	t.Helper()
	r, err := b.exec.Rollback(context.Background(), b.exec.Journal)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bench) lines(t testing.TB) []entry {
	t.Helper()
	text, err := os.ReadFile(b.exec.Journal)
	if err != nil {
		t.Fatal(err)
	}
	entries, good, err := readEntries(bytes.NewReader(text))
	if err != nil || good != int64(len(text)) {
		t.Fatalf("journal: %v, %d of %d bytes good", err, good, len(text))
	}
	return entries
}

func wantStatus(t testing.TB, r *Report, statuses ...any) {
	t.Helper()
	got := outcomes(r)
	for i := 0; i < len(statuses); i += 2 {
		if id := statuses[i].(string); got[id] != statuses[i+1].(Status) {
			t.Errorf("%s: %q, want %q (%v)", id, got[id], statuses[i+1], r.Outcomes)
		}
	}
	if len(got) != len(statuses)/2 {
		t.Errorf("%d actions in the report, want %d: %v", len(got), len(statuses)/2, got)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// deny makes AWS refuse an operation; lose cuts the connection before or after
// it takes effect.
func (f *fakeIAM) deny(operation string) {
	f.hook = func(c Call, after bool) error {
		if c.Operation == operation && !after {
			return apiError("AccessDenied")
		}
		return nil
	}
}

func (f *fakeIAM) lose(operation string, effect bool) {
	f.hook = func(c Call, after bool) error {
		if c.Operation == operation && after == effect {
			return errLost
		}
		return nil
	}
}
