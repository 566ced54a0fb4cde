package rules

import (
	"net/url"
	"strings"
	"testing"
)

func TestPolicyText(t *testing.T) {
	c := openCase(t)
	statement := func(members string) string { return `{"Version":"2012-10-17","Statement":[{` + members + `}]}` }
	admin := statement(`"Effect":"Allow","Action":"*","Resource":"*"`)
	everything := policyGrants(anyAction + "|" + escalation)
	opened := `regexp_like(` + trustDocument + `, '` + trusts(anybody) + `')`
	public, outside := letsAnybody(document("$.policyDocument")), letsOutsiders(document("$.policyDocument"))
	for _, tc := range []struct {
		name, text, condition string
		want                  bool
	}{
		{"administrator", admin, everything, true},
		{"members in another order, spread", statement("\n \"Resource\" : [ \"*\" ],\n\t\"Action\" : [ \"s3:Get*\", \"*\" ],\n \"Effect\" : \"Allow\" "), everything, true},
		{"one statement, no array", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, everything, true},
		{"names in lower case", statement(`"effect":"allow","action":"*","resource":"*"`), everything, true},
		{"star escaped", statement(`"Effect":"Allow","Action":"\u002a","Resource":"\u002a"`), everything, true},
		{"more stars than needed", statement(`"Effect":"Allow","Action":"*:*","Resource":"**"`), everything, true},
		{"variable beside", statement(`"Effect":"Allow","Action":"*","Resource":["*","arn:aws:s3:::${aws:username}"]`), everything, true},
		{"empty condition", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{}`), everything, true},
		{"URL-encoded", url.PathEscape(admin), everything, true},
		{"URL-encoded with plus signs", url.QueryEscape(strings.ReplaceAll(admin, ":", ": ")), everything, true},
		{"escaped once more", strings.ReplaceAll(admin, `"`, `\"`), everything, true},
		{"all but some actions", statement(`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`), everything, true},
		{"all but some resources", statement(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::keep"`), everything, true},
		{"way to the rights of others", statement(`"Effect":"Allow","Action":["ec2:RunInstances","iam:PassRole"],"Resource":"*"`), everything, true},
		{"second statement", `{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`, everything, true},

		{"quoted as a string of JSON", `"` + strings.ReplaceAll(admin, `"`, `\"`) + `"`, everything, true},
		{"letters escaped", strings.NewReplacer("Allow", `\u0041llow`, "Action", `\u0041ction`).Replace(admin), everything, true},
		{"spaces before, escaped", `{\n  ` + strings.ReplaceAll(admin[1:], `"`, `\"`), everything, true},
		{"brace in a string before", statement(`"Sid":"{","Effect":"Allow","Action":"*","Resource":"*"`), everything, true},
		{"quote in a string before", statement(`"Sid":"a\"{\"","Effect":"Allow","Action":"*","Resource":"*"`), everything, true},
		{"bracket in a list before", statement(`"Effect":"Allow","Resource":["arn:aws:s3:::a]b","*"],"Action":"*"`), everything, true},
		{"condition that everybody meets", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:userid":"*"},"IpAddress":{"aws:SourceIp":["0.0.0.0/0"]}}`), everything, true},
		{"question marks", statement(`"Effect":"Allow","Action":"iam:Pass?ole","Resource":"*"`), everything, true},
		{"wildcard in front", statement(`"Effect":"Allow","Action":["iam:*Policy"],"Resource":"*"`), everything, true},
		{"all that IAM holds", statement(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:*"`), everything, true},
		{"all of the account", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:*:*:111122223333:*"`), everything, true},

		{"roles of the account", statement(`"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/*"`), everything, true},
		{"all users", statement(`"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":["arn:aws:iam::*:user/*"]`), everything, true},
		{"a service by its ARN", statement(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"`), grantsService, true},
		{"all buckets and what is in them", statement(`"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*/*"]`), grantsService, true},
		{"all tables", statement(`"Effect":"Allow","Resource":"arn:aws:dynamodb:*:111122223333:table/*","Action":["dynamodb:CreateTable","dynamodb:PutItem","dynamodb:DeleteItem"]`), grantsService, true},

		{"one path of roles", statement(`"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/app/*"`), everything, false},
		{"all of S3 is not all", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::*"`), everything, false},
		{"one bucket", statement(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::app/*"`), grantsService, false},
		{"one table", statement(`"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:111122223333:table/app"`), grantsService, false},
		{"creates and deletes", statement(`"Effect":"Allow","Action":["dynamodb:CreateTable","dynamodb:DeleteItem"],"Resource":"*"`), grantsService, false},
		{"wildcards over reads", statement(`"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:Simulate*","iam:Generate*"],"Resource":"*"`), everything, false},
		{"one user's own", statement(`"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::*:user/${aws:username}"`), everything, false},
		{"denied", statement(`"Effect":"Deny","Action":"*","Resource":"*"`), everything, false},
		{"condition", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), everything, false},
		{"condition first", statement(`"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}},"Effect":"Allow","Action":"*","Resource":"*"`), everything, false},
		{"one resource", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::app/*"`), everything, false},
		{"one service", statement(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), everything, false},
		{"parts of two statements", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}`, everything, false},
		{"cut off", admin[:len(admin)-4], everything, false},
		{"broken encoding", "%7B%ZZ", everything, false},
		{"encoding that is no text", "%FF%FE", everything, false},
		{"not JSON", "{", everything, false},
		{"empty", "", everything, false},

		{"anybody", statement(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`), opened, true},
		{"anybody in a list", statement(`"Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com","AWS":["arn:aws:iam::111122223333:root","*"]},"Condition":{"StringEquals":{"sts:ExternalId":"x"}},"Effect":"Allow"`), opened, true},
		{"all but some principals", statement(`"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"`), opened, true},
		{"denied to anybody", statement(`"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"`), opened, false},
		{"anybody who knows the address", statement(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"`), public, true},
		{"anybody with an account", statement(`"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"s3:GetObject"`), public, true},
		{"anybody over TLS", statement(`"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect":"Allow","Principal":"*","Action":"s3:*"`), public, true},
		{"anybody from anywhere", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/0"]}}`), public, true},
		{"anybody but one network", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), public, true},
		{"a key that may be absent", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-example"}}`), public, true},
		{"any organization", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"},"Null":{"aws:PrincipalOrgID":"false"}}`), public, false},
		{"a role of any account", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/app"}}`), public, true},
		{"one statement of two open", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-example"}}},{"Effect":"Allow","Principal":"*","Action":"a:b"}]}`, public, true},
		{"own organization", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-example"}}`), public, false},
		{"own organization, condition first", statement(`"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-example"]}},"Principal":"*","Effect":"Allow","Action":"s3:*"`), public, false},
		{"own network over TLS", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), public, false},
		{"one role of the account", statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`), public, false},
		{"denied without TLS", statement(`"Effect":"Deny","Principal":"*","Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`), public, false},
		{"a user beside a denial", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*"}]}`, public, false},

		{"another account", statement(`"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","444455556666"]},"Action":"s3:*","Condition":{"StringEquals":{"aws:PrincipalTag/x":"${aws:ResourceTag/x}"}}`), outside, true},
		{"a user of another account in another partition", statement(`"Principal":{"AWS":"arn:aws-cn:iam::444455556666:user/x"},"Effect":"Allow","Action":"s3:*"`), outside, true},
		{"the own account", statement(`"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","111122223333"]},"Action":"s3:*"`), outside, false},
		{"another account denied", statement(`"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"s3:*"`), outside, false},
		{"another account as a source", statement(`"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}`), outside, false},

		{"a service", statement(`"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`), opened, false},
		{"denied to all but some", `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`, opened, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got bool
			err := c.DB.QueryRow(`SELECT coalesce(`+tc.condition+`, false)
				FROM (SELECT '111122223333' AS account_id, CAST(to_json({policyDocument: CAST(? AS VARCHAR)}) AS VARCHAR) AS request_parameters) AS e`, tc.text).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("found %v, want %v: %s", got, tc.want, tc.text)
			}
		})
	}
}

func TestPolicyAsAnObject(t *testing.T) {
	c := openCase(t)
	for _, tc := range []struct {
		name, parameters, condition string
		want                        bool
	}{
		{"of a bucket", `{"bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}}`, letsAnybody(document("$.policy", "$.bucketPolicy")), true},
		{"of a queue", `{"attributes":{"Policy":{"Statement":{"Principal":"*","Effect":"Allow"}}}}`, letsAnybody(document("$.attributes.Policy")), true},
		{"list where the policy was", `{"policy":[""],"bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*"}]}}`, letsAnybody(document("$.bucketPolicy")), true},
		{"no policy", `{"bucketName":"b"}`, letsAnybody(document("$.bucketPolicy")), false},
		{"null", `{"bucketPolicy":null}`, letsAnybody(document("$.bucketPolicy")), false},
		{"grantee of a list", `{"AccessControlPolicy":{"AccessControlList":{"Grant":{"Grantee":{"xsi:type":"Group","URI":"http://acs.amazonaws.com/groups/global/AllUsers"},"Permission":"READ"}}}}`, publicACL, true},
		{"grantee in a header", `{"x-amz-grant-read":"uri=\"http://acs.amazonaws.com/groups/global/AuthenticatedUsers\""}`, publicACL, true},
		{"canned list", `{"bucketName":"b","x-amz-acl":"public-read-write"}`, publicACL, true},
		{"canned list in an array", `{"x-amz-acl":["public-read"]}`, publicACL, true},
		{"private list", `{"x-amz-acl":["private"],"bucketName":"public-read"}`, publicACL, false},
		{"log delivery", `{"Grantee":{"URI":"http://acs.amazonaws.com/groups/s3/LogDelivery"}}`, publicACL, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got bool
			err := c.DB.QueryRow(`SELECT coalesce(`+tc.condition+`, false) FROM (SELECT CAST(? AS VARCHAR) AS request_parameters) AS e`, tc.parameters).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("found %v, want %v: %s", got, tc.want, tc.parameters)
			}
		})
	}
}
