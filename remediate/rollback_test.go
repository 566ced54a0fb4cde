package remediate

import (
	"maps"
	"testing"
)

func TestRollbackLeavesDriftAlone(t *testing.T) {
	b := newBench(t)
	tag := do("tag", Recover, Auto, iamCall("TagUser", "UserName", "alice", "Tags", []any{map[string]any{"Key": "seen", "Value": "1"}})).with(func(a *Action) {
		a.Verify = []Check{{Read: Read{iamCall("ListUserTags", "UserName", "alice"), "Tags[0].Key"}, Equals: "seen"}}
		a.Rollback = []Call{iamCall("UntagUser", "UserName", "alice", "TagKeys", []any{"seen"})}
	})
	b.apply(t, seal(t, denyAlice, disableKey, revokeDeploy, closeTrust, tag))
	b.things["role/deploy/trust"] = `{"Version":"2012-10-17","Statement":[]}`
	b.things["user/alice/key/AKIALEAKED0000000000"] = "Active"
	b.things["user/alice/tag/other"] = "on"
	r := b.rollback(t)
	wantStatus(t, r, "deny-alice", Done, "disable-key", AlreadyDone, "revoke-deploy", Done, "close-trust", Drift, "tag", Drift)
	if !r.Failed() {
		t.Error("drift is no success")
	}
	delete(b.things, "user/alice/tag/other")
	b.things["role/deploy/trust"] = trustNobody
	wantStatus(t, b.rollback(t), "close-trust", Done, "tag", Done)
	if !maps.Equal(b.things, house) {
		t.Errorf("after rollback: %v", b.things)
	}
}

// TestRollbackOntoWhatWasDeleted shows that a policy which cannot go back to a
// user whom another action deleted is no failure.
func TestRollbackOntoWhatWasDeleted(t *testing.T) {
	b := newBench(t)
	admin := "arn:aws:iam::aws:policy/AdministratorAccess"
	off := do("off", Evict, Auto, iamCall("DetachUserPolicy", "UserName", "mallory", "PolicyArn", admin)).
		with(func(a *Action) {
			a.Rollback = []Call{iamCall("AttachUserPolicy", "UserName", "mallory", "PolicyArn", admin)}
		})
	p := ofMallory(t, append([]Action{off}, evictMallory...)...)
	b.apply(t, p, "off", "login", "keys", "detach", "inline", "user")
	r := b.rollback(t)
	wantStatus(t, r, "off", NotExecuted, "login", NotExecuted, "keys", NotExecuted, "inline", NotExecuted, "user", NotExecuted)
	for _, o := range r.Outcomes {
		if o.Action == "off" && o.Message != "user deleted what iam:AttachUserPolicy is about" {
			t.Error(o.Message)
		}
	}
}

// TestRollbackOfWhatWasDeletedSince shows that what our own deletion took along
// is no one else's change.
func TestRollbackOfWhatWasDeletedSince(t *testing.T) {
	b := newBench(t)
	p := ofMallory(t, append([]Action{do("off", Contain, Auto, iamCall("UpdateAccessKey", "UserName", "mallory", "AccessKeyId", "AKIAMALLORY000000000", "Status", "Inactive")).
		with(func(a *Action) {
			a.Rollback = []Call{iamCall("UpdateAccessKey", "UserName", "mallory", "AccessKeyId", "AKIAMALLORY000000000", "Status", "Active")}
		})}, evictMallory...)...)
	b.apply(t, p, "off", "login", "keys", "detach", "inline", "user")
	r := b.rollback(t)
	wantStatus(t, r, "off", NotExecuted, "login", NotExecuted, "keys", NotExecuted, "detach", NotExecuted, "inline", NotExecuted, "user", NotExecuted)
	for _, o := range r.Outcomes {
		if o.Action == "off" && o.Message != "keys deleted what iam:UpdateAccessKey changed" {
			t.Error(o.Message)
		}
	}
}
