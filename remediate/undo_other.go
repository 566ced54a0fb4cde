package remediate

import "strings"

// undoOther are the services that intruders use for money, mail and hiding.
var undoOther = []undo{
	{call: "bedrock:InvokeModel", object: []string{"rq.modelId"}, todo: "The model {rq.modelId} was used at your cost: see the bill, and ask AWS support."},
	{call: "bedrock:InvokeModelWithResponseStream", object: []string{"rq.modelId"}, todo: "The model {rq.modelId} was used at your cost: see the bill, and ask AWS support."},
	{call: "bedrock:Converse", object: []string{"rq.modelId"}, todo: "The model {rq.modelId} was used at your cost: see the bill, and ask AWS support."},
	{call: "bedrock:ConverseStream", object: []string{"rq.modelId"}, todo: "The model {rq.modelId} was used at your cost: see the bill, and ask AWS support."},
	{call: "bedrock:PutUseCaseForModelAccess", object: []string{"ev.account"}, todo: "A use case was filed with AWS to get access to models: tell AWS support that it is not yours."},
	{call: "bedrock:PutFoundationModelEntitlement", object: []string{"rq.modelId"}, todo: "Access to the model {rq.modelId} was switched on, which no call takes back: deny bedrock:InvokeModel where it is not needed."},
	remove("bedrock:CreateFoundationModelAgreement", "bedrock:DeleteFoundationModelAgreement", "model agreement", []string{"rq.modelId"}, args{"ModelId": "rq.modelId"}, "End the agreement on the model {rq.modelId}"),
	{
		call: "bedrock:PutModelInvocationLoggingConfiguration", object: []string{"ev.region"}, also: []string{"PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"}, watch: true,
		prior: []prior{{"PutModelInvocationLoggingConfiguration", nil, "rq.loggingConfig"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "bedrock:PutModelInvocationLoggingConfiguration", in: args{"LoggingConfig": "sdk(prior)"}, back: []reverse{{"bedrock:PutModelInvocationLoggingConfiguration", args{"LoggingConfig": "sdk(rq.loggingConfig)"}}},
			title: "Log the calls of models again, as before", risk: "None but the cost of the log. Its bucket, log group and role must still be there."}},
		todo: "The log of model calls was changed and the log does not show how it was: put it back. The intruder's: {rq.loggingConfig}",
	},
	{
		call: "bedrock:DeleteModelInvocationLoggingConfiguration", object: []string{"ev.region"}, also: []string{"PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"}, watch: true,
		prior: []prior{{"PutModelInvocationLoggingConfiguration", nil, "rq.loggingConfig"}},
		steps: []step{{phase: Preserve, mode: Auto, call: "bedrock:PutModelInvocationLoggingConfiguration", in: args{"LoggingConfig": "sdk(prior)"}, back: []reverse{{"bedrock:DeleteModelInvocationLoggingConfiguration", args{}}},
			title: "Log the calls of models again, as before", risk: "None but the cost of the log. Its bucket, log group and role must still be there."}},
		todo: "The log of model calls was switched off and its settings are not in the log: set it up again.",
	},
	{call: "bedrock:DeleteGuardrail", object: []string{"rq.guardrailIdentifier"}, todo: "The guardrail {rq.guardrailIdentifier} was deleted: make it again."},
	remove("bedrock:CreateProvisionedModelThroughput", "bedrock:DeleteProvisionedModelThroughput", "model throughput", []string{"rs.provisionedModelArn"}, args{"ProvisionedModelId": "rs.provisionedModelArn"},
		"Delete the provisioned throughput {rs.provisionedModelArn}; a commitment cannot be ended"),
	{
		call: "bedrock:CreateModelInvocationJob", object: []string{"rs.jobArn"}, also: []string{"StopModelInvocationJob"},
		steps: []step{{phase: Evict, mode: Review, call: "bedrock:StopModelInvocationJob", in: args{"JobIdentifier": "rs.jobArn"}, title: "Stop the batch job {rs.jobArn}", risk: "Final."}},
	},
	{call: "ses:UpdateAccountSendingEnabled", object: []string{"ev.region"},
		steps: []step{{phase: Recover, mode: Review, call: "ses:UpdateAccountSendingEnabled", in: args{"Enabled": false}, when: [2]string{"rq.enabled", "true"},
			back:  []reverse{{"ses:UpdateAccountSendingEnabled", args{"Enabled": true}}},
			title: "Stop sending mail from the region", risk: "Stops all mail of the region: only if it was off before."}},
		todo: "Sending of mail was switched off: switch it on again when the intruder's identities are gone."},
	{call: "ses:PutAccountDetails", object: []string{"ev.region"}, todo: "AWS was asked to lift the limits on mail ({rq.websiteURL}): tell AWS support that it is not yours."},
	remove("ses:CreateEmailIdentity", "sesv2:DeleteEmailIdentity", "mail identity", []string{"rq.emailIdentity"}, args{"EmailIdentity": "rq.emailIdentity"}, "Delete the mail identity {rq.emailIdentity}"),
	sameAgain(remove("ses:VerifyEmailIdentity", "ses:DeleteIdentity", "mail identity", []string{"rq.emailAddress"}, args{"Identity": "rq.emailAddress"}, "Delete the mail identity {rq.emailAddress}")),
	sameAgain(remove("ses:VerifyDomainIdentity", "ses:DeleteIdentity", "mail identity", []string{"rq.domain"}, args{"Identity": "rq.domain"}, "Delete the mail identity {rq.domain}")),
	{call: "ses:SendEmail", object: []string{"ev.region"}, todo: "Mail was sent in your name: see to whom, and whom to tell. SMTP passwords end with the access key that they were made from."},
	remove("ses:CreateReceiptRule", "ses:DeleteReceiptRule", "receipt rule", []string{"rq.ruleSetName", "rq.rule.name"}, args{"RuleSetName": "rq.ruleSetName", "RuleName": "rq.rule.name"}, "Delete the rule {rq.rule.name} for received mail"),
	{
		call: "sns:Publish", object: []string{"rq.topicArn|rq.phoneNumber|ev.region"},
		steps: []step{{phase: Recover, mode: Review, call: "sns:SetSMSAttributes", when: [2]string{"rq.phoneNumber", anyValue}, in: args{"Attributes": args{"MonthlySpendLimit": "'1'"}},
			title: "Lower the monthly limit for text messages to one dollar", risk: "Text messages of your own stop when it is reached: look up the old limit first (sns GetSMSAttributes), and set it again afterwards. See from the events to whom the intruder wrote."}},
		todo: "Messages were sent through SNS to {rq.topicArn}: see what they said, and whom to tell.",
	},
	{
		call: "sns:AddPermission", object: []string{"rq.topicArn", "rq.label"}, also: []string{"RemovePermission"}, within: map[string]int{"DeleteTopic": 0},
		steps: []step{{phase: Evict, mode: Review, call: "sns:RemovePermission", in: args{"TopicArn": "rq.topicArn", "Label": "rq.label"},
			back:  []reverse{{"sns:AddPermission", args{"TopicArn": "rq.topicArn", "Label": "rq.label", "AWSAccountId": "rq.aWSAccountId", "ActionName": "rq.actionName"}}},
			title: "Take the permission {rq.label} off the topic {rq.topicArn}", risk: "What uses it no longer can."}},
	},
	{
		call: "sns:RemovePermission", object: []string{"rq.topicArn", "rq.label"}, also: []string{"AddPermission"}, within: map[string]int{"DeleteTopic": 0},
		prior: []prior{{"AddPermission", []string{"rq.topicArn", "rq.label"}, "rq"}},
		steps: []step{{phase: Recover, mode: Auto, call: "sns:AddPermission", in: args{"TopicArn": "rq.topicArn", "Label": "rq.label", "AWSAccountId": "prior.aWSAccountId", "ActionName": "prior.actionName"},
			back:  []reverse{{"sns:RemovePermission", args{"TopicArn": "rq.topicArn", "Label": "rq.label"}}},
			title: "Give {prior.aWSAccountId} the permission {rq.label} on the topic {rq.topicArn} again", risk: "They can use the topic, as before."}},
		todo: "The permission {rq.label} was taken off the topic {rq.topicArn} and is not in the log: give it again.",
	},
	{
		call: "sns:SetTopicAttributes", object: []string{"rq.topicArn", "rq.attributeName"}, within: map[string]int{"DeleteTopic": 0},
		prior: []prior{{"SetTopicAttributes", []string{"rq.topicArn", "rq.attributeName"}, "json(rq.attributeValue)"}},
		steps: []step{{phase: Recover, mode: Auto, call: "sns:SetTopicAttributes", in: args{"TopicArn": "rq.topicArn", "AttributeName": "rq.attributeName", "AttributeValue": "prior"},
			back:  []reverse{{"sns:SetTopicAttributes", args{"TopicArn": "rq.topicArn", "AttributeName": "rq.attributeName", "AttributeValue": "json(rq.attributeValue)"}}},
			title: "Put {rq.attributeName} of the topic {rq.topicArn} back to what it was before the intruder", risk: "Whoever could use the topic only since the change no longer can."}},
		todo: "{rq.attributeName} of the topic {rq.topicArn} was changed and the log does not show what it was: put it back.",
	},
	remove("sns:Subscribe", "sns:Unsubscribe", "subscription", []string{"rs.subscriptionArn"}, args{"SubscriptionArn": "rs.subscriptionArn"}, "Stop sending {rq.topicArn} to {rq.endpoint}"),
	{
		call: "sqs:AddPermission", object: []string{"rq.queueUrl", "rq.label"}, also: []string{"RemovePermission"}, within: map[string]int{"DeleteQueue": 0},
		steps: []step{{phase: Evict, mode: Review, call: "sqs:RemovePermission", in: args{"QueueUrl": "rq.queueUrl", "Label": "rq.label"}, title: "Take the permission {rq.label} off the queue {rq.queueUrl}", risk: "What uses it no longer can."}},
	},
	{
		call: "sqs:SetQueueAttributes", object: []string{"rq.queueUrl"}, also: []string{"DeleteQueue"}, overlay: true,
		prior: []prior{{"CreateQueue", []string{"rs.queueUrl"}, "rq.attributes|rq.attribute"}, {"SetQueueAttributes", []string{"rq.queueUrl"}, "rq.attributes"}},
		steps: []step{{phase: Recover, mode: Auto, call: "sqs:SetQueueAttributes", in: args{"QueueUrl": "rq.queueUrl", "Attributes": "strings(prior)"},
			back:  []reverse{{"sqs:SetQueueAttributes", args{"QueueUrl": "rq.queueUrl", "Attributes": "strings(rq.attributes)"}}},
			title: "Set the attributes of the queue {rq.queueUrl} back to {prior}", risk: "Whoever could use the queue only since the change no longer can."}},
		todo: "Attributes of the queue {rq.queueUrl} were changed and the log does not show what they were: put them back. The intruder's: {rq.attributes}",
	},
	{call: "sqs:PurgeQueue", object: []string{"rq.queueUrl"}, todo: "The queue {rq.queueUrl} was emptied; its messages are lost: send them again from where they came."},
	{
		call: "eks:CreateAccessEntry", object: []string{"rq.name", "rq.principalArn"}, creates: "access entry", also: []string{"DeleteAccessEntry"}, within: map[string]int{"DeleteCluster": 0},
		steps: []step{{phase: Evict, mode: Review, call: "eks:DeleteAccessEntry", in: args{"ClusterName": "rq.name", "PrincipalArn": "rq.principalArn"},
			title: "Take from {rq.principalArn} the access to the cluster {rq.name}", risk: "Its access policies go with it."}},
	},
	{
		call: "eks:AssociateAccessPolicy", idempotent: true, object: []string{"rq.name", "rq.principalArn", "rq.policyArn"}, also: []string{"DisassociateAccessPolicy", "DeleteAccessEntry"},
		steps: []step{{phase: Evict, mode: Auto, call: "eks:DisassociateAccessPolicy", in: args{"ClusterName": "rq.name", "PrincipalArn": "rq.principalArn", "PolicyArn": "rq.policyArn"},
			back:  []reverse{{"eks:AssociateAccessPolicy", args{"ClusterName": "rq.name", "PrincipalArn": "rq.principalArn", "PolicyArn": "rq.policyArn", "AccessScope": "sdk(rq.accessScope)"}}},
			title: "Take {rq.policyArn} in the cluster {rq.name} from {rq.principalArn}", risk: "If it had it before, it loses it."}},
	},
	{
		call: "eks:UpdateClusterConfig", object: []string{"rq.name", "kind(rq)"}, also: []string{"DeleteCluster"}, overlay: true,
		prior: []prior{{"CreateCluster", []string{"rq.name"}, "rq.resourcesVpcConfig"}, {"UpdateClusterConfig", []string{"rq.name"}, "rq.resourcesVpcConfig"}},
		steps: []step{{phase: Recover, mode: Review, call: "eks:UpdateClusterConfig", in: args{"Name": "rq.name", "ResourcesVpcConfig": endpointFields("prior")},
			back:  []reverse{{"eks:UpdateClusterConfig", args{"Name": "rq.name", "ResourcesVpcConfig": endpointFields("rq.resourcesVpcConfig")}}},
			title: "Set the endpoints of the cluster {rq.name} back to {prior}", risk: "Whoever reached the cluster's API only since the change no longer does. Takes minutes, in which no other change is taken."}},
		todo: "The configuration of the cluster {rq.name} was changed ({kind(rq)}) and the log does not show how it was: put its endpoints and logs back. The intruder's: {rq.resourcesVpcConfig|rq.logging}",
	},
	remove("eks:CreatePodIdentityAssociation", "eks:DeletePodIdentityAssociation", "pod identity", []string{"rs.association.associationId"},
		args{"ClusterName": "rq.clusterName|rq.name", "AssociationId": "rs.association.associationId"}, "Take the role {rq.roleArn} from pods of the cluster {rq.clusterName|rq.name}"),
	remove("apprunner:CreateService", "apprunner:DeleteService", "service", []string{"rs.service.serviceArn"}, args{"ServiceArn": "rs.service.serviceArn"}, "Delete the App Runner service {rs.service.serviceArn}"),
	replacedWhole(policy{call: "ecr:SetRepositoryPolicy", service: "ecr", object: []string{"rq.repositoryName"}, in: args{"RepositoryName": "rq.repositoryName"},
		param: "PolicyText", value: "json(rq.policyText)", remove: "DeleteRepositoryPolicy", what: "policy of the repository {rq.repositoryName}", parts: []string{"DeleteRepository"}}),
	{
		call: "ecr:PutImage", object: []string{"rq.repositoryName", "rs.image.imageId.imageDigest"}, creates: "image", also: []string{"BatchDeleteImage", "DeleteRepository"},
		steps: []step{{phase: Evict, mode: Review, call: "ecr:BatchDeleteImage", in: args{"RepositoryName": "rq.repositoryName", "ImageIds": []args{{"ImageDigest": "rs.image.imageId.imageDigest"}}},
			title: "Delete the image {rs.image.imageId.imageDigest} that was pushed to {rq.repositoryName} as {rq.imageTag}",
			risk:  "Final: pull it first, it is evidence. Point the tag back at the image that it named before; what was started from it goes on."}},
		todo: "An image was pushed to {rq.repositoryName} as {rq.imageTag}: point the tag back, then delete the image.",
	},
	replacedWhole(policy{call: "ecr:PutRegistryPolicy", service: "ecr", object: []string{"ev.account", "ev.region"}, in: args{},
		param: "PolicyText", value: "json(rq.policyText)", remove: "DeleteRegistryPolicy", what: "policy of the registry"}),
	{
		call: "ecr:PutReplicationConfiguration", object: []string{"ev.account", "ev.region"},
		prior: []prior{{"PutReplicationConfiguration", nil, "rq.replicationConfiguration"}},
		steps: []step{{phase: Recover, mode: Auto, call: "ecr:PutReplicationConfiguration", in: args{"ReplicationConfiguration": "sdk(prior)"},
			back:  []reverse{{"ecr:PutReplicationConfiguration", args{"ReplicationConfiguration": "sdk(rq.replicationConfiguration)"}}},
			title: "Copy the images of the registry where they went before the intruder", risk: "Images that were copied elsewhere stay there, and must count as taken."}},
		blind: []step{{phase: Recover, mode: Review, call: "ecr:PutReplicationConfiguration", in: args{"ReplicationConfiguration": args{"Rules": []args{}}},
			back:  []reverse{{"ecr:PutReplicationConfiguration", args{"ReplicationConfiguration": "sdk(rq.replicationConfiguration)"}}},
			title: "Stop copying the images of the registry", risk: "The log shows no copying before: if there was, put its rules back instead. Images that were copied stay where they are, and must count as taken."}},
	},
	sameAgain(remove("sns:CreateTopic", "sns:DeleteTopic", "topic", []string{"rs.topicArn"}, args{"TopicArn": "rs.topicArn"}, "Delete the topic {rs.topicArn}")),
	sameAgain(remove("sqs:CreateQueue", "sqs:DeleteQueue", "queue", []string{"rs.queueUrl"}, args{"QueueUrl": "rs.queueUrl"}, "Delete the queue {rs.queueUrl} and what is in it")),
	remove("ecr:CreateRepository", "ecr:DeleteRepository", "repository", []string{"rs.repository.repositoryName|rq.repositoryName"}, args{"RepositoryName": "rs.repository.repositoryName|rq.repositoryName", "Force": true},
		"Delete the repository {rs.repository.repositoryName|rq.repositoryName} with its images; pull those that are evidence first"),
	remove("sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:DeleteNotebookInstanceLifecycleConfig", "notebook script", []string{"rq.notebookInstanceLifecycleConfigName"},
		args{"NotebookInstanceLifecycleConfigName": "rq.notebookInstanceLifecycleConfigName"}, "Delete the script {rq.notebookInstanceLifecycleConfigName} that notebooks run at their start"),
	remove("datapipeline:CreatePipeline", "datapipeline:DeletePipeline", "pipeline", []string{"rs.pipelineId"}, args{"PipelineId": "rs.pipelineId"}, "Delete the pipeline {rs.pipelineId}"),
	remove("glue:CreateDevEndpoint", "glue:DeleteDevEndpoint", "endpoint", []string{"rq.endpointName"}, args{"EndpointName": "rq.endpointName"}, "Delete the Glue endpoint {rq.endpointName}"),
	{call: "glue:UpdateDevEndpoint", object: []string{"rq.endpointName"}, also: []string{"DeleteDevEndpoint"},
		steps: []step{{phase: Evict, mode: Auto, call: "glue:UpdateDevEndpoint", in: args{"EndpointName": "rq.endpointName", "DeletePublicKeys": "all(rq.addPublicKeys)"},
			back:  []reverse{{"glue:UpdateDevEndpoint", args{"EndpointName": "rq.endpointName", "AddPublicKeys": "all(rq.addPublicKeys)"}}},
			title: "Take the SSH keys that were added off the Glue endpoint {rq.endpointName}", risk: "Who uses them loses access."}},
		todo: "The Glue endpoint {rq.endpointName} was changed: put it back."},
	remove("glue:CreateJob", "glue:DeleteJob", "job", []string{"rq.name"}, args{"JobName": "rq.name"}, "Delete the Glue job {rq.name}; stop its runs first"),
	{
		call: "glue:UpdateJob", object: []string{"rq.jobName"}, also: []string{"DeleteJob"},
		prior: []prior{{"CreateJob", []string{"rq.name"}, "rq"}, {"UpdateJob", []string{"rq.jobName"}, "rq.jobUpdate"}},
		steps: []step{{phase: Recover, mode: Review, call: "glue:UpdateJob", in: args{"JobName": "rq.jobName", "JobUpdate": jobFields("prior")},
			back:  []reverse{{"glue:UpdateJob", args{"JobName": "rq.jobName", "JobUpdate": jobFields("rq.jobUpdate")}}},
			title: "Give the Glue job {rq.jobName} its script and role back", risk: "It runs as it did before. Look first that the script is still the one of then, and stop its runs."}},
		todo: "The Glue job {rq.jobName} was replaced and the log does not show how it was: put its script and role back.",
	},
	replacedWhole(policy{call: "glue:PutResourcePolicy", service: "glue", object: []string{"ev.account", "ev.region"}, in: args{},
		param: "PolicyInJson", value: "json(rq.policyInJson)", remove: "DeleteResourcePolicy", what: "resource policy of Glue"}),
	{
		call: "sagemaker:CreateNotebookInstance", object: []string{"rq.notebookInstanceName"}, creates: "notebook", also: []string{"DeleteNotebookInstance"}, chain: true,
		steps: []step{
			{phase: Evict, mode: Auto, call: "sagemaker:StopNotebookInstance", in: args{"NotebookInstanceName": "rq.notebookInstanceName"},
				back:  []reverse{{"sagemaker:StartNotebookInstance", args{"NotebookInstanceName": "rq.notebookInstanceName"}}},
				title: "Stop the notebook {rq.notebookInstanceName}", risk: "What is not saved in it is lost."},
			{phase: Evict, mode: Review, call: "sagemaker:DeleteNotebookInstance", in: args{"NotebookInstanceName": "rq.notebookInstanceName"}, title: "Delete the notebook {rq.notebookInstanceName}", risk: "Final."},
		},
	},
	{
		call: "sagemaker:CreatePresignedNotebookInstanceUrl", object: []string{"rq.notebookInstanceName"}, also: []string{"StopNotebookInstance", "DeleteNotebookInstance"},
		steps: []step{{phase: Evict, mode: Review, call: "sagemaker:StopNotebookInstance", in: args{"NotebookInstanceName": "rq.notebookInstanceName"},
			back:  []reverse{{"sagemaker:StartNotebookInstance", args{"NotebookInstanceName": "rq.notebookInstanceName"}}},
			title: "Stop the notebook {rq.notebookInstanceName}, which the intruder opened", risk: "Ends the work of its owner; treat the notebook and its role as entered."}},
	},
	{
		call: "sagemaker:UpdateNotebookInstanceLifecycleConfig", object: []string{"rq.notebookInstanceLifecycleConfigName"}, also: []string{"DeleteNotebookInstanceLifecycleConfig"},
		prior: []prior{{"CreateNotebookInstanceLifecycleConfig", []string{"rq.notebookInstanceLifecycleConfigName"}, "rq"}, {"UpdateNotebookInstanceLifecycleConfig", []string{"rq.notebookInstanceLifecycleConfigName"}, "rq"}},
		steps: []step{{phase: Recover, mode: Review, call: "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			in:    args{"NotebookInstanceLifecycleConfigName": "rq.notebookInstanceLifecycleConfigName", "OnStart": "sdk(prior.onStart)?", "OnCreate": "sdk(prior.onCreate)?"},
			back:  []reverse{{"sagemaker:UpdateNotebookInstanceLifecycleConfig", args{"NotebookInstanceLifecycleConfigName": "rq.notebookInstanceLifecycleConfigName", "OnStart": "sdk(rq.onStart)?", "OnCreate": "sdk(rq.onCreate)?"}}},
			title: "Put the script {rq.notebookInstanceLifecycleConfigName}, which notebooks run at their start, back", risk: "AWS refuses while a notebook that has it runs. Notebooks that were started since ran the intruder's: treat them as entered."}},
		todo: "The script {rq.notebookInstanceLifecycleConfigName}, which notebooks run at their start, was replaced and the old one is not in the log: put it back.",
	},
	remove("sagemaker:CreateTrainingJob", "sagemaker:StopTrainingJob", "training job", []string{"rq.trainingJobName"}, args{"TrainingJobName": "rq.trainingJobName"}, "Stop the training job {rq.trainingJobName}"),
	{
		call: "datapipeline:PutPipelineDefinition", object: []string{"rq.pipelineId"}, also: []string{"DeletePipeline"},
		steps: []step{
			{phase: Evict, mode: Review, call: "datapipeline:DeactivatePipeline", in: args{"PipelineId": "rq.pipelineId"}, back: []reverse{{"datapipeline:ActivatePipeline", args{"PipelineId": "rq.pipelineId"}}},
				title: "Stop the pipeline {rq.pipelineId}, whose definition the intruder wrote", risk: "What the pipeline does for its owner stops. If it was there before, put its old definition back and activate it."},
		},
	},
	remove("codebuild:CreateProject", "codebuild:DeleteProject", "project", []string{"rq.name"}, args{"Name": "rq.name"}, "Delete the build project {rq.name}"),
	remove("codebuild:StartBuild", "codebuild:StopBuild", "build", []string{"rs.build.id"}, args{"Id": "rs.build.id"}, "Stop the build {rs.build.id}, if it still runs"),
	remove("elasticmapreduce:RunJobFlow", "emr:TerminateJobFlows", "cluster", []string{"rs.jobFlowId"}, args{"JobFlowIds": "list(rs.jobFlowId)"}, "Terminate the EMR cluster {rs.jobFlowId}"),
	remove("apigateway:CreateApi", "apigatewayv2:DeleteApi", "API", []string{"rs.apiId"}, args{"ApiId": "rs.apiId"}, "Delete the API {rs.apiId}"),
	remove("apigateway:CreateRestApi", "apigateway:DeleteRestApi", "API", []string{"rs.id"}, args{"RestApiId": "rs.id"}, "Delete the API {rs.id}"),
	remove("apigateway:CreateApiKey", "apigateway:DeleteApiKey", "API key", []string{"rs.id"}, args{"ApiKey": "rs.id"}, "Delete the API key {rs.id}"),
	remove("appsync:CreateApiKey", "appsync:DeleteApiKey", "API key", []string{"rs.apiKey.id"}, args{"ApiId": "rq.apiId", "Id": "rs.apiKey.id"}, "Delete the API key {rs.apiKey.id} of {rq.apiId}"),
	{call: "cloudfront:UpdateDistribution", object: []string{"rq.id"}, todo: "The distribution {rq.id} was changed: put its origins and behaviours back."},
	{
		call: "transfer:CreateServer", object: []string{"rs.serverId"}, creates: "file server", also: []string{"DeleteServer"},
		steps: []step{
			{phase: Evict, mode: Auto, call: "transfer:StopServer", in: args{"ServerId": "rs.serverId"}, back: []reverse{{"transfer:StartServer", args{"ServerId": "rs.serverId"}}},
				title: "Stop the file server {rs.serverId}", risk: "None for the owner: the intruder made it."},
			{phase: Evict, mode: Review, call: "transfer:DeleteServer", in: args{"ServerId": "rs.serverId"}, title: "Delete the file server {rs.serverId}", risk: "Final. What was put through it into buckets stays there."},
		},
	},
	remove("transfer:CreateUser", "transfer:DeleteUser", "file user", []string{"rq.serverId", "rq.userName"}, args{"ServerId": "rq.serverId", "UserName": "rq.userName"}, "Delete the user {rq.userName} of the file server {rq.serverId}"),
	remove("datasync:CreateTask", "datasync:DeleteTask", "task", []string{"rs.taskArn"}, args{"TaskArn": "rs.taskArn"}, "Delete the copy task {rs.taskArn}"),
	remove("cloudformation:CreateStack", "cloudformation:DeleteStack", "stack", []string{"rs.stackId"}, args{"StackName": "rs.stackId"}, "Delete the stack {rq.stackName} and all that it made; keep its template first (GetTemplate)"),
	{call: "cloudformation:UpdateStack", object: []string{"rq.stackName"}, todo: "The stack {rq.stackName} was changed: deploy the known template again."},
	remove("cloudformation:CreateStackSet", "cloudformation:DeleteStackSet", "stack set", []string{"rq.stackSetName"}, args{"StackSetName": "rq.stackSetName"}, "Delete the stack set {rq.stackSetName}, once it has no stacks left in any account and region"),
	{
		call: "cloudformation:CreateStackInstances", object: []string{"rq.stackSetName", "text(rq.regions)"}, creates: "stack instances", also: []string{"DeleteStackInstances"},
		steps: []step{{phase: Evict, mode: Review, call: "cloudformation:DeleteStackInstances",
			in:    args{"StackSetName": "rq.stackSetName", "Regions": "rq.regions", "Accounts": "rq.accounts?", "DeploymentTargets": "sdk(rq.deploymentTargets)?", "RetainStacks": false},
			title: "Delete the stacks of the stack set {rq.stackSetName} in {rq.accounts|rq.deploymentTargets}, {rq.regions}", risk: "Final, with all that they made, in each of these accounts. Takes a while; the set can be deleted afterwards."}},
	},
	{
		call: "cognito-identity:UpdateIdentityPool", object: []string{"rq.identityPoolId"}, also: []string{"DeleteIdentityPool"},
		prior: []prior{{"CreateIdentityPool", []string{"rs.identityPoolId"}, "rq"}, {"UpdateIdentityPool", []string{"rq.identityPoolId"}, "rq"}},
		steps: []step{{phase: Recover, mode: Review, call: "cognitoidentity:UpdateIdentityPool", in: poolFields("prior"), back: []reverse{{"cognitoidentity:UpdateIdentityPool", poolFields("rq")}},
			title: "Put the identity pool {rq.identityPoolId} back, with guests: {prior.allowUnauthenticatedIdentities}", risk: "Whoever came in only since the change no longer can; sessions that they have live on until the pool's roles are revoked."}},
		todo: "The identity pool {rq.identityPoolId} was changed and the log does not show how it was: put it back, guests (allowUnauthenticatedIdentities) above all.",
	},
	{
		call: "cognito-identity:SetIdentityPoolRoles", object: []string{"rq.identityPoolId"}, also: []string{"DeleteIdentityPool"},
		prior: []prior{{"SetIdentityPoolRoles", []string{"rq.identityPoolId"}, "rq"}},
		steps: []step{{phase: Recover, mode: Auto, call: "cognitoidentity:SetIdentityPoolRoles", in: poolRoles("prior"), back: []reverse{{"cognitoidentity:SetIdentityPoolRoles", poolRoles("rq")}},
			title: "Give the identity pool {rq.identityPoolId} its roles {prior.roles} back", risk: "Users of the pool get the permissions that they had. Revoke the sessions of the roles that the intruder set."}},
		todo: "The roles of the identity pool {rq.identityPoolId} were changed and the log does not show which they were: put them back and revoke the sessions of the new ones.",
	},
	{call: "cognito-identity:GetCredentialsForIdentity", handled: true},
	{
		call: "cognito-idp:AdminCreateUser", object: []string{"rs.user.username"}, creates: "user of a pool", also: []string{"AdminDeleteUser"},
		steps: []step{{phase: Contain, mode: Auto, call: "cognitoidentityprovider:AdminDisableUser", in: args{"UserPoolId": "rq.userPoolId", "Username": "rs.user.username"},
			back:  []reverse{{"cognitoidentityprovider:AdminEnableUser", args{"UserPoolId": "rq.userPoolId", "Username": "rs.user.username"}}},
			title: "Disable the user {rs.user.username} of the pool {rq.userPoolId}", risk: "None for the owner: the intruder made it."}},
	},
	{call: "cognito-idp:UpdateUserPool", object: []string{"rq.userPoolId"}, todo: "The user pool {rq.userPoolId} was changed: put it back, with every field."},
	{call: "cloudshell:CreateEnvironment", handled: true},
	{call: "cloudshell:CreateSession", object: []string{"ev.region"}, todo: "The intruder used CloudShell: its home folder keeps files. Delete the environment in the console."},
	{
		call: "support:CreateCase", object: []string{"rs.caseId"}, also: []string{"ResolveCase"},
		steps: []step{{phase: Recover, mode: Review, call: "support:ResolveCase", in: args{"CaseId": "rs.caseId"}, title: "Close the support case {rs.caseId} ({rq.subject})", risk: "Answer it first, so that AWS does not grant what it asks."}},
	},
	{call: "servicequotas:RequestServiceQuotaIncrease", object: []string{"rq.serviceCode", "rq.quotaCode"}, todo: "A higher quota was asked for ({rq.serviceCode} {rq.quotaCode}, {rq.desiredValue}), which no call takes back: tell AWS support."},
	remove("savingsplans:CreateSavingsPlan", "savingsplans:ReturnSavingsPlan", "savings plan", []string{"rs.savingsPlanId"}, args{"SavingsPlanId": "rs.savingsPlanId"}, "Return the savings plan {rs.savingsPlanId}, within seven days of its purchase"),
	{call: "agreement-marketplace:AcceptAgreementRequest", object: []string{"rs.agreementId"}, todo: "Something was bought in the Marketplace ({rs.agreementId}): cancel the subscription."},
	{call: "codecommit:CreateBranch", object: []string{"rq.repositoryName"}, todo: "A branch was made in the repository {rq.repositoryName}: look at what was pushed."},
}

