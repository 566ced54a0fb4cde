package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trailscan/internal/mototest"
	"trailscan/remediate"
)

// faults stands between trailscan and moto. It counts the calls that reach moto.
type faults struct {
	moto string

	mu    sync.Mutex
	calls map[string]int
	// instead answers in moto's place; after runs when moto has answered and the
	// answer is not sent yet.
	instead func(action string) (status int, body string)
	after   func(action string)
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	f.mu.Lock()
	instead, after := f.instead, f.after
	f.mu.Unlock()
	if instead != nil {
		if status, text := instead(action); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return
		}
	}
	out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, f.moto+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	out.Header = r.Header.Clone()
	answer, err := http.DefaultClient.Do(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	f.mu.Lock()
	f.calls[action]++
	f.mu.Unlock()
	if after != nil {
		after(action)
	}
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

func (f *faults) set(instead func(string) (int, string), after func(string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead, f.after = instead, after
}

// count gives how often an action reached moto.
func (f *faults) count(action string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[action]
}

// incidentOfAlice is an account in moto with a leaked key, and the plan that
// shuts it out.
type incidentOfAlice struct {
	*faults
	url, plan, journal string
	aws                *remediate.AWS
	key                string
}

const everythingDenied = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

func aliceLeaked(t *testing.T) *incidentOfAlice {
	t.Helper()
	f := &faults{moto: mototest.Start(t), calls: map[string]int{}}
	mototest.Isolate(t)
	sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	t.Cleanup(func() { sleep = nil })
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	t.Chdir(dir)
	i := &incidentOfAlice{faults: f, url: server.URL, plan: filepath.Join(dir, "plan.json"), journal: filepath.Join(dir, "plan.journal.ndjson")}
	var err error
	if i.aws, err = remediate.NewAWS(t.Context(), remediate.AWSOptions{Endpoint: f.moto, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	i.call(t, "CreateUser", map[string]any{"UserName": "alice"})
	i.key, _ = i.call(t, "CreateAccessKey", map[string]any{"UserName": "alice"})["AccessKey"].(map[string]any)["AccessKeyId"].(string)
	iam := func(operation string, parameters map[string]any) remediate.Call {
		return remediate.Call{Service: "iam", Operation: operation, Parameters: parameters}
	}
	action := func(id string, c remediate.Call, back remediate.Call) remediate.Action {
		return remediate.Action{ID: id, Phase: remediate.Contain, Mode: remediate.Auto, AccountID: mototest.Account, Region: "us-east-1",
			Service: c.Service, Operation: c.Operation, Parameters: c.Parameters, Title: id, Rollback: []remediate.Call{back}}
	}
	status := func(s string) map[string]any {
		return map[string]any{"UserName": "alice", "AccessKeyId": i.key, "Status": s}
	}
	policy := map[string]any{"UserName": "alice", "PolicyName": "deny"}
	p := &remediate.Plan{Version: remediate.PlanVersion, Keys: []string{i.key}, AccountIDs: []string{mototest.Account}, LogThrough: time.Now().Add(-time.Hour),
		Lineage: remediate.PlanLineage{AccessKeyIDs: []string{i.key}},
		Actions: []remediate.Action{
			action("deny", iam("PutUserPolicy", map[string]any{"UserName": "alice", "PolicyName": "deny", "PolicyDocument": everythingDenied}), iam("DeleteUserPolicy", policy)),
			action("disable", iam("UpdateAccessKey", status("Inactive")), iam("UpdateAccessKey", status("Active"))),
		}}
	i.write(t, p)
	return i
}

func (i *incidentOfAlice) write(t *testing.T, p *remediate.Plan) {
	t.Helper()
	var err error
	if p.Digest, err = p.ComputeDigest(); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := p.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.plan, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (i *incidentOfAlice) call(t *testing.T, operation string, parameters map[string]any) map[string]any {
	t.Helper()
	a, err := i.aws.Call(t.Context(), remediate.Target{AccountID: mototest.Account, Region: "us-east-1"}, remediate.Call{Service: "iam", Operation: operation, Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	return a.Result
}

// run is `trailscan plan` with flags, and what it printed.
func (i *incidentOfAlice) run(t *testing.T, status int, flags ...string) string {
	t.Helper()
	return i.typing(t, "", status, append(flags, "--yes")...)
}

// typing is run by someone who is asked.
func (i *incidentOfAlice) typing(t *testing.T, answer string, status int, flags ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{"plan", "--endpoint-url", i.url}, flags...)
	if got := run(t.Context(), args, strings.NewReader(answer), &out, &errs); got != status {
		t.Fatalf("%v: exit status %d, want %d\n%s%s", flags, got, status, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// shutOut checks that the policy is there and the key inactive, or that neither
// is so.
func (i *incidentOfAlice) shutOut(t *testing.T, want bool) {
	t.Helper()
	policies, _ := i.call(t, "ListUserPolicies", map[string]any{"UserName": "alice"})["PolicyNames"].([]any)
	keys, _ := i.call(t, "ListAccessKeys", map[string]any{"UserName": "alice"})["AccessKeyMetadata"].([]any)
	inactive := len(keys) == 1 && keys[0].(map[string]any)["Status"] == "Inactive"
	if len(policies) == 1 != want || inactive != want {
		t.Errorf("policies %v, keys %v", policies, keys)
	}
}

// applyAndRollBack carries the plan out, by one call for each action whatever went
// before, and takes it back.
func (i *incidentOfAlice) applyAndRollBack(t *testing.T) {
	t.Helper()
	i.run(t, exitDone, "--plan", i.plan, "--apply")
	i.shutOut(t, true)
	if puts, updates := i.count("PutUserPolicy"), i.count("UpdateAccessKey"); puts != 1 || updates != 1 {
		t.Errorf("%d and %d calls", puts, updates)
	}
	i.run(t, exitDone, "--rollback", i.journal)
	i.shutOut(t, false)
}

// TestKilledBetweenCallAndJournal kills the program itself when a call has taken
// effect and its answer has not arrived.
func TestKilledBetweenCallAndJournal(t *testing.T) {
	for _, at := range []string{"PutUserPolicy", "UpdateAccessKey"} {
		t.Run(at, func(t *testing.T) {
			i := aliceLeaked(t)
			reached := make(chan struct{})
			hold := make(chan struct{})
			i.set(nil, func(action string) {
				if action == at {
					close(reached)
					<-hold
				}
			})
			cmd := exec.CommandContext(t.Context(), "trailscan", "plan", "--plan", i.plan, "--apply", "--yes", "--endpoint-url", i.url)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-reached:
			case <-time.After(time.Minute):
				t.Fatal(at + " was not called")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			i.set(nil, nil)
			close(hold)
			text, err := os.ReadFile(i.journal)
			if err != nil || !strings.Contains(lastLine(string(text)), `"event":"before"`) {
				t.Fatalf("the journal ends with %s, %v", lastLine(string(text)), err)
			}
			i.applyAndRollBack(t)
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestFaultsOfTheServer goes over a real implementation with throttling, a 500
// and a deletion by someone else in the middle.
func TestFaultsOfTheServer(t *testing.T) {
	once := func(action string, status int, body string) func(string) (int, string) {
		left := 1
		return func(a string) (int, string) {
			if a != action || left == 0 {
				return 0, ""
			}
			left--
			return status, body
		}
	}
	throttled := `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`
	broken := `<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceFailure</Code><Message>no</Message></Error></ErrorResponse>`
	for name, instead := range map[string]func(string) (int, string){
		"throttled":          once("PutUserPolicy", 400, throttled),
		"a fault of a write": once("UpdateAccessKey", 500, broken),
		"a fault of a read":  once("GetUserPolicy", 500, "Internal Server Error"),
		"a bare 500":         once("PutUserPolicy", 500, ""),
	} {
		t.Run(name, func(t *testing.T) {
			i := aliceLeaked(t)
			i.set(instead, nil)
			i.applyAndRollBack(t)
		})
	}
	t.Run("a read that always fails", func(t *testing.T) {
		i := aliceLeaked(t)
		i.set(func(action string) (int, string) {
			if action == "GetUserPolicy" {
				return 500, "<!doctype html>"
			}
			return 0, ""
		}, nil)
		if out := i.run(t, exitFailed, "--plan", i.plan, "--apply"); !strings.Contains(out, "1 failed") || i.count("PutUserPolicy") > 0 {
			t.Error(out)
		}
	})
	t.Run("deleted by someone else", func(t *testing.T) {
		i := aliceLeaked(t)
		i.set(func(action string) (int, string) {
			if action == "UpdateAccessKey" {
				i.call(t, "DeleteUserPolicy", map[string]any{"UserName": "alice", "PolicyName": "deny"})
				i.call(t, "DeleteAccessKey", map[string]any{"UserName": "alice", "AccessKeyId": i.key})
				i.call(t, "DeleteUser", map[string]any{"UserName": "alice"})
			}
			return 0, ""
		}, nil)
		if out := i.run(t, exitDone, "--plan", i.plan, "--apply"); !strings.Contains(out, "deleted what it acts on") {
			t.Error(out)
		}
	})
}

// TestDryRunOfTheProgram shows that nothing is called and no file appears.
func TestDryRunOfTheProgram(t *testing.T) {
	i := aliceLeaked(t)
	out := i.run(t, exitDone, "--plan", i.plan, "--apply", "--dry-run")
	if !strings.Contains(out, "2 would be done") || strings.Contains(out, "confirm") {
		t.Error(out)
	}
	i.shutOut(t, false)
	if _, err := os.Stat(i.journal); err == nil {
		t.Error("there is a journal")
	}
	if i.count("PutUserPolicy")+i.count("UpdateAccessKey") > 0 {
		t.Error("it called something")
	}
}

// TestAccountIsConfirmed shows that nothing is called before the account's id is
// typed, in a rollback too.
func TestAccountIsConfirmed(t *testing.T) {
	i := aliceLeaked(t)
	for _, wrong := range []string{"", "\n", "yes\n", "444455556666\n"} {
		if out := i.typing(t, wrong, exitFailed, "--plan", i.plan, "--apply"); !strings.Contains(out, "not confirmed: nothing was called") {
			t.Error(out)
		}
	}
	i.shutOut(t, false)
	i.typing(t, mototest.Account+"\n", exitDone, "--plan", i.plan, "--apply")
	i.typing(t, "no\n", exitFailed, "--rollback", i.journal)
	i.shutOut(t, true)
	i.typing(t, mototest.Account+"\n", exitDone, "--rollback", i.journal)
	i.shutOut(t, false)
}

// TestCredentialsThatAreRefused shows the one line of credentials that AWS does
// not take, and that a profile which starts from the leaked key is refused.
func TestCredentialsThatAreRefused(t *testing.T) {
	i := aliceLeaked(t)
	i.set(func(string) (int, string) {
		return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>`
	}, nil)
	if out := i.run(t, exitFailed, "--plan", i.plan, "--apply"); !strings.Contains(out, "expired or are not valid") || strings.Count(out, "\n") != 1 {
		t.Error(out)
	}
	i.set(nil, nil)
	config := filepath.Join(t.TempDir(), "config")
	text := "[profile lent]\naws_access_key_id=" + i.key + "\naws_secret_access_key=x\n" +
		"[profile chained]\nrole_arn=arn:aws:iam::" + mototest.Account + ":role/ops\nsource_profile=lent\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	for _, profile := range []string{"lent", "chained"} {
		if out := i.run(t, exitFailed, "--plan", i.plan, "--apply", "--profile", profile); !strings.Contains(out, "intruder's hands") {
			t.Error(out)
		}
	}
	if out := i.run(t, exitFailed, "--plan", i.plan, "--apply", "--profile", "nobody"); !strings.Contains(out, "nobody") {
		t.Error(out)
	}
	i.shutOut(t, false)
}

// TestAnotherAccountThroughMoto runs the plan in an account that a role of the
// same name leads to.
func TestAnotherAccountThroughMoto(t *testing.T) {
	i := aliceLeaked(t)
	in, err := os.Open(i.plan)
	if err != nil {
		t.Fatal(err)
	}
	p, err := remediate.ReadPlan(in)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	const other = "444455556666"
	there, ok := i.aws.Assume("arn:aws:iam::" + other + ":role/Responder").(*remediate.AWS)
	if !ok {
		t.Fatal("no AWS")
	}
	i.aws = there
	i.call(t, "CreateUser", map[string]any{"UserName": "alice"})
	key, _ := i.call(t, "CreateAccessKey", map[string]any{"UserName": "alice"})["AccessKey"].(map[string]any)["AccessKeyId"].(string)
	p.AccountIDs = []string{other}
	for n := range p.Actions {
		p.Actions[n].AccountID = other
		for _, parameters := range []map[string]any{p.Actions[n].Parameters, p.Actions[n].Rollback[0].Parameters} {
			if parameters["AccessKeyId"] != nil {
				parameters["AccessKeyId"] = key
			}
		}
	}
	i.write(t, p)
	if out := i.run(t, exitFailed, "--plan", i.plan, "--apply"); !strings.Contains(out, "are of account "+mototest.Account) {
		t.Error(out)
	}
	if out := i.run(t, exitDone, "--plan", i.plan, "--apply", "--assume-role-name", "Responder"); !strings.Contains(out, "assumed-role/Responder/trailscan") {
		t.Error(out)
	}
	i.shutOut(t, true)
	i.run(t, exitDone, "--rollback", i.journal, "--assume-role-name", "Responder")
	i.shutOut(t, false)
}
