package remediate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

// contained is when the plan of the incident was carried out.
const contained = 60 // minutes after start

// journalOf is what an apply of the automatic actions of contain and revoke
// writes, one a second.
func journalOf(t *testing.T, p *Plan, more ...entry) io.Reader {
	t.Helper()
	var b strings.Builder
	seq := 0
	put := func(e entry) {
		seq++
		e.Seq = seq
		if e.Event == eventAfter {
			e.Of = seq - 1
		}
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	at := start.Add(minutes(contained))
	for _, a := range p.Actions {
		if a.Mode != Auto || a.Phase != Contain && a.Phase != Revoke {
			continue
		}
		in := object{}
		for k, v := range a.Parameters {
			if s, ok := v.(string); ok {
				v = strings.ReplaceAll(s, Now, at.Format(time.RFC3339))
			}
			in[k] = v
		}
		e := entry{Time: at, Event: eventBefore, Action: a.ID, AccountID: a.AccountID, Region: a.Region, Service: a.Service, Operation: a.Operation,
			Parameters: in, Rollback: a.Rollback, Plan: p.Digest}
		put(e)
		e.Event = eventAfter
		put(e)
	}
	for _, e := range more {
		e.Event = eventBefore
		put(e)
		e.Event = eventAfter
		put(e)
	}
	return strings.NewReader(b.String())
}

func TestCheckAfter(t *testing.T) {
	deploy := sessionOf("x", "ASIADEPLOY", minutes(4))
	admin := caller{kind: "IAMUser", arn: "arn:aws:iam::111122223333:user/admin", account: account, id: "AIDAADMIN", accessKey: "AKIAADMIN"}
	own := "aws-sdk-go-v2/1.0 trailscan/1.0"
	later := minutes(contained + 10)
	denyName := "trailscan-contain-" + incidentHash([]string{leaked})
	policy := object{"userName": "alice", "policyName": denyName}
	with := func(k string, v any) object {
		out := object{k: v}
		for k, v := range policy {
			out[k] = v
		}
		return out
	}
	for _, test := range []struct {
		name   string
		events []logged
		clean  bool
		counts string // succeeded denied failed harmless
		nodes  []string
		weak   []string
		minted []string
	}{
		{name: "nothing", events: []logged{{id: "x1", at: later, api: "s3:ListBuckets", by: admin}}, clean: true, counts: "0 0 0 0"},
		{name: "refused attempts", events: []logged{{id: "x1", at: later, api: "s3:ListBuckets", by: aliceKey, err: "InvalidClientTokenId"},
			{id: "x2", at: later, api: "iam:ListUsers", by: aliceToken, err: "AccessDenied"}, {id: "x3", at: later, api: "sts:GetCallerIdentity", by: aliceToken}},
			clean: true, counts: "0 2 0 1", nodes: []string{leaked + " credential 0", "ASIATOKEN credential 0"}},
		{name: "a token that acted", events: []logged{{id: "x1", at: later, api: "iam:ListUsers", by: aliceToken}},
			counts: "1 0 0 0", nodes: []string{"ASIATOKEN credential 1"}},
		{name: "calls before the deny do not count", events: []logged{{id: "x1", at: minutes(contained - 1), api: "iam:ListUsers", by: aliceToken}, {id: "x2", at: later, api: "s3:ListBuckets", by: admin}},
			clean: true, counts: "0 0 0 0"},
		{name: "a session of the revoked role, and what it issued", events: []logged{{id: "x1", at: later, api: "sts:AssumeRole", by: deploy, issued: "ASIANEW"},
			{id: "x2", at: later + time.Minute, api: "s3:ListBuckets", by: sessionOf("z", "ASIANEW", later)}},
			counts: "2 0 0 0", nodes: []string{"ASIADEPLOY credential 1", "ASIANEW descendant 1"}, minted: []string{"ASIANEW true"}},
		{name: "sessions of others of the same role", events: []logged{{id: "x1", at: later, api: "s3:ListBuckets", by: sessionOf("ci", "ASIACI2", later)}}, clean: true, counts: "0 0 0 0"},
		{name: "the same session name, from somewhere else", events: []logged{{id: "x1", at: later, api: "s3:ListBuckets", by: sessionOf("x", "ASIAOTHER", later), ip: "192.0.2.9"}},
			clean: true, counts: "0 0 0 0", nodes: []string{"ASIAOTHER possible 1"}},
		{name: "another key of a user that may do nothing", events: []logged{{id: "x1", at: later, api: "s3:ListBuckets",
			by: caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID, accessKey: "AKIASECOND"}}},
			counts: "1 0 0 0", nodes: []string{"AKIASECOND denied 1"}},
		{name: "the deny is deleted", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: deploy, rq: policy}},
			counts: "1 0 0 0", nodes: []string{"ASIADEPLOY credential 1"}, weak: []string{"x1 true contain-put-user-policy-alice"}},
		{name: "an administrator deletes it", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: admin, rq: policy}},
			counts: "0 0 0 0", weak: []string{"x1 false contain-put-user-policy-alice"}},
		{name: "trailscan takes it back", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: admin, rq: policy, agent: own}}, clean: true, counts: "0 0 0 0"},
		{name: "the intruder calls itself trailscan", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: deploy, rq: policy, agent: own}},
			counts: "1 0 0 0", nodes: []string{"ASIADEPLOY credential 1"}, weak: []string{"x1 true contain-put-user-policy-alice"}},
		{name: "another policy of the user is deleted", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: admin, rq: object{"userName": "alice", "policyName": "mine"}}}, clean: true, counts: "0 0 0 0"},
		{name: "a refused deletion", events: []logged{{id: "x1", at: later, api: "iam:DeleteUserPolicy", by: admin, rq: policy, err: "AccessDenied"}}, clean: true, counts: "0 0 0 0"},
		{name: "the deny is overwritten by a weaker one", events: []logged{{id: "x1", at: later, api: "iam:PutUserPolicy", by: admin, rq: with("policyDocument", denyOlderAt(start))}},
			counts: "0 0 0 0", weak: []string{"x1 false contain-put-user-policy-alice"}},
		{name: "the deny is written again", events: []logged{{id: "x1", at: later, api: "iam:PutUserPolicy", by: admin, rq: with("policyDocument", denyAll)}}, clean: true, counts: "0 0 0 0"},
		{name: "the cut-off goes back", events: []logged{{id: "x1", at: later, api: "iam:PutRolePolicy", by: admin, rq: object{"roleName": "Deploy", "policyName": olderSessions, "policyDocument": denyOlderAt(start)}}},
			counts: "0 0 0 0", weak: []string{"x1 false revoke-put-role-policy-deploy"}},
		{name: "the cut-off moves on", events: []logged{{id: "x1", at: later, api: "iam:PutRolePolicy", by: admin, rq: object{"roleName": "Deploy", "policyName": olderSessions, "policyDocument": denyOlderAt(start.Add(later))}}}, clean: true, counts: "0 0 0 0"},
		{name: "the key is active again", events: []logged{{id: "x1", at: later, api: "iam:UpdateAccessKey", by: admin, rq: object{"userName": "alice", "accessKeyId": leaked, "status": "Active"}}},
			counts: "0 0 0 0", weak: []string{"x1 false contain-update-access-key-alice-akiaiosfodnn7example"}},
		{name: "the owner gets a new key", events: []logged{{id: "x1", at: later, api: "iam:CreateAccessKey", by: admin, rq: object{"userName": "alice"}, issued: "AKIAFRESH"}},
			clean: true, counts: "0 0 0 0", minted: []string{"AKIAFRESH false"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, l := leak(t)
			p, err := NewPlan(t.Context(), c, l)
			if err != nil {
				t.Fatal(err)
			}
			load(t, c, 200, test.events)
			got, err := CheckAfter(t.Context(), c, p, journalOf(t, p))
			if err != nil {
				t.Fatal(err)
			}
			var nodes, weak, minted []string
			for _, n := range got.Nodes {
				nodes = append(nodes, fmt.Sprintf("%s %s %d", n.AccessKeyID, n.Link, n.Succeeded))
			}
			for _, w := range got.Weakened {
				weak = append(weak, fmt.Sprintf("%s %v %s", w.EventID, w.InLineage, w.Action))
			}
			for _, m := range got.Minted {
				minted = append(minted, fmt.Sprintf("%s %v", m.AccessKeyID, m.InLineage))
			}
			counts := fmt.Sprintf("%d %d %d %d", got.Succeeded, got.Denied, got.Failed, got.Harmless)
			if got.Clean != test.clean || counts != test.counts || !slices.Equal(nodes, test.nodes) || !slices.Equal(weak, test.weak) || !slices.Equal(minted, test.minted) {
				t.Errorf("clean %v, counts %s\nnodes %q\nweakened %q\nminted %q", got.Clean, counts, nodes, weak, minted)
			}
			if len(got.NotDone) > 0 {
				t.Errorf("not done: %v", got.NotDone)
			}
		})
	}
}

