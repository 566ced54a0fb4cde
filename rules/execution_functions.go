package rules

import "time"

// Lambda's event names carry the date of the API.
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
const (
	codeUpdated   = `event_source = 'lambda.amazonaws.com' AND event_name IN ('UpdateFunctionCode', 'UpdateFunctionCode20141111', 'UpdateFunctionCode20150331', 'UpdateFunctionCode20150331v2')`
	configUpdated = `event_source = 'lambda.amazonaws.com' AND event_name IN ('UpdateFunctionConfiguration', 'UpdateFunctionConfiguration20141111', 'UpdateFunctionConfiguration20150331', 'UpdateFunctionConfiguration20150331v2')`
	invoked       = `event_source = 'lambda.amazonaws.com' AND event_name IN ('Invoke', 'Invoke20150331', 'InvokeAsync', 'InvokeFunctionUrl', 'InvokeWithResponseStream')
            AND invoked_by IS NULL AND coalesce(identity_type, '') NOT IN ('AWSService', 'AWSInternal')`

	// layers holds when a request or its answer names a layer.
	layers = `(regexp_like(coalesce(request_parameters, ''), '"layers":\["') OR regexp_like(coalesce(response_elements, ''), '"layers":\[\{'))`
)

var functionName = param("functionName", "fullyQualifiedArn.relativeId.functionName")

