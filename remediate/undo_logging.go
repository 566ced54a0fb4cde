package remediate

import "time"

// undoLogging are trails and other logs: they are switched on again before
// anything else, so that the rest is seen.
var undoLogging = []undo{
	{
		call: "cloudtrail:StopLogging", object: []string{"name(rq.name)"}, also: []string{"StartLogging", "DeleteTrail"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:StartLogging", in: args{"Name": "rq.name"},
			back:  []reverse{{"cloudtrail:StopLogging", args{"Name": "rq.name"}}},
			title: "Start the trail {rq.name} again",
			risk:  "None but the trail's usual cost. Its bucket must still take the logs.",
		}},
	},
	{
		call: "cloudtrail:DeleteTrail", object: []string{"name(rq.name)"}, also: []string{"CreateTrail"}, chain: true,
		prior: append([]prior{{"PutEventSelectors", []string{"name(rq.trailName)"}, "rq.none"}}, trailBefore...), was: trailWithSelectors,
		steps: []step{
			{
				phase: Preserve, mode: Auto, call: "cloudtrail:CreateTrail", in: trailSettings("name(rq.name)"),
				back:  []reverse{{"cloudtrail:DeleteTrail", args{"Name": "name(rq.name)"}}},
				title: "Create the trail {name(rq.name)} again, into the bucket {prior.s3BucketName}",
				risk:  "It records all management events; data events that the log does not show and Insights, if it had them, must be added by hand.",
			},
			{
				phase: Preserve, mode: Auto, call: "cloudtrail:PutEventSelectors", when: [2]string{"prior.eventSelectors|prior.advancedEventSelectors", anyValue},
				in: args{"TrailName": "name(rq.name)", "EventSelectors": "sdk(prior.eventSelectors)?", "AdvancedEventSelectors": "sdk(prior.advancedEventSelectors)?"},
				back: []reverse{{"cloudtrail:PutEventSelectors", args{"TrailName": "name(rq.name)",
					"EventSelectors": []args{{"ReadWriteType": "'All'", "IncludeManagementEvents": true}}}}},
				title: "Let the new trail {name(rq.name)} record what the old one did",
				risk:  "None but the trail's usual cost.",
			},
			{
				phase: Preserve, mode: Auto, call: "cloudtrail:StartLogging", in: args{"Name": "name(rq.name)"},
				back:  []reverse{{"cloudtrail:StopLogging", args{"Name": "name(rq.name)"}}},
				title: "Start the new trail {name(rq.name)}",
				risk:  "None but the trail's usual cost.",
			},
		},
		todo: "The trail {rq.name} was deleted and the log does not show its bucket: create it again, and start it, for a new trail is silent until StartLogging.",
	},
	{
		call: "cloudtrail:UpdateTrail", object: []string{"name(rq.name)"}, also: []string{"DeleteTrail"},
		prior: trailBefore,
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:UpdateTrail", in: trailSettings("rq.name"), back: trailNow,
			title: "Let the trail {rq.name} record what it did before, into the bucket {prior.s3BucketName}",
			risk:  "A key, prefix, topic or log group that it did not have before stays as it is now: compare.",
		}},
		blind: []step{
			widenTrail("isMultiRegionTrail", "IsMultiRegionTrail", "every region"),
			widenTrail("includeGlobalServiceEvents", "IncludeGlobalServiceEvents", "the global services, such as IAM,"),
			widenTrail("enableLogFileValidation", "EnableLogFileValidation", "digests of its files"),
			{
				phase: Preserve, mode: Manual, when: [2]string{"rq.s3BucketName|rq.s3KeyPrefix|rq.kmsKeyId|rq.cloudWatchLogsLogGroupArn|rq.snsTopicName", anyValue},
				title: "Put back where the trail {rq.name} delivers to: the intruder changed its bucket, prefix, key, topic or log group",
				risk:  "The log does not show what they were before; until then what the trail records may go to the intruder, or be unreadable.",
			},
		},
		todo: "The trail {rq.name} was changed and the log does not show how it was: look up bucket, regions, global events, validation, key and log group, and put them back.",
	},
	{
		call: "cloudtrail:PutEventSelectors", object: []string{"name(rq.trailName)"}, also: []string{"DeleteTrail"},
		prior: []prior{
			{"PutEventSelectors", []string{"name(rq.trailName)"}, "rq"},
		},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:PutEventSelectors",
			in: args{"TrailName": "rq.trailName", "EventSelectors": "sdk(prior.eventSelectors)?", "AdvancedEventSelectors": "sdk(prior.advancedEventSelectors)?"},
			back: []reverse{{"cloudtrail:PutEventSelectors", args{"TrailName": "rq.trailName", "EventSelectors": "sdk(rq.eventSelectors)?",
				"AdvancedEventSelectors": "sdk(rq.advancedEventSelectors)?"}}},
			title: "Let the trail {rq.trailName} record what it did before",
			risk:  "None but the trail's usual cost.",
		}},
		blind: []step{{
			phase: Preserve, mode: Review, call: "cloudtrail:PutEventSelectors",
			in: args{"TrailName": "rq.trailName", "EventSelectors": []args{{"ReadWriteType": "'All'", "IncludeManagementEvents": true}}},
			back: []reverse{{"cloudtrail:PutEventSelectors", args{"TrailName": "rq.trailName", "EventSelectors": "sdk(rq.eventSelectors)?",
				"AdvancedEventSelectors": "sdk(rq.advancedEventSelectors)?"}}},
			title: "Let the trail {rq.trailName} record all management events again",
			risk:  "The log does not show what the trail recorded before. If it recorded data events, this leaves them out: add them first.",
		}},
	},
	{
		call: "cloudtrail:PutInsightSelectors", object: []string{"name(rq.trailName)"}, also: []string{"DeleteTrail"},
		prior: []prior{{"PutInsightSelectors", []string{"name(rq.trailName)"}, "rq.insightSelectors"}},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:PutInsightSelectors", in: args{"TrailName": "rq.trailName", "InsightSelectors": "sdk(prior)"},
			back:  []reverse{{"cloudtrail:PutInsightSelectors", args{"TrailName": "rq.trailName", "InsightSelectors": "sdk(rq.insightSelectors)?"}}},
			title: "Let the trail {rq.trailName} look for unusual activity again",
			risk:  "None but the usual cost of Insights.",
		}},
		todo: "Put the Insights selectors of the trail {rq.trailName} back; they are not in the log.",
	},
	{
		call: "cloudtrail:CreateTrail", object: []string{"name(rq.name)"}, creates: "trail", also: []string{"DeleteTrail"},
		steps: []step{{
			phase: Evict, mode: Review, call: "cloudtrail:DeleteTrail", in: args{"Name": "rq.name"},
			expect: []want{{"cloudtrail:GetTrail", args{"Name": "rq.name"}, "Trail.S3BucketName", "rs.s3BucketName|rq.s3BucketName"}},
			title:  "Delete the trail {rq.name} that the intruder made, which writes to {rq.s3BucketName}",
			risk:   "Final. What it has delivered stays in the bucket.",
		}},
	},
	{
		call: "cloudtrail:DeleteEventDataStore", object: []string{"name(rq.eventDataStore)"}, also: []string{"RestoreEventDataStore"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:RestoreEventDataStore", in: args{"EventDataStore": "rq.eventDataStore"},
			back:  []reverse{{"cloudtrail:DeleteEventDataStore", args{"EventDataStore": "rq.eventDataStore"}}},
			title: "Take the event data store {rq.eventDataStore} back from deletion",
			risk:  "None but its usual cost.",
		}},
		deadline: after(7 * 24 * time.Hour),
	},
	{
		call: "cloudtrail:StopEventDataStoreIngestion", object: []string{"name(rq.eventDataStore)"}, also: []string{"StartEventDataStoreIngestion"},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:StartEventDataStoreIngestion", in: args{"EventDataStore": "rq.eventDataStore"},
			back:  []reverse{{"cloudtrail:StopEventDataStoreIngestion", args{"EventDataStore": "rq.eventDataStore"}}},
			title: "Let the event data store {rq.eventDataStore} take events again",
			risk:  "None but its usual cost.",
		}},
	},
	{
		call: "cloudtrail:UpdateEventDataStore", object: []string{"name(rq.eventDataStore)"}, also: []string{"DeleteEventDataStore"}, overlay: true,
		prior: []prior{{"CreateEventDataStore", []string{"name(rs.eventDataStoreArn)"}, "rs|rq"}, {"UpdateEventDataStore", []string{"name(rq.eventDataStore)"}, "fields(rq)"}},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudtrail:UpdateEventDataStore", in: storeFields("prior"), back: []reverse{{"cloudtrail:UpdateEventDataStore", storeFields("rq")}},
			title: "Let the event data store {rq.eventDataStore} keep what it did before",
			risk:  "None but its usual cost. Events that are older than the shorter retention are lost.",
		}},
		todo: "The event data store {rq.eventDataStore} was changed and the log does not show how it was: put its selectors, retention and termination protection back.",
	},
	{
		call: "cloudtrail:DeregisterOrganizationDelegatedAdmin", object: []string{"rq.delegatedAdminAccountId"},
		steps: []step{{
			phase: Recover, mode: Review, call: "cloudtrail:RegisterOrganizationDelegatedAdmin", in: args{"MemberAccountId": "rq.delegatedAdminAccountId"},
			back:  []reverse{{"cloudtrail:DeregisterOrganizationDelegatedAdmin", args{"DelegatedAdminAccountId": "rq.delegatedAdminAccountId"}}},
			title: "Make {rq.delegatedAdminAccountId} CloudTrail's delegated administrator again",
			risk:  "It can then change the organisation's trails.",
		}},
	},
	{
		call: "ec2:DeleteFlowLogs", object: []string{"rq.DeleteFlowLogsRequest.FlowLogId[].content"}, split: true, was: flowLogMade,
		prior: []prior{{"CreateFlowLogs", []string{"rs.CreateFlowLogsResponse.flowLogIdSet.item"}, "rq.CreateFlowLogsRequest"}},
		steps: []step{{
			phase: Preserve, mode: Review, call: "ec2:CreateFlowLogs",
			in: args{"ResourceIds": "texts(prior.ResourceId.content|prior.ResourceId[].content)", "ResourceType": "prior.ResourceType", "TrafficType": "prior.TrafficType?",
				"LogDestinationType": "prior.LogDestinationType?", "LogDestination": "prior.LogDestination?", "LogGroupName": "prior.LogGroupName?", "LogFormat": "prior.LogFormat?",
				"DeliverLogsPermissionArn": "prior.DeliverLogsPermissionArn?", "MaxAggregationInterval": "prior.MaxAggregationInterval?"},
			title: "Record the traffic of {prior.ResourceId.content|prior.ResourceId[].content} again, as the flow log {el} did",
			risk:  "The usual cost of flow logs. The new one has another id. If it was made again since, there are two.",
		}},
		todo: "The flow log {el} was deleted and is not in the log: make it again.",
	},
	{
		call: "logs:DeleteLogGroup", object: []string{"rq.logGroupName"}, also: []string{"CreateLogGroup", "DeleteRetentionPolicy"}, chain: true,
		prior: []prior{{"PutRetentionPolicy", []string{"rq.logGroupName"}, "rq.retentionInDays"}},
		steps: []step{{
			phase: Preserve, mode: Review, call: "cloudwatchlogs:CreateLogGroup", in: args{"LogGroupName": "rq.logGroupName"},
			back:  []reverse{{"cloudwatchlogs:DeleteLogGroup", args{"LogGroupName": "rq.logGroupName"}}},
			title: "Make the log group {rq.logGroupName} again",
			risk:  "What it held is lost; its writers need the group, its key, filters and subscriptions.",
		}, {
			phase: Preserve, mode: Review, call: "cloudwatchlogs:PutRetentionPolicy", when: [2]string{"prior", anyValue},
			in:    args{"LogGroupName": "rq.logGroupName", "RetentionInDays": "prior"},
			back:  []reverse{{"cloudwatchlogs:DeleteRetentionPolicy", args{"LogGroupName": "rq.logGroupName"}}},
			title: "Keep the logs of {rq.logGroupName} for {prior} days, as before",
			risk:  "None: without it the new group keeps them for ever.",
		}},
	},
	{call: "logs:DeleteLogStream", object: []string{"rq.logGroupName", "rq.logStreamName"},
		todo: "The log stream {rq.logStreamName} of {rq.logGroupName} was deleted; what it held is lost here. See if it was also exported or subscribed to."},
	{
		call: "logs:PutRetentionPolicy", object: []string{"rq.logGroupName"}, also: []string{"DeleteRetentionPolicy"},
		prior: []prior{{"PutRetentionPolicy", []string{"rq.logGroupName"}, "rq.retentionInDays"}},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudwatchlogs:PutRetentionPolicy", in: args{"LogGroupName": "rq.logGroupName", "RetentionInDays": "prior"},
			back:  []reverse{{"cloudwatchlogs:PutRetentionPolicy", args{"LogGroupName": "rq.logGroupName", "RetentionInDays": "rq.retentionInDays"}}},
			title: "Keep the logs of {rq.logGroupName} for {prior} days again",
			risk:  "None but the cost of storage.",
		}},
		blind: []step{{
			phase: Preserve, mode: Review, call: "cloudwatchlogs:DeleteRetentionPolicy", in: args{"LogGroupName": "rq.logGroupName"},
			back:  []reverse{{"cloudwatchlogs:PutRetentionPolicy", args{"LogGroupName": "rq.logGroupName", "RetentionInDays": "rq.retentionInDays"}}},
			title: "Keep the logs of {rq.logGroupName} for ever, until its retention is settled",
			risk:  "Storage costs. What the retention was before is not in the log.",
		}},
		// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html:
		// events are deleted up to 72 hours after they expire.
		deadline: after(72 * time.Hour),
	},
	{
		call: "logs:DeleteSubscriptionFilter", object: []string{"rq.logGroupName", "rq.filterName"}, also: []string{"PutSubscriptionFilter"},
		prior: []prior{{"PutSubscriptionFilter", []string{"rq.logGroupName", "rq.filterName"}, "rq"}},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudwatchlogs:PutSubscriptionFilter", in: subscription("prior"),
			back:  []reverse{{"cloudwatchlogs:DeleteSubscriptionFilter", args{"LogGroupName": "rq.logGroupName", "FilterName": "rq.filterName"}}},
			title: "Send the logs of {rq.logGroupName} to {prior.destinationArn} again",
			risk:  "None but its usual cost. What was logged in between does not follow.",
		}},
		todo: "The subscription {rq.filterName} of {rq.logGroupName} was deleted: what reads it no longer sees the logs. Make it again.",
	},
	{
		call: "logs:PutSubscriptionFilter", object: []string{"rq.logGroupName", "rq.filterName"}, also: []string{"DeleteSubscriptionFilter"},
		prior: []prior{{"PutSubscriptionFilter", []string{"rq.logGroupName", "rq.filterName"}, "rq"}},
		steps: []step{{
			phase: Preserve, mode: Auto, call: "cloudwatchlogs:PutSubscriptionFilter", in: subscription("prior"),
			back:  []reverse{{"cloudwatchlogs:PutSubscriptionFilter", subscription("rq")}},
			title: "Send the logs of {rq.logGroupName} to {prior.destinationArn} again, not to {rq.destinationArn}",
			risk:  "None but its usual cost. What was sent in between must count as read.",
		}},
		blind: []step{{
			phase: Evict, mode: Review, call: "cloudwatchlogs:DeleteSubscriptionFilter", in: args{"LogGroupName": "rq.logGroupName", "FilterName": "rq.filterName"},
			back:  []reverse{{"cloudwatchlogs:PutSubscriptionFilter", subscription("rq")}},
			title: "Stop sending the logs of {rq.logGroupName} to {rq.destinationArn}",
			risk:  "The log shows no subscription of this name before: if there was one, put that back instead. What was sent must count as read.",
		}},
	},
	replacedWhole(policy{call: "logs:PutResourcePolicy", service: "cloudwatchlogs", object: []string{"rq.policyName"}, in: args{"PolicyName": "rq.policyName"},
		param: "PolicyDocument", value: "rq.policyDocument", remove: "DeleteResourcePolicy", what: "resource policy {rq.policyName} of CloudWatch Logs"}),
	{
		call: "route53resolver:DeleteResolverQueryLogConfig", object: []string{"rq.resolverQueryLogConfigId"},
		steps: []step{{
			phase: Preserve, mode: Review, call: "route53resolver:CreateResolverQueryLogConfig",
			in:    args{"Name": "rs.resolverQueryLogConfig.name", "DestinationArn": "rs.resolverQueryLogConfig.destinationArn", "CreatorRequestId": "rq.resolverQueryLogConfigId"},
			title: "Make the DNS query log {rs.resolverQueryLogConfig.name} again, into {rs.resolverQueryLogConfig.destinationArn}",
			risk:  "The usual cost of its logs. It logs nothing until its VPCs are associated again (AssociateResolverQueryLogConfig).",
		}},
		todo: "The DNS query log {rq.resolverQueryLogConfigId} was deleted: make it again and associate its VPCs.",
	},
}