func denyOlderAt(at time.Time) string {
	return strings.ReplaceAll(denyOlder, Now, at.Format(time.RFC3339))
}

func TestCheckWithoutJournal(t *testing.T) {
	c, l := leak(t)
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CheckAfter(t.Context(), c, p, nil); !errors.Is(err, ErrNothingAfter) {
		t.Errorf("a case without a later export: %v", err)
	}
	load(t, c, 200, []logged{{id: "x1", at: minutes(20), api: "iam:ListUsers", by: aliceToken}})
	got, err := CheckAfter(t.Context(), c, p, nil)
	if err != nil || got.Clean || got.Succeeded != 1 || !got.Since.Equal(p.LogThrough) {
		t.Errorf("%+v, %v", got, err)
	}
}

// The owner is let in again: what the lifted deny was about counts no more.
func TestCheckAfterRestore(t *testing.T) {
	c, l := leak(t)
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	var lift entry
	for _, a := range find(p, Restore, "iam:DeleteUserPolicy") {
		lift = entry{Time: start.Add(minutes(contained + 30)), Action: a.ID, AccountID: a.AccountID, Service: a.Service, Operation: a.Operation, Parameters: a.Parameters, Plan: p.Digest}
	}
	second := caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID, accessKey: "AKIASECOND"}
	load(t, c, 200, []logged{{id: "x1", at: minutes(contained + 40), api: "s3:ListBuckets", by: second, ip: "192.0.2.10"}})
	got, err := CheckAfter(t.Context(), c, p, journalOf(t, p, lift))
	if err != nil || !got.Clean {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCheckKnowsTheIntrudersAddress(t *testing.T) {
	c, l := leak(t)
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	uses, err := json.Marshal([]lineage.Use{{Actor: lineage.Intruder, SourceIPs: []string{"203.0.113.66", "192.0.2.10"}}, {Actor: lineage.Owner, SourceIPs: []string{"192.0.2.10"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.DB.ExecContext(t.Context(), `DELETE FROM credentials; DELETE FROM principals`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DB.ExecContext(t.Context(), `INSERT INTO lineage VALUES ([?], ?, '', NULL, ?)`, leaked, start, l.AsOf); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DB.ExecContext(t.Context(), `INSERT INTO credentials SELECT * REPLACE (? AS uses) FROM (SELECT 'k' AS id, ['k'] AS access_key_ids, 'long_term' AS kind, '' AS principal_id,
		'' AS principal_arn, '' AS account_id, '' AS session_name, '' AS source_identity, NULL AS parent, '' AS via, '' AS issued_event_id, NULL AS issued_at, NULL AS expires_at,
		false AS expires_derived, NULL AS first_used, NULL AS last_used, 0 AS event_count, '' AS uses, 'confirmed' AS certainty, '' AS why, true AS live_at_end, NULL AS valid_for_seconds,
		true AS survives_key_disable, true AS survives_user_delete, '' AS ended_by, NULL AS ended_at, '' AS ended_via, '' AS ended_event_id, '' AS ended_why)`, string(uses)); err != nil {
		t.Fatal(err)
	}
	fresh := sessionOf("q", "ASIAQ", minutes(contained+5))
	load(t, c, 200, []logged{
		{id: "x1", at: minutes(contained + 6), api: "s3:ListBuckets", by: fresh, ip: "203.0.113.66"},
		{id: "x2", at: minutes(contained + 7), api: "s3:ListBuckets", by: fresh, ip: "192.0.2.10"},
	})
	got, err := CheckAfter(t.Context(), c, p, journalOf(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if got.Clean || len(got.Nodes) != 1 || got.Nodes[0].Link != LinkAddress || got.Succeeded != 1 {
		t.Errorf("%+v", got)
	}
}
