package ingest

import "trailscan/query"

// column is a column of what is kept of a record; those of identities and contexts
// are apart.
type column int

const (
	colEventID column = iota
	colRequestID
	colSharedEventID
	colEventTime
	colEventSource
	colEventName
	colAWSRegion
	colSourceIPAddress
	colErrorCode
	colErrorMessage
	colReadOnly
	colManagementEvent
	colSessionCredentialFromConsole
	colIssuedAccessKeyID
	colIssuedPrincipalARN
	colIssuedExpiration
	colRequestParameters
	colResponseElements
	colAdditionalEventData
	colServiceEventDetails
	colResources
	colEdgeDeviceDetails
	colInsightDetails
	colAddendum
	colExtra
	colIdentity
	colContext
	colSourceID
	colRecordIndex
	columnCount
)

// idColumns is the number of the first columns whose values are nearly always
// UUIDs. Each is two in the table: a UUID, and the text of what is none.
const idColumns = colSharedEventID + 1

// recordColumns are the columns of the table records, in its order: the UUIDs,
// then the columns above.
var recordColumns = []query.Column{
	{Name: "event_uuid", Type: "UUID"},
	{Name: "request_uuid", Type: "UUID"},
	{Name: "shared_event_uuid", Type: "UUID"},
	{Name: "event_id_text", Type: "VARCHAR"},
	{Name: "request_id_text", Type: "VARCHAR"},
	{Name: "shared_event_id_text", Type: "VARCHAR"},
	{Name: "event_time", Type: "TIMESTAMP"},
	{Name: "event_source", Type: "VARCHAR"},
	{Name: "event_name", Type: "VARCHAR"},
	{Name: "aws_region", Type: "VARCHAR"},
	{Name: "source_ip_address", Type: "VARCHAR"},
	{Name: "error_code", Type: "VARCHAR"},
	{Name: "error_message", Type: "VARCHAR"},
	{Name: "read_only", Type: "BOOLEAN"},
	{Name: "management_event", Type: "BOOLEAN"},
	{Name: "session_credential_from_console", Type: "BOOLEAN"},
	{Name: "issued_access_key_id", Type: "VARCHAR"},
	{Name: "issued_principal_arn", Type: "VARCHAR"},
	{Name: "issued_expiration", Type: "TIMESTAMP"},
	{Name: "request_parameters", Type: "VARCHAR"},
	{Name: "response_elements", Type: "VARCHAR"},
	{Name: "additional_event_data", Type: "VARCHAR"},
	{Name: "service_event_details", Type: "VARCHAR"},
	{Name: "resources", Type: "VARCHAR"},
	{Name: "edge_device_details", Type: "VARCHAR"},
	{Name: "insight_details", Type: "VARCHAR"},
	{Name: "addendum", Type: "VARCHAR"},
	{Name: "extra", Type: "VARCHAR"},
	{Name: "identity_id", Type: "BIGINT"},
	{Name: "context_id", Type: "BIGINT"},
	{Name: "source_id", Type: "BIGINT"},
	{Name: "record_index", Type: "BIGINT"},
}

// name is the column's name in the view whole_records.
func (c column) name() string {
	switch c {
	case colEventID:
		return "event_id"
	case colRequestID:
		return "request_id"
	case colSharedEventID:
		return "shared_event_id"
	case colIdentity:
		return "user_identity"
	}
	return recordColumns[c+idColumns].Name
}

// kind says how a member of a record is kept in its column.
type kind int

const (
	kindText kind = iota // a JSON string's text
	kindBool
	kindTime
	kindJSON     // any JSON value but null, compact
	kindIdentity // the same, in the table identities
	// As kindText and kindJSON, in the table contexts.
	kindContextText
	kindContextJSON
)

func (k kind) inContext() bool { return k == kindContextText || k == kindContextJSON }

// memberOf describes a member of a record that has a column of its own.
type memberOf struct {
	name   string
	column column // in contexts: its position in contextColumns
	kind   kind
}

// stored is the name of the member's column in the view whole_records.
func (m memberOf) stored() string {
	if m.kind.inContext() {
		return contextColumns[m.column].Name
	}
	return m.column.name()
}

// memberColumns are the members that a record is rebuilt from, in the order in
// which CloudTrail writes them; the other columns are derived from these. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
var memberColumns = [...]memberOf{
	{"eventVersion", ctxEventVersion, kindContextText},
	{"userIdentity", colIdentity, kindIdentity},
	{"eventTime", colEventTime, kindTime},
	{"eventSource", colEventSource, kindText},
	{"eventName", colEventName, kindText},
	{"awsRegion", colAWSRegion, kindText},
	{"sourceIPAddress", colSourceIPAddress, kindText},
	{"userAgent", ctxUserAgent, kindContextText},
	{"errorCode", colErrorCode, kindText},
	{"errorMessage", colErrorMessage, kindText},
	{"requestParameters", colRequestParameters, kindJSON},
	{"responseElements", colResponseElements, kindJSON},
	{"additionalEventData", colAdditionalEventData, kindJSON},
	{"requestID", colRequestID, kindText},
	{"eventID", colEventID, kindText},
	{"readOnly", colReadOnly, kindBool},
	{"resources", colResources, kindJSON},
	{"eventType", ctxEventType, kindContextText},
	{"apiVersion", ctxAPIVersion, kindContextText},
	{"managementEvent", colManagementEvent, kindBool},
	{"recipientAccountId", ctxRecipientAccountID, kindContextText},
	{"serviceEventDetails", colServiceEventDetails, kindJSON},
	{"sharedEventID", colSharedEventID, kindText},
	{"vpcEndpointId", ctxVPCEndpointID, kindContextText},
	{"vpcEndpointAccountId", ctxVPCEndpointAccountID, kindContextText},
	{"eventCategory", ctxEventCategory, kindContextText},
	{"addendum", colAddendum, kindJSON},
	{"sessionCredentialFromConsole", colSessionCredentialFromConsole, kindBool},
	{"edgeDeviceDetails", colEdgeDeviceDetails, kindJSON},
	{"tlsDetails", ctxTLSDetails, kindContextJSON},
	{"insightDetails", colInsightDetails, kindJSON},
}

// memberIndex is the position in memberColumns by name. Nothing writes to it.
var memberIndex = func() map[string]int {
	m := make(map[string]int, len(memberColumns))
	for i, c := range memberColumns {
		m[c.name] = i
	}
	return m
}()
