package remediate

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
	remove("guardduty:CreateFilter", "guardduty:DeleteFilter", "filter", []string{"rq.detectorId", "rq.name"}, args{"DetectorId": "rq.detectorId", "FilterName": "rq.name"},
		"Delete the GuardDuty filter {rq.name}, which can hide findings"),
	{call: "guardduty:UpdateFilter", object: []string{"rq.detectorId", "rq.filterName"}, todo: "The GuardDuty filter {rq.filterName} was changed and can hide findings: put it back."},
	remove("guardduty:CreateIPSet", "guardduty:DeleteIPSet", "IP list", []string{"rq.detectorId", "rs.ipSetId"}, args{"DetectorId": "rq.detectorId", "IpSetId": "rs.ipSetId"},
		"Delete the GuardDuty list of trusted addresses {rq.name}"),
	{call: "guardduty:UpdateIPSet", object: []string{"rq.detectorId", "rq.ipSetId"}, todo: "The GuardDuty list of trusted addresses {rq.ipSetId} was changed: put it back."},
	{call: "guardduty:DisassociateMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, todo: "The accounts {rq.accountIds[]} no longer report to GuardDuty's administrator: add them again."},
	{call: "guardduty:DeleteMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, todo: "The accounts {rq.accountIds[]} were removed from GuardDuty's administrator: add them again."},
	{
		call: "guardduty:StopMonitoringMembers", object: []string{"rq.detectorId", "rq.accountIds[]"}, also: []string{"StartMonitoringMembers"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "guardduty:StartMonitoringMembers", in: args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"},
			back:  []reverse{{"guardduty:StopMonitoringMembers", args{"DetectorId": "rq.detectorId", "AccountIds": "rq.accountIds"}}},
			title: "Let GuardDuty watch the accounts {rq.accountIds[]} again", risk: "None but its usual cost.",
		}},
	},
	{call: "guardduty:DisassociateFromMasterAccount", object: []string{"rq.detectorId"}, todo: "The account left GuardDuty's administrator: have the administrator invite it again."},
	{call: "guardduty:DisassociateFromAdministratorAccount", object: []string{"rq.detectorId"}, todo: "The account left GuardDuty's administrator: have the administrator invite it again."},
	{call: "guardduty:DeletePublishingDestination", object: []string{"rq.detectorId", "rq.destinationId"}, todo: "GuardDuty no longer exports its findings (destination {rq.destinationId}): set the destination again."},
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
		prior: []prior{{"PutConfigurationRecorder", nil, "sdk(rq.configurationRecorder)"}},
		todo:  "The configuration recorder {rq.configurationRecorderName} was deleted: put it back with its role and recording group, and start it.",
	},
	{call: "config:PutConfigurationRecorder", object: []string{"ev.account", "ev.region"}, todo: "The configuration recorder was changed: put its role and recording group back."},
	{call: "config:DeleteDeliveryChannel", object: []string{"rq.deliveryChannelName"}, also: []string{"PutDeliveryChannel"},
		todo: "The delivery channel {rq.deliveryChannelName} of AWS Config was deleted: put it back with its bucket."},
	{call: "config:DeleteConfigRule", object: []string{"rq.configRuleName"}, also: []string{"PutConfigRule"}, todo: "The Config rule {rq.configRuleName} was deleted: put it back."},
	preserveToggle("securityhub:DisableSecurityHub", "securityhub:EnableSecurityHub", Review, nil, args{}, "Switch Security Hub on again"),
	{call: "securityhub:BatchDisableStandards", object: []string{"rq.StandardsSubscriptionArns[]"}, todo: "Enable the standards {rq.StandardsSubscriptionArns[]} of Security Hub again."},
	{call: "securityhub:DeleteMembers", object: []string{"rq.AccountIds[]"}, todo: "The accounts {rq.AccountIds[]} were removed from Security Hub's administrator: add them again."},
	{
		call: "securityhub:UpdateStandardsControl", object: []string{"rq.StandardsControlArn"},
		steps: []step{{
			phase: Recover, mode: Auto, call: "securityhub:UpdateStandardsControl", when: [2]string{"rq.ControlStatus", "DISABLED"},
			in:    args{"StandardsControlArn": "rq.StandardsControlArn", "ControlStatus": "'ENABLED'"},
			back:  []reverse{{"securityhub:UpdateStandardsControl", args{"StandardsControlArn": "rq.StandardsControlArn", "ControlStatus": "'DISABLED'", "DisabledReason": "rq.DisabledReason?"}}},
			title: "Enable the control {rq.StandardsControlArn} of Security Hub again", risk: "None.",
		}},
	},
	{call: "macie2:DisableMacie", object: []string{"ev.account", "ev.region"}, also: []string{"EnableMacie"}, todo: "Macie was switched off and its settings are lost: enable and set it up again."},
	{call: "access-analyzer:DeleteAnalyzer", object: []string{"rq.analyzerName"}, also: []string{"CreateAnalyzer"}, todo: "The access analyzer {rq.analyzerName} was deleted: make it again, with the type it had."},
	preserveToggle("inspector2:Disable", "inspector2:Enable", Auto, []string{"rq.accountIds[]|ev.account"}, args{"AccountIds": "rq.accountIds?", "ResourceTypes": "rq.resourceTypes"}, "Switch Inspector on again"),
	{call: "detective:DeleteGraph", object: []string{"rq.GraphArn"}, todo: "The behaviour graph {rq.GraphArn} of Detective was deleted; what it held is lost. Enable Detective again."},
	{call: "monitoring:DeleteAlarms", object: []string{"rq.alarmNames[]"}, also: []string{"PutMetricAlarm"}, todo: "The alarms {rq.alarmNames[]} were deleted: make them again."},
	preserveToggle("monitoring:DisableAlarmActions", "cloudwatch:EnableAlarmActions", Auto, []string{"rq.alarmNames[]"}, args{"AlarmNames": "rq.alarmNames"}, "Let the alarms {rq.alarmNames[]} act again"),
	{call: "wafv2:DeleteWebACL", object: []string{"rq.id"}, todo: "The web ACL {rq.name} was deleted: make it again and associate its resources."},
	{call: "wafv2:UpdateIPSet", object: []string{"rq.id"}, todo: "The IP set {rq.name} of the firewall was changed to {rq.addresses}: put it back."},
	{call: "wafv2:DisassociateWebACL", object: []string{"rq.resourceArn"}, also: []string{"AssociateWebACL"}, todo: "{rq.resourceArn} is no longer behind its web ACL: associate it again."},
	{call: "shield:DeleteSubscription", object: []string{"ev.account"}, todo: "Shield Advanced was cancelled: subscribe again if you want it, for a year at least."},
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
