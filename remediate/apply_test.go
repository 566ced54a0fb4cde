package remediate

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestApplyRunsOnceAndRollbackRestores(t *testing.T) {
	b := newBench(t)
	p := seal(t, denyAlice, disableKey, revokeDeploy, closeTrust)
	r := b.apply(t, p)
	wantStatus(t, r, "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
	if r.Failed() {
		t.Error("failed")
	}
	if got := b.things["role/deploy/inline/AWSRevokeOlderSessions"]; !strings.Contains(got, "2026-11-24T09:00:") {
		t.Errorf("the cut-off is not AWS's time: %s", got)
	}
	lines := b.lines(t)
	if len(lines) != 8 {
		t.Fatalf("%d lines, want before and after of four calls", len(lines))
	}
	for i, l := range lines {
		if l.Seq != i+1 || l.Event != []string{eventBefore, eventAfter}[i%2] {
			t.Errorf("line %d: seq %d, event %s", i, l.Seq, l.Event)
		}
	}
	if lines[0].Lineage == nil || lines[2].Lineage != nil {
		t.Error("the lineage belongs in the first line of the run only")
	}
	if got := lines[4].Rollback; len(got) != 1 || got[0].Parameters["PolicyDocument"] != house["role/deploy/inline/AWSRevokeOlderSessions"] {
		t.Errorf("the rollback of an overwritten policy must put the old one back: %v", got)
	}
	n := len(b.log)
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", AlreadyDone, "revoke-deploy", AlreadyDone, "close-trust", AlreadyDone)
	if len(b.log) != n {
		t.Errorf("the second run called %v", b.log[n:])
	}
	undo, stays, err := ReadJournal(strings.NewReader(string(must(os.ReadFile(b.exec.Journal)))))
	if err != nil || len(undo) != 4 || len(stays) != 0 {
		t.Errorf("to undo %v, irreversible %v, %v", undo, stays, err)
	}
	wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
	if !maps.Equal(b.things, house) {
		t.Errorf("after rollback: %v", b.things)
	}
	n = len(b.log)
	wantStatus(t, b.rollback(t))
	if len(b.log) != n {
		t.Error("the second rollback called something")
	}
	wantStatus(t, b.apply(t, p), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done, "close-trust", Done)
}

func TestOutcomes(t *testing.T) {
	gone := func(b *bench) {
		maps.DeleteFunc(b.things, func(k, _ string) bool { return strings.HasPrefix(k, "user/alice") })
	}
	for name, c := range map[string]struct {
		actions []Action
		given   func(*bench)
		want    []any
		failed  bool
		writes  []string
	}{
		"already so": {[]Action{denyAlice}, func(b *bench) { b.things["user/alice/inline/deny"] = denyAll },
			[]any{"deny-alice", AlreadyDone}, false, nil},
		"already so, other spacing and encoding": {[]Action{denyAlice}, func(b *bench) {
			b.things["user/alice/inline/deny"] = `{ "Statement": {"Sid":"TrailscanContain","Effect":"Deny","Action":["*"],"Resource":"*"}, "Version":"2012-10-17"}`
		}, []any{"deny-alice", AlreadyDone}, false, nil},
		"drift": {[]Action{denyAlice, closeTrust.with(func(a *Action) { a.DependsOn = []string{"deny-alice"} })},
			func(b *bench) { b.things["user/alice/inline/deny"] = "{}" }, []any{"deny-alice", Drift, "close-trust", Blocked}, true, nil},
		"another user of the name": {[]Action{denyAlice}, func(b *bench) { b.things["user/alice"] = "AIDAOTHER00000000000" },
			[]any{"deny-alice", Drift}, true, nil},
		"gone": {[]Action{denyAlice}, gone, []any{"deny-alice", AlreadyDone}, false, nil},
		"revoked later than the log": {[]Action{revokeDeploy}, func(b *bench) {
			b.things["role/deploy/inline/AWSRevokeOlderSessions"] = strings.ReplaceAll(denyOlder, Now, "2026-11-24T08:00:00Z")
		}, []any{"revoke-deploy", AlreadyDone}, false, nil},
		"revoked before the log's end": {[]Action{revokeDeploy}, func(b *bench) {
			b.things["role/deploy/inline/AWSRevokeOlderSessions"] = strings.ReplaceAll(denyOlder, Now, "2026-11-24T07:59:59Z")
		}, []any{"revoke-deploy", Done}, false, []string{"PutRolePolicy"}},
		"fallback": {[]Action{denyAlice}, func(b *bench) { b.limit["PutUserPolicy"] = true },
			[]any{"deny-alice", Done}, false, []string{"AttachUserPolicy"}},
		"second fallback": {[]Action{denyAlice}, func(b *bench) { b.limit["PutUserPolicy"], b.limit["AttachUserPolicy"] = true, true },
			[]any{"deny-alice", Done}, false, []string{"PutUserPermissionsBoundary"}},
		"every limit": {[]Action{denyAlice, disableKey}, func(b *bench) {
			b.limit["PutUserPolicy"], b.limit["AttachUserPolicy"], b.limit["PutUserPermissionsBoundary"] = true, true, true
		}, []any{"deny-alice", Failed, "disable-key", Done}, true, []string{"UpdateAccessKey"}},
		"a failure blocks what depends on it alone": {[]Action{denyAlice, revokeDeploy, closeTrust.with(func(a *Action) { a.DependsOn = []string{"deny-alice"} })},
			func(b *bench) { b.deny("PutUserPolicy") }, []any{"deny-alice", Failed, "revoke-deploy", Done, "close-trust", Blocked}, true, []string{"PutRolePolicy"}},
		"a service that it has not": {[]Action{do("trail", Preserve, Auto, Call{Service: "cloudtrail", Operation: "StartLogging"}).with(func(a *Action) { a.Rollback = []Call{{}} }),
			denyAlice.with(func(a *Action) { a.DependsOn = []string{"trail"} }), disableKey}, nil, []any{"trail", NotExecuted, "deny-alice", Blocked, "disable-key", Done}, false, []string{"UpdateAccessKey"}},
		"another account": {[]Action{denyAlice.with(func(a *Action) { a.AccountID = "444455556666" }), disableKey}, nil,
			[]any{"deny-alice", NotExecuted, "disable-key", Done}, false, []string{"UpdateAccessKey"}},
		"seen late": {[]Action{denyAlice, disableKey}, func(b *bench) { b.stale = 3 },
			[]any{"deny-alice", Done, "disable-key", Done}, false, []string{"PutUserPolicy", "UpdateAccessKey"}},
		"never seen": {[]Action{denyAlice}, func(b *bench) { b.stale = 1000 },
			[]any{"deny-alice", Failed}, true, []string{"PutUserPolicy"}},
		"answer lost": {[]Action{denyAlice}, func(b *bench) { b.lose("PutUserPolicy", true) },
			[]any{"deny-alice", Done}, false, []string{"PutUserPolicy"}},
		"call lost": {[]Action{denyAlice}, func(b *bench) { b.lose("PutUserPolicy", false) },
			[]any{"deny-alice", Failed}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if c.given != nil {
				c.given(b)
			}
			start := maps.Clone(b.things)
			for i := range c.actions {
				if c.actions[i].Mode == Auto && len(c.actions[i].Rollback) == 0 {
					t.Fatal("an automatic action needs a rollback")
				}
			}
			r := b.apply(t, seal(t, c.actions...))
			wantStatus(t, r, c.want...)
			if r.Failed() != c.failed {
				t.Errorf("failed %v: %v", r.Failed(), r.Outcomes)
			}
			if !slices.Equal(b.log, c.writes) {
				t.Errorf("calls %v, want %v", b.log, c.writes)
			}
			b.hook, b.stale, b.lag = nil, 0, 0
			clear(b.limit)
			b.rollback(t)
			if !maps.Equal(b.things, start) {
				t.Errorf("after rollback %v", b.things)
			}
		})
	}
}

