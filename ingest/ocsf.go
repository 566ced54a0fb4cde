package ingest

import (
	"strconv"
	"strings"
	"time"
)

// formatOCSF is records as OCSF events, the form of Amazon Security Lake.
const formatOCSF = "ocsf"

// ocsfFields are the fields of OCSF events that have a place in records, in the
// order in which they are tried: what is set first stays. Of names that the
// versions of OCSF use for different things the version decides: see ocsfUser. See
// https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS
var ocsfFields = []struct{ ocsf, record string }{
	{"metadata.product.version", "eventVersion"}, {"cloud.service.version", "eventVersion"},
	{"actor.user.type", "userIdentity.type"}, {"actor.user.name", "userIdentity.userName"},
	{"actor.user.account_uid", "userIdentity.accountId"}, {"actor.user.account.uid", "userIdentity.accountId"},
	{"actor.invoked_by", "userIdentity.invokedBy"},
	{"actor.session.issuer", "userIdentity.sessionContext.sessionIssuer.arn"},
	{"actor.session.created_time", "userIdentity.sessionContext.attributes.creationDate"},
	{"actor.session.creation_time", "userIdentity.sessionContext.attributes.creationDate"},
	{"actor.session.created_time_dt", "userIdentity.sessionContext.attributes.creationDate"},
	{"actor.session.mfa", "userIdentity.sessionContext.attributes.mfaAuthenticated"},
	{"actor.session.is_mfa", "userIdentity.sessionContext.attributes.mfaAuthenticated"},
	{"time", "eventTime"}, {"time_dt", "eventTime"}, {"_time", "eventTime"},
	{"api.service.name", "eventSource"}, {"api.operation", "eventName"}, {"cloud.region", "awsRegion"},
	{"src_endpoint.ip", "sourceIPAddress"}, {"src_endpoint.domain", "sourceIPAddress"},
	{"http_request.user_agent", "userAgent"},
	{"api.response.error", "errorCode"}, {"api.response.message", "errorMessage"},
	{"api.request.data", "requestParameters"}, {"api.response.data", "responseElements"},
	{"api.request.uid", "requestID"}, {"metadata.uid", "eventID"}, {"ref_event_uid", "eventID"},
	{"metadata.event_code", "eventType"}, {"metadata.log_name", "eventType"}, {"api.version", "apiVersion"},
	{"cloud.account.uid", "recipientAccountId"}, {"cloud.account_uid", "recipientAccountId"},
	{"src_endpoint.uid", "vpcEndpointId"},
}

// fromOCSF makes a record of an OCSF event that was made of one. What is left of
// the record is put back in its place; the event stands in it as the member
// ocsf. It is not ok when the object is no OCSF event of CloudTrail.
func fromOCSF(object []byte) (record []byte, ok bool) {
	e := ocsfEvent{object: object, actor: "actor."}
	if !e.isCloudTrail() {
		return nil, false
	}
	if member(object, "actor") == nil && member(object, "identity") != nil {
		e.actor = "identity." // before OCSF 1.0
	}
	e.unmapped()
	for _, f := range ocsfFields {
		e.set(f.ocsf, f.record)
	}
	e.user()
	e.category()
	e.resources()
	e.absorbed()
	if !e.record.has("eventName") || !e.record.has("eventTime") {
		return nil, false
	}
	e.record.set([]string{formatOCSF}, object)
	return e.record.append(nil, ","), true
}

// ocsfEvent is an OCSF event of which a record is made.
type ocsfEvent struct {
	object []byte
	actor  string // where the actor is
	record tree
}

// isCloudTrail says whether the event is CloudTrail's: other products have API
// activity too, and early writers name no product.
func (e *ocsfEvent) isCloudTrail() bool {
	if e.get("class_uid") == nil && e.get("metadata.version") == nil {
		return false
	}
	if product := e.text("metadata.product.name"); product != "" {
		return strings.Contains(strings.ToLower(product), "cloudtrail")
	}
	return strings.HasSuffix(e.text("api.service.name"), ".amazonaws.com") && e.text("api.operation") != ""
}

