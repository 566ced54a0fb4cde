package rules

import (
	"slices"
	"time"
)

// credentialAccess are the rules about credentials taken from where they lie
// or guessed at.
func credentialAccess() []Rule {
	return slices.Concat(stolenCredentials(), storedSecrets(), machineSecrets())
}

// stolenCredentials are about credentials of programs, roles tried out and
// keys that leaked.
func stolenCredentials() []Rule {
	return []Rule{
		{
			ID:         "TS-CA-005",
			Title:      "Instance credentials used from a second public address",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.005"},
			Where: instanceSession + `
            AND access_key_id LIKE 'ASIA%' AND ` + byCaller + `
            AND ` + publicAddress,
			Resource:       `identity_arn`,
			Explain:        `An instance leaves through one address; its credentials came from two. Find which is not the instance's, and revoke the role's sessions.`,
			FalsePositives: `Machines that leave through several addresses.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html",
			Threshold:      &Threshold{By: []string{"access_key_id"}, Distinct: "source_ip_address", Count: 2, Window: 12 * time.Hour},
		},
		{
			ID:         "TS-CA-005b",
			Title:      "Instance credentials used from a workstation or an attack tool",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.005"},
			Where: instanceSession + `
            AND ` + byCaller + `
            AND regexp_like(user_agent, '` + workstation + `')`,
			Resource:       `identity_arn`,
			Explain:        `The agent's system is none that the instance runs. Treat the role's sessions as stolen.`,
			FalsePositives: `Developers who copy a machine's credentials to try something.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html",
		},
		{
			// Medium: some people work on a machine in the cloud.
			ID:         "TS-CA-005c",
			Title:      "Instance credentials used from the address and with the program of a person",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.005"},
			Where: `(` + instanceSession + ` OR ` + byPerson + `)
            AND ` + byCaller + `
            AND ` + publicAddress,
			Resource:       `identity_arn`,
			Explain:        `The machine's role and somebody's own credentials came from one computer within hours. Find out whose it is: if not the machine, the role's sessions are stolen.`,
			FalsePositives: `People who use credentials of their own on a machine of the account, or behind its way out.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html",
			Threshold: &Threshold{By: []string{"account_id", "source_ip_address", `regexp_extract(user_agent, '^\[?([^ ]+)', 1)`},
				Distinct: `CASE WHEN ` + instanceSession + ` THEN 'machine' ELSE 'person' END`, Count: 2, Window: 6 * time.Hour},
		},
		{
			ID:             "TS-CA-006",
			Title:          "Function credentials used outside the function",
			Severity:       High,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.005"},
			Where:          `event_source IS NOT NULL`,
			Resource:       `coalesce(identity_arn, issued_principal_arn)`,
			Explain:        `Lambda was handed these credentials, and a command line used them: they were read from the function's environment.`,
			FalsePositives: `Functions that run the command line themselves.`,
			Reference:      "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
                AND coalesce(invoked_by, source_ip_address) IN ('lambda.amazonaws.com', 'edgelambda.amazonaws.com', 'glue.amazonaws.com',
                    'states.amazonaws.com', 'apigateway.amazonaws.com')`, On: `issued_access_key_id`},
					{Where: `access_key_id LIKE 'ASIA%' AND ` + byCaller + `
                AND (regexp_like(user_agent, '(?i)^\[?aws-cli/') AND NOT regexp_like(user_agent, 'exec-env/AWS_')
                    OR regexp_like(user_agent, '` + workstation + `'))`, On: `access_key_id`},
				},
				Within: day,
			},
		},
		{
			ID:             "TS-CA-006b",
			Title:          "Credentials that a service took used from a workstation",
			Severity:       High,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.005"},
			Where:          `event_source IS NOT NULL`,
			Resource:       `coalesce(identity_arn, issued_principal_arn)`,
			Explain:        `AWS handed these credentials to a task, a build or a notebook, and somebody's computer used them. Treat the role's sessions as stolen.`,
			FalsePositives: `Developers who copy a task's credentials to try something.`,
			Reference:      "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
                AND identity_type = 'AWSService' AND coalesce(` + param("roleArn") + `, '') NOT LIKE '%:role/aws-reserved/%'`, On: `issued_access_key_id`},
					{Where: `access_key_id LIKE 'ASIA%' AND ` + byCaller + `
                AND regexp_like(user_agent, '` + workstation + `')`, On: `access_key_id`},
				},
				Within: day,
			},
		},
		{
			ID:         "TS-CA-010",
			Title:      "Roles tried one after the other",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1110"},
			Where: `event_source = 'sts.amazonaws.com'
            AND event_name IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')`,
			Resource:       assumedRole,
			Explain:        `Somebody looks for a role that lets them in. See which attempt succeeded, if any.`,
			FalsePositives: `A script with a list of accounts of which some do not let it in.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
			Outcomes:       []Outcome{Denied, Failed},
			Threshold:      &Threshold{By: []string{"principal_id", "source_ip_address"}, Distinct: assumedRole, Count: 5, Window: burst},
		},
		{
			ID:         "TS-CA-010b",
			Title:      "Principals of other accounts enumerated through policies",
			Severity:   Medium,
			Tactic:     "discovery",
			Techniques: []string{"T1087.004"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('UpdateAssumeRolePolicy', 'CreateRole')
            AND error_code LIKE 'MalformedPolicyDocument%'`,
			Resource:       targetRole,
			Explain:        `A trust policy is refused when it names a principal that does not exist: so names are tried out. The tried names stand in the messages.`,
			FalsePositives: `A template that names a role which is not there yet.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
			Outcomes:       []Outcome{Failed},
			Threshold:      &Threshold{By: []string{"principal_id"}, Count: 5, Window: burst},
		},
		{
			ID:         "TS-CA-012",
			Title:      "AWS quarantined a leaked key",
			Severity:   Critical,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.001"},
			Where: `event_source = 'iam.amazonaws.com'
            AND (event_name = 'AttachUserPolicy'
                    AND regexp_like(json_extract_scalar(request_parameters, '$.policyArn'), ':policy/(?:.*/)?AWSCompromisedKeyQuarantine')
                OR event_name = 'PutUserPolicy'
                    AND regexp_like(json_extract_scalar(request_parameters, '$.policyName'), 'AWSExposedCredentialPolicy|AWSCompromisedKeyQuarantine'))`,
			Resource:       targetUser,
			Explain:        `AWS found the user's key in public and attached a policy that blocks some calls, not all. The leak is older than this: contain the user now.`,
			FalsePositives: `Nobody but AWS attaches this policy.`,
			Reference:      "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html",
		},
		{
			ID:         "TS-CA-013",
			Title:      "Certificate, SSH key or service password made for a user",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1649"},
			Where: `(event_source = 'iam.amazonaws.com'
                    AND event_name IN ('UploadSSHPublicKey', 'UploadSigningCertificate', 'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential')
                OR event_source = 'acm-pca.amazonaws.com' AND event_name IN ('IssueCertificate', 'GetCertificate')
                    AND NOT ` + byService + `)`,
			Resource: `coalesce(json_extract_scalar(response_elements, '$.sSHPublicKey.sSHPublicKeyId'), json_extract_scalar(response_elements, '$.certificate.certificateId'),
                json_extract_scalar(response_elements, '$.serviceSpecificCredential.serviceSpecificCredentialId'),
                json_extract_scalar(request_parameters, '$.certificateAuthorityArn'), ` + targetUser + `)`,
			Explain:        `A credential of another kind, which disabling access keys does not touch.`,
			FalsePositives: `Users of CodeCommit or Keyspaces, and companies with an authority of their own.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html",
		},
	}
}

// workstation is a pattern for agents on the systems of people, not of
// instances and functions.
const workstation = `(?i)os/macos|darwin/|mac ?os ?x|windows[/#]1[01](?:\s|$)|^mozilla/.*(?:chrome|firefox|safari)/|kali|parrot|wsl2|stratus-red-team`

// burst is the window of rules about attempts in quick succession.
const burst = 10 * time.Minute
