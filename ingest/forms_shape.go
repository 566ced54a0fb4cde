package ingest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// valueKind is what a value of a record is in CloudTrail's own JSON. Most of
// the forms in which records are exported carry it as text.
type valueKind int

const (
	asText    valueKind = iota
	asFlag              // true or false as text: CloudTrail writes mfaAuthenticated so
	asBool              // true or false
	asTime              // in the spelling of eventTime
	asAccount           // twelve digits
	asAny               // whatever an API takes or answers
	asObject            // the members that its shape lists
	asList              // objects with the members that its shape lists
)

// shape is a member of a record as CloudTrail spells it, and what it holds.
type shape struct {
	name    string
	kind    valueKind
	members []*shape
	byName  map[string]*shape // members by their folded name
}

// recordShape is what is known of a record's members. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
// …/cloudtrail-event-reference-user-identity.html, …/query-supported-event-schemas.html and
// https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-understanding.html
var recordShape = (&shape{kind: asObject, members: []*shape{
	{name: "eventVersion"},
	{name: "userIdentity", kind: asObject, members: []*shape{
		{name: "type"}, {name: "principalId"}, {name: "arn"}, {name: "accountId", kind: asAccount}, {name: "accessKeyId"},
		{name: "userName"}, {name: "invokedBy"}, {name: "identityProvider"}, {name: "credentialId"}, {name: "identityStoreArn"},
		{name: "sessionContext", kind: asObject, members: []*shape{
			{name: "sessionIssuer", kind: asObject, members: []*shape{
				{name: "type"}, {name: "principalId"}, {name: "arn"}, {name: "accountId", kind: asAccount}, {name: "userName"},
			}},
			{name: "webIdFederationData", kind: asObject, members: []*shape{{name: "federatedProvider"}, {name: "attributes", kind: asAny}}},
			{name: "attributes", kind: asObject, members: []*shape{{name: "creationDate", kind: asTime}, {name: "mfaAuthenticated", kind: asFlag}}},
			{name: "sourceIdentity"}, {name: "ec2RoleDelivery"}, {name: "ec2IssuedInVpc"}, {name: "assumedRoot", kind: asFlag},
		}},
		{name: "onBehalfOf", kind: asObject, members: []*shape{{name: "userId"}, {name: "identityStoreArn"}}},
		{name: "inScopeOf", kind: asObject, members: []*shape{
			{name: "sourceArn"}, {name: "sourceAccount", kind: asAccount}, {name: "issuerType"}, {name: "credentialsIssuedTo"},
		}},
	}},
	{name: "eventTime", kind: asTime}, {name: "eventSource"}, {name: "eventName"}, {name: "awsRegion"}, {name: "sourceIPAddress"},
	{name: "userAgent"}, {name: "errorCode"}, {name: "errorMessage"},
	{name: "requestParameters", kind: asAny}, {name: "responseElements", kind: asAny}, {name: "additionalEventData", kind: asAny},
	{name: "requestID"}, {name: "eventID"}, {name: "readOnly", kind: asBool},
	{name: "resources", kind: asList, members: []*shape{{name: "accountId", kind: asAccount}, {name: "type"}, {name: "ARN"}, {name: "ARNPrefix"}}},
	{name: "eventType"}, {name: "apiVersion"}, {name: "managementEvent", kind: asBool}, {name: "recipientAccountId", kind: asAccount},
	{name: "serviceEventDetails", kind: asAny}, {name: "sharedEventID"}, {name: "vpcEndpointId"}, {name: "vpcEndpointAccountId", kind: asAccount},
	{name: "eventCategory"}, {name: "annotation"},
	{name: "addendum", kind: asAny}, {name: "sessionCredentialFromConsole", kind: asFlag}, {name: "edgeDeviceDetails", kind: asAny},
	{name: "tlsDetails", kind: asObject, members: []*shape{
		{name: "tlsVersion"}, {name: "cipherSuite"}, {name: "clientProvidedHostHeader"}, {name: "keyExchange"},
	}},
	{name: "insightDetails", kind: asAny}, {name: "eventContext", kind: asAny},
}}).index()

// index fills byName of s and of all below it.
func (s *shape) index() *shape {
	if s.members == nil {
		return s
	}
	s.byName = make(map[string]*shape, len(s.members))
	for _, m := range s.members {
		s.byName[fold(m.name)] = m.index()
	}
	return s
}

// anything is the shape of what no list of members describes.
var anything = &shape{kind: asAny}

// member finds the shape of a member by its name in any spelling, nil for one
// that is not known.
func (s *shape) member(name string) *shape {
	folded := fold(name)
	m := s.byName[folded]
	if m == nil && folded == "credentiaisissuedto" { // as CloudTrail Lake's schema has it
		m = s.byName["credentialsissuedto"]
	}
	return m
}

// fold makes names that exporters spell alike the same: eventTime, event_time,
// "Event time", eventtime.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '_' || r == '-' || r == ' ':
			return -1
		}
		return r
	}, name)
}

// maxPath is more members than any value of a record is deep.
const maxPath = 64

