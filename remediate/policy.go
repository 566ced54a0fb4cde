package remediate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The documents that shut an intruder out. They are minified: the inline
// policies of a user may have 2,048 characters in all
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const (
	// denyAll binds every credential of a principal, at once and for as long as
	// it stands. An explicit deny ends AWS's evaluation; taking permissions away
	// does not stop what a resource's policy allows:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
	denyAll = `{"Version":"2012-10-17","Statement":[{"Sid":"TrailscanContain","Effect":"Deny","Action":"*","Resource":"*"}]}`

	// denyOlder is what the console's "Revoke active sessions" writes. A
	// long-term key's calls have no aws:TokenIssueTime, so it does not bind them:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html.
	denyOlder = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{` + issuedBeforeNow + `}}}]}`

	// issuedBeforeNow is the condition of denyOlder, the one place of a text where
	// ${now} may stand.
	issuedBeforeNow = `"aws:TokenIssueTime":"` + Now + `"`

	// trustNobody closes a role to everyone; a trust policy cannot be empty.
	trustNobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`

	// olderSessions is the name that the console gives denyOlder.
	olderSessions = "AWSRevokeOlderSessions"
)

// incidentHash tells the policies of one incident from those of another.
func incidentHash(keys []string) string {
	sum := sha256.Sum256([]byte(strings.Join(keys, "\n")))
	return hex.EncodeToString(sum[:4])
}

// managedDeny is AWS's own policy of the same content as denyAll.
func managedDeny(partition string) string {
	return "arn:" + partition + ":iam::aws:policy/AWSDenyAll"
}

// partitionOf is the partition of an ARN or, without one, of a region.
func partitionOf(arn, region string) string {
	if a, ok := parseARN(arn); ok && a.partition != "" {
		return a.partition
	}
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	}
	return "aws"
}

// globalRegion is where a partition keeps IAM and the other global services:
// https://docs.aws.amazon.com/general/latest/gr/iam-service.html.
func globalRegion(partition string) string {
	switch partition {
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-cn":
		return "cn-north-1"
	}
	return "us-east-1"
}

// globalServices have one endpoint a partition.
var globalServices = map[string]bool{
	"iam": true, "organizations": true, "account": true, "route53": true, "route53domains": true,
	"cloudfront": true, "shield": true, "support": true, "savingsplans": true,
}
