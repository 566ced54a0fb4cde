package sigma

import (
	"strings"

	"trailscan/query"
)

// field is where a Sigma field stands in the events relation: a column of text,
// or the values under keys of a column of JSON.
type field struct {
	text   string   // SQL of the text; "" for JSON
	column string   // the column of JSON
	keys   []string // in it
	member string   // the top-level member that a column of text holds
	named  bool     // event name or source
}

// keyword is the field of keywords: the text of the whole record.
var keyword = field{column: "*"}

// textMembers are the members of a record that have a column of text. A
// recipientAccountId that a record lacks is that of its identity.
var textMembers = []struct{ member, sql string }{
	{"eventVersion", "event_version"},
	{"eventTime", timeText("event_time")},
	{"eventSource", "event_source"},
	{"eventName", "event_name"},
	{"awsRegion", "aws_region"},
	{"sourceIPAddress", "source_ip_address"},
	{"userAgent", "user_agent"},
	{"errorCode", "error_code"},
	{"errorMessage", "error_message"},
	{"requestID", "request_id"},
	{"eventID", "event_id"},
	{"eventType", "event_type"},
	{"apiVersion", "api_version"},
	{"recipientAccountId", "account_id"},
	{"sharedEventID", "shared_event_id"},
	{"vpcEndpointId", "vpc_endpoint_id"},
	{"vpcEndpointAccountId", "vpc_endpoint_account_id"},
	{"eventCategory", "event_category"},
	{"readOnly", "CAST(read_only AS VARCHAR)"},
	{"managementEvent", "CAST(management_event AS VARCHAR)"},
	{"sessionCredentialFromConsole", "CAST(session_credential_from_console AS VARCHAR)"},
}

// identityMembers are the members of userIdentity that have a column of text.
var identityMembers = []struct{ member, sql string }{
	{"type", "identity_type"},
	{"principalId", "principal_id"},
	{"arn", "identity_arn"},
	{"accountId", "identity_account_id"},
	{"accessKeyId", "access_key_id"},
	{"userName", "user_name"},
	{"invokedBy", "invoked_by"},
	{"identityProvider", "identity_provider"},
	{"credentialId", "credential_id"},
	{"onBehalfOf.userId", "on_behalf_of_user_id"},
	{"onBehalfOf.identityStoreArn", "identity_store_arn"},
	{"sessionContext.attributes.creationDate", timeText("session_created")},
	{"sessionContext.attributes.mfaAuthenticated", "CAST(session_mfa AS VARCHAR)"},
	{"sessionContext.sessionIssuer.type", "session_issuer_type"},
	{"sessionContext.sessionIssuer.arn", "session_issuer_arn"},
	{"sessionContext.sessionIssuer.principalId", "session_issuer_principal_id"},
	{"sessionContext.sessionIssuer.accountId", "session_issuer_account_id"},
	{"sessionContext.sessionIssuer.userName", "session_issuer_name"},
	{"sessionContext.sourceIdentity", "source_identity"},
	{"sessionContext.assumedRoot", "session_assumed_root"},
	{"sessionContext.webIdFederationData.federatedProvider", "federated_provider"},
}

// jsonMembers are the members of a record that have a column of JSON.
var jsonMembers = []struct{ member, column string }{
	{"userIdentity", "user_identity"},
	{"requestParameters", "request_parameters"},
	{"responseElements", "response_elements"},
	{"additionalEventData", "additional_event_data"},
	{"serviceEventDetails", "service_event_details"},
	{"resources", "resources"},
	{"tlsDetails", "tls_details"},
	{"edgeDeviceDetails", "edge_device_details"},
	{"insightDetails", "insight_details"},
	{"addendum", "addendum"},
}

// genericNames are Sigma's names for what every log source has.
var genericNames = map[string]string{"src_ip": "sourceIPAddress"}

// timeText writes a time as CloudTrail does.
func timeText(column string) string {
	return "replace(substr(CAST(" + column + " AS VARCHAR), 1, 19), ' ', 'T') || 'Z'"
}

