package rules

// Parts of conditions about databases.
const (
	databaseChange   = `event_source = 'rds.amazonaws.com' AND event_name IN ('ModifyDBInstance', 'ModifyDBCluster')`
	databaseResource = `coalesce(json_extract_scalar(request_parameters, '$.dBInstanceIdentifier'), json_extract_scalar(request_parameters, '$.dBClusterIdentifier'),
                json_extract_scalar(request_parameters, '$.globalClusterIdentifier'), json_extract_scalar(response_elements, '$.dBInstanceArn'))`
)

// agentChange is a call that changes what Bedrock's agents and models do.
const agentChange = `event_source IN ('bedrock.amazonaws.com', 'bedrock-agent.amazonaws.com') AND NOT ` + byService + `
            AND event_name IN ('CreateAgent', 'UpdateAgent', 'PrepareAgent', 'CreateAgentActionGroup', 'UpdateAgentActionGroup', 'CreateAgentAlias', 'UpdateAgentAlias',
                'AssociateAgentKnowledgeBase', 'CreateKnowledgeBase', 'UpdateKnowledgeBase', 'CreateDataSource', 'UpdateDataSource', 'StartIngestionJob', 'IngestKnowledgeBaseDocuments',
                'CreatePrompt', 'UpdatePrompt', 'CreateFlow', 'UpdateFlow', 'CreateModelCustomizationJob')`

var agentResource = param("agentId", "agentName", "knowledgeBaseId", "name", "jobName")

