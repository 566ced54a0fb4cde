package remediate

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// fault is AWS's own error, after which a call may have taken effect.
var fault = &smithy.GenericAPIError{Code: "ServiceFailure", Message: "try later", Fault: smithy.FaultServer}

// once makes the nth call of an operation end with an error, before or after it
// takes effect.
func (f *fakeIAM) once(operation string, after bool, err error) {
	f.hook = func(c Call, done bool) error {
		if c.Operation == operation && done == after {
			f.hook = nil
			return err
		}
		return nil
	}
}

// TestFaultInTheMiddle shows that a 500 neither loses a call nor makes it twice.
func TestFaultInTheMiddle(t *testing.T) {
	newKey := do("new-key", Restore, Review, iamCall("CreateAccessKey", "UserName", "alice"))
	for _, after := range []bool{false, true} {
		b := newBench(t)
		b.once("PutUserPolicy", after, fault)
		wantStatus(t, b.apply(t, seal(t, denyAlice, disableKey)), "deny-alice", Done, "disable-key", Done)
		if !slices.Equal(b.log, []string{"PutUserPolicy", "UpdateAccessKey"}) {
			t.Errorf("calls %v", b.log)
		}
		wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done)
		if !maps.Equal(b.things, house) {
			t.Errorf("after the rollback %v", b.things)
		}
		b = newBench(t)
		b.once("CreateAccessKey", after, fault)
		wantStatus(t, b.apply(t, seal(t, newKey), "new-key"), "new-key", Done)
		if !slices.Equal(b.log, []string{"CreateAccessKey"}) {
			t.Errorf("calls %v", b.log)
		}
		wantStatus(t, b.rollback(t), "new-key", Done)
		if !maps.Equal(b.things, house) {
			t.Errorf("after the rollback %v", b.things)
		}
	}
}

func TestFaultInARollback(t *testing.T) {
	for _, operation := range []string{"DeleteUserPolicy", "UpdateAccessKey"} {
		for _, after := range []bool{false, true} {
			b := newBench(t)
			b.apply(t, seal(t, denyAlice, disableKey))
			n := len(b.log)
			b.once(operation, after, fault)
			wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done)
			if !maps.Equal(b.things, house) || len(b.log) != n+2 {
				t.Errorf("%s: after the rollback %v, calls %v", operation, b.things, b.log)
			}
			wantStatus(t, b.rollback(t))
		}
	}
}

// TestDeletedBySomeoneElse shows that what vanishes between the read and the
// call, or after the call, is no failure of what shuts out.
func TestDeletedBySomeoneElse(t *testing.T) {
	for _, at := range []struct {
		operation string
		after     bool
	}{{"PutUserPolicy", false}, {"PutUserPolicy", true}, {"UpdateAccessKey", false}, {"UpdateAccessKey", true}} {
		b := newBench(t)
		b.hook = func(c Call, after bool) error {
			if c.Operation == at.operation && after == at.after {
				maps.DeleteFunc(b.things, func(k, _ string) bool { return strings.HasPrefix(k, "user/alice") })
			}
			return nil
		}
		r := b.apply(t, seal(t, denyAlice, disableKey, revokeDeploy))
		if r.Failed() || outcomes(r)["revoke-deploy"] != Done {
			t.Errorf("%v: %v", at, r.Outcomes)
		}
	}
}

// TestCredentialsExpireInTheMiddle shows that the run ends with one line, and
// that the next one goes on.
func TestCredentialsExpireInTheMiddle(t *testing.T) {
	b := newBench(t)
	p := seal(t, denyAlice, disableKey, revokeDeploy)
	b.hook = func(c Call, after bool) error {
		if len(b.log) == 1 && !after {
			return apiError("ExpiredToken")
		}
		return nil
	}
	r, err := b.exec.Apply(context.Background(), p, Selection{})
	if err == nil || !strings.Contains(err.Error(), "have expired") || r == nil || len(r.Outcomes) != 1 {
		t.Errorf("%v, %v", err, r)
	}
	b.hook = nil
	wantStatus(t, b.apply(t, p), "deny-alice", AlreadyDone, "disable-key", Done, "revoke-deploy", Done)
	wantStatus(t, b.rollback(t), "deny-alice", Done, "disable-key", Done, "revoke-deploy", Done)
	if !maps.Equal(b.things, house) {
		t.Errorf("after the rollback %v", b.things)
	}
}

// TestListThatTheServerLacks shows that an unreadable list is not taken for an
// empty one before the deletion that AWS guards by itself.
func TestListThatTheServerLacks(t *testing.T) {
	special := final("special", iamCall("DeleteServiceSpecificCredential", "UserName", "mallory", "ServiceSpecificCredentialId", Item)).
		with(overMallory("ListServiceSpecificCredentials", "ServiceSpecificCredentials[].ServiceSpecificCredentialId"))
	user := evictMallory[4].with(func(a *Action) { a.DependsOn = []string{"special", "login", "keys", "detach", "inline"} })
	p := ofMallory(t, append(append([]Action{special}, evictMallory[:4]...), user,
		do("after", Evict, Review, iamCall("UpdateAccessKey", "UserName", "alice", "AccessKeyId", "AKIALEAKED0000000000", "Status", "Inactive")).
			with(func(a *Action) { a.DependsOn = []string{"special"} }))...)
	b := newBench(t)
	b.hook = func(c Call, after bool) error {
		if c.Operation == "ListServiceSpecificCredentials" && !after {
			return apiError("NotImplemented")
		}
		return nil
	}
	r := b.apply(t, p, "special", "login", "keys", "detach", "inline", "user", "after")
	wantStatus(t, r, "special", AlreadyDone, "login", Done, "keys", Done, "detach", Done, "inline", Done, "user", Done, "after", Blocked)
	if r.Failed() || !strings.Contains(r.Outcomes[0].Message, "cannot list it") {
		t.Errorf("%v", r.Outcomes)
	}
}

