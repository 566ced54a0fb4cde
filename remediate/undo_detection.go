package remediate

import (
	"slices"
	"strings"
)

// undoDetection are the services that would have told of the intrusion.
var undoDetection = []undo{
	{
		call: "guardduty:DeleteDetector", object: []string{"rq.detectorId"}, also: []string{"CreateDetector"},
		steps: []step{{
			phase: Preserve, mode: Review, call: "guardduty:CreateDetector", in: args{"Enable": true},
			title: "Switch GuardDuty on again",
			risk:  "The new detector has another id; old findings are lost, members and settings must be added by hand.",
		}},
	},
	{
		call: "guardduty:UpdateDetector", object: []string{"rq.detectorId"}, also: []string{"DeleteDetector"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "guardduty:UpdateDetector", in: args{"DetectorId": "rq.detectorId", "Enable": true},
			back:  []reverse{{"guardduty:UpdateDetector", args{"DetectorId": "rq.detectorId", "Enable": false}}},
			title: "Switch the GuardDuty detector {rq.detectorId} on again", when: [2]string{"rq.enable", "false"},
			risk: "None but its usual cost. Compare its features with what they were.",
		}},
		todo: "The GuardDuty detector {rq.detectorId} was changed: put its features and publishing frequency back.",
	},
	inside(map[string]int{"DeleteDetector": 0}, remove("guardduty:CreateFilter", "guardduty:DeleteFilter", "filter", []string{"rq.detectorId", "rq.name"}, args{"DetectorId": "rq.detectorId", "FilterName": "rq.name"},
		"Delete the GuardDuty filter {rq.name}, which can hide findings")),
	{
		call: "guardduty:UpdateFilter", object: []string{"rq.detectorId", "rq.filterName"}, also: []string{"DeleteFilter"}, within: map[string]int{"DeleteDetector": 0}, overlay: true,
		prior: []prior{{"CreateFilter", []string{"rq.detectorId", "rq.name"}, "rq"}, {"UpdateFilter", []string{"rq.detectorId", "rq.filterName"}, "fields(rq)"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "guardduty:UpdateFilter", in: filterFields("prior"), back: []reverse{{"guardduty:UpdateFilter", filterFields("rq")}},
			title: "Set the GuardDuty filter {rq.filterName} back to what it was before the intruder", risk: "Hides the findings that it hid before, and no others. Findings that it archived in between stay archived."}},
		todo: "The GuardDuty filter {rq.filterName} was changed, can hide findings, and is not in the log: put it back.",
	},
	inside(map[string]int{"DeleteDetector": 0}, remove("guardduty:CreateIPSet", "guardduty:DeleteIPSet", "IP list", []string{"rq.detectorId", "rs.ipSetId"}, args{"DetectorId": "rq.detectorId", "IpSetId": "rs.ipSetId"},
		"Delete the GuardDuty list of trusted addresses {rq.name}")),
	{
		call: "guardduty:UpdateIPSet", object: []string{"rq.detectorId", "rq.ipSetId"}, also: []string{"DeleteIPSet"}, within: map[string]int{"DeleteDetector": 0}, overlay: true,
		prior: []prior{{"CreateIPSet", []string{"rq.detectorId", "rs.ipSetId"}, "rq"}, {"UpdateIPSet", []string{"rq.detectorId", "rq.ipSetId"}, "fields(rq)"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "guardduty:UpdateIPSet", in: ipSetFields("prior"), back: []reverse{{"guardduty:UpdateIPSet", ipSetFields("rq")}},
			title: "Set the GuardDuty list of trusted addresses {rq.ipSetId} back to {prior}", risk: "Findings on the addresses of the old list are hidden, as before. Look at the file too, if it is the same one."}},
		todo: "The GuardDuty list of trusted addresses {rq.ipSetId} was changed and the log does not show how it was: put it back.",
	},
	{
		call: "guardduty:DisassociateMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, also: []string{"InviteMembers"},
		steps: []step{{phase: Preserve, mode: Review, call: "guardduty:InviteMembers", in: args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"},
			back:  []reverse{{"guardduty:DisassociateMembers", args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"}}},
			title: "Invite the accounts {rq.accountIds[]} to GuardDuty's administrator again", risk: "They report only when they have accepted. Where GuardDuty is managed through the organisation, use CreateMembers instead."}},
	},
	{call: "guardduty:DeleteMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, todo: "The accounts {rq.accountIds[]} were removed from GuardDuty's administrator: add them again."},
	{
		call: "guardduty:StopMonitoringMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, also: []string{"StartMonitoringMembers"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "guardduty:StartMonitoringMembers", in: args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"},
			back:  []reverse{{"guardduty:StopMonitoringMembers", args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"}}},
			title: "Let GuardDuty watch the accounts {rq.accountIds[]} again", risk: "None but its usual cost.",
		}},
	},
	{
		call: "guardduty:DisassociateFromMasterAccount", object: []string{"rq.detectorId"},
		prior: []prior{{"AcceptAdministratorInvitation", []string{"rq.detectorId"}, "rq.administratorId"}, {"AcceptInvitation", []string{"rq.detectorId"}, "rq.masterId"}},
		steps: []step{{phase: Preserve, mode: Review, call: "guardduty:AcceptAdministratorInvitation", in: args{"DetectorId": "rq.detectorId", "AdministratorId": "prior", "InvitationId": Item},
			each:  &each{"guardduty:ListInvitations", args{}, "Invitations[?AccountId=={prior}].InvitationId"},
			back:  []reverse{{"guardduty:DisassociateFromAdministratorAccount", args{"DetectorId": "rq.detectorId"}}},
			title: "Accept the invitation of GuardDuty's administrator {prior} again, once it has sent one", risk: "Findings go to the administrator, as before. Nothing happens before it has invited the account again."}},
		todo: "The account left GuardDuty's administrator: have the administrator invite it again.",
	},
	{
		call: "guardduty:DisassociateFromAdministratorAccount", object: []string{"rq.detectorId"},
		prior: []prior{{"AcceptAdministratorInvitation", []string{"rq.detectorId"}, "rq.administratorId"}, {"AcceptInvitation", []string{"rq.detectorId"}, "rq.masterId"}},
		steps: []step{{phase: Preserve, mode: Review, call: "guardduty:AcceptAdministratorInvitation", in: args{"DetectorId": "rq.detectorId", "AdministratorId": "prior", "InvitationId": Item},
			each:  &each{"guardduty:ListInvitations", args{}, "Invitations[?AccountId=={prior}].InvitationId"},
			back:  []reverse{{"guardduty:DisassociateFromAdministratorAccount", args{"DetectorId": "rq.detectorId"}}},
			title: "Accept the invitation of GuardDuty's administrator {prior} again, once it has sent one", risk: "Findings go to the administrator, as before. Nothing happens before it has invited the account again."}},
		todo: "The account left GuardDuty's administrator: have the administrator invite it again.",
	},
	{call: "guardduty:DeleteInvitations", object: []string{"rq.accountIds[]"}, todo: "The invitations of {rq.accountIds[]} to GuardDuty were deleted: have them sent again, and accept them."},
	{
		call: "guardduty:DeletePublishingDestination", object: []string{"rq.detectorId", "rq.destinationId"}, also: []string{"CreatePublishingDestination"},
		prior: []prior{{"CreatePublishingDestination", []string{"rq.detectorId", "rs.destinationId"}, "rq"}},
		steps: []step{{phase: Preserve, mode: Review, call: "guardduty:CreatePublishingDestination",
			in:    args{"DetectorId": "rq.detectorId", "DestinationType": "prior.destinationType", "DestinationProperties": "sdk(prior.destinationProperties)"},
			title: "Let GuardDuty export its findings to {prior.destinationProperties.destinationArn} again", risk: "The bucket and key must still let GuardDuty in. It gets another id."}},
		todo: "GuardDuty no longer exports its findings (destination {rq.destinationId}): set the destination again.",
	},
	{
		call: "guardduty:ArchiveFindings", object: []string{"rq.detectorId", "rq.findingIds[]"}, also: []string{"UnarchiveFindings"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "guardduty:UnarchiveFindings", in: args{"DetectorId": "rq.detectorId", "FindingIds": "rq.findingIds"},
			back:  []reverse{{"guardduty:ArchiveFindings", args{"DetectorId": "rq.detectorId", "FindingIds": "rq.findingIds"}}},
			title: "Show the GuardDuty findings that the intruder archived", risk: "None.",
		}},
	},
	{
		call: "config:StopConfigurationRecorder", object: []string{"rq.configurationRecorderName"}, also: []string{"StartConfigurationRecorder", "DeleteConfigurationRecorder"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "configservice:StartConfigurationRecorder", in: args{"ConfigurationRecorderName": "rq.configurationRecorderName"},
			back:  []reverse{{"configservice:StopConfigurationRecorder", args{"ConfigurationRecorderName": "rq.configurationRecorderName"}}},
			title: "Start the configuration recorder {rq.configurationRecorderName} again", risk: "None but its usual cost.",
		}},
	},
	{
		call: "config:DeleteConfigurationRecorder", object: []string{"rq.configurationRecorderName"}, also: []string{"PutConfigurationRecorder"}, chain: true,
		prior: recorderBefore,
		steps: []step{
			{phase: Preserve, mode: Review, call: "configservice:PutConfigurationRecorder", in: args{"ConfigurationRecorder": "sdk(prior)"},
				back:  []reverse{{"configservice:DeleteConfigurationRecorder", args{"ConfigurationRecorderName": "rq.configurationRecorderName"}}},
				title: "Make the configuration recorder {rq.configurationRecorderName} again", risk: "The usual cost of AWS Config. Its role must still be there."},
			{phase: Preserve, mode: Review, call: "configservice:StartConfigurationRecorder", in: args{"ConfigurationRecorderName": "rq.configurationRecorderName"},
				back:  []reverse{{"configservice:StopConfigurationRecorder", args{"ConfigurationRecorderName": "rq.configurationRecorderName"}}},
				title: "Start the configuration recorder {rq.configurationRecorderName}", risk: "AWS refuses without a delivery channel: if that was deleted too, put it back first."},
		},
		todo: "The configuration recorder {rq.configurationRecorderName} was deleted: put it back with its role and recording group, and start it.",
	},
	{
		call: "config:PutConfigurationRecorder", object: []string{"rq.configurationRecorder.name"}, also: []string{"DeleteConfigurationRecorder"},
		prior: recorderBefore,
		steps: []step{{phase: Preserve, mode: Auto, call: "configservice:PutConfigurationRecorder", in: args{"ConfigurationRecorder": "sdk(prior)"},
			back:  []reverse{{"configservice:PutConfigurationRecorder", args{"ConfigurationRecorder": "sdk(rq.configurationRecorder)"}}},
			title: "Let the configuration recorder {rq.configurationRecorder.name} record what it did before", risk: "None but its usual cost."}},
		todo: "The configuration recorder was changed and the log does not show how it was: put its role and recording group back.",
	},
	{
		call: "config:DeleteDeliveryChannel", object: []string{"rq.deliveryChannelName"}, also: []string{"PutDeliveryChannel"},
		prior: []prior{{"PutDeliveryChannel", []string{"rq.deliveryChannel.name"}, "rq.deliveryChannel"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "configservice:PutDeliveryChannel", in: args{"DeliveryChannel": "sdk(prior)"},
			back:  []reverse{{"configservice:DeleteDeliveryChannel", args{"DeliveryChannelName": "rq.deliveryChannelName"}}},
			title: "Let AWS Config deliver to the bucket {prior.s3BucketName} again", risk: "The bucket must still take what AWS Config writes."}},
		todo: "The delivery channel {rq.deliveryChannelName} of AWS Config was deleted: put it back with its bucket.",
	},
	{
		call: "config:DeleteConfigRule", object: []string{"rq.configRuleName"}, also: []string{"PutConfigRule"},
		prior: []prior{{"PutConfigRule", []string{"rq.configRule.configRuleName"}, "rq.configRule"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "configservice:PutConfigRule", in: args{"ConfigRule": "sdk(prior)"},
			back:  []reverse{{"configservice:DeleteConfigRule", args{"ConfigRuleName": "rq.configRuleName"}}},
			title: "Make the Config rule {rq.configRuleName} again", risk: "The usual cost of its evaluations. Remediation, if it had any, must be set up again."}},
		todo: "The Config rule {rq.configRuleName} was deleted: put it back.",
	},
	preserveToggle("securityhub:DisableSecurityHub", "securityhub:EnableSecurityHub", Review, nil, args{}, "Switch Security Hub on again"),
	{
		call: "securityhub:BatchDisableStandards", object: []string{"rq.StandardsSubscriptionArns[]"}, also: []string{"BatchEnableStandards"},
		steps: []step{{phase: Preserve, mode: Auto, call: "securityhub:BatchEnableStandards", in: args{"StandardsSubscriptionRequests": "of.StandardsArn(standard(rq.StandardsSubscriptionArns))"},
			back:  []reverse{{"securityhub:BatchDisableStandards", args{"StandardsSubscriptionArns": "rq.StandardsSubscriptionArns"}}},
			title: "Enable the standards {rq.StandardsSubscriptionArns[]} of Security Hub again", risk: "None but its usual cost. Controls of theirs that were switched off before are on again: compare."}},
		todo: "Enable the standards {rq.StandardsSubscriptionArns[]} of Security Hub again.",
	},
	{
		call: "securityhub:DeleteMembers", object: []string{"rq.AccountIds[]"}, also: []string{"CreateMembers"},
		steps: []step{{phase: Preserve, mode: Review, call: "securityhub:CreateMembers", in: args{"AccountDetails": "of.AccountId(rq.AccountIds)"},
			back:  []reverse{{"securityhub:DeleteMembers", args{"AccountIds": "rq.AccountIds"}}},
			title: "Add the accounts {rq.AccountIds[]} to Security Hub's administrator again", risk: "Accounts outside of the organisation must be invited, and accept."}},
	},
	{
		call: "securityhub:UpdateStandardsControl", object: []string{"rq.StandardsControlArn"},
		steps: []step{{
			phase: Recover, mode: Auto, call: "securityhub:UpdateStandardsControl", when: [2]string{"rq.ControlStatus", "DISABLED"},
			in:    args{"StandardsControlArn": "rq.StandardsControlArn", "ControlStatus": "'ENABLED'"},
			back:  []reverse{{"securityhub:UpdateStandardsControl", args{"StandardsControlArn": "rq.StandardsControlArn", "ControlStatus": "'DISABLED'", "DisabledReason": "rq.DisabledReason?"}}},
			title: "Enable the control {rq.StandardsControlArn} of Security Hub again", risk: "None.",
		}},
	},
	{
		call: "macie2:DisableMacie", object: []string{"ev.account", "ev.region"}, also: []string{"EnableMacie"},
		steps: []step{{phase: Preserve, mode: Review, call: "macie2:EnableMacie", in: args{}, back: []reverse{{"macie2:DisableMacie", args{}}},
			title: "Switch Macie on again", risk: "Its usual cost. Its settings and jobs are lost: set them up again."}},
	},
	{
		call: "access-analyzer:DeleteAnalyzer", object: []string{"rq.analyzerName"}, also: []string{"CreateAnalyzer"},
		prior: []prior{{"CreateAnalyzer", []string{"rq.analyzerName"}, "rq.type"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "accessanalyzer:CreateAnalyzer", in: args{"AnalyzerName": "rq.analyzerName", "Type": "prior"},
			back:  []reverse{{"accessanalyzer:DeleteAnalyzer", args{"AnalyzerName": "rq.analyzerName"}}},
			title: "Make the access analyzer {rq.analyzerName} again", risk: "Its usual cost. Its archive rules must be made again."}},
		todo: "The access analyzer {rq.analyzerName} was deleted: make it again, with the type it had.",
	},
	preserveToggle("inspector2:Disable", "inspector2:Enable", Auto, []string{"rq.accountIds[]|ev.account"}, args{"AccountIds": "rq.accountIds?", "ResourceTypes": "rq.resourceTypes"}, "Switch Inspector on again"),
	{call: "detective:DeleteGraph", object: []string{"rq.GraphArn"}, todo: "The behaviour graph {rq.GraphArn} of Detective was deleted; what it held is lost. Enable Detective again."},
	{
		call: "monitoring:DeleteAlarms", object: []string{"rq.alarmNames[]"}, split: true, also: []string{"PutMetricAlarm", "PutCompositeAlarm"},
		prior: []prior{{"PutMetricAlarm", []string{"rq.alarmName"}, "rq"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "cloudwatch:PutMetricAlarm", in: alarmFields("prior"),
			back:  []reverse{{"cloudwatch:DeleteAlarms", args{"AlarmNames": "list(el)"}}},
			title: "Make the alarm {el} again", risk: "None but its usual cost."}},
		todo: "The alarm {el} was deleted and is not in the log: make it again.",
	},
	preserveToggle("monitoring:DisableAlarmActions", "cloudwatch:EnableAlarmActions", Auto, []string{"rq.alarmNames[]"}, args{"AlarmNames": "rq.alarmNames"}, "Let the alarms {rq.alarmNames[]} act again"),
	{call: "wafv2:DeleteWebACL", object: []string{"rq.id"}, todo: "The web ACL {rq.name} was deleted: make it again and associate its resources."},
	{
		call: "wafv2:UpdateIPSet", object: []string{"rq.id"}, also: []string{"DeleteIPSet"},
		prior: []prior{{"CreateIPSet", []string{"rs.summary.id"}, "rq.addresses"}, {"UpdateIPSet", []string{"rq.id"}, "rq.addresses"}},
		steps: []step{{phase: Preserve, mode: Review, call: "wafv2:UpdateIPSet", in: args{"Id": "rq.id", "Name": "rq.name", "Scope": "rq.scope", "Addresses": "prior", "LockToken": Item},
			each:  &each{"wafv2:GetIPSet", args{"Id": "rq.id", "Name": "rq.name", "Scope": "rq.scope"}, "[LockToken]"},
			title: "Set the IP set {rq.name} of the firewall back to {prior}", risk: "Lets in and shuts out the addresses that it did before."}},
		todo: "The IP set {rq.name} of the firewall was changed to {rq.addresses}, and the log does not show how it was: put it back.",
	},
	{
		call: "wafv2:DisassociateWebACL", object: []string{"rq.resourceArn"}, also: []string{"AssociateWebACL"},
		prior: []prior{{"AssociateWebACL", []string{"rq.resourceArn"}, "rq.webACLArn"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "wafv2:AssociateWebACL", in: args{"ResourceArn": "rq.resourceArn", "WebACLArn": "prior"},
			back:  []reverse{{"wafv2:DisassociateWebACL", args{"ResourceArn": "rq.resourceArn"}}},
			title: "Put {rq.resourceArn} behind its web ACL {prior} again", risk: "Shuts out what the web ACL did before."}},
		todo: "{rq.resourceArn} is no longer behind its web ACL, which is not in the log: associate it again.",
	},
	{
		call: "shield:DeleteSubscription", object: []string{"ev.account"}, also: []string{"CreateSubscription"},
		steps: []step{{phase: Recover, mode: Review, call: "shield:CreateSubscription", in: args{},
			title: "Subscribe to Shield Advanced again", risk: "Commits you to pay for a year at least, which cannot be taken back."}},
	},
}

