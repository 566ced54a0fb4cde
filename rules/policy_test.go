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
		{"a service", statement(`"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`), opened, false},
		{"denied to all but some", `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`, opened, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got bool
			err := c.DB.QueryRow(`SELECT coalesce(`+tc.condition+`, false)
				FROM (SELECT CAST(to_json({policyDocument: CAST(? AS VARCHAR)}) AS VARCHAR) AS request_parameters) AS e`, tc.text).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("found %v, want %v: %s", got, tc.want, tc.text)
			}
		})
	}
}
