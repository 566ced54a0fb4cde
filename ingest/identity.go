package ingest

import (
	"bytes"
	"time"

	"trailscan/query"
)

// identityColumns are the columns of the table identities, in its order: the id,
// then the texts of an identity, then what is no text.
var identityColumns = []query.Column{
	{Name: "identity_id", Type: "BIGINT"},
	{Name: "user_identity", Type: "VARCHAR"},
	{Name: "identity_type", Type: "VARCHAR"},
	{Name: "principal_id", Type: "VARCHAR"},
	{Name: "identity_arn", Type: "VARCHAR"},
	{Name: "identity_account_id", Type: "VARCHAR"},
	{Name: "access_key_id", Type: "VARCHAR"},
	{Name: "user_name", Type: "VARCHAR"},
	{Name: "invoked_by", Type: "VARCHAR"},
	{Name: "identity_provider", Type: "VARCHAR"},
	{Name: "credential_id", Type: "VARCHAR"},
	{Name: "identity_store_arn", Type: "VARCHAR"},
	{Name: "on_behalf_of_user_id", Type: "VARCHAR"},
	{Name: "session_issuer_type", Type: "VARCHAR"},
	{Name: "session_issuer_arn", Type: "VARCHAR"},
	{Name: "session_issuer_principal_id", Type: "VARCHAR"},
	{Name: "session_issuer_account_id", Type: "VARCHAR"},
	{Name: "session_issuer_name", Type: "VARCHAR"},
	{Name: "source_identity", Type: "VARCHAR"},
	{Name: "session_assumed_root", Type: "VARCHAR"},
	{Name: "federated_provider", Type: "VARCHAR"},
	{Name: "session_created", Type: "TIMESTAMP"},
	{Name: "session_mfa", Type: "BOOLEAN"},
}

// The texts of an identity, in the order of their columns.
const (
	idnJSON = iota
	idnType
	idnPrincipalID
	idnARN
	idnAccountID
	idnAccessKeyID
	idnUserName
	idnInvokedBy
	idnProvider
	idnCredentialID
	idnStoreARN
	idnOnBehalfOfUserID
	idnIssuerType
	idnIssuerARN
	idnIssuerPrincipalID
	idnIssuerAccountID
	idnIssuerName
	idnSourceIdentity
	idnAssumedRoot
	idnFederatedProvider
	identityTexts
)

// identityRow is a userIdentity as the identities table holds it.
type identityRow struct {
	text    [identityTexts][]byte // nil is NULL
	created time.Time             // zero is NULL
	mfa     tristate
}

// identity is what records need of their identity when they are flattened.
type identity struct {
	id                       int64
	arn, userName, accountID []byte
}

// identity gives the identity of a raw userIdentity, nil for none. Most records
// have the same as one before: then it need not be read again.
func (f *flattener) identity(raw []byte, spaced, unicode bool) *identity {
	if n, ok := f.identities.get(raw); ok {
		return n
	}
	n := new(identity)
	if raw == nil {
		n.id = f.identities.add(nil)
	} else {
		text := f.json(raw, spaced, unicode)
		n.id = f.identities.add(text)
		var row identityRow
		f.readIdentity(&row, text)
		n.arn, n.userName, n.accountID = bytes.Clone(row.text[idnARN]), bytes.Clone(row.text[idnUserName]), bytes.Clone(row.text[idnAccountID])
	}
	f.identities.know(raw, n)
	return n
}

// readIdentity fills the columns of a userIdentity, compact JSON. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (f *flattener) readIdentity(n *identityRow, text []byte) {
	n.text[idnJSON] = text
	for o := newObject(text); ; {
		name, value, ok := o.next()
		if !ok {
			return
		}
		switch plainName(name) {
		case "type":
			n.text[idnType] = f.scalar(value)
		case "principalId":
			n.text[idnPrincipalID] = f.scalar(value)
		case "arn":
			n.text[idnARN] = f.scalar(value)
		case "accountId":
			n.text[idnAccountID] = f.scalar(value)
		case "accessKeyId":
			n.text[idnAccessKeyID] = f.scalar(value)
		case "userName":
			n.text[idnUserName] = f.scalar(value)
		case "invokedBy":
			n.text[idnInvokedBy] = f.scalar(value)
		case "identityProvider":
			n.text[idnProvider] = f.scalar(value)
		case "credentialId":
			n.text[idnCredentialID] = f.scalar(value)
		case "identityStoreArn":
			n.text[idnStoreARN] = f.scalar(value)
		case "onBehalfOf":
			n.text[idnOnBehalfOfUserID] = f.scalar(member(value, "userId"))
			if arn := f.scalar(member(value, "identityStoreArn")); arn != nil {
				n.text[idnStoreARN] = arn
			}
		case "sessionContext":
			f.readSession(n, value)
		}
	}
}

func (f *flattener) readSession(n *identityRow, context []byte) {
	for o := newObject(context); ; {
		name, value, ok := o.next()
		if !ok {
			return
		}
		switch plainName(name) {
		case "attributes":
			n.mfa, _ = boolean(member(value, "mfaAuthenticated"))
			n.created, _, _ = parseTime(string(f.scalar(member(value, "creationDate"))))
		case "sessionIssuer":
			for issuer := newObject(value); ; {
				name, value, ok := issuer.next()
				if !ok {
					break
				}
				switch plainName(name) {
				case "type":
					n.text[idnIssuerType] = f.scalar(value)
				case "arn":
					n.text[idnIssuerARN] = f.scalar(value)
				case "principalId":
					n.text[idnIssuerPrincipalID] = f.scalar(value)
				case "accountId":
					n.text[idnIssuerAccountID] = f.scalar(value)
				case "userName":
					n.text[idnIssuerName] = f.scalar(value)
				}
			}
		case "sourceIdentity":
			n.text[idnSourceIdentity] = f.scalar(value)
		case "assumedRoot":
			n.text[idnAssumedRoot] = f.scalar(value)
		case "webIdFederationData":
			n.text[idnFederatedProvider] = f.scalar(member(value, "federatedProvider"))
		}
	}
}

// writeIdentity sets a row of a chunk of the table identities.
func (f *flattener) writeIdentity(v *vectors, at int, text []byte) {
	var row identityRow
	if len(text) > 0 {
		f.readIdentity(&row, text)
	}
	for i, text := range row.text {
		v.text(1+i, at, text)
	}
	v.time(1+identityTexts, at, row.created)
	v.bool(2+identityTexts, at, row.mfa)
}
