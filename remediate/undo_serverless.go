package remediate

import "strings"

// undoServerless are functions, schedules and remote commands: what runs code,
// and runs it again.
var undoServerless = []undo{
	{
		call: "lambda:CreateFunction", object: []string{"rq.functionName"}, creates: "function", also: []string{"DeleteFunction"},
		steps: []step{
			{phase: Evict, mode: Auto, call: "lambda:PutFunctionConcurrency", in: args{"FunctionName": "rq.functionName", "ReservedConcurrentExecutions": 0}, expect: sameFunction,
				back:  []reverse{{"lambda:DeleteFunctionConcurrency", args{"FunctionName": "rq.functionName"}}},
				title: "Stop the function {rq.functionName} from running", risk: "None for the owner: the intruder made it."},
			{phase: Evict, mode: Review, call: "lambda:DeleteFunction", in: args{"FunctionName": "rq.functionName"}, expect: sameFunction,
				title: "Delete the function {rq.functionName}", risk: "Final. Keep its code first (lambda GetFunction): it is evidence."},
		},
	},
	{
		call: "lambda:UpdateFunctionCode", object: []string{"name(rq.functionName)"}, also: []string{"DeleteFunction"},
		prior: []prior{{"CreateFunction", []string{"name(rq.functionName)"}, "rq.code.s3Key"}, {"UpdateFunctionCode", []string{"name(rq.functionName)"}, "rq.s3Key"}},
		was:   codeBefore,
		steps: []step{stopFunction, {
			phase: Recover, mode: Review, call: "lambda:UpdateFunctionCode",
			in:    args{"FunctionName": "rq.functionName", "S3Bucket": "prior.s3Bucket", "S3Key": "prior.s3Key", "S3ObjectVersion": "prior.s3ObjectVersion?"},
			title: "Deploy the code of the function {rq.functionName} from {prior.s3Bucket}/{prior.s3Key} again",
			risk:  "Look first that the object is still the one of then. Keep the intruder's code before (lambda GetFunction): it is evidence. Let the function run again afterwards.",
		}},
		blind: []step{stopFunction, {
			phase: Recover, mode: Manual,
			title: "Deploy the own code of the function {rq.functionName} again, which the intruder replaced",
			risk:  "The log does not show where it came from: look into its published versions, your pipeline or your repository. Keep the intruder's code before (lambda GetFunction): it is evidence. Let the function run again afterwards.",
		}},
	},
	{
		call: "lambda:UpdateFunctionConfiguration", object: []string{"name(rq.functionName)"}, also: []string{"DeleteFunction"}, overlay: true,
		prior: []prior{{"CreateFunction", []string{"name(rq.functionName)"}, "rq"}, {"UpdateFunctionConfiguration", []string{"name(rq.functionName)"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Review, call: "lambda:UpdateFunctionConfiguration", in: configurationFields("prior"), back: []reverse{{"lambda:UpdateFunctionConfiguration", configurationFields("rq")}},
			title: "Set the function {rq.functionName} back to {prior}", risk: "It runs as it did before. What its environment holds is not in the log: compare it with your code, and revoke the sessions of a role that the intruder gave it."}},
		todo: "The configuration of the function {rq.functionName} was changed ({kind(rq)}) and the log does not show how it was: deploy the known one again.",
	},
	{
		call: "lambda:AddPermission", object: []string{"name(rq.functionName)", "rq.statementId"}, also: []string{"RemovePermission", "DeleteFunction"},
		steps: []step{{phase: Evict, mode: Auto, call: "lambda:RemovePermission", in: args{"FunctionName": "rq.functionName", "StatementId": "rq.statementId", "Qualifier": "rq.qualifier?"},
			back:  []reverse{{"lambda:AddPermission", args{"FunctionName": "rq.functionName", "StatementId": "rq.statementId", "Action": "rq.action", "Principal": "rq.principal", "SourceArn": "rq.sourceArn?", "SourceAccount": "rq.sourceAccount?", "Qualifier": "rq.qualifier?", "FunctionUrlAuthType": "rq.functionUrlAuthType?"}}},
			title: "Take from {rq.principal} the permission to call the function {rq.functionName}", risk: "What calls the function by it no longer can."}},
	},
	{
		call: "lambda:RemovePermission", object: []string{"name(rq.functionName)", "rq.statementId"}, also: []string{"AddPermission"},
		prior: []prior{{"AddPermission", []string{"name(rq.functionName)", "rq.statementId"}, "rq"}},
		steps: []step{{phase: Recover, mode: Auto, call: "lambda:AddPermission", in: args{"FunctionName": "rq.functionName", "StatementId": "rq.statementId", "Action": "prior.action", "Principal": "prior.principal",
			"SourceArn": "prior.sourceArn?", "SourceAccount": "prior.sourceAccount?", "Qualifier": "prior.qualifier?", "FunctionUrlAuthType": "prior.functionUrlAuthType?", "PrincipalOrgID": "prior.principalOrgID?"},
			back:  []reverse{{"lambda:RemovePermission", args{"FunctionName": "rq.functionName", "StatementId": "rq.statementId", "Qualifier": "rq.qualifier?"}}},
			title: "Let {prior.principal} call the function {rq.functionName} again", risk: "It can call the function, as before."}},
		todo: "The permission {rq.statementId} of the function {rq.functionName} was taken away and is not in the log: give it again.",
	},
	remove("lambda:CreateFunctionUrlConfig", "lambda:DeleteFunctionUrlConfig", "function URL", []string{"name(rq.functionName)"}, args{"FunctionName": "rq.functionName", "Qualifier": "rq.qualifier?"},
		"Close the URL {rs.functionUrl} of the function {rq.functionName}"),
	{
		call: "lambda:UpdateFunctionUrlConfig", object: []string{"name(rq.functionName)"}, also: []string{"DeleteFunctionUrlConfig"},
		steps: []step{{phase: Evict, mode: Auto, call: "lambda:UpdateFunctionUrlConfig", when: [2]string{"rq.authType", "NONE"},
			in:    args{"FunctionName": "rq.functionName", "AuthType": "'AWS_IAM'", "Qualifier": "rq.qualifier?"},
			back:  []reverse{{"lambda:UpdateFunctionUrlConfig", args{"FunctionName": "rq.functionName", "AuthType": "'NONE'", "Qualifier": "rq.qualifier?"}}},
			title: "Close the URL of the function {rq.functionName} to callers without AWS credentials", risk: "If it was open to everyone before, its users are shut out."}},
		todo: "The URL of the function {rq.functionName} was changed: put its settings back.",
	},
	{
		call: "lambda:CreateEventSourceMapping", object: []string{"rs.uUID"}, creates: "event source mapping", also: []string{"DeleteEventSourceMapping"},
		steps: []step{
			{phase: Evict, mode: Auto, call: "lambda:UpdateEventSourceMapping", in: args{"UUID": "rs.uUID", "Enabled": false},
				back:  []reverse{{"lambda:UpdateEventSourceMapping", args{"UUID": "rs.uUID", "Enabled": true}}},
				title: "Stop feeding {rq.eventSourceArn} to the function {rq.functionName}", risk: "None for the owner: the intruder made it."},
			{phase: Evict, mode: Review, call: "lambda:DeleteEventSourceMapping", in: args{"UUID": "rs.uUID"}, title: "Delete that event source mapping ({rs.uUID})", risk: "Final."},
		},
	},
	{
		call: "lambda:UpdateEventSourceMapping", object: []string{"rq.uUID"}, also: []string{"DeleteEventSourceMapping"}, overlay: true,
		prior: []prior{{"CreateEventSourceMapping", []string{"rs.uUID"}, "rq"}, {"UpdateEventSourceMapping", []string{"rq.uUID"}, "fields(rq)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "lambda:UpdateEventSourceMapping", in: mappingFields("prior"), back: []reverse{{"lambda:UpdateEventSourceMapping", mappingFields("rq")}},
			title: "Set the event source mapping {rq.uUID} back to {prior}", risk: "Events go to the function that they went to before."}},
		todo: "The event source mapping {rq.uUID} was changed and the log does not show how it was: put its function back.",
	},
	remove("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion", "layer version", []string{"rs.layerArn", "rs.version"}, args{"LayerName": "rs.layerArn", "VersionNumber": "rs.version"},
		"Delete version {rs.version} of the layer {rs.layerArn}; functions that have it keep it until they are updated"),
	{
		call: "lambda:AddLayerVersionPermission", object: []string{"rq.layerName", "rq.statementId"}, also: []string{"RemoveLayerVersionPermission"},
		steps: []step{{phase: Evict, mode: Auto, call: "lambda:RemoveLayerVersionPermission", in: args{"LayerName": "rq.layerName", "VersionNumber": "rq.versionNumber", "StatementId": "rq.statementId"},
			back:  []reverse{{"lambda:AddLayerVersionPermission", args{"LayerName": "rq.layerName", "VersionNumber": "rq.versionNumber", "StatementId": "rq.statementId", "Action": "rq.action", "Principal": "rq.principal"}}},
			title: "Stop sharing the layer {rq.layerName} with {rq.principal}", risk: "Functions of others that use it keep it until they are updated."}},
	},
	{call: "lambda:DeleteFunction", object: []string{"name(rq.functionName)"}, also: []string{"CreateFunction"}, todo: "The function {rq.functionName} was deleted: deploy it again."},
	{
		call: "lambda:PutFunctionConcurrency", object: []string{"name(rq.functionName)"}, also: []string{"DeleteFunctionConcurrency", "DeleteFunction"},
		prior: []prior{{"PutFunctionConcurrency", []string{"name(rq.functionName)"}, "rq.reservedConcurrentExecutions"}},
		steps: []step{{phase: Recover, mode: Auto, call: "lambda:PutFunctionConcurrency", in: args{"FunctionName": "rq.functionName", "ReservedConcurrentExecutions": "prior"},
			back:  []reverse{{"lambda:PutFunctionConcurrency", args{"FunctionName": "rq.functionName", "ReservedConcurrentExecutions": "rq.reservedConcurrentExecutions"}}},
			title: "Let the function {rq.functionName} run {prior} times at once again", risk: "None."}},
		blind: []step{{phase: Recover, mode: Review, call: "lambda:DeleteFunctionConcurrency", in: args{"FunctionName": "rq.functionName"},
			back:  []reverse{{"lambda:PutFunctionConcurrency", args{"FunctionName": "rq.functionName", "ReservedConcurrentExecutions": "rq.reservedConcurrentExecutions"}}},
			title: "Let the function {rq.functionName} run without a reserved concurrency", risk: "The log shows none before: if it had one, set that instead."}},
	},
	{
		call: "events:PutRule", object: []string{"rq.name"}, creates: "rule", also: []string{"DeleteRule"}, chain: true,
		prior: []prior{{"PutRule", []string{"rq.name"}, "rq"}},
		steps: []step{{
			phase: Recover, mode: Auto, call: "eventbridge:PutRule", in: ruleFields("prior"), back: []reverse{{"eventbridge:PutRule", ruleFields("rq")}},
			title: "Let the rule {rq.name} match what it did before the intruder", risk: "Its targets run when they did before.",
		}},
		blind: []step{
			{phase: Evict, mode: Auto, call: "eventbridge:DisableRule", in: args{"Name": "rq.name", "EventBusName": "rq.eventBusName?"},
				back:  []reverse{{"eventbridge:EnableRule", args{"Name": "rq.name", "EventBusName": "rq.eventBusName?"}}},
				title: "Switch the rule {rq.name} off", risk: "The log shows none of this name before. If there was one and it was only changed, put its old pattern back instead."},
			{phase: Evict, mode: Review, call: "eventbridge:RemoveTargets", in: args{"Rule": "rq.name", "EventBusName": "rq.eventBusName?", "Ids": []any{Item}},
				each:  &each{"eventbridge:ListTargetsByRule", args{"Rule": "rq.name", "EventBusName": "rq.eventBusName?"}, "Targets[].Id"},
				title: "Take every target off the rule {rq.name}", risk: "Final."},
			{phase: Evict, mode: Review, call: "eventbridge:DeleteRule", in: args{"Name": "rq.name", "EventBusName": "rq.eventBusName?"}, title: "Delete the rule {rq.name}", risk: "Final. Not if it was there before the incident."},
		},
	},
	{
		call: "events:PutTargets", object: []string{"rq.rule", "rq.targets[].id"}, also: []string{"RemoveTargets", "DeleteRule"}, was: targetsSet,
		prior: []prior{{"RemoveTargets", []string{"rq.rule"}, "rq.none"}},
		steps: []step{
			{phase: Recover, mode: Auto, call: "eventbridge:PutTargets", when: [2]string{"prior.put", anyValue}, in: args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Targets": "prior.put"},
				back:  []reverse{{"eventbridge:PutTargets", args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Targets": "sdk(rq.targets)"}}},
				title: "Let the rule {rq.rule} call {prior.put[].Arn} again", risk: "They run when the rule says so, as before."},
			{phase: Evict, mode: Review, call: "eventbridge:RemoveTargets", when: [2]string{"prior.drop", anyValue}, in: args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Ids": "prior.drop"},
				back:  []reverse{{"eventbridge:PutTargets", args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Targets": "sdk(rq.targets)"}}},
				title: "Take the targets {prior.drop} ({rq.targets[].arn}) off the rule {rq.rule}", risk: "The log shows none of these ids before: if one was there, put it back instead."},
		},
	},
	inside(map[string]int{"DeleteRule": 0},
		preserveToggle("events:DisableRule", "eventbridge:EnableRule", Auto, []string{"rq.name"}, args{"Name": "rq.name", "EventBusName": "rq.eventBusName?"}, "Switch the rule {rq.name} on again")),
	{
		call: "events:DeleteRule", object: []string{"rq.name"}, also: []string{"PutRule"}, was: ruleWithTargets, chain: true,
		prior: []prior{{"PutRule", []string{"rq.name"}, "rq"}, {"PutTargets", []string{"rq.rule"}, "rq.none"}, {"RemoveTargets", []string{"rq.rule"}, "rq.none"}},
		steps: []step{
			{phase: Recover, mode: Auto, call: "eventbridge:PutRule",
				in:    ruleFields("prior"),
				back:  []reverse{{"eventbridge:DeleteRule", args{"Name": "rq.name", "EventBusName": "rq.eventBusName?"}}},
				title: "Make the rule {rq.name} again", risk: "It acts as it did before."},
			{phase: Recover, mode: Auto, call: "eventbridge:PutTargets", when: [2]string{"prior.targets", anyValue},
				in:    args{"Rule": "rq.name", "EventBusName": "rq.eventBusName?", "Targets": "prior.targets"},
				back:  []reverse{{"eventbridge:RemoveTargets", args{"Rule": "rq.name", "EventBusName": "rq.eventBusName?", "Ids": "prior.targets[].Id"}}},
				title: "Give the rule {rq.name} its targets {prior.targets[].Arn} again", risk: "They run when the rule says so, as before."},
		},
		todo: "The rule {rq.name} was deleted and is not in the log: make it again with its targets.",
	},
	{
		call: "events:RemoveTargets", object: []string{"rq.rule", "rq.ids[]"}, also: []string{"PutTargets"}, was: targetsTaken,
		prior: []prior{{"PutTargets", []string{"rq.rule"}, "rq.none"}},
		steps: []step{{phase: Recover, mode: Auto, call: "eventbridge:PutTargets", in: args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Targets": "prior"},
			back:  []reverse{{"eventbridge:RemoveTargets", args{"Rule": "rq.rule", "EventBusName": "rq.eventBusName?", "Ids": "rq.ids"}}},
			title: "Give the rule {rq.rule} its targets {prior[].Arn} again", risk: "They run when the rule says so, as before."}},
		todo: "The targets {rq.ids[]} were taken off the rule {rq.rule} and are not in the log: put them back.",
	},
	{
		call: "events:PutPermission", object: []string{"rq.statementId"}, also: []string{"RemovePermission"},
		steps: []step{{phase: Evict, mode: Auto, call: "eventbridge:RemovePermission", in: args{"EventBusName": "rq.eventBusName?", "StatementId": "rq.statementId"},
			back:  []reverse{{"eventbridge:PutPermission", args{"EventBusName": "rq.eventBusName?", "StatementId": "rq.statementId", "Action": "rq.action", "Principal": "rq.principal"}}},
			title: "Take from {rq.principal} the permission to send events", risk: "Its events no longer arrive."}},
	},
	remove("scheduler:CreateSchedule", "scheduler:DeleteSchedule", "schedule", []string{"rq.name"}, args{"Name": "rq.name", "GroupName": "rq.groupName?"}, "Delete the schedule {rq.name}"),
	{
		call: "ssm:SendCommand", object: []string{"rs.command.commandId"}, also: []string{"CancelCommand"},
		steps: []step{{phase: Evict, mode: Review, call: "ssm:CancelCommand", in: args{"CommandId": "rs.command.commandId"},
			title: "Cancel the command {rs.command.commandId} ({rq.documentName}) on {rq.instanceIds[]|rq.targets}, if it still runs",
			risk:  "What it has done stays: treat these instances and their roles as entered. Its parameters are not in the log."}},
		todo: "The intruder ran {rq.documentName} on {rq.instanceIds[]|rq.targets}: cancel the command if it still runs, and treat these instances and their roles as entered.",
	},
	{
		call: "ssm:StartSession", object: []string{"rs.sessionId"}, also: []string{"TerminateSession"},
		steps: []step{{phase: Evict, mode: Review, call: "ssm:TerminateSession", in: args{"SessionId": "rs.sessionId"},
			title: "End the intruder's session on {rq.target}", risk: "Final. A session that is open outlives every deny. Treat {rq.target} and its role as entered."}},
	},
	{
		call: "ssm:ResumeSession", object: []string{"rq.sessionId"}, also: []string{"TerminateSession"},
		steps: []step{{phase: Evict, mode: Review, call: "ssm:TerminateSession", in: args{"SessionId": "rq.sessionId"},
			title: "End the intruder's session {rq.sessionId}", risk: "Final. A session that is open outlives every deny. Treat its instance and role as entered."}},
	},
	{call: "ssm:TerminateSession", object: []string{"rq.sessionId"}, handled: true},
	remove("ssm:CreateAssociation", "ssm:DeleteAssociation", "association", []string{"rs.associationDescription.associationId"}, args{"AssociationId": "rs.associationDescription.associationId"}, "Delete the association {rs.associationDescription.associationId}, which runs {rq.name}"),
	remove("ssm:CreateDocument", "ssm:DeleteDocument", "document", []string{"rq.name"}, args{"Name": "rq.name"}, "Delete the document {rq.name}"),
	{
		call: "ssm:ModifyDocumentPermission", object: []string{"rq.name"}, also: []string{"DeleteDocument"}, was: documentShares.before,
		steps: shareSteps("ssm:ModifyDocumentPermission", "the document {rq.name}", "Users",
			func(list string) args {
				return args{"Name": "rq.name", "PermissionType": "'Share'", "AccountIdsToAdd": list}
			},
			func(list string) args {
				return args{"Name": "rq.name", "PermissionType": "'Share'", "AccountIdsToRemove": list}
			}),
		todo: "The sharing of the document {rq.name} was changed: put it back.",
	},
	{
		call: "ssm:CreateActivation", object: []string{"rs.activationId"}, also: []string{"DeleteActivation"},
		steps: []step{
			{phase: Evict, mode: Review, call: "ssm:DeregisterManagedInstance", in: args{"InstanceId": Item},
				each:  &each{"ssm:DescribeInstanceInformation", args{"InstanceInformationFilterList": []args{{"Key": "'ActivationIds'", "ValueSet": "list(rs.activationId)"}}}, "InstanceInformationList[].InstanceId"},
				title: "Deregister the machines that joined by the activation {rs.activationId}", risk: "Final. They lose the role that they have; one that is yours must join again."},
			{phase: Evict, mode: Review, call: "ssm:DeleteActivation", in: args{"ActivationId": "rs.activationId"},
				title: "Delete the activation {rs.activationId}, by which outside machines join", risk: "Final. No more machines join by it."},
		},
	},
	{
		call: "ssm:UpdateServiceSetting", object: []string{"rq.settingId"}, also: []string{"ResetServiceSetting"},
		steps: []step{{phase: Recover, mode: Review, call: "ssm:ResetServiceSetting", in: args{"SettingId": "rq.settingId"},
			title: "Set the setting {rq.settingId} back to AWS's default", risk: "If it had another value before, set that instead."}},
	},
}

// stopFunction is for one whose code is the intruder's.
var stopFunction = step{
	phase: Evict, mode: Review, call: "lambda:PutFunctionConcurrency", in: args{"FunctionName": "rq.functionName", "ReservedConcurrentExecutions": 0},
	back:  []reverse{{"lambda:DeleteFunctionConcurrency", args{"FunctionName": "rq.functionName"}}},
	title: "Stop the function {rq.functionName}, whose code the intruder replaced, until its own code is deployed again",
	risk:  "What the function does for its users stops. If it had a reserved concurrency before, set that again, not none.",
}

// configurationFields are what a function runs as. What its environment holds is
// not in the log.
func configurationFields(from string) args {
	in := args{"FunctionName": "rq.functionName"}
	for _, f := range []string{"role", "handler", "runtime", "timeout", "memorySize", "description"} {
		in[strings.ToUpper(f[:1])+f[1:]] = from + "." + f + "?"
	}
	in["Layers"], in["VpcConfig"] = from+".layers?", "sdk("+from+".vpcConfig)?"
	return in
}

// mappingFields are what feeds a function.
func mappingFields(from string) args {
	return args{"UUID": "rq.uUID", "FunctionName": from + ".functionName?", "Enabled": from + ".enabled?", "BatchSize": from + ".batchSize?"}
}

// ruleFields are what a rule of EventBridge says.
func ruleFields(from string) args {
	return args{"Name": "rq.name", "EventBusName": "rq.eventBusName?", "EventPattern": from + ".eventPattern?", "ScheduleExpression": from + ".scheduleExpression?", "State": from + ".state?",
		"Description": from + ".description?", "RoleArn": from + ".roleArn?"}
}

// sameFunction is that the function of the name still runs as the role that the
// intruder gave it.
var sameFunction = []want{{"lambda:GetFunctionConfiguration", args{"FunctionName": "rq.functionName"}, "Role", "rq.role"}}
