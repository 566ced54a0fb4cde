package remediate

import (
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// caller is who signed a call, as far as policies ask.
type caller struct {
	kind      string // userIdentity.type
	arn       string
	account   string
	id        string // principalId
	accessKey string
	issuerARN string // sessionIssuer
	issuerID  string
	issued    time.Time // zero: no token, or the record does not say
	invokedBy string
	source    string // sourceIdentity
	provider  string // of a web identity or SAML session, or of the sign-in itself
	ssoUser   string // onBehalfOf.userId
	assumed   string // assumedRoot
	mfa       sql.NullBool
}

// callerColumns are those that scanCaller reads.
const callerColumns = `e.identity_type, e.identity_arn, e.identity_account_id, e.principal_id, e.access_key_id, e.session_issuer_arn,
	e.session_issuer_principal_id, e.session_created, e.invoked_by, e.source_identity, coalesce(e.federated_provider, e.identity_provider),
	e.on_behalf_of_user_id, e.session_assumed_root, e.session_mfa`

// callerRow scans callerColumns.
type callerRow struct {
	kind, arn, account, id, key, issuerARN, issuerID, invoked, source, provider, user, assumed sql.NullString
	issued                                                                                     sql.NullTime
	mfa                                                                                        sql.NullBool
}

func (r *callerRow) into() []any {
	return []any{&r.kind, &r.arn, &r.account, &r.id, &r.key, &r.issuerARN, &r.issuerID, &r.issued, &r.invoked, &r.source, &r.provider,
		&r.user, &r.assumed, &r.mfa}
}

func (r *callerRow) caller() caller {
	return caller{
		kind: r.kind.String, arn: r.arn.String, account: r.account.String, id: r.id.String, accessKey: r.key.String,
		issuerARN: r.issuerARN.String, issuerID: r.issuerID.String, issued: r.issued.Time.UTC(), invokedBy: r.invoked.String,
		source: r.source.String, provider: r.provider.String, ssoUser: r.user.String, assumed: r.assumed.String, mfa: r.mfa,
	}
}

// temporary says that a call is signed with a token.
func (c caller) temporary() bool {
	return !c.issued.IsZero() || c.kind == "AssumedRole" || c.kind == "FederatedUser" || strings.HasPrefix(c.accessKey, "ASIA")
}

// holder is the user or role whose policies bind a caller: of a session its
// role, of a federation token the user who asked for it.
func (c caller) holder() (s subject, id string, ok bool) {
	switch c.kind {
	case "AssumedRole":
		s, ok = subjectOf(c.issuerARN)
		if !ok {
			s, ok = subjectOf(c.arn)
		}
		id = c.issuerID
		if id == "" {
			id = roleID(c.id)
		}
	case "FederatedUser":
		s, ok = subjectOf(c.issuerARN)
		id = c.issuerID
	case "IAMUser":
		s, ok = subjectOf(c.arn)
		id = c.id
	}
	return s, id, ok && s.kind != "root"
}

// holderARN is aws:PrincipalArn: of a role's session the role's ARN, of a
// federation token its own:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn.
func (c caller) holderARN() string {
	if c.kind == "AssumedRole" {
		if c.issuerARN != "" {
			return c.issuerARN
		}
		if s, ok := subjectOf(c.arn); ok {
			return "arn:" + partitionOf(c.arn, "") + ":iam::" + s.account + ":role/" + s.name
		}
	}
	return c.arn
}

func (c caller) root() bool { return c.kind == "Root" || c.assumed == "true" }

// serviceLinked says that a role's policies are AWS's own.
func (c caller) serviceLinked() bool {
	return strings.Contains(c.holderARN(), ":role/aws-service-role/") || strings.Contains(c.arn, ":assumed-role/AWSServiceRoleFor")
}

// request is a call as a policy sees it.
type request struct {
	caller
	time      time.Time
	call      string // "iam:CreateUser"
	actions   []string
	resources []string // ARNs
	region    string
	sourceIP  string
	userAgent string
	event     string // eventType
	account   string // of what the call acts on
	params    any    // requestParameters
}

// key is the value of a condition key, and whether the request has it; unknown
// where a record cannot tell. The keys are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
func (r *request) key(name string) (value string, present truth) {
	text := func(s string) (string, truth) { return s, truthOf(s != "") }
	switch name {
	case issueTime:
		switch {
		case r.kind == "FederatedUser":
			// Sources disagree on whether a deny by issue time binds federation tokens,
			// so it is not relied on.
			return "", unknown
		case !r.issued.IsZero():
			return r.issued.Format(time.RFC3339), yes
		case r.temporary():
			return "", unknown
		}
		return "", no
	case "aws:userid":
		return text(r.id)
	case "aws:username":
		if s, _, ok := r.holder(); ok && r.kind == "IAMUser" {
			return s.name, yes
		}
		return "", no
	case "aws:principalarn":
		return text(r.holderARN())
	case "aws:principalaccount":
		return text(r.caller.account)
	case "aws:sourceidentity":
		return text(r.source)
	case "aws:federatedprovider":
		return text(r.provider)
	case "aws:assumedroot":
		return text(r.assumed)
	case "aws:multifactorauthpresent":
		if !r.mfa.Valid {
			return "", truthOf(false)
		}
		return strconv.FormatBool(r.mfa.Bool), yes
	case "aws:viaawsservice":
		return strconv.FormatBool(r.invokedBy != ""), yes
	case "aws:calledvia", "aws:calledviafirst", "aws:calledvialast":
		return text(r.invokedBy)
	case "aws:requestedregion":
		return text(r.region)
	case "aws:useragent":
		return text(r.userAgent)
	case "aws:sourceip":
		if r.sourceIP == "" {
			return "", unknown
		}
		return r.sourceIP, yes
	case "aws:currenttime":
		return r.time.Format(time.RFC3339), yes
	case "identitystore:userid":
		if s, _, ok := r.holder(); ok && r.ssoUser == "" {
			// The record of such a session need not name its user.
			if _, reserved := permissionSetOf(s.name); reserved {
				return "", unknown
			}
		}
		return text(r.ssoUser)
	case "sts:externalid":
		s, _ := dig(r.params, []string{"externalId"}).(string)
		return text(s)
	case "sts:rolesessionname":
		s, _ := dig(r.params, []string{"roleSessionName"}).(string)
		return text(s)
	}
	return "", unknown
}

// resourcesOf are the ARNs that a record says its call acts on.
func resourcesOf(source, region, account string, params, resources any) []string {
	var out []string
	list, ok := resources.([]any)
	if !ok {
		list = []any{resources}
	}
	for _, r := range list {
		for _, name := range []string{"ARN", "arn"} {
			if arn, ok := dig(r, []string{name}).(string); ok && strings.HasPrefix(arn, "arn:") {
				out = append(out, arn)
			}
		}
	}
	partition := partitionOf("", region)
	if bucket, ok := dig(params, []string{"bucketName"}).(string); ok && source == "s3" && len(out) == 0 {
		arn := "arn:" + partition + ":s3:::" + bucket
		if key, ok := dig(params, []string{"key"}).(string); ok {
			arn += "/" + key
		}
		out = append(out, arn)
	}
	if role, ok := dig(params, []string{"roleArn"}).(string); ok && source == "sts" && len(out) == 0 {
		out = append(out, role)
	}
	if len(out) > 0 || source != "iam" {
		return out
	}
	for param, kind := range map[string]string{"userName": "user", "roleName": "role", "groupName": "group"} {
		if name, ok := dig(params, []string{param}).(string); ok {
			// A record does not tell the path, so a policy on one with a path is missed.
			out = append(out, "arn:"+partition+":iam::"+account+":"+kind+"/"+name)
		}
	}
	return out
}
