package rules

import "strings"

// Expressions that many rules share, over the columns of events in the dialect
// of the rules. regexp_extract gives NULL on Trino and "" on DuckDB where
// nothing matches, hence nullif.

// caller is the name of the IAM user who calls, in lower case: user names are
// unique whatever their case. Some records carry the ARN alone.
const caller = `lower(coalesce(user_name, nullif(regexp_extract(identity_arn, ':user/(?:.*/)?([^/]+)$', 1), '')))`

// targetUser, targetRole and targetGroup name what an IAM call acts on. The
// record of a denied IAM call has no request parameters, but its message says
// "on resource: user NAME because …".
const (
	targetUser  = `lower(coalesce(json_extract_scalar(request_parameters, '$.userName'), nullif(regexp_extract(error_message, 'on resource: user ([^ ]+)', 1), '')))`
	targetRole  = `coalesce(json_extract_scalar(request_parameters, '$.roleName'), nullif(regexp_extract(error_message, 'on resource: role ([^ ]+)', 1), ''))`
	targetGroup = `coalesce(json_extract_scalar(request_parameters, '$.groupName'), nullif(regexp_extract(error_message, 'on resource: group ([^ ]+)', 1), ''))`

	// targetOfPolicy is the user, role or group whose policies a call changes.
	targetOfPolicy = `coalesce(json_extract_scalar(request_parameters, '$.userName'),
                json_extract_scalar(request_parameters, '$.roleName'),
                json_extract_scalar(request_parameters, '$.groupName'),
                nullif(regexp_extract(error_message, 'on resource: (?:user|role|group|policy) ([^ ]+)', 1), ''))`
)

// aboutAnother holds when the user that a call acts on is not its caller; a
// request without a name acts on the caller.
const aboutAnother = targetUser + ` IS NOT NULL
            AND ` + targetUser + ` IS DISTINCT FROM ` + caller

// byService holds for what AWS does of its own accord, under a service's name
// or a service-linked role; byStack for what CloudFormation does for somebody,
// who may well be the intruder: only rules about the everyday life of stacks
// leave that out.
const (
	byService = `(coalesce(identity_type, '') IN ('AWSService', 'AWSInternal')
                OR coalesce(session_issuer_arn, '') LIKE '%:role/aws-service-role/%')`
	byStack = `coalesce(invoked_by, '') = 'cloudformation.amazonaws.com'`
)

// changes holds for a call that changes something. Old records and some exports
// lack readOnly; there the name tells.
const changes = `coalesce(read_only, regexp_like(event_name, '^(?:Get|List|Generate|Simulate|Describe)')) = false`

// byCaller holds for what no service did for the caller. Older records of
// console sessions name the sign-in service there.
// https://docs.aws.amazon.com/mediastore/latest/ug/monitoring-example-log-file-entries.html
const byCaller = `coalesce(invoked_by, 'signin.amazonaws.com') = 'signin.amazonaws.com'`

// fromConsole holds for the calls of a console session. Records before 2023
// lack sessionCredentialFromConsole; there the agent tells.
const fromConsole = `(coalesce(session_credential_from_console, false)
                OR regexp_like(coalesce(user_agent, ''), '^\[?(?:Mozilla/|AWS Internal|(?:console|signin|cloudformation)\.amazonaws\.com|S3Console/)'))`

// An address of the caller; services and AWS itself stand there by name. A
// private one reached AWS through a VPC endpoint.
const (
	fromAddress   = `regexp_like(source_ip_address, '^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$')`
	publicAddress = fromAddress + `
            AND NOT regexp_like(source_ip_address, '^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|[fF][cCdD]|[fF][eE]80:)')`
	// network is the /16 of an IPv4 address and the /48 of an IPv6 one: what
	// stays when a provider hands out another address.
	network = `nullif(regexp_extract(source_ip_address, '^([0-9]+\.[0-9]+\.|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F]*)', 1), '')`
)

// instanceSession holds for the credentials of an EC2 instance's role: their
// session is named after the instance.
const instanceSession = `regexp_like(coalesce(identity_arn, ''), ':assumed-role/[^/]+/i-(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{17})$')`

// adminPolicy holds for a policy ARN that makes an administrator, by AWS's
// names or an account's own.
const adminPolicy = `regexp_like(coalesce(json_extract_scalar(request_parameters, '$.policyArn'), ''),
                ':aws:policy/(?:.*/)?(?:AdministratorAccess|IAMFullAccess|PowerUserAccess|AWSOrganizationsFullAccess)$|:[0-9]{12}:policy/(?:.*/)?[^/]*(?i:admin|full_?-?access)[^/]*$')`

// fullAccessPolicy holds for AWS's policies that allow all of one service or make
// an administrator of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html
const fullAccessPolicy = `regexp_like(coalesce(json_extract_scalar(request_parameters, '$.policyArn'), ''),
                ':aws:policy/(?:.*/)?[^/]*(?:FullAccess|Admin)[^/]*$')
            AND NOT ` + adminPolicy

// byPerson holds for the identities that people have and pipelines should not:
// IAM users, root, federated users and the roles of Identity Center.
const byPerson = `(identity_type IN ('IAMUser', 'Root', 'FederatedUser', 'IdentityCenterUser')
                OR coalesce(session_issuer_arn, '') LIKE '%:role/aws-reserved/sso.amazonaws.com/%')`

// actingPrincipal is who acts, whatever session they are in.
const actingPrincipal = `coalesce(session_issuer_principal_id, principal_id)`

// param is a member of the request parameters, or the first of several that is
// there.
func param(paths ...string) string { return member("request_parameters", paths) }

// response is the same of the response.
func response(paths ...string) string { return member("response_elements", paths) }

func member(column string, paths []string) string {
	all := make([]string, len(paths))
	for i, path := range paths {
		all[i] = `json_extract_scalar(` + column + `, '$.` + path + `')`
	}
	if len(all) == 1 {
		return all[0]
	}
	return `coalesce(` + strings.Join(all, ", ") + `)`
}

// withoutOurs is a text in which the event's own account and those that are
// trusted have no number, so that a number left is an outsider's.
func withoutOurs(text string) string {
	return `array_join(regexp_split(replace(` + text + `, coalesce(account_id, '-'), 'own'),
                (SELECT coalesce(array_join(array_agg(value), '|'), 'none is trusted') FROM lists WHERE name = 'trusted_accounts')), 'own')`
}

// otherAccount holds when an account id or an ARN is of another account than the
// event's, and not one of those that are trusted; what names no account is of
// none.
func otherAccount(expression string) string {
	id := `nullif(regexp_extract(` + expression + `, '(?:^|:)([0-9]{12})(?::|$)', 1), '')`
	return `(` + id + ` <> account_id AND ` + id + ` NOT IN (SELECT value FROM lists WHERE name = 'trusted_accounts'))`
}
