package remediate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trailscan/lineage"
)

func prove(t *testing.T, edit func(*Plan) *Plan, at time.Time) *Proof {
	t.Helper()
	c, l := leak(t)
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		p = edit(p)
	}
	proof, err := Prove(t.Context(), c, l, p, ProveOptions{At: at, Sealed: edit == nil})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// verdicts are the verdict and reason of each event.
func (p *Proof) verdicts() map[string]string {
	out := map[string]string{}
	for _, g := range p.Intruder.Groups {
		for _, id := range g.EventIDs {
			out[id] = string(g.Verdict) + " " + string(g.Reason)
		}
	}
	return out
}

func TestReplay(t *testing.T) {
	whole := map[string]string{
		"e1": "blocked key_off", "e2": "blocked denied", "e3": "blocked denied", "e4": "blocked denied", "e7": "blocked denied", "e8": "blocked denied",
		"e5": "blocked credential_never_issued", "e6": "blocked credential_never_issued", "e9": "blocked credential_never_issued",
	}
	with := func(changes map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range whole {
			out[k] = v
		}
		for k, v := range changes {
			if out[k] = v; v == "" {
				delete(out, k)
			}
		}
		return out
	}
	for _, test := range []struct {
		name string
		edit func(*Plan) *Plan
		at   time.Duration
		want map[string]string
	}{
		{name: "the plan as it is made", want: whole},
		// The key is off: what it hands on was never issued, and so on down the chain.
		{name: "without the deny on the user", edit: func(p *Plan) *Plan { return p.without("put-user-policy-alice", "service-control") }, want: with(map[string]string{
			"e2": "blocked key_off", "e3": "blocked key_off", "e4": "blocked credential_never_issued", "e7": "blocked credential_never_issued"})},
		{name: "without the user's deny, from when the tokens were out", edit: func(p *Plan) *Plan { return p.without("put-user-policy-alice", "service-control") }, at: minutes(3) + time.Second,
			want: with(map[string]string{"e1": "", "e2": "", "e3": "", "e4": "not_blocked not_denied_principal", "e7": "not_blocked not_denied_principal",
				"e5": "not_blocked issued_after_cutoff", "e6": "not_blocked issued_after_cutoff", "e9": "not_blocked not_denied_principal"})},
		// The deny binds tokens that are out; GetCallerIdentity it does not.
		{name: "from the middle on", at: minutes(4) + time.Second, want: with(map[string]string{"e1": "", "e2": "", "e3": "", "e4": "",
			"e5": "blocked denied", "e6": "blocked denied", "e9": "not_blocked always_allowed"})},
		{name: "nothing at all", edit: func(p *Plan) *Plan { return p.without("") }, want: map[string]string{
			"e1": "not_blocked not_denied_principal", "e2": "not_blocked not_denied_principal", "e3": "not_blocked not_denied_principal", "e4": "not_blocked not_denied_principal",
			"e5": "not_blocked not_denied_principal", "e6": "not_blocked not_denied_principal", "e7": "not_blocked not_denied_principal", "e8": "not_blocked not_denied_principal",
			"e9": "not_blocked not_denied_principal"}},
		{name: "only the service control policy, which a person attaches", edit: func(p *Plan) *Plan {
			return p.without("put-", "update-access-key", "evict", "recover")
		}, want: with(map[string]string{"e1": "not_blocked always_allowed", "e2": "blocked_if_done denied", "e3": "blocked_if_done denied", "e4": "blocked_if_done denied",
			"e5": "blocked_if_done credential_never_issued", "e6": "blocked_if_done credential_never_issued", "e7": "blocked_if_done denied", "e8": "blocked_if_done denied",
			"e9": "blocked_if_done credential_never_issued"})},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := time.Time{}
			if test.at != 0 {
				at = start.Add(test.at)
			}
			proof := prove(t, test.edit, at)
			got := proof.verdicts()
			for _, id := range []string{"e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9"} {
				if got[id] != test.want[id] {
					t.Errorf("%s: %q, want %q", id, got[id], test.want[id])
				}
			}
			in := proof.Intruder
			if in.Events != int64(len(test.want)) || in.Blocked+in.BlockedIfDone+in.NotBlocked != in.Events {
				t.Errorf("counts do not add up: %+v", in)
			}
		})
	}
}

