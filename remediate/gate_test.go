package remediate

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailscan/internal/mototest"
	"trailscan/lineage"
)

// lacking answers the calls that moto does not have, as an account without such
// things would.
type lacking struct{ Caller }

func (l lacking) Call(ctx context.Context, at Target, c Call) (Answer, error) {
	switch c.Operation {
	case "ListServiceSpecificCredentials", "DeleteUserPermissionsBoundary":
		return Answer{Date: time.Now(), Result: map[string]any{}}, nil
	}
	return l.Caller.Call(ctx, at, c)
}

// TestEvictionInSeveralRuns applies a plan to moto, then evicts one created user
// a run: what the first run took away, denies included, does not stop the second.
func TestEvictionInSeveralRuns(t *testing.T) {
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
		return a.Result
	}
	ofUser := func(answer map[string]any, name string) string {
		v, err := search("User."+name, answer)
		if err != nil {
			t.Fatal(err)
		}
		return show(v)
	}
	alice := call("CreateUser", "UserName", "alice")
	keyID, err := search("AccessKey.AccessKeyId", call("CreateAccessKey", "UserName", "alice"))
	if err != nil {
		t.Fatal(err)
	}
	key := show(keyID)
	ev := &evidence{accounts: map[string]bool{mototest.Account: true}}
	began := time.Now().Add(-2 * time.Hour)
	for i, name := range []string{"eve", "mallory"} {
		made := call("CreateUser", "UserName", name)
		call("CreateAccessKey", "UserName", name)
		ev.events = append(ev.events, &event{
			id: "event-" + name, time: began.Add(time.Duration(i) * time.Minute), source: "iam", name: "CreateUser", region: "us-east-1", accountID: mototest.Account,
			credential: key, identityARN: ofUser(alice, "Arn"), request: any(object{"userName": name}),
			response: any(object{"user": object{"userName": name, "userId": ofUser(made, "UserId"), "arn": ofUser(made, "Arn")}}),
		})
	}
	l := &lineage.Lineage{Keys: []string{key}, CompromisedSince: began, AsOf: began.Add(time.Hour), Credentials: []lineage.Credential{{
		ID: key, AccessKeyIDs: []string{key}, Kind: lineage.LongTerm, PrincipalID: ofUser(alice, "UserId"), PrincipalARN: ofUser(alice, "Arn"),
		AccountID: mototest.Account, IssuedEventID: "event-0"}}}
	p, err := newPlan(l, ev)
	if err != nil {
		t.Fatal(err)
	}
	e := &Executor{Caller: lacking{aws}, Journal: filepath.Join(t.TempDir(), "plan.journal.ndjson"), Secrets: &bytes.Buffer{}}
	run := func(only ...string) {
		t.Helper()
		r, err := e.Apply(ctx, p, only)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Outcomes {
			if o.Status != Done && o.Status != AlreadyDone {
				t.Errorf("%s %s: %s", o.Action, o.Status, o.Message)
			}
		}
	}
	run()
	if gate := find(p, Revoke, "iam:PutUserPolicy"); len(gate) != 1 || gate[0].Parameters["UserName"] != "alice" || len(gate[0].DependsOn) != 3 {
		t.Fatalf("gate: %+v", gate)
	}
	for _, name := range []string{"mallory", "eve"} {
		var only []string
		for _, a := range p.Actions {
			if a.Phase == Evict && a.Mode == Review && strings.Contains(a.Title, name) {
				only = append(only, a.ID)
			}
		}
		run(only...)
		if _, err := aws.Call(ctx, there, iamCall("GetUser", "UserName", name)); !isGone(err) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	call("GetUser", "UserName", "alice")
}