// preserveToggle is a watch that is switched on again first of all.
func preserveToggle(call, back string, mode Mode, object []string, in args, title string) undo {
	source, name := splitCall(call)
	if object == nil {
		object = []string{"ev.account", "ev.region"}
	}
	if s, ok := sdkService[source]; ok {
		source = s
	}
	_, op := splitCall(back)
	return undo{
		call: call, object: object, also: []string{op},
		steps: []step{{
			phase: Preserve, mode: mode, call: back, in: in, back: []reverse{{source + ":" + name, in}}, title: title,
			risk: "None but its usual cost. Compare its settings with what they were.",
		}},
	}
}

// remove is the deletion of something that the intruder made.
func remove(call, back, what string, object []string, in args, title string) undo {
	_, op := splitCall(back)
	return undo{
		call: call, object: object, creates: what, also: []string{op},
		steps: []step{{
			phase: Evict, mode: Review, call: back, in: in, title: title,
			risk: "Final. The intruder made it; see first whether anything has come to depend on it.",
		}},
	}
}

var recorderBefore = []prior{{"PutConfigurationRecorder", []string{"rq.configurationRecorder.name"}, "rq.configurationRecorder"}}

// filterFields are what a filter of GuardDuty says. Its criteria are a map by
// names such as "service.archived".
func filterFields(from string) args {
	in := args{"DetectorId": "rq.detectorId", "FilterName": "rq.filterName", "Action": from + ".action?", "Description": from + ".description?", "Rank": from + ".rank?"}
	in["FindingCriteria"] = args{"Criterion": "mapped(" + from + ".findingCriteria.criterion)?"}
	return in
}

