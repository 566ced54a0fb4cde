package rules

import "strings"

// Analysis of policy documents, in the dialect of the rules: document gives the
// text of the policy in a request, and the patterns below are about that text.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

// document is the policy in the request parameters, as compact JSON: no white
// space, no escape that JSON does not need. It stands there as a string or an
// object; some exports leave it URL-encoded, and then it has no quote, or escape
// it once more. Where it is no JSON it is NULL. Of several paths the first that
// leads to something counts.
func document(paths ...string) string {
	texts := make([]string, len(paths))
	for i, path := range paths {
		texts[i] = `json_extract_scalar(request_parameters, '` + path + `')`
	}
	text := texts[0]
	if len(texts) > 1 {
		text = `coalesce(` + strings.Join(texts, ", ") + `)`
	}
	either := []string{text}
	for _, path := range paths {
		either = append(either, `json_format(json_extract(request_parameters, '`+path+`'))`)
	}
	return `try(json_format(json_parse(CASE
                WHEN strpos(` + text + `, '"') = 0 THEN url_decode(replace(` + text + `, '+', '%20'))
                WHEN ` + text + ` LIKE '"%' THEN json_extract_scalar(` + text + `, '$')
                WHEN regexp_like(` + text + `, '^\s*\{(?:\s|\\[nrt])*\\"') THEN json_extract_scalar('"' || ` + text + ` || '"', '$')
                ELSE coalesce(` + strings.Join(either, ", ") + `) END)))`
}

// trustDocument is the trust policy that CreateRole and UpdateAssumeRolePolicy
// write.
var trustDocument = document("$.assumeRolePolicyDocument", "$.policyDocument")

// Parts of compact JSON. Braces in a string are no structure: a pattern that
// steps over whole strings cannot be misled by them.
const (
	jsonString = `"(?:[^"\\]|\\.)*"`
	flat       = `(?:` + jsonString + `|[^"{}])*` // what has no object in it
	flatObject = `\{` + flat + `\}`
	someString = `(?:\[(?:` + jsonString + `,)*)?` // before the string that is looked for, alone or in a list
	jsonValue  = `(?:` + jsonString + `|\[(?:` + jsonString + `|[^"\]])*\]|[a-z0-9.+-]+)`
)

// What a statement is about. Names of actions have no case, and wildcards stand
// anywhere in them. The actions of escalation lead to all the others. An ARN of IAM
// with a star for the name holds all users, roles, groups or policies.
const (
	allow        = `"Effect":"Allow"`
	everyARN     = `arn:(?:[a-z*?-]+:)?(?:(?:iam|[*?]*):)?(?:[*?]*:)?(?:(?:[*?]*|[0-9]{12}):)?(?:(?:user|role|group|policy)/)?[*?]+`
	anyResource  = `(?:"Resource":` + someString + `"(?:[*?]+|` + everyARN + `)"|"NotResource":)`
	allOfService = `(?:"Resource":` + someString + `"(?:[*?]+|arn:[^":]*:(?:s3:::[*?/]+|[a-z0-9*-]+:[^":]+:[^":]*:(?:[a-z-]+[/:])?[*?/]+))"|"NotResource":)`
	anyAction    = `"Action":` + someString + `"(?:\*+:)?\*+"|"NotAction":`
	escalation   = `"Action":` + someString + `"(?:(?:iam|sts|organizations):[*?]+|iam:(?:` + wildIAM + `)|sts:A[a-z]*[*?][a-z*?]*|iam:(?:PassRole|CreateAccessKey|CreateLoginProfile|UpdateLoginProfile|AttachUserPolicy|AttachRolePolicy|AttachGroupPolicy|PutUserPolicy|PutRolePolicy|PutGroupPolicy|CreatePolicyVersion|SetDefaultPolicyVersion|AddUserToGroup|UpdateAssumeRolePolicy)|sts:AssumeRole)"`
	wildIAM      = `[*?][a-z*?]*|ad?d?[*?][a-z*?]*|(?:add|att|cr|pa|pu|set|up)[a-z]*[*?][a-z*?]*|[cpsu][*?][a-z*?]*|at[*?][a-z*?]*|se[*?][a-z*?]*`
	wholeIAM     = `"Action":` + someString + `"iam:\*+"`
	wholeService = `"Action":` + someString + `"(?:kms|lambda|s3|dynamodb|ec2|glue|ssm|cloudformation|datapipeline|secretsmanager|rds|eks|ecs|cloudtrail|guardduty):\*+"`
	dataService  = `(?:s3|dynamodb|kms|lambda|iam)`
	createsData  = `"Action":` + someString + `"` + dataService + `:Create[a-z*?]*"`
	changesData  = `"Action":` + someString + `"` + dataService + `:(?:Put|Update)[a-z*?]*"`
	deletesData  = `"Action":` + someString + `"` + dataService + `:Delete[a-z*?]*"`
)

