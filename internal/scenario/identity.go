package scenario

import "time"

// userIdentity is CloudTrail's element of that name, see
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type userIdentity struct {
	Type             string          `json:"type"`
	PrincipalID      string          `json:"principalId,omitempty"`
	ARN              string          `json:"arn,omitempty"`
	AccountID        string          `json:"accountId,omitempty"`
	AccessKeyID      string          `json:"accessKeyId,omitempty"`
	UserName         string          `json:"userName,omitempty"`
	SessionContext   *sessionContext `json:"sessionContext,omitempty"`
	IdentityProvider string          `json:"identityProvider,omitempty"`
	InvokedBy        string          `json:"invokedBy,omitempty"`
}

// sessionContext has an empty issuer where no role and no federating user
// stands behind the session, as with GetSessionToken and the console.
type sessionContext struct {
	SessionIssuer   sessionIssuer     `json:"sessionIssuer"`
	WebID           webIDFederation   `json:"webIdFederationData"`
	Attributes      sessionAttributes `json:"attributes"`
	SourceIdentity  string            `json:"sourceIdentity,omitempty"`
	EC2RoleDelivery string            `json:"ec2RoleDelivery,omitempty"`
}

type sessionIssuer struct {
	Type        string `json:"type,omitempty"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

type webIDFederation struct {
	Provider   string    `json:"federatedProvider,omitempty"`
	Attributes *struct{} `json:"attributes,omitempty"`
}

type sessionAttributes struct {
	CreationDate string `json:"creationDate"`
	MFA          string `json:"mfaAuthenticated"`
}

// Kinds of credentials; those of trailscan's lineage.json that AWS hands out
// in an event.
const (
	longTerm        = "long_term"
	sessionToken    = "session_token"
	roleSession     = "role_session"
	federationToken = "federation_token"
	console         = "console"
	caller          = "" // a caller without a key: a service, an account, a person at the sign-in page
)

// credential is something that calls can be made with.
type credential struct {
	name     string
	kind     string
	keyID    string
	identity userIdentity // without keyID of a console session and invokedBy
	hand     Hand

	issuedAt, expires time.Time // zero for keys that were there before the log
	event             string    // the id of the issuing event
	parent            *credential
	via               string // iam:CreateAccessKey
	token             string

	keyOf map[string]string // console: the key that a service got, by service and region
	order []string          // console: those keys in the order of their making
}

// temporary reports whether the credential has a session.
func (c *credential) temporary() bool { return c.identity.SessionContext != nil }

// use returns the identity that CloudTrail records for a call to a service. The
// console takes a key of its own for every service and region.
func (c *credential) use(d dice, account, service, region string) userIdentity {
	id := c.identity
	if c.kind != console {
		id.AccessKeyID = c.keyID
		return id
	}
	slot := service + " " + region
	key, ok := c.keyOf[slot]
	if !ok {
		key = d.id("ASIA", account)
		c.keyOf[slot] = key
		c.order = append(c.order, key)
	}
	id.AccessKeyID = key
	return id
}

// keyIDs are the access key ids of the credential that the log shows in use or
// being issued.
func (c *credential) keyIDs() []string {
	if c.kind != console {
		return []string{c.keyID}
	}
	ids := append([]string{}, c.order...)
	if c.keyID != "" {
		ids = append([]string{c.keyID}, ids...)
	}
	return ids
}

func (c *credential) withSession(issuer sessionIssuer, created time.Time, mfa bool) {
	attr := sessionAttributes{CreationDate: stamp(created), MFA: "false"}
	if mfa {
		attr.MFA = "true"
	}
	c.identity.SessionContext = &sessionContext{SessionIssuer: issuer, Attributes: attr}
}

// userIdentityOf is an IAM user without a session.
func (w *world) userIdentityOf(name string, u principal) userIdentity {
	return userIdentity{Type: "IAMUser", PrincipalID: u.id, ARN: u.arn, AccountID: w.account, UserName: name}
}

// issuerOf is the session issuer that a role or a user becomes.
func (w *world) issuerOf(kind, name string, p principal) sessionIssuer {
	return sessionIssuer{Type: kind, PrincipalID: p.id, ARN: p.arn, AccountID: w.account, UserName: name}
}
