package lineage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// theirs is a call of the intruder's, by the leaked key; ours one of somebody
// else's.
func theirs(at, api, request, response string) event {
	return event{at: at, call: api, from: away, ua: kali, request: request, response: response}
}

func ours(at, api, request, response string) event {
	return event{at: at, call: api, key: "AKIAOURS", user: "bob", request: request, response: response}
}

// taken is a service's AssumeRole, used a use of a session.
func taken(at, service, role, id string) event {
	name, session, _ := strings.Cut(role, ":")
	return event{at: at, key: "-", identity: "AWSService", by: service + ".amazonaws.com", call: "sts:AssumeRole", issues: id,
		request:  fmt.Sprintf(`{"roleArn":"%s","roleSessionName":"%s"}`, roleARN(name), session),
		response: fmt.Sprintf(`{"assumedRoleUser":{"assumedRoleId":"AROA%s:%s"}}`, strings.ToUpper(name), session)}
}

func used(at, id, role, created string) event {
	return event{at: at, key: id, role: role, created: created}
}

// by is a use through a service.
func by(service string, e event) event {
	e.by = service + ".amazonaws.com"
	return e
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

func functionARN(name string) string {
	return "arn:aws:lambda:us-east-1:" + account + ":function:" + name
}

const (
	evil, other   = "i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"
	evilTask      = "0123456789abcdef0123456789abcdef"
	otherTask     = "fedcba9876543210fedcba9876543210"
	evilBuild     = "11111111-2222-4333-8444-555555555555"
	otherBuild    = "66666666-2222-4333-8444-555555555555"
	launched      = `{"instancesSet":{"items":[{"instanceId":"%s"}]}}`
	evilInstance  = "Web:" + evil
	otherInstance = "Web:" + other
)

// Of each case the sessions ASIAEVIL… must be listed, and no others.
func TestWhatChangedComputeRunsAs(t *testing.T) {
	const before, change, after, later = "1d 08:00:00", "2d 12:10:00", "2d 12:20:00", "2d 18:00:00"
	// The sessions of an instance that the lineage got hold of and of one that it did not.
	instances := []event{used("1d 09:00:00", "ASIAEVIL", evilInstance, before), used(after, "ASIAEVIL", evilInstance, before),
		used(later, "ASIAEVIL2", evilInstance, later), used(after, "ASIAOTHER", otherInstance, before)}
	both := func(role, service, session string) []event {
		return []event{taken(after, service, role+":"+session, "ASIAEVIL"), used(later, "ASIAEVIL", role+":"+session, after)}
	}
	for _, tc := range []struct {
		name   string
		events [][]event
		roles  string // of those listed as code_changed
		why    string // of the role, in part
	}{
		{"RunInstances", [][]event{{theirs(change, "ec2:RunInstances", `{"iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/web"}}`, fmt.Sprintf(launched, evil)),
			ours(before, "iam:AddRoleToInstanceProfile", `{"instanceProfileName":"web","roleName":"Web"}`, ""),
			ours("1d 07:00:00", "ec2:RunInstances", `{"iamInstanceProfile":{"name":"web"}}`, fmt.Sprintf(launched, other))}, instances}, "Web", ""},
		{"AssociateIamInstanceProfile", [][]event{{theirs(change, "ec2:AssociateIamInstanceProfile",
			`{"AssociateIamInstanceProfileRequest":{"InstanceId":"`+evil+`","IamInstanceProfile":{"Name":"Web"}}}`, "")}, instances}, "Web", ""},
		{"ReplaceIamInstanceProfileAssociation", [][]event{{theirs(change, "ec2:ReplaceIamInstanceProfileAssociation", `{}`,
			`{"ReplaceIamInstanceProfileAssociationResponse":{"iamInstanceProfileAssociation":{"instanceId":"`+evil+`"}}}`)}, instances}, "Web", ""},
		{"user data", [][]event{{theirs(change, "ec2:ModifyInstanceAttribute", `{"instanceId":"`+evil+`","userData":"<sensitiveDataRemoved>"}`, ""),
			theirs(change, "ec2:ModifyInstanceAttribute", `{"instanceId":"`+other+`","disableApiTermination":{"value":true}}`, "")}, instances}, "Web", ""},
		{"the owner's change", [][]event{{ours(change, "ec2:ModifyInstanceAttribute", `{"instanceId":"`+other+`","userData":"x"}`, ""),
			{at: "1d 10:00:00", call: "ssm:SendCommand", request: `{"instanceIds":["` + other + `"]}`}, {at: change, call: "ssm:SendCommand", request: `{"instanceIds":["` + other + `"]}`}}, instances[3:]}, "", ""},
		{"SendCommand by tag", [][]event{{theirs(change, "ssm:SendCommand", `{"targets":[{"key":"tag:env","values":["prod"]}]}`, `{"command":{"commandId":"c1"}}`),
			ours("2d 12:11:00", "ssm:GetCommandInvocation", `{"commandId":"c1","instanceId":"`+evil+`"}`, ""),
			ours("2d 12:11:00", "ssm:GetCommandInvocation", `{"commandId":"c2","instanceId":"`+other+`"}`, "")}, instances}, "Web", ""},
		{"SendCommand by ids", [][]event{{theirs(change, "ssm:SendCommand", `{"targets":[{"key":"InstanceIds","values":["`+evil+`"]}]}`, "")}, instances}, "Web", ""},
		{"SendCommand to an instance that is silent, whose profile the log shows", [][]event{{theirs(change, "ssm:SendCommand", `{"instanceIds":["`+evil+`"]}`, ""),
			ours(before, "ec2:RunInstances", `{"iamInstanceProfile":{"name":"web"}}`, fmt.Sprintf(launched, evil)),
			ours(before, "iam:AddRoleToInstanceProfile", `{"instanceProfileName":"web","roleName":"Web"}`, ""),
			ours(before, "ec2:RunInstances", `{"iamInstanceProfile":{"name":"else"}}`, fmt.Sprintf(launched, other))}}, "Web", ""},
		{"StartSession in a container", [][]event{{theirs(change, "ssm:StartSession", `{"target":"ecs:my_cluster_`+evilTask+`_`+evilTask+`-0123456789"}`, ""),
			used(later, "ASIAOTHER", "Task:"+otherTask, after)}, both("Task", "ecs-tasks", evilTask)}, "Task", ""},
		{"StartSession", [][]event{{theirs(change, "ssm:StartSession", `{"target":"`+evil+`"}`, "")}, instances}, "Web", ""},
		{"CreateAssociation", [][]event{{theirs(change, "ssm:CreateAssociation", `{"name":"AWS-RunShellScript","targets":[{"key":"InstanceIds","values":["`+evil+`"]}]}`, "")}, instances}, "Web", ""},
		{"SendSSHPublicKey", [][]event{{theirs(change, "ec2-instance-connect:SendSSHPublicKey", `{"instanceId":"`+evil+`"}`, "")}, instances}, "Web", ""},
		{"SendSerialConsoleSSHPublicKey", [][]event{{theirs(change, "ec2-instance-connect:SendSerialConsoleSSHPublicKey", `{"instanceId":"`+evil+`"}`, "")}, instances}, "Web", ""},
		{"a launch template's version", [][]event{{theirs(change, "ec2:CreateLaunchTemplateVersion", `{"CreateLaunchTemplateVersionRequest":{"LaunchTemplateId":"lt-1"}}`,
			`{"CreateLaunchTemplateVersionResponse":{"launchTemplateVersion":{"versionNumber":2}}}`),
			ours("2d 12:15:00", "ec2:RunInstances", `{"launchTemplate":{"launchTemplateId":"lt-1","version":"1"}}`, fmt.Sprintf(launched, other)),
			ours("2d 12:16:00", "ec2:RunInstances", `{"launchTemplate":{"launchTemplateId":"lt-1","version":"$Latest"}}`, fmt.Sprintf(launched, evil))}, instances}, "Web", ""},
		{"an auto scaling group", [][]event{{theirs(change, "autoscaling:CreateAutoScalingGroup", `{"autoScalingGroupName":"asg","launchTemplate":{"launchTemplateId":"lt-1"}}`, ""),
			ours("2d 12:15:00", "ec2:RunInstances", `{"launchTemplate":{"launchTemplateId":"lt-1"}}`, fmt.Sprintf(launched, other)),
			ours("2d 12:15:00", "ec2:RunInstances", `{"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Name","value":"asg"},{"key":"aws:autoscaling:groupName","value":"asg"}]}]}}`, fmt.Sprintf(launched, evil))},
			instances}, "Web", ""},
		{"a spot request with a role that was never used", [][]event{{theirs(change, "ec2:RequestSpotInstances", `{"launchSpecification":{"iamInstanceProfile":{"name":"Spot"}}}`,
			`{"spotInstanceRequestSet":{"items":[{"spotInstanceRequestId":"sir-1"}]}}`),
			used(later, "ASIAEVIL", "Spot:"+evil, after), used(later, "ASIAOTHER", "Spot:bob", after)}}, "Spot", ""},
		{"a spot request with a role in use", [][]event{{theirs(change, "ec2:RequestSpotInstances", `{"launchSpecification":{"iamInstanceProfile":{"name":"Web"}}}`, ""),
			used(before, "ASIAOTHER", otherInstance, before), used(later, "ASIAOTHER2", evilInstance, after)}}, "Web", "taken before"},
		{"automation", [][]event{{theirs(change, "ssm:StartAutomationExecution", `{"parameters":{"AutomationAssumeRole":["`+roleARN("Auto")+`"]}}`, `{"automationExecutionId":"e1"}`),
			used(later, "ASIAOTHER", "Auto:Automation-e2", after)}, both("Auto", "ssm", "Automation-e1")}, "Auto", ""},

		{"UpdateFunctionCode", [][]event{{theirs(change, "lambda:UpdateFunctionCode20150331v2", `{"functionName":"`+functionARN("f")+`"}`, `{"functionName":"f","role":"`+roleARN("Fn")+`"}`),
			used(after, "ASIAOTHER", "Fn:g", after), used(after, "ASIAOTHER2", "Else:f", after), taken(after, "lambda", "Fn:g", "ASIAOTHER3"),
			used("2d 12:05:00", "ASIAOLD", "Fn:f", "2d 11:00:00")}, both("Fn", "lambda", "f")}, "Fn", ""},
		{"CreateFunction", [][]event{{theirs(change, "lambda:CreateFunction20150331", `{"functionName":"f","role":"`+roleARN("Fn")+`"}`, ""),
			assume(after, "AKIAOURS", "Fn:f", "ASIAOTHER"), used(later, "ASIAOTHER", "Fn:f", after), used(later, "ASIAEVIL", "Fn:f", "2d 12:30:00")}}, "Fn", ""},
		{"a function that the owner made anew", [][]event{{theirs(change, "lambda:UpdateFunctionCode20150331v2", `{"functionName":"f"}`, `{"role":"`+roleARN("Fn")+`"}`),
			ours("2d 17:00:00", "lambda:CreateFunction20150331", `{"functionName":"f","role":"`+roleARN("Fn")+`"}`, ""), used(later, "ASIAOTHER", "Fn:f", later)}, both("Fn", "lambda", "f")[:1]}, "Fn", ""},
		{"calls that change no code", [][]event{{theirs(change, "lambda:AddPermission20150331v2", `{"functionName":"f"}`, ""), theirs(change, "lambda:Invoke", `{"functionName":"f"}`, ""),
			used(later, "ASIAOTHER", "Fn:f", after)}}, "", ""},
		{"what a service does for a function", [][]event{{theirs(change, "lambda:UpdateFunctionConfiguration20150331v2", `{"functionName":"f","layers":["arn:aws:lambda:us-east-1:111122223333:layer:l:1"]}`, `{"role":"`+roleARN("Fn")+`"}`),
			by("dynamodb", used(later, "ASIAEVIL2", "Fn:f", after))}, both("Fn", "lambda", "f")}, "Fn", ""},

		{"RunTask of a task definition of theirs", [][]event{{
			theirs(change, "ecs:RegisterTaskDefinition", `{"family":"fam","taskRoleArn":"`+roleARN("Task")+`"}`, `{"taskDefinition":{"revision":7}}`),
			ours("2d 12:15:00", "ecs:RunTask", `{"taskDefinition":"fam:6"}`, `{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:111122223333:task/c/`+otherTask+`"}]}`),
			ours("2d 12:15:00", "ecs:RunTask", `{"taskDefinition":"fam"}`, `{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:111122223333:task/c/`+evilTask+`"}]}`),
			taken(before, "ecs-tasks", "Task:"+otherTask[1:]+"0", "ASIAOTHER2"), used(later, "ASIAOTHER", "Task:"+otherTask, after)}, both("Task", "ecs-tasks", evilTask)}, "Task", "taken before"},
		{"RunTask with overrides", [][]event{{
			theirs(change, "ecs:RunTask", `{"taskDefinition":"fam:6","overrides":{"containerOverrides":[{"command":["sh"]}]}}`, `{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:111122223333:task/c/`+evilTask+`"}]}`),
			theirs(change, "ecs:RunTask", `{"taskDefinition":"fam:6","overrides":{"containerOverrides":[]}}`, `{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:111122223333:task/c/`+otherTask+`"}]}`),
			used(later, "ASIAOTHER", "Task:"+otherTask, after)}, both("Task", "ecs-tasks", evilTask)}, "Task", ""},
		{"ExecuteCommand", [][]event{{theirs(change, "ecs:ExecuteCommand", `{"cluster":"c","task":"`+evilTask+`"}`, ""), used(later, "ASIAOTHER", "Task:"+otherTask, after)},
			both("Task", "ecs-tasks", evilTask)}, "Task", ""},

		{"a Glue job with a role that was never used", [][]event{{theirs(change, "glue:CreateJob", `{"name":"job","role":"Etl"}`, ""), used(later, "ASIAOTHER", "Etl:bob", after)},
			both("Etl", "glue", "GlueJobRunnerSession")}, "Etl", ""},
		{"a Glue job with another's role", [][]event{{theirs(change, "glue:CreateJob", `{"name":"job","role":"`+roleARN("Etl")+`"}`, ""),
			ours(before, "glue:CreateJob", `{"name":"nightly","role":"`+roleARN("Etl")+`"}`, ""), taken(after, "glue", "Etl:GlueJobRunnerSession", "ASIAOTHER")}}, "Etl", "nightly runs as it too"},
		{"Glue jobs of the key's and of the instance's that it got into", [][]event{instances[:2], {theirs(change, "ssm:SendCommand", `{"instanceIds":["`+evil+`"]}`, ""),
			theirs(change, "glue:CreateJob", `{"name":"job","role":"`+roleARN("Etl")+`"}`, ""),
			{at: later, key: "ASIAEVIL", role: evilInstance, created: before, call: "glue:CreateJob", request: `{"name":"second","role":"` + roleARN("Etl") + `"}`},
			taken(after, "glue", "Etl:GlueJobRunnerSession", "ASIAEVIL3")}}, "Etl Web", ""},
		{"a Glue job whose role the log shows", [][]event{{theirs(change, "glue:UpdateJob", `{"jobName":"nightly","jobUpdate":{"command":{}}}`, ""),
			ours(before, "glue:CreateJob", `{"name":"nightly","role":"`+roleARN("Etl")+`"}`, ""), taken("1d 09:00:00", "glue", "Etl:GlueJobRunnerSession", "ASIAOTHER")},
			both("Etl", "glue", "GlueJobRunnerSession")}, "Etl", ""},
		{"a run of a Glue job", [][]event{{theirs(change, "glue:StartJobRun", `{"jobName":"nightly","arguments":{"--extra-py-files":"s3://evil/x.py"}}`, ""),
			ours(before, "glue:CreateJob", `{"name":"nightly","role":"`+roleARN("Etl")+`"}`, ""), taken("2d 12:30:00", "glue", "Etl:GlueJobRunnerSession", "ASIAOTHER"),
			used("2d 12:12:00", "ASIAEVIL", "Etl:GlueJobRunnerSession", "2d 12:11:00")}}, "Etl", ""},
		{"a Glue endpoint", [][]event{{theirs(change, "glue:CreateDevEndpoint", `{"endpointName":"e","roleArn":"`+roleARN("Etl")+`"}`, "")}, both("Etl", "glue", "GlueJobRunnerSession")}, "Etl", ""},

		{"a notebook", [][]event{{theirs(change, "sagemaker:CreateNotebookInstance", `{"notebookInstanceName":"n","roleArn":"`+roleARN("Ml")+`"}`, ""), used(later, "ASIAOTHER", "Ml:bob", after)},
			both("Ml", "sagemaker", "SageMaker")}, "Ml", ""},
		{"the way into a notebook", [][]event{{theirs(change, "sagemaker:CreatePresignedNotebookInstanceUrl", `{"notebookInstanceName":"n"}`, ""),
			ours("0d 10:00:00", "sagemaker:CreateNotebookInstance", `{"notebookInstanceName":"n","roleArn":"`+roleARN("Ml")+`"}`, ""),
			used(before, "ASIAEVIL", "Ml:SageMaker", before), used(after, "ASIAEVIL", "Ml:SageMaker", before), used("1d 09:00:00", "ASIAOTHER", "Ml:SageMaker", before)}}, "Ml", ""},
		{"a training job", [][]event{{theirs(change, "sagemaker:CreateTrainingJob", `{"trainingJobName":"t","roleArn":"`+roleARN("Ml")+`"}`, ""),
			ours(later, "sagemaker:CreateProcessingJob", `{"processingJobName":"p","roleArn":"`+roleARN("Ml")+`"}`, ""), used(later, "ASIAOTHER", "Ml:SageMaker", after)}}, "Ml", "p runs as it too"},

		{"StartBuild", [][]event{{theirs(change, "codebuild:StartBuild", `{"projectName":"p","buildspecOverride":"x"}`, `{"build":{"id":"p:`+evilBuild+`","serviceRole":"`+roleARN("Ci")+`"}}`),
			theirs(change, "codebuild:StartBuild", `{"projectName":"p"}`, `{"build":{"id":"p:`+otherBuild+`"}}`), used(later, "ASIAOTHER", "Ci:AWSCodeBuild-"+otherBuild, after)},
			both("Ci", "codebuild", "AWSCodeBuild-"+evilBuild)}, "Ci", ""},
		{"UpdateProject", [][]event{{theirs(change, "codebuild:UpdateProject", `{"name":"p"}`, `{"project":{"serviceRole":"`+roleARN("Ci")+`"}}`),
			ours(before, "codebuild:CreateProject", `{"name":"q","serviceRole":"`+roleARN("Ci")+`"}`, ""),
			ours("2d 12:15:00", "codebuild:StartBuild", `{"projectName":"p"}`, `{"build":{"id":"p:`+evilBuild+`"}}`),
			ours("2d 12:15:00", "codebuild:StartBuild", `{"projectName":"q"}`, `{"build":{"id":"q:`+otherBuild+`"}}`), used(later, "ASIAOTHER", "Ci:AWSCodeBuild-"+otherBuild, after)},
			both("Ci", "codebuild", "AWSCodeBuild-"+evilBuild)}, "Ci", "q runs as it too"},

		{"CreateStack", [][]event{{theirs(change, "cloudformation:CreateStack", `{"stackName":"s","roleARN":"`+roleARN("Cfn")+`"}`, ""),
			by("cloudformation", used(later, "ASIAEVIL", "Cfn:AWSCloudFormation", after)), used(later, "ASIAOTHER", "Cfn:bob", after)}}, "Cfn", ""},
		{"UpdateStack", [][]event{{theirs(change, "cloudformation:UpdateStack", `{"stackName":"s"}`, ""), ours(before, "cloudformation:CreateStack", `{"stackName":"s","roleARN":"`+roleARN("Cfn")+`"}`, ""),
			ours(before, "cloudformation:CreateStack", `{"stackName":"r","roleARN":"`+roleARN("Cfn")+`"}`, ""), by("cloudformation", used(later, "ASIAOTHER", "Cfn:AWSCloudFormation", after))}}, "Cfn", "r runs as it too"},
		{"a state machine", [][]event{{theirs(change, "states:CreateStateMachine", `{"name":"m","roleArn":"`+roleARN("Sfn")+`"}`, ""),
			used(later, "ASIAOTHER", "Sfn:bob", after)}, both("Sfn", "states", "wozynIhxRGfTvfRlXhHKONdyrIaAmRyN")}, "Sfn", ""},
		{"EMR", [][]event{{theirs(change, "elasticmapreduce:RunJobFlow", `{"jobFlowRole":"Emr","serviceRole":"EmrService"}`, `{"jobFlowId":"j-1"}`),
			used(later, "ASIAEVIL", "Emr:"+evil, after), used(later, "ASIAOTHER", "Emr:bob", after)}}, "Emr EmrService", ""},
		{"Batch", [][]event{{theirs(change, "batch:RegisterJobDefinition", `{"jobDefinitionName":"j","containerProperties":{"jobRoleArn":"`+roleARN("Task")+`"}}`, ""),
			used(later, "ASIAOTHER", "Task:bob", after)}, both("Task", "ecs-tasks", evilTask)}, "Task", ""},
		{"App Runner", [][]event{{theirs(change, "apprunner:CreateService", `{"serviceName":"s","instanceConfiguration":{"instanceRoleArn":"`+roleARN("App")+`"}}`, ""),
			taken(later, "ecs-tasks", "App:x", "ASIAOTHER")}, both("App", "tasks.apprunner", "y")}, "App", ""},
		{"EventBridge Scheduler", [][]event{{theirs(change, "scheduler:CreateSchedule", `{"name":"s","target":{"roleArn":"`+roleARN("Sched")+`"}}`, ""),
			taken(later, "pipes", "Sched:x", "ASIAOTHER")}, both("Sched", "scheduler", "y")}, "Sched", ""},
		{"EventBridge Pipes", [][]event{{theirs(change, "pipes:CreatePipe", `{"name":"s","roleArn":"`+roleARN("Pipe")+`"}`, ""), used(later, "ASIAOTHER", "Pipe:x", after)}, both("Pipe", "pipes", "y")}, "Pipe", ""},
		{"CodePipeline", [][]event{{theirs(change, "codepipeline:CreatePipeline", `{"pipeline":{"name":"s","roleArn":"`+roleARN("Cp")+`"}}`, ""), used(later, "ASIAOTHER", "Cp:x", after)}, both("Cp", "codepipeline", "1")}, "Cp", ""},
		{"CodeDeploy", [][]event{{theirs(change, "codedeploy:CreateDeploymentGroup", `{"deploymentGroupName":"s","serviceRoleArn":"`+roleARN("Cd")+`"}`, ""), used(later, "ASIAOTHER", "Cd:x", after)}, both("Cd", "codedeploy", "s")}, "Cd", ""},
		{"Data Pipeline", [][]event{{theirs(change, "datapipeline:PutPipelineDefinition", `{"pipelineId":"df-1","pipelineObjects":[{"id":"Default","fields":[{"key":"role","stringValue":"Dp"},{"key":"resourceRole","stringValue":"DpEc2"}]}]}`, ""),
			used(later, "ASIAEVIL2", "DpEc2:"+evil, after), used(later, "ASIAOTHER", "DpEc2:x", after)}, both("Dp", "datapipeline", "x")}, "Dp DpEc2", ""},
		{"AgentCore", [][]event{{theirs(change, "bedrock-agentcore:CreateCodeInterpreter", `{"name":"ci","executionRoleArn":"`+roleARN("Agent")+`"}`, `{"codeInterpreterId":"ci-1"}`),
			used(later, "ASIAOTHER", "Agent:x", after)}, both("Agent", "bedrock-agentcore", "BedrockAgentCore-s1")}, "Agent", ""},
		{"Bedrock", [][]event{{theirs(change, "bedrock:CreateAgent", `{"agentName":"a","agentResourceRoleArn":"`+roleARN("Agent")+`"}`, ""), used(later, "ASIAOTHER", "Agent:x", after)}, both("Agent", "bedrock", "x")}, "Agent", ""},
		{"Amplify", [][]event{{theirs(change, "amplify:CreateApp", `{"name":"a","iamServiceRoleArn":"`+roleARN("Amp")+`"}`, `{"app":{"appId":"d1"}}`), used(later, "ASIAOTHER", "Amp:x", after)}, both("Amp", "amplify", "x")}, "Amp", ""},
		{"Image Builder", [][]event{{theirs(change, "imagebuilder:CreateInfrastructureConfiguration", `{"name":"a","instanceProfileName":"Img"}`, ""), used(later, "ASIAEVIL", "Img:"+evil, after), used(later, "ASIAOTHER", "Img:x", after)}}, "Img", ""},
		{"AppSync", [][]event{{theirs(change, "appsync:CreateDataSource", `{"apiId":"a","serviceRoleArn":"`+roleARN("Gql")+`"}`, ""), used(later, "ASIAOTHER", "Gql:x", after)}, both("Gql", "appsync", "APPSYNC_ASSUME_ROLE")}, "Gql", ""},
		{"a topic rule", [][]event{{theirs(change, "iot:CreateTopicRule", `{"ruleName":"r","topicRulePayload":{"actions":[{"lambda":{"functionArn":"x"}},{"s3":{"roleArn":"`+roleARN("Iot")+`"}}]}}`, ""), used(later, "ASIAOTHER", "Iot:x", after)}, both("Iot", "iot", "x")}, "Iot", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCase(t)
			events := slices.Concat(tc.events...)
			write(t, c, usual(events...)...)
			l, err := Trace(t.Context(), c, []string{leaked}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			for _, e := range events {
				for _, id := range []string{e.key, e.issues} {
					if strings.HasPrefix(id, "ASIAEVIL") {
						want[id] = true
					}
				}
			}
			got := map[string]bool{}
			for _, d := range l.Credentials {
				if d.ID == leaked {
					continue
				}
				got[d.ID] = true
				if d.Kind == ServiceForwarded {
					continue
				}
				if d.Kind != RoleSession || d.Certainty != Inferred || d.Parent == nil || *d.Parent != leaked || d.Via == "sts:AssumeRole" {
					t.Errorf("%s is a %s of %v by %s, %s", d.ID, d.Kind, deref(d.Parent), d.Via, d.Certainty)
				}
				if d.FirstUsed != nil && d.FirstUsed.Before(*clock(change)) {
					t.Errorf("%s was used %s, before the change", d.ID, d.FirstUsed)
				}
			}
			if !slices.Equal(sorted(got), sorted(want)) {
				t.Errorf("got %v, want %v", sorted(got), sorted(want))
			}
			roles := map[string]bool{}
			var whys []string
			for _, p := range l.Principals {
				if p.How == CodeChanged {
					if roles[p.ARN[strings.LastIndex(p.ARN, "/")+1:]] {
						t.Errorf("%s stands there twice", p.ARN)
					}
					roles[p.ARN[strings.LastIndex(p.ARN, "/")+1:]] = true
					whys = append(whys, p.Why)
				}
			}
			if got := strings.Join(sorted(roles), " "); got != tc.roles {
				t.Errorf("roles %q, want %q", got, tc.roles)
			}
			if why := strings.Join(whys, "\n"); !strings.Contains(why, tc.why) || tc.why == "" && strings.Contains(why, "not listed") {
				t.Errorf("why: %s", why)
			}
		})
	}
}

// The way to a workload's session shows the call that changed what it runs, and
// names the machine rather than the command.
func TestWayToWorkload(t *testing.T) {
	change := theirs("2d 12:10:00", "ssm:SendCommand", `{"instanceIds":["`+evil+`"]}`, `{"command":{"commandId":"c1"}}`)
	change.id = "the-command"
	c := newCase(t)
	write(t, c, usual(change, used("2d 12:20:00", "ASIAEVIL", evilInstance, "2d 12:15:00"))...)
	l, err := Trace(t.Context(), c, []string{leaked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := credential(t, l, "ASIAEVIL"); d.IssuedEventID != "" || !contains(d.Why, "session of "+evil+",") {
		t.Errorf("issued by %q, why %q", d.IssuedEventID, d.Why)
	}
	x, err := Explain(t.Context(), c, l, "ASIAEVIL")
	if err != nil {
		t.Fatal(err)
	}
	steps := x.Subjects[0].Ways[0].Steps
	if s := steps[len(steps)-1]; s.EventID != "the-command" || s.AccessKeyID != leaked || s.SourceIP != away {
		t.Errorf("the last step is %+v", s)
	}
}
