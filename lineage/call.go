package lineage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"strings"
	"time"
)

// call is a successful call that passes access on or ends it, with what the
// closure needs to know of it.
type call struct {
	row                                              int64 // in trace_calls
	sourceID, recordIndex                            int64
	eventID, source, name                            string
	time                                             time.Time
	account, region, key, principalID                string
	identityType, identityARN, identityAccount, user string
	invokedBy, address                               string
	issuerARN                                        string
	created                                          time.Time // the caller's session
	provider                                         string    // of a SAML or OIDC identity
	onBehalfOf, credentialID                         string    // the Identity Center user and its credential
	issued, issuedARN                                string
	expires                                          time.Time
	roleARN, targetUser, targetRole                  string
	request, response, additional                    string // JSON; response is the issued principal's id where a credential was issued
	details                                          string // JSON: serviceEventDetails, of Cognito resources
}

const callColumns = `c.rowid, c.source_id, c.record_index, c.event_id, c.event_source, c.event_name, c.event_time,
	coalesce(c.account_id, ''), coalesce(c.aws_region, ''), coalesce(c.access_key_id, ''), coalesce(c.principal_id, ''),
	coalesce(c.identity_type, ''), coalesce(c.identity_arn, ''), coalesce(c.identity_account_id, ''), coalesce(c.user_name, ''),
	coalesce(c.invoked_by, ''), coalesce(c.source_ip_address, ''), coalesce(c.session_issuer_arn, ''), c.session_created,
	coalesce(c.federated_provider, c.identity_provider, ''), coalesce(c.on_behalf_of_user_id, ''), coalesce(c.credential_id, ''),
	coalesce(c.issued_access_key_id, ''), coalesce(c.issued_principal_arn, ''), c.issued_expiration,
	coalesce(c.role_arn, ''), coalesce(c.target_user, ''), coalesce(c.target_role, ''),
	coalesce(c.request_parameters, ''), coalesce(c.response, ''), coalesce(c.additional_event_data, ''),
	coalesce(c.details, '')`

// calls reads the calls that a FROM clause gives as c, in order of time.
func (t *tracer) calls(ctx context.Context, from string, args ...any) ([]*call, error) {
	var calls []*call
	err := t.each(ctx, `SELECT `+callColumns+` `+from+` ORDER BY c.event_time, c.event_id, c.source_id, c.record_index`, args,
		func(scan func(...any) error) error {
			c := &call{}
			var source, name sql.NullString
			var created, expires sql.NullTime
			err := scan(&c.row, &c.sourceID, &c.recordIndex, &c.eventID, &source, &name, &c.time, &c.account, &c.region, &c.key, &c.principalID,
				&c.identityType, &c.identityARN, &c.identityAccount, &c.user, &c.invokedBy, &c.address, &c.issuerARN, &created, &c.provider,
				&c.onBehalfOf, &c.credentialID,
				&c.issued, &c.issuedARN, &expires, &c.roleARN, &c.targetUser, &c.targetRole, &c.request, &c.response, &c.additional, &c.details)
			c.source, c.name, c.created, c.expires = source.String, name.String, created.Time, expires.Time
			calls = append(calls, c)
			return err
		})
	return calls, err
}

// callsOf reads calls by their rows in trace_calls.
func (t *tracer) callsOf(ctx context.Context, rows []int64) ([]*call, error) {
	err := t.table(ctx, "trace_wanted", `id BIGINT`, len(rows), func(i int) []driver.Value { return []driver.Value{rows[i]} })
	if err != nil {
		return nil, err
	}
	return t.calls(ctx, `FROM trace_calls c WHERE c.rowid IN (FROM trace_wanted)`)
}

// partition is the AWS partition of the caller.
func (c *call) partition() string {
	if a, ok := parseARN(c.identityARN); ok {
		return a.partition
	}
	return "aws"
}

// api is the call as a reader knows it: "sts:AssumeRole".
func (c *call) api() string {
	service, _, _ := strings.Cut(c.source, ".")
	return service + ":" + c.plainName()
}

// plainName is the event's name without the date that Lambda's carry.
func (c *call) plainName() string {
	if i := strings.Index(c.name, "20"); i > 0 && c.source == "lambda.amazonaws.com" {
		return c.name[:i]
	}
	return c.name
}

// param is a text member of the request, "" where there is none.
func (c *call) param(path ...string) string { return member(c.request, path...) }

// succeeded reports whether a sign-in did: a failed one may carry no error code.
func (c *call) succeeded() bool {
	result := member(c.response, c.name)
	return result == "" || result == "Success"
}

// member is the text or number at a path of a JSON object, "" where there is
// none. Hostile or cut text has no members.
func member(text string, path ...string) string {
	raw := json.RawMessage(text)
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return ""
		}
		raw = object[name]
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// arn is the parts of an ARN that the lineage needs.
type arn struct{ partition, service, account, kind, name string }

// parseARN takes an ARN apart: the kind and name of
// arn:aws:iam::111122223333:role/path/Deploy are role and Deploy.
func parseARN(text string) (arn, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return arn{}, false
	}
	a := arn{partition: parts[1], service: parts[2], account: parts[4]}
	kind, rest, ok := strings.Cut(parts[5], "/")
	a.kind = kind
	if !ok {
		a.name = kind
		return a, true
	}
	a.name = rest[strings.LastIndex(rest, "/")+1:]
	return a, true
}

// iamARN is the ARN of an IAM entity without a path, in the partition of the
// caller.
func (c *call) iamARN(kind, name string) string {
	return "arn:" + c.partition() + ":iam::" + c.account + ":" + kind + "/" + name
}