// functions are about Lambda, CloudFormation and CodeBuild: code that AWS runs
// for the caller.
func functions() []Rule {
	return []Rule{
		{
			ID:         "TS-EX-010",
			Title:      "Lambda function created",
			Severity:   Low,
			Tactic:     "execution",
			Techniques: []string{"T1648"},
			Where: `event_source = 'lambda.amazonaws.com' AND event_name IN ('CreateFunction', 'CreateFunction20141111', 'CreateFunction20150331')
            AND NOT ` + byService,
			Resource:       `coalesce(` + response("functionArn") + `, ` + functionName + `)`,
			Explain:        `Code of the caller's choice, with the rights of the role that was passed, and a life of its own. Look at the role and at what triggers it.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
		},
		{
			ID:             "TS-EX-011",
			Title:          "Code of a Lambda function overwritten by a person",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1546", "T1648"},
			Where:          codeUpdated + "\n            AND " + byPerson,
			Resource:       functionName,
			Explain:        `Where pipelines deploy, people do not. The new code sees every event and every secret of the function: compare its hash with the last build's.`,
			FalsePositives: `Developers who edit a function by hand, and pipelines that run as an IAM user.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
		},
		{
			// Low: what deployments do all day.
			ID:             "TS-EX-011b",
			Title:          "Code of a Lambda function overwritten",
			Severity:       Low,
			Tactic:         "persistence",
			Techniques:     []string{"T1546", "T1648"},
			Where:          codeUpdated + "\n            AND NOT " + byService,
			Resource:       functionName,
			Explain:        `The function runs something else now. Compare the hash of the code with the last build's.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
		},
		{
			ID:             "TS-EX-012",
			Title:          "Layer put into a Lambda function by a person",
			Severity:       Medium,
			Tactic:         "persistence",
			Techniques:     []string{"T1525", "T1648"},
			Where:          configUpdated + "\n            AND " + layers + "\n            AND " + byPerson,
			Resource:       functionName,
			Explain:        `A layer or extension runs beside the function's own code and sees its credentials, while the code looks untouched. Look at what the layer holds.`,
			FalsePositives: `Developers who try a monitoring extension.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
		},
		{
			ID:         "TS-EX-012b",
			Title:      "Layer of another account put into a Lambda function",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1525", "T1648"},
			Where: configUpdated + `
            AND regexp_like(` + withoutOurs(`coalesce(request_parameters, '')`) + `, '"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:')`,
			Resource:       functionName,
			Explain:        `Code that another account can replace by a new version runs with the function's role. Check the account: vendors of monitoring publish theirs.`,
			FalsePositives: `Layers of AWS and of monitoring vendors.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
		},
		{
			// Low: what deployments do all day.
			ID:         "TS-EX-012c",
			Title:      "Lambda layer published, or a function's settings changed",
			Severity:   Low,
			Tactic:     "persistence",
			Techniques: []string{"T1525", "T1648"},
			Where: `event_source = 'lambda.amazonaws.com'
            AND event_name IN ('PublishLayerVersion', 'PublishLayerVersion20181031', 'UpdateFunctionConfiguration', 'UpdateFunctionConfiguration20141111',
                'UpdateFunctionConfiguration20150331', 'UpdateFunctionConfiguration20150331v2')
            AND NOT ` + byService,
			Resource:       `coalesce(` + functionName + `, ` + param("layerName") + `)`,
			Explain:        `Role, environment, handler or layers may be others now. AWS_LAMBDA_EXEC_WRAPPER in the environment runs a program before the function's.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html",
		},
		{
			ID:         "TS-EX-013",
			Title:      "Lambda layer shared with other accounts or everybody",
			Severity:   Medium,
			Tactic:     "persistence",
			Techniques: []string{"T1525", "T1648"},
			Where: `event_source = 'lambda.amazonaws.com' AND event_name IN ('AddLayerVersionPermission', 'AddLayerVersionPermission20181031')
            AND (` + otherAccount(param("principal")) + `
                OR ` + param("principal") + ` = '*' AND ` + param("organizationId") + ` IS NULL)`,
			Resource:       param("layerName"),
			Explain:        `Others can take the layer's code, with what stands in it, or run it in their functions.`,
			FalsePositives: `Layers shared between an organization's accounts, and those published on purpose.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
		},
		{
			ID:             "TS-EX-014",
			Title:          "Lambda function invoked by somebody who never did",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1648"},
			Where:          invoked,
			Resource:       functionName,
			Explain:        `Functions are called by other services, or by the same callers each day. This one made the function work with its role for them.`,
			FalsePositives: `A developer's test, or a new caller.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal, functionName}, Learn: 7 * day},
		},
		{
			ID:             "TS-EX-014b",
			Title:          "Lambda function invoked from another account",
			Severity:       Medium,
			Tactic:         "execution",
			Techniques:     []string{"T1648"},
			Where:          invoked + "\n            AND " + otherAccount("identity_account_id"),
			Resource:       functionName,
			Explain:        `The function's policy lets another account in. Check that the account is yours, and who opened the policy.`,
			FalsePositives: `Functions that serve an organization's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
		},
		{
			ID:             "TS-EX-015",
			Title:          "Flood of invocations of a Lambda function",
			Severity:       Medium,
			Tactic:         "impact",
			Techniques:     []string{"T1496"},
			Where:          invoked + "\n            AND NOT " + computeRole,
			Resource:       functionName,
			Explain:        `One caller invokes the function far more than people do: a bill to run up, a service to exhaust, or a fault that calls itself.`,
			FalsePositives: `Programs outside AWS that call functions directly at a high rate.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html",
			Threshold:      &Threshold{By: []string{"account_id", actingPrincipal, functionName}, Count: 100, Window: time.Minute},
		},
		{
			ID:         "TS-EX-016",
			Title:      "CloudFormation stack created or changed by somebody who never did",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1648"},
			Where: `event_source = 'cloudformation.amazonaws.com'
            AND event_name IN ('CreateStack', 'CreateStackSet', 'CreateStackInstances', 'UpdateStack', 'UpdateStackSet', 'ExecuteChangeSet')
            AND invoked_by IS NULL AND NOT ` + byService,
			Resource:       param("stackName", "stackSetName"),
			Explain:        `A template can make anything that its role may, in every account of a stack set. Read the template and list what the stack holds.`,
			FalsePositives: `A new administrator or pipeline.`,
			Reference:      "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{actingPrincipal}, Learn: 7 * day},
		},
		{
			// Low: how an organization keeps its accounts alike.
			ID:         "TS-EX-016b",
			Title:      "CloudFormation stack set created or spread",
			Severity:   Low,
			Tactic:     "execution",
			Techniques: []string{"T1648"},
			Where: `event_source = 'cloudformation.amazonaws.com' AND event_name IN ('CreateStackSet', 'CreateStackInstances', 'UpdateStackSet')
            AND NOT ` + byService,
			Resource:       param("stackSetName"),
			Explain:        `One template in many accounts and regions at once, with an administrator's role in each. Read the template.`,
			FalsePositives: `Whoever keeps an organization's accounts alike.`,
			Reference:      "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html",
		},
		{
			ID:         "TS-EX-024",
			Title:      "Build project made public",
			Severity:   High,
			Tactic:     "initial-access",
			Techniques: []string{"T1195"},
			Where: `event_source = 'codebuild.amazonaws.com' AND event_name = 'UpdateProjectVisibility'
            AND ` + param("projectVisibility") + ` = 'PUBLIC_READ'`,
			Resource:       param("projectArn"),
			Explain:        `Anybody can read the logs and artifacts of its builds, with the secrets that they print. Make it private and rotate those.`,
			FalsePositives: `Open-source projects.`,
			Reference:      "https://docs.aws.amazon.com/codebuild/latest/userguide/public-builds.html",
		},
		{
			// Low: infrastructure as code edits projects all the time.
			ID:         "TS-EX-024b",
			Title:      "Source, role or environment of a build project changed",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1195"},
			Where: `event_source = 'codebuild.amazonaws.com' AND event_name IN ('UpdateProject', 'CreateProject', 'CreateWebhook', 'UpdateWebhook', 'StartBuild') AND NOT ` + byService + `
            AND (event_name <> 'StartBuild' AND regexp_like(coalesce(request_parameters, ''), '"(?:serviceRole|source|secondarySources|environment|buildspec)":')
                OR event_name IN ('CreateWebhook', 'UpdateWebhook')
                OR event_name = 'StartBuild' AND regexp_like(coalesce(request_parameters, ''), '"(?:buildspecOverride|sourceLocationOverride|serviceRoleOverride|imageOverride|environmentVariablesOverride)":'))`,
			Resource:       param("name", "projectName"),
			Explain:        `Whoever says what a build runs has its role and can change what it delivers. Compare the settings with the intended ones.`,
			FalsePositives: `Infrastructure as code, and builds with parameters.`,
			Reference:      "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html",
		},
	}
}
