package lineage

// computeCalls are the calls that published lists of privilege escalations
// (https://pathfinding.cloud, https://hackingthe.cloud, Rhino Security's and
// PMapper's) name as passing a role or code to a service, and what ties their
// runs to them. Names of members: each service's API reference, as CloudTrail
// spells them.
var computeCalls = index([]computeCall{
	// Amazon EC2 and what starts instances.
	{api: "ec2:RunInstances", on: instance, of: []string{"launchTemplate.launchTemplateId", "launchTemplate.launchTemplateName",
		"tagSpecificationSet.tags.key=aws:autoscaling:groupName.value", "tagSpecificationSet.tags.key=aws:elasticmapreduce:job-flow-id.value",
		"tagSpecificationSet.tags.key=aws:ec2launchtemplate:id.value", "tagSpecificationSet.tags.key=aws:ec2:fleet-id.value",
		"tagSpecificationSet.tags.key=aws:ec2spot:fleet-request-id.value", "tagSpecificationSet.tags.key=aws:batch:compute-environment.value"},
		version: []string{"launchTemplate.version"}, runs: []string{"response.instancesSet.instanceId"}, profiles: []string{"iamInstanceProfile.arn", "iamInstanceProfile.name"}},
	{api: "ec2:AssociateIamInstanceProfile", on: instance, runs: []string{"instanceId", "response.iamInstanceProfileAssociation.instanceId"},
		profiles: []string{"iamInstanceProfile.arn", "iamInstanceProfile.name"}},
	{api: "ec2:ReplaceIamInstanceProfileAssociation", on: instance, runs: []string{"response.iamInstanceProfileAssociation.instanceId"},
		profiles: []string{"iamInstanceProfile.arn", "iamInstanceProfile.name"}},
	// User data is changed while an instance is stopped: its next start runs them.
	{api: "ec2:ModifyInstanceAttribute", on: instance, runs: []string{"instanceId"}, needs: []string{"userData"}},
	{api: "ec2:CreateLaunchTemplate", on: instance, names: []string{"launchTemplateName", "response.launchTemplate.launchTemplateId"},
		profiles: []string{"launchTemplateData.iamInstanceProfile.arn", "launchTemplateData.iamInstanceProfile.name"}},
	{api: "ec2:CreateLaunchTemplateVersion", on: instance, names: []string{"launchTemplateId", "launchTemplateName", "response.launchTemplateVersion.launchTemplateId",
		"response.launchTemplateVersion.launchTemplateName"}, version: []string{"response.launchTemplateVersion.versionNumber"}, loose: []string{"$Latest"},
		profiles: []string{"launchTemplateData.iamInstanceProfile.arn", "launchTemplateData.iamInstanceProfile.name"}},
	{api: "ec2:ModifyLaunchTemplate", on: instance, names: []string{"launchTemplateId", "launchTemplateName"}, version: []string{"setDefaultVersion", "defaultVersion"},
		loose: []string{"", "$Default"}, needs: []string{"setDefaultVersion", "defaultVersion"}},
	{api: "ec2:RequestSpotInstances", on: instance, names: []string{"response.spotInstanceRequestSet.spotInstanceRequestId"}, runs: []string{"response.spotInstanceRequestSet.instanceId"},
		profiles: []string{"launchSpecification.iamInstanceProfile.arn", "launchSpecification.iamInstanceProfile.name"}},
	{api: "ec2:RequestSpotFleet", on: instance, names: []string{"response.spotFleetRequestId"},
		profiles: []string{"spotFleetRequestConfig.launchSpecifications.iamInstanceProfile.arn", "spotFleetRequestConfig.launchSpecifications.iamInstanceProfile.name"}},
	{api: "ec2:CreateFleet", on: instance, names: []string{"response.fleetId"}, runs: []string{"response.fleetInstanceSet.instanceIds", "response.instances.instanceIds"}},
	{api: "autoscaling:CreateAutoScalingGroup", on: instance, names: []string{"autoScalingGroupName"}, of: launchedFrom},
	{api: "autoscaling:UpdateAutoScalingGroup", on: instance, names: []string{"autoScalingGroupName"}, of: launchedFrom,
		needs: []string{"launchTemplate", "launchConfigurationName", "mixedInstancesPolicy"}},
	{api: "autoscaling:CreateLaunchConfiguration", on: instance, names: []string{"launchConfigurationName"}, profiles: []string{"iamInstanceProfile"}},
	{api: "iam:AddRoleToInstanceProfile", names: []string{"instanceProfileName"}, roles: []string{"roleName"}, ties: true},
	{api: "ssm:SendCommand", on: instance, names: []string{"response.command.commandId"}, runs: []string{"instanceIds", "targets.key=InstanceIds.values"}},
	{api: "ssm:GetCommandInvocation", on: instance, of: []string{"commandId"}, runs: []string{"instanceId"}, ties: true},
	{api: "ssm:StartSession", on: instance, runs: []string{"target"}},
	{api: "ssm:CreateAssociation", on: instance, runs: []string{"instanceId", "targets.key=InstanceIds.values"}},
	{api: "ssm:UpdateAssociation", on: instance, runs: []string{"targets.key=InstanceIds.values", "response.associationDescription.targets.key=InstanceIds.values"}},
	{api: "ssm:StartAutomationExecution", on: automation, runs: []string{"response.automationExecutionId"},
		roles: []string{"parameters.AutomationAssumeRole"}},
	{api: "ec2-instance-connect:SendSSHPublicKey", on: instance, runs: []string{"instanceId"}},
	{api: "ec2-instance-connect:SendSerialConsoleSSHPublicKey", on: instance, runs: []string{"instanceId"}},
	{api: "imagebuilder:CreateInfrastructureConfiguration", on: instance, names: []string{"name"}, profiles: []string{"instanceProfileName"}},
	{api: "imagebuilder:CreateImagePipeline", on: imagebuilder, names: []string{"name"}, roles: []string{"executionRole"}},
	{api: "imagebuilder:CreateImage", on: imagebuilder, names: []string{"imageRecipeArn"}, roles: []string{"executionRole"}},
	{api: "elasticmapreduce:RunJobFlow", on: instance, names: []string{"response.jobFlowId"}, profiles: []string{"jobFlowRole"}},
	{api: "elasticmapreduce:AddJobFlowSteps", on: instance, names: []string{"jobFlowId"}},
	{api: "elasticmapreduce:RunJobFlow", on: cluster, names: []string{"response.jobFlowId"}, roles: []string{"serviceRole"}},

	// AWS Lambda. AddPermission, Invoke and event sources change no code; the
	// functions that use a new layer have calls of their own.
	{api: "lambda:CreateFunction", makes: true, on: function, names: []string{"functionName"}, roles: []string{"response.role", "role"}},
	{api: "lambda:UpdateFunctionCode", on: function, names: []string{"functionName"}, roles: []string{"response.role"}},
	{api: "lambda:UpdateFunctionConfiguration", on: function, names: []string{"functionName"}, roles: []string{"response.role", "role"}},

	// Amazon ECS, AWS Batch, AWS App Runner.
	{api: "ecs:RegisterTaskDefinition", on: task, names: []string{"family"}, version: []string{"response.taskDefinition.revision"}, loose: []string{""},
		roles: []string{"taskRoleArn", "executionRoleArn"}},
	{api: "ecs:RunTask", on: task, of: []string{"taskDefinition"}, version: []string{"taskDefinition"}, runs: []string{"response.tasks.taskArn"},
		roles: []string{"overrides.taskRoleArn", "overrides.executionRoleArn"}, needs: []string{"overrides.containerOverrides", "overrides.taskRoleArn", "overrides.executionRoleArn"}},
	{api: "ecs:StartTask", on: task, of: []string{"taskDefinition"}, version: []string{"taskDefinition"}, runs: []string{"response.tasks.taskArn"},
		roles: []string{"overrides.taskRoleArn", "overrides.executionRoleArn"}, needs: []string{"overrides.containerOverrides", "overrides.taskRoleArn", "overrides.executionRoleArn"}},
	{api: "ecs:ExecuteCommand", on: task, runs: []string{"task", "response.taskArn"}},
	{api: "batch:RegisterJobDefinition", on: task, names: []string{"jobDefinitionName"}, roles: []string{"containerProperties.jobRoleArn", "containerProperties.executionRoleArn",
		"ecsProperties.taskProperties.taskRoleArn", "nodeProperties.nodeRangeProperties.container.jobRoleArn"}},
	{api: "batch:SubmitJob", on: task, of: []string{"jobDefinition"}, needs: []string{"containerOverrides", "ecsPropertiesOverride", "nodeOverrides"}},
	{api: "batch:CreateComputeEnvironment", on: instance, names: []string{"computeEnvironmentName"}, profiles: []string{"computeResources.instanceRole"}},
	{api: "apprunner:CreateService", on: apprunner, names: []string{"serviceName", "response.service.serviceArn"},
		roles: []string{"instanceConfiguration.instanceRoleArn", "sourceConfiguration.authenticationConfiguration.accessRoleArn"}},
	{api: "apprunner:UpdateService", on: apprunner, names: []string{"serviceArn"},
		roles: []string{"instanceConfiguration.instanceRoleArn", "response.service.instanceConfiguration.instanceRoleArn"}},

	// AWS Glue.
	{api: "glue:CreateJob", makes: true, on: glue, names: []string{"name", "response.name"}, roles: []string{"role"}},
	{api: "glue:UpdateJob", on: glue, names: []string{"jobName"}, roles: []string{"jobUpdate.role"}},
	{api: "glue:StartJobRun", on: glue, of: []string{"jobName"}, needs: []string{"arguments"}},
	{api: "glue:CreateDevEndpoint", makes: true, on: glue, names: []string{"endpointName"}, roles: []string{"roleArn"}},
	{api: "glue:UpdateDevEndpoint", on: glue, names: []string{"endpointName"}},
	{api: "glue:CreateSession", on: glue, names: []string{"id"}, roles: []string{"role"}},
	{api: "glue:RunStatement", on: glue, names: []string{"sessionId"}},

	// Amazon SageMaker AI.
	{api: "sagemaker:CreateNotebookInstance", makes: true, on: sagemaker, names: []string{"notebookInstanceName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:UpdateNotebookInstance", on: sagemaker, names: []string{"notebookInstanceName"}, roles: []string{"roleArn"},
		needs: []string{"roleArn", "lifecycleConfigName", "defaultCodeRepository", "additionalCodeRepositories"}},
	{api: "sagemaker:CreatePresignedNotebookInstanceUrl", on: sagemaker, names: []string{"notebookInstanceName"}},
	{api: "sagemaker:CreateTrainingJob", on: sagemaker, names: []string{"trainingJobName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:CreateProcessingJob", on: sagemaker, names: []string{"processingJobName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:CreateAutoMLJob", on: sagemaker, names: []string{"autoMLJobName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:CreateAutoMLJobV2", on: sagemaker, names: []string{"autoMLJobName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:CreateHyperParameterTuningJob", on: sagemaker, names: []string{"hyperParameterTuningJobName"}, roles: []string{"trainingJobDefinition.roleArn", "trainingJobDefinitions.roleArn"}},
	{api: "sagemaker:CreateModel", on: sagemaker, names: []string{"modelName"}, roles: []string{"executionRoleArn"}},
	{api: "sagemaker:CreatePipeline", on: sagemaker, names: []string{"pipelineName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:UpdatePipeline", on: sagemaker, names: []string{"pipelineName"}, roles: []string{"roleArn"}},
	{api: "sagemaker:CreateDomain", on: sagemaker, names: []string{"response.domainId", "response.domainArn"}, roles: []string{"defaultUserSettings.executionRole", "defaultSpaceSettings.executionRole"}},
	{api: "sagemaker:CreateUserProfile", on: sagemaker, names: []string{"domainId"}, roles: []string{"userSettings.executionRole"}},
	{api: "sagemaker:UpdateUserProfile", on: sagemaker, names: []string{"domainId"}, roles: []string{"userSettings.executionRole"}, needs: []string{"userSettings"}},
	{api: "sagemaker:CreatePresignedDomainUrl", on: sagemaker, names: []string{"domainId"}},

	// AWS CodeBuild, CodePipeline, CodeDeploy, Amplify.
	{api: "codebuild:CreateProject", makes: true, on: build, names: []string{"name"}, roles: []string{"serviceRole"}},
	{api: "codebuild:UpdateProject", on: build, names: []string{"name"}, roles: []string{"serviceRole", "response.project.serviceRole"}},
	{api: "codebuild:StartBuild", on: build, of: []string{"projectName"}, runs: []string{"response.build.id"}, roles: []string{"serviceRoleOverride", "response.build.serviceRole"},
		needs: buildOverrides},
	{api: "codebuild:StartBuildBatch", on: build, of: []string{"projectName"}, runs: []string{"response.buildBatch.id"},
		roles: []string{"serviceRoleOverride", "response.buildBatch.serviceRole"}, needs: buildOverrides},
	{api: "codepipeline:CreatePipeline", makes: true, on: pipeline, names: []string{"pipeline.name"}, roles: []string{"pipeline.roleArn", "pipeline.stages.actions.roleArn"}},
	{api: "codepipeline:UpdatePipeline", on: pipeline, names: []string{"pipeline.name"}, roles: []string{"pipeline.roleArn", "pipeline.stages.actions.roleArn"}},
	{api: "codedeploy:CreateDeploymentGroup", on: deployment, names: []string{"deploymentGroupName"}, roles: []string{"serviceRoleArn"}},
	{api: "codedeploy:UpdateDeploymentGroup", on: deployment, names: []string{"currentDeploymentGroupName"}, roles: []string{"serviceRoleArn"}, needs: []string{"serviceRoleArn"}},
	{api: "amplify:CreateApp", on: amplify, names: []string{"response.app.appId"}, roles: []string{"iamServiceRoleArn", "computeRoleArn"}},
	{api: "amplify:UpdateApp", on: amplify, names: []string{"appId"}, roles: []string{"iamServiceRoleArn", "computeRoleArn"}},

	// AWS CloudFormation.
	{api: "cloudformation:CreateStack", makes: true, on: stack, names: []string{"stackName", "response.stackId"}, roles: []string{"roleARN"}},
	{api: "cloudformation:UpdateStack", on: stack, names: []string{"stackName", "response.stackId"}, roles: []string{"roleARN"}},
	{api: "cloudformation:CreateChangeSet", on: stack, names: []string{"stackName", "response.stackId"}, roles: []string{"roleARN"}},
	{api: "cloudformation:DeleteStack", on: stack, names: []string{"stackName"}, roles: []string{"roleARN"}, needs: []string{"roleARN"}},
	{api: "cloudformation:CreateStackSet", on: stack, names: []string{"stackSetName"}, roles: []string{"administrationRoleARN"}},
	{api: "cloudformation:UpdateStackSet", on: stack, names: []string{"stackSetName"}, roles: []string{"administrationRoleARN"}},

	// What runs steps, targets and queries by a role.
	{api: "states:CreateStateMachine", makes: true, on: machine, names: []string{"name"}, roles: []string{"roleArn"}},
	{api: "states:UpdateStateMachine", on: machine, names: []string{"stateMachineArn"}, roles: []string{"roleArn"}},
	{api: "scheduler:CreateSchedule", makes: true, on: scheduler, names: []string{"name"}, roles: []string{"target.roleArn"}},
	{api: "scheduler:UpdateSchedule", on: scheduler, names: []string{"name"}, roles: []string{"target.roleArn"}},
	{api: "pipes:CreatePipe", makes: true, on: pipe, names: []string{"name"}, roles: []string{"roleArn"}},
	{api: "pipes:UpdatePipe", on: pipe, names: []string{"name"}, roles: []string{"roleArn"}},
	{api: "events:PutTargets", on: eventRule, names: []string{"rule"}, roles: []string{"targets.roleArn"}},
	{api: "iot:CreateTopicRule", on: topicRule, names: []string{"ruleName"}, roles: []string{"topicRulePayload.actions.*.roleArn"}},
	{api: "iot:ReplaceTopicRule", on: topicRule, names: []string{"ruleName"}, roles: []string{"topicRulePayload.actions.*.roleArn"}},
	{api: "appsync:CreateDataSource", on: resolver, names: []string{"apiId"}, roles: []string{"serviceRoleArn", "response.dataSource.serviceRoleArn"}},
	{api: "appsync:UpdateDataSource", on: resolver, names: []string{"apiId"}, roles: []string{"serviceRoleArn", "response.dataSource.serviceRoleArn"}},
	{api: "datapipeline:PutPipelineDefinition", on: datapipeline, names: []string{"pipelineId"}, roles: []string{"pipelineObjects.fields.key=role.stringValue"}},
	{api: "datapipeline:PutPipelineDefinition", on: instance, names: []string{"pipelineId"}, profiles: []string{"pipelineObjects.fields.key=resourceRole.stringValue"}},
	{api: "emr-serverless:StartJobRun", on: emrServerless, names: []string{"applicationId"}, roles: []string{"executionRoleArn"}},
	{api: "kinesisanalytics:CreateApplication", on: flink, names: []string{"applicationName"}, roles: []string{"serviceExecutionRole"}},
	{api: "kinesisanalytics:UpdateApplication", on: flink, names: []string{"applicationName"}, roles: []string{"serviceExecutionRoleUpdate"}},
	{api: "firehose:CreateDeliveryStream", on: delivery, names: []string{"deliveryStreamName"}, roles: []string{"*.roleARN"}},
	{api: "airflow:CreateEnvironment", on: airflow, names: []string{"name"}, roles: []string{"executionRoleArn"}},
	{api: "airflow:UpdateEnvironment", on: airflow, names: []string{"name"}, roles: []string{"executionRoleArn"},
		needs: []string{"executionRoleArn", "sourceBucketArn", "dagS3Path", "requirementsS3Path", "startupScriptS3Path", "pluginsS3Path"}},

	// Amazon Bedrock.
	{api: "bedrock:CreateAgent", on: agent, names: []string{"agentName", "response.agent.agentId"}, roles: []string{"agentResourceRoleArn"}},
	{api: "bedrock:UpdateAgent", on: agent, names: []string{"agentId", "agentName"}, roles: []string{"agentResourceRoleArn"}},
	{api: "bedrock-agentcore:CreateCodeInterpreter", on: agentcore, names: []string{"response.codeInterpreterId", "name"}, roles: []string{"executionRoleArn"}},
	{api: "bedrock-agentcore:StartCodeInterpreterSession", on: agentcore, of: []string{"codeInterpreterIdentifier"}, runs: []string{"response.sessionId"}},
	{api: "bedrock-agentcore:InvokeCodeInterpreter", on: agentcore, of: []string{"codeInterpreterIdentifier"}, runs: []string{"sessionId", "response.sessionId"}},
	{api: "bedrock-agentcore:CreateAgentRuntime", on: agentcore, names: []string{"response.agentRuntimeId", "agentRuntimeName"}, roles: []string{"roleArn"}},
	{api: "bedrock-agentcore:UpdateAgentRuntime", on: agentcore, names: []string{"agentRuntimeId"}, roles: []string{"roleArn"}},
})

var launchedFrom = []string{"launchTemplate.launchTemplateId", "launchTemplate.launchTemplateName", "launchConfigurationName",
	"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateId", "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateName"}

var buildOverrides = []string{"buildspecOverride", "sourceTypeOverride", "sourceLocationOverride", "sourceVersion", "imageOverride",
	"environmentVariablesOverride", "environmentTypeOverride", "serviceRoleOverride", "secondarySourcesOverride"}