// trailBefore are the settings of a trail, which AWS answers in full.
var trailBefore = []prior{{"CreateTrail", []string{"rq.name"}, "rs|rq"}, {"UpdateTrail", []string{"name(rq.name)"}, "rs|rq"}}

// trailSettings are those settings as CreateTrail and UpdateTrail take them.
func trailSettings(name string) args {
	return args{
		"Name": name, "S3BucketName": "prior.s3BucketName", "S3KeyPrefix": "prior.s3KeyPrefix?", "SnsTopicName": "prior.snsTopicName?",
		"IsMultiRegionTrail": "prior.isMultiRegionTrail?", "IncludeGlobalServiceEvents": "prior.includeGlobalServiceEvents?",
		"IsOrganizationTrail": "prior.isOrganizationTrail?", "EnableLogFileValidation": "prior.logFileValidationEnabled|prior.enableLogFileValidation?",
		"CloudWatchLogsLogGroupArn": "prior.cloudWatchLogsLogGroupArn?", "CloudWatchLogsRoleArn": "prior.cloudWatchLogsRoleArn?", "KmsKeyId": "prior.kmsKeyId?",
	}
}

// trailNow takes an UpdateTrail back to what the intruder left.
var trailNow = []reverse{{"cloudtrail:UpdateTrail", args{"Name": "rq.name", "S3BucketName": "rs.s3BucketName|rq.s3BucketName?", "IsMultiRegionTrail": "rs.isMultiRegionTrail|rq.isMultiRegionTrail?",
	"IncludeGlobalServiceEvents": "rs.includeGlobalServiceEvents|rq.includeGlobalServiceEvents?", "EnableLogFileValidation": "rs.logFileValidationEnabled|rq.enableLogFileValidation?"}}}

