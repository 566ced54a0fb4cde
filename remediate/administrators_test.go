package remediate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	everything  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
	anyone      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
	machines    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

func TestTheLastAdministratorStays(t *testing.T) {
	denyMallory := denyAlice.with(func(a *Action) {
		a.ID, a.Expect, a.Verify = "deny-mallory", nil, nil
		a.Parameters = iamCall("", "UserName", "mallory", "PolicyName", "deny", "PolicyDocument", denyAll).Parameters
		a.Rollback = []Call{iamCall("DeleteUserPolicy", "UserName", "mallory", "PolicyName", "deny")}
	})
	both := []Action{denyAlice, denyMallory}
	for name, c := range map[string]struct {
		actions []Action
		things  map[string]string
		admins  []Administrator
		unread  bool
		skip    []string
		only    []string
		lineage []string
		refused bool
	}{
		"nobody else": {actions: both, refused: true},
		"the other is contained by the same plan, though not now": {actions: both, skip: []string{"deny-alice"}, refused: true},
		"an attached policy": {actions: both, things: map[string]string{"user/bob": "id", "user/bob/attached/" + adminPolicy: "yes"}},
		"an inline policy":   {actions: both, things: map[string]string{"user/bob": "id", "user/bob/inline/all": everything}},
		"a group": {actions: both, things: map[string]string{"user/bob": "id", "user/bob/group/admins": "yes",
			"group/admins": "id", "group/admins/attached/" + adminPolicy: "yes"}},
		"a group without members": {actions: both, things: map[string]string{"group/admins": "id", "group/admins/attached/" + adminPolicy: "yes"}, refused: true},
		"a role":                  {actions: both, things: map[string]string{"role/ops": "id", "role/ops/trust": anyone, "role/ops/attached/" + adminPolicy: "yes"}},
		"a permission set": {actions: both, things: map[string]string{"role/AWSReservedSSO_AdministratorAccess_0123456789abcdef": "id",
			"role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/trust":                   strings.ReplaceAll(anyone, `"AWS"`, `"Federated"`),
			"role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/attached/" + adminPolicy: "yes"}},
		"a role of machines":                 {actions: both, things: map[string]string{"role/ops": "id", "role/ops/trust": machines, "role/ops/attached/" + adminPolicy: "yes"}, refused: true},
		"one who is denied":                  {actions: both, things: map[string]string{"user/bob": "id", "user/bob/attached/" + adminPolicy: "yes", "user/bob/inline/no": denyAll}, refused: true},
		"not an administrator":               {actions: []Action{denyAlice, disableKey}},
		"sessions alone":                     {actions: []Action{revokeDeploy}, things: map[string]string{"role/deploy/attached/" + adminPolicy: "yes"}},
		"the intruder's grant is taken back": {actions: evictMallory[2:3]},
		"the intruder's user is deleted": {actions: []Action{denyMallory, evictMallory[4].with(func(a *Action) { a.DependsOn = nil })},
			lineage: []string{"arn:aws:iam::111122223333:user/mallory"}},
		"someone else's user is deleted": {actions: []Action{evictMallory[4].with(func(a *Action) { a.DependsOn = nil })}, only: []string{"user"}, refused: true},
		"unreadable, the log knows another": {actions: both, unread: true,
			admins: []Administrator{{fakeAccount, "user", "mallory"}, {fakeAccount, "user", "bob"}}},
		"unreadable, the log knows no other":     {actions: both, unread: true, admins: []Administrator{{fakeAccount, "user", "mallory"}}, refused: true},
		"unreadable, the log knows nothing":      {actions: both, unread: true},
		"unreadable, the log knows of elsewhere": {actions: both, unread: true, admins: []Administrator{{second, "user", "mallory"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for k, v := range c.things {
				b.things[k] = v
			}
			if c.unread {
				b.deny("GetAccountAuthorizationDetails")
			}
			p := seal(t, c.actions...)
			p.Administrators = c.admins
			p.Lineage.ARNs = append(p.Lineage.ARNs, c.lineage...)
			p.Digest = must(p.ComputeDigest())
			_, err := b.exec.Apply(context.Background(), p, Selection{Skip: c.skip, Only: c.only})
			if errors.Is(err, ErrRefused) != c.refused || !c.refused && err != nil || c.refused && len(b.log) > 0 {
				t.Errorf("error %v, calls %v", err, b.log)
			}
		})
	}
}

// TestLastAdministratorAlreadyDenied shows that a second run is not refused for
// what the first one did.
func TestLastAdministratorAlreadyDenied(t *testing.T) {
	b := newBench(t)
	b.things["user/alice/attached/"+adminPolicy] = "yes"
	p := seal(t, denyAlice, disableKey)
	wantStatus(t, b.apply(t, p), "deny-alice", Done, "disable-key", Done)
	for k := range b.things {
		if strings.HasPrefix(k, "user/mallory") {
			delete(b.things, k)
		}
	}
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", AlreadyDone)
}

func TestLoggedGrants(t *testing.T) {
	var events []*event
	say := func(name string, pairs ...string) {
		request := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			request[pairs[i]] = pairs[i+1]
		}
		e := &event{source: "iam", name: name, accountID: fakeAccount, request: request, time: time.Unix(int64(len(events)), 0)}
		if name == "CreatePolicy" {
			e.response = map[string]any{"policy": map[string]any{"arn": "arn:aws:iam::111122223333:policy/" + request["policyName"].(string)}}
		}
		events = append(events, e)
	}
	say("AttachUserPolicy", "userName", "a", "policyArn", adminPolicy)
	say("AttachUserPolicy", "userName", "b", "policyArn", adminPolicy)
	say("DetachUserPolicy", "userName", "b", "policyArn", adminPolicy)
	say("PutRolePolicy", "roleName", "c", "policyName", "p", "policyDocument", everything)
	say("PutUserPolicy", "userName", "d", "policyName", "p", "policyDocument", everything)
	say("PutUserPolicy", "userName", "d", "policyName", "p", "policyDocument", denyAll)
	say("CreatePolicy", "policyName", "own", "policyDocument", everything)
	say("AttachGroupPolicy", "groupName", "g", "policyArn", "arn:aws:iam::111122223333:policy/own")
	say("AddUserToGroup", "groupName", "g", "userName", "e")
	say("AddUserToGroup", "groupName", "g", "userName", "f")
	say("RemoveUserFromGroup", "groupName", "g", "userName", "f")
	say("AttachUserPolicy", "userName", "h", "policyArn", adminPolicy)
	say("DeleteUser", "userName", "h")
	if got, want := fmt.Sprint(loggedGrants(events).administrators()), "[{111122223333 role c} {111122223333 user a} {111122223333 user e}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
