package scenario

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// principal is an IAM user or role of the account.
type principal struct{ id, arn string }

// world is the state that the steps change: who exists, which credentials are
// out, which names templates know.
type world struct {
	s       *Scenario
	account string
	users   map[string]principal
	roles   map[string]principal
	creds   map[string]*credential
	issued  []*credential // in the order of issue
	pools   map[string][]string
	bound   map[string]string // ids that steps made with "new"
	events  []*Event
	named   map[string]*Event
	calls   map[string]Call
}

func newWorld(s *Scenario) (*world, error) {
	w := &world{
		s: s, account: s.Account,
		users: map[string]principal{}, roles: map[string]principal{},
		creds: map[string]*credential{}, pools: map[string][]string{},
		bound: map[string]string{}, named: map[string]*Event{},
	}
	var err error
	if w.calls, err = catalogue(s.Calls); err != nil {
		return nil, err
	}
	for name, u := range s.Users {
		p := w.addUser(name, u.Path)
		if u.Key {
			w.creds[name] = &credential{
				name: name, kind: longTerm, hand: Everyday,
				keyID:    newDice(s.Seed, "key", name).id("AKIA", w.account),
				identity: w.userIdentityOf(name, p),
			}
		}
	}
	for name, r := range s.Roles {
		w.addRole(name, r.Path)
	}
	for name, pool := range s.Things {
		d := newDice(s.Seed, "things", name)
		names := append([]string{}, pool.Names...)
		for range pool.Count {
			names = append(names, d.id(pool.New, w.account))
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("scenario %s: things %q has no names", s.Name, name)
		}
		w.pools[name] = names
	}
	return w, nil
}

func (w *world) addUser(name, path string) principal {
	p := principal{
		id:  newDice(w.s.Seed, "user", name).id("AIDA", w.account),
		arn: "arn:aws:iam::" + w.account + ":user" + slashed(path) + name,
	}
	w.users[name] = p
	return p
}

func (w *world) addRole(name, path string) principal {
	p := principal{
		id:  newDice(w.s.Seed, "role", name).id("AROA", w.account),
		arn: "arn:aws:iam::" + w.account + ":role" + slashed(path) + name,
	}
	w.roles[name] = p
	return p
}