// widenTrail switches on what the intruder switched off, where the log does not
// show the other settings.
func widenTrail(off, param, what string) step {
	return step{
		phase: Preserve, mode: Auto, call: "cloudtrail:UpdateTrail", when: [2]string{"rq." + off, "false"},
		in: args{"Name": "rq.name", param: true}, back: []reverse{{"cloudtrail:UpdateTrail", args{"Name": "rq.name", param: false}}},
		title: "Let the trail {rq.name} record " + what + " again",
		risk:  "None but the trail's usual cost. The log does not show how the trail was set up before: compare its bucket, key and log group too.",
	}
}

// after is a deadline counted from the call.
func after(d time.Duration) func(*event) (time.Time, bool) {
	return func(e *event) (time.Time, bool) { return e.time.Add(d), true }
}

// at is a deadline that the response names.
func at(expr string) func(*event) (time.Time, bool) {
	return func(e *event) (time.Time, bool) {
		v, err := (&scope{event: e}).eval(expr)
		if err != nil {
			return time.Time{}, false
		}
		return parseTime(v)
	}
}

// nextMidnight is when S3 next carries out lifecycle rules, midnight UTC:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html.
func nextMidnight(e *event) (time.Time, bool) {
	return e.time.Truncate(24 * time.Hour).Add(24 * time.Hour), true
}

// subscription are the fields of a subscription to a log group.
func subscription(from string) args {
	return args{"LogGroupName": "rq.logGroupName", "FilterName": "rq.filterName", "FilterPattern": from + ".filterPattern|''", "DestinationArn": from + ".destinationArn",
		"RoleArn": from + ".roleArn?", "Distribution": from + ".distribution?"}
}

func storeFields(from string) args {
	return args{"EventDataStore": "rq.eventDataStore", "Name": from + ".name?", "AdvancedEventSelectors": "sdk(" + from + ".advancedEventSelectors)?", "MultiRegionEnabled": from + ".multiRegionEnabled?",
		"OrganizationEnabled": from + ".organizationEnabled?", "RetentionPeriod": from + ".retentionPeriod?", "TerminationProtectionEnabled": from + ".terminationProtectionEnabled?"}
}
