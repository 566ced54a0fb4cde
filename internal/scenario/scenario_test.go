package scenario

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestShape checks what CloudTrail guarantees of any log.
func TestShape(t *testing.T) {
	log := playNamed(t, "leaked-key")
	if n := len(log.Events); n < 5000 || n > 20000 {
		t.Errorf("%d events, want 5,000 to 20,000", n)
	}
	ids := map[string]bool{}
	issuedAt := map[string]string{} // ASIA id → time of the issuing event
	logins := map[string]bool{}     // principal and time
	for _, e := range log.Events {
		p := parse(t, e)
		if ids[p.EventID] {
			t.Fatalf("event id %s occurs twice", p.EventID)
		}
		ids[p.EventID] = true
		if p.EventTime != stamp(e.Time) || p.AWSRegion != e.Region || p.EventID != e.ID {
			t.Errorf("%s: the event is not what its record says", e.ID)
		}
		if p.RecipientAccountID != log.w.account {
			t.Errorf("%s: recipient %s", e.ID, p.RecipientAccountID)
		}
		if globalServices[strings.TrimSuffix(p.EventSource, ".amazonaws.com")] && p.AWSRegion != "us-east-1" {
			t.Errorf("%s: %s is recorded in %s", e.ID, p.EventSource, p.AWSRegion)
		}
		if p.EventName == "AssumeRole" && !p.ReadOnly {
			t.Errorf("%s: AssumeRole is read-only to CloudTrail", e.ID)
		}
		if id := p.Response.Credentials.AccessKeyID; id != "" {
			if p.ErrorCode != "" {
				t.Errorf("%s: a failed call hands out %s", e.ID, id)
			}
			issuedAt[id] = p.EventTime
			if p.EventName != "GetSigninToken" {
				if _, err := time.Parse(stsTime, p.Response.Credentials.Expiration); err != nil {
					t.Errorf("%s: %v", e.ID, err)
				}
			}
		}
		if p.EventName == "ConsoleLogin" {
			logins[p.Identity.PrincipalID+" "+p.EventTime] = true
			if p.Identity.AccessKeyID != "" {
				t.Errorf("%s: a ConsoleLogin shows no access key", e.ID)
			}
		}
	}
	for _, e := range log.Events {
		p := parse(t, e)
		checkCredential(t, e, p, issuedAt, logins)
	}
}

// checkCredential proves that a used key was handed out by a logged event and
// that the session's age is that event's time.
func checkCredential(t *testing.T, e *Event, p parsed, issuedAt map[string]string, logins map[string]bool) {
	t.Helper()
	key, ctx := p.Identity.AccessKeyID, p.Identity.SessionContext
	switch {
	case strings.HasPrefix(key, "AKIA"):
		if ctx != nil {
			t.Errorf("%s: a long-term key has a session", e.ID)
		}
		return
	case key == "":
		switch p.Identity.Type {
		case "AWSService", "AWSAccount", "WebIdentityUser":
		default:
			if p.EventSource != "signin.amazonaws.com" {
				t.Errorf("%s: %s without a key", e.ID, p.Identity.Type)
			}
		}
		return
	}
	if ctx == nil {
		t.Errorf("%s: temporary key %s without a session", e.ID, key)
		return
	}
	created := ctx.Attributes.CreationDate
	if p.FromConsole == "true" && p.Identity.Type != "FederatedUser" {
		if !logins[p.Identity.PrincipalID+" "+created] {
			t.Errorf("%s: no ConsoleLogin of %s at %s", e.ID, p.Identity.PrincipalID, created)
		}
		return
	}
	if p.FromConsole == "true" { // the session that signed in goes on in the console
		for _, at := range issuedAt {
			if at == created {
				return
			}
		}
		t.Errorf("%s: no federation at %s", e.ID, created)
		return
	}
	if at, ok := issuedAt[key]; !ok {
		t.Errorf("%s: nothing in the log hands out %s", e.ID, key)
	} else if at != created {
		t.Errorf("%s: session %s was created at %s, issued at %s", e.ID, key, created, at)
	}
}

