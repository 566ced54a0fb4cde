package lineage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// identity is whom a credential acts as.
type identity struct{ id, arn, account string }

// plant makes the roots the first credentials of the lineage.
func (c *closure) plant(ctx context.Context) error {
	known := map[string]keyUse{}
	err := c.t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k WHERE k.access_key_id IN (SELECT access_key_id FROM trace_root_ids)`, nil, func(scan func(...any) error) error {
		var k keyUse
		err := k.scan(scan)
		known[k.id] = k
		return err
	})
	if err != nil {
		return err
	}
	calls, err := c.t.calls(ctx, `FROM trace_calls c WHERE c.issued_access_key_id IN (SELECT access_key_id FROM trace_root_ids)`)
	if err != nil {
		return err
	}
	issuedBy := map[string]*call{} // the first call that did
	for _, made := range calls {
		if issuedBy[made.issued] == nil {
			issuedBy[made.issued] = made
		}
	}
	for i, r := range c.t.roots {
		use := map[string]bool{}
		if r.isARN() && !r.unused { // only what was misused of a principal's many credentials
			err := c.t.each(ctx, `SELECT DISTINCT access_key_id FROM trace_root_use WHERE root = ? AND (actor <> 'owner' OR ?)`,
				[]any{i, c.t.o.AllUse}, func(scan func(...any) error) error {
					var id string
					err := scan(&id)
					use[id] = true
					return err
				})
			if err != nil {
				return err
			}
		}
		sessions := map[string]*node{}
		var taken *node // by SAML; Identity Center uses it with other ids
		for _, id := range r.ids {
			if c.byID[id] != nil || r.isARN() && !r.unused && !use[id] {
				continue
			}
			n := &node{cred: Credential{ID: id, Why: "the key that was asked for"}, from: r.since, own: Confirmed, actor: Unclear, root: r}
			if r.isARN() {
				n.cred.Why = "acts for " + r.key + ", which was asked for"
			}
			k, found := known[id]
			if found {
				k.fill(n)
			}
			session := k.principalID + " " + k.created.String()
			switch {
			case issuedBy[id] != nil:
				c.t.describe(n, issuedBy[id], nil)
				if issuedBy[id].name == "AssumeRoleWithSAML" {
					taken = n
				}
			case sessions[session] != nil && !k.created.IsZero():
				c.attach(sessions[session], id)
				continue
			case taken != nil && taken.cred.PrincipalID == k.principalID && sameMoment(timeOf(taken.cred.IssuedAt), k.created):
				c.attach(taken, id)
				continue
			default:
				if n.cred.Kind = k.kind(id); n.cred.Kind == Unknown || n.cred.Kind == Console {
					login, err := c.t.signInOf(ctx, &k)
					if err != nil {
						return err
					}
					if login != nil {
						n.cred.Kind, n.cred.IssuedEventID = Console, login.eventID
					}
				}
				if n.cred.Kind != LongTerm && !k.created.IsZero() {
					n.cred.IssuedAt = timePtr(k.created)
					n.moments = append(n.moments, k.created)
				}
				sessions[session] = n
			}
			n.cred.Via = ""
			c.add(n, id)
		}
	}
	return nil
}

// keyUse is what trace_keys knows of an access key id.
type keyUse struct {
	id, principalID, arn, identityType, account, issuerARN, issuerID, sourceIdentity, invokedBy string
	created, first, last                                                                        time.Time
	forwarded, console                                                                          bool
}

const keyColumns = `k.access_key_id, coalesce(k.principal_id, ''), coalesce(k.identity_arn, ''), coalesce(k.identity_type, ''),
	coalesce(k.identity_account_id, k.account_id, ''), coalesce(k.issuer_arn, ''), coalesce(k.issuer_id, ''),
	coalesce(k.source_identity, ''), coalesce(k.invoked_by, ''), k.session_created, k.first_used, k.last_used, k.forwarded, k.console`

func (k *keyUse) scan(scan func(...any) error, more ...any) error {
	var created sql.NullTime
	err := scan(append([]any{&k.id, &k.principalID, &k.arn, &k.identityType, &k.account, &k.issuerARN, &k.issuerID,
		&k.sourceIdentity, &k.invokedBy, &created, &k.first, &k.last, &k.forwarded, &k.console}, more...)...)
	k.created = created.Time
	return err
}

func (t *tracer) keyUse(ctx context.Context, id string) (k keyUse, found bool, err error) {
	err = t.each(ctx, `SELECT `+keyColumns+` FROM trace_keys k WHERE k.access_key_id = ?`, []any{id}, func(scan func(...any) error) error {
		found = true
		return k.scan(scan)
	})
	return k, found, err
}

// signInOf is the sign-in that a session began with, nil where the log shows none:
// old records do not say of a user's session where it is from.
func (t *tracer) signInOf(ctx context.Context, k *keyUse) (*call, error) {
	if k.created.IsZero() {
		return nil, nil
	}
	logins, err := t.calls(ctx, `FROM trace_calls c WHERE c.event_name = 'ConsoleLogin' AND c.principal_id = ?
		AND ?::TIMESTAMP BETWEEN c.event_time - INTERVAL 1 SECOND AND c.event_time + INTERVAL 2 SECOND`, k.principalID, k.created)
	for _, login := range logins {
		if login.succeeded() {
			return login, err
		}
	}
	return nil, err
}

// fill says whom a credential acts as, from its use.
func (k *keyUse) fill(n *node) {
	n.cred.PrincipalID, n.cred.PrincipalARN, n.cred.AccountID = k.principalID, k.arn, k.account
	n.cred.SourceIdentity = k.sourceIdentity
	if k.identityType == "AssumedRole" {
		_, n.cred.SessionName, _ = strings.Cut(k.principalID, ":")
	}
}

// kind tells the kind of a credential whose issue is not in the log.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func (k *keyUse) kind(id string) Kind {
	switch {
	case strings.HasPrefix(id, "AKIA"):
		return LongTerm
	case k.forwarded:
		return ServiceForwarded
	case k.console:
		return Console
	case k.identityType == "AssumedRole":
		return RoleSession
	case k.identityType == "FederatedUser":
		return FederationToken
	case k.created.IsZero() && k.id != "":
		return LongTerm
	}
	return Unknown
}

// issuers are the calls that hand out credentials: of which kind, and how long
// they live when the request does not say.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html,
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
var issuers = map[string]struct {
	kind Kind
	life time.Duration
}{
	"sts:AssumeRole":                             {RoleSession, time.Hour},
	"sts:AssumeRoleWithSAML":                     {RoleSession, time.Hour},
	"sts:AssumeRoleWithWebIdentity":              {RoleSession, time.Hour},
	"sts:AssumeRoot":                             {SessionToken, 15 * time.Minute},
	"sts:GetSessionToken":                        {SessionToken, 12 * time.Hour},
	"sts:GetFederationToken":                     {FederationToken, 12 * time.Hour},
	"sts:GetDelegatedAccessToken":                {SessionToken, time.Hour},
	"signin:GetSigninToken":                      {Console, 12 * time.Hour},
	"signin:CreateOAuth2Token":                   {SessionToken, 15 * time.Minute},
	"signin:SwitchRole":                          {RoleSession, 12 * time.Hour},
	"sso:GetRoleCredentials":                     {RoleSession, time.Hour},
	"cognito-identity:GetCredentialsForIdentity": {RoleSession, time.Hour},
	"rolesanywhere:CreateSession":                {RoleSession, time.Hour},
	"iam:CreateAccessKey":                        {LongTerm, 0},
	"iam:CreateServiceSpecificCredential":        {ServiceSpecific, 0},
	"iam:ResetServiceSpecificCredential":         {ServiceSpecific, 0},
	"iam:UploadSSHPublicKey":                     {SSHKey, 0},
	"iam:UploadSigningCertificate":               {Certificate, 0},
	"s3express:CreateSession":                    {SessionToken, 5 * time.Minute},
}

// describe fills in a credential that the closure reached by its issue.
func (c *closure) describe(made *call) {
	if made.issued == "" {
		return
	}
	n := c.byID[made.issued]
	if n == nil || n.parent == nil || n.cred.Kind != "" || c.byID[made.key] != n.parent {
		return
	}
	c.t.describe(n, made, n.parent)
	n.cred.Why = "issued by " + made.api() + " of " + n.parent.cred.ID
	if n.actor == Unclear && n.parent.root != nil {
		n.cred.Why += ", in a use of it that is unclear"
	}
	if n.cred.Kind == Console {
		n.parent.console = n
	}
}

// describe fills in what the issuing call says of a credential. parent is the
// credential that made the call, if it is of the lineage.
func (t *tracer) describe(n *node, made *call, parent *node) {
	cred := &n.cred
	issuer, known := issuers[made.api()]
	cred.Kind = issuer.kind
	if !known {
		cred.Kind = Unknown
		if strings.HasPrefix(made.issued, "AKIA") {
			cred.Kind = LongTerm
		}
	}
	cred.Via, cred.IssuedEventID, cred.IssuedAt = made.api(), made.eventID, timePtr(made.time)
	if cred.Kind != LongTerm {
		n.moments = append(n.moments, made.time)
	}
	t.expire(n, made, parent, issuer.life)

	who := identity{made.response, made.issuedARN, made.account}
	role, roleKnown := parseARN(made.roleARN)
	switch {
	case roleKnown:
		who.account = role.account
		cred.SessionName = made.param("roleSessionName")
		if who.arn == "" && cred.SessionName != "" {
			who.arn = "arn:" + role.partition + ":sts::" + role.account + ":assumed-role/" + role.name + "/" + cred.SessionName
		}
	case cred.Kind == SessionToken || cred.Kind == Console:
		who = identity{made.principalID, made.identityARN, made.account}
		if a, ok := parseARN(made.issuedARN); ok && made.name == "AssumeRoot" {
			who = identity{a.account, made.issuedARN, a.account}
		}
		if parent != nil {
			cred.SessionName = parent.cred.SessionName
		}
	}
	if a, ok := parseARN(who.arn); ok && a.account != "" {
		who.account = a.account
	}
	if cred.PrincipalID == "" {
		cred.PrincipalID = who.id
	}
	if cred.PrincipalARN == "" {
		cred.PrincipalARN = who.arn
	}
	if cred.AccountID == "" {
		cred.AccountID = who.account
	}
	if s := made.param("sourceIdentity"); s != "" {
		cred.SourceIdentity = s
	} else if parent != nil && cred.Kind == RoleSession {
		cred.SourceIdentity = parent.cred.SourceIdentity // it is kept through chains
	}
}

// actsAs tells whom issued long-term credentials act as, which their issue
// names without an id.
func (c *closure) actsAs(ctx context.Context, n *node, made *call) error {
	switch n.cred.Kind {
	case LongTerm, ServiceSpecific, SSHKey, Certificate:
	default:
		return nil
	}
	name := made.targetUser
	if a, ok := parseARN(made.issuedARN); ok && a.kind == "user" {
		name = a.name
	}
	who, err := c.resolve(ctx, "user", name, made)
	if err != nil {
		return fmt.Errorf("find user %s: %w", name, err)
	}
	if made.identityType == "Root" && made.param("userName") == "" {
		who = identity{made.principalID, made.identityARN, made.account}
	}
	if n.cred.PrincipalID == "" {
		n.cred.PrincipalID = who.id
	}
	n.cred.PrincipalARN, n.cred.AccountID = who.arn, who.account
	return nil
}