func TestImpactOnOthers(t *testing.T) {
	proof := prove(t, nil, time.Time{})
	var got []string
	for _, g := range proof.Others.Groups {
		got = append(got, fmt.Sprintf("%s %s %s %d %d %v %s", lastSegment(g.PrincipalARN), g.AccessKeyID, g.Effect, g.Events, g.EventsAfter, g.Calls, strings.Join(g.SourceIPs, " ")))
	}
	want := []string{
		"alice " + leaked + " stops 2 0 [{ec2:DescribeInstances 1} {sts:AssumeRole 1}] 192.0.2.10",
		"Deploy  must_renew 2 1 [{ecs:UpdateService 2}] 192.0.2.10",
	}
	if !slices.Equal(got, want) {
		t.Errorf("impact:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if proof.Others.Stops != 2 || proof.Others.MustRenew != 2 {
		t.Errorf("sums: %+v", proof.Others)
	}
}

func liveAfter(p *Proof, phase Phase) []string {
	var out []string
	for _, s := range p.Phases {
		if s.Phase == phase {
			for _, c := range s.Live {
				out = append(out, c.ID)
			}
		}
	}
	return out
}

func ways(p *Proof, phase Phase) string {
	var out []string
	for _, s := range p.Phases {
		if s.Phase == phase {
			for _, w := range s.WaysBack {
				closed := "-"
				if w.ClosedBy != nil {
					closed = string(w.ClosedBy.Mode)
				}
				out = append(out, w.Kind+" "+closed)
			}
		}
	}
	return strings.Join(out, ", ")
}

func TestWhatLivesOn(t *testing.T) {
	all := prove(t, nil, time.Time{})
	if got := liveAfter(all, Contain); !slices.Equal(got, []string{"ASIADEPLOY"}) {
		t.Errorf("after contain live %v", got)
	}
	if got := liveAfter(all, Revoke); len(got) > 0 {
		t.Errorf("after revoke live %v", got)
	}
	if got := ways(all, Revoke); got != "" {
		t.Errorf("ways back: %s", got)
	}

	gap := prove(t, func(p *Plan) *Plan {
		return p.without("put-user-policy-alice", "put-user-policy-backdoor", "service-control")
	}, time.Time{})
	if got := liveAfter(gap, Revoke); !slices.Equal(got, []string{"ASIATOKEN", "ASIAGUEST"}) {
		t.Errorf("without the denies on users live %v", got)
	}
	if got := ways(gap, Revoke); got != "issuer -, principal manual" {
		t.Errorf("without the denies on users the ways back are %s", got)
	}
	for _, s := range gap.Phases {
		if s.Phase == Revoke && !s.Live[0].Until.Equal(start.Add(36*time.Hour)) {
			t.Errorf("the token lives until %v", s.Live[0].Until)
		}
	}

	// Nothing keeps a deny by issue time from leaving federation tokens alive.
	older := prove(t, func(p *Plan) *Plan {
		for i := range p.Actions {
			if strings.Contains(p.Actions[i].ID, "put-user-policy-alice") {
				p.Actions[i].Parameters["PolicyDocument"] = denyOlder
			}
		}
		return p.without("service-control")
	}, time.Time{})
	if got := liveAfter(older, Revoke); !slices.Equal(got, []string{"ASIAGUEST"}) {
		t.Errorf("with a deny by issue time live %v", got)
	}
}

func TestLiftingADenyGivesBack(t *testing.T) {
	proof := prove(t, nil, time.Time{})
	var back []string
	for _, s := range proof.Steps {
		if s.Phase == Restore {
			back = append(back, s.GivesBack...)
		}
	}
	slices.Sort(back)
	if !slices.Equal(back, []string{"ASIADEPLOY", "ASIAGUEST", "ASIATOKEN"}) {
		t.Errorf("given back: %v", back)
	}
}

func TestTheSameProofTwice(t *testing.T) {
	a, _ := json.Marshal(prove(t, nil, time.Time{}))
	b, _ := json.Marshal(prove(t, nil, time.Time{}))
	if string(a) != string(b) {
		t.Error("two proofs of one plan differ")
	}
}

func TestProveRefusesAnotherLineage(t *testing.T) {
	c, l := leak(t)
	_, err := Prove(t.Context(), c, l, &Plan{Keys: []string{"AKIAOTHER"}}, ProveOptions{})
	if err == nil || !strings.Contains(err.Error(), "AKIAOTHER") {
		t.Errorf("error: %v", err)
	}
}

// What contain switches off is no way back any more, though it is there until it
// is evicted.
func TestContainClosesWaysBack(t *testing.T) {
	c, l := leak(t)
	by := sessionOf("x", "ASIADEPLOY", minutes(4))
	load(t, c, 100, []logged{
		{id: "w1", at: minutes(5), api: "rolesanywhere:UpdateTrustAnchor", by: by, rq: object{"trustAnchorId": "ta-1"}, credential: "ASIADEPLOY"},
		{id: "w2", at: minutes(6), api: "lambda:UpdateFunctionCode20150331v2", by: by, rq: object{"functionName": "orders", "s3Bucket": "b", "s3Key": "k"}, credential: "ASIADEPLOY"},
	})
	l.Principals = append(l.Principals, lineage.Principal{ARN: "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/ta-1", AccountID: account, Kind: "trust_anchor",
		How: lineage.TrustChanged, EventID: "w1", Time: start.Add(minutes(5))})
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := Prove(t.Context(), c, l, p, ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ways(proof, Preserve); !strings.Contains(got, "anchor auto") || !strings.Contains(got, "function review") {
		t.Errorf("before contain the ways back are %s", got)
	}
	if got := ways(proof, Revoke); got != "function review" {
		t.Errorf("after contain and revoke the ways back are %s", got)
	}
}

// A role that strangers were let into: the trust policy closes, the session that
// they took rests on the change.
func TestTrustThatWasOpened(t *testing.T) {
	c, l := leak(t)
	stranger := caller{kind: "AWSAccount", account: "666677778888", id: "AIDASTRANGER"}
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::666677778888:root"]},"Action":"sts:AssumeRole"}]}`
	role := object{"roleArn": "arn:aws:iam::111122223333:role/team/Deploy", "roleSessionName": "y"}
	load(t, c, 100, []logged{
		{id: "t1", at: minutes(5), api: "iam:UpdateAssumeRolePolicy", by: sessionOf("x", "ASIADEPLOY", minutes(4)), rq: object{"roleName": "Deploy", "policyDocument": open}, credential: "ASIADEPLOY"},
		{id: "t2", at: minutes(6), api: "sts:AssumeRole", by: stranger, rq: role, issued: "ASIASTRANGE", credential: "ASIASTRANGE"},
		{id: "t3", at: minutes(7), api: "s3:ListBuckets", by: sessionOf("y", "ASIASTRANGE", minutes(6)), credential: "ASIASTRANGE"},
	})
	l.Credentials = append(l.Credentials, lineage.Credential{ID: "ASIASTRANGE", AccessKeyIDs: []string{"ASIASTRANGE"}, Kind: lineage.RoleSession, PrincipalID: "AROADEPLOY:y",
		PrincipalARN: "arn:aws:sts::111122223333:assumed-role/Deploy/y", AccountID: account, SessionName: "y", Via: "sts:AssumeRole", IssuedEventID: "t2",
		IssuedAt: ptr(start.Add(minutes(6))), Certainty: lineage.Inferred, LiveAtEnd: true})
	l.Principals = append(l.Principals, lineage.Principal{ARN: "arn:aws:iam::111122223333:role/team/Deploy", PrincipalID: "AROADEPLOY", AccountID: account, Kind: "role", How: lineage.TrustChanged, EventID: "t1", Time: start.Add(minutes(5))})
	l.Edges = append(l.Edges, lineage.Edge{From: "arn:aws:iam::111122223333:role/team/Deploy", To: "ASIASTRANGE", EventID: "t2"})
	for _, q := range []string{`INSERT INTO credentials (id, issued_event_id) VALUES ('ASIASTRANGE', 't2')`, `INSERT INTO principals (arn, event_id) VALUES ('x', 't1')`} {
		if _, err := c.DB.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	p, err := NewPlan(t.Context(), c, l)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		at   time.Duration
		want map[string]string
	}{
		{0, map[string]string{"t1": "blocked credential_never_issued", "t2": "blocked credential_never_issued", "t3": "blocked credential_never_issued"}},
		// Once the trust is open, only a person's word closes it.
		{minutes(5) + time.Second, map[string]string{"t2": "blocked_if_done trust_closed", "t3": "blocked_if_done credential_never_issued"}},
	} {
		proof, err := Prove(t.Context(), c, l, p, ProveOptions{At: start.Add(test.at)})
		if err != nil {
			t.Fatal(err)
		}
		got := proof.verdicts()
		for id, want := range test.want {
			if got[id] != want {
				t.Errorf("from %s: %s is %q, want %q", test.at, id, got[id], want)
			}
		}
		if got := ways(proof, Revoke); got != "trust review" {
			t.Errorf("ways back: %s", got)
		}
	}
}