func slashed(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// callerOf finds who makes a step: the name of a credential, or a caller
// without a key:
//
//	sign-in:NAME          the user at the sign-in page ("root" is the root user)
//	service:HOST          an AWS service
//	account:NUMBER/ID     a principal of another account, as the owner of a role sees it
//	web:NAME              an identity of an OpenID Connect provider
func (w *world) callerOf(by string) (*credential, error) {
	if c, ok := w.creds[by]; ok {
		return c, nil
	}
	kind, name, found := strings.Cut(by, ":")
	if !found {
		return nil, fmt.Errorf("no credential is named %q", by)
	}
	c := &credential{name: by, kind: caller}
	switch kind {
	case "sign-in":
		if name == "root" {
			c.identity = userIdentity{Type: "Root", PrincipalID: w.account, ARN: "arn:aws:iam::" + w.account + ":root", AccountID: w.account}
			break
		}
		u, ok := w.users[name]
		if !ok {
			return nil, fmt.Errorf("no user is named %q", name)
		}
		c.identity = w.userIdentityOf(name, u)
	case "service":
		c.identity = userIdentity{Type: "AWSService", InvokedBy: name}
	case "account":
		number, id, _ := strings.Cut(name, "/")
		if id == "" {
			id = newDice(w.s.Seed, "outside", number).id("AIDA", number)
		}
		c.identity = userIdentity{Type: "AWSAccount", PrincipalID: id, AccountID: number}
	case "web":
		i, ok := w.s.Identities[name]
		if !ok {
			return nil, fmt.Errorf("no web identity is named %q", name)
		}
		provider := w.providerARN(i)
		c.identity = userIdentity{Type: "WebIdentityUser", PrincipalID: provider + ":" + i.Audience + ":" + i.Subject,
			UserName: i.Subject, IdentityProvider: provider}
	default:
		return nil, fmt.Errorf("who is %q? known are sign-in:, service:, account:, web: and names of credentials", by)
	}
	return c, nil
}

func (w *world) providerARN(i WebIdentity) string {
	return "arn:aws:iam::" + w.account + ":oidc-provider/" + i.Provider
}

// grant is what a call hands out.
type grant struct {
	kind     string // kind of the credential
	bind     string // the scenario's name for it
	caller   *credential
	hand     Hand
	role     string // role sessions
	session  string // role sessions; name of a federated user
	user     string // access keys: whose
	mfa      bool
	fromCall string // sts:AssumeRole
	at       time.Time
	lasts    time.Duration // 0: as AWS has it by default
	source   string        // source identity
	delivery string        // of an instance role
}

// issue makes the credential of a grant. Its kind decides the identity that
// later calls show, the caller's place in that identity, and its life.
func (w *world) issue(g grant, d dice) (*credential, error) {
	c := &credential{name: g.bind, kind: g.kind, hand: g.hand, issuedAt: g.at, via: g.fromCall}
	if g.caller.kind != caller {
		c.parent = g.caller
	}
	prefix := "ASIA"
	life := g.lasts
	switch g.kind {
	case longTerm:
		prefix = "AKIA"
		user := g.user
		if user == "" {
			user = g.caller.identity.UserName
		}
		u, ok := w.users[user]
		if !ok {
			return nil, fmt.Errorf("access key for %q: no such user", user)
		}
		c.identity = w.userIdentityOf(user, u)
	case sessionToken:
		c.identity = g.caller.identity
		c.withSession(sessionIssuer{}, g.at, g.mfa)
		life = orDefault(life, 12*time.Hour)
	case federationToken:
		c.identity = userIdentity{Type: "FederatedUser", AccountID: w.account,
			PrincipalID: w.account + ":" + g.session,
			ARN:         "arn:aws:sts::" + w.account + ":federated-user/" + g.session}
		by := g.caller.identity
		c.withSession(sessionIssuer{Type: by.Type, PrincipalID: by.PrincipalID, ARN: by.ARN, AccountID: by.AccountID, UserName: by.UserName}, g.at, false)
		life = orDefault(life, 12*time.Hour)
	case roleSession:
		r, ok := w.roles[g.role]
		if !ok {
			return nil, fmt.Errorf("no role is named %q", g.role)
		}
		c.identity = userIdentity{Type: "AssumedRole", AccountID: w.account, PrincipalID: r.id + ":" + g.session,
			ARN: "arn:aws:sts::" + w.account + ":assumed-role/" + g.role + "/" + g.session}
		c.withSession(w.issuerOf("Role", g.role, r), g.at, g.mfa)
		ctx := c.identity.SessionContext
		ctx.SourceIdentity, ctx.EC2RoleDelivery = g.source, g.delivery
		if from := g.caller.identity.SessionContext; from != nil && from.SourceIdentity != "" {
			ctx.SourceIdentity = from.SourceIdentity
		}
		if p := g.caller.identity.IdentityProvider; p != "" {
			ctx.WebID = webIDFederation{Provider: p, Attributes: &struct{}{}}
		}
		life = orDefault(life, time.Hour)
	case console:
		prefix = ""
		if g.fromCall == "signin:GetSigninToken" { // the session's first key stands in the answer
			prefix = "ASIA"
		}
		c.identity = g.caller.identity
		c.keyOf = map[string]string{}
		if g.caller.temporary() { // federated: the session that signed in goes on
			ctx := *g.caller.identity.SessionContext
			c.identity.SessionContext = &ctx
		} else {
			c.withSession(sessionIssuer{}, g.at, g.mfa)
		}
		life = orDefault(life, 12*time.Hour)
	default:
		return nil, fmt.Errorf("grants %q: known are %s", g.kind, strings.Join(
			[]string{longTerm, sessionToken, federationToken, roleSession, console}, ", "))
	}
	if prefix != "" {
		c.keyID = d.id(prefix, w.account)
	}
	if life > 0 {
		c.expires = g.at.Add(life)
	}
	if prefix == "ASIA" {
		c.token = d.token()
	}
	return c, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// bind keeps an issued credential under the name that later steps use.
func (w *world) bind(c *credential) {
	if c.name != "" {
		w.creds[c.name] = c
	}
	w.issued = append(w.issued, c)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
