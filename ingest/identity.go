package ingest

import (
	"bytes"
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

// pendingLimit is how much JSON of identities waits in memory to be stored, and
// knownLimit how much of it the flatteners know. Where each record has another
// identity they are stored in groups of a DuckDB row group or so.
const (
	pendingLimit = 64 << 20
	knownLimit   = 16 << 20
)

// identities numbers the identities of a load and holds those that are not
// stored yet.
type identities struct {
	limit   int // of JSON that waits
	mu      sync.Mutex
	pending identityList
}

// identityList is identities one after another: ids that follow each other, and
// their compact JSON, of which an empty one stands for none.
type identityList struct {
	first int64
	ends  []int // in text
	text  []byte
}

// add numbers a new identity.
func (s *identities) add(text []byte) (id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pending
	p.text = append(p.text, text...)
	p.ends = append(p.ends, len(p.text))
	return p.first + int64(len(p.ends)) - 1
}

// full says whether those pending should be stored before there are more.
func (s *identities) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending.text) > s.limit
}

// take returns those pending.
func (s *identities) take() identityList {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending
	s.pending = identityList{first: p.first + int64(len(p.ends))}
	return p
}

// identity gives the identity of a raw userIdentity, nil for none. Most records
// have the same as one before: then it need not be read again.
func (f *flattener) identity(raw []byte, spaced, unicode bool) *identity {
	if n, ok := f.known[string(raw)]; ok {
		return n
	}
	if f.knownSize += len(raw) + knownOverhead; f.knownSize > f.knownLimit || f.known == nil {
		f.known, f.knownSize = map[string]*identity{}, len(raw)+knownOverhead
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
	f.known[string(raw)] = n
	return n
}

// knownOverhead is what a known identity takes beside its text.
const knownOverhead = 256

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

// identityRows is identities on their way into their table.
type identityRows struct {
	ctx    context.Context
	list   identityList
	end    int // of those that the query stores
	arenas *arenas
	next   atomic.Int64
}

// identityWriter is what a thread of DuckDB needs to write them.
type identityWriter struct {
	vectors   vectors
	flattener flattener
}

// The methods of duckdb.ParallelChunkTableSource.

func (r *identityRows) ColumnInfos() []duckdb.ColumnInfo     { return columnInfos(identityColumns) }
func (r *identityRows) Cardinality() *duckdb.CardinalityInfo { return nil }
func (r *identityRows) NewLocalState() any {
	return &identityWriter{vectors: vectors{arena: r.arenas.next()}}
}
func (r *identityRows) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: r.arenas.threads}
}

func (r *identityRows) FillChunk(state any, chunk duckdb.DataChunk) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	w := state.(*identityWriter)
	if err := w.vectors.reset(chunk, len(identityColumns)); err != nil {
		return err
	}
	ends := r.list.ends
	from := min(int(r.next.Add(batchRecords))-batchRecords, r.end)
	to := min(from+batchRecords, r.end)
	for i := from; i < to; i++ {
		start := 0
		if i > 0 {
			start = ends[i-1]
		}
		w.write(i-from, r.list.first+int64(i), r.list.text[start:ends[i]])
	}
	return chunk.SetSize(to - from)
}

// write sets a row of a chunk.
func (w *identityWriter) write(at int, id int64, text []byte) {
	var row identityRow
	if len(text) > 0 {
		w.flattener.arena = w.flattener.arena[:0]
		w.flattener.readIdentity(&row, text)
	}
	v := &w.vectors
	put(v, 0, at, id)
	for i, text := range row.text {
		v.text(1+i, at, text)
	}
	v.time(1+identityTexts, at, row.created)
	v.bool(2+identityTexts, at, row.mfa)
}
