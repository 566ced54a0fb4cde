package rules

import "slices"

// privilegeEscalation are the rules about getting more rights: policies,
// groups, boundaries, and roles that others left within reach.
func privilegeEscalation() []Rule {
	return slices.Concat(policyChanges(), keyPolicies(), roleUse())
}

// policyChanges are about what a user, group or role may do.
func policyChanges() []Rule {
	return []Rule{
		{
			ID:         "TS-PV-001",
			Title:      "Administrator policy attached",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')
            AND ` + adminPolicy,
			Resource: targetOfPolicy,
			Explain:  `The user, role or group may now do nearly everything. Detach the policy unless its owner confirms it.`,
		},
		{
			ID:         "TS-PV-001b",
			Title:      "Full-access policy of a service attached to a user or group",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('AttachUserPolicy', 'AttachGroupPolicy')
            AND ` + fullAccessPolicy,
			Resource: targetOfPolicy,
			Explain:  `All of one service for a person. Ask for what.`,
		},
		{
			// Low: roles of programs get these all the time.
			ID:         "TS-PV-001c",
			Title:      "Full-access policy of a service attached to a role",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'AttachRolePolicy'
            AND ` + fullAccessPolicy,
			Resource: targetOfPolicy,
			Explain:  `All of one service for whoever can assume the role. See who that is.`,
		},
		{
			// Low: deployments attach policies all day.
			ID:         "TS-PV-002",
			Title:      "Managed policy attached",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')`,
			Resource: targetOfPolicy,
			Explain:  `Rights changed. The record of a denied attempt does not say which policy it was.`,
		},
		{
			// Low: the policy's text decides, which is the next rule's.
			ID:         "TS-PV-003",
			Title:      "Inline policy put",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy')`,
			Resource: targetOfPolicy,
			Explain:  `Rights changed by a policy that no list of managed policies shows. Read its text.`,
		},
		{
			ID:         "TS-PV-004",
			Title:      "Policy written that allows everything, or everything needed to get there",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1484"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy', 'CreatePolicyVersion')
            AND ` + policyGrants(anyAction+"|"+escalation),
			Resource: `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'), ` + targetOfPolicy + `)`,
			Explain:  `Every action, or IAM actions that lead to every action, on every resource and without condition. Put the old policy back.`,
		},
		{
			// Low: sloppy policies of developers say the same.
			ID:         "TS-PV-004b",
			Title:      "Policy written that allows all of a service",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1484"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy', 'CreatePolicyVersion')
            AND ` + policyGrants(wholeService),
			Resource: `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'), ` + targetOfPolicy + `)`,
			Explain:  `All actions of a service on every resource. With iam:PassRole beside it, it is a way to other roles.`,
		},
		{
			ID:         "TS-PV-005",
			Title:      "Policy that allows everything created, then attached",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1484"},
			Where:      `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:   `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'))`,
			Explain:    `An administrator's policy under a name of the intruder's choice is in force. Detach it, then delete it.`,
			Sequence: &Sequence{
				Steps: []Step{
					{Where: `event_name = 'CreatePolicy' AND ` + policyGrants(anyAction+"|"+escalation), On: `json_extract_scalar(response_elements, '$.policy.arn')`},
					{Where: `event_name IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')`, On: `json_extract_scalar(request_parameters, '$.policyArn')`},
				},
				Within: 14 * day,
			},
		},
		{
			// Low: how a managed policy is edited.
			ID:         "TS-PV-006",
			Title:      "Policy version created as the default, or the default switched",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND (event_name = 'SetDefaultPolicyVersion'
                OR event_name = 'CreatePolicyVersion'
                    AND (request_parameters IS NULL OR lower(json_extract_scalar(request_parameters, '$.setAsDefault')) = 'true'))`,
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.policyArn'), nullif(regexp_extract(error_message, 'on resource: policy ([^ ]+)', 1), ''))`,
			Explain:  `Everybody to whom the policy is attached has other rights now. Compare it with the version before.`,
		},
		{
			ID:         "TS-PV-006b",
			Title:      "Default version of a policy switched",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name = 'SetDefaultPolicyVersion'`,
			Resource:   `coalesce(json_extract_scalar(request_parameters, '$.policyArn'), nullif(regexp_extract(error_message, 'on resource: policy ([^ ]+)', 1), ''))`,
			Explain:    `An old, more generous version may be in force again, without a word of policy in the log. Compare the versions.`,
		},
		{
			ID:         "TS-PV-007",
			Title:      "Permissions boundary put or removed",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com'
            AND event_name IN ('DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary',
                'PutUserPermissionsBoundary', 'PutRolePermissionsBoundary')`,
			Resource: targetOfPolicy,
			Explain:  `What keeps the user or role within limits is gone or another. Put the old boundary back.`,
		},
		{
			// Low: how new colleagues get their rights.
			ID:         "TS-PV-008",
			Title:      "User added to a group",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where:      `event_source = 'iam.amazonaws.com' AND event_name = 'AddUserToGroup'`,
			Resource:   `coalesce(` + targetUser + `, ` + targetGroup + `)`,
			Explain:    `The user has the group's rights now. Look at what is attached to the group.`,
		},
		{
			ID:         "TS-PV-008b",
			Title:      "User added to an administrators' group",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'AddUserToGroup'
            AND ` + adminGroup,
			Resource: `coalesce(` + targetUser + `, ` + targetGroup + `)`,
			Explain:  `By its name, the group has an administrator's rights. Confirm the member with the group's owner.`,
		},
		{
			ID:         "TS-PV-014",
			Title:      "IAM changed",
			Severity:   Info,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND coalesce(read_only, regexp_like(event_name, '^(?:Get|List|Generate|Simulate|Describe)')) = false`,
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `Every change of users, roles and policies, for the record.`,
		},
	}
}

