package rules

import "slices"

// execution are the rules about making AWS run something.
func execution() []Rule {
	return slices.Concat(systemsManager(), instances(), functions(), containers(), borrowedRights())
}

// borrowedRights are about what lends the caller another's rights or hides the
// caller's own machine.
func borrowedRights() []Rule {
	return []Rule{
		{
			// Low: people use CloudShell for small jobs.
			ID:             "TS-EX-017",
			Title:          "CloudShell used",
			Severity:       Low,
			Tactic:         "execution",
			Techniques:     []string{"T1059.009"},
			Where:          `event_source = 'cloudshell.amazonaws.com' AND event_name NOT IN ('SendHeartBeat', 'GetEnvironmentStatus', 'DescribeEnvironments', 'GetLayout')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.EnvironmentId'), json_extract_scalar(response_elements, '$.EnvironmentId'))`,
			Explain:        `A shell in AWS's own network: its calls come from Amazon addresses, with the rights of the console session.`,
			FalsePositives: `People with a small job to do.`,
			Reference:      "https://docs.aws.amazon.com/cloudshell/latest/userguide/logging-and-monitoring.html",
		},
		{
			ID:         "TS-EX-017b",
			Title:      "IAM changed from CloudShell",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1059.009"},
			Where: `event_source = 'iam.amazonaws.com' AND ` + changes + `
            AND (regexp_like(user_agent, '(?i)CloudShell') OR invoked_by = 'cloudshell.amazonaws.com')`,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `Who changes users and policies by command in a console session may have nothing but the console. See how they signed in.`,
			FalsePositives: `Administrators who like a command line.`,
			Reference:      "https://docs.aws.amazon.com/cloudshell/latest/userguide/logging-and-monitoring.html",
		},
		{
			ID:             "TS-EX-023",
			Title:          "Job or notebook given a role by somebody who never did",
			Severity:       Medium,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1098.003"},
			Where:          passesRole,
			Resource:       passedRole,
			Explain:        `Whoever runs code under a role has the role's rights: a way up that attaches no policy. Look at which role was passed.`,
			FalsePositives: `A new data scientist or pipeline.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{`coalesce(session_issuer_principal_id, principal_id)`, `event_source`},
				Learn: 7 * day,
			},
		},
		{
			ID:         "TS-EX-023b",
			Title:      "Start-up script of a notebook created or changed",
			Severity:   Medium,
			Tactic:     "execution",
			Techniques: []string{"T1059.004"},
			Where: `event_source = 'sagemaker.amazonaws.com'
            AND event_name IN ('CreateNotebookInstanceLifecycleConfig', 'UpdateNotebookInstanceLifecycleConfig', 'CreateStudioLifecycleConfig')
            AND NOT ` + byService + ` AND NOT ` + byStack,
			Resource:       param("notebookInstanceLifecycleConfigName", "studioLifecycleConfigName"),
			Explain:        `The script runs as root when a notebook starts, with the notebook's role. Decode it (it stands in the request as Base64) and see which notebooks use it.`,
			FalsePositives: `Teams that set their notebooks up.`,
			Reference:      "https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html",
		},
		{
			// Low: what data scientists and pipelines do.
			ID:         "TS-EX-023c",
			Title:      "Notebook, job or development endpoint created or opened",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `(` + passesRole + `
                OR event_source = 'glue.amazonaws.com' AND event_name = 'DeleteDevEndpoint')`,
			Resource:       passedRole,
			Explain:        `Whoever can run code there has the rights of its role. Look at which role it is, and who has the address or the key of the endpoint.`,
			FalsePositives: `Data scientists and pipelines.`,
			Reference:      "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateDevEndpoint.html",
		},
	}
}

// passesRole are calls that make something run under a role of the caller's
// choice, or open it; passedRole is the role.
const (
	passesRole = `event_source IN ('sagemaker.amazonaws.com', 'glue.amazonaws.com', 'codebuild.amazonaws.com', 'datapipeline.amazonaws.com',
                'bedrock-agentcore-control.amazonaws.com', 'apprunner.amazonaws.com')
            AND event_name IN ('CreateNotebookInstance', 'CreateTrainingJob', 'CreateProcessingJob', 'CreateAutoMLJob', 'CreateAutoMLJobV2',
                'CreatePipeline', 'CreateDevEndpoint', 'UpdateDevEndpoint', 'CreateJob', 'UpdateJob', 'CreateSession', 'CreateProject',
                'CreateNotebookInstanceLifecycleConfig', 'UpdateNotebookInstanceLifecycleConfig', 'CreatePresignedNotebookInstanceUrl',
                'PutPipelineDefinition', 'CreateCodeInterpreter', 'CreateService')
            AND NOT ` + byService
	passedRole = `coalesce(json_extract_scalar(request_parameters, '$.roleArn'), json_extract_scalar(request_parameters, '$.role'), json_extract_scalar(request_parameters, '$.serviceRole'),
                json_extract_scalar(request_parameters, '$.executionRoleArn'), event_name)`
)
