package rules

// lateralMovement are the rules about going from one identity or account to
// another.
func lateralMovement() []Rule {
	return []Rule{
		{
			ID:         "TS-LM-004",
			Title:      "Role taken in the console, with a web identity or across accounts",
			Severity:   Low,
			Tactic:     "lateral-movement",
			Techniques: []string{"T1550.001"},
			Where: `(event_source = 'signin.amazonaws.com' AND event_name = 'SwitchRole'
                OR event_source = 'sts.amazonaws.com' AND event_name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML')
                OR event_source = 'sts.amazonaws.com' AND event_name = 'AssumeRole'
                    AND identity_account_id <> nullif(regexp_extract(` + assumedRole + `, ':([0-9]{12}):role/', 1), ''))`,
			Resource: `coalesce(json_extract_scalar(additional_event_data, '$.SwitchTo'), json_extract_scalar(additional_event_data, '$.RedirectTo'), ` + assumedRole + `)`,
			Explain:  `Somebody became another identity. Follow the session: revoking means a deny at the role, not at the key.`,
		},
	}
}