// endpointFields are how the API of a cluster is reached.
func endpointFields(from string) args {
	return args{"EndpointPublicAccess": from + ".endpointPublicAccess?", "EndpointPrivateAccess": from + ".endpointPrivateAccess?", "PublicAccessCidrs": from + ".publicAccessCidrs?"}
}

// jobFields are what a Glue job runs; those that are left out fall to defaults.
func jobFields(from string) args {
	in := args{"Command": "sdk(" + from + ".command)?", "Connections": "sdk(" + from + ".connections)?", "ExecutionProperty": "sdk(" + from + ".executionProperty)?"}
	for _, f := range []string{"role", "description", "defaultArguments", "nonOverridableArguments", "maxRetries", "timeout", "glueVersion", "workerType", "numberOfWorkers", "maxCapacity",
		"securityConfiguration", "logUri", "executionClass"} {
		in[strings.ToUpper(f[:1])+f[1:]] = from + "." + f + "?"
	}
	return in
}

// poolFields are all fields of an identity pool, which an update replaces whole.
func poolFields(from string) args {
	return args{"IdentityPoolId": "rq.identityPoolId", "IdentityPoolName": from + ".identityPoolName", "AllowUnauthenticatedIdentities": from + ".allowUnauthenticatedIdentities",
		"AllowClassicFlow": from + ".allowClassicFlow?", "SupportedLoginProviders": from + ".supportedLoginProviders?", "DeveloperProviderName": from + ".developerProviderName?",
		"OpenIdConnectProviderARNs": from + ".openIdConnectProviderARNs?", "SamlProviderARNs": from + ".samlProviderARNs?", "CognitoIdentityProviders": "sdk(" + from + ".cognitoIdentityProviders)?"}
}

func poolRoles(from string) args {
	return args{"IdentityPoolId": "rq.identityPoolId", "Roles": from + ".roles", "RoleMappings": "mapped(" + from + ".roleMappings)?"}
}
