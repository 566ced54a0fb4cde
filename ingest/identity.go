package ingest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"

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

// identity is a userIdentity as the identities table holds it. Its texts belong
// to it.
type identity struct {
	id      int64
	text    [identityTexts][]byte // nil is NULL
	created time.Time             // zero is NULL
	mfa     tristate
}

// identityLimit is how much JSON of identities is held in memory: of those that
// wait to be stored, and of those that a flattener knows by their text.
const identityLimit = 16 << 20

// identities numbers the identities of a load and holds those that are not
// stored yet.
type identities struct {
	mu      sync.Mutex
	next    int64
	pending []*identity
	size    int // of the JSON of those pending
}

// add numbers a new identity.
func (s *identities) add(n *identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.id = s.next
	s.next++
	s.pending = append(s.pending, n)
	s.size += len(n.text[idnJSON])
}

// full says whether those pending should be stored before there are more.
func (s *identities) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size > identityLimit
}

// take returns those pending.
func (s *identities) take() []*identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := s.pending
	s.pending, s.size = nil, 0
	return pending
}

// identity gives the identity of a raw userIdentity, nil for none. Most records
// have the same as one before: then it need not be read again.
func (f *flattener) identity(raw []byte, spaced, unicode bool) *identity {
	if n, ok := f.known[string(raw)]; ok {
		return n
	}
	if f.knownSize += len(raw); f.knownSize > identityLimit || f.known == nil {
		f.known, f.knownSize = map[string]*identity{}, len(raw)
	}
	n := new(identity)
	if raw != nil {
		n.text[idnJSON] = f.json(raw, spaced, unicode)
		f.readIdentity(n)
		n.own()
	}
	f.identities.add(n)
	f.known[string(raw)] = n
	return n
}

// own gives the identity its own copy of its texts.
func (n *identity) own() {
	size := 0
	for _, t := range n.text {
		size += len(t)
	}
	all := make([]byte, 0, size)
	for i, t := range n.text {
		if t == nil {
			continue
		}
		start := len(all)
		all = append(all, t...)
		n.text[i] = all[start:len(all):len(all)]
	}
}

// readIdentity fills the columns that repeat parts of userIdentity. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (f *flattener) readIdentity(n *identity) {
	for o := newObject(n.text[idnJSON]); ; {
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

func (f *flattener) readSession(n *identity, context []byte) {
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

// identityRows is identities on their way into their table.
type identityRows struct {
	ctx    context.Context
	list   []*identity
	next   atomic.Int64
	arenas arenas
}

// The methods of duckdb.ParallelChunkTableSource.

func (r *identityRows) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(identityColumns) }
func (r *identityRows) Cardinality() *duckdb.CardinalityInfo { return nil }
func (r *identityRows) NewLocalState() any                   { return &vectors{arena: r.arenas.new()} }
func (r *identityRows) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{}
}

func (r *identityRows) FillChunk(state any, chunk duckdb.DataChunk) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	from := min(int(r.next.Add(batchRecords))-batchRecords, len(r.list))
	list := r.list[from:min(from+batchRecords, len(r.list))]
	v := state.(*vectors)
	if err := v.reset(chunk, len(identityColumns)); err != nil {
		return err
	}
	for at, n := range list {
		put(v, 0, at, n.id)
		for i, text := range n.text {
			v.text(1+i, at, text)
		}
		v.time(1+identityTexts, at, n.created)
		v.bool(2+identityTexts, at, n.mfa)
	}
	return chunk.SetSize(len(list))
}
