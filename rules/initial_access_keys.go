package rules

import "time"

// unfamiliarUse are about keys and sessions that turn up where, or with what,
// they never did.
func unfamiliarUse() []Rule {
	return []Rule{
		{
			ID:             "TS-IA-018",
			Title:          "Calls by an attack tool or a pentest distribution",
			Severity:       High,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004"},
			Where:          `regexp_like(user_agent, '(?i)(?:^|[^a-z])(?:kali|parrot|pentoo|blackarch|pacu|scout ?suite|prowler|cloudfox|cloudsplaining|pmapper|enumerate-iam|aws_consoler|quiet-?riot|cloudgoat|stratus-red-team|leonidas|weirdaal|nimbostratus|endgame)(?:[^a-z]|$)')`,
			Resource:       `user_agent`,
			Explain:        `The agent names a tool for attacking or auditing AWS. Unless a test was announced, everything with this agent is the intruder's.`,
			FalsePositives: `An announced test or audit.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			ID:         "TS-IA-018b",
			Title:      "Calls by a bulk file-transfer tool",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1530"},
			Where: `regexp_like(user_agent, '(?i)S3 ?Browser|rclone|WinSCP|CloudBerry|Cyberduck|MSP360')
            AND NOT regexp_like(user_agent, '(?i)^\[?aws-')`,
			Resource:       `coalesce(json_extract_scalar(request_parameters, '$.bucketName'), event_name)`,
			Explain:        `Tools that people use to look through buckets and copy them. Ask whether this one is in use here.`,
			FalsePositives: `Teams that use the tool for their files.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			ID:             "TS-IA-019",
			Title:          "Key tried by a secret scanner",
			Severity:       High,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004", "T1552.001"},
			Where:          `regexp_like(user_agent, '(?i)trufflehog|gitleaks|nosey-?parker|keyhacks|git-?guardian')`,
			Resource:       `access_key_id`,
			Explain:        `A scanner found the key somewhere and checked that it works. The key is out, whoever ran the scanner: find where it is published and rotate it.`,
			FalsePositives: `The company scans its own code.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			// The list names addresses and networks of 8, 16 or 24 bits.
			ID:             "TS-IA-017",
			Title:          "Calls from an address that is listed as hostile",
			Severity:       High,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078.004", "T1090.003"},
			Where:          fromListed,
			List:           "hostile",
			Resource:       `source_ip_address`,
			Explain:        `The list given names the address: an exit of Tor, a provider of VPNs, a known attacker. Whatever came from there is suspect.`,
			FalsePositives: `Lists age, and addresses change hands; colleagues may use a VPN.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
		},
		{
			// Low: an address alone changes with every home router; a new network
			// is the next rule's.
			ID:         "TS-IA-020",
			Title:      "Access key used from an address never seen for it",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `access_key_id LIKE 'AKIA%' AND invoked_by IS NULL
            AND ` + publicAddress,
			Resource:       `source_ip_address`,
			Explain:        `The first call of a long-term key from this address. With a new agent or a first GetCallerIdentity it is how misuse begins.`,
			FalsePositives: `Home offices, travel and providers that change addresses.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"access_key_id"}, Key: []string{"source_ip_address"}, Learn: 7 * day},
		},
		{
			ID:         "TS-IA-020b",
			Title:      "Access key used from a network never seen for it",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `access_key_id LIKE 'AKIA%' AND invoked_by IS NULL
            AND ` + publicAddress,
			Resource:       `source_ip_address`,
			Explain:        `The first call of a long-term key from another network than its history knows. Ask its owner; if nobody knows, take this time as the start.`,
			FalsePositives: `A move to another provider or region.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"access_key_id"}, Key: []string{network}, Learn: 7 * day},
		},
		{
			// Medium: a laptop that changes from the office to a phone's network
			// takes its session with it.
			ID:         "TS-IA-021",
			Title:      "Temporary credentials used from several networks",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004", "T1550.001"},
			Where: `access_key_id LIKE 'ASIA%' AND invoked_by IS NULL
            AND coalesce(session_credential_from_console, false) = false
            AND ` + publicAddress,
			Resource:       `source_ip_address`,
			Explain:        `One session in two networks within the hour: the credentials were copied, or their owner moved. Compare the agents on both sides.`,
			FalsePositives: `A session behind a VPN or a proxy with several exits.`,
			Reference:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html",
			Threshold:      &Threshold{By: []string{"access_key_id"}, Distinct: network, Count: 2, Window: time.Hour},
		},
		{
			ID:         "TS-IA-022",
			Title:      "Something created from an address new to the account",
			Severity:   Low,
			Tactic:     "initial-access",
			Techniques: []string{"T1078.004"},
			Where: `regexp_like(event_name, '^(?:Create|Run|Start|Launch|Provision|Register|Import|Allocate)')
            AND read_only IS DISTINCT FROM true AND NOT ` + byService + `
            AND ` + publicAddress,
			Resource:       `event_name`,
			Explain:        `Nobody of this account had called from here before. Look at what was created, and by whom.`,
			FalsePositives: `A new office, a new pipeline.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{"source_ip_address"}, Among: publicAddress, Learn: 7 * day},
		},
		{
			// Low: partners and vendors do it every day.
			ID:             "TS-IA-023",
			Title:          "Call by a principal of another account",
			Severity:       Low,
			Tactic:         "initial-access",
			Techniques:     []string{"T1199"},
			Where:          fromOtherAccount,
			Resource:       `coalesce(identity_arn, identity_account_id)`,
			Explain:        `An outside account uses something of this one, through a role's trust or a resource's policy. Check that the account is a partner's.`,
			FalsePositives: `Vendors and an organization's other accounts.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
		},
		{
			ID:             "TS-IA-023b",
			Title:          "Call by a principal of an account not seen before",
			Severity:       Medium,
			Tactic:         "initial-access",
			Techniques:     []string{"T1199"},
			Where:          fromOtherAccount,
			Resource:       `coalesce(identity_arn, identity_account_id)`,
			Explain:        `An outside account uses something of this one for the first time, through a role's trust or a resource's policy. Check that it is a partner's.`,
			FalsePositives: `A new vendor or account of the organization.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
			FirstSeen:      &FirstSeen{Scope: []string{"account_id"}, Key: []string{"identity_account_id"}, Learn: 7 * day},
		},
		{
			ID:             "TS-IA-023c",
			Title:          "Call by a principal of an account that is not trusted",
			Severity:       Medium,
			Tactic:         "initial-access",
			Techniques:     []string{"T1199"},
			Where:          fromOtherAccount,
			List:           TrustedAccountsList,
			Resource:       `coalesce(identity_arn, identity_account_id)`,
			Explain:        `The account is neither the organization's nor a partner's, and uses something of this one. Find the trust or the policy that lets it in, and close it.`,
			FalsePositives: `A vendor that the list lacks.`,
			Reference:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
		},
		{
			ID:             "TS-IA-024",
			Title:          "Call denied by the policy of a VPC endpoint",
			Severity:       Medium,
			Tactic:         "initial-access",
			Techniques:     []string{"T1078"},
			Where:          `event_category = 'NetworkActivity' AND error_code = 'VpceAccessDenied'`,
			Resource:       throughEndpoint,
			Explain:        `Somebody inside the network called what the endpoint does not let through, perhaps with credentials of another account. Find the machine by its address.`,
			FalsePositives: `A program whose endpoint policy lacks something.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
			Outcomes:       []Outcome{Denied},
		},
		{
			ID:         "TS-IA-024b",
			Title:      "Call through a VPC endpoint from a public address",
			Severity:   Medium,
			Tactic:     "initial-access",
			Techniques: []string{"T1078"},
			Where: `event_category = 'NetworkActivity' AND vpc_endpoint_id IS NOT NULL
            AND ` + publicAddress,
			Resource:       throughEndpoint,
			Explain:        `What comes through an endpoint has an address of the network behind it. A public one is a proxy's, or somebody's who reached the endpoint from outside.`,
			FalsePositives: `Networks that use public addresses of their own within.`,
			Reference:      "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
		},
	}
}

const throughEndpoint = `coalesce(json_extract_scalar(request_parameters, '$.bucketName'), event_source || ' ' || event_name)`

const fromOtherAccount = `regexp_like(identity_account_id, '^[0-9]{12}$') AND identity_account_id <> account_id
            AND coalesce(identity_type, '') NOT IN ('AWSService', 'AWSInternal') AND invoked_by IS NULL
            AND identity_account_id NOT IN (SELECT value FROM lists WHERE name = 'trusted_accounts')`

// fromListed holds for an address of the list hostile, or of a network there.
const fromListed = fromAddress + `
            AND (source_ip_address IN (SELECT value FROM lists WHERE name = 'hostile')
                OR regexp_extract(source_ip_address, '^[0-9]+\.[0-9]+\.[0-9]+\.', 0) || '0/24' IN (SELECT value FROM lists WHERE name = 'hostile')
                OR regexp_extract(source_ip_address, '^[0-9]+\.[0-9]+\.', 0) || '0.0/16' IN (SELECT value FROM lists WHERE name = 'hostile')
                OR regexp_extract(source_ip_address, '^[0-9]+\.', 0) || '0.0.0/8' IN (SELECT value FROM lists WHERE name = 'hostile'))`