// fieldOf finds a Sigma field. Names of members that have a column are found in
// any case; below them and among unknown ones the case is the log's.
func fieldOf(name string) (field, error) {
	if generic, ok := genericNames[name]; ok {
		name = generic
	}
	for _, m := range textMembers {
		if strings.EqualFold(name, m.member) {
			return field{text: m.sql, member: m.member, named: m.member == "eventName" || m.member == "eventSource"}, nil
		}
	}
	keys := strings.Split(name, ".")
	for _, key := range keys {
		if key == "" || strings.ContainsAny(key, "\"\\\x00") || strings.ContainsFunc(key, isControl) {
			return field{}, reasonf("%q is no name of a field", name)
		}
	}
	if len(keys) > query.MaxJSONKeys {
		return field{}, reasonf("field %s is more than %d levels deep", name, query.MaxJSONKeys)
	}
	first, rest, _ := strings.Cut(name, ".")
	f := field{column: "extra", keys: keys}
	for _, m := range jsonMembers {
		if strings.EqualFold(first, m.member) {
			f = field{column: m.column, keys: keys[1:]}
		}
	}
	if f.column == "user_identity" {
		for _, m := range identityMembers {
			if strings.EqualFold(rest, m.member) {
				f.text = m.sql
			}
		}
	}
	return f, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// values is the SQL of the list of the field's values.
func (f field) values() string {
	switch {
	case f.column == "*":
		return recordTexts()
	case f.text != "":
		return "ARRAY[" + f.text + "]"
	}
	return "json_values(" + f.arguments() + ")"
}

// value is the SQL of one text: the field's only value, or the first of
// several.
func (f field) value() string {
	if f.text != "" {
		return f.text
	}
	return "try((" + f.values() + ")[1])"
}

// holds is the condition that a value of the field passes the test, which is
// given the expression of a value.
func (f field) holds(test func(x string) string) atom {
	if f.text != "" {
		return atom{text: test(f.text), named: f.named}
	}
	text := "cardinality(filter(" + f.values() + ", x -> " + test("x") + ")) > 0"
	if len(f.keys) > 0 {
		// Most texts lack the key; no list is made for them.
		text = "(strpos(" + f.column + ", " + quoted(`"`+f.keys[len(f.keys)-1]+`"`) + ") > 0 AND " + text + ")"
	}
	return atom{text: text}
}

// empty is the condition that the field has no value: it is absent or null.
func (f field) empty() expr {
	if f.text != "" {
		return atom{text: f.text + " IS NULL"}
	}
	return atom{text: "cardinality(" + f.values() + ") = 0"}
}

// exists is the condition that the record has the field, null or not.
func (f field) exists() expr {
	switch {
	case f.member != "":
		return atom{text: "(" + f.text + " IS NOT NULL OR json_extract(extra, '$." + f.member + "') IS NOT NULL)"}
	case len(f.keys) == 0:
		return anyOf{atom{text: f.column + " IS NOT NULL"}, atom{text: "json_extract(extra, '$." + memberOf(f.column) + "') IS NOT NULL"}}
	}
	return atom{text: "cardinality(json_members(" + f.arguments() + ")) > 0"}
}

func (f field) arguments() string {
	args := []string{f.column}
	for _, key := range f.keys {
		args = append(args, quoted(key))
	}
	return strings.Join(args, ", ")
}

func memberOf(column string) string {
	for _, m := range jsonMembers {
		if m.column == column {
			return m.member
		}
	}
	return column
}

// recordTexts is the SQL of the record's text, as JSON and with the escaped
// quotes and backslashes in it undone once and twice.
func recordTexts() string {
	var members []string
	for _, m := range textMembers {
		mark := `"`
		if strings.HasPrefix(m.sql, "CAST(") {
			mark = ""
		}
		members = append(members, `coalesce('"`+m.member+`":`+mark+`' || `+m.sql+` || '`+mark+`,', '')`)
	}
	for _, m := range jsonMembers {
		members = append(members, `coalesce('"`+m.member+`":' || `+m.column+` || ',', '')`)
	}
	record := strings.Join(append(members, `coalesce(extra, '')`), " || ")
	return "json_text_forms(" + record + ")"
}
