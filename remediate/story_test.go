package remediate

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/lineage"
	"trailscan/query"
)

const (
	account  = "111122223333"
	leaked   = "AKIAIOSFODNN7EXAMPLE"
	aliceARN = "arn:aws:iam::111122223333:user/alice"
	aliceID  = "AIDACKCEVSQ6C2EXAMPLE"
)

// start is when the intruder of a story begins.
var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

type object = map[string]any

// call is one event of a story.
type call struct {
	by      string // a credential of the lineage, or "" for someone else
	at      time.Duration
	api     string // "iam:CreateUser"
	rq, rs  object
	region  string
	account string
	err     string
	actor   lineage.Actor
	read    bool

	owner      bool   // by the owner of the leaked key
	identity   object // userIdentity, where the planner reads it
	additional object // additionalEventData
}

// story is a case made by hand: calls, and the lineage that a tracer would find.
type story struct {
	calls       []call
	credentials []lineage.Credential
	principals  []lineage.Principal
}

func ptr[T any](v T) *T { return &v }

// leakedKey is the root of every story.
func leakedKey() lineage.Credential {
	return lineage.Credential{ID: leaked, AccessKeyIDs: []string{leaked}, Kind: lineage.LongTerm, PrincipalID: aliceID, PrincipalARN: aliceARN, AccountID: account}
}

func roleSession(name string) lineage.Credential {
	return lineage.Credential{
		ID: "ASIA" + name, AccessKeyIDs: []string{"ASIA" + name}, Kind: lineage.RoleSession, PrincipalID: "AROA" + name + ":s",
		PrincipalARN: "arn:aws:sts::111122223333:assumed-role/" + name + "/s", AccountID: account, SessionName: "s", Parent: ptr(leaked),
		Via: "sts:AssumeRole", IssuedEventID: "issue-" + name, ExpiresAt: ptr(start.Add(time.Hour)),
	}
}

func (s story) open(t testing.TB) (*query.Case, *lineage.Lineage) {
	t.Helper()
	c := emptyCase(t)
	text := func(o object) any {
		if o == nil {
			return nil
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tx, err := c.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	casetest.Stage(t, tx)
	for i, k := range s.calls {
		source, name := splitCall(k.api)
		region, acct, key, user, arn, id := k.region, k.account, k.by, "alice", aliceARN, aliceID
		if region == "" {
			region = "us-east-1"
		}
		if acct == "" {
			acct = account
		}
		if k.by == "" && !k.owner {
			key, user, arn, id = "AKIAI44QH8DHBEXAMPLE", "bob", "arn:aws:iam::111122223333:user/bob", "AIDABOB"
		}
		if named, ok := k.identity["arn"].(string); ok {
			arn = named
		}
		var failed any
		if k.err != "" {
			failed = k.err
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO staged (event_id, event_time, event_source, event_name, aws_region, recipient_account_id,
				identity_type, identity_arn, identity_account_id, principal_id, user_name, access_key_id, error_code, read_only, request_parameters, response_elements,
				user_identity, additional_event_data, source_id, record_index)
			VALUES (?, ?, ?, ?, ?, ?, 'IAMUser', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)`,
			fmt.Sprintf("event-%03d", i), start.Add(k.at), source+".amazonaws.com", name, region, acct,
			arn, account, id, user, key, failed, k.read, text(k.rq), text(k.rs), text(k.identity), text(k.additional), i); err != nil {
			t.Fatal(err)
		}
		if k.by != "" {
			actor := k.actor
			if actor == "" {
				actor = lineage.Intruder
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO lineage_events VALUES (1, ?, ?, ?)`, i, k.by, string(actor)); err != nil {
				t.Fatal(err)
			}
		}
	}
	casetest.Store(t, tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start, AsOf: start.Add(24 * time.Hour), Credentials: s.credentials, Principals: s.principals}
	if l.Credentials == nil {
		l.Credentials = []lineage.Credential{leakedKey()}
	}
	return c, l
}

func (s story) plan(t testing.TB) *Plan {
	t.Helper()
	c, l := s.open(t)
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// find gives the actions of a call in a phase.
func find(p *Plan, phase Phase, call string) []Action {
	var out []Action
	for _, a := range p.Actions {
		if a.Phase == phase && a.Service+":"+a.Operation == call {
			out = append(out, a)
		}
	}
	return out
}