// get is the value at a dotted path, nil for null and for none.
func (e *ocsfEvent) get(dotted string) []byte {
	if rest, ok := strings.CutPrefix(dotted, "actor."); ok {
		dotted = e.actor + rest
	}
	value := e.object
	for name := range strings.SplitSeq(dotted, ".") {
		if value = member(value, name); value == nil {
			return nil
		}
	}
	if value[0] == 'n' {
		return nil
	}
	return value
}

// text is the text of a string, number or boolean at a path.
func (e *ocsfEvent) text(dotted string) string { return scalarText(e.get(dotted)) }

func scalarText(value []byte) string {
	if len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 'n' {
		return ""
	}
	if value[0] == '"' {
		return string(unquote(value))
	}
	return string(value)
}

// set puts the value at one path into another of the record.
func (e *ocsfEvent) set(ocsf, record string) {
	value := e.get(ocsf)
	if value == nil {
		return
	}
	path, s := recordShape.path(record)
	if s.kind == asTime {
		if ms, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			value = appendText(nil, time.UnixMilli(ms).UTC().Format(time.RFC3339Nano))
		}
	}
	if text := unquoted(value); string(text) == "''" || value[0] == '"' && len(text) == 0 {
		return // what Security Lake writes for none
	}
	if value = s.fromJSON(value); value != nil {
		e.record.set(path, value)
	}
}

// user rebuilds what the versions of OCSF put under different names.
func (e *ocsfEvent) user() {
	principal, arn := "actor.user.uid", "actor.user.uuid"
	if e.get("actor.user.uid_alt") != nil || strings.HasPrefix(e.text("actor.user.uid"), "arn:") {
		principal, arn = "actor.user.uid_alt", "actor.user.uid"
	}
	key, provider := "userIdentity.accessKeyId", "userIdentity.sessionContext.webIdFederationData.federatedProvider"
	switch e.text("actor.user.type") {
	case "IdentityCenterUser":
		principal, key = "actor.user.uid", "userIdentity.credentialId"
		e.set("actor.user.uid_alt", "userIdentity.onBehalfOf.userId")
		e.set("actor.idp.uid", "userIdentity.onBehalfOf.identityStoreArn")
	case "SAMLUser", "WebIdentityUser":
		provider = "userIdentity.identityProvider"
	}
	e.set(principal, "userIdentity.principalId")
	e.set(arn, "userIdentity.arn")
	e.set("actor.user.credential_uid", key)
	e.set("actor.idp.name", provider)
}

// category is the class of the event. Its name stands for all classes where the
// record has none.
func (e *ocsfEvent) category() {
	switch e.text("metadata.product.feature.name") {
	case "Management", "Data", "Insight", "NetworkActivity":
		e.set("metadata.product.feature.name", "eventCategory")
	}
}

// resources rebuilds the list of resources.
func (e *ocsfEvent) resources() {
	list := []byte{'['}
	elements(e.get("resources"), func(r []byte) bool {
		var resource tree
		for _, f := range []struct{ ocsf, record string }{
			{"uid", "ARN"}, {"account_uid", "accountId"}, {"account.uid", "accountId"}, {"owner.account.uid", "accountId"}, {"type", "type"},
		} {
			inner := ocsfEvent{object: r}
			if text := inner.text(f.ocsf); text != "" {
				resource.set([]string{f.record}, appendText(nil, text))
			}
		}
		if resource.members != nil {
			list = append(resource.append(list, ","), ',')
		}
		return true
	})
	if len(list) > 1 {
		e.record.set([]string{"resources"}, closed(list, ']'))
	}
}

// absorbed puts back parameters that fields of OCSF took the place of: in the
// classes of authentication and account change the role or user that the call is
// about has a field of its own. Only the APIs that are known to have them do.
func (e *ocsfEvent) absorbed() {
	operation := e.text("api.operation")
	switch e.text("class_name") {
	case "Authentication":
		if strings.HasPrefix(operation, "AssumeRole") {
			e.setInside("user.uuid", "requestParameters.roleArn")
			e.setInside("user.name", "requestParameters.roleSessionName")
		}
		if operation == "ConsoleLogin" {
			e.consoleLogin()
		}
	case "Account Change":
		verb, about := splitOperation(operation)
		switch {
		case strings.HasPrefix(about, "Role"):
			e.setInside("user.name", "requestParameters.roleName")
		case ocsfUserAPIs[about], strings.HasPrefix(about, "User"):
			e.setInside("user.name", "requestParameters.userName")
		}
		if verb == "Create" && (about == "Role" || about == "User") && e.text("user.uid") != "" {
			made := "responseElements." + strings.ToLower(about) + "." + strings.ToLower(about)
			e.setInside("user.name", made+"Name")
			e.setInside("user.uid", made+"Id")
		}
	}
}

