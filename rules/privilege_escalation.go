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
			Resource:       targetOfPolicy,
			Explain:        `The user, role or group may now do nearly everything. Detach the policy unless its owner confirms it.`,
			FalsePositives: `Administrators who are appointed, and pipelines that are set up.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
		},
		{
			ID:         "TS-PV-001b",
			Title:      "Full-access or administrator policy of a service attached to a user or group",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('AttachUserPolicy', 'AttachGroupPolicy')
            AND ` + fullAccessPolicy,
			Resource:       targetOfPolicy,
			Explain:        `All of one service for a person. Ask for what.`,
			FalsePositives: `Teams that own a service.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
		},
		{
			// Low: roles of programs get these all the time.
			ID:         "TS-PV-001c",
			Title:      "Full-access or administrator policy of a service attached to a role",
			Severity:   Low,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'AttachRolePolicy'
            AND ` + fullAccessPolicy,
			Resource:       targetOfPolicy,
			Explain:        `All of one service for whoever can assume the role. See who that is.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html",
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
			Resource:       targetOfPolicy,
			Explain:        `Rights changed. The record of a denied attempt does not say which policy it was.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html",
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
			Resource:       targetOfPolicy,
			Explain:        `Rights changed by a policy that no list of managed policies shows. Read its text.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html",
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
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'), ` + targetOfPolicy + `)`,
			Explain:        `Every action, or IAM actions that lead to every action, on every resource and without condition. Put the old policy back.`,
			FalsePositives: `Policies of administrators and pipelines.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
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
            AND ` + grantsService,
			Resource:       `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'), ` + targetOfPolicy + `)`,
			Explain:        `All actions of a service on every resource, or creating, changing and deleting. With iam:PassRole beside it, it is a way to other roles.`,
			FalsePositives: `Sloppy policies of developers.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
		},
		{
			ID:             "TS-PV-005",
			Title:          "Policy that allows everything created, then attached",
			Severity:       High,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1484"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:       writtenPolicy,
			Explain:        `An administrator's policy under a name of the intruder's choice is in force. Detach it, then delete it.`,
			FalsePositives: `Policies of administrators and pipelines.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html",
			Sequence: &Sequence{
				Steps: []Step{
					{Where: policyWritten + policyGrants(anyAction+"|"+escalation), On: writtenPolicy},
					policyAttached,
				},
				Within: 14 * day,
			},
		},
		{
			// Low: sloppy deployments do the same.
			ID:             "TS-PV-005b",
			Title:          "Policy that allows all of a service created, then attached",
			Severity:       Low,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1484"},
			Where:          `event_source = 'iam.amazonaws.com' AND outcome = 'success'`,
			Resource:       writtenPolicy,
			Explain:        `Somebody has all of a service now, by a policy that no list of AWS's shows. See who, and what they did with it.`,
			FalsePositives: `Sloppy deployments.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html",
			Sequence: &Sequence{
				Steps:  []Step{{Where: policyWritten + grantsService, On: writtenPolicy}, policyAttached},
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
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.policyArn'), nullif(regexp_extract(error_message, 'on resource: policy ([^ ]+)', 1), ''))`,
			Explain:        `Everybody to whom the policy is attached has other rights now. Compare it with the version before.`,
			FalsePositives: `How a managed policy is edited.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html",
		},
		{
			ID:             "TS-PV-006b",
			Title:          "Default version of a policy switched",
			Severity:       Medium,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1098.003"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'SetDefaultPolicyVersion'`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.policyArn'), nullif(regexp_extract(error_message, 'on resource: policy ([^ ]+)', 1), ''))`,
			Explain:        `An old, more generous version may be in force again, without a word of policy in the log. Compare the versions.`,
			FalsePositives: `An edit that is taken back.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html",
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
			Resource:       targetOfPolicy,
			Explain:        `What keeps the user or role within limits is gone or another. Put the old boundary back.`,
			FalsePositives: `Boundaries that are introduced.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
		},
		{
			// Low: how new colleagues get their rights.
			ID:             "TS-PV-008",
			Title:          "User added to a group",
			Severity:       Low,
			Tactic:         "privilege-escalation",
			Techniques:     []string{"T1098.003"},
			Where:          `event_source = 'iam.amazonaws.com' AND event_name = 'AddUserToGroup'`,
			Resource:       `coalesce(` + targetUser + `, ` + targetGroup + `)`,
			Explain:        `The user has the group's rights now. Look at what is attached to the group.`,
			FalsePositives: `New colleagues.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html",
		},
		{
			ID:         "TS-PV-008b",
			Title:      "User added to an administrators' group",
			Severity:   Medium,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098.003"},
			Where: `event_source = 'iam.amazonaws.com' AND event_name = 'AddUserToGroup'
            AND ` + adminGroup,
			Resource:       `coalesce(` + targetUser + `, ` + targetGroup + `)`,
			Explain:        `By its name, the group has an administrator's rights. Confirm the member with the group's owner.`,
			FalsePositives: `A new administrator.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html",
		},
		{
			ID:         "TS-PV-014",
			Title:      "IAM changed",
			Severity:   Info,
			Tactic:     "privilege-escalation",
			Techniques: []string{"T1098"},
			Where: `event_source = 'iam.amazonaws.com' AND NOT ` + byService + `
            AND ` + changes,
			Resource:       `coalesce(` + targetOfPolicy + `, event_name)`,
			Explain:        `Every change of users, roles and policies, for the record.`,
			FalsePositives: `Everyday administration.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
		},
	}
}

// The two halves of a managed policy that comes into force: written, as new or as
// another version, and attached.
const (
	policyWritten = `event_name IN ('CreatePolicy', 'CreatePolicyVersion') AND `
	writtenPolicy = `coalesce(json_extract_scalar(response_elements, '$.policy.arn'), json_extract_scalar(request_parameters, '$.policyArn'))`
)

var policyAttached = Step{
	Where: `event_name IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')`,
	On:    `json_extract_scalar(request_parameters, '$.policyArn')`,
}
