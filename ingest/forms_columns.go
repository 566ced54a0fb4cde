package ingest

import (
	"slices"
	"strings"
)

// dialect is a way to name the columns of a record.
type dialect int

const (
	dialectCloudTrail dialect = iota // CloudTrail's names in any spelling: Athena, CloudTrail Lake, Tailpipe
	dialectHistory                   // Event history of the CloudTrail console
	dialectSplunk
	dialectSentinel  // table AWSCloudTrail of Microsoft Sentinel
	dialectElastic   // ECS and aws.cloudtrail.*
	dialectTrailscan // the columns of events
)

// dialectColumns are the columns of a dialect that are not CloudTrail's names, by
// their folded names, and where in the record they belong.
var dialectColumns = map[dialect]map[string]string{
	dialectCloudTrail: {
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html
		"insightstate": "insightDetails.state", "insighteventsource": "insightDetails.eventSource", "insighteventname": "insightDetails.eventName",
		"insighterrorcode": "insightDetails.errorCode", "insighttype": "insightDetails.insightType", "insightcontext": "insightDetails.insightContext",
	},
	dialectHistory: {
		"username": "userIdentity.userName", "awsaccesskey": "userIdentity.accessKeyId", "accesskey": "userIdentity.accessKeyId",
		"region": "awsRegion", "accountid": "recipientAccountId", "recipientaccount": "recipientAccountId",
	},
	dialectSplunk: {"time": "eventTime"},
	dialectSentinel: {
		// https://learn.microsoft.com/en-us/azure/azure-monitor/reference/tables/awscloudtrail
		"timegenerated": "eventTime", "awseventid": "eventID", "eventtypename": "eventType", "awsrequestid": "requestID", "category": "eventCategory",
		"useridentitytype": "userIdentity.type", "useridentityprincipalid": "userIdentity.principalId", "useridentityarn": "userIdentity.arn",
		"useridentityaccountid": "userIdentity.accountId", "useridentityinvokedby": "userIdentity.invokedBy",
		"useridentityaccesskeyid": "userIdentity.accessKeyId", "useridentityusername": "userIdentity.userName",
		"useridentityuserid": "userIdentity.onBehalfOf.userId", "useridentitystorearn": "userIdentity.onBehalfOf.identityStoreArn",
		"sessionmfaauthenticated": "userIdentity.sessionContext.attributes.mfaAuthenticated", "sessioncreationdate": "userIdentity.sessionContext.attributes.creationDate",
		"sessionissuertype": "userIdentity.sessionContext.sessionIssuer.type", "sessionissuerprincipalid": "userIdentity.sessionContext.sessionIssuer.principalId",
		"sessionissuerarn": "userIdentity.sessionContext.sessionIssuer.arn", "sessionissueraccountid": "userIdentity.sessionContext.sessionIssuer.accountId",
		"sessionissuerusername": "userIdentity.sessionContext.sessionIssuer.userName", "ec2roledelivery": "userIdentity.sessionContext.ec2RoleDelivery",
		"tlsversion": "tlsDetails.tlsVersion", "ciphersuite": "tlsDetails.cipherSuite", "clientprovidedhostheader": "tlsDetails.clientProvidedHostHeader",
	},
	dialectElastic: {
		// https://www.elastic.co/docs/reference/integrations/aws/cloudtrail
		"@timestamp": "eventTime", "event.action": "eventName", "event.provider": "eventSource", "event.id": "eventID",
		"cloud.region": "awsRegion", "cloud.account.id": "recipientAccountId", "user.name": "userIdentity.userName", "user.id": "userIdentity.principalId",
		"source.address": "sourceIPAddress", "source.ip": "sourceIPAddress", "useragent.original": "userAgent",
		"useridentity.sessioncontext.mfaauthenticated": "userIdentity.sessionContext.attributes.mfaAuthenticated",
		"useridentity.sessioncontext.creationdate":     "userIdentity.sessionContext.attributes.creationDate",
	},
	dialectTrailscan: {
		"accountid": "recipientAccountId", "identitytype": "userIdentity.type", "principalid": "userIdentity.principalId", "identityarn": "userIdentity.arn",
		"identityaccountid": "userIdentity.accountId", "accesskeyid": "userIdentity.accessKeyId", "username": "userIdentity.userName",
		"invokedby": "userIdentity.invokedBy", "identityprovider": "userIdentity.identityProvider", "credentialid": "userIdentity.credentialId",
		"identitystorearn": "userIdentity.onBehalfOf.identityStoreArn", "onbehalfofuserid": "userIdentity.onBehalfOf.userId",
		"sessioncreated": "userIdentity.sessionContext.attributes.creationDate", "sessionmfa": "userIdentity.sessionContext.attributes.mfaAuthenticated",
		"sessionissuertype": "userIdentity.sessionContext.sessionIssuer.type", "sessionissuerarn": "userIdentity.sessionContext.sessionIssuer.arn",
		"sessionissuerprincipalid": "userIdentity.sessionContext.sessionIssuer.principalId", "sessionissueraccountid": "userIdentity.sessionContext.sessionIssuer.accountId",
		"sessionissuername": "userIdentity.sessionContext.sessionIssuer.userName", "sourceidentity": "userIdentity.sessionContext.sourceIdentity",
		"sessionassumedroot": "userIdentity.sessionContext.assumedRoot", "federatedprovider": "userIdentity.sessionContext.webIdFederationData.federatedProvider",
	},
}