// serviceFootholds are about what keeps a way in within a service: domains,
// databases, models and senders of mail.
func serviceFootholds() []Rule {
	return []Rule{
		{
			ID:         "TS-PE-025",
			Title:      "Domain handed over, unlocked or pointed elsewhere",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098", "T1584.001"},
			Where: `event_source = 'route53domains.amazonaws.com'
            AND event_name IN ('TransferDomainToAnotherAwsAccount', 'AcceptDomainTransferFromAnotherAwsAccount', 'DisableDomainTransferLock',
                'RetrieveDomainAuthCode', 'UpdateDomainNameservers', 'UpdateDomainContact', 'DeleteDomain')`,
			Resource:       param("domainName"),
			Explain:        `Whoever has the domain has its mail, its certificates and every sign-in that trusts it. Lock it again and tell the registrar.`,
			FalsePositives: `A domain that moves to another registrar or name server.`,
			Reference:      "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/domain-transfer-between-aws-accounts.html",
		},
		{
			ID:             "TS-PE-025b",
			Title:          "Domain registered",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1098", "T1583.001"},
			Where:          `event_source = 'route53domains.amazonaws.com' AND event_name IN ('RegisterDomain', 'TransferDomain')`,
			Resource:       param("domainName"),
			Explain:        `Bought on the account's bill, often for phishing under the account's good name. It stays when every key is gone: see who the contact is.`,
			FalsePositives: `Somebody who buys domains for the company.`,
			Reference:      "https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_RegisterDomain.html",
		},
		{
			// Low: deployments write records all day.
			ID:         "TS-PE-025c",
			Title:      "Hosted zone created, records changed or a network joined to a zone",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098", "T1584.001"},
			Where: `event_source = 'route53.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('CreateHostedZone', 'ChangeResourceRecordSets', 'AssociateVPCWithHostedZone', 'CreateVPCAssociationAuthorization')`,
			Resource:       param("hostedZoneId", "name"),
			Explain:        `Names can lead elsewhere now, mail and certificates with them. Look at the records.`,
			FalsePositives: `Deployments and certificates that renew themselves.`,
			Reference:      "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html",
		},
		{
			ID:         "TS-PE-027",
			Title:      "Master password of a database set",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where: databaseChange + ` AND NOT ` + byService + `
            AND (` + param("masterUserPassword") + ` IS NOT NULL
                OR ` + response("pendingModifiedValues.masterUserPassword") + ` IS NOT NULL)`,
			Resource:       databaseResource,
			Explain:        `The caller knows the password of the database's administrator now. Set another and look at the database's own log for sign-ins.`,
			FalsePositives: `Rotation by hand or by a pipeline.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html",
		},
		{
			ID:             "TS-PE-028",
			Title:          "Role given to a database",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          `event_source = 'rds.amazonaws.com' AND event_name IN ('AddRoleToDBInstance', 'AddRoleToDBCluster') AND NOT ` + byService,
			Resource:       `coalesce(` + databaseResource + `, ` + param("roleArn") + `)`,
			Explain:        `SQL in the database can use the role now: to copy tables to a bucket or to call a function. See what it may do.`,
			FalsePositives: `Databases that import from or export to S3.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddRoleToDBInstance.html",
		},
		{
			ID:             "TS-PE-028b",
			Title:          "Sign-in to a database by IAM switched off",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1098"},
			Where:          databaseChange + "\n            AND lower(" + param("enableIAMDatabaseAuthentication") + ") = 'false'",
			Resource:       databaseResource,
			Explain:        `Only passwords open the database now, which no policy and no CloudTrail see.`,
			FalsePositives: `Infrastructure as code that states the default with every change.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html",
		},
		{
			// Low: maintenance.
			ID:         "TS-PE-028c",
			Title:      "Database rebooted or failed over",
			Severity:   Low,
			Tactic:     "impact",
			Techniques: []string{"T1499"},
			Where: `event_source = 'rds.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('RebootDBInstance', 'RebootDBCluster', 'FailoverDBCluster', 'FailoverGlobalCluster', 'SwitchoverGlobalCluster')`,
			Resource:       databaseResource,
			Explain:        `A reboot puts pending settings into force, and interrupts the service.`,
			FalsePositives: `Maintenance and drills.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RebootInstance.html",
		},
		{
			ID:             "TS-PE-029",
			Title:          "Bedrock agents, knowledge or models changed by somebody who never did",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1525"},
			Where:          agentChange,
			Resource:       agentResource,
			Explain:        `What the agent says, which functions it may call and what it takes for true is decided here. Compare with the version before.`,
			FalsePositives: `A new developer of the agent.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			ID:         "TS-PE-029b",
			Title:      "Bedrock model imported or a resource's policy changed",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1525"},
			Where: `event_source IN ('bedrock.amazonaws.com', 'bedrock-agent.amazonaws.com')
            AND event_name IN ('CreateModelImportJob', 'CreateMarketplaceModelEndpoint', 'RegisterMarketplaceModelEndpoint', 'PutResourcePolicy', 'DeleteResourcePolicy')`,
			Resource:       param("resourceArn", "importedModelName", "modelSourceIdentifier", "endpointName"),
			Explain:        `A model of the caller's own, or another's access to one of yours. See where it comes from and who is in the policy.`,
			FalsePositives: `Teams that bring models of their own.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelImportJob.html",
		},
		{
			// Low: how an agent is developed.
			ID:             "TS-PE-029c",
			Title:          "Bedrock agents, knowledge or models changed",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1525"},
			Where:          agentChange,
			Resource:       agentResource,
			Explain:        `What the agent says, which functions it may call and what it takes for true is decided here.`,
			FalsePositives: `Developers of the agent.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html",
		},
		{
			ID:         "TS-PE-030",
			Title:      "Access to Bedrock models asked for or given",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496.004"},
			Where: `event_source = 'bedrock.amazonaws.com'
            AND event_name IN ('CreateFoundationModelAgreement', 'PutFoundationModelEntitlement', 'PutUseCaseForModelAccess')`,
			Resource:       param("modelId"),
			Explain:        `How thieves of model time begin: agreements are made once, use is billed for good. Look for InvokeModel in all regions, and whether its logging is on.`,
			FalsePositives: `A team that starts to use a model.`,
			Reference:      "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
		},
		{
			// Low: databases and balancers come with groups.
			ID:         "TS-PE-039",
			Title:      "Security group of a database, cache or load balancer changed",
			Severity:   Low,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source IN ('rds.amazonaws.com', 'elasticache.amazonaws.com', 'elasticloadbalancing.amazonaws.com', 'redshift.amazonaws.com') AND NOT ` + byService + `
            AND event_name IN ('AuthorizeDBSecurityGroupIngress', 'CreateDBSecurityGroup', 'DeleteDBSecurityGroup', 'RevokeDBSecurityGroupIngress',
                'CreateCacheSecurityGroup', 'AuthorizeCacheSecurityGroupIngress', 'RevokeCacheSecurityGroupIngress', 'DeleteCacheSecurityGroup',
                'AuthorizeClusterSecurityGroupIngress', 'CreateClusterSecurityGroup', 'ApplySecurityGroupsToLoadBalancer', 'SetSecurityGroups')`,
			Resource:       param("dBSecurityGroupName", "cacheSecurityGroupName", "clusterSecurityGroupName", "loadBalancerName", "loadBalancerArn"),
			Explain:        `Who can reach the database, cache or balancer is another now. Look at the addresses.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html",
		},
		{
			ID:         "TS-PE-039b",
			Title:      "Database or cache opened to every address",
			Severity:   High,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1562.007"},
			Where: `event_source IN ('rds.amazonaws.com', 'elasticache.amazonaws.com', 'redshift.amazonaws.com')
            AND event_name IN ('AuthorizeDBSecurityGroupIngress', 'AuthorizeCacheSecurityGroupIngress', 'AuthorizeClusterSecurityGroupIngress')
            AND regexp_like(` + param("cIDRIP", "cidrip", "cIDRIp") + `, '/[0-7]$')`,
			Resource:       param("dBSecurityGroupName", "cacheSecurityGroupName", "clusterSecurityGroupName"),
			Explain:        `The whole internet can try passwords. Take the rule back and read the database's log.`,
			FalsePositives: `None that is a good idea.`,
			Reference:      "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AuthorizeDBSecurityGroupIngress.html",
		},
		{
			ID:         "TS-PE-040",
			Title:      "Sender of mail or the account's sending changed",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1496.004"},
			Where: `event_source = 'ses.amazonaws.com' AND NOT ` + byService + ` AND NOT ` + byStack + `
            AND event_name IN ('CreateEmailIdentity', 'VerifyEmailIdentity', 'VerifyEmailAddress', 'VerifyDomainIdentity', 'VerifyDomainDkim', 'DeleteIdentity', 'DeleteEmailIdentity',
                'UpdateAccountSendingEnabled', 'PutAccountSendingAttributes', 'PutAccountDetails', 'PutAccountSuppressionAttributes',
                'SetIdentityFeedbackForwardingEnabled', 'PutEmailIdentityFeedbackAttributes', 'PutConfigurationSetSendingOptions', 'UpdateConfigurationSetSendingEnabled',
                'PutIdentityPolicy', 'CreateEmailIdentityPolicy')`,
			Resource:       param("emailIdentity", "identity", "emailAddress", "domain", "configurationSetName"),
			Explain:        `How a stolen account is made to send phishing in your name. Look in every region; stop the sending and delete the identity.`,
			FalsePositives: `Whoever sets mail up for an application.`,
			Reference:      "https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html",
		},
	}
}