// TestIdentityByOrigin checks the identity that each way of getting
// credentials leaves in the log.
func TestIdentityByOrigin(t *testing.T) {
	log := playNamed(t, "leaked-key")
	seen := map[string]int{}
	for _, e := range log.Events {
		id := parse(t, e).Identity
		if e.by.kind == caller || id.AccessKeyID == "" {
			continue
		}
		kind := e.by.kind
		seen[kind]++
		var issuer sessionIssuer
		if id.SessionContext != nil {
			issuer = id.SessionContext.SessionIssuer
		}
		ok := true
		switch kind {
		case longTerm, sessionToken:
			ok = id.Type == "IAMUser" && issuer == sessionIssuer{}
		case roleSession:
			ok = id.Type == "AssumedRole" && issuer.Type == "Role" && strings.HasPrefix(id.PrincipalID, issuer.PrincipalID+":")
		case federationToken:
			ok = id.Type == "FederatedUser" && issuer.Type == "IAMUser" && strings.HasPrefix(id.PrincipalID, id.AccountID+":")
		case console:
			ok = id.Type == "IAMUser" || id.Type == "Root" || id.Type == "FederatedUser"
		}
		if !ok {
			t.Errorf("%s: a %s is recorded as %+v", e.ID, kind, id)
		}
	}
	for _, kind := range []string{longTerm, sessionToken, roleSession, federationToken, console} {
		if seen[kind] == 0 {
			t.Errorf("no use of a %s in the log", kind)
		}
	}
}

// TestHandsApart proves that the intruder is not in the owner's history: neither
// in its time nor on its networks, nor the owner on the intruder's.
func TestHandsApart(t *testing.T) {
	log := playNamed(t, "leaked-key")
	truth, err := log.Truth()
	if err != nil {
		t.Fatal(err)
	}
	hostile := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")}
	first := ""
	var before, after int // the owner's uses of the key
	for _, e := range log.Events {
		p := parse(t, e)
		addr, err := netip.ParseAddr(p.SourceIPAddress)
		from := err == nil && (hostile[0].Contains(addr) || hostile[1].Contains(addr))
		if e.Hand == Intruder {
			if first == "" {
				first = p.EventTime
			}
			if !from && p.Identity.InvokedBy == "" {
				t.Errorf("%s: the intruder comes from %s", e.ID, p.SourceIPAddress)
			}
			continue
		}
		if from {
			t.Errorf("%s: everyday use comes from %s", e.ID, p.SourceIPAddress)
		}
		if p.Identity.AccessKeyID == truth.Keys[0] {
			if p.EventTime < truth.Since {
				before++
			} else {
				after++
			}
		}
	}
	if first != truth.Since {
		t.Errorf("the intruder's first event is at %s, the truth says %s", first, truth.Since)
	}
	if before < 200 || after < 20 {
		t.Errorf("the owner uses the key %d times before and %d times after: too little", before, after)
	}
}

func TestTruth(t *testing.T) {
	log := playNamed(t, "leaked-key")
	truth, err := log.Truth()
	if err != nil {
		t.Fatal(err)
	}
	hands := map[string]Hand{}
	for _, e := range log.Events {
		hands[e.ID] = e.Hand
	}
	mine := map[string]bool{}
	for _, c := range truth.Lineage.Credentials {
		for _, id := range c.AccessKeyIDs {
			mine[id] = true
		}
		if c.Why == "" {
			t.Errorf("credential %s: the scenario does not say what ends it", c.Name)
		}
		if c.IssuedEventID != "" && hands[c.IssuedEventID] != Intruder {
			t.Errorf("credential %s is not issued to the intruder", c.Name)
		}
	}
	for _, id := range truth.Everyday.CredentialIDs {
		if mine[id] {
			t.Errorf("credential %s is both everyday and the intruder's", id)
		}
	}
	for _, id := range truth.Everyday.Events {
		if hands[id] != Everyday {
			t.Errorf("event %s is not everyday use", id)
		}
	}
	for _, r := range truth.Rules {
		for _, id := range r.Events {
			if hands[id] != Intruder {
				t.Errorf("rule %s names %s, which is not the intruder's", r.Rule, id)
			}
		}
	}
	for _, b := range truth.Benign {
		for _, id := range b.Events {
			if hands[id] != Everyday {
				t.Errorf("benign %s names %s, which is not everyday use", b.Rule, id)
			}
		}
	}
	live := 0
	for _, c := range truth.Lineage.Credentials {
		if c.LiveAtEnd {
			live++
		}
	}
	if live == 0 || live == len(truth.Lineage.Credentials) {
		t.Errorf("%d of %d credentials are alive at the end; the truth should hold both kinds", live, len(truth.Lineage.Credentials))
	}
}

