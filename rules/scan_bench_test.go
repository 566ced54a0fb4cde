package rules

import (
	"context"
	"testing"

	"trailscan/internal/casetest"
	"trailscan/query"
)

// fillCase makes a month of 600,000 calls by 40 principals with 60 event names, a tenth
// of them denied, and a lineage of one in a thousand.
func fillCase(b *testing.B, c *query.Case) {
	b.Helper()
	casetest.Insert(b, c.DB, `(event_id, event_time, event_source, event_name, aws_region, read_only, management_event,
			event_category, recipient_account_id, identity_type, principal_id, identity_arn, user_name, access_key_id,
			source_ip_address, user_agent, error_code, error_message, request_parameters, response_elements,
			source_id, record_index)
		SELECT CAST(uuid() AS VARCHAR), TIMESTAMP '2026-03-01' + to_seconds(i * 4),
			['iam', 'ec2', 's3', 'sts', 'signin', 'kms'][1 + h % 6] || '.amazonaws.com',
			['Describe', 'List', 'Get', 'Create', 'Delete', 'Put'][1 + h % 6] || ['User', 'Role', 'Bucket', 'Instances',
				'Key', 'Policy', 'Trail', 'Snapshot', 'Session', 'Tags'][1 + (h // 7) % 10],
			['us-east-1', 'eu-west-1', 'ap-southeast-2'][1 + (h // 11) % 3], h % 6 < 3, true, 'Management', '111122223333',
			'IAMUser', 'AIDAEXAMPLE' || (h // 13) % 40, 'arn:aws:iam::111122223333:user/u' || (h // 13) % 40,
			'u' || (h // 13) % 40, 'AKIAEXAMPLE' || (h // 13) % 40,
			'198.51.' || (h // 17) % 100 || '.' || (h // 13) % 40, 'aws-cli/2.' || (h // 19) % 20,
			CASE WHEN (h // 23) % 10 = 0 THEN 'AccessDenied' END,
			CASE WHEN (h // 23) % 10 = 0 THEN 'User is not authorized to perform: x' END,
			'{"userName":"n' || (h // 29) % 5000 || '","maxItems":100,"filterSet":{"items":[{"name":"x"}]}}',
			'{"requestId":"' || i || '","_return":true}', 1, i
		FROM (SELECT i, CAST(hash(i) % 1000000007 AS BIGINT) AS h FROM range(600000) AS t(i))`)
	if _, err := c.DB.Exec(`
		INSERT INTO lineage_events SELECT 1, i * 1000, 'AKIAEXAMPLE', 'intruder' FROM range(600) AS t(i)`); err != nil {
		b.Fatal(err)
	}
}

// benchRules are one rule of every shape, and the widest of some: a rule about
// every event, bursts of reads, new addresses among all calls.
var benchRules = map[string]Rule{
	"predicate":    anyCreate,
	"every event":  {ID: "TS-XX-911", Where: `read_only`, Resource: `json_extract_scalar(request_parameters, '$.userName')`},
	"threshold":    {ID: "TS-XX-912", Where: `error_code = 'AccessDenied'`, Threshold: &Threshold{By: []string{"principal_id"}, Count: 20, Window: 10 * 60e9}},
	"distinct":     {ID: "TS-XX-913", Where: `read_only`, Threshold: &Threshold{By: []string{"principal_id"}, Distinct: "event_name", Count: 20, Window: 10 * 60e9}},
	"sequence":     {ID: "TS-XX-914", Sequence: &Sequence{Within: 3600e9, Steps: []Step{{`event_name = 'CreateUser'`, `json_extract_scalar(request_parameters, '$.userName')`}, {`event_name = 'PutPolicy'`, `json_extract_scalar(request_parameters, '$.userName')`}}}},
	"first seen":   {ID: "TS-XX-915", Where: `access_key_id LIKE 'AKIA%'`, FirstSeen: &FirstSeen{Scope: []string{"access_key_id"}, Key: []string{"source_ip_address"}, Learn: 7 * 24 * 3600e9}},
	"one in many":  {ID: "TS-XX-916", Where: `event_source = 'iam.amazonaws.com' AND event_name IN ('CreateUser', 'CreateRole')`},
	"denied calls": {ID: "TS-XX-917", Where: `event_source = 'kms.amazonaws.com'`, Outcomes: []Outcome{Denied}},
}

func BenchmarkScan(b *testing.B) {
	c := openCase(b)
	fillCase(b, c)
	for name, r := range benchRules {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := scanAll(context.Background(), c, []Rule{r}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
