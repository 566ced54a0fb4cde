package rules

import "time"

// storedSecrets are about secrets read from where AWS keeps them.
func storedSecrets() []Rule {
	return []Rule{
		{
			// Low: programs read their own passwords all day.
			ID:         "TS-CA-001",
			Title:      "Secret read",
			Severity:   Low,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: `event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue')
            AND NOT ` + byService,
			Resource:       secret,
			Explain:        `The value left Secrets Manager. Of an intruder's reads, every one is a secret to rotate.`,
			FalsePositives: `Programs read their passwords all day.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
		},
		{
			ID:         "TS-CA-001b",
			Title:      "Secret read by somebody who never read it",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: `event_source = 'secretsmanager.amazonaws.com' AND event_name = 'GetSecretValue'
            AND NOT ` + byService,
			Resource:       secret,
			Explain:        `A principal that has no history with this secret. Programs read the same few secrets for ever.`,
			FalsePositives: `New programs, and people who look a password up.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
			FirstSeen: &FirstSeen{
				Scope: []string{"account_id"},
				Key:   []string{`coalesce(session_issuer_principal_id, principal_id)`, secret},
				Learn: 7 * day,
			},
		},
		{
			ID:         "TS-CA-002",
			Title:      "Many secrets read",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: `event_source = 'secretsmanager.amazonaws.com' AND event_name = 'GetSecretValue'
            AND NOT ` + byService,
			Resource:       secret,
			Explain:        `Somebody empties Secrets Manager. The list of resources is the list to rotate.`,
			FalsePositives: `Tools that copy secrets, such as into a cluster.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `aws_region || ' ' || ` + secret, Count: 15, Window: time.Hour},
		},
		{
			ID:         "TS-CA-002b",
			Title:      "Secrets read in a batch by filter",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: `event_source = 'secretsmanager.amazonaws.com' AND event_name = 'BatchGetSecretValue'
            AND coalesce(request_parameters, '') NOT LIKE '%"secretIdList"%' AND NOT ` + byService,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.filters[0].values[0]'), event_name)`,
			Explain:        `Up to twenty secrets a call, without having to know their names. Every secret that the filter matches is to be rotated.`,
			FalsePositives: `Programs that fetch their secrets by tag.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html",
		},
		{
			ID:         "TS-CA-002c",
			Title:      "Secrets read in many regions",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: `event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue', 'ListSecrets')
            AND ` + byCaller + ` AND NOT ` + byService,
			Resource:       `coalesce(` + secret + `, aws_region)`,
			Explain:        `Programs have their secrets in one region. Somebody goes through all of them for what there is.`,
			FalsePositives: `Scanners, and tools that copy secrets between regions.`,
			Reference:      "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "aws_region", Count: 5, Window: time.Hour},
		},
		{
			ID:             "TS-CA-003",
			Title:          "Many parameters decrypted",
			Severity:       Medium,
			Tactic:         "credential-access",
			Techniques:     []string{"T1555.006"},
			Where:          parameterDecrypted,
			Resource:       parameter,
			Explain:        `Somebody reads passwords from Parameter Store, one after the other. The list of resources is the list to rotate.`,
			FalsePositives: `Programs with many settings as they start.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "request_parameters", Count: 25, Window: time.Hour},
		},
		{
			ID:         "TS-CA-003b",
			Title:      "Parameters decrypted by the ten or by path",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1555.006"},
			Where: parameterDecrypted + `
            AND event_name IN ('GetParameters', 'GetParametersByPath')`,
			Resource:       parameter,
			Explain:        `Several batches of parameters within minutes: a sweep of Parameter Store.`,
			FalsePositives: `Programs with many settings as they start.`,
			Reference:      "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: "request_parameters", Count: 5, Window: burst},
		},
	}
}

const (
	// secret is the secret of a call, without the six random characters that
	// end its ARN: programs use the name and the ARN alike.
	secret = `coalesce(nullif(regexp_extract(json_extract_scalar(request_parameters, '$.secretId'), ':secret:(.+)-[A-Za-z0-9]{6}$', 1), ''),
                json_extract_scalar(request_parameters, '$.secretId'), nullif(regexp_extract(error_message, 'on resource: ([^ ]+)', 1), ''))`
	parameter = `coalesce(json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.path'),
                json_extract_scalar(request_parameters, '$.names[0]'))`

	parameterDecrypted = `event_source = 'ssm.amazonaws.com' AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory')
            AND lower(json_extract_scalar(request_parameters, '$.withDecryption')) = 'true' AND NOT ` + byService
)
