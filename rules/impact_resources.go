package rules

import "time"

// resources is about machines, functions and models, and what costs money.
func resources() []Rule {
	return []Rule{
		{
			ID:             "TS-IM-015",
			Title:          "Far more machines or volumes terminated, stopped or deleted than usual",
			Severity:       High,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          machinesEnded,
			Resource:       machines,
			Explain:        `Somebody takes the account's machines away. Volumes that were not deleted along with them can still be mounted.`,
			FalsePositives: `An environment that is taken down by hand.`,
			Reference:      ec2API + "TerminateInstances.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 10},
		},
		{
			ID:         "TS-IM-015b",
			Title:      "Many machines terminated in one call",
			Severity:   High,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'TerminateInstances' AND ` + byCaller + `
            AND regexp_like(request_parameters, '(?s)(?:"instanceId"\s*:.*){10}')
            AND NOT ` + asCode + ` AND NOT ` + computeRole,
			Resource:       machines,
			Explain:        `Ten machines or more at once. Volumes that were not deleted along with them can still be mounted.`,
			FalsePositives: `An environment that is taken down by hand.`,
			Reference:      ec2API + "TerminateInstances.html",
		},
		{
			// Low: machines are stopped at night and taken down after use.
			ID:             "TS-IM-015c",
			Title:          "Machine or volume terminated, stopped or deleted",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1485"},
			Where:          machinesEnded,
			Resource:       machines,
			Explain:        `What ran there runs no more, and a terminated machine's memory is no evidence any longer.`,
			FalsePositives: `Everyday work on machines.`,
			Reference:      ec2API + "StopInstances.html",
		},
		{
			// Low: functions come and go with stacks.
			ID:         "TS-IM-016",
			Title:      "Function deleted",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'lambda.amazonaws.com' AND event_name IN ('DeleteFunction', 'DeleteFunction20150331')
            AND NOT ` + byStack,
			Resource:       `json_extract_scalar(request_parameters, '$.functionName')`,
			Explain:        `An application lost a part, or an intruder tidied up. See who had made the function.`,
			FalsePositives: `Deployments and clean-ups.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html",
		},
		{
			ID:         "TS-IM-016b",
			Title:      "Far more functions deleted than usual",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'lambda.amazonaws.com' AND event_name IN ('DeleteFunction', 'DeleteFunction20150331')
            AND NOT ` + byStack + ` AND NOT ` + asCode,
			Resource:       `json_extract_scalar(request_parameters, '$.functionName')`,
			Explain:        `Somebody takes applications down. Their code is lost unless it lies elsewhere.`,
			FalsePositives: `An environment that is taken down by hand.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 5},
		},
		{
			ID:         "TS-IM-017",
			Title:      "Throughput of models bought, changed or given up",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496"},
			Where: `event_source = 'bedrock.amazonaws.com'
            AND event_name IN ('CreateProvisionedModelThroughput', 'UpdateProvisionedModelThroughput', 'DeleteProvisionedModelThroughput')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.provisionedModelName'), json_extract_scalar(request_parameters, '$.provisionedModelId'),
                json_extract_scalar(request_parameters, '$.modelId'))`,
			Explain:        `It costs thousands of dollars a day, for months when so agreed. Delete what nobody here ordered.`,
			FalsePositives: `Teams that run models in production.`,
			Reference:      bedrockAPI + "CreateProvisionedModelThroughput.html",
		},
		{
			ID:         "TS-IM-017b",
			Title:      "Custom model, agent or knowledge base deleted",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source IN ('bedrock.amazonaws.com', 'bedrock-agent.amazonaws.com') AND NOT ` + byStack + `
            AND event_name IN ('DeleteCustomModel', 'DeleteImportedModel', 'DeleteAgent', 'DeleteKnowledgeBase', 'DeleteDataSource', 'DeleteCustomModelDeployment')`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.modelIdentifier'), json_extract_scalar(request_parameters, '$.agentId'),
                json_extract_scalar(request_parameters, '$.knowledgeBaseId'), json_extract_scalar(request_parameters, '$.customModelDeploymentIdentifier'))`,
			Explain:        `What was trained or built is gone. See whether it can be built anew.`,
			FalsePositives: `Experiments that are cleared away.`,
			Reference:      bedrockAPI + "DeleteCustomModel.html",
		},
		{
			ID:         "TS-IM-018",
			Title:      "Money spent: reserved capacity, marketplace, domain or small servers",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496"},
			Where: `(event_source = 'ec2.amazonaws.com' AND event_name IN ('PurchaseReservedInstancesOffering', 'PurchaseHostReservation', 'PurchaseScheduledInstances',
                    'RequestSpotInstances', 'RequestSpotFleet', 'PurchaseCapacityBlock')
                OR event_source IN ('rds.amazonaws.com', 'redshift.amazonaws.com', 'elasticache.amazonaws.com', 'es.amazonaws.com')
                    AND regexp_like(event_name, '^PurchaseReserved')
                OR event_source = 'savingsplans.amazonaws.com' AND event_name = 'CreateSavingsPlan'
                OR event_source IN ('agreement-marketplace.amazonaws.com', 'aws-marketplace.amazonaws.com') AND event_name IN ('AcceptAgreementRequest', 'Subscribe')
                OR event_source = 'route53domains.amazonaws.com' AND event_name IN ('RegisterDomain', 'TransferDomain', 'RenewDomain')
                OR event_source = 'lightsail.amazonaws.com' AND event_name IN ('CreateInstances', 'CreateContainerService'))
            AND NOT ` + byService,
			Needs: ManagementWrite,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.domainName'), json_extract_scalar(request_parameters, '$.reservedInstancesOfferingId'),
                json_extract_scalar(request_parameters, '$.agreementRequestId'), event_name)`,
			Explain:        `The account pays for what somebody else uses or resells. Ask AWS support to take back what nobody here ordered.`,
			FalsePositives: `Purchases by those who may.`,
			Reference:      ec2API + "PurchaseReservedInstancesOffering.html",
		},
		{
			// Low: administrators ask for more whenever they hit a limit.
			ID:             "TS-IM-018b",
			Title:          "Raise of a quota asked for",
			Severity:       Low,
			Tactic:         "impact",
			Techniques:     []string{"T1496"},
			Where:          `event_source = 'servicequotas.amazonaws.com' AND event_name = 'RequestServiceQuotaIncrease'`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.serviceCode') || ' ' || json_extract_scalar(request_parameters, '$.quotaCode'), event_name)`,
			Explain:        `Room for more machines, models or mail. Look for them in this region.`,
			FalsePositives: `Administrators who hit a limit.`,
			Reference:      "https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_RequestServiceQuotaIncrease.html",
		},
		{
			ID:         "TS-IM-018c",
			Title:      "Far more mails or messages sent than usual",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496"},
			Where: `(event_source = 'ses.amazonaws.com' AND event_name IN ('SendEmail', 'SendRawEmail', 'SendBulkEmail', 'SendTemplatedEmail', 'SendBulkTemplatedEmail')
                OR event_source = 'sns.amazonaws.com' AND event_name IN ('Publish', 'PublishBatch'))
            AND ` + byCaller + ` AND NOT ` + byService,
			Needs:          OtherData,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.topicArn'), json_extract_scalar(request_parameters, '$.source'), event_name)`,
			Explain:        `Spam or bait goes out in the company's name and at its cost. Pause sending, and warn those who may have got it.`,
			FalsePositives: `A mailing to all customers.`,
			Reference:      "https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html",
			Spike:          &Spike{By: []string{"account_id", "coalesce(session_issuer_principal_id, principal_id)"}, Per: time.Hour, Count: 50},
		},
		{
			ID:         "TS-IM-019",
			Title:      "Machine image deregistered",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1485"},
			Where: `event_source = 'ec2.amazonaws.com' AND event_name = 'DeregisterImage' AND ` + byCaller + `
            AND NOT ` + byService + ` AND NOT ` + computeRole,
			Resource:       `json_extract_scalar(request_parameters, '$.imageId')`,
			Explain:        `No machine can be started from it any more: groups that scale fail when they next have to. See what the recycle bin keeps.`,
			FalsePositives: `Pipelines and people who clear old images away.`,
			Reference:      ec2API + "DeregisterImage.html",
		},
	}
}

const (
	machinesEnded = `event_source = 'ec2.amazonaws.com' AND event_name IN ('TerminateInstances', 'StopInstances', 'DeleteVolume') AND ` + byCaller + `
            AND NOT ` + byService
	machines = `coalesce(json_extract_scalar(request_parameters, '$.instancesSet.items[0].instanceId'), json_extract_scalar(request_parameters, '$.volumeId'))`
)
