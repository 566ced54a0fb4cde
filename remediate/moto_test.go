package remediate

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"trailscan/internal/mototest"
)

// TestMoto applies a plan to an implementation that is not ours, goes over it
// again, evicts, and takes back.
func TestMoto(t *testing.T) {
	url := mototest.Start(t)
	mototest.Isolate(t)
	t.Setenv("AWS_ENDPOINT_URL", url)
	ctx := context.Background()
	aws, err := NewAWS(ctx, AWSOptions{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	call := func(operation string, pairs ...any) map[string]any {
		t.Helper()
		a, err := aws.Call(ctx, there, iamCall(operation, pairs...))
		if err != nil {
			t.Fatal(err)
		}
		if a.Date.IsZero() {
			t.Fatal("the answer has no date")
		}
		return a.Result
	}
	text := func(path string, answer map[string]any) string {
		t.Helper()
		v, err := search(path, answer)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(v)
	}
	own := `{"Version":"2012-10-17","Statement":[{"Sid":"a + b","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	admin := text("Policy.Arn", call("CreatePolicy", "PolicyName", "admin", "PolicyDocument", own))
	alice := text("User.UserId", call("CreateUser", "UserName", "alice"))
	key := text("AccessKey.AccessKeyId", call("CreateAccessKey", "UserName", "alice"))
	call("PutUserPolicy", "UserName", "alice", "PolicyName", "own", "PolicyDocument", own)
	mallory := text("User.UserId", call("CreateUser", "UserName", "mallory"))
	for range 2 {
		call("CreateAccessKey", "UserName", "mallory")
	}
	call("CreateLoginProfile", "UserName", "mallory", "Password", "Made-up-1")
	call("AttachUserPolicy", "UserName", "mallory", "PolicyArn", admin)
	call("PutUserPolicy", "UserName", "mallory", "PolicyName", "a/b c", "PolicyDocument", own)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}`
	call("CreateRole", "RoleName", "deploy", "AssumeRolePolicyDocument", trust)
	call("CreateGroup", "GroupName", "admins")
	call("AddUserToGroup", "GroupName", "admins", "UserName", "mallory")

	snapshot := func() string {
		t.Helper()
		all := call("GetAccountAuthorizationDetails", "Filter", []any{"User", "Role", "Group"})
		keys := call("ListAccessKeys", "UserName", "alice")
		return text("[UserDetailList[].[UserName, UserPolicyList, AttachedManagedPolicies, GroupList], RoleDetailList[].[RoleName, AssumeRolePolicyDocument, RolePolicyList]]", all) +
			text("AccessKeyMetadata[].[AccessKeyId, Status]", keys)
	}
	start := snapshot()

	at := func(a Action) Action { a.AccountID = mototest.Account; return a }
	deny := at(denyAlice.with(func(a *Action) {
		a.Expect = slices.Clone(a.Expect)
		a.Expect[0].Equals = alice
	}))
	disable := at(disableKey.with(func(a *Action) {
		a.Parameters = iamCall("", "UserName", "alice", "AccessKeyId", key, "Status", "Inactive").Parameters
		status := Read{iamCall("ListAccessKeys", "UserName", "alice"), "AccessKeyMetadata[?AccessKeyId==" + jmesString(key) + "].Status | [0]"}
		a.Expect, a.Verify = []Check{{Read: status, Equals: "Active"}}, []Check{{Read: status, Equals: "Inactive"}}
	}))
	actions := []Action{deny, disable, at(revokeDeploy)}
	mine := []Check{{Read: Read{iamCall("GetUser", "UserName", "mallory"), "User.UserId"}, Equals: mallory}}
	evict := append([]Action{final("groups", iamCall("RemoveUserFromGroup", "UserName", "mallory", "GroupName", Item)).with(overMallory("ListGroupsForUser", "Groups[].GroupName"))}, evictMallory...)
	only := []string{}
	for _, a := range evict {
		a.Expect = mine
		a.DependsOn = append([]string{"deny-alice"}, a.DependsOn...)
		if a.ID == "user" {
			a.DependsOn = append(a.DependsOn, "groups")
		}
		actions = append(actions, at(a))
		only = append(only, a.ID)
	}
	actions = append(actions, at(closeTrust), at(do("report", Recover, Review, iamCall("GetAccountSummary"))))
	p := seal(t)
	// The dates are those of moto's clock.
	p.AccountIDs, p.Actions, p.LogThrough = []string{mototest.Account}, actions, time.Now().Add(-time.Hour)
	if p.Digest, err = p.ComputeDigest(); err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	e := &Executor{Caller: aws, Journal: filepath.Join(t.TempDir(), "plan.journal.ndjson"), Secrets: &shown}
	apply := func(only ...string) *Report {
		t.Helper()
		r, err := e.Apply(ctx, p, Selection{Only: only})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	wantStatus(t, apply(), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
	wantStatus(t, apply(), "deny-alice", AlreadyDone, "disable-key", AlreadyDone, "revoke-deploy", AlreadyDone, "close-trust", AlreadyDone)
	r, err := e.Rollback(ctx, e.Journal)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
	if end := snapshot(); end != start {
		t.Errorf("after the rollback\n%s\nwant\n%s", end, start)
	}
	wantStatus(t, apply(), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
	r = apply(append(only, "report")...)
	if r.Failed() {
		t.Errorf("evict: %v", r.Outcomes)
	}
	wantStatus(t, r, "groups", Done, "login", Done, "keys", Done, "detach", Done, "inline", Done, "user", Done, "report", Done)
	if _, err := aws.Call(ctx, there, iamCall("GetUser", "UserName", "mallory")); !isGone(err) {
		t.Errorf("mallory: %v", err)
	}
	if doc := text("PolicyDocument", call("GetUserPolicy", "UserName", "alice", "PolicyName", "own")); !same(doc, own, time.Time{}) {
		t.Errorf("the owner's policy reads %s", doc)
	}
}
