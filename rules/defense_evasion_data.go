package rules

// safeguards are about logs, encryption and checks of single services.
func safeguards() []Rule {
	return []Rule{
		{
			ID:         "TS-DE-021",
			Title:      "Control-plane log of a Kubernetes cluster switched off",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `event_source = 'eks.amazonaws.com' AND event_name = 'UpdateClusterConfig'
            AND regexp_like(request_parameters, '"clusterLogging"\s*:\s*\[[^{}]*(?:\{[^{}]*\}[^{}]*)*\{[^{}]*"enabled"\s*:\s*"?false')`,
			Resource:       cluster,
			Explain:        `What is done through the Kubernetes API is no longer recorded: CloudTrail does not see it either. Switch the log on again.`,
			FalsePositives: `Cutting the costs of test clusters.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
		},
		{
			ID:         "TS-DE-021b",
			Title:      "Cluster created or deleted",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1496"},
			Where: `event_source IN ('eks.amazonaws.com', 'ecs.amazonaws.com')
            AND event_name IN ('CreateCluster', 'DeleteCluster')`,
			Resource:       cluster,
			Explain:        `A new cluster computes for whoever made it; a deleted one took its workloads along.`,
			FalsePositives: `Environments that come and go.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
		},
		{
			ID:             "TS-DE-022",
			Title:          "Activity stream of a database stopped or opened to change",
			Severity:       High,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.008"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('StopActivityStream', 'ModifyActivityStream')`,
			Resource:       `json_extract_scalar(request_parameters, '$.resourceArn')`,
			Explain:        `What is asked of the database is no longer recorded, or what is recorded may be changed. Start the stream again.`,
			FalsePositives: `An audit policy that is changed on purpose.`,
			Reference:      rdsAPI + "StopActivityStream.html",
		},
		{
			ID:             "TS-DE-022b",
			Title:          "Log of a database downloaded",
			Severity:       Low,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.001"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('DownloadDBLogFilePortion', 'DownloadCompleteDBLogFile')`,
			Resource:       `json_extract_scalar(request_parameters, '$.dBInstanceIdentifier')`,
			Explain:        `Logs of databases hold statements, and statements hold passwords and data.`,
			FalsePositives: `Database administrators and log collectors.`,
			Reference:      rdsAPI + "DownloadDBLogFilePortion.html",
		},
		{
			ID:         "TS-DE-023",
			Title:      "Bedrock guardrail, safety policy or invocation log deleted",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'bedrock.amazonaws.com'
            AND event_name IN ('DeleteGuardrail', 'DeleteModelInvocationLoggingConfiguration', 'DeleteAutomatedReasoningPolicy')`,
			Resource:       guardrail,
			Explain:        `Models answer without the guard, or nobody sees what they are asked. Both come before the abuse of models.`,
			FalsePositives: `Guardrails of experiments that are cleared away.`,
			Reference:      bedrockAPI + "DeleteModelInvocationLoggingConfiguration.html",
		},
		{
			ID:         "TS-DE-023b",
			Title:      "Bedrock guardrail, safety policy or invocation log changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'bedrock.amazonaws.com'
            AND event_name IN ('UpdateGuardrail', 'PutModelInvocationLoggingConfiguration', 'UpdateAutomatedReasoningPolicy')`,
			Resource:       guardrail,
			Explain:        `A guard may have been weakened, or the log sent elsewhere. Compare it with the settings before.`,
			FalsePositives: `Guardrails that are tuned.`,
			Reference:      bedrockAPI + "UpdateGuardrail.html",
		},
		{
			ID:             "TS-DE-032",
			Title:          "Default encryption of volumes switched off",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1600"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name = 'DisableEbsEncryptionByDefault'`,
			Resource:       `aws_region`,
			Explain:        `New volumes and their snapshots are plain, so they can be shared with anybody. Switch it on again in this region.`,
			FalsePositives: `Software that cannot handle encrypted volumes.`,
			Reference:      ec2API + "DisableEbsEncryptionByDefault.html",
		},
		{
			ID:         "TS-DE-032b",
			Title:      "Snapshot or queue without encryption created",
			Severity:   Info,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1600"},
			Where: `(event_source = 'ec2.amazonaws.com' AND event_name = 'CreateSnapshot'
                    AND lower(json_extract_scalar(response_elements, '$.encrypted')) = 'false'
                OR event_source = 'sqs.amazonaws.com' AND event_name = 'CreateQueue'
                    AND regexp_like(request_parameters, '"SqsManagedSseEnabled"\s*:\s*"?false'))`,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.snapshotId'), json_extract_scalar(request_parameters, '$.queueName'))`,
			Explain:        `Without a key of its own it can be read by anybody it is shared with.`,
			FalsePositives: `Volumes that were never encrypted are backed up every day.`,
			Reference:      "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
		},
		{
			ID:         "TS-DE-038",
			Title:      "Old TLS version allowed at a load balancer or CloudFront",
			Severity:   Low,
			Tactic:     "collection",
			Techniques: []string{"T1557"},
			Where: `(event_source = 'elasticloadbalancing.amazonaws.com' AND event_name IN ('CreateListener', 'ModifyListener')
                    AND regexp_like(json_extract_scalar(request_parameters, '$.sslPolicy'),
                        '^ELBSecurityPolicy-(?:20(?:11|14|15|16)-|TLS-1-[01]-|FS-2018|FS-1-1-|TLS13-1-[01]-)')
                OR event_source = 'cloudfront.amazonaws.com' AND regexp_like(event_name, '^(?:Create|Update)Distribution')
                    AND regexp_like(request_parameters, '(?i)"minimumProtocolVersion"\s*:\s*"(?:SSLv3|TLSv1|TLSv1_2016|TLSv1\.1_2016)"|"SSLv3"'))`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.listenerArn'), json_extract_scalar(request_parameters, '$.loadBalancerArn'),
                json_extract_scalar(request_parameters, '$.id'), json_extract_scalar(response_elements, '$.distribution.id'))`,
			Explain:        `Connections to it can be broken by somebody who sits in between.`,
			FalsePositives: `Old clients that know no newer TLS; some of these policies were AWS's default.`,
			Reference:      "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
		},
		{
			ID:             "TS-DE-039",
			Title:          "Queue emptied",
			Severity:       Medium,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1562.008"},
			Where:          `event_source = 'sqs.amazonaws.com' AND event_name = 'PurgeQueue'`,
			Resource:       queue,
			Explain:        `Messages nobody had read are gone: alarms too, where the queue carries them.`,
			FalsePositives: `Developers who clear a queue of test messages.`,
			Reference:      "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html",
		},
		{
			ID:         "TS-DE-039b",
			Title:      "Queue or topic deleted, or a dead-letter queue taken away",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.008"},
			Where: `(event_source = 'sqs.amazonaws.com' AND (event_name = 'DeleteQueue'
                    OR event_name = 'SetQueueAttributes' AND regexp_like(request_parameters, '"RedrivePolicy"\s*:\s*"(?:\{\})?"'))
                OR event_source = 'sns.amazonaws.com' AND event_name = 'DeleteTopic')`,
			Resource:       queue,
			Explain:        `What was sent through it arrives nowhere. See whether alarms went that way.`,
			FalsePositives: `Stacks that are taken down.`,
			Reference:      "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
		},
		{
			ID:         "TS-DE-040",
			Title:      "Scanning of container images switched off",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.001"},
			Where: `event_source = 'ecr.amazonaws.com'
            AND (event_name = 'PutImageScanningConfiguration' AND regexp_like(request_parameters, '"scanOnPush"\s*:\s*"?false')
                OR event_name = 'PutRegistryScanningConfiguration' AND (regexp_like(request_parameters, '"rules"\s*:\s*\[\s*\]')
                    OR request_parameters NOT LIKE '%"rules"%'))`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.repositoryName'), account_id)`,
			Explain:        `Images with holes, or worse, are no longer noticed when they come in.`,
			FalsePositives: `Accounts that scan their images elsewhere.`,
			Reference:      ecrAPI + "PutImageScanningConfiguration.html",
		},
		{
			ID:             "TS-DE-040b",
			Title:          "Container image pushed by somebody who never did",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1525"},
			Where:          `event_source = 'ecr.amazonaws.com' AND event_name = 'PutImage' AND NOT ` + byService,
			Resource:       repository,
			Explain:        `What runs the image next runs what was pushed. Compare its digest with what the pipeline built.`,
			FalsePositives: `A new pipeline, or a developer's first image.`,
			Reference:      ecrAPI + "PutImage.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{`coalesce(session_issuer_principal_id, principal_id)`}, Learn: 7 * day},
		},
		{
			ID:         "TS-DE-040c",
			Title:      "Container repository opened to everybody",
			Severity:   High,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ecr.amazonaws.com' AND event_name IN ('SetRepositoryPolicy', 'PutRegistryPolicy')
            AND ` + letsAnybody(document("$.policyText")),
			Resource:       repository,
			Explain:        `Anybody can pull the images, and whatever was built into them: keys count as known. Set the policy back.`,
			FalsePositives: `Images that are meant for the public.`,
			Reference:      ecrAPI + "SetRepositoryPolicy.html",
		},
		{
			ID:         "TS-DE-040e",
			Title:      "Container repository opened to another account",
			Severity:   Medium,
			Tactic:     "exfiltration",
			Techniques: []string{"T1537"},
			Where: `event_source = 'ecr.amazonaws.com' AND event_name IN ('SetRepositoryPolicy', 'PutRegistryPolicy')
            AND ` + letsOutsiders(document("$.policyText")),
			Resource:       repository,
			Explain:        `The other account can pull the images, or push its own. Find out whose it is.`,
			FalsePositives: `Images that the company's other accounts run.`,
			Reference:      ecrAPI + "SetRepositoryPolicy.html",
		},
		{
			ID:         "TS-DE-040d",
			Title:      "Container images or repository deleted, or its policy set",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'ecr.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('DeleteRepository', 'BatchDeleteImage', 'SetRepositoryPolicy', 'DeleteRepositoryPolicy', 'PutRegistryPolicy')`,
			Resource:       repository,
			Explain:        `What runs from these images cannot be started anew, or others may read them now.`,
			FalsePositives: `Pipelines that clear old images away.`,
			Reference:      ecrAPI + "BatchDeleteImage.html",
		},
	}
}

const (
	cluster = `coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.clusterName'),
                json_extract_scalar(request_parameters, '$.cluster'))`
	guardrail = `coalesce(json_extract_scalar(request_parameters, '$.guardrailIdentifier'), json_extract_scalar(request_parameters, '$.policyArn'), account_id)`
	queue     = `coalesce(json_extract_scalar(request_parameters, '$.queueUrl'), json_extract_scalar(request_parameters, '$.topicArn'))`
	// repository is that of a call to ECR.
	repository = `coalesce(json_extract_scalar(request_parameters, '$.repositoryName'), account_id)`
)