// iamCredentialCalls make or take a user; iamRoleCalls change what a role may
// do or who may assume it.
const (
	iamCredentialCalls = `event_name IN ('CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'AddUserToGroup',
                'AttachUserPolicy', 'PutUserPolicy', 'AttachGroupPolicy', 'PutGroupPolicy')`
	iamRoleCalls = `event_name IN ('CreateRole', 'AttachRolePolicy', 'PutRolePolicy', 'UpdateAssumeRolePolicy', 'CreatePolicyVersion',
                'SetDefaultPolicyVersion')`
)

// computeRole holds for the session of a role that a program runs under: an
// instance, a function, a container, a pod. A role named after the functions
// that it deploys is none.
const computeRole = `(` + instanceSession + `
                OR json_extract_scalar(user_identity, '$.sessionContext.ec2RoleDelivery') IS NOT NULL
                OR regexp_like(coalesce(user_agent, ''), 'exec-env/AWS_(?:Lambda|ECS)|AWS_Lambda_')
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
			Resource: `coalesce(json_extract_scalar(request_parameters, '$.instanceProfileName'), ` + targetRole + `, event_name)`,
			Explain:  `How an instance gets a role: whoever is on it then has the role's rights.`,
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
			Explain: `Whoever is on the instance has the new role's rights. See who could log in there, and what the role did since.`,
		},
		{
			// Info: everybody who works with roles does it all day.
			ID:         "TS-PV-010",
			Title:      "Role assumed",
			Severity:   Info,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1078.004"},
			Where:      assumption,
			Resource:   assumedRole,
			Explain:    `From one principal to another, for the record. A session taken with a leaked key lives on when the key is disabled.`,
		},
		{
			ID:         "TS-PV-010b",
			Title:      "Role assumed by somebody who never did",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1078.004"},
			Where:      assumption,
			Resource:   assumedRole,
			Explain:    `A way from one principal to another that nobody took before. See what the session did.`,
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
			Resource: assumedRole,
			Explain:  `A service took a role to work with, for the record: who made it do so stands in the calls before.`,
		},
		{
			// Low: deployments chain roles all day.
			ID:         "TS-PV-011",
			Title:      "Role assumed from another role",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1548"},
			Where:      chainedAssumption,
			Resource:   assumedRole,
			Explain:    `A link of a chain of roles, for the record: a chain can be renewed for ever without its first key.`,
		},
		{
			ID:         "TS-PV-011b",
			Title:      "Role assumed from another role for the first time",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1548"},
			Where:      chainedAssumption,
			Resource:   assumedRole,
			Explain:    `A chain of roles that is new. Revoke both roles' sessions: each link lives on without the one before.`,
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{assumer, assumedRole},
				Learn: 7 * day,
			},
		},
		{
			ID:         "TS-PV-012",
			Title:      "Root session taken in a member account",
			Severity:   High,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1548.005"},
			Where:      `event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRoot'`,
			Resource:   `json_extract_scalar(request_parameters, '$.targetPrincipal')`,
			Explain:    `From the management account into a member's root for 15 minutes: long enough to set a root password. Look at what the session did there.`,
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
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `Unless the program deploys, its role has been put to another use.`,
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
			Resource: `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:  `Instances, functions and pods do not manage people. The role's credentials were taken, or the program was made to do it.`,
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