func TestFilesAreInOrder(t *testing.T) {
	log := playNamed(t, "leaked-key")
	files, err := log.Files()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Errorf("only %d files", len(files))
	}
	n := 0
	for _, f := range files {
		last := ""
		for _, p := range records(t, f.Data) {
			n++
			if p.EventTime < last {
				t.Errorf("%s: %s follows %s", f.Path, p.EventTime, last)
			}
			last = p.EventTime
			if !strings.Contains(f.Path, "/CloudTrail/"+p.AWSRegion+"/") {
				t.Errorf("%s holds an event of %s", f.Path, p.AWSRegion)
			}
		}
	}
	if n != len(log.Events) {
		t.Errorf("%d events in files, %d in the log", n, len(log.Events))
	}
}

func TestPlayIsDeterministic(t *testing.T) {
	a, b := playNamed(t, "leaked-key"), playNamed(t, "leaked-key")
	if !bytes.Equal(a.Records(), b.Records()) {
		t.Error("two runs differ")
	}
	s, err := Load("leaked-key")
	if err != nil {
		t.Fatal(err)
	}
	s.Seed++
	c, err := s.Play()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.Records(), c.Records()) {
		t.Error("another seed changes nothing")
	}
}

const small = `{"name": "small", "account": "111122223333", "seed": 1, "from": "2026-09-01", "days": 1,
	"users": {"ana": {"key": true}}, "roles": {"App": {}},
	"origins": {"home": {"ips": ["192.0.2.1"], "agent": "aws-cli command/${command}"}},
	"acts": [{"name": "a", "hand": "intruder", "by": "ana", "from": "home", "steps": [%s]}]}`

