package remediate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answerIAM is a server that speaks IAM's protocol as far as a test needs it.
func answerIAM(t *testing.T, answer func(url.Values) (status int, body string)) *AWS {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		form, bad := url.ParseQuery(string(body))
		if err != nil || bad != nil || !strings.Contains(r.UserAgent(), "trailscan/1.2.3") {
			t.Errorf("request %q of %q: %v, %v", body, r.UserAgent(), err, bad)
		}
		w.Header().Set("Date", "Tue, 24 Nov 2026 09:00:07 GMT")
		status, text := answer(form)
		w.WriteHeader(status)
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOPERATOR00000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "made-up")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	a, err := NewAWS(context.Background(), AWSOptions{Endpoint: s.URL, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var there = Target{AccountID: fakeAccount, Region: "us-east-1"}

func TestAWSJoinsPages(t *testing.T) {
	a := answerIAM(t, func(f url.Values) (int, string) {
		if f.Get("Marker") == "" {
			return 200, `<ListAccessKeysResponse><ListAccessKeysResult><IsTruncated>true</IsTruncated><Marker>m</Marker><AccessKeyMetadata><member><AccessKeyId>AKIAONE</AccessKeyId><CreateDate>2026-01-02T03:04:05Z</CreateDate></member></AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>`
		}
		return 200, `<ListAccessKeysResponse><ListAccessKeysResult><IsTruncated>false</IsTruncated><AccessKeyMetadata><member><AccessKeyId>AKIATWO</AccessKeyId></member></AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>`
	})
	answer, err := a.Call(context.Background(), there, iamCall("ListAccessKeys", "UserName", "alice"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"AccessKeyMetadata[].AccessKeyId | join(',', @)": "AKIAONE,AKIATWO",
		"AccessKeyMetadata[0].CreateDate":                "2026-01-02T03:04:05Z",
		"IsTruncated":                                    false,
		"ResultMetadata":                                 nil,
	} {
		if got, err := search(path, answer.Result); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", path, got, err, want)
		}
	}
	if want := time.Date(2026, 11, 24, 9, 0, 7, 0, time.UTC); !answer.Date.Equal(want) {
		t.Errorf("date %v, want AWS's", answer.Date)
	}
}

func TestAWSErrors(t *testing.T) {
	code, status := "", 0
	a := answerIAM(t, func(url.Values) (int, string) {
		return status, `<ErrorResponse><Error><Type>Sender</Type><Code>` + code + `</Code><Message>no</Message></Error></ErrorResponse>`
	})
	for _, c := range []struct {
		code    string
		status  int
		is      func(error) bool
		refused bool
	}{
		{"NoSuchEntity", 404, isGone, true},
		{"LimitExceeded", 409, isLimit, true},
		{"EntityAlreadyExists", 409, isThere, true},
		{"AccessDenied", 403, isDenied, true},
	} {
		code, status = c.code, c.status
		answer, err := a.Call(context.Background(), there, iamCall("GetUserPolicy", "UserName", "alice", "PolicyName", "p"))
		if !c.is(err) || isRefused(err) != c.refused || answer.Date.IsZero() {
			t.Errorf("%s: %v, refused %v, date %v", c.code, err, isRefused(err), answer.Date)
		}
	}
	if isRefused(errLost) || isLimit(apiError("RequestLimitExceeded")) {
		t.Error("no answer is no refusal, and a rate is no quota")
	}
}

func TestAWSMakesNoMalformedCall(t *testing.T) {
	a := answerIAM(t, func(f url.Values) (int, string) {
		t.Errorf("called: %v", f)
		return 500, ""
	})
	for name, c := range map[string]struct {
		call Call
		err  error
		says string
	}{
		"unknown service":    {Call{Service: "nothing", Operation: "GetUser"}, ErrNotExecutable, "no client"},
		"unknown operation":  {iamCall("DestroyUser"), ErrNotExecutable, "no such operation"},
		"a method of Client": {iamCall("Options"), ErrNotExecutable, "no such operation"},
		"unknown parameter":  {iamCall("GetUser", "UserNames", "alice"), errBadCall, "UserNames"},
		"other spelling":     {iamCall("GetUser", "userName", "alice"), errBadCall, "userName"},
		"wrong type":         {iamCall("UpdateRole", "RoleName", "r", "MaxSessionDuration", "long"), errBadCall, "MaxSessionDuration"},
		"the caller itself":  {iamCall("UpdateAccessKey", "AccessKeyId", "AKIALEAKED0000000000", "Status", "Inactive"), errBadCall, "UserName"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Call(context.Background(), there, c.call)
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	if !a.Supports("sts", "GetCallerIdentity") || a.Supports("iam", "DestroyUser") || a.Supports("ec2", "DestroyInstances") {
		t.Error("Supports is wrong")
	}
}

// Every operation that the executor reads or writes by itself must be one of
// the API's, with these parameters.
func TestEffectsAreCallable(t *testing.T) {
	a := offline(t)
	has := func(service, name string, names []string) {
		t.Helper()
		op, err := a.operation(service, name, "us-east-1")
		if err != nil {
			t.Error(err)
			return
		}
		for _, n := range names {
			if !op.has(n) {
				t.Errorf("%s:%s has no %s", service, name, n)
			}
		}
	}
	for name, e := range effects {
		service, operation := splitCall(strings.Fields(name)[0])
		if e.statement != "" {
			has(service, operation, []string{e.statement})
		}
		for _, m := range parameterPlace.FindAllString(e.value, -1) {
			if p := strings.Trim(m, "{}[]"); p != "GroupNames" && p != "UserGroups" { // of one of the two that share it
				has(service, operation, []string{p})
			}
		}
		has(service, operation, append([]string{}, e.by...))
		has(service, e.read, e.by)
		if e.param != "" && e.kind == sets {
			has(service, operation, []string{e.param})
		}
		if e.inverse != "" {
			has(service, e.inverse, e.ids)
			if e.kind == takes && e.param != "" || e.fresh != "" {
				has(service, e.inverse, []string{e.param})
			}
		}
		for _, f := range e.also {
			for n := range f.in {
				has(service, f.read, []string{n})
			}
		}
		if _, err := search(fillPath(e.value, nil), map[string]any{}); err != nil && !strings.Contains(err.Error(), "type") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
