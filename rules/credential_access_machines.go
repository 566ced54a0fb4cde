package rules

import "time"

// machineSecrets are about credentials that lie with machines, clusters and in
// files, and about keys.
func machineSecrets() []Rule {
	return []Rule{
		{
			// High: attempts, all denied mostly, are one step lower.
			ID:             "TS-CA-004",
			Title:          "Windows passwords of many machines asked for",
			Severity:       High,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.005"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name = 'GetPasswordData'`,
			Resource:       `json_extract_scalar(request_parameters, '$.instanceId')`,
			Explain:        `The password of each machine's administrator, sealed with its key pair. Whoever has the private key can log on: change the passwords.`,
			FalsePositives: `Setting up many Windows machines at once.`,
			Reference:      ec2API + "GetPasswordData.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Count: 10, Window: time.Hour},
		},
		{
			ID:             "TS-CA-004b",
			Title:          "Windows password of a machine asked for",
			Severity:       Low,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.005"},
			Where:          `event_source = 'ec2.amazonaws.com' AND event_name = 'GetPasswordData'`,
			Resource:       `json_extract_scalar(request_parameters, '$.instanceId')`,
			Explain:        `The administrator's password, sealed with the machine's key pair.`,
			FalsePositives: `An administrator's first log-on to a new machine.`,
			Reference:      ec2API + "GetPasswordData.html",
		},
		{
			ID:             "TS-CA-007",
			Title:          "Start-up scripts of many machines read",
			Severity:       Medium,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.005"},
			Where:          userDataRead + ` AND NOT ` + fromConsole,
			Resource:       `json_extract_scalar(request_parameters, '$.instanceId')`,
			Explain:        `User data often holds passwords and keys. What stands in that of these machines is to be rotated.`,
			FalsePositives: `Scanners of configurations, and infrastructure as code that compares its state.`,
			Reference:      ec2API + "DescribeInstanceAttribute.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: `json_extract_scalar(request_parameters, '$.instanceId')`, Count: 5, Window: time.Hour},
		},
		{
			ID:             "TS-CA-007b",
			Title:          "Start-up scripts of machines tried in vain",
			Severity:       Medium,
			Tactic:         "discovery",
			Techniques:     []string{"T1580"},
			Where:          userDataRead,
			Resource:       `json_extract_scalar(request_parameters, '$.instanceId')`,
			Explain:        `Somebody who may not read start-up scripts goes from machine to machine. See what else they tried.`,
			FalsePositives: `A scanner of configurations that lacks the right.`,
			Reference:      ec2API + "DescribeInstanceAttribute.html",
			Outcomes:       []Outcome{Denied, Failed},
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Count: 5, Window: burst},
		},
		{
			ID:         "TS-CA-008",
			Title:      "File of credentials fetched from a bucket",
			Severity:   High,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.001"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject'
            AND regexp_like(json_extract_scalar(request_parameters, '$.key'),
                '(?i)(?:^|/)(?:\.aws/(?:credentials|config)|\.?git-credentials|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|rootkey\.csv|[^/]*accesskeys?\.csv|[^/]*_credentials\.csv|\.ssh/[^/]+|\.kube/config|\.docker/config\.json|[^/]*\.(?:kdbx|ppk))$')
            AND NOT ` + byService,
			Resource:       object,
			Explain:        `Nobody keeps such a file in a bucket for good reason, and it opens other doors. Rotate what stands in it.`,
			FalsePositives: `Backups of home directories that are restored.`,
			Reference:      s3API + "GetObject.html",
		},
		{
			ID:         "TS-CA-008b",
			Title:      "File that holds secrets fetched by somebody who never did",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.001"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject' AND ` + secretFile + `
            AND NOT ` + byService,
			Resource:       object,
			Explain:        `Terraform's state and files of settings hold passwords in plain text. Rotate what stands in this one.`,
			FalsePositives: `A new pipeline or program.`,
			Reference:      s3API + "GetObject.html",
			FirstSeen: &FirstSeen{Scope: []string{"account_id"}, Learn: 7 * day,
				Key: []string{`coalesce(session_issuer_principal_id, principal_id)`, `json_extract_scalar(request_parameters, '$.bucketName')`}},
		},
		{
			// Low: pipelines read Terraform's state all day.
			ID:         "TS-CA-008c",
			Title:      "File that holds secrets fetched",
			Severity:   Low,
			Tactic:     "credential-access",
			Techniques: []string{"T1552.001"},
			Where: `event_source = 's3.amazonaws.com' AND event_name = 'GetObject' AND ` + secretFile + `
            AND NOT ` + byService,
			Resource:       object,
			Explain:        `Of an intruder's reads, everything that stands in the file is to be rotated.`,
			FalsePositives: `Terraform reads its state, and programs their settings.`,
			Reference:      s3API + "GetObject.html",
		},
		{
			ID:             "TS-CA-009",
			Title:          "Guest identity or credentials of Cognito issued where none ever were",
			Severity:       Medium,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          guestCredentials,
			Needs:          OtherData,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.identityId'), json_extract_scalar(request_parameters, '$.identityPoolId'))`,
			Explain:        `An identity pool hands credentials to anybody who knows its id. See what its role for guests may do.`,
			FalsePositives: `A new application with guests.`,
			Reference:      "https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{"account_id", "aws_region"}, Learn: 7 * day},
		},
		{
			// Info: what applications with guests do.
			ID:             "TS-CA-009b",
			Title:          "Guest identity or credentials of Cognito issued",
			Severity:       Info,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          guestCredentials,
			Needs:          OtherData,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.identityId'), json_extract_scalar(request_parameters, '$.identityPoolId'))`,
			Explain:        `Credentials of the pool's role for guests, without a log-in. Of weight when that role may do more than it should.`,
			FalsePositives: `Every visitor of an application with guests.`,
			Reference:      "https://docs.aws.amazon.com/cognito/latest/developerguide/identity-pools.html",
		},
		{
			ID:         "TS-CA-011",
			Title:      "Key material imported into KMS",
			Severity:   Medium,
			Tactic:     "impact",
			Techniques: []string{"T1486"},
			Where: `event_source = 'kms.amazonaws.com'
            AND event_name IN ('ImportKeyMaterial', 'GetParametersForImport')`,
			Resource:       key,
			Explain:        `Whoever brought the material has it still, can make it expire and ask a ransom for it. See what was encrypted with the key since.`,
			FalsePositives: `Companies that make their keys themselves.`,
			Reference:      kmsAPI + "ImportKeyMaterial.html",
		},
		{
			ID:         "TS-CA-011b",
			Title:      "Many keys used to decrypt at once",
			Severity:   Medium,
			Tactic:     "credential-access",
			Techniques: []string{"T1552"},
			Where: `event_source = 'kms.amazonaws.com' AND event_name = 'Decrypt' AND ` + byCaller + `
            AND NOT ` + byService,
			Resource:       key,
			Explain:        `A program has its one key. Somebody who decrypts with one after the other opens whatever they found.`,
			FalsePositives: `Moving data from old keys to a new one.`,
			Reference:      kmsAPI + "Decrypt.html",
			Threshold:      &Threshold{By: []string{"account_id", "principal_id"}, Distinct: key, Count: 8, Window: time.Hour},
		},
		{
			ID:             "TS-CA-014",
			Title:          "Kubernetes API of a cluster used through the console",
			Severity:       Low,
			Tactic:         "credential-access",
			Techniques:     []string{"T1552.007"},
			Where:          `event_source = 'eks.amazonaws.com' AND event_name = 'AccessKubernetesApi'`,
			Resource:       cluster,
			Explain:        `What was read there, secrets too, stands in the cluster's audit log, not here.`,
			FalsePositives: `Whoever looks at the cluster in the console.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/userguide/view-kubernetes-resources.html",
		},
		{
			ID:             "TS-CA-014b",
			Title:          "Kubernetes clusters looked up",
			Severity:       Info,
			Tactic:         "discovery",
			Techniques:     []string{"T1580"},
			Where:          `event_source = 'eks.amazonaws.com' AND event_name IN ('DescribeCluster', 'ListClusters') AND NOT ` + byService,
			Resource:       `coalesce(` + cluster + `, event_name)`,
			Explain:        `Address and certificate of a cluster are what kubectl needs; after it, AWS sees nothing of what is done.`,
			FalsePositives: `Every start of kubectl.`,
			Reference:      "https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html",
		},
	}
}

const (
	userDataRead = `event_source = 'ec2.amazonaws.com' AND event_name = 'DescribeInstanceAttribute'
            AND json_extract_scalar(request_parameters, '$.attribute') = 'userData' AND ` + byCaller
	// guestCredentials are those, and the identities for them, that nobody logged
	// in for.
	// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-info-in-cloudtrail.html
	guestCredentials = `event_source = 'cognito-identity.amazonaws.com' AND event_name IN ('GetId', 'GetCredentialsForIdentity')
            AND coalesce(request_parameters, '') NOT LIKE '%"logins"%'`
	secretFile = `regexp_like(json_extract_scalar(request_parameters, '$.key'),
                '(?i)(?:^|/)(?:[^/]*\.tfstate(?:\.backup)?|\.env(?:\.[^/]*)?|[^/]*\.(?:env|pem|key|p12|pfx|jks|keytab|ovpn)|(?:aws[_-]?)?credentials(?:\.(?:json|ya?ml|ini|txt|csv))?|wp-config\.php|\.npmrc|\.pypirc|secrets?\.(?:json|ya?ml|txt|properties))$')`
	// object is an object of S3, bucket and key.
	object = `json_extract_scalar(request_parameters, '$.bucketName') || '/' || json_extract_scalar(request_parameters, '$.key')`
	// key is a key of KMS: its ARN where the record has it.
	key = `coalesce(nullif(regexp_extract(resources, '"(arn:[a-z0-9-]+:kms:[^"]+:key/[^"]+)"', 1), ''), json_extract_scalar(request_parameters, '$.keyId'))`
)