func ipSetFields(from string) args {
	return args{"DetectorId": "rq.detectorId", "IpSetId": "rq.ipSetId", "Location": from + ".location?", "Activate": from + ".activate?", "Name": from + ".name?"}
}

// alarmFields are all fields of an alarm on a metric.
func alarmFields(from string) args {
	in := args{"AlarmName": "el"}
	for _, f := range []string{"metricName", "namespace", "statistic", "extendedStatistic", "dimensions", "period", "unit", "evaluationPeriods", "datapointsToAlarm", "threshold",
		"comparisonOperator", "treatMissingData", "alarmActions", "oKActions", "insufficientDataActions", "actionsEnabled", "alarmDescription", "metrics", "thresholdMetricId",
		"evaluateLowSampleCountPercentile"} {
		in[strings.ToUpper(f[:1])+f[1:]] = "sdk(" + from + "." + f + ")?"
	}
	return in
}

// policy is a document that one call replaces whole.
type policy struct {
	call, service string
	object        []string
	in            args
	param, value  string
	remove        string // the operation that deletes it; "" where none does
	read, path    string // how to read it
	what          string
	parts         []string // further operations that end it
}

// replacedWhole puts a document back to what the log shows, or deletes the intruder's.
func replacedWhole(p policy) undo {
	_, put := splitCall(p.call)
	with := func(value string) args {
		in := args{p.param: value}
		for k, v := range p.in {
			in[k] = v
		}
		return in
	}
	var unchanged []want
	if p.read != "" {
		unchanged = []want{{p.service + ":" + p.read, p.in, p.path, p.value}}
	}
	u := undo{
		call: p.call, object: p.object, also: append([]string{p.remove}, p.parts...),
		prior: []prior{{put, p.object, p.value}},
		steps: []step{{
			phase: Recover, mode: Auto, call: p.service + ":" + put, in: with("prior"), back: []reverse{{p.service + ":" + put, with(p.value)}}, expect: unchanged,
			title: "Put the " + p.what + " back to what it was before the intruder",
			risk:  "Whoever got in only by the changed policy no longer does. The document is the last one that the log shows before the incident.",
		}},
		blind: []step{{
			phase: Recover, mode: Review, call: p.service + ":" + p.remove, in: p.in, back: []reverse{{p.service + ":" + put, with(p.value)}}, expect: unchanged,
			title: "Delete the " + p.what + " that the intruder wrote",
			risk:  "The log shows none before: look it up in AWS Config, a snapshot or code, and if there was one, put that back instead.",
		}},
		todo: "The " + p.what + " was replaced: put the old one back.",
	}
	if slices.Equal(p.object, []string{"ev.account", "ev.region"}) {
		u.prior[0].object = nil
	}
	return u
}

// inside is a change to something that goes with what it is in.
func inside(within map[string]int, u undo) undo {
	u.within = within
	return u
}

// sameAgain is a creation that AWS accepts of what is there already.
func sameAgain(u undo) undo {
	u.idempotent = true
	return u
}
