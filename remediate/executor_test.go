package remediate

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
	r, err := b.exec.Apply(context.Background(), p, only)
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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOnly(t *testing.T) {
	p := seal(t, append([]Action{denyAlice}, append(slices.Clone(evictMallory), do("ask", Restore, Manual, Call{}))...)...)
	for name, c := range map[string]struct {
		only []string
		err  string
	}{
		"unknown":            {[]string{"nothing"}, `no action "nothing"`},
		"manual":             {[]string{"ask"}, "for a person"},
		"dependency missing": {[]string{"user"}, "neither done nor named"},
		"all named":          {[]string{"user", "login", "keys", "detach", "inline"}, ""},
		"one":                {[]string{"keys"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r, err := b.exec.Apply(context.Background(), p, c.only)
			if c.err == "" && (err != nil || r.Failed() || len(r.Outcomes) != len(c.only)) {
				t.Errorf("%v, %v", r, err)
			}
			if c.err != "" && (!errors.Is(err, ErrSelection) || !strings.Contains(err.Error(), c.err) || len(b.log) > 0) {
				t.Errorf("error %v, calls %v", err, b.log)
			}
		})
	}
}

func TestDependencyDoneBefore(t *testing.T) {
	b := newBench(t)
	p := seal(t, append([]Action{denyAlice}, evictMallory...)...)
	b.apply(t, p, "login", "keys", "detach", "inline")
	wantStatus(t, b.apply(t, p, "user"), "user", Done)
	wantStatus(t, b.apply(t, p, "user", "keys"), "user", AlreadyDone, "keys", AlreadyDone)
	for k := range b.things {
		if strings.HasPrefix(k, "user/mallory") {
			t.Errorf("%s is still there", k)
		}
	}
	wantStatus(t, b.rollback(t), "login", NotExecuted, "keys", NotExecuted, "detach", NotExecuted, "inline", NotExecuted, "user", NotExecuted)
}

// TestDependencyMustStillHold shows that the journal's word is not enough for a
// deny that someone has taken off since.
func TestDependencyMustStillHold(t *testing.T) {
	b := newBench(t)
	keys := evictMallory[1].with(func(a *Action) { a.DependsOn = []string{"deny-alice"} })
	p := seal(t, denyAlice, keys)
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	delete(b.things, "user/alice/inline/deny")
	if _, err := b.exec.Apply(context.Background(), p, []string{"keys"}); !errors.Is(err, ErrSelection) {
		t.Errorf("error %v", err)
	}
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	wantStatus(t, b.apply(t, p, "keys"), "keys", Done)
}

func TestAutoLeavesReviewAlone(t *testing.T) {
	b := newBench(t)
	p := seal(t, append([]Action{denyAlice}, evictMallory...)...)
	wantStatus(t, b.apply(t, p), "deny-alice", Done)
	if got := Irreversible(must(p.Select([]string{"user", "deny-alice"}))); len(got) != 1 || got[0].ID != "user" {
		t.Errorf("irreversible: %v", got)
	}
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
			if _, err := b.exec.Apply(context.Background(), p, c.only); !errors.Is(err, ErrRefused) || len(b.log) > 0 {
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
	if _, err := newBench(t).exec.Apply(context.Background(), &changed, nil); !errors.Is(err, ErrDigest) {
		t.Errorf("a changed plan: %v", err)
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

func TestJournal(t *testing.T) {
	p := seal(t, denyAlice, disableKey)
	t.Run("busy", func(t *testing.T) {
		b := newBench(t)
		j := must(openJournal(b.exec.Journal, true, time.Now))
		if _, err := b.exec.Apply(context.Background(), p, nil); !errors.Is(err, ErrJournalBusy) {
			t.Errorf("error %v", err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		b.apply(t, p)
	})
	t.Run("damaged in the middle", func(t *testing.T) {
		b := newBench(t)
		b.apply(t, p)
		text := must(os.ReadFile(b.exec.Journal))
		text[0] = 'x'
		if err := os.WriteFile(b.exec.Journal, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.exec.Apply(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("missing for a rollback", func(t *testing.T) {
		b := newBench(t)
		if _, err := b.exec.Rollback(context.Background(), b.exec.Journal); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("path", func(t *testing.T) {
		if got := JournalPath("out/plan.json"); got != "out/plan.journal.ndjson" {
			t.Error(got)
		}
	})
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
