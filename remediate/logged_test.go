package remediate

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"trailscan/internal/casetest"
	"trailscan/lineage"
	"trailscan/query"
)

// logged is one event of a log, with who signed it.
type logged struct {
	id     string
	at     time.Duration // after start
	api    string
	by     caller
	rq, rs object
	err    string
	issued string // access key id that the answer holds
	ip     string
	agent  string

	credential string // of the lineage; "" for others
	actor      lineage.Actor
}

// load puts events into a case, and into its lineage those that name a credential
// of it. first is the number of the first record.
func load(t testing.TB, c *query.Case, first int, events []logged) {
	t.Helper()
	tx, err := c.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	casetest.Stage(t, tx)
	orNil := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	for i, e := range events {
		source, name := splitCall(e.api)
		var rq, rs, created any
		if e.rs != nil {
			b, err := json.Marshal(e.rs)
			if err != nil {
				t.Fatal(err)
			}
			rs = string(b)
		}
		if e.rq != nil {
			b, err := json.Marshal(e.rq)
			if err != nil {
				t.Fatal(err)
			}
			rq = string(b)
		}
		if !e.by.issued.IsZero() {
			created = e.by.issued
		}
		user := ""
		if e.by.kind == "IAMUser" {
			user = lastSegment(e.by.arn)
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO staged (event_id, event_time, event_source, event_name, aws_region, recipient_account_id,
				identity_type, identity_arn, identity_account_id, principal_id, user_name, access_key_id, session_issuer_arn, session_issuer_principal_id,
				session_created, error_code, request_parameters, response_elements, issued_access_key_id, source_ip_address, user_agent, on_behalf_of_user_id, read_only, source_id, record_index)
			VALUES (?, ?, ?, ?, 'us-east-1', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false, 1, ?)`,
			e.id, start.Add(e.at), source+".amazonaws.com", name, account, e.by.kind, orNil(e.by.arn), orNil(e.by.account), orNil(e.by.id), orNil(user),
			orNil(e.by.accessKey), orNil(e.by.issuerARN), orNil(e.by.issuerID), created, orNil(e.err), rq, rs, orNil(e.issued),
			cmp.Or(e.ip, "198.51.100.7"), orNil(e.agent), orNil(e.by.ssoUser), first+i); err != nil {
			t.Fatal(err)
		}
		if e.credential != "" {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO lineage_events VALUES (1, ?, ?, ?)`, first+i, e.credential, string(cmp.Or(e.actor, lineage.Intruder))); err != nil {
				t.Fatal(err)
			}
		}
	}
	casetest.Store(t, tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// storeLineage writes what the proof reads of a lineage by SQL.
func storeLineage(t testing.TB, c *query.Case, l *lineage.Lineage) {
	t.Helper()
	for _, k := range l.Credentials {
		if _, err := c.DB.ExecContext(t.Context(), `INSERT INTO credentials (id, issued_event_id) VALUES (?, ?)`, k.ID, k.IssuedEventID); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range l.Principals {
		if _, err := c.DB.ExecContext(t.Context(), `INSERT INTO principals (arn, event_id) VALUES (?, ?)`, p.ARN, p.EventID); err != nil {
			t.Fatal(err)
		}
	}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// The callers of the incident below.
var (
	aliceKey   = caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID, accessKey: leaked}
	aliceToken = caller{kind: "IAMUser", arn: aliceARN, account: account, id: aliceID, accessKey: "ASIATOKEN", issued: start.Add(minutes(2))}
	aliceGuest = caller{kind: "FederatedUser", arn: "arn:aws:sts::111122223333:federated-user/guest", account: account, id: account + ":guest",
		accessKey: "ASIAGUEST", issuerARN: aliceARN, issuerID: aliceID, issued: start.Add(minutes(3))}
	backdoor = caller{kind: "IAMUser", arn: "arn:aws:iam::111122223333:user/backdoor", account: account, id: "AIDABACKDOOR", accessKey: "AKIABACKDOOR"}
)

// sessionOf is a session of the role Deploy.
func sessionOf(name, key string, issued time.Duration) caller {
	return caller{kind: "AssumedRole", arn: "arn:aws:sts::111122223333:assumed-role/Deploy/" + name, account: account, id: "AROADEPLOY:" + name, accessKey: key,
		issuerARN: "arn:aws:iam::111122223333:role/team/Deploy", issuerID: "AROADEPLOY", issued: start.Add(issued)}
}

// leak is an incident: a key that its owner uses for CI, and an intruder who takes
// tokens, a role's session, and makes a user.
func leak(t testing.TB) (*query.Case, *lineage.Lineage) {
	t.Helper()
	c := emptyCase(t)
	deploy := sessionOf("x", "ASIADEPLOY", minutes(4))
	ci := sessionOf("ci", "ASIACI", -minutes(30))
	arn := object{"roleArn": "arn:aws:iam::111122223333:role/team/Deploy", "roleSessionName": "x"}
	load(t, c, 0, []logged{
		{id: "ci-1", at: -48 * time.Hour, api: "ec2:DescribeInstances", by: aliceKey, ip: "192.0.2.10", credential: leaked, actor: lineage.Owner},
		{id: "ci-2", at: -minutes(30), api: "sts:AssumeRole", by: aliceKey, rq: arn, issued: "ASIACI", ip: "192.0.2.10", credential: leaked, actor: lineage.Owner},
		{id: "ci-3", at: -minutes(20), api: "ecs:UpdateService", by: ci, ip: "192.0.2.10"},
		{id: "ci-4", at: minutes(9), api: "ecs:UpdateService", by: ci, ip: "192.0.2.10"},
		{id: "bob-1", at: -minutes(5), api: "s3:ListBuckets", by: caller{kind: "IAMUser", arn: "arn:aws:iam::111122223333:user/bob", account: account, id: "AIDABOB", accessKey: "AKIABOB"}},

		{id: "e1", at: 0, api: "sts:GetCallerIdentity", by: aliceKey, credential: leaked},
		{id: "e2", at: minutes(2), api: "sts:GetSessionToken", by: aliceKey, issued: "ASIATOKEN", credential: leaked},
		{id: "e3", at: minutes(3), api: "sts:GetFederationToken", by: aliceKey, issued: "ASIAGUEST", credential: leaked},
		{id: "e4", at: minutes(4), api: "sts:AssumeRole", by: aliceToken, rq: arn, issued: "ASIADEPLOY", credential: "ASIATOKEN"},
		{id: "e5", at: minutes(5), api: "iam:CreateUser", by: deploy, rq: object{"userName": "backdoor"}, credential: "ASIADEPLOY"},
		{id: "e6", at: minutes(6), api: "iam:CreateAccessKey", by: deploy, rq: object{"userName": "backdoor"}, issued: "AKIABACKDOOR", credential: "ASIADEPLOY"},
		{id: "e7", at: minutes(7), api: "s3:ListBuckets", by: aliceGuest, credential: "ASIAGUEST"},
		{id: "e8", at: minutes(8), api: "ec2:RunInstances", by: backdoor, err: "Client.UnauthorizedOperation", credential: "AKIABACKDOOR"},
		{id: "e9", at: minutes(8), api: "sts:GetCallerIdentity", by: aliceToken, credential: "ASIATOKEN"},
	})
	l := &lineage.Lineage{Keys: []string{leaked}, CompromisedSince: start, CompromisedSinceWhy: "given", AsOf: start.Add(minutes(10)),
		Credentials: []lineage.Credential{
			{ID: leaked, AccessKeyIDs: []string{leaked}, Kind: lineage.LongTerm, PrincipalID: aliceID, PrincipalARN: aliceARN, AccountID: account, Certainty: lineage.Confirmed, LiveAtEnd: true},
			{ID: "ASIATOKEN", AccessKeyIDs: []string{"ASIATOKEN"}, Kind: lineage.SessionToken, PrincipalID: aliceID, PrincipalARN: aliceARN, AccountID: account, Parent: ptr(leaked),
				Via: "sts:GetSessionToken", IssuedEventID: "e2", IssuedAt: ptr(start.Add(minutes(2))), ExpiresAt: ptr(start.Add(36 * time.Hour)), Certainty: lineage.Confirmed, LiveAtEnd: true},
			{ID: "ASIAGUEST", AccessKeyIDs: []string{"ASIAGUEST"}, Kind: lineage.FederationToken, PrincipalID: account + ":guest", PrincipalARN: aliceGuest.arn, AccountID: account, Parent: ptr(leaked),
				Via: "sts:GetFederationToken", IssuedEventID: "e3", IssuedAt: ptr(start.Add(minutes(3))), ExpiresAt: ptr(start.Add(12 * time.Hour)), Certainty: lineage.Confirmed, LiveAtEnd: true},
			{ID: "ASIADEPLOY", AccessKeyIDs: []string{"ASIADEPLOY"}, Kind: lineage.RoleSession, PrincipalID: "AROADEPLOY:x", PrincipalARN: deploy.arn, AccountID: account, SessionName: "x", Parent: ptr("ASIATOKEN"),
				Via: "sts:AssumeRole", IssuedEventID: "e4", IssuedAt: ptr(start.Add(minutes(4))), ExpiresAt: ptr(start.Add(time.Hour)), Certainty: lineage.Confirmed, LiveAtEnd: true},
			{ID: "AKIABACKDOOR", AccessKeyIDs: []string{"AKIABACKDOOR"}, Kind: lineage.LongTerm, PrincipalID: "AIDABACKDOOR", PrincipalARN: backdoor.arn, AccountID: account, Parent: ptr("ASIADEPLOY"),
				Via: "iam:CreateAccessKey", IssuedEventID: "e6", IssuedAt: ptr(start.Add(minutes(6))), Certainty: lineage.Confirmed, LiveAtEnd: true},
		},
		Principals: []lineage.Principal{
			{ARN: "arn:aws:iam::111122223333:role/team/Deploy", PrincipalID: "AROADEPLOY", AccountID: account, Kind: "role", How: lineage.Assumed, EventID: "e4", Time: start.Add(minutes(4))},
			{ARN: backdoor.arn, PrincipalID: "AIDABACKDOOR", AccountID: account, Kind: "user", How: lineage.Created, EventID: "e5", Time: start.Add(minutes(5))},
		},
	}
	storeLineage(t, c, l)
	return c, l
}

// without is a plan edited to lack the actions whose ids hold one of the words.
func (p *Plan) without(words ...string) *Plan {
	out := *p
	out.Actions = nil
	for _, a := range p.Actions {
		keep := true
		for _, w := range words {
			keep = keep && !strings.Contains(a.ID, w)
		}
		if keep {
			out.Actions = append(out.Actions, a)
		}
	}
	return &out
}