// wholeColumns are the columns that hold the record itself, by their folded
// names: Splunk, CloudTrail Lake, lookup-events, CloudWatch Logs Insights,
// Elastic before and after its pipeline.
var wholeColumns = []string{"raw", "eventjson", "cloudtrailevent", "@message", "event.original", "message"}

// dialectOf says how the columns are named.
func dialectOf(names []string) dialect {
	has := func(spelt ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			return slices.ContainsFunc(spelt, func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(name)) })
		})
	}
	switch {
	case has("AwsEventId", "UserIdentityType", "EventTypeName"):
		return dialectSentinel
	case has("Event name", "Event time", "Event ID", "AWS access key"):
		return dialectHistory
	case has("_raw", "_time", "splunk_server", "sourcetype"):
		return dialectSplunk
	case has("@timestamp", "event.action", "event.original", "aws.cloudtrail.event_version", "aws.cloudtrail.user_identity.type"):
		return dialectElastic
	case has("identity_arn", "identity_type", "record_index") && !has("tp_id"):
		return dialectTrailscan
	}
	return dialectCloudTrail
}

// target is where a column belongs.
func (d dialect) target(name string) target {
	name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
	folded := strings.TrimSuffix(strings.TrimSuffix(fold(name), "[utc]"), "(utc)")
	if slices.Contains(wholeColumns, folded) && (folded != "message" || d == dialectElastic) {
		return target{role: roleWhole}
	}
	flattened := false
	if d == dialectElastic {
		name, flattened = strings.CutPrefix(strings.TrimPrefix(name, "aws.cloudtrail."), "flattened.")
		folded = strings.TrimPrefix(folded, "aws.cloudtrail.")
	}
	if dotted, ok := dialectColumns[d][folded]; ok {
		path, s := recordShape.path(dotted)
		return target{roleFallback, path, s}
	}
	path, s := recordShape.path(name)
	if path == nil {
		return target{}
	}
	// Splunk's field extractions spell as CloudTrail does; a name in another
	// spelling, eventtype or user_agent, is Splunk's own.
	if first, _, _ := strings.Cut(name, "."); d == dialectSplunk && strings.TrimRight(first, "{}") != strings.TrimRight(path[0], "[]") {
		return target{}
	}
	if d == dialectElastic && s.kind == asAny && !flattened {
		return target{roleFallback, path, s} // text; what is flattened is JSON
	}
	return target{roleField, path, s}
}