// Conditions that let everybody through. A wide value is met by whoever calls; a
// loose condition also lets pass what the caller chooses, what is true of any
// caller, and the absence of a key. What S3 calls a public policy is the same in
// reverse: a fixed organization, account, network or source makes it private.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
const (
	widePair  = jsonString + `:` + someString + `"(?:[*?]+|[0-9a-f.:]+/[0-7]|arn:(?:[a-z*-]+:(?:iam|sts|\*):[^":]*:\*:[^"]*|[*:]+))"(?:(?:,` + jsonString + `)*\])?`
	loosePair = `"(?:aws:(?:SecureTransport|CurrentTime|EpochTime|TokenIssueTime|UserAgent|Referer|PrincipalType|RequestedRegion|MultiFactorAuthPresent|MultiFactorAuthAge|TagKeys|(?:Request|Resource|Principal)Tag/[^"]*)|s3:(?:prefix|delimiter|max-keys|x-amz-[^"]*|TlsVersion|signatureversion|authType|VersionId|(?:Existing|Request)ObjectTag[^"]*)|kms:EncryptionContext[^"]*|lambda:FunctionUrlAuthType|sns:Protocol)":` + jsonValue
	looseTest = `"(?:ForAllValues:[a-z]+|(?:ForAnyValue:)?(?:(?:String|Arn|Numeric|Date)?Not[a-z]+|[a-z]+IfExists)|Null)":` + flatObject

	wideCondition  = `"Condition":\{(?:` + jsonString + `:\{(?:` + widePair + `,?)*\},?)*\}`
	looseCondition = `"Condition":\{(?:(?:` + looseTest + `|` + jsonString + `:\{(?:(?:` + widePair + `|` + loosePair + `),?)*\}),?)*\}`
)

// grants is a pattern for a policy with an Allow statement, free of conditions,
// of what the action pattern says on every resource.
func grants(action string) string { return grantsOn(action, anyResource) }

// grantsOn is the same on what the resource pattern says. JSON leaves the order
// of members open.
func grantsOn(action, resource string) string {
	const between = `(?:` + jsonString + `|[^"{}]|` + wideCondition + `)*`
	a, e, r := "(?:"+action+")", allow, resource
	orders := [][]string{{e, a, r}, {e, r, a}, {a, e, r}, {a, r, e}, {r, a, e}, {r, e, a}}
	var all []string
	for _, o := range orders {
		all = append(all, strings.Join(o, between))
	}
	return `(?is)\{` + between + `(?:` + strings.Join(all, "|") + `)` + between + `\}`
}

// policyGrants holds for a call that writes such a policy.
func policyGrants(action string) string {
	return `regexp_like(` + document("$.policyDocument") + `, '` + grants(action) + `')`
}

// grantsService holds for a call that writes a policy over all of a service, in
// one word or by creating, changing and deleting. One that only says so in three
// statements is as wide.
var grantsService = `(` + policyGrantsOf(wholeService) + `
                OR ` + policyGrantsOf(createsData) + `
                    AND ` + policyGrantsOf(changesData) + `
                    AND ` + policyGrantsOf(deletesData) + `)`

func policyGrantsOf(action string) string {
	return `regexp_like(` + document("$.policyDocument") + `, '` + grantsOn(action, allOfService) + `')`
}

// trusts is a pattern for a policy of a resource or role with an Allow statement
// whose principals match, whatever its conditions.
func trusts(principal string) string {
	const between = `(?:` + jsonString + `|[^"{}]|\{(?:` + jsonString + `|[^"{}]|` + flatObject + `)*\})*`
	return `(?is)\{` + between + `(?:` + allow + between + principal + `|` + principal + between + allow + `)`
}

// opens is a pattern for a policy with an Allow statement whose principals match
// and whose conditions, if any, keep nobody out.
func opens(principal string) string {
	const between = `(?:` + jsonString + `|[^"{}]|` + looseCondition + `)*`
	return `(?is)\{` + between + `(?:` + allow + between + principal + `|` + principal + between + allow + `)` + between + `\}`
}

// The principals of a policy: anybody, or all but some; an account, once the
// event's own is taken out of the text; an identity provider.
const (
	anybody          = `(?:"Principal":(?:"\*"|\{` + flat + `"AWS":` + someString + `"\*"` + flat + `\})|"NotPrincipal":(?:` + jsonString + `|` + flatObject + `))`
	anAccount        = `"Principal":\{` + flat + `"AWS":` + someString + `"(?:arn:[a-z0-9-]+:(?:iam|sts)::)?[0-9]{12}(?::[^"]*)?"` + flat + `\}`
	identityProvider = `"Principal":\{` + flat + `"Federated":` + flat + `\}`
)

// letsAnybody holds when a policy (document, trustDocument) lets everybody in.
func letsAnybody(policy string) string {
	return `regexp_like(` + policy + `, '` + opens(anybody) + `')`
}

// letsOutsiders holds when a policy names an account that is not the event's and not
// trusted.
func letsOutsiders(policy string) string {
	return `regexp_like(` + withoutOurs(policy) + `, '` + trusts(anAccount) + `')`
}

// publicACL holds when a request grants something to everybody, or to everybody
// who has an AWS account, by an access control list: of the canned ones, by
// header, or in its XML.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
const publicACL = `(regexp_like(coalesce(request_parameters, ''), 'acs\.amazonaws\.com\\?/groups\\?/global\\?/(?:AllUsers|AuthenticatedUsers)')
                OR regexp_like(coalesce(request_parameters, ''), '"(?:x-amz-acl|accessControlList|cannedAcl|acl)":(?:\["?|")?(?:public-read|public-read-write|authenticated-read)"'))`