func TestSecretsAreShownOnceAndNeverStored(t *testing.T) {
	b := newBench(t)
	p := seal(t,
		do("password", Evict, Review, iamCall("UpdateLoginProfile", "UserName", "mallory", "Password", Password)).with(func(a *Action) { a.Rollback = nil }),
		do("new-key", Restore, Review, iamCall("CreateAccessKey", "UserName", "alice")))
	wantStatus(t, b.apply(t, p, "password", "new-key"), "password", Done, "new-key", Done)
	shown := b.secrets.String()
	if !strings.Contains(shown, "SecretAccessKey: made-up-secret\n") || !strings.Contains(shown, "password: Password: ") {
		t.Errorf("shown: %s", shown)
	}
	text := string(must(os.ReadFile(b.exec.Journal)))
	for _, line := range strings.Split(strings.TrimSpace(shown), "\n") {
		_, secret, _ := strings.Cut(line, ": ")
		_, secret, _ = strings.Cut(secret, ": ")
		if len(secret) < 10 || strings.Contains(text, secret) {
			t.Errorf("the journal holds %q", secret)
		}
	}
	if !strings.Contains(text, `"Password":"${password}"`) {
		t.Error("the journal does not name the password's place")
	}
	n := len(b.log)
	wantStatus(t, b.apply(t, p, "password", "new-key"), "password", AlreadyDone, "new-key", AlreadyDone)
	if len(b.log) != n {
		t.Error("a key was made twice")
	}
	wantStatus(t, b.rollback(t), "password", NotExecuted, "new-key", Done)
	if b.things["user/alice/key/AKIANEW0000000000001"] != "" {
		t.Error("the new key is still there")
	}
}

func TestLiftedDenyIsNotPutBack(t *testing.T) {
	b := newBench(t)
	lift := do("lift", Restore, Review, iamCall("DeleteUserPolicy", "UserName", "alice", "PolicyName", "deny")).with(func(a *Action) { a.DependsOn = []string{"deny-alice"} })
	p := seal(t, denyAlice, lift)
	b.apply(t, p)
	wantStatus(t, b.apply(t, p, "lift"), "lift", Done)
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone)
	delete(b.things, "user/alice/inline/deny")
	b2 := newBench(t)
	b2.apply(t, p)
	delete(b2.things, "user/alice/inline/deny") // by the intruder
	wantStatus(t, b2.apply(t, p), "deny-alice", Done)
}