// ocsfUserAPIs are what else IAM's APIs do to a user.
var ocsfUserAPIs = map[string]bool{"LoginProfile": true, "AccessKey": true, "MFADevice": true, "SigningCertificate": true, "SSHPublicKey": true}

// splitOperation splits the name of an API into its verb and the rest.
func splitOperation(operation string) (verb, about string) {
	for i := 1; i < len(operation); i++ {
		if c := operation[i]; c >= 'A' && c <= 'Z' {
			return operation[:i], operation[i:]
		}
	}
	return operation, ""
}

func (e *ocsfEvent) consoleLogin() {
	e.setInside("dst_endpoint.svc_name", "additionalEventData.LoginTo")
	if status := e.text("status"); status == "Success" || status == "Failure" {
		e.setInside("status", "responseElements.ConsoleLogin")
	}
	for _, mfa := range []string{"mfa", "is_mfa"} {
		if used, known := map[string]string{"true": `"Yes"`, "false": `"No"`}[e.text(mfa)]; known {
			e.record.set([]string{"additionalEventData", "MFAUsed"}, []byte(used))
		}
	}
}

// setInside is set for a path inside what an API takes or answers; what is whole
// there already is complete.
func (e *ocsfEvent) setInside(ocsf, record string) {
	if text := e.text(ocsf); text != "" {
		e.record.set(strings.Split(record, "."), appendText(nil, text))
	}
}

// unmapped puts back what OCSF has no field for: dotted paths with texts, as an
// object, as a list of pairs or as a list of objects of key and value; nested
// objects too.
func (e *ocsfEvent) unmapped() {
	value := e.get("unmapped")
	if text := unquoted(orNull(value)); isObject(text) || len(text) > 0 && text[0] == '[' {
		value = text // some writers have it as JSON text
	}
	if value == nil {
		return
	}
	if value[0] == '[' {
		elements(value, func(pair []byte) bool {
			e.unmappedPair(pair)
			return true
		})
		return
	}
	for o := newObject(value); ; {
		name, v, ok := o.next()
		if !ok {
			return
		}
		e.unmappedField(plainName(name), v)
	}
}

func orNull(value []byte) []byte {
	if value == nil {
		return []byte("null")
	}
	return value
}

// unmappedPair reads [path, value] or {"key": path, "value": value}.
func (e *ocsfEvent) unmappedPair(pair []byte) {
	if pair[0] == '{' {
		if key := member(pair, "key"); key != nil {
			e.unmappedField(scalarText(key), orNull(member(pair, "value")))
		}
		return
	}
	var both [][]byte
	elements(pair, func(v []byte) bool {
		both = append(both, v)
		return len(both) < 3
	})
	if len(both) == 2 {
		e.unmappedField(scalarText(both[0]), both[1])
	}
}

// unmappedField puts back one field.
func (e *ocsfEvent) unmappedField(dotted string, value []byte) {
	if !strings.Contains(dotted, ".") && strings.Contains(dotted, "_") {
		// Before OCSF 1.0: userIdentity_sessionContext_sessionIssuer_type.
		if first, _, _ := strings.Cut(dotted, "_"); recordShape.member(first) != nil {
			dotted = strings.ReplaceAll(dotted, "_", ".")
		}
	}
	path, s := recordShape.path(dotted)
	if path == nil {
		return
	}
	if value[0] != '"' {
		if value = s.fromJSON(value); value != nil {
			e.record.set(path, value)
		}
		return
	}
	text := string(unquote(value))
	if s == anything && len(path) > 1 {
		s = textShape // of a parameter CloudTrail's type is not known
		if text == "" {
			e.record.set(path, []byte(`""`))
			return
		}
	}
	e.record.setText(path, text, s)
}

// textShape is the shape of a text.
var textShape = new(shape)
