package rules

// iamCredentialCalls make or take a user; iamRoleCalls change what a role may
// do, who may assume it or which machines have it.
const (
	iamCredentialCalls = `event_name IN ('CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'AddUserToGroup',
                'AttachUserPolicy', 'PutUserPolicy', 'AttachGroupPolicy', 'PutGroupPolicy')`
	iamRoleCalls = `event_name IN ('CreateRole', 'AttachRolePolicy', 'PutRolePolicy', 'UpdateAssumeRolePolicy', 'CreatePolicyVersion',
                'SetDefaultPolicyVersion', 'CreateInstanceProfile', 'AddRoleToInstanceProfile')`
)

// computeRole holds for the session of a role that a program runs under: an
// instance, a function, a container, a pod. A role named after the functions
// that it deploys is none.
const computeRole = `(` + instanceSession + `
                OR json_extract_scalar(user_identity, '$.sessionContext.ec2RoleDelivery') IS NOT NULL
                OR regexp_like(coalesce(user_agent, ''), 'exec-env/AWS_(?:Lambda|ECS)|AWS_Lambda_') OR coalesce(invoked_by, '') = 'lambda.amazonaws.com'
                OR coalesce(federated_provider, '') LIKE '%:oidc-provider/oidc.eks.%'
                OR identity_type = 'AssumedRole' AND regexp_like(coalesce(session_issuer_name, ''), '(?i)lambda|ecs-?task|instance-?role|ec2-?role|node-?role|pod-?role')
                    AND NOT regexp_like(session_issuer_name, '(?i)deploy|terraform|github|gitlab|pipeline|ci-?cd|jenkins|cdk-|admin'))`

// roleUse are about roles: whose they become and who assumes them.
func roleUse() []Rule {
	return []Rule{
		{
			// Low: deployments of instances begin so.
			ID:         "TS-PV-009",
			Title:      "Instance profile created, given a role or attached",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source IN ('iam.amazonaws.com', 'ec2.amazonaws.com')
            AND event_name IN ('CreateInstanceProfile', 'AddRoleToInstanceProfile', 'AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation')
            AND NOT ` + byService,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.instanceProfileName'), ` + targetRole + `, event_name)`,
			Explain:        `How an instance gets a role: whoever is on it then has the role's rights.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
		},
		{
			ID:         "TS-PV-009b",
			Title:      "Instance profile of a running instance set or replaced",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'ec2.amazonaws.com'
            AND event_name IN ('AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation')
            AND NOT ` + byService,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.AssociateIamInstanceProfileRequest.InstanceId'),
                json_extract_scalar(request_parameters, '$.ReplaceIamInstanceProfileAssociationRequest.AssociationId'),
                json_extract_scalar(request_parameters, '$.instanceId'))`,
			Explain:        `Whoever is on the instance has the new role's rights. See who could log in there, and what the role did since.`,
			FalsePositives: `An administrator who gives an instance the role that it lacks.`,
			Reference:      "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html",
		},
		{
			// Info: everybody who works with roles does it all day.
			ID:             "TS-PV-010",
			Title:          "Role assumed",
			Severity:       Info,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1078.004"},
			Where:          assumption,
			Resource:       assumedRole,
			Explain:        `From one principal to another, for the record. A session taken with a leaked key lives on when the key is disabled.`,
			FalsePositives: `Everybody who works with roles.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
		},
		{
			ID:             "TS-PV-010b",
			Title:          "Role assumed by somebody who never did",
			Severity:       Low,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1078.004"},
			Where:          assumption,
			Resource:       assumedRole,
			Explain:        `A way from one principal to another that nobody took before. See what the session did.`,
			FalsePositives: `A new colleague, program or role.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{assumer, assumedRole},
				Learn: 7 * day,
			},
		},
		{
			// Info: how every function and instance gets its credentials.
			ID:         "TS-PV-010c",
			Title:      "Role assumed by an AWS service",
			Severity:   Info,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1078.004"},
			Where: `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
            AND coalesce(identity_type, '') IN ('AWSService', 'AWSInternal')`,
			Resource:       assumedRole,
			Explain:        `A service took a role to work with, for the record: who made it do so stands in the calls before.`,
			FalsePositives: `Every function and instance.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
		},
		{
			// Low: deployments chain roles all day.
			ID:             "TS-PV-011",
			Title:          "Role assumed from another role",
			Severity:       Low,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1548"},
			Where:          chainedAssumption,
			Resource:       assumedRole,
			Explain:        `A link of a chain of roles, for the record: a chain can be renewed for ever without its first key.`,
			FalsePositives: `Deployments that go through a second role.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
		},
		{
			ID:             "TS-PV-011b",
			Title:          "Role assumed from another role for the first time",
			Severity:       Medium,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1548"},
			Where:          chainedAssumption,
			Resource:       assumedRole,
			Explain:        `A chain of roles that is new. Revoke both roles' sessions: each link lives on without the one before.`,
			FalsePositives: `A new pipeline, or a colleague's first time.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{assumer, assumedRole},
				Learn: 7 * day,
			},
		},
		{
			ID:             "TS-PV-012",
			Title:          "Root session taken in a member account",
			Severity:       High,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1548.005"},
			Where:          `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRoot'`,
			Resource:       `json_extract_scalar(request_parameters, '$.targetPrincipal')`,
			Explain:        `From the management account into a member's root for 15 minutes: long enough to set a root password. Look at what the session did there.`,
			FalsePositives: `Central care for the root users of member accounts.`,
			Reference:      "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html",
		},
		{
			// Medium: build servers deploy from instances and containers.
			ID:         "TS-PV-013",
			Title:      "IAM changed by a program's role",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND (` + iamRoleCalls + ` OR ` + iamCredentialCalls + `)
            AND ` + computeRole,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `Unless the program deploys, its role has been put to another use.`,
			FalsePositives: `Build servers that deploy.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html",
		},
		{
			ID:         "TS-PV-013b",
			Title:      "Users or their credentials changed by a program's role",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND ` + iamCredentialCalls + `
            AND ` + computeRole,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `Instances, functions and pods do not manage people. The role's credentials were taken, or the program was made to do it.`,
			FalsePositives: `Programs that care for users, such as those that rotate keys.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html",
		},
	}
}

// assumer is who assumes a role, whatever session they are in; assumedRole is
// the role.
const (
	assumer     = `coalesce(session_issuer_arn, identity_arn, principal_id)`
	assumedRole = `coalesce(json_extract_scalar(request_parameters, '$.roleArn'), nullif(regexp_extract(error_message, 'on resource: (arn:[^ ]+)', 1), ''))`

	assumption = `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole' AND NOT ` + byService

	chainedAssumption = `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
            AND identity_type = 'AssumedRole' AND access_key_id LIKE 'ASIA%' AND invoked_by IS NULL`
)