// TestStep shows that a call which the catalogue lacks needs no code: the step
// says it all.
func TestStep(t *testing.T) {
	tests := []struct {
		name, step string
		want       []string // of the last record
	}{
		{"a call that no catalogue knows", `{"at": "2026-09-01T10:00:00Z", "call": "quantum:CreateLoop", "new": {"loop": "loop"}, "with": {"name": "x"}, "gets": {"arn": "arn:aws:quantum:${region}:${account}:${loop}"}}`,
			[]string{`"eventSource":"quantum.amazonaws.com"`, `"arn:aws:quantum:us-east-1:111122223333:loop-0`, `command/quantum.create-loop`, `"readOnly":false`}},
		{"its answer hands out a session", `{"at": "2026-09-01T10:00:00Z", "call": "quantum:GetCredentials", "grants": "role_session", "role": "App", "session": "s", "lasts": "2h", "issues": "q", "gets": {"key": "${issued.key}", "until": "${issued.expires}"}}, {"at": "+5s", "by": "q", "call": "sts:GetCallerIdentity"}`,
			[]string{`"type":"AssumedRole"`, `"creationDate":"2026-09-01T10:00:00Z"`, `assumed-role/App/s`}},
		{"a denial in EC2's words", `{"at": "2026-09-01T10:00:00Z", "call": "ec2:RunInstances", "with": {"instanceType": "p5"}, "denied": "arn:aws:ec2:*"}`,
			[]string{`"errorCode":"Client.UnauthorizedOperation"`, `"instanceType":"p5"`, `because no identity-based policy allows the ec2:RunInstances action`}},
		{"a denial hides the request", `{"at": "2026-09-01T10:00:00Z", "call": "iam:CreateUser", "with": {"userName": "x"}, "denied": "user x"}`,
			[]string{`"errorCode":"AccessDenied"`, `"requestParameters":null`, `"responseElements":null`}},
		{"a service calls for the caller", `{"at": "2026-09-01T10:00:00Z", "call": "iam:GetRole", "via": "cloudformation.amazonaws.com", "with": {"roleName": "App"}}`,
			[]string{`"invokedBy":"cloudformation.amazonaws.com"`, `"sourceIPAddress":"cloudformation.amazonaws.com"`}},
		{"a document in a string", `{"at": "2026-09-01T10:00:00Z", "call": "iam:CreateRole", "with": {"roleName": "R", "assumeRolePolicyDocument": {"$json": {"Statement": []}}}}`,
			[]string{`"assumeRolePolicyDocument":"{\"Statement\":[]}"`, `"assumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D"`}},
		{"a step for each value", `{"at": "2026-09-01T10:00:00Z", "for": {"r": ["eu-west-1", "us-west-2"]}, "every": "1s", "region": "${r}", "call": "ec2:DescribeVpcs"}`,
			[]string{`"awsRegion":"us-west-2"`, `"eventTime":"2026-09-01T10:00:01Z"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse([]byte(strings.Replace(small, "%s", tt.step, 1)))
			if err != nil {
				t.Fatal(err)
			}
			log, err := s.Play()
			if err != nil {
				t.Fatal(err)
			}
			got := string(log.Events[len(log.Events)-1].JSON)
			if !json.Valid([]byte(got)) {
				t.Fatalf("no JSON: %s", got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s\nlacks %s", got, want)
				}
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, step, want string }{
		{"unknown member", `{"att": "x"}`, "unknown field"},
		{"unknown credential", `{"at": "2026-09-01T10:00:00Z", "by": "bob", "call": "s3:ListBuckets"}`, `no credential is named "bob"`},
		{"unknown origin", `{"at": "2026-09-01T10:00:00Z", "from": "moon", "call": "s3:ListBuckets"}`, `no origin is named "moon"`},
		{"unknown template", `{"at": "2026-09-01T10:00:00Z", "call": "s3:X", "with": {"a": "${b}"}}`, "${b} is unknown"},
		{"unended template", `{"at": "2026-09-01T10:00:00Z", "call": "s3:X", "with": {"a": "${b"}}`, "has no end"},
		{"no date", `{"at": "+4s", "call": "s3:X"}`, "needs a date"},
		{"another day", `{"at": "2026-10-01T10:00:00Z", "call": "s3:X"}`, "outside its days"},
		{"no service", `{"at": "2026-09-01T10:00:00Z", "call": "X"}`, "is not service:Operation"},
		{"an ended session", `{"at": "2026-09-01T10:00:00Z", "call": "sts:AssumeRole", "role": "App", "session": "s", "issues": "s"}, {"at": "+61m", "by": "s", "call": "s3:X"}`, "after its end"},
		{"a key before its issue", `{"at": "2026-09-01T10:00:00Z", "call": "sts:AssumeRole", "role": "App", "session": "s", "issues": "s"}, {"at": "2026-09-01T09:00:00Z", "by": "s", "call": "s3:X"}`, "before its issue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse([]byte(strings.Replace(small, "%s", tt.step, 1)))
			if err == nil {
				_, err = s.Play()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAccessKeyIDHoldsAccount(t *testing.T) {
	d := newDice(1)
	for _, prefix := range []string{"AKIA", "ASIA"} {
		id := d.id(prefix, "111122223333")
		if len(id) != 20 || !strings.HasPrefix(id, prefix) {
			t.Errorf("%s is no access key id", id)
		}
		number := uint64(0)
		for _, c := range []byte(id[4:14]) { // 50 bits: 1, account (40), 9 others
			number = number<<5 | uint64(strings.IndexByte(base32Letters, c))
		}
		if got := number >> 9 & (1<<40 - 1); got != 111122223333 {
			t.Errorf("%s holds account %d", id, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(strings.Replace(small, "%s", `{"at": "2026-09-01T10:00:00Z", "call": "s3:ListBuckets"}`, 1)))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil || s.Days > 2 {
			return
		}
		if log, err := s.Play(); err == nil {
			for _, e := range log.Events {
				if !json.Valid(e.JSON) {
					t.Errorf("no JSON: %s", e.JSON)
				}
			}
		}
	})
}