// TestChainGoesOnPastAListThatTheServerLacks shows that the steps between such a
// list and the deletion that AWS guards run too, and that what could not be read
// is as good as done after it, now and the next time.
func TestChainGoesOnPastAListThatTheServerLacks(t *testing.T) {
	special := final("special", iamCall("DeleteServiceSpecificCredential", "UserName", "mallory", "ServiceSpecificCredentialId", Item)).
		with(overMallory("ListServiceSpecificCredentials", "ServiceSpecificCredentials[].ServiceSpecificCredentialId"))
	actions := []Action{special}
	for i, a := range evictMallory {
		actions = append(actions, a.with(func(a *Action) { a.DependsOn = []string{actions[i].ID} }))
	}
	p := ofMallory(t, actions...)
	b := newBench(t)
	b.hook = func(c Call, after bool) error {
		if c.Operation == "ListServiceSpecificCredentials" && !after {
			return apiError("NotImplemented")
		}
		return nil
	}
	all := []string{"special", "login", "keys", "detach", "inline", "user"}
	for _, want := range []Status{Done, AlreadyDone} {
		r := b.apply(t, p, all...)
		wantStatus(t, r, "special", AlreadyDone, "login", want, "keys", want, "detach", want, "inline", want, "user", want)
	}
}

// TestOnlyTheLastOfAChain shows that a step with nothing to do does not hide
// those before it which nobody ran.
func TestOnlyTheLastOfAChain(t *testing.T) {
	idle := final("idle", iamCall("DetachUserPolicy", "UserName", "mallory", "PolicyArn", Item)).
		with(overMallory("ListAttachedUserPolicies", "AttachedPolicies[?PolicyName=='none'].PolicyArn")).with(func(a *Action) { a.DependsOn = []string{"login", "keys"} })
	user := evictMallory[4].with(func(a *Action) { a.DependsOn = []string{"idle"} })
	b := newBench(t)
	_, err := b.exec.Apply(context.Background(), ofMallory(t, append(slices.Clone(evictMallory[:4]), idle, user)...), Selection{Only: []string{"user"}})
	if !errors.Is(err, ErrSelection) || !strings.Contains(err.Error(), "neither done nor named: login, keys") || len(b.log) > 0 {
		t.Errorf("error %v, calls %v", err, b.log)
	}
}

// TestSDKRepeatsOnlyWhatDidNothing goes through the SDK: throttling is waited
// out, a write that ended in a 500 is not sent again by itself, a read is.
func TestSDKRepeatsOnlyWhatDidNothing(t *testing.T) {
	var calls []string
	answers := map[string][]int{"UpdateAccessKey": {400, 503, 200}, "CreateAccessKey": {500, 200}, "GetUser": {500, 200}, "ListServiceSpecificCredentials": {501, 200}}
	a := answerIAM(t, func(f url.Values) (int, string) {
		name := f.Get("Action")
		calls = append(calls, name)
		status := answers[name][0]
		answers[name] = answers[name][1:]
		switch status {
		case 400, 503:
			return status, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`
		case 500:
			return status, `<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceFailure</Code><Message>no</Message></Error></ErrorResponse>`
		case 501:
			return http.StatusInternalServerError, `<!doctype html><title>500 Internal Server Error</title>`
		}
		return 200, `<` + name + `Response><` + name + `Result></` + name + `Result></` + name + `Response>`
	})
	for _, c := range []struct {
		call Call
		sent int
		is   func(error) bool
	}{
		{iamCall("UpdateAccessKey", "UserName", "alice", "AccessKeyId", "AKIALEAKED0000000000", "Status", "Inactive"), 3, func(err error) bool { return err == nil }},
		{iamCall("CreateAccessKey", "UserName", "alice"), 1, func(err error) bool { return err != nil && !isRefused(err) && !lacks(err) }},
		{iamCall("GetUser", "UserName", "alice"), 2, func(err error) bool { return err == nil }},
		{iamCall("ListServiceSpecificCredentials", "UserName", "alice"), 1, lacks},
	} {
		calls = nil
		if _, err := a.Call(context.Background(), there, c.call); !c.is(err) || len(calls) != c.sent {
			t.Errorf("%s was sent %d times: %v", c.call.Operation, len(calls), err)
		}
	}
}

func TestNoNetworkIsSaidAtOnce(t *testing.T) {
	answerIAM(t, func(url.Values) (int, string) { return 200, "" }) // for the credentials
	a, err := NewAWS(context.Background(), AWSOptions{Endpoint: "http://127.0.0.1:9", Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	e := &Executor{Caller: a, Journal: t.TempDir() + "/j.ndjson"}
	_, err = e.Apply(context.Background(), seal(t, denyAlice), Selection{})
	if err == nil || !strings.Contains(err.Error(), "no connection to AWS") || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "attempts") {
		t.Errorf("error %v", err)
	}
}
