package ingest

// column is a column of the records table, in the order of the table.
type column int

const (
	colEventID column = iota
	colRequestID
	colSharedEventID
	colEventTime
	colEventVersion
	colEventSource
	colEventName
	colEventType
	colEventCategory
	colAPIVersion
	colAWSRegion
	colSourceIPAddress
	colUserAgent
	colErrorCode
	colErrorMessage
	colReadOnly
	colManagementEvent
	colSessionCredentialFromConsole
	colRecipientAccountID
	colVPCEndpointID
	colVPCEndpointAccountID
	colIdentityType
	colPrincipalID
	colIdentityARN
	colIdentityAccountID
	colAccessKeyID
	colUserName
	colInvokedBy
	colIdentityProvider
	colCredentialID
	colIdentityStoreARN
	colOnBehalfOfUserID
	colSessionCreated
	colSessionMFA
	colSessionIssuerType
	colSessionIssuerARN
	colSessionIssuerPrincipalID
	colSessionIssuerAccountID
	colSessionIssuerName
	colSourceIdentity
	colSessionAssumedRoot
	colFederatedProvider
	colIssuedAccessKeyID
	colIssuedPrincipalARN
	colIssuedExpiration
	colUserIdentity
	colRequestParameters
	colResponseElements
	colAdditionalEventData
	colServiceEventDetails
	colResources
	colTLSDetails
	colEdgeDeviceDetails
	colInsightDetails
	colAddendum
	colExtra
	colSourceID
	colRecordIndex
	columnCount
)

// kind says how a member of a record is kept in its column.
type kind int

const (
	kindText kind = iota // a JSON string's text
	kindBool
	kindTime
	kindJSON // any JSON value but null, compact
)

// memberOf describes a member of a record that has a column of its own.
type memberOf struct {
	name   string
	column column
	kind   kind
}

// memberColumns are the members that a record is rebuilt from, in the order in
// which CloudTrail writes them; the other columns are derived from these. See
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
var memberColumns = []memberOf{
	{"eventVersion", colEventVersion, kindText},
	{"userIdentity", colUserIdentity, kindJSON},
	{"eventTime", colEventTime, kindTime},
	{"eventSource", colEventSource, kindText},
	{"eventName", colEventName, kindText},
	{"awsRegion", colAWSRegion, kindText},
	{"sourceIPAddress", colSourceIPAddress, kindText},
	{"userAgent", colUserAgent, kindText},
	{"errorCode", colErrorCode, kindText},
	{"errorMessage", colErrorMessage, kindText},
	{"requestParameters", colRequestParameters, kindJSON},
	{"responseElements", colResponseElements, kindJSON},
	{"additionalEventData", colAdditionalEventData, kindJSON},
	{"requestID", colRequestID, kindText},
	{"eventID", colEventID, kindText},
	{"readOnly", colReadOnly, kindBool},
	{"resources", colResources, kindJSON},
	{"eventType", colEventType, kindText},
	{"apiVersion", colAPIVersion, kindText},
	{"managementEvent", colManagementEvent, kindBool},
	{"recipientAccountId", colRecipientAccountID, kindText},
	{"serviceEventDetails", colServiceEventDetails, kindJSON},
	{"sharedEventID", colSharedEventID, kindText},
	{"vpcEndpointId", colVPCEndpointID, kindText},
	{"vpcEndpointAccountId", colVPCEndpointAccountID, kindText},
	{"eventCategory", colEventCategory, kindText},
	{"addendum", colAddendum, kindJSON},
	{"sessionCredentialFromConsole", colSessionCredentialFromConsole, kindBool},
	{"edgeDeviceDetails", colEdgeDeviceDetails, kindJSON},
	{"tlsDetails", colTLSDetails, kindJSON},
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