// path spells a dotted path as CloudTrail does: a slice of the names of members,
// those of lists with "[]" behind them, and the shape of what stands there. What
// an API takes or answers keeps its spelling. It is nil for a path that is not a
// record's.
func (s *shape) path(dotted string) ([]string, *shape) {
	parts := strings.Split(strings.ReplaceAll(dotted, "{}", "[]"), ".")
	if len(parts) > maxPath {
		return nil, nil
	}
	for i, part := range parts {
		if s.kind == asAny {
			return parts, anything
		}
		name := strings.TrimRight(part, "[]")
		m := s.member(name)
		if m == nil {
			return nil, nil
		}
		parts[i] = m.name
		if m.kind == asList || name != part {
			parts[i] += "[]"
		}
		s = m
	}
	if n := len(parts) - 1; s.kind == asList && !strings.HasSuffix(dotted, "[]") && !strings.HasSuffix(dotted, "{}") {
		parts[n] = strings.TrimSuffix(parts[n], "[]") // the list as a whole
	}
	return parts, s
}

// fromText is the JSON of a value that a form has as text, nil when it says
// nothing. Text that is not what CloudTrail would have there is nothing either:
// it stays in the source row.
func (s *shape) fromText(text string) []byte {
	if text == "" || text == "null" {
		return nil
	}
	switch s.kind {
	case asFlag:
		if lower := strings.ToLower(text); lower == "true" || lower == "false" {
			text = lower
		}
	case asBool:
		switch strings.ToLower(text) {
		case "true", "false":
			return []byte(strings.ToLower(text))
		}
		return nil
	case asTime:
		text = eventTimeText(text, false)
	case asAccount:
		if text = accountText(text); text == "" {
			return nil
		}
	case asAny, asObject, asList:
		return s.fromNestedText(text)
	}
	return appendText(nil, text)
}

// fromNestedText reads the text of something nested: JSON, or what Athena and
// CloudTrail Lake write of structs, maps and arrays. Text that is neither is
// kept as a string where anything may stand.
func (s *shape) fromNestedText(text string) []byte {
	trimmed := strings.TrimSpace(text)
	if value := jsontext.Value(trimmed); value.IsValid(decoderOptions()...) {
		switch trimmed[0] {
		case '{', '[':
			return s.fromJSON(value)
		}
	} else if value := parseStruct(trimmed, s); value != nil {
		return value
	}
	if s.kind != asAny {
		return nil
	}
	return appendText(nil, text)
}

// fromJSON is a well-formed value of a form with the members spelled and typed
// as CloudTrail does. Forms that have columns cannot tell null from missing, so
// what is null is left out, and objects in which nothing is left; nil is nothing.
func (s *shape) fromJSON(value []byte) []byte {
	value = value[skipSpace(value, 0):]
	switch value[0] {
	case 'n':
		return nil
	case '{':
		if s.kind == asText || s.kind == asAny {
			return value
		}
		return s.objectFromJSON(value)
	case '[':
		if s.kind != asList {
			return value
		}
		element := &shape{kind: asObject, members: s.members, byName: s.byName}
		list := []byte{'['}
		elements(value, func(v []byte) bool {
			if v = element.fromJSON(v); v != nil {
				list = append(append(list, v...), ',')
			}
			return true
		})
		return closed(list, ']')
	case '"':
		return s.fromText(string(unquote(value)))
	}
	if s.kind == asAny || s.kind == asBool && (value[0] == 't' || value[0] == 'f') {
		return value
	}
	return s.fromText(string(value)) // a number or boolean where CloudTrail has text
}

func (s *shape) objectFromJSON(value []byte) []byte {
	object := []byte{'{'}
	for o := newObject(value); ; {
		name, v, ok := o.next()
		if !ok {
			break
		}
		spelt, m := name, anything
		if known := s.member(plainName(name)); known != nil {
			m = known
			spelt = appendQuoted(nil, []byte(known.name))
		}
		if v = m.fromJSON(v); v != nil {
			object = append(append(append(append(object, spelt...), ':'), v...), ',')
		}
	}
	if len(object) == 1 {
		return nil
	}
	return closed(object, '}')
}

// closed ends an array or object that has a comma after each value.
func closed(b []byte, end byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, end)
}

// appendText appends any text as a JSON string. Bytes that are no UTF-8 become
// U+FFFD: no form that carries records as text has them.
func appendText(dst []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return appendQuoted(dst, []byte(text))
}

// accountText is an account id of twelve digits. Spreadsheets take it for a
// number: they drop zeros in front, which can be had back, and write it as
// 5.28758E+11, which cannot unless all digits are there; "" says so.
func accountText(text string) string {
	text = strings.TrimSpace(text)
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(strings.Replace(text, ",", ".", 1)), "E+")
	if scientific {
		whole, fraction, _ := strings.Cut(mantissa, ".")
		places := digits(exponent)
		if digits(whole) < 0 || len(fraction) != places {
			if digits(whole) >= 0 && digits(fraction) >= 0 && places >= 0 {
				return ""
			}
			return text
		}
		text = whole + fraction
	}
	if digits(text) < 0 || len(text) > 12 {
		return text // no number: a service's name or an alias
	}
	return strings.Repeat("0", 12-len(text)) + text
}

// isObject says whether text is a JSON object.
func isObject(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] == '{' && jsontext.Value(text).IsValid(decoderOptions()...)
}
