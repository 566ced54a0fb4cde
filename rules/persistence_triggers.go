package rules

// lambdaPermission is AddPermission, whose principal stands in the request: an
// account, a user or role, a service, or everybody.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
const lambdaPermission = `event_source = 'lambda.amazonaws.com' AND event_name IN ('AddPermission', 'AddPermission20141111', 'AddPermission20150331', 'AddPermission20150331v2')`

// triggers are about what calls the intruder's code later: policies and
// addresses of functions, event sources, rules, and entries of clusters.
func triggers() []Rule {
	return []Rule{
		{
			ID:         "TS-PE-019",
			Title:      "Lambda function opened to everybody or to another account",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1546"},
			Where: lambdaPermission + `
            AND (` + param("principal") + ` = '*' AND ` + param("principalOrgID", "principalOrgId", "sourceArn", "sourceAccount") + ` IS NULL
                OR ` + otherAccount(param("principal")) + `
                OR ` + otherAccount(param("sourceAccount")) + `
                OR ` + otherAccount(param("sourceArn")) + `)`,
			Resource:       functionName,
			Explain:        `Somebody outside can run the function with its role, without any credential of this account. Remove the statement and see who called since.`,
			FalsePositives: `Functions that serve an organization's other accounts or are public on purpose.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
		},
		{
			// Low: every trigger adds a statement for its service.
			ID:             "TS-PE-019b",
			Title:          "Statement added to a Lambda function's policy",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1546"},
			Where:          lambdaPermission + "\n            AND NOT " + byService,
			Resource:       functionName,
			Explain:        `Somebody or something more may invoke the function. Look at the principal.`,
			FalsePositives: `Deployments that connect a function to its triggers.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html",
		},
		{
			ID:         "TS-PE-020",
			Title:      "Function URL that anybody may call",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1546"},
			Where: `event_source = 'lambda.amazonaws.com'
            AND event_name IN ('CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig', 'CreateFunctionUrlConfig20211031', 'UpdateFunctionUrlConfig20211031')
            AND ` + param("authType") + ` = 'NONE'`,
			Resource:       functionName,
			Explain:        `An address on the internet runs the function with its role: a door that no key opens and no key closes. Delete the URL.`,
			FalsePositives: `Webhooks and public interfaces.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
		},
		{
			ID:         "TS-PE-020b",
			Title:      "Function URL created or changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1546"},
			Where: `event_source = 'lambda.amazonaws.com'
            AND event_name IN ('CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig', 'CreateFunctionUrlConfig20211031', 'UpdateFunctionUrlConfig20211031')`,
			Resource:       functionName,
			Explain:        `The function has an address. Who may call it is said by the authorization type and the function's policy.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html",
		},
		{
			ID:         "TS-PE-021",
			Title:      "Lambda function connected to a stream or queue",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1546"},
			Where: `event_source = 'lambda.amazonaws.com'
            AND event_name IN ('CreateEventSourceMapping', 'CreateEventSourceMapping20150331', 'UpdateEventSourceMapping', 'UpdateEventSourceMapping20150331')
            AND NOT ` + byService,
			Resource:       `coalesce(` + param("eventSourceArn") + `, ` + functionName + `, ` + param("uUID") + `)`,
			Explain:        `The function reads what passes there, and runs whenever something does.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html",
		},
		{
			ID:         "TS-PE-022",
			Title:      "Event rule or schedule set up as a trigger",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1546"},
			Where: `event_source IN ('events.amazonaws.com', 'scheduler.amazonaws.com', 'pipes.amazonaws.com')
            AND event_name IN ('PutRule', 'PutTargets', 'EnableRule', 'CreateSchedule', 'UpdateSchedule', 'CreatePipe', 'UpdatePipe')
            AND NOT ` + byService,
			Resource:       param("name", "rule"),
			Explain:        `Something runs by the clock or whenever an event comes, such as the creation of a user or the deletion of a key. Look at the rule's pattern and its targets.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html",
		},
		{
			ID:         "TS-PE-024",
			Title:      "Administrator's access to a Kubernetes cluster granted",
			Severity:   High,
			Tactic:     "persistence",
			Techniques: []string{"T1098.006"},
			Where: `event_source = 'eks.amazonaws.com' AND NOT ` + byStack + `
            AND (event_name = 'AssociateAccessPolicy' AND regexp_like(coalesce(` + param("policyArn") + `, ''), 'AmazonEKS(?:Cluster)?AdminPolicy$')
                OR event_name IN ('CreateAccessEntry', 'UpdateAccessEntry') AND coalesce(request_parameters, '') LIKE '%"system:masters"%')`,
			Resource:       `coalesce(` + param("principalArn") + `, ` + param("name", "clusterName") + `)`,
			Explain:        `The principal can do everything in the cluster, pods' roles and secrets included. Remove the entry: disabling a key elsewhere does not.`,
			FalsePositives: `Whoever sets a new cluster up.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html",
		},
		{
			// Low: part of setting clusters up.
			ID:         "TS-PE-024b",
			Title:      "Access entry of a Kubernetes cluster changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098.006"},
			Where: `event_source = 'eks.amazonaws.com' AND NOT ` + byService + `
            AND event_name IN ('CreateAccessEntry', 'UpdateAccessEntry', 'DeleteAccessEntry', 'AssociateAccessPolicy', 'DisassociateAccessPolicy')`,
			Resource:       `coalesce(` + param("principalArn") + `, ` + param("name", "clusterName") + `)`,
			Explain:        `Who may talk to the cluster, and as whom, is another now.`,
			FalsePositives: `Infrastructure as code.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html",
		},
		{
			// Low: how interfaces are deployed. The names of CloudFront end in a date.
			ID:         "TS-PE-026",
			Title:      "Interface or distribution changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1098"},
			Where: `event_source IN ('apigateway.amazonaws.com', 'appsync.amazonaws.com', 'cloudfront.amazonaws.com') AND NOT ` + byService + `
            AND regexp_like(event_name, '^(?:(?:Create|Update|Import|Reimport|Put)(?:Api|RestApi|GraphqlApi|ApiKey|Route|RouteResponse|Integration|IntegrationResponse|Method|Resource|Stage|Deployment|Authorizer|Resolver|DataSource|DomainName|BasePathMapping|RestApiPolicy|Distribution|Function|KeyValueStore|OriginAccessControl)|DeleteAuthorizer|PublishFunction|AssociateAlias)(?:WithTags)?(?:[0-9_]*)$')`,
			Resource:       param("apiId", "restApiId", "restapiId", "id", "name"),
			Explain:        `What stands on the internet for the account may pass requests through somebody else's hands, or run code. Compare routes, integrations and authorizers with the intended ones.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/apigateway/latest/developerguide/cloudtrail.html",
		},
		{
			ID:         "TS-PE-026b",
			Title:      "Keys of an interface read with their values",
			Severity:   Low,
			Tactic:     "credential-access",
			Techniques: []string{"T1552"},
			Where: `(event_source = 'apigateway.amazonaws.com' AND event_name IN ('GetApiKeys', 'GetApiKey')
                    AND regexp_like(coalesce(request_parameters, ''), '(?i)"includeValues?":\s*"?true')
                OR event_source = 'appsync.amazonaws.com' AND event_name = 'ListApiKeys')`,
			Resource:       param("apiKey", "apiId"),
			Explain:        `Whoever has the keys can call the interface from anywhere. Replace those that were read.`,
			FalsePositives: `The console shows them on request.`,
			Reference:      "https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html",
		},
		{
			ID:             "TS-PE-026c",
			Title:          "Keys of an interface listed or looked at",
			Severity:       Info,
			Tactic:         "discovery",
			Techniques:     []string{"T1526"},
			Where:          `event_source = 'apigateway.amazonaws.com' AND event_name IN ('GetApiKeys', 'GetApiKey') AND NOT ` + byService,
			Resource:       param("apiKey", "nameQuery"),
			Explain:        `Names and customers of the keys, without their values unless the call asked for those.`,
			FalsePositives: `The console, and infrastructure as code that compares.`,
			Reference:      "https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKey.html",
		},
	}
}
