package rules

var keyPolicy = document("$.policy")

// keyPolicies are about who may use KMS keys.
func keyPolicies() []Rule {
	return []Rule{
		{
			ID:         "TS-PV-015",
			Title:      "Policy of a KMS key lets everybody or another account in",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1222"},
			Where: `event_source = 'kms.amazonaws.com' AND event_name IN ('PutKeyPolicy', 'CreateKey', 'ReplicateKey')
            AND (` + letsAnybody(keyPolicy) + `
                OR ` + letsOutsiders(keyPolicy) + `)`,
			Resource:       `coalesce(` + param("keyId") + `, ` + response("keyMetadata.arn") + `)`,
			Explain:        `Somebody outside can decrypt with the key, or encrypt so that only they can pay the data back. Put the old policy back while you still may.`,
			FalsePositives: `Keys that an organization's accounts share.`,
			Reference:      "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html",
		},
		{
			// Low: deployments write key policies.
			ID:             "TS-PV-015b",
			Title:          "Policy of a KMS key changed",
			Severity:       Low,
			Tactic:         "defense-evasion",
			Techniques:     []string{"T1222"},
			Where:          `event_source = 'kms.amazonaws.com' AND event_name = 'PutKeyPolicy' AND NOT ` + byService,
			Resource:       param("keyId"),
			Explain:        `Who may use and who may manage the key is another now. A policy that leaves its owner out locks the account out of its data.`,
			FalsePositives: `Deployments.`,
			Reference:      "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html",
		},
		{
			ID:         "TS-PV-015c",
			Title:      "Use of a KMS key granted to another account",
			Severity:   Medium,
			Tactic:     "defense-evasion",
			Techniques: []string{"T1222"},
			Where: `event_source = 'kms.amazonaws.com' AND event_name = 'CreateGrant' AND NOT ` + byService + `
            AND ` + otherAccount(param("granteePrincipal")),
			Resource:       param("keyId"),
			Explain:        `A grant stands in no policy and outlives the key that made it. Revoke it.`,
			FalsePositives: `Keys for images and snapshots that an organization's accounts share.`,
			Reference:      "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html",
		},
	}
}
